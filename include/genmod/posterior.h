/* genmod/posterior.h: draws from a density that is known up to a factor, and how far to trust them.
 */
#ifndef GENMOD_POSTERIOR_H
#define GENMOD_POSTERIOR_H

#include "genmod/base.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Targets: a log density with its gradient, as a plain function --------------------------- */

/* The log density at x[dim] into *logp, in nats and up to a constant, and its gradient in x into
 * grad[dim] (NULL: not wanted). Returns 0; a value that is not finite in *logp or grad says that
 * there is no density at x, which is no failure. Anything but 0 ends the call that asked, with that
 * code where it is one of gm_status. */
typedef gm_status (*gm_log_density_fn)(void *user, const double *x, double *logp, double *grad);

/* What to draw from. All of its dim coordinates are real and free: a parameter that is bounded is
 * drawn as a free one by a change of variables, whose log |Jacobian| log_density adds. */
typedef struct gm_target {
    uint32_t struct_size;
    void *user; /* handed to log_density */
    int64_t dim;
    gm_log_density_fn log_density;
} gm_target;

/* A fitted density as such a function, for a prior or a likelihood in a program of the caller's
 * own: gm_density_log_prob(density, x, &logp, grad) may be called from any number of threads at
 * once, and within a callback of this library. Each call works with a context that the handle
 * lends it: it keeps up to 64 of them, made when they are first needed, each with the plans that
 * make the next call fast. */
typedef struct gm_density gm_density;
/* Of a model that answers log_prob_gradient and has only real (and circular) columns, else
 * GM_E_UNSUPPORTED with what stands against it. cond (1, c) are the conditioning columns, NULL
 * where the model has none; opts (may be NULL) those of log_prob. All are copied or counted, and
 * with them the context's allocator. */
GM_API gm_status gm_density_create(gm_context *ctx, const gm_model *model, const gm_array *cond,
                                   const gm_options *opts, gm_density **density);
/* No call may be inside. */
GM_API void gm_density_free(gm_density *density);
/* How many coordinates; 0 for NULL. */
GM_API int64_t gm_density_dim(const gm_density *density);
/* log p at x[dim] into *logp and its gradient into grad[dim] (may be NULL): a gm_log_density_fn,
 * density being its user. Minus infinity and zeros outside the support, and where x is not finite.
 * Codes as gm_model_log_prob_gradient. Any thread may. */
GM_API gm_status gm_density_log_prob(void *density, const double *x, double *logp, double *grad);

/* ---- NUTS: draw from a target by its gradient ------------------------------------------------ */

/* What a run gives. Arrays are memory of the caller's; each but draws may be NULL. A failed run
 * leaves them as they were. */
typedef struct gm_nuts_result {
    uint32_t struct_size;
    double *draws;       /* (chains, draws, dim) */
    double *logp;        /* (chains, draws): log density of each */
    double *step_size;   /* (chains): as adapted */
    double *metric;      /* (chains, dim): variances that the adapted metric has on its diagonal */
    int64_t divergences; /* draws whose path left the level of its energy by more than 1000: the
                            step does not resolve the density there, and draws may be biased */
    int64_t depth_hits;  /* draws whose tree was cut at max_depth */
    int64_t gradients;   /* calls of log_density in all, warm-up included */
    double accept;       /* mean acceptance of the paths' points: near target_accept */
} gm_nuts_result;

/* Draws from a target by the no-U-turn sampler: Hoffman and Gelman 2014, points of a path chosen by
 * their weights and turns seen by the sum of momenta as in Betancourt 2017; step size by dual
 * averaging, metric by windows of the warm-up. Options: genmod-nuts(7); a seed is required. start
 * (chains, dim) are where chains begin, NULL: drawn uniformly in +-start_radius.
 *
 * Chains run in turn on the calling thread; with the option "parallel" side by side on the
 * context's threads, from which log_density is then called at once. The bits are the same.
 * GM_E_NONFINITE where start holds a number that is not finite (the text says which), no start has
 * a finite density, or no step size is small enough; GM_E_SHAPE
 * for sizes that make no run; GM_E_SEED, GM_E_MEMORY; GM_E_CANCELLED within a call of log_density
 * of the token. */
GM_API gm_status gm_nuts(gm_context *ctx, const gm_target *target, const double *start,
                         const gm_options *opts, int64_t chains, int64_t draws,
                         gm_nuts_result *result);

/* ---- Chains: how far draws may be trusted ---------------------------------------------------- */

/* What chains of draws say of one quantity: Vehtari et al. 2021. */
typedef struct gm_chains_summary {
    uint32_t struct_size;
    double mean, deviation;
    double mean_error; /* Monte Carlo standard errors of both */
    double deviation_error;
    double low, median, high; /* quantiles 0.05, 0.5 and 0.95 */
    double rhat;     /* rank-normalised and split, the greater of bulk and folded: 1 where chains
                        agree, above 1.01 they have not mixed */
    double ess_bulk; /* effective numbers of draws in the bulk, and at the quantiles of the tails */
    double ess_tail;
} gm_chains_summary;
/* Of draws[(chain * draws + i) * dim + j]: coordinate j of draws (chains, draws, dim), at least
 * four draws a chain. Of a constant quantity rhat is NaN and ess the number of draws. GM_E_DATA for
 * a value that is not finite. summary->struct_size must be set. */
GM_API gm_status gm_chains_summarise(gm_context *ctx, const double *x, int64_t chains,
                                     int64_t draws, int64_t dim, int64_t j,
                                     gm_chains_summary *summary);

#ifdef __cplusplus
}
#endif
#endif
