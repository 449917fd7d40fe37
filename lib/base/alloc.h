/* Memory through the caller's allocator. Blocks remember nothing: the size is the caller's to give back. */
#ifndef GM__ALLOC_H
#define GM__ALLOC_H
#include "genmod/base.h"
/* Copies *from (NULL: the C library's) to *to; GM_E_ARG if it is malformed. */
gm_status gm__allocator_init(gm_allocator *to, const gm_allocator *from);
/* size bytes, zeroed, aligned to 64; NULL when there are none. size 0 gives NULL... and is no failure. */
void *gm__alloc(const gm_allocator *a, size_t size);
/* count * size bytes, zeroed; NULL when the product does not fit or there are none. */
void *gm__alloc_array(const gm_allocator *a, int64_t count, size_t size);
/* Grows or shrinks; new bytes are not cleared. On failure NULL, and the block stays. */
void *gm__resize(const gm_allocator *a, void *block, size_t old_size, size_t new_size);
void gm__free(const gm_allocator *a, void *block, size_t size);
/* A copy of text; freed by gm__free_text. NULL for NULL or when memory is short. */
char *gm__copy_text(const gm_allocator *a, const char *text);
void gm__free_text(const gm_allocator *a, char *text);

/* A bump allocator for what is built piece by piece and freed at once. Zero plus .allocator is a valid
 * empty arena. Pieces are zeroed and aligned to 64. */
typedef struct gm__arena {
    gm_allocator allocator;
    struct gm__arena_block *blocks;
} gm__arena;
void *gm__arena_alloc(gm__arena *arena, size_t size);
void *gm__arena_array(gm__arena *arena, int64_t count, size_t size);
char *gm__arena_text(gm__arena *arena, const char *text);
void gm__arena_clear(gm__arena *arena);
#endif
