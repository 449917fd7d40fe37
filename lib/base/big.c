/* Whole numbers of many words, for exact conversion between decimal and binary. */
#include "base/decimal.h"

#include <string.h>

void gm__big_set(gm__big *b, uint64_t value)
{
    b->n = 0;
    for (; value; value >>= 32)
        b->w[b->n++] = (uint32_t)value;
}

static void append(gm__big *b, uint64_t word)
{
    if (word && b->n < GM__BIG_WORDS)
        b->w[b->n++] = (uint32_t)word;
}

void gm__big_multiply(gm__big *b, uint32_t by, uint32_t plus)
{
    uint64_t carry = plus;
    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->w[i] * by;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    append(b, carry);
}

void gm__big_power10(gm__big *b, int power)
{
    static const uint32_t small[] = {1,     5,      25,      125,     625,      3125,     15625,
                                     78125, 390625, 1953125, 9765625, 48828125, 244140625};
    int fives = power;
    for (; fives >= 13; fives -= 13)
        gm__big_multiply(b, 1220703125, 0); /* 5^13 */
    gm__big_multiply(b, small[fives], 0);
    gm__big_shift(b, power);
}

void gm__big_shift(gm__big *b, int bits)
{
    int words = bits / 32, rest = bits % 32;
    if (b->n == 0 || bits == 0)
        return;
    if (b->n + words > GM__BIG_WORDS)
        words = GM__BIG_WORDS - b->n; /* no caller comes here */
    memmove(b->w + words, b->w, (size_t)b->n * sizeof *b->w);
    memset(b->w, 0, (size_t)words * sizeof *b->w);
    b->n += words;
    if (rest) {
        uint32_t carry = 0;
        for (int i = words; i < b->n; i++) {
            uint32_t w = b->w[i];
            b->w[i] = w << rest | carry;
            carry = w >> (32 - rest);
        }
        append(b, carry);
    }
}

int gm__big_compare(const gm__big *a, const gm__big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

static int64_t word(const gm__big *b, int i)
{
    return i < b->n ? b->w[i] : 0;
}

int gm__big_compare_sum(const gm__big *a, const gm__big *b, const gm__big *c)
{
    int top = a->n > b->n ? a->n : b->n;
    if (top < c->n)
        top = c->n;
    /* From the top: what is left of a + b - c, in units of word i. Two or more decide: below them a
     * + b - c can make up for less than one unit, and minus two for less than two. */
    int64_t rest = 0;
    for (int i = top - 1; i >= 0; i--) {
        rest = rest * 4294967296 + word(a, i) + word(b, i) - word(c, i);
        if (rest > 1)
            return 1;
        if (rest < -1)
            return -1;
    }
    return rest > 0 ? 1 : rest < 0 ? -1 : 0;
}

/* a = a - times * b, which must not be negative. */
static void subtract(gm__big *a, const gm__big *b, uint32_t times)
{
    uint64_t carry = 0, borrow = 0;
    for (int i = 0; i < a->n; i++) {
        carry += (uint64_t)word(b, i) * times;
        uint64_t d = (uint64_t)a->w[i] - (uint32_t)carry - borrow;
        a->w[i] = (uint32_t)d;
        borrow = d >> 63;
        carry >>= 32;
    }
    while (a->n > 0 && a->w[a->n - 1] == 0)
        a->n--;
}

int gm__big_divide(gm__big *a, const gm__big *b)
{
    if (a->n < b->n)
        return 0;
    /* The top words give the digit or one less: b's has 28 bits, so the guess errs by under 10 /
     * 2^27. */
    uint32_t digit = a->w[b->n - 1] / (b->w[b->n - 1] + 1);
    if (digit)
        subtract(a, b, digit);
    while (gm__big_compare(a, b) >= 0) {
        subtract(a, b, 1);
        digit++;
    }
    return (int)digit;
}
