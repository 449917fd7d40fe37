/* Units of one type R. A unit's weights are a column of the matrix, read down the rows, each spread
 * over a register; rows of the batch lie in the lanes. Per step `TOGETHER` loads and a broadcast a
 * unit feed 6 * TOGETHER multiply-adds. */

/* nu <= 6 units at y, nv <= TOGETHER vectors of lanes: y = sum over q < k of h[q] w[q]. */
VINLINE void RNAME(units_tile)(const int nu, const int nv, R *y, const R *h, const R *w,
                               int64_t lanes, int64_t ldw, int64_t k)
{
    for (int64_t q = 0; q == 0 || q < k;) {
        V sum[6][TOGETHER], x[TOGETHER];
        int64_t end = k - q < GM__K_CUT ? k : q + GM__K_CUT;
        int first = q == 0;
        GM_UNROLL
        for (int i = 0; i < nu; i++)
            GM_UNROLL
        for (int v = 0; v < nv; v++)
            sum[i][v] = v_set(0);
        for (; q < end; q++) {
            GM_UNROLL
            for (int v = 0; v < nv; v++)
                x[v] = v_load(h + q * lanes + v * VN);
            __builtin_prefetch(w + (q + 8) * ldw);
            GM_UNROLL
            for (int i = 0; i < nu; i++) {
                V c = v_set(w[q * ldw + i]);
                GM_UNROLL
                for (int v = 0; v < nv; v++)
                    sum[i][v] = v_fma(c, x[v], sum[i][v]);
            }
        }
        GM_UNROLL
        for (int i = 0; i < nu; i++)
            GM_UNROLL
        for (int v = 0; v < nv; v++) {
            R *to = y + i * lanes + v * VN;
            v_store(to, first ? sum[i][v] : v_load(to) + sum[i][v]);
        }
        q += !k;
    }
}

#define UNITS_OF(nu)                                                                               \
    static void RNAME(units_##nu)(R * y, const R *h, const R *w, int64_t lanes, int64_t ldw,       \
                                  int64_t k)                                                       \
    {                                                                                              \
        int64_t v = 0;                                                                             \
        for (; v + TOGETHER * VN <= lanes; v += TOGETHER * VN)                                     \
            RNAME(units_tile)(nu, TOGETHER, y + v, h + v, w, lanes, ldw, k);                       \
        for (; v < lanes; v += VN)                                                                 \
            RNAME(units_tile)(nu, 1, y + v, h + v, w, lanes, ldw, k);                              \
    }
UNITS_OF(1)
UNITS_OF(2)
UNITS_OF(3)
UNITS_OF(4)
UNITS_OF(5)
UNITS_OF(6)
#undef UNITS_OF

static void RNAME(units)(void *y, const void *h, const void *w, int64_t lanes, int64_t ldw,
                         int64_t k, int64_t count)
{
    static void (*const some[])(R *, const R *, const R *, int64_t, int64_t,
                                int64_t) = {RNAME(units_1), RNAME(units_2), RNAME(units_3),
                                            RNAME(units_4), RNAME(units_5), RNAME(units_6)};
    for (int64_t i = 0; i < count;) {
        int64_t left = count - i, n = left <= 6 ? left : left < 12 ? (left + 1) / 2 : 6;
        some[n - 1]((R *)y + i * lanes, h, (const R *)w + i, lanes, ldw, k);
        i += n;
    }
}
