/* Polygamma by recurrence and the asymptotic series, Abramowitz and Stegun 6.4.6 and 6.4.11; left
 * of zero by reflection, 6.4.7. Relative error about 1e-14 for x > 0. */
#include "kernels/polygamma.h"

#include "kernels/kernels.h"

#define ORDER_MAX 100

extern const gm__maps gm__maps_base;

static double power(double x, int n)
{
    double y = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1)
            y *= x;
    return y;
}

/* sum over k >= 0 of n! / (z + k)^(n + 1), divided by n!. z >= n + 12. */
static double series(int n, double z)
{
    /* B_2k / (2k)! */
    static const double bernoulli[] = {
        0x1.5555555555555p-4,   -0x1.6c16c16c16c17p-10, 0x1.1566abc011567p-15,
        -0x1.bbd779334ef0bp-21, 0x1.66a8f2bf70ebep-26,  -0x1.22805d644267fp-31,
        0x1.d6db2c4e09162p-37,  -0x1.7da4e1f79955cp-42, 0x1.355871d652e9ep-47,
        -0x1.f57d968caacf1p-53,
    };
    double w = 1 / z, sum = 0;
    double factor = (double)(n + 1) * w; /* (2k + n - 1)! / n! / z^(2k - 1) */
    for (int k = 0; k < 10; k++) {
        sum += bernoulli[k] * factor;
        factor = factor * w * (n + 2 * k + 2) * (w * (n + 2 * k + 3));
    }
    return power(w, n) * (1.0 / n + w * (0.5 + sum));
}

/* The n-th derivative of pi cot(pi x) in x, divided by n!: polynomials in the cotangent, each
 * -pi (1 + c^2) times the derivative of the last. */
static double cotangent(int n, double x)
{
    double p[ORDER_MAX + 3] = {0, 1}, d[ORDER_MAX + 3];
    const double pi = 0x1.921fb54442d18p1;
    double whole, r;
    gm__maps_base.map1[GM__F64][GM__ROUND](&whole, &x, 1);
    r = (x - whole) * pi;
    double s, c;
    gm__maps_base.map1[GM__F64][GM__SIN](&s, &r, 1);
    gm__maps_base.map1[GM__F64][GM__COS](&c, &r, 1);
    for (int k = 1; k <= n; k++) {
        for (int i = 0; i <= k + 1; i++)
            d[i] = (i <= k - 1 ? p[i + 1] * (i + 1) : 0) + (i >= 2 ? p[i - 1] * (i - 1) : 0);
        for (int i = 0; i <= k + 1; i++)
            p[i] = -pi * d[i] / k;
    }
    double y = 0;
    for (int i = n + 1; i >= 0; i--)
        y = y * (c / s) + p[i];
    return pi * y;
}

/* The order-th derivative of digamma over its factorial, up to the sign (-1)^(order + 1). */
static double right(int n, double x)
{
    double sum = 0;
    while (x < n + 12) {
        sum += 1 / power(x, n + 1);
        x += 1;
    }
    return sum + series(n, x);
}

double gm__polygamma(int order, double x)
{
    if (order < 1 || order > ORDER_MAX || !(x - x == 0))
        return x == __builtin_inf() && order >= 1 ? 0 : __builtin_nan("");
    int odd = order & 1;
    double y;
    if (x > 0) {
        y = odd ? right(order, x) : -right(order, x);
    } else {
        y = cotangent(order, x);
        y = -right(order, 1 - x) - y;
    }
    for (int k = 2; k <= order; k++)
        y *= k;
    return y;
}
