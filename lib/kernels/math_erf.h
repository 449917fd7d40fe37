/* Part of maps_body.h: the error function and the normal distribution.
 *
 * Up to 15/32, erf(x) = x S(x^2). Above, erfc(x) = e^(-x^2) F(t) / (1 + 2x), t = (x - 3)/(x + 3):
 * F runs from 1 to 1.29 and is a polynomial to the last bit. The exponent's argument must be
 * exact, so it comes as a pair; in tails the power of two is applied last. */

#define vd_erfc_parts ISA(gm__vd_erfc_parts)
#define vd_erf_small ISA(gm__vd_erf_small)
#define vd_erf ISA(gm__vd_erf)
#define vd_erfc ISA(gm__vd_erfc)
#define vd_normal_tail ISA(gm__vd_normal_tail)
#define vd_normal_cdf ISA(gm__vd_normal_cdf)
#define vd_gelu ISA(gm__vd_gelu)
#define vd_erfc_short ISA(gm__vd_erfc_short)
#define vd_erf_f32 ISA(gm__vd_erf_f32)
#define vd_erfc_f32 ISA(gm__vd_erfc_f32)
#define vd_normal_cdf_f32 ISA(gm__vd_normal_cdf_f32)
#define vf_erf ISA(gm__vf_erf)
#define vf_erfc ISA(gm__vf_erfc)
#define vf_normal_cdf ISA(gm__vf_normal_cdf)
#define vf_gelu ISA(gm__vf_gelu)

#define GM_ERF_CUT 0.46875

/* erfc(a) = result * 2^n for a from 0.46 to 100, square = a^2. */
VLEAN vdd vd_erfc_parts(vdd a, vdd square, vl *n)
{
    vd t = (a.h - 3.0) / (a.h + 3.0);
    vdd p = vdd_product(t, VD_POLY(23, t, GM_POLY_REST(GM_ERFC_F64)));
    vdd f = vdd_fast(vd_set(GM_POLY_FIRST(GM_ERFC_F64)), p.h);
    f.l += p.l;
    vdd e = vdd_exp_parts(vdd_neg(square), n);
    vdd d = vdd_sum(vd_set(1.0), a.h + a.h);
    d.l = vd_fma(a.l, vd_set(2.0), d.l);
    return vdd_over(vdd_mul(e, f), d);
}

VLEAN vd vd_erf_small(vd x)
{
    vd u = x * x;
    return x * VD_POLY(11, u, GM_ERF_F64);
}

VINLINE vd vd_erf(vd x)
{
    vl n;
    vd a = vd_min(vd_set(28.0), vd_abs(x));
    vdd q = vd_erfc_parts((vdd){a, vd_set(0.0)}, vdd_product(a, a), &n);
    vd tail = 1.0 - vd_scale(q.h + q.l, n);
    return vd_pick(a < GM_ERF_CUT, vd_erf_small(x), vd_sign(tail, x));
}

VINLINE vd vd_erfc(vd x)
{
    vl n;
    vd a = vd_min(vd_set(28.0), vd_abs(x));
    vdd q = vd_erfc_parts((vdd){a, vd_set(0.0)}, vdd_product(a, a), &n);
    vd tail = vd_scale(q.h + q.l, n);
    tail = vd_pick(x < 0.0, 2.0 - tail, tail);
    return vd_pick(a < GM_ERF_CUT, 1.0 - vd_erf_small(x), tail);
}

/* Phi(-a) = result * 2^n, a from 0.66 to 100. */
VINLINE vdd vd_normal_tail(vd a, vl *n)
{
    vdd scaled = vdd_product(a, vd_set(0x1.6a09e667f3bcdp-1));
    scaled.l = vd_fma(a, vd_set(-0x1.bdd3413b26456p-55), scaled.l);
    vdd square = vdd_product(a, a);
    square.h *= 0.5;
    square.l *= 0.5;
    vdd q = vd_erfc_parts(scaled, square, n);
    *n = (vl)((vul)*n - 1);
    return q;
}

VINLINE vd vd_normal_cdf(vd x)
{
    vl n;
    vd a = vd_min(vd_set(40.0), vd_abs(x));
    vdd q = vd_normal_tail(a, &n);
    vd tail = vd_scale(q.h + q.l, n);
    tail = vd_pick(x < 0.0, tail, 1.0 - tail);
    vd mid = 0.5 + 0.5 * vd_erf_small(x * 0x1.6a09e667f3bcdp-1);
    return vd_pick(a < 0.66, mid, tail);
}

/* x Phi(x). */
VINLINE vd vd_gelu(vd x)
{
    vl n, below = x < 0.0;
    vd b = vd_max(vd_set(-40.0), x);
    vd a = vd_min(vd_set(40.0), vd_abs(b));
    vdd q = vd_normal_tail(a, &n);
    vd tail = q.h + q.l;
    vd far = vd_pick(below, vd_scale(b * tail, n), x * (1.0 - vd_scale(tail, n)));
    vd mid = x * (0.5 + 0.5 * vd_erf_small(x * 0x1.6a09e667f3bcdp-1));
    return vd_pick(a < 0.66, mid, far);
}

/* The same to 1e-9, for floats. erfc(a) for a from 0.46 to 15; one division serves two. */
VSHARED vd vd_erfc_short(vd a, vd square)
{
    vd magic = vd_set(0x1.8p52);
    vd t = vd_fma(square, vd_set(-0x1.71547652b82fep0), magic);
    vd r = vd_fma(t - magic, vd_set(-0x1.62e42fefa39efp-1), vd_neg(square));
    vd e = vd_fma(r * r, VD_POLY(6, r, GM_EXP_SHORT), r) + 1.0;
    vd d = a + a + 1.0;
    vd inverse = 1.0 / (d * (a + 3.0));
    vd u = (a - 3.0) * d * inverse;
    vd f = VD_POLY(12, u, GM_ERFC_SHORT) * ((a + 3.0) * inverse);
    return e * f * vd_pow2((vl)((vul)t - (vul)magic));
}

VINLINE vd vd_erf_f32(vd x)
{
    vd a = vd_min(vd_set(12.0), vd_abs(x));
    vd tail = 1.0 - vd_erfc_short(a, a * a);
    vd u = x * x;
    return vd_pick(a < GM_ERF_CUT, x * VD_POLY(6, u, GM_ERF_SHORT), vd_sign(tail, x));
}

VINLINE vd vd_erfc_f32(vd x)
{
    vd a = vd_min(vd_set(12.0), vd_abs(x));
    vd tail = vd_erfc_short(a, a * a);
    tail = vd_pick(x < 0.0, 2.0 - tail, tail);
    vd u = x * x;
    return vd_pick(a < GM_ERF_CUT, 1.0 - x * VD_POLY(6, u, GM_ERF_SHORT), tail);
}

VINLINE vd vd_normal_cdf_f32(vd x)
{
    return 0.5 * vd_erfc_f32(x * -0x1.6a09e667f3bcdp-1);
}

#define GM_HALVES(name)                                                                            \
    VINLINE vf vf_##name(vf x)                                                                     \
    {                                                                                              \
        return vf_join(vd_##name##_f32(vd_low(x)), vd_##name##_f32(vd_high(x)));                   \
    }
GM_HALVES(erf)
GM_HALVES(erfc)
GM_HALVES(normal_cdf)
#undef GM_HALVES

/* x Phi(x) in float lanes, as an activation has to be: the exponent's argument x^2/2 is a pair, and
 * the power of two comes last where x < 0. */
VINLINE vf vf_gelu(vf x)
{
    vi n, below = x < 0.0f;
    vf b = vf_max(vf_set(-16.0f), x);
    vf a = vf_min(vf_set(16.0f), vf_abs(b));
    vf square = a * a * -0.5f;
    vf square_low = vf_fma(a * -0.5f, a, vf_neg(square));
    vf e_low, e = vf_exp_near(square, square_low, &e_low, &n);
    vf z = a * 0x1.6a09e6p-1f;
    vf t = (z - 3.0f) / (z + 3.0f);
    vf f = VF_POLY(10, t, GM_ERFC_F32) * 0.5f;
    vf d = vf_fma(a, vf_set(0x1.6a09e6p0f), vf_set(1.0f));
    vf d_low = vf_fma(a, vf_set(0x1.6a09e6p0f), 1.0f - d);
    vf inverse = 1.0f / d;
    vf p = e * f;
    vf tail = p * inverse;
    vf rest = vf_fma(vf_neg(tail), d, p) + vf_fma(e, f, vf_neg(p));
    rest = vf_fma(e_low, f, rest) - tail * d_low;
    tail = vf_fma(rest, inverse, tail);
    vf far = vf_pick(below, b * tail, x * (1.0f - vf_scale(tail, n)));
    far = vf_scale(far, n & below);
    vf u = x * x;
    vf mid = x * vf_fma(x, VF_POLY(5, u, GM_GELU_F32), vf_set(0.5f));
    return vf_pick(a < 0.66f, mid, far);
}
