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

/* ---- Between walls ---- */

static const double wall_rows[] = {0.25, 0.8, 0, 0.5};
enum { WALL_ROWS = 4 };

/* The incomplete beta function of whole numbers, a sum of binomial probabilities (Abramowitz and
 * Stegun 26.5.24). */
static long double whole_beta(int a, int b, long double y)
{
    long double sum = 0;
    int n = a + b - 1;
    for (int j = a; j <= n; j++)
        sum += expl(lgammal(n + 1) - lgammal(j + 1) - lgammal(n - j + 1) + j * logl(y) +
                    (n - j) * log1pl(-y));
    return sum;
}

/* A kernel's integral up to u. */
static long double whole(int kernel, long double u)
{
    if (kernel == 0)
        return erfcl(-u / sqrtl(2)) / 2;
    if (kernel == 3)
        return u < 0 ? expl(u) / 2 : 1 - expl(-u) / 2;
    return 0.5L + (u < 0 ? -half(kernel, -u) : half(kernel, u));
}

/* The share of [0, v] that a row at x has, its images at walls 0 and 1 (or 0 alone) added up. */
static long double reflected(int kernel, long double x, long double h, long double v, int both)
{
    long double sum = 0;
    int most = !both ? 0 : kernel == 3 ? 100 : kernel == 0 ? 40 : 2;
    for (int j = -most; j <= most; j++)
        for (int side = -1; side <= 1; side += 2) {
            long double at = side * x + 2 * j;
            if (v > at && 0 < at) /* from the side of small tails */
                sum += 1 - whole(kernel, -(v - at) / h) - whole(kernel, -at / h);
            else if (v <= at)
                sum += whole(kernel, (v - at) / h) - whole(kernel, -at / h);
            else
                sum += whole(kernel, at / h) - whole(kernel, (at - v) / h);
        }
    return sum;
}

static gm_conditional *wall_law(gm_context *ctx, const char *boundary, int kernel, double h,
                                int both)
{
    char name[40], width[40];
    double x = 0.5;
    const unsigned char none = 0;
    gm_dataset *rows;
    gm_model *model;
    gm_conditional *c;
    snprintf(name, sizeof name, "kernel=%s", kernels[kernel]);
    snprintf(width, sizeof width, "bandwidth=%.17g", h);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", "valid=0", both ? "walls=0..1" : "walls=0..",
                                           boundary, name, width, NULL});
    gm_array in = case_array(GM_F64, &x, 1, 1);
    test_ok(ctx, gm_dataset_from_f64(ctx, wall_rows, WALL_ROWS, 1, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, &none, 0));
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    return c;
}

static void check_law(gm_context *ctx, gm_conditional *c, double v, long double want,
                      const char *what)
{
    double below, above, low, high, logp;
    double e = 1e-5 * fmin(v, fabs(1 - v)), ends[2] = {v - e, v + e};
    test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, &v, &below, &above));
    must_msg(test_close(below, (double)want, 1e-10, 1e-300), "%s, below %g: %.17g, not %.17Lg",
             what, v, below, want);
    must_msg(fabs(below + above - 1) < 1e-13, "%s at %g: %.17g and %.17g", what, v, below, above);
    /* the density is the slope, seen from the lesser side */
    double *side = below < above ? &low : NULL;
    test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &v, &logp));
    test_ok(ctx,
            gm_conditional_cdf(ctx, c, 0, 1, &ends[0], side ? &low : NULL, side ? NULL : &low));
    test_ok(ctx,
            gm_conditional_cdf(ctx, c, 0, 1, &ends[1], side ? &high : NULL, side ? NULL : &high));
    must_msg(test_close(fabs(high - low) / (2 * e), exp(logp), 1e-4, 1e-5), "%s at %g: %g, not %g",
             what, v, fabs(high - low) / (2 * e), exp(logp));
}

START_TEST(beta_kernels)
{
    gm_context *ctx = test_context(NULL);
    static const int inverse[] = {20, 60, 400, 4000};
    for (int k = 0; k < 4; k++) {
        gm_conditional *c = wall_law(ctx, "boundary=beta", 0, sqrt(1.0 / inverse[k]), 1);
        for (int i = 1; i < 40; i++) {
            double v = i / 40.0;
            long double want = 0;
            for (int r = 0; r < WALL_ROWS; r++) {
                int a = (int)(wall_rows[r] * inverse[k] + 0.5);
                want += whole_beta(a + 1, inverse[k] - a + 1, v) / WALL_ROWS;
            }
            check_law(ctx, c, v, want, "beta");
        }
        gm_conditional_free(c);
    }
    gm_context_free(ctx);
}
END_TEST

START_TEST(reflected_kernels)
{
    gm_context *ctx = test_context(NULL);
    static const double widths[] = {0.02, 0.3, 2};
    for (int k = 0; k < 6; k++) {
        int both = k % 2;
        gm_conditional *c = wall_law(ctx, "boundary=reflect", _i, widths[k / 2], both);
        for (int i = 1; i < 40; i += 2) {
            double v = i / 40.0 + 0.001;
            long double want = 0;
            for (int r = 0; r < WALL_ROWS; r++)
                want += reflected(_i, wall_rows[r], widths[k / 2], v, both) / WALL_ROWS;
            check_law(ctx, c, v, want, kernels[_i]);
        }
        gm_conditional_free(c);
    }
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
    tcase_add_test(t, beta_kernels);
    tcase_add_loop_test(t, reflected_kernels, 0, 9);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
