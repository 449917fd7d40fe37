/* Rational-quadratic splines of one instruction set, for float and double. */
#include "kernels/math_f32.h"
#include "kernels/math_f64.h"
#include "kernels/move_tile.h"

/* Up to so many bins the raw parameters of a vector of elements are turned into lanes on the
 * stack. */
#define MOST_BINS 32

/* The raw slope whose slope is 1: softplus(r) = 1 - min_slope, r = log(exp(1 - min_slope) - 1). */
static double ISA(raw_of_one)(double min_slope)
{
    return vd_log(vd_exp(vd_set(1 - min_slope)) - 1.0)[0];
}

/* Eight bins in float, the flow's own, get code with the loops unrolled. */
#define RNAME(name) ISA(name##_f32)
#if GM_ISA != GM_ISA_BASE
#define EIGHT_BINS
#endif
#define R float
#define V vf
#define VM vi
#define VN VF
#define TILE TILE_F
#define v_load vf_load
#define v_store vf_store
#define v_set vf_set
#define v_sqrt vf_sqrt
#define v_pick vf_pick
#define v_exp_parts vf_exp_parts
#define v_power(n) ((vf)(((n) + 127) << 23))
#define v_min vf_min
#define v_max vf_max
#define v_abs vf_abs
#define v_log vf_log
#define v_log1p_unit vf_log1p_unit
#define v_tile_load ISA(tile_load_f)
#define v_tile_store ISA(tile_store_f)
#if GM_ISA == GM_ISA_AVX512
#define MASK __mmask16
#define m_ge(a, b) _mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_GE_OQ)
#define m_pick(m, a, b) ((vf)_mm512_mask_blend_ps(m, (__m512)(b), (__m512)(a)))
#endif
#include "kernels/spline_real.h"
#undef EIGHT_BINS
#undef RNAME
#undef R
#undef V
#undef VM
#undef VN
#undef TILE
#undef v_load
#undef v_store
#undef v_set
#undef v_sqrt
#undef v_pick
#undef v_exp_parts
#undef v_power
#undef v_min
#undef v_max
#undef v_abs
#undef v_log
#undef v_log1p_unit
#undef v_tile_load
#undef v_tile_store
#undef MASK
#undef m_ge
#undef m_pick

#if GM_ISA != GM_ISA_AVX512
#define RNAME(name) ISA(name##_f64)
#define R double
#define V vd
#define VM vl
#define VN VD
#define TILE TILE_D
#define v_load vd_load
#define v_store vd_store
#define v_set vd_set
#define v_sqrt vd_sqrt
#define v_pick vd_pick
#define v_exp_parts vd_exp_parts
#define v_power(n) vd_pow2(n)
#define v_min vd_min
#define v_max vd_max
#define v_abs vd_abs
#define v_log vd_log
#define v_log1p_unit vd_log1p_unit
#define v_tile_load ISA(tile_load_d)
#define v_tile_store ISA(tile_store_d)
#include "kernels/spline_real.h"
#undef RNAME
#undef R
#undef V
#undef VM
#undef VN
#undef TILE
#undef v_load
#undef v_store
#undef v_set
#undef v_sqrt
#undef v_pick
#undef v_exp_parts
#undef v_power
#undef v_min
#undef v_max
#undef v_abs
#undef v_log
#undef v_log1p_unit
#undef v_tile_load
#undef v_tile_store
#undef MASK
#undef m_ge
#undef m_pick
#endif

static void ISA(run)(const gm__spline *s, void *y, void *log_slope, const void *x, const void *p,
                     int64_t n)
{
    if (s->real == GM__F32)
        ISA(run_f32)(s, y, log_slope, x, p, n);
    else
        ISA_SMALL(run_f64)(s, y, log_slope, x, p, n);
}

static void ISA(grad)(const gm__spline *s, void *dx, void *dp, const void *x, const void *p,
                      const void *dy, const void *dlog_slope, int64_t n)
{
    if (s->real == GM__F32)
        ISA(grad_f32)(s, dx, dp, x, p, dy, dlog_slope, n);
    else
        ISA_SMALL(grad_f64)(s, dx, dp, x, p, dy, dlog_slope, n);
}

extern const gm__splines ISA(gm__splines);
const gm__splines ISA(gm__splines) = {ISA(run), ISA(grad)};

#undef MOST_BINS
#undef TILE_F
#undef TILE_D
