/* From the user's columns to what a network sees, and back, in float64, with log-determinants.
 *
 * Real columns go through a map: none, standard (mean 0, variance 1), quantile (strictly
 * increasing, floor on its slope, exponential tails outside the data) or logit (of the position
 * within [low, high], widened a little; for bounded columns). CIRCULAR columns become angles in
 * [0, 2 pi), whatever the map, and are not whitened. INTEGER and ORDERED columns are dequantised: x
 * + u, u uniform in [0, 1), then mapped. Then, if asked, all real outputs are whitened together: y
 * = L^-1 (x - mean), L the Cholesky factor of the covariance (a floor keeps it regular). BINARY and
 * CATEGORY columns pass as numbers of categories: a learned part of the model makes reals of them.
 *
 * For families that take discrete columns as they are (gm__counting), columns that count are real
 * outputs without noise and without a share in log_det: BINARY and CATEGORY of at most two 0 and 1,
 * INTEGER and ORDERED moved and scaled (as standard; not at all with transform=none). Each has a
 * range outside of which its values have no support. Categories of three and more pass by number.
 *
 * With repeated=bins a REAL column that has a resolution, or whose values come again, is one of
 * whole numbers: x over the width of its bins (the resolution, else the least distance of different
 * values), rounded. So its log densities are log probabilities of bins.
 *
 * The values of such a column, where its bins are of no resolution, can be kept in a list: then
 * inverse gives the nearest of them instead of a bin's middle.
 *
 * A column multiplied by a power of two gives the same outputs bit for bit. Constant columns have
 * scale 1. A transform is immutable once made; any number of threads may use it. */
#ifndef GM__TRANSFORM_H
#define GM__TRANSFORM_H
#include "data/data.h"
#include "base/options.h"
#include "base/random.h"
#include "genmod/extend.h"

typedef struct gm__transform gm__transform;

/* Rows of the options "transform" (standard|quantile|logit|none), "whiten" (BOOL) and "repeated"
 * (real|bins) of stage FIT; ended by a row of zeros. */
extern const gm_option_row gm__transform_options[];

/* How discrete columns are taken as they are. */
typedef struct gm__counting {
    int64_t levels; /* INTEGER columns run from 0 to levels - 1; 0: over their own range */
} gm__counting;

/* Learns from the training rows: the columns of the role FEATURE of data, and those of the role
 * CONDITION, which pass beside the rows; their cells must be present and finite. Statistics are
 * weighted where data has a column of the role WEIGHT. Which columns repeat is told by the rows of
 * all, which has the columns of data and its rows among its own (NULL: data), so that it hangs on
 * no split. counting NULL: discrete columns become real ones or indices. */
gm_status gm__transform_fit(gm_context *ctx, const gm_dataset *data, const gm_dataset *all,
                            const gm__values *options, const gm__counting *counting,
                            gm__transform **t);
/* Keeps the values that the REAL columns of the role FEATURE of data have, of which t was learned
 * in part or in all: those of bins that are of no resolution, and those of columns on no decimal
 * grid where one in 512 comes again, or that are steps apart. No list is kept of more than 65536
 * values, and in all there are at most 2^22. Of one bin only the value that comes most is kept. t
 * must not be shared yet. */
gm_status gm__transform_list(gm_context *ctx, gm__transform *t, const gm_dataset *data);
/* How many values are kept of column j, and which, rising; 0 and NULL: there is no list. */
int64_t gm__transform_listed(const gm__transform *t, int64_t j, const double **list);
/* The value of the list that stands for the bin of v; v where there are no bins or no list. */
double gm__transform_shown(const gm__transform *t, int64_t j, double v);
gm__transform *gm__transform_retain(const gm__transform *t);
void gm__transform_release(gm__transform *t);
int64_t gm__transform_columns(const gm__transform *t); /* d: of the user's rows, features only */
int64_t gm__transform_reals(const gm__transform *t);   /* r: real outputs */
int64_t gm__transform_indices(const gm__transform *t); /* c: index outputs */
int64_t gm__transform_categories(const gm__transform *t,
                                 int64_t index); /* of the i-th index output */
/* The width of the bins that a REAL column of the user's is taken as; 0 where it measures. */
double gm__transform_unit(const gm__transform *t, int64_t column);
int gm__transform_random(const gm__transform *t); /* 1 if forward draws (a dequantised column) */
/* Conditions: how many columns, and how many numbers they become for a network. */
int64_t gm__transform_conditions(const gm__transform *t); /* c */
int64_t gm__transform_given(const gm__transform *t);      /* w */
/* cells (n, c) to out (n, w): reals, whole numbers and ordered categories standardised, circular
 * columns as sine and cosine, binary ones 0 and 1, categories one-hot. Returns the first of the
 * cells that is no finite number, or not the number of a category; -1 where all are good. */
int64_t gm__transform_condition(const gm__transform *t, const double *cells, int64_t n,
                                double *out);
/* What each real output is, in its own units; returns how many of them count. columns (r) may be
 * NULL. */
int64_t gm__transform_x_columns(const gm__transform *t, gm_x_column *columns);

/* Which real output column j of the features is; -1 for an index output. */
int64_t gm__transform_place(const gm__transform *t, int64_t j);
/* 1 if real outputs are of several columns together (whitening). */
int gm__transform_mixes(const gm__transform *t);
/* The real output of value v of column j, before any whitening: a whole number with what
 * dequantising adds to it. 0, and *y untouched, where it has none. */
int gm__transform_value(const gm__transform *t, int64_t j, double v, double *y);

/* How forward fills in what dequantising adds. */
typedef struct gm__noise {
    int draw; /* 0: the middle, u = 1/2 */
    /* u of row number i and the j-th dequantised column (from 0) is the uniform double that the
     * kernels draw for (seed, GM__FOR_DEQUANTISE, step, row i, column j) */
    uint64_t seed, step;
} gm__noise;

/* x (n, d) to real (n, r) and index (n, c), and log_det (n), log |d real / d x| of the row. index
 * may be NULL; real and log_det may be NULL together; support too. noise NULL is the middle. Row i
 * has number row0 + i, or row[i] if row is given. support (n): 0 where a row lies outside the
 * support (a category unseen, a non-integer in an INTEGER column, a missing cell, a value outside a
 * logit's range or that of a column that counts); such a row's outputs are finite fillers. */
void gm__transform_forward(const gm__transform *t, const double *x, int64_t n,
                           const gm__noise *noise, int64_t row0, const int64_t *row, double *real,
                           int32_t *index, double *log_det, unsigned char *support);
/* The first column of a row whose cell lies outside the support; -1 where all lie inside. */
int64_t gm__transform_outside(const gm__transform *t, const double *x);
/* real, index to x: integers are floored back, columns that count rounded into their range,
 * categories given by their numbers. log_det of this
 * direction (n), log |d x / d real| before anything is floored, may be NULL. */
void gm__transform_inverse(const gm__transform *t, const double *real, const int32_t *index,
                           int64_t n, double *x, double *log_det);
/* d log p / d x (n, d) from d log p / d real (n, r): chain rule, plus the gradient of log_det. Zero
 * for columns that count, and for cells outside the support. */
void gm__transform_gradient(const gm__transform *t, const double *x, const double *dreal, int64_t n,
                            double *dx);

/* ---- One column ------------------------------------------------------------------------------
 */

typedef enum gm__column_kind {
    GM__COLUMN_MEASURES, /* a real output, by an increasing map */
    GM__COLUMN_CELLS,    /* whole numbers v as [v, v + 1), by an increasing map */
    GM__COLUMN_COUNTS,   /* whole numbers low to high, by an affine map */
    GM__COLUMN_INDEX     /* an index output */
} gm__column_kind;
typedef struct gm__column_way {
    gm__column_kind kind;
    int64_t place;      /* among the real or the index outputs */
    int64_t categories; /* 0: none */
    int ordered;
    double low, high; /* of what counts or has categories */
    double period;    /* of circular columns; else 0 */
    int bins;         /* whole numbers are those of bins of a real column */
    double unit;      /* of whole numbers: what one stands for, 1 but for bins of real columns */
} gm__column_way;
void gm__transform_column(const gm__transform *t, int64_t j, gm__column_way *c);
/* A column's map at any point v of its own units, of whole numbers in those (neither wrapped nor
 * moved into the middle), and log |dy/dv|, which may be NULL. 0 where there is none; *y is then
 * minus or plus infinity, the side that v lies on. Not of index outputs. Without whitening. */
int gm__transform_point(const gm__transform *t, int64_t j, double v, double *y, double *log_slope);
/* A cell as forward would map it, the middle of what a whole number stands for; of index outputs
 * the number. 0 where it has no support. */
int gm__transform_known(const gm__transform *t, int64_t j, double v, double *y);
/* The user's value of a whole number; of bins the value of the list in it, else the middle. */
double gm__transform_whole(const gm__transform *t, int64_t j, double number);
/* The point of y, before anything is wrapped, floored or rounded. */
double gm__transform_back(const gm__transform *t, int64_t j, double y);

/* Its numbers as one list of doubles (of the transform, and as long as it lives), and as JSON text,
 * for the model file; parse believes nothing. */
void gm__transform_write(const gm__transform *t, gm__buffer *json, const double **numbers,
                         int64_t *count);
gm_status gm__transform_parse(gm_context *ctx, const gm__json *json, const double *numbers,
                              int64_t count, const gm__schema *schema, gm__transform **t);
#endif
