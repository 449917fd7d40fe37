/* Missing cells of rows, from laws of one column given others.
 *
 * Where any columns may be known, a row is completed column by column, each drawn given all that is
 * known by then; or each missing cell gets a point of its law given the known ones. Where the order
 * is fixed, cells that are known behind missing ones have no say in the laws: then many completed
 * rows are drawn, each weighed by the probability of those cells given what was drawn before them
 * (sampling importance resampling: Rubin 1987). Where one column is only known given all others,
 * several missing cells are drawn in turn, again and again (gibbs.h). */
#include "genmod/conditional.h"
#include "model/crowd.h"
#include "model/gibbs.h"
#include "base/options.h"
#include "base/size.h"

#include <string.h>

typedef struct gm__impute {
    const char *call;
    gm__laws *laws;
    gm__law_point how;
    int64_t draws, sweeps, piece;
    int seeded;
    uint64_t seed;
    gm__rows rows;
    gm__given given;
    gm_array *to; /* or */
    double *cells;
} gm__impute;

/* ---- Rows whose missing cells come last, or in any order ------------------------------------- */

/* Rows of those marked whose column is missing, into g->index. */
static int64_t missing_in(gm__gaps *g, const unsigned char *marked, int64_t column)
{
    int64_t count = 0;
    for (int64_t i = 0; i < g->n; i++)
        if (marked[i] && !g->known[i * g->d + column])
            g->index[count++] = i;
    return count;
}

/* Draws of the rows in g->index into g->value. */
static gm_status draw_values(gm_context *ctx, gm__gaps *g, int64_t count, int64_t column)
{
    for (int64_t i = 0; i < count; i++) {
        g->below[i] = gm__gaps_uniform(ctx, g, g->row0 + g->index[i], 0, column);
        g->above[i] = 1 - g->below[i];
    }
    return gm__laws_quantile(ctx, g->laws, 0, count, g->below, g->above, g->value);
}

/* Completes the first `count` rows of g->index, whose laws of the column are set. */
static gm_status fill_column(gm_context *ctx, gm__gaps *g, int64_t count, int64_t j,
                             gm__law_point how)
{
    GM_TRY(how == GM__BY_DRAW ? draw_values(ctx, g, count, j)
                              : gm__laws_point(ctx, g->laws, 0, count, how, g->value));
    for (int64_t i = 0; i < count; i++) {
        g->x[g->index[i] * g->d + j] = gm__transform_shown(g->laws->s->transform, j, g->value[i]);
        if (how == GM__BY_DRAW)
            g->known[g->index[i] * g->d + j] = 1;
    }
    return GM_OK;
}

static gm_status walk(gm_context *ctx, gm__gaps *g, const unsigned char *marked, gm__law_point how)
{
    int done = 0;
    if (how == GM__BY_DRAW)
        GM_TRY(gm__gaps_complete(ctx, g, marked, &done));
    if (done)
        return GM_OK;
    for (int64_t k = 0; k < g->d; k++) {
        int64_t j = g->laws->order[k], count = missing_in(g, marked, j);
        if (count == 0)
            continue;
        GM_TRY(gm__gaps_ask(ctx, g, count, j));
        GM_TRY(fill_column(ctx, g, count, j, how));
    }
    return GM_OK;
}

/* The rank of a row's first missing cell. */
static int64_t first_gap(const gm__gaps *g, int64_t i)
{
    int64_t k = 0;
    while (k < g->d && g->known[i * g->d + g->laws->order[k]])
        k++;
    return k;
}

/* The rows marked into g->index, those that lack cells earlier in the order first. */
static int64_t by_first_gap(gm__gaps *g, const unsigned char *marked)
{
    int64_t count = 0;
    for (int64_t i = 0; i < g->n; i++)
        g->value[i] = marked[i] ? (double)first_gap(g, i) : -1;
    for (int64_t k = 0; k < g->d; k++)
        for (int64_t i = 0; i < g->n; i++)
            if (g->value[i] == (double)k)
                g->index[count++] = i;
    return count;
}

/* In a fixed order, where what is missing comes last: all rows go along from the first column that
 * one of them lacks. */
static gm_status walk_in_order(gm_context *ctx, gm__gaps *g, const unsigned char *marked,
                               gm__law_point how)
{
    int64_t all = by_first_gap(g, marked), count = 0;
    int64_t from = all ? first_gap(g, g->index[0]) : g->d;
    for (int64_t k = from; k < g->d; k++) {
        int64_t j = g->laws->order[k];
        while (count < all && first_gap(g, g->index[count]) <= k)
            count++;
        GM_TRY((k == from ? gm__gaps_ask : gm__gaps_next)(ctx, g, all, j));
        GM_TRY(fill_column(ctx, g, count, j, how));
    }
    return GM_OK;
}

/* ---- Rows with known cells behind missing ones ----------------------------------------------- */

static gm_status draw_crowd(gm_context *ctx, gm__crowd *c, int64_t column)
{
    gm__gaps *g = &c->g;
    for (int64_t i = 0; i < g->n; i++) {
        g->below[i] = gm__gaps_uniform(ctx, g, c->row, i, column);
        g->above[i] = 1 - g->below[i];
    }
    GM_TRY(gm__laws_quantile(ctx, g->laws, 0, g->n, g->below, g->above, g->value));
    for (int64_t i = 0; i < g->n; i++)
        g->x[i * g->d + column] = g->value[i];
    return GM_OK;
}

static gm_status grow_crowd(gm_context *ctx, gm__crowd *c)
{
    gm__gaps *g = &c->g;
    int any = 0, asked = 0;
    for (int64_t i = 0; i < g->n; i++)
        g->index[i] = i;
    for (int64_t k = 0; k < g->d; k++) {
        int64_t j = g->laws->order[k];
        any |= !c->known[j];
        if (!any)
            continue;
        GM_TRY((asked++ ? gm__gaps_next : gm__gaps_ask)(ctx, g, g->n, j));
        if (!c->known[j])
            GM_TRY(draw_crowd(ctx, c, j));
        for (int64_t i = 0; i < g->n; i++) {
            g->value[i] = g->x[i * g->d + j];
            g->known[i * g->d + j] = 1;
        }
        GM_TRY(gm__laws_at(ctx, g->laws, 0, g->n, g->value, g->below, NULL, NULL));
        for (int64_t i = 0; i < g->n; i++) {
            c->joint[i] += g->below[i];
            c->weight[i] += c->known[j] ? g->below[i] : 0;
        }
    }
    return GM_OK;
}

static gm_status one_by_crowd(gm_context *ctx, const gm__impute *m, gm__crowd *c, int64_t row,
                              const gm__gaps *from, int64_t i)
{
    gm__gaps *g = &c->g;
    int64_t d = g->d, given = g->laws->s->given;
    c->row = row;
    c->known = from->known + i * d;
    g->row0 = row;
    for (int64_t k = 0; k < g->n; k++) {
        memcpy(g->x + k * d, from->x + i * d, (size_t)d * sizeof *g->x);
        memcpy(g->known + k * d, c->known, (size_t)d);
        if (from->cond)
            memcpy((double *)(uintptr_t)g->cond + k * given, from->cond + i * given,
                   (size_t)given * sizeof *g->cond);
        c->weight[k] = c->joint[k] = 0;
    }
    GM_TRY(grow_crowd(ctx, c));
    gm__crowd_settle(ctx, c, m->how, from->x + i * d);
    return GM_OK;
}

static gm_status by_crowds(gm_context *ctx, const gm__impute *m, gm__gaps *from,
                           const unsigned char *marked)
{
    gm__crowd c = {0};
    int64_t n = m->draws, d = from->d, cells;
    GM_TRY(gm__gaps_create(ctx, m->laws, n, &c.g));
    c.g.seed = m->seed;
    double *block = NULL;
    if (gm__mul64(n, d + d / 8 + 1 + 3 + m->laws->s->given, &cells))
        cells = 0;
    gm_status code = gm__alloc_large(ctx, (size_t)cells * sizeof *block, &block);
    if (!code && block) {
        c.g.x = block;
        c.weight = block + n * d;
        c.joint = c.weight + n;
        c.sorted = c.joint + n;
        c.g.cond = from->cond ? c.sorted + n : NULL;
        c.g.known = (unsigned char *)(c.sorted + n + n * m->laws->s->given);
        for (int64_t i = 0; i < from->n && !code; i++)
            if (marked[i])
                code = one_by_crowd(ctx, m, &c, from->row0 + i, from, i);
    }
    gm__free(&ctx->allocator, block, (size_t)cells * sizeof *block);
    gm__gaps_free(ctx, &c.g);
    return code;
}

/* ---- Several missing cells where one is known given all others --------------------------------
 */

/* Some rows' chains, and the states of each that count. */
typedef struct gm__chains {
    gm__gibbs g;
    int64_t draws;
    double *start;          /* (rows of the piece, d) */
    double *states, *joint; /* (some, draws, d), (some, draws) */
    double *now, *work;     /* (some), (2, draws) */
    double *x;              /* (some, d) */
    unsigned char *known;
    int64_t *number, *row; /* (some) in the data, in the piece */
    void *block;
    size_t bytes;
} gm__chains;

static gm_status make_chains(gm_context *ctx, const gm__impute *m, int64_t n, gm__chains *c)
{
    int64_t d = m->laws->d, draws = m->how == GM__BY_DRAW ? 1 : m->draws, most = 1 << 20, cells;
    int64_t some = most / draws / d < 1 ? 1 : most / draws / d < n ? most / draws / d : n;
    *c = (gm__chains){.draws = draws};
    if (gm__mul64(some, draws * (d + 1), &cells))
        return gm__fail(ctx, GM_E_RANGE, "%s: %lld draws are too many", m->call, (long long)draws);
    c->bytes = 8 * (size_t)(cells + n * d + some * (d + 3) + 2 * draws) + (size_t)(some * d);
    GM_TRY(gm__gibbs_create(ctx, m->laws, some, &c->g));
    gm_status code = gm__alloc_large(ctx, c->bytes, &c->block);
    if (code) {
        gm__gibbs_free(ctx, &c->g);
        return code;
    }
    c->start = c->block;
    c->states = c->start + n * d;
    c->joint = c->states + some * draws * d;
    c->now = c->joint + some * draws;
    c->work = c->now + some;
    c->x = c->work + 2 * draws;
    c->number = (int64_t *)(void *)(c->x + some * d);
    c->row = c->number + some;
    c->known = (unsigned char *)(c->row + some);
    c->g.x = c->x;
    c->g.known = c->known;
    c->g.number = c->number;
    c->g.seed = m->seed;
    return GM_OK;
}

static gm_status run_chains(gm_context *ctx, const gm__impute *m, gm__chains *c)
{
    int64_t d = c->g.d, n = c->g.n;
    for (int64_t s = 1 - m->sweeps; s < c->draws; s++) {
        GM_TRY(gm__gibbs_sweep(ctx, &c->g, s + m->sweeps));
        if (s < 0)
            continue;
        if (m->how == GM__BY_MODE)
            GM_TRY(gm__gibbs_score(ctx, &c->g, c->now));
        for (int64_t k = 0; k < n; k++) {
            memcpy(c->states + (k * c->draws + s) * d, c->x + k * d, (size_t)d * sizeof *c->x);
            c->joint[k * c->draws + s] = m->how == GM__BY_MODE ? c->now[k] : 0;
        }
    }
    return GM_OK;
}

/* The rows of c->row. */
static gm_status some_by_chains(gm_context *ctx, const gm__impute *m, gm__chains *c, gm__gaps *from)
{
    int64_t d = from->d;
    for (int64_t k = 0; k < c->g.n; k++) {
        int64_t i = c->row[k];
        memcpy(c->x + k * d, c->start + i * d, (size_t)d * sizeof *c->x);
        memcpy(c->known + k * d, from->known + i * d, (size_t)d);
        c->number[k] = from->row0 + i;
    }
    GM_TRY(run_chains(ctx, m, c));
    for (int64_t k = 0; k < c->g.n; k++) {
        gm__crowd crowd = {.g = {.laws = m->laws, .d = d, .n = c->draws, .seed = m->seed},
                           .known = c->known + k * d,
                           .weight = c->work,
                           .joint = c->joint + k * c->draws,
                           .sorted = c->work + c->draws,
                           .row = c->number[k]};
        crowd.g.x = c->states + k * c->draws * d;
        memset(c->work, 0, (size_t)c->draws * sizeof *c->work);
        gm__crowd_settle(ctx, &crowd, m->how, from->x + c->row[k] * d);
    }
    return GM_OK;
}

static gm_status by_chains(gm_context *ctx, const gm__impute *m, gm__gaps *from,
                           const unsigned char *marked)
{
    gm__chains c;
    GM_TRY(make_chains(ctx, m, from->n, &c));
    int64_t some = c.g.n, i = 0;
    memcpy(c.start, from->x, (size_t)(from->n * from->d) * sizeof *c.start);
    gm_status code =
        gm__gibbs_start(ctx, m->laws, m->seed, from->row0, from->n, from->known, c.start);
    while (i < from->n && !code) {
        for (c.g.n = 0; c.g.n < some && i < from->n; i++)
            if (marked[i])
                c.row[c.g.n++] = i;
        if (c.g.n)
            code = some_by_chains(ctx, m, &c, from);
    }
    gm__free(&ctx->allocator, c.block, c.bytes);
    gm__gibbs_free(ctx, &c.g);
    return code;
}

/* ---- Pieces of rows -------------------------------------------------------------------------- */

enum { DONE, PLAIN, CROWD };

/* How a row is to be completed. */
static int kind_of(const gm__impute *m, const unsigned char *known, int64_t *missing)
{
    const gm__laws *g = m->laws;
    int behind = 0;
    *missing = 0;
    for (int64_t k = 0; k < g->d; k++) {
        int has = known[g->order[k]];
        behind |= has && *missing;
        *missing += !has;
    }
    if (*missing == 0)
        return DONE;
    if (g->free_order != 0)
        return g->free_order < 0 && *missing > 1 ? CROWD : PLAIN;
    return behind || (m->how != GM__BY_DRAW && *missing > 1) ? CROWD : PLAIN;
}

static gm_status check_cell(gm_context *ctx, const gm__impute *m, int64_t row, int64_t j, double v,
                            unsigned char *known)
{
    double y;
    gm__label label;
    *known = v == v;
    if (!*known || gm__transform_known(m->laws->s->transform, j, v, &y))
        return GM_OK;
    return gm__fail(ctx, GM_E_DATA,
                    "%s: row %lld, %s is %g, of which the model can know nothing; make it missing "
                    "(NaN), or leave the row out",
                    m->call, (long long)row + 1, gm__column_label(&label, m->laws->s->rows, j), v);
}

/* Reads rows, finds what is missing, and what is to be done: marks (2, n). */
static gm_status survey(gm_context *ctx, const gm__impute *m, gm__gaps *g, unsigned char *marks)
{
    int64_t d = g->d;
    gm__rows_read_any(&m->rows, g->row0, g->n, g->x);
    for (int64_t i = 0; i < g->n; i++) {
        int64_t missing;
        for (int64_t j = 0; j < d; j++)
            GM_TRY(check_cell(ctx, m, g->row0 + i, j, g->x[i * d + j], &g->known[i * d + j]));
        int kind = kind_of(m, g->known + i * d, &missing);
        marks[i] = kind == PLAIN;
        marks[g->n + i] = kind == CROWD;
        if (kind == CROWD && !m->seeded)
            return gm__fail(ctx, GM_E_SEED,
                            "%s: row %lld lacks %lld cells, which draw random numbers: set the "
                            "option 'seed' to any whole number",
                            m->call, (long long)(g->row0 + i) + 1, (long long)missing);
    }
    return GM_OK;
}

static gm_status complete(gm_context *ctx, gm__impute *m, gm__gaps *g, unsigned char *marks)
{
    const void *cond;
    GM_TRY(survey(ctx, m, g, marks));
    GM_TRY(gm__given_load(ctx, &m->given, GM__F64, g->row0, g->n, &cond));
    g->cond = cond;
    GM_TRY((m->laws->free_order == 0 ? walk_in_order : walk)(ctx, g, marks, m->how));
    for (int64_t i = 0; i < g->n; i++)
        if (marks[g->n + i])
            return (m->laws->free_order < 0 ? by_chains : by_crowds)(ctx, m, g, marks + g->n);
    return GM_OK;
}

/* All rows into m->cells (n, d). */
static gm_status all_pieces(gm_context *ctx, gm__impute *m, double *cells, unsigned char *known,
                            unsigned char *marks)
{
    int64_t d = m->laws->d, n = m->rows.count;
    for (int64_t first = 0; first < n; first += m->piece) {
        gm__gaps g;
        int64_t count = n - first < m->piece ? n - first : m->piece;
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(gm__gaps_create(ctx, m->laws, count, &g));
        g.x = cells + first * d;
        g.known = known;
        g.row0 = first;
        g.seed = m->seed;
        gm_status code = complete(ctx, m, &g, marks);
        gm__gaps_free(ctx, &g);
        if (code)
            return code;
    }
    return GM_OK;
}

static gm_status impute_all(gm_context *ctx, gm__impute *m, double **cells)
{
    int64_t d = m->laws->d, n = m->rows.count;
    m->piece = n < 512 ? n : 512;
    size_t bytes = (size_t)m->piece * (size_t)(d + 2);
    GM_TRY(gm__answer_cells(ctx, m->call, n, d, cells));
    unsigned char *known = gm__alloc(&ctx->allocator, bytes);
    gm_status code = known || n == 0 ? GM_OK : gm__no_memory(ctx);
    if (!code)
        code = all_pieces(ctx, m, *cells, known, known + m->piece * d);
    gm__free(&ctx->allocator, known, known ? bytes : 0);
    return code;
}

/* ---- Public calls ---------------------------------------------------------------------------- */

static gm_status begin(gm_context *ctx, const gm_model *model, const gm_options *opts,
                       gm__impute *m)
{
    gm__values *values;
    if (!model)
        return gm__fail(ctx, GM_E_ARG, "%s: model is NULL", m->call);
    GM_TRY(gm__call_values(ctx, model, "impute", opts, &values));
    m->how = (gm__law_point)gm__value_int(values, "how");
    m->draws = gm__value_int(values, "draws");
    m->sweeps = gm__value_int(values, "sweeps");
    gm_status code = gm__laws_create(ctx, model, gm__call_real(model, values), 1, &m->laws);
    int needed = !code && (m->how == GM__BY_DRAW || m->laws->free_order == 0);
    m->seeded = needed || gm__value_given(values, "seed");
    if (!code && m->seeded)
        code = gm__call_seed(ctx, values, m->call, &m->seed);
    gm__values_free(values);
    return code;
}

static void finish(gm_context *ctx, gm__impute *m, double *cells)
{
    int64_t d = m->laws ? m->laws->d : 0;
    gm__free(&ctx->allocator, cells, cells ? (size_t)(m->rows.count * d) * sizeof *cells : 0);
    gm__given_close(&m->given);
    gm__rows_clear(&m->rows);
    gm__laws_free(m->laws);
}

static gm_status of_array(gm_context *ctx, const char *call, const gm_model *model,
                          const gm_array *x, const gm_array *cond, const gm_options *opts,
                          gm_array *y)
{
    gm__impute m = {.call = call};
    double *cells = NULL;
    gm_status code = begin(ctx, model, opts, &m);
    if (!code)
        code = gm__rows_of_array(ctx, m.call, x, model->structure->rows, m.laws->d, &m.rows);
    if (!code)
        code = gm__check_output(ctx, m.call, y, m.rows.count, model->structure->rows, m.laws->d);
    if (!code)
        code = gm__given_open(ctx, m.call, model, cond, NULL, m.rows.count, &m.given);
    if (!code)
        code = impute_all(ctx, &m, &cells);
    if (!code)
        gm__array_put(y, 0, m.rows.count, m.laws->d, cells);
    finish(ctx, &m, cells);
    return code;
}

gm_status gm_model_impute(gm_context *ctx, const gm_model *model, const gm_array *x,
                          const gm_array *cond, const gm_options *opts, gm_array *y)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, of_array(ctx, "impute", model, x, cond, opts, y));
}

/* given: rows as they are, or one for all n. */
static gm_status sample_given(gm_context *ctx, const gm_model *model, int64_t n,
                              const gm_array *given, const gm_array *cond, const gm_options *opts,
                              gm_array *x)
{
    if (!given || given->struct_size < sizeof *given || given->ndim != 2 || n < 0 ||
        (given->shape[0] != 1 && given->shape[0] != n))
        return gm__fail(ctx, GM_E_SHAPE,
                        "sample_given: what is given must be (%lld, columns) or (1, columns)",
                        (long long)n);
    gm_array rows = *given;
    if (given->shape[0] != n) {
        rows.shape[0] = n;
        rows.strides[0] = 0;
    }
    return of_array(ctx, "sample_given", model, &rows, cond, opts, x);
}

gm_status gm_model_sample_given(gm_context *ctx, const gm_model *model, int64_t n,
                                const gm_array *given, const gm_array *cond, const gm_options *opts,
                                gm_array *x)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, sample_given(ctx, model, n, given, cond, opts, x));
}

static gm_status of_rows(gm_context *ctx, const gm_model *model, const gm_dataset *data,
                         const gm_array *cond, const gm_options *opts, gm_dataset **out)
{
    gm__impute m = {.call = "impute"};
    double *cells = NULL;
    gm_status code = begin(ctx, model, opts, &m);
    if (!code)
        code = gm__gaps_of_data(ctx, m.call, model, data, &m.rows);
    if (!code)
        code = gm__given_open(ctx, m.call, model, cond, data, m.rows.count, &m.given);
    if (!code)
        code = impute_all(ctx, &m, &cells);
    if (!code)
        code = gm__dataset_make(ctx, model->structure->rows, cells, m.rows.count, out);
    finish(ctx, &m, cells);
    return code;
}

gm_status gm_model_impute_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                               const gm_array *cond, const gm_options *opts, gm_dataset **out)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!out)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "impute: out is NULL"));
    *out = NULL;
    return gm__leave(ctx, &entry, of_rows(ctx, model, rows, cond, opts, out));
}
