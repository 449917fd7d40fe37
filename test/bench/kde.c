/* Kernel density through the public calls: rows into a dataset, fit, and log_prob with a promise of
 * 1e-4, in one figure, as scikit-learn's fit and score_samples. Data: kde<d>_x.npy and kde<d>_q.npy
 * in --data, or drawn here: eight Gaussian clusters. The error is against direct sums in long
 * double. */
#include "bench.h"
#include "genmod/genmod.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *draw(uint64_t *state, const double *centers, int64_t n, int64_t d)
{
    double *x = malloc((size_t)(n * d) * sizeof *x);
    for (int64_t i = 0; x && i < n; i++) {
        int64_t c = (int64_t)(*state >> 33) % 8;
        for (int64_t j = 0; j < d; j++)
            x[i * d + j] = centers[c * d + j] + bench_normal(state);
    }
    return x;
}

/* The values of a version 1 .npy of float64 in C order. */
static double *load(const char *folder, int d, char which, int64_t count)
{
    char path[512];
    unsigned char head[10];
    double *x = malloc((size_t)count * sizeof *x);
    snprintf(path, sizeof path, "%s/kde%d_%c.npy", folder, d, which);
    FILE *f = fopen(path, "rb");
    int good = x && f && fread(head, 1, 10, f) == 10 &&
               fseek(f, 10 + head[8] + 256 * head[9], SEEK_SET) == 0 &&
               fread(x, sizeof *x, (size_t)count, f) == (size_t)count;
    if (f)
        fclose(f);
    if (good)
        return x;
    free(x);
    fprintf(stderr, "bench: cannot read %s\n", path);
    return NULL;
}

static double worst(const double *x, const double *q, int64_t n, int64_t d, double h,
                    const double *value)
{
    double most = 0;
    for (int64_t i = 0; i < 100; i++) {
        long double sum = 0;
        for (int64_t r = 0; r < n; r++) {
            long double s = 0;
            for (int64_t j = 0; j < d; j++) {
                long double u = ((long double)q[i * d + j] - x[r * d + j]) / h;
                s += u * u;
            }
            sum += expl(-s / 2);
        }
        long double log_norm =
            logl((long double)n) + (long double)d * logl(h * sqrtl(2 * acosl(-1)));
        double error = (double)fabsl(expm1l(value[i] - (logl(sum) - log_norm)));
        most = error > most ? error : most;
    }
    return most;
}

static gm_status once(gm_context *ctx, const gm_options *how, const double *x, int64_t n, int d,
                      const double *q, int64_t m, double *value)
{
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    gm_status code = gm_dataset_from_f64(ctx, x, n, d, 0, &rows);
    if (!code)
        code = gm_fit(ctx, "kde", rows, how, &model);
    if (!code)
        code = gm_model_log_prob_f64(ctx, model, q, m, 0, how, value);
    gm_model_free(model);
    gm_dataset_free(rows);
    return code;
}

static void run(gm_context *ctx, const bench_arguments *a, int d, int64_t n, int64_t m,
                double times)
{
    char name[64], text[64];
    uint64_t state = (uint64_t)a->seed + 7;
    double centers[80], h = times * pow((double)n, -1.0 / (d + 4));
    snprintf(name, sizeof name, "kde-d%d-n%d-q%d%s", d, (int)n, (int)m,
             times == 1  ? ""
             : times < 1 ? "-narrow"
                         : "-wide");
    if (!bench_wanted(a, name))
        return;
    for (int i = 0; i < 80; i++)
        centers[i] = 3 * bench_normal(&state);
    double *x = a->data ? load(a->data, d, 'x', n * d) : draw(&state, centers, n, d);
    double *q = a->data ? load(a->data, d, 'q', m * d) : draw(&state, centers, m, d);
    double *value = malloc((size_t)m * sizeof *value);
    gm_options *how = NULL;
    snprintf(text, sizeof text, "%.17g", h);
    bench_blocks b = bench_begin(a);
    if (gm_options_create(ctx, &how) || gm_options_set_text(ctx, how, "bandwidth", text) ||
        gm_options_set_text(ctx, how, "rtol", "1e-4") || gm_options_set_int(ctx, how, "seed", 1))
        puts("failed");
    while (x && q && value && bench_more(&b)) {
        double start = bench_clock();
        if (once(ctx, how, x, n, d, q, m, value))
            puts("failed");
        bench_add(&b, bench_clock() - start);
    }
    gm_options_free(how);
    if (b.count > 0 && !a->paced) {
        double least = b.seconds[0];
        for (int i = 1; i < b.count; i++)
            least = b.seconds[i] < least ? b.seconds[i] : least;
        printf("%-28s %9.2f ms  least %9.2f ms  err %.1e\n", name, 1e3 * bench_median(&b),
               1e3 * least, worst(x, q, n, d, h, value));
        fflush(stdout);
    }
    free(x);
    free(q);
    free(value);
}

void bench_kde(const bench_arguments *a)
{
    static const struct {
        int d, n, m;
    } sets[] = {{1, 100000, 100000},
                {2, 100000, 20000},
                {3, 100000, 10000},
                {5, 50000, 5000},
                {10, 20000, 2000}};
    static const double times[] = {1, 0.3, 3};
    gm_context *ctx;
    if (gm_context_create(NULL, &ctx) || gm_context_set_int(ctx, "threads", a->threads))
        return;
    for (int i = 0; i < 3; i++)
        for (size_t c = 0; c < sizeof sets / sizeof *sets; c++)
            run(ctx, a, sets[c].d, sets[c].n, sets[c].m, times[i]);
    gm_context_free(ctx);
}
