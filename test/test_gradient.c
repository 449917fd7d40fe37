/* Gradients of every operation in double precision, against four-point central differences; second
 * order too. The test walks the table of operations and fails on one without a case. */
#include "graph_tools.h"

#define BATCH 3
#define MOST 400

/* ---- Cases: a function of up to three inputs ------------------------------------------------- */

typedef struct shape {
    int ndim;
    int64_t d[3];
} shape;

typedef struct test_case {
    const char *op; /* the row of the table it is for */
    gm_node *(*build)(gm_builder *b, gm_node *const *x);
    double low, high; /* of the inputs */
    shape in[3];      /* ndim -1: no more inputs */
} test_case;

#define B GM_BATCH
#define V1                                                                                         \
    {                                                                                              \
        {2, {B, 4, 0}}, {-1, {0}},                                                                 \
        {                                                                                          \
            -1,                                                                                    \
            {                                                                                      \
                0                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
#define V2                                                                                         \
    {                                                                                              \
        {2, {B, 4, 0}}, {2, {B, 4, 0}},                                                            \
        {                                                                                          \
            -1,                                                                                    \
            {                                                                                      \
                0                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
#define CASE(name, formula)                                                                        \
    static gm_node *c_##name(gm_builder *b, gm_node *const *x)                                     \
    {                                                                                              \
        return formula;                                                                            \
    }

static const int32_t columns[] = {3, 1, 1, 0, 2}, shuffled[] = {2, 0, 3, 1}, picked[] = {1, 3, 0};
static const int64_t three[] = {3}, wide_shape[] = {B, 4, 3}, flat_shape[] = {B, 2, 2};
static const int32_t axes[] = {0, 2, 1}, swapped[] = {1, 0, 2};

static gm_node *index3(gm_builder *b)
{
    return gm_const_index(b, 1, three, picked);
}

CASE(neg, gm_neg(b, x[0]))
CASE(abs, gm_abs(b, x[0]))
CASE(square, gm_square(b, x[0]))
CASE(sqrt, gm_sqrt(b, x[0]))
CASE(recip, gm_recip(b, x[0]))
CASE(relu, gm_relu(b, x[0]))
CASE(exp, gm_exp(b, x[0]))
CASE(expm1, gm_expm1(b, x[0]))
CASE(log, gm_log(b, x[0]))
CASE(log1p, gm_log1p(b, x[0]))
CASE(sin, gm_sin(b, x[0]))
CASE(cos, gm_cos(b, x[0]))
CASE(tanh, gm_tanh(b, x[0]))
CASE(sigmoid, gm_sigmoid(b, x[0]))
CASE(softplus, gm_softplus(b, x[0]))
CASE(log_sigmoid, gm_log_sigmoid(b, x[0]))
CASE(silu, gm_silu(b, x[0]))
CASE(silu_slope, gm__map1_node(b, GM__SILU_SLOPE, x[0]))
CASE(gelu, gm_gelu(b, x[0]))
CASE(erf, gm_erf(b, x[0]))
CASE(erfc, gm_erfc(b, x[0]))
CASE(lgamma, gm_lgamma(b, x[0]))
CASE(digamma, gm_digamma(b, x[0]))
CASE(trigamma, gm_polygamma(b, x[0], 1))
CASE(polygamma, gm_polygamma(b, x[0], 3))
CASE(atan, gm_atan(b, x[0]))
CASE(normal_cdf, gm_normal_cdf(b, x[0]))
CASE(normal_quantile, gm_normal_quantile(b, x[0]))
CASE(add, gm_add(b, x[0], x[1]))
CASE(sub, gm_sub(b, x[0], x[1]))
CASE(mul, gm_mul(b, x[0], x[1]))
CASE(div, gm_div(b, x[0], x[1]))
CASE(min, gm_min(b, x[0], x[1]))
CASE(max, gm_max(b, x[0], x[1]))
CASE(gate, gm_gate(b, gm_square(b, x[0]), gm_add(b, x[1], x[0])))
CASE(logaddexp, gm_logaddexp(b, x[0], x[1]))
CASE(where, gm_where(b, gm_greater(b, x[0], x[1]), gm_square(b, x[0]), gm_sin(b, x[1])))
CASE(scale, gm_add(b, gm_scale(b, x[0], -2.5), gm_one_minus(b, gm_shift(b, x[0], 3))))
CASE(leaky_relu, gm_leaky_relu(b, x[0], 0.1))
CASE(over_count, gm_add(b, gm_mean(b, x[0], 0, 1), gm_mean_all(b, x[0])))
CASE(wide, gm_square(b, gm_wide(b, x[0])))
CASE(narrow, gm_narrow(b, gm_square(b, gm_wide(b, x[0]))))
CASE(same, gm__same(b, gm_sin(b, x[0])))
CASE(matmul, gm_matmul(b, x[0], x[1], 0, 0))
CASE(matmul_tx, gm_matmul(b, x[0], x[1], 1, 0))
CASE(matmul_ty, gm_matmul(b, x[0], x[1], 0, 1))
CASE(matmul_both, gm_matmul(b, x[0], x[1], 1, 1))
CASE(sum_all, gm_sum_all(b, x[0]))
CASE(sum_0, gm_sum(b, x[0], 0, 0))
CASE(sum_1, gm_sum(b, x[0], 1, 1))
CASE(sum_last, gm_sum(b, x[0], -1, 0))
CASE(sum_last_wide, gm_sum_last_wide(b, x[0]))
CASE(max_last, gm_max_last(b, x[0]))
CASE(softmax, gm_softmax(b, x[0]))
CASE(log_softmax, gm_log_softmax(b, x[0]))
CASE(logsumexp, gm_logsumexp(b, x[0]))
CASE(cumsum, gm_cumsum(b, x[0], 0, 0))
CASE(cumsum_back, gm_cumsum(b, x[0], 1, 1))
CASE(reshape, gm_sin(b, gm_reshape(b, x[0], 3, flat_shape)))
CASE(broadcast, gm_broadcast(b, gm_reshape(b, x[0], 3, (int64_t[]){B, 4, 1}), 3, wide_shape))
CASE(permute, gm_permute(b, x[0], axes))
CASE(permute_rows, gm_permute(b, x[0], swapped))
CASE(slice, gm_slice(b, x[0], -1, 1, 2))
CASE(slice_middle, gm_slice(b, x[0], 1, 1, 2))
CASE(slice_rows, gm_slice(b, x[0], 0, 2, 3))
CASE(pad, gm_pad(b, x[0], 1, 2, 1))
CASE(pad_rows, gm_pad(b, x[0], 0, 1, 2))
CASE(concat, gm_concat(b, 2, x, -1))
CASE(concat_rows, gm_concat(b, 2, x, 0))
CASE(concat_pieces,
     gm_concat(b, 3, ((gm_node *[]){gm_slice(b, x[0], 1, 2, 2), x[1], gm_slice(b, x[0], 1, 0, 2)}),
               1))
CASE(take, gm_take(b, x[0], 5, columns))
CASE(take_all, gm_take(b, x[0], 4, shuffled))
CASE(put, gm__put(b, x[0], 4, shuffled, 6))
CASE(gather, gm_gather(b, x[0], index3(b)))
CASE(scatter_add,
     gm_scatter_add(b, x[0], gm_const_index(b, 1, (int64_t[]){4}, (int32_t[]){1, 0, 1, 4}), 5))
CASE(pick, gm_pick(b, x[0], index3(b)))
CASE(deep,
     gm_sum(b, gm_log(b, gm_softplus(b, gm_matmul(b, gm_tanh(b, x[0]), gm_exp(b, x[1]), 0, 0))), -1,
            1))

static gm_node *matmul_masked(gm_builder *b, gm_node *const *x)
{
    static const int32_t lo[] = {0, 0, 1, 2},
                         hi[] = {1, 3, 4, 4}; /* a staircase: rows are intervals too */
    return gm_matmul_masked(b, x[0], gm_sin(b, x[1]), lo, hi);
}

static gm_node *matmul_masked_ragged(gm_builder *b, gm_node *const *x)
{
    static const int32_t lo[] = {0, 2, 0, 1}, hi[] = {2, 4, 1, 1};
    return gm_matmul_masked(b, x[0], gm_sin(b, x[1]), lo, hi);
}

/* A spline of 3 bins, inside and outside its box, with both results in play. */
static gm_node *splined(gm_builder *b, gm_node *const *x, int inverse)
{
    gm_spline s = {sizeof s, 3, 1.5, 1e-2, 1e-2, inverse};
    gm_node *slope, *y = gm_rq_spline(b, &s, x[0], x[1], &slope);
    return gm_add(b, gm_square(b, y), gm_sin(b, slope));
}

/* Well away from singular. */
static gm_node *solved(gm_builder *b, gm_node *const *x, int upper)
{
    static const double eye[9] = {3, 0, 0, 0, -3, 0, 0, 0, 4};
    gm_node *a = gm_add(b, x[1], gm_const_array(b, 2, (int64_t[]){3, 3}, eye));
    return gm_solve_triangular(b, x[0], a, upper);
}

CASE(upper, solved(b, x, 1))
CASE(lower, solved(b, x, 0))
CASE(spline, splined(b, x, 0))
CASE(spline_inverse, splined(b, x, 1))

/* Two columns through three units of softplus, of which each sees the first. */
static gm_node *columned(gm_builder *b, gm_node *const *x)
{
    static const int32_t starts[] = {0, 0, 3};
    static const double half[] = {0.5, -0.2, 0.1, 0.3};
    gm__columns c = {.count = 2,
                     .map = GM__COLUMN_AFFINE,
                     .bins = 3,
                     .act = GM__SOFTPLUS,
                     .layers = 1,
                     .most = 2,
                     .starts = starts};
    gm_node *params[4] = {x[1], gm_const_array(b, 1, (int64_t[]){3}, half), x[2],
                          gm_const_array(b, 1, (int64_t[]){4}, half)};
    return gm__columns_solve(b, &c, x[0], 4, params, NULL);
}

static gm_node *second_only(gm_builder *b, gm_node *const *x)
{
    gm_spline s = {sizeof s, 4, 2, 1e-3, 1e-3, 0};
    gm_node *slope;
    gm_rq_spline(b, &s, x[0], gm_concat(b, 2, (gm_node *[]){x[1], gm_slice(b, x[1], 1, 0, 11)}, 1),
                 &slope);
    return slope;
}

#define PLAIN(name, low, high)                                                                     \
    {                                                                                              \
#name, c_##name, low, high, V1                                                             \
    }
#define PAIR(name, low, high)                                                                      \
    {                                                                                              \
#name, c_##name, low, high, V2                                                             \
    }
static const test_case cases[] = {
    PLAIN(neg, -2, 2),
    PLAIN(abs, -2, 2),
    PLAIN(square, -2, 2),
    PLAIN(sqrt, 0.5, 2),
    PLAIN(recip, 0.5, 2),
    PLAIN(relu, -2, 2),
    PLAIN(exp, -2, 2),
    PLAIN(expm1, -2, 2),
    PLAIN(log, 0.5, 2),
    PLAIN(log1p, -0.5, 2),
    PLAIN(sin, -2, 2),
    PLAIN(cos, -2, 2),
    PLAIN(tanh, -2, 2),
    PLAIN(sigmoid, -2, 2),
    PLAIN(softplus, -3, 3),
    PLAIN(log_sigmoid, -3, 3),
    PLAIN(silu, -3, 3),
    PLAIN(silu_slope, -3, 3),
    PLAIN(gelu, -3, 3),
    PLAIN(erf, -2, 2),
    PLAIN(erfc, -2, 2),
    PLAIN(lgamma, 0.6, 4),
    PLAIN(digamma, 0.6, 4),
    PLAIN(trigamma, 0.8, 4),
    PLAIN(polygamma, 1, 4),
    PLAIN(atan, -2, 2),
    PLAIN(normal_cdf, -2, 2),
    PLAIN(normal_quantile, 0.1, 0.9),
    PAIR(add, -2, 2),
    PAIR(sub, -2, 2),
    PAIR(mul, -2, 2),
    PAIR(div, 0.5, 2),
    PAIR(min, -2, 2),
    PAIR(max, -2, 2),
    PAIR(gate, -2, 2),
    PAIR(logaddexp, -2, 2),
    PAIR(where, -2, 2),
    {"add", c_add, -2, 2, {{2, {B, 4, 0}}, {1, {4, 0, 0}}, {-1, {0}}}},
    {"mul", c_mul, -2, 2, {{2, {B, 1, 0}}, {2, {B, 4, 0}}, {-1, {0}}}},
    {"mul", c_mul, -2, 2, {{3, {B, 2, 3}}, {2, {2, 1, 0}}, {-1, {0}}}},
    {"div", c_div, 0.5, 2, {{3, {B, 1, 3}}, {3, {1, 2, 1}}, {-1, {0}}}},
    {"sub", c_sub, -2, 2, {{0, {0}}, {2, {B, 4, 0}}, {-1, {0}}}},
    PLAIN(scale, -2, 2),
    PLAIN(leaky_relu, -2, 2),
    PLAIN(over_count, -2, 2),
    PLAIN(wide, -2, 2),
    PLAIN(narrow, -2, 2),
    PLAIN(same, -2, 2),
    {"matmul", c_matmul, -1, 1, {{2, {B, 4, 0}}, {2, {4, 2, 0}}, {-1, {0}}}},
    {"matmul", c_matmul_tx, -1, 1, {{2, {B, 4, 0}}, {2, {B, 2, 0}}, {-1, {0}}}},
    {"matmul", c_matmul_ty, -1, 1, {{2, {B, 4, 0}}, {2, {2, 4, 0}}, {-1, {0}}}},
    {"matmul", c_matmul_both, -1, 1, {{2, {4, B, 0}}, {2, {2, 4, 0}}, {-1, {0}}}},
    {"matmul", c_matmul, -1, 1, {{3, {B, 2, 4}}, {3, {B, 4, 3}}, {-1, {0}}}},
    {"matmul", c_matmul_tx, -1, 1, {{3, {B, 2, 4}}, {3, {B, 2, 3}}, {-1, {0}}}},
    {"matmul", c_matmul_ty, -1, 1, {{2, {B, 4, 0}}, {2, {B, 4, 0}}, {-1, {0}}}},
    {"matmul", c_matmul, -1, 1, {{3, {B, 2, 4}}, {2, {4, 3, 0}}, {-1, {0}}}},
    {"matmul", matmul_masked, -1, 1, {{2, {B, 4, 0}}, {2, {4, 4, 0}}, {-1, {0}}}},
    {"matmul", matmul_masked_ragged, -1, 1, {{2, {B, 4, 0}}, {2, {4, 4, 0}}, {-1, {0}}}},
    PLAIN(sum_all, -2, 2),
    {"sum", c_sum_0, -2, 2, V1},
    {"sum", c_sum_last, -2, 2, V1},
    {"sum", c_sum_1, -2, 2, {{3, {B, 2, 3}}, {-1, {0}}, {-1, {0}}}},
    {"sum", c_sum_0, -2, 2, {{1, {B, 0, 0}}, {-1, {0}}, {-1, {0}}}},
    PLAIN(sum_last_wide, -2, 2),
    PLAIN(max_last, -2, 2),
    PLAIN(softmax, -2, 2),
    PLAIN(log_softmax, -2, 2),
    PLAIN(logsumexp, -2, 2),
    PLAIN(cumsum, -2, 2),
    {"softmax", c_softmax, -2, 2, {{1, {4, 0, 0}}, {-1, {0}}, {-1, {0}}}},
    {"softmax", c_softmax, -2, 2, {{3, {B, 2, 3}}, {-1, {0}}, {-1, {0}}}},
    {"cumsum", c_cumsum_back, -2, 2, {{3, {B, 2, 3}}, {-1, {0}}, {-1, {0}}}},
    PLAIN(reshape, -2, 2),
    PLAIN(broadcast, -2, 2),
    {"permute", c_permute, -2, 2, {{3, {B, 2, 3}}, {-1, {0}}, {-1, {0}}}},
    {"permute", c_permute_rows, -2, 2, {{3, {B, 2, 3}}, {-1, {0}}, {-1, {0}}}},
    PLAIN(slice, -2, 2),
    {"slice", c_slice_middle, -2, 2, {{3, {B, 4, 3}}, {-1, {0}}, {-1, {0}}}},
    {"slice", c_slice_rows, -2, 2, {{2, {6, 2, 0}}, {-1, {0}}, {-1, {0}}}},
    PLAIN(pad, -2, 2),
    {"pad", c_pad_rows, -2, 2, {{2, {3, 2, 0}}, {-1, {0}}, {-1, {0}}}},
    PAIR(concat, -2, 2),
    {"concat", c_concat_rows, -2, 2, V2},
    {"concat", c_concat_pieces, -2, 2, V2},
    PLAIN(take, -2, 2),
    PLAIN(put, -2, 2),
    {"take", c_take_all, -2, 2, V1},
    {"gather", c_gather, -2, 2, {{2, {5, 2, 0}}, {-1, {0}}, {-1, {0}}}},
    {"scatter_add", c_scatter_add, -2, 2, {{2, {4, 2, 0}}, {-1, {0}}, {-1, {0}}}},
    {"pick", c_pick, -2, 2, {{2, {3, 4, 0}}, {-1, {0}}, {-1, {0}}}},
    {"rq_spline", c_spline, -1.9, 1.9, {{2, {B, 2, 0}}, {2, {B, 16, 0}}, {-1, {0}}}},
    {"rq_spline", c_spline_inverse, -1.9, 1.9, {{2, {B, 2, 0}}, {2, {B, 16, 0}}, {-1, {0}}}},
    {"rq_spline_grad", c_spline, -1.4, 1.4, {{1, {2, 0, 0}}, {1, {16, 0, 0}}, {-1, {0}}}},
    {"solve_triangular", c_upper, -1, 1, {{2, {B, 3, 0}}, {2, {3, 3, 0}}, {-1, {0}}}},
    {"solve_triangular", c_lower, -1, 1, {{2, {B, 3, 0}}, {2, {3, 3, 0}}, {-1, {0}}}},
    {"columns", columned, -1, 1, {{2, {B, 2, 0}}, {2, {2, 3, 0}}, {2, {3, 4, 0}}}},
    {"second", second_only, -1.9, 1.9, {{2, {B, 2, 0}}, {2, {B, 11, 0}}, {-1, {0}}}},
    {"matmul", c_deep, -1, 1, {{2, {B, 4, 0}}, {2, {4, 3, 0}}, {-1, {0}}}},
};
#define CASES ((int)(sizeof cases / sizeof cases[0]))

/* ---- Differences ----------------------------------------------------------------------------- */

typedef struct probe {
    rig r;
    gm_node *x[3], *loss, *gradient[3], *loss2, *gradient2[3];
    double values[3][MOST];
    feed feeds[3];
    int n;
} probe;

/* The sum of n's elements, each with a fixed weight of its own. */
static gm_node *project(gm_builder *b, gm_node *n, uint64_t *state)
{
    double weights[MOST] = {0};
    if (!n)
        return NULL;
    int64_t k = count_of(n, BATCH), one = 1, flat[8];
    ck_assert_int_le(k, MOST);
    fill_uniform(state, weights, k, 0.2, 1.2);
    memcpy(flat, n->shape, sizeof flat);
    for (int i = 0; i < n->ndim;
         i++) /* a reshape cannot turn batches into numbers: weights by broadcasting rows */
        if (n->shape[i] < 0)
            flat[i] = 1;
    for (int i = 0; i < n->ndim; i++)
        one *= flat[i];
    gm_node *w = gm_reshape(b, gm_const_array(b, 1, &one, weights), n->ndim, flat);
    return gm_sum_all(b, gm_mul(b, gm_sin(b, gm_shift(b, gm_mul(b, n, w), 0.3)), w));
}

static void prepare(probe *p, const test_case *t, uint64_t *state)
{
    static const char *names[3] = {"x", "y", "z"};
    gm_builder *b;
    memset(p, 0, sizeof *p);
    rig_begin(&p->r);
    b = p->r.b;
    for (int i = 0; i < 3 && t->in[i].ndim >= 0; i++, p->n++) {
        p->x[i] = gm_input(b, names[i], GM_REAL_NODE, t->in[i].ndim, t->in[i].d);
        int64_t n = count_of(p->x[i], BATCH);
        ck_assert_int_le(n, MOST);
        fill_uniform(state, p->values[i], n, t->low, t->high);
        p->feeds[i] = (feed){names[i], p->values[i], NULL, n, 0};
    }
    p->loss = project(b, t->build(b, p->x), state);
    gm_gradient(b, p->loss, p->n, p->x, p->gradient);
    for (int i = 0; i < p->n; i++) {
        gm_node *part = project(b, p->gradient[i], state);
        p->loss2 = i ? gm_add(b, p->loss2, part) : part;
    }
    gm_gradient(b, p->loss2, p->n, p->x, p->gradient2);
    test_ok(p->r.ctx, gm__builder_check(p->r.ctx, b));
}

static double value(probe *p, gm__plan *plan)
{
    double y = 0;
    void *out[1] = {&y};
    setting s = {.batch = BATCH, .real = GM__F64};
    run_fed(p->r.ctx, plan, &s, p->feeds, p->n, out);
    return y;
}

/* d loss / d element k of input i by four points. */
static double slope(probe *p, gm__plan *plan, int i, int64_t k)
{
    double h = 3e-4, at = p->values[i][k], f[4];
    static const double steps[4] = {-2, -1, 1, 2};
    for (int j = 0; j < 4; j++) {
        p->values[i][k] = at + steps[j] * h;
        f[j] = value(p, plan);
    }
    p->values[i][k] = at;
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
}

static void compare(probe *p, const test_case *t, gm_node *loss, gm_node *const *gradient,
                    int order, int number)
{
    gm__plan *plan = make_plan(p->r.ctx, p->r.b, &loss, 1, GM__F64, BATCH);
    for (int i = 0; i < p->n; i++) {
        double got[MOST], most = 0.1;
        evaluate(&p->r, gradient[i], BATCH, p->feeds, p->n, got);
        for (int64_t k = 0; k < p->feeds[i].count; k++)
            most = fmax(most, fabs(got[k]));
        for (int64_t k = 0; k < p->feeds[i].count; k++) {
            double want = slope(p, plan, i, k);
            ck_assert_msg(test_close(got[k], want, 1e-6, 1e-7 * most),
                          "%s (case %d), order %d: d/dx%d[%d] is %.12g, differences give %.12g",
                          t->op, number, order, i, (int)k, got[k], want);
        }
    }
    gm__plan_free(plan);
}

/* Away from kinks: a step of differences must not cross one. */
static int near_kink(const probe *p, const test_case *t)
{
    for (int i = 0; i < p->n; i++)
        for (int64_t k = 0; k < p->feeds[i].count; k++) {
            double v = p->values[i][k];
            if (fabs(v) < 0.01 || fabs(fabs(v) - 1.5) < 0.01)
                return 1;
        }
    (void)t;
    return 0;
}

START_TEST(gradients)
{
    const test_case *t = &cases[_i];
    uint64_t state = 77 + (uint64_t)_i;
    probe *p = malloc(sizeof *p);
    prepare(p, t, &state);
    while (near_kink(p, t))
        for (int i = 0; i < p->n; i++)
            fill_uniform(&state, p->values[i], p->feeds[i].count, t->low, t->high);
    compare(p, t, p->loss, p->gradient, 1, _i);
    compare(p, t, p->loss2, p->gradient2, 2, _i);
    rig_end(&p->r);
    free(p);
}
END_TEST

/* ---- The table ------------------------------------------------------------------------------- */

START_TEST(every_operation_has_a_case)
{
    for (int op = 0; gm__op_at(op); op++) {
        const gm__op *row = gm__op_at(op);
        int found = 0;
        for (int i = 0; i < CASES; i++)
            found |= strcmp(cases[i].op, row->name) == 0;
        ck_assert_msg(found || row->flags & GM__NO_GRADIENT, "operation '%s' has no gradient case",
                      row->name);
        ck_assert_msg(row->gradient || op == GM__OP_SECOND || row->flags & GM__NO_GRADIENT,
                      "operation '%s' has no gradient", row->name);
    }
}
END_TEST

/* ---- The spline, written out ----------------------------------------------------------------- */

START_TEST(spline_plain_is_the_kernels)
{
    enum { T = 5, K = 8, P = T * (3 * K - 1) };
    double x[BATCH * T], p[BATCH * P], y[2][BATCH * T], slopes[2][BATCH * T];
    uint64_t state = 3;
    rig r;
    rig_begin(&r);
    for (int round = 0; round < 40; round++) {
        gm__attr a = {.real = {2.5, 1e-3, 1e-3}, .whole = {K, _i}};
        gm_spline s = {sizeof s, K, 2.5, 1e-3, 1e-3, _i};
        gm_node *in = shaped_input(r.b, "x", 2, B, T, 0), *par = shaped_input(r.b, "p", 2, B, P, 0),
                *slope[2], *out[2];
        fill_uniform(&state, x, BATCH * T, -3, 3);
        fill_uniform(&state, p, BATCH * P, -3, 3);
        feed feeds[2] = {{"x", x, NULL, BATCH * T, 0}, {"p", p, NULL, BATCH * P, 0}};
        out[0] = gm_rq_spline(r.b, &s, in, par, &slope[0]);
        out[1] = gm__spline_plain(r.b, &a, in, par, &slope[1]);
        for (int k = 0; k < 2; k++) {
            evaluate(&r, out[k], BATCH, feeds, 2, y[k]);
            evaluate(&r, slope[k], BATCH, feeds, 2, slopes[k]);
        }
        for (int k = 0; k < BATCH * T; k++) {
            ck_assert_double_eq_tol(y[0][k], y[1][k], 1e-10);
            ck_assert_double_eq_tol(slopes[0][k], slopes[1][k], 1e-9);
        }
        rig_again(&r);
    }
    rig_end(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("gradient");
    TCase *t = tcase_create("operations");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_operation_has_a_case);
    tcase_add_loop_test(t, gradients, 0, CASES);
    tcase_add_loop_test(t, spline_plain_is_the_kernels, 0, 2);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
