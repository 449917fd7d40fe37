/* A fit that is broken off and goes on: half the steps, a checkpoint, and everything is thrown
 * away; then gm_trainer_resume and the other half. What the model draws afterwards has the bits of
 * the fit that was not broken off. Run it as: checkpoint_resume DIRECTORY, where it leaves
 * unbroken.csv and resumed.csv */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 1000, STEPS = 200 };

/* A context, the data and the options, made anew for each part as a new process would. */
typedef struct part {
    gm_context *ctx;
    gm_dataset *rows;
    gm_options *how;
    gm_trainer *trainer;
    gm_fit_config config;
} part;

static gm_status open_part(part *p)
{
    double x[2 * ROWS];
    gm_status status = gm_context_create(NULL, &p->ctx);

    if (status)
        return status;
    two_moons(ROWS, 1, x);
    status = gm_dataset_from_f64(p->ctx, x, ROWS, 2, 0, &p->rows);
    if (!status)
        status = gm_options_create(p->ctx, &p->how);
    if (!status)
        status = gm_options_set_int(p->ctx, p->how, "seed", 1);
    if (!status)
        status = gm_options_set_int(p->ctx, p->how, "steps", STEPS);
    p->config =
        (gm_fit_config){.struct_size = sizeof p->config, .train = p->rows, .options = p->how};
    return status;
}

/* Returns the status, told if it is a failure. */
static gm_status close_part(part *p, gm_status status)
{
    char why[512];

    if (status && gm_context_error(p->ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_trainer_free(p->trainer);
    gm_options_free(p->how);
    gm_dataset_free(p->rows);
    gm_context_free(p->ctx);
    return status;
}

/* Makes `steps` steps (0: all that are left), from the checkpoint if there is one, and leaves a
 * checkpoint or, where `drawn` is a path, rows that the model draws. */
static gm_status run(int64_t steps, const char *from, const char *checkpoint, const char *drawn)
{
    part p = {0};
    gm_model *model = NULL;
    gm_dataset *rows = NULL;
    gm_progress now = {.struct_size = sizeof now};
    gm_status status = open_part(&p);

    if (!status && from)
        status = gm_trainer_resume(p.ctx, "flow", &p.config, from, &p.trainer);
    else if (!status)
        status = gm_trainer_create(p.ctx, "flow", &p.config, &p.trainer);
    if (!status)
        status = gm_trainer_step(p.ctx, p.trainer, steps);
    if (!status)
        status = gm_trainer_progress(p.ctx, p.trainer, &now);
    if (!status)
        printf("%-24s step %3lld of %lld, loss %.9f\n",
               from ? "resumed from there:" : "begun:", (long long)now.step, (long long)now.steps,
               now.loss);
    if (!status && checkpoint)
        status = gm_trainer_checkpoint(p.ctx, p.trainer, checkpoint);
    if (!status && drawn)
        status = gm_trainer_model(p.ctx, p.trainer, &model);
    if (!status && drawn)
        status = gm_model_sample_rows(p.ctx, model, 100, NULL, p.how, &rows);
    if (!status && drawn)
        status = gm_dataset_save(p.ctx, rows, drawn);
    gm_dataset_free(rows);
    gm_model_free(model);
    return close_part(&p, status);
}

int main(int argc, char **argv)
{
    char unbroken[512], resumed[512], checkpoint[512];

    if (argc != 2) {
        fputs("Usage: checkpoint_resume DIRECTORY\n", stderr);
        return 2;
    }
    snprintf(unbroken, sizeof unbroken, "%s/unbroken.csv", argv[1]);
    snprintf(resumed, sizeof resumed, "%s/resumed.csv", argv[1]);
    snprintf(checkpoint, sizeof checkpoint, "%s/half.checkpoint", argv[1]);
    return run(0, NULL, NULL, unbroken) || run(STEPS / 2, NULL, checkpoint, NULL) ||
           run(0, checkpoint, NULL, resumed);
}
