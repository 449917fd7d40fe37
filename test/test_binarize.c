/* Grey values as bits drawn anew in each step (the option binarize). */
#include "family_cases.h"

#define ROWS 600
#define D 4

/* Rows alike, of values 0, 51, 153 and 255: bits of probability 0, 0.2, 0.6 and 1. */
static gm_dataset *grey_rows(gm_context *ctx, double unit)
{
    static double x[ROWS][D];
    gm_dataset *rows;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < D; j++)
            x[i][j] = unit * (double[D]){0, 0.2, 0.6, 1}[j];
    test_ok(ctx, gm_dataset_from_f64(ctx, x[0], ROWS, D, 0, &rows));
    return rows;
}

static gm_dataset *bit_rows(gm_context *ctx, int typed)
{
    static double x[ROWS][D];
    uint64_t state = 3;
    gm_dataset *rows, *other;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < D; j++)
            x[i][j] = test_uniform(&state, 0, 1) < 0.2 + 0.5 * (j && x[i][j - 1] > 0);
    test_ok(ctx, gm_dataset_from_f64(ctx, x[0], ROWS, D, 0, &rows));
    for (int j = 0; typed && j < D; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, GM_COLUMN_BINARY, 0, &other));
        gm_dataset_free(rows);
        rows = other;
    }
    return rows;
}

static gm_model *fit_of(gm_context *ctx, const char *family, const gm_dataset *rows,
                        const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_options_free(how);
    return model;
}

/* What a fit learns of grey values is how often their bits are 1, each by itself. */
START_TEST(greys_are_probabilities)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = grey_rows(ctx, 255);
    gm_options *how = case_options(ctx, (const char *const[]){"seed=3", "hidden=", "binarize=255",
                                                              "batch=200", "steps=3000", NULL});
    gm_options *fast = case_options(ctx, (const char *const[]){"lr=0.03", NULL});
    gm_optimizer *adam;
    gm_model *model;
    test_ok(ctx, gm_optimizer_create(ctx, "adam", fast, &adam));
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .options = how, .optimizer = adam};
    test_ok(ctx, gm_fit_with(ctx, "autoregressive", &config, &model));
    double logp[16], x[16][D], ones[D] = {0};
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < D; j++)
            x[i][j] = i >> j & 1;
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x[0], 16, 0, NULL, logp));
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < D; j++)
            ones[j] += x[i][j] * exp(logp[i]);
    for (int j = 0; j < D; j++) {
        double right = (double[D]){0, 0.2, 0.6, 1}[j];
        ck_assert_msg(fabs(ones[j] - right) < 0.05, "P(1) of column %d is %g, not %g", j, ones[j],
                      right);
    }
    double both = exp(logp[14]); /* columns 1 and 2, drawn apart: 0.2 0.6 */
    ck_assert_msg(fabs(both - 0.12) < 0.03, "P(1, 1) is %g", both);
    gm_column column = {.struct_size = sizeof column};
    test_ok(ctx, gm_model_column(ctx, model, 2, &column));
    ck_assert_int_eq(column.type, GM_COLUMN_BINARY);
    gm_options_free(how);
    gm_options_free(fast);
    gm_optimizer_free(adam);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Rows of 0 and 1 stand for themselves: the same weights as of binary columns without the option.
 */
START_TEST(bits_stay_bits)
{
    static const char *const families[] = {"autoregressive", "vae"};
    const char *const plain[] = {"seed=3", "hidden=9", "steps=30", NULL};
    const char *const drawn[] = {"seed=3", "hidden=9", "steps=30", "binarize=255", NULL};
    gm_context *ctx = test_context(NULL);
    gm_dataset *numbers = bit_rows(ctx, 0), *bits = bit_rows(ctx, 1);
    gm_options *how = case_options(ctx, (const char *const[]){"seed=1", NULL});
    double a[ROWS], b[ROWS], c[ROWS];
    gm_model *first = fit_of(ctx, families[_i], bits, plain),
             *second = fit_of(ctx, families[_i], bits, drawn),
             *third = fit_of(ctx, families[_i], numbers, drawn);
    test_ok(ctx, gm_model_log_prob_rows(ctx, first, bits, NULL, how, a, NULL));
    test_ok(ctx, gm_model_log_prob_rows(ctx, second, bits, NULL, how, b, NULL));
    test_ok(ctx, gm_model_log_prob_rows(ctx, third, numbers, NULL, how, c, NULL));
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_mem_eq(a, c, sizeof a);
    gm_model_free(first);
    gm_model_free(second);
    gm_model_free(third);
    gm_options_free(how);
    gm_dataset_free(numbers);
    gm_dataset_free(bits);
    gm_context_free(ctx);
}
END_TEST

/* The same bits for any number of threads and fits that were broken off; validation rows may be of
 * either kind. */
START_TEST(threads_and_validation)
{
    const char *const settings[] = {"seed=3", "hidden=9", "steps=40", "binarize=255", NULL};
    double logp[2][ROWS];
    for (int k = 0; k < 2; k++) {
        gm_context *ctx = test_context(NULL);
        test_ok(ctx, gm_context_set_int(ctx, "threads", k ? 3 : 1));
        gm_dataset *greys = grey_rows(ctx, 255), *bits = bit_rows(ctx, k);
        gm_options *how = case_options(ctx, settings);
        gm_fit_config config = {
            .struct_size = sizeof config, .train = greys, .valid = bits, .options = how};
        gm_trainer *t;
        gm_model *model;
        test_ok(ctx, gm_trainer_create(ctx, "autoregressive", &config, &t));
        for (int i = 0; i < 4; i++)
            test_ok(ctx, gm_trainer_step(ctx, t, 10));
        test_ok(ctx, gm_trainer_model(ctx, t, &model));
        test_ok(ctx, gm_model_log_prob_rows(ctx, model, bits, NULL, NULL, logp[k], NULL));
        gm_model_free(model);
        gm_trainer_free(t);
        gm_options_free(how);
        gm_dataset_free(greys);
        gm_dataset_free(bits);
        gm_context_free(ctx);
    }
    ck_assert_mem_eq(logp[0], logp[1], sizeof logp[0]);
}
END_TEST

START_TEST(refused)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = grey_rows(ctx, 300), *right = grey_rows(ctx, 255);
    gm_options *how =
        case_options(ctx, (const char *const[]){"seed=3", "steps=2", "binarize=255", NULL});
    gm_model *model = NULL;
    test_fails(ctx, gm_fit(ctx, "autoregressive", rows, how, &model), GM_E_DATA, "binarize=255");
    test_fails(ctx, gm_fit(ctx, "flow", right, how, &model), GM_E_UNSUPPORTED, "autoregressive");
    gm_fit_config config = {
        .struct_size = sizeof config, .train = right, .valid = rows, .options = how};
    test_fails(ctx, gm_fit_with(ctx, "autoregressive", &config, &model), GM_E_DATA, "300");
    ck_assert_ptr_null(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(right);
    gm_context_free(ctx);
}
END_TEST

static gm_status fit_in_little(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    const char *const settings[][2] = {
        {"seed", "1"}, {"steps", "2"}, {"hidden", "3"}, {"binarize", "255"}};
    gm_status code = gm_context_create(&config, &ctx);
    if (!code)
        code = gm_options_create(ctx, &how);
    for (int i = 0; i < 4 && !code; i++)
        code = gm_options_set_text(ctx, how, settings[i][0], settings[i][1]);
    if (!code)
        code = gm_fit(ctx, "autoregressive", arg, how, &model);
    gm_model_free(model);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = grey_rows(ctx, 255);
    ck_assert_int_gt(test_every_failure(fit_in_little, rows, test_quick() ? 60 : 300), 50);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("binarize");
    TCase *t = tcase_create("binarize");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, greys_are_probabilities);
    tcase_add_loop_test(t, bits_stay_bits, 0, 2);
    tcase_add_test(t, threads_and_validation);
    tcase_add_test(t, refused);
    tcase_add_test(t, every_allocation);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
