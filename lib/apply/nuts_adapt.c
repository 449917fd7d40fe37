/* What the warm-up learns: step size and metric. Windows and constants are those that Stan's users
 * know: 75 iterations for the step alone, windows of 25 iterations that double, 50 for the step. */
#include "apply/nuts.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

/* ---- Metric ---------------------------------------------------------------------------------- */

void gm__metric_velocity(const gm__metric *m, const double *p, double *v)
{
    for (int64_t i = 0; i < m->dim; i++)
        v[i] = m->variance[i] * p[i];
    for (int64_t i = 0; m->kind == GM__METRIC_DENSE && i < m->dim; i++) {
        const double *row = m->variance + i * m->dim;
        double sum = 0;
        for (int64_t j = 0; j < m->dim; j++)
            sum += row[j] * p[j];
        v[i] = sum;
    }
}

void gm__metric_momentum(const gm__metric *m, double *p)
{
    if (m->kind == GM__METRIC_DENSE) {
        gm__solve_lower_transposed(m->factor, m->dim, p);
        return;
    }
    for (int64_t i = 0; i < m->dim; i++)
        p[i] /= sqrt(m->variance[i]);
}

/* ---- Step size ------------------------------------------------------------------------------- */

/* One leap from where the chain stands with new momenta: log of its acceptance. */
static int try_leap(gm__chain *c, double *gain)
{
    gm__point *z = &c->end[0];
    gm__point_copy(z, &c->at, c->dim);
    gm__chain_refresh(c, z);
    double start = gm__chain_energy(c, z);
    if (!gm__chain_leapfrog(c, z, c->step))
        return 0;
    *gain = start - gm__chain_energy(c, z);
    return 1;
}

int gm__chain_first_step(gm__chain *c)
{
    const double wanted = -0.22314355131420976; /* log 0.8 */
    double gain;
    if (!try_leap(c, &gain))
        return 0;
    int larger = gain > wanted;
    while (larger == (gain > wanted)) {
        c->step *= larger ? 2 : 0.5;
        if (!(c->step > 0x1p-200) || !(c->step < 0x1p200)) {
            c->code = GM_E_NONFINITE;
            return 0;
        }
        if (!try_leap(c, &gain))
            return 0;
    }
    return 1;
}

void gm__stepper_start(gm__chain *c, gm__stepper *s)
{
    *s = (gm__stepper){.mu = gm__chain_map(c, GM__LOG, 10 * c->step)};
}

void gm__stepper_learn(gm__chain *c, gm__stepper *s)
{
    const double gamma = 0.05, steady = 10;
    double t = (double)++s->count, eta = 1 / (t + steady);
    s->error_mean += eta * (c->target_accept - c->accept - s->error_mean);
    double x = s->mu - s->error_mean * sqrt(t) / gamma;
    double weight = gm__chain_map(c, GM__EXP, -0.75 * gm__chain_map(c, GM__LOG, t)); /* t^-kappa */
    s->log_mean += weight * (x - s->log_mean);
    c->step = gm__chain_map(c, GM__EXP, x);
}

void gm__stepper_finish(gm__chain *c, const gm__stepper *s)
{
    if (s->count)
        c->step = gm__chain_map(c, GM__EXP, s->log_mean);
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* The end of the window from iteration `first` on: the last one takes what would be left over. */
static int64_t window_end(const gm__window *w, int64_t first)
{
    int64_t end = first + w->width;
    return end + 2 * w->width > w->finish ? w->finish : end;
}

void gm__window_plan(gm__window *w, int64_t warmup)
{
    w->warmup = warmup;
    w->width = 25;
    w->begin = 75;
    w->finish = warmup - 50;
    if (warmup < 150) {
        w->begin = warmup * 3 / 20;
        w->finish = warmup - warmup / 10;
        w->width = w->finish - w->begin;
    }
    if (warmup < 20)
        w->begin = w->finish = warmup;
    w->next = window_end(w, w->begin);
    w->count = 0;
}

static void add(gm__chain *c, gm__window *w, const double *q)
{
    int64_t d = c->dim;
    double n = (double)++w->count;
    for (int64_t i = 0; i < d; i++) {
        w->away[i] = q[i] - w->mean[i];
        w->mean[i] += w->away[i] / n;
    }
    for (int64_t i = 0; i < d && c->metric.kind != GM__METRIC_DENSE; i++)
        w->squares[i] += w->away[i] * (q[i] - w->mean[i]);
    for (int64_t i = 0; i < d && c->metric.kind == GM__METRIC_DENSE; i++)
        for (int64_t j = 0; j <= i; j++)
            w->squares[i * d + j] += w->away[j] * (q[i] - w->mean[i]);
}

/* The window's covariance, drawn towards a thousandth as if five more draws had said so. */
static int set_metric(gm__chain *c, const gm__window *w)
{
    gm__metric *m = &c->metric;
    int64_t d = c->dim, stride = m->kind == GM__METRIC_DENSE ? d : 0;
    double n = (double)w->count, share = n / (n + 5) / (n - 1), towards = 1e-3 * 5 / (n + 5);
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; stride && j < i; j++)
            m->variance[i * d + j] = m->variance[j * d + i] = share * w->squares[i * d + j];
        m->variance[i * stride + i] = share * w->squares[i * stride + i] + towards;
    }
    for (int64_t i = 0; i < (stride ? d * d : d); i++)
        if (m->variance[i] - m->variance[i] != 0)
            return 0;
    if (stride)
        memcpy(m->factor, m->variance, (size_t)(d * d) * sizeof *m->factor);
    return !stride || gm__cholesky(m->factor, d) == 0;
}

int gm__window_learn(gm__chain *c, gm__window *w, int64_t i)
{
    int64_t d = c->dim, cells = c->metric.kind == GM__METRIC_DENSE ? d * d : d;
    if (c->metric.kind == GM__METRIC_UNIT || i < w->begin || i >= w->finish)
        return 0;
    add(c, w, c->at.q);
    if (i + 1 != w->next || w->count < 2)
        return 0;
    if (!set_metric(c, w)) {
        c->code = GM_E_NONFINITE;
        return 0;
    }
    w->count = 0;
    memset(w->mean, 0, (size_t)d * sizeof *w->mean);
    memset(w->squares, 0, (size_t)cells * sizeof *w->squares);
    w->width *= 2;
    w->next = window_end(w, w->next);
    return 1;
}
