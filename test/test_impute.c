/* Missing cells: means equal the regression, draws come from the conditional, orders, discrete
 * columns, files; range probabilities; misuse and memory. */
#include "law_cases.h"

static gm_options *how(gm_context *ctx, const char *a, const char *b, const char *c)
{
    const char *settings[] = {a, b, c, NULL};
    int n = !a ? 0 : !b ? 1 : !c ? 2 : 3;
    settings[n] = NULL;
    return case_options(ctx, settings);
}

static gm_status impute(gm_context *ctx, const gm_model *model, double *x, int64_t n, int64_t d,
                        const char *a, const char *b, const char *c)
{
    gm_array rows;
    gm_options *opts = how(ctx, a, b, c);
    gm_array_init(&rows, GM_F64, x, n, d);
    gm_status code = gm_model_impute(ctx, model, &rows, NULL, opts, &rows);
    gm_options_free(opts);
    return code;
}

/* Of two normal columns every point of the law is the regression; by the family's own laws and
 * along a grid. */
START_TEST(points_are_the_regression)
{
    static const char *const families[] = {"pair", "mute"};
    static const char *const points[] = {"how=mean", "how=median", "how=mode"};
    static const char *const transforms[] = {"none", "standard"};
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    double all[100], mean[2] = {0, 0}, deviation[2] = {0, 0};
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, 50, all, 0));
    for (int i = 0; i < 100; i++)
        mean[i % 2] += all[i] / 50;
    for (int i = 0; i < 100; i++)
        deviation[i % 2] += (all[i] - mean[i % 2]) * (all[i] - mean[i % 2]) / 50;
    for (int k = 0; k < 12; k++) {
        int scaled = k & 1;
        gm_model *model = law_fit(ctx, families[k >> 1 & 1], rows, transforms[scaled]);
        double x[6] = {1, NAN, NAN, -2, 0.5, 4};
        test_ok(ctx, impute(ctx, model, x, 3, 2, points[k / 4], NULL, NULL));
        double m0 = scaled ? mean[0] : 0, m1 = scaled ? mean[1] : 0;
        double s = scaled ? sqrt(deviation[1] / deviation[0]) : 1;
        double first = m1 + RHO * s * (1 - m0), second = m0 + RHO / s * (-2 - m1);
        ck_assert_msg(test_close(x[1], first, 1e-6, 1e-6), "%s: %.12g, not %.12g", points[k / 4],
                      x[1], first);
        ck_assert_msg(test_close(x[2], second, 1e-6, 1e-6), "%.12g, not %.12g", x[2], second);
        ck_assert(x[0] == 1 && x[3] == -2 && x[4] == 0.5 && x[5] == 4);
        gm_model_free(model);
    }
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Draws have the conditional's mean and deviation; a row's draw does not depend on the others. */
START_TEST(draws_come_from_the_law)
{
    enum { N = 4000 };
    static double x[2 * N], again[2 * 3];
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_model *model = law_fit(ctx, "pair", rows, "none");
    double sum = 0, squares = 0, both = 0;
    for (int i = 0; i < N; i++) {
        x[2 * i] = i % 4 == 0 ? NAN : 0.5;
        x[2 * i + 1] = NAN;
    }
    memcpy(again, x, sizeof again);
    test_ok(ctx, impute(ctx, model, x, N, 2, "seed=5", NULL, NULL));
    test_ok(ctx, impute(ctx, model, again, 3, 2, "seed=5", NULL, NULL));
    ck_assert(!memcmp(x, again, sizeof again));
    for (int i = 0; i < N; i++) {
        if (i % 4 == 0)
            both += x[2 * i] * x[2 * i + 1];
        else {
            double z = (x[2 * i + 1] - RHO * 0.5) / REST;
            sum += z;
            squares += z * z;
        }
    }
    ck_assert_msg(fabs(sum / (0.75 * N)) < 4 / sqrt(0.75 * N), "mean %g", sum / (0.75 * N));
    ck_assert_msg(fabs(squares / (0.75 * N) - 1) < 4 * sqrt(2 / (0.75 * N)), "variance %g",
                  squares / (0.75 * N));
    /* of two columns drawn together the mean product is the correlation */
    ck_assert_msg(fabs(both / (0.25 * N) - RHO) < 4 * sqrt((1 + RHO * RHO) / (0.25 * N)), "%g",
                  both / (0.25 * N));
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* From the last to the first: x1 ~ N(0, 1.25^2), x0 ~ N(x1 / 2, 1). What is missing first in the
 * order is known exactly given nothing; behind a known cell by weighed draws. */
START_TEST(a_fixed_order)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_model *model = law_fit(ctx, "steps", rows, "none");
    double x[4] = {NAN, 2, 3, NAN};
    test_ok(ctx, impute(ctx, model, x, 2, 2, "how=mean", "seed=1", "draws=20000"));
    ck_assert_msg(test_close(x[0], 1, 1e-9, 1e-9), "%g", x[0]);
    /* E(x1 | x0) = (0.5 * 1.25^2) / (1 + 0.25 * 1.25^2) x0 */
    double mean = 0.5 * 1.5625 / (1 + 0.25 * 1.5625) * 3;
    double deviation = sqrt(1.5625 * (1 - 0.25 * 1.5625 / (1 + 0.25 * 1.5625)));
    ck_assert_msg(fabs(x[3] - mean) < 5 * deviation / sqrt(10000), "%g, not %g", x[3], mean);
    double sum = 0, squares = 0;
    enum { N = 400 };
    static double y[2 * N];
    for (int i = 0; i < N; i++) {
        y[2 * i] = 3;
        y[2 * i + 1] = NAN;
    }
    test_ok(ctx, impute(ctx, model, y, N, 2, "seed=2", "draws=300", NULL));
    for (int i = 0; i < N; i++) {
        double z = (y[2 * i + 1] - mean) / deviation;
        sum += z / N;
        squares += z * z / N;
    }
    ck_assert_msg(fabs(sum) < 5 / sqrt(N) && fabs(squares - 1) < 6 * sqrt(2.0 / N), "%g, %g", sum,
                  squares);
    test_fails(ctx, impute(ctx, model, x, 2, 2, "how=mean", NULL, NULL), GM_E_SEED, "seed");
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Columns of every type: what is filled in are values of the columns, and the last one's mode is
 * the most probable. */
START_TEST(columns_of_every_type)
{
    enum { N = 200 };
    static double x[N * 4], y[N * 4];
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, N);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    uint64_t state = 8;
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, N, x, 0));
    static const char *const points[] = {"how=draw", "how=mean", "how=median", "how=mode"};
    for (int k = 0; k < 4; k++) {
        memcpy(y, x, sizeof y);
        for (int i = 0; i < N * 4; i++)
            if (test_random(&state) % 3 == 0)
                y[i] = NAN;
        test_ok(ctx, impute(ctx, model, y, N, 4, points[k], "seed=1", "draws=40"));
        for (int i = 0; i < N; i++) {
            const double *r = y + i * 4;
            must(r[0] - r[0] == 0);
            must(r[1] == floor(r[1]) && r[1] >= 2 && r[1] <= 6);
            must(r[2] == 0 || r[2] == 1);
            must(r[3] == 0 || r[3] == 1 || r[3] == 2);
        }
    }
    for (int i = 0; i < N; i++) {
        double row[4], best = -INFINITY, at = 0, logp;
        memcpy(row, x + i * 4, sizeof row);
        for (double v = 0; v < 3; v++) {
            row[3] = v;
            test_ok(ctx, gm_model_log_prob_f64(ctx, model, row, 1, 0, NULL, &logp));
            at = logp > best ? v : at;
            best = logp > best ? logp : best;
        }
        row[3] = NAN;
        test_ok(ctx, impute(ctx, model, row, 1, 4, "how=mode", "seed=1", NULL));
        must(row[3] == at);
    }
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A table with empty cells comes back whole. */
START_TEST(a_table_with_gaps)
{
    static const char csv[] = "x1,x2\n1,\n,-2\n0.5,4\n";
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2), *gaps, *whole;
    gm_model *model = law_fit(ctx, "pair", rows, "none");
    test_source source = {.data = csv, .size = sizeof csv - 1};
    gm_reader reader = test_source_reader(&source);
    double x[6];
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "gaps.csv", NULL, &gaps));
    gm_options *opts = how(ctx, "how=mean", NULL, NULL);
    test_ok(ctx, gm_model_impute_rows(ctx, model, gaps, NULL, opts, &whole));
    test_ok(ctx, gm_dataset_read_f64(ctx, whole, 0, 3, x, 0));
    ck_assert(fabs(x[1] - RHO) < 1e-8 && fabs(x[2] + 2 * RHO) < 1e-8 && x[4] == 0.5 && x[5] == 4);
    gm_options_free(opts);
    gm_dataset_free(whole);
    gm_dataset_free(gaps);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Ranges ---------------------------------------------------------------------------------- */

/* Values of scipy.stats.multivariate_normal. */
START_TEST(ranges_of_two_normal_columns)
{
    static const double low[] = {-INFINITY, -INFINITY, -1, 0, 1, -3, -INFINITY, 2};
    static const double high[] = {0.5, -0.25, 0.5, 2, 3, -1, INFINITY, INFINITY};
    const double is[4] = {0.38633062780366145, 0.2163184740487569, 5.624442785673051e-05,
                          0.5 * erfc(2 / sqrt(2))};
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_options *opts = how(ctx, "seed=3", "draws=20000", NULL);
    gm_model *model = law_fit(ctx, "pair", rows, "none");
    double p[4], error[4], one;
    gm_array lower, upper;
    gm_array_init(&lower, GM_F64, (void *)(uintptr_t)low, 4, 2);
    gm_array_init(&upper, GM_F64, (void *)(uintptr_t)high, 4, 2);
    test_ok(ctx, gm_model_range_prob(ctx, model, &lower, &upper, NULL, opts, p, error));
    for (int i = 0; i < 4; i++)
        ck_assert_msg(fabs(p[i] - is[i]) <= 4 * error[i] + 1e-14, "%d: %g, not %g (%g)", i, p[i],
                      is[i], error[i]);
    for (int i = 0; i < 3; i++)
        ck_assert_msg(error[i] > 0 && error[i] < 0.02 * is[i], "%d: error %g", i, error[i]);
    ck_assert(error[3] == 0 && test_close(p[3], is[3], 1e-12, 0));
    lower.shape[0] = upper.shape[0] = 1; /* a row alone: the same bits */
    test_ok(ctx, gm_model_range_prob(ctx, model, &lower, &upper, NULL, opts, &one, NULL));
    ck_assert(one == p[0]);
    test_fails(ctx, gm_model_range_prob(ctx, model, &upper, &lower, NULL, opts, p, error),
               GM_E_RANGE, "row 1");
    test_fails(ctx, gm_model_range_prob(ctx, model, &lower, &upper, NULL, NULL, p, error),
               GM_E_SEED, "seed");
    gm_options_free(opts);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Of mixed columns: the real one integrated by the midpoint rule, the rest added up. */
START_TEST(ranges_of_mixed_columns)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    gm_options *opts = how(ctx, "seed=3", "draws=20000", NULL);
    double low[4] = {-0.5, 2.5, 1, -INFINITY}, high[4] = {1.5, 5, 1, 1}, p, error, sum = 0;
    gm_array lower, upper;
    gm_array_init(&lower, GM_F64, low, 1, 4);
    gm_array_init(&upper, GM_F64, high, 1, 4);
    test_ok(ctx, gm_model_range_prob(ctx, model, &lower, &upper, NULL, opts, &p, &error));
    enum { N = 400 };
    for (int i = 0; i < N; i++)
        for (double whole = 3; whole <= 5; whole++)
            for (double kind = 0; kind <= 1; kind++) {
                double row[4] = {-0.5 + 2 * (i + 0.5) / N, whole, 1, kind}, logp;
                test_ok(ctx, gm_model_log_prob_f64(ctx, model, row, 1, 0, NULL, &logp));
                sum += exp(logp) * 2 / N;
            }
    ck_assert_msg(fabs(p - sum) < 4 * error + 1e-5 && error < 0.02 * sum, "%g, not %g (%g)", p, sum,
                  error);
    gm_options_free(opts);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Some columns given others --------------------------------------------------------------- */

START_TEST(log_densities_given)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60), *reals = law_reals(ctx, 60, 2);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    gm_model *two = law_fit(ctx, "pair", reals, "none");
    unsigned char known[4] = {0, 0, 0, 0}, second[2] = {0, 1};
    double x[60 * 4], all[60], some[60], rest[60], y[2] = {0.25, -1}, logp;
    gm_array a, b;
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, 60, x, 0));
    gm_array_init(&a, GM_F64, x, 60, 4);
    test_ok(ctx, gm_model_log_prob(ctx, model, &a, NULL, NULL, all, NULL));
    test_ok(ctx, gm_model_log_prob_given(ctx, model, &a, known, NULL, NULL, some));
    for (int i = 0; i < 60; i++)
        must(test_close(some[i], all[i], 1e-11, 1e-11));
    /* p(all) = p(first) p(rest | first): what is left of all is p(first), whatever the rest */
    known[0] = 1;
    test_ok(ctx, gm_model_log_prob_given(ctx, model, &a, known, NULL, NULL, some));
    for (int i = 0; i < 60; i++)
        x[i * 4 + 3] = (double)(i % 3);
    test_ok(ctx, gm_model_log_prob_given(ctx, model, &a, known, NULL, NULL, rest));
    double left[60];
    for (int i = 0; i < 60; i++)
        left[i] = all[i] - some[i];
    test_ok(ctx, gm_model_log_prob(ctx, model, &a, NULL, NULL, all, NULL));
    for (int i = 0; i < 60; i++)
        must(test_close(all[i] - rest[i], left[i], 1e-10, 1e-10));
    x[4] = NAN;
    test_fails(ctx, gm_model_log_prob_given(ctx, model, &a, known, NULL, NULL, rest), GM_E_DATA,
               "row 2");
    x[4] = 0;
    x[5] = 9; /* no support */
    test_ok(ctx, gm_model_log_prob_given(ctx, model, &a, known, NULL, NULL, rest));
    ck_assert(rest[1] == -INFINITY && rest[0] > -INFINITY);
    known[0] = 0;
    known[1] = 1;
    test_fails(ctx, gm_model_log_prob_given(ctx, model, &a, known, NULL, NULL, rest),
               GM_E_UNSUPPORTED, "order");
    gm_array_init(&b, GM_F64, y, 1, 2);
    test_ok(ctx, gm_model_log_prob_given(ctx, two, &b, second, NULL, NULL, &logp));
    double z = (0.25 + RHO) / REST;
    ck_assert(test_close(logp, -0.5 * z * z - log(REST) - 0.91893853320467274178, 1e-12, 0));
    gm_model_free(two);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_dataset_free(reals);
    gm_context_free(ctx);
}
END_TEST

START_TEST(rows_and_columns_given)
{
    enum { N = 3000 };
    static double x[2 * N];
    gm_context *ctx = law_context(NULL);
    gm_dataset *reals = law_reals(ctx, 60, 2);
    gm_model *model = law_fit(ctx, "pair", reals, "none");
    gm_options *opts = how(ctx, "seed=4", NULL, NULL);
    double given[2] = {NAN, 2}, sum = 0, u[3] = {0.1, 0.5, 0.99}, value[3], below[3], above[3];
    const unsigned char second[2] = {0, 1};
    gm_array g, rows;
    gm_array_init(&g, GM_F64, given, 1, 2);
    gm_array_init(&rows, GM_F64, x, N, 2);
    test_ok(ctx, gm_model_sample_given(ctx, model, N, &g, NULL, opts, &rows));
    for (int i = 0; i < N; i++) {
        must(x[2 * i + 1] == 2);
        sum += x[2 * i] / N;
    }
    ck_assert_msg(fabs(sum - RHO * 2) < 4 * REST / sqrt(N), "%g", sum);
    test_fails(ctx, gm_model_sample_given(ctx, model, N, NULL, NULL, opts, &rows), GM_E_SHAPE,
               NULL);
    gm_array_init(&rows, GM_F64, x, 3, 2);
    test_ok(ctx, gm_model_quantile(ctx, model, 0, 3, &rows, second, NULL, NULL, u, value));
    test_ok(ctx, gm_model_cdf(ctx, model, 0, 3, &rows, second, NULL, NULL, value, below, above));
    for (int i = 0; i < 3; i++)
        ck_assert(test_close(below[i], u[i], 1e-12, 0) &&
                  test_close(u[i], 0.5 * erfc(-(value[i] - RHO * 2) / REST / sqrt(2)), 1e-9, 0));
    test_ok(ctx, gm_model_quantile(ctx, model, 1, 3, NULL, NULL, NULL, NULL, u, value));
    for (int i = 0; i < 3; i++)
        ck_assert(test_close(u[i], 0.5 * erfc(-value[i] / sqrt(2)), 1e-9, 0));
    gm_options_free(opts);
    gm_model_free(model);
    gm_dataset_free(reals);
    gm_context_free(ctx);
}
END_TEST

/* In a fixed order rows that begin to lack cells at other columns go along together: each comes out
 * as it does beside whole rows. */
START_TEST(together_or_alone)
{
    enum { N = 9 };
    static const char *const settings[] = {"seed=1", "steps=9", "hidden=9", "valid=0", NULL};
    static const int first[N] = {2, 0, 3, 1, 4, 3, 0, 2, 1};
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60);
    gm_options *opts = case_options(ctx, settings);
    gm_model *model;
    gm_conditional *law;
    double whole[4 * N], all[4 * N], one[4 * N];
    int64_t order[4];
    if (_i)
        test_ok(ctx, gm_fit(ctx, "autoregressive", rows, opts, &model));
    else
        model = law_fit(ctx, "ladder", rows, "standard");
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &law));
    ck_assert_int_eq(gm_conditional_order(law, order), 0);
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, N, whole, 0));
    memcpy(all, whole, sizeof all);
    for (int i = 0; i < N; i++)
        for (int k = first[i]; k < 4; k++)
            all[4 * i + order[k]] = NAN;
    for (int i = 0; i < N; i++) {
        memcpy(one, whole, sizeof one);
        memcpy(one + 4 * i, all + 4 * i, 4 * sizeof *one);
        test_ok(ctx, impute(ctx, model, one, N, 4, "seed=5", NULL, NULL));
        memcpy(whole + 4 * i, one + 4 * i, 4 * sizeof *one);
        test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, N, one, 0));
        ck_assert(first[i] < 4 || !memcmp(one + 4 * i, whole + 4 * i, 4 * sizeof *one));
    }
    test_ok(ctx, impute(ctx, model, all, N, 4, "seed=5", NULL, NULL));
    ck_assert_mem_eq(all, whole, sizeof all);
    gm_conditional_free(law);
    gm_options_free(opts);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(misuse)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_model *model = law_fit(ctx, "pair", rows, "none"), *mute_model;
    double x[4] = {1, NAN, NAN, 2}, bad[2] = {INFINITY, NAN}, two[2] = {NAN, NAN};
    gm_array a;
    gm_array_init(&a, GM_F64, x, 2, 2);
    test_fails(ctx, impute(ctx, model, x, 2, 2, NULL, NULL, NULL), GM_E_SEED, "seed");
    test_fails(ctx, impute(ctx, model, bad, 1, 2, "seed=1", NULL, NULL), GM_E_DATA, "row 1");
    test_fails(ctx, impute(ctx, model, x, 2, 2, "how=best", NULL, NULL), GM_E_RANGE, "median");
    test_fails(ctx, gm_model_impute(ctx, model, &a, NULL, NULL, NULL), GM_E_SEED, NULL);
    test_fails(ctx, gm_model_impute(ctx, NULL, &a, NULL, NULL, &a), GM_E_ARG, "model");
    ck_assert(x[1] != x[1]);
    mute_model = law_fit(ctx, "mute", rows, "none");
    test_fails(ctx, impute(ctx, mute_model, two, 1, 2, "how=mean", NULL, NULL), GM_E_SEED,
               "lacks 2");
    gm_model_free(mute_model);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static gm_status every_call(const gm_allocator *allocator, void *arg)
{
    const test_sink *file = arg;
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx = NULL;
    gm_model *model = NULL;
    gm_options *opts = NULL;
    double x[8] = {0.5, NAN, 1, NAN, NAN, 3, NAN, 2};
    gm_array a;
    gm_array_init(&a, GM_F64, x, 2, 4);
    gm_status code = gm_context_create(&config, &ctx);
    if (!code)
        code = gm_family_register(ctx, &ladder);
    if (!code)
        code = gm_options_create(ctx, &opts);
    if (!code)
        code = gm_options_set_text(ctx, opts, "seed", "1");
    if (!code)
        code = gm_options_set_text(ctx, opts, "draws", "5");
    if (!code)
        code = gm_model_load_memory(ctx, file->data, file->size, &model);
    if (!code)
        code = gm_model_impute(ctx, model, &a, NULL, opts, &a);
    gm_options_free(opts);
    gm_model_free(model);
    gm_context_free(ctx);
    return code;
}

START_TEST(memory_that_fails)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    test_sink file = {0};
    gm_writer writer = test_sink_writer(&file);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    ck_assert(test_every_failure(every_call, &file, test_quick() ? 60 : 0) > 20);
    test_sink_clear(&file);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("impute");
    TCase *t = tcase_create("impute");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, points_are_the_regression);
    tcase_add_test(t, draws_come_from_the_law);
    tcase_add_test(t, a_fixed_order);
    tcase_add_test(t, columns_of_every_type);
    tcase_add_test(t, a_table_with_gaps);
    tcase_add_test(t, ranges_of_two_normal_columns);
    tcase_add_test(t, ranges_of_mixed_columns);
    tcase_add_test(t, log_densities_given);
    tcase_add_test(t, rows_and_columns_given);
    tcase_add_loop_test(t, together_or_alone, 0, 2);
    tcase_add_test(t, misuse);
    tcase_add_test(t, memory_that_fails);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
