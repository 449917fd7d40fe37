/* The conditions of a call's rows: read, checked and made what a network takes. */
#include "model/condition.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

static gm_status check_array(gm_context *ctx, const char *call, const gm_array *a, int64_t c,
                             int64_t rows)
{
    if (a->struct_size < sizeof *a || a->dtype < GM_F32 || a->dtype > GM_I64)
        return gm__fail(ctx, GM_E_ARG,
                        "%s: cond has no dtype, or its struct_size is not sizeof(gm_array)", call);
    if (a->ndim != 2 || a->shape[1] != c || (a->shape[0] != rows && a->shape[0] != 1))
        return gm__fail(ctx, GM_E_SHAPE,
                        "%s: cond is (%lld, %lld) in %d dimensions; (%lld, %lld) or (1, %lld) was "
                        "expected",
                        call, (long long)(a->ndim > 0 ? a->shape[0] : 0),
                        (long long)(a->ndim > 1 ? a->shape[1] : 0), (int)a->ndim, (long long)rows,
                        (long long)c, (long long)c);
    if (!a->data)
        return gm__fail(ctx, GM_E_ARG, "%s: cond's data is NULL", call);
    return GM_OK;
}

static gm_status open_data(gm_context *ctx, gm__given *g, const gm_dataset *data, int alone)
{
    GM_TRY(gm__in_order(ctx, data, &g->data));
    gm_status code = gm__match_conditions(ctx, g->s->schema, g->data, alone, &g->match);
    return code && code != GM_E_MEMORY ? gm__prefix(ctx, "%s: ", g->call) : code;
}

gm_status gm__given_open(gm_context *ctx, const char *call, const gm_model *model,
                         const gm_array *cond, const gm_dataset *data, int64_t rows, gm__given *g)
{
    const gm__structure *s = model->structure;
    *g = (gm__given){.allocator = ctx->allocator, .call = call, .s = s->conditions ? s : NULL};
    if (!s->conditions)
        return !cond
                   ? GM_OK
                   : gm__fail(ctx, GM_E_ARG,
                              "%s: cond is given, but the model has no conditioning columns", call);
    if (cond) {
        g->array = cond;
        GM_TRY(check_array(ctx, call, cond, s->conditions, rows));
        g->one = cond->shape[0] == 1;
        return GM_OK;
    }
    if (data)
        return open_data(ctx, g, data, 0);
    return gm__fail(ctx, GM_E_ARG,
                    "%s: the model is conditional: give its %lld conditioning columns as cond, "
                    "(rows, %lld) or (1, %lld)",
                    call, (long long)s->conditions, (long long)s->conditions,
                    (long long)s->conditions);
}

static void free_buffers(gm__given *g)
{
    if (!g->cells)
        return;
    size_t room = (size_t)g->room, c = (size_t)g->s->conditions, w = (size_t)g->s->given;
    gm__free(&g->allocator, g->cells, room * (c * 8 + w * 12));
    g->cells = NULL;
}

void gm__given_close(gm__given *g)
{
    free_buffers(g);
    gm__match_free(g->match);
    gm_dataset_free(g->data);
    *g = (gm__given){0};
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static gm_status make_room(gm_context *ctx, gm__given *g, int64_t n)
{
    size_t bytes, c = (size_t)g->s->conditions, w = (size_t)g->s->given;
    if (g->cells && g->room >= n)
        return GM_OK;
    free_buffers(g);
    g->count = 0;
    if (gm__mul_size((size_t)n, c * 8 + w * 12, &bytes) ||
        !(g->cells = gm__alloc(&g->allocator, bytes)))
        return gm__no_memory(ctx);
    g->room = n;
    g->wide = g->cells + (size_t)n * c;
    g->narrow = (float *)(void *)(g->wide + (size_t)n * w);
    return GM_OK;
}

static gm_status refuse(gm_context *ctx, const char *call, const gm__structure *s, int64_t row,
                        int64_t column, double cell)
{
    const gm__column *c = &s->schema->columns[s->columns + column];
    gm__label label;
    gm__column_label(&label, s->schema, s->columns + column);
    if (!isfinite(cell))
        return gm__fail(ctx, GM_E_DATA,
                        "%s: row %lld, the condition %s is %g; a finite number was "
                        "expected",
                        call, (long long)row + 1, label.text, cell);
    return gm__fail(ctx, GM_E_DATA,
                    "%s: row %lld, the condition %s is a category never seen; the %lld that the "
                    "model knows have the numbers from 0 on",
                    call, (long long)row + 1, label.text, (long long)c->categories);
}

/* cells (n, c) to wide (n, given). */
static gm_status convert(gm_context *ctx, const char *call, const gm__structure *s, int64_t first,
                         int64_t n, const double *cells, double *wide)
{
    int64_t c = s->conditions, bad = gm__transform_condition(s->transform, cells, n, wide);
    return bad < 0 ? GM_OK : refuse(ctx, call, s, first + bad / c, bad % c, cells[bad]);
}

/* The one row that serves all, n times. */
static void repeat(gm__given *g, int64_t n)
{
    size_t bytes = (size_t)g->s->given * sizeof *g->wide;
    for (int64_t i = 1; i < n; i++)
        memcpy(g->wide + i * g->s->given, g->wide, bytes);
}

static gm_status load(gm_context *ctx, gm__given *g, int64_t first, int64_t n)
{
    int64_t from = g->one ? 0 : first, rows = g->one ? 1 : n;
    GM_TRY(make_room(ctx, g, n));
    g->count = 0;
    if (g->array)
        gm__array_get(g->array, from, rows, g->cells);
    else
        gm__match_rows(g->match, g->data, NULL, from, rows, g->cells);
    GM_TRY(convert(ctx, g->call, g->s, from, rows, g->cells, g->wide));
    if (g->one)
        repeat(g, n);
    ctx->kernels->maps->narrow(g->narrow, g->wide, n * g->s->given);
    g->first = first;
    g->count = n;
    return GM_OK;
}

gm_status gm__given_load(gm_context *ctx, gm__given *g, gm__real real, int64_t first, int64_t n,
                         const void **out)
{
    *out = NULL;
    if (!g || !g->s || n == 0)
        return GM_OK;
    if (g->count < n || (!g->one && (g->first != first || g->count != n)))
        GM_TRY(load(ctx, g, first, n));
    *out = real == GM__F64 ? (const void *)g->wide : g->narrow;
    return GM_OK;
}

gm_status gm__given_input(gm_context *ctx, gm__given *g, const gm__program *program, int64_t first,
                          int64_t n, const void **inputs)
{
    const void *given;
    if (!program || program->condition < 0)
        return GM_OK;
    GM_TRY(gm__given_load(ctx, g, program->real, first, n, &given));
    inputs[program->condition] = given;
    return GM_OK;
}

/* ---- All rows of a dataset ------------------------------------------------------------------- */

static gm_status fill_all(gm_context *ctx, const gm__structure *s, const gm_dataset *data,
                          const gm__match *match, double *out)
{
    const int64_t piece = 256;
    int64_t rows = gm_dataset_row_count(data);
    double *cells = gm__alloc_array(&ctx->allocator, piece * s->conditions, sizeof *cells);
    if (!cells)
        return gm__no_memory(ctx);
    gm_status code = GM_OK;
    for (int64_t first = 0; first < rows && !code; first += piece) {
        int64_t n = rows - first < piece ? rows - first : piece;
        gm__match_rows(match, data, NULL, first, n, cells);
        code = gm__check_cancel(ctx);
        if (!code)
            code = convert(ctx, "fit", s, first, n, cells, out + first * s->given);
    }
    gm__free(&ctx->allocator, cells, (size_t)(piece * s->conditions) * sizeof *cells);
    return code;
}

gm_status gm__given_all(gm_context *ctx, const gm__structure *s, const gm_dataset *data,
                        double **out)
{
    gm__match *match;
    int64_t cells;
    *out = NULL;
    if (!s->conditions)
        return GM_OK;
    if (gm__mul64(gm_dataset_row_count(data), s->given, &cells))
        return gm__no_memory(ctx);
    GM_TRY(gm__match_conditions(ctx, s->schema, data, 0, &match));
    double *made = gm__alloc_array(&ctx->allocator, cells, sizeof *made);
    gm_status code = made ? fill_all(ctx, s, data, match, made) : gm__no_memory(ctx);
    gm__match_free(match);
    if (code)
        gm__free(&ctx->allocator, made, made ? (size_t)cells * sizeof *made : 0);
    else
        *out = made;
    return code;
}

/* ---- For the caller -------------------------------------------------------------------------- */

/* Rows of a dataset as the model's conditions, in its units and category numbers. */
static gm_status take(gm_context *ctx, const gm_model *model, const gm_dataset *data,
                      gm_array *cond)
{
    gm__given g;
    double *cells = NULL;
    const void *ready;
    int64_t rows = gm_dataset_row_count(data);
    if (!model || !data || !cond)
        return gm__fail(ctx, GM_E_ARG, "gm_model_conditions: model, rows or cond is NULL");
    const gm__structure *s = model->structure;
    if (!s->conditions)
        return gm__fail(ctx, GM_E_ARG, "gm_model_conditions: the model has no conditions");
    GM_TRY(gm__check_output(ctx, "gm_model_conditions", cond, rows, NULL, s->conditions));
    g = (gm__given){.allocator = ctx->allocator, .call = "gm_model_conditions", .s = s};
    gm_status code = open_data(ctx, &g, data, 1);
    if (!code)
        code = gm__answer_cells(ctx, "gm_model_conditions", rows, s->conditions, &cells);
    for (int64_t first = 0; first < rows && !code; first += 256) {
        int64_t n = rows - first < 256 ? rows - first : 256;
        code = gm__given_load(ctx, &g, GM__F64, first, n, &ready);
        if (!code)
            memcpy(cells + first * s->conditions, g.cells,
                   (size_t)(n * s->conditions) * sizeof *cells);
    }
    if (!code)
        gm__array_put(cond, 0, rows, s->conditions, cells);
    gm__free(&ctx->allocator, cells, cells ? (size_t)(rows * s->conditions) * sizeof *cells : 0);
    gm__given_close(&g);
    return code;
}

gm_status gm_model_conditions(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                              gm_array *cond)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, take(ctx, model, rows, cond));
}
