/* Networks whose values are computed one by one, as columns become known (model/walk.h), against
 * whole passes: the same bits. */
#include "rows_cases.h"
#include "density/autoregressive.h"
#include "model/laws.h"
#include "model/walk.h"

/* A family that differs in nothing but that each step runs the whole network. */
static gm_sequence whole_steps;
static gm_family whole_passes;

/* Rows drawn value by value have the bits of those drawn by whole passes: of all kinds of columns,
 * in both precisions, across strips of rows and pieces of a call. */
START_TEST(columns_alone_have_the_bits_of_passes)
{
    static const char *const settings[][12] = {
        {"seed=1", "steps=9", "hidden=20", "table=8", "components=3", NULL},
        {"seed=2", "steps=9", "hidden=20,31", "table=100", "order=random", "precision=f64", NULL},
        {"seed=3", "steps=9", "hidden=12,12,12,7", "table=0", "components=1", "residual=1", NULL},
        {"seed=4", "steps=9", "hidden=700", "table=0", "components=4", "direct=0",
         "activation=leaky_relu", NULL},
        {"seed=5", "steps=9", "hidden=", "table=8", "components=2", "precision=f64", NULL},
        {"seed=6", "steps=9", "hidden=9,14", "activation=silu", "components=3", "table=9", NULL},
        {"seed=7", "steps=9", "hidden=9,14", "orders=3", "order=random", NULL},
        {"seed=8", "steps=9", "hidden=12", "orders=2", "table=0", "components=3", NULL},
    };
    enum { N = 777 };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = _i % 2 ? count_rows(ctx) : bit_rows(ctx, 200);
    gm_options *how = case_options(ctx, settings[_i]), *call = NULL;
    gm_model *model, *other;
    double *x = malloc(2 * N * BITS * sizeof *x), *y = x + N * BITS;
    test_ok(ctx, gm_family_register(ctx, &whole_passes));
    test_ok(ctx, gm_fit(ctx, "autoregressive", rows, how, &model));
    test_ok(ctx, gm_fit(ctx, "whole_passes", rows, how, &other));
    gm__program *program;
    gm__walk *walk;
    gm__real real = model->structure->real;
    test_ok(ctx, gm__program_get(ctx, model, GM__SAMPLE, real, N, &program));
    test_ok(ctx, gm__program_walk(ctx, model, program, &walk));
    ck_assert_ptr_nonnull(walk);
    test_ok(ctx, gm__program_get(ctx, other, GM__SAMPLE, real, N, &program));
    test_ok(ctx, gm__program_walk(ctx, other, program, &walk));
    ck_assert_ptr_null(walk);
    test_ok(ctx, gm_options_create(ctx, &call));
    test_ok(ctx, gm_options_set_text(ctx, call, "seed", "5"));
    size_t bytes = N * (size_t)gm_model_column_count(model) * sizeof *x;
    for (int again = 0; again < 2; again++) {
        test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, call, x));
        test_ok(ctx, gm_model_sample_f64(ctx, other, N, NULL, call, y));
        ck_assert_mem_eq(x, y, bytes);
        test_ok(ctx, gm_options_set_text(ctx, call, "temperature", "0.7"));
    }
    free(x);
    gm_model_free(model);
    gm_model_free(other);
    gm_options_free(how);
    gm_options_free(call);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Raw with a bound that nothing reaches, where values one by one know no way. */
static gm_conditionals whole_conditionals;
static gm_node *raw_by_passes(gm_builder *b, gm_node *x, gm_node *known)
{
    return gm_max(b, gm__autoregressive.conditionals->raw(b, x, known), gm_const(b, -1e30));
}

/* One column's laws in all rows, asked of both: the same bits. */
static void same_law(gm_context *const ctx[2], gm_conditional *const c[2], int64_t n,
                     const double *value)
{
    double *a = malloc((size_t)(6 * n) * sizeof *a), *b = a + 3 * n;
    for (int k = 0; k < 2; k++) {
        double *to = k ? b : a;
        test_ok(ctx[k], gm_conditional_log_prob(ctx[k], c[k], 0, n, value, to));
        test_ok(ctx[k], gm_conditional_cdf(ctx[k], c[k], 0, n, value, to + n, to + 2 * n));
    }
    ck_assert_mem_eq(a, b, (size_t)(3 * n) * sizeof *a);
    free(a);
}

/* Column after column, going on or set anew, on another instruction set and with threads; back to
 * an earlier one; with cells of an earlier one changed; with fewer rows. */
static void same_laws(gm_context *const ctx[2], gm_conditional *const c[2], int64_t n, int64_t d,
                      double *x)
{
    double *value = malloc((size_t)n * sizeof *value);
    unsigned char known[BITS] = {0};
    int64_t order[BITS], place = 0;
    gm_array rows = case_array(GM_F64, x, n, d);
    gm_conditional_order(c[0], order);
    for (int step = 0; step < 3 * d; step++) {
        int64_t was = order[place];
        int next = step % 3 && place + 1 < d;
        place = next ? place + 1 : step * 7 / 3 % d;
        if (step == 2 * d / 3 * 3)
            rows.shape[0] = n -= n / 3;
        for (int64_t i = 0; i < n; i++)
            value[i] = x[i * d + was];
        for (int64_t k = 0; k < d; k++)
            known[order[k]] = k < place;
        int64_t change = step % 5 == 3 ? order[step / 5 % d] : -1; /* some cells of a column */
        for (int64_t i = 0; change >= 0 && i < n; i += 7)
            x[i * d + change] = x[change];
        for (int k = 0; k < 2; k++)
            test_ok(ctx[k],
                    next ? gm_conditional_next(ctx[k], c[k], value, order[place])
                         : gm_conditional_set(ctx[k], c[k], &rows, NULL, known, order[place]));
        for (int64_t i = 0; i < n; i++)
            value[i] = x[i * d + order[place]];
        same_law(ctx, c, n, value);
    }
    free(value);
}

START_TEST(laws_have_the_bits_of_passes)
{
    static const char *const settings[][12] = {
        {"seed=1", "steps=9", "hidden=3", "table=8", "components=3", NULL},
        {"seed=2", "steps=9", "hidden=20,31", "order=random", "precision=f64", NULL},
        {"seed=3", "steps=9", "hidden=12,12,12,7", "table=0", "components=1", "residual=1", NULL},
        {"seed=4", "steps=9", "hidden=700", "table=0", "components=4", "direct=0",
         "activation=leaky_relu", NULL},
        {"seed=5", "steps=9", "hidden=", "table=0", "components=2", NULL},
        {"seed=6", "steps=9", "hidden=14,14", "activation=silu", "residual=1", NULL},
    };
    enum { N = 700 };
    gm_context *ctx = test_context(NULL), *other = test_context(NULL), *both[2] = {other, ctx};
    gm_dataset *rows = _i % 2 ? count_rows(ctx) : bit_rows(ctx, N);
    gm_options *how = case_options(ctx, settings[_i]), *call = NULL;
    gm_model *models[2];
    gm_conditional *c[2];
    const char *kernels = _i % 2 ? "auto" : "base";
    test_ok(other, gm_context_set_text(other, "kernels", kernels));
    test_ok(other, gm_context_set_text(other, "threads", "3"));
    test_ok(ctx, gm_family_register(ctx, &whole_passes));
    test_ok(ctx, gm_fit(ctx, "autoregressive", rows, how, &models[0]));
    test_ok(ctx, gm_fit(ctx, "whole_passes", rows, how, &models[1]));
    int64_t d = gm_model_column_count(models[0]), n = gm_dataset_row_count(rows);
    double *x = malloc((size_t)(n * d) * sizeof *x);
    test_ok(ctx, gm_options_create(ctx, &call));
    const char *precision = _i % 3 ? "f32" : "f64";
    test_ok(ctx, gm_options_set_text(ctx, call, "precision", precision));
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, n, x, 0));
    for (int k = 0; k < 2; k++) {
        gm__laws *laws;
        test_ok(ctx, gm__laws_create(ctx, models[k], GM__F32, 0, &laws));
        ck_assert_int_eq(laws->walk != NULL, k == 0);
        gm__laws_free(laws);
        test_ok(both[k], gm_conditional_create(both[k], models[k], call, &c[k]));
    }
    same_laws(both, c, n, d, x);
    free(x);
    for (int k = 0; k < 2; k++) {
        gm_conditional_free(c[k]);
        gm_model_free(models[k]);
    }
    gm_options_free(how);
    gm_options_free(call);
    gm_dataset_free(rows);
    gm_context_free(other);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("walk");
    TCase *t = tcase_create("walk");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, columns_alone_have_the_bits_of_passes, 0, 8);
    tcase_add_loop_test(t, laws_have_the_bits_of_passes, 0, 6);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    whole_passes = gm__autoregressive;
    whole_steps = *whole_passes.sequence;
    whole_steps.conditional = 0;
    whole_passes.sequence = &whole_steps;
    whole_conditionals = *whole_passes.conditionals;
    whole_conditionals.raw = raw_by_passes;
    whole_passes.conditionals = &whole_conditionals;
    whole_passes.name = "whole_passes";
    return gm__test_main(suite);
}
