/* Checkpoints: a fit broken off anywhere and gone on with has the bits of the unbroken one. */
#include "family_cases.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define ROWS 600
#define D 4
#define STEPS 160

static const struct {
    const char *family, *optimizer;
    const char *settings[12];
} fits[] = {
    {"flow",
     NULL,
     {"coupling=nsf", "hidden=12,12", "layers=2", "dropout=0.2", "average=0.9", "whiten=1",
      "start=1", "evaluate=30", "warmup=20", NULL}},
    {"flow",
     "sgd lr=0.01 momentum=0.9",
     {"coupling=realnvp", "hidden=12", "layers=3", "precision=f64", "schedule=step", "valid=0",
      NULL}},
    {"normed", "rmsprop lr=0.01 momentum=0.5", {"batch=100", "patience=3", "evaluate=20", NULL}},
    {"players", "adamw lr=0.1", {"schedule=one-cycle", "clip=1", "valid=0", NULL}},
    {"trap", "sgd lr=1", {"clip=0", "valid=0", "precision=f64", "schedule=constant", NULL}},
    {"vae",
     NULL,
     {"hidden=12", "code=2", "kl_warmup=120", "free_bits=0.1", "evaluate=30", "average=0.9", NULL}},
    {"diffusion", NULL, {"hidden=12,9", "embedding=8", "evaluate=30", "average=0.9", NULL}},
    {"flow", NULL, {"hidden=12", "layers=2", "evaluate=30", "batch=50", NULL}}, /* WITH_ROLES */
};
#define WITH_ROLES 7 /* the first column is given, the last one weighs */
#define FITS ((int)(sizeof fits / sizeof fits[0]))

static void begin(case_setup *c, int fit, const char *extra)
{
    const char *settings[16] = {"seed=5", "steps=160"};
    double *x = case_cloud(ROWS, D, 3);
    int n = 2;
    for (int i = 0; fits[fit].settings[i]; i++)
        settings[n++] = fits[fit].settings[i];
    settings[n] = extra;
    for (int64_t i = 0; fit == WITH_ROLES && i < ROWS; i++)
        x[i * D + D - 1] = fabs(x[i * D + D - 1]);
    case_begin(c, x, ROWS, fit == 4 ? 1 : D, fits[fit].optimizer, settings);
    for (int64_t column = 0; fit == WITH_ROLES && column < D; column += D - 1) {
        gm_dataset *view;
        test_ok(c->ctx, gm_dataset_with_role(c->ctx, c->train, column,
                                             column ? GM_ROLE_WEIGHT : GM_ROLE_CONDITION, &view));
        gm_dataset_free(c->train);
        c->config.train = c->train = view;
    }
    free(x);
}

static void same_model(const gm_model *a, const gm_model *b, const char *what)
{
    size_t size = a->structure->real == GM__F64 ? 8 : 4;
    must_msg(memcmp(a->params, b->params, (size_t)a->structure->layout.size * size) == 0,
             "%s: other weights", what);
}

static gm_model *whole_fit(int fit)
{
    case_setup c;
    gm_model *model;
    begin(&c, fit, NULL);
    test_ok(c.ctx, gm_fit_with(c.ctx, fits[fit].family, &c.config, &model));
    case_end(&c);
    return model;
}

/* `steps` more of a fresh or resumed fit in a context of its own; the state goes to sink, and the
 * model is returned. */
static gm_model *part(int fit, int64_t steps, test_sink *state)
{
    case_setup c;
    gm_trainer *t;
    gm_model *model;
    begin(&c, fit, NULL);
    if (state->size) {
        test_source source = {.data = state->data, .size = state->size, .chunk = 1000};
        gm_reader reader = test_source_reader(&source);
        test_ok(c.ctx,
                gm_trainer_resume_read(c.ctx, fits[fit].family, &c.config, &reader, "state", &t));
    } else {
        test_ok(c.ctx, gm_trainer_create(c.ctx, fits[fit].family, &c.config, &t));
    }
    if (steps)
        test_ok(c.ctx, gm_trainer_step(c.ctx, t, steps));
    test_sink_clear(state);
    gm_writer writer = test_sink_writer(state);
    test_ok(c.ctx, gm_trainer_checkpoint_write(c.ctx, t, &writer));
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    gm_trainer_free(t);
    case_end(&c);
    return model;
}

START_TEST(resumed_is_unbroken)
{
    static const int64_t breaks[][4] = {{1, 29, 70, 60}, {100, 1, 0, 59}, {0, 99, 61, 0}};
    gm_model *whole = whole_fit(_i);
    for (int k = 0; k < 3; k++) {
        test_sink state = {0};
        gm_model *model = NULL;
        for (int i = 0; i < 4; i++) {
            gm_model_free(model);
            model = part(_i, breaks[k][i], &state);
        }
        same_model(whole, model, fits[_i].family);
        gm_model_free(model);
        test_sink_clear(&state);
    }
    gm_model_free(whole);
}
END_TEST

/* ---- Killed ---------------------------------------------------------------------------------- */

static const char *scratch_path(const char *name)
{
    static char path[2][512];
    static int turn;
    const char *dir = getenv("TMPDIR");
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s.%d", dir ? dir : "/tmp", name, (int)getpid());
    return path[turn];
}

static int32_t slow_down(void *user, const gm_progress *p)
{
    struct timespec pause = {0, 2000000};
    (void)user;
    if (p->step > 3)
        thrd_sleep(&pause, NULL);
    return 0;
}

/* In the child: a fit that writes its state after each step. */
static void child_fit(int fit, const char *path)
{
    char extra[600];
    case_setup c;
    gm_model *model;
    snprintf(extra, sizeof extra, "checkpoint=%s", path);
    begin(&c, fit, extra);
    test_ok(c.ctx, gm_options_set_int(c.ctx, c.options, "checkpoint_seconds", 0));
    c.config.progress = slow_down;
    gm_fit_with(c.ctx, fits[fit].family, &c.config, &model);
    _exit(0);
}

START_TEST(killed_and_resumed)
{
    const char *path = scratch_path("killed");
    int fit = _i % 2, kills = test_quick() ? 2 : 6;
    gm_model *whole = whole_fit(fit), *model;
    for (int kill_at = 0; kill_at < kills; kill_at++) {
        struct timespec pause = {0, 7000000 + 9000000 * kill_at}, moment = {0, 1000000};
        struct stat found;
        remove(path);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            child_fit(fit, path);
        while (stat(path, &found) != 0)
            thrd_sleep(&moment, NULL);
        thrd_sleep(&pause, NULL);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        case_setup c;
        gm_trainer *t;
        begin(&c, fit, NULL);
        test_ok(c.ctx, gm_trainer_resume(c.ctx, fits[fit].family, &c.config, path, &t));
        test_ok(c.ctx, gm_trainer_step(c.ctx, t, 0));
        test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
        same_model(whole, model, "killed");
        gm_model_free(model);
        gm_trainer_free(t);
        case_end(&c);
    }
    remove(path);
    gm_model_free(whole);
}
END_TEST

/* A cancelled fit leaves its state in the file, whether the callback or a token stopped it; the
 * path itself is no part of the fit. */
static int32_t stop_soon(void *user, const gm_progress *p)
{
    if (p->evaluated && user)
        gm_cancel_trip(user);
    return p->evaluated && !user;
}

START_TEST(cancelled_and_resumed)
{
    const char *path = scratch_path("cancelled");
    char extra[600];
    case_setup c;
    gm_model *whole = whole_fit(0), *model;
    gm_trainer *t;
    snprintf(extra, sizeof extra, "checkpoint=%s", path);
    begin(&c, 0, extra);
    gm_cancel *token = gm_cancel_create(NULL);
    gm_context_config config = {.struct_size = sizeof config, .cancel = token};
    gm_context *ctx;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    c.config.progress = stop_soon;
    c.config.progress_user = _i ? token : NULL;
    test_fails(ctx, gm_fit_with(ctx, "flow", &c.config, &model), GM_E_CANCELLED, path);
    gm_context_free(ctx);
    gm_cancel_free(token);
    case_end(&c);
    begin(&c, 0, NULL);
    test_ok(c.ctx, gm_trainer_resume(c.ctx, "flow", &c.config, path, &t));
    ck_assert_int_eq(case_progress(c.ctx, t).step, 30);
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 0));
    ck_assert_int_eq(case_progress(c.ctx, t).done, 1);
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    same_model(whole, model, "cancelled");
    test_ok(c.ctx, gm_trainer_checkpoint(c.ctx, t, path));
    gm_trainer_free(t);
    test_ok(c.ctx, gm_trainer_resume(c.ctx, "flow", &c.config, path, &t));
    ck_assert_int_eq(case_progress(c.ctx, t).done, 1);
    gm_trainer_free(t);
    remove(path);
    gm_model_free(model);
    gm_model_free(whole);
    case_end(&c);
}
END_TEST

/* ---- Refused --------------------------------------------------------------------------------- */

static void resume_fails(case_setup *c, const char *family, const test_sink *state, gm_status code,
                         const char *part)
{
    test_source source = {.data = state->data, .size = state->size};
    gm_reader reader = test_source_reader(&source);
    gm_trainer *t;
    test_fails(c->ctx, gm_trainer_resume_read(c->ctx, family, &c->config, &reader, "state", &t),
               code, part);
    ck_assert_ptr_null(t);
}

START_TEST(state_of_another_fit)
{
    test_sink state = {0}, file = {0};
    case_setup c;
    gm_model *model = part(1, 10, &state);
    begin(&c, 1, "batch=31");
    resume_fails(&c, "flow", &state, GM_E_STATE, "differs in: options;");
    case_end(&c);
    begin(&c, 1, NULL);
    gm_dataset *other, *train = c.train;
    test_ok(c.ctx, gm_dataset_take(c.ctx, train, (const int64_t[]){4, 2, 1, 3, 9}, 5, &other));
    c.config.train = other;
    resume_fails(&c, "flow", &state, GM_E_STATE, "differs in: data;");
    gm_dataset_free(other);
    c.config.train = train;
    gm_optimizer *adam;
    test_ok(c.ctx, gm_optimizer_create(c.ctx, "adam", NULL, &adam));
    c.config.optimizer = adam;
    resume_fails(&c, "flow", &state, GM_E_STATE, "differs in: optimizer;");
    gm_optimizer_free(adam);
    c.config.optimizer = c.optimizer;
    gm_writer writer = test_sink_writer(&file);
    test_ok(c.ctx, gm_model_write(c.ctx, model, &writer));
    resume_fails(&c, "flow", &file, GM_E_FORMAT, "no checkpoint");
    gm_model *none;
    test_fails(c.ctx, gm_model_load_memory(c.ctx, state.data, state.size, &none), GM_E_FORMAT,
               "no model file");
    gm_model_free(model);
    case_end(&c);
    test_sink_clear(&state);
    gm_model_free(part(3, 10, &state));
    begin(&c, 3, NULL);
    resume_fails(&c, "slope", &state, GM_E_STATE, "differs in: family;");
    test_sink_clear(&state);
    test_sink_clear(&file);
    case_end(&c);
}
END_TEST

START_TEST(damaged_states)
{
    test_sink state = {0};
    uint64_t random = 8;
    case_setup c;
    gm_trainer *t;
    gm_model_free(part(0, 40, &state));
    begin(&c, 0, NULL);
    for (int i = 0; i < (test_quick() ? 20 : 100); i++) {
        test_source source = {.data = state.data, .size = state.size};
        int64_t at = (int64_t)(test_random(&random) % (uint64_t)state.size);
        gm_reader reader = test_source_reader(&source);
        unsigned char was = state.data[at];
        if (i % 2)
            source.size = at;
        else
            state.data[at] ^= (unsigned char)(1 << i % 8);
        gm_status got = gm_trainer_resume_read(c.ctx, "flow", &c.config, &reader, "state", &t);
        ck_assert_msg(got == GM_E_FORMAT || got == GM_E_CHECKSUM, "%d: %s", got, test_error(c.ctx));
        state.data[at] = was;
    }
    test_source source = {.data = state.data, .size = state.size, .chunk = 500, .fail_at = 2};
    gm_reader reader = test_source_reader(&source);
    test_fails(c.ctx, gm_trainer_resume_read(c.ctx, "flow", &c.config, &reader, "state", &t),
               GM_E_IO, "state");
    test_fails(c.ctx, gm_trainer_resume(c.ctx, "flow", &c.config, "/nowhere/state", &t), GM_E_IO,
               "/nowhere/state");
    test_fails(c.ctx, gm_trainer_resume(c.ctx, "flow", &c.config, NULL, &t), GM_E_ARG, "path");
    test_fails(c.ctx, gm_trainer_resume(c.ctx, "flow", &c.config, "x", NULL), GM_E_ARG, "trainer");
    test_fails(c.ctx, gm_trainer_resume_read(c.ctx, "flow", &c.config, NULL, "x", &t), GM_E_ARG,
               NULL);
    test_sink_clear(&state);
    case_end(&c);
}
END_TEST

/* Replaces a text of the header by one of the same length, mends the checksum, and resumes. */
static void edited_state(case_setup *c, test_sink *state, const char *from, const char *to,
                         gm_status code, const char *part)
{
    unsigned char *copy = malloc((size_t)state->size);
    memcpy(copy, state->data, (size_t)state->size);
    size_t n = strlen(from);
    int64_t at = 8;
    ck_assert_uint_eq(n, strlen(to));
    while (at + (int64_t)n < state->size && memcmp(copy + at, from, n) != 0)
        at++;
    ck_assert_msg(at + (int64_t)n < state->size, "no %s", from);
    memcpy(copy + at, to, n);
    case_mend_checksum(copy, state->size);
    test_sink edited = {.data = copy, .size = state->size};
    resume_fails(c, "flow", &edited, code, part);
    free(copy);
}

START_TEST(edited_states)
{
    test_sink state = {0};
    case_setup c;
    gm_model_free(part(0, 40, &state));
    begin(&c, 0, NULL);
    edited_state(&c, &state, "genmod-checkpoint", "genmod-checkpaint", GM_E_FORMAT,
                 "no checkpoint");
    edited_state(&c, &state, "\"format_version\":\"1\"", "\"format_version\":\"2\"", GM_E_VERSION,
                 "format 2");
    edited_state(&c, &state, "\"format_version\":\"1\"", "\"format_version\":\"x\"", GM_E_VERSION,
                 NULL);
    edited_state(&c, &state, "\"arithmetic\":\"", "\"arithmetik\":\"", GM_E_STATE, "arithmetic");
    edited_state(&c, &state, "\"counters\"", "\"counterz\"", GM_E_FORMAT, "counters");
    edited_state(&c, &state, "\\\"step\\\":40", "\\\"step\\\":-4", GM_E_FORMAT, "step");
    edited_state(&c, &state, "\\\"updates\\\":", "\\\"updater\\\":", GM_E_FORMAT, "updates");
    edited_state(&c, &state, "\"average\":{", "\"averagg\":{", GM_E_FORMAT, "average");
    test_sink_clear(&state);
    case_end(&c);
}
END_TEST

/* A place that cannot be written is found out before the first step. */
START_TEST(nowhere_to_write)
{
    static const char *const places[] = {"checkpoint=/nowhere/state", "checkpoint=/dev/full",
                                         "checkpoint=/proc/state"};
    case_setup c;
    gm_trainer *t;
    for (int i = 0; i < 3; i++) {
        begin(&c, 0, places[i]);
        test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
        test_fails(c.ctx, gm_trainer_step(c.ctx, t, 0), GM_E_IO, strchr(places[i], '=') + 1);
        ck_assert_int_eq(case_progress(c.ctx, t).step, 0);
        test_fails(c.ctx, gm_trainer_checkpoint(c.ctx, t, "/nowhere/state"), GM_E_IO, "/nowhere");
        gm_trainer_free(t);
        case_end(&c);
    }
    begin(&c, 0, NULL);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    for (int64_t at = 1; at < 6; at++) {
        test_sink sink = {.fail_at = at};
        gm_writer writer = test_sink_writer(&sink);
        gm_status got = gm_trainer_checkpoint_write(c.ctx, t, &writer);
        ck_assert_msg(got == GM_E_IO || (got == GM_OK && sink.calls < at), "%d", got);
        test_sink_clear(&sink);
    }
    gm_trainer_free(t);
    case_end(&c);
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

static unsigned char kept[1 << 17];
static int64_t kept_size;
static int32_t keep(void *user, const void *bytes, int64_t size)
{
    (void)user;
    if (kept_size + size > (int64_t)sizeof kept)
        return -1;
    memcpy(kept + kept_size, bytes, (size_t)size);
    kept_size += size;
    return 0;
}

static gm_status steps_and_state(gm_context *ctx, const gm_fit_config *config)
{
    gm_trainer *t = NULL, *resumed = NULL;
    gm_model *model = NULL;
    double mean;
    gm_writer writer = {.struct_size = sizeof writer, .write = keep};
    gm_status code = gm_trainer_create(ctx, "flow", config, &t);
    if (!code)
        code = gm_trainer_step(ctx, t, 3);
    if (!code)
        code = gm_trainer_checkpoint_write(ctx, t, &writer);
    test_source source = {.data = kept, .size = kept_size};
    gm_reader reader = test_source_reader(&source);
    if (!code)
        code = gm_trainer_resume_read(ctx, "flow", config, &reader, "state", &resumed);
    if (!code)
        code = gm_trainer_step(ctx, resumed, 0);
    if (!code)
        code = gm_trainer_evaluate(ctx, resumed, config->train, &mean, NULL);
    if (!code)
        code = gm_trainer_model(ctx, resumed, &model);
    gm_model_free(model);
    gm_trainer_free(t);
    gm_trainer_free(resumed);
    return code;
}

static gm_status state_life(const gm_allocator *allocator, void *arg)
{
    static const char *const settings[][2] = {{"seed", "1"},   {"steps", "5"},  {"layers", "1"},
                                              {"hidden", "3"}, {"batch", "20"}, {"average", "0.5"},
                                              {"start", "1"}};
    gm_context_config own = {.struct_size = sizeof own, .allocator = allocator};
    gm_context *ctx = NULL;
    gm_options *how = NULL;
    gm_optimizer *o = NULL;
    kept_size = 0;
    gm_status code = gm_context_create(&own, &ctx);
    if (!code)
        code = gm_options_create(ctx, &how);
    for (int i = 0; i < 7 && !code; i++)
        code = gm_options_set_text(ctx, how, settings[i][0], settings[i][1]);
    if (!code)
        code = gm_optimizer_create(ctx, "adamw", NULL, &o);
    gm_fit_config config = {
        .struct_size = sizeof config, .train = arg, .options = how, .optimizer = o};
    if (!code)
        code = steps_and_state(ctx, &config);
    gm_context_free(ctx);
    gm_options_free(how);
    gm_optimizer_free(o);
    return code;
}

START_TEST(every_allocation)
{
    double *x = case_cloud(100, D, 3);
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 100, D, 0, &rows));
    ck_assert_int_gt(test_every_failure(state_life, rows, test_quick() ? 60 : 500), 100);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    free(x);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("resume");
    TCase *t = tcase_create("resume");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, resumed_is_unbroken, 0, FITS);
    tcase_add_loop_test(t, killed_and_resumed, 0, 2);
    tcase_add_loop_test(t, cancelled_and_resumed, 0, 2);
    tcase_add_test(t, state_of_another_fit);
    tcase_add_test(t, damaged_states);
    tcase_add_test(t, edited_states);
    tcase_add_test(t, nowhere_to_write);
    tcase_add_test(t, every_allocation);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
