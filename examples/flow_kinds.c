/* Which flow? The same rows, two moons, by every structure and map of the family flow: the log
 * density of rows that none has seen, seconds to fit, seconds to draw. Run it as: flow_kinds */
#include <genmod/genmod.h>
#include <stdio.h>
#include <time.h>

#include "toy.h"

enum { ROWS = 3000, HELD = 2000, DRAWN = 20000 };

typedef struct kind {
    const char *structure, *coupling, *what;
} kind;

static const kind kinds[] = {
    {"coupling", "nice", "NICE"},
    {"coupling", "realnvp", "RealNVP"},
    {"coupling", "nsf", "coupling splines"},
    {"autoregressive", "realnvp", "MAF"},
    {"autoregressive", "nsf", "autoregressive splines"},
    {"inverse", "realnvp", "IAF"},
    {"continuous", "nsf", "differential equation"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static double train[2 * ROWS], held[2 * HELD], logp[HELD], drawn[2 * DRAWN];

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static gm_status fit(gm_context *ctx, const gm_dataset *rows, const kind *k, gm_options *how,
                     gm_model **flow)
{
    gm_status status = gm_options_set_text(ctx, how, "structure", k->structure);

    if (!status)
        status = gm_options_set_text(ctx, how, "coupling", k->coupling);
    if (!status)
        status = gm_fit(ctx, "flow", rows, how, flow);
    return status;
}

static gm_status try_kind(gm_context *ctx, const gm_dataset *rows, const kind *k, gm_options *how)
{
    gm_model *flow = NULL;
    double begin = seconds(), fitted, mean = 0;
    gm_status status = fit(ctx, rows, k, how, &flow);
    int i;

    fitted = seconds();
    if (!status)
        status = gm_model_log_prob_f64(ctx, flow, held, HELD, 0, NULL, logp);
    for (i = 0; !status && i < HELD; i++)
        mean += logp[i] / HELD;
    double scored = seconds();
    if (!status)
        status = gm_model_sample_f64(ctx, flow, DRAWN, NULL, how, drawn);
    if (!status)
        printf("%-24s %8.3f nats   fit %5.1f s   20,000 draws %5.2f s\n", k->what, mean,
               fitted - begin, seconds() - scored);
    gm_model_free(flow);
    return status;
}

int main(void)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    char why[512];
    int i;

    if (gm_context_create(NULL, &ctx))
        return 2;
    two_moons(ROWS, 1, train);
    two_moons(HELD, 2, held);
    int failed = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 500) ||
                 gm_options_set_text(ctx, how, "activation", "tanh") ||
                 gm_options_set_text(ctx, how, "hidden", "64,64");
    for (i = 0; !failed && i < KINDS; i++)
        failed = try_kind(ctx, rows, &kinds[i], how);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed != 0;
}
