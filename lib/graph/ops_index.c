/* Operations with an INDEX operand: rows of a table, entries of a row. */
#include "graph/node.h"

#include <string.h>

static int is_index(gm_builder *b, const gm_node *n, int operand)
{
    if (n->in[operand]->type == GM_INDEX_NODE)
        return 1;
    gm__wrong(b, GM_E_ARG, "%s: operand %d must be an INDEX node", n->op->name, operand + 1);
    return 0;
}

/* A scalar with an axis of one. */
static gm_node *with_axis(gm_builder *b, gm_node *x)
{
    static const int64_t one[1] = {1};
    return x->ndim == 0 ? gm_reshape(b, x, 1, one) : x;
}

gm_node *gm_gather(gm_builder *b, gm_node *table, gm_node *index)
{
    gm_node *in[2] = {table, index};
    if (!b || !gm__good(b, "gather", 2, in))
        return NULL;
    gm_node *y = gm__node2(b, GM__OP_GATHER, table, with_axis(b, index), NULL);
    return y && index->ndim == 0 ? gm_reshape(b, y, 1, y->shape + 1) : y;
}

static void shape_gather(gm_builder *b, gm_node *n)
{
    const gm_node *t = n->in[0], *i = n->in[1];
    n->type = t->type;
    if (!is_index(b, n, 1))
        return;
    if (t->ndim != 2 || i->ndim > 7 || t->shape[0] < 0) {
        gm__wrong(b, GM_E_SHAPE, "gather: the table must be (n, d), not %s", gm__show(t).text);
        return;
    }
    n->ndim = i->ndim + 1;
    memcpy(n->shape, i->shape, sizeof n->shape);
    n->shape[i->ndim] = t->shape[1];
}

static void d_gather(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_scatter_add(b, dy, y->in[1], y->in[0]->shape[0]);
}

gm_node *gm_scatter_add(gm_builder *b, gm_node *rows, gm_node *index, int64_t n)
{
    gm__attr a = {.whole = {n}};
    return b ? gm__node2(b, GM__OP_SCATTER, rows, index, &a) : NULL;
}

static void shape_scatter(gm_builder *b, gm_node *n)
{
    const gm_node *x = n->in[0], *i = n->in[1];
    int64_t count = n->attr.whole[0];
    n->type = x->type;
    if (!is_index(b, n, 1))
        return;
    if (x->ndim != i->ndim + 1 ||
        memcmp(x->shape, i->shape, sizeof *x->shape * (size_t)i->ndim) != 0 || count < 0 ||
        count > INT32_MAX || x->type == GM_INDEX_NODE) {
        gm__wrong(b, GM_E_SHAPE, "scatter_add: shapes %s and %s do not fit: one index for each row",
                  gm__show(x).text, gm__show(i).text);
        return;
    }
    n->ndim = 2;
    n->shape[0] = count;
    n->shape[1] = x->shape[x->ndim - 1];
}

static void d_scatter(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_gather(b, dy, y->in[1]);
}

gm_node *gm_pick(gm_builder *b, gm_node *x, gm_node *index)
{
    gm_node *in[2] = {x, index};
    if (!b || !gm__good(b, "pick", 2, in))
        return NULL;
    if (x->ndim != 1 || index->ndim != 0)
        return gm__node2(b, GM__OP_PICK, x, index, NULL);
    int64_t row[2] = {1, x->shape[0]};
    gm_node *y = gm__node2(b, GM__OP_PICK, gm_reshape(b, x, 2, row), with_axis(b, index), NULL);
    return y ? gm_reshape(b, y, 0, row) : NULL;
}

static void shape_pick(gm_builder *b, gm_node *n)
{
    const gm_node *x = n->in[0], *i = n->in[1];
    n->type = x->type;
    if (!is_index(b, n, 1))
        return;
    if (x->ndim != i->ndim + 1 ||
        memcmp(x->shape, i->shape, sizeof *x->shape * (size_t)i->ndim) != 0) {
        gm__wrong(b, GM_E_SHAPE, "pick: shapes %s and %s do not fit: one index for each row",
                  gm__show(x).text, gm__show(i).text);
        return;
    }
    n->ndim = i->ndim;
    memcpy(n->shape, i->shape, sizeof n->shape);
}

static void d_pick(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    gm_node *x = y->in[0];
    int64_t shape[8];
    (void)dy2;
    memcpy(shape, x->shape, sizeof shape);
    shape[x->ndim - 1] = 1;
    gm_node *hot = gm_one_hot(b, y->in[1], x->shape[x->ndim - 1]);
    dx[0] = gm_mul(b, gm_reshape(b, dy, x->ndim, shape),
                   x->type == GM_WIDE_NODE ? gm_wide(b, hot) : hot);
}

gm_node *gm_one_hot(gm_builder *b, gm_node *index, int64_t n)
{
    gm__attr a = {.whole = {n}};
    if (!b || !gm__good(b, "one_hot", 1, &index))
        return NULL;
    gm_node *y = gm__node1(b, GM__OP_ONE_HOT, with_axis(b, index), &a);
    return y && index->ndim == 0 ? gm_reshape(b, y, 1, y->shape + 1) : y;
}

static void shape_one_hot(gm_builder *b, gm_node *n)
{
    const gm_node *i = n->in[0];
    n->type = GM_REAL_NODE;
    if (!is_index(b, n, 0))
        return;
    if (i->ndim > 7 || n->attr.whole[0] > INT32_MAX) {
        gm__wrong(b, GM_E_SHAPE, "one_hot: %lld entries for index %s", (long long)n->attr.whole[0],
                  gm__show(i).text);
        return;
    }
    n->ndim = i->ndim + 1;
    memcpy(n->shape, i->shape, sizeof n->shape);
    n->shape[i->ndim] = n->attr.whole[0];
}

gm_node *gm_index(gm_builder *b, gm_node *x)
{
    return b ? gm__node1(b, GM__OP_INDEX, x, NULL) : NULL;
}

static void shape_index(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    if (n->in[0]->type != GM_REAL_NODE)
        gm__wrong(b, GM_E_ARG, "index: the operand must be a REAL node");
    n->type = GM_INDEX_NODE;
}

const gm__op gm__ops_index[] = {
    {"gather", 2, GM__TABLE, shape_gather, gm__strip_gather, NULL, NULL, d_gather},
    {"scatter_add", 2, 0, shape_scatter, NULL, NULL, gm__whole_scatter, d_scatter},
    {"pick", 2, 0, shape_pick, gm__strip_pick, NULL, NULL, d_pick},
    {"one_hot", 1, GM__NO_GRADIENT, shape_one_hot, gm__strip_one_hot, NULL, NULL, NULL},
    {"index", 1, GM__NO_GRADIENT, shape_index, gm__strip_index, NULL, NULL, NULL},
};
