/* Rows into and out of a call: arrays of any type and strides, and datasets. */
#include "model/condition.h"

#include <math.h>
#include <string.h>

/* A caller's elements need not be aligned: each is copied as bytes. */
#define GET_AS(type)                                                                               \
    {                                                                                              \
        type x;                                                                                    \
        memcpy(&x, (const char *)a->data + offset * (int64_t)sizeof x, sizeof x);                  \
        return (double)x;                                                                          \
    }

static double get(const gm_array *a, int64_t offset)
{
    switch (a->dtype) {
    case GM_F32:
        GET_AS(float)
    case GM_F64:
        GET_AS(double)
    case GM_U8:
        GET_AS(uint8_t)
    case GM_I32:
        GET_AS(int32_t)
    default:
        GET_AS(int64_t)
    }
}

static void put(gm_array *a, int64_t offset, double x)
{
    float narrow = (float)x;
    if (a->dtype == GM_F64)
        memcpy((char *)a->data + offset * (int64_t)sizeof x, &x, sizeof x);
    else
        memcpy((char *)a->data + offset * (int64_t)sizeof narrow, &narrow, sizeof narrow);
}

gm_status gm__rows_of_array(gm_context *ctx, const char *call, const gm_array *a,
                            const gm__schema *schema, int64_t columns, gm__rows *rows)
{
    if (!a || a->struct_size < sizeof *a)
        return gm__fail(ctx, GM_E_ARG,
                        "%s: an array is NULL or its struct_size is not sizeof(gm_array)", call);
    if (a->dtype < GM_F32 || a->dtype > GM_I64)
        return gm__fail(ctx, GM_E_ARG, "%s: there is no dtype %d", call, (int)a->dtype);
    if (a->ndim == 2 && a->shape[0] < 0)
        return gm__fail(ctx, GM_E_SHAPE, "%s: the number of rows n is %lld, it is negative", call,
                        (long long)a->shape[0]);
    if (a->ndim != 2)
        return gm__fail(ctx, GM_E_SHAPE,
                        "%s: an array has %d dimensions, rows (n, %lld) were expected", call,
                        (int)a->ndim, (long long)columns);
    if (a->shape[1] != columns)
        return gm__fail(ctx, GM_E_SHAPE, "%s: %s %lld columns, the model%s %lld", call,
                        schema ? "rows have" : "codes have", (long long)a->shape[1],
                        schema ? " has" : "'s codes have", (long long)columns);
    if (!a->data && a->shape[0] > 0 && columns > 0)
        return gm__fail(ctx, GM_E_ARG, "%s: an array's data is NULL", call);
    *rows = (gm__rows){
        .call = call, .schema = schema, .array = a, .count = a->shape[0], .columns = columns};
    return GM_OK;
}

static gm_status rows_of_data(gm_context *ctx, const char *call, const gm_model *model,
                              const gm_dataset *data, int missing, gm__rows *rows)
{
    if (!data)
        return gm__fail(ctx, GM_E_ARG, "%s: rows is NULL", call);
    *rows = (gm__rows){.call = call,
                       .schema = model->structure->schema,
                       .data = data,
                       .count = gm_dataset_row_count(data),
                       .columns = model->structure->columns};
    GM_TRY(gm__in_order(ctx, data, &rows->ordered));
    gm_status code = gm__match_create(ctx, rows->schema, 1 << GM_ROLE_FEATURE | missing,
                                      rows->ordered, &rows->match);
    return code && code != GM_E_MEMORY ? gm__prefix(ctx, "%s: ", call) : code;
}

gm_status gm__rows_of_data(gm_context *ctx, const char *call, const gm_model *model,
                           const gm_dataset *data, gm__rows *rows)
{
    return rows_of_data(ctx, call, model, data, 0, rows);
}

gm_status gm__gaps_of_data(gm_context *ctx, const char *call, const gm_model *model,
                           const gm_dataset *data, gm__rows *rows)
{
    return rows_of_data(ctx, call, model, data, GM__MATCH_MISSING, rows);
}

void gm__rows_clear(gm__rows *rows)
{
    gm__match_free(rows->match);
    gm_dataset_free(rows->ordered);
    rows->match = NULL;
    rows->ordered = NULL;
}

gm_status gm__rows_open(gm_context *ctx, const char *call, const gm_model *model,
                        const gm__source *source, const gm_array *cond, gm__given *given,
                        gm__rows *rows)
{
    const gm__structure *s = model->structure;
    *rows = (gm__rows){0};
    *given = (gm__given){0};
    GM_TRY(source->has_data
               ? gm__rows_of_data(ctx, call, model, source->data, rows)
               : gm__rows_of_array(ctx, call, source->array, s->schema, s->columns, rows));
    GM_TRY(gm__given_open(ctx, call, model, cond, source->data, rows->count, given));
    rows->given = given;
    return GM_OK;
}

void gm__rows_close(gm__rows *rows, gm__given *given)
{
    gm__given_close(given);
    gm__rows_clear(rows);
}

void gm__array_get(const gm_array *a, int64_t first, int64_t count, double *out)
{
    int64_t d = a->shape[1];
    for (int64_t i = 0; i < count; i++) {
        int64_t row = (first + i) * a->strides[0];
        if (a->dtype == GM_F64 && a->strides[1] == 1) {
            memcpy(out + i * d, (const char *)a->data + row * (int64_t)sizeof *out,
                   (size_t)d * sizeof *out);
            continue;
        }
        for (int64_t j = 0; j < d; j++)
            out[i * d + j] = get(a, row + j * a->strides[1]);
    }
}

static gm_status refuse(gm_context *ctx, const gm__rows *rows, int64_t row, int64_t column,
                        double cell)
{
    gm__label label;
    if (rows->schema)
        gm__column_label(&label, rows->schema, column);
    else
        gm__format(label.text, sizeof label.text, "column %lld of the code", (long long)column + 1);
    return gm__fail(ctx, GM_E_DATA, "%s: row %lld, %s is %g; a finite number was expected",
                    rows->call, (long long)row + 1, label.text, cell);
}

void gm__rows_read_any(const gm__rows *rows, int64_t first, int64_t count, double *out)
{
    if (rows->array)
        gm__array_get(rows->array, first, count, out);
    else
        gm__match_rows(rows->match, rows->ordered, NULL, first, count, out);
}

gm_status gm__rows_read(gm_context *ctx, const gm__rows *rows, int64_t first, int64_t count,
                        double *out)
{
    int64_t d = rows->columns;
    gm__rows_read_any(rows, first, count, out);
    for (int64_t i = 0; i < count * d; i++)
        if (!isfinite(out[i]))
            return refuse(ctx, rows, first + i / d, i % d, out[i]);
    return GM_OK;
}

gm_status gm__rows_outside(gm_context *ctx, const gm__rows *rows, const gm__transform *t,
                           int64_t row, const double *x)
{
    int64_t j = gm__transform_outside(t, x);
    const gm__column *c = &rows->schema->columns[j < 0 ? 0 : j];
    double value = x[j < 0 ? 0 : j];
    char what[96];
    gm__label label;
    if (gm__type_is_category(c->type))
        gm__format(what, sizeof what, "a category never seen");
    else
        gm__format(what, sizeof what, "%g, %s", value,
                   c->type == GM_COLUMN_INTEGER && value != floor(value) ? "no whole number"
                                                                         : "a number out of range");
    return gm__fail(ctx, GM_E_DATA,
                    "%s: row %lld, %s is %s: the model cannot know it; leave the row out (log_prob "
                    "scores it minus infinity)",
                    rows->call, (long long)row + 1,
                    gm__column_label(&label, rows->schema, j < 0 ? 0 : j), what);
}

void gm__array_put(gm_array *a, int64_t first, int64_t n, int64_t d, const double *from)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            put(a, (first + i) * a->strides[0] + j * a->strides[1], from[i * d + j]);
}
