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
} gm__law_sum;

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
    gm__law_sum s = {.k = k, .most = -INFINITY};
    for (int64_t i = 0; i < n; i++)
        add_log(&s, logit[i]);
    return log_sum(&s);
}

/* ---- Components ------------------------------------------------------------------------------ */

typedef struct gm__law_part {
    double logp, below, above;
} gm__law_part;

static gm__law_part normal(const gm__kernels *k, double mean, double deviation, double v)
{
    double z = (v - mean) / deviation;
    gm__law_part c = {-INFINITY, z > 0, z < 0};
    if (z - z != 0)
        return c;
    c.logp = -0.5 * z * z - map(k, GM__LOG, deviation) - GM__HALF_LOG_TWO_PI;
    c.below = map(k, GM__NORMAL_CDF, z);
    c.above = map(k, GM__NORMAL_CDF, -z);
    return c;
}

/* Level v of a logistic in bins: see gm__log_level. */
static gm__law_part logistic(const gm__kernels *k, const gm__law_place *p, double mean,
                             double scale, double v)
{
    double half = 0.5 * p->step, a = (v - mean) / scale, t = half / scale;
    int first = v <= p->low + half, last = v >= p->high - half;
    gm__law_part c = {0, 1, 0};
    if (!last) {
        c.below = map(k, GM__SIGMOID, t + a);
        c.above = map(k, GM__SIGMOID, -t - a);
        c.logp += map(k, GM__LOG_SIGMOID, t + a);
    }
    if (!first)
        c.logp += map(k, GM__LOG_SIGMOID, t - a);
    if (!first && !last)
        c.logp += map(k, GM__LOG, -map(k, GM__EXPM1, -2 * t));
    return c;
}

/* The level at or below v, and whether v is one. */
static double level(const gm__law_place *p, double v, int *is)
{
    const double near = 1e-6;
    double number = p->step > 0 ? (v - p->low) / p->step : 0, whole = floor(number + near);
    *is = fabs(number - whole) <= near;
    return p->low + whole * p->step;
}

static void mixture(const gm__kernels *k, const gm__law_place *p, const double *row, double v,
                    gm__law_sum *s)
{
    int64_t n = p->components;
    const double *logit = row + p->at, *mean = logit + (n > 1 ? n : 0), *spread = mean + n;
    double total = n > 1 ? log_total(k, logit, n) : 0;
    for (int64_t i = 0; i < n; i++) {
        double log_w = n > 1 ? logit[i] - total : 0, w = n > 1 ? map(k, GM__EXP, log_w) : 1;
        gm__law_part c = p->kind == GM_X_LEVELS ? logistic(k, p, mean[i], spread[i], v)
                                                : normal(k, mean[i], spread[i], v);
        add_log(s, log_w + c.logp);
        s->below += w * c.below;
        s->above += w * c.above;
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
    double total = log_total(k, logit, n);
    for (int64_t i = 0; i < n; i++)
        *((double)i <= v ? &s->below : &s->above) += map(k, GM__EXP, logit[i] - total);
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

void gm__law_at(const gm__kernels *k, const gm__law_place *p, const double *row, double v,
                double *logp, double *below, double *above)
{
    gm__law_sum s = {.k = k, .most = -INFINITY};
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
