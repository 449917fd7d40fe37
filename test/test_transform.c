/* Transforms: log-determinants against differences, inverses, the same bits in other units, files.
 */
#include "transform_cases.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 500, COLUMNS = 4 };

/* Correlated columns of different sizes; the last is skew. */
static void make_rows(double *x)
{
    uint64_t seed = 7;
    for (int i = 0; i < ROWS; i++) {
        double a = test_uniform(&seed, -1, 1), b = test_uniform(&seed, -1, 1),
               c = test_uniform(&seed, 0.001, 1);
        x[i * COLUMNS] = 3 + a + test_uniform(&seed, -0.3, 0.3);
        x[i * COLUMNS + 1] = 1000 * (a + 0.3 * b);
        x[i * COLUMNS + 2] = 1e-3 * (b - a) - 5;
        x[i * COLUMNS + 3] = exp(3 * c) + 0.1 * b;
    }
}

/* log |det| of a small matrix by elimination with pivots. */
static double log_abs_det(double *a, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++) {
        int p = k;
        for (int i = k; i < n; i++)
            p = fabs(a[i * n + k]) > fabs(a[p * n + k]) ? i : p;
        for (int j = 0; j < n; j++) {
            double t = a[k * n + j];
            a[k * n + j] = a[p * n + j];
            a[p * n + j] = t;
        }
        sum += log(fabs(a[k * n + k]));
        for (int i = k + 1; i < n; i++)
            for (int j = n - 1; j >= k; j--)
                a[i * n + j] -= a[i * n + k] / a[k * n + k] * a[k * n + j];
    }
    return sum;
}

/* ---- Real columns ---------------------------------------------------------------------------- */

static double numeric_log_det(const gm__transform *t, const double *x)
{
    double a[COLUMNS * COLUMNS];
    for (int j = 0; j < COLUMNS; j++) {
        double up[COLUMNS], down[COLUMNS], yu[COLUMNS], yd[COLUMNS];
        double h = 1e-6 * (j == 1 ? 500 : j == 2 ? 5e-4 : 0.5);
        memcpy(up, x, sizeof up);
        memcpy(down, x, sizeof down);
        up[j] += h;
        down[j] -= h;
        gm__transform_forward(t, up, 1, NULL, 0, NULL, yu, NULL, NULL, NULL);
        gm__transform_forward(t, down, 1, NULL, 0, NULL, yd, NULL, NULL, NULL);
        for (int i = 0; i < COLUMNS; i++)
            a[i * COLUMNS + j] = (yu[i] - yd[i]) / (up[j] - down[j]);
    }
    return log_abs_det(a, COLUMNS);
}

START_TEST(real_columns)
{
    gm_context *ctx = test_context(NULL);
    static double x[ROWS * COLUMNS], y[ROWS * COLUMNS], back[ROWS * COLUMNS], det[ROWS], undo[ROWS];
    unsigned char support[ROWS];
    gm_dataset *data;
    make_rows(x);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, COLUMNS, 0, &data));
    for (int k = 0; k < 8; k++) {
        gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]);
        ck_assert_int_eq(gm__transform_reals(t), COLUMNS);
        ck_assert_int_eq(gm__transform_random(t), 0);
        gm__transform_forward(t, x, ROWS, NULL, 0, NULL, y, NULL, det, support);
        gm__transform_inverse(t, y, NULL, ROWS, back, undo);
        for (int i = 0; i < ROWS; i++) {
            ck_assert_int_eq(support[i], 1);
            ck_assert_msg(test_close(undo[i], -det[i], 1e-9, 1e-9), "%s %d: %g, not %g",
                          ways[k / 2], k % 2, undo[i], -det[i]);
            for (int j = 0; j < COLUMNS; j++)
                ck_assert_msg(test_close(back[i * COLUMNS + j], x[i * COLUMNS + j], 1e-10, 1e-11),
                              "%s %d: row %d col %d %.17g %.17g", ways[k / 2], k % 2, i, j,
                              back[i * COLUMNS + j], x[i * COLUMNS + j]);
        }
        for (int i = 0; i < ROWS - 1;
             i += 37) { /* between rows: the knots of a quantile are values of the data */
            double middle[COLUMNS], z[COLUMNS], here;
            for (int j = 0; j < COLUMNS; j++)
                middle[j] = (x[i * COLUMNS + j] + x[(i + 1) * COLUMNS + j]) / 2;
            gm__transform_forward(t, middle, 1, NULL, 0, NULL, z, NULL, &here, NULL);
            double want = numeric_log_det(t, middle);
            ck_assert_msg(test_close(here, want, 0, 1e-5),
                          "%s %d: row %d: log det %.9g, differences say %.9g", ways[k / 2], k % 2,
                          i, here, want);
        }
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* Standardised columns have mean 0 and variance 1; whitened ones also no covariance. */
START_TEST(moments)
{
    gm_context *ctx = test_context(NULL);
    static double x[ROWS * COLUMNS], y[ROWS * COLUMNS];
    gm_dataset *data;
    make_rows(x);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, COLUMNS, 0, &data));
    for (int whiten = 0; whiten < 2; whiten++) {
        gm__transform *t = fitted(ctx, data, "standard", yes_no[whiten]);
        gm__transform_forward(t, x, ROWS, NULL, 0, NULL, y, NULL, NULL, NULL);
        for (int a = 0; a < COLUMNS; a++)
            for (int b = 0; b <= a; b++) {
                double mean = 0, product = 0;
                for (int i = 0; i < ROWS; i++) {
                    mean += y[i * COLUMNS + a] / ROWS;
                    product += y[i * COLUMNS + a] * y[i * COLUMNS + b] / ROWS;
                }
                ck_assert(fabs(mean) < 1e-10);
                if (a == b)
                    ck_assert(test_close(product, 1, 0, whiten ? 1e-4 : 1e-10));
                else if (whiten)
                    ck_assert(fabs(product) < 1e-4);
            }
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

START_TEST(other_units)
{
    static const double units[COLUMNS] = {1024, 0x1p-40, 0x1p300, 4};
    gm_context *ctx = test_context(NULL);
    static double x[ROWS * COLUMNS], y[ROWS * COLUMNS], scaled[ROWS * COLUMNS], z[ROWS * COLUMNS],
        det[ROWS], det2[ROWS];
    make_rows(x);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        scaled[i] = x[i] * units[i % COLUMNS];
    for (int k = 0; k < 8; k++) {
        if (k / 2 == 3)
            continue; /* none keeps the units */
        gm_dataset *a, *b;
        test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, COLUMNS, 0, &a));
        test_ok(ctx, gm_dataset_from_f64(ctx, scaled, ROWS, COLUMNS, 0, &b));
        gm__transform *t = fitted(ctx, a, ways[k / 2], yes_no[k % 2]),
                      *u = fitted(ctx, b, ways[k / 2], yes_no[k % 2]);
        gm__transform_forward(t, x, ROWS, NULL, 0, NULL, y, NULL, det, NULL);
        gm__transform_forward(u, scaled, ROWS, NULL, 0, NULL, z, NULL, det2, NULL);
        ck_assert_msg(!memcmp(y, z, sizeof y), "%s %d", ways[k / 2], k % 2);
        for (int i = 0; i < ROWS; i++)
            ck_assert_msg(test_close(det[i] - det2[i], (10 - 40 + 300 + 2) * log(2), 0, 1e-9),
                          "%.17g", det[i] - det2[i]);
        gm__transform_release(t);
        gm__transform_release(u);
        gm_dataset_free(a);
        gm_dataset_free(b);
    }
    gm_context_free(ctx);
}
END_TEST

/* q(x) = log p(real(x)) + log det, with log p = -|real|^2 / 2: its gradient against differences. */
START_TEST(gradients)
{
    gm_context *ctx = test_context(NULL);
    static double x[ROWS * COLUMNS];
    gm_dataset *data;
    make_rows(x);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, COLUMNS, 0, &data));
    for (int k = 0; k < 8; k++) {
        gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]);
        for (int i = 0; i < ROWS - 1; i += 29) {
            double y[COLUMNS], dx[COLUMNS], det, at[COLUMNS];
            for (int j = 0; j < COLUMNS; j++)
                at[j] = (x[i * COLUMNS + j] + x[(i + 1) * COLUMNS + j]) / 2;
            gm__transform_forward(t, at, 1, NULL, 0, NULL, y, NULL, NULL, NULL);
            for (int j = 0; j < COLUMNS; j++)
                y[j] = -y[j];
            gm__transform_gradient(t, at, y, 1, dx);
            for (int j = 0; j < COLUMNS; j++) {
                double q[2],
                    h = 1e-6 * (j == 1   ? 500
                                : j == 2 ? 5e-4
                                         : 0.5),
                    z[COLUMNS], u[COLUMNS];
                for (int side = 0; side < 2; side++) {
                    memcpy(z, at, sizeof z);
                    z[j] += side ? h : -h;
                    gm__transform_forward(t, z, 1, NULL, 0, NULL, u, NULL, &det, NULL);
                    q[side] = det;
                    for (int m = 0; m < COLUMNS; m++)
                        q[side] -= u[m] * u[m] / 2;
                }
                double want = (q[1] - q[0]) / (2 * h);
                ck_assert_msg(test_close(dx[j] * h, want * h, 1e-4, 1e-8),
                              "%s %d row %d col %d: %g, not %g", ways[k / 2], k % 2, i, j, dx[j],
                              want);
            }
        }
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* Far outside the data: increasing, finite, and back again. */
START_TEST(quantile_tails)
{
    gm_context *ctx = test_context(NULL);
    static double x[ROWS * COLUMNS];
    gm_dataset *data;
    make_rows(x);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, COLUMNS, 0, &data));
    gm__transform *t = fitted(ctx, data, "quantile", "false");
    double before = -INFINITY;
    for (double v = -1e6; v<1e6; v += v> - 10 && v < 50 ? 0.001 : 333.7) {
        double row[COLUMNS] = {3, 0, -5, v}, y[COLUMNS], back[COLUMNS], det;
        unsigned char support;
        gm__transform_forward(t, row, 1, NULL, 0, NULL, y, NULL, &det, &support);
        gm__transform_inverse(t, y, NULL, 1, back, NULL);
        ck_assert(support && y[3] > before && isfinite(det));
        ck_assert_msg(test_close(back[3], v, 1e-9, 1e-9), "%.17g came back as %.17g", v, back[3]);
        before = y[3];
    }
    gm__transform_release(t);
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* The log density that a normal gives to the quantile outputs is that of the data: an exponential's
 * entropy is 1. */
START_TEST(quantile_learns)
{
    enum { N = 20000 };
    gm_context *ctx = test_context(NULL);
    double *x = malloc(N * sizeof *x), mean = 0;
    uint64_t seed = 3;
    gm_dataset *data;
    for (int i = 0; i < N; i++)
        x[i] = -log(test_uniform(&seed, 0, 1) + 1e-18);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 1, 0, &data));
    gm__transform *t = fitted(ctx, data, "quantile", "false");
    for (int i = 0; i < N; i++) {
        double v = -log(test_uniform(&seed, 0, 1) + 1e-18), y, det;
        gm__transform_forward(t, &v, 1, NULL, 0, NULL, &y, NULL, &det, NULL);
        mean += (det - y * y / 2 - 0.5 * log(2 * 3.141592653589793)) / N;
    }
    ck_assert_msg(test_close(mean, -1, 0, 0.03), "%g", mean);
    gm__transform_release(t);
    gm_dataset_free(data);
    gm_context_free(ctx);
    free(x);
}
END_TEST

/* ---- Mixed columns --------------------------------------------------------------------------- */

static gm_dataset *mixed(gm_context *ctx)
{
    double x[60 * 5];
    gm_dataset *data, *view;
    static const int32_t types[5] = {GM_COLUMN_REAL, GM_COLUMN_INTEGER, GM_COLUMN_CATEGORY,
                                     GM_COLUMN_ORDERED, GM_COLUMN_BINARY};
    for (int i = 0; i < 60; i++) {
        x[i * 5] = i * 0.37;
        x[i * 5 + 1] = i * 7 % 13 - 4;
        x[i * 5 + 2] = 10 + i % 3;
        x[i * 5 + 3] = i % 4;
        x[i * 5 + 4] = i % 5 == 0;
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 60, 5, 0, &data));
    for (int j = 0; j < 5; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, data, j, types[j], 0, &view));
        gm_dataset_free(data);
        data = view;
    }
    return data;
}

START_TEST(mixed_columns)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data = mixed(ctx);
    double x[60 * 5], y[60 * 3], again[60 * 3], back[60 * 5], det[60];
    int32_t index[60 * 2];
    unsigned char support[60];
    gm__dataset_rows(data, NULL, 0, 60, x);
    for (int k = 0; k < 8; k++) {
        gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]);
        gm__noise noise = {1, 11, 5};
        ck_assert_int_eq(gm__transform_columns(t), 5);
        ck_assert_int_eq(gm__transform_reals(t), 3);
        ck_assert_int_eq(gm__transform_indices(t), 2);
        ck_assert_int_eq(gm__transform_categories(t, 0), 3);
        ck_assert_int_eq(gm__transform_categories(t, 1), 2);
        ck_assert(gm__transform_random(t));
        gm__transform_forward(t, x, 60, &noise, 100, NULL, y, index, det, support);
        gm__transform_inverse(t, y, index, 60, back, NULL);
        for (int i = 0; i < 60 * 5; i++)
            ck_assert_msg(test_close(back[i], x[i], 0, 1e-9), "%s %d: %g, not %g", ways[k / 2],
                          k % 2, back[i], x[i]);
        for (int i = 0; i < 60; i++) { /* alone and by number: the same draws */
            int64_t row = 100 + i;
            gm__transform_forward(t, x + i * 5, 1, &noise, 0, &row, again + i * 3, NULL, NULL,
                                  NULL);
            ck_assert_int_eq(support[i], 1);
        }
        ck_assert(!memcmp(y, again, sizeof y));
        noise.step++;
        gm__transform_forward(t, x, 60, &noise, 100, NULL, again, NULL, NULL, NULL);
        ck_assert(memcmp(y, again, sizeof y) != 0);
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

START_TEST(outside_the_support)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data = mixed(ctx);
    static const double good[5] = {1, 2, 1, 2, 1};
    static const struct {
        int column;
        double value;
    } bad[] = {{0, NAN}, {0, INFINITY}, {1, 0.5}, {1, NAN}, {2, -1}, {2, 3},
               {2, 0.5}, {3, 4},        {3, -1},  {3, 1.5}, {4, 2},  {4, NAN}};
    for (int k = 0; k < 8; k++) {
        gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            double x[10], y[6], det[2];
            int32_t index[4];
            unsigned char support[2];
            memcpy(x, good, sizeof good);
            memcpy(x + 5, good, sizeof good);
            x[bad[i].column] = bad[i].value;
            gm__transform_forward(t, x, 2, NULL, 0, NULL, y, index, det, support);
            ck_assert(!support[0] && support[1]);
            for (int j = 0; j < 3; j++)
                ck_assert(isfinite(y[j]));
            ck_assert(isfinite(det[0]) && index[0] >= 0 && index[0] < 3 && index[1] >= 0 &&
                      index[1] < 2);
        }
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* Anything that a network may put out gives finite values, whole and in range where they must be.
 */
START_TEST(wild_outputs)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data = mixed(ctx);
    for (int k = 0; k < 8; k++) {
        gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]);
        for (double z = -1e6; z <= 1e6; z += 49999.7) {
            double real[3] = {z, -z, z}, x[5];
            int32_t index[2] = {2, 1};
            gm__transform_inverse(t, real, index, 1, x, NULL);
            for (int j = 0; j < 5; j++)
                ck_assert(isfinite(x[j]) && (j == 0 || x[j] == floor(x[j])));
            ck_assert(x[3] >= 0 && x[3] <= 3);
        }
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

START_TEST(constant_columns)
{
    gm_context *ctx = test_context(NULL);
    double x[20], y[20], back[20], det[10];
    gm_dataset *data;
    for (int i = 0; i < 10; i++) {
        x[2 * i] = 0.1;
        x[2 * i + 1] = 1e300 * (i % 2 ? 1 : -1);
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 10, 2, 0, &data));
    for (int k = 0; k < 6; k++) {
        gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]);
        gm__transform_forward(t, x, 10, NULL, 0, NULL, y, NULL, det, NULL);
        gm__transform_inverse(t, y, NULL, 10, back, NULL);
        for (int i = 0; i < 10; i++) {
            ck_assert(y[2 * i] == 0 && isfinite(y[2 * i + 1]) && isfinite(det[i]));
            ck_assert(back[2 * i] == x[2 * i] &&
                      test_close(back[2 * i + 1], x[2 * i + 1], 1e-12, 0));
        }
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

START_TEST(circular_columns)
{
    gm_context *ctx = test_context(NULL);
    double x[40], y[40], z[40], back[40];
    gm_dataset *data, *circle;
    for (int i = 0; i < 40; i++)
        x[i] = i * 31.5 - 200;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, 1, 0, &data));
    test_ok(ctx, gm_dataset_with_type(ctx, data, 0, GM_COLUMN_CIRCULAR, 360, &circle));
    gm__transform *t = fitted(ctx, circle, "quantile", "false");
    gm__transform_forward(t, x, 40, NULL, 0, NULL, y, NULL, NULL, NULL);
    for (int i = 0; i < 40; i++)
        x[i] += 360;
    gm__transform_forward(t, x, 40, NULL, 0, NULL, z, NULL, NULL, NULL);
    ck_assert(!memcmp(y, z, sizeof y));
    gm__transform_inverse(t, y, NULL, 40, back, NULL);
    for (int i = 0; i < 40; i++)
        ck_assert(back[i] >= 0 && back[i] < 360 &&
                  test_close(cos(back[i] * 0.017453292519943295), cos(x[i] * 0.017453292519943295),
                             0, 1e-9));
    gm__transform_release(t);
    gm_dataset_free(data);
    gm_dataset_free(circle);
    gm_context_free(ctx);
}
END_TEST

/* ---- Files ----------------------------------------------------------------------------------- */

START_TEST(files)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data = mixed(ctx);
    double x[60 * 5], y[60 * 3], z[60 * 3], det[60], det2[60];
    gm__noise noise = {1, 2, 3};
    gm__dataset_rows(data, NULL, 0, 60, x);
    for (int k = 0; k < 8; k++) {
        gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]), *u = NULL;
        test_ok(ctx, reparse(ctx, t, gm__dataset_schema(data), -1, 0, &u));
        gm__transform_forward(t, x, 60, &noise, 0, NULL, y, NULL, det, NULL);
        gm__transform_forward(u, x, 60, &noise, 0, NULL, z, NULL, det2, NULL);
        ck_assert(!memcmp(y, z, sizeof y) && !memcmp(det, det2, sizeof det));
        gm__transform_release(u);
        test_fails(ctx, reparse(ctx, t, gm__dataset_schema(data), -2, 0, &u), GM_E_FORMAT,
                   "numbers");
        for (int64_t i = 0; i < 60;
             i++) { /* a number spoiled: an error, or a transform that still works */
            static const double spoils[] = {NAN, INFINITY, 0, -1, 1e308, 5e-324};
            unsigned char support[60];
            if (reparse(ctx, t, gm__dataset_schema(data), i, spoils[i % 6], &u) == GM_OK) {
                gm__transform_forward(u, x, 60, &noise, 0, NULL, z, NULL, det2, support);
                gm__transform_release(u);
            }
        }
        gm__transform_release(t);
    }
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* ---- Every machine --------------------------------------------------------------------------- */

/* One fit and one pass on every instruction set that this processor has: the same bits. */
START_TEST(every_instruction_set)
{
    double first[60 * 3], x[60 * 5], y[60 * 3], det[60], first_det[60];
    for (int k = 0; k < 8; k++)
        for (int i = 0; gm__kernels_at(i); i++) {
            gm_context *ctx = test_context(NULL);
            gm__noise noise = {1, 2, 3};
            test_ok(ctx, gm_context_set_text(ctx, "kernels", gm__kernels_at(i)->name));
            gm_dataset *data = mixed(ctx);
            gm__transform *t = fitted(ctx, data, ways[k / 2], yes_no[k % 2]);
            gm__dataset_rows(data, NULL, 0, 60, x);
            gm__transform_forward(t, x, 60, &noise, 0, NULL, y, NULL, det, NULL);
            if (i == 0) {
                memcpy(first, y, sizeof y);
                memcpy(first_det, det, sizeof det);
            }
            ck_assert_msg(!memcmp(first, y, sizeof y) && !memcmp(first_det, det, sizeof det),
                          "%s %d on %s", ways[k / 2], k % 2, gm__kernels_at(i)->name);
            gm__transform_release(t);
            gm_dataset_free(data);
            gm_context_free(ctx);
        }
}
END_TEST

static gm_status without_memory(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    const gm_option_row *tables[] = {gm__transform_options};
    const char *by = arg;
    gm_context *ctx = NULL;
    gm_dataset *data = NULL;
    gm_options *bag = NULL;
    gm__values *v = NULL;
    gm__transform *t = NULL, *u = NULL;
    double x[40];
    for (int i = 0; i < 40; i++)
        x[i] = i * i % 17 + 0.01 * i;
    gm_status code = gm_context_create(&config, &ctx);
    code = code ? code : gm_dataset_from_f64(ctx, x, 20, 2, 0, &data);
    code = code ? code : gm_options_create(ctx, &bag);
    code = code ? code : gm_options_set_text(ctx, bag, "transform", by);
    code = code ? code : gm_options_set_text(ctx, bag, "whiten", "true");
    code = code ? code : gm__values_create(ctx, "fit", tables, 1, GM_STAGE_FIT, bag, &v);
    code = code ? code : gm__transform_fit(ctx, data, NULL, v, NULL, &t);
    code = code ? code : reparse(ctx, t, gm__dataset_schema(data), -1, 0, &u);
    gm__transform_release(t);
    gm__transform_release(u);
    gm__values_free(v);
    gm_options_free(bag);
    gm_dataset_free(data);
    gm_context_free(ctx);
    return code;
}

START_TEST(memory)
{
    for (int i = 0; i < 3; i++)
        ck_assert(test_every_failure(without_memory, (void *)(uintptr_t)ways[i], 0) > 10);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("transform");
    TCase *c = tcase_create("transform");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, real_columns);
    tcase_add_test(c, moments);
    tcase_add_test(c, other_units);
    tcase_add_test(c, gradients);
    tcase_add_test(c, quantile_tails);
    tcase_add_test(c, quantile_learns);
    tcase_add_test(c, mixed_columns);
    tcase_add_test(c, outside_the_support);
    tcase_add_test(c, wild_outputs);
    tcase_add_test(c, constant_columns);
    tcase_add_test(c, circular_columns);
    tcase_add_test(c, files);
    tcase_add_test(c, every_instruction_set);
    tcase_add_test(c, memory);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
