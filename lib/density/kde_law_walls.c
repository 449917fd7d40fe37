/* Laws of columns with walls: reflected kernels, and beta kernels. */
#include "density/kde_law.h"

#include <math.h>

enum { CHUNK = 128, LANES = 2 };

/* ---- Reflected ------------------------------------------------------------------------------- */

/* Exponential kernels have all of their images in one sum. With E(z) = e^(-z / h), walls 0 and W, a
 * row at c and v at or under it, the images at 2 j W + c and 2 j W - c add up to
 *     density (E(c - v) + E(2 W - (c - v)) + E(c + v) + E(2 W - (c + v))) / (1 - E(2 W)),
 *     below   (1 - E(2 v)) (1 + E(2 (W - c))) E(c - v) / 2 / (1 - E(2 W)):
 * geometric series, and no difference of near numbers in them. Over the row it is the same seen
 * from the other wall. */
static void exponential_law(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                            gm__kde_sums *s)
{
    const gm__kde_column *c = &l->column;
    double width = c->high - c->low;
    for (int64_t i = 0; i < n; i++) {
        /* away from the row and towards its near side: v lies between the row and that wall */
        int under = v < p[i].center;
        double h = c->bandwidth * p[i].scale, t = fabs(v - p[i].center);
        double near = under ? v - c->low : c->high - v; /* of v to the wall on its side */
        double far = under ? c->high - p[i].center : p[i].center - c->low; /* of the row */
        double minus[6] = {-t, t - 2 * width, -(t + 2 * near), -(t + 2 * far), -2 * near, -2 * far};
        double e[6], m[2], all[1] = {-2 * width / h};
        for (int k = 0; k < 6; k++)
            minus[k] /= h;
        l->kernels->maps->map1[GM__F64][GM__EXP](e, minus, 6);
        l->kernels->maps->map1[GM__F64][GM__EXPM1](m, minus + 4, 1);
        l->kernels->maps->map1[GM__F64][GM__EXPM1](all, all, 1);
        double out = 0.5 * m[0] * (1 + e[5]) * e[0] / all[0];
        s->density += p[i].weight * (e[0] + e[1] + e[2] + e[3]) / -all[0] / p[i].scale;
        s->below += p[i].weight * (under ? out : 1 - out);
        s->above += p[i].weight * (under ? 1 - out : out);
    }
}

/* The share between u and v, u <= v, from their tails beyond |u| and |v|: from the side on which
 * both are small. */
static double between(double u, double v, double tail_u, double tail_v)
{
    return u >= 0 ? tail_u - tail_v : v <= 0 ? tail_v - tail_u : 1 - tail_u - tail_v;
}

/* Images of at most CHUNK parts: one after another, all parts in each. */
static void gauss_images(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                         gm__kde_sums *s)
{
    const gm__kde_column *c = &l->column;
    double u[3 * CHUNK], tail[3 * CHUNK], e[CHUNK], width = c->high - c->low, most = 0;
    double wall = c->low > -INFINITY ? c->low : c->high;
    for (int64_t i = 0; i < n; i++)
        most = p[i].scale > most ? p[i].scale : most;
    most = width < INFINITY ? floor(39 * c->bandwidth * most / (2 * width)) + 1 : 0;
    most = most < 1024 ? most : 1024;
    for (double j = -most; j <= most; j++)
        for (int side = 0; side < 2; side++) {
            double shift = width < INFINITY ? 2 * j * width : 0;
            for (int64_t i = 0; i < n; i++) {
                double h = c->bandwidth * p[i].scale;
                double at = (side ? 2 * wall - p[i].center : p[i].center) + shift;
                u[i] = (c->low - at) / h;
                u[n + i] = (v - at) / h;
                u[2 * n + i] = (c->high - at) / h;
                e[i] = -0.5 * u[n + i] * u[n + i];
            }
            for (int64_t i = 0; i < 3 * n; i++)
                tail[i] = -fabs(u[i]);
            l->kernels->maps->map1[GM__F64][GM__NORMAL_CDF](tail, tail, 3 * n);
            l->kernels->maps->map1[GM__F64][GM__EXP](e, e, n);
            for (int64_t i = 0; i < n; i++) {
                s->density += p[i].weight * e[i] / p[i].scale;
                s->below += p[i].weight * between(u[i], u[n + i], tail[i], tail[n + i]);
                s->above +=
                    p[i].weight * between(u[n + i], u[2 * n + i], tail[n + i], tail[2 * n + i]);
            }
        }
}

/* Kernels of the unit support: each image's share of [low, v] and [v, high]. */
static void compact_images(const gm__kde_laws *l, const gm__kde_part *p, double v, gm__kde_sums *s)
{
    const gm__kde_column *c = &l->column;
    double width = c->high - c->low, wall = c->low > -INFINITY ? c->low : c->high;
    double h = c->bandwidth * p->scale;
    double most = width < INFINITY ? floor(h / (2 * width)) + 1 : 0;
    most = most < 1024 ? most : 1024;
    for (double j = -most; j <= most; j++)
        for (int side = 0; side < 2; side++) {
            double at =
                (side ? 2 * wall - p->center : p->center) + (width < INFINITY ? 2 * j * width : 0);
            double u[3] = {(c->low - at) / h, (v - at) / h, (c->high - at) / h}, tail[3];
            for (int k = 0; k < 3; k++)
                tail[k] = gm__kde_tail(l->kernels, c->kernel, fabs(u[k]));
            s->density += p->weight * gm__kde_profile(l->kernels, c->kernel, fabs(u[1])) / p->scale;
            s->below += p->weight * between(u[0], u[1], tail[0], tail[1]);
            s->above += p->weight * between(u[1], u[2], tail[1], tail[2]);
        }
}

void gm__kde_reflected_law(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                           gm__kde_sums *s)
{
    int32_t kernel = l->column.kernel;
    if (kernel == GM__KERNEL_EXPONENTIAL)
        exponential_law(l, p, n, v, s);
    for (int64_t i = 0; i < n && kernel == GM__KERNEL_GAUSSIAN; i += CHUNK)
        gauss_images(l, p + i, n - i < CHUNK ? n - i : CHUNK, v, s);
    for (int64_t i = 0; i < n && kernel != GM__KERNEL_GAUSSIAN && kernel != GM__KERNEL_EXPONENTIAL;
         i++)
        compact_images(l, p + i, v, s);
}

/* ---- Beta ------------------------------------------------------------------------------------ */

gm_status gm__kde_beta_constants(gm_context *ctx, gm__kde_laws *l)
{
    const gm__kde_column *c = &l->column;
    double width = c->high - c->low, h = c->bandwidth / width;
    l->constant = gm__alloc_array(&l->allocator, l->room, sizeof *l->constant);
    if (!l->constant)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < l->start[l->lists]; i++) {
        double x = (l->part[i].center - c->low) / width, g[4];
        g[0] = x / (h * h) + 1;
        g[1] = (1 - x) / (h * h) + 1;
        g[2] = g[0] + g[1];
        g[3] = l->part[i].weight;
        l->kernels->maps->map1[GM__F64][GM__LGAMMA](g, g, 3);
        l->constant[i] = gm__kde_map(l->kernels, GM__LOG, g[3]) - (g[0] + g[1] - g[2]);
        if (i % 4096 == 0)
            GM_TRY(gm__check_cancel(ctx));
    }
    return GM_OK;
}

typedef double pair __attribute__((vector_size(16)));

/* 1 / (a + K) with the continued fraction K of the incomplete beta function (Abramowitz and Stegun
 * 26.5.8) for x under (a + 1) / (a + b + 2), its denominators cleared: the partial denominators are
 * a + n, the numerators m (b - m) x for n = 2 m and -(a + m) (a + b + m) x for n = 2 m + 1. By the
 * recurrence of numerators and denominators, two at a time; every fourth m they are scaled, and
 * looked at. */
static pair beta_fractions(pair a, pair b, pair x)
{
    pair one = {1, 1}, top1 = a, top = (a + 1) * a - a * (a + b) * x, bottom1 = one, bottom = a + 1;
    double m = 1;
    for (int moving = 1; m < 10000 && moving;) {
        for (int step = 0; step < 4; step++, m += 1) {
            pair up = (b - m) * (m * x), n = a + 2 * m, on = -(a + m) * ((a + b + m) * x);
            pair t = n * top + up * top1, u = n * bottom + up * bottom1;
            top1 = t;
            bottom1 = u;
            top = (n + 1) * t + on * top;
            bottom = (n + 1) * u + on * bottom;
        }
        pair scale = one / top, miss;
        top1 *= scale;
        bottom1 *= scale;
        bottom *= scale;
        top = one;
        miss = bottom * top1 - bottom1;
        moving = 0;
        for (int i = 0; i < LANES; i++)
            moving |= fabs(miss[i]) > 0x1p-48 * fabs(bottom1[i]);
    }
    return bottom;
}

/* Parts that matter at v, gathered for beta_fractions. */
typedef struct lanes {
    pair a, b, x;
    double e[LANES], weight[LANES];
    int left[LANES], count;
} lanes;

static void add_lanes(const gm__kde_laws *l, lanes *g, double v_share, gm__kde_sums *s)
{
    for (int i = g->count; i < LANES; i++) {
        g->a[i] = g->b[i] = 1;
        g->x[i] = 0;
    }
    pair f = beta_fractions(g->a, g->b, g->x);
    l->kernels->maps->map1[GM__F64][GM__EXP](g->e, g->e, g->count);
    for (int i = 0; i < g->count; i++) {
        double out = g->e[i] * v_share * f[i];
        out = out < g->weight[i] ? out : g->weight[i];
        s->below += g->left[i] ? out : g->weight[i] - out;
        s->above += g->left[i] ? g->weight[i] - out : out;
    }
    g->count = 0;
}

/* The log of a part's weight and density at y. */
static double log_part(const gm__kde_laws *l, const gm__kde_part *p, double constant, double log_y,
                       double log_z)
{
    double width = l->column.high - l->column.low, h = l->column.bandwidth / width;
    double x = (p->center - l->column.low) / width;
    return x / (h * h) * log_y + (1 - x) / (h * h) * log_z + constant;
}

double gm__kde_beta_law(const gm__kde_laws *l, const gm__kde_part *p, const double *constant,
                        int64_t n, double v, gm__kde_sums *s)
{
    const gm__kde_column *c = &l->column;
    double width = c->high - c->low, h = c->bandwidth / width, b = h * h, y = (v - c->low) / width;
    double log_y = y > 0 ? gm__kde_map(l->kernels, GM__LOG, y) : -1e290;
    double log_z = y < 1 ? gm__kde_map(l->kernels, GM__LOG, 1 - y) : -1e290, most = -1e300;
    double e[CHUNK];
    lanes g = {.count = 0};
    for (int64_t i = 0; i < n; i++) {
        double at = log_part(l, &p[i], constant[i], log_y, log_z);
        most = at > most ? at : most;
    }
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t count = n - first < CHUNK ? n - first : CHUNK;
        for (int64_t i = 0; i < count; i++)
            e[i] = log_part(l, &p[first + i], constant[first + i], log_y, log_z) - most;
        for (int64_t i = 0; i < count; i++) {
            double x = (p[first + i].center - c->low) / width, a = x / b + 1,
                   other = (1 - x) / b + 1;
            int left = y < (a + 1) / (a + other + 2);
            if (e[i] < -80) { /* the tail at y is no more than this times 1 / b */
                s->below += left ? 0 : p[first + i].weight;
                s->above += left ? p[first + i].weight : 0;
                continue;
            }
            g.a[g.count] = left ? a : other;
            g.b[g.count] = left ? other : a;
            g.x[g.count] = left ? y : 1 - y;
            g.e[g.count] = e[i] + most;
            g.weight[g.count] = p[first + i].weight;
            g.left[g.count++] = left;
            if (g.count == LANES)
                add_lanes(l, &g, y * (1 - y), s);
        }
        l->kernels->maps->map1[GM__F64][GM__EXP](e, e, count);
        for (int64_t i = 0; i < count; i++)
            s->density += e[i];
    }
    if (g.count)
        add_lanes(l, &g, y * (1 - y), s);
    return -most;
}
