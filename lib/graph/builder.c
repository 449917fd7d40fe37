/* The builder: nodes in single-assignment form, and one sticky failure. */
#include "graph/node.h"
#include "base/random.h"
#include "base/text.h"

#include <string.h>

gm_status gm__builder_create(gm_context *ctx, gm__layout *layout, const gm__purpose *purpose,
                             gm_builder **out)
{
    *out = NULL;
    gm_builder *b = gm__alloc(&ctx->allocator, sizeof *b);
    if (!b)
        return gm__no_memory(ctx);
    b->allocator = b->arena.allocator = ctx->allocator;
    b->layout = layout;
    b->cancel = ctx->cancel;
    if (purpose)
        b->purpose = *purpose;
    *out = b;
    return GM_OK;
}

void gm__builder_free(gm_builder *b)
{
    if (!b)
        return;
    gm_allocator a = b->allocator;
    gm__free(&a, b->nodes, sizeof *b->nodes * (size_t)b->capacity);
    gm__free(&a, b->params, sizeof *b->params * (size_t)b->param_capacity);
    gm__free(&a, b->assigned, 2 * sizeof *b->assigned * (size_t)b->assigned_capacity);
    gm__arena_clear(&b->arena);
    gm__free(&a, b, sizeof *b);
}

gm_status gm__builder_check(gm_context *ctx, const gm_builder *b)
{
    return b->code ? gm__fail(ctx, b->code, "%s", b->text) : GM_OK;
}

gm__purpose *gm__builder_purpose(gm_builder *b)
{
    return &b->purpose;
}

void gm__builder_set_condition(gm_builder *b, gm_node *condition)
{
    b->condition = condition;
}

void gm__builder_set_stream(gm_builder *b, int32_t n)
{
    b->draws = n;
}

void *gm__builder_scratch(gm_builder *b, int64_t count, size_t size)
{
    if (!b || b->code)
        return NULL;
    void *block = gm__arena_array(&b->arena, count > 0 ? count : 1, size);
    return block ? block : gm__graph_memory(b);
}

/* ---- Failure --------------------------------------------------------------------------------- */

gm_node *gm__wrong(gm_builder *b, gm_status code, const char *format, ...)
{
    if (b->code)
        return NULL;
    b->code = code;
    gm__format(b->text, sizeof b->text, "graph: ");
    va_list args;
    va_start(args, format);
    gm__vformat(b->text + 7, sizeof b->text - 7, format, args);
    va_end(args);
    return NULL;
}

gm_node *gm__graph_memory(gm_builder *b)
{
    return gm__wrong(b, GM_E_MEMORY, "out of memory");
}

void gm_builder_fail(gm_builder *b, gm_status code, const char *text)
{
    if (!b || b->code)
        return;
    b->code = code ? code : GM_E_ARG;
    gm__format(b->text, sizeof b->text, "%s", text ? text : "");
}

int32_t gm_builder_failed(const gm_builder *b)
{
    return !b || b->code != 0;
}

gm__shape_text gm__show(const gm_node *x)
{
    gm__shape_text t;
    int64_t at = gm__format(t.text, sizeof t.text, "(");
    for (int i = 0; i < x->ndim && at < (int64_t)sizeof t.text; i++) {
        char *to = t.text + at;
        int64_t room = (int64_t)sizeof t.text - at, d = x->shape[i];
        const char *comma = i ? ", " : "";
        if (d >= 0)
            at += gm__format(to, room, "%s%lld", comma, (long long)d);
        else if (d == GM_BATCH)
            at += gm__format(to, room, "%sbatch", comma);
        else
            at += gm__format(to, room, "%s%lld batch", comma, (long long)-d);
    }
    if (at < (int64_t)sizeof t.text)
        gm__format(t.text + at, (int64_t)sizeof t.text - at, ")");
    return t;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

int gm__good(gm_builder *b, const char *what, int n, gm_node *const *x)
{
    if (!b || b->code)
        return 0;
    for (int i = 0; i < n; i++) {
        if (!x[i])
            gm__wrong(b, GM_E_ARG, "%s: operand %d is NULL", what, i + 1);
        else if (x[i]->builder != b)
            gm__wrong(b, GM_E_ARG, "%s: operand %d belongs to another builder", what, i + 1);
    }
    return !b->code;
}

/* Room for one more in an array of the builder. */
static int grow(gm_builder *b, void *array, int32_t count, int32_t *capacity, size_t size)
{
    void **p = array;
    if (count < *capacity)
        return 1;
    int32_t more = *capacity ? *capacity * 2 : 64;
    void *q = count < INT32_MAX / 4
                  ? gm__resize(&b->allocator, *p, size * (size_t)*capacity, size * (size_t)more)
                  : NULL;
    if (!q) {
        gm__graph_memory(b);
        return 0;
    }
    memset((char *)q + size * (size_t)*capacity, 0, size * (size_t)(more - *capacity));
    *p = q;
    *capacity = more;
    return 1;
}

static int copy_attr(gm_builder *b, gm_node *n, const gm__attr *attr)
{
    if (!attr)
        return 1;
    n->attr = *attr;
    n->attr.data = NULL;
    if (!attr->data || !attr->data_size)
        return 1;
    void *copy = gm__arena_alloc(&b->arena, attr->data_size);
    if (copy)
        n->attr.data = memcpy(copy, attr->data, attr->data_size);
    return copy != NULL;
}

/* Counts of elements must fit with room for bytes. */
static int fits(const gm_node *n)
{
    gm__count c;
    return !gm__count_dims(n->shape, 0, n->ndim, &c) && c.factor <= INT64_MAX / 64;
}

gm_node *gm__node(gm_builder *b, int op, int nin, gm_node *const *in, const gm__attr *attr)
{
    const gm__op *row = gm__op_at(op);
    if (b && gm_cancel_tripped(b->cancel))
        gm_builder_fail(b, GM_E_CANCELLED, "cancelled");
    if (!gm__good(b, row->name, nin, in) ||
        !grow(b, &b->nodes, b->count, &b->capacity, sizeof *b->nodes))
        return NULL;
    gm_node *n = gm__arena_alloc(&b->arena, sizeof *n + sizeof *n->in * (size_t)nin);
    if (!n || !copy_attr(b, n, attr))
        return gm__graph_memory(b);
    n->builder = b;
    n->op = row;
    n->number = op;
    n->nin = nin;
    n->in = (gm_node **)(n + 1);
    for (int i = 0; i < nin; i++)
        n->in[i] = in[i];
    row->shape(b, n);
    if (!b->code && !fits(n))
        gm__wrong(b, GM_E_SHAPE, "%s: the shape %s is too large", row->name, gm__show(n).text);
    if (b->code)
        return NULL;
    n->id = b->count;
    b->nodes[b->count++] = n;
    return n;
}

gm_node *gm__node1(gm_builder *b, int op, gm_node *x, const gm__attr *attr)
{
    return gm__node(b, op, 1, &x, attr);
}

gm_node *gm__node2(gm_builder *b, int op, gm_node *x, gm_node *y, const gm__attr *attr)
{
    gm_node *in[2] = {x, y};
    return gm__node(b, op, 2, in, attr);
}

int32_t gm_node_ndim(const gm_node *x)
{
    return x ? x->ndim : 0;
}

int64_t gm_node_dim(const gm_node *x, int32_t axis)
{
    if (!x)
        return 0;
    int32_t i = axis < 0 ? axis + x->ndim : axis;
    return i >= 0 && i < x->ndim ? x->shape[i] : 0;
}

int32_t gm_node_type(const gm_node *x)
{
    return x ? x->type : 0;
}

/* ---- Parameters in use and assignments ------------------------------------------------------- */

gm_node *gm__builder_param(gm_builder *b, int i, const gm__slot **slot)
{
    int on = b->walked_slot > 0 && i > b->walked; /* callers walk: go on from the last one */
    int32_t before = on ? b->walked + 1 : 0;
    for (int32_t s = on ? b->walked_slot : 0; s < b->param_capacity && s < b->layout->count; s++)
        if (b->params[s] && before++ == i) {
            b->walked = i;
            b->walked_slot = s + 1;
            if (slot)
                *slot = &b->layout->slots[s];
            return b->params[s];
        }
    return NULL;
}

void gm_assign(gm_builder *b, gm_node *param, gm_node *value)
{
    gm_node *both[2] = {param, value};
    if (!gm__good(b, "assign", 2, both))
        return;
    if (!gm__is(param, GM__OP_PARAM))
        gm__wrong(b, GM_E_ARG, "assign: the first node must be a parameter or state, not %s",
                  param->op->name);
    else if (!gm__same_shape(param, value) || value->type != GM_REAL_NODE)
        gm__wrong(b, GM_E_SHAPE,
                  "assign: '%s' has shape %s, the value %s; both must be REAL and agree",
                  (const char *)param->attr.data, gm__show(param).text, gm__show(value).text);
    else if (b->assigned_count < b->assigned_capacity ||
             grow(b, &b->assigned, b->assigned_count, &b->assigned_capacity,
                  2 * sizeof *b->assigned)) {
        b->assigned[2 * b->assigned_count] = param;
        b->assigned[2 * b->assigned_count++ + 1] = value;
    }
}

int gm__builder_assignment(gm_builder *b, int i, gm_node **param, gm_node **value)
{
    if (i < 0 || i >= b->assigned_count)
        return 0;
    *param = b->assigned[2 * i];
    *value = b->assigned[2 * i + 1];
    return 1;
}

/* ---- What a family's functions may ask ------------------------------------------------------- */

/* The options, if there are any and they hold the name; a name that a family's table lacks is a
 * mistake of the family. */
static const gm__values *options_with(gm_builder *b, const char *name)
{
    if (!b || !b->purpose.values)
        return NULL;
    if (name && gm__value_known(b->purpose.values, name))
        return b->purpose.values;
    gm__wrong(b, GM_E_UNKNOWN, "graph: the family's table has no option '%.60s'",
              name ? name : "NULL");
    return NULL;
}

int64_t gm_opt_int(gm_builder *b, const char *name)
{
    const gm__values *v = options_with(b, name);
    return v ? gm__value_int(v, name) : 0;
}

double gm_opt_real(gm_builder *b, const char *name)
{
    const gm__values *v = options_with(b, name);
    return v ? gm__value_real(v, name) : 0;
}

int32_t gm_opt_choice(gm_builder *b, const char *name)
{
    return (int32_t)gm_opt_int(b, name);
}

int32_t gm_opt_ints(gm_builder *b, const char *name, const int64_t **values)
{
    const gm__values *v = options_with(b, name);
    *values = NULL;
    return v ? (int32_t)gm__value_ints(v, name, values) : 0;
}

int32_t gm_builder_training(const gm_builder *b)
{
    return b && b->purpose.training;
}

int32_t gm_builder_starting(const gm_builder *b)
{
    return b && b->purpose.starting;
}

int32_t gm_builder_phase(const gm_builder *b)
{
    return b ? b->purpose.phase : 0;
}

int64_t gm_builder_width(const gm_builder *b)
{
    return b ? b->purpose.width : 0;
}

int32_t gm_builder_x_column(const gm_builder *b, int64_t j, gm_x_column *column)
{
    const gm_x_column real = {.struct_size = sizeof real, .kind = GM_X_REAL, .width = 1};
    if (!b || j < 0 || j >= b->purpose.width || !column ||
        column->struct_size < sizeof column->struct_size)
        return 0;
    gm_x_column found = b->purpose.columns ? b->purpose.columns[j] : real;
    size_t size = column->struct_size < sizeof found ? column->struct_size : sizeof found;
    found.struct_size = column->struct_size;
    memcpy(column, &found, size);
    return found.kind;
}

gm_node *gm_condition(gm_builder *b)
{
    return b && !b->code ? b->condition : NULL;
}

int64_t gm_builder_random(gm_builder *b, int32_t number, int64_t i, int64_t below)
{
    if (!b || below <= 0)
        return 0;
    return gm__random_below(b->purpose.seed, GM__FOR_LAYER, (uint64_t)(uint32_t)number, i, below);
}
