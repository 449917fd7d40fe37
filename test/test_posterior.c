/* Draws by NUTS against closed forms, and what chains say against another program's figures. */
#include "support.h"
#include "genmod/genmod.h"

#include <math.h>
#include <stdlib.h>

/* ---- Targets --------------------------------------------------------------------------------- */

/* Calls so far, and what to do at which of them. */
typedef struct watch {
    int64_t calls, trip_at;
    gm_cancel *cancel;
    gm_status give;
} watch;

/* N(mean, C) of three dimensions by the inverse of C. */
static const double mean3[3] = {1, -2, 0.5};
static const double cov3[9] = {4, 1.2, 0, 1.2, 1, -0.2, 0, -0.2, 0.25};
static const double inverse3[9] = {84.0 / 184,   -120.0 / 184, -96.0 / 184,
                                   -120.0 / 184, 400.0 / 184,  320.0 / 184,
                                   -96.0 / 184,  320.0 / 184,  992.0 / 184};

static gm_status gaussian(void *user, const double *x, double *logp, double *grad)
{
    (void)user;
    *logp = 0;
    for (int i = 0; i < 3; i++) {
        double sum = 0;
        for (int j = 0; j < 3; j++)
            sum += inverse3[3 * i + j] * (x[j] - mean3[j]);
        *logp -= 0.5 * sum * (x[i] - mean3[i]);
        if (grad)
            grad[i] = -sum;
    }
    return GM_OK;
}

/* Neal 2003: v ~ N(0, 9), x_i ~ N(0, exp(v)). */
static gm_status funnel(void *user, const double *x, double *logp, double *grad)
{
    (void)user;
    double shrink = exp(-x[0]);
    *logp = -x[0] * x[0] / 18;
    grad[0] = -x[0] / 9;
    for (int i = 1; i < 10; i++) {
        *logp -= 0.5 * x[i] * x[i] * shrink + 0.5 * x[0];
        grad[i] = -x[i] * shrink;
        grad[0] += 0.5 * x[i] * x[i] * shrink - 0.5;
    }
    return GM_OK;
}

/* Exponential with a wall: there is no density left of 0. */
static gm_status half_line(void *user, const double *x, double *logp, double *grad)
{
    (void)user;
    *logp = x[0] > 0 ? -x[0] : x[0] < -1 ? NAN : -INFINITY;
    grad[0] = -1;
    return GM_OK;
}

static gm_status watched(void *user, const double *x, double *logp, double *grad)
{
    watch *w = user;
    if (++w->calls == w->trip_at) {
        gm_cancel_trip(w->cancel);
        if (w->give)
            return w->give;
    }
    return gaussian(NULL, x, logp, grad);
}

static gm_status nowhere(void *user, const double *x, double *logp, double *grad)
{
    (void)user;
    (void)x;
    *logp = -INFINITY;
    grad[0] = grad[1] = grad[2] = 0;
    return GM_OK;
}

static gm_status flat(void *user, const double *x, double *logp, double *grad)
{
    (void)user;
    (void)x;
    *logp = 0;
    grad[0] = grad[1] = grad[2] = 0;
    return GM_OK;
}

/* ---- A run ----------------------------------------------------------------------------------- */

static gm_options *settings(gm_context *ctx, const char *const *pairs)
{
    gm_options *how;
    test_ok(ctx, gm_options_create(ctx, &how));
    for (int i = 0; pairs[i]; i += 2)
        test_ok(ctx, gm_options_set_text(ctx, how, pairs[i], pairs[i + 1]));
    return how;
}

typedef struct outcome {
    double *draws, *logp, step[8], metric[8 * 10];
    gm_nuts_result r;
    gm_status code;
} outcome;

static outcome sample(gm_context *ctx, gm_log_density_fn f, void *user, int64_t dim,
                      const double *start, const char *const *pairs, int64_t chains, int64_t draws)
{
    outcome o = {.draws = calloc((size_t)(chains * draws * dim), sizeof(double)),
                 .logp = calloc((size_t)(chains * draws), sizeof(double))};
    gm_target target = {.struct_size = sizeof target, .user = user, .dim = dim, .log_density = f};
    gm_options *how = settings(ctx, pairs);
    o.r = (gm_nuts_result){.struct_size = sizeof o.r, .draws = o.draws, .logp = o.logp};
    double step[8], metric[80];
    o.r.step_size = step;
    o.r.metric = metric;
    o.code = gm_nuts(ctx, &target, start, how, chains, draws, &o.r);
    if (!o.code) {
        memcpy(o.step, step, (size_t)chains * sizeof *step);
        memcpy(o.metric, metric, (size_t)(chains * dim) * sizeof *step);
    }
    gm_options_free(how);
    return o;
}

static void clear(outcome *o)
{
    free(o->draws);
    free(o->logp);
}

static gm_chains_summary summary(gm_context *ctx, const double *x, int64_t chains, int64_t draws,
                                 int64_t dim, int64_t j)
{
    gm_chains_summary s = {.struct_size = sizeof s};
    test_ok(ctx, gm_chains_summarise(ctx, x, chains, draws, dim, j, &s));
    return s;
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static const char *const metrics[] = {"diagonal", "dense", "unit"};

/* Means, deviations and a covariance of a Gaussian, within five Monte Carlo errors. */
START_TEST(test_gaussian)
{
    gm_context *ctx = test_context(NULL);
    const char *how[] = {"seed", "3", "metric", metrics[_i], "warmup", "500", NULL};
    enum { N = 1000 };
    outcome o = sample(ctx, gaussian, NULL, 3, NULL, how, 4, N);
    ck_assert_msg(!o.code, "%s", test_error(ctx));
    for (int j = 0; j < 3; j++) {
        gm_chains_summary s = summary(ctx, o.draws, 4, N, 3, j);
        must_msg(s.rhat < 1.02, "rhat %g", s.rhat);
        must_msg(fabs(s.mean - mean3[j]) < 5 * s.mean_error, "mean %g +- %g", s.mean, s.mean_error);
        must_msg(fabs(s.deviation - sqrt(cov3[4 * j])) < 5 * s.deviation_error,
                 "deviation %g +- %g", s.deviation, s.deviation_error);
        must(s.ess_bulk > 500);
        must_msg(_i == 2 || fabs(o.metric[j] / cov3[4 * j] - 1) < 0.6, "metric %g", o.metric[j]);
    }
    double product[4 * N];
    for (int i = 0; i < 4 * N; i++)
        product[i] = (o.draws[3 * i] - 1) * (o.draws[3 * i + 1] + 2);
    gm_chains_summary s = summary(ctx, product, 4, N, 1, 0);
    must_msg(fabs(s.mean - 1.2) < 5 * s.mean_error, "covariance %g +- %g", s.mean, s.mean_error);
    for (int i = 0; i < 4 * N; i += 97) {
        double logp;
        gaussian(NULL, o.draws + 3 * i, &logp, NULL);
        must(logp == o.logp[i]);
    }
    must_msg(fabs(o.r.accept - 0.8) < 0.12, "accept %g", o.r.accept);
    must(o.r.divergences == 0 && o.r.depth_hits == 0 && o.r.gradients > 4000);
    clear(&o);
    gm_context_free(ctx);
}
END_TEST

/* Paths as long in time, in steps of h, h / 2 and h / 4: the energy is off by a term in h^2, as it
 * is for a leapfrog that can be reversed, and so is the share of what is refused. */
static double refused(gm_context *ctx, const char *step, const char *depth)
{
    const char *how[] = {"seed",      "5",   "warmup", "0",    "step_size", step,
                         "max_depth", depth, "metric", "unit", NULL};
    outcome o = sample(ctx, gaussian, NULL, 3, mean3, how, 1, 400);
    ck_assert_msg(!o.code, "%s", test_error(ctx));
    double accept = o.r.accept;
    must(o.step[0] == strtod(step, NULL));
    clear(&o);
    return 1 - accept;
}

START_TEST(test_order)
{
    gm_context *ctx = test_context(NULL);
    double whole = refused(ctx, "0.1", "3"), half = refused(ctx, "0.05", "4"),
           quarter = refused(ctx, "0.025", "5");
    must_msg(fabs(whole / half - 4) < 0.6 && fabs(half / quarter - 4) < 0.6, "1 - accept: %g %g %g",
             whole, half, quarter);
    gm_context_free(ctx);
}
END_TEST

START_TEST(test_funnel)
{
    gm_context *ctx = test_context(NULL);
    const char *how[] = {"seed", "1", "warmup", "300", NULL};
    outcome o = sample(ctx, funnel, NULL, 10, NULL, how, 4, 500);
    ck_assert_msg(!o.code, "%s", test_error(ctx));
    must_msg(o.r.divergences > 0, "its neck is too narrow for any one step");
    for (int i = 0; i < 4 * 500 * 10; i++)
        must(o.draws[i] - o.draws[i] == 0);
    clear(&o);
    gm_context_free(ctx);
}
END_TEST

/* Walls: minus infinity and NaN are places without density. */
START_TEST(test_wall)
{
    gm_context *ctx = test_context(NULL);
    const char *how[] = {"seed", "2", "warmup", "500", NULL};
    outcome o = sample(ctx, half_line, NULL, 1, NULL, how, 4, 2000);
    ck_assert_msg(!o.code, "%s", test_error(ctx));
    gm_chains_summary s = summary(ctx, o.draws, 4, 2000, 1, 0);
    for (int i = 0; i < 8000; i++)
        must(o.draws[i] > 0);
    must_msg(fabs(s.mean - 1) < 6 * s.mean_error, "mean %g +- %g", s.mean, s.mean_error);
    clear(&o);
    gm_context_free(ctx);
}
END_TEST

static uint64_t hash(const outcome *o, int64_t count)
{
    uint64_t h = 0, bits;
    for (int64_t i = 0; i < count; i++) {
        memcpy(&bits, &o->draws[i], sizeof bits);
        h = h * 31 + bits;
    }
    return h;
}

/* The same for threads, kernels, a number of chains, and from one day to the next. */
START_TEST(test_same_bits)
{
    const char *how[] = {"seed",          "7",        "warmup", "200", "metric",
                         metrics[_i % 2], "parallel", "0",      NULL};
    static const char *const kernels[] = {"base", "avx2", "avx512", "neon"};
    gm_context *ctx = test_context(NULL);
    outcome o = sample(ctx, gaussian, NULL, 3, NULL, how, 3, 100);
    ck_assert_msg(!o.code, "%s", test_error(ctx));
    outcome two = sample(ctx, gaussian, NULL, 3, NULL, how, 2, 100);
    must(!two.code && memcmp(o.draws, two.draws, 600 * sizeof(double)) == 0);
    clear(&two);
    how[7] = "1";
    gm_pool *pool = gm_pool_create(NULL, 3);
    gm_context_config config = {.struct_size = sizeof config, .pool = pool};
    gm_context *pooled;
    ck_assert(gm_context_create(&config, &pooled) == GM_OK);
    outcome other = sample(pooled, gaussian, NULL, 3, NULL, how, 3, 100);
    must(!other.code && hash(&other, 900) == hash(&o, 900));
    clear(&other);
    for (int i = 0; i < 4; i++)
        if (gm_context_set_text(ctx, "kernels", kernels[i]) == GM_OK) {
            other = sample(ctx, gaussian, NULL, 3, NULL, how, 3, 100);
            must_msg(!other.code && hash(&other, 900) == hash(&o, 900), "%s", kernels[i]);
            clear(&other);
        }
    clear(&o);
    gm_context_free(pooled);
    gm_pool_free(pool);
    gm_context_free(ctx);
}
END_TEST

START_TEST(test_refusals)
{
    gm_cancel *cancel = gm_cancel_create(NULL);
    gm_context_config config = {.struct_size = sizeof config, .cancel = cancel};
    gm_context *ctx;
    ck_assert(gm_context_create(&config, &ctx) == GM_OK);
    const char *how[] = {"seed", "1", "warmup", "100", NULL}, *none[] = {NULL},
               *wrong[] = {"seed", "1", "warm", "3", NULL};
    watch w = {.trip_at = 5000, .cancel = cancel};
    outcome o = sample(ctx, watched, &w, 3, NULL, how, 2, 100000);
    ck_assert_int_eq(o.code, GM_E_CANCELLED);
    ck_assert_int_eq(w.calls, 5000);
    for (int i = 0; i < 600000; i++)
        must(o.draws[i] == 0);
    clear(&o);
    gm_cancel_reset(cancel);
    w = (watch){.trip_at = 50, .give = GM_E_IO};
    o = sample(ctx, watched, &w, 3, NULL, how, 2, 10);
    ck_assert_int_eq(o.code, GM_E_IO);
    ck_assert_ptr_nonnull(strstr(test_error(ctx), "GM_E_IO"));
    clear(&o);
    w = (watch){.trip_at = 50, .give = 77};
    o = sample(ctx, watched, &w, 3, NULL, how, 2, 10);
    ck_assert_int_eq(o.code, GM_E_ARG);
    clear(&o);
    o = sample(ctx, nowhere, NULL, 3, NULL, how, 2, 10);
    ck_assert_int_eq(o.code, GM_E_NONFINITE);
    ck_assert_ptr_nonnull(strstr(test_error(ctx), "start_radius"));
    clear(&o);
    o = sample(ctx, flat, NULL, 3, NULL, how, 2, 10);
    ck_assert_int_eq(o.code, GM_E_NONFINITE);
    ck_assert_ptr_nonnull(strstr(test_error(ctx), "no maximum"));
    clear(&o);
    for (int i = 0; i < 2; i++) { /* before any call of the density */
        double start[6] = {0};
        start[4] = i ? -INFINITY : NAN;
        w = (watch){0};
        o = sample(ctx, watched, &w, 3, start, how, 2, 10);
        ck_assert_int_eq(o.code, GM_E_NONFINITE);
        ck_assert_ptr_nonnull(strstr(test_error(ctx), "start of chain 2: coordinate 2 of 3 is "));
        ck_assert_int_eq(w.calls, 0);
        clear(&o);
    }
    o = sample(ctx, gaussian, NULL, 3, NULL, none, 2, 10);
    ck_assert_int_eq(o.code, GM_E_SEED);
    clear(&o);
    o = sample(ctx, gaussian, NULL, 3, NULL, wrong, 2, 10);
    ck_assert_int_eq(o.code, GM_E_UNKNOWN);
    clear(&o);
    gm_context_free(ctx);
    gm_cancel_free(cancel);
}
END_TEST

static gm_status starved(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx;
    gm_options *how = NULL;
    double draws[60];
    gm_target target = {.struct_size = sizeof target, .dim = 3, .log_density = gaussian};
    gm_nuts_result r = {.struct_size = sizeof r, .draws = draws};
    gm_chains_summary s = {.struct_size = sizeof s};
    (void)arg;
    gm_status code = gm_context_create(&config, &ctx);
    if (code)
        return code;
    code = gm_options_create(ctx, &how);
    if (!code)
        code = gm_options_set_text(ctx, how, "seed", "1");
    if (!code)
        code = gm_options_set_text(ctx, how, "warmup", "30");
    if (!code)
        code = gm_nuts(ctx, &target, NULL, how, 2, 10, &r);
    if (!code)
        code = gm_chains_summarise(ctx, draws, 2, 10, 3, 0, &s);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(test_memory_short)
{
    ck_assert_int_gt(test_every_failure(starved, NULL, 0), 5);
}
END_TEST

/* ---- Fitted densities ------------------------------------------------------------------------ */

static gm_model *fitted(gm_context *ctx, int whole)
{
    double x[2 * 300];
    uint64_t state = 4;
    for (int i = 0; i < 300; i++) {
        x[2 * i] = test_uniform(&state, -1, 1) + test_uniform(&state, -1, 1);
        x[2 * i + 1] =
            whole ? (double)(test_random(&state) % 9) : 3 * x[2 * i] + test_uniform(&state, -1, 1);
    }
    const char *pairs[] = {"seed", "1", "steps", "60", "layers", "2", "hidden", "12", NULL};
    gm_options *how = settings(ctx, pairs);
    gm_dataset *rows, *typed = NULL;
    gm_model *model;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 300, 2, 0, &rows));
    if (whole)
        test_ok(ctx, gm_dataset_with_type(ctx, rows, 1, GM_COLUMN_INTEGER, 0, &typed));
    test_ok(ctx, gm_fit(ctx, "flow", whole ? typed : rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(typed);
    return model;
}

START_TEST(test_density)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = fitted(ctx, 0), *counts = fitted(ctx, 1);
    const char *pairs[] = {"precision", "f64", NULL};
    gm_options *how = settings(ctx, pairs);
    gm_density *density, *none;
    double logp, grad[2], want, slope[2], x[2] = {0.3, 1.1}, mean[2] = {0};
    gm_array at, to;
    test_ok(ctx, gm_density_create(ctx, model, NULL, how, &density));
    test_fails(ctx, gm_density_create(ctx, counts, NULL, NULL, &none), GM_E_UNSUPPORTED,
               "column 2");
    must(none == NULL && gm_density_dim(density) == 2 && gm_density_dim(NULL) == 0);
    gm_array_init(&at, GM_F64, x, 1, 2);
    gm_array_init(&to, GM_F64, slope, 1, 2);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &at, NULL, how, &want, &to));
    gm_model_free(model);
    gm_model_free(counts);
    gm_options_free(how);
    must(gm_density_log_prob(density, x, &logp, grad) == GM_OK);
    must(logp == want && grad[0] == slope[0] && grad[1] == slope[1]);
    must(gm_density_log_prob(density, x, &logp, NULL) == GM_OK && logp == want);
    x[1] = NAN;
    must(gm_density_log_prob(density, x, &logp, grad) == GM_OK && logp == -INFINITY &&
         grad[0] == 0);
    must(gm_density_log_prob(NULL, x, &logp, grad) == GM_E_ARG);

    /* drawn by NUTS from four threads, and in turn: the same bits, and the means of the rows */
    const char *run[] = {"seed", "2", "warmup", "150", "parallel", "1", NULL};
    gm_pool *pool = gm_pool_create(NULL, 4);
    gm_context_config config = {.struct_size = sizeof config, .pool = pool};
    gm_context *pooled;
    ck_assert(gm_context_create(&config, &pooled) == GM_OK);
    outcome o = sample(pooled, gm_density_log_prob, density, 2, NULL, run, 4, 250);
    ck_assert_msg(!o.code, "%s", test_error(pooled));
    run[5] = "0";
    outcome turn = sample(ctx, gm_density_log_prob, density, 2, NULL, run, 4, 250);
    must(!turn.code && hash(&turn, 2000) == hash(&o, 2000));
    for (int i = 0; i < 1000; i++)
        for (int j = 0; j < 2; j++)
            mean[j] += o.draws[2 * i + j] / 1000;
    must_msg(fabs(mean[0]) < 0.3 && fabs(mean[1]) < 0.9, "means %g %g", mean[0], mean[1]);
    clear(&o);
    clear(&turn);
    gm_density_free(density);
    gm_context_free(pooled);
    gm_pool_free(pool);
    gm_context_free(ctx);
}
END_TEST

/* ---- Chains ---------------------------------------------------------------------------------- */

/* Autoregressive chains, cubed or not, as ArviZ 0.21 (NumPy 1.26) sees them. */
static const struct {
    int seed, chains, draws;
    double follow, shift;
    int power;
    double mean, deviation, mean_error, deviation_error, low, median, high, rhat, bulk, tail;
} cases[] = {
    {1, 4, 100, 0.5, 0, 1, -0.10153492189264714, 0.5518041499771339, 0.042218982445599136,
     0.021176483078990709, -0.99866167861116695, -0.10099535237617829, 0.79212689664997327,
     1.0229599195925818, 169.06571195358461, 176.1539716196379},
    {2, 3, 250, 0.9, 0.1, 1, 0.096289642739796455, 1.2082187402643507, 0.17930680715131711,
     0.090340048774526782, -1.724417960978248, 0.068929646561381203, 2.1967625849305827,
     1.061473460825022, 46.017476336205888, 101.04366352641492},
    {3, 2, 64, -0.6, 0, 3, -0.029205371949387576, 0.60022702564339958, 0.036547414177288282,
     0.075129084903147042, -1.0481100908289571, 5.2344111010460995e-05, 1.361061818612832,
     0.99907402873099127, 269.72287611492715, 143.59828981047534},
    {4, 4, 101, 0, 0.5, 1, 0.77414456488429129, 0.75847832768169809, 0.27495519508476601,
     0.087568411418516012, -0.47005542431952646, 0.79361297842107104, 1.9869225132618229,
     1.5545116066009264, 7.7215770801388528, 46.733671314399295},
};
#define CASES ((int)(sizeof cases / sizeof cases[0]))

START_TEST(test_chains)
{
    gm_context *ctx = test_context(NULL);
    uint64_t state = (uint64_t)cases[_i].seed;
    double x[1000 * 2];
    int64_t m = cases[_i].chains, n = cases[_i].draws;
    for (int64_t c = 0; c < m; c++) {
        double v = 0;
        for (int64_t i = 0; i < n; i++) {
            double a = test_uniform(&state, 0, 1), b = test_uniform(&state, 0, 1);
            v = cases[_i].follow * v + (a + b + test_uniform(&state, 0, 1) - 1.5);
            double y = v + cases[_i].shift * (double)c;
            x[2 * (c * n + i) + 1] = cases[_i].power == 3 ? y * y * y : y;
        }
    }
    gm_chains_summary s = summary(ctx, x, m, n, 2, 1);
    const double *want = &cases[_i].mean,
                 got[] = {s.mean,   s.deviation, s.mean_error, s.deviation_error, s.low,
                          s.median, s.high,      s.rhat,       s.ess_bulk,        s.ess_tail};
    for (int i = 0; i < 10; i++)
        must_msg(test_close(got[i], want[i], 1e-9, 1e-12), "figure %d: %.17g, not %.17g", i, got[i],
                 want[i]);
    gm_context_free(ctx);
}
END_TEST

START_TEST(test_odd_chains)
{
    gm_context *ctx = test_context(NULL);
    double x[40];
    gm_chains_summary s = {.struct_size = sizeof s};
    for (int i = 0; i < 40; i++)
        x[i] = 3;
    s = summary(ctx, x, 2, 20, 1, 0);
    must(s.rhat != s.rhat && s.ess_bulk == 40 && s.mean == 3 && s.deviation == 0);
    test_fails(ctx, gm_chains_summarise(ctx, x, 2, 3, 1, 0, &s), GM_E_SHAPE, "four");
    test_fails(ctx, gm_chains_summarise(ctx, x, 2, 20, 1, 1, &s), GM_E_SHAPE, NULL);
    x[7] = INFINITY;
    test_fails(ctx, gm_chains_summarise(ctx, x, 2, 20, 1, 0, &s), GM_E_DATA, "finite");
    gm_context_free(ctx);
}
END_TEST

/* A sampler's step may lead beyond what a family reckons with: no density, and no failure. */
START_TEST(far_away)
{
    gm_context *ctx = test_context(NULL);
    double rows[40], x[2] = {1e200, -1e200}, logp, grad[2] = {1, 1};
    uint64_t state = 3;
    for (int i = 0; i < 40; i++)
        rows[i] = test_uniform(&state, -1, 1);
    gm_dataset *data;
    gm_model *model;
    gm_density *density;
    const char *seed[] = {"seed", "1", NULL};
    gm_options *how = settings(ctx, seed);
    test_ok(ctx, gm_dataset_from_f64(ctx, rows, 20, 2, 0, &data));
    test_ok(ctx, gm_fit(ctx, "kde", data, how, &model));
    test_ok(ctx, gm_density_create(ctx, model, NULL, NULL, &density));
    must(gm_density_log_prob(density, x, &logp, grad) == GM_OK && logp == -INFINITY);
    must(grad[0] == 0 && grad[1] == 0);
    must(gm_density_log_prob(density, rows, &logp, grad) == GM_OK && logp > -5);
    gm_density_free(density);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(data);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("posterior");
    TCase *t = tcase_create("nuts");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_gaussian, 0, 3);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_funnel);
    tcase_add_test(t, test_wall);
    tcase_add_loop_test(t, test_same_bits, 0, 2);
    tcase_add_test(t, test_refusals);
    tcase_add_test(t, test_memory_short);
    tcase_add_test(t, test_density);
    suite_add_tcase(s, t);
    t = tcase_create("chains");
    tcase_add_loop_test(t, test_chains, 0, CASES);
    tcase_add_test(t, test_odd_chains);
    tcase_add_test(t, far_away);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
