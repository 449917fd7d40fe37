/* Making the estimate, and rows that come and go. */
#include "density/kde_part.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

void gm__kde_free(gm__kde *k)
{
    if (!k)
        return;
    gm_allocator a = k->allocator;
    size_t d = (size_t)k->d, room = (size_t)k->capacity;
    gm__kde_clear_tree(k);
    gm__free(&a, k->columns, d * sizeof *k->columns);
    gm__free(&a, k->inverse, d * sizeof *k->inverse);
    gm__free(&a, k->root, d * d * sizeof *k->root);
    gm__free(&a, k->center, d * sizeof *k->center);
    gm__free(&a, k->x, room * d * sizeof *k->x);
    gm__free(&a, k->weight, room * sizeof *k->weight);
    gm__free(&a, k->factor, room * sizeof *k->factor);
    gm__free(&a, k->place, room * sizeof *k->place);
    gm__free(&a, k->powers, (GM__KDE_POWERS + 17) * sizeof *k->powers);
    gm__free(&a, k, sizeof *k);
}

int64_t gm__kde_rows(const gm__kde *k)
{
    return k->live;
}

int64_t gm__kde_columns(const gm__kde *k)
{
    return k->d;
}

/* ---- Memory ---- */

static int grow(const gm_allocator *a, void *at, int64_t old, int64_t now, size_t each)
{
    void *block;
    size_t from, to;
    memcpy(&block, at, sizeof block);
    if (gm__mul_size((size_t)now, each, &to))
        return 1;
    from = (size_t)old * each;
    if (to == 0) {
        gm__free(a, block, from);
        block = NULL;
        memcpy(at, &block, sizeof block);
        return 0;
    }
    block = gm__resize(a, block, from, to);
    if (!block)
        return 1;
    memcpy(at, &block, sizeof block);
    return 0;
}

/* Room for so many rows. capacity rises last, each array being resized from the old one: after a
 * failure those that grew are shrunk again. */
static gm_status reserve(gm_context *ctx, gm__kde *k, int64_t rows)
{
    const gm_allocator *a = &k->allocator;
    int64_t old = k->capacity, now = rows;
    size_t row = (size_t)k->d * sizeof *k->x;
    if (rows <= old)
        return GM_OK;
    if (old > 0 && now < old + old / 2)
        now = old + old / 2;
    if (grow(a, &k->x, old, now, row))
        return gm__no_memory(ctx);
    if (grow(a, &k->weight, old, now, sizeof *k->weight))
        goto weight;
    if (grow(a, &k->place, old, now, sizeof *k->place))
        goto place;
    if (k->adaptive && grow(a, &k->factor, old, now, sizeof *k->factor))
        goto factor;
    k->capacity = now;
    return GM_OK;
factor:
    grow(a, &k->place, now, old, sizeof *k->place);
place:
    grow(a, &k->weight, now, old, sizeof *k->weight);
weight:
    grow(a, &k->x, now, old, row);
    return gm__no_memory(ctx);
}

/* ---- Making ---- */

static gm_status check_config(gm_context *ctx, const gm__kde_config *c)
{
    if (!c->x || !c->columns || c->n < 1 || c->d < 1 || c->stride < c->d)
        return gm__fail(ctx, GM_E_ARG,
                        "kde: rows, columns and a row stride of at least the number "
                        "of columns are needed");
    if (c->radial && c->matrix)
        return gm__fail(ctx, GM_E_ARG, "kde: a radial kernel or a matrix, not both");
    for (int64_t i = 0; i < c->n; i++) {
        if (c->weights && !(c->weights[i] >= 0 && c->weights[i] < INFINITY))
            return gm__fail(ctx, GM_E_DATA,
                            "kde: row %lld: weight %g must be finite and not "
                            "negative",
                            (long long)i, c->weights[i]);
        if (c->factors && !(c->factors[i] >= 1e-6 && c->factors[i] <= 1e6))
            return gm__fail(ctx, GM_E_DATA, "kde: row %lld: factor %g must be 1e-6 to 1e6",
                            (long long)i, c->factors[i]);
    }
    return GM_OK;
}

/* The matrix becomes its Cholesky factor L, and coordinates are L^-1 (x - center): a Gaussian with
 * bandwidth 1 in every column. Its constant has log det L besides. */
static gm_status set_matrix(gm_context *ctx, gm__kde *k, const gm__kde_config *c)
{
    int64_t d = k->d, size;
    if (gm__mul64(d, d, &size))
        return gm__no_memory(ctx);
    k->root = gm__alloc_array(&k->allocator, size, sizeof *k->root);
    k->center = gm__alloc_array(&k->allocator, d, sizeof *k->center);
    if (!k->root || !k->center)
        return gm__no_memory(ctx);
    memcpy(k->root, c->matrix, (size_t)size * sizeof *k->root);
    memcpy(k->center, c->x, (size_t)d * sizeof *k->center);
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            if (!(fabs(k->root[i * d + j]) < INFINITY) || k->root[i * d + j] != k->root[j * d + i])
                return gm__fail(ctx, GM_E_ARG, "kde: the matrix is not symmetric and finite");
    if (gm__cholesky(k->root, d))
        return gm__fail(ctx, GM_E_RANGE, "kde: the matrix is not positive definite");
    for (int64_t j = 0; j < d; j++) {
        k->columns[j].bandwidth = 1;
        k->log_norm += gm__kde_map(ctx->kernels, GM__LOG, k->root[j * d + j]);
    }
    return GM_OK;
}

static void set_powers(gm__kde *k, const gm__kernels *kernels)
{
    for (int i = 0; i < GM__KDE_POWERS + 17; i++)
        k->powers[i] = i < GM__KDE_POWERS ? -i : -(i - GM__KDE_POWERS) / 16.0;
    kernels->maps->map1[GM__F64][GM__EXP](k->powers, k->powers, GM__KDE_POWERS + 17);
}

static gm_status set_rows(gm_context *ctx, gm__kde *k, const gm__kde_config *c)
{
    double most = 0;
    for (int64_t i = 0; i < c->n; i++) {
        double w = c->weights ? c->weights[i] : 1;
        most = w > most ? w : most;
    }
    if (!(most > 0))
        return gm__fail(ctx, GM_E_DATA, "kde: all weights are 0");
    GM_TRY(reserve(ctx, k, c->n));
    k->scale = most;
    for (int64_t i = 0; i < c->n; i++) {
        memcpy(k->x + i * k->d, c->x + i * c->stride, (size_t)k->d * sizeof *k->x);
        k->weight[i] = c->weights ? c->weights[i] : 1;
        k->place[i] = 0;
        k->total += k->weight[i] / most;
        if (k->adaptive)
            k->factor[i] = c->factors[i];
    }
    k->count = k->live = c->n;
    return GM_OK;
}

static gm_status set_up(gm_context *ctx, gm__kde *k, const gm__kde_config *c)
{
    const gm_allocator *a = &k->allocator;
    k->d = c->d;
    k->radial = c->radial;
    k->plain = c->plain;
    k->adaptive = c->factors != NULL;
    k->even = c->weights == NULL;
    k->columns = gm__alloc_array(a, k->d, sizeof *k->columns);
    k->inverse = gm__alloc_array(a, k->d, sizeof *k->inverse);
    k->powers = gm__alloc_array(a, GM__KDE_POWERS + 17, sizeof *k->powers);
    if (!k->columns || !k->inverse || !k->powers)
        return gm__no_memory(ctx);
    memcpy(k->columns, c->columns, (size_t)k->d * sizeof *k->columns);
    set_powers(k, ctx->kernels);
    if (c->matrix)
        GM_TRY(set_matrix(ctx, k, c));
    GM_TRY(set_rows(ctx, k, c));
    GM_TRY(gm__kde_prepare(ctx, k));
    return gm__kde_build(ctx, k);
}

gm_status gm__kde_create(gm_context *ctx, const gm__kde_config *config, gm__kde **kde)
{
    *kde = NULL;
    GM_TRY(check_config(ctx, config));
    gm__kde *k = gm__alloc(&ctx->allocator, sizeof *k);
    if (!k)
        return gm__no_memory(ctx);
    k->allocator = ctx->allocator;
    gm_status code = set_up(ctx, k, config);
    if (code)
        gm__kde_free(k);
    else
        *kde = k;
    return code;
}

/* ---- Rows that come and go ---- */

/* Room for more blocks: block arrays, and those of nodes, which end where the blocks do. */
static gm_status more_blocks(gm_context *ctx, gm__kde *k, int64_t blocks)
{
    const gm_allocator *a = &k->allocator;
    size_t block = (size_t)(gm__kde_parts(k) * k->stride) * sizeof *k->block, d = (size_t)k->d;
    int64_t old = k->room, now = blocks + blocks / 4, base = k->leaves;
    if (blocks <= old)
        return GM_OK;
    gm__kde was = *k;
    if (grow(a, &k->block, old, now, block))
        return gm__no_memory(ctx);
    if (k->narrow && grow(a, &k->narrow, old, now, (d + 1) * (size_t)k->stride * sizeof(float)))
        goto narrow;
    if (grow(a, &k->fill, old, now, sizeof *k->fill))
        goto fill;
    if (grow(a, &k->box, base + old, base + now, 2 * d * sizeof *k->box))
        goto box;
    if (grow(a, &k->mass, base + old, base + now, sizeof *k->mass))
        goto mass;
    if (k->range && grow(a, &k->range, base + old, base + now, 2 * sizeof *k->range))
        goto range;
    if (k->beta && grow(a, &k->beta, base + old, base + now, d * 4 * sizeof *k->beta))
        goto beta;
    k->room = now;
    return GM_OK;
beta:
    if (was.range)
        grow(a, &k->range, base + now, base + old, 2 * sizeof *k->range);
range:
    grow(a, &k->mass, base + now, base + old, sizeof *k->mass);
mass:
    grow(a, &k->box, base + now, base + old, 2 * d * sizeof *k->box);
box:
    grow(a, &k->fill, now, old, sizeof *k->fill);
fill:
    if (was.narrow)
        grow(a, &k->narrow, now, old, (d + 1) * (size_t)k->stride * sizeof(float));
narrow:
    grow(a, &k->block, now, old, block);
    return gm__no_memory(ctx);
}

/* The coordinates of a block's rows again, in the order of their places. */
static void own_rows(gm_context *ctx, gm__kde *k, int64_t block, int64_t from, double *own)
{
    for (int64_t row = from; row < k->count; row++)
        if (k->place[row] >= 0 && k->place[row] / k->stride == block)
            (void)gm__kde_coordinates(ctx, k, k->x + row * k->d, 1, k->d,
                                      own + k->place[row] % k->stride * k->d);
}

/* The row goes behind the last fresh block's, or opens one. */
static void put(gm_context *ctx, gm__kde *k, int64_t row, const double *y)
{
    if (k->blocks == k->leaves || k->fill[k->blocks - 1] == k->stride) {
        double *b = gm__kde_block(k, k->blocks);
        memset(b, 0, (size_t)(gm__kde_parts(k) * k->stride) * sizeof *b);
        if (k->narrow)
            memset(k->narrow + k->blocks * (k->d + 1) * k->stride, 0,
                   (size_t)((k->d + 1) * k->stride) * sizeof(float));
        for (int64_t i = 0; k->adaptive && i < k->stride; i++)
            b[(k->wide + 1) * k->stride + i] = 1;
        k->fill[k->blocks++] = 0;
    }
    int64_t block = k->blocks - 1, at = k->fill[block]++;
    double *b = gm__kde_block(k, block);
    gm__kde_store(ctx->kernels, k, b, at, y);
    if (k->adaptive)
        b[(k->wide + 1) * k->stride + at] = k->factor[row];
    b[k->wide * k->stride + at] = gm__kde_weight(ctx->kernels, k, row, NULL);
    k->place[row] = block * k->stride + at;
    k->total += k->weight[row] / k->scale;
    gm__kde_grid_add(k, ctx->kernels, y, k->weight[row] / k->scale);
}

static gm_status check_new(gm_context *ctx, const gm__kde *k, const double *weights, int64_t n)
{
    if (k->adaptive)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "kde: an adaptive estimate takes no new rows: their "
                        "factors depend on all");
    for (int64_t i = 0; weights && i < n; i++)
        if (!(weights[i] >= 0 && weights[i] < INFINITY))
            return gm__fail(ctx, GM_E_DATA,
                            "kde: row %lld: weight %g must be finite and not "
                            "negative",
                            (long long)i, weights[i]);
    return GM_OK;
}

gm_status gm__kde_add(gm_context *ctx, gm__kde *k, const double *x, int64_t n, int64_t stride,
                      const double *weights, int64_t *first)
{
    int64_t start = k->count, rows, blocks, size;
    k->even = k->even && !weights;
    if (n < 0 || stride < k->d || gm__add64(start, n, &rows) || gm__mul64(n, k->d, &size) ||
        gm__add64(size, k->stride * k->d, &size))
        return gm__fail(ctx, GM_E_ARG, "kde: rows to add must be given with their stride");
    GM_TRY(check_new(ctx, k, weights, n));
    double *y = gm__alloc_array(&k->allocator, size, sizeof *y);
    if (!y)
        return gm__no_memory(ctx);
    blocks = k->blocks + n / k->stride + 2;
    gm_status code = gm__kde_coordinates(ctx, k, x, n, stride, y);
    if (!code)
        code = reserve(ctx, k, rows);
    if (!code)
        code = more_blocks(ctx, k, blocks);
    if (!code) {
        int64_t open = k->blocks > k->leaves ? k->blocks - 1 : k->blocks;
        for (int64_t i = 0; i < n; i++, k->count++) {
            memcpy(k->x + k->count * k->d, x + i * stride, (size_t)k->d * sizeof *k->x);
            k->weight[k->count] = weights ? weights[i] : 1;
            put(ctx, k, k->count, y + i * k->d);
        }
        k->live += n;
        k->fresh += n;
        int64_t from = start > k->stride * 2 ? start - k->stride * 2 : 0;
        for (; open < k->blocks; open++) {
            double *own = y + n * k->d;
            own_rows(ctx, k, open, from, own);
            gm__kde_close_block(k, ctx->kernels, open, own);
        }
        if (first)
            *first = start;
    }
    gm__free(&k->allocator, y, (size_t)size * sizeof *y);
    /* A tree again once the fresh rows cost as much as it does; without memory for it, later. */
    if (!code && k->fresh > 256 + k->live / 8)
        (void)gm__kde_build(ctx, k);
    return code;
}

gm_status gm__kde_forget(gm_context *ctx, gm__kde *k, const int64_t *rows, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (rows[i] < 0 || rows[i] >= k->count)
            return gm__fail(ctx, GM_E_RANGE, "kde: no row %lld: there are %lld", (long long)rows[i],
                            (long long)k->count);
    int64_t left = k->live;
    double weight = 0;
    for (int64_t i = 0; i < n; i++) /* marked first, so that the call can still be refused */
        if (k->place[rows[i]] >= 0) {
            k->place[rows[i]] = -2 - k->place[rows[i]];
            left--;
        }
    for (int64_t i = 0; i < k->count; i++)
        weight += k->place[i] >= 0 ? k->weight[i] / k->scale : 0;
    if (!(weight > 0)) {
        for (int64_t i = 0; i < n; i++)
            if (k->place[rows[i]] < -1)
                k->place[rows[i]] = -2 - k->place[rows[i]];
        return gm__fail(ctx, GM_E_STATE, "kde: no weight would be left");
    }
    double *y = gm__context_scratch(ctx, (size_t)k->d * sizeof *y);
    for (int64_t i = 0; i < n; i++) {
        int64_t row = rows[i], place = -2 - k->place[row], block = place / k->stride;
        if (k->place[row] >= -1)
            continue;
        k->place[row] = -1;
        if (y && k->grid && !gm__kde_coordinates(ctx, k, k->x + row * k->d, 1, k->d, y))
            gm__kde_grid_add(k, ctx->kernels, y, -k->weight[row] / k->scale);
        else
            gm__kde_grid_free(k);
        gm__kde_block(k, block)[k->wide * k->stride + place % k->stride] = 0;
        gm__kde_close_block(k, ctx->kernels, block, NULL);
        if (block < k->leaves)
            gm__kde_sum_up(k, gm__kde_node(k, block) / 2);
    }
    k->gone += k->live - left;
    k->live = left;
    k->total = weight;
    if (k->gone > 256 + k->live / 4)
        (void)gm__kde_build(ctx, k);
    return GM_OK;
}
