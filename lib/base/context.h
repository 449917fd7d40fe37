/* The context as the library sees it, and how failures are told. */
#ifndef GM__CONTEXT_H
#define GM__CONTEXT_H
#include "base/alloc.h"
#include "base/pool.h"

struct gm__families; /* registered families: the model layer's */

struct gm_context {
    gm_allocator allocator;
    gm_logger logger;
    gm__team team;           /* who computes: pool, executor or alone; and how many parts to make */
    gm_cancel *cancel;
    int32_t busy;            /* atomic: non-zero while a call is inside */
    int32_t threads;         /* setting: parts to make; 0 one a processor */
    int32_t fusion;          /* setting: 0 runs plans plain */
    int32_t cblas;           /* setting: matmul=cblas */
    char kernels_name[16];   /* setting: auto, base ... */
    const struct gm__kernels *kernels;
    gm_status code;          /* of the last failure */
    char error[2048];
    void *scratch;           /* one block, grown as needed: gm__context_scratch */
    size_t scratch_size;
    /* What later layers hang on a context: plans by model, registered families. Freed through the hook. */
    void *plans;
    void (*plans_free)(gm_context *ctx, void *plans);
    void *registry;
    void (*registry_free)(gm_context *ctx, void *registry);
};

/* Every public call that takes a context and does more than set an option: enter, and leave on every way out.
 * enter fails with GM_E_ARG for NULL, GM_E_BUSY where a call is already inside (the text is then
 * not written, since the context is another's), and puts the floating-point environment in its default mode; leave restores the caller's,
 * and errno. A gm__entry lives on the stack of the call. */
typedef struct gm__entry {
    uint64_t float_mode;
    int saved_errno;
} gm__entry;
gm_status gm__enter(gm_context *ctx, gm__entry *entry);
gm_status gm__leave(gm_context *ctx, gm__entry *entry, gm_status code); /* returns code */

/* Sets code and text (a small printf: %s %d %u %lld %zu %g %c %%, also %.*s) and returns code. ctx may be NULL. */
gm_status gm__fail(gm_context *ctx, gm_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* gm__fail(ctx, GM_E_MEMORY, "out of memory") */
gm_status gm__no_memory(gm_context *ctx);
/* Puts text in front of the error in force: gm__prefix(ctx, "flow: "). Returns the code in force. */
gm_status gm__prefix(gm_context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gm__log(gm_context *ctx, int32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* GM_E_CANCELLED with its text if the token was tripped. */
gm_status gm__check_cancel(gm_context *ctx);
/* At least size bytes that stay valid until the next call of this; NULL when memory is short (error set). */
void *gm__context_scratch(gm_context *ctx, size_t size);

#define GM_TRY(call)                                                                               \
    do {                                                                                           \
        gm_status gm__try = (call);                                                                \
        if (gm__try)                                                                               \
            return gm__try;                                                                        \
    } while (0)
#endif
