/* The operation that solves an autoregressive map column by column: the bits of the same map
 * written out in simple operations, and of one pass of the network at what it finds. */
#include "graph_tools.h"
#include "graph/columns.h"
#include "nn/masked.h"

#define MOST 12

typedef struct map_case {
    int columns, map, residual, act, layers;
    int64_t widths[3];
    unsigned char circle[MOST];
    int given;
} map_case;

static const map_case cases[] = {
    {5, GM__COLUMN_AFFINE, 0, GM_ACT_RELU, 2, {17, 9}, {0}, 0},
    {5, GM__COLUMN_AFFINE, 1, GM_ACT_TANH, 3, {13, 13, 13}, {0}, 0},
    {12, GM__COLUMN_SPLINE, 0, GM_ACT_LEAKY_RELU, 1, {7}, {0}, 0},
    {4, GM__COLUMN_SHIFT, 0, GM_ACT_GELU, 2, {31, 2}, {0}, 1},
    {6, GM__COLUMN_SPLINE, 1, GM_ACT_SILU, 2, {40, 40}, {0, 1, 1, 0, 0, 1}, 1},
    {3, GM__COLUMN_AFFINE, 0, GM_ACT_RELU, 1, {3}, {1, 1, 1}, 0},
    {1, GM__COLUMN_AFFINE, 0, GM_ACT_RELU, 1, {3}, {0}, 0},
    {1, GM__COLUMN_SPLINE, 0, GM_ACT_NONE, 1, {3}, {0}, 1},
};
#define CASES ((int)(sizeof cases / sizeof cases[0]))
#define BINS 4

/* Which variable each column that the network sees, and each of its outputs, belongs to. */
typedef struct shape_of {
    int32_t in[2 * MOST], out[MOST * 3 * BINS];
    int64_t seen, outputs;
    gm_masked_net net;
    gm__columns columns;
} shape_of;

static void describe(const map_case *m, shape_of *s)
{
    int64_t each = m->map == GM__COLUMN_SPLINE ? 3 * BINS - 1 : m->map == GM__COLUMN_AFFINE ? 2 : 1;
    memset(s, 0, sizeof *s);
    for (int32_t j = 0; j < m->columns; j++) {
        for (int k = 0; k < 1 + m->circle[j]; k++)
            s->in[s->seen++] = j;
        for (int64_t k = 0; k < (m->circle[j] ? 3 * BINS : each); k++)
            s->out[s->outputs++] = j;
    }
    s->net = (gm_masked_net){.struct_size = sizeof s->net,
                             .act = m->act,
                             .layers = m->layers,
                             .residual = m->residual,
                             .variables = m->columns,
                             .widths = m->widths,
                             .in = s->in,
                             .out = s->out,
                             .outputs = s->outputs};
    s->columns = (gm__columns){.count = m->columns,
                               .map = m->map,
                               .bins = BINS,
                               .most = 1.5,
                               .bound = 3,
                               .min_bin = 1e-2,
                               .min_slope = 1e-2,
                               .circle = m->circle};
}

/* Fills all parameters of the layout but what a mask leaves out. */
static void fill_params(rig *r, double *params, float *narrow)
{
    uint64_t state = 8;
    for (int32_t i = 0; i < r->layout.count; i++) {
        const gm__slot *s = &r->layout.slots[i];
        for (int64_t k = 0; k < s->count; k++) {
            int64_t n = s->ndim == 2 ? s->shape[1] : s->count;
            int out = s->lo && (k / n < s->lo[k % n] || k / n >= s->hi[k % n]);
            params[s->offset + k] = out ? 0 : (float)test_uniform(&state, -0.7, 0.7);
        }
    }
    for (int64_t k = 0; k < r->layout.size; k++)
        narrow[k] = (float)params[k];
}

/* One output of a plan, of `values` each `size` bytes. */
static void run_one(rig *r, gm_node *n, gm__real real, int64_t batch, const double *z,
                    const double *c, int64_t width, void *params, void *to)
{
    gm__plan *plan;
    gm__output out = {.node = n};
    feed feeds[2] = {{"z", z, NULL, batch * width, 0}, {"condition", c, NULL, batch * 2, 0}};
    setting s = {.batch = batch, .real = real, .params = params};
    test_ok(r->ctx, gm__builder_check(r->ctx, r->b));
    test_ok(r->ctx, gm__plan_create(r->ctx, r->b, &out, 1, real, batch, &plan));
    run_fed(r->ctx, plan, &s, feeds, 2, &to);
    gm__plan_free(plan);
}

#define BATCH 150

static void begin(rig *r, const map_case *m, const char *kernels, int threads)
{
    int64_t shape[2] = {GM_BATCH, 2};
    rig_begin(r);
    test_ok(r->ctx, gm_context_set_text(r->ctx, "kernels", kernels));
    test_ok(r->ctx, gm_context_set_int(r->ctx, "threads", threads));
    if (m->given)
        gm__builder_set_condition(r->b, gm_input(r->b, "condition", GM_REAL_NODE, 2, shape));
}

static void solve_by(const map_case *m, gm__real real, const char *kernels, int threads, int plain,
                     void *to)
{
    static double z[BATCH * MOST], c[BATCH * 2], params[20000];
    static float narrow[20000];
    uint64_t state = 4;
    rig r;
    shape_of s;
    describe(m, &s);
    begin(&r, m, kernels, threads);
    fill_uniform(&state, z, BATCH * m->columns, -4, 4);
    fill_uniform(&state, c, BATCH * 2, -2, 2);
    gm_node *in = shaped_input(r.b, "z", 2, GM_BATCH, m->columns, 0);
    gm_nn_masked(r.b, "net", shaped_input(r.b, "seen", 2, GM_BATCH, s.seen, 0), &s.net);
    gm_node *x = gm__masked_solve(r.b, "net", &s.net, &s.columns, s.seen, in);
    test_ok(r.ctx, gm__builder_check(r.ctx, r.b));
    if (plain)
        x = gm__columns_plain(r.b, &x->attr, x->nin, x->in);
    ck_assert_int_le(r.layout.size, 20000);
    fill_params(&r, params, narrow);
    run_one(&r, x, real, BATCH, z, c, m->columns, real == GM__F64 ? (void *)params : narrow, to);
    rig_end(&r);
}

START_TEST(bits_of_the_plain_form)
{
    static double plain[BATCH * MOST], found[BATCH * MOST];
    for (int real = 0; real < 2; real++) {
        const map_case *m = &cases[_i];
        size_t size = (size_t)(BATCH * m->columns) * (real == GM__F64 ? 8 : 4);
        solve_by(m, (gm__real)real, "auto", 1, 1, plain);
        for (int k = 0; gm__kernels_at(k); k++) {
            memset(found, 0, sizeof found);
            solve_by(m, (gm__real)real, gm__kernels_at(k)->name, 1 + k, 0, found);
            ck_assert_msg(memcmp(plain, found, size) == 0, "case %d, kernels %s: other bits", _i,
                          gm__kernels_at(k)->name);
        }
    }
}
END_TEST

/* Units against their stated order: pieces of GM__K_CUT steps, each a chain of its own. */
START_TEST(units_in_their_order)
{
    enum { K = 2100, N = 13, L = 48 };
    static float h[K * L], w[K * N], y[N * L];
    static double hd[K * L], wd[K * N], yd[N * L];
    uint64_t state = 2;
    for (int i = 0; i < K * L; i++)
        hd[i] = h[i] = (float)test_uniform(&state, -1, 1);
    for (int i = 0; i < K * N; i++)
        wd[i] = w[i] = (float)test_uniform(&state, -1, 1);
    for (int t = 0; gm__kernels_at(t); t++) {
        const gm__units *u = gm__kernels_at(t)->units;
        u->run[GM__F32](y, h, w, L, N, K, N);
        u->run[GM__F64](yd, hd, wd, L, N, K, N);
        for (int i = 0; i < N; i++)
            for (int l = 0; l < L; l += 7) {
                float sum = 0, piece = 0;
                double sumd = 0, pieced = 0;
                for (int k = 0; k < K; k++) {
                    piece = fmaf(w[k * N + i], h[k * L + l], k % GM__K_CUT ? piece : 0);
                    pieced = fma(wd[k * N + i], hd[k * L + l], k % GM__K_CUT ? pieced : 0);
                    if (k + 1 == K || (k + 1) % GM__K_CUT == 0) {
                        sum = k < GM__K_CUT ? piece : sum + piece;
                        sumd = k < GM__K_CUT ? pieced : sumd + pieced;
                    }
                }
                ck_assert_msg(y[i * L + l] == sum && yd[i * L + l] == sumd,
                              "kernels %s, unit %d, lane %d", gm__kernels_at(t)->name, i, l);
            }
        u->run[GM__F32](y, h, w, 16, N, 0, N);
        for (int i = 0; i < N * 16; i++)
            ck_assert_double_eq(y[i], 0);
    }
}
END_TEST

/* Outputs of variable v do not change with columns of v and after, whatever the network. */
START_TEST(masks)
{
    static double x[MOST * 2], c[2] = {0.3, -1}, params[20000], first[MOST * 12], moved[MOST * 12];
    static float narrow[20000];
    const map_case *m = &cases[_i];
    shape_of s;
    rig r;
    uint64_t state = 6;
    describe(m, &s);
    begin(&r, m, "auto", 1);
    gm_node *y = gm_nn_masked(r.b, "net", shaped_input(r.b, "z", 2, GM_BATCH, s.seen, 0), &s.net);
    fill_params(&r, params, narrow);
    fill_uniform(&state, x, s.seen, -1, 1);
    run_one(&r, y, GM__F64, 1, x, c, s.seen, params, first);
    for (int64_t j = 0; j < s.seen; j++) {
        int any = 0;
        x[j] += 1;
        run_one(&r, y, GM__F64, 1, x, c, s.seen, params, moved);
        for (int64_t k = 0; k < s.outputs; k++) {
            any |= moved[k] != first[k];
            ck_assert_msg(s.out[k] > s.in[j] || moved[k] == first[k],
                          "output %d of variable %d moves with variable %d", (int)k, s.out[k],
                          s.in[j]);
        }
        ck_assert_msg(any || s.in[j] == m->columns - 1 || _i != 1,
                      "column %d is not seen", (int)j);
        x[j] -= 1;
    }
    rig_end(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("columns");
    TCase *t = tcase_create("columns");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, bits_of_the_plain_form, 0, CASES);
    tcase_add_test(t, units_in_their_order);
    tcase_add_loop_test(t, masks, 0, CASES);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
