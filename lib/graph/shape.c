/* Shapes: counts with the batch left open, the rules that several operations share, broadcasting
 * and its reverse. */
#include "graph/node.h"

#include <string.h>

int gm__count_dims(const int64_t *shape, int from, int to, gm__count *count)
{
    gm__count c = {1, 0};
    for (int i = from; i < to; i++) {
        int64_t d = shape[i];
        if (d == INT64_MIN || gm__mul64(c.factor, d < 0 ? -d : d, &c.factor))
            return 1;
        c.power += d < 0;
    }
    *count = c;
    return 0;
}

int gm__count_at(gm__count count, int64_t batch, int64_t *n)
{
    int64_t r = count.factor;
    for (int i = 0; i < count.power; i++)
        if (gm__mul64(r, batch, &r))
            return 1;
    *n = r;
    return 0;
}

int gm__same_shape(const gm_node *x, const gm_node *y)
{
    return x->ndim == y->ndim &&
           memcmp(x->shape, y->shape, sizeof *x->shape * (size_t)x->ndim) == 0;
}

int gm__one(const gm_node *x)
{
    for (int i = 0; i < x->ndim; i++)
        if (x->shape[i] != 1)
            return 0;
    return 1;
}

int gm__axis(gm_builder *b, const char *what, const gm_node *x, int32_t axis)
{
    int32_t i = axis < 0 ? axis + x->ndim : axis;
    if (i >= 0 && i < x->ndim)
        return i;
    gm__wrong(b, GM_E_SHAPE, "%s: axis %d does not exist in shape %s", what, axis,
              gm__show(x).text);
    return -1;
}

/* ---- Shape rules ----------------------------------------------------------------------------- */

void gm__shape_of_first(gm_builder *b, gm_node *n)
{
    (void)b;
    n->type = n->in[0]->type;
    n->ndim = n->in[0]->ndim;
    memcpy(n->shape, n->in[0]->shape, sizeof n->shape);
}

void gm__shape_given(gm_builder *b, gm_node *n)
{
    n->ndim = (int32_t)n->attr.whole[8];
    n->type = n->attr.whole[9] ? (int32_t)n->attr.whole[9] : n->in[0]->type;
    if (n->ndim < 0 || n->ndim > 8) {
        gm__wrong(b, GM_E_SHAPE, "%s: %d dimensions; a shape has 0 to 8", n->op->name, n->ndim);
        return;
    }
    for (int i = 0; i < n->ndim; i++)
        n->shape[i] = n->attr.whole[i];
}

/* The shape to which those of n's operands broadcast; 0 and a failure where they do not. */
void gm__shape_broadcast(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    for (int k = 1; k < n->nin; k++) {
        const gm_node *y = n->in[k];
        int nd = n->ndim > y->ndim ? n->ndim : y->ndim;
        int64_t shape[8] = {0};
        for (int i = 1; i <= nd; i++) {
            int64_t p = i <= n->ndim ? n->shape[n->ndim - i] : 1,
                    q = i <= y->ndim ? y->shape[y->ndim - i] : 1;
            if (p != q && p != 1 && q != 1) {
                gm__wrong(b, GM_E_SHAPE,
                          "%s: shapes %s and %s do not fit: they differ %d from the end",
                          n->op->name, gm__show(n->in[0]).text, gm__show(y).text, i);
                return;
            }
            shape[nd - i] = p == 1 ? q : p;
        }
        n->ndim = nd;
        memcpy(n->shape, shape, sizeof shape);
    }
}

/* ---- Broadcasting ---------------------------------------------------------------------------- */

static gm__attr given(int32_t ndim, const int64_t *shape)
{
    gm__attr a = {0};
    a.whole[8] = ndim;
    for (int i = 0; i < ndim && i < 8; i++)
        a.whole[i] = shape[i];
    return a;
}

gm_node *gm_reshape(gm_builder *b, gm_node *x, int32_t ndim, const int64_t *shape)
{
    if (!gm__good(b, "reshape", 1, &x))
        return NULL;
    if (ndim == x->ndim && memcmp(shape, x->shape, sizeof *shape * (size_t)ndim) == 0)
        return x;
    if (gm__is(x, GM__OP_RESHAPE))
        return gm_reshape(b, x->in[0], ndim, shape);
    gm__attr a = given(ndim, shape);
    return gm__node1(b, GM__OP_RESHAPE, x, &a);
}

gm_node *gm__reshape_like(gm_builder *b, gm_node *x, const gm_node *like)
{
    return like ? gm_reshape(b, x, like->ndim, like->shape) : NULL;
}

gm_node *gm_broadcast(gm_builder *b, gm_node *x, int32_t ndim, const int64_t *shape)
{
    if (!gm__good(b, "broadcast", 1, &x))
        return NULL;
    if (ndim == x->ndim && memcmp(shape, x->shape, sizeof *shape * (size_t)ndim) == 0)
        return x;
    if (gm__is(x, GM__OP_BROADCAST) && gm__one(x->in[0]))
        x = x->in[0];
    gm__attr a = given(ndim, shape);
    return gm__node1(b, GM__OP_BROADCAST, x, &a);
}

gm_node *gm__broadcast_like(gm_builder *b, gm_node *x, const gm_node *like)
{
    return like ? gm_broadcast(b, x, like->ndim, like->shape) : NULL;
}

gm_node *gm__const_like(gm_builder *b, double value, const gm_node *x)
{
    gm__attr a = {.real = {value}, .whole = {[9] = x ? x->type : GM_REAL_NODE}};
    return gm__node(b, GM__OP_CONST, 0, NULL, &a);
}

gm_node *gm__fill_like(gm_builder *b, double value, const gm_node *x)
{
    return gm__broadcast_like(b, gm__const_like(b, value, x), x);
}

gm_node *gm__unbroadcast(gm_builder *b, gm_node *d, const gm_node *x)
{
    if (!d || !x)
        return NULL;
    if (gm__same_shape(d, x))
        return d;
    if (gm__one(x))
        return gm__reshape_like(b, gm_sum_all(b, d), x);
    while (d && d->ndim > x->ndim)
        d = gm_sum(b, d, 0, 0);
    for (int i = 0; d && i < x->ndim; i++)
        if (x->shape[i] == 1 && d->shape[i] != 1)
            d = gm_sum(b, d, i, 1);
    return d;
}
