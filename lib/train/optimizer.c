/* Stochastic gradient descent, RMSProp, Adam and AdamW. */
#include "train/optimizer.h"
#include "train/schedule.h"
#include "base/size.h"

#include <stdatomic.h>
#include <string.h>

#define LR(initial)                                                                                \
    {                                                                                              \
        "lr", GM_STAGE_FIT, GM_REAL, initial, "0..", 1, "learning rate"                            \
    }
#define DECAY(initial)                                                                             \
    {                                                                                              \
        "weight_decay", GM_STAGE_FIT, GM_REAL, initial, "0..", 1,                                  \
            "decoupled weight decay, as a part of the learning rate"                               \
    }

static const gm_option_row sgd_options[] = {
    LR("0.01"),
    {"momentum", GM_STAGE_FIT, GM_REAL, "0", "0..1)", 1,
     "velocity kept from step to step (Polyak 1964)"},
    {"nesterov", GM_STAGE_FIT, GM_BOOL, "false", "", 1, "look-ahead momentum (Nesterov 1983)"},
    DECAY("0"),
    {0},
};
static const gm_option_row rmsprop_options[] = {
    LR("0.001"),
    {"decay", GM_STAGE_FIT, GM_REAL, "0.99", "0..1)", 1, "memory of the squared gradients"},
    {"momentum", GM_STAGE_FIT, GM_REAL, "0", "0..1)", 1, "velocity kept from step to step"},
    {"eps", GM_STAGE_FIT, GM_REAL, "1e-8", "1e-30..", 1,
     "added to the root of the squared gradients"},
    DECAY("0"),
    {0},
};
#define ADAM_ROWS                                                                                  \
    {"beta1", GM_STAGE_FIT, GM_REAL, "0.9", "0..1)", 1, "memory of the gradients"},                \
        {"beta2", GM_STAGE_FIT, GM_REAL, "0.999", "0..1)", 1, "memory of the squared gradients"},  \
    {                                                                                              \
        "eps", GM_STAGE_FIT, GM_REAL, "1e-8", "1e-30..", 1,                                        \
            "added to the root of the squared gradients"                                           \
    }
static const gm_option_row adam_options[] = {LR("0.001"), ADAM_ROWS, {0}};
static const gm_option_row adamw_options[] = {LR("0.001"), ADAM_ROWS, DECAY("0.01"), {0}};

enum { SGD, RMSPROP, ADAM, ADAMW };
static const struct {
    char name[12];
    const gm_option_row *options;
} rules[] = {{"sgd", sgd_options},
             {"rmsprop", rmsprop_options},
             {"adam", adam_options},
             {"adamw", adamw_options}};
#define RULE_COUNT ((int)(sizeof rules / sizeof rules[0]))

const char *gm_optimizer_name_at(int32_t i)
{
    return i >= 0 && i < RULE_COUNT ? rules[i].name : NULL;
}

static int find_rule(const char *name)
{
    for (int i = 0; i < RULE_COUNT; i++)
        if (strcmp(rules[i].name, name) == 0)
            return i;
    return -1;
}

const gm_option_row *gm__optimizer_options(const char *name)
{
    int rule = find_rule(name);
    return rule < 0 ? NULL : rules[rule].options;
}

gm_status gm__optimizer_create(gm_context *ctx, const char *name, const gm_options *opts,
                               gm_optimizer **out)
{
    if (!name)
        return gm__fail(ctx, GM_E_ARG, "gm_optimizer_create: name is NULL");
    int rule = find_rule(name);
    if (rule < 0)
        return gm__fail(ctx, GM_E_UNKNOWN,
                        "there is no optimizer '%.*s'; there are sgd, rmsprop, adam and adamw", 60,
                        name);
    gm_optimizer *o = gm__alloc(&ctx->allocator, sizeof *o);
    if (!o)
        return gm__no_memory(ctx);
    *o = (gm_optimizer){.allocator = ctx->allocator, .owners = 1, .rule = rule};
    gm_status code = gm__values_create(ctx, rules[rule].name, &rules[rule].options, 1, GM_STAGE_FIT,
                                       opts, &o->values);
    if (code) {
        gm_optimizer_free(o);
        return code;
    }
    *out = o;
    return GM_OK;
}

gm_status gm_optimizer_create(gm_context *ctx, const char *name, const gm_options *opts,
                              gm_optimizer **optimizer)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!optimizer)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "gm_optimizer_create: optimizer is NULL"));
    *optimizer = NULL;
    return gm__leave(ctx, &entry, gm__optimizer_create(ctx, name, opts, optimizer));
}

static void free_state(gm_optimizer *o)
{
    size_t bytes = (size_t)o->n * (o->dtype == GM_F64 ? 8 : 4);
    gm__free(&o->allocator, o->m, o->m ? bytes : 0);
    gm__free(&o->allocator, o->v, o->v ? bytes : 0);
}

void gm_optimizer_free(gm_optimizer *optimizer)
{
    if (!optimizer || atomic_fetch_sub((_Atomic int32_t *)&optimizer->owners, 1) != 1)
        return;
    gm_allocator a = optimizer->allocator;
    free_state(optimizer);
    gm__values_free(optimizer->values);
    gm__free(&a, optimizer, sizeof *optimizer);
}

gm_optimizer *gm__optimizer_retain(const gm_optimizer *o)
{
    gm_optimizer *owned = (gm_optimizer *)(uintptr_t)o;
    atomic_fetch_add((_Atomic int32_t *)&owned->owners, 1);
    return owned;
}

const char *gm_optimizer_name(const gm_optimizer *optimizer)
{
    return optimizer ? rules[optimizer->rule].name : NULL;
}

int gm__optimizer_has_m(const gm_optimizer *o)
{
    return o->rule >= ADAM || gm__value_real(o->values, "momentum") > 0;
}

int gm__optimizer_has_v(const gm_optimizer *o)
{
    return o->rule != SGD;
}

double gm__optimizer_rate(const gm_optimizer *o)
{
    return gm__value_real(o->values, "lr");
}

void gm__optimizer_prepare(const gm_optimizer *o, int64_t t, double rate, gm__update *u)
{
    const gm__values *v = o->values;
    u->lr = gm__value_real(v, "lr") * rate;
    u->decay = o->rule == ADAM ? 0 : gm__value_real(v, "weight_decay");
    if (o->rule == SGD || o->rule == RMSPROP)
        u->beta1 = gm__value_real(v, "momentum");
    if (o->rule == SGD)
        u->nesterov = gm__value_int(v, "nesterov") != 0;
    if (o->rule == RMSPROP)
        u->beta2 = gm__value_real(v, "decay");
    if (o->rule != SGD)
        u->eps = gm__value_real(v, "eps");
    if (o->rule >= ADAM) {
        u->beta1 = gm__value_real(v, "beta1");
        u->beta2 = gm__value_real(v, "beta2");
        u->correction1 = 1 - gm__power(u->beta1, t);
        u->correction2 = 1 - gm__power(u->beta2, t);
    }
}

typedef struct gm__share {
    const gm__kernels *kernels;
    const gm__update *update;
    int rule;
    int32_t parts;
    int64_t i0, i1;
} gm__share;

static void update_share(void *arg, int32_t part)
{
    const gm__share *s = arg;
    /* whole cache lines to each part */
    int64_t n = s->i1 - s->i0, each = ((n + s->parts - 1) / s->parts + 15) & ~(int64_t)15;
    int64_t from = s->i0 + each * part, to = from + each < s->i1 ? from + each : s->i1;
    if (from >= to)
        return;
    const gm__updates *k = s->kernels->updates;
    (s->rule == SGD ? k->sgd : s->rule == RMSPROP ? k->rmsprop : k->adam)(s->update, from, to);
}

void gm__optimizer_update(gm_context *ctx, const gm_optimizer *o, const gm__update *u, int64_t i0,
                          int64_t i1)
{
    int32_t parts = i1 - i0 < 16384 ? 1 : ctx->team.parts;
    gm__share share = {
        .kernels = ctx->kernels, .update = u, .rule = o->rule, .parts = parts, .i0 = i0, .i1 = i1};
    gm__team_run(&ctx->team, parts, update_share, &share);
}

/* ---- Staircases ------------------------------------------------------------------------------ */

typedef struct gm__stairs {
    const gm__share *share;
    const gm__slot *slot;
} gm__stairs;

/* Rows part, part + parts ... of a weight, each from its first column that is not zero. */
static void update_rows(void *arg, int32_t part)
{
    const gm__stairs *s = arg;
    const gm__updates *k = s->share->kernels->updates;
    int rule = s->share->rule;
    int64_t rows = s->slot->shape[0], columns = s->slot->shape[1], first = 0;
    for (int64_t i = part; i < rows; i += s->share->parts) {
        while (first < columns && s->slot->hi[first] <= i)
            first++;
        if (first == columns)
            return;
        int64_t end = s->slot->offset + (i + 1) * columns, count = columns - first;
        int64_t whole = (count + 15) & ~(int64_t)15; /* of vectors; zeros stay zeros */
        int64_t from = end - (whole < columns ? whole : columns);
        (rule == SGD       ? k->sgd
         : rule == RMSPROP ? k->rmsprop
                           : k->adam)(s->share->update, from, end);
    }
}

int gm__slot_is_stairs(const gm__slot *slot)
{
    if (!slot->lo || slot->ndim != 2)
        return 0;
    for (int64_t j = 0; j < slot->shape[1]; j++)
        if (slot->lo[j] != 0 || (j && slot->hi[j] < slot->hi[j - 1]))
            return 0;
    return 1;
}

void gm__optimizer_update_stairs(gm_context *ctx, const gm_optimizer *o, const gm__update *u,
                                 const gm__slot *slot)
{
    gm__share share = {
        .kernels = ctx->kernels, .update = u, .rule = o->rule, .parts = ctx->team.parts};
    gm__stairs stairs = {&share, slot};
    gm__team_run(&ctx->team, share.parts, update_rows, &stairs);
}

/* ---- Direct use ------------------------------------------------------------------------------ */

static gm_status check_step(gm_context *ctx, const gm_optimizer *o, int32_t dtype, int64_t n,
                            const void *param, const void *grad)
{
    if (!o || !param || !grad)
        return gm__fail(ctx, GM_E_ARG, "gm_optimizer_step: optimizer, param or grad is NULL");
    if (dtype != GM_F32 && dtype != GM_F64)
        return gm__fail(ctx, GM_E_ARG, "gm_optimizer_step: dtype is %d, must be GM_F32 or GM_F64",
                        (int)dtype);
    if (n < 0)
        return gm__fail(ctx, GM_E_RANGE, "gm_optimizer_step: n is %lld, must not be negative",
                        (long long)n);
    if (o->t > 0 && (o->n != n || o->dtype != dtype))
        return gm__fail(
            ctx, GM_E_STATE,
            "gm_optimizer_step: n and dtype must stay the same; earlier steps had n %lld",
            (long long)o->n);
    return GM_OK;
}

static gm_status begin_state(gm_context *ctx, gm_optimizer *o, int32_t dtype, int64_t n)
{
    size_t size = dtype == GM_F64 ? 8 : 4;
    void *m = gm__optimizer_has_m(o) ? gm__alloc_array(&o->allocator, n, size) : NULL;
    void *v = gm__optimizer_has_v(o) ? gm__alloc_array(&o->allocator, n, size) : NULL;
    if (n > 0 && ((gm__optimizer_has_m(o) && !m) || (gm__optimizer_has_v(o) && !v))) {
        gm__free(&o->allocator, m, (size_t)n * size);
        gm__free(&o->allocator, v, (size_t)n * size);
        return gm__no_memory(ctx);
    }
    o->m = m;
    o->v = v;
    o->n = n;
    o->dtype = dtype;
    return GM_OK;
}

gm_status gm_optimizer_step(gm_context *ctx, gm_optimizer *optimizer, int32_t dtype, int64_t n,
                            void *param, const void *grad, double rate)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = check_step(ctx, optimizer, dtype, n, param, grad);
    if (!code && optimizer->t == 0 && !optimizer->n)
        code = begin_state(ctx, optimizer, dtype, n);
    if (!code) {
        gm__update u = {.real = dtype == GM_F64 ? GM__F64 : GM__F32,
                        .param = param,
                        .grad = grad,
                        .m = optimizer->m,
                        .v = optimizer->v,
                        .grad_scale = 1};
        gm__optimizer_prepare(optimizer, ++optimizer->t, rate, &u);
        gm__optimizer_update(ctx, optimizer, &u, 0, n);
    }
    return gm__leave(ctx, &entry, code);
}
