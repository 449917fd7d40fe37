/* Vector types of the instruction set in force (GM_ISA). Included by each_isa.h, once per set.
 *
 * vf, vd, vi, vl: float, double, int32, int64 lanes filling one register of VBYTES bytes; VF, VD
 * their lane counts. Arithmetic + - * /, comparisons (all-ones masks) and bit operations are the
 * compiler's own vector operators, and give the same bits everywhere since every lane operation is
 * IEEE. The one fused operation is vf_fma / vd_fma: nothing else may contract
 * (-ffp-contract=off). Every function here is static and always inlined. */

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

#define vf ISA(gm__vf)
#define vd ISA(gm__vd)
#define vi ISA(gm__vi)
#define vl ISA(gm__vl)
typedef float vf __attribute__((vector_size(VBYTES)));
typedef double vd __attribute__((vector_size(VBYTES)));
typedef int32_t vi __attribute__((vector_size(VBYTES)));
typedef int64_t vl __attribute__((vector_size(VBYTES)));

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
/* m ? a : b by lane; m is all ones or all zeros in each lane. */
VINLINE vf vf_pick(vi m, vf a, vf b)
{
    return (vf)((m & (vi)a) | (~m & (vi)b));
}
VINLINE vd vd_pick(vl m, vd a, vd b)
{
    return (vd)((m & (vl)a) | (~m & (vl)b));
}

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
VINLINE vf vf_fma(vf a, vf b, vf c)
{
    for (int i = 0; i < VF; i++)
        a[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return a;
}
VINLINE vd vd_fma(vd a, vd b, vd c)
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
