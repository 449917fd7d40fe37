/* Quantiles: the point of an increasing function. Of real columns by Newton's method on the log of
 * the lesser tail, kept within a bracket that at least halves; of whole numbers by bisection among
 * them. */
#include "model/laws.h"

#include <math.h>

enum { PIECE = 128, MOST_STEPS = 200 };
#define FARTHEST 0x1p1000

/* One row's search in units of x. */
typedef struct gm__search {
    double low, high; /* infinite: not known yet */
    double y, width;  /* where next; of the bracket, when it was last halved */
    int done, patience;
} gm__search;

static double log_of(gm_context *ctx, double p)
{
    return p > 0 ? gm__map_one(ctx, GM__LOG, p) : -INFINITY;
}

/* Beyond the one end that is known, twice as far each time. */
static double outward(const gm__search *s)
{
    if (s->low == -INFINITY)
        return s->high > 0 ? -1 : s->high * 2 - 1;
    return s->low < 0 ? 1 : s->low * 2 + 1;
}

/* After learning that the log of the tail lies `gap` too high at s->y, and its slope there. */
static void step(gm__search *s, double gap, double slope)
{
    double y = s->y, next = y - gap / slope;
    if (gap == 0) {
        s->done = 1;
        return;
    }
    if (gap > 0)
        s->high = y;
    else
        s->low = y;
    int bracket = s->low > -INFINITY && s->high < INFINITY;
    if (!bracket && fabs(y) > FARTHEST) {
        s->done = 1;
        return;
    }
    int inside = next > s->low && next < s->high;
    if (inside && fabs(next - y) <= 2e-16 * fabs(y)) {
        s->y = next;
        s->done = 1;
        return;
    }
    if (!bracket) { /* no farther than outward goes */
        double far = outward(s);
        s->y = inside && fabs(next) < fabs(far) + 8 ? next : far;
        return;
    }
    double width = s->high - s->low, middle = s->low + width / 2;
    if (width < s->width / 2) {
        s->width = width;
        s->patience = 0;
    }
    s->y = inside && s->patience++ < 3 ? next : middle;
    if (s->y == middle)
        s->patience = 0;
    s->done = !(middle > s->low && middle < s->high);
}

/* The searches' logs of tails, and their slopes. */
static gm_status ask(gm_context *ctx, gm__laws *g, int64_t first, int64_t n, gm__search *s,
                     const double *below, const double *above)
{
    double y[PIECE], logp[PIECE], b[PIECE], a[PIECE];
    for (int64_t i = 0; i < n; i++)
        y[i] = s[i].y;
    GM_TRY(gm__laws_points(ctx, g, first, n, y, logp, b, a));
    for (int64_t i = 0; i < n; i++) {
        int lower = below[i] <= above[i];
        double tail = lower ? b[i] : a[i], wanted = lower ? below[i] : above[i];
        double gap = log_of(ctx, tail / wanted),
               slope = gm__map_one(ctx, GM__EXP, logp[i]) / (tail > 0 ? tail : 1);
        if (!s[i].done)
            step(&s[i], lower ? gap : -gap, slope > 0 ? slope : 0);
    }
    return GM_OK;
}

static gm_status of_reals(gm_context *ctx, gm__laws *g, int64_t first, int64_t n,
                          const double *below, const double *above, double *value)
{
    gm__search s[PIECE];
    const gm__column_way *w = &g->ways[g->column];
    int left = 1;
    for (int64_t i = 0; i < n; i++)
        s[i] = (gm__search){-INFINITY, INFINITY, 0, INFINITY, 0, 0};
    for (int k = 0; left && k < MOST_STEPS; k++) {
        GM_TRY(ask(ctx, g, first, n, s, below, above));
        left = 0;
        for (int64_t i = 0; i < n; i++)
            left |= !s[i].done;
    }
    for (int64_t i = 0; i < n; i++) {
        value[i] = gm__transform_back(g->s->transform, g->column, s[i].y);
        if (w->kind == GM__COLUMN_MEASURES && w->period > 0)
            value[i] = value[i] < 0 ? 0 : value[i] < w->period ? value[i] : w->period;
    }
    return GM_OK;
}

/* ---- Whole numbers and categories ------------------------------------------------------------ */

static gm_status of_numbers(gm_context *ctx, gm__laws *g, int64_t first, int64_t n,
                            const double *below, const double *above, double *value)
{
    double low[PIECE], high[PIECE], middle[PIECE], b[PIECE], a[PIECE], least, greatest;
    const gm__transform *t = g->s->transform;
    gm__laws_range(g, g->column, &least, &greatest);
    int counts = g->ways[g->column].kind != GM__COLUMN_INDEX, left = 1;
    for (int64_t i = 0; i < n; i++) {
        low[i] = least - 1;
        high[i] = greatest;
    }
    while (left) {
        for (int64_t i = 0; i < n; i++) {
            middle[i] = floor(low[i] + (high[i] - low[i]) / 2);
            value[i] = counts ? gm__transform_whole(t, g->column, middle[i]) : middle[i];
        }
        GM_TRY(gm__laws_at(ctx, g, first, n, value, NULL, b, a));
        left = 0;
        for (int64_t i = 0; i < n; i++) {
            int enough = below[i] <= above[i] ? b[i] >= below[i] : a[i] <= above[i];
            if (high[i] - low[i] > 1)
                *(enough ? &high[i] : &low[i]) = middle[i];
            left |= high[i] - low[i] > 1;
        }
    }
    for (int64_t i = 0; i < n; i++)
        value[i] = counts ? gm__transform_whole(t, g->column, high[i]) : high[i];
    return GM_OK;
}

gm_status gm__laws_quantile(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                            const double *below, const double *above, double *value)
{
    int real = g->ways[g->column].kind == GM__COLUMN_MEASURES;
    for (int64_t i = 0; i < count; i += PIECE) {
        int64_t n = count - i < PIECE ? count - i : PIECE;
        GM_TRY(
            (real ? of_reals : of_numbers)(ctx, g, first + i, n, below + i, above + i, value + i));
    }
    return GM_OK;
}
