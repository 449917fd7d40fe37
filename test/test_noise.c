/* Noise levels of a diffusion, rows on their way to noise, and walks in few steps: each against a
 * closed form or a recursion of the test's own. */
#include "graph_tools.h"
#include "flow_cases.h"
#include "genmod/extend.h"
#include "model/path.h"
#include "nn/nn.h"

/* ---- Schedules ------------------------------------------------------------------------------- */

static gm_model *of_schedule(gm_context *ctx, const char *schedule, int64_t levels)
{
    char text[32];
    double *x = case_cloud(40, 2, 5);
    gm_dataset *rows;
    gm_model *model;
    snprintf(text, sizeof text, "levels=%d", (int)levels);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=1", "hidden=", "embedding=2", schedule, text, NULL});
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, 2, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "diffusion", rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    free(x);
    return model;
}

/* Squared signal of a level, and that with the noise's it makes 1. */
static double alpha_bar(const gm_model *model, int64_t level)
{
    const double *m = model->structure->mixing + 2 * level;
    must(test_close(m[0] * m[0] + m[1] * m[1], 1, 1e-14, 0));
    return m[0] * m[0];
}

/* Ho et al. 2020, section 4: beta from 1e-4 to 0.02 over 1,000 levels. */
static double ho(double level)
{
    double sum = 0;
    for (int k = 1; k <= 1000 && level > k - 1; k++)
        sum += fmin(1, level - (k - 1)) * log1p(-(1e-4 + 0.0199 * (k - 1) / 999));
    return exp(sum);
}

START_TEST(linear_levels)
{
    static const int64_t counts[] = {1000, 1, 2, 7, 20, 100, 1500, 4000};
    int64_t n = counts[_i];
    gm_context *ctx = test_context(NULL);
    gm_model *model = of_schedule(ctx, "noise_schedule=linear", n);
    ck_assert_int_eq(model->structure->levels, n);
    for (int64_t k = 1; k <= n; k += n > 100 ? 7 : 1)
        must_msg(test_close(alpha_bar(model, k), ho(1000.0 * (double)k / (double)n), 1e-10, 0),
                 "%d of %d levels: %.15g", (int)k, (int)n, alpha_bar(model, k));
    ck_assert(test_close(alpha_bar(model, n), 4.0358e-5, 1e-4, 0));
    if (n == 1000)
        ck_assert(test_close(alpha_bar(model, 1), 1 - 1e-4, 1e-14, 0));
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Nichol and Dhariwal 2021, eq. 17, and below it: beta at most 0.999. */
START_TEST(cosine_levels)
{
    static const int64_t counts[] = {1000, 1, 2, 50, 4000};
    const double quarter = 1.57079632679489661923;
    int64_t n = counts[_i];
    gm_context *ctx = test_context(NULL);
    gm_model *model = of_schedule(ctx, "noise_schedule=cosine", n);
    for (int64_t k = 1; k < n; k++) {
        double c = cos(((double)k / (double)n + 0.008) / 1.008 * quarter),
               c0 = cos(0.008 / 1.008 * quarter);
        must_msg(test_close(alpha_bar(model, k), c * c / (c0 * c0), 1e-9, 0),
                 "%d of %d levels: %.15g", (int)k, (int)n, alpha_bar(model, k));
    }
    double before = n > 1 ? alpha_bar(model, n - 1) : 1;
    ck_assert(test_close(alpha_bar(model, n), 0.001 * before, 1e-9, 0));
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Places ---------------------------------------------------------------------------------- */

/* Between levels the angle is interpolated, and back. */
START_TEST(places_between_levels)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = of_schedule(ctx, "noise_schedule=cosine", 10);
    const gm__structure *s = model->structure;
    for (int i = 0; i <= 40; i++) {
        double level = i / 4.0;
        int k = i / 4 < 10 ? i / 4 : 9;
        double low = k ? acos(sqrt(alpha_bar(model, k))) : 0,
               high = acos(sqrt(alpha_bar(model, k + 1)));
        double angle = low + (level - k) * (high - low);
        gm__place p = gm__place_at_level(ctx, s, level), q = gm__place_at_angle(ctx, s, p.angle);
        must(test_close(p.angle, angle, 1e-12, 1e-12) && p.level == level);
        must(test_close(p.signal, cos(angle), 0, 1e-12) &&
             test_close(p.sigma, sin(angle), 0, 1e-12));
        must(test_close(q.level, level, 1e-9, 1e-9) && q.angle == p.angle);
        must(q.signal == p.signal && q.sigma == p.sigma);
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Noised rows ----------------------------------------------------------------------------- */

#define L 7
#define ROWS 7000

START_TEST(noised_rows)
{
    static double x[2 * ROWS], angle[L + 1], mixing[2 * (L + 1)];
    static double moved[2 * ROWS], level[ROWS], signal[ROWS], sigma[ROWS], noise[2 * ROWS];
    uint64_t state = 3;
    int64_t count[L + 1] = {0};
    double sum = 0, squares = 0, crossed = 0;
    fill_uniform(&state, x, 2 * ROWS, -2, 5);
    for (int k = 0; k <= L; k++) {
        angle[k] = 0.2 * k;
        mixing[2 * k] = cos(0.2 * k);
        mixing[2 * k + 1] = sin(0.2 * k);
    }
    gm__purpose purpose = {.seed = 5, .levels = L, .angle = angle, .mixing = mixing};
    rig r;
    rig_begin(&r);
    gm__builder_free(r.b);
    test_ok(r.ctx, gm__builder_create(r.ctx, &r.layout, &purpose, &r.b));
    gm_noised at = {.struct_size = sizeof at};
    gm_node *nodes[5];
    gm_noised_draw(r.b, shaped_input(r.b, "x", 2, GM_BATCH, 2, 0), &at, &nodes[4]);
    nodes[0] = at.x, nodes[1] = at.level, nodes[2] = at.signal, nodes[3] = at.sigma;
    gm__plan *plan = make_plan(r.ctx, r.b, nodes, 5, GM__F64, ROWS);
    setting s = {.batch = ROWS, .real = GM__F64, .seed = 3};
    feed f = {.name = "x", .values = x, .count = 2 * ROWS};
    run_fed(r.ctx, plan, &s, &f, 1, (void *const[]){moved, level, signal, sigma, noise});
    for (int i = 0; i < ROWS; i++) {
        must(level[i] >= 1 && level[i] <= L && level[i] == floor(level[i]));
        count[(int)level[i]]++;
        must(test_close(signal[i], cos(0.2 * level[i]), 0, 1e-14));
        must(test_close(sigma[i], sin(0.2 * level[i]), 0, 1e-14));
        for (int j = 2 * i; j < 2 * i + 2; j++)
            must(test_close(moved[j], signal[i] * x[j] + sigma[i] * noise[j], 0, 1e-13));
        sum += noise[2 * i] + noise[2 * i + 1];
        squares += noise[2 * i] * noise[2 * i] + noise[2 * i + 1] * noise[2 * i + 1];
        crossed += noise[2 * i] * noise[2 * i + 1];
    }
    for (int k = 1; k <= L; k++) /* 1,000 each, 29 the deviation */
        ck_assert_msg(count[k] > 860 && count[k] < 1140, "level %d: %d", k, (int)count[k]);
    ck_assert(fabs(sum) < 5 * sqrt(2 * ROWS));
    ck_assert(fabs(squares - 2 * ROWS) < 5 * sqrt(4 * ROWS));
    ck_assert(fabs(crossed) < 5 * sqrt(ROWS));
    gm__plan_free(plan);
    rig_end(&r);
}
END_TEST

/* ---- Velocities that are known --------------------------------------------------------------- */

#define LEVELS 60
#define LAST 1.5

static int64_t sixty(gm_builder *b)
{
    (void)b;
    return LEVELS;
}

static void even(gm_builder *b, int64_t levels, double *squared_signal)
{
    (void)b;
    for (int64_t k = 1; k <= levels; k++)
        squared_signal[k - 1] = pow(cos(LAST * (double)k / (double)levels), 2);
}

static gm_node *no_loss(gm_builder *b, gm_node *x)
{
    gm_node *w = gm_param(b, "w", 0, NULL, GM_INIT_ZEROS, 0);
    return gm_add(b, gm_sum(b, gm_scale(b, x, 0), -1, 0), w);
}

/* dx/da is the level. */
static gm_node *level_velocity(gm_builder *b, const gm_noised *at)
{
    return gm_add(b, gm_scale(b, at->x, 0), at->level);
}

#define VARIANCE 0.2

/* Of a normal density of mean 0: c s (1 - V) x / (c^2 V + s^2). */
static gm_node *narrow_velocity(gm_builder *b, const gm_noised *at)
{
    gm_node *whole =
        gm_add(b, gm_scale(b, gm_square(b, at->signal), VARIANCE), gm_square(b, at->sigma));
    return gm_div(b, gm_mul(b, gm_scale(b, gm_mul(b, at->signal, at->sigma), 1 - VARIANCE), at->x),
                  whole);
}

/* J = (1 1; 1 1) times a constant, of two columns: probe . J probe is 0 or 4 times it. */
static gm_node *crossed_velocity(gm_builder *b, const gm_noised *at)
{
    return gm_add(b, gm_scale(b, at->x, 0), gm_scale(b, gm_sum(b, at->x, -1, 1), 0.1));
}

static gm_model *fit_known(gm_context *ctx, gm_dataset *rows,
                           gm_node *(*velocity)(gm_builder *, const gm_noised *))
{
    static gm_diffusion diffusion;
    static gm_family family;
    gm_model *model;
    diffusion = (gm_diffusion){
        .struct_size = sizeof diffusion, .levels = sixty, .schedule = even, .velocity = velocity};
    family = (gm_family){.struct_size = sizeof family,
                         .version = 1,
                         .name = "known",
                         .summary = "a velocity known in full",
                         .loss = no_loss,
                         .diffusion = &diffusion};
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=1", "transform=none", "precision=f64", NULL});
    test_ok(ctx, gm_family_register(ctx, &family));
    test_ok(ctx, gm_fit(ctx, "known", rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

static gm_model *known_model(gm_context *ctx, int64_t width,
                             gm_node *(*velocity)(gm_builder *, const gm_noised *))
{
    gm_dataset *rows;
    double *x = case_cloud(40, width, 5);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, width, 0, &rows));
    free(x);
    return fit_known(ctx, rows, velocity);
}

/* Of two columns of whole numbers 0 to 3. */
static gm_model *counted_model(gm_context *ctx,
                               gm_node *(*velocity)(gm_builder *, const gm_noised *))
{
    double x[2 * 40];
    gm_dataset *rows, *first, *both;
    for (int i = 0; i < 2 * 40; i++)
        x[i] = (i / 2 + i % 2 * (i / 8)) % 4;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, 2, 0, &rows));
    test_ok(ctx, gm_dataset_with_type(ctx, rows, 0, GM_COLUMN_INTEGER, 0, &first));
    test_ok(ctx, gm_dataset_with_type(ctx, first, 1, GM_COLUMN_INTEGER, 0, &both));
    gm_dataset_free(rows);
    gm_dataset_free(first);
    return fit_known(ctx, both, velocity);
}

/* The level rises evenly with the angle here: its integral is half the last of each. */
START_TEST(levels_in_parts)
{
    double x[2] = {0.3, -4}, z[2];
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, 1, level_velocity);
    gm_array ax = case_array(GM_F64, x, 2, 1), az = case_array(GM_F64, z, 2, 1);
    gm_options *how = case_options(ctx, (const char *[]){"ode_steps=7", NULL});
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, how, &az));
    for (int i = 0; i < 2; i++)
        ck_assert_msg(test_close(z[i] - x[i], LEVELS * LAST / 2, 1e-10, 0), "%.15g", z[i] - x[i]);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* The variance that the ancestral sampler's draws have after so many steps: with alpha the squared
 * signal of a step and beta = 1 - alpha, x_s = (sqrt(ab_s) beta x0 + sqrt(alpha) (1 - ab_s) x) /
 * (1 - ab_t) and noise of variance beta (1 - ab_s) / (1 - ab_t) (Ho et al. 2020, eq. 6 and 7), with
 * x0 = sqrt(ab) V x / (ab V + 1 - ab). */
static double ancestral_variance(int steps)
{
    double variance = 1;
    for (int k = 0; k < steps; k++) {
        double t = pow(cos(LAST * (steps - k) / steps), 2),
               s = pow(cos(LAST * (steps - k - 1) / steps), 2);
        double alpha = t / s, beta = 1 - alpha;
        double of_row = sqrt(t) * VARIANCE / (t * VARIANCE + 1 - t);
        double of_x = (sqrt(s) * beta * of_row + sqrt(alpha) * (1 - s)) / (1 - t);
        variance = of_x * of_x * variance + beta * (1 - s) / (1 - t);
    }
    return variance;
}

START_TEST(ancestral_spread)
{
    enum { N = 20000 };
    static const int steps[] = {2, 3, 5, 12};
    static double x[N];
    char text[32];
    double squares = 0, sum = 0;
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, 1, narrow_velocity);
    snprintf(text, sizeof text, "sampler_steps=%d", steps[_i]);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=4", "sampler=ancestral", text, NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, how, x));
    for (int i = 0; i < N; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    double want = ancestral_variance(steps[_i]), off = squares / N / want - 1;
    ck_assert_msg(fabs(off) < 4 * sqrt(2.0 / N), "%d steps: variance %g, not %g", steps[_i],
                  squares / N, want);
    ck_assert(fabs(sum) < 4 * sqrt(N * want));
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* The last step of Heun's is of first order: of one step, DDIM's; of two, not. */
START_TEST(last_step_of_heun)
{
    enum { N = 30 };
    static double x[2][N];
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, 1, narrow_velocity);
    for (int k = 0; k < 2; k++) {
        gm_options *how =
            case_options(ctx, (const char *[]){"seed=4", k ? "sampler=ddim" : "sampler=heun",
                                               _i ? "sampler_steps=2" : "sampler_steps=1", NULL});
        test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, how, x[k]));
        gm_options_free(how);
    }
    ck_assert_int_eq(memcmp(x[0], x[1], sizeof x[0]) != 0, _i);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Densities ------------------------------------------------------------------------------- */

/* One row, many times: its probes differ from row to row, and half of them see a 0. */
START_TEST(probes_of_rows)
{
    enum { N = 5000 };
    static double x[2 * N], logp[N];
    int high = 0;
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, 2, crossed_velocity);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=4", "trace=hutchinson", "probes=1", "ode_steps=2", NULL});
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, how, logp));
    /* x = 0 stays: log N(0) and 0 or 0.4 LAST */
    for (int i = 0; i < N; i++) {
        double gap = logp[i] + log(6.283185307179586);
        must_msg(fabs(gap) < 1e-9 || fabs(gap - 0.4 * LAST) < 1e-9, "row %d: %g", i, gap);
        high += gap > 0.1;
    }
    ck_assert_msg(abs(high - N / 2) < 180, "%d of %d", high, N);
    /* nor are they the same in each piece of so many rows */
    for (int piece = 1; piece <= N / 2; piece++) {
        int same = 0;
        for (int i = 0; i < piece; i++)
            same += fabs(logp[i] - logp[piece + i]) < 1e-9;
        must_msg(piece < 64 || same < piece, "%d rows come again", piece);
    }
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Up to 16 columns no probes, and no seed, are needed. */
START_TEST(auto_trace)
{
    double x[17] = {0}, logp, error;
    int64_t d = _i ? 17 : 16;
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, d, narrow_velocity);
    gm_options *seed = case_options(ctx, (const char *[]){"seed=4", "ode_steps=100", NULL});
    gm_options *none = case_options(ctx, (const char *[]){"ode_steps=100", NULL});
    gm_array ax = case_array(GM_F64, x, 1, d);
    if (_i)
        test_fails(ctx, gm_model_log_prob(ctx, model, &ax, NULL, none, &logp, &error), GM_E_SEED,
                   "seed");
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, _i ? seed : none, &logp, &error));
    /* N(0) at the end, and the integral of the velocity's slope: the logarithm of what deviations
     * grow by */
    double grown = log((pow(cos(LAST), 2) * VARIANCE + pow(sin(LAST), 2)) / VARIANCE) / 2;
    double want = (double)d * (grown - 0.5 * log(6.283185307179586));
    ck_assert_msg(test_close(logp, want, 1e-7, 0), "%.12g, not %.12g", logp, want);
    gm_options_free(none);
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* What the error says and what draws of one row, each with noise and probes of its own, spread by
 * are one: probes are counted once. */
START_TEST(error_over_draws)
{
    enum { N = 600 };
    static double x[2 * N], logp[N], error[N];
    double mean = 0, spread = 0, said = 0;
    gm_context *ctx = test_context(NULL);
    gm_model *model = counted_model(ctx, crossed_velocity);
    gm_array ax = case_array(GM_F64, x, N, 2);
    gm_options *how = case_options(ctx, (const char *[]){"seed=4", "trace=hutchinson", "probes=2",
                                                         "draws=24", "ode_steps=8", NULL});
    for (int i = 0; i < 2 * N; i++)
        x[i] = 1;
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, error));
    for (int i = 0; i < N; i++) {
        mean += logp[i] / N;
        said += error[i] * error[i] / N;
    }
    for (int i = 0; i < N; i++)
        spread += (logp[i] - mean) * (logp[i] - mean) / (N - 1);
    ck_assert_msg(said / spread > 0.8 && said / spread < 1.25, "spread %g, said to be %g",
                  sqrt(spread), sqrt(said));
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Log weights 1, 2, 4: their mean, the log of the mean of their exponentials, standard errors; and
 * what all of them are off by. */
START_TEST(weights_and_errors)
{
    static const double logs[] = {1, 2, 4}, off[] = {0.3, 0.5, 0.7};
    double logp, error, sum = 0, around = 0, gaps = _i % 2 ? (0.09 + 0.25 + 0.49) / 3 : 0;
    int bound = _i / 2;
    gm_context *ctx = test_context(NULL);
    gm__weights w;
    test_ok(ctx, gm__weights_begin(ctx, bound, 1, 0, &w));
    for (int k = 0; k < 3; k++) {
        gm__weights_add(ctx, &w, &logs[k], _i % 2 ? &off[k] : NULL, NULL);
        sum += (bound ? logs[k] : exp(logs[k])) / 3;
    }
    gm__weights_end(ctx, &w, &logp, &error, NULL);
    gm__weights_clear(&w);
    for (int k = 0; k < 3; k++)
        around += pow((bound ? logs[k] : exp(logs[k])) - sum, 2) / 2;
    double own = sqrt(around / 3) / (bound ? 1 : sum);
    ck_assert(test_close(logp, bound ? sum : log(sum), 1e-14, 0));
    ck_assert_msg(test_close(error, sqrt(own * own + gaps), 1e-13, 0), "%.15g", error);
    gm_context_free(ctx);
}
END_TEST

/* How far densities are off lies within the error for all rows but few, also where the gap of half
 * as many steps changes its sign. */
START_TEST(error_of_steps)
{
    enum { N = 4000 };
    static const char *const steps[] = {"ode_steps=8", "ode_steps=12", "ode_steps=16",
                                        "ode_steps=24"};
    static double x[N], logp[N], error[N];
    int outside = 0;
    double grown = log((pow(cos(LAST), 2) * VARIANCE + pow(sin(LAST), 2)) / VARIANCE);
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, 1, narrow_velocity);
    gm_array ax = case_array(GM_F64, x, N, 1);
    gm_options *how = case_options(ctx, (const char *[]){steps[_i], NULL});
    for (int i = 0; i < N; i++)
        x[i] = -2 + 4.0 * i / N;
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, error));
    for (int i = 0; i < N; i++) {
        double want = 0.5 * (grown - log(6.283185307179586) - x[i] * x[i] * exp(grown));
        outside += fabs(logp[i] - want) > error[i];
    }
    ck_assert_msg(outside < N / 500, "%d of %d", outside, N);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- The front ------------------------------------------------------------------------------- */

/* Categories enter by noise that no loss moves. */
START_TEST(front_stays)
{
    static double x[60 * 2];
    uint64_t state = 4;
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows, *typed;
    gm_model *model;
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=20", "hidden=5", "precision=f64", NULL});
    for (int i = 0; i < 60; i++) {
        x[2 * i] = case_normal(&state);
        x[2 * i + 1] = i % 3;
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 60, 2, 0, &rows));
    test_ok(ctx, gm_dataset_with_type(ctx, rows, 1, GM_COLUMN_CATEGORY, 0, &typed));
    test_ok(ctx, gm_fit(ctx, "diffusion", typed, how, &model));
    const char *const names[] = {"column.0.mean", "column.0.log_deviation"};
    for (int k = 0; k < 2; k++) {
        const gm__slot *slot = gm__layout_find(&model->structure->layout, names[k]);
        ck_assert_ptr_nonnull(slot);
        for (int i = 0; i < 9; i++)
            must(((const double *)model->params)[slot->offset + i] == 0);
    }
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(typed);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("noise");
    TCase *t = tcase_create("noise");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, linear_levels, 0, 8);
    tcase_add_loop_test(t, cosine_levels, 0, 5);
    tcase_add_test(t, places_between_levels);
    tcase_add_test(t, noised_rows);
    tcase_add_test(t, levels_in_parts);
    tcase_add_loop_test(t, ancestral_spread, 0, 4);
    tcase_add_loop_test(t, last_step_of_heun, 0, 2);
    tcase_add_test(t, probes_of_rows);
    tcase_add_loop_test(t, auto_trace, 0, 2);
    tcase_add_test(t, error_over_draws);
    tcase_add_loop_test(t, weights_and_errors, 0, 4);
    tcase_add_loop_test(t, error_of_steps, 0, 4);
    tcase_add_test(t, front_stays);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
