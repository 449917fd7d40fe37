/* Averages of log weights w over draws, row by row: a bound or an estimate of log p, its standard
 * error, and its gradient. */
#include "model/model.h"

#include <math.h>
#include <string.h>

/* Of exp(w): running sums, scaled by the greatest so far. Of w itself: running sums of its
 * distances from the first one, which `most` then is. */
typedef struct gm__average {
    double most, sum, squares;
    double errors; /* sum of the draws' own squared errors, which more draws do not lessen */
} gm__average;

gm_status gm__weights_begin(gm_context *ctx, int bound, int64_t n, int64_t width, gm__weights *w)
{
    int64_t cells = width ? n * width : 0; /* a piece of rows, of which all has room already */
    *w = (gm__weights){.allocator = ctx->allocator, .bound = bound, .n = n, .width = width};
    w->average = gm__alloc_array(&ctx->allocator, n, sizeof *w->average);
    w->gradient = gm__alloc_array(&ctx->allocator, cells, sizeof *w->gradient);
    if (w->average && (w->gradient || !cells))
        return GM_OK;
    gm__weights_clear(w);
    return gm__no_memory(ctx);
}

void gm__weights_clear(gm__weights *w)
{
    size_t cells = (size_t)(w->n * w->width);
    gm__free(&w->allocator, w->average, w->average ? (size_t)w->n * sizeof *w->average : 0);
    gm__free(&w->allocator, w->gradient, w->gradient ? cells * sizeof *w->gradient : 0);
    w->average = NULL;
    w->gradient = NULL;
}

static void add_gradient(double *sum, double shrink, double share, const double *gradient,
                         int64_t width)
{
    for (int64_t j = 0; j < width; j++)
        sum[j] = (shrink == 1 ? sum[j] : shrink * sum[j]) + share * gradient[j];
}

static void add_exp(gm_context *ctx, gm__average *m, double w, double *sum, const double *gradient,
                    int64_t width)
{
    double shrink = 1;
    if (w == -INFINITY)
        return;
    if (w > m->most) {
        shrink = m->most == -INFINITY ? 0 : gm__map_one(ctx, GM__EXP, m->most - w);
        m->sum *= shrink;
        m->squares *= shrink * shrink;
        m->most = w;
    }
    double e = gm__map_one(ctx, GM__EXP, w - m->most);
    m->sum += e;
    m->squares += e * e;
    add_gradient(sum, shrink, e, gradient, width);
}

static void add_plain(gm__average *m, int first, double w, double *sum, const double *gradient,
                      int64_t width)
{
    if (first)
        m->most = w;
    double away = w == -INFINITY ? -INFINITY : m->most == -INFINITY ? 0 : w - m->most;
    m->sum += away;
    m->squares += away * away;
    add_gradient(sum, 1, 1, gradient, width);
}

void gm__weights_add(gm_context *ctx, gm__weights *w, const double *log_weight, const double *error,
                     const double *gradient)
{
    int first = w->draws++ == 0;
    for (int64_t i = 0; i < w->n; i++) {
        gm__average *m = &w->average[i];
        double *sum = w->width ? w->gradient + i * w->width : NULL;
        const double *own = w->width ? gradient + i * w->width : NULL;
        if (first)
            m->most = -INFINITY;
        if (w->bound)
            add_plain(m, first, log_weight[i], sum, own, w->width);
        else
            add_exp(ctx, m, log_weight[i], sum, own, w->width);
        m->errors += error ? error[i] * error[i] : 0;
    }
}

/* The standard error of log(mean) is that of the mean over the mean, to first order. */
static double finish_exp(gm_context *ctx, const gm__average *m, double k, double *error)
{
    double mean = m->sum / k;
    *error = 0;
    if (mean <= 0)
        return -INFINITY;
    double variance = k > 1 ? (m->squares / k - mean * mean) * k / (k - 1) : NAN;
    *error = sqrt(variance > 0 || variance != variance ? variance : 0) / (mean * sqrt(k));
    return m->most + gm__map_one(ctx, GM__LOG, mean);
}

static double finish_plain(const gm__average *m, double k, double *error)
{
    double mean = m->sum / k, logp = m->most + mean;
    double variance = (m->squares / k - mean * mean) / (k - 1);
    *error = logp == -INFINITY ? 0 : k == 1 ? NAN : sqrt(variance > 0 ? variance : 0);
    return logp;
}

void gm__weights_end(gm_context *ctx, const gm__weights *w, double *logp, double *error,
                     double *gradient)
{
    double k = (double)w->draws;
    for (int64_t i = 0; i < w->n; i++) {
        const gm__average *m = &w->average[i];
        double e, total = w->bound ? k : m->sum > 0 ? m->sum : 1;
        logp[i] = w->bound ? finish_plain(m, k, &e) : finish_exp(ctx, m, k, &e);
        if (error)
            error[i] = m->errors == 0 || logp[i] == -INFINITY ? e : sqrt(e * e + m->errors / k);
        for (int64_t j = i * w->width; j < (i + 1) * w->width; j++)
            gradient[j] = w->gradient[j] / total;
    }
}
