/* The Jacobian of a flow by autodiff, and its determinant: what log densities are held against. */
#ifndef TEST_FLOW_JACOBIAN_H
#define TEST_FLOW_JACOBIAN_H

#include "flow_cases.h"
#include "model/model.h"

/* log |det| by Gaussian elimination with pivots. */
static inline double log_abs_det(double *a, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[best * n + k]))
                best = i;
        for (int64_t j = 0; j < n; j++) {
            double t = a[k * n + j];
            a[k * n + j] = a[best * n + j];
            a[best * n + j] = t;
        }
        sum += log(fabs(a[k * n + k]));
        for (int64_t i = k + 1; i < n; i++) {
            double f = a[i * n + k] / a[k * n + k];
            for (int64_t j = k; j < n; j++)
                a[i * n + j] -= f * a[k * n + j];
        }
    }
    return sum;
}

/* dz_i / dx_j of each row of x (n, d) by autodiff: out (n, d, d). x is of the precision given. */
static inline void jacobian(gm_context *ctx, const gm_model *model, gm__real real, int64_t n,
                            const void *x, double *out)
{
    gm__structure *s = model->structure;
    gm_builder *b;
    gm__purpose how = {0};
    int64_t d = s->width, shape[2] = {GM_BATCH, d};
    test_ok(ctx, gm__structure_builder(ctx, s, &how, &b));
    gm_node *input = gm_input(b, "x", GM_REAL_NODE, 2, shape), *z = s->family->encode(b, input);
    gm__output outputs[64];
    void *to[64];
    ck_assert_int_le(d, 64);
    for (int64_t i = 0; i < d; i++) {
        gm_node *row;
        gm_gradient(b, gm_sum_all(b, gm_slice(b, z, -1, i, 1)), 1, &input, &row);
        outputs[i] = (gm__output){.node = row};
        to[i] = malloc((size_t)(n * d) * 8);
    }
    gm__plan *plan;
    test_ok(ctx, gm__builder_check(ctx, b));
    test_ok(ctx, gm__plan_create(ctx, b, outputs, (int)d, real, n, &plan));
    gm__builder_free(b);
    gm__run run = {.batch = n, .params = model->params, .inputs = &x, .outputs = to};
    test_ok(ctx, gm__plan_run(ctx, plan, &run));
    for (int64_t row = 0; row < n; row++)
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j < d; j++)
                out[(row * d + i) * d + j] = real == GM__F64 ? ((double *)to[i])[row * d + j]
                                                             : ((float *)to[i])[row * d + j];
    for (int64_t i = 0; i < d; i++)
        free(to[i]);
    gm__plan_free(plan);
}

#endif
