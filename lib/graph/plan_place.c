/* Third pass: where values lie. Outputs go to the caller's memory at once where they can; the rest
 * shares one block, by liveness, first fit. */
#include "graph/plan.h"

#include <string.h>

#define ALIGN 64

/* ---- Who reads what -------------------------------------------------------------------------- */

static void reads(gm__compiler *c, int32_t d, int32_t value)
{
    int32_t r = gm__root(c->plan, value);
    gm__value *v = &c->plan->values[r];
    if (c->items[r].step < 0 || (c->items[r].step == d && c->drafts[d].from < 0))
        return;
    if (v->place == GM__IN_STRIP)
        v->place = GM__IN_POOL;
    if (c->last_use[r] < d)
        c->last_use[r] = d;
}

/* The result of a whole operation, or of a product's step, is in memory whoever reads it. */
static void writes(gm__compiler *c, int32_t d)
{
    const gm__item *x = &c->items[c->drafts[d].first];
    int32_t y = x->epilogue ? x->epilogue->result : c->drafts[d].first;
    gm__value *v = &c->plan->values[gm__root(c->plan, y)];
    if (v->place == GM__IN_STRIP)
        v->place = GM__IN_POOL;
}

static void scan(gm__compiler *c)
{
    for (int32_t d = 0; d < c->ndrafts; d++) {
        if (c->drafts[d].from >= 0) {
            reads(c, d, c->drafts[d].from);
            continue;
        }
        if (c->drafts[d].kind == GM__WHOLE)
            writes(c, d);
        for (int32_t i = c->drafts[d].first; i >= 0; i = c->next[i])
            for (int k = 0; k < c->items[i].nin; k++)
                reads(c, d, c->items[i].in[k]);
    }
}

/* ---- Outputs and assignments ----------------------------------------------------------------- */

static void add_copy(gm__compiler *c, int32_t from, int32_t place, size_t at)
{
    gm__plan *p = c->plan;
    int32_t to = p->nvalues++;
    p->values[to] = p->values[from];
    p->values[to].root = to;
    p->values[to].place = place;
    p->values[to].at = at;
    p->values[to].shift = (gm__count){0, 0};
    c->drafts[c->ndrafts++] = (gm__draft){GM__WHOLE, -1, -1, 0, 0, from, to};
}

/* The value can be computed right into the memory given for it. */
static int direct(const gm__compiler *c, int32_t v)
{
    const gm__plan *p = c->plan;
    const gm__value *x = &p->values[v], *r = &p->values[x->root];
    return c->items[x->root].step >= 0 && r->place < 0 && x->shift.factor == 0 &&
           x->total.factor == r->total.factor && x->total.power == r->total.power &&
           x->size == r->size;
}

static void place_outputs(gm__compiler *c)
{
    gm__plan *p = c->plan;
    gm_node *param, *value;
    for (int32_t i = 0; i < c->noutputs; i++) {
        const gm__slot *slot = c->outputs[i].slot;
        int32_t v = c->item_of[c->outputs[i].node->id], r = gm__root(p, v);
        int32_t place = slot ? GM__IN_GRADS : GM__IN_INPUT + p->ninputs + i;
        size_t at = slot ? (size_t)slot->offset * (size_t)p->values[v].size : 0;
        if (!direct(c, v)) {
            add_copy(c, v, place, at);
            continue;
        }
        p->values[r].place = place;
        p->values[r].at = at;
    }
    for (int32_t i = 0; gm__builder_assignment(c->b, i, &param, &value); i++) {
        const gm__value *to = &p->values[c->item_of[param->id]];
        add_copy(c, c->item_of[value->id], GM__IN_PARAMS, to->at);
    }
}

/* ---- Memory by liveness ---------------------------------------------------------------------- */

/* Free stretches of the block, by position; the last reaches to the end of all. */
typedef struct stretch {
    size_t at, size;
} stretch;
typedef struct pool {
    stretch *free;
    int32_t count;
    size_t top;
} pool;

static size_t take(pool *m, size_t size)
{
    int32_t best = -1;
    for (int32_t i = 0; i < m->count; i++)
        if (m->free[i].size >= size && (best < 0 || m->free[i].size < m->free[best].size))
            best = i;
    if (best < 0) { /* grow, from a free end if there is one */
        size_t at = m->top;
        if (m->count && m->free[m->count - 1].at + m->free[m->count - 1].size == m->top)
            at = m->free[--m->count].at;
        m->top = at + size;
        return at;
    }
    size_t at = m->free[best].at;
    m->free[best].at += size;
    m->free[best].size -= size;
    if (!m->free[best].size) {
        m->count--;
        memmove(m->free + best, m->free + best + 1, sizeof *m->free * (size_t)(m->count - best));
    }
    return at;
}

static void give(pool *m, size_t at, size_t size)
{
    int32_t i = 0;
    while (i < m->count && m->free[i].at < at)
        i++;
    int before = i > 0 && m->free[i - 1].at + m->free[i - 1].size == at;
    int after = i < m->count && at + size == m->free[i].at;
    if (before && after) {
        m->free[i - 1].size += size + m->free[i].size;
        m->count--;
        memmove(m->free + i, m->free + i + 1, sizeof *m->free * (size_t)(m->count - i));
    } else if (before) {
        m->free[i - 1].size += size;
    } else if (after) {
        m->free[i].at = at;
        m->free[i].size += size;
    } else {
        memmove(m->free + i + 1, m->free + i, sizeof *m->free * (size_t)(m->count - i));
        m->free[i] = (stretch){at, size};
        m->count++;
    }
}

/* Bytes of a value at capacity; 1 if they do not fit. */
static int bytes(const gm__plan *p, const gm__value *v, size_t *size)
{
    int64_t n;
    if (gm__count_at(v->total, p->capacity, &n) || gm__mul_size((size_t)n, (size_t)v->size, size) ||
        *size > PTRDIFF_MAX / 4)
        return 1;
    *size = (*size + ALIGN - 1) / ALIGN * ALIGN;
    return 0;
}

/* Lists by step: of the values made there and of those read there last. */
typedef struct lists {
    int32_t *made, *dying, *next_made, *next_dying;
} lists;

static int make_lists(gm__compiler *c, lists *l)
{
    gm__plan *p = c->plan;
    l->made =
        gm__arena_array(&c->arena, 2 * ((int64_t)c->ndrafts + c->nitems) + 1, sizeof *l->made);
    if (!l->made)
        return 1;
    l->dying = l->made + c->ndrafts;
    l->next_made = l->dying + c->ndrafts;
    l->next_dying = l->next_made + c->nitems;
    for (int32_t d = 0; d < c->ndrafts; d++)
        l->made[d] = l->dying[d] = -1;
    for (int32_t v = c->nitems - 1; v >= 0; v--) {
        int32_t made = c->items[v].step;
        if (p->values[v].root != v || p->values[v].place != GM__IN_POOL)
            continue;
        int32_t last = c->last_use[v] > made ? c->last_use[v] : made;
        l->next_made[v] = l->made[made];
        l->made[made] = v;
        l->next_dying[v] = l->dying[last];
        l->dying[last] = v;
    }
    return 0;
}

static int place_pool(gm__compiler *c)
{
    gm__plan *p = c->plan;
    lists l;
    size_t size;
    pool m = {.free = gm__arena_array(&c->arena, c->nitems + 1, sizeof *m.free)};
    if (!m.free || make_lists(c, &l))
        return 1;
    for (int32_t d = 0; d < c->ndrafts; d++) {
        if (gm__stopped(c))
            return 1;
        for (int32_t v = l.made[d]; v >= 0; v = l.next_made[v]) {
            if (bytes(p, &p->values[v], &size) || m.top > PTRDIFF_MAX / 2)
                return 1;
            if (size)
                p->values[v].at = take(&m, size);
        }
        for (int32_t v = l.dying[d]; v >= 0; v = l.next_dying[v])
            if (!bytes(p, &p->values[v], &size) && size)
                give(&m, p->values[v].at, size);
    }
    p->memory_size = m.top;
    return 0;
}

int gm__place(gm__compiler *c)
{
    c->last_use = gm__arena_array(&c->arena, c->nitems + 1, sizeof *c->last_use);
    if (!c->last_use)
        return 1;
    place_outputs(c);
    scan(c);
    return place_pool(c);
}
