#include "data/csv.h"
#include "base/size.h"
#include "base/sort.h"

#include <string.h>

/* ---- Categories ------------------------------------------------------------------------------ */

typedef struct category {
    const char *text;
    int64_t length;
    double number;
    int32_t was;  /* its number by first appearance */
    int32_t next; /* in its chain of the table; -1 ends */
} category;

/* The different texts of one column, found by a hash table of chains. */
typedef struct collection {
    category *list;
    int64_t count, room;
    int32_t *slots;
    int64_t slot_count; /* a power of two */
} collection;

/* FNV-1a, folded. */
static uint64_t hash(const char *text, int64_t length)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (int64_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

static void rebuild(collection *c)
{
    for (int64_t i = 0; i < c->slot_count; i++)
        c->slots[i] = -1;
    for (int32_t k = 0; k < c->count; k++) {
        int32_t *slot =
            &c->slots[hash(c->list[k].text, c->list[k].length) & (uint64_t)(c->slot_count - 1)];
        c->list[k].next = *slot;
        *slot = k;
    }
}

static void discard(const gm_allocator *a, collection *c)
{
    gm__free(a, c->list, (size_t)c->room * sizeof *c->list);
    gm__free(a, c->slots, (size_t)c->slot_count * sizeof *c->slots);
    c->list = NULL;
    c->slots = NULL;
}

static gm_status grow(const gm_allocator *a, collection *c)
{
    int64_t room = c->room ? 2 * c->room : 64;
    category *list =
        gm__resize(a, c->list, (size_t)c->room * sizeof *list, (size_t)room * sizeof *list);
    if (!list)
        return GM_E_MEMORY;
    c->list = list;
    c->room = room;
    int32_t *slots = gm__resize(a, c->slots, (size_t)c->slot_count * sizeof *slots,
                                (size_t)room * 2 * sizeof *slots);
    if (!slots)
        return GM_E_MEMORY;
    c->slots = slots;
    c->slot_count = room * 2;
    rebuild(c);
    return GM_OK;
}

/* The number of the cell's category by first appearance. */
static gm_status collect(gm__csv *csv, collection *c, const gm__cell *cell, int32_t *number)
{
    const char *text = cell->text;
    int64_t length = cell->length;
    if (cell->escaped) {
        length = gm__unescape(cell, csv->start.quote, csv->plain);
        text = csv->plain;
    }
    uint64_t h = hash(text, length);
    for (int32_t k = c->room ? c->slots[h & (uint64_t)(c->slot_count - 1)] : -1; k >= 0;
         k = c->list[k].next)
        if (c->list[k].length == length && !memcmp(c->list[k].text, text, (size_t)length)) {
            *number = k;
            return GM_OK;
        }
    if (c->count == GM__MAX_CATEGORIES)
        return GM_E_RANGE;
    if (c->count == c->room && grow(&csv->ctx->allocator, c))
        return GM_E_MEMORY;
    if (cell->escaped) {
        char *copy = gm__arena_array(&csv->arena, length, 1);
        if (!copy)
            return GM_E_MEMORY;
        memcpy(copy, text, (size_t)length);
        text = copy;
    }
    int32_t *slot = &c->slots[h & (uint64_t)(c->slot_count - 1)];
    *number = (int32_t)c->count;
    c->list[c->count++] = (category){text, length, 0, *number, *slot};
    *slot = *number;
    return GM_OK;
}

static int compare_texts(const void *a, const void *b)
{
    const category *x = a, *y = b;
    int order = memcmp(x->text, y->text, (size_t)(x->length < y->length ? x->length : y->length));
    return order ? order : x->length < y->length ? -1 : x->length > y->length;
}

static int compare_numbers(const void *a, const void *b)
{
    const category *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number ? 1 : compare_texts(a, b);
}

static int all_numbers(collection *c)
{
    for (int64_t k = 0; k < c->count; k++)
        if (gm__read_real(c->list[k].text, c->list[k].length, &c->list[k].number) !=
                c->list[k].length ||
            c->list[k].number != c->list[k].number)
            return 0;
    return 1;
}

/* Names in order into the schema; place[k] becomes the final number of the k-th to appear. */
static gm_status name_categories(gm__csv *csv, int64_t column, collection *c, int32_t *place,
                                 void **order)
{
    gm__schema *s = csv->schema;
    for (int64_t k = 0; k < c->count; k++)
        order[k] = &c->list[k];
    gm__sort_pointers(order, c->count, all_numbers(c) ? compare_numbers : compare_texts);
    GM_TRY(gm__schema_set_categories(s, column, c->count));
    for (int64_t k = 0; k < c->count; k++) {
        const category *from = order[k];
        place[from->was] = (int32_t)k;
        GM_TRY(gm__schema_set_text(s, &s->columns[column].category[k], from->text, from->length));
    }
    if (s->columns[column].type == GM_COLUMN_CATEGORY && c->count == 2 &&
        csv->survey[column].guessed)
        s->columns[column].type = GM_COLUMN_BINARY;
    return GM_OK;
}

/* ---- Filling --------------------------------------------------------------------------------- */

/* Where one column's cells go. */
typedef struct sink {
    int32_t dtype;
    void *cells;
    collection *categories; /* NULL: numbers */
} sink;

static int32_t choose_dtype(const gm__csv *csv, int64_t j)
{
    const gm__survey *v = &csv->survey[j];
    if (v->missing && csv->on_missing == GM__MISSING_KEEP)
        return GM_F64;
    if (gm__type_is_category(v->type))
        return GM_I32;
    if (v->type != GM_COLUMN_INTEGER || v->low < -0x1p31 || v->high >= 0x1p31)
        return GM_F64;
    return v->low >= 0 && v->high <= 255 ? GM_U8 : GM_I32;
}

static gm_status prepare(gm__csv *csv, gm_dataset *data, sink *sinks)
{
    for (int64_t j = 0; j < csv->columns; j++) {
        size_t bytes;
        sinks[j].dtype = choose_dtype(csv, j);
        if (gm__mul_size((size_t)csv->rows, gm__dtype_size(sinks[j].dtype), &bytes))
            return GM_E_MEMORY;
        gm__cells *cells = gm__cells_create(&csv->ctx->allocator, bytes);
        if (!cells)
            return GM_E_MEMORY;
        gm__dataset_place(data, j, cells, cells->block, sinks[j].dtype, 1);
        sinks[j].cells = cells->block;
        gm__cells_release(cells);
        if (!gm__type_is_category(csv->survey[j].type))
            continue;
        sinks[j].categories = gm__arena_alloc(&csv->arena, sizeof *sinks[j].categories);
        if (!sinks[j].categories)
            return GM_E_MEMORY;
    }
    return GM_OK;
}

static void store(const sink *to, int64_t row, double x)
{
    if (to->dtype == GM_F64)
        ((double *)to->cells)[row] = x;
    else if (to->dtype == GM_I32)
        ((int32_t *)to->cells)[row] = (int32_t)x;
    else
        ((uint8_t *)to->cells)[row] = (uint8_t)x;
}

static gm_status too_many(const gm__csv *csv, int64_t line, int64_t column)
{
    gm__label label;
    return gm__fail(csv->ctx, GM_E_DATA,
                    "%s:%lld: %s has more than %d different texts, too many for categories (leave "
                    "the column out)",
                    csv->name, (long long)line, gm__column_label(&label, csv->schema, column),
                    GM__MAX_CATEGORIES);
}

/* One cell, as the survey's type says. */
static gm_status fill_cell(gm__csv *csv, const sink *to, int64_t row, const gm__cell *cell)
{
    static const uint64_t nan_bits = 0x7ff8000000000000u;
    gm__number number = {0, 0};
    int32_t appeared;
    int kind = gm__cell_kind(cell, csv->missing, &number);
    if (kind == GM__CELL_MISSING) {
        memcpy(&number.value, &nan_bits, sizeof nan_bits);
    } else if (to->categories) {
        GM_TRY(collect(csv, to->categories, cell, &appeared));
        number.value = appeared;
    }
    if (kind != GM__CELL_MISSING || to->dtype == GM_F64)
        store(to, row, number.value);
    return GM_OK;
}

/* Whether the record that s is at has a missing cell; s goes behind it if so. */
static int skip_missing(const gm__csv *csv, gm__scanner *s)
{
    gm__scanner ahead = *s;
    gm__number number;
    gm__cell cell;
    int last = 0, missing = 0;
    while (!last && !gm__scan_cell(&ahead, &cell, &last))
        missing |= gm__cell_kind(&cell, csv->missing, &number) == GM__CELL_MISSING;
    if (missing)
        *s = ahead;
    return missing;
}

static gm_status fill_rows(gm__csv *csv, const sink *sinks)
{
    gm__scanner s = csv->data;
    int64_t row = 0, seen = 0;
    while (row < csv->rows && gm__scan_record(&s)) {
        int last = 0;
        if (seen++ % 4096 == 0)
            GM_TRY(gm__check_cancel(csv->ctx));
        if (csv->on_missing == GM__MISSING_DROP && skip_missing(csv, &s))
            continue;
        for (int64_t j = 0; !last; j++) {
            gm__cell cell;
            int64_t line = s.line;
            GM_TRY(gm__scan_cell(&s, &cell, &last));
            gm_status code = fill_cell(csv, &sinks[j], row, &cell);
            if (code)
                return code == GM_E_RANGE ? too_many(csv, line, j) : gm__no_memory(csv->ctx);
        }
        row++;
    }
    return GM_OK;
}

/* First appearances to final numbers, in place. */
static void renumber(const sink *s, const int32_t *place, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++)
        if (s->dtype == GM_I32) {
            int32_t *cell = &((int32_t *)s->cells)[i];
            *cell = place[*cell];
        } else {
            double *cell = &((double *)s->cells)[i];
            if (*cell == *cell)
                *cell = place[(int64_t)*cell];
        }
}

static gm_status settle_categories(gm__csv *csv, const sink *s, int64_t j)
{
    collection *c = s->categories;
    gm__label label;
    if (c->count == 0)
        return gm__fail(csv->ctx, GM_E_DATA, "%s: %s has no values", csv->name,
                        gm__column_label(&label, csv->schema, j));
    if (csv->survey[j].type == GM_COLUMN_BINARY && c->count > 2)
        return gm__fail(csv->ctx, GM_E_DATA,
                        "%s: %s has %lld different texts, a binary column has two", csv->name,
                        gm__column_label(&label, csv->schema, j), (long long)c->count);
    int32_t *place = gm__arena_array(&csv->arena, c->count, sizeof *place);
    void **order = gm__arena_array(&csv->arena, c->count, sizeof *order);
    if (!place || !order || name_categories(csv, j, c, place, order))
        return gm__no_memory(csv->ctx);
    renumber(s, place, csv->rows);
    return GM_OK;
}

gm_status gm__csv_fill(gm__csv *csv, gm_dataset *data)
{
    sink *sinks = gm__arena_array(&csv->arena, csv->columns, sizeof *sinks);
    gm_status code = GM_OK;
    if (!sinks || prepare(csv, data, sinks))
        code = gm__no_memory(csv->ctx);
    if (!code)
        code = fill_rows(csv, sinks);
    for (int64_t j = 0; sinks && j < csv->columns; j++)
        if (sinks[j].categories) {
            code = code ? code : settle_categories(csv, &sinks[j], j);
            discard(&csv->ctx->allocator, sinks[j].categories);
        }
    return code ? code : gm__dataset_scan(csv->ctx, data, csv->name, 1);
}
