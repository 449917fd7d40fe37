/* Rows as symbols, in memory. */
#ifndef GM__PACK_H
#define GM__PACK_H
#include "apply/coder.h"

typedef struct gm__packing {
    gm_allocator allocator;
    unsigned char *symbols;
    int64_t symbols_size;
    gm_compression told; /* but for bytes */
} gm__packing;
/* chosen: NULL refuses features that the model has not; else (d) it becomes the columns of rows
 * that were taken, in the model's order. To be cleared after success. */
gm_status gm__pack(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                   const gm_options *opts, int64_t *chosen, gm__packing *out);
void gm__packing_clear(gm__packing *p);

#endif
