/* The ceiling: independent fused multiply-adds in registers. */
#define _GNU_SOURCE
#include "bench.h"
#include "kernels/kernels.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

typedef double loop_fn(int64_t n);

/* Twelve chains hide the latency of a multiply-add on every processor that has vectors. Each is a
 * variable of its own: an array would live in memory. */
#define CHAINS 12
#define LOOP(name, attribute, bytes)                                                               \
    typedef float name##_v __attribute__((vector_size(bytes)));                                    \
    attribute static double name(int64_t n)                                                        \
    {                                                                                              \
        name##_v x = {0}, y = {0};                                                                 \
        x += 0.999f;                                                                               \
        y += 0.001f;                                                                               \
        name##_v a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x,      \
                 l = x;                                                                            \
        for (; n > 0; n--) {                                                                       \
            FMA(a) FMA(b) FMA(c) FMA(d) FMA(e) FMA(f) FMA(g) FMA(h) FMA(i) FMA(j) FMA(k) FMA(l)    \
        }                                                                                          \
        name##_v sum = a + b + c + d + e + f + g + h + i + j + k + l;                              \
        return (double)sum[0];                                                                     \
    }
#if defined(__x86_64__)
#define FMA(a) __asm__ volatile("vfmadd213ps %2, %1, %0" : "+v"(a) : "v"(x), "v"(y));
LOOP(loop_avx512, __attribute__((target("avx512f"))), 64)
LOOP(loop_avx2, __attribute__((target("avx2,fma"))), 32)
#elif defined(__aarch64__)
#define FMA(a) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(a) : "w"(x), "w"(y));
LOOP(loop_neon, , 16)
#endif

static double loop_plain(int64_t n)
{
    double a = 0;
    for (int64_t i = 0; i < CHAINS * n; i++)
        a = a * 0.999 + 0.001;
    return a;
}

static loop_fn *pick(int *lanes)
{
    const char *name = gm__kernels_find("auto")->name;
    *lanes = 1;
#if defined(__x86_64__)
    if (strcmp(name, "avx512") == 0) {
        *lanes = 16;
        return loop_avx512;
    }
    if (strcmp(name, "avx2") == 0) {
        *lanes = 8;
        return loop_avx2;
    }
#elif defined(__aarch64__)
    if (strcmp(name, "neon") == 0) {
        *lanes = 4;
        return loop_neon;
    }
#endif
    (void)name;
    return loop_plain;
}

static void *run(void *best)
{
    int lanes;
    loop_fn *loop = pick(&lanes);
    const int64_t n = 100000; /* under a millisecond: no other program comes between */
    volatile double sink = 0;
    for (int i = 0; i < 200; i++) {
        double begin = bench_clock();
        sink += loop(n);
        double rate = 2.0 * CHAINS * lanes * (double)n / (bench_clock() - begin);
        if (rate > *(double *)best)
            *(double *)best = rate;
    }
    (void)sink;
    return NULL;
}

double bench_peak(int threads)
{
    static double known[65];
    double best[64] = {0}, sum = 0;
    pthread_t id[64];
    threads = threads > 64 ? 64 : threads;
    if (known[threads] > 0)
        return known[threads];
    for (int i = 1; i < threads; i++)
        if (pthread_create(&id[i], NULL, run, &best[i]))
            return 0;
    run(&best[0]);
    for (int i = 0; i < threads; i++) {
        if (i)
            pthread_join(id[i], NULL);
        sum += best[i];
    }
    return known[threads] = sum;
}
