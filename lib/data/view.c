/* Views: other columns, rows and roles over the same cells. */
#include "data/table.h"
#include "base/random.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* ---- Building -------------------------------------------------------------------------------- */

/* The fields and rows of `from` under another schema (one count of it is taken over, also on
 * failure); column i is columns[i]. */
static gm_status view_of(gm_context *ctx, const gm_dataset *from, gm__schema *schema,
                         const int64_t *columns, gm_dataset **view)
{
    gm_dataset *made = schema ? gm__dataset_create(&ctx->allocator, schema, from->rows) : NULL;
    if (!made) {
        gm__schema_release(schema);
        return gm__no_memory(ctx);
    }
    made->held = from->held;
    for (int64_t i = 0; i < schema->count; i++) {
        const gm__field *f = &from->fields[columns ? columns[i] : i];
        gm__dataset_place(made, i, f->cells, f->at, f->dtype, f->stride);
    }
    made->index = from->index;
    if (made->index)
        __atomic_add_fetch(&made->index->owners, 1, __ATOMIC_RELAXED);
    *view = made;
    return GM_OK;
}

/* A view whose schema is a copy to be changed. */
gm_status gm__dataset_changeable(gm_context *ctx, const gm_dataset *data, int64_t column,
                                 gm_dataset **view)
{
    if (!data)
        return gm__fail(ctx, GM_E_ARG, "no dataset was given");
    if (column < 0 || column >= data->schema->count)
        return gm__fail(ctx, GM_E_RANGE, "column number %lld, there are %lld (counted from 0)",
                        (long long)column, (long long)data->schema->count);
    return view_of(ctx, data,
                   gm__schema_select(&ctx->allocator, data->schema, NULL, data->schema->count),
                   NULL, view);
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* A column twice would be a density on a line. */
static gm_status check_once(gm_context *ctx, const gm_dataset *data, const int64_t *columns,
                            int64_t count)
{
    int64_t d = data->schema->count, twice = -1;
    unsigned char *seen = gm__alloc_array(&ctx->allocator, d, sizeof *seen);
    gm__label label;
    if (!seen)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < count && twice < 0; i++)
        if (seen[columns[i]]++)
            twice = columns[i];
    gm__free(&ctx->allocator, seen, (size_t)d * sizeof *seen);
    return twice < 0 ? GM_OK
                     : gm__fail(ctx, GM_E_ARG, "%s is selected twice",
                                gm__column_label(&label, data->schema, twice));
}

gm_status gm__dataset_select(gm_context *ctx, const gm_dataset *data, const int64_t *columns,
                             int64_t count, gm_dataset **view)
{
    if (!data || !columns)
        return gm__fail(ctx, GM_E_ARG, "dataset and columns must be given");
    if (count < 1 || count > GM__MAX_COLUMNS)
        return gm__fail(ctx, GM_E_RANGE, "%lld columns to select", (long long)count);
    for (int64_t i = 0; i < count; i++)
        if (columns[i] < 0 || columns[i] >= data->schema->count)
            return gm__fail(ctx, GM_E_RANGE, "column number %lld, there are %lld (counted from 0)",
                            (long long)columns[i], (long long)data->schema->count);
    GM_TRY(check_once(ctx, data, columns, count));
    return view_of(ctx, data, gm__schema_select(&ctx->allocator, data->schema, columns, count),
                   columns, view);
}

gm_status gm_dataset_select(gm_context *ctx, const gm_dataset *data, const int64_t *columns,
                            int64_t count, gm_dataset **view)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!view)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "no place for the view was given"));
    *view = NULL;
    return gm__leave(ctx, &entry, gm__dataset_select(ctx, data, columns, count, view));
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static gm__index *make_index(const gm_allocator *a, int64_t count)
{
    size_t bytes;
    if (count < 0 || gm__mul_size((size_t)count, sizeof(int64_t), &bytes) ||
        bytes > PTRDIFF_MAX - sizeof(gm__index))
        return NULL;
    gm__index *index = gm__alloc(a, sizeof *index + bytes);
    if (!index)
        return NULL;
    index->allocator = *a;
    index->owners = 1;
    index->count = count;
    return index;
}

/* A view of the rows that index names, which it takes over also on failure; NULL index: memory was
 * short. */
static gm_status view_rows(gm_context *ctx, const gm_dataset *data, gm__index *index,
                           gm_dataset **view)
{
    if (!index)
        return gm__no_memory(ctx);
    for (int64_t i = 0; data->index && i < index->count; i++)
        index->row[i] = data->index->row[index->row[i]];
    gm_dataset bare = *data; /* the fields alone: the index already leads into them */
    bare.index = index;
    bare.rows = index->count;
    gm_status code = view_of(ctx, &bare, gm__schema_retain(data->schema), NULL, view);
    if (__atomic_sub_fetch(&index->owners, 1, __ATOMIC_ACQ_REL) == 0)
        gm__free(&index->allocator, index,
                 sizeof *index + (size_t)index->count * sizeof *index->row);
    return code;
}

gm_status gm__dataset_take(gm_context *ctx, const gm_dataset *data, const int64_t *rows,
                           int64_t count, gm_dataset **view)
{
    if (!data || !rows)
        return gm__fail(ctx, GM_E_ARG, "dataset and rows must be given");
    if (count < 1)
        return gm__fail(ctx, GM_E_RANGE, "%lld rows to take", (long long)count);
    for (int64_t i = 0; i < count; i++)
        if (rows[i] < 0 || rows[i] >= data->rows)
            return gm__fail(ctx, GM_E_RANGE, "row number %lld, there are %lld (counted from 0)",
                            (long long)rows[i], (long long)data->rows);
    gm__index *index = make_index(&ctx->allocator, count);
    if (index)
        memcpy(index->row, rows, (size_t)count * sizeof *rows);
    return view_rows(ctx, data, index, view);
}

gm_status gm_dataset_take(gm_context *ctx, const gm_dataset *data, const int64_t *rows,
                          int64_t count, gm_dataset **view)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!view)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "no place for the view was given"));
    *view = NULL;
    return gm__leave(ctx, &entry, gm__dataset_take(ctx, data, rows, count, view));
}

/* The k rows that the first k places of a permutation name go to the second part. */
static void deal(gm__index *first, gm__index *second, int64_t n, int64_t k, uint64_t seed)
{
    int64_t a = 0, b = 0;
    for (int64_t i = 0; i < n; i++)
        if (gm__permute(seed, GM__FOR_SPLIT, 0, i, n) < k)
            second->row[b++] = i;
        else
            first->row[a++] = i;
}

gm_status gm__dataset_split(gm_context *ctx, const gm_dataset *data, double fraction, uint64_t seed,
                            gm_dataset **first, gm_dataset **second)
{
    if (!data)
        return gm__fail(ctx, GM_E_ARG, "no dataset was given");
    if (!(fraction > 0) || !(fraction < 1))
        return gm__fail(ctx, GM_E_RANGE, "a fraction of %g, must lie between 0 and 1", fraction);
    int64_t n = data->rows, k = (int64_t)floor(fraction * (double)n + 0.5);
    if (k < 1 || k >= n)
        return gm__fail(ctx, GM_E_RANGE, "a fraction of %g of %lld rows leaves one part empty",
                        fraction, (long long)n);
    gm__index *a = make_index(&ctx->allocator, n - k), *b = make_index(&ctx->allocator, k);
    if (a && b)
        deal(a, b, n, k, seed);
    else {
        if (a)
            gm__free(&ctx->allocator, a, sizeof *a + (size_t)a->count * sizeof *a->row);
        if (b)
            gm__free(&ctx->allocator, b, sizeof *b + (size_t)b->count * sizeof *b->row);
        return gm__no_memory(ctx);
    }
    gm_status code = view_rows(ctx, data, a, first), other = view_rows(ctx, data, b, second);
    if (code || other) {
        gm_dataset_free(*first);
        gm_dataset_free(*second);
        *first = *second = NULL;
    }
    return code ? code : other;
}

gm_status gm_dataset_split(gm_context *ctx, const gm_dataset *data, double fraction, uint64_t seed,
                           gm_dataset **first, gm_dataset **second)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!first || !second || first == second)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG,
                                  first && second ? "one place for the two parts was given"
                                                  : "no place for the two parts was given"));
    *first = *second = NULL;
    return gm__leave(ctx, &entry, gm__dataset_split(ctx, data, fraction, seed, first, second));
}

/* ---- Roles ----------------------------------------------------------------------------------- */

static gm_status with_role(gm_context *ctx, const gm_dataset *data, int64_t column, int32_t role,
                           gm_dataset **view)
{
    if (role < GM_ROLE_FEATURE || role > GM_ROLE_WEIGHT)
        return gm__fail(ctx, GM_E_ARG, "%d is no role", (int)role);
    GM_TRY(gm__dataset_changeable(ctx, data, column, view));
    (*view)->schema->columns[column].role = role;
    return GM_OK;
}

gm_status gm_dataset_with_role(gm_context *ctx, const gm_dataset *data, int64_t column,
                               int32_t role, gm_dataset **view)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!view)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "no place for the view was given"));
    *view = NULL;
    return gm__leave(ctx, &entry, with_role(ctx, data, column, role, view));
}
