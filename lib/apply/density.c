/* A fitted density as a plain function that any number of threads may call: each call takes a
 * context out of a few that the handle keeps, and makes one where all are taken. */
#include "genmod/posterior.h"
#include "base/options.h"

#include <math.h>
#include <string.h>

enum { SLOTS = 64 };

typedef struct slot {
    int32_t taken; /* atomic */
    gm_context *ctx;
} slot;

struct gm_density {
    gm_allocator allocator;
    gm_model *model;
    gm_options *options;
    int64_t dim, conditions;
    double *condition; /* (1, conditions); NULL: none */
    char kernels[16];
    slot slots[SLOTS];
};

/* ---- Life ------------------------------------------------------------------------------------ */

static gm_status check_columns(gm_context *ctx, const gm_model *model)
{
    for (int64_t j = 0; j < gm_model_column_count(model); j++) {
        gm_column c = {.struct_size = sizeof c};
        GM_TRY(gm_model_column(ctx, model, j, &c));
        if (c.type != GM_COLUMN_REAL && c.type != GM_COLUMN_CIRCULAR)
            return gm__fail(
                ctx, GM_E_UNSUPPORTED,
                "density: column %lld ('%.60s') counts; a function with a gradient needs "
                "real columns",
                (long long)j + 1, c.name);
    }
    return GM_OK;
}

static gm_status copy_condition(gm_context *ctx, const gm_array *cond, gm_density *d)
{
    gm_array to;
    if (!cond)
        return GM_OK;
    if (cond->ndim != 2 || cond->shape[0] != 1 || cond->shape[1] != d->conditions)
        return gm__fail(ctx, GM_E_SHAPE,
                        "density: cond must be one row of the model's %lld conditions",
                        (long long)d->conditions);
    d->condition = gm__alloc_array(&d->allocator, d->conditions, sizeof *d->condition);
    if (!d->condition)
        return gm__no_memory(ctx);
    gm_array_init(&to, GM_F64, d->condition, 1, d->conditions);
    for (int64_t j = 0; j < d->conditions; j++) {
        const char *at = cond->data;
        int64_t i = j * cond->strides[1];
        d->condition[j] = cond->dtype == GM_F64   ? ((const double *)(const void *)at)[i]
                          : cond->dtype == GM_F32 ? (double)((const float *)(const void *)at)[i]
                                                  : NAN;
        if (d->condition[j] != d->condition[j])
            return gm__fail(ctx, GM_E_DATA,
                            "density: condition %lld is no number of GM_F32 or GM_F64",
                            (long long)j + 1);
    }
    return GM_OK;
}

static gm_status copy_options(gm_context *ctx, const gm_options *from, gm_density *d)
{
    GM_TRY(gm_options_create(ctx, &d->options));
    return gm__options_merge(ctx, d->options, from);
}

/* Asks once, so that what cannot be asked fails here, with its text. */
static gm_status try_out(gm_context *ctx, gm_density *d)
{
    double logp, *x = gm__alloc_array(&d->allocator, 2 * d->dim, sizeof *x);
    gm_array at, gradient, cond;
    if (!x)
        return gm__no_memory(ctx);
    gm_array_init(&at, GM_F64, x, 1, d->dim);
    gm_array_init(&gradient, GM_F64, x + d->dim, 1, d->dim);
    gm_array_init(&cond, GM_F64, d->condition, 1, d->conditions);
    gm_status code = gm_model_log_prob_gradient(ctx, d->model, &at, d->condition ? &cond : NULL,
                                                d->options, &logp, &gradient);
    gm__free(&d->allocator, x, (size_t)(2 * d->dim) * sizeof *x);
    return code;
}

static gm_status create(gm_context *ctx, const gm_model *model, const gm_array *cond,
                        const gm_options *opts, gm_density *d)
{
    GM_TRY(check_columns(ctx, model));
    GM_TRY(copy_condition(ctx, cond, d));
    GM_TRY(copy_options(ctx, opts, d));
    GM_TRY(gm_context_get(ctx, "kernels", d->kernels, sizeof d->kernels, NULL));
    return try_out(ctx, d);
}

gm_status gm_density_create(gm_context *ctx, const gm_model *model, const gm_array *cond,
                            const gm_options *opts, gm_density **density)
{
    if (density)
        *density = NULL;
    if (!ctx || !model || !density)
        return gm__fail(ctx, GM_E_ARG, "density: the model or the place for the density is NULL");
    gm_density *d = gm__alloc(&ctx->allocator, sizeof *d);
    if (!d)
        return gm__no_memory(ctx);
    d->allocator = ctx->allocator;
    d->model = gm_model_retain((gm_model *)(uintptr_t)model);
    d->dim = gm_model_column_count(model);
    d->conditions = gm_model_condition_count(model);
    gm_status code = create(ctx, model, cond, opts, d);
    if (code)
        gm_density_free(d);
    else
        *density = d;
    return code;
}

void gm_density_free(gm_density *d)
{
    if (!d)
        return;
    gm_allocator a = d->allocator;
    for (int i = 0; i < SLOTS; i++)
        gm_context_free(d->slots[i].ctx);
    gm_options_free(d->options);
    gm_model_free(d->model);
    gm__free(&a, d->condition, d->condition ? (size_t)d->conditions * sizeof *d->condition : 0);
    gm__free(&a, d, sizeof *d);
}

int64_t gm_density_dim(const gm_density *density)
{
    return density ? density->dim : 0;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static gm_status make_context(const gm_density *d, gm_context **ctx)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = &d->allocator};
    GM_TRY(gm_context_create(&config, ctx));
    gm_status code = gm_context_set_text(*ctx, "kernels", d->kernels);
    if (code) {
        gm_context_free(*ctx);
        *ctx = NULL;
    }
    return code;
}

/* The first slot that is free, taken; NULL where none is. */
static slot *take_slot(gm_density *d)
{
    for (int i = 0; i < SLOTS; i++) {
        int32_t no = 0;
        if (__atomic_compare_exchange_n(&d->slots[i].taken, &no, 1, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return &d->slots[i];
    }
    return NULL;
}

static gm_status ask(gm_context *ctx, gm_density *d, const double *x, double *logp, double *grad)
{
    gm_array at, gradient, cond;
    gm_array_init(&at, GM_F64, (void *)(uintptr_t)x, 1, d->dim);
    gm_array_init(&cond, GM_F64, d->condition, 1, d->conditions);
    const gm_array *given = d->condition ? &cond : NULL;
    if (!grad)
        return gm_model_log_prob(ctx, d->model, &at, given, d->options, logp, NULL);
    gm_array_init(&gradient, GM_F64, grad, 1, d->dim);
    return gm_model_log_prob_gradient(ctx, d->model, &at, given, d->options, logp, &gradient);
}

static gm_status nowhere(const gm_density *d, double *logp, double *grad)
{
    *logp = -INFINITY;
    if (grad)
        memset(grad, 0, (size_t)d->dim * sizeof *grad);
    return GM_OK;
}

gm_status gm_density_log_prob(void *density, const double *x, double *logp, double *grad)
{
    gm_density *d = density;
    if (!d || !x || !logp)
        return GM_E_ARG;
    for (int64_t j = 0; j < d->dim; j++)
        if (x[j] - x[j] != 0)
            return nowhere(d, logp, grad);
    slot *s = take_slot(d);
    gm_context *own = NULL, **ctx = s ? &s->ctx : &own;
    gm_status code = *ctx ? GM_OK : make_context(d, ctx);
    if (!code)
        code = ask(*ctx, d, x, logp, grad);
    gm_context_free(own);
    if (s)
        __atomic_store_n(&s->taken, 0, __ATOMIC_RELEASE);
    /* A family may refuse what lies beyond all numbers that it reckons with. */
    return code == GM_E_DATA ? nowhere(d, logp, grad) : code;
}
