/* Schedules of the learning rate. */
#include "train/schedule.h"

#include <math.h>

/* (1 + cos(pi u)) / 2, from 1 to 0 (Loshchilov and Hutter 2017, eq. 5). */
static double half_cosine(const gm__kernels *k, double u)
{
    double x = 3.14159265358979323846 * u, y;
    k->maps->map1[GM__F64][GM__COS](&y, &x, 1);
    return 0.5 * (1 + y);
}

/* Smith and Topin 2019: up from 1/25 over the first three tenths, then down to 1/10000 of the
 * start. */
static double one_cycle(const gm__kernels *k, double u)
{
    const double peak = 0.3, low = 1.0 / 25, last = 1.0 / 250000;
    if (u < peak)
        return low + (1 - low) * (1 - half_cosine(k, u / peak));
    return last + (1 - last) * half_cosine(k, (u - peak) / (1 - peak));
}

double gm__power(double base, int64_t t)
{
    double result = 1;
    for (; t > 0; t >>= 1, base *= base)
        if (t & 1)
            result *= base;
    return result;
}

static double stepwise(const gm__schedule *s, double u)
{
    double steps = floor(u / s->every);
    return gm__power(s->factor, steps < 10000 ? (int64_t)steps : 10000);
}

double gm__schedule_rate(const gm__schedule *s, const gm__kernels *k, int64_t step)
{
    double warm = step < s->warmup ? (double)(step + 1) / (double)(s->warmup + 1) : 1, u = 0;
    if (s->horizon > s->hold && step > s->hold)
        u = (double)(step - s->hold) / (double)(s->horizon - s->hold);
    u = u < 1 ? u : 1;
    switch (s->kind) {
    case GM__COSINE:
        return warm * half_cosine(k, u);
    case GM__STEPWISE:
        return warm * stepwise(s, u);
    case GM__ONE_CYCLE:
        return warm * one_cycle(k, u);
    default:
        return warm;
    }
}
