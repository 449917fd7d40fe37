/* What gm_calibrate and gm_self_check share. */
#ifndef GM__CHECK_H
#define GM__CHECK_H
#include "eval/measure.h"

extern const gm_option_row gm__check_options[];
/* Reads the options of a call; GM_E_SEED without a seed. */
gm_status gm__check_begin(gm_context *ctx, const char *call, const gm_options *opts, uint64_t *seed,
                          int64_t *draws);
/* A new bag with a seed, for calls on models. */
gm_status gm__check_bag(gm_context *ctx, uint64_t seed, gm_options **bag);
/* (0, 1): a function of the seed and three numbers. */
double gm__check_uniform(uint64_t seed, int64_t row, int64_t column, int64_t which);
/* Mean and standard error of n numbers. */
void gm__check_mean(const double *x, int64_t n, double *mean, double *error);

#endif
