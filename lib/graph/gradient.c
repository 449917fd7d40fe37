/* Gradients as more graph: reverse accumulation over the list of nodes, which is in order. */
#include "graph/node.h"

#include <string.h>

/* A contribution to the adjoint of a node. */
typedef struct share {
    gm_node *d;
    struct share *next;
} share;

typedef struct sweep {
    gm_builder *b;
    gm__arena arena;
    unsigned char *depends; /* by id: on something that is asked for */
    share **adjoint;        /* by id, newest first */
    int32_t count;
} sweep;

static int wanted(const sweep *s, const gm_node *x)
{
    return x->id < s->count && s->depends[x->id];
}

static void give(sweep *s, gm_node *to, gm_node *d)
{
    if (!d || !wanted(s, to))
        return;
    share *c = gm__arena_alloc(&s->arena, sizeof *c);
    if (!c) {
        gm__graph_memory(s->b);
        return;
    }
    c->d = d;
    c->next = s->adjoint[to->id];
    s->adjoint[to->id] = c;
}

/* Slices of one node give back padded pieces. Where two pieces along one axis lie side by side they
 * are joined, which costs less than adding zeros: d1 before d2, or NULL. */
static gm_node *side_by_side(gm_builder *b, gm_node *d1, gm_node *d2)
{
    if (!gm__is(d1, GM__OP_PAD) || !gm__is(d2, GM__OP_PAD) ||
        d1->attr.whole[0] != d2->attr.whole[0])
        return NULL;
    int axis = (int)d1->attr.whole[0];
    if (d1->attr.whole[1] + d1->in[0]->shape[axis] != d2->attr.whole[1])
        return NULL;
    gm_node *both[2] = {d1->in[0], d2->in[0]};
    return gm_pad(b, gm_concat(b, 2, both, axis), axis, d1->attr.whole[1], d2->attr.whole[2]);
}

/* Joins pieces in place until none lie side by side. */
static void join(gm_builder *b, share *list)
{
    for (share *p = list; p; p = p->next)
        for (share **q = &list->next; *q;) {
            gm_node *d = *q == p ? NULL : side_by_side(b, p->d, (*q)->d);
            if (!d && *q != p)
                d = side_by_side(b, (*q)->d, p->d);
            if (!d) {
                q = &(*q)->next;
                continue;
            }
            p->d = d;
            *q = (*q)->next;
            q = &list->next;
        }
}

/* The sum of the contributions, oldest first; NULL if there are none. */
static gm_node *collect(sweep *s, const gm_node *x)
{
    share *back = NULL;
    for (share *c = s->adjoint[x->id], *next; c; c = next) {
        next = c->next;
        c->next = back;
        back = c;
    }
    if (!back)
        return NULL;
    join(s->b, back);
    gm_node *d = back->d;
    for (share *c = back->next; c; c = c->next)
        d = gm_add(s->b, d, c->d);
    s->adjoint[x->id] = back;
    back->d = d;
    back->next = NULL;
    return d;
}

/* From the adjoint of a node to those of its operands. A second result hands its adjoint to the
 * operation, where it waits beside the first's. */
static void pull(sweep *s, gm_node *n, gm_node **dx, gm_node **second)
{
    gm_node *dy = collect(s, n);
    gm_node *dy2 = n->op->flags & GM__TWO ? second[n->id] : NULL;
    if ((!dy && !dy2) || s->b->code)
        return;
    if (gm__is(n, GM__OP_SECOND)) {
        second[n->in[0]->id] = dy;
        return;
    }
    if (!n->op->gradient || n->nin > 64)
        return;
    memset(dx, 0, sizeof *dx * 64);
    n->op->gradient(s->b, n, dy, dy2, dx);
    for (int i = 0; i < n->nin; i++)
        give(s, n->in[i], dx[i]);
}

/* Which nodes depend on what is asked for. */
static void mark(sweep *s, int32_t n, gm_node *const *wrt)
{
    for (int32_t i = 0; i < n; i++)
        if (wrt[i]->id < s->count)
            s->depends[wrt[i]->id] = 1;
    for (int32_t id = 0; id < s->count; id++) {
        const gm_node *x = s->b->nodes[id];
        if (x->op->flags & GM__NO_GRADIENT)
            continue;
        for (int i = 0; i < x->nin; i++)
            s->depends[id] |= s->depends[x->in[i]->id];
    }
}

static void sweep_back(sweep *s, gm_node *of, int32_t n, gm_node *const *wrt, gm_node **gradient)
{
    gm_builder *b = s->b;
    gm_node **second = gm__arena_array(&s->arena, s->count, sizeof *second);
    gm_node **dx = gm__arena_array(&s->arena, 64, sizeof *dx);
    s->depends = gm__arena_array(&s->arena, s->count, 1);
    s->adjoint = gm__arena_array(&s->arena, s->count, sizeof(share *));
    if (!second || !dx || !s->depends || !s->adjoint) {
        gm__graph_memory(b);
        return;
    }
    mark(s, n, wrt);
    give(s, of, gm__fill_like(b, 1, of));
    for (int32_t id = s->count - 1; id >= 0 && !b->code; id--)
        if (s->depends[id] && (s->adjoint[id] || second[id]))
            pull(s, b->nodes[id], dx, second);
    for (int32_t i = 0; i < n && !b->code; i++) {
        gm_node *d = wrt[i]->id < s->count ? collect(s, wrt[i]) : NULL;
        gradient[i] = d ? d : gm__fill_like(b, 0, wrt[i]);
    }
}

void gm_gradient(gm_builder *b, gm_node *of, int32_t n, gm_node *const *wrt, gm_node **gradient)
{
    for (int32_t i = 0; i < n; i++)
        gradient[i] = NULL;
    if (!b || !gm__good(b, "gradient", 1, &of) || !gm__good(b, "gradient", n, wrt))
        return;
    if (of->type == GM_INDEX_NODE) {
        gm__wrong(b, GM_E_ARG, "gradient: an INDEX node has none");
        return;
    }
    sweep s = {.b = b, .arena = {.allocator = b->allocator}, .count = of->id + 1};
    sweep_back(&s, of, n, wrt, gradient);
    gm__arena_clear(&s.arena);
    for (int32_t i = 0; b->code && i < n; i++)
        gradient[i] = NULL;
}
