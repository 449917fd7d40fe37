/* Scalar laws. Both tails are sums of positive terms, each with all its digits, so that neither is
 * ever lost. */
#include "nn/law.h"
#include "nn/likelihood.h"

#include <math.h>

static double map(const gm__kernels *k, gm__map1 which, double x)
{
    double y;
    k->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

/* ---- Sums over components -------------------------------------------------------------------- */

/* What the components add up to: of densities as logarithms, the greatest set apart. */
typedef struct gm__law_sum {
    const gm__kernels *k;
    double most, rest; /* log p = most + log(rest) */
    double below, above;
    int dense; /* the log density is asked for */
} gm__law_sum;
/* Components that go through the maps together. */
enum { TOGETHER = 64 };

static void add_log(gm__law_sum *s, double log_p)
{
    if (log_p == -INFINITY)
        return;
    if (log_p <= s->most) {
        s->rest += map(s->k, GM__EXP, log_p - s->most);
    } else {
        s->rest = s->most == -INFINITY ? 1 : s->rest * map(s->k, GM__EXP, s->most - log_p) + 1;
        s->most = log_p;
    }
}

static double log_sum(const gm__law_sum *s)
{
    return s->rest == 1 || s->most == -INFINITY ? s->most : s->most + map(s->k, GM__LOG, s->rest);
}

/* log of the sum of exp(logit). */
static double log_total(const gm__kernels *k, const double *logit, int64_t n)
{
    double most = logit[0], rest = 0, part[TOGETHER];
    for (int64_t i = 1; i < n; i++)
        most = logit[i] > most ? logit[i] : most;
    for (int64_t first = 0; first < n; first += TOGETHER) {
        int64_t count = n - first < TOGETHER ? n - first : TOGETHER;
        for (int64_t i = 0; i < count; i++)
            part[i] = logit[first + i] - most;
        k->maps->map1[GM__F64][GM__EXP](part, part, count);
        for (int64_t i = 0; i < count; i++)
            rest += part[i];
    }
    return most + map(k, GM__LOG, rest);
}

/* ---- Components ------------------------------------------------------------------------------ */

static double normal_log(const gm__kernels *k, double mean, double deviation, double v)
{
    double z = (v - mean) / deviation;
    return z - z != 0 ? -INFINITY : -0.5 * z * z - map(k, GM__LOG, deviation) - GM__HALF_LOG_TWO_PI;
}

/* Tails of components at v: below and above (n). */
static void normal_tails(const gm__kernels *k, const double *mean, const double *deviation,
                         int64_t n, double v, double *below, double *above)
{
    for (int64_t i = 0; i < n; i++) {
        double z = (v - mean[i]) / deviation[i];
        below[i] = z < -99 ? -99 : z > 99 ? 99 : z; /* 0 and 1 beyond 39 */
        above[i] = -below[i];
    }
    k->maps->map1[GM__F64][GM__NORMAL_CDF](below, below, n);
    k->maps->map1[GM__F64][GM__NORMAL_CDF](above, above, n);
}

/* Level v of a logistic in bins, the first, the last or one between: see gm__log_level. */
static double logistic_log(const gm__kernels *k, const gm__law_place *p, double mean, double scale,
                           double v)
{
    double half = 0.5 * p->step, a = (v - mean) / scale, t = half / scale, logp = 0;
    int first = v <= p->low + half, last = v >= p->high - half;
    if (!last)
        logp += map(k, GM__LOG_SIGMOID, t + a);
    if (!first)
        logp += map(k, GM__LOG_SIGMOID, t - a);
    if (!first && !last)
        logp += map(k, GM__LOG, -map(k, GM__EXPM1, -2 * t));
    return logp;
}

static void logistic_tails(const gm__kernels *k, const gm__law_place *p, const double *mean,
                           const double *scale, int64_t n, double v, double *below, double *above)
{
    double half = 0.5 * p->step;
    int last = v >= p->high - half;
    for (int64_t i = 0; i < n; i++) {
        below[i] = last ? 1 : half / scale[i] + (v - mean[i]) / scale[i];
        above[i] = last ? 0 : -below[i];
    }
    if (last)
        return;
    k->maps->map1[GM__F64][GM__SIGMOID](below, below, n);
    k->maps->map1[GM__F64][GM__SIGMOID](above, above, n);
}

/* The level at or below v, and whether v is one. */
static double level(const gm__law_place *p, double v, int *is)
{
    const double near = 1e-6;
    double number = p->step > 0 ? (v - p->low) / p->step : 0, whole = floor(number + near);
    *is = fabs(number - whole) <= near;
    return p->low + whole * p->step;
}

/* Components of weights exp(log_w), n of them at most TOGETHER. */
static void add_components(const gm__kernels *k, const gm__law_place *p, const double *log_w,
                           const double *mean, const double *spread, int64_t n, double v,
                           gm__law_sum *s)
{
    double w[TOGETHER], below[TOGETHER], above[TOGETHER];
    int binned = p->kind == GM_X_LEVELS;
    k->maps->map1[GM__F64][GM__EXP](w, log_w, n);
    if (binned)
        logistic_tails(k, p, mean, spread, n, v, below, above);
    else
        normal_tails(k, mean, spread, n, v, below, above);
    for (int64_t i = 0; i < n; i++) {
        s->below += w[i] * below[i];
        s->above += w[i] * above[i];
    }
    for (int64_t i = 0; s->dense && i < n; i++)
        add_log(s, log_w[i] + (binned ? logistic_log(k, p, mean[i], spread[i], v)
                                      : normal_log(k, mean[i], spread[i], v)));
}

static void mixture(const gm__kernels *k, const gm__law_place *p, const double *row, double v,
                    gm__law_sum *s)
{
    int64_t n = p->components;
    const double *logit = row + p->at, *mean = logit + (n > 1 ? n : 0), *spread = mean + n;
    double total = n > 1 ? log_total(k, logit, n) : 0, log_w[TOGETHER];
    for (int64_t first = 0; first < n; first += TOGETHER) {
        int64_t count = n - first < TOGETHER ? n - first : TOGETHER;
        for (int64_t i = 0; i < count; i++)
            log_w[i] = n > 1 ? logit[first + i] - total : 0;
        add_components(k, p, log_w, mean + first, spread + first, count, v, s);
    }
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void binary(const gm__kernels *k, double logit, double v, gm__law_sum *s)
{
    double one = map(k, GM__SIGMOID, logit), zero = map(k, GM__SIGMOID, -logit);
    s->below = v < 0 ? 0 : v < 1 ? zero : 1;
    s->above = v < 0 ? 1 : v < 1 ? one : 0;
    if (v == 0 || v == 1)
        add_log(s, map(k, GM__LOG_SIGMOID, v == 1 ? logit : -logit));
}

static void category(const gm__kernels *k, const double *logit, int64_t n, double v, gm__law_sum *s)
{
    double total = log_total(k, logit, n), p[TOGETHER];
    for (int64_t first = 0; first < n; first += TOGETHER) {
        int64_t count = n - first < TOGETHER ? n - first : TOGETHER;
        for (int64_t i = 0; i < count; i++)
            p[i] = logit[first + i] - total;
        k->maps->map1[GM__F64][GM__EXP](p, p, count);
        for (int64_t i = 0; i < count; i++)
            *((double)(first + i) <= v ? &s->below : &s->above) += p[i];
    }
    if (v < 0 || v >= (double)(n - 1)) {
        s->below = v >= 0;
        s->above = v < 0;
    }
    if (v >= 0 && v < (double)n && v == floor(v))
        add_log(s, logit[(int64_t)v] - total);
}

static void levels(const gm__kernels *k, const gm__law_place *p, const double *row, double v,
                   gm__law_sum *s)
{
    int is;
    double at = level(p, v, &is), slack = 0.5 * p->step;
    if (v < p->low - 1e-6 * p->step) {
        s->above = 1;
        return;
    }
    if (at > p->high + slack) {
        s->below = 1;
        return;
    }
    if (p->table)
        category(k, row + p->at, p->components, floor((at - p->low) / p->step + 0.5), s);
    else
        mixture(k, p, row, at, s);
    if (!is)
        s->most = -INFINITY;
}

void gm__law_bits(const gm__kernels *k, const double *logit, int64_t step, int64_t n,
                  const double *v, double *logp, double *below, double *above)
{
    enum { PIECE = 128 };
    double p[PIECE], q[PIECE];
    for (int64_t first = 0; first < n; first += PIECE) {
        int64_t count = n - first < PIECE ? n - first : PIECE;
        int between = 0;
        for (int64_t i = 0; i < count; i++) {
            p[i] = logit[(first + i) * step];
            q[i] = -p[i];
            between |= v[first + i] >= 0 && v[first + i] < 1;
        }
        for (int64_t i = 0; logp && i < count; i++)
            logp[first + i] = v[first + i] == 1 ? p[i] : q[i];
        if (logp)
            k->maps->map1[GM__F64][GM__LOG_SIGMOID](logp + first, logp + first, count);
        if (between && (below || above)) {
            k->maps->map1[GM__F64][GM__SIGMOID](p, p, count);
            k->maps->map1[GM__F64][GM__SIGMOID](q, q, count);
        }
        for (int64_t i = 0; i < count; i++) {
            double x = v[first + i];
            if (logp && x != 0 && x != 1)
                logp[first + i] = -INFINITY;
            if (below)
                below[first + i] = x < 0 ? 0 : x < 1 && q[i] < 1 ? q[i] : 1;
            if (above)
                above[first + i] = x < 0 ? 1 : x >= 1 ? 0 : p[i] < 1 ? p[i] : 1;
        }
    }
}

void gm__law_at(const gm__kernels *k, const gm__law_place *p, const double *row, double v,
                double *logp, double *below, double *above)
{
    gm__law_sum s = {.k = k, .most = -INFINITY, .dense = logp != NULL};
    if (p->kind == GM_X_LEVELS)
        levels(k, p, row, v, &s);
    else if (p->kind == GM_X_BINARY)
        binary(k, row[p->at], v, &s);
    else if (p->kind == GM_X_CATEGORY)
        category(k, row + p->at, p->components, v, &s);
    else
        mixture(k, p, row, v, &s);
    if (logp)
        *logp = log_sum(&s);
    if (below)
        *below = s.below < 1 ? s.below : 1;
    if (above)
        *above = s.above < 1 ? s.above : 1;
}
