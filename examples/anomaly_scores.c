/* Which rows are odd? The odd ones here have the first column of one row and the second of another:
 * every value is usual, the pair is not. A flow's log p tells them from rows that are as they
 * should be; the distance from the middle does not. Run it as: anomaly_scores out.svg */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 2000, HELD = 500, BINS = 32 };

/* The second half of `asked` are the odd rows. */
static double train[2 * ROWS], asked[2 * 2 * HELD];
static double logp[2 * HELD], middle[2 * HELD], truth[2 * HELD];

static void make_rows(void)
{
    int64_t i;

    two_moons(ROWS, 1, train);
    two_moons(HELD, 2, asked);
    for (i = HELD; i < 2 * HELD; i++) {
        asked[2 * i] = asked[2 * (i - HELD)];
        asked[2 * i + 1] = asked[2 * ((i + 37) % HELD) + 1];
    }
    for (i = 0; i < 2 * HELD; i++) {
        const double *x = asked + 2 * i;
        middle[i] = -x[0] * x[0] / 0.8 - x[1] * x[1] / 0.3; /* by the variances of the columns */
        truth[i] = two_moons_log_density(x);
    }
}

/* How often an odd row scores less than a usual one: 0.5 by guessing, 1 at best. */
static double told_apart(const double *score)
{
    double sum = 0;
    int64_t i, j;

    for (i = 0; i < HELD; i++)
        for (j = HELD; j < 2 * HELD; j++)
            sum += score[j] < score[i] ? 1 : score[j] == score[i] ? 0.5 : 0;
    return sum / HELD / HELD;
}

/* Bars of one half's log p from -16 to 2, lower ones in the first bar. */
static void draw_bars(const plot *p, const double *score, double shift, const char *colour)
{
    int count[BINS] = {0}, i, bin;
    double wide = 16.0 / BINS;

    for (i = 0; i < HELD; i++) {
        bin = (int)((score[i] + 14) / wide);
        count[score[i] < -14 ? 0 : bin < BINS ? bin : BINS - 1]++;
    }
    for (i = 0; i < BINS; i++)
        plot_box(p, -14 + wide * (i + shift), 0, -14 + wide * (i + shift + 0.45), count[i], colour);
}

static int draw(const char *path)
{
    plot p;

    if (plot_begin(&p, path, 860, 360))
        return 1;
    plot_panel(&p, 60, 36, 370, 270, -2, 2, -1.5, 1.5);
    plot_title(&p, "rows as they should be (blue) and odd ones");
    plot_points(&p, HELD, asked, 1.4, BLUE);
    plot_points(&p, HELD, asked + 2 * HELD, 1.4, ORANGE);
    plot_axes(&p, "x1", "x2");
    plot_panel(&p, 510, 36, 330, 270, -14, 2, 0, 240);
    plot_title(&p, "how many rows have which log p");
    draw_bars(&p, logp, 0.05, BLUE);
    draw_bars(&p, logp + HELD, 0.5, ORANGE);
    plot_axes(&p, "log p in nats (the first bar: and below)", "rows");
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    char why[512];

    if (argc != 2) {
        fputs("Usage: anomaly_scores out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    make_rows();
    int failed =
        gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
        gm_options_set_int(ctx, how, "seed", 1) || gm_options_set_int(ctx, how, "steps", 600) ||
        gm_options_set_text(ctx, how, "hidden", "64,64") || gm_fit(ctx, "flow", rows, how, &flow) ||
        gm_model_log_prob_f64(ctx, flow, asked, 2 * HELD, 0, NULL, logp);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        printf("odd rows told from usual ones, 0.5 by guessing: by the distance from the middle "
               "%.3f,\nby the flow's log p %.3f, by the density that made the rows %.3f\n",
               told_apart(middle), told_apart(logp), told_apart(truth));
        failed = draw(argv[1]);
    }
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
