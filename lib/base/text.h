/* Numbers and text without the locale. */
#ifndef GM__TEXT_H
#define GM__TEXT_H

#include "base/alloc.h"
#include <stdarg.h>

/* Reads a decimal number from text[0..length), correctly rounded whatever its length: digits with
 * an optional sign, point and exponent, or inf, infinity, nan in any case. No space, no
 * hexadecimal, no comma. Too large gives infinity, too small 0. Returns how many bytes were used;
 * 0, and *value untouched, where there is no number. */
int64_t gm__read_real(const char *text, int64_t length, double *value);
/* Reads a whole number with an optional sign; returns the bytes used, 0 if there is none or it does
 * not fit. */
int64_t gm__read_int(const char *text, int64_t length, int64_t *value);
int64_t gm__read_uint(const char *text, int64_t length, uint64_t *value);
/* The shortest text that reads back as the same double (with f32: as the same float), the nearest
 * such one: "0.1", "-12345", "1e-7", "inf", "nan". At most 31 bytes with its zero; returns the
 * length. */
int gm__write_real(char out[32], double value, int f32);
int gm__write_int(char out[24], int64_t value);

/* A small printf into a buffer of size bytes, cut between characters and ended by zero where size >
 * 0. Returns the length that the whole text has. Conversions: %s %d %i %u %x %c %%, with l, ll, j,
 * z, t; %g (the shortest form), %.Ng (N significant digits), %.Nf (N decimals); flags - and 0,
 * width and precision, also as *. */
int64_t gm__format(char *out, int64_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int64_t gm__vformat(char *out, int64_t size, const char *format, va_list args);

/* Text that grows, always ended by a zero once something was added. Zero but for .allocator is
 * empty. After a failure .failed stays set and adding does nothing. */
typedef struct gm__buffer {
    gm_allocator allocator;
    char *data;
    size_t size, capacity; /* size does not count the zero */
    int failed;
} gm__buffer;
void gm__buffer_add(gm__buffer *b, const void *bytes, size_t size);
void gm__buffer_text(gm__buffer *b, const char *text);
void gm__buffer_format(gm__buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Frees the text; the buffer is empty and usable. */
void gm__buffer_clear(gm__buffer *b);

/* Non-zero if the bytes are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
int gm__valid_utf8(const char *text, int64_t length);
/* The bytes of the character at text (1 to 4), 0 if they are not UTF-8. */
int gm__utf8_length(const char *text, int64_t length);
/* Equality of names, ASCII letters compared without case. */
int gm__same_name(const char *a, const char *b);
/* How many single-character changes turn a into b; most + 1 where that is more than `most`. */
int gm__edit_distance(const char *a, const char *b, int most);

#endif
