/* Samplers, codes and densities of a diffusion whose velocity is known: that of a normal density.
 */
#include "base/io.h"
#include "genmod/extend.h"
#include "flow_cases.h"

#include <threads.h>
#include <time.h>

/* ---- A normal density N(mean, S), S = axes diag(variances) axes' ------------------------------
 */

#define D 3
static const double mean[D] = {0.7, -1.2, 0.4}, variances[D] = {2.5, 0.3, 0.05};

/* A rotation: the unit quaternion (1, 2, 3, 4) / sqrt(30). Column k is axis k. */
static const double axes[D * D] = {-20.0 / 30, 4.0 / 30,  22.0 / 30, 20.0 / 30, -10.0 / 30,
                                   20.0 / 30,  10.0 / 30, 28.0 / 30, 4.0 / 30};

#define LEVELS 200
#define LAST (1.57079632679489661923 - 1e-6) /* so near to noise alone that nothing shows */

static int64_t bell_levels(gm_builder *b)
{
    (void)b;
    return LEVELS;
}

static void bell_schedule(gm_builder *b, int64_t levels, double *squared_signal)
{
    (void)b;
    for (int64_t k = 1; k <= levels; k++) {
        double c = cos(LAST * (double)k / (double)levels);
        squared_signal[k - 1] = c * c;
    }
}

/* x = c row + s noise is N(c mean, M), M = c^2 S + s^2 I; the velocity expected of it is
 * c s (I - S) M^-1 (x - c mean) - s mean. */
static gm_node *bell_velocity(gm_builder *b, const gm_noised *at)
{
    int64_t square[2] = {D, D}, row = D;
    double rest[D];
    for (int j = 0; j < D; j++)
        rest[j] = 1 - variances[j];
    gm_node *turn = gm_const_array(b, 2, square, axes), *m = gm_const_array(b, 1, &row, mean);
    gm_node *c = at->signal, *s = at->sigma;
    gm_node *u = gm_matmul(b, gm_sub(b, at->x, gm_mul(b, c, m)), turn, 0, 0);
    gm_node *spread = gm_add(b, gm_mul(b, gm_square(b, c), gm_const_array(b, 1, &row, variances)),
                             gm_square(b, s));
    gm_node *slope =
        gm_div(b, gm_mul(b, gm_mul(b, c, s), gm_const_array(b, 1, &row, rest)), spread);
    return gm_sub(b, gm_matmul(b, gm_mul(b, slope, u), turn, 0, 1), gm_mul(b, s, m));
}

static gm_node *no_loss(gm_builder *b, gm_node *x)
{
    gm_node *w = gm_param(b, "w", 0, NULL, GM_INIT_ZEROS, 0);
    return gm_add(b, gm_sum(b, gm_scale(b, x, 0), -1, 0), w);
}

static const gm_diffusion bell_diffusion = {.struct_size = sizeof bell_diffusion,
                                            .levels = bell_levels,
                                            .schedule = bell_schedule,
                                            .velocity = bell_velocity};
static const gm_family bell = {.struct_size = sizeof bell,
                               .version = 1,
                               .name = "bell",
                               .summary = "a normal density known in full",
                               .loss = no_loss,
                               .diffusion = &bell_diffusion};

static gm_model *bell_model(gm_context *ctx)
{
    double *x = case_cloud(40, D, 5);
    gm_dataset *rows;
    gm_model *model;
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=1", "transform=none", "precision=f64", NULL});
    test_ok(ctx, gm_family_register(ctx, &bell));
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, D, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "bell", rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    free(x);
    return model;
}

/* ---- What is known of it ----------------------------------------------------------------------
 */

static void turn(const double *x, int back, double *u)
{
    for (int j = 0; j < D; j++) {
        u[j] = 0;
        for (int k = 0; k < D; k++)
            u[j] += back ? axes[j * D + k] * x[k] : axes[k * D + j] * x[k];
    }
}

/* The flow along the path from angle a to b: what lies along axis j grows as its deviation does. */
static void exact_flow(const double *x, double a, double b, double *y)
{
    double away[D], u[D];
    for (int j = 0; j < D; j++)
        away[j] = x[j] - cos(a) * mean[j];
    turn(away, 0, u);
    for (int j = 0; j < D; j++)
        u[j] *= sqrt((cos(b) * cos(b) * variances[j] + sin(b) * sin(b)) /
                     (cos(a) * cos(a) * variances[j] + sin(a) * sin(a)));
    turn(u, 1, y);
    for (int j = 0; j < D; j++)
        y[j] += cos(b) * mean[j];
}

static double exact_log_prob(const double *x)
{
    double away[D], u[D], sum = 0;
    for (int j = 0; j < D; j++)
        away[j] = x[j] - mean[j];
    turn(away, 0, u);
    for (int j = 0; j < D; j++)
        sum -= 0.5 * (u[j] * u[j] / variances[j] + log(6.283185307179586 * variances[j]));
    return sum;
}

static void exact_rows(double *x, int64_t n, uint64_t state)
{
    for (int64_t i = 0; i < n; i++) {
        double u[D];
        for (int j = 0; j < D; j++)
            u[j] = sqrt(variances[j]) * case_normal(&state);
        turn(u, 1, x + i * D);
        for (int j = 0; j < D; j++)
            x[i * D + j] += mean[j];
    }
}

static void sample(gm_context *ctx, const gm_model *model, int64_t n, const char *const *settings,
                   double *x)
{
    gm_options *how = case_options(ctx, settings);
    test_ok(ctx, gm_model_sample_f64(ctx, model, n, NULL, how, x));
    gm_options_free(how);
}

/* ---- Samplers ---------------------------------------------------------------------------------
 */

/* Means and covariances along the axes, where columns are independent. */
static void check_moments(const double *x, int64_t n, const char *what)
{
    double sum[D] = {0}, products[D][D] = {{0}};
    for (int64_t i = 0; i < n; i++) {
        double away[D], u[D];
        for (int j = 0; j < D; j++)
            away[j] = x[i * D + j] - mean[j];
        turn(away, 0, u);
        for (int j = 0; j < D; j++) {
            sum[j] += u[j] / sqrt(variances[j]);
            for (int k = 0; k < D; k++)
                products[j][k] += u[j] * u[k] / sqrt(variances[j] * variances[k]);
        }
    }
    double root = sqrt((double)n);
    for (int j = 0; j < D; j++) {
        ck_assert_msg(fabs(sum[j] / root) < 4, "%s: mean %d is %g standard errors off", what, j,
                      sum[j] / root);
        for (int k = 0; k < D; k++) {
            double off =
                (products[j][k] - (j == k ? (double)n : 0)) / root / (j == k ? sqrt(2) : 1);
            ck_assert_msg(fabs(off) < 4, "%s: covariance %d, %d is %g standard errors off", what, j,
                          k, off);
        }
    }
}

START_TEST(moments)
{
    static const char *const samplers[][3] = {{"sampler=ancestral", "sampler_steps=1000"},
                                              {"sampler=heun", "sampler_steps=60"},
                                              {"sampler=ddim", "sampler_steps=2000"}};
    int64_t n = test_quick() ? 5000 : 40000;
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    double *x = malloc((size_t)n * D * sizeof *x);
    sample(ctx, model, n,
           (const char *[]){"seed=4", samplers[_i][0],
                            test_quick() && _i != 1 ? "sampler_steps=400" : samplers[_i][1], NULL},
           x);
    check_moments(x, n, samplers[_i][0]);
    free(x);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Root of the mean squared distance from the exact flow of the same noise. */
static double flow_error(gm_context *ctx, const gm_model *model, const char *sampler, int steps)
{
    enum { N = 200 };
    static double z[N * D], x[N * D];
    char text[32];
    double sum = 0;
    snprintf(text, sizeof text, "sampler_steps=%d", steps);
    sample(ctx, model, N, (const char *[]){"seed=4", "stop=1", NULL}, z);
    sample(ctx, model, N, (const char *[]){"seed=4", sampler, text, NULL}, x);
    for (int i = 0; i < N; i++) {
        double y[D];
        exact_flow(z + i * D, LAST, 0, y);
        for (int j = 0; j < D; j++)
            sum += (x[i * D + j] - y[j]) * (x[i * D + j] - y[j]);
    }
    return sqrt(sum / N);
}

START_TEST(order)
{
    static const struct {
        const char *sampler;
        double low, high;
    } cases[] = {{"sampler=ddim", 1.8, 2.2}, {"sampler=heun", 3.6, 4.4}};
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    double last = flow_error(ctx, model, cases[_i].sampler, 100);
    for (int steps = 200; steps <= 800; steps *= 2) {
        double now = flow_error(ctx, model, cases[_i].sampler, steps);
        ck_assert_msg(last / now > cases[_i].low && last / now < cases[_i].high,
                      "%s: error %g at %d steps, %g at half as many: ratio %g", cases[_i].sampler,
                      now, steps, last, last / now);
        last = now;
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* With the same seed, what is shown on the way is what the same path would have come by. */
START_TEST(stop_shows_the_way)
{
    enum { N = 50 };
    static double start[N * D], middle[N * D];
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    const char *steps = "sampler_steps=400";
    sample(ctx, model, N, (const char *[]){"seed=4", steps, "stop=1", NULL}, start);
    sample(ctx, model, N, (const char *[]){"seed=4", steps, "stop=0.4", NULL}, middle);
    for (int i = 0; i < N; i++) {
        double y[D];
        exact_flow(start + i * D, LAST, 0.4 * LAST, y);
        for (int j = 0; j < D; j++)
            must(fabs(y[j] - middle[i * D + j]) < 1e-4);
    }
    /* the last point of a grid of 5 that is not below 0.5 is 0.6 */
    sample(ctx, model, N, (const char *[]){"seed=4", "sampler_steps=5", "stop=0.5", NULL}, start);
    sample(ctx, model, N, (const char *[]){"seed=4", "sampler_steps=5", "stop=0.6", NULL}, middle);
    ck_assert(memcmp(start, middle, sizeof start) == 0);
    sample(ctx, model, N, (const char *[]){"seed=4", "sampler_steps=5", "stop=0.4", NULL}, middle);
    ck_assert(memcmp(start, middle, sizeof start) != 0);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* At temperature 0 nothing is drawn: the path of the mean, whatever the seed. */
START_TEST(cold)
{
    double a[D], b[D];
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    const char *sampler = _i ? "sampler=ancestral" : "sampler=heun";
    sample(ctx, model, 1, (const char *[]){"seed=4", sampler, "temperature=0", NULL}, a);
    sample(ctx, model, 1, (const char *[]){"seed=5", sampler, "temperature=0", NULL}, b);
    for (int j = 0; j < D; j++) {
        ck_assert(a[j] == b[j]);
        ck_assert_msg(fabs(a[j] - mean[j]) < 0.02, "column %d is %g", j, a[j]);
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Densities and codes ----------------------------------------------------------------------
 */

#define N 200

START_TEST(density)
{
    static double x[N * D], logp[N], error[N];
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    gm_array rows = case_array(GM_F64, x, N, D);
    exact_rows(x, N, 3);
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_ESTIMATE);
    gm_options *many = case_options(ctx, (const char *[]){"ode_steps=100", NULL});
    test_ok(ctx, gm_model_log_prob(ctx, model, &rows, NULL, many, logp, error));
    gm_options_free(many);
    for (int i = 0; i < N; i++) {
        double off = fabs(logp[i] - exact_log_prob(x + i * D));
        must_msg(off < 1e-4 && off <= error[i] + 5e-6, "row %d is %g off, with an error of %g", i,
                 off, error[i]);
        must(error[i] < 1e-3);
    }
    /* few steps: the error says so */
    gm_options *few = case_options(ctx, (const char *[]){"ode_steps=8", NULL});
    test_ok(ctx, gm_model_log_prob(ctx, model, &rows, NULL, few, logp, error));
    int within = 0;
    for (int i = 0; i < N; i++)
        within += fabs(logp[i] - exact_log_prob(x + i * D)) <= error[i];
    ck_assert_int_ge(within, N * 8 / 10);
    gm_options_free(few);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Squares of what is off, in standard errors, are 1 in the mean. */
START_TEST(random_trace)
{
    static double x[N * D], logp[N], error[N];
    double sum = 0, bias = 0;
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    gm_array rows = case_array(GM_F64, x, N, D);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=2", "trace=hutchinson", "probes=40", "ode_steps=20", NULL});
    exact_rows(x, N, 3);
    test_ok(ctx, gm_model_log_prob(ctx, model, &rows, NULL, how, logp, error));
    for (int i = 0; i < N; i++) {
        double off = (logp[i] - exact_log_prob(x + i * D)) / error[i];
        must_msg(fabs(off) < 5, "row %d is %g standard errors off", i, off);
        sum += off * off / N;
        bias += off / N;
    }
    ck_assert_msg(sum > 0.7 && sum < 1.5, "mean square %g", sum);
    ck_assert_msg(fabs(bias) < 4 / sqrt(N), "bias %g", bias);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(codes)
{
    static double x[N * D], z[N * D], y[N * D];
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    gm_array ax = case_array(GM_F64, x, N, D), az = case_array(GM_F64, z, N, D);
    gm_array ay = case_array(GM_F64, y, N, D);
    exact_rows(x, N, 3);
    ck_assert_int_eq(gm_model_code_count(model), D);
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, NULL, &az));
    for (int i = 0; i < N; i++) {
        exact_flow(x + i * D, 0, LAST, y);
        for (int j = 0; j < D; j++)
            must(fabs(y[j] - z[i * D + j]) < 1e-5);
    }
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &ay));
    for (int i = 0; i < N * D; i++)
        must(fabs(x[i] - y[i]) < 1e-5);
    memset(y, 0, sizeof y);
    test_ok(ctx, gm_model_reconstruct(ctx, model, &ax, NULL, NULL, &ay));
    for (int i = 0; i < N * D; i++)
        must(fabs(x[i] - y[i]) < 1e-5);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A call that is cancelled in the middle ends soon, and leaves its outputs as they were. */
static int trip(void *token)
{
    thrd_sleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    gm_cancel_trip(token);
    return 0;
}

START_TEST(cancelled)
{
    static double x[N * D], before[N * D];
    gm_cancel *token = gm_cancel_create(NULL);
    gm_context_config config = {.struct_size = sizeof config, .cancel = token};
    gm_context *ctx;
    thrd_t thread;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    gm_model *model = bell_model(ctx);
    gm_array rows = case_array(GM_F64, x, N, D);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "sampler_steps=1000000", "ode_steps=1000000", NULL});
    exact_rows(x, N, 3);
    memcpy(before, x, sizeof x);
    thrd_create(&thread, trip, token);
    if (_i == 0)
        test_fails(ctx, gm_model_sample(ctx, model, N, NULL, how, &rows, NULL), GM_E_CANCELLED,
                   NULL);
    else if (_i == 1)
        test_fails(ctx, gm_model_log_prob(ctx, model, &rows, NULL, how, before, before + N),
                   GM_E_CANCELLED, NULL);
    else
        test_fails(ctx, gm_model_reconstruct(ctx, model, &rows, NULL, how, &rows), GM_E_CANCELLED,
                   NULL);
    thrd_join(thread, NULL);
    ck_assert(memcmp(before, x, sizeof x) == 0);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
    gm_cancel_free(token);
}
END_TEST

/* ---- Options ----------------------------------------------------------------------------------
 */

START_TEST(bad_options)
{
    static const struct {
        const char *setting, *part;
        gm_status code;
    } cases[] = {{"sampler=euler", "heun, ddim, ancestral", GM_E_RANGE},
                 {"sampler_steps=0", "1 to", GM_E_RANGE},
                 {"sampler_steps=99999999999", "1 to", GM_E_RANGE},
                 {"stop=1.5", "0 to 1", GM_E_RANGE},
                 {"temperature=-1", "0 to", GM_E_RANGE},
                 {"sampler_step=4", "sampler_steps", GM_E_UNKNOWN}};
    double x[D];
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", cases[_i].setting, NULL});
    test_fails(ctx, gm_model_sample_f64(ctx, model, 1, NULL, how, x), cases[_i].code,
               cases[_i].part);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Options of the calls belong to families that take them; those of one call pass in another. */
START_TEST(options_of_calls)
{
    double x[D] = {0}, logp;
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx), *flow;
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "sampler=ddim", "ode_steps=5",
                                                         "probes=2", "sampler_steps=3", NULL});
    gm_options *random = case_options(ctx, (const char *[]){"trace=hutchinson", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, 1, NULL, how, x));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 1, 0, how, &logp));
    test_fails(ctx, gm_model_log_prob_f64(ctx, model, x, 1, 0, random, &logp), GM_E_SEED, "seed");
    double *rows = case_cloud(50, D, 5);
    flow = case_fit(ctx, rows, 50, D,
                    (const char *[]){"seed=1", "steps=1", "hidden=3", "layers=1", NULL});
    test_fails(ctx, gm_model_sample_f64(ctx, flow, 1, NULL, how, x), GM_E_UNKNOWN, "temperature");
    free(rows);
    gm_options_free(how);
    gm_options_free(random);
    gm_model_free(flow);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(gradient_is_not_answered)
{
    double x[D] = {0}, g[D];
    gm_context *ctx = test_context(NULL);
    gm_model *model = bell_model(ctx);
    gm_array ax = case_array(GM_F64, x, 1, D), ag = case_array(GM_F64, g, 1, D);
    ck_assert_int_eq(gm_model_capabilities(model), GM_CAN_SAMPLE | GM_CAN_LOG_PROB | GM_CAN_ENCODE |
                                                       GM_CAN_DECODE | GM_CAN_RECONSTRUCT);
    test_fails(ctx, gm_model_log_prob_gradient(ctx, model, &ax, NULL, NULL, NULL, &ag),
               GM_E_UNSUPPORTED, "flow");
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Families that are wrong ------------------------------------------------------------------
 */

static int64_t none(gm_builder *b)
{
    (void)b;
    return 0;
}
static int64_t far_too_many(gm_builder *b)
{
    (void)b;
    return INT64_MAX;
}
static void rising(gm_builder *b, int64_t levels, double *squared_signal)
{
    (void)b;
    for (int64_t k = 0; k < levels; k++)
        squared_signal[k] = 0.5 + 0.4 * (double)k / (double)levels;
}
static void flat(gm_builder *b, int64_t levels, double *squared_signal)
{
    (void)b;
    for (int64_t k = 0; k < levels; k++)
        squared_signal[k] = 0.5;
}
static void no_number(gm_builder *b, int64_t levels, double *squared_signal)
{
    bell_schedule(b, levels, squared_signal);
    squared_signal[levels / 2] = NAN;
}
static void to_zero(gm_builder *b, int64_t levels, double *squared_signal)
{
    bell_schedule(b, levels, squared_signal);
    squared_signal[levels - 1] = 0;
}
static void failing(gm_builder *b, int64_t levels, double *squared_signal)
{
    (void)levels;
    (void)squared_signal;
    gm_builder_fail(b, GM_E_RANGE, "no schedule today");
}
static gm_node *narrow_velocity(gm_builder *b, const gm_noised *at)
{
    return gm_slice(b, at->x, -1, 0, 1);
}
static gm_node *nothing(gm_builder *b, const gm_noised *at)
{
    (void)b;
    (void)at;
    return NULL;
}
static gm_node *unsized_draw(gm_builder *b, gm_node *x)
{
    gm_noised at = {0};
    gm_node *noise;
    gm_noised_draw(b, x, &at, &noise);
    return gm_sum(b, noise, -1, 0);
}

START_TEST(wrong_diffusions)
{
    static const struct {
        gm_diffusion diffusion;
        gm_node *(*loss)(gm_builder *b, gm_node *x);
        const char *part;
        gm_status code;
    } cases[] = {
        {{0, none, bell_schedule, bell_velocity}, no_loss, "0 noise levels", GM_E_RANGE},
        {{0, far_too_many, bell_schedule, bell_velocity}, no_loss, "noise levels", GM_E_RANGE},
        {{0, bell_levels, rising, bell_velocity}, no_loss, "less than", GM_E_RANGE},
        {{0, bell_levels, flat, bell_velocity}, no_loss, "less than", GM_E_RANGE},
        {{0, bell_levels, no_number, bell_velocity}, no_loss, "level 101", GM_E_RANGE},
        {{0, bell_levels, to_zero, bell_velocity}, no_loss, "between 0 and", GM_E_RANGE},
        {{0, bell_levels, failing, bell_velocity}, no_loss, "no schedule today", GM_E_RANGE},
        {{0, bell_levels, bell_schedule, narrow_velocity}, no_loss, "velocity", GM_E_SHAPE},
        {{0, bell_levels, bell_schedule, nothing}, no_loss, NULL, GM_E_SHAPE},
        {{0, bell_levels, bell_schedule, bell_velocity}, unsized_draw, "struct_size", GM_E_ARG},
    };
    gm_context *ctx = test_context(NULL);
    gm_diffusion diffusion = cases[_i].diffusion;
    diffusion.struct_size = sizeof diffusion;
    gm_family family = bell;
    family.name = "wrong";
    family.diffusion = &diffusion;
    family.loss = cases[_i].loss;
    double *x = case_cloud(40, D, 5);
    gm_dataset *rows;
    gm_model *model;
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "steps=1", NULL});
    test_ok(ctx, gm_family_register(ctx, &family));
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, D, 0, &rows));
    test_fails(ctx, gm_fit(ctx, "wrong", rows, how, &model), cases[_i].code, cases[_i].part);
    free(x);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

static gm_node *some_log_prob(gm_builder *b, gm_node *x)
{
    return gm_log_standard_normal(b, x);
}

START_TEST(refused_families)
{
    gm_context *ctx = test_context(NULL);
    gm_diffusion part = bell_diffusion;
    gm_family family = bell;
    family.log_prob = some_log_prob;
    family.log_prob_kind = GM_EXACT;
    test_fails(ctx, gm_family_register(ctx, &family), GM_E_ARG, "log_prob");
    family = bell;
    family.loss = NULL;
    test_fails(ctx, gm_family_register(ctx, &family), GM_E_ARG, "loss");
    family = bell;
    family.flags = GM_FAMILY_DISCRETE;
    test_fails(ctx, gm_family_register(ctx, &family), GM_E_ARG, "flags");
    family = bell;
    family.diffusion = &part;
    part.velocity = NULL;
    test_fails(ctx, gm_family_register(ctx, &family), GM_E_ARG, "velocity");
    part = bell_diffusion;
    part.struct_size = 4;
    test_fails(ctx, gm_family_register(ctx, &family), GM_E_ARG, "struct_size");
    gm_context_free(ctx);
}
END_TEST

static gm_node *draw_without_levels(gm_builder *b, gm_node *x)
{
    gm_noised at = {.struct_size = sizeof at};
    gm_node *noise;
    gm_noised_draw(b, x, &at, &noise);
    return gm_sum(b, at.x, -1, 0);
}

START_TEST(noise_needs_levels)
{
    gm_context *ctx = test_context(NULL);
    gm_family family = bell;
    family.name = "other";
    family.loss = draw_without_levels;
    family.diffusion = NULL;
    double *x = case_cloud(40, D, 5);
    gm_dataset *rows;
    gm_model *model;
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "steps=1", NULL});
    test_ok(ctx, gm_family_register(ctx, &family));
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, D, 0, &rows));
    test_fails(ctx, gm_fit(ctx, "other", rows, how, &model), GM_E_STATE, "diffusion");
    free(x);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

/* The schedule of many levels takes no longer to make than arithmetic does: nothing in it asks the
 * processor what it is, which under a hypervisor is a matter of microseconds. */
START_TEST(many_levels_soon)
{
    gm_context *ctx = test_context(NULL);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=1", "valid=0", "hidden=4", "levels=10000", NULL});
    double *x = case_cloud(40, D, 5), least = 1e9;
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, D, 0, &rows));
    for (int i = 0; i < 3; i++) {
        gm_model *model;
        double begin = gm__clock(), spent;
        test_ok(ctx, gm_fit(ctx, "diffusion", rows, how, &model));
        spent = gm__clock() - begin;
        least = spent < least ? spent : least;
        gm_model_free(model);
    }
    ck_assert_msg(test_sanitized() || least < 0.15, "%g s", least);
    free(x);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("diffusion");
    TCase *t = tcase_create("diffusion");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, moments, 0, 3);
    tcase_add_loop_test(t, order, 0, 2);
    tcase_add_test(t, stop_shows_the_way);
    tcase_add_loop_test(t, cold, 0, 2);
    tcase_add_test(t, density);
    tcase_add_test(t, random_trace);
    tcase_add_test(t, codes);
    tcase_add_loop_test(t, cancelled, 0, 3);
    tcase_add_loop_test(t, bad_options, 0, 6);
    tcase_add_test(t, options_of_calls);
    tcase_add_test(t, gradient_is_not_answered);
    tcase_add_loop_test(t, wrong_diffusions, 0, 10);
    tcase_add_test(t, refused_families);
    tcase_add_test(t, noise_needs_levels);
    tcase_add_test(t, many_levels_soon);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
