/* A small printf without the locale and without memory. */
#include "base/text.h"
#include "base/decimal.h"

#include <stddef.h>
#include <string.h>

/* Where the text goes; bytes past the end are counted only. */
typedef struct sink {
    char *out;
    int64_t size, length;
} sink;

static void put(sink *s, const char *bytes, int64_t n)
{
    int64_t room = s->size - 1 - s->length;
    if (room > 0)
        memcpy(s->out + s->length, bytes, (size_t)(n < room ? n : room));
    s->length += n;
}

static void repeat(sink *s, char c, int64_t n)
{
    for (; n > 0; n--)
        put(s, &c, 1);
}

/* One conversion: %[flags][width][.precision][length]letter */
typedef struct conversion {
    int left, zeros, width, precision; /* precision -1: none */
    char length;                       /* 'l', 'L' (ll), 'j', 'z', 't' or 0 */
    char letter;
} conversion;

/* text with at most one sign in front, padded to the width. */
static void put_padded(sink *s, const conversion *c, const char *text, int64_t n)
{
    int64_t fill = c->width - n;
    int sign = c->zeros && !c->left && n > 0 && text[0] == '-';
    if (!c->left && !c->zeros)
        repeat(s, ' ', fill);
    put(s, text, sign);
    if (!c->left && c->zeros)
        repeat(s, '0', fill);
    put(s, text + sign, n - sign);
    if (c->left)
        repeat(s, ' ', fill);
}

static void put_text(sink *s, const conversion *c, const char *text)
{
    int64_t n = 0;
    if (!text)
        text = "(null)";
    while ((c->precision < 0 || n < c->precision) && text[n])
        n++;
    put_padded(s, c, text, n);
}

static void put_unsigned(sink *s, const conversion *c, uint64_t v, unsigned base, int negative)
{
    char digits[72];
    int at = sizeof digits;
    do
        digits[--at] = "0123456789abcdef"[v % base];
    while (v /= base);
    while ((int)sizeof digits - at < c->precision && at > 1)
        digits[--at] = '0';
    if (negative)
        digits[--at] = '-';
    put_padded(s, c, digits + at, (int)sizeof digits - at);
}

static void put_real(sink *s, const conversion *c, double value)
{
    char text[GM__DECIMAL_TEXT];
    int n;
    if (c->letter == 'f')
        n = gm__decimal_fixed(text, value, c->precision < 0 ? 6 : c->precision);
    else if (c->precision < 0)
        n = gm__write_real(text, value, 0);
    else
        n = gm__decimal_digits(text, value, c->precision);
    put_padded(s, c, text, n);
}

static const char *read_number(const char *f, int *value)
{
    for (*value = 0; *f >= '0' && *f <= '9'; f++)
        if (*value < 100000)
            *value = 10 * *value + (*f - '0');
    return f;
}

static const char *read_length(const char *f, conversion *c)
{
    c->length = 0;
    if (f[0] == 'l' && f[1] == 'l') {
        c->length = 'L';
        return f + 2;
    }
    if (*f == 'l' || *f == 'j' || *f == 'z' || *f == 't')
        c->length = *f++;
    return f;
}

/* Only what is read from the list can move it; so the list travels in a struct. */
typedef struct arguments {
    va_list list;
} arguments;

static const char *read_conversion(const char *f, conversion *c, arguments *a)
{
    c->left = c->zeros = 0;
    c->precision = -1;
    for (; *f == '-' || *f == '0'; f++) {
        c->left |= *f == '-';
        c->zeros |= *f == '0';
    }
    if (*f == '*') {
        c->width = va_arg(a->list, int);
        f++;
    } else {
        f = read_number(f, &c->width);
    }
    if (*f == '.') {
        if (*++f == '*') {
            c->precision = va_arg(a->list, int);
            f++;
        } else {
            f = read_number(f, &c->precision);
        }
    }
    f = read_length(f, c);
    c->letter = *f;
    return *f ? f + 1 : f;
}

static int64_t signed_argument(const conversion *c, arguments *a)
{
    switch (c->length) {
    case 'l':
        return va_arg(a->list, long);
    case 'L':
        return va_arg(a->list, long long);
    case 'j':
        return va_arg(a->list, intmax_t);
    case 'z':
    case 't':
        return va_arg(a->list, ptrdiff_t);
    default:
        return va_arg(a->list, int);
    }
}

static uint64_t unsigned_argument(const conversion *c, arguments *a)
{
    switch (c->length) {
    case 'l':
        return va_arg(a->list, unsigned long);
    case 'L':
        return va_arg(a->list, unsigned long long);
    case 'j':
        return va_arg(a->list, uintmax_t);
    case 'z':
    case 't':
        return va_arg(a->list, size_t);
    default:
        return va_arg(a->list, unsigned);
    }
}

static void put_signed(sink *s, const conversion *c, int64_t v)
{
    put_unsigned(s, c, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0);
}

static void convert(sink *s, const conversion *c, arguments *a)
{
    char letter;
    switch (c->letter) {
    case 's':
        put_text(s, c, va_arg(a->list, const char *));
        break;
    case 'd':
    case 'i':
        put_signed(s, c, signed_argument(c, a));
        break;
    case 'u':
        put_unsigned(s, c, unsigned_argument(c, a), 10, 0);
        break;
    case 'x':
        put_unsigned(s, c, unsigned_argument(c, a), 16, 0);
        break;
    case 'c':
        letter = (char)va_arg(a->list, int);
        put_padded(s, c, &letter, 1);
        break;
    case 'f':
    case 'g':
        put_real(s, c, va_arg(a->list, double));
        break;
    default: /* "%%", and what is no conversion, as it stands */
        put(s, &c->letter, c->letter != 0);
    }
}

/* Ends the text by a zero; a character that the cut went through goes whole. */
static void finish(sink *s)
{
    if (s->size <= 0)
        return;
    int64_t end = s->length;
    if (end > s->size - 1) {
        end = s->size - 1;
        int64_t start = end;
        while (start > 0 && end - start < 4 && ((unsigned char)s->out[start - 1] & 0xc0) == 0x80)
            start--;
        if (start > 0 && (unsigned char)s->out[start - 1] >= 0xc0 &&
            !gm__utf8_length(s->out + start - 1, end - start + 1))
            end = start - 1;
    }
    s->out[end] = 0;
}

int64_t gm__vformat(char *out, int64_t size, const char *format, va_list args)
{
    sink s = {out, size, 0};
    arguments a;
    va_copy(a.list, args);
    while (*format) {
        const char *percent = strchr(format, '%');
        int64_t plain = percent ? percent - format : (int64_t)strlen(format);
        put(&s, format, plain);
        format += plain;
        if (percent) {
            conversion c;
            format = read_conversion(format + 1, &c, &a);
            convert(&s, &c, &a);
        }
    }
    va_end(a.list);
    finish(&s);
    return s.length;
}

int64_t gm__format(char *out, int64_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int64_t length = gm__vformat(out, size, format, args);
    va_end(args);
    return length;
}
