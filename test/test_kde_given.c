/* Rows drawn given some columns against the laws of these, and fits that go on with a bandwidth of
 * their own. */
#include "genmod/conditional.h"
#include "model_cases.h"

enum { N = 240, DRAWS = 700 };

static const struct {
    const char *columns; /* r real, i whole numbers, @ circular, c categories */
    const char *settings[6];
} cases[] = {
    {"rrr", {"seed=1", "valid=0", NULL}},
    {"rrr", {"seed=1", "valid=0", "kernel=epanechnikov", "bandwidth=1", NULL}},
    {"rir", {"seed=1", "valid=0", "adaptive=1", NULL}},
    {"rrr", {"seed=1", "valid=0", "matrix=1", NULL}},
    {"r@r", {"seed=1", "valid=0", "boundary=beta", NULL}},
    {"crr", {"seed=1", "valid=0", "boundary=reflect", "kernel=exponential", NULL}},
    {"ir", {"seed=1", "valid=0", "kernel=cosine", NULL}},
};
#define CASES ((int)(sizeof cases / sizeof cases[0]))

static gm_dataset *case_rows(gm_context *ctx, const char *columns, int64_t n, uint64_t state)
{
    static double x[N * 3];
    int64_t d = (int64_t)strlen(columns);
    gm_dataset *rows, *next;
    for (int64_t i = 0; i < n; i++) {
        double a = case_normal(&state) + 2.0 * (double)(i % 2);
        for (int64_t j = 0; j < d; j++) {
            double v = (j ? 0.7 : 1) * a + (j ? 0.7 : 0) * case_normal(&state);
            x[i * d + j] = columns[j] == 'i'   ? floor(3 * v + 20)
                           : columns[j] == '@' ? fmod(60 * fabs(v), 360)
                           : columns[j] == 'c' ? (v > 0) + (v > 2)
                                               : v;
        }
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    for (int64_t j = 0; j < d; j++) {
        int32_t type = columns[j] == 'i'   ? GM_COLUMN_INTEGER
                       : columns[j] == '@' ? GM_COLUMN_CIRCULAR
                       : columns[j] == 'c' ? GM_COLUMN_CATEGORY
                                           : GM_COLUMN_REAL;
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, type, columns[j] == '@' ? 360 : 0, &next));
        gm_dataset_free(rows);
        rows = next;
    }
    return rows;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Under its law given the first columns a column's draws are uniform: of whole numbers, with a
 * uniform share of their mass. Kolmogorov's statistic exceeds 2 in one of 1,500 tests. */
static void check_column(gm_context *ctx, const gm_model *model, const double *x, int64_t d,
                         int64_t column, int counts)
{
    static double v[DRAWS], u[DRAWS], under[DRAWS];
    uint64_t state = 9;
    unsigned char known[3] = {1, column > 1, 0};
    double most = 0;
    gm_array in = case_array(GM_F64, (double *)(uintptr_t)x, DRAWS, d);
    for (int i = 0; i < DRAWS; i++)
        v[i] = x[i * d + column];
    test_ok(ctx, gm_model_cdf(ctx, model, column, DRAWS, &in, known, NULL, NULL, v, u, NULL));
    for (int i = 0; i < DRAWS; i++)
        v[i] -= 0.5;
    test_ok(ctx, gm_model_cdf(ctx, model, column, DRAWS, &in, known, NULL, NULL, v, under, NULL));
    for (int i = 0; i < DRAWS && counts; i++)
        u[i] -= test_uniform(&state, 0, 1) * (u[i] - under[i]);
    qsort(u, DRAWS, sizeof *u, by_size);
    for (int i = 0; i < DRAWS; i++) {
        must(u[i] >= 0 && u[i] <= 1);
        most = fmax(most, fmax(fabs(u[i] - (double)i / DRAWS), fabs(u[i] - (i + 1.0) / DRAWS)));
    }
    must_msg(most < 2 / sqrt(DRAWS), "column %d: %g from uniform", (int)column, most);
}

static void draw(gm_context *ctx, const gm_model *model, double *x, int64_t n, int64_t d, double *y)
{
    gm_options *how = case_options(ctx, (const char *[]){"seed=6", NULL});
    gm_array in = case_array(GM_F64, x, n, d), out = case_array(GM_F64, y, n, d);
    test_ok(ctx, gm_model_sample_given(ctx, model, n, &in, NULL, how, &out));
    gm_options_free(how);
}

START_TEST(draws_follow_the_laws)
{
    gm_context *ctx = test_context(NULL);
    static double x[DRAWS * 3], y[DRAWS * 3], again[DRAWS * 3];
    const char *columns = cases[_i].columns;
    int64_t d = (int64_t)strlen(columns);
    gm_dataset *rows = case_rows(ctx, columns, N, 5);
    gm_options *how = case_options(ctx, cases[_i].settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    for (int i = 0; i < DRAWS; i++)
        for (int64_t j = 0; j < d; j++)
            x[i * d + j] = j                   ? NAN
                           : columns[0] == 'i' ? 14 + i % 16
                           : columns[0] == 'c' ? i % 3
                                               : 0.3 + 1.8 * i / DRAWS;
    draw(ctx, model, x, DRAWS, d, y);
    for (int i = 0; i < DRAWS; i++)
        must(y[i * d] == x[i * d]);
    for (int64_t j = 1; j < d; j++)
        check_column(ctx, model, y, d, j, columns[j] == 'i');
    /* a row is what its number, the seed and its own cells make it */
    for (int i = 0; i < 20; i++)
        x[i * d] = i % 3 ? x[i * d] : columns[0] == 'r' ? 0.1 : columns[0] == 'i' ? 15 : 1;
    for (int64_t j = 1; j < d; j++)
        x[j] = y[j];
    draw(ctx, model, x, 40, d, again);
    for (int i = 0; i < 40; i++)
        for (int64_t j = 0; j < d && (i % 3 || i >= 20); j++)
            must_msg(again[i * d + j] == y[i * d + j], "row %d: %.17g, not %.17g", i,
                     again[i * d + j], y[i * d + j]);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Far away the nearest rows count, by logarithms of their kernels; of kernels that end, all do. */
START_TEST(far_away)
{
    gm_context *ctx = test_context(NULL);
    static double x[100 * 3], y[100 * 3];
    gm_dataset *rows = case_rows(ctx, "rrr", N, 5);
    gm_options *how = case_options(ctx, cases[_i].settings);
    gm_model *model;
    double mean = 0;
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    for (int i = 0; i < 300; i++)
        x[i] = i % 3 ? NAN : 1e3;
    draw(ctx, model, x, 100, 3, y);
    for (int i = 0; i < 100; i++) {
        must(y[3 * i] == 1e3 && fabs(y[3 * i + 1]) < 20 && fabs(y[3 * i + 2]) < 20);
        mean += y[3 * i + 1] / 100;
    }
    must_msg(_i ? fabs(mean - 0.7) < 0.7 : mean > 1.8, "mean %g", mean);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Memory ---- */

static gm_status complete_with(const gm_allocator *allocator, void *arg)
{
    gm_context *ctx;
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    double x[6] = {0.1, NAN, NAN, NAN, 20, NAN}, y[6];
    gm_status code = gm_context_create(&config, &ctx);
    if (code)
        return code;
    gm_options *how = NULL;
    gm_array in = case_array(GM_F64, x, 2, 3), out = case_array(GM_F64, y, 2, 3);
    code = gm_options_create(ctx, &how);
    code = code ? code : gm_options_set_int(ctx, how, "seed", 1);
    code = code ? code : gm_model_impute(ctx, arg, &in, NULL, how, &out);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = case_rows(ctx, "rir", N, 5);
    gm_options *how = case_options(ctx, cases[2].settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    must(test_every_failure(complete_with, model, GM_E_MEMORY) > 5);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Going on ---- */

/* What a fit to all rows at once is: with the bandwidth of the first, or one that was set. */
START_TEST(bandwidth_when_going_on)
{
    gm_context *ctx = test_context(NULL);
    static double x[2 * N * 2], one[30], other[30];
    static const char *const said[] = {NULL, "bandwidth=0.9", "bandwidth=silverman"};
    static const char *const like[] = {"bandwidth=0.4", "bandwidth=0.9", "bandwidth=silverman"};
    uint64_t state = 3;
    gm_dataset *rows[3];
    gm_model *first, *next, *whole;
    for (int i = 0; i < 2 * N * 2; i++)
        x[i] = case_normal(&state) + (double)(i % 2);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 2, 0, &rows[0]));
    test_ok(ctx, gm_dataset_from_f64(ctx, x + 2 * N, N, 2, 0, &rows[1]));
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 2 * N, 2, 0, &rows[2]));
    gm_array at = case_array(GM_F64, x, 30, 2);
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "valid=0", like[0], NULL});
    test_ok(ctx, gm_fit(ctx, "kde", rows[0], how, &first));
    gm_options_free(how);
    for (int k = 0; k < 3; k++) {
        how = case_options(ctx, (const char *[]){"seed=1", "valid=0", said[k], NULL});
        gm_fit_config config = {
            .struct_size = sizeof config, .train = rows[1], .options = how, .init = first};
        test_ok(ctx, gm_fit_with(ctx, "kde", &config, &next));
        gm_options_free(how);
        how = case_options(ctx, (const char *[]){"seed=1", "valid=0", like[k], NULL});
        test_ok(ctx, gm_fit(ctx, "kde", rows[2], how, &whole));
        gm_options_free(how);
        test_ok(ctx, gm_model_log_prob(ctx, next, &at, NULL, NULL, one, NULL));
        test_ok(ctx, gm_model_log_prob(ctx, whole, &at, NULL, NULL, other, NULL));
        for (int i = 0; i < 30; i++)
            must_msg(test_close(one[i], other[i], 1e-9, 1e-9), "%s: %.12g, not %.12g", like[k],
                     one[i], other[i]);
        gm_model_free(next);
        gm_model_free(whole);
    }
    gm_model_free(first);
    for (int i = 0; i < 3; i++)
        gm_dataset_free(rows[i]);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kde_given");
    TCase *t = tcase_create("kde_given");
    tcase_add_loop_test(t, draws_follow_the_laws, 0, CASES);
    tcase_add_loop_test(t, far_away, 0, 2);
    tcase_add_test(t, every_allocation);
    tcase_add_test(t, bandwidth_when_going_on);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
