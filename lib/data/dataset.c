/* The public face of datasets in memory: making them from arrays and callbacks, asking, reading. */
#include "data/table.h"
#include "base/size.h"

#include <string.h>

/* ---- Questions ------------------------------------------------------------------------------- */

int64_t gm_dataset_row_count(const gm_dataset *data)
{
    return data ? data->rows : 0;
}

int64_t gm_dataset_column_count(const gm_dataset *data)
{
    return data ? data->schema->count : 0;
}

/* Copies what the caller's structure has room for. */
static void fill_column(const gm__column *from, gm_column *to)
{
    gm_column full = {.struct_size = to->struct_size,
                      .type = from->type,
                      .role = from->role,
                      .missing = from->missing,
                      .name = from->name ? from->name : "",
                      .categories = from->categories,
                      .low = from->low,
                      .high = from->high,
                      .resolution = from->resolution,
                      .period = from->period,
                      .missing_count = from->missing_count};
    memcpy(to, &full, to->struct_size < sizeof full ? to->struct_size : sizeof full);
}

static gm_status check_column(gm_context *ctx, const gm_dataset *data, int64_t i)
{
    if (!data)
        return gm__fail(ctx, GM_E_ARG, "no dataset was given");
    if (i < 0 || i >= data->schema->count)
        return gm__fail(ctx, GM_E_RANGE, "column number %lld, there are %lld (counted from 0)",
                        (long long)i, (long long)data->schema->count);
    return GM_OK;
}

static gm_status describe_column(gm_context *ctx, const gm_dataset *data, int64_t i,
                                 gm_column *column)
{
    GM_TRY(check_column(ctx, data, i));
    if (!column || column->struct_size < 4 * sizeof(int32_t))
        return gm__fail(ctx, GM_E_ARG, "column->struct_size must be set");
    fill_column(&data->schema->columns[i], column);
    return GM_OK;
}

gm_status gm_dataset_column(gm_context *ctx, const gm_dataset *data, int64_t i, gm_column *column)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, describe_column(ctx, data, i, column));
}

int64_t gm_dataset_find_column(const gm_dataset *data, const char *name)
{
    int64_t number, length = name ? (int64_t)strlen(name) : 0;
    if (!data || !name)
        return -1;
    int64_t found = gm__schema_find(data->schema, name, length);
    if (found < 0 && length > 0 && gm__read_int(name, length, &number) == length && number >= 1 &&
        number <= data->schema->count)
        found = number - 1;
    return found;
}

const char *gm_dataset_category(const gm_dataset *data, int64_t column, int64_t category)
{
    if (!data || column < 0 || column >= data->schema->count)
        return NULL;
    const gm__column *c = &data->schema->columns[column];
    return category >= 0 && category < c->categories ? c->category[category] : NULL;
}

static gm_status row_shape(gm_context *ctx, const gm_dataset *data, int32_t *ndim, int64_t shape[8])
{
    if (!data || !ndim || !shape)
        return gm__fail(ctx, GM_E_ARG, "dataset, ndim and shape must be given");
    const gm__schema *s = data->schema;
    *ndim = s->row_ndim ? s->row_ndim : 1;
    memset(shape, 0, 8 * sizeof *shape);
    shape[0] = s->count;
    if (s->row_ndim)
        memcpy(shape, s->row_shape, (size_t)s->row_ndim * sizeof *shape);
    return GM_OK;
}

gm_status gm_dataset_row_shape(gm_context *ctx, const gm_dataset *data, int32_t *ndim,
                               int64_t shape[8])
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, row_shape(ctx, data, ndim, shape));
}

/* ---- From arrays ----------------------------------------------------------------------------- */

/* Rows are the first axis; what the other axes hold are the columns. */
static gm_status array_sizes(gm_context *ctx, const gm_array *x, int64_t *rows, int64_t *columns)
{
    if (!x || x->struct_size < sizeof *x)
        return gm__fail(ctx, GM_E_ARG, "no array was given, or its struct_size is not set");
    if (!gm__dtype_size(x->dtype))
        return gm__fail(ctx, GM_E_ARG, "array: unknown dtype %d", (int)x->dtype);
    if (x->ndim < 1 || x->ndim > 8)
        return gm__fail(ctx, GM_E_SHAPE, "array: %d dimensions, must be 1 to 8", (int)x->ndim);
    *rows = x->shape[0];
    *columns = 1;
    for (int i = 0; i < x->ndim; i++)
        if (x->shape[i] < 1 || (i > 0 && gm__mul64(*columns, x->shape[i], columns)))
            return gm__fail(ctx, GM_E_SHAPE, "array: size %lld of dimension %d",
                            (long long)x->shape[i], i + 1);
    if (*columns > GM__MAX_COLUMNS)
        return gm__fail(ctx, GM_E_SHAPE, "array: %lld columns, at most %d", (long long)*columns,
                        GM__MAX_COLUMNS);
    if (!x->data)
        return gm__fail(ctx, GM_E_ARG, "array: data is NULL");
    return GM_OK;
}

/* A dataset with its schema and no cells yet. */
static gm_status start(gm_context *ctx, const gm_array *x, int64_t rows, int64_t columns,
                       gm_dataset **data)
{
    gm__schema *s = gm__schema_create(&ctx->allocator, columns);
    if (!s)
        return gm__no_memory(ctx);
    for (int64_t j = 0; j < columns && gm__dtype_whole(x->dtype); j++)
        s->columns[j].type = GM_COLUMN_INTEGER;
    if (x->ndim > 2) {
        s->row_ndim = x->ndim - 1;
        memcpy(s->row_shape, x->shape + 1, (size_t)s->row_ndim * sizeof *s->row_shape);
    }
    *data = gm__dataset_create(&ctx->allocator, s, rows);
    if (!*data) {
        gm__schema_release(s);
        return gm__no_memory(ctx);
    }
    return GM_OK;
}

/* Elements from the array's data to column j of row 0. */
static int64_t column_offset(const gm_array *x, int64_t j)
{
    int64_t offset = 0;
    for (int i = x->ndim - 1; i > 0; i--) {
        offset += j % x->shape[i] * x->strides[i];
        j /= x->shape[i];
    }
    return offset;
}

static void place_in_array(gm_dataset *data, const gm_array *x, gm__cells *cells)
{
    ptrdiff_t size = (ptrdiff_t)gm__dtype_size(x->dtype);
    for (int64_t j = 0; j < data->schema->count; j++)
        gm__dataset_place(data, j, cells, (const char *)x->data + column_offset(x, j) * size,
                          x->dtype, x->strides[0]);
}

/* Strided elements side by side. */
static void copy_array(char *to, const gm_array *x, int64_t rows, int64_t columns)
{
    ptrdiff_t size = (ptrdiff_t)gm__dtype_size(x->dtype);
    int64_t last = x->ndim > 1 ? x->shape[x->ndim - 1] : 1;
    int packed = last == 1 || x->strides[x->ndim - 1] == 1;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j += last) {
            const char *from =
                (const char *)x->data + (i * x->strides[0] + column_offset(x, j)) * size;
            for (int64_t k = 0; !packed && k < last; k++)
                memcpy(to + k * size, from + k * x->strides[x->ndim - 1] * size, (size_t)size);
            if (packed)
                memcpy(to, from, (size_t)(last * size));
            to += last * size;
        }
}

static gm_status from_array(gm_context *ctx, const gm_array *x, gm_dataset **data)
{
    int64_t rows, columns;
    gm_dataset *made;
    GM_TRY(array_sizes(ctx, x, &rows, &columns));
    GM_TRY(start(ctx, x, rows, columns, &made));
    void *cells = gm__dataset_alloc(made, x->dtype);
    gm_status code = cells ? GM_OK : gm__no_memory(ctx);
    if (!code) {
        copy_array(cells, x, rows, columns);
        code = gm__dataset_scan(ctx, made, NULL, 0);
    }
    if (code) {
        gm_dataset_free(made);
        return code;
    }
    *data = made;
    return GM_OK;
}

gm_status gm_dataset_from_array(gm_context *ctx, const gm_array *array, gm_dataset **data)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!data)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "no place for the dataset was given"));
    *data = NULL;
    return gm__leave(ctx, &entry, from_array(ctx, array, data));
}

static gm_status from_rows(gm_context *ctx, int32_t dtype, const void *x, int64_t n, int64_t d,
                           int64_t row_stride, gm_dataset **data)
{
    gm_array array;
    gm_array_init(&array, dtype, (void *)(uintptr_t)x, n, d);
    if (row_stride)
        array.strides[0] = row_stride;
    return gm_dataset_from_array(ctx, &array, data);
}

gm_status gm_dataset_from_f32(gm_context *ctx, const float *x, int64_t n, int64_t d,
                              int64_t row_stride, gm_dataset **data)
{
    return from_rows(ctx, GM_F32, x, n, d, row_stride, data);
}

gm_status gm_dataset_from_f64(gm_context *ctx, const double *x, int64_t n, int64_t d,
                              int64_t row_stride, gm_dataset **data)
{
    return from_rows(ctx, GM_F64, x, n, d, row_stride, data);
}

/* On every way out but success the caller releases the memory. */
static gm_status borrow(gm_context *ctx, const gm_array *x, gm_dataset **data)
{
    int64_t rows, columns;
    gm_dataset *made;
    GM_TRY(array_sizes(ctx, x, &rows, &columns));
    GM_TRY(start(ctx, x, rows, columns, &made));
    gm__cells *cells = gm__cells_create(&ctx->allocator, 0);
    gm_status code = cells ? GM_OK : gm__no_memory(ctx);
    if (!code) {
        place_in_array(made, x, cells);
        gm__cells_release(cells);
        code = gm__dataset_scan(ctx, made, NULL, 0);
    }
    if (code) {
        gm_dataset_free(made);
        return code;
    }
    *data = made;
    return GM_OK;
}

gm_status gm_dataset_borrow_array(gm_context *ctx, const gm_array *array,
                                  void (*release)(void *user), void *user, gm_dataset **data)
{
    gm__entry entry;
    gm_status code = gm__enter(ctx, &entry);
    if (code) {
        if (data)
            *data = NULL;
        if (release)
            release(user);
        return code;
    }
    gm_dataset *made = NULL;
    code = data ? borrow(ctx, array, &made)
                : gm__fail(ctx, GM_E_ARG, "no place for the dataset was given");
    if (made) {
        made->fields[0].cells->release = release;
        made->fields[0].cells->user = user;
    }
    if (data)
        *data = made;
    code = gm__leave(ctx, &entry, code);
    if (code && release)
        release(user);
    return code;
}

/* ---- From a callback ------------------------------------------------------------------------- */

static gm_status check_source(gm_context *ctx, const gm_source *source)
{
    if (!source || source->struct_size < sizeof *source || !source->read)
        return gm__fail(ctx, GM_E_ARG, "source: struct_size and read must be set");
    if (source->rows < 1 || source->columns < 1 || source->columns > GM__MAX_COLUMNS)
        return gm__fail(ctx, GM_E_SHAPE, "source: %lld rows of %lld columns",
                        (long long)source->rows, (long long)source->columns);
    return GM_OK;
}

static gm_status read_source(gm_context *ctx, const gm_source *source, double *cells)
{
    int64_t step = 65536 / source->columns + 1;
    for (int64_t first = 0; first < source->rows; first += step) {
        int64_t count = source->rows - first < step ? source->rows - first : step;
        GM_TRY(gm__check_cancel(ctx));
        if (source->read(source->user, first, count, cells + first * source->columns) < 0)
            return gm__fail(ctx, GM_E_IO, "source: reading rows %lld to %lld failed",
                            (long long)first + 1, (long long)(first + count));
    }
    return GM_OK;
}

static gm_status from_source(gm_context *ctx, const gm_source *source, gm_dataset **data)
{
    gm_array shape = {.dtype = GM_F64, .ndim = 2};
    gm_dataset *made;
    GM_TRY(check_source(ctx, source));
    GM_TRY(start(ctx, &shape, source->rows, source->columns, &made));
    double *cells = gm__dataset_alloc(made, GM_F64);
    gm_status code = cells ? read_source(ctx, source, cells) : gm__no_memory(ctx);
    if (!code)
        code = gm__dataset_scan(ctx, made, NULL, 0);
    if (code) {
        gm_dataset_free(made);
        return code;
    }
    *data = made;
    return GM_OK;
}

gm_status gm_dataset_from_source(gm_context *ctx, const gm_source *source, gm_dataset **data)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!data)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "no place for the dataset was given"));
    *data = NULL;
    return gm__leave(ctx, &entry, from_source(ctx, source, data));
}

/* ---- From a model ---------------------------------------------------------------------------- */

gm_status gm__dataset_make(gm_context *ctx, const gm__schema *schema, const double *cells,
                           int64_t rows, gm_dataset **data)
{
    gm__schema *shared = gm__schema_retain(schema);
    *data = gm__dataset_create(&ctx->allocator, shared, rows);
    if (!*data) {
        gm__schema_release(shared);
        return gm__no_memory(ctx);
    }
    void *block = gm__dataset_alloc(*data, GM_F64);
    if (!block) {
        gm_dataset_free(*data);
        *data = NULL;
        return rows > 0 ? gm__no_memory(ctx) : gm__fail(ctx, GM_E_RANGE, "no rows");
    }
    memcpy(block, cells, (size_t)rows * (size_t)schema->count * sizeof *cells);
    return GM_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static gm_status read_rows(gm_context *ctx, const gm_dataset *data, int64_t first, int64_t count,
                           double *out, int64_t row_stride)
{
    if (!data || (count > 0 && !out))
        return gm__fail(ctx, GM_E_ARG, "dataset and out must be given");
    if (first < 0 || count < 0 || first > data->rows - count)
        return gm__fail(ctx, GM_E_RANGE, "%lld rows from row %lld, there are %lld (counted from 0)",
                        (long long)count, (long long)first, (long long)data->rows);
    int64_t d = data->schema->count;
    if (row_stride && row_stride < d)
        return gm__fail(ctx, GM_E_SHAPE, "row stride %lld is less than the %lld columns",
                        (long long)row_stride, (long long)d);
    gm__dataset_gather(data, NULL, d, NULL, first, count, out, row_stride ? row_stride : d);
    return GM_OK;
}

gm_status gm_dataset_read_f64(gm_context *ctx, const gm_dataset *data, int64_t first, int64_t count,
                              double *out, int64_t row_stride)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, read_rows(ctx, data, first, count, out, row_stride));
}
