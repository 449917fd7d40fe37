/* Doubles as text. */
#include "base/text.h"
#include "base/decimal.h"

#include <math.h>
#include <string.h>

/* Numbers that have no digits, with the sign; 0 if value has. */
static int write_special(char *text, double value)
{
    const char *word = isnan(value) ? "nan" : isinf(value) ? "inf" : value == 0 ? "0" : NULL;
    if (!word)
        return 0;
    int sign = signbit(value) && !isnan(value);
    text[0] = '-';
    memcpy(text + sign, word, strlen(word) + 1);
    return sign + (int)strlen(word);
}

/* d.ddd e x, or plain where the power of ten is in [-5, 15]. */
static int lay_out(char *out, const char *digits, int n, int exponent, int negative)
{
    char *p = out;
    if (negative)
        *p++ = '-';
    if (exponent < -5 || exponent > 15) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, (size_t)n - 1);
            p += n - 1;
        }
        *p++ = 'e';
        return (int)(p - out) + gm__write_int(p, exponent);
    }
    if (exponent < 0) {
        memcpy(p, "0.0000", (size_t)(1 - exponent));
        p += 1 - exponent;
    }
    for (int i = 0; i < n || i <= exponent; i++) {
        if (i > 0 && i == exponent + 1)
            *p++ = '.';
        *p++ = i < n ? digits[i] : '0';
    }
    *p = 0;
    return (int)(p - out);
}

int gm__write_real(char out[32], double value, int f32)
{
    char digits[18];
    int exponent, n;
    if (f32)
        value = (float)value;
    if ((n = write_special(out, value)))
        return n;
    n = gm__digits_shortest(digits, value, f32, &exponent);
    n = lay_out(out, digits, n, exponent, value < 0);
    if (f32) { /* readers go through a double, and rounding twice may miss: then more digits */
        double back;
        gm__read_real(out, n, &back);
        if ((float)back != (float)value)
            return gm__write_real(out, value, 0);
    }
    return n;
}

int gm__decimal_digits(char text[GM__DECIMAL_TEXT], double value, int count)
{
    char digits[GM__DECIMAL_MOST];
    int exponent, n = count < 1 ? 1 : count > GM__DECIMAL_MOST ? GM__DECIMAL_MOST : count;
    int special = write_special(text, value);
    if (special)
        return special;
    gm__digits_exact(digits, n, value, &exponent);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return lay_out(text, digits, n, exponent, value < 0);
}

int gm__decimal_fixed(char text[GM__DECIMAL_TEXT], double value, int decimals)
{
    char digits[GM__DECIMAL_TEXT];
    char *p = text;
    if (decimals > GM__DECIMAL_MOST)
        decimals = GM__DECIMAL_MOST;
    if (isnan(value) || isinf(value))
        return write_special(text, value);
    int n = value == 0 ? 0 : gm__digits_fixed(digits, decimals, value);
    if (signbit(value))
        *p++ = '-';
    int whole = n - decimals; /* digits in front of the point */
    if (whole <= 0)
        *p++ = '0';
    for (int i = 0; i < whole; i++)
        *p++ = digits[i];
    if (decimals > 0)
        *p++ = '.';
    for (int i = whole; i < n || i < whole + decimals; i++)
        *p++ = i < 0 || i >= n ? '0' : digits[i];
    *p = 0;
    return (int)(p - text);
}
