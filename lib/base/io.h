/* Bytes in and out: files, memory, hooks; atomic replacement; checksums. */
#ifndef GM__IO_H
#define GM__IO_H
#include "base/context.h"
/* A file opened for reading as a reader. "-" is not special here. Errors name the path and the reason. */
gm_status gm__file_reader(gm_context *ctx, const char *path, gm_reader *reader);
void gm__file_reader_close(gm_reader *reader);
gm_status gm__memory_reader(gm_reader *reader, void *state /* gm__memory_source */);
typedef struct gm__memory_source {
    const unsigned char *data;
    int64_t size, at;
} gm__memory_source;
/* Writes to a temporary file beside path; finish makes it durable (fsync) and puts it in place of path; abandon
 * removes it. Nothing at path changes before finish succeeds. */
typedef struct gm__replacement gm__replacement;
gm_status gm__replace_begin(gm_context *ctx, const char *path, gm__replacement **r, gm_writer *writer);
gm_status gm__replace_finish(gm_context *ctx, gm__replacement *r);
void gm__replace_abandon(gm__replacement *r);
/* All of a reader into memory, at most limit bytes, growing as bytes arrive; freed by gm__free(data, *size + 1): a zero
 * follows the last byte. name is for error texts. */
gm_status gm__read_all(gm_context *ctx, const gm_reader *reader, const char *name, int64_t limit, char **data,
                       int64_t *size);
gm_status gm__reader_check(gm_context *ctx, const gm_reader *reader);
gm_status gm__writer_check(gm_context *ctx, const gm_writer *writer);
gm_status gm__write(gm_context *ctx, const gm_writer *writer, const void *bytes, int64_t size);
/* CRC-32C? no: XXH-like speed is not needed; SHA-256 (FIPS 180-4) gives checksum and fingerprint alike. */
typedef struct gm__sha256 {
    uint32_t state[8];
    uint64_t length;
    unsigned char block[64];
} gm__sha256;
void gm__sha256_begin(gm__sha256 *s);
void gm__sha256_add(gm__sha256 *s, const void *bytes, size_t size);
void gm__sha256_end(gm__sha256 *s, unsigned char digest[32]);
void gm__sha256_text(const unsigned char digest[32], char text[65]);
/* Monotonic seconds, and wall clock seconds since 1970. */
double gm__clock(void);
int64_t gm__wall_time(void);
#endif
