/* Part of maps_body.h: the quantile function of the normal distribution.
 *
 * Within 1/4 of 1/2 a polynomial in (p - 1/2)^2; outside, with q the smaller of p and 1 - p and
 * r = sqrt(-log q), r times a polynomial in (r - k)/(r + k), k = 2 up to r = 6 and 4 above. */

#define vd_normal_quantile ISA(gm__vd_normal_quantile)
#define vf_normal_quantile ISA(gm__vf_normal_quantile)

VINLINE vd vd_normal_quantile(vd p)
{
    vd y = p - 0.5;
    vd u = y * y;
    vd mid = y * VD_POLY(17, u, GM_QUANTILE_MID);

    vd q = vd_pick(p < 0.5, p, 1.0 - p);
    vl inside = (q > 0.0) & (q <= 0.5);
    vdd minus_log = vdd_neg(vdd_log((vdd){vd_pick(inside, q, vd_set(0.25)), vd_set(0.0)}));
    vd r = vd_sqrt(minus_log.h);
    vd r_low = (vd_fma(vd_neg(r), r, minus_log.h) + minus_log.l) * 0.5 / r;
    vl far = r > 6.0;
    vd k = vd_pick(far, vd_set(4.0), vd_set(2.0));
    vd t = (r - k) / (r + k);
    vd more = vd_pick(far, VD_POLY(19, t, GM_POLY_REST(GM_QUANTILE_FAR)),
                      VD_POLY(23, t, GM_POLY_REST(GM_QUANTILE_NEAR)));
    vd first = vd_pick(far, vd_set(GM_POLY_FIRST(GM_QUANTILE_FAR)), vd_set(GM_POLY_FIRST(GM_QUANTILE_NEAR)));
    vdd f = vdd_fast(first, t * more);
    vd tail = vd_fma(r, f.h, vd_fma(r, f.l, r_low * f.h));
    tail = vd_sign(tail, y);

    vd value = vd_pick(vd_abs(y) <= 0.25, mid, tail);
    value = vd_pick(q == 0.0, vd_sign(vd_set(__builtin_inf()), y), value);
    value = vd_pick(q < 0.0, vd_set(__builtin_nan("")), value);
    return vd_pick(p != p, p, value);
}

VINLINE vf vf_normal_quantile(vf p)
{
    vd part[2] = {vd_low(p), vd_high(p)};
    for (int i = 0; i < 2; i++)
        part[i] = vd_normal_quantile(part[i]);
    return vf_join(part[0], part[1]);
}
