/* Exact decimal digits of binary numbers, and the whole numbers of many words that they rest on. */
#ifndef GM__DECIMAL_H
#define GM__DECIMAL_H

#include <stdint.h>

/* ---- Whole numbers of up to 132 words ---- */

/* Enough for what reading and writing doubles needs: 770 digits times 2^1075 take 3,635 bits, and
 * 54 bits times 10^1094 take 3,688. Words above n are not looked at; the highest is not zero; n = 0
 * is zero. */
enum { GM__BIG_WORDS = 132 };
typedef struct gm__big {
    int n;
    uint32_t w[GM__BIG_WORDS]; /* least first */
} gm__big;

void gm__big_set(gm__big *b, uint64_t value);
void gm__big_multiply(gm__big *b, uint32_t by, uint32_t plus); /* b = b * by + plus */
void gm__big_power10(gm__big *b, int power);                   /* b = b * 10^power */
void gm__big_shift(gm__big *b, int bits);                      /* b = b * 2^bits */
int gm__big_compare(const gm__big *a, const gm__big *b);       /* -1, 0, 1 */
/* Sign of a + b - c. */
int gm__big_compare_sum(const gm__big *a, const gm__big *b, const gm__big *c);
/* a / b, which must be under 10, where the top word of b has 28 bits; a becomes the rest. */
int gm__big_divide(gm__big *a, const gm__big *b);

/* ---- Doubles ---- */

/* |value| = mantissa * 2^exponent, mantissa under 2^53; value finite. */
uint64_t gm__double_parts(double value, int *exponent);
double gm__double_from_parts(uint64_t mantissa,
                             int exponent); /* exact, or infinite above the range */

/* Room for any number that gm__decimal_fixed or gm__decimal_digits writes. */
enum { GM__DECIMAL_TEXT = 400, GM__DECIMAL_MOST = 60 };

/* |value| (finite, not 0) as d.ddd times 10^*exponent: `count` digits, correctly rounded, ties to
 * even. */
void gm__digits_exact(char *digits, int count, double value, int *exponent);
/* The fewest digits that read back as the same double (float); returns how many (up to 17). */
int gm__digits_shortest(char digits[18], double value, int f32, int *exponent);
/* |value| in whole units of 10^-decimals; how many digits, 0 if it rounds to nothing. */
int gm__digits_fixed(char *digits, int decimals, double value);

/* Text with `decimals` digits behind the point, or `count` significant digits (both at most
 * GM__DECIMAL_MOST), with a zero; returns the length. */
int gm__decimal_fixed(char text[GM__DECIMAL_TEXT], double value, int decimals);
int gm__decimal_digits(char text[GM__DECIMAL_TEXT], double value, int count);

#endif
