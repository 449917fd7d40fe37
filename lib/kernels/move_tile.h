/* Turning rows into lanes: loads of 16-byte pieces of several rows, transposed inside the 16-byte
 * lanes of a register. Included inside a body (kernels/each_isa.h).
 *
 * A tile of float is VF rows of 4 columns, of double VD rows of 2: t[c] ends as column c, its
 * lane i row i. 3 loads with insertion and 2 shuffles a register; no shuffle crosses a 16-byte
 * lane. */

#define TILE_F 4
#define TILE_D 2

/* Interleave the low or high halves of each 16-byte lane, by 4 or by 8 bytes. */
#if GM_ISA == GM_ISA_AVX512
#define ZIP4_LO(a, b) ((vf)_mm512_unpacklo_ps((__m512)(a), (__m512)(b)))
#define ZIP4_HI(a, b) ((vf)_mm512_unpackhi_ps((__m512)(a), (__m512)(b)))
#define ZIP8_LO(a, b) ((vd)_mm512_unpacklo_pd((__m512d)(a), (__m512d)(b)))
#define ZIP8_HI(a, b) ((vd)_mm512_unpackhi_pd((__m512d)(a), (__m512d)(b)))
#elif GM_ISA == GM_ISA_AVX2
#define ZIP4_LO(a, b) ((vf)_mm256_unpacklo_ps((__m256)(a), (__m256)(b)))
#define ZIP4_HI(a, b) ((vf)_mm256_unpackhi_ps((__m256)(a), (__m256)(b)))
#define ZIP8_LO(a, b) ((vd)_mm256_unpacklo_pd((__m256d)(a), (__m256d)(b)))
#define ZIP8_HI(a, b) ((vd)_mm256_unpackhi_pd((__m256d)(a), (__m256d)(b)))
#elif GM_ISA == GM_ISA_NEON
#define ZIP4_LO(a, b) ((vf)vzip1q_f32((float32x4_t)(a), (float32x4_t)(b)))
#define ZIP4_HI(a, b) ((vf)vzip2q_f32((float32x4_t)(a), (float32x4_t)(b)))
#define ZIP8_LO(a, b) ((vd)vzip1q_f64((float64x2_t)(a), (float64x2_t)(b)))
#define ZIP8_HI(a, b) ((vd)vzip2q_f64((float64x2_t)(a), (float64x2_t)(b)))
#else
#define ZIP4_LO(a, b) ((vf){(a)[0], (b)[0], (a)[1], (b)[1]})
#define ZIP4_HI(a, b) ((vf){(a)[2], (b)[2], (a)[3], (b)[3]})
#define ZIP8_LO(a, b) ((vd){(a)[0], (b)[0]})
#define ZIP8_HI(a, b) ((vd){(a)[1], (b)[1]})
#endif

/* 16 bytes of each of the rows 0, step, 2 step, ... of x: as many as the register has lanes. */
VINLINE vf ISA(tile_rows)(const void *x, int64_t step_bytes)
{
    const char *p = x;
#if GM_ISA == GM_ISA_AVX512
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps((const float *)(const void *)p));
    v = _mm512_mask_broadcast_f32x4(v, 0x00f0,
                                    _mm_loadu_ps((const float *)(const void *)(p + step_bytes)));
    v = _mm512_mask_broadcast_f32x4(
        v, 0x0f00, _mm_loadu_ps((const float *)(const void *)(p + 2 * step_bytes)));
    v = _mm512_mask_broadcast_f32x4(
        v, 0xf000, _mm_loadu_ps((const float *)(const void *)(p + 3 * step_bytes)));
    return (vf)v;
#elif GM_ISA == GM_ISA_AVX2
    __m256 v = _mm256_castps128_ps256(_mm_loadu_ps((const float *)(const void *)p));
    return (vf)_mm256_insertf128_ps(v, _mm_loadu_ps((const float *)(const void *)(p + step_bytes)),
                                    1);
#else
    (void)step_bytes;
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
#endif
}

/* The inverse: the 16-byte lanes of v to rows 0, step, 2 step, ... of y. */
VINLINE void ISA(tile_put)(void *y, int64_t step_bytes, vf v)
{
    char *p = y;
#if GM_ISA == GM_ISA_AVX512
    __m512 w = (__m512)v;
    _mm_storeu_ps((float *)(void *)p, _mm512_castps512_ps128(w));
    _mm_storeu_ps((float *)(void *)(p + step_bytes), _mm512_extractf32x4_ps(w, 1));
    _mm_storeu_ps((float *)(void *)(p + 2 * step_bytes), _mm512_extractf32x4_ps(w, 2));
    _mm_storeu_ps((float *)(void *)(p + 3 * step_bytes), _mm512_extractf32x4_ps(w, 3));
#elif GM_ISA == GM_ISA_AVX2
    _mm_storeu_ps((float *)(void *)p, _mm256_castps256_ps128((__m256)v));
    _mm_storeu_ps((float *)(void *)(p + step_bytes), _mm256_extractf128_ps((__m256)v, 1));
#else
    (void)step_bytes;
    memcpy(p, &v, sizeof v);
#endif
}

/* Transposes 4 x 4 floats in each 16-byte lane: its own inverse. */
VINLINE void ISA(tile_turn_f)(vf *t)
{
    vd a = (vd)ZIP4_LO(t[0], t[1]), b = (vd)ZIP4_HI(t[0], t[1]);
    vd c = (vd)ZIP4_LO(t[2], t[3]), d = (vd)ZIP4_HI(t[2], t[3]);
    t[0] = (vf)ZIP8_LO(a, c);
    t[1] = (vf)ZIP8_HI(a, c);
    t[2] = (vf)ZIP8_LO(b, d);
    t[3] = (vf)ZIP8_HI(b, d);
}

/* Transposes 2 x 2 doubles in each 16-byte lane. */
VINLINE void ISA(tile_turn_d)(vd *t)
{
    vd a = ZIP8_LO(t[0], t[1]), b = ZIP8_HI(t[0], t[1]);
    t[0] = a;
    t[1] = b;
}

/* Columns 0 to 3 of VF rows of x, `stride` elements apart. */
VINLINE void ISA(tile_load_f)(vf *t, const float *x, int64_t stride)
{
    GM_UNROLL
    for (int i = 0; i < 4; i++)
        t[i] = ISA(tile_rows)(x + i * stride, 4 * stride * 4);
    ISA(tile_turn_f)(t);
}

VINLINE void ISA(tile_load_d)(vd *t, const double *x, int64_t stride)
{
    GM_UNROLL
    for (int i = 0; i < 2; i++)
        t[i] = (vd)ISA(tile_rows)(x + i * stride, 2 * stride * 8);
    ISA(tile_turn_d)(t);
}

/* Back to rows; t is spoiled. */
VINLINE void ISA(tile_store_f)(float *y, int64_t stride, vf *t)
{
    ISA(tile_turn_f)(t);
    GM_UNROLL
    for (int i = 0; i < 4; i++)
        ISA(tile_put)(y + i * stride, 4 * stride * 4, t[i]);
}

VINLINE void ISA(tile_store_d)(double *y, int64_t stride, vd *t)
{
    ISA(tile_turn_d)(t);
    GM_UNROLL
    for (int i = 0; i < 2; i++)
        ISA(tile_put)(y + i * stride, 2 * stride * 8, (vf)t[i]);
}

#undef ZIP4_LO
#undef ZIP4_HI
#undef ZIP8_LO
#undef ZIP8_HI
