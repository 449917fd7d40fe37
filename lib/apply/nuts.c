/* gm_nuts: options, chains in turn or side by side, and what they say in the end. */
#include "apply/nuts.h"
#include "apply/options.h"
#include "base/random.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

const gm_option_row gm__nuts_options[] = {
    {"seed", GM_STAGE_CALL, GM_SEED, "", "", 1, "of everything that is drawn"},
    {"warmup", GM_STAGE_CALL, GM_INT, "1000", "0..1000000000", 1,
     "iterations before the draws, in which step size and metric are learned"},
    {"target_accept", GM_STAGE_CALL, GM_REAL, "0.8", "(0..1)", 1,
     "acceptance that the step size aims at; nearer to 1 is slower, with fewer divergences"},
    {"max_depth", GM_STAGE_CALL, GM_INT, "10", "1..20", 1,
     "doublings of a path at most: 2^max_depth - 1 gradients a draw"},
    {"metric", GM_STAGE_CALL, GM_CHOICE, "diagonal", "diagonal|dense|unit", 1,
     "what is learned of the covariance: variances, all of it, or nothing"},
    {"step_size", GM_STAGE_CALL, GM_REAL, "1", "(0..1e6)", 1,
     "where the search for a step size begins; with warmup=0 the step size"},
    {"start_radius", GM_STAGE_CALL, GM_REAL, "2", "0..1e6", 1,
     "chains without a start begin uniformly between minus and plus this"},
    {"parallel", GM_STAGE_CALL, GM_BOOL, "false", "", 1,
     "chains side by side on the context's threads: log_density is then called from several at "
     "once"},
    {0}};

#define MAX_DENSE 4096 /* dimensions of a dense metric */

typedef struct run {
    gm_context *ctx;
    const gm_target *target;
    const double *start;
    int64_t count, draws, warmup, dim;
    gm__chain *chains;
    gm__window *windows;
    double *memory, *out, *logp;
    int64_t room, out_room;
} run;

/* ---- Checks ---------------------------------------------------------------------------------- */

static gm_status check(gm_context *ctx, const gm_target *target, int64_t chains, int64_t draws,
                       const gm_nuts_result *result)
{
    if (!target || target->struct_size < sizeof *target || !target->log_density)
        return gm__fail(ctx, GM_E_ARG,
                        "nuts: target is NULL, its struct_size is not set, or it has no "
                        "log_density");
    if (!result || result->struct_size < sizeof *result || !result->draws)
        return gm__fail(ctx, GM_E_ARG,
                        "nuts: result is NULL, its struct_size is not set, or it has no draws");
    if (target->dim < 1 || chains < 1 || chains > 1024 || draws < 1 || draws > 1000000000)
        return gm__fail(ctx, GM_E_SHAPE,
                        "nuts: %lld dimensions, %lld chains of %lld draws; at least one of each, "
                        "at most 1024 chains of 1000000000",
                        (long long)target->dim, (long long)chains, (long long)draws);
    return GM_OK;
}

/* A chain that begins nowhere would stay there: its every path would be refused. */
static gm_status check_start(const run *r)
{
    for (int64_t i = 0; r->start && i < r->count * r->dim; i++)
        if (!(r->start[i] - r->start[i] == 0))
            return gm__fail(r->ctx, GM_E_NONFINITE,
                            "nuts: start of chain %lld: coordinate %lld of %lld is %g, a finite "
                            "number was expected",
                            (long long)(i / r->dim) + 1, (long long)(i % r->dim) + 1,
                            (long long)r->dim, r->start[i]);
    return GM_OK;
}

static gm_status make_chains(run *r, const gm__values *v)
{
    const gm_allocator *a = &r->ctx->allocator;
    int kind = (int)gm__value_int(v, "metric"), depth = (int)gm__value_int(v, "max_depth");
    int64_t each, cells;
    if (kind == GM__METRIC_DENSE && r->dim > MAX_DENSE)
        return gm__fail(r->ctx, GM_E_RANGE,
                        "nuts: metric=dense takes %d dimensions at most, there are %lld: use "
                        "diagonal",
                        MAX_DENSE, (long long)r->dim);
    if (gm__chain_size(r->dim, kind, depth, &each) || gm__mul64(each, r->count, &r->room) ||
        gm__mul64(r->count, r->draws, &cells) || gm__mul64(cells, r->dim + 1, &r->out_room))
        return gm__no_memory(r->ctx);
    r->chains = gm__alloc_array(a, r->count, sizeof *r->chains);
    r->windows = gm__alloc_array(a, r->count, sizeof *r->windows);
    r->memory = gm__alloc_array(a, r->room, sizeof *r->memory);
    r->out = gm__alloc_array(a, r->out_room, sizeof *r->out);
    if (!r->chains || !r->windows || !r->memory || !r->out)
        return gm__no_memory(r->ctx);
    r->logp = r->out + cells * r->dim;
    for (int64_t i = 0; i < r->count; i++) {
        gm__chain *c = &r->chains[i];
        c->target = r->target;
        c->kernels = r->ctx->kernels;
        c->cancel = r->ctx->cancel;
        c->seed = (uint64_t)gm__value_int(v, "seed");
        c->number = i;
        c->dim = r->dim;
        c->max_depth = depth;
        c->target_accept = gm__value_real(v, "target_accept");
        c->radius = gm__value_real(v, "start_radius");
        c->step = gm__value_real(v, "step_size");
        c->metric.kind = kind;
        gm__chain_place(c, &r->windows[i], r->memory + i * each);
    }
    return GM_OK;
}

static void clear(run *r)
{
    const gm_allocator *a = &r->ctx->allocator;
    gm__free(a, r->chains, r->chains ? (size_t)r->count * sizeof *r->chains : 0);
    gm__free(a, r->windows, r->windows ? (size_t)r->count * sizeof *r->windows : 0);
    gm__free(a, r->memory, r->memory ? (size_t)r->room * sizeof *r->memory : 0);
    gm__free(a, r->out, r->out ? (size_t)r->out_room * sizeof *r->out : 0);
}

/* ---- Running --------------------------------------------------------------------------------- */

static void run_one(void *arg, int32_t part)
{
    run *r = arg;
    gm__chain_run(&r->chains[part], &r->windows[part], r->start ? r->start + part * r->dim : NULL,
                  r->warmup, r->draws, r->out + part * r->draws * r->dim,
                  r->logp + part * r->draws);
}

static gm_status tell(run *r, const gm__chain *c)
{
    long long number = (long long)c->number + 1;
    if (c->callback) {
        const char *name = gm_status_name(c->code);
        return gm__fail(r->ctx, name ? c->code : GM_E_ARG,
                        "nuts: chain %lld: the log density's function returned %s (%d)", number,
                        name ? name : "no code that there is", (int)c->code);
    }
    if (c->code == GM_E_CANCELLED)
        return gm__check_cancel(r->ctx);
    if (!c->begun)
        return gm__fail(r->ctx, c->code,
                        "nuts: chain %lld: %s; give start, or another start_radius", number,
                        r->start ? "its start has no finite log density and gradient"
                                 : "none of 100 places has a finite log density and gradient");
    return gm__fail(r->ctx, c->code,
                    "nuts: chain %lld: no step size fits; the log density may have no maximum, or "
                    "its gradient may be wrong",
                    number);
}

static gm_status run_all(run *r, int parallel)
{
    if (parallel)
        gm__team_run(&r->ctx->team, (int32_t)r->count, run_one, r);
    for (int64_t i = 0; i < r->count; i++) {
        if (!parallel)
            run_one(r, (int32_t)i);
        if (r->chains[i].code)
            return tell(r, &r->chains[i]);
    }
    return GM_OK;
}

static void give_out(const run *r, gm_nuts_result *to)
{
    size_t rows = (size_t)(r->count * r->draws);
    double accept = 0;
    to->divergences = to->depth_hits = to->gradients = 0;
    memcpy(to->draws, r->out, rows * (size_t)r->dim * sizeof *to->draws);
    if (to->logp)
        memcpy(to->logp, r->logp, rows * sizeof *to->logp);
    for (int64_t i = 0; i < r->count; i++) {
        const gm__chain *c = &r->chains[i];
        int64_t stride = c->metric.kind == GM__METRIC_DENSE ? r->dim + 1 : 1;
        to->divergences += c->divergences;
        to->depth_hits += c->depth_hits;
        to->gradients += c->gradients;
        accept += c->accept_sum;
        if (to->step_size)
            to->step_size[i] = c->step;
        for (int64_t j = 0; to->metric && j < r->dim; j++)
            to->metric[i * r->dim + j] = c->metric.variance[j * stride];
    }
    to->accept = accept / (double)rows;
}

static gm_status nuts(gm_context *ctx, const gm_target *target, const double *start,
                      const gm_options *opts, int64_t chains, int64_t draws, gm_nuts_result *result)
{
    const gm_option_row *table = gm__nuts_options;
    gm__values *v;
    run r = {.ctx = ctx, .target = target, .start = start, .count = chains, .draws = draws};
    GM_TRY(check(ctx, target, chains, draws, result));
    GM_TRY(gm__values_create(ctx, "nuts", &table, 1, GM_STAGE_CALL, opts, &v));
    r.dim = target->dim;
    r.warmup = gm__value_int(v, "warmup");
    gm_status code = GM_OK;
    if (!gm__value_given(v, "seed"))
        code = gm__fail(ctx, GM_E_SEED,
                        "nuts draws random numbers: set the option 'seed' to any whole number");
    if (!code)
        code = make_chains(&r, v);
    if (!code) /* sizes are known to fit by now */
        code = check_start(&r);
    if (!code)
        code = run_all(&r, (int)gm__value_int(v, "parallel"));
    if (!code)
        give_out(&r, result);
    clear(&r);
    gm__values_free(v);
    return code;
}

gm_status gm_nuts(gm_context *ctx, const gm_target *target, const double *start,
                  const gm_options *opts, int64_t chains, int64_t draws, gm_nuts_result *result)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, nuts(ctx, target, start, opts, chains, draws, result));
}
