/* Drawing rows, and densities and draws under conditions. */
#include "density/kde_draw.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

/* ---- Choosing a row ---- */

/* The first row whose running sum exceeds u of the whole. */
static int64_t choose(const double *sums, int64_t n, double u)
{
    double level = u * sums[n - 1];
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sums[middle] > level)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static double factor_of(const gm__kde *k, int64_t row)
{
    return k->factor ? k->factor[row] : 1;
}

/* A Gaussian with the whole matrix about x: x + L z. */
static void draw_whole(gm__kde_stream *s, const gm__kde *k, const double *x, double factor,
                       double *room, double *out)
{
    for (int64_t j = 0; j < k->d; j++) {
        s->at = (j + 1) * GM__KDE_ELEMENTS;
        room[j] = factor * gm__kde_normal(s);
    }
    gm__multiply_lower(k->root, k->d, room, out);
    for (int64_t j = 0; j < k->d; j++)
        out[j] += x[j];
}

static void draw_row(gm__kde_stream *s, const gm__kde *k, int64_t row, double temperature,
                     double *room, double *out)
{
    const double *x = k->x + row * k->d;
    double factor = factor_of(k, row) * temperature;
    if (k->root) {
        draw_whole(s, k, x, factor, room, out);
        return;
    }
    if (k->radial) {
        gm__kde_draw_radial(s, k, factor, room);
        for (int64_t j = 0; j < k->d; j++)
            out[j] = x[j] + room[j];
        return;
    }
    for (int64_t j = 0; j < k->d; j++)
        out[j] = gm__kde_draw(s, &k->columns[j], j, x[j], factor_of(k, row), temperature);
}

gm_status gm__kde_sample(gm_context *ctx, const gm__kde *k, double temperature, uint64_t seed,
                         uint64_t step, int64_t row0, int64_t m, double *out)
{
    int64_t size;
    GM_TRY(gm__kde_check_rows(ctx, row0, m, k->d));
    if (gm__add64(k->count, k->d, &size))
        return gm__no_memory(ctx);
    double *sums = gm__alloc_array(&ctx->allocator, size, sizeof *sums), sum = 0;
    if (!sums)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < k->count; i++) {
        sum += k->weight[i] / k->scale;
        sums[i] = sum;
    }
    gm_status code = GM_OK;
    for (int64_t i = 0; i < m && !code; i++) {
        gm__kde_stream s = gm__kde_stream_of(ctx->kernels, seed, step, row0 + i, k->d);
        int64_t row = choose(sums, k->count, gm__kde_uniform(&s));
        draw_row(&s, k, row, temperature, sums + k->count, out + i * k->d);
        if (i % 1024 == 0)
            code = gm__check_cancel(ctx);
    }
    gm__free(&ctx->allocator, sums, (size_t)size * sizeof *sums);
    return code;
}

/* ---- Conditions ---- */

/* A matrix estimate given some columns: with A and B the columns free and given, rows become
 * x_A + M (value_B - x_B), M = H_AB H_BB^-1, and the covariance H_AA - M H_BA. */
typedef struct given {
    const gm__kde *k;
    const uint8_t *mark;
    int64_t count, free; /* columns */
    gm__kde_query query;
    void *room;
    size_t room_size;
    double *weight;   /* (count rows) */
    double *at_place; /* (blocks, stride) logarithms of kernels */
    double *rows;     /* of the estimate being made */
    double *block;    /* H_BB's Cholesky factor (count, count) */
    double *cross;    /* M (free, count) */
    double *left;     /* covariance of the free columns, (free, free) */
    double *y;        /* (2 d) */
    int64_t size;     /* of what weight begins */
} given;

static void given_clear(gm_context *ctx, given *g)
{
    gm__free(&ctx->allocator, g->weight, (size_t)g->size * sizeof *g->weight);
    gm__free(&ctx->allocator, g->room, g->room_size);
}

static double covariance(const gm__kde *k, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t r = 0; r <= (i < j ? i : j); r++)
        sum += k->root[i * k->d + r] * k->root[j * k->d + r];
    return sum;
}

static void split_matrix(given *g)
{
    const gm__kde *k = g->k;
    int64_t d = k->d, b = 0, a = 0, c;
    for (int64_t i = 0; i < d; i++) {
        if (!g->mark[i])
            continue;
        c = 0;
        for (int64_t j = 0; j < d; j++)
            if (g->mark[j])
                g->block[b * g->count + c++] = covariance(k, i, j);
        b++;
    }
    (void)gm__cholesky(g->block, g->count); /* a part of what had one */
    for (int64_t i = 0; i < d; i++) {
        if (g->mark[i])
            continue;
        double *row = g->cross + a * g->count;
        c = 0;
        for (int64_t j = 0; j < d; j++)
            if (g->mark[j])
                row[c++] = covariance(k, i, j);
        gm__solve_lower(g->block, g->count, row); /* L^-1 H_BA, a row of it */
        a++;
    }
    a = 0;
    for (int64_t i = 0; i < d; i++) {
        if (g->mark[i])
            continue;
        c = 0;
        for (int64_t j = 0; j < d; j++) {
            if (g->mark[j])
                continue;
            double sum = covariance(k, i, j);
            for (int64_t r = 0; r < g->count; r++)
                sum -= g->cross[a * g->count + r] * g->cross[c * g->count + r];
            g->left[a * g->free + c++] = sum;
        }
        a++;
    }
    for (a = 0; a < g->free; a++)
        gm__solve_lower_transposed(g->block, g->count, g->cross + a * g->count);
}

static gm_status given_init(gm_context *ctx, given *g, const gm__kde *k, const uint8_t *mark)
{
    *g = (given){.k = k, .mark = mark};
    for (int64_t j = 0; j < k->d; j++)
        g->count += mark[j] != 0;
    g->free = k->d - g->count;
    if (g->free == 0)
        return gm__fail(ctx, GM_E_ARG, "kde: all columns are given");
    if (k->radial)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "kde: no condition on a radial kernel; products and "
                        "Gaussian kernels take one");
    size_t size;
    GM_TRY(gm__kde_query_size(ctx, k, &size));
    g->size = k->count + k->leaves * k->stride + 2 * k->d + (k->root ? 3 * k->d * k->d : 0);
    g->weight = gm__alloc_array(&ctx->allocator, g->size, sizeof *g->weight);
    g->room = gm__alloc(&ctx->allocator, size);
    g->room_size = size;
    if (!g->weight || !g->room) {
        given_clear(ctx, g);
        return gm__no_memory(ctx);
    }
    g->at_place = g->weight + k->count;
    g->y = g->at_place + k->leaves * k->stride;
    g->block = g->y + 2 * k->d;
    g->cross = g->block + k->d * k->d;
    g->left = g->cross + k->d * k->d;
    gm__kde_query_init(&g->query, k, ctx->kernels, g->room);
    if (k->root)
        split_matrix(g);
    return GM_OK;
}

/* -z^2 / 2 of value - x in the given columns, under H_BB; y is left with the difference. */
static double whole_exponent(given *g, const double *value, int64_t row)
{
    const gm__kde *k = g->k;
    double f = factor_of(k, row), sum = 0;
    int64_t b = 0;
    for (int64_t j = 0; j < k->d; j++)
        if (g->mark[j])
            g->y[b++] = (value[j] - k->x[row * k->d + j]) / f;
    gm__solve_lower(g->block, g->count, g->y);
    for (b = 0; b < g->count; b++)
        sum += g->y[b] * g->y[b];
    return -0.5 * sum;
}

/* Logarithms of the given columns' kernels, block by block, to the rows' places. */
static void block_kernels(given *g, int64_t block)
{
    const gm__kde *k = g->k;
    const double *x = gm__kde_block(k, block), *w = x + k->wide * k->stride;
    double *to = g->at_place + block * k->stride;
    int64_t n = (k->fill[block] + 15) & ~(int64_t)15;
    gm__kernel_block b = {x, w, k->adaptive ? w + k->stride : NULL, k->stride, n, k->wide};
    gm__kde_query *s = &g->query;
    for (int64_t i = 0; i < n; i++) {
        s->a[i] = 0;
        s->m[i] = 1;
    }
    for (int64_t j = 0; j < k->d; j++)
        if (g->mark[j])
            s->kernels->densities->term(&b, &s->term[j], s->a, s->m);
    s->kernels->maps->map1[GM__F64][GM__LOG](to, s->m, n);
    for (int64_t i = 0; i < n; i++)
        to[i] -= s->a[i];
}

static gm_status set_given(gm_context *ctx, given *g, const double *value)
{
    const gm__kde *k = g->k;
    for (int64_t j = 0; j < k->d; j++) {
        double v = g->mark[j] ? value[j] : k->x[j];
        if (!(fabs(v) <= 0x1p1000))
            return gm__fail(ctx, GM_E_DATA, "kde: column %lld is given as %g", (long long)j, v);
        g->y[j] = gm__kde_coordinate(&k->columns[j], v);
    }
    gm__kde_query_set(&g->query, g->y);
    if (g->query.outside)
        return gm__fail(ctx, GM_E_DATA, "kde: a value given is none that its column can hold");
    for (int64_t b = 0; b < k->leaves; b++)
        block_kernels(g, b);
    return GM_OK;
}

/* Weights of the rows given value (d), NULL: as they are; the largest is 1. GM_E_DATA where none is
 * left. */
static gm_status weigh(gm_context *ctx, given *g, const double *value)
{
    const gm__kde *k = g->k;
    double most = -INFINITY, *to = g->weight;
    if (value && !k->root)
        GM_TRY(set_given(ctx, g, value));
    for (int64_t i = 0; i < k->count; i++)
        to[i] = value ? gm__kde_weight(ctx->kernels, k, i, g->mark) : k->weight[i] / k->scale;
    ctx->kernels->maps->map1[GM__F64][GM__LOG](to, to, k->count);
    for (int64_t i = 0; i < k->count; i++) {
        if (value && to[i] > -INFINITY)
            to[i] += k->root ? whole_exponent(g, value, i) : g->at_place[k->place[i]];
        most = to[i] > most ? to[i] : most;
    }
    if (!(most > -INFINITY))
        return gm__fail(ctx, GM_E_DATA, "kde: no row can have the values given");
    for (int64_t i = 0; i < k->count; i++)
        to[i] -= most;
    ctx->kernels->maps->map1[GM__F64][GM__EXP](to, to, k->count);
    return GM_OK;
}

/* x_A + M (value_B - x_B) of a row, into to (free). */
static void moved_row(given *g, const double *value, int64_t row, double *to)
{
    const gm__kde *k = g->k;
    int64_t a = 0;
    for (int64_t i = 0; i < k->d; i++) {
        if (g->mark[i])
            continue;
        int64_t b = 0;
        to[a] = k->x[row * k->d + i];
        for (int64_t j = 0; value && k->root && j < k->d; j++)
            if (g->mark[j])
                to[a] += g->cross[a * g->count + b++] * (value[j] - k->x[row * k->d + j]);
        a++;
    }
}

/* The free columns' own covariance into left. */
static void free_covariance(given *g)
{
    const gm__kde *k = g->k;
    double *to = g->left;
    for (int64_t i = 0; i < k->d; i++)
        for (int64_t j = 0; j < k->d && !g->mark[i]; j++)
            if (!g->mark[j])
                *to++ = covariance(k, i, j);
}

static gm_status make_condition(gm_context *ctx, given *g, const double *value, gm__kde **out)
{
    const gm__kde *k = g->k;
    double *x = g->rows, *w = g->weight, *f = g->rows + k->count * g->free;
    gm__kde_column *column = (gm__kde_column *)(void *)(f + k->count);
    int64_t n = 0, a = 0;
    for (int64_t i = 0; i < k->count; i++) {
        if (!(g->weight[i] > 0))
            continue;
        moved_row(g, value, i, x + n * g->free);
        f[n] = factor_of(k, i);
        w[n++] = g->weight[i];
    }
    for (int64_t j = 0; j < k->d; j++)
        if (!g->mark[j])
            column[a++] = k->columns[j];
    if (k->root && !value)
        free_covariance(g);
    for (int64_t i = 0; k->root && i < g->free; i++) /* symmetric to the last bit */
        for (int64_t j = 0; j < i; j++)
            g->left[j * g->free + i] = g->left[i * g->free + j];
    gm__kde_config c = {.n = n,
                        .d = g->free,
                        .stride = g->free,
                        .x = x,
                        .weights = w,
                        .factors = k->factor ? f : NULL,
                        .columns = column,
                        .matrix = k->root ? g->left : NULL,
                        .plain = k->plain};
    return gm__kde_create(ctx, &c, out);
}

gm_status gm__kde_condition(gm_context *ctx, const gm__kde *k, const uint8_t *mark,
                            const double *value, gm__kde **out)
{
    given g;
    *out = NULL;
    GM_TRY(given_init(ctx, &g, k, mark));
    gm_status code = weigh(ctx, &g, g.count ? value : NULL);
    int64_t size = k->count * (g.free + 1) + 8 * k->d;
    if (!code) {
        g.rows = gm__alloc_array(&ctx->allocator, size, sizeof *g.rows);
        code = g.rows ? make_condition(ctx, &g, g.count ? value : NULL, out) : gm__no_memory(ctx);
        gm__free(&ctx->allocator, g.rows, (size_t)size * sizeof *g.rows);
    }
    given_clear(ctx, &g);
    return code;
}

static void draw_given(given *g, gm__kde_stream *s, int64_t row, const double *value, double *out)
{
    const gm__kde *k = g->k;
    double *z = g->y, *moved = g->y + k->d;
    if (!k->root) {
        for (int64_t j = 0; j < k->d; j++)
            out[j] = g->mark[j] ? value[j]
                                : gm__kde_draw(s, &k->columns[j], j, k->x[row * k->d + j],
                                               factor_of(k, row), 1);
        return;
    }
    moved_row(g, value, row, moved);
    for (int64_t a = 0; a < g->free; a++) {
        s->at = (a + 1) * GM__KDE_ELEMENTS;
        z[a] = gm__kde_normal(s) * factor_of(k, row);
    }
    for (int64_t j = 0, a = 0; j < k->d; j++) {
        if (g->mark[j]) {
            out[j] = value[j];
            continue;
        }
        out[j] = moved[a];
        for (int64_t r = 0; r <= a; r++)
            out[j] += g->left[a * g->free + r] * z[r];
        a++;
    }
}

gm_status gm__kde_sample_given(gm_context *ctx, const gm__kde *k, const uint8_t *mark,
                               const double *values, uint64_t seed, uint64_t step, int64_t row0,
                               int64_t m, double *out)
{
    given g;
    GM_TRY(gm__kde_check_rows(ctx, row0, m, k->d));
    GM_TRY(given_init(ctx, &g, k, mark));
    if (k->root && gm__cholesky(g.left, g.free)) {
        given_clear(ctx, &g);
        return gm__fail(ctx, GM_E_RANGE,
                        "kde: the matrix given these columns is not positive "
                        "definite");
    }
    gm_status code = GM_OK;
    for (int64_t i = 0; i < m && !code; i++) {
        const double *value = values + i * k->d;
        gm__kde_stream s = gm__kde_stream_of(ctx->kernels, seed, step, row0 + i, k->d);
        code = weigh(ctx, &g, g.count ? value : NULL);
        for (int64_t r = 1; r < k->count && !code; r++)
            g.weight[r] += g.weight[r - 1];
        if (!code)
            draw_given(&g, &s, choose(g.weight, k->count, gm__kde_uniform(&s)), value,
                       out + i * k->d);
        if (!code)
            code = gm__check_cancel(ctx);
    }
    given_clear(ctx, &g);
    return code;
}

/* ---- One column given others ---- */

struct gm__kde_given {
    given g;
    uint8_t *mark;
};

void gm__kde_given_close(gm_context *ctx, gm__kde_given *o)
{
    if (!o)
        return;
    if (o->g.k) {
        gm__free(&ctx->allocator, o->mark, (size_t)o->g.k->d);
        given_clear(ctx, &o->g);
    }
    gm__free(&ctx->allocator, o, sizeof *o);
}

gm_status gm__kde_given_open(gm_context *ctx, const gm__kde *k, const uint8_t *mark,
                             gm__kde_given **out)
{
    gm__kde_given *o = gm__alloc(&ctx->allocator, sizeof *o);
    uint8_t *own = gm__alloc_array(&ctx->allocator, k->d, 1);
    gm_status code = o && own ? GM_OK : gm__no_memory(ctx);
    if (!code) {
        memcpy(own, mark, (size_t)k->d);
        code = given_init(ctx, &o->g, k, own);
    }
    if (code) {
        gm__free(&ctx->allocator, own, (size_t)k->d);
        gm__free(&ctx->allocator, o, sizeof *o);
        return code;
    }
    o->mark = own;
    *out = o;
    return GM_OK;
}

gm_status gm__kde_given_mixture(gm_context *ctx, gm__kde_given *o, const double *value,
                                int64_t column, gm__kde_part *part, int64_t *count)
{
    given *g = &o->g;
    const gm__kde *k = g->k;
    int64_t at = 0;
    double total = 0, deviation = 1;
    gm_status code = weigh(ctx, g, g->count ? value : NULL);
    if (code == GM_E_DATA && value) /* nothing is known of such values: all rows count */
        code = weigh(ctx, g, value = NULL);
    if (code)
        return code;
    for (int64_t j = 0; j < column; j++)
        at += !g->mark[j];
    if (k->root)
        deviation = sqrt(value ? g->left[at * g->free + at] : covariance(k, column, column));
    *count = 0;
    for (int64_t i = 0; i < k->count; i++) {
        if (!(g->weight[i] > 1e-30))
            continue;
        if (k->root)
            moved_row(g, g->count ? value : NULL, i, g->y);
        part[*count] = (gm__kde_part){k->root ? g->y[at] : k->x[i * k->d + column], g->weight[i],
                                      factor_of(k, i) * deviation};
        total += g->weight[i];
        ++*count;
    }
    for (int64_t i = 0; i < *count; i++)
        part[i].weight /= total;
    return GM_OK;
}
