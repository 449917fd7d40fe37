/* How a dataset holds its cells. Only files of this layer include it.
 *
 * A dataset is a schema, a place where each column's cells lie, and which rows of them count, in
 * which order. Cells are shared: a view holds places in the cells of the dataset that it was taken
 * from. */
#ifndef GM__TABLE_H
#define GM__TABLE_H
#include "base/array.h"
#include "base/io.h"
#include "data/data.h"

/* A block of cells with its owners; release is the caller's for borrowed memory. */
typedef struct gm__cells {
    gm_allocator allocator;
    int32_t owners; /* atomic */
    void *block;    /* ours, of size bytes; or NULL */
    size_t size;
    void (*release)(void *user);
    void *user;
} gm__cells;

/* Row numbers of a view, shared by views of it. */
typedef struct gm__index {
    gm_allocator allocator;
    int32_t owners; /* atomic */
    int64_t count;
    int64_t row[];
} gm__index;

/* Where a column lies: cell of row r is the r-th element of dtype, stride elements apart. */
typedef struct gm__field {
    gm__cells *cells;
    const char *at;
    int32_t dtype;
    int64_t stride;
} gm__field;

struct gm_dataset {
    gm_allocator allocator;
    int32_t owners; /* atomic */
    int64_t rows;
    int64_t held; /* rows that the fields hold: what an index points into */
    gm__schema *schema;
    gm__field *fields; /* schema->count */
    gm__index *index;  /* NULL: rows 0, 1 ... */
};

int gm__dtype_whole(int32_t dtype); /* U8, I32, I64 */

/* Makers. Each returns NULL when memory is short. create takes over one count of schema on success;
 * fields are empty. */
gm__cells *gm__cells_create(const gm_allocator *a, size_t size);
void gm__cells_release(gm__cells *cells);
gm_dataset *gm__dataset_create(const gm_allocator *a, gm__schema *schema, int64_t rows);
/* Places column i of the dataset in the cells (one more owner). */
void gm__dataset_place(gm_dataset *data, int64_t i, gm__cells *cells, const void *at, int32_t dtype,
                       int64_t stride);
/* All columns in new cells of this dtype, row after row; NULL when memory is short. */
void *gm__dataset_alloc(gm_dataset *data, int32_t dtype);

/* Columns from[0..columns) (NULL: 0, 1 ...) of rows as gm__dataset_rows, rows `stride` doubles
 * apart. */
void gm__dataset_gather(const gm_dataset *data, const int64_t *from, int64_t columns,
                        const int64_t *index, int64_t first, int64_t count, double *out,
                        int64_t stride);

/* A view with a schema of its own, to be changed. */
gm_status gm__dataset_changeable(gm_context *ctx, const gm_dataset *data, int64_t column,
                                 gm_dataset **view);

/* Reads everything once: fills low, high, resolution and missing counts of the columns, and refuses
 * cells that are not finite (missing ones too, unless missing_allowed). name stands in front of
 * texts; NULL for none. */
gm_status gm__dataset_scan(gm_context *ctx, gm_dataset *data, const char *name,
                           int missing_allowed);
/* The step that n values (sorted, no NaN) are multiples of; 0 where none is found. exact32: they
 * were floats. */
double gm__find_step(const double *sorted, int64_t n, int exact32);

/* The formats. Text and bytes are in memory; name is for error texts. */
typedef struct gm__csv gm__csv;
gm_status gm__csv_load(gm_context *ctx, const char *text, int64_t size, const char *name, int tabs,
                       const gm_options *opts, gm_dataset **data);
gm_status gm__npy_load(gm_context *ctx, const char *bytes, int64_t size, const char *name,
                       gm_dataset **data);
gm_status gm__idx_load(gm_context *ctx, const char *bytes, int64_t size, const char *name,
                       gm_dataset **data);
gm_status gm__csv_save(gm_context *ctx, const gm_dataset *data, const gm_writer *writer,
                       char delimiter);
gm_status gm__npy_save(gm_context *ctx, const gm_dataset *data, const gm_writer *writer);
gm_status gm__idx_save(gm_context *ctx, const gm_dataset *data, const gm_writer *writer);
/* A whole array as a file holds it: kind 'f' (size 2, 4, 8), 'i', 'u' (1, 2, 4, 8) or 'b' (1). */
typedef struct gm__raw {
    const char *name; /* of the file, for error texts */
    const unsigned char *bytes;
    int64_t size; /* bytes there are */
    char kind;
    int width;   /* bytes of an element */
    int big;     /* most significant byte first */
    int fortran; /* the first axis runs fastest */
    int32_t ndim;
    int64_t shape[8];
} gm__raw;
gm_status gm__raw_load(gm_context *ctx, const gm__raw *raw, gm_dataset **data);
/* The kind and width in which all columns of a dataset can be written without loss. */
void gm__raw_choose(const gm_dataset *data, char *kind, int *width);
/* All rows as such elements. */
gm_status gm__raw_save(gm_context *ctx, const gm_dataset *data, char kind, int width, int big,
                       const gm_writer *writer);
/* If the bytes are gzipped, *bytes and *size become what they unpack to (the old block is freed,
 * the new one has size + 1 bytes and ends with a zero). */
gm_status gm__gunzip(gm_context *ctx, const char *name, char **bytes, int64_t *size);
#endif
