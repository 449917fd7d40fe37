/* What the tests of flows share: data of known density, and fits in one call. */
#ifndef TEST_FLOW_CASES_H
#define TEST_FLOW_CASES_H

#include "genmod/genmod.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A normal number by Box and Muller from the tests' own stream. */
static inline double case_normal(uint64_t *state)
{
    double u = test_uniform(state, 1e-12, 1), v = test_uniform(state, 0, 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* A bent, correlated cloud (n, d): nothing that a linear map makes normal. Freed by the caller. */
static inline double *case_cloud(int64_t n, int64_t d, uint64_t seed)
{
    double *x = malloc((size_t)(n * d) * sizeof *x);
    uint64_t state = seed;
    for (int64_t i = 0; i < n; i++) {
        double a = case_normal(&state);
        for (int64_t j = 0; j < d; j++) {
            double e = case_normal(&state);
            x[i * d + j] = j == 0 ? a
                                  : 0.5 * a * a + 0.3 * (double)j + 0.4 * e +
                                        (j > 1 ? 0.3 * x[i * d + j - 1] : 0);
        }
    }
    return x;
}

/* A bag from "name=value" texts, ended by NULL. */
static inline gm_options *case_options(gm_context *ctx, const char *const *settings)
{
    gm_options *bag;
    test_ok(ctx, gm_options_create(ctx, &bag));
    for (; *settings; settings++) {
        char name[64];
        const char *equals = strchr(*settings, '=');
        memcpy(name, *settings, (size_t)(equals - *settings));
        name[equals - *settings] = 0;
        test_ok(ctx, gm_options_set_text(ctx, bag, name, equals + 1));
    }
    return bag;
}

/* Fits "flow" to x (n, d); settings as in case_options, seed included. */
static inline gm_model *case_fit(gm_context *ctx, const double *x, int64_t n, int64_t d,
                                 const char *const *settings)
{
    gm_dataset *rows;
    gm_model *model;
    gm_options *how = case_options(ctx, settings);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

static inline gm_array case_array(int32_t dtype, void *data, int64_t n, int64_t d)
{
    gm_array a;
    gm_array_init(&a, dtype, data, n, d);
    return a;
}

#endif
