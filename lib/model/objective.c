/* A family's loss over a dataset: plans of its phases, of evaluation and of the start. */
#include "model/objective.h"
#include "model/fit.h"

#include <math.h>
#include <string.h>

#define MAX_PHASES 8
#define EVALUATED 512 /* rows of a piece in evaluation */

typedef struct gm__fit_objective {
    gm_allocator allocator;
    gm__structure *structure;
    gm__feed train, valid;
    gm__tray tray;
    gm__plan *steps[MAX_PHASES];
    gm__plan *evaluate, *start; /* start: NULL where the family sets nothing from data */
    double step;                /* number of the step under way, from 1, and in single precision */
    float step_f32;
    int told;       /* of validation rows outside the support */
    double loss;    /* where plans put the mean loss */
    double *losses; /* (EVALUATED) where evaluation puts each row's */
} gm__fit_objective;

static void free_objective(void *user)
{
    gm__fit_objective *o = user;
    gm_allocator a = o->allocator;
    for (int i = 0; i < MAX_PHASES; i++)
        gm__plan_free(o->steps[i]);
    gm__plan_free(o->evaluate);
    gm__plan_free(o->start);
    gm__tray_clear(&o->tray, &a);
    gm__feed_clear(&o->train, &a);
    gm__feed_clear(&o->valid, &a);
    gm__free(&a, o->losses, o->losses ? EVALUATED * sizeof *o->losses : 0);
    gm__structure_release(o->structure);
    gm__free(&a, o, sizeof *o);
}

/* ---- Plans ----------------------------------------------------------------------------------- */

static int plays(const gm_family *f, int phase, const gm__slot *slot)
{
    return slot->trained &&
           (!f->players || strncmp(slot->name, f->players[phase], strlen(f->players[phase])) == 0);
}

/* The mean loss, of rows by their weights, and the gradient of every parameter of the phase's
 * player. */
static gm_status plan_step(gm_context *ctx, gm__structure *s, int phase, int weighted,
                           int64_t batch, gm__plan **plan)
{
    gm_builder *b;
    gm__purpose how = {.training = 1, .phase = phase};
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    gm_node *loss = gm__loss_build(b, s);
    if (weighted) {
        int64_t rows = GM_BATCH;
        loss = gm_mul(b, loss, gm_wide(b, gm_input(b, "weight", GM_REAL_NODE, 1, &rows)));
    }
    loss = gm_mean_all(b, loss);
    int count = s->layout.count;
    gm_node **wrt = gm__builder_scratch(b, count + 1, sizeof *wrt),
            **grads = gm__builder_scratch(b, count + 1, sizeof *grads);
    gm__output *outputs = gm__builder_scratch(b, count + 1, sizeof *outputs);
    int n = 0;
    gm_status code = gm__builder_check(ctx, b);
    if (!code) {
        const gm__slot *slot;
        gm_node *param;
        outputs[0].node = loss;
        for (int i = 0; (param = gm__builder_param(b, i, &slot)); i++)
            if (plays(s->family, phase, slot)) {
                wrt[n] = param;
                outputs[++n].slot = slot;
            }
        gm_gradient(b, loss, n, wrt, grads);
        for (int i = 0; i < n; i++)
            outputs[i + 1].node = grads[i];
        code = gm__builder_check(ctx, b);
    }
    if (!code)
        code = gm__plan_create(ctx, b, outputs, n + 1, s->real, batch, plan);
    gm__builder_free(b);
    return code;
}

static gm_status plan_evaluate(gm_context *ctx, gm__structure *s, gm__plan **plan)
{
    gm_builder *b;
    gm__purpose how = {0};
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    gm__output output = {.node = gm__loss_build(b, s)};
    gm_status code = gm__builder_check(ctx, b);
    if (!code)
        code = gm__plan_create(ctx, b, &output, 1, s->real, EVALUATED, plan);
    gm__builder_free(b);
    return code;
}

/* The pass in which a family sets parameters from its first batch; no plan where none asks for it.
 */
static gm_status plan_start(gm_context *ctx, gm__structure *s, int64_t batch, gm__plan **plan)
{
    gm_builder *b;
    gm__purpose how = {.starting = 1};
    gm_node *param, *value;
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    gm__output output = {.node = gm_mean_all(b, gm__loss_build(b, s))};
    gm_status code = gm__builder_check(ctx, b);
    if (!code && gm__builder_assignment(b, 0, &param, &value))
        code = gm__plan_create(ctx, b, &output, 1, s->real, batch, plan);
    gm__builder_free(b);
    return code;
}

/* ---- What a trainer calls -------------------------------------------------------------------- */

/* What counts the steps of a fit in its graphs (gm_ramp). */
static void set_step(gm__fit_objective *o, const gm__plan *plan, uint64_t step)
{
    int input = gm__plan_input(plan, "step");
    o->step = (double)step + 1;
    o->step_f32 = (float)o->step;
    if (input >= 0)
        o->tray.inputs[input] = o->structure->real == GM__F64 ? (void *)&o->step : &o->step_f32;
}

static gm_status run_batch(gm_context *ctx, gm__fit_objective *o, gm__plan *plan,
                           const gm__batch *batch, void *params, void *grads)
{
    gm__noise noise = {.draw = 1, .seed = batch->seed, .step = batch->step};
    void *out = &o->loss;
    gm__feed_load(ctx, &o->train, batch->row, 0, batch->count, &noise, plan, &o->tray);
    set_step(o, plan, batch->step);
    gm__run run = {.batch = batch->count,
                   .seed = batch->seed,
                   .step = batch->step,
                   .params = params,
                   .grads = grads,
                   .grads_zeroed = 1,
                   .inputs = o->tray.inputs,
                   .outputs = &out};
    return gm__plan_run(ctx, plan, &run);
}

/* Whether losses are nats, told in the user's units. */
static int is_density(const gm__structure *s)
{
    return (s->family->log_prob && !s->family->loss) || (s->family->flags & GM_FAMILY_NATS);
}

static gm_status step(void *user, gm_context *ctx, int phase, const gm__batch *batch, void *params,
                      void *grads, double *loss)
{
    gm__fit_objective *o = user;
    GM_TRY(run_batch(ctx, o, o->steps[phase], batch, params, grads));
    double log_det = 0;
    for (int64_t i = 0; i < batch->count; i++)
        log_det += o->tray.log_det[i] * o->tray.weight[i];
    *loss = is_density(o->structure) ? o->loss - log_det / (double)batch->count : o->loss;
    return GM_OK;
}

static gm_status start(void *user, gm_context *ctx, const gm__batch *batch, void *params)
{
    gm__fit_objective *o = user;
    return run_batch(ctx, o, o->start, batch, params, NULL);
}

/* Losses of the rows inside the support, in the user's units, and how many rows lie outside. */
typedef struct gm__losses {
    double sum, squares, weight, spread; /* sums of w l, w l^2, w and w^2 */
    int64_t inside, outside;
} gm__losses;

static void add_losses(gm__fit_objective *o, const gm__tray *t, int64_t n, gm__losses *all)
{
    for (int64_t i = 0; i < n; i++) {
        double loss = is_density(o->structure) ? o->losses[i] - t->log_det[i] : o->losses[i];
        if (!t->support[i]) {
            all->outside++;
            continue;
        }
        double w = t->weight[i];
        if (!(w > 0))
            continue;
        all->sum += w * loss;
        all->squares += w * (loss * loss);
        all->weight += w;
        all->spread += w * w;
        all->inside++;
    }
}

/* Rows that the caller asks about lose without bound where one lies outside the support. Of the
 * validation rows those inside are judged: what no model of this support can learn would hide which
 * weights are best. */
static void finish_losses(gm_context *ctx, gm__fit_objective *o, const gm__losses *all, int asked,
                          double *mean, double *error)
{
    double w = all->weight, n = w * (w / all->spread); /* as many as rows that count alike */
    *mean = asked && all->outside ? INFINITY : all->sum / w;
    double variance = (all->squares - all->sum * (all->sum / w)) / (w - all->spread / w);
    *error = n > 1 && variance > 0 ? sqrt(variance / n) : 0;
    if (!asked && all->outside && !o->told) {
        o->told = 1;
        gm__log(ctx, 1,
                "fit: %lld of %lld validation rows lie outside what the training rows can"
                " tell (a value out of range, a category never seen): they are left out",
                (long long)all->outside, (long long)(all->inside + all->outside));
    }
}

static gm_status evaluate_feed(gm_context *ctx, gm__fit_objective *o, const gm__feed *feed,
                               gm__tray *tray, const void *params, double *mean, double *error)
{
    gm__losses all = {0};
    gm__noise noise = {.draw = 1,
                       .seed = (uint64_t)gm__value_int(o->structure->values, "seed"),
                       .step = UINT32_MAX};
    void *out = o->losses;
    for (int64_t first = 0; first < feed->count; first += EVALUATED) {
        int64_t count = feed->count - first < EVALUATED ? feed->count - first : EVALUATED;
        gm__feed_load(ctx, feed, NULL, first, count, &noise, o->evaluate, tray);
        gm__run run = {.batch = count,
                       .seed = noise.seed,
                       .step = noise.step,
                       .row0 = first,
                       .params = (void *)(uintptr_t)params,
                       .inputs = tray->inputs,
                       .outputs = &out};
        GM_TRY(gm__plan_run(ctx, o->evaluate, &run));
        add_losses(o, tray, count, &all);
        GM_TRY(gm__check_cancel(ctx));
    }
    if (feed == &o->valid && all.outside && !all.inside)
        return gm__fail(ctx, GM_E_DATA,
                        "fit: all %lld validation rows lie outside what the training rows can tell "
                        "(a value out of range, a category never seen); validate on rows like "
                        "those to learn from, or on none (valid=0)",
                        (long long)all.outside);
    finish_losses(ctx, o, &all, feed != &o->valid, mean, error);
    return GM_OK;
}

static gm_status evaluate(void *user, gm_context *ctx, const gm_dataset *rows, const void *params,
                          double *mean, double *error)
{
    gm__fit_objective *o = user;
    gm__tray tray;
    gm__feed feed = {0};
    if (rows)
        GM_TRY(gm__feed_create(ctx, o->structure, rows, &feed));
    gm_status code = gm__tray_create(ctx, o->structure, EVALUATED, &tray);
    if (!code)
        code = evaluate_feed(ctx, o, rows ? &feed : &o->valid, &tray, params, mean, error);
    gm__tray_clear(&tray, &ctx->allocator);
    gm__feed_clear(&feed, &ctx->allocator);
    return code;
}

static gm_status model(void *user, gm_context *ctx, const void *params, const gm_trainer *trainer,
                       gm_model **out)
{
    gm__fit_objective *o = user;
    gm__buffer record = {.allocator = ctx->allocator};
    gm__fit_record(trainer, o->train.count, o->valid.count, &record);
    gm__buffer_add(&record, "", 1);
    gm_status code = record.failed ? gm__no_memory(ctx)
                                   : gm__model_create(ctx, o->structure, params, record.data, out);
    gm__buffer_clear(&record);
    return code;
}

double gm__objective_operations(const void *user, int64_t batch)
{
    const gm__fit_objective *o = user;
    double sum = 0;
    for (int i = 0; i < MAX_PHASES && o->steps[i]; i++)
        sum += gm__plan_operations(o->steps[i], batch);
    return sum;
}

/* ---- Making ---------------------------------------------------------------------------------- */

static gm_status fill(gm_context *ctx, gm__fit_objective *o, const gm_dataset *train,
                      const gm_dataset *valid, gm__objective *out)
{
    gm__structure *s = o->structure;
    int phases = s->family->phases > 1 ? s->family->phases : 1;
    int64_t batch = gm__value_int(s->values, "batch");
    if (phases > MAX_PHASES)
        return gm__fail(ctx, GM_E_RANGE, "%s: %d phases; at most %d", s->family->name, phases,
                        MAX_PHASES);
    GM_TRY(gm__feed_create(ctx, s, train, &o->train));
    if (valid && gm__feed_create(ctx, s, valid, &o->valid))
        return gm__prefix(ctx, "validation rows: ");
    batch = batch < o->train.count ? batch : o->train.count;
    GM_TRY(gm__tray_create(ctx, s, batch, &o->tray));
    for (int phase = 0; phase < phases; phase++)
        GM_TRY(plan_step(ctx, s, phase, o->train.weight != NULL, batch, &o->steps[phase]));
    GM_TRY(plan_evaluate(ctx, s, &o->evaluate));
    GM_TRY(plan_start(ctx, s, batch, &o->start));
    o->losses = gm__alloc_array(&ctx->allocator, EVALUATED, sizeof *o->losses);
    if (!o->losses)
        return gm__no_memory(ctx);
    *out = (gm__objective){.user = o,
                           .layout = &s->layout,
                           .real = s->real,
                           .rows = o->train.count,
                           .valid = o->valid.count > 0,
                           .weighted = o->train.weight != NULL,
                           .phases = phases,
                           .players = s->family->players,
                           .step = step,
                           .start = o->start ? start : NULL,
                           .evaluate = evaluate,
                           .model = model,
                           .free = free_objective};
    return GM_OK;
}

gm_status gm__objective_create(gm_context *ctx, gm__structure *structure, const gm_dataset *train,
                               const gm_dataset *valid, gm__objective *out)
{
    gm__fit_objective *o = gm__alloc(&ctx->allocator, sizeof *o);
    if (!o)
        return gm__no_memory(ctx);
    *o = (gm__fit_objective){.allocator = ctx->allocator,
                             .structure = gm__structure_retain(structure)};
    gm_status code = fill(ctx, o, train, valid, out);
    if (code)
        free_objective(o);
    return code;
}
