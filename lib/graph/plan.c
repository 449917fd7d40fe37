/* Making a plan: the passes in turn, constants, memory. */
#include "graph/plan.h"

#include <string.h>

#define ALIGN 64

/* ---- Values ---------------------------------------------------------------------------------- */

static void shape_value(gm__compiler *c, gm__value *v, const gm_node *n)
{
    v->type = n->type;
    v->ndim = n->ndim;
    memcpy(v->shape, n->shape, sizeof v->shape);
    v->real = n->type == GM_WIDE_NODE ? GM__F64 : n->type == GM_REAL_NODE ? c->plan->real : GM__F32;
    v->size = v->real == GM__F64 ? 8 : 4;
    gm__count_dims(n->shape, 0, n->ndim, &v->total); /* fits: the builder checked */
    gm__count_dims(n->shape, n->ndim ? 1 : 0, n->ndim, &v->per_row);
}

/* A view of leading rows starts whole[1] rows in; one symbol must tell where. */
static int shift_value(const gm__item *x, gm__value *v, const gm__value *in)
{
    int64_t start = x->node->attr.whole[1];
    gm__count more = in->per_row;
    if (gm__mul64(more.factor, start < 0 ? -start : start, &more.factor))
        return 0;
    more.power += start < 0;
    if (in->shift.factor && more.factor && in->shift.power != more.power)
        return 0;
    v->shift.factor = in->shift.factor + more.factor;
    v->shift.power = more.factor ? more.power : in->shift.power;
    return 1;
}

/* How often each item is an operand of a product of two matrices. */
static int32_t *count_products(const gm__compiler *c, gm__arena *arena)
{
    int32_t *times = gm__arena_array(arena, (int64_t)c->nitems + 1, sizeof *times);
    for (int32_t i = 0; times && i < c->nitems; i++)
        if (c->items[i].op == GM__OP_MATMUL && c->items[i].node->ndim == 2)
            for (int k = 0; k < 2; k++)
                times[c->items[i].in[k]]++;
    return times;
}

/* Columns of a matrix that only products read need no copy: products step from row to row. */
static void view_columns(gm__compiler *c, int32_t i, const int32_t *products)
{
    const gm__item *x = &c->items[i];
    const gm__value *in = &c->plan->values[x->in[0]];
    gm__value *v = &c->plan->values[i];
    int64_t start = x->node->attr.whole[1];
    if (!c->ctx->fusion || v->ndim != 2 || x->uses != products[i] || start < 0 || v->shape[1] < 0 ||
        in->shape[1] < 0 || in->pitch_of >= 0 || in->shift.power)
        return;
    v->root = in->root;
    v->pitch_of = x->in[0];
    v->shift = in->shift;
    v->shift.factor += start;
}

static void view(gm__compiler *c, int32_t i, const int32_t *products)
{
    const gm__item *x = &c->items[i];
    gm__value *v = &c->plan->values[i];
    v->pitch_of = -1;
    if (x->op == GM__OP_RESHAPE || x->op == GM__OP_SAME) {
        v->root = c->plan->values[x->in[0]].root;
        v->shift = c->plan->values[x->in[0]].shift;
    } else if (x->op == GM__OP_SLICE && x->node->attr.whole[0] == 0) {
        if (shift_value(x, v, &c->plan->values[x->in[0]]))
            v->root = c->plan->values[x->in[0]].root;
    } else if (x->op == GM__OP_SLICE) {
        view_columns(c, i, products);
    }
}

static int leaf(gm__compiler *c, int32_t i)
{
    gm__plan *p = c->plan;
    const gm_node *n = c->items[i].node;
    gm__value *v = &p->values[i];
    int64_t count;
    switch (c->items[i].op) {
    case GM__OP_INPUT:
        v->place = GM__IN_INPUT + p->ninputs;
        p->input_names[p->ninputs] = gm__arena_text(&p->arena, n->attr.data);
        return !p->input_names[p->ninputs++];
    case GM__OP_PARAM:
        v->place = GM__IN_PARAMS;
        v->at = (size_t)n->attr.real[0] * (size_t)v->size;
        return 0;
    case GM__OP_CONST:
    case GM__OP_ARRAY:
        v->place = GM__IN_CONST;
        v->at = p->constants_size;
        gm__count_at(v->total, 1, &count);
        p->constants_size += ((size_t)count * (size_t)v->size + ALIGN - 1) / ALIGN * ALIGN;
        return 0;
    default:
        return 0;
    }
}

int gm__plan_values(gm__compiler *c)
{
    gm__plan *p = c->plan;
    int64_t most = (int64_t)c->nitems + c->noutputs + c->nassigned;
    p->values = gm__arena_array(&p->arena, most + 1, sizeof *p->values);
    p->input_names = gm__arena_array(&p->arena, (int64_t)c->nitems + 1, sizeof *p->input_names);
    int32_t *products = count_products(c, &c->arena);
    if (!p->values || !p->input_names || !products)
        return 1;
    for (int32_t i = 0; i < c->nitems; i++) {
        shape_value(c, &p->values[i], c->items[i].node);
        p->values[i].root = i;
        p->values[i].place = GM__IN_STRIP;
        view(c, i, products);
        if (gm__stopped(c) || leaf(c, i))
            return 1;
    }
    p->nvalues = c->nitems;
    /* A caller's list of outputs may end with the last one that is not written by its slot. */
    for (int32_t i = 0; i < c->noutputs; i++)
        if (!c->outputs[i].slot)
            p->noutputs = i + 1;
    return 0;
}

static void fill_constants(gm__compiler *c)
{
    gm__plan *p = c->plan;
    for (int32_t i = 0; i < c->nitems; i++) {
        const gm_node *n = c->items[i].node;
        const gm__value *v = &p->values[i];
        int array = c->items[i].op == GM__OP_ARRAY;
        if (v->place != GM__IN_CONST || v->root != i || (array && !n->attr.data_size))
            continue;
        void *to = p->constants + v->at;
        const void *from = array ? n->attr.data : n->attr.real;
        size_t count = array ? n->attr.data_size / (v->type == GM_INDEX_NODE ? 4 : 8) : 1;
        if (v->type == GM_INDEX_NODE || v->size == 8)
            memcpy(to, from, count * (size_t)v->size);
        else
            p->kernels->maps->narrow(to, from, (int64_t)count);
    }
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t scratch_of(gm__plan *p)
{
    size_t most = ALIGN;
    for (int32_t s = 0; s < p->nsteps; s++) {
        size_t need = p->steps[s].program ? p->steps[s].program->scratch : 0;
        if (p->steps[s].product)
            need = gm__product_scratch(p, &p->steps[s]);
        else if (p->steps[s].run == gm__whole_columns)
            need = gm__columns_scratch(p, &p->steps[s]);
        most = need > most ? need : most;
    }
    return (most + ALIGN - 1) / ALIGN * ALIGN;
}

static int take_memory(gm__compiler *c)
{
    gm__plan *p = c->plan;
    size_t scratch;
    p->scratch_part = scratch_of(p);
    if (gm__mul_size(p->scratch_part, (size_t)p->parts, &scratch))
        return 1;
    c->code = gm__alloc_large(c->ctx, p->memory_size, &p->memory);
    if (!c->code)
        c->code = gm__alloc_large(c->ctx, p->constants_size, &p->constants);
    if (c->code)
        return 1;
    p->scratch = gm__alloc(&p->allocator, scratch);
    p->ptr = gm__arena_array(&p->arena, (int64_t)p->nvalues + 1, sizeof *p->ptr);
    p->base = gm__arena_array(&p->arena, GM__IN_INPUT + (int64_t)p->ninputs + p->noutputs,
                              sizeof *p->base);
    return !p->scratch || !p->ptr || !p->base;
}

void gm__plan_free(gm__plan *p)
{
    if (!p)
        return;
    gm_allocator a = p->allocator;
    gm__free(&a, p->memory, p->memory_size);
    gm__free(&a, p->constants, p->constants_size);
    gm__free(&a, p->scratch, p->scratch_part * (size_t)p->parts);
    gm__arena_clear(&p->arena);
    gm__free(&a, p, sizeof *p);
}

size_t gm__plan_memory(const gm__plan *p)
{
    return p->memory_size + p->constants_size + p->scratch_part * (size_t)p->parts;
}

/* ---- Compilation ----------------------------------------------------------------------------- */

static gm_status check(gm_context *ctx, gm_builder *b, const gm__output *outputs, int count,
                       int64_t capacity)
{
    GM_TRY(gm__builder_check(ctx, b));
    if (capacity < 1)
        return gm__fail(ctx, GM_E_RANGE, "graph: a plan for %lld rows; at least 1",
                        (long long)capacity);
    for (int i = 0; i < count; i++) {
        const gm_node *n = outputs[i].node;
        const gm__slot *s = outputs[i].slot;
        if (!n || n->builder != b)
            return gm__fail(ctx, GM_E_ARG, "graph: output %d is NULL or of another builder", i);
        int64_t size = 1;
        for (int k = 0; s && k < n->ndim; k++)
            size = n->shape[k] < 0 || gm__mul64(size, n->shape[k], &size) ? -1 : size;
        if (s && (n->type != GM_REAL_NODE || size != s->count))
            return gm__fail(ctx, GM_E_SHAPE,
                            "graph: output %d of shape %s does not fit parameter '%s'", i,
                            gm__show(n).text, s->name);
    }
    return GM_OK;
}

/* The passes; 1 when they stopped, with the error not yet told. */
static int compile(gm__compiler *c)
{
    return gm__simplify(c) || gm__plan_values(c);
}

static int finish(gm__compiler *c)
{
    return gm__fuse(c) || gm__place(c) || gm__lower(c);
}

/* Why a pass stopped. */
static gm_status stopped(const gm__compiler *c)
{
    return c->code ? c->code : gm__no_memory(c->ctx);
}

/* Every value must fit at capacity before anything is placed. */
static gm_status check_sizes(const gm__compiler *c)
{
    size_t size = 0;
    for (int32_t i = 0; i < c->nitems; i++) {
        int64_t n;
        if (gm__count_at(c->plan->values[i].total, c->plan->capacity, &n) ||
            gm__mul_size((size_t)n, 16, &size) || size > PTRDIFF_MAX / 8)
            return gm__fail(c->ctx, GM_E_SHAPE,
                            "graph: %s of shape %s is too large for a batch of %lld",
                            c->items[i].node->op->name, gm__show(c->items[i].node).text,
                            (long long)c->plan->capacity);
    }
    return GM_OK;
}

gm_status gm__plan_create(gm_context *ctx, gm_builder *b, const gm__output *outputs, int count,
                          gm__real real, int64_t capacity, gm__plan **out)
{
    *out = NULL;
    GM_TRY(check(ctx, b, outputs, count, capacity));
    gm__plan *p = gm__alloc(&ctx->allocator, sizeof *p);
    if (!p)
        return gm__no_memory(ctx);
    p->allocator = p->arena.allocator = ctx->allocator;
    p->real = real;
    p->capacity = capacity;
    p->kernels = ctx->kernels;
    p->cblas = ctx->cblas;
    p->parts = ctx->team.parts > 1 ? ctx->team.parts : 1;
    gm__compiler c = {.ctx = ctx, .b = b, .plan = p, .outputs = outputs, .noutputs = count};
    c.arena.allocator = ctx->allocator;
    gm_status status = compile(&c) ? stopped(&c) : check_sizes(&c);
    if (!status && (finish(&c) || gm__plan_resolve(p, capacity) || take_memory(&c)))
        status = stopped(&c);
    if (!status)
        fill_constants(&c);
    gm__arena_clear(&c.arena);
    if (status) {
        if (!p->scratch) /* sizes stand, memory may not */
            p->scratch_part = 0;
        gm__plan_free(p);
        return status;
    }
    *out = p;
    return GM_OK;
}

int gm__plan_input(const gm__plan *p, const char *name)
{
    for (int32_t i = 0; i < p->ninputs; i++)
        if (strcmp(p->input_names[i], name) == 0)
            return i;
    return -1;
}
