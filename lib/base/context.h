/* The context as the library sees it, and how failures are told. */
#ifndef GM__CONTEXT_H
#define GM__CONTEXT_H

#include "base/alloc.h"
#include "base/pool.h"

struct gm__kernels;
/* The kernel layer's, named here because a context chooses a table: see kernels/kernels.h. */
const struct gm__kernels *gm__kernels_find(const char *name);

struct gm_context {
    gm_allocator allocator;
    gm_logger logger;
    gm__team team;         /* who computes, and how many shares to make of large work */
    gm_cancel *cancel;     /* counted; or NULL */
    int32_t busy;          /* atomic: non-zero while a call is inside */
    int32_t threads;       /* setting: shares to make; 0 is one a processor */
    int32_t fusion;        /* setting: 0 runs plans plain */
    int32_t cblas;         /* setting: matmul=cblas */
    char kernels_name[16]; /* setting: auto, base ... */
    const struct gm__kernels *kernels;
    gm_status code;   /* of the last failure */
    char error[2048]; /* its text */
    void *scratch;    /* one block, grown as needed: gm__context_scratch */
    size_t scratch_size;
    /* What later layers hang on a context: plans by model, and registered families. Freed by the
     * function beside it, which is set with it. */
    void *plans;
    void (*plans_free)(gm_context *ctx, void *plans);
    void *registry;
    void (*registry_free)(gm_context *ctx, void *registry);
    int32_t own_pool; /* team.pool was made by the setting "threads", not lent by the caller */
};

/* A public call that takes a context enters it first and leaves it on every way out:
 *
 *     gm__entry entry;
 *     GM_TRY(gm__enter(ctx, &entry));
 *     return gm__leave(ctx, &entry, do_it(ctx, ...));
 *
 * gm__enter fails with GM_E_ARG for NULL, and with GM_E_BUSY where a call is already inside
 * (without a text: the context is another's). It puts the floating-point unit in its default mode;
 * gm__leave restores the caller's mode and errno, and returns code. The entry lives on the stack of
 * the call. */
typedef struct gm__entry {
    uint64_t float_mode;
    int saved_errno;
} gm__entry;
gm_status gm__enter(gm_context *ctx, gm__entry *entry);
gm_status gm__leave(gm_context *ctx, gm__entry *entry, gm_status code);

/* Sets code and text, and returns code; ctx may be NULL. Formats are gm__format's. Control
 * characters and bytes that are not UTF-8 become '?', so that a file cannot speak to the user's
 * terminal. The arguments may point into the text in force. */
gm_status gm__fail(gm_context *ctx, gm_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* gm__fail(ctx, GM_E_MEMORY, "out of memory") */
gm_status gm__no_memory(gm_context *ctx);
/* Puts text in front of the error in force, as in gm__prefix(ctx, "%s: ", path). Returns the code
 * in force. */
gm_status gm__prefix(gm_context *ctx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One line to the caller's log, if there is one: level 1 warns, 2 informs. Cut at 1,023 bytes. */
void gm__log(gm_context *ctx, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* GM_E_CANCELLED, with its text, if the token was tripped. */
gm_status gm__check_cancel(gm_context *ctx);
/* gm__alloc for blocks of any size: new pages take a while, so that the token is heeded between
 * pieces. NULL with size 0, and where it fails. */
gm_status gm__alloc_large(gm_context *ctx, size_t size, void *block);
/* At least size bytes, aligned to 64, not cleared, valid until the next call of this; NULL when
 * memory is short (the error is set). */
void *gm__context_scratch(gm_context *ctx, size_t size);
/* Frees the cached plans; what changes the arithmetic or its layout calls it. */
void gm__context_drop_plans(gm_context *ctx);

void gm__cancel_retain(gm_cancel *token);

#define GM_TRY(call)                                                                               \
    do {                                                                                           \
        gm_status gm__try = (call);                                                                \
        if (gm__try)                                                                               \
            return gm__try;                                                                        \
    } while (0)

#endif
