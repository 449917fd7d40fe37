/* Initialisers by their statistics, layers against direct formulas. */
#include "graph_tools.h"
#include "nn/nn.h"

/* ---- Initialisers ---------------------------------------------------------------------------- */

#define IN 120
#define OUT 90

/* The starting values of one parameter (in, out) in double. */
static void start_values(int32_t init, double scale, int64_t in, int64_t out, uint64_t seed,
                         double *values)
{
    rig r;
    rig_begin(&r);
    gm_param(r.b, "other", 1, (const int64_t[]){5}, GM_INIT_NORMAL, 1);
    gm_param(r.b, "w", 2, (const int64_t[]){in, out}, init, scale);
    test_ok(r.ctx, gm__builder_check(r.ctx, r.b));
    const gm__slot *slot = gm__layout_find(&r.layout, "w");
    double *params = malloc((size_t)r.layout.size * sizeof *params);
    float *narrow = malloc((size_t)r.layout.size * sizeof *narrow);
    test_ok(r.ctx, gm__params_init(r.ctx, &r.layout, GM__F64, seed, params));
    test_ok(r.ctx, gm__params_init(r.ctx, &r.layout, GM__F32, seed, narrow));
    for (int64_t i = 0; i < r.layout.size; i++)
        must_msg(narrow[i] == (float)params[i], "single and double precision start apart");
    memcpy(values, params + slot->offset, (size_t)(in * out) * sizeof *values);
    free(params);
    free(narrow);
    rig_end(&r);
}

typedef struct moments {
    double mean, deviation, low, high;
} moments;

static moments moments_of(const double *v, int64_t n)
{
    moments m = {0, 0, INFINITY, -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        m.mean += v[i] / (double)n;
        m.deviation += v[i] * v[i] / (double)n;
        m.low = fmin(m.low, v[i]);
        m.high = fmax(m.high, v[i]);
    }
    m.deviation = sqrt(m.deviation - m.mean * m.mean);
    return m;
}

static const struct {
    int32_t init;
    double scale, deviation, most; /* most: |v| below it */
} draws[] = {
    {GM_INIT_NORMAL, 0.5, 0.5, 0.5 * 6},
    {GM_INIT_UNIFORM, 2, 2 / 1.7320508, 2},
    {GM_INIT_KAIMING, 1, 0.0912871, 0.1581139}, /* 1/sqrt(120), sqrt(3/120) */
    {GM_INIT_KAIMING, 1.4142136, 0.1290994, 0.2236068},
    {GM_INIT_XAVIER, 1, 0.0975900, 0.1690309}, /* sqrt(2/210), sqrt(6/210) */
};

START_TEST(random_starts)
{
    static double v[IN * OUT], again[IN * OUT];
    double n = IN * OUT;
    start_values(draws[_i].init, draws[_i].scale, IN, OUT, 4, v);
    moments m = moments_of(v, IN * OUT);
    ck_assert_msg(fabs(m.mean) < 5 * draws[_i].deviation / sqrt(n), "mean %g", m.mean);
    ck_assert_msg(fabs(m.deviation / draws[_i].deviation - 1) < 5 / sqrt(2 * n),
                  "deviation %g, not %g", m.deviation, draws[_i].deviation);
    ck_assert_msg(m.low >= -draws[_i].most && m.high <= draws[_i].most &&
                      m.high > 0.9 * (draws[_i].init == GM_INIT_NORMAL ? 0.5 : draws[_i].most),
                  "from %g to %g", m.low, m.high);
    start_values(draws[_i].init, draws[_i].scale, IN, OUT, 4, again);
    ck_assert_mem_eq(v, again, sizeof v);
    start_values(draws[_i].init, draws[_i].scale, IN, OUT, 5, again);
    double together = 0;
    for (int i = 0; i < IN * OUT; i++)
        together += v[i] * again[i] / n;
    ck_assert_msg(fabs(together) < 5 * draws[_i].deviation * draws[_i].deviation / sqrt(n),
                  "seeds are correlated: %g", together);
}
END_TEST

START_TEST(plain_starts)
{
    double v[12];
    start_values(GM_INIT_ZEROS, 3, 3, 4, 4, v);
    for (int i = 0; i < 12; i++)
        ck_assert(v[i] == 0);
    start_values(GM_INIT_ONES, 3, 3, 4, 4, v);
    for (int i = 0; i < 12; i++)
        ck_assert(v[i] == 3);
    start_values(GM_INIT_EYE, 2, 3, 4, 4, v);
    for (int i = 0; i < 12; i++)
        ck_assert(v[i] == (i / 4 == i % 4 ? 2 : 0));
}
END_TEST

/* Rows, or columns where there are more rows, are orthonormal times the scale. */
START_TEST(orthogonal_start)
{
    static const int64_t shapes[][2] = {{40, 40}, {20, 70}, {70, 20}, {1, 9}, {9, 1}};
    static double v[1600];
    int64_t in = shapes[_i][0], out = shapes[_i][1], n = in < out ? in : out;
    start_values(GM_INIT_ORTHOGONAL, 3, in, out, 8, v);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t k = 0; k < (in < out ? out : in); k++)
                sum += in < out ? v[i * out + k] * v[j * out + k] : v[k * out + i] * v[k * out + j];
            must_msg(fabs(sum - (i == j ? 9 : 0)) < 1e-12, "vectors %d and %d: %g", (int)i, (int)j,
                     sum);
        }
}
END_TEST

/* ---- Layers ---------------------------------------------------------------------------------- */

#define BATCH 7
#define WIDTH 5

/* The parameters of a rig with values drawn, so that gains and biases show. */
static double *drawn_params(rig *r)
{
    uint64_t state = 3;
    double *params = calloc((size_t)r->layout.size + 1, sizeof *params);
    for (int i = 0; i < r->layout.count; i++)
        fill_uniform(&state, params + r->layout.slots[i].offset, r->layout.slots[i].count, -1, 1);
    return params;
}

static const double *param(const rig *r, const double *params, const char *name)
{
    const gm__slot *slot = gm__layout_find(&r->layout, name);
    ck_assert_msg(slot != NULL, "no parameter %s", name);
    return params + slot->offset;
}

static void run_layer(rig *r, gm_node *y, const double *x, double *params, double *out)
{
    feed f = {.name = "x", .values = x, .count = BATCH * WIDTH};
    setting s = {.batch = BATCH, .real = GM__F64, .params = params, .seed = 3, .step = 5};
    gm__plan *plan = make_plan(r->ctx, r->b, &y, 1, GM__F64, BATCH);
    void *to = out;
    run_fed(r->ctx, plan, &s, &f, 1, &to);
    gm__plan_free(plan);
}

static gm_node *rows(rig *r)
{
    return shaped_input(r->b, "x", 2, GM_BATCH, WIDTH, 0);
}

START_TEST(layer_norm)
{
    rig r;
    uint64_t state = 6;
    double x[BATCH * WIDTH], y[BATCH * WIDTH];
    fill_uniform(&state, x, BATCH * WIDTH, -3, 5);
    rig_begin(&r);
    gm_node *node = gm_nn_layer_norm(r.b, "norm", rows(&r));
    double *params = drawn_params(&r);
    const double *gain = param(&r, params, "norm.gain"), *bias = param(&r, params, "norm.bias");
    run_layer(&r, node, x, params, y);
    for (int i = 0; i < BATCH; i++) {
        moments m = moments_of(x + i * WIDTH, WIDTH);
        for (int j = 0; j < WIDTH; j++) {
            double z = (x[i * WIDTH + j] - m.mean) / sqrt(m.deviation * m.deviation + 1e-5);
            ck_assert_msg(test_close(y[i * WIDTH + j], z * gain[j] + bias[j], 1e-11, 1e-11),
                          "row %d", i);
        }
    }
    free(params);
    rig_end(&r);
}
END_TEST

/* In training the batch's own statistics, and running ones that follow; else the running ones. */
START_TEST(batch_norm)
{
    rig r;
    uint64_t state = 6;
    double x[BATCH * WIDTH], y[BATCH * WIDTH], mean[WIDTH], variance[WIDTH];
    fill_uniform(&state, x, BATCH * WIDTH, -3, 5);
    for (int training = 1; training >= 0; training--) {
        rig_begin(&r);
        gm__builder_purpose(r.b)->training = training;
        gm_node *node = gm_nn_batch_norm(r.b, "norm", rows(&r), 0.25);
        double *params = drawn_params(&r);
        double *running[2] = {(double *)(uintptr_t)param(&r, params, "norm.mean"),
                              (double *)(uintptr_t)param(&r, params, "norm.variance")};
        const double *gain = param(&r, params, "norm.gain"), *bias = param(&r, params, "norm.bias");
        for (int j = 0; j < WIDTH; j++) {
            running[1][j] = 0.5 + j;
            mean[j] = running[0][j];
            variance[j] = running[1][j];
        }
        run_layer(&r, node, x, params, y);
        for (int j = 0; j < WIDTH; j++) {
            double m = 0, v = 0;
            for (int i = 0; i < BATCH; i++)
                m += x[i * WIDTH + j] / BATCH;
            for (int i = 0; i < BATCH; i++)
                v += (x[i * WIDTH + j] - m) * (x[i * WIDTH + j] - m) / BATCH;
            double now[2] = {training ? 0.75 * mean[j] + 0.25 * m : mean[j],
                             training ? 0.75 * variance[j] + 0.25 * v : variance[j]};
            ck_assert(test_close(running[0][j], now[0], 1e-12, 1e-12));
            ck_assert(test_close(running[1][j], now[1], 1e-12, 1e-12));
            if (!training) {
                m = mean[j];
                v = variance[j];
            }
            for (int i = 0; i < BATCH; i++)
                ck_assert_msg(
                    test_close(y[i * WIDTH + j],
                               (x[i * WIDTH + j] - m) / sqrt(v + 1e-5) * gain[j] + bias[j], 1e-11,
                               1e-11),
                    "training %d, column %d", training, j);
        }
        const gm__slot *slot = gm__layout_find(&r.layout, "norm.mean");
        ck_assert_int_eq(slot->trained, 0);
        free(params);
        rig_end(&r);
    }
}
END_TEST

static double silu(double x)
{
    return x / (1 + exp(-x));
}

/* y (BATCH, out) = x (BATCH, in) w + bias. */
static void affine(const double *x, int64_t in, const double *w, const double *bias, int64_t out,
                   double *y)
{
    for (int i = 0; i < BATCH; i++)
        for (int64_t j = 0; j < out; j++) {
            y[i * out + j] = bias[j];
            for (int64_t k = 0; k < in; k++)
                y[i * out + j] += x[i * in + k] * w[k * out + j];
        }
}

START_TEST(networks)
{
    rig r;
    uint64_t state = 6;
    double x[BATCH * WIDTH], h[BATCH * 8], y[BATCH * 8], expected[BATCH * 8];
    fill_uniform(&state, x, BATCH * WIDTH, -2, 2);
    rig_begin(&r);
    gm_node *node = gm_nn_mlp(r.b, "net", rows(&r), 2, (const int64_t[]){8, 3}, GM_ACT_SILU);
    double *params = drawn_params(&r);
    run_layer(&r, node, x, params, y);
    affine(x, WIDTH, param(&r, params, "net.0.weight"), param(&r, params, "net.0.bias"), 8, h);
    for (int i = 0; i < BATCH * 8; i++)
        h[i] = silu(h[i]);
    affine(h, 8, param(&r, params, "net.1.weight"), param(&r, params, "net.1.bias"), 3, expected);
    for (int i = 0; i < BATCH * 3; i++)
        ck_assert(test_close(y[i], silu(expected[i]), 1e-12, 1e-12));
    free(params);
    rig_end(&r);

    rig_begin(&r);
    node = gm_nn_residual(r.b, "block", rows(&r), GM_ACT_SILU);
    params = drawn_params(&r);
    run_layer(&r, node, x, params, y);
    for (int i = 0; i < BATCH * WIDTH; i++)
        h[i] = silu(x[i]);
    affine(h, WIDTH, param(&r, params, "block.0.weight"), param(&r, params, "block.0.bias"), WIDTH,
           expected);
    for (int i = 0; i < BATCH * WIDTH; i++)
        h[i] = silu(expected[i]);
    affine(h, WIDTH, param(&r, params, "block.1.weight"), param(&r, params, "block.1.bias"), WIDTH,
           expected);
    for (int i = 0; i < BATCH * WIDTH; i++)
        ck_assert(test_close(y[i], x[i] + expected[i], 1e-12, 1e-12));
    test_ok(r.ctx, gm__params_init(r.ctx, &r.layout, GM__F64, 1, params));
    run_layer(&r, node, x, params, y); /* starts as the identity */
    ck_assert_mem_eq(y, x, sizeof x);
    free(params);
    rig_end(&r);
}
END_TEST

/* What is outside the staircase starts at zero, does not act, and has no gradient. */
START_TEST(masked_linear)
{
    static const int32_t lo[4] = {0, 0, 2, 5}, hi[4] = {1, 3, 5, 5};
    rig r;
    uint64_t state = 6;
    double x[BATCH * WIDTH], y[BATCH * 4], expected[BATCH * 4], zeroed[WIDTH * 4];
    double grad[WIDTH * 4];
    fill_uniform(&state, x, BATCH * WIDTH, -2, 2);
    rig_begin(&r);
    gm_node *node = gm_nn_masked_linear(r.b, "m", rows(&r), 4, lo, hi), *weight, *slope;
    double *params = drawn_params(&r);
    const double *w = param(&r, params, "m.weight");
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < 4; j++)
            zeroed[i * 4 + j] = i >= lo[j] && i < hi[j] ? w[i * 4 + j] : 0;
    memcpy((double *)(uintptr_t)w, zeroed, sizeof zeroed);
    run_layer(&r, node, x, params, y);
    affine(x, WIDTH, zeroed, param(&r, params, "m.bias"), 4, expected);
    for (int i = 0; i < BATCH * 4; i++)
        ck_assert(test_close(y[i], expected[i], 1e-12, 1e-12));
    weight = gm_param(r.b, "m.weight", 2, (const int64_t[]){WIDTH, 4}, GM_INIT_KAIMING, 1);
    gm_gradient(r.b, gm_sum_all(r.b, gm_square(r.b, node)), 1, &weight, &slope);
    run_layer(&r, slope, x, params, grad);
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < 4; j++) {
            double sum = 0;
            for (int k = 0; k < BATCH; k++)
                sum += 2 * y[k * 4 + j] * x[k * WIDTH + i];
            int inside = i >= lo[j] && i < hi[j];
            ck_assert_msg(test_close(grad[i * 4 + j], inside ? sum : 0, 1e-11, 1e-11),
                          "gradient at %d, %d: %g", i, j, grad[i * 4 + j]);
        }
    test_ok(r.ctx, gm__params_init(r.ctx, &r.layout, GM__F64, 1, params));
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < 4; j++)
            ck_assert_int_eq(w[i * 4 + j] != 0, i >= lo[j] && i < hi[j]);
    free(params);
    rig_end(&r);
}
END_TEST

/* Kept values are scaled by 1 / (1 - rate), and about that share is kept; outside training nothing
 * happens. */
START_TEST(dropout)
{
    enum { MANY = 4000 };
    static double x[MANY * WIDTH], y[MANY * WIDTH];
    rig r;
    for (int i = 0; i < MANY * WIDTH; i++)
        x[i] = i + 1;
    for (int training = 0; training < 2; training++) {
        rig_begin(&r);
        gm__builder_purpose(r.b)->training = training;
        gm_node *in = rows(&r), *node = gm_nn_dropout(r.b, in, 0.25);
        ck_assert_int_eq(node == in, !training);
        ck_assert_ptr_eq(gm_nn_dropout(r.b, in, 0), in);
        feed f = {.name = "x", .values = x, .count = MANY * WIDTH};
        setting s = {.batch = MANY, .real = GM__F64, .seed = 3, .step = 5};
        node = gm_scale(r.b, node, 1);
        gm__plan *plan = make_plan(r.ctx, r.b, &node, 1, GM__F64, MANY);
        void *to = y;
        int kept = 0;
        run_fed(r.ctx, plan, &s, &f, 1, &to);
        for (int i = 0; i < MANY * WIDTH; i++) {
            kept += y[i] != 0;
            must(y[i] == 0 || test_close(y[i], training ? x[i] / 0.75 : x[i], 1e-15, 0));
        }
        ck_assert_msg(fabs(kept / (double)(MANY * WIDTH) - (training ? 0.75 : 1)) < 0.015,
                      "%d kept", kept);
        gm__plan_free(plan);
        rig_end(&r);
    }
    rig_begin(&r);
    gm__builder_purpose(r.b)->training = 1;
    ck_assert_ptr_null(gm_nn_dropout(r.b, rows(&r), 1));
    test_fails(r.ctx, gm__builder_check(r.ctx, r.b), GM_E_RANGE, "dropout");
    rig_end(&r);
}
END_TEST

START_TEST(embedding_and_density)
{
    rig r;
    int32_t index[BATCH] = {2, 0, 1, 2, 2, 0, 1};
    double y[BATCH * 3], x[BATCH * WIDTH], logp[BATCH];
    uint64_t state = 6;
    rig_begin(&r);
    int64_t batch = GM_BATCH;
    gm_node *node = gm_nn_embedding(r.b, "e", gm_input(r.b, "i", GM_INDEX_NODE, 1, &batch), 3, 3);
    double *params = drawn_params(&r);
    const double *table = param(&r, params, "e.table");
    feed f = {.name = "i", .index = index, .count = BATCH};
    setting s = {.batch = BATCH, .real = GM__F64, .params = params};
    gm__plan *plan = make_plan(r.ctx, r.b, &node, 1, GM__F64, BATCH);
    void *to = y;
    run_fed(r.ctx, plan, &s, &f, 1, &to);
    for (int i = 0; i < BATCH; i++)
        ck_assert_mem_eq(y + 3 * i, table + 3 * index[i], 3 * sizeof *y);
    gm__plan_free(plan);
    free(params);
    rig_end(&r);

    fill_uniform(&state, x, BATCH * WIDTH, -3, 3);
    rig_begin(&r);
    run_layer(&r, gm_log_standard_normal(r.b, rows(&r)), x, NULL, logp);
    for (int i = 0; i < BATCH; i++) {
        double sum = 0;
        for (int j = 0; j < WIDTH; j++)
            sum -= x[i * WIDTH + j] * x[i * WIDTH + j] / 2 + 0.5 * log(2 * 3.14159265358979323846);
        ck_assert(test_close(logp[i], sum, 1e-14, 0));
    }
    rig_end(&r);
}
END_TEST

START_TEST(activations)
{
    static const char *const names[] = {"none", "relu",       "tanh",    "silu",
                                        "gelu", "leaky_relu", "sigmoid", "softplus"};
    rig r;
    uint64_t state = 6;
    double x[BATCH * WIDTH], y[BATCH * WIDTH];
    fill_uniform(&state, x, BATCH * WIDTH, -4, 4);
    for (int act = 0; act < 8; act++) {
        ck_assert_int_eq(gm_activation_find(names[act]), act);
        rig_begin(&r);
        run_layer(&r, gm_shift(r.b, gm_activation(r.b, act, rows(&r)), 0), x, NULL, y);
        for (int i = 0; i < BATCH * WIDTH; i++) {
            double v = x[i];
            double expected[] = {v,
                                 v > 0 ? v : 0,
                                 tanh(v),
                                 silu(v),
                                 v * 0.5 * erfc(-v / sqrt(2)),
                                 v > 0 ? v : 0.01 * v,
                                 1 / (1 + exp(-v)),
                                 log1p(exp(v))};
            ck_assert_msg(test_close(y[i], expected[act], 1e-13, 1e-14), "%s of %g: %g", names[act],
                          v, y[i]);
        }
        rig_end(&r);
    }
    ck_assert_int_eq(gm_activation_find("mish"), -1);
    ck_assert_int_eq(gm_activation_find(NULL), -1);
    rig_begin(&r);
    ck_assert_ptr_null(gm_activation(r.b, 8, rows(&r)));
    test_fails(r.ctx, gm__builder_check(r.ctx, r.b), GM_E_ARG, "activation");
    rig_end(&r);
    rig_begin(&r);
    ck_assert_ptr_null(gm_nn_linear(r.b, "l", rows(&r), 0));
    test_fails(r.ctx, gm__builder_check(r.ctx, r.b), GM_E_SHAPE, "linear");
    rig_end(&r);
}
END_TEST

/* ---- Divergence and ramp --------------------------------------------------------------------- */

START_TEST(divergence_of_normals)
{
    static const double mean[] = {0, 1, -2, 3, 0, 1e-4, 0},
                        log_variance[] = {0, 0, 1, -8, 1e-9, -3, 20};
    double got[7];
    rig r;
    rig_begin(&r);
    gm_node *m = shaped_input(r.b, "m", 1, 7, 0, 0), *v = shaped_input(r.b, "v", 1, 7, 0, 0);
    feed f[2] = {{.name = "m", .values = mean, .count = 7},
                 {.name = "v", .values = log_variance, .count = 7}};
    evaluate(&r, gm_kl_standard_normal(r.b, m, v), 1, f, 2, got);
    for (int i = 0; i < 7; i++) {
        double want = 0.5 * (mean[i] * mean[i] + expm1(log_variance[i]) - log_variance[i]);
        ck_assert_msg(test_close(got[i], want, 1e-13, 1e-18), "%d: %g, not %g", i, got[i], want);
    }
    rig_end(&r);
}
END_TEST

START_TEST(sines_and_cosines)
{
    static const int widths[] = {2, 6, 7};
    int width = widths[_i], half = (width + 1) / 2;
    double x[3] = {0, 1, 812.5}, y[3 * 7];
    int64_t column[2] = {GM_BATCH, 1};
    rig r;
    rig_begin(&r);
    feed f = {.name = "x", .values = x, .count = 3};
    evaluate(&r, gm_nn_sinusoidal(r.b, gm_input(r.b, "x", GM_REAL_NODE, 2, column), width, 1e4), 3,
             &f, 1, y);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < width; j++) {
            double phase = x[i] * pow(1e4, -(double)(j % half) / half);
            ck_assert(test_close(y[i * width + j], j < half ? sin(phase) : cos(phase), 0, 1e-12));
        }
    ck_assert_ptr_null(gm_nn_sinusoidal(r.b, gm_const(r.b, 1), 1, 1e4));
    test_fails(r.ctx, gm__builder_check(r.ctx, r.b), GM_E_RANGE, "sinusoidal");
    rig_end(&r);
}
END_TEST

START_TEST(index_of_reals)
{
    double x[] = {0, 0.999, 1, -0.5, -3, 7.25, 1e30, -1e30, NAN, 2147483646.5}, y[10];
    const double expected[] = {0, 0, 1, -1, -3, 7, INT32_MAX, INT32_MIN, 0, 2147483646};
    int64_t batch = GM_BATCH;
    rig r;
    rig_begin(&r);
    feed f = {.name = "x", .values = x, .count = 10};
    evaluate(&r, gm_index(r.b, gm_input(r.b, "x", GM_REAL_NODE, 1, &batch)), 10, &f, 1, y);
    for (int i = 0; i < 10; i++)
        ck_assert_msg(y[i] == expected[i], "%g gives %g", x[i], y[i]);
    rig_end(&r);
}
END_TEST

/* Levels are even over 1 to their number; what is given of a row and of noise is the table's. */
START_TEST(noise_drawn)
{
    enum { LEVELS = 4, MANY = 8000 };
    static double x[MANY * 2], got[MANY * 7];
    static const double angle[LEVELS + 1] = {0, 0.2, 0.7, 1.1, 1.5};
    double mixing[2 * (LEVELS + 1)], seen[LEVELS + 1] = {0}, mean = 0, square = 0;
    int64_t shape[2] = {GM_BATCH, 2};
    uint64_t state = 8;
    rig r;
    rig_begin(&r);
    for (int k = 0; k <= LEVELS; k++) {
        mixing[2 * k] = cos(angle[k]);
        mixing[2 * k + 1] = sin(angle[k]);
    }
    fill_uniform(&state, x, MANY * 2, -3, 3);
    gm__purpose *p = gm__builder_purpose(r.b);
    p->levels = LEVELS;
    p->angle = angle;
    p->mixing = mixing;
    gm_noised at = {.struct_size = sizeof at};
    gm_node *noise;
    gm_noised_draw(r.b, gm_input(r.b, "x", GM_REAL_NODE, 2, shape), &at, &noise);
    gm_node *all[5] = {at.x, noise, at.level, at.signal, at.sigma};
    feed f = {.name = "x", .values = x, .count = MANY * 2};
    evaluate(&r, gm_concat(r.b, 5, all, -1), MANY, &f, 1, got);
    for (int i = 0; i < MANY; i++) {
        const double *g = got + 7 * i;
        int level = (int)g[4];
        must(level >= 1 && level <= LEVELS && g[4] == level);
        seen[level]++;
        must(g[5] == mixing[2 * level] && g[6] == mixing[2 * level + 1]);
        for (int j = 0; j < 2; j++) {
            must(test_close(g[j], g[5] * x[2 * i + j] + g[6] * g[2 + j], 1e-14, 1e-14));
            mean += g[2 + j] / (2 * MANY);
            square += g[2 + j] * g[2 + j] / (2 * MANY);
        }
    }
    for (int k = 1; k <= LEVELS; k++)
        ck_assert_msg(fabs(seen[k] - MANY / 4.0) < 4 * sqrt(MANY * 3 / 16.0), "level %d: %g rows",
                      k, seen[k]);
    ck_assert(fabs(mean) < 4 / sqrt(2 * MANY) && fabs(square - 1) < 4 * sqrt(1.0 / MANY));
    rig_end(&r);
}
END_TEST

START_TEST(ramp_by_steps)
{
    for (int training = 0; training < 2; training++) {
        rig r;
        rig_begin(&r);
        gm__builder_purpose(r.b)->training = training;
        gm_node *ramps[3] = {gm_ramp(r.b, 7), gm_ramp(r.b, 0), gm_ramp(r.b, 1)};
        for (double step = 1; step < 20; step += 1) {
            double got[3];
            feed f = {.name = "step", .values = &step, .count = 1};
            for (int i = 0; i < 3; i++)
                evaluate(&r, ramps[i], 1, &f, 1, &got[i]);
            ck_assert(got[1] == 1 && got[2] == 1);
            ck_assert(got[0] == (training && step < 7 ? step / 7 : 1));
        }
        rig_end(&r);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("nn");
    TCase *t = tcase_create("nn");
    tcase_add_loop_test(t, random_starts, 0, (int)(sizeof draws / sizeof *draws));
    tcase_add_test(t, plain_starts);
    tcase_add_loop_test(t, orthogonal_start, 0, 5);
    tcase_add_test(t, layer_norm);
    tcase_add_test(t, batch_norm);
    tcase_add_test(t, networks);
    tcase_add_test(t, masked_linear);
    tcase_add_test(t, dropout);
    tcase_add_test(t, embedding_and_density);
    tcase_add_test(t, activations);
    tcase_add_test(t, divergence_of_normals);
    tcase_add_test(t, ramp_by_steps);
    tcase_add_loop_test(t, sines_and_cosines, 0, 3);
    tcase_add_test(t, index_of_reals);
    tcase_add_test(t, noise_drawn);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
