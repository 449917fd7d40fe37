/* Random draws: Philox's published answers, the counter layout element by element, moments and
 * tails, and one set of bits on every instruction set. */
#include "support.h"
#include "base/random.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

/* The known answers of Random123 (Salmon et al. 2011, kat_vectors), through the columns of one row:
 * the counter is (block, row low, row high and purpose, step). */
START_TEST(known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        gm__philox(out, known[i].counter, known[i].key);
        must(memcmp(out, known[i].out, sizeof out) == 0);
    }
    gm__draw zero = {.real = GM__F32};
    for (int k = 0; gm__kernels_at(k); k++) {
        uint32_t out[4];
        gm__kernels_at(k)->draws->words(&zero, out, 1, 4);
        must(memcmp(out, known[0].out, sizeof out) == 0);
    }
}
END_TEST

static gm__draw some_draw(gm__real real)
{
    return (gm__draw){.real = real,
                      .seed = 0x299f31d0a4093822u,
                      .purpose = 0x1319,
                      .step = 0x03707344,
                      .row0 = 0x8a2e85a308d3};
}

/* The word of (row, col) by the scalar function. */
static uint32_t word_of(const gm__draw *d, int64_t row, int64_t col)
{
    uint64_t r = (uint64_t)(d->row0 + row);
    uint32_t counter[4] = {(uint32_t)(col / 4), (uint32_t)r,
                           (uint32_t)(r >> 32 & 0xffff) | d->purpose << 16, (uint32_t)d->step};
    uint32_t key[2] = {(uint32_t)d->seed, (uint32_t)(d->seed >> 32)}, out[4];
    gm__philox(out, counter, key);
    return out[col % 4];
}

START_TEST(words_follow_the_counter)
{
    static const int widths[] = {1, 2, 3, 4, 5, 8, 17, 61, 64, 130, 256};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int k = 0; gm__kernels_at(k); k++) {
            int64_t rows = 7, cols = widths[w];
            uint32_t *y = malloc((size_t)(rows * cols + 1) * sizeof *y);
            gm__draw d = some_draw(GM__F32);
            y[rows * cols] = 0x1234567;
            gm__kernels_at(k)->draws->words(&d, y, rows, cols);
            for (int64_t i = 0; i < rows; i++)
                for (int64_t j = 0; j < cols; j++)
                    must(y[i * cols + j] == word_of(&d, i, j));
            must(y[rows * cols] == 0x1234567);
            free(y);
        }
}
END_TEST

START_TEST(uniforms_are_their_words)
{
    for (int k = 0; gm__kernels_at(k); k++) {
        gm__draw d = some_draw(GM__F32);
        float y[5 * 13];
        double z[5 * 13];
        gm__kernels_at(k)->draws->uniform(&d, y, 5, 13);
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 13; j++)
                must(y[i * 13 + j] == ((word_of(&d, i, j) >> 9) + 0.5f) * 0x1p-23f);
        d.real = GM__F64;
        gm__kernels_at(k)->draws->uniform(&d, z, 5, 13);
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 13; j++) {
                uint64_t bits = word_of(&d, i, 2 * j) | (uint64_t)word_of(&d, i, 2 * j + 1) << 32;
                must(z[i * 13 + j] == ((double)(bits >> 12) + 0.5) * 0x1p-52);
            }
    }
}
END_TEST

/* Box and Muller in long double, from the same words. */
START_TEST(normals_are_their_words)
{
    for (int k = 0; gm__kernels_at(k); k++) {
        gm__draw d = some_draw(GM__F32);
        enum { ROWS = 9, COLS = 31 };
        float y[ROWS * COLS];
        double z[ROWS * COLS];
        gm__kernels_at(k)->draws->normal(&d, y, ROWS, COLS);
        d.real = GM__F64;
        gm__kernels_at(k)->draws->normal(&d, z, ROWS, COLS);
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < COLS; j++) {
                long double u = (word_of(&d, i, j & ~1) + 0.5L) * 0x1p-32L;
                long double angle = 6.283185307179586476925L * word_of(&d, i, j | 1) * 0x1p-32L;
                long double want = sqrtl(-2 * logl(u)) * (j & 1 ? sinl(angle) : cosl(angle));
                must(test_close(y[i * COLS + j], (double)want, 1e-6, 4e-7));
                int64_t c = j & ~1;
                u = (word_of(&d, i, 2 * c) + 0x1p32L * word_of(&d, i, 2 * c + 1) + 0.5L) * 0x1p-64L;
                angle = word_of(&d, i, 2 * c + 2) + 0x1p32L * word_of(&d, i, 2 * c + 3);
                angle *= 6.283185307179586476925L * 0x1p-64L;
                want = sqrtl(-2 * logl(u)) * (j & 1 ? sinl(angle) : cosl(angle));
                must(test_close(z[i * COLS + j], (double)want, 2e-15, 2e-15));
            }
    }
}
END_TEST

/* Any rows alone are the same rows; more columns change none of the first. */
START_TEST(elements_stand_alone)
{
    enum { ROWS = 40, COLS = 23 };
    for (int real = 0; real < 2; real++) {
        size_t w = real == GM__F64 ? 8 : 4;
        gm__draw d = some_draw((gm__real)real);
        char *all = malloc(ROWS * COLS * w), *one = malloc(ROWS * COLS * w * 2);
        gm__kernels_at(0)->draws->normal(&d, all, ROWS, COLS);
        for (int k = 0; gm__kernels_at(k); k++) {
            const gm__draws *draws = gm__kernels_at(k)->draws;
            draws->normal(&d, one, ROWS, COLS);
            must(memcmp(all, one, ROWS * COLS * w) == 0);
            for (int i = 0, m = 1; i < ROWS; i += m, m = m % 5 + 1) {
                gm__draw part = d;
                part.row0 += i;
                m = i + m > ROWS ? ROWS - i : m;
                draws->normal(&part, one, m, COLS);
                must(memcmp(all + (size_t)(i * COLS) * w, one, (size_t)(m * COLS) * w) == 0);
            }
            draws->normal(&d, one, ROWS, COLS * 2);
            for (int i = 0; i < ROWS; i++)
                must(memcmp(all + (size_t)(i * COLS) * w, one + (size_t)(i * COLS * 2) * w,
                            COLS * w) == 0);
        }
        free(all);
        free(one);
    }
}
END_TEST

static double get(gm__real real, const void *x, int64_t i)
{
    return real == GM__F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* `got` of n trials of probability p, within 5 standard errors. */
static void fraction_is(double got, double n, double p, const char *what)
{
    double error = sqrt(n * p * (1 - p));
    must_msg(fabs(got - n * p) <= 5 * error, "%s: %g, not %g +- %g", what, got, n * p, error);
}

static void moments_are(gm__real real, const void *x, int64_t n, double variance, double fourth)
{
    double sum = 0, squares = 0, pairs = 0, before = 0, size = (double)n;
    for (int64_t i = 0; i < n; i++) {
        double v = get(real, x, i);
        sum += v;
        squares += v * v;
        pairs += v * before;
        before = v;
    }
    must(fabs(sum) <= 5 * sqrt(size * variance));
    must(fabs(squares - size * variance) <= 5 * sqrt(size * (fourth - variance * variance)));
    must(fabs(pairs) <= 5 * sqrt(size) * variance);
}

START_TEST(moments_and_tails)
{
    int64_t rows = test_quick() ? 1000 : 20000, cols = 51, n = rows * cols;
    for (int real = 0; real < 2; real++) {
        gm__draw d = {.real = (gm__real)real, .seed = 3, .purpose = 5, .step = 7, .row0 = 11};
        void *x = malloc((size_t)n * 8);
        const gm__draws *draws = gm__kernels_find("auto")->draws;
        draws->normal(&d, x, rows, cols);
        moments_are(d.real, x, n, 1, 3);
        for (double cut = 0.1; cut < 4; cut += 0.5) {
            double above = 0, below = 0;
            for (int64_t i = 0; i < n; i++) {
                above += get(d.real, x, i) > cut;
                below += get(d.real, x, i) < -cut;
            }
            fraction_is(above, (double)n, erfc(cut / sqrt(2)) / 2, "upper tail");
            fraction_is(below, (double)n, erfc(cut / sqrt(2)) / 2, "lower tail");
        }
        draws->uniform(&d, x, rows, cols);
        double low = 0, tenth = 0;
        for (int64_t i = 0; i < n; i++) {
            double v = get(d.real, x, i);
            must(v > 0 && v < 1);
            low += v < 0.25;
            tenth += v > 0.9;
        }
        fraction_is(low, (double)n, 0.25, "uniform under 1/4");
        fraction_is(tenth, (double)n, 0.1, "uniform over 9/10");
        for (int64_t i = 0; i < n; i++) {
            if (real == GM__F64)
                ((double *)x)[i] -= 0.5;
            else
                ((float *)x)[i] -= 0.5f;
        }
        moments_are(d.real, x, n, 1.0 / 12, 1.0 / 80);
        free(x);
    }
}
END_TEST

START_TEST(seed_purpose_step_and_row_matter)
{
    gm__draw d[5];
    uint32_t y[5][8];
    for (int i = 0; i < 5; i++)
        d[i] = some_draw(GM__F32);
    d[1].seed++;
    d[2].purpose++;
    d[3].step++;
    d[4].row0++;
    for (int i = 0; i < 5; i++)
        gm__kernels_find("auto")->draws->words(&d[i], y[i], 1, 8);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            must(memcmp(y[i], y[j], sizeof y[i]) != 0);
    gm__kernels_find("auto")->draws->words(&d[0], y[0], 0, 8);
    gm__kernels_find("auto")->draws->words(&d[0], y[0], 8, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("draw");
    TCase *c = tcase_create("draw");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, known_answers);
    tcase_add_test(c, words_follow_the_counter);
    tcase_add_test(c, uniforms_are_their_words);
    tcase_add_test(c, normals_are_their_words);
    tcase_add_test(c, elements_stand_alone);
    tcase_add_test(c, moments_and_tails);
    tcase_add_test(c, seed_purpose_step_and_row_matter);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
