/* Plans: fused and plain give the same bits, for any batch size, number of threads and instruction
 * set; memory that fails; what a plan leaves out and merges. */
#include "graph_tools.h"
#include "graph/plan.h"

#define CAPACITY 150
#define WIDTH 7

/* ---- Graphs that meet every pass ------------------------------------------------------------- */

typedef struct made {
    gm_node *out[32];
    const gm__slot *slot[32];
    int n;
} made;

static gm_node *linear(gm_builder *b, const char *name, gm_node *x, int64_t out)
{
    char text[64];
    int64_t w[2] = {gm_node_dim(x, -1), out};
    snprintf(text, sizeof text, "%s.weight", name);
    gm_node *y = gm_matmul(b, x, gm_param(b, text, 2, w, GM_INIT_NORMAL, 1), 0, 0);
    snprintf(text, sizeof text, "%s.bias", name);
    return gm_add(b, y, gm_param(b, text, 1, w + 1, GM_INIT_NORMAL, 1));
}

static void parameters(gm_builder *b, made *m, gm_node *loss)
{
    gm_node *params[24], *grads[24];
    int n = 0;
    const gm__slot *slot = NULL;
    for (gm_node *p; n < 24 && (p = gm__builder_param(b, n, &slot)); n++)
        params[n] = p;
    gm_gradient(b, loss, n, params, grads);
    for (int i = 0; i < n; i++) {
        gm__builder_param(b, i, &m->slot[m->n]);
        m->out[m->n++] = grads[i];
    }
}

/* A coupling flow of four layers: slices, concats, products with epilogues, log densities,
 * gradients. */
static void flow(gm_builder *b, gm_node *x, made *m, int spline)
{
    gm_node *log_det = NULL, *z = x;
    int64_t d = gm_node_dim(x, 1), h = d / 2;
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "net%d", i);
        gm_node *a = gm_slice(b, z, 1, 0, h), *t = gm_slice(b, z, 1, h, d - h), *slope;
        gm_node *u = gm_relu(b, linear(b, strcat(name, "a"), a, 20));
        u = i % 2 ? gm_silu(b, linear(b, strcat(name, "b"), u, 20))
                  : gm_tanh(b, linear(b, strcat(name, "b"), u, 20));
        if (spline) {
            gm_spline s = {sizeof s, 4, 3, 1e-3, 1e-3, i % 2};
            t = gm_rq_spline(b, &s, t, linear(b, strcat(name, "c"), u, (d - h) * 11), &slope);
        } else {
            u = linear(b, strcat(name, "c"), u, 2 * (d - h));
            slope = gm_tanh(b, gm_slice(b, u, 1, d - h, d - h));
            t = gm_mul(b, gm_sub(b, t, gm_slice(b, u, 1, 0, d - h)), gm_exp(b, gm_neg(b, slope)));
            slope = gm_neg(b, slope);
        }
        gm_node *sum = gm_sum_last_wide(b, slope), *both[2] = {t, a};
        log_det = log_det ? gm_add(b, log_det, sum) : sum;
        z = gm_concat(b, 2, both, 1);
    }
    gm_node *base = gm_scale(b, gm_sum_last_wide(b, gm_square(b, z)), -0.5);
    gm_node *log_prob = gm_add(b, base, log_det);
    gm_node *loss = gm_neg(b, gm_mean_all(b, log_prob));
    m->out[m->n++] = log_prob;
    m->out[m->n++] = loss;
    gm_gradient(b, log_prob, 1, &x, &m->out[m->n++]);
    parameters(b, m, loss);
}

static void realnvp(gm_builder *b, gm_node *x, made *m)
{
    flow(b, x, m, 0);
}

static void nsf(gm_builder *b, gm_node *x, made *m)
{
    flow(b, x, m, 1);
}

/* Layer norm, residuals, softmax, dropout-like draws, a weight used twice, an odd mix of shapes. */
static void mixed(gm_builder *b, gm_node *x, made *m)
{
    static const int32_t turn[] = {6, 5, 4, 3, 2, 1, 0};
    gm_node *h = linear(b, "in", gm_take(b, x, WIDTH, turn), 12);
    for (int i = 0; i < 2; i++) {
        gm_node *mean = gm_mean(b, h, -1, 1), *c = gm_sub(b, h, mean);
        gm_node *norm =
            gm_div(b, c, gm_sqrt(b, gm_shift(b, gm_mean(b, gm_square(b, c), -1, 1), 1e-5)));
        gm_node *keep = gm_greater(b, gm_uniform_like(b, norm), gm_const(b, 0.2));
        gm_node *r =
            linear(b, "same", gm_mul(b, gm_gelu(b, norm), keep), 12); /* shared by both rounds */
        h = gm_add(b, h, gm_leaky_relu(b, linear(b, i ? "p" : "q", r, 12), 0.1));
    }
    gm_node *parts[3];
    gm_node *heads = gm_reshape(b, h, 3, (int64_t[]){GM_BATCH, 3, 4});
    gm_node *att =
        gm_softmax(b, gm_scale(b, gm_matmul(b, heads, heads, 0, 1), 0.5)); /* (batch, 3, 3) */
    gm_node *mix = gm_reshape(b, gm_matmul(b, att, heads, 0, 0), 2, (int64_t[]){GM_BATCH, 12});
    parts[0] = gm_logsumexp(b, mix);
    parts[1] = gm_max_last(b, mix);
    parts[2] = gm_sum(b, gm_add(b, mix, gm_normal_like(b, mix)), -1, 0);
    gm_node *sum = gm_add(b, gm_add(b, parts[0], parts[1]), gm_scale(b, parts[2], 0.1));
    gm_node *pair = gm_matmul(b, mix, mix, 0, 1); /* (batch, batch): depends on the other rows */
    m->out[m->n++] = gm_wide(b, sum);
    m->out[m->n++] = gm_add(b, gm_mean_all(b, gm_wide(b, sum)),
                            gm_wide(b, gm_mean_all(b, gm_log_softmax(b, pair))));
    gm_gradient(b, m->out[0], 1, &x, &m->out[m->n++]);
    parameters(b, m, m->out[1]);
}

/* The norm of a gradient in x, trained: second order, as R1 and WGAN-GP want it. */
static void penalty(gm_builder *b, gm_node *x, made *m)
{
    gm_node *h = gm_softplus(b, linear(b, "a", x, 9)), *g;
    gm_node *y = gm_sum(b, linear(b, "c", gm_sigmoid(b, linear(b, "b", h, 9)), 1), -1, 0);
    gm_gradient(b, y, 1, &x, &g);
    m->out[m->n++] = gm_sum_last_wide(b, gm_square(b, g));
    m->out[m->n++] = gm_add(b, gm_mean_all(b, m->out[0]), gm_wide(b, gm_mean_all(b, y)));
    parameters(b, m, m->out[1]);
}

static void masked(gm_builder *b, gm_node *x, made *m)
{
    int32_t lo[30], hi[30];
    for (int j = 0; j < 30; j++) {
        lo[j] = 0;
        hi[j] = 1 + j * WIDTH / 30;
    }
    gm_node *w = gm_param(b, "w", 2, (int64_t[]){WIDTH, 30}, GM_INIT_NORMAL, 1), *g;
    gm_node *y = gm_tanh(b, gm_matmul_masked(b, x, w, lo, hi));
    m->out[m->n++] = gm_sum_last_wide(b, gm_square(b, y));
    m->out[m->n++] = gm_mean_all(b, m->out[0]);
    gm_gradient(b, m->out[1], 1, &x, &g);
    m->out[m->n++] = g;
    parameters(b, m, gm_add(b, m->out[1], gm_wide(b, gm_sum_all(b, gm_square(b, g)))));
}

/* Rows of rows: products over a flattened view, stacks of products, a spline whose parameters all
 * rows share. */
static void sequence(gm_builder *b, gm_node *x, made *m)
{
    gm_spline s = {sizeof s, 4, 3, 1e-3, 1e-3, 0};
    gm_node *shared = gm_param(b, "shared", 1, (int64_t[]){WIDTH * 11}, GM_INIT_NORMAL, 1), *slope;
    gm_node *p = gm_broadcast(b, shared, 2, (int64_t[]){GM_BATCH, WIDTH * 11});
    gm_node *y = gm_rq_spline(b, &s, x, p, &slope);
    gm_node *t = gm_reshape(b, y, 3, (int64_t[]){GM_BATCH, WIDTH, 1});
    t = gm_silu(b, linear(b, "embed", t, 32));
    gm_node *q = linear(b, "query", t, 32), *k = linear(b, "key", t, 32);
    gm_node *scores = gm_softmax(b, gm_matmul(b, q, k, 0, 1));
    t = gm_add(b, t, gm_relu(b, linear(b, "mix", gm_matmul(b, scores, t, 0, 0), 32)));
    gm_node *pooled = gm_max_last(b, gm_permute(b, t, (int32_t[]){0, 2, 1}));
    m->out[m->n++] = gm_add(b, gm_sum_last_wide(b, slope), gm_sum_last_wide(b, pooled));
    m->out[m->n++] = gm_mean_all(b, m->out[0]);
    gm_gradient(b, m->out[1], 1, &x, &m->out[m->n++]);
    parameters(b, m, m->out[1]);
}

typedef void build_fn(gm_builder *b, gm_node *x, made *m);
static build_fn *const graphs[] = {realnvp, nsf, mixed, penalty, masked, sequence};
#define GRAPHS 6

/* ---- Runs whose bits are compared ------------------------------------------------------------ */

typedef struct conditions {
    int fusion, threads;
    const char *kernels;
    gm__real real;
    int64_t batch, capacity, row0;
} conditions;

/* Everything a run writes, one after the other. */
typedef struct result {
    char *bytes;
    size_t size, rows_size; /* rows_size: the first output, one double a row */
} result;

static int64_t width_of(const gm_node *n, gm__real real)
{
    return n->type == GM_WIDE_NODE || real == GM__F64 ? 8 : 4;
}

static void *numbers(int64_t n, gm__real real, uint64_t seed, double scale)
{
    double *d = malloc((size_t)n * 8 + 8);
    float *f = malloc((size_t)n * 4 + 4);
    for (int64_t i = 0; i < n; i++) {
        f[i] = (float)test_uniform(&seed, -scale, scale);
        d[i] = f[i];
    }
    free(real == GM__F64 ? (void *)f : (void *)d);
    return real == GM__F64 ? (void *)d : (void *)f;
}

/* A context with so many threads and so on. */
static gm_context *context_for(const conditions *c)
{
    gm_pool *pool = c->threads > 1 ? gm_pool_create(NULL, c->threads) : NULL;
    gm_context_config config = {.struct_size = sizeof config, .pool = pool};
    gm_context *ctx = NULL;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    gm_pool_free(pool);
    test_ok(ctx, gm_context_set_int(ctx, "threads", c->threads));
    test_ok(ctx, gm_context_set_int(ctx, "fusion", c->fusion));
    test_ok(ctx, gm_context_set_text(ctx, "kernels", c->kernels ? c->kernels : "auto"));
    return ctx;
}

static result run_graph(build_fn *build, const conditions *c)
{
    gm_context *ctx = context_for(c);
    gm__layout layout;
    gm_builder *b = NULL;
    gm__purpose purpose = {0};
    gm__layout_init(&layout, &ctx->allocator);
    test_ok(ctx, gm__builder_create(ctx, &layout, &purpose, &b));
    made m = {.n = 0};
    build(b, gm_input(b, "x", GM_REAL_NODE, 2, (int64_t[]){GM_BATCH, WIDTH}), &m);
    test_ok(ctx, gm__builder_check(ctx, b));
    gm__output outputs[32];
    void *out[32] = {0};
    result r = {0};
    for (int i = 0; i < m.n; i++)
        outputs[i] = (gm__output){m.out[i], m.slot[i]};
    gm__plan *plan = NULL;
    test_ok(ctx, gm__plan_create(ctx, b, outputs, m.n, c->real, c->capacity, &plan));
    size_t grads = (size_t)layout.size * (c->real == GM__F64 ? 8 : 4), at = 0;
    for (int i = 0; i < m.n; i++)
        r.size +=
            m.slot[i] ? 0 : (size_t)(count_of(m.out[i], c->batch) * width_of(m.out[i], c->real));
    r.rows_size = (size_t)c->batch * 8;
    r.bytes = calloc(r.size + grads + 1, 1);
    for (int i = 0; i < m.n; i++) {
        out[i] = r.bytes + at;
        at += m.slot[i] ? 0 : (size_t)(count_of(m.out[i], c->batch) * width_of(m.out[i], c->real));
    }
    void *params = numbers(layout.size, c->real, 11, 0.5),
         *x = numbers(CAPACITY * 2 * WIDTH, c->real, 12, 2);
    const void *inputs[1] = {(char *)x + c->row0 * WIDTH * (c->real == GM__F64 ? 8 : 4)};
    gm__run run = {.batch = c->batch,
                   .seed = 9,
                   .step = 4,
                   .row0 = c->row0,
                   .params = params,
                   .grads = r.bytes + r.size,
                   .inputs = inputs,
                   .outputs = out};
    r.size += grads;
    test_ok(ctx, gm__plan_run(ctx, plan, &run));
    test_ok(ctx, gm__plan_run(ctx, plan, &run)); /* again: nothing may be left over */
    ck_assert(gm__plan_operations(plan, c->batch) > 0);
    ck_assert(gm__plan_memory(plan) > 0);
    gm__plan_free(plan);
    gm__builder_free(b);
    gm__layout_clear(&layout);
    gm_context_free(ctx);
    free(params);
    free(x);
    return r;
}

static void same(const result *a, const result *b, const char *what, int graph)
{
    ck_assert_uint_eq(a->size, b->size);
    for (size_t i = 0; i < a->size; i++)
        ck_assert_msg(a->bytes[i] == b->bytes[i], "graph %d, %s: byte %zu of %zu differs", graph,
                      what, i, a->size);
}

START_TEST(fused_is_plain)
{
    for (int real = 0; real < 2; real++)
        for (int64_t batch = 1; batch <= CAPACITY; batch = batch * 5 + 3) {
            conditions c = {1, 1, NULL, (gm__real)real, batch, CAPACITY, 0};
            result fused = run_graph(graphs[_i], &c);
            c.fusion = 0;
            result plain = run_graph(graphs[_i], &c);
            same(&plain, &fused, "fused against plain", _i);
            free(fused.bytes);
            free(plain.bytes);
        }
}
END_TEST

START_TEST(threads_change_nothing)
{
    conditions c = {1, 1, NULL, GM__F32, 149, CAPACITY, 0};
    result one = run_graph(graphs[_i], &c);
    for (c.threads = 2; c.threads <= 3; c.threads++)
        for (c.fusion = 0; c.fusion < 2; c.fusion++) {
            result more = run_graph(graphs[_i], &c);
            same(&one, &more, "threads", _i);
            free(more.bytes);
        }
    free(one.bytes);
}
END_TEST

START_TEST(kernels_change_nothing)
{
    for (int real = 0; real < 2; real++) {
        conditions c = {1, 1, "base", (gm__real)real, 33, 40, 0};
        result base = run_graph(graphs[_i], &c);
        for (int k = 1; gm__kernels_at(k); k++) {
            c.kernels = gm__kernels_at(k)->name;
            result more = run_graph(graphs[_i], &c);
            same(&base, &more, c.kernels, _i);
            free(more.bytes);
        }
        free(base.bytes);
    }
}
END_TEST

/* The first output is one number for each row: it does not depend on the batch that the row came
 * in. */
START_TEST(rows_stand_alone)
{
    conditions c = {1, 1, NULL, GM__F32, CAPACITY, CAPACITY, 0};
    result all = run_graph(graphs[_i], &c);
    static const int64_t sizes[] = {1, 7, 64};
    for (int k = 0; k < 3; k++)
        for (c.row0 = 0; c.row0 + sizes[k] <= CAPACITY; c.row0 += sizes[k] == 1 ? 31 : sizes[k]) {
            c.batch = sizes[k];
            c.capacity = k == 1 ? sizes[k] : CAPACITY;
            result some = run_graph(graphs[_i], &c);
            ck_assert_msg(memcmp(some.bytes, all.bytes + c.row0 * 8, some.rows_size) == 0,
                          "graph %d: rows %d and %d more depend on their batch", _i, (int)c.row0,
                          (int)c.batch);
            free(some.bytes);
        }
    free(all.bytes);
}
END_TEST

/* ---- Memory that fails ----------------------------------------------------------------------- */

static gm_status build_and_plan(const gm_allocator *allocator, void *arg)
{
    build_fn *const *build = arg;
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx = NULL;
    gm_builder *b = NULL;
    gm__plan *plan = NULL;
    gm_status status = gm_context_create(&config, &ctx);
    if (status)
        return status;
    gm__layout layout;
    made m = {.n = 0};
    gm__purpose purpose = {0};
    gm__layout_init(&layout, &ctx->allocator);
    status = gm__builder_create(ctx, &layout, &purpose, &b);
    if (!status) {
        (*build)(b, gm_input(b, "x", GM_REAL_NODE, 2, (int64_t[]){GM_BATCH, WIDTH}), &m);
        status = gm__builder_check(ctx, b);
    }
    gm__output outputs[32];
    for (int i = 0; i < m.n; i++)
        outputs[i] = (gm__output){m.out[i], m.slot[i]};
    if (!status)
        status = gm__plan_create(ctx, b, outputs, m.n, GM__F32, 16, &plan);
    ck_assert(!status == !!plan);
    gm__plan_free(plan);
    gm__builder_free(b);
    gm__layout_clear(&layout);
    gm_context_free(ctx);
    return status;
}

START_TEST(memory_fails)
{
    build_fn *build = graphs[_i];
    ck_assert_int_gt(test_every_failure(build_and_plan, &build, test_quick() ? 40 : 400), 10);
}
END_TEST

/* ---- What is left out and merged ------------------------------------------------------------- */

START_TEST(equal_nodes_are_one)
{
    rig r;
    rig_begin(&r);
    gm_builder *b = r.b;
    gm_node *x = shaped_input(b, "x", 2, GM_BATCH, 5, 0),
            *y = shaped_input(b, "y", 2, GM_BATCH, 5, 0);
    gm_node *p = gm_matmul(b, gm_exp(b, x), gm_add(b, x, y), 1, 0),
            *q = gm_matmul(b, gm_exp(b, x), gm_add(b, y, x), 1, 0);
    gm_matmul(b, x, y, 0, 1); /* dead */
    gm_node *out[2] = {p, q};
    gm__plan *plan = make_plan(r.ctx, b, out, 2, GM__F64, 10);
    int products = 0;
    for (int i = 0; i < plan->nsteps; i++)
        products += plan->steps[i].product != NULL;
    ck_assert_int_eq(products, 1);
    ck_assert(gm__plan_operations(plan, 4) >= 2 * 5 * 5 * 4);
    gm__plan_free(plan);
    rig_again(&r);
    gm_node *n1 = gm_normal(r.b, 1, (int64_t[]){3}), *n2 = gm_normal(r.b, 1, (int64_t[]){3});
    double a[3], c[3];
    evaluate(&r, n1, 1, NULL, 0, a);
    evaluate(&r, n2, 1, NULL, 0, c);
    ck_assert(a[0] != c[0] && a[1] != c[1]);
    double zero[3];
    evaluate(&r, gm_sub(r.b, n1, n2), 1, NULL, 0, zero);
    ck_assert(zero[0] == a[0] - c[0]);
    rig_end(&r);
}
END_TEST

/* Chains become one program, and a product takes in what follows it. */
START_TEST(steps_are_fused)
{
    rig r;
    rig_begin(&r);
    gm_builder *b = r.b;
    gm_node *x = shaped_input(b, "x", 2, GM_BATCH, 6, 0);
    gm_node *h = gm_relu(b, linear(b, "a", x, 8)), *y = linear(b, "b", h, 1);
    gm_node *s = gm_sum_last_wide(
        b, gm_square(b, gm_exp(b, gm_scale(b, gm_sub(b, x, gm_mean(b, x, -1, 1)), 0.5))));
    gm_node *out[2] = {y, s};
    gm__plan *plan = make_plan(r.ctx, b, out, 2, GM__F32, 10);
    ck_assert_int_eq(plan->nsteps, 3);
    gm__plan_free(plan);
    test_ok(r.ctx, gm_context_set_int(r.ctx, "fusion", 0));
    plan = make_plan(r.ctx, b, out, 2, GM__F32, 10);
    ck_assert_int_gt(plan->nsteps, 9);
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

/* Memory is used again once nothing reads it: a long chain of products needs two results at a time.
 */
START_TEST(memory_is_reused)
{
    rig r;
    rig_begin(&r);
    gm_node *x = shaped_input(r.b, "x", 2, GM_BATCH, 64, 0);
    for (int i = 0; i < 40; i++)
        x = gm_tanh(
            r.b,
            gm_matmul(r.b, x, gm_param(r.b, "w", 2, (int64_t[]){64, 64}, GM_INIT_NORMAL, 1), 0, 0));
    gm__plan *plan = make_plan(r.ctx, r.b, &x, 1, GM__F32, 256);
    ck_assert_uint_le(plan->memory_size, 2 * 256 * 64 * 4 + 4096);
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

START_TEST(outputs_of_every_kind)
{
    rig r;
    rig_begin(&r);
    gm_builder *b = r.b;
    gm_node *x = shaped_input(b, "x", 2, GM_BATCH, 2, 0), *c = gm_const(b, 3), *y = gm_exp(b, x);
    gm_node *flat = gm_reshape(b, y, 1, (int64_t[]){-2}),
            *w = gm_param(b, "w", 1, (int64_t[]){2}, GM_INIT_ZEROS, 1);
    gm_node *out[6] = {x, c, y, y, flat, w};
    double xs[6] = {0, 1, 2, 3, 4, 5}, o[6][6], params[16] = {7, 8};
    void *to[6];
    feed f = {"x", xs, NULL, 6, 0};
    for (int i = 0; i < 6; i++)
        to[i] = o[i];
    gm__plan *plan = make_plan(r.ctx, b, out, 6, GM__F64, 3);
    setting s = {.batch = 3, .real = GM__F64, .params = params};
    run_fed(r.ctx, plan, &s, &f, 1, to);
    for (int i = 0; i < 6; i++) {
        ck_assert(o[0][i] == xs[i]);
        ck_assert(o[2][i] == o[3][i] && o[2][i] == o[4][i] &&
                  fabs(o[2][i] / exp(xs[i]) - 1) < 1e-15);
    }
    ck_assert(o[1][0] == 3 && o[5][0] == 7 && o[5][1] == 8);
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

START_TEST(state_is_assigned)
{
    rig r;
    rig_begin(&r);
    gm_builder *b = r.b;
    gm_node *x = shaped_input(b, "x", 2, GM_BATCH, 2, 0);
    gm_node *w = gm_param(b, "w", 1, (int64_t[]){3}, GM_INIT_ZEROS, 1),
            *s = gm_state(b, "mean", 1, (int64_t[]){2}, GM_INIT_ZEROS);
    gm_assign(b, s, gm_add(b, gm_scale(b, s, 0.5), gm_scale(b, gm_mean(b, x, 0, 0), 0.5)));
    gm_node *y = gm_add(b, gm_sum_all(b, gm_sub(b, x, s)), gm_sum_all(b, w));
    float params[32] = {1, 2, 3}, out;
    double xs[4] = {2, 4, 6, 8};
    void *to[1] = {&out};
    params[16] = 1;
    feed f = {"x", xs, NULL, 4, 0};
    setting set = {.batch = 2, .real = GM__F32, .params = params};
    gm__plan *plan = make_plan(r.ctx, b, &y, 1, GM__F32, 2);
    run_fed(r.ctx, plan, &set, &f, 1, to);
    ck_assert(out == 20 - 2 + 6);
    ck_assert(params[16] == 2.5f && params[17] == 3);
    run_fed(r.ctx, plan, &set, &f, 1, to);
    ck_assert(out == 20 - 5 - 6 + 6);
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

START_TEST(limits)
{
    rig r;
    rig_begin(&r);
    gm_node *x = shaped_input(r.b, "x", 2, GM_BATCH, 2, 0), *y = gm_exp(r.b, x);
    gm__output out = {y, NULL};
    gm__plan *plan = NULL;
    test_fails(r.ctx, gm__plan_create(r.ctx, r.b, &out, 1, GM__F32, 0, &plan), GM_E_RANGE, "rows");
    test_fails(r.ctx, gm__plan_create(r.ctx, r.b, &out, 1, GM__F32, INT64_MAX / 2, &plan),
               GM_E_SHAPE, "too large");
    out.node = NULL;
    test_fails(r.ctx, gm__plan_create(r.ctx, r.b, &out, 1, GM__F32, 1, &plan), GM_E_ARG,
               "output 0");
    plan = make_plan(r.ctx, r.b, &y, 1, GM__F32, 4);
    gm__run run = {.batch = 5};
    test_fails(r.ctx, gm__plan_run(r.ctx, plan, &run), GM_E_RANGE, "5 rows in a plan for 1 to 4");
    ck_assert_int_eq(gm__plan_input(plan, "x"), 0);
    ck_assert_int_eq(gm__plan_input(plan, "y"), -1);
    gm__plan_free(plan);
    gm__plan_free(NULL);
    rig_end(&r);
}
END_TEST

START_TEST(cancelled)
{
    gm_cancel *token = gm_cancel_create(NULL);
    gm_context_config config = {.struct_size = sizeof config, .cancel = token};
    rig r;
    rig_begin(&r);
    gm_context *ctx = NULL;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    gm_node *x = shaped_input(r.b, "x", 2, GM_BATCH, 2, 0), *y = gm_exp(r.b, x);
    gm__plan *plan = make_plan(r.ctx, r.b, &y, 1, GM__F64, 1);
    double in[2] = {0, 1}, res[2];
    const void *inputs[1] = {in};
    void *outputs[1] = {res};
    gm__run run = {.batch = 1, .inputs = inputs, .outputs = outputs};
    test_ok(ctx, gm__plan_run(ctx, plan, &run));
    gm_cancel_trip(token);
    test_fails(ctx, gm__plan_run(ctx, plan, &run), GM_E_CANCELLED, NULL);
    gm__plan_free(plan);
    gm_context_free(ctx);
    gm_cancel_free(token);
    rig_end(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("plan");
    TCase *t = tcase_create("bits"), *p = tcase_create("passes");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, fused_is_plain, 0, GRAPHS);
    tcase_add_loop_test(t, threads_change_nothing, 0, GRAPHS);
    tcase_add_loop_test(t, kernels_change_nothing, 0, GRAPHS);
    tcase_add_loop_test(t, rows_stand_alone, 0, GRAPHS);
    tcase_add_loop_test(t, memory_fails, 0, GRAPHS);
    tcase_add_test(p, equal_nodes_are_one);
    tcase_add_test(p, steps_are_fused);
    tcase_add_test(p, memory_is_reused);
    tcase_add_test(p, outputs_of_every_kind);
    tcase_add_test(p, state_is_assigned);
    tcase_add_test(p, limits);
    tcase_add_test(p, cancelled);
    suite_add_tcase(s, t);
    suite_add_tcase(s, p);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
