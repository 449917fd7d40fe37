/* Diffusions that were trained: every mode has its share, density comes near the true one, and
 * columns of every type come back as they were. */
#include "genmod/extend.h"
#include "genmod/train.h"
#include "flow_cases.h"

#define MODES 25
#define ROWS 10000

/* Mixtures of round normal densities in the plane. */
typedef struct mixture {
    int count;
    double x[MODES], y[MODES], deviation[MODES], weight[MODES];
} mixture;

static mixture ring(void)
{
    mixture m = {.count = 8};
    for (int k = 0; k < 8; k++) {
        m.x[k] = 2 * cos(0.78539816339744831 * k);
        m.y[k] = 2 * sin(0.78539816339744831 * k);
        m.deviation[k] = 0.1;
        m.weight[k] = 1.0 / 8;
    }
    return m;
}

static mixture grid(void)
{
    mixture m = {.count = 25};
    for (int k = 0; k < 25; k++) {
        m.x[k] = 2 * (k % 5 - 2);
        m.y[k] = 2 * (k / 5 - 2);
        m.deviation[k] = 0.1;
        m.weight[k] = 1.0 / 25;
    }
    return m;
}

static mixture three(void)
{
    return (mixture){3, {-1, 1.5, 0.5}, {0, 1, -1.5}, {0.5, 0.3, 0.4}, {0.5, 0.3, 0.2}};
}

static void draw(const mixture *m, double *x, int64_t n, uint64_t state)
{
    for (int64_t i = 0; i < n; i++) {
        double u = test_uniform(&state, 0, 1);
        int k = 0;
        while (k < m->count - 1 && u > m->weight[k])
            u -= m->weight[k++];
        x[2 * i] = m->x[k] + m->deviation[k] * case_normal(&state);
        x[2 * i + 1] = m->y[k] + m->deviation[k] * case_normal(&state);
    }
}

static double true_log_prob(const mixture *m, const double *x)
{
    double sum = 0;
    for (int k = 0; k < m->count; k++) {
        double a = (x[0] - m->x[k]) / m->deviation[k], b = (x[1] - m->y[k]) / m->deviation[k];
        sum += m->weight[k] * exp(-0.5 * (a * a + b * b)) /
               (6.283185307179586 * m->deviation[k] * m->deviation[k]);
    }
    return log(sum);
}

static gm_model *fit(gm_context *ctx, const mixture *m, const char *rate,
                     const char *const *settings)
{
    static double x[2 * ROWS];
    gm_dataset *rows;
    gm_optimizer *adam;
    gm_model *model;
    gm_options *how = case_options(ctx, settings),
               *fast = case_options(ctx, (const char *[]){rate, NULL});
    draw(m, x, ROWS, 99);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows));
    test_ok(ctx, gm_optimizer_create(ctx, "adam", fast, &adam));
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .options = how, .optimizer = adam};
    test_ok(ctx, gm_fit_with(ctx, "diffusion", &config, &model));
    gm_optimizer_free(adam);
    gm_options_free(fast);
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

/* ---- Modes ------------------------------------------------------------------------------------
 */

/* Each mode's share of n draws lies within 30 % of its weight, and few draws are far from all. */
static void check_shares(gm_context *ctx, const gm_model *model, const mixture *m, int64_t n,
                         const char *sampler)
{
    static double x[2 * ROWS];
    int64_t count[MODES] = {0}, far = 0;
    gm_options *how = case_options(
        ctx, (const char *[]){
                 "seed=3", sampler,
                 strcmp(sampler, "sampler=heun") ? "sampler_steps=400" : "sampler_steps=50", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, n, NULL, how, x));
    for (int64_t i = 0; i < n; i++) {
        int best = 0;
        double least = INFINITY;
        for (int k = 0; k < m->count; k++) {
            double away = hypot(x[2 * i] - m->x[k], x[2 * i + 1] - m->y[k]) / m->deviation[k];
            if (away < least) {
                least = away;
                best = k;
            }
        }
        count[best]++;
        far += least > 5;
    }
    for (int k = 0; k < m->count; k++) {
        double share = (double)count[k] / (double)n / m->weight[k];
        ck_assert_msg(share > 0.7 && share < 1.3, "%s: mode %d has %g of its share", sampler, k,
                      share);
    }
    ck_assert_msg(far < n / (test_quick() ? 10 : 20), "%s: %d of %d draws are far from every mode",
                  sampler, (int)far, (int)n);
    gm_options_free(how);
}

static void check_modes(const mixture *m, int seed, const char *steps, const char *hidden)
{
    static const char *const samplers[] = {"sampler=heun", "sampler=ddim", "sampler=ancestral"};
    char text[32];
    snprintf(text, sizeof text, "seed=%d", seed);
    gm_context *ctx = test_context(NULL);
    gm_model *model = fit(ctx, m, "lr=0.003", (const char *[]){text, steps, hidden, NULL});
    for (int k = 0; k < (test_quick() ? 1 : 3); k++)
        check_shares(ctx, model, m, test_quick() ? 3000 : ROWS, samplers[k]);
    gm_model_free(model);
    gm_context_free(ctx);
}

START_TEST(ring_of_eight)
{
    mixture m = ring();
    check_modes(&m, _i, test_quick() ? "steps=3000" : "steps=4000",
                test_quick() ? "hidden=64,64" : "hidden=128,128,128");
}
END_TEST

START_TEST(grid_of_twenty_five)
{
    mixture m = grid();
    check_modes(&m, _i, "steps=6000", "hidden=256,256,256,256");
}
END_TEST

/* ---- Density ----------------------------------------------------------------------------------
 */

/* The divergence of Kullback and Leibler between truth and model, from fresh draws: not negative
 * but by chance, and small. */
START_TEST(divergence)
{
    int64_t n = test_quick() ? 1000 : ROWS;
    double most = test_quick() ? 0.1 : 0.03, sum = 0, squares = 0;
    static double x[2 * ROWS], logp[ROWS];
    mixture m = three();
    gm_context *ctx = test_context(NULL);
    gm_model *model =
        fit(ctx, &m, "lr=0.003",
            (const char *[]){"seed=1", test_quick() ? "steps=1000" : "steps=4000",
                             test_quick() ? "hidden=64,64" : "hidden=128,128,128", NULL});
    gm_options *how =
        case_options(ctx, (const char *[]){test_quick() ? "ode_steps=8" : "ode_steps=25", NULL});
    draw(&m, x, n, 7);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, n, 0, how, logp));
    for (int64_t i = 0; i < n; i++) {
        double gap = true_log_prob(&m, x + 2 * i) - logp[i];
        sum += gap;
        squares += gap * gap;
    }
    double mean = sum / (double)n, error = sqrt((squares / (double)n - mean * mean) / (double)n);
    ck_assert_msg(mean > -3 * error && mean < most + 3 * error, "%g nats, with an error of %g",
                  mean, error);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Columns of every type --------------------------------------------------------------------
 */

#define MIXED 800
#define D 4

/* A real column, a count that goes with it, a mark that follows the sign, and one of three kinds.
 */
static gm_dataset *mixed_rows(gm_context *ctx, double *x)
{
    static const int32_t types[D] = {GM_COLUMN_REAL, GM_COLUMN_INTEGER, GM_COLUMN_BINARY,
                                     GM_COLUMN_CATEGORY};
    uint64_t state = 5;
    gm_dataset *rows, *next;
    for (int i = 0; i < MIXED; i++) {
        double a = case_normal(&state);
        x[i * D] = a;
        x[i * D + 1] = fmin(9, fmax(0, floor(4 + 2 * a + test_uniform(&state, 0, 1))));
        x[i * D + 2] = a > 0;
        x[i * D + 3] = a < -0.5 ? 0 : a < 0.7 ? 1 : 2;
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, MIXED, D, 0, &rows));
    for (int64_t j = 0; j < D; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, types[j], 0, &next));
        gm_dataset_free(rows);
        rows = next;
    }
    return rows;
}

/* Rows drawn are of the columns' types, and hang together as the data does. */
static void check_drawn(const double *x, int64_t n)
{
    int64_t agree = 0, kinds[3] = {0};
    for (int64_t i = 0; i < n; i++) {
        const double *row = x + i * D;
        must(row[1] == floor(row[1]) && row[1] > -9 && row[1] < 19);
        must(row[2] == 0 || row[2] == 1);
        must(row[3] == 0 || row[3] == 1 || row[3] == 2);
        agree += (row[0] > 0) == (row[2] == 1);
        kinds[(int)row[3]]++;
    }
    ck_assert_msg(agree > n * 8 / 10, "the mark follows the sign in %d of %d rows", (int)agree,
                  (int)n);
    for (int k = 0; k < 3; k++)
        ck_assert_msg(kinds[k] > n / 10, "kind %d in %d of %d rows", k, (int)kinds[k], (int)n);
}

START_TEST(every_type)
{
    static double x[MIXED * D], drawn[MIXED * D], z[MIXED * 8], back[MIXED * D], logp[MIXED],
        error[MIXED], free_of[MIXED];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx, x);
    gm_model *model;
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=2", "steps=2500", "hidden=64,64",
                                           "sampler_steps=25", "ode_steps=8", "draws=4", NULL});
    gm_options *no_seed = case_options(ctx, (const char *[]){"ode_steps=2", NULL});
    test_ok(ctx, gm_fit(ctx, "diffusion", rows, how, &model));
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_ESTIMATE);
    test_ok(ctx, gm_model_sample_f64(ctx, model, MIXED, NULL, how, drawn));
    check_drawn(drawn, MIXED);
    /* codes keep the row */
    int64_t k = gm_model_code_count(model), n = 200, same = 0;
    gm_array ax = case_array(GM_F64, x, n, D), az = case_array(GM_F64, z, n, k);
    gm_array ab = case_array(GM_F64, back, n, D);
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, how, &az));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, how, &ab));
    for (int64_t i = 0; i < n * D; i++)
        same += fabs(x[i] - back[i]) < 0.02;
    ck_assert_msg(same > n * D * 97 / 100, "%d of %d values come back", (int)same, (int)(n * D));
    /* a count of 3 where there is a real column: a probability times a density */
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, error));
    double mean = 0;
    for (int64_t i = 0; i < n; i++) {
        must(logp[i] == logp[i] && error[i] >= 0);
        mean += logp[i] / (double)n;
    }
    /* the real column's entropy is 1.42 nats, the count's given it at most 0.7, the rest follows */
    ck_assert_msg(mean > -4.5 && mean < -1.2, "mean log p is %g", mean);
    test_fails(ctx, gm_model_log_prob_f64(ctx, model, x, 1, 0, no_seed, free_of), GM_E_SEED,
               "seed");
    /* what was never seen */
    double odd[D] = {0, 4, 1, 7};
    gm_array ao = case_array(GM_F64, odd, 1, D);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ao, NULL, how, logp, error));
    ck_assert(logp[0] == -INFINITY && error[0] == 0);
    gm_options_free(no_seed);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* log p of a normal density of variances 1 and correlation 0.9. */
static double correlated_log_prob(const double *x)
{
    double rest = 1 - 0.81, square = x[0] * x[0] - 1.8 * x[0] * x[1] + x[1] * x[1];
    return -0.5 * square / rest - log(2 * 3.14159265358979323846) - 0.5 * log(rest);
}

/* Every target learns with either schedule: draws and densities of strongly correlated columns. */
START_TEST(each_target)
{
    static const char *const targets[] = {"target=eps", "target=x0", "target=v"};
    static const char *const schedules[] = {"noise_schedule=linear", "noise_schedule=cosine"};
    enum { LEARNED = 2000, ASKED = 300 };
    static double x[2 * LEARNED], drawn[2 * LEARNED], logp[ASKED];
    const char *target = targets[_i % 3], *schedule = schedules[_i / 3];
    uint64_t state = 4;
    double sum = 0, lost = 0;
    for (int i = 0; i < LEARNED; i++) {
        x[2 * i] = case_normal(&state);
        x[2 * i + 1] = 0.9 * x[2 * i] + sqrt(1 - 0.81) * case_normal(&state);
    }
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows;
    gm_model *model;
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=2", test_quick() ? "steps=1500" : "steps=4000",
                                           test_quick() ? "hidden=48,48" : "hidden=128,128",
                                           "ode_steps=50", target, schedule, NULL});
    test_ok(ctx, gm_dataset_from_f64(ctx, x, LEARNED, 2, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "diffusion", rows, how, &model));
    test_ok(ctx, gm_model_sample_f64(ctx, model, LEARNED, NULL, how, drawn));
    for (int i = 0; i < LEARNED; i++)
        sum += drawn[2 * i] * drawn[2 * i + 1] / LEARNED;
    ck_assert_msg(fabs(sum - 0.9) < 0.15, "%s %s: covariance %g", target, schedule, sum);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, ASKED, 0, how, logp));
    for (int i = 0; i < ASKED; i++)
        lost += (correlated_log_prob(x + 2 * i) - logp[i]) / ASKED;
    ck_assert_msg(fabs(lost) < 0.15, "%s %s: %g nats are lost", target, schedule, lost);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Five seeds with TIER=long (test/quality/modes), two in a plain run: a seed takes half a minute.
 */
static Suite *suite(void)
{
    const char *tier = getenv("TIER");
    int end = test_quick() ? 2 : tier && strcmp(tier, "long") == 0 ? 6 : 3;
    Suite *s = suite_create("modes");
    TCase *t = tcase_create("modes");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, ring_of_eight, 1, end);
    if (!test_quick())
        tcase_add_loop_test(t, grid_of_twenty_five, 1, end);
    tcase_add_test(t, divergence);
    tcase_add_test(t, every_type);
    tcase_add_loop_test(t, each_target, 0, test_quick() ? 3 : 6);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
