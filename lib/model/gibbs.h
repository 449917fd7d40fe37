/* Rows with several cells missing, where a family knows one column only given all others: chains
 * whose states come to be draws of the missing cells given the known ones. */
#ifndef GM__GIBBS_H
#define GM__GIBBS_H
#include "model/laws.h"

typedef struct gm__gibbs {
    gm__laws *laws;
    uint64_t seed;
    int64_t n, d;
    double *x;                  /* (n, d): states; the known cells stay */
    const unsigned char *known; /* (n, d) */
    const int64_t *number;      /* (n): of the rows, for the random draws */
    /* Work. */
    gm__values *values;
    double *some, *y, *next, *f, *level, *end[2], *u;
    unsigned char *all;
    int64_t *row, *left[2], *act;
    void *block;
    size_t bytes;
} gm__gibbs;

/* Chains of n rows; x, known and number are the caller's, who sets them. */
gm_status gm__gibbs_create(gm_context *ctx, gm__laws *laws, int64_t n, gm__gibbs *g);
void gm__gibbs_free(gm_context *ctx, gm__gibbs *g);
/* The missing cells of rows [first, first + n): those of rows that the model draws, numbers first
 * to first + n - 1 of a seed, or where it draws none even over the range that was seen. */
gm_status gm__gibbs_start(gm_context *ctx, const gm__laws *laws, uint64_t seed, int64_t first,
                          int64_t n, const unsigned char *known, double *x);
/* Every missing cell of every row anew, given the others; sweep: its number. */
gm_status gm__gibbs_sweep(gm_context *ctx, gm__gibbs *g, int64_t sweep);
/* Log densities of the states, in the user's units, into logp (n). */
gm_status gm__gibbs_score(gm_context *ctx, gm__gibbs *g, double *logp);

#endif
