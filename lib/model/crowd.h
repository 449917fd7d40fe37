/* Completed rows of one row, and what they say of its missing cells together. */
#ifndef GM__CROWD_H
#define GM__CROWD_H
#include "model/gaps.h"

/* `draws` completed rows of one: the log of the weight of each, and its log density. */
typedef struct gm__crowd {
    gm__gaps g;
    const unsigned char *known; /* (d) of the row as it came */
    double *weight, *joint, *sorted;
    int64_t row;
} gm__crowd;

/* Fills the row's missing cells. */
void gm__crowd_settle(gm_context *ctx, gm__crowd *c, gm__law_point how, double *row);

#endif
