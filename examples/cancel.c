/* A fit that someone stops: a progress callback draws a bar, another thread trips the cancel token,
 * the fit returns at once, and later goes on from its last whole step. Run it as: cancel */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include <genmod/genmod.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "toy.h"

enum { ROWS = 2000, STEPS = 600, WIDE = 50 };

static double seconds(void)
{
    struct timespec now;

    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int32_t show(void *user, const gm_progress *p)
{
    char bar[WIDE + 1] = "";
    int done = p->steps ? (int)(WIDE * p->step / p->steps) : 0;

    (void)user;
    memset(bar, '=', (size_t)done);
    printf("  [%-*s] step %3lld, %.0f rows a second\n", WIDE, bar, (long long)p->step,
           p->items_per_second);
    return 0; /* another number would stop the fit too */
}

typedef struct tripper {
    gm_cancel *token;
    double at;
} tripper;

static void *wait_and_trip(void *user)
{
    tripper *t = user;
    struct timespec pause = {.tv_nsec = 150000000};

    nanosleep(&pause, NULL);
    t->at = seconds();
    gm_cancel_trip(t->token);
    return NULL;
}

/* Steps until the other thread stops it; then to the end. */
static gm_status run(gm_context *ctx, gm_trainer *trainer, gm_cancel *token)
{
    tripper t = {.token = token};
    gm_progress now = {.struct_size = sizeof now};
    pthread_t thread;
    gm_status status;
    double took;
    char why[256];

    if (pthread_create(&thread, NULL, wait_and_trip, &t))
        return GM_E_SYSTEM;
    status = gm_trainer_step(ctx, trainer, 0);
    pthread_join(thread, NULL);
    took = seconds() - t.at;
    gm_context_error(ctx, why, sizeof why, NULL);
    if (status != GM_E_CANCELLED)
        return status;
    gm_trainer_progress(ctx, trainer, &now);
    printf("stopped %.0f ms after it was asked to, at step %lld: \"%s\"\n", 1000 * took,
           (long long)now.step, why);
    gm_cancel_reset(token);
    status = gm_trainer_step(ctx, trainer, 0);
    gm_trainer_progress(ctx, trainer, &now);
    printf("and then went on to step %lld of %lld\n", (long long)now.step, (long long)now.steps);
    return status;
}

int main(void)
{
    gm_cancel *token = gm_cancel_create(NULL);
    gm_context_config hooks = {.struct_size = sizeof hooks, .cancel = token};
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_trainer *trainer = NULL;
    gm_fit_config config = {.struct_size = sizeof config, .progress = show};
    double x[2 * ROWS];
    char why[512];

    if (!token || gm_context_create(&hooks, &ctx))
        return 2;
    two_moons(ROWS, 1, x);
    int failed = gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", STEPS);
    config.train = rows;
    config.options = how;
    failed =
        failed || gm_trainer_create(ctx, "flow", &config, &trainer) || run(ctx, trainer, token);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_trainer_free(trainer);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    gm_cancel_free(token);
    return failed;
}
