/* What an archive says of the columns: missing cells, grids, categories that the model has not. */
#include "apply/coder.h"
#include "apply/list.h"
#include "base/text.h"

#include <string.h>

/* Each column's grid is one symbol of an alphabet. */
enum {
    DECIMALS = GM__GRID_DIGITS + 1,
    CODE_PART = 2 * DECIMALS, /* and narrow */
    CODE_TABLE = CODE_PART + 2,
    CODE_FLOAT,
    CODE_DOUBLE,
    CODES
};

typedef struct learned {
    gm__adaptive missing, own, grid, minus, extras;
} learned;

static int is_category(const gm__packed *p)
{
    return p->is.categories > 0;
}

/* ---- To symbols ------------------------------------------------------------------------------ */

static int grid_code(const gm__grid *g)
{
    switch (g->kind) {
    case GM__GRID_DECIMAL:
        return g->digits + (g->narrow ? DECIMALS : 0);
    case GM__GRID_PART:
        return CODE_PART + g->narrow;
    case GM__GRID_TABLE:
        return CODE_TABLE;
    default:
        return g->kind == GM__GRID_FLOAT ? CODE_FLOAT : CODE_DOUBLE;
    }
}

static void add_grid(const gm__packed *p, learned *l, gm__symbols *s)
{
    if (p->listed)
        gm__adaptive_add(&l->own, s, 2, p->own);
    if (p->own)
        return;
    gm__adaptive_add(&l->grid, s, CODES, grid_code(&p->grid));
    if (p->grid.kind == GM__GRID_PART)
        gm__symbols_number(s, (uint64_t)p->grid.part);
    if (p->grid.kind <= GM__GRID_PART)
        gm__adaptive_add(&l->minus, s, 2, p->minus > 0);
    if (p->minus) {
        gm__symbols_number(s, (uint64_t)p->minus - 1);
        gm__symbols_number(s, (uint64_t)(p->zeros - p->minus));
    }
    if (p->grid.kind == GM__GRID_TABLE) {
        gm__symbols_number(s, (uint64_t)p->grid.count - 1);
        gm__list_add(s, p->grid.table, p->grid.count);
    }
    if (p->turn)
        gm__symbols_number(s, p->from < 0 ? 2 * (uint64_t) - (p->from + 1) + 1
                                          : 2 * (uint64_t)p->from);
}

static void add_extras(const gm__packed *p, learned *l, gm__symbols *s)
{
    gm__adaptive_add(&l->extras, s, 2, p->extras > 0);
    if (p->extras)
        gm__symbols_number(s, (uint64_t)p->extras - 1);
    for (int64_t k = 0; k < p->extras; k++) {
        gm__symbols_number(s, strlen(p->extra[k]));
        for (const char *c = p->extra[k]; *c; c++)
            gm__symbols_raw(s, (unsigned char)*c, 8);
    }
}

void gm__columns_add(const gm__coder *k, gm__symbols *s)
{
    learned l = {.missing = {.total = 0}};
    for (int64_t j = 0; j < k->d; j++) {
        const gm__packed *p = &k->columns[j];
        gm__adaptive_add(&l.missing, s, 2, p->missing > 0);
        if (p->missing)
            gm__symbols_number(s, (uint64_t)p->missing - 1);
        if (!gm__packed_counts(p))
            add_grid(p, &l, s);
        if (is_category(p))
            add_extras(p, &l, s);
    }
}

/* ---- From symbols ---------------------------------------------------------------------------- */

static gm_status wrong(const gm__coder *k, const char *name)
{
    return gm__fail(k->ctx, GM_E_FORMAT, "%s: what the archive says of the columns is malformed",
                    name);
}

/* Entries come one by one, so that memory is not taken on the word of a number. */
static gm_status grow_table(gm__coder *k, gm__grid *g)
{
    if (g->count & (g->count - 1))
        return GM_OK;
    int64_t room = g->count ? 2 * g->count : 1;
    double *table = gm__resize(&k->ctx->allocator, g->table, (size_t)g->count * sizeof *table,
                               (size_t)room * sizeof *table);
    if (!table)
        return gm__no_memory(k->ctx);
    g->table = table;
    return GM_OK;
}

/* The block has the size of its entries, as gm__grid_clear thinks. */
static void fit_table(gm__coder *k, gm__grid *g)
{
    int64_t room = 1;
    while (room < g->count)
        room *= 2;
    if (g->count) /* shrinking does not fail */
        g->table = gm__resize(&k->ctx->allocator, g->table, (size_t)room * sizeof *g->table,
                              (size_t)g->count * sizeof *g->table);
}

static gm_status take_table(gm__coder *k, gm__rans_decoder *d, gm__grid *g, const char *name)
{
    int64_t count = (int64_t)(gm__rans_number(d) + 1);
    gm__list_reader list = {.decoder = d};
    double value;
    gm_status code = count < 1 || count > k->rows ? wrong(k, name) : GM_OK;
    for (int64_t i = 0; i < count && !code; i++) {
        code = gm__list_next(&list, &value) ? grow_table(k, g) : wrong(k, name);
        if (!code)
            g->table[g->count++] = value;
        if (!code && i % 65536 == 0)
            code = gm__check_cancel(k->ctx);
    }
    fit_table(k, g);
    return code;
}

/* The list that the model has. */
static gm_status take_list(gm__coder *k, gm__packed *p)
{
    GM_TRY(gm__grid_list(k->ctx, p->list, p->listed, &p->grid));
    gm__packed_range(p);
    return GM_OK;
}

static gm_status take_grid(gm__coder *k, gm__packed *p, gm__rans_decoder *d, learned *l,
                           const char *name)
{
    gm__grid *g = &p->grid;
    if (p->listed && gm__adaptive_take(&l->own, d, 2))
        return take_list(k, p);
    int code = gm__adaptive_take(&l->grid, d, CODES);
    g->kind = code < CODE_PART     ? GM__GRID_DECIMAL
              : code < CODE_TABLE  ? GM__GRID_PART
              : code == CODE_TABLE ? GM__GRID_TABLE
              : code == CODE_FLOAT ? GM__GRID_FLOAT
                                   : GM__GRID_DOUBLE;
    if (g->kind == GM__GRID_DECIMAL) {
        g->narrow = code >= DECIMALS;
        g->digits = code - (g->narrow ? DECIMALS : 0);
    }
    if (g->kind == GM__GRID_PART) {
        uint64_t part = gm__rans_number(d);
        g->narrow = code - CODE_PART;
        g->part = (double)part;
        if (part < 1 || part > (uint64_t)1 << 53)
            return wrong(k, name);
    }
    if (g->kind <= GM__GRID_PART && gm__adaptive_take(&l->minus, d, 2)) {
        uint64_t minus = gm__rans_number(d) + 1, plus = gm__rans_number(d);
        if (minus < 1 || minus > (uint64_t)k->rows || plus > (uint64_t)k->rows)
            return wrong(k, name);
        p->minus = (int64_t)minus;
        p->zeros = (int64_t)(minus + plus);
    }
    if (g->kind == GM__GRID_TABLE)
        GM_TRY(take_table(k, d, g, name));
    gm__packed_range(p);
    if (p->turn) {
        uint64_t from = gm__rans_number(d);
        p->from = from & 1 ? -(int64_t)(from / 2) - 1 : (int64_t)(from / 2);
        if (p->from > (int64_t)1 << 53 || p->from < -((int64_t)1 << 53))
            return wrong(k, name);
    }
    return GM_OK;
}

static gm_status take_name(gm__coder *k, gm__rans_decoder *d, char **text, const char *name)
{
    int64_t length = (int64_t)gm__rans_number(d);
    if (d->wrong || length > 2 * (d->end - d->at) + 64) /* 8 bits each, 4 with luck */
        return wrong(k, name);
    *text = gm__arena_array(&k->arena, length + 1, 1);
    if (!*text)
        return gm__no_memory(k->ctx);
    for (int64_t i = 0; i < length; i++)
        (*text)[i] = (char)gm__rans_raw(d, 8);
    return d->wrong || (int64_t)strlen(*text) != length || !gm__valid_utf8(*text, length)
               ? wrong(k, name)
               : GM_OK;
}

static gm_status take_extras(gm__coder *k, gm__packed *p, gm__rans_decoder *d, learned *l,
                             const char *name)
{
    if (!gm__adaptive_take(&l->extras, d, 2))
        return GM_OK;
    uint64_t count = gm__rans_number(d) + 1;
    if (d->wrong || count > 65536 || count > 8 * (uint64_t)(d->end - d->at) + 64)
        return wrong(k, name);
    p->extra = gm__arena_array(&k->arena, (int64_t)count, sizeof *p->extra);
    if (!p->extra)
        return gm__no_memory(k->ctx);
    for (; p->extras < (int64_t)count; p->extras++)
        GM_TRY(take_name(k, d, &p->extra[p->extras], name));
    return GM_OK;
}

gm_status gm__columns_take(gm__coder *k, gm__rans_decoder *d, const char *name)
{
    learned l = {.missing = {.total = 0}};
    for (int64_t j = 0; j < k->d; j++) {
        gm__packed *p = &k->columns[j];
        if (gm__adaptive_take(&l.missing, d, 2)) {
            uint64_t missing = gm__rans_number(d) + 1;
            if (missing < 1 || missing > (uint64_t)k->rows)
                return wrong(k, name);
            p->missing = (int64_t)missing;
        }
        if (!gm__packed_counts(p))
            GM_TRY(take_grid(k, p, d, &l, name));
        if (is_category(p))
            GM_TRY(take_extras(k, p, d, &l, name));
        if (d->wrong)
            return wrong(k, name);
    }
    return GM_OK;
}
