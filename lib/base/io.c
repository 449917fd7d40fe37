/* Readers and writers: hooks, memory and files. */
#include "base/io.h"
#include "base/file.h"
#include "base/os.h"
#include "base/text.h"

#include <string.h>

gm_status gm__reader_check(gm_context *ctx, const gm_reader *reader)
{
    gm_reader known;
    if (reader && !gm__struct_copy(&known, sizeof known, sizeof known, reader) && reader->read)
        return GM_OK;
    return gm__fail(ctx, GM_E_ARG, "the reader has no read function or a wrong struct_size");
}

gm_status gm__writer_check(gm_context *ctx, const gm_writer *writer)
{
    gm_writer known;
    if (writer && !gm__struct_copy(&known, sizeof known, sizeof known, writer) && writer->write)
        return GM_OK;
    return gm__fail(ctx, GM_E_ARG, "the writer has no write function or a wrong struct_size");
}

gm_status gm__fail_file(gm_context *ctx, const char *what, const char *path, int code)
{
    const char *reason = gm__os_reason(code);
    if (reason) /* a path of any length must leave room for it */
        return gm__fail(ctx, GM_E_IO, "cannot %s '%.1000s': %s", what, path, reason);
    return gm__fail(ctx, GM_E_IO, "cannot %s '%.1000s': error %d of the operating system", what,
                    path, code);
}

/* ---- Files for reading ---- */

typedef struct file_source {
    gm_allocator allocator;
    int handle;
    int code; /* of the last failure */
    int64_t size;
} file_source;

static int64_t file_read(void *user, void *buffer, int64_t size)
{
    file_source *f = user;
    int64_t got = gm__os_read(f->handle, buffer, size);
    if (got < 0)
        f->code = (int)-got;
    return got;
}

static int64_t file_size(void *user)
{
    return ((file_source *)user)->size;
}

gm_status gm__file_reader(gm_context *ctx, const char *path, gm_reader *reader)
{
    *reader = (gm_reader){.struct_size = sizeof *reader};
    if (!path || !*path)
        return gm__fail(ctx, GM_E_ARG, "no path to read from");
    file_source *f = gm__alloc(&ctx->allocator, sizeof *f);
    if (!f)
        return gm__no_memory(ctx);
    f->allocator = ctx->allocator;
    f->handle = gm__os_open(path, &f->size);
    if (f->handle < 0) {
        gm_status code = gm__fail_file(ctx, "open", path, -f->handle);
        gm__free(&ctx->allocator, f, sizeof *f);
        return code;
    }
    reader->user = f;
    reader->read = file_read;
    reader->size = file_size;
    return GM_OK;
}

void gm__file_reader_close(gm_reader *reader)
{
    file_source *f = reader->user;
    if (!f || reader->read != file_read)
        return;
    gm_allocator a = f->allocator;
    gm__os_close(f->handle);
    gm__free(&a, f, sizeof *f);
    *reader = (gm_reader){.struct_size = sizeof *reader};
}

/* ---- Memory for reading ---- */

static int64_t memory_read(void *user, void *buffer, int64_t size)
{
    gm__memory_source *m = user;
    int64_t n = m->size - m->at < size ? m->size - m->at : size;
    if (n > 0)
        memcpy(buffer, m->data + m->at, (size_t)n);
    m->at += n;
    return n;
}

static int64_t memory_size(void *user)
{
    return ((gm__memory_source *)user)->size;
}

gm_status gm__memory_reader(gm_reader *reader, void *source)
{
    *reader = (gm_reader){
        .struct_size = sizeof *reader, .user = source, .read = memory_read, .size = memory_size};
    return GM_OK;
}

/* ---- Reading ---- */

static gm_status read_failed(gm_context *ctx, const gm_reader *reader, const char *name)
{
    if (reader->read == file_read)
        return gm__fail_file(ctx, "read", name, ((file_source *)reader->user)->code);
    return gm__fail(ctx, GM_E_IO, "cannot read '%s': the reader failed", name);
}

gm_status gm__read(gm_context *ctx, const gm_reader *reader, const char *name, void *buffer,
                   int64_t size, int64_t *got)
{
    int64_t n = 0;
    while (n < size) {
        int64_t more = reader->read(reader->user, (char *)buffer + n, size - n);
        if (more == 0)
            break;
        if (more < 0)
            return read_failed(ctx, reader, name);
        if (more > size - n)
            return gm__fail(ctx, GM_E_IO, "cannot read '%s': the reader gave more than was asked",
                            name);
        n += more;
    }
    *got = n;
    return GM_OK;
}

/* A block that grows as bytes arrive: what a reader claims as its size is only a hint. */
typedef struct pile {
    char *data;
    int64_t size, capacity;
} pile;

enum { FIRST_BLOCK = 65536, LARGEST_HINT = 1 << 26 };

static gm_status grow(gm_context *ctx, pile *p, int64_t hint, int64_t limit)
{
    int64_t want = p->capacity ? 2 * p->capacity : FIRST_BLOCK;
    if (hint >= 0 && hint <= limit && hint + 2 > p->capacity)
        want = hint + 2; /* one more than it says, to meet the end, and the zero */
    if (want > limit + 2)
        want = limit + 2;
    char *data = gm__resize(&ctx->allocator, p->data, (size_t)p->capacity, (size_t)want);
    if (!data)
        return gm__no_memory(ctx);
    p->data = data;
    p->capacity = want;
    return GM_OK;
}

static gm_status fill(gm_context *ctx, const gm_reader *reader, const char *name, int64_t limit,
                      pile *p)
{
    int64_t hint = reader->size ? reader->size(reader->user) : -1;
    if (hint > LARGEST_HINT && reader->read != file_read)
        hint = -1; /* a file's size is known, anybody else's word is only that */
    for (;;) {
        int64_t got;
        GM_TRY(gm__check_cancel(ctx));
        if (p->size + 1 >= p->capacity)
            GM_TRY(grow(ctx, p, hint, limit));
        int64_t room = p->capacity - 1 - p->size;
        if (room > 1 << 24)
            room = 1 << 24; /* so that a cancel token is heeded */
        GM_TRY(gm__read(ctx, reader, name, p->data + p->size, room, &got));
        p->size += got;
        if (p->size > limit)
            return gm__fail(ctx, GM_E_RANGE, "'%s' is larger than %lld bytes", name,
                            (long long)limit);
        if (got < room)
            return GM_OK;
    }
}

gm_status gm__read_all(gm_context *ctx, const gm_reader *reader, const char *name, int64_t limit,
                       char **data, int64_t *size)
{
    pile p = {0};
    int64_t most = PTRDIFF_MAX / 4;
    *data = NULL;
    *size = 0;
    gm_status code = fill(ctx, reader, name, limit < most ? limit : most, &p);
    char *fitted =
        code ? NULL : gm__resize(&ctx->allocator, p.data, (size_t)p.capacity, (size_t)p.size + 1);
    if (!code && !fitted)
        code = gm__no_memory(ctx);
    if (code) {
        gm__free(&ctx->allocator, p.data, (size_t)p.capacity);
        return code;
    }
    fitted[p.size] = 0;
    *data = fitted;
    *size = p.size;
    return GM_OK;
}

gm_status gm__write(gm_context *ctx, const gm_writer *writer, const void *bytes, int64_t size)
{
    if (size == 0 || writer->write(writer->user, bytes, size) == 0)
        return GM_OK;
    return gm__replacement_failed(ctx, writer);
}
