/* Gzipped data, where zlib was built in. */
#include "data/table.h"

#include <string.h>

#ifdef GM_HAVE_ZLIB
#include <zlib.h>

/* zlib's memory comes from the context's allocator too; each block remembers its size in front. */
enum { FRONT = 64 };

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    size_t bytes = (size_t)items * size + FRONT;
    size_t *block = gm__alloc(opaque, bytes);
    if (!block)
        return NULL;
    *block = bytes;
    return (char *)block + FRONT;
}

static void give_back(voidpf opaque, voidpf address)
{
    if (!address)
        return;
    void *block = (char *)address - FRONT;
    gm__free(opaque, block, *(size_t *)block);
}

/* What is unpacked so far. Room grows by doubling: at most twice what the data unpacks to. */
typedef struct output {
    char *bytes;
    size_t size, room; /* of room, one byte is kept for the zero at the end */
} output;

static gm_status make_room(gm_context *ctx, output *out)
{
    if (out->size + 1 < out->room)
        return GM_OK;
    size_t room = out->room ? 2 * out->room : 65536;
    char *bytes = gm__resize(&ctx->allocator, out->bytes, out->room, room);
    if (!bytes)
        return gm__no_memory(ctx);
    out->bytes = bytes;
    out->room = room;
    return GM_OK;
}

static gm_status inflate_all(gm_context *ctx, const char *name, z_stream *z, const char *from,
                             int64_t size, output *out)
{
    const char *end = from + size;
    int code = Z_OK;
    z->next_in = (Bytef *)(uintptr_t)from;
    for (;;) {
        int64_t left = end - (const char *)z->next_in;
        size_t space;
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(make_room(ctx, out));
        space = out->room - 1 - out->size;
        z->avail_in = (uInt)(left < 1 << 30 ? left : 1 << 30);
        z->avail_out = (uInt)(space < 1u << 30 ? space : 1u << 30);
        z->next_out = (Bytef *)out->bytes + out->size;
        code = inflate(z, Z_NO_FLUSH);
        out->size = (size_t)((char *)z->next_out - out->bytes);
        if (code == Z_MEM_ERROR)
            return gm__no_memory(ctx);
        if (code == Z_STREAM_END) { /* another member may follow */
            left = end - (const char *)z->next_in;
            if (left < 2 || memcmp(z->next_in, "\x1f\x8b", 2) != 0)
                return GM_OK;
            inflateReset(z);
        } else if (code != Z_OK) {
            return gm__fail(ctx, GM_E_FORMAT, "%s: the gzipped data is %s", name,
                            code == Z_BUF_ERROR ? "cut off" : "damaged");
        }
    }
}

/* The room that is too much goes back. */
static gm_status finish(gm_context *ctx, output *out)
{
    char *bytes = gm__resize(&ctx->allocator, out->bytes, out->room, out->size + 1);
    if (!bytes)
        return gm__no_memory(ctx);
    out->bytes = bytes;
    out->room = out->size + 1;
    bytes[out->size] = 0;
    return GM_OK;
}

static gm_status gunzip(gm_context *ctx, const char *name, char **bytes, int64_t *size)
{
    z_stream z = {.zalloc = take, .zfree = give_back, .opaque = &ctx->allocator};
    output out = {NULL, 0, 0};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return gm__no_memory(ctx);
    gm_status code = inflate_all(ctx, name, &z, *bytes, *size, &out);
    inflateEnd(&z);
    if (!code)
        code = finish(ctx, &out);
    if (code) {
        gm__free(&ctx->allocator, out.bytes, out.room);
        return code;
    }
    gm__free(&ctx->allocator, *bytes, (size_t)*size + 1);
    *bytes = out.bytes;
    *size = (int64_t)out.size;
    return GM_OK;
}
#else
static gm_status gunzip(gm_context *ctx, const char *name, char **bytes, int64_t *size)
{
    (void)bytes;
    (void)size;
    return gm__fail(ctx, GM_E_UNSUPPORTED,
                    "%s: is gzipped, and this library was built without zlib", name);
}
#endif

gm_status gm__gunzip(gm_context *ctx, const char *name, char **bytes, int64_t *size)
{
    if (*size < 2 || memcmp(*bytes, "\x1f\x8b", 2) != 0)
        return GM_OK;
    return gunzip(ctx, name, bytes, size);
}
