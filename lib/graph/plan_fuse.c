/* Second pass: items into steps. Operations on rows of the same count gather in one program as long
 * as each finds its operands there or in an earlier step; a product takes in what follows it. */
#include "graph/plan.h"

#define MOST_CELLS 96 /* items of one program */
#define NEAR 24       /* items: an operand made this recently is still in cache */
#define LOOK_BACK 6   /* steps to look back for a program to join */

int gm__by_rows(const gm__compiler *c, int32_t i, int32_t k)
{
    const gm__item *x = &c->items[i];
    const gm_node *y = x->node, *in = c->items[x->in[k]].node;
    if (y->op->flags & GM__TABLE)
        return k != 0;
    if (!(y->op->flags & GM__BROADCASTS))
        return 1;
    return in->ndim == y->ndim && (y->ndim == 0 || in->shape[0] == y->shape[0]);
}

static int has_rows(const gm_node *n)
{
    return n->op->strip && (!n->op->by_rows || n->op->by_rows(n));
}

/* A slice may have been made a view: of leading rows, or of columns for products. */
static int is_view(const gm__compiler *c, int32_t i)
{
    const gm__item *x = &c->items[i];
    if (x->op == GM__OP_SLICE)
        return c->plan->values[i].root != i;
    return x->op == GM__OP_RESHAPE || x->op == GM__OP_SAME;
}

static int kind_of(const gm__compiler *c, int32_t i)
{
    const gm__item *x = &c->items[i];
    if (x->op <= GM__OP_ARRAY)
        return GM__LEAF;
    if (x->op == GM__OP_SECOND)
        return GM__ABSORBED;
    if (is_view(c, i))
        return GM__VIEW;
    return has_rows(x->node) ? GM__ROWS : GM__WHOLE;
}

/* ---- Programs -------------------------------------------------------------------------------- */

/* Operand x may be read from the strip that makes it, by rows of the first axis `rows`. */
static int in_strip(const gm__compiler *c, int32_t x, int64_t rows)
{
    const gm__value *v = &c->plan->values[x], *r = &c->plan->values[v->root];
    return gm__first_axis(c->items[x].node) == rows && (r->ndim ? r->shape[0] : 1) == rows &&
           v->shift.factor == 0;
}

static int joins(const gm__compiler *c, int32_t i, int32_t d)
{
    const gm__draft *g = &c->drafts[d];
    const gm__item *x = &c->items[i];
    if (g->kind != GM__ROWS || g->rows != gm__first_axis(x->node) || g->count >= MOST_CELLS)
        return 0;
    for (int k = 0; k < x->nin; k++) {
        int32_t made = c->items[x->in[k]].step;
        if (made > d || (made == d && !(gm__by_rows(c, i, k) && in_strip(c, x->in[k], g->rows))))
            return 0;
    }
    return 1;
}

/* The program to join: that of an operand just made, else one of the newest, else none (-1). */
static int32_t find(const gm__compiler *c, int32_t i)
{
    const gm__item *x = &c->items[i];
    int32_t latest = -1, maker = -1;
    for (int k = 0; k < x->nin; k++) {
        if (c->items[x->in[k]].step > latest) {
            latest = c->items[x->in[k]].step;
            maker = x->in[k];
        }
    }
    if (!c->ctx->fusion)
        return -1;
    if (maker >= 0 && i - maker <= NEAR && joins(c, i, latest))
        return latest;
    for (int32_t d = c->ndrafts - 1; d >= latest && d >= 0 && d >= c->ndrafts - LOOK_BACK; d--)
        if (joins(c, i, d))
            return d;
    return -1;
}

static void append(gm__compiler *c, int32_t d, int32_t i)
{
    gm__draft *g = &c->drafts[d];
    c->next[i] = -1;
    if (g->count++)
        c->next[g->last] = i;
    else
        g->first = i;
    g->last = i;
    c->items[i].step = d;
}

static int32_t new_draft(gm__compiler *c, int kind, int64_t rows)
{
    c->drafts[c->ndrafts] = (gm__draft){kind, -1, -1, 0, rows, -1, -1};
    return c->ndrafts++;
}

static void add_rows(gm__compiler *c, int32_t i)
{
    int32_t d = find(c, i);
    append(c, d >= 0 ? d : new_draft(c, GM__ROWS, gm__first_axis(c->items[i].node)), i);
}

/* ---- Products -------------------------------------------------------------------------------- */

/* The step stands where its last item does: all that it reads is there by then. */
static void add_product(gm__compiler *c, int32_t head)
{
    const gm__epilogue *e = c->items[head].epilogue;
    int32_t d = new_draft(c, GM__WHOLE, 0);
    for (int32_t i = head; i <= e->result; i++)
        if (i == head || (c->items[i].kind == GM__ABSORBED && c->items[i].head == head))
            append(c, d, i);
    if (e->slope >= 0)
        append(c, d, e->slope);
    if (e->old >= 0)
        c->plan->values[e->result].root = gm__root(c->plan, e->old);
}

static int add(gm__compiler *c, int32_t i, const int32_t *user)
{
    gm__item *x = &c->items[i];
    switch (x->kind) {
    case GM__ROWS:
        add_rows(c, i);
        break;
    case GM__WHOLE:
        if (x->op != GM__OP_MATMUL) {
            append(c, new_draft(c, GM__WHOLE, 0), i);
            break;
        }
        if (gm__match_epilogue(c, i, user))
            return 1;
        if (x->epilogue->result == i)
            add_product(c, i);
        break;
    case GM__ABSORBED:
        if (x->op == GM__OP_SECOND) {
            c->items[x->in[0]].second = i;
            x->step = c->items[x->in[0]].step;
        } else if (c->items[x->head].epilogue->result == i) {
            add_product(c, x->head);
        }
        break;
    case GM__VIEW:
        x->step = c->items[x->in[0]].step;
        break;
    default:
        break;
    }
    return 0;
}

int gm__fuse(gm__compiler *c)
{
    int32_t *user = gm__arena_array(&c->arena, c->nitems + 1, sizeof *user);
    c->next = gm__arena_array(&c->arena, c->nitems + 1, sizeof *c->next);
    c->drafts =
        gm__arena_array(&c->arena, c->nitems + c->noutputs + c->nassigned + 1, sizeof *c->drafts);
    if (!user || !c->next || !c->drafts)
        return 1;
    for (int32_t i = 0; i < c->nitems; i++)
        user[i] = -1;
    for (int32_t i = 0; i < c->nitems; i++) {
        c->items[i].kind = kind_of(c, i);
        for (int k = 0; k < c->items[i].nin; k++)
            user[c->items[i].in[k]] = i;
    }
    for (int32_t i = 0; i < c->nitems; i++) {
        gm__value *v = &c->plan->values[i];
        v->root =
            c->plan->values[v->root].root; /* a product may have moved it onto an older result */
        if (gm__stopped(c) || add(c, i, user))
            return 1;
    }
    return 0;
}
