/* Rows outside of what a model can know, and rows drawn that stay within it. */
#include "ask_cases.h"

#include <math.h>

static const char *const families[] = {"flow", "vae", "diffusion"};
#define FAMILIES ((int)(sizeof families / sizeof families[0]))

static gm_model *mixed_of(gm_context *ctx, const char *family, const char *transform)
{
    gm_dataset *rows = mixed_rows(ctx);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=3", "steps=5", "hidden=9", transform, NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

static gm_options *call_options(gm_context *ctx, const char *family)
{
    int path = strcmp(family, "diffusion") == 0;
    return case_options(ctx, (const char *[]){"seed=4", path ? "ode_steps=2" : NULL, NULL});
}

/* Cells of size, count, flag, kind; the column that no model of mixed_rows can know, and the text.
 */
static const struct {
    double cells[D];
    const char *text;
} unknown[] = {
    {{0.5, 3, 1, 3}, "column 'kind' is a category never seen"},
    {{0.5, 3, 1, -1}, "column 'kind' is a category never seen"},
    {{0.5, 3, 2, 1}, "column 'flag' is a category never seen"},
    {{0.5, 3.5, 1, 1}, "column 'count' is 3.5, no whole number"},
    {{7, 3, 1, 1}, "column 'size' is 7, a number out of range"},
    {{0.5, 12, 1, 1}, "column 'count' is 12, a number out of range"},
};
#define UNKNOWN ((int)(sizeof unknown / sizeof unknown[0]))

START_TEST(codes_of_unknown_rows)
{
    enum { N = 600, AT = 588 };
    gm_context *ctx = test_context(NULL);
    gm_model *model = mixed_of(ctx, families[_i], "transform=logit");
    gm_options *how = call_options(ctx, families[_i]);
    int64_t k = gm_model_code_count(model);
    static double x[N * D], y[N * D], z[N * 16], logp[N];
    char text[128];
    for (int c = 0; c < UNKNOWN; c++) {
        for (int i = 0; i < N; i++)
            memcpy(x + i * D, (const double[D]){0.1, 4, 0, 2}, D * sizeof *x);
        memcpy(x + AT * D, unknown[c].cells, D * sizeof *x);
        for (int i = 0; i < N; i++)
            y[i * D] = z[i * k] = -77;
        gm_array ax = case_array(GM_F64, x, N, D), az = case_array(GM_F64, z, N, k),
                 ay = case_array(GM_F64, y, N, D);
        snprintf(text, sizeof text, "encode: row %d, %s", AT + 1, unknown[c].text);
        test_fails(ctx, gm_model_encode(ctx, model, &ax, NULL, how, &az), GM_E_DATA, text);
        snprintf(text, sizeof text, "reconstruct: row %d, %s", AT + 1, unknown[c].text);
        test_fails(ctx, gm_model_reconstruct(ctx, model, &ax, NULL, how, &ay), GM_E_DATA, text);
        for (int i = 0; i < N; i++)
            must_msg(y[i * D] == -77 && z[i * k] == -77, "row %d was written", i);
        test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, NULL));
        for (int i = 0; i < N; i++)
            must_msg(i == AT ? logp[i] == -INFINITY : isfinite(logp[i]), "log p of row %d is %g", i,
                     logp[i]);
    }
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A category of a dataset that the model never saw, by its name. */
START_TEST(codes_of_unknown_names)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = mixed_model(ctx);
    gm_dataset *rows = csv_rows(ctx, "size,count,flag,kind\n0.5,2,no,ash\n0.25,3,yes,fir\n");
    double z[32];
    gm_array az = case_array(GM_F64, z, 2, gm_model_code_count(model));
    gm_dataset *made = rows;
    test_fails(ctx, gm_model_encode_rows(ctx, model, rows, NULL, NULL, &az), GM_E_DATA,
               "encode: row 2, column 'kind' is a category never seen");
    test_fails(ctx, gm_model_reconstruct_rows(ctx, model, rows, NULL, NULL, &made), GM_E_DATA,
               "row 2");
    ck_assert_ptr_null(made);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

static const double far_off[] = {1e300, -1e300, 1e38, 1e30, 1e19, -1e10, 7};

START_TEST(gradient_of_unknown_rows)
{
    gm_context *ctx = test_context(NULL);
    gm_model *mixed = mixed_of(ctx, families[_i], "transform=logit"), *plain = plain_model(ctx);
    gm_options *how = call_options(ctx, families[_i]);
    double x[UNKNOWN * D], grad[UNKNOWN * D], logp[UNKNOWN];
    gm_array ax = case_array(GM_F64, x, UNKNOWN, D), ag = case_array(GM_F64, grad, UNKNOWN, D);
    for (int i = 0; i < UNKNOWN * D; i++)
        x[i] = unknown[i / D].cells[i % D];
    test_ok(ctx, gm_model_log_prob_gradient(ctx, mixed, &ax, NULL, how, logp, &ag));
    for (int i = 0; i < UNKNOWN * D; i++) {
        must(isfinite(grad[i]));
        must_msg(logp[i / D] == -INFINITY && grad[i] == 0, "row %d: %g, gradient %g", i / D,
                 logp[i / D], grad[i]);
    }
    for (size_t k = 0; k < sizeof far_off / sizeof far_off[0]; k++) {
        double row[D] = {far_off[k], 0, far_off[k], 1};
        gm_array one = case_array(GM_F64, row, 1, D), out = case_array(GM_F64, grad, 1, D);
        test_ok(ctx, gm_model_log_prob_gradient(ctx, plain, &one, NULL, NULL, logp, &out));
        for (int j = 0; j < D; j++)
            must_msg(logp[0] == logp[0] && grad[j] == grad[j] &&
                         (logp[0] > -INFINITY || grad[j] == 0),
                     "%g: %g, gradient %g", far_off[k], logp[0], grad[j]);
    }
    gm_options_free(how);
    gm_model_free(mixed);
    gm_model_free(plain);
    gm_context_free(ctx);
}
END_TEST

/* Rows drawn by models that hardly learned anything stay where the data were. */
START_TEST(drawn_within_range)
{
    enum { N = 2000 };
    gm_context *ctx = test_context(NULL);
    gm_model *model = mixed_of(ctx, families[_i], "transform=standard");
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=4", "temperature=3", _i == 2 ? "sampler_steps=3" : NULL, NULL});
    gm_options *score = call_options(ctx, families[_i]);
    static double x[N * D], logp[N], again[N], decoded[N * D];
    int ends = 0, k = (int)gm_model_code_count(model);
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, how, x));
    for (int i = 0; i < N; i++) {
        double count = x[i * D + 1];
        must_msg(count >= 0 && count <= 8 && count == floor(count), "row %d: %g of 0 to 8", i,
                 count);
        ends += count == 0 || count == 8;
    }
    ck_assert_int_gt(ends, 0);
    /* the log p that sample gives is that of the row that it gives */
    gm_array ax = case_array(GM_F64, x, 50, D);
    test_ok(ctx, gm_model_sample(ctx, model, 50, NULL, score, &ax, logp));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 50, 0, score, again));
    ck_assert_mem_eq(logp, again, 50 * sizeof *logp);
    /* decode tells what a code stands for, in range or not */
    double z[32] = {0};
    double far = 0;
    for (int j = 0; j < k; j++) {
        for (int i = 0; i < k; i++)
            z[i] = i == j ? 30 : 0;
        gm_array az = case_array(GM_F64, z, 1, k), ad = case_array(GM_F64, decoded, 1, D);
        test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &ad));
        far = fmax(far, fabs(decoded[1]));
    }
    if (_i == 0)
        ck_assert_double_gt(far, 8);
    gm_options_free(how);
    gm_options_free(score);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* No validation row inside the support is a matter of the rows, not of the learning rate. */
START_TEST(validated_outside)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx),
               *valid = csv_rows(ctx, "size,count,flag,kind\n0.5,2,no,fir\n0.25,3,yes,elm\n");
    gm_options *how = case_options(ctx, (const char *[]){"seed=3", "steps=4", "hidden=5", NULL});
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .valid = valid, .options = how};
    gm_model *model;
    test_fails(ctx, gm_fit_with(ctx, "flow", &config, &model), GM_E_DATA,
               "all 2 validation rows lie outside");
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(valid);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("outside");
    TCase *t = tcase_create("outside");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, codes_of_unknown_rows, 0, FAMILIES);
    tcase_add_test(t, codes_of_unknown_names);
    tcase_add_loop_test(t, gradient_of_unknown_rows, 0, 2);
    tcase_add_loop_test(t, drawn_within_range, 0, FAMILIES);
    tcase_add_test(t, validated_outside);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
