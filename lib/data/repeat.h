/* Values that come again, where there is no step that they are multiples of. */
#ifndef GM__REPEAT_H
#define GM__REPEAT_H
#include <stdint.h>
/* The width of bins that hold one value each: the least distance between different ones of n
 * values, which are sorted in place. Values nearer than 2^-30 of the range are the same, but for
 * rounding. 0 where fewer than a tenth of them come again, or all are one. */
double gm__repeat_width(double *x, int64_t n);
/* The width of a column's bins: its resolution (0: none) unless different values lie more than 64
 * of it apart, or there is none; then the above. 0 where the column measures. */
double gm__repeat_unit(double *x, int64_t n, double resolution);
#endif
