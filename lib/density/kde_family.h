/* The family "kde": what a model of it holds. */
#ifndef GM__KDE_FAMILY_H
#define GM__KDE_FAMILY_H

#include "density/kde.h"
#include "genmod/extend.h"

typedef struct gm__kde_state {
    gm_allocator allocator;
    gm__kde *kde;
    int64_t width;
    gm_x_column *columns; /* (width) */
} gm__kde_state;

extern const gm_family gm__kde_family;

/* As gm_direct's. GM_E_UNSUPPORTED for radial kernels but the Gaussian. */
gm_status gm__kde_law(gm_context *ctx, const void *state, int64_t n, const double *x,
                      const unsigned char *known, int64_t column, gm_law *law);

/* Rows of x (n, width) with whole numbers as the estimate counts them, into y (n, width). */
void gm__kde_from_x(const gm__kde_state *s, const double *x, int64_t n, double *y);
/* And back, in place. */
void gm__kde_to_x(const gm__kde_state *s, double *y, int64_t n);

#endif
