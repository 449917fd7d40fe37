/* The settings of a context. */
#include "base/option_value.h"

#include <string.h>

static const char *const kernel_names[] = {"auto", "base", "avx2", "avx512", "neon"};

const gm_option_row gm__context_options[] = {
    {"threads", GM_STAGE_CALL, GM_INT, "1", "0..1024", 1,
     "shares to make of large work; 0 is one a processor"},
    {"kernels", GM_STAGE_CALL, GM_CHOICE, "auto", "auto|base|avx2|avx512|neon", 1,
     "instruction set to compute with; every one gives the same bits"},
    {"matmul", GM_STAGE_CALL, GM_CHOICE, "own", "own|cblas", 1,
     "matrix product; cblas gives up the promise of same bits"},
    {"fusion", GM_STAGE_CALL, GM_BOOL, "true", "", 1,
     "fuse chains of operations; false computes the same bits more slowly"},
    {0},
};

/* ---- Each setting ---- */

static gm_status set_threads(gm_context *ctx, int32_t threads)
{
    int32_t parts = threads ? threads : gm__processors();
    if (!ctx->team.executor.run && (!ctx->team.pool || ctx->own_pool)) {
        gm_pool *pool = NULL;
        if (parts > 1 && !(pool = gm_pool_create(&ctx->allocator, parts)))
            return gm__no_memory(ctx);
        gm_pool_free(ctx->team.pool);
        ctx->team.pool = pool;
        ctx->own_pool = pool != NULL;
    }
    ctx->team.parts = parts;
    ctx->threads = threads;
    return GM_OK;
}

static gm_status set_kernels(gm_context *ctx, const char *name)
{
    const struct gm__kernels *kernels = gm__kernels_find(name);
    if (!kernels) {
        char runnable[64] = "auto";
        for (int i = 1; i < 5; i++)
            if (gm__kernels_find(kernel_names[i])) {
                int64_t n = (int64_t)strlen(runnable);
                gm__format(runnable + n, (int64_t)sizeof runnable - n, ", %s", kernel_names[i]);
            }
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "context: kernels '%s' cannot run on this processor, which runs %s", name,
                        runnable);
    }
    ctx->kernels = kernels;
    gm__format(ctx->kernels_name, sizeof ctx->kernels_name, "%s", name);
    return GM_OK;
}

static gm_status set_matmul(gm_context *ctx, int cblas)
{
#ifndef GM_HAVE_CBLAS
    if (cblas)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "context: matmul 'cblas' is not built in (configure --with-blas=...); "
                        "there is own");
#endif
    ctx->cblas = cblas;
    return GM_OK;
}

static gm_status apply(gm_context *ctx, const char *name, const gm__option_value *value,
                       const char *text)
{
    if (strcmp(name, "threads") == 0)
        return set_threads(ctx, (int32_t)value->whole);
    if (strcmp(name, "kernels") == 0)
        return set_kernels(ctx, text);
    if (strcmp(name, "matmul") == 0)
        return set_matmul(ctx, (int)value->whole);
    ctx->fusion = (int32_t)value->whole;
    return GM_OK;
}

/* ---- By name ---- */

static gm_status find_row(gm_context *ctx, const char *name, const gm_option_row **row)
{
    *row = name ? gm__option_find(gm__context_options, name) : NULL;
    if (*row)
        return GM_OK;
    char names[128] = "";
    for (const gm_option_row *r = gm__context_options; r->name; r++) {
        int64_t n = (int64_t)strlen(names);
        gm__format(names + n, (int64_t)sizeof names - n, "%s%s", n ? ", " : "", r->name);
    }
    return gm__fail(ctx, name ? GM_E_UNKNOWN : GM_E_ARG,
                    "context: no option '%.100s'; there are: %s", name ? name : "", names);
}

static gm_status set(gm_context *ctx, const char *name, const char *text)
{
    const gm_option_row *row;
    gm__option_value value;
    GM_TRY(find_row(ctx, name, &row));
    if (!text)
        return gm__fail(ctx, GM_E_ARG, "context: option '%s' needs a value", name);
    GM_TRY(gm__option_read(ctx, "context", row, text, &value));
    GM_TRY(apply(ctx, name, &value, text));
    gm__context_drop_plans(ctx); /* they were made for the settings before */
    return GM_OK;
}

gm_status gm_context_set_text(gm_context *ctx, const char *name, const char *value)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, set(ctx, name, value));
}

gm_status gm_context_set_int(gm_context *ctx, const char *name, int64_t value)
{
    char text[24];
    gm__write_int(text, value);
    return gm_context_set_text(ctx, name, text);
}

static gm_status get(gm_context *ctx, const char *name, char *buffer, int64_t size, int64_t *length)
{
    const gm_option_row *row;
    char text[24];
    GM_TRY(find_row(ctx, name, &row));
    if (size < 0 || (size && !buffer))
        return gm__fail(ctx, GM_E_ARG, "context: no buffer for option '%s'", name);
    if (strcmp(name, "threads") == 0)
        gm__write_int(text, ctx->threads);
    else if (strcmp(name, "kernels") == 0)
        gm__format(text, sizeof text, "%s", ctx->kernels_name);
    else if (strcmp(name, "matmul") == 0)
        gm__format(text, sizeof text, "%s", ctx->cblas ? "cblas" : "own");
    else
        gm__format(text, sizeof text, "%s", ctx->fusion ? "true" : "false");
    int64_t whole = gm__format(buffer, size, "%s", text);
    if (length)
        *length = whole;
    return GM_OK;
}

gm_status gm_context_get(gm_context *ctx, const char *name, char *buffer, int64_t size,
                         int64_t *length)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, get(ctx, name, buffer, size, length));
}
