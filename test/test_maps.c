/* Element maps: floats against the C library in double, doubles against a table of exact values,
 * both in ulp of the exact value; IEEE at the ends of the number range; one set of bits on every
 * instruction set, at every offset and length. */
#include "support.h"
#include "kernels/kernels.h"
#include "map_values.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY = 4096 };

/* Check notes every assertion in a file; in long loops only a failure is worth that. */
#define check_that(condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

static const gm__maps *best(void)
{
    return gm__kernels_find("auto")->maps;
}

/* |got - (want + rest ulp)| in ulp of want, an ulp being that of the least normal number below it.
 * digits: 24 or 53. A value that rounds to infinity may be infinite. */
static double ulps(double got, double want, double rest, int digits)
{
    int least = digits == 24 ? -125 : -1021, most = digits == 24 ? 128 : 1024, e;
    if (want != want || got != got)
        return want != want && got != got ? 0 : INFINITY;
    if (got == want)
        return fabs(rest);
    if (isinf(want))
        return INFINITY;
    frexp(want, &e);
    e = e < least ? least : e;
    if (isinf(got))
        return e < most || (got > 0) != (want > 0) ? INFINITY : 0;
    return fabs(ldexp(got - want, digits - e) - rest);
}

/* ---- Floats against the C library ---- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double log_sigmoid(double x)
{
    return -softplus(-x);
}
static double silu(double x)
{
    return x < -700 ? -0.0 : x / (1 + exp(-x));
}
static double normal_cdf(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}
static double gelu(double x)
{
    return x < -700 ? -0.0 : x * normal_cdf(x);
}

static const struct {
    int map;
    const char *name;
    double (*exact)(double);
    double bound;
} floats[] = {
    {GM__EXP, "exp", exp, 2},
    {GM__EXPM1, "expm1", expm1, 2},
    {GM__LOG, "log", log, 2},
    {GM__LOG1P, "log1p", log1p, 2},
    {GM__SIN, "sin", sin, 2},
    {GM__COS, "cos", cos, 2},
    {GM__TANH, "tanh", tanh, 2},
    {GM__SIGMOID, "sigmoid", sigmoid, 2},
    {GM__SOFTPLUS, "softplus", softplus, 4},
    {GM__LOG_SIGMOID, "log_sigmoid", log_sigmoid, 4},
    {GM__SILU, "silu", silu, 4},
    {GM__GELU, "gelu", gelu, 4},
    {GM__ERF, "erf", erf, 2},
    {GM__ERFC, "erfc", erfc, 2},
    {GM__ATAN, "atan", atan, 2},
    {GM__NORMAL_CDF, "normal_cdf", normal_cdf, 2},
};

/* The next n floats, as numbers of their bits `step` apart. */
static int next_floats(float *x, uint64_t *bits, uint64_t step)
{
    int n = 0;
    for (; n < MANY && *bits < (uint64_t)1 << 32; n++, *bits += step) {
        uint32_t b = (uint32_t)*bits;
        memcpy(&x[n], &b, sizeof b);
    }
    return n;
}

START_TEST(test_floats)
{
    static float x[MANY], y[MANY];
    uint64_t step = test_quick() ? 50021 : 2003, bits = 0;
    double worst = 0;
    float at = 0;
    for (int n; (n = next_floats(x, &bits, step)) > 0;) {
        best()->map1[GM__F32][floats[_i].map](y, x, n);
        for (int i = 0; i < n; i++) {
            double want = floats[_i].exact(x[i]), e = ulps(y[i], want, 0, 24);
            check_that(want != 0 || !signbit(y[i]) == !signbit(want), "%s(%a) is %a, not %a",
                       floats[_i].name, (double)x[i], (double)y[i], want);
            if (e > worst) {
                worst = e;
                at = x[i];
            }
        }
    }
    if (getenv("MAPS_VERBOSE"))
        printf("float %s: %.3f ulp at %a\n", floats[_i].name, worst, (double)at);
    check_that(worst <= floats[_i].bound, "%s: %g ulp at %a", floats[_i].name, worst, (double)at);
}
END_TEST

/* These have their one body in double, which the table checks: floats must be its rounding. */
START_TEST(test_costly_floats)
{
    static const int maps[] = {GM__LGAMMA, GM__DIGAMMA, GM__TRIGAMMA, GM__NORMAL_QUANTILE};
    static float x[MANY], y[MANY];
    static double wide[MANY];
    uint64_t bits = 0;
    for (int n; (n = next_floats(x, &bits, test_quick() ? 500009 : 40009)) > 0;) {
        best()->map1[GM__F32][maps[_i]](y, x, n);
        best()->widen(wide, x, n);
        best()->map1[GM__F64][maps[_i]](wide, wide, n);
        for (int i = 0; i < n; i++)
            check_that(test_ulps_f32(y[i], (float)wide[i]) == 0, "map %d of %a", maps[_i],
                       (double)x[i]);
    }
}
END_TEST

/* ---- Doubles against the table ---- */

#define VALUES(map) GM__##map, #map, values_##map, (int)(sizeof values_##map / sizeof(double) / 3)
static const struct {
    int map;
    const char *name;
    const double *entry;
    int count;
    double bound;
} doubles[] = {
    {VALUES(EXP), 1},        {VALUES(EXPM1), 2},
    {VALUES(LOG), 1},        {VALUES(LOG1P), 2},
    {VALUES(SIN), 2},        {VALUES(COS), 2},
    {VALUES(TANH), 2},       {VALUES(SIGMOID), 2},
    {VALUES(SOFTPLUS), 4},   {VALUES(LOG_SIGMOID), 4},
    {VALUES(SILU), 4},       {VALUES(GELU), 4},
    {VALUES(ERF), 2},        {VALUES(ERFC), 2},
    {VALUES(NORMAL_CDF), 2}, {VALUES(NORMAL_QUANTILE), 2},
    {VALUES(ATAN), 2},       {VALUES(LGAMMA), 2},
    {VALUES(DIGAMMA), 2},    {VALUES(TRIGAMMA), 2},
};

START_TEST(test_doubles)
{
    double worst = 0, at = 0;
    for (int i = 0; i < doubles[_i].count; i++) {
        const double *e = doubles[_i].entry + 3 * i;
        double y;
        best()->map1[GM__F64][doubles[_i].map](&y, e, 1);
        double error = ulps(y, e[1], e[2], 53);
        if (error > worst) {
            worst = error;
            at = e[0];
        }
    }
    if (getenv("MAPS_VERBOSE"))
        printf("double %s: %.3f ulp at %a\n", doubles[_i].name, worst, at);
    check_that(worst <= doubles[_i].bound, "%s: %g ulp at %a", doubles[_i].name, worst, at);
}
END_TEST

/* Left of zero, where terms cancel near the zeros between the poles: Gamma's recurrence and the
 * size of the terms bound the error. */
START_TEST(test_left_of_zero)
{
    uint64_t state = 7;
    for (int i = 0; i < (test_quick() ? 1000 : 20000); i++) {
        double x = -floor(test_uniform(&state, 1, 20)) + test_uniform(&state, 0.01, 0.99),
               next = x + 1;
        double a[2], b[2], size = 1 + fabs(log(fabs(x)));
        double one = 1 + 2 * fabs(1 / x), u = (x - floor(x)) * 3.14159265358979323846;
        const gm__maps *m = best();
        m->map1[GM__F64][GM__LGAMMA](&a[0], &x, 1);
        m->map1[GM__F64][GM__LGAMMA](&a[1], &next, 1);
        double off = fabs(a[1] - log(fabs(x)) - a[0]);
        check_that(off <= 4e-16 * (size + fabs(a[0]) + fabs(a[1])) + 1e-15 / sin(u), "lgamma %a",
                   x);
        m->map1[GM__F64][GM__DIGAMMA](&b[0], &x, 1);
        m->map1[GM__F64][GM__DIGAMMA](&b[1], &next, 1);
        off = fabs(b[1] - 1 / x - b[0]);
        check_that(off <= 4e-16 * (one + fabs(b[0]) + fabs(b[1])) + 2e-14 / (sin(u) * sin(u)),
                   "digamma %a", x);
    }
}
END_TEST

/* ---- Ends of the number range ---- */

#define I INFINITY
#define N NAN
/* Values at -infinity, -0, 0, infinity and NaN. */
static const struct {
    int map;
    double at[5];
} ends[] = {
    {GM__NEG, {I, 0, -0.0, -I, N}},
    {GM__ABS, {I, 0, 0, I, N}},
    {GM__SIGN, {-1, -0.0, 0, 1, N}},
    {GM__SQUARE, {I, 0, 0, I, N}},
    {GM__SQRT, {N, -0.0, 0, I, N}},
    {GM__RECIP, {-0.0, -I, I, 0, N}},
    {GM__FLOOR, {-I, -0.0, 0, I, N}},
    {GM__ROUND, {-I, -0.0, 0, I, N}},
    {GM__RELU, {0, 0, 0, I, 0}},
    {GM__STEP, {0, 0, 0, 1, 0}},
    {GM__EXP, {0, 1, 1, I, N}},
    {GM__EXPM1, {-1, -0.0, 0, I, N}},
    {GM__LOG, {N, -I, -I, I, N}},
    {GM__LOG1P, {N, -0.0, 0, I, N}},
    {GM__SIN, {N, -0.0, 0, N, N}},
    {GM__COS, {N, 1, 1, N, N}},
    {GM__TANH, {-1, -0.0, 0, 1, N}},
    {GM__SIGMOID, {0, 0.5, 0.5, 1, N}},
    {GM__SILU, {-0.0, -0.0, 0, I, N}},
    {GM__GELU, {-0.0, -0.0, 0, I, N}},
    {GM__ERF, {-1, -0.0, 0, 1, N}},
    {GM__ERFC, {2, 1, 1, 0, N}},
    {GM__LGAMMA, {I, I, I, I, N}},
    {GM__DIGAMMA, {N, I, -I, I, N}},
    {GM__TRIGAMMA, {N, I, I, 0, N}},
    {GM__NORMAL_CDF, {0, 0.5, 0.5, 1, N}},
    {GM__NORMAL_QUANTILE, {N, -I, -I, N, N}},
};
/* Single points. */
static const struct {
    int map;
    double x, y;
} points[] = {
    {GM__EXP, 1e30, I},
    {GM__EXP, -1e30, 0},
    {GM__EXPM1, 1e30, I},
    {GM__EXPM1, -1e30, -1},
    {GM__LOG, 1, 0},
    {GM__LOG, -1, N},
    {GM__LOG1P, -1, -I},
    {GM__LOG1P, -1.5, N},
    {GM__TANH, 100, 1},
    {GM__TANH, -100, -1},
    {GM__SIGMOID, 1000, 1},
    {GM__SIGMOID, -1000, 0},
    {GM__SOFTPLUS, I, I},
    {GM__SOFTPLUS, -I, 0},
    {GM__SOFTPLUS, 1e30, 1e30},
    {GM__SOFTPLUS, N, N},
    {GM__LOG_SIGMOID, I, -0.0},
    {GM__LOG_SIGMOID, -I, -I},
    {GM__LOG_SIGMOID, N, N},
    {GM__SILU, 1e30, 1e30},
    {GM__SILU, -1e30, -0.0},
    {GM__GELU, 1e30, 1e30},
    {GM__GELU, -1e30, -0.0},
    {GM__ERF, 1e30, 1},
    {GM__ERFC, 1e30, 0},
    {GM__ERFC, -1e30, 2},
    {GM__LGAMMA, 1, 0},
    {GM__LGAMMA, 2, 0},
    {GM__LGAMMA, -1, I},
    {GM__LGAMMA, -7, I},
    {GM__LGAMMA, -1e30, I},
    {GM__DIGAMMA, -1, N},
    {GM__DIGAMMA, -1e30, N},
    {GM__TRIGAMMA, -3, I},
    {GM__NORMAL_QUANTILE, 1, I},
    {GM__NORMAL_QUANTILE, 0.5, 0},
    {GM__NORMAL_QUANTILE, 1.5, N},
    {GM__NORMAL_QUANTILE, -1, N},
    {GM__FLOOR, -0.5, -1},
    {GM__FLOOR, 2.5, 2},
    {GM__FLOOR, -1e30, -1e30},
    {GM__ROUND, 0.5, 0},
    {GM__ROUND, 1.5, 2},
    {GM__ROUND, -2.5, -2},
    {GM__ROUND, 8388607, 8388607},
    {GM__RELU, -3, 0},
    {GM__STEP, 2, 1},
    {GM__STEP, -2, 0},
    {GM__ABS, -3, 3},
    {GM__SIGN, -3, -1},
    {GM__SQRT, 9, 3},
};
#undef I
#undef N

/* The map of the type at x must be exactly y rounded to the type, its sign included. */
static void check_point(const gm__maps *m, int map, double x, double y)
{
    float xf = (float)x, yf;
    double yd;
    m->map1[GM__F32][map](&yf, &xf, 1);
    m->map1[GM__F64][map](&yd, &x, 1);
    check_that(y != y ? yf != yf : yf == (float)y && !signbit(yf) == !signbit(y),
               "float map %d of %g is %g, not %g", map, x, (double)yf, y);
    check_that(y != y ? yd != yd : yd == y && !signbit(yd) == !signbit(y),
               "double map %d of %g is %g, not %g", map, x, yd, y);
}

START_TEST(test_ends)
{
    static const double at[5] = {-INFINITY, -0.0, 0, INFINITY, NAN};
    for (int s = 0; gm__kernels_at(s); s++) {
        const gm__maps *m = gm__kernels_at(s)->maps;
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            for (int k = 0; k < 5; k++)
                check_point(m, ends[i].map, at[k], ends[i].at[k]);
        for (size_t i = 0; i < sizeof points / sizeof *points; i++)
            check_point(m, points[i].map, points[i].x, points[i].y);
    }
}
END_TEST

/* ---- Exact maps ---- */

static double exact2(int map, double a, double b)
{
    switch (map) {
    case GM__ADD:
        return a + b;
    case GM__SUB:
        return a - b;
    case GM__MUL:
        return a * b;
    case GM__DIV:
        return a / b;
    case GM__MIN:
        return a != a || b != b ? NAN : a < b ? a : b;
    case GM__MAX:
        return a != a || b != b ? NAN : a > b ? a : b;
    case GM__GT:
        return a > b;
    case GM__GE:
        return a >= b;
    case GM__EQ:
        return a == b;
    default:
        return b > 0 ? a : 0;
    }
}

START_TEST(test_exact_pairs)
{
    static const double some[] = {-INFINITY, -3, -0.5, -0.0, 0, 0.25, 3, 1e300, INFINITY, NAN};
    enum { COUNT = sizeof some / sizeof *some };
    for (int map = 0; map < GM__LOGADDEXP; map++)
        for (int i = 0; i < COUNT * COUNT; i++) {
            double a = some[i / COUNT], b = some[i % COUNT], y;
            best()->map2[GM__F64][map](&y, &a, &b, 1);
            check_that(test_ulps_f64(y, exact2(map, a, b)) == 0, "map %d of %g, %g is %g", map, a,
                       b, y);
            float fa = (float)a, fb = (float)b, fy;
            best()->map2[GM__F32][map](&fy, &fa, &fb, 1);
            check_that(test_ulps_f32(fy, (float)exact2(map, fa, fb)) == 0, "map %d of %g, %g is %g",
                       map, a, b, fy);
        }
}
END_TEST

START_TEST(test_logaddexp)
{
    uint64_t state = 3;
    for (int i = 0; i < 2000; i++) {
        double a = test_uniform(&state, -30, 30), b = test_uniform(&state, -30, 30), y;
        double top = a > b ? a : b, want = top + log1p(exp(-fabs(a - b)));
        best()->map2[GM__F64][GM__LOGADDEXP](&y, &a, &b, 1);
        check_that(fabs(y - want) <= 4.5e-16 * (fabs(top) + 0.7), "logaddexp %a, %a", a, b);
    }
    static const double odd[][3] = {{-INFINITY, -INFINITY, -INFINITY},
                                    {-INFINITY, 2, 2},
                                    {INFINITY, INFINITY, INFINITY},
                                    {INFINITY, -INFINITY, INFINITY}};
    for (int i = 0; i < 4; i++) {
        double y;
        best()->map2[GM__F64][GM__LOGADDEXP](&y, &odd[i][0], &odd[i][1], 1);
        ck_assert(y == odd[i][2]);
    }
}
END_TEST

START_TEST(test_polygamma)
{
    /* psi_n(1) = (-1)^(n+1) n! zeta(n+1); psi_n(x+1) = psi_n(x) + (-1)^n n! / x^(n+1). */
    static const double one[] = {1.6449340668482264, -2.4041138063191886, 6.4939394022668291,
                                 -24.886266123440879};
    for (int n = 1; n <= 4; n++) {
        double x = 1, y;
        best()->polygamma[GM__F64](&y, &x, n, 1);
        ck_assert(test_close(y, one[n - 1], 1e-14, 0));
        for (x = -3.3; x < 6; x += 0.37) {
            double next = x + 1, z, step = (n & 1 ? -1 : 1) * tgamma(n + 1) / pow(x, n + 1);
            best()->polygamma[GM__F64](&y, &x, n, 1);
            best()->polygamma[GM__F64](&z, &next, n, 1);
            ck_assert(fabs(z - y - step) <= 1e-12 * (fabs(y) + fabs(z) + fabs(step)));
            float xf = (float)x, yf;
            best()->polygamma[GM__F32](&yf, &xf, n, 1);
            ck_assert(test_close(yf, y, 1e-4, 1e-4));
        }
    }
}
END_TEST

/* ---- The same bits everywhere ---- */

enum { LONG = 83, SPARE = 8 };

/* Random bit patterns of n elements of the size, with numbers of common size among them. */
static void fill(void *x, gm__real real, int n, uint64_t *state)
{
    for (int i = 0; i < n; i++) {
        uint64_t bits = test_random(state);
        double d = test_uniform(state, -8, 8);
        float f = (float)d;
        if (real == GM__F32)
            memcpy((float *)x + i, i % 3 ? (void *)&f : (void *)&bits, 4);
        else
            memcpy((double *)x + i, i % 3 ? (void *)&d : (void *)&bits, 8);
    }
}

/* n elements from y must be those of want, bit for bit, all NaN being alike. */
static void same(const char *what, int map, const void *y, const void *want, gm__real real, int n)
{
    for (int i = 0; i < n; i++) {
        double a = real == GM__F32 ? ((const float *)y)[i] : ((const double *)y)[i];
        double b = real == GM__F32 ? ((const float *)want)[i] : ((const double *)want)[i];
        check_that(a != a ? b != b : a == b && !signbit(a) == !signbit(b),
                   "%s %d: element %d of %d is %a, not %a", what, map, i, n, a, b);
    }
}

/* Runs every map of one set over [0, n) of arrays at the offset; results one after another in y. */
static void run_all(const gm__maps *m, gm__real real, char *y, const char *a, const char *b,
                    const char *c, int n, size_t stride)
{
    for (int k = 0; k < GM__MAP1_COUNT; k++, y += stride)
        m->map1[real][k](y, a, n);
    for (int k = 0; k < GM__MAP2_COUNT; k++, y += 3 * stride) {
        m->map2[real][k](y, a, b, n);
        m->map2_right[real][k](y + stride, a, b, n);
        m->map2_left[real][k](y + 2 * stride, a, b, n);
    }
    m->pick[real](y, c, a, b, n);
    m->axpb[real](y + stride, a, 1.7, -0.3, n);
    m->leaky[real](y + 2 * stride, a, 0.01, n);
    m->polygamma[real](y + 3 * stride, a, 2, n);
    m->polygamma[real](y + 4 * stride, a, 1, n);
}
enum { RESULTS = GM__MAP1_COUNT + 3 * GM__MAP2_COUNT + 5 };

START_TEST(test_same_bits)
{
    gm__real real = _i;
    size_t size = real == GM__F32 ? 4 : 8, stride = (LONG + SPARE) * size;
    static double a[LONG + SPARE], b[LONG + SPARE], c[LONG + SPARE];
    static double want[RESULTS * (LONG + SPARE)], got[RESULTS * (LONG + SPARE)];
    uint64_t state = 11;
    int rounds = test_quick() ? 3 : 100;
    for (int round = 0; round < rounds; round++) {
        fill(a, real, LONG + SPARE, &state);
        fill(b, real, LONG + SPARE, &state);
        fill(c, real, LONG + SPARE, &state);
        int at = round % SPARE, n = round == 0 ? LONG : (int)(test_random(&state) % LONG) + 1;
        const char *pa = (char *)a + at * size, *pb = (char *)b + at * size,
                   *pc = (char *)c + at * size;
        run_all(gm__kernels_at(0)->maps, real, (char *)want, pa, pb, pc, n, stride);
        for (int s = 1; gm__kernels_at(s); s++) {
            memset(got, 0xa5, sizeof got);
            run_all(gm__kernels_at(s)->maps, real, (char *)got + at * size, pa, pb, pc, n, stride);
            for (int k = 0; k < RESULTS; k++) {
                const unsigned char *end = (unsigned char *)got + (at + n) * size + k * stride;
                same(gm__kernels_at(s)->name, k, (char *)got + at * size + k * stride,
                     (char *)want + k * stride, real, n);
                check_that(*end == 0xa5, "result %d written past its end", k);
            }
        }
    }
}
END_TEST

/* An element alone has the bits that it has among others, also where the result replaces the input.
 */
START_TEST(test_position)
{
    gm__real real = _i;
    size_t size = real == GM__F32 ? 4 : 8;
    static double x[LONG], y[LONG], one[1], in_place[LONG];
    uint64_t state = 5;
    fill(x, real, LONG, &state);
    for (int k = 0; k < GM__MAP1_COUNT; k++) {
        best()->map1[real][k](y, x, LONG);
        memcpy(in_place, x, sizeof x);
        best()->map1[real][k](in_place, in_place, LONG);
        same("in place", k, in_place, y, real, LONG);
        for (int i = 0; i < LONG; i++) {
            best()->map1[real][k](one, (char *)x + i * size, 1);
            same("alone", k, one, (char *)y + i * size, real, 1);
        }
        best()->map1[real][k](y, x, 0);
    }
}
END_TEST

/* A derivative that comes with its map has the bits of a map of its own; SILU_SLOPE those of the
 * operations that it stands for. */
START_TEST(test_both)
{
    gm__real real = _i;
    static double x[LONG], y[LONG], slope[LONG], want[LONG];
    uint64_t state = 7;
    const double one = 1, scalar[2] = {200, -200};
    for (int round = 0; round < 200; round++)
        for (int s = 0; gm__kernels_at(s); s++) {
            const gm__maps *m = gm__kernels_at(s)->maps;
            int n = 1 + round % LONG;
            fill(x, real, LONG, &state);
            if (round % 2) /* where e^-|x| leaves the range of floats */
                m->axpb[real](x, x, scalar[round / 2 % 2], one, LONG);
            m->silu_both[real](y, slope, x, n);
            m->map1[real][GM__SILU](want, x, n);
            same("silu", s, y, want, real, n);
            m->map1[real][GM__SILU_SLOPE](want, x, n);
            same("slope of silu", s, slope, want, real, n);
            m->map1[real][GM__SIGMOID](slope, x, n);
            m->axpb[real](y, slope, -1, 1, n);
            m->map2[real][GM__MUL](y, x, y, n);
            m->axpb[real](y, y, 1, 1, n);
            m->map2[real][GM__MUL](y, slope, y, n);
            same("slope of silu, in steps", s, want, y, real, n);
            m->softplus_both[real](y, slope, x, n);
            m->map1[real][GM__SOFTPLUS](want, x, n);
            same("softplus", s, y, want, real, n);
            m->map1[real][GM__SIGMOID](want, x, n);
            same("slope of softplus", s, slope, want, real, n);
            m->silu_both[real](x, slope, x, n);
            m->map1[real][GM__SILU_SLOPE](y, want, 0);
        }
}
END_TEST

START_TEST(test_widen_narrow)
{
    static float x[LONG], z[LONG + 1];
    static double y[LONG + 1];
    uint64_t state = 2;
    fill(x, GM__F32, LONG, &state);
    for (int s = 0; gm__kernels_at(s); s++)
        for (int n = 0; n <= LONG; n++) {
            const gm__maps *m = gm__kernels_at(s)->maps;
            y[n] = 77;
            z[n] = 77;
            m->widen(y, x, n);
            m->narrow(z, y, n);
            same("narrow", s, z, x, GM__F32, n);
            ck_assert(y[n] == 77 && z[n] == 77);
        }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("maps");
    TCase *t = tcase_create("maps");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, test_floats, 0, sizeof floats / sizeof *floats);
    tcase_add_loop_test(t, test_costly_floats, 0, 4);
    tcase_add_loop_test(t, test_doubles, 0, sizeof doubles / sizeof *doubles);
    tcase_add_test(t, test_left_of_zero);
    tcase_add_test(t, test_ends);
    tcase_add_test(t, test_exact_pairs);
    tcase_add_test(t, test_logaddexp);
    tcase_add_test(t, test_polygamma);
    tcase_add_loop_test(t, test_both, 0, 2);
    tcase_add_loop_test(t, test_same_bits, 0, 2);
    tcase_add_loop_test(t, test_position, 0, 2);
    tcase_add_test(t, test_widen_narrow);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
