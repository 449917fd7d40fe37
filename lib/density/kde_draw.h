/* Draws from one kernel. */
#ifndef GM__KDE_DRAW_H
#define GM__KDE_DRAW_H

#include "base/random.h"
#include "density/kde_part.h"

typedef struct gm__kde_stream {
    const gm__kernels *kernels;
    uint64_t seed, step;
    int64_t first, at; /* elements: the row's first, and the next one after that */
} gm__kde_stream;

/* A row of d columns has GM__KDE_ELEMENTS each and as many before them; elements stay under 2^48.
 */
#define GM__KDE_ELEMENTS 64
gm__kde_stream gm__kde_stream_of(const gm__kernels *kernels, uint64_t seed, uint64_t step,
                                 int64_t row, int64_t d);
gm_status gm__kde_check_rows(gm_context *ctx, int64_t row0, int64_t m, int64_t d);
double gm__kde_uniform(gm__kde_stream *s);
double gm__kde_normal(gm__kde_stream *s);
/* Column j's value about x. */
double gm__kde_draw(gm__kde_stream *s, const gm__kde_column *c, int64_t j, double x, double factor,
                    double temperature);
/* How far from its row a radial kernel's draw lies, into y (d). */
void gm__kde_draw_radial(gm__kde_stream *s, const gm__kde *k, double factor, double *y);

#endif
