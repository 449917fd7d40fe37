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

/* The first row whose running sum exceeds u of the whole. */
int64_t gm__kde_choose_row(const double *sums, int64_t n, double u);
static inline double gm__kde_factor(const gm__kde *k, int64_t row)
{
    return k->factor ? k->factor[row] : 1;
}

/* Rows drawn by their kernels in marked columns (kde_pick.c), of products without a matrix. mark
 * and the query belong to the caller; the query's blocks are overwritten. */
typedef struct gm__kde_pick gm__kde_pick;
gm_status gm__kde_pick_open(gm_context *ctx, const gm__kde *k, const uint8_t *mark,
                            gm__kde_query *query, gm__kde_pick **pick);
void gm__kde_pick_close(gm__kde_pick *pick);
/* For the query as it is set. 0 where the kernels are so small that their logarithms are needed. */
int gm__kde_pick_set(gm__kde_pick *pick);
/* A row; -1 where none was found in many trials, which happens in one of 10^9 draws. */
int64_t gm__kde_pick_row(gm__kde_pick *pick, gm__kde_stream *s);

#endif
