#include "model/gaps.h"
#include "base/random.h"
#include "base/size.h"

#include <math.h>
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

gm_status gm__gaps_next(gm_context *ctx, gm__gaps *g, int64_t count, int64_t column)
{
    for (int64_t i = 0; i < count; i++)
        g->value[i] = g->x[g->index[i] * g->d + g->laws->column];
    return gm__laws_next(ctx, g->laws, g->value, column);
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

/* ---- Rows completed by their family ---------------------------------------------------------- */

/* Rows that know the same columns: their numbers among all, and x before and after. */
typedef struct gm__alike {
    gm__gaps *g;
    int64_t count;
    int64_t *index, *row;        /* (n) of the gaps; numbers for the random draws */
    double *x, *out;             /* (n, width) */
    unsigned char *known, *left; /* (width); (n) rows that wait */
} gm__alike;

static int same_known(const gm__gaps *g, int64_t a, int64_t b)
{
    return memcmp(g->known + a * g->d, g->known + b * g->d, (size_t)g->d) == 0;
}

static void put_cells(const gm__alike *a, int64_t i)
{
    const gm__gaps *g = a->g;
    const gm__laws *l = g->laws;
    memset(a->x + i * l->width, 0, (size_t)l->width * sizeof *a->x);
    for (int64_t j = 0; j < g->d; j++)
        if (a->known[l->at[j]])
            gm__transform_known(l->s->transform, j, g->x[a->index[i] * g->d + j],
                                a->x + i * l->width + l->at[j]);
}

/* A cell of x in the user's units. */
static double cell_of(const gm__laws *l, int64_t j, double y)
{
    const gm__column_way *w = &l->ways[j];
    const gm__transform *t = l->s->transform;
    double low, high;
    if (w->kind == GM__COLUMN_MEASURES) {
        double v = gm__transform_back(t, j, y);
        return w->period > 0 ? v < 0 ? 0 : v < w->period ? v : w->period : v;
    }
    gm__laws_range(l, j, &low, &high);
    if (w->kind == GM__COLUMN_INDEX)
        y = floor(y + 0.5);
    else
        y = floor(gm__transform_back(t, j, y) + (w->kind == GM__COLUMN_COUNTS ? 0.5 : 0));
    y = y < low ? low : y > high ? high : y;
    return w->kind == GM__COLUMN_INDEX ? y : gm__transform_whole(t, j, y);
}

static gm_status complete_alike(gm_context *ctx, gm__alike *a)
{
    gm__gaps *g = a->g;
    const gm__laws *l = g->laws;
    const gm_direct *direct = l->s->family->direct;
    gm_direct_call call = {.struct_size = sizeof call,
                           .count = a->count,
                           .seed = g->seed,
                           .x = a->x,
                           .out = a->out,
                           .temperature = 1};
    for (int64_t i = 0; i < a->count; i++) {
        put_cells(a, i);
        a->row[i] = g->row0 + a->index[i];
    }
    GM_TRY(direct->complete(ctx, l->model->state, &call, a->row, a->known));
    for (int64_t i = 0; i < a->count; i++)
        for (int64_t j = 0; j < g->d; j++)
            if (!a->known[l->at[j]])
                g->x[a->index[i] * g->d + j] = gm__transform_shown(
                    l->s->transform, j, cell_of(l, j, a->out[i * l->width + l->at[j]]));
    return GM_OK;
}

static gm_status complete_all(gm_context *ctx, gm__alike *a, const unsigned char *marked)
{
    gm__gaps *g = a->g;
    memcpy(a->left, marked, (size_t)g->n);
    for (int64_t first = 0; first < g->n; first++) {
        if (!a->left[first])
            continue;
        a->count = 0;
        for (int64_t i = first; i < g->n; i++)
            if (a->left[i] && same_known(g, first, i)) {
                a->index[a->count++] = i;
                a->left[i] = 0;
            }
        for (int64_t j = 0; j < g->d; j++)
            a->known[g->laws->at[j]] = g->known[first * g->d + j];
        GM_TRY(complete_alike(ctx, a));
        for (int64_t i = 0; i < a->count; i++)
            memset(g->known + a->index[i] * g->d, 1, (size_t)g->d);
    }
    return GM_OK;
}

gm_status gm__gaps_complete(gm_context *ctx, gm__gaps *g, const unsigned char *marked, int *done)
{
    const gm__laws *l = g->laws;
    gm__alike a = {.g = g, .index = g->index};
    gm__arena arena = {.allocator = ctx->allocator};
    int64_t n = g->n, w = l->width;
    *done = 0;
    if (l->engine != GM__LAWS_BY_LAW || !l->s->family->direct->complete || n == 0)
        return GM_OK;
    a.row = gm__arena_array(&arena, n, sizeof *a.row);
    a.x = gm__arena_array(&arena, 2 * n, (size_t)w * sizeof *a.x);
    a.known = gm__arena_array(&arena, n + w, 1);
    gm_status code = a.row && a.x && a.known ? GM_OK : gm__no_memory(ctx);
    if (!code) {
        a.out = a.x + n * w;
        a.left = a.known + w;
        code = complete_all(ctx, &a, marked);
    }
    gm__arena_clear(&arena);
    *done = 1;
    return code;
}
