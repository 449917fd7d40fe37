/* One value for a law: mean, median, mode. Real columns by an even grid between far quantiles, in
 * units of x, whose sums are exact for smooth densities (the trapezoid rule); what counts by
 * counting. */
#include "model/laws.h"

#include <math.h>

enum { PIECE = 128, GRID = 1025, MOST_COUNTED = 65536, CLOSER = 60 };

/* ---- Real columns ---------------------------------------------------------------------------- */

/* What a grid tells of each row. */
typedef struct gm__span {
    double low[PIECE], h[PIECE];   /* start and step, in x */
    double best[PIECE], at[PIECE]; /* greatest log density in the user's units, and where */
    double most[PIECE];            /* greatest log density in x */
} gm__span;

static gm_status find_span(gm_context *ctx, gm__laws *g, int64_t first, int64_t n, gm__span *s)
{
    const double far = 1e-10;
    double small[PIECE], large[PIECE], value[2][PIECE], y;
    for (int64_t i = 0; i < n; i++) {
        small[i] = far;
        large[i] = 1 - far;
    }
    GM_TRY(gm__laws_quantile(ctx, g, first, n, small, large, value[0]));
    GM_TRY(gm__laws_quantile(ctx, g, first, n, large, small, value[1]));
    for (int64_t i = 0; i < n; i++) {
        gm__transform_point(g->s->transform, g->column, value[0][i], &s->low[i], NULL);
        gm__transform_point(g->s->transform, g->column, value[1][i], &y, NULL);
        s->h[i] = (y - s->low[i]) / (GRID - 1);
        s->best[i] = s->most[i] = -INFINITY;
        s->at[i] = s->low[i];
    }
    return GM_OK;
}

/* Log densities at y, in the user's units. */
static gm_status users_density(gm_context *ctx, gm__laws *g, int64_t first, int64_t n,
                               const double *y, double *in_x, double *logp)
{
    GM_TRY(gm__laws_points(ctx, g, first, n, y, in_x, NULL, NULL));
    for (int64_t i = 0; i < n; i++) {
        double point, slope = 0, v = gm__transform_back(g->s->transform, g->column, y[i]);
        gm__transform_point(g->s->transform, g->column, v, &point, &slope);
        logp[i] = in_x[i] + slope;
    }
    return GM_OK;
}

static gm_status look(gm_context *ctx, gm__laws *g, int64_t first, int64_t n, gm__span *s)
{
    double y[PIECE], in_x[PIECE], logp[PIECE];
    for (int k = 0; k < GRID; k++) {
        for (int64_t i = 0; i < n; i++)
            y[i] = s->low[i] + s->h[i] * k;
        GM_TRY(users_density(ctx, g, first, n, y, in_x, logp));
        for (int64_t i = 0; i < n; i++) {
            s->most[i] = in_x[i] > s->most[i] ? in_x[i] : s->most[i];
            if (logp[i] > s->best[i]) {
                s->best[i] = logp[i];
                s->at[i] = y[i];
            }
        }
    }
    return GM_OK;
}

/* By golden section around the best node: Kiefer 1953. */
static gm_status real_mode(gm_context *ctx, gm__laws *g, int64_t first, int64_t n, gm__span *s,
                           double *value)
{
    const double golden = 0.6180339887498949;
    double low[PIECE], high[PIECE], a[PIECE], b[PIECE], in_x[PIECE], pa[PIECE], pb[PIECE];
    for (int64_t i = 0; i < n; i++) {
        low[i] = s->at[i] - s->h[i];
        high[i] = s->at[i] + s->h[i];
    }
    for (int k = 0; k < CLOSER; k++) {
        for (int64_t i = 0; i < n; i++) {
            a[i] = high[i] - golden * (high[i] - low[i]);
            b[i] = low[i] + golden * (high[i] - low[i]);
        }
        GM_TRY(users_density(ctx, g, first, n, a, in_x, pa));
        GM_TRY(users_density(ctx, g, first, n, b, in_x, pb));
        for (int64_t i = 0; i < n; i++)
            *(pa[i] < pb[i] ? &low[i] : &high[i]) = pa[i] < pb[i] ? a[i] : b[i];
    }
    for (int64_t i = 0; i < n; i++)
        value[i] = gm__transform_back(g->s->transform, g->column, (low[i] + high[i]) / 2);
    return GM_OK;
}

double gm__laws_direction(gm_context *ctx, double s, double c, double period)
{
    const double half_turn = 3.14159265358979323846;
    double angle = c == 0 ? half_turn / 2 : gm__map_one(ctx, GM__ATAN, fabs(s / c));
    angle = c < 0 ? half_turn - angle : angle;
    angle = s < 0 ? 2 * half_turn - angle : angle;
    double v = angle / (2 * half_turn) * period;
    return v < period ? v : 0;
}

static gm_status real_mean(gm_context *ctx, gm__laws *g, int64_t first, int64_t n, gm__span *s,
                           double *value)
{
    const double turn = 6.28318530717958647693;
    double period = g->ways[g->column].period;
    double y[PIECE], in_x[PIECE], total[PIECE], sum[PIECE], other[PIECE];
    for (int64_t i = 0; i < n; i++)
        total[i] = sum[i] = other[i] = 0;
    for (int k = 0; k < GRID; k++) {
        for (int64_t i = 0; i < n; i++)
            y[i] = s->low[i] + s->h[i] * k;
        GM_TRY(gm__laws_points(ctx, g, first, n, y, in_x, NULL, NULL));
        for (int64_t i = 0; i < n; i++) {
            double w = gm__map_one(ctx, GM__EXP, in_x[i] - s->most[i]);
            double v = gm__transform_back(g->s->transform, g->column, y[i]);
            double angle = period > 0 ? v / period * turn : 0;
            total[i] += w;
            sum[i] += w * (period > 0 ? gm__map_one(ctx, GM__SIN, angle) : v);
            other[i] += period > 0 ? w * gm__map_one(ctx, GM__COS, angle) : 0;
        }
    }
    for (int64_t i = 0; i < n; i++)
        value[i] =
            period > 0 ? gm__laws_direction(ctx, sum[i], other[i], period) : sum[i] / total[i];
    return GM_OK;
}

static gm_status of_real(gm_context *ctx, gm__laws *g, int64_t first, int64_t n,
                         gm__law_point point, double *value)
{
    gm__span *s = gm__alloc(&ctx->allocator, sizeof *s);
    if (!s)
        return gm__no_memory(ctx);
    gm_status code = find_span(ctx, g, first, n, s);
    if (!code)
        code = look(ctx, g, first, n, s);
    if (!code)
        code = (point == GM__BY_MODE ? real_mode : real_mean)(ctx, g, first, n, s, value);
    gm__free(&ctx->allocator, s, sizeof *s);
    return code;
}

/* ---- What counts ----------------------------------------------------------------------------- */

static gm_status of_numbers(gm_context *ctx, gm__laws *g, int64_t first, int64_t n,
                            gm__law_point point, double *value)
{
    double at[PIECE], logp[PIECE], best[PIECE], sum[PIECE], total[PIECE], low, high;
    const gm__column_way *w = &g->ways[g->column];
    const gm__transform *t = g->s->transform;
    int counts = w->kind != GM__COLUMN_INDEX;
    int mean = point == GM__BY_MEAN && counts && (!w->categories || w->ordered);
    gm__laws_range(g, g->column, &low, &high);
    double step = high - low < MOST_COUNTED ? 1 : floor((high - low) / (MOST_COUNTED - 1)) + 1;
    for (int64_t i = 0; i < n; i++) {
        best[i] = -INFINITY;
        value[i] = low;
        sum[i] = total[i] = 0;
    }
    for (double k = low; k <= high; k += step) {
        for (int64_t i = 0; i < n; i++)
            at[i] = counts ? gm__transform_whole(t, g->column, k) : k;
        GM_TRY(gm__laws_at(ctx, g, first, n, at, logp, NULL, NULL));
        for (int64_t i = 0; i < n; i++) {
            double p = mean ? gm__map_one(ctx, GM__EXP, logp[i]) : 0;
            total[i] += p;
            sum[i] += p * k;
            if (logp[i] > best[i]) {
                best[i] = logp[i];
                value[i] = k;
            }
        }
    }
    for (int64_t i = 0; i < n; i++) {
        if (mean && total[i] > 0)
            value[i] = floor(sum[i] / total[i] + 0.5);
        value[i] = counts ? gm__transform_whole(t, g->column, value[i]) : value[i];
    }
    return GM_OK;
}

/* ---- All ------------------------------------------------------------------------------------- */

static gm_status medians(gm_context *ctx, gm__laws *g, int64_t first, int64_t n, double *value)
{
    double half[PIECE];
    for (int64_t i = 0; i < n; i++)
        half[i] = 0.5;
    return gm__laws_quantile(ctx, g, first, n, half, half, value);
}

gm_status gm__laws_point(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                         gm__law_point point, double *value)
{
    int real = g->ways[g->column].kind == GM__COLUMN_MEASURES;
    for (int64_t i = 0; i < count; i += PIECE) {
        int64_t n = count - i < PIECE ? count - i : PIECE;
        GM_TRY(gm__check_cancel(ctx));
        if (point == GM__BY_MEDIAN)
            GM_TRY(medians(ctx, g, first + i, n, value + i));
        else
            GM_TRY((real ? of_real : of_numbers)(ctx, g, first + i, n, point, value + i));
    }
    return GM_OK;
}
