/* The probability flow of a diffusion solved between data and noise, and log densities by it. */
#include "model/path.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

/* ---- The divergence -------------------------------------------------------------------------- */

static void set_probe(const gm__path *p, int64_t i, double value)
{
    if (p->program->real == GM__F64)
        p->probe[i] = value;
    else
        ((float *)(void *)p->probe)[i] = (float)value;
}

/* Velocity at x into v, and the sum of J's diagonal: a pass for each column. */
static gm_status exact_trace(gm_context *ctx, gm__path *p, const gm__place *at, int64_t n)
{
    int64_t d = p->s->width;
    for (int64_t i = 0; i < n * d; i++)
        set_probe(p, i, 0);
    memset(p->turned, 0, (size_t)n * sizeof *p->turned);
    for (int64_t j = 0; j < d; j++) {
        for (int64_t i = 0; i < n; i++) {
            set_probe(p, i * d + j, 1);
            if (j > 0)
                set_probe(p, i * d + j - 1, 0);
        }
        GM_TRY(gm__path_velocity(ctx, p, at, p->probe, n, p->one));
        for (int64_t i = 0; i < n; i++)
            p->turned[i] += p->one[i];
    }
    return GM_OK;
}

/* probe . J probe for probes of random signs, whose mean is the trace (Hutchinson 1990; Grathwohl
 * et al. 2019, section 3.1). A row's probes are the same all along its path. */
static gm_status random_traces(gm_context *ctx, gm__path *p, const gm__place *at, int64_t n,
                               const gm__run *run)
{
    int64_t d = p->s->width;
    for (int64_t k = 0; k < p->probes; k++) {
        gm__draw words = {.seed = run->seed,
                          .purpose = GM__FOR_PROBE,
                          .step = (run->step & 0x7fffffff) * (uint64_t)p->probes + (uint64_t)k,
                          .row0 = run->row0};
        ctx->kernels->draws->words(&words, p->words, n, d);
        for (int64_t i = 0; i < n * d; i++)
            set_probe(p, i, p->words[i] >> 31 ? -1 : 1);
        GM_TRY(gm__path_velocity(ctx, p, at, p->probe, n, p->turned + k * n));
    }
    return GM_OK;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* run: of a density, whose integrals are carried along; NULL for the rows alone. */
static gm_status evaluate(gm_context *ctx, gm__path *p, double angle, int64_t n, const gm__run *run)
{
    gm__place at = gm__place_at_angle(ctx, p->s, angle);
    GM_TRY(gm__check_cancel(ctx));
    if (!run)
        return gm__path_velocity(ctx, p, &at, NULL, n, NULL);
    return p->probes ? random_traces(ctx, p, &at, n, run) : exact_trace(ctx, p, &at, n);
}

/* The classical method of Runge and Kutta, of fourth order: x from angle a to a + h. */
static gm_status step(gm_context *ctx, gm__path *p, double a, double h, int64_t n,
                      const gm__run *run)
{
    static const double weights[4] = {1, 2, 2, 1}, places[5] = {0, 0.5, 0.5, 1, 0};
    int64_t cells = n * p->s->width;
    memcpy(p->from, p->x, (size_t)cells * sizeof *p->x);
    memset(p->sum, 0, (size_t)cells * sizeof *p->sum);
    for (int stage = 0; stage < 4; stage++) {
        GM_TRY(evaluate(ctx, p, a + places[stage] * h, n, run));
        double weight = weights[stage] * h / 6, ahead = places[stage + 1] * h;
        for (int64_t i = 0; i < cells; i++) {
            p->sum[i] += weight * p->v[i];
            p->x[i] = p->from[i] + ahead * p->v[i];
        }
        for (int64_t i = 0; run && i < n * p->integrals; i++)
            p->integral[i] += weight * p->turned[i];
    }
    for (int64_t i = 0; i < cells; i++)
        p->x[i] = p->from[i] + p->sum[i];
    return GM_OK;
}

/* The whole way, in even steps of the level; back: from noise to data. */
static gm_status solve(gm_context *ctx, gm__path *p, int64_t steps, int back, int64_t n,
                       const gm__run *run)
{
    double a = gm__path_place(ctx, p, back ? 0 : steps, steps).angle;
    for (int64_t k = 1; k <= steps; k++) {
        double b = gm__path_place(ctx, p, back ? k : steps - k, steps).angle;
        GM_TRY(step(ctx, p, a, b - a, n, run));
        a = b;
    }
    return GM_OK;
}

gm_status gm__path_encode(gm_context *ctx, gm__path *p, int64_t n)
{
    return solve(ctx, p, p->steps, 0, n, NULL);
}

gm_status gm__path_decode(gm_context *ctx, gm__path *p, int64_t n)
{
    return solve(ctx, p, p->steps, 1, n, NULL);
}

/* ---- Rows that a call enters ----------------------------------------------------------------- */

gm_status gm__path_enter(gm_context *ctx, gm__path *p, const gm__run *run, const double *reals,
                         const double **log_density)
{
    int64_t cells = run->batch * p->s->width;
    *log_density = NULL;
    if (!p->front) {
        memcpy(p->x, reals, (size_t)cells * sizeof *p->x);
        return GM_OK;
    }
    int f32 = p->front->real == GM__F32;
    void *outputs[2] = {f32 ? p->narrow_v : p->x, p->front_log};
    gm__run front = *run;
    front.params = p->front->params;
    front.outputs = outputs;
    GM_TRY(gm__plan_run(ctx, p->front->plan, &front));
    if (f32)
        ctx->kernels->maps->widen(p->x, p->narrow_v, cells);
    *log_density = p->front_log;
    return GM_OK;
}

/* ---- Log densities --------------------------------------------------------------------------- */

/* log p of the rows at the end of the way (Chen et al. 2018, eq. 8, along the angle):
 * log p(x) = log N(z; 0, I) + integral of div v. spread[i]: squared standard error of the probes.
 */
static void finish(const gm__path *p, int64_t n, double *logp, double *spread)
{
    const double half_log_two_pi = 0.91893853320467274178;
    int64_t d = p->s->width, m = p->integrals;
    for (int64_t i = 0; i < n; i++) {
        double squares = 0, mean = 0, around = 0;
        for (int64_t j = 0; j < d; j++)
            squares += p->x[i * d + j] * p->x[i * d + j];
        for (int64_t k = 0; k < m; k++)
            mean += p->integral[k * n + i] / (double)m;
        for (int64_t k = 0; k < m; k++)
            around += (p->integral[k * n + i] - mean) * (p->integral[k * n + i] - mean);
        logp[i] = mean - 0.5 * squares - half_log_two_pi * (double)d;
        spread[i] = !p->probes ? 0 : m > 1 ? around / (double)(m - 1) / (double)m : NAN;
    }
}

static gm_status solve_density(gm_context *ctx, gm__path *p, int64_t steps, const gm__run *run,
                               double *logp, double *spread)
{
    int64_t n = run->batch;
    memset(p->integral, 0, (size_t)(n * p->integrals) * sizeof *p->integral);
    GM_TRY(solve(ctx, p, steps, 0, n, run));
    finish(p, n, logp, spread);
    return GM_OK;
}

/* The gap that fewer steps make: half as many err sixteen times as much where the steps are short
 * enough, but for single rows the two may agree by chance, where their gap changes its sign; then
 * a sixteenth of that between a half and a quarter stands for it. */
static double gap_of(double logp, double half, double quarter)
{
    double near = fabs(logp - half), far = fabs(half - quarter) / 16;
    return near > far ? near : far;
}

gm_status gm__path_log_prob(gm_context *ctx, gm__path *p, const gm__run *run, double *logp,
                            double *error)
{
    int64_t n = run->batch, cells = n * p->s->width, half = p->steps / 2, quarter = p->steps / 4;
    double *coarse = p->coarse, *coarsest = p->turned;
    if (error)
        memcpy(p->start, p->x, (size_t)cells * sizeof *p->x);
    GM_TRY(solve_density(ctx, p, p->steps, run, logp, error ? error : p->one));
    if (!error)
        return GM_OK;
    if (half > 0) {
        memcpy(p->x, p->start, (size_t)cells * sizeof *p->x);
        GM_TRY(solve_density(ctx, p, half, run, coarse, p->one));
    }
    if (quarter > 0) {
        memcpy(p->x, p->start, (size_t)cells * sizeof *p->x);
        GM_TRY(solve_density(ctx, p, quarter, run, coarsest, p->one));
    }
    for (int64_t i = 0; i < n; i++) {
        double gap =
            half > 0 ? gap_of(logp[i], coarse[i], quarter > 0 ? coarsest[i] : coarse[i]) : NAN;
        error[i] = sqrt((p->several ? 0 : error[i]) + gap * gap);
    }
    return GM_OK;
}
