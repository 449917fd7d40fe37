/* The loop: one step after another, and what falls due between them. */
#include "train/trainer.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

#define SNAPSHOT_EVERY 100
#define RECOVERIES 8 /* without a new snapshot between them */

static uint64_t seed_of(const gm_trainer *t)
{
    return (uint64_t)gm__value_int(t->values, "seed");
}

/* ---- Batches --------------------------------------------------------------------------------- */

/* The rows of an epoch in an order drawn anew (Fisher and Yates). A last batch that is not full is
 * left out. */
static void shuffle(gm_trainer *t, int64_t epoch)
{
    int64_t n = t->objective.rows;
    for (int64_t i = 0; i < n; i++)
        t->order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = gm__random_below(seed_of(t), GM__FOR_SHUFFLE, (uint64_t)epoch, i, i + 1),
                other = t->order[j];
        t->order[j] = t->order[i];
        t->order[i] = other;
    }
    t->order_epoch = epoch;
}

static gm__batch next_batch(gm_trainer *t)
{
    int64_t epoch = t->at.step / t->per_epoch, place = t->at.step % t->per_epoch;
    if (epoch != t->order_epoch)
        shuffle(t, epoch);
    return (gm__batch){.row = t->order + place * t->batch,
                       .count = t->batch,
                       .seed = seed_of(t),
                       .step = (uint64_t)t->at.step};
}

/* ---- One update ------------------------------------------------------------------------------ */

/* The Euclidean norm of a buffer. */
static double length(gm_context *ctx, const gm_trainer *t, int buffer)
{
    return sqrt(ctx->kernels->reductions->sum_squares[t->objective.real](
        t->buffers[buffer], t->objective.layout->size));
}

/* What the gradient is multiplied with; not a number where it is not finite. */
static double clip_scale(gm_context *ctx, const gm_trainer *t)
{
    double most = gm__value_real(t->values, "clip");
    if (most <= 0)
        return 1;
    double norm = length(ctx, t, GM__GRAD);
    return !isfinite(norm) ? NAN : norm > most ? most / norm : 1;
}

static int plays(const gm_trainer *t, int phase, const gm__slot *s)
{
    const char *const *players = t->objective.players;
    return s->trained &&
           (!players || strncmp(s->name, players[phase], strlen(players[phase])) == 0);
}

/* Averages start as copies and follow with a decay that grows to the one asked for. */
static double average_decay(const gm_trainer *t)
{
    double asked = gm__value_real(t->values, "average"),
           early = (1 + (double)t->at.step) / (10 + (double)t->at.step);
    return asked < early ? asked : early;
}

/* Updates the parameters of a phase, one run of neighbouring slots at a time. */
static void update(gm_context *ctx, gm_trainer *t, int phase, double scale)
{
    const gm__layout *layout = t->objective.layout;
    gm__update u = {.real = t->objective.real,
                    .param = t->buffers[GM__PARAM],
                    .grad = t->buffers[GM__GRAD],
                    .m = t->buffers[GM__M],
                    .v = t->buffers[GM__V],
                    .grad_scale = scale,
                    .average = t->buffers[GM__AVERAGE],
                    .average_decay = average_decay(t)};
    gm__optimizer_prepare(t->optimizer, t->at.updates + 1, t->last_rate, &u);
    for (int i = 0; i < layout->count;) {
        int from = i;
        while (i < layout->count && plays(t, phase, &layout->slots[i]) &&
               !gm__slot_is_stairs(&layout->slots[i]))
            i++;
        if (i == from && plays(t, phase, &layout->slots[i])) {
            gm__optimizer_update_stairs(ctx, t->optimizer, &u, &layout->slots[i++]);
        } else if (i > from) {
            const gm__slot *last = &layout->slots[i - 1];
            gm__optimizer_update(ctx, t->optimizer, &u, layout->slots[from].offset,
                                 last->offset + last->count);
        } else {
            i++;
        }
    }
}

/* Running statistics are assigned, not trained: the averaged weights carry them as they are. */
static void carry_states(gm_trainer *t)
{
    const gm__layout *layout = t->objective.layout;
    size_t size = t->objective.real == GM__F64 ? 8 : 4;
    for (int i = 0; t->buffers[GM__AVERAGE] && i < layout->count; i++) {
        const gm__slot *s = &layout->slots[i];
        if (!s->trained)
            memcpy((char *)t->buffers[GM__AVERAGE] + (size_t)s->offset * size,
                   (char *)t->buffers[GM__PARAM] + (size_t)s->offset * size,
                   (size_t)s->count * size);
    }
}

/* ---- Snapshots and recovery ------------------------------------------------------------------ */

static void copy_buffer(gm_trainer *t, int to, int from)
{
    if (t->buffers[to] && t->buffers[from])
        memcpy(t->buffers[to], t->buffers[from], gm__trainer_bytes(t));
}

static void take_snapshot(gm_trainer *t)
{
    copy_buffer(t, GM__SNAP_PARAM, GM__PARAM);
    copy_buffer(t, GM__SNAP_M, GM__M);
    copy_buffer(t, GM__SNAP_V, GM__V);
    t->at.snapshot_step = t->at.step;
    t->at.snapshot_updates = t->at.updates;
}

typedef struct gm__trouble {
    char text[64];
} gm__trouble;

/* What is not finite: the loss, or else its gradient. */
static gm__trouble trouble(double loss)
{
    gm__trouble t;
    gm__format(t.text, sizeof t.text,
               isfinite(loss) ? "the gradient is not finite (the loss is %g)" : "the loss is %g",
               loss);
    return t;
}

/* After a non-finite loss or gradient: the last snapshot's weights (also where this was once too
 * often), half the learning rate, and the batches go on. */
static gm_status recover(gm_context *ctx, gm_trainer *t, double loss)
{
    copy_buffer(t, GM__PARAM, GM__SNAP_PARAM);
    copy_buffer(t, GM__M, GM__SNAP_M);
    copy_buffer(t, GM__V, GM__SNAP_V);
    if (t->buffers[GM__AVERAGE])
        copy_buffer(t, GM__AVERAGE, GM__SNAP_PARAM);
    t->at.updates = t->at.snapshot_updates;
    t->at.recoveries++;
    if (t->at.recoveries > RECOVERIES)
        return gm__fail(ctx, GM_E_NONFINITE,
                        "fit: %s at step %lld, still after %d returns to earlier "
                        "weights with half the learning rate each; "
                        "try a smaller lr, clip, or another transform",
                        trouble(loss).text, (long long)t->at.step, RECOVERIES);
    t->at.rate_scale *= 0.5;
    gm__log(ctx, 1,
            "fit: %s at step %lld: back to the weights of step %lld with half the "
            "learning rate",
            trouble(loss).text, (long long)t->at.step, (long long)t->at.snapshot_step);
    return GM_OK;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static gm_status start(gm_context *ctx, gm_trainer *t)
{
    gm__batch batch = next_batch(t);
    if (t->objective.start)
        GM_TRY(t->objective.start(t->objective.user, ctx, &batch, t->buffers[GM__PARAM]));
    copy_buffer(t, GM__AVERAGE, GM__PARAM);
    take_snapshot(t);
    t->at.started = 1;
    return GM_OK;
}

static gm_status one_step(gm_context *ctx, gm_trainer *t)
{
    gm__batch batch = next_batch(t);
    t->schedule.horizon = t->at.horizon;
    t->schedule.hold = t->at.hold;
    t->last_rate = t->at.rate_scale * gm__schedule_rate(&t->schedule, ctx->kernels, t->at.step);
    t->at.foreign |= ctx->cblas;
    int updated = 1;
    for (int phase = 0; phase < t->objective.phases; phase++) {
        double loss;
        if (t->objective.phases > 1) /* what another player left would be clipped with this one */
            memset(t->buffers[GM__GRAD], 0, gm__trainer_bytes(t));
        GM_TRY(t->objective.step(t->objective.user, ctx, phase, &batch, t->buffers[GM__PARAM],
                                 t->buffers[GM__GRAD], &loss));
        double scale = clip_scale(ctx, t);
        if (!isfinite(loss) || !isfinite(scale)) {
            GM_TRY(recover(ctx, t, loss));
            updated = 0;
            break;
        }
        if (phase == 0 && t->at.step - t->at.snapshot_step >= SNAPSHOT_EVERY)
            take_snapshot(t); /* of weights that have a loss */
        update(ctx, t, phase, scale);
        if (phase == 0)
            t->at.loss = t->at.loss == t->at.loss ? t->at.loss + 0.05 * (loss - t->at.loss) : loss;
    }
    carry_states(t);
    t->at.step++;
    t->at.updates += updated;
    return GM_OK;
}

/* A step of several players is not left half done: it heeds cancelling at its end. */
static gm_status whole_step(gm_context *ctx, gm_trainer *t)
{
    gm_cancel *token = ctx->cancel;
    if (t->objective.phases > 1)
        ctx->cancel = NULL;
    gm_status code = one_step(ctx, t);
    ctx->cancel = token;
    return code;
}

static gm_status evaluate(gm_context *ctx, gm_trainer *t)
{
    if (!t->objective.valid)
        return GM_OK;
    int from = t->buffers[GM__AVERAGE] ? GM__AVERAGE : GM__PARAM;
    double error, begin = gm__clock();
    GM_TRY(t->objective.evaluate(t->objective.user, ctx, NULL, t->buffers[from], &t->at.valid,
                                 &error));
    t->at.evaluate_seconds = gm__clock() - begin;
    t->at.evaluate_total += t->at.evaluate_seconds;
    t->evaluated = 1;
    if (isfinite(t->at.valid) && !(t->at.best <= t->at.valid)) {
        t->at.best = t->at.valid;
        t->at.best_step = t->at.step;
        t->at.stale = 0;
        copy_buffer(t, GM__BEST, from);
    } else {
        t->at.stale++;
    }
    return GM_OK;
}

/* ---- Time ------------------------------------------------------------------------------------ */

#define MEASURED 0.03 /* the part of a time budget in which the rate of steps is measured */
#define USED 0.98     /* and the part that is planned for */

/* How many steps fit, from those made so far; recorded, so that the fit can be repeated by steps
 * and hold. */
static void set_horizon_by_time(gm_trainer *t, double budget)
{
    /* the evaluation just made is in its own counters, not yet in seconds */
    double last = t->objective.valid ? t->at.evaluate_seconds : 0,
           earlier = t->at.evaluate_total - last;
    double per_step = (t->at.seconds - earlier) / (double)t->at.step + last / (double)t->every;
    double more = (budget * USED - t->at.seconds - last) / per_step;
    t->at.hold = t->at.step;
    t->at.horizon = t->at.step + (more > 1 ? more < 1e15 ? (int64_t)more : (int64_t)1e15 : 1);
}

static int measured(const gm_trainer *t, double budget)
{
    return t->at.horizon == 0 && t->at.step >= 5 && t->at.seconds >= budget * MEASURED;
}

static gm_status report(gm_context *ctx, gm_trainer *t, double now)
{
    if (!t->progress || (!t->evaluated && !t->at.done && now - t->last_report < 0.1))
        return GM_OK;
    gm_progress p = {.struct_size = sizeof p};
    gm__trainer_progress(t, &p);
    t->last_report = now;
    t->evaluated = 0;
    if (t->progress(t->progress_user, &p))
        return gm__fail(ctx, GM_E_CANCELLED,
                        "fit: the progress callback asked to stop at step %lld",
                        (long long)t->at.step);
    return GM_OK;
}

/* What falls due after a step: evaluation, the horizon, the end. Stays due if it is broken off. */
static gm_status between_steps(gm_context *ctx, gm_trainer *t)
{
    t->at.due = 1;
    double budget = gm__value_real(t->values, "seconds");
    int64_t patience = gm__value_int(t->values, "patience");
    int now_measured = budget > 0 && measured(t, budget);
    int last = t->at.horizon > 0 && t->at.step >= t->at.horizon;
    /* cut short by the clock: no evaluation that as many steps would not have made as well */
    int cut = budget > 0 && t->at.horizon && t->at.seconds > 1.1 * budget;
    if (t->at.step % t->every == 0 || now_measured || last || (cut && t->at.best_step == 0) ||
        (t->at.hold && t->at.step == t->at.hold))
        GM_TRY(evaluate(ctx, t));
    if (now_measured)
        set_horizon_by_time(t, budget);
    if (last || cut || (patience && t->at.stale >= patience))
        t->at.done = 1;
    if (t->at.done && !isfinite(length(ctx, t, GM__PARAM)))
        GM_TRY(recover(ctx, t, NAN)); /* the last update ran away: the snapshot's weights stand */
    if (t->at.done && t->objective.valid && t->at.best_step == 0)
        return gm__fail(
            ctx, GM_E_NONFINITE,
            "fit: the validation loss was never finite; try a smaller lr, or look at the "
            "validation rows");
    t->at.due = 0;
    return GM_OK;
}

static gm_status timed(gm_context *ctx, gm_trainer *t,
                       gm_status (*work)(gm_context *, gm_trainer *))
{
    double begin = gm__clock();
    gm_status code = work(ctx, t);
    t->at.seconds += gm__clock() - begin;
    return code;
}

static gm_status run(gm_context *ctx, gm_trainer *t, int64_t steps, double *saved)
{
    const char *path = gm__value_text(t->values, "checkpoint");
    double between = gm__value_real(t->values, "checkpoint_seconds");
    if (t->at.due)
        GM_TRY(timed(ctx, t, between_steps));
    for (int64_t i = 0; !t->at.done && (steps == 0 || i < steps); i++) {
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(timed(ctx, t, whole_step));
        GM_TRY(timed(ctx, t, between_steps));
        double now = gm__clock();
        GM_TRY(report(ctx, t, now));
        if (path[0] && (t->at.done || now - *saved >= between)) {
            GM_TRY(gm__trainer_save_file(ctx, t, path));
            *saved = gm__clock();
        }
    }
    return GM_OK;
}

/* A checkpoint that a tripped token does not stop. */
static gm_status save_whatever(gm_context *ctx, const gm_trainer *t, const char *path)
{
    gm_cancel *token = ctx->cancel;
    ctx->cancel = NULL;
    gm_status code = gm__trainer_save_file(ctx, t, path);
    ctx->cancel = token;
    return code;
}

gm_status gm__trainer_run(gm_context *ctx, gm_trainer *t, int64_t steps)
{
    double saved = gm__clock();
    const char *path = gm__value_text(t->values, "checkpoint");
    if (!t->at.started) {
        GM_TRY(timed(ctx, t, start));
        if (path[0]) /* a place that cannot be written is found out now, not in an hour */
            GM_TRY(gm__trainer_save_file(ctx, t, path));
    }
    gm_status code = run(ctx, t, steps, &saved);
    /* A cancelled fit leaves its last whole step on disk. */
    if (code == GM_E_CANCELLED && path[0] && !save_whatever(ctx, t, path))
        return gm__fail(ctx, GM_E_CANCELLED, "fit: cancelled at step %lld; the checkpoint is in %s",
                        (long long)t->at.step, path);
    return code;
}
