#include "apply/matched.h"
#include "base/sort.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- Columns --------------------------------------------------------------------------------- */

static int has_names(const gm_column *c)
{
    return c->name[0] != 0;
}

static gm_status column_of(gm__coder *k, const gm_dataset *rows, int64_t j, gm_column *c)
{
    *c = (gm_column){.struct_size = sizeof *c};
    return gm_dataset_column(k->ctx, rows, j, c);
}

/* The features among the columns, by number; *named if the first has a name. */
static gm_status list_features(gm__coder *k, const gm_dataset *rows, int64_t *list, int64_t *count,
                               int *named)
{
    gm_column c;
    *count = 0;
    for (int64_t j = 0; j < gm_dataset_column_count(rows); j++) {
        GM_TRY(column_of(k, rows, j, &c));
        *named = j == 0 ? has_names(&c) : *named && has_names(&c);
        if (c.role == GM_ROLE_FEATURE)
            list[(*count)++] = j;
    }
    return GM_OK;
}

static int is_listed(const int64_t *list, int64_t count, int64_t j)
{
    for (int64_t i = 0; i < count; i++)
        if (list[i] == j)
            return 1;
    return 0;
}

/* A feature that the model has not would be lost. */
static gm_status too_many(gm__coder *k, const gm_dataset *rows, const int64_t *features,
                          int64_t count, const int64_t *chosen)
{
    gm_column c;
    for (int64_t i = 0; i < count; i++) {
        if (chosen && is_listed(chosen, k->d, features[i]))
            continue;
        GM_TRY(column_of(k, rows, features[i], &c));
        if (chosen)
            return gm__fail(k->ctx, GM_E_SHAPE,
                            "compress: the model has no column '%.64s', which would be lost: leave "
                            "it out",
                            c.name);
    }
    return gm__fail(k->ctx, GM_E_SHAPE, "compress: rows have %lld columns, the model has %lld",
                    (long long)count, (long long)k->d);
}

/* Which column of rows is the j-th of the model's; by name where both have names. */
static gm_status choose(gm__coder *k, const gm_dataset *rows, int64_t *features, int more,
                        int64_t *chosen)
{
    int64_t count;
    int named = 0;
    GM_TRY(list_features(k, rows, features, &count, &named));
    for (int64_t j = 0; j < k->d && named && has_names(&k->columns[j].is); j++) {
        chosen[j] = gm_dataset_find_column(rows, k->columns[j].is.name);
        if (chosen[j] < 0)
            return gm__fail(k->ctx, GM_E_UNKNOWN,
                            "compress: rows have no column '%.64s', which the model has",
                            k->columns[j].is.name);
    }
    int by_name = named && has_names(&k->columns[k->d - 1].is);
    if (count != k->d && !(more && by_name))
        return too_many(k, rows, features, count, by_name && count > k->d ? chosen : NULL);
    if (!by_name)
        memcpy(chosen, features, (size_t)k->d * sizeof *chosen);
    return GM_OK;
}

/* Cells of column j of the view, as it is, in all rows; to be freed. */
static gm_status read_column(gm__coder *k, const gm__matched *m, int64_t j, double **cells)
{
    gm_dataset *one;
    *cells = gm__alloc_array(&k->ctx->allocator, k->rows, sizeof **cells);
    if (!*cells)
        return gm__no_memory(k->ctx);
    gm_status code = gm_dataset_select(k->ctx, m->view, &j, 1, &one);
    if (code)
        return code;
    code = gm_dataset_read_f64(k->ctx, one, 0, k->rows, *cells, 0);
    gm_dataset_free(one);
    return code;
}

static int is_number(const char *text)
{
    int64_t length = (int64_t)strlen(text);
    double value;
    return gm__read_real(text, length, &value) == length && value - value == 0;
}

/* Column j of the view is no such column as the model's: where. *missing 1: it has no cells, and is
 * as good as any. */
static gm_status tell_kind(gm__coder *k, const gm__matched *m, int64_t j, int *missing)
{
    gm_column c;
    double *cells = NULL;
    gm_status code = column_of(k, m->view, j, &c);
    if (!code)
        code = read_column(k, m, j, &cells);
    *missing = 1;
    for (int64_t i = 0; i < k->rows && !code; i++) {
        const char *name =
            cells[i] == cells[i] ? gm_dataset_category(m->view, j, (int64_t)cells[i]) : NULL;
        *missing &= cells[i] != cells[i];
        if (name && !is_number(name))
            code = gm__fail(k->ctx, GM_E_DATA,
                            "compress: row %lld: column %lld%s%.64s is '%.64s', a number was "
                            "expected, as the model has",
                            (long long)i + 1, (long long)j + 1,
                            has_names(&k->columns[j].is) ? ", " : "", k->columns[j].is.name, name);
    }
    gm__free(&k->ctx->allocator, cells, cells ? (size_t)k->rows * sizeof *cells : 0);
    return code;
}

/* Reads column j of the view as the model does: numbers, or categories. */
static gm_status settle_kind(gm__coder *k, gm__matched *m, int64_t j)
{
    gm_column c;
    gm_dataset *view = NULL;
    const gm_column *is = &k->columns[j].is;
    GM_TRY(column_of(k, m->view, j, &c));
    if ((c.categories > 0) == (is->categories > 0))
        return GM_OK;
    int32_t type = is->categories ? GM_COLUMN_CATEGORY : GM_COLUMN_REAL;
    gm_status code = gm_dataset_with_type(k->ctx, m->view, j, type, 0, &view);
    if (code == GM_E_DATA) {
        int missing;
        GM_TRY(tell_kind(k, m, j, &missing));
        if (missing)
            return GM_OK;
        code = gm_dataset_with_type(k->ctx, m->view, j, type, 0, &view); /* its own words */
    }
    if (code)
        return code == GM_E_DATA ? gm__prefix(k->ctx, "compress: ") : code;
    gm_dataset_free(m->view);
    m->view = view;
    return GM_OK;
}

/* ---- Categories ------------------------------------------------------------------------------ */

typedef struct named {
    const char *name;
    int64_t number;
} named;

static int compare(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static int64_t find(void *const *sorted, int64_t count, const char *name)
{
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = strcmp(((const named *)sorted[middle])->name, name);
        if (order == 0)
            return ((const named *)sorted[middle])->number;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* A category of rows that the model has not: a copy of its name, as the rows may go first. */
static gm_status add_extra(gm__coder *k, gm__packed *p, const char *name, int64_t room,
                           int64_t *number)
{
    if (!p->extra)
        p->extra = gm__arena_array(&k->arena, room, sizeof *p->extra);
    char *copy = p->extra ? gm__arena_text(&k->arena, name) : NULL;
    if (!copy)
        return gm__no_memory(k->ctx);
    *number = p->is.categories + p->extras;
    p->extra[p->extras++] = copy;
    return GM_OK;
}

static gm_status match_categories(gm__coder *k, gm__matched *m, int64_t j)
{
    gm__packed *p = &k->columns[j];
    gm_column c;
    GM_TRY(column_of(k, m->view, j, &c));
    if (c.categories == 0) /* it has no cells */
        return GM_OK;
    named *own = gm__arena_array(&k->arena, p->is.categories, sizeof *own);
    void **sorted = gm__arena_array(&k->arena, p->is.categories, sizeof *sorted);
    m->category[j] = gm__arena_array(&k->arena, c.categories, sizeof *m->category[j]);
    if (!own || !sorted || !m->category[j])
        return gm__no_memory(k->ctx);
    for (int64_t i = 0; i < p->is.categories; i++) {
        own[i] = (named){gm_model_category(k->model, j, i), i};
        sorted[i] = &own[i];
    }
    gm__sort_pointers(sorted, p->is.categories, compare);
    for (int64_t i = 0; i < c.categories; i++) {
        const char *name = gm_dataset_category(m->view, j, i);
        int64_t *number = &m->category[j][i];
        *number = find(sorted, p->is.categories, name);
        if (*number < 0)
            GM_TRY(add_extra(k, p, name, c.categories, number));
    }
    return GM_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

gm_status gm__matched_open(gm__coder *k, const gm_dataset *rows, int64_t *taken, gm__matched *m)
{
    *m = (gm__matched){0};
    if (!rows)
        return gm__fail(k->ctx, GM_E_ARG, "compress: no rows were given");
    int64_t *features = gm__arena_array(&k->arena, gm_dataset_column_count(rows), sizeof *features);
    int64_t *chosen = gm__arena_array(&k->arena, k->d, sizeof *chosen);
    m->category = gm__arena_array(&k->arena, k->d, sizeof *m->category);
    if (!features || !chosen || !m->category)
        return gm__no_memory(k->ctx);
    GM_TRY(choose(k, rows, features, taken != NULL, chosen));
    if (taken)
        memcpy(taken, chosen, (size_t)k->d * sizeof *taken);
    GM_TRY(gm_dataset_select(k->ctx, rows, chosen, k->d, &m->view));
    k->rows = gm_dataset_row_count(rows);
    for (int64_t j = 0; j < k->d; j++) {
        GM_TRY(settle_kind(k, m, j));
        if (k->columns[j].is.categories)
            GM_TRY(match_categories(k, m, j));
    }
    return GM_OK;
}

void gm__matched_clear(gm__matched *m)
{
    gm_dataset_free(m->view);
    *m = (gm__matched){0};
}

gm_status gm__matched_read(gm__coder *k, const gm__matched *m, int64_t first, int64_t count,
                           double *out)
{
    GM_TRY(gm_dataset_read_f64(k->ctx, m->view, first, count, out, 0));
    for (int64_t j = 0; j < k->d; j++)
        for (int64_t i = 0; m->category[j] && i < count; i++) {
            double *cell = &out[i * k->d + j];
            if (*cell == *cell)
                *cell = (double)m->category[j][(int64_t)*cell];
        }
    return GM_OK;
}

gm_status gm__matched_column(gm__coder *k, const gm__matched *m, int64_t column, double *out,
                             int64_t *n)
{
    gm_dataset *one = NULL;
    int64_t rows = k->rows, kept = 0;
    GM_TRY(gm_dataset_select(k->ctx, m->view, &column, 1, &one));
    gm_status code = gm_dataset_read_f64(k->ctx, one, 0, rows, out, 0);
    gm_dataset_free(one);
    for (int64_t i = 0; i < rows && !code; i++) {
        out[kept] = out[i];
        kept += out[i] == out[i];
    }
    *n = kept;
    return code;
}
