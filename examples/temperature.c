/* More of the same, or more variety? gm_model_sample with the option `temperature`, which scales
 * the draw that a flow turns into a row: below 1 rows keep to the middle, above 1 they wander. Run
 * it as: temperature out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 3000, DRAWN = 600, PANELS = 3 };

static double train[2 * ROWS], drawn[PANELS][2 * DRAWN], logp[PANELS][DRAWN];
static const double temperature[PANELS] = {0.5, 1, 1.5};

/* Draws at each temperature, and what the model (which stays at 1) says of the rows. */
static gm_status sample(gm_context *ctx, const gm_model *flow)
{
    gm_options *how = NULL;
    gm_status status = gm_options_create(ctx, &how);
    int k;

    if (!status)
        status = gm_options_set_int(ctx, how, "seed", 5);
    for (k = 0; !status && k < PANELS; k++) {
        status = gm_options_set_real(ctx, how, "temperature", temperature[k]);
        if (!status)
            status = gm_model_sample_f64(ctx, flow, DRAWN, NULL, how, drawn[k]);
        if (!status)
            status = gm_model_log_prob_f64(ctx, flow, drawn[k], DRAWN, 0, NULL, logp[k]);
    }
    gm_options_free(how);
    return status;
}

static int draw(const char *path)
{
    plot p;
    char title[64];
    int k;

    if (plot_begin(&p, path, 880, 280))
        return 1;
    for (k = 0; k < PANELS; k++) {
        plot_panel(&p, 55 + 280 * k, 34, 245, 196, -2, 2, -1.6, 1.6);
        snprintf(title, sizeof title, "temperature %g", temperature[k]);
        plot_title(&p, title);
        plot_points(&p, DRAWN, drawn[k], 1.2, BLUE);
        plot_axes(&p, "x1", k ? "" : "x2");
    }
    return plot_end(&p);
}

static void report(void)
{
    int k, i;

    for (k = 0; k < PANELS; k++) {
        double mean = 0;
        for (i = 0; i < DRAWN; i++)
            mean += logp[k][i] / DRAWN;
        printf("temperature %.1f: a row drawn has a log p of %7.3f nats in the mean\n",
               temperature[k], mean);
    }
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    char why[512];

    if (argc != 2) {
        fputs("Usage: temperature out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, train);
    int failed = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 800) ||
                 gm_options_set_text(ctx, how, "hidden", "64,64") ||
                 gm_fit(ctx, "flow", rows, how, &flow) || sample(ctx, flow);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        report();
        failed = draw(argv[1]);
    }
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
