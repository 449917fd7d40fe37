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

/* Where the name is in the table, or would be; at most half of the table is in use. */
static int32_t place_of(const gm__layout *l, const char *name)
{
    uint32_t h = 0x811c9dc5u, mask = 2 * (uint32_t)l->capacity - 1; /* a power of 2, less 1 */
    for (const char *p = name; *p; p++)                             /* FNV-1a */
        h = (h ^ (unsigned char)*p) * 0x01000193u;
    uint32_t at = (h ^ h >> 15) & mask;
    while (l->places[at] >= 0 && strcmp(l->slots[l->places[at]].name, name) != 0)
        at = (at + 1) & mask;
    return (int32_t)at;
}

const gm__slot *gm__layout_find(const gm__layout *layout, const char *name)
{
    int32_t at = layout->capacity ? layout->places[place_of(layout, name)] : -1;
    return at >= 0 ? &layout->slots[at] : NULL;
}

static int grow(gm__layout *l)
{
    if (l->capacity > INT32_MAX / 4)
        return 1;
    int32_t more = l->capacity ? l->capacity * 2 : 32;
    gm__slot *s = gm__arena_array(&l->arena, more, sizeof *s);
    int32_t *places = gm__arena_array(&l->arena, 2 * (int64_t)more, sizeof *places);
    if (!s || !places)
        return 1;
    if (l->count)
        memcpy(s, l->slots, sizeof *s * (size_t)l->count);
    memset(places, -1, sizeof *places * 2 * (size_t)more);
    l->slots = s;
    l->places = places;
    l->capacity = more;
    for (int32_t i = 0; i < l->count; i++)
        places[place_of(l, s[i].name)] = i;
    return 0;
}

gm__slot *gm__layout_add(gm__layout *l, const char *name)
{
    if (l->count == l->capacity && grow(l))
        return NULL;
    char *copy = gm__arena_text(&l->arena, name);
    if (!copy)
        return NULL;
    l->places[place_of(l, copy)] = l->count;
    gm__slot *s = &l->slots[l->count++];
    s->name = copy;
    return s;
}
