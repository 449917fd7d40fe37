/* Where each parameter lies in the flat buffer. The first graph that names one defines it. */
#include "graph/graph.h"
#include "base/size.h"

#include <string.h>

void gm__layout_init(gm__layout *layout, const gm_allocator *allocator)
{
    memset(layout, 0, sizeof *layout);
    layout->arena.allocator = *allocator;
}

void gm__layout_clear(gm__layout *layout)
{
    gm_allocator a = layout->arena.allocator;
    gm__arena_clear(&layout->arena);
    gm__layout_init(layout, &a);
}

const gm__slot *gm__layout_find(const gm__layout *layout, const char *name)
{
    for (int32_t i = 0; i < layout->count; i++)
        if (strcmp(layout->slots[i].name, name) == 0)
            return &layout->slots[i];
    return NULL;
}
