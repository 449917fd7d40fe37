/* How many steps does a draw need? DDIM (first order) and Heun (second order) follow the same way
 * from noise to data; how far they end from where 640 steps of Heun do, by the number of times that
 * the network is asked. Run it as: sampler_steps out.svg */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 4000, DRAWN = 500, COUNTS = 7, FEWEST = 5 };

static const char *const sampler[2] = {"ddim", "heun"};
static double train[2 * ROWS], exact[2 * DRAWN], drawn[2 * DRAWN], curve[2][2 * COUNTS];

static int sample(gm_context *ctx, const gm_model *model, const char *name, int64_t steps,
                  double *out)
{
    gm_options *how = NULL;
    int failed = gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 3) ||
                 gm_options_set_text(ctx, how, "precision", "f64") ||
                 gm_options_set_text(ctx, how, "sampler", name) ||
                 gm_options_set_int(ctx, how, "sampler_steps", steps) ||
                 gm_model_sample_f64(ctx, model, DRAWN, NULL, how, out);
    gm_options_free(how);
    return failed;
}

/* Points of the curves: log10 of the network's uses (a step of Heun is two), and of the distance.
 */
static int measure(gm_context *ctx, const gm_model *model)
{
    int failed = sample(ctx, model, "heun", FEWEST << COUNTS, exact);
    int s, k, i;

    printf("steps     ddim     heun   mean distance from the end of the way\n");
    for (k = 0; !failed && k < COUNTS; k++) {
        printf("%5d", FEWEST << k);
        for (s = 0; !failed && s < 2; s++) {
            double away = 0;
            failed = sample(ctx, model, sampler[s], FEWEST << k, drawn);
            for (i = 0; i < DRAWN; i++)
                away +=
                    hypot(drawn[2 * i] - exact[2 * i], drawn[2 * i + 1] - exact[2 * i + 1]) / DRAWN;
            curve[s][2 * k] = log10((FEWEST << k) * (s + 1.0));
            curve[s][2 * k + 1] = log10(away);
            printf("  %.5f", away);
        }
        printf("\n");
    }
    return failed;
}

static int draw(const char *path)
{
    static const char *const factor[] = {"0.00001", "0.0001", "0.001", "0.01", "0.1", "1"};
    char text[32];
    plot p;
    int k;

    if (plot_begin(&p, path, 600, 350))
        return 1;
    plot_panel(&p, 90, 20, 480, 270, 0.5, 3, -5.2, 0.1);
    for (k = 0; k < 6; k++) {
        plot_text(&p, 82, plot_y(&p, k - 5) + 4, "end", "#555", factor[k]);
        fprintf(p.file, "<path stroke=\"#ddd\" d=\"M90 %.1fh480\"/>\n", plot_y(&p, k - 5));
    }
    for (k = 0; k < 8; k++) {
        snprintf(text, sizeof text, "%d", FEWEST << k);
        plot_text(&p, plot_x(&p, log10(FEWEST << k)), 308, "middle", "#555", text);
    }
    fprintf(p.file, "<path stroke=\"#999\" d=\"M90 20h480v270h-480z\"/>\n");
    plot_text(&p, 330, 334, "middle", "#222", "uses of the network for each draw");
    plot_text(&p, 100, 38, "start", "#222", "mean distance from the end of the way");
    for (k = 0; k < 2; k++) {
        plot_line(&p, COUNTS, curve[k], 2, k ? BLUE : ORANGE);
        plot_points(&p, COUNTS, curve[k], 3, k ? BLUE : ORANGE);
        plot_text(&p, plot_x(&p, curve[k][2 * COUNTS - 2]) + 8,
                  plot_y(&p, curve[k][2 * COUNTS - 1]) + (k ? -4 : -6), "start", k ? BLUE : ORANGE,
                  sampler[k]);
    }
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    char why[512];

    if (argc != 2) {
        fputs("Usage: sampler_steps out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, train);
    int failed = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 1000) ||
                 gm_options_set_int(ctx, how, "levels", 100) ||
                 gm_options_set_text(ctx, how, "hidden", "64,64") ||
                 gm_fit(ctx, "diffusion", rows, how, &model) || measure(ctx, model);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    failed = failed || draw(argv[1]);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
