/* genmod/dataset.h: rows of data from memory, callbacks and files, and what each column is. */
#ifndef GENMOD_DATASET_H
#define GENMOD_DATASET_H

#include "genmod/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table of rows. Immutable once made, counted; any number of threads may read one, each with a
 * context of its own. Every dataset has at least one row and one column. */
typedef struct gm_dataset gm_dataset;

/* ---- Columns: what a dataset says of itself and of its columns ------------------------------- */

/* What a column is. Real columns measure (densities); the others count (probabilities). */
enum {
    GM_COLUMN_REAL = 1,
    GM_COLUMN_INTEGER = 2,  /* whole numbers */
    GM_COLUMN_BINARY = 3,   /* two categories */
    GM_COLUMN_CATEGORY = 4, /* named values without order; a cell is the number of its category,
                               from 0 */
    GM_COLUMN_ORDERED = 5,  /* named values in order */
    GM_COLUMN_CIRCULAR = 6  /* an angle; period says in what unit */
};

/* What a column is for. */
enum {
    GM_ROLE_FEATURE = 1,   /* modelled */
    GM_ROLE_LABEL = 2,     /* kept beside the rows, not modelled */
    GM_ROLE_CONDITION = 3, /* given: a model is fitted to the features given these */
    GM_ROLE_IGNORED = 4,
    GM_ROLE_WEIGHT = 5 /* how much a row counts in a fit: a number from 0 on; one column at most */
};

/* One column, as gm_dataset_column fills it. Texts belong to the dataset (or model) asked and live
 * as long. low, high, resolution and missing_count are of the rows that the dataset was first made
 * from: views of some of its rows keep them. */
typedef struct gm_column {
    uint32_t struct_size;
    int32_t type;       /* GM_COLUMN_ */
    int32_t role;       /* GM_ROLE_ */
    int32_t missing;    /* 1: cells may be missing (NaN when read) */
    const char *name;   /* "" where the data has no names */
    int64_t categories; /* of BINARY, CATEGORY and ORDERED; else 0 */
    double low, high;   /* least and greatest value present; of categories, their numbers */
    double resolution;  /* the step that all values are multiples of, where they repeat and one was
                           found; 1 for INTEGER; else 0 */
    double period;      /* of CIRCULAR; else 0 */
    int64_t missing_count; /* cells that are missing */
} gm_column;

/* How many rows and columns; 0 for NULL. */
GM_API int64_t gm_dataset_row_count(const gm_dataset *data);
GM_API int64_t gm_dataset_column_count(const gm_dataset *data);
/* The i-th column (from 0) into *column, with column->struct_size set before. GM_E_RANGE past the
 * end. */
GM_API gm_status gm_dataset_column(gm_context *ctx, const gm_dataset *data, int64_t i,
                                   gm_column *column);
/* The number of the column of that name, -1 if there is none. Digits that no column is named are
 * its number, counted from 1 as people do. */
GM_API int64_t gm_dataset_find_column(const gm_dataset *data, const char *name);
/* The name of a category, which belongs to the dataset; NULL out of range. */
GM_API const char *gm_dataset_category(const gm_dataset *data, int64_t column, int64_t category);
/* The shape of a row: (28, 28) for images of an IDX file, (d) for a list of columns. How many sizes
 * into *ndim (1 to 8), the sizes into shape, the rest of it 0. */
GM_API gm_status gm_dataset_row_shape(gm_context *ctx, const gm_dataset *data, int32_t *ndim,
                                      int64_t shape[8]);

/* ---- Making: make datasets from memory, callbacks and files ---------------------------------- */

/* From memory: an array of any dtype whose first axis is the rows; the other axes are the columns
 * and, where there are several, the shape of a row. Columns are REAL, or INTEGER for integer
 * dtypes, until gm_dataset_with_type. Copies. GM_E_DATA for NaN and infinities, with row and
 * column; GM_E_SHAPE without rows or columns. */
GM_API gm_status gm_dataset_from_array(gm_context *ctx, const gm_array *array, gm_dataset **data);
/* As above, borrowing: the memory is read in place and must not change. release(user) (may be NULL)
 * is called exactly once: when the last owner frees the dataset, or before this call returns a
 * failure. It may be called from any thread that frees. */
GM_API gm_status gm_dataset_borrow_array(gm_context *ctx, const gm_array *array,
                                         void (*release)(void *user), void *user,
                                         gm_dataset **data);
/* A matrix (n, d), rows row_stride elements apart (0: d), of REAL columns. Copies. GM_E_DATA and
 * GM_E_SHAPE as above. */
GM_API gm_status gm_dataset_from_f32(gm_context *ctx, const float *x, int64_t n, int64_t d,
                                     int64_t row_stride, gm_dataset **data);
GM_API gm_status gm_dataset_from_f64(gm_context *ctx, const double *x, int64_t n, int64_t d,
                                     int64_t row_stride, gm_dataset **data);
/* Rows that a callback gives: read fills rows [first, first + count) of `columns` doubles each into
 * out, row-major, and returns 0, or negative on failure. */
typedef struct gm_source {
    uint32_t struct_size;
    void *user;
    int64_t rows, columns;
    int32_t (*read)(void *user, int64_t first, int64_t count, double *out);
} gm_source;
/* From a callback. It is called on the calling thread, in order, until all rows were read; the
 * dataset holds a copy. GM_E_IO where the callback fails, GM_E_DATA for NaN and infinities. */
GM_API gm_status gm_dataset_from_source(gm_context *ctx, const gm_source *source,
                                        gm_dataset **data);

/* From columns as they are described and cells (n, d), row-major, categories by number, missing
 * ones NaN. Of each of the d columns struct_size, type, role (0: feature), name (may be NULL),
 * categories and period count. names[j] are the names of the categories of column j, NULL where it
 * has none; names may be NULL where none has. shape[ndim] is that of a row; ndim 0 or 1: a list of
 * columns. Copies. GM_E_ARG, GM_E_SHAPE; GM_E_DATA for a cell that is no value of its column. */
GM_API gm_status gm_dataset_from_columns(gm_context *ctx, const gm_column *columns,
                                         const char *const *const *names, int64_t d,
                                         const double *cells, int64_t n, int32_t ndim,
                                         const int64_t *shape, gm_dataset **data);

/* From a file, by its ending: .csv (.txt, .data), .tsv (.tab), .npy, .idx or ...-ubyte, also with
 * .gz where zlib was built in (whatever it is named, gzipped data is known by its first bytes).
 * opts (may be NULL) are those of the table "csv", genmod-csv(7). GM_E_IO where the file cannot be
 * read, GM_E_FORMAT where it is malformed, GM_E_DATA where a value is, GM_E_UNKNOWN for another
 * ending, GM_E_UNKNOWN and GM_E_RANGE for an option; texts name file, row, column. */
GM_API gm_status gm_dataset_from_file(gm_context *ctx, const char *path, const gm_options *opts,
                                      gm_dataset **data);
/* CSV as RFC 4180 with what is met in the wild: byte order mark, CR LF, tabs or semicolons, blanks
 * around cells, blank lines. UTF-8. Codes as gm_dataset_from_file.
 *
 * A header, missing values and types are found by themselves. The first row is a header if it has
 * texts over columns of numbers, or, where all is text, texts that never come again. Missing are
 * the empty cell, NA, NaN, null (in any case), ? and what the option `missing` says. A column with
 * texts is a category (two of them: binary), its categories in the order of their names, unless 95
 * cells in 100 are numbers: then the first text is GM_E_DATA. Whole numbers are INTEGER (0 and 1
 * alone: BINARY) unless they range over 65,536 or more; other numbers REAL. The option `types`
 * overrules: "x1:real,x2:category,angle:circular(360)". */
GM_API gm_status gm_dataset_from_csv(gm_context *ctx, const char *path, const gm_options *opts,
                                     gm_dataset **data);
/* NumPy's format: versions 1 to 3, either byte order, C and Fortran order, f2 f4 f8, i1 to i8, u1
 * to u8, b1 (BINARY). Axes as gm_dataset_from_array. GM_E_IO, GM_E_FORMAT, GM_E_DATA. */
GM_API gm_status gm_dataset_from_npy(gm_context *ctx, const char *path, gm_dataset **data);
/* The format of the MNIST files. Axes as gm_dataset_from_array. GM_E_IO, GM_E_FORMAT. */
GM_API gm_status gm_dataset_from_idx(gm_context *ctx, const char *path, gm_dataset **data);
/* From a reader hook; format is "csv", "tsv", "npy" or "idx"; name (may be NULL) stands for the
 * path in error texts. Codes as gm_dataset_from_file. */
GM_API gm_status gm_dataset_from_reader(gm_context *ctx, const gm_reader *reader,
                                        const char *format, const char *name,
                                        const gm_options *opts, gm_dataset **data);
/* Gives up the caller's share; views and models made from the dataset stay good. Any thread may. */
GM_API void gm_dataset_free(gm_dataset *data);

/* ---- Views: some of the rows and columns of a dataset, or columns read otherwise ------------- */

/* Columns by number (from 0), in that order. GM_E_ARG where one comes twice, GM_E_RANGE where there
 * is none of a number. A view, here and below, is a dataset like another: it shares the cells,
 * counts the dataset that it was made from, and is freed by gm_dataset_free. */
GM_API gm_status gm_dataset_select(gm_context *ctx, const gm_dataset *data, const int64_t *columns,
                                   int64_t count, gm_dataset **view);
/* Rows by number (from 0), in that order, repeats allowed. GM_E_RANGE where there is none of a
 * number, or count is 0. */
GM_API gm_status gm_dataset_take(gm_context *ctx, const gm_dataset *data, const int64_t *rows,
                                 int64_t count, gm_dataset **view);
/* Two parts: round(fraction * n) rows drawn by the seed go to *second, the rest to *first, each in
 * the old order. GM_E_RANGE where a part would be empty; GM_E_ARG where first == second. */
GM_API gm_status gm_dataset_split(gm_context *ctx, const gm_dataset *data, double fraction,
                                  uint64_t seed, gm_dataset **first, gm_dataset **second);
/* One column as another type. Numbers become categories in their order, named as they are written;
 * categories become numbers if their names are. GM_E_DATA where cells do not fit the type (the text
 * names the first), GM_E_RANGE for a column that there is not. period, the full turn in the
 * column's own unit, is for CIRCULAR. */
GM_API gm_status gm_dataset_with_type(gm_context *ctx, const gm_dataset *data, int64_t column,
                                      int32_t type, double period, gm_dataset **view);
/* One column in another role (GM_ROLE_). GM_E_ARG for no role, GM_E_RANGE for no column. */
GM_API gm_status gm_dataset_with_role(gm_context *ctx, const gm_dataset *data, int64_t column,
                                      int32_t role, gm_dataset **view);

/* ---- Reading and writing: copy rows out, save them as files ---------------------------------- */

/* Rows [first, first + count) as doubles (count, columns) into out, row_stride doubles apart (0:
 * packed); categories as their numbers, missing cells as NaN. GM_E_RANGE where there are not so
 * many rows, GM_E_SHAPE for a stride less than the columns. */
GM_API gm_status gm_dataset_read_f64(gm_context *ctx, const gm_dataset *data, int64_t first,
                                     int64_t count, double *out, int64_t row_stride);
/* Writes by the file's ending (.csv, .tsv, .npy, .idx) or, to a writer, in the format named. CSV
 * has a header (x1, x2 ... where columns have no names), numbers in the shortest form that reads
 * back as the same, categories by name; array files hold categories as numbers. A file is replaced
 * atomically. GM_E_IO; GM_E_UNKNOWN for another ending or format. */
GM_API gm_status gm_dataset_save(gm_context *ctx, const gm_dataset *data, const char *path);
GM_API gm_status gm_dataset_write(gm_context *ctx, const gm_dataset *data, const gm_writer *writer,
                                  const char *format);

#ifdef __cplusplus
}
#endif
#endif
