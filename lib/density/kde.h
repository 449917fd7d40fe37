/* Kernel density estimates in double. The density at q is the sum over rows i of
 * w_i k(q, x_i) / (C sum w), with one kernel a column multiplied together, one radial kernel, or a
 * Gaussian with a full matrix. Silverman 1986, "Density Estimation for Statistics and Data
 * Analysis"; Scott 2015, "Multivariate Density Estimation". */
#ifndef GM__KDE_H
#define GM__KDE_H

#include "base/context.h"
#include "kernels/kernels.h"

typedef enum gm__kde_kind {
    GM__KDE_REAL,
    GM__KDE_CIRCULAR, /* von Mises; low and low + period = high are one place */
    GM__KDE_REFLECT,  /* walls at low and high, one of which may be infinite: images of the rows */
    GM__KDE_BETA,     /* walls at low and high: each row is a beta density with its mode there */
    GM__KDE_CATEGORY, /* Aitchison and Aitken 1976: codes 0 to high */
    GM__KDE_ORDERED   /* Wang and van Ryzin 1981: whole numbers low to high, infinite or not */
} gm__kde_kind;

/* A column. bandwidth: the scale h in the column's units; kappa = 1 / h^2 with h in radians for
 * CIRCULAR; b = (h / width)^2 for BETA; lambda for CATEGORY (0 to high / (high + 1)) and ORDERED
 * (0 to under 1). kernel is a GM__KERNEL_ of REAL and REFLECT. */
typedef struct gm__kde_column {
    int32_t kind, kernel;
    double bandwidth, low, high;
} gm__kde_column;

/* All is copied. Rows are x (n, d), row stride `stride` elements. */
typedef struct gm__kde_config {
    int64_t n, d, stride;
    const double *x;
    const double *weights; /* (n), not negative, or NULL */
    const double *factors; /* (n), > 0: each row's own factor of its real bandwidths; or NULL */
    const gm__kde_column *columns; /* (d) */
    const double *matrix;          /* (d, d) covariance of a Gaussian kernel; or NULL */
    int32_t radial;                /* one kernel of the scaled distance: all columns REAL, alike */
    int32_t plain;                 /* no grid: the tree answers */
} gm__kde_config;

typedef struct gm__kde gm__kde;

/* GM_E_ARG, GM_E_RANGE, GM_E_SHAPE; GM_E_DATA for a value that its column cannot hold;
 * GM_E_MEMORY. */
gm_status gm__kde_create(gm_context *ctx, const gm__kde_config *config, gm__kde **kde);
void gm__kde_free(gm__kde *kde);

/* What a call asks of each answer: the value is within rtol of the density, or within atol of it,
 * in the sense that lower and upper (log densities, always right) are so near each other. rtol 0
 * takes what double can do, about 1e-12. */
typedef struct gm__kde_promise {
    double rtol, atol;
} gm__kde_promise;

/* Log densities of q (m, d) and their bounds, each (m) or NULL. Minus infinity outside the support.
 * GM_E_DATA for a value that is not finite; GM_E_CANCELLED. An answer depends on its own row. */
gm_status gm__kde_log_density(gm_context *ctx, const gm__kde *kde, const double *q, int64_t m,
                              int64_t stride, const gm__kde_promise *promise, double *value,
                              double *lower, double *upper);
/* answer (m): 1 where the density is above e^log_level, -1 where it is below, 0 where rounding
 * hides it. Stops as soon as the bounds decide. */
gm_status gm__kde_above(gm_context *ctx, const gm__kde *kde, const double *q, int64_t m,
                        int64_t stride, double log_level, int8_t *answer);

/* Rows known by number, from 0 in the order in which they came. The same bandwidths, no new fit;
 * the density is that of the rows that are left. *first (or NULL) gets the first new number.
 * Forgetting a row twice is no error; the last row cannot be forgotten (GM_E_STATE). Not while
 * another thread asks. */
gm_status gm__kde_add(gm_context *ctx, gm__kde *kde, const double *x, int64_t n, int64_t stride,
                      const double *weights, int64_t *first);
gm_status gm__kde_forget(gm_context *ctx, gm__kde *kde, const int64_t *rows, int64_t n);
int64_t gm__kde_rows(const gm__kde *kde);
int64_t gm__kde_columns(const gm__kde *kde);

#endif
