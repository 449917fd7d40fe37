/* Transforms of odd columns: of any size, with few floats between their ends, full of ties. */
#include "transform_cases.h"

#include <math.h>

/* A column of any size is fitted, comes back, and can be saved; in units by a power of two it gives
 * the same bits. */
static void check_column(gm_context *ctx, const double *x, int64_t n, const char *by, double *y)
{
    gm_dataset *data;
    gm__transform *t, *u;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, 1, 0, &data));
    for (int whiten = 0; whiten < 2; whiten++) {
        t = fitted(ctx, data, by, yes_no[!whiten]);
        test_ok(ctx, reparse(ctx, t, gm__dataset_schema(data), -1, 0, &u));
        for (int64_t i = 0; i < n; i++) {
            double back, det, undo;
            unsigned char support;
            gm__transform_forward(u, x + i, 1, NULL, 0, NULL, y + i, NULL, &det, &support);
            gm__transform_inverse(u, y + i, NULL, 1, &back, &undo);
            test_check(support && isfinite(y[i]) && fabs(y[i]) < 100 && isfinite(det) &&
                           test_close(undo, -det, 1e-6, 1e-6),
                       "%s: %.17g: %g, log det %g and %g", by, x[i], y[i], det, undo);
            test_check(test_close(back, x[i], 1e-9, 1e-8 * fabs(x[0] - x[n - 1])),
                       "%s: %.17g: %.17g", by, x[i], back);
        }
        gm__transform_release(t);
        gm__transform_release(u);
    }
    gm_dataset_free(data);
}

START_TEST(any_size)
{
    enum { N = 300 };
    static const int powers[] = {0,    400,  510,  520,  700,  1000,  1015,  1022,
                                 -400, -510, -520, -700, -900, -1000, -1015, -1060};
    gm_context *ctx = test_context(NULL);
    double x[N], y[N], first[N];
    for (int k = 0; k < 3; k++)
        for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
            uint64_t seed = 5;
            for (int i = 0; i < N; i++) {
                double v = test_uniform(&seed, -1, 1);
                x[i] = ldexp(v * v * v + 0.001 * test_uniform(&seed, -1, 1), powers[p]);
            }
            check_column(ctx, x, N, ways[k], p ? y : first);
            if (p && powers[p] < 1010 && powers[p] > -950)
                ck_assert_msg(!memcmp(first, y, sizeof y), "%s: 2^%d", ways[k], powers[p]);
        }
    gm_context_free(ctx);
}
END_TEST

/* Few floats between the least and the greatest: a logit's ends must still lie outside. */
START_TEST(narrow_columns)
{
    enum { N = 200 };
    gm_context *ctx = test_context(NULL);
    double x[N], y[N];
    uint64_t seed = 9;
    for (int k = 0; k < 3; k++) {
        for (int few = 2; few < 60; few++) {
            for (int i = 0; i < N; i++)
                x[i] = 3 + i % few * 0x1p-51;
            check_column(ctx, x, N, ways[k], y);
        }
        for (int i = 0; i < N; i++)
            x[i] = 1.6e9 + test_uniform(&seed, 0, 1) * 1e-5;
        check_column(ctx, x, N, ways[k], y);
        for (int i = 0; i < N; i++)
            x[i] = -1.6e9 - test_uniform(&seed, 0, 1) * 1e-5;
        check_column(ctx, x, N, ways[k], y);
        for (int i = 0; i < N; i++)
            x[i] = i % 3 * 5e-324;
        check_column(ctx, x, N, ways[k], y);
        for (int i = 0; i < N; i++)
            x[i] = (i % 5 - 2) * 0x1.fp1021;
        check_column(ctx, x, N, ways[k], y);
    }
    gm_context_free(ctx);
}
END_TEST

/* Nearly all values the least one or the greatest: the tail on that side stays of the data's
 * size. */
START_TEST(quantile_ties)
{
    enum { N = 2000 };
    gm_context *ctx = test_context(NULL);
    static double x[N], y[N];
    for (int side = -1; side < 2; side += 2) {
        gm_dataset *data;
        for (int i = 0; i < N; i++)
            x[i] = side * (i == N / 2 ? 1000.25 : 0.5);
        check_column(ctx, x, N, "quantile", y);
        test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 1, 0, &data));
        gm__transform *t = fitted(ctx, data, "quantile", "false");
        for (double z = -3; z <= 3; z += 0.25) {
            double back;
            gm__transform_inverse(t, &z, NULL, 1, &back, NULL);
            ck_assert_msg(fabs(back) < 3000, "z = %g is %g", z, back);
        }
        gm__transform_release(t);
        gm_dataset_free(data);
    }
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("transform_odd");
    TCase *c = tcase_create("transform_odd");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, any_size);
    tcase_add_test(c, narrow_columns);
    tcase_add_test(c, quantile_ties);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
