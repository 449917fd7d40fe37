/* Anomalies: scores, p-values against counts and their law, blame against known laws. */
#include "flow_cases.h"
#include "genmod/anomaly.h"
#include "genmod/extend.h"
#include "genmod/train.h"

#include <math.h>

enum { N = 600 };

/* y = 2 x + noise, and z on its own; every `odd`-th row is far away. */
static void fill(double *x, int64_t n, uint64_t seed, int odd)
{
    uint64_t state = seed;
    for (int64_t i = 0; i < n; i++) {
        double a = case_normal(&state);
        x[3 * i] = a;
        x[3 * i + 1] = 2 * a + 0.2 * case_normal(&state);
        x[3 * i + 2] = 5 * case_normal(&state);
        if (odd && i % odd == 0)
            x[3 * i + 1] = 12 + case_normal(&state);
    }
}

static gm_dataset *rows_of(gm_context *ctx, const double *x, int64_t n)
{
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, 3, 0, &rows));
    return rows;
}

static gm_model *fit(gm_context *ctx, const char *family, const gm_dataset *rows,
                     const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit_anomaly(ctx, family, rows, how, &model));
    gm_options_free(how);
    return model;
}

static const char *const one_normal[] = {"seed=4", "components=1", NULL};
static const char *const seeded[] = {"seed=1", NULL};

/* p-values are counts of calibration rows; rows like those have p <= a with probability a. */
START_TEST(test_p_values)
{
    static const char *const ladder[] = {"seed=4", "seconds=20", "rungs=kde", "refit=true", NULL};
    gm_context *ctx = test_context(NULL);
    double x[3 * N], c[3 * N], score[N], p[N], its[N];
    fill(x, N, 1, 0);
    fill(c, N, 2, 0);
    gm_dataset *rows = rows_of(ctx, x, N), *other = rows_of(ctx, c, N);
    gm_model *model = _i ? fit(ctx, "auto", rows, ladder) : fit(ctx, "mixture", rows, one_normal);
    test_ok(ctx, gm_model_anomaly(ctx, model, rows, other, NULL, score, p));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, c, N, 0, NULL, its));
    for (int i = 0; i < N; i += 7) {
        int count = 1;
        for (int k = 0; k < N; k++)
            count += -its[k] >= score[i];
        must_msg(p[i] == count / (N + 1.0), "%g, not %d of %d", p[i], count, N + 1);
    }
    /* those kept in the model: 120 of the 600, and rows that no fit saw */
    test_ok(ctx, gm_model_anomaly(ctx, model, other, NULL, NULL, score, p));
    for (int level = 1; level <= 9; level += 4) {
        int below = 0;
        for (int i = 0; i < N; i++)
            below += p[i] <= level / 10.0;
        double share = below / (double)N, a = level / 10.0;
        must_msg(fabs(share - a) < 4 * sqrt(a * (1 - a) * (1 / 120.0 + 1.0 / N)), "level %g: %g", a,
                 share);
    }
    for (int i = 0; i < N; i++)
        must_msg(fabs(p[i] * 121 - floor(p[i] * 121 + 0.5)) < 1e-9, "%g", p[i]);
    test_ok(ctx, gm_model_anomaly(ctx, model, other, NULL, NULL, its, NULL));
    must(memcmp(its, score, sizeof its) == 0);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_dataset_free(other);
    gm_context_free(ctx);
}
END_TEST

static double deviation_of(gm_context *ctx, const gm_model *model)
{
    double drawn[3 * 2000], sum = 0, squares = 0;
    gm_options *how = case_options(ctx, seeded);
    test_ok(ctx, gm_model_sample_f64(ctx, model, 2000, NULL, how, drawn));
    gm_options_free(how);
    for (int i = 0; i < 2000; i++) {
        sum += drawn[3 * i + 1] / 2000;
        squares += drawn[3 * i + 1] * drawn[3 * i + 1] / 2000;
    }
    return sqrt(squares - sum * sum);
}

/* One row in 20 lies far away; without them the second column deviates by 2. */
START_TEST(test_trim)
{
    static const char *const whole[] = {"seed=4", "components=1", "trim=0", NULL};
    gm_context *ctx = test_context(NULL);
    double x[3 * N];
    fill(x, N, 1, 20);
    gm_dataset *rows = rows_of(ctx, x, N);
    gm_model *trimmed = fit(ctx, "mixture", rows, one_normal),
             *plain = fit(ctx, "mixture", rows, whole);
    must_msg(deviation_of(ctx, plain) > 2.7, "%g", deviation_of(ctx, plain));
    must_msg(deviation_of(ctx, trimmed) < 2.1, "%g", deviation_of(ctx, trimmed));
    gm_model_free(trimmed);
    gm_model_free(plain);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* In a normal distribution the gain of column j is half the square of how far it lies from its mean
 * given the others, in its own deviations: here by the laws of a mixture of one, and by the values
 * of rows that a flow draws. */
START_TEST(test_blame)
{
    static const char *const flow[] = {"seed=1",           "steps=300", "layers=2", "hidden=16",
                                       "coupling=realnvp", "batch=100", NULL};
    gm_context *ctx = test_context(NULL);
    double x[3 * N], odd[] = {0, 3, 0, 0, 0, 30, 1, 2, 0}, blame[9];
    fill(x, N, 1, 0);
    gm_dataset *rows = rows_of(ctx, x, N), *asked = rows_of(ctx, odd, 3);
    gm_options *how = case_options(ctx, seeded);
    for (int family = 0; family < 2; family++) {
        gm_model *model =
            family ? fit(ctx, "flow", rows, flow) : fit(ctx, "mixture", rows, one_normal);
        test_ok(ctx, gm_model_blame(ctx, model, asked, how, blame));
        for (int i = 0; i < 9; i++)
            must_msg(blame[i] >= 0, "%g", blame[i]);
        must_msg(blame[1] > 5 && blame[1] > blame[2], "%g %g %g", blame[0], blame[1], blame[2]);
        must_msg(blame[5] > 5 && blame[5] > blame[3] && blame[5] > blame[4], "%g", blame[5]);
        must_msg(blame[6] < 2 && blame[7] < 2 && blame[8] < 2, "a row like others: %g %g %g",
                 blame[6], blame[7], blame[8]);
        if (family == 0) { /* trimmed: deviations are a little less than 0.2 and 5 */
            must_msg(blame[1] > 0.5 * 15 * 15 && blame[1] < 0.5 * 15 * 15 * 1.6, "%g", blame[1]);
            must_msg(blame[5] > 0.5 * 6 * 6 && blame[5] < 0.5 * 6 * 6 * 1.6, "%g", blame[5]);
        }
        gm_model_free(model);
    }
    gm_options_free(how);
    gm_dataset_free(asked);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Scores are kept by the file, to the bit; a model without them says what to do. */
START_TEST(test_file)
{
    gm_context *ctx = test_context(NULL);
    double x[3 * N], score[N], p[N], again[N];
    test_sink sink = {0};
    gm_model *plain, *back;
    fill(x, N, 1, 20);
    gm_dataset *rows = rows_of(ctx, x, N);
    gm_model *model = fit(ctx, "mixture", rows, one_normal);
    gm_writer writer = test_sink_writer(&sink);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    test_ok(ctx, gm_model_load_memory(ctx, sink.data, sink.size, &back));
    test_ok(ctx, gm_model_anomaly(ctx, model, rows, NULL, NULL, score, p));
    test_ok(ctx, gm_model_anomaly(ctx, back, rows, NULL, NULL, score, again));
    must(memcmp(p, again, sizeof p) == 0);
    gm_model_free(back);
    gm_options *how = case_options(ctx, one_normal);
    test_ok(ctx, gm_fit(ctx, "mixture", rows, how, &plain));
    test_fails(ctx, gm_model_anomaly(ctx, plain, rows, NULL, NULL, score, p), GM_E_STATE,
               "--for anomaly");
    test_ok(ctx, gm_model_anomaly(ctx, plain, rows, NULL, NULL, score, NULL));
    test_fails(ctx, gm_model_blame(ctx, plain, rows, NULL, score), GM_E_SEED, "seed");
    test_fails(ctx, gm_fit_anomaly(ctx, "mixture", rows, NULL, &back), GM_E_SEED, "seed");
    must(back == NULL);
    test_fails(ctx, gm_fit_anomaly(ctx, "mixtur", rows, how, &back), GM_E_UNKNOWN, "mixture");
    test_fails(ctx, gm_model_anomaly(ctx, NULL, rows, NULL, NULL, score, p), GM_E_ARG, NULL);
    gm_options_free(how);
    gm_model_free(plain);
    gm_model_free(model);
    gm_dataset_free(rows);
    test_sink_clear(&sink);
    gm_context_free(ctx);
}
END_TEST

/* The ladder for anomalies: it learns the rows that are left, and finds nearly all the rows far
 * away. */
START_TEST(test_ladder)
{
    static const char *const how[] = {"seed=2", "seconds=1", "rungs=gaussian,mixture", NULL};
    gm_context *ctx = test_context(NULL);
    double x[3 * N], score[N], p[N];
    fill(x, N, 1, 20);
    gm_dataset *rows = rows_of(ctx, x, N);
    gm_model *model = fit(ctx, "auto", rows, how);
    test_ok(ctx, gm_model_anomaly(ctx, model, rows, NULL, NULL, score, p));
    int found = 0;
    for (int i = 0; i < N; i += 20)
        found += p[i] < 0.1;
    must_msg(found >= 27, "%d of 30", found);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static gm_status starved(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx;
    gm_options *how = NULL;
    void **given = arg;
    double score[N], p[N];
    gm_status code = gm_context_create(&config, &ctx);
    if (code)
        return code;
    code = gm_options_create(ctx, &how);
    if (!code)
        code = gm_options_set_text(ctx, how, "seed", "1");
    if (!code)
        code = gm_model_anomaly(ctx, given[0], given[1], NULL, how, score, p);
    if (!code)
        code = gm_model_blame(ctx, given[0], given[2], how, p);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(test_memory_short)
{
    gm_context *ctx = test_context(NULL);
    double x[3 * N];
    fill(x, N, 1, 20);
    gm_dataset *rows = rows_of(ctx, x, N), *few = rows_of(ctx, x, 2);
    gm_model *model = fit(ctx, "mixture", rows, one_normal);
    void *given[] = {model, rows, few};
    ck_assert_int_gt(test_every_failure(starved, given, 40), 5);
    gm_model_free(model);
    gm_dataset_free(few);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("anomaly");
    TCase *t = tcase_create("anomaly");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, test_p_values, 0, 2); /* of a family, and of the ladder's best, which
                                                    learns again from rows that it held out */
    tcase_add_test(t, test_trim);
    tcase_add_test(t, test_blame);
    tcase_add_test(t, test_file);
    tcase_add_test(t, test_ladder);
    tcase_add_test(t, test_memory_short);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
