/* Reduction of a large argument by pi/2: a * 2/pi modulo 4 from the bits of 2/pi that matter. */
#include "kernels/reduce_pi.h"

#include <string.h>

#define WORDS 7 /* of 2/pi: at least 191 bits behind the binary point of the product */
#define LIMBS (WORDS + 2)

/* 2/pi, 32 bits a word, from 2^-1 down. */
static const uint32_t two_over_pi[] = {
    0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
    0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484,
    0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f,
    0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b,
    0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab, 0xf0cfbc20, 0x9af4361d,
};

static double power_of_two(int e)
{
    uint64_t bits = (uint64_t)(1023 + e) << 52;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* p = m * w, w of WORDS words with the highest first; p has its lowest limb first. */
static void multiply(uint32_t p[LIMBS], uint64_t m, const uint32_t *w)
{
    uint64_t carry = 0, m0 = m & 0xffffffff, m1 = m >> 32;
    for (int i = 0; i < LIMBS; i++) {
        uint64_t a = i < WORDS ? m0 * w[WORDS - 1 - i] : 0;
        uint64_t b = i > 0 && i <= WORDS ? m1 * w[WORDS - i] : 0;
        uint64_t sum = carry + (a & 0xffffffff) + (b & 0xffffffff);
        p[i] = (uint32_t)sum;
        carry = (sum >> 32) + (a >> 32) + (b >> 32);
    }
}

/* Bits [at, at + 64) of p counted from its top; zeros past its end. */
static uint64_t window(const uint32_t p[LIMBS], int at)
{
    int word = at / 32, shift = at % 32;
    uint64_t limb[3];
    for (int i = 0; i < 3; i++)
        limb[i] = word + i < LIMBS ? p[LIMBS - 1 - word - i] : 0;
    uint64_t top = limb[0] << 32 | limb[1];
    return shift ? top << shift | limb[2] >> (32 - shift) : top;
}

/* a >= 2 finite; r + low = a - k pi/2; gives k modulo 4. */
static int reduce(double a, double *r, double *low)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    int e = (int)(bits >> 52) - 1075;
    uint64_t m = (bits & 0xfffffffffffff) | 0x10000000000000;
    int first = e >= 2 ? (e - 2) / 32 : 0;
    uint32_t p[LIMBS];
    multiply(p, m, two_over_pi + first);
    int point = LIMBS * 32 - (32 * (first + WORDS) - e); /* integer bits of p, from its top */
    int q = (int)(window(p, point - 2) >> 62);
    int negative = (int)(window(p, point) >> 63);
    if (negative)
        for (int i = 0; i < LIMBS; i++)
            p[i] = ~p[i];
    int zeros = 0;
    while (zeros < 120 && !(window(p, point + zeros) >> 63))
        zeros++;
    uint64_t top = window(p, point + zeros), next = window(p, point + zeros + 53);
    double h = (double)(top >> 11) * power_of_two(-53 - zeros);
    double l = (double)(next >> 11) * power_of_two(-106 - zeros);
    const double c = 0x1.921fb54442d18p0, d = 0x1.1a62633145c07p-54;
    double product = h * c;
    double rest = __builtin_fma(h, c, -product) + (h * d + l * c);
    *r = negative ? -product : product;
    *low = negative ? -rest : rest;
    return (q + negative) & 3;
}

void gm__reduce_pi_f32(float *r, int32_t *q, const float *a, int n)
{
    for (int i = 0; i < n; i++) {
        if (a[i] <= GM__REDUCE_F32)
            continue;
        if (!(a[i] < __builtin_inff())) {
            r[i] = __builtin_nanf("");
            continue;
        }
        double high, low;
        q[i] = reduce((double)a[i], &high, &low);
        r[i] = (float)high;
    }
}

void gm__reduce_pi_f64(double *r, double *low, int64_t *q, const double *a, int n)
{
    for (int i = 0; i < n; i++) {
        if (a[i] <= GM__REDUCE_F64)
            continue;
        if (a[i] < __builtin_inf())
            q[i] = reduce(a[i], &r[i], &low[i]);
        else
            r[i] = low[i] = __builtin_nan("");
    }
}
