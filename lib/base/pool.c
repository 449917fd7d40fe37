/* The worker pool.
 *
 * A run is published by storing the number of its parts in `left`; whoever wants work claims a part
 * by counting `left` down, the caller too, so that a worker without a processor holds up no more
 * than the part that it has. A claim pins the run: its caller does not return before every part has
 * finished, so the run's members may be read without a lock after a claim and only then. */
#include "base/pool.h"
#include "base/alloc.h"
#include "base/float_mode.h"
#include "base/io.h"
#include "base/os.h"

enum { MOST_THREADS = 1024 };

struct gm_pool {
    gm_allocator allocator;
    int32_t threads; /* the caller's included */
    int32_t owners;  /* atomic */
#ifndef GM_WITHOUT_THREADS
    gm__os_monitor *monitor;
    gm__os_thread **workers; /* threads - 1 places */
    int32_t started;         /* atomic: how many of them run; -1 before the first run */
    int64_t process;         /* the process that started them */
    int32_t in_use;          /* atomic: some thread's run is going on */
    /* The run. */
    void (*work)(void *arg, int32_t part);
    void *arg;
    /* Each on a cache line of its own: the first is written at every claim, the second at every
     * end. */
    _Alignas(64) int32_t left;       /* atomic: parts not yet claimed */
    _Alignas(64) int32_t unfinished; /* atomic: parts that have not returned */
    _Alignas(64) int32_t sleeping;   /* atomic: workers asleep, or about to be */
    int32_t caller_waits;            /* atomic */
    int32_t stopping;                /* atomic */
#endif
};

void gm__pool_retain(gm_pool *pool)
{
    if (pool)
        __atomic_fetch_add(&pool->owners, 1, __ATOMIC_RELAXED);
}

int32_t gm_pool_threads(const gm_pool *pool)
{
    return pool ? pool->threads : 1;
}

static void run_alone(int32_t parts, void (*work)(void *arg, int32_t part), void *arg)
{
    for (int32_t part = 0; part < parts; part++)
        work(arg, part);
}

#ifndef GM_WITHOUT_THREADS

/* ---- Claiming and waiting ---- */

enum { SLEEPERS, CALLER }; /* queues of the monitor */
static const double SPIN_SECONDS = 40e-6;

static int32_t load(const int32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void store(int32_t *p, int32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* A part of the run at hand, or -1. */
static int32_t claim(gm_pool *p)
{
    int32_t left = __atomic_load_n(&p->left, __ATOMIC_RELAXED);
    while (left > 0)
        if (__atomic_compare_exchange_n(&p->left, &left, left - 1, 1, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
            return left - 1;
    return -1;
}

static void finish_part(gm_pool *p)
{
    if (__atomic_sub_fetch(&p->unfinished, 1, __ATOMIC_SEQ_CST) == 0 && load(&p->caller_waits)) {
        gm__os_lock(p->monitor);
        gm__os_wake_all(p->monitor, CALLER);
        gm__os_unlock(p->monitor);
    }
}

static void work_off(gm_pool *p)
{
    for (int32_t part = claim(p); part >= 0; part = claim(p)) {
        p->work(p->arg, part);
        finish_part(p);
    }
}

/* Spins until *p is zero (wanted 0) or not (wanted 1), for a while. */
static void spin(const int32_t *p, int wanted)
{
    double until = 0;
    for (int i = 1; (load(p) != 0) != wanted; i++) {
        pause_briefly();
        if (i % 64)
            continue;
        double now = gm__clock();
        if (until == 0)
            until = now + SPIN_SECONDS;
        else if (now > until)
            return;
    }
}

/* Sleeps until there is work or the pool stops. A caller stores `left` and then looks at
 * `sleeping`; here it is the other way round: in the one order of all such accesses one of the two
 * sees the other. */
static void sleep_until_needed(gm_pool *p)
{
    gm__os_lock(p->monitor);
    __atomic_fetch_add(&p->sleeping, 1, __ATOMIC_SEQ_CST);
    while (load(&p->left) == 0 && !load(&p->stopping))
        gm__os_wait(p->monitor, SLEEPERS);
    __atomic_fetch_sub(&p->sleeping, 1, __ATOMIC_SEQ_CST);
    gm__os_unlock(p->monitor);
}

static void worker_main(void *pool)
{
    gm_pool *p = pool;
    gm__float_mode_default();
    while (!load(&p->stopping)) {
        work_off(p);
        spin(&p->left, 1);
        if (load(&p->left) == 0)
            sleep_until_needed(p);
    }
}

static void wake(gm_pool *p, int32_t wanted)
{
    if (load(&p->sleeping) == 0)
        return;
    gm__os_lock(p->monitor);
    int32_t sleeping = load(&p->sleeping);
    if (wanted >= sleeping)
        gm__os_wake_all(p->monitor, SLEEPERS);
    else
        for (int32_t i = 0; i < wanted; i++)
            gm__os_wake_one(p->monitor, SLEEPERS);
    gm__os_unlock(p->monitor);
}

static void wait_for_parts(gm_pool *p)
{
    spin(&p->unfinished, 0);
    if (load(&p->unfinished) == 0)
        return;
    gm__os_lock(p->monitor);
    store(&p->caller_waits, 1);
    while (load(&p->unfinished) != 0)
        gm__os_wait(p->monitor, CALLER);
    store(&p->caller_waits, 0);
    gm__os_unlock(p->monitor);
}

/* ---- Workers ---- */

/* Starts the workers at the first need; how many there are. The caller holds in_use. */
static int32_t start_workers(gm_pool *p)
{
    int32_t n = 0;
    if (p->started >= 0)
        return p->started;
    p->process = gm__os_process();
    while (n < p->threads - 1 &&
           (p->workers[n] = gm__os_thread_start(&p->allocator, worker_main, p)))
        n++;
    store(&p->started, n); /* fewer than wanted where the system gives no more */
    return n;
}

static int lost_by_fork(const gm_pool *p)
{
    return load(&p->started) > 0 && p->process != gm__os_process();
}

static void stop_workers(gm_pool *p)
{
    int lost = lost_by_fork(p);
    int32_t n = load(&p->started);
    if (n > 0 && !lost) {
        gm__os_lock(p->monitor);
        store(&p->stopping, 1);
        gm__os_wake_all(p->monitor, SLEEPERS);
        gm__os_unlock(p->monitor);
    }
    for (int32_t i = 0; i < n; i++)
        (lost ? gm__os_thread_forget : gm__os_thread_join)(&p->allocator, p->workers[i]);
    gm__os_monitor_free(&p->allocator, p->monitor, lost);
}

/* ---- Running ---- */

static int try_run(gm_pool *p, int32_t parts, void (*work)(void *arg, int32_t part), void *arg)
{
    int32_t idle = 0;
    if (p->threads == 1 || lost_by_fork(p))
        return 0;
    if (!__atomic_compare_exchange_n(&p->in_use, &idle, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return 0;
    int32_t workers = start_workers(p);
    if (workers) {
        p->work = work;
        p->arg = arg;
        store(&p->unfinished, parts);
        store(&p->left, parts);
        wake(p, parts - 1);
        work_off(p);
        wait_for_parts(p);
    }
    __atomic_store_n(&p->in_use, 0, __ATOMIC_RELEASE);
    return workers > 0;
}

#else

static int try_run(gm_pool *p, int32_t parts, void (*work)(void *arg, int32_t part), void *arg)
{
    (void)p, (void)parts, (void)work, (void)arg;
    return 0;
}

#endif

/* A part on a thread of the host's, whose floating-point mode is its own affair. */
typedef struct hosted {
    void (*work)(void *arg, int32_t part);
    void *arg;
} hosted;

static void run_hosted(void *arg, int32_t part)
{
    const hosted *h = arg;
    uint64_t mode = gm__float_mode_default();
    h->work(h->arg, part);
    gm__float_mode_restore(mode);
}

void gm__team_run(const gm__team *team, int32_t parts, void (*work)(void *arg, int32_t part),
                  void *arg)
{
    if (parts > 1 && team && team->executor.run) {
        hosted h = {work, arg};
        team->executor.run(team->executor.user, run_hosted, &h, parts);
    } else if (parts <= 1 || !team || !team->pool || !try_run(team->pool, parts, work, arg)) {
        run_alone(parts, work, arg);
    }
}

/* ---- Life ---- */

static void destroy(gm_pool *p)
{
    gm_allocator a = p->allocator;
#ifndef GM_WITHOUT_THREADS
    if (p->monitor)
        stop_workers(p);
    gm__free(&a, p->workers, (size_t)(p->threads - 1) * sizeof *p->workers);
#endif
    gm__free(&a, p, sizeof *p);
}

gm_pool *gm_pool_create(const gm_allocator *allocator, int32_t threads)
{
    gm_allocator a;
    if (threads < 0 || threads > MOST_THREADS || gm__allocator_init(&a, allocator))
        return NULL;
    gm_pool *p = gm__alloc(&a, sizeof *p);
    if (!p)
        return NULL;
    p->allocator = a;
    p->owners = 1;
    p->threads = threads ? threads : gm__processors();
#ifdef GM_WITHOUT_THREADS
    p->threads = 1;
#else
    p->started = -1;
    p->monitor = gm__os_monitor_create(&a);
    p->workers = gm__alloc_array(&a, p->threads - 1, sizeof *p->workers);
    if (!p->monitor || (p->threads > 1 && !p->workers)) {
        destroy(p);
        return NULL;
    }
#endif
    return p;
}

void gm_pool_free(gm_pool *pool)
{
    if (pool && __atomic_sub_fetch(&pool->owners, 1, __ATOMIC_ACQ_REL) == 0)
        destroy(pool);
}
