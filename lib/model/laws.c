/* Laws of one column given others: the engines behind them. */
#include "model/laws.h"
#include "model/walk.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* ---- Graphs ---------------------------------------------------------------------------------- */

gm_node *gm__laws_build(gm_builder *b, const gm__structure *s)
{
    const gm_conditionals *c = s->family->conditionals;
    int64_t shape[2] = {GM_BATCH, s->width};
    gm_node *x = gm_input(b, "given", GM_REAL_NODE, 2, shape), *out[3] = {NULL, NULL, NULL};
    if (c->at) {
        c->at(b, x, &out[0], &out[1], &out[2]);
        for (int i = 0; i < 3; i++)
            out[i] = gm_wide(b, out[i]);
        return gm_concat(b, 3, out, -1);
    }
    gm_likelihood l = {.struct_size = sizeof l};
    c->likelihood(b, &l);
    gm_node *raw = c->raw(b, x, gm_input(b, "known", GM_REAL_NODE, 2, shape));
    return gm_wide(b, gm__likelihood_laws(b, &l, raw));
}

/* What the graph of rows x (n, width) gives, (n, wide), into out; row0 is the number of the first
 * row among those that were set. */
static gm_status run_graph(gm_context *ctx, gm__laws *g, int64_t row0, int64_t n, const double *x,
                           int64_t wide, double *out)
{
    gm__program *p;
    GM_TRY(gm__program_get(ctx, g->model, GM__LAWS, g->real, n, &p));
    const int input[3] = {gm__plan_input(p->plan, "given"), gm__plan_input(p->plan, "known"),
                          p->condition};
    const int64_t w[3] = {g->width, g->width, g->s->given};
    const double *start[3] = {x, g->mask + row0 * w[1], g->cond ? g->cond + row0 * w[2] : NULL};
    int64_t most = n < p->capacity ? n : p->capacity, all = w[0] + w[1] + w[2];
    float *scratch = gm__context_scratch(ctx, (size_t)(most * all) * sizeof *scratch + 64);
    if (!scratch)
        return GM_E_MEMORY;
    for (int64_t first = 0; first < n; first += most) {
        int64_t count = n - first < most ? n - first : most;
        const void *inputs[4] = {NULL, NULL, NULL, NULL};
        float *narrow = scratch;
        for (int i = 0; i < 3; narrow += most * w[i], i++) {
            if (input[i] < 0)
                continue;
            const double *from = start[i] + first * w[i];
            inputs[input[i]] = from;
            if (p->real == GM__F32) {
                ctx->kernels->maps->narrow(narrow, from, count * w[i]);
                inputs[input[i]] = narrow;
            }
        }
        void *to = out + first * wide;
        gm__run run = {.batch = count, .params = p->params, .inputs = inputs, .outputs = &to};
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(gm__plan_run(ctx, p->plan, &run));
    }
    return GM_OK;
}

/* ---- Making ---------------------------------------------------------------------------------- */

/* The family's order, in columns of x, as the user's. */
static gm_status read_order(gm_context *ctx, gm__laws *g, const int32_t *of_x)
{
    for (int64_t j = 0; j < g->d; j++)
        g->rank[j] = -1;
    for (int64_t i = 0; i < g->d; i++) {
        int64_t found = -1;
        for (int64_t j = 0; j < g->d; j++)
            found = g->at[j] == of_x[i] ? j : found;
        if (found < 0 || g->rank[found] >= 0)
            return gm__fail(ctx, GM_E_ARG,
                            "%s: the order of its conditionals is no order of the columns",
                            g->s->family->name);
        g->order[i] = found;
        g->rank[found] = i;
    }
    return GM_OK;
}

static gm_status ask_family(gm_context *ctx, gm__laws *g, gm_builder *b)
{
    const gm_conditionals *c = g->s->family->conditionals;
    int32_t *of_x = gm__builder_scratch(b, g->width, sizeof *of_x);
    gm_likelihood l = {.struct_size = sizeof l};
    if (!of_x)
        return gm__builder_check(ctx, b);
    g->free_order = c->order(b, of_x) != 0;
    if (!c->at) {
        c->likelihood(b, &l);
        g->params = gm__likelihood_places(b, &l, g->places);
    }
    GM_TRY(gm__builder_check(ctx, b));
    return read_order(ctx, g, of_x);
}

static void place_columns(gm__laws *g)
{
    const gm__structure *s = g->s;
    for (int64_t j = 0; j < g->d; j++) {
        gm__column_way *w = &g->ways[j];
        gm__transform_column(s->transform, j, w);
        g->order[j] = g->rank[j] = j;
        g->at[j] = w->kind == GM__COLUMN_INDEX ? s->reals : w->place;
        for (int64_t i = 0; w->kind == GM__COLUMN_INDEX && i < w->place; i++)
            g->at[j] += gm__front_width(s, i);
        const gm__column *c = &s->schema->columns[j];
        if (w->kind == GM__COLUMN_CELLS && !w->ordered) {
            w->low = floor(c->low / w->unit + 0.5);
            w->high = floor(c->high / w->unit + 0.5);
        }
    }
}

/* Why a model of a family with laws may have none. */
static gm_status check_columns(gm_context *ctx, const gm__laws *g)
{
    gm__label label;
    if (gm__transform_mixes(g->s->transform))
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "conditional: the model was fitted with whiten=true, which mixes columns; "
                        "fit it with whiten=false");
    for (int64_t j = 0; j < g->d; j++)
        if (g->ways[j].kind == GM__COLUMN_INDEX && !g->s->discrete && g->engine != GM__LAWS_BY_LAW)
            return gm__fail(ctx, GM_E_UNSUPPORTED,
                            "conditional: %s is a category, which the family %s takes as real "
                            "columns; leave it out, or fit a family that takes categories as they "
                            "are",
                            gm__column_label(&label, g->s->schema, j), g->s->family->name);
    return GM_OK;
}

static gm_status choose_engine(gm_context *ctx, gm__laws *g, int grid)
{
    const gm_family *f = g->s->family;
    char names[512];
    int has_log_prob = (gm__family_capabilities(f) & GM_CAN_LOG_PROB) != 0;
    if (g->s->lawful && f->direct)
        g->engine = GM__LAWS_BY_LAW;
    else if (g->s->lawful)
        g->engine = f->conditionals->at ? GM__LAWS_BY_AT : GM__LAWS_BY_RAW;
    else if (grid && has_log_prob && g->s->kind == GM_EXACT && !g->s->conditions)
        g->engine = GM__LAWS_BY_GRID;
    else
        return gm__fail(
            ctx, GM_E_UNSUPPORTED,
            "conditional: the model, of the family %s, knows no column given others%s; "
            "these families do%s: %s",
            f->name,
            grid && f->log_prob ? ", and its log densities of such columns are not exact" : "",
            f->conditionals ? ", some of them by their options (a flow with "
                              "structure=autoregressive and one order of columns)"
                            : "",
            gm__families_that(ctx, GM_CAN_CONDITIONAL, names, sizeof names));
    return GM_OK;
}

static gm_status fill(gm_context *ctx, gm__laws *g, int grid)
{
    const gm_allocator *a = &g->allocator;
    gm_builder *b;
    gm__purpose how = {0};
    GM_TRY(choose_engine(ctx, g, grid));
    g->order = gm__alloc_array(a, 3 * g->d, sizeof *g->order);
    g->ways = gm__alloc_array(a, g->d, sizeof *g->ways);
    g->places = gm__alloc_array(a, g->width, sizeof *g->places);
    if (!g->order || !g->ways || !g->places)
        return gm__no_memory(ctx);
    g->rank = g->order + g->d;
    g->at = g->rank + g->d;
    place_columns(g);
    GM_TRY(check_columns(ctx, g));
    g->free_order = g->engine == GM__LAWS_BY_GRID ? -1 : 1;
    if (g->engine != GM__LAWS_BY_RAW && g->engine != GM__LAWS_BY_AT)
        return GM_OK;
    if (g->engine == GM__LAWS_BY_AT) /* in floats a distribution function falls here and there */
        g->real = GM__F64;
    GM_TRY(gm__structure_builder(ctx, g->model->structure, &how, &b));
    gm_status code = ask_family(ctx, g, b);
    gm__builder_free(b);
    return code ? code : gm__laws_walk_create(ctx, g);
}

gm_status gm__laws_create(gm_context *ctx, const gm_model *model, gm__real real, int grid,
                          gm__laws **out)
{
    *out = NULL;
    gm__laws *g = gm__alloc(&ctx->allocator, sizeof *g);
    if (!g)
        return gm__no_memory(ctx);
    *g = (gm__laws){.allocator = ctx->allocator,
                    .model = gm_model_retain((gm_model *)(uintptr_t)model),
                    .s = model->structure,
                    .real = real,
                    .d = model->structure->columns,
                    .width = model->structure->width,
                    .column = -1};
    gm_status code = fill(ctx, g, grid);
    if (code)
        gm__laws_free(g);
    else
        *out = g;
    return code;
}

/* ---- Room for rows --------------------------------------------------------------------------- */

static void drop_laws(gm__laws *g)
{
    for (int64_t i = 0; i < g->law_count; i++)
        if (g->laws[i].free)
            g->laws[i].free(&g->laws[i]);
    g->law_count = 0;
}

static void drop_room(gm__laws *g)
{
    const gm_allocator *a = &g->allocator;
    size_t cells = (size_t)(g->room * g->width), rows = (size_t)g->room;
    int64_t numbers = g->walking ? gm__laws_longest(g) : g->params;
    drop_laws(g);
    gm__free(a, g->x, g->x ? cells * sizeof *g->x : 0);
    gm__free(a, g->next, g->next ? cells * sizeof *g->next : 0);
    gm__free(a, g->mask, g->mask ? cells * sizeof *g->mask : 0);
    gm__free(a, g->cond, g->cond ? rows * (size_t)g->s->given * sizeof *g->cond : 0);
    gm__free(a, g->numbers, g->numbers ? rows * (size_t)numbers * sizeof *g->numbers : 0);
    gm__free(a, g->user, g->user ? rows * (size_t)g->d * sizeof *g->user : 0);
    gm__free(a, g->inside, g->inside ? rows * (size_t)g->d : 0);
    gm__free(a, g->seen, g->seen ? cells : 0);
    gm__free(a, g->laws, g->laws ? rows * sizeof *g->laws : 0);
    gm__free(a, g->law_of, g->law_of ? 2 * rows * sizeof *g->law_of : 0);
    g->x = g->next = g->mask = g->cond = g->numbers = NULL;
    g->seen = g->inside = NULL;
    g->user = g->mapped = NULL;
    g->laws = NULL;
    g->law_of = g->row_of = NULL;
    g->room = 0;
    g->fresh = 0;
    g->reached = -1;
}

static gm_status make_room(gm_context *ctx, gm__laws *g, int64_t n)
{
    const gm_allocator *a = &g->allocator;
    int64_t cells, numbers, given;
    int walking = gm__laws_walks(g, n);
    if (n <= g->room && walking == g->walking)
        return GM_OK;
    drop_room(g);
    if (gm__mul64(n, g->width, &cells) ||
        gm__mul64(n, walking ? gm__laws_longest(g) : g->params, &numbers) ||
        gm__mul64(n, g->s->given, &given))
        return gm__fail(ctx, GM_E_RANGE, "conditional: %lld rows are too many", (long long)n);
    g->room = n;
    g->walking = walking;
    int fixed = g->free_order == 0, direct = g->engine == GM__LAWS_BY_LAW,
        laws = direct || g->engine == GM__LAWS_BY_GRID;
    if (!walking) {
        g->x = gm__alloc_array(a, cells, sizeof *g->x);
        g->next = gm__alloc_array(a, cells, sizeof *g->next);
        g->mask = gm__alloc_array(a, cells, sizeof *g->mask);
    }
    if (given)
        g->cond = gm__alloc_array(a, given, sizeof *g->cond);
    if (g->params)
        g->numbers = gm__alloc_array(a, numbers, sizeof *g->numbers);
    if (fixed)
        g->user = gm__alloc_array(a, n, (size_t)g->d * sizeof *g->user);
    if (fixed && !walking)
        g->inside = gm__alloc_array(a, n, (size_t)g->d);
    if (direct)
        g->seen = gm__alloc_array(a, cells, 1);
    if (laws) {
        g->laws = gm__alloc_array(a, n, sizeof *g->laws);
        g->law_of = gm__alloc_array(a, 2 * n, sizeof *g->law_of);
        g->row_of = g->law_of ? g->law_of + n : NULL;
    }
    int cells_fit = walking || (g->x && g->next && g->mask && (g->inside || !fixed));
    if (cells_fit && (g->cond || !given) && (g->numbers || !g->params) && (g->user || !fixed) &&
        (g->seen || !direct) && ((g->laws && g->law_of) || !laws))
        return GM_OK;
    drop_room(g);
    return gm__no_memory(ctx);
}

void gm__laws_free(gm__laws *g)
{
    if (!g)
        return;
    gm_allocator a = g->allocator;
    drop_room(g);
    gm__walk_free(g->walk);
    gm__free(&a, g->order, g->order ? 3 * (size_t)g->d * sizeof *g->order : 0);
    gm__free(&a, g->ways, g->ways ? (size_t)g->d * sizeof *g->ways : 0);
    gm__free(&a, g->places, g->places ? (size_t)g->width * sizeof *g->places : 0);
    gm_model_free(g->model);
    gm__free(&a, g, sizeof *g);
}

/* ---- Setting --------------------------------------------------------------------------------- */

int gm__laws_may(const gm__laws *g, const unsigned char *known, int64_t column)
{
    for (int64_t j = 0; g->free_order != 1 && j < g->d; j++)
        if (j != column && (known[j] != 0) != (g->free_order < 0 || g->rank[j] < g->rank[column]))
            return 0;
    return 1;
}

/* A cell of x, which takes as many columns of it as its column is wide. */
static void put_cell(const gm__laws *g, int64_t j, double y, double *x)
{
    const gm__column_way *w = &g->ways[j];
    if (w->kind == GM__COLUMN_INDEX && g->engine != GM__LAWS_BY_LAW)
        x[g->at[j] + (int64_t)y] = 1;
    else
        x[g->at[j]] = y;
}

int64_t gm__laws_columns(const gm__laws *g, int64_t j)
{
    return g->ways[j].kind == GM__COLUMN_INDEX && g->engine != GM__LAWS_BY_LAW
               ? gm__front_width(g->s, g->ways[j].place)
               : 1;
}

gm_status gm__laws_refuse(gm_context *ctx, const gm__laws *g, int64_t row, int64_t j, double v)
{
    gm__label label;
    return gm__fail(ctx, GM_E_DATA,
                    "conditional: row %lld, %s is %g, of which the model can know nothing; say "
                    "that it is not known, or leave the row out",
                    (long long)row + 1, gm__column_label(&label, g->s->schema, j), v);
}

/* One row of x and its mask, in any order. */
static gm_status put_row(gm_context *ctx, const gm__laws *g, const double *user,
                         const unsigned char *known, int64_t column, int64_t row, double *x,
                         double *mask)
{
    memset(x, 0, (size_t)g->width * sizeof *x);
    for (int64_t j = 0; j < g->d; j++) {
        double y, has = known[j] != 0;
        int inside = known[j] && gm__transform_known(g->s->transform, j, user[j], &y);
        if (known[j] && j != column && !inside)
            return gm__laws_refuse(ctx, g, row, j, user[j]);
        for (int64_t i = 0; i < gm__laws_columns(g, j); i++)
            mask[g->at[j] + i] = has;
        if (inside)
            put_cell(g, j, y, x);
    }
    return GM_OK;
}

/* A cell of the user's into x, and whether it has support. */
static void map_cell(gm__laws *g, int64_t j, double v, int64_t i, double *x)
{
    double y;
    memset(x + g->at[j], 0, (size_t)gm__laws_columns(g, j) * sizeof *x);
    g->inside[i * g->d + j] = gm__transform_known(g->s->transform, j, v, &y) != 0;
    if (g->inside[i * g->d + j])
        put_cell(g, j, y, x);
    g->stale = g->rank[j] < g->stale ? g->rank[j] : g->stale;
}

/* All rows of g->next in a fixed order, where every column may be taken along. Rows come again and
 * again with one column more: only what changed is mapped. */
static gm_status put_rows(gm_context *ctx, gm__laws *g, int64_t n, const double *user,
                          const unsigned char *known, int64_t column, int64_t row0)
{
    int64_t w = g->width, d = g->d;
    int again = g->mapped && n == g->asked;
    if (again && g->mapped == g->x)
        memcpy(g->next, g->x, (size_t)(n * w) * sizeof *g->x);
    g->mapped = NULL;
    if (!again)
        g->stale = -1;
    for (int64_t i = 0; !again && i < n * w; i++)
        g->mask[i] = 1;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++) {
            const double *v = &user[i * d + j];
            if (!again || memcmp(v, &g->user[i * d + j], sizeof *v) != 0)
                map_cell(g, j, *v, i, g->next + i * w);
            if (known[i * d + j] && j != column && !g->inside[i * d + j])
                return gm__laws_refuse(ctx, g, row0 + i, j, *v);
        }
    if (n > 0)
        memcpy(g->user, user, (size_t)(n * d) * sizeof *user);
    g->mapped = g->next;
    return GM_OK;
}

/* A direct family's laws: one for each run of rows that know the same columns. */
static gm_status ask_laws(gm_context *ctx, gm__laws *g, int64_t n, int64_t column)
{
    int64_t w = g->width;
    for (int64_t i = 0; i < n * w; i++)
        g->seen[i] = g->mask[i] != 0;
    for (int64_t first = 0, count; first < n; first += count) {
        const unsigned char *seen = g->seen + first * w;
        for (count = 1; first + count < n; count++)
            if (memcmp(seen, seen + count * w, (size_t)w) != 0)
                break;
        gm_law *law = &g->laws[g->law_count];
        *law = (gm_law){.struct_size = sizeof *law};
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(g->s->family->direct->law(ctx, g->model->state, count, g->x + first * w, seen,
                                         g->at[column], law));
        for (int64_t i = 0; i < count; i++) {
            g->law_of[first + i] = g->law_count;
            g->row_of[first + i] = i;
        }
        g->law_count++;
    }
    return GM_OK;
}

/* Whether the numbers at hand are those of the next rows: in a fixed order only what comes before
 * the column matters. */
static int still_good(const gm__laws *g, int64_t n, const double *cond, int64_t column)
{
    if (!g->fresh || g->free_order != 0 || n != g->n ||
        (g->cond && memcmp(g->cond, cond, (size_t)(n * g->s->given) * sizeof *cond) != 0))
        return 0;
    return g->rank[column] <= g->stale;
}

/* The laws of the next rows. */
static gm_status renew(gm_context *ctx, gm__laws *g, int64_t n, const double *user, int64_t column)
{
    double *t = g->x;
    gm_status code = GM_OK;
    g->x = g->next;
    g->next = t;
    g->fresh = 0;
    g->stale = g->d;
    g->n = n;
    drop_laws(g);
    if (n > 0 && g->engine == GM__LAWS_BY_RAW)
        code = run_graph(ctx, g, 0, n, g->x, g->params, g->numbers);
    else if (n > 0 && g->engine == GM__LAWS_BY_GRID)
        code = gm__laws_grid(ctx, g, user, column);
    else if (n > 0 && g->engine == GM__LAWS_BY_LAW)
        code = ask_laws(ctx, g, n, column);
    g->fresh = !code;
    return code;
}

static gm_status set(gm_context *ctx, gm__laws *g, int64_t n, const double *x,
                     const unsigned char *known, const double *cond, int64_t column, int64_t row0)
{
    int64_t w = g->width;
    if (g->free_order == 0)
        GM_TRY(put_rows(ctx, g, n, x, known, column, row0));
    for (int64_t i = 0; g->free_order != 0 && i < n; i++)
        GM_TRY(put_row(ctx, g, x + i * g->d, known + i * g->d, column, row0 + i, g->next + i * w,
                       g->mask + i * w));
    if (still_good(g, n, cond, column))
        return GM_OK;
    if (g->cond && n > 0)
        memcpy(g->cond, cond, (size_t)(n * g->s->given) * sizeof *cond);
    return renew(ctx, g, n, x, column);
}

static void now(gm__laws *g, int64_t column, int64_t n)
{
    g->column = column;
    g->asked = n;
    if (g->walking || g->engine != GM__LAWS_BY_RAW)
        return;
    g->law = g->places[g->at[column]];
    g->stride = g->params;
}

gm_status gm__laws_set(gm_context *ctx, gm__laws *g, int64_t n, const double *x,
                       const unsigned char *known, const double *cond, int64_t column, int64_t row0)
{
    g->column = -1;
    GM_TRY(make_room(ctx, g, n));
    GM_TRY((g->walking ? gm__laws_walk_set : set)(ctx, g, n, x, known, cond, column, row0));
    now(g, column, n);
    return GM_OK;
}

/* The cells of the column that was asked for into the next rows. */
static gm_status put_next(gm_context *ctx, gm__laws *g, int64_t n, const double *value, int64_t was)
{
    int64_t w = g->width, d = g->d;
    int fixed = g->free_order == 0;
    double y = 0;
    if (!fixed || g->mapped == g->x)
        memcpy(g->next, g->x, (size_t)(n * w) * sizeof *g->x);
    g->mapped = NULL;
    for (int64_t i = 0; i < n; i++) {
        double *x = g->next + i * w, v = value[i];
        if (fixed && memcmp(&v, &g->user[i * d + was], sizeof v) != 0) {
            map_cell(g, was, v, i, x);
            g->user[i * d + was] = v;
        }
        if (fixed ? !g->inside[i * d + was] : !gm__transform_known(g->s->transform, was, v, &y))
            return gm__laws_refuse(ctx, g, i, was, v);
        if (fixed)
            continue;
        for (int64_t k = 0; k < gm__laws_columns(g, was); k++)
            g->mask[i * w + g->at[was] + k] = 1;
        put_cell(g, was, y, x);
    }
    g->mapped = fixed ? g->next : NULL;
    return GM_OK;
}

gm_status gm__laws_next(gm_context *ctx, gm__laws *g, const double *value, int64_t column)
{
    int64_t n = g->asked, was = g->column;
    if (g->walking) {
        GM_TRY(gm__laws_walk_next(ctx, g, value, column));
    } else if (n > 0) {
        g->column = -1;
        GM_TRY(put_next(ctx, g, n, value, was));
        if (!still_good(g, n, g->cond, column))
            GM_TRY(renew(ctx, g, n, NULL, column));
    }
    now(g, column, n);
    return GM_OK;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* A graph's answers with the column at y. */
static gm_status ask_graph(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                           const double *y, double *logp, double *below, double *above)
{
    int64_t w = g->width, at = g->at[g->column];
    size_t cells = (size_t)(count * w);
    double *x = gm__alloc(&ctx->allocator, 4 * cells * sizeof *x);
    if (!x)
        return gm__no_memory(ctx);
    memcpy(x, g->x + first * w, cells * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i * w + at] = y[i] - y[i] == 0 ? y[i] : 0;
    double *out = x + cells;
    gm_status code = run_graph(ctx, g, first, count, x, 3 * w, out);
    for (int64_t i = 0; !code && i < count; i++) {
        const double *row = out + i * 3 * w;
        int inside = y[i] - y[i] == 0;
        if (logp)
            logp[i] = inside ? row[at] : -INFINITY;
        if (below)
            below[i] = inside ? row[w + at] : y[i] > 0;
        if (above)
            above[i] = inside ? row[2 * w + at] : y[i] < 0;
    }
    gm__free(&ctx->allocator, x, 4 * cells * sizeof *x);
    return code;
}

gm_status gm__laws_points(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                          const double *y, double *logp, double *below, double *above)
{
    if (g->engine == GM__LAWS_BY_AT)
        return count ? ask_graph(ctx, g, first, count, y, logp, below, above) : GM_OK;
    if (g->engine == GM__LAWS_BY_RAW && g->law.kind == GM_X_BINARY) {
        gm__law_bits(ctx->kernels, g->numbers + first * g->stride + g->law.at, g->stride, count, y,
                     logp, below, above);
        return GM_OK;
    }
    for (int64_t i = 0; i < count; i++) {
        double *p = logp ? logp + i : NULL, *b = below ? below + i : NULL,
               *a = above ? above + i : NULL;
        int64_t row = first + i;
        if (i % 256 == 0)
            GM_TRY(gm__check_cancel(ctx));
        if (g->engine == GM__LAWS_BY_RAW) {
            gm__law_at(ctx->kernels, &g->law, g->numbers + row * g->stride, y[i], p, b, a);
        } else {
            const gm_law *law = &g->laws[g->law_of[row]];
            law->at(law, g->row_of[row], y[i], p, b, a);
        }
    }
    return GM_OK;
}
