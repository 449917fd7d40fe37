/* Micro-kernels: the inner loops of the product, for one instruction set and type.
 *
 * out (h, w) = a (h, k) * b (k, w), each element one chain of fused multiply-adds from zero in the
 * order of k. a's element (r, q) is a[r * rs + q * ks], b's row q starts at b + q * bs. Cost: h w k
 * multiply-adds; per step h values of A are broadcast and w of B loaded.
 *
 * Accumulators are named one by one: an array indexed by a variable would live in memory. h and nv
 * are constants where these are inlined, and what they exclude disappears. */

/* Keeps the compiler from rewriting the pointers of a loop into a register for each row. */
#define GM_KEEP(p) __asm__("" : "+r"(p))

#define GM_TILE_ARGS                                                                               \
    int64_t k, const R *a, ptrdiff_t rs, ptrdiff_t ks, const R *b, ptrdiff_t bs, R *out,           \
        ptrdiff_t ldo
#define GM_ROW(base, times) (*(const R *)((base) + (times)*rb))
#define GM_STEP(r, base, times)                                                                    \
    if (h > r) {                                                                                   \
        V x = V_SET(GM_ROW(base, times));                                                          \
        c##r##a = V_FMA(x, b0, c##r##a);                                                           \
        if (nv > 1)                                                                                \
            c##r##b = V_FMA(x, b1, c##r##b);                                                       \
    }
#define GM_SAVE(r)                                                                                 \
    if (h > r) {                                                                                   \
        V_STORE(out + r * ldo, c##r##a);                                                           \
        if (nv > 1)                                                                                \
            V_STORE(out + r * ldo + VL, c##r##b);                                                  \
    }

/* h rows (up to 12) by nv vectors (1 or 2). */
VINLINE void T(tile)(const int h, const int nv, GM_TILE_ARGS)
{
    const V zero = {0};
    V c0a = zero, c1a = zero, c2a = zero, c3a = zero, c4a = zero, c5a = zero;
    V c0b = zero, c1b = zero, c2b = zero, c3b = zero, c4b = zero, c5b = zero;
    V c6a = zero, c7a = zero, c8a = zero, c9a = zero, c10a = zero, c11a = zero;
    V c6b = zero, c7b = zero, c8b = zero, c9b = zero, c10b = zero, c11b = zero;
    const ptrdiff_t rb = rs * (ptrdiff_t)sizeof(R), kb = ks * (ptrdiff_t)sizeof(R);
    const char *p0 = (const char *)a, *p3 = p0 + 3 * rb, *p6 = p3 + 3 * rb, *p9 = p6 + 3 * rb;
    for (; k > 0; k--) {
        V b0 = V_LOAD(b), b1 = nv > 1 ? V_LOAD(b + VL) : b0;
        GM_STEP(0, p0, 0)
        GM_STEP(1, p0, 1)
        GM_STEP(2, p0, 2)
        GM_STEP(3, p3, 0)
        GM_STEP(4, p3, 1)
        GM_STEP(5, p3, 2)
        GM_STEP(6, p6, 0)
        GM_STEP(7, p6, 1)
        GM_STEP(8, p6, 2)
        GM_STEP(9, p9, 0)
        GM_STEP(10, p9, 1)
        GM_STEP(11, p9, 2)
        b += bs;
        p0 += kb;
        GM_KEEP(p0);
        if (h > 3) {
            p3 += kb;
            GM_KEEP(p3);
        }
        if (h > 6) {
            p6 += kb;
            GM_KEEP(p6);
        }
        if (h > 9) {
            p9 += kb;
            GM_KEEP(p9);
        }
    }
    GM_SAVE(0)
    GM_SAVE(1)
    GM_SAVE(2)
    GM_SAVE(3)
    GM_SAVE(4)
    GM_SAVE(5)
    GM_SAVE(6)
    GM_SAVE(7)
    GM_SAVE(8)
    GM_SAVE(9)
    GM_SAVE(10)
    GM_SAVE(11)
}

#if GM_HALF
/* The same for half a vector, where that costs half: w <= VL / 2, zeros stored beyond. */
#define GM_HALF_STEP(r, base, times)                                                               \
    if (h > r)                                                                                     \
        c##r = H_FMA(H_SET(GM_ROW(base, times)), b0, c##r);
#define GM_HALF_SAVE(r)                                                                            \
    if (h > r)                                                                                     \
        V_STORE(out + r * ldo, H_WIDE(c##r));
VINLINE void T(half_tile)(const int h, GM_TILE_ARGS)
{
    const H zero = {0};
    H c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero;
    H c6 = zero, c7 = zero, c8 = zero, c9 = zero, c10 = zero, c11 = zero;
    const ptrdiff_t rb = rs * (ptrdiff_t)sizeof(R), kb = ks * (ptrdiff_t)sizeof(R);
    const char *p0 = (const char *)a, *p3 = p0 + 3 * rb, *p6 = p3 + 3 * rb, *p9 = p6 + 3 * rb;
    for (; k > 0; k--) {
        H b0 = H_LOAD(b);
        GM_HALF_STEP(0, p0, 0)
        GM_HALF_STEP(1, p0, 1)
        GM_HALF_STEP(2, p0, 2)
        GM_HALF_STEP(3, p3, 0)
        GM_HALF_STEP(4, p3, 1)
        GM_HALF_STEP(5, p3, 2)
        GM_HALF_STEP(6, p6, 0)
        GM_HALF_STEP(7, p6, 1)
        GM_HALF_STEP(8, p6, 2)
        GM_HALF_STEP(9, p9, 0)
        GM_HALF_STEP(10, p9, 1)
        GM_HALF_STEP(11, p9, 2)
        b += bs;
        p0 += kb;
        GM_KEEP(p0);
        p3 += kb;
        GM_KEEP(p3);
        p6 += kb;
        GM_KEEP(p6);
        p9 += kb;
        GM_KEEP(p9);
    }
    GM_HALF_SAVE(0)
    GM_HALF_SAVE(1)
    GM_HALF_SAVE(2)
    GM_HALF_SAVE(3)
    GM_HALF_SAVE(4)
    GM_HALF_SAVE(5)
    GM_HALF_SAVE(6)
    GM_HALF_SAVE(7)
    GM_HALF_SAVE(8)
    GM_HALF_SAVE(9)
    GM_HALF_SAVE(10)
    GM_HALF_SAVE(11)
}
#undef GM_HALF_STEP
#undef GM_HALF_SAVE
#endif

typedef void T(tile_fn)(GM_TILE_ARGS);
#define GM_TILE_OF(name, body, ...)                                                                \
    static void T(name)(GM_TILE_ARGS)                                                              \
    {                                                                                              \
        T(body)(__VA_ARGS__, k, a, rs, ks, b, bs, out, ldo);                                       \
    }
#if GM_HALF
#define GM_TILE(h)                                                                                 \
    GM_TILE_OF(tile##h##x0, half_tile, h)                                                          \
    GM_TILE_OF(tile##h##x1, tile, h, 1)                                                            \
    GM_TILE_OF(tile##h##x2, tile, h, 2)
#define GM_TILE_ROW(h) {T(tile##h##x0), T(tile##h##x1), T(tile##h##x2)}
#else
#define GM_TILE(h)                                                                                 \
    GM_TILE_OF(tile##h##x1, tile, h, 1)                                                            \
    GM_TILE_OF(tile##h##x2, tile, h, 2)
#define GM_TILE_ROW(h) {NULL, T(tile##h##x1), T(tile##h##x2)}
#endif
GM_TILE(1)
GM_TILE(2)
GM_TILE(3)
GM_TILE(4)
#if GM_MR > 4
GM_TILE(5)
GM_TILE(6)
#endif
#if GM_MR > 6
GM_TILE(7)
GM_TILE(8)
GM_TILE(9)
GM_TILE(10)
GM_TILE(11)
GM_TILE(12)
#endif
/* [rows - 1][vectors; 0: half of one] */
static T(tile_fn) *const T(tiles)[GM_MR][3] = {
    GM_TILE_ROW(1), GM_TILE_ROW(2), GM_TILE_ROW(3), GM_TILE_ROW(4),
#if GM_MR > 4
    GM_TILE_ROW(5), GM_TILE_ROW(6),
#endif
#if GM_MR > 6
    GM_TILE_ROW(7), GM_TILE_ROW(8), GM_TILE_ROW(9), GM_TILE_ROW(10), GM_TILE_ROW(11),
    GM_TILE_ROW(12),
#endif
};

#if GM_STRIP
/* Strips: a row or a few times a wide piece of B, read once and in place; bound by memory. w is
 * from (nv - 1) VL + 1 to nv VL and at least VL. The last vector ends at column w, so that nothing
 * is read beyond it; where it overlaps the one before, both compute the same. */
#define GM_STRIP_ARGS                                                                              \
    int64_t k, const R *a, ptrdiff_t rs, ptrdiff_t ks, const R *b, ptrdiff_t bs, int64_t w,        \
        R *out, ptrdiff_t ldo
#define GM_STRIP_AT(v) (v + 1 == nv ? last : (v)*VL)
#define GM_STRIP_ZERO(v) V c0_##v = zero, c1_##v = zero, c2_##v = zero, c3_##v = zero;
#define GM_STRIP_STEP(v)                                                                           \
    if (nv > v) {                                                                                  \
        V y = V_LOAD(b + GM_STRIP_AT(v));                                                          \
        c0_##v = V_FMA(x0, y, c0_##v);                                                             \
        if (h > 1)                                                                                 \
            c1_##v = V_FMA(x1, y, c1_##v);                                                         \
        if (h > 2)                                                                                 \
            c2_##v = V_FMA(x2, y, c2_##v);                                                         \
        if (h > 3)                                                                                 \
            c3_##v = V_FMA(x3, y, c3_##v);                                                         \
    }
#define GM_STRIP_SAVE(v)                                                                           \
    if (nv > v) {                                                                                  \
        V_STORE(out + GM_STRIP_AT(v), c0_##v);                                                     \
        if (h > 1)                                                                                 \
            V_STORE(out + ldo + GM_STRIP_AT(v), c1_##v);                                           \
        if (h > 2)                                                                                 \
            V_STORE(out + 2 * ldo + GM_STRIP_AT(v), c2_##v);                                       \
        if (h > 3)                                                                                 \
            V_STORE(out + 3 * ldo + GM_STRIP_AT(v), c3_##v);                                       \
    }
#define GM_STRIP_EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

/* h rows (up to 4) by nv vectors (up to 8). */
VINLINE void T(strip)(const int h, const int nv, GM_STRIP_ARGS)
{
    const V zero = {0};
    const int64_t last = w - VL;
    GM_STRIP_EACH(GM_STRIP_ZERO)
    for (; k > 0; k--) {
        V x0 = V_SET(a[0]), x1 = h > 1 ? V_SET(a[rs]) : x0;
        V x2 = h > 2 ? V_SET(a[2 * rs]) : x0, x3 = h > 3 ? V_SET(a[3 * rs]) : x0;
        GM_STRIP_EACH(GM_STRIP_STEP)
        a += ks;
        b += bs;
    }
    GM_STRIP_EACH(GM_STRIP_SAVE)
}

typedef void T(strip_fn)(GM_STRIP_ARGS);
#define GM_STRIP_FN(h, nv)                                                                         \
    static void T(strip##h##x##nv)(GM_STRIP_ARGS)                                                  \
    {                                                                                              \
        T(strip)(h, nv, k, a, rs, ks, b, bs, w, out, ldo);                                         \
    }
#if GM_STRIP == 24
GM_STRIP_FN(1, 1)
GM_STRIP_FN(1, 2)
GM_STRIP_FN(1, 3)
GM_STRIP_FN(1, 4)
GM_STRIP_FN(1, 5)
GM_STRIP_FN(1, 6)
GM_STRIP_FN(1, 7)
GM_STRIP_FN(1, 8)
GM_STRIP_FN(2, 1)
GM_STRIP_FN(2, 2)
GM_STRIP_FN(2, 3)
GM_STRIP_FN(2, 4)
GM_STRIP_FN(2, 5)
GM_STRIP_FN(2, 6)
GM_STRIP_FN(2, 7)
GM_STRIP_FN(2, 8)
GM_STRIP_FN(3, 1)
GM_STRIP_FN(3, 2)
GM_STRIP_FN(3, 3)
GM_STRIP_FN(3, 4)
GM_STRIP_FN(3, 5)
GM_STRIP_FN(3, 6)
GM_STRIP_FN(3, 7)
GM_STRIP_FN(3, 8)
GM_STRIP_FN(4, 1)
GM_STRIP_FN(4, 2)
GM_STRIP_FN(4, 3)
GM_STRIP_FN(4, 4)
GM_STRIP_FN(4, 5)
GM_STRIP_FN(4, 6)
static const int T(strip_width)[4] = {8, 8, 8, 6};
/* [rows - 1][vectors - 1] */
static T(strip_fn) *const T(strips)[4][8] = {
    {T(strip1x1), T(strip1x2), T(strip1x3), T(strip1x4), T(strip1x5), T(strip1x6), T(strip1x7),
     T(strip1x8)},
    {T(strip2x1), T(strip2x2), T(strip2x3), T(strip2x4), T(strip2x5), T(strip2x6), T(strip2x7),
     T(strip2x8)},
    {T(strip3x1), T(strip3x2), T(strip3x3), T(strip3x4), T(strip3x5), T(strip3x6), T(strip3x7),
     T(strip3x8)},
    {T(strip4x1), T(strip4x2), T(strip4x3), T(strip4x4), T(strip4x5), T(strip4x6)},
};
#else
GM_STRIP_FN(1, 1)
GM_STRIP_FN(1, 2)
GM_STRIP_FN(1, 3)
GM_STRIP_FN(1, 4)
GM_STRIP_FN(1, 5)
GM_STRIP_FN(1, 6)
GM_STRIP_FN(1, 7)
GM_STRIP_FN(1, 8)
GM_STRIP_FN(2, 1)
GM_STRIP_FN(2, 2)
GM_STRIP_FN(2, 3)
GM_STRIP_FN(2, 4)
GM_STRIP_FN(2, 5)
GM_STRIP_FN(2, 6)
GM_STRIP_FN(3, 1)
GM_STRIP_FN(3, 2)
GM_STRIP_FN(3, 3)
GM_STRIP_FN(3, 4)
GM_STRIP_FN(4, 1)
GM_STRIP_FN(4, 2)
GM_STRIP_FN(4, 3)
static const int T(strip_width)[4] = {8, 6, 4, 3};
/* [rows - 1][vectors - 1] */
static T(strip_fn) *const T(strips)[4][8] = {
    {T(strip1x1), T(strip1x2), T(strip1x3), T(strip1x4), T(strip1x5), T(strip1x6), T(strip1x7),
     T(strip1x8)},
    {T(strip2x1), T(strip2x2), T(strip2x3), T(strip2x4), T(strip2x5), T(strip2x6)},
    {T(strip3x1), T(strip3x2), T(strip3x3), T(strip3x4)},
    {T(strip4x1), T(strip4x2), T(strip4x3)},
};
#endif
#endif

#if GM_HALF
#include "kernels/product_odd_body.h"
#endif

#undef GM_KEEP
#undef GM_TILE_ARGS
#undef GM_ROW
#undef GM_STEP
#undef GM_SAVE
#undef GM_TILE
#undef GM_TILE_OF
#undef GM_TILE_ROW
#undef GM_STRIP_ARGS
#undef GM_STRIP_AT
#undef GM_STRIP_ZERO
#undef GM_STRIP_STEP
#undef GM_STRIP_SAVE
#undef GM_STRIP_EACH
#undef GM_STRIP_FN
