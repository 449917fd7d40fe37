/* Kernel density: values against scikit-learn's and against direct sums in long double, bounds at
 * every query, integrals, and the same bits everywhere. */
#include "support.h"
#include "kde_cases.h"
#include "kde_values.h"

/* ---- scikit-learn ---- */

static double whole(int64_t i, int64_t j)
{
    return (double)((31 * i * i + 17 * i * j + 7 * j * j + 11 * i + 3 * j) % 101) / 20;
}

START_TEST(scikit_learn_agrees)
{
    static const int64_t sizes[] = {1, 2, 3, 5, 10};
    gm_context *ctx = test_context(NULL);
    for (int s = 0; s < 5; s++)
        for (int kernel = 0; kernel < 6; kernel++) {
            double x[400], q[60], value[6], low[6], high[6];
            int64_t d = sizes[s];
            gm__kde_column column[10];
            for (int64_t i = 0; i < 46; i++)
                for (int64_t j = 0; j < d; j++)
                    *(i < 40 ? &x[i * d + j] : &q[(i - 40) * d + j]) =
                        whole(i, j) - 0.1 * (i >= 40);
            for (int64_t j = 0; j < d; j++)
                column[j] = kde_real(kernel, kde_bandwidth[s]);
            gm__kde_config c = {
                .n = 40, .d = d, .stride = d, .x = x, .columns = column, .radial = 1};
            gm__kde *kde;
            gm__kde_promise promise = {0, 0};
            test_ok(ctx, gm__kde_create(ctx, &c, &kde));
            test_ok(ctx, gm__kde_log_density(ctx, kde, q, 6, d, &promise, value, low, high));
            for (int i = 0; i < 6; i++) {
                must_msg(test_close(value[i], kde_values[s][kernel][i], 1e-9, 1e-9),
                         "d %d kernel %d: %.12g not %.12g", (int)d, kernel, value[i],
                         kde_values[s][kernel][i]);
                must(low[i] <= value[i] && value[i] <= high[i]);
            }
            gm__kde_free(kde);
        }
    gm_context_free(ctx);
}
END_TEST

/* ---- Bounds ---- */

/* Columns of every kind, alone and mixed. */
START_TEST(bounds_hold)
{
    gm_context *ctx = test_context(NULL);
    int64_t n = test_quick() ? 150 : 1000;
    for (int c = 0; c < kde_case_count(); c++)
        for (int adaptive = 0; adaptive < 2; adaptive++)
            for (int r = 0; r < 3; r++) {
                static const double rtol[] = {0, 1e-6, 1e-2};
                kde_case k;
                kde_case_make(&k, c, n, adaptive);
                kde_case_check(ctx, &k, rtol[r], test_quick() ? 12 : 60);
                kde_case_clear(&k);
            }
    gm_context_free(ctx);
}
END_TEST

/* The fast ways: clusters in one to five dimensions, tails, a promise of 1e-4. */
START_TEST(fast_answers_are_bounded)
{
    gm_context *ctx = test_context(NULL);
    int64_t n = test_quick() ? 2000 : 10000;
    for (int64_t d = 1; d <= 5; d++)
        for (int h = 0; h < 3; h++)
            for (int plain = 0; plain < 2; plain++) {
                static const double widths[] = {0.05, 0.3, 1.5};
                kde_case k;
                kde_case_clusters(&k, n, d, widths[h]);
                k.config.plain = plain;
                kde_case_check(ctx, &k, 1e-4, test_quick() ? 40 : 150);
                kde_case_check(ctx, &k, 1e-8, test_quick() ? 10 : 40);
                kde_case_clear(&k);
            }
    gm_context_free(ctx);
}
END_TEST

/* One column, and products of two, many rows: nodes add up by their moments. */
START_TEST(moments_hold)
{
    static const double widths[] = {0.02, 0.4, 3}, rtols[] = {1e-3, 1e-9, 0};
    gm_context *ctx = test_context(NULL);
    int few = test_quick() || _i > 1;
    for (int kernel = 1; kernel < GM__KERNEL_COUNT; kernel++)
        for (int w = 0; w < 3; w++) {
            kde_case k;
            kde_case_clusters(&k, few ? 3000 : 8000, _i, widths[w]);
            k.column[0].kernel = k.column[1].kernel = kernel;
            k.config.weights = k.weights;
            for (int64_t i = 0; i < k.config.n; i++)
                k.weights[i] = 1 + (double)(i % 7);
            for (int r = 0; r < 3; r++)
                kde_case_check(ctx, &k, rtols[r], few ? 10 : 40);
            kde_case_clear(&k);
        }
    gm_context_free(ctx);
}
END_TEST

/* Walls in one column and in two, or in one of two: images add up under the promise, at any width
 * and also outside. */
START_TEST(images_add_up)
{
    static const double widths[] = {0.05, 0.5, 4}, rtols[] = {1e-3, 1e-8};
    gm_context *ctx = test_context(NULL);
    for (int kernel = 0; kernel < GM__KERNEL_COUNT; kernel++)
        for (int w = 0; w < 6; w++) {
            kde_case k;
            int64_t d = 1 + w / 3;
            kde_case_clusters(&k, 150, d, widths[w % 3]);
            for (int64_t j = 0; j < d; j++) {
                gm__kde_column *c = &k.column[j];
                c->kernel = kernel;
                c->kind = j == 0 || kernel % 2 ? GM__KDE_REFLECT : GM__KDE_REAL;
                c->low = INFINITY;
                c->high = -INFINITY;
                for (int64_t i = 0; i < 150; i++) {
                    c->low = fmin(c->low, k.x[i * d + j]);
                    c->high = fmax(c->high, k.x[i * d + j] + 0.1);
                }
                if (kernel == 4)
                    c->high = INFINITY;
            }
            for (int r = 0; r < 2; r++)
                kde_case_check(ctx, &k, rtols[r], 8);
            kde_case_clear(&k);
        }
    gm_context_free(ctx);
}
END_TEST

/* One circular column: waves, and the tree where there are few rows. */
START_TEST(waves_add_up)
{
    static const double widths[] = {0.15, 0.5, 2, 9}, rtols[] = {1e-4, 1e-7, 1e-11};
    gm_context *ctx = test_context(NULL);
    for (int w = 0; w < 4; w++) {
        kde_case k;
        kde_case_clusters(&k, test_quick() ? 600 : 4000, 1, widths[w]);
        k.column[0] = (gm__kde_column){GM__KDE_CIRCULAR, 0, widths[w], -8, 14};
        long double h = widths[w] * 2 * KDE_PI / 22;
        k.turn[0] = kde_turn(1 / (h * h)) * 22 / (2 * KDE_PI);
        k.config.weights = k.weights;
        for (int64_t i = 0; i < k.config.n; i++)
            k.weights[i] = 1 + (double)(i % 7);
        for (int r = 0; r < 3; r++)
            kde_case_check(ctx, &k, rtols[r], 40);
        kde_case_clear(&k);
    }
    gm_context_free(ctx);
}
END_TEST

START_TEST(thresholds_agree)
{
    gm_context *ctx = test_context(NULL);
    for (int64_t d = 1; d <= 4; d++) {
        kde_case k;
        kde_case_clusters(&k, 2000, d, 0.3);
        gm__kde *kde;
        test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
        double low[64], high[64], levels[64];
        int8_t answer[64];
        gm__kde_promise promise = {1e-9, 0};
        test_ok(ctx, gm__kde_log_density(ctx, kde, k.q, 64, d, &promise, NULL, low, high));
        for (double level = -60; level < 3; level += 1.7) {
            for (int i = 0; i < 64; i++)
                levels[i] = level;
            test_ok(ctx, gm__kde_above(ctx, kde, k.q, 64, d, levels, answer));
            for (int i = 0; i < 64; i++)
                must(answer[i] == (low[i] > level ? 1 : high[i] <= level ? -1 : answer[i]));
            for (int i = 0; i < 64; i++)
                must(answer[i] != 0 || fabs(level - low[i]) < 1e-8);
        }
        gm__kde_free(kde);
        kde_case_clear(&k);
    }
    gm_context_free(ctx);
}
END_TEST

/* ---- Integrals ---- */

/* Over [low, high]^d: the middles of a grid, or a Kronecker lattice in two dimensions. */
static double integral(gm_context *ctx, const gm__kde *kde, int64_t d, const double *low,
                       const double *high, int64_t count)
{
    static const double step[] = {0.7548776662466927, 0.5698402909980532};
    double *q = malloc((size_t)(count * d) * sizeof *q), *y = malloc((size_t)count * sizeof *y);
    double sum = 0, volume = 1 / (double)count;
    gm__kde_promise promise = {1e-6, 0};
    for (int64_t j = 0; j < d; j++)
        volume *= high[j] - low[j];
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < d; j++) {
            double t = d == 1 ? ((double)i + 0.5) / (double)count : fmod((double)i * step[j], 1);
            q[i * d + j] = low[j] + (high[j] - low[j]) * t;
        }
    test_ok(ctx, gm__kde_log_density(ctx, kde, q, count, d, &promise, y, NULL, NULL));
    for (int64_t i = 0; i < count; i++)
        sum += exp(y[i]);
    free(q);
    free(y);
    return sum * volume;
}

START_TEST(integrates_to_one)
{
    gm_context *ctx = test_context(NULL);
    for (int c = 0; c < kde_line_count(); c++)
        for (int64_t d = 1; d <= 2; d++) {
            if (test_quick() && d == 2 && c % 5 != 1)
                continue;
            double x[14], low[2], high[2];
            gm__kde_column column[2] = {kde_line(c), kde_line(c)};
            for (int i = 0; i < 14; i++)
                x[i] = kde_inside(&column[0], (double)(i * 5 % 14) / 13);
            for (int j = 0; j < 2; j++) {
                low[j] = kde_span(&column[0], 0);
                high[j] = kde_span(&column[0], 1);
            }
            gm__kde_config config = {.n = 14 / d, .d = d, .stride = d, .x = x, .columns = column};
            for (int radial = 0; radial <= (column[0].kind == GM__KDE_REAL); radial++) {
                gm__kde *kde;
                config.radial = radial;
                test_ok(ctx, gm__kde_create(ctx, &config, &kde));
                double one = integral(ctx, kde, d, low, high,
                                      d == 1         ? 8000
                                      : test_quick() ? 60000
                                                     : 400000);
                must_msg(fabs(one - 1) < 1e-3, "kind %d kernel %d d %d radial %d: %g",
                         column[0].kind, column[0].kernel, (int)d, radial, one);
                gm__kde_free(kde);
            }
        }
    gm_context_free(ctx);
}
END_TEST

START_TEST(discrete_columns_sum_to_one)
{
    gm_context *ctx = test_context(NULL);
    gm__kde_column column[2] = {{GM__KDE_CATEGORY, 0, 0.3, 0, 4}, {GM__KDE_ORDERED, 0, 0.4, -2, 5}};
    double x[] = {0, -2, 3, 5, 4, 1, 4, 2, 1, 0}, sum = 0;
    gm__kde_config config = {.n = 5, .d = 2, .stride = 2, .x = x, .columns = column};
    gm__kde_promise promise = {0, 0};
    gm__kde *kde;
    test_ok(ctx, gm__kde_create(ctx, &config, &kde));
    for (int i = 0; i < 5; i++)
        for (int j = -2; j <= 5; j++) {
            double q[2] = {i, j}, y;
            test_ok(ctx, gm__kde_log_density(ctx, kde, q, 1, 2, &promise, &y, NULL, NULL));
            sum += exp(y);
        }
    must_msg(fabs(sum - 1) < 1e-12, "%.17g", sum);
    gm__kde_free(kde);
    gm_context_free(ctx);
}
END_TEST

/* ---- Odd data ---- */

START_TEST(odd_data)
{
    gm_context *ctx = test_context(NULL);
    static const double scales[] = {1, 1e-150, 1e150};
    for (int s = 0; s < 3; s++)
        for (int shape = 0; shape < 4; shape++)
            for (int kernel = 0; kernel < GM__KERNEL_COUNT; kernel++)
                for (int64_t n = 1; n <= 300; n = n * 7 + 1) {
                    if (test_quick() && n > 60)
                        continue;
                    kde_case k;
                    kde_case_odd(&k, n, shape, kernel, scales[s]);
                    kde_case_check(ctx, &k, 1e-6, test_quick() ? 10 : 30);
                    kde_case_clear(&k);
                }
    gm_context_free(ctx);
}
END_TEST

/* ---- Same bits ---- */

/* FNV-1a over the answers of all cases; frozen, so that other processors are held to it too. */
#define KDE_BITS 0x0b566a8bu

static uint32_t add_bits(uint32_t hash, const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        for (int b = 0; b < 64; b += 8)
            hash = (hash ^ (uint32_t)(bits >> b & 255)) * 16777619u;
    }
    return hash;
}

START_TEST(same_bits)
{
    uint32_t hash = 2166136261u;
    for (int c = -5; c < kde_case_count(); c++) {
        kde_case k;
        double want[3][50];
        if (c < 0)
            kde_case_clusters(&k, 1500, -c, 0.3);
        else
            kde_case_make(&k, c, 300, 0);
        for (int i = 0; gm__kernels_at(i); i++)
            for (int threads = 1; threads <= 3; threads += 2) {
                gm_context *ctx = test_context(NULL);
                double got[3][50];
                gm__kde *kde;
                gm__kde_promise promise = {1e-4, 0};
                test_ok(ctx, gm_context_set_text(ctx, "kernels", gm__kernels_at(i)->name));
                test_ok(ctx, gm_context_set_int(ctx, "threads", threads));
                test_ok(ctx, gm__kde_create(ctx, &k.config, &kde));
                test_ok(ctx, gm__kde_log_density(ctx, kde, k.q, 50, k.config.d, &promise, got[0],
                                                 got[1], got[2]));
                if (i == 0 && threads == 1) {
                    memcpy(want, got, sizeof want);
                    hash = add_bits(hash, got[0], 150);
                }
                must_msg(memcmp(want, got, sizeof want) == 0, "case %d kernels %s threads %d", c,
                         gm__kernels_at(i)->name, threads);
                gm__kde_free(kde);
                gm_context_free(ctx);
            }
        kde_case_clear(&k);
    }
    must_msg(hash == KDE_BITS, "the bits are 0x%08x now", (unsigned)hash);
}
END_TEST

/* ---- Misuse ---- */

static gm_status make_and_ask(const gm_allocator *allocator, void *arg)
{
    kde_case *k = arg;
    gm_context *ctx;
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_status code = gm_context_create(&config, &ctx);
    gm__kde *kde = NULL;
    gm__kde_promise promise = {1e-3, 0};
    double y[10];
    if (code)
        return code;
    code = gm__kde_create(ctx, &k->config, &kde);
    if (!code)
        code = gm__kde_log_density(ctx, kde, k->q, 10, k->config.d, &promise, y, NULL, NULL);
    gm__kde_free(kde);
    gm_context_free(ctx);
    return code;
}

START_TEST(memory_may_fail)
{
    kde_case k;
    kde_case_clusters(&k, 600, 2, 0.3);
    must(test_every_failure(make_and_ask, &k, 60) > 10);
    kde_case_clear(&k);
}
END_TEST

START_TEST(misuse_is_told)
{
    gm_context *ctx = test_context(NULL);
    double x[] = {1, 2, 3, 4}, y;
    gm__kde_column column = kde_real(GM__KERNEL_GAUSSIAN, 1);
    gm__kde_config c = {.n = 4, .d = 1, .stride = 1, .x = x, .columns = &column};
    gm__kde_promise promise = {1e-3, 0};
    gm__kde *kde;
    column.bandwidth = 0;
    test_fails(ctx, gm__kde_create(ctx, &c, &kde), GM_E_RANGE, "bandwidth");
    column.bandwidth = NAN;
    test_fails(ctx, gm__kde_create(ctx, &c, &kde), GM_E_RANGE, "bandwidth");
    column = (gm__kde_column){GM__KDE_REFLECT, 0, 1, 2, 4};
    test_fails(ctx, gm__kde_create(ctx, &c, &kde), GM_E_DATA, "row 0");
    column = kde_real(GM__KERNEL_GAUSSIAN, 1);
    x[2] = INFINITY;
    test_fails(ctx, gm__kde_create(ctx, &c, &kde), GM_E_DATA, "row 2");
    x[2] = 3;
    test_ok(ctx, gm__kde_create(ctx, &c, &kde));
    double nan = NAN;
    test_fails(ctx, gm__kde_log_density(ctx, kde, &nan, 1, 1, &promise, &y, NULL, NULL), GM_E_DATA,
               "query 0");
    gm__kde_free(kde);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kde");
    TCase *t = tcase_create("kde");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, scikit_learn_agrees);
    tcase_add_test(t, bounds_hold);
    tcase_add_test(t, fast_answers_are_bounded);
    tcase_add_loop_test(t, moments_hold, 1, 3);
    tcase_add_test(t, images_add_up);
    tcase_add_test(t, waves_add_up);
    tcase_add_test(t, thresholds_agree);
    tcase_add_test(t, integrates_to_one);
    tcase_add_test(t, discrete_columns_sum_to_one);
    tcase_add_test(t, odd_data);
    tcase_add_test(t, same_bits);
    tcase_add_test(t, memory_may_fail);
    tcase_add_test(t, misuse_is_told);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
