/* Element-wise operations that are more than a map: choice, scaling, conversion, marks for the
 * gradient. */
#include "graph/node.h"

/* ---- Choice ---------------------------------------------------------------------------------- */

static gm_node *widen_if(gm_builder *b, gm_node *x, int wide)
{
    return wide && x && x->type == GM_REAL_NODE ? gm_wide(b, x) : x;
}

gm_node *gm_where(gm_builder *b, gm_node *mask, gm_node *x, gm_node *y)
{
    gm_node *in[3] = {mask, x, y};
    if (!b || !gm__good(b, "where", 3, in))
        return NULL;
    int wide = 0;
    for (int i = 0; i < 3; i++)
        wide |= in[i]->type == GM_WIDE_NODE;
    for (int i = 0; i < 3; i++)
        in[i] = widen_if(b, in[i], wide);
    return gm__node(b, GM__OP_WHERE, 3, in, NULL);
}

static void shape_where(gm_builder *b, gm_node *n)
{
    gm__shape_broadcast(b, n);
    for (int i = 0; i < 3; i++)
        if (n->in[i]->type == GM_INDEX_NODE)
            gm__wrong(b, GM_E_ARG,
                      "where: an INDEX node has no arithmetic; convert it by gm_narrow or gm_wide");
}

static void d_where(gm_builder *b, gm_node *z, gm_node *dz, gm_node *dz2, gm_node **dx)
{
    gm_node *zero = gm__const_like(b, 0, dz);
    (void)dz2;
    dx[1] = gm__unbroadcast(b, gm_where(b, z->in[0], dz, zero), z->in[1]);
    dx[2] = gm__unbroadcast(b, gm_where(b, z->in[0], zero, dz), z->in[2]);
}

/* ---- With numbers known when the graph is built ---------------------------------------------- */

static void shape_real(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    if (n->type == GM_INDEX_NODE)
        gm__wrong(b, GM_E_ARG,
                  "%s: an INDEX node has no arithmetic; convert it by gm_narrow or gm_wide",
                  n->op->name);
}

static void d_axpb(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_scale(b, dy, y->attr.real[0]);
}

gm_node *gm_leaky_relu(gm_builder *b, gm_node *x, double slope)
{
    gm__attr a = {.real = {slope}};
    return b ? gm__node1(b, GM__OP_LEAKY, x, &a) : NULL;
}

static void d_leaky(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_where(b, gm_step(b, y->in[0]), dy, gm_scale(b, dy, y->attr.real[0]));
}

gm_node *gm_polygamma(gm_builder *b, gm_node *x, int32_t order)
{
    if (!b || !gm__good(b, "polygamma", 1, &x))
        return NULL;
    if (order < 0 || order > 100)
        return gm__wrong(b, GM_E_RANGE, "polygamma: order %d, must be 0 to 100", order);
    if (order < 2)
        return gm__map1_node(b, order ? GM__TRIGAMMA : GM__DIGAMMA, x);
    gm__attr a = {.whole = {order}};
    return gm__node1(b, GM__OP_POLYGAMMA, x, &a);
}

static void d_polygamma(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_mul(b, dy, gm_polygamma(b, y->in[0], (int32_t)y->attr.whole[0] + 1));
}

/* Divided by a count that may hold the batch: whole[0] batch ^ whole[1]. */
static void d_over_count(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    if (gm__is(dy, GM__OP_BROADCAST) && gm__one(dy->in[0]))
        dx[0] = gm__broadcast_like(b, gm__node1(b, GM__OP_OVER_COUNT, dy->in[0], &y->attr), dy);
    else
        dx[0] = gm__node1(b, GM__OP_OVER_COUNT, dy, &y->attr);
}

/* ---- Types ----------------------------------------------------------------------------------- */

static gm_node *convert(gm_builder *b, int op, int type, gm_node *x)
{
    if (!b || !gm__good(b, gm__op_at(op)->name, 1, &x))
        return NULL;
    if (x->type == type)
        return x;
    if (gm__is(x, GM__OP_CONST) || (gm__is(x, GM__OP_ARRAY) && x->type != GM_INDEX_NODE)) {
        gm__attr a = x->attr;
        a.whole[9] = type;
        return gm__node(b, x->number, 0, NULL, &a);
    }
    if (op == GM__OP_NARROW && gm__is(x, GM__OP_WIDE) && x->in[0]->type == GM_REAL_NODE)
        return x->in[0];
    if (gm__is(x, GM__OP_BROADCAST) && gm__one(x->in[0]))
        return gm__broadcast_like(b, convert(b, op, type, x->in[0]), x);
    return gm__node1(b, op, x, NULL);
}

gm_node *gm_wide(gm_builder *b, gm_node *x)
{
    return convert(b, GM__OP_WIDE, GM_WIDE_NODE, x);
}

gm_node *gm_narrow(gm_builder *b, gm_node *x)
{
    return convert(b, GM__OP_NARROW, GM_REAL_NODE, x);
}

static void shape_wide(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    n->type = GM_WIDE_NODE;
}

static void shape_narrow(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    n->type = GM_REAL_NODE;
}

static void d_wide(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    if (y->in[0]->type != GM_INDEX_NODE)
        dx[0] = gm_narrow(b, dy);
}

static void d_narrow(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    if (y->in[0]->type != GM_INDEX_NODE)
        dx[0] = gm_wide(b, dy);
}

/* ---- Marks ----------------------------------------------------------------------------------- */

gm_node *gm__same(gm_builder *b, gm_node *x)
{
    return gm__node1(b, GM__OP_SAME, x, NULL);
}

gm_node *gm_stop_gradient(gm_builder *b, gm_node *x)
{
    return b ? gm__node1(b, GM__OP_STOP, x, NULL) : NULL;
}

static void d_same(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)b;
    (void)y;
    (void)dy2;
    dx[0] = dy;
}

const gm__op gm__ops_other[] = {
    {"where", 3, GM__BROADCASTS, shape_where, gm__strip_where, NULL, NULL, d_where},
    {"scale", 1, 0, shape_real, gm__strip_axpb, NULL, NULL, d_axpb},
    {"leaky_relu", 1, 0, shape_real, gm__strip_leaky, NULL, NULL, d_leaky},
    {"polygamma", 1, 0, shape_real, gm__strip_polygamma, NULL, NULL, d_polygamma},
    {"over_count", 1, 0, shape_real, gm__strip_over_count, NULL, NULL, d_over_count},
    {"wide", 1, 0, shape_wide, gm__strip_convert, NULL, NULL, d_wide},
    {"narrow", 1, 0, shape_narrow, gm__strip_convert, NULL, NULL, d_narrow},
    {"same", 1, GM__VIEWS, gm__shape_of_first, gm__strip_copy, NULL, NULL, d_same},
    {"stop_gradient", 1, GM__VIEWS | GM__NO_GRADIENT, gm__shape_of_first, gm__strip_copy, NULL,
     NULL, NULL},
};
