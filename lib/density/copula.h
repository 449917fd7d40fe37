/* Gaussian copulas: each column by itself is mapped to normal scores z, and these are jointly
 * normal with correlation R (Song 2000, "Multivariate dispersion models generated from Gaussian
 * copula"). A category is an interval of its score. */
#ifndef GM__COPULA_H
#define GM__COPULA_H
#include "density/marginal.h"

extern const gm_family gm__copula_family;

/* r real columns of x, then c categories. */
typedef struct gm__copula {
    gm__arena arena;
    const gm__kernels *kernels;
    int64_t reals, tables, width;
    gm__marginal *marginal; /* (r) */
    int64_t *categories;    /* (c) */
    /* Of each category table categories + 1 cuts: the scores between which it lies, the first and
     * the last infinite; and the middle of each in probability. */
    double **cut, **middle; /* (c) */
    double *factor;         /* (width, width): R = L L^T, rows of norm 1 */
    double log_det;         /* of its real part */
} gm__copula;

/* What one row needs: scores z, whitened e, dz/dx, bends (width each), and two more. */
typedef struct gm__copula_row {
    double *z, *e, *slope, *bend, *u, *pull;
} gm__copula_row;

/* Phi(b) - Phi(a) for a < b, to its full precision in both tails. */
double gm__normal_mass(const gm__kernels *k, double a, double b);
/* The score of which Phi is Phi(a) + u (Phi(b) - Phi(a)), within [a, b]. */
double gm__normal_between(const gm__kernels *k, double a, double b, double u);

gm_status gm__copula_log_prob(gm_context *ctx, const void *state, const gm_direct_call *call);
gm_status gm__copula_law(gm_context *ctx, const void *state, int64_t n, const double *x,
                         const unsigned char *known, int64_t column, gm_law *law);
/* Scores of a row: of categories the middle of theirs. */
void gm__copula_scores(const gm__copula *c, const double *x, double *z);
/* A row of scores. */
void gm__copula_values(const gm__copula *c, const double *z, double *x);

/* R (width, width) of scores z (n, width), of which those of categories, whose numbers are in x
 * (n, stride), are drawn anew a few times given the others (Hoff 2007). shrinkage < 0: by the data.
 */
typedef struct gm__scored {
    int64_t n, reals, tables, width, stride;
    double *z;
    const double *x, *weight;
    double *const *cut;
    double shrinkage;
    uint64_t seed;
} gm__scored;
gm_status gm__copula_correlation(gm_context *ctx, const gm__scored *s, double *r);

#endif
