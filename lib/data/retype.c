/* Columns as another type: numbers become categories and categories numbers in cells of their own.
 */
#include "data/table.h"
#include "base/size.h"
#include "base/sort.h"

#include <math.h>
#include <string.h>

/* New cells for one column of a view, one for each row that its fields hold. */
static double *own_cells(gm_context *ctx, gm_dataset *view, int64_t column)
{
    size_t bytes;
    if (gm__mul_size((size_t)view->held, sizeof(double), &bytes))
        return NULL;
    gm__cells *cells = gm__cells_create(&ctx->allocator, bytes);
    if (!cells)
        return NULL;
    gm__dataset_place(view, column, cells, cells->block, GM_F64, 1);
    double *block = cells->block;
    gm__cells_release(cells);
    return block;
}

static double read_cell(const gm_dataset *data, int64_t column, int64_t i)
{
    double x;
    gm__dataset_gather(data, &column, 1, NULL, i, 1, &x, 1);
    return x;
}

static int64_t held_row(const gm_dataset *data, int64_t i)
{
    return data->index ? data->index->row[i] : i;
}

/* The different values of a column, ascending, into sorted (rows); at most GM__MAX_CATEGORIES are
 * counted, and one more. */
static int64_t different_values(const gm_dataset *data, int64_t column, double *sorted)
{
    int64_t n = 0, count = 0;
    for (int64_t i = 0; i < data->rows; i++) {
        double x = read_cell(data, column, i);
        if (x == x)
            sorted[n++] = x + 0; /* one zero */
    }
    gm__sort_reals(sorted, n);
    for (int64_t i = 0; i < n && count <= GM__MAX_CATEGORIES; i++)
        if (count == 0 || sorted[i] != sorted[count - 1])
            sorted[count++] = sorted[i];
    return count;
}

static gm_status name_values(gm_dataset *view, int64_t column, const double *values, int64_t count,
                             int f32)
{
    gm__schema *s = view->schema;
    char text[32];
    GM_TRY(gm__schema_set_categories(s, column, count));
    for (int64_t k = 0; k < count; k++) {
        int length = gm__write_real(text, values[k], f32);
        GM_TRY(gm__schema_set_text(s, &s->columns[column].category[k], text, length));
    }
    return GM_OK;
}

static gm_status too_many(gm_context *ctx, const gm_dataset *data, int64_t column, int64_t count,
                          int32_t type)
{
    gm__label label;
    gm__column_label(&label, data->schema, column);
    if (count == 0)
        return gm__fail(ctx, GM_E_DATA, "%s has no values", label.text);
    if (type == GM_COLUMN_BINARY)
        return gm__fail(ctx, GM_E_DATA, "%s has more than the two values of a binary column",
                        label.text);
    return gm__fail(ctx, GM_E_DATA, "%s has more than %d different values, too many for categories",
                    label.text, GM__MAX_CATEGORIES);
}

static gm_status numbers_to_categories(gm_context *ctx, const gm_dataset *data, int64_t column,
                                       int32_t type, gm_dataset *view)
{
    double *sorted = gm__alloc_array(&ctx->allocator, data->rows, sizeof *sorted);
    double *cells = own_cells(ctx, view, column);
    gm_status code = GM_OK;
    int64_t count = 0;
    if (!sorted || !cells)
        code = gm__no_memory(ctx);
    if (!code) {
        count = different_values(data, column, sorted);
        if (count == 0 || count > (type == GM_COLUMN_BINARY ? 2 : GM__MAX_CATEGORIES))
            code = too_many(ctx, data, column, count, type);
    }
    if (!code && name_values(view, column, sorted, count, data->fields[column].dtype == GM_F32))
        code = gm__no_memory(ctx);
    for (int64_t i = 0; i < data->rows && !code; i++) {
        double x = read_cell(data, column, i);
        cells[held_row(data, i)] = x == x ? (double)gm__find_real(sorted, count, x) : x;
    }
    gm__free(&ctx->allocator, sorted, (size_t)data->rows * sizeof *sorted);
    return code;
}

/* Whole numbers where INTEGER asks for them. */
static gm_status check_whole(gm_context *ctx, const gm_dataset *data, int64_t column)
{
    gm__label label;
    for (int64_t i = 0; i < data->rows; i++) {
        double x = read_cell(data, column, i);
        if (x == x && (x != floor(x) || fabs(x) >= 0x1p53))
            return gm__fail(ctx, GM_E_DATA, "row %lld: %s is %g, a whole number was expected",
                            (long long)i + 1, gm__column_label(&label, data->schema, column), x);
    }
    return GM_OK;
}

static gm_status categories_to_numbers(gm_context *ctx, const gm_dataset *data, int64_t column,
                                       gm_dataset *view)
{
    const gm__column *c = &data->schema->columns[column];
    gm__label label;
    double *numbers = gm__alloc_array(&ctx->allocator, c->categories, sizeof *numbers);
    double *cells = own_cells(ctx, view, column);
    gm_status code = numbers && cells ? GM_OK : gm__no_memory(ctx);
    for (int64_t k = 0; k < c->categories && !code; k++) {
        int64_t length = (int64_t)strlen(c->category[k]);
        if (gm__read_real(c->category[k], length, &numbers[k]) != length ||
            numbers[k] - numbers[k] != 0)
            code = gm__fail(ctx, GM_E_DATA, "%s has the category '%.*s', a number was expected",
                            gm__column_label(&label, data->schema, column), 64, c->category[k]);
    }
    for (int64_t i = 0; i < data->rows && !code; i++) {
        double x = read_cell(data, column, i);
        cells[held_row(data, i)] = x == x ? numbers[(int64_t)x] : x;
    }
    gm__free(&ctx->allocator, numbers, (size_t)c->categories * sizeof *numbers);
    if (!code && gm__schema_set_categories(view->schema, column, 0))
        code = gm__no_memory(ctx);
    return code;
}

/* low, high and resolution anew. */
static gm_status rescan(gm_context *ctx, gm_dataset *view, int64_t column)
{
    gm_dataset *one;
    GM_TRY(gm__dataset_select(ctx, view, &column, 1, &one));
    gm_status code = gm__dataset_scan(ctx, one, NULL, 1);
    gm__column *to = &view->schema->columns[column];
    const gm__column *from = &one->schema->columns[0];
    if (!code) {
        to->low = from->low;
        to->high = from->high;
        to->resolution = from->resolution;
    }
    gm_dataset_free(one);
    return code;
}

static gm_status change_type(gm_context *ctx, const gm_dataset *data, int64_t column, int32_t type,
                             double period, gm_dataset *view)
{
    gm__column *c = &view->schema->columns[column];
    int from = gm__type_is_category(c->type), to = gm__type_is_category(type);
    c->type = type;
    c->period = type == GM_COLUMN_CIRCULAR ? period : 0;
    if (!from && to)
        GM_TRY(numbers_to_categories(ctx, data, column, type, view));
    if (from && !to)
        GM_TRY(categories_to_numbers(ctx, data, column, view));
    if (from && to && type == GM_COLUMN_BINARY && c->categories > 2)
        return too_many(ctx, data, column, c->categories, type);
    if (type == GM_COLUMN_INTEGER)
        GM_TRY(check_whole(ctx, view, column));
    return rescan(ctx, view, column);
}

static gm_status with_type(gm_context *ctx, const gm_dataset *data, int64_t column, int32_t type,
                           double period, gm_dataset **view)
{
    gm_dataset *made;
    if (!gm__type_name(type))
        return gm__fail(ctx, GM_E_ARG, "%d is no type of column", (int)type);
    if (type == GM_COLUMN_CIRCULAR && (!(period > 0) || period - period != 0))
        return gm__fail(ctx, GM_E_RANGE, "a period of %g, a circular column needs one above 0",
                        period);
    GM_TRY(gm__dataset_changeable(ctx, data, column, &made));
    gm_status code = change_type(ctx, data, column, type, period, made);
    if (code) {
        gm_dataset_free(made);
        return code;
    }
    *view = made;
    return GM_OK;
}

gm_status gm_dataset_with_type(gm_context *ctx, const gm_dataset *data, int64_t column,
                               int32_t type, double period, gm_dataset **view)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!view)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "no place for the view was given"));
    *view = NULL;
    return gm__leave(ctx, &entry, with_type(ctx, data, column, type, period, view));
}
