/* log p under a Gaussian copula. Of real columns it is exact: log N(z; 0, R) + sum log dz/dx. Of
 * categories it is drawn, one after another given those before (Geweke 1991, Hajivassiliou,
 * Keane): the weight's expectation is p, and with a single column of them it is p itself. */
#include "density/copula.h"
#include "base/random.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define HALF_LOG_TWO_PI 0.91893853320467274178

static double map(const gm__kernels *k, gm__map1 which, double x)
{
    double y;
    k->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

double gm__normal_mass(const gm__kernels *k, double a, double b)
{
    if (a > 0)
        return map(k, GM__NORMAL_CDF, -a) - map(k, GM__NORMAL_CDF, -b);
    return map(k, GM__NORMAL_CDF, b) - map(k, GM__NORMAL_CDF, a);
}

double gm__normal_between(const gm__kernels *k, double a, double b, double u)
{
    if (a > 0)
        return -gm__normal_between(k, -b, -a, 1 - u);
    double low = map(k, GM__NORMAL_CDF, a), p = low + u * (map(k, GM__NORMAL_CDF, b) - low);
    double z = p > 0 && p < 1 ? map(k, GM__NORMAL_QUANTILE, p) : p > 0 ? b : a;
    z = z > a ? z : a;
    z = z < b ? z : b;
    if (z - z != 0) /* an interval so far out that it has no mass: its end */
        z = a - a == 0 ? a : b;
    return z;
}

/* ---- One row --------------------------------------------------------------------------------- */

/* The real part; e gets L^-1 z. */
static double score_reals(const gm__copula *c, const double *x, const gm__copula_row *row)
{
    double sum = -c->log_det;
    for (int64_t j = 0; j < c->reals; j++) {
        double log_slope;
        gm__curve at = gm__marginal_score(c->kernels, &c->marginal[j], x[j], &log_slope);
        row->z[j] = at.value;
        row->slope[j] = at.slope;
        row->bend[j] = at.bend;
        sum += log_slope - HALF_LOG_TWO_PI;
    }
    for (int64_t j = 0; j < c->reals; j++) {
        const double *l = c->factor + j * c->width;
        double z = row->z[j];
        for (int64_t i = 0; i < j; i++)
            z -= l[i] * row->e[i];
        row->e[j] = z / l[j];
        sum -= 0.5 * row->e[j] * row->e[j];
    }
    return sum;
}

static double density(const gm__kernels *k, double z)
{
    return z - z == 0 ? 0.39894228040143267794 * map(k, GM__EXP, -0.5 * z * z) : 0;
}

/* Category column j: the log of its mass given the e before it; e_j is drawn by u. What moves with
 * the mean of its score waits in slope (of the log mass) and bend (of e_j), for the gradient. */
static double score_category(const gm__copula *c, int64_t j, int64_t category,
                             const gm__copula_row *row, int gradient)
{
    int64_t at = c->reals + j;
    const double *l = c->factor + at * c->width;
    const gm__kernels *k = c->kernels;
    double mean = 0, u = row->u[j];
    for (int64_t i = 0; i < at; i++)
        mean += l[i] * row->e[i];
    double a = (c->cut[j][category] - mean) / l[at], b = (c->cut[j][category + 1] - mean) / l[at];
    double mass = gm__normal_mass(k, a, b), e = gm__normal_between(k, a, b, u);
    row->e[at] = e;
    if (gradient) {
        double at_a = density(k, a), at_b = density(k, b), at_e = density(k, e);
        row->slope[at] = mass > 0 ? -(at_b - at_a) / mass / l[at] : 0;
        row->bend[at] = at_e > 0 ? -((1 - u) * at_a + u * at_b) / at_e / l[at] : 0;
    }
    return mass > 0 ? map(k, GM__LOG, mass) : -INFINITY;
}

/* d logp / dx of the real columns: backwards through the draws, then through z = L e. */
static void take_gradient(const gm__copula *c, const gm__copula_row *row, double *gradient)
{
    int64_t r = c->reals, d = c->width;
    double *pull = row->pull; /* d logp / d e */
    for (int64_t j = 0; j < d; j++)
        pull[j] = j < r ? -row->e[j] : 0;
    for (int64_t j = d - 1; j >= r; j--) {
        double mean = row->slope[j] + pull[j] * row->bend[j];
        for (int64_t i = 0; i < j; i++)
            pull[i] += mean * c->factor[j * d + i];
    }
    for (int64_t j = r - 1; j >= 0; j--) {
        pull[j] /= c->factor[j * d + j];
        for (int64_t i = 0; i < j; i++)
            pull[i] -= c->factor[j * d + i] * pull[j];
    }
    for (int64_t j = 0; j < d; j++)
        gradient[j] = j < r ? pull[j] * row->slope[j] + row->bend[j] : 0;
}

/* ---- All rows -------------------------------------------------------------------------------- */

typedef struct gm__scoring {
    const gm__copula *c;
    const gm_direct_call *call;
    double *scratch; /* (parts, 6 width) */
    int64_t parts, first, end;
} gm__scoring;

static void score_part(void *arg, int32_t part)
{
    const gm__scoring *s = arg;
    const gm__copula *c = s->c;
    const gm_direct_call *call = s->call;
    int64_t d = c->width;
    double *at = s->scratch + part * 6 * d;
    gm__copula_row row = {at, at + d, at + 2 * d, at + 3 * d, at + 4 * d, at + 5 * d};
    for (int64_t i = s->first + part; i < s->end; i += s->parts) {
        const double *x = call->x + i * d;
        double sum = score_reals(c, x, &row);
        gm__draw draw = {GM__F64, call->seed, GM__FOR_SURJECTION, call->step, call->first + i};
        if (c->tables)
            c->kernels->draws->uniform(&draw, row.u, 1, c->tables);
        for (int64_t j = 0; j < c->tables; j++)
            sum += score_category(c, j, (int64_t)x[c->reals + j], &row, call->gradient != NULL);
        call->logp[i] = sum;
        if (call->lower)
            call->lower[i] = sum;
        if (call->upper)
            call->upper[i] = sum;
        if (call->gradient)
            take_gradient(c, &row, call->gradient + i * d);
    }
}

gm_status gm__copula_log_prob(gm_context *ctx, const void *state, const gm_direct_call *call)
{
    const gm__copula *c = state;
    gm__scoring s = {.c = c, .call = call, .parts = ctx->team.parts > 0 ? ctx->team.parts : 1};
    int64_t size = s.parts * 6 * c->width, slab = s.parts * 64;
    s.scratch = gm__alloc_array(&ctx->allocator, size, sizeof *s.scratch);
    gm_status code = s.scratch ? GM_OK : gm__no_memory(ctx);
    for (s.first = 0; s.first < call->count && !code; s.first += slab) {
        s.end = call->count - s.first < slab ? call->count : s.first + slab;
        code = gm__check_cancel(ctx);
        if (!code)
            gm__team_run(&ctx->team, (int32_t)s.parts, score_part, &s);
    }
    gm__free(&ctx->allocator, s.scratch, s.scratch ? (size_t)size * sizeof *s.scratch : 0);
    return code;
}

/* ---- Scores and values ----------------------------------------------------------------------- */

void gm__copula_scores(const gm__copula *c, const double *x, double *z)
{
    double log_slope;
    for (int64_t j = 0; j < c->reals; j++)
        z[j] = gm__marginal_score(c->kernels, &c->marginal[j], x[j], &log_slope).value;
    for (int64_t j = 0; j < c->tables; j++)
        z[c->reals + j] = c->middle[j][(int64_t)x[c->reals + j]];
}

void gm__copula_values(const gm__copula *c, const double *z, double *x)
{
    for (int64_t j = 0; j < c->reals; j++)
        x[j] = gm__marginal_value(c->kernels, &c->marginal[j], z[j]);
    for (int64_t j = 0; j < c->tables; j++) {
        int64_t category = 0;
        while (category < c->categories[j] - 1 && z[c->reals + j] >= c->cut[j][category + 1])
            category++;
        x[c->reals + j] = (double)category;
    }
}
