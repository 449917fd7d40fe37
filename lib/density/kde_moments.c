/* One or two columns, kernels that are pieces of polynomials, cosines or exponentials: a node that
 * lies in one piece adds up exactly from its moments. With y = (x - c) / h, c the middle of the
 * node and b = (q - c) / h, K(b - y) is a sum of g_p f_p(y), f the powers of y, or the cosine and
 * sine, or e^y and e^-y: the sum over rows is sum of g_p M_p, M_p the sum of w f_p(y). Two columns
 * have products of two such functions; a radial kernel that is a polynomial in the squared distance
 * has powers in both. Only nodes no wider than the bandwidth are taken so: |y| is at most 1/2, and
 * no power is lost in another. */
#include "density/kde_part.h"

#include <math.h>
#include <string.h>

#define PI 0x1.921fb54442d18p1
enum { MOST = 10 }; /* functions of one column */

/* Powers of a kernel in u >= 0; how many numbers a node keeps. */
static int powers(int32_t kernel, const double **of)
{
    static const double linear[] = {1, -1}, epanechnikov[] = {1, 0, -1};
    static const double biweight[] = {1, 0, -2, 0, 1}, triweight[] = {1, 0, -3, 0, 3, 0, -1};
    static const double tricube[] = {1, 0, 0, -3, 0, 0, 3, 0, 0, -1};
    switch (kernel) {
    case GM__KERNEL_LINEAR:
        *of = linear;
        return 2;
    case GM__KERNEL_EPANECHNIKOV:
        *of = epanechnikov;
        return 3;
    case GM__KERNEL_BIWEIGHT:
        *of = biweight;
        return 5;
    case GM__KERNEL_TRIWEIGHT:
        *of = triweight;
        return 7;
    case GM__KERNEL_TRICUBE:
        *of = tricube;
        return 10;
    case GM__KERNEL_COSINE:      /* sums of cos(pi y / 2) and sin */
    case GM__KERNEL_EXPONENTIAL: /* of e^y and e^-y */
        *of = NULL;
        return 2;
    default:
        return 0;
    }
}

int32_t gm__kde_moment_count(const gm__kde *k)
{
    const double *of;
    int32_t kernel = k->columns[0].kernel, n = powers(kernel, &of);
    if (k->d > 2 || (k->d == 2 && k->radial) || k->adaptive || k->root)
        return 0;
    for (int64_t j = 0; j < k->d; j++)
        if (k->columns[j].kind != GM__KDE_REAL || k->columns[j].kernel != kernel)
            return 0;
    return k->d == 2 ? n * n : n;
}

/* Functions of one column. */
static int64_t each(const gm__kde *k)
{
    const double *of;
    return k->d == 1 ? k->moments : powers(k->columns[0].kernel, &of);
}

/* The middle of a node in column j; *width in bandwidths. */
static double middle_of(const gm__kde *k, int64_t node, int64_t j, double *width)
{
    const double *box = k->box + 2 * k->d * node + j;
    *width = (box[k->d] - box[0]) * k->inverse[j];
    return 0.5 * (box[0] + box[k->d]);
}

static int narrow(const gm__kde *k, int64_t node)
{
    double width;
    for (int64_t j = 0; j < k->d; j++) {
        (void)middle_of(k, node, j, &width);
        if (!(width <= 1))
            return 0;
    }
    return 1;
}

/* first f_p(y) of one column. */
static void functions(const gm__kde *k, const gm__kernels *kernels, double y, double first,
                      double *f)
{
    int32_t kernel = k->columns[0].kernel;
    int64_t n = each(k);
    if (kernel == GM__KERNEL_COSINE) {
        f[0] = first * gm__kde_map(kernels, GM__COS, y * (PI / 2));
        f[1] = first * gm__kde_map(kernels, GM__SIN, y * (PI / 2));
    } else if (kernel == GM__KERNEL_EXPONENTIAL) {
        f[0] = first * gm__kde_map(kernels, GM__EXP, y);
        f[1] = first * gm__kde_map(kernels, GM__EXP, -y);
    } else {
        f[0] = first;
        for (int64_t p = 1; p < n; p++)
            f[p] = f[p - 1] * y;
    }
}

void gm__kde_moments_of(gm__kde *k, const gm__kernels *kernels, int64_t block, const double *x)
{
    int64_t node = gm__kde_node(k, block), n = each(k), other = k->d == 2 ? n : 1;
    const double *w = gm__kde_block(k, block) + k->wide * k->stride;
    double width, f[2][MOST] = {{0}, {1}}, *m = k->moment + node * k->moments;
    memset(m, 0, (size_t)k->moments * sizeof *m);
    for (int64_t i = 0; i < k->fill[block] && narrow(k, node); i++) {
        for (int64_t j = 0; j < k->d; j++) {
            double c = middle_of(k, node, j, &width);
            functions(k, kernels, (x[i * k->d + j] - c) * k->inverse[j], j ? 1 : w[i], f[j]);
        }
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = 0; q < other; q++)
                m[p * other + q] += f[0][p] * f[1][q];
    }
}

/* Adds a child's moments of one column, `stride` apart, to those about the parent's middle:
 * y = child's y + far. */
static void shift(const gm__kde *k, const gm__kernels *kernels, const double *from, double *to,
                  int64_t stride, double far)
{
    double row[MOST], f[MOST];
    int64_t n = each(k);
    functions(k, kernels, far, 1, f);
    if (k->columns[0].kernel == GM__KERNEL_COSINE) {
        to[0] += from[0] * f[0] - from[stride] * f[1];
        to[stride] += from[stride] * f[0] + from[0] * f[1];
        return;
    }
    if (k->columns[0].kernel == GM__KERNEL_EXPONENTIAL) {
        to[0] += from[0] * f[0];
        to[stride] += from[stride] * f[1];
        return;
    }
    row[0] = 1; /* binomial coefficients, row after row */
    for (int64_t p = 0; p < n; p++) {
        for (int64_t j = p; j >= 0; j--)
            to[p * stride] += row[j] * from[j * stride] * f[p - j];
        row[p + 1 < MOST ? p + 1 : MOST - 1] = 1;
        for (int64_t j = p < MOST - 1 ? p : MOST - 2; j > 0; j--)
            row[j] += row[j - 1];
    }
}

void gm__kde_moments_join(gm__kde *k, const gm__kernels *kernels, int64_t node)
{
    double own, width, far[2] = {0}, moved[MOST * MOST], *m = k->moment + node * k->moments;
    int64_t n = each(k);
    memset(m, 0, (size_t)k->moments * sizeof *m);
    for (int64_t c = 2 * node; c < 2 * node + 2 && narrow(k, node); c++) {
        const double *from = k->moment + c * k->moments;
        if (!(k->mass[c] > 0))
            continue;
        for (int64_t j = 0; j < k->d; j++)
            far[j] = (middle_of(k, c, j, &own) - middle_of(k, node, j, &width)) * k->inverse[j];
        if (k->d == 1) {
            shift(k, kernels, from, m, 1, far[0]);
            continue;
        }
        memset(moved, 0, sizeof moved);
        for (int64_t p = 0; p < n; p++)
            shift(k, kernels, from + p, moved + p, n, far[0]);
        for (int64_t p = 0; p < n; p++)
            shift(k, kernels, moved + p * n, m + p * n, 1, far[1]);
    }
}

void gm__kde_moments_settle(gm__kde *k)
{
    int exponential = k->columns[0].kernel == GM__KERNEL_EXPONENTIAL;
    int64_t first = exponential || k->leaves < 2 ? k->leaves : k->leaves / 2, count = 0;
    for (int64_t node = first; node < 2 * first; node++)
        count += narrow(k, node);
    if (k->d == 1 || 2 * count >= first)
        return;
    gm__free(&k->allocator, k->moment, 2 * (size_t)(k->leaves * k->moments) * sizeof *k->moment);
    k->moment = NULL;
    k->moments = 0;
}

/* ---- Sums ---- */

/* Whether the node is no wider than the bandwidth and in one piece of the kernel in column j. */
static int in_one_piece(const gm__kde_query *s, int64_t node, int64_t j)
{
    const gm__kde *k = s->k;
    int32_t kernel = k->columns[0].kernel;
    const double *box = k->box + 2 * k->d * node + j;
    double q = s->q[j], low = box[0], high = box[k->d];
    int both = kernel != GM__KERNEL_LINEAR && kernel != GM__KERNEL_TRICUBE &&
               kernel != GM__KERNEL_EXPONENTIAL;
    if (!((high - low) * k->inverse[j] <= 1) || (!both && q < high && q > low))
        return 0;
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return fabs(q - 0.5 * (low + high)) * k->inverse[j] < 600 / (double)k->d;
    /* all of it in the support */
    return (q - low) * k->inverse[j] <= 1 && (high - q) * k->inverse[j] <= 1;
}

/* What g_p (n) is of a column; *size bounds the sum of |g_p f_p| of a polynomial. */
static void coefficients(const gm__kde_query *s, int64_t node, int64_t j, double *g, double *size)
{
    const gm__kde *k = s->k;
    int32_t kernel = k->columns[0].kernel;
    const double *of, *box = k->box + 2 * k->d * node + j;
    double q = s->q[j], width, c = middle_of(k, node, j, &width), b = (q - c) * k->inverse[j];
    double side = q >= box[k->d] ? 1 : -1, t = side * b, half = 1, sign = 1;
    *size = 0;
    if (kernel == GM__KERNEL_EXPONENTIAL) {
        g[side < 0] = gm__kde_map(s->kernels, GM__EXP, -t);
        g[side > 0] = 0;
        return;
    }
    if (kernel == GM__KERNEL_COSINE) {
        g[0] = gm__kde_map(s->kernels, GM__COS, b * (PI / 2));
        g[1] = gm__kde_map(s->kernels, GM__SIN, b * (PI / 2));
        return;
    }
    /* a polynomial's Taylor coefficients at t, by Horner's scheme again and again */
    int64_t n = powers(kernel, &of);
    memcpy(g, of, (size_t)n * sizeof *g);
    for (int64_t p = 0; p < n; p++) {
        for (int64_t i = n - 2; i >= p; i--)
            g[i] += t * g[i + 1];
        *size += fabs(g[p]) * half;
        g[p] *= sign;
        half *= 0.5;
        sign *= -side;
    }
}

int gm__kde_moments_sum(const gm__kde_query *s, int64_t node, double *sum, double *error)
{
    const gm__kde *k = s->k;
    const double *m = k->moment + node * k->moments;
    double g[2][MOST], size[2];
    int32_t kernel = k->columns[0].kernel;
    for (int64_t j = 0; j < k->d; j++)
        if (!in_one_piece(s, node, j))
            return 0;
    int64_t n = each(k), other = k->d == 2 ? n : 1;
    g[1][0] = 1;
    for (int64_t j = 0; j < k->d; j++)
        coefficients(s, node, j, g[j], &size[j]);
    *sum = 0;
    for (int64_t p = 0; p < n; p++) {
        double line = 0;
        for (int64_t q = 0; q < other; q++)
            line += g[1][q] * m[p * other + q];
        *sum += g[0][p] * line;
    }
    double rounding = kernel == GM__KERNEL_EXPONENTIAL ? 0x1p-42 * *sum
                      : kernel == GM__KERNEL_COSINE    ? 0x1p-45 * k->mass[node]
                                                       : 0x1p-46 * (size[0] + 1) * k->mass[node];
    *error = k->d == 2 ? 2 * rounding * (size[1] + 1) : rounding;
    return 1;
}
