/* Cases of kernel density estimates, and the oracle: direct sums in long double, written from the
 * definitions. */
#ifndef KDE_CASES_H
#define KDE_CASES_H

#include "support.h"
#include "density/kde.h"

#include <math.h>
#include <stdlib.h>

#define KDE_PI 3.14159265358979323846264338327950288L
enum { KDE_QUERIES = 300 };

static inline gm__kde_column kde_real(int kernel, double h)
{
    return (gm__kde_column){GM__KDE_REAL, kernel, h, 0, 0};
}

/* ---- Kernels from their definitions ---- */

/* Of a distance; 1 - u as (h - distance) / h, which keeps its digits at the edge. */
static inline long double kde_profile(int kernel, long double distance, long double h)
{
    long double u = fabsl(distance) / h, t = (h - fabsl(distance)) / h;
    if (kernel == GM__KERNEL_GAUSSIAN)
        return expl(-u * u / 2);
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return expl(-u);
    if (t <= 0)
        return 0;
    switch (kernel) {
    case GM__KERNEL_TOPHAT:
        return 1;
    case GM__KERNEL_LINEAR:
        return t;
    case GM__KERNEL_COSINE:
        return sinl(KDE_PI / 2 * t);
    case GM__KERNEL_BIWEIGHT:
        return powl(t * (2 - t), 2);
    case GM__KERNEL_TRIWEIGHT:
        return powl(t * (2 - t), 3);
    case GM__KERNEL_TRICUBE:
        return powl(t * (1 + u + u * u), 3);
    default:
        return t * (2 - t);
    }
}

static inline long double kde_area(int kernel)
{
    static const double area[] = {0, 4.0, 2, 2, 1, 0, 16.0, 32.0, 81.0};
    switch (kernel) {
    case GM__KERNEL_GAUSSIAN:
        return sqrtl(2 * KDE_PI);
    case GM__KERNEL_COSINE:
        return 4 / KDE_PI;
    case GM__KERNEL_EPANECHNIKOV:
        return area[kernel] / 3.0L;
    case GM__KERNEL_BIWEIGHT:
        return area[kernel] / 15.0L;
    case GM__KERNEL_TRIWEIGHT:
        return area[kernel] / 35.0L;
    case GM__KERNEL_TRICUBE:
        return area[kernel] / 70.0L;
    default:
        return area[kernel];
    }
}

/* The integral of e^(k (cos t - 1)) over a turn, by the rectangle rule, which converges
 * geometrically. */
static inline long double kde_turn(long double k)
{
    long double sum = 0;
    int cells = 4000;
    for (int i = 0; i < cells; i++)
        sum += expl(k * (cosl(2 * KDE_PI * i / cells) - 1));
    return 2 * KDE_PI * sum / cells;
}

static inline long double kde_column_value(const gm__kde_column *c, long double q, long double x,
                                           long double factor)
{
    long double h = (long double)(c->bandwidth * (double)factor),
                width = (long double)c->high - c->low;
    long double sum = 0, b;
    int most = c->kernel == GM__KERNEL_EXPONENTIAL ? 60 : 15;
    switch (c->kind) {
    case GM__KDE_REAL:
        return kde_profile(c->kernel, q - x, h) / (kde_area(c->kernel) * h);
    case GM__KDE_CIRCULAR:
        h = c->bandwidth * 2 * KDE_PI / width;
        return expl((cosl((q - x) * 2 * KDE_PI / width) - 1) / (h * h));
    case GM__KDE_REFLECT:
        if (q < c->low || q > c->high)
            return 0;
        if (!(width < INFINITY)) {
            long double wall = c->low > -INFINITY ? c->low : c->high;
            return (kde_profile(c->kernel, q - x, h) +
                    kde_profile(c->kernel, q - (2 * wall - x), h)) /
                   (kde_area(c->kernel) * h);
        }
        for (int i = -most; i <= most; i++)
            sum += kde_profile(c->kernel, q - x - 2 * i * width, h) +
                   kde_profile(c->kernel, q - 2 * (long double)c->low + x - 2 * i * width, h);
        return sum / (kde_area(c->kernel) * h);
    case GM__KDE_BETA:
        if (q < c->low || q > c->high)
            return 0;
        b = powl(c->bandwidth / width, 2);
        x = (x - c->low) / width / b;
        q = (q - c->low) / width;
        return expl((x > 0 ? x * logl(q) : 0) + (1 / b - x > 0 ? (1 / b - x) * logl(1 - q) : 0) -
                    lgammal(x + 1) - lgammal(1 / b - x + 1) + lgammal(1 / b + 2)) /
               width;
    case GM__KDE_CATEGORY:
        return q == x ? 1 - (long double)c->bandwidth : (long double)c->bandwidth / c->high;
    default:
        b = c->bandwidth;
        for (int i = (int)c->low; i <= (int)c->high; i++)
            sum += i == x ? 1 - b : (1 - b) / 2 * powl(b, fabsl(i - x));
        return (q == x ? 1 - b : (1 - b) / 2 * powl(b, fabsl(q - x))) / sum;
    }
}

/* The integral of a radial kernel over space, by Simpson's rule. */
static inline long double kde_volume(int kernel, int64_t d)
{
    long double far = 1, sum = 0;
    int cells = 2000;
    if (kernel == GM__KERNEL_GAUSSIAN)
        return powl(2 * KDE_PI, d / 2.0L);
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return tgammal(d) * 2 * powl(KDE_PI, d / 2.0L) / tgammal(d / 2.0L);
    for (int i = 0; i <= cells; i++) {
        long double r = far * i / cells, w = i == 0 || i == cells ? 1 : i % 2 ? 4 : 2;
        long double at = i == cells && kernel == GM__KERNEL_TOPHAT ? 1 : kde_profile(kernel, r, 1);
        sum += w * at * powl(r, d - 1);
    }
    return sum * far / (3 * cells) * 2 * powl(KDE_PI, d / 2.0L) / tgammal(d / 2.0L);
}

/* ---- Cases ---- */

typedef struct kde_case {
    gm__kde_config config;
    gm__kde_column column[8];
    double *x, *weights, *factors, q[KDE_QUERIES * 8];
    long double turn[8]; /* of circular columns */
    long double volume;  /* of a radial kernel */
} kde_case;

static inline void kde_case_clear(kde_case *k)
{
    free(k->x);
    free(k->weights);
    free(k->factors);
}

static inline long double kde_direct(const kde_case *k, const double *q)
{
    const gm__kde_config *c = &k->config;
    long double sum = 0, total = 0;
    for (int64_t i = 0; i < c->n; i++) {
        long double w = k->weights[i], product = w;
        long double factor = c->factors ? c->factors[i] : 1, r = 0, h = 1;
        total += w;
        for (int64_t j = 0; j < c->d && product > 0; j++) {
            if (c->radial) {
                r += powl(((long double)q[j] - c->x[i * c->stride + j]) /
                              (c->columns[j].bandwidth * (double)factor),
                          2);
                h *= c->columns[j].bandwidth * factor;
                continue;
            }
            product *= kde_column_value(&c->columns[j], q[j], c->x[i * c->stride + j], factor);
            if (c->columns[j].kind == GM__KDE_CIRCULAR)
                product /= k->turn[j];
        }
        sum += c->radial ? w * kde_profile(c->columns[0].kernel, sqrtl(r), 1) / (h * k->volume)
                         : product;
    }
    return sum / total;
}

/* The answers at the first m queries against direct sums. */
static inline void kde_case_compare(gm_context *ctx, kde_case *k, const gm__kde *kde, double rtol,
                                    int m)
{
    double value[KDE_QUERIES], low[KDE_QUERIES], high[KDE_QUERIES];
    gm__kde_promise promise = {rtol, 0};
    int64_t d = k->config.d;
    test_ok(ctx, gm__kde_log_density(ctx, kde, k->q, m, d, &promise, value, low, high));
    for (int i = 0; i < m; i++) {
        long double sum = kde_direct(k, k->q + i * d);
        if (sum < 1e-4500L && high[i] < -10000)
            continue; /* beyond the range of long double */
        double want = (double)logl(sum), off = fabs(want) < INFINITY ? 1e-17 * fabs(want) : 0;
        must_msg(
            low[i] <= want + off && want - off <= high[i] && low[i] <= value[i] &&
                value[i] <= high[i],
            "query %d, kind %d kernel %d d %d n %d h %g rtol %g: %.17g not in [%.17g, %.17g] %.17g",
            i, k->column[0].kind, k->column[0].kernel, (int)d, (int)k->config.n,
            k->column[0].bandwidth, rtol, want, low[i], high[i], value[i]);
        must_msg(want == -INFINITY || value[i] == want ||
                     fabs(value[i] - want) <= 1.01 * rtol + 1e-9 + 1e-13 * fabs(want),
                 "query %d, kind %d kernel %d d %d n %d rtol %g: %.17g not %.17g", i,
                 k->column[0].kind, k->column[0].kernel, (int)d, (int)k->config.n, rtol, value[i],
                 want);
    }
}

static inline void kde_case_check(gm_context *ctx, kde_case *k, double rtol, int m)
{
    gm__kde *kde;
    test_ok(ctx, gm__kde_create(ctx, &k->config, &kde));
    kde_case_compare(ctx, k, kde, rtol, m);
    gm__kde_free(kde);
}

static inline void kde_case_room(kde_case *k, int64_t n, int64_t d)
{
    memset(k, 0, sizeof *k);
    k->x = malloc((size_t)(n * d) * sizeof *k->x);
    k->weights = malloc((size_t)n * sizeof *k->weights);
    k->factors = malloc((size_t)n * sizeof *k->factors);
    for (int64_t i = 0; i < n; i++)
        k->weights[i] = 1;
    k->config = (gm__kde_config){.n = n, .d = d, .stride = d, .x = k->x, .columns = k->column};
}

/* The t-th part of the way through what a column can hold. */
static inline double kde_inside(const gm__kde_column *c, double t)
{
    double low = c->kind == GM__KDE_REAL ? -2 : c->low > -INFINITY ? c->low : c->high - 4;
    double high = c->kind == GM__KDE_REAL ? 2 : c->high < INFINITY ? c->high : low + 4;
    double x = low + (high - low) * t;
    return c->kind >= GM__KDE_CATEGORY ? floor(x + 0.5) : x;
}

static inline void kde_case_fill(kde_case *k, int weighted, int adaptive)
{
    uint64_t seed = 11;
    int64_t n = k->config.n, d = k->config.d;
    for (int64_t i = 0; i < n; i++) {
        if (weighted)
            k->weights[i] = i % 17 == 0 ? 0 : test_uniform(&seed, 0, 3);
        k->factors[i] = test_uniform(&seed, 0.5, 2);
        for (int64_t j = 0; j < d; j++)
            k->x[i * d + j] = kde_inside(&k->column[j], test_uniform(&seed, 0, 1));
    }
    k->config.weights = k->weights;
    k->config.factors = adaptive ? k->factors : NULL;
    for (int64_t i = 0; i < KDE_QUERIES; i++)
        for (int64_t j = 0; j < d; j++) {
            const gm__kde_column *c = &k->column[j];
            double t = test_uniform(&seed, 0, 1);
            if (c->kind == GM__KDE_REAL || c->kind == GM__KDE_CIRCULAR)
                t = i % 9 == 0 ? t * 4 - 2 : t;
            if (i % 23 == 0)
                t = i % 2;
            k->q[i * d + j] = kde_inside(c, t);
        }
    if (k->config.radial)
        k->volume = kde_volume(k->column[0].kernel, d);
    for (int64_t j = 0; j < d; j++)
        if (k->column[j].kind == GM__KDE_CIRCULAR) {
            long double width = k->column[j].high - k->column[j].low;
            long double h = k->column[j].bandwidth * 2 * KDE_PI / width;
            k->turn[j] = kde_turn(1 / (h * h)) * width / (2 * KDE_PI);
        }
}

/* Kinds of one continuous column: every kernel plain and between walls, circles, beta. */
static inline int kde_line_count(void)
{
    return 4 * GM__KERNEL_COUNT + 4;
}

static inline gm__kde_column kde_line(int c)
{
    int kernel = c % GM__KERNEL_COUNT;
    switch (c / GM__KERNEL_COUNT) {
    case 0:
        return kde_real(kernel, 0.4);
    case 1:
        return (gm__kde_column){GM__KDE_REFLECT, kernel, 0.5, 0.25, 3};
    case 2:
        return (gm__kde_column){GM__KDE_REFLECT, kernel, 3.5, -1, 1.5};
    case 3:
        return (gm__kde_column){GM__KDE_REFLECT, kernel, 0.6, kernel % 2 ? -1 : -INFINITY,
                                kernel % 2 ? INFINITY : 1};
    default:
        break;
    }
    c -= 4 * GM__KERNEL_COUNT;
    if (c < 2)
        return (gm__kde_column){GM__KDE_CIRCULAR, 0, c ? 90 : 8, -180, 180};
    return (gm__kde_column){GM__KDE_BETA, 0, c == 2 ? 0.3 : 0.08, 1, 2};
}

/* Where the mass of a column's cases lies. */
static inline double kde_span(const gm__kde_column *c, int high)
{
    double far = c->kernel == GM__KERNEL_EXPONENTIAL ? 12
                 : c->kernel == GM__KERNEL_GAUSSIAN  ? 6
                                                     : 1;
    if (c->kind == GM__KDE_REAL)
        return high ? 2 + far * c->bandwidth : -2 - far * c->bandwidth;
    if (high)
        return c->high < INFINITY ? c->high : c->low + 4 + far * c->bandwidth;
    return c->low > -INFINITY ? c->low : c->high - 4 - far * c->bandwidth;
}

static inline int kde_case_count(void)
{
    return kde_line_count() + GM__KERNEL_COUNT + 6;
}

static inline void kde_case_make(kde_case *k, int c, int64_t n, int adaptive)
{
    int lines = kde_line_count();
    if (c < lines) {
        kde_case_room(k, n, 1);
        k->column[0] = kde_line(c);
    } else if (c < lines + GM__KERNEL_COUNT) {
        kde_case_room(k, n, 3);
        k->config.radial = 1;
        for (int j = 0; j < 3; j++)
            k->column[j] = kde_real(c - lines, 0.5 + 0.3 * j);
    } else {
        static const int mixes[6][4] = {{0, 10, 37, 39}, {3, 38, 41, 41}, {40, 40, 41, 1},
                                        {4, 20, 13, 40}, {0, 0, 40, 41},  {2, 39, 38, 21}};
        kde_case_room(k, n, 4);
        for (int j = 0; j < 4; j++) {
            int line = mixes[c - lines - GM__KERNEL_COUNT][j];
            k->column[j] = line < lines ? kde_line(line)
                           : line == 40 ? (gm__kde_column){GM__KDE_CATEGORY, 0, 0.2, 0, 4}
                                        : (gm__kde_column){GM__KDE_ORDERED, 0, 0.6, -3, 8};
        }
        k->column[3] = c % 2 ? (gm__kde_column){GM__KDE_CATEGORY, 0, 0.2, 0, 4}
                             : (gm__kde_column){GM__KDE_ORDERED, 0, 0.6, -3, 8};
    }
    kde_case_fill(k, c % 2, adaptive);
}

/* Eight clusters, queries at the rows' places, between and far from them. */
static inline void kde_case_clusters(kde_case *k, int64_t n, int64_t d, double h)
{
    uint64_t seed = 5 + (uint64_t)d;
    double centers[64];
    kde_case_room(k, n, d);
    for (int i = 0; i < 64; i++)
        centers[i] = test_uniform(&seed, -6, 6);
    for (int64_t i = 0; i < n + KDE_QUERIES; i++) {
        int64_t c = (int64_t)(test_random(&seed) % 8);
        for (int64_t j = 0; j < d; j++) {
            double z = 0;
            for (int s = 0; s < 12; s++)
                z += test_uniform(&seed, -0.5, 0.5);
            if (i >= n && i % 7 == 0)
                z *= 3;
            if (i >= n && i % 31 == 0)
                z *= 40;
            *(i < n ? &k->x[i * d + j] : &k->q[(i - n) * d + j]) = centers[8 * j + c] + z;
        }
    }
    for (int64_t j = 0; j < d; j++)
        k->column[j] = kde_real(GM__KERNEL_GAUSSIAN, h);
}

/* Shapes: all rows alike; two values; a lattice; one far row. Two columns. */
static inline void kde_case_odd(kde_case *k, int64_t n, int shape, int kernel, double scale)
{
    uint64_t seed = 3;
    kde_case_room(k, n, 2);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < 2; j++) {
            double v = shape == 0   ? 1
                       : shape == 1 ? (double)((i + j) % 2)
                                    : (double)((i * (j + 3)) % 8);
            if (shape == 3)
                v = i == 0 ? 1e5 : test_uniform(&seed, 0, 1);
            k->x[2 * i + j] = v * scale;
        }
    for (int64_t i = 0; i < KDE_QUERIES; i++)
        for (int j = 0; j < 2; j++)
            k->q[2 * i + j] =
                (shape == 3 ? test_uniform(&seed, -0.2, 1.2) : (double)((i * (j + 1)) % 9) / 2) *
                scale;
    for (int j = 0; j < 2; j++)
        k->column[j] = kde_real(kernel, scale);
}

#endif
