/* What a flow does: encode bends the data until it is one round normal heap, decode bends it back,
 * and log p(x) = log N(code) + log |det d code / d x|. Here that is put together by hand, the
 * determinant by differences, and compared with gm_model_log_prob. Run it as: flow_codes out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 2000, ASKED = 400 };
#define STEP 1e-5

static double train[2 * ROWS], code[2 * ROWS], again[2 * ROWS], logp[ASKED];
static double aside[4][2 * ASKED], aside_code[4][2 * ASKED]; /* x1 + h, x1 - h, x2 + h, x2 - h */

static gm_status ask(gm_context *ctx, const gm_model *flow)
{
    gm_array x, z, y;
    gm_status status;
    int k, i;

    gm_array_init(&x, GM_F64, train, ROWS, 2);
    gm_array_init(&z, GM_F64, code, ROWS, 2);
    gm_array_init(&y, GM_F64, again, ROWS, 2);
    status = gm_model_encode(ctx, flow, &x, NULL, NULL, &z);
    if (!status)
        status = gm_model_decode(ctx, flow, &z, NULL, NULL, &y);
    if (!status)
        status = gm_model_log_prob_f64(ctx, flow, train, ASKED, 0, NULL, logp);
    for (k = 0; !status && k < 4; k++) {
        for (i = 0; i < 2 * ASKED; i++)
            aside[k][i] = train[i] + (i % 2 == k / 2 ? k % 2 ? -STEP : STEP : 0);
        gm_array_init(&x, GM_F64, aside[k], ASKED, 2);
        gm_array_init(&z, GM_F64, aside_code[k], ASKED, 2);
        status = gm_model_encode(ctx, flow, &x, NULL, NULL, &z);
    }
    return status;
}

/* Row i's log p by the change of variables; j holds d code / d x, column by column. */
static double by_hand(int i)
{
    double j[4], z0 = code[2 * i], z1 = code[2 * i + 1];
    int k;

    for (k = 0; k < 4; k++)
        j[k] = (aside_code[k / 2 * 2][2 * i + k % 2] - aside_code[k / 2 * 2 + 1][2 * i + k % 2]) /
               (2 * STEP);
    return -(z0 * z0 + z1 * z1) / 2 - log(2 * PI) + log(fabs(j[0] * j[3] - j[1] * j[2]));
}

static void report(void)
{
    double square = 0, back = 0, apart = 0;
    int i;

    for (i = 0; i < 2 * ROWS; i++) {
        square += code[i] * code[i] / (2 * ROWS);
        back = fmax(back, fabs(again[i] - train[i]));
    }
    for (i = 0; i < ASKED; i++)
        apart = fmax(apart, fabs(by_hand(i) - logp[i]));
    printf("codes: mean square %.3f (a normal has 1); decoded, rows are off by %.1e at most\n",
           square, back);
    printf("log p by hand and by the library differ by %.1e at most\n", apart);
}

static void draw_half(const plot *p, const double *x)
{
    double moon[2][ROWS];
    int64_t i;

    for (i = 0; i < ROWS; i++) {
        moon[i % 2][i / 2 * 2] = x[2 * i];
        moon[i % 2][i / 2 * 2 + 1] = x[2 * i + 1];
    }
    plot_points(p, ROWS / 2, moon[0], 1.1, BLUE);
    plot_points(p, ROWS / 2, moon[1], 1.1, ORANGE);
}

static int draw(const char *path)
{
    plot p;

    if (plot_begin(&p, path, 800, 380))
        return 1;
    plot_panel(&p, 60, 34, 300, 300, -2, 2, -2, 2);
    plot_title(&p, "rows x");
    draw_half(&p, train);
    plot_axes(&p, "x1", "x2");
    plot_panel(&p, 470, 34, 300, 300, -4, 4, -4, 4);
    plot_title(&p, "codes z = encode(x)");
    draw_half(&p, code);
    plot_axes(&p, "z1", "z2");
    fprintf(p.file, "<path stroke=\"#555\" d=\"M374 184h40m-8 -5l8 5l-8 5\"/>\n");
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
        fputs("Usage: flow_codes out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, train);
    int failed = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 800) ||
                 gm_options_set_text(ctx, how, "hidden", "64,64") ||
                 gm_options_set_text(ctx, how, "activation", "silu") ||
                 gm_options_set_text(ctx, how, "precision", "f64") ||
                 gm_fit(ctx, "flow", rows, how, &flow) || ask(ctx, flow);
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
