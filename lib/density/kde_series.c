/* One circular column: the sum over rows of von Mises kernels as a Fourier series (Abramowitz and
 * Stegun 9.6.34). With x an angle, e^(kappa cos x) = I_0 + 2 sum of I_p cos p x, so that
 *     sum of w e^(kappa (cos(q - x) - 1)) = e^-kappa I_0 (W + 2 sum of r_p (C_p cos p q + S_p sin p
 *     q)),
 * r_p = I_p / I_0, C_p and S_p the sums of w cos p x and w sin p x. Waves end where r_p is under
 * rounding. What is left out and what is rounded is bounded in units of all weights, so that places
 * with few rows are the tree's. */
#include "density/kde_part.h"

#include <math.h>

enum { LEAST_ROWS = 256, MOST_WAVES = 512 };
#define PI 0x1.921fb54442d18p1

struct gm__kde_series {
    int64_t waves;
    double scale, mass, off;     /* of the sum; all weights; what an answer may be off by */
    double wave[2 * MOST_WAVES]; /* 2 r_p C_p and 2 r_p S_p, p from 1 */
};

void gm__kde_series_free(gm__kde *k)
{
    gm__free(&k->allocator, k->series, sizeof *k->series);
    k->series = NULL;
}

/* r_p (waves) by the backward recurrence of the ratios (9.6.26), from so far out that its start is
 * forgotten; and a bound of the sum of those beyond. */
static double set_ratios(double kappa, int64_t waves, double *r)
{
    double ratio = 0, next = 0;
    for (int64_t p = waves + 32 + (int64_t)(4 * sqrt(kappa)); p >= 1; p--) {
        ratio = 1 / (2 * (double)p / kappa + ratio);
        if (p <= waves)
            r[p - 1] = ratio;
        if (p == waves + 1)
            next = ratio;
    }
    for (int64_t p = 1; p < waves; p++)
        r[p] *= r[p - 1];
    return r[waves - 1] * next / (1 - next); /* ratios fall */
}

/* Sums of a block's rows, then of the blocks: to (waves, 2). */
static void add_block(const gm__kde *k, int64_t block, int64_t waves, double *to)
{
    const double *half = gm__kde_block(k, block), *w = half + k->wide * k->stride;
    double own[2 * MOST_WAVES] = {0};
    for (int64_t i = 0; i < k->fill[block]; i++) {
        double a = half[i], b = half[k->stride + i], x = w[i], y = 0; /* of half the angle */
        double c = (a - b) * (a + b), s = 2 * a * b;
        for (int64_t p = 0; p < waves; p++) {
            double turned = x * c - y * s;
            y = y * c + x * s;
            x = turned;
            own[2 * p] += x;
            own[2 * p + 1] += y;
        }
    }
    for (int64_t p = 0; p < 2 * waves; p++)
        to[p] += own[p];
}

void gm__kde_series_build(gm_context *ctx, gm__kde *k)
{
    const gm__kde_column *c = &k->columns[0];
    double h = c->bandwidth * 2 * PI / (c->high - c->low), kappa = 1 / (h * h), r[MOST_WAVES];
    double waves = 8.6 * sqrt(kappa) + 16, size = 0;
    if (k->plain || k->d != 1 || c->kind != GM__KDE_CIRCULAR || k->adaptive ||
        k->count < LEAST_ROWS || !(waves < MOST_WAVES))
        return;
    struct gm__kde_series *s = gm__alloc(&k->allocator, sizeof *s);
    if (!s) /* the tree answers */
        return;
    k->series = s;
    s->waves = (int64_t)waves;
    s->mass = k->mass[1];
    /* log_norm is that of the width and e^-kappa I_0 */
    s->scale = gm__kde_map(ctx->kernels, GM__EXP, k->log_norm) / (c->high - c->low);
    double beyond = set_ratios(kappa, s->waves, r);
    for (int64_t b = 0; b < k->leaves; b++) {
        if (gm_cancel_tripped(ctx->cancel)) /* the caller fails */
            return;
        add_block(k, b, s->waves, s->wave);
    }
    /* Rotations are off by 6 roundings a step, here and at the query, ratios by 4, sums by one for
     * each row of a block, each block and each wave. */
    double sums = (double)(k->stride + k->leaves + s->waves) + 32;
    for (int64_t p = 0; p < s->waves; p++) {
        size += r[p] * (16 * (double)(p + 1) + sums);
        s->wave[2 * p] *= 2 * r[p];
        s->wave[2 * p + 1] *= 2 * r[p];
    }
    s->off = s->scale * s->mass * (3 * beyond + 3 * 0x1p-52 * (size + sums));
}

int gm__kde_series_ask(const gm__kde *k, const gm__kernels *kernels, double q, double bound[2])
{
    const struct gm__kde_series *s = k->series;
    double c = gm__kde_map(kernels, GM__COS, q), d = gm__kde_map(kernels, GM__SIN, q);
    double x = 1, y = 0, sum = s->mass;
    for (int64_t p = 0; p < s->waves; p++) {
        double turned = x * c - y * d;
        y = y * c + x * d;
        x = turned;
        sum += s->wave[2 * p] * x + s->wave[2 * p + 1] * y;
    }
    sum *= s->scale;
    bound[0] = (sum - s->off) * (1 - 0x1p-44);
    bound[1] = (sum + s->off) * (1 + 0x1p-44);
    return bound[0] > 0;
}
