/* The matrix product for one instruction set: the body for float and double, and the table. */

/* Rows of a tile, and accumulators of a strip: what the registers hold beside operands. A baseline
 * that may compute each fused operation by a call has no strips. */
#if GM_ISA == GM_ISA_AVX512 || GM_ISA == GM_ISA_NEON
#define GM_MR 12
#define GM_STRIP 24
#elif GM_ISA == GM_ISA_AVX2
#define GM_MR 6
#define GM_STRIP 12
#else
#define GM_MR 4
#define GM_STRIP 0
#endif

/* B and transposed A are read in place where that is good: a panel's row is whole cache lines. */
#define GM_IN_PLACE (GM_ISA == GM_ISA_AVX512)
/* Columns left over, if few, take half a register, which costs half on processors that compute 64
 * bytes in two passes. */
#define GM_HALF (GM_ISA == GM_ISA_AVX512)

extern const gm__maps ISA(gm__maps);

#define GM_SPARSE (GM_ISA == GM_ISA_AVX512)
#define R float
#define RKIND GM__F32
#define T(name) ISA(name##_f32)
#define V vf
#define VI vi
#define VL VF
#define V_LOAD vf_load
#define V_STORE vf_store
#define V_SET vf_set
#define V_FMA vf_fma
#define V_PICK vf_pick
#if GM_HALF
#define H __m256
#define H_LOAD _mm256_loadu_ps
#define H_SET _mm256_set1_ps
#define H_FMA _mm256_fmadd_ps
#define H_WIDE(x) ((V)_mm512_zextps256_ps512(x))
#define H_LOW(x) _mm512_castps512_ps256((__m512)(x))
#define H_LOAD_PART _mm256_maskz_loadu_ps
#define H_STORE _mm256_mask_storeu_ps
#define H_JOIN(x, y) _mm256_mask_blend_ps(0xf0, x, y)
#define H_TWICE(x) _mm256_broadcast_f32x4(x)
#define Q_LOAD_PART _mm_maskz_loadu_ps
#define Q_STORE _mm_mask_storeu_ps
#define Q_LOW(x) _mm256_castps256_ps128(x)
#define Q_HIGH(x) _mm256_extractf128_ps(x, 1)
#define Q_WIDE(x) ((V)_mm512_zextps128_ps512(x))
#endif
#include "kernels/product_real_body.h"

#undef GM_SPARSE
#define GM_SPARSE 0
#define R double
#define RKIND GM__F64
#define T(name) ISA(name##_f64)
#define V vd
#define VI vl
#define VL VD
#define V_LOAD vd_load
#define V_STORE vd_store
#define V_SET vd_set
#define V_FMA vd_fma
#define V_PICK vd_pick
#if GM_HALF
#define H __m256d
#define H_LOAD _mm256_loadu_pd
#define H_SET _mm256_set1_pd
#define H_FMA _mm256_fmadd_pd
#define H_WIDE(x) ((V)_mm512_zextpd256_pd512(x))
#define H_LOW(x) _mm512_castpd512_pd256((__m512d)(x))
#define H_LOAD_PART _mm256_maskz_loadu_pd
#define H_STORE _mm256_mask_storeu_pd
#define H_JOIN(x, y) _mm256_mask_blend_pd(0xc, x, y)
#define H_TWICE(x) _mm256_broadcast_f64x2(x)
#define Q_LOAD_PART _mm_maskz_loadu_pd
#define Q_STORE _mm_mask_storeu_pd
#define Q_LOW(x) _mm256_castpd256_pd128(x)
#define Q_HIGH(x) _mm256_extractf128_pd(x, 1)
#define Q_WIDE(x) ((V)_mm512_zextpd128_pd512(x))
#endif
#include "kernels/product_real_body.h"

static size_t ISA(scratch)(const gm__product *p)
{
    return p->real == GM__F32 ? ISA(scratch_f32)(p) : ISA(scratch_f64)(p);
}

static void ISA(run)(const gm__product *p, int part, int parts, void *scratch)
{
    if (p->real == GM__F32)
        ISA(run_f32)(p, part, parts, scratch);
    else
        ISA(run_f64)(p, part, parts, scratch);
}

extern const gm__products ISA(gm__products);
const gm__products ISA(gm__products) = {ISA(scratch), ISA(run)};

#undef GM_SPARSE
#undef GM_MR
#undef GM_STRIP
#undef GM_HALF
#undef GM_IN_PLACE
