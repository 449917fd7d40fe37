/* What every test program shares: the main function, tolerances, and hostile hooks. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <check.h>
#include <stdint.h>
#include <string.h>
#include "genmod/base.h"

/* Runs the suite and returns what main returns: 0 if every check held, else 1. Tests run in a
 * process each, but all in this one where CK_FORK=no or under a sanitizer. */
int gm__test_main(Suite *(*suite)(void));

/* Non-zero when TIER=quick: do the same with fewer cases. */
int test_quick(void);
/* Non-zero under a sanitizer or valgrind's slow clock (TEST_SLOW=1): do not judge times. */
int test_sanitized(void);

/* Check's own assertions send a message each time they hold: too slow in loops over elements. */
#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", #condition);                                                        \
    } while (0)
#define must_msg(condition, ...)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

/* ck_assert_msg for inner loops: Check notes every assertion that it passes, which takes a
 * microsecond. */
#define test_check(condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

/* ---- Numbers ---- */

/* |a - b| / max(|b|, least); 0 for equal values and for two NaN; infinite for one NaN. */
double test_rel_error(double a, double b, double least);
/* Non-zero if |a - b| <= abs + rel * |b|, or both are the same infinity, or both NaN. */
int test_close(double a, double b, double rel, double abs);
/* How many floats (doubles) lie between a and b: 0 for equal, also -0 and 0 and two NaN; INT64_MAX
 * for one NaN. */
int64_t test_ulps_f32(float a, float b);
int64_t test_ulps_f64(double a, double b);
/* The largest test_rel_error of n values. */
double test_max_rel_error(const double *a, const double *b, int64_t n, double least);
/* A fixed stream of numbers for making cases, apart from the library's own: SplitMix64 and a
 * uniform. */
uint64_t test_random(uint64_t *state);
double test_uniform(uint64_t *state, double low, double high);

/* ---- Memory that fails ---- */

/* Zero is an allocator that never fails. It keeps each block's size and counts callers that give
 * another, moves a block at every resize, and fills new bytes with junk. Threads may share it. */
typedef struct test_memory {
    int64_t fail_at;     /* the first call that fails, from 1; 0 none */
    int forever;         /* calls after it fail too */
    int64_t calls;       /* calls that asked for more memory, so far */
    int64_t failures;    /* of them refused */
    int64_t blocks;      /* outstanding */
    int64_t bytes;       /* outstanding */
    int64_t peak;        /* most bytes outstanding at once */
    int64_t wrong_sizes; /* old sizes that were not the block's */
} test_memory;
gm_allocator test_memory_allocator(test_memory *memory);

/* Calls body(allocator, arg) with allocation 1 refused, then 2, ... until a run meets no refusal
 * (then body must return GM_OK); first with one refusal a run, then with every later call refused
 * as well. Each refused run must return GM_E_MEMORY or, where the body can do without, GM_OK, and
 * leave no block. `most` bounds the runs of each kind (0: no bound): beyond it the steps between
 * refusals widen. Returns the number of runs. */
int64_t test_every_failure(gm_status (*body)(const gm_allocator *allocator, void *arg), void *arg,
                           int64_t most);

/* ---- Readers and writers that fail ---- */

typedef struct test_source {
    const void *data;
    int64_t size, at;
    int64_t chunk;   /* at most so many bytes a read; 0 any */
    int64_t fail_at; /* the read that fails, from 1; 0 none */
    int64_t calls;
    int tell_size; /* the size hook answers; else -1 */
} test_source;
gm_reader test_source_reader(test_source *source);

typedef struct test_sink {
    unsigned char *data;
    int64_t size, capacity;
    int64_t fail_at; /* the write that fails, from 1; 0 none */
    int64_t calls;
} test_sink;
gm_writer test_sink_writer(test_sink *sink);
void test_sink_clear(test_sink *sink);

/* ---- A log that counts ---- */

typedef struct test_log {
    int64_t warnings, informations, others;
    char last[512];
} test_log;
gm_logger test_log_hook(test_log *log);

/* ---- Context checks ---- */

/* A context on the allocator (NULL: the C library's); ends the test if that fails. */
gm_context *test_context(const gm_allocator *allocator);
/* The text of the last failure, in a buffer that the next call overwrites. */
const char *test_error(const gm_context *ctx);
/* Ends the test, with the error's text, if the call failed. */
#define test_ok(ctx, call)                                                                         \
    do {                                                                                           \
        gm_status test_status = (call);                                                            \
        ck_assert_msg(test_status == GM_OK, #call " gave %d: %s", (int)test_status,                \
                      test_error(ctx));                                                            \
    } while (0)
/* The call must fail with this code, and the text must hold this part (NULL: any text). */
#define test_fails(ctx, call, code, part)                                                          \
    do {                                                                                           \
        gm_status test_status = (call);                                                            \
        const char *test_part = (part);                                                            \
        ck_assert_msg(test_status == (code), #call " gave %d, not %s: %s", (int)test_status,       \
                      #code, test_status ? test_error(ctx) : "no error");                          \
        ck_assert_msg(!test_part || strstr(test_error(ctx), test_part), "no '%s' in: %s",          \
                      test_part ? test_part : "", test_error(ctx));                                \
    } while (0)

#endif
