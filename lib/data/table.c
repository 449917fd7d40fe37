#include "data/table.h"
#include "base/size.h"

#include <string.h>

/* ---- Cells and life -------------------------------------------------------------------------- */

int gm__dtype_whole(int32_t dtype)
{
    return dtype == GM_U8 || dtype == GM_I32 || dtype == GM_I64;
}

gm__cells *gm__cells_create(const gm_allocator *a, size_t size)
{
    gm__cells *cells = gm__alloc(a, sizeof *cells);
    if (!cells)
        return NULL;
    cells->allocator = *a;
    cells->owners = 1;
    cells->size = size;
    cells->block = gm__alloc(a, size);
    if (size && !cells->block) {
        gm__free(a, cells, sizeof *cells);
        return NULL;
    }
    return cells;
}

void gm__cells_release(gm__cells *cells)
{
    if (!cells || __atomic_sub_fetch(&cells->owners, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    gm_allocator a = cells->allocator;
    gm__free(&a, cells->block, cells->size);
    if (cells->release)
        cells->release(cells->user);
    gm__free(&a, cells, sizeof *cells);
}

static void release_index(gm__index *index)
{
    if (!index || __atomic_sub_fetch(&index->owners, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    gm_allocator a = index->allocator;
    gm__free(&a, index, sizeof *index + (size_t)index->count * sizeof *index->row);
}

gm_dataset *gm__dataset_create(const gm_allocator *a, gm__schema *schema, int64_t rows)
{
    gm_dataset *data = gm__alloc(a, sizeof *data);
    if (!data)
        return NULL;
    data->allocator = *a;
    data->owners = 1;
    data->rows = data->held = rows;
    data->fields = gm__alloc_array(a, schema->count, sizeof *data->fields);
    if (schema->count && !data->fields) {
        gm__free(a, data, sizeof *data);
        return NULL;
    }
    data->schema = schema;
    return data;
}

gm_dataset *gm__dataset_retain(const gm_dataset *data)
{
    gm_dataset *shared = (gm_dataset *)(uintptr_t)data;
    if (shared)
        __atomic_add_fetch(&shared->owners, 1, __ATOMIC_RELAXED);
    return shared;
}

void gm_dataset_free(gm_dataset *data)
{
    if (!data || __atomic_sub_fetch(&data->owners, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    gm_allocator a = data->allocator;
    for (int64_t i = 0; i < data->schema->count; i++)
        gm__cells_release(data->fields[i].cells);
    gm__free(&a, data->fields, (size_t)data->schema->count * sizeof *data->fields);
    gm__schema_release(data->schema);
    release_index(data->index);
    gm__free(&a, data, sizeof *data);
}

void gm__dataset_place(gm_dataset *data, int64_t i, gm__cells *cells, const void *at, int32_t dtype,
                       int64_t stride)
{
    __atomic_add_fetch(&cells->owners, 1, __ATOMIC_RELAXED);
    gm__cells_release(data->fields[i].cells);
    data->fields[i] = (gm__field){cells, at, dtype, stride};
}

void *gm__dataset_alloc(gm_dataset *data, int32_t dtype)
{
    int64_t d = data->schema->count, count;
    size_t bytes, size = gm__dtype_size(dtype);
    if (gm__mul64(data->rows, d, &count) || gm__mul_size((size_t)count, size, &bytes))
        return NULL;
    gm__cells *cells = gm__cells_create(&data->allocator, bytes);
    if (!cells)
        return NULL;
    for (int64_t i = 0; i < d; i++)
        gm__dataset_place(data, i, cells, (char *)cells->block + (size_t)i * size, dtype, d);
    void *block = cells->block;
    gm__cells_release(cells);
    return block;
}

const gm__schema *gm__dataset_schema(const gm_dataset *data)
{
    return data->schema;
}

/* ---- Reading rows ---------------------------------------------------------------------------- */

/* Columns that lie side by side in memory in one dtype: read row by row as one piece. */
typedef struct run {
    const char *at;
    int32_t dtype;
    int64_t stride, width;
} run;

static run run_at(const gm_dataset *data, const int64_t *from, int64_t columns, int64_t j)
{
    const gm__field *f = &data->fields[from ? from[j] : j];
    run r = {f->at, f->dtype, f->stride, 1};
    size_t size = gm__dtype_size(f->dtype);
    for (int64_t k = j + 1; k < columns; k++, r.width++) {
        const gm__field *next = &data->fields[from ? from[k] : k];
        if (next->at != f->at + (size_t)r.width * size || next->dtype != f->dtype ||
            next->stride != f->stride || next->cells != f->cells)
            break;
    }
    return r;
}

#define READ_AS(type)                                                                              \
    for (int64_t i = 0; i < count; i++) {                                                          \
        const type *x = (const type *)r->at + row[i] * r->stride;                                  \
        double *y = out + i * stride;                                                              \
        for (int64_t k = 0; k < r->width; k++)                                                     \
            y[k] = (double)x[k];                                                                   \
    }

static void read_run(const run *r, const int64_t *row, int64_t count, double *out, int64_t stride)
{
    switch (r->dtype) {
    case GM_F32:
        READ_AS(float) break;
    case GM_F64:
        READ_AS(double) break;
    case GM_U8:
        READ_AS(uint8_t) break;
    case GM_I32:
        READ_AS(int32_t) break;
    default:
        READ_AS(int64_t) break;
    }
}

void gm__dataset_gather(const gm_dataset *data, const int64_t *from, int64_t columns,
                        const int64_t *index, int64_t first, int64_t count, double *out,
                        int64_t stride)
{
    enum { BLOCK = 128 }; /* rows that stay in cache while their runs are read */
    int64_t row[BLOCK];
    for (int64_t done = 0; done < count; done += BLOCK) {
        int64_t n = count - done < BLOCK ? count - done : BLOCK;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = index ? index[done + i] : first + done + i;
            row[i] = data->index ? data->index->row[at] : at;
        }
        for (int64_t j = 0; j < columns;) {
            run r = run_at(data, from, columns, j);
            read_run(&r, row, n, out + done * stride + j, stride);
            j += r.width;
        }
    }
}

void gm__dataset_rows(const gm_dataset *data, const int64_t *index, int64_t first, int64_t count,
                      double *out)
{
    int64_t d = data->schema->count;
    gm__dataset_gather(data, NULL, d, index, first, count, out, d);
}
