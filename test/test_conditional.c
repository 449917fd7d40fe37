/* One column given others: closed forms, sums over all values, the chain rule, tails, quantiles;
 * orders, refusals, memory that fails. */
#include "law_cases.h"

/* ---- Oracles --------------------------------------------------------------------------------- */

static double log_normal(double x, double mean, double deviation)
{
    double z = (x - mean) / deviation;
    return -0.5 * z * z - log(deviation) - 0.91893853320467274178;
}

static double normal_below(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

static void set_one(gm_context *ctx, gm_conditional *c, const double *row, int64_t d,
                    const unsigned char *known, int64_t column)
{
    gm_array x;
    gm_array_init(&x, GM_F64, (void *)(uintptr_t)row, 1, d);
    test_ok(ctx, gm_conditional_set(ctx, c, &x, NULL, known, column));
}

/* ---- Two normal columns ---------------------------------------------------------------------- */

static void check_pair(gm_context *ctx, gm_conditional *c, double mean, double deviation,
                       double rel)
{
    static const double at[] = {-6, -2, -0.3, 0.1, 1, 7, 30};
    double value, back, logp, below, above;
    for (int i = 0; i < 7; i++) {
        value = mean + deviation * at[i];
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &value, &logp));
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &value, &below, &above));
        test_check(test_close(logp, log_normal(value, mean, deviation), rel, rel),
                   "log p at %g: %.17g, not %.17g", at[i], logp,
                   log_normal(value, mean, deviation));
        test_check(test_close(below, normal_below(at[i]), 400 * rel, 0), "below %g: %g", at[i],
                   below);
        test_check(test_close(above, normal_below(-at[i]), 400 * rel, 0), "above %g: %g, not %g",
                   at[i], above, normal_below(-at[i]));
        if (at[i] > 5)
            continue;
        test_ok(ctx, gm_conditional_quantile(ctx, c, 0, 1, &below, &back));
        test_check(test_close(back, value, 1e-12, 1e-9), "quantile of %g: %g, not %g", below, back,
                   value);
    }
}

START_TEST(two_normal_columns)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_model *model = law_fit(ctx, "pair", rows, "none");
    gm_conditional *c;
    const unsigned char none[2] = {0, 0}, first[2] = {1, 0}, second[2] = {0, 1};
    double row[2] = {1.5, -0.25};
    int64_t order[2];
    ck_assert(gm_model_capabilities(model) & GM_CAN_CONDITIONAL);
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    ck_assert(gm_conditional_order(c, order) == 1 && order[0] == 0 && order[1] == 1);
    set_one(ctx, c, row, 2, none, 0);
    check_pair(ctx, c, 0, 1, 1e-12);
    set_one(ctx, c, row, 2, first, 1);
    check_pair(ctx, c, RHO * row[0], REST, 1e-12);
    set_one(ctx, c, row, 2, second, 0);
    check_pair(ctx, c, RHO * row[1], REST, 1e-12);
    gm_conditional_free(c);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Standardised and by quantiles: the density counts what the map does, probabilities do not
 * change. */
START_TEST(in_the_users_units)
{
    static const char *const transforms[] = {"standard", "quantile", "logit"};
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 200, 2);
    const unsigned char first[2] = {1, 0};
    for (int k = 0; k < 3; k++) {
        gm_model *model = law_fit(ctx, "pair", rows, transforms[k]);
        gm_conditional *c;
        double row[2] = {4, 0}, total = 0, total_here, low, high, u;
        test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
        set_one(ctx, c, row, 2, first, 1);
        u = 1e-9;
        test_ok(ctx, gm_conditional_quantile(ctx, c, 0, 1, &u, &low));
        u = 1 - 1e-9;
        test_ok(ctx, gm_conditional_quantile(ctx, c, 0, 1, &u, &high));
        enum { N = 200000 };
        for (int i = 0; i < N; i++) {
            double v = low + (high - low) * ((double)i + 0.5) / N, logp, below, full[2] = {4, v},
                   all;
            test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &v, &logp));
            total += exp(logp) * (high - low) / N;
            if (i % 40000 != 19999)
                continue;
            test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &v, &below, NULL));
            total_here = total - 0.5 * exp(logp) * (high - low) / N;
            test_check(test_close(below, total_here, 1e-4, 1e-6), "%s: cdf %g, integral %g",
                       transforms[k], below, total_here);
            /* p(x2 | x1) p(x1) = p(x1, x2) */
            gm_conditional *marginal;
            const unsigned char none[2] = {0, 0};
            double log_first;
            test_ok(ctx, gm_conditional_create(ctx, model, NULL, &marginal));
            set_one(ctx, marginal, full, 2, none, 0);
            test_ok(ctx, gm_conditional_log_prob(ctx, marginal, 0, 1, full, &log_first));
            test_ok(ctx, gm_model_log_prob_f64(ctx, model, full, 1, 0, NULL, &all));
            test_check(test_close(logp + log_first, all, 1e-10, 1e-10), "%s: %g + %g, not %g",
                       transforms[k], logp, log_first, all);
            gm_conditional_free(marginal);
        }
        ck_assert_msg(fabs(total - 1) < 1e-4, "%s: the density integrates to %g", transforms[k],
                      total);
        gm_conditional_free(c);
        gm_model_free(model);
    }
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* From log_prob alone, to the accuracy that is said. */
START_TEST(along_a_grid)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_model *model = law_fit(ctx, "mute", rows, "none");
    gm_conditional *c;
    const unsigned char none[2] = {0, 0}, second[2] = {0, 1};
    double row[2] = {0, 1.25}, u[5] = {1e-8, 0.01, 0.5, 0.9, 1 - 1e-8}, value, logp, below, above;
    gm_array x;
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    ck_assert_int_eq(gm_conditional_order(c, NULL), -1);
    gm_array_init(&x, GM_F64, row, 1, 2);
    test_fails(ctx, gm_conditional_set(ctx, c, &x, NULL, none, 0), GM_E_UNSUPPORTED,
               "given all other columns");
    set_one(ctx, c, row, 2, second, 0);
    for (int i = 0; i < 5; i++) {
        test_ok(ctx, gm_conditional_quantile(ctx, c, 0, 1, &u[i], &value));
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &value, &logp));
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &value, &below, &above));
        double z = (value - RHO * row[1]) / REST;
        test_check(test_close(normal_below(z), u[i], 1e-5, 0), "at %g: %g", u[i], normal_below(z));
        test_check(test_close(below, u[i], 1e-9, 0) || u[i] > 0.5, "cdf at %g: %g", u[i], below);
        test_check(test_close(logp, log_normal(z, 0, 1) - log(REST), 2e-6, 2e-6), "log p %g", logp);
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- One after another ----------------------------------------------------------------------- */

/* The chain rule over the order gives log_prob, for any transform, in one pass or column by
 * column. */
static void check_chain(gm_context *ctx, const gm_model *model, const double *x, int64_t n)
{
    int64_t d = gm_model_column_count(model), order[16];
    double *logp = calloc((size_t)n, sizeof *logp), *sum = calloc((size_t)n, sizeof *sum),
           *one = calloc((size_t)n, sizeof *one), *value = calloc((size_t)n, sizeof *value),
           *part = calloc((size_t)(n * d), sizeof *part);
    unsigned char known[16] = {0};
    gm_conditional *c, *blind;
    gm_array rows, some;
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &blind));
    ck_assert_int_eq(gm_conditional_order(c, order), 0);
    gm_array_init(&rows, GM_F64, (void *)(uintptr_t)x, n, d);
    for (int64_t i = 0; i < n * d; i++)
        part[i] = NAN;
    gm_array_init(&some, GM_F64, part, n, d);
    for (int64_t k = 0; k < d; k++) {
        int64_t j = order[k];
        for (int64_t i = 0; i < n; i++)
            value[i] = x[i * d + j];
        test_ok(ctx, gm_conditional_set(ctx, c, &rows, NULL, known, j));
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, n, value, one));
        for (int64_t i = 0; i < n; i++)
            sum[i] += one[i];
        test_ok(ctx, gm_conditional_set(ctx, blind, &some, NULL, known, j));
        test_ok(ctx, gm_conditional_log_prob(ctx, blind, 0, n, value, logp));
        test_check(!memcmp(logp, one, (size_t)n * sizeof *one), "column %d: other bits", (int)j);
        for (int64_t i = 0; i < n; i++)
            part[i * d + j] = x[i * d + j];
        known[j] = 1;
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, n, 0, NULL, logp));
    for (int64_t i = 0; i < n; i++)
        test_check(test_close(sum[i], logp[i], 1e-11, 1e-11), "row %d: %.15g, not %.15g", (int)i,
                   sum[i], logp[i]);
    gm_conditional_free(c);
    gm_conditional_free(blind);
    free(logp);
    free(sum);
    free(one);
    free(value);
    free(part);
}

START_TEST(chain_rule)
{
    static const char *const transforms[] = {"none", "standard", "quantile"};
    gm_context *ctx = law_context(NULL);
    gm_dataset *reals = law_reals(ctx, 60, 5), *mixed = law_mixed(ctx, 60);
    double x[60 * 5], y[60 * 4];
    test_ok(ctx, gm_dataset_read_f64(ctx, reals, 0, 60, x, 0));
    test_ok(ctx, gm_dataset_read_f64(ctx, mixed, 0, 60, y, 0));
    for (int k = 0; k < 3; k++) {
        gm_model *model = law_fit(ctx, "steps", reals, transforms[k]);
        check_chain(ctx, model, x, 60);
        gm_model_free(model);
        model = law_fit(ctx, "ladder", mixed, transforms[k]);
        check_chain(ctx, model, y, 60);
        gm_model_free(model);
    }
    gm_dataset_free(reals);
    gm_dataset_free(mixed);
    gm_context_free(ctx);
}
END_TEST

/* Masses add up to 1, below and above are their sums, and quantiles step at them. */
START_TEST(masses_by_counting)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    gm_conditional *c;
    const unsigned char known[4][4] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {1, 1, 0, 0}, {1, 1, 1, 0}};
    static const double low[] = {0, 2, 0, 0}, high[] = {0, 6, 1, 2};
    double row[4] = {0.3, 5, 1, 2};
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    for (int j = 1; j < 4; j++) {
        double sum = 0;
        set_one(ctx, c, row, 4, known[j], j);
        for (double v = low[j] - 2; v <= high[j] + 2; v++) {
            double logp, below, above, half = v + 0.5, none, same, u, back;
            test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &v, &logp));
            test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &half, &none));
            test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &v, &below, &above));
            test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &half, &same, NULL));
            ck_assert(none == -INFINITY && same == below);
            ck_assert_msg((v >= low[j] && v <= high[j]) == (logp > -INFINITY), "%d: %g", j, v);
            u = sum + 0.5 * exp(logp);
            sum += exp(logp);
            ck_assert_msg(test_close(below, sum, 1e-12, 1e-15), "%d: %g, not %g", j, below, sum);
            ck_assert_msg(test_close(above, 1 - sum, 1e-9, 1e-14), "%d: %g", j, above);
            if (logp == -INFINITY)
                continue;
            test_ok(ctx, gm_conditional_quantile(ctx, c, 0, 1, &u, &back));
            ck_assert_msg(back == v, "%d: quantile of %g is %g, not %g", j, u, back, v);
        }
        ck_assert(fabs(sum - 1) < 1e-12);
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A family of real columns over whole numbers: masses are those of [k, k + 1). */
START_TEST(whole_numbers_as_cells)
{
    gm_context *ctx = law_context(NULL);
    double x[80];
    gm_dataset *rows, *typed;
    for (int i = 0; i < 80; i++)
        x[i] = i % 2 ? i % 9 : 0.1 * i;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, 2, 0, &rows));
    test_ok(ctx, gm_dataset_with_type(ctx, rows, 1, GM_COLUMN_INTEGER, 0, &typed));
    gm_model *model = law_fit(ctx, "pair", typed, "none");
    gm_conditional *c;
    const unsigned char first[2] = {1, 0};
    double row[2] = {2, 0}, sum = 0;
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    set_one(ctx, c, row, 2, first, 1);
    for (double v = -30; v <= 40; v++) {
        double logp, below, above, a = (v - RHO * 2) / REST, z = (v + 1 - RHO * 2) / REST;
        double mass =
            v < RHO * 2 ? normal_below(z) - normal_below(a) : normal_below(-a) - normal_below(-z);
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &v, &logp));
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &v, &below, &above));
        sum += exp(logp);
        ck_assert_msg(mass == 0 || test_close(logp, log(mass), 1e-9, 1e-9), "%g: %g, not %g", v,
                      logp, log(mass));
        ck_assert_msg(logp > -INFINITY, "%g has no mass", v);
        ck_assert(test_close(below, normal_below(z), 1e-9, 0));
        ck_assert(test_close(above, normal_below(-z), 1e-9, 0));
    }
    ck_assert(fabs(sum - 1) < 1e-12);
    double u = 0.999999, value;
    test_ok(ctx, gm_conditional_quantile(ctx, c, 0, 1, &u, &value));
    ck_assert_msg(value == 4, "%g", value);
    gm_conditional_free(c);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_dataset_free(typed);
    gm_context_free(ctx);
}
END_TEST

/* ---- Bits, misuse, memory -------------------------------------------------------------------- */

/* A row's law does not depend on the rows beside it. */
START_TEST(alone_or_in_a_batch)
{
    enum { N = 700 };
    static double x[N * 4], all[N], u[N], value[N], one;
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, N);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    gm_conditional *c;
    const unsigned char known[4] = {1, 0, 0, 0};
    gm_array many;
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, N, x, 0));
    gm_array_init(&many, GM_F64, x, N, 4);
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    for (int j = 0; j < 2; j++) {
        const unsigned char none[4] = {0};
        test_ok(ctx, gm_conditional_set(ctx, c, &many, NULL, j ? known : none, j));
        for (int i = 0; i < N; i++)
            u[i] = (i + 0.5) / N;
        test_ok(ctx, gm_conditional_quantile(ctx, c, 0, N, u, value));
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, N, value, all));
        for (int i = 0; i < N; i += 97) {
            double v;
            set_one(ctx, c, x + i * 4, 4, j ? known : none, j);
            test_ok(ctx, gm_conditional_quantile(ctx, c, 0, 1, &u[i], &v));
            test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &v, &one));
            must(v == value[i] && one == all[i]);
        }
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(misuse)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60), *reals = law_reals(ctx, 60, 2);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    gm_conditional *c;
    unsigned char known[4] = {1, 0, 0, 0};
    double row[8] = {0.3, 5, 1, 2, 0.3, 5, 1, 2}, out, nan = NAN, one = 1;
    gm_array x, wrong;
    gm_array_init(&x, GM_F64, row, 2, 4);
    gm_array_init(&wrong, GM_F64, row, 2, 3);
    test_fails(ctx, gm_conditional_create(ctx, NULL, NULL, &c), GM_E_ARG, "NULL");
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    test_fails(ctx, gm_conditional_log_prob(ctx, c, 0, 1, row, &out), GM_E_STATE, "set");
    test_fails(ctx, gm_conditional_set(ctx, c, &wrong, NULL, known, 1), GM_E_SHAPE, "4");
    test_fails(ctx, gm_conditional_set(ctx, c, &x, NULL, known, 4), GM_E_RANGE, "column 4");
    test_fails(ctx, gm_conditional_set(ctx, c, &x, NULL, known, 0), GM_E_ARG, "known");
    test_fails(ctx, gm_conditional_set(ctx, c, &x, NULL, known, 2), GM_E_UNSUPPORTED, "order");
    test_fails(ctx, gm_conditional_set(ctx, c, &x, &x, known, 1), GM_E_ARG, "cond");
    row[4] = NAN;
    test_fails(ctx, gm_conditional_set(ctx, c, &x, NULL, known, 1), GM_E_DATA, "row 2");
    row[4] = 0.3;
    known[1] = 1;
    row[1] = 7; /* out of its range */
    test_fails(ctx, gm_conditional_set(ctx, c, &x, NULL, known, 2), GM_E_DATA, "row 1");
    row[1] = 5;
    test_ok(ctx, gm_conditional_set(ctx, c, &x, NULL, known, 2));
    test_fails(ctx, gm_conditional_log_prob(ctx, c, 1, 2, row, &out), GM_E_RANGE, "of 2");
    test_fails(ctx, gm_conditional_log_prob(ctx, c, INT64_MAX, INT64_MAX, row, &out), GM_E_RANGE,
               "9223372036854775807 rows");
    test_fails(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &nan, &out), GM_E_DATA, "number");
    test_fails(ctx, gm_conditional_quantile(ctx, c, 0, 1, &one, &out), GM_E_RANGE, "between");
    gm_model_free(model);
    gm_conditional_free(c); /* which has a share of the model */
    const char *whitened[] = {"seed=1", "steps=1", "whiten=true", NULL};
    gm_options *how = case_options(ctx, whitened);
    test_ok(ctx, gm_fit(ctx, "pair", reals, how, &model));
    test_fails(ctx, gm_conditional_create(ctx, model, NULL, &c), GM_E_UNSUPPORTED, "whiten");
    ck_assert(c == NULL);
    gm_model_free(model);
    const char *vae[] = {"seed=1", "steps=1", "hidden=4", "code=1", NULL};
    gm_options_free(how);
    how = case_options(ctx, vae);
    test_ok(ctx, gm_fit(ctx, "vae", reals, how, &model));
    test_fails(ctx, gm_conditional_create(ctx, model, NULL, &c), GM_E_UNSUPPORTED, "pair");
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(reals);
    gm_conditional_free(NULL);
    gm_context_free(ctx);
}
END_TEST

typedef struct failing {
    test_sink file;
    const double *x;
} failing;

static gm_status every_call(const gm_allocator *allocator, void *arg)
{
    const failing *f = arg;
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx = NULL;
    gm_model *model = NULL;
    gm_conditional *c = NULL;
    gm_array x;
    const unsigned char known[4] = {1, 0, 0, 0};
    double u[3] = {0.1, 0.5, 0.9}, value[3], logp[3];
    gm_array_init(&x, GM_F64, (void *)(uintptr_t)f->x, 3, 4);
    gm_status code = gm_context_create(&config, &ctx);
    if (!code)
        code = gm_family_register(ctx, &ladder);
    if (!code)
        code = gm_model_load_memory(ctx, f->file.data, f->file.size, &model);
    if (!code)
        code = gm_conditional_create(ctx, model, NULL, &c);
    if (!code)
        code = gm_conditional_set(ctx, c, &x, NULL, known, 1);
    if (!code)
        code = gm_conditional_quantile(ctx, c, 0, 3, u, value);
    if (!code)
        code = gm_conditional_log_prob(ctx, c, 0, 3, value, logp);
    gm_conditional_free(c);
    gm_model_free(model);
    gm_context_free(ctx);
    return code;
}

START_TEST(memory_that_fails)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60);
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    double x[12];
    failing f = {.x = x};
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, 3, x, 0));
    gm_writer writer = test_sink_writer(&f.file);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    ck_assert(test_every_failure(every_call, &f, test_quick() ? 60 : 0) > 20);
    test_sink_clear(&f.file);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("conditional");
    TCase *t = tcase_create("conditional");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, two_normal_columns);
    tcase_add_test(t, in_the_users_units);
    tcase_add_test(t, along_a_grid);
    tcase_add_test(t, chain_rule);
    tcase_add_test(t, masses_by_counting);
    tcase_add_test(t, whole_numbers_as_cells);
    tcase_add_test(t, alone_or_in_a_batch);
    tcase_add_test(t, misuse);
    tcase_add_test(t, memory_that_fails);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
