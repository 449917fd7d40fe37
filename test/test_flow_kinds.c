/* The kinds of flow beside couplings: autoregressive ones and their inverses, additive couplings,
 * a differential equation; and the bases. */
#include "flow_jacobian.h"

#define D 5
static const double log_two_pi = 1.83787706640934548356;

static const char *const kinds[][3] = {
    {"structure=coupling", "coupling=nice", "mixing=lu"},
    {"structure=coupling", "coupling=nice", "mixing=swap"},
    {"structure=coupling", "coupling=nsf", "mixing=none"},
    {"structure=autoregressive", "coupling=realnvp", "mixing=swap"},
    {"structure=autoregressive", "coupling=nsf", "mixing=lu"},
    {"structure=autoregressive", "coupling=nice", "mixing=permutation"},
    {"structure=inverse", "coupling=realnvp", "mixing=swap"},
    {"structure=inverse", "coupling=nsf", "mixing=none"},
    {"structure=inverse", "coupling=nice", "mixing=lu"},
    {"structure=continuous", "activation=tanh", "mixing=none"},
};
#define KINDS ((int)(sizeof kinds / sizeof kinds[0]))
#define CONTINUOUS 9

static gm_model *fit_kind(gm_context *ctx, int kind, const double *x, int64_t n, int64_t d,
                          const char *const *more)
{
    const char *settings[24] = {"seed=3", kinds[kind][0], kinds[kind][1], kinds[kind][2]};
    int at = 4;
    while (*more)
        settings[at++] = *more++;
    settings[at] = NULL;
    return case_fit(ctx, x, n, d, settings);
}

/* ---- Inverse --------------------------------------------------------------------------------- */

static void check_inverse(int kind, const char *precision, double bound, const char *residual)
{
    enum { N = 700 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(2000, D, 1);
    static double x[N * D], z[N * D], back[N * D];
    const char *more[] = {"steps=60", "layers=3", "hidden=32,32", "batch=200", precision,
                          residual,   NULL};
    gm_model *model = fit_kind(ctx, kind, data, 2000, D, more);
    double *fresh = case_cloud(N, D, 77);
    memcpy(x, fresh, sizeof x);
    gm_array ax = case_array(GM_F64, x, N, D), az = case_array(GM_F64, z, N, D),
             ab = case_array(GM_F64, back, N, D);
    gm_options *as = case_options(ctx, (const char *[]){"precision=model", NULL});
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, as, &az));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, as, &ab));
    for (int i = 0; i < N * D; i++)
        ck_assert_msg(fabs(back[i] - x[i]) <= bound * fmax(1, fabs(x[i])),
                      "kind %d: value %d is %.17g, came back as %.17g", kind, i, x[i], back[i]);
    gm_options_free(as);
    gm_model_free(model);
    gm_context_free(ctx);
    free(fresh);
    free(data);
}

START_TEST(comes_back_f64)
{
    check_inverse(_i % KINDS, "precision=f64", _i % KINDS == CONTINUOUS ? 1e-3 : 1e-9,
                  _i < KINDS ? "residual=0" : "residual=1");
}
END_TEST

START_TEST(comes_back_f32)
{
    check_inverse(_i, "precision=f32", _i == CONTINUOUS ? 1e-3 : 2e-4, "residual=0");
}
END_TEST

/* ---- Jacobian -------------------------------------------------------------------------------- */

START_TEST(log_det)
{
    enum { N = 25 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(2000, D, 2), logp[N], z[N * D], jac[N * D * D];
    const char *more[] = {"steps=60",
                          "layers=3",
                          "hidden=24,16",
                          "transform=none",
                          "precision=f64",
                          _i == CONTINUOUS ? "layers=12" : "start=1",
                          NULL};
    gm_model *model = fit_kind(ctx, _i, data, 2000, D, more);
    gm_options *as = case_options(ctx, (const char *[]){"precision=model", NULL});
    gm_array ax = case_array(GM_F64, data, N, D), az = case_array(GM_F64, z, N, D);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, NULL, logp, NULL));
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, as, &az));
    jacobian(ctx, model, GM__F64, N, data, jac);
    for (int i = 0; i < N; i++) {
        double base = -0.5 * D * log_two_pi, det = log_abs_det(jac + i * D * D, D);
        for (int j = 0; j < D; j++)
            base -= 0.5 * z[i * D + j] * z[i * D + j];
        ck_assert_msg(fabs(logp[i] - base - det) <= (_i == CONTINUOUS ? 1e-3 : 1e-9),
                      "kind %d, row %d: log det %.12g, by its Jacobian %.12g", _i, i,
                      logp[i] - base, det);
    }
    gm_options_free(as);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* z_j of an autoregressive flow without mixing depends on no later column. */
START_TEST(later_columns)
{
    enum { N = 3 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(500, D, 2), jac[N * D * D];
    const char *settings[] = {"seed=3",
                              "steps=40",
                              "structure=autoregressive",
                              "mixing=none",
                              "layers=3",
                              "hidden=24,16",
                              "transform=none",
                              "precision=f64",
                              _i ? "residual=1" : "residual=0",
                              NULL};
    gm_model *model = case_fit(ctx, data, 500, D, settings);
    jacobian(ctx, model, GM__F64, N, data, jac);
    double below = 0;
    for (int i = 0; i < N * D * D; i++) {
        int row = i / D % D, column = i % D;
        if (column > row)
            ck_assert_msg(jac[i] == 0, "dz_%d/dx_%d is %g", row, column, jac[i]);
        else if (column < row)
            below += fabs(jac[i]);
    }
    ck_assert_double_gt(below, 0.1);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* The gradient of log p in x by central differences. */
START_TEST(gradient_in_x)
{
    enum { N = 6 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(1000, D, 4), grad[N * D], logp[N], up[N], down[N], moved[N * D];
    const char *more[] = {"steps=40", "layers=2", "hidden=16", "precision=f64", NULL};
    gm_model *model = fit_kind(ctx, _i, data, 1000, D, more);
    gm_array ax = case_array(GM_F64, data, N, D), ag = case_array(GM_F64, grad, N, D);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &ax, NULL, NULL, logp, &ag));
    for (int j = 0; j < D; j++) {
        const double h = 1e-6;
        memcpy(moved, data, sizeof moved);
        for (int i = 0; i < N; i++)
            moved[i * D + j] += h;
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, moved, N, 0, NULL, up));
        for (int i = 0; i < N; i++)
            moved[i * D + j] -= 2 * h;
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, moved, N, 0, NULL, down));
        for (int i = 0; i < N; i++)
            ck_assert_msg(test_close(grad[i * D + j], (up[i] - down[i]) / (2 * h), 1e-4, 1e-4),
                          "kind %d, row %d column %d: %g, by differences %g", _i, i, j,
                          grad[i * D + j], (up[i] - down[i]) / (2 * h));
    }
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* ---- Densities ------------------------------------------------------------------------------- */

START_TEST(integrates_to_one)
{
    enum { SIDE = 300 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(3000, 2, 7), low = -12, high = 16, step = (high - low) / SIDE,
           sum = 0;
    const char *more[] = {"steps=150", "layers=4", "hidden=32", "base=mixture", NULL};
    gm_model *model = fit_kind(ctx, _i, data, 3000, 2, more);
    for (int i = 0; i < SIDE; i++) {
        double row[SIDE * 2], logp[SIDE];
        for (int j = 0; j < SIDE; j++) {
            row[2 * j] = low + (i + 0.5) * step;
            row[2 * j + 1] = low + (j + 0.5) * step;
        }
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, row, SIDE, 0, NULL, logp));
        for (int j = 0; j < SIDE; j++)
            sum += exp(logp[j]) * step * step;
    }
    ck_assert_msg(fabs(sum - 1) < 0.01, "kind %d integrates to %g", _i, sum);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

START_TEST(log_densities_beside_samples)
{
    enum { N = 200 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(1000, D, 9), x[N * D], beside[N], after[N];
    const char *more[] = {"steps=60", "layers=3", "hidden=16", NULL};
    gm_model *model = fit_kind(ctx, _i, data, 1000, D, more);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", NULL});
    gm_array ax = case_array(GM_F64, x, N, D);
    test_ok(ctx, gm_model_sample(ctx, model, N, NULL, how, &ax, beside));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, after));
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(beside[i] - after[i]) < 1e-3, "row %d: %g and %g", i, beside[i],
                      after[i]);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* structure=inverse with the weights of an autoregressive flow maps as that one maps back: one
 * decodes what the other encodes. */
START_TEST(inverse_of_the_same_nets)
{
    enum { N = 100 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(800, D, 9), z[N * D], back[N * D];
    const char *more[] = {"steps=0", "layers=1",       "hidden=16,8",   "identity=0",
                          "batch=8", "transform=none", "precision=f64", NULL};
    int pair[2] = {7, 4};
    const char *settings[2][16];
    gm_model *model[2];
    for (int k = 0; k < 2; k++) {
        int at = 0;
        settings[k][at++] = "seed=3";
        settings[k][at++] = kinds[pair[k]][0];
        settings[k][at++] = _i ? "coupling=nsf" : "coupling=realnvp";
        settings[k][at++] = "mixing=none";
        for (int i = 1; more[i]; i++)
            settings[k][at++] = more[i];
        settings[k][at++] = "steps=1";
        settings[k][at] = NULL;
        model[k] = case_fit(ctx, data, 800, D, settings[k]);
    }
    ck_assert_int_eq(model[0]->structure->layout.size, model[1]->structure->layout.size);
    memcpy(model[0]->params, model[1]->params, (size_t)model[1]->structure->layout.size * 8);
    gm_array ax = case_array(GM_F64, data, N, D), az = case_array(GM_F64, z, N, D),
             ab = case_array(GM_F64, back, N, D);
    test_ok(ctx, gm_model_encode(ctx, model[1], &ax, NULL, NULL, &az));
    test_ok(ctx, gm_model_encode(ctx, model[0], &az, NULL, NULL, &ab));
    for (int i = 0; i < N * D; i++)
        ck_assert_msg(fabs(back[i] - data[i]) < 1e-9 * fmax(1, fabs(data[i])),
                      "value %d is %.12g, came back as %.12g", i, data[i], back[i]);
    gm_model_free(model[0]);
    gm_model_free(model[1]);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* ---- Bases ----------------------------------------------------------------------------------- */

static const double *named(const gm_model *model, const char *name)
{
    const gm__slot *s = gm__layout_find(&model->structure->layout, name);
    ck_assert_ptr_nonnull(s);
    return (const double *)model->params + s->offset;
}

/* log p less log |det| is the base by hand: its parameters after some steps. */
START_TEST(base_by_hand)
{
    enum { N = 20, K = 3 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(2000, D, 2), logp[N], z[N * D], jac[N * D * D];
    const char *more[] = {"steps=60",      "layers=2",
                          "hidden=16",     "transform=none",
                          "components=3",  _i ? "base=mixture" : "base=student",
                          "precision=f64", NULL};
    gm_model *model = fit_kind(ctx, 3, data, 2000, D, more);
    gm_options *as = case_options(ctx, (const char *[]){"precision=model", NULL});
    gm_array ax = case_array(GM_F64, data, N, D), az = case_array(GM_F64, z, N, D);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, NULL, logp, NULL));
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, as, &az));
    jacobian(ctx, model, GM__F64, N, data, jac);
    for (int i = 0; i < N; i++) {
        double p = 0, weights = 0, base = 0;
        for (int k = 0; _i && k < K; k++)
            weights += exp(named(model, "base.weight")[k]);
        for (int k = 0; _i && k < K; k++) {
            double log_n = named(model, "base.weight")[k] - log(weights) - 0.5 * D * log_two_pi;
            for (int j = 0; j < D; j++) {
                double s = named(model, "base.log_deviation")[k * D + j],
                       e = (z[i * D + j] - named(model, "base.mean")[k * D + j]) / exp(s);
                log_n -= 0.5 * e * e + s;
            }
            p += exp(log_n);
        }
        for (int j = 0; !_i && j < D; j++) {
            double v = 2 + exp(named(model, "base.log_degrees")[j] + 3);
            base += lgamma((v + 1) / 2) - lgamma(v / 2) - 0.5 * log(v * 3.14159265358979323846) -
                    (v + 1) / 2 * log1p(z[i * D + j] * z[i * D + j] / v);
        }
        if (_i)
            base = log(p);
        double want = base + log_abs_det(jac + i * D * D, D);
        ck_assert_msg(fabs(logp[i] - want) < 1e-8, "row %d: %.12g, by hand %.12g", i, logp[i],
                      want);
    }
    gm_options_free(as);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* A flow that keeps volumes over a mixture of well parted clusters: draws fall on the clusters in
 * their shares. */
START_TEST(mixture_draws)
{
    enum { N = 4000 };
    gm_context *ctx = test_context(NULL);
    static double x[N * 2], drawn[N * 2];
    static const double centre[3][2] = {{-6, 0}, {5, 5}, {4, -6}};
    double share[3] = {0}, far = 0;
    uint64_t state = 5;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 2; j++)
            x[2 * i + j] = centre[i % 10 < 5   ? 0
                                  : i % 10 < 8 ? 1
                                               : 2][j] +
                           0.5 * case_normal(&state);
    const char *settings[] = {"seed=2",       "steps=4000",   "layers=1",      "hidden=8",
                              "base=mixture", "components=6", "coupling=nice", NULL};
    gm_model *model = case_fit(ctx, x, N, 2, settings);
    gm_options *seed = case_options(ctx, (const char *[]){"seed=4", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, seed, drawn));
    for (int i = 0; i < N; i++) {
        int at = -1;
        for (int k = 0; k < 3; k++)
            if (hypot(drawn[2 * i] - centre[k][0], drawn[2 * i + 1] - centre[k][1]) < 3)
                at = k;
        if (at >= 0)
            share[at] += 1.0 / N;
        else
            far += 1.0 / N;
    }
    ck_assert_msg(far < 0.06 && fabs(share[0] - 0.5) < 0.04 && fabs(share[1] - 0.3) < 0.04,
                  "shares %g %g %g, elsewhere %g", share[0], share[1], share[2], far);
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Columns given those before them --------------------------------------------------------- */

static const char *const lawful[][2] = {{"coupling=nsf", "base=normal"},
                                        {"coupling=realnvp", "base=mixture"},
                                        {"coupling=nice", "start=1"}};

/* The laws of a row's columns add up to its log density, and each is the slope of its own
 * distribution function. */
START_TEST(laws)
{
    enum { N = 8, W = 3 };
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(1000, W, 9), logp[N], sum[N] = {0};
    const char *settings[] = {"seed=3",      "steps=60",    "structure=autoregressive",
                              "layers=2",    "mixing=none", "hidden=16,16",
                              lawful[_i][0], lawful[_i][1], "precision=f64",
                              NULL};
    gm_model *model = case_fit(ctx, data, 1000, W, settings);
    gm_conditional *c;
    gm_array rows = case_array(GM_F64, data, N, W);
    int64_t order[W];
    unsigned char known[W] = {0};
    test_ok(ctx, gm_model_log_prob(ctx, model, &rows, NULL, NULL, logp, NULL));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    ck_assert_int_eq(gm_conditional_order(c, order), 0);
    for (int j = 0; j < W; j++) {
        const double h = 1e-5;
        double value[N], up[N], down[N], log_here[N], below[N], low[N], above[N];
        ck_assert_int_eq(order[j], j);
        test_ok(ctx, gm_conditional_set(ctx, c, &rows, NULL, known, j));
        for (int i = 0; i < N; i++) {
            value[i] = data[i * W + j];
            up[i] = value[i] + h;
            down[i] = value[i] - h;
        }
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, N, value, log_here));
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, N, value, below, above));
        for (int i = 0; i < N; i++)
            ck_assert_double_eq_tol(below[i] + above[i], 1, 1e-12);
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, N, up, below, NULL));
        test_ok(ctx, gm_conditional_cdf(ctx, c, 0, N, down, low, NULL));
        for (int i = 0; i < N; i++) {
            double slope = (below[i] - low[i]) / (2 * h);
            sum[i] += log_here[i];
            ck_assert_msg(fabs(slope - exp(log_here[i])) < 1e-4 * (1 + slope),
                          "column %d row %d: density %g, slope %g", j, i, exp(log_here[i]), slope);
        }
        known[j] = 1;
    }
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(sum[i] - logp[i]) < 1e-9, "row %d: laws add to %.12g, log p is %.12g", i,
                      sum[i], logp[i]);
    gm_conditional_free(c);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* Other flows have none, and say so where laws are fixed by no order. */
START_TEST(no_laws)
{
    gm_context *ctx = test_context(NULL);
    double *data = case_cloud(200, 3, 9);
    const char *settings[] = {"seed=3",       "steps=2",     "structure=autoregressive",
                              "base=student", "mixing=none", NULL};
    gm_model *model = case_fit(ctx, data, 200, 3, settings);
    gm_conditional *c = NULL;
    int64_t order[3];
    /* by a grid of log_prob, of one column given all the others */
    if (gm_conditional_create(ctx, model, NULL, &c) == GM_OK) {
        gm_array rows = case_array(GM_F64, data, 1, 3);
        gm_conditional_order(c, order);
        ck_assert_int_eq(
            gm_conditional_set(ctx, c, &rows, NULL, (const unsigned char[]){0, 0, 0}, 0),
            GM_E_UNSUPPORTED);
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* ---- The differential equation --------------------------------------------------------------- */

/* Training by random probes is training by the exact trace in the mean: both fits come near the
 * truth. */
START_TEST(random_traces)
{
    enum { N = 3000 };
    gm_context *ctx = test_context(NULL);
    double *data = malloc(2 * N * 2 * sizeof *data), logp[N], mean = 0;
    uint64_t state = 3;
    for (int i = 0; i < 2 * N; i++) {
        data[2 * i] = case_normal(&state);
        data[2 * i + 1] = 0.8 * data[2 * i] + 0.6 * case_normal(&state);
    }
    const char *settings[] = {"seed=1",
                              "structure=continuous",
                              "activation=tanh",
                              "steps=400",
                              "layers=4",
                              "hidden=24",
                              "batch=200",
                              _i ? "trace=hutchinson" : "trace=exact",
                              NULL};
    gm_model *model = case_fit(ctx, data, N, 2, settings);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, data + 2 * N, N, 0, NULL, logp));
    for (int i = 0; i < N; i++) {
        const double *r = data + 2 * (N + i);
        double e = (r[1] - 0.8 * r[0]) / 0.6;
        mean += (logp[i] + 0.5 * (r[0] * r[0] + e * e) + log_two_pi + log(0.6)) / N;
    }
    ck_assert_msg(mean > -0.06 && mean < 0.02, "mean log q - log p is %g", mean);
    gm_model_free(model);
    gm_context_free(ctx);
    free(data);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("flow kinds");
    TCase *t = tcase_create("flow kinds");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, comes_back_f64, 0, test_quick() ? KINDS : 2 * KINDS);
    tcase_add_loop_test(t, comes_back_f32, 0, test_quick() ? 0 : KINDS);
    tcase_add_loop_test(t, log_det, 0, KINDS);
    tcase_add_loop_test(t, later_columns, 0, 2);
    tcase_add_loop_test(t, gradient_in_x, 0, KINDS);
    tcase_add_loop_test(t, integrates_to_one, 0, test_quick() ? 0 : KINDS);
    tcase_add_loop_test(t, log_densities_beside_samples, 0, test_quick() ? 0 : KINDS);
    tcase_add_loop_test(t, inverse_of_the_same_nets, 0, 2);
    tcase_add_loop_test(t, base_by_hand, 0, 2);
    if (!test_quick())
        tcase_add_test(t, mixture_draws);
    tcase_add_loop_test(t, laws, 0, (int)(sizeof lawful / sizeof lawful[0]));
    tcase_add_test(t, no_laws);
    tcase_add_loop_test(t, random_traces, 0, test_quick() ? 0 : 2);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
