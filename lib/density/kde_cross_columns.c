/* Cross-validation of columns of every kind by likelihood (Habbema, Hermans and van den Broek 1974;
 * Hall, Racine and Li 2004, "Cross-validation and the estimation of conditional probability
 * densities", for categories). Every column's kernel between all pairs of rows is a table of
 * logarithms; one column's bandwidth after the other is searched by golden section with the sum of
 * the other tables fixed. */
#include "density/kde_choose.h"
#include "density/kde_part.h"
#include "base/random.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

enum { ROWS = 1000, SWEEPS = 3, STEPS = 12, PURPOSE_ROW = 2 };
#define FLOOR (-700.0)
#define FEW 0.9995 /* greatest lambda of few levels */

typedef struct cross {
    gm_context *ctx;
    int64_t n, d;
    double *x, *w;      /* (n, d), (n) summing to 1 */
    double *sum;        /* (n, n) logarithms of all columns but the one at work */
    double *own, *line; /* (n, n) of that column; (2 n + 64) */
    double *y, *norm;   /* (n) its values; logarithms of what makes each row's kernel sum to 1 */
} cross;

/* Logarithms of a column's kernel between all pairs, row i asking. */
static gm_status table(cross *c, int64_t j, const gm__kde_column *column)
{
    gm_context *ctx = c->ctx;
    size_t size;
    gm__kde *k;
    for (int64_t i = 0; i < c->n; i++)
        c->y[i] = c->x[i * c->d + j];
    gm__kde_config config = {
        .n = c->n, .d = 1, .stride = 1, .x = c->y, .columns = column, .plain = 1};
    GM_TRY(gm__kde_create(ctx, &config, &k));
    gm_status code = gm__kde_query_size(ctx, k, &size);
    void *room = code ? NULL : gm__alloc(&ctx->allocator, size);
    if (!code && !room)
        code = gm__no_memory(ctx);
    if (!code) {
        gm__kde_query s;
        gm__kde_query_init(&s, k, ctx->kernels, room);
        for (int64_t i = 0; i < c->n; i++)
            c->norm[i] = gm__kde_weight(ctx->kernels, k, i, NULL);
        ctx->kernels->maps->map1[GM__F64][GM__LOG](c->norm, c->norm, c->n);
        for (int64_t i = 0; i < c->n && !code; i++) {
            double at, *to = c->own + i * c->n;
            code = gm__check_cancel(ctx);
            gm__kde_place(k, c->y + i, &at);
            gm__kde_query_set(&s, &at);
            gm__kde_logarithms(&s, c->line, to);
            for (int64_t r = 0; r < c->n; r++) {
                double v = to[r] + c->norm[r] - k->log_norm;
                to[r] = v > FLOOR ? v : FLOOR;
            }
        }
    }
    if (room)
        gm__free(&ctx->allocator, room, size);
    gm__kde_free(k);
    return code;
}

/* The mean log likelihood of each row under the others, with the tables as they are. */
static double likelihood(const cross *c)
{
    double all = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const double *a = c->sum + i * c->n, *b = c->own + i * c->n;
        double top = -INFINITY, sum = 0;
        for (int64_t r = 0; r < c->n; r++) {
            c->line[r] = a[r] + b[r];
            top = r != i && c->w[r] > 0 && c->line[r] > top ? c->line[r] : top;
        }
        for (int64_t r = 0; r < c->n; r++)
            c->line[r] = c->line[r] < top ? c->line[r] - top : 0;
        c->ctx->kernels->maps->map1[GM__F64][GM__EXP](c->line, c->line, c->n);
        for (int64_t r = 0; r < c->n; r++)
            sum += r != i ? c->w[r] * c->line[r] : 0;
        if (c->w[i] > 0 && sum > 0)
            all += c->w[i] * (top + gm__kde_map(c->ctx->kernels, GM__LOG, sum));
    }
    return all;
}

static void add(cross *c, double sign)
{
    for (int64_t i = 0; i < c->n * c->n; i++)
        c->sum[i] += sign * c->own[i];
}

/* ---- One column's search --------------------------------------------------------------------- */

/* The bandwidth as a number that is searched: its logarithm, or that of its odds where it is a
 * probability of at most `most`. */
static double top_of(const gm__kde_column *c)
{
    return c->kind == GM__KDE_CATEGORY  ? c->high / (c->high + 1)
           : c->kind == GM__KDE_ORDERED ? gm__kde_widest(c, FEW)
                                        : 0;
}

static double to_search(const gm__kernels *kernels, const gm__kde_column *c)
{
    double top = top_of(c), h = c->bandwidth, levels = c->high - c->low;
    double odds = c->kind == GM__KDE_ORDERED && levels > 999 && levels - levels == 0 ? levels : 999;
    if (top > 0)
        h = h < odds / (odds + 1) * top ? h / (top - h) : odds;
    return gm__kde_map(kernels, GM__LOG, h);
}

static double from_search(const gm__kernels *kernels, const gm__kde_column *c, double t)
{
    double top = top_of(c), e = gm__kde_map(kernels, GM__EXP, t), width = c->high - c->low;
    if (top > 0)
        return top * (e / (1 + e));
    if (c->kind == GM__KDE_CIRCULAR || c->kind == GM__KDE_BETA)
        return e < 1e-6 * width ? 1e-6 * width : e < width ? e : width;
    return c->kind == GM__KDE_REFLECT && e > 30 * width ? 30 * width : e;
}

static gm_status try_at(cross *c, int64_t j, gm__kde_column *column, double t, double *value)
{
    column->bandwidth = from_search(c->ctx->kernels, column, t);
    GM_TRY(gm__check_cancel(c->ctx));
    GM_TRY(table(c, j, column));
    *value = likelihood(c);
    return GM_OK;
}

/* The best of the bracket's two inner points, narrowed step by step. */
static gm_status search(cross *c, int64_t j, gm__kde_column *column, double reach)
{
    const double golden = 0x1.3c6ef372fe94fp-1;
    double start = to_search(c->ctx->kernels, column), low = start - reach, high = start + reach;
    double a = high - golden * (high - low), b = low + golden * (high - low), at_a, at_b;
    GM_TRY(try_at(c, j, column, a, &at_a));
    GM_TRY(try_at(c, j, column, b, &at_b));
    for (int i = 0; i < STEPS; i++)
        if (at_a >= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            GM_TRY(try_at(c, j, column, a, &at_a));
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            GM_TRY(try_at(c, j, column, b, &at_b));
        }
    return try_at(c, j, column, at_a >= at_b ? a : b, &at_a);
}

static int fixed(const gm__kde_column *c)
{
    return c->kind == GM__KDE_CATEGORY && !(c->high > 0);
}

static gm_status run(cross *c, gm__kde_column *columns)
{
    for (int64_t j = 0; j < c->d; j++) {
        GM_TRY(table(c, j, &columns[j]));
        add(c, 1);
    }
    for (int sweep = 0; sweep < (c->d > 1 ? SWEEPS : 1); sweep++)
        for (int64_t j = 0; j < c->d; j++) {
            if (fixed(&columns[j]))
                continue;
            GM_TRY(table(c, j, &columns[j]));
            add(c, -1);
            GM_TRY(search(c, j, &columns[j], sweep ? 1.5 : 4));
            add(c, 1);
        }
    return GM_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void take_rows(cross *c, const gm__kde_rows_of *r, uint64_t seed)
{
    double total = 0;
    for (int64_t i = 0; i < c->n; i++) {
        int64_t row = c->n == r->n ? i : gm__permute(seed, GM__FOR_SPLIT, PURPOSE_ROW, i, r->n);
        c->w[i] = r->weights ? r->weights[row] : 1;
        total += c->w[i];
        memcpy(c->x + i * c->d, r->x + row * r->stride, (size_t)c->d * sizeof *c->x);
    }
    for (int64_t i = 0; i < c->n && total > 0; i++)
        c->w[i] /= total;
}

/* Gaussians while searching, and what fewer rows than all asked for. */
static void scale_to(const cross *c, int64_t all, const int32_t *kernel, gm__kde_column *columns)
{
    double q = 0, log_ratio = gm__kde_map(c->ctx->kernels, GM__LOG, (double)c->n / (double)all);
    for (int64_t j = 0; j < c->d; j++)
        q += columns[j].kind != GM__KDE_CATEGORY;
    double shrink = gm__kde_map(c->ctx->kernels, GM__EXP, log_ratio / (q + 4));
    for (int64_t j = 0; j < c->d; j++) {
        gm__kde_column *own = &columns[j];
        if (own->kind == GM__KDE_ORDERED && c->n < all)
            own->bandwidth = gm__kde_scaled_lambda(own, shrink, FEW);
        else
            own->bandwidth *= own->kind == GM__KDE_CATEGORY ? shrink * shrink : shrink;
        own->kernel = kernel[j];
        if (columns[j].kind <= GM__KDE_REFLECT && columns[j].kind != GM__KDE_CIRCULAR)
            columns[j].bandwidth *= gm__kde_canonical(kernel[j]);
    }
}

gm_status gm__kde_cross_columns(gm_context *ctx, const gm__kde_rows_of *r, int64_t most,
                                uint64_t seed, gm__kde_column *columns)
{
    int64_t n = most > 0 && most < ROWS ? most : ROWS, d = r->d, size;
    n = r->n < n ? r->n : n;
    if (n < 3)
        return gm__fail(ctx, GM_E_SHAPE, "kde: cross-validation needs 3 rows");
    cross c = {.ctx = ctx, .n = n, .d = d};
    if (gm__mul64(n, d, &size) || gm__add64(size, 2 * n * n + 5 * n + 64 + d, &size))
        return gm__no_memory(ctx);
    double *room = gm__alloc_array(&ctx->allocator, size, sizeof *room);
    if (!room)
        return gm__no_memory(ctx);
    c.x = room;
    c.w = room + n * d;
    c.line = c.w + n;
    c.y = c.line + 2 * n + 64;
    c.norm = c.y + n;
    c.sum = c.norm + n;
    c.own = c.sum + n * n;
    int32_t *kernel = (int32_t *)(void *)(c.own + n * n);
    for (int64_t j = 0; j < d; j++) {
        kernel[j] = columns[j].kernel;
        columns[j].kernel = GM__KERNEL_GAUSSIAN;
        if (columns[j].kind <= GM__KDE_REFLECT && columns[j].kind != GM__KDE_CIRCULAR)
            columns[j].bandwidth /= gm__kde_canonical(kernel[j]);
    }
    take_rows(&c, r, seed);
    gm_status code = run(&c, columns);
    scale_to(&c, r->n, kernel, columns);
    gm__free(&ctx->allocator, room, (size_t)size * sizeof *room);
    return code;
}
