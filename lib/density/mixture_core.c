/* A mixture, prepared: its terms at rows, gradients, and draws. */
#include "density/mixture.h"
#include "base/random.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define HALF_LOG_TWO_PI 0.91893853320467274178

/* ---- Life ------------------------------------------------------------------------------------ */

int64_t gm__mixture_factor_count(const gm__mixture_shape *s, int64_t components)
{
    switch (s->covariance) {
    case GM__FULL:
        return components * s->reals * s->reals;
    case GM__TIED:
        return s->reals * s->reals;
    case GM__DIAGONAL:
        return components * s->reals;
    default:
        return components;
    }
}

static gm_status fill(gm_context *ctx, gm__mixture *m)
{
    const gm__mixture_shape *s = &m->shape;
    int64_t k = m->components, most;
    if (gm__mul64(k, s->reals, &most) || gm__mul64(most, s->reals + 1, &most) ||
        gm__mul64(k, s->total, &most))
        return gm__no_memory(ctx);
    int64_t *categories = gm__arena_array(&m->arena, s->tables + 1, sizeof *categories);
    m->weight = gm__arena_array(&m->arena, k, sizeof(double));
    m->constant = gm__arena_array(&m->arena, k, sizeof(double));
    m->mean = gm__arena_array(&m->arena, k * s->reals + 1, sizeof(double));
    m->minus_shift = gm__arena_array(&m->arena, k * s->reals + 1, sizeof(double));
    m->factor = gm__arena_array(&m->arena, gm__mixture_factor_count(s, k) + 1, sizeof(double));
    m->inverse = gm__arena_array(
        &m->arena, (s->covariance <= GM__TIED ? gm__mixture_factor_count(s, k) : k * s->reals) + 1,
        sizeof(double));
    m->table = gm__arena_array(&m->arena, k * s->total + 1, sizeof(double));
    m->log_table = gm__arena_array(&m->arena, k * s->total + 1, sizeof(double));
    if (!categories || !m->weight || !m->constant || !m->mean || !m->minus_shift || !m->factor ||
        !m->inverse || !m->table || !m->log_table)
        return gm__no_memory(ctx);
    if (s->tables)
        memcpy(categories, s->categories, (size_t)s->tables * sizeof *categories);
    m->shape.categories = categories;
    return GM_OK;
}

gm_status gm__mixture_create(gm_context *ctx, const gm__mixture_shape *shape, int64_t components,
                             gm__mixture **out)
{
    gm__arena arena = {.allocator = ctx->allocator};
    gm__mixture *m = gm__arena_alloc(&arena, sizeof *m);
    if (!m)
        return gm__no_memory(ctx);
    *m = (gm__mixture){
        .arena = arena, .kernels = ctx->kernels, .shape = *shape, .components = components};
    gm_status code = fill(ctx, m);
    if (code) {
        gm__mixture_free(m);
        return code;
    }
    *out = m;
    return GM_OK;
}

void gm__mixture_free(gm__mixture *m)
{
    if (!m)
        return;
    gm__arena arena = m->arena; /* which holds m too */
    gm__arena_clear(&arena);
}

void gm__mixture_copy(gm__mixture *to, const gm__mixture *from)
{
    const gm__mixture_shape *s = &to->shape;
    size_t k = (size_t)to->components;
    memcpy(to->weight, from->weight, k * sizeof(double));
    memcpy(to->mean, from->mean, k * (size_t)s->reals * sizeof(double));
    memcpy(to->factor, from->factor,
           (size_t)gm__mixture_factor_count(s, to->components) * sizeof(double));
    memcpy(to->table, from->table, k * (size_t)s->total * sizeof(double));
}

/* ---- Preparing ------------------------------------------------------------------------------- */

static double logarithm(const gm__mixture *m, double x)
{
    double y;
    m->kernels->maps->map1[GM__F64][GM__LOG](&y, &x, 1);
    return y;
}

/* W = L^-1 (r, r), column by column; `column` is scratch (r). The log of |L|. */
static double invert(const gm__mixture *m, const double *l, double *w, double *column)
{
    int64_t r = m->shape.reals;
    double log_det = 0;
    for (int64_t j = 0; j < r; j++) {
        memset(column, 0, (size_t)r * sizeof *column);
        column[j] = 1;
        gm__solve_lower(l, r, column);
        for (int64_t i = 0; i < r; i++)
            w[i * r + j] = column[i];
        log_det += logarithm(m, l[j * r + j]);
    }
    return log_det;
}

/* Component k of a mixture with deviations. The log of |L|. */
static double invert_deviations(const gm__mixture *m, int64_t k)
{
    int64_t r = m->shape.reals;
    double log_det = 0;
    for (int64_t j = 0; j < r; j++) {
        double deviation =
            m->shape.covariance == GM__DIAGONAL ? m->factor[k * r + j] : m->factor[k];
        m->inverse[k * r + j] = 1 / deviation;
        log_det += logarithm(m, deviation);
    }
    return log_det;
}

int gm__mixture_prepare(gm__mixture *m)
{
    int64_t r = m->shape.reals, tied = m->shape.covariance == GM__TIED;
    int64_t whole = tied || m->shape.covariance == GM__FULL;
    double log_det = 0, unsound = 0;
    for (int64_t k = 0; k < m->components; k++) {
        double *minus = m->minus_shift + k * r, *w = m->inverse + (tied ? 0 : k * r * r);
        const double *mean = m->mean + k * r, *l = m->factor + (tied ? 0 : k * r * r);
        if (whole && (k == 0 || !tied))
            log_det = invert(m, l, w, minus); /* minus is free till the next line */
        else if (!whole)
            log_det = invert_deviations(m, k);
        if (whole)
            gm__multiply_lower(w, r, mean, minus);
        for (int64_t j = 0; j < r; j++) {
            minus[j] = -(whole ? minus[j] : mean[j] * m->inverse[k * r + j]);
            unsound += minus[j] - minus[j];
            unsound += whole ? w[j * r + j] - w[j * r + j] : 0;
        }
        m->constant[k] = logarithm(m, m->weight[k]) - log_det - HALF_LOG_TWO_PI * (double)r;
        unsound += log_det - log_det;
    }
    m->kernels->maps->map1[GM__F64][GM__LOG](m->log_table, m->table,
                                             m->components * m->shape.total);
    return unsound != 0;
}

/* ---- Terms ----------------------------------------------------------------------------------- */

int64_t gm__mixture_block(const gm__mixture *m)
{
    int64_t block = 32768 / (m->components * (m->shape.reals + 1));
    return block < 8 ? 8 : block > 256 ? 256 : block;
}

/* U = x A (n, columns), of full covariances less shift: A is stored (columns, r). */
static gm__product whitening(const gm__mixture *m, const double *x, int64_t stride, int64_t n,
                             int64_t columns, double *u)
{
    return (gm__product){.real = GM__F64,
                         .m = n,
                         .n = columns,
                         .k = m->shape.reals,
                         .a = x,
                         .b = m->inverse,
                         .c = u,
                         .lda = stride,
                         .ldb = m->shape.reals,
                         .ldc = columns,
                         .tb = 1,
                         .bias = m->shape.covariance == GM__FULL ? m->minus_shift : NULL,
                         .act = GM__ACT_NONE};
}

/* gradient = -(share z) W: b is stored (k, r). */
static gm__product pull(const gm__mixture *m, const double *z, int64_t n, int64_t k, double *out)
{
    int64_t r = m->shape.reals;
    return (gm__product){.real = GM__F64,
                         .m = n,
                         .n = r,
                         .k = k,
                         .a = z,
                         .b = m->inverse,
                         .c = out,
                         .lda = k,
                         .ldb = r,
                         .ldc = r,
                         .act = GM__ACT_NONE};
}

static size_t product_doubles(const gm__mixture *m, const gm__product *p)
{
    return m->kernels->products->scratch(p) / sizeof(double) + 16;
}

size_t gm__mixture_scratch(const gm__mixture *m)
{
    int64_t n = gm__mixture_block(m), r = m->shape.reals, k = m->components;
    size_t z = (size_t)(n * k * r), most = 0;
    if (m->shape.covariance <= GM__TIED && r > 0) {
        gm__product to =
                        whitening(m, NULL, r, n, m->shape.covariance == GM__TIED ? r : k * r, NULL),
                    back = pull(m, NULL, n, m->shape.covariance == GM__TIED ? r : k * r, NULL);
        size_t a = product_doubles(m, &to), b = product_doubles(m, &back);
        most = a > b ? a : b;
    }
    return z + (size_t)(2 * n * r) + most + 64;
}

/* The first address from `at` on that is a multiple of 64. */
static void *aligned(double *at)
{
    return (void *)(((uintptr_t)at + 63) / 64 * 64);
}

static void run(const gm__mixture *m, const gm__product *p, double *scratch)
{
    m->kernels->products->run(p, 0, 1, aligned(scratch));
}

/* z (n, K, r) = W x - shift. */
static void whiten(const gm__mixture *m, const double *x, int64_t stride, int64_t n, double *z)
{
    int64_t r = m->shape.reals, k = m->components;
    double *own = z + gm__mixture_block(m) * k * r, *rest = own + n * r;
    if (m->shape.covariance == GM__FULL) {
        gm__product p = whitening(m, x, stride, n, k * r, z);
        run(m, &p, own);
    } else if (m->shape.covariance == GM__TIED) {
        gm__product p = whitening(m, x, stride, n, r, own);
        run(m, &p, rest);
    }
    for (int64_t i = 0; i < n && m->shape.covariance != GM__FULL; i++)
        for (int64_t c = 0; c < k; c++) {
            const double *inverse = m->inverse + c * r, *minus = m->minus_shift + c * r;
            double *to = z + (i * k + c) * r;
            if (m->shape.covariance == GM__TIED)
                for (int64_t j = 0; j < r; j++)
                    to[j] = own[i * r + j] + minus[j];
            else
                for (int64_t j = 0; j < r; j++)
                    to[j] = x[i * stride + j] * inverse[j] + minus[j];
        }
}

/* In four chains, whatever the processor. */
static double sum_squares(const double *z, int64_t n)
{
    double sum[4] = {0, 0, 0, 0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int64_t j = 0; j < 4; j++)
            sum[j] += z[i + j] * z[i + j];
    for (int64_t j = 0; i < n; i++, j++)
        sum[j] += z[i] * z[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void gm__mixture_terms(const gm__mixture *m, const double *x, int64_t stride, int64_t n,
                       double *terms, double *scratch)
{
    int64_t r = m->shape.reals, k = m->components;
    if (r)
        whiten(m, x, stride, n, scratch);
    for (int64_t i = 0; i < n; i++) {
        const double *category = x + i * stride + r;
        for (int64_t c = 0; c < k; c++) {
            double sum = m->constant[c] - 0.5 * sum_squares(scratch + (i * k + c) * r, r);
            const double *table = m->log_table + c * m->shape.total;
            for (int64_t j = 0; j < m->shape.tables; table += m->shape.categories[j], j++)
                sum += table[(int64_t)category[j]];
            terms[i * k + c] = sum;
        }
    }
}

void gm__mixture_gradient(const gm__mixture *m, const double *share, int64_t n, double *gradient,
                          int64_t stride, double *z)
{
    int64_t r = m->shape.reals, k = m->components;
    double *own = z + gm__mixture_block(m) * k * r, *rest = own + n * r;
    for (int64_t i = 0; i < n; i++) {
        double *sum = own + i * r;
        memset(sum, 0, (size_t)r * sizeof *sum);
        for (int64_t c = 0; c < k; c++) {
            double w = share[i * k + c], *row = z + (i * k + c) * r;
            const double *inverse = m->inverse + c * r;
            for (int64_t j = 0; j < r; j++)
                if (m->shape.covariance == GM__FULL)
                    row[j] *= w;
                else
                    sum[j] += w * row[j] * (m->shape.covariance == GM__TIED ? 1 : inverse[j]);
        }
    }
    const double *pulled = own;
    if (m->shape.covariance == GM__FULL) {
        gm__product p = pull(m, z, n, k * r, own);
        run(m, &p, rest);
    } else if (m->shape.covariance == GM__TIED) {
        gm__product p = pull(m, own, n, r, rest);
        run(m, &p, rest + n * r);
        pulled = rest;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < r; j++)
            gradient[i * stride + j] = -pulled[i * r + j];
}

/* ---- Draws ----------------------------------------------------------------------------------- */

/* The first place where the running sum of p passes u of the whole; the last that has any, should
 * rounding leave none. */
static int64_t pick(const double *p, int64_t n, double u)
{
    double whole = 0, sum = 0;
    int64_t last = 0;
    for (int64_t i = 0; i < n; i++)
        whole += p[i];
    for (int64_t i = 0; i < n; i++) {
        sum += p[i];
        if (p[i] > 0)
            last = i;
        if (sum > u * whole)
            return i;
    }
    return last;
}

/* A category by probabilities to the power of 1 / temperature; `warm` is scratch. */
static int64_t pick_warm(const gm__mixture *m, const double *log_p, const double *p, int64_t n,
                         double u, double temperature, double *warm)
{
    double most = -INFINITY;
    if (temperature == 1)
        return pick(p, n, u);
    for (int64_t i = 0; i < n; i++)
        most = log_p[i] > most ? log_p[i] : most;
    for (int64_t i = 0; i < n; i++)
        warm[i] = log_p[i] == most ? 0 : (log_p[i] - most) / (temperature > 0 ? temperature : 1e-9);
    m->kernels->maps->map1[GM__F64][GM__EXP](warm, warm, n);
    return pick(warm, n, u);
}

/* One row from component k, of normal numbers e (r) and uniform ones u (tables). */
static void draw_row(const gm__mixture *m, int64_t k, const double *e, const double *u,
                     double temperature, double *row, double *warm)
{
    int64_t r = m->shape.reals;
    if (m->shape.covariance <= GM__TIED)
        gm__multiply_lower(m->factor + (m->shape.covariance == GM__TIED ? 0 : k * r * r), r, e,
                           row);
    for (int64_t j = 0; j < r; j++) {
        if (m->shape.covariance > GM__TIED)
            row[j] =
                e[j] * (m->shape.covariance == GM__DIAGONAL ? m->factor[k * r + j] : m->factor[k]);
        row[j] = m->mean[k * r + j] + temperature * row[j];
    }
    int64_t at = k * m->shape.total;
    for (int64_t j = 0; j < m->shape.tables; at += m->shape.categories[j], j++)
        row[r + j] = (double)pick_warm(m, m->log_table + at, m->table + at, m->shape.categories[j],
                                       u[j], temperature, warm);
}

gm_status gm__mixture_draw(gm_context *ctx, const gm__mixture *m, uint64_t seed, uint64_t step,
                           int64_t row0, int64_t n, double temperature, double *out, int64_t stride)
{
    int64_t r = m->shape.reals, c = m->shape.tables;
    int64_t count = r + 1 + c + m->shape.total;
    double *e = gm__alloc_array(&ctx->allocator, count, sizeof *e);
    if (!e)
        return gm__no_memory(ctx);
    double *u = e + r, *warm = u + 1 + c;
    gm_status code = GM_OK;
    for (int64_t i = 0; i < n; i++) {
        gm__draw d = {GM__F64, seed, GM__FOR_SAMPLE, 2 * step, row0 + i};
        if (i % 256 == 0 && (code = gm__check_cancel(ctx)))
            break;
        m->kernels->draws->uniform(&d, u, 1, 1 + c);
        d.step++;
        if (r)
            m->kernels->draws->normal(&d, e, 1, r);
        draw_row(m, pick(m->weight, m->components, u[0]), e, u + 1, temperature, out + i * stride,
                 warm);
    }
    gm__free(&ctx->allocator, e, (size_t)count * sizeof *e);
    return code;
}
