/* Constants of the kernels: what makes each integrate to 1. */
#include "density/kde_part.h"

#define PI 0x1.921fb54442d18p1

static double log_of(const gm__kernels *kernels, double x)
{
    return gm__kde_map(kernels, GM__LOG, x);
}

/* I_0(x) e^-x: the series of Abramowitz and Stegun 9.6.12 to 30, the asymptotic one (9.7.1) above,
 * whose least term is under e^-60 there. Returns its logarithm. */
static double log_bessel(const gm__kernels *kernels, double x)
{
    double sum = 1, term = 1;
    if (x <= 30) {
        for (int k = 1; k < 200 && term > sum * 1e-18; k++) {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }
        return log_of(kernels, sum) - x;
    }
    for (int k = 0; k < 60 && term > 1e-18; k++) {
        double next = term * (2 * k + 1) * (2 * k + 1) / (8 * x * (k + 1));
        if (next > term)
            break;
        sum += term = next;
    }
    return log_of(kernels, sum) - 0.5 * log_of(kernels, 2 * PI * x);
}

/* The integral of a kernel over the line. */
static double integral(int32_t kernel)
{
    static const double of[GM__KERNEL_COUNT] = {
        [GM__KERNEL_GAUSSIAN] = 0x1.40d931ff62706p1, /* sqrt(2 pi) */
        [GM__KERNEL_EPANECHNIKOV] = 4.0 / 3,
        [GM__KERNEL_TOPHAT] = 2,
        [GM__KERNEL_EXPONENTIAL] = 2,
        [GM__KERNEL_LINEAR] = 1,
        [GM__KERNEL_COSINE] = 4 / PI,
        [GM__KERNEL_BIWEIGHT] = 16.0 / 15,
        [GM__KERNEL_TRIWEIGHT] = 32.0 / 35,
        [GM__KERNEL_TRICUBE] = 81.0 / 70,
    };
    return of[kernel];
}

double gm__kde_log_constant(const gm__kernels *kernels, const gm__kde_column *c)
{
    double width = c->high - c->low, h = c->bandwidth;
    switch (c->kind) {
    case GM__KDE_REAL:
    case GM__KDE_REFLECT:
        return log_of(kernels, integral(c->kernel)) + log_of(kernels, h);
    case GM__KDE_CIRCULAR:
        h *= 2 * PI / width;
        return log_bessel(kernels, 1 / (h * h)) + log_of(kernels, width);
    case GM__KDE_BETA:
        return log_of(kernels, width);
    default: /* its own parts sum to 1 */
        return 0;
    }
}

/* The integral of cos(pi r / 2) r^(d-1) over [0, 1], by the series of the cosine. */
static double cosine_moment(int64_t d)
{
    double sum = 0, term = 1;
    for (int k = 0; k < 24; k++) {
        sum += term / (double)(d + 2 * k);
        term *= -(PI * PI / 4) / ((2 * k + 1.0) * (2 * k + 2.0));
    }
    return sum;
}

/* The integral of kernel(r) r^(d-1): of polynomials, by partial fractions. */
static double radial_moment(int32_t kernel, int64_t d)
{
    double r = (double)d;
    switch (kernel) {
    case GM__KERNEL_EPANECHNIKOV:
        return 2 / (r * (r + 2));
    case GM__KERNEL_LINEAR:
        return 1 / (r * (r + 1));
    case GM__KERNEL_COSINE:
        return cosine_moment(d);
    case GM__KERNEL_BIWEIGHT:
        return 8 / (r * (r + 2) * (r + 4));
    case GM__KERNEL_TRIWEIGHT:
        return 48 / (r * (r + 2) * (r + 4) * (r + 6));
    case GM__KERNEL_TRICUBE:
        return 162 / (r * (r + 3) * (r + 6) * (r + 9));
    default:
        return 1 / r;
    }
}

double gm__kde_log_radial(const gm__kernels *kernels, int32_t kernel, int64_t d)
{
    double half = 0.5 * (double)d, log_pi = log_of(kernels, PI);
    if (kernel == GM__KERNEL_GAUSSIAN)
        return half * (log_pi + log_of(kernels, 2));
    /* The surface of the unit sphere, 2 pi^(d/2) / Gamma(d/2). */
    double surface = log_of(kernels, 2) + half * log_pi - gm__kde_map(kernels, GM__LGAMMA, half);
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return surface + gm__kde_map(kernels, GM__LGAMMA, (double)d);
    return surface + log_of(kernels, radial_moment(kernel, d));
}
