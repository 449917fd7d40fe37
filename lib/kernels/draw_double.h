/* Doubles from a batch of Philox words: two columns a block, the first from words 0 and 1, the
 * second from words 2 and 3, low word first. Part of draw_body.h. */

/* 64-bit lanes without sign. */
#define vq ISA(gm__vq)
typedef uint64_t vq __attribute__((vector_size(VBYTES)));

/* The even or odd 32-bit lanes as 64-bit lanes. */
VINLINE vq ISA(lanes_of)(vi w, int odd)
{
    return odd ? (vq)ISA(high32)((vl)w) : (vq)w & 0xffffffffu;
}

/* Exact, for x below 2^32: put it under the exponent of 2^52 and take that away. */
VINLINE vd ISA(double_of)(vq x)
{
    return (vd)(x | 0x4330000000000000u) - 0x1p52;
}

/* The batch's words low and high of one double each, from the bits of even and odd lanes. */
VINLINE void ISA(put_doubles)(vi *word, vd even, vd odd)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    enum { LOW = 1, HIGH = 0 };
#else
    enum { LOW = 0, HIGH = 1 };
#endif
    vq e = (vq)even, o = (vq)odd;
    word[LOW] = (vi)((e & 0xffffffffu) | (o << 32));
    word[HIGH] = (vi)((vq)ISA(high32)((vl)e) | (o & 0xffffffff00000000u));
}

/* (52 high bits + 0.5) 2^-52, exact: the bits as a fraction of [1, 2). */
VINLINE vd ISA(uniform_f64)(const vi *word, int odd)
{
    vq low = ISA(lanes_of)(word[0], odd), high = ISA(lanes_of)(word[1], odd);
    vq bits = (high << 20) | (low >> 12) | 0x3ff0000000000000u;
    return ((vd)bits - 1.0) + 0x1p-53;
}

static void ISA(finish_uniform_f64)(gm__batch *b)
{
    GM_UNROLL
    for (int w = 0; w < 4; w += 2)
        ISA(put_doubles)
        (b->word + w, ISA(uniform_f64)(b->word + w, 0), ISA(uniform_f64)(b->word + w, 1));
}

/* (64 bits + 0.5) 2^-64, one rounding. In (0, 1]. */
VINLINE vd ISA(unit_f64)(vq low, vq high)
{
    return (ISA(double_of)(high) * 0x1p32 + (ISA(double_of)(low) + 0.5)) * 0x1p-64;
}

/* sin and cos of 2 pi w / 2^64, as turn_f32 (next term under 1e-18). */
VINLINE void ISA(turn_f64)(vq low, vq high, vd *s, vd *c)
{
    vq w = (high << 32) | low;
    vq quadrant = (w + (1ull << 61)) & 0xc000000000000000u, rest = w - quadrant;
    vq rest_high = (vq)ISA(high32)((vl)rest) ^ 0x80000000u;
    vd x = ((ISA(double_of)(rest_high) - 0x1p31) * 0x1p32 + ISA(double_of)(rest & 0xffffffffu))
           * (0x1p-62 * 1.57079632679489661923);
    vd z = x * x;
    vd sine = 1.0 / 355687428096000 * z - 1.0 / 1307674368000;
    sine = (((((sine * z + 1.0 / 6227020800) * z - 1.0 / 39916800) * z + 1.0 / 362880) * z
             - 1.0 / 5040) * z + 1.0 / 120) * z - 1.0 / 6;
    sine = x + x * z * sine;
    vd cosine = 1.0 / 20922789888000 * z - 1.0 / 87178291200;
    cosine = (((((cosine * z + 1.0 / 479001600) * z - 1.0 / 3628800) * z + 1.0 / 40320) * z
               - 1.0 / 720) * z + 1.0 / 24) * z - 0.5;
    cosine = 1.0 + z * cosine;
    vl swap = (vl)((quadrant & (1ull << 62)) != 0);
    vq sign_s = quadrant & (1ull << 63), sign_c = (quadrant + (1ull << 62)) & (1ull << 63);
    *s = (vd)((vq)vd_pick(swap, cosine, sine) ^ sign_s);
    *c = (vd)((vq)vd_pick(swap, sine, cosine) ^ sign_c);
}

VINLINE void ISA(pair_f64)(const vi *word, int odd, vd *first, vd *second)
{
    vq w[4];
    GM_UNROLL
    for (int i = 0; i < 4; i++)
        w[i] = ISA(lanes_of)(word[i], odd);
    vd s, c, radius = vd_sqrt(-2.0 * vd_log(ISA(unit_f64)(w[0], w[1])));
    ISA(turn_f64)(w[2], w[3], &s, &c);
    *first = radius * c;
    *second = radius * s;
}

static void ISA(finish_normal_f64)(gm__batch *b)
{
    vd even[2], odd[2];
    ISA(pair_f64)(b->word, 0, &even[0], &even[1]);
    ISA(pair_f64)(b->word, 1, &odd[0], &odd[1]);
    ISA(put_doubles)(b->word, even[0], odd[0]);
    ISA(put_doubles)(b->word + 2, even[1], odd[1]);
}

#undef vq
