/* Densities and draws of some columns given others. */
#include "density/kde_draw.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

/* A matrix estimate given some columns: with A and B the columns free and given, rows become
 * x_A + M (value_B - x_B), M = H_AB H_BB^-1, and the covariance H_AA - M H_BA. */
typedef struct given {
    const gm__kde *k;
    const uint8_t *mark;
    int64_t count, free; /* columns */
    gm__kde_query query;
    void *room;
    size_t room_size;
    double *weight;    /* (count rows), or NULL: made when first needed */
    double *own;       /* (count) logarithms of the rows' own weights; behind weight */
    int owned;         /* they are known */
    double *at_place;  /* (blocks, stride) logarithms of kernels; behind weight */
    double *rows;      /* of the estimate being made */
    double *block;     /* H_BB's Cholesky factor (count, count) */
    double *cross;     /* M (free, count) */
    double *left;      /* covariance of the free columns, (free, free) */
    double *y;         /* (2 d), which the three before lie behind */
    int64_t size, all; /* of what y and weight begin */
} given;

static void given_clear(gm_context *ctx, given *g)
{
    gm__free(&ctx->allocator, g->weight, (size_t)g->all * sizeof *g->weight);
    gm__free(&ctx->allocator, g->y, (size_t)g->size * sizeof *g->y);
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
    g->size = 2 * k->d + (k->root ? 3 * k->d * k->d : 0);
    g->all = 2 * k->count + k->leaves * k->stride;
    g->y = gm__alloc_array(&ctx->allocator, g->size, sizeof *g->y);
    g->room = gm__alloc(&ctx->allocator, size);
    g->room_size = size;
    if (!g->y || !g->room) {
        given_clear(ctx, g);
        return gm__no_memory(ctx);
    }
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
    double f = gm__kde_factor(k, row), sum = 0;
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
    if (k->gauss) { /* m is 1 */
        for (int64_t i = 0; i < n; i++)
            to[i] = -s->a[i];
        return;
    }
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
    return GM_OK;
}

/* Weights of the rows given value (d), NULL: as they are; the largest is 1. GM_E_DATA where none is
 * left. */
static gm_status weigh(gm_context *ctx, given *g, const double *value)
{
    const gm__kde *k = g->k;
    double most = -INFINITY, *to;
    if (!g->weight) {
        g->weight = gm__alloc_array(&ctx->allocator, g->all, sizeof *g->weight);
        if (!g->weight)
            return gm__no_memory(ctx);
        g->own = g->weight + k->count;
        g->at_place = g->own + k->count;
    }
    to = g->weight;
    if (value && !k->root) {
        GM_TRY(set_given(ctx, g, value));
        for (int64_t b = 0; b < k->leaves; b++)
            block_kernels(g, b);
    }
    for (int64_t i = 0; i < k->count && value && !g->owned; i++)
        g->own[i] = gm__kde_weight(ctx->kernels, k, i, g->mark);
    if (value && !g->owned)
        ctx->kernels->maps->map1[GM__F64][GM__LOG](g->own, g->own, k->count);
    g->owned |= value != NULL;
    for (int64_t i = 0; i < k->count; i++)
        to[i] = value ? g->own[i] : k->weight[i] / k->scale;
    if (!value)
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
        f[n] = gm__kde_factor(k, i);
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
                                               gm__kde_factor(k, row), 1);
        return;
    }
    moved_row(g, value, row, moved);
    for (int64_t a = 0; a < g->free; a++) {
        s->at = (a + 1) * GM__KDE_ELEMENTS;
        z[a] = gm__kde_normal(s) * gm__kde_factor(k, row);
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

/* Draws of rows one after another: what those with the same values share. */
typedef struct drawing {
    given g;
    gm__kde_pick *pick;  /* or NULL: by all rows' weights */
    const double *value; /* (d) that the pick or the weights are of; NULL: nothing yet */
    int picks, weighed;
} drawing;

/* Running sums of all rows' weights; as they are where no row can have such values. */
static gm_status weigh_all(gm_context *ctx, drawing *w, const double *value)
{
    given *g = &w->g;
    if (w->weighed)
        return GM_OK;
    gm_status code = weigh(ctx, g, g->count ? value : NULL);
    if (code == GM_E_DATA)
        code = weigh(ctx, g, NULL);
    if (code)
        return code;
    for (int64_t r = 1; r < g->k->count; r++)
        g->weight[r] += g->weight[r - 1];
    w->weighed = 1;
    return GM_OK;
}

static int same_given(const given *g, const double *a, const double *b)
{
    for (int64_t j = 0; j < g->k->d; j++)
        if (g->mark[j] && a[j] != b[j])
            return 0;
    return 1;
}

static gm_status pick_row(gm_context *ctx, drawing *w, const double *value, gm__kde_stream *s,
                          int64_t *row)
{
    given *g = &w->g;
    int64_t found = -1;
    if (!w->value || !same_given(g, w->value, value)) {
        w->weighed = w->picks = 0;
        w->value = value;
        w->picks = w->pick && !set_given(ctx, g, value) && gm__kde_pick_set(w->pick);
    }
    if (w->picks)
        found = gm__kde_pick_row(w->pick, s);
    if (found < 0) {
        GM_TRY(weigh_all(ctx, w, value));
        found = gm__kde_choose_row(g->weight, g->k->count, gm__kde_uniform(s));
    }
    *row = found;
    return GM_OK;
}

static gm_status draw_all(gm_context *ctx, drawing *w, const double *values, uint64_t seed,
                          uint64_t step, const int64_t *rows, int64_t m, double *out)
{
    const gm__kde *k = w->g.k;
    if (k->root && gm__cholesky(w->g.left, w->g.free))
        return gm__fail(ctx, GM_E_RANGE,
                        "kde: the matrix given these columns is not positive definite");
    if (!k->root && w->g.count)
        GM_TRY(gm__kde_pick_open(ctx, k, w->g.mark, &w->g.query, &w->pick));
    for (int64_t i = 0; i < m; i++) {
        const double *value = values + i * k->d;
        gm__kde_stream s = gm__kde_stream_of(ctx->kernels, seed, step, rows[i], k->d);
        int64_t row;
        GM_TRY(gm__kde_check_rows(ctx, rows[i], 1, k->d));
        GM_TRY(pick_row(ctx, w, value, &s, &row));
        draw_given(&w->g, &s, row, value, out + i * k->d);
        if (i % 16 == 0)
            GM_TRY(gm__check_cancel(ctx));
    }
    return GM_OK;
}

gm_status gm__kde_sample_given(gm_context *ctx, const gm__kde *k, const uint8_t *mark,
                               const double *values, uint64_t seed, uint64_t step,
                               const int64_t *rows, int64_t m, double *out)
{
    drawing w = {.pick = NULL};
    GM_TRY(given_init(ctx, &w.g, k, mark));
    gm_status code = draw_all(ctx, &w, values, seed, step, rows, m, out);
    gm__kde_pick_close(w.pick);
    given_clear(ctx, &w.g);
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
                                      gm__kde_factor(k, i) * deviation};
        total += g->weight[i];
        ++*count;
    }
    for (int64_t i = 0; i < *count; i++)
        part[i].weight /= total;
    return GM_OK;
}
