/* Copies of the operands in the order in which the micro-kernels read them, for one instruction set
 * and type. Cost: a read and a write of each element; transposing adds about one shuffle for eight
 * elements. */

/* 4 (float) or 2 (double) vectors of VL columns from as many steps of VL rows: *x is element
 * (column 0, step 0) of a matrix stored by columns, ld apart. */
#if GM_ISA == GM_ISA_BASE
#define GM_BLOCK 1
VINLINE void T(turn)(R *to, ptrdiff_t bs, const R *x, ptrdiff_t ld)
{
    (void)bs;
    for (int i = 0; i < VL; i++)
        to[i] = x[i * ld];
}
#else
#define GM_BLOCK (16 / (int)sizeof(R))

/* 16 bytes from each of the columns r, r + GM_BLOCK, r + 2 GM_BLOCK ..., one after the other. */
VINLINE V T(quarters)(const R *x, ptrdiff_t ld)
{
    const R *y = x + GM_BLOCK * ld;
#if GM_ISA == GM_ISA_AVX512
    const R *z = y + GM_BLOCK * ld, *w = z + GM_BLOCK * ld;
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps((const float *)x));
    v = _mm512_insertf32x4(v, _mm_loadu_ps((const float *)y), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps((const float *)z), 2);
    return (V)_mm512_insertf32x4(v, _mm_loadu_ps((const float *)w), 3);
#elif GM_ISA == GM_ISA_AVX2
    __m256 v = _mm256_castps128_ps256(_mm_loadu_ps((const float *)x));
    return (V)_mm256_insertf128_ps(v, _mm_loadu_ps((const float *)y), 1);
#else
    (void)y;
    return V_LOAD(x);
#endif
}

/* Lanes of 16 bytes: a0 b0 [a1 b1], and the upper halves. */
#if GM_ISA == GM_ISA_AVX512
#define GM_LOW4(a, b) (V) _mm512_unpacklo_ps((__m512)(a), (__m512)(b))
#define GM_HIGH4(a, b) (V) _mm512_unpackhi_ps((__m512)(a), (__m512)(b))
#define GM_LOW8(a, b) (V) _mm512_unpacklo_pd((__m512d)(a), (__m512d)(b))
#define GM_HIGH8(a, b) (V) _mm512_unpackhi_pd((__m512d)(a), (__m512d)(b))
#elif GM_ISA == GM_ISA_AVX2
#define GM_LOW4(a, b) (V) _mm256_unpacklo_ps((__m256)(a), (__m256)(b))
#define GM_HIGH4(a, b) (V) _mm256_unpackhi_ps((__m256)(a), (__m256)(b))
#define GM_LOW8(a, b) (V) _mm256_unpacklo_pd((__m256d)(a), (__m256d)(b))
#define GM_HIGH8(a, b) (V) _mm256_unpackhi_pd((__m256d)(a), (__m256d)(b))
#else
#define GM_LOW4(a, b) (V) vzip1q_f32((float32x4_t)(a), (float32x4_t)(b))
#define GM_HIGH4(a, b) (V) vzip2q_f32((float32x4_t)(a), (float32x4_t)(b))
#define GM_LOW8(a, b) (V) vzip1q_f64((float64x2_t)(a), (float64x2_t)(b))
#define GM_HIGH8(a, b) (V) vzip2q_f64((float64x2_t)(a), (float64x2_t)(b))
#endif

/* GM_BLOCK steps of VL columns. Columns r, r + BLOCK, ... share a register, so that a transpose
 * within lanes of 16 bytes leaves the columns in order. */
VINLINE void T(turn)(R *to, ptrdiff_t bs, const R *x, ptrdiff_t ld)
{
    V a = T(quarters)(x, ld), b = T(quarters)(x + ld, ld);
    if (sizeof(R) == 8) {
        V_STORE(to, GM_LOW8(a, b));
        V_STORE(to + bs, GM_HIGH8(a, b));
        return;
    }
    V c = T(quarters)(x + 2 * ld, ld), d = T(quarters)(x + 3 * ld, ld);
    V ab = GM_LOW4(a, b), cd = GM_LOW4(c, d);
    V_STORE(to, GM_LOW8(ab, cd));
    V_STORE(to + bs, GM_HIGH8(ab, cd));
    ab = GM_HIGH4(a, b), cd = GM_HIGH4(c, d);
    V_STORE(to + 2 * bs, GM_LOW8(ab, cd));
    V_STORE(to + 3 * bs, GM_HIGH8(ab, cd));
}
#endif

#if GM_ISA == GM_ISA_AVX512
/* Of rows a to d lane by lane of 16 bytes: l[i] is lane i of each. */
VINLINE void T(turn_lanes)(V *l, V a, V b, V c, V d)
{
    __m512 x = _mm512_shuffle_f32x4((__m512)a, (__m512)b, 0x88),
           y = _mm512_shuffle_f32x4((__m512)c, (__m512)d, 0x88);
    l[0] = (V)_mm512_shuffle_f32x4(x, y, 0x88);
    l[2] = (V)_mm512_shuffle_f32x4(x, y, 0xdd);
    x = _mm512_shuffle_f32x4((__m512)a, (__m512)b, 0xdd);
    y = _mm512_shuffle_f32x4((__m512)c, (__m512)d, 0xdd);
    l[1] = (V)_mm512_shuffle_f32x4(x, y, 0x88);
    l[3] = (V)_mm512_shuffle_f32x4(x, y, 0xdd);
}
#endif

/* VL steps of VL columns. Of floats each row is read at once: columns some KB apart share a few
 * lines of the first cache, which would be lost between one piece and the next. */
VINLINE void T(turn_square)(R *to, ptrdiff_t bs, const R *x, ptrdiff_t ld)
{
#if GM_ISA == GM_ISA_AVX512
    if (sizeof(R) == 4) {
        V a[4], b[4], c[4], d[4];
        T(turn_lanes)(a, V_LOAD(x), V_LOAD(x + 4 * ld), V_LOAD(x + 8 * ld), V_LOAD(x + 12 * ld));
        x += ld;
        T(turn_lanes)(b, V_LOAD(x), V_LOAD(x + 4 * ld), V_LOAD(x + 8 * ld), V_LOAD(x + 12 * ld));
        x += ld;
        T(turn_lanes)(c, V_LOAD(x), V_LOAD(x + 4 * ld), V_LOAD(x + 8 * ld), V_LOAD(x + 12 * ld));
        x += ld;
        T(turn_lanes)(d, V_LOAD(x), V_LOAD(x + 4 * ld), V_LOAD(x + 8 * ld), V_LOAD(x + 12 * ld));
        GM_UNROLL
        for (int i = 0; i < 4; i++, to += 4 * bs) {
            V low = GM_LOW4(a[i], b[i]), high = GM_LOW4(c[i], d[i]);
            V_STORE(to, GM_LOW8(low, high));
            V_STORE(to + bs, GM_HIGH8(low, high));
            low = GM_HIGH4(a[i], b[i]), high = GM_HIGH4(c[i], d[i]);
            V_STORE(to + 2 * bs, GM_LOW8(low, high));
            V_STORE(to + 3 * bs, GM_HIGH8(low, high));
        }
        return;
    }
#endif
    for (int q = 0; q < VL; q += GM_BLOCK)
        T(turn)(to + q * bs, bs, x + q, ld);
}
#undef GM_LOW4
#undef GM_HIGH4
#undef GM_LOW8
#undef GM_HIGH8

/* A vector of VL columns, k steps, of a matrix stored by columns. Where squares leave a rest, the
 * last ends where the steps do. */
static void T(turn_vector)(R *to, ptrdiff_t bs, const R *x, ptrdiff_t ld, int64_t k)
{
    int64_t q = 0;
    for (; q + VL <= k; q += VL)
        T(turn_square)(to + q * bs, bs, x + q, ld);
    if (q < k && q > 0) {
        T(turn_square)(to + (k - VL) * bs, bs, x + k - VL, ld);
        return;
    }
    for (; q + GM_BLOCK <= k; q += GM_BLOCK)
        T(turn)(to + q * bs, bs, x + q, ld);
    for (; q < k; q++)
        for (int64_t j = 0; j < VL; j++)
            to[q * bs + j] = x[j * ld + q];
}

/* The same of w < VL columns; missing columns are zero. `before` says that VL - w columns lie
 * before x: they are turned as well and shifted out. */
static void T(turn_few)(R *to, ptrdiff_t bs, const R *x, ptrdiff_t ld, int64_t k, int64_t w,
                        int before)
{
    _Alignas(64) R t[GM_BLOCK * 2 * VL] = {0};
    int64_t q = 0;
    for (; before && q + GM_BLOCK <= k; q += GM_BLOCK) {
        T(turn)(t, 2 * VL, x + q - (VL - w) * ld, ld);
        for (int i = 0; i < GM_BLOCK; i++)
            V_STORE(to + (q + i) * bs, V_LOAD(t + i * 2 * VL + VL - w));
    }
    for (; q < k; q++)
        for (int64_t j = 0; j < VL; j++)
            to[q * bs + j] = j < w ? x[j * ld + q] : 0;
}
#undef GM_BLOCK

/* The panel of op(B) of steps [k0, k0 + k) and columns [j, j + w), w <= 2.5 VL: rows of a
 * half to two and a half vectors, bs apart, filled up with zeros. Vectors come in order: where a
 * row ends with half a vector, the rest spills into what is written later (the buffer has a vector
 * to spare). */
static void T(pack_b)(R *to, ptrdiff_t bs, const T(job) * job, int64_t k0, int64_t k, int64_t j,
                      int64_t w)
{
    const ptrdiff_t ld = job->p->ldb;
    if (job->p->tb) {
        for (int64_t q = (w - 1) / VL * VL; q >= 0; q -= VL) {
            const R *x = job->b + (j + q) * ld + k0;
            if (w - q >= VL)
                T(turn_vector)(to + q, bs, x, ld, k);
            else
                T(turn_few)(to + q, bs, x, ld, k, w - q, j + w >= VL);
        }
        return;
    }
    const R *x = job->b + k0 * ld + j;
    if (w == 2 * VL && bs == w) {
        for (; k > 0; k--, x += ld, to += 2 * VL) {
            V_STORE(to, V_LOAD(x));
            V_STORE(to + VL, V_LOAD(x + VL));
        }
        return;
    }
    for (; k > 0; k--, x += ld, to += bs)
        for (int64_t q = 0; q < w; q += VL)
            V_STORE(to + q, T(load)(x + q, w - q));
}

/* The rows of op(A) [i0, i0 + m), steps [k0, k0 + k), where A is stored transposed: each tile's
 * rows side by side, a step after the other. Tiles come in order: a vector may spill into the next
 * one, which is written later (the buffer has a vector to spare at its end). */
static void T(pack_a)(R *to, const T(job) *job, int64_t i, int64_t h, int64_t k0, int64_t k)
{
    const ptrdiff_t ld = job->p->lda;
    const R *x = job->a + k0 * ld + i;
    int64_t wide = (h + VL - 1) / VL * VL;
    if (i + wide <= job->p->m) {
        for (; k > 0; k--, x += ld, to += h)
            for (int64_t r = 0; r < h; r += VL)
                V_STORE(to + r, V_LOAD(x + r));
        return;
    }
    for (; k > 0; k--, x += ld, to += h)
        for (int64_t r = 0; r < h; r++)
            to[r] = x[r];
}
