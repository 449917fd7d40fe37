/* Datasets from columns that a caller describes. */
#include "data/table.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

static gm_status check_cells(gm_context *ctx, const gm__schema *s, const double *cells, int64_t n)
{
    gm__label label;
    for (int64_t i = 0; i < n * s->count; i++) {
        const gm__column *c = &s->columns[i % s->count];
        double v = cells[i];
        if (v != v)
            continue;
        if (c->category && !(v >= 0 && v < (double)c->categories && v == floor(v)))
            return gm__fail(ctx, GM_E_DATA, "row %lld: %s is %g, it has categories 0 to %lld",
                            (long long)(i / s->count) + 1,
                            gm__column_label(&label, s, i % s->count), v,
                            (long long)c->categories - 1);
        if (c->type == GM_COLUMN_INTEGER && v != floor(v))
            return gm__fail(ctx, GM_E_DATA, "row %lld: %s is %g, a whole number was expected",
                            (long long)(i / s->count) + 1,
                            gm__column_label(&label, s, i % s->count), v);
    }
    return GM_OK;
}

static gm_status take_column(gm_context *ctx, gm__schema *s, int64_t j, const gm_column *from,
                             const char *const *names)
{
    gm__column *c = &s->columns[j];
    int category = gm__type_is_category(from->type);
    if (!gm__type_name(from->type) || (from->type == GM_COLUMN_CIRCULAR && !(from->period > 0)))
        return gm__fail(ctx, GM_E_ARG, "column %lld: type %d and period %g are of no column",
                        (long long)j + 1, (int)from->type, from->period);
    if (category && (!names || from->categories < 1 || from->categories > GM__MAX_CATEGORIES))
        return gm__fail(ctx, GM_E_ARG, "column %lld: names of 1 to %d categories were expected",
                        (long long)j + 1, GM__MAX_CATEGORIES);
    c->type = from->type;
    c->role = from->role ? from->role : GM_ROLE_FEATURE;
    c->missing = from->missing != 0;
    c->period = from->type == GM_COLUMN_CIRCULAR ? from->period : 0;
    if (from->name && *from->name &&
        gm__schema_set_text(s, &c->name, from->name, (int64_t)strlen(from->name)))
        return gm__no_memory(ctx);
    if (category && gm__schema_set_categories(s, j, from->categories))
        return gm__no_memory(ctx);
    for (int64_t k = 0; category && k < from->categories; k++)
        if (gm__schema_set_text(s, &c->category[k], names[k], (int64_t)strlen(names[k])))
            return gm__no_memory(ctx);
    return GM_OK;
}

static gm_status take_shape(gm_context *ctx, gm__schema *s, int32_t ndim, const int64_t *shape)
{
    int64_t product = 1;
    if (ndim < 2)
        return GM_OK;
    for (int32_t i = 0; i < ndim; i++)
        if (ndim > 8 || shape[i] < 1 || gm__mul64(product, shape[i], &product))
            product = -1;
    if (product != s->count)
        return gm__fail(ctx, GM_E_SHAPE, "a row's shape and its %lld columns do not fit together",
                        (long long)s->count);
    s->row_ndim = ndim;
    memcpy(s->row_shape, shape, (size_t)ndim * sizeof *shape);
    return GM_OK;
}

static gm_status make(gm_context *ctx, gm__schema *s, const gm_column *columns,
                      const char *const *const *names, const double *cells, int64_t n,
                      gm_dataset **data)
{
    for (int64_t j = 0; j < s->count; j++)
        GM_TRY(take_column(ctx, s, j, &columns[j], names ? names[j] : NULL));
    GM_TRY(check_cells(ctx, s, cells, n));
    GM_TRY(gm__dataset_make(ctx, s, cells, n, data));
    gm_status code = gm__dataset_scan(ctx, *data, NULL, 1);
    if (code) {
        gm_dataset_free(*data);
        *data = NULL;
    }
    return code;
}

static gm_status from_columns(gm_context *ctx, const gm_column *columns,
                              const char *const *const *names, int64_t d, const double *cells,
                              int64_t n, int32_t ndim, const int64_t *shape, gm_dataset **data)
{
    if (!columns || !cells || (ndim > 1 && !shape))
        return gm__fail(ctx, GM_E_ARG, "columns, cells and the shape of a row must be given");
    if (d < 1 || d > GM__MAX_COLUMNS || n < 1)
        return gm__fail(ctx, GM_E_SHAPE, "%lld rows of %lld columns", (long long)n, (long long)d);
    for (int64_t j = 0; j < d; j++)
        if (columns[j].struct_size != sizeof *columns)
            return gm__fail(ctx, GM_E_ARG, "column %lld: struct_size must be sizeof(gm_column)",
                            (long long)j + 1);
    gm__schema *s = gm__schema_create(&ctx->allocator, d);
    if (!s)
        return gm__no_memory(ctx);
    gm_status code = take_shape(ctx, s, ndim, shape);
    if (!code)
        code = make(ctx, s, columns, names, cells, n, data);
    gm__schema_release(s);
    return code;
}

gm_status gm_dataset_from_columns(gm_context *ctx, const gm_column *columns,
                                  const char *const *const *names, int64_t d, const double *cells,
                                  int64_t n, int32_t ndim, const int64_t *shape, gm_dataset **data)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!data)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "no place for the dataset was given"));
    *data = NULL;
    return gm__leave(ctx, &entry,
                     from_columns(ctx, columns, names, d, cells, n, ndim, shape, data));
}
