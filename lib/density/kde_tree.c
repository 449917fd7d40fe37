/* The tree over the rows: a kd-tree cut at medians (Bentley 1975), in units of 16 rows. */
#include "density/kde_part.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

typedef gm__kde_pair pair;
enum { UNIT = 16, LEAF_UNITS = 8, MOST_UNITS = 64, SPREAD = 128 };

/* ---- Cutting ---- */

/* The column in which a sample of the rows is widest, in bandwidths. */
static int64_t widest(const gm__kde *k, const pair *p, int64_t n, const double *y)
{
    int64_t best = 0, count = n < SPREAD ? n : SPREAD;
    double most = -1;
    for (int64_t j = 0; j < k->d && k->d > 1; j++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < count; i++) {
            double v = y[p[(int64_t)((double)i / (double)count * (double)n)].row * k->d + j];
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
        double width = (high - low) * k->inverse[j];
        if (width > most) {
            most = width;
            best = j;
        }
    }
    return best;
}

/* Cuts node after node; start[i] is the first unit of leaf i in the end. */
static void cut(const gm__kde *k, pair *p, int64_t n, const double *y, int64_t *start)
{
    int64_t units = (n + UNIT - 1) / UNIT;
    start[0] = 0;
    start[k->leaves] = units;
    for (int64_t width = k->leaves; width > 1; width /= 2)
        for (int64_t at = 0; at < k->leaves; at += width) {
            int64_t from = start[at], to = start[at + width];
            int64_t middle = from + (to - from + 1) / 2;
            int64_t first = from * UNIT, end = to * UNIT < n ? to * UNIT : n;
            start[at + width / 2] = middle;
            if (middle * UNIT >= end || k->d == 1)
                continue; /* one column is sorted already */
            int64_t column = widest(k, p + first, end - first, y);
            for (int64_t i = first; i < end; i++)
                p[i].key = y[p[i].row * k->d + column];
            gm__kde_split(p + first, end - first, middle * UNIT - first);
        }
}

/* ---- Blocks ---- */

static void join(gm__kde *k, int64_t node)
{
    int64_t left = 2 * node, right = left + 1;
    k->mass[node] = k->mass[left] + k->mass[right];
    for (int64_t j = 0; j < 2 * k->d; j++) {
        double a = k->box[left * 2 * k->d + j], b = k->box[right * 2 * k->d + j];
        k->box[node * 2 * k->d + j] = (j < k->d) == (a < b) ? a : b;
    }
    if (k->range) {
        double *r = k->range, *low = &r[2 * left], *high = &r[2 * right];
        r[2 * node] = low[0] < high[0] ? low[0] : high[0];
        r[2 * node + 1] = low[1] > high[1] ? low[1] : high[1];
    }
}

static void beta_of(gm__kde *k, const gm__kernels *kernels, int64_t node)
{
    const double *box = k->box + node * 2 * k->d;
    for (int64_t j = 0; j < k->d; j++) {
        const gm__kde_column *c = &k->columns[j];
        if (c->kind != GM__KDE_BETA)
            continue;
        double h = c->bandwidth / (c->high - c->low), b = h * h;
        for (int end = 0; end < 2; end++) {
            double x = box[end * k->d + j], in[3] = {x / b + 1, (1 - x) / b + 1, 1 / b + 2};
            double g[3], p[2];
            x = x >= 0 && x <= 1 ? x : 0; /* an empty node's box */
            in[0] = x / b + 1;
            in[1] = (1 - x) / b + 1;
            kernels->maps->map1[GM__F64][GM__LGAMMA](g, in, 3);
            kernels->maps->map1[GM__F64][GM__DIGAMMA](p, in, 2);
            k->beta[(node * k->d + j) * 4 + end] = g[0] + g[1] - g[2];
            k->beta[(node * k->d + j) * 4 + 2 + end] = (p[0] - p[1]) / b;
        }
    }
}

/* Floats relative to the middle of the box, in bandwidths. */
static void narrow_block(gm__kde *k, int64_t block)
{
    const double *from = gm__kde_block(k, block);
    const double *box = k->box + gm__kde_node(k, block) * 2 * k->d;
    float *to = k->narrow + block * (k->d + 1) * k->stride;
    for (int64_t j = 0; j <= k->d; j++)
        for (int64_t i = 0; i < k->fill[block]; i++) {
            double v = from[j * k->stride + i];
            if (j < k->d)
                v = (v - 0.5 * (box[j] + box[k->d + j])) * k->inverse[j];
            to[j * k->stride + i] = (float)v;
        }
}

void gm__kde_close_block(gm__kde *k, const gm__kernels *kernels, int64_t block, const double *y)
{
    int64_t node = gm__kde_node(k, block), fill = k->fill[block];
    double *box = k->box + node * 2 * k->d, *w = gm__kde_block(k, block) + k->wide * k->stride;
    double sum = 0;
    for (int64_t i = 0; i < fill; i++)
        sum += w[i];
    k->mass[node] = sum;
    for (int64_t j = 0; j < k->d; j++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < fill; i++) {
            double v = y[i * k->d + j];
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
        box[j] = low;
        box[k->d + j] = high;
    }
    if (k->range) {
        double *r = k->range + 2 * node;
        r[0] = INFINITY;
        r[1] = 0;
        for (int64_t i = 0; i < fill; i++) {
            double f = w[k->stride + i];
            r[0] = f < r[0] ? f : r[0];
            r[1] = f > r[1] ? f : r[1];
        }
    }
    if (k->beta)
        beta_of(k, kernels, node);
    if (k->moments)
        gm__kde_moments_of(k, kernels, block, y);
    if (k->narrow)
        narrow_block(k, block);
}

/* ---- Fans ---- */

/* Copies of the boxes for asking about 16 at once: steps of four levels that end at the leaves (the
 * first one shorter), a group for each node that a step starts from, (d, 2, 16) low and high. */
static void shape_fans(gm__kde *k)
{
    int32_t step = 0;
    k->depth = 0;
    while ((int64_t)1 << k->depth < k->leaves)
        k->depth++;
    k->top = k->depth % 4 ? k->depth % 4 : 4;
    k->fan_size = 0;
    for (int32_t at = 0; at < k->depth; at = at ? at + 4 : k->top) {
        k->fan_at[step++] = k->fan_size;
        k->fan_size += ((int64_t)1 << at) * 32 * k->d;
    }
}

static void fill_fans(gm__kde *k)
{
    double *to = k->fan;
    for (int32_t at = 0; at < k->depth; at = at ? at + 4 : k->top) {
        int32_t step = at ? 4 : k->top;
        for (int64_t node = (int64_t)1 << at; node < (int64_t)2 << at; node++, to += 32 * k->d)
            for (int64_t i = 0; i < 16; i++) {
                const double *box = k->box + ((node << step) + i) * 2 * k->d;
                for (int64_t j = 0; j < k->d; j++) {
                    to[32 * j + i] = i >> step ? INFINITY : box[j];
                    to[32 * j + 16 + i] = i >> step ? -INFINITY : box[k->d + j];
                }
            }
    }
}

/* ---- Memory ---- */

static void forget_tree(gm__kde *k)
{
    k->block = NULL;
    k->narrow = NULL;
    k->fan = NULL;
    k->fill = k->order = NULL;
    k->box = k->mass = k->range = k->beta = k->moment = NULL;
    k->grid = NULL;
    k->leaves = 0;
}

void gm__kde_clear_tree(gm__kde *k)
{
    const gm_allocator *a = &k->allocator;
    size_t nodes = 2 * (size_t)k->leaves, room = (size_t)k->leaves, d = (size_t)k->d;
    size_t stride = (size_t)k->stride;
    gm__free(a, k->block, room * (size_t)gm__kde_parts(k) * stride * sizeof *k->block);
    gm__free(a, k->narrow, room * (d + 1) * stride * sizeof *k->narrow);
    gm__free(a, k->fan, (size_t)k->fan_size * sizeof *k->fan);
    gm__free(a, k->order, room * stride * sizeof *k->order);
    gm__free(a, k->fill, room * sizeof *k->fill);
    gm__free(a, k->box, nodes * 2 * d * sizeof *k->box);
    gm__free(a, k->mass, nodes * sizeof *k->mass);
    gm__free(a, k->range, nodes * 2 * sizeof *k->range);
    gm__free(a, k->beta, nodes * d * 4 * sizeof *k->beta);
    gm__free(a, k->moment, nodes * (size_t)k->moments * sizeof *k->moment);
    gm__kde_grid_free(k);
    gm__kde_series_free(k);
    forget_tree(k);
}

static int has_beta(const gm__kde *k)
{
    for (int64_t j = 0; j < k->d; j++)
        if (k->columns[j].kind == GM__KDE_BETA)
            return 1;
    return 0;
}

static int allocate(gm__kde *k)
{
    const gm_allocator *a = &k->allocator;
    int64_t nodes = 2 * k->leaves, part, size;
    if (gm__mul64(gm__kde_parts(k), k->stride, &part) || gm__mul64(part, k->leaves, &size) ||
        gm__mul64(nodes, k->d, &part))
        return 1;
    k->block = gm__alloc_array(a, size, sizeof *k->block);
    k->fill = gm__alloc_array(a, k->leaves, sizeof *k->fill);
    k->order = gm__alloc_array(a, k->leaves, (size_t)k->stride * sizeof *k->order);
    k->box = gm__alloc_array(a, part, 2 * sizeof *k->box);
    k->mass = gm__alloc_array(a, nodes, sizeof *k->mass);
    if (k->adaptive)
        k->range = gm__alloc_array(a, nodes, 2 * sizeof *k->range);
    if (has_beta(k))
        k->beta = gm__alloc_array(a, part, 4 * sizeof *k->beta);
    k->moments = gm__kde_moment_count(k);
    if (k->moments)
        k->moment = gm__alloc_array(a, nodes * k->moments, sizeof *k->moment);
    shape_fans(k);
    if (k->gauss && !k->adaptive && k->fan_size)
        k->fan = gm__alloc_array(a, k->fan_size, sizeof *k->fan);
    if (k->gauss && !k->adaptive)
        k->narrow = gm__alloc_array(a, k->leaves * (k->d + 1), (size_t)k->stride * sizeof(float));
    return !k->block || !k->fill || !k->order || !k->box || !k->mass ||
           (k->adaptive && !k->range) || (has_beta(k) && !k->beta) || (k->moments && !k->moment) ||
           (k->gauss && !k->adaptive && (!k->narrow || (k->fan_size && !k->fan)));
}

/* ---- Building ---- */

static void fill_block(gm__kde *k, const gm__kernels *kernels, int64_t block, const pair *p,
                       int64_t n, const double *y, double *own)
{
    double *to = gm__kde_block(k, block), *w = to + k->wide * k->stride;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = p[i].row;
        memcpy(own + i * k->d, y + row * k->d, (size_t)k->d * sizeof *own);
        gm__kde_store(kernels, k, to, i, own + i * k->d);
        w[i] = gm__kde_weight(kernels, k, row, NULL);
        k->place[row] = block * k->stride + i;
        k->order[block * k->stride + i] = row;
    }
    if (k->adaptive)
        for (int64_t i = 0; i < k->stride; i++)
            w[k->stride + i] = i < n ? k->factor[p[i].row] : 1;
    k->fill[block] = n;
    gm__kde_close_block(k, kernels, block, own);
}

static void shape(gm__kde *k, int64_t n)
{
    int64_t units = (n + UNIT - 1) / UNIT, leaves = 1;
    /* With a grid the tree seldom works. */
    int gridded = k->gauss && !k->adaptive && !k->plain && k->d <= 2;
    int64_t most = gridded && k->d == 1 ? MOST_UNITS : gridded ? MOST_UNITS / 4 : LEAF_UNITS;
    if (k->gauss && !k->adaptive && !gridded)
        most = MOST_UNITS / 2; /* sums in float cost less than boxes */
    while ((units + leaves - 1) / leaves > most)
        leaves *= 2;
    k->leaves = leaves;
    k->stride = (units + leaves - 1) / leaves * UNIT;
}

typedef struct plan {
    int64_t n, *start;
    pair *order, *spare;
    double *y, *own;
} plan;

static gm_status make(gm_context *ctx, gm__kde *k, plan *b)
{
    int64_t n = b->n;
    GM_TRY(gm__kde_coordinates(ctx, k, k->x, n, k->d, b->y));
    for (int64_t i = 0; i < n; i++)
        b->order[i] = (pair){0, i};
    shape(k, n);
    if (allocate(k))
        return gm__no_memory(ctx);
    for (int64_t i = 0; k->d == 1 && i < n; i++)
        b->order[i].key = b->y[i];
    if (k->d == 1)
        gm__kde_sort(b->order, b->spare, n);
    cut(k, b->order, n, b->y, b->start);
    for (int64_t i = 0; i < k->leaves; i++) {
        int64_t first = b->start[i] * UNIT, end = b->start[i + 1] * UNIT;
        end = end < n ? end : n;
        fill_block(k, ctx->kernels, i, b->order + first, end > first ? end - first : 0, b->y,
                   b->own);
    }
    for (int64_t i = k->leaves - 1; i >= 1; i--) {
        join(k, i);
        if (k->beta)
            beta_of(k, ctx->kernels, i);
        if (k->moments)
            gm__kde_moments_join(k, ctx->kernels, i);
    }
    if (k->moments)
        gm__kde_moments_settle(k);
    if (k->fan)
        fill_fans(k);
    gm__kde_grid_build(ctx, k, n, b->y);
    gm__kde_series_build(ctx, k);
    return gm__check_cancel(ctx);
}

/* What a failure leaves is freed with the estimate. */
gm_status gm__kde_build(gm_context *ctx, gm__kde *k)
{
    const gm_allocator *a = &k->allocator;
    int64_t n = k->count, cells;
    if (gm__mul64(n, k->d, &cells))
        return gm__no_memory(ctx);
    plan b = {.n = n,
              .start = gm__alloc_array(a, n + 2, sizeof *b.start),
              .order = gm__alloc_array(a, n, sizeof *b.order),
              .spare = k->d == 1 ? gm__alloc_array(a, n, sizeof *b.spare) : NULL,
              .y = gm__alloc_array(a, cells, sizeof *b.y),
              .own = gm__alloc_array(a, MOST_UNITS * UNIT * k->d, sizeof *b.own)};
    gm_status code = b.start && b.order && (b.spare || k->d > 1) && b.y && b.own
                         ? make(ctx, k, &b)
                         : gm__no_memory(ctx);
    gm__free(a, b.start, (size_t)(n + 2) * sizeof *b.start);
    gm__free(a, b.order, (size_t)n * sizeof *b.order);
    gm__free(a, b.spare, (size_t)n * sizeof *b.spare);
    gm__free(a, b.y, (size_t)cells * sizeof *b.y);
    gm__free(a, b.own, (size_t)(MOST_UNITS * UNIT * k->d) * sizeof *b.own);
    return code;
}
