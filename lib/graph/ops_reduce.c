/* Reductions and what runs along the last axis. Row forms want at least two dimensions: a lone row
 * is given one. */
#include "graph/node.h"

#include <string.h>

/* x with a first axis of one where it has but one dimension. */
static gm_node *as_row(gm_builder *b, gm_node *x)
{
    int64_t shape[2] = {1, x->shape[0]};
    return x->ndim == 1 ? gm_reshape(b, x, 2, shape) : x;
}

/* The result of a lone row without the axis that as_row gave it. */
static gm_node *from_row(gm_builder *b, gm_node *y, const gm_node *x)
{
    return y && x->ndim == 1 ? gm_reshape(b, y, y->ndim - 1, y->shape + 1) : y;
}

static gm_node *along_last(gm_builder *b, int op, gm_node *x, const gm__attr *attr)
{
    if (!b || !gm__good(b, gm__op_at(op)->name, 1, &x))
        return NULL;
    if (x->ndim == 0)
        return gm__wrong(b, GM_E_SHAPE, "%s: a scalar has no last axis", gm__op_at(op)->name);
    return from_row(b, gm__node1(b, op, as_row(b, x), attr), x);
}

/* ---- Sums ------------------------------------------------------------------------------------ */

gm_node *gm_sum_all(gm_builder *b, gm_node *x)
{
    if (!b || !gm__good(b, "sum_all", 1, &x))
        return NULL;
    return x->ndim == 0 ? x : gm__node1(b, GM__OP_SUM_ALL, x, NULL);
}

gm_node *gm_sum(gm_builder *b, gm_node *x, int32_t axis, int32_t keep)
{
    int i;
    if (!b || !gm__good(b, "sum", 1, &x) || (i = gm__axis(b, "sum", x, axis)) < 0)
        return NULL;
    gm__attr a = {.whole = {i}};
    gm_node *y = x->ndim == 1 ? gm_sum_all(b, x) : gm__node1(b, GM__OP_SUM, x, &a);
    if (!keep || !y)
        return y;
    int64_t shape[8];
    memcpy(shape, x->shape, sizeof shape);
    shape[i] = 1;
    return gm_reshape(b, y, x->ndim, shape);
}

/* Divided by the count of the dimensions [from, to) of x. */
static gm_node *over(gm_builder *b, gm_node *y, const gm_node *x, int from, int to)
{
    gm__count c;
    if (gm__count_dims(x->shape, from, to, &c))
        return gm__wrong(b, GM_E_SHAPE, "mean: the shape %s is too large", gm__show(x).text);
    gm__attr a = {.whole = {c.factor, c.power}};
    return c.factor == 1 && c.power == 0 ? y : gm__node1(b, GM__OP_OVER_COUNT, y, &a);
}

gm_node *gm_mean(gm_builder *b, gm_node *x, int32_t axis, int32_t keep)
{
    gm_node *y = gm_sum(b, x, axis, keep);
    int i = y ? gm__axis(b, "mean", x, axis) : -1;
    return y ? over(b, y, x, i, i + 1) : NULL;
}

gm_node *gm_mean_all(gm_builder *b, gm_node *x)
{
    gm_node *y = gm_sum_all(b, x);
    return y ? over(b, y, x, 0, x->ndim) : NULL;
}

gm_node *gm_sum_last_wide(gm_builder *b, gm_node *x)
{
    if (x && x->type == GM_WIDE_NODE)
        return gm_sum(b, x, -1, 0);
    return along_last(b, GM__OP_SUM_WIDE, x, NULL);
}

gm_node *gm__sum_last(gm_builder *b, gm_node *x)
{
    return gm_sum(b, x, -1, 1);
}

static void arithmetic(gm_builder *b, gm_node *n)
{
    if (n->in[0]->type == GM_INDEX_NODE)
        gm__wrong(b, GM_E_ARG,
                  "%s: an INDEX node has no arithmetic; convert it by gm_narrow or gm_wide",
                  n->op->name);
}

static void shape_scalar(gm_builder *b, gm_node *n)
{
    arithmetic(b, n);
    n->type = n->in[0]->type;
}

/* Without axis i. */
static void drop_axis(gm_node *n, int i)
{
    const gm_node *x = n->in[0];
    n->type = x->type;
    n->ndim = x->ndim - 1;
    for (int k = 0; k < n->ndim; k++)
        n->shape[k] = x->shape[k + (k >= i)];
}

static void shape_sum(gm_builder *b, gm_node *n)
{
    arithmetic(b, n);
    drop_axis(n, (int)n->attr.whole[0]);
}

static int not_first_axis(const gm_node *n)
{
    return n->attr.whole[0] > 0;
}

static void shape_last(gm_builder *b, gm_node *n)
{
    arithmetic(b, n);
    drop_axis(n, n->in[0]->ndim - 1);
    if (gm__is(n, GM__OP_SUM_WIDE))
        n->type = GM_WIDE_NODE;
    if (gm__is(n, GM__OP_ARGMAX))
        n->type = GM_INDEX_NODE;
    if (!gm__is(n, GM__OP_SUM_WIDE) && n->in[0]->shape[n->in[0]->ndim - 1] == 0)
        gm__wrong(b, GM_E_SHAPE, "%s: the last axis of shape %s is empty", n->op->name,
                  gm__show(n->in[0]).text);
}

static void shape_rows(gm_builder *b, gm_node *n)
{
    arithmetic(b, n);
    gm__shape_of_first(b, n);
}

/* d (..., without axis i) spread along axis i of x. */
static gm_node *along(gm_builder *b, gm_node *d, gm_node *x, int i)
{
    int64_t shape[8];
    memcpy(shape, x->shape, sizeof shape);
    shape[i] = 1;
    if (gm__is(d, GM__OP_BROADCAST) && gm__one(d->in[0]))
        return gm__broadcast_like(b, d->in[0], x);
    return gm__broadcast_like(b, d ? gm_reshape(b, d, x->ndim, shape) : NULL, x);
}

static void d_sum_all(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm__broadcast_like(b, dy, y->in[0]);
}

static void d_sum(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = along(b, dy, y->in[0], (int)y->attr.whole[0]);
}

static void d_sum_wide(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = along(b, gm_narrow(b, dy), y->in[0], y->in[0]->ndim - 1);
}

/* ---- Along the last axis --------------------------------------------------------------------- */

gm_node *gm_max_last(gm_builder *b, gm_node *x)
{
    return along_last(b, GM__OP_MAX, x, NULL);
}

gm_node *gm_argmax_last(gm_builder *b, gm_node *x)
{
    return along_last(b, GM__OP_ARGMAX, x, NULL);
}

gm_node *gm_softmax(gm_builder *b, gm_node *x)
{
    return along_last(b, GM__OP_SOFTMAX, x, NULL);
}

gm_node *gm_log_softmax(gm_builder *b, gm_node *x)
{
    return along_last(b, GM__OP_LOG_SOFTMAX, x, NULL);
}

gm_node *gm_logsumexp(gm_builder *b, gm_node *x)
{
    return along_last(b, GM__OP_LOGSUMEXP, x, NULL);
}

gm_node *gm_cumsum(gm_builder *b, gm_node *x, int32_t reverse, int32_t exclusive)
{
    gm__attr a = {.whole = {reverse != 0, exclusive != 0}};
    return along_last(b, GM__OP_CUMSUM, x, &a);
}

static void d_max(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    gm_node *x = y->in[0];
    int last = x->ndim - 1;
    (void)dy2;
    gm_node *hot = gm_one_hot(b, gm_argmax_last(b, x), x->shape[last]);
    dx[0] = gm_mul(b, along(b, dy, x, last), x->type == GM_WIDE_NODE ? gm_wide(b, hot) : hot);
}

/* softmax: dx = y (dy - sum dy y) */
static void d_softmax(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_mul(b, y, gm_sub(b, dy, gm__sum_last(b, gm_mul(b, dy, y))));
}

static void d_log_softmax(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_sub(b, dy, gm_mul(b, gm_softmax(b, y->in[0]), gm__sum_last(b, dy)));
}

static void d_logsumexp(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    gm_node *x = y->in[0];
    (void)dy2;
    dx[0] = gm_mul(b, along(b, dy, x, x->ndim - 1), gm_softmax(b, x));
}

static void d_cumsum(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_cumsum(b, dy, !y->attr.whole[0], y->attr.whole[1] != 0);
}

const gm__op gm__ops_reduce[] = {
    {"sum_all", 1, 0, shape_scalar, NULL, NULL, gm__whole_sum_all, d_sum_all},
    {"sum", 1, 0, shape_sum, gm__strip_sum, not_first_axis, gm__whole_sum, d_sum},
    {"sum_last_wide", 1, 0, shape_last, gm__strip_sum_wide, NULL, NULL, d_sum_wide},
    {"max_last", 1, 0, shape_last, gm__strip_max, NULL, NULL, d_max},
    {"argmax_last", 1, GM__NO_GRADIENT, shape_last, gm__strip_argmax, NULL, NULL, NULL},
    {"softmax", 1, 0, shape_rows, gm__strip_softmax, NULL, NULL, d_softmax},
    {"log_softmax", 1, 0, shape_rows, gm__strip_softmax, NULL, NULL, d_log_softmax},
    {"logsumexp", 1, 0, shape_last, gm__strip_softmax, NULL, NULL, d_logsumexp},
    {"cumsum", 1, 0, shape_rows, gm__strip_cumsum, NULL, NULL, d_cumsum},
};
