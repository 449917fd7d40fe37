/* What can follow a matrix product while its result is in registers: the sum with an older result,
 * a bias, an activation (keeping what came before it where a gradient wants it), a gate. Each
 * changes no bit. */
#include "graph/plan.h"

/* The one user of item x, if that is all that reads it. */
static int32_t sole(const gm__compiler *c, const int32_t *user, int32_t x)
{
    return c->items[x].uses == 1 ? user[x] : -1;
}

static int free_item(const gm__compiler *c, int32_t i)
{
    return i >= 0 && c->items[i].kind == GM__ROWS;
}

static int32_t other(const gm__item *x, int32_t in)
{
    return x->in[0] == in ? x->in[1] : x->in[0];
}

static int alike(const gm__compiler *c, int32_t x, int32_t y)
{
    return gm__same_shape(c->items[x].node, c->items[y].node) &&
           c->plan->values[x].real == c->plan->values[y].real &&
           c->items[x].node->type == c->items[y].node->type;
}

/* r + o where only this reads o, which a step before computes: added in place. */
static int32_t match_old(const gm__compiler *c, const int32_t *user, int32_t r, int32_t *old)
{
    int32_t j = sole(c, user, r), o;
    if (!free_item(c, j) || c->items[j].op != GM__OP_MAP2 + GM__ADD ||
        (o = other(&c->items[j], r)) == r)
        return -1;
    const gm__item *x = &c->items[o];
    int made =
        x->kind == GM__ROWS || x->kind == GM__WHOLE || (x->kind == GM__ABSORBED && x->step >= 0);
    if (!made || x->uses != 1 || !alike(c, o, r) || !alike(c, j, r))
        return -1;
    *old = o;
    return j;
}

static int32_t match_bias(const gm__compiler *c, const int32_t *user, int32_t r, int32_t *bias)
{
    int32_t j = sole(c, user, r), o;
    if (!free_item(c, j) || c->items[j].op != GM__OP_MAP2 + GM__ADD ||
        (o = other(&c->items[j], r)) == r)
        return -1;
    const gm_node *x = c->items[o].node, *z = c->items[r].node;
    int vector = (x->ndim == 1 || (x->ndim == 2 && x->shape[0] == 1 && z->shape[0] != 1)) &&
                 x->shape[x->ndim - 1] == z->shape[z->ndim - 1];
    if (!vector || x->type != z->type || !alike(c, j, r))
        return -1;
    *bias = o;
    return j;
}

static int is_activation(int32_t op)
{
    switch (op - GM__OP_MAP1) {
    case GM__RELU:
    case GM__TANH:
    case GM__SIGMOID:
    case GM__SILU:
    case GM__GELU:
    case GM__SOFTPLUS:
        return 1;
    default:
        return op == GM__OP_LEAKY;
    }
}

/* The activation must be the first to read r; what else reads it does so after the step. */
static int32_t match_act(const gm__compiler *c, int32_t r)
{
    for (int32_t j = r + 1; j < c->nitems && j < r + 8; j++)
        for (int k = 0; k < c->items[j].nin; k++)
            if (c->items[j].in[k] == r)
                return free_item(c, j) && is_activation(c->items[j].op) ? j : -1;
    return -1;
}

/* The derivative of activation j at r, which a gradient will want: computed with it, for little. A
 * mask's zeros are left to who has them. */
static int32_t match_slope(const gm__compiler *c, int32_t head, int32_t r, int32_t j)
{
    int32_t op = c->items[j].op - GM__OP_MAP1;
    int32_t slope = op == GM__SILU ? GM__SILU_SLOPE : op == GM__SOFTPLUS ? GM__SIGMOID : -1;
    if (slope < 0 || c->items[head].node->attr.mask)
        return -1;
    for (int32_t i = j + 1; i < c->nitems; i++)
        if (c->items[i].op == GM__OP_MAP1 + slope && c->items[i].in[0] == r)
            return free_item(c, i) && alike(c, i, r) ? i : -1;
    return -1;
}

/* r times such a derivative of an earlier product. */
static int32_t match_factor(const gm__compiler *c, const int32_t *user, int32_t r, int32_t *factor)
{
    int32_t j = sole(c, user, r), o;
    if (!free_item(c, j) || c->items[j].op != GM__OP_MAP2 + GM__MUL ||
        (o = other(&c->items[j], r)) == r)
        return -1;
    const gm__item *x = &c->items[o];
    if (x->kind != GM__ABSORBED || x->head < 0 || x->step < 0 ||
        c->items[x->head].epilogue->slope != o || !alike(c, o, r) || !alike(c, j, r))
        return -1;
    *factor = o;
    return j;
}

static int32_t match_gate(const gm__compiler *c, const int32_t *user, int32_t r, int32_t *gate)
{
    int32_t j = sole(c, user, r);
    if (!free_item(c, j) || c->items[j].op != GM__OP_MAP2 + GM__GATE || c->items[j].in[0] != r)
        return -1;
    int32_t g = c->items[j].in[1];
    if (g == r || !alike(c, g, r) || !alike(c, j, r))
        return -1;
    *gate = g;
    return j;
}

/* Rows of rows times one matrix are a flat product seen as it was: what follows may follow the
 * view, if anything does. */
static int32_t match_view(const gm__compiler *c, const int32_t *user, int32_t r)
{
    int32_t j = sole(c, user, r), other_item;
    if (j < 0 || c->items[j].kind != GM__VIEW || c->items[j].op != GM__OP_RESHAPE)
        return -1;
    const gm_node *x = c->items[r].node, *y = c->items[j].node;
    if (y->ndim < 2 || x->shape[x->ndim - 1] != y->shape[y->ndim - 1])
        return -1;
    int follows = match_old(c, user, j, &other_item) >= 0 ||
                  match_bias(c, user, j, &other_item) >= 0 || match_act(c, j) >= 0 ||
                  match_gate(c, user, j, &other_item) >= 0;
    return follows ? j : -1;
}

static void absorb(gm__compiler *c, int32_t head, int32_t i)
{
    c->items[i].kind = GM__ABSORBED;
    c->items[i].head = head;
    c->items[head].epilogue->result = i;
}

int gm__match_epilogue(gm__compiler *c, int32_t i, const int32_t *user)
{
    gm__epilogue *e = gm__arena_alloc(&c->arena, sizeof *e);
    int32_t r = i, j;
    if (!e)
        return 1;
    *e = (gm__epilogue){-1, -1, -1, -1, -1, -1, 0, i};
    c->items[i].epilogue = e;
    if (!c->ctx->fusion || c->items[i].node->ndim != 2)
        return 0;
    if ((j = match_view(c, user, r)) >= 0)
        absorb(c, i, r = j);
    if ((j = match_old(c, user, r, &e->old)) >= 0)
        absorb(c, i, r = j);
    if ((j = match_bias(c, user, r, &e->bias)) >= 0)
        absorb(c, i, r = j);
    if ((j = match_act(c, r)) >= 0) {
        e->slope = match_slope(c, i, r, j);
        e->pre = c->items[r].uses > 1 + (e->slope >= 0) ? r : -1;
        e->act = j;
        if (e->slope >= 0)
            absorb(c, i, e->slope);
        absorb(c, i, r = j);
    }
    if (e->act < 0 && (j = match_factor(c, user, r, &e->gate)) >= 0) {
        e->factor = 1;
        absorb(c, i, j);
    } else if (e->pre < 0 && e->slope < 0 && (j = match_gate(c, user, r, &e->gate)) >= 0)
        absorb(c, i, j);
    return 0;
}
