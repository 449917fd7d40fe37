/* One model, many threads, three ways: a context for each of the host's threads; contexts that
 * share a pool of the library's; an executor, by which the library borrows threads of the host's.
 * The sum over the bits of all answers is the same each time. Run it as: threads */
#include <genmod/genmod.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "toy.h"

enum { ROWS = 1000, ASKED = 8000, THREADS = 4 };

static double asked[2 * ASKED];

/* What one of the host's threads is given. */
typedef struct job {
    const gm_model *model;
    gm_context_config hooks;
    int64_t first, count;
    double *logp;
    gm_status status;
} job;

static void *score(void *user)
{
    job *j = user;
    gm_context *ctx = NULL;

    j->status = gm_context_create(&j->hooks, &ctx);
    if (!j->status)
        j->status = gm_model_log_prob_f64(ctx, j->model, asked + 2 * j->first, j->count, 0, NULL,
                                          j->logp + j->first);
    gm_context_free(ctx);
    return NULL;
}

/* Scores all rows on `threads` threads of ours, each with a context that has these hooks. */
static int try_way(const char *way, const gm_model *model, gm_context_config hooks, int threads)
{
    static double logp[ASKED];
    pthread_t thread[THREADS];
    job j[THREADS];
    uint64_t sum = 0, bits;
    int i, failed = 0;

    memset(logp, 0, sizeof logp);
    for (i = 0; i < threads; i++) {
        j[i] = (job){model, hooks, i * ASKED / threads, ASKED / threads, logp, GM_E_SYSTEM};
        if (pthread_create(&thread[i], NULL, score, &j[i]))
            return 1;
    }
    for (i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        failed |= j[i].status != GM_OK;
    }
    for (i = 0; i < ASKED; i++) {
        memcpy(&bits, &logp[i], sizeof bits);
        sum = sum * 31 + bits;
    }
    printf("%-44s %016llx\n", way, (unsigned long long)sum);
    return failed;
}

int main(void)
{
    gm_pool *pool = gm_pool_create(NULL, THREADS);
    gm_context_config alone = {.struct_size = sizeof alone}, pooled = alone;
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    char why[512];

    pooled.pool = pool;
    if (!pool || gm_context_create(&pooled, &ctx))
        return 2;
    two_moons(ASKED, 1, asked);
    int failed = gm_dataset_from_f64(ctx, asked, ROWS, 2, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 100) ||
                 gm_fit(ctx, "flow", rows, how, &flow);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    failed = failed || try_way("one thread", flow, alone, 1) ||
             try_way("four threads, a context each", flow, alone, THREADS) ||
             try_way("four threads that share a pool", flow, pooled, THREADS) ||
             try_way("one thread and a pool of four", flow, pooled, 1);
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    gm_pool_free(pool);
    return failed;
}
