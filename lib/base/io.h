/* Bytes in and out: files, memory, hooks; atomic replacement; checksums; clocks. */
#ifndef GM__IO_H
#define GM__IO_H

#include "base/context.h"

/* Reads a whole caller's hook into *reader / *writer; GM_E_ARG if it is malformed. */
gm_status gm__reader_check(gm_context *ctx, const gm_reader *reader);
gm_status gm__writer_check(gm_context *ctx, const gm_writer *writer);

/* Opens a file as a reader. "-" is not special here. Errors name the path and the reason. */
gm_status gm__file_reader(gm_context *ctx, const char *path, gm_reader *reader);
void gm__file_reader_close(gm_reader *reader);

/* Memory as a reader; the source stays the caller's, and at 0 begins. */
typedef struct gm__memory_source {
    const unsigned char *data;
    int64_t size, at;
} gm__memory_source;
gm_status gm__memory_reader(gm_reader *reader, void *source /* gm__memory_source */);

/* Up to size bytes, fewer only at the end: *got says how many. name is for texts: "cannot read
 * 'name': ...". */
gm_status gm__read(gm_context *ctx, const gm_reader *reader, const char *name, void *buffer,
                   int64_t size, int64_t *got);
/* All of a reader into memory, growing as bytes arrive; more than limit bytes is GM_E_RANGE. To be
 * freed by gm__free(&ctx->allocator, *data, *size + 1): a zero follows the last byte. */
gm_status gm__read_all(gm_context *ctx, const gm_reader *reader, const char *name, int64_t limit,
                       char **data, int64_t *size);
gm_status gm__write(gm_context *ctx, const gm_writer *writer, const void *bytes, int64_t size);

/* Replacing a file at once or not at all. begin opens a temporary file beside path; what is written
 * to *writer goes there (buffered); finish makes it durable and puts it in the place of path, with
 * the mode of what it replaces; abandon removes it. Nothing at path changes before finish succeeds;
 * finish frees r whether it succeeds or not. A link is followed. What is no regular file
 * (/dev/stdout, a FIFO) is written directly. abandon(NULL) does nothing. */
typedef struct gm__replacement gm__replacement;
gm_status gm__replace_begin(gm_context *ctx, const char *path, gm__replacement **r,
                            gm_writer *writer);
gm_status gm__replace_finish(gm_context *ctx, gm__replacement *r);
void gm__replace_abandon(gm__replacement *r);

/* SHA-256 (FIPS 180-4): the checksum of files and the fingerprint of data. */
typedef struct gm__sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} gm__sha256;
void gm__sha256_begin(gm__sha256 *s);
void gm__sha256_add(gm__sha256 *s, const void *bytes, size_t size);
void gm__sha256_end(gm__sha256 *s, unsigned char digest[32]);
void gm__sha256_text(const unsigned char digest[32],
                     char text[65]); /* hexadecimal, small letters */

/* Seconds of a clock that only goes forward, and whole seconds since 1970. */
double gm__clock(void);
int64_t gm__wall_time(void);

#endif
