/* A row drawn by its weight times its kernels in some columns, without a look at most rows. The
 * tree is walked until what is left between the bounds of the kernels over its nodes is at most
 * half of what is sure; a row drawn by the upper bounds is kept with the probability of its kernel
 * over its bound, which is exact rejection sampling (von Neumann 1951). */
#include "density/kde_draw.h"

#include <math.h>

enum { DEPTH = 192, TRIES = 20 };
#define SLACK 0.5
#define LEAST 1e-250 /* a sum under which the walk has no digits */

typedef struct bounded {
    int64_t node;
    double low, high; /* of the kernel */
} bounded;

struct gm__kde_pick {
    gm_allocator allocator;
    const gm__kde *k;
    const uint8_t *mark;
    gm__kde_query *query;
    double *weight; /* (leaves, stride) in the marked columns; NULL: as the blocks have them */
    double *own;    /* (2 leaves) of nodes then; or NULL */
    const double *mass;
    int64_t *front; /* (leaves) nodes */
    double *top;    /* (leaves) the greatest kernel there; -1: the leaf is known row by row */
    double *sum;    /* (leaves) of the weights times top so far */
    int64_t count;
    int64_t block; /* whose kernels the query holds, as e^-a m in query->m */
};

void gm__kde_pick_close(gm__kde_pick *p)
{
    if (!p)
        return;
    gm_allocator a = p->allocator;
    size_t leaves = (size_t)p->k->leaves;
    gm__free(&a, p->weight, leaves * (size_t)p->k->stride * sizeof *p->weight);
    gm__free(&a, p->own, 2 * leaves * sizeof *p->own);
    gm__free(&a, p->front, leaves * sizeof *p->front);
    gm__free(&a, p->top, 2 * leaves * sizeof *p->top);
    gm__free(&a, p, sizeof *p);
}

static const double *weights_of(const gm__kde_pick *p, int64_t block)
{
    const gm__kde *k = p->k;
    return p->weight ? p->weight + block * k->stride
                     : gm__kde_block(k, block) + k->wide * k->stride;
}

/* Blocks hold weights with every column's share of the norm in them: those of other columns have to
 * go, where a row's share is its own. */
static gm_status own_weights(gm_context *ctx, gm__kde_pick *p)
{
    const gm__kde *k = p->k;
    p->weight = gm__alloc_array(&p->allocator, k->leaves, (size_t)k->stride * sizeof *p->weight);
    p->own = gm__alloc_array(&p->allocator, k->leaves, 2 * sizeof *p->own);
    if (!p->weight || !p->own)
        return gm__no_memory(ctx);
    p->mass = p->own;
    for (int64_t i = 0; i < k->count; i++)
        p->weight[k->place[i]] = gm__kde_weight(ctx->kernels, k, i, p->mark);
    for (int64_t b = 0; b < k->leaves; b++)
        for (int64_t i = 0; i < k->fill[b]; i++)
            p->own[k->leaves + b] += weights_of(p, b)[i];
    for (int64_t i = k->leaves - 1; i >= 1; i--)
        p->own[i] = p->own[2 * i] + p->own[2 * i + 1];
    return GM_OK;
}

gm_status gm__kde_pick_open(gm_context *ctx, const gm__kde *k, const uint8_t *mark,
                            gm__kde_query *query, gm__kde_pick **out)
{
    const gm_allocator *a = &ctx->allocator;
    gm__kde_pick *p = gm__alloc(a, sizeof *p);
    int differ = k->factor != NULL;
    if (!p)
        return gm__no_memory(ctx);
    *p = (gm__kde_pick){
        .allocator = *a, .k = k, .mark = mark, .query = query, .mass = k->mass, .block = -1};
    p->front = gm__alloc_array(a, k->leaves, sizeof *p->front);
    p->top = gm__alloc_array(a, k->leaves, 2 * sizeof *p->top);
    p->sum = p->top ? p->top + k->leaves : NULL;
    for (int64_t j = 0; j < k->d; j++)
        differ |= k->columns[j].kind == GM__KDE_ORDERED && !mark[j];
    gm_status code = p->front && p->top ? GM_OK : gm__no_memory(ctx);
    if (!code && differ)
        code = own_weights(ctx, p);
    if (code)
        gm__kde_pick_close(p);
    else
        *out = p;
    return code;
}

/* ---- The walk -------------------------------------------------------------------------------- */

static bounded bound(const gm__kde_pick *p, int64_t node)
{
    bounded b = {.node = node};
    double a[2], m[2], e[2];
    if (!(p->mass[node] > 0))
        return b;
    gm__kde_marked_bounds(p->query, p->mark, node, a, m);
    e[0] = -a[0];
    e[1] = -a[1];
    p->query->kernels->maps->map1[GM__F64][GM__EXP](e, e, 2);
    b.high = m[1] * e[0] * (1 + 1e-9);
    b.low = m[0] * e[1] * (1 - 1e-9);
    return b;
}

/* Kernels of a block's rows at the query, into query->m. */
static void kernels_of(gm__kde_pick *p, int64_t block)
{
    const gm__kde *k = p->k;
    gm__kde_query *s = p->query;
    const double *x = gm__kde_block(k, block), *w = x + k->wide * k->stride;
    int64_t n = (k->fill[block] + 15) & ~(int64_t)15;
    gm__kernel_block b = {x, w, k->adaptive ? w + k->stride : NULL, k->stride, n, k->wide};
    if (block == p->block)
        return;
    for (int64_t i = 0; i < n; i++) {
        s->a[i] = 0;
        s->m[i] = 1;
    }
    for (int64_t j = 0; j < k->d; j++)
        if (p->mark[j])
            s->kernels->densities->term(&b, &s->term[j], s->a, s->m);
    for (int64_t i = 0; i < n; i++)
        s->a[i] = -s->a[i];
    s->kernels->maps->map1[GM__F64][GM__EXP](s->a, s->a, n);
    for (int64_t i = 0; i < n; i++)
        s->m[i] *= s->a[i];
    p->block = block;
}

static double leaf_sum(gm__kde_pick *p, int64_t block)
{
    const double *w = weights_of(p, block);
    double sum = 0;
    kernels_of(p, block);
    for (int64_t i = 0; i < p->k->fill[block]; i++)
        sum += w[i] * p->query->m[i];
    return sum;
}

static void add_front(gm__kde_pick *p, int64_t node, double top, double mass)
{
    if (!(mass > 0))
        return;
    p->front[p->count] = node;
    p->top[p->count] = top;
    p->sum[p->count] = mass + (p->count ? p->sum[p->count - 1] : 0);
    p->count++;
}

int gm__kde_pick_set(gm__kde_pick *p)
{
    const gm__kde *k = p->k;
    bounded stack[DEPTH];
    double low = 0, gap = 0, done = 0;
    int64_t depth = 1;
    p->count = 0;
    p->block = -1;
    stack[0] = bound(p, 1);
    while (depth > 0) {
        bounded b = stack[--depth];
        double mass = p->mass[b.node], spread = mass * (b.high - b.low);
        if (gap + spread <= SLACK * low * ((done + mass) / p->mass[1]) || !(b.high > 0)) {
            add_front(p, b.node, b.high, mass * b.high);
            low += mass * b.low;
            gap += spread;
            done += mass;
        } else if (b.node >= k->leaves) {
            double sum = leaf_sum(p, b.node - k->leaves);
            add_front(p, b.node, -1, sum);
            low += sum;
            done += mass;
        } else {
            bounded left = bound(p, 2 * b.node), right = bound(p, 2 * b.node + 1);
            int first =
                left.high > right.high || (left.high == right.high && left.low >= right.low);
            stack[depth++] = first ? right : left;
            stack[depth++] = first ? left : right;
        }
    }
    return low > LEAST;
}

/* ---- Draws ----------------------------------------------------------------------------------- */

/* The offset in a block where running sums of w (times kernels) pass u. */
static int64_t pass(const gm__kde_pick *p, int64_t block, int kernels, double u)
{
    const double *w = weights_of(p, block);
    int64_t last = -1;
    double sum = 0;
    for (int64_t i = 0; i < p->k->fill[block]; i++) {
        double each = w[i] * (kernels ? p->query->m[i] : 1);
        sum += each;
        last = each > 0 ? i : last;
        if (sum > u && each > 0)
            return i;
    }
    return last;
}

/* One trial: the row, or -1. */
static int64_t try_one(gm__kde_pick *p, double u, double v)
{
    const gm__kde *k = p->k;
    double level = u * p->sum[p->count - 1];
    int64_t low = 0, high = p->count - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (p->sum[middle] > level)
            high = middle;
        else
            low = middle + 1;
    }
    int64_t node = p->front[low];
    double top = p->top[low], left = level - (low ? p->sum[low - 1] : 0);
    if (top > 0)
        left /= top;
    while (node < k->leaves) {
        node *= 2;
        if (!(left < p->mass[node]) && p->mass[node + 1] > 0) {
            left -= p->mass[node];
            node++;
        } else if (!(p->mass[node] > 0))
            node++;
    }
    int64_t block = node - k->leaves;
    if (top < 0)
        kernels_of(p, block);
    int64_t at = pass(p, block, top < 0, left);
    if (at < 0)
        return -1;
    if (top > 0) {
        kernels_of(p, block);
        if (!(v * top < p->query->m[at]))
            return -1;
    }
    return k->order[block * k->stride + at];
}

int64_t gm__kde_pick_row(gm__kde_pick *p, gm__kde_stream *s)
{
    for (int i = 0; i < TRIES && p->count > 0; i++) {
        double u = gm__kde_uniform(s), v = gm__kde_uniform(s);
        int64_t row = try_one(p, u, v);
        if (row >= 0)
            return row;
    }
    return -1;
}
