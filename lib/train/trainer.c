/* The life of a trainer and what it says of itself. */
#include "train/trainer.h"
#include "nn/nn.h"

#include <math.h>
#include <string.h>

const gm_option_row gm__fit_options[] = {
    {"seed", GM_STAGE_FIT | GM_STAGE_CALL, GM_SEED, "", "", 1,
     "random numbers are a function of it; required by whatever draws"},
    {"epochs", GM_STAGE_FIT, GM_INT, "100", "1..", 1,
     "passes over the training rows, if neither steps nor seconds is given"},
    {"steps", GM_STAGE_FIT, GM_INT, "0", "0..", 1, "steps in all, in place of epochs; 0 is off"},
    {"seconds", GM_STAGE_FIT, GM_REAL, "0", "0..", 1,
     "time budget: early on the number of steps that fit is measured, and recorded; 0 is off"},
    {"batch", GM_STAGE_FIT, GM_INT, "256", "1..16777216", 1, "rows a step"},
    {"valid", GM_STAGE_FIT, GM_REAL, "0.1", "0..0.9", 1,
     "fraction of the rows kept for validation where no validation rows are given; 0 is none"},
    {"evaluate", GM_STAGE_FIT, GM_INT, "0", "0..", 1,
     "steps between evaluations; 0 is once an epoch, but not more often than every 100 steps"},
    {"patience", GM_STAGE_FIT, GM_INT, "50", "0..", 1,
     "evaluations without a better validation loss before the fit ends; 0 is off"},
    {"schedule", GM_STAGE_FIT, GM_CHOICE, "cosine", "constant|cosine|step|one-cycle", 1,
     "of the learning rate over the fit"},
    {"warmup", GM_STAGE_FIT, GM_INT, "0", "0..", 1, "steps of linear warm-up of the learning rate"},
    {"hold", GM_STAGE_FIT, GM_INT, "0", "0..", 1,
     "steps before the schedule begins; a time budget sets it, and records it"},
    {"step_factor", GM_STAGE_FIT, GM_REAL, "0.1", "(0..1", 1,
     "schedule=step: what multiplies the learning rate at each step down"},
    {"step_every", GM_STAGE_FIT, GM_REAL, "0.33", "(0..1", 1,
     "schedule=step: part of the fit between steps down"},
    {"clip", GM_STAGE_FIT, GM_REAL, "10", "0..", 1, "greatest norm of the gradient; 0 is off"},
    {"average", GM_STAGE_FIT, GM_REAL, "0.998", "0..1)", 1,
     "decay of an exponential average of the weights, which then is the model; 0 is off"},
    {"precision", GM_STAGE_FIT, GM_CHOICE, "f32", "f32|f64", 1,
     "arithmetic of the fit and of the model"},
    {"checkpoint", GM_STAGE_FIT, GM_TEXT, "", "", 1,
     "file that gets the whole state now and then, to be resumed from"},
    {"checkpoint_seconds", GM_STAGE_FIT, GM_REAL, "60", "0..", 1, "seconds between checkpoints"},
    {0},
};

size_t gm__trainer_bytes(const gm_trainer *t)
{
    return (size_t)t->objective.layout->size * (t->objective.real == GM__F64 ? 8 : 4);
}

static int wanted(const gm_trainer *t, int buffer)
{
    switch (buffer) {
    case GM__M:
    case GM__SNAP_M:
        return gm__optimizer_has_m(t->optimizer);
    case GM__V:
    case GM__SNAP_V:
        return gm__optimizer_has_v(t->optimizer);
    case GM__AVERAGE:
        return gm__value_real(t->values, "average") > 0;
    case GM__BEST:
        return t->objective.valid;
    default:
        return 1;
    }
}

static gm_status make_buffers(gm_context *ctx, gm_trainer *t)
{
    for (int i = 0; i < GM__BUFFERS; i++) {
        if (!wanted(t, i) || t->objective.layout->size == 0)
            continue;
        GM_TRY(gm__alloc_large(ctx, gm__trainer_bytes(t), &t->buffers[i]));
    }
    t->order = gm__alloc_array(&t->allocator, t->objective.rows, sizeof *t->order);
    return t->order ? GM_OK : gm__no_memory(ctx);
}

/* Steps in all from the options; a time budget leaves 0 until it was measured. */
static void set_horizon(gm_trainer *t)
{
    const gm__values *v = t->values;
    int64_t steps = gm__value_int(v, "steps");
    if (steps == 0 && gm__value_real(v, "seconds") <= 0 &&
        __builtin_mul_overflow(gm__value_int(v, "epochs"), t->per_epoch, &steps))
        steps = INT64_MAX;
    t->at.horizon = steps;
    t->at.hold = gm__value_int(v, "hold");
    t->schedule = (gm__schedule){.kind = (int)gm__value_int(v, "schedule"),
                                 .warmup = gm__value_int(v, "warmup"),
                                 .factor = gm__value_real(v, "step_factor"),
                                 .every = gm__value_real(v, "step_every")};
}

static void set_counts(gm_trainer *t)
{
    int64_t rows = t->objective.rows, every = gm__value_int(t->values, "evaluate");
    t->batch = gm__value_int(t->values, "batch");
    t->batch = t->batch < rows ? t->batch : rows;
    t->per_epoch = rows / t->batch;
    t->every = every ? every : t->per_epoch > 100 ? t->per_epoch : 100;
    t->order_epoch = -1;
    t->last_report = -1;
    t->at.loss = t->at.valid = t->at.best = NAN;
    t->at.rate_scale = 1;
}

gm_status gm__trainer_create(gm_context *ctx, const gm__objective *objective, gm__values *values,
                             const gm_optimizer *optimizer, gm_progress_fn progress,
                             void *progress_user, gm_trainer **trainer)
{
    gm_trainer *t = gm__alloc(&ctx->allocator, sizeof *t);
    if (!t) {
        objective->free(objective->user);
        return gm__no_memory(ctx);
    }
    *t = (gm_trainer){.allocator = ctx->allocator,
                      .objective = *objective,
                      .values = gm__values_retain(values),
                      .optimizer = gm__optimizer_retain(optimizer),
                      .progress = progress,
                      .progress_user = progress_user};
    set_counts(t);
    set_horizon(t);
    gm_status code = make_buffers(ctx, t);
    if (!code)
        code = gm__params_init(ctx, objective->layout, objective->real,
                               (uint64_t)gm__value_int(values, "seed"), t->buffers[GM__PARAM]);
    if (code) {
        gm_trainer_free(t);
        return code;
    }
    *trainer = t;
    return GM_OK;
}

void gm_trainer_free(gm_trainer *trainer)
{
    if (!trainer)
        return;
    gm_allocator a = trainer->allocator;
    for (int i = 0; i < GM__BUFFERS; i++)
        gm__free(&a, trainer->buffers[i], trainer->buffers[i] ? gm__trainer_bytes(trainer) : 0);
    gm__free(&a, trainer->order,
             trainer->order ? (size_t)trainer->objective.rows * sizeof *trainer->order : 0);
    gm__values_free(trainer->values);
    gm_optimizer_free(trainer->optimizer);
    trainer->objective.free(trainer->objective.user);
    gm__free(&a, trainer, sizeof *trainer);
}

const void *gm__trainer_weights(const gm_trainer *t)
{
    if (t->buffers[GM__BEST] && t->at.best_step > 0)
        return t->buffers[GM__BEST];
    return t->buffers[GM__AVERAGE] && t->at.step > 0 ? t->buffers[GM__AVERAGE]
                                                     : t->buffers[GM__PARAM];
}

/* ---- Progress -------------------------------------------------------------------------------- */

static double seconds_left(const gm_trainer *t)
{
    double budget = gm__value_real(t->values, "seconds");
    if (t->at.done)
        return 0;
    if (t->at.horizon > 0 && t->at.step > 0)
        return t->at.seconds / (double)t->at.step * (double)(t->at.horizon - t->at.step);
    return budget > 0 ? budget - t->at.seconds : NAN;
}

void gm__trainer_progress(const gm_trainer *t, gm_progress *p)
{
    const gm__counters *at = &t->at;
    gm_progress full = {
        .struct_size = p->struct_size,
        .done = (int32_t)at->done,
        .step = at->step,
        .steps = at->horizon,
        .epoch = (double)at->step / (double)t->per_epoch,
        .loss = at->loss,
        .valid = at->valid,
        .best = at->best,
        .best_step = at->best_step,
        .seconds = at->seconds,
        .seconds_left = seconds_left(t),
        .items_per_second = at->seconds > 0 ? (double)(at->step * t->batch) / at->seconds : NAN,
        .rate = t->last_rate * gm__optimizer_rate(t->optimizer),
        .recoveries = at->recoveries,
        .evaluated = t->evaluated,
    };
    size_t size = p->struct_size < sizeof full ? p->struct_size : sizeof full;
    memcpy(p, &full, size);
}

gm_status gm_trainer_progress(gm_context *ctx, const gm_trainer *trainer, gm_progress *progress)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!trainer || !progress ||
        progress->struct_size < sizeof progress->struct_size + sizeof progress->done)
        return gm__leave(
            ctx, &entry,
            gm__fail(
                ctx, GM_E_ARG,
                "gm_trainer_progress: trainer or progress is NULL, or struct_size is not set"));
    gm__trainer_progress(trainer, progress);
    return gm__leave(ctx, &entry, GM_OK);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

gm_status gm_trainer_step(gm_context *ctx, gm_trainer *trainer, int64_t n)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!trainer || n < 0)
        return gm__leave(
            ctx, &entry,
            gm__fail(ctx, GM_E_ARG, "gm_trainer_step: trainer is NULL or n is negative"));
    return gm__leave(ctx, &entry, gm__trainer_run(ctx, trainer, n));
}

static gm_status evaluate(gm_context *ctx, gm_trainer *t, const gm_dataset *rows, double *mean,
                          double *error)
{
    double m, e;
    const void *weights =
        t->buffers[GM__AVERAGE] && t->at.step > 0 ? t->buffers[GM__AVERAGE] : t->buffers[GM__PARAM];
    GM_TRY(t->objective.evaluate(t->objective.user, ctx, rows, weights, &m, &e));
    *mean = m;
    if (error)
        *error = e;
    return GM_OK;
}

gm_status gm_trainer_evaluate(gm_context *ctx, gm_trainer *trainer, const gm_dataset *rows,
                              double *mean, double *error)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!trainer || !rows || !mean)
        return gm__leave(
            ctx, &entry,
            gm__fail(ctx, GM_E_ARG, "gm_trainer_evaluate: trainer, rows or mean is NULL"));
    return gm__leave(ctx, &entry, evaluate(ctx, trainer, rows, mean, error));
}

gm_status gm_trainer_model(gm_context *ctx, gm_trainer *trainer, gm_model **model)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!trainer || !model)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "gm_trainer_model: trainer or model is NULL"));
    *model = NULL;
    return gm__leave(ctx, &entry,
                     trainer->objective.model(trainer->objective.user, ctx,
                                              gm__trainer_weights(trainer), trainer, model));
}
