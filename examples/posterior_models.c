/* Four posteriors that statisticians test samplers with (posteriordb: Magnusson et al. 2024), drawn
 * by NUTS. Parameters that are bounded are functions of free ones; each model adds the log of the
 * Jacobian of what it does to them, and gives its gradient by hand.
 * Run it as: posterior_models MODEL [NUMBERS] [DRAWS], MODEL being
 *   eight_schools       effects of coaching at eight schools (Rubin 1981), without NUMBERS
 *   kidiq               test scores of children by their mothers' IQ: n, n scores, n IQs
 *   garch               a series whose variance remembers: the first deviation, the series
 *   low_dim_gauss_mix   a mixture of two normals: the values
 * NUMBERS being a file of numbers apart by blanks, and DRAWS how many a chain (default 2000). */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4, MOST_PARAMETERS = 10, MOST_NUMBERS = 10000 };

typedef struct data {
    int count;
    double value[MOST_NUMBERS];
} data;

typedef struct model {
    const char *name, *parameters; /* as they are reported, apart by blanks */
    int free, count;               /* numbers drawn, and parameters */
    gm_log_density_fn log_density;
    void (*constrain)(const double *x, double *parameter);
} model;

static double share(double x) /* (0, 1) of a free number */
{
    return 1 / (1 + exp(-x));
}

/* ---- Eight schools: theta_j = mu + tau t_j, t ~ N(0, 1) ----------------------------------------
 */

static const double effect[8] = {28, 8, -3, 7, -1, 1, 18, 12};
static const double error[8] = {15, 10, 16, 11, 9, 11, 10, 18};

/* x: t[8], mu, log tau. mu ~ N(0, 5), tau ~ Cauchy+(0, 5). */
static gm_status eight_schools(void *user, const double *x, double *logp, double *grad)
{
    double mu = x[8], tau = exp(x[9]), pull = 0, pull_t = 0;
    int j;

    (void)user;
    *logp = -mu * mu / 50 - log(1 + tau * tau / 25) + x[9];
    for (j = 0; j < 8; j++) {
        double away = (effect[j] - mu - tau * x[j]) / error[j];

        *logp -= 0.5 * (away * away + x[j] * x[j]);
        grad[j] = away / error[j] * tau - x[j];
        pull += away / error[j];
        pull_t += away / error[j] * x[j];
    }
    grad[8] = pull - mu / 25;
    grad[9] = tau * (pull_t - 2 * tau / (25 + tau * tau)) + 1;
    return GM_OK;
}

static void eight_schools_parameters(const double *x, double *p)
{
    int j;

    p[8] = x[8];
    p[9] = exp(x[9]);
    for (j = 0; j < 8; j++)
        p[j] = p[8] + p[9] * x[j];
}

/* ---- Kidiq: score ~ N(beta1 + beta2 iq, sigma), sigma ~ Cauchy+(0, 2.5) ------------------------
 */

/* x: beta1, beta2, log sigma. */
static gm_status kidiq(void *user, const double *x, double *logp, double *grad)
{
    const data *d = user;
    int i, n = (int)d->value[0];
    const double *score = d->value + 1, *iq = score + n;
    double variance = exp(2 * x[2]), squares = 0, sum = 0, sum_iq = 0;

    for (i = 0; i < n; i++) {
        double away = score[i] - x[0] - x[1] * iq[i];

        squares += away * away;
        sum += away;
        sum_iq += away * iq[i];
    }
    *logp = -n * x[2] - 0.5 * squares / variance - log(1 + variance / 6.25) + x[2];
    grad[0] = sum / variance;
    grad[1] = sum_iq / variance;
    grad[2] = -n + squares / variance - 2 * variance / (6.25 + variance) + 1;
    return GM_OK;
}

static void kidiq_parameters(const double *x, double *p)
{
    p[0] = x[0];
    p[1] = x[1];
    p[2] = exp(x[2]);
}

/* ---- Garch: v_t = alpha0 + alpha1 (y_(t-1) - mu)^2 + beta1 v_(t-1) -----------------------------
 */

/* x: mu, log alpha0, logit alpha1, logit of beta1 / (1 - alpha1). Flat priors. */
static void garch_parameters(const double *x, double *p)
{
    p[0] = x[0];
    p[1] = exp(x[1]);
    p[2] = share(x[2]);
    p[3] = (1 - p[2]) * share(x[3]);
}

static gm_status garch(void *user, const double *x, double *logp, double *grad)
{
    const data *d = user;
    double p[4], g[4] = {0}, dv[4] = {0}, w = share(x[3]), v = d->value[0] * d->value[0];
    int t, k;

    garch_parameters(x, p);
    *logp = 0;
    for (t = 1; t < d->count; t++) {
        double away = d->value[t] - p[0], by_v = -0.5 / v + 0.5 * away * away / (v * v);
        const double next[4] = {-2 * p[2] * away, 1, away * away, v}; /* of v in the parameters */

        *logp -= 0.5 * (log(v) + away * away / v);
        g[0] += away / v;
        for (k = 0; k < 4; k++) {
            g[k] += by_v * dv[k];
            dv[k] = next[k] + p[3] * dv[k];
        }
        v = p[1] + p[2] * away * away + p[3] * v;
    }
    *logp += x[1] + log(p[2]) + 2 * log(1 - p[2]) + log(w) + log(1 - w);
    grad[0] = g[0];
    grad[1] = g[1] * p[1] + 1;
    grad[2] = (g[2] - w * g[3]) * p[2] * (1 - p[2]) + 1 - 3 * p[2];
    grad[3] = g[3] * (1 - p[2]) * w * (1 - w) + 1 - 2 * w;
    return GM_OK;
}

/* ---- Mixture: theta N(mu1, sigma1) + (1 - theta) N(mu2, sigma2), mu1 < mu2 ---------------------
 */

/* x: mu1, log(mu2 - mu1), log sigma1, log sigma2, logit theta. mu, sigma ~ N(0, 2), theta ~ Beta(5,
 * 5). */
static void mixture_parameters(const double *x, double *p)
{
    p[0] = x[0];
    p[1] = x[0] + exp(x[1]);
    p[2] = exp(x[2]);
    p[3] = exp(x[3]);
    p[4] = share(x[4]);
}

static gm_status mixture(void *user, const double *x, double *logp, double *grad)
{
    const data *d = user;
    double p[5], mu[2], sigma[2];
    int i, k;

    mixture_parameters(x, p);
    *logp = 5 * (log(p[4]) + log(1 - p[4])) + x[1] + x[2] + x[3];
    grad[4] = 5 * (1 - 2 * p[4]);
    for (k = 0; k < 2; k++) {
        *logp -= (p[k] * p[k] + p[2 + k] * p[2 + k]) / 8;
        mu[k] = -p[k] / 4;
        sigma[k] = 1 - p[2 + k] * p[2 + k] / 4;
    }
    for (i = 0; i < d->count; i++) {
        double z[2], term[2], both;

        for (k = 0; k < 2; k++) {
            z[k] = (d->value[i] - p[k]) / p[2 + k];
            term[k] = log(k ? 1 - p[4] : p[4]) - x[2 + k] - 0.5 * z[k] * z[k];
        }
        both = fmax(term[0], term[1]) + log1p(exp(-fabs(term[0] - term[1])));
        *logp += both;
        for (k = 0; k < 2; k++) {
            double mine = exp(term[k] - both);

            mu[k] += mine * z[k] / p[2 + k];
            sigma[k] += mine * (z[k] * z[k] - 1);
            grad[4] += k ? 0 : mine - p[4];
        }
    }
    grad[0] = mu[0] + mu[1];
    grad[1] = mu[1] * exp(x[1]) + 1;
    grad[2] = sigma[0];
    grad[3] = sigma[1];
    return GM_OK;
}

/* ---- Draws -------------------------------------------------------------------------------------
 */

static const model models[] = {
    {"eight_schools",
     "theta[1] theta[2] theta[3] theta[4] theta[5] theta[6] theta[7] theta[8] mu tau", 10, 10,
     eight_schools, eight_schools_parameters},
    {"kidiq", "beta[1] beta[2] sigma", 3, 3, kidiq, kidiq_parameters},
    {"garch", "mu alpha0 alpha1 beta1", 4, 4, garch, garch_parameters},
    {"low_dim_gauss_mix", "mu[1] mu[2] sigma[1] sigma[2] theta", 5, 5, mixture, mixture_parameters},
};

static int read_numbers(const char *path, data *d)
{
    FILE *file = fopen(path, "r");

    if (!file) {
        perror(path);
        return 1;
    }
    while (d->count < MOST_NUMBERS && fscanf(file, "%lf", &d->value[d->count]) == 1)
        d->count++;
    fclose(file);
    return 0;
}

/* Free numbers to parameters, in place: there are as many of both. */
static void constrain(const model *m, double *x, long rows)
{
    double p[MOST_PARAMETERS];
    long i;

    for (i = 0; i < rows; i++, x += m->count) {
        m->constrain(x, p);
        memcpy(x, p, (size_t)m->count * sizeof *x);
    }
}

static int print_table(gm_context *ctx, const model *m, const double *x, long draws)
{
    char names[256], *name;
    int j = 0;

    printf("%-10s %13s %13s %11s %11s %8s %8s %8s\n", "", "mean", "deviation", "its error",
           "its error", "R-hat", "ess bulk", "ess tail");
    strcpy(names, m->parameters);
    for (name = strtok(names, " "); name; name = strtok(NULL, " "), j++) {
        gm_chains_summary s = {.struct_size = sizeof s};

        if (gm_chains_summarise(ctx, x, CHAINS, draws, m->count, j, &s))
            return 1;
        printf("%-10s %13.8g %13.8g %11.4g %11.4g %8.5f %8.0f %8.0f\n", name, s.mean, s.deviation,
               s.mean_error, s.deviation_error, s.rhat, s.ess_bulk, s.ess_tail);
    }
    return 0;
}

static int draw(gm_context *ctx, const model *m, data *d, long draws)
{
    double *x = malloc((size_t)(CHAINS * draws * m->count) * sizeof *x);
    gm_target target = {sizeof target, d, m->free, m->log_density};
    gm_nuts_result result = {.struct_size = sizeof result, .draws = x};
    gm_options *how = NULL;
    int failed = !x || gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_text(ctx, how, "metric", "dense") ||
                 gm_options_set_real(ctx, how, "target_accept", 0.95) ||
                 gm_nuts(ctx, &target, NULL, how, CHAINS, draws, &result);

    if (!failed) {
        constrain(m, x, CHAINS * draws);
        printf("%s: %d chains of %ld draws, %lld gradients, %lld divergences\n", m->name, CHAINS,
               draws, (long long)result.gradients, (long long)result.divergences);
        failed = print_table(ctx, m, x, draws);
    }
    gm_options_free(how);
    free(x);
    return failed;
}

int main(int argc, char **argv)
{
    static data d;
    const model *m = NULL;
    gm_context *ctx = NULL;
    char why[512];
    size_t i;
    int failed;

    for (i = 0; argc > 1 && i < sizeof models / sizeof *models; i++)
        if (!strcmp(argv[1], models[i].name))
            m = &models[i];
    if (!m || (argc < 3 && m != models)) {
        fprintf(stderr, "Usage: posterior_models MODEL [NUMBERS] [DRAWS]\n");
        return 2;
    }
    if ((m != models && read_numbers(argv[2], &d)) || gm_context_create(NULL, &ctx))
        return 1;
    failed = draw(ctx, m, &d, argc > 3 ? strtol(argv[3], NULL, 10) : 2000);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_context_free(ctx);
    return failed;
}
