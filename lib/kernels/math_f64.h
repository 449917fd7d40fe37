/* Elementary functions on a register of doubles, for inclusion in kernel bodies: what math_f32.h is
 * for floats, with the same names. */
#include "kernels/math_coef.h"
#include "kernels/poly.h"
#include "kernels/reduce_pi.h"

#define vd_pow2 ISA(gm__vd_pow2)
#define vd_scale ISA(gm__vd_scale)
#define vd_from_vl ISA(gm__vd_from_vl)
#define vd_exp_parts ISA(gm__vd_exp_parts)
#define vd_exp_pair ISA(gm__vd_exp_pair)
#define vd_exp ISA(gm__vd_exp)
#define vd_expm1 ISA(gm__vd_expm1)
#define vd_log_parts ISA(gm__vd_log_parts)
#define vd_log ISA(gm__vd_log)
#define vd_log1p ISA(gm__vd_log1p)
#define vd_log1p_unit ISA(gm__vd_log1p_unit)
#define vd_softplus ISA(gm__vd_softplus)
#define vd_log_sigmoid ISA(gm__vd_log_sigmoid)
#define vd_sigmoid ISA(gm__vd_sigmoid)
#define vd_silu ISA(gm__vd_silu)
#define vd_silu_slope ISA(gm__vd_silu_slope)
#define vd_silu_both ISA(gm__vd_silu_both)
#define vd_softplus_both ISA(gm__vd_softplus_both)
#define vd_tanh ISA(gm__vd_tanh)
#define vd_quarter_turns ISA(gm__vd_quarter_turns)
#define vd_sine_of ISA(gm__vd_sine_of)
#define vd_sin ISA(gm__vd_sin)
#define vd_cos ISA(gm__vd_cos)
#define vd_atan ISA(gm__vd_atan)

#if GM_ISA == GM_ISA_BASE && !defined(GM_MATH_F64_BASE)
#define GM_MATH_F64_BASE
#define GM_MATH_F64_NEW
#elif GM_ISA == GM_ISA_AVX2 && !defined(GM_MATH_F64_AVX2)
#define GM_MATH_F64_AVX2
#define GM_MATH_F64_NEW
#elif GM_ISA == GM_ISA_AVX512 && !defined(GM_MATH_F64_AVX512)
#define GM_MATH_F64_AVX512
#define GM_MATH_F64_NEW
#elif GM_ISA == GM_ISA_NEON && !defined(GM_MATH_F64_NEON)
#define GM_MATH_F64_NEON
#define GM_MATH_F64_NEW
#endif

#ifdef GM_MATH_F64_NEW

/* 2^n, n from -1022 to 1023. */
VINLINE vd vd_pow2(vl n)
{
    return (vd)(((vul)n + 1023) << 52);
}

/* v 2^n, rounded once; n from -2000 to 2000, v from 2^-40 to 2^40. */
VLEAN vd vd_scale(vd v, vl n)
{
    vul half = (((vul)n + 4096) >> 1) - 2048;
    return v * vd_pow2((vl)half) * vd_pow2((vl)((vul)n - half));
}

/* |k| under 2^51, by the bits: AVX2 has no conversion. */
VINLINE vd vd_from_vl(vl k)
{
    vd magic = vd_set(0x1.8p52);
    return (vd)((vul)k + (vul)magic) - magic;
}

/* e^x = (result + low) * 2^n, result in [0.7, 1.42]; |x| under 1e6. */
VLEAN vd vd_exp_pair(vd x, vd *low, vl *n)
{
    vd magic = vd_set(0x1.8p52);
    vd t = vd_fma(x, vd_set(0x1.71547652b82fep0), magic);
    vd k = t - magic;
    vd r = vd_fma(k, vd_set(-0x1.62e42fefa39efp-1), x);
    r = vd_fma(k, vd_set(-0x1.abc9e3b39803fp-56), r);
    *n = (vl)((vul)t - (vul)magic);
    vd q = VD_POLY(11, r, GM_EXP_F64);
    vd p = vd_fma(r * r, q, r);
    vd y = p + 1.0;
    *low = p - (y - 1.0);
    return y;
}

VINLINE vd vd_exp_parts(vd x, vl *n)
{
    vd low;
    return vd_exp_pair(x, &low, n);
}

/* 25 operations. */
VLEAN vd vd_exp(vd x)
{
    vl n;
    x = vd_min(vd_set(710.0), vd_max(vd_set(-747.0), x));
    vd v = vd_exp_parts(x, &n);
    return vd_scale(v, n);
}

/* 2^n (e^r - 1) + (2^n - 1), halved against overflow; the second rounding of r is kept. */
VINLINE vd vd_expm1(vd x)
{
    vd magic = vd_set(0x1.8p52), log2_low = vd_set(-0x1.abc9e3b39803fp-56);
    vd a = vd_min(vd_set(710.0), vd_max(vd_set(-40.0), x));
    vd t = vd_fma(a, vd_set(0x1.71547652b82fep0), magic);
    vd k = t - magic;
    vd top = vd_fma(k, vd_set(-0x1.62e42fefa39efp-1), a);
    vd r = vd_fma(k, log2_low, top);
    vd low = vd_fma(k, log2_low, top - r);
    vd q = VD_POLY(11, r, GM_EXP_F64);
    vd p = r + vd_fma(r * r, q, low);
    vd s = vd_pow2((vl)((vul)t - (vul)magic - 1));
    vd y = vd_fma(p, s, s - 0.5) * 2.0;
    return vd_pick(vd_abs(x) < 0x1p-60, x, y);
}

/* k log 2 + log(1 + f), f from sqrt(1/2) - 1 to sqrt(2) - 1. With s = f/(2+f):
 * log(1+f) = 2s + s^3 R(s^2) = f - (f^2/2 - s (f^2/2 + s^2 R)). */
VLEAN vd vd_log_parts(vd f, vd k)
{
    vd s = f / (f + 2.0);
    vd z = s * s;
    vd half = f * f * 0.5;
    vd w = vd_fma(z, VD_POLY(8, z, GM_LOG_F64), half);
    vd low = vd_fma(s, w, k * 0x1.abc9e3b39803fp-56);
    return vd_fma(k, vd_set(0x1.62e42fefa39efp-1), f - (half - low));
}

/* 35 operations and a division. */
VLEAN vd vd_log(vd x)
{
    const uint64_t root = 0x3fe6a09e667f3bcd;
    vl tiny = x < 0x1p-1022;
    vd a = vd_pick(tiny, x * 0x1p52, x);
    vul bits = (vul)a - root;
    vl k = (vl)((bits + ((uint64_t)1 << 63)) >> 52) - 2048 - (tiny & 52);
    vd m = (vd)((bits & 0xfffffffffffff) + root);
    vd y = vd_log_parts(m - 1.0, vd_from_vl(k));
    y = vd_pick(x < __builtin_inf(), y, x);
    y = vd_pick(x == 0.0, vd_set(-__builtin_inf()), y);
    return vd_pick(x < 0.0, vd_set(__builtin_nan("")), y);
}

/* log(u + c) where u + c = 1 + x exactly. */
VINLINE vd vd_log1p(vd x)
{
    const uint64_t root = 0x3fe6a09e667f3bcd;
    vd u = x + 1.0;
    vd b = u - 1.0;
    vd c = (1.0 - (u - b)) + (x - b);
    vul bits = (vul)u - root;
    vl k = (vl)((bits + ((uint64_t)1 << 63)) >> 52) - 2048;
    vd m = (vd)((bits & 0xfffffffffffff) + root);
    vd shrink = (vd)(((vul)(1023 - k) << 52) & (vul)(k < 1023));
    vd f = (m - 1.0) + c * shrink;
    vd y = vd_log_parts(f, vd_from_vl(k));
    y = vd_pick(x < __builtin_inf(), y, x);
    y = vd_pick(x == 0.0, x, y);
    y = vd_pick(x == -1.0, vd_set(-__builtin_inf()), y);
    return vd_pick(x < -1.0, vd_set(__builtin_nan("")), y);
}

/* log(1 + t) for t from 0 to 1. */
VLEAN vd vd_log1p_unit(vd t)
{
    vl high = t > 0x1.a827999fcef32p-2;
    vd f = vd_pick(high, vd_fma(t, vd_set(0.5), vd_set(-0.5)), t);
    return vd_log_parts(f, (vd)(high & (vl)vd_set(1.0)));
}

/* log(1 + e^x). */
VLEAN vd vd_softplus(vd x)
{
    vd t = vd_exp(vd_neg(vd_abs(x)));
    return vd_max(vd_set(0.0), x) + vd_log1p_unit(t);
}

/* log(1 / (1 + e^-x)). */
VINLINE vd vd_log_sigmoid(vd x)
{
    return vd_neg(vd_softplus(vd_neg(x)));
}

/* 1 / (1 + e^-x) as b / (1 + t), t = e^-|x|, b = 1 or t, with what rounding took from t, 1 + t
 * and the quotient put back. */
VINLINE vd vd_sigmoid(vd x)
{
    vl n, below = x < 0.0;
    vd v_low, v = vd_exp_pair(vd_max(vd_set(-747.0), vd_neg(vd_abs(x))), &v_low, &n);
    vd t = vd_scale(v, n), t_low = vd_scale(v_low, n);
    vd d = t + 1.0;
    vd d_low = (t - (d - 1.0)) + t_low;
    vd inverse = 1.0 / d;
    vd b = vd_pick(below, t, vd_set(1.0));
    vd b_low = (vd)(below & (vl)t_low);
    vd y = b * inverse;
    vd rest = vd_fma(vd_neg(y), d, b) + vd_fma(vd_neg(y), d_low, b_low);
    return vd_fma(rest, inverse, y);
}

/* x / (1 + e^-x); the power of two comes last, so that it underflows by one rounding. */
VINLINE vd vd_silu(vd x)
{
    vl n, below = x < 0.0;
    vd a = vd_max(vd_set(-800.0), x);
    vd v = vd_exp_parts(vd_max(vd_set(-800.0), vd_neg(vd_abs(a))), &n);
    vd y = vd_pick(below, a * v, a) / (vd_scale(v, n) + 1.0);
    return vd_scale(y, n & below);
}

VINLINE vd vd_silu_slope(vd x)
{
    vd s = vd_sigmoid(x);
    return s * (x * (1.0 - s) + 1.0);
}

VINLINE vd vd_silu_both(vd x, vd *slope)
{
    *slope = vd_silu_slope(x);
    return vd_silu(x);
}

VINLINE vd vd_softplus_both(vd x, vd *slope)
{
    *slope = vd_sigmoid(x);
    return vd_softplus(x);
}

/* A polynomial under 0.55, 1 - 2 / (e^2x + 1) above. */
VINLINE vd vd_tanh(vd x)
{
    vd a = vd_abs(x);
    vd u = a * a;
    vd near = vd_fma(a * u, VD_POLY(13, u, GM_TANH_F64), a);
    vd far = 1.0 - 2.0 / (vd_exp(a + a) + 1.0);
    return vd_sign(vd_pick(a < 0.55, near, far), x);
}

/* a = n pi/2 + r + low for a >= 0, |r| up to pi/4 and a little; n modulo 4. pi/2 in three pieces up
 * to 2^30 (the first product is exact, the second in two parts); in integers, lane by lane, above.
 */
VLEAN vd vd_quarter_turns(vd a, vd *low, vl *quadrant)
{
    vd magic = vd_set(0x1.8p52), second = vd_set(0x1.1a62633145c07p-54);
    vd t = vd_fma(a, vd_set(0x1.45f306dc9c883p-1), magic);
    vd n = t - magic;
    vd top = vd_fma(n, vd_set(-0x1.921fb54442d18p0), a);
    vd p = n * second;
    vd p_low = vd_fma(n, second, vd_neg(p));
    vd r = top - p;
    vd b = r - top;
    vd rest = (top - (r - b)) - (p + b);
    rest = rest - vd_fma(n, vd_set(-0x1.f1976b7ed8fbcp-110), p_low);
    vl q = (vl)t;
    vl far = ~(a <= GM__REDUCE_F64);
    if (vl_any(far))
        gm__reduce_pi_f64((double *)&r, (double *)&rest, (int64_t *)&q, (const double *)&a, VD);
    *low = rest;
    *quadrant = q;
    return r;
}

/* sin(r + low + q pi/2). */
VLEAN vd vd_sine_of(vd r, vd low, vl q)
{
    vd u = r * r;
    vd s = r + vd_fma(r * u, VD_POLY(7, u, GM_SIN_F64), low);
    vd half = u * 0.5;
    vd w = 1.0 - half;
    vd c = vd_fma(u * u, VD_POLY(7, u, GM_COS_F64), ((1.0 - w) - half) - r * low);
    vd y = vd_pick((q & 1) != 0, w + c, s);
    return (vd)((vl)y ^ (vl)((vul)(q & 2) << 62));
}

VINLINE vd vd_sin(vd x)
{
    vl q;
    vd low, r = vd_quarter_turns(vd_abs(x), &low, &q);
    return (vd)((vl)vd_sine_of(r, low, q) ^ ((vl)x & INT64_MIN));
}

VINLINE vd vd_cos(vd x)
{
    vl q;
    vd low, r = vd_quarter_turns(vd_abs(x), &low, &q);
    return vd_sine_of(r, low, q + 1);
}

/* atan(a) = base + atan(t): t = a, (a - 1)/(a + 1) or -1/a, |t| up to tan(pi/8). */
VINLINE vd vd_atan(vd x)
{
    vd a = vd_abs(x);
    vl mid = a > 0x1.a827999fcef32p-2, far = a > 0x1.3504f333f9de6p1;
    vd num = vd_pick(far, vd_set(-1.0), vd_pick(mid, a - 1.0, a));
    vd den = vd_pick(far, a, vd_pick(mid, a + 1.0, vd_set(1.0)));
    vd t = num / den;
    vd u = t * t;
    vd high = vd_pick(far, vd_set(0x1.921fb54442d18p0), vd_set(0x1.921fb54442d18p-1));
    vd low = vd_pick(far, vd_set(0x1.1a62633145c07p-54), vd_set(0x1.1a62633145c07p-55));
    high = (vd)((vl)high & mid);
    low = (vd)((vl)low & mid);
    vd y = high + (t + vd_fma(t * u, VD_POLY(12, u, GM_ATAN_F64), low));
    return vd_sign(vd_abs(y), x);
}

#undef GM_MATH_F64_NEW
#endif
