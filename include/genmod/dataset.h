/* genmod/dataset.h: rows of data from memory, callbacks and files, and what each column is. */
#ifndef GENMOD_DATASET_H
#define GENMOD_DATASET_H

#include "genmod/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table of rows. Immutable once made, counted; any number of threads may read one. */
typedef struct gm_dataset gm_dataset;

/* ---- Columns --------------------------------------------------------------------------------- */

/* What a column is. Real columns measure (densities); the others count (probabilities). */
enum {
    GM_COLUMN_REAL = 1,
    GM_COLUMN_INTEGER = 2, /* whole numbers */
    GM_COLUMN_BINARY = 3,  /* two categories */
    GM_COLUMN_CATEGORY =
        4, /* named values without order; a cell is the number of its category, from 0 */
    GM_COLUMN_ORDERED = 5, /* named values in order */
    GM_COLUMN_CIRCULAR = 6 /* an angle; period says in what unit */
};
/* What a column is for. */
enum { GM_ROLE_FEATURE = 1, GM_ROLE_LABEL = 2, GM_ROLE_CONDITION = 3, GM_ROLE_IGNORED = 4 };

/* One column, as gm_dataset_column fills it. Texts belong to the dataset (or model) asked and live
 * as long. */
typedef struct gm_column {
    uint32_t struct_size;
    int32_t type;
    int32_t role;
    int32_t missing;    /* 1: cells may be missing (NaN when read) */
    const char *name;   /* "" where the data has no names */
    int64_t categories; /* of BINARY, CATEGORY and ORDERED; else 0 */
    double low, high;   /* least and greatest value present */
    double resolution;  /* the step that all values present are multiples of, where one was found;
                           else 0 */
    double period;      /* of CIRCULAR; else 0 */
    int64_t missing_count;
} gm_column;

GM_API int64_t gm_dataset_row_count(const gm_dataset *data); /* 0 for NULL */
GM_API int64_t gm_dataset_column_count(const gm_dataset *data);
/* The i-th column into *column, with column->struct_size set before. GM_E_RANGE past the end. */
GM_API gm_status gm_dataset_column(gm_context *ctx, const gm_dataset *data, int64_t i,
                                   gm_column *column);
/* The number of the column of that name, -1 if there is none. A text of digits that no column is
 * named is a number counted from 1. */
GM_API int64_t gm_dataset_find_column(const gm_dataset *data, const char *name);
/* The name of a category; NULL out of range. */
GM_API const char *gm_dataset_category(const gm_dataset *data, int64_t column, int64_t category);
/* The shape of a row where it has one beyond a list of columns (28, 28 for images of an IDX file):
 * ndim into *ndim and up to 8 sizes into shape. */
GM_API gm_status gm_dataset_row_shape(gm_context *ctx, const gm_dataset *data, int32_t *ndim,
                                      int64_t shape[8]);

/* ---- Making ---------------------------------------------------------------------------------- */

/* From memory: a matrix (n, d) of any dtype; every column REAL, or INTEGER for integer dtypes,
 * unless changed by gm_dataset_with_type. Copies. NaN and infinities are refused with their row and
 * column. */
GM_API gm_status gm_dataset_from_array(gm_context *ctx, const gm_array *array, gm_dataset **data);
/* As above, borrowing: the memory is read in place, must not change, and release(user) is called
 * exactly once, when the last owner frees the dataset; also when this call fails. */
GM_API gm_status gm_dataset_borrow_array(gm_context *ctx, const gm_array *array,
                                         void (*release)(void *user), void *user,
                                         gm_dataset **data);
GM_API gm_status gm_dataset_from_f32(gm_context *ctx, const float *x, int64_t n, int64_t d,
                                     int64_t row_stride, gm_dataset **data);
GM_API gm_status gm_dataset_from_f64(gm_context *ctx, const double *x, int64_t n, int64_t d,
                                     int64_t row_stride, gm_dataset **data);
/* From a callback that fills rows [first, first + count) of d doubles each, and returns 0, or
 * negative on failure. It is called on the calling thread, in order, until all rows were read; the
 * dataset holds a copy. */
typedef struct gm_source {
    uint32_t struct_size;
    void *user;
    int64_t rows, columns;
    int32_t (*read)(void *user, int64_t first, int64_t count, double *out);
} gm_source;
GM_API gm_status gm_dataset_from_source(gm_context *ctx, const gm_source *source,
                                        gm_dataset **data);
/* From a file, by its ending: .csv, .tsv, .npy, .idx or ...-ubyte (also with .gz where zlib was
 * built in). Options: the table "csv": header, delimiter, quote, missing, types. opts may be NULL.
 */
GM_API gm_status gm_dataset_from_file(gm_context *ctx, const char *path, const gm_options *opts,
                                      gm_dataset **data);
/* CSV as RFC 4180 with what is met in the wild: BOM, CR LF, tabs, quotes, a header found by itself,
 * missing values ("", NA, NaN, ?, null ...), types and categories found by themselves. */
GM_API gm_status gm_dataset_from_csv(gm_context *ctx, const char *path, const gm_options *opts,
                                     gm_dataset **data);
GM_API gm_status gm_dataset_from_npy(gm_context *ctx, const char *path, gm_dataset **data);
GM_API gm_status gm_dataset_from_idx(gm_context *ctx, const char *path, gm_dataset **data);
/* From a reader hook; format is "csv", "tsv", "npy" or "idx"; name stands for the path in error
 * texts. */
GM_API gm_status gm_dataset_from_reader(gm_context *ctx, const gm_reader *reader,
                                        const char *format, const char *name,
                                        const gm_options *opts, gm_dataset **data);
GM_API void gm_dataset_free(gm_dataset *data);

/* ---- Changing what a dataset says: each makes a new view of the same cells
 * ----------------------- */

/* Columns by number, in that order. */
GM_API gm_status gm_dataset_select(gm_context *ctx, const gm_dataset *data, const int64_t *columns,
                                   int64_t count, gm_dataset **view);
/* Rows by number, repeats allowed. */
GM_API gm_status gm_dataset_take(gm_context *ctx, const gm_dataset *data, const int64_t *rows,
                                 int64_t count, gm_dataset **view);
/* Two parts: round(fraction * n) rows drawn by the seed go to *second, the rest to *first, each in
 * the old order. */
GM_API gm_status gm_dataset_split(gm_context *ctx, const gm_dataset *data, double fraction,
                                  uint64_t seed, gm_dataset **first, gm_dataset **second);
/* Column i as another type. To BINARY, CATEGORY or ORDERED: each different value becomes a
 * category, numbers in their order. GM_E_DATA where cells do not fit the type (the text names the
 * first). period is for CIRCULAR. */
GM_API gm_status gm_dataset_with_type(gm_context *ctx, const gm_dataset *data, int64_t column,
                                      int32_t type, double period, gm_dataset **view);
GM_API gm_status gm_dataset_with_role(gm_context *ctx, const gm_dataset *data, int64_t column,
                                      int32_t role, gm_dataset **view);

/* ---- Reading and writing
 * -------------------------------------------------------------------------- */

/* Rows [first, first + count) as doubles (count, columns), row_stride doubles apart (0: packed);
 * categories as their numbers, missing cells as NaN. */
GM_API gm_status gm_dataset_read_f64(gm_context *ctx, const gm_dataset *data, int64_t first,
                                     int64_t count, double *out, int64_t row_stride);
/* Writes by the file's ending (.csv, .tsv, .npy, .idx) or, to a writer, in the format named.
 * Categories as their names. Files are replaced atomically. */
GM_API gm_status gm_dataset_save(gm_context *ctx, const gm_dataset *data, const char *path);
GM_API gm_status gm_dataset_write(gm_context *ctx, const gm_dataset *data, const gm_writer *writer,
                                  const char *format);

#ifdef __cplusplus
}
#endif
#endif
