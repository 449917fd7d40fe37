/* Building: shapes and what is refused, values of operations against plain loops, broadcasting, the
 * sticky failure. */
#include "graph_tools.h"

#define BATCH 3

/* ---- Broadcasting: every pair of shapes that NumPy would take -------------------------------- */

typedef struct form {
    int ndim;
    int64_t d[3];
} form;

static const form forms[] = {
    {0, {0}},
    {1, {4}},
    {1, {1}},
    {2, {GM_BATCH, 4}},
    {2, {GM_BATCH, 1}},
    {2, {1, 4}},
    {2, {1, 1}},
    {3, {GM_BATCH, 2, 4}},
    {3, {GM_BATCH, 1, 4}},
    {3, {GM_BATCH, 2, 1}},
    {3, {1, 2, 1}},
    {3, {GM_BATCH, 1, 1}},
    {2, {2, 4}},
    {2, {2, 1}},
    {1, {GM_BATCH}},
};
#define FORMS ((int)(sizeof forms / sizeof forms[0]))

static int64_t dim_from_end(const form *f, int i)
{
    return i <= f->ndim ? f->d[f->ndim - i] : 1;
}

static int fit(const form *f, const form *g)
{
    for (int i = 1; i <= 3; i++) {
        int64_t p = dim_from_end(f, i), q = dim_from_end(g, i);
        if (p != q && p != 1 && q != 1)
            return 0;
    }
    return 1;
}

/* Where element (i, j, k), counted in the result, lies in an operand. */
static int64_t place(const form *f, const int64_t at[3])
{
    int64_t p = 0;
    for (int i = 3; i >= 1; i--) {
        int64_t d = gm__dim_at(dim_from_end(f, i), BATCH);
        p = p * d + (d == 1 ? 0 : at[3 - i]);
    }
    return p;
}

static void fill(double *x, int64_t n, double from)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = from + 0.25 * (double)i;
}

static void check_pair(const form *f, const form *g, int fusion)
{
    double x[32], y[32], z[64], w[64];
    int64_t dims[3], at[3];
    rig r;
    rig_begin(&r);
    test_ok(r.ctx, gm_context_set_int(r.ctx, "fusion", fusion));
    gm_node *p = gm_input(r.b, "x", GM_REAL_NODE, f->ndim, f->d);
    gm_node *q = gm_input(r.b, "y", GM_REAL_NODE, g->ndim, g->d);
    gm_node *n = gm_sub(r.b, p, gm_mul(r.b, q, q)), *chosen = gm_where(r.b, gm_step(r.b, p), q, p);
    test_ok(r.ctx, gm__builder_check(r.ctx, r.b));
    for (int i = 0; i < 3; i++) {
        int64_t a = gm__dim_at(dim_from_end(f, 3 - i), BATCH);
        int64_t b = gm__dim_at(dim_from_end(g, 3 - i), BATCH);
        dims[i] = a == 1 ? b : a;
    }
    ck_assert_int_eq(gm_node_ndim(n), f->ndim > g->ndim ? f->ndim : g->ndim);
    ck_assert_int_eq(count_of(n, BATCH), dims[0] * dims[1] * dims[2]);
    fill(x, count_of(p, BATCH), -1);
    fill(y, count_of(q, BATCH), 2);
    feed feeds[2] = {{"x", x, NULL, count_of(p, BATCH), 0}, {"y", y, NULL, count_of(q, BATCH), 0}};
    evaluate(&r, n, BATCH, feeds, 2, z);
    evaluate(&r, chosen, BATCH, feeds, 2, w);
    int64_t k = 0;
    for (at[0] = 0; at[0] < dims[0]; at[0]++)
        for (at[1] = 0; at[1] < dims[1]; at[1]++)
            for (at[2] = 0; at[2] < dims[2]; at[2]++, k++) {
                double a = x[place(f, at)], b = y[place(g, at)];
                ck_assert_msg(z[k] == a - b * b, "%s with %s at %d", gm__show(p).text,
                              gm__show(q).text, (int)k);
                ck_assert_msg(w[k] == (a > 0 ? b : a), "where: %s with %s at %d", gm__show(p).text,
                              gm__show(q).text, (int)k);
            }
    rig_end(&r);
}

START_TEST(broadcasting)
{
    for (int i = 0; i < FORMS; i++) {
        if (fit(&forms[_i], &forms[i])) {
            check_pair(&forms[_i], &forms[i], 1);
            check_pair(&forms[_i], &forms[i], 0);
            continue;
        }
        rig r;
        rig_begin(&r);
        gm_node *p = gm_input(r.b, "x", GM_REAL_NODE, forms[_i].ndim, forms[_i].d);
        gm_node *q = gm_input(r.b, "y", GM_REAL_NODE, forms[i].ndim, forms[i].d);
        ck_assert_ptr_null(gm_add(r.b, p, q));
        test_fails(r.ctx, gm__builder_check(r.ctx, r.b), GM_E_SHAPE, "graph: add: shapes ");
        rig_end(&r);
    }
}
END_TEST

/* ---- Values -------------------------------------------------------------------------------------
 */

static const double sample[12] = {-1.5, 2.5, 0, 3.25, 0.5, -0.5, 7, 7, -2, -2, 1, 0.75};

typedef gm_node *unary_fn(gm_builder *b, gm_node *x);

/* f of the sample (batch, 4). */
static void apply(unary_fn *f, double *y)
{
    rig r;
    rig_begin(&r);
    gm_node *x = shaped_input(r.b, "x", 2, GM_BATCH, 4, 0);
    feed feeds[1] = {{"x", sample, NULL, 12, 0}};
    evaluate(&r, f(r.b, x), BATCH, feeds, 1, y);
    rig_end(&r);
}

#define EXPECT(f, ...)                                                                             \
    do {                                                                                           \
        double got[64] = {0}, want[] = {__VA_ARGS__};                                              \
        apply(f, got);                                                                             \
        for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)                                  \
            ck_assert_msg(test_close(got[i], want[i], 1e-15, 1e-300),                              \
                          #f " [%d]: %.17g, not %.17g", (int)i, got[i], want[i]);                  \
    } while (0)

static gm_node *half(gm_builder *b, gm_node *x)
{
    return gm_greater(b, x, gm_const(b, 0.5));
}

static gm_node *at_least(gm_builder *b, gm_node *x)
{
    return gm_greater_equal(b, x, gm_const(b, 0.5));
}

static gm_node *sevens(gm_builder *b, gm_node *x)
{
    return gm_equal(b, x, gm_const(b, 7));
}

static gm_node *hot(gm_builder *b, gm_node *x)
{
    return gm_one_hot(b, gm_argmax_last(b, x), 4);
}

static gm_node *index_as_real(gm_builder *b, gm_node *x)
{
    return gm_add(b, gm_narrow(b, gm_argmax_last(b, x)), gm_wide(b, gm_argmax_last(b, x)));
}

static gm_node *columns(gm_builder *b, gm_node *x)
{
    return gm_sum(b, x, 0, 0);
}

static gm_node *averages(gm_builder *b, gm_node *x)
{
    return gm_mean(b, x, -1, 0);
}

static gm_node *average(gm_builder *b, gm_node *x)
{
    return gm_mean_all(b, x);
}

static gm_node *running(gm_builder *b, gm_node *x)
{
    return gm_cumsum(b, x, 0, 0);
}

static gm_node *running_back(gm_builder *b, gm_node *x)
{
    return gm_cumsum(b, x, 1, 1);
}

static gm_node *backwards(gm_builder *b, gm_node *x)
{
    return gm_take(b, x, 4, (int32_t[]){3, 2, 1, 0});
}

static gm_node *turned(gm_builder *b, gm_node *x)
{
    return gm_permute(b, x, (int32_t[]){1, 0});
}

static gm_node *folded(gm_builder *b, gm_node *x)
{
    return gm_permute(b, gm_reshape(b, x, 3, (int64_t[]){GM_BATCH, 2, 2}), (int32_t[]){0, 2, 1});
}

/* Two views of each row, one after the other, and the second again. */
static gm_node *second_view(gm_builder *b, gm_node *x)
{
    gm_node *both[2] = {x, gm_neg(b, x)}, *all = gm_concat(b, 2, both, 0);
    return gm_slice(b, all, 0, GM_BATCH, GM_BATCH);
}

static gm_node *middle(gm_builder *b, gm_node *x)
{
    return gm_slice(b, gm_pad(b, x, 1, 1, 1), 1, 1, 4);
}

static gm_node *pieces(gm_builder *b, gm_node *x)
{
    gm_node *p[3] = {gm_slice(b, x, 1, 3, 1), gm_slice(b, x, 1, 0, 0), gm_slice(b, x, 1, 0, 3)};
    return gm_concat(b, 3, p, 1);
}

static gm_node *put(gm_builder *b, gm_node *x)
{
    return gm__put(b, gm_slice(b, x, 1, 0, 2), 2, (int32_t[]){2, 2}, 3);
}

static gm_node *products(gm_builder *b, gm_node *x)
{
    return gm_matmul(b, x, x, 0, 1);
}

static gm_node *empty_sum(gm_builder *b, gm_node *x)
{
    return gm_sum_last_wide(b, gm_slice(b, x, 1, 2, 0));
}

START_TEST(values)
{
    EXPECT(gm_sign, -1, 1, 0, 1, 1, -1, 1, 1, -1, -1, 1, 1);
    EXPECT(gm_floor, -2, 2, 0, 3, 0, -1, 7, 7, -2, -2, 1, 0);
    EXPECT(gm_round, -2, 2, 0, 3, 0, 0, 7, 7, -2, -2, 1, 1);
    EXPECT(gm_step, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1);
    EXPECT(half, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1);
    EXPECT(at_least, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1);
    EXPECT(sevens, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0);
    EXPECT(gm_argmax_last, 3, 2, 2);
    EXPECT(gm_max_last, 3.25, 7, 1);
    EXPECT(hot, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0);
    EXPECT(index_as_real, 6, 4, 4);
    EXPECT(columns, -3, 0, 8, 11);
    EXPECT(gm_sum_all, 16);
    EXPECT(averages, 4.25 / 4, 3.5, -2.25 / 4);
    EXPECT(average, 16.0 / 12);
    EXPECT(gm_sum_last_wide, 4.25, 14, -2.25);
    EXPECT(running, -1.5, 1, 1, 4.25);
    EXPECT(running_back, 5.75, 3.25, 3.25, 0, 13.5);
    EXPECT(backwards, 3.25, 0, 2.5, -1.5, 7, 7);
    EXPECT(turned, -1.5, 0.5, -2, 2.5, -0.5, -2);
    EXPECT(folded, -1.5, 0, 2.5, 3.25, 0.5, 7);
    EXPECT(second_view, 1.5, -2.5, 0, -3.25, -0.5);
    EXPECT(middle, -1.5, 2.5, 0, 3.25, 0.5);
    EXPECT(pieces, 3.25, -1.5, 2.5, 0, 7, 0.5);
    EXPECT(put, 0, 0, 1, 0, 0, 0);
    EXPECT(products, 19.0625, 20.75, 0.4375, 20.75);
    EXPECT(empty_sum, 0, 0, 0);
}
END_TEST

START_TEST(by_index)
{
    static const int32_t rows[3] = {2, 0, 2}, picks[3] = {3, 0, 9};
    double got[32];
    rig r;
    rig_begin(&r);
    gm_node *x = shaped_input(r.b, "x", 2, GM_BATCH, 4, 0);
    gm_node *i = gm_input(r.b, "i", GM_INDEX_NODE, 1, (int64_t[]){GM_BATCH});
    gm_node *table = gm_const_array(r.b, 2, (int64_t[]){3, 4}, sample);
    feed feeds[2] = {{"x", sample, NULL, 12, 0}, {"i", NULL, rows, 3, 0}};
    evaluate(&r, gm_gather(r.b, table, i), BATCH, feeds, 2, got);
    for (int k = 0; k < 12; k++)
        ck_assert(got[k] == sample[rows[k / 4] * 4 + k % 4]);
    evaluate(&r, gm_scatter_add(r.b, x, i, 4), BATCH, feeds, 2, got);
    for (int k = 0; k < 4; k++) {
        ck_assert(got[k] == sample[4 + k] && got[4 + k] == 0 && got[12 + k] == 0);
        ck_assert(got[8 + k] == sample[k] + sample[8 + k]);
    }
    feeds[1].index = picks;
    evaluate(&r, gm_pick(r.b, x, i), BATCH, feeds, 2, got);
    ck_assert(got[0] == 3.25 && got[1] == 0.5 && got[2] == 0);
    rig_end(&r);
}
END_TEST

/* Draws depend on seed, step, row number and column; not on the batch. */
START_TEST(draws)
{
    double all[40], some[40], other[40];
    rig r;
    rig_begin(&r);
    gm_node *z = gm_normal(r.b, 2, (int64_t[]){GM_BATCH, 4});
    gm_node *two = gm_uniform(r.b, 2, (int64_t[]){2 * GM_BATCH, 2});
    gm__plan *plan = make_plan(r.ctx, r.b, &z, 1, GM__F64, 10);
    setting s = {.batch = 10, .real = GM__F64, .seed = 1, .step = 2};
    void *out[1] = {all};
    run_fed(r.ctx, plan, &s, NULL, 0, out);
    s.batch = 3;
    s.row0 = 5;
    out[0] = some;
    run_fed(r.ctx, plan, &s, NULL, 0, out);
    ck_assert_int_eq(memcmp(some, all + 20, 12 * sizeof *all), 0);
    s.step = 3;
    out[0] = other;
    run_fed(r.ctx, plan, &s, NULL, 0, out);
    ck_assert(other[0] != some[0]);
    gm__plan_free(plan);
    plan = make_plan(r.ctx, r.b, &two, 1, GM__F64, 10);
    s = (setting){.batch = 10, .real = GM__F64, .seed = 1};
    out[0] = all;
    run_fed(r.ctx, plan, &s, NULL, 0, out);
    s.batch = 2;
    s.row0 = 4;
    out[0] = some;
    run_fed(r.ctx, plan, &s, NULL, 0, out);
    ck_assert_int_eq(memcmp(some, all + 8, 4 * sizeof *all), 0);
    ck_assert_int_eq(memcmp(some + 4, all + 28, 4 * sizeof *all), 0);
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

/* Constants keep all their digits where they meet a WIDE value, whatever the precision. */
START_TEST(wide_constants)
{
    rig r;
    rig_begin(&r);
    gm_node *x = shaped_input(r.b, "x", 1, GM_BATCH, 0, 0), *w = gm_wide(r.b, x);
    gm_node *y = gm_add(r.b, gm_mul(r.b, w, gm_const(r.b, 0.1)),
                        gm_wide(r.b, gm_const_array(r.b, 1, (int64_t[]){1}, (double[]){0.3})));
    gm__plan *plan = make_plan(r.ctx, r.b, &y, 1, GM__F32, 2);
    double in[2] = {1, 2}, out[2];
    void *to[1] = {out};
    feed f = {"x", in, NULL, 2, 0};
    setting s = {.batch = 2, .real = GM__F32};
    run_fed(r.ctx, plan, &s, &f, 1, to);
    ck_assert(out[0] == 1 * 0.1 + 0.3 && out[1] == 2 * 0.1 + 0.3);
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

/* ---- What is refused ----------------------------------------------------------------------------
 */

typedef struct refusal {
    gm_node *(*build)(gm_builder *b, gm_node *x, gm_node *i); /* x (batch, 5), i (batch) INDEX */
    gm_status code;
    const char *text;
} refusal;

#define REFUSE(name, formula)                                                                      \
    static gm_node *r_##name(gm_builder *b, gm_node *x, gm_node *i)                                \
    {                                                                                              \
        (void)i;                                                                                   \
        (void)x;                                                                                   \
        return formula;                                                                            \
    }
#define SHAPE(...)                                                                                 \
    (int64_t[])                                                                                    \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

REFUSE(matmul, gm_matmul(b, x, gm_const_array(b, 2, SHAPE(4, 3), sample), 0, 0))
REFUSE(stack, gm_matmul(b, x, gm_sum_all(b, x), 0, 0))
REFUSE(index, gm_add(b, i, i))
REFUSE(index_map, gm_exp(b, i))
REFUSE(reshape, gm_reshape(b, x, 2, SHAPE(GM_BATCH, 4)))
REFUSE(nine, gm_reshape(b, x, 9, SHAPE(GM_BATCH, 5, 1, 1, 1, 1, 1, 1, 1)))
REFUSE(overflow, gm_broadcast(b, gm_const(b, 1), 3, SHAPE(INT64_MAX / 2, INT64_MAX / 2, 9)))
REFUSE(huge, gm_normal(b, 2, SHAPE(GM_BATCH, INT64_MAX)))
REFUSE(broadcast, gm_broadcast(b, x, 2, SHAPE(GM_BATCH, 10)))
REFUSE(axis, gm_sum(b, x, 2, 0))
REFUSE(slice, gm_slice(b, x, 1, 3, 3))
REFUSE(slice_overflow, gm_slice(b, x, 1, 3, INT64_MAX))
REFUSE(slice_batch, gm_slice(b, x, 0, 0, 2))
REFUSE(pad, gm_pad(b, x, 1, -1, 0))
REFUSE(concat, gm_concat(b, 2, ((gm_node *[]){x, i}), 1))
REFUSE(none, gm_concat(b, 0, NULL, 1))
REFUSE(permute, gm_permute(b, x, (int32_t[]){0, 0}))
REFUSE(take, gm_take(b, x, 1, (int32_t[]){5}))
REFUSE(gather, gm_gather(b, x, i))
REFUSE(pick, gm_pick(b, x, x))
REFUSE(scatter, gm_scatter_add(b, i, i, 3))
REFUSE(null, gm_exp(b, NULL))
REFUSE(param_batch, gm_param(b, "p", 1, SHAPE(GM_BATCH), GM_INIT_ZEROS, 1))
REFUSE(param_twice, (gm_param(b, "p", 1, SHAPE(3), 1, 1), gm_param(b, "p", 1, SHAPE(4), 1, 1)))
REFUSE(input_twice, gm_input(b, "x", GM_WIDE_NODE, 2, SHAPE(GM_BATCH, 5)))
REFUSE(scalar_softmax, gm_softmax(b, gm_sum_all(b, x)))
REFUSE(empty_max, gm_max_last(b, gm_slice(b, x, 1, 0, 0)))
REFUSE(polygamma, gm_polygamma(b, x, -1))
REFUSE(mask, gm_matmul_masked(b, x, gm_param(b, "w", 2, SHAPE(5, 1), 1, 1), (int32_t[]){0},
                              (int32_t[]){6}))
REFUSE(own, (gm_builder_fail(b, GM_E_RANGE, "vae: code is 0"), gm_exp(b, x)))

static gm_node *r_spline(gm_builder *b, gm_node *x, gm_node *i)
{
    gm_node *slope = x;
    gm_spline s = {sizeof s, 8, 3, 1e-3, 1e-3, 0};
    (void)i;
    gm_node *y = gm_rq_spline(b, &s, x, x, &slope);
    ck_assert_ptr_null(slope);
    return y;
}

static gm_node *r_spline_bins(gm_builder *b, gm_node *x, gm_node *i)
{
    gm_node *slope;
    gm_spline s = {sizeof s, 1, 3, 1e-3, 1e-3, 0};
    (void)i;
    return gm_rq_spline(b, &s, x, x, &slope);
}

static const refusal refusals[] = {
    {r_matmul, GM_E_SHAPE,
     "graph: matmul: shapes (batch, 5) and (4, 3) do not fit: 5 and 4 must be equal"},
    {r_stack, GM_E_SHAPE, "two matrices"},
    {r_index, GM_E_ARG, "add: an INDEX node has no arithmetic"},
    {r_index_map, GM_E_ARG, "exp: an INDEX node"},
    {r_reshape, GM_E_SHAPE, "reshape: shapes (batch, 5) and (batch, 4)"},
    {r_nine, GM_E_SHAPE, "9 dimensions"},
    {r_overflow, GM_E_SHAPE, "too large"},
    {r_huge, GM_E_SHAPE, "normal: the shape (batch, 9223372036854775807) is too large"},
    {r_broadcast, GM_E_SHAPE, "does not spread"},
    {r_axis, GM_E_SHAPE, "sum: axis 2 does not exist in shape (batch, 5)"},
    {r_slice, GM_E_SHAPE, "slice: 3 from 3 does not lie within axis 1"},
    {r_slice_overflow, GM_E_SHAPE, "slice"},
    {r_slice_batch, GM_E_SHAPE, "slice"},
    {r_pad, GM_E_SHAPE, "pad"},
    {r_concat, GM_E_SHAPE, "concat: shapes"},
    {r_none, GM_E_ARG, "at least one"},
    {r_permute, GM_E_ARG, "no permutation"},
    {r_take, GM_E_RANGE, "column 5 of 5"},
    {r_gather, GM_E_SHAPE, "gather: the table"},
    {r_pick, GM_E_ARG, "operand 2 must be an INDEX node"},
    {r_scatter, GM_E_SHAPE, "scatter_add"},
    {r_null, GM_E_ARG, "exp: operand 1 is NULL"},
    {r_param_batch, GM_E_SHAPE, "parameter 'p'"},
    {r_param_twice, GM_E_SHAPE, "'p' is there already"},
    {r_input_twice, GM_E_SHAPE, "'x' is there already"},
    {r_scalar_softmax, GM_E_SHAPE, "softmax: a scalar"},
    {r_empty_max, GM_E_SHAPE, "is empty"},
    {r_polygamma, GM_E_RANGE, "order -1"},
    {r_mask, GM_E_RANGE, "rows [0, 6) of column 0"},
    {r_own, GM_E_RANGE, "vae: code is 0"},
    {r_spline, GM_E_SHAPE, "23 parameters for each element"},
    {r_spline_bins, GM_E_RANGE, "2 to 256 bins"},
};

START_TEST(refused)
{
    const refusal *t = &refusals[_i];
    rig r;
    rig_begin(&r);
    gm_node *x = shaped_input(r.b, "x", 2, GM_BATCH, 5, 0);
    gm_node *i = gm_input(r.b, "i", GM_INDEX_NODE, 1, (int64_t[]){GM_BATCH});
    ck_assert_ptr_null(t->build(r.b, x, i));
    ck_assert_int_eq(gm_builder_failed(r.b), 1);
    test_fails(r.ctx, gm__builder_check(r.ctx, r.b), t->code, t->text);
    /* sticky: nothing is added, and the first reason stays */
    int32_t count = r.b->count;
    gm_node *g = x;
    ck_assert_ptr_null(gm_add(r.b, x, x));
    ck_assert_ptr_null(gm_const(r.b, 1));
    gm_gradient(r.b, x, 1, &x, &g);
    ck_assert_ptr_null(g);
    ck_assert_int_eq(r.b->count, count);
    gm__output out = {x, NULL};
    gm__plan *plan = NULL;
    test_fails(r.ctx, gm__plan_create(r.ctx, r.b, &out, 1, GM__F32, 1, &plan), t->code, t->text);
    ck_assert_ptr_null(plan);
    rig_end(&r);
}
END_TEST

START_TEST(foreign_nodes)
{
    rig r, q;
    rig_begin(&r);
    rig_begin(&q);
    gm_node *x = gm_const(r.b, 1), *y = gm_const(q.b, 1);
    ck_assert_ptr_null(gm_div(r.b, x, y));
    test_fails(r.ctx, gm__builder_check(r.ctx, r.b), GM_E_ARG, "another builder");
    ck_assert_int_eq(gm_builder_failed(q.b), 0);
    rig_end(&q);
    rig_end(&r);
}
END_TEST

/* ---- Layout and parameters ------------------------------------------------------------------- */

START_TEST(layout)
{
    rig r;
    rig_begin(&r);
    const gm__slot *slot = NULL;
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        gm_node *p = gm_param(r.b, name, 2, SHAPE(3, i + 1), GM_INIT_NORMAL, 0.5);
        ck_assert_ptr_eq(p, gm_param(r.b, name, 2, SHAPE(3, i + 1), GM_INIT_NORMAL, 0.5));
    }
    int64_t end = 0;
    for (int i = 0; i < 100; i++) {
        gm_node *p = gm__builder_param(r.b, i, &slot);
        ck_assert_ptr_nonnull(p);
        ck_assert_int_eq(slot->count, 3 * (i + 1));
        ck_assert_int_eq(slot->offset % 16, 0);
        ck_assert_int_ge(slot->offset, end);
        end = slot->offset + slot->count;
    }
    ck_assert_ptr_null(gm__builder_param(r.b, 100, &slot));
    ck_assert_int_ge(r.layout.size, end);
    ck_assert_ptr_null(gm__layout_find(&r.layout, "p100"));
    r.layout.closed = 1;
    rig_again(&r);
    ck_assert_ptr_nonnull(gm_param(r.b, "p99", 2, SHAPE(3, 100), GM_INIT_NORMAL, 0.5));
    ck_assert_int_eq(gm__builder_param(r.b, 0, &slot)->shape[1], 100);
    ck_assert_ptr_null(gm_param(r.b, "new", 1, SHAPE(1), GM_INIT_ZEROS, 1));
    test_fails(r.ctx, gm__builder_check(r.ctx, r.b), GM_E_UNKNOWN, "no parameter 'new'");
    rig_end(&r);
}
END_TEST

START_TEST(masks_reach_the_slot)
{
    rig r;
    rig_begin(&r);
    int32_t lo[2] = {0, 2}, hi[2] = {1, 4};
    double x[4] = {1, 2, 3, 4}, y[2], params[16] = {1, 0, 0, 0, 0, 3, 0, 4};
    gm_node *w = gm_param(r.b, "w", 2, SHAPE(4, 2), GM_INIT_NORMAL, 1);
    gm_node *in = shaped_input(r.b, "x", 2, GM_BATCH, 4, 0), *g;
    gm_node *z = gm_matmul_masked(r.b, in, w, lo, hi);
    const gm__slot *s = gm__layout_find(&r.layout, "w");
    ck_assert(s->lo && s->lo[1] == 2 && s->hi[1] == 4);
    gm_gradient(r.b, z, 1, &w, &g);
    gm_node *out[2] = {z, g};
    double dw[8];
    void *to[2] = {y, dw};
    feed f = {"x", x, NULL, 4, 0};
    setting set = {.batch = 1, .real = GM__F64, .params = params};
    gm__plan *plan = make_plan(r.ctx, r.b, out, 2, GM__F64, 1);
    run_fed(r.ctx, plan, &set, &f, 1, to);
    static const double want[8] = {1, 0, 0, 0, 0, 3, 0, 4};
    ck_assert(y[0] == 1 && y[1] == 25);
    ck_assert_int_eq(memcmp(dw, want, sizeof want), 0);
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

START_TEST(gradients_of_nothing)
{
    rig r;
    double got[8];
    rig_begin(&r);
    gm_node *x = shaped_input(r.b, "x", 1, 2, 0, 0), *y = gm_exp(r.b, gm_stop_gradient(r.b, x));
    gm_node *all[2] = {x, y}, *g[2];
    double in[2] = {1, 2};
    feed f = {"x", in, NULL, 2, 0};
    gm_gradient(r.b, y, 2, all, g);
    evaluate(&r, g[0], 1, &f, 1, got);
    ck_assert(got[0] == 0 && got[1] == 0);
    evaluate(&r, g[1], 1, &f, 1, got);
    ck_assert(got[0] == 1 && got[1] == 1);
    gm_node *late = gm_square(r.b, x); /* made after what is differentiated */
    gm_gradient(r.b, y, 1, &late, g);
    evaluate(&r, g[0], 1, &f, 1, got);
    ck_assert(got[0] == 0);
    rig_end(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("graph");
    TCase *t = tcase_create("values"), *u = tcase_create("building");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, broadcasting, 0, FORMS);
    tcase_add_test(t, values);
    tcase_add_test(t, by_index);
    tcase_add_test(t, draws);
    tcase_add_test(t, wide_constants);
    tcase_add_loop_test(u, refused, 0, (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_test(u, foreign_nodes);
    tcase_add_test(u, layout);
    tcase_add_test(u, masks_reach_the_slot);
    tcase_add_test(u, gradients_of_nothing);
    suite_add_tcase(s, t);
    suite_add_tcase(s, u);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
