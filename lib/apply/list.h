/* Rising lists of doubles as symbols. Lists of numbers that were whole before someone centred and
 * scaled them lie near the multiples of a step: then an entry is how many steps it is from the one
 * before, and how many doubles from the multiple. */
#ifndef GM__LIST_H
#define GM__LIST_H
#include "apply/rans.h"

/* Of a list: the step, 0 where no step makes it shorter, and about how many bits it takes. */
double gm__list_step(const double *list, int64_t count, double *bits);
void gm__list_add(gm__symbols *s, const double *list, int64_t count);
/* Reads one entry after the other; zero but for .decoder to begin with. */
typedef struct gm__list_reader {
    gm__rans_decoder *decoder;
    gm__adaptive steps, rest;
    double first, step;
    uint64_t multiple;
    int64_t place, read;
} gm__list_reader;
/* 0 where the bytes are those of no rising list of finite numbers. */
int gm__list_next(gm__list_reader *r, double *value);

#endif
