/* Reductions against their stated order, written out in plain loops, bit by bit on every
 * instruction set; softmax and logsumexp against long double and at the ends of the number range.
 */
#include "support.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

static uint64_t seed = 4;
static const int64_t lengths[] = {1,  2,  3,  5,  8,  9,   15,  16,  17,  31,
                                  32, 33, 48, 63, 64, 100, 255, 784, 1000};
enum { LENGTHS = sizeof lengths / sizeof *lengths, MOST = 1000 };

/* One row in both types, the same values. */
typedef struct row {
    float f[MOST];
    double d[MOST];
} row;

static void fill(row *r, double size)
{
    for (int i = 0; i < MOST; i++)
        r->d[i] = r->f[i] = (float)test_uniform(&seed, -size, size);
}

/* 16 lanes, folded in halves. */
static double sum_of(const double *x, int64_t n, int squared)
{
    double lane[16] = {0};
    for (int64_t i = 0; i < n; i++)
        lane[i % 16] += squared ? x[i] * x[i] : x[i];
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

START_TEST(sums_in_their_order)
{
    row *r = malloc(sizeof *r);
    for (int k = 0; gm__kernels_at(k); k++)
        for (int c = 0; c < LENGTHS; c++) {
            const gm__reductions *g = gm__kernels_at(k)->reductions;
            int64_t n = lengths[c];
            double want, wide, yd;
            float yf;
            fill(r, 10);
            want = sum_of(r->d, n, 0);
            g->row_sum[0](&yf, r->f, 1, n);
            g->row_sum[1](&yd, r->d, 1, n);
            g->row_sum_wide(&wide, r->f, 1, n);
            must(yf == (float)want && yd == want && wide == want);
            must(g->sum[0](r->f, n) == want && g->sum[1](r->d, n) == want);
            want = sum_of(r->d, n, 1);
            must(g->sum_squares[0](r->f, n) == want && g->sum_squares[1](r->d, n) == want);
        }
    must(gm__kernels_find("auto")->reductions->sum[0](r->f, 0) == 0);
    free(r);
}
END_TEST

START_TEST(columns_in_their_order)
{
    static const int64_t shapes[][2] = {{1, 1},     {64, 5},    {65, 200},
                                        {512, 256}, {128, 784}, {130, 131}};
    for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++) {
        int64_t rows = shapes[c][0], cols = shapes[c][1];
        float *x = malloc((size_t)(rows * cols) * 4), *y = malloc((size_t)cols * 4);
        double *xd = malloc((size_t)(rows * cols) * 8), *yd = malloc((size_t)cols * 8);
        for (int64_t i = 0; i < rows * cols; i++)
            xd[i] = x[i] = (float)test_uniform(&seed, -1, 1);
        for (int k = 0; gm__kernels_at(k); k++) {
            const gm__reductions *g = gm__kernels_at(k)->reductions;
            int64_t cut = cols / 3;
            g->col_sum[0](y, x, rows, cols, cut, cols);
            g->col_sum[0](y, x, rows, cols, 0, cut);
            g->col_sum[1](yd, xd, rows, cols, 0, cut);
            g->col_sum[1](yd, xd, rows, cols, cut, cols);
            for (int64_t j = 0; j < cols; j++) {
                float sum = 0;
                double sum_d = 0;
                for (int64_t r = 0; r < rows; r += GM__ROW_CUT) {
                    float piece = 0;
                    double piece_d = 0;
                    for (int64_t i = r; i < rows && i < r + GM__ROW_CUT; i++) {
                        piece += x[i * cols + j];
                        piece_d += xd[i * cols + j];
                    }
                    sum += piece;
                    sum_d += piece_d;
                }
                must(y[j] == sum && yd[j] == sum_d);
            }
        }
        free(x);
        free(y);
        free(xd);
        free(yd);
    }
}
END_TEST

START_TEST(maxima)
{
    row *r = malloc(sizeof *r);
    for (int k = 0; gm__kernels_at(k); k++)
        for (int c = 0; c < LENGTHS; c++) {
            const gm__reductions *g = gm__kernels_at(k)->reductions;
            int64_t n = lengths[c], at = (int64_t)(test_random(&seed) % (uint64_t)n);
            float yf;
            double yd;
            fill(r, 5);
            r->f[at] = 7;
            r->d[at] = 7;
            g->row_max[0](&yf, r->f, 1, n);
            g->row_max[1](&yd, r->d, 1, n);
            must(yf == 7 && yd == 7);
            r->f[at] = NAN;
            g->row_max[0](&yf, r->f, 1, n);
            must(isnan(yf));
        }
    free(r);
}
END_TEST

/* All four of one row, against long double. */
static void check_row(const gm__reductions *g, const row *r, int64_t n)
{
    static float yf[MOST], lf[MOST];
    static double yd[MOST], ld[MOST];
    float ef;
    double ed;
    long double top = r->d[0], sum = 0;
    for (int64_t i = 0; i < n; i++)
        top = r->d[i] > top ? r->d[i] : top;
    for (int64_t i = 0; i < n; i++)
        sum += expl(r->d[i] - top);
    g->softmax[0](yf, r->f, 1, n);
    g->softmax[1](yd, r->d, 1, n);
    g->log_softmax[0](lf, r->f, 1, n);
    g->log_softmax[1](ld, r->d, 1, n);
    g->logsumexp[0](&ef, r->f, 1, n);
    g->logsumexp[1](&ed, r->d, 1, n);
    for (int64_t i = 0; i < n; i++) {
        double p = (double)(expl(r->d[i] - top) / sum), l = (double)((r->d[i] - top) - logl(sum));
        must_msg(test_close(yf[i], p, 3e-7 + 1.2e-7 * fabs(l), 1e-44), "softmax: %g not %g", yf[i],
                 p);
        must_msg(test_close(yd[i], p, 6e-16 + 2.3e-16 * fabs(l), 1e-320),
                 "softmax: %.17g not %.17g", yd[i], p);
        must_msg(test_close(lf[i], fmax(l, -0x1.fffffep127), 2e-7, 2e-7), "log softmax: %g not %g",
                 lf[i], l);
        must_msg(test_close(ld[i], l, 1e-15, 1e-15), "log softmax: %.17g not %.17g", ld[i], l);
    }
    must(test_close(ef, (double)(top + logl(sum)), 2e-7, 1e-7));
    must(test_close(ed, (double)(top + logl(sum)), 1e-15, 1e-15));
}

START_TEST(softmax_and_its_logarithm)
{
    row *r = malloc(sizeof *r);
    for (int k = 0; gm__kernels_at(k); k++)
        for (int c = 0; c < LENGTHS * 3; c++) {
            fill(r, c % 3 == 0 ? 1 : c % 3 == 1 ? 40 : 3e38);
            check_row(gm__kernels_at(k)->reductions, r, lengths[c / 3]);
        }
    free(r);
}
END_TEST

START_TEST(infinities_have_limits)
{
    for (int k = 0; gm__kernels_at(k); k++) {
        const gm__reductions *g = gm__kernels_at(k)->reductions;
        for (int64_t n = 1; n < 40; n++) {
            float x[40], y[40], e;
            for (int i = 0; i < 40; i++)
                x[i] = -INFINITY;
            g->softmax[0](y, x, 1, n);
            for (int64_t i = 0; i < n; i++)
                must(y[i] == 0);
            g->log_softmax[0](y, x, 1, n);
            for (int64_t i = 0; i < n; i++)
                must(y[i] == -INFINITY);
            g->logsumexp[0](&e, x, 1, n);
            must(e == -INFINITY);
            x[n / 2] = 3e38f;
            g->softmax[0](y, x, 1, n);
            g->logsumexp[0](&e, x, 1, n);
            must(y[n / 2] == 1 && e == 3e38f && (n < 2 || y[0] == (n / 2 == 0)));
            x[n / 2] = INFINITY;
            x[0] = INFINITY;
            g->softmax[0](y, x, 1, n);
            g->logsumexp[0](&e, x, 1, n);
            must(y[0] == (n < 2 ? 1.0f : 0.5f) && e == INFINITY);
            x[n - 1] = NAN;
            g->softmax[0](y, x, 1, n);
            must(isnan(y[0]) && isnan(y[n - 1]));
        }
    }
}
END_TEST

START_TEST(running_sums)
{
    for (int k = 0; gm__kernels_at(k); k++)
        for (int how = 0; how < 4; how++) {
            float x[3 * 21], y[3 * 21];
            double xd[3 * 21], yd[3 * 21];
            for (int i = 0; i < 63; i++)
                xd[i] = x[i] = (float)test_uniform(&seed, -1, 1);
            gm__kernels_at(k)->reductions->cumsum[0](y, x, 3, 21, how & 1, how >> 1);
            gm__kernels_at(k)->reductions->cumsum[1](yd, xd, 3, 21, how & 1, how >> 1);
            for (int i = 0; i < 3; i++) {
                double sum = 0;
                for (int j = 0; j < 21; j++) {
                    int c = i * 21 + (how & 1 ? 20 - j : j);
                    double want = how >> 1 ? sum : sum + xd[c];
                    sum += xd[c];
                    must(y[c] == (float)want && yd[c] == want);
                }
            }
        }
}
END_TEST

/* Rows together, in place, on every instruction set: the bits of each row alone. */
START_TEST(one_set_of_bits)
{
    enum { ROWS = 5 };
    typedef void rows_fn(void *y, const void *x, int64_t rows, int64_t cols);
    static float xs[ROWS * MOST], a[ROWS * MOST], b[ROWS * MOST];
    static double xd[ROWS * MOST], ad[ROWS * MOST], bd[ROWS * MOST];
    const gm__reductions *base = gm__kernels_at(0)->reductions;
    for (int c = 0; c < LENGTHS; c++) {
        int64_t cols = lengths[c], n = ROWS * cols;
        for (int64_t i = 0; i < n; i++)
            xd[i] = xs[i] = (float)test_uniform(&seed, -9, 9);
        for (int k = 0; gm__kernels_at(k); k++) {
            const gm__reductions *g = gm__kernels_at(k)->reductions;
            rows_fn *of_base[][2] = {{base->softmax[0], base->softmax[1]},
                                     {base->log_softmax[0], base->log_softmax[1]}};
            rows_fn *of_this[][2] = {{g->softmax[0], g->softmax[1]},
                                     {g->log_softmax[0], g->log_softmax[1]}};
            for (int f = 0; f < 2; f++) {
                memcpy(b, xs, sizeof b);
                memcpy(bd, xd, sizeof bd);
                of_this[f][0](b, b, ROWS, cols);
                of_this[f][1](bd, bd, ROWS, cols);
                for (int i = 0; i < ROWS; i++) {
                    of_base[f][0](a + i * cols, xs + i * cols, 1, cols);
                    of_base[f][1](ad + i * cols, xd + i * cols, 1, cols);
                }
                must(memcmp(a, b, (size_t)n * 4) == 0 && memcmp(ad, bd, (size_t)n * 8) == 0);
            }
            base->logsumexp[0](a, xs, ROWS, cols);
            g->logsumexp[0](b, xs, ROWS, cols);
            base->logsumexp[1](ad, xd, ROWS, cols);
            g->logsumexp[1](bd, xd, ROWS, cols);
            must(memcmp(a, b, ROWS * 4) == 0 && memcmp(ad, bd, ROWS * 8) == 0);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reduce");
    TCase *c = tcase_create("reduce");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, sums_in_their_order);
    tcase_add_test(c, columns_in_their_order);
    tcase_add_test(c, maxima);
    tcase_add_test(c, softmax_and_its_logarithm);
    tcase_add_test(c, infinities_have_limits);
    tcase_add_test(c, running_sums);
    tcase_add_test(c, one_set_of_bits);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
