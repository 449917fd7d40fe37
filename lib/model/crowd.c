#include "model/crowd.h"
#include "base/sort.h"

#include <math.h>

/* Logs of weights into weights that add up to 1; all alike where all are 0. */
static void normalise(gm_context *ctx, double *w, int64_t n)
{
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        most = w[i] > most ? w[i] : most;
    for (int64_t i = 0; i < n; i++)
        sum += w[i] = most > -INFINITY ? gm__map_one(ctx, GM__EXP, w[i] - most) : 1;
    for (int64_t i = 0; i < n; i++)
        w[i] /= sum;
}

static int64_t chosen(gm_context *ctx, const gm__crowd *c, gm__law_point how)
{
    int64_t n = c->g.n, at = 0;
    if (how == GM__BY_MODE) {
        for (int64_t i = 1; i < n; i++)
            at = c->joint[i] > c->joint[at] ? i : at;
        return at;
    }
    double u = gm__gaps_uniform(ctx, &c->g, c->row, n, c->g.d), sum = c->weight[0];
    while (at < n - 1 && sum <= u)
        sum += c->weight[++at];
    return at;
}

static double share_up_to(const gm__crowd *c, int64_t column, double v, int equal)
{
    double sum = 0;
    for (int64_t i = 0; i < c->g.n; i++) {
        double x = c->g.x[i * c->g.d + column];
        sum += (equal ? x == v : x <= v) ? c->weight[i] : 0;
    }
    return sum;
}

/* The least value up to which half of the weight lies. */
static double crowd_median(const gm__crowd *c, int64_t column)
{
    int64_t low = -1, high = c->g.n - 1;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (share_up_to(c, column, c->sorted[middle], 0) >= 0.5)
            high = middle;
        else
            low = middle;
    }
    return c->sorted[high];
}

static double most_votes(const gm__crowd *c, int64_t column)
{
    double best = -1, value = c->sorted[0];
    for (int64_t i = 0; i < c->g.n; i++) {
        if (i && c->sorted[i] == c->sorted[i - 1])
            continue;
        double votes = share_up_to(c, column, c->sorted[i], 1);
        if (votes > best) {
            best = votes;
            value = c->sorted[i];
        }
    }
    return value;
}

static double crowd_mean(gm_context *ctx, const gm__crowd *c, int64_t column)
{
    const double turn = 6.28318530717958647693;
    const gm__column_way *w = &c->g.laws->ways[column];
    double sum = 0, other = 0;
    for (int64_t i = 0; i < c->g.n; i++) {
        double v = c->g.x[i * c->g.d + column], angle = w->period > 0 ? v / w->period * turn : 0;
        sum += c->weight[i] * (w->period > 0 ? gm__map_one(ctx, GM__SIN, angle) : v);
        other += w->period > 0 ? c->weight[i] * gm__map_one(ctx, GM__COS, angle) : 0;
    }
    if (w->period > 0)
        return gm__laws_direction(ctx, sum, other, w->period);
    if (w->kind == GM__COLUMN_MEASURES)
        return sum;
    return gm__transform_whole(c->g.laws->s->transform, column, floor(sum / w->unit + 0.5));
}

/* What the crowd says of a column. */
static double crowd_value(gm_context *ctx, gm__crowd *c, gm__law_point how, int64_t column)
{
    const gm__column_way *w = &c->g.laws->ways[column];
    int named = w->categories && !w->ordered;
    if (how == GM__BY_MEAN && !named)
        return crowd_mean(ctx, c, column);
    for (int64_t i = 0; i < c->g.n; i++)
        c->sorted[i] = c->g.x[i * c->g.d + column];
    gm__sort_reals(c->sorted, c->g.n);
    return named ? most_votes(c, column) : crowd_median(c, column);
}

void gm__crowd_settle(gm_context *ctx, gm__crowd *c, gm__law_point how, double *row)
{
    int64_t d = c->g.d;
    normalise(ctx, c->weight, c->g.n);
    int64_t one = how == GM__BY_DRAW || how == GM__BY_MODE ? chosen(ctx, c, how) : -1;
    for (int64_t j = 0; j < d; j++)
        if (!c->known[j])
            row[j] =
                gm__transform_shown(c->g.laws->s->transform, j,
                                    one >= 0 ? c->g.x[one * d + j] : crowd_value(ctx, c, how, j));
}
