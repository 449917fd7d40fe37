/* Threads of the host's lent to the library: an executor runs the parts of large work wherever the
 * host likes; here on threads made for each call, where a host would use its own pool. The sum over
 * the bits of what is drawn is the same as without. Run it as: executor */
#include <genmod/genmod.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "toy.h"

enum { ROWS = 1000, DRAWN = 4000, WIDTH = 3 };

/* What a thread is given: part `number` of the work. */
typedef struct part {
    void (*work)(void *arg, int32_t part);
    void *arg;
    int32_t number;
} part;

static void *run_part(void *user)
{
    part *p = user;

    p->work(p->arg, p->number);
    return NULL;
}

/* Every part runs once, on any thread; WIDTH at a time. The library calls this for work that is
 * large enough to share. */
static void run(void *user, void (*work)(void *arg, int32_t part), void *arg, int32_t parts)
{
    long *calls = user;
    int32_t first, i, started;

    ++*calls;
    for (first = 0; first < parts; first += WIDTH) {
        pthread_t thread[WIDTH];
        part p[WIDTH];
        for (started = 0; started < WIDTH && first + started < parts; started++) {
            p[started] = (part){work, arg, first + started};
            if (pthread_create(&thread[started], NULL, run_part, &p[started]))
                break;
        }
        for (i = 0; i < started; i++)
            pthread_join(thread[i], NULL);
        for (i = first + started; i < first + WIDTH && i < parts; i++)
            work(arg, i); /* no thread was to be had: this one does it */
    }
}

/* Fits and draws in a context of that configuration. */
static int try_with(const char *way, const gm_context_config *config)
{
    static double x[2 * ROWS], drawn[2 * DRAWN];
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    uint64_t sum = 0, bits;
    char why[512];
    int i;

    if (gm_context_create(config, &ctx))
        return 1;
    two_moons(ROWS, 1, x);
    int failed = gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 20) ||
                 gm_fit(ctx, "flow", rows, how, &flow) ||
                 gm_model_sample_f64(ctx, flow, DRAWN, NULL, how, drawn);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    for (i = 0; i < 2 * DRAWN; i++) {
        memcpy(&bits, &drawn[i], sizeof bits);
        sum = sum * 31 + bits;
    }
    printf("%-28s %016llx\n", way, (unsigned long long)sum);
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}

int main(void)
{
    long calls = 0;
    gm_executor executor = {
        .struct_size = sizeof executor, .width = WIDTH, .user = &calls, .run = run};
    gm_context_config alone = {.struct_size = sizeof alone}, lent = alone;
    int failed;

    lent.executor = &executor;
    failed = try_with("alone", &alone) || try_with("with threads of ours", &lent);
    return failed || calls == 0;
}
