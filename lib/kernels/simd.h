/* Vector types of the instruction set in force (GM_ISA). Included by each_isa.h, once per set.
 *
 * vf, vd, vi, vl: float, double, int32, int64 lanes filling one register of VBYTES bytes; VF, VD
 * their lane counts. Arithmetic + - * /, comparisons (all-ones masks) and bit operations are the
 * compiler's own vector operators, and give the same bits everywhere since every lane operation is
 * IEEE. The one fused operation is vf_fma / vd_fma: nothing else may contract
 * (-ffp-contract=off). Every function here is static and always inlined. One
 * translation unit may include it several times (when it holds several sources): GM_SIMD_NEW keeps
 * each function to one definition. */

#if GM_ISA == GM_ISA_AVX512
#define VBYTES 64
#elif GM_ISA == GM_ISA_AVX2
#define VBYTES 32
#else
#define VBYTES 16
#endif
#define VF (VBYTES / 4)
#define VD (VBYTES / 8)
#define VINLINE static inline __attribute__((always_inline, unused))
/* One copy, called, of what is big, used from several places and not what programs wait for. VLEAN:
 * only in a baseline that computes fused multiply-adds by calls, which cost more than these. */
#define VSHARED static __attribute__((noinline, unused))
#if GM_ISA == GM_ISA_BASE && !defined(__FP_FAST_FMA)
#define VLEAN VSHARED
#else
#define VLEAN VINLINE
#endif

#if GM_ISA == GM_ISA_BASE && !defined(GM_SIMD_BASE)
#define GM_SIMD_BASE
#define GM_SIMD_NEW
#elif GM_ISA == GM_ISA_AVX2 && !defined(GM_SIMD_AVX2)
#define GM_SIMD_AVX2
#define GM_SIMD_NEW
#elif GM_ISA == GM_ISA_AVX512 && !defined(GM_SIMD_AVX512)
#define GM_SIMD_AVX512
#define GM_SIMD_NEW
#elif GM_ISA == GM_ISA_NEON && !defined(GM_SIMD_NEON)
#define GM_SIMD_NEON
#define GM_SIMD_NEW
#endif

#define vf ISA(gm__vf)
#define vd ISA(gm__vd)
#define vi ISA(gm__vi)
#define vl ISA(gm__vl)
#define vu ISA(gm__vu)
#define vul ISA(gm__vul)
#define vf_load ISA(gm__vf_load)
#define vf_store ISA(gm__vf_store)
#define vd_load ISA(gm__vd_load)
#define vd_store ISA(gm__vd_store)
#define vf_set ISA(gm__vf_set)
#define vd_set ISA(gm__vd_set)
#define vf_fma ISA(gm__vf_fma)
#define vd_fma ISA(gm__vd_fma)
#define vf_sqrt ISA(gm__vf_sqrt)
#define vd_sqrt ISA(gm__vd_sqrt)
#define vf_pick ISA(gm__vf_pick)
#define vd_pick ISA(gm__vd_pick)
#define vf_min ISA(gm__vf_min)
#define vf_max ISA(gm__vf_max)
#define vd_min ISA(gm__vd_min)
#define vd_max ISA(gm__vd_max)
#define vf_neg ISA(gm__vf_neg)
#define vd_neg ISA(gm__vd_neg)
#define vf_abs ISA(gm__vf_abs)
#define vd_abs ISA(gm__vd_abs)
#define vf_sign ISA(gm__vf_sign)
#define vd_sign ISA(gm__vd_sign)
#define vi_set ISA(gm__vi_set)
#define vl_set ISA(gm__vl_set)
#define vi_any ISA(gm__vi_any)
#define vl_any ISA(gm__vl_any)
#define vd_low ISA(gm__vd_low)
#define vd_high ISA(gm__vd_high)
#define vf_join ISA(gm__vf_join)
#define vf_part ISA(gm__vf_part)
#define vd_part ISA(gm__vd_part)
#define vf_put ISA(gm__vf_put)
#define vd_put ISA(gm__vd_put)

#ifdef GM_SIMD_NEW
typedef float vf __attribute__((vector_size(VBYTES)));
typedef double vd __attribute__((vector_size(VBYTES)));
typedef int32_t vi __attribute__((vector_size(VBYTES)));
typedef int64_t vl __attribute__((vector_size(VBYTES)));
typedef uint32_t vu __attribute__((vector_size(VBYTES)));
typedef uint64_t vul __attribute__((vector_size(VBYTES)));

/* Unaligned loads and stores. */
VINLINE vf vf_load(const float *p)
{
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
VINLINE void vf_store(float *p, vf v)
{
    memcpy(p, &v, sizeof v);
}
VINLINE vd vd_load(const double *p)
{
    vd v;
    memcpy(&v, p, sizeof v);
    return v;
}
VINLINE void vd_store(double *p, vd v)
{
    memcpy(p, &v, sizeof v);
}
/* All lanes x. */
VINLINE vf vf_set(float x)
{
    return x - (vf){0};
}
VINLINE vd vd_set(double x)
{
    return x - (vd){0};
}
VINLINE vi vi_set(int32_t x)
{
    return x - (vi){0};
}
VINLINE vl vl_set(int64_t x)
{
    return x - (vl){0};
}
/* m ? a : b by lane; m is all ones or all zeros in each lane. */
VINLINE vf vf_pick(vi m, vf a, vf b)
{
#if GM_ISA == GM_ISA_AVX2
    return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)m);
#else
    return (vf)((m & (vi)a) | (~m & (vi)b));
#endif
}
VINLINE vd vd_pick(vl m, vd a, vd b)
{
#if GM_ISA == GM_ISA_AVX2
    return (vd)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)m);
#else
    return (vd)((m & (vl)a) | (~m & (vl)b));
#endif
}

/* a < b ? a : b and a > b ? a : b: with a NaN on either side the answer is b. */
#if GM_ISA == GM_ISA_AVX512
VINLINE vf vf_min(vf a, vf b)
{
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
}
VINLINE vf vf_max(vf a, vf b)
{
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}
VINLINE vd vd_min(vd a, vd b)
{
    return (vd)_mm512_min_pd((__m512d)a, (__m512d)b);
}
VINLINE vd vd_max(vd a, vd b)
{
    return (vd)_mm512_max_pd((__m512d)a, (__m512d)b);
}
#elif GM_ISA == GM_ISA_AVX2
VINLINE vf vf_min(vf a, vf b)
{
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
}
VINLINE vf vf_max(vf a, vf b)
{
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}
VINLINE vd vd_min(vd a, vd b)
{
    return (vd)_mm256_min_pd((__m256d)a, (__m256d)b);
}
VINLINE vd vd_max(vd a, vd b)
{
    return (vd)_mm256_max_pd((__m256d)a, (__m256d)b);
}
#else
VINLINE vf vf_min(vf a, vf b)
{
    return vf_pick(a < b, a, b);
}
VINLINE vf vf_max(vf a, vf b)
{
    return vf_pick(a > b, a, b);
}
VINLINE vd vd_min(vd a, vd b)
{
    return vd_pick(a < b, a, b);
}
VINLINE vd vd_max(vd a, vd b)
{
    return vd_pick(a > b, a, b);
}
#endif

/* Sign bits: negated, cleared, and a with the sign of s (a must not be negative). */
VINLINE vf vf_neg(vf a)
{
    return (vf)((vi)a ^ vi_set(INT32_MIN));
}
VINLINE vd vd_neg(vd a)
{
    return (vd)((vl)a ^ vl_set(INT64_MIN));
}
VINLINE vf vf_abs(vf a)
{
    return (vf)((vi)a & vi_set(INT32_MAX));
}
VINLINE vd vd_abs(vd a)
{
    return (vd)((vl)a & vl_set(INT64_MAX));
}
VINLINE vf vf_sign(vf a, vf s)
{
    return (vf)((vi)a | ((vi)s & vi_set(INT32_MIN)));
}
VINLINE vd vd_sign(vd a, vd s)
{
    return (vd)((vl)a | ((vl)s & vl_set(INT64_MIN)));
}

/* Whether any lane of a mask is set. */
VINLINE int vi_any(vi m)
{
#if GM_ISA == GM_ISA_AVX512
    return _mm512_movepi32_mask((__m512i)m) != 0;
#elif GM_ISA == GM_ISA_AVX2
    return _mm256_movemask_epi8((__m256i)m) != 0;
#elif GM_ISA == GM_ISA_NEON
    return vmaxvq_u32((uint32x4_t)m) != 0;
#else
    vl w = (vl)m;
    return (w[0] | w[1]) != 0;
#endif
}
VINLINE int vl_any(vl m)
{
    return vi_any((vi)m);
}

/* The lower and upper half of the lanes as doubles, and two such halves rounded to float. */
#if GM_ISA == GM_ISA_AVX512
VINLINE vd vd_low(vf a)
{
    return (vd)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)a));
}
VINLINE vd vd_high(vf a)
{
    return (vd)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)a, 1));
}
VINLINE vf vf_join(vd a, vd b)
{
    return (vf)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)a)),
                                  _mm512_cvtpd_ps((__m512d)b), 1);
}
#elif GM_ISA == GM_ISA_AVX2
VINLINE vd vd_low(vf a)
{
    return (vd)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)a));
}
VINLINE vd vd_high(vf a)
{
    return (vd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)a, 1));
}
VINLINE vf vf_join(vd a, vd b)
{
    return (vf)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)b), _mm256_cvtpd_ps((__m256d)a));
}
#else
VINLINE vd vd_low(vf a)
{
    return (vd){a[0], a[1]};
}
VINLINE vd vd_high(vf a)
{
    return (vd){a[2], a[3]};
}
VINLINE vf vf_join(vd a, vd b)
{
    return (vf){(float)a[0], (float)a[1], (float)b[0], (float)b[1]};
}
#endif

/* The first k lanes from or to memory (k from 1 to the lane count), zero in the rest. */
#if GM_ISA == GM_ISA_AVX512
VINLINE vf vf_part(const float *p, int64_t k)
{
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << k) - 1), p);
}
VINLINE vd vd_part(const double *p, int64_t k)
{
    return (vd)_mm512_maskz_loadu_pd((__mmask8)((1u << k) - 1), p);
}
VINLINE void vf_put(float *p, vf v, int64_t k)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << k) - 1), (__m512)v);
}
VINLINE void vd_put(double *p, vd v, int64_t k)
{
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << k) - 1), (__m512d)v);
}
#else
VSHARED vf vf_part(const float *p, int64_t k)
{
    vf v = {0};
    memcpy(&v, p, (size_t)k * sizeof *p);
    return v;
}
VSHARED vd vd_part(const double *p, int64_t k)
{
    vd v = {0};
    memcpy(&v, p, (size_t)k * sizeof *p);
    return v;
}
VSHARED void vf_put(float *p, vf v, int64_t k)
{
    memcpy(p, &v, (size_t)k * sizeof *p);
}
VSHARED void vd_put(double *p, vd v, int64_t k)
{
    memcpy(p, &v, (size_t)k * sizeof *p);
}
#endif

/* a * b + c with one rounding. */
#if GM_ISA == GM_ISA_AVX512
VINLINE vf vf_fma(vf a, vf b, vf c)
{
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
VINLINE vd vd_fma(vd a, vd b, vd c)
{
    return (vd)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
VINLINE vf vf_sqrt(vf a)
{
    return (vf)_mm512_sqrt_ps((__m512)a);
}
VINLINE vd vd_sqrt(vd a)
{
    return (vd)_mm512_sqrt_pd((__m512d)a);
}
#elif GM_ISA == GM_ISA_AVX2
VINLINE vf vf_fma(vf a, vf b, vf c)
{
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
VINLINE vd vd_fma(vd a, vd b, vd c)
{
    return (vd)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
VINLINE vf vf_sqrt(vf a)
{
    return (vf)_mm256_sqrt_ps((__m256)a);
}
VINLINE vd vd_sqrt(vd a)
{
    return (vd)_mm256_sqrt_pd((__m256d)a);
}
#elif GM_ISA == GM_ISA_NEON
VINLINE vf vf_fma(vf a, vf b, vf c)
{
    return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
VINLINE vd vd_fma(vd a, vd b, vd c)
{
    return (vd)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
VINLINE vf vf_sqrt(vf a)
{
    return (vf)vsqrtq_f32((float32x4_t)a);
}
VINLINE vd vd_sqrt(vd a)
{
    return (vd)vsqrtq_f64((float64x2_t)a);
}
#else
/* IEEE defines fma and sqrt exactly, so the C library's are the same bits, slowly. */
VLEAN vf vf_fma(vf a, vf b, vf c)
{
    for (int i = 0; i < VF; i++)
        a[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return a;
}
VLEAN vd vd_fma(vd a, vd b, vd c)
{
    for (int i = 0; i < VD; i++)
        a[i] = __builtin_fma(a[i], b[i], c[i]);
    return a;
}
VINLINE vf vf_sqrt(vf a)
{
    for (int i = 0; i < VF; i++)
        a[i] = __builtin_sqrtf(a[i]);
    return a;
}
VINLINE vd vd_sqrt(vd a)
{
    for (int i = 0; i < VD; i++)
        a[i] = __builtin_sqrt(a[i]);
    return a;
}
#endif
#undef GM_SIMD_NEW
#endif
