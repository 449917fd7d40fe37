/* Matrix products, ours and OpenBLAS's in turn: minima of interleaved blocks, and the share of what
 * a loop of multiply-adds in registers reaches in the same run.
 *
 *     product_bench [FILTER] [parts] [full]
 *
 * `full` adds to our side what follows in a network: y + bias and relu, dx gated, dW accumulated.
 *
 * OpenBLAS is found when it runs (libopenblas.so.0); its kernels are those of OPENBLAS_CORETYPE, by
 * default the AVX-512 ones where the processor has AVX-512. It runs on one thread, as we do. */
#define _GNU_SOURCE
#include "kernels/kernels.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BLOCKS 21

typedef void gemm_f32(int, int, int, int, int, int, float, const float *, int, const float *, int,
                      float, float *, int);
typedef void gemm_f64(int, int, int, int, int, int, double, const double *, int, const double *,
                      int, double, double *, int);

typedef struct shape {
    const char *name;
    gm__real real;
    int m, n, k, ta, tb;
} shape;

/* forward y = x W; dx = dy W'; dW = x' dy */
#define LAYER(name, batch, in, out)                                                                \
    {name " y", GM__F32, batch, out, in, 0, 0}, {name " dx", GM__F32, batch, in, out, 0, 1},       \
    {                                                                                              \
        name " dW", GM__F32, in, out, batch, 1, 0                                                  \
    }
static const shape shapes[] = {
    LAYER("vae1", 128, 784, 400),
    LAYER("vae2", 128, 400, 40),
    LAYER("vae3", 128, 400, 784),
    LAYER("nsf1", 512, 4, 256),
    LAYER("nsf2", 512, 256, 256),
    LAYER("nsf3", 512, 256, 92),
    LAYER("rnvp1", 100, 31, 100),
    LAYER("rnvp2", 100, 100, 100),
    LAYER("rnvp3", 100, 100, 64),
    LAYER("nsfd1", 128, 21, 64),
    LAYER("nsfd2", 128, 64, 64),
    LAYER("nsfd3", 128, 64, 506),
    LAYER("maf1", 100, 43, 512),
    LAYER("maf2", 100, 512, 512),
    LAYER("maf3", 100, 512, 86),
    LAYER("row1", 1, 256, 256),
    LAYER("row2", 1, 256, 92),
    LAYER("row3", 1, 64, 506),
    {"cube512", GM__F32, 512, 512, 512, 0, 0},
    {"cube1024", GM__F32, 1024, 1024, 1024, 0, 0},
    {"cube1024 tb", GM__F32, 1024, 1024, 1024, 0, 1},
    {"cube1024 ta", GM__F32, 1024, 1024, 1024, 1, 0},
    {"cube1000", GM__F32, 1000, 1000, 1000, 0, 0},
    {"double256", GM__F64, 256, 256, 256, 0, 0},
    {"double1000", GM__F64, 1000, 1000, 1000, 0, 0},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- Peak: twelve independent chains ---- */

#if defined(__x86_64__)
#define PEAK(name, isa, type, set, fma)                                                            \
    __attribute__((target(isa))) static float name(int64_t steps)                                  \
    {                                                                                              \
        type x = set(0.999f), c[12];                                                               \
        for (int i = 0; i < 12; i++)                                                               \
            c[i] = set((float)i);                                                                  \
        type c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], c4 = c[4], c5 = c[5], c6 = c[6],          \
             c7 = c[7], c8 = c[8], c9 = c[9], c10 = c[10], c11 = c[11];                            \
        for (; steps > 0; steps--) {                                                               \
            c0 = fma(x, x, c0), c1 = fma(x, x, c1), c2 = fma(x, x, c2), c3 = fma(x, x, c3),        \
            c4 = fma(x, x, c4);                                                                    \
            c5 = fma(x, x, c5), c6 = fma(x, x, c6), c7 = fma(x, x, c7), c8 = fma(x, x, c8),        \
            c9 = fma(x, x, c9);                                                                    \
            c10 = fma(x, x, c10), c11 = fma(x, x, c11);                                            \
        }                                                                                          \
        type s = c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;                      \
        float first;                                                                               \
        memcpy(&first, &s, sizeof first);                                                          \
        return first;                                                                              \
    }
PEAK(peak512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps)
PEAK(peak256, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps)
#endif

/* Seconds of a block and its operations; the table decides the width. */
static double peak_gflops(const gm__kernels *table)
{
#if defined(__x86_64__)
    int wide = strcmp(table->name, "avx512") == 0;
    if (!wide && strcmp(table->name, "avx2") != 0)
        return 0;
    volatile float sink;
    double best = 1e9, start = now();
    sink = wide ? peak512(100000) : peak256(100000);
    (void)sink;
    best = now() - start;
    return 12e5 * (wide ? 32 : 16) / best * 1e-9;
#else
    (void)table;
    return 0;
#endif
}

/* ---- One side of a comparison ---- */

typedef struct job {
    const gm__products *products;
    gm__product p;
    int parts;
    void *scratch[8];
    gemm_f32 *sgemm;
    gemm_f64 *dgemm;
} job;

typedef struct helper {
    job *j;
    volatile int *turn, *done;
    int part;
} helper;

static void *help(void *arg)
{
    helper *h = arg;
    for (int seen = 0;;) {
        int turn = __atomic_load_n(h->turn, __ATOMIC_ACQUIRE);
        if (turn == seen)
            continue;
        if (turn < 0)
            return NULL;
        seen = turn;
        h->j->products->run(&h->j->p, h->part, h->j->parts, h->j->scratch[h->part]);
        __atomic_add_fetch(h->done, 1, __ATOMIC_RELEASE);
    }
}

static void ours(job *j)
{
    j->products->run(&j->p, 0, j->parts, j->scratch[0]);
}

static void theirs(job *j)
{
    const gm__product *p = &j->p;
    int ta = p->ta ? 112 : 111, tb = p->tb ? 112 : 111, m = (int)p->m, n = (int)p->n, k = (int)p->k;
    int lda = (int)p->lda, ldb = (int)p->ldb, ldc = (int)p->ldc;
    if (p->real == GM__F32)
        j->sgemm(101, ta, tb, m, n, k, 1, p->a, lda, p->b, ldb, 0, p->c, ldc);
    else
        j->dgemm(101, ta, tb, m, n, k, 1, p->a, lda, p->b, ldb, 0, p->c, ldc);
}

static double block(job *j, void (*side)(job *), int times, volatile int *turn, volatile int *done)
{
    double start = now();
    for (int i = 0; i < times; i++) {
        if (side == ours && j->parts > 1) {
            __atomic_store_n(done, 0, __ATOMIC_RELEASE);
            __atomic_add_fetch(turn, 1, __ATOMIC_RELEASE);
        }
        side(j);
        while (side == ours && j->parts > 1 &&
               __atomic_load_n(done, __ATOMIC_ACQUIRE) < j->parts - 1)
            continue;
    }
    return (now() - start) / times;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *fill(int64_t n, gm__real real)
{
    size_t size = real == GM__F32 ? 4 : 8;
    void *x = aligned_alloc(64, ((size_t)n * size + 63) / 64 * 64);
    for (int64_t i = 0; i < n; i++)
        if (real == GM__F32)
            ((float *)x)[i] = (float)(rand() % 2001 - 1000) * 1e-3f;
        else
            ((double *)x)[i] = (rand() % 2001 - 1000) * 1e-3;
    return x;
}

static size_t products_round(size_t n)
{
    return (n + 63) / 64 * 64 + 64;
}

static void compare(const gm__kernels *table, const shape *s, int parts, int full, gemm_f32 *sgemm,
                    gemm_f64 *dgemm)
{
    job j = {.products = table->products, .parts = parts, .sgemm = sgemm, .dgemm = dgemm};
    gm__product *p = &j.p;
    p->real = s->real, p->m = s->m, p->n = s->n, p->k = s->k;
    p->ta = s->ta, p->tb = s->tb, p->act = GM__ACT_NONE;
    p->lda = s->ta ? s->m : s->k, p->ldb = s->tb ? s->k : s->n, p->ldc = s->n;
    void *a = fill((int64_t)s->m * s->k, s->real), *b = fill((int64_t)s->k * s->n, s->real);
    p->a = a, p->b = b, p->c = fill((int64_t)s->m * s->n, s->real);
    void *more = fill((int64_t)s->m * s->n, s->real);
    if (full && !s->ta && !s->tb)
        p->bias = more, p->act = GM__RELU;
    else if (full && s->tb)
        p->gate = more, p->ldgate = s->n;
    else if (full)
        p->accumulate = 1;
    for (int i = 0; i < parts; i++)
        j.scratch[i] = aligned_alloc(64, products_round(table->products->scratch(p)));
    volatile int turn = 0, done = 0;
    pthread_t threads[8];
    helper helpers[8];
    for (int i = 1; i < parts; i++) {
        helpers[i] = (helper){&j, &turn, &done, i};
        pthread_create(&threads[i], NULL, help, &helpers[i]);
    }
    double flops = 2.0 * s->m * s->n * s->k, us[BLOCKS], them[BLOCKS], ratio[BLOCKS], peak = 0;
    int times = (int)(1.5e-3 / (flops / 60e9)) + 1;
    for (int i = -2; i < BLOCKS; i++) {
        double x = block(&j, ours, times, &turn, &done),
               y = (sgemm ? block(&j, theirs, times, &turn, &done) : x);
        double top = peak_gflops(table);
        if (i < 0)
            continue;
        us[i] = x, them[i] = y, ratio[i] = y / x;
        peak = top > peak ? top : peak;
    }
    __atomic_store_n(&turn, -1, __ATOMIC_RELEASE);
    for (int i = 1; i < parts; i++)
        pthread_join(threads[i], NULL);
    qsort(us, BLOCKS, sizeof *us, ascending);
    qsort(them, BLOCKS, sizeof *them, ascending);
    qsort(ratio, BLOCKS, sizeof *ratio, ascending);
    double rate = flops / us[0] * 1e-9;
    printf("%-12s %c%d %4d x%4d x%4d  ours %8.4f ms  openblas %8.4f ms  ratio %5.2f min %5.2f med  "
           "%6.1f GFLOP/s %5.3f of "
           "peak %.0f\n",
           s->name, s->ta ? 'T' : 'N', s->tb, s->m, s->n, s->k, us[0] * 1e3, them[0] * 1e3,
           them[0] / us[0], ratio[BLOCKS / 2], rate,
           peak > 0 ? rate / (s->real == GM__F32 ? peak : peak / 2) : 0, peak);
    fflush(stdout);
    free(a), free(b), free(p->c), free(more);
    for (int i = 0; i < parts; i++)
        free(j.scratch[i]);
}

int main(int argc, char **argv)
{
    const char *filter = argc > 1 ? argv[1] : "", *isa = getenv("ISA");
    int parts = argc > 2 ? atoi(argv[2]) : 1, full = argc > 3 && strcmp(argv[3], "full") == 0;
    const gm__kernels *table = gm__kernels_find(isa ? isa : "auto");
    if (!table || parts < 1 || parts > 8)
        return 2;
    if (strcmp(table->name, "avx512") == 0)
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    void *blas = dlopen("libopenblas.so.0", RTLD_NOW);
    gemm_f32 *sgemm = NULL;
    gemm_f64 *dgemm = NULL;
    if (blas) {
        *(void **)&sgemm = dlsym(blas, "cblas_sgemm");
        *(void **)&dgemm = dlsym(blas, "cblas_dgemm");
        char *(*core)(void) = NULL;
        *(void **)&core = dlsym(blas, "openblas_get_corename");
        printf("# %s, %d part(s), OpenBLAS kernels: %s\n", table->name, parts, core ? core() : "?");
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strstr(shapes[i].name, filter))
            compare(table, &shapes[i], parts, full, sgemm, dgemm);
    return 0;
}
