/* Arrays from callers. */
#ifndef GM__ARRAY_H
#define GM__ARRAY_H

#include "base/context.h"

/* Bytes of one element; 0 for no such dtype. */
size_t gm__dtype_size(int32_t dtype);

/* An array that a caller filled: GM_E_ARG where it is missing, malformed or without data,
 * GM_E_SHAPE where its sizes are negative or their product does not fit. what is for texts: "x".
 * *count (may be NULL) gets the number of elements. */
gm_status gm__array_check(gm_context *ctx, const gm_array *array, const char *what, int64_t *count);

#endif
