/* A stand-in for the part of Check that the tests use, for targets that have no package of it: make
 * check-cross puts this directory before the system's. The same macros and the same last line; all
 * tests run in one process, a failed assertion leaves its test by longjmp, timeouts are not kept.
 *
 * Each program has two files that include this; the runner's state is a weak symbol, so that they
 * share one. */
#ifndef TEST_CROSS_CHECK_H
#define TEST_CROSS_CHECK_H

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*ck_function)(int);
typedef struct ck_test {
    const char *name;
    ck_function run;
} ck_test;

/* One test or one turn of a loop test. */
typedef struct ck_entry {
    const ck_test *test;
    int index;
} ck_entry;

typedef struct TCase {
    const char *name;
    ck_entry *entries;
    int count;
    void (*setup)(void), (*teardown)(void);
    void (*first)(void), (*last)(void);
    struct TCase *next;
} TCase;

typedef struct Suite {
    const char *name;
    TCase *cases;
    struct Suite *next;
} Suite;

typedef struct SRunner {
    Suite *suites;
    int checks, failures;
} SRunner;

enum fork_status { CK_FORK, CK_NOFORK, CK_FORK_GETENV };
enum print_output { CK_SILENT, CK_MINIMAL, CK_NORMAL, CK_VERBOSE, CK_ENV };

__attribute__((weak)) jmp_buf ck_way_out;
__attribute__((weak)) const char *ck_running;

__attribute__((unused, noreturn, format(printf, 3, 4))) static void
ck_fail(const char *file, int line, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    printf("%s:%d:F:%s: ", file, line, ck_running);
    vprintf(format, values);
    printf("\n");
    va_end(values);
    longjmp(ck_way_out, 1);
}

__attribute__((unused)) static void *ck_grow(void *block, size_t size)
{
    block = realloc(block, size);
    if (!block) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return block;
}

/* ---- Suites ---- */

__attribute__((unused)) static Suite *suite_create(const char *name)
{
    Suite *suite = ck_grow(NULL, sizeof *suite);
    *suite = (Suite){.name = name};
    return suite;
}

__attribute__((unused)) static TCase *tcase_create(const char *name)
{
    TCase *tcase = ck_grow(NULL, sizeof *tcase);
    *tcase = (TCase){.name = name};
    return tcase;
}

__attribute__((unused)) static void suite_add_tcase(Suite *suite, TCase *tcase)
{
    TCase **end = &suite->cases;
    while (*end)
        end = &(*end)->next;
    *end = tcase;
}

__attribute__((unused)) static void ck_add(TCase *tcase, const ck_test *test, int start, int end)
{
    for (int i = start; i < end; i++) {
        tcase->entries =
            ck_grow(tcase->entries, ((size_t)tcase->count + 1) * sizeof *tcase->entries);
        tcase->entries[tcase->count++] = (ck_entry){test, i};
    }
}

#define tcase_add_test(tcase, test) ck_add(tcase, test, 0, 1)
#define tcase_add_loop_test(tcase, test, start, end) ck_add(tcase, test, start, end)
#define tcase_set_timeout(tcase, seconds) ((void)(tcase), (void)(seconds))
#define tcase_add_checked_fixture(tcase, up, down)                                                 \
    ((tcase)->setup = (up), (tcase)->teardown = (down))
#define tcase_add_unchecked_fixture(tcase, up, down) ((tcase)->first = (up), (tcase)->last = (down))

__attribute__((unused)) static SRunner *srunner_create(Suite *suite)
{
    SRunner *runner = ck_grow(NULL, sizeof *runner);
    *runner = (SRunner){.suites = suite};
    return runner;
}

__attribute__((unused)) static void srunner_add_suite(SRunner *runner, Suite *suite)
{
    suite->next = runner->suites;
    runner->suites = suite;
}

__attribute__((unused)) static void ck_run_entry(SRunner *runner, const TCase *tcase,
                                                 const ck_entry *entry)
{
    runner->checks++;
    ck_running = entry->test->name;
    if (setjmp(ck_way_out) == 0) {
        if (tcase->setup)
            tcase->setup();
        entry->test->run(entry->index);
        if (tcase->teardown)
            tcase->teardown();
    } else {
        runner->failures++;
        if (tcase->teardown)
            tcase->teardown();
    }
    fflush(stdout);
}

__attribute__((unused)) static void srunner_run_all(SRunner *runner, enum print_output mode)
{
    (void)mode;
    for (const Suite *suite = runner->suites; suite; suite = suite->next) {
        for (const TCase *tcase = suite->cases; tcase; tcase = tcase->next) {
            if (tcase->first)
                tcase->first();
            for (int i = 0; i < tcase->count; i++)
                ck_run_entry(runner, tcase, &tcase->entries[i]);
            if (tcase->last)
                tcase->last();
        }
    }
    int good = runner->checks - runner->failures;
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n",
           runner->checks ? 100 * good / runner->checks : 100, runner->checks, runner->failures);
}

#define srunner_set_fork_status(runner, status) ((void)(runner), (void)(status))
#define srunner_set_log(runner, name) ((void)(runner), (void)(name))
#define srunner_ntests_failed(runner) ((runner)->failures)
#define srunner_ntests_run(runner) ((runner)->checks)

__attribute__((unused)) static void srunner_free(SRunner *runner)
{
    for (Suite *suite = runner->suites, *after; suite; suite = after) {
        after = suite->next;
        for (TCase *tcase = suite->cases, *next; tcase; tcase = next) {
            next = tcase->next;
            free(tcase->entries);
            free(tcase);
        }
        free(suite);
    }
    free(runner);
}

/* ---- Tests ---- */

#define START_TEST(name)                                                                           \
    static void ck_##name(int _i);                                                                 \
    static const ck_test ck_test_##name = {#name, ck_##name};                                      \
    static const ck_test *const name = &ck_test_##name;                                            \
    static void ck_##name(int _i)                                                                  \
    {                                                                                              \
        (void)_i;
#define END_TEST }

/* ---- Assertions ---- */

#define ck_abort() ck_fail(__FILE__, __LINE__, "failed")
#define ck_abort_msg(...) ck_fail(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert(x)                                                                               \
    do {                                                                                           \
        if (!(x))                                                                                  \
            ck_fail(__FILE__, __LINE__, "'%s' does not hold", #x);                                 \
    } while (0)
#define ck_assert_msg(x, ...)                                                                      \
    do {                                                                                           \
        if (!(x))                                                                                  \
            ck_fail(__FILE__, __LINE__, __VA_ARGS__);                                              \
    } while (0)

/* Both sides once, as TYPE, shown with FORMAT. */
#define CK_COMPARE(type, format, a, op, b)                                                         \
    do {                                                                                           \
        type ck_a = (a);                                                                           \
        type ck_b = (b);                                                                           \
        if (!(ck_a op ck_b))                                                                       \
            ck_fail(__FILE__, __LINE__, "'%s %s %s' does not hold: " format ", " format, #a, #op,  \
                    #b, ck_a, ck_b);                                                               \
    } while (0)

#define ck_assert_int_eq(a, b) CK_COMPARE(intmax_t, "%" PRIdMAX, a, ==, b)
#define ck_assert_int_ne(a, b) CK_COMPARE(intmax_t, "%" PRIdMAX, a, !=, b)
#define ck_assert_int_lt(a, b) CK_COMPARE(intmax_t, "%" PRIdMAX, a, <, b)
#define ck_assert_int_le(a, b) CK_COMPARE(intmax_t, "%" PRIdMAX, a, <=, b)
#define ck_assert_int_gt(a, b) CK_COMPARE(intmax_t, "%" PRIdMAX, a, >, b)
#define ck_assert_int_ge(a, b) CK_COMPARE(intmax_t, "%" PRIdMAX, a, >=, b)
#define ck_assert_uint_eq(a, b) CK_COMPARE(uintmax_t, "%" PRIuMAX, a, ==, b)
#define ck_assert_uint_ne(a, b) CK_COMPARE(uintmax_t, "%" PRIuMAX, a, !=, b)
#define ck_assert_uint_lt(a, b) CK_COMPARE(uintmax_t, "%" PRIuMAX, a, <, b)
#define ck_assert_uint_le(a, b) CK_COMPARE(uintmax_t, "%" PRIuMAX, a, <=, b)
#define ck_assert_uint_gt(a, b) CK_COMPARE(uintmax_t, "%" PRIuMAX, a, >, b)
#define ck_assert_uint_ge(a, b) CK_COMPARE(uintmax_t, "%" PRIuMAX, a, >=, b)
#define ck_assert_double_eq(a, b) CK_COMPARE(double, "%.17g", a, ==, b)
#define ck_assert_double_ne(a, b) CK_COMPARE(double, "%.17g", a, !=, b)
#define ck_assert_double_lt(a, b) CK_COMPARE(double, "%.17g", a, <, b)
#define ck_assert_double_le(a, b) CK_COMPARE(double, "%.17g", a, <=, b)
#define ck_assert_double_gt(a, b) CK_COMPARE(double, "%.17g", a, >, b)
#define ck_assert_double_ge(a, b) CK_COMPARE(double, "%.17g", a, >=, b)
#define ck_assert_float_eq(a, b) CK_COMPARE(float, "%.9g", a, ==, b)
#define ck_assert_float_ne(a, b) CK_COMPARE(float, "%.9g", a, !=, b)
#define ck_assert_float_lt(a, b) CK_COMPARE(float, "%.9g", a, <, b)
#define ck_assert_float_le(a, b) CK_COMPARE(float, "%.9g", a, <=, b)
#define ck_assert_float_gt(a, b) CK_COMPARE(float, "%.9g", a, >, b)
#define ck_assert_float_ge(a, b) CK_COMPARE(float, "%.9g", a, >=, b)
#define ck_assert_ptr_eq(a, b) CK_COMPARE(const void *, "%p", a, ==, b)
#define ck_assert_ptr_ne(a, b) CK_COMPARE(const void *, "%p", a, !=, b)
#define ck_assert_ptr_null(a) CK_COMPARE(const void *, "%p", a, ==, NULL)
#define ck_assert_ptr_nonnull(a) CK_COMPARE(const void *, "%p", a, !=, NULL)

/* Not below the tolerance: also when a side is not a number. */
#define ck_assert_double_eq_tol(a, b, tolerance)                                                   \
    do {                                                                                           \
        double ck_x = (a), ck_y = (b);                                                             \
        if (!(fabs(ck_x - ck_y) < (tolerance)))                                                    \
            ck_fail(__FILE__, __LINE__, "'%s' is %.17g, '%s' is %.17g", #a, ck_x, #b, ck_y);       \
    } while (0)
#define ck_assert_float_eq_tol(a, b, tolerance) ck_assert_double_eq_tol(a, b, tolerance)
#define ck_assert_double_finite(a) ck_assert_msg(isfinite(a), "'%s' is not finite", #a)
#define ck_assert_double_infinite(a) ck_assert_msg(isinf(a), "'%s' is not infinite", #a)
#define ck_assert_double_nan(a) ck_assert_msg(isnan(a), "'%s' is a number", #a)
#define ck_assert_double_nonnan(a) ck_assert_msg(!isnan(a), "'%s' is not a number", #a)
#define ck_assert_float_finite(a) ck_assert_double_finite(a)
#define ck_assert_float_infinite(a) ck_assert_double_infinite(a)
#define ck_assert_float_nan(a) ck_assert_double_nan(a)
#define ck_assert_float_nonnan(a) ck_assert_double_nonnan(a)

#define CK_STRINGS(a, op, b)                                                                       \
    do {                                                                                           \
        const char *ck_s = (a), *ck_t = (b);                                                       \
        if (!ck_s || !ck_t || !(strcmp(ck_s, ck_t) op 0))                                          \
            ck_fail(__FILE__, __LINE__, "'%s' is \"%s\", '%s' is \"%s\"", #a,                      \
                    ck_s ? ck_s : "(null)", #b, ck_t ? ck_t : "(null)");                           \
    } while (0)
#define ck_assert_str_eq(a, b) CK_STRINGS(a, ==, b)
#define ck_assert_str_ne(a, b) CK_STRINGS(a, !=, b)
#define ck_assert_mem_eq(a, b, size)                                                               \
    ck_assert_msg(memcmp(a, b, size) == 0, "'%s' and '%s' differ", #a, #b)
#define ck_assert_mem_ne(a, b, size)                                                               \
    ck_assert_msg(memcmp(a, b, size) != 0, "'%s' and '%s' are the same", #a, #b)

#endif
