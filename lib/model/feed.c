/* Rows on their way from a dataset to a plan. */
#include "model/bits.h"
#include "model/condition.h"
#include "model/objective.h"
#include "base/size.h"

#include <string.h>

static size_t real_size(const gm__structure *s)
{
    return s->real == GM__F64 ? 8 : 4;
}

/* ---- Tray ------------------------------------------------------------------------------------ */

gm_status gm__tray_create(gm_context *ctx, const gm__structure *s, int64_t capacity, gm__tray *t)
{
    size_t n = (size_t)capacity, d = (size_t)s->columns, r = (size_t)s->reals,
           c = (size_t)s->indices, g = (size_t)s->given;
    size_t pointers = (c + 8) * sizeof(void *), row = (d + 2 * r + g + 3) * 8 + 2 * c * 4 + 1;
    *t = (gm__tray){.capacity = capacity};
    if (gm__mul_size(n, row, &t->bytes))
        return gm__no_memory(ctx);
    t->bytes += pointers + 64;
    t->block = gm__alloc(&ctx->allocator, t->bytes);
    if (!t->block)
        return gm__no_memory(ctx);
    t->inputs = t->block;
    t->x = (double *)(void *)((char *)t->block + pointers);
    t->wide = t->x + n * d;
    t->reals = t->wide + n * r;
    t->log_det = t->wide + 2 * n * r;
    t->weight = t->log_det + n;
    t->told_weight = t->weight + n;
    t->given = t->weight + 2 * n;
    t->index = (int32_t *)(void *)(t->weight + n * (2 + g));
    t->columns = t->index + n * c;
    t->support = (unsigned char *)(t->columns + n * c);
    return GM_OK;
}

void gm__tray_clear(gm__tray *t, const gm_allocator *a)
{
    gm__free(a, t->block, t->block ? t->bytes : 0);
    *t = (gm__tray){0};
}

/* ---- Feed ------------------------------------------------------------------------------------ */

#define PIECE 1024

static void transform(gm_context *ctx, const gm__feed *f, const int64_t *row, int64_t first,
                      int64_t n, const gm__noise *noise, gm__tray *t, void *reals, double *log_det,
                      int32_t *index)
{
    const gm__structure *s = f->structure;
    gm__match_rows(f->match, f->data, row, first, n, t->x);
    double *wide = s->real == GM__F64 ? reals : t->wide;
    gm__transform_forward(s->transform, t->x, n, noise, first, row, wide, index, log_det,
                          t->support);
    if (s->real == GM__F32)
        ctx->kernels->maps->narrow(reals, wide, n * s->reals);
}

/* Probabilities of bits in place of what a transform gives. */
static gm_status take_greys(gm_context *ctx, gm__feed *f, int64_t first, int64_t n, gm__tray *t,
                            void *reals)
{
    const gm__structure *s = f->structure;
    double *wide = s->real == GM__F64 ? reals : t->wide;
    gm__match_rows(f->match, f->data, NULL, first, n, t->x);
    GM_TRY(gm__bits_chances(ctx, s, t->x, n, first, f->greys, wide));
    if (s->real == GM__F32)
        ctx->kernels->maps->narrow(reals, wide, n * s->reals);
    memset(f->log_det + first, 0, (size_t)n * sizeof *f->log_det);
    memset(f->support + first, 1, (size_t)n);
    return GM_OK;
}

/* Rows of grey values for a structure of bits. */
static gm_status match_greys(gm_context *ctx, gm__feed *f)
{
    double high = gm__value_real(f->structure->values, "binarize");
    if (high == 0)
        return GM_OK;
    GM_TRY(gm__bits_match(ctx, f->structure, f->data, &f->match));
    return f->match ? gm__bits_scale(ctx, f->data, f->match, high, &f->greys) : GM_OK;
}

static gm_status cache(gm_context *ctx, gm__feed *f)
{
    const gm__structure *s = f->structure;
    gm__tray t;
    gm__noise none = {0};
    int64_t count;
    if (gm__mul64(f->count, s->reals + s->indices + 1, &count))
        return gm__no_memory(ctx);
    f->reals = gm__alloc_array(&ctx->allocator, f->count * s->reals + 1, real_size(s));
    f->log_det = gm__alloc_array(&ctx->allocator, f->count, sizeof *f->log_det);
    f->support = gm__alloc_array(&ctx->allocator, f->count, 1);
    f->index = gm__alloc_array(&ctx->allocator, f->count * s->indices + 1, sizeof *f->index);
    if (!f->reals || !f->log_det || !f->index || !f->support)
        return gm__no_memory(ctx);
    GM_TRY(gm__tray_create(ctx, s, PIECE, &t));
    gm_status code = GM_OK;
    for (int64_t first = 0; first < f->count && !(code = gm__check_cancel(ctx)); first += PIECE) {
        int64_t n = f->count - first < PIECE ? f->count - first : PIECE;
        void *reals = (char *)f->reals + (size_t)(first * s->reals) * real_size(s);
        if (f->greys) {
            code = take_greys(ctx, f, first, n, &t, reals);
            if (code)
                break;
            continue;
        }
        transform(ctx, f, NULL, first, n, &none, &t, reals, f->log_det + first,
                  f->index + first * s->indices);
        memcpy(f->support + first, t.support, (size_t)n);
    }
    gm__tray_clear(&t, &ctx->allocator);
    return code;
}

/* What goes with the rows: conditions in the plan's precision, and weights. */
static gm_status take_given(gm_context *ctx, gm__feed *f, const gm_dataset *data)
{
    const gm__structure *s = f->structure;
    double *wide;
    GM_TRY(gm__row_weights(ctx, data, &f->weight));
    GM_TRY(gm__given_all(ctx, s, f->data, &wide));
    f->given = wide;
    if (!wide || s->real == GM__F64)
        return GM_OK;
    int64_t cells = f->count * s->given;
    f->given = gm__alloc_array(&ctx->allocator, cells, sizeof(float));
    if (f->given)
        ctx->kernels->maps->narrow(f->given, wide, cells);
    gm__free(&ctx->allocator, wide, (size_t)cells * sizeof *wide);
    return f->given ? GM_OK : gm__no_memory(ctx);
}

gm_status gm__feed_create(gm_context *ctx, const gm__structure *s, const gm_dataset *data,
                          gm__feed *f)
{
    *f = (gm__feed){.structure = s, .count = gm_dataset_row_count(data)};
    GM_TRY(gm__in_order(ctx, data, &f->data));
    gm_status code = match_greys(ctx, f);
    if (!code && !f->match)
        code = gm__match_create(ctx, s->schema, 1 << GM_ROLE_FEATURE, f->data, &f->match);
    if (!code && f->count > 0)
        code = take_given(ctx, f, data);
    if (!code && f->count > 0 && !gm__transform_random(s->transform))
        code = cache(ctx, f);
    if (code)
        gm__feed_clear(f, &ctx->allocator);
    return code;
}

void gm__feed_clear(gm__feed *f, const gm_allocator *a)
{
    if (f->data) {
        const gm__structure *s = f->structure;
        gm__free(a, f->reals, f->reals ? (size_t)(f->count * s->reals + 1) * real_size(s) : 0);
        gm__free(a, f->log_det, f->log_det ? (size_t)f->count * sizeof *f->log_det : 0);
        gm__free(a, f->support, f->support ? (size_t)f->count : 0);
        gm__free(a, f->weight, f->weight ? (size_t)f->count * sizeof *f->weight : 0);
        gm__free(a, f->given, f->given ? (size_t)(f->count * s->given) * real_size(s) : 0);
        gm__free(a, f->index,
                 f->index ? (size_t)(f->count * s->indices + 1) * sizeof *f->index : 0);
    }
    gm__match_free(f->match);
    gm_dataset_free(f->data);
    *f = (gm__feed){0};
}

/* Rows of a batch lie anywhere: the next one is on its way while one is copied. */
static void fetch_row(const void *row, size_t bytes)
{
    for (size_t at = 0; at < bytes && at < 8192; at += 64)
        __builtin_prefetch((const char *)row + at);
}

/* Rows that were transformed before: copies. */
static void load_cached(const gm__feed *f, const int64_t *row, int64_t first, int64_t count,
                        gm__tray *t)
{
    const gm__structure *s = f->structure;
    size_t bytes = (size_t)s->reals * real_size(s);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = row ? row[i] : first + i;
        if (row && i + 1 < count)
            fetch_row((const char *)f->reals + (size_t)row[i + 1] * bytes, bytes);
        memcpy((char *)t->reals + (size_t)i * bytes, (const char *)f->reals + (size_t)from * bytes,
               bytes);
        memcpy(t->index + i * s->indices, f->index + from * s->indices,
               (size_t)s->indices * sizeof *t->index);
        t->log_det[i] = f->log_det[from];
        t->support[i] = f->support[from];
    }
}

/* What goes with a batch's rows, where the plan asks for it. */
static void load_given(const gm__feed *f, const int64_t *row, int64_t first, int64_t count,
                       const gm__plan *plan, gm__tray *t)
{
    const gm__structure *s = f->structure;
    int given = gm__plan_input(plan, "condition"), weight = gm__plan_input(plan, "weight");
    size_t bytes = (size_t)s->given * real_size(s);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = row ? row[i] : first + i;
        t->weight[i] = f->weight ? f->weight[from] : 1;
        if (f->given)
            memcpy((char *)t->given + (size_t)i * bytes, (char *)f->given + (size_t)from * bytes,
                   bytes);
    }
    if (given >= 0)
        t->inputs[given] = t->given;
    if (weight < 0)
        return;
    t->inputs[weight] = t->weight;
    for (int64_t i = 0; s->real == GM__F32 && i < count; i++)
        ((float *)t->told_weight)[i] = (float)t->weight[i];
    if (s->real == GM__F32)
        t->inputs[weight] = t->told_weight;
}

void gm__feed_load(gm_context *ctx, const gm__feed *f, const int64_t *row, int64_t first,
                   int64_t count, const gm__noise *noise, const gm__plan *plan, gm__tray *t)
{
    const gm__structure *s = f->structure;
    if (f->reals)
        load_cached(f, row, first, count, t);
    if (f->greys)
        gm__bits_draw(ctx, s, noise, row, first, count, t->reals, t->wide);
    if (!f->reals)
        transform(ctx, f, row, first, count, noise, t, t->reals, t->log_det, t->index);
    int x = gm__plan_input(plan, "x");
    if (x >= 0)
        t->inputs[x] = t->reals;
    load_given(f, row, first, count, plan, t);
    for (int64_t i = 0; i < s->indices; i++) {
        int input = gm__plan_index_input(plan, i);
        for (int64_t j = 0; j < count; j++)
            t->columns[i * count + j] = t->index[j * s->indices + i];
        if (input >= 0)
            t->inputs[input] = t->columns + i * count;
    }
}
