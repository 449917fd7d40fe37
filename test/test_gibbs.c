/* Several missing cells where a family knows one column given all others: chains against closed
 * forms, and against sums of the density over what is missing. */
#include "law_cases.h"

/* ladder without laws of its own. */
static gm_family silent;

static gm_status impute(gm_context *ctx, const gm_model *model, double *x, int64_t n, int64_t d,
                        const char *const *settings)
{
    gm_array rows = case_array(GM_F64, x, n, d);
    gm_options *opts = case_options(ctx, settings);
    gm_status code = gm_model_impute(ctx, model, &rows, NULL, opts, &rows);
    gm_options_free(opts);
    return code;
}

/* Of two normal columns both missing: their deviations and their correlation. A row's cells are its
 * own and its number's, whatever other rows there are. */
START_TEST(two_normal_columns)
{
    enum { N = 2000 };
    static const char *const settings[] = {"seed=3", "sweeps=25", NULL};
    static double x[2 * N], few[2 * 3];
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_model *model = law_fit(ctx, "mute", rows, "none");
    double sum[2] = {0, 0}, squares[2] = {0, 0}, both = 0;
    for (int i = 0; i < 2 * N; i++)
        x[i] = NAN;
    memcpy(few, x, sizeof few);
    test_ok(ctx, impute(ctx, model, x, N, 2, settings));
    test_ok(ctx, impute(ctx, model, few, 3, 2, settings));
    ck_assert_mem_eq(x, few, sizeof few);
    for (int i = 0; i < 2 * N; i++) {
        sum[i % 2] += x[i] / N;
        squares[i % 2] += x[i] * x[i] / N;
        both += i % 2 ? x[i] * x[i - 1] / N : 0;
    }
    for (int j = 0; j < 2; j++) {
        test_check(fabs(sum[j]) < 4 / sqrt(N), "mean %g", sum[j]);
        test_check(fabs(squares[j] - 1) < 4 * sqrt(2.0 / N), "variance %g", squares[j]);
    }
    test_check(fabs(both - RHO) < 4 * sqrt((1 + RHO * RHO) / N), "correlation %g", both);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Even values of a missing column. */
enum { FINE = 1200, NODES = 120, ROWS = 1200 };
typedef struct grid {
    int64_t column, count;
    double low, step;
} grid;

/* Sums over both columns of p, p f and p f^2, of f the three of pick. */
static double pick(int which, double a, double b)
{
    return which == 0 ? sin(a) : which == 1 ? cos(2 * b) : cos(a) * sin(b + 0.5);
}

static void check_pairs(gm_context *ctx, const gm_model *model, const double *row, int64_t d,
                        grid a, grid b, const char *name)
{
    static const char *const settings[] = {"seed=8", "sweeps=20", NULL};
    int64_t nodes = a.count * b.count;
    double *x = malloc((size_t)(ROWS * d) * sizeof *x), most = -INFINITY,
           *all = malloc((size_t)(nodes * (d + 1)) * sizeof *all), *logp = all + nodes * d;
    for (int64_t i = 0; i < ROWS; i++)
        memcpy(x + i * d, row, (size_t)d * sizeof *row);
    test_ok(ctx, impute(ctx, model, x, ROWS, d, settings));
    for (int64_t i = 0; i < nodes; i++) {
        memcpy(all + i * d, row, (size_t)d * sizeof *row);
        all[i * d + a.column] = a.low + a.step * (double)(i / b.count);
        all[i * d + b.column] = b.low + b.step * (double)(i % b.count);
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, all, nodes, 0, NULL, logp));
    for (int64_t i = 0; i < nodes; i++)
        most = logp[i] > most ? logp[i] : most;
    for (int which = 0; which < 3; which++) {
        double mean = 0, square = 0, found = 0, total = 0;
        for (int64_t i = 0; i < nodes; i++) {
            double p = exp(logp[i] - most),
                   f = pick(which, all[i * d + a.column], all[i * d + b.column]);
            total += p;
            mean += p * f;
            square += p * f * f;
        }
        mean /= total;
        for (int64_t i = 0; i < ROWS; i++)
            found += pick(which, x[i * d + a.column], x[i * d + b.column]) / ROWS;
        double error = sqrt((square / total - mean * mean) / ROWS);
        test_check(fabs(found - mean) < 4 * error + 1e-3, "%s: of function %d %g, not %g +- %g",
                   name, which, found, mean, error);
    }
    free(all);
    free(x);
}

START_TEST(columns_of_every_type)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60);
    test_ok(ctx, gm_family_register(ctx, &silent));
    gm_model *model = law_fit(ctx, "silent", rows, _i ? "logit" : "standard");
    const grid real = {0, FINE, -6, 0.01}, whole = {1, 5, 2, 1}, flag = {2, 2, 0, 1},
               kind = {3, 3, 0, 1};
    check_pairs(ctx, model, (double[]){0.4, 5, NAN, NAN}, 4, flag, kind, "flag and kind");
    check_pairs(ctx, model, (double[]){NAN, NAN, 1, 2}, 4, real, whole, "real and whole");
    check_pairs(ctx, model, (double[]){NAN, 3, 0, NAN}, 4, real, kind, "real and kind");
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A flow, that draws the rows to begin with; of a circular column as well. */
START_TEST(two_of_a_flows_columns)
{
    static const char *const settings[] = {"seed=1",    "steps=40",      "layers=2",
                                           "hidden=16", "precision=f64", NULL};
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 200, 3), *turned;
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    if (_i) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, 0, GM_COLUMN_CIRCULAR, 8, &turned));
        gm_dataset_free(rows);
        rows = turned;
    }
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    ck_assert(!(gm_model_capabilities(model) & GM_CAN_CONDITIONAL));
    const grid first = {0, NODES, _i ? 0 : -9, _i ? 8.0 / NODES : 0.2}, last = {2, NODES, -9, 0.2};
    check_pairs(ctx, model, (double[]){NAN, 4, NAN}, 3, first, last, _i ? "turned" : "flow");
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Points of the law: both columns' means and medians are 0 and their mode too; seeds. */
START_TEST(points_of_several_cells)
{
    static const char *const points[] = {"how=mean", "how=median", "how=mode"};
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_reals(ctx, 50, 2);
    gm_model *model = law_fit(ctx, "mute", rows, "none");
    double one[2] = {NAN, NAN};
    for (int k = 0; k < 3; k++) {
        double x[6] = {NAN, NAN, NAN, 1, NAN, NAN};
        const char *const settings[] = {points[k], "seed=5", "draws=1500", "sweeps=20", NULL};
        test_ok(ctx, impute(ctx, model, x, 3, 2, settings));
        /* a chain of correlation RHO^2 from sweep to sweep */
        double error = sqrt((1 + RHO * RHO) / (1 - RHO * RHO) / 1500);
        for (int i = 0; i < 6; i++)
            test_check(i == 2 || i == 3 || fabs(x[i]) < 6 * error, "%s: %g", points[k], x[i]);
        test_check(fabs(x[2] - RHO) < 1e-5 && x[3] == 1, "of one missing cell: %g", x[2]);
    }
    test_fails(ctx, impute(ctx, model, one, 1, 2, (const char *const[]){"how=mean", NULL}),
               GM_E_SEED, "row 1 lacks 2");
    test_fails(ctx,
               impute(ctx, model, one, 1, 2, (const char *const[]){"seed=1", "sweeps=0", NULL}),
               GM_E_RANGE, "sweeps");
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
    gm_array a = case_array(GM_F64, x, 2, 4);
    gm_status code = gm_context_create(&config, &ctx);
    if (!code)
        code = gm_family_register(ctx, &silent);
    if (!code)
        code = gm_options_create(ctx, &opts);
    if (!code)
        code = gm_options_set_text(ctx, opts, "seed", "1");
    if (!code)
        code = gm_options_set_text(ctx, opts, "sweeps", "2");
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
    test_ok(ctx, gm_family_register(ctx, &silent));
    gm_model *model = law_fit(ctx, "silent", rows, "standard");
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
    Suite *s = suite_create("gibbs");
    TCase *t = tcase_create("gibbs");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, two_normal_columns);
    tcase_add_loop_test(t, columns_of_every_type, 0, 2);
    tcase_add_loop_test(t, two_of_a_flows_columns, 0, 2);
    tcase_add_test(t, points_of_several_cells);
    tcase_add_test(t, memory_that_fails);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    silent = ladder;
    silent.name = "silent";
    silent.conditionals = NULL;
    return gm__test_main(suite);
}
