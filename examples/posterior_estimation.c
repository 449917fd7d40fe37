/* Neural posterior estimation (Papamakarios and Murray 2016): a flow of parameters given what was
 * observed, learned from simulations alone. The simulator is two_moons of Lueckmann et al. 2021,
 * whose posterior is known: two crescents, here drawn exactly beside the flow's. Run it as:
 *   posterior_estimation DRAWS.csv [X1 X2 [STEPS]] */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "toy.h"

enum { SIMULATIONS = 10000, DRAWS = 10000, COLUMNS = 4 };

/* A point of a half circle of radius 0.1, blurred, to the right of 0.25. */
static void crescent(uint64_t *state, double *p)
{
    double angle = PI * (uniform(state) - 0.5), radius = 0.1 + 0.01 * normal(state);

    p[0] = radius * cos(angle) + 0.25;
    p[1] = radius * sin(angle);
}

static void simulate(uint64_t *state, const double *theta, double *x)
{
    crescent(state, x);
    x[0] -= fabs(theta[0] + theta[1]) / sqrt(2);
    x[1] += (theta[1] - theta[0]) / sqrt(2);
}

static int in_prior(const double *theta)
{
    return fabs(theta[0]) < 1 && fabs(theta[1]) < 1;
}

/* Prior times likelihood, solved for theta: |theta1 + theta2| and theta2 - theta1 follow from the
 * crescent's point, and both signs are as probable. */
static void draw_exact(const double *observed, double *theta)
{
    uint64_t state = 7;
    int i;

    for (i = 0; i < DRAWS;) {
        double p[2], sum, difference, *to = theta + 2 * i;

        crescent(&state, p);
        sum = sqrt(2) * (p[0] - observed[0]);
        difference = sqrt(2) * (observed[1] - p[1]);
        if (sum < 0)
            continue;
        sum = uniform(&state) < 0.5 ? sum : -sum;
        to[0] = (sum - difference) / 2;
        to[1] = (sum + difference) / 2;
        i += in_prior(to);
    }
}

/* Rows of theta and x, of which x is given. */
static gm_status make_rows(gm_context *ctx, gm_dataset **rows)
{
    static double cell[COLUMNS * SIMULATIONS];
    gm_dataset *plain = NULL, *half = NULL;
    uint64_t state = 1;
    gm_status status;
    int i;

    for (i = 0; i < SIMULATIONS; i++) {
        double *row = cell + COLUMNS * i;

        row[0] = 2 * uniform(&state) - 1;
        row[1] = 2 * uniform(&state) - 1;
        simulate(&state, row, row + 2);
    }
    status = gm_dataset_from_f64(ctx, cell, SIMULATIONS, COLUMNS, 0, &plain);
    if (!status)
        status = gm_dataset_with_role(ctx, plain, 2, GM_ROLE_CONDITION, &half);
    if (!status)
        status = gm_dataset_with_role(ctx, half, 3, GM_ROLE_CONDITION, rows);
    gm_dataset_free(half);
    gm_dataset_free(plain);
    return status;
}

static int learn(gm_context *ctx, int64_t steps, gm_model **flow)
{
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    int failed =
        make_rows(ctx, &rows) || gm_options_create(ctx, &how) ||
        gm_options_set_int(ctx, how, "seed", 1) || gm_options_set_int(ctx, how, "steps", steps) ||
        gm_options_set_int(ctx, how, "layers", 6) ||
        gm_options_set_text(ctx, how, "hidden", "64,64") ||
        gm_options_set_text(ctx, how, "structure", "autoregressive") ||
        gm_options_set_int(ctx, how, "patience", 0) || gm_fit(ctx, "flow", rows, how, flow);

    gm_options_free(how);
    gm_dataset_free(rows);
    return failed;
}

/* Draws given one observation; those outside of the prior's square are drawn again. */
static int draw(gm_context *ctx, const gm_model *flow, double *observed, double *theta)
{
    static double some[2 * DRAWS];
    gm_array given, to;
    int64_t seed, kept = 0, i;
    int failed = 0;

    gm_array_init(&given, GM_F64, observed, 1, 2);
    gm_array_init(&to, GM_F64, some, DRAWS, 2);
    for (seed = 0; kept < DRAWS && seed < 100 && !failed; seed++) {
        gm_options *how = NULL;

        failed = gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", seed) ||
                 gm_model_sample(ctx, flow, DRAWS, &given, how, &to, NULL);
        gm_options_free(how);
        for (i = 0; i < DRAWS && kept < DRAWS && !failed; i++)
            if (in_prior(some + 2 * i)) {
                theta[2 * kept] = some[2 * i];
                theta[2 * kept++ + 1] = some[2 * i + 1];
            }
    }
    return failed || kept < DRAWS;
}

/* |theta1 + theta2| and theta2 - theta1: mean, deviation; and the share of the upper crescent. */
static void tell(const char *what, const double *theta)
{
    double sum[2] = {0}, squares[2] = {0}, upper = 0;
    int i, k;

    for (i = 0; i < DRAWS; i++) {
        double v[2] = {fabs(theta[2 * i] + theta[2 * i + 1]), theta[2 * i + 1] - theta[2 * i]};

        upper += (theta[2 * i] + theta[2 * i + 1] > 0) / (double)DRAWS;
        for (k = 0; k < 2; k++) {
            sum[k] += v[k] / DRAWS;
            squares[k] += v[k] * v[k] / DRAWS;
        }
    }
    printf("%-6s |sum| %.4f +- %.4f, difference %.4f +- %.4f, share above %.3f\n", what, sum[0],
           sqrt(squares[0] - sum[0] * sum[0]), sum[1], sqrt(squares[1] - sum[1] * sum[1]), upper);
}

static int save(gm_context *ctx, const double *theta, const char *path)
{
    gm_dataset *rows = NULL;
    int failed =
        gm_dataset_from_f64(ctx, theta, DRAWS, 2, 0, &rows) || gm_dataset_save(ctx, rows, path);

    gm_dataset_free(rows);
    return failed;
}

int main(int argc, char **argv)
{
    static double theta[2 * DRAWS], exact[2 * DRAWS];
    double observed[2] = {0, 0};
    gm_context *ctx = NULL;
    gm_model *flow = NULL;
    char why[512];
    int failed;

    if (argc < 2 || argc == 3 || gm_context_create(NULL, &ctx)) {
        fprintf(stderr, "Usage: posterior_estimation DRAWS.csv [X1 X2 [STEPS]]\n");
        return 2;
    }
    if (argc > 3) {
        observed[0] = strtod(argv[2], NULL);
        observed[1] = strtod(argv[3], NULL);
    }
    failed = learn(ctx, argc > 4 ? strtol(argv[4], NULL, 10) : 1500, &flow) ||
             draw(ctx, flow, observed, theta) || save(ctx, theta, argv[1]);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        draw_exact(observed, exact);
        tell("exact", exact);
        tell("flow", theta);
    }
    gm_model_free(flow);
    gm_context_free(ctx);
    return failed;
}
