/* Micro-kernels for the columns left over behind two vectors, where half a vector costs half (see
 * product_tile_body.h, whose macros these use). `few` columns: their lanes alone are read from B
 * and, if `in_c`, written; otherwise a whole vector is written, zeros last. */

/* Two vectors and up to half of one more: each value of A is broadcast once for all. */
#define GM_ODD_STEP(r, base, times)                                                                \
    if (h > r) {                                                                                   \
        V x = V_SET(GM_ROW(base, times));                                                          \
        c##r##a = V_FMA(x, b0, c##r##a);                                                           \
        c##r##b = V_FMA(x, b1, c##r##b);                                                           \
        c##r##c = H_FMA(H_LOW(x), b2, c##r##c);                                                    \
    }
#define GM_ODD_SAVE(r)                                                                             \
    if (h > r) {                                                                                   \
        V_STORE(out + r * ldo, c##r##a);                                                           \
        V_STORE(out + r * ldo + VL, c##r##b);                                                      \
        if (in_c)                                                                                  \
            H_STORE(out + r * ldo + 2 * VL, lanes, c##r##c);                                       \
        else                                                                                       \
            V_STORE(out + r * ldo + 2 * VL, H_WIDE(c##r##c));                                      \
    }
#define GM_ODD 9
VINLINE void T(odd_tile)(const int h, GM_TILE_ARGS, int few, int in_c)
{
    const V zero = {0};
    const H none = {0};
    const __mmask8 lanes = (__mmask8)((1u << few) - 1);
    V c0a = zero, c1a = zero, c2a = zero, c3a = zero, c4a = zero, c5a = zero;
    V c0b = zero, c1b = zero, c2b = zero, c3b = zero, c4b = zero, c5b = zero;
    V c6a = zero, c7a = zero, c8a = zero, c6b = zero, c7b = zero, c8b = zero;
    H c0c = none, c1c = none, c2c = none, c3c = none, c4c = none, c5c = none;
    H c6c = none, c7c = none, c8c = none;
    const ptrdiff_t rb = rs * (ptrdiff_t)sizeof(R), kb = ks * (ptrdiff_t)sizeof(R);
    const char *p0 = (const char *)a, *p3 = p0 + 3 * rb, *p6 = p3 + 3 * rb;
    for (; k > 0; k--) {
        V b0 = V_LOAD(b), b1 = V_LOAD(b + VL);
        H b2 = H_LOAD_PART(lanes, b + 2 * VL);
        GM_ODD_STEP(0, p0, 0)
        GM_ODD_STEP(1, p0, 1)
        GM_ODD_STEP(2, p0, 2)
        GM_ODD_STEP(3, p3, 0)
        GM_ODD_STEP(4, p3, 1)
        GM_ODD_STEP(5, p3, 2)
        GM_ODD_STEP(6, p6, 0)
        GM_ODD_STEP(7, p6, 1)
        GM_ODD_STEP(8, p6, 2)
        b += bs;
        p0 += kb;
        GM_KEEP(p0);
        p3 += kb;
        GM_KEEP(p3);
        p6 += kb;
        GM_KEEP(p6);
    }
    GM_ODD_SAVE(0)
    GM_ODD_SAVE(1)
    GM_ODD_SAVE(2)
    GM_ODD_SAVE(3)
    GM_ODD_SAVE(4)
    GM_ODD_SAVE(5)
    GM_ODD_SAVE(6)
    GM_ODD_SAVE(7)
    GM_ODD_SAVE(8)
}
#undef GM_ODD_STEP
#undef GM_ODD_SAVE
#define GM_ODD_TILE(h)                                                                             \
    static void T(odd##h)(GM_TILE_ARGS, int few, int in_c)                                         \
    {                                                                                              \
        T(odd_tile)(h, k, a, rs, ks, b, bs, out, ldo, few, in_c);                                  \
    }
GM_ODD_TILE(1)
GM_ODD_TILE(2)
GM_ODD_TILE(3)
GM_ODD_TILE(4)
GM_ODD_TILE(5)
GM_ODD_TILE(6)
GM_ODD_TILE(7)
GM_ODD_TILE(8)
GM_ODD_TILE(9)
#undef GM_ODD_TILE
/* [rows - 1] */
static void (*const T(odd_tiles)[GM_ODD])(GM_TILE_ARGS, int few, int in_c) = {
    T(odd1), T(odd2), T(odd3), T(odd4), T(odd5), T(odd6), T(odd7), T(odd8), T(odd9),
};

/* Two vectors and up to a quarter of one more: half a vector holds two rows of the quarter. */
#define GM_PAIR_ROW(r, base, times)                                                                \
    V x##r = V_SET(GM_ROW(base, times));                                                           \
    c##r##a = V_FMA(x##r, b0, c##r##a);                                                            \
    c##r##b = V_FMA(x##r, b1, c##r##b);
#define GM_PAIR_STEP(r, s, base_r, times_r, base_s, times_s)                                       \
    if (h > s) {                                                                                   \
        GM_PAIR_ROW(r, base_r, times_r)                                                            \
        GM_PAIR_ROW(s, base_s, times_s)                                                            \
        c##r##c = H_FMA(H_JOIN(H_LOW(x##r), H_LOW(x##s)), b2, c##r##c);                            \
    } else if (h > r) {                                                                            \
        GM_PAIR_ROW(r, base_r, times_r)                                                            \
        c##r##c = H_FMA(H_LOW(x##r), b2, c##r##c);                                                 \
    }
#define GM_PAIR_SAVE_ROW(r, quarter)                                                               \
    V_STORE(out + r * ldo, c##r##a);                                                               \
    V_STORE(out + r * ldo + VL, c##r##b);                                                          \
    if (in_c)                                                                                      \
        Q_STORE(out + r * ldo + 2 * VL, lanes, quarter);                                           \
    else                                                                                           \
        V_STORE(out + r * ldo + 2 * VL, Q_WIDE(quarter));
#define GM_PAIR_SAVE(r, s)                                                                         \
    if (h > r) {                                                                                   \
        GM_PAIR_SAVE_ROW(r, Q_LOW(c##r##c))                                                        \
    }                                                                                              \
    if (h > s) {                                                                                   \
        GM_PAIR_SAVE_ROW(s, Q_HIGH(c##r##c))                                                       \
    }
#define GM_PAIR 10
VINLINE void T(pair_tile)(const int h, GM_TILE_ARGS, int few, int in_c)
{
    const V zero = {0};
    const H none = {0};
    const __mmask8 lanes = (__mmask8)((1u << few) - 1);
    V c0a = zero, c1a = zero, c2a = zero, c3a = zero, c4a = zero, c5a = zero;
    V c0b = zero, c1b = zero, c2b = zero, c3b = zero, c4b = zero, c5b = zero;
    V c6a = zero, c7a = zero, c8a = zero, c9a = zero;
    V c6b = zero, c7b = zero, c8b = zero, c9b = zero;
    H c0c = none, c2c = none, c4c = none, c6c = none, c8c = none;
    const ptrdiff_t rb = rs * (ptrdiff_t)sizeof(R), kb = ks * (ptrdiff_t)sizeof(R);
    const char *p0 = (const char *)a, *p3 = p0 + 3 * rb, *p6 = p3 + 3 * rb;
    for (; k > 0; k--) {
        V b0 = V_LOAD(b), b1 = V_LOAD(b + VL);
        H b2 = H_TWICE(Q_LOAD_PART(lanes, b + 2 * VL));
        GM_PAIR_STEP(0, 1, p0, 0, p0, 1)
        GM_PAIR_STEP(2, 3, p0, 2, p3, 0)
        GM_PAIR_STEP(4, 5, p3, 1, p3, 2)
        GM_PAIR_STEP(6, 7, p6, 0, p6, 1)
        GM_PAIR_STEP(8, 9, p6, 2, p6, 3)
        b += bs;
        p0 += kb;
        GM_KEEP(p0);
        p3 += kb;
        GM_KEEP(p3);
        p6 += kb;
        GM_KEEP(p6);
    }
    GM_PAIR_SAVE(0, 1)
    GM_PAIR_SAVE(2, 3)
    GM_PAIR_SAVE(4, 5)
    GM_PAIR_SAVE(6, 7)
    GM_PAIR_SAVE(8, 9)
}
#undef GM_PAIR_ROW
#undef GM_PAIR_STEP
#undef GM_PAIR_SAVE_ROW
#undef GM_PAIR_SAVE
#define GM_PAIR_TILE(h)                                                                            \
    static void T(pair##h)(GM_TILE_ARGS, int few, int in_c)                                        \
    {                                                                                              \
        T(pair_tile)(h, k, a, rs, ks, b, bs, out, ldo, few, in_c);                                 \
    }
GM_PAIR_TILE(1)
GM_PAIR_TILE(2)
GM_PAIR_TILE(3)
GM_PAIR_TILE(4)
GM_PAIR_TILE(5)
GM_PAIR_TILE(6)
GM_PAIR_TILE(7)
GM_PAIR_TILE(8)
GM_PAIR_TILE(9)
GM_PAIR_TILE(10)
#undef GM_PAIR_TILE
static void (*const T(pair_tiles)[GM_PAIR])(GM_TILE_ARGS, int few, int in_c) = {
    T(pair1), T(pair2), T(pair3), T(pair4), T(pair5),
    T(pair6), T(pair7), T(pair8), T(pair9), T(pair10),
};
