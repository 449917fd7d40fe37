/* The loop of a fit: clipping, averaging, phases, validation, patience, budgets, cancelling. */
#include "family_cases.h"

#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>
#include <time.h>

#define D 4

static double seconds_now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Rows of a few plain numbers. */
static void plain_rows(double *x, int64_t n, double low, double high, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = test_uniform(&seed, low, high);
}

/* ---- One step after another ------------------------------------------------------------------ */

START_TEST(clipping)
{
    static double x[40 * D];
    static const struct {
        const char *clip;
        double step;
    } cases[] = {{"clip=0", 1000}, {"clip=1", 0.5}, {"clip=1999", 999.5}, {"clip=2001", 1000}};
    double w[D];
    case_setup c;
    const char *settings[] = {"seed=1",        "steps=7",           "valid=0",      "average=0",
                              "precision=f64", "schedule=constant", cases[_i].clip, NULL};
    case_begin(&c, x, 40, D, "sgd lr=1", settings);
    gm_model *model = case_fit_now(&c, "slope");
    case_param(model, "w", D, w);
    for (int j = 0; j < D; j++)
        ck_assert_msg(test_close(w[j], -7 * cases[_i].step, 1e-12, 0), "%s: %.17g", cases[_i].clip,
                      w[j]);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* average_(t+1) = d average_t + (1 - d) w_t with d = min(decay, (1 + t) / (10 + t)). */
START_TEST(averaging)
{
    static double x[40 * D];
    double w = 0, average = 0, got[D];
    case_setup c;
    const char *settings[] = {"seed=1",        "steps=50",          "valid=0",     "clip=0",
                              "precision=f64", "schedule=constant", "average=0.7", NULL};
    case_begin(&c, x, 40, D, "sgd lr=0.001", settings);
    gm_model *model = case_fit_now(&c, "slope");
    for (int t = 0; t < 50; t++) {
        double decay = fmin(0.7, (1.0 + t) / (10.0 + t));
        w -= 1;
        average = decay * average + (1 - decay) * w;
    }
    case_param(model, "w", D, got);
    for (int j = 0; j < D; j++)
        ck_assert_msg(test_close(got[j], average, 1e-12, 0), "%.17g, not %.17g", got[j], average);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* Each player's gradient is clipped by itself. */
START_TEST(players_in_turn)
{
    static double x[40 * D];
    double first[D], second[D];
    case_setup c;
    const char *settings[] = {"seed=1",  "steps=6",           "valid=0",   "precision=f64",
                              "clip=10", "schedule=constant", "average=0", NULL};
    case_begin(&c, x, 40, D, "sgd lr=1", settings);
    gm_model *model = case_fit_now(&c, "players");
    case_param(model, "first.w", D, first);
    case_param(model, "second.w", D, second);
    for (int j = 0; j < D; j++) {
        ck_assert_msg(test_close(first[j], -6 * 5.0, 1e-12, 0), "first: %.17g", first[j]);
        ck_assert_msg(test_close(second[j], -6 * 3.0, 1e-12, 0), "second: %.17g", second[j]);
    }
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_NO_LOG_PROB);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* Running statistics follow the batches, also beside averaged weights. */
START_TEST(running_statistics)
{
    static double x[64 * D];
    double mean[D], variance[D];
    const char *settings[] = {"seed=1",
                              "steps=200",
                              "valid=0",
                              "batch=64",
                              "precision=f64",
                              "transform=none",
                              _i ? "average=0.9" : "average=0",
                              NULL};
    case_setup c;
    plain_rows(x, 64 * D, 2, 4, 3);
    case_begin(&c, x, 64, D, NULL, settings);
    gm_model *model = case_fit_now(&c, "normed");
    case_param(model, "norm.mean", D, mean);
    case_param(model, "norm.variance", D, variance);
    for (int j = 0; j < D; j++) {
        double m = 0, v = 0;
        for (int i = 0; i < 64; i++)
            m += x[i * D + j] / 64;
        for (int i = 0; i < 64; i++)
            v += (x[i * D + j] - m) * (x[i * D + j] - m) / 64;
        double begin = pow(0.9, 200); /* a whole batch each time: what is left of 0 and 1 */
        ck_assert_msg(test_close(mean[j], m * (1 - begin), 1e-9, 0), "mean %g, not %g", mean[j], m);
        ck_assert_msg(test_close(variance[j], v + (1 - v) * begin, 1e-9, 0), "variance %g, not %g",
                      variance[j], v);
    }
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* The closed form: the mean and deviation of the rows. */
START_TEST(likelihood_of_a_bell)
{
    static double x[500 * D];
    double mean[D], log_scale[D], own[2];
    const char *settings[] = {"seed=1",        "steps=400",      "valid=0", "batch=500",
                              "precision=f64", "transform=none", NULL};
    case_setup c;
    plain_rows(x, 500 * D, -1, 3, 3);
    case_begin(&c, x, 500, D, "adam lr=0.05", settings);
    gm_trainer *t;
    gm_model *model;
    test_ok(c.ctx, gm_trainer_create(c.ctx, "bell", &c.config, &t));
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 0));
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    case_param(model, "mean", D, mean);
    case_param(model, "log_scale", D, log_scale);
    double loss = 0, given, error, logp[500], squares = 0;
    for (int j = 0; j < D; j++) {
        own[0] = own[1] = 0;
        for (int i = 0; i < 500; i++)
            own[0] += x[i * D + j] / 500;
        for (int i = 0; i < 500; i++)
            own[1] += (x[i * D + j] - own[0]) * (x[i * D + j] - own[0]) / 500;
        ck_assert_msg(fabs(mean[j] - own[0]) < 1e-3 && fabs(exp(2 * log_scale[j]) - own[1]) < 2e-3,
                      "column %d: %g %g, not %g %g", j, mean[j], exp(2 * log_scale[j]), own[0],
                      own[1]);
    }
    test_ok(c.ctx, gm_model_log_prob_f64(c.ctx, model, x, 500, 0, NULL, logp));
    test_ok(c.ctx, gm_trainer_evaluate(c.ctx, t, c.train, &given, &error));
    for (int i = 0; i < 500; i++)
        loss -= logp[i] / 500;
    for (int i = 0; i < 500; i++)
        squares += (logp[i] + loss) * (logp[i] + loss);
    ck_assert(test_close(given, loss, 1e-12, 0));
    ck_assert(test_close(error, sqrt(squares / 499 / 500), 1e-9, 0));
    gm_model_free(model);
    gm_trainer_free(t);
    case_end(&c);
}
END_TEST

/* ---- Validation ------------------------------------------------------------------------------ */

/* Validation rows on the other side: the first evaluation is the best, and patience ends it. */
START_TEST(patience_ends_a_fit)
{
    static double x[200 * D], away[50 * D];
    double stopped[D], early[D];
    const char *settings[] = {"seed=1",   "steps=500",      "evaluate=10",       "patience=3",
                              "batch=50", "transform=none", "schedule=constant", NULL};
    case_setup c;
    plain_rows(x, 200 * D, 4, 6, 3);
    plain_rows(away, 50 * D, -0.1, 0.1, 4);
    case_begin(&c, x, 200, D, NULL, settings);
    test_ok(c.ctx, gm_dataset_from_f64(c.ctx, away, 50, D, 0, &c.valid));
    c.config.valid = c.valid;
    gm_trainer *t;
    gm_model *model;
    double mean;
    test_ok(c.ctx, gm_trainer_create(c.ctx, "bell", &c.config, &t));
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 10));
    test_ok(c.ctx, gm_trainer_evaluate(c.ctx, t, c.valid, &mean, NULL));
    gm_progress p = case_progress(c.ctx, t);
    ck_assert(p.valid == mean && p.best == mean && p.best_step == 10 && !p.done);
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    case_param(model, "mean", D, early);
    gm_model_free(model);
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 0));
    p = case_progress(c.ctx, t);
    ck_assert_msg(p.done == 1 && p.step == 40 && p.best_step == 10 && p.valid > p.best,
                  "step %d, best %d", (int)p.step, (int)p.best_step);
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    case_param(model, "mean", D, stopped);
    ck_assert_mem_eq(early, stopped, sizeof early);
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 5));
    ck_assert_int_eq(case_progress(c.ctx, t).step, 40);
    gm_model_free(model);
    gm_trainer_free(t);
    case_end(&c);
}
END_TEST

START_TEST(split_for_validation)
{
    static double x[400 * D];
    static const struct {
        const char *valid;
        int64_t rows, train, valids;
    } cases[] = {{"valid=0.25", 400, 300, 100},
                 {"valid=0", 400, 400, 0},
                 {"valid=0.5", 9, 9, 0}, /* too few to split */
                 {"valid=0.9", 10, 1, 9}};
    const char *settings[] = {"seed=1", "steps=3", cases[_i].valid, NULL};
    case_setup c;
    plain_rows(x, 400 * D, 4, 6, 3);
    case_begin(&c, x, cases[_i].rows, D, NULL, settings);
    gm_model *model = case_fit_now(&c, "bell");
    ck_assert_int_eq(case_record(c.ctx, model, "rows"), cases[_i].train);
    ck_assert_int_eq(case_record(c.ctx, model, "valid_rows"), cases[_i].valids);
    ck_assert_int_eq(case_record(c.ctx, model, "steps"), 3);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* Validation rows must be whole too. */
START_TEST(validation_with_holes)
{
    static const char csv[] = "a,b\n1,2\n,3\n4,5\n";
    static const double x[8] = {1, 2, 3, 4, 5, 6, 7, 9};
    const char *settings[] = {"seed=1", "steps=3", NULL};
    case_setup c;
    case_begin(&c, x, 4, 2, NULL, settings);
    test_source source = {.data = csv, .size = (int64_t)strlen(csv)};
    gm_reader reader = test_source_reader(&source);
    gm_model *model;
    gm_trainer *t;
    double mean;
    test_ok(c.ctx, gm_dataset_from_reader(c.ctx, &reader, "csv", "v.csv", NULL, &c.valid));
    c.config.valid = c.valid;
    test_fails(c.ctx, gm_fit_with(c.ctx, "flow", &c.config, &model), GM_E_DATA, "missing");
    c.config.valid = NULL;
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    test_fails(c.ctx, gm_trainer_evaluate(c.ctx, t, c.valid, &mean, NULL), GM_E_DATA, "missing");
    gm_trainer_free(t);
    case_end(&c);
}
END_TEST

/* ---- Budgets --------------------------------------------------------------------------------- */

/* A time budget is kept, and the record repeats the fit by steps. */
START_TEST(time_budget)
{
    double budget = test_quick() ? 0.5 : 2, begin;
    double *x = case_cloud(2000, D, 4);
    char text[3][40];
    const char *settings[] = {"seed=1", "hidden=16", "layers=2", "schedule=one-cycle",
                              text[0],  NULL,        NULL};
    snprintf(text[0], sizeof text[0], "seconds=%g", budget);
    case_setup c;
    gm_trainer *t;
    gm_model *timed, *again;
    case_begin(&c, x, 2000, D, NULL, settings);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    begin = seconds_now();
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 0));
    double took = seconds_now() - begin;
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &timed));
    gm_trainer_free(t);
    if (!test_sanitized()) /* a busy machine makes the first steps slow, and the plan short */
        ck_assert_msg(took > 0.25 * budget && took < 1.3 * budget + 0.2, "%g s of %g", took,
                      budget);
    int64_t horizon = case_record(c.ctx, timed, "horizon"),
            hold = case_record(c.ctx, timed, "hold"), steps = case_record(c.ctx, timed, "steps");
    ck_assert_msg(hold >= 5 && horizon > hold && steps <= horizon, "%d %d %d", (int)hold,
                  (int)horizon, (int)steps);
    case_end(&c);
    snprintf(text[1], sizeof text[1], "steps=%d", (int)horizon);
    snprintf(text[2], sizeof text[2], "hold=%d", (int)hold);
    settings[4] = text[1];
    settings[5] = text[2];
    case_begin(&c, x, 2000, D, NULL, settings);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, steps));
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &again));
    gm_trainer_free(t);
    ck_assert_mem_eq(timed->params, again->params, (size_t)timed->structure->layout.size * 4);
    gm_model_free(timed);
    gm_model_free(again);
    case_end(&c);
    free(x);
}
END_TEST

/* A fit that its clock cuts short, as on a machine that became slow: it ends with that step, which
 * is evaluated no more than it would be in a fit by steps, and as many steps keep the same weights:
 * the best that were evaluated, or the last where nothing is. */
START_TEST(cut_by_the_clock)
{
    double *x = case_cloud(500, D, 4);
    char text[2][40];
    const char *settings[] = {
        "seed=1",    "hidden=8", "layers=2", _i ? "valid=0" : "valid=0.2", "evaluate=1000000000",
        "seconds=2", NULL,       NULL};
    case_setup c;
    gm_trainer *t;
    gm_model *timed, *again;
    case_begin(&c, x, 500, D, NULL, settings);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    do
        test_ok(c.ctx, gm_trainer_step(c.ctx, t, 1));
    while (t->at.horizon == 0);
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 12));
    must(t->at.step == t->at.hold + 12 && !t->at.done && t->at.horizon > t->at.step + 1);
    double best = t->at.best;
    t->at.seconds = 2.3;
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 0));
    must(t->at.done && t->at.step == t->at.hold + 13);
    must(_i || (t->at.best == best && t->at.best_step == t->at.hold));
    snprintf(text[0], sizeof text[0], "steps=%d", (int)t->at.horizon);
    snprintf(text[1], sizeof text[1], "hold=%d", (int)t->at.hold);
    int64_t steps = t->at.step;
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &timed));
    gm_trainer_free(t);
    case_end(&c);
    settings[5] = text[0];
    settings[6] = text[1];
    case_begin(&c, x, 500, D, NULL, settings);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, steps));
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &again));
    ck_assert_mem_eq(timed->params, again->params, (size_t)timed->structure->layout.size * 4);
    gm_trainer_free(t);
    gm_model_free(timed);
    gm_model_free(again);
    case_end(&c);
    free(x);
}
END_TEST

START_TEST(epochs_and_steps)
{
    static double x[100 * D];
    static const struct {
        const char *settings[5];
        int64_t steps;
    } cases[] = {{{"epochs=3", "batch=30", "valid=0"}, 9},
                 {{"epochs=3", "batch=30", "valid=0", "steps=5"}, 5},
                 {{"epochs=2", "batch=1000", "valid=0.1"}, 2},
                 {{"epochs=1", "batch=1", "valid=0"}, 100}};
    const char *settings[8] = {"seed=1"};
    for (int i = 0; cases[_i].settings[i]; i++)
        settings[i + 1] = cases[_i].settings[i];
    case_setup c;
    plain_rows(x, 100 * D, 4, 6, 3);
    case_begin(&c, x, 100, D, NULL, settings);
    gm_model *model = case_fit_now(&c, "bell");
    ck_assert_int_eq(case_record(c.ctx, model, "steps"), cases[_i].steps);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* ---- Stopping -------------------------------------------------------------------------------- */

/* Steps in pieces, a callback that stops and a token that is tripped change no bit of the end. */
typedef struct stopper {
    int64_t calls, stop_at, evaluations, last_step;
} stopper;

static int32_t stop_sometimes(void *user, const gm_progress *p)
{
    stopper *s = user;
    s->evaluations += p->evaluated;
    ck_assert(p->step >= s->last_step && p->struct_size == sizeof *p);
    s->last_step = p->step;
    return ++s->calls == s->stop_at;
}

START_TEST(stopped_by_progress)
{
    double *x = case_cloud(500, D, 4);
    const char *settings[] = {"seed=1",      "steps=60",    "hidden=8", "layers=2",
                              "evaluate=10", "dropout=0.2", NULL};
    case_setup c;
    stopper s = {.stop_at = 3};
    case_begin(&c, x, 500, D, NULL, settings);
    gm_model *whole = case_fit_now(&c, "flow"), *model;
    gm_trainer *t;
    c.config.progress = stop_sometimes;
    c.config.progress_user = &s;
    test_fails(c.ctx, gm_fit_with(c.ctx, "flow", &c.config, &model), GM_E_CANCELLED, "progress");
    ck_assert_ptr_null(model);
    s = (stopper){.stop_at = 3};
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    test_fails(c.ctx, gm_trainer_step(c.ctx, t, 0), GM_E_CANCELLED, "progress");
    int64_t stopped = case_progress(c.ctx, t).step;
    ck_assert_msg(stopped > 0 && stopped < 60, "%d", (int)stopped);
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    gm_model_free(model);
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 7));
    ck_assert_int_eq(case_progress(c.ctx, t).step, stopped + 7);
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 0));
    ck_assert_int_eq(s.evaluations, 6);
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    ck_assert_mem_eq(model->params, whole->params, (size_t)whole->structure->layout.size * 4);
    gm_trainer_free(t);
    gm_model_free(model);
    gm_model_free(whole);
    case_end(&c);
    free(x);
}
END_TEST

typedef struct tripper {
    gm_cancel *token;
    atomic_int started;
    double tripped;
} tripper;

static int32_t note_start(void *user, const gm_progress *p)
{
    tripper *t = user;
    (void)p;
    atomic_store(&t->started, 1);
    return 0;
}

static void *trip_later(void *arg)
{
    tripper *t = arg;
    struct timespec pause = {0, 20000000};
    while (!atomic_load(&t->started))
        thrd_sleep(&pause, NULL);
    thrd_sleep(&pause, NULL);
    t->tripped = seconds_now();
    gm_cancel_trip(t->token);
    return NULL;
}

START_TEST(cancelled_by_a_token)
{
    double *x = case_cloud(2000, D, 4);
    const char *settings[] = {"seed=1", "steps=1000000", "hidden=256,256", "batch=1800", NULL};
    case_setup c;
    tripper trip = {.token = gm_cancel_create(NULL)};
    pthread_t thread;
    gm_trainer *t;
    gm_model *model;
    case_begin(&c, x, 2000, D, NULL, settings);
    gm_context_config config = {.struct_size = sizeof config, .cancel = trip.token};
    gm_context *ctx;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    c.config.progress = note_start;
    c.config.progress_user = &trip;
    test_ok(ctx, gm_trainer_create(ctx, "flow", &c.config, &t));
    ck_assert_int_eq(pthread_create(&thread, NULL, trip_later, &trip), 0);
    test_fails(ctx, gm_trainer_step(ctx, t, 0), GM_E_CANCELLED, NULL);
    double late = seconds_now() - trip.tripped;
    pthread_join(thread, NULL);
    if (!test_sanitized()) /* 100 ms, and what a busy machine adds */
        ck_assert_msg(late < 0.5, "returned %g s after the token was tripped", late);
    int64_t step = case_progress(ctx, t).step;
    test_fails(ctx, gm_trainer_step(ctx, t, 1), GM_E_CANCELLED, NULL);
    ck_assert_int_eq(case_progress(ctx, t).step, step);
    gm_cancel_reset(trip.token);
    test_ok(ctx, gm_trainer_step(ctx, t, 1));
    ck_assert_int_eq(case_progress(ctx, t).step, step + 1);
    test_ok(ctx, gm_trainer_model(ctx, t, &model));
    gm_model_free(model);
    gm_trainer_free(t);
    gm_context_free(ctx);
    gm_cancel_free(trip.token);
    case_end(&c);
    free(x);
}
END_TEST

static void *trip_soon(void *arg)
{
    tripper *t = arg;
    struct timespec pause = {0, 60000000};
    thrd_sleep(&pause, NULL);
    t->tripped = seconds_now();
    gm_cancel_trip(t->token);
    return NULL;
}

/* Before there is a step: in graphs of many nodes, in plans of large values, in large starting
 * weights. */
START_TEST(cancelled_early)
{
    static const char *const settings[][4] = {{"seed=1", "layers=400", "hidden=8", NULL},
                                              {"seed=1", "hidden=512,512", "batch=4000", NULL},
                                              {"seed=1", "hidden=1500,1500", "layers=4", NULL}};
    double *x = case_cloud(4000, D, 4);
    case_setup c;
    tripper trip = {.token = gm_cancel_create(NULL)};
    pthread_t thread;
    gm_context *ctx;
    gm_model *model;
    case_begin(&c, x, 4000, D, NULL, settings[_i]);
    gm_context_config config = {.struct_size = sizeof config, .cancel = trip.token};
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, trip_soon, &trip), 0);
    test_fails(ctx, gm_fit_with(ctx, "flow", &c.config, &model), GM_E_CANCELLED, NULL);
    double now = seconds_now();
    pthread_join(thread, NULL);
    ck_assert_ptr_null(model);
    if (!test_sanitized()) /* 100 ms, and what a busy machine adds */
        ck_assert_msg(now - trip.tripped < 0.5, "returned %g s after the token was tripped",
                      now - trip.tripped);
    gm_context_free(ctx);
    gm_cancel_free(trip.token);
    case_end(&c);
    free(x);
}
END_TEST

/* Tripped again and again, in steps and in evaluations, a fit ends with the same bits. */
static void *trip_often(void *arg)
{
    tripper *t = arg;
    double nanoseconds = 200000;
    while (atomic_load(&t->started) < 2) {
        struct timespec pause = {0, (long)nanoseconds};
        thrd_sleep(&pause, NULL);
        gm_cancel_trip(t->token);
        nanoseconds = fmin(1.05 * nanoseconds, 9e8); /* a slow machine gets on too */
    }
    return NULL;
}

START_TEST(cancelled_anywhere)
{
    double *x = case_cloud(4000, D, 4);
    const char *settings[] = {"seed=1",   "steps=40",   "hidden=24", "layers=2",
                              "batch=50", "evaluate=2", "valid=0.9", NULL};
    case_setup c;
    tripper trip = {.token = gm_cancel_create(NULL)};
    pthread_t thread;
    gm_trainer *t;
    gm_model *model;
    case_begin(&c, x, 4000, D, NULL, settings);
    gm_model *whole = case_fit_now(&c, "flow");
    gm_context_config config = {.struct_size = sizeof config, .cancel = trip.token};
    gm_context *ctx;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    test_ok(ctx, gm_trainer_create(ctx, "flow", &c.config, &t));
    ck_assert_int_eq(pthread_create(&thread, NULL, trip_often, &trip), 0);
    gm_status got;
    int cancels = 0;
    do {
        gm_cancel_reset(trip.token);
        got = gm_trainer_step(ctx, t, 1);
        cancels += got == GM_E_CANCELLED;
        ck_assert(got == GM_OK || got == GM_E_CANCELLED);
    } while (!case_progress(ctx, t).done);
    atomic_store(&trip.started, 2);
    pthread_join(thread, NULL);
    ck_assert_int_gt(cancels, 0);
    test_ok(ctx, gm_trainer_model(ctx, t, &model));
    ck_assert_mem_eq(model->params, whole->params, (size_t)whole->structure->layout.size * 4);
    gm_model_free(model);
    gm_model_free(whole);
    gm_trainer_free(t);
    gm_context_free(ctx);
    gm_cancel_free(trip.token);
    case_end(&c);
    free(x);
}
END_TEST

START_TEST(wrong_arguments)
{
    static double x[40 * D];
    case_setup c;
    gm_trainer *t;
    gm_progress p = {.struct_size = sizeof p};
    double mean;
    gm_model *model;
    case_begin(&c, x, 40, D, NULL, (const char *[]){"seed=1", "steps=3", NULL});
    test_fails(c.ctx, gm_trainer_create(c.ctx, "bell", &c.config, NULL), GM_E_ARG, "trainer");
    test_fails(c.ctx, gm_trainer_create(c.ctx, "bell", NULL, &t), GM_E_ARG, "config");
    ck_assert_ptr_null(t);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "bell", &c.config, &t));
    test_fails(c.ctx, gm_trainer_step(c.ctx, NULL, 1), GM_E_ARG, "trainer");
    test_fails(c.ctx, gm_trainer_step(c.ctx, t, -1), GM_E_ARG, "negative");
    test_fails(c.ctx, gm_trainer_progress(c.ctx, NULL, &p), GM_E_ARG, NULL);
    test_fails(c.ctx, gm_trainer_progress(c.ctx, t, NULL), GM_E_ARG, NULL);
    test_fails(c.ctx, gm_trainer_evaluate(c.ctx, t, NULL, &mean, NULL), GM_E_ARG, "rows");
    test_fails(c.ctx, gm_trainer_evaluate(c.ctx, t, c.train, NULL, NULL), GM_E_ARG, "mean");
    test_fails(c.ctx, gm_trainer_model(c.ctx, t, NULL), GM_E_ARG, "model");
    test_fails(c.ctx, gm_trainer_model(c.ctx, NULL, &model), GM_E_ARG, "trainer");
    test_fails(c.ctx, gm_trainer_checkpoint(c.ctx, t, NULL), GM_E_ARG, "path");
    test_fails(c.ctx, gm_trainer_checkpoint_write(c.ctx, NULL, NULL), GM_E_ARG, "trainer");
    p = (gm_progress){.struct_size = 8, .step = 77}; /* of an older header */
    test_ok(c.ctx, gm_trainer_step(c.ctx, t, 2));
    test_ok(c.ctx, gm_trainer_progress(c.ctx, t, &p));
    ck_assert_int_eq(p.step, 77);
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model)); /* before the end */
    gm_model_free(model);
    gm_trainer_free(t);
    gm_trainer_free(NULL);
    case_end(&c);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("fit");
    TCase *t = tcase_create("fit");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, clipping, 0, 4);
    tcase_add_test(t, averaging);
    tcase_add_test(t, players_in_turn);
    tcase_add_loop_test(t, running_statistics, 0, 2);
    tcase_add_test(t, likelihood_of_a_bell);
    tcase_add_test(t, patience_ends_a_fit);
    tcase_add_loop_test(t, split_for_validation, 0, 4);
    tcase_add_test(t, validation_with_holes);
    tcase_add_test(t, time_budget);
    tcase_add_loop_test(t, cut_by_the_clock, 0, 2);
    tcase_add_loop_test(t, epochs_and_steps, 0, 4);
    tcase_add_test(t, stopped_by_progress);
    tcase_add_test(t, cancelled_by_a_token);
    tcase_add_loop_test(t, cancelled_early, 0, 3);
    tcase_add_test(t, cancelled_anywhere);
    tcase_add_test(t, wrong_arguments);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
