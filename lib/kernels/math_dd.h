/* Part of maps_body.h: pairs of doubles h + l, |l| at most half an ulp of h or a little more, for
 * the places where one rounding too many would show; and exp and log on them. Dekker 1971. */

#define vdd ISA(gm__vdd)
#define vdd_sum ISA(gm__vdd_sum)
#define vdd_fast ISA(gm__vdd_fast)
#define vdd_product ISA(gm__vdd_product)
#define vdd_times ISA(gm__vdd_times)
#define vdd_mul ISA(gm__vdd_mul)
#define vdd_add ISA(gm__vdd_add)
#define vdd_neg ISA(gm__vdd_neg)
#define vdd_pick ISA(gm__vdd_pick)
#define vdd_over ISA(gm__vdd_over)
#define vdd_exp_parts ISA(gm__vdd_exp_parts)
#define vdd_log ISA(gm__vdd_log)

typedef struct vdd {
    vd h, l;
} vdd;

/* a + b exactly. */
VINLINE vdd vdd_sum(vd a, vd b)
{
    vd s = a + b;
    vd c = s - a;
    return (vdd){s, (a - (s - c)) + (b - c)};
}
/* The same for |a| >= |b|. */
VINLINE vdd vdd_fast(vd a, vd b)
{
    vd s = a + b;
    return (vdd){s, b - (s - a)};
}
/* a * b exactly. */
VINLINE vdd vdd_product(vd a, vd b)
{
    vd p = a * b;
    return (vdd){p, vd_fma(a, b, vd_neg(p))};
}
VINLINE vdd vdd_times(vdd a, vd b)
{
    vd p = a.h * b;
    return (vdd){p, vd_fma(a.l, b, vd_fma(a.h, b, vd_neg(p)))};
}
VINLINE vdd vdd_mul(vdd a, vdd b)
{
    vd p = a.h * b.h;
    vd e = vd_fma(a.h, b.h, vd_neg(p));
    return (vdd){p, e + vd_fma(a.h, b.l, a.l * b.h)};
}
VINLINE vdd vdd_add(vdd a, vdd b)
{
    vdd s = vdd_sum(a.h, b.h);
    return vdd_fast(s.h, s.l + (a.l + b.l));
}
VINLINE vdd vdd_neg(vdd a)
{
    return (vdd){vd_neg(a.h), vd_neg(a.l)};
}
VINLINE vdd vdd_pick(vl m, vdd a, vdd b)
{
    return (vdd){vd_pick(m, a.h, b.h), vd_pick(m, a.l, b.l)};
}
/* a / b. */
VINLINE vdd vdd_over(vdd a, vdd b)
{
    vd r = 1.0 / b.h;
    vd q = a.h * r;
    vd rest = vd_fma(vd_neg(q), b.h, a.h) + (a.l - q * b.l);
    return (vdd){q, rest * r};
}

/* e^(x.h + x.l) = result * 2^n. Error under 2^-57. */
VINLINE vdd vdd_exp_parts(vdd x, vl *n)
{
    vd magic = vd_set(0x1.8p52);
    vd t = vd_fma(x.h, vd_set(0x1.71547652b82fep0), magic);
    vd k = t - magic;
    vd top = vd_fma(k, vd_set(-0x1.62e42fefa39efp-1), x.h);
    vdd r = vdd_sum(top, vd_fma(k, vd_set(-0x1.abc9e3b39803fp-56), x.l));
    *n = (vl)((vul)t - (vul)magic);
    vd q = VD_POLY(11, r.h, GM_EXP_F64);
    vdd s = vdd_fast(r.h, vd_fma(r.h * r.h, q, r.l));
    vdd y = vdd_fast(vd_set(1.0), s.h);
    return (vdd){y.h, y.l + s.l};
}

/* log(x.h + x.l) for x.h positive and finite. Error about 2^-60 of the larger of 1 and the result.
 */
VLEAN vdd vdd_log(vdd x)
{
    const uint64_t root = 0x3fe6a09e667f3bcd;
    vl tiny = x.h < 0x1p-900;
    vd h = vd_pick(tiny, x.h * 0x1p160, x.h), l = vd_pick(tiny, x.l * 0x1p160, x.l);
    vul bits = (vul)h - root;
    vl e = (vl)((bits + ((uint64_t)1 << 63)) >> 52) - 2048;
    vd k = vd_from_vl(e - (tiny & 160));
    vd f = (vd)((bits & 0xfffffffffffff) + root) - 1.0;
    vd f_low = l * vd_pow2(-e);
    vdd d = vdd_fast(vd_set(2.0), f);
    vd s = f / d.h;
    vd near = 1.0 - s;
    vd rest = vd_fma(vd_neg(s), d.h, f) + vd_fma(f_low, near, vd_neg(s * d.l));
    vd z = s * s;
    vd low = vd_fma(s * z, VD_POLY(8, z, GM_LOG_F64), rest * near);
    vdd p = vdd_product(k, vd_set(0x1.62e42fefa39efp-1));
    vdd y = vdd_sum(p.h, s + s);
    low = y.l + (vd_fma(k, vd_set(0x1.abc9e3b39803fp-56), p.l) + low);
    return vdd_fast(y.h, low);
}
