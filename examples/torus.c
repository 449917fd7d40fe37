/* Angles have no ends. Two angles in degrees that live on a torus, one bunch of them across the
 * seam at 180 degrees: a flow over circular columns gives the same log p after a turn, and one over
 * the same numbers taken as plain reals tears the bunch in two. Run it as: torus out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 3000, HELD = 2000, DRAWN = 1500 };

static double train[2 * ROWS], held[2 * HELD], turned[2 * HELD], drawn[2][2 * DRAWN];
static double logp[2][HELD], again[HELD];

static double into_turn(double degrees)
{
    return degrees - 360 * floor(degrees / 360 + 0.5);
}

/* Two bunches: one round (180, -60), bent, one round (-60, 140). */
static void draw_angles(int64_t n, uint64_t seed, double *x)
{
    int64_t i;

    for (i = 0; i < n; i++) {
        double a = normal(&seed), b = normal(&seed);
        int seam = uniform(&seed) < 0.6;
        x[2 * i] = into_turn(round_off(seam ? 180 + 35 * a : -60 + 15 * a));
        x[2 * i + 1] = into_turn(round_off(seam ? -60 + 25 * a + 12 * b : 140 + 20 * b));
    }
}

/* Fits with the columns circular or real, scores, draws. */
static gm_status fit(gm_context *ctx, int circular, gm_options *how, gm_model **flow)
{
    gm_dataset *rows = NULL, *typed;
    gm_status status = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows);
    int j;

    for (j = 0; !status && circular && j < 2; j++) {
        status = gm_dataset_with_type(ctx, rows, j, GM_COLUMN_CIRCULAR, 360, &typed);
        if (status)
            break;
        gm_dataset_free(rows);
        rows = typed;
    }
    if (!status)
        status = gm_fit(ctx, "flow", rows, how, flow);
    if (!status)
        status = gm_model_log_prob_f64(ctx, *flow, held, HELD, 0, NULL, logp[circular]);
    if (!status)
        status = gm_model_sample_f64(ctx, *flow, DRAWN, NULL, how, drawn[circular]);
    gm_dataset_free(rows);
    return status;
}

static void report(void)
{
    double mean[2] = {0, 0}, apart = 0;
    int i;

    for (i = 0; i < HELD; i++) {
        mean[0] += logp[0][i] / HELD;
        mean[1] += logp[1][i] / HELD;
        apart = fmax(apart, fabs(logp[1][i] - again[i]));
    }
    printf("circular columns: %.3f nats, real columns: %.3f nats\n", mean[1], mean[0]);
    printf("a turn of each angle moves log p by %.1e at most\n", apart);
}

static int draw(const char *path)
{
    plot p;
    int k, i;

    if (plot_begin(&p, path, 640, 320))
        return 1;
    for (i = 0; i < 2 * DRAWN; i++)
        drawn[1][i] = into_turn(drawn[1][i]);
    for (k = 0; k < 2; k++) {
        plot_panel(&p, 55 + 300 * k, 34, 245, 236, -180, 180, -180, 180);
        plot_title(&p, k ? "drawn: real columns" : "drawn: circular columns");
        plot_points(&p, DRAWN, drawn[!k], 1.2, k ? ORANGE : BLUE);
        plot_axes(&p, "first angle", k ? "" : "second angle");
    }
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_options *how = NULL;
    gm_model *round = NULL, *flat = NULL;
    char why[512];
    int i;

    if (argc != 2) {
        fputs("Usage: torus out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    draw_angles(ROWS, 1, train);
    draw_angles(HELD, 2, held);
    for (i = 0; i < 2 * HELD; i++)
        turned[i] = held[i] + (i % 3 ? 360 : -720);
    int failed = gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 800) ||
                 gm_options_set_text(ctx, how, "structure", "autoregressive") ||
                 gm_options_set_text(ctx, how, "hidden", "64,64") || fit(ctx, 1, how, &round) ||
                 gm_model_log_prob_f64(ctx, round, turned, HELD, 0, NULL, again) ||
                 fit(ctx, 0, how, &flat);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        report();
        failed = draw(argv[1]);
    }
    gm_model_free(round);
    gm_model_free(flat);
    gm_options_free(how);
    gm_context_free(ctx);
    return failed != 0;
}
