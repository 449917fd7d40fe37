/* The law of one column given all others, from nothing but log p: its values along the column, on
 * an even grid that covers where the density is within e^-45 of its greatest, integrated by
 * Simpson's rule. A smooth density comes out right to about 1e-6, in its far tails 1e-5; a peak
 * that the first look (401 points, a twentieth apart within 10 of the centre of the transformed
 * data) passes over is missed. Columns that count are enumerated. */
#include "model/laws.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

enum { LOOK = 401, ZOOM = 65, ZOOMS = 4, NODES = 513, MOST_LEVELS = 4096, CELLS = 1 << 20 };
#define DEEPEST 45.0

/* What a law's state is: of n rows, nodes each, even from start in steps of h; or of numbers. */
typedef struct gm__grid {
    gm_allocator allocator;
    const gm__kernels *kernels;
    int64_t n, nodes;
    size_t bytes;
    double *start, *h;            /* (n) */
    double *point;                /* (nodes) of numbers: where they lie in x, rising; or NULL */
    double *logp, *below, *above; /* (n, nodes): at the node, up to it, beyond it */
} gm__grid;

static double map(const gm__grid *s, gm__map1 which, double x)
{
    double y;
    s->kernels->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

/* ---- Asking log_prob ------------------------------------------------------------------------- */

typedef struct gm__line {
    gm_context *ctx;
    const gm__laws *g;
    const gm__values *values;
    int64_t column;
    double *x, *logp; /* (some rows, d), (some rows) */
    int64_t some;
} gm__line;

/* log densities in units of x of a row with its column at y (count); minus infinity outside. */
static gm_status along(gm__line *l, const double *user, int64_t count, const double *y, double *out)
{
    const gm__laws *g = l->g;
    const gm__transform *t = g->s->transform;
    const gm__column_way *w = &g->ways[l->column];
    int64_t d = g->d, j = l->column;
    for (int64_t first = 0; first < count; first += l->some) {
        int64_t n = count - first < l->some ? count - first : l->some;
        gm_array a;
        gm__rows rows;
        for (int64_t i = 0; i < n; i++) {
            double v = y[first + i];
            memcpy(l->x + i * d, user, (size_t)d * sizeof *user);
            if (w->kind == GM__COLUMN_MEASURES)
                v = gm__transform_back(t, j, v);
            else if (w->kind == GM__COLUMN_COUNTS)
                v = gm__transform_whole(t, j, v);
            l->x[i * d + j] = v - v == 0 ? v : 0;
        }
        gm_array_init(&a, GM_F64, l->x, n, d);
        GM_TRY(gm__rows_of_array(l->ctx, "conditional", &a, g->s->rows, d, &rows));
        GM_TRY(gm__log_prob(l->ctx, g->model, &rows, l->values, &(gm__scores){.logp = l->logp}));
        for (int64_t i = 0; i < n; i++) {
            double v = l->x[i * d + j], point, slope = 0;
            out[first + i] = l->logp[i];
            if (w->kind != GM__COLUMN_MEASURES)
                continue;
            if (!gm__transform_point(t, j, v, &point, &slope) ||
                (w->period > 0 && (v < 0 || v > w->period)))
                out[first + i] = -INFINITY;
            else
                out[first + i] -= slope;
        }
    }
    return GM_OK;
}

static void spread(double low, double high, int64_t n, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = low + (high - low) * ((double)i / (double)(n - 1));
}

/* Where to look first: even within 10, then wider and wider to 2,000. */
static void first_look(double *y)
{
    for (int i = 0; i < LOOK; i++) {
        int k = i - LOOK / 2;
        double a = fabs(k * 0.0625), v = a < 10 ? a : 10 + (a - 10) * (a - 10) * (a - 10) * 127;
        y[i] = k < 0 ? -v : v;
    }
}

/* Shrinks to the nodes that are deep enough, and one more on each side; returns how many. */
static int64_t deep(const double *y, const double *logp, int64_t n, double *low, double *high)
{
    double most = -INFINITY;
    int64_t from = n, to = -1;
    for (int64_t i = 0; i < n; i++)
        most = logp[i] > most ? logp[i] : most;
    for (int64_t i = 0; i < n && most > -INFINITY; i++)
        if (logp[i] > most - DEEPEST) {
            from = i < from ? i : from;
            to = i;
        }
    if (to < from)
        return 0;
    *low = y[from > 0 ? from - 1 : 0];
    *high = y[to < n - 1 ? to + 1 : n - 1];
    return to - from + 1;
}

/* ---- One row --------------------------------------------------------------------------------- */

/* Masses of the pieces between nodes, Simpson's by halves: (5 f0 + 8 f1 - f2) h / 12. */
static void masses(const double *f, int64_t nodes, double h, double *mass)
{
    for (int64_t i = 0; i + 2 < nodes; i += 2) {
        double left = (5 * f[i] + 8 * f[i + 1] - f[i + 2]) / 12,
               right = (5 * f[i + 2] + 8 * f[i + 1] - f[i]) / 12;
        if (!(left >= 0) || !(right >= 0)) {
            left = (f[i] + f[i + 1]) / 2;
            right = (f[i + 1] + f[i + 2]) / 2;
        }
        mass[i] = left * h;
        mass[i + 1] = right * h;
    }
}

/* What lies beyond an end where log densities fall by `fall` a step: exponential. */
static double tail(double f, double fall, double h)
{
    return fall > 0 && fall - fall == 0 ? f * h / fall : 0;
}

/* Log densities into a law: normalised, with both tails at each node. f and mass (nodes). */
static void integrate(gm__grid *s, int64_t row, double *f, double *mass)
{
    int64_t n = s->nodes;
    double *logp = s->logp + row * n, *below = s->below + row * n, *above = s->above + row * n;
    double most = -INFINITY, h = s->h[row];
    for (int64_t i = 0; i < n; i++)
        most = logp[i] > most ? logp[i] : most;
    for (int64_t i = 0; i < n; i++)
        f[i] = logp[i] == -INFINITY ? 0 : map(s, GM__EXP, logp[i] - most);
    masses(f, n, h, mass);
    below[0] = tail(f[0], logp[1] - logp[0], h);
    above[n - 1] = tail(f[n - 1], logp[n - 2] - logp[n - 1], h);
    for (int64_t i = 1; i < n; i++)
        below[i] = below[i - 1] + mass[i - 1];
    for (int64_t i = n - 1; i > 0; i--)
        above[i - 1] = above[i] + mass[i - 1];
    double total = below[n - 1] + above[n - 1], log_total = most + map(s, GM__LOG, total);
    for (int64_t i = 0; i < n; i++) {
        logp[i] -= log_total;
        below[i] /= total;
        above[i] /= total;
    }
}

static gm_status nothing(gm_context *ctx, const gm__laws *g, int64_t column)
{
    gm__label label;
    return gm__fail(ctx, GM_E_DATA,
                    "conditional: %s has no probability anywhere given the row's other columns",
                    gm__column_label(&label, g->s->schema, column));
}

static gm_status real_row(gm__line *l, gm__grid *s, const double *user, int64_t row, double *work)
{
    double *y = work, *f = work + NODES, *logp = s->logp + row * s->nodes, low, high;
    int64_t looked = LOOK, found;
    first_look(y);
    GM_TRY(along(l, user, LOOK, y, f));
    for (int k = 0; (found = deep(y, f, looked, &low, &high)) < looked / 3 && k < ZOOMS; k++) {
        if (!found)
            break;
        spread(low, high, looked = ZOOM, y);
        GM_TRY(along(l, user, looked, y, f));
    }
    if (!found)
        return nothing(l->ctx, l->g, l->column);
    s->start[row] = low;
    s->h[row] = (high - low) / (NODES - 1);
    spread(low, high, NODES, y);
    GM_TRY(along(l, user, NODES, y, logp));
    integrate(s, row, y, f);
    return GM_OK;
}

static gm_status number_row(gm__line *l, gm__grid *s, const double *user, int64_t row, double *work)
{
    int64_t n = s->nodes;
    double *logp = s->logp + row * n, *below = s->below + row * n, *above = s->above + row * n;
    double low, high, most = -INFINITY, total = 0;
    gm__laws_range(l->g, l->column, &low, &high);
    for (int64_t i = 0; i < n; i++)
        work[i] = low + (double)i;
    GM_TRY(along(l, user, n, work, logp));
    for (int64_t i = 0; i < n; i++)
        most = logp[i] > most ? logp[i] : most;
    if (most == -INFINITY)
        return nothing(l->ctx, l->g, l->column);
    for (int64_t i = 0; i < n; i++)
        total += below[i] = logp[i] == -INFINITY ? 0 : map(s, GM__EXP, logp[i] - most);
    for (int64_t i = 0; i < n; i++)
        logp[i] -= most + map(s, GM__LOG, total);
    above[n - 1] = 0;
    for (int64_t i = n - 1; i > 0; i--)
        above[i - 1] = above[i] + below[i] / total;
    for (int64_t i = 0; i < n; i++)
        below[i] = (i ? below[i - 1] : 0) + below[i] / total;
    return GM_OK;
}

/* ---- The law --------------------------------------------------------------------------------- */

/* Where v lies: 0 between nodes, -1 before them, 1 behind. */
static int find(const gm__grid *s, int64_t row, double v, int64_t *k, double *t)
{
    double at = (v - s->start[row]) / s->h[row];
    *t = 0;
    *k = at < 0 ? 0 : s->nodes - 1;
    if (!(at >= 0) || at >= (double)(s->nodes - 1))
        return at < 0 ? -1 : 1;
    *k = (int64_t)at;
    *t = at - (double)*k;
    return 0;
}

/* The share of a piece's mass up to t, the log density being straight. */
static double share(const gm__grid *s, const double *logp, double t)
{
    double rise = logp[1] - logp[0];
    if (!(rise - rise == 0) || fabs(rise) < 1e-5)
        return rise - rise == 0 || rise != rise ? t : rise > 0 ? t * t : t * (2 - t);
    return map(s, GM__EXPM1, rise * t) / map(s, GM__EXPM1, rise);
}

/* A cubic's worth: straight, less the mean of the bends at both ends. */
static double log_density(const gm__grid *s, const double *logp, int64_t k, double t)
{
    double bend = 0, line = (1 - t) * logp[k] + t * logp[k + 1];
    if (logp[k] == -INFINITY || logp[k + 1] == -INFINITY)
        return t < 0.5 ? logp[k] : logp[k + 1];
    if (k > 0 && k + 2 < s->nodes)
        bend = (logp[k - 1] - logp[k] - logp[k + 1] + logp[k + 2]) / 2;
    return bend - bend == 0 ? line - 0.5 * t * (1 - t) * bend : line;
}

static void outside(const gm__grid *s, int64_t row, double v, int side, double *logp, double *below,
                    double *above)
{
    int64_t last = s->nodes - 1, k = side < 0 ? 0 : last, at = row * s->nodes;
    const double *p = s->logp + at;
    double fall = side < 0 ? p[1] - p[0] : p[last - 1] - p[last], h = s->h[row];
    double away = fabs(v - (s->start[row] + h * (double)k)) / h;
    int dies = fall > 0 && fall - fall == 0 && v - v == 0;
    double left = dies ? map(s, GM__EXP, -fall * away) : 0;
    double rest = (side < 0 ? s->below : s->above)[at + k] * left;
    if (logp)
        *logp = dies ? p[k] - fall * away : -INFINITY;
    if (below)
        *below = side < 0 ? rest : 1 - rest;
    if (above)
        *above = side < 0 ? 1 - rest : rest;
}

static void at_real(const gm_law *law, int64_t row, double v, double *logp, double *below,
                    double *above)
{
    const gm__grid *s = law->state;
    int64_t k, at = row * s->nodes;
    double t;
    int side = find(s, row, v, &k, &t);
    if (side) {
        outside(s, row, v, side, logp, below, above);
        return;
    }
    double part = share(s, s->logp + at + k, t);
    if (logp)
        *logp = log_density(s, s->logp + at, k, t);
    if (below)
        *below = s->below[at + k] + (s->below[at + k + 1] - s->below[at + k]) * part;
    if (above)
        *above = s->above[at + k] - (s->above[at + k] - s->above[at + k + 1]) * part;
}

static void at_number(const gm_law *law, int64_t row, double v, double *logp, double *below,
                      double *above)
{
    const gm__grid *s = law->state;
    int64_t low = 0, high = s->nodes, at = row * s->nodes;
    double near = s->nodes > 1 ? 1e-6 * (s->point[1] - s->point[0]) : 1e-6;
    while (low < high) { /* how many lie at or below v */
        int64_t middle = low + (high - low) / 2;
        if (s->point[middle] <= v + near)
            low = middle + 1;
        else
            high = middle;
    }
    if (logp)
        *logp = low && fabs(s->point[low - 1] - v) <= near ? s->logp[at + low - 1] : -INFINITY;
    if (below)
        *below = low ? s->below[at + low - 1] : 0;
    if (above)
        *above = low ? s->above[at + low - 1] : 1;
}

static void free_grid(gm_law *law)
{
    gm__grid *s = law->state;
    gm_allocator a = s->allocator;
    gm__free(&a, s, s->bytes);
}

/* Room for n rows, in one block. */
static gm_status make_grid(gm_context *ctx, int64_t n, int64_t nodes, gm__grid **out)
{
    int64_t cells;
    if (gm__mul64(n, nodes, &cells) || cells > INT64_MAX / 64)
        return gm__fail(ctx, GM_E_RANGE, "conditional: %lld rows are too many", (long long)n);
    size_t bytes = sizeof(gm__grid) + (size_t)(2 * n + nodes + 3 * cells) * sizeof(double);
    gm__grid *s;
    GM_TRY(gm__alloc_large(ctx, bytes, &s));
    *s = (gm__grid){.allocator = ctx->allocator,
                    .kernels = ctx->kernels,
                    .n = n,
                    .nodes = nodes,
                    .bytes = bytes};
    s->start = (double *)(void *)(s + 1);
    s->h = s->start + n;
    s->point = s->h + n;
    s->logp = s->point + nodes;
    s->below = s->logp + cells;
    s->above = s->below + cells;
    *out = s;
    return GM_OK;
}

static gm_status all_rows(gm__line *l, gm__grid *s, const double *user, double *work)
{
    const gm__laws *g = l->g;
    int real = g->ways[l->column].kind == GM__COLUMN_MEASURES;
    for (int64_t i = 0; i < s->n; i++) {
        GM_TRY(gm__check_cancel(l->ctx));
        GM_TRY((real ? real_row : number_row)(l, s, user + i * g->d, i, work));
    }
    return GM_OK;
}

static void number_points(const gm__laws *g, int64_t column, gm__grid *s)
{
    double low, high;
    gm__laws_range(g, column, &low, &high);
    for (int64_t i = 0; i < s->nodes; i++) {
        s->point[i] = low + (double)i;
        if (g->ways[column].kind == GM__COLUMN_COUNTS)
            gm__transform_point(g->s->transform, column, low + (double)i, &s->point[i], NULL);
    }
}

gm_status gm__laws_log_prob_values(gm_context *ctx, const gm__laws *g, gm__values **values)
{
    gm_options *bag;
    GM_TRY(gm__options_new(ctx, &bag));
    gm_status code = GM_OK;
    if (!g->s->family->direct)
        code = gm__options_put(ctx, bag, "precision", g->real == GM__F64 ? "f64" : "f32");
    if (!code)
        code = gm__call_values(ctx, g->model, "log_prob", bag, values);
    gm_options_free(bag);
    return code;
}

static gm_status fill(gm_context *ctx, gm__laws *g, gm__grid *s, int64_t column, const double *user)
{
    gm__line l = {.ctx = ctx, .g = g, .column = column};
    gm__values *values;
    int64_t wide = s->nodes > NODES ? s->nodes : NODES, cells;
    l.some = CELLS / g->d < 1 ? 1 : CELLS / g->d < wide ? CELLS / g->d : wide;
    GM_TRY(gm__laws_log_prob_values(ctx, g, &values));
    l.values = values;
    cells = l.some * (g->d + 1) + 2 * wide;
    double *block = gm__alloc_array(&ctx->allocator, cells, sizeof *block);
    l.x = block;
    l.logp = block ? block + l.some * g->d : NULL;
    gm_status code = block ? all_rows(&l, s, user, l.logp + l.some) : gm__no_memory(ctx);
    gm__free(&ctx->allocator, block, block ? (size_t)cells * sizeof *block : 0);
    gm__values_free(values);
    return code;
}

gm_status gm__laws_grid(gm_context *ctx, gm__laws *g, const double *user, int64_t column)
{
    int real = g->ways[column].kind == GM__COLUMN_MEASURES;
    double low, high;
    gm__grid *s = NULL;
    gm__label label;
    gm__laws_range(g, column, &low, &high);
    if (!real && high - low >= MOST_LEVELS)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "conditional: %s has %.0f values, of which at most %d can be enumerated",
                        gm__column_label(&label, g->s->schema, column), high - low + 1,
                        MOST_LEVELS);
    int64_t nodes = real ? NODES : (int64_t)(high - low) + 1;
    GM_TRY(make_grid(ctx, g->n, nodes, &s));
    if (!real)
        number_points(g, column, s);
    g->laws[0] = (gm_law){.struct_size = sizeof(gm_law),
                          .discrete = !real,
                          .rows = g->n,
                          .state = s,
                          .at = real ? at_real : at_number,
                          .free = free_grid};
    g->law_count = 1;
    for (int64_t i = 0; i < g->n; i++) {
        g->law_of[i] = 0;
        g->row_of[i] = i;
    }
    return fill(ctx, g, s, column, user);
}
