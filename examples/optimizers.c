/* The optimizers on a problem of one's own: gm_optimizer_step moves any numbers by any gradients.
 * Here down the curved valley of Rosenbrock's function, whose least value is at (1, 1). Run it as:
 * optimizers out.svg */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"

enum { STEPS = 2000, RULES = 4, ACROSS = 161, UP = 121 };

static const char *const rule[RULES] = {"sgd", "rmsprop", "adam", "adamw"};
static const char *const rate[RULES] = {"0.0005", "0.01", "0.03", "0.03"};
static const char *const colour[RULES] = {ORANGE, GREEN, BLUE, "#7a4fa3"};
static double way[RULES][2 * STEPS], height[UP * ACROSS];

static double value(double x, double y)
{
    return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x);
}

/* Steps of one rule from (-1.2, 1). */
static gm_status descend(gm_context *ctx, int k)
{
    gm_options *how = NULL;
    gm_optimizer *optimizer = NULL;
    gm_status status = gm_options_create(ctx, &how);
    double p[2] = {-1.2, 1}, g[2];
    int i, near = 0; /* the first step within 0.1 of the least */

    if (!status)
        status = gm_options_set_text(ctx, how, "lr", rate[k]);
    if (!status && k == 0)
        status = gm_options_set_real(ctx, how, "momentum", 0.9);
    if (!status)
        status = gm_optimizer_create(ctx, rule[k], how, &optimizer);
    for (i = 0; !status && i < STEPS; i++) {
        way[k][2 * i] = p[0];
        way[k][2 * i + 1] = p[1];
        g[0] = -2 * (1 - p[0]) - 400 * p[0] * (p[1] - p[0] * p[0]);
        g[1] = 200 * (p[1] - p[0] * p[0]);
        status = gm_optimizer_step(ctx, optimizer, GM_F64, 2, p, g, 1);
        if (!near && hypot(p[0] - 1, p[1] - 1) < 0.1)
            near = i + 1;
    }
    if (!status)
        printf("%-8s within 0.1 of the least after %4d steps, at %.4f, %.4f after %d\n", rule[k],
               near, p[0], p[1], STEPS);
    gm_optimizer_free(optimizer);
    gm_options_free(how);
    return status;
}

static int draw(const char *path)
{
    static const double level[] = {-1000, -300, -100, -30, -10, -3, -1, -0.3};
    static const char *const shade[] = {"#f3f3f3", "#e9e9e9", "#dedede", "#d2d2d2",
                                        "#c5c5c5", "#b8b8b8", "#a9a9a9", "#9a9a9a"};
    plot p;
    int i;

    for (i = 0; i < UP * ACROSS; i++)
        height[i] =
            -value(-2 + 4.0 * (i % ACROSS) / (ACROSS - 1), -1 + 3.0 * (i / ACROSS) / (UP - 1));
    if (plot_begin(&p, path, 700, 500))
        return 1;
    plot_panel(&p, 60, 20, 560, 420, -2, 2, -1, 2);
    for (i = 0; i < 8; i++)
        plot_above(&p, UP, ACROSS, height, level[i], shade[i]);
    for (i = 0; i < RULES; i++) {
        plot_line(&p, STEPS, way[i], 1.5, colour[i]);
        plot_text(&p, 630, 40 + 20 * i, "start", colour[i], rule[i]);
    }
    plot_points(&p, 1, (double[]){1, 1}, 4, "#000");
    plot_axes(&p, "x", "y");
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    char why[512];
    int failed = 0, k;

    if (argc != 2) {
        fputs("Usage: optimizers out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    for (k = 0; !failed && k < RULES; k++)
        failed = descend(ctx, k);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_context_free(ctx);
    return failed || draw(argv[1]);
}
