/* Numbers and text without the locale. */
#ifndef GM__TEXT_H
#define GM__TEXT_H
#include "base/alloc.h"
#include <stdarg.h>
/* Reads a decimal real (also inf, nan, hex is refused) correctly rounded from text[0..length); returns how many
 * bytes were used, 0 if there is no number. */
int64_t gm__read_real(const char *text, int64_t length, double *value);
int64_t gm__read_int(const char *text, int64_t length, int64_t *value); /* 0 also on overflow */
/* The shortest text that reads back as the same double (or, with f32, the same float). At most 31 bytes with the
 * zero; returns the length. */
int gm__write_real(char out[32], double value, int f32);
int gm__write_int(char out[24], int64_t value);
/* A small printf into a buffer of size bytes, cut and ended by zero; returns the length that it would need.
 * %s %d %u %lld %llu %zu %c %% %g (shortest form) %.Ng (N digits) %.*s %x %016llx */
int64_t gm__format(char *out, int64_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int64_t gm__vformat(char *out, int64_t size, const char *format, va_list args);
/* Text that grows. Zero plus .allocator is empty. After a failure .failed stays set and adding does nothing. */
typedef struct gm__buffer {
    gm_allocator allocator;
    char *data;
    size_t size, capacity;
    int failed;
} gm__buffer;
void gm__buffer_add(gm__buffer *b, const void *bytes, size_t size);
void gm__buffer_text(gm__buffer *b, const char *text);
void gm__buffer_format(gm__buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gm__buffer_clear(gm__buffer *b); /* frees */
int gm__valid_utf8(const char *text, int64_t length);
#endif
