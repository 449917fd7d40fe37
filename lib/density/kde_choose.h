/* Bandwidths of columns of every kind. */
#ifndef GM__KDE_CHOOSE_H
#define GM__KDE_CHOOSE_H

#include "density/kde.h"

enum {
    GM__KDE_BY_SCOTT,
    GM__KDE_BY_SILVERMAN,
    GM__KDE_BY_ISJ,
    GM__KDE_BY_LSCV,
    GM__KDE_BY_LIKELIHOOD,
    GM__KDE_BY_NUMBERS
};

typedef struct gm__kde_choice {
    int32_t rule, radial;
    int64_t count;         /* numbers given: one for all columns that measure, or one each */
    const double *numbers; /* (count) */
    int64_t most;          /* rows of a cross-validation */
    uint64_t seed;
} gm__kde_choice;

/* Fills the bandwidths of columns (d), whose kinds, kernels and walls are set, and matrix (d, d)
 * where it is not NULL. What counts has lambda = h^2 for small h, from the variance of its kernel;
 * categories lose a share of n^(-2 / (q + 4)), q columns not being categories. */
gm_status gm__kde_choose(gm_context *ctx, const gm__kde_choice *choice, const gm__kde_rows_of *rows,
                         gm__kde_column *columns, double *matrix);

/* Columns of any kinds: each row's likelihood under the others, one bandwidth after the other, from
 * those that the columns have. Over `most` rows at most; kernels with a limited reach are taken as
 * Gaussians and scaled. */
gm_status gm__kde_cross_columns(gm_context *ctx, const gm__kde_rows_of *rows, int64_t most,
                                uint64_t seed, gm__kde_column *columns);

/* lambda of an ORDERED column whose kernel has the standard deviation h, in levels; at most
 * gm__kde_widest, which is `few`, or where there are more levels than such a kernel would reach a
 * number that about evens them out. */
double gm__kde_lambda(const gm__kde_column *column, double h, double few);
/* lambda of the kernel that deviates `times` as far as the column's. */
double gm__kde_scaled_lambda(const gm__kde_column *column, double times, double few);
double gm__kde_widest(const gm__kde_column *column, double few);

#endif
