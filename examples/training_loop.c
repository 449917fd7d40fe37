/* A loop of the host's own: gm_trainer makes steps, the program looks at rows held back, and stops
 * when they have not been better for thirty looks. Few rows and a large model, so that learning by
 * heart sets in. Run it as: training_loop out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 400, STEPS = 4000, LOOK = 10, LOOKS = STEPS / LOOK, PATIENCE = 30 };

static double rows_x[2 * ROWS], held_x[2 * ROWS];
static double training[2 * LOOKS], held_back[2 * LOOKS]; /* pairs of step and loss */

/* Steps until the held-back rows get no better; *looks is how often it looked. */
static gm_status train(gm_context *ctx, gm_trainer *trainer, const gm_dataset *rows,
                       const gm_dataset *held, int64_t *looks, int64_t *best)
{
    gm_status status = GM_OK;
    int64_t i;

    *best = 0;
    for (i = 0; !status && i < LOOKS && i - *best <= PATIENCE; i++) {
        status = gm_trainer_step(ctx, trainer, LOOK);
        if (!status)
            status = gm_trainer_evaluate(ctx, trainer, rows, &training[2 * i + 1], NULL);
        if (!status)
            status = gm_trainer_evaluate(ctx, trainer, held, &held_back[2 * i + 1], NULL);
        training[2 * i] = held_back[2 * i] = (double)((i + 1) * LOOK);
        if (held_back[2 * i + 1] < held_back[2 * *best + 1])
            *best = i;
    }
    *looks = i;
    return status;
}

static int draw(const char *path, int64_t looks, int64_t best)
{
    plot p;

    if (plot_begin(&p, path, 620, 340))
        return 1;
    plot_panel(&p, 60, 20, 530, 260, 0, training[2 * looks - 2], 0.4, 1.6);
    plot_line(&p, looks, training, 2, BLUE);
    plot_line(&p, looks, held_back, 2, ORANGE);
    plot_points(&p, 1, held_back + 2 * best, 4, ORANGE);
    plot_axes(&p, "step", "loss: -log p in nats a row");
    plot_text(&p, 580, 44, "end", ORANGE, "rows held back; the dot is the best");
    plot_text(&p, 580, 62, "end", BLUE, "rows trained on");
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *held = NULL;
    gm_options *how = NULL;
    gm_optimizer *adam = NULL;
    gm_trainer *trainer = NULL;
    gm_model *flow = NULL;
    gm_fit_config config = {.struct_size = sizeof config};
    gm_progress now = {.struct_size = sizeof now};
    char why[512];
    int64_t looks = 0, best = 0;

    if (argc != 2) {
        fputs("Usage: training_loop out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, rows_x);
    two_moons(ROWS, 2, held_x);
    int failed = gm_dataset_from_f64(ctx, rows_x, ROWS, 2, 0, &rows) ||
                 gm_dataset_from_f64(ctx, held_x, ROWS, 2, 0, &held) ||
                 gm_options_create(ctx, &how) || gm_optimizer_create(ctx, "adam", NULL, &adam) ||
                 gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", STEPS) ||
                 gm_options_set_text(ctx, how, "schedule", "constant") ||
                 gm_options_set_int(ctx, how, "evaluate", LOOK);
    config.train = rows;
    config.valid = held; /* the model will be of the step at which these were best */
    config.options = how;
    config.optimizer = adam;
    failed = failed || gm_trainer_create(ctx, "flow", &config, &trainer) ||
             train(ctx, trainer, rows, held, &looks, &best) ||
             gm_trainer_progress(ctx, trainer, &now) || gm_trainer_model(ctx, trainer, &flow);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        printf("stopped after %lld of %lld steps; best at %lld: %.3f nats a row held back\n",
               (long long)now.step, (long long)now.steps, (long long)now.best_step, now.best);
        failed = draw(argv[1], looks, best);
    }
    gm_model_free(flow);
    gm_trainer_free(trainer);
    gm_optimizer_free(adam);
    gm_options_free(how);
    gm_dataset_free(held);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
