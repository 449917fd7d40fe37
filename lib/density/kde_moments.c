/* One column, kernels that are pieces of polynomials, cosines or exponentials: a node that lies in
 * one piece adds up exactly from its moments. With y = (x - c) / h, c the middle of the node and
 * b = (q - c) / h, K(b - y) is a polynomial in y whose coefficients are those of K at b: the sum
 * over rows is sum of c_p M_p, M_p the sum of w y^p. Only nodes no wider than the bandwidth are
 * taken so: |y| is at most 1/2, and no power is lost in another. */
#include "density/kde_part.h"

#include <math.h>
#include <string.h>

#define PI 0x1.921fb54442d18p1

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
    if (k->d != 1 || k->adaptive || k->root || k->columns[0].kind != GM__KDE_REAL)
        return 0;
    return powers(k->columns[0].kernel, &of);
}

static double middle_of(const gm__kde *k, int64_t node, double *width)
{
    const double *box = k->box + 2 * node;
    *width = (box[1] - box[0]) * k->inverse[0];
    return 0.5 * (box[0] + box[1]);
}

void gm__kde_moments_of(gm__kde *k, const gm__kernels *kernels, int64_t block, const double *x)
{
    int64_t node = gm__kde_node(k, block), count = k->moments;
    const double *w = gm__kde_block(k, block) + k->wide * k->stride;
    double width, c = middle_of(k, node, &width), *m = k->moment + node * count;
    int32_t kernel = k->columns[0].kernel;
    memset(m, 0, (size_t)count * sizeof *m);
    for (int64_t i = 0; i < k->fill[block] && width <= 1; i++) {
        double y = (x[i] - c) * k->inverse[0], power = w[i];
        if (kernel == GM__KERNEL_COSINE) {
            m[0] += w[i] * gm__kde_map(kernels, GM__COS, y * (PI / 2));
            m[1] += w[i] * gm__kde_map(kernels, GM__SIN, y * (PI / 2));
        } else if (kernel == GM__KERNEL_EXPONENTIAL) {
            m[0] += w[i] * gm__kde_map(kernels, GM__EXP, y);
            m[1] += w[i] * gm__kde_map(kernels, GM__EXP, -y);
        } else {
            for (int64_t p = 0; p < count; p++, power *= y)
                m[p] += power;
        }
    }
}

/* Adds a child's moments about c to those about the parent's middle, y = child's y + far. */
static void shift(const gm__kde *k, const gm__kernels *kernels, const double *from, double far,
                  double *to)
{
    double row[10], power;
    if (k->columns[0].kernel == GM__KERNEL_COSINE) {
        double c = gm__kde_map(kernels, GM__COS, far * (PI / 2));
        double s = gm__kde_map(kernels, GM__SIN, far * (PI / 2));
        to[0] += from[0] * c - from[1] * s;
        to[1] += from[1] * c + from[0] * s;
        return;
    }
    if (k->columns[0].kernel == GM__KERNEL_EXPONENTIAL) {
        to[0] += from[0] * gm__kde_map(kernels, GM__EXP, far);
        to[1] += from[1] * gm__kde_map(kernels, GM__EXP, -far);
        return;
    }
    row[0] = 1; /* binomial coefficients, row after row */
    for (int64_t p = 0; p < k->moments; p++) {
        power = 1;
        for (int64_t j = p; j >= 0; j--, power *= far)
            to[p] += row[j] * from[j] * power;
        row[p + 1 < 10 ? p + 1 : 9] = 1;
        for (int64_t j = p < 9 ? p : 8; j > 0; j--)
            row[j] += row[j - 1];
    }
}

void gm__kde_moments_join(gm__kde *k, const gm__kernels *kernels, int64_t node)
{
    double width, own, c = middle_of(k, node, &width), *m = k->moment + node * k->moments;
    memset(m, 0, (size_t)k->moments * sizeof *m);
    for (int64_t child = 2 * node; child < 2 * node + 2 && width <= 1; child++)
        if (k->mass[child] > 0) {
            double far = (middle_of(k, child, &own) - c) * k->inverse[0];
            shift(k, kernels, k->moment + child * k->moments, far, m);
        }
}

/* The polynomial's Taylor coefficients at t, by Horner's scheme again and again, and the sum. */
static double polynomial(const gm__kde *k, const double *of, const double *m, double t, double side,
                         double mass, double *error)
{
    double a[10], sum = 0, size = 0, half = 1, sign = 1;
    int64_t n = k->moments;
    memcpy(a, of, (size_t)n * sizeof *a);
    for (int64_t p = 0; p < n; p++) {
        for (int64_t j = n - 2; j >= p; j--)
            a[j] += t * a[j + 1];
        sum += sign * a[p] * m[p];
        size += fabs(a[p]) * half;
        half *= 0.5;
        sign *= -side;
    }
    *error = 0x1p-46 * (size + 1) * mass;
    return sum;
}

int gm__kde_moments_sum(const gm__kde_query *s, int64_t node, double *sum, double *error)
{
    const gm__kde *k = s->k;
    int32_t kernel = k->columns[0].kernel;
    const double *of, *box = k->box + 2 * node, *m = k->moment + node * k->moments;
    double q = s->q[0], width, c = middle_of(k, node, &width), b = (q - c) * k->inverse[0];
    double side = q >= box[1] ? 1 : -1, t = side * b;
    int both = kernel != GM__KERNEL_LINEAR && kernel != GM__KERNEL_TRICUBE &&
               kernel != GM__KERNEL_EXPONENTIAL;
    if (!(width <= 1) || (!both && q < box[1] && q > box[0]))
        return 0;
    powers(kernel, &of);
    if (kernel == GM__KERNEL_EXPONENTIAL) {
        if (!(t < 600))
            return 0;
        *sum = gm__kde_map(s->kernels, GM__EXP, -t) * m[side > 0 ? 0 : 1];
        *error = 0x1p-42 * *sum;
        return 1;
    }
    /* all of it in the support */
    if (!((q - box[0]) * k->inverse[0] <= 1 && (box[1] - q) * k->inverse[0] <= 1))
        return 0;
    if (kernel == GM__KERNEL_COSINE) {
        *sum = gm__kde_map(s->kernels, GM__COS, b * (PI / 2)) * m[0] +
               gm__kde_map(s->kernels, GM__SIN, b * (PI / 2)) * m[1];
        *error = 0x1p-45 * k->mass[node];
        return 1;
    }
    *sum = polynomial(k, of, m, t, side, k->mass[node], error);
    return 1;
}
