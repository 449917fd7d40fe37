/* Replacing a file at once or not at all. */
#include "base/file.h"
#include "base/os.h"
#include "base/text.h"

#include <string.h>

enum { LONGEST_PATH = 4096, ENDING = 48 /* of a temporary name */, BUFFERED = 65536 };

struct gm__replacement {
    gm_allocator allocator;
    int handle;      /* -1 once closed */
    int code;        /* errno value of the first write that failed */
    int direct;      /* written in place: target is no regular file */
    int64_t held;    /* bytes in buffer */
    char *path;      /* as the caller named it, for texts */
    char *target;    /* links followed */
    char *temporary; /* NULL if direct */
    char buffer[BUFFERED];
};

static void release(gm__replacement *r)
{
    gm_allocator a = r->allocator;
    gm__free_text(&a, r->path);
    gm__free_text(&a, r->target);
    gm__free_text(&a, r->temporary);
    gm__free(&a, r, sizeof *r);
}

static void close_handle(gm__replacement *r)
{
    if (r->handle >= 0)
        gm__os_close(r->handle);
    r->handle = -1;
}

/* ---- Writing ---- */

static int flush(gm__replacement *r)
{
    if (!r->code && r->held)
        r->code = -gm__os_write(r->handle, r->buffer, r->held);
    r->held = 0;
    return r->code;
}

static int32_t replacement_write(void *user, const void *bytes, int64_t size)
{
    gm__replacement *r = user;
    if (size > BUFFERED - r->held)
        flush(r);
    if (r->code)
        return -1;
    if (size >= BUFFERED) {
        r->code = -gm__os_write(r->handle, bytes, size);
    } else {
        memcpy(r->buffer + r->held, bytes, (size_t)size);
        r->held += size;
    }
    return r->code ? -1 : 0;
}

gm_status gm__replacement_failed(gm_context *ctx, const gm_writer *writer)
{
    if (writer->write != replacement_write)
        return gm__fail(ctx, GM_E_IO, "the writer failed");
    const gm__replacement *r = writer->user;
    return gm__fail_file(ctx, "write", r->path, r->code);
}

/* ---- Beginning ---- */

/* A name beside the target that nobody has; the process's number and the clock keep writers apart,
 * and creation fails on what exists. */
static int create_temporary(gm__replacement *r, const int *mode)
{
    char name[LONGEST_PATH];
    int code = 0;
    for (int attempt = 0; attempt < 64; attempt++) {
        uint64_t salt = (uint64_t)(gm__clock() * 1e9) + (uint64_t)attempt;
        gm__format(name, sizeof name, "%s.%llx-%llx.tmp", r->target,
                   (unsigned long long)gm__os_process(), (unsigned long long)salt);
        r->handle = gm__os_create(name, mode);
        if (r->handle >= 0) {
            r->temporary = gm__copy_text(&r->allocator, name);
            if (!r->temporary)
                gm__os_remove(name);
            return 0;
        }
        code = -r->handle;
        if (gm__os_kind(name, &(int){0}) == 0)
            break; /* not for want of a free name */
    }
    return code;
}

static gm_status open_target(gm_context *ctx, gm__replacement *r)
{
    char followed[LONGEST_PATH - ENDING];
    int mode = 0;
    int failed = -gm__os_follow(r->path, followed, sizeof followed);
    if (failed)
        return gm__fail_file(ctx, "open", r->path, failed);
    r->target = gm__copy_text(&r->allocator, followed);
    if (!r->target)
        return gm__no_memory(ctx);
    int kind = gm__os_kind(r->target, &mode);
    if (kind < 0)
        return gm__fail_file(ctx, "open", r->path, -kind);
    if (kind == 2) {
        r->direct = 1;
        r->handle = gm__os_open_write(r->target);
        return r->handle >= 0 ? GM_OK : gm__fail_file(ctx, "open", r->path, -r->handle);
    }
    failed = create_temporary(r, kind == 1 ? &mode : NULL);
    if (failed)
        return gm__fail_file(ctx, "create a file beside", r->path, failed);
    return r->temporary ? GM_OK : gm__no_memory(ctx);
}

gm_status gm__replace_begin(gm_context *ctx, const char *path, gm__replacement **replacement,
                            gm_writer *writer)
{
    *replacement = NULL;
    *writer = (gm_writer){.struct_size = sizeof *writer};
    if (!path || !*path)
        return gm__fail(ctx, GM_E_ARG, "no path to write to");
    gm__replacement *r = gm__alloc(&ctx->allocator, sizeof *r);
    if (!r)
        return gm__no_memory(ctx);
    r->allocator = ctx->allocator;
    r->handle = -1;
    r->path = gm__copy_text(&r->allocator, path);
    gm_status code = r->path ? open_target(ctx, r) : gm__no_memory(ctx);
    if (code) {
        gm__replace_abandon(r);
        return code;
    }
    writer->user = r;
    writer->write = replacement_write;
    *replacement = r;
    return GM_OK;
}

/* ---- Ending ---- */

gm_status gm__replace_finish(gm_context *ctx, gm__replacement *r)
{
    const char *what = "write";
    int failed = flush(r);
    if (!failed && !r->direct)
        failed = -gm__os_sync(r->handle);
    close_handle(r);
    if (!failed && !r->direct) {
        what = "replace";
        failed = -gm__os_rename(r->temporary, r->target);
    }
    if (failed) {
        gm_status code = gm__fail_file(ctx, what, r->path, failed);
        gm__replace_abandon(r);
        return code;
    }
    if (!r->direct)
        gm__os_sync_folder(r->target);
    release(r);
    return GM_OK;
}

void gm__replace_abandon(gm__replacement *r)
{
    if (!r)
        return;
    close_handle(r);
    if (r->temporary)
        gm__os_remove(r->temporary);
    release(r);
}
