/* The worker pool: every part once, from many contexts, after fork, under a crowd. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "support.h"
#include "base/context.h"
#include "base/io.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* ---- Parts ---- */

/* A run of this size counts each part. */
typedef struct tally {
    int32_t hits[256];
    int64_t sum;
} tally;

static void hit(void *arg, int32_t part)
{
    tally *t = arg;
    t->hits[part]++; /* no atomic: each part has one owner, and the end of a run orders all */
    __atomic_fetch_add(&t->sum, part, __ATOMIC_RELAXED);
}

static void run_and_check(const gm__team *team, int32_t parts)
{
    tally t = {{0}, 0};
    gm__team_run(team, parts, hit, &t);
    for (int32_t i = 0; i < 256; i++)
        test_check(t.hits[i] == (i < parts), "part %d of %d: %d", i, parts, t.hits[i]);
}

START_TEST(runs_every_part_once)
{
    static const int32_t sizes[] = {1, 2, 3, 4, 7};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        gm__team team = {.pool = gm_pool_create(NULL, sizes[s]), .parts = sizes[s]};
        ck_assert_ptr_nonnull(team.pool);
        ck_assert_int_eq(gm_pool_threads(team.pool), sizes[s]);
        for (int i = 0; i < (test_quick() ? 300 : 3000); i++)
            run_and_check(&team, i % 256);
        gm_pool_free(team.pool);
    }
}
END_TEST

START_TEST(sleeps_and_wakes)
{
    gm__team team = {.pool = gm_pool_create(NULL, 3), .parts = 3};
    for (int i = 0; i < 30; i++) {
        run_and_check(&team, 5);
        usleep(i < 15 ? 2000 : 30);
    }
    gm_pool_free(team.pool);
    gm_pool_free(gm_pool_create(NULL, 4)); /* never used: never started */
}
END_TEST

START_TEST(alone_without_a_pool)
{
    gm__team team = {.parts = 1};
    run_and_check(&team, 0);
    run_and_check(&team, 200);
    ck_assert_ptr_null(gm_pool_create(NULL, -1));
    ck_assert_ptr_null(gm_pool_create(NULL, 100000));
    gm_pool *all = gm_pool_create(NULL, 0);
    ck_assert_int_ge(gm_pool_threads(all), 1);
    gm_pool_free(all);
    gm_pool_free(NULL);
    ck_assert_int_ge(gm__processors(), 1);
}
END_TEST

/* ---- A shared pool ---- */

typedef struct sharer {
    const gm__team *team;
    int failures;
} sharer;

static void *share(void *arg)
{
    sharer *s = arg;
    for (int i = 0; i < 500; i++) {
        tally t = {{0}, 0};
        int32_t parts = 1 + i % 40;
        gm__team_run(s->team, parts, hit, &t);
        for (int32_t p = 0; p < 256; p++)
            s->failures += t.hits[p] != (p < parts);
    }
    return NULL;
}

START_TEST(is_shared_by_threads)
{
    gm__team team = {.pool = gm_pool_create(NULL, 3), .parts = 3};
    pthread_t threads[4];
    sharer sharers[4];
    for (int i = 0; i < 4; i++) {
        sharers[i] = (sharer){&team, 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, share, &sharers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(sharers[i].failures, 0);
    }
    gm_pool_free(team.pool);
}
END_TEST

static void nested(void *arg, int32_t part)
{
    const gm__team *team = arg;
    tally t = {{0}, 0};
    (void)part;
    gm__team_run(team, 3, hit, &t); /* not allowed, but must not hang */
    if (t.sum != 3)
        _exit(7);
}

START_TEST(does_not_hang_when_nested)
{
    gm__team team = {.pool = gm_pool_create(NULL, 2), .parts = 2};
    gm__team_run(&team, 8, nested, &team);
    gm_pool_free(team.pool);
}
END_TEST

START_TEST(child_computes_alone)
{
    gm__team team = {.pool = gm_pool_create(NULL, 3), .parts = 3};
    run_and_check(&team, 16);
    pid_t child = fork();
    if (child == 0) {
        tally t = {{0}, 0};
        gm__team_run(&team, 16, hit, &t);
        gm_pool_free(team.pool); /* joins nobody */
        _exit(t.sum == 120 ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    run_and_check(&team, 16);
    gm_pool_free(team.pool);
}
END_TEST

/* ---- The workers' state ---- */

static void look(void *arg, int32_t part)
{
    int *bad = arg;
    sigset_t blocked;
    (void)part;
    usleep(200); /* so that workers get some */
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!pthread_equal(pthread_self(), *(pthread_t *)(bad + 2)) && !sigismember(&blocked, SIGTERM))
        __atomic_fetch_add(bad, 1, __ATOMIC_RELAXED);
#if defined(__x86_64__)
    if ((_mm_getcsr() & ~0x3fu) != 0x1f80)
        __atomic_fetch_add(bad + 1, 1, __ATOMIC_RELAXED);
#endif
}

START_TEST(workers_block_signals_and_round_to_nearest)
{
    _Alignas(pthread_t) int room[2 + sizeof(pthread_t) / sizeof(int) + 1] = {0};
    pthread_t self = pthread_self();
    memcpy(room + 2, &self, sizeof self);
    gm_context *ctx = test_context(NULL);
    test_ok(ctx, gm_context_set_int(ctx, "threads", 3));
    ck_assert_int_eq(ctx->team.parts, 3);
#if defined(__x86_64__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* the workers inherit flush to zero, and must not keep it */
    unsigned odd = _mm_getcsr(); /* valgrind keeps the rounding only */
#endif
    gm__entry entry;
    test_ok(ctx, gm__enter(ctx, &entry));
    gm__team_run(&ctx->team, 30, look, room);
    gm__leave(ctx, &entry, GM_OK);
#if defined(__x86_64__)
    ck_assert_uint_eq(_mm_getcsr() & 0x8040u, odd & 0x8040u);
    _mm_setcsr(before);
#endif
    ck_assert_int_eq(room[0], 0);
    ck_assert_int_eq(room[1], 0);
    gm_context_free(ctx);
}
END_TEST

/* ---- The host's executor ---- */

static void backwards(void *user, void (*work)(void *arg, int32_t part), void *arg, int32_t parts)
{
    ++*(int *)user;
    while (parts--)
        work(arg, parts);
}

START_TEST(uses_the_hosts_executor)
{
    int calls = 0;
    gm_executor executor = {
        .struct_size = sizeof executor, .width = 5, .user = &calls, .run = backwards};
    gm_context_config config = {.struct_size = sizeof config, .executor = &executor};
    gm_context *ctx = NULL;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    ck_assert_int_eq(ctx->team.parts, 5);
    run_and_check(&ctx->team, 20);
    ck_assert_int_eq(calls, 1);
    test_ok(ctx, gm_context_set_int(ctx, "threads", 2));
    ck_assert_int_eq(ctx->team.parts, 2);
    ck_assert_ptr_null(ctx->team.pool);
    gm_context_free(ctx);
    executor.run = NULL;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_E_ARG);
    ck_assert_ptr_null(ctx);
}
END_TEST

START_TEST(outlives_its_creator)
{
    test_memory m = {0};
    gm_allocator a = test_memory_allocator(&m);
    gm_pool *pool = gm_pool_create(&a, 2);
    gm_context_config config = {.struct_size = sizeof config, .pool = pool, .allocator = &a};
    gm_context *ctx = NULL;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    gm_pool_free(pool);
    ck_assert_int_eq(ctx->team.parts, 2);
    run_and_check(&ctx->team, 9);
    test_ok(ctx, gm_context_set_int(ctx, "threads", 4)); /* more parts, the same pool */
    ck_assert_ptr_eq(ctx->team.pool, pool);
    run_and_check(&ctx->team, 9);
    gm_context_free(ctx);
    ck_assert_int_eq(m.blocks, 0);
    ck_assert_int_eq(m.wrong_sizes, 0);
}
END_TEST

static gm_status make_and_run(const gm_allocator *a, void *arg)
{
    (void)arg;
    gm__team team = {.pool = gm_pool_create(a, 3), .parts = 3};
    if (!team.pool)
        return GM_E_MEMORY;
    run_and_check(&team, 7); /* with fewer workers, or none, where memory is short */
    gm_pool_free(team.pool);
    return GM_OK;
}

START_TEST(does_with_fewer_workers)
{
    ck_assert_int_ge(test_every_failure(make_and_run, NULL, 0), 6);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pool");
    TCase *c = tcase_create("pool");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, runs_every_part_once);
    tcase_add_test(c, sleeps_and_wakes);
    tcase_add_test(c, alone_without_a_pool);
    tcase_add_test(c, is_shared_by_threads);
    tcase_add_test(c, does_not_hang_when_nested);
    tcase_add_test(c, child_computes_alone);
    tcase_add_test(c, workers_block_signals_and_round_to_nearest);
    tcase_add_test(c, uses_the_hosts_executor);
    tcase_add_test(c, outlives_its_creator);
    tcase_add_test(c, does_with_fewer_workers);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
