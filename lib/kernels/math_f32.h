/* Elementary functions on a register of floats, for inclusion in kernel bodies.
 *
 * Each is one fixed sequence of IEEE operations and fused multiply-adds, so its bits are those of
 * every instruction set and do not depend on the other lanes. Errors were measured over all
 * floats by test_maps; they stand in ulp behind each name. NaN gives NaN. Costs are in operations
 * a register. Coefficients: math_coef.h. */
#include "kernels/math_coef.h"
#include "kernels/poly.h"
#include "kernels/reduce_pi.h"

#define vf_scale ISA(gm__vf_scale)
#define vf_exp_parts ISA(gm__vf_exp_parts)
#define vf_exp_rest ISA(gm__vf_exp_rest)
#define vf_exp_near ISA(gm__vf_exp_near)
#define vf_exp_pair ISA(gm__vf_exp_pair)
#define vf_exp ISA(gm__vf_exp)
#define vf_expm1 ISA(gm__vf_expm1)
#define vf_log_parts ISA(gm__vf_log_parts)
#define vf_log ISA(gm__vf_log)
#define vf_log1p ISA(gm__vf_log1p)
#define vf_log1p_unit ISA(gm__vf_log1p_unit)
#define vf_softplus ISA(gm__vf_softplus)
#define vf_log_sigmoid ISA(gm__vf_log_sigmoid)
#define vf_sigmoid ISA(gm__vf_sigmoid)
#define vf_sigmoid_of ISA(gm__vf_sigmoid_of)
#define vf_softplus_both ISA(gm__vf_softplus_both)
#define vf_silu ISA(gm__vf_silu)
#define vf_silu_slope ISA(gm__vf_silu_slope)
#define vf_silu_both ISA(gm__vf_silu_both)
#define vf_tanh ISA(gm__vf_tanh)
#define vf_quarter_turns ISA(gm__vf_quarter_turns)
#define vf_sine_of ISA(gm__vf_sine_of)
#define vf_sin ISA(gm__vf_sin)
#define vf_cos ISA(gm__vf_cos)
#define vf_atan ISA(gm__vf_atan)

#if GM_ISA == GM_ISA_BASE && !defined(GM_MATH_F32_BASE)
#define GM_MATH_F32_BASE
#define GM_MATH_F32_NEW
#elif GM_ISA == GM_ISA_AVX2 && !defined(GM_MATH_F32_AVX2)
#define GM_MATH_F32_AVX2
#define GM_MATH_F32_NEW
#elif GM_ISA == GM_ISA_AVX512 && !defined(GM_MATH_F32_AVX512)
#define GM_MATH_F32_AVX512
#define GM_MATH_F32_NEW
#elif GM_ISA == GM_ISA_NEON && !defined(GM_MATH_F32_NEON)
#define GM_MATH_F32_NEON
#define GM_MATH_F32_NEW
#endif

#ifdef GM_MATH_F32_NEW

/* v 2^n, rounded once; n from -250 to 250, v from 2^-20 to 2^20. */
VLEAN vf vf_scale(vf v, vi n)
{
    vi half = n >> 1;
    v *= (vf)(((vu)half + 127) << 23);
    return v * (vf)(((vu)n - (vu)half + 127) << 23);
}

/* x - n log 2, exact but for one rounding; |x| under 1e6. */
VINLINE vf vf_exp_rest(vf x, vi *n)
{
    vf magic = vf_set(0x1.8p23f);
    vf t = vf_fma(x, vf_set(0x1.715476p0f), magic);
    vf k = t - magic;
    vf r = vf_fma(k, vf_set(-0x1.62e43p-1f), x);
    *n = (vi)((vu)t - (vu)magic);
    return vf_fma(k, vf_set(0x1.05c61p-29f), r);
}

/* e^x = (result + low) * 2^n, result in [0.7, 1.42]. e^r = 1 + (r + r^2 q(r)). */
VLEAN vf vf_exp_pair(vf x, vf *low, vi *n)
{
    vf r = vf_exp_rest(x, n);
    vf p = vf_fma(r * r, VF_POLY(6, r, GM_EXP_F32), r);
    vf y = p + 1.0f;
    *low = p - (y - 1.0f);
    return y;
}

/* The same of x + more, |more| far under 1. */
VINLINE vf vf_exp_near(vf x, vf more, vf *low, vi *n)
{
    vf r = vf_exp_rest(x, n) + more;
    vf p = vf_fma(r * r, VF_POLY(6, r, GM_EXP_F32), r);
    vf y = p + 1.0f;
    *low = p - (y - 1.0f);
    return y;
}

VINLINE vf vf_exp_parts(vf x, vi *n)
{
    vf low;
    return vf_exp_pair(x, &low, n);
}

/* 15 operations. */
VLEAN vf vf_exp(vf x)
{
    vi n;
    x = vf_min(vf_set(90.0f), vf_max(vf_set(-105.0f), x));
    vf v = vf_exp_parts(x, &n);
    return vf_scale(v, n);
}

/* 2^n (e^r - 1) + (2^n - 1), halved against overflow; the second rounding of r is kept. */
VINLINE vf vf_expm1(vf x)
{
    vf magic = vf_set(0x1.8p23f);
    vf a = vf_min(vf_set(89.0f), vf_max(vf_set(-20.0f), x));
    vf t = vf_fma(a, vf_set(0x1.715476p0f), magic);
    vf k = t - magic;
    vf top = vf_fma(k, vf_set(-0x1.62e43p-1f), a);
    vf r = vf_fma(k, vf_set(0x1.05c61p-29f), top);
    vf low = vf_fma(k, vf_set(0x1.05c61p-29f), top - r);
    vf q = VF_POLY(6, r, GM_EXP_F32);
    vf p = r + vf_fma(r * r, q, low);
    vf s = (vf)(((vu)t - (vu)magic + 126) << 23);
    vf y = vf_fma(p, s, s - 0.5f) * 2.0f;
    return vf_pick(vf_abs(x) < 0x1p-30f, x, y);
}

/* k log 2 + log(1 + f), f from sqrt(1/2) - 1 to sqrt(2) - 1. */
VLEAN vf vf_log_parts(vf f, vf k)
{
    vf f2 = f * f;
    vf p = VF_POLY(8, f, GM_LOG_F32);
    vf low = vf_fma(k, vf_set(-0x1.05c61p-29f), f2 * vf_fma(f, p, vf_set(-0.5f)));
    return vf_fma(k, vf_set(0x1.62e43p-1f), f + low);
}

/* 30 operations. */
VLEAN vf vf_log(vf x)
{
    vi tiny = x < 0x1p-126f;
    vf a = vf_pick(tiny, x * 0x1p23f, x);
    vi bits = (vi)((vu)a - 0x3f3504f3);
    vi k = (bits >> 23) - (tiny & 23);
    vf m = (vf)((bits & 0x7fffff) + 0x3f3504f3);
    vf y = vf_log_parts(m - 1.0f, __builtin_convertvector(k, vf));
    y = vf_pick(x < __builtin_inff(), y, x);
    y = vf_pick(x == 0.0f, vf_set(-__builtin_inff()), y);
    return vf_pick(x < 0.0f, vf_set(__builtin_nanf("")), y);
}

/* log(u + c) where u + c = 1 + x exactly. */
VINLINE vf vf_log1p(vf x)
{
    vf u = x + 1.0f;
    vf b = u - 1.0f;
    vf c = (1.0f - (u - b)) + (x - b);
    vi bits = (vi)((vu)u - 0x3f3504f3);
    vi k = bits >> 23;
    vf m = (vf)((bits & 0x7fffff) + 0x3f3504f3);
    vf shrink = (vf)(((vu)(127 - k) << 23) & (vu)(k < 127));
    vf f = (m - 1.0f) + c * shrink;
    vf y = vf_log_parts(f, __builtin_convertvector(k, vf));
    y = vf_pick(x < __builtin_inff(), y, x);
    y = vf_pick(x == 0.0f, x, y);
    y = vf_pick(x == -1.0f, vf_set(-__builtin_inff()), y);
    return vf_pick(x < -1.0f, vf_set(__builtin_nanf("")), y);
}

/* log(1 + t) for t from 0 to 1. */
VLEAN vf vf_log1p_unit(vf t)
{
    vi high = t > 0x1.a827p-2f;
    vf f = vf_pick(high, vf_fma(t, vf_set(0.5f), vf_set(-0.5f)), t);
    return vf_log_parts(f, (vf)(high & (vi)vf_set(1.0f)));
}

/* log(1 + e^x). 35 operations. */
VLEAN vf vf_softplus(vf x)
{
    vf t = vf_exp(vf_neg(vf_abs(x)));
    return vf_max(vf_set(0.0f), x) + vf_log1p_unit(t);
}

/* log(1 / (1 + e^-x)). */
VINLINE vf vf_log_sigmoid(vf x)
{
    return vf_neg(vf_softplus(vf_neg(x)));
}

/* 1 / (1 + e^-x) as b / (1 + t), t + t_low = e^-|x|, b = 1 or t, with what rounding took from t,
 * 1 + t and the quotient put back. */
VINLINE vf vf_sigmoid_of(vf x, vf t, vf t_low)
{
    vi below = x < 0.0f;
    vf d = t + 1.0f;
    vf d_low = (t - (d - 1.0f)) + t_low;
    vf inverse = 1.0f / d;
    vf b = vf_pick(below, t, vf_set(1.0f));
    vf b_low = (vf)(below & (vi)t_low);
    vf y = b * inverse;
    vf rest = vf_fma(vf_neg(y), d, b) + vf_fma(vf_neg(y), d_low, b_low);
    return vf_fma(rest, inverse, y);
}

VINLINE vf vf_sigmoid(vf x)
{
    vi n;
    vf low, v = vf_exp_pair(vf_max(vf_set(-105.0f), vf_neg(vf_abs(x))), &low, &n);
    return vf_sigmoid_of(x, vf_scale(v, n), vf_scale(low, n));
}

/* Softplus, and its derivative. */
VINLINE vf vf_softplus_both(vf x, vf *slope)
{
    vi n;
    vf low, v = vf_exp_pair(vf_max(vf_set(-105.0f), vf_neg(vf_abs(x))), &low, &n);
    vf t = vf_scale(v, n);
    *slope = vf_sigmoid_of(x, t, vf_scale(low, n));
    return vf_max(vf_set(0.0f), x) + vf_log1p_unit(t);
}

/* x / (1 + e^-x); the power of two comes last, so that it underflows by one rounding. */
VINLINE vf vf_silu(vf x)
{
    vi n, below = x < 0.0f;
    vf a = vf_max(vf_set(-130.0f), x);
    vf v = vf_exp_parts(vf_max(vf_set(-130.0f), vf_neg(vf_abs(a))), &n);
    vf y = vf_pick(below, a * v, a) / (vf_scale(v, n) + 1.0f);
    return vf_scale(y, n & below);
}

VINLINE vf vf_silu_slope(vf x)
{
    vf s = vf_sigmoid(x);
    return s * (x * (1.0f - s) + 1.0f);
}

/* Both; e^-105 is zero already, so that sigmoid's bound on x may be silu's. */
VINLINE vf vf_silu_both(vf x, vf *slope)
{
    vi n, below = x < 0.0f;
    vf a = vf_max(vf_set(-130.0f), x);
    vf low, v = vf_exp_pair(vf_max(vf_set(-130.0f), vf_neg(vf_abs(a))), &low, &n);
    vf t = vf_scale(v, n), s = vf_sigmoid_of(x, t, vf_scale(low, n));
    *slope = s * (x * (1.0f - s) + 1.0f);
    return vf_scale(vf_pick(below, a * v, a) / (t + 1.0f), n & below);
}

/* A polynomial under 0.55, 1 - 2 / (e^2x + 1) above. */
VINLINE vf vf_tanh(vf x)
{
    vf a = vf_abs(x);
    vf u = a * a;
    vf near = vf_fma(a * u, VF_POLY(6, u, GM_TANH_F32), a);
    vf far = 1.0f - 2.0f / (vf_exp(a + a) + 1.0f);
    return vf_sign(vf_pick(a < 0.55f, near, far), x);
}

/* a = n pi/2 + r for a >= 0, |r| up to pi/4 and a little; the last two bits of n. In doubles up to
 * 2^22; in integers, lane by lane, above. */
VLEAN vf vf_quarter_turns(vf a, vi *quadrant)
{
    vd magic = vd_set(0x1.8p52), inverse = vd_set(0x1.45f306dc9c883p-1);
    vd top = vd_set(-0x1.921fb54442d18p0), low = vd_set(-0x1.1a62633145c07p-54);
    vd a0 = vd_low(a), a1 = vd_high(a);
    vd n0 = vd_fma(a0, inverse, magic) - magic, n1 = vd_fma(a1, inverse, magic) - magic;
    vd r0 = vd_fma(n0, low, vd_fma(n0, top, a0)), r1 = vd_fma(n1, low, vd_fma(n1, top, a1));
    vf r = vf_join(r0, r1);
    vi q = (vi)(vf_join(n0, n1) + 0x1.8p23f);
    vi far = ~(a <= GM__REDUCE_F32);
    if (vi_any(far))
        gm__reduce_pi_f32((float *)&r, (int32_t *)&q, (const float *)&a, VF);
    *quadrant = q;
    return r;
}

/* sin(r + q pi/2). */
VLEAN vf vf_sine_of(vf r, vi q)
{
    vf u = r * r;
    vf s = vf_fma(r * u, VF_POLY(4, u, GM_SIN_F32), r);
    vf c = vf_fma(u * u, VF_POLY(3, u, GM_COS_F32), vf_fma(u, vf_set(-0.5f), vf_set(1.0f)));
    vf y = vf_pick((q & 1) != 0, c, s);
    return (vf)((vi)y ^ (vi)((vu)(q & 2) << 30));
}

/* 45 operations. */
VINLINE vf vf_sin(vf x)
{
    vi q;
    vf r = vf_quarter_turns(vf_abs(x), &q);
    return (vf)((vi)vf_sine_of(r, q) ^ ((vi)x & INT32_MIN));
}

VINLINE vf vf_cos(vf x)
{
    vi q;
    vf r = vf_quarter_turns(vf_abs(x), &q);
    return vf_sine_of(r, q + 1);
}

/* atan(a) = base + atan(t): t = a, (a - 1)/(a + 1) or -1/a, |t| up to tan(pi/8). */
VINLINE vf vf_atan(vf x)
{
    vf a = vf_abs(x);
    vi mid = a > 0x1.a8279ap-2f, far = a > 0x1.3504f4p1f;
    vf num = vf_pick(far, vf_set(-1.0f), vf_pick(mid, a - 1.0f, a));
    vf den = vf_pick(far, a, vf_pick(mid, a + 1.0f, vf_set(1.0f)));
    vf t = num / den;
    vf u = t * t;
    vf high = vf_pick(far, vf_set(0x1.921fb6p0f), vf_set(0x1.921fb6p-1f));
    vf low = vf_pick(far, vf_set(-0x1.777a5cp-25f), vf_set(-0x1.777a5cp-26f));
    high = (vf)((vi)high & mid);
    low = (vf)((vi)low & mid);
    vf y = high + (t + vf_fma(t * u, VF_POLY(5, u, GM_ATAN_F32), low));
    return vf_sign(vf_abs(y), x);
}

#undef GM_MATH_F32_NEW
#endif
