/* Flows over angles: log p does not change by a turn, integrates to one over the torus, is that of
 * a known density after a fit; angles and real columns together. */
#include "flow_jacobian.h"

static const double pi = 3.14159265358979323846;

static const char *const kinds[][3] = {
    {"structure=coupling", "mixing=lu", "coupling=nsf"},
    {"structure=coupling", "mixing=swap", "coupling=nice"},
    {"structure=autoregressive", "mixing=permutation", "coupling=realnvp"},
    {"structure=autoregressive", "mixing=lu", "coupling=nsf"},
    {"structure=inverse", "mixing=swap", "coupling=nsf"},
};
#define KINDS ((int)(sizeof kinds / sizeof kinds[0]))

/* Two angles in degrees, the second following the first round the circle, and a real column that
 * follows the sine of the first: (n, 3). */
static void draw_rows(double *x, int n, uint64_t seed)
{
    uint64_t state = seed;
    for (int i = 0; i < n; i++) {
        double a = 170 + 40 * case_normal(&state), b = 2 * a + 25 * case_normal(&state);
        x[3 * i] = a - 360 * floor(a / 360 + 0.5);
        x[3 * i + 1] = b - 360 * floor(b / 360 + 0.5);
        x[3 * i + 2] = sin(a * pi / 180) + 0.2 * case_normal(&state);
    }
}

/* The first `angles` of d columns are circular. */
static gm_model *fit_angles(gm_context *ctx, const double *x, int n, int d, int angles,
                            const char *const *settings)
{
    gm_dataset *rows, *typed;
    gm_model *model;
    gm_options *how = case_options(ctx, settings);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    for (int j = 0; j < angles; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, GM_COLUMN_CIRCULAR, 360, &typed));
        gm_dataset_free(rows);
        rows = typed;
    }
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    gm_dataset_free(rows);
    gm_options_free(how);
    return model;
}

static gm_model *fit_mixed(gm_context *ctx, int kind, int steps)
{
    static double x[1500 * 3];
    char text[32];
    draw_rows(x, 1500, 3);
    snprintf(text, sizeof text, "steps=%d", steps);
    const char *settings[] = {
        "seed=3",       text,           "layers=3",      "hidden=24", kinds[kind][0],
        kinds[kind][1], kinds[kind][2], "precision=f64", NULL};
    return fit_angles(ctx, x, 1500, 3, 2, settings);
}

START_TEST(a_turn_changes_nothing)
{
    enum { N = 60 };
    gm_context *ctx = test_context(NULL);
    double x[N * 3], turned[N * 3], logp[N], again[N];
    gm_model *model = fit_mixed(ctx, _i, 60);
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_EXACT);
    draw_rows(x, N, 8);
    memcpy(turned, x, sizeof x);
    for (int i = 0; i < N; i++) {
        turned[3 * i] += i % 2 ? 360 : -720;
        turned[3 * i + 1] += i % 3 ? 360 : 0;
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, logp));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, turned, N, 0, NULL, again));
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(logp[i] - again[i]) < 1e-9, "row %d: %.12g, after a turn %.12g", i,
                      logp[i], again[i]);
    /* and there is no seam */
    double seam[6] = {180 - 1e-9, 20, 0.1, -180 + 1e-9, 20, 0.1};
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, seam, 2, 0, NULL, logp));
    ck_assert_double_eq_tol(logp[0], logp[1], 1e-6);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(angles_come_back)
{
    enum { N = 200 };
    gm_context *ctx = test_context(NULL);
    static double x[N * 3], z[N * 3], back[N * 3];
    gm_model *model = fit_mixed(ctx, _i, 60);
    gm_options *as = case_options(ctx, (const char *[]){"precision=model", NULL});
    draw_rows(x, N, 9);
    gm_array ax = case_array(GM_F64, x, N, 3), az = case_array(GM_F64, z, N, 3),
             ab = case_array(GM_F64, back, N, 3);
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, as, &az));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, as, &ab));
    for (int i = 0; i < N * 3; i++) {
        double off = back[i] - x[i];
        if (i % 3 < 2)
            off -= 360 * floor(off / 360 + 0.5);
        ck_assert_msg(fabs(off) < 1e-6, "value %d is %.12g, came back as %.12g", i, x[i], back[i]);
    }
    gm_options_free(as);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* In the space of the transform: log p is that of the base at z and the Jacobian. */
START_TEST(log_det_with_angles)
{
    enum { N = 12 };
    gm_context *ctx = test_context(NULL);
    static double x[1500 * 3];
    double logp[N], z[N * 3], inner[N * 3], jac[N * 9];
    draw_rows(x, 1500, 3);
    const char *settings[] = {"seed=3",         "steps=50",   "layers=3",   "hidden=24",
                              "transform=none", kinds[_i][0], kinds[_i][1], kinds[_i][2],
                              "precision=f64",  "start=1",    NULL};
    gm_model *model = fit_angles(ctx, x, 1500, 3, 2, settings);
    gm_options *as = case_options(ctx, (const char *[]){"precision=model", NULL});
    gm_array ax = case_array(GM_F64, x, N, 3), az = case_array(GM_F64, z, N, 3);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, NULL, logp, NULL));
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, as, &az));
    /* columns of x in the model: found by what the builder says of them */
    for (int i = 0; i < N; i++)
        for (int j = 0, angle = 0; j < 3; j++) {
            int is = model->structure->x_columns[j].kind == GM_X_CIRCULAR;
            double degrees = is ? x[3 * i + angle++] : 0;
            inner[3 * i + j] =
                is ? (degrees - 360 * floor(degrees / 360)) * pi / 180 : x[3 * i + 2];
        }
    jacobian(ctx, model, GM__F64, N, inner, jac);
    for (int i = 0; i < N; i++) {
        double best = 1e9, want = logp[i] - 2 * log(pi / 180);
        /* which of z is the real one depends on the mixing: one of the three */
        for (int j = 0; j < 3; j++) {
            double copy[9], base = -2 * log(2 * pi) - 0.5 * log(2 * pi);
            memcpy(copy, jac + 9 * i, sizeof copy);
            double off = base - 0.5 * z[3 * i + j] * z[3 * i + j] + log_abs_det(copy, 3) - want;
            best = fabs(off) < fabs(best) ? off : best;
        }
        ck_assert_msg(fabs(best) < 1e-8, "kind %d, row %d: off by %g", _i, i, best);
    }
    gm_options_free(as);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(integrates_over_the_torus)
{
    enum { SIDE = 180 };
    gm_context *ctx = test_context(NULL);
    static double x[2000 * 2], row[SIDE * 2], logp[SIDE];
    double sum = 0, step = 360.0 / SIDE;
    for (int i = 0; i < 2000; i++) {
        double three[3];
        draw_rows(three, 1, 100 + (uint64_t)i);
        x[2 * i] = three[0];
        x[2 * i + 1] = three[1];
    }
    const char *settings[] = {"seed=1",     "steps=100",  "layers=3", "hidden=24",
                              kinds[_i][0], kinds[_i][1], NULL};
    gm_model *model = fit_angles(ctx, x, 2000, 2, 2, settings);
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            row[2 * j] = (i + 0.5) * step - 180;
            row[2 * j + 1] = (j + 0.5) * step - 180;
        }
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, row, SIDE, 0, NULL, logp));
        for (int j = 0; j < SIDE; j++)
            sum += exp(logp[j]) * step * step;
    }
    ck_assert_msg(fabs(sum - 1) < 0.002, "kind %d integrates to %g", _i, sum);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* One angle that is normal round a place near the seam: the fit comes near its density, and its
 * draws have the data's mean direction and spread. */
START_TEST(known_density)
{
    enum { N = 4000 };
    gm_context *ctx = test_context(NULL);
    static double x[N], logp[N], drawn[N];
    uint64_t state = 4;
    double mean = 0, c = 0, s = 0;
    for (int i = 0; i < N; i++) {
        double a = 175 + 30 * case_normal(&state);
        x[i] = a - 360 * floor(a / 360 + 0.5);
    }
    const char *settings[] = {"seed=1", "steps=4000", "layers=2", "hidden=16", NULL};
    gm_model *model = fit_angles(ctx, x, N, 1, 1, settings);
    gm_options *seed = case_options(ctx, (const char *[]){"seed=4", NULL});
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, logp));
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, seed, drawn));
    for (int i = 0; i < N; i++) {
        double e = x[i] - 175 - 360 * floor((x[i] - 175) / 360 + 0.5);
        mean += (logp[i] + 0.5 * e * e / 900 + log(30 * sqrt(2 * pi))) / N;
        c += cos(drawn[i] * pi / 180) / N;
        s += sin(drawn[i] * pi / 180) / N;
        ck_assert(drawn[i] >= 0 && drawn[i] < 360);
    }
    double spread = exp(-0.5 * pow(30 * pi / 180, 2));
    ck_assert_msg(fabs(mean) < 0.03, "mean log q - log p is %g", mean);
    ck_assert_msg(fabs(c - spread * cos(175 * pi / 180)) < 0.04 &&
                      fabs(s - spread * sin(175 * pi / 180)) < 0.04,
                  "mean direction of the draws (%g, %g)", c, s);
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(refused_by_name)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows, *typed;
    gm_model *model;
    double x[60];
    char why[512];
    draw_rows(x, 20, 1);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 20, 3, 0, &rows));
    test_ok(ctx, gm_dataset_with_type(ctx, rows, 0, GM_COLUMN_CIRCULAR, 360, &typed));
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", "structure=continuous", "steps=1", NULL});
    ck_assert_int_eq(gm_fit(ctx, "flow", typed, how, &model), GM_E_UNSUPPORTED);
    gm_context_error(ctx, why, sizeof why, NULL);
    ck_assert_msg(strstr(why, "structure=continuous") != NULL, "%s", why);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(typed);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("flow circle");
    TCase *t = tcase_create("flow circle");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, a_turn_changes_nothing, 0, KINDS);
    tcase_add_loop_test(t, angles_come_back, 0, KINDS);
    tcase_add_loop_test(t, log_det_with_angles, 0, KINDS);
    tcase_add_loop_test(t, integrates_over_the_torus, 0, test_quick() ? 1 : KINDS);
    if (!test_quick())
        tcase_add_test(t, known_density);
    tcase_add_test(t, refused_by_name);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
