#include "apply/coder.h"

#include <math.h>
#include <string.h>

/* ---- A model's columns ----------------------------------------------------------------------- */

static gm_status read_columns(gm__coder *k)
{
    for (int64_t j = 0; j < k->d; j++) {
        gm__packed *p = &k->columns[j];
        p->is.struct_size = sizeof p->is;
        GM_TRY(gm_model_column(k->ctx, k->model, j, &p->is));
        if (!(fabs(p->is.low) <= 0x1.fffffffffffffp+1023 &&
              fabs(p->is.high) <= 0x1.fffffffffffffp+1023 && p->is.low <= p->is.high))
            p->is.low = p->is.high = 0;
        p->list = gm_model_column_values(k->model, j, &p->listed);
        gm__packed_range(p);
    }
    return GM_OK;
}

/* A foreign matrix product has other bits on another machine. */
static gm_status check_arithmetic(gm_context *ctx)
{
    char matmul[16];
    GM_TRY(gm_context_get(ctx, "matmul", matmul, sizeof matmul, NULL));
    return strcmp(matmul, "own") == 0
               ? GM_OK
               : gm__fail(ctx, GM_E_STATE,
                          "compress: the context's setting 'matmul' is %s, whose bits differ from "
                          "one machine to the next; set it to own",
                          matmul);
}

gm_status gm__coder_open(gm_context *ctx, const gm_model *model, const gm_options *opts,
                         gm__coder *k)
{
    *k = (gm__coder){.ctx = ctx, .model = model, .d = gm_model_column_count(model)};
    k->arena.allocator = ctx->allocator;
    if (!model)
        return gm__fail(ctx, GM_E_ARG, "compress: no model was given");
    if (gm_model_condition_count(model) > 0)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "compress: the model has conditions, whose values no archive would hold; "
                        "fit one with these columns as features");
    GM_TRY(check_arithmetic(ctx));
    GM_TRY(gm_conditional_create(ctx, model, opts, &k->law));
    k->columns = gm__arena_array(&k->arena, k->d, sizeof *k->columns);
    k->order = gm__arena_array(&k->arena, k->d, sizeof *k->order);
    k->known = gm__arena_array(&k->arena, k->d, 1);
    if (!k->columns || !k->order || !k->known)
        return gm__no_memory(ctx);
    gm_conditional_order(k->law, k->order);
    return read_columns(k);
}

void gm__coder_clear(gm__coder *k)
{
    for (int64_t j = 0; k->columns && j < k->d; j++)
        gm__grid_clear(k->ctx, &k->columns[j].grid);
    gm__arena_clear(&k->arena);
    gm_conditional_free(k->law);
    *k = (gm__coder){0};
}

enum { BLOCK_ROWS = 4096, BLOCK_CELLS = 1 << 21 };

gm_status gm__coder_reserve(gm__coder *k, int64_t rows)
{
    k->block = BLOCK_CELLS / k->d < BLOCK_ROWS ? BLOCK_CELLS / k->d + 1 : BLOCK_ROWS;
    int64_t most = rows < k->block ? rows : k->block;
    k->x = gm__arena_array(&k->arena, most, (size_t)k->d * sizeof *k->x);
    k->point = gm__arena_array(&k->arena, most, sizeof *k->point);
    k->logp = gm__arena_array(&k->arena, most, sizeof *k->logp);
    k->below = gm__arena_array(&k->arena, most, sizeof *k->below);
    k->above = gm__arena_array(&k->arena, most, sizeof *k->above);
    k->odd = gm__arena_array(&k->arena, most, 1);
    int whole = k->x && k->point && k->logp && k->below && k->above && k->odd;
    return whole ? GM_OK : gm__no_memory(k->ctx);
}

double gm__coder_given(const gm__packed *p, double value)
{
    double low = p->is.low, high = p->is.high, far = 1000 * (high - low) + fabs(low) + fabs(high);
    if (gm__packed_counts(p))
        return value;
    return value < low - far ? low - far : value > high + far ? high + far : value;
}

uint32_t gm__coder_missing(const gm__coder *k, const gm__packed *p)
{
    if (p->missing == 0)
        return 0;
    double part = (double)p->missing / (double)k->rows;
    return (uint32_t)(part * (double)(GM__RANS_TOTAL - 2)) + 1;
}

/* ---- Laws ------------------------------------------------------------------------------------ */

gm_status gm__coder_ask(gm__coder *k, int64_t i, int64_t count)
{
    gm_array x;
    if (i > 0) {
        for (int64_t r = 0; r < count; r++)
            k->point[r] = k->x[r * k->d + k->order[i - 1]];
        return gm_conditional_next(k->ctx, k->law, k->point, k->order[i]);
    }
    gm_array_init(&x, GM_F64, k->x, count, k->d);
    return gm_conditional_set(k->ctx, k->law, &x, NULL, k->known, k->order[i]);
}

gm_status gm__coder_tails(gm__coder *k, int64_t first, int64_t count)
{
    return gm_conditional_cdf(k->ctx, k->law, first, count, k->point + first, k->below + first,
                              k->above + first);
}

gm_status gm__coder_settle(gm__coder *k, int64_t i, int64_t count)
{
    int64_t j = k->order[i];
    double half = 0.5;
    for (int64_t r = 0; r < count; r++)
        k->point[r] = k->odd[r] ? k->columns[j].is.low : k->x[r * k->d + j];
    GM_TRY(gm_conditional_log_prob(k->ctx, k->law, 0, count, k->point, k->logp));
    for (int64_t r = 0; r < count; r++) {
        if (!k->odd[r] && k->logp[r] > -INFINITY)
            continue;
        k->odd[r] = 1;
        GM_TRY(gm_conditional_quantile(k->ctx, k->law, r, 1, &half, &k->x[r * k->d + j]));
    }
    return GM_OK;
}
