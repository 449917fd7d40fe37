/* The shortest way: gm_fit, in one call. Waiting times at a bus stop, most of them short and some
 * of a whole round; bars are the rows, the line of * is the density that a flow has learned from
 * them. Run it as: fit */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 4000, BINS = 30, TALL = 16 };

static double minutes[ROWS], middle[BINS], logp[BINS];

/* Two in three buses come when they should: in 3 minutes; the others take 12. */
static void wait(void)
{
    uint64_t state = 1;
    int i;

    for (i = 0; i < ROWS; i++)
        minutes[i] = 3 * uniform(&state) < 2 ? 3 + 0.8 * normal(&state) : 12 + 1.5 * normal(&state);
    for (i = 0; i < BINS; i++)
        middle[i] = (i + 0.5) * 18 / BINS;
}

/* Rows of text from the top; the tallest bar is as high as the picture. */
static double draw(void)
{
    double share[BINS] = {0}, most = 0, apart = 0;
    int i, line;

    for (i = 0; i < ROWS; i++)
        if (minutes[i] >= 0 && minutes[i] < 18)
            share[(int)(minutes[i] / 18 * BINS)] += (double)BINS / 18 / ROWS;
    for (i = 0; i < BINS; i++)
        most = fmax(most, share[i]);
    for (line = TALL; line > 0; line--) {
        for (i = 0; i < BINS; i++) {
            int star = (int)(exp(logp[i]) / most * TALL + 0.5) == line;
            int bar = share[i] / most * TALL >= line - 0.5;
            printf("%c%c", star ? '*' : bar ? '#' : ' ', bar ? '#' : ' ');
        }
        printf("\n");
    }
    printf("|-----------+-----------+-----------+-----------+-----------|\n"
           "0          3.6         7.2        10.8        14.4          18 minutes\n");
    for (i = 0; i < BINS; i++)
        apart += fabs(exp(logp[i]) - share[i]) * 18 / BINS / 2;
    return apart;
}

int main(void)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    char why[512];

    if (gm_context_create(NULL, &ctx))
        return 2;
    wait();
    int failed = gm_dataset_from_f64(ctx, minutes, ROWS, 1, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 4000) ||
                 gm_fit(ctx, "flow", rows, how, &flow) ||
                 gm_model_log_prob_f64(ctx, flow, middle, BINS, 0, NULL, logp);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed)
        printf("%.1f in 100 of the probability is elsewhere than the rows\n", 100 * draw());
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
