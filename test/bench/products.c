/* Matrix products, ours and OpenBLAS's in turn, in the shapes of the workloads' layers.
 *
 * OpenBLAS is found when this runs (libopenblas.so.0); its kernels are those that OPENBLAS_CORETYPE
 * names, by default the AVX-512 ones where the processor has AVX-512, since a release from before
 * the processor may pick its oldest. A ratio is theirs over ours: above 1 we are faster. */
#define _GNU_SOURCE /* setenv, nanosleep */
#include "bench.h"
#include "base/pool.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__unix__)
#include <dlfcn.h>
#endif

#define BLOCKS 20

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
    {"product." name ".y", GM__F32, batch, out, in, 0, 0},                                         \
        {"product." name ".dx", GM__F32, batch, in, out, 0, 1},                                    \
    {                                                                                              \
        "product." name ".dW", GM__F32, in, out, batch, 1, 0                                       \
    }
static const shape shapes[] = {
    LAYER("vae1", 128, 784, 400),
    LAYER("vae2", 128, 400, 40),
    LAYER("vae3", 128, 400, 784),
    LAYER("nsf1", 512, 4, 256),
    LAYER("nsf2", 512, 256, 256),
    LAYER("nsf3", 512, 256, 92),
    LAYER("realnvp1", 100, 31, 100),
    LAYER("realnvp2", 100, 100, 100),
    LAYER("realnvp3", 100, 100, 64),
    LAYER("wide1", 128, 21, 64),
    LAYER("wide2", 128, 64, 64),
    LAYER("wide3", 128, 64, 506),
    LAYER("maf1", 100, 43, 512),
    LAYER("maf2", 100, 512, 512),
    LAYER("maf3", 100, 512, 86),
    LAYER("row1", 1, 256, 256),
    LAYER("row2", 1, 256, 92),
    LAYER("row3", 1, 64, 506),
    {"product.cube512", GM__F32, 512, 512, 512, 0, 0},
    {"product.cube1024", GM__F32, 1024, 1024, 1024, 0, 0},
    {"product.cube1024.tb", GM__F32, 1024, 1024, 1024, 0, 1},
    {"product.cube1024.ta", GM__F32, 1024, 1024, 1024, 1, 0},
    {"product.cube1000", GM__F32, 1000, 1000, 1000, 0, 0},
    {"product.double256", GM__F64, 256, 256, 256, 0, 0},
    {"product.double1000", GM__F64, 1000, 1000, 1000, 0, 0},
};
#define COUNT (sizeof shapes / sizeof shapes[0])

/* ---- The other side ---- */

typedef struct peer {
    gemm_f32 *f32;
    gemm_f64 *f64;
    const char *kernels;
} peer;

static peer find_peer(int threads, int wide)
{
    peer found = {NULL, NULL, NULL};
#if defined(__unix__)
    if (wide)
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    void *blas = dlopen("libopenblas.so.0", RTLD_NOW);
    if (!blas)
        return found;
    void (*set_threads)(int) = NULL;
    char *(*core)(void) = NULL;
    *(void **)&found.f32 = dlsym(blas, "cblas_sgemm");
    *(void **)&found.f64 = dlsym(blas, "cblas_dgemm");
    *(void **)&set_threads = dlsym(blas, "openblas_set_num_threads");
    *(void **)&core = dlsym(blas, "openblas_get_corename");
    if (!found.f32 || !found.f64)
        return (peer){NULL, NULL, NULL};
    if (set_threads)
        set_threads(threads);
    found.kernels = core ? core() : "?";
#else
    (void)threads, (void)wide;
#endif
    return found;
}

/* ---- A product, and its two ways ---- */

typedef struct job {
    const gm__products *products;
    const peer *peer;
    gm__team team;
    gm__product p;
    void *scratch[64];
} job;

static void run_part(void *arg, int32_t part)
{
    job *j = arg;
    j->products->run(&j->p, part, j->team.parts, j->scratch[part]);
}

static void ours(job *j)
{
    gm__team_run(&j->team, j->team.parts, run_part, j);
}

static void theirs(job *j)
{
    const gm__product *p = &j->p;
    int ta = p->ta ? 112 : 111, tb = p->tb ? 112 : 111, m = (int)p->m, n = (int)p->n, k = (int)p->k;
    int lda = (int)p->lda, ldb = (int)p->ldb, ldc = (int)p->ldc;
    if (p->real == GM__F32)
        j->peer->f32(101, ta, tb, m, n, k, 1, p->a, lda, p->b, ldb, 0, p->c, ldc);
    else
        j->peer->f64(101, ta, tb, m, n, k, 1, p->a, lda, p->b, ldb, 0, p->c, ldc);
}

static void *aligned(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    if (!p)
        exit(1);
    return p;
}

static void *fill(int64_t n, gm__real real)
{
    void *x = aligned((size_t)n * (real == GM__F32 ? 4 : 8));
    uint64_t state = (uint64_t)n;
    for (int64_t i = 0; i < n; i++) {
        double value = bench_normal(&state);
        if (real == GM__F32)
            ((float *)x)[i] = (float)value;
        else
            ((double *)x)[i] = value;
    }
    return x;
}

static void begin_job(job *j, const shape *s)
{
    gm__product *p = &j->p;
    *p = (gm__product){.real = s->real, .m = s->m, .n = s->n, .k = s->k, .act = GM__ACT_NONE};
    p->ta = s->ta, p->tb = s->tb;
    p->lda = s->ta ? s->m : s->k, p->ldb = s->tb ? s->k : s->n, p->ldc = s->n;
    p->a = fill((int64_t)s->m * s->k, s->real);
    p->b = fill((int64_t)s->k * s->n, s->real);
    p->c = fill((int64_t)s->m * s->n, s->real);
    for (int i = 0; i < j->team.parts; i++)
        j->scratch[i] = aligned(j->products->scratch(p));
}

static void end_job(job *j)
{
    free((void *)j->p.a), free((void *)j->p.b), free(j->p.c);
    for (int i = 0; i < j->team.parts; i++)
        free(j->scratch[i]);
}

/* ---- Blocks in turn ---- */

static double block(job *j, void (*side)(job *), int times)
{
    /* The idle threads of a side keep their processors busy for a while. */
    if (j->team.parts > 1)
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    side(j);
    double begin = bench_clock();
    for (int i = 0; i < times; i++)
        side(j);
    return (bench_clock() - begin) / times;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(double *x)
{
    qsort(x, BLOCKS, sizeof *x, ascending);
    return 0.5 * (x[(BLOCKS - 1) / 2] + x[BLOCKS / 2]);
}

static void compare(job *j, const shape *s, double peak, double secs)
{
    double us[BLOCKS], them[BLOCKS], each[BLOCKS];
    begin_job(j, s);
    block(j, ours, 1);
    int times = (int)(0.005 * secs / block(j, ours, 1)) + 1;
    for (int i = 0; i < BLOCKS; i++) {
        us[i] = block(j, ours, times);
        them[i] = j->peer->f32 ? block(j, theirs, times) : us[i];
        each[i] = them[i] / us[i];
    }
    end_job(j);
    double median = middle(us), ratio = middle(each);
    middle(them);
    double flops = 2.0 * s->m * s->n * s->k, rate = flops / us[0];
    peak *= s->real == GM__F32 ? 1 : 0.5;
    printf("%-20s %4d x%4d x%4d  %9.4f ms (median %9.4f)", s->name, s->m, s->n, s->k, us[0] * 1e3,
           median * 1e3);
    if (j->peer->f32)
        printf("  openblas %9.4f ms  ratio %5.2f (median %5.2f)", them[0] * 1e3, them[0] / us[0],
               ratio);
    printf("  %7.1f GFLOP/s %5.1f %% of peak\n", rate * 1e-9, 100 * rate / peak);
    fflush(stdout);
}

void bench_products(const bench_arguments *a)
{
    const gm__kernels *table = gm__kernels_find("auto");
    size_t wanted = 0;
    for (size_t i = 0; i < COUNT; i++)
        wanted += bench_wanted(a, shapes[i].name) != 0;
    if (!wanted)
        return;
    int threads = a->threads > 64 ? 64 : a->threads;
    peer other = find_peer(threads, strcmp(table->name, "avx512") == 0);
    gm_pool *pool = gm_pool_create(NULL, threads);
    job j = {.products = table->products, .peer = &other, .team = {.pool = pool, .parts = threads}};
    printf("# products by %s on %d thread%s, peak %.0f GFLOP/s, OpenBLAS %s\n", table->name,
           threads, threads > 1 ? "s" : "", bench_peak(threads) * 1e-9,
           other.kernels ? other.kernels : "not there");
    for (size_t i = 0; i < COUNT; i++)
        if (bench_wanted(a, shapes[i].name))
            compare(&j, &shapes[i], bench_peak(threads), a->secs);
    gm_pool_free(pool);
}
