/* Memory that the program hands out itself: it counts what the library holds, and sets a limit.
 * Over the limit a fit fails with a text, and everything that it took comes back. Run it as:
 * own_allocator */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toy.h"

enum { ROWS = 1000 };

typedef struct purse {
    size_t held, most, limit;
    long calls;
} purse;

/* The library tells the old size, so nothing need be kept beside the block. */
static void *resize(void *user, void *block, size_t old_size, size_t new_size, size_t alignment)
{
    purse *p = user;
    void *fresh = NULL;

    p->calls++;
    if (new_size > old_size && p->held - old_size + new_size > p->limit)
        return NULL;
    if (new_size) /* C wants a multiple of the alignment */
        fresh = aligned_alloc(alignment, (new_size + alignment - 1) / alignment * alignment);
    if (new_size && !fresh)
        return NULL;
    if (block && fresh)
        memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    free(block);
    p->held += new_size - old_size;
    p->most = p->held > p->most ? p->held : p->most;
    return fresh;
}

/* Fits a flow with that much memory, and tells how it went. */
static int try_with(size_t limit)
{
    purse p = {.limit = limit};
    gm_allocator allocator = {.struct_size = sizeof allocator, .user = &p, .resize = resize};
    gm_context_config config = {.struct_size = sizeof config, .allocator = &allocator};
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    gm_status status;
    double x[2 * ROWS];
    char why[512] = "fitted";

    two_moons(ROWS, 1, x);
    status = gm_context_create(&config, &ctx);
    if (!status)
        status = gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows);
    if (!status)
        status = gm_options_create(ctx, &how);
    if (!status)
        status = gm_options_set_int(ctx, how, "seed", 1);
    if (!status)
        status = gm_options_set_int(ctx, how, "steps", 20);
    if (!status)
        status = gm_fit(ctx, "flow", rows, how, &flow);
    if (status)
        gm_context_error(ctx, why, sizeof why, NULL);
    gm_context_free(ctx); /* any order is right */
    gm_dataset_free(rows);
    gm_options_free(how);
    printf("%8.2f %12.2f %8ld  %s\n", (double)limit / 1e6, (double)p.most / 1e6, p.calls, why);
    if (flow)
        printf("%21.2f           the model alone\n", (double)p.held / 1e6);
    gm_model_free(flow);
    if (p.held)
        printf("%zu bytes are lost\n", p.held);
    return p.held != 0 || (status && status != GM_E_MEMORY);
}

int main(void)
{
    static const size_t limit[] = {10000, 100000, 1000000, 4000000, 100000000};
    int failed = 0, i;

    printf("limit/MB  at most/MB    calls\n");
    for (i = 0; i < 5; i++)
        failed |= try_with(limit[i]);
    if (!failed)
        printf("nothing is lost\n");
    return failed;
}
