/* Rows of which some cells are missing, and how they are completed by laws of one column given
 * others. */
#ifndef GM__GAPS_H
#define GM__GAPS_H
#include "model/laws.h"

/* Rows in hand: cells, which are known, numbers for the random draws. */
typedef struct gm__gaps {
    gm__laws *laws;
    int64_t d, n;
    double *x;            /* (n, d) */
    unsigned char *known; /* (n, d) */
    const double *cond;   /* (n, given) or NULL */
    int64_t row0;
    uint64_t seed;
    /* Work: a subset of the rows, gathered. */
    double *some, *value, *below, *above, *wide;
    unsigned char *seen;
    int64_t *index;
    void *block;
    size_t bytes;
} gm__gaps;

/* Room for n rows; x and known are the caller's. */
gm_status gm__gaps_create(gm_context *ctx, gm__laws *laws, int64_t n, gm__gaps *g);
void gm__gaps_free(gm_context *ctx, gm__gaps *g);
/* The rows index[0 .. count) (numbers among the n) become those whose law of `column` is asked. */
gm_status gm__gaps_ask(gm_context *ctx, gm__gaps *g, int64_t count, int64_t column);
/* Completes the rows marked (n) by draws of whole rows where the family does that itself; 0 in
 * *done where it does not. */
gm_status gm__gaps_complete(gm_context *ctx, gm__gaps *g, const unsigned char *marked, int *done);
/* Goes on to `column` with the same rows, where the one asked for is known now as x has it; that is
 * in g->value then. */
gm_status gm__gaps_next(gm_context *ctx, gm__gaps *g, int64_t count, int64_t column);
/* The uniform number of row i's column, of the draw-th draw: (seed, GM__FOR_GAP, draw, row). */
double gm__gaps_uniform(gm_context *ctx, const gm__gaps *g, int64_t row, int64_t draw,
                        int64_t column);

#endif
