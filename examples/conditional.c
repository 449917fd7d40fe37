/* What y may be given x, as a whole density: a conditional flow. Here y has one of two values for
 * each x, and is the surer the larger x is; a regression would give the middle between them, where
 * y never is. Each row weighs what it is worth: a quarter of the rows are mistakes, which the
 * source knows and marks with weight 0.01. Run it as: conditional out.svg */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 4000, TEST = 2000, DRAWN = 3000, ASKED = 3, COLUMNS = 3 };

static double train[ROWS * COLUMNS], test_x[TEST], test_y[TEST], logp[TEST];
static double drawn[ASKED][DRAWN], points[2 * ROWS], made[2 * DRAWN];
static const double asked[ASKED] = {-2, 0, 2};

/* p(y | x): the upper branch with a share of 0.7, the lower with 0.3. */
static double middle(double x, int upper)
{
    return upper ? 1.5 + 0.3 * x : -1 - 0.4 * x;
}

static double spread(double x)
{
    return 0.35 - 0.08 * x;
}

static double draw_y(double x, uint64_t *state)
{
    int upper = uniform(state) < 0.7;

    return middle(x, upper) + spread(x) * normal(state);
}

static double true_log_density(double x, double y)
{
    const double root_two_pi = 2.5066282746310005;
    double u = (y - middle(x, 1)) / spread(x), v = (y - middle(x, 0)) / spread(x);

    return log((0.7 * exp(-0.5 * u * u) + 0.3 * exp(-0.5 * v * v)) / (spread(x) * root_two_pi));
}

static void make_data(void)
{
    uint64_t state = 3;
    int i;

    for (i = 0; i < ROWS; i++) {
        double *row = train + COLUMNS * i;
        int mistake = uniform(&state) < 0.25;
        row[0] = 6 * uniform(&state) - 3;
        row[1] = mistake ? 6 * uniform(&state) - 3 : draw_y(row[0], &state);
        row[2] = mistake ? 0.01 : 1;
        points[2 * i] = row[0];
        points[2 * i + 1] = row[1];
    }
    for (i = 0; i < TEST; i++) {
        test_x[i] = 6 * uniform(&state) - 3;
        test_y[i] = draw_y(test_x[i], &state);
    }
}

/* The columns get their roles: x is given, the last one weighs. */
static gm_status read_rows(gm_context *ctx, gm_dataset **rows)
{
    gm_dataset *plain = NULL, *given = NULL;
    gm_status status = gm_dataset_from_f64(ctx, train, ROWS, COLUMNS, 0, &plain);

    if (!status)
        status = gm_dataset_with_role(ctx, plain, 0, GM_ROLE_CONDITION, &given);
    if (!status)
        status = gm_dataset_with_role(ctx, given, 2, GM_ROLE_WEIGHT, rows);
    gm_dataset_free(plain);
    gm_dataset_free(given);
    return status;
}

static gm_status ask(gm_context *ctx, const gm_model *flow, const gm_options *how)
{
    gm_array x, y;
    gm_status status;
    int k;

    gm_array_init(&x, GM_F64, test_x, TEST, 1);
    gm_array_init(&y, GM_F64, test_y, TEST, 1);
    status = gm_model_log_prob(ctx, flow, &y, &x, how, logp, NULL);
    for (k = 0; !status && k < ASKED; k++) { /* one row given for all that are drawn */
        double one = asked[k];
        gm_array_init(&x, GM_F64, &one, 1, 1);
        status = gm_model_sample_f64(ctx, flow, DRAWN, &x, how, drawn[k]);
    }
    return status;
}

static void report(void)
{
    double mean = 0, truth = 0;
    int i, k;

    for (i = 0; i < TEST; i++) {
        mean += logp[i] / TEST;
        truth += true_log_density(test_x[i], test_y[i]) / TEST;
    }
    printf("unseen rows: log p(y | x) is %.3f nats in the mean, of the truth %.3f\n", mean, truth);
    for (k = 0; k < ASKED; k++) {
        double cut = 0.5 * (middle(asked[k], 0) + middle(asked[k], 1)), share = 0, sum = 0;
        for (i = 0; i < DRAWN; i++)
            if (drawn[k][i] > cut) {
                share += 1.0 / DRAWN;
                sum += drawn[k][i];
            }
        printf(
            "x = %4.1f: above with probability %.2f (truth 0.70), there %.2f in the mean (%.2f)\n",
            asked[k], share, sum / (share * DRAWN), middle(asked[k], 1));
    }
}

static int draw(const char *path)
{
    plot p;
    int i, k;

    if (plot_begin(&p, path, 620, 280))
        return 1;
    plot_panel(&p, 55, 34, 245, 196, -3.2, 3.2, -3.4, 3.4);
    plot_title(&p, "rows, a quarter mistaken");
    plot_points(&p, ROWS, points, 0.8, GREY);
    plot_axes(&p, "x", "y");
    plot_panel(&p, 345, 34, 245, 196, -3.2, 3.2, -3.4, 3.4);
    plot_title(&p, "y drawn at three x");
    for (k = 0; k < ASKED; k++) {
        for (i = 0; i < DRAWN; i++) {
            made[2 * i] = asked[k] + 0.5 * ((double)i / DRAWN - 0.5);
            made[2 * i + 1] = drawn[k][i];
        }
        plot_points(&p, DRAWN, made, 0.8, BLUE);
    }
    plot_axes(&p, "x", "");
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
        fputs("Usage: conditional out.svg\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    make_data();
    int failed = read_rows(ctx, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 1500) ||
                 gm_options_set_int(ctx, how, "layers", 3) ||
                 gm_options_set_text(ctx, how, "hidden", "32,32") ||
                 gm_fit(ctx, "flow", rows, how, &flow) || ask(ctx, flow, how);
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
