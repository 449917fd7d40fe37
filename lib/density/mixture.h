/* Mixtures of components that are normal in the real columns of x, and independent tables of
 * probabilities in its categories:
 *
 *     p(x) = sum_k weight_k N(x_real; mean_k, covariance_k) prod_j table_kj[x_j]
 *
 * The family `mixture` answers with one; copulas use them as marginals. */
#ifndef GM__MIXTURE_H
#define GM__MIXTURE_H
#include "genmod/extend.h"
#include "base/context.h"
#include "kernels/kernels.h"

extern const gm_family gm__mixture_family;

enum { GM__FULL, GM__TIED, GM__DIAGONAL, GM__SPHERICAL };

/* What a mixture is over: r real columns of x, then c categories. */
typedef struct gm__mixture_shape {
    int32_t covariance;
    int64_t reals, tables;
    const int64_t *categories; /* (tables) how many each has */
    int64_t total;             /* of them together */
} gm__mixture_shape;

/* What is learned: weight (K), mean (K, r), factor, table (K, total). factor is the lower Cholesky
 * factor of each covariance (K, r, r), or of the one they share (r, r), or deviations (K, r), (K).
 * The rest follows from it by gm__mixture_prepare. */
typedef struct gm__mixture {
    gm__arena arena;
    const gm__kernels *kernels;
    gm__mixture_shape shape;
    int64_t components;
    double *weight, *mean, *factor, *table;
    /* inverse: W = L^-1, stacked (K r, r), or (r, r), or 1 / deviation (K, r). shift (K, r): W
     * mean. constant (K): log weight - log |L| - r / 2 log 2 pi. log_table (K, total). */
    double *inverse, *minus_shift, *constant, *log_table;
} gm__mixture;

/* All zero. The categories are copied. */
gm_status gm__mixture_create(gm_context *ctx, const gm__mixture_shape *shape, int64_t components,
                             gm__mixture **m);
void gm__mixture_free(gm__mixture *m);
int64_t gm__mixture_factor_count(const gm__mixture_shape *shape, int64_t components);
void gm__mixture_copy(gm__mixture *to, const gm__mixture *from); /* of one shape and size */
/* Returns 0, or 1 where a factor is singular, or so near to it that its inverse is no number. */
int gm__mixture_prepare(gm__mixture *m);

/* ---- Evaluating ------------------------------------------------------------------------------ */

/* Rows at a time, and doubles of scratch that gm__mixture_terms needs. */
int64_t gm__mixture_block(const gm__mixture *m);
size_t gm__mixture_scratch(const gm__mixture *m);
/* terms (n, K) = log weight_k + log p(x | k) of n rows of x, `stride` doubles apart; at most a
 * block. The scratch then begins with z (n, K, r) = W (x - mean). */
void gm__mixture_terms(const gm__mixture *m, const double *x, int64_t stride, int64_t n,
                       double *terms, double *scratch);
/* The gradient of log p in the real columns, into (n, stride) doubles, from the responsibilities
 * (n, K) and the z of gm__mixture_terms, which are lost. */
void gm__mixture_gradient(const gm__mixture *m, const double *share, int64_t n, double *gradient,
                          int64_t stride, double *scratch);
/* Rows drawn into out, `stride` doubles apart: row i is a function of (seed, step, row0 + i). */
gm_status gm__mixture_draw(gm_context *ctx, const gm__mixture *m, uint64_t seed, uint64_t step,
                           int64_t row0, int64_t n, double temperature, double *out,
                           int64_t stride);
gm_status gm__mixture_law(gm_context *ctx, const gm__mixture *m, int64_t n, const double *x,
                          const unsigned char *known, int64_t column, gm_law *law);

/* ---- Learning -------------------------------------------------------------------------------- */

typedef struct gm__mixture_plan {
    int64_t components, most; /* how many; 0: chosen from 1 to most */
    int by_valid;             /* chosen by the validation rows; else by BIC */
    int64_t restarts, iterations;
    double tolerance;    /* least gain of the mean log density in an iteration */
    double floor;        /* of deviations, as a share of the column's own */
    const double *least; /* (r) variances that no component is below in a column, or NULL */
    double prior;        /* rows' worth of the overall frequencies in each component's tables */
    uint64_t seed;
} gm__mixture_plan;

/* Learns from rows; start may be NULL, else EM begins there. */
gm_status gm__mixture_learn(gm_context *ctx, const gm__mixture_plan *plan,
                            const gm__mixture_shape *shape, const gm_direct_rows *train,
                            const gm_direct_rows *valid, const gm__mixture *start, gm__mixture **m);

/* A fit at work on one set of rows; its files share it. */
typedef struct gm__em {
    gm_context *ctx;
    gm__arena arena;
    const gm_direct_rows *rows;
    const gm__mixture_plan *plan;
    const double *variance;  /* (r) of each real column; 1 where it is constant */
    const double *frequency; /* (total) of each category, none 0 */
    double weights;          /* of all rows together */
    gm__mixture *m;
    double *share;          /* (rows, K): responsibilities, times the rows' weights */
    double *logp;           /* (rows) */
    double *count;          /* (K): the share of each component in rows */
    double *sums, *moments; /* (K, r); (K, r, r), or (K, r) of deviations: around the means */
    double **scratch;       /* (parts) */
    int32_t parts;          /* shares of work */
    int64_t first, slab;    /* rows at work */
    int64_t at_floor;       /* components whose covariance was lifted to the floor */
} gm__em;

gm_status gm__em_create(gm_context *ctx, const gm__mixture_plan *plan, const gm_direct_rows *rows,
                        const double *variance, const double *frequency, gm__mixture *m,
                        gm__em **em);
void gm__em_free(gm__em *em);
/* Shares under the mixture; *mean_logp the mean log density of the rows. */
gm_status gm__em_expect(gm__em *em, double *mean_logp);
/* The mixture that is most likely under the shares (Dempster et al. 1977; covariances of at least
 * the floor). */
gm_status gm__em_maximise(gm__em *em);
/* Shares of rows that belong to the nearest of starting centres. */
gm_status gm__em_start(gm__em *em, uint64_t number);
/* Calls work(em, part) for all parts, slab by slab of the rows, heeding the cancel token. */
gm_status gm__em_slabs(gm__em *em, double row_cost, void (*work)(void *em, int32_t part));

#endif
