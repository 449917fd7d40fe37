/* Sorting in place, without memory and without recursion: heap sort, n log n whatever the input. */
#ifndef GM__SORT_H
#define GM__SORT_H
#include <stdint.h>
/* Ascending; the values must be numbers (no NaN). */
void gm__sort_reals(double *x, int64_t n);
/* Ascending by what compare says of two elements (negative, 0, positive), as strcmp. */
void gm__sort_pointers(void **x, int64_t n, int (*compare)(const void *a, const void *b));
/* The place of value in sorted x, or -1. */
int64_t gm__find_real(const double *x, int64_t n, double value);
#endif
