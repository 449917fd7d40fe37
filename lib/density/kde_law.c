/* The law of one column given others: a mixture of the rows' kernels in that column, weighed by
 * their kernels in the columns that are known. Every kernel has its distribution in closed form,
 * but beta's (a continued fraction) and von Mises's (a Fourier series for the mixture as a whole).
 * Columns with walls are in kde_law_walls.c. */
#include "density/kde_law.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

#define PI 0x1.921fb54442d18p1
enum { CHUNK = 128, MOST_LEVELS = 1 << 16, MOST_WAVES = 20000 };

/* ---- Kernels on the line --------------------------------------------------------------------- */

double gm__kde_tail(const gm__kernels *kernels, int32_t kernel, double u)
{
    double t = 1 - u, s;
    if (kernel == GM__KERNEL_GAUSSIAN)
        return gm__kde_map(kernels, GM__NORMAL_CDF, -u);
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return 0.5 * gm__kde_map(kernels, GM__EXP, -u);
    if (!(t > 0))
        return 0;
    switch (kernel) {
    case GM__KERNEL_TOPHAT:
        return 0.5 * t;
    case GM__KERNEL_LINEAR:
        return 0.5 * t * t;
    case GM__KERNEL_COSINE:
        s = gm__kde_map(kernels, GM__SIN, t * (PI / 4));
        return s * s;
    case GM__KERNEL_BIWEIGHT:
        return t * t * t * (8 + u * (9 + 3 * u)) / 16;
    case GM__KERNEL_TRIWEIGHT:
        return t * t * t * t * (16 + u * (29 + u * (20 + 5 * u))) / 32;
    case GM__KERNEL_TRICUBE:
        s = 110 + u * (70 + u * (28 + 7 * u));
        return t * t * t * t * (40.5 + u * (92 + u * (125 + u * s))) / 81;
    default:
        return t * t * (2 + u) / 4;
    }
}

/* ---- Kinds of columns ------------------------------------------------------------------------ */

/* The least exponent of Gaussian and exponential kernels, so that far tails keep their digits. */
static double least_exponent(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v)
{
    double least = INFINITY, h = l->column.bandwidth;
    int gauss = l->column.kernel == GM__KERNEL_GAUSSIAN;
    if (!gauss && l->column.kernel != GM__KERNEL_EXPONENTIAL)
        return 0;
    for (int64_t i = 0; i < n; i++) {
        double u = fabs(v - p[i].center) / (h * p[i].scale), e = gauss ? 0.5 * u * u : u;
        least = e < least ? e : least;
    }
    return least;
}

static void gauss_sums(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                       double least, int shares, gm__kde_sums *s)
{
    double u[CHUNK], e[CHUNK], b[CHUNK];
    for (int64_t i = 0; i < n; i++) {
        u[i] = (v - p[i].center) / (l->column.bandwidth * p[i].scale);
        e[i] = least - 0.5 * u[i] * u[i];
    }
    l->kernels->maps->map1[GM__F64][GM__EXP](e, e, n);
    for (int64_t i = 0; i < n; i++)
        s->density += p[i].weight * e[i] / p[i].scale;
    if (!shares)
        return;
    l->kernels->maps->map1[GM__F64][GM__NORMAL_CDF](b, u, n);
    for (int64_t i = 0; i < n; i++) {
        u[i] = -u[i];
        s->below += p[i].weight * b[i];
    }
    l->kernels->maps->map1[GM__F64][GM__NORMAL_CDF](b, u, n);
    for (int64_t i = 0; i < n; i++)
        s->above += p[i].weight * b[i];
}

/* shares: below and above are asked for. */
static double real_law(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                       int shares, gm__kde_sums *s)
{
    int32_t kernel = l->column.kernel;
    double least = least_exponent(l, p, n, v);
    for (int64_t i = 0; i < n && kernel == GM__KERNEL_GAUSSIAN; i += CHUNK)
        gauss_sums(l, p + i, n - i < CHUNK ? n - i : CHUNK, v, least, shares, s);
    for (int64_t i = 0; i < n && kernel != GM__KERNEL_GAUSSIAN; i++) {
        double u = (v - p[i].center) / (l->column.bandwidth * p[i].scale);
        double beyond = gm__kde_tail(l->kernels, kernel, fabs(u));
        double k = kernel == GM__KERNEL_EXPONENTIAL
                       ? gm__kde_map(l->kernels, GM__EXP, least - fabs(u))
                       : gm__kde_profile(l->kernels, kernel, fabs(u));
        s->density += p[i].weight * k / p[i].scale;
        s->below += p[i].weight * (u < 0 ? beyond : 1 - beyond);
        s->above += p[i].weight * (u < 0 ? 1 - beyond : beyond);
    }
    return least;
}

static void circular_law(const gm__kde_laws *l, int64_t list, const gm__kde_part *p, int64_t n,
                         double v, gm__kde_sums *s)
{
    double h = l->column.bandwidth, kappa = 1 / (h * h), sine = 0, cosine = 1, turn[2];
    const double *wave = l->wave + list * l->waves * 2;
    for (int64_t i = 0; i < n; i++) {
        double half = gm__kde_map(l->kernels, GM__SIN, 0.5 * (v - p[i].center));
        s->density += p[i].weight * gm__kde_map(l->kernels, GM__EXP, -2 * kappa * half * half);
    }
    turn[0] = gm__kde_map(l->kernels, GM__COS, v);
    turn[1] = gm__kde_map(l->kernels, GM__SIN, v);
    s->below = v / (2 * PI);
    for (int64_t k = 0; k < l->waves; k++) {
        double next = cosine * turn[0] - sine * turn[1];
        sine = sine * turn[0] + cosine * turn[1];
        cosine = next;
        s->below += l->ratio[k] / PI * (wave[2 * k] * sine + wave[2 * k + 1] * (1 - cosine));
    }
    s->below = s->below < 0 ? 0 : s->below > 1 ? 1 : s->below;
    s->above = 1 - s->below;
}

static void category_law(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                         gm__kde_sums *s)
{
    double lambda = l->column.bandwidth, high = l->column.high;
    double other = high > 0 ? lambda / high : 0, up_to = floor(v);
    for (int64_t i = 0; i < n; i++) {
        double x = p[i].center, below = other * (up_to + 1), above = other * (high - up_to);
        if (x <= up_to)
            below += 1 - lambda - other;
        else
            above += 1 - lambda - other;
        s->density += p[i].weight * (v == x ? 1 - lambda : v == up_to ? other : 0);
        s->below += p[i].weight * below;
        s->above += p[i].weight * above;
    }
}

/* Sums of geometric series; each kernel over what of it lies on its levels. */
static void ordered_law(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                        gm__kde_sums *s)
{
    const gm__kde_column *c = &l->column;
    double lambda = c->bandwidth, own = 1 - lambda, up_to = floor(v);
    double log_lambda = lambda > 0 ? gm__kde_map(l->kernels, GM__LOG, lambda) : -1000;
    for (int64_t i = 0; i < n; i++) {
        double x = p[i].center, far = fabs(up_to - x),
               e[4] = {far, far + 1, x - c->low + 1, c->high - x + 1};
        for (int k = 0; k < 4; k++)
            e[k] *= log_lambda;
        l->kernels->maps->map1[GM__F64][GM__EXP](e, e, 4);
        double under = 0.5 * (lambda - e[2]), over = 0.5 * (lambda - e[3]),
               all = under + own + over;
        double below = up_to < x ? 0.5 * (e[0] - e[2]) : under + own + 0.5 * (lambda - e[1]);
        double above = up_to < x ? 0.5 * (lambda - e[0]) + own + over : 0.5 * (e[1] - e[3]);
        double k = up_to != v ? 0 : far > 0 ? 0.5 * own * e[0] : own;
        s->density += p[i].weight * k / all;
        s->below += p[i].weight * below / all;
        s->above += p[i].weight * above / all;
    }
}

/* Where v is no value of the column. */
static int beyond(const gm__kde_column *c, double v, gm__kde_sums *s)
{
    double low = c->kind == GM__KDE_REAL ? -INFINITY : c->low;
    double high = c->kind == GM__KDE_REAL ? INFINITY : c->high;
    if (v < low)
        *s = (gm__kde_sums){0, 0, 1};
    else if (v > high || (c->kind >= GM__KDE_CATEGORY && v == high))
        s->below = 1;
    return v < low || v > high;
}

static void at(const gm_law *of, int64_t i, double v, double *logp, double *below, double *above)
{
    const gm__kde_laws *l = of->state;
    int64_t list = l->list_of[i], n = l->start[list + 1] - l->start[list];
    const gm__kde_part *p = l->part + l->start[list];
    gm__kde_sums s = {0, 0, 0};
    double least = 0;
    if (l->step > 0)
        v = (v - l->low) / l->step;
    if (l->column.kind >= GM__KDE_CATEGORY && fabs(v - floor(v + 0.5)) < 1e-9)
        v = floor(v + 0.5); /* levels of x are scaled */
    if (!beyond(&l->column, v, &s)) {
        s = (gm__kde_sums){0, 0, 0};
        switch (l->column.kind) {
        case GM__KDE_REAL:
            least = real_law(l, p, n, v, below || above, &s);
            break;
        case GM__KDE_REFLECT:
            gm__kde_reflected_law(l, p, n, v, &s);
            break;
        case GM__KDE_CIRCULAR:
            circular_law(l, list, p, n, v, &s);
            break;
        case GM__KDE_BETA:
            least = gm__kde_beta_law(l, p, l->constant + l->start[list], n, v, &s);
            break;
        case GM__KDE_CATEGORY:
            category_law(l, p, n, v, &s);
            break;
        default:
            ordered_law(l, p, n, v, &s);
        }
    }
    if (logp)
        *logp = s.density > 0 ? gm__kde_map(l->kernels, GM__LOG, s.density) - least - l->log_norm
                              : -INFINITY;
    if (below)
        *below = s.below < 1 ? s.below > 0 ? s.below : 0 : 1;
    if (above)
        *above = s.above < 1 ? s.above > 0 ? s.above : 0 : 1;
}

/* ---- Making ---------------------------------------------------------------------------------- */

static void law_free(gm_law *of)
{
    gm__kde_laws *l = of->state;
    if (!l)
        return;
    gm_allocator a = l->allocator;
    gm__free(&a, l->part, (size_t)l->room * sizeof *l->part);
    gm__free(&a, l->start, l->start ? (size_t)(l->rows + 1) * sizeof *l->start : 0);
    gm__free(&a, l->list_of, l->list_of ? (size_t)l->rows * sizeof *l->list_of : 0);
    gm__free(&a, l->constant, l->constant ? (size_t)l->room * sizeof *l->constant : 0);
    gm__free(&a, l->ratio, (size_t)l->waves * sizeof *l->ratio);
    gm__free(&a, l->wave, (size_t)(l->lists * l->waves * 2) * sizeof *l->wave);
    gm__free(&a, l, sizeof *l);
    of->state = NULL;
}

/* Rows of one level become one; there are at least as many parts as levels before, or nothing is
 * done. mass (levels) is scratch. */
static int64_t merge(gm__kde_part *p, int64_t n, int64_t levels, double *mass)
{
    int64_t count = 0;
    memset(mass, 0, (size_t)levels * sizeof *mass);
    for (int64_t i = 0; i < n; i++)
        mass[(int64_t)p[i].center] += p[i].weight;
    for (int64_t j = 0; j < levels; j++)
        if (mass[j] > 0)
            p[count++] = (gm__kde_part){(double)j, mass[j], 1};
    return count;
}

/* The mixture of row i behind the others; the list of parts grows. */
static gm_status add_list(gm_context *ctx, gm__kde_laws *l, const gm__kde *k, gm__kde_given *given,
                          const double *value, int64_t column, int64_t list, double *mass)
{
    int64_t from = l->start[list], count, room = l->room + l->room / 2 + k->count;
    int64_t levels = mass ? (int64_t)l->column.high + 1 : 0;
    if (from + k->count > l->room) {
        gm__kde_part *grown;
        size_t old = (size_t)l->room * sizeof *grown, size;
        if (gm__mul_size((size_t)room, sizeof *grown, &size))
            return gm__no_memory(ctx);
        grown = gm__resize(&l->allocator, l->part, old, size);
        if (!grown)
            return gm__no_memory(ctx);
        l->part = grown;
        l->room = room;
    }
    GM_TRY(gm__kde_given_mixture(ctx, given, value, column, l->part + from, &count));
    if (mass && levels <= 2 * count)
        count = merge(l->part + from, count, levels, mass);
    l->start[list + 1] = from + count;
    return GM_OK;
}

/* I_p / I_0 / p by the backward recurrence of the ratios (Abramowitz and Stegun 9.6.26), then the
 * sums of each list. */
static gm_status set_waves(gm_context *ctx, gm__kde_laws *l)
{
    double h = l->column.bandwidth, kappa = 1 / (h * h), ratio = 0;
    double waves = 8.6 * sqrt(kappa) + 16;
    l->waves = waves < MOST_WAVES ? (int64_t)waves : MOST_WAVES;
    l->ratio = gm__alloc_array(&l->allocator, l->waves, sizeof *l->ratio);
    l->wave = gm__alloc_array(&l->allocator, l->lists * l->waves, 2 * sizeof *l->wave);
    if (!l->ratio || !l->wave)
        return gm__no_memory(ctx);
    for (int64_t p = l->waves + 20; p >= 1; p--) {
        ratio = 1 / (2 * (double)p / kappa + ratio);
        if (p <= l->waves)
            l->ratio[p - 1] = ratio;
    }
    for (int64_t p = 1; p < l->waves; p++)
        l->ratio[p] *= l->ratio[p - 1];
    for (int64_t p = 0; p < l->waves; p++)
        l->ratio[p] /= (double)(p + 1);
    for (int64_t list = 0; list < l->lists; list++) {
        double *wave = l->wave + list * l->waves * 2;
        GM_TRY(gm__check_cancel(ctx));
        for (int64_t i = l->start[list]; i < l->start[list + 1]; i++) {
            double c = gm__kde_map(l->kernels, GM__COS, l->part[i].center), x = 1, y = 0;
            double s = gm__kde_map(l->kernels, GM__SIN, l->part[i].center);
            for (int64_t p = 0; p < l->waves; p++) {
                double next = x * c - y * s;
                y = y * c + x * s;
                x = next;
                wave[2 * p] += l->part[i].weight * x;
                wave[2 * p + 1] += l->part[i].weight * y;
            }
        }
    }
    return GM_OK;
}

static int same_known(const double *a, const double *b, const uint8_t *known, int64_t width)
{
    for (int64_t j = 0; j < width; j++)
        if (known[j] && memcmp(a + j, b + j, sizeof *a))
            return 0;
    return 1;
}

static gm_status fill(gm_context *ctx, gm__kde_laws *l, const gm__kde_state *s, const double *x,
                      const uint8_t *known, int64_t column)
{
    const gm__kde *k = s->kde;
    int counted = l->column.kind >= GM__KDE_CATEGORY && l->column.high < MOST_LEVELS;
    int64_t levels = counted ? (int64_t)l->column.high + 1 : 0;
    gm__kde_given *given;
    GM_TRY(gm__kde_given_open(ctx, k, known, &given));
    double *value = gm__alloc_array(&ctx->allocator, s->width + levels, sizeof *value);
    gm_status code = value ? GM_OK : gm__no_memory(ctx);
    for (int64_t i = 0; i < l->rows && !code; i++) {
        const double *row = x + i * s->width;
        if (i == 0 || !same_known(row - s->width, row, known, s->width)) {
            double *mass = counted ? value + s->width : NULL;
            gm__kde_from_x(s, row, 1, value);
            code = gm__check_cancel(ctx);
            if (!code)
                code = add_list(ctx, l, k, given, value, column, l->lists, mass);
            l->lists += !code;
        }
        l->list_of[i] = l->lists - 1;
    }
    gm__free(&ctx->allocator, value, (size_t)(s->width + levels) * sizeof *value);
    gm__kde_given_close(ctx, given);
    if (!code && l->column.kind == GM__KDE_CIRCULAR)
        code = set_waves(ctx, l);
    if (!code && l->column.kind == GM__KDE_BETA)
        code = gm__kde_beta_constants(ctx, l);
    return code;
}

gm_status gm__kde_law(gm_context *ctx, const void *state, int64_t n, const double *x,
                      const unsigned char *known, int64_t column, gm_law *out)
{
    const gm__kde_state *s = state;
    const gm_x_column *c = &s->columns[column];
    gm__kde_laws *l = gm__alloc(&ctx->allocator, sizeof *l);
    if (!l)
        return gm__no_memory(ctx);
    *l = (gm__kde_laws){.allocator = ctx->allocator, .kernels = ctx->kernels, .rows = n};
    l->column = s->kde->columns[column];
    l->log_norm = gm__kde_log_constant(ctx->kernels, &l->column);
    if (c->kind == GM_X_LEVELS) {
        l->low = c->low;
        l->step = c->step > 0 ? c->step : 1;
    }
    out->discrete = l->column.kind >= GM__KDE_CATEGORY;
    out->rows = n;
    out->state = l;
    out->at = at;
    out->free = law_free;
    l->start = gm__alloc_array(&ctx->allocator, n + 1, sizeof *l->start);
    l->list_of = gm__alloc_array(&ctx->allocator, n, sizeof *l->list_of);
    gm_status code =
        l->start && l->list_of ? fill(ctx, l, s, x, known, column) : gm__no_memory(ctx);
    if (code)
        law_free(out);
    return code;
}
