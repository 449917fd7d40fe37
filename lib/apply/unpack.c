/* Symbols into rows. */
#include "apply/unpack.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* Small alphabets have the tails at all their edges asked for at once. */
enum { FEW_CELLS = 16 };

typedef struct unpacker {
    gm__coder k;
    gm__rans_decoder decoder;
    const char *name;
    gm__tails *edges; /* (block, FEW_CELLS + 1) */
    double *truth;    /* (rows so far, d) */
    int64_t room;     /* rows */
} unpacker;

/* ---- One cell -------------------------------------------------------------------------------- */

/* Where a cell's symbol begins, in one row; *t becomes the tails there. */
static gm_status start_of(unpacker *u, int64_t j, int64_t row, const gm__span *s, int64_t cell,
                          gm__tails *t, uint32_t *start)
{
    gm__coder *k = &u->k;
    if (s->top && s->cells <= FEW_CELLS) {
        *t = u->edges[row * (FEW_CELLS + 1) + cell];
    } else if (s->top && (cell == 0 || cell == s->cells)) {
        *t = u->edges[row * (FEW_CELLS + 1) + (cell > 0)];
    } else if (!s->even) {
        k->point[row] = gm__edge(&k->columns[j], gm__cell_first(s, cell));
        GM_TRY(gm__coder_tails(k, row, 1));
        *t = (gm__tails){k->below[row], k->above[row]};
    }
    *start = gm__cell_start(s, cell, *t);
    return GM_OK;
}

static gm_status damaged(unpacker *u)
{
    return gm__fail(u->k.ctx, GM_E_FORMAT,
                    "%s: the archive's symbols are malformed, or it was made with other options of "
                    "the call: give the same",
                    u->name);
}

/* An edge of a span: the cell above it, where its symbol begins, the law there. */
typedef struct edge {
    int64_t cell;
    uint32_t start;
    gm__tails tails;
} edge;

/* Narrows a span to the cell whose symbol is next, between the edges low and high. */
static gm_status next_cell(unpacker *u, int64_t j, int64_t row, gm__span *s, edge low, edge high)
{
    uint32_t slot = gm__rans_peek(&u->decoder);
    while (high.cell - low.cell > 1) {
        edge middle = {.cell = low.cell + (high.cell - low.cell) / 2};
        GM_TRY(start_of(u, j, row, s, middle.cell, &middle.tails, &middle.start));
        if (middle.start <= slot)
            low = middle;
        else
            high = middle;
    }
    if (high.start <= low.start || slot < low.start || slot >= high.start)
        return damaged(u);
    gm__rans_take(&u->decoder, low.start, high.start - low.start);
    *s = gm__span_in(s, low.cell, low.tails, high.tails);
    return GM_OK;
}

/* A cell of the column j; *coded 0 where it is outside of what the law codes. */
static gm_status take_place(unpacker *u, int64_t j, int64_t row, const gm__span *top,
                            int64_t *place, int *coded)
{
    gm__span s = *top;
    edge low = {.cell = 0}, high = {.cell = s.cells};
    uint32_t slot = gm__rans_peek(&u->decoder);
    GM_TRY(start_of(u, j, row, &s, 0, &low.tails, &low.start));
    GM_TRY(start_of(u, j, row, &s, s.cells, &high.tails, &high.start));
    *coded = slot >= low.start && slot < high.start;
    if (slot < low.start) {
        gm__rans_take(&u->decoder, 0, low.start);
        return GM_OK;
    }
    if (slot >= high.start) {
        gm__rans_take(&u->decoder, high.start, GM__RANS_TOTAL - high.start);
        return GM_OK;
    }
    GM_TRY(next_cell(u, j, row, &s, low, high));
    while (s.end - s.first > 1) {
        low = (edge){0, 0, s.low};
        high = (edge){s.cells, GM__RANS_TOTAL, s.high};
        GM_TRY(next_cell(u, j, row, &s, low, high));
    }
    *place = s.first;
    return GM_OK;
}

/* What was told bit by bit: any double, or the number of a category that there is. */
static gm_status take_outside(unpacker *u, const gm__packed *is, double *value)
{
    *value = gm__double_at((int64_t)gm__rans_raw(&u->decoder, 64));
    double categories = (double)(is->is.categories + is->extras);
    int whole = *value >= 0 && *value < categories && *value == floor(*value);
    return is->is.categories      ? whole ? GM_OK : damaged(u)
                : *value - *value == 0 ? GM_OK
                                  : damaged(u);
}

/* ---- One column of a block ------------------------------------------------------------------- */

/* The tails at the ends of the column in every row, or at all edges of a few cells. */
static gm_status ask_ends(unpacker *u, int64_t j, int64_t count, const gm__span *top)
{
    gm__coder *k = &u->k;
    int64_t edges = top->cells <= FEW_CELLS ? top->cells + 1 : 2;
    for (int64_t e = 0; e < edges; e++) {
        int64_t cell = edges > 2 || top->cells == 1 ? e : e * top->cells;
        for (int64_t i = 0; i < count; i++)
            k->point[i] = gm__edge(&k->columns[j], gm__cell_first(top, cell));
        GM_TRY(gm__coder_tails(k, 0, count));
        for (int64_t i = 0; i < count; i++)
            u->edges[i * (FEW_CELLS + 1) + e] = (gm__tails){k->below[i], k->above[i]};
    }
    return GM_OK;
}

static double take_sign(unpacker *u, const gm__packed *is, double value)
{
    uint32_t minus = gm__packed_minus(is, value);
    int negative = gm__rans_peek(&u->decoder) < minus;
    if (!minus)
        return value;
    gm__rans_take(&u->decoder, negative ? 0 : minus, negative ? minus : GM__RANS_TOTAL - minus);
    return negative ? -0.0 : value;
}

static gm_status take_cell(unpacker *u, int64_t j, int64_t row, const gm__span *top,
                           uint32_t missing, double *value)
{
    static const uint64_t nan_bits = 0x7ff8000000000000u;
    const gm__packed *is = &u->k.columns[j];
    int64_t place = 0;
    int coded = 0, gone = missing && gm__rans_peek(&u->decoder) < missing;
    if (missing)
        gm__rans_take(&u->decoder, gone ? 0 : missing, gone ? missing : GM__RANS_TOTAL - missing);
    if (gone)
        memcpy(value, &nan_bits, sizeof *value);
    else
        GM_TRY(take_place(u, j, row, top, &place, &coded));
    if (coded)
        *value = take_sign(u, is, gm__packed_value(is, place));
    else if (!gone)
        GM_TRY(take_outside(u, is, value));
    u->k.odd[row] = !coded;
    return GM_OK;
}

static gm_status unpack_column(unpacker *u, int64_t i, int64_t count, double *truth)
{
    gm__coder *k = &u->k;
    int64_t j = k->order[i];
    gm__span top = gm__span_top(&k->columns[j]);
    uint32_t missing = gm__coder_missing(k, &k->columns[j]);
    GM_TRY(gm__coder_ask(k, i, count));
    GM_TRY(ask_ends(u, j, count, &top));
    for (int64_t r = 0; r < count; r++) {
        double *value = &truth[r * k->d + j];
        GM_TRY(take_cell(u, j, r, &top, missing, value));
        k->x[r * k->d + j] =
            k->odd[r] ? k->columns[j].is.low : gm__coder_given(&k->columns[j], *value);
        if (r % 256 == 0)
            GM_TRY(gm__check_cancel(k->ctx));
    }
    return u->decoder.wrong ? damaged(u) : gm__coder_settle(k, i, count);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Room for one more block; memory grows with what was decoded. */
static gm_status grow(unpacker *u, int64_t rows)
{
    gm__coder *k = &u->k;
    size_t size, row = (size_t)k->d * sizeof *u->truth;
    if (rows <= u->room)
        return GM_OK;
    int64_t room = rows > k->rows / 2 ? k->rows : 2 * rows;
    double *truth = NULL;
    if (!gm__mul_size((size_t)room, row, &size))
        truth = gm__resize(&k->ctx->allocator, u->truth, (size_t)u->room * row, size);
    if (!truth)
        return gm__no_memory(k->ctx);
    u->truth = truth;
    u->room = room;
    return GM_OK;
}

static gm_status unpack_rows(unpacker *u)
{
    gm__coder *k = &u->k;
    GM_TRY(gm__columns_take(k, &u->decoder, u->name));
    GM_TRY(gm__coder_reserve(k, k->rows));
    int64_t most = k->rows < k->block ? k->rows : k->block;
    u->edges = gm__arena_array(&k->arena, most, (FEW_CELLS + 1) * sizeof *u->edges);
    if (!u->edges)
        return gm__no_memory(k->ctx);
    for (int64_t first = 0; first < k->rows; first += k->block) {
        int64_t count = k->rows - first < k->block ? k->rows - first : k->block;
        GM_TRY(grow(u, first + count));
        memset(k->x, 0, (size_t)(count * k->d) * sizeof *k->x);
        for (int64_t i = 0; i < k->d; i++)
            GM_TRY(unpack_column(u, i, count, u->truth + first * k->d));
    }
    return gm__rans_ended(&u->decoder) ? GM_OK : damaged(u);
}

/* ---- The dataset ----------------------------------------------------------------------------- */

static gm_status name_categories(gm__coder *k, int64_t j, gm_column *c, const char ***names)
{
    const gm__packed *p = &k->columns[j];
    c->categories = p->is.categories + p->extras;
    *names = gm__arena_array(&k->arena, c->categories, sizeof **names);
    if (c->categories && !*names)
        return gm__no_memory(k->ctx);
    for (int64_t i = 0; i < c->categories; i++)
        (*names)[i] = i < p->is.categories ? gm_model_category(k->model, j, i)
                                           : p->extra[i - p->is.categories];
    return GM_OK;
}

/* A column of whole numbers in which one is not: told bit by bit, it is there. */
static int32_t type_of(const unpacker *u, const gm_column *c, int64_t j)
{
    for (int64_t i = 0; c->type == GM_COLUMN_INTEGER && i < u->k.rows; i++) {
        double v = u->truth[i * u->k.d + j];
        if (v == v && v != floor(v))
            return GM_COLUMN_REAL;
    }
    return c->type == GM_COLUMN_BINARY && c->categories > 2 ? GM_COLUMN_CATEGORY : c->type;
}

static gm_status make_rows(unpacker *u, gm_dataset **rows)
{
    gm__coder *k = &u->k;
    int64_t shape[8];
    int32_t ndim;
    gm_column *columns = gm__arena_array(&k->arena, k->d, sizeof *columns);
    const char ***names = gm__arena_array(&k->arena, k->d, sizeof *names);
    if (!columns || !names)
        return gm__no_memory(k->ctx);
    for (int64_t j = 0; j < k->d; j++) {
        columns[j] = k->columns[j].is;
        columns[j].missing = k->columns[j].missing > 0;
        GM_TRY(name_categories(k, j, &columns[j], &names[j]));
        columns[j].type = type_of(u, &columns[j], j);
    }
    GM_TRY(gm_model_row_shape(k->ctx, k->model, &ndim, shape));
    return gm_dataset_from_columns(k->ctx, columns, (const char *const *const *)names, k->d,
                                   u->truth, k->rows, ndim, shape, rows);
}

gm_status gm__unpack(gm_context *ctx, const gm_model *model, const gm__archive *a, const char *name,
                     const gm_options *opts, gm_dataset **rows)
{
    unpacker u = {.name = name};
    gm_status code = gm__coder_open(ctx, model, opts, &u.k);
    u.k.rows = a->rows;
    gm__rans_begin(&u.decoder, a->symbols, a->symbols_size);
    if (!code)
        code = unpack_rows(&u);
    if (!code)
        code = make_rows(&u, rows);
    gm__free(&ctx->allocator, u.truth, (size_t)u.room * (size_t)u.k.d * sizeof *u.truth);
    gm__coder_clear(&u.k);
    return code;
}
