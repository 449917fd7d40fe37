#include "model/gaps.h"
#include "base/random.h"
#include "base/size.h"

#include <string.h>

gm_status gm__gaps_create(gm_context *ctx, gm__laws *laws, int64_t n, gm__gaps *g)
{
    int64_t d = laws->d, given = laws->s->given, cells;
    *g = (gm__gaps){.laws = laws, .d = d, .n = n};
    if (gm__mul64(n, 9 * d + 8 * given + 32, &cells) || cells > PTRDIFF_MAX / 2)
        return gm__fail(ctx, GM_E_RANGE, "%lld rows are too many", (long long)n);
    g->bytes = (size_t)cells + 64;
    GM_TRY(gm__alloc_large(ctx, g->bytes, &g->block));
    g->some = g->block;
    g->wide = g->some + n * d;
    g->value = g->wide + n * given;
    g->below = g->value + n;
    g->above = g->below + n;
    g->index = (int64_t *)(void *)(g->above + n);
    g->seen = (unsigned char *)(g->index + n);
    return GM_OK;
}

void gm__gaps_free(gm_context *ctx, gm__gaps *g)
{
    gm__free(&ctx->allocator, g->block, g->block ? g->bytes : 0);
    g->block = NULL;
}

gm_status gm__gaps_ask(gm_context *ctx, gm__gaps *g, int64_t count, int64_t column)
{
    size_t d = (size_t)g->d, given = (size_t)g->laws->s->given;
    for (int64_t i = 0; i < count; i++) {
        int64_t from = g->index[i];
        memcpy(g->some + (size_t)i * d, g->x + (size_t)from * d, d * sizeof *g->x);
        memcpy(g->seen + (size_t)i * d, g->known + (size_t)from * d, d);
        if (g->cond)
            memcpy(g->wide + (size_t)i * given, g->cond + (size_t)from * given,
                   given * sizeof *g->wide);
    }
    return gm__laws_set(ctx, g->laws, count, g->some, g->seen, g->cond ? g->wide : NULL, column,
                        g->row0);
}

double gm__gaps_uniform(gm_context *ctx, const gm__gaps *g, int64_t row, int64_t draw,
                        int64_t column)
{
    /* 2 columns a block of random words: apart by row, draw and column */
    gm__draw how = {GM__F64, g->seed ^ ((uint64_t)(column + 1) * 0x9e3779b97f4a7c15u), GM__FOR_GAP,
                    (uint64_t)draw, row};
    double u;
    ctx->kernels->draws->uniform(&how, &u, 1, 1);
    return u;
}
