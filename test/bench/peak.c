/* The ceiling: independent fused multiply-adds in registers. */
#define _GNU_SOURCE
#include "bench.h"
#include "kernels/kernels.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

typedef double loop_fn(int64_t n);

/* Sixteen chains hide the latency of a multiply-add on every processor that has vectors. */
#define LOOP(name, attribute, bytes)                                                               \
    typedef float name##_v __attribute__((vector_size(bytes)));                                    \
    attribute static double name(int64_t n)                                                        \
    {                                                                                              \
        name##_v a[16] = {{0}}, x = {0}, y = {0};                                                  \
        x += 0.999f;                                                                               \
        y += 0.001f;                                                                               \
        for (int64_t i = 0; i < n; i++)                                                            \
            _Pragma("GCC unroll 16") for (int j = 0; j < 16; j++) __asm__ volatile(                \
                FMA : "+v"(a[j]) : "v"(x), "v"(y));                                                \
        float sum = 0;                                                                             \
        for (int j = 0; j < 16; j++)                                                               \
            sum += a[j][0];                                                                        \
        return sum;                                                                                \
    }
#if defined(__x86_64__)
#define FMA "vfmadd213ps %2, %1, %0"
LOOP(loop_avx512, __attribute__((target("avx512f"))), 64)
LOOP(loop_avx2, __attribute__((target("avx2,fma"))), 32)
#elif defined(__aarch64__)
#undef FMA
#define FMA "fmla %0.4s, %1.4s, %2.4s"
typedef float loop_neon_v __attribute__((vector_size(16)));
static double loop_neon(int64_t n)
{
    loop_neon_v a[16] = {{0}}, x = {0}, y = {0};
    x += 0.999f;
    y += 0.001f;
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < 16; j++)
            __asm__ volatile(FMA : "+w"(a[j]) : "w"(x), "w"(y));
    return (double)a[0][0];
}
#endif

static double loop_plain(int64_t n)
{
    double a = 0;
    for (int64_t i = 0; i < 16 * n; i++)
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
    const int64_t n = 2000000;
    volatile double sink = 0;
    for (int i = 0; i < 10; i++) {
        double begin = bench_clock();
        sink += loop(n);
        double rate = 2.0 * 16 * lanes * (double)n / (bench_clock() - begin);
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
