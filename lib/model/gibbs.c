/* Gibbs sampling (Geman and Geman 1984): cell after cell is drawn anew given all others of its row.
 * Columns that count by their law, which counts their values; real ones by slices of the density
 * (Neal 2003, figures 3 and 5), some evaluations each, with all rows side by side. */
#include "model/gibbs.h"
#include "genmod/model.h"
#include "model/gaps.h"
#include "base/options.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

enum { WIDTHS = 8, MOST_SHRINKS = 200 };
/* Numbers of a cell's random draws in a sweep. */
enum { LEVEL, PLACE, SHARE, SHRINK, DRAWS = SHRINK + MOST_SHRINKS };

gm_status gm__gibbs_create(gm_context *ctx, gm__laws *laws, int64_t n, gm__gibbs *g)
{
    int64_t d = laws->d, cells;
    *g = (gm__gibbs){.laws = laws, .n = n, .d = d};
    if (gm__mul64(n, 9 * d + 8 * 11 + 8, &cells) || cells > PTRDIFF_MAX / 2)
        return gm__fail(ctx, GM_E_RANGE, "%lld rows are too many", (long long)n);
    GM_TRY(gm__laws_log_prob_values(ctx, laws, &g->values));
    g->bytes = (size_t)cells + 64;
    gm_status code = gm__alloc_large(ctx, g->bytes, &g->block);
    if (code) {
        gm__gibbs_free(ctx, g);
        return code;
    }
    g->some = g->block;
    g->y = g->some + n * d;
    g->next = g->y + n;
    g->f = g->next + n;
    g->level = g->f + n;
    g->end[0] = g->level + n;
    g->end[1] = g->end[0] + n;
    g->u = g->end[1] + n;
    g->row = (int64_t *)(void *)(g->u + n);
    g->act = g->row + n;
    g->left[0] = g->act + n;
    g->left[1] = g->left[0] + n;
    g->all = (unsigned char *)(g->left[1] + n);
    return GM_OK;
}

void gm__gibbs_free(gm_context *ctx, gm__gibbs *g)
{
    gm__free(&ctx->allocator, g->block, g->block ? g->bytes : 0);
    gm__values_free(g->values);
    g->block = NULL;
    g->values = NULL;
}

static double uniform(gm_context *ctx, const gm__gibbs *g, int64_t i, int64_t j, int64_t sweep,
                      int64_t draw)
{
    gm__gaps how = {.seed = g->seed};
    return gm__gaps_uniform(ctx, &how, g->number[i], sweep * DRAWS + draw, j);
}

/* ---- Starting -------------------------------------------------------------------------------- */

static double even(const gm__laws *l, int64_t j, double u)
{
    const gm__column *c = &l->s->schema->columns[j];
    double low, high;
    if (l->ways[j].kind == GM__COLUMN_MEASURES)
        return l->ways[j].period > 0 ? u * l->ways[j].period : c->low + u * (c->high - c->low);
    gm__laws_range(l, j, &low, &high);
    double k = low + floor(u * (high - low + 1));
    return l->ways[j].kind == GM__COLUMN_INDEX ? k : gm__transform_whole(l->s->transform, j, k);
}

static gm_status draw_rows(gm_context *ctx, const gm_model *model, uint64_t seed, int64_t n,
                           double *rows)
{
    gm_options *opts;
    gm_array x;
    char text[32];
    GM_TRY(gm__options_new(ctx, &opts));
    gm__format(text, sizeof text, "%lld", (long long)(seed >> 1));
    gm_array_init(&x, GM_F64, rows, n, model->structure->columns);
    gm_status code = gm__options_put(ctx, opts, "seed", text);
    if (!code)
        code = gm__sample(ctx, model, n, NULL, opts, &x, NULL);
    gm_options_free(opts);
    return code;
}

gm_status gm__gibbs_start(gm_context *ctx, const gm__laws *laws, uint64_t seed, int64_t first,
                          int64_t n, const unsigned char *known, double *x)
{
    int64_t d = laws->d;
    double *rows = NULL;
    gm__gaps how = {.seed = seed};
    gm_status code = GM_OK;
    if (gm_model_capabilities(laws->model) & GM_CAN_SAMPLE) {
        uint64_t mine = seed ^ ((uint64_t)first + 1) * 0x9e3779b97f4a7c15u;
        GM_TRY(gm__alloc_large(ctx, (size_t)(n * d) * sizeof *rows, &rows));
        code = draw_rows(ctx, laws->model, mine, n, rows);
    }
    for (int64_t i = 0; i < n && !code; i++)
        for (int64_t j = 0; j < d; j++) {
            double *to = &x[i * d + j], y;
            if (known[i * d + j])
                continue;
            *to = rows ? rows[i * d + j] : NAN;
            if (!rows || !gm__transform_known(laws->s->transform, j, *to, &y))
                *to = even(laws, j, gm__gaps_uniform(ctx, &how, first + i, 0, j));
        }
    gm__free(&ctx->allocator, rows, rows ? (size_t)(n * d) * sizeof *rows : 0);
    return code;
}

/* ---- Slices ---------------------------------------------------------------------------------- */

/* Which rows a column is missing in, into g->row; returns how many. */
static int64_t missing(gm__gibbs *g, int64_t j)
{
    int64_t count = 0;
    for (int64_t i = 0; i < g->n; i++)
        if (!g->known[i * g->d + j])
            g->row[count++] = i;
    return count;
}

/* Log densities in units of x, into g->f[k], with column j of row g->row[k] at y[k], of the k in
 * g->act (count). */
static gm_status density(gm_context *ctx, gm__gibbs *g, int64_t j, int64_t count, const double *y)
{
    const gm__transform *t = g->laws->s->transform;
    double period = g->laws->ways[j].period;
    gm_array a;
    gm__rows rows;
    for (int64_t i = 0; i < count; i++) {
        double *x = g->some + i * g->d, v = gm__transform_back(t, j, y[g->act[i]]);
        memcpy(x, g->x + g->row[g->act[i]] * g->d, (size_t)g->d * sizeof *x);
        x[j] = v - v == 0 ? v : 0;
    }
    gm_array_init(&a, GM_F64, g->some, count, g->d);
    GM_TRY(gm__rows_of_array(ctx, "impute", &a, g->laws->s->rows, g->d, &rows));
    GM_TRY(gm__log_prob(ctx, g->laws->model, &rows, g->values, &(gm__scores){.logp = g->u}));
    for (int64_t i = 0; i < count; i++) {
        double v = g->some[i * g->d + j], point, slope = 0, f = g->u[i];
        int inside = gm__transform_point(t, j, v, &point, &slope) &&
                     (period <= 0 || (v >= 0 && v < period)) && f == f;
        g->f[g->act[i]] = inside ? f - slope : -INFINITY;
    }
    return GM_OK;
}

/* The width of a first interval: about a deviation of what was seen. */
static double width_of(const gm__laws *l, int64_t j)
{
    const gm__column *c = &l->s->schema->columns[j];
    double low, high;
    if (!gm__transform_point(l->s->transform, j, c->low, &low, NULL) ||
        !gm__transform_point(l->s->transform, j, c->high, &high, NULL))
        return 1;
    double w = (high - low) / 6;
    return w > 0 && w - w == 0 ? w : 1;
}

/* Levels under the density where the rows are, and intervals around them. */
static gm_status begin_slices(gm_context *ctx, gm__gibbs *g, int64_t j, int64_t count,
                              int64_t sweep)
{
    const gm__transform *t = g->laws->s->transform;
    double w = width_of(g->laws, j), period = g->laws->ways[j].period, zero = 0, half = 0;
    for (int64_t k = 0; k < count; k++) {
        g->act[k] = k;
        gm__transform_point(t, j, g->x[g->row[k] * g->d + j], &g->y[k], NULL);
    }
    GM_TRY(density(ctx, g, j, count, g->y));
    if (period > 0) {
        gm__transform_point(t, j, 0, &zero, NULL);
        gm__transform_point(t, j, period / 2, &half, NULL);
    }
    for (int64_t k = 0; k < count; k++) {
        int64_t i = g->row[k];
        g->level[k] = g->f[k] + gm__map_one(ctx, GM__LOG, uniform(ctx, g, i, j, sweep, LEVEL));
        g->end[0][k] = period > 0 ? zero : g->y[k] - w * uniform(ctx, g, i, j, sweep, PLACE);
        g->end[1][k] = period > 0 ? 2 * half - zero : g->end[0][k] + w;
        g->left[0][k] = (int64_t)(WIDTHS * uniform(ctx, g, i, j, sweep, SHARE));
        g->left[1][k] = WIDTHS - 1 - g->left[0][k];
    }
    return GM_OK;
}

/* Moves the ends of intervals out, by at most WIDTHS widths in all, until they are below. */
static gm_status step_out(gm_context *ctx, gm__gibbs *g, int64_t j, int64_t count, int side)
{
    double w = width_of(g->laws, j), *end = g->end[side];
    int64_t left = count;
    for (int64_t k = 0; k < count; k++)
        g->act[k] = k;
    while (left > 0) {
        int64_t kept = 0;
        GM_TRY(density(ctx, g, j, left, end));
        for (int64_t i = 0; i < left; i++) {
            int64_t k = g->act[i];
            if (!(g->f[k] > g->level[k]) || g->left[side][k]-- <= 0)
                continue;
            end[k] += side ? w : -w;
            g->act[kept++] = k;
        }
        left = kept;
    }
    return GM_OK;
}

/* Draws from the intervals, which shrink to the rows' own places, until one is above the level. */
static gm_status shrink(gm_context *ctx, gm__gibbs *g, int64_t j, int64_t count, int64_t sweep)
{
    int64_t left = count;
    for (int64_t k = 0; k < count; k++)
        g->act[k] = k;
    for (int step = 0; left > 0 && step < MOST_SHRINKS; step++) {
        int64_t kept = 0;
        double *y = g->next;
        for (int64_t i = 0; i < left; i++) {
            int64_t k = g->act[i];
            double u = uniform(ctx, g, g->row[k], j, sweep, SHRINK + step);
            y[k] = g->end[0][k] + u * (g->end[1][k] - g->end[0][k]);
        }
        GM_TRY(density(ctx, g, j, left, y));
        for (int64_t i = 0; i < left; i++) {
            int64_t k = g->act[i];
            if (g->f[k] > g->level[k]) {
                g->x[g->row[k] * g->d + j] = g->some[i * g->d + j];
                continue;
            }
            g->end[y[k] >= g->y[k]][k] = y[k];
            g->act[kept++] = k;
        }
        left = kept;
    }
    return GM_OK;
}

static gm_status slice(gm_context *ctx, gm__gibbs *g, int64_t j, int64_t count, int64_t sweep)
{
    GM_TRY(begin_slices(ctx, g, j, count, sweep));
    for (int side = 0; side < 2 && !(g->laws->ways[j].period > 0); side++)
        GM_TRY(step_out(ctx, g, j, count, side));
    return shrink(ctx, g, j, count, sweep);
}

/* ---- What counts ----------------------------------------------------------------------------- */

static gm_status draw_number(gm_context *ctx, gm__gibbs *g, int64_t j, int64_t count, int64_t sweep)
{
    int64_t d = g->d;
    for (int64_t k = 0; k < count; k++) {
        memcpy(g->some + k * d, g->x + g->row[k] * d, (size_t)d * sizeof *g->x);
        memset(g->all + k * d, 1, (size_t)d);
        g->all[k * d + j] = 0;
        g->level[k] = uniform(ctx, g, g->row[k], j, sweep, LEVEL);
        g->f[k] = 1 - g->level[k];
    }
    GM_TRY(gm__laws_set(ctx, g->laws, count, g->some, g->all, NULL, j, 0));
    GM_TRY(gm__laws_quantile(ctx, g->laws, 0, count, g->level, g->f, g->y));
    for (int64_t k = 0; k < count; k++)
        g->x[g->row[k] * d + j] = g->y[k];
    return GM_OK;
}

gm_status gm__gibbs_sweep(gm_context *ctx, gm__gibbs *g, int64_t sweep)
{
    for (int64_t j = 0; j < g->d; j++) {
        int64_t count = missing(g, j);
        GM_TRY(gm__check_cancel(ctx));
        if (count)
            GM_TRY((g->laws->ways[j].kind == GM__COLUMN_MEASURES ? slice : draw_number)(
                ctx, g, j, count, sweep));
    }
    return GM_OK;
}

gm_status gm__gibbs_score(gm_context *ctx, gm__gibbs *g, double *logp)
{
    gm_array a;
    gm__rows rows;
    gm_array_init(&a, GM_F64, g->x, g->n, g->d);
    GM_TRY(gm__rows_of_array(ctx, "impute", &a, g->laws->s->rows, g->d, &rows));
    return gm__log_prob(ctx, g->laws->model, &rows, g->values, &(gm__scores){.logp = logp});
}
