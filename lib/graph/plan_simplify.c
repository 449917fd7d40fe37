/* First pass: what no output needs is left out, and what is computed twice is computed once. */
#include "graph/plan.h"

#include <string.h>

/* ---- Live nodes ------------------------------------------------------------------------------ */

static int mark_live(gm__compiler *c, unsigned char *live)
{
    int32_t count = 0;
    gm_node *param, *value;
    for (int32_t i = 0; i < c->noutputs; i++)
        live[c->outputs[i].node->id] = 1;
    for (int32_t i = 0; gm__builder_assignment(c->b, i, &param, &value); i++)
        live[param->id] = live[value->id] = 1;
    for (int32_t id = c->b->count - 1; id >= 0; id--) {
        const gm_node *n = c->b->nodes[id];
        for (int i = 0; live[id] && i < n->nin; i++)
            live[n->in[i]->id] = 1;
        count += live[id];
    }
    return count;
}

/* ---- Merging --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++) /* FNV-1a */
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

static uint64_t hash(const gm__item *x)
{
    const gm_node *n = x->node;
    uint64_t h = mix(0xcbf29ce484222325u, &x->op, sizeof x->op);
    h = mix(h, x->in, sizeof *x->in * (size_t)x->nin);
    h = mix(h, n->shape, sizeof *n->shape * (size_t)n->ndim);
    h = mix(h, n->attr.real, sizeof n->attr.real);
    h = mix(h, n->attr.whole, sizeof n->attr.whole);
    return mix(h, n->attr.data, n->attr.data_size < 256 ? n->attr.data_size : 256);
}

static int equal(const gm__item *x, const gm__item *y)
{
    const gm_node *p = x->node, *q = y->node;
    return x->op == y->op && x->nin == y->nin && p->type == q->type && gm__same_shape(p, q) &&
           p->attr.mask == q->attr.mask && p->attr.data_size == q->attr.data_size &&
           (x->nin == 0 || memcmp(x->in, y->in, sizeof *x->in * (size_t)x->nin) == 0) &&
           memcmp(p->attr.real, q->attr.real, sizeof p->attr.real) == 0 &&
           memcmp(p->attr.whole, q->attr.whole, sizeof p->attr.whole) == 0 &&
           (p->attr.data_size == 0 || memcmp(p->attr.data, q->attr.data, p->attr.data_size) == 0);
}

typedef struct table {
    int32_t *slot; /* items, -1 none */
    uint64_t mask;
} table;

/* The item equal to the newest, or the newest itself, now entered. */
static int32_t merge(gm__compiler *c, table *t, int32_t newest)
{
    gm__item *x = &c->items[newest];
    if (x->node->op->flags & GM__DRAWS)
        return newest;
    uint64_t at = hash(x) & t->mask;
    while (t->slot[at] >= 0) {
        if (equal(x, &c->items[t->slot[at]]))
            return t->slot[at];
        at = (at + 1) & t->mask;
    }
    t->slot[at] = newest;
    return newest;
}

/* ---- Items ----------------------------------------------------------------------------------- */

/* In double precision REAL and WIDE are one type. */
static int32_t op_of(const gm__compiler *c, const gm_node *n)
{
    int idle = n->number == GM__OP_WIDE || n->number == GM__OP_NARROW;
    if (idle && c->plan->real == GM__F64 && n->in[0]->type != GM_INDEX_NODE)
        return GM__OP_SAME;
    return n->number == GM__OP_STOP ? GM__OP_SAME : n->number;
}

static int fill(gm__compiler *c, gm__item *x, const gm_node *n)
{
    x->node = n;
    x->op = op_of(c, n);
    x->nin = n->nin;
    x->step = x->head = x->second = -1;
    x->in = gm__arena_array(&c->arena, n->nin + 1, sizeof *x->in);
    if (!x->in)
        return 1;
    for (int i = 0; i < n->nin; i++)
        x->in[i] = c->item_of[n->in[i]->id];
    if ((x->op == GM__OP_MAP2 + GM__ADD || x->op == GM__OP_MAP2 + GM__MUL) && x->in[0] > x->in[1]) {
        int32_t t = x->in[0]; /* either order gives the same bits */
        x->in[0] = x->in[1];
        x->in[1] = t;
    }
    return 0;
}

static void count_uses(gm__compiler *c)
{
    gm_node *param, *value;
    for (int32_t i = 0; i < c->nitems; i++)
        for (int k = 0; k < c->items[i].nin; k++)
            c->items[c->items[i].in[k]].uses++;
    for (int32_t i = 0; i < c->noutputs; i++)
        c->items[c->item_of[c->outputs[i].node->id]].uses++;
    for (int32_t i = 0; gm__builder_assignment(c->b, i, &param, &value); i++)
        c->items[c->item_of[value->id]].uses++;
    c->nassigned = c->plan->nassigned = c->b->assigned_count;
}

int gm__simplify(gm__compiler *c)
{
    unsigned char *live = gm__arena_array(&c->arena, c->b->count + 1, 1);
    c->item_of = gm__arena_array(&c->arena, c->b->count + 1, sizeof *c->item_of);
    if (!live || !c->item_of)
        return 1;
    int32_t most = mark_live(c, live);
    table t = {.mask = 64};
    while (t.mask < 2 * (uint64_t)most)
        t.mask *= 2;
    t.slot = gm__arena_array(&c->arena, (int64_t)t.mask, sizeof *t.slot);
    c->items = gm__arena_array(&c->arena, most + 1, sizeof *c->items);
    if (!t.slot || !c->items)
        return 1;
    memset(t.slot, -1, sizeof *t.slot * t.mask--);
    for (int32_t id = 0; id < c->b->count; id++) {
        c->item_of[id] = -1;
        if (!live[id])
            continue;
        if (gm__stopped(c) || fill(c, &c->items[c->nitems], c->b->nodes[id]))
            return 1;
        c->item_of[id] = merge(c, &t, c->nitems);
        c->nitems += c->item_of[id] == c->nitems;
    }
    count_uses(c);
    return 0;
}
