/* Variational autoencoders against closed forms: probabilistic PCA, linear-Gaussian models, the
 * terms of the loss. */
#include "family_cases.h"
#include "kernels/linalg.h"
#include "model/model.h"

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
    test_ok(c.ctx, gm_model_log_prob_rows(c.ctx, model, c.train, NULL, c.options, logp, NULL));
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

/* A linear VAE with the decoder of l, and the encoder that is right but for a factor on the mean, a
 * shift in deviations of the posterior, and a factor on the variance. */
static gm_model *detuned(case_setup *c, const linear *l, double tilt, double shift, double factor)
{
    gm_model *model = case_fit_now(c, "vae");
    double weight[D][2 * K] = {{0}}, bias[2 * K] = {0}, r = log(l->s - 1e-3);
    for (int k = 0; k < K; k++) {
        bias[k] = shift * sqrt(l->variance[k]);
        bias[K + k] = log(factor * l->variance[k]);
        for (int j = 0; j < D; j++) {
            weight[j][k] = tilt * l->variance[k] * l->w[k][j] / (l->s * l->s);
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
    gm_model *right = detuned(&c, &l, 1, 0, 1), *wrong = detuned(&c, &l, 1, shift, factor);
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
    gm_model *model = detuned(&c, &l, 1, 1, 1);
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

/* log p(x), or the bound on it that the detuned encoder gives: KL(q || posterior) less, but for a
 * constant. */
#define SLOPE 0.8
#define SHIFT 0.7
static double expected(const linear *l, int is_bound, const double *x)
{
    double sum = log_marginal(l, x);
    for (int k = 0; is_bound && k < K; k++) {
        double away = SHIFT * sqrt(l->variance[k]);
        for (int j = 0; j < D; j++)
            away += (SLOPE - 1) * l->variance[k] * l->w[k][j] / (l->s * l->s) * (x[j] - l->b[j]);
        sum -= 0.5 * away * away / l->variance[k];
    }
    return sum;
}

/* The gradients in x of the bound and of the estimate, which are known for a linear model. */
START_TEST(gradient_of_the_bound)
{
    const char *const ways[] = {"kind=bound", "kind=estimate"};
    double noise = 0;
    static double x[LINEAR_ROWS * D], grad[LINEAR_ROWS * D], logp[LINEAR_ROWS];
    linear l = linear_model();
    linear_rows(&l, x);
    case_setup c;
    case_begin(&c, x, LINEAR_ROWS, D, NULL,
               (const char *[]){"seed=3", "code=3", "hidden=", "spread=shared", "transform=none",
                                "precision=f64", "steps=1", NULL});
    int off = _i > 1;
    gm_model *model = off ? detuned(&c, &l, SLOPE, SHIFT, 2) : detuned(&c, &l, 1, 0, 1);
    gm_options *how = case_options(
        c.ctx, (const char *[]){"seed=3", ways[_i % 2], off ? "draws=2000" : "draws=3", NULL});
    gm_array ax = case_array(GM_F64, x, LINEAR_ROWS, D), ag = ax;
    ag.data = grad;
    test_ok(c.ctx, gm_model_log_prob_gradient(c.ctx, model, &ax, NULL, how, logp, &ag));
    for (int i = 0; i < LINEAR_ROWS; i += 13)
        for (int j = 0; j < D; j++) {
            double row[D], h = 1e-5;
            memcpy(row, x + i * D, sizeof row);
            row[j] += h;
            double up = expected(&l, off && _i % 2 == 0, row);
            row[j] -= 2 * h;
            double want = (up - expected(&l, off && _i % 2 == 0, row)) / (2 * h);
            must_msg(test_close(grad[i * D + j], want, 1e-6, off ? 0.05 : 1e-7),
                     "row %d, column %d: %g, not %g", i, j, grad[i * D + j], want);
            noise += (grad[i * D + j] - want) * (grad[i * D + j] - want) / (16 * D);
        }
    if (getenv("TEST_FIGURES"))
        fprintf(stderr, "gradient: noise of variance %g\n", noise);
    ck_assert_msg(noise < 3e-4, "noise of variance %g", noise);
    gm_options_free(how);
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

/* ---- Draws --------------------------------------------------------------------------------- */

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
    gm_model *model = detuned(&c, &l, 1, 0, 1);
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

/* mirror=false: hidden layers on the way in only, so that rows are affine in their codes; with its
 * own widths, or those of the encoder, the decoder bends. */
START_TEST(linear_decoder)
{
    static const char *const ways[] = {"mirror=false", "mirror=true", "mirror=false decoder=5"};
    static const int64_t decoders[] = {2 * 3, 2 * 8 + 9 * 3, 2 * 5 + 6 * 3};
    const int64_t encoder = 4 * 8 + 9 * 2, deviations = 3;
    double *x = case_cloud(60, 3, 5), bend = 0, z[3] = {-1, 0, 1}, y[9];
    gm_array codes = case_array(GM_F64, z, 3, 1), rows = case_array(GM_F64, y, 3, 3);
    char way[64], *decoder;
    case_setup c;
    strcpy(way, ways[_i]);
    decoder = strchr(way, ' ');
    if (decoder)
        *decoder++ = 0;
    case_begin(&c, x, 60, 3, NULL,
               (const char *[]){"seed=3", "code=1", "hidden=8", "activation=tanh", "steps=50",
                                "transform=none", "valid=0", way, decoder, NULL});
    gm_model *model = case_fit_now(&c, "vae");
    ck_assert_int_eq(gm_model_parameter_count(model), encoder + decoders[_i] + deviations);
    test_ok(c.ctx, gm_model_decode(c.ctx, model, &codes, NULL, NULL, &rows));
    for (int j = 0; j < 3; j++)
        bend = fmax(bend, fabs(y[j] - 2 * y[3 + j] + y[6 + j]));
    ck_assert_msg(_i == 0 ? bend < 1e-5 : bend > 1e-4, "%g", bend);
    gm_model_free(model);
    case_end(&c);
    free(x);
}
END_TEST

/* ---- The decoder ----------------------------------------------------------------------------- */

/* y = f(x w + c), the weights by the layer's name; f: silu, or none. */
static void layer(const gm_model *model, const char *name, int silu, const double *x, int in,
                  int out, double *y)
{
    char text[64];
    const double *params = model->params;
    snprintf(text, sizeof text, "%s.weight", name);
    const gm__slot *w = gm__layout_find(&model->structure->layout, text);
    snprintf(text, sizeof text, "%s.bias", name);
    const gm__slot *c = gm__layout_find(&model->structure->layout, text);
    ck_assert_msg(w && w->ndim == 2 && w->shape[0] == in && w->shape[1] == out, "%s", name);
    for (int j = 0; j < out; j++) {
        double sum = params[c->offset + j];
        for (int i = 0; i < in; i++)
            sum += x[i] * params[w->offset + i * out + j];
        y[j] = silu ? sum / (1 + exp(-sum)) : sum;
    }
}

/* Left to itself the decoder has the encoder's widths, reversed, and the same activation. */
START_TEST(decoder_mirrors)
{
    double z[2] = {0.4, -1.3}, h[5], g[5], want[3], x[3], *cloud = case_cloud(60, 3, 5);
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows;
    gm_model *model;
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=30", _i ? "hidden=5,3" : "hidden=9", "code=2",
                              _i ? "seed=1" : "decoder=3,5", "activation=silu", "precision=f64",
                              "transform=none", NULL});
    gm_array az = case_array(GM_F64, z, 1, 2), ax = case_array(GM_F64, x, 1, 3);
    test_ok(ctx, gm_dataset_from_f64(ctx, cloud, 60, 3, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &ax));
    layer(model, "decoder.0", 1, z, 2, 3, h);
    layer(model, "decoder.1", 1, h, 3, 5, g);
    layer(model, "observation", 0, g, 5, 3, want);
    for (int j = 0; j < 3; j++)
        ck_assert_msg(test_close(x[j], want[j], 1e-11, 1e-12), "%.15g, not %.15g", x[j], want[j]);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
    free(cloud);
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
    tcase_add_loop_test(t, gradient_of_the_bound, 0, 4);
    tcase_add_test(t, loss_by_its_terms);
    tcase_add_test(t, losses_in_the_users_units);
    tcase_add_test(t, draws_have_the_spread);
    tcase_add_loop_test(t, linear_decoder, 0, 3);
    tcase_add_loop_test(t, decoder_mirrors, 0, 2);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
