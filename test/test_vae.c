/* Variational autoencoders against closed forms: probabilistic PCA, linear-Gaussian models, sums
 * over all values of discrete columns. */
#include "family_cases.h"
#include "kernels/linalg.h"

#define LOG_TWO_PI 1.83787706640934548356

/* ---- Probabilistic PCA ----------------------------------------------------------------------- */

typedef struct pca {
    int64_t d, k, n;
    double variance, log_likelihood; /* of the maximum, in nats a row */
    double axes[8 * 32];             /* (k, d): the principal axes */
} pca;

/* Rows of x = W z + mean + deviation * noise. */
static double *ppca_rows(const pca *p, double deviation, uint64_t seed)
{
    double *x = malloc((size_t)(p->n * p->d) * sizeof *x), w[8 * 32];
    uint64_t state = seed;
    for (int64_t i = 0; i < p->k * p->d; i++)
        w[i] = case_normal(&state);
    for (int64_t i = 0; i < p->n; i++) {
        double z[8];
        for (int64_t k = 0; k < p->k; k++)
            z[k] = case_normal(&state) * (1 + 0.5 * (double)k);
        for (int64_t j = 0; j < p->d; j++) {
            x[i * p->d + j] = 0.1 * (double)j + deviation * case_normal(&state);
            for (int64_t k = 0; k < p->k; k++)
                x[i * p->d + j] += z[k] * w[k * p->d + j];
        }
    }
    return x;
}

/* Tipping and Bishop 1999, eq. 4, 7 and 8: the noise's variance is the mean of the eigenvalues left
 * out, and log L = -n/2 (d log 2 pi + log |C| + d). */
static void ppca(const double *x, pca *p)
{
    int64_t d = p->d;
    double mean[32] = {0}, cov[32 * 32] = {0}, values[32], vectors[32 * 32], log_det = 0;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < d; j++)
            mean[j] += x[i * d + j] / (double)p->n;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k < d; k++)
                cov[j * d + k] +=
                    (x[i * d + j] - mean[j]) * (x[i * d + k] - mean[k]) / (double)p->n;
    ck_assert_int_eq(gm__eigen_symmetric(cov, d, values, vectors), 0);
    p->variance = 0;
    for (int64_t j = 0; j < d - p->k; j++)
        p->variance += values[j] / (double)(d - p->k);
    for (int64_t j = 0; j < d; j++)
        log_det += log(j < d - p->k ? p->variance : values[j]);
    p->log_likelihood = -0.5 * ((double)d * (LOG_TWO_PI + 1) + log_det);
    memcpy(p->axes, vectors + (d - p->k) * d, (size_t)(p->k * d) * sizeof *vectors);
}

/* The greatest angle, in degrees, between the spans of rows w (k, d) and of the principal axes. */
static double angle_between(const pca *p, double *w)
{
    double overlap[8 * 8], s[8], vt[8 * 8];
    int64_t k = p->k, d = p->d;
    for (int64_t i = 0; i < k; i++) { /* Gram and Schmidt, twice */
        for (int64_t turn = 0; turn < 2; turn++)
            for (int64_t j = 0; j < i; j++) {
                double dot = 0;
                for (int64_t c = 0; c < d; c++)
                    dot += w[i * d + c] * w[j * d + c];
                for (int64_t c = 0; c < d; c++)
                    w[i * d + c] -= dot * w[j * d + c];
            }
        double length = 0;
        for (int64_t c = 0; c < d; c++)
            length += w[i * d + c] * w[i * d + c];
        for (int64_t c = 0; c < d; c++)
            w[i * d + c] /= sqrt(length);
    }
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            overlap[i * k + j] = 0;
            for (int64_t c = 0; c < d; c++)
                overlap[i * k + j] += w[i * d + c] * p->axes[j * d + c];
        }
    ck_assert_int_eq(gm__svd(overlap, k, k, s, vt), 0);
    return acos(fmin(s[k - 1], 1)) * 180 / 3.14159265358979;
}

START_TEST(linear_is_probabilistic_pca)
{
    static double logp[2000], w[8 * 32];
    static const struct {
        pca p;
        double deviation;
        const char *optimizer, *settings[16];
    } cases[] = {
        {{.d = 10, .k = 3, .n = 2000},
         0.7,
         "adam lr=0.03",
         {"seed=4", "code=3", "hidden=", "spread=shared", "transform=none", "precision=f64",
          "batch=2000", "steps=2000", "valid=0", "average=0", "clip=0", "draws=20", NULL}},
        {{.d = 20, .k = 5, .n = 2000},
         0.4,
         "adam lr=0.03",
         {"seed=5", "code=5", "hidden=", "spread=shared", "transform=none", "batch=500",
          "steps=20000", "valid=0", "draws=20", NULL}},
    };
    pca p = cases[_i].p;
    double *x = ppca_rows(&p, cases[_i].deviation, 30 + (uint64_t)_i), bound = 0, r;
    case_setup c;
    ppca(x, &p);
    case_begin(&c, x, p.n, p.d, cases[_i].optimizer, cases[_i].settings);
    gm_model *model = case_fit_now(&c, "vae");
    test_ok(c.ctx, gm_model_log_prob_rows(c.ctx, model, c.train, NULL, c.options, logp));
    for (int64_t i = 0; i < p.n; i++)
        bound += logp[i] / (double)p.n;
    case_param(model, "observation.weight", p.k * p.d, w);
    case_param(model, "observation.log_deviation", 1, &r);
    double variance = (1e-3 + exp(r)) * (1e-3 + exp(r)), degrees = angle_between(&p, w);
    double gap = p.log_likelihood - bound;
    if (getenv("TEST_FIGURES"))
        fprintf(stderr, "gap %g nats, variance %+.3f %%, angle %g degrees\n", gap,
                100 * (variance / p.variance - 1), degrees);
    ck_assert_msg(gap > -0.002 && gap < 0.01 * (double)p.d, "the bound is %g, the maximum %g",
                  bound, p.log_likelihood);
    ck_assert_msg(fabs(variance / p.variance - 1) < 0.01, "variance %g, not %g", variance,
                  p.variance);
    ck_assert_msg(degrees < 1, "the subspace is %g degrees off", degrees);
    free(x);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* ---- Bound and estimate where the truth is known --------------------------------------------- */

/* x = b + W^T z + s e, the rows of W (K, D) orthogonal, so that the posterior of z has a diagonal
 * covariance: variance[k] = 1 / (1 + |w_k|^2 / s^2). */
#define D 6
#define K 3
typedef struct linear {
    double w[K][D], b[D], s, variance[K];
} linear;

static linear linear_model(void)
{
    linear l = {.w = {{1.5, 0, 0.5, 0, 0, 0}, {0, -1, 0, 0.5, 0, 0}, {0, 0, 0, 0, 0.8, -0.4}},
                .b = {0.5, -1, 0, 2, 0, 0.25},
                .s = 0.6};
    for (int k = 0; k < K; k++) {
        double length = 0;
        for (int j = 0; j < D; j++)
            length += l.w[k][j] * l.w[k][j];
        l.variance[k] = 1 / (1 + length / (l.s * l.s));
    }
    return l;
}

/* log N(x; b, W^T W + s^2 I): of each direction w_k the variance is |w_k|^2 + s^2, of the rest s^2.
 */
static double log_marginal(const linear *l, const double *x)
{
    double square = 0, log_det = 2 * (D - K) * log(l->s), sum;
    for (int j = 0; j < D; j++)
        square += (x[j] - l->b[j]) * (x[j] - l->b[j]) / (l->s * l->s);
    for (int k = 0; k < K; k++) {
        double length = (1 / l->variance[k] - 1) * l->s * l->s, dot = 0;
        for (int j = 0; j < D; j++)
            dot += l->w[k][j] * (x[j] - l->b[j]);
        square -= dot * dot / length * (1 / (l->s * l->s) - 1 / (length + l->s * l->s));
        log_det += log(length + l->s * l->s);
    }
    sum = -0.5 * (D * LOG_TWO_PI + log_det + square);
    return sum;
}

static void set_param(gm_model *model, const char *name, int64_t n, const double *values)
{
    const gm__slot *slot = gm__layout_find(&model->structure->layout, name);
    ck_assert(slot && slot->count == n && model->structure->real == GM__F64);
    memcpy((double *)model->params + slot->offset, values, (size_t)n * sizeof *values);
}

/* A linear VAE with the decoder of l, and the encoder that is right but for a shift, in deviations
 * of the posterior, and a factor on its variance. */
static gm_model *detuned(case_setup *c, const linear *l, double shift, double factor)
{
    gm_model *model = case_fit_now(c, "vae");
    double weight[D][2 * K] = {{0}}, bias[2 * K] = {0}, r = log(l->s - 1e-3);
    for (int k = 0; k < K; k++) {
        bias[k] = shift * sqrt(l->variance[k]);
        bias[K + k] = log(factor * l->variance[k]);
        for (int j = 0; j < D; j++) {
            weight[j][k] = l->variance[k] * l->w[k][j] / (l->s * l->s);
            bias[k] -= weight[j][k] * l->b[j];
        }
    }
    set_param(model, "posterior.weight", (int64_t)D * 2 * K, weight[0]);
    set_param(model, "posterior.bias", 2 * (int64_t)K, bias);
    set_param(model, "observation.weight", (int64_t)K * D, l->w[0]);
    set_param(model, "observation.bias", D, l->b);
    set_param(model, "observation.log_deviation", 1, &r);
    return model;
}

#define LINEAR_ROWS 200
static void linear_rows(const linear *l, double *x)
{
    uint64_t state = 77;
    for (int i = 0; i < LINEAR_ROWS; i++) {
        double z[K];
        for (int k = 0; k < K; k++)
            z[k] = case_normal(&state);
        for (int j = 0; j < D; j++) {
            x[i * D + j] = l->b[j] + l->s * case_normal(&state);
            for (int k = 0; k < K; k++)
                x[i * D + j] += z[k] * l->w[k][j];
        }
    }
}

/* With the exact posterior every draw's weight is log p(x). A detuned encoder lowers the bound by
 * KL(q || posterior), which is known too; the estimate finds log p(x) all the same. */
START_TEST(bound_and_estimate)
{
    static double x[LINEAR_ROWS * D], bound[LINEAR_ROWS], error[LINEAR_ROWS];
    static double estimate[LINEAR_ROWS], its_error[LINEAR_ROWS];
    const double shift = 0.7, factor = 2;
    const double kl = K * 0.5 * (factor + shift * shift - 1 - log(factor));
    linear l = linear_model();
    linear_rows(&l, x);
    case_setup c;
    case_begin(&c, x, LINEAR_ROWS, D, NULL,
               (const char *[]){"seed=3", "code=3", "hidden=", "spread=shared", "transform=none",
                                "precision=f64", "steps=1", "draws=5000", NULL});
    gm_array ax = case_array(GM_F64, x, LINEAR_ROWS, D);
    gm_options *closer = case_options(
        c.ctx, (const char *[]){"seed=8", "draws=5000", "kind=estimate", "precision=f64", NULL});
    gm_model *right = detuned(&c, &l, 0, 1), *wrong = detuned(&c, &l, shift, factor);
    test_ok(c.ctx, gm_model_log_prob(c.ctx, right, &ax, NULL, c.options, bound, error));
    for (int i = 0; i < LINEAR_ROWS; i++)
        must_msg(
            test_close(bound[i], log_marginal(&l, x + i * D), 1e-12, 1e-10) && error[i] < 1e-10,
            "row %d: %.15g +- %g, not %.15g", i, bound[i], error[i], log_marginal(&l, x + i * D));
    test_ok(c.ctx, gm_model_log_prob(c.ctx, wrong, &ax, NULL, c.options, bound, error));
    test_ok(c.ctx, gm_model_log_prob(c.ctx, wrong, &ax, NULL, closer, estimate, its_error));
    double low = 0, off = 0, own = 0, chi_bound = 0, chi = 0, worst = 0;
    for (int i = 0; i < LINEAR_ROWS; i++) {
        double truth = log_marginal(&l, x + i * D), t = (estimate[i] - truth) / its_error[i];
        double u = (bound[i] - truth + kl) / error[i];
        low += (truth - bound[i]) / LINEAR_ROWS;
        off += (estimate[i] - truth) / LINEAR_ROWS;
        own += its_error[i] * its_error[i] / LINEAR_ROWS / LINEAR_ROWS;
        chi += t * t;
        chi_bound += u * u;
        worst = fmax(worst, fabs(t));
        must_msg(its_error[i] > 0.005 && its_error[i] < 0.05, "row %d: error %g", i, its_error[i]);
    }
    if (getenv("TEST_FIGURES"))
        fprintf(stderr, "bound %g nats low (KL %g); estimate off by %g +- %g, at most %g errors\n",
                low, kl, off, sqrt(own), worst);
    ck_assert_msg(low > 0.5 && fabs(low - kl) < 0.01, "the bound is %g low, not %g", low, kl);
    ck_assert_msg(fabs(off) < 3 * sqrt(own), "the estimate is off by %g +- %g", off, sqrt(own));
    /* errors are of the right size: (t, u) are standard normal, nearly */
    ck_assert_msg(fabs(chi - LINEAR_ROWS) < 5 * sqrt(2 * LINEAR_ROWS) && worst < 4.5,
                  "squares of errors sum to %g in %d rows, the greatest is %g", chi, LINEAR_ROWS,
                  worst);
    ck_assert_msg(fabs(chi_bound - LINEAR_ROWS) < 5 * sqrt(2 * LINEAR_ROWS),
                  "squares of the bound's errors sum to %g in %d rows", chi_bound, LINEAR_ROWS);
    gm_options_free(closer);
    gm_model_free(right);
    gm_model_free(wrong);
    case_end(&c);
}
END_TEST

/* A single draw has an answer and no error. */
START_TEST(errors_of_few_draws)
{
    static double x[LINEAR_ROWS * D];
    double one[2], error[2], first[2];
    linear l = linear_model();
    linear_rows(&l, x);
    case_setup c;
    case_begin(&c, x, LINEAR_ROWS, D, NULL,
               (const char *[]){"seed=3", "code=3", "hidden=", "spread=shared", "transform=none",
                                "precision=f64", "steps=1", NULL});
    gm_model *model = detuned(&c, &l, 1, 1);
    gm_array ax = case_array(GM_F64, x, 2, D);
    for (int kind = 0; kind < 2; kind++) {
        gm_options *how =
            case_options(c.ctx, (const char *[]){"seed=8", "draws=1",
                                                 kind ? "kind=estimate" : "kind=bound", NULL});
        test_ok(c.ctx, gm_model_log_prob(c.ctx, model, &ax, NULL, how, one, error));
        ck_assert(isnan(error[0]) && isnan(error[1]) && isfinite(one[0]));
        if (kind)
            ck_assert_mem_eq(one, first, sizeof one);
        memcpy(first, one, sizeof one);
        gm_options_free(how);
    }
    test_fails(c.ctx, gm_model_log_prob(c.ctx, model, &ax, NULL, NULL, one, error), GM_E_SEED,
               "seed");
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* The gradient in x is that of the bound: of a linear model it is known. */
START_TEST(gradient_of_the_bound)
{
    static double x[LINEAR_ROWS * D], grad[LINEAR_ROWS * D], logp[LINEAR_ROWS];
    linear l = linear_model();
    linear_rows(&l, x);
    case_setup c;
    case_begin(&c, x, LINEAR_ROWS, D, NULL,
               (const char *[]){"seed=3", "code=3", "hidden=", "spread=shared", "transform=none",
                                "precision=f64", "steps=1", NULL});
    gm_model *model = detuned(&c, &l, 0, 1);
    gm_array ax = case_array(GM_F64, x, LINEAR_ROWS, D), ag = ax;
    ag.data = grad;
    test_ok(c.ctx, gm_model_log_prob_gradient(c.ctx, model, &ax, NULL, c.options, logp, &ag));
    for (int i = 0; i < LINEAR_ROWS; i += 13)
        for (int j = 0; j < D; j++) {
            double row[D], h = 1e-5;
            memcpy(row, x + i * D, sizeof row);
            row[j] += h;
            double up = log_marginal(&l, row);
            row[j] -= 2 * h;
            double want = (up - log_marginal(&l, row)) / (2 * h);
            must_msg(test_close(grad[i * D + j], want, 1e-6, 1e-7), "row %d, column %d: %g, not %g",
                     i, j, grad[i * D + j], want);
        }
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* ---- Losses ---------------------------------------------------------------------------------- */

/* The loss of step `step` (from 0) of a fit at its start, over all rows; and that of evaluation. */
static double loss_of(const double *x, const char *const *settings, int64_t step, double *evaluated)
{
    static int64_t all[LINEAR_ROWS];
    case_setup c;
    gm_trainer *t;
    double loss, error;
    for (int64_t i = 0; i < LINEAR_ROWS; i++)
        all[i] = i;
    case_begin(&c, x, LINEAR_ROWS, D, NULL, settings);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "vae", &c.config, &t));
    gm__batch batch = {.row = all, .count = LINEAR_ROWS, .seed = 3, .step = (uint64_t)step};
    const gm__objective *o = &t->objective;
    test_ok(c.ctx,
            o->step(o->user, c.ctx, 0, &batch, t->buffers[GM__PARAM], t->buffers[GM__GRAD], &loss));
    if (evaluated)
        test_ok(c.ctx,
                o->evaluate(o->user, c.ctx, c.train, t->buffers[GM__PARAM], evaluated, &error));
    gm_trainer_free(t);
    case_end(&c);
    return loss;
}

/* Settings of all of these fits, and a few more. */
#define LOSS_OF(step, evaluated, ...)                                                              \
    loss_of(x,                                                                                     \
            (const char *[]){"seed=3", "code=3", "hidden=", "transform=none", "precision=f64",     \
                             "batch=200", "valid=0", __VA_ARGS__, NULL},                           \
            step, evaluated)

/* The divergences of the code's columns, averaged over the rows, of the fit's first weights. */
static void divergences(const double *x, double kl[K])
{
    double weight[D * 2 * K], bias[2 * K];
    case_setup c;
    gm_trainer *t;
    gm_model *model;
    case_begin(&c, x, LINEAR_ROWS, D, NULL,
               (const char *[]){"seed=3", "code=3", "hidden=", "transform=none", "precision=f64",
                                "batch=200", "valid=0", NULL});
    test_ok(c.ctx, gm_trainer_create(c.ctx, "vae", &c.config, &t));
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    case_param(model, "posterior.weight", (int64_t)D * 2 * K, weight);
    case_param(model, "posterior.bias", 2 * (int64_t)K, bias);
    for (int k = 0; k < K; k++) {
        kl[k] = 0;
        for (int i = 0; i < LINEAR_ROWS; i++) {
            double mean = bias[k], log_var = bias[K + k];
            for (int j = 0; j < D; j++) {
                mean += x[i * D + j] * weight[j * 2 * K + k];
                log_var += x[i * D + j] * weight[j * 2 * K + K + k];
            }
            kl[k] += 0.5 * (mean * mean + exp(log_var) - 1 - log_var) / LINEAR_ROWS;
        }
    }
    gm_model_free(model);
    gm_trainer_free(t);
    case_end(&c);
}

START_TEST(loss_by_its_terms)
{
    static double x[LINEAR_ROWS * D];
    double kl[K], sum = 0, plain, freed;
    linear l = linear_model();
    linear_rows(&l, x);
    divergences(x, kl);
    for (int k = 0; k < K; k++)
        sum += kl[k];
    double distortion = LOSS_OF(0, NULL, "beta=0"), most = fmax(fmax(kl[0], kl[1]), kl[2]);
    double least = fmin(fmin(kl[0], kl[1]), kl[2]), level = 0.5 * (least + most), above = 0;
    double one = LOSS_OF(0, &plain, "beta=1"), two = LOSS_OF(0, NULL, "beta=2.5");
    ck_assert_msg(fabs(one - distortion - sum) < 1e-10, "%g, not %g", one - distortion, sum);
    ck_assert_msg(fabs(two - distortion - 2.5 * sum) < 1e-10, "%g, not 2.5 * %g", two - distortion,
                  sum);
    /* warm-up: step number t of 7 has t/7 of the weight, and evaluation all of it */
    for (int64_t step = 0; step < 9; step++) {
        double without = LOSS_OF(step, NULL, "beta=0");
        double warm = LOSS_OF(step, &freed, "beta=2", "kl_warmup=7");
        double weight = 2 * fmin(1, (double)(step + 1) / 7);
        ck_assert_msg(fabs(warm - without - weight * sum) < 1e-10, "step %d: %g, not %g * %g",
                      (int)step, warm - without, weight, sum);
    }
    ck_assert_msg(fabs(freed - plain - sum) < 0.5, "%g, not about %g", freed - plain, sum);
    /* free bits: the greater of the level and each column's divergence, in training only */
    char setting[64];
    snprintf(setting, sizeof setting, "free_bits=%.17g", level);
    for (int k = 0; k < K; k++)
        above += fmax(level, kl[k]);
    double bits = LOSS_OF(0, &freed, setting);
    ck_assert_msg(fabs(bits - distortion - above) < 1e-10, "%g, not %g", bits - distortion, above);
    ck_assert_msg(freed == plain, "free bits change evaluation: %g and %g", freed, plain);
    bits = LOSS_OF(0, NULL, "free_bits=50");
    ck_assert_msg(fabs(bits - distortion - 50 * K) < 1e-9, "%g, not 150", bits - distortion);
}
END_TEST

/* A fit tells its losses in the user's units: a column in other units moves them by log 1000. */
START_TEST(losses_in_the_users_units)
{
    static double x[LINEAR_ROWS * D];
    double before, after;
    const char *settings[] = {"seed=3", "code=3", "hidden=8", "precision=f64", "valid=0", NULL};
    linear l = linear_model();
    linear_rows(&l, x);
    double first = loss_of(x, settings, 0, &before);
    for (int i = 0; i < LINEAR_ROWS; i++)
        x[i * D + 2] *= 1024;
    double second = loss_of(x, settings, 0, &after);
    ck_assert_msg(fabs(second - first - log(1024)) < 1e-9, "%g, not %g", second - first, log(1024));
    ck_assert_msg(fabs(after - before - log(1024)) < 1e-9, "%g, not %g", after - before, log(1024));
}
END_TEST

/* ---- Discrete columns ------------------------------------------------------------------------ */

/* Three flags, a kind of three and a whole number from 2 to 6, all of one cause. */
#define CELLS (8 * 3 * 5)
static void cell_of(int number, double *row)
{
    row[0] = number & 1;
    row[1] = number >> 1 & 1;
    row[2] = number >> 2 & 1;
    row[3] = number / 8 % 3;
    row[4] = number / 24 + 2;
}

static int number_of(const double *row)
{
    return (int)(row[0] + 2 * row[1] + 4 * row[2] + 8 * row[3] + 24 * (row[4] - 2));
}

static gm_dataset *typed(gm_context *ctx, const double *x, int64_t n, int64_t d, const int *types)
{
    gm_dataset *rows, *next;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    for (int64_t j = 0; j < d; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, types[j], 0, &next));
        gm_dataset_free(rows);
        rows = next;
    }
    return rows;
}

#define FLAGGED 3000
static gm_dataset *flagged_rows(gm_context *ctx)
{
    static const int types[] = {GM_COLUMN_BINARY, GM_COLUMN_BINARY, GM_COLUMN_BINARY,
                                GM_COLUMN_CATEGORY, GM_COLUMN_INTEGER};
    double *x = malloc(FLAGGED * 5 * sizeof *x);
    uint64_t state = 9;
    for (int i = 0; i < FLAGGED; i++) {
        double a = case_normal(&state);
        for (int j = 0; j < 3; j++)
            x[i * 5 + j] = a + 0.7 * case_normal(&state) > 0.4 * j;
        double kind = a + 0.5 * case_normal(&state), size = 4 + a + 0.5 * case_normal(&state);
        x[i * 5 + 3] = kind < -0.5 ? 0 : kind < 0.5 ? 2 : 1;
        x[i * 5 + 4] = fmin(6, fmax(2, floor(size + 0.5)));
    }
    gm_dataset *rows = typed(ctx, x, FLAGGED, 5, types);
    free(x);
    return rows;
}

/* Over all values the estimates sum to 1, and draws come as often as they say. */
START_TEST(probabilities_of_all_cells)
{
    enum { DRAWN = 60000 };
    static double cells[CELLS * 5], logp[CELLS], error[CELLS], bound[CELLS];
    static double drawn[DRAWN * 5], count[CELLS];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = flagged_rows(ctx);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=500", "code=2", "hidden=24", "draws=4000",
                              _i ? "spread=network" : "spread=column", NULL});
    gm_options *closer =
        case_options(ctx, (const char *[]){"seed=2", "draws=4000", "kind=estimate", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_LOWER_BOUND);
    for (int k = 0; k < CELLS; k++)
        cell_of(k, cells + 5 * k);
    gm_array ax = case_array(GM_F64, cells, CELLS, 5);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, closer, logp, error));
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, bound, NULL));
    test_ok(ctx, gm_model_sample_f64(ctx, model, DRAWN, NULL, how, drawn));
    memset(count, 0, sizeof count);
    for (int i = 0; i < DRAWN; i++)
        count[number_of(drawn + i * 5)]++;
    double sum = 0, squares = 0, chi = 0, freedom = 0;
    for (int k = 0; k < CELLS; k++) {
        double p = exp(logp[k]), e = p * error[k];
        double variance = DRAWN * p + DRAWN * e * DRAWN * e;
        sum += p;
        squares += e * e;
        must_msg(bound[k] < logp[k] + 3 * error[k], "cell %d: a bound of %g over %g", k, bound[k],
                 logp[k]);
        if (DRAWN * p > 5) {
            chi += (count[k] - DRAWN * p) * (count[k] - DRAWN * p) / variance;
            freedom++;
        }
    }
    if (getenv("TEST_FIGURES"))
        fprintf(stderr, "sum %g +- %g, chi-square %g of %g\n", sum, sqrt(squares), chi, freedom);
    ck_assert_msg(sqrt(squares) < 0.01 && fabs(sum - 1) < 4 * sqrt(squares), "a sum of %g +- %g",
                  sum, sqrt(squares));
    ck_assert_msg(freedom > 20 && chi < freedom + 5 * sqrt(2 * freedom), "chi-square %g of %g", chi,
                  freedom);
    gm_options_free(how);
    gm_options_free(closer);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* What has no support scores minus infinity, beside rows that have. */
START_TEST(outside_the_support)
{
    static const double bad[][5] = {{0, 1, 0, 2, 3.5}, {0, 1, 0, 2, 7},   {0, 1, 0, 2, 1},
                                    {0, 1, 0, 3, 3},   {0, 2, 0, 1, 3},   {0.5, 1, 0, 1, 3},
                                    {0, -1, 0, 1, 3},  {0, 1, 0, 0.5, 3}, {0, 1, 0, 1, 1e18}};
    enum { BAD = (int)(sizeof bad / sizeof bad[0]) };
    double x[(BAD + 1) * 5], logp[BAD + 1], grad[(BAD + 1) * 5];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = flagged_rows(ctx);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", "steps=20", "code=2", "hidden=4", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    memcpy(x, bad, sizeof bad);
    memcpy(x + (size_t)BAD * 5, (double[]){0, 1, 0, 2, 6}, 5 * sizeof *x);
    gm_array ax = case_array(GM_F64, x, BAD + 1, 5), ag = case_array(GM_F64, grad, BAD + 1, 5);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, NULL));
    for (int i = 0; i <= BAD; i++)
        ck_assert_msg(i < BAD ? logp[i] == -INFINITY : isfinite(logp[i]), "row %d: %g", i, logp[i]);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &ax, NULL, how, NULL, &ag));
    for (int i = 0; i < (BAD + 1) * 5; i++)
        ck_assert(grad[i] == 0);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* levels widens the range of whole numbers beyond what was seen, and refuses rows outside. */
START_TEST(levels_of_pixels)
{
    double x[3] = {255, 256, 0}, logp[3];
    case_setup c;
    double rows[60];
    for (int i = 0; i < 60; i++)
        rows[i] = 20 + i % 30;
    case_begin(&c, rows, 60, 1, NULL,
               (const char *[]){"seed=1", "steps=20", "code=1", "hidden=4", "levels=256", NULL});
    gm_dataset *whole = typed(c.ctx, rows, 60, 1, (const int[]){GM_COLUMN_INTEGER});
    gm_model *model, *none = NULL;
    test_ok(c.ctx, gm_fit(c.ctx, "vae", whole, c.options, &model));
    test_ok(c.ctx, gm_model_log_prob_f64(c.ctx, model, x, 3, 0, c.options, logp));
    ck_assert(isfinite(logp[0]) && logp[1] == -INFINITY && isfinite(logp[2]));
    gm_model_free(model);
    gm_options *few =
        case_options(c.ctx, (const char *[]){"seed=1", "steps=20", "levels=48", "valid=0", NULL});
    test_fails(c.ctx, gm_fit(c.ctx, "vae", whole, few, &none), GM_E_DATA, "row 29: column 1 is 48");
    ck_assert_ptr_null(none);
    gm_options_free(few);
    gm_dataset_free(whole);
    case_end(&c);
}
END_TEST

START_TEST(whitening_is_for_reals)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = flagged_rows(ctx);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=20", "code=2", "hidden=4", "whiten=1", NULL});
    gm_model *model;
    test_fails(ctx, gm_fit(ctx, "vae", rows, how, &model), GM_E_UNSUPPORTED, "whiten");
    gm_dataset_free(rows);
    double *x = case_cloud(200, 3, 4);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 200, 3, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    free(x);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

/* Columns of one value only: nothing to learn, probability one. */
START_TEST(constant_columns)
{
    static const int types[] = {GM_COLUMN_BINARY, GM_COLUMN_CATEGORY, GM_COLUMN_INTEGER,
                                GM_COLUMN_ORDERED, GM_COLUMN_BINARY};
    double x[50 * 5], logp[50], y[50 * 5];
    for (int i = 0; i < 50; i++)
        for (int j = 0; j < 5; j++)
            x[i * 5 + j] = j == 2 ? 7 : 0;
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = typed(ctx, x, 50, 5, types);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=200", "code=1", "hidden=4", "kind=estimate", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, logp));
    for (int i = 0; i < 50; i++)
        ck_assert_msg(fabs(logp[i]) < 0.02, "log p %g of what is sure", logp[i]);
    test_ok(ctx, gm_model_sample_f64(ctx, model, 50, NULL, how, y));
    ck_assert_mem_eq(x, y, sizeof x);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Codes, rows and draws ------------------------------------------------------------------- */

#define PIXELS 64
/* Crosses and frames of 8 x 8 pixels, some flipped; kind and place are what a code can hold. */
static void pictures(double *x, int64_t n, uint64_t seed)
{
    uint64_t state = seed;
    for (int64_t i = 0; i < n; i++) {
        int kind = (int)(test_random(&state) % 2), a = (int)(test_random(&state) % 8),
            b = (int)(test_random(&state) % 8);
        for (int p = 0; p < PIXELS; p++) {
            int r = p / 8, c = p % 8;
            int ink = kind ? r == a || c == b : r == a || r == b;
            x[i * PIXELS + p] = ink ^ (test_uniform(&state, 0, 1) < 0.02);
        }
    }
}

/* Binary pixels come back through few numbers far better than their mean tells, and in any order of
 * asking. */
START_TEST(reconstruction)
{
    enum { N = 2000 };
    static double x[N * PIXELS], y[N * PIXELS], z[N * 12], mean[N * PIXELS], drawn[N * PIXELS];
    int types[PIXELS];
    gm_context *ctx = test_context(NULL);
    pictures(x, N, 5);
    for (int j = 0; j < PIXELS; j++)
        types[j] = GM_COLUMN_BINARY;
    gm_dataset *rows = typed(ctx, x, N, PIXELS, types);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=1200", "code=12", "hidden=64", "batch=128", NULL});
    gm_options *quiet = case_options(ctx, (const char *[]){"seed=1", "noise=0", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    ck_assert(model->structure->reals == PIXELS && model->structure->indices == 0);
    pictures(x, N, 6);
    gm_array ax = case_array(GM_F64, x, N, PIXELS), ay = case_array(GM_F64, y, N, PIXELS);
    gm_array az = case_array(GM_F64, z, N, 12), am = case_array(GM_F64, mean, N, PIXELS);
    test_ok(ctx, gm_model_reconstruct(ctx, model, &ax, NULL, NULL, &ay));
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, NULL, &az));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &am));
    ck_assert_mem_eq(mean, y, sizeof y);
    double wrong = 0, ink = 0, speckled = 0;
    for (int i = 0; i < N * PIXELS; i++) {
        wrong += x[i] != y[i];
        ink += x[i];
    }
    ck_assert_msg(wrong < 0.35 * ink, "%g of %g pixels wrong", wrong, ink);
    /* means are pixels too, and draws have noise that means lack */
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, quiet, mean));
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, how, drawn));
    for (int i = 0; i < N * PIXELS; i++) {
        must((mean[i] == 0 || mean[i] == 1) && (drawn[i] == 0 || drawn[i] == 1));
        speckled += mean[i] != drawn[i];
    }
    ck_assert_msg(speckled > 0.01 * N * PIXELS && speckled < 0.2 * N * PIXELS,
                  "%g of the pixels are drawn apart from their mean", speckled / (N * PIXELS));
    gm_options_free(how);
    gm_options_free(quiet);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Draws of a row given its code have the decoder's spread around the mean. */
START_TEST(draws_have_the_spread)
{
    static double x[LINEAR_ROWS * D], mean[4000 * D], drawn[4000 * D];
    linear l = linear_model();
    linear_rows(&l, x);
    case_setup c;
    case_begin(&c, x, LINEAR_ROWS, D, NULL,
               (const char *[]){"seed=3", "code=3", "hidden=", "spread=shared", "transform=none",
                                "precision=f64", "steps=1", NULL});
    gm_options *quiet = case_options(c.ctx, (const char *[]){"seed=3", "noise=no", NULL});
    gm_model *model = detuned(&c, &l, 0, 1);
    test_ok(c.ctx, gm_model_sample_f64(c.ctx, model, 4000, NULL, c.options, drawn));
    test_ok(c.ctx, gm_model_sample_f64(c.ctx, model, 4000, NULL, quiet, mean));
    double squares = 0, spread[2] = {0, 0};
    for (int i = 0; i < 4000; i++)
        for (int j = 0; j < D; j++) {
            double away = (drawn[i * D + j] - mean[i * D + j]) / l.s;
            squares += away * away / (4000 * D);
            if (j == 0) {
                double m = mean[i * D] - l.b[0], d = drawn[i * D] - l.b[0];
                spread[0] += m * m / 4000;
                spread[1] += d * d / 4000;
            }
        }
    ck_assert_msg(fabs(squares - 1) < 4.5 * sqrt(2. / (4000 * D)), "squares of noise: %g", squares);
    double of_mean = 1.5 * 1.5, of_row = of_mean + l.s * l.s, tolerance = 4.5 * sqrt(2. / 4000);
    ck_assert_msg(fabs(spread[0] / of_mean - 1) < tolerance &&
                      fabs(spread[1] / of_row - 1) < tolerance,
                  "variances %g and %g, not %g and %g", spread[0], spread[1], of_mean, of_row);
    gm_options_free(quiet);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* Every type of column comes back; depths and spreads of every kind fit. */
START_TEST(mixed_columns)
{
    static const char *const settings[][8] = {
        {"seed=1", "steps=1000", "code=3", "hidden=20", NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20,10", "spread=network", "activation=silu",
         NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20", "decoder=9,8,7", "spread=fixed",
         "deviation=0.3", NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20", "transform=quantile", "spread=shared",
         "precision=f64", NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20", "transform=none", "activation=tanh", NULL},
    };
    enum { N = 600 };
    static const int types[] = {GM_COLUMN_CATEGORY, GM_COLUMN_REAL, GM_COLUMN_INTEGER,
                                GM_COLUMN_ORDERED, GM_COLUMN_BINARY};
    static double x[N * 5], y[N * 5], logp[N];
    uint64_t state = 11;
    for (int i = 0; i < N; i++) {
        double a = case_normal(&state);
        x[i * 5] = a < -0.5 ? 0 : a < 0.5 ? 2 : 1;
        x[i * 5 + 1] = 3 + 0.1 * a + 0.02 * case_normal(&state);
        x[i * 5 + 2] = floor(30 * a);
        x[i * 5 + 3] = fmin(4, fmax(0, floor(2 + a + 0.5)));
        x[i * 5 + 4] = a > 0;
    }
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = typed(ctx, x, N, 5, types), *drawn;
    gm_options *how = case_options(ctx, settings[_i]);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    gm_array ax = case_array(GM_F64, x, N, 5), ay = case_array(GM_F64, y, N, 5);
    test_ok(ctx, gm_model_reconstruct(ctx, model, &ax, NULL, NULL, &ay));
    double kind = 0, flag = 0, number = 0;
    for (int i = 0; i < N; i++) {
        kind += x[i * 5] == y[i * 5];
        flag += x[i * 5 + 4] == y[i * 5 + 4];
        number += fabs(x[i * 5 + 2] - y[i * 5 + 2]) / N;
        must(y[i * 5 + 2] == floor(y[i * 5 + 2]) && y[i * 5 + 3] >= 0 && y[i * 5 + 3] <= 4);
    }
    ck_assert_msg(kind > 0.6 * N && flag > 0.8 * N && number < 18,
                  "%g kinds, %g flags come back, numbers are %g off", kind, flag, number);
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, logp));
    for (int i = 0; i < N; i++)
        ck_assert_msg(isfinite(logp[i]), "row %d: %g", i, logp[i]);
    test_ok(ctx, gm_model_sample_rows(ctx, model, 300, NULL, how, &drawn));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, drawn, NULL, how, logp));
    for (int i = 0; i < 300; i++)
        ck_assert_msg(isfinite(logp[i]), "draw %d: %g", i, logp[i]);
    gm_dataset_free(drawn);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("vae");
    TCase *t = tcase_create("vae");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, linear_is_probabilistic_pca, 0, test_quick() ? 1 : 2);
    tcase_add_test(t, bound_and_estimate);
    tcase_add_test(t, errors_of_few_draws);
    tcase_add_test(t, gradient_of_the_bound);
    tcase_add_test(t, loss_by_its_terms);
    tcase_add_test(t, losses_in_the_users_units);
    tcase_add_loop_test(t, probabilities_of_all_cells, 0, test_quick() ? 1 : 2);
    tcase_add_test(t, outside_the_support);
    tcase_add_test(t, levels_of_pixels);
    tcase_add_test(t, whitening_is_for_reals);
    tcase_add_test(t, constant_columns);
    tcase_add_test(t, reconstruction);
    tcase_add_test(t, draws_have_the_spread);
    tcase_add_loop_test(t, mixed_columns, 0, 5);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
