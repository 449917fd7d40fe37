/* The life of a context, entering and leaving it, and its errors. */
#include "base/context.h"
#include "base/float_mode.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* ---- Life ---- */

static gm_status take_hooks(gm_context *ctx, const gm_context_config *config)
{
    if (config->logger) {
        GM_TRY(
            gm__struct_copy(&ctx->logger, sizeof ctx->logger, sizeof ctx->logger, config->logger));
        if (!ctx->logger.write)
            return GM_E_ARG;
    }
    if (config->executor) {
        gm_executor *e = &ctx->team.executor;
        GM_TRY(gm__struct_copy(e, sizeof *e, sizeof *e, config->executor));
        if (!e->run || e->width < 1 || config->pool)
            return GM_E_ARG;
        ctx->team.parts = e->width < 1024 ? e->width : 1024;
    }
    if (config->pool) {
        ctx->team.pool = config->pool;
        ctx->team.parts = gm_pool_threads(config->pool);
        gm__pool_retain(config->pool);
    }
    ctx->threads = ctx->team.parts;
    ctx->cancel = config->cancel;
    gm__cancel_retain(config->cancel);
    return GM_OK;
}

gm_status gm_context_create(const gm_context_config *config, gm_context **context)
{
    if (!context)
        return GM_E_ARG;
    *context = NULL;
    gm_context_config c = {.struct_size = sizeof c};
    if (config)
        GM_TRY(gm__struct_copy(&c, sizeof c, sizeof c, config));
    gm_allocator a;
    GM_TRY(gm__allocator_init(&a, c.allocator));
    gm_context *ctx = gm__alloc(&a, sizeof *ctx);
    if (!ctx)
        return GM_E_MEMORY;
    ctx->allocator = a;
    ctx->team.parts = 1;
    ctx->fusion = 1;
    memcpy(ctx->kernels_name, "auto", 5);
    ctx->kernels = gm__kernels_find("auto");
    gm_status code = take_hooks(ctx, &c);
    if (code)
        gm_context_free(ctx);
    else
        *context = ctx;
    return code;
}

void gm__context_drop_plans(gm_context *ctx)
{
    if (ctx->plans_free)
        ctx->plans_free(ctx, ctx->plans);
    ctx->plans = NULL;
    ctx->plans_free = NULL;
}

static void drop_scratch(gm_context *ctx)
{
    gm__free(&ctx->allocator, ctx->scratch, ctx->scratch_size);
    ctx->scratch = NULL;
    ctx->scratch_size = 0;
}

void gm_context_free(gm_context *ctx)
{
    if (!ctx)
        return;
    gm__context_drop_plans(ctx);
    if (ctx->registry_free)
        ctx->registry_free(ctx, ctx->registry);
    drop_scratch(ctx);
    gm_pool_free(ctx->team.pool);
    gm_cancel_free(ctx->cancel);
    gm_allocator a = ctx->allocator;
    gm__free(&a, ctx, sizeof *ctx);
}

gm_status gm_context_trim(gm_context *ctx)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm__context_drop_plans(ctx);
    drop_scratch(ctx);
    return gm__leave(ctx, &entry, GM_OK);
}

void *gm__context_scratch(gm_context *ctx, size_t size)
{
    if (size <= ctx->scratch_size)
        return ctx->scratch;
    size_t want = size / 2 + ctx->scratch_size; /* grow by steps, not by crumbs */
    want = want > size ? want : size;
    drop_scratch(ctx);
    ctx->scratch = gm__resize(&ctx->allocator, NULL, 0, want);
    if (!ctx->scratch) {
        gm__no_memory(ctx);
        return NULL;
    }
    ctx->scratch_size = want;
    return ctx->scratch;
}

/* ---- Entering and leaving ---- */

gm_status gm__enter(gm_context *ctx, gm__entry *entry)
{
    int32_t idle = 0;
    if (!ctx)
        return GM_E_ARG;
    if (!__atomic_compare_exchange_n(&ctx->busy, &idle, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return GM_E_BUSY;
    entry->saved_errno = errno;
    entry->float_mode = gm__float_mode_default();
    return GM_OK;
}

gm_status gm__leave(gm_context *ctx, gm__entry *entry, gm_status code)
{
    gm__float_mode_restore(entry->float_mode);
    errno = entry->saved_errno;
    __atomic_store_n(&ctx->busy, 0, __ATOMIC_RELEASE);
    return code;
}

/* ---- Failures ---- */

/* Control characters and what is not UTF-8 become '?'. */
static void clean(char *text)
{
    int64_t length = (int64_t)strlen(text);
    for (int64_t i = 0; i < length;) {
        int n = gm__utf8_length(text + i, length - i);
        if (n == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
        i += n ? n : 1;
    }
}

gm_status gm__fail(gm_context *ctx, gm_status code, const char *format, ...)
{
    if (!ctx)
        return code;
    char text[sizeof ctx->error]; /* the arguments may be parts of ctx->error */
    va_list args;
    va_start(args, format);
    gm__vformat(text, sizeof text, format, args);
    va_end(args);
    clean(text);
    memcpy(ctx->error, text, strlen(text) + 1);
    ctx->code = code;
    return code;
}

gm_status gm__no_memory(gm_context *ctx)
{
    return gm__fail(ctx, GM_E_MEMORY, "out of memory");
}

gm_status gm__prefix(gm_context *ctx, const char *format, ...)
{
    if (!ctx)
        return GM_E_ARG;
    char front[512];
    va_list args;
    va_start(args, format);
    gm__vformat(front, sizeof front, format, args);
    va_end(args);
    return gm__fail(ctx, ctx->code, "%s%s", front, ctx->error);
}

int64_t gm_context_error(const gm_context *ctx, char *buffer, int64_t size, gm_status *code)
{
    if (code)
        *code = ctx ? ctx->code : GM_E_ARG;
    return gm__format(buffer, buffer ? size : 0, "%s", ctx ? ctx->error : "");
}

void gm__log(gm_context *ctx, int32_t level, const char *format, ...)
{
    if (!ctx || !ctx->logger.write)
        return;
    char text[1024];
    va_list args;
    va_start(args, format);
    gm__vformat(text, sizeof text, format, args);
    va_end(args);
    clean(text);
    ctx->logger.write(ctx->logger.user, level, text);
}

gm_status gm__check_cancel(gm_context *ctx)
{
    if (!gm_cancel_tripped(ctx->cancel))
        return GM_OK;
    return gm__fail(ctx, GM_E_CANCELLED, "cancelled");
}

gm_status gm__alloc_large(gm_context *ctx, size_t size, void *block)
{
    const size_t piece = (size_t)1 << 22;
    void *made = NULL;
    memcpy(block, &made, sizeof made);
    if (!size)
        return GM_OK;
    made = gm__resize(&ctx->allocator, NULL, 0, size);
    if (!made)
        return gm__no_memory(ctx);
    for (size_t at = 0; at < size; at += piece) {
        gm_status code = gm__check_cancel(ctx);
        if (code) {
            gm__free(&ctx->allocator, made, size);
            return code;
        }
        memset((char *)made + at, 0, size - at < piece ? size - at : piece);
    }
    memcpy(block, &made, sizeof made);
    return GM_OK;
}
