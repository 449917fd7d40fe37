/* Fits that go on from a model: what stays, what may change, and what is refused. */
#include "family_cases.h"

#define ROWS 300
#define D 3

/* Rows by name, of a bent cloud: the columns in another order behind. */
static gm_dataset *named_rows(gm_context *ctx, int64_t n, uint64_t seed, const char *header,
                              int backwards)
{
    double *x = case_cloud(n, D, seed);
    char *csv = malloc((size_t)n * 80 + 80);
    size_t at = (size_t)sprintf(csv, "%s\n", header);
    for (int64_t i = 0; i < n; i++)
        at += (size_t)sprintf(csv + at, "%.9f,%.9f,%.9f\n", x[i * D + (backwards ? 2 : 0)],
                              x[i * D + 1], x[i * D + (backwards ? 0 : 2)]);
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "cloud.csv", NULL, &rows));
    free(csv);
    free(x);
    return rows;
}

static gm_status go_on(gm_context *ctx, const char *family, const gm_dataset *rows,
                       const gm_model *init, const char *const *settings, gm_model **model)
{
    gm_options *how = case_options(ctx, settings);
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .options = how, .init = init};
    gm_status code = gm_fit_with(ctx, family, &config, model);
    gm_options_free(how);
    return code;
}

static void scores(gm_context *ctx, const gm_model *model, const gm_dataset *rows, double *logp)
{
    gm_options *how = case_options(ctx, (const char *[]){"seed=4", "draws=2", NULL});
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, logp, NULL));
    gm_options_free(how);
}

static const char *const flow_settings[] = {
    "seed=1", "steps=60", "hidden=12", "layers=2", "transform=quantile", "start=1", NULL};
static const char *const vae_settings[] = {"seed=1", "steps=60", "hidden=12",
                                           "code=2", "whiten=1", NULL};
static const char *const realnvp_settings[] = {
    "seed=1", "steps=60", "hidden=12", "layers=3", "coupling=realnvp", "mixing=permutation", NULL};
static const struct {
    const char *family;
    const char *const *settings;
} cases[] = {{"flow", flow_settings}, {"vae", vae_settings}, {"flow", realnvp_settings}};
#define CASES 3

/* With a learning rate of zero the model stays what it was, under any seed, in any order of the
 * columns, and of other rows. */
START_TEST(no_step_no_change)
{
    double before[ROWS], after[ROWS];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = named_rows(ctx, ROWS, 5, "a,b,c", 0),
               *other = named_rows(ctx, 200, 9, "c,b,a", 1);
    gm_optimizer *still;
    gm_options *zero = case_options(ctx, (const char *[]){"lr=0", NULL});
    gm_model *model, *next;
    test_ok(ctx, gm_optimizer_create(ctx, "sgd", zero, &still));
    test_ok(ctx, go_on(ctx, cases[_i].family, rows, NULL, cases[_i].settings, &model));
    gm_options *how = case_options(ctx, (const char *[]){"seed=77", "steps=7", NULL});
    gm_fit_config config = {.struct_size = sizeof config,
                            .train = other,
                            .options = how,
                            .optimizer = still,
                            .init = model};
    test_ok(ctx, gm_fit_with(ctx, cases[_i].family, &config, &next));
    scores(ctx, model, rows, before);
    scores(ctx, next, rows, after);
    for (int i = 0; i < ROWS; i++) /* averaged weights are equal but for rounding */
        must_msg(test_close(after[i], before[i], 1e-5, 1e-5), "row %d: %.9g, not %.9g", i, after[i],
                 before[i]);
    gm_column column = {.struct_size = sizeof column};
    test_ok(ctx, gm_model_column(ctx, next, 0, &column));
    ck_assert_str_eq(column.name, "a");
    gm_model_free(model);
    gm_model_free(next);
    gm_options_free(how);
    gm_options_free(zero);
    gm_optimizer_free(still);
    gm_dataset_free(rows);
    gm_dataset_free(other);
    gm_context_free(ctx);
}
END_TEST

/* Going on learns: a few more steps from a model are better than as many from nothing. The saved
 * and loaded model, and other precision, go on alike. */
START_TEST(goes_on)
{
    static double logp[ROWS];
    double mean[4] = {0};
    const char *first[] = {"seed=1", "steps=400", "hidden=16", "layers=2", NULL},
               *more[] = {"seed=2", "steps=20", NULL},
               *wide[] = {"seed=2", "steps=20", "precision=f64", NULL},
               *anew[] = {"seed=2", "steps=20", "hidden=16", "layers=2", NULL};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = named_rows(ctx, ROWS, 5, "a,b,c", 0);
    gm_model *model, *loaded, *next[4];
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    test_ok(ctx, go_on(ctx, "flow", rows, NULL, first, &model));
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    test_ok(ctx, gm_model_load_memory(ctx, sink.data, sink.size, &loaded));
    test_ok(ctx, go_on(ctx, "flow", rows, model, more, &next[0]));
    test_ok(ctx, go_on(ctx, "flow", rows, loaded, more, &next[1]));
    test_ok(ctx, go_on(ctx, "flow", rows, model, wide, &next[2]));
    test_ok(ctx, go_on(ctx, "flow", rows, NULL, anew, &next[3]));
    for (int k = 0; k < 4; k++) {
        scores(ctx, next[k], rows, logp);
        for (int i = 0; i < ROWS; i++)
            mean[k] += logp[i] / ROWS;
        gm_model_free(next[k]);
    }
    ck_assert_msg(mean[0] == mean[1], "a loaded model goes on otherwise: %g, %g", mean[0], mean[1]);
    ck_assert_msg(fabs(mean[2] - mean[0]) < 0.02, "in double %g, not %g", mean[2], mean[0]);
    ck_assert_msg(mean[0] > mean[3] + 0.1, "%g after more steps, %g from nothing", mean[0],
                  mean[3]);
    test_sink_clear(&sink);
    gm_model_free(model);
    gm_model_free(loaded);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A checkpoint of a fit that goes on is resumed with the same model to the same bits, and refused
 * with none or another. */
START_TEST(resumed)
{
    double whole[ROWS], parts[ROWS];
    const char *settings[] = {"seed=3", "steps=40", "evaluate=10", NULL};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = named_rows(ctx, ROWS, 5, "a,b,c", 0);
    gm_model *init, *other, *model;
    gm_trainer *t;
    test_ok(ctx, go_on(ctx, "flow", rows, NULL, flow_settings, &init));
    test_ok(ctx, go_on(ctx, "flow", rows, NULL, realnvp_settings, &other));
    gm_options *how = case_options(ctx, settings);
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .options = how, .init = init};
    test_ok(ctx, gm_fit_with(ctx, "flow", &config, &model));
    scores(ctx, model, rows, whole);
    gm_model_free(model);
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    test_ok(ctx, gm_trainer_create(ctx, "flow", &config, &t));
    test_ok(ctx, gm_trainer_step(ctx, t, 17));
    test_ok(ctx, gm_trainer_checkpoint_write(ctx, t, &writer));
    gm_trainer_free(t);
    test_source source = {.data = sink.data, .size = sink.size};
    gm_reader reader = test_source_reader(&source);
    test_ok(ctx, gm_trainer_resume_read(ctx, "flow", &config, &reader, NULL, &t));
    test_ok(ctx, gm_trainer_step(ctx, t, 0));
    test_ok(ctx, gm_trainer_model(ctx, t, &model));
    scores(ctx, model, rows, parts);
    ck_assert_msg(memcmp(whole, parts, sizeof whole) == 0, "other bits after resuming");
    gm_trainer_free(t);
    const gm_model *wrong[] = {NULL, other, model};
    for (int k = 0; k < 3; k++) {
        config.init = wrong[k];
        source.at = 0;
        test_fails(ctx, gm_trainer_resume_read(ctx, "flow", &config, &reader, NULL, &t), GM_E_STATE,
                   "differs in");
    }
    test_sink_clear(&sink);
    gm_options_free(how);
    gm_model_free(init);
    gm_model_free(other);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* The model goes on with what it is given, too. */
START_TEST(conditional)
{
    double before[ROWS], after[ROWS];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = named_rows(ctx, ROWS, 5, "a,b,c", 0),
               *other = named_rows(ctx, ROWS, 5, "c,b,a", 1), *view, *less;
    gm_model *model, *next;
    test_ok(ctx, gm_dataset_with_role(ctx, rows, 0, GM_ROLE_CONDITION, &view));
    test_ok(ctx, go_on(ctx, "flow", view, NULL, realnvp_settings, &model));
    test_ok(ctx,
            go_on(ctx, "flow", other, model, (const char *[]){"seed=1", "steps=1", NULL}, &next));
    ck_assert_int_eq(gm_model_condition_count(next), 1);
    scores(ctx, model, rows, before);
    scores(ctx, next, other, after);
    for (int i = 0; i < ROWS; i++)
        must(test_close(after[i], before[i], 0.1, 0.3));
    gm_model_free(next);
    test_ok(ctx, gm_dataset_select(ctx, other, (int64_t[]){0, 1}, 2, &less));
    test_fails(ctx, go_on(ctx, "flow", less, model, (const char *[]){"seed=1", NULL}, &next),
               GM_E_UNKNOWN, "'a'");
    gm_model_free(model);
    gm_dataset_free(view);
    gm_dataset_free(less);
    gm_dataset_free(rows);
    gm_dataset_free(other);
    gm_context_free(ctx);
}
END_TEST

START_TEST(refused)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = named_rows(ctx, ROWS, 5, "a,b,c", 0),
               *others = named_rows(ctx, ROWS, 5, "a,b,d", 0);
    gm_model *model, *next;
    test_ok(ctx, go_on(ctx, "flow", rows, NULL, flow_settings, &model));
    static const char *const changed[] = {"layers=3", "hidden=5", "transform=standard", "whiten=1",
                                          "coupling=realnvp"};
    for (int i = 0; i < 5; i++)
        test_fails(
            ctx,
            go_on(ctx, "flow", rows, model, (const char *[]){"seed=1", changed[i], NULL}, &next),
            GM_E_STAGE, "it cannot change");
    test_ok(ctx, go_on(ctx, "flow", rows, model, /* saying what it is is fine */
                       (const char *[]){"seed=1", "layers=2", "steps=1", NULL}, &next));
    gm_model_free(next);
    const char *seed[] = {"seed=1", NULL}, *none[] = {NULL};
    test_fails(ctx, go_on(ctx, "vae", rows, model, seed, &next), GM_E_ARG, "family flow");
    test_fails(ctx, go_on(ctx, "flow", rows, model, none, &next), GM_E_SEED, "seed");
    test_fails(ctx, go_on(ctx, "flow", others, model, seed, &next), GM_E_UNKNOWN, "'c'");
    gm_model_free(model);
    /* categories and ranges that the model does not know */
    const char csv[] = "k,x\nash,1.5\noak,2\nash,2.5\noak,3\n",
               unseen[] = "k,x\nash,1.5\noak,2\nelm,2.5\n", far[] = "k,x\nash,1.5\noak,99\n";
    const char *texts[] = {csv, unseen, far};
    gm_dataset *set[3];
    for (int k = 0; k < 3; k++) {
        test_source source = {.data = texts[k], .size = (int64_t)strlen(texts[k])};
        gm_reader reader = test_source_reader(&source);
        test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", NULL, NULL, &set[k]));
    }
    test_ok(ctx, go_on(ctx, "flow", set[0], NULL,
                       (const char *[]){"seed=1", "steps=1", "transform=logit", NULL}, &model));
    test_fails(ctx, go_on(ctx, "flow", set[1], model, seed, &next), GM_E_DATA,
               "row 3, column 'k' is a category never seen");
    test_fails(ctx, go_on(ctx, "flow", set[2], model, seed, &next), GM_E_DATA,
               "row 2, column 'x' is 99, a number out of range");
    for (int k = 0; k < 3; k++)
        gm_dataset_free(set[k]);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_dataset_free(others);
    gm_context_free(ctx);
}
END_TEST

/* A caller of the version before knows a shorter struct. */
START_TEST(shorter_struct)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = named_rows(ctx, 50, 5, "a,b,c", 0);
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "steps=1", NULL});
    gm_fit_config config = {.struct_size = offsetof(gm_fit_config, init),
                            .train = rows,
                            .options = how,
                            .init = (const gm_model *)(const void *)rows};
    gm_model *model;
    test_ok(ctx, gm_fit_with(ctx, "flow", &config, &model));
    gm_model_free(model);
    config.struct_size--;
    test_fails(ctx, gm_fit_with(ctx, "flow", &config, &model), GM_E_ARG, "struct_size");
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static gm_model *continued;

static gm_status whole_life(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx;
    gm_options *how = NULL;
    gm_model *model = NULL;
    GM_TRY(gm_context_create(&config, &ctx));
    gm_status code = gm_options_create(ctx, &how);
    if (!code)
        code = gm_options_set_text(ctx, how, "seed", "1");
    if (!code)
        code = gm_options_set_text(ctx, how, "steps", "1");
    gm_fit_config fit = {
        .struct_size = sizeof fit, .train = arg, .options = how, .init = continued};
    if (!code)
        code = gm_fit_with(ctx, "flow", &fit, &model);
    gm_context_free(ctx);
    gm_options_free(how);
    gm_model_free(model);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = named_rows(ctx, 40, 5, "a,b,c", 0);
    test_ok(ctx, go_on(ctx, "flow", rows, NULL, realnvp_settings, &continued));
    ck_assert_int_gt(test_every_failure(whole_life, rows, test_quick() ? 60 : 300), 50);
    gm_model_free(continued);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("init");
    TCase *t = tcase_create("init");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, no_step_no_change, 0, CASES);
    tcase_add_test(t, goes_on);
    tcase_add_test(t, resumed);
    tcase_add_test(t, conditional);
    tcase_add_test(t, refused);
    tcase_add_test(t, shorter_struct);
    tcase_add_test(t, every_allocation);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
