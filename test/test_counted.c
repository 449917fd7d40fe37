/* Columns that count, taken as they are: ranges, supports and files of their transforms. */
#include "transform_cases.h"

#include <math.h>

#define N 60
#define D 6
#define R 5 /* real outputs: all but the category of three */

/* real, integer, ordered of four, binary, category of two, category of three. */
static gm_dataset *rows_of_every_type(gm_context *ctx)
{
    static const int types[D] = {GM_COLUMN_REAL,   GM_COLUMN_INTEGER,  GM_COLUMN_ORDERED,
                                 GM_COLUMN_BINARY, GM_COLUMN_CATEGORY, GM_COLUMN_CATEGORY};
    double x[N * D];
    uint64_t state = 3;
    for (int i = 0; i < N; i++) {
        x[i * D] = test_uniform(&state, -2, 5);
        x[i * D + 1] = floor(test_uniform(&state, -20, 31));
        for (int j = 2; j < D; j++)
            x[i * D + j] = (double)((i + j) % (j == 2 ? 4 : j == 5 ? 3 : 2));
    }
    gm_dataset *data, *next;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, D, 0, &data));
    for (int j = 0; j < D; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, data, j, types[j], 0, &next));
        gm_dataset_free(data);
        data = next;
    }
    return data;
}

static gm_status fit_counting(gm_context *ctx, const gm_dataset *data, const char *by,
                              const char *whiten, int64_t levels, gm__transform **t)
{
    gm__counting counting = {.levels = levels};
    gm__values *v = settings(ctx, by, whiten);
    gm_status code = gm__transform_fit(ctx, data, NULL, v, &counting, t);
    gm__values_free(v);
    return code;
}

static gm__transform *counting(gm_context *ctx, const gm_dataset *data, const char *by,
                               int64_t levels)
{
    gm__transform *t;
    test_ok(ctx, fit_counting(ctx, data, by, "false", levels, &t));
    return t;
}

/* Whole values come back exactly; their outputs are levels; what they did is not in log_det. */
START_TEST(there_and_back)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data = rows_of_every_type(ctx), *real;
    double x[N * D], y[N * R], back[N * D], det[N], its_det[N], column[N], low = 100, high = -100;
    int32_t index[N];
    unsigned char support[N];
    gm_x_column c[R];
    gm__dataset_rows(data, NULL, 0, N, x);
    gm__transform *t = counting(ctx, data, ways[_i], 0);
    test_ok(ctx, gm_dataset_select(ctx, data, (const int64_t[]){0}, 1, &real));
    gm__transform *alone = fitted(ctx, real, ways[_i], "false");
    ck_assert_int_eq(gm__transform_reals(t), R);
    ck_assert_int_eq(gm__transform_indices(t), 1);
    ck_assert_int_eq(gm__transform_categories(t, 0), 3);
    ck_assert_int_eq(gm__transform_x_columns(t, c), 4);
    ck_assert(!gm__transform_random(t));
    ck_assert_int_eq(gm__transform_x_columns(alone, NULL), 0);
    gm__transform_forward(t, x, N, &(gm__noise){1, 3, 4}, 0, NULL, y, index, det, support);
    gm__transform_inverse(t, y, index, N, back, NULL);
    ck_assert_msg(memcmp(back + 1, x + 1, (D - 1) * sizeof *x) == 0, "other values came back");
    for (int i = 0; i < N; i++) {
        for (int j = 1; j < D; j++)
            must(back[i * D + j] == x[i * D + j]);
        must(support[i] == 1 && index[i] == (int32_t)x[i * D + 5]);
        must(y[i * R + 3] == x[i * D + 3] && y[i * R + 4] == x[i * D + 4]);
        low = fmin(low, x[i * D + 1]);
        high = fmax(high, x[i * D + 1]);
        column[i] = x[i * D];
    }
    gm__transform_forward(alone, column, N, NULL, 0, NULL, back, NULL, its_det, NULL);
    for (int i = 0; i < N; i++)
        must(test_close(det[i], its_det[i], 1e-14, 1e-14) && back[i] == y[i * R]);
    static const int kinds[R] = {GM_X_REAL, GM_X_LEVELS, GM_X_LEVELS, GM_X_BINARY, GM_X_BINARY};
    for (int j = 0; j < R; j++)
        ck_assert(c[j].kind == kinds[j] && c[j].width == 1 && c[j].struct_size == sizeof c[j]);
    for (int i = 0; i < N; i++) {
        double from_low = (y[i * R + 1] - c[1].low) / c[1].step;
        must(test_close(from_low, x[i * D + 1] - low, 1e-12, 1e-12));
        must(test_close(y[i * R + 2], c[2].low + c[2].step * x[i * D + 2], 1e-12, 1e-12));
    }
    ck_assert(test_close((c[1].high - c[1].low) / c[1].step, high - low, 1e-12, 0));
    ck_assert(test_close((c[2].high - c[2].low) / c[2].step, 3, 1e-12, 0));
    ck_assert(_i != 3 || (c[1].step == 1 && c[1].low == low));
    gm__transform_release(t);
    gm__transform_release(alone);
    gm_dataset_free(real);
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* Anything decodes to a value of the column: the nearest. */
START_TEST(nearest_value)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data, *next;
    static const struct {
        double y[4], x[4];
    } cases[] = {
        {{3.4, 1.4, 0.4, 0.6}, {3, 1, 0, 1}},           {{3.6, 1.6, 0.5, 0.5}, {4, 2, 1, 1}},
        {{-0.4, -7, -1e300, 1e300}, {0, 0, 0, 1}},      {{1e300, 99, NAN, INFINITY}, {40, 3, 0, 1}},
        {{NAN, NAN, -INFINITY, 0.49999}, {0, 0, 0, 0}},
    };
    double whole[N * 4];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 4; j++)
            whole[i * 4 + j] = i % (j == 0 ? 30 : j == 1 ? 4 : 2);
    test_ok(ctx, gm_dataset_from_f64(ctx, whole, N, 4, 0, &data));
    for (int j = 0; j < 4; j++) {
        static const int types[] = {GM_COLUMN_INTEGER, GM_COLUMN_ORDERED, GM_COLUMN_BINARY,
                                    GM_COLUMN_CATEGORY};
        test_ok(ctx, gm_dataset_with_type(ctx, data, j, types[j], 0, &next));
        gm_dataset_free(data);
        data = next;
    }
    gm__transform *t = counting(ctx, data, "none", 41);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x[4];
        gm__transform_inverse(t, cases[i].y, NULL, 1, x, NULL);
        for (int j = 0; j < 4; j++)
            ck_assert_msg(x[j] == cases[i].x[j], "case %d, column %d: %g", (int)i, j, x[j]);
    }
    gm__transform_release(t);
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

START_TEST(support_of_ranges)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data = rows_of_every_type(ctx);
    static const double good[D] = {1, 2, 1, 0, 1, 2};
    static const struct {
        int column;
        double value;
    } bad[] = {{0, NAN}, {1, 0.5}, {1, -21}, {1, 31},  {1, NAN}, {1, 1e300}, {2, 4},   {2, -1},
               {2, 1.5}, {3, 2},   {3, -1},  {3, 0.5}, {3, NAN}, {4, 2},     {4, 0.2}, {5, 3}};
    gm__transform *t = counting(ctx, data, ways[_i], 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double x[2 * D], y[2 * R], det[2], slope[2 * D], ones[2 * R];
        int32_t index[2];
        unsigned char support[2];
        memcpy(x, good, sizeof good);
        memcpy(x + D, good, sizeof good);
        x[D + bad[i].column] = bad[i].value;
        for (int j = 0; j < 2 * R; j++)
            ones[j] = 1;
        gm__transform_forward(t, x, 2, NULL, 0, NULL, y, index, det, support);
        ck_assert_msg(support[0] == 1 && support[1] == 0, "case %d: %d, %d", (int)i, support[0],
                      support[1]);
        for (int j = 0; j < 2 * R; j++)
            ck_assert(isfinite(y[j]));
        gm__transform_gradient(t, x, ones, 2, slope);
        ck_assert(slope[0] != 0);
        for (int j = 1; j < D; j++)
            ck_assert(slope[j] == 0 && slope[D + j] == 0);
    }
    gm__transform_release(t);
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* levels: one scale for all whole numbers; rows outside are named. */
START_TEST(levels)
{
    gm_context *ctx = test_context(NULL);
    double x[20];
    gm_dataset *numbers, *data;
    gm_x_column c;
    gm__transform *t = NULL;
    for (int i = 0; i < 20; i++)
        x[i] = 100 + i % 7;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 20, 1, 0, &numbers));
    test_ok(ctx, gm_dataset_with_type(ctx, numbers, 0, GM_COLUMN_INTEGER, 0, &data));
    t = counting(ctx, data, "standard", 256);
    ck_assert_int_eq(gm__transform_x_columns(t, &c), 1);
    ck_assert(c.low == -1 && c.high == 1 && test_close(c.step, 2. / 255, 1e-15, 0));
    gm__transform_release(t);
    t = NULL;
    test_fails(ctx, fit_counting(ctx, data, "standard", "false", 106, &t), GM_E_DATA,
               "row 7: column 1 is 106, with the option levels=106 it must be 0 to 105; its "
               "values run from 100 to 106: set levels to 107 at least, or to 0");
    ck_assert_ptr_null(t);
    test_fails(ctx, fit_counting(ctx, data, "standard", "true", 0, &t), GM_E_UNSUPPORTED,
               "column 1 is of type integer");
    gm_dataset_free(numbers);
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

/* Through their file: the same, or refused where a number makes no range. */
START_TEST(files)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *data = rows_of_every_type(ctx);
    const gm__schema *schema = gm__dataset_schema(data);
    gm__transform *t = counting(ctx, data, ways[_i], 0), *u;
    static const double numbers[] = {0,     -1,     0.5,      1,    2,      7,
                                     1e300, -1e300, 0x1p53,   1e16, 1e-320, -0.0,
                                     1e-12, NAN,    INFINITY, 3,    40};
    double x[N * D], y[N * R], z[N * R], back[D];
    int32_t index[N];
    unsigned char support[N];
    int refused = 0, taken = 0;
    gm__dataset_rows(data, NULL, 0, N, x);
    gm__transform_forward(t, x, N, NULL, 0, NULL, y, index, NULL, support);
    test_ok(ctx, reparse(ctx, t, schema, -1, 0, &u));
    gm__transform_forward(u, x, N, NULL, 0, NULL, z, index, NULL, support);
    ck_assert_mem_eq(y, z, sizeof y);
    gm__transform_release(u);
    ck_assert_int_eq(reparse(ctx, t, schema, -2, 0, &u), GM_E_FORMAT);
    for (int64_t flip = 0; flip < 400; flip++)
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            gm_status got = reparse(ctx, t, schema, flip, numbers[i], &u);
            must(got == GM_OK || got == GM_E_FORMAT);
            refused += got != GM_OK;
            if (got)
                continue;
            taken++;
            gm__transform_forward(u, x, 1, NULL, 0, NULL, z, index, NULL, support);
            gm__transform_inverse(u, z, index, 1, back, NULL);
            for (int j = 1; j < D; j++)
                must(back[j] == floor(back[j]));
            gm__transform_release(u);
        }
    ck_assert_int_gt(refused, 100);
    ck_assert_int_gt(taken, 100);
    gm__transform_release(t);
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("counted");
    TCase *t = tcase_create("counted");
    tcase_add_loop_test(t, there_and_back, 0, 4);
    tcase_add_test(t, nearest_value);
    tcase_add_loop_test(t, support_of_ranges, 0, 4);
    tcase_add_test(t, levels);
    tcase_add_loop_test(t, files, 0, 4);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
