/* The ladder: what it tries, how it chooses, and that its record repeats a fit. */
#include "flow_cases.h"
#include "genmod/auto.h"
#include "genmod/extend.h"

#include <math.h>

enum { N = 400 };

/* A banana, and a column in steps of a half. */
static gm_dataset *banana(gm_context *ctx)
{
    double x[3 * N];
    uint64_t state = 8;
    gm_dataset *rows;
    for (int i = 0; i < N; i++) {
        double a = case_normal(&state), b = case_normal(&state);
        x[3 * i] = a;
        x[3 * i + 1] = a * a + 0.3 * b;
        x[3 * i + 2] = floor(2 * a + b) / 2;
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 3, 0, &rows));
    return rows;
}

typedef struct seen {
    int64_t rows, progress;
    int stop;
} seen;

static int32_t on_tried(void *user, const gm_auto_row *row)
{
    seen *s = user;
    must(row->struct_size == sizeof *row && *row->rung && *row->family);
    s->rows++;
    return s->stop;
}

static int32_t on_progress(void *user, const gm_progress *now)
{
    (void)now;
    ((seen *)user)->progress++;
    return 0;
}

static gm_status run(gm_context *ctx, const gm_dataset *rows, const char *const *settings, seen *s,
                     gm_auto_report **report, gm_model **model)
{
    gm_options *how = case_options(ctx, settings);
    gm_auto_config config = {.struct_size = sizeof config,
                             .rows = rows,
                             .options = how,
                             .tried = s ? on_tried : NULL,
                             .progress = s ? on_progress : NULL,
                             .user = s};
    gm_status code = gm_fit_auto(ctx, &config, report, model);
    gm_options_free(how);
    return code;
}

/* The options of a fit, but for its seconds. */
static gm_options *words_of(gm_context *ctx, const char *options)
{
    gm_options *how;
    char words[512], *word;
    snprintf(words, sizeof words, "%s", options);
    test_ok(ctx, gm_options_create(ctx, &how));
    for (word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        *value++ = 0;
        if (strcmp(word, "seconds") != 0)
            test_ok(ctx, gm_options_set_text(ctx, how, word, value));
    }
    return how;
}

/* The fit of a row again, by its steps. */
static gm_model *again(gm_context *ctx, const gm_dataset *train, const gm_auto_row *row,
                       int64_t steps)
{
    gm_options *how = words_of(ctx, row->options);
    gm_trainer *trainer;
    gm_model *model;
    test_ok(ctx, gm_options_set_int(ctx, how, "steps", row->horizon));
    test_ok(ctx, gm_options_set_int(ctx, how, "hold", row->hold));
    gm_fit_config config = {.struct_size = sizeof config, .train = train, .options = how};
    test_ok(ctx, gm_trainer_create(ctx, row->family, &config, &trainer));
    test_ok(ctx, gm_trainer_step(ctx, trainer, steps));
    test_ok(ctx, gm_trainer_model(ctx, trainer, &model));
    gm_trainer_free(trainer);
    gm_options_free(how);
    return model;
}

START_TEST(test_ladder)
{
    static const char *const settings[] = {
        "seed=3", "seconds=1.2", "draws=4", "refit=false", "rungs=flow, flow-autoregressive", NULL};
    static const char *const call[] = {"seed=3", "draws=4", NULL};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = banana(ctx), *train, *held;
    gm_auto_report *report;
    gm_model *model, *same;
    seen s = {0};
    test_ok(ctx, run(ctx, rows, settings, &s, &report, &model));
    ck_assert_int_eq(gm_auto_report_count(report), 2);
    ck_assert_int_eq(s.rows, 2);
    gm_auto_row row = {.struct_size = sizeof row}, other = row;
    test_ok(ctx, gm_auto_report_row(ctx, report, 0, &row));
    test_ok(ctx, gm_auto_report_row(ctx, report, 1, &other));
    must(row.chosen + other.chosen == 1 && row.status == 0 && other.status == 0);
    must(strcmp(row.rung, "flow") == 0 && strcmp(other.rung, "flow-autoregressive") == 0);
    if (other.chosen) {
        must(other.mean > row.mean);
        row = other;
    } else {
        must(row.mean >= other.mean);
    }
    must(row.kind == 2 && row.steps > 0 && row.horizon >= row.steps && row.lost == 0);
    must(strcmp(gm_model_family(model), row.family) == 0);

    /* its figure is the mean log density of the rows held out, and its record gives it again */
    test_ok(ctx, gm_dataset_split(ctx, rows, 0.15, 3, &train, &held));
    same = again(ctx, train, &row, row.steps);
    gm_options *how = case_options(ctx, call);
    int64_t n = gm_dataset_row_count(held);
    double logp[N], its[N], mean = 0;
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, held, NULL, how, logp, NULL));
    test_ok(ctx, gm_model_log_prob_rows(ctx, same, held, NULL, how, its, NULL));
    for (int64_t i = 0; i < n; i++)
        mean += logp[i] / (double)n;
    must_msg(fabs(mean - row.mean) < 1e-9, "%g, not %g", mean, row.mean);
    must(memcmp(logp, its, (size_t)n * sizeof *its) == 0);
    test_fails(ctx, gm_auto_report_row(ctx, report, 2, &row), GM_E_RANGE, "2 rows");
    gm_auto_report_free(report);
    gm_options_free(how);
    gm_model_free(model);
    gm_model_free(same);
    gm_dataset_free(train);
    gm_dataset_free(held);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Every rung that there is, on rows of every kind, in little time: the best has the best mean, and
 * failures do not end it. */
START_TEST(test_all)
{
    static const char *const settings[] = {"seed=5", "seconds=0.8", NULL};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = banana(ctx);
    gm_auto_report *report;
    gm_model *model;
    double best = -INFINITY, chosen = NAN;
    test_ok(ctx, run(ctx, rows, settings, NULL, &report, &model));
    must(gm_auto_report_count(report) >= 2);
    for (int64_t i = 0; i < gm_auto_report_count(report); i++) {
        gm_auto_row row = {.struct_size = sizeof row};
        test_ok(ctx, gm_auto_report_row(ctx, report, i, &row));
        must_msg(row.status == 0 || *row.why, "%s fails without a word", row.rung);
        must_msg(row.status == 0, "%s: %s", row.rung, row.why);
        best = row.status == 0 && row.mean > best ? row.mean : best;
        chosen = row.chosen ? row.mean : chosen;
    }
    must(chosen == best);
    gm_auto_report_free(report);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* With fewer rows than columns no full covariance: rows held out, which are standard normal here,
 * are worth about -columns (1 + log 2 pi) / 2. And a mixture that no time is left for is skipped.
 */
START_TEST(test_few_rows)
{
    enum { ROWS = 60, COLUMNS = 100 };
    static const char *const settings[] = {"seed=5", "seconds=1", "rungs=gaussian,mixture", NULL},
                             *const hasty[] = {"seed=5", "seconds=1e-4", "rungs=gaussian,mixture",
                                               NULL};
    gm_context *ctx = test_context(NULL);
    double *x = malloc(ROWS * COLUMNS * sizeof *x);
    uint64_t state = 4;
    gm_dataset *rows;
    gm_auto_report *report;
    gm_model *model;
    gm_auto_row row = {.struct_size = sizeof row};
    for (int i = 0; i < ROWS * COLUMNS; i++)
        x[i] = case_normal(&state);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, COLUMNS, 0, &rows));
    test_ok(ctx, run(ctx, rows, settings, NULL, &report, &model));
    ck_assert_int_eq(gm_auto_report_count(report), 2);
    for (int64_t i = 0; i < 2; i++) {
        test_ok(ctx, gm_auto_report_row(ctx, report, i, &row));
        must(row.status == 0 && strstr(row.options, "covariance=diagonal"));
        must_msg(row.mean < -1.2 * COLUMNS && row.mean > -1.8 * COLUMNS, "%g", row.mean);
    }
    gm_auto_report_free(report);
    gm_model_free(model);
    test_ok(ctx, run(ctx, rows, hasty, NULL, &report, &model));
    test_ok(ctx, gm_auto_report_row(ctx, report, 1, &row));
    must(row.status == GM_E_UNSUPPORTED && strstr(row.why, "skipped") && !row.chosen);
    gm_auto_report_free(report);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    free(x);
}
END_TEST

/* The best again from all rows: the fit that its family makes of them by itself. Of one by steps,
 * which stops early here, the fit by as many steps. */
START_TEST(test_refit)
{
    static const char *const settings[] = {"seed=3", "seconds=30", "rungs=mixture", NULL},
                             *const steps[] = {"seed=3", "seconds=1000", "rungs=flow", NULL};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = banana(ctx);
    gm_auto_report *report;
    gm_model *model, *same;
    gm_auto_row row = {.struct_size = sizeof row};
    double logp[N], its[N];
    test_ok(ctx, run(ctx, rows, _i ? steps : settings, NULL, &report, &model));
    test_ok(ctx, gm_auto_report_row(ctx, report, 0, &row));
    ck_assert_msg(row.refit_rows == N, "%s", row.refit_why);
    ck_assert_int_eq(row.rows, N - N * 15 / 100);
    if (_i) {
        must(row.steps > 0 && row.steps < row.horizon && row.horizon == row.hold);
        same = again(ctx, rows, &row, row.horizon);
    } else {
        gm_options *how = words_of(ctx, row.options);
        test_ok(ctx, gm_fit(ctx, row.family, rows, how, &same));
        gm_options_free(how);
    }
    gm_options *call = case_options(ctx, (const char *[]){"seed=3", NULL});
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, call, logp, NULL));
    test_ok(ctx, gm_model_log_prob_rows(ctx, same, rows, NULL, call, its, NULL));
    must(memcmp(logp, its, sizeof its) == 0);
    gm_options_free(call);
    gm_auto_report_free(report);
    gm_model_free(model);
    gm_model_free(same);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(test_refused)
{
    static const char *const unseeded[] = {"seconds=1", NULL},
                             *const wrong[] = {"seed=1", "rungs=flow,flaw", NULL},
                             *const short_of[] = {"seed=1", "seconds=0", NULL},
                             *const quick[] = {"seed=1", "seconds=0.5", "rungs=flow", NULL};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = banana(ctx);
    gm_auto_report *report;
    gm_model *model;
    seen s = {.stop = 1};
    test_fails(ctx, run(ctx, rows, unseeded, NULL, &report, &model), GM_E_SEED, "seed");
    test_fails(ctx, run(ctx, rows, wrong, NULL, &report, &model), GM_E_RANGE, "'flaw'");
    test_fails(ctx, run(ctx, rows, short_of, NULL, &report, &model), GM_E_RANGE, "seconds");
    test_fails(ctx, run(ctx, rows, quick, &s, &report, &model), GM_E_CANCELLED, "flow");
    test_fails(ctx, run(ctx, NULL, quick, NULL, &report, &model), GM_E_ARG, "rows");
    must(model == NULL && report == NULL);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("auto");
    TCase *t = tcase_create("auto");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_ladder);
    tcase_add_test(t, test_all);
    tcase_add_test(t, test_few_rows);
    tcase_add_loop_test(t, test_refit, 0, 2);
    tcase_add_test(t, test_refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
