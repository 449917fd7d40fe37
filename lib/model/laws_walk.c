/* Laws in a fixed order where each value of the network is computed once (model/walk.h). Columns
 * are put into the network in that order and stay; a place is computed when it is first asked for,
 * and again where a column before it has changed. */
#include "model/laws.h"
#include "model/walk.h"

#include <math.h>
#include <string.h>

enum { PIECE = 128 };
#define MOST_BYTES ((size_t)1 << 30)

gm_status gm__laws_walk_create(gm_context *ctx, gm__laws *g)
{
    return g->free_order == 0 && g->engine == GM__LAWS_BY_RAW
               ? gm__walk_create(ctx, g->model->structure, g->real, &g->walk)
               : GM_OK;
}

/* More than what whole passes keep of a row is not kept of many rows. */
int gm__laws_walks(const gm__laws *g, int64_t n)
{
    if (!g->walk || n == 0)
        return 0;
    size_t row = gm__walk_row(g->walk), cells = (size_t)(3 * g->width + g->params);
    return row / sizeof(double) <= cells || (size_t)n <= MOST_BYTES / row;
}

/* Parameters of a column's law: law.h. */
static int64_t numbers_of(const gm__law_place *p)
{
    if (p->kind == GM_X_BINARY)
        return 1;
    if (p->kind == GM_X_CATEGORY || p->table)
        return p->components;
    return (p->components > 1 ? 3 : 2) * p->components;
}

int64_t gm__laws_longest(const gm__laws *g)
{
    int64_t most = 0;
    for (int64_t j = 0; j < g->d; j++) {
        int64_t n = numbers_of(&g->places[g->at[j]]);
        most = n > most ? n : most;
    }
    return most;
}

/* ---- Putting --------------------------------------------------------------------------------- */

static gm_status begin(gm_context *ctx, gm__laws *g, int64_t n, const double *cond)
{
    size_t cells = (size_t)(n * g->s->given);
    if (g->reached >= 0 && n == g->n && (!g->cond || !memcmp(g->cond, cond, cells * sizeof *cond)))
        return GM_OK;
    g->reached = -1;
    GM_TRY(gm__walk_begin(ctx, g->walk, n, g->cond ? cond : NULL, g->s->given));
    if (g->cond)
        memcpy(g->cond, cond, cells * sizeof *cond);
    g->n = n;
    return GM_OK;
}

/* How many of the first `most` columns in order are as they were put. */
static int64_t unchanged(const gm__laws *g, int64_t n, const double *x, int64_t most)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < most; k++) {
            int64_t at = i * g->d + g->order[k];
            if (memcmp(&x[at], &g->user[at], sizeof *x) != 0)
                most = k;
        }
    return most;
}

/* The network up to a place, of which all columns before it were put. */
static gm_status advance(gm_context *ctx, gm__laws *g, int64_t place)
{
    const void *params = g->model->params;
    GM_TRY(gm__check_cancel(ctx));
    if (g->real != g->s->real) {
        gm__program *p;
        GM_TRY(gm__program_get(ctx, g->model, GM__LAWS, g->real, g->n, &p));
        params = p->params;
    }
    gm__walk_advance(ctx, g->walk, params, place);
    g->reached = place;
    return GM_OK;
}

/* Some rows' cells of column j, `step` doubles apart; known: bytes at the same places, or NULL
 * where all are. */
static gm_status put_piece(gm_context *ctx, gm__laws *g, int64_t j, int64_t first, int64_t n,
                           const double *x, const unsigned char *known, int64_t step, int64_t row0)
{
    double y[PIECE], part[PIECE];
    unsigned char inside[PIECE];
    for (int64_t i = 0; i < n; i++) {
        double v = x[i * step];
        inside[i] = gm__transform_known(g->s->transform, j, v, &y[i]) != 0;
        if (!inside[i] && (!known || known[i * step]))
            return gm__laws_refuse(ctx, g, row0 + first + i, j, v);
        g->user[(first + i) * g->d + j] = v;
    }
    int one_hot = g->ways[j].kind == GM__COLUMN_INDEX;
    for (int64_t k = 0; k < gm__laws_columns(g, j); k++) {
        for (int64_t i = 0; i < n; i++)
            part[i] = !inside[i] ? 0 : one_hot ? (int64_t)y[i] == k : y[i];
        gm__walk_put(ctx, g->walk, g->at[j] + k, first, n, part);
    }
    return GM_OK;
}

static gm_status put_column(gm_context *ctx, gm__laws *g, int64_t j, const double *x,
                            const unsigned char *known, int64_t step, int64_t row0)
{
    for (int64_t i = 0; i < g->n; i += PIECE) {
        int64_t n = g->n - i < PIECE ? g->n - i : PIECE;
        GM_TRY(
            put_piece(ctx, g, j, i, n, x + i * step, known ? known + i * step : NULL, step, row0));
    }
    return GM_OK;
}

/* ---- Laws ------------------------------------------------------------------------------------ */

static gm_status take_law(gm_context *ctx, gm__laws *g, int64_t column)
{
    g->law = g->places[g->at[column]];
    g->law.at = 0;
    g->stride = numbers_of(&g->law);
    for (int64_t i = 0; i < g->n; i += GM__WALK_ROWS) {
        int64_t n = g->n - i < GM__WALK_ROWS ? g->n - i : GM__WALK_ROWS;
        GM_TRY(gm__walk_law(ctx, g->walk, g->rank[column], i, n, g->numbers + i * g->stride));
    }
    return GM_OK;
}

gm_status gm__laws_walk_set(gm_context *ctx, gm__laws *g, int64_t n, const double *x,
                            const unsigned char *known, const double *cond, int64_t column,
                            int64_t row0)
{
    int64_t rank = g->rank[column];
    GM_TRY(begin(ctx, g, n, cond));
    int64_t most = rank < g->reached ? rank : g->reached;
    int64_t same = g->reached < 0 ? -1 : unchanged(g, n, x, most);
    if (same < most)
        g->reached = same;
    if (g->reached < 0)
        GM_TRY(advance(ctx, g, 0));
    while (g->reached < rank) {
        int64_t j = g->order[g->reached];
        GM_TRY(put_column(ctx, g, j, x + j, known + j, g->d, row0));
        GM_TRY(advance(ctx, g, g->reached + 1));
    }
    return take_law(ctx, g, column);
}

gm_status gm__laws_walk_next(gm_context *ctx, gm__laws *g, const double *value, int64_t column)
{
    int64_t was = g->column, rank = g->rank[was];
    int same = g->reached > rank;
    for (int64_t i = 0; same && i < g->n; i++)
        same = !memcmp(&value[i], &g->user[i * g->d + was], sizeof *value);
    if (!same) {
        g->reached = rank;
        GM_TRY(put_column(ctx, g, was, value, NULL, 1, 0));
        GM_TRY(advance(ctx, g, rank + 1));
    }
    return take_law(ctx, g, column);
}
