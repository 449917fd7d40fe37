/* The value of a column at a normal score z: the root of z(x) = z. Mixtures, of up to 256 kernels,
 * keep a table of their scores on even steps, made once: a draw looks up its step, starts from the
 * quintic through value, slope and bend at both of its ends, and most often needs one look at the
 * mixture itself to be right to rounding. */
#include "density/marginal.h"

#include <math.h>

#define STEPS 256
#define MOST_COMPONENTS 1024 /* of a table: no fit makes as many */
#define PATIENCE 16
#define NEAR 1e-5 /* a step, in deviations, of which the cube is under rounding */

struct gm__marginal_table {
    double low, step, scale;             /* scale: the least deviation */
    double z[STEPS + 1];                 /* ascending */
    double dx[STEPS + 1], d2[STEPS + 1]; /* of x in z */
};

gm_status gm__marginal_tabulate(gm_context *ctx, gm__arena *arena, gm__marginal *m)
{
    double low = INFINITY, high = -INFINITY, scale = INFINITY, log_slope;
    if (m->count > MOST_COMPONENTS)
        return GM_OK;
    for (int64_t i = 0; i < m->count; i++) {
        double mean = m->p[m->count + i], s = m->p[2 * m->count + i];
        low = mean - 8 * s < low ? mean - 8 * s : low;
        high = mean + 8 * s > high ? mean + 8 * s : high;
        scale = s < scale ? s : scale;
    }
    double step = (high - low) / STEPS;
    if (!(step > 0) || step - step != 0 || !(fabs(low) < 1e15 * step))
        return GM_OK;
    struct gm__marginal_table *t = gm__arena_alloc(arena, sizeof *t);
    if (!t)
        return gm__no_memory(ctx);
    t->low = low;
    t->step = step;
    t->scale = scale;
    for (int64_t i = 0; i <= STEPS; i++) {
        gm__curve c = gm__marginal_score(ctx->kernels, m, low + step * (double)i, &log_slope);
        double dx = 1 / c.slope, z = c.value;
        t->z[i] = i && !(z > t->z[i - 1]) ? t->z[i - 1] : z;
        t->dx[i] = dx;
        t->d2[i] = -c.bend * dx * dx;
    }
    m->table = t;
    return GM_OK;
}

/* The step with z[i] <= z < z[i + 1]. */
static int64_t step_of(const struct gm__marginal_table *t, double z)
{
    int64_t low = 0, high = STEPS;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (t->z[middle] <= z)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The quintic of values, slopes and bends at both ends, in u = (z - z0) / (z1 - z0). */
static double between(const struct gm__marginal_table *t, int64_t i, double z)
{
    double width = t->z[i + 1] - t->z[i], u = (z - t->z[i]) / width, rise = t->step;
    double a = t->dx[i] * width, b = 0.5 * t->d2[i] * width * width;
    double a1 = t->dx[i + 1] * width, b1 = 0.5 * t->d2[i + 1] * width * width;
    double left = rise - a - b, slope = a1 - a - 2 * b, bend = 2 * b1 - 2 * b;
    double c3 = 10 * left - 4 * slope + 0.5 * bend;
    double c4 = -15 * left + 7 * slope - bend;
    double c5 = 6 * left - 3 * slope + 0.5 * bend;
    return t->low + t->step * (double)i + u * (a + u * (b + u * (c3 + u * (c4 + u * c5))));
}

/* Between two bounds that hold it: Halley's method where the score's bend is small over the step
 * (far from the root, between modes that lie apart, its steps are 2 / bend whatever the distance),
 * else Newton's, else halving; every second step halves where these take long. */
double gm__mixture_value(const gm__kernels *k, const gm__marginal *m, double z)
{
    const struct gm__marginal_table *t = m->table;
    double low = INFINITY, high = -INFINITY, near = 0, log_slope, x;
    for (int64_t i = 0; i < m->count; i++) { /* each component has its own z there */
        double at = m->p[m->count + i] + z * m->p[2 * m->count + i];
        low = at < low ? at : low;
        high = at > high ? at : high;
    }
    x = 0.5 * (low + high);
    if (t && z > t->z[0] && z < t->z[STEPS]) {
        int64_t i = step_of(t, z);
        double from = t->low + t->step * (double)i, to = from + t->step, start = between(t, i, z);
        low = from > low ? from : low;
        high = to < high ? to : high;
        near = NEAR * t->scale;
        x = start > low && start < high ? start : 0.5 * (low + high);
    }
    for (int step = 0; step < 200 && low < high; step++) {
        gm__curve c = gm__marginal_score(k, m, x, &log_slope);
        if (c.value > z)
            high = x;
        else
            low = x;
        double newton = (z - c.value) / c.slope, bend = newton * c.bend;
        double next = fabs(bend) <= 1 ? x + newton / (1 + 0.5 * bend) : x + newton;
        if (!(next > low && next < high) || (step >= PATIENCE && step % 2))
            next = 0.5 * (low + high);
        else if (fabs(next - x) <= near)
            return next;
        if (next == x || fabs(next - x) <= 1e-15 * fabs(x))
            return next;
        x = next;
    }
    return x;
}
