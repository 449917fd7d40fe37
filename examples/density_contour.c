/* How probable is each place of the plane? A flow learns two moons, and gm_model_log_prob answers
 * on a grid. The shades hold 25, 50, 75 and 95 in 100 of the model's probability; the dots are rows
 * that it has not seen. Run it as: density_contour out.svg */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 4000, HELD = 1000, DRAWN = 4000, ACROSS = 101, UP = 81, GRID = ACROSS * UP };

static double train[2 * ROWS], held[2 * HELD], grid[2 * GRID], drawn[2 * DRAWN];
static double held_logp[HELD], grid_logp[GRID], drawn_logp[DRAWN];

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A region above a level of log p holds the share of the draws whose log p is above it. */
static int draw(const char *path)
{
    static const char *const shade[] = {"#e3eef7", "#b5d2e8", "#74a9d0", BLUE};
    static const double outside[] = {0.05, 0.25, 0.5, 0.75};
    plot p;
    int i;

    if (plot_begin(&p, path, 610, 460))
        return 1;
    qsort(drawn_logp, DRAWN, sizeof(double), ascending);
    plot_panel(&p, 60, 20, 475, 380, -2, 2, -1.6, 1.6);
    for (i = 0; i < 4; i++) {
        char text[32];
        plot_above(&p, UP, ACROSS, grid_logp, drawn_logp[(int)(outside[i] * DRAWN)], shade[i]);
        snprintf(text, sizeof text, "%.0f %%", 100 - 100 * outside[i]);
        fprintf(p.file, "<path fill=\"%s\" d=\"M550 %dh16v14h-16z\"/>\n", shade[i], 30 + 22 * i);
        plot_text(&p, 572, 42 + 22 * i, "start", "#555", text);
    }
    plot_points(&p, 300, held, 1.2, ORANGE);
    plot_axes(&p, "x1", "x2");
    return plot_end(&p);
}

/* The mean log p of the unseen rows under one normal distribution, fitted column by column: what is
 * to beat. */
static double one_normal(void)
{
    double logp = 0;
    int64_t i, j;

    for (j = 0; j < 2; j++) {
        double mean = 0, variance = 0;
        for (i = j; i < 2 * ROWS; i += 2)
            mean += train[i] / ROWS;
        for (i = j; i < 2 * ROWS; i += 2)
            variance += (train[i] - mean) * (train[i] - mean) / ROWS;
        for (i = j; i < 2 * HELD; i += 2)
            logp -= (log(2 * PI * variance) + pow(held[i] - mean, 2) / variance) / 2 / HELD;
    }
    return logp;
}

static void report(void)
{
    double mass = 0, mean = 0, truth = 0;
    int64_t i;

    for (i = 0; i < GRID; i++)
        mass += exp(grid_logp[i]) * (4.0 / (ACROSS - 1)) * (3.2 / (UP - 1));
    for (i = 0; i < HELD; i++) {
        mean += held_logp[i] / HELD;
        truth += two_moons_log_density(held + 2 * i) / HELD;
    }
    printf("the density adds up to %.4f over the picture\n", mass);
    printf("unseen rows: %.3f nats a row; one normal: %.3f; the density that made them: %.3f\n",
           mean, one_normal(), truth);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    char why[512];
    int64_t i;

    if (argc != 2) {
        fputs("Usage: density_contour out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, train);
    two_moons(HELD, 2, held);
    for (i = 0; i < GRID; i++) {
        grid[2 * i] = -2 + 4 * (double)(i % ACROSS) / (ACROSS - 1);
        grid[2 * i + 1] = -1.6 + 3.2 * (double)(i / ACROSS) / (UP - 1);
    }
    int failed =
        gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
        gm_options_set_int(ctx, how, "seed", 1) || gm_options_set_int(ctx, how, "steps", 1000) ||
        gm_options_set_text(ctx, how, "hidden", "64,64") || gm_fit(ctx, "flow", rows, how, &flow) ||
        gm_model_log_prob_f64(ctx, flow, grid, GRID, 0, NULL, grid_logp) ||
        gm_model_log_prob_f64(ctx, flow, held, HELD, 0, NULL, held_logp) ||
        gm_model_sample_f64(ctx, flow, DRAWN, NULL, how, drawn) ||
        gm_model_log_prob_f64(ctx, flow, drawn, DRAWN, 0, NULL, drawn_logp);
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
