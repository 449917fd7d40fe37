/* A model's graphs, compiled for this context and kept for the next call. */
#include "model/walk.h"

#define KEPT 16

typedef struct gm__kept {
    gm_model *model; /* counted, so that its address stays its own; NULL: an empty place */
    gm__task task;
    uint64_t used;
    gm__program program;
} gm__kept;

typedef struct gm__plans {
    uint64_t clock;
    gm__kept kept[KEPT];
} gm__plans;

static size_t params_bytes(const gm_model *m, gm__real real)
{
    return (size_t)m->structure->layout.size * (real == GM__F64 ? 8 : 4);
}

static void drop(gm_context *ctx, gm__kept *k)
{
    if (!k->model)
        return;
    gm__plan_free(k->program.plan);
    gm__walk_free(k->program.walk);
    if (k->program.params && k->program.params != k->model->params)
        gm__free(&ctx->allocator, k->program.params, params_bytes(k->model, k->program.real));
    gm_model_free(k->model);
    *k = (gm__kept){0};
}

static void free_plans(gm_context *ctx, void *plans)
{
    gm__plans *p = plans;
    for (int i = 0; p && i < KEPT; i++)
        drop(ctx, &p->kept[i]);
    gm__free(&ctx->allocator, p, p ? sizeof *p : 0);
}

/* The weights in the precision asked for. */
static gm_status convert_params(gm_context *ctx, const gm_model *m, gm__real real, void **params)
{
    int64_t n = m->structure->layout.size;
    *params = m->params;
    if (real == m->structure->real || n == 0)
        return GM_OK;
    GM_TRY(gm__alloc_large(ctx, params_bytes(m, real), params));
    if (real == GM__F64)
        ctx->kernels->maps->widen(*params, m->params, n);
    else
        ctx->kernels->maps->narrow(*params, m->params, n);
    return GM_OK;
}

static gm_status compile(gm_context *ctx, const gm_model *m, gm__task task, gm__program *p)
{
    gm_builder *b;
    gm__purpose how = {0};
    gm_node *nodes[2] = {NULL, NULL};
    GM_TRY(gm__structure_builder(ctx, m->structure, &how, &b));
    int count = gm__task_build(b, m->structure, task, nodes);
    gm__output outputs[2] = {{.node = nodes[0]}, {.node = nodes[1]}};
    gm_status code = gm__builder_check(ctx, b);
    if (!code)
        code = gm__plan_create(ctx, b, outputs, count, p->real, p->capacity, &p->plan);
    gm__builder_free(b);
    return code;
}

static gm_status make_program(gm_context *ctx, const gm_model *m, gm__task task, gm__program *p)
{
    GM_TRY(compile(ctx, m, task, p));
    gm_status code = convert_params(ctx, m, p->real, &p->params);
    if (code) {
        gm__plan_free(p->plan);
        return code;
    }
    p->x = gm__plan_input(p->plan, "x");
    p->z = gm__plan_input(p->plan, "z");
    p->condition = gm__plan_input(p->plan, "condition");
    p->temperature = gm__plan_input(p->plan, "temperature");
    p->row = gm__plan_input(p->plan, "row");
    p->step = gm__plan_input(p->plan, "sequence.step");
    return GM_OK;
}

/* Rows at a time: one, some, or as many as keep the caches warm. */
static int64_t capacity_for(int64_t rows)
{
    return rows <= 1 ? 1 : rows <= 32 ? 32 : 512;
}

gm_status gm__program_get(gm_context *ctx, const gm_model *model, gm__task task, gm__real real,
                          int64_t rows, gm__program **program)
{
    gm__plans *p = ctx->plans;
    if (!p) {
        p = gm__alloc(&ctx->allocator, sizeof *p);
        if (!p)
            return gm__no_memory(ctx);
        ctx->plans = p;
        ctx->plans_free = free_plans;
    }
    int64_t capacity = capacity_for(rows);
    gm__kept *oldest = &p->kept[0];
    for (int i = 0; i < KEPT; i++) {
        gm__kept *k = &p->kept[i];
        if (k->model == model && k->task == task && k->program.real == real &&
            k->program.capacity == capacity) {
            k->used = ++p->clock;
            *program = &k->program;
            return GM_OK;
        }
        if (k->used < oldest->used)
            oldest = k;
    }
    gm__program made = {.real = real, .capacity = capacity};
    GM_TRY(make_program(ctx, model, task, &made));
    drop(ctx, oldest);
    *oldest = (gm__kept){.model = gm_model_retain((gm_model *)(uintptr_t)model),
                         .task = task,
                         .used = ++p->clock,
                         .program = made};
    *program = &oldest->program;
    return GM_OK;
}

gm_status gm__program_walk(gm_context *ctx, const gm_model *model, gm__program *p, gm__walk **walk)
{
    gm_status code = GM_OK;
    const gm__structure *s = model->structure;
    const gm_sequence *q = s->family->sequence;
    int conditional = q && q->conditional && s->steps == s->columns;
    if (!p->walked && conditional)
        code = gm__walk_create_all(ctx, model->structure, p->real, &p->walk);
    p->walked |= !code;
    *walk = p->walk;
    return code;
}
