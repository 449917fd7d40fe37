/* Numbers and text: against the C library's strtod and printf, and hard cases from the definition.
 */
#include "support.h"
#include "base/decimal.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Reading ---- */

static void reads_like_c(const char *text)
{
    double mine = -77, theirs = strtod(text, NULL);
    int64_t length = (int64_t)strlen(text);
    test_check(gm__read_real(text, length, &mine) == length, "'%s' not read whole", text);
    test_check(memcmp(&mine, &theirs, sizeof mine) == 0 || (isnan(mine) && isnan(theirs)),
               "'%s' is %a, read as %a", text, theirs, mine);
}

START_TEST(reads_hard_numbers)
{
    static const char *const hard[] = {
        "0",
        "-0",
        "0.0e5",
        ".5",
        "5.",
        "+7",
        "1e0",
        "1E+2",
        "0001",
        "00.001",
        "1e22",
        "1e23",
        "9007199254740993",
        "9007199254740991e22",
        "9007199254740992.5",
        "9007199254740993.0000000000000000000000000000000000000000001",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587"
        "207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845"
        "817711"
        "531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699"
        "508093"
        "042880",
        "5e-324",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "2.225073858507201136057409796709132e-308",
        "1e-400",
        "1e400",
        "-1e999999999999999999999",
        "0e99999999999999999999",
        "1e-99999999999999999999",
        "123456789012345678901234567890",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        "0.1",
        "0.3",
        "2.2e-8",
        "1e-22",
        "8.5e-23",
        "inf",
        "-INF",
        "Infinity",
        "nan",
        "6.9294956446009195e15",
        "3.7455744005952583e15",
        "2.6153245263757307e65",
        "9.5e22",
    };
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
        reads_like_c(hard[i]);
}
END_TEST

START_TEST(refuses_what_is_no_number)
{
    static const struct {
        const char *text;
        int64_t used;
    } cases[] = {{"", 0},      {"-", 0},   {".", 0},    {"e5", 0},    {"x1", 0},  {" 1", 0},
                 {"in", 0},    {"--1", 0}, {"1e", 1},   {"1e+", 1},   {"1,5", 1}, {"0x10", 1},
                 {"1.2.3", 3}, {"12a", 2}, {"infx", 3}, {"nanny", 3}, {"+.", 0},  {"-.e1", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double v = 42;
        int64_t used = gm__read_real(cases[i].text, (int64_t)strlen(cases[i].text), &v);
        test_check(used == cases[i].used, "'%s': %lld", cases[i].text, (long long)used);
        if (!used)
            ck_assert(v == 42);
    }
    double v;
    ck_assert_int_eq(gm__read_real("12345", 3, &v), 3); /* heeds the length */
    ck_assert(v == 123);
}
END_TEST

static double random_double(uint64_t *state)
{
    for (;;) {
        uint64_t bits = test_random(state);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            return v;
    }
}

START_TEST(reads_random_numbers)
{
    uint64_t state = 1;
    int cases = test_quick() ? 10000 : 60000;
    char text[900];
    for (int i = 0; i < cases; i++) {
        double v = random_double(&state);
        snprintf(text, sizeof text, "%.*e", (int)(test_random(&state) % 25), v);
        reads_like_c(text);
        int exponent = (int)(test_random(&state) % 700) - 350;
        snprintf(text, sizeof text, "%llue%d",
                 (unsigned long long)(test_random(&state) >> (i & 63)), exponent);
        reads_like_c(text);
        snprintf(text, sizeof text, "%.*f", (int)(test_random(&state) % 20),
                 v = test_uniform(&state, -100, 100));
        reads_like_c(text);
    }
}
END_TEST

/* Points half way between two doubles, written in full, and the last digit one up or down. */
START_TEST(reads_halfway_points)
{
    uint64_t state = 2;
    int cases = test_quick() ? 200 : 1500;
    static char text[2000];
    for (int i = 0; i < cases; i++) {
        double v = fabs(random_double(&state));
        if (i % 3 == 0)
            v = test_uniform(&state, 0, 1e-307);
        if (i % 3 == 1)
            v = test_uniform(&state, 0.5, 2);
        double above = nextafter(v, INFINITY);
        if (isinf(above))
            continue;
        long double half = ((long double)v + (long double)above) / 2; /* exact with 64 bits */
#if LDBL_MANT_DIG >= 64
        snprintf(text, sizeof text, "%.1100Lf", half);
        reads_like_c(text);
        char *last = text + strlen(text) - 1;
        while (*last == '0')
            last--;
        if (*last >= '1' && *last <= '8') {
            ++*last;
            reads_like_c(text);
            *last = (char)(*last - 2);
            reads_like_c(text);
        }
        strcat(text, "00000000000000000000000000000000000000000000000000001");
        reads_like_c(text);
#else
        (void)half;
#endif
    }
}
END_TEST

START_TEST(reads_whole_numbers)
{
    int64_t v = 5;
    uint64_t u = 5;
    ck_assert_int_eq(gm__read_int("-9223372036854775808", 20, &v), 20);
    ck_assert(v == INT64_MIN);
    ck_assert_int_eq(gm__read_int("9223372036854775807", 19, &v), 19);
    ck_assert(v == INT64_MAX);
    ck_assert_int_eq(gm__read_int("9223372036854775808", 19, &v), 0);
    ck_assert_int_eq(gm__read_int("-9223372036854775809", 20, &v), 0);
    ck_assert_int_eq(gm__read_int("", 0, &v), 0);
    ck_assert_int_eq(gm__read_int("+", 1, &v), 0);
    ck_assert_int_eq(gm__read_int("12.5", 4, &v), 2);
    ck_assert(v == 12);
    ck_assert_int_eq(gm__read_int("-0", 2, &v), 2);
    ck_assert(v == 0);
    ck_assert_int_eq(gm__read_uint("18446744073709551615", 20, &u), 20);
    ck_assert(u == UINT64_MAX);
    ck_assert_int_eq(gm__read_uint("18446744073709551616", 20, &u), 0);
    ck_assert_int_eq(gm__read_uint("-1", 2, &u), 0);
}
END_TEST

/* ---- Writing ---- */

/* Reads back, and no shorter number of digits does. */
static void writes_shortest(double v)
{
    char text[32], shorter[64];
    int n = gm__write_real(text, v, 0);
    test_check(n < 32 && n == (int)strlen(text), "%a has length %d", v, n);
    double back = strtod(text, NULL);
    test_check(memcmp(&back, &v, sizeof v) == 0, "%a written as %s", v, text);
    char digits[18];
    int exponent;
    int count = v == 0 ? 1 : gm__digits_shortest(digits, v, 0, &exponent);
    if (count > 1) {
        snprintf(shorter, sizeof shorter, "%.*e", count - 2, v);
        test_check(strtod(shorter, NULL) != v, "%s for %s", text, shorter);
    }
    snprintf(shorter, sizeof shorter, "%.*e", count - 1,
             v); /* the nearest of its length, unless that fails */
    if (strtod(shorter, NULL) == v)
        test_check(strtod(shorter, NULL) == back && fabs(strtod(text, NULL)) == fabs(v), "%s",
                   text);
}

static void writes(double v, int f32, const char *expected)
{
    char text[32];
    gm__write_real(text, v, f32);
    ck_assert_str_eq(text, expected);
}

START_TEST(writes_known_numbers)
{
    writes(0, 0, "0");
    writes(-0.0, 0, "-0");
    writes(1, 0, "1");
    writes(-12345, 0, "-12345");
    writes(0.1, 0, "0.1");
    writes(1e-5, 0, "0.00001");
    writes(1.5e-6, 0, "1.5e-6");
    writes(1e15, 0, "1000000000000000");
    writes(1e16, 0, "1e16");
    writes(1e22, 0, "1e22");
    writes(1e23, 0, "1e23");
    writes(9.5e22, 0, "9.5e22");
    writes(5e-324, 0, "5e-324");
    writes(DBL_MAX, 0, "1.7976931348623157e308");
    writes(DBL_MIN, 0, "2.2250738585072014e-308");
    writes(2.0 / 3, 0, "0.6666666666666666");
    writes(123456.789, 0, "123456.789");
    writes(9007199254740993.0, 0, "9007199254740992");
    writes(INFINITY, 0, "inf");
    writes(-INFINITY, 1, "-inf");
    writes(NAN, 0, "nan");
    writes(0.1f, 1, "0.1");
    writes(16777216.f, 1, "16777216");
    writes(FLT_MAX, 1, "3.4028235e38");
    writes(FLT_TRUE_MIN, 1, "1e-45");
    writes(FLT_MIN, 1, "1.1754944e-38");
    writes(0.1f, 0, "0.10000000149011612");
    char text[24];
    ck_assert_int_eq(gm__write_int(text, INT64_MIN), 20);
    ck_assert_str_eq(text, "-9223372036854775808");
    gm__write_int(text, 0);
    ck_assert_str_eq(text, "0");
}
END_TEST

START_TEST(writes_random_numbers)
{
    uint64_t state = 3;
    int cases = test_quick() ? 20000 : 100000;
    for (int i = 0; i < cases; i++) {
        writes_shortest(random_double(&state));
        writes_shortest(test_uniform(&state, -10, 10));
        writes_shortest((double)(int64_t)(test_random(&state) >> (i & 63)));
        writes_shortest(round(test_uniform(&state, -1e6, 1e6)) / 1000);
    }
    for (int e = -1074; e < 1024; e++) {
        double v = ldexp(1, e);
        writes_shortest(v);
        writes_shortest(nextafter(v, 0));
        writes_shortest(nextafter(v, INFINITY));
    }
}
END_TEST

START_TEST(writes_random_floats)
{
    uint64_t state = 4;
    int cases = test_quick() ? 20000 : 100000;
    for (int i = 0; i < cases; i++) {
        uint32_t bits = (uint32_t)test_random(&state);
        float v, back;
        char text[32], shorter[64];
        if (i < 2048) /* powers of two, and what lies under them */
            bits = (uint32_t)(i / 4 % 256) << 23 | (uint32_t)(i % 4 == 1) |
                   (i % 4 == 2 ? 0x7fffffu : 0);
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        gm__write_real(text, v, 1);
        back = strtof(text, NULL);
        test_check(memcmp(&v, &back, sizeof v) == 0, "%a as %s", v, text);
        double wide;
        gm__read_real(text, (int64_t)strlen(text), &wide);
        test_check((float)wide == v, "%a as %s by way of a double", v, text);
        char digits[18];
        int exponent, n = v == 0 ? 1 : gm__digits_shortest(digits, v, 1, &exponent);
        test_check(n <= 9, "%a has %d digits", v, n);
        if (n > 1) {
            snprintf(shorter, sizeof shorter, "%.*e", n - 2, v);
            test_check(strtof(shorter, NULL) != v, "%s for %s", text, shorter);
        }
    }
}
END_TEST

/* ---- Formats ---- */

/* Volatile, so that the compiler does not tell us what it will cut. */
#define SAME(size, ...)                                                                            \
    do {                                                                                           \
        char mine[700], theirs[700];                                                               \
        volatile int room = (size);                                                                \
        int64_t n = gm__format(mine, room, __VA_ARGS__);                                           \
        int m = snprintf(theirs, (size_t)room, __VA_ARGS__);                                       \
        test_check(n == m && strcmp(mine, theirs) == 0, "%s, not %s", mine, theirs);               \
    } while (0)

START_TEST(formats_like_c)
{
    SAME(700, "plain, 100 %%");
    SAME(700, "%s|%10s|%-10s|%.2s|%.*s|", "abc", "abc", "abc", "abc", 1, "abc");
    SAME(700, "%d %i %5d %-5d| %05d %05d %.3d", 1, -2, 33, 44, 55, -66, 7);
    SAME(700, "%u %x %08x %lld %llu %016llx %zu %c", 3u, 255u, 48879u, -5LL, 6ULL, 0xdeadbeefULL,
         (size_t)9, 'x');
    SAME(700, "%ld %lu %jd %td", -7L, 7UL, (intmax_t)8, (ptrdiff_t)-9);
    SAME(4, "%s", "abcdef");
    SAME(1, "%d", 12345);
    SAME(700, "%.3f %.0f %.0f %.0f %.1f %8.2f|%-8.2f|%08.2f", 3.14159, 0.5, 1.5, 2.5, 0.05, 2.345,
         2.345, -2.345);
    SAME(700, "%.2f %.2f %f %.3f", 0.0, -0.0, 1e15, 1e22);
    SAME(700, "%.3f %.3f %.1f", 1e-9, 0.0005, 9.96);
    ck_assert_int_eq(gm__format(NULL, 0, "%d", 123), 3);
    char text[64];
    gm__format(text, sizeof text, "%g %g %.3g %.1g", 0.1, 1e300, 3.14159, 0.96);
    ck_assert_str_eq(text, "0.1 1e300 3.14 1");
}
END_TEST

START_TEST(formats_random_reals)
{
    uint64_t state = 5;
    for (int i = 0; i < (test_quick() ? 5000 : 50000); i++) {
        double v = ldexp(test_uniform(&state, -1, 1), (int)(test_random(&state) % 120) - 60);
        int decimals = (int)(test_random(&state) % 24);
        SAME(700, "%.*f", decimals, v);
        SAME(700, "%.*f", decimals, rint(v * 8) / 8);
        double few = (double)(int)(test_random(&state) % 20000) / 1000;
        SAME(700, "%.*f", decimals % 4, few);
    }
    SAME(700, "%.5f", DBL_MAX);
    SAME(700, "%.60f", 5e-324);
}
END_TEST

START_TEST(cuts_between_characters)
{
    char text[8];
    ck_assert_int_eq(gm__format(text, 3, "a\xc3\xa4"), 3);
    ck_assert_str_eq(text, "a");
    gm__format(text, 4, "a\xc3\xa4");
    ck_assert_str_eq(text, "a\xc3\xa4");
    gm__format(text, 5, "ab\xf0\x9f\x98\x80");
    ck_assert_str_eq(text, "ab");
    gm__format(text, 7, "ab\xf0\x9f\x98\x80z");
    ck_assert_str_eq(text, "ab\xf0\x9f\x98\x80");
}
END_TEST

START_TEST(knows_utf8)
{
    static const struct {
        const char *text;
        int valid;
    } cases[] = {{"", 1},
                 {"abc", 1},
                 {"\xc3\xa4", 1},
                 {"\xe2\x82\xac", 1},
                 {"\xf0\x9f\x98\x80", 1},
                 {"\xc3", 0},
                 {"\xa4", 0},
                 {"\xc0\x80", 0},
                 {"\xc1\xbf", 0},
                 {"\xe0\x80\x80", 0},
                 {"\xe0\x9f\xbf", 0},
                 {"\xed\xa0\x80", 0},
                 {"\xed\x9f\xbf", 1},
                 {"\xf4\x8f\xbf\xbf", 1},
                 {"\xf4\x90\x80\x80", 0},
                 {"\xf5\x80\x80\x80", 0},
                 {"\xf0\x8f\xbf\xbf", 0},
                 {"\xff", 0},
                 {"a\xe2\x82", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_check(gm__valid_utf8(cases[i].text, (int64_t)strlen(cases[i].text)) == cases[i].valid,
                   "case %d", (int)i);
}
END_TEST

START_TEST(compares_names)
{
    ck_assert(gm__same_name("True", "true"));
    ck_assert(!gm__same_name("True", "tru"));
    ck_assert(!gm__same_name("", "x"));
    ck_assert_int_eq(gm__edit_distance("hidden", "hidden", 3), 0);
    ck_assert_int_eq(gm__edit_distance("hiden", "hidden", 3), 1);
    ck_assert_int_eq(gm__edit_distance("kitten", "sitting", 3), 3);
    ck_assert_int_eq(gm__edit_distance("kitten", "sitting", 2), 3);
    ck_assert_int_eq(gm__edit_distance("", "abc", 5), 3);
    ck_assert_int_eq(gm__edit_distance("abc", "", 5), 3);
}
END_TEST

/* ---- Buffers ---- */

static gm_status fill_buffer(const gm_allocator *a, void *arg)
{
    gm__buffer b = {.allocator = *a};
    (void)arg;
    for (int i = 0; i < 300; i++) {
        gm__buffer_text(&b, "line ");
        gm__buffer_format(&b, "%d of %s\n", i, "many");
    }
    gm_status code = b.failed ? GM_E_MEMORY : GM_OK;
    if (!code)
        ck_assert(b.size == strlen(b.data) && strstr(b.data, "line 299 of many\n"));
    gm__buffer_clear(&b);
    return code;
}

START_TEST(buffers_grow_or_fail)
{
    ck_assert_int_gt(test_every_failure(fill_buffer, NULL, 0), 8);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("text");
    TCase *c = tcase_create("text");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, reads_hard_numbers);
    tcase_add_test(c, refuses_what_is_no_number);
    tcase_add_test(c, reads_random_numbers);
    tcase_add_test(c, reads_halfway_points);
    tcase_add_test(c, reads_whole_numbers);
    tcase_add_test(c, writes_known_numbers);
    tcase_add_test(c, writes_random_numbers);
    tcase_add_test(c, writes_random_floats);
    tcase_add_test(c, formats_like_c);
    tcase_add_test(c, formats_random_reals);
    tcase_add_test(c, cuts_between_characters);
    tcase_add_test(c, knows_utf8);
    tcase_add_test(c, compares_names);
    tcase_add_test(c, buffers_grow_or_fail);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
