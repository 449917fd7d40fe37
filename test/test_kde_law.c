/* Laws of one column and bandwidths of columns that count, against closed forms and definitions. */
#include "genmod/conditional.h"
#include "model_cases.h"
#include "density/kde_choose.h"

static const char *const kernels[] = {"gaussian",    "epanechnikov", "tophat",
                                      "exponential", "linear",       "cosine",
                                      "biweight",    "triweight",    "tricube"};

/* The share of a kernel between 0 and u >= 0: its integral, term by term. */
static long double half(int kernel, long double u)
{
    if (kernel == 0)
        return erfl(u / sqrtl(2)) / 2;
    if (kernel == 3)
        return -expm1l(-u) / 2;
    u = u < 1 ? u : 1;
    switch (kernel) {
    case 1:
        return 0.75L * (u - powl(u, 3) / 3);
    case 2:
        return u / 2;
    case 4:
        return u - u * u / 2;
    case 5:
        return sinl(acosl(-1) / 2 * u) / 2;
    case 6:
        return 15 / 16.0L * (u - 2 * powl(u, 3) / 3 + powl(u, 5) / 5);
    case 7:
        return 35 / 32.0L * (u - powl(u, 3) + 3 * powl(u, 5) / 5 - powl(u, 7) / 7);
    default:
        return 70 / 81.0L * (u - 3 * powl(u, 4) / 4 + 3 * powl(u, 7) / 7 - powl(u, 10) / 10);
    }
}

/* Two rows far from each other: half the kernel's own distribution about the first. */
START_TEST(distributions_of_kernels)
{
    gm_context *ctx = test_context(NULL);
    char kernel[40];
    double x[2] = {0, 1000};
    const unsigned char none = 0;
    gm_dataset *rows;
    gm_model *model;
    gm_conditional *c;
    snprintf(kernel, sizeof kernel, "kernel=%s", kernels[_i]);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", "bandwidth=2", "valid=0", kernel, NULL});
    gm_array in = case_array(GM_F64, x, 1, 1);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 2, 1, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, &none, 0));
    for (int i = -44; i <= 44; i++) {
        double u = i / 40.0, v = 2 * u, below, above;
        long double side = half(_i, fabsl((long double)u));
        double want = (double)(0.25L + (u < 0 ? -side : side) / 2);
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &v, &below, &above));
        must_msg(test_close(below, want, 1e-11, 1e-17), "%s at %g: %.17g, not %.17g", kernels[_i],
                 u, below, want);
        must_msg(test_close(above, 1 - want, 1e-12, 0), "%s at %g: %.17g, not %.17g", kernels[_i],
                 u, above, 1 - want);
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* A column of levels has the kernel (1 - lambda) lambda^|k| / 2, at 0 1 - lambda (Wang and van
 * Ryzin 1981), whose variance is summed up here: it is that of Scott's Gaussian, n^(-1/5) of the
 * column's deviation. A category of c loses n^(-2/(4+q)) (Li and Racine 2003, with q other columns)
 * of (c-1)/c, at which nothing of it is left (Aitchison and Aitken 1976). */
START_TEST(bandwidths_of_counts)
{
    gm_context *ctx = test_context(NULL);
    enum { N = 64 };
    for (int q = 1; q <= 3; q++) {
        double x[N * 4], most = (double[]){4, 10, 60}[q - 1];
        gm__kde_column column[4];
        gm__kde_choice scott = {.rule = GM__KDE_BY_SCOTT};
        gm__kde_rows_of rows = {x, N, q + 1, q + 1, NULL};
        for (int j = 0; j < q; j++)
            column[j] = (gm__kde_column){GM__KDE_ORDERED, 0, 0, 0, 1000};
        column[q] = (gm__kde_column){GM__KDE_CATEGORY, 0, 0, 0, 3};
        for (int i = 0; i < N; i++)
            for (int j = 0; j <= q; j++)
                x[i * (q + 1) + j] = j < q ? (i * (2 * j + 1) % 8) * most / 4 : i % 4;
        test_ok(ctx, gm__kde_choose(ctx, &scott, &rows, column, NULL));
        double lost = pow(N, -2 / (4.0 + q));
        must_msg(test_close(column[q].bandwidth, lost * 3 / 4, 1e-13, 0), "q %d: %.17g", q,
                 column[q].bandwidth);
        /* 0 to 7 as often as each other have the variance 63/12, over n - 1 */
        double h2 = 63 / 12.0 * N / (N - 1) * most * most / 16 * pow(N, -2 / (4.0 + q));
        for (int j = 0; j < q; j++) {
            double lambda = column[j].bandwidth, variance = 0, mass = 1 - lambda;
            for (int k = 1; k < 20000; k++) {
                double p = (1 - lambda) * pow(lambda, k);
                variance += p * k * k;
                mass += p;
            }
            must(test_close(mass, 1, 1e-12, 0));
            must_msg(test_close(variance, h2, 1e-9, 0), "q %d: %.17g, not %.17g", q, variance, h2);
        }
    }
    gm_context_free(ctx);
}
END_TEST

/* Rows one after another with the same known values share the law's parts: in any order each row
 * has the law it has alone, whatever its unknown cell holds. */
START_TEST(laws_of_equal_rows)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = real_rows(ctx);
    int64_t d = gm_dataset_column_count(rows);
    double x[6 * 8] = {0}, value[6], logp[6], alone;
    unsigned char known[8] = {0, 1, 1, 1, 1, 1, 1, 1};
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "valid=0", NULL});
    gm_model *model;
    gm_conditional *c;
    for (int i = 0; i < 6; i++) {
        x[i * d] = i;
        x[i * d + 1] = (double[]){0, 0, 0.5, 0.5, 0, -0.5}[i];
        value[i] = 0.1 * i;
    }
    gm_array in = case_array(GM_F64, x, 6, d);
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, known, 0));
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 6, value, logp));
    for (int i = 0; i < 6; i++) {
        gm_array one = case_array(GM_F64, x + i * d, 1, d);
        test_ok(ctx, gm_conditional_set(ctx, c, &one, NULL, known, 0));
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &value[i], &alone));
        must_msg(alone == logp[i], "row %d: %.17g, alone %.17g", i, logp[i], alone);
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kde_law");
    TCase *t = tcase_create("kde_law");
    tcase_add_loop_test(t, distributions_of_kernels, 0, 9);
    tcase_add_test(t, bandwidths_of_counts);
    tcase_add_test(t, laws_of_equal_rows);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
