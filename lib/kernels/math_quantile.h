/* Part of maps_body.h: the quantile function of the normal distribution.
 *
 * Within 1/4 of 1/2 a polynomial in (p - 1/2)^2; outside, with q the smaller of p and 1 - p and
 * r = sqrt(-log q), z = r F(t), t = (r - k)/(r + k), k = 2 up to r = 6 and 4 above. F is steep, so
 * the roundings of r and t are made good to first order, with dz/dr near 1.414 + 0.52/r. */

#define vd_normal_quantile ISA(gm__vd_normal_quantile)

VINLINE vd vd_normal_quantile(vd p)
{
    vd y = p - 0.5;
    vd u = y * y;
    vd rest_mid = vd_fma(u, VD_POLY(16, u, GM_QUANTILE_MID), vd_set(-0x1.a6a0d6f814637p-53));
    vd mid = vd_fma(y, vd_set(0x1.40d931ff62706p1), y * rest_mid);

    vd q = vd_pick(p < 0.5, p, 1.0 - p);
    vl inside = (q > 0.0) & (q <= 0.5);
    vdd minus_log = vdd_neg(vdd_log((vdd){vd_pick(inside, q, vd_set(0.25)), vd_set(0.0)}));
    vd r = vd_sqrt(minus_log.h);
    vd r_low = (vd_fma(vd_neg(r), r, minus_log.h) + minus_log.l) * 0.5 / r;
    vl far = r > 6.0;
    vd k = vd_pick(far, vd_set(4.0), vd_set(2.0));
    vdd den = vdd_sum(r, k), num = vdd_sum(r, vd_neg(k));
    vd t = num.h / den.h;
    vd rest = vd_fma(vd_neg(t), den.h, num.h) + (num.l - t * den.l);
    vd more = vd_pick(far, VD_POLY(19, t, GM_POLY_REST(GM_QUANTILE_FAR)),
                      VD_POLY(23, t, GM_POLY_REST(GM_QUANTILE_NEAR)));
    vd first = vd_pick(far, vd_set(GM_POLY_FIRST(GM_QUANTILE_FAR)),
                       vd_set(GM_POLY_FIRST(GM_QUANTILE_NEAR)));
    vdd rise = vdd_product(t, more);
    vdd f = vdd_fast(first, rise.h);
    vd slope = 1.414 + 0.52 / r;
    vd low = r * (f.l + rise.l) + r_low * slope;
    low = low + (slope - f.h) * rest * den.h * vd_pick(far, vd_set(0.125), vd_set(0.25));
    vd tail = vd_sign(vd_fma(r, f.h, low), y);

    vd value = vd_pick(vd_abs(y) <= 0.25, mid, tail);
    value = vd_pick(q == 0.0, vd_sign(vd_set(__builtin_inf()), y), value);
    value = vd_pick(q < 0.0, vd_set(__builtin_nan("")), value);
    return vd_pick(p != p, p, value);
}
