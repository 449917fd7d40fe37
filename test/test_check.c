/* Calibration and self-check: what is right passes, what is wrong shows, with the sizes that closed
 * forms give. */
#include "law_cases.h"

static gm_options *seeded(gm_context *ctx, const char *draws)
{
    const char *settings[] = {"seed=7", draws, NULL};
    return case_options(ctx, settings);
}

/* Rows that a model of laws draws: all cells missing. */
static double *drawn_from(gm_context *ctx, const gm_model *model, int64_t n, int64_t d)
{
    double *x = malloc((size_t)(n * d) * sizeof *x), *none = malloc((size_t)d * sizeof *none);
    gm_options *opts = seeded(ctx, NULL);
    gm_array given, rows;
    for (int64_t j = 0; j < d; j++)
        none[j] = NAN;
    gm_array_init(&given, GM_F64, none, 1, d);
    gm_array_init(&rows, GM_F64, x, n, d);
    test_ok(ctx, gm_model_sample_given(ctx, model, n, &given, NULL, opts, &rows));
    gm_options_free(opts);
    free(none);
    return x;
}

/* Of columns of every type: u is uniform for rows of the model's own, and not for others. */
START_TEST(columns_of_the_model)
{
    enum { N = 3000 };
    static double pit[N * 4];
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 60), *own;
    gm_model *model = law_fit(ctx, "ladder", rows, "standard");
    double *x = drawn_from(ctx, model, N, 4), distance[4];
    gm_options *opts = seeded(ctx, NULL);
    gm_calibration c = {.struct_size = sizeof c};
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 4, 0, &own));
    test_ok(ctx, gm_calibrate(ctx, model, own, opts, &c, distance, pit));
    ck_assert(c.rows == N && c.columns == 4 && c.draws == 0 && c.why_no_columns == 0);
    ck_assert_msg(c.worst_chance > 1e-3, "by chance in %g", c.worst_chance);
    for (int j = 0; j < 4; j++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            must(pit[i * 4 + j] >= 0 && pit[i * 4 + j] <= 1);
            mean += pit[i * 4 + j] / N;
            squares += pit[i * 4 + j] * pit[i * 4 + j] / N;
        }
        ck_assert_msg(fabs(mean - 0.5) < 4 * sqrt(1.0 / 12 / N), "column %d: mean %g", j, mean);
        ck_assert_msg(fabs(squares - 1.0 / 3) < 4 * sqrt(4.0 / 45 / N), "%g", squares);
        ck_assert(distance[j] <= c.worst_distance && distance[j] > 0);
    }
    for (int i = 0; i < N; i++)
        x[i * 4] = 1.2 * x[i * 4]; /* a fifth wider */
    gm_dataset_free(own);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 4, 0, &own));
    test_ok(ctx, gm_calibrate(ctx, model, own, opts, &c, NULL, NULL));
    ck_assert_msg(c.worst_column == 0 && c.worst_chance < 1e-3, "%d: %g", (int)c.worst_column,
                  c.worst_chance);
    test_fails(ctx, gm_calibrate(ctx, model, own, NULL, &c, NULL, NULL), GM_E_SEED, "seed");
    test_fails(ctx, gm_calibrate(ctx, model, NULL, opts, &c, NULL, NULL), GM_E_ARG, "NULL");
    gm_options_free(opts);
    gm_dataset_free(own);
    gm_dataset_free(rows);
    gm_model_free(model);
    free(x);
    gm_context_free(ctx);
}
END_TEST

/* ---- Models with a known flaw ---------------------------------------------------------------- */

static gm_node *normal_base(gm_builder *b)
{
    int64_t shape[2] = {GM_BATCH, gm_builder_width(b)};
    return gm_normal(b, 2, shape);
}
static gm_node *same(gm_builder *b, gm_node *z)
{
    return gm_add(b, z, gm_scale(b, case_row(b, "idle", z, GM_INIT_ZEROS), 0));
}
static gm_node *twice(gm_builder *b, gm_node *z)
{
    return gm_scale(b, same(b, z), 2);
}
static gm_node *honest_log_prob(gm_builder *b, gm_node *x)
{
    return gm_log_standard_normal(b, same(b, x));
}
static gm_node *greedy_log_prob(gm_builder *b, gm_node *x)
{
    return gm_shift(b, honest_log_prob(b, x), log(1.5));
}
#define FLAWED(NAME, LOG_PROB, DECODE)                                                             \
    static const gm_family NAME = {.struct_size = sizeof NAME,                                     \
                                   .version = 1,                                                   \
                                   .name = #NAME,                                                  \
                                   .summary = "normal columns",                                    \
                                   .log_prob_kind = GM_EXACT,                                      \
                                   .log_prob = LOG_PROB,                                           \
                                   .encode = same,                                                 \
                                   .decode = DECODE,                                               \
                                   .base = normal_base}
FLAWED(honest, honest_log_prob, same);
FLAWED(greedy, greedy_log_prob, same);
FLAWED(wide, honest_log_prob, twice);

static gm_self_checked check(gm_context *ctx, const gm_model *model)
{
    gm_self_checked c = {.struct_size = sizeof c};
    gm_options *opts = seeded(ctx, "draws=4000");
    test_ok(ctx, gm_self_check(ctx, model, NULL, opts, &c));
    gm_options_free(opts);
    return c;
}

START_TEST(flaws_show)
{
    static const gm_family *const families[] = {&honest, &greedy, &wide};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = law_reals(ctx, 40, 3);
    for (int k = 0; k < 3; k++) {
        test_ok(ctx, gm_family_register(ctx, families[k]));
        gm_model *model = law_fit(ctx, families[k]->name, rows, "standard");
        gm_self_checked c = check(ctx, model);
        double mass = k == 1 ? 1.5 : 1;
        ck_assert_msg(fabs(c.integral - mass) < 4 * c.integral_error && c.integral_error < 0.05,
                      "%s: %g +- %g", families[k]->name, c.integral, c.integral_error);
        ck_assert(c.effective > 200 && c.effective <= 4000);
        double off = fabs(c.drawn - c.weighed), error = hypot(c.drawn_error, c.weighed_error);
        ck_assert_msg(k == 2 ? off > 10 * error : off < 4 * error, "%s: %g and %g (%g)",
                      families[k]->name, c.drawn, c.weighed, error);
        /* E|x| of x -> 2x: the mean of a half normal, twice as wide, in deviations of 2 */
        ck_assert_msg(k == 2 ? c.return_most > 1 : c.return_most < 1e-9, "%g", c.return_most);
        gm_model_free(model);
    }
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Rows from the model lie in its regions as they should; rows of half the spread do not. */
START_TEST(regions)
{
    enum { N = 2000 };
    static double x[N * 3];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = law_reals(ctx, 40, 3), *new_rows;
    test_ok(ctx, gm_family_register(ctx, &honest));
    gm_model *model = law_fit(ctx, "honest", rows, "none");
    gm_options *opts = seeded(ctx, "draws=5000");
    uint64_t state = 12;
    for (int k = 0; k < 2; k++) {
        gm_calibration c = {.struct_size = sizeof c};
        double p = 0;
        for (int i = 0; i < N * 3; i++)
            x[i] = (k ? 0.5 : 1) * case_normal(&state);
        test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 3, 0, &new_rows));
        test_ok(ctx, gm_calibrate(ctx, model, new_rows, opts, &c, NULL, NULL));
        ck_assert(c.draws == 5000 && c.level[0] == 0.5 && c.level[4] == 0.99);
        for (int q = 0; q < GM_CALIBRATION_LEVELS; q++) {
            int inside = c.coverage[q] >= c.low[q] && c.coverage[q] <= c.high[q];
            ck_assert_msg(k ? c.coverage[q] > c.high[q] || q == 4 : inside, "level %g holds %g",
                          c.level[q], c.coverage[q]);
        }
        for (int i = 0; i < N * 3; i++)
            p += (-0.5 * x[i] * x[i] - 0.91893853320467274178) / N;
        ck_assert(test_close(c.mean_log_prob, p, 1e-9, 1e-9));
        ck_assert(fabs(c.mean_drawn + 3 * (0.5 + 0.91893853320467274178)) < 4 * sqrt(1.5 / 5000));
        gm_dataset_free(new_rows);
    }
    gm_options_free(opts);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Two fair bits: four kinds of rows, of which no number makes up a region of 90 %. */
START_TEST(regions_of_counts)
{
    enum { N = 3000 };
    static double x[N * 2];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows, *first, *both;
    const char *settings[] = {"seed=1", "valid=0", NULL};
    gm_options *how = case_options(ctx, settings), *opts = seeded(ctx, "draws=4000");
    gm_calibration c = {.struct_size = sizeof c};
    gm_model *model;
    uint64_t state = 9;
    for (int i = 0; i < N * 2; i++)
        x[i] = test_uniform(&state, 0, 1) < 0.5;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 2, 0, &rows));
    test_ok(ctx, gm_dataset_with_type(ctx, rows, 0, GM_COLUMN_BINARY, 0, &first));
    test_ok(ctx, gm_dataset_with_type(ctx, first, 1, GM_COLUMN_BINARY, 0, &both));
    test_ok(ctx, gm_fit(ctx, "kde", both, how, &model));
    test_ok(ctx, gm_calibrate(ctx, model, both, opts, &c, NULL, NULL));
    for (int q = 0; q < GM_CALIBRATION_LEVELS; q++)
        ck_assert_msg(c.coverage[q] >= c.low[q] && c.coverage[q] <= c.high[q],
                      "level %g holds %g, not %g to %g", c.level[q], c.coverage[q], c.low[q],
                      c.high[q]);
    gm_model_free(model);
    gm_options_free(opts);
    gm_options_free(how);
    gm_dataset_free(both);
    gm_dataset_free(first);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Whole numbers, flags and categories are added up: a mixture with every type of column. */
START_TEST(sums_over_counts)
{
    gm_context *ctx = law_context(NULL);
    gm_dataset *rows = law_mixed(ctx, 400);
    const char *settings[] = {"seed=1", "components=2", NULL};
    gm_options *how = case_options(ctx, settings), *opts = seeded(ctx, "draws=4000");
    gm_model *model;
    gm_self_checked c = {.struct_size = sizeof c};
    test_ok(ctx, gm_fit(ctx, "mixture", rows, how, &model));
    test_fails(ctx, gm_self_check(ctx, model, NULL, NULL, &c), GM_E_SEED, "seed");
    test_ok(ctx, gm_self_check(ctx, model, NULL, opts, &c));
    ck_assert_msg(c.integral < 1 + 4 * c.integral_error && c.integral > 0.7, "%g +- %g", c.integral,
                  c.integral_error);
    ck_assert(c.effective > 200);
    gm_model_free(model);
    gm_options_free(how);
    gm_options_free(opts);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A distance that tables of Kolmogorov's statistic (Miller 1956) give 1 in 20 or 1 in 100, of rows
 * that were put at it: the density is flat from -1 to 3. And those at which Stephens' statistic
 * D (sqrt n + 0.12 + 0.11 / sqrt n) is 1.2, 1.36 and 1.6, as SciPy's kstwobign.sf has their
 * chances. */
START_TEST(tabled_chances)
{
    static const struct {
        int n;
        double chance, distance;
    } table[] = {{10, 0.05, 0.40925},
                 {10, 0.01, 0.48893},
                 {20, 0.05, 0.29408},
                 {20, 0.01, 0.35241},
                 {4, 0.1122496667, 1.2 / 2.175},
                 {4, 0.0494858768, 1.36 / 2.175},
                 {16, 0.0494858768, 1.36 / 4.1475},
                 {16, 0.0119520432, 1.6 / 4.1475}};
    gm_context *ctx = law_context(NULL);
    double two[] = {0, 2}, x[20], distance;
    const char *settings[] = {"seed=1", "valid=0", "kernel=tophat", "bandwidth=1", NULL};
    gm_options *how = case_options(ctx, settings), *opts = seeded(ctx, NULL);
    gm_dataset *rows, *own;
    gm_model *model;
    gm_calibration c = {.struct_size = sizeof c};
    test_ok(ctx, gm_dataset_from_f64(ctx, two, 2, 1, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    for (int k = 0; k < 8; k++) {
        for (int i = 0; i < table[k].n; i++) {
            double u = (i + 1.0) / table[k].n - table[k].distance;
            x[i] = 4 * (u > 0.01 ? u : 0.01) - 1;
        }
        test_ok(ctx, gm_dataset_from_f64(ctx, x, table[k].n, 1, 0, &own));
        test_ok(ctx, gm_calibrate(ctx, model, own, opts, &c, &distance, NULL));
        ck_assert_msg(fabs(distance - table[k].distance) < 1e-12, "%.17g", distance);
        ck_assert_msg(fabs(c.worst_chance - table[k].chance) < (k < 4 ? 5e-4 : 1e-9),
                      "n %d: %g, not %g", table[k].n, c.worst_chance, table[k].chance);
        gm_dataset_free(own);
    }
    gm_model_free(model);
    gm_options_free(how);
    gm_options_free(opts);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("check");
    TCase *t = tcase_create("check");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, columns_of_the_model);
    tcase_add_test(t, flaws_show);
    tcase_add_test(t, tabled_chances);
    tcase_add_test(t, regions);
    tcase_add_test(t, regions_of_counts);
    tcase_add_test(t, sums_over_counts);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
