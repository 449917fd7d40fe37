/* Whole numbers, UTF-8, and names. */
#include "base/text.h"
#include "base/size.h"

#include <string.h>

/* ---- Whole numbers ---- */

/* Digits from text[i..length) into *value; where they end, or 0 if there are none or they do not
 * fit. */
static int64_t read_digits(const char *text, int64_t i, int64_t length, uint64_t *value)
{
    uint64_t v = 0;
    int64_t start = i;
    for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return 0;
        v = 10 * v + digit;
    }
    *value = v;
    return i > start ? i : 0;
}

int64_t gm__read_int(const char *text, int64_t length, int64_t *value)
{
    uint64_t size;
    int negative = length > 0 && text[0] == '-';
    int64_t used = read_digits(text, length > 0 && (negative || text[0] == '+'), length, &size);
    if (!used || size > (uint64_t)INT64_MAX + (unsigned)negative)
        return 0;
    *value = negative ? -(int64_t)(size - (size > INT64_MAX)) - (size > INT64_MAX) : (int64_t)size;
    return used;
}

int64_t gm__read_uint(const char *text, int64_t length, uint64_t *value)
{
    uint64_t v;
    int64_t used = read_digits(text, length > 0 && text[0] == '+', length, &v);
    if (used)
        *value = v;
    return used;
}

int gm__write_int(char out[24], int64_t value)
{
    char digits[24];
    int n = 0, length = 0;
    uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    if (value < 0)
        out[length++] = '-';
    while (n)
        out[length++] = digits[--n];
    out[length] = 0;
    return length;
}

/* ---- UTF-8 ---- */

static int follows(const char *text, int64_t at, int64_t length)
{
    return at < length && ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* Table 3-7 of the Unicode standard: the second byte's range depends on the first. */
int gm__utf8_length(const char *text, int64_t length)
{
    if (length < 1)
        return 0;
    unsigned char a = (unsigned char)text[0];
    unsigned char b = length > 1 ? (unsigned char)text[1] : 0;
    if (a < 0x80)
        return 1;
    if (a < 0xc2 || a > 0xf4 || !follows(text, 1, length))
        return 0;
    if (a < 0xe0)
        return 2;
    if (!follows(text, 2, length))
        return 0;
    if (a < 0xf0)
        return (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) ? 0 : 3;
    if (!follows(text, 3, length))
        return 0;
    return (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f) ? 0 : 4;
}

int gm__valid_utf8(const char *text, int64_t length)
{
    for (int64_t i = 0; i < length;) {
        int n = gm__utf8_length(text + i, length - i);
        if (!n)
            return 0;
        i += n;
    }
    return 1;
}

/* ---- Names ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int gm__same_name(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b))
        a++, b++;
    return lower(*a) == lower(*b);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Wagner and Fischer 1974, one row at a time, over names of at most 63 bytes. */
int gm__edit_distance(const char *a, const char *b, int most)
{
    enum { LONGEST = 63 };
    size_t n = strlen(a), m = strlen(b);
    int row[LONGEST + 1];
    if (n > LONGEST || m > LONGEST)
        return most + 1;
    for (size_t j = 0; j <= m; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return least(row[m], most + 1);
}
