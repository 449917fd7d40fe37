/* A fitted density as a prior. What was found in 3,000 earlier studies, an effect and its strength,
 * is learned by a flow; one new study measured both with noise, and NUTS draws from prior times
 * likelihood. The earlier values come from a normal distribution here, so that the answer is known:
 * beside the draws stands the posterior of conjugate normals, by closed form. Run it as:
 * density_prior */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "toy.h"

enum { STUDIES = 3000, CHAINS = 4, DRAWS = 1000 };

/* The prior: mean, and covariance by its inverse below. */
static const double prior_mean[2] = {1, 3}, prior_variance[2] = {0.5, 1}, prior_covariance = 0.5;
/* What was measured, and the variances of its noise. */
static const double measured[2] = {2.5, 2}, noise[2] = {0.5, 1};

/* log prior + log likelihood, and its gradient. NUTS may call it from any thread: so may the
 * density be called. */
static gm_status posterior(void *user, const double *x, double *logp, double *grad)
{
    gm_status status = gm_density_log_prob(user, x, logp, grad);
    int j;

    for (j = 0; j < 2 && !status; j++) {
        double away = measured[j] - x[j];

        *logp -= 0.5 * away * away / noise[j];
        grad[j] += away / noise[j];
    }
    return status;
}

static int learn_prior(gm_context *ctx, gm_density **prior)
{
    static double earlier[2 * STUDIES];
    const double b = prior_covariance / sqrt(prior_variance[0]);
    const double rest = sqrt(prior_variance[1] - b * b);
    uint64_t state = 1;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    int i;

    for (i = 0; i < STUDIES; i++) {
        double u = normal(&state), v = normal(&state);

        earlier[2 * i] = prior_mean[0] + sqrt(prior_variance[0]) * u;
        earlier[2 * i + 1] = prior_mean[1] + b * u + rest * v;
    }
    int failed =
        gm_dataset_from_f64(ctx, earlier, STUDIES, 2, 0, &rows) || gm_options_create(ctx, &how) ||
        gm_options_set_int(ctx, how, "seed", 1) || gm_options_set_int(ctx, how, "steps", 800) ||
        gm_options_set_int(ctx, how, "layers", 2) ||
        gm_options_set_text(ctx, how, "hidden", "32") ||
        gm_options_set_text(ctx, how, "coupling", "realnvp") ||
        gm_fit(ctx, "flow", rows, how, &flow) || gm_density_create(ctx, flow, NULL, NULL, prior);
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    return failed;
}

/* Precisions add up, and so do means weighted by them. */
static void closed_form(double *mean, double *deviation)
{
    double det = prior_variance[0] * prior_variance[1] - prior_covariance * prior_covariance;
    double a = prior_variance[1] / det, b = -prior_covariance / det, c = prior_variance[0] / det;
    double right0 = a * prior_mean[0] + b * prior_mean[1] + measured[0] / noise[0];
    double right1 = b * prior_mean[0] + c * prior_mean[1] + measured[1] / noise[1];

    a += 1 / noise[0];
    c += 1 / noise[1];
    det = a * c - b * b;
    mean[0] = (c * right0 - b * right1) / det;
    mean[1] = (a * right1 - b * right0) / det;
    deviation[0] = sqrt(c / det);
    deviation[1] = sqrt(a / det);
}

static int draw(gm_context *ctx, gm_density *prior)
{
    static double x[CHAINS * DRAWS * 2];
    gm_target target = {sizeof target, prior, gm_density_dim(prior), posterior};
    gm_nuts_result result = {.struct_size = sizeof result, .draws = x};
    gm_options *how = NULL;
    double mean[2], deviation[2];
    int j, failed;

    failed = gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 2) ||
             gm_options_set_int(ctx, how, "warmup", 500) ||
             gm_options_set_text(ctx, how, "parallel", "true") ||
             gm_nuts(ctx, &target, NULL, how, CHAINS, DRAWS, &result);
    gm_options_free(how);
    closed_form(mean, deviation);
    for (j = 0; j < 2 && !failed; j++) {
        gm_chains_summary s = {.struct_size = sizeof s};

        failed = gm_chains_summarise(ctx, x, CHAINS, DRAWS, 2, j, &s) != GM_OK;
        printf("%s: mean %.3f by NUTS, %.3f by closed form; deviation %.3f and %.3f; R-hat %.4f\n",
               j ? "strength" : "effect", s.mean, mean[j], s.deviation, deviation[j], s.rhat);
    }
    return failed;
}

int main(void)
{
    gm_pool *pool = gm_pool_create(NULL, 2);
    gm_context_config hooks = {.struct_size = sizeof hooks, .pool = pool};
    gm_context *ctx = NULL;
    gm_density *prior = NULL;
    char why[512];

    if (!pool || gm_context_create(&hooks, &ctx))
        return 1;
    int failed = learn_prior(ctx, &prior) || draw(ctx, prior);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_density_free(prior);
    gm_context_free(ctx);
    gm_pool_free(pool);
    return failed;
}
