/* Dense linear algebra: products come back, vectors are orthonormal, known spectra. */
#include "support.h"
#include "kernels/linalg.h"

#include <math.h>

enum { MOST = 24 };

static void random_matrix(double *a, int64_t m, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < m * n; i++)
        a[i] = test_uniform(&seed, -1, 1);
}

/* c (m, n) = a (m, k) b (k, n), each transposed on demand. */
static void product(double *c, const double *a, const double *b, int64_t m, int64_t n, int64_t k,
                    int ta, int tb)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++)
                sum += (ta ? a[l * m + i] : a[i * k + l]) * (tb ? b[j * k + l] : b[l * n + j]);
            c[i * n + j] = sum;
        }
}

static void check_identity(const double *a, int64_t n)
{
    for (int64_t i = 0; i < n * n; i++)
        ck_assert(fabs(a[i] - (i % (n + 1) == 0)) < 1e-12);
}

START_TEST(cholesky)
{
    for (int64_t n = 1; n <= MOST; n++) {
        static double b[MOST * MOST], a[MOST * MOST], l[MOST * MOST], back[MOST * MOST], x[MOST],
            y[MOST], z[MOST];
        random_matrix(b, n, n, (uint64_t)n);
        product(a, b, b, n, n, n, 0, 1);
        for (int64_t i = 0; i < n; i++)
            a[i * n + i] += 0.1;
        memcpy(l, a, sizeof a);
        ck_assert_int_eq(gm__cholesky(l, n), 0);
        product(back, l, l, n, n, n, 0, 1);
        ck_assert(test_max_rel_error(back, a, n * n, 1) < 1e-14);
        random_matrix(x, 1, n, 7);
        gm__multiply_lower(l, n, x, y);
        memcpy(z, y, sizeof z);
        gm__solve_lower(l, n, z);
        ck_assert(test_max_rel_error(z, x, n, 1) < 1e-9);
        product(y, x, a, 1, n, n, 0, 0); /* A^-1 (A x) = L^-T L^-1 (A x) */
        gm__solve_lower(l, n, y);
        gm__solve_lower_transposed(l, n, y);
        ck_assert(test_max_rel_error(y, x, n, 1) < 1e-9);
    }
    double bad[4] = {1, 2, 2, 1}, nan[1] = {NAN};
    ck_assert_int_eq(gm__cholesky(bad, 2), 2);
    ck_assert_int_eq(gm__cholesky(nan, 1), 1);
}
END_TEST

START_TEST(eigen)
{
    for (int64_t n = 1; n <= MOST; n++) {
        static double b[MOST * MOST], a[MOST * MOST], s[MOST * MOST], v[MOST * MOST], w[MOST],
            t[MOST * MOST];
        random_matrix(b, n, n, (uint64_t)n + 50);
        for (int64_t i = 0; i < n * n; i++)
            a[i] = b[i] + b[i % n * n + i / n];
        memcpy(s, a, sizeof s);
        ck_assert_int_eq(gm__eigen_symmetric(s, n, w, v), 0);
        product(t, v, v, n, n, n, 0, 1);
        check_identity(t, n);
        for (int64_t i = 0; i < n; i++) {
            ck_assert(i == 0 || w[i] >= w[i - 1]);
            for (int64_t j = 0; j < n; j++) {
                double av = 0;
                for (int64_t k = 0; k < n; k++)
                    av += a[j * n + k] * v[i * n + k];
                ck_assert(fabs(av - w[i] * v[i * n + j]) < 1e-12);
            }
        }
    }
}
END_TEST

/* The second difference of n points has eigenvalues 4 sin^2(k pi / (2 n + 2)). */
START_TEST(known_spectrum)
{
    enum { N = 20 };
    double a[N * N] = {0}, v[N * N], w[N];
    for (int i = 0; i < N; i++) {
        a[i * N + i] = 2;
        if (i)
            a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
    }
    ck_assert_int_eq(gm__eigen_symmetric(a, N, w, v), 0);
    for (int i = 0; i < N; i++)
        ck_assert(test_close(w[i], 4 * pow(sin((i + 1) * 3.141592653589793 / (2 * N + 2)), 2),
                             1e-12, 1e-14));
    double nan[4] = {1, NAN, NAN, 1};
    ck_assert_int_eq(gm__eigen_symmetric(nan, 2, w, v), 1);
}
END_TEST

START_TEST(svd)
{
    for (int64_t n = 1; n <= 12; n++)
        for (int64_t m = n; m <= MOST; m += 5) {
            static double a[MOST * MOST], u[MOST * MOST], s[MOST], vt[MOST * MOST], t[MOST * MOST];
            random_matrix(a, m, n, (uint64_t)(n * 100 + m));
            for (int64_t i = 0; n > 2 && i < m; i++) /* rank n - 1 */
                a[i * n + 2] = a[i * n] - 2 * a[i * n + 1];
            memcpy(u, a, sizeof u);
            ck_assert_int_eq(gm__svd(u, m, n, s, vt), 0);
            product(t, vt, vt, n, n, n, 0, 1);
            check_identity(t, n);
            for (int64_t i = 1; i < n; i++)
                ck_assert(s[i] <= s[i - 1] && s[i] >= 0);
            ck_assert(n <= 2 || s[n - 1] < 1e-13);
            for (int64_t i = 0; i < m; i++)
                for (int64_t j = 0; j < n; j++) {
                    double sum = 0;
                    for (int64_t k = 0; k < n; k++)
                        sum += u[i * n + k] * s[k] * vt[k * n + j];
                    ck_assert(fabs(sum - a[i * n + j]) < 1e-13);
                }
        }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("linalg");
    TCase *c = tcase_create("linalg");
    tcase_add_test(c, cholesky);
    tcase_add_test(c, eigen);
    tcase_add_test(c, known_spectrum);
    tcase_add_test(c, svd);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
