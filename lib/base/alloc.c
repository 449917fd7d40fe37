/* Allocation through the caller's hook, and arenas. */
#include "base/alloc.h"
#include "base/os.h"
#include "base/size.h"

#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <malloc.h>
#endif

enum { ALIGNMENT = 64 };

/* ---- The C library's memory as an allocator ---- */

static void *aligned_take(size_t size, size_t alignment)
{
    if (size > PTRDIFF_MAX - alignment)
        return NULL;
#ifdef _WIN32
    return _aligned_malloc(size, alignment);
#else
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
#endif
}

static void aligned_give(void *block)
{
#ifdef _WIN32
    _aligned_free(block);
#else
    free(block);
#endif
}

#ifndef _WIN32
/* Weights, moments and values of plans are walked through again and again: with large pages a step
 * is 1 to 4 % shorter. What they waste is at most half of the last one. */
static void *large_take(size_t size)
{
    void *block = size < PTRDIFF_MAX / 2 ? aligned_take(size, GM__LARGE_PAGE) : NULL;
    if (block)
        gm__os_large_pages(block, (size + GM__LARGE_PAGE / 2) / GM__LARGE_PAGE * GM__LARGE_PAGE);
    return block;
}
#endif

static void *c_resize(void *user, void *block, size_t old_size, size_t new_size, size_t alignment)
{
    (void)user;
    void *fresh = NULL;
#ifndef _WIN32
    if (new_size >= GM__LARGE_PAGE / 2 && alignment <= GM__LARGE_PAGE)
        fresh = large_take(new_size);
#endif
    if (new_size && !fresh)
        fresh = aligned_take(new_size, alignment);
    if (new_size && !fresh)
        return new_size <= old_size ? block : NULL; /* shrinking must not fail */
    if (fresh && block)
        memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    aligned_give(block);
    return fresh;
}

/* ---- Structures from callers of other versions ---- */

gm_status gm__struct_copy(void *to, size_t size, size_t least, const void *from)
{
    uint32_t given;
    memcpy(&given, from, sizeof given);
    if (given < least || given > 65536)
        return GM_E_ARG;
    for (size_t i = size; i < given; i++)
        if (((const unsigned char *)from)[i])
            return GM_E_ARG;
    size_t known = given < size ? given : size;
    memset(to, 0, size);
    memcpy(to, from, known);
    return GM_OK;
}

gm_status gm__allocator_init(gm_allocator *to, const gm_allocator *from)
{
    gm_allocator a = {.struct_size = sizeof a, .resize = c_resize};
    if (from && gm__struct_copy(&a, sizeof a, sizeof a, from))
        return GM_E_ARG;
    if (!a.resize)
        return GM_E_ARG;
    a.struct_size = sizeof a;
    *to = a;
    return GM_OK;
}

/* ---- Blocks ---- */

void *gm__alloc(const gm_allocator *a, size_t size)
{
    if (size == 0 || size > PTRDIFF_MAX)
        return NULL;
    void *block = a->resize(a->user, NULL, 0, size, ALIGNMENT);
    if (block)
        memset(block, 0, size);
    return block;
}

void *gm__alloc_array(const gm_allocator *a, int64_t count, size_t size)
{
    size_t bytes;
    if (count < 0 || (uint64_t)count > SIZE_MAX || gm__mul_size((size_t)count, size, &bytes))
        return NULL;
    return gm__alloc(a, bytes);
}

void *gm__resize(const gm_allocator *a, void *block, size_t old_size, size_t new_size)
{
    if (new_size > PTRDIFF_MAX)
        return NULL;
    if (!block && !new_size)
        return NULL;
    return a->resize(a->user, block, block ? old_size : 0, new_size, ALIGNMENT);
}

void gm__free(const gm_allocator *a, void *block, size_t size)
{
    if (block)
        a->resize(a->user, block, size, 0, ALIGNMENT);
}

char *gm__copy_text(const gm_allocator *a, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = gm__alloc(a, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void gm__free_text(const gm_allocator *a, char *text)
{
    if (text)
        gm__free(a, text, strlen(text) + 1);
}

/* ---- Arenas ---- */

enum { LEAST_BLOCK = 4096, LARGEST_BLOCK = 65536 };

/* At the head of a block; pieces follow it at multiples of ALIGNMENT. */
struct gm__arena_block {
    struct gm__arena_block *next;
    size_t size, used; /* bytes, this header included */
};

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct gm__arena_block *add_block(gm__arena *arena, size_t piece)
{
    struct gm__arena_block *last = arena->blocks;
    size_t size = last ? 2 * last->size : LEAST_BLOCK;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < piece + ALIGNMENT)
        size = piece + ALIGNMENT;
    struct gm__arena_block *b = gm__alloc(&arena->allocator, size);
    if (!b)
        return NULL;
    b->next = last;
    b->size = size;
    b->used = ALIGNMENT;
    arena->blocks = b;
    return b;
}

void *gm__arena_alloc(gm__arena *arena, size_t size)
{
    if (size == 0 || size > PTRDIFF_MAX / 2)
        return NULL;
    size = round_up(size);
    struct gm__arena_block *b = arena->blocks;
    if (!b || b->size - b->used < size)
        b = add_block(arena, size);
    if (!b)
        return NULL;
    void *piece = (char *)b + b->used;
    b->used += size;
    return piece;
}

void *gm__arena_array(gm__arena *arena, int64_t count, size_t size)
{
    size_t bytes;
    if (count < 0 || (uint64_t)count > SIZE_MAX || gm__mul_size((size_t)count, size, &bytes))
        return NULL;
    return gm__arena_alloc(arena, bytes);
}

char *gm__arena_text(gm__arena *arena, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = gm__arena_alloc(arena, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void gm__arena_clear(gm__arena *arena)
{
    while (arena->blocks) {
        struct gm__arena_block *b = arena->blocks;
        arena->blocks = b->next;
        gm__free(&arena->allocator, b, b->size);
    }
}
