/* Two models on one measure: differences row by row, bins of values that repeat. */
#include "family_cases.h"
#include "genmod/eval.h"

#include <math.h>

enum { N = 600 };

/* Normal-like numbers, rounded to multiples of step (0: not at all). */
static void draw_cells(double *x, int64_t n, double step, uint64_t state)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 1.5;
        for (int k = 0; k < 12; k++)
            sum += test_uniform(&state, -0.5, 0.5);
        x[i] = step > 0 ? floor(sum / step + 0.5) * step : sum;
    }
}

static gm_dataset *rows_of(gm_context *ctx, const double *x, int64_t n, int64_t d)
{
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    return rows;
}

static gm_model *fit_bell(gm_context *ctx, const gm_dataset *rows, const char *steps,
                          const char *more)
{
    const char *const settings[] = {"seed=1", "batch=200", steps, more, NULL};
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "bell", rows, how, &model));
    gm_options_free(how);
    return model;
}

static gm_context *context_with_bell(void)
{
    gm_context *ctx = test_context(NULL);
    test_ok(ctx, gm_family_register(ctx, &bell));
    return ctx;
}

static gm_comparison compared(gm_context *ctx, const gm_model *a, const gm_model *b,
                              const gm_dataset *rows, const char *const *settings, double *logp_a,
                              double *logp_b)
{
    gm_options *how = case_options(ctx, settings);
    gm_comparison c = {.struct_size = sizeof c};
    test_ok(ctx, gm_compare(ctx, a, b, rows, how, &c, logp_a, logp_b));
    gm_options_free(how);
    return c;
}

/* Where nothing repeats the measure is log_prob, and the figures are plain statistics. */
START_TEST(test_plain)
{
    static const char *const none[] = {NULL};
    gm_context *ctx = context_with_bell();
    double x[2 * N], a[N], b[N], want[N], mean = 0, squares = 0, won = 0;
    draw_cells(x, 2 * N, 0, 5);
    gm_dataset *rows = rows_of(ctx, x, N, 2);
    gm_model *good = fit_bell(ctx, rows, "steps=200", "transform=standard"),
             *bad = fit_bell(ctx, rows, "steps=2", "transform=none");
    gm_comparison c = compared(ctx, good, bad, rows, none, a, b);
    test_ok(ctx, gm_model_log_prob_f64(ctx, good, x, N, 0, NULL, want));
    must(memcmp(want, a, sizeof a) == 0);
    test_ok(ctx, gm_model_log_prob_f64(ctx, bad, x, N, 0, NULL, want));
    must(memcmp(want, b, sizeof b) == 0);
    for (int i = 0; i < N; i++) {
        mean += (a[i] - b[i]) / N;
        won += (a[i] > b[i]) / (double)N;
    }
    for (int i = 0; i < N; i++)
        squares += (a[i] - b[i] - mean) * (a[i] - b[i] - mean);
    must(c.rows == N && c.binned == 0 && c.kind_a == 1 && c.kind_b == 1 && c.lost_a == 0);
    must(test_close(c.difference, mean, 1e-12, 0) && test_close(c.won, won, 1e-12, 0));
    must(test_close(c.error, sqrt(squares / (N - 1) / N), 1e-12, 0));
    must(test_close(c.mean_a - c.mean_b, mean, 1e-9, 0) && mean > 0.1);
    c = compared(ctx, good, good, rows, none, NULL, NULL);
    must(c.difference == 0 && c.error == 0 && c.won == 0.5);
    gm_model_free(good);
    gm_model_free(bad);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Mean and deviation of the normal that a bell is, from three log densities. */
static void shape_of(gm_context *ctx, const gm_model *model, double *mean, double *deviation)
{
    double x[3] = {0, 1, 2}, l[3];
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 3, 0, NULL, l));
    double bend = l[0] - 2 * l[1] + l[2], rise = (l[2] - l[0]) / 2;
    *deviation = sqrt(-1 / bend);
    *mean = 1 - rise / bend;
}

/* A density's average over a bin is the difference of the normal's distribution function; a model
 * of bins says its own bound. */
START_TEST(test_bins)
{
    static const char *const how[] = {"seed=3", "draws=400", NULL};
    gm_context *ctx = context_with_bell();
    double x[N], a[N], b[N], own[N], mean, deviation;
    draw_cells(x, N, 0.5, 7);
    gm_dataset *rows = rows_of(ctx, x, N, 1);
    gm_model *real = fit_bell(ctx, rows, "steps=300", "precision=f64"),
             *bins = fit_bell(ctx, rows, "steps=300", "repeated=bins");
    gm_comparison c = compared(ctx, real, bins, rows, how, a, b);
    must(c.binned == 1 && c.kind_a == 3 && c.kind_b == 2);
    shape_of(ctx, real, &mean, &deviation);
    for (int i = 0; i < N; i++) {
        double low = (x[i] - 0.25 - mean) / deviation, high = (x[i] + 0.25 - mean) / deviation;
        double p = 0.5 * (erfc(-high / sqrt(2)) - erfc(-low / sqrt(2)));
        must_msg(fabs(a[i] - log(p)) < 0.05, "at %g: %g, not %g", x[i], a[i], log(p));
    }
    gm_options *same = case_options(ctx, how);
    test_ok(ctx, gm_model_log_prob_f64(ctx, bins, x, N, 0, same, own));
    must(memcmp(own, b, sizeof own) == 0);
    must_msg(fabs(c.difference) < 0.02, "one normal is as good as the other: %g", c.difference);
    test_ok(ctx, gm_context_set_text(ctx, "kernels", "base"));
    test_ok(ctx, gm_context_set_int(ctx, "threads", 3));
    c = compared(ctx, real, bins, rows, how, own, NULL);
    must(memcmp(own, a, sizeof own) == 0);
    gm_options_free(same);
    gm_model_free(real);
    gm_model_free(bins);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Probabilities of all bins add up to one, also of a density that runs after the values. */
START_TEST(test_sum)
{
    static const char *const how[] = {"seed=3", "draws=200", NULL};
    enum { BINS = 24 };
    gm_context *ctx = context_with_bell();
    double x[N], all[BINS], logp[BINS], sum = 0;
    draw_cells(x, N, 0.5, 9);
    gm_dataset *rows = rows_of(ctx, x, N, 1);
    gm_model *real = fit_bell(ctx, rows, "steps=50", "transform=quantile");
    for (int i = 0; i < BINS; i++)
        all[i] = 0.5 * (i - 9);
    gm_dataset *values = rows_of(ctx, all, BINS, 1), *repeated;
    int64_t twice[2 * BINS];
    for (int i = 0; i < 2 * BINS; i++)
        twice[i] = i % BINS;
    test_ok(ctx, gm_dataset_take(ctx, values, twice, 2 * BINS, &repeated));
    double cells[2 * BINS], both[2 * BINS];
    test_ok(ctx, gm_dataset_read_f64(ctx, repeated, 0, 2 * BINS, cells, 0));
    gm_dataset *read = rows_of(ctx, cells, 2 * BINS, 1);
    compared(ctx, real, real, read, how, both, NULL);
    memcpy(logp, both, sizeof logp);
    for (int i = 0; i < BINS; i++)
        sum += exp(logp[i]);
    must_msg(fabs(sum - 1) < 0.02, "they add up to %g", sum);
    gm_model_free(real);
    gm_dataset_free(rows);
    gm_dataset_free(values);
    gm_dataset_free(repeated);
    gm_dataset_free(read);
    gm_context_free(ctx);
}
END_TEST

START_TEST(test_lost)
{
    static const char *const none[] = {NULL};
    gm_context *ctx = context_with_bell();
    double x[N];
    draw_cells(x, N, 0, 5);
    gm_dataset *rows = rows_of(ctx, x, N, 1);
    gm_model *real = fit_bell(ctx, rows, "steps=9", "transform=none"),
             *bounded = fit_bell(ctx, rows, "steps=9", "transform=logit");
    x[3] = 100;
    gm_dataset *far = rows_of(ctx, x, N, 1);
    gm_comparison c = compared(ctx, real, bounded, far, none, NULL, NULL);
    must(c.lost_a == 0 && c.lost_b == 1 && c.difference == INFINITY && c.error != c.error);
    must(c.mean_b == -INFINITY && c.mean_a - c.mean_a == 0);
    c = compared(ctx, bounded, bounded, far, none, NULL, NULL);
    must(c.difference == 0 && c.won == 0.5 && c.lost_a == 1);
    gm_model_free(real);
    gm_model_free(bounded);
    gm_dataset_free(rows);
    gm_dataset_free(far);
    gm_context_free(ctx);
}
END_TEST

START_TEST(test_refused)
{
    gm_context *ctx = context_with_bell();
    double x[2 * N];
    draw_cells(x, 2 * N, 0.5, 5);
    gm_dataset *one = rows_of(ctx, x, N, 1), *two = rows_of(ctx, x, N, 2), *whole;
    test_ok(ctx, gm_dataset_with_type(ctx, one, 0, GM_COLUMN_REAL, 0, &whole));
    gm_model *a = fit_bell(ctx, one, "steps=2", "transform=none"),
             *b = fit_bell(ctx, two, "steps=2", "transform=none");
    gm_comparison c = {.struct_size = sizeof c, .rows = 7}, old = {.struct_size = 4};
    test_fails(ctx, gm_compare(ctx, a, b, one, NULL, &c, NULL, NULL), GM_E_SHAPE, "2");
    test_fails(ctx, gm_compare(ctx, a, a, one, NULL, &c, NULL, NULL), GM_E_SEED, "seed");
    test_fails(ctx, gm_compare(ctx, a, a, one, NULL, &old, NULL, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_compare(ctx, a, NULL, one, NULL, &c, NULL, NULL), GM_E_ARG, NULL);
    must(c.rows == 7);
    gm_model_free(a);
    gm_model_free(b);
    gm_dataset_free(one);
    gm_dataset_free(two);
    gm_dataset_free(whole);
    gm_context_free(ctx);
}
END_TEST

static gm_status starved(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx;
    gm_options *how = NULL;
    gm_comparison c = {.struct_size = sizeof c};
    void **given = arg;
    gm_status code = gm_context_create(&config, &ctx);
    if (code)
        return code;
    code = gm_options_create(ctx, &how);
    if (!code)
        code = gm_options_set_text(ctx, how, "seed", "1");
    if (!code)
        code = gm_options_set_text(ctx, how, "draws", "2");
    if (!code)
        code = gm_compare(ctx, given[0], given[0], given[1], how, &c, NULL, NULL);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(test_memory_short)
{
    gm_context *ctx = context_with_bell();
    double x[N];
    draw_cells(x, N, 0.5, 5);
    gm_dataset *rows = rows_of(ctx, x, N, 1);
    gm_model *model = fit_bell(ctx, rows, "steps=2", "transform=none");
    void *given[] = {model, rows};
    ck_assert_int_gt(test_every_failure(starved, given, 0), 5);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("compare");
    TCase *t = tcase_create("compare");
    tcase_add_test(t, test_plain);
    tcase_add_test(t, test_bins);
    tcase_add_test(t, test_sum);
    tcase_add_test(t, test_lost);
    tcase_add_test(t, test_refused);
    tcase_add_test(t, test_memory_short);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
