#include "data/transform_parts.h"

#include <math.h>

#define FLOOR 1e-2   /* least slope, in units of 1 / deviation */
#define NEAREST 1e-4 /* least distance of knots, in deviations */
#define LEAST_END                                                                                  \
    0.5 /* least |z| of an end, from which its tail starts: a tail is longer by 1 / |z| */

/* ---- Evaluation ------------------------------------------------------------------------------ */

static int64_t interval(const double *knots, int64_t n, double x)
{
    int64_t low = 0, high = n - 1;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (x < knots[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* Within interval i at the fraction t of its width. Formulas: Gregory and Delbourgo 1982; Durkan et
 * al. 2019, eq. 4 and 5. */
static gm__curve inside(const double *x, const double *z, const double *slope, int64_t i, double t)
{
    double w = x[i + 1] - x[i], h = z[i + 1] - z[i], s = h / w, d0 = slope[i], d1 = slope[i + 1];
    double both = t * (1 - t), e = d0 + d1 - 2 * s, den = s + e * both;
    double top = d1 * t * t + 2 * s * both + d0 * (1 - t) * (1 - t);
    gm__curve c;
    c.value = z[i] + h * ((s * t * t + d0 * both) / den);
    c.slope = s / den * (s / den) * top;
    c.bend = ((2 * d1 * t + 2 * s * (1 - 2 * t) - 2 * d0 * (1 - t)) / top -
              2 * (e * (1 - 2 * t)) / den) /
             w;
    return c;
}

gm__curve gm__quantile_forward(const gm__way *w, double x)
{
    int64_t n = w->knots;
    const double *kx = w->p + 2, *kz = kx + n, *slope = kz + n;
    if (x >= kx[0] && x <= kx[n - 1]) {
        int64_t i = interval(kx, n, x);
        return inside(kx, kz, slope, i, (x - kx[i]) / (kx[i + 1] - kx[i]));
    }
    int64_t end = x < kx[0] ? 0 : n - 1;
    double ze = kz[end], rate = ze * slope[end], away = sqrt(ze * ze + 2 * (rate * (x - kx[end])));
    gm__curve c = {ze < 0 ? -away : away, fabs(rate) / away, 0};
    c.bend = -c.slope / c.value;
    return c;
}

gm__curve gm__quantile_inverse(const gm__way *w, double z)
{
    int64_t n = w->knots;
    const double *kx = w->p + 2, *kz = kx + n, *slope = kz + n;
    gm__curve c;
    if (z >= kz[0] && z <= kz[n - 1]) { /* Durkan et al. 2019, eq. 6 to 8 */
        int64_t i = interval(kz, n, z);
        double width = kx[i + 1] - kx[i], h = kz[i + 1] - kz[i], s = h / width, d0 = slope[i];
        double d = d0 / s, y = z - kz[i]; /* all over s: squares of slopes leave the range */
        double e = y * (d + slope[i + 1] / s - 2), a = h * (1 - d) + e, b = h * d - e, cc = -y;
        double under = b * b - 4 * (a * cc);
        double t = 2 * cc / (-b - sqrt(under > 0 ? under : 0));
        t = t > 0 ? t < 1 ? t : 1 : 0; /* also where y and d0 are so small that 0 / 0 came out */
        c = inside(kx, kz, slope, i, t);
        c.value = kx[i] + t * width;
        return c;
    }
    int64_t end = z < kz[0] ? 0 : n - 1;
    double ze = kz[end], rate = ze * slope[end];
    c.value = kx[end] + (z - ze) * (z + ze) / (2 * rate);
    c.slope = rate / z;
    c.bend = -c.slope / z;
    return c;
}

/* ---- Fitting --------------------------------------------------------------------------------- */

/* Evenly spaced ranks; a value that fills several of them is one knot in the middle of its own
 * ranks. */
static int64_t choose(const double *sorted, int64_t n, double nearest, double *x, double *p)
{
    int64_t most = n < GM__MAX_KNOTS ? n : GM__MAX_KNOTS, count = 0;
    for (int64_t i = 0; i < most; i++) {
        int64_t at = most > 1 ? (int64_t)((double)i / (double)(most - 1) * (double)(n - 1)) : 0,
                from, to;
        double value = sorted[at];
        if (count && value - x[count - 1] < nearest) {
            if (i < most - 1 || count < 2 || !(value > x[count - 1]))
                continue;
            count--; /* the greatest value is always a knot */
        }
        for (from = at; from > 0 && sorted[from - 1] == value; from--) {
        }
        for (to = at; to < n - 1 && sorted[to + 1] == value; to++) {
        }
        x[count] = value;
        p[count++] = ((double)(from + to) * 0.5 + 0.5) / (double)n;
    }
    return count;
}

/* Steps of z at least FLOOR times those of x in deviations, kept in place at z = 0. */
static void stretch(const double *x, double *z, int64_t n, double deviation)
{
    double before = z[0];
    int64_t zero = 0;
    while (zero < n - 2 && z[zero + 1] < 0)
        zero++;
    /* from here on z holds the steps: z[i] = z_i - z_(i-1) */
    double left = z[zero], right = z[zero + 1];
    for (int64_t i = 1; i < n; i++) {
        double step = z[i] - before, floor = FLOOR * ((x[i] - x[i - 1]) / deviation);
        before = z[i];
        z[i] = step > floor ? step : floor;
    }
    double middle = z[zero + 1] / (right - left), up = right * middle, down = left * middle;
    for (int64_t i = zero + 1; i < n; i++) {
        double step = i + 1 < n ? z[i + 1] : 0;
        z[i] = up;
        up += step;
    }
    for (int64_t i = zero; i >= 0; i--) {
        double step = z[i];
        z[i] = down;
        down -= step;
    }
    z[0] = z[0] < -LEAST_END ? z[0] : -LEAST_END;
    z[n - 1] = z[n - 1] > LEAST_END ? z[n - 1] : LEAST_END;
}

/* Harmonic means of the neighbouring secants, weighed by the widths: Fritsch and Butland 1984. By
 * ratios only, so that data of any size does not leave the range of numbers. */
static void slopes(const double *x, const double *z, int64_t n, double *slope)
{
    double before = (z[1] - z[0]) / (x[1] - x[0]);
    slope[0] = before;
    for (int64_t i = 1; i < n - 1; i++) {
        double w0 = x[i] - x[i - 1], w1 = x[i + 1] - x[i], after = (z[i + 1] - z[i]) / w1;
        double share = w1 / (w0 + w1);
        slope[i] = before * (3 / ((1 + share) + (2 - share) * (before / after)));
        before = after;
    }
    slope[n - 1] = before;
}

int64_t gm__quantile_knots(const gm__kernels *k, const double *sorted, int64_t n, double deviation,
                           double *x, double *z, double *slope)
{
    int64_t count = choose(sorted, n, NEAREST * deviation, x, slope);
    if (count < 2)
        return 0;
    k->maps->map1[GM__F64][GM__NORMAL_QUANTILE](z, slope, count);
    stretch(x, z, count, deviation);
    slopes(x, z, count, slope);
    return count;
}
