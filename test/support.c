#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int environment_is(const char *name, const char *value)
{
    const char *has = getenv(name);
    return has && strcmp(has, value) == 0;
}

int gm__test_main(Suite *(*suite)(void))
{
    SRunner *runner = srunner_create(suite());
    if (SANITIZED || environment_is("CK_FORK", "no"))
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

int test_quick(void)
{
    return environment_is("TIER", "quick");
}

int test_sanitized(void)
{
    return SANITIZED || environment_is("TEST_SLOW", "1");
}

/* ---- Numbers ---- */

double test_rel_error(double a, double b, double least)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    if (isnan(a) || isnan(b) || isinf(a) || isinf(b))
        return INFINITY;
    return fabs(a - b) / fmax(fabs(b), least);
}

int test_close(double a, double b, double rel, double abs)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 1;
    return isfinite(a) && isfinite(b) && fabs(a - b) <= abs + rel * fabs(b);
}

int64_t test_ulps_f32(float a, float b)
{
    int32_t i, j;
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b) ? 0 : INT64_MAX;
    memcpy(&i, &a, sizeof i);
    memcpy(&j, &b, sizeof j);
    int64_t x = i < 0 ? -(int64_t)(i & INT32_MAX) : i;
    int64_t y = j < 0 ? -(int64_t)(j & INT32_MAX) : j;
    return x > y ? x - y : y - x;
}

int64_t test_ulps_f64(double a, double b)
{
    int64_t i, j;
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b) ? 0 : INT64_MAX;
    memcpy(&i, &a, sizeof i);
    memcpy(&j, &b, sizeof j);
    int64_t x = i < 0 ? -(i & INT64_MAX) : i;
    int64_t y = j < 0 ? -(j & INT64_MAX) : j;
    uint64_t apart = x > y ? (uint64_t)x - (uint64_t)y : (uint64_t)y - (uint64_t)x;
    return apart > INT64_MAX ? INT64_MAX : (int64_t)apart;
}

double test_max_rel_error(const double *a, const double *b, int64_t n, double least)
{
    double worst = 0;
    for (int64_t i = 0; i < n; i++)
        worst = fmax(worst, test_rel_error(a[i], b[i], least));
    return worst;
}

uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double test_uniform(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(test_random(state) >> 11) * 0x1p-53);
}

/* ---- Memory that fails ---- */

/* In front of each block, in 64 bytes of its own so that the block keeps its alignment. */
typedef struct header {
    size_t size;
    uint64_t mark;
} header;
#define HEADER 64
#define MARK 0x6c6f6f6b73206f6bu

static void count(int64_t *counter, int64_t by)
{
    __atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

/* Non-zero if this call is to be refused. */
static int refuse(test_memory *m)
{
    int64_t call = __atomic_add_fetch(&m->calls, 1, __ATOMIC_RELAXED);
    int now = m->fail_at && (call == m->fail_at || (m->forever && call > m->fail_at));
    if (now)
        count(&m->failures, 1);
    return now;
}

static void *take(test_memory *m, size_t size)
{
    if (size >> 31 >> 9) /* sanitizers stop at sizes that no memory has */
        return NULL;
    header *h = aligned_alloc(HEADER, HEADER + (size + HEADER - 1) / HEADER * HEADER);
    if (!h)
        return NULL;
    h->size = size;
    h->mark = MARK;
    memset((char *)h + HEADER, 0xa5, size);
    count(&m->blocks, 1);
    int64_t now = __atomic_add_fetch(&m->bytes, (int64_t)size, __ATOMIC_RELAXED);
    int64_t peak = __atomic_load_n(&m->peak, __ATOMIC_RELAXED);
    while (now > peak && !__atomic_compare_exchange_n(&m->peak, &peak, now, 1, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED))
        ;
    return (char *)h + HEADER;
}

static void give_back(test_memory *m, void *block)
{
    header *h = (header *)((char *)block - HEADER);
    count(&m->blocks, -1);
    count(&m->bytes, -(int64_t)h->size);
    memset(block, 0xdd, h->size);
    h->mark = 0;
    free(h);
}

static void *resize(void *user, void *block, size_t old_size, size_t new_size, size_t alignment)
{
    test_memory *m = user;
    size_t had = 0;
    if (block) {
        header *h = (header *)((char *)block - HEADER);
        had = h->size;
        if (had != old_size || h->mark != MARK)
            count(&m->wrong_sizes, 1);
    }
    if (alignment == 0 || alignment > 64 || (alignment & (alignment - 1)))
        count(&m->wrong_sizes, 1);
    if (new_size > had && refuse(m))
        return NULL;
    void *fresh = new_size ? take(m, new_size) : NULL;
    if (fresh && block)
        memcpy(fresh, block, had < new_size ? had : new_size);
    if (block && (fresh || !new_size))
        give_back(m, block);
    return fresh;
}

gm_allocator test_memory_allocator(test_memory *memory)
{
    return (gm_allocator){.struct_size = sizeof(gm_allocator), .user = memory, .resize = resize};
}

int64_t test_every_failure(gm_status (*body)(const gm_allocator *allocator, void *arg), void *arg,
                           int64_t most)
{
    int64_t runs = 0;
    for (int forever = 0; forever < 2; forever++) {
        int64_t at = 1, step = 1;
        for (int done = 0; !done; at += step, runs++) {
            test_memory m = {.fail_at = at, .forever = forever};
            gm_allocator a = test_memory_allocator(&m);
            gm_status got = body(&a, arg);
            done = m.failures == 0;
            ck_assert_msg(got == GM_OK || (!done && got == GM_E_MEMORY),
                          "allocation %lld refused%s: status %d", (long long)at,
                          forever ? " and all later ones" : "", (int)got);
            ck_assert_msg(m.blocks == 0 && m.bytes == 0,
                          "allocation %lld refused: %lld blocks left", (long long)at,
                          (long long)m.blocks);
            ck_assert_int_eq(m.wrong_sizes, 0);
            if (most && at >= most)
                step = 1 + at / (most + 1) * 2 + step;
        }
    }
    return runs;
}

/* ---- Readers and writers that fail ---- */

static int64_t source_read(void *user, void *buffer, int64_t size)
{
    test_source *s = user;
    if (++s->calls == s->fail_at)
        return -1;
    int64_t n = s->size - s->at < size ? s->size - s->at : size;
    if (s->chunk && n > s->chunk)
        n = s->chunk;
    if (n)
        memcpy(buffer, (const char *)s->data + s->at, (size_t)n);
    s->at += n;
    return n;
}

static int64_t source_size(void *user)
{
    test_source *s = user;
    return s->tell_size ? s->size : -1;
}

gm_reader test_source_reader(test_source *source)
{
    return (gm_reader){
        .struct_size = sizeof(gm_reader), .user = source, .read = source_read, .size = source_size};
}

static int32_t sink_write(void *user, const void *bytes, int64_t size)
{
    test_sink *s = user;
    if (++s->calls == s->fail_at)
        return -1;
    if (s->size + size > s->capacity) {
        s->capacity = 2 * (s->size + size) + 64;
        s->data = realloc(s->data, (size_t)s->capacity);
        ck_assert_ptr_nonnull(s->data);
    }
    memcpy(s->data + s->size, bytes, (size_t)size);
    s->size += size;
    return 0;
}

gm_writer test_sink_writer(test_sink *sink)
{
    return (gm_writer){.struct_size = sizeof(gm_writer), .user = sink, .write = sink_write};
}

void test_sink_clear(test_sink *sink)
{
    free(sink->data);
    sink->data = NULL;
    sink->size = sink->capacity = 0;
}

/* ---- A log that counts ---- */

static void log_write(void *user, int32_t level, const char *text)
{
    test_log *log = user;
    if (level == 1)
        log->warnings++;
    else if (level == 2)
        log->informations++;
    else
        log->others++;
    snprintf(log->last, sizeof log->last, "%s", text);
}

gm_logger test_log_hook(test_log *log)
{
    return (gm_logger){.struct_size = sizeof(gm_logger), .user = log, .write = log_write};
}

/* ---- Context checks ---- */

gm_context *test_context(const gm_allocator *allocator)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx = NULL;
    gm_status got = gm_context_create(&config, &ctx);
    ck_assert_int_eq(got, GM_OK);
    ck_assert_ptr_nonnull(ctx);
    return ctx;
}

const char *test_error(const gm_context *ctx)
{
    static char text[2048];
    gm_context_error(ctx, text, sizeof text, NULL);
    return text;
}
