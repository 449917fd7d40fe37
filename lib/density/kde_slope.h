/* Slopes at one place, for gradients and modes. */
#ifndef GM__KDE_SLOPE_H
#define GM__KDE_SLOPE_H

#include "density/kde_part.h"

typedef struct gm__kde_slope {
    gm__kde_query query;
    double *y;              /* (d) coordinates of the place */
    double *along, *weight; /* (d) sums over rows of v g (x - y), and of v g: see kde_gradient.c */
    double mass;            /* the sum of v, which is weight times kernel times e^least */
    double least;           /* the least exponent; infinite where no row reaches */
    double *steep;          /* (stride, 2) of a radial kernel */
    char *room;
    size_t size;
} gm__kde_slope;

gm_status gm__kde_slope_init(gm_context *ctx, gm__kde_slope *s, const gm__kde *k);
void gm__kde_slope_clear(gm_context *ctx, gm__kde_slope *s);
/* At s->y. */
void gm__kde_slope_at(gm__kde_slope *s);

#endif
