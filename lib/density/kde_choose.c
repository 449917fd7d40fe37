/* Bandwidths by a rule or by cross-validation for columns of every kind. */
#include "density/kde_choose.h"
#include "density/kde_part.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

#define PI 0x1.921fb54442d18p1

static int measures(const gm__kde_column *c)
{
    return c->kind < GM__KDE_CATEGORY;
}

static int numeric(const gm__kde_column *c)
{
    return c->kind != GM__KDE_CATEGORY;
}

/* The mean direction of a circular column, as an angle. */
static double direction(const gm__kernels *kernels, const gm__kde_rows_of *r, int64_t j,
                        const gm__kde_column *c)
{
    double sine = 0, cosine = 0;
    for (int64_t i = 0; i < r->n; i++) {
        double a = gm__kde_coordinate(c, r->x[i * r->stride + j]),
               w = r->weights ? r->weights[i] : 1;
        sine += w * gm__kde_map(kernels, GM__SIN, a);
        cosine += w * gm__kde_map(kernels, GM__COS, a);
    }
    double far = sqrt(sine * sine + cosine * cosine);
    if (!(far > 0))
        return 0;
    /* the half angle's tangent is y / (r + x) */
    return far + cosine > 0 ? 2 * gm__kde_map(kernels, GM__ATAN, sine / (far + cosine)) : PI;
}

/* The numeric columns side by side into y (n, q); circular ones as distances from their mean. */
static void spread_out(const gm__kernels *kernels, const gm__kde_rows_of *r,
                       const gm__kde_column *columns, int64_t q, double *y)
{
    for (int64_t j = 0, at = 0; j < r->d; j++) {
        const gm__kde_column *c = &columns[j];
        double width = c->high - c->low, middle = 0;
        if (!numeric(c))
            continue;
        if (c->kind == GM__KDE_CIRCULAR)
            middle = direction(kernels, r, j, c);
        for (int64_t i = 0; i < r->n; i++) {
            double v = r->x[i * r->stride + j];
            if (c->kind == GM__KDE_CIRCULAR) {
                double t = (gm__kde_coordinate(c, v) - middle) / (2 * PI);
                v = (t - floor(t + 0.5)) * width;
            }
            y[i * q + at] = v;
        }
        at++;
    }
}

/* A beta kernel about x has the variance x (1 - x) b of the width squared. */
static double beta_scale(const gm__kde_rows_of *r, int64_t j, const gm__kde_column *c)
{
    double sum = 0, total = 0;
    for (int64_t i = 0; i < r->n; i++) {
        double t = (r->x[i * r->stride + j] - c->low) / (c->high - c->low);
        double w = r->weights ? r->weights[i] : 1;
        sum += w * t * (1 - t);
        total += w;
    }
    sum = sqrt(sum / total);
    return sum > 0.1 ? 1 / sum : 10;
}

double gm__kde_widest(const gm__kde_column *c, double few)
{
    double levels = c->high - c->low;
    if (!(levels > 0.5 / (1 - few)) || levels - levels != 0)
        return few;
    return levels < 0x1p39 ? 1 - 0.5 / levels : GM__KDE_MOST_LAMBDA;
}

/* lambda (1 + lambda) / (1 - lambda)^2 is the kernel's variance. */
double gm__kde_lambda(const gm__kde_column *c, double h, double few)
{
    double lambda = 2 * h * h / (1 + 2 * h * h + sqrt(1 + 8 * h * h));
    double most = gm__kde_widest(c, few);
    return lambda < most ? lambda : most;
}

double gm__kde_scaled_lambda(const gm__kde_column *c, double times, double few)
{
    double h = c->bandwidth;
    return gm__kde_lambda(c, times * sqrt(h * (1 + h)) / (1 - h), few);
}

/* h of a Gaussian as the bandwidth of a column's kernel. */
static double fit_to(const gm__kde_rows_of *r, int64_t j, const gm__kde_column *c, double h)
{
    double width = c->high - c->low;
    switch (c->kind) {
    case GM__KDE_REAL:
        return h * gm__kde_canonical(c->kernel);
    case GM__KDE_REFLECT:
        h *= gm__kde_canonical(c->kernel);
        return h < 30 * width ? h : 30 * width;
    case GM__KDE_BETA:
        h *= beta_scale(r, j, c);
        return h < 1e-5 * width ? 1e-5 * width : h < width ? h : width;
    case GM__KDE_CIRCULAR:
        return h < 1e-6 * width ? 1e-6 * width : h < width ? h : width;
    default:
        return gm__kde_lambda(c, h, 0.999);
    }
}

static double effective(const gm__kde_rows_of *r)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < r->n; i++) {
        double w = r->weights ? r->weights[i] : 1;
        sum += w;
        squares += w * w;
    }
    return squares > 0 ? sum * sum / squares : 1;
}

static gm_status by_rule(gm_context *ctx, int32_t rule, const gm__kde_rows_of *r,
                         gm__kde_column *columns)
{
    int64_t q = 0, size;
    for (int64_t j = 0; j < r->d; j++)
        q += numeric(&columns[j]);
    if (gm__mul64(r->n, q, &size) || gm__add64(size, q + 1, &size))
        return gm__no_memory(ctx);
    double *y = gm__alloc_array(&ctx->allocator, size, sizeof *y), *h = y ? y + r->n * q : NULL;
    if (!y)
        return gm__no_memory(ctx);
    spread_out(ctx->kernels, r, columns, q, y);
    gm__kde_rows_of all = {y, r->n, q, q, r->weights};
    gm_status code = q == 0                   ? GM_OK
                     : rule == GM__KDE_BY_ISJ ? gm__kde_sheather_jones(ctx, &all, h)
                     : rule == GM__KDE_BY_SILVERMAN
                         ? gm__kde_rule_of_thumb(ctx, GM__KDE_SILVERMAN, &all, h)
                         : gm__kde_rule_of_thumb(ctx, GM__KDE_SCOTT, &all, h);
    double lost = -2 / (4 + (double)q) * gm__kde_map(ctx->kernels, GM__LOG, effective(r));
    lost = gm__kde_map(ctx->kernels, GM__EXP, lost);
    for (int64_t j = 0, at = 0; j < r->d && !code; j++) {
        gm__kde_column *c = &columns[j];
        c->bandwidth = numeric(c) ? fit_to(r, j, c, h[at++]) : lost * c->high / (c->high + 1);
    }
    gm__free(&ctx->allocator, y, (size_t)size * sizeof *y);
    return code;
}

/* ---- Numbers given --------------------------------------------------------------------------- */

static gm_status by_numbers(gm_context *ctx, const gm__kde_choice *o, const gm__kde_rows_of *r,
                            gm__kde_column *columns)
{
    int64_t q = 0, at = 0;
    for (int64_t j = 0; j < r->d; j++)
        q += measures(&columns[j]);
    if (o->count != 1 && o->count != q)
        return gm__fail(ctx, GM_E_RANGE,
                        "kde: option 'bandwidth' has %lld numbers, one for all or one for each of "
                        "%lld real columns was expected",
                        (long long)o->count, (long long)q);
    GM_TRY(by_rule(ctx, GM__KDE_BY_SCOTT, r, columns));
    for (int64_t j = 0; j < r->d; j++)
        if (measures(&columns[j]))
            columns[j].bandwidth = o->numbers[o->count > 1 ? at++ : 0];
    return GM_OK;
}

/* ---- Matrices -------------------------------------------------------------------------------- */

/* The covariance times the squared factor that the rule has for the deviations. */
static gm_status whole_rule(gm_context *ctx, int32_t rule, const gm__kde_rows_of *r, double *matrix)
{
    int64_t d = r->d;
    double rows = effective(r), total = 0, power = -1 / ((double)d + 4);
    double *mean = gm__alloc_array(&ctx->allocator, d, sizeof *mean);
    if (!mean)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < r->n; i++) {
        double w = r->weights ? r->weights[i] : 1;
        total += w;
        for (int64_t j = 0; j < d; j++)
            mean[j] += w * r->x[i * r->stride + j];
    }
    for (int64_t j = 0; j < d; j++)
        mean[j] /= total;
    memset(matrix, 0, (size_t)(d * d) * sizeof *matrix);
    for (int64_t i = 0; i < r->n && !gm_cancel_tripped(ctx->cancel); i++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t l = 0; l <= j; l++)
                matrix[j * d + l] += (r->weights ? r->weights[i] : 1) / total *
                                     (r->x[i * r->stride + j] - mean[j]) *
                                     (r->x[i * r->stride + l] - mean[l]);
    double of = rule == GM__KDE_BY_SILVERMAN ? 4 / ((double)d + 2) : 1;
    double log_factor = 2 * power * gm__kde_map(ctx->kernels, GM__LOG, rows / of);
    double scale =
        gm__kde_map(ctx->kernels, GM__EXP, log_factor) * (rows > 1 ? rows / (rows - 1) : 1);
    for (int64_t j = 0; j < d; j++)
        for (int64_t l = 0; l <= j; l++) {
            double v = matrix[j * d + l] * scale;
            matrix[l * d + j] = matrix[j * d + l] = j == l ? v + (v > 0 ? 1e-9 * v : 1e-6) : v;
        }
    gm__free(&ctx->allocator, mean, (size_t)d * sizeof *mean);
    return gm__check_cancel(ctx);
}

/* ---- All ------------------------------------------------------------------------------------- */

static int plain(const gm__kde_column *columns, int64_t d)
{
    int real = 1;
    for (int64_t j = 0; j < d; j++)
        real = real && columns[j].kind == GM__KDE_REAL;
    return real;
}

static gm_status by_crossing(gm_context *ctx, const gm__kde_choice *o, const gm__kde_rows_of *r,
                             gm__kde_column *columns, double *matrix)
{
    int64_t d = r->d;
    int likelihood = o->rule == GM__KDE_BY_LIKELIHOOD;
    if (!plain(columns, d)) {
        if (!likelihood)
            return gm__fail(ctx, GM_E_UNSUPPORTED,
                            "kde: bandwidth=lscv is for real columns without walls; likelihood "
                            "takes columns of every kind");
        GM_TRY(by_rule(ctx, GM__KDE_BY_SCOTT, r, columns));
        return gm__kde_cross_columns(ctx, r, o->most, o->seed, columns);
    }
    double *h = gm__alloc_array(&ctx->allocator, d, sizeof *h);
    if (!h)
        return gm__no_memory(ctx);
    gm_status code =
        gm__kde_cross_validate(ctx, likelihood ? GM__KDE_LIKELIHOOD : GM__KDE_LEAST_SQUARES, r,
                               o->most, o->seed, h, matrix);
    for (int64_t j = 0; j < d && !code; j++)
        columns[j].bandwidth = h[j] * gm__kde_canonical(columns[j].kernel);
    gm__free(&ctx->allocator, h, (size_t)d * sizeof *h);
    return code;
}

gm_status gm__kde_choose(gm_context *ctx, const gm__kde_choice *o, const gm__kde_rows_of *r,
                         gm__kde_column *columns, double *matrix)
{
    if (matrix && (!plain(columns, r->d) || columns[0].kernel != GM__KERNEL_GAUSSIAN || o->radial))
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "kde: matrix wants real columns without walls and the Gaussian kernel as a "
                        "product");
    if (o->radial && !plain(columns, r->d))
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "kde: radial kernels want real columns without walls; leave radial off, or "
                        "other columns out");
    switch (o->rule) {
    case GM__KDE_BY_NUMBERS:
        if (matrix)
            return gm__fail(ctx, GM_E_ARG,
                            "kde: a matrix comes of a rule or of cross-validation: "
                            "bandwidth is scott, silverman, lscv or likelihood");
        return by_numbers(ctx, o, r, columns);
    case GM__KDE_BY_LSCV:
    case GM__KDE_BY_LIKELIHOOD:
        return by_crossing(ctx, o, r, columns, matrix);
    default:
        GM_TRY(by_rule(ctx, o->rule, r, columns));
        return matrix ? whole_rule(ctx, o->rule, r, matrix) : GM_OK;
    }
}
