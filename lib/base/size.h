/* Size arithmetic that cannot wrap. Each function returns 1, and leaves *out alone, where the
 * result does not fit. */
#ifndef GM__SIZE_H
#define GM__SIZE_H

#include <stddef.h>
#include <stdint.h>

/* A product of bytes: at most PTRDIFF_MAX, the largest object there can be. */
static inline int gm__mul_size(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r) || r > PTRDIFF_MAX)
        return 1;
    *out = r;
    return 0;
}

/* A product of counts; a negative count does not fit. */
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

/* The high half of a 128-bit product; the low half into *low. */
static inline uint64_t gm__mul128(uint64_t a, uint64_t b, uint64_t *low)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    wide r = (wide)a * b;
    *low = (uint64_t)r;
    return (uint64_t)(r >> 64);
#else
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t ll = al * bl, lh = al * bh, hl = ah * bl;
    uint64_t middle = (ll >> 32) + (uint32_t)lh + (uint32_t)hl;
    *low = middle << 32 | (uint32_t)ll;
    return ah * bh + (lh >> 32) + (hl >> 32) + (middle >> 32);
#endif
}

#endif
