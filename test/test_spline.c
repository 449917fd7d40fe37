/* Rational-quadratic splines: against the formulas of Durkan et al. 2019 written out in long
 * double, their finite differences, their inverse, and at the ends of the number range; one set
 * of bits on every instruction set. */
#include "support.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 3 * 256 - 1 };
typedef long double wide;

static uint64_t seed = 1;

/* ---- The reference ---- */

static void softmax_bins(const gm__spline *s, const wide *raw, wide *side)
{
    wide top = raw[0], sum = 0;
    for (int j = 1; j < s->bins; j++)
        top = raw[j] > top ? raw[j] : top;
    for (int j = 0; j < s->bins; j++)
        sum += side[j] = expl(raw[j] - top);
    for (int j = 0; j < s->bins; j++)
        side[j] = 2 * s->bound * (s->min_bin + (1 - s->min_bin * s->bins) * side[j] / sum);
}

static wide softplus(wide x)
{
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

typedef struct bin {
    wide x0, y0, w, h, d0, d1;
} bin;

static bin find_bin(const gm__spline *s, const wide *p, wide at)
{
    wide w[256], h[256], c = logl(expm1l(1 - (wide)s->min_slope));
    int K = s->bins, k = 0;
    softmax_bins(s, p, w);
    softmax_bins(s, p + K, h);
    bin b = {-s->bound, -s->bound, w[0], h[0], 1, 1};
    while (k < K - 1 && at >= (s->inverse ? b.y0 + h[k] : b.x0 + w[k])) {
        b.x0 += w[k];
        b.y0 += h[k];
        k++;
    }
    b.w = w[k];
    b.h = h[k];
    if (k > 0)
        b.d0 = s->min_slope + softplus(p[2 * K + k - 1] + c);
    if (k < K - 1)
        b.d1 = s->min_slope + softplus(p[2 * K + k] + c);
    return b;
}

/* y and log slope of the direction asked for. */
static void reference(const gm__spline *s, const wide *p, wide x, wide *y, wide *log_slope)
{
    *y = x;
    *log_slope = 0;
    if (x < -s->bound || x > s->bound)
        return;
    bin b = find_bin(s, p, x);
    wide m = b.h / b.w, e = b.d0 + b.d1 - 2 * m, xi;
    if (s->inverse) {
        wide z = x - b.y0, A = b.h * (m - b.d0) + z * e, B = b.h * b.d0 - z * e, C = -m * z;
        xi = 2 * C / (-B - sqrtl(B * B - 4 * A * C));
        *y = b.x0 + xi * b.w;
    } else {
        xi = (x - b.x0) / b.w;
    }
    wide t = xi * (1 - xi), den = m + e * t;
    wide slope = m * m * (b.d1 * xi * xi + 2 * m * t + b.d0 * (1 - xi) * (1 - xi)) / (den * den);
    if (!s->inverse)
        *y = b.y0 + b.h * (m * xi * xi + b.d0 * t) / den;
    *log_slope = s->inverse ? -logl(slope) : logl(slope);
}

/* ---- Cases ---- */

typedef struct batch {
    gm__spline s;
    int64_t n, cols;
    double *x, *p, *gy, *gl;    /* as doubles; rounded to float where s.real says so */
    void *rx, *rp, *rgy, *rgl;  /* in the type */
} batch;

static void *to_type(gm__real real, const double *x, int64_t n)
{
    if (real == GM__F64) {
        double *y = malloc((size_t)n * sizeof *y + 8);
        memcpy(y, x, (size_t)n * sizeof *y);
        return y;
    }
    float *y = malloc((size_t)n * sizeof *y + 8);
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)x[i];
    return y;
}

static double value(gm__real real, const void *x, int64_t i)
{
    return real == GM__F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static double *uniforms(gm__real real, int64_t n, double low, double high)
{
    double *x = malloc((size_t)n * sizeof *x + 8);
    for (int64_t i = 0; i < n; i++) {
        x[i] = test_uniform(&seed, low, high);
        x[i] = real == GM__F32 ? (double)(float)x[i] : x[i];
    }
    return x;
}

static batch make(gm__real real, int bins, int inverse, int64_t n, double spread)
{
    batch b = {.s = {.real = real, .bins = bins, .bound = 3, .min_bin = 1e-3, .min_slope = 1e-3,
                     .inverse = inverse},
               .n = n, .cols = 3 * bins - 1};
    b.x = uniforms(real, n, -3.3, 3.3);
    b.p = uniforms(real, n * b.cols, -spread, spread);
    b.gy = uniforms(real, n, -1, 1);
    b.gl = uniforms(real, n, -1, 1);
    return b;
}

static void settle(batch *b)
{
    b->rx = to_type(b->s.real, b->x, b->n);
    b->rp = to_type(b->s.real, b->p, b->n * b->cols);
    b->rgy = to_type(b->s.real, b->gy, b->n);
    b->rgl = to_type(b->s.real, b->gl, b->n);
}

static void drop(batch *b)
{
    void *all[] = {b->x, b->p, b->gy, b->gl, b->rx, b->rp, b->rgy, b->rgl};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static size_t width(gm__real real)
{
    return real == GM__F64 ? 8 : 4;
}

typedef struct answers {
    void *y, *l, *dx, *dp;
} answers;

static answers compute(const gm__kernels *k, const batch *b)
{
    size_t w = width(b->s.real), n = (size_t)b->n;
    answers a = {malloc(n * w), malloc(n * w), malloc(n * w), malloc(n * (size_t)b->cols * w)};
    k->splines->run(&b->s, a.y, a.l, b->rx, b->rp, b->n);
    k->splines->grad(&b->s, a.dx, a.dp, b->rx, b->rp, b->rgy, b->rgl, b->n);
    return a;
}

static void forget(answers *a)
{
    free(a->y);
    free(a->l);
    free(a->dx);
    free(a->dp);
}

static const int bin_counts[] = {2, 3, 4, 5, 7, 8, 16, 32, 33, 100, 256};
enum { BIN_COUNTS = sizeof bin_counts / sizeof *bin_counts };

/* ---- Tests ---- */

START_TEST(values_follow_the_paper)
{
    for (int which = 0; which < BIN_COUNTS * 4; which++) {
        int bins = bin_counts[which / 4], inverse = which & 1;
        gm__real real = which & 2 ? GM__F64 : GM__F32;
        batch b = make(real, bins, inverse, test_quick() ? 37 : 203, 2);
        settle(&b);
        answers a = compute(gm__kernels_find("auto"), &b);
        double tol = real == GM__F64 ? 1e-12 : 4e-6, tol_l = real == GM__F64 ? 2e-12 : 2e-4;
        for (int64_t i = 0; i < b.n; i++) {
            wide p[MOST], y, l;
            for (int64_t j = 0; j < b.cols; j++)
                p[j] = b.p[i * b.cols + j];
            reference(&b.s, p, b.x[i], &y, &l);
            double steep = 1 + exp((double)l);
            must_msg(fabs((double)y - value(real, a.y, i)) <= tol * steep,
                          "y: K %d inverse %d real %d x %g: %.17g, not %.17g", bins, inverse, real,
                          b.x[i], value(real, a.y, i), (double)y);
            must_msg(fabs((double)l - value(real, a.l, i)) <= tol_l * steep * (bins > 8 ? bins : 1),
                          "log slope: K %d inverse %d real %d x %g: %.17g, not %.17g", bins,
                          inverse, real, b.x[i], value(real, a.l, i), (double)l);
        }
        forget(&a);
        drop(&b);
    }
}
END_TEST

/* gy y + gl log slope of one element, with one number moved by delta: parameter j, or x for -1. */
static wide moved(const batch *b, int64_t i, int64_t j, wide delta)
{
    wide p[MOST], y, l, x = b->x[i];
    for (int64_t c = 0; c < b->cols; c++)
        p[c] = b->p[i * b->cols + c];
    if (j < 0)
        x += delta;
    else
        p[j] += delta;
    reference(&b->s, p, x, &y, &l);
    return b->gy[i] * y + b->gl[i] * l;
}

/* Fourth-order central difference. */
static double slope_of(const batch *b, int64_t i, int64_t j)
{
    wide h = 1e-6L;
    return (double)((8 * (moved(b, i, j, h) - moved(b, i, j, -h)) - moved(b, i, j, 2 * h)
                     + moved(b, i, j, -2 * h)) / (12 * h));
}

START_TEST(gradients_are_exact)
{
    for (int which = 0; which < BIN_COUNTS * 4; which++) {
        int bins = bin_counts[which / 4], inverse = which & 1;
        gm__real real = which & 2 ? GM__F64 : GM__F32;
        batch b = make(real, bins, inverse, bins > 32 ? 3 : 19, 1.5);
        settle(&b);
        answers a = compute(gm__kernels_find("auto"), &b);
        double tol = real == GM__F64 ? 1e-7 : 2e-3;
        for (int64_t i = 0; i < b.n; i++) {
            if (fabs(fabs(b.x[i]) - 3) < 1e-3)
                continue;
            double size = 0, slope = slope_of(&b, i, -1);
            must_msg(test_close(value(real, a.dx, i), slope, tol, tol),
                          "dx: K %d inverse %d real %d x %g: %g, not %g", bins, inverse, real,
                          b.x[i], value(real, a.dx, i), slope);
            for (int64_t j = 0; j < b.cols; j++)
                size = fmax(size, fabs(value(real, a.dp, i * b.cols + j)));
            for (int64_t j = 0; j < b.cols; j++) {
                double got = value(real, a.dp, i * b.cols + j), want = slope_of(&b, i, j);
                must_msg(fabs(got - want) <= tol * (size + 0.1),
                              "dp[%d]: K %d inverse %d real %d x %g: %g, not %g", (int)j, bins,
                              inverse, real, b.x[i], got, want);
            }
        }
        forget(&a);
        drop(&b);
    }
}
END_TEST

START_TEST(the_inverse_undoes_it)
{
    for (int which = 0; which < 4; which++) {
        gm__real real = which & 1 ? GM__F64 : GM__F32;
        double spread = which & 2 ? 8 : 2, tol = real == GM__F64 ? 1e-12 : 4e-6;
        batch b = make(real, 8, 0, 1001, spread), back;
        settle(&b);
        answers a = compute(gm__kernels_find("auto"), &b), c;
        back = b;
        back.s.inverse = 1;
        back.rx = a.y;
        c = compute(gm__kernels_find("auto"), &back);
        for (int64_t i = 0; i < b.n; i++) {
            double slope = exp(value(real, a.l, i)), off = value(real, c.y, i) - b.x[i];
            /* an error of one ulp of y is 1 / slope of x */
            must_msg(fabs(off) <= tol * (1 + 1 / slope), "x %g: off by %g", b.x[i], off);
        }
        forget(&a);
        forget(&c);
        drop(&b);
    }
}
END_TEST

static void all_finite(const batch *b, const answers *a)
{
    for (int64_t i = 0; i < b->n; i++) {
        must_msg(isfinite(value(b->s.real, a->y, i)), "y at x = %g", b->x[i]);
        must_msg(isfinite(value(b->s.real, a->l, i)), "log slope at x = %g", b->x[i]);
        must_msg(isfinite(value(b->s.real, a->dx, i)), "dx at x = %g", b->x[i]);
        for (int64_t j = 0; j < b->cols; j++)
            must_msg(isfinite(value(b->s.real, a->dp, i * b->cols + j)), "dp at x = %g", b->x[i]);
    }
}

START_TEST(finite_at_every_finite_input)
{
    static const double xs[] = {0,         -0.0,  3,      -3,   2.9999998, -2.9999998,
                                3.0000002, 1e-38, -1e-30, 3e38, -3e38,     1e6,
                                0.75,      -0.75, 1.5,    2.25, 1e-3,      -2.99};
    static const double ps[] = {0,    1,   -1,   30,  -30,  88,   -88,  104,
                                -104, 1e3, -1e3, 1e9, -1e9, 3e38, -3e38};
    for (int which = 0; which < 16; which++) {
        gm__real real = which & 1 ? GM__F64 : GM__F32;
        int bins = which & 4 ? 8 : which & 8 ? 40 : 5;
        batch b = make(real, bins, which >> 1 & 1, 2000, 1);
        for (int64_t i = 0; i < b.n; i++) {
            b.x[i] = xs[test_random(&seed) % (sizeof xs / sizeof *xs)];
            int mixed = test_random(&seed) & 1;
            double one = ps[test_random(&seed) % (sizeof ps / sizeof *ps)];
            for (int64_t j = 0; j < b.cols; j++)
                b.p[i * b.cols + j] =
                    mixed ? ps[test_random(&seed) % (sizeof ps / sizeof *ps)] : one;
        }
        settle(&b);
        answers a = compute(gm__kernels_find("auto"), &b);
        all_finite(&b, &a);
        forget(&a);
        drop(&b);
    }
}
END_TEST

START_TEST(raw_zeros_are_the_identity)
{
    for (int which = 0; which < 4; which++) {
        gm__real real = which & 1 ? GM__F64 : GM__F32;
        batch b = make(real, 8, which >> 1, 500, 0);
        settle(&b);
        answers a = compute(gm__kernels_find("auto"), &b);
        for (int64_t i = 0; i < b.n; i++) {
            double tol = real == GM__F64 ? 1e-14 : 2e-6;
            must(fabs(value(real, a.y, i) - b.x[i]) < tol);
            must(fabs(value(real, a.l, i)) < tol);
        }
        forget(&a);
        drop(&b);
    }
}
END_TEST

START_TEST(outside_it_is_the_identity)
{
    batch b = make(GM__F32, 8, 0, 6, 3);
    static const double xs[] = {3.5, -3.5, 3e38, -3e38, INFINITY, -INFINITY};
    memcpy(b.x, xs, sizeof xs);
    settle(&b);
    answers a = compute(gm__kernels_find("auto"), &b);
    for (int64_t i = 0; i < b.n; i++) {
        must(value(GM__F32, a.y, i) == (double)(float)xs[i]);
        must(value(GM__F32, a.l, i) == 0);
        must(value(GM__F32, a.dx, i) == b.gy[i]);
        for (int64_t j = 0; j < b.cols; j++)
            must(value(GM__F32, a.dp, i * b.cols + j) == 0);
    }
    forget(&a);
    drop(&b);
}
END_TEST

/* A table of its own and cuts anywhere: the same bits. */
START_TEST(one_set_of_bits)
{
    for (int which = 0; which < BIN_COUNTS * 4; which++) {
        gm__real real = which & 2 ? GM__F64 : GM__F32;
        batch b = make(real, bin_counts[which / 4], which & 1, 61, 4);
        settle(&b);
        size_t w = width(real), n = (size_t)b.n, cols = (size_t)b.cols;
        answers a = compute(gm__kernels_at(0), &b);
        for (int k = 0; gm__kernels_at(k); k++) {
            answers c = compute(gm__kernels_at(k), &b);
            for (int64_t i0 = 0, step = 1; i0 < b.n && k > 0;
                 i0 += step++) { /* rows again, in pieces */
                int64_t m = b.n - i0 < step ? b.n - i0 : step;
                size_t at = (size_t)i0 * w;
                gm__kernels_at(k)->splines->run(&b.s, (char *)c.y + at, (char *)c.l + at,
                                                (char *)b.rx + at, (char *)b.rp + at * cols, m);
                gm__kernels_at(k)->splines->grad(&b.s, (char *)c.dx + at, (char *)c.dp + at * cols,
                                                 (char *)b.rx + at, (char *)b.rp + at * cols,
                                                 (char *)b.rgy + at, (char *)b.rgl + at, m);
            }
            must(memcmp(a.y, c.y, n * w) == 0);
            must(memcmp(a.l, c.l, n * w) == 0);
            must(memcmp(a.dx, c.dx, n * w) == 0);
            must(memcmp(a.dp, c.dp, n * cols * w) == 0);
            forget(&c);
        }
        forget(&a);
        drop(&b);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("spline");
    TCase *c = tcase_create("spline");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, values_follow_the_paper);
    tcase_add_test(c, gradients_are_exact);
    tcase_add_test(c, the_inverse_undoes_it);
    tcase_add_test(c, finite_at_every_finite_input);
    tcase_add_test(c, raw_zeros_are_the_identity);
    tcase_add_test(c, outside_it_is_the_identity);
    tcase_add_test(c, one_set_of_bits);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
