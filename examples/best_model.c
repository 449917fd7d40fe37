/* Which model is best for a table, is it surely better than a simple one, and does it tell the
 * truth? gm_fit_auto climbs a ladder of families within some seconds, gm_compare sets its best
 * beside one normal distribution on rows that neither has seen, and gm_calibrate asks whether
 * columns and regions are as probable as it says. Run it as: best_model */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 500, HELD = 2000 };

static double train[2 * ROWS], unseen[2 * HELD];

static int32_t tried(void *user, const gm_auto_row *row)
{
    (void)user;
    if (row->status)
        printf("%-20s %s\n", row->rung, row->why);
    else
        printf("%-20s %7.3f +- %.3f nats%s\n", row->rung, row->mean, row->error,
               row->chosen ? ", the best" : "");
    return 0;
}

/* The best of the ladder, and the simplest. */
static gm_status fit_both(gm_context *ctx, const gm_dataset *rows, gm_model **best,
                          gm_model **simple)
{
    gm_auto_config config = {.struct_size = sizeof config, .rows = rows, .tried = tried};
    gm_options *how = NULL, *one = NULL;
    gm_status status = gm_options_create(ctx, &how);

    if (!status)
        status = gm_options_create(ctx, &one);
    if (!status)
        status = gm_options_set_text(ctx, how, "seed", "1");
    if (!status)
        status = gm_options_set_text(ctx, how, "seconds", "2");
    if (!status)
        status = gm_options_set_text(ctx, how, "rungs", "gaussian,copula,mixture,kde,flow");
    if (!status)
        status = gm_options_set_text(ctx, one, "components", "1");
    if (!status)
        status = gm_options_set_text(ctx, one, "seed", "1");
    config.options = how;
    if (!status)
        status = gm_fit_auto(ctx, &config, NULL, best);
    if (!status)
        status = gm_fit(ctx, "mixture", rows, one, simple);
    gm_options_free(how);
    gm_options_free(one);
    return status;
}

static gm_status judge(gm_context *ctx, const gm_model *best, const gm_model *simple,
                       const gm_dataset *held)
{
    gm_comparison told = {.struct_size = sizeof told};
    gm_calibration found = {.struct_size = sizeof found};
    gm_options *how = NULL;
    gm_status status = gm_options_create(ctx, &how);
    int k;

    if (!status)
        status = gm_options_set_int(ctx, how, "seed", 1);
    if (!status)
        status = gm_compare(ctx, best, simple, held, how, &told, NULL, NULL);
    if (!status)
        printf("the best (%s) over one normal: %.3f +- %.3f nats a row\n", gm_model_family(best),
               told.difference, told.error);
    if (!status)
        status = gm_calibrate(ctx, best, held, how, &found, NULL, NULL);
    for (k = 0; k < GM_CALIBRATION_LEVELS && !status; k++)
        printf("region of %.0f %%: holds %.1f %% of unseen rows\n", 100 * found.level[k],
               100 * found.coverage[k]);
    gm_options_free(how);
    return status;
}

int main(void)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *held = NULL;
    gm_model *best = NULL, *simple = NULL;
    char why[512];
    int failed;

    two_moons(ROWS, 1, train);
    two_moons(HELD, 2, unseen);
    if (gm_context_create(NULL, &ctx))
        return 1;
    failed = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) ||
             gm_dataset_from_f64(ctx, unseen, HELD, 2, 0, &held) ||
             fit_both(ctx, rows, &best, &simple) || judge(ctx, best, simple, held);
    if (failed) {
        gm_context_error(ctx, why, sizeof why, NULL);
        fprintf(stderr, "%s\n", why);
    }
    gm_model_free(best);
    gm_model_free(simple);
    gm_dataset_free(rows);
    gm_dataset_free(held);
    gm_context_free(ctx);
    return failed;
}
