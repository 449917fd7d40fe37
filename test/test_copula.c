/* Gaussian copulas, against closed forms, known copulas, enumeration and identities. */
#include "genmod/conditional.h"
#include "model_cases.h"

#define N 400

static const char *const marginals[] = {"marginals=empirical", "marginals=normal",
                                        "marginals=mixture", "marginals=kde"};

/* Normal scores of correlation 0.7, the first as exp, the second as a cube. */
static void pairs(double *x, int64_t n, int bent)
{
    uint64_t state = 23;
    for (int64_t i = 0; i < n; i++) {
        double a = case_normal(&state), b = 0.7 * a + sqrt(1 - 0.49) * case_normal(&state);
        x[2 * i] = bent ? exp(0.5 * a) : 2 * a + 1;
        x[2 * i + 1] = bent ? b + 0.2 * b * b * b : b - 3;
    }
}

static gm_model *fit_family(gm_context *ctx, const char *family, const gm_dataset *rows,
                            const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_options_free(how);
    return model;
}

static gm_model *fit(gm_context *ctx, const char *family, const double *x, int64_t n, int64_t d,
                     const char *const *settings)
{
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    gm_model *model = fit_family(ctx, family, rows, settings);
    gm_dataset_free(rows);
    return model;
}

static const double *tensor(const gm_model *model, const char *name)
{
    const double *t = gm_tensors_get(model->tensors, name, NULL, NULL);
    ck_assert_msg(t != NULL, "there is no '%s'", name);
    return t;
}

/* ---- Closed forms ---------------------------------------------------------------------------- */

/* With normal marginals it is the normal distribution of the rows. */
START_TEST(normal_marginals)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], a[N], b[N];
    pairs(x, N, 1);
    gm_model *copula = fit(ctx, "copula", x, N, 2,
                           (const char *[]){"seed=1", "marginals=normal", "shrinkage=0", NULL}),
             *normal =
                 fit(ctx, "mixture", x, N, 2, (const char *[]){"seed=1", "components=1", NULL});
    ck_assert_int_eq(gm_model_log_prob_kind(copula), GM_EXACT);
    test_ok(ctx, gm_model_log_prob_f64(ctx, copula, x, N, 0, NULL, a));
    test_ok(ctx, gm_model_log_prob_f64(ctx, normal, x, N, 0, NULL, b));
    for (int i = 0; i < N; i++)
        must(fabs(a[i] - b[i]) < 1e-9 * (1 + fabs(b[i])));
    gm_model_free(copula);
    gm_model_free(normal);
    gm_context_free(ctx);
}
END_TEST

/* The correlation of the scores is that of the copula which the rows are of, whatever the
 * marginals; and scores and values return. */
START_TEST(known_copula)
{
    gm_context *ctx = test_context(NULL);
    enum { MANY = 1500 };
    double *x = malloc(2 * MANY * sizeof *x), *z = malloc(2 * MANY * sizeof *z),
           *y = malloc(2 * MANY * sizeof *y), moments[3] = {0};
    pairs(x, MANY, _i != 1);
    gm_model *model =
        fit(ctx, "copula", x, MANY, 2, (const char *[]){"seed=1", marginals[_i], NULL});
    double rho = tensor(model, "correlation")[1];
    ck_assert_msg(fabs(rho - 0.7) < 0.04, "%g", rho);
    gm_array in = case_array(GM_F64, x, MANY, 2), code = case_array(GM_F64, z, MANY, 2),
             back = case_array(GM_F64, y, MANY, 2);
    test_ok(ctx, gm_model_encode(ctx, model, &in, NULL, NULL, &code));
    test_ok(ctx, gm_model_decode(ctx, model, &code, NULL, NULL, &back));
    for (int i = 0; i < 2 * MANY; i++)
        must_msg(fabs(y[i] - x[i]) < 1e-7 * (1 + fabs(x[i])), "%d: %.12g, not %.12g", i, y[i],
                 x[i]);
    for (int i = 0; i < MANY; i++) {
        moments[0] += z[2 * i] / MANY;
        moments[1] += z[2 * i] * z[2 * i] / MANY;
        moments[2] += z[2 * i + 1] * z[2 * i + 1] / MANY;
    }
    ck_assert(fabs(moments[0]) < 0.05 && fabs(moments[1] - 1) < 0.1 && fabs(moments[2] - 1) < 0.1);
    gm_options *how = case_options(ctx, (const char *[]){"seed=4", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, MANY, NULL, how, y));
    test_ok(ctx, gm_model_encode(ctx, model, &back, NULL, NULL, &code));
    double cross = 0;
    for (int i = 0; i < MANY; i++)
        cross += z[2 * i] * z[2 * i + 1] / MANY;
    ck_assert_msg(fabs(cross - rho) < 0.06, "%g, not %g", cross, rho);
    gm_options_free(how);
    free(x);
    free(y);
    free(z);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(integrates_to_one)
{
    gm_context *ctx = test_context(NULL);
    enum { SIDE = 200 };
    double x[2 * N], *grid = malloc(SIDE * SIDE * 2 * sizeof *grid),
                     *logp = malloc(SIDE * SIDE * sizeof *logp), sum = 0, step = 0.1;
    pairs(x, N, 0);
    for (int i = 0; i < N; i++) /* at 0, with one side heavy */
        x[2 * i] = (x[2 * i] - 1) / 2;
    for (int i = 0; i < N; i++)
        x[2 * i + 1] += 3;
    gm_model *model = fit(ctx, "copula", x, N, 2, (const char *[]){"seed=2", marginals[_i], NULL});
    for (int i = 0; i < SIDE * SIDE; i++) {
        grid[2 * i] = (i % SIDE - SIDE / 2 + 0.5) * step;
        grid[2 * i + 1] = (double)(i / SIDE - SIDE / 2 + 0.5) * step;
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, grid, SIDE * SIDE, 0, NULL, logp));
    for (int i = 0; i < SIDE * SIDE; i++)
        sum += exp(logp[i]) * step * step;
    ck_assert_msg(fabs(sum - 1) < 1e-3, "%g", sum);
    free(grid);
    free(logp);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A column by itself, on a grid that sees the knots of an empirical one. */
START_TEST(one_column)
{
    gm_context *ctx = test_context(NULL);
    enum { SIDE = 100000 };
    double x[2 * N], *grid = malloc(SIDE * sizeof *grid), *logp = malloc(SIDE * sizeof *logp),
                     sum = 0, step = 4e-4;
    pairs(x, N, 1);
    for (int i = 0; i < N; i++)
        x[i] = x[2 * i + 1];
    gm_model *model = fit(ctx, "copula", x, N, 1, (const char *[]){"seed=2", marginals[_i], NULL});
    for (int i = 0; i < SIDE; i++)
        grid[i] = (i - SIDE / 2 + 0.5) * step;
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, grid, SIDE, 0, NULL, logp));
    for (int i = 0; i < SIDE; i++)
        sum += exp(logp[i]) * step;
    ck_assert_msg(fabs(sum - 1) < 1e-4, "%g", sum);
    free(grid);
    free(logp);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Finite far away too. */
START_TEST(gradients)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], logp[N], grad[2 * N], shifted[2 * N], up[N], down[N];
    pairs(x, N, 1);
    gm_model *model = fit(ctx, "copula", x, N, 2, (const char *[]){"seed=2", marginals[_i], NULL});
    double h = 1e-6, far[][2] = {{60, 1}, {1, -3000}, {-2e4, 1e5}};
    memcpy(x, far, sizeof far);
    gm_array in = case_array(GM_F64, x, N, 2), g = case_array(GM_F64, grad, N, 2);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &in, NULL, NULL, logp, &g));
    for (int j = 0; j < 2; j++) {
        for (int i = 0; i < 2 * N; i++)
            shifted[i] = x[i] + (i % 2 == j ? h : 0);
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, shifted, N, 0, NULL, up));
        for (int i = 0; i < 2 * N; i++)
            shifted[i] = x[i] - (i % 2 == j ? h : 0);
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, shifted, N, 0, NULL, down));
        int wrong = 0;
        for (int i = 3; i < N; i++) /* a knot's bend jumps */
            wrong += fabs(grad[2 * i + j] - (up[i] - down[i]) / (2 * h)) >
                     1e-4 * (1 + fabs(grad[2 * i + j]));
        must_msg(wrong <= (_i == 0 ? 130 : 0), "%d", wrong);
    }
    for (int i = 0; i < 3; i++)
        must(logp[i] - logp[i] == 0 && grad[2 * i] - grad[2 * i] == 0 &&
             grad[2 * i + 1] - grad[2 * i + 1] == 0);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* log p(x, y) = log p(x) + log p(y | x); and each column's own law fills the unit interval evenly.
 */
START_TEST(laws)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], logp[N], first[N], second[N], value[N], below[N], above[N];
    int tenth[10] = {0};
    pairs(x, N, 1);
    gm_model *model = fit(ctx, "copula", x, N, 2, (const char *[]){"seed=1", marginals[_i], NULL});
    gm_array in = case_array(GM_F64, x, N, 2);
    gm_conditional *c;
    const unsigned char none[2] = {0}, one[2] = {1, 0};
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, logp));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    for (int i = 0; i < N; i++)
        value[i] = x[2 * i];
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, none, 0));
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, N, value, first));
    test_ok(ctx, gm_conditional_cdf(ctx, c, 0, N, value, below, above));
    for (int i = 0; i < N; i++) {
        must(fabs(below[i] + above[i] - 1) < 1e-14);
        tenth[below[i] < 1 ? (int)(10 * below[i]) : 9]++;
    }
    for (int i = 0; i < 10 && _i != 1; i++)
        must_msg(abs(tenth[i] - N / 10) < 16, "%d: %d", i, tenth[i]);
    for (int i = 0; i < N; i++)
        value[i] = x[2 * i + 1];
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, one, 1));
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, N, value, second));
    for (int i = 0; i < N; i++)
        must(fabs(logp[i] - first[i] - second[i]) < 1e-9);
    gm_conditional_free(c);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Categories ------------------------------------------------------------------------------ */

/* Three scores of one correlation rho, cut into 2, 3 and 4 categories; the last may stay real. */
static gm_dataset *cut_scores(gm_context *ctx, double rho, int n, int real)
{
    char *csv = malloc((size_t)n * 40 + 40);
    uint64_t state = 5;
    size_t at = (size_t)sprintf(csv, "a,b,c\n");
    for (int i = 0; i < n; i++) {
        double common = case_normal(&state), z[3];
        for (int j = 0; j < 3; j++)
            z[j] = sqrt(rho) * common + sqrt(1 - rho) * case_normal(&state);
        at += (size_t)sprintf(csv + at, "%c,%c,", z[0] < 0.3 ? 'p' : 'q',
                              z[1] < -0.5  ? 'p'
                              : z[1] < 0.5 ? 'q'
                                           : 'r');
        if (real)
            at += (size_t)sprintf(csv + at, "%.6f\n", 3 + 2 * z[2]);
        else
            at += (size_t)sprintf(csv + at, "%c\n", 'p' + (z[2] > -1) + (z[2] > 0) + (z[2] > 1));
    }
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "c.csv", NULL, &rows));
    free(csv);
    return rows;
}

/* Cuts do not weaken the correlation that is found; the estimates of all cells add up to 1. */
START_TEST(categories)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = cut_scores(ctx, 0.6, 3000, 0);
    gm_model *model = fit_family(ctx, "copula", rows, (const char *[]){"seed=1", NULL});
    const double *r = tensor(model, "correlation");
    double x[24 * 3], logp[24], bound[24], error[24], cells[3000 * 3], seen[24] = {0}, sum = 0;
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_LOWER_BOUND);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < a; b++)
            must_msg(fabs(r[3 * a + b] - 0.6) < 0.06, "%d %d: %g", a, b, r[3 * a + b]);
    for (int i = 0; i < 24; i++) {
        x[3 * i] = i % 2;
        x[3 * i + 1] = (double)(i / 2 % 3);
        x[3 * i + 2] = (double)(i / 6);
    }
    gm_array in = case_array(GM_F64, x, 24, 3);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", "kind=estimate", "draws=2000", NULL});
    test_ok(ctx, gm_model_log_prob(ctx, model, &in, NULL, how, logp, NULL));
    test_ok(ctx, gm_options_set_text(ctx, how, "kind", "bound"));
    test_ok(ctx, gm_model_log_prob(ctx, model, &in, NULL, how, bound, error));
    gm__dataset_rows(rows, NULL, 0, 3000, cells);
    for (int i = 0; i < 3000; i++)
        seen[(int)cells[3 * i] + 2 * (int)cells[3 * i + 1] + 6 * (int)cells[3 * i + 2]] += 1 / 3e3;
    for (int i = 0; i < 24; i++) {
        sum += exp(logp[i]);
        must(bound[i] < logp[i] + 4 * error[i]);
        must_msg(fabs(exp(logp[i]) - seen[i]) < 0.03, "%d: %g, seen %g", i, exp(logp[i]), seen[i]);
    }
    ck_assert_msg(fabs(sum - 1) < 0.01, "%g", sum);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A real column and two of categories: the gradient of one draw, and the exact law of one given the
 * real one. */
START_TEST(real_with_categories)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = cut_scores(ctx, 0.5, 500, 1);
    gm_model *model =
        fit_family(ctx, "copula", rows, (const char *[]){"seed=1", "marginals=mixture", NULL});
    double x[500 * 3], grad[500 * 3], logp[500], up[500], down[500], h = 1e-6;
    gm_options *how = case_options(ctx, (const char *[]){"seed=7", "draws=1", NULL});
    gm__dataset_rows(rows, NULL, 0, 500, x);
    gm_array in = case_array(GM_F64, x, 500, 3), g = case_array(GM_F64, grad, 500, 3);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &in, NULL, how, logp, &g));
    for (int i = 0; i < 500; i++)
        x[3 * i + 2] += h;
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 500, 0, how, up));
    for (int i = 0; i < 500; i++)
        x[3 * i + 2] -= 2 * h;
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 500, 0, how, down));
    for (int i = 0; i < 500; i++) {
        double rise = (up[i] - down[i]) / (2 * h);
        must_msg(fabs(grad[3 * i + 2] - rise) < 1e-5 * (1 + fabs(rise)), "%d: %g, not %g", i,
                 grad[3 * i + 2], rise);
        must(grad[3 * i] == 0 && grad[3 * i + 1] == 0);
    }
    gm_conditional *c;
    const unsigned char known[3] = {0, 0, 1};
    double law[500], sum[500] = {0}, below[500];
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, known, 1));
    double value[500];
    for (int v = 0; v < 3; v++) {
        for (int i = 0; i < 500; i++)
            value[i] = v;
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 500, value, law));
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 500, value, below, NULL));
        for (int i = 0; i < 500; i++) {
            sum[i] += exp(law[i]);
            must(fabs(below[i] - sum[i]) < 1e-13);
        }
    }
    for (int i = 0; i < 500; i++)
        must(fabs(sum[i] - 1) < 1e-13);
    gm_conditional_free(c);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Columns that are constant, that repeat, and that are each other. */
START_TEST(degenerate)
{
    gm_context *ctx = test_context(NULL);
    double x[60 * 4], logp[60];
    for (int i = 0; i < 60; i++) {
        x[4 * i] = i % 3;
        x[4 * i + 1] = 7;
        x[4 * i + 2] = i % 3;
        x[4 * i + 3] = i == 0 ? 1 : 0;
    }
    gm_model *model = fit(ctx, "copula", x, 60, 4, (const char *[]){"seed=1", marginals[_i], NULL});
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 60, 0, NULL, logp));
    for (int i = 0; i < 60; i++)
        must(logp[i] - logp[i] == 0);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Few rows on a line: n of them are shrunk by a row more without correlation, 1 / (n + 1). */
START_TEST(few_rows)
{
    gm_context *ctx = test_context(NULL);
    double x[3 * 2] = {1, -2, 2, -4, 4, -8};
    int n = 2 + _i;
    gm_model *model =
        fit(ctx, "copula", x, n, 2, (const char *[]){"seed=1", "marginals=normal", NULL});
    double rho = tensor(model, "correlation")[1];
    ck_assert_msg(fabs(rho + n / (n + 1.0)) < 1e-9, "%g", rho);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Far from the rows and between modes that lie apart decode still undoes encode, and rises. */
START_TEST(far_modes)
{
    enum { FAR = 601 };
    gm_context *ctx = test_context(NULL);
    double x[N], z[FAR], y[FAR], back[FAR];
    uint64_t state = 5;
    for (int i = 0; i < N; i++)
        x[i] = case_normal(&state) + (i % 2 ? 1e4 : 0);
    for (int i = 0; i < FAR; i++)
        z[i] = (i - FAR / 2) * 0.1;
    gm_model *model =
        fit(ctx, "copula", x, N, 1,
            (const char *[]){"seed=1", _i ? "marginals=kde" : "marginals=mixture", NULL});
    gm_array az = case_array(GM_F64, z, FAR, 1), ay = case_array(GM_F64, y, FAR, 1);
    gm_array ab = case_array(GM_F64, back, FAR, 1);
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &ay));
    test_ok(ctx, gm_model_encode(ctx, model, &ay, NULL, NULL, &ab));
    for (int i = 0; i < FAR; i++) {
        must_msg(!i || y[i] > y[i - 1], "decode falls at %g", z[i]);
        must_msg(fabs(back[i] - z[i]) < 1e-6 * (1 + fabs(z[i])) || i == FAR / 2,
                 "%g gives %g, and %g", z[i], y[i], back[i]);
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A fit keeps no rows that another could go on from. */
START_TEST(nothing_to_go_on_from)
{
    gm_context *ctx = test_context(NULL);
    double x[60 * 2];
    gm_dataset *rows;
    gm_model *next = NULL;
    pairs(x, 60, 0);
    gm_model *model = fit(ctx, "copula", x, 60, 2, (const char *[]){"seed=1", NULL});
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 60, 2, 0, &rows));
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", NULL});
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .options = how, .init = model};
    ck_assert_int_eq(gm_fit_with(ctx, "copula", &config, &next), GM_E_UNSUPPORTED);
    ck_assert_ptr_null(next);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Bits, weights and memory ---------------------------------------------------------------- */

START_TEST(same_bits)
{
    double first[ROWS + 80], now[ROWS + 80];
    for (int machine = 0; machine < (test_quick() ? 4 : 6); machine++) {
        const gm__kernels *kernels = gm__kernels_at(machine / 2);
        int threads = machine % 2 ? 3 : 1;
        if (!kernels)
            break;
        gm_context *ctx = test_context(NULL);
        test_ok(ctx, gm_context_set_text(ctx, "kernels", kernels->name));
        test_ok(ctx, gm_context_set_int(ctx, "threads", threads));
        gm_dataset *rows = mixed_rows(ctx);
        gm_model *model =
            fit_family(ctx, "copula", rows, (const char *[]){"seed=1", marginals[_i], NULL});
        gm_options *how = case_options(ctx, (const char *[]){"seed=3", "draws=2", NULL});
        test_sink file = bytes_of(ctx, model);
        gm_model *again;
        test_ok(ctx, gm_model_load_memory(ctx, file.data, file.size, &again));
        test_ok(ctx, gm_model_log_prob_rows(ctx, again, rows, NULL, how, now, NULL));
        test_ok(ctx, gm_model_sample_f64(ctx, model, 20, NULL, how, now + ROWS));
        if (machine == 0)
            memcpy(first, now, sizeof now);
        ck_assert_msg(!memcmp(first, now, sizeof now), "%s, machine %d", kernels->name, machine);
        test_sink_clear(&file);
        gm_model_free(again);
        gm_options_free(how);
        gm_model_free(model);
        gm_dataset_free(rows);
        gm_context_free(ctx);
    }
}
END_TEST

/* A row of weight 2 is the row twice, but for what shrinkage makes of the number of rows. */
START_TEST(row_weights)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], once[3 * N], twice[4 * N], a[N], b[N];
    int n = 0;
    pairs(x, N, 1);
    for (int i = 0; i < N; i++) {
        memcpy(once + 3 * i, x + 2 * i, 2 * sizeof *x);
        once[3 * i + 2] = 1 + i % 2;
        for (int copy = 0; copy <= i % 2; copy++, n++)
            memcpy(twice + 2 * n, x + 2 * i, 2 * sizeof *x);
    }
    gm_dataset *rows, *weighted;
    test_ok(ctx, gm_dataset_from_f64(ctx, once, N, 3, 0, &rows));
    test_ok(ctx, gm_dataset_with_role(ctx, rows, 2, GM_ROLE_WEIGHT, &weighted));
    const char *how[] = {"seed=1", "marginals=normal", "shrinkage=0.01", NULL};
    gm_model *one = fit_family(ctx, "copula", weighted, how),
             *two = fit(ctx, "copula", twice, n, 2, how);
    test_ok(ctx, gm_model_log_prob_f64(ctx, one, x, N, 0, NULL, a));
    test_ok(ctx, gm_model_log_prob_f64(ctx, two, x, N, 0, NULL, b));
    for (int i = 0; i < N; i++)
        must(fabs(a[i] - b[i]) < 1e-9 * (1 + fabs(b[i])));
    gm_model_free(one);
    gm_model_free(two);
    gm_dataset_free(rows);
    gm_dataset_free(weighted);
    gm_context_free(ctx);
}
END_TEST

static gm_status whole_life(const gm_allocator *a, void *arg)
{
    double row[4] = {0.1, 3, 1, 2}, logp, z[4];
    gm_context_config config = {.struct_size = sizeof config, .allocator = a};
    gm_context *ctx = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    gm_conditional *law = NULL;
    gm_array in = case_array(GM_F64, row, 1, 4), code_of = case_array(GM_F64, z, 1, 4);
    const unsigned char known[4] = {1, 0, 1, 0};
    gm_status code = gm_context_create(&config, &ctx);
    code = code ? code : gm_options_create(ctx, &how);
    code = code ? code : gm_options_set_text(ctx, how, "seed", "3");
    code = code ? code : gm_options_set_text(ctx, how, "marginals", "kde");
    code = code ? code : gm_fit(ctx, "copula", arg, how, &model);
    code = code ? code : gm_model_log_prob_f64(ctx, model, row, 1, 0, how, &logp);
    code = code ? code : gm_model_encode(ctx, model, &in, NULL, NULL, &code_of);
    code = code ? code : gm_model_decode(ctx, model, &code_of, NULL, NULL, &in);
    code = code ? code : gm_model_sample_f64(ctx, model, 1, NULL, how, row);
    code = code ? code : gm_conditional_create(ctx, model, NULL, &law);
    row[2] = 1;
    code = code ? code : gm_conditional_set(ctx, law, &in, NULL, known, 3);
    gm_conditional_free(law);
    gm_model_free(model);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    ck_assert_int_gt(test_every_failure(whole_life, rows, test_quick() ? 30 : 0), 30);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("copula");
    TCase *t = tcase_create("copula");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, normal_marginals);
    tcase_add_loop_test(t, known_copula, 0, 4);
    tcase_add_loop_test(t, integrates_to_one, 1, 4);
    tcase_add_loop_test(t, one_column, 0, 4);
    tcase_add_loop_test(t, gradients, 0, 4);
    tcase_add_loop_test(t, laws, 0, 4);
    tcase_add_test(t, categories);
    tcase_add_test(t, real_with_categories);
    tcase_add_loop_test(t, degenerate, 0, 4);
    tcase_add_loop_test(t, few_rows, 0, 2);
    tcase_add_loop_test(t, far_modes, 0, 2);
    tcase_add_test(t, nothing_to_go_on_from);
    tcase_add_loop_test(t, same_bits, 0, 4);
    tcase_add_test(t, row_weights);
    tcase_add_test(t, every_allocation);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
