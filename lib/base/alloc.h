/* Memory through the caller's allocator. A block does not know its size: who frees it says it. */
#ifndef GM__ALLOC_H
#define GM__ALLOC_H

#include "genmod/base.h"

/* Copies *from to *to (NULL: the C library's allocator); GM_E_ARG if it is malformed. */
gm_status gm__allocator_init(gm_allocator *to, const gm_allocator *from);
/* Copies a structure that starts with struct_size from a caller who may have been compiled against
 * an older or a newer header: members that he did not know are zero; members that we do not know
 * must be zero. `least` is the size of the structure's first version. GM_E_ARG if it is smaller or
 * asks the unknown. */
gm_status gm__struct_copy(void *to, size_t size, size_t least, const void *from);

/* size bytes, zeroed, aligned to 64; NULL when memory is short. Size 0 gives NULL and is no
 * failure. */
void *gm__alloc(const gm_allocator *a, size_t size);
/* count * size bytes, zeroed; NULL when the product does not fit or memory is short. */
void *gm__alloc_array(const gm_allocator *a, int64_t count, size_t size);
/* Grows or shrinks; new bytes are not cleared. NULL when memory is short: the block is then as
 * before. */
void *gm__resize(const gm_allocator *a, void *block, size_t old_size, size_t new_size);
void gm__free(const gm_allocator *a, void *block, size_t size);
/* A copy of text, to be freed by gm__free_text. NULL for NULL or when memory is short. */
char *gm__copy_text(const gm_allocator *a, const char *text);
void gm__free_text(const gm_allocator *a, char *text);

/* Memory for what is built piece by piece and freed at once. Zero but for .allocator is an empty
 * arena. Pieces are zeroed and aligned to 64; NULL when memory is short. */
typedef struct gm__arena {
    gm_allocator allocator;
    struct gm__arena_block *blocks; /* newest first; only the newest has room */
} gm__arena;
void *gm__arena_alloc(gm__arena *arena, size_t size);
void *gm__arena_array(gm__arena *arena, int64_t count, size_t size);
char *gm__arena_text(gm__arena *arena, const char *text);
/* Frees every piece; the arena is empty and usable. */
void gm__arena_clear(gm__arena *arena);

#endif
