/* Columns: what each may hold, its coordinates, and its values in a block. */
#include "density/kde_part.h"
#include "kernels/linalg.h"

#include <math.h>

#define PI 0x1.921fb54442d18p1

static int finite(double x)
{
    return x - x == 0;
}

static int whole(double x)
{
    return floor(x) == x;
}

/* ---- What is allowed ---- */

static gm_status check_walls(gm_context *ctx, const gm__kde_column *c, int64_t j)
{
    int both = finite(c->low) && finite(c->high);
    if (!(c->low < c->high) && !(c->kind == GM__KDE_CATEGORY && c->high == 0))
        return gm__fail(ctx, GM_E_RANGE, "kde: column %lld: low must be under high", (long long)j);
    if (c->kind == GM__KDE_REFLECT) {
        if (!both && !finite(c->low) && !finite(c->high))
            return gm__fail(ctx, GM_E_RANGE, "kde: column %lld: a wall must be finite",
                            (long long)j);
    } else if ((c->kind == GM__KDE_CIRCULAR || c->kind == GM__KDE_BETA) && !both) {
        return gm__fail(ctx, GM_E_RANGE, "kde: column %lld: low and high must be finite",
                        (long long)j);
    } else if (c->kind == GM__KDE_CATEGORY && (!both || !whole(c->high) || c->high > 0x1p31)) {
        return gm__fail(ctx, GM_E_RANGE, "kde: column %lld: high must be the last category's code",
                        (long long)j);
    } else if (c->kind == GM__KDE_ORDERED &&
               ((finite(c->low) && !whole(c->low)) || (finite(c->high) && !whole(c->high)))) {
        return gm__fail(ctx, GM_E_RANGE, "kde: column %lld: levels are whole numbers",
                        (long long)j);
    }
    return GM_OK;
}

static gm_status check_column(gm_context *ctx, const gm__kde_column *c, int64_t j)
{
    double h = c->bandwidth, most = INFINITY, least = 0;
    if (c->kind < GM__KDE_REAL || c->kind > GM__KDE_ORDERED || c->kernel < 0 ||
        c->kernel >= GM__KERNEL_COUNT)
        return gm__fail(ctx, GM_E_ARG, "kde: column %lld: no such kind or kernel", (long long)j);
    if (c->kind != GM__KDE_REAL)
        GM_TRY(check_walls(ctx, c, j));
    if (c->kind == GM__KDE_CATEGORY)
        most = c->high / (c->high + 1);
    if (c->kind == GM__KDE_ORDERED)
        most = GM__KDE_MOST_LAMBDA;
    int discrete = c->kind >= GM__KDE_CATEGORY;
    if (c->kind == GM__KDE_CIRCULAR || c->kind == GM__KDE_BETA) {
        /* the law of beta kernels any narrower would ask for lgamma of over 1e10 */
        least = (c->kind == GM__KDE_BETA ? 1e-5 : 1e-7) * (c->high - c->low);
        most = 1e3 * (c->high - c->low);
    }
    if (!finite(h) || h > most || h < least || (!discrete && !(h > 0)) ||
        (!discrete && !finite(1 / h)))
        return gm__fail(ctx, GM_E_RANGE, "kde: column %lld: bandwidth %g, must be %s%g to %g",
                        (long long)j, h, least > 0 || discrete ? "" : "over ", least, most);
    return GM_OK;
}

/* The scale that makes box widths of different columns comparable when a node is cut. */
static double inverse_of(const gm__kernels *kernels, const gm__kde_column *c)
{
    switch (c->kind) {
    case GM__KDE_CIRCULAR:
        return (c->high - c->low) / (c->bandwidth * 2 * PI);
    case GM__KDE_BETA:
        return (c->high - c->low) / c->bandwidth;
    case GM__KDE_CATEGORY:
        return c->high > 0 && c->bandwidth < c->high / (c->high + 1) ? 3 : 0;
    case GM__KDE_ORDERED:
        return c->bandwidth > 0 ? -gm__kde_map(kernels, GM__LOG, c->bandwidth) : 40;
    default:
        return 1 / c->bandwidth;
    }
}

/* Relative errors besides the exponent's own: sines of half angles, large terms of the beta. */
static double epsilon_of(const gm__kde_column *c)
{
    double b = (c->high - c->low) / c->bandwidth;
    if (c->kind == GM__KDE_CIRCULAR)
        return 0x1p-52 * 64 * (b + 1);
    if (c->kind == GM__KDE_BETA)
        return 0x1p-52 * 16 * (800 + 4 * b * b);
    return 0x1p-52 * 32;
}

gm_status gm__kde_prepare(gm_context *ctx, gm__kde *k)
{
    static const int columns[] = {1, 2, 1, 3, 1, 1};
    const gm__kernels *kernels = ctx->kernels;
    int gauss = !k->radial || k->columns[0].kernel == GM__KERNEL_GAUSSIAN;
    double epsilon = 0x1p-50;
    for (int64_t j = 0; j < k->d; j++) {
        const gm__kde_column *c = &k->columns[j];
        GM_TRY(check_column(ctx, c, j));
        if ((k->radial && (c->kind != GM__KDE_REAL || c->kernel != k->columns[0].kernel)) ||
            (k->root && (c->kind != GM__KDE_REAL || c->kernel != GM__KERNEL_GAUSSIAN)))
            return gm__fail(ctx, GM_E_ARG,
                            "kde: column %lld: a radial kernel or a matrix wants "
                            "real columns with one kernel (Gaussian with a matrix)",
                            (long long)j);
        gauss = gauss && c->kind == GM__KDE_REAL && c->kernel == GM__KERNEL_GAUSSIAN;
        if (c->kind == GM__KDE_REFLECT && gm__kde_images(k, j) > GM__KDE_IMAGES)
            return gm__fail(ctx, GM_E_RANGE,
                            "kde: column %lld: bandwidth %g is too large for "
                            "walls at %g and %g",
                            (long long)j, c->bandwidth, c->low, c->high);
        k->wide += columns[c->kind];
        k->inverse[j] = inverse_of(kernels, c);
        epsilon += epsilon_of(c);
        if (k->radial)
            k->log_norm += gm__kde_map(kernels, GM__LOG, c->bandwidth);
        else
            k->log_norm += gm__kde_log_constant(kernels, c);
    }
    if (k->radial)
        k->log_norm += gm__kde_log_radial(kernels, k->columns[0].kernel, k->d);
    k->gauss = gauss;
    k->radial = k->radial && !gauss;
    k->epsilon = epsilon;
    return GM_OK;
}

/* ---- Coordinates ---- */

double gm__kde_coordinate(const gm__kde_column *c, double x)
{
    double t;
    switch (c->kind) {
    case GM__KDE_CIRCULAR:
        t = (x - c->low) / (c->high - c->low);
        return 2 * PI * (t - floor(t));
    case GM__KDE_BETA:
        return (x - c->low) / (c->high - c->low);
    default:
        return x;
    }
}

int gm__kde_holds(const gm__kde_column *c, double x)
{
    if (c->kind == GM__KDE_REAL || c->kind == GM__KDE_CIRCULAR)
        return 1;
    return x >= c->low && x <= c->high && (c->kind < GM__KDE_CATEGORY || whole(x));
}

void gm__kde_whiten(const gm__kde *k, double *y)
{
    gm__solve_lower(k->root, k->d, y);
}

void gm__kde_place(const gm__kde *k, const double *x, double *y)
{
    for (int64_t j = 0; j < k->d; j++)
        y[j] = k->root ? x[j] - k->center[j] : gm__kde_coordinate(&k->columns[j], x[j]);
    if (k->root)
        gm__kde_whiten(k, y);
}

gm_status gm__kde_coordinates(gm_context *ctx, const gm__kde *k, const double *x, int64_t n,
                              int64_t stride, double *y)
{
    for (int64_t i = 0; i < n; i++) {
        double *to = y + i * k->d;
        for (int64_t j = 0; j < k->d; j++) {
            double v = x[i * stride + j];
            if (!finite(v) || !(v >= -0x1p1000 && v <= 0x1p1000))
                return gm__fail(ctx, GM_E_DATA,
                                "kde: row %lld, column %lld: %g is no finite "
                                "number under 2^1000",
                                (long long)i, (long long)j, v);
            if (!gm__kde_holds(&k->columns[j], v))
                return gm__fail(ctx, GM_E_DATA,
                                "kde: row %lld, column %lld: %g is not what the "
                                "column can hold, %g to %g",
                                (long long)i, (long long)j, v, k->columns[j].low,
                                k->columns[j].high);
            to[j] = k->root ? v - k->center[j] : gm__kde_coordinate(&k->columns[j], v);
        }
        if (k->root)
            gm__kde_whiten(k, to);
    }
    return GM_OK;
}

/* log B(x / b + 1, (1 - x) / b + 1), with its parts. */
static double log_beta(const gm__kernels *kernels, double x, double b, double part[2])
{
    double in[3], out[3];
    part[0] = x / b;
    part[1] = (1 - x) / b;
    in[0] = part[0] + 1;
    in[1] = part[1] + 1;
    in[2] = in[0] + in[1];
    kernels->maps->map1[GM__F64][GM__LGAMMA](out, in, 3);
    return out[0] + out[1] - out[2];
}

void gm__kde_store(const gm__kernels *kernels, const gm__kde *k, double *block, int64_t at,
                   const double *y)
{
    double *to = block + at;
    for (int64_t j = 0; j < k->d && k->gauss; j++)
        to[j * k->stride] = y[j];
    for (int64_t j = 0; j < k->d && !k->gauss; j++) {
        const gm__kde_column *c = &k->columns[j];
        double h = c->bandwidth / (c->high - c->low), part[2];
        if (c->kind == GM__KDE_CIRCULAR) {
            to[0] = gm__kde_map(kernels, GM__COS, 0.5 * y[j]);
            to[k->stride] = gm__kde_map(kernels, GM__SIN, 0.5 * y[j]);
            to += 2 * k->stride;
        } else if (c->kind == GM__KDE_BETA) {
            to[2 * k->stride] = log_beta(kernels, y[j], h * h, part);
            to[0] = part[0];
            to[k->stride] = part[1];
            to += 3 * k->stride;
        } else {
            *to = y[j];
            to += k->stride;
        }
    }
}

/* The part of an ordered column's kernel about x that lies on its levels: the geometric tails
 * beyond them are cut off. */
static double on_levels(const gm__kernels *kernels, const gm__kde_column *c, double x)
{
    double lost = 0,
           log_lambda = c->bandwidth > 0 ? gm__kde_map(kernels, GM__LOG, c->bandwidth) : -800;
    if (finite(c->low))
        lost += gm__kde_map(kernels, GM__EXP, (x - c->low + 1) * log_lambda);
    if (finite(c->high))
        lost += gm__kde_map(kernels, GM__EXP, (c->high - x + 1) * log_lambda);
    return 1 - 0.5 * lost;
}

double gm__kde_weight(const gm__kernels *kernels, const gm__kde *k, int64_t row,
                      const uint8_t *mark)
{
    double w = k->even ? 1 : k->weight[row] / k->scale;
    for (int64_t j = 0; j < k->d && (!k->gauss || k->factor); j++) {
        const gm__kde_column *c = &k->columns[j];
        if (mark && !mark[j])
            continue;
        if (k->factor && (c->kind == GM__KDE_REAL || c->kind == GM__KDE_REFLECT))
            w /= k->factor[row];
        if (c->kind == GM__KDE_ORDERED)
            w /= on_levels(kernels, c, k->x[row * k->d + j]);
    }
    return w;
}
