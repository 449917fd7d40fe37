/* The correlation of normal scores, well conditioned. */
#include "density/copula.h"
#include "base/random.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define FEW 10    /* rows, of which correlations are as likely as not by chance */
#define SWEEPS 24 /* draws of the scores of categories; the later half counts */

static double weight_of(const gm__scored *s, int64_t i)
{
    return s->weight ? s->weight[i] : 1;
}

/* Second moments (width, width) over the whole weight, as correlations. */
static gm_status correlate(gm_context *ctx, const gm__scored *s, double *r)
{
    int64_t d = s->width;
    memset(r, 0, (size_t)(d * d) * sizeof *r);
    for (int64_t i = 0; i < s->n; i++) {
        const double *z = s->z + i * d;
        if (i % 256 == 0)
            GM_TRY(gm__check_cancel(ctx));
        for (int64_t a = 0; a < d; a++) {
            double w = weight_of(s, i) * z[a];
            for (int64_t b = 0; b <= a; b++)
                r[a * d + b] += w * z[b];
        }
    }
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b < a; b++) {
            double whole = sqrt(r[a * d + a]) * sqrt(r[b * d + b]);
            r[b * d + a] = r[a * d + b] /= whole > 0 ? whole : 1;
        }
    for (int64_t a = 0; a < d; a++)
        r[a * d + a] = 1;
    return GM_OK;
}

/* Correlations times 1 - lambda: lambda = sum var(r_ab) / sum r_ab^2 over pairs (Schaefer and
 * Strimmer 2005, with var r = (1 - r^2)^2 / n of normal scores), or as asked; never so little that
 * R has no factor. Few rows may lie on a line by chance, where var r as reckoned is nothing: then
 * lambda is at least that of a row more without correlation. */
static void shrink(const gm__scored *s, double *r)
{
    int64_t d = s->width;
    double noise = 0, signal = 0, n = (double)(s->n > 1 ? s->n : 2), lambda = s->shrinkage;
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b < a; b++) {
            double square = r[a * d + b] * r[a * d + b];
            noise += (1 - square) * (1 - square) / n;
            signal += square;
        }
    if (lambda < 0)
        lambda = signal > 0 ? noise / signal : 1;
    if (s->shrinkage < 0 && s->n < FEW && lambda < 1 / (n + 1))
        lambda = 1 / (n + 1);
    lambda = lambda < 1 ? lambda : 1;
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b < d; b++)
            r[a * d + b] *= a == b ? 1 : 1 - lambda;
}

/* The factor of r in `factor`: where there is none, of r nearer and nearer to the identity. */
static void factorise(int64_t d, double *r, double *factor)
{
    for (double less = 1e-9;; less *= 10) {
        memcpy(factor, r, (size_t)(d * d) * sizeof *r);
        int64_t failed = gm__cholesky(factor, d);
        for (int64_t a = 0; a < d && !failed; a++) /* as good as singular */
            failed = factor[a * d + a] < 1e-6;
        if (!failed || less > 1)
            return;
        for (int64_t a = 0; a < d * d; a++)
            r[a] *= a % (d + 1) == 0 ? 1 : 1 - less;
    }
}

/* The precision R^-1 from its factor. */
static void invert(int64_t d, const double *factor, double *inverse)
{
    for (int64_t a = 0; a < d; a++) {
        double *row = inverse + a * d;
        memset(row, 0, (size_t)d * sizeof *row);
        row[a] = 1;
        gm__solve_lower(factor, d, row);
        gm__solve_lower_transposed(factor, d, row);
    }
}

/* Each row's score of category column j, drawn given the other scores: normal with precision P_jj,
 * within the category's interval. */
static void redraw(gm_context *ctx, const gm__scored *s, int64_t j, int64_t sweep,
                   const double *precision)
{
    int64_t d = s->width, at = s->reals + j;
    const double *row = precision + at * d, deviation = 1 / sqrt(row[at]);
    for (int64_t i = 0; i < s->n; i++) {
        double *z = s->z + i * d, mean = 0, u;
        gm__draw draw = {GM__F64, s->seed, GM__FOR_INIT, (uint64_t)(sweep * s->tables + j), i};
        int64_t category = (int64_t)s->x[i * s->stride + at];
        for (int64_t b = 0; b < d; b++)
            mean -= b == at ? 0 : row[b] * z[b];
        mean /= row[at];
        ctx->kernels->draws->uniform(&draw, &u, 1, 1);
        double low = (s->cut[j][category] - mean) / deviation,
               high = (s->cut[j][category + 1] - mean) / deviation;
        z[at] = mean + deviation * gm__normal_between(ctx->kernels, low, high, u);
    }
}

static gm_status sweep_categories(gm_context *ctx, const gm__scored *s, double *r, double *factor,
                                  double *precision, double *sum)
{
    int64_t cells = s->width * s->width;
    for (int64_t sweep = 0; sweep < SWEEPS; sweep++) {
        factorise(s->width, r, factor);
        invert(s->width, factor, precision);
        for (int64_t j = 0; j < s->tables; j++) {
            GM_TRY(gm__check_cancel(ctx));
            redraw(ctx, s, j, sweep, precision);
        }
        GM_TRY(correlate(ctx, s, r));
        for (int64_t a = 0; a < cells && sweep >= SWEEPS / 2; a++)
            sum[a] += r[a] / (SWEEPS - SWEEPS / 2);
    }
    memcpy(r, sum, (size_t)cells * sizeof *r);
    return GM_OK;
}

gm_status gm__copula_correlation(gm_context *ctx, const gm__scored *s, double *r)
{
    int64_t cells = s->width * s->width;
    gm__arena arena = {.allocator = ctx->allocator};
    double *factor = gm__arena_array(&arena, 3 * cells, sizeof *factor);
    gm_status code = factor ? correlate(ctx, s, r) : gm__no_memory(ctx);
    if (!code && s->tables)
        code = sweep_categories(ctx, s, r, factor, factor + cells, factor + 2 * cells);
    if (!code) {
        shrink(s, r);
        factorise(s->width, r, factor);
    }
    gm__arena_clear(&arena);
    return code;
}
