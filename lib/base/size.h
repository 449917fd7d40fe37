/* Size arithmetic that cannot wrap. Each returns 1 and leaves *out alone where the result does not fit. */
#ifndef GM__SIZE_H
#define GM__SIZE_H
#include <stddef.h>
#include <stdint.h>
static inline int gm__mul_size(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r) || r > PTRDIFF_MAX)
        return 1;
    *out = r;
    return 0;
}
static inline int gm__mul64(int64_t a, int64_t b, int64_t *out)
{
    int64_t r;
    if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r))
        return 1;
    *out = r;
    return 0;
}
static inline int gm__add64(int64_t a, int64_t b, int64_t *out)
{
    int64_t r;
    if (__builtin_add_overflow(a, b, &r))
        return 1;
    *out = r;
    return 0;
}
#endif
