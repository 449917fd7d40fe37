/* Gaussian mixtures where rows are few and numbers to fit many: floors of whole columns, and how
 * many numbers the criterion counts. */
#include "model_cases.h"

#define LOG_TWO_PI 1.8378770664093455

static const char *const covariances[] = {"covariance=full", "covariance=tied",
                                          "covariance=diagonal", "covariance=spherical"};

static gm_model *fit_rows(gm_context *ctx, const gm_dataset *rows, const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "mixture", rows, how, &model));
    gm_options_free(how);
    return model;
}

/* One or two rows alike, of whole numbers: no component is narrower than a variance of 1 / 24 of a
 * step, and none of their cells is wider than a step. So in a column log p is at most
 * log sqrt(24 / (2 pi)), and at least 24 / 2 below that. */
START_TEST(few_whole_rows)
{
    gm_context *ctx = test_context(NULL);
    double x[2 * 3] = {4, -7, 0, 4, -7, 0}, logp[2], top = 0.5 * (log(24) - LOG_TWO_PI);
    int64_t n = 1 + _i % 2;
    gm_dataset *rows, *whole;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, 3, 0, &rows));
    for (int64_t j = 0; j < 3; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, GM_COLUMN_INTEGER, 0, &whole));
        gm_dataset_free(rows);
        rows = whole;
    }
    gm_model *model =
        fit_rows(ctx, rows, (const char *[]){"seed=1", "components=1", covariances[_i / 2], NULL});
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", NULL});
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, logp, NULL));
    for (int64_t i = 0; i < n; i++)
        must_msg(logp[i] <= 3 * top + 1e-9 && logp[i] >= 3 * (top - 12), "%g", logp[i]);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Minus half of Schwarz's criterion with its free numbers counted here: k - 1 weights, k means, the
 * covariances, and of each component two probabilities of three categories. */
static double schwarz(gm_context *ctx, const gm_dataset *rows, int kind, int tables, int k)
{
    enum { R = 3, MANY = 200 };
    static double logp[MANY];
    char components[24];
    snprintf(components, sizeof components, "components=%d", k);
    gm_model *model = fit_rows(
        ctx, rows,
        (const char *[]){"seed=1", "valid=0", "prior=1e-9", components, covariances[kind], NULL});
    double sum = 0, covariance = (double[]){k * R * (R + 1) / 2, R * (R + 1) / 2, k * R, k}[kind];
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, NULL, logp, NULL));
    for (int i = 0; i < MANY; i++)
        sum += logp[i];
    gm_model_free(model);
    return sum - 0.5 * log(MANY) * (k - 1 + k * R + covariance + (tables ? 2 * k : 0));
}

/* Two clouds move apart: the second component comes when the criterion says so, which a count that
 * is off by one would shift. */
START_TEST(free_numbers_are_counted)
{
    enum { MANY = 200, MOVES = 40 };
    static double x[MANY * 4];
    int kind = _i % 4, tables = _i >= 4, seen[2] = {0, 0};
    gm_context *ctx = test_context(NULL);
    for (int step = 0; step < MOVES; step++) {
        gm_dataset *all, *rows;
        uint64_t state = 21;
        int64_t width = 3 + tables;
        for (int i = 0; i < MANY; i++) {
            for (int j = 0; j < 3; j++)
                x[i * width + j] =
                    case_normal(&state) + (i % 2) * (0.8 + (kind < 2 ? 0.06 : 0.02) * step);
            if (tables)
                x[i * width + 3] = (double)(test_random(&state) % 3);
        }
        test_ok(ctx, gm_dataset_from_f64(ctx, x, MANY, width, 0, &all));
        rows = all;
        if (tables)
            test_ok(ctx, gm_dataset_with_type(ctx, all, 3, GM_COLUMN_CATEGORY, 0, &rows));
        double gain = schwarz(ctx, rows, kind, tables, 2) - schwarz(ctx, rows, kind, tables, 1);
        gm_model *model =
            fit_rows(ctx, rows,
                     (const char *[]){"seed=1", "valid=0", "prior=1e-9", "components=auto",
                                      "max_components=2", covariances[kind], NULL});
        const int64_t *shape;
        gm_tensors_get(model->tensors, "weight", NULL, &shape);
        if (fabs(gain) > 0.5) {
            ck_assert_msg(shape[0] == (gain > 0 ? 2 : 1),
                          "step %d: %d components where two gain %g", step, (int)shape[0], gain);
            seen[gain > 0] += fabs(gain) < 2.6; /* half of log 200 */
        }
        gm_model_free(model);
        if (tables)
            gm_dataset_free(rows);
        gm_dataset_free(all);
    }
    ck_assert_msg(seen[0] && seen[1], "%d and %d fits were near", seen[0], seen[1]);
    gm_context_free(ctx);
}
END_TEST

/* Over 20,000 rows a number of components is first fitted to some of them: the clusters are found
 * all the same, as many as there are, and the mixture is that of all rows. */
START_TEST(many_rows)
{
    enum { MANY = 21000 };
    static double x[MANY];
    gm_context *ctx = test_context(NULL);
    double mean = 0, logp[3];
    uint64_t state = 4;
    gm_dataset *rows;
    for (int i = 0; i < MANY; i++)
        x[i] = 10.0 * (i % 3) + (i % 3 == 1 ? 0.5 : 1) * case_normal(&state);
    for (int i = 1; i < MANY; i += 3)
        mean += 3 * x[i] / MANY;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, MANY, 1, 0, &rows));
    gm_model *model = fit_rows(
        ctx, rows,
        (const char *[]){"seed=1", "valid=0", "components=auto", "max_components=4", NULL});
    ck_assert_int_eq(gm_model_code_count(model), 3);
    /* far from the other clusters a parabola, whose top is at the mean of these rows */
    double at[3] = {mean - 1, mean, mean + 1};
    gm_array in = case_array(GM_F64, at, 3, 1);
    test_ok(ctx, gm_model_log_prob(ctx, model, &in, NULL, NULL, logp, NULL));
    double bend = logp[0] - 2 * logp[1] + logp[2];
    must_msg(fabs((logp[0] - logp[2]) / (2 * bend)) < 1e-4, "%g from the mean",
             (logp[0] - logp[2]) / (2 * bend));
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* What cannot change in a fit that goes on is told. */
START_TEST(other_components_when_going_on)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = real_rows(ctx);
    gm_model *model = fit_rows(ctx, rows, (const char *[]){"seed=1", "components=2", NULL}), *next;
    for (int k = 2; k < 4; k++) {
        gm_options *how = case_options(
            ctx, (const char *[]){"seed=1", k == 2 ? "components=2" : "components=3", NULL});
        gm_fit_config config = {
            .struct_size = sizeof config, .train = rows, .options = how, .init = model};
        if (k == 3) {
            test_fails(ctx, gm_fit_with(ctx, "mixture", &config, &next), GM_E_STAGE,
                       "the model to go on from has 2");
        } else {
            test_ok(ctx, gm_fit_with(ctx, "mixture", &config, &next));
            gm_model_free(next);
        }
        gm_options_free(how);
    }
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mixture_numbers");
    TCase *t = tcase_create("mixture_numbers");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, few_whole_rows, 0, 8);
    tcase_add_loop_test(t, free_numbers_are_counted, 0, 8);
    tcase_add_test(t, many_rows);
    tcase_add_test(t, other_components_when_going_on);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
