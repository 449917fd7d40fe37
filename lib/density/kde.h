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

#define GM__KDE_MOST_LAMBDA (1 - 0x1p-40) /* of ORDERED: a kernel 10^12 levels wide */

/* A column. bandwidth: the scale h in the column's units; kappa = 1 / h^2 with h in radians for
 * CIRCULAR; b = (h / width)^2 for BETA; lambda for CATEGORY (0 to high / (high + 1)) and ORDERED
 * (0 to GM__KDE_MOST_LAMBDA). kernel is a GM__KERNEL_ of REAL and REFLECT. */
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
/* answer (m): 1 where the density is above e^log_level (m), -1 where it is below, 0 where rounding
 * hides it. Stops as soon as the bounds decide. */
gm_status gm__kde_above(gm_context *ctx, const gm__kde *kde, const double *q, int64_t m,
                        int64_t stride, const double *log_level, int8_t *answer);

int64_t gm__kde_rows(const gm__kde *kde);
int64_t gm__kde_columns(const gm__kde *kde);

/* ---- Bandwidths ---- */

typedef enum gm__kde_rule { GM__KDE_SCOTT, GM__KDE_SILVERMAN } gm__kde_rule;

/* Rows to choose bandwidths for; weights may be NULL. */
typedef struct gm__kde_rows_of {
    const double *x;
    int64_t n, d, stride;
    const double *weights;
} gm__kde_rows_of;

/* One bandwidth a column, for Gaussian kernels, into h (d). Scott: sigma m^(-1/(d+4)), m the
 * effective number of rows (sum w)^2 / sum w^2. Silverman: the less of sigma and IQR / 1.349, times
 * (4 / ((d+2) m))^(1/(d+4)), in one dimension 0.9 m^(-1/5). A constant column gets 1e-3 of its
 * value, or 1e-3. */
gm_status gm__kde_rule_of_thumb(gm_context *ctx, gm__kde_rule rule, const gm__kde_rows_of *rows,
                                double *h);
/* Botev, Grotowski and Kroese 2010, "Kernel density estimation via diffusion", algorithm 1, on
 * 4,096 bins; one column. GM_E_SHAPE for more. Silverman's where the equation has no root. */
gm_status gm__kde_sheather_jones(gm_context *ctx, const gm__kde_rows_of *rows, double *h);
/* What a Gaussian's bandwidth times it is for another kernel: canonical bandwidths, Marron and
 * Nolan 1988. */
double gm__kde_canonical(int32_t kernel);

/* Cross-validation of a Gaussian kernel by gradient: least squares or the likelihood of each row
 * under the others. One bandwidth a column into h (d), or with matrix not NULL a whole covariance
 * (d, d) there. Over `most` rows at most (0: 2,000), drawn by seed from more, the result scaled to
 * all. Starts from Scott's and stays within e^-6 to e^4 of it. */
typedef enum gm__kde_criterion { GM__KDE_LEAST_SQUARES, GM__KDE_LIKELIHOOD } gm__kde_criterion;
gm_status gm__kde_cross_validate(gm_context *ctx, gm__kde_criterion criterion,
                                 const gm__kde_rows_of *rows, int64_t most, uint64_t seed,
                                 double *h, double *matrix);
/* Abramson's factors of the rows, (density / geometric mean)^(-1/2), within 1e-3 to 1e3, into
 * factors (n), from a first estimate. */
gm_status gm__kde_abramson(gm_context *ctx, const gm__kde *pilot, const gm__kde_rows_of *rows,
                           double *factors);

/* ---- Drawing, conditions, modes ---- */

/* m rows (m, d) into out: a function of (seed, step, row0 + i). Bandwidths are `temperature` times
 * what they are (of what counts, up to the most that its kernel can have). */
gm_status gm__kde_sample(gm_context *ctx, const gm__kde *kde, double temperature, uint64_t seed,
                         uint64_t step, int64_t row0, int64_t m, double *out);
/* The same given some columns: given (d) marks them, values (m, d) holds them (the rest is
 * ignored); out (m, d) repeats them; row (m): the draws' numbers. Products look at few rows; a
 * matrix costs all rows for each new values, rows one after another with the same share that. Where
 * no row can have such values all count. GM_E_UNSUPPORTED for radial kernels other than the
 * Gaussian. */
gm_status gm__kde_sample_given(gm_context *ctx, const gm__kde *kde, const uint8_t *given,
                               const double *values, uint64_t seed, uint64_t step,
                               const int64_t *row, int64_t m, double *out);
/* The density of the other columns, given (d) columns at value (d); value NULL: their marginal
 * density. GM_E_UNSUPPORTED as above; GM_E_DATA where no row can have such values. */
gm_status gm__kde_condition(gm_context *ctx, const gm__kde *kde, const uint8_t *given,
                            const double *value, gm__kde **out);
/* The gradient of the log density at q (m, d) into out (m, d); zero where the density is, and for
 * columns that count. Kernels with corners have the gradient that they have almost everywhere. */
gm_status gm__kde_gradient(gm_context *ctx, const gm__kde *kde, const double *q, int64_t m,
                           double *out);
/* Mean shift from each of q (m, d) to a mode, until a step is under tol bandwidths or `most` steps
 * are done; places into out (m, d). Columns that count stay as they are. Modes within 0.01
 * bandwidths of one found before are that one; *modes (or NULL) counts them and mode (m, or NULL)
 * numbers them. GM_E_UNSUPPORTED for kernels with corners. */
gm_status gm__kde_modes(gm_context *ctx, const gm__kde *kde, const double *q, int64_t m, double tol,
                        int64_t most, double *out, int64_t *mode, int64_t *modes);

#endif
