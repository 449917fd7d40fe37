/* What the parts of the kernel density estimate share. */
#ifndef GM__KDE_PART_H
#define GM__KDE_PART_H

#include "density/kde.h"

/* The tree: nodes in a heap, node 1 the root, children 2 i and 2 i + 1, all leaves at one depth:
 * nodes [leaves, 2 leaves). Rows are cut in units of 16, so that no leaf but the last is padded.
 * A block is a leaf's rows. */
struct gm__kde {
    gm_allocator allocator;
    int64_t d, wide; /* columns, and columns of a block */
    gm__kde_column *columns;
    double *inverse;                              /* (d) 1 / bandwidth where that means something */
    int32_t radial, gauss, adaptive, plain, even; /* even: all weights are 1 */
    double *root, *center; /* (d, d) Cholesky factor of the matrix, (d); or NULL */
    double log_norm;       /* log of the constant C */
    double epsilon;        /* relative error of a kernel value besides that of its exponent */

    int64_t count;               /* rows */
    double *x, *weight, *factor; /* (count, d), (count), (count) or NULL */
    int64_t *place;              /* (count) block * stride + offset */
    int64_t *order;              /* (leaves, stride) the row that has a place */
    double total;                /* sum of the weights as they are in the blocks */
    double scale;                /* weights are kept divided by it */

    int64_t leaves, stride;
    double *block;                /* (leaves, wide + 1 + adaptive, stride) */
    float *narrow;                /* (leaves, d + 1, stride); gauss only, or NULL */
    double *fan;                  /* 16 boxes together: kde_tree.c; with narrow */
    int64_t fan_size, fan_at[16]; /* where each step's begin */
    int32_t depth, top;           /* of the leaves; of the first step */
    int64_t *fill;                /* (leaves) rows in a block */
    double *box;                  /* (2 leaves, 2, d) low and high of coordinates */
    double *mass;                 /* (2 leaves) weight under a node */
    double *range;                /* (2 leaves, 2) least and largest factor; or NULL */
    double *beta;              /* (2 leaves, d, 4) log B and its slope at low and high; or NULL */
    int32_t moments;           /* that a node has: kde_moments.c; 0: none */
    double *moment;            /* (2 leaves, moments) or NULL */
    double *powers;            /* e^-i, i under GM__KDE_POWERS; then e^-(j/16), j from 0 to 16 */
    struct gm__kde_grid *grid; /* or NULL */
    struct gm__kde_series *series; /* of one circular column: kde_series.c; or NULL */
    struct gm__kde *flat;          /* without its walls, for kde_fold.c; or NULL */
};
#define GM__KDE_POWERS 768

typedef struct gm__kde_grid {
    int64_t cells[2]; /* cells[1] is 1 in one dimension; rows of cells[0] */
    double origin[2];
    double *at;
    int64_t size;
} gm__kde_grid;

static inline int64_t gm__kde_parts(const gm__kde *k)
{
    return k->wide + 1 + k->adaptive;
}

/* One value by an element map. */
static inline double gm__kde_map(const gm__kernels *kernels, gm__map1 map, double x)
{
    double y;
    kernels->maps->map1[GM__F64][map](&y, &x, 1);
    return y;
}

/* ---- Columns (kde_column.c, kde_norm.c) ---- */

/* Checks the columns and fills log_norm, epsilon, wide, inverse. */
gm_status gm__kde_prepare(gm_context *ctx, gm__kde *k);
double gm__kde_log_constant(const gm__kernels *kernels, const gm__kde_column *c);
double gm__kde_log_radial(const gm__kernels *kernels, int32_t kernel, int64_t d);
/* Whether a column can hold x. A row must; a query that does not has density 0. */
int gm__kde_holds(const gm__kde_column *c, double x);
/* A value as a coordinate of the tree (an angle, a share of the width). */
double gm__kde_coordinate(const gm__kde_column *c, double x);
/* Rows x (n, d) in the user's units as coordinates y (n, d). GM_E_DATA. */
gm_status gm__kde_coordinates(gm_context *ctx, const gm__kde *k, const double *x, int64_t n,
                              int64_t stride, double *y);
/* One row, whatever it holds, as coordinates. */
void gm__kde_place(const gm__kde *k, const double *x, double *y);
/* With a matrix: y = L^-1 y in place. */
void gm__kde_whiten(const gm__kde *k, double *y);
/* Coordinates (d) of a row into offset `at` of a block. */
void gm__kde_store(const gm__kernels *kernels, const gm__kde *k, double *block, int64_t at,
                   const double *y);
/* A row's weight as it stands in a block: its factor and its share of a column's norm are in; of
 * marked columns (d) only, or of all (NULL). */
double gm__kde_weight(const gm__kernels *kernels, const gm__kde *k, int64_t row,
                      const uint8_t *mark);

/* ---- Questions ---- */

typedef struct gm__kde_query {
    const gm__kde *k;
    const gm__kernels *kernels;
    double *q;             /* (d) coordinates */
    gm__kernel_term *term; /* (d) */
    gm__image *images;     /* as many as all columns need */
    double *a, *m;         /* (stride) */
    float *narrow;         /* (d) */
    double shift;          /* exponents are counted from here */
    int outside;           /* the density is 0 by a column's walls */
} gm__kde_query;

int64_t gm__kde_images(const gm__kde *k, int64_t column); /* at most GM__KDE_IMAGES; or more */
#define GM__KDE_IMAGES 512
/* Bytes that a query needs; and sets it up in so many. */
gm_status gm__kde_query_size(gm_context *ctx, const gm__kde *k, size_t *size);
void gm__kde_query_init(gm__kde_query *s, const gm__kde *k, const gm__kernels *kernels, void *room);
/* From a row in coordinates. */
void gm__kde_query_set(gm__kde_query *s, const double *q);
/* Logarithms of the product kernel of every row at the query, into to (count) by the rows' numbers,
 * without constants and weights; room (blocks, stride). */
void gm__kde_logarithms(gm__kde_query *s, double *room, double *to);
/* A kernel of the unit support at u >= 0, to rounding. */
double gm__kde_profile(const gm__kernels *kernels, int32_t kernel, double u);
/* Least and largest exponent and factor of the kernel over a node. Not for gauss. */
void gm__kde_node_bounds(const gm__kde_query *s, int64_t node, double a[2], double m[2]);
/* Of the product over marked columns (d); of gauss too, but without a matrix, nor radial. */
void gm__kde_marked_bounds(const gm__kde_query *s, const uint8_t *mark, int64_t node, double a[2],
                           double m[2]);

/* ---- One column given others (kde_sample.c) ---- */

/* A row's kernel in one column: where, its share of all, and what multiplies its bandwidth. */
typedef struct gm__kde_part {
    double center, weight, scale;
} gm__kde_part;
typedef struct gm__kde_given gm__kde_given;
gm_status gm__kde_given_open(gm_context *ctx, const gm__kde *k, const uint8_t *mark,
                             gm__kde_given **given);
void gm__kde_given_close(gm_context *ctx, gm__kde_given *given);
/* The rows' kernels in `column`, which is not marked, where marked columns have value (d): into
 * part (rows of the estimate); shares under 1e-30 of the largest are left out. All rows where none
 * can have such values. */
gm_status gm__kde_given_mixture(gm_context *ctx, gm__kde_given *given, const double *value,
                                int64_t column, gm__kde_part *part, int64_t *count);

/* ---- The tree ---- */

typedef struct gm__kde_pair {
    double key;
    int64_t row;
} gm__kde_pair;
/* The kth least of n in its place, what is less before it. */
void gm__kde_split(gm__kde_pair *p, int64_t n, int64_t kth);
/* Ascending; spare (n) is scratch. */
void gm__kde_sort(gm__kde_pair *p, gm__kde_pair *spare, int64_t n);

gm_status gm__kde_build(gm_context *ctx, gm__kde *k);
void gm__kde_clear_tree(gm__kde *k);
/* The node of a block, and where a block's parts are. */
static inline int64_t gm__kde_node(const gm__kde *k, int64_t block)
{
    return k->leaves + block;
}
static inline double *gm__kde_block(const gm__kde *k, int64_t block)
{
    return k->block + block * gm__kde_parts(k) * k->stride;
}
/* Box, mass and narrow copy of a block's node from its rows y (fill, d). */
void gm__kde_close_block(gm__kde *k, const gm__kernels *kernels, int64_t block, const double *y);

/* ---- Moments (kde_moments.c) ---- */

int32_t gm__kde_moment_count(const gm__kde *k);
/* Of a leaf from its rows x (fill), of an inner node from its children's. */
void gm__kde_moments_of(gm__kde *k, const gm__kernels *kernels, int64_t block, const double *x);
void gm__kde_moments_join(gm__kde *k, const gm__kernels *kernels, int64_t node);
/* Drops the moments of two columns where bandwidths are so small that few nodes are narrower: there
 * rows one by one cost less. */
void gm__kde_moments_settle(gm__kde *k);
/* The sum of weight times kernel over a node, to the error; 0 where the moments cannot say. */
int gm__kde_moments_sum(const gm__kde_query *s, int64_t node, double *sum, double *error);

/* ---- Walls (kde_fold.c) ---- */

/* Makes k->flat where all columns are real, some with reflecting walls, one or two in all. */
gm_status gm__kde_fold_create(gm_context *ctx, gm__kde *k);
/* Whether it answers; and the answers, as gm__kde_log_density. */
int gm__kde_folds(const gm__kde *k, const gm__kde_promise *promise);
gm_status gm__kde_fold_ask(gm_context *ctx, const gm__kde *k, const double *q, int64_t m,
                           int64_t stride, const gm__kde_promise *promise, double *value,
                           double *lower, double *upper);
/* gm__kde_log_density's bounds, atol (m) of each query. */
gm_status gm__kde_log_density_within(gm_context *ctx, const gm__kde *k, const double *q, int64_t m,
                                     int64_t stride, const gm__kde_promise *promise,
                                     const double *atol, double *lower, double *upper);

/* ---- The series ---- */

/* As the grid, of one circular column; q an angle. */
void gm__kde_series_build(gm_context *ctx, gm__kde *k);
void gm__kde_series_free(gm__kde *k);
int gm__kde_series_ask(const gm__kde *k, const gm__kernels *kernels, double q, double bound[2]);

/* ---- The grid ---- */

/* From the rows' coordinates y (n, d). No grid where it would be large, the kernel is
 * another, or memory is short. */
void gm__kde_grid_build(gm_context *ctx, gm__kde *k, int64_t n, const double *y);
void gm__kde_grid_free(gm__kde *k);
/* Bounds of the sum of w K at coordinates y; 0 where the grid cannot say. */
int gm__kde_grid_ask(const gm__kde *k, const gm__kernels *kernels, const double *y,
                     double bound[2]);

#endif
