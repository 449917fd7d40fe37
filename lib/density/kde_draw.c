/* A draw from one kernel about one row. Every number is a function of (seed, purpose, step,
 * element): a row has room for 64 elements a column. */
#include "density/kde_draw.h"
#include "density/kde_choose.h"

#include <math.h>

#define PI 0x1.921fb54442d18p1
enum { ELEMENTS = GM__KDE_ELEMENTS, TRIES = 20 };

gm__kde_stream gm__kde_stream_of(const gm__kernels *kernels, uint64_t seed, uint64_t step,
                                 int64_t row, int64_t d)
{
    return (gm__kde_stream){kernels, seed, step, row * (d + 1) * ELEMENTS, 0};
}

gm_status gm__kde_check_rows(gm_context *ctx, int64_t row0, int64_t m, int64_t d)
{
    int64_t most = d < (int64_t)1 << 40 ? ((int64_t)1 << 48) / (ELEMENTS * (d + 1)) : 0;
    if (m >= 0 && row0 >= 0 && m <= most && row0 <= most - m)
        return GM_OK;
    return gm__fail(ctx, GM_E_ARG,
                    "kde: %lld rows from number %lld cannot be drawn: numbers end at %lld",
                    (long long)m, (long long)row0, (long long)most);
}

double gm__kde_uniform(gm__kde_stream *s)
{
    uint64_t bits = gm__random64(s->seed, GM__FOR_SAMPLE, s->step, s->first + s->at++);
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

static void column_at(gm__kde_stream *s, int64_t j)
{
    s->at = (j + 1) * ELEMENTS;
}

static double map(const gm__kde_stream *s, gm__map1 m, double x)
{
    return gm__kde_map(s->kernels, m, x);
}

double gm__kde_normal(gm__kde_stream *s)
{
    return map(s, GM__NORMAL_QUANTILE, gm__kde_uniform(s));
}

static double minus_log(gm__kde_stream *s)
{
    return -map(s, GM__LOG, gm__kde_uniform(s));
}

/* The middle one of an odd number of uniforms on [-1, 1]: of 1, 3, 5, 7 it has the density of
 * tophat, Epanechnikov, biweight and triweight (order statistics of uniforms are beta). */
static double middle(gm__kde_stream *s, int n)
{
    double u[7];
    for (int i = 0; i < n; i++) {
        double v = 2 * gm__kde_uniform(s) - 1;
        int j = i;
        for (; j > 0 && u[j - 1] > v; j--)
            u[j] = u[j - 1];
        u[j] = v;
    }
    return u[n / 2];
}

static double whole_power(double x, int64_t n)
{
    double y = 1;
    for (; n > 0; n /= 2, x *= x)
        y *= n % 2 ? x : 1;
    return y;
}

/* r with F(r) = u for an increasing F(r) = sum of c_k r^(first + step k) / (first + step k) over
 * [0, 1], by bisection. */
static double invert(const double *c, int n, int64_t first, int step, double u)
{
    double low = 0, high = 1, all = 0;
    for (int k = 0; k < n; k++)
        all += c[k] / (double)(first + step * k);
    for (int i = 0; i < 54; i++) {
        double r = 0.5 * (low + high), sum = 0, power = 1, ratio = whole_power(r, step);
        for (int k = 0; k < n; k++, power *= ratio)
            sum += c[k] * power / (double)(first + step * k);
        if (sum * whole_power(r, first) < u * all)
            low = r;
        else
            high = r;
    }
    return 0.5 * (low + high);
}

/* The coefficients of a kernel in powers of r^step; how many. */
static int coefficients(int32_t kernel, double *c, int *step)
{
    static const double table[GM__KERNEL_COUNT][4] = {
        [GM__KERNEL_EPANECHNIKOV] = {1, -1},     [GM__KERNEL_TOPHAT] = {1},
        [GM__KERNEL_LINEAR] = {1, -1},           [GM__KERNEL_BIWEIGHT] = {1, -2, 1},
        [GM__KERNEL_TRIWEIGHT] = {1, -3, 3, -1}, [GM__KERNEL_TRICUBE] = {1, -3, 3, -1},
    };
    *step = kernel == GM__KERNEL_LINEAR ? 1 : kernel == GM__KERNEL_TRICUBE ? 3 : 2;
    if (kernel != GM__KERNEL_COSINE) {
        for (int k = 0; k < 4; k++)
            c[k] = table[kernel][k];
        return 4;
    }
    c[0] = 1;
    for (int k = 1; k < 12; k++)
        c[k] = -c[k - 1] * (PI * PI / 4) / ((2 * k - 1.0) * (2 * k));
    return 12;
}

/* A kernel on the line, bandwidth 1. */
static double line(gm__kde_stream *s, int32_t kernel)
{
    double c[12], u;
    int step;
    switch (kernel) {
    case GM__KERNEL_GAUSSIAN:
        return gm__kde_normal(s);
    case GM__KERNEL_EPANECHNIKOV:
        return middle(s, 3);
    case GM__KERNEL_TOPHAT:
        return middle(s, 1);
    case GM__KERNEL_BIWEIGHT:
        return middle(s, 5);
    case GM__KERNEL_TRIWEIGHT:
        return middle(s, 7);
    case GM__KERNEL_LINEAR:
        u = gm__kde_uniform(s);
        return u + gm__kde_uniform(s) - 1;
    default:
        break;
    }
    double sign = gm__kde_uniform(s) < 0.5 ? -1 : 1;
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return sign * minus_log(s);
    int n = coefficients(kernel, c, &step);
    return sign * invert(c, n, 1, step, gm__kde_uniform(s));
}

/* Radial kernels: a direction, and a length with the density kernel(r) r^(d-1). */
void gm__kde_draw_radial(gm__kde_stream *s, const gm__kde *k, double factor, double *y)
{
    double c[12], length = 0, r = 0;
    int step;
    int32_t kernel = k->columns[0].kernel;
    for (int64_t j = 0; j < k->d; j++) {
        column_at(s, j);
        double z = gm__kde_normal(s);
        r += kernel == GM__KERNEL_EXPONENTIAL ? minus_log(s) : 0;
        length += z * z;
        y[j] = z;
    }
    s->at = 1;
    if (kernel != GM__KERNEL_EXPONENTIAL) {
        int n = coefficients(kernel, c, &step);
        r = invert(c, n, k->d, step, gm__kde_uniform(s));
    }
    for (int64_t j = 0; j < k->d; j++)
        y[j] *= k->columns[j].bandwidth * factor * r / sqrt(length);
}

/* Best and Fisher 1979, "Efficient simulation of the von Mises distribution": by rejection, refused
 * with probability under 0.35, so that 20 tries fail once in 10^9 (then the row's own angle). */
static double von_mises(gm__kde_stream *s, double kappa)
{
    double tau = 1 + sqrt(1 + 4 * kappa * kappa), rho = (tau - sqrt(2 * tau)) / (2 * kappa);
    double r = (1 + rho * rho) / (2 * rho);
    if (kappa > 1e5 || !(rho > 1e-9)) /* a normal, or all but uniform */
        return kappa > 1 ? gm__kde_normal(s) / sqrt(kappa) : 2 * PI * gm__kde_uniform(s) - PI;
    for (int i = 0; i < TRIES; i++) {
        double z = map(s, GM__COS, PI * gm__kde_uniform(s)), f = (1 + r * z) / (r + z);
        double c = kappa * (r - f), u = gm__kde_uniform(s), sign = gm__kde_uniform(s) - 0.5;
        if (c * (2 - c) - u > 0 || map(s, GM__LOG, c / u) + 1 - c >= 0) {
            double t = sqrt((1 - f) / (1 + f));
            return 2 * map(s, GM__ATAN, t) * (sign < 0 ? -1 : 1);
        }
    }
    return 0;
}

/* Marsaglia and Tsang 2000, "A simple method for generating gamma variables", shape at least 1:
 * refused with probability under 0.05. */
static double gamma_of(gm__kde_stream *s, double shape)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (int i = 0; i < TRIES / 2; i++) {
        double x = gm__kde_normal(s), u = gm__kde_uniform(s), v = 1 + c * x;
        v = v * v * v;
        if (v > 0 && map(s, GM__LOG, u) < 0.5 * x * x + d - d * v + d * map(s, GM__LOG, v))
            return d * v;
    }
    return d;
}

/* Into the walls by reflection, as the density's images are. */
static double fold(const gm__kde_column *c, double x)
{
    double width = c->high - c->low;
    if (width < INFINITY) {
        double t = (x - c->low) / (2 * width);
        t = 2 * (t - floor(t));
        return c->low + width * (t > 1 ? 2 - t : t);
    }
    if (x < c->low)
        return 2 * c->low - x;
    return x > c->high ? 2 * c->high - x : x;
}

static double steps(gm__kde_stream *s, const gm__kde_column *c, double x)
{
    double lambda = c->bandwidth, log_lambda = lambda > 0 ? map(s, GM__LOG, lambda) : -1;
    for (int i = 0; i < TRIES; i++) {
        double u = gm__kde_uniform(s), far = 1 + floor(minus_log(s) / -log_lambda), y;
        if (u >= lambda)
            return x;
        y = u < 0.5 * lambda ? x - far : x + far;
        if (y >= c->low && y <= c->high)
            return y;
    }
    return x;
}

static double category(gm__kde_stream *s, const gm__kde_column *c, double x)
{
    double u = gm__kde_uniform(s), other = floor(gm__kde_uniform(s) * c->high);
    if (u >= c->bandwidth || c->high < 1)
        return x;
    other = other < c->high ? other : c->high - 1;
    return other >= x ? other + 1 : other;
}

/* The bandwidth whose kernel deviates temperature times as far; a probability that another value is
 * drawn is multiplied itself, and stays one. */
static double warmed(const gm__kde_column *c, double temperature)
{
    if (c->kind == GM__KDE_ORDERED && temperature != 1)
        return gm__kde_scaled_lambda(c, temperature, c->bandwidth > 0.9995 ? c->bandwidth : 0.9995);
    double h = c->bandwidth * temperature;
    double most = c->high / (c->high + 1);
    return c->kind == GM__KDE_CATEGORY && temperature > 1 && h > most
               ? (c->bandwidth > most ? c->bandwidth : most)
               : h;
}

double gm__kde_draw(gm__kde_stream *s, const gm__kde_column *column, int64_t j, double x,
                    double factor, double temperature)
{
    gm__kde_column own = *column, *c = &own;
    own.bandwidth = warmed(column, temperature);
    double width = c->high - c->low, h = c->bandwidth, a, b;
    if (!(h > 0))
        return x;
    column_at(s, j);
    switch (c->kind) {
    case GM__KDE_REAL:
        return x + h * factor * line(s, c->kernel);
    case GM__KDE_REFLECT:
        return fold(c, x + h * factor * line(s, c->kernel));
    case GM__KDE_CIRCULAR:
        h *= 2 * PI / width;
        a = (x - c->low) / width + von_mises(s, 1 / (h * h)) / (2 * PI);
        return c->low + width * (a - floor(a));
    case GM__KDE_BETA:
        b = (h / width) * (h / width);
        x = (x - c->low) / width;
        a = gamma_of(s, x / b + 1);
        b = gamma_of(s, (1 - x) / b + 1);
        return c->low + width * (a / (a + b));
    case GM__KDE_CATEGORY:
        return category(s, c, x);
    default:
        return steps(s, c, x);
    }
}
