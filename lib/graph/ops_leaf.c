/* Leaves: what enters a graph without operands. */
#include "graph/node.h"
#include "base/random.h"

#include <string.h>

/* ---- Inputs ---------------------------------------------------------------------------------- */

static int name_is(const gm_node *n, const char *name)
{
    return n->attr.data && strcmp(n->attr.data, name) == 0;
}

static gm__attr shaped(int32_t type, int32_t ndim, const int64_t *shape)
{
    gm__attr a = {.whole = {[8] = ndim, [9] = type}};
    for (int i = 0; i < ndim && i < 8; i++)
        a.whole[i] = shape[i];
    return a;
}

gm_node *gm_input(gm_builder *b, const char *name, int32_t type, int32_t ndim, const int64_t *shape)
{
    if (!gm__good(b, "input", 0, NULL))
        return NULL;
    if (!name || type < GM_REAL_NODE || type > GM_INDEX_NODE || ndim < 0 || ndim > 8)
        return gm__wrong(b, GM_E_ARG, "input: needs a name, a type of node and 0 to 8 dimensions");
    gm__attr a = shaped(type, ndim, shape);
    a.data = name;
    a.data_size = strlen(name) + 1;
    for (int32_t i = 0; i < b->count; i++) {
        gm_node *n = b->nodes[i];
        if (!gm__is(n, GM__OP_INPUT) || !name_is(n, name))
            continue;
        if (memcmp(n->attr.whole, a.whole, sizeof a.whole) == 0)
            return n;
        return gm__wrong(b, GM_E_SHAPE,
                         "input: '%s' is there already, with shape %s or another type", name,
                         gm__show(n).text);
    }
    return gm__node(b, GM__OP_INPUT, 0, NULL, &a);
}

/* ---- Parameters ------------------------------------------------------------------------------ */

/* Slots never change once made, but for their mask, given right after. */
static gm__slot *add_slot(gm_builder *b, const char *name, int32_t ndim, const int64_t *shape)
{
    gm__layout *l = b->layout;
    gm__count c;
    if (gm__count_dims(shape, 0, ndim, &c) || c.power || c.factor > INT64_MAX / 64 - l->size)
        return (gm__slot *)gm__wrong(b, GM_E_SHAPE,
                                     "parameter '%s': its shape is too large or not fixed", name);
    if (l->limit && c.factor > l->limit - l->size)
        return (gm__slot *)gm__wrong(b, GM_E_FORMAT,
                                     "parameter '%s' has %lld elements, more than the file holds",
                                     name, (long long)c.factor);
    gm__slot *s = gm__layout_add(l, name);
    if (!s)
        return (gm__slot *)gm__graph_memory(b);
    s->ndim = ndim;
    for (int i = 0; i < ndim; i++)
        s->shape[i] = shape[i];
    s->offset = l->size;
    s->count = c.factor;
    l->size += (c.factor + 15) / 16 * 16;
    return s;
}

/* Room for the node of slot number s. */
static int param_room(gm_builder *b, int32_t s)
{
    if (s < b->param_capacity)
        return 1;
    int32_t more = s < INT32_MAX / 2 ? s + s / 2 + 32 : INT32_MAX;
    gm_node **p = gm__resize(&b->allocator, b->params, sizeof *p * (size_t)b->param_capacity,
                             sizeof *p * (size_t)more);
    if (!p) {
        gm__graph_memory(b);
        return 0;
    }
    memset(p + b->param_capacity, 0, sizeof *p * (size_t)(more - b->param_capacity));
    b->params = p;
    b->param_capacity = more;
    return 1;
}

static gm_node *param(gm_builder *b, const char *name, int32_t ndim, const int64_t *shape,
                      int32_t init, double scale, int trained)
{
    if (!gm__good(b, "param", 0, NULL))
        return NULL;
    if (!name || !b->layout || ndim < 0 || ndim > 8)
        return gm__wrong(b, GM_E_ARG, "param: needs a name, a layout and 0 to 8 dimensions");
    gm__slot *s = (gm__slot *)gm__layout_find(b->layout, name);
    if (!s && b->layout->closed)
        return gm__wrong(b, GM_E_UNKNOWN, "param: the model has no parameter '%s'", name);
    if (!s && (s = add_slot(b, name, ndim, shape))) {
        s->init = init;
        s->scale = scale;
        s->trained = trained;
    }
    if (!s)
        return NULL;
    if (s->ndim != ndim || (ndim && memcmp(s->shape, shape, sizeof *shape * (size_t)ndim) != 0))
        return gm__wrong(b, GM_E_SHAPE, "param: '%s' is there already, with another shape", name);
    int32_t number = (int32_t)(s - b->layout->slots);
    if (!param_room(b, number))
        return NULL;
    if (!b->params[number]) {
        gm__attr a = shaped(GM_REAL_NODE, ndim, shape);
        a.data = name;
        a.data_size = strlen(name) + 1;
        gm_node *n = gm__node(b, GM__OP_PARAM, 0, NULL, &a);
        if (n)
            n->attr.real[0] = (double)s->offset;
        b->params[number] = n;
    }
    return b->params[number];
}

gm_node *gm_param(gm_builder *b, const char *name, int32_t ndim, const int64_t *shape, int32_t init,
                  double scale)
{
    return param(b, name, ndim, shape, init, scale, 1);
}

gm_node *gm_state(gm_builder *b, const char *name, int32_t ndim, const int64_t *shape, int32_t init)
{
    return param(b, name, ndim, shape, init, 1, 0);
}

/* ---- Constants ------------------------------------------------------------------------------- */

gm_node *gm_const(gm_builder *b, double value)
{
    return b ? gm__const_like(b, value, NULL) : NULL;
}

static gm_node *array(gm_builder *b, int32_t type, int32_t ndim, const int64_t *shape,
                      const void *values, size_t size)
{
    gm__count c;
    if (!gm__good(b, "const_array", 0, NULL))
        return NULL;
    if (ndim < 0 || ndim > 8 || gm__count_dims(shape, 0, ndim, &c) || c.power ||
        c.factor > INT32_MAX || (!values && c.factor))
        return gm__wrong(b, GM_E_SHAPE,
                         "const_array: its shape is too large or not fixed, or it has no values");
    gm__attr a = shaped(type, ndim, shape);
    a.data = values;
    a.data_size = size * (size_t)c.factor;
    return gm__node(b, GM__OP_ARRAY, 0, NULL, &a);
}

gm_node *gm_const_array(gm_builder *b, int32_t ndim, const int64_t *shape, const double *values)
{
    return array(b, GM_REAL_NODE, ndim, shape, values, sizeof *values);
}

gm_node *gm_const_index(gm_builder *b, int32_t ndim, const int64_t *shape, const int32_t *values)
{
    return array(b, GM_INDEX_NODE, ndim, shape, values, sizeof *values);
}

/* ---- Draws ----------------------------------------------------------------------------------- */

/* Each block of batch rows draws from a stream of its own, so that -k rows of a row's views do not
 * depend on the batch it came in. */
static gm_node *draw(gm_builder *b, int op, int32_t ndim, const int64_t *shape)
{
    if (!gm__good(b, "draw", 0, NULL))
        return NULL;
    if (ndim < 0 || ndim > 8)
        return gm__wrong(b, GM_E_SHAPE, "%s: %d dimensions; a shape has 0 to 8",
                         gm__op_at(op)->name, ndim);
    int64_t streams = ndim && shape[0] < 0 ? -shape[0] : 1;
    if (streams > 65536 - GM__FOR_GRAPH - b->draws)
        return gm__wrong(b, GM_E_RANGE, "%s: more than 65472 random streams in one graph",
                         gm__op_at(op)->name);
    gm__attr a = shaped(GM_REAL_NODE, ndim, shape);
    a.real[0] = GM__FOR_GRAPH + b->draws;
    b->draws += (int32_t)streams;
    return gm__node(b, op, 0, NULL, &a);
}

gm_node *gm_normal(gm_builder *b, int32_t ndim, const int64_t *shape)
{
    return draw(b, GM__OP_NORMAL, ndim, shape);
}

gm_node *gm_uniform(gm_builder *b, int32_t ndim, const int64_t *shape)
{
    return draw(b, GM__OP_UNIFORM, ndim, shape);
}

gm_node *gm_normal_like(gm_builder *b, gm_node *x)
{
    return gm__good(b, "normal", 1, &x) ? gm_normal(b, x->ndim, x->shape) : NULL;
}

gm_node *gm_uniform_like(gm_builder *b, gm_node *x)
{
    return gm__good(b, "uniform", 1, &x) ? gm_uniform(b, x->ndim, x->shape) : NULL;
}

const gm__op gm__ops_leaf[] = {
    {"input", 0, GM__NO_GRADIENT, gm__shape_given, NULL, NULL, NULL, NULL},
    {"param", 0, GM__NO_GRADIENT, gm__shape_given, NULL, NULL, NULL, NULL},
    {"const", 0, GM__NO_GRADIENT, gm__shape_given, NULL, NULL, NULL, NULL},
    {"const_array", 0, GM__NO_GRADIENT, gm__shape_given, NULL, NULL, NULL, NULL},
    {"normal", 0, GM__NO_GRADIENT | GM__DRAWS, gm__shape_given, gm__strip_draw, NULL, NULL, NULL},
    {"uniform", 0, GM__NO_GRADIENT | GM__DRAWS, gm__shape_given, gm__strip_draw, NULL, NULL, NULL},
};
