/* Decimal text to the nearest double.
 *
 * Three ways, the next where the one before cannot tell: both operands exact in a double, so that
 * one operation rounds (Clinger 1990, "How to read floating point numbers accurately"); a product
 * of 64 bits with a bound on its error; whole numbers of any length against the point half way
 * between two doubles. */
#include "base/text.h"
#include "base/decimal.h"
#include "base/size.h"

#include <math.h>

/* 10^k for k = -344, -336, ... 312 as f 2^e: f rounded to 64 bits, its top bit set, e as in
 * power_exponent. */
static const uint64_t powers[] = {
    0x98ee4a22ecf3188cu, 0xe3e27a444d8d98b8u, 0xa9c98d8ccb009506u, 0xfd00b897478238d1u,
    0xbc807527ed3e12bdu, 0x8c71dcd9ba0b4926u, 0xd1476e2c07286faau, 0x9becce62836ac577u,
    0xe858ad248f5c22cau, 0xad1c8eab5ee43b67u, 0x80fa687f881c7f8eu, 0xc0314325637a193au,
    0x8f31cc0937ae58d3u, 0xd5605fcdcf32e1d7u, 0x9efa548d26e5a6e2u, 0xece53cec4a314ebeu,
    0xb080392cc4349dedu, 0x8380dea93da4bc60u, 0xc3f490aa77bd60fdu, 0x91ff83775423cc06u,
    0xd98ddaee19068c76u, 0xa21727db38cb0030u, 0xf18899b1bc3f8ca2u, 0xb3f4e093db73a093u,
    0x8613fd0145877586u, 0xc7caba6e7c5382c9u, 0x94db483840b717f0u, 0xddd0467c64bce4a1u,
    0xa54394fe1eedb8ffu, 0xf64335bcf065d37du, 0xb77ada0617e3bbcbu, 0x88b402f7fd75539bu,
    0xcbb41ef979346bcau, 0x97c560ba6b0919a6u, 0xe2280b6c20dd5232u, 0xa87fea27a539e9a5u,
    0xfb158592be068d2fu, 0xbb127c53b17ec159u, 0x8b61313bbabce2c6u, 0xcfb11ead453994bau,
    0x9abe14cd44753b53u, 0xe69594bec44de15bu, 0xabcc77118461cefdu, 0x8000000000000000u,
    0xbebc200000000000u, 0x8e1bc9bf04000000u, 0xd3c21bcecceda100u, 0x9dc5ada82b70b59eu,
    0xeb194f8e1ae525fdu, 0xaf298d050e4395d7u, 0x82818f1281ed44a0u, 0xc2781f49ffcfa6d5u,
    0x90e40fbeea1d3a4bu, 0xd7e77a8f87daf7fcu, 0xa0dc75f1778e39d6u, 0xefb3ab16c59b14a3u,
    0xb2977ee300c50fe7u, 0x850fadc09923329eu, 0xc646d63501a1511eu, 0x93ba47c980e98ce0u,
    0xdc21a1171d42645du, 0xa402b9c5a8d3a6e7u, 0xf46518c2ef5b8cd1u, 0xb616a12b7fe617aau,
    0x87aa9aff79042287u, 0xca28a291859bbf93u, 0x969eb7c47859e744u, 0xe070f78d3927556bu,
    0xa738c6bebb12d16du, 0xf92e0c3537826146u, 0xb9a74a0637ce2ee1u, 0x8a5296ffe33cc930u,
    0xce1de40642e3f4b9u, 0x9991a6f3d6bf1766u, 0xe4d5e82392a40515u, 0xaa7eebfb9df9de8eu,
    0xfe0efb53d30dd4d8u, 0xbd49d14aa79dbc82u, 0x8d07e33455637eb3u, 0xd226fc195c6a2f8cu,
    0x9c935e00d4b9d8d2u, 0xe950df20247c83fdu, 0xadd57a27d29339f6u,
};
enum { LEAST_POWER = -344, MOST_POWER = 312, POWER_STEP = 8 };

static int power_exponent(int k)
{
    return (int)(((int64_t)k * 217706 - (k < 0 ? 65535 : 0)) / 65536) -
           63; /* log2(10) 2^16, rounded down */
}

/* What was read: digits times 10^exponent. */
typedef struct decimal {
    uint64_t first;   /* the first 19 significant digits, or all */
    int exponent;     /* of the last digit in `first` */
    int dropped;      /* digits behind those, not all of them 0 */
    const char *text; /* from the first significant digit on, with a point perhaps */
    int64_t length;   /* to the end of the digits */
    int64_t point;    /* power of ten of the first significant digit */
} decimal;

/* ---- Scanning ---- */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int64_t clamp(int64_t v, int64_t limit)
{
    return v > limit ? limit : v < -limit ? -limit : v;
}

/* The exponent behind the digits; returns the bytes used, 0 if there is none. */
static int64_t scan_exponent(const char *text, int64_t length, int64_t *exponent)
{
    int64_t i = 1, v = 0, start;
    if (length < 2 || (text[0] != 'e' && text[0] != 'E'))
        return 0;
    int negative = text[1] == '-';
    if (negative || text[1] == '+')
        i = 2;
    for (start = i; i < length && is_digit(text[i]); i++)
        v = clamp(10 * v + (text[i] - '0'), INT64_MAX / 64);
    *exponent = negative ? -v : v;
    return i > start ? i : 0;
}

/* Digits, point and exponent; returns the bytes used, 0 if there is no digit. */
static int64_t scan(const char *text, int64_t length, decimal *d)
{
    int64_t i = 0, seen = 0, point = -1, first = -1, exponent = 0, kept = 0, last = 0;
    *d = (decimal){0};
    for (; i < length; i++) {
        if (text[i] == '.' && point < 0) {
            point = i;
            continue;
        }
        if (!is_digit(text[i]))
            break;
        seen++;
        if (first < 0 && text[i] == '0')
            continue;
        if (first < 0)
            first = i;
        if (kept < 19) {
            d->first = 10 * d->first + (uint64_t)(text[i] - '0');
            kept++;
            last = i;
        } else if (text[i] != '0') {
            d->dropped = 1;
        }
    }
    if (!seen)
        return 0;
    if (point < 0)
        point = i;
    if (first < 0)
        first = last = point;
    d->text = text + first;
    d->length = i - first;
    int64_t used = scan_exponent(text + i, length - i, &exponent);
    d->point = point - first - (first < point);
    int64_t places = point - last - (last < point);
    d->exponent = (int)clamp(exponent + places, 100000);
    d->point = clamp(exponent + d->point, 100000);
    return i + used;
}

/* ---- One rounded operation ---- */

static int exact_in_double(const decimal *d, double *value)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->dropped || d->first >> 53 || d->exponent < -22 || d->exponent > 22)
        return 0;
    double v = (double)d->first;
    *value = d->exponent < 0 ? v / tens[-d->exponent] : v * tens[d->exponent];
    return 1;
}

/* ---- 64 bits with a bound on the error ---- */

/* f 2^e times g 2^h, the top bit of f set again. */
static void times(uint64_t *f, int *e, uint64_t g, int h)
{
    uint64_t low;
    *f = gm__mul128(*f, g, &low);
    *e += h + 64;
    int up = __builtin_clzll(*f);
    *f <<= up;
    *e -= up;
}

/* The nearest double, or one next to it; *sure where it is the nearest. */
static double rounded_64(const decimal *d, int *sure)
{
    static const uint32_t small[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    int k = (d->exponent - LEAST_POWER) / POWER_STEP * POWER_STEP + LEAST_POWER;
    int e = -__builtin_clzll(d->first);
    uint64_t f = d->first << -e;
    if (d->exponent > k) {
        uint64_t g = small[d->exponent - k];
        int up = __builtin_clzll(g);
        times(&f, &e, g << up, -up);
    }
    times(&f, &e, powers[(k - LEAST_POWER) / POWER_STEP], power_exponent(k));
    /* In units of f's last bit: 16 for dropped digits at most (19 digits have 60 bits), 1 for each
     * product, 1/2 for the power, doubled by each shift: ((0 or 16 + 1) 2 + 1.6) 2. */
    uint64_t error = d->dropped ? 72 : 8;
    int drop = e + 11 < -1074 ? -1074 - e : 11;
    if (drop > 63) {
        *sure = 0;
        return 0;
    }
    uint64_t rest = f & (((uint64_t)1 << drop) - 1), half = (uint64_t)1 << (drop - 1);
    *sure = rest + error < half || rest > half + error;
    return gm__double_from_parts((f >> drop) + (rest > half), e + drop);
}

/* ---- Whole numbers ---- */

/* The digits, at most 770 of them: what lies behind can only break a tie, for which one more unit
 * does. A point half way between two doubles has at most 767 digits. Returns the power of ten of
 * the last digit. */
static int64_t big_digits(const decimal *d, gm__big *b)
{
    int64_t taken = 0;
    int more = 0;
    gm__big_set(b, 0);
    for (int64_t i = 0; i < d->length; i++) {
        if (d->text[i] == '.')
            continue;
        if (taken < 769) {
            gm__big_multiply(b, 10, (uint32_t)(d->text[i] - '0'));
            taken++;
        } else {
            more |= d->text[i] != '0';
        }
    }
    if (more) {
        gm__big_multiply(b, 10, 1);
        taken++;
    }
    return d->point - taken + 1;
}

/* Sign of digits 10^power - (2 m + side) 2^(e-1): against the point half way above (side 1) or
 * below (-1). */
static int against_half(const gm__big *digits, int power, uint64_t m, int e, int side)
{
    gm__big left = *digits, right;
    gm__big_set(&right, side > 0 ? 2 * m + 1 : 2 * m - 1);
    gm__big_power10(power >= 0 ? &left : &right, power >= 0 ? power : -power);
    gm__big_shift(e - 1 >= 0 ? &right : &left, e - 1 >= 0 ? e - 1 : 1 - e);
    return gm__big_compare(&left, &right);
}

/* Walks from a guess to the nearest double, ties to even. */
static double rounded_big(const decimal *d, double guess)
{
    gm__big digits;
    int power = (int)big_digits(d, &digits);
    int e;
    if (isinf(guess))
        guess = 0x1.fffffffffffffp+1023;
    for (;;) {
        uint64_t m = gm__double_parts(guess, &e);
        int above = against_half(&digits, power, m, e, 1);
        if (above > 0 || (above == 0 && (m & 1))) {
            guess = gm__double_from_parts(m + 1, e);
            if (above == 0 || isinf(guess))
                return guess;
            continue;
        }
        if (m == 0)
            return guess;
        /* Under a power of two the lower neighbour is half as far. */
        int narrow = m == (uint64_t)1 << 52 && e > -1074;
        int below = against_half(&digits, power, narrow ? 2 * m : m, e - narrow, -1);
        if (below > 0 || (below == 0 && !(m & 1)))
            return guess;
        guess = narrow ? gm__double_from_parts(2 * m - 1, e - 1) : gm__double_from_parts(m - 1, e);
        if (below == 0)
            return guess;
    }
}

static double nearest(const decimal *d)
{
    double value;
    int sure;
    if (d->first == 0 || d->point < -326)
        return 0;
    if (d->point > 309)
        return INFINITY;
    if (exact_in_double(d, &value))
        return value;
    value = rounded_64(d, &sure);
    return sure ? value : rounded_big(d, value);
}

/* ---- Words ---- */

static int64_t read_word(const char *text, int64_t length, double *value)
{
    static const struct {
        const char *word;
        int length;
        double value;
    } words[] = {{"infinity", 8, INFINITY}, {"inf", 3, INFINITY}, {"nan", 3, NAN}};
    for (int w = 0; w < 3; w++) {
        int i = 0;
        while (i < words[w].length && i < length && (text[i] | 0x20) == words[w].word[i])
            i++;
        if (i == words[w].length) {
            *value = words[w].value;
            return i;
        }
    }
    return 0;
}

int64_t gm__read_real(const char *text, int64_t length, double *value)
{
    decimal d;
    double v;
    int sign = length > 0 && (text[0] == '-' || text[0] == '+');
    int64_t used = scan(text + sign, length - sign, &d);
    if (used)
        v = nearest(&d);
    else
        used = read_word(text + sign, length - sign, &v);
    if (!used)
        return 0;
    *value = sign && text[0] == '-' ? -v : v;
    return used + sign;
}
