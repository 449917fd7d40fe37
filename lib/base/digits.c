/* Decimal digits of doubles: exact to any count, and the shortest that read back.
 *
 * Steele and White 1990, "How to print floating-point numbers accurately", with the fixed-up scale
 * and the boundary cases of Burger and Dybvig 1996: the value is r / s, and digits fall out of r =
 * 10 r mod s. */
#include "base/decimal.h"

#include <math.h>
#include <string.h>

uint64_t gm__double_parts(double value, int *exponent)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int biased = (int)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & 0xfffffffffffffu;
    *exponent = (biased ? biased : 1) - 1075;
    return biased ? mantissa | 0x10000000000000u : mantissa;
}

double gm__double_from_parts(uint64_t mantissa, int exponent)
{
    uint64_t bits = 0;
    if (mantissa >> 53) { /* 2^53 exactly: what rounding up leaves */
        mantissa >>= 1;
        exponent++;
    }
    if (mantissa >> 52)
        bits = (uint64_t)(exponent + 1075) << 52 | (mantissa & 0xfffffffffffffu);
    else
        bits = mantissa;
    if (exponent > 971)
        bits = 0x7ff0000000000000u;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Length in bits. */
static int bits_of(uint64_t v)
{
    return v ? 64 - __builtin_clzll(v) : 0;
}

/* About floor(log10(m 2^e)), at most one off. */
static int scale_guess(uint64_t m, int e)
{
    int64_t two = e + bits_of(m) - 1;
    return (int)((two * 315653 - (two < 0 ? 1048575 : 0)) /
                 1048576); /* log10(2) 2^20, rounded down */
}

/* Shifts all by the same number of bits, so that the top word of s has 28: what gm__big_divide
 * wants. */
static int normal_shift(const gm__big *s)
{
    int top = bits_of(s->w[s->n - 1]);
    return top <= 28 ? 28 - top : 60 - top;
}

/* ---- A fixed count of digits ---- */

static void add_one(char *digits, int count, int *exponent)
{
    int i = count - 1;
    while (i >= 0 && digits[i] == '9')
        digits[i--] = '0';
    if (i >= 0) {
        digits[i]++;
    } else { /* 99.9 became 100 */
        digits[0] = '1';
        ++*exponent;
    }
}

/* value = r / s * 10^k with r / s in [1, 10); ten is 10 s. Returns k. */
static int scale_exact(gm__big *r, gm__big *s, gm__big *ten, double value)
{
    int e;
    uint64_t m = gm__double_parts(value, &e);
    int k = scale_guess(m, e);
    gm__big_set(r, m);
    gm__big_set(s, 1);
    gm__big_shift(e >= 0 ? r : s, e >= 0 ? e : -e);
    gm__big_power10(k >= 0 ? s : r, k >= 0 ? k : -k);
    for (; gm__big_compare(r, s) < 0; k--)
        gm__big_multiply(r, 10, 0);
    *ten = *s;
    gm__big_multiply(ten, 10, 0);
    for (; gm__big_compare(r, ten) >= 0; k++) {
        *s = *ten;
        gm__big_multiply(ten, 10, 0);
    }
    return k;
}

/* `count` digits of r / s, in [1, 10), correctly rounded; counts *exponent up where 99.9 became
 * 100. */
static void exact_digits(char *digits, int count, gm__big *r, gm__big *s, int *exponent)
{
    int shift = normal_shift(s);
    gm__big_shift(r, shift);
    gm__big_shift(s, shift);
    for (int i = 0; i < count; i++) {
        digits[i] = (char)('0' + gm__big_divide(r, s));
        gm__big_multiply(r, i + 1 < count ? 10 : 2, 0);
    }
    int rest = gm__big_compare(r, s); /* of twice the rest against one unit of the last digit */
    if (rest > 0 || (rest == 0 && (digits[count - 1] & 1)))
        add_one(digits, count, exponent);
}

void gm__digits_exact(char *digits, int count, double value, int *exponent)
{
    gm__big r, s, ten;
    *exponent = scale_exact(&r, &s, &ten, value);
    exact_digits(digits, count, &r, &s, exponent);
}

int gm__digits_fixed(char *digits, int decimals, double value)
{
    gm__big r, s, ten;
    int exponent = scale_exact(&r, &s, &ten, value);
    int count = exponent + 1 + decimals, before = exponent;
    if (count < 0)
        return 0;
    if (count == 0) { /* under one unit: 1 if over half of it */
        gm__big_multiply(&r, 2, 0);
        digits[0] = '1';
        return gm__big_compare(&r, &ten) > 0;
    }
    exact_digits(digits, count, &r, &s, &exponent);
    if (exponent > before)
        digits[count++] = '0';
    return count;
}

/* ---- The shortest ---- */

/* value = r / s; the doubles (floats) half way to its neighbours are (r - below) / s and (r +
 * above) / s; `even` says that the ends read back too. */
typedef struct interval {
    gm__big r, s, below, above;
    int even;
} interval;

static void set_interval(interval *v, uint64_t m, int e, int narrow)
{
    /* narrow: the lower neighbour is half as far, as under a power of two. Units of a quarter of
     * 2^e. */
    int up = e > 0 ? e : 0, down = e < 0 ? -e : 0;
    gm__big_set(&v->r, m);
    gm__big_shift(&v->r, up + 2);
    gm__big_set(&v->s, 1);
    gm__big_shift(&v->s, down + 2);
    gm__big_set(&v->above, 2);
    gm__big_shift(&v->above, up);
    gm__big_set(&v->below, narrow ? 1 : 2);
    gm__big_shift(&v->below, up);
    v->even = !(m & 1);
}

static void times_ten(interval *v)
{
    gm__big_multiply(&v->r, 10, 0);
    gm__big_multiply(&v->below, 10, 0);
    gm__big_multiply(&v->above, 10, 0);
}

/* Scales the interval so that the digit in front of the point comes first; returns its power of
 * ten. */
static int set_scale(interval *v, int k)
{
    if (k >= 0) {
        gm__big_power10(&v->s, k);
    } else {
        gm__big_power10(&v->r, -k);
        gm__big_power10(&v->below, -k);
        gm__big_power10(&v->above, -k);
    }
    /* The top of the interval is to lie in [1, 10), or (1, 10] where its end is left out. */
    while (gm__big_compare_sum(&v->r, &v->above, &v->s) < !v->even) {
        times_ten(v);
        k--;
    }
    gm__big ten = v->s;
    gm__big_multiply(&ten, 10, 0);
    if (gm__big_compare_sum(&v->r, &v->above, &ten) >= !v->even) {
        v->s = ten;
        k++;
    }
    int shift = normal_shift(&v->s);
    gm__big_shift(&v->r, shift);
    gm__big_shift(&v->s, shift);
    gm__big_shift(&v->below, shift);
    gm__big_shift(&v->above, shift);
    return k;
}

static int take_digits(interval *v, char *digits)
{
    for (int n = 0;;) {
        int digit = gm__big_divide(&v->r, &v->s);
        int low = gm__big_compare(&v->r, &v->below) < v->even;
        int high = gm__big_compare_sum(&v->r, &v->above, &v->s) >= !v->even;
        if (low || high || n == 16) {
            gm__big_multiply(&v->r, 2, 0);
            int half = gm__big_compare(&v->r, &v->s);
            int up = low == high ? half > 0 || (half == 0 && (digit & 1)) : high;
            digits[n++] = (char)('0' + digit + up);
            return n;
        }
        digits[n++] = (char)('0' + digit);
        times_ten(v);
    }
}

/* Most numbers in files have few digits: whole / 10^k, both exact, is then one rounded division,
 * which is how a reader computes it. With at most 15 digits only one whole number can lie in the
 * interval, and multiplying finds it. Returns the count of digits, 0 where there are more. */
static int few_digits(char *digits, double value, int *exponent)
{
    double power = 1;
    if (!(value >= 1e-5 && value < 1e15))
        return 0;
    for (int k = 0; k <= 20; k++, power *= 10) {
        double whole = value * power + 0.5;
        if (whole >= 1e15)
            return 0;
        uint64_t w = (uint64_t)whole;
        if ((double)w / power == value) {
            int n = 0, zeros = 0;
            for (; w % 10 == 0; zeros++)
                w /= 10;
            char back[20];
            for (; w; w /= 10)
                back[n++] = (char)('0' + w % 10);
            for (int i = 0; i < n; i++)
                digits[i] = back[n - 1 - i];
            *exponent = n + zeros - 1 - k;
            return n;
        }
    }
    return 0;
}

int gm__digits_shortest(char digits[18], double value, int f32, int *exponent)
{
    int e, n;
    value = fabs(value);
    uint64_t m = gm__double_parts(value, &e);
    int narrow = m == (uint64_t)1 << 52 && e > -1074;
    if (f32) { /* a float's mantissa has 24 bits; under 2^-126 its last bit is 2^-149 */
        int drop = e + 29 < -149 ? -149 - e : 29;
        m = drop < 64 ? m >> drop : 0;
        e += drop;
        narrow = m == 1 << 23 && e > -149;
    } else if ((n = few_digits(digits, value, exponent))) {
        return n;
    }
    interval v;
    set_interval(&v, m, e, narrow);
    *exponent = set_scale(&v, scale_guess(m, e));
    return take_digits(&v, digits);
}
