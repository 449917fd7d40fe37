/* What the tests of the graph layer share: a builder with its context, plans run by the names of
 * their inputs. */
#ifndef TEST_GRAPH_TOOLS_H
#define TEST_GRAPH_TOOLS_H

#include "support.h"
#include "graph/node.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct rig {
    gm_context *ctx;
    gm__layout layout;
    gm_builder *b;
} rig;

/* A named array given to a run: doubles, converted as the plan wants. */
typedef struct feed {
    const char *name;
    const double *values;
    const int32_t *index; /* in place of values, for INDEX inputs */
    int64_t count;
    int wide; /* double in either precision */
} feed;

static inline void rig_begin(rig *r)
{
    memset(r, 0, sizeof *r);
    r->ctx = test_context(NULL);
    gm__layout_init(&r->layout, &r->ctx->allocator);
    gm__purpose purpose = {.seed = 5};
    test_ok(r->ctx, gm__builder_create(r->ctx, &r->layout, &purpose, &r->b));
}

static inline void rig_end(rig *r)
{
    gm__builder_free(r->b);
    gm__layout_clear(&r->layout);
    gm_context_free(r->ctx);
}

/* A new builder on the same layout. */
static inline void rig_again(rig *r)
{
    gm__purpose purpose = {.seed = 5};
    gm__builder_free(r->b);
    test_ok(r->ctx, gm__builder_create(r->ctx, &r->layout, &purpose, &r->b));
}

static inline gm_node *shaped_input(gm_builder *b, const char *name, int ndim, int64_t d0,
                                    int64_t d1, int64_t d2)
{
    int64_t shape[3] = {d0, d1, d2};
    return gm_input(b, name, GM_REAL_NODE, ndim, shape);
}

static inline int64_t count_of(const gm_node *n, int64_t batch)
{
    int64_t c = 1;
    for (int i = 0; i < n->ndim; i++)
        c *= gm__dim_at(n->shape[i], batch);
    return c;
}

static inline void *feed_copy(const feed *f, gm__real real)
{
    size_t n = (size_t)f->count;
    if (f->index) {
        int32_t *p = malloc(n * sizeof *p + 1);
        memcpy(p, f->index, n * sizeof *p);
        return p;
    }
    if (real == GM__F64 || f->wide) {
        double *p = malloc(n * sizeof *p + 1);
        memcpy(p, f->values, n * sizeof *p);
        return p;
    }
    float *p = malloc(n * sizeof *p + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)f->values[i];
    return p;
}

/* What a run gives besides its feeds. */
typedef struct setting {
    int64_t batch, capacity, row0;
    uint64_t seed, step;
    gm__real real;
    void *params, *grads;
} setting;

/* Runs a plan on the feeds; outputs are the plan's own types. */
static inline void run_fed(gm_context *ctx, gm__plan *plan, const setting *s, const feed *feeds,
                           int nfeeds, void *const *out)
{
    void *copies[16] = {0};
    const void *inputs[16] = {0};
    ck_assert_int_le(nfeeds, 16);
    for (int i = 0; i < nfeeds; i++) {
        int at = gm__plan_input(plan, feeds[i].name);
        copies[i] = feed_copy(&feeds[i], s->real);
        if (at >= 0)
            inputs[at] = copies[i];
    }
    gm__run run = {.batch = s->batch,
                   .seed = s->seed,
                   .step = s->step,
                   .row0 = s->row0,
                   .params = s->params,
                   .grads = s->grads,
                   .inputs = inputs,
                   .outputs = out};
    test_ok(ctx, gm__plan_run(ctx, plan, &run));
    for (int i = 0; i < nfeeds; i++)
        free(copies[i]);
}

static inline gm__plan *make_plan(gm_context *ctx, gm_builder *b, gm_node *const *nodes, int count,
                                  gm__real real, int64_t capacity)
{
    gm__output outputs[32] = {{0}};
    gm__plan *plan = NULL;
    test_ok(ctx, gm__builder_check(ctx, b));
    for (int i = 0; i < count; i++)
        outputs[i].node = nodes[i];
    test_ok(ctx, gm__plan_create(ctx, b, outputs, count, real, capacity, &plan));
    return plan;
}

/* Builds a plan for one node in double precision, runs it, and copies out the result as doubles. */
static inline void evaluate(rig *r, gm_node *n, int64_t batch, const feed *feeds, int nfeeds,
                            double *result)
{
    int64_t count = 0;
    test_ok(r->ctx, gm__builder_check(r->ctx, r->b));
    count = count_of(n, batch);
    gm__plan *plan = make_plan(r->ctx, r->b, &n, 1, GM__F64, batch);
    setting s = {.batch = batch, .real = GM__F64, .seed = 3};
    int32_t *index = calloc((size_t)count + 1, sizeof *index);
    void *out[1] = {n->type == GM_INDEX_NODE ? (void *)index : (void *)result};
    run_fed(r->ctx, plan, &s, feeds, nfeeds, out);
    for (int64_t i = 0; n->type == GM_INDEX_NODE && i < count; i++)
        result[i] = index[i];
    free(index);
    gm__plan_free(plan);
}

static inline void fill_uniform(uint64_t *state, double *x, int64_t n, double low, double high)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = test_uniform(state, low, high);
}

#endif
