/* Losses that are no number, and data that make them likely. */
#include "family_cases.h"

#define D 4

/* ---- Losses that are no number --------------------------------------------------------------- */

/* Every way on ends below the cliff: the fit gives up, says so, and keeps what it had. */
START_TEST(gives_up)
{
    static double x[40 * D];
    const char *settings[] = {"seed=1",  "steps=1000",        "valid=0",   "precision=f64",
                              "clip=10", "schedule=constant", "average=0", NULL};
    case_setup c;
    test_log log = {0};
    gm_logger logger = test_log_hook(&log);
    gm_context_config config = {.struct_size = sizeof config, .logger = &logger};
    gm_context *ctx;
    gm_trainer *t;
    gm_model *model;
    double w[D], mean;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    test_ok(ctx, gm_family_register(ctx, &cliff));
    case_begin(&c, x, 40, D, "sgd lr=20000", settings);
    test_ok(ctx, gm_trainer_create(ctx, "cliff", &c.config, &t));
    test_fails(ctx, gm_trainer_step(ctx, t, 0), GM_E_NONFINITE, "smaller lr");
    ck_assert_int_eq(log.warnings, D + 8); /* its D columns are constant: a warning each */
    ck_assert_ptr_nonnull(strstr(log.last, "half the learning rate"));
    gm_progress p = case_progress(ctx, t);
    ck_assert_msg(p.recoveries >= 8 && !p.done, "%d", (int)p.recoveries);
    test_ok(ctx, gm_trainer_model(ctx, t, &model));
    case_param(model, "w", D, w);
    ck_assert_msg(w[0] > -5, "the weights left have no loss: %g", w[0]);
    test_ok(ctx, gm_trainer_evaluate(ctx, t, c.train, &mean, NULL));
    ck_assert(isfinite(mean));
    test_fails(ctx, gm_trainer_step(ctx, t, 0), GM_E_NONFINITE, "smaller lr");
    gm_model_free(model);
    gm_trainer_free(t);
    gm_context_free(ctx);
    case_end(&c);
}
END_TEST

/* |w| as a root: a loss of 0 whose gradient at the start is no number. */
static gm_node *edge_loss(gm_builder *b, gm_node *x)
{
    gm_node *w = gm_sqrt(b, gm_square(b, case_row(b, "w", x, GM_INIT_ZEROS)));
    return gm_shift(b, gm_sum(b, gm_add(b, w, gm_scale(b, x, 0)), -1, 0), 1.75);
}
static const gm_family edge = {.struct_size = sizeof edge,
                               .version = 1,
                               .name = "edge",
                               .summary = "the gradient is not a number",
                               .loss = edge_loss};

/* The text tells a lost gradient from a lost loss. */
START_TEST(gradient_is_no_number)
{
    double *x = case_cloud(40, D, 4);
    const char *settings[] = {"seed=1", "steps=20", "valid=0", "clip=1", NULL};
    case_setup c;
    gm_model *model;
    case_begin(&c, x, 40, D, "sgd lr=1", settings);
    test_ok(c.ctx, gm_family_register(c.ctx, &edge));
    test_fails(c.ctx, gm_fit_with(c.ctx, "edge", &c.config, &model), GM_E_NONFINITE,
               "the gradient is not finite (the loss is 1.75) at step 8, still after 8 returns");
    case_end(&c);
    free(x);
}
END_TEST

/* The loss is lost right where a snapshot falls due: the snapshot must be of weights that have one.
 */
START_TEST(recovers_at_a_snapshot)
{
    static double x[40];
    const char *settings[] = {"seed=1", "steps=150",         "valid=0", "precision=f64",
                              "clip=0", "schedule=constant", NULL};
    double w;
    case_setup c;
    case_begin(&c, x, 40, 1, "sgd lr=1", settings);
    gm_model *model = case_fit_now(&c, "trap");
    case_param(model, "w", 1, &w);
    ck_assert_msg(w > -99.5 && w < 0, "%g", w);
    ck_assert_int_ge(case_record(c.ctx, model, "recoveries"), 1);
    gm_model_free(model);
    case_end(&c);
}
END_TEST

START_TEST(absurd_rate)
{
    static const char *const optimizers[] = {"adam lr=1e6", "sgd lr=1e30", "rmsprop lr=1e12",
                                             "adam lr=1e38"};
    double *x = case_cloud(300, D, 4), mean;
    const char *settings[] = {"seed=1",           "steps=120", "hidden=8", "layers=2",
                              "coupling=realnvp", "mixing=lu", NULL};
    case_setup c;
    gm_trainer *t;
    gm_model *model;
    case_begin(&c, x, 300, D, optimizers[_i], settings);
    test_ok(c.ctx, gm_trainer_create(c.ctx, "flow", &c.config, &t));
    gm_status got = gm_trainer_step(c.ctx, t, 0);
    gm_progress p = case_progress(c.ctx, t);
    ck_assert_msg(got == GM_OK || (got == GM_E_NONFINITE && p.recoveries > 0), "%d: %s", got,
                  test_error(c.ctx));
    test_ok(c.ctx, gm_trainer_model(c.ctx, t, &model));
    for (int64_t i = 0; i < model->structure->layout.size; i++)
        must_msg(isfinite(((float *)model->params)[i]), "weight %d is not finite", (int)i);
    test_ok(c.ctx, gm_trainer_evaluate(c.ctx, t, c.train, &mean, NULL));
    gm_model_free(model);
    gm_trainer_free(t);
    case_end(&c);
    free(x);
}
END_TEST

/* ---- Odd data -------------------------------------------------------------------------------- */

/* Few rows, one column, constant columns, numbers of any size: finite weights and scores, or a
 * clear status. */
START_TEST(odd_data)
{
    static const struct {
        int64_t n, d;
        double scale, shift;
    } cases[] = {{1, 1, 1, 0},    {1, 3, 1, 7},     {2, 2, 1, 0},      {9, 1, 1, 0},
                 {30, 2, 0, 5},   {30, 2, 0, 0},    {50, 3, 1e300, 0}, {50, 3, 1e-300, 0},
                 {50, 3, 1, 1e9}, {50, 2, 1e40, 0}, {50, 2, 1e-40, 0}};
    static const char *const transforms[] = {"transform=standard", "transform=quantile",
                                             "transform=logit", "transform=none"};
    int64_t n = cases[_i].n, d = cases[_i].d;
    for (int k = 0; k < 8; k++) {
        double x[50 * 3], logp[50];
        uint64_t state = 9;
        const char *settings[] = {"seed=1",
                                  "steps=12",
                                  "hidden=5",
                                  "layers=2",
                                  "start=1",
                                  transforms[k % 4],
                                  k / 4 ? "whiten=1" : "whiten=0",
                                  NULL};
        case_setup c;
        gm_model *model = NULL;
        for (int64_t i = 0; i < n * d; i++)
            x[i] = cases[_i].shift + cases[_i].scale * test_uniform(&state, -1, 1);
        case_begin(&c, x, n, d, NULL, settings);
        gm_status got = gm_fit_with(c.ctx, "flow", &c.config, &model);
        ck_assert_msg(got == GM_OK || ((got == GM_E_NONFINITE || got == GM_E_DATA) && !model &&
                                       test_error(c.ctx)[0]),
                      "%s: %d: %s", transforms[k % 4], got, test_error(c.ctx));
        if (got)
            ck_assert_msg(k % 4 == 3 || fabs(cases[_i].scale) > 1e200, "%s: %s", transforms[k % 4],
                          test_error(c.ctx));
        if (!got) {
            test_ok(c.ctx, gm_model_log_prob_f64(c.ctx, model, x, n, 0, NULL, logp));
            for (int64_t i = 0; i < n; i++)
                ck_assert_msg(isfinite(logp[i]) || k % 4 == 3, "%s: row %d scores %g",
                              transforms[k % 4], (int)i, logp[i]);
        }
        gm_model_free(model);
        case_end(&c);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("recover");
    TCase *t = tcase_create("recover");
    tcase_add_test(t, gives_up);
    tcase_add_test(t, gradient_is_no_number);
    tcase_add_test(t, recovers_at_a_snapshot);
    tcase_add_loop_test(t, absurd_rate, 0, 4);
    tcase_add_loop_test(t, odd_data, 0, 11);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
