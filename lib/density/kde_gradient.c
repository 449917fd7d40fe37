/* Slopes of the log density. Of every column's kernel dlog k / dq = -g (q - x) with g >= 0, so that
 * sums over the rows of their share of the density times g (x - q), and times g, give the gradient
 * and the step of a mean shift. */
#include "density/kde_slope.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define PI 0x1.921fb54442d18p1

gm_status gm__kde_slope_init(gm_context *ctx, gm__kde_slope *s, const gm__kde *k)
{
    size_t size, own;
    GM_TRY(gm__kde_query_size(ctx, k, &size));
    if (gm__mul_size((size_t)(3 * k->d + 2 * k->stride), sizeof(double), &own) ||
        own > PTRDIFF_MAX - size - 64)
        return gm__no_memory(ctx);
    own = (own + 63) & ~(size_t)63;
    s->size = size + own;
    s->room = gm__alloc(&ctx->allocator, s->size);
    if (!s->room)
        return gm__no_memory(ctx);
    s->y = (double *)(void *)s->room;
    s->along = s->y + k->d;
    s->weight = s->along + k->d;
    s->steep = s->weight + k->d;
    gm__kde_query_init(&s->query, k, ctx->kernels, s->room + own);
    return GM_OK;
}

void gm__kde_slope_clear(gm_context *ctx, gm__kde_slope *s)
{
    gm__free(&ctx->allocator, s->room, s->size);
}

/* What a step is divided by where g will not do: a tricube's vanishes at its middle, and a step
 * would go too far; its second derivative is above -5.1. */
static double most_bent(int32_t kernel, double u, double g)
{
    double t = (1 - u) * (1 + u * (1 + u));
    return kernel != GM__KERNEL_TRICUBE || !(t > 0) ? g : 5.1 / (t * t * t);
}

/* -(dlog k / du) / u at u >= 0. */
static double steepness(const gm__kernels *kernels, int32_t kernel, double u)
{
    double t = 1 - u, p = t * (1 + u), half = u * (PI / 2);
    if (kernel == GM__KERNEL_GAUSSIAN)
        return 1;
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return u > 0 ? 1 / u : 0;
    if (!(t > 0))
        return 0;
    switch (kernel) {
    case GM__KERNEL_TOPHAT:
        return 0;
    case GM__KERNEL_LINEAR:
        return u > 0 ? 1 / (u * t) : 0;
    case GM__KERNEL_COSINE:
        return u > 0x1p-26 ? PI / 2 * gm__kde_map(kernels, GM__SIN, half) /
                                 (u * gm__kde_map(kernels, GM__COS, half))
                           : PI * PI / 4;
    case GM__KERNEL_BIWEIGHT:
        return 4 / p;
    case GM__KERNEL_TRIWEIGHT:
        return 6 / p;
    case GM__KERNEL_TRICUBE:
        return 9 * u / (t * (1 + u * (1 + u)));
    default:
        return 2 / p;
    }
}

/* ---- One column, one row: out += g (x - q) and g, times v ---- */

static void real_slope(const gm__kernels *kernels, int32_t kernel, double far, double h, double v,
                       double out[2])
{
    double u = fabs(far) / h, g = steepness(kernels, kernel, u);
    out[0] += v / (h * h) * g * far;
    out[1] += v / (h * h) * most_bent(kernel, u, g);
}

/* The images' slopes, weighed by their kernels. */
static void reflected_slope(const gm__kde_query *s, const gm__kernel_term *t, double x, double h,
                            double v, double out[2])
{
    double sum = 0, of[2] = {0, 0}, own = fabs(t->q - x) / h;
    for (int i = 0; i < t->images; i++) {
        double far = (t->image[i].sign * x + t->image[i].shift) - t->q, u = fabs(far) / h, k;
        if (t->kernel == GM__KERNEL_GAUSSIAN)
            k = gm__kde_map(s->kernels, GM__EXP, 0.5 * (own - u) * (own + u));
        else if (t->kernel == GM__KERNEL_EXPONENTIAL)
            k = gm__kde_map(s->kernels, GM__EXP, own - u);
        else
            k = gm__kde_profile(s->kernels, t->kernel, u);
        sum += k;
        real_slope(s->kernels, t->kernel, far, h, k, of);
    }
    if (sum > 0) {
        out[0] += v * of[0] / sum;
        out[1] += v * of[1] / sum;
    }
}

/* In angles; x and x2 are the cosine and sine of half the row's angle, t->q and t->q2 the sine and
 * cosine of the place's. kappa = p / 2. */
static void circular_slope(const gm__kernel_term *t, double x, double x2, double v, double out[2])
{
    double sine = t->q * x - t->q2 * x2, cosine = t->q2 * x + t->q * x2;
    out[0] -= v * t->p * sine * cosine;
    out[1] += v * t->p * 0.5;
}

/* x / b and (1 - x) / b of the row; y the place as a share of the width: dlog k / dy =
 * (x - y) / (b y (1 - y)), finite at a wall only where the row is there. */
static void beta_slope(double x, double x2, double y, double v, double out[2])
{
    double both = y * (1 - y);
    if (!(both > 0))
        return;
    out[0] += v * (x * (1 - y) - x2 * y) / both;
    out[1] += v * (x + x2) / both;
}

static void row_slope(const gm__kde_slope *s, const gm__kernel_block *b, int64_t j, int64_t i,
                      double v, double out[2])
{
    const gm__kde_query *q = &s->query;
    const gm__kernel_term *t = &q->term[j];
    const double *x = b->x + t->column * b->stride + i;
    double h = t->p * (b->factor ? b->factor[i] : 1);
    switch (t->op) {
    case GM__TERM_RADIUS:
        out[0] += v / (h * h) * s->steep[2 * i] * (*x - t->q);
        out[1] += v / (h * h) * s->steep[2 * i + 1];
        break;
    case GM__TERM_REFLECTED:
        reflected_slope(q, t, *x, h, v, out);
        break;
    case GM__TERM_CIRCULAR:
        circular_slope(t, *x, x[b->stride], v, out);
        break;
    case GM__TERM_BETA:
        beta_slope(*x, x[b->stride], q->q[j], v, out);
        break;
    case GM__TERM_EQUAL:
    case GM__TERM_STEPS:
        break;
    default:
        real_slope(q->kernels, t->kernel, *x - t->q, h, v, out);
    }
}

/* ---- Blocks ---- */

/* Exponents and factors of the kernels over a block into the query's a and m. */
static gm__kernel_block values(gm__kde_slope *s, int64_t block)
{
    gm__kde_query *q = &s->query;
    const gm__kde *k = q->k;
    const double *x = gm__kde_block(k, block), *w = x + k->wide * k->stride;
    int64_t n = (k->fill[block] + 15) & ~(int64_t)15;
    gm__kernel_block b = {x, w, k->adaptive ? w + k->stride : NULL, k->stride, n, k->wide};
    for (int64_t i = 0; i < n; i++) {
        q->a[i] = 0;
        q->m[i] = 1;
    }
    for (int64_t j = 0; j < k->d; j++)
        q->kernels->densities->term(&b, &q->term[j], q->a, q->m);
    if (k->radial) {
        int32_t kernel = k->columns[0].kernel;
        for (int64_t i = 0; i < n; i++) {
            double u = sqrt(q->a[i]), g = steepness(q->kernels, kernel, u);
            s->steep[2 * i] = g;
            s->steep[2 * i + 1] = most_bent(kernel, u, g);
        }
        q->kernels->densities->radial(kernel, q->a, q->m, n);
    }
    return b;
}

static double least_in(gm__kde_slope *s, int64_t block)
{
    double best = INFINITY;
    gm__kernel_block b = values(s, block);
    for (int64_t i = 0; i < b.n; i++)
        best = b.w[i] > 0 && s->query.m[i] > 0 && s->query.a[i] < best ? s->query.a[i] : best;
    return best;
}

static void add_block(gm__kde_slope *s, int64_t block, double least)
{
    gm__kernel_block b = values(s, block);
    double *e = s->query.a;
    for (int64_t i = 0; i < b.n; i++)
        e[i] = least - e[i];
    s->query.kernels->maps->map1[GM__F64][GM__EXP](e, e, b.n);
    for (int64_t i = 0; i < b.n; i++) {
        e[i] = b.w[i] > 0 && s->query.m[i] > 0 ? b.w[i] * s->query.m[i] * e[i] : 0;
        s->mass += e[i];
    }
    for (int64_t j = 0; j < s->query.k->d; j++) {
        double out[2] = {0, 0};
        for (int64_t i = 0; i < b.n; i++)
            if (e[i] > 0)
                row_slope(s, &b, j, i, e[i], out);
        s->along[j] += out[0];
        s->weight[j] += out[1];
    }
}

static int reaches(gm__kde_slope *s, int64_t block, double most)
{
    const gm__kde *k = s->query.k;
    double a[2], m[2];
    if (!(k->mass[gm__kde_node(k, block)] > 0))
        return 0;
    gm__kde_node_bounds(&s->query, gm__kde_node(k, block), a, m);
    return m[1] > 0 && a[0] < most;
}

/* Blocks whose nearest side lies 40 exponents beyond the nearest row are left out: they are under
 * 1e-17 of the sum for each row. */
void gm__kde_slope_at(gm__kde_slope *s)
{
    const gm__kde *k = s->query.k;
    double least = INFINITY;
    gm__kde_query_set(&s->query, s->y);
    s->query.shift = 0;
    s->mass = 0;
    memset(s->along, 0, 2 * (size_t)k->d * sizeof *s->along);
    for (int64_t b = 0; b < k->leaves && !s->query.outside; b++)
        if (reaches(s, b, least)) {
            double found = least_in(s, b);
            least = found < least ? found : least;
        }
    s->least = least;
    for (int64_t b = 0; b < k->leaves && least < INFINITY; b++)
        if (reaches(s, b, least + 40))
            add_block(s, b, least);
}

/* How a coordinate grows with the user's value. */
static double per_unit(const gm__kde_column *c)
{
    double width = c->high - c->low;
    return c->kind == GM__KDE_CIRCULAR ? 2 * PI / width : c->kind == GM__KDE_BETA ? 1 / width : 1;
}

gm_status gm__kde_gradient(gm_context *ctx, const gm__kde *k, const double *q, int64_t m,
                           double *out)
{
    gm__kde_slope s;
    GM_TRY(gm__kde_slope_init(ctx, &s, k));
    gm_status code = GM_OK;
    for (int64_t i = 0; i < m && !code; i++) {
        double *to = out + i * k->d;
        gm__kde_place(k, q + i * k->d, s.y);
        gm__kde_slope_at(&s);
        for (int64_t j = 0; j < k->d; j++)
            to[j] = s.mass > 0 ? s.along[j] / s.mass * per_unit(&k->columns[j]) : 0;
        if (k->root) /* coordinates are L^-1 x */
            gm__solve_lower_transposed(k->root, k->d, to);
        code = gm__check_cancel(ctx);
    }
    gm__kde_slope_clear(ctx, &s);
    return code;
}
