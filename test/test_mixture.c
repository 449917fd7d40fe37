/* Gaussian mixtures, against scikit-learn's figures, closed forms, enumeration and identities. */
#include "genmod/conditional.h"
#include "model_cases.h"

#define LOG_TWO_PI 1.8378770664093455
#define N 300

/* Three leaning clouds in a plane. */
static void clouds(double *x)
{
    uint64_t state = 17;
    for (int i = 0; i < N; i++) {
        int k = (int)(test_random(&state) % 3);
        double a = case_normal(&state), b = case_normal(&state);
        x[2 * i] = (double[]){-3, 0, 4}[k] + a;
        x[2 * i + 1] = (double[]){0, 3, -1}[k] + 0.5 * b + (double[]){-0.8, 0.3, 0}[k] * a;
    }
}

static gm_model *fit_rows(gm_context *ctx, const gm_dataset *rows, const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "mixture", rows, how, &model));
    gm_options_free(how);
    return model;
}

static gm_model *fit(gm_context *ctx, const double *x, int64_t n, int64_t d,
                     const char *const *settings)
{
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    gm_model *model = fit_rows(ctx, rows, settings);
    gm_dataset_free(rows);
    return model;
}

static double mean_logp(gm_context *ctx, const gm_model *model, const double *x, int64_t n)
{
    double *logp = malloc((size_t)n * sizeof *logp), sum = 0;
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, n, 0, NULL, logp));
    for (int64_t i = 0; i < n; i++)
        sum += logp[i] / (double)n;
    free(logp);
    return sum;
}

static const double *tensor(const gm_model *model, const char *name)
{
    const double *t = gm_tensors_get(model->tensors, name, NULL, NULL);
    ck_assert_msg(t != NULL, "there is no '%s'", name);
    return t;
}

static const char *const covariances[] = {"covariance=full", "covariance=tied",
                                          "covariance=diagonal", "covariance=spherical"};

/* ---- Another program ------------------------------------------------------------------------- */

/* scikit-learn 1.2.1, GaussianMixture(3, covariance_type=..., tol=1e-13, max_iter=10000, n_init=5,
 * reg_covar=0) on the same rows: score and score_samples at (0.5, 1). */
START_TEST(another_program)
{
    static const double score[] = {-3.212038632330, -3.566886453824, -3.493028836506,
                                   -3.647160820024},
                        at[] = {-10.634668286774, -6.543004930293, -8.266409179804,
                                -6.339261376206};
    gm_context *ctx = test_context(NULL);
    double x[2 * N], point[2] = {0.5, 1};
    clouds(x);
    gm_model *model = fit(ctx, x, N, 2,
                          (const char *[]){"seed=3", "components=3", covariances[_i], "tolerance=0",
                                           "iterations=3000", "transform=none", NULL});
    ck_assert(fabs(mean_logp(ctx, model, x, N) - score[_i]) < 1e-9);
    ck_assert(fabs(mean_logp(ctx, model, point, 1) - at[_i]) < 1e-5);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Closed forms ---------------------------------------------------------------------------- */

/* One component is the sample's own normal distribution. */
START_TEST(one_component)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], m[2] = {0}, s[3] = {0};
    clouds(x);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 2; j++)
            m[j] += x[2 * i + j] / N;
    for (int i = 0; i < N; i++) {
        double a = x[2 * i] - m[0], b = x[2 * i + 1] - m[1];
        s[0] += a * a / N;
        s[1] += a * b / N;
        s[2] += b * b / N;
    }
    double det = s[0] * s[2] - s[1] * s[1];
    gm_model *model = fit(ctx, x, N, 2, (const char *[]){"seed=1", "components=1", NULL});
    for (int i = 0; i < N; i += 7) {
        double a = x[2 * i] - m[0], b = x[2 * i + 1] - m[1];
        double q = (s[2] * a * a - 2 * s[1] * a * b + s[0] * b * b) / det;
        must(fabs(mean_logp(ctx, model, x + 2 * i, 1) + q / 2 + log(det) / 2 + LOG_TWO_PI) < 1e-11);
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* log p from the tensors, one component after another. */
static double by_hand(const gm_model *model, int way, const double *x, int64_t d)
{
    const double *weight = tensor(model, "weight"), *mean = tensor(model, "mean");
    const double *factor = tensor(model, way < 2 ? "factor" : "deviation");
    int64_t count = gm_model_code_count(model);
    double sum = 0;
    for (int64_t k = 0; k < count; k++) {
        double z[4], q = 0, log_det = 0;
        for (int64_t i = 0; i < d; i++) {
            const double *row = factor + (way == 0 ? k * d * d : 0) + i * d;
            double s = way == 2 ? factor[k * d + i] : way == 3 ? factor[k] : row[i];
            z[i] = x[i] - mean[k * d + i];
            for (int64_t j = 0; way < 2 && j < i; j++)
                z[i] -= row[j] * z[j];
            z[i] /= s;
            q += z[i] * z[i];
            log_det += log(s);
        }
        sum += exp(log(weight[k]) - q / 2 - log_det - LOG_TWO_PI * (double)d / 2);
    }
    return log(sum);
}

START_TEST(density_and_gradient)
{
    gm_context *ctx = test_context(NULL);
    double *x = case_cloud(200, 3, 9);
    gm_model *model =
        fit(ctx, x, 200, 3,
            (const char *[]){"seed=2", "components=4", covariances[_i], "transform=none", NULL});
    double logp[200], grad[600], z[800];
    gm_array in = case_array(GM_F64, x, 200, 3), g = case_array(GM_F64, grad, 200, 3),
             code = case_array(GM_F64, z, 200, 4);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &in, NULL, NULL, logp, &g));
    test_ok(ctx, gm_model_encode(ctx, model, &in, NULL, NULL, &code));
    for (int i = 0; i < 200; i++) {
        must(fabs(logp[i] - by_hand(model, _i, x + 3 * i, 3)) < 1e-10);
        must(fabs(z[4 * i] + z[4 * i + 1] + z[4 * i + 2] + z[4 * i + 3] - 1) < 1e-14);
        for (int j = 0; j < 3; j++) {
            double a[3], b[3], h = 1e-5;
            memcpy(a, x + 3 * i, sizeof a);
            memcpy(b, a, sizeof b);
            a[j] += h;
            b[j] -= h;
            double rise = (by_hand(model, _i, a, 3) - by_hand(model, _i, b, 3)) / (2 * h);
            must(fabs(grad[3 * i + j] - rise) < 1e-6 * (1 + fabs(rise)));
        }
    }
    free(x);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(integrates_to_one)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], *grid = malloc(300 * 300 * 2 * sizeof *grid),
                     *logp = malloc(300 * 300 * sizeof *logp), sum = 0, step = 0.08;
    clouds(x);
    gm_model *model = fit(ctx, x, N, 2, (const char *[]){"seed=2", NULL});
    for (int i = 0; i < 300 * 300; i++) {
        grid[2 * i] = (i % 300 - 150) * step;
        grid[2 * i + 1] = (double)(i / 300 - 150) * step;
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, grid, 300 * 300, 0, NULL, logp));
    for (int i = 0; i < 300 * 300; i++)
        sum += exp(logp[i]) * step * step;
    ck_assert_msg(fabs(sum - 1) < 1e-6, "%g", sum);
    free(grid);
    free(logp);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- EM -------------------------------------------------------------------------------------- */

START_TEST(never_falls)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], before = -INFINITY;
    clouds(x);
    for (int i = 0; i < N / 3; i++) { /* a clump that asks for the floor */
        x[2 * i] = 1;
        x[2 * i + 1] = 1 + 1e-9 * i;
    }
    for (int most = 1; most < 30; most++) {
        char iterations[32];
        (void)sprintf(iterations, "iterations=%d", most);
        gm_model *model = fit(ctx, x, N, 2,
                              (const char *[]){"seed=5", "components=4", "restarts=1",
                                               "tolerance=0", iterations, covariances[_i], NULL});
        double now = mean_logp(ctx, model, x, N);
        must_msg(now >= before - 1e-11, "%d: %.15g after %.15g", most, now, before);
        before = now;
        gm_model_free(model);
    }
    gm_context_free(ctx);
}
END_TEST

/* Repeated rows, a constant column, more components than rows that differ. */
START_TEST(degenerate)
{
    test_log log = {0};
    gm_logger hook = test_log_hook(&log);
    gm_context_config config = {.struct_size = sizeof config, .logger = &hook};
    gm_context *ctx;
    double x[60 * 3], row[3] = {1, 7, 2}, logp;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    for (int i = 0; i < 60; i++) {
        x[3 * i] = i % 3;
        x[3 * i + 1] = 7;
        x[3 * i + 2] = 2 * (i % 3);
    }
    gm_model *model =
        fit(ctx, x, 60, 3,
            (const char *[]){"seed=1", "components=8", "floor=0.01", covariances[_i], NULL});
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, row, 1, 0, NULL, &logp));
    ck_assert(logp - logp == 0);
    ck_assert_int_gt(log.warnings, 0);
    ck_assert(strstr(log.last, "floor"));
    /* in standardised units no deviation is below a hundredth of the data's */
    const double *factor = tensor(model, _i < 2 ? "factor" : "deviation");
    if (_i == 0)
        for (int k = 0; k < 8; k++)
            ck_assert(factor[9 * k] > 0.0099 && factor[9 * k + 4] > 0.0099);
    if (_i > 1)
        for (int k = 0; k < (_i == 2 ? 24 : 8); k++)
            ck_assert(factor[k] > 0.0099);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(number_of_components)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N];
    gm_dataset *rows;
    gm_model *model;
    clouds(x);
    const char *criterion[][2] = {{"criterion=bic", "valid=0"},
                                  {"criterion=valid", "valid=0.3"},
                                  {"criterion=valid", "valid=0"}};
    model = fit(ctx, x, N, 2, (const char *[]){"seed=1", criterion[_i][0], criterion[_i][1], NULL});
    if (_i == 0)
        ck_assert_int_eq(gm_model_code_count(model), 3);
    else
        ck_assert(gm_model_code_count(model) >= 3 && gm_model_code_count(model) < 9);
    gm_model_free(model);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 2, 0, &rows));
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "components=301", NULL});
    test_fails(ctx, gm_fit(ctx, "mixture", rows, how, &model), GM_E_DATA, "301 components");
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A row of weight 2 is the row twice. */
START_TEST(row_weights)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], once[3 * N], twice[4 * N];
    int n = 0;
    clouds(x);
    for (int i = 0; i < N; i++) {
        memcpy(once + 3 * i, x + 2 * i, 2 * sizeof *x);
        once[3 * i + 2] = 1 + i % 2;
        for (int copy = 0; copy <= i % 2; copy++, n++)
            memcpy(twice + 2 * n, x + 2 * i, 2 * sizeof *x);
    }
    gm_dataset *rows, *weighted;
    test_ok(ctx, gm_dataset_from_f64(ctx, once, N, 3, 0, &rows));
    test_ok(ctx, gm_dataset_with_role(ctx, rows, 2, GM_ROLE_WEIGHT, &weighted));
    const char *how[] = {"seed=1",      _i ? "components=3" : "components=1",
                         "tolerance=0", "iterations=500",
                         "restarts=5",  NULL};
    gm_model *a = fit_rows(ctx, weighted, how), *b = fit(ctx, twice, n, 2, how);
    for (int i = 0; i < N; i += 11)
        must(fabs(mean_logp(ctx, a, x + 2 * i, 1) - mean_logp(ctx, b, x + 2 * i, 1)) < 1e-6);
    gm_model_free(a);
    gm_model_free(b);
    gm_dataset_free(rows);
    gm_dataset_free(weighted);
    gm_context_free(ctx);
}
END_TEST

/* ---- Categories ------------------------------------------------------------------------------ */

/* Two classes of three columns, of 2, 3 and 4 values. */
static gm_dataset *classes(gm_context *ctx)
{
    char csv[400 * 20 + 40];
    uint64_t state = 5;
    size_t at = (size_t)sprintf(csv, "a,b,c\n");
    for (int i = 0; i < 400; i++) {
        int k = test_random(&state) % 3 == 0, noise = test_random(&state) % 5 == 0;
        at += (size_t)sprintf(csv + at, "%c,%c,%c\n", 'p' + (k ^ noise),
                              'p' + (char)(test_random(&state) % 2) + k,
                              'p' + (char)(test_random(&state) % 3) + k);
    }
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "c.csv", NULL, &rows));
    return rows;
}

START_TEST(latent_classes)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = classes(ctx);
    gm_model *model = fit_rows(ctx, rows, (const char *[]){"seed=1", "components=2", NULL});
    double x[24 * 3], logp[24], sum = 0, marginal = 0;
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_EXACT);
    for (int i = 0; i < 24; i++) {
        x[3 * i] = i % 2;
        x[3 * i + 1] = (double)(i / 2 % 3);
        x[3 * i + 2] = (double)(i / 6);
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 24, 0, NULL, logp));
    for (int i = 0; i < 24; i++) {
        sum += exp(logp[i]);
        marginal += x[3 * i + 2] == 0 ? exp(logp[i]) : 0;
        must(logp[i] > -20);
    }
    ck_assert(fabs(sum - 1) < 1e-12);
    /* the law of the third column, without the others and given them */
    gm_conditional *c;
    const unsigned char none[3] = {0}, two[3] = {1, 1, 0};
    gm_array in = case_array(GM_F64, x, 24, 3);
    double zero[24] = {0}, law[24];
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, none, 2));
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 24, zero, law));
    ck_assert(fabs(exp(law[0]) - marginal) < 1e-12);
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, two, 2));
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 24, zero, law));
    for (int i = 0; i < 6; i++) {
        double whole = 0;
        for (int j = i; j < 24; j += 6)
            whole += exp(logp[j]);
        must(fabs(exp(law[i]) - exp(logp[i]) / whole) < 1e-12);
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Real, whole, binary and category columns together: draws are as the density says. */
START_TEST(mixed_columns)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fit_rows(ctx, rows, (const char *[]){"seed=1", "components=3", NULL});
    enum { DRAWS = 4000 };
    double *x = malloc(DRAWS * 4 * sizeof *x), mean[4] = {0}, seen[4] = {0}, logp;
    gm_options *how = case_options(ctx, (const char *[]){"seed=9", "draws=4", NULL});
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_LOWER_BOUND);
    test_ok(ctx, gm_model_sample_f64(ctx, model, DRAWS, NULL, how, x));
    for (int i = 0; i < DRAWS; i++) {
        must(x[4 * i + 1] == floor(x[4 * i + 1]) && x[4 * i + 1] >= 0 && x[4 * i + 1] <= 8);
        must(x[4 * i + 2] == 0 || x[4 * i + 2] == 1);
        for (int j = 0; j < 4; j++)
            mean[j] += x[4 * i + j] / DRAWS;
    }
    double cells[ROWS * 4];
    gm__dataset_rows(rows, NULL, 0, ROWS, cells);
    for (int i = 0; i < ROWS * 4; i++)
        seen[i % 4] += cells[i] / ROWS;
    for (int j = 0; j < 4; j++)
        must_msg(fabs(mean[j] - seen[j]) < (j == 1 ? 0.25 : 0.07), "%d: %g, %g", j, mean[j],
                 seen[j]);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 1, 0, how, &logp));
    ck_assert(logp < 0 && logp > -30);
    free(x);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Draws and laws -------------------------------------------------------------------------- */

START_TEST(draws)
{
    gm_context *ctx = test_context(NULL);
    enum { DRAWS = 20000 };
    double x[2 * N], *y = malloc(DRAWS * 2 * sizeof *y), few[2 * 5], sum = 0, square = 0;
    clouds(x);
    gm_model *model = fit(ctx, x, N, 2, (const char *[]){"seed=1", covariances[_i], NULL});
    gm_options *how = case_options(ctx, (const char *[]){"seed=4", NULL}),
               *cold = case_options(ctx, (const char *[]){"seed=4", "temperature=0", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, DRAWS, NULL, how, y));
    test_ok(ctx, gm_model_sample_f64(ctx, model, 5, NULL, how, few));
    ck_assert(!memcmp(few, y, sizeof few));
    /* E log p under the model: by draws, and (the other way) by E exp(-log p) over a box */
    for (int i = 0; i < DRAWS; i++)
        for (int j = 0; j < 2; j++) {
            sum += y[2 * i + j] / DRAWS;
            square += y[2 * i + j] * y[2 * i + j] / DRAWS;
        }
    double mean = 0, moment = 0;
    for (int i = 0; i < 2 * N; i++) {
        mean += x[i] / N;
        moment += x[i] * x[i] / N;
    }
    ck_assert_msg(fabs(sum - mean) < 0.1 && fabs(square - moment) < 0.4, "%g %g, %g %g", sum, mean,
                  square, moment);
    test_ok(ctx, gm_model_sample_f64(ctx, model, 5, NULL, cold, few));
    int64_t count = gm_model_code_count(model), at_mean = 0;
    double z[5 * 64];
    gm_array in = case_array(GM_F64, few, 5, 2), code = case_array(GM_F64, z, 5, count);
    test_ok(ctx, gm_model_encode(ctx, model, &in, NULL, NULL, &code));
    for (int i = 0; i < 5; i++)
        for (int64_t k = 0; k < count; k++)
            at_mean += z[i * count + k] > 0.9;
    ck_assert_int_ge(at_mean, 4);
    gm_options_free(how);
    gm_options_free(cold);
    free(y);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* log p(x, y) = log p(x) + log p(y | x), and both laws are their distribution functions' slopes. */
START_TEST(laws)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N], logp[N], first[N], second[N], value[N], below[N], above[N], moved[N], h = 1e-5;
    clouds(x);
    gm_model *model = fit(ctx, x, N, 2, (const char *[]){"seed=1", covariances[_i], NULL});
    gm_array in = case_array(GM_F64, x, N, 2);
    gm_conditional *c;
    const unsigned char none[2] = {0}, one[2] = {1, 0};
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, logp));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    for (int i = 0; i < N; i++)
        value[i] = x[2 * i];
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, none, 0));
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, N, value, first));
    for (int i = 0; i < N; i++)
        value[i] = x[2 * i + 1];
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, one, 1));
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, N, value, second));
    test_ok(ctx, gm_conditional_cdf(ctx, c, 0, N, value, below, above));
    for (int i = 0; i < N; i++) {
        must(fabs(logp[i] - first[i] - second[i]) < 1e-10);
        must(fabs(below[i] + above[i] - 1) < 1e-14);
        value[i] += h;
    }
    test_ok(ctx, gm_conditional_cdf(ctx, c, 0, N, value, moved, NULL));
    for (int i = 0; i < N; i++)
        must(fabs((moved[i] - below[i]) / h - exp(second[i])) < 1e-3);
    gm_conditional_free(c);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Bits and memory ------------------------------------------------------------------------- */

/* One fit and its answers, whoever computes them; and the same from its file. */
START_TEST(same_bits)
{
    double first[ROWS * 4 + 64], now[ROWS * 4 + 64];
    for (int machine = 0; machine < 6; machine++) {
        const gm__kernels *kernels = gm__kernels_at(machine / 2);
        if (!kernels)
            break;
        gm_context *ctx = test_context(NULL);
        test_ok(ctx, gm_context_set_text(ctx, "kernels", kernels->name));
        int threads = machine % 2 ? 3 : 1;
        test_ok(ctx, gm_context_set_int(ctx, "threads", threads));
        gm_dataset *rows = _i % 2 ? mixed_rows(ctx) : real_rows(ctx);
        gm_model *model = fit_rows(
            ctx, rows,
            (const char *[]){"seed=1", "max_components=5", "iterations=40", covariances[_i], NULL});
        gm_options *how = case_options(ctx, (const char *[]){"seed=3", "draws=2", NULL});
        int64_t d = gm_model_column_count(model), count = gm_model_parameter_count(model);
        memset(now, 0, sizeof now);
        test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, now, NULL));
        test_ok(ctx, gm_model_sample_f64(ctx, model, 20, NULL, how, now + ROWS));
        now[ROWS + 20 * d] = (double)count;
        if (machine == 0)
            memcpy(first, now, sizeof now);
        ck_assert_msg(!memcmp(first, now, sizeof now), "%s, machine %d", kernels->name, machine);
        /* rows one by one, and what was saved */
        test_sink file = bytes_of(ctx, model);
        gm_model *again;
        test_ok(ctx, gm_model_load_memory(ctx, file.data, file.size, &again));
        double cells[ROWS * 4], one;
        gm__dataset_rows(rows, NULL, 0, ROWS, cells);
        test_ok(ctx, gm_model_log_prob_f64(ctx, again, cells, 1, 0, how, &one));
        ck_assert(!memcmp(&one, now, sizeof one));
        test_sink_clear(&file);
        gm_model_free(again);
        gm_options_free(how);
        gm_model_free(model);
        gm_dataset_free(rows);
        gm_context_free(ctx);
    }
}
END_TEST

static gm_status whole_life(const gm_allocator *a, void *arg)
{
    double row[4] = {0.1, 3, 1, 2}, logp, z[3];
    gm_context_config config = {.struct_size = sizeof config, .allocator = a};
    gm_context *ctx = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    gm_conditional *law = NULL;
    gm_array in = case_array(GM_F64, row, 1, 4), code_of = case_array(GM_F64, z, 1, 3);
    const unsigned char known[4] = {1, 0, 1, 0};
    gm_status code = gm_context_create(&config, &ctx);
    code = code ? code : gm_options_create(ctx, &how);
    code = code ? code : gm_options_set_text(ctx, how, "seed", "3");
    code = code ? code : gm_options_set_text(ctx, how, "components", "3");
    code = code ? code : gm_options_set_text(ctx, how, "iterations", "3");
    code = code ? code : gm_fit(ctx, "mixture", arg, how, &model);
    code = code ? code : gm_model_log_prob_f64(ctx, model, row, 1, 0, how, &logp);
    code = code ? code : gm_model_encode(ctx, model, &in, NULL, NULL, &code_of);
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
    ck_assert_int_gt(test_every_failure(whole_life, rows, test_quick() ? 60 : 0), 40);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A fit that goes on from a model keeps its components, and does not fall. */
START_TEST(goes_on)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * N];
    clouds(x);
    gm_model *start =
        fit(ctx, x, N, 2, (const char *[]){"seed=5", "components=3", "iterations=2", NULL});
    gm_dataset *rows;
    gm_model *model;
    gm_options *how = case_options(ctx, (const char *[]){"seed=5", NULL});
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 2, 0, &rows));
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .options = how, .init = start};
    test_ok(ctx, gm_fit_with(ctx, "mixture", &config, &model));
    ck_assert_int_eq(gm_model_code_count(model), 3);
    ck_assert(mean_logp(ctx, model, x, N) >= mean_logp(ctx, start, x, N));
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_model_free(start);
    gm_context_free(ctx);
}
END_TEST

/* Tables of one component: (n + 3 f) / (7 + 3), f = (n + 1/2) / (7 + 3/2) (Jeffreys): of 4, 2, 1 */
START_TEST(prior_of_tables)
{
    gm_context *ctx = test_context(NULL);
    double x[] = {0, 1, 2, 0, 1, 0, 0}, want[] = {47.5 / 85, 24.5 / 85, 13 / 85.0};
    gm_dataset *reals, *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 7, 1, 0, &reals));
    test_ok(ctx, gm_dataset_with_type(ctx, reals, 0, GM_COLUMN_CATEGORY, 0, &rows));
    gm_model *m = fit_rows(ctx, rows, (const char *[]){"seed=1", "components=1", "prior=3", NULL});
    for (int i = 0; i < 3; i++)
        must(test_close(exp(mean_logp(ctx, m, x + i, 1)), want[i], 1e-13, 0));
    gm_model_free(m);
    gm_dataset_free(rows);
    gm_dataset_free(reals);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mixture");
    TCase *t = tcase_create("mixture");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, another_program, 0, 4);
    tcase_add_test(t, one_component);
    tcase_add_loop_test(t, density_and_gradient, 0, 4);
    tcase_add_test(t, integrates_to_one);
    tcase_add_loop_test(t, never_falls, 0, 4);
    tcase_add_loop_test(t, degenerate, 0, 4);
    tcase_add_loop_test(t, number_of_components, 0, 3);
    tcase_add_loop_test(t, row_weights, 0, 2);
    tcase_add_test(t, latent_classes);
    tcase_add_test(t, prior_of_tables);
    tcase_add_test(t, mixed_columns);
    tcase_add_loop_test(t, draws, 0, 4);
    tcase_add_loop_test(t, laws, 0, 4);
    tcase_add_loop_test(t, same_bits, 0, 4);
    tcase_add_test(t, every_allocation);
    tcase_add_test(t, goes_on);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
