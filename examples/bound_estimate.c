/* Two answers to "how probable?" of a model that cannot say exactly: the bound that a variational
 * autoencoder is trained by, and the estimate that averages draws of the code by their weights,
 * which rises towards log p with their number (Burda et al. 2016, theorem 1). Run it as:
 * bound_estimate out.svg [digits.csv] */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"

enum { MOST = 2000, PIXELS = 64, COUNTS = 8 };

static double logp[MOST], mean[2][2 * COUNTS], lowest = INFINITY, highest = -INFINITY;

/* The mean over rows for 1, 3, 10 ... draws; x is the place on a scale of factors. */
static gm_status ask(gm_context *ctx, const gm_model *vae, const gm_dataset *rows)
{
    static const char *const kind[] = {"bound", "estimate"};
    int64_t n = gm_dataset_row_count(rows), draws = 1, i;
    gm_options *how = NULL;
    gm_status status = gm_options_create(ctx, &how);
    int k, c;

    if (!status)
        status = gm_options_set_int(ctx, how, "seed", 3);
    printf("draws     bound  estimate, nats a digit\n");
    for (c = 0; !status && c < COUNTS; c++, draws = c % 2 ? draws * 3 : draws / 3 * 10) {
        status = gm_options_set_int(ctx, how, "draws", draws);
        for (k = 0; !status && k < 2; k++) {
            status = gm_options_set_text(ctx, how, "kind", kind[k]);
            if (!status)
                status = gm_model_log_prob_rows(ctx, vae, rows, NULL, how, logp, NULL);
            for (mean[k][2 * c] = c, i = 0; i < n; i++)
                mean[k][2 * c + 1] += logp[i] / (double)n;
            lowest = fmin(lowest, mean[k][2 * c + 1]);
            highest = fmax(highest, mean[k][2 * c + 1]);
        }
        printf("%5lld  %8.3f  %8.3f\n", (long long)draws, mean[0][2 * c + 1], mean[1][2 * c + 1]);
    }
    gm_options_free(how);
    return status;
}

static int draw(const char *path)
{
    static const char *const count[COUNTS] = {"1", "3", "10", "30", "100", "300", "1000", "3000"};
    plot p;
    int c;

    if (plot_begin(&p, path, 620, 340))
        return 1;
    plot_panel(&p, 60, 20, 530, 260, -0.3, COUNTS - 0.7, lowest - 0.8, highest + 0.8);
    plot_axes(&p, "", "log p, nats a digit");
    fprintf(p.file, "<path fill=\"#fff\" d=\"M58 281h550v24h-550z\"/>\n");
    for (c = 0; c < COUNTS; c++)
        plot_text(&p, plot_x(&p, c), 297, "middle", "#555", count[c]);
    plot_text(&p, 325, 322, "middle", "#222", "draws of the code for each digit");
    plot_line(&p, COUNTS, mean[0], 2, ORANGE);
    plot_points(&p, COUNTS, mean[0], 3, ORANGE);
    plot_line(&p, COUNTS, mean[1], 2, BLUE);
    plot_points(&p, COUNTS, mean[1], 3, BLUE);
    plot_text(&p, 580, plot_y(&p, mean[0][2 * COUNTS - 1]) - 10, "end", ORANGE, "bound");
    plot_text(&p, 580, plot_y(&p, mean[1][2 * COUNTS - 1]) - 10, "end", BLUE, "estimate");
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    const char *path = argc > 2 ? argv[2] : "examples/data/digits.csv";
    gm_context *ctx = NULL;
    gm_dataset *all = NULL, *pictures = NULL, *rows = NULL, *held = NULL;
    gm_options *how = NULL;
    gm_model *vae = NULL;
    char why[512];

    if (argc < 2) {
        fputs("Usage: bound_estimate out.svg [digits.csv]\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    int failed = gm_dataset_from_csv(ctx, path, NULL, &all) ||
                 gm_dataset_with_role(ctx, all, PIXELS, GM_ROLE_LABEL, &pictures) ||
                 gm_dataset_split(ctx, pictures, 0.05, 1, &rows, &held) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "code", 8) ||
                 gm_options_set_text(ctx, how, "hidden", "64") ||
                 gm_options_set_int(ctx, how, "steps", 1500) ||
                 gm_fit(ctx, "vae", rows, how, &vae) || ask(ctx, vae, held);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    failed = failed || draw(argv[1]);
    gm_model_free(vae);
    gm_options_free(how);
    gm_dataset_free(held);
    gm_dataset_free(rows);
    gm_dataset_free(pictures);
    gm_dataset_free(all);
    gm_context_free(ctx);
    return failed;
}
