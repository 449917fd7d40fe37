/* Grey values as bits that are drawn anew in each step of a fit: the option binarize. */
#ifndef GM__BITS_H
#define GM__BITS_H
#include "model/objective.h"

/* What stands for columns from 0 to `high` where a transform and a schema are fitted: a dataset of
 * binary columns, 0 up to half of high and 1 above. GM_E_DATA for values outside, columns that are
 * no numbers. */
gm_status gm__bits_of(gm_context *ctx, const gm_dataset *rows, double high, gm_dataset **bits);
/* How a feed reads rows of grey values for a structure of bits; *match NULL where the rows are of
 * binary columns already. */
gm_status gm__bits_match(gm_context *ctx, const gm__structure *s, const gm_dataset *rows,
                         gm__match **match);
/* Greys x (n, columns) of such a match into probabilities of 1, in the order of the transform's
 * outputs. GM_E_DATA where one lies outside 0 to high. */
gm_status gm__bits_chances(gm_context *ctx, const gm__structure *s, const double *x, int64_t n,
                           int64_t row0, double high, double *chances);
/* The greatest value that a feed's rows have where they are greys: `high`, or 1 where all values
 * are 0 and 1. */
gm_status gm__bits_scale(gm_context *ctx, const gm_dataset *rows, const gm__match *match,
                         double high, double *scale);
/* Probabilities (n, reals) of batch rows, the dataset's by number as gm__feed_load has them, become
 * bits in place; `room` as large. */
void gm__bits_draw(gm_context *ctx, const gm__structure *s, const gm__noise *noise,
                   const int64_t *row, int64_t first, int64_t n, void *chances, void *room);

#endif
