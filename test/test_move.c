/* Moves against loops over their definition. */
#include "support.h"
#include "kernels/kernels.h"

#include <stdlib.h>

static uint64_t seed = 2;

static int64_t draw(int64_t low, int64_t high)
{
    return low + (int64_t)(test_random(&seed) % (uint64_t)(high - low + 1));
}

static char *bytes(int64_t n)
{
    char *x = malloc((size_t)n + 16);
    for (int64_t i = 0; i < n; i++)
        x[i] = (char)test_random(&seed);
    return x;
}

static const size_t sizes[] = {1, 2, 4, 8, 16};

/* Element `flat` of the shape, by division. */
static int64_t offset_of(int64_t flat, int ndim, const int64_t *shape, const int64_t *strides)
{
    int64_t at = 0;
    for (int i = ndim - 1; i >= 0; i--) {
        at += flat % shape[i] * strides[i];
        flat /= shape[i];
    }
    return at;
}

static void check_copy(int ndim, const int64_t *shape, const int64_t *strides, size_t size)
{
    int64_t n = 1, low = 0, high = 0;
    for (int i = 0; i < ndim; i++) {
        n *= shape[i];
        if (shape[i] > 0)
            *(strides[i] < 0 ? &low : &high) += (shape[i] - 1) * strides[i];
    }
    char *x = bytes((high - low + 1) * (int64_t)size), *base = x - low * (int64_t)size;
    char *y = malloc((size_t)n * size + 1);
    for (int k = 0; gm__kernels_at(k); k++) {
        memset(y, 0x55, (size_t)n * size + 1);
        gm__kernels_at(k)->moves->copy(y, base, ndim, shape, strides, size);
        for (int64_t i = 0; i < n; i++)
            must(memcmp(y + (size_t)i * size,
                             base + offset_of(i, ndim, shape, strides) * (int64_t)size, size) == 0);
        must(y[(size_t)n * size] == 0x55);
    }
    free(x);
    free(y);
}

START_TEST(copies_follow_strides)
{
    for (int c = 0; c < (test_quick() ? 200 : 2000); c++) {
        int64_t shape[8], strides[8], order[8], step = 1;
        int ndim = (int)draw(0, c % 4 ? 4 : 8), most = ndim > 4 ? 4 : 19;
        for (int i = 0; i < ndim; i++) {
            shape[i] = draw(c % 50 ? 1 : 0, most);
            order[i] = i;
        }
        for (int i = ndim - 1; i > 0; i--) {
            int64_t j = draw(0, i), t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
        for (int i = ndim - 1; i >= 0;
             i--) { /* a permuted array, with gaps, repeats and reversals */
            int64_t d = c % 3 ? order[i] : i;
            strides[d] = draw(0, 7) ? step : 0;
            step *= shape[d] ? shape[d] : 1;
            step += draw(0, 5) ? 0 : 2;
            if (draw(0, 9) == 0)
                strides[d] = -strides[d];
        }
        check_copy(ndim, shape, strides, sizes[draw(0, 4)]);
    }
}
END_TEST

START_TEST(transposes)
{
    static const int64_t sides[] = {0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33, 64, 100};
    enum { SIDES = sizeof sides / sizeof *sides };
    for (int c = 0; c < SIDES * SIDES; c++)
        for (int s = 0; s < 5; s++) {
            int64_t rows = sides[c / SIDES], cols = sides[c % SIDES];
            size_t size = sizes[s];
            char *x = bytes(rows * cols * (int64_t)size),
                 *y = malloc((size_t)(rows * cols) * size + 1);
            for (int k = 0; gm__kernels_at(k); k++) {
                gm__kernels_at(k)->moves->transpose(y, x, rows, cols, size);
                for (int64_t i = 0; i < rows; i++)
                    for (int64_t j = 0; j < cols; j++)
                        must(memcmp(y + (size_t)(j * rows + i) * size,
                                         x + (size_t)(i * cols + j) * size, size) == 0);
            }
            free(x);
            free(y);
        }
}
END_TEST

START_TEST(gathers_with_zeros_out_of_range)
{
    static const int32_t index[] = {3, 0, 0, 4, -1, 2, 5, INT32_MIN, INT32_MAX};
    enum { COUNT = 5, ROWS = sizeof index / sizeof *index };
    for (int s = 0; s < 5; s++)
        for (int64_t cols = 0; cols < 20; cols += 3) {
            size_t row = (size_t)cols * sizes[s];
            char *x = bytes(COUNT * (int64_t)row), *y = malloc(ROWS * row + 1),
                 *zero = calloc(1, row + 1);
            gm__kernels_find("auto")->moves->gather(y, x, index, ROWS, COUNT, cols, sizes[s]);
            for (int i = 0; i < ROWS; i++)
                must(memcmp(y + (size_t)i * row,
                            index[i] < 0 || index[i] >= COUNT ? zero : x + (size_t)index[i] * row,
                            row) == 0);
            free(x);
            free(y);
            free(zero);
        }
}
END_TEST

/* The chain in the order of n, in the type; only the columns asked for. */
START_TEST(scatters_add_in_order)
{
    enum { COUNT = 6, ROWS = 50, COLS = 45 };
    float x[ROWS * COLS], y[COUNT * COLS], want[COUNT * COLS];
    double dx[ROWS * COLS], dy[COUNT * COLS], dwant[COUNT * COLS];
    int32_t index[ROWS];
    for (int k = 0; gm__kernels_at(k); k++) {
        for (int i = 0; i < ROWS * COLS; i++)
            dx[i] = x[i] = (float)test_uniform(&seed, -1, 1);
        for (int i = 0; i < COUNT * COLS; i++)
            dy[i] = dwant[i] = y[i] = want[i] = (float)test_uniform(&seed, -1, 1);
        for (int i = 0; i < ROWS; i++)
            index[i] = (int32_t)draw(-1, COUNT);
        for (int i = 0; i < ROWS; i++)
            for (int j = 2; j < 43 && index[i] >= 0 && index[i] < COUNT; j++) {
                want[index[i] * COLS + j] += x[i * COLS + j];
                dwant[index[i] * COLS + j] += dx[i * COLS + j];
            }
        gm__kernels_at(k)->moves->scatter_add[0](y, x, index, ROWS, COUNT, COLS, 2, 20);
        gm__kernels_at(k)->moves->scatter_add[0](y, x, index, ROWS, COUNT, COLS, 20, 43);
        gm__kernels_at(k)->moves->scatter_add[1](dy, dx, index, ROWS, COUNT, COLS, 2, 43);
        must(memcmp(y, want, sizeof y) == 0);
        must(memcmp(dy, dwant, sizeof dy) == 0);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("move");
    TCase *c = tcase_create("move");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, copies_follow_strides);
    tcase_add_test(c, transposes);
    tcase_add_test(c, gathers_with_zeros_out_of_range);
    tcase_add_test(c, scatters_add_in_order);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
