/* What multiplies the learning rate at each step. */
#ifndef GM__SCHEDULE_H
#define GM__SCHEDULE_H
#include "base/options.h"
#include "kernels/kernels.h"
enum { GM__CONSTANT, GM__COSINE, GM__STEPWISE, GM__ONE_CYCLE };
typedef struct gm__schedule {
    int kind;
    int64_t warmup;       /* steps of linear rise from nothing, on top of any kind */
    int64_t hold;         /* steps at the start during which the schedule stands at its beginning */
    int64_t horizon;      /* steps in all; 0: not known yet, the schedule stands at its beginning */
    double factor, every; /* stepwise: times factor after each part `every` of the run */
} gm__schedule;
double gm__schedule_rate(const gm__schedule *s, const gm__kernels *k, int64_t step);
/* base^t for whole t, by squaring: the same bits everywhere. */
double gm__power(double base, int64_t t);
#endif
