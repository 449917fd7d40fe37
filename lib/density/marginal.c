#include "density/marginal.h"
#include "density/kde.h"
#include "density/mixture.h"
#include "base/sort.h"

#include <math.h>
#include <string.h>

#define LOG_TWO_PI 1.83787706640934548356
#define LEAST 1e-280 /* sums from here on are taken as logarithms */

static double map(const gm__kernels *k, gm__map1 which, double x)
{
    double y;
    k->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

/* ---- Mixtures -------------------------------------------------------------------------------- */

/* log Phi(-t) for t >= 30, by its continued fraction (Abramowitz and Stegun 1964, 26.2.14). */
static double log_tail(const gm__kernels *k, double t)
{
    double fraction = t;
    for (int i = 8; i > 0; i--)
        fraction = t + i / fraction;
    return -0.5 * (t * t + LOG_TWO_PI) - map(k, GM__LOG, fraction);
}

/* z of log Phi(z) = log_p, far down: Newton. */
static double far_quantile(const gm__kernels *k, double log_p)
{
    double t = sqrt(-2 * log_p);
    for (int i = 0; i < 8; i++) /* d log Phi(-t) / dt is -t - 1/t nearly */
        t += (log_tail(k, t) - log_p) / (t + 1 / t);
    return -t;
}

/* The log of the density at x, or of a tail: of what lies above x, or below it. */
static double log_sum(const gm__kernels *k, const gm__marginal *m, double x, int above, int tail)
{
    double most = -INFINITY, sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < m->count; i++) {
            double s = m->p[2 * m->count + i], z = (x - m->p[m->count + i]) / s, term;
            if (tail) {
                double t = above ? z : -z;
                term = t > 30 ? log_tail(k, t) : map(k, GM__LOG, map(k, GM__NORMAL_CDF, -t));
            } else
                term = -0.5 * (z * z + LOG_TWO_PI) - map(k, GM__LOG, s);
            term += map(k, GM__LOG, m->p[i]);
            if (pass == 0)
                most = term > most ? term : most;
            else if (most > -INFINITY)
                sum += map(k, GM__EXP, term - most);
        }
    return most > -INFINITY ? most + map(k, GM__LOG, sum) : most;
}

/* f'/f. */
static double log_slope_of_density(const gm__kernels *k, const gm__marginal *m, double x,
                                   double log_density)
{
    double sum = 0;
    for (int64_t i = 0; i < m->count; i++) {
        double s = m->p[2 * m->count + i], z = (x - m->p[m->count + i]) / s;
        double log_p = -0.5 * (z * z + LOG_TWO_PI) - map(k, GM__LOG, s) + map(k, GM__LOG, m->p[i]);
        sum -= map(k, GM__EXP, log_p - log_density) * (z / s);
    }
    return sum;
}

/* What a mixture sums up at x. */
typedef struct gm__sums {
    double below, above, density, fall; /* F, 1 - F, f and f' */
} gm__sums;

#define TOGETHER 64 /* components that go through the maps at once */

static gm__sums sum_up(const gm__kernels *k, const gm__marginal *m, double x)
{
    double z[TOGETHER], lower[TOGETHER], upper[TOGETHER], e[TOGETHER];
    gm__sums sum = {0, 0, 0, 0};
    for (int64_t first = 0; first < m->count; first += TOGETHER) {
        int64_t n = m->count - first < TOGETHER ? m->count - first : TOGETHER;
        const double *w = m->p + first, *mean = w + m->count, *s = mean + m->count;
        for (int64_t i = 0; i < n; i++) {
            z[i] = (x - mean[i]) / s[i];
            upper[i] = -z[i];
            e[i] = -0.5 * (z[i] * z[i]);
        }
        k->maps->map1[GM__F64][GM__NORMAL_CDF](lower, z, n);
        k->maps->map1[GM__F64][GM__NORMAL_CDF](upper, upper, n);
        k->maps->map1[GM__F64][GM__EXP](e, e, n);
        for (int64_t i = 0; i < n; i++) {
            double f = w[i] * e[i] / s[i] * 0.39894228040143267794; /* 1 / sqrt(2 pi) */
            sum.below += w[i] * lower[i];
            sum.above += w[i] * upper[i];
            sum.density += f;
            sum.fall -= f * (z[i] / s[i]);
        }
    }
    return sum;
}

static gm__curve mixture_score(const gm__kernels *k, const gm__marginal *m, double x,
                               double *log_slope)
{
    gm__sums sum = sum_up(k, m, x);
    gm__curve c;
    int above = sum.above < sum.below;
    double least = above ? sum.above : sum.below, log_density;
    c.value = least > LEAST ? map(k, GM__NORMAL_QUANTILE, least < 0.5 ? least : 0.5)
                            : far_quantile(k, log_sum(k, m, x, above, 1));
    c.value = above ? -c.value : c.value;
    if (sum.density > LEAST) {
        log_density = map(k, GM__LOG, sum.density);
        c.bend = sum.fall / sum.density;
    } else {
        log_density = log_sum(k, m, x, 0, 0);
        c.bend = log_slope_of_density(k, m, x, log_density);
    }
    *log_slope = log_density + 0.5 * (c.value * c.value + LOG_TWO_PI);
    c.slope = map(k, GM__EXP, *log_slope);
    c.bend += c.value * c.slope;
    return c;
}

/* ---- Any ------------------------------------------------------------------------------------- */

gm__curve gm__marginal_score(const gm__kernels *k, const gm__marginal *m, double x,
                             double *log_slope)
{
    gm__curve c;
    if (m->kind == GM__MARGINAL_MIXTURE || m->kind == GM__MARGINAL_KDE)
        return mixture_score(k, m, x, log_slope);
    if (m->kind == GM__MARGINAL_NORMAL)
        c = (gm__curve){(x - m->p[0]) / m->p[1], 1 / m->p[1], 0};
    else
        c = gm__quantile_forward(&m->way, x);
    *log_slope = map(k, GM__LOG, c.slope);
    return c;
}

double gm__marginal_value(const gm__kernels *k, const gm__marginal *m, double z)
{
    if (m->kind == GM__MARGINAL_MIXTURE || m->kind == GM__MARGINAL_KDE)
        return gm__mixture_value(k, m, z);
    if (m->kind == GM__MARGINAL_NORMAL)
        return m->p[0] + z * m->p[1];
    return gm__quantile_inverse(&m->way, z).value;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static int sound_mixture(const gm__marginal *m)
{
    double sum = 0;
    for (int64_t i = 0; i < m->count; i++) {
        double s = m->p[2 * m->count + i], inverse = 1 / s;
        if (!(m->p[i] >= 0) || !(s > 0) || inverse - inverse != 0)
            return 0;
        sum += m->p[i];
    }
    return m->count > 0 && sum > 1 - 1e-6 && sum < 1 + 1e-6;
}

/* As gm__way has knots: behind two other numbers. */
static gm_status open_knots(gm_context *ctx, gm__arena *arena, gm__marginal *m)
{
    double *p = gm__arena_array(arena, 2 + 3 * m->count, sizeof *p);
    if (!p)
        return gm__no_memory(ctx);
    p[1] = 1;
    memcpy(p + 2, m->p, (size_t)(3 * m->count) * sizeof *p);
    m->p = p;
    m->way = (gm__way){.type = GM_COLUMN_REAL, .by = GM__BY_QUANTILE, .knots = m->count, .p = p};
    return GM_OK;
}

gm_status gm__marginal_open(gm_context *ctx, int32_t kind, const gm_tensors *t, const char *name,
                            gm__arena *arena, gm__marginal *m)
{
    int32_t ndim;
    const int64_t *shape;
    *m = (gm__marginal){.kind = kind, .p = gm_tensors_get(t, name, &ndim, &shape)};
    int sound = m->p && (ndim == 1 ? shape[0] == 2 : ndim == 2 && shape[0] == 3);
    if (sound && ndim == 1) {
        m->kind = GM__MARGINAL_NORMAL;
        sound = m->p[1] > 0 && 1 / m->p[1] - 1 / m->p[1] == 0;
    } else if (sound) {
        m->count = shape[1];
        sound = kind != GM__MARGINAL_NORMAL;
        if (sound && kind == GM__MARGINAL_EMPIRICAL) {
            sound = m->count >= 2 && m->count <= GM__MAX_KNOTS;
            if (sound)
                GM_TRY(open_knots(ctx, arena, m));
            sound = sound && gm__way_sound(&m->way, m->p);
        } else
            sound = sound && sound_mixture(m);
    }
    if (sound && ndim == 2 && kind != GM__MARGINAL_EMPIRICAL)
        return gm__marginal_tabulate(ctx, arena, m);
    return sound ? GM_OK
                 : gm__fail(ctx, GM_E_FORMAT, "copula: '%s' is no marginal that a fit makes", name);
}

/* ---- Learning -------------------------------------------------------------------------------- */

typedef struct gm__weighed {
    double x, weight;
} gm__weighed;

static int by_value(const void *a, const void *b)
{
    double x = ((const gm__weighed *)a)->x, y = ((const gm__weighed *)b)->x;
    return x < y ? -1 : x > y;
}

/* Sorted; by weights the values at even shares of the whole weight. */
static gm_status sort_values(gm_context *ctx, gm__arena *arena, const double *x,
                             const double *weights, int64_t n, double *sorted)
{
    memcpy(sorted, x, (size_t)n * sizeof *x);
    if (!weights) {
        gm__sort_reals(sorted, n);
        return GM_OK;
    }
    gm__weighed *pairs = gm__arena_array(arena, n, sizeof *pairs);
    void **order = gm__arena_array(arena, n, sizeof *order);
    double whole = 0, sum = 0;
    if (!pairs || !order)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < n; i++) {
        pairs[i] = (gm__weighed){x[i], weights[i]};
        order[i] = &pairs[i];
        whole += weights[i];
    }
    gm__sort_pointers(order, n, by_value);
    for (int64_t i = 0, at = 0; i < n; i++) {
        double wanted = ((double)i + 0.5) / (double)n * whole;
        while (at < n - 1 && sum + ((gm__weighed *)order[at])->weight < wanted)
            sum += ((gm__weighed *)order[at++])->weight;
        sorted[i] = ((gm__weighed *)order[at])->x;
    }
    return GM_OK;
}

static gm_status put_normal(gm_context *ctx, double mean, double deviation, gm_tensors *out,
                            const char *name)
{
    const int64_t two = 2;
    double *p;
    GM_TRY(gm_tensors_add(ctx, out, name, 1, &two, &p));
    p[0] = mean;
    p[1] = deviation > 0 ? deviation : 1;
    return GM_OK;
}

static gm_status fit_knots(gm_context *ctx, const double *sorted, int64_t n, double mean,
                           double deviation, gm_tensors *out, const char *name)
{
    double knots[3][GM__MAX_KNOTS], whole[2 + 3 * GM__MAX_KNOTS] = {0, 1}, *p;
    gm__way way = {.type = GM_COLUMN_REAL, .by = GM__BY_QUANTILE};
    int64_t count =
        gm__quantile_knots(ctx->kernels, sorted, n, deviation, knots[0], knots[1], knots[2]);
    way.knots = count;
    for (int i = 0; i < 3; i++)
        memcpy(whole + 2 + i * count, knots[i], (size_t)count * sizeof *whole);
    if (count < 2 || !gm__way_sound(&way, whole))
        return put_normal(ctx, mean, deviation, out, name);
    const int64_t shape[2] = {3, count};
    GM_TRY(gm_tensors_add(ctx, out, name, 2, shape, &p));
    memcpy(p, whole + 2, (size_t)(3 * count) * sizeof *p);
    return GM_OK;
}

static gm_status put_mixture(gm_context *ctx, int64_t count, const double *weight,
                             const double *mean, const double *deviation, gm_tensors *out,
                             const char *name)
{
    const int64_t shape[2] = {3, count};
    double *p;
    GM_TRY(gm_tensors_add(ctx, out, name, 2, shape, &p));
    memcpy(p, weight, (size_t)count * sizeof *p);
    memcpy(p + count, mean, (size_t)count * sizeof *p);
    memcpy(p + 2 * count, deviation, (size_t)count * sizeof *p);
    return GM_OK;
}

static gm_status fit_mixture(gm_context *ctx, uint64_t seed, const double *x, const double *weights,
                             int64_t n, gm_tensors *out, const char *name)
{
    gm_direct_rows rows = {
        .struct_size = sizeof rows, .count = n, .width = 1, .x = x, .weight = weights};
    gm__mixture_plan plan = {.most = 8,
                             .restarts = 2,
                             .iterations = 200,
                             .tolerance = 1e-5,
                             .floor = 0.01,
                             .prior = 1,
                             .seed = seed};
    gm__mixture_shape shape = {.covariance = GM__DIAGONAL, .reals = 1};
    gm__mixture *m;
    GM_TRY(gm__mixture_learn(ctx, &plan, &shape, &rows, NULL, NULL, &m));
    gm_status code = put_mixture(ctx, m->components, m->weight, m->mean, m->factor, out, name);
    gm__mixture_free(m);
    return code;
}

#define BINS 256 /* of kernels: a quarter of a bandwidth wide, if so many suffice */

/* Gaussian kernels on a grid: each value is shared between its two neighbours there (Jones and
 * Lotwick 1983, "On the errors involved in computing the empirical characteristic function"). */
static gm_status fit_kernels(gm_context *ctx, const double *x, const double *weights, int64_t n,
                             double low, double high, gm_tensors *out, const char *name)
{
    double weight[BINS] = {0}, mean[BINS], deviation[BINS], whole = 0, h;
    gm__kde_rows_of rows = {x, n, 1, 1, weights};
    GM_TRY(gm__kde_sheather_jones(ctx, &rows, &h));
    double bins = ceil((high - low) / (0.25 * h)) + 1;
    int64_t count = bins < BINS ? (int64_t)bins : BINS, used = 0;
    double step = (high - low) / (double)(count - 1);
    h = h > step ? h : step;
    for (int64_t i = 0; i < n; i++) {
        double at = (x[i] - low) / step, w = weights ? weights[i] : 1;
        int64_t bin = (int64_t)at < count - 2 ? (int64_t)at : count - 2;
        weight[bin] += w * (1 - (at - (double)bin));
        weight[bin + 1] += w * (at - (double)bin);
        whole += w;
    }
    for (int64_t i = 0; i < count; i++)
        if (weight[i] > 0) {
            weight[used] = weight[i] / whole;
            mean[used] = low + step * (double)i;
            deviation[used++] = h;
        }
    return put_mixture(ctx, used, weight, mean, deviation, out, name);
}

gm_status gm__marginal_fit(gm_context *ctx, int32_t kind, uint64_t seed, const double *x,
                           const double *weights, int64_t n, gm_tensors *out, const char *name)
{
    gm__arena arena = {.allocator = ctx->allocator};
    double mean, deviation, *sorted = gm__arena_array(&arena, n, sizeof *sorted);
    gm_status code = sorted ? sort_values(ctx, &arena, x, weights, n, sorted) : gm__no_memory(ctx);
    if (!code) {
        gm__mean_and_deviation(x, weights, n, &mean, &deviation);
        double low = sorted[0], high = sorted[n - 1];
        if (!(low < high) || !(deviation > 0) || kind == GM__MARGINAL_NORMAL)
            code = put_normal(ctx, low < high ? mean : low, low < high ? deviation : 0, out, name);
        else if (kind == GM__MARGINAL_EMPIRICAL)
            code = fit_knots(ctx, sorted, n, mean, deviation, out, name);
        else if (kind == GM__MARGINAL_MIXTURE)
            code = fit_mixture(ctx, seed, x, weights, n, out, name);
        else
            code = fit_kernels(ctx, x, weights, n, low, high, out, name);
    }
    gm__arena_clear(&arena);
    return code;
}
