/* A query's terms, and bounds of a column's kernel over a box. */
#include "density/kde_part.h"
#include "base/size.h"

#include <math.h>

#define PI 0x1.921fb54442d18p1

/* How far, in bandwidths, a kernel and its images matter. */
static double reach(int32_t kernel)
{
    return kernel == GM__KERNEL_GAUSSIAN ? 8.7 : kernel == GM__KERNEL_EXPONENTIAL ? 38 : 1;
}

/* Shifts by whole periods 2 (high - low) on each side that bring images of rows into reach. */
static double periods(const gm__kde *k, const gm__kde_column *c)
{
    double width = c->high - c->low, most = 1;
    if (!(width < INFINITY))
        return 0;
    if (k->factor)
        for (int64_t i = 0; i < k->count; i++)
            most = k->factor[i] > most ? k->factor[i] : most;
    return floor((reach(c->kernel) * c->bandwidth * most + width) / (2 * width)) + 1;
}

int64_t gm__kde_images(const gm__kde *k, int64_t column)
{
    const gm__kde_column *c = &k->columns[column];
    if (c->kind != GM__KDE_REFLECT)
        return 0;
    double n = periods(k, c);
    return n < GM__KDE_IMAGES ? 2 * (2 * (int64_t)n + 1) : GM__KDE_IMAGES + 1;
}

static gm_status add_size(gm_context *ctx, size_t *size, int64_t count, size_t each)
{
    size_t more;
    if (gm__mul_size((size_t)count, each, &more) || *size > PTRDIFF_MAX - more - 64)
        return gm__no_memory(ctx);
    *size += (more + 63) & ~(size_t)63;
    return GM_OK;
}

gm_status gm__kde_query_size(gm_context *ctx, const gm__kde *k, size_t *size)
{
    int64_t images = 0;
    for (int64_t j = 0; j < k->d; j++)
        images += gm__kde_images(k, j);
    *size = 0;
    GM_TRY(add_size(ctx, size, k->d, sizeof(gm__kernel_term)));
    GM_TRY(add_size(ctx, size, images, sizeof(gm__image)));
    GM_TRY(add_size(ctx, size, k->d, sizeof(double)));
    GM_TRY(add_size(ctx, size, 2 * k->stride, sizeof(double)));
    return add_size(ctx, size, k->d, sizeof(float));
}

static void *take(char **at, size_t size)
{
    void *piece = *at;
    *at += (size + 63) & ~(size_t)63;
    return piece;
}

/* x itself, then its mirror images and those of the periods. */
static int32_t set_images(const gm__kde *k, const gm__kde_column *c, gm__image *to)
{
    int32_t n = 0, most = (int32_t)periods(k, c);
    double width = c->high - c->low;
    for (int32_t i = -most; i <= most; i++) {
        double shift = width < INFINITY ? 2 * i * width : 0;
        to[n++] = (gm__image){1, shift};
        to[n++] = (gm__image){-1, 2 * (c->low > -INFINITY ? c->low : c->high) + shift};
    }
    return n;
}

void gm__kde_query_init(gm__kde_query *s, const gm__kde *k, const gm__kernels *kernels, void *room)
{
    static const int columns[] = {1, 2, 1, 3, 1, 1};
    char *at = room;
    int64_t images = 0, column = 0;
    *s = (gm__kde_query){.k = k, .kernels = kernels};
    for (int64_t j = 0; j < k->d; j++)
        images += gm__kde_images(k, j);
    s->term = take(&at, (size_t)k->d * sizeof *s->term);
    s->images = take(&at, (size_t)images * sizeof *s->images);
    s->q = take(&at, (size_t)k->d * sizeof *s->q);
    s->a = take(&at, 2 * (size_t)k->stride * sizeof *s->a);
    s->m = s->a + k->stride;
    s->narrow = take(&at, (size_t)k->d * sizeof *s->narrow);
    images = 0;
    for (int64_t j = 0; j < k->d; j++) {
        const gm__kde_column *c = &k->columns[j];
        s->term[j] = (gm__kernel_term){.kernel = c->kernel, .column = column};
        if (c->kind == GM__KDE_REFLECT) {
            s->term[j].image = s->images + images;
            s->term[j].images = set_images(k, c, s->images + images);
            images += s->term[j].images;
        }
        column += columns[c->kind];
    }
}

/* -log x, kept finite so that 0 times it is 0. */
static double minus_log(const gm__kernels *kernels, double x)
{
    return x > 0 ? -gm__kde_map(kernels, GM__LOG, x) : 0x1p600;
}

static void set_term(gm__kde_query *s, const gm__kde_column *c, gm__kernel_term *t, double q)
{
    double h = c->bandwidth, width = c->high - c->low;
    t->q = q;
    t->p = h;
    switch (c->kind) {
    case GM__KDE_REAL:
        t->op = s->k->radial                          ? GM__TERM_RADIUS
                : c->kernel == GM__KERNEL_GAUSSIAN    ? GM__TERM_GAUSS
                : c->kernel == GM__KERNEL_EXPONENTIAL ? GM__TERM_EXPONENTIAL
                                                      : GM__TERM_COMPACT;
        break;
    case GM__KDE_REFLECT:
        t->op = GM__TERM_REFLECTED;
        break;
    case GM__KDE_CIRCULAR:
        h *= 2 * PI / width;
        t->op = GM__TERM_CIRCULAR;
        t->p = 2 / (h * h);
        t->q = gm__kde_map(s->kernels, GM__SIN, 0.5 * q);
        t->q2 = gm__kde_map(s->kernels, GM__COS, 0.5 * q);
        break;
    case GM__KDE_BETA:
        t->op = GM__TERM_BETA;
        t->q = minus_log(s->kernels, q);
        t->q2 = minus_log(s->kernels, 1 - q);
        break;
    case GM__KDE_CATEGORY:
        t->op = GM__TERM_EQUAL;
        t->p = 1 - h;
        t->p2 = c->high > 0 ? h / c->high : 0;
        break;
    default:
        t->op = GM__TERM_STEPS;
        t->p = 1 - h;
        t->p2 = h > 0 ? 0.5 * (1 - h) : 0;
        t->q2 = h > 0 ? minus_log(s->kernels, h) : 0;
    }
}

void gm__kde_query_set(gm__kde_query *s, const double *q)
{
    s->outside = 0;
    for (int64_t j = 0; j < s->k->d; j++) {
        const gm__kde_column *c = &s->k->columns[j];
        s->q[j] = q[j];
        if (c->kind >= GM__KDE_REFLECT) {
            double low = c->kind == GM__KDE_BETA ? 0 : c->low;
            double high = c->kind == GM__KDE_BETA ? 1 : c->high;
            int off = c->kind >= GM__KDE_CATEGORY && floor(q[j]) != q[j];
            s->outside |= q[j] < low || q[j] > high || off;
        }
        set_term(s, c, &s->term[j], q[j]);
    }
}

void gm__kde_logarithms(gm__kde_query *s, double *room, double *to)
{
    const gm__kde *k = s->k;
    for (int64_t block = 0; block < k->leaves; block++) {
        const double *x = gm__kde_block(k, block), *w = x + k->wide * k->stride;
        int64_t n = (k->fill[block] + 15) & ~(int64_t)15;
        gm__kernel_block b = {x, w, k->adaptive ? w + k->stride : NULL, k->stride, n, k->wide};
        double *at = room + block * k->stride;
        for (int64_t i = 0; i < n; i++) {
            s->a[i] = 0;
            s->m[i] = 1;
        }
        for (int64_t j = 0; j < k->d; j++)
            s->kernels->densities->term(&b, &s->term[j], s->a, s->m);
        s->kernels->maps->map1[GM__F64][GM__LOG](at, s->m, n);
        for (int64_t i = 0; i < n; i++)
            at[i] -= s->a[i];
    }
    for (int64_t i = 0; i < k->count; i++)
        to[i] = room[k->place[i]];
}

/* ---- Bounds over a box ---- */

/* A kernel of the unit support at u >= 0, a little more or less than it: only for pruning and for
 * bounds that are widened afterwards. */
double gm__kde_profile(const gm__kernels *kernels, int32_t kernel, double u)
{
    double t = 1 - u, p = t * (1 + u), c = t * (1 + u * (1 + u));
    if (!(t > 0))
        return 0;
    switch (kernel) {
    case GM__KERNEL_TOPHAT:
        return 1;
    case GM__KERNEL_LINEAR:
        return t;
    case GM__KERNEL_COSINE:
        return gm__kde_map(kernels, GM__SIN, t * (PI / 2));
    case GM__KERNEL_BIWEIGHT:
        return p * p;
    case GM__KERNEL_TRIWEIGHT:
        return p * p * p;
    case GM__KERNEL_TRICUBE:
        return c * c * c;
    default:
        return p;
    }
}

/* Distances from q to [low, high]. The relative margin keeps points at the edge of a support on the
 * safe side: a box is cut off or taken whole only when it is clearly so. */
static void distances(double q, double low, double high, double scale, double u[2])
{
    double near = q < low ? low - q : q > high ? q - high : 0;
    double far = q - low > high - q ? q - low : high - q;
    u[0] = near * scale * (1 - 0x1p-48);
    u[1] = far * scale * (1 + 0x1p-48);
}

static double around(double a, double b)
{
    double t = fabs(a - b);
    return t > PI ? 2 * PI - t : t;
}

static void circular_bounds(const gm__kde_query *s, const gm__kernel_term *t, double q, double low,
                            double high, double a[2])
{
    double other = q >= PI ? q - PI : q + PI, near = around(q, low), far = near, u;
    u = around(q, high);
    near = u < near ? u : near;
    far = u > far ? u : far;
    if (q >= low && q <= high)
        near = 0;
    if (other >= low && other <= high)
        far = PI;
    u = gm__kde_map(s->kernels, GM__SIN, 0.5 * near);
    a[0] = t->p * u * u;
    u = gm__kde_map(s->kernels, GM__SIN, 0.5 * far);
    a[1] = t->p * u * u;
}

/* The exponent a(x) = x q / b + (1 - x) q2 / b + log B(x) is convex in x: its largest value is at
 * an end, its least at an end or over one of the tangents there. */
static void beta_bounds(const gm__kde *k, const gm__kernel_term *t, int64_t column, int64_t node,
                        const double *box, double a[2])
{
    const gm__kde_column *c = &k->columns[column];
    const double *beta = k->beta + (node * k->d + column) * 4;
    double h = c->bandwidth / (c->high - c->low), b = h * h, low = box[column];
    double high = box[k->d + column], width = high - low;
    double at_low = (low * t->q + (1 - low) * t->q2) / b + beta[0];
    double at_high = (high * t->q + (1 - high) * t->q2) / b + beta[1];
    double slope_low = (t->q - t->q2) / b + beta[2], slope_high = (t->q - t->q2) / b + beta[3];
    a[1] = at_low > at_high ? at_low : at_high;
    if (slope_low >= 0) {
        a[0] = at_low;
    } else if (slope_high <= 0) {
        a[0] = at_high;
    } else {
        double left = at_low + slope_low * width, right = at_high - slope_high * width;
        a[0] = left > right ? left : right;
    }
    a[0] -= 1e-9 * (1 + fabs(a[0])) + 1e-12 / b;
    a[1] += 1e-9 * (1 + fabs(a[1])) + 1e-12 / b;
}

static void reflected_bounds(const gm__kde_query *s, const gm__kernel_term *t, double low,
                             double high, const double scale[2], double a[2], double m[2])
{
    double u[2], v[2];
    distances(t->q, low, high, scale[1], u);
    distances(t->q, low, high, scale[0], v);
    if (t->kernel == GM__KERNEL_GAUSSIAN || t->kernel == GM__KERNEL_EXPONENTIAL) {
        int gauss = t->kernel == GM__KERNEL_GAUSSIAN;
        a[0] += gauss ? 0.5 * v[0] * v[0] : v[0];
        a[1] += gauss ? 0.5 * u[1] * u[1] : u[1];
        m[1] *= t->images;
        return;
    }
    double least = 0, most = 0;
    for (int32_t i = 0; i < t->images; i++) {
        const gm__image *at = &t->image[i];
        double l = at->sign > 0 ? low : -high, r = at->sign > 0 ? high : -low;
        distances(t->q, l + at->shift, r + at->shift, scale[1], u);
        distances(t->q, l + at->shift, r + at->shift, scale[0], v);
        least += gm__kde_profile(s->kernels, t->kernel, u[1]);
        most += gm__kde_profile(s->kernels, t->kernel,
                                v[0] - 1e-12 * (fabs(t->q) + fabs(at->shift)) * scale[1]);
    }
    m[0] *= least;
    m[1] *= most;
}

static void real_bounds(const gm__kde_query *s, const gm__kernel_term *t, double q, double low,
                        double high, const double scale[2], double a[2], double m[2])
{
    double u[2], v[2];
    distances(q, low, high, scale[1], u);
    distances(q, low, high, scale[0], v);
    if (t->op == GM__TERM_GAUSS) {
        a[0] += 0.5 * v[0] * v[0];
        a[1] += 0.5 * u[1] * u[1];
    } else if (t->op == GM__TERM_RADIUS) {
        a[0] += v[0] * v[0];
        a[1] += u[1] * u[1];
    } else if (t->op == GM__TERM_EXPONENTIAL) {
        a[0] += v[0];
        a[1] += u[1];
    } else {
        m[0] *= gm__kde_profile(s->kernels, t->kernel, u[1]);
        m[1] *= gm__kde_profile(s->kernels, t->kernel, v[0]);
    }
}

static void steps_bounds(const gm__kernel_term *t, double q, double low, double high, double a[2],
                         double m[2])
{
    double u[2];
    distances(q, low, high, 1, u);
    a[0] += u[0] * t->q2;
    a[1] += u[1] * t->q2;
    m[0] *= u[1] > 0 ? t->p2 : t->p;
    m[1] *= u[0] > 0 ? t->p2 : t->p;
}

static void column_bounds(const gm__kde_query *s, int64_t column, int64_t node, double a[2],
                          double m[2])
{
    const gm__kde *k = s->k;
    const gm__kernel_term *t = &s->term[column];
    const double *box = k->box + node * 2 * k->d;
    double q = s->q[column], low = box[column], high = box[k->d + column], more[2];
    double scale[2] = {k->inverse[column], k->inverse[column]};
    if (k->range) {
        scale[0] /= k->range[2 * node + 1];
        scale[1] /= k->range[2 * node];
    }
    switch (t->op) {
    case GM__TERM_REFLECTED:
        reflected_bounds(s, t, low, high, scale, a, m);
        return;
    case GM__TERM_CIRCULAR:
        circular_bounds(s, t, q, low, high, more);
        a[0] += more[0];
        a[1] += more[1];
        return;
    case GM__TERM_BETA:
        beta_bounds(k, t, column, node, box, more);
        a[0] += more[0];
        a[1] += more[1];
        return;
    case GM__TERM_EQUAL:
        if (q < low || q > high || low == high) {
            m[0] *= low == q ? t->p : t->p2;
            m[1] *= low == q ? t->p : t->p2;
        } else {
            m[0] *= t->p < t->p2 ? t->p : t->p2;
            m[1] *= t->p > t->p2 ? t->p : t->p2;
        }
        return;
    case GM__TERM_STEPS:
        steps_bounds(t, q, low, high, a, m);
        return;
    default:
        real_bounds(s, t, q, low, high, scale, a, m);
    }
}

void gm__kde_marked_bounds(const gm__kde_query *s, const uint8_t *mark, int64_t node, double a[2],
                           double m[2])
{
    a[0] = a[1] = 0;
    m[0] = m[1] = 1;
    for (int64_t j = 0; j < s->k->d && m[1] > 0; j++)
        if (mark[j])
            column_bounds(s, j, node, a, m);
}

void gm__kde_node_bounds(const gm__kde_query *s, int64_t node, double a[2], double m[2])
{
    int32_t kernel = s->k->columns[0].kernel;
    a[0] = a[1] = 0;
    m[0] = m[1] = 1;
    for (int64_t j = 0; j < s->k->d && m[1] > 0; j++)
        column_bounds(s, j, node, a, m);
    if (!s->k->radial)
        return;
    a[0] = sqrt(a[0]) * (1 - 0x1p-48);
    a[1] = sqrt(a[1]) * (1 + 0x1p-48);
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return;
    m[0] = gm__kde_profile(s->kernels, kernel, a[1]);
    m[1] = gm__kde_profile(s->kernels, kernel, a[0]);
    a[0] = a[1] = 0;
}
