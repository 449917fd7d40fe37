/* Laws in the user's units: values through the column's own map, whole numbers as what lies between
 * one and the next. */
#include "model/laws.h"

#include <math.h>

enum { PIECE = 128 };

/* A value on its way to x: points of x, and what is known without asking. */
typedef struct gm__asked {
    const gm__laws *g;
    const gm__column_way *way;
    int64_t column;
    double low, high; /* of whole numbers and categories */
} gm__asked;

void gm__laws_range(const gm__laws *g, int64_t column, double *low, double *high)
{
    const gm__column_way *w = &g->ways[column];
    *low = w->low;
    *high = w->high;
    if (w->kind == GM__COLUMN_INDEX) {
        *low = 0;
        *high = (double)(w->categories > 1 ? w->categories - 1 : 0);
    }
}

/* Where probability ends up outside of all values: the greatest and the least take the tails. */
static int bounded(const gm__asked *a)
{
    return a->way->kind == GM__COLUMN_COUNTS || a->way->kind == GM__COLUMN_INDEX || a->way->ordered;
}

/* The number of a value: the whole one at or below it, and whether it is that one. Of bins the
 * nearest is meant. */
static double number_of(const gm__asked *a, double v, int *is)
{
    if (!a->way->bins) {
        *is = v == floor(v);
        return floor(v);
    }
    double k = floor(v / a->way->unit + 0.5);
    *is = v - v == 0;
    return v < gm__transform_whole(a->g->s->transform, a->column, k) - 1e-9 * a->way->unit ? k - 1
                                                                                           : k;
}

static double log_of(gm_context *ctx, double p)
{
    return p > 0 ? gm__map_one(ctx, GM__LOG, p) : -INFINITY;
}

/* ---- Real columns ---------------------------------------------------------------------------- */

static gm_status at_real(gm_context *ctx, gm__laws *g, const gm__asked *a, int64_t first, int64_t n,
                         const double *value, double *logp, double *below, double *above)
{
    double y[PIECE], slope[PIECE];
    for (int64_t i = 0; i < n; i++) {
        double v = value[i];
        slope[i] = 0;
        if (v - v != 0 || (a->way->period > 0 && (v < 0 || v >= a->way->period)))
            y[i] = v > 0 ? INFINITY : -INFINITY;
        else
            gm__transform_point(g->s->transform, a->column, v, &y[i], &slope[i]);
    }
    GM_TRY(gm__laws_points(ctx, g, first, n, y, logp, below, above));
    for (int64_t i = 0; i < n; i++) {
        int outside = y[i] - y[i] != 0;
        if (logp)
            logp[i] = outside ? -INFINITY : logp[i] + slope[i];
        if (below && outside)
            below[i] = y[i] > 0;
        if (above && outside)
            above[i] = y[i] < 0;
    }
    return GM_OK;
}

/* ---- Whole numbers that stand for [k, k + 1) ------------------------------------------------- */

/* What lies between two points whose tails are known: the difference of the lesser tails. */
static double between(double below0, double above0, double below1, double above1)
{
    double mass = below1 < above0 ? below1 - below0 : above0 - above1;
    return mass > 0 ? mass : 0;
}

typedef struct gm__cell {
    double y[2]; /* ends, in x */
    double low, high;
    int is, first, last;
} gm__cell;

static gm__cell cell_of(const gm__asked *a, double v)
{
    gm__cell c = {.low = 0, .high = 1};
    double k = number_of(a, v, &c.is);
    c.y[0] = -INFINITY;
    c.y[1] = v > 0 ? INFINITY : -INFINITY;
    if (v - v != 0 || fabs(k) >= 0x1p53) {
        c.is = 0;
        return c;
    }
    gm__transform_point(a->g->s->transform, a->column, k, &c.y[0], NULL);
    gm__transform_point(a->g->s->transform, a->column, k + 1, &c.y[1], NULL);
    if (bounded(a)) {
        c.is &= k >= a->low && k <= a->high;
        if (k <= a->low)
            c.y[0] = -INFINITY;
        if (k >= a->high)
            c.y[1] = INFINITY;
        if (k < a->low)
            c.y[1] = -INFINITY;
    }
    return c;
}

static gm_status at_cells(gm_context *ctx, gm__laws *g, const gm__asked *a, int64_t first,
                          int64_t n, const double *value, double *logp, double *below,
                          double *above)
{
    double y[2][PIECE], b[2][PIECE], o[2][PIECE], middle[PIECE], density[PIECE];
    int is[PIECE];
    for (int64_t i = 0; i < n; i++) {
        gm__cell c = cell_of(a, value[i]);
        y[0][i] = c.y[0];
        y[1][i] = c.y[1];
        is[i] = c.is;
        middle[i] = c.y[0] - c.y[0] != 0   ? c.y[1]
                    : c.y[1] - c.y[1] != 0 ? c.y[0]
                                           : (c.y[0] + c.y[1]) / 2;
    }
    GM_TRY(gm__laws_points(ctx, g, first, n, y[1], NULL, b[1], o[1]));
    if (logp) {
        GM_TRY(gm__laws_points(ctx, g, first, n, y[0], NULL, b[0], o[0]));
        GM_TRY(gm__laws_points(ctx, g, first, n, middle, density, NULL, NULL));
    }
    for (int64_t i = 0; i < n; i++) {
        double width = y[1][i] - y[0][i];
        if (below)
            below[i] = b[1][i];
        if (above)
            above[i] = o[1][i];
        if (!logp)
            continue;
        double mass = between(b[0][i], o[0][i], b[1][i], o[1][i]);
        logp[i] = !is[i] ? -INFINITY : log_of(ctx, mass);
        /* so far out that both tails are 0: by the density */
        if (is[i] && mass == 0)
            logp[i] = density[i] + (width - width == 0 ? log_of(ctx, width) : 0);
    }
    return GM_OK;
}

/* ---- What counts, and categories ------------------------------------------------------------- */

static gm_status at_counts(gm_context *ctx, gm__laws *g, const gm__asked *a, int64_t first,
                           int64_t n, const double *value, double *logp, double *below,
                           double *above)
{
    double y[PIECE];
    int is[PIECE], side[PIECE];
    for (int64_t i = 0; i < n; i++) {
        double v = value[i], k = v - v == 0 ? number_of(a, v, &is[i]) : v;
        side[i] = k < a->low ? -1 : k >= a->high;
        is[i] = v - v == 0 && is[i] && k >= a->low && k <= a->high;
        y[i] = k = k < a->low ? a->low : k > a->high ? a->high : k;
        if (a->way->kind == GM__COLUMN_COUNTS)
            gm__transform_point(g->s->transform, a->column, k, &y[i], NULL);
    }
    GM_TRY(gm__laws_points(ctx, g, first, n, y, logp, below, above));
    for (int64_t i = 0; i < n; i++) {
        if (logp && !is[i])
            logp[i] = -INFINITY;
        if (below && side[i])
            below[i] = side[i] > 0;
        if (above && side[i])
            above[i] = side[i] < 0;
    }
    return GM_OK;
}

gm_status gm__laws_at(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                      const double *value, double *logp, double *below, double *above)
{
    gm__asked a = {.g = g, .way = &g->ways[g->column], .column = g->column};
    gm__laws_range(g, g->column, &a.low, &a.high);
    for (int64_t i = 0; i < count; i += PIECE) {
        int64_t n = count - i < PIECE ? count - i : PIECE;
        gm__column_kind kind = a.way->kind;
        GM_TRY((kind == GM__COLUMN_MEASURES ? at_real
                : kind == GM__COLUMN_CELLS
                    ? at_cells
                    : at_counts)(ctx, g, &a, first + i, n, value + i, logp ? logp + i : NULL,
                                 below ? below + i : NULL, above ? above + i : NULL));
    }
    return GM_OK;
}
