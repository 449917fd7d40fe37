/* Bandwidths by rule, and by the improved Sheather-Jones method. */
#include "density/kde_part.h"
#include "base/size.h"
#include "base/sort.h"

#include <math.h>

#define PI 0x1.921fb54442d18p1
enum { BINS = 4096, STAGES = 7 };

static double power(const gm__kernels *kernels, double x, double p)
{
    return gm__kde_map(kernels, GM__EXP, p * gm__kde_map(kernels, GM__LOG, x));
}

static double weight_of(const gm__kde_rows_of *r, int64_t i)
{
    return r->weights ? r->weights[i] : 1;
}

static gm_status check(gm_context *ctx, const gm__kde_rows_of *r)
{
    double sum = 0;
    if (!r->x || r->n < 1 || r->d < 1 || r->stride < r->d)
        return gm__fail(ctx, GM_E_ARG, "kde: bandwidths need rows and their stride");
    for (int64_t i = 0; i < r->n; i++) {
        double w = weight_of(r, i);
        if (!(w >= 0 && w < INFINITY))
            return gm__fail(ctx, GM_E_DATA, "kde: row %lld: weight %g", (long long)i, w);
        sum += w;
        for (int64_t j = 0; j < r->d; j++)
            if (!(fabs(r->x[i * r->stride + j]) <= 0x1p500))
                return gm__fail(ctx, GM_E_DATA,
                                "kde: row %lld, column %lld of x: %g is no number under 2^500; set "
                                "transform=standard, or leave such rows out",
                                (long long)i + 1, (long long)j + 1, r->x[i * r->stride + j]);
    }
    if (!(sum > 0 && sum < INFINITY))
        return gm__fail(ctx, GM_E_DATA, "kde: the weights sum to %g", sum);
    return GM_OK;
}

/* ---- Scales ---- */

static double effective(const gm__kde_rows_of *r)
{
    double sum = 0, squares = 0, most = 0;
    for (int64_t i = 0; i < r->n; i++)
        most = weight_of(r, i) > most ? weight_of(r, i) : most;
    for (int64_t i = 0; i < r->n; i++) {
        double w = weight_of(r, i) / most;
        sum += w;
        squares += w * w;
    }
    return sum * sum / squares;
}

/* Standard deviation, with the divisor 1 - sum w^2 where weights sum to 1 (n - 1 for equal ones).
 */
static double deviation(const gm__kde_rows_of *r, int64_t j, double rows, double *mean)
{
    double sum = 0, total = 0, squares = 0, first = r->x[j];
    for (int64_t i = 0; i < r->n; i++) {
        sum += weight_of(r, i) * (r->x[i * r->stride + j] - first);
        total += weight_of(r, i);
    }
    sum /= total;
    *mean = first + sum;
    for (int64_t i = 0; i < r->n; i++) {
        double u = r->x[i * r->stride + j] - first - sum;
        squares += weight_of(r, i) / total * u * u;
    }
    return rows > 1 ? sqrt(squares / (1 - 1 / rows)) : 0;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The value below which a share of the weight lies, halfway within a row's own weight, linear
 * between rows; order holds pointers to the column's values, sorted. */
static double quantile(const gm__kde_rows_of *r, int64_t j, void **order, double total,
                       double share)
{
    double below = 0, at = 0, value = 0;
    for (int64_t i = 0; i < r->n; i++) {
        const double *x = order[i];
        double w = weight_of(r, (x - j - r->x) / r->stride) / total, middle = below + 0.5 * w;
        if (w > 0 && middle >= share)
            return at > 0 ? value + (*x - value) * ((share - at) / (middle - at)) : *x;
        if (w > 0) {
            at = middle;
            value = *x;
        }
        below += w;
    }
    return value;
}

static double spread(const gm__kde_rows_of *r, int64_t j, void **order)
{
    double total = 0;
    for (int64_t i = 0; i < r->n; i++) {
        order[i] = (void *)(uintptr_t)(r->x + i * r->stride + j);
        total += weight_of(r, i);
    }
    gm__sort_pointers(order, r->n, by_value);
    return (quantile(r, j, order, total, 0.75) - quantile(r, j, order, total, 0.25)) / 1.349;
}

gm_status gm__kde_rule_of_thumb(gm_context *ctx, gm__kde_rule rule, const gm__kde_rows_of *r,
                                double *h)
{
    GM_TRY(check(ctx, r));
    double rows = effective(r), d = (double)r->d, factor = power(ctx->kernels, rows, -1 / (d + 4));
    void **order = NULL;
    if (rule == GM__KDE_SILVERMAN) {
        order = gm__alloc_array(&ctx->allocator, r->n, sizeof *order);
        if (!order)
            return gm__no_memory(ctx);
        factor *= r->d == 1 ? 0.9 : power(ctx->kernels, 4 / (d + 2), 1 / (d + 4));
    }
    for (int64_t j = 0; j < r->d; j++) {
        double mean, sigma = deviation(r, j, rows, &mean);
        if (order) {
            double robust = spread(r, j, order);
            sigma = robust > 0 && robust < sigma ? robust : sigma;
        }
        /* What rounding leaves of a constant column is no scale. */
        if (!(sigma > 0x1p-51 * fabs(mean)))
            h[j] = mean != 0 ? 1e-3 * fabs(mean) : 1e-3;
        else
            h[j] = sigma * factor;
    }
    gm__free(&ctx->allocator, order, (size_t)r->n * sizeof *order);
    return GM_OK;
}

double gm__kde_canonical(int32_t kernel)
{
    /* (R(K) / mu_2^2)^(1/5) over the Gaussian's 0.776388. */
    static const double of[GM__KERNEL_COUNT] = {
        [GM__KERNEL_GAUSSIAN] = 1,
        [GM__KERNEL_EPANECHNIKOV] = 2.2138043588613,
        [GM__KERNEL_TOPHAT] = 1.7400570569723,
        [GM__KERNEL_EXPONENTIAL] = 0.7397704676497,
        [GM__KERNEL_LINEAR] = 2.4319981192442,
        [GM__KERNEL_COSINE] = 2.2749766758152,
        [GM__KERNEL_BIWEIGHT] = 2.6226153288261,
        [GM__KERNEL_TRIWEIGHT] = 2.9781059248193,
        [GM__KERNEL_TRICUBE] = 2.6097835970683,
    };
    return of[kernel];
}

/* ---- Improved Sheather-Jones ---- */

typedef struct plug {
    const gm__kernels *kernels;
    double rows;
    double *k2, *a2, *e; /* k^2, (a_k / 2)^2 and scratch, for k from 1 */
} plug;

/* 2 pi^(2 s) sum of k^(2 s) a2 e^(-k^2 pi^2 t): the squared norm of derivative s. */
static double norm_of(const plug *p, int s, double t)
{
    double sum = 0, scale = 2;
    for (int i = 0; i < BINS - 1; i++)
        p->e[i] = -p->k2[i] * (PI * PI) * t;
    p->kernels->maps->map1[GM__F64][GM__EXP](p->e, p->e, BINS - 1);
    for (int i = 0; i < BINS - 1; i++) {
        double term = p->a2[i] * p->e[i];
        for (int j = 0; j < s && term > 0; j++)
            term *= p->k2[i];
        sum += term;
    }
    for (int j = 0; j < s; j++)
        scale *= PI * PI;
    return scale * sum;
}

/* t less what the chain of stages makes of t: its root is the squared bandwidth. */
static double fixed_point(const plug *p, double t)
{
    double f = norm_of(p, STAGES, t);
    for (int s = STAGES - 1; s >= 2; s--) {
        double odd = 1;
        for (int i = 1; i < 2 * s; i += 2)
            odd *= i;
        double k0 = odd / sqrt(2 * PI);
        double c = (1 + power(p->kernels, 0.5, s + 0.5)) / 3;
        double time = power(p->kernels, 2 * c * k0 / (p->rows * f), 2 / (3.0 + 2 * s));
        f = norm_of(p, s, time);
    }
    return t - power(p->kernels, 2 * p->rows * sqrt(PI) * f, -0.4);
}

/* The cosine transform by its definition; cosines come from one table of a whole turn. */
static void transform(const gm__kernels *kernels, const double *bins, double *table, double *a)
{
    for (int i = 0; i < 4 * BINS; i++)
        table[i] = PI * i / (2 * BINS);
    kernels->maps->map1[GM__F64][GM__COS](table, table, 4 * BINS);
    for (int k = 1; k < BINS; k++) {
        double sum[4] = {0};
        for (int j = 0; j < BINS; j++)
            sum[j & 3] += bins[j] * table[(k * (2 * j + 1)) & (4 * BINS - 1)];
        a[k - 1] = (sum[0] + sum[2]) + (sum[1] + sum[3]);
    }
}

static double count_unique(double *sorted, int64_t n)
{
    int64_t count = n > 0;
    for (int64_t i = 1; i < n; i++)
        count += sorted[i] != sorted[i - 1];
    return (double)count;
}

/* The first root going up from small t, by doubling and halving; 0 where there is none. */
static double root(const plug *p)
{
    double low = 1e-10, high = low;
    while (high < 0.2 && !(fixed_point(p, high) > 0)) {
        low = high;
        high *= 1.5;
    }
    if (high >= 0.2 || low == high)
        return 0;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (fixed_point(p, middle) > 0)
            high = middle;
        else
            low = middle;
    }
    return 0.5 * (low + high);
}

/* room: sorted (n), bins, k2, a2, e (BINS each), table (4 BINS). */
static double plug_in(gm_context *ctx, const gm__kde_rows_of *r, double *room)
{
    double *sorted = room, *bins = room + r->n, *table = bins + 4 * BINS, total = 0;
    plug p = {ctx->kernels, 0, bins + BINS, bins + 2 * BINS, bins + 3 * BINS};
    for (int64_t i = 0; i < r->n; i++) {
        sorted[i] = r->x[i * r->stride];
        total += weight_of(r, i);
    }
    gm__sort_reals(sorted, r->n);
    double range = sorted[r->n - 1] - sorted[0], low = sorted[0] - range / 10;
    double width = range * 1.2, unique = count_unique(sorted, r->n), rows = effective(r);
    if (!(range > 0))
        return 0;
    p.rows = rows < unique ? rows : unique;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t at = (int64_t)((r->x[i * r->stride] - low) / width * BINS);
        bins[at < 0 ? 0 : at < BINS ? at : BINS - 1] += weight_of(r, i) / total;
    }
    transform(ctx->kernels, bins, table, p.a2);
    for (int i = 0; i < BINS - 1; i++) {
        p.k2[i] = (i + 1.0) * (i + 1.0);
        p.a2[i] *= p.a2[i];
    }
    return sqrt(root(&p)) * width;
}

gm_status gm__kde_sheather_jones(gm_context *ctx, const gm__kde_rows_of *r, double *h)
{
    int64_t size;
    GM_TRY(check(ctx, r));
    if (r->d != 1)
        return gm__fail(ctx, GM_E_SHAPE,
                        "kde: the Sheather-Jones bandwidth is for one column, not %lld: take "
                        "scott, silverman, lscv or likelihood",
                        (long long)r->d);
    GM_TRY(gm__kde_rule_of_thumb(ctx, GM__KDE_SILVERMAN, r, h));
    if (gm__add64(r->n, 8 * BINS, &size))
        return gm__no_memory(ctx);
    double *room = gm__alloc_array(&ctx->allocator, size, sizeof *room);
    if (!room)
        return gm__no_memory(ctx);
    double found = plug_in(ctx, r, room);
    if (found > 0)
        *h = found;
    gm__free(&ctx->allocator, room, (size_t)size * sizeof *room);
    return GM_OK;
}

/* ---- Adaptive factors ---- */

/* Abramson 1982, "On bandwidth variation in kernel estimates", with the geometric mean of Silverman
 * 1986, section 5.3. */
gm_status gm__kde_abramson(gm_context *ctx, const gm__kde *pilot, const gm__kde_rows_of *r,
                           double *factors)
{
    gm__kde_promise promise = {1e-6, 0};
    double sum = 0, total = 0;
    GM_TRY(check(ctx, r));
    GM_TRY(gm__kde_log_density(ctx, pilot, r->x, r->n, r->stride, &promise, factors, NULL, NULL));
    for (int64_t i = 0; i < r->n; i++)
        if (factors[i] > -INFINITY) {
            sum += weight_of(r, i) * factors[i];
            total += weight_of(r, i);
        }
    for (int64_t i = 0; i < r->n; i++) {
        double e = -0.5 * (factors[i] - (total > 0 ? sum / total : 0));
        factors[i] = e < -6.9 ? -6.9 : e < 6.9 ? e : 6.9;
    }
    ctx->kernels->maps->map1[GM__F64][GM__EXP](factors, factors, r->n);
    return GM_OK;
}
