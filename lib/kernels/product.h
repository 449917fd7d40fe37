/* What the matrix product shares between instruction sets: how work is divided.
 *
 * The product is computed in tiles of at most GM_MR rows by two vectors, over panels of B packed
 * to be read in order. Which tile an element falls in never matters: every tile, strip and edge
 * computes an element by the same chain (see gm__product). */
#ifndef GM__PRODUCT_H
#define GM__PRODUCT_H

#include "kernels/kernels.h"

/* Columns come in groups of this many, on every instruction set. Structure (k_lo, k_hi) is skipped
 * by whole groups, over the union of their ranges: a skipped step fma(a, 0, x) gives x, but for the
 * sign of a zero, so what is skipped must not depend on the width of a register. */
#define GM__PRODUCT_GROUP 32

/* A rectangle of C: rows [i0, i1), columns [j0, j1). */
typedef struct gm__share {
    int64_t i0, i1, j0, j1;
} gm__share;

/* The part-th of `parts` rectangles: rows of them by columns of them, as balances best. */
gm__share gm__product_share(const gm__product *p, int part, int parts);

typedef struct gm__range {
    int64_t lo, hi;
} gm__range;

/* The steps of k that columns [j, j + w) of one group need. */
gm__range gm__product_steps(const gm__product *p, int64_t j);
/* The columns that rows [i, i + h) want, all together. */
gm__range gm__product_wanted(const gm__product *p, int64_t i, int64_t h);

#endif
