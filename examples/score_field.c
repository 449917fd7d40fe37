/* Which way is up? The gradient of log p in the row, called the score, points to where rows are
 * more probable; followed in small steps from anywhere it ends on a mode of the density. Each of a
 * ring of three heaps is found. Run it as: score_field out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 3000, MODES = 3, ACROSS = 19, FIELD = ACROSS * ACROSS, CLIMBERS = 16, STEPS = 150 };

static double train[2 * ROWS], place[2 * FIELD], field[2 * FIELD];
static double way[STEPS][2 * CLIMBERS], slope[2 * CLIMBERS];

/* A step of at most `most` along g. */
static void move(double *to, const double *from, const double *g, double rate, double most)
{
    double length = rate * sqrt(g[0] * g[0] + g[1] * g[1]);
    double factor = length > most ? rate * most / length : rate;

    to[0] = from[0] + factor * g[0];
    to[1] = from[1] + factor * g[1];
}

static gm_status climb(gm_context *ctx, const gm_model *flow)
{
    gm_array x, g;
    gm_status status = GM_OK;
    int64_t i, step;

    for (i = 0; i < CLIMBERS; i++) {
        way[0][2 * i] = -1.35 + 0.9 * (double)(i % 4);
        way[0][2 * i + 1] = -1.35 + 0.9 * (double)(i / 4);
    }
    gm_array_init(&g, GM_F64, slope, CLIMBERS, 2);
    for (step = 0; !status && step + 1 < STEPS; step++) {
        gm_array_init(&x, GM_F64, way[step], CLIMBERS, 2);
        status = gm_model_log_prob_gradient(ctx, flow, &x, NULL, NULL, NULL, &g);
        for (i = 0; i < CLIMBERS; i++)
            move(&way[step + 1][2 * i], &way[step][2 * i], slope + 2 * i, 0.02, 0.03);
    }
    return status;
}

static void draw_arrow(const plot *p, const double *from, const double *g)
{
    double to[2], x, y, dx, dy;

    move(to, from, g, 0.04, 0.12);
    x = plot_x(p, to[0]);
    y = plot_y(p, to[1]);
    dx = 0.3 * (x - plot_x(p, from[0]));
    dy = 0.3 * (y - plot_y(p, from[1]));
    fprintf(p->file,
            "<path stroke=\"#9bb7d4\" d=\"M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1fL%.1f "
            "%.1f\"/>\n",
            plot_x(p, from[0]), plot_y(p, from[1]), x, y, x - dx - dy / 2, y - dy + dx / 2, x, y,
            x - dx + dy / 2, y - dy - dx / 2);
}

static int draw(const char *path)
{
    double line[2 * STEPS];
    plot p;
    int64_t i, step;

    if (plot_begin(&p, path, 470, 460))
        return 1;
    plot_panel(&p, 60, 20, 380, 380, -1.6, 1.6, -1.6, 1.6);
    plot_points(&p, 300, train, 1, GREY);
    for (i = 0; i < FIELD; i++)
        draw_arrow(&p, place + 2 * i, field + 2 * i);
    for (i = 0; i < CLIMBERS; i++) {
        for (step = 0; step < STEPS; step++) {
            line[2 * step] = way[step][2 * i];
            line[2 * step + 1] = way[step][2 * i + 1];
        }
        plot_line(&p, STEPS, line, 1.5, ORANGE);
        plot_points(&p, 1, line, 2, ORANGE);
    }
    plot_points(&p, CLIMBERS, way[STEPS - 1], 4, BLUE);
    plot_axes(&p, "x1", "x2");
    return plot_end(&p);
}

static void report(void)
{
    int count[MODES] = {0}, i, k;

    for (i = 0; i < CLIMBERS; i++)
        for (k = 0; k < MODES; k++) {
            double x = way[STEPS - 1][2 * i] - cos(2 * PI * k / MODES);
            double y = way[STEPS - 1][2 * i + 1] - sin(2 * PI * k / MODES);
            count[k] += x * x + y * y < 0.15 * 0.15;
        }
    printf("of %d climbs %d, %d and %d end at the three modes\n", CLIMBERS, count[0], count[1],
           count[2]);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    gm_array x, g;
    char why[512];
    int64_t i;

    if (argc != 2) {
        fputs("Usage: score_field out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    ring(ROWS, MODES, 0.3, 1, train);
    for (i = 0; i < FIELD; i++) {
        place[2 * i] = -1.5 + 3 * (double)(i % ACROSS) / (ACROSS - 1);
        place[2 * i + 1] = -1.5 + 3 * (double)(i / ACROSS) / (ACROSS - 1);
    }
    gm_array_init(&x, GM_F64, place, FIELD, 2);
    gm_array_init(&g, GM_F64, field, FIELD, 2);
    int failed =
        gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
        gm_options_set_int(ctx, how, "seed", 1) || gm_options_set_int(ctx, how, "steps", 1000) ||
        gm_options_set_text(ctx, how, "hidden", "64,64") ||
        gm_options_set_text(ctx, how, "activation", "silu") ||
        gm_options_set_text(ctx, how, "coupling", "realnvp") ||
        gm_fit(ctx, "flow", rows, how, &flow) ||
        gm_model_log_prob_gradient(ctx, flow, &x, NULL, NULL, NULL, &g) || climb(ctx, flow);
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
