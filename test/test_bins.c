/* Real columns whose values repeat, taken as bins: alike, but for the unit, to columns of whole
 * numbers, whose own oracles stand elsewhere. */
#include "transform_cases.h"
#include "genmod/model.h"

#include <math.h>

#define N 400

/* Normal draws rounded to tenths (or to steps of 0.75), and how many steps each is. */
static void two_columns(gm_context *ctx, double per, gm_dataset **bins, gm_dataset **whole)
{
    double x[N], k[N];
    gm_dataset *real;
    uint64_t state = 11;
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < 6; j++)
            sum += test_uniform(&state, -2, 2);
        k[i] = floor(sum * 3 + 0.5);
        x[i] = per > 0 ? k[i] / per : k[i] * 0.75;
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 1, 0, bins));
    test_ok(ctx, gm_dataset_from_f64(ctx, k, N, 1, 0, &real));
    test_ok(ctx, gm_dataset_with_type(ctx, real, 0, GM_COLUMN_INTEGER, 0, whole));
    gm_dataset_free(real);
}

static gm__transform *with_bins(gm_context *ctx, const gm_dataset *data, const char *by,
                                const gm__counting *counting)
{
    const gm_option_row *tables[] = {gm__transform_options};
    gm_options *bag;
    gm__values *v;
    gm__transform *t, *again;
    test_ok(ctx, gm_options_create(ctx, &bag));
    test_ok(ctx, gm_options_set_text(ctx, bag, "transform", by));
    test_ok(ctx, gm_options_set_text(ctx, bag, "repeated", "bins"));
    test_ok(ctx, gm__values_create(ctx, "fit", tables, 1, GM_STAGE_FIT, bag, &v));
    test_ok(ctx, gm__transform_fit(ctx, data, NULL, v, counting, &t));
    test_ok(ctx, reparse(ctx, t, gm__dataset_schema(data), -1, 0, &again));
    gm__transform_release(t);
    gm__values_free(v);
    gm_options_free(bag);
    return again;
}

/* The same outputs, bit for bit, as whole numbers give; and the values come back as they were. */
START_TEST(as_whole_numbers)
{
    static const double pers[] = {10, 0, 1000};
    gm_context *ctx = test_context(NULL);
    gm_dataset *bins, *whole;
    double x[N], k[N], y[N], z[N], det[N], its_det[N], back[N];
    unsigned char support[N];
    for (int p = 0; p < 3; p++) {
        two_columns(ctx, pers[p], &bins, &whole);
        gm__dataset_rows(bins, NULL, 0, N, x);
        gm__dataset_rows(whole, NULL, 0, N, k);
        gm__transform *t = with_bins(ctx, bins, ways[_i], NULL),
                      *u = fitted(ctx, whole, ways[_i], "false");
        const gm__noise noise = {1, 5, 6};
        ck_assert(gm__transform_random(t));
        gm__transform_forward(t, x, N, &noise, 0, NULL, y, NULL, det, support);
        gm__transform_forward(u, k, N, &noise, 0, NULL, z, NULL, its_det, NULL);
        ck_assert(memcmp(y, z, sizeof y) == 0 && memcmp(det, its_det, sizeof det) == 0);
        gm__transform_inverse(t, y, NULL, N, back, NULL);
        for (int i = 0; i < N; i++)
            ck_assert_msg(support[i] &&
                              (pers[p] > 0 ? back[i] == x[i] : fabs(back[i] - x[i]) < 1e-12),
                          "%.17g came back as %.17g", x[i], back[i]);
        gm__transform_release(t);
        gm__transform_release(u);
        gm_dataset_free(bins);
        gm_dataset_free(whole);
    }
    gm_context_free(ctx);
}
END_TEST

/* Of families that take what counts as it is: levels, with room on both sides. */
START_TEST(as_levels)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *bins, *whole;
    double x[N], y[N], det[N], back[N], low = 1e9, high = -1e9, far[2];
    unsigned char support[N];
    gm_x_column c;
    two_columns(ctx, 10, &bins, &whole);
    gm__dataset_rows(bins, NULL, 0, N, x);
    for (int i = 0; i < N; i++) {
        low = fmin(low, floor(x[i] * 10 + 0.5));
        high = fmax(high, floor(x[i] * 10 + 0.5));
    }
    gm__counting counting = {0};
    gm__transform *t = with_bins(ctx, bins, "standard", &counting);
    ck_assert(!gm__transform_random(t));
    ck_assert_int_eq(gm__transform_x_columns(t, &c), 1);
    ck_assert_int_eq(c.kind, GM_X_LEVELS);
    ck_assert(fabs((c.high - c.low) / c.step - 3 * (high - low) - 2) < 1e-6);
    gm__transform_forward(t, x, N, NULL, 0, NULL, y, NULL, det, support);
    gm__transform_inverse(t, y, NULL, N, back, NULL);
    for (int i = 0; i < N; i++)
        ck_assert(support[i] && det[i] == 0 && back[i] == x[i]);
    far[0] = (2 * high - low + 1) / 10;
    far[1] = (2 * high - low + 2) / 10;
    gm__transform_forward(t, far, 2, NULL, 0, NULL, y, NULL, det, support);
    ck_assert(support[0] == 1 && support[1] == 0);
    gm__transform_release(t);
    gm_dataset_free(bins);
    gm_dataset_free(whole);
    gm_context_free(ctx);
}
END_TEST

static gm_model *fit_flow(gm_context *ctx, const gm_dataset *data, const char *repeated,
                          gm_options **bag)
{
    static const char *const how[][2] = {{"seed", "3"},    {"steps", "60"},  {"layers", "2"},
                                         {"hidden", "16"}, {"batch", "100"}, {"draws", "500"}};
    gm_model *m;
    test_ok(ctx, gm_options_create(ctx, bag));
    for (size_t i = 0; i < sizeof how / sizeof *how; i++)
        test_ok(ctx, gm_options_set_text(ctx, *bag, how[i][0], how[i][1]));
    test_ok(ctx, gm_options_set_text(ctx, *bag, "repeated", repeated));
    test_ok(ctx, gm_fit(ctx, "flow", data, *bag, &m));
    return m;
}

/* A model of bins gives the bits of one of whole numbers; probabilities of all bins add up to less
 * than one, as a bound must, and nearly to it; draws lie on the grid. */
START_TEST(probabilities)
{
    enum { ALL = 201 };
    gm_context *ctx = test_context(NULL);
    gm_dataset *bins, *whole;
    gm_options *how, *same;
    double x[ALL], k[ALL], logp[ALL], its[ALL], drawn[50], sum = 0;
    two_columns(ctx, 10, &bins, &whole);
    gm_model *m = fit_flow(ctx, bins, "bins", &how), *w = fit_flow(ctx, whole, "real", &same);
    ck_assert_int_eq(gm_model_log_prob_kind(m), 2);
    for (int i = 0; i < ALL; i++) {
        k[i] = i - ALL / 2;
        x[i] = k[i] / 10;
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, m, x, ALL, 0, how, logp));
    test_ok(ctx, gm_model_log_prob_f64(ctx, w, k, ALL, 0, same, its));
    ck_assert(memcmp(logp, its, sizeof logp) == 0);
    for (int i = 0; i < ALL; i++)
        sum += exp(logp[i]);
    ck_assert_msg(sum > 0.97 && sum < 1.02, "they add up to %g", sum);
    test_ok(ctx, gm_model_sample_f64(ctx, m, 50, NULL, how, drawn));
    for (int i = 0; i < 50; i++)
        ck_assert_msg(drawn[i] == floor(drawn[i] * 10 + 0.5) / 10, "drawn: %.17g", drawn[i]);
    gm_model_free(m);
    gm_model_free(w);
    gm_options_free(how);
    gm_options_free(same);
    gm_dataset_free(bins);
    gm_dataset_free(whole);
    gm_context_free(ctx);
}
END_TEST

/* A grid that was moved and scaled, as standardised columns are, has bins of its own; and few
 * values that come again make none. */
START_TEST(moved_grid)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *bins, *whole, *moved, *loose;
    gm_options *how;
    double x[N], back[N], logp[61], all[61], sum = 0;
    gm_column c = {.struct_size = sizeof c};
    two_columns(ctx, 10, &bins, &whole);
    gm__dataset_rows(whole, NULL, 0, N, x);
    for (int i = 0; i < N; i++)
        x[i] = (x[i] - 1.0 / 7) / 3.7;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 1, 0, &moved));
    test_ok(ctx, gm_dataset_column(ctx, moved, 0, &c));
    ck_assert(c.resolution == 0);
    gm__transform *t = with_bins(ctx, moved, "standard", NULL);
    ck_assert_msg(fabs(gm__transform_unit(t, 0) * 3.7 - 1) < 1e-9, "%g", gm__transform_unit(t, 0));
    gm__transform_release(t);
    /* as text with nine digits has it: the resolution is that of the digits */
    for (int i = 0; i < N; i++)
        back[i] = floor(x[i] * 1e9 + 0.5) / 1e9;
    test_ok(ctx, gm_dataset_from_f64(ctx, back, N, 1, 0, &loose));
    test_ok(ctx, gm_dataset_column(ctx, loose, 0, &c));
    ck_assert(fabs(c.resolution * 1e9 - 1) < 1e-6);
    t = with_bins(ctx, loose, "standard", NULL);
    ck_assert_msg(fabs(gm__transform_unit(t, 0) * 3.7 - 1) < 1e-6, "%g", gm__transform_unit(t, 0));
    gm__transform_release(t);
    gm_dataset_free(loose);
    /* two values far from the grid through 0 */
    gm__counting counting = {0};
    for (int i = 0; i < N; i++)
        back[i] = i % 3 ? -0.0976 : 10.243;
    test_ok(ctx, gm_dataset_from_f64(ctx, back, N, 1, 0, &loose));
    t = with_bins(ctx, loose, "none", &counting);
    ck_assert(fabs(gm__transform_unit(t, 0) - 10.3406) < 1e-9);
    gm__transform_release(t);
    gm_dataset_free(loose);
    gm_model *m = fit_flow(ctx, moved, "bins", &how);
    for (int i = 0; i < 61; i++)
        all[i] = (i - 30 - 1.0 / 7) / 3.7;
    test_ok(ctx, gm_model_log_prob_f64(ctx, m, all, 61, 0, how, logp));
    for (int i = 0; i < 61; i++)
        sum += exp(logp[i]);
    ck_assert_msg(sum > 0.95 && sum < 1.02, "they add up to %g", sum);
    gm_model_free(m);
    gm_options_free(how);
    for (int i = 0; i < N; i++)
        x[i] += i % 20 ? 1e-3 * i : 0;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 1, 0, &loose));
    t = with_bins(ctx, loose, "standard", NULL);
    ck_assert(gm__transform_unit(t, 0) == 0 && !gm__transform_random(t));
    gm__transform_release(t);
    gm_dataset_free(loose);
    gm_dataset_free(moved);
    gm_dataset_free(bins);
    gm_dataset_free(whole);
    gm_context_free(ctx);
}
END_TEST

/* Whether a column repeats is told by all rows, so that fits that keep some aside see the same
 * columns as those that keep none: here an eighth of the values comes again, of half the rows about
 * a sixteenth. */
START_TEST(repeats_of_all_rows)
{
    enum { MANY = 800 };
    static const char *const kept[] = {"0", "0.5"};
    gm_context *ctx = test_context(NULL);
    gm_dataset *data;
    gm_options *bag;
    gm_model *m;
    double x[MANY];
    for (int i = 0; i < MANY; i++)
        x[i] = sqrt(2 + (double)(i % 700) * 3.7);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, MANY, 1, 0, &data));
    for (int k = 0; k < 2; k++) {
        test_ok(ctx, gm_options_create(ctx, &bag));
        test_ok(ctx, gm_options_set_text(ctx, bag, "seed", "3"));
        test_ok(ctx, gm_options_set_text(ctx, bag, "steps", "1"));
        test_ok(ctx, gm_options_set_text(ctx, bag, "repeated", "bins"));
        test_ok(ctx, gm_options_set_text(ctx, bag, "valid", kept[k]));
        test_ok(ctx, gm_fit(ctx, "flow", data, bag, &m));
        ck_assert_int_eq(gm_model_log_prob_kind(m), 2);
        gm_model_free(m);
        gm_options_free(bag);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bins");
    TCase *t = tcase_create("bins");
    tcase_add_loop_test(t, as_whole_numbers, 0, 4);
    tcase_add_test(t, as_levels);
    tcase_add_test(t, probabilities);
    tcase_add_test(t, repeats_of_all_rows);
    tcase_add_test(t, moved_grid);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
