/* The flow against its own inverse, its autodiff Jacobian, integrals and known densities. */
#include "flow_jacobian.h"

static const char *const couplings[] = {"coupling=nsf", "coupling=realnvp"};
static const char *const mixings[] = {"mixing=lu", "mixing=permutation", "mixing=swap"};

/* ---- Inverse --------------------------------------------------------------------------------- */

#define ROWS 4000
#define D 5

/* The first half are fresh rows of the data's own kind, the others of any size up to 1e6. */
static void near_and_far_rows(double *x)
{
    uint64_t state = 5;
    double *fresh = case_cloud(ROWS / 2, D, 77);
    memcpy(x, fresh, ROWS / 2 * D * sizeof *x);
    free(fresh);
    for (int i = ROWS / 2; i < ROWS; i++) {
        double scale = pow(10, test_uniform(&state, -3, 6));
        for (int j = 0; j < D; j++)
            x[i * D + j] = fmin(fmax(scale * case_normal(&state), -1e6), 1e6);
    }
}

/* |a - b| of row i over max(1, |b|), lengths of rows. */
static double row_error(const double *a, const double *b, int i)
{
    double difference = 0, length = 0;
    for (int j = i * D; j < (i + 1) * D; j++) {
        difference += (a[j] - b[j]) * (a[j] - b[j]);
        length += b[j] * b[j];
    }
    return sqrt(difference) / fmax(1, sqrt(length));
}

static void check_inverse(gm_context *ctx, const gm_model *model, double z_bound, double x_bound)
{
    static double x[ROWS * D], z[ROWS * D], back[ROWS * D], again[ROWS * D];
    near_and_far_rows(x);
    gm_array ax = case_array(GM_F64, x, ROWS, D), az = case_array(GM_F64, z, ROWS, D);
    gm_array ab = case_array(GM_F64, back, ROWS, D), aa = case_array(GM_F64, again, ROWS, D);
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, NULL, &az));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &ab));
    test_ok(ctx, gm_model_encode(ctx, model, &ab, NULL, NULL, &aa));
    int lost = 0;
    for (int i = 0; i < ROWS; i++) {
        ck_assert_msg(row_error(again, z, i) <= z_bound, "row %d: z came back %g off", i,
                      row_error(again, z, i));
        lost += i < ROWS / 2 && row_error(back, x, i) > x_bound;
    }
    ck_assert_msg(lost <= ROWS / 2 / 1000, "%d rows of %d did not come back", lost, ROWS / 2);
}

static void inverse_of(const char *coupling, const char *mixing, const char *precision,
                       double z_bound, double x_bound)
{
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(2000, D, 1);
    const char *settings[] = {"seed=1",  "steps=150", "layers=5", "hidden=32,32", "batch=200",
                              "start=1", coupling,    mixing,     precision,      NULL};
    gm_model *model = case_fit(ctx, data, 2000, D, settings);
    check_inverse(ctx, model, z_bound, x_bound);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}

START_TEST(inverse_f32)
{
    inverse_of(couplings[_i / 3], mixings[_i % 3], "precision=f32", 2e-5, 1e-4);
}
END_TEST

START_TEST(inverse_f64)
{
    inverse_of(couplings[_i / 3], mixings[_i % 3], "precision=f64", 1e-9, 1e-9);
}
END_TEST

/* ---- Jacobian -------------------------------------------------------------------------------- */

static void log_det_of(const char *coupling, const char *mixing, const char *precision,
                       gm__real real, double bound)
{
    enum { N = 40 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(2000, D, 2), logp[N], z[N * D], jac[N * D * D];
    const char *settings[] = {"seed=3",  "steps=100", "layers=4", "hidden=32", "transform=none",
                              "start=1", coupling,    mixing,     precision,   NULL};
    gm_model *model = case_fit(ctx, data, 2000, D, settings);
    gm_options *how = NULL;
    test_ok(ctx, gm_options_create(ctx, &how));
    test_ok(ctx, gm_options_set_text(ctx, how, "precision", "model"));
    gm_array ax = case_array(GM_F64, data, N, D), az = case_array(GM_F64, z, N, D);
    float narrow[N * D];
    for (int i = 0; i < N * D; i++) {
        narrow[i] = (float)data[i];
        if (real == GM__F32)
            data[i] = narrow[i];
    }
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, NULL, logp, NULL));
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, how, &az));
    jacobian(ctx, model, real, N, real == GM__F64 ? (void *)data : narrow, jac);
    for (int i = 0; i < N; i++) {
        double base = -0.5 * D * log(2 * 3.14159265358979323846),
               det = log_abs_det(jac + i * D * D, D);
        for (int j = 0; j < D; j++)
            base -= 0.5 * z[i * D + j] * z[i * D + j];
        ck_assert_msg(fabs(logp[i] - base - det) <= bound,
                      "row %d: log det %.12g, by its Jacobian %.12g", i, logp[i] - base, det);
    }
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}

START_TEST(log_det_f64)
{
    log_det_of(couplings[_i / 3], mixings[_i % 3], "precision=f64", GM__F64, 1e-9);
}
END_TEST

START_TEST(log_det_f32)
{
    log_det_of(couplings[_i / 3], mixings[_i % 3], "precision=f32", GM__F32, 1e-4 * D);
}
END_TEST

/* The gradient of log p in x by central differences, in the user's units. */
START_TEST(gradient_in_x)
{
    enum { N = 10 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(2000, D, 4), grad[N * D], logp[N], up[N], down[N], moved[N * D];
    const char *settings[] = {"seed=3",       "steps=60",      "layers=3",
                              "hidden=16",    "precision=f64", "transform=quantile",
                              "base=student", couplings[_i],   NULL};
    gm_model *model = case_fit(ctx, data, 2000, D, settings);
    for (int i = 0; i < N * D; i++)
        data[i] += 1e-3; /* off the knots of the quantile map, where the density jumps */
    gm_array ax = case_array(GM_F64, data, N, D), ag = case_array(GM_F64, grad, N, D);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &ax, NULL, NULL, logp, &ag));
    for (int j = 0; j < D; j++) {
        const double h = 1e-6;
        memcpy(moved, data, sizeof moved);
        for (int i = 0; i < N; i++)
            moved[i * D + j] += h;
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, moved, N, 0, NULL, up));
        for (int i = 0; i < N; i++)
            moved[i * D + j] -= 2 * h;
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, moved, N, 0, NULL, down));
        for (int i = 0; i < N; i++)
            ck_assert_msg(test_close(grad[i * D + j], (up[i] - down[i]) / (2 * h), 1e-4, 1e-4),
                          "row %d column %d: %g, by differences %g", i, j, grad[i * D + j],
                          (up[i] - down[i]) / (2 * h));
    }
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* ---- Densities ------------------------------------------------------------------------------- */

START_TEST(integrates_to_one)
{
    enum { SIDE = 400 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(4000, 2, 7), low = -12, high = 16, step = (high - low) / SIDE,
           sum = 0;
    const char *settings[] = {"seed=1",       "steps=400",   "layers=4",
                              "hidden=32,32", couplings[_i], NULL};
    gm_model *model = case_fit(ctx, data, 4000, 2, settings);
    for (int i = 0; i < SIDE; i++) {
        double row[SIDE * 2], logp[SIDE];
        for (int j = 0; j < SIDE; j++) {
            row[2 * j] = low + (i + 0.5) * step;
            row[2 * j + 1] = low + (j + 0.5) * step;
        }
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, row, SIDE, 0, NULL, logp));
        for (int j = 0; j < SIDE; j++)
            sum += exp(logp[j]) * step * step;
    }
    ck_assert_msg(fabs(sum - 1) < 0.005, "the density integrates to %g", sum);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* The mean of q(x) / g(x) over draws of a wide g is 1. g: independent Student-t with 3 degrees of
 * freedom, scaled. */
static const int dims[] = {2, 5, 10};
START_TEST(importance_integral)
{
    enum { N = 20000 };
    int d = dims[_i];
    gm_context *ctx = test_context(NULL);
    double *data = malloc((size_t)(4000 * d) * sizeof *data),
           *x = malloc((size_t)(N * d) * sizeof *x);
    double *logp = malloc(N * sizeof *logp), *logg = malloc(N * sizeof *logg), sum = 0, squares = 0;
    uint64_t state = 11;
    for (int i = 0; i < 4000; i++) {
        double a = case_normal(&state);
        for (int j = 0; j < d; j++)
            data[i * d + j] = 0.6 * a * (j % 2 ? 1 : -1) + 0.8 * case_normal(&state);
    }
    const char *settings[] = {"seed=1", "steps=250", "layers=3", "hidden=32", NULL};
    gm_model *model = case_fit(ctx, data, 4000, d, settings);
    for (int i = 0; i < N; i++) {
        logg[i] = 0;
        for (int j = 0; j < d; j++) {
            double e = case_normal(&state), chi = 0, scale = 1.3;
            for (int k = 0; k < 3; k++)
                chi += pow(case_normal(&state), 2);
            double t = e / sqrt(chi / 3);
            x[i * d + j] = scale * t;
            logg[i] += lgamma(2) - lgamma(1.5) - 0.5 * log(3 * 3.14159265358979) -
                       2 * log1p(t * t / 3) - log(scale);
        }
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, logp));
    for (int i = 0; i < N; i++) {
        double w = exp(logp[i] - logg[i]);
        sum += w;
        squares += w * w;
    }
    double mean = sum / N, error = sqrt((squares / N - mean * mean) / N);
    ck_assert_msg(error < 0.1 && fabs(mean - 1) < 3 * error, "d = %d: %g, standard error %g", d,
                  mean, error);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
    free(x);
    free(logp);
    free(logg);
}
END_TEST

/* Trained on a known Gaussian, fresh rows are no more probable than under the truth, and not much
 * less. */
START_TEST(known_gaussian)
{
    enum { N = 5000, d = 3 };
    gm_context *ctx = test_context(NULL);
    static double x[2 * N * d];
    double logp[N], sum = 0, squares = 0;
    uint64_t state = 3;
    for (int i = 0; i < 2 * N; i++) {
        double e[d];
        for (int j = 0; j < d; j++)
            e[j] = case_normal(&state);
        x[i * d] = 2 * e[0] + 1;
        x[i * d + 1] = e[0] + 0.5 * e[1];
        x[i * d + 2] = -e[0] + e[1] + 3 * e[2];
    }
    const char *settings[] = {"seed=1", "steps=600", "layers=3", "hidden=32", couplings[_i], NULL};
    gm_model *model = case_fit(ctx, x, N, d, settings);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x + N * d, N, 0, NULL, logp));
    for (int i = 0; i < N; i++) {
        const double *r = x + (N + i) * d;
        double a = (r[0] - 1) / 2, b = (r[1] - a) / 0.5, c = (r[2] + a - b) / 3;
        double truth =
            -0.5 * (a * a + b * b + c * c) - 1.5 * log(2 * 3.14159265358979) - log(2 * 0.5 * 3);
        sum += logp[i] - truth;
        squares += (logp[i] - truth) * (logp[i] - truth);
    }
    double mean = sum / N, error = sqrt((squares / N - mean * mean) / N);
    ck_assert_msg(mean <= 3 * error && mean > -0.1, "mean log q - log p is %g, standard error %g",
                  mean, error);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A column times 1024: the same weights, and every log density log 1024 lower. */
START_TEST(scaled_column)
{
    enum { N = 500, d = 3 };
    gm_context *ctx = test_context(NULL);
    double *a = case_cloud(N, d, 9), *b = case_cloud(N, d, 9), la[N], lb[N];
    for (int i = 0; i < N; i++)
        b[i * d + 1] *= 1024;
    const char *plain[] = {"seed=4", "steps=50", "layers=3", "hidden=16", NULL};
    const char *white[] = {"seed=4", "steps=50", "layers=3", "hidden=16", "whiten=1", NULL};
    gm_model *ma = case_fit(ctx, a, N, d, _i ? white : plain),
             *mb = case_fit(ctx, b, N, d, _i ? white : plain);
    ck_assert_int_eq(ma->structure->layout.size, mb->structure->layout.size);
    ck_assert_msg(memcmp(ma->params, mb->params, (size_t)ma->structure->layout.size * 4) == 0,
                  "the weights differ");
    test_ok(ctx, gm_model_log_prob_f64(ctx, ma, a, N, 0, NULL, la));
    test_ok(ctx, gm_model_log_prob_f64(ctx, mb, b, N, 0, NULL, lb));
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(la[i] - lb[i] - log(1024)) < 1e-9, "row %d: %.12g and %.12g", i, la[i],
                      lb[i]);
    gm_model_free(ma);
    gm_model_free(mb);
    gm_context_free(ctx);
    free(a);
    free(b);
}
END_TEST

START_TEST(log_densities_beside_samples)
{
    enum { N = 300, d = 4 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(1000, d, 9), x[N * d], beside[N], after[N];
    const char *settings[] = {"seed=4", "steps=80", "layers=3", "hidden=16", couplings[_i], NULL};
    gm_model *model = case_fit(ctx, data, 1000, d, settings);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", NULL});
    gm_array ax = case_array(GM_F64, x, N, d);
    test_ok(ctx, gm_model_sample(ctx, model, N, NULL, how, &ax, beside));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, after));
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(beside[i] - after[i]) < 1e-4, "row %d: %g and %g", i, beside[i],
                      after[i]);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* ---- Discrete columns ------------------------------------------------------------------------ */

#define MIXED_ROWS 3000

/* real, integer, binary, category of 4, the later ones depending on the earlier. */
static gm_dataset *mixed_rows(gm_context *ctx)
{
    static const char csv_head[] = "size,count,flag,kind\n";
    static const char *const kinds[] = {"ash", "beech", "cedar", "dogwood"};
    char *csv = malloc(MIXED_ROWS * 64 + 64);
    size_t at = (size_t)sprintf(csv, "%s", csv_head);
    uint64_t state = 21;
    for (int i = 0; i < MIXED_ROWS; i++) {
        double size = case_normal(&state);
        int flag = test_uniform(&state, 0, 1) < (size > 0 ? 0.8 : 0.3),
            count = (int)floor(test_uniform(&state, 0, flag ? 7 : 4));
        double u = test_uniform(&state, 0, 1);
        int kind = u < 0.5 ? 0 : u < 0.75 ? 1 : u < 0.95 ? 2 : 3;
        at += (size_t)sprintf(csv + at, "%.17g,%d,%d,%s\n", size, count, flag,
                              kinds[flag ? kind : 3 - kind]);
    }
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "trees.csv", NULL, &rows));
    free(csv);
    return rows;
}

static void count_kinds(gm_context *ctx, const gm_dataset *rows, double share[4], double *flags,
                        double *mean_count)
{
    int64_t n = gm_dataset_row_count(rows);
    double *x = malloc((size_t)(n * 4) * sizeof *x);
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, n, x, 0));
    memset(share, 0, 4 * sizeof *share);
    *flags = *mean_count = 0;
    for (int64_t i = 0; i < n; i++) {
        share[(int)x[i * 4 + 3]] += 1.0 / (double)n;
        *flags += x[i * 4 + 2] / (double)n;
        *mean_count += x[i * 4 + 1] / (double)n;
        ck_assert(x[i * 4 + 1] == floor(x[i * 4 + 1]));
    }
    free(x);
}

START_TEST(categories_come_back)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx), *drawn;
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "steps=800", "layers=4",
                                                         "hidden=64,64", couplings[_i], NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_LOWER_BOUND);
    test_ok(ctx, gm_model_sample_rows(ctx, model, 20000, NULL, how, &drawn));
    double share[4], share_drawn[4], flags, flags_drawn, count, count_drawn;
    count_kinds(ctx, rows, share, &flags, &count);
    count_kinds(ctx, drawn, share_drawn, &flags_drawn, &count_drawn);
    for (int k = 0; k < 4; k++)
        ck_assert_msg(fabs(share[k] - share_drawn[k]) < 0.04,
                      "kind %d: %g of the data, %g of the draws", k, share[k], share_drawn[k]);
    ck_assert_msg(fabs(flags - flags_drawn) < 0.04, "flags: %g of the data, %g of the draws", flags,
                  flags_drawn);
    ck_assert_msg(fabs(count - count_drawn) < 0.2, "counts: mean %g of the data, %g of the draws",
                  count, count_drawn);
    gm_dataset_free(drawn);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Over a single category column of known proportions: the estimate from many draws is near log P,
 * and the bound lies under it. */
START_TEST(bound_of_categories)
{
    enum { N = 4000 };
    gm_context *ctx = test_context(NULL);
    static double x[N], logp[3], error[3], bound[3];
    static const double truth[3] = {0.6, 0.3, 0.1};
    for (int i = 0; i < N; i++)
        x[i] = i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
    gm_dataset *numbers, *rows;
    gm_model *model;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 1, 0, &numbers));
    test_ok(ctx, gm_dataset_with_type(ctx, numbers, 0, GM_COLUMN_CATEGORY, 0, &rows));
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=2000", "layers=3", "hidden=32", "draws=2000", NULL});
    gm_options *closer =
        case_options(ctx, (const char *[]){"seed=1", "draws=2000", "kind=estimate", NULL});
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    double asked[4] = {0, 1, 2, 7};
    gm_array ax = case_array(GM_F64, asked, 3, 1);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, bound, NULL));
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, closer, logp, error));
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        sum += exp(logp[k]);
        ck_assert_msg(bound[k] <= logp[k], "category %d: a bound of %g above %g", k, bound[k],
                      logp[k]);
        ck_assert_msg(fabs(logp[k] - log(truth[k])) < 0.1 + 3 * error[k],
                      "category %d: %g, truth %g", k, logp[k], log(truth[k]));
    }
    ck_assert_msg(sum < 1.03, "the probabilities sum to %g", sum);
    ax = case_array(GM_F64, asked + 3, 1, 1);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, NULL));
    ck_assert_msg(isinf(logp[0]) && logp[0] < 0, "a category never seen scores %g", logp[0]);
    gm_options_free(how);
    gm_options_free(closer);
    gm_dataset_free(numbers);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("flow");
    TCase *t = tcase_create("flow");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, inverse_f32, 0, test_quick() ? 2 : 6);
    tcase_add_loop_test(t, inverse_f64, 0, test_quick() ? 1 : 6);
    tcase_add_loop_test(t, log_det_f64, 0, 6);
    tcase_add_loop_test(t, log_det_f32, 0, test_quick() ? 2 : 6);
    tcase_add_loop_test(t, gradient_in_x, 0, 2);
    tcase_add_loop_test(t, integrates_to_one, 0, test_quick() ? 1 : 2);
    tcase_add_loop_test(t, importance_integral, 0, test_quick() ? 1 : 3);
    tcase_add_loop_test(t, known_gaussian, 0, test_quick() ? 1 : 2);
    tcase_add_loop_test(t, scaled_column, 0, 2);
    tcase_add_loop_test(t, log_densities_beside_samples, 0, 2);
    tcase_add_loop_test(t, categories_come_back, 0, test_quick() ? 1 : 2);
    tcase_add_test(t, bound_of_categories);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
