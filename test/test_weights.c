/* Row weights: integer ones are repeated rows, rows of weight 0 are not there, equal ones change no
 * bit; weighted statistics, validation and records; what is refused. */
#include "family_cases.h"

#define ROWS 240
#define D 3

/* Columns of a bent cloud, and behind them a weight of 0 to 3. */
static void weighted_cells(double *cells, uint64_t seed)
{
    double *x = case_cloud(ROWS, D, seed);
    for (int64_t i = 0; i < ROWS; i++) {
        memcpy(cells + i * (D + 1), x + i * D, D * sizeof *x);
        cells[i * (D + 1) + D] = (double)(test_random(&seed) % 4);
    }
    free(x);
}

static gm_dataset *weighted_rows(gm_context *ctx, const double *cells, int64_t n)
{
    gm_dataset *rows, *view;
    test_ok(ctx, gm_dataset_from_f64(ctx, cells, n, D + 1, 0, &rows));
    test_ok(ctx, gm_dataset_with_role(ctx, rows, D, GM_ROLE_WEIGHT, &view));
    gm_dataset_free(rows);
    return view;
}

/* Each row as often as it weighs; returns how many. */
static int64_t repeat_rows(const double *cells, double *out)
{
    int64_t n = 0;
    for (int64_t i = 0; i < ROWS; i++)
        for (int k = 0; k < (int)cells[i * (D + 1) + D]; k++)
            memcpy(out + D * n++, cells + i * (D + 1), D * sizeof *out);
    return n;
}

static gm_model *fit(gm_context *ctx, const char *family, const gm_dataset *rows,
                     const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_options_free(how);
    return model;
}

/* ---- One batch ------------------------------------------------------------------------------- */

/* The loss of all rows in one step, and its gradients. */
static double one_batch(gm_context *ctx, const gm_dataset *rows, double *grads, int64_t *count)
{
    gm_options *how = case_options(ctx, (const char *[]){"seed=3", "steps=1", "batch=100000",
                                                         "valid=0", "hidden=7", "layers=2",
                                                         "precision=f64", "identity=0", NULL});
    gm_fit_config config = {.struct_size = sizeof config, .train = rows, .options = how};
    gm_trainer *t;
    test_ok(ctx, gm_trainer_create(ctx, "flow", &config, &t));
    int64_t n = t->objective.rows;
    int64_t *order = malloc((size_t)n * sizeof *order);
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    gm__batch batch = {.row = order, .count = n, .seed = 3, .step = 0};
    double loss;
    test_ok(ctx, t->objective.step(t->objective.user, ctx, 0, &batch, t->buffers[GM__PARAM],
                                   t->buffers[GM__GRAD], &loss));
    const gm__layout *layout = t->objective.layout;
    *count = 0;
    for (int i = 0; i < layout->count; i++)
        for (int64_t k = 0; k < layout->slots[i].count; k++)
            grads[(*count)++] = ((double *)t->buffers[GM__GRAD])[layout->slots[i].offset + k];
    free(order);
    gm_trainer_free(t);
    gm_options_free(how);
    return loss;
}

START_TEST(weights_are_repeats)
{
    static double cells[ROWS * (D + 1)], repeated[3 * ROWS * D], a[4096], b[4096];
    gm_context *ctx = test_context(NULL);
    int64_t count, again;
    weighted_cells(cells, 5);
    gm_dataset *rows = weighted_rows(ctx, cells, ROWS), *many;
    test_ok(ctx, gm_dataset_from_f64(ctx, repeated, repeat_rows(cells, repeated), D, 0, &many));
    double weighted = one_batch(ctx, rows, a, &count), plain = one_batch(ctx, many, b, &again);
    ck_assert_int_eq(count, again);
    ck_assert_int_gt(count, 100);
    ck_assert_msg(test_close(weighted, plain, 1e-10, 0), "loss %.15g, repeated %.15g", weighted,
                  plain);
    double most = 0;
    for (int64_t i = 0; i < count; i++) {
        most = fabs(b[i]) > most ? fabs(b[i]) : most;
        must_msg(test_close(a[i], b[i], 1e-6, 1e-8), "gradient %d: %.12g, repeated %.12g", (int)i,
                 a[i], b[i]);
    }
    ck_assert_msg(most > 1e-3, "no gradient to compare");
    gm_dataset_free(rows);
    gm_dataset_free(many);
    gm_context_free(ctx);
}
END_TEST

/* ---- Whole fits ------------------------------------------------------------------------------ */

#define SAME_MODELS(a, b)                                                                          \
    do {                                                                                           \
        size_t bytes = (size_t)(a)->structure->layout.size * 4;                                    \
        ck_assert_msg((a)->structure->layout.size == (b)->structure->layout.size &&                \
                          memcmp((a)->params, (b)->params, bytes) == 0,                            \
                      #a " and " #b " have other weights");                                        \
    } while (0)

static const char *const small[] = {"seed=2", "steps=40", "hidden=9", "layers=2", "batch=32", NULL};

/* Rows of weight 0 are not there; all weights alike change no bit, whatever they are. */
START_TEST(no_influence)
{
    static double cells[ROWS * (D + 1)], kept[ROWS * (D + 1)];
    gm_context *ctx = test_context(NULL);
    int64_t n = 0;
    weighted_cells(cells, 7);
    for (int64_t i = 0; i < ROWS; i++)
        if (cells[i * (D + 1) + D] > 0)
            memcpy(kept + (D + 1) * n++, cells + i * (D + 1), (D + 1) * sizeof *cells);
    gm_dataset *all = weighted_rows(ctx, cells, ROWS), *some = weighted_rows(ctx, kept, n);
    gm_model *a = fit(ctx, "flow", all, small), *b = fit(ctx, "flow", some, small);
    SAME_MODELS(a, b);
    gm_model_free(a);
    gm_model_free(b);
    gm_dataset_free(some);
    for (int64_t i = 0; i < ROWS; i++)
        cells[i * (D + 1) + D] = 0.3;
    gm_dataset *alike = weighted_rows(ctx, cells, ROWS), *plain;
    const int64_t features[D] = {0, 1, 2};
    test_ok(ctx, gm_dataset_select(ctx, all, features, D, &plain));
    a = fit(ctx, "flow", alike, small);
    b = fit(ctx, "flow", plain, small);
    SAME_MODELS(a, b);
    ck_assert_int_eq(gm_model_column_count(a), D);
    ck_assert_ptr_nonnull(strstr(a->record, "\"weighted\":true"));
    ck_assert_ptr_null(strstr(b->record, "weighted"));
    gm_model_free(a);
    gm_model_free(b);
    gm_dataset_free(all);
    gm_dataset_free(alike);
    gm_dataset_free(plain);
    gm_context_free(ctx);
}
END_TEST

/* A normal density learned from weighted rows has the weighted mean and deviation, the transforms
 * aside: its mean log density over the rows by weight is that of the closed form. */
START_TEST(weighted_normal)
{
    enum { N = 400 };
    static double cells[N * 2], logp[N];
    static const char *const transforms[] = {"transform=none", "transform=standard",
                                             "transform=quantile"};
    gm_context *ctx = case_family_context(NULL);
    uint64_t state = 3;
    double w = 0, mean = 0, variance = 0, got = 0;
    for (int i = 0; i < N; i++) {
        cells[2 * i] = case_normal(&state);
        cells[2 * i + 1] = exp(cells[2 * i]); /* tilts the mean to 1, the deviation stays */
        w += cells[2 * i + 1];
        mean += cells[2 * i] * cells[2 * i + 1];
    }
    mean /= w;
    for (int i = 0; i < N; i++)
        variance += (cells[2 * i] - mean) * (cells[2 * i] - mean) * cells[2 * i + 1] / w;
    gm_dataset *rows, *view;
    test_ok(ctx, gm_dataset_from_f64(ctx, cells, N, 2, 0, &rows));
    test_ok(ctx, gm_dataset_with_role(ctx, rows, 1, GM_ROLE_WEIGHT, &view));
    const char *settings[] = {"seed=1",       _i ? "steps=1500" : "steps=6000",
                              "batch=400",    "valid=0",
                              "average=0",    "precision=f64",
                              transforms[_i], NULL};
    gm_model *model = fit(ctx, "bell", view, settings);
    gm_array x = case_array(GM_F64, cells, N, 1);
    x.strides[0] = 2;
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, NULL, NULL, logp, NULL));
    for (int i = 0; i < N; i++)
        got += logp[i] * cells[2 * i + 1] / w;
    double entropy = 0.5 * log(6.283185307179586 * variance) + 0.5;
    if (_i == 2) /* another density, which must be near the best normal one at least */
        ck_assert_msg(got > -entropy - 0.1, "%g, the closed form is %g", got, -entropy);
    else
        ck_assert_msg(test_close(got, -entropy, 1e-3, 0), "%.9g, the closed form is %.9g", got,
                      -entropy);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_dataset_free(view);
    gm_context_free(ctx);
}
END_TEST

/* Statistics of transforms: those of the repeated rows. Whitened, too. */
START_TEST(statistics)
{
    static double cells[ROWS * (D + 1)], repeated[3 * ROWS * D], a[20 * D], b[20 * D];
    static const char *const ways[][2] = {{"transform=standard", "whiten=0"},
                                          {"transform=standard", "whiten=1"},
                                          {"transform=logit", "whiten=0"},
                                          {"transform=quantile", "whiten=0"}};
    gm_context *ctx = test_context(NULL);
    weighted_cells(cells, 5);
    gm_dataset *rows = weighted_rows(ctx, cells, ROWS), *many;
    test_ok(ctx, gm_dataset_from_f64(ctx, repeated, repeat_rows(cells, repeated), D, 0, &many));
    const char *settings[] = {"seed=1",    "steps=0",   "epochs=1",  "batch=100000",
                              "valid=0",   "hidden=3",  "layers=1",  "precision=f64",
                              ways[_i][0], ways[_i][1], "average=0", NULL};
    gm_model *x = fit(ctx, "flow", rows, settings), *y = fit(ctx, "flow", many, settings);
    double *forward[] = {a, b};
    gm_model *models[] = {x, y};
    for (int k = 0; k < 2; k++)
        gm__transform_forward(models[k]->structure->transform, repeated, 20, NULL, 0, NULL,
                              forward[k], NULL, NULL, NULL);
    for (int i = 0; i < 20 * D; i++)
        must_msg(test_close(a[i], b[i], 1e-9, _i == 3 ? 0.1 : 1e-9), "cell %d: %.12g, not %.12g", i,
                 a[i], b[i]);
    gm_model_free(x);
    gm_model_free(y);
    gm_dataset_free(rows);
    gm_dataset_free(many);
    gm_context_free(ctx);
}
END_TEST

/* Validation losses of weighted rows are those of repeated ones, their standard error is that of
 * weights, and rows without weights count alike. */
START_TEST(validation)
{
    static double cells[ROWS * (D + 1)], repeated[3 * ROWS * D];
    gm_context *ctx = test_context(NULL);
    weighted_cells(cells, 5);
    gm_dataset *rows = weighted_rows(ctx, cells, ROWS), *many;
    test_ok(ctx, gm_dataset_from_f64(ctx, repeated, repeat_rows(cells, repeated), D, 0, &many));
    gm_options *how = case_options(ctx, small);
    gm_fit_config config = {
        .struct_size = sizeof config, .train = rows, .valid = rows, .options = how};
    gm_trainer *t;
    double a, b, ea, eb;
    test_ok(ctx, gm_trainer_create(ctx, "flow", &config, &t));
    test_ok(ctx, gm_trainer_step(ctx, t, 10));
    test_ok(ctx, gm_trainer_evaluate(ctx, t, rows, &a, &ea));
    test_ok(ctx, gm_trainer_evaluate(ctx, t, many, &b, &eb));
    ck_assert_msg(test_close(a, b, 1e-9, 0), "%.12g, repeated %.12g", a, b);
    ck_assert_msg(ea > eb && ea < 1.6 * eb, "errors %g, repeated %g", ea, eb);
    gm_trainer_free(t);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(many);
    gm_context_free(ctx);
}
END_TEST

/* Families that learn in one piece: weighted rows are repeated ones, and conditions are refused. */
START_TEST(direct_families)
{
    static double cells[ROWS * (D + 1)], repeated[3 * ROWS * D], a[ROWS], b[ROWS];
    static const char *const settings[][5] = {{"seed=2", "components=2", NULL},
                                              {"seed=2", "bandwidth=0.4", NULL}};
    static const char *const families[] = {"mixture", "kde"};
    gm_context *ctx = test_context(NULL);
    weighted_cells(cells, 5);
    gm_dataset *rows = weighted_rows(ctx, cells, ROWS), *many, *given;
    test_ok(ctx, gm_dataset_from_f64(ctx, repeated, repeat_rows(cells, repeated), D, 0, &many));
    gm_model *x = fit(ctx, families[_i], rows, settings[_i]),
             *y = fit(ctx, families[_i], many, settings[_i]), *none;
    gm_options *how = case_options(ctx, settings[_i]);
    test_ok(ctx, gm_model_log_prob_f64(ctx, x, repeated, ROWS, 0, NULL, a));
    test_ok(ctx, gm_model_log_prob_f64(ctx, y, repeated, ROWS, 0, NULL, b));
    for (int i = 0; i < ROWS; i++)
        must_msg(test_close(a[i], b[i], 1e-6, 1e-6), "row %d: %.12g, repeated %.12g", i, a[i],
                 b[i]);
    test_ok(ctx, gm_dataset_with_role(ctx, many, 0, GM_ROLE_CONDITION, &given));
    test_fails(ctx, gm_fit(ctx, families[_i], given, how, &none), GM_E_UNSUPPORTED,
               "these families do: flow");
    gm_options_free(how);
    gm_model_free(x);
    gm_model_free(y);
    gm_dataset_free(given);
    gm_dataset_free(rows);
    gm_dataset_free(many);
    gm_context_free(ctx);
}
END_TEST

/* ---- Refusals -------------------------------------------------------------------------------- */

START_TEST(refused)
{
    static double cells[ROWS * (D + 1)];
    static const struct {
        double value;
        int all;
        const char *text;
    } bad[] = {{-1, 0, "row 3: column 4 is the row's weight"}, {0, 1, "of all rows are 0"}};
    gm_context *ctx = test_context(NULL);
    gm_options *how = case_options(ctx, small);
    gm_model *model;
    for (int k = 0; k < 2; k++) {
        weighted_cells(cells, 5);
        for (int64_t i = 0; i < ROWS; i++)
            if (bad[k].all || i == 2)
                cells[i * (D + 1) + D] = bad[k].value;
        gm_dataset *rows = weighted_rows(ctx, cells, ROWS);
        test_fails(ctx, gm_fit(ctx, "flow", rows, how, &model), GM_E_DATA, bad[k].text);
        gm_dataset_free(rows);
    }
    weighted_cells(cells, 5);
    gm_dataset *rows = weighted_rows(ctx, cells, ROWS), *two;
    test_ok(ctx, gm_dataset_with_role(ctx, rows, 1, GM_ROLE_WEIGHT, &two));
    test_fails(ctx, gm_fit(ctx, "flow", two, how, &model), GM_E_DATA, "second column of weights");
    gm_dataset_free(two);
    test_fails(ctx, gm_dataset_with_role(ctx, rows, 1, 6, &two), GM_E_ARG, "no role");
    gm_dataset_free(rows);
    const char csv[] = "x,w\n1.5,0\n2,1\n2.5,1\n3,\n", text[] = "x,w\n1.5,low\n2,high\n2.5,low\n",
               flags[] = "x,w\n1.5,0\n2,1\n2.5,1\n3,1\n";
    const char *texts[] = {csv, text, flags};
    for (int k = 0; k < 3; k++) {
        test_source source = {.data = texts[k], .size = (int64_t)strlen(texts[k])};
        gm_reader reader = test_source_reader(&source);
        test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", NULL, NULL, &rows));
        test_ok(ctx, gm_dataset_with_role(ctx, rows, 1, GM_ROLE_WEIGHT, &two));
        if (k < 2)
            test_fails(ctx, gm_fit(ctx, "flow", two, how, &model), GM_E_DATA,
                       k ? "row 1: column 'w' is the row's weight" : "row 4: column 'w'");
        else { /* 0 and 1 read as two categories are numbers all the same */
            test_ok(ctx, gm_fit(ctx, "flow", two, how, &model));
            ck_assert_ptr_nonnull(strstr(model->record, "\"rows\":3,"));
            gm_model_free(model);
        }
        gm_dataset_free(rows);
        gm_dataset_free(two);
    }
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("weights");
    TCase *t = tcase_create("weights");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, weights_are_repeats);
    tcase_add_test(t, no_influence);
    tcase_add_loop_test(t, weighted_normal, 0, 3);
    tcase_add_loop_test(t, statistics, 0, 4);
    tcase_add_test(t, validation);
    tcase_add_loop_test(t, direct_families, 0, 2);
    tcase_add_test(t, refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
