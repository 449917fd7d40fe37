/* Modes by mean shift (Fukunaga and Hostetler 1975; Comaniciu and Meer 2002): a column's step is
 * its sum of g (x - y) over that of g, which for the Gaussian goes to the mean of the rows under
 * the kernel. A step that would go down is halved. */
#include "density/kde_slope.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define PI 0x1.921fb54442d18p1

typedef struct climb {
    gm__kde_slope s;
    const gm_cancel *cancel;
    double *step; /* (d) */
    double level; /* log density here, up to a constant */
} climb;

static double level_of(gm__kde_slope *s)
{
    gm__kde_slope_at(s);
    return s->mass > 0 ? gm__kde_map(s->query.kernels, GM__LOG, s->mass) - s->least : -INFINITY;
}

/* A coordinate stays where its column has values. */
static double inside(const gm__kde_column *c, double y)
{
    if (c->kind == GM__KDE_CIRCULAR)
        return y - 2 * PI * floor(y / (2 * PI));
    if (c->kind == GM__KDE_REFLECT)
        return y < c->low ? c->low : y > c->high ? c->high : y;
    return c->kind == GM__KDE_BETA ? y < 0 ? 0 : y > 1 ? 1 : y : y;
}

/* Goes on by the step, halved until the density does not fall; returns how far that was, in
 * bandwidths, or 0. */
static double go(climb *c, double *from)
{
    gm__kde_slope *s = &c->s;
    const gm__kde *k = s->query.k;
    memcpy(from, s->y, (size_t)k->d * sizeof *from);
    for (double share = 1; share > 1e-6 && !gm_cancel_tripped(c->cancel); share *= 0.5) {
        double far = 0;
        for (int64_t j = 0; j < k->d; j++) {
            double u = share * c->step[j] * k->inverse[j];
            s->y[j] = inside(&k->columns[j], from[j] + share * c->step[j]);
            far += u * u;
        }
        double level = level_of(s);
        if (level >= c->level - 1e-14 * (1 + fabs(c->level))) {
            c->level = level;
            return sqrt(far);
        }
    }
    memcpy(s->y, from, (size_t)k->d * sizeof *from);
    (void)level_of(s);
    return 0;
}

static void ascend(climb *c, double tol, int64_t most)
{
    gm__kde_slope *s = &c->s;
    const gm__kde *k = s->query.k;
    c->level = level_of(s);
    for (int64_t step = 0; step < most && c->level > -INFINITY; step++) {
        for (int64_t j = 0; j < k->d; j++)
            c->step[j] = s->weight[j] > 0 ? s->along[j] / s->weight[j] : 0;
        if (go(c, c->step + k->d) < tol || gm_cancel_tripped(c->cancel))
            break;
    }
}

static double back_of(const gm__kde_column *c, double y)
{
    double width = c->high - c->low;
    if (c->kind == GM__KDE_CIRCULAR)
        return c->low + width * (y / (2 * PI));
    return c->kind == GM__KDE_BETA ? c->low + width * y : y;
}

static void back(const gm__kde *k, const double *y, double *out)
{
    if (!k->root) {
        for (int64_t j = 0; j < k->d; j++)
            out[j] = back_of(&k->columns[j], y[j]);
        return;
    }
    gm__multiply_lower(k->root, k->d, y, out);
    for (int64_t j = 0; j < k->d; j++)
        out[j] += k->center[j];
}

/* The number of the mode at y among those found (count, d), a new one if need be. */
static int64_t number_of(const gm__kde *k, const double *y, double *found, int64_t *count)
{
    for (int64_t i = 0; i < *count; i++) {
        double far = 0;
        for (int64_t j = 0; j < k->d; j++) {
            double u = fabs(y[j] - found[i * k->d + j]);
            u = k->columns[j].kind == GM__KDE_CIRCULAR && u > PI ? 2 * PI - u : u;
            far += u * u * k->inverse[j] * k->inverse[j];
        }
        if (far < 1e-4)
            return i;
    }
    memcpy(found + *count * k->d, y, (size_t)k->d * sizeof *y);
    return (*count)++;
}

/* Corners have no slope to go by. */
static gm_status check_kernels(gm_context *ctx, const gm__kde *k)
{
    for (int64_t j = 0; j < k->d; j++) {
        const gm__kde_column *c = &k->columns[j];
        int32_t n = c->kernel;
        if ((c->kind == GM__KDE_REAL || c->kind == GM__KDE_REFLECT) &&
            (n == GM__KERNEL_TOPHAT || n == GM__KERNEL_LINEAR || n == GM__KERNEL_EXPONENTIAL))
            return gm__fail(ctx, GM_E_UNSUPPORTED,
                            "kde: modes need a kernel with a slope everywhere: not tophat, linear "
                            "or exponential");
    }
    return GM_OK;
}

gm_status gm__kde_modes(gm_context *ctx, const gm__kde *k, const double *q, int64_t m, double tol,
                        int64_t most, double *out, int64_t *mode, int64_t *modes)
{
    climb c = {.cancel = ctx->cancel};
    int64_t size, count = 0;
    if (m < 1 || !(tol > 0) || gm__mul64(m, k->d, &size) || gm__add64(size, 2 * k->d, &size))
        return gm__fail(ctx, GM_E_ARG, "kde: modes need places to start from and a tolerance");
    GM_TRY(check_kernels(ctx, k));
    GM_TRY(gm__kde_slope_init(ctx, &c.s, k));
    double *found = gm__alloc_array(&ctx->allocator, size, sizeof *found);
    gm_status code = found ? GM_OK : gm__no_memory(ctx);
    c.step = found + m * k->d;
    for (int64_t i = 0; i < m && !code; i++) {
        code = gm__kde_coordinates(ctx, k, q + i * k->d, 1, k->d, c.s.y);
        if (!code) {
            ascend(&c, tol, most);
            code = gm__check_cancel(ctx);
        }
        if (code)
            break;
        int64_t number = number_of(k, c.s.y, found, &count);
        back(k, found + number * k->d, out + i * k->d);
        if (mode)
            mode[i] = number;
    }
    if (modes && !code)
        *modes = count;
    gm__free(&ctx->allocator, found, (size_t)size * sizeof *found);
    gm__kde_slope_clear(ctx, &c.s);
    return code;
}
