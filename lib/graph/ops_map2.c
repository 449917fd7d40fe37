/* Element-wise operations of two operands, which broadcast against each other: rows, gradients and
 * the small algebra that keeps constants out of the way. */
#include "graph/node.h"

static void shape_map2(gm_builder *b, gm_node *n)
{
    gm__shape_broadcast(b, n);
    if (n->in[0]->type == GM_INDEX_NODE || n->in[1]->type == GM_INDEX_NODE)
        gm__wrong(b, GM_E_ARG,
                  "%s: an INDEX node has no arithmetic; convert it by gm_narrow or gm_wide",
                  n->op->name);
}

/* A broadcast operand may be given as it was where the other one has the full shape. */
static gm_node *unwrap(gm_node *x, const gm_node *other)
{
    return gm__is(x, GM__OP_BROADCAST) && gm__same_shape(x, other) ? x->in[0] : x;
}

static int spread(const gm_node *x)
{
    return gm__is(x, GM__OP_BROADCAST) && gm__one(x->in[0]);
}

static gm_node *map2(gm_builder *b, int map, gm_node *x, gm_node *y)
{
    gm_node *in[2] = {x, y};
    if (!b || !gm__good(b, gm__op_at(GM__OP_MAP2 + map)->name, 2, in))
        return NULL;
    if (x->type == GM_WIDE_NODE && y->type == GM_REAL_NODE)
        y = gm_wide(b, y);
    else if (y->type == GM_WIDE_NODE && x->type == GM_REAL_NODE)
        x = gm_wide(b, x);
    if (!x || !y)
        return NULL;
    if (spread(x) && (spread(y) || gm__one(y)) &&
        (gm__one(y) ? y->ndim <= x->ndim : gm__same_shape(x, y)))
        return gm__broadcast_like(b, map2(b, map, x->in[0], spread(y) ? y->in[0] : y), x);
    gm_node *p = unwrap(x, y), *q = p == x ? unwrap(y, x) : y;
    return gm__node2(b, GM__OP_MAP2 + map, p, q, NULL);
}

/* A constant operand's value, where the result has the other's shape. */
static int constant(const gm_node *x, const gm_node *other, double *value)
{
    if (!gm__is(x, GM__OP_CONST) || !other || other->type == GM_INDEX_NODE)
        return 0;
    if (other->type == GM_REAL_NODE && x->type == GM_WIDE_NODE)
        return 0;
    *value = x->attr.real[0];
    return 1;
}

gm_node *gm_add(gm_builder *b, gm_node *x, gm_node *y)
{
    double c;
    if (constant(y, x, &c))
        return gm_shift(b, x, c);
    if (constant(x, y, &c))
        return gm_shift(b, y, c);
    return map2(b, GM__ADD, x, y);
}

static gm_node *axpb(gm_builder *b, gm_node *x, double scale, double shift)
{
    if (!b || !gm__good(b, "scale", 1, &x))
        return NULL;
    if (scale == 1 && shift == 0)
        return x;
    if (gm__is(x, GM__OP_CONST))
        return gm__const_like(b, x->attr.real[0] * scale + shift, x);
    if (spread(x))
        return gm__broadcast_like(b, axpb(b, x->in[0], scale, shift), x);
    gm__attr a = {.real = {scale, shift}};
    return gm__node1(b, GM__OP_AXPB, x, &a);
}

gm_node *gm_sub(gm_builder *b, gm_node *x, gm_node *y)
{
    double c;
    if (constant(y, x, &c))
        return gm_shift(b, x, -c);
    if (constant(x, y, &c))
        return axpb(b, y, -1, c);
    return map2(b, GM__SUB, x, y);
}

gm_node *gm_mul(gm_builder *b, gm_node *x, gm_node *y)
{
    double c;
    if (constant(y, x, &c))
        return gm_scale(b, x, c);
    if (constant(x, y, &c))
        return gm_scale(b, y, c);
    return map2(b, GM__MUL, x, y);
}

gm_node *gm_scale(gm_builder *b, gm_node *x, double factor)
{
    return axpb(b, x, factor, 0);
}

gm_node *gm_shift(gm_builder *b, gm_node *x, double term)
{
    return axpb(b, x, 1, term);
}

gm_node *gm_one_minus(gm_builder *b, gm_node *x)
{
    return axpb(b, x, -1, 1);
}

#define MAP(name, map)                                                                             \
    gm_node *gm_##name(gm_builder *b, gm_node *x, gm_node *y)                                      \
    {                                                                                              \
        return map2(b, map, x, y);                                                                 \
    }
MAP(div, GM__DIV)
MAP(min, GM__MIN)
MAP(max, GM__MAX)
MAP(greater, GM__GT)
MAP(greater_equal, GM__GE)
MAP(equal, GM__EQ)
MAP(gate, GM__GATE)
MAP(logaddexp, GM__LOGADDEXP)

/* ---- Gradients: of z = f(x, y) --------------------------------------------------------------- */

#define GRADIENT(name, of_x, of_y)                                                                 \
    static void d_##name(gm_builder *b, gm_node *z, gm_node *dz, gm_node *dz2, gm_node **dx)       \
    {                                                                                              \
        gm_node *x = z->in[0], *y = z->in[1];                                                      \
        (void)dz2;                                                                                 \
        dx[0] = gm__unbroadcast(b, of_x, x);                                                       \
        dx[1] = gm__unbroadcast(b, of_y, y);                                                       \
    }

/* d where x >= y (the first wins ties), else zero; and the reverse */
static gm_node *keep(gm_builder *b, gm_node *d, gm_node *x, gm_node *y, int first)
{
    gm_node *mask = gm_greater_equal(b, x, y), *zero = gm__const_like(b, 0, d);
    return first ? gm_where(b, mask, d, zero) : gm_where(b, mask, zero, d);
}

GRADIENT(add, dz, dz)
GRADIENT(sub, dz, gm_neg(b, dz))
GRADIENT(mul, gm_mul(b, dz, y), gm_mul(b, dz, x))
GRADIENT(div, gm_div(b, dz, y), gm_neg(b, gm_div(b, gm_mul(b, dz, z), y)))
GRADIENT(min, keep(b, dz, y, x, 1), keep(b, dz, y, x, 0))
GRADIENT(max, keep(b, dz, x, y, 1), keep(b, dz, x, y, 0))
GRADIENT(logaddexp, gm_mul(b, dz, gm_sigmoid(b, gm_sub(b, x, y))),
         gm_mul(b, dz, gm_sigmoid(b, gm_sub(b, y, x))))

static void d_gate(gm_builder *b, gm_node *z, gm_node *dz, gm_node *dz2, gm_node **dx)
{
    (void)dz2;
    dx[0] = gm__unbroadcast(b, gm_gate(b, dz, z->in[1]), z->in[0]);
}

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, 2, GM__BROADCASTS, shape_map2, gm__strip_map2, NULL, NULL, d_##name                 \
    }
#define FLAT(name)                                                                                 \
    {                                                                                              \
        name, 2, GM__BROADCASTS | GM__NO_GRADIENT, shape_map2, gm__strip_map2, NULL, NULL, NULL    \
    }
const gm__op gm__ops_map2[] = {
    [GM__ADD] = ROW(add),
    [GM__SUB] = ROW(sub),
    [GM__MUL] = ROW(mul),
    [GM__DIV] = ROW(div),
    [GM__MIN] = ROW(min),
    [GM__MAX] = ROW(max),
    [GM__GT] = FLAT("greater"),
    [GM__GE] = FLAT("greater_equal"),
    [GM__EQ] = FLAT("equal"),
    [GM__GATE] = ROW(gate),
    [GM__LOGADDEXP] = ROW(logaddexp),
};
