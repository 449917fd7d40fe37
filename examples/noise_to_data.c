/* From noise to data: a diffusion model draws by taking noise away, step by step. Here a ring of
 * eight heaps: the same draws, stopped at several places of the way (option `stop`), and three of
 * them all along it. Run it as: noise_to_data out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 8000, MODES = 8, DRAWN = 4000, SHOWN = 800, STOPS = 41, PANELS = 5, TRACED = 6 };

/* Of the stops, those that are shown: it is near the data that most happens. */
static const int shown[PANELS] = {0, 20, 30, 35, 40};
static double train[2 * ROWS], place[STOPS][2 * DRAWN]; /* [0] is noise, the last is data */

/* Every draw keeps its seed and number, and so its noise and its way. */
static int sample(gm_context *ctx, const gm_model *model)
{
    gm_options *how = NULL;
    int failed = gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 3), k;

    for (k = 0; !failed && k < STOPS; k++)
        failed =
            gm_options_set_real(ctx, how, "stop", 1 - (double)k / (STOPS - 1)) ||
            gm_model_sample_f64(ctx, model, k + 1 == STOPS ? DRAWN : SHOWN, NULL, how, place[k]);
    gm_options_free(how);
    return failed;
}

static int draw(const char *path)
{
    plot p;
    char title[64];
    int k, i, t;

    if (plot_begin(&p, path, 1010, 232))
        return 1;
    for (i = 0; i < PANELS; i++) {
        double way[2 * STOPS];
        plot_panel(&p, 10 + 200 * i, 30, 190, 190, -2, 2, -2, 2);
        snprintf(title, sizeof title, "stop = %g%s", 1 - (double)shown[i] / (STOPS - 1),
                 i == 0            ? ": noise"
                 : i + 1 == PANELS ? ": data"
                                   : "");
        plot_title(&p, title);
        plot_points(&p, SHOWN, place[shown[i]], 1, BLUE);
        for (t = 0; t < TRACED; t++) {
            for (k = 0; k <= shown[i]; k++) {
                way[2 * k] = place[k][2 * t];
                way[2 * k + 1] = place[k][2 * t + 1];
            }
            plot_line(&p, k, way, 1.5, ORANGE);
            plot_points(&p, 1, way + 2 * (k - 1), 2.5, ORANGE);
        }
        fprintf(p.file, "<path stroke=\"#999\" d=\"M%.1f %.1fh%.1fv%.1fh%.1fz\"/>\n", p.left, p.top,
                p.width, p.height, -p.width);
    }
    return plot_end(&p);
}

/* The share of the draws in each heap, and of those within three deviations of a middle. */
static void report(void)
{
    int count[MODES] = {0}, near = 0, i, k;

    for (i = 0; i < DRAWN; i++) {
        const double *x = &place[STOPS - 1][2 * i];
        int nearest = 0;
        double least = 1e9;
        for (k = 0; k < MODES; k++) {
            double away = hypot(x[0] - cos(2 * PI * k / MODES), x[1] - sin(2 * PI * k / MODES));
            if (away < least) {
                least = away;
                nearest = k;
            }
        }
        count[nearest]++;
        near += least < 0.3;
    }
    printf("shares of the heaps, each 0.125 of the data:");
    for (k = 0; k < MODES; k++)
        printf(" %.3f", (double)count[k] / DRAWN);
    printf("\nwithin three deviations of a middle: %.3f (of the data 0.989)\n",
           (double)near / DRAWN);
}

/* As gm_fit, with a learning rate of ten times the default: that belongs to the optimizer. */
static int fit(gm_context *ctx, const gm_dataset *rows, const gm_options *how, gm_model **model)
{
    gm_fit_config config = {.struct_size = sizeof config, .train = rows, .options = how};
    gm_options *rate = NULL;
    gm_optimizer *adam = NULL;
    int failed = gm_options_create(ctx, &rate) || gm_options_set_real(ctx, rate, "lr", 0.01) ||
                 gm_optimizer_create(ctx, "adam", rate, &adam);
    config.optimizer = adam;
    failed = failed || gm_fit_with(ctx, "diffusion", &config, model);
    gm_optimizer_free(adam);
    gm_options_free(rate);
    return failed;
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    char why[512];

    if (argc != 2) {
        fputs("Usage: noise_to_data out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    ring(ROWS, MODES, 0.1, 1, train);
    int failed = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 5000) ||
                 gm_options_set_text(ctx, how, "hidden", "64,64,64") ||
                 fit(ctx, rows, how, &model) || sample(ctx, model);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        report();
        failed = draw(argv[1]);
    }
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
