/* Rows into symbols. */
#include "apply/matched.h"
#include "apply/pack.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* One cell on its way: the symbols so far, and the span of places that it is in. */
enum { MOST_SYMBOLS = 16 };
typedef struct cell {
    gm__span span;
    int64_t place;
    int open; /* the span holds more places than one */
    int count;
    gm__symbol symbols[MOST_SYMBOLS];
    double mass; /* of the model's, in the last span that the law was asked of */
    double even; /* places that share it evenly */
    double value;
    int outside, missing;
    uint32_t sign; /* frequency of what told -0 from 0; 0 nothing did */
} cell;

typedef struct packer {
    gm__coder k;
    gm__matched rows;
    gm__symbols symbols;
    gm__rans_encoder encoder;
    cell *cells;   /* (block) */
    double *truth; /* (block, d): the cells as they are */
    double *bits;
    gm_compression told;
} packer;

/* ---- What the archive says of the columns ---------------------------------------------------- */

static int64_t first_place(const gm__packed *p, const double *sorted, int64_t n)
{
    int64_t place = 0;
    for (int64_t i = 0; i < n; i++)
        if (gm__grid_find(&p->grid, sorted[i], &place))
            return place;
    return place;
}

/* Whole steps know no -0. */
static void count_zeros(gm__packed *c, const double *values, int64_t n)
{
    if (c->grid.kind != GM__GRID_DECIMAL && c->grid.kind != GM__GRID_PART)
        return;
    for (int64_t i = 0; i < n; i++) {
        c->zeros += values[i] == 0;
        c->minus += values[i] == 0 && signbit(values[i]);
    }
}

/* The list that the model has, if the values are in it; else a grid of their own. */
static gm_status choose_grid(packer *p, gm__packed *c, double *values, int64_t n)
{
    gm_context *ctx = p->k.ctx;
    if (c->listed) {
        GM_TRY(gm__grid_list(ctx, c->list, c->listed, &c->grid));
        c->own = gm__grid_fits(&c->grid, values, n);
        if (c->own)
            return GM_OK;
        gm__grid_clear(ctx, &c->grid);
    }
    return gm__grid_choose(ctx, values, n, &c->grid);
}

static gm_status survey(packer *p)
{
    gm__coder *k = &p->k;
    size_t bytes = (size_t)k->rows * sizeof(double);
    double *values = gm__alloc_array(&k->ctx->allocator, k->rows, sizeof *values);
    gm_status code = values ? GM_OK : gm__no_memory(k->ctx);
    for (int64_t j = 0; j < k->d && !code; j++) {
        gm__packed *c = &k->columns[j];
        int64_t n = 0;
        code = gm__matched_column(k, &p->rows, j, values, &n);
        c->missing = k->rows - n;
        if (!code && !gm__packed_counts(c))
            code = choose_grid(p, c, values, n);
        if (!code && !gm__packed_counts(c)) {
            gm__packed_range(c);
            count_zeros(c, values, n);
            c->from = c->turn ? first_place(c, values, n) : 0;
        }
        if (!code)
            code = gm__check_cancel(k->ctx);
    }
    gm__free(&k->ctx->allocator, values, bytes);
    return code;
}

/* ---- One column of a block ------------------------------------------------------------------- */

static void add(cell *c, uint32_t start, uint32_t end)
{
    c->symbols[c->count++] = (gm__symbol){start, end - start};
}

/* Sets each cell out: missing, outside, or in the span of the whole column. */
static void begin_cells(packer *p, int64_t j, int64_t count)
{
    gm__coder *k = &p->k;
    const gm__packed *is = &k->columns[j];
    uint32_t missing = gm__coder_missing(k, is);
    gm__span top = gm__span_top(is);
    for (int64_t i = 0; i < count; i++) {
        cell *c = &p->cells[i];
        c->value = p->truth[i * k->d + j];
        c->missing = c->value != c->value;
        c->count = 0;
        c->sign = 0;
        c->mass = c->even = 1;
        c->span = top;
        c->open = !c->missing && gm__packed_place(is, c->value, &c->place);
        c->outside = !c->missing && !c->open;
        k->odd[i] = !c->open;
        if (missing)
            add(c, c->missing ? 0 : missing, c->missing ? missing : GM__RANS_TOTAL);
    }
}

static int64_t cell_of(const cell *c)
{
    return (int64_t)(((uint64_t)c->place - (uint64_t)c->span.first) / (uint64_t)c->span.width);
}

/* Tails of every open cell's law at the edge under the cell it is in (plus `next`). */
static gm_status ask_edges(packer *p, int64_t j, int64_t count, int next)
{
    gm__coder *k = &p->k;
    for (int64_t i = 0; i < count; i++) {
        const cell *c = &p->cells[i];
        int64_t at = c->open ? gm__cell_first(&c->span, cell_of(c) + next) : k->columns[j].low;
        k->point[i] = gm__edge(&k->columns[j], at);
    }
    return gm__coder_tails(k, 0, count);
}

static gm_status not_monotone(packer *p, int64_t j, int64_t row)
{
    return gm__fail(p->k.ctx, GM_E_NONFINITE,
                    "compress: the model's distribution function of column %lld falls or is not a "
                    "number in row %lld of a block",
                    (long long)j + 1, (long long)row + 1);
}

/* The next symbol of every open cell; `low` is memory for the tails below. */
static gm_status narrow_cells(packer *p, int64_t j, int64_t count, gm__tails *low)
{
    gm__coder *k = &p->k;
    GM_TRY(ask_edges(p, j, count, 0));
    for (int64_t i = 0; i < count; i++)
        low[i] = (gm__tails){k->below[i], k->above[i]};
    GM_TRY(ask_edges(p, j, count, 1));
    for (int64_t i = 0; i < count; i++) {
        cell *c = &p->cells[i];
        if (!c->open)
            continue;
        int64_t which = cell_of(c);
        gm__tails high = {k->below[i], k->above[i]};
        uint32_t start = gm__cell_start(&c->span, which, low[i]);
        uint32_t end = gm__cell_start(&c->span, which + 1, high);
        if (end <= start || end > GM__RANS_TOTAL)
            return not_monotone(p, j, i);
        add(c, start, end);
        if (c->span.even)
            c->even *= (double)c->span.cells;
        else
            c->mass = gm__mass(low[i], high);
        c->span = gm__span_in(&c->span, which, low[i], high);
        c->open = c->span.end - c->span.first > 1;
    }
    return GM_OK;
}

/* A cell outside of what the law codes: the symbol beside all cells that is the likelier. */
static gm_status tell_outside(packer *p, int64_t j, int64_t count)
{
    gm__coder *k = &p->k;
    gm__span top = gm__span_top(&k->columns[j]);
    for (int64_t i = 0; i < count; i++) {
        cell *c = &p->cells[i];
        if (!c->outside)
            continue;
        k->point[i] = gm__edge(&k->columns[j], top.first);
        GM_TRY(gm__coder_tails(k, i, 1));
        uint32_t left = gm__cell_start(&top, 0, (gm__tails){k->below[i], k->above[i]});
        k->point[i] = gm__edge(&k->columns[j], top.end);
        GM_TRY(gm__coder_tails(k, i, 1));
        uint32_t right = gm__cell_start(&top, top.cells, (gm__tails){k->below[i], k->above[i]});
        if (right <= left)
            return not_monotone(p, j, i);
        if (left > GM__RANS_TOTAL - right)
            add(c, 0, left);
        else
            add(c, right, GM__RANS_TOTAL);
    }
    return GM_OK;
}

static int any_open(const packer *p, int64_t count, int even)
{
    for (int64_t i = 0; i < count; i++)
        if (p->cells[i].open && p->cells[i].span.even == even)
            return 1;
    return 0;
}

/* The rest of a cell whose span is shared out evenly needs no law. */
static void finish_even(cell *c)
{
    gm__tails none = {0, 0};
    while (c->open) {
        int64_t which = cell_of(c);
        add(c, gm__cell_start(&c->span, which, none), gm__cell_start(&c->span, which + 1, none));
        c->even *= (double)c->span.cells;
        c->span = gm__span_in(&c->span, which, none, none);
        c->open = c->span.end - c->span.first > 1;
    }
}

static void tell_sign(cell *c, uint32_t minus)
{
    c->sign = minus ? signbit(c->value) ? minus : GM__RANS_TOTAL - minus : 0;
    if (minus && signbit(c->value))
        add(c, 0, minus);
    else if (minus)
        add(c, minus, GM__RANS_TOTAL);
}

/* ---- Bits ------------------------------------------------------------------------------------ */

static double sum_bits(packer *p, int64_t count)
{
    double sum = 0;
    p->k.ctx->kernels->maps->map1[GM__F64][GM__LOG](p->bits, p->bits, count);
    for (int64_t i = 0; i < count; i++)
        sum -= p->bits[i];
    return sum / 0x1.62e42fefa39efp-1; /* log 2 */
}

/* What the model says of the cells, and what is outside took. */
static void note_bits(packer *p, int64_t count)
{
    int64_t used = 0;
    for (int64_t i = 0; i < count; i++)
        if (!p->cells[i].outside && !p->cells[i].missing && p->cells[i].mass > 0)
            p->bits[used++] = p->cells[i].mass / p->cells[i].even;
    p->told.model_bits += sum_bits(p, used);
    p->told.outside += count - used;
    used = 0;
    for (int64_t i = 0; i < count; i++) {
        const cell *c = &p->cells[i];
        if (!c->outside && !c->missing && c->mass > 0)
            continue;
        p->told.outside_bits += c->outside ? 64 : 0;
        p->bits[used] = 1;
        for (int s = 0; s < c->count; s++)
            p->bits[used] *= (double)c->symbols[s].freq / (double)GM__RANS_TOTAL;
        used++;
    }
    p->told.outside_bits += sum_bits(p, used);
    used = 0;
    for (int64_t i = 0; i < count; i++)
        if (p->cells[i].sign)
            p->bits[used++] = (double)p->cells[i].sign / (double)GM__RANS_TOTAL;
    p->told.outside_bits += sum_bits(p, used);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static gm_status pack_column(packer *p, int64_t i, int64_t count, gm__tails *low)
{
    gm__coder *k = &p->k;
    int64_t j = k->order[i];
    GM_TRY(gm__coder_ask(k, i, count));
    begin_cells(p, j, count);
    GM_TRY(tell_outside(p, j, count));
    while (any_open(p, count, 0)) {
        for (int64_t r = 0; r < count; r++)
            if (p->cells[r].open && p->cells[r].span.even)
                finish_even(&p->cells[r]);
        GM_TRY(narrow_cells(p, j, count, low));
    }
    for (int64_t r = 0; r < count; r++) {
        cell *c = &p->cells[r];
        finish_even(c);
        if (!c->outside)
            tell_sign(c, gm__packed_minus(&k->columns[j], c->value));
        for (int s = 0; s < c->count; s++)
            gm__symbols_add(&p->symbols, c->symbols[s].start, c->symbols[s].freq);
        if (c->outside)
            gm__symbols_raw(&p->symbols, (uint64_t)gm__double_place(c->value), 64);
    }
    note_bits(p, count);
    GM_TRY(gm__check_cancel(k->ctx));
    return gm__coder_settle(k, i, count);
}

/* A law needs finite values where columns are not known yet, to be cheap. */
static void fill_unknown(packer *p, int64_t count)
{
    gm__coder *k = &p->k;
    for (int64_t j = 0; j < k->d; j++) {
        const gm__packed *own = &k->columns[j];
        const gm_column *is = &own->is;
        for (int64_t i = 0; i < count; i++) {
            double v = p->truth[i * k->d + j];
            int fine = v == v && !(is->categories && v >= (double)is->categories);
            k->x[i * k->d + j] = fine ? gm__coder_given(own, v) : is->low;
        }
    }
}

static gm_status pack_block(packer *p, int64_t first, int64_t count, gm__tails *low)
{
    GM_TRY(gm__matched_read(&p->k, &p->rows, first, count, p->truth));
    fill_unknown(p, count);
    for (int64_t i = 0; i < p->k.d; i++)
        GM_TRY(pack_column(p, i, count, low));
    gm__rans_encode(&p->encoder, &p->symbols);
    return p->encoder.failed ? gm__no_memory(p->k.ctx) : GM_OK;
}

/* What the columns themselves take; room: of p->bits. */
static void note_columns(packer *p, int64_t room)
{
    int64_t used = 0;
    for (int64_t i = 0; i < p->symbols.count; i++) {
        p->bits[used++] = (double)p->symbols.list[i].freq / (double)GM__RANS_TOTAL;
        if (used < room && i + 1 < p->symbols.count)
            continue;
        p->told.column_bits += sum_bits(p, used);
        used = 0;
    }
}

/* What is coded last is decoded first: the last block goes first, the columns go last. */
static gm_status pack_rows(packer *p)
{
    gm__coder *k = &p->k;
    GM_TRY(survey(p));
    GM_TRY(gm__coder_reserve(k, k->rows));
    int64_t most = k->rows < k->block ? k->rows : k->block;
    p->cells = gm__arena_array(&k->arena, most, sizeof *p->cells);
    p->truth = gm__arena_array(&k->arena, most, (size_t)k->d * sizeof *p->truth);
    p->bits = gm__arena_array(&k->arena, most, sizeof *p->bits);
    gm__tails *low = gm__arena_array(&k->arena, most, sizeof *low);
    if (!p->cells || !p->truth || !p->bits || !low)
        return gm__no_memory(k->ctx);
    for (int64_t end = k->rows; end > 0;) {
        int64_t first = (end - 1) / k->block * k->block;
        GM_TRY(pack_block(p, first, end - first, low));
        end = first;
    }
    gm__columns_add(k, &p->symbols);
    note_columns(p, most);
    gm__rans_encode(&p->encoder, &p->symbols);
    return p->encoder.failed ? gm__no_memory(k->ctx) : GM_OK;
}

/* What was coded, and what became of the rows. */
static gm_status hand_over(packer *p, gm__packing *out)
{
    gm__coder *k = &p->k;
    int64_t size = gm__rans_size(&p->encoder);
    unsigned char *bytes = gm__alloc(&k->ctx->allocator, (size_t)size);
    if (!bytes)
        return gm__no_memory(k->ctx);
    gm__rans_write(&p->encoder, bytes);
    out->symbols = bytes;
    out->symbols_size = size;
    out->told = p->told;
    out->told.rows = k->rows;
    return GM_OK;
}

gm_status gm__pack(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                   const gm_options *opts, int64_t *chosen, gm__packing *out)
{
    packer p = {.symbols = {.allocator = ctx->allocator},
                .encoder = {.allocator = ctx->allocator, .state = GM__RANS_LOW}};
    *out = (gm__packing){.allocator = ctx->allocator};
    gm_status code = gm__coder_open(ctx, model, opts, &p.k);
    if (!code)
        code = gm__matched_open(&p.k, rows, chosen, &p.rows);
    if (!code)
        code = pack_rows(&p);
    if (!code)
        code = hand_over(&p, out);
    gm__matched_clear(&p.rows);
    gm__symbols_clear(&p.symbols);
    gm__rans_clear(&p.encoder);
    gm__coder_clear(&p.k);
    return code;
}

void gm__packing_clear(gm__packing *p)
{
    gm__free(&p->allocator, p->symbols, (size_t)p->symbols_size);
    p->symbols = NULL;
    p->symbols_size = 0;
}
