/* Cancel tokens. */
#include "base/context.h"

struct gm_cancel {
    gm_allocator allocator;
    int32_t owners;  /* atomic */
    int32_t tripped; /* atomic */
};

gm_cancel *gm_cancel_create(const gm_allocator *allocator)
{
    gm_allocator a;
    if (gm__allocator_init(&a, allocator))
        return NULL;
    gm_cancel *token = gm__alloc(&a, sizeof *token);
    if (token) {
        token->allocator = a;
        token->owners = 1;
    }
    return token;
}

void gm_cancel_trip(gm_cancel *token)
{
    if (token)
        __atomic_store_n(&token->tripped, 1, __ATOMIC_RELEASE);
}

void gm_cancel_reset(gm_cancel *token)
{
    if (token)
        __atomic_store_n(&token->tripped, 0, __ATOMIC_RELEASE);
}

int32_t gm_cancel_tripped(const gm_cancel *token)
{
    return token && __atomic_load_n(&token->tripped, __ATOMIC_ACQUIRE);
}

void gm__cancel_retain(gm_cancel *token)
{
    if (token)
        __atomic_fetch_add(&token->owners, 1, __ATOMIC_RELAXED);
}

void gm_cancel_free(gm_cancel *token)
{
    if (!token || __atomic_sub_fetch(&token->owners, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    gm_allocator a = token->allocator;
    gm__free(&a, token, sizeof *token);
}
