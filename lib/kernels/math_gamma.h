/* Part of maps_body.h: log gamma and its first two derivatives.
 *
 * From 8 on the asymptotic series (Abramowitz and Stegun 6.1.41, 6.3.18, 6.4.12); below, the
 * recurrence into an interval where a polynomial around a zero or in the middle holds; negative
 * arguments by reflection. Sums are pairs of doubles, since terms cancel near the zeros. */

#define vd_gamma_mid ISA(gm__vd_gamma_mid)
#define vd_stirling ISA(gm__vd_stirling)
#define vd_lgamma_right ISA(gm__vd_lgamma_right)
#define vd_sin_pi ISA(gm__vd_sin_pi)
#define vd_fraction ISA(gm__vd_fraction)
#define vd_lgamma ISA(gm__vd_lgamma)
#define vd_digamma_mid ISA(gm__vd_digamma_mid)
#define vd_digamma_big ISA(gm__vd_digamma_big)
#define vd_digamma ISA(gm__vd_digamma)
#define vd_trigamma ISA(gm__vd_trigamma)
#define vdd_recip ISA(gm__vdd_recip)

/* log |Gamma(x)| for x from -1/2 to 8: +-log(product of arguments) + log Gamma(2 + d). */
VINLINE vdd vd_gamma_mid(vd x)
{
    vd z = x;
    vdd product = {vd_set(1.0), vd_set(0.0)};
    for (int i = 0; i < 6; i++) {
        vl m = z >= 2.5;
        vd next = z - 1.0;
        product = vdd_pick(m, vdd_times(product, next), product);
        z = vd_pick(m, next, z);
    }
    vd a = vd_abs(x);
    vl one = x < 1.5, two = x < 0.5;
    vdd x1 = vdd_sum(vd_set(1.0), x);
    product.h = vd_pick(one, a, product.h);
    product = vdd_pick(two, vdd_times(x1, a), product);
    vd d = vd_pick(two, x, vd_pick(one, x - 1.0, z - 2.0));
    vdd log_product = vdd_log(product);
    log_product = vdd_pick(one, vdd_neg(log_product), log_product);
    vdd p = vdd_product(d, VD_POLY(18, d, GM_POLY_REST(GM_LGAMMA_2)));
    vdd q = vdd_fast(vd_set(GM_POLY_FIRST(GM_LGAMMA_2)), p.h);
    q.l += p.l;
    vdd y = vdd_add(log_product, vdd_times(q, d));
    vd e = x - 1.0;
    vdd near = vdd_product(e, VD_POLY(18, e, GM_LGAMMA_1));
    return vdd_pick((x > 0.8) & (x < 1.25), near, y);
}

/* (x - 1/2) log x - x + log(2 pi)/2 + series; x from 8 on, finite. */
VINLINE vdd vd_stirling(vd x)
{
    vdd l = vdd_log((vdd){x, vd_set(0.0)});
    vd w = 1.0 / x;
    vd w2 = w * w;
    vd series = w * VD_POLY(9, w2, GM_STIRLING);
    vdd t = vdd_times(l, x - 0.5);
    vdd s = vdd_sum(t.h, vd_neg(x));
    vdd u = vdd_sum(s.h, vd_set(0x1.d67f1c864beb5p-1));
    u = vdd_fast(u.h, u.l + (s.l + (t.l + (series - 0x1.65b5a1b7ff5dfp-55))));
    vdd less = vdd_sum(l.h, vd_set(-1.0));
    vd huge = vd_fma(x, less.h, x * (less.l + l.l));
    return vdd_pick(x > 0x1p100, (vdd){huge, vd_set(0.0)}, u);
}

/* log |Gamma(x)| for x > -1/2. */
VINLINE vdd vd_lgamma_right(vd x)
{
    vl big = x >= 8.0;
    vdd y = {x, x};
    if (vl_any(~big))
        y = vd_gamma_mid(vd_pick(big, vd_set(2.0), x));
    if (vl_any(big))
        y = vdd_pick(big, vd_stirling(vd_pick(big, x, vd_set(8.0))), y);
    return y;
}

/* sin(pi r) and cos(pi r) for r from 0 to 1/2, to about 2^-56. */
VLEAN vdd vd_sin_pi(vd r, vdd *cosine)
{
    vl high = r > 0.25;
    vd b = vd_pick(high, 0.5 - r, r);
    vdd y = vdd_product(b, vd_set(0x1.921fb54442d18p1));
    y.l = vd_fma(b, vd_set(0x1.1a62633145c07p-53), y.l);
    vdd u = vdd_product(y.h, y.h);
    u.l = vd_fma(2.0 * y.h, y.l, u.l);
    vd s_low = vd_fma(y.h * u.h, VD_POLY(7, u.h, GM_SIN_F64), y.l - 0.5 * u.h * y.l);
    vdd s = vdd_fast(y.h, s_low);
    vdd c = vdd_fast(vd_set(1.0), -0.5 * u.h);
    c = vdd_fast(c.h, vd_fma(u.h * u.h, VD_POLY(7, u.h, GM_COS_F64), c.l - 0.5 * u.l));
    *cosine = vdd_pick(high, s, c);
    return vdd_pick(high, c, s);
}

/* a minus the nearest integer, a >= 0. */
VINLINE vd vd_fraction(vd a)
{
    vd whole = (a + 0x1p52) - 0x1p52;
    return vd_pick(a < 0x1p52, a - whole, vd_set(0.0));
}

/* Left of -1/2: log |Gamma(-a)| = log pi - log(a |sin(pi a)|) - log Gamma(a). */
VINLINE vd vd_lgamma(vd x)
{
    vl left = x <= -0.5;
    vdd y = vd_lgamma_right(vd_pick(left, vd_neg(x), x));
    vd r = vd_abs(vd_fraction(vd_abs(x)));
    if (vl_any(left)) {
        vdd c;
        vdd s = vdd_times(vd_sin_pi(vd_pick(left, r, vd_set(0.5)), &c),
                          vd_pick(left, vd_neg(x), vd_set(1.0)));
        vdd t = vdd_add((vdd){vd_set(0x1.250d048e7a1bdp0), vd_set(0x1.7abf2ad8d5088p-57)},
                        vdd_neg(vdd_log(s)));
        y = vdd_pick(left, vdd_add(t, vdd_neg(y)), y);
    }
    vd value = y.h + y.l;
    vd infinity = vd_set(__builtin_inf());
    value =
        vd_pick((vd_abs(x) == infinity) | ((r == 0.0) & (x <= 0.0)) | (x > 0x1.754d9278b51a7p1014),
                infinity, value);
    return vd_pick(x != x, x, value);
}

/* 1 / a. */
VINLINE vdd vdd_recip(vdd a)
{
    vd r = 1.0 / a.h;
    vd rest = vd_fma(vd_neg(r), a.h, vd_set(1.0)) - r * a.l;
    return (vdd){r, rest * r};
}

/* digamma for a from 0 to 8, but digamma(1 + a) for a under 1. */
VINLINE vdd vd_digamma_mid(vd a)
{
    vd z = a;
    vdd sum = {vd_set(0.0), vd_set(0.0)};
    for (int i = 0; i < 6; i++) {
        vl m = z >= 2.0;
        vd next = vd_pick(m, z - 1.0, vd_set(1.0));
        vdd t = vdd_recip((vdd){next, vd_set(0.0)});
        sum = vdd_pick(m, vdd_add(sum, t), sum);
        z = vd_pick(m, next, z);
    }
    vd zero = vd_pick(a < 1.0, vd_set(1.0 - 0x1.762d86356be3fp0), vd_set(-0x1.762d86356be3fp0));
    vdd d = vdd_sum(z, zero);
    d.l -= 0x1.b86a722197829p-54;
    vdd p = vdd_product(d.h, VD_POLY(22, d.h, GM_POLY_REST(GM_DIGAMMA_MID)));
    vdd q = vdd_sum(vd_set(GM_POLY_FIRST(GM_DIGAMMA_MID)), p.h);
    q.l += p.l;
    return vdd_add(vdd_mul(q, d), sum);
}

/* digamma for a from 8 on, finite. */
VINLINE vdd vd_digamma_big(vd a)
{
    vdd l = vdd_log((vdd){a, vd_set(0.0)});
    vd w = 1.0 / a;
    vd w2 = w * w;
    return vdd_sum(l.h, l.l + vd_fma(w2, VD_POLY(9, w2, GM_DIGAMMA_BIG), -0.5 * w));
}

/* Left of 0: digamma(-a) = digamma(1 + a) + pi cot(pi a). */
VINLINE vd vd_digamma(vd x)
{
    vl left = x < 0.0;
    vd a = vd_min(vd_set(0x1.fp1023), vd_abs(x));
    vl big = a >= 8.0, one = a < 1.0;
    vdd y = vd_digamma_mid(vd_pick(big, vd_set(2.0), a));
    if (vl_any(big))
        y = vdd_pick(big, vd_digamma_big(vd_pick(big, a, vd_set(8.0))), y);
    vdd step = vdd_recip((vdd){a, vd_set(0.0)});
    vdd none = {vd_set(0.0), vd_set(0.0)};
    step = vdd_pick(left, vdd_pick(one, none, step), vdd_pick(one, vdd_neg(step), none));
    y = vdd_add(y, step);
    vd r = vd_fraction(a);
    if (vl_any(left)) {
        vdd c, s = vd_sin_pi(vd_pick(left, vd_abs(r), vd_set(0.5)), &c);
        vdd pi = {vd_sign(vd_set(0x1.921fb54442d18p1), r),
                  vd_sign(vd_set(0x1.1a62633145c07p-53), r)};
        y = vdd_pick(left, vdd_add(y, vdd_over(vdd_mul(pi, c), s)), y);
    }
    vd value = y.h + y.l;
    value = vd_pick(a < 0x1p-60, -1.0 / x, value);
    value = vd_pick(left & (r == 0.0), vd_set(__builtin_nan("")), value);
    return vd_pick((x == __builtin_inf()) | (x != x), x, value);
}

/* Left of 0: trigamma(-a) = pi^2 / sin^2(pi a) - trigamma(1 + a). */
VINLINE vd vd_trigamma(vd x)
{
    vl left = x < 0.0;
    vd a = vd_min(vd_set(0x1p500), vd_abs(x));
    vl big = a >= 8.0;
    vdd first = vdd_recip(vdd_product(a, a));
    vdd none = {vd_set(0.0), vd_set(0.0)};
    vdd sum = vdd_pick(left, vdd_pick(big, vdd_neg(first), none), vdd_pick(big, none, first));
    vdd z = vdd_pick(big, (vdd){a, vd_set(0.0)}, vdd_sum(vd_set(1.0), a));
    for (int i = 0; i < 7; i++) {
        vl m = z.h < 8.0;
        vdd square = vdd_product(z.h, z.h);
        square.l = vd_fma(2.0 * z.h, z.l, square.l);
        sum = vdd_pick(m, vdd_add(sum, vdd_recip(square)), sum);
        vdd next = vdd_sum(z.h, vd_set(1.0));
        next.l += z.l;
        z = vdd_pick(m, next, z);
    }
    vdd w = vdd_recip(z);
    vd w2 = w.h * w.h;
    vd rest = w2 * vd_fma(w.h, VD_POLY(10, w2, GM_TRIGAMMA_BIG), vd_set(0.5));
    sum = vdd_add(sum, vdd_fast(w.h, w.l + rest));
    vd r = vd_abs(vd_fraction(a));
    if (vl_any(left)) {
        vdd c, s = vd_sin_pi(vd_pick(left, r, vd_set(0.5)), &c);
        vdd pi = {vd_set(0x1.921fb54442d18p1), vd_set(0x1.1a62633145c07p-53)};
        vdd q = vdd_over(pi, s);
        sum = vdd_pick(left, vdd_add(vdd_mul(q, q), vdd_neg(sum)), sum);
    }
    vd value = sum.h + sum.l;
    vd inverse = 1.0 / x;
    value = vd_pick(a < 0x1p-60, inverse * inverse, value);
    value = vd_pick(a >= 0x1p500, vd_pick(left, vd_set(__builtin_inf()), inverse), value);
    value = vd_pick(left & (r == 0.0), vd_set(__builtin_inf()), value);
    value = vd_pick(x == -__builtin_inf(), vd_set(__builtin_nan("")), value);
    return vd_pick(x != x, x, value);
}
