#include "data/table.h"
#include "base/size.h"
#include "base/sort.h"

#include <string.h>

/* How a wanted column is read: numbers as they are, a category through a table, a number as the
 * category that it names. */
typedef struct answer {
    int64_t column; /* of the data */
    double *table;  /* (known): what category k of the data is for the model; NULL without */
    int64_t known;
    double *number; /* (numbers), sorted, and the category of each; NULL without */
    double *category;
    int64_t numbers;
} answer;

struct gm__match {
    int missing; /* cells may be missing */
    gm_allocator allocator;
    int64_t count;
    answer *answers;
    int64_t *columns; /* (count): answers[i].column */
};

void gm__match_free(gm__match *m)
{
    if (!m)
        return;
    gm_allocator a = m->allocator;
    for (int64_t i = 0; m->answers && i < m->count; i++) {
        answer *w = &m->answers[i];
        gm__free(&a, w->table, (size_t)w->known * sizeof *w->table);
        gm__free(&a, w->number, (size_t)w->numbers * sizeof *w->number);
        gm__free(&a, w->category, (size_t)w->numbers * sizeof *w->category);
    }
    gm__free(&a, m->answers, (size_t)m->count * sizeof *m->answers);
    gm__free(&a, m->columns, (size_t)m->count * sizeof *m->columns);
    gm__free(&a, m, sizeof *m);
}

int64_t gm__match_columns(const gm__match *m)
{
    return m->count;
}

/* ---- Categories by name ---------------------------------------------------------------------- */

static int name_is_number(const char *name, double *value)
{
    int64_t length = (int64_t)strlen(name);
    return length > 0 && gm__read_real(name, length, value) == length && *value - *value == 0;
}

/* A name and its category. */
typedef struct entry {
    const char *name;
    double number;
    int64_t category;
} entry;

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = ((const entry *)a)->number, y = ((const entry *)b)->number;
    return x < y ? -1 : x > y;
}

/* Entries of a column's categories, and pointers to them to be sorted. */
typedef struct directory {
    entry *entries;
    void **order;
    int64_t count;
} directory;

static void close_directory(const gm_allocator *a, const gm__column *c, directory *d)
{
    gm__free(a, d->entries, (size_t)c->categories * sizeof *d->entries);
    gm__free(a, d->order, (size_t)c->categories * sizeof *d->order);
}

static gm_status open_directory(const gm_allocator *a, const gm__column *c, int numbers_only,
                                directory *d)
{
    d->count = 0;
    d->entries = gm__alloc_array(a, c->categories, sizeof *d->entries);
    d->order = gm__alloc_array(a, c->categories, sizeof *d->order);
    if (!d->entries || !d->order) {
        close_directory(a, c, d);
        return GM_E_MEMORY;
    }
    for (int64_t k = 0; k < c->categories; k++) {
        entry *e = &d->entries[d->count];
        *e = (entry){.name = c->category[k], .category = k};
        if (numbers_only && !name_is_number(e->name, &e->number))
            continue;
        d->order[d->count++] = e;
    }
    gm__sort_pointers(d->order, d->count, numbers_only ? compare_numbers : compare_entries);
    return GM_OK;
}

static int64_t find_name(const directory *d, const char *name)
{
    int64_t low = 0, high = d->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (strcmp(((const entry *)d->order[middle])->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const entry *found = low < d->count ? d->order[low] : NULL;
    return found && !strcmp(found->name, name) ? found->category : -1;
}

static gm_status categories_to_categories(const gm_allocator *a, const gm__column *want,
                                          const gm__column *has, answer *w)
{
    directory d;
    w->table = gm__alloc_array(a, has->categories, sizeof *w->table);
    if (!w->table)
        return GM_E_MEMORY;
    w->known = has->categories;
    GM_TRY(open_directory(a, want, 0, &d));
    for (int64_t k = 0; k < has->categories; k++)
        w->table[k] = (double)find_name(&d, has->category[k]);
    close_directory(a, want, &d);
    return GM_OK;
}

static gm_status numbers_to_categories(const gm_allocator *a, const gm__column *want, answer *w)
{
    directory d;
    w->number = gm__alloc_array(a, want->categories, sizeof *w->number);
    w->category = gm__alloc_array(a, want->categories, sizeof *w->category);
    w->numbers = want->categories;
    if (!w->number || !w->category)
        return GM_E_MEMORY;
    GM_TRY(open_directory(a, want, 1, &d));
    int64_t count = d.count;
    for (int64_t k = 0; k < w->numbers; k++) { /* the tail repeats the last: never found first */
        const entry *e = count ? d.order[k < count ? k : count - 1] : NULL;
        w->number[k] = e ? e->number : 0;
        w->category[k] = e ? (double)e->category : GM__UNSEEN;
    }
    close_directory(a, want, &d);
    return GM_OK;
}

static gm_status categories_to_numbers(const gm_allocator *a, const gm__column *has, answer *w)
{
    w->table = gm__alloc_array(a, has->categories, sizeof *w->table);
    if (!w->table)
        return GM_E_MEMORY;
    w->known = has->categories;
    for (int64_t k = 0; k < has->categories; k++)
        if (!name_is_number(has->category[k], &w->table[k]))
            return GM_E_DATA;
    return GM_OK;
}

static int any_number(const gm__column *c)
{
    double value;
    for (int64_t k = 0; k < c->categories; k++)
        if (name_is_number(c->category[k], &value))
            return 1;
    return 0;
}

static int same_categories(const gm__column *a, const gm__column *b)
{
    if (a->categories != b->categories)
        return 0;
    for (int64_t k = 0; k < a->categories; k++)
        if (strcmp(a->category[k], b->category[k]) != 0)
            return 0;
    return 1;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* The first row of a column that is missing, or (text) a category that is no number; its cell goes
 * to *cell. -1: none. */
static int64_t first_row(const gm_dataset *data, int64_t column, int text, double *cell)
{
    enum { PIECE = 128 };
    const gm__column *c = &data->schema->columns[column];
    double x[PIECE], value;
    for (int64_t first = 0; first < data->rows; first += PIECE) {
        int64_t count = data->rows - first < PIECE ? data->rows - first : PIECE;
        gm__dataset_gather(data, &column, 1, NULL, first, count, x, 1);
        for (int64_t i = 0; i < count; i++) {
            int missing = x[i] != x[i];
            if (text ? !missing && !name_is_number(c->category[(int64_t)x[i]], &value) : missing) {
                *cell = x[i];
                return first + i;
            }
        }
    }
    return -1;
}

static gm_status refuse_missing(gm_context *ctx, const gm_dataset *data, int64_t column)
{
    const gm__column *c = &data->schema->columns[column];
    gm__label label;
    double cell;
    int64_t row = first_row(data, column, 0, &cell);
    gm__column_label(&label, data->schema, column);
    if (row < 0) /* a view of the rows that have it */
        return gm__fail(ctx, GM_E_DATA, "%s may have missing values, the model takes none there",
                        label.text);
    return gm__fail(ctx, GM_E_DATA,
                    "row %lld, %s is missing (%lld are in all), the model takes no missing values "
                    "there",
                    (long long)row + 1, label.text, (long long)c->missing_count);
}

static gm_status refuse_text(gm_context *ctx, const gm_dataset *data, int64_t column)
{
    const gm__column *c = &data->schema->columns[column];
    gm__label label;
    double cell = 0;
    int64_t row = first_row(data, column, 1, &cell);
    gm__column_label(&label, data->schema, column);
    if (row < 0) /* no row of this view: one of the data that it is of */
        return gm__fail(ctx, GM_E_DATA, "%s holds categories such as '%.*s', numbers were expected",
                        label.text, 64, c->category[0]);
    return gm__fail(ctx, GM_E_DATA, "row %lld, %s is '%.*s', a number was expected",
                    (long long)row + 1, label.text, 64, c->category[(int64_t)cell]);
}

static gm_status connect(gm_context *ctx, gm__match *m, const gm__schema *wanted, int64_t want,
                         const gm_dataset *data, answer *w)
{
    const gm__column *to = &wanted->columns[want], *from = &data->schema->columns[w->column];
    int into = gm__type_is_category(to->type), out_of = gm__type_is_category(from->type);
    gm__label label;
    gm_status code = GM_OK;
    gm__column_label(&label, data->schema, w->column);
    if (from->missing_count && !to->missing && !m->missing)
        return refuse_missing(ctx, data, w->column);
    if (into && out_of && !same_categories(to, from))
        code = categories_to_categories(&m->allocator, to, from, w);
    else if (into && !out_of && !any_number(to))
        return gm__fail(ctx, GM_E_DATA, "%s holds numbers, categories such as '%.*s' were expected",
                        label.text, 64, to->category[0]);
    else if (into && !out_of)
        code = numbers_to_categories(&m->allocator, to, w);
    else if (!into && out_of)
        code = categories_to_numbers(&m->allocator, from, w);
    if (code == GM_E_DATA)
        return refuse_text(ctx, data, w->column);
    return code ? gm__no_memory(ctx) : GM_OK;
}

/* "the data has no column 'x' ...; it has a, b": as many names as an error text has room for. */
static gm_status refuse_names(gm_context *ctx, const gm__schema *has, const char *name)
{
    char list[200] = "";
    int64_t at = 0, room = (int64_t)sizeof list;
    for (int64_t i = 0; i < has->count && at < room; i++) {
        const char *own = has->columns[i].name ? has->columns[i].name : "";
        if (at + (int64_t)strlen(own) > room - 8) {
            gm__format(list + at, room - at, "%s...", i ? ", " : "");
            break;
        }
        at += gm__format(list + at, room - at, "%s%s", i ? ", " : "", own);
    }
    return gm__fail(ctx, GM_E_UNKNOWN,
                    "the data has no column '%.*s', which the model was trained on; it has: %s", 96,
                    name, list);
}

/* The column of the data that answers column i of the model, the k-th of those wanted. */
static gm_status find_column(gm_context *ctx, const gm__schema *wanted, int64_t i, int64_t k,
                             int64_t count, const gm_dataset *data, int64_t *found)
{
    const gm__schema *has = data->schema;
    if (gm__schema_named(wanted) && gm__schema_named(has)) {
        const char *name = wanted->columns[i].name ? wanted->columns[i].name : "";
        *found = gm__schema_find(has, name, (int64_t)strlen(name));
        return *found < 0 ? refuse_names(ctx, has, name) : GM_OK;
    }
    if (has->count != count && has->count != wanted->count)
        return gm__fail(ctx, GM_E_SHAPE, "the data has %lld columns, the model expects %lld",
                        (long long)has->count, (long long)count);
    *found = has->count == count ? k : i;
    return GM_OK;
}

static gm_status fill(gm_context *ctx, gm__match *m, const gm__schema *wanted, int roles,
                      const gm_dataset *data)
{
    int64_t k = 0;
    m->answers = gm__alloc_array(&m->allocator, m->count, sizeof *m->answers);
    m->columns = gm__alloc_array(&m->allocator, m->count, sizeof *m->columns);
    if (m->count && (!m->answers || !m->columns))
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < wanted->count; i++) {
        if (!(roles & 1 << wanted->columns[i].role))
            continue;
        answer *w = &m->answers[k];
        GM_TRY(find_column(ctx, wanted, i, k, m->count, data, &w->column));
        m->columns[k++] = w->column;
        GM_TRY(connect(ctx, m, wanted, i, data, w));
    }
    return GM_OK;
}

gm_status gm__match_create(gm_context *ctx, const gm__schema *wanted, int roles,
                           const gm_dataset *data, gm__match **m)
{
    *m = NULL;
    gm__match *made = gm__alloc(&ctx->allocator, sizeof *made);
    if (!made)
        return gm__no_memory(ctx);
    made->allocator = ctx->allocator;
    made->missing = (roles & GM__MATCH_MISSING) != 0;
    for (int64_t i = 0; i < wanted->count; i++)
        made->count += (roles >> wanted->columns[i].role) & 1;
    gm_status code = fill(ctx, made, wanted, roles, data);
    if (code) {
        gm__match_free(made);
        return code;
    }
    *m = made;
    return GM_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static double translate(const answer *w, double x)
{
    if (x != x)
        return x;
    if (w->table) /* a view's categories are those of the dataset that the match was made for */
        return x >= 0 && x < (double)w->known ? w->table[(int64_t)x] : GM__UNSEEN;
    int64_t at = gm__find_real(w->number, w->numbers, x);
    return at < 0 ? GM__UNSEEN : w->category[at];
}

void gm__match_rows(const gm__match *m, const gm_dataset *data, const int64_t *index, int64_t first,
                    int64_t count, double *out)
{
    gm__dataset_gather(data, m->columns, m->count, index, first, count, out, m->count);
    for (int64_t j = 0; j < m->count; j++) {
        const answer *w = &m->answers[j];
        for (int64_t i = 0; (w->table || w->number) && i < count; i++)
            out[i * m->count + j] = translate(w, out[i * m->count + j]);
    }
}
