/* Variational autoencoders over discrete columns: sums over all their values, supports, pixels,
 * rows of every type. */
#include "family_cases.h"

/* ---- Discrete columns ------------------------------------------------------------------------ */

/* Three flags, a kind of three and a whole number from 2 to 6, all of one cause. */
#define CELLS (8 * 3 * 5)
static void cell_of(int number, double *row)
{
    row[0] = number & 1;
    row[1] = number >> 1 & 1;
    row[2] = number >> 2 & 1;
    row[3] = number / 8 % 3;
    row[4] = number / 24 + 2;
}

static int number_of(const double *row)
{
    return (int)(row[0] + 2 * row[1] + 4 * row[2] + 8 * row[3] + 24 * (row[4] - 2));
}

static gm_dataset *typed(gm_context *ctx, const double *x, int64_t n, int64_t d, const int *types)
{
    gm_dataset *rows, *next;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    for (int64_t j = 0; j < d; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, types[j], 0, &next));
        gm_dataset_free(rows);
        rows = next;
    }
    return rows;
}

#define FLAGGED 3000
static gm_dataset *flagged_rows(gm_context *ctx)
{
    static const int types[] = {GM_COLUMN_BINARY, GM_COLUMN_BINARY, GM_COLUMN_BINARY,
                                GM_COLUMN_CATEGORY, GM_COLUMN_INTEGER};
    double *x = malloc(FLAGGED * 5 * sizeof *x);
    uint64_t state = 9;
    for (int i = 0; i < FLAGGED; i++) {
        double a = case_normal(&state);
        for (int j = 0; j < 3; j++)
            x[i * 5 + j] = a + 0.7 * case_normal(&state) > 0.4 * j;
        double kind = a + 0.5 * case_normal(&state), size = 4 + a + 0.5 * case_normal(&state);
        x[i * 5 + 3] = kind < -0.5 ? 0 : kind < 0.5 ? 2 : 1;
        x[i * 5 + 4] = fmin(6, fmax(2, floor(size + 0.5)));
    }
    gm_dataset *rows = typed(ctx, x, FLAGGED, 5, types);
    free(x);
    return rows;
}

/* Over all values the estimates sum to 1, and draws come as often as they say. */
START_TEST(probabilities_of_all_cells)
{
    enum { DRAWN = 60000 };
    static double cells[CELLS * 5], logp[CELLS], error[CELLS], bound[CELLS];
    static double drawn[DRAWN * 5], count[CELLS];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = flagged_rows(ctx);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=500", "code=2", "hidden=24", "draws=4000",
                              _i ? "spread=network" : "spread=column", NULL});
    gm_options *closer =
        case_options(ctx, (const char *[]){"seed=2", "draws=4000", "kind=estimate", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_LOWER_BOUND);
    for (int k = 0; k < CELLS; k++)
        cell_of(k, cells + 5 * k);
    gm_array ax = case_array(GM_F64, cells, CELLS, 5);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, closer, logp, error));
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, bound, NULL));
    test_ok(ctx, gm_model_sample_f64(ctx, model, DRAWN, NULL, how, drawn));
    memset(count, 0, sizeof count);
    for (int i = 0; i < DRAWN; i++)
        count[number_of(drawn + i * 5)]++;
    double sum = 0, squares = 0, chi = 0, freedom = 0;
    for (int k = 0; k < CELLS; k++) {
        double p = exp(logp[k]), e = p * error[k];
        double variance = DRAWN * p + DRAWN * e * DRAWN * e;
        sum += p;
        squares += e * e;
        must_msg(bound[k] < logp[k] + 3 * error[k], "cell %d: a bound of %g over %g", k, bound[k],
                 logp[k]);
        if (DRAWN * p > 5) {
            chi += (count[k] - DRAWN * p) * (count[k] - DRAWN * p) / variance;
            freedom++;
        }
    }
    if (getenv("TEST_FIGURES"))
        fprintf(stderr, "sum %g +- %g, chi-square %g of %g\n", sum, sqrt(squares), chi, freedom);
    ck_assert_msg(sqrt(squares) < 0.01 && fabs(sum - 1) < 4 * sqrt(squares), "a sum of %g +- %g",
                  sum, sqrt(squares));
    ck_assert_msg(freedom > 20 && chi < freedom + 5 * sqrt(2 * freedom), "chi-square %g of %g", chi,
                  freedom);
    gm_options_free(how);
    gm_options_free(closer);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A family of the caller's over columns as they are, without a code: exact, and its probabilities
 * sum to 1 exactly. */
static gm_node *alone_log_prob(gm_builder *b, gm_node *x)
{
    gm_likelihood l = {
        .struct_size = sizeof l, .spread = GM_SPREAD_NETWORK, .deviation = 1, .name = "alone"};
    int64_t shape[2] = {GM_BATCH, gm_likelihood_width(b, &l)};
    gm_node *raw = gm_param(b, "raw", 1, shape + 1, GM_INIT_NORMAL, 0.5);
    return gm_likelihood_log_prob(b, &l, gm_broadcast(b, raw, 2, shape), x);
}
static const gm_family alone = {.struct_size = sizeof alone,
                                .version = 1,
                                .name = "alone",
                                .summary = "independent columns of any type",
                                .log_prob_kind = GM_EXACT,
                                .flags = GM_FAMILY_DISCRETE,
                                .log_prob = alone_log_prob};

START_TEST(exact_family_of_discrete_columns)
{
    static double cells[CELLS * 5], logp[CELLS];
    double sum = 0, flags[3] = {0}, seen[3] = {0};
    gm_context *ctx = case_family_context(NULL);
    test_ok(ctx, gm_family_register(ctx, &alone));
    gm_dataset *rows = flagged_rows(ctx);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=1500", "precision=f64", "valid=0", NULL});
    gm_model *model;
    gm_options *fast = case_options(ctx, (const char *[]){"lr=0.02", NULL});
    gm_fit_config config = {.struct_size = sizeof config, .train = rows, .options = how};
    gm_optimizer *adam;
    test_ok(ctx, gm_optimizer_create(ctx, "adam", fast, &adam));
    config.optimizer = adam;
    test_ok(ctx, gm_fit_with(ctx, "alone", &config, &model));
    gm_optimizer_free(adam);
    gm_options_free(fast);
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_EXACT);
    for (int k = 0; k < CELLS; k++)
        cell_of(k, cells + 5 * k);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, cells, CELLS, 0, NULL, logp)); /* no seed */
    for (int k = 0; k < CELLS; k++) {
        sum += exp(logp[k]);
        for (int j = 0; j < 3; j++)
            flags[j] += exp(logp[k]) * cells[5 * k + j];
    }
    ck_assert_msg(fabs(sum - 1) < 1e-12, "a sum of %.15g", sum);
    double *x = malloc(FLAGGED * 5 * sizeof *x);
    gm__dataset_rows(rows, NULL, 0, FLAGGED, x);
    for (int i = 0; i < FLAGGED; i++)
        for (int j = 0; j < 3; j++)
            seen[j] += x[i * 5 + j] / FLAGGED;
    for (int j = 0; j < 3; j++)
        ck_assert_msg(fabs(flags[j] - seen[j]) < 0.01, "flag %d: %g, seen %g", j, flags[j],
                      seen[j]);
    free(x);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* What has no support scores minus infinity, beside rows that have. */
START_TEST(outside_the_support)
{
    static const double bad[][5] = {{0, 1, 0, 2, 3.5}, {0, 1, 0, 2, 7},   {0, 1, 0, 2, 1},
                                    {0, 1, 0, 3, 3},   {0, 2, 0, 1, 3},   {0.5, 1, 0, 1, 3},
                                    {0, -1, 0, 1, 3},  {0, 1, 0, 0.5, 3}, {0, 1, 0, 1, 1e18}};
    enum { BAD = (int)(sizeof bad / sizeof bad[0]) };
    double x[(BAD + 1) * 5], logp[BAD + 1], grad[(BAD + 1) * 5];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = flagged_rows(ctx);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", "steps=20", "code=2", "hidden=4", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    memcpy(x, bad, sizeof bad);
    memcpy(x + (size_t)BAD * 5, (double[]){0, 1, 0, 2, 6}, 5 * sizeof *x);
    gm_array ax = case_array(GM_F64, x, BAD + 1, 5), ag = case_array(GM_F64, grad, BAD + 1, 5);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, NULL));
    for (int i = 0; i <= BAD; i++)
        ck_assert_msg(i < BAD ? logp[i] == -INFINITY : isfinite(logp[i]), "row %d: %g", i, logp[i]);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &ax, NULL, how, NULL, &ag));
    for (int i = 0; i < (BAD + 1) * 5; i++)
        ck_assert(grad[i] == 0);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* levels widens the range of whole numbers beyond what was seen, and refuses rows outside. */
START_TEST(levels_of_pixels)
{
    double x[3] = {255, 256, 0}, logp[3];
    case_setup c;
    double rows[60];
    for (int i = 0; i < 60; i++)
        rows[i] = 20 + i % 30;
    case_begin(&c, rows, 60, 1, NULL,
               (const char *[]){"seed=1", "steps=20", "code=1", "hidden=4", "levels=256", NULL});
    gm_dataset *whole = typed(c.ctx, rows, 60, 1, (const int[]){GM_COLUMN_INTEGER});
    gm_model *model, *none = NULL;
    test_ok(c.ctx, gm_fit(c.ctx, "vae", whole, c.options, &model));
    test_ok(c.ctx, gm_model_log_prob_f64(c.ctx, model, x, 3, 0, c.options, logp));
    ck_assert(isfinite(logp[0]) && logp[1] == -INFINITY && isfinite(logp[2]));
    gm_model_free(model);
    gm_options *few =
        case_options(c.ctx, (const char *[]){"seed=1", "steps=20", "levels=48", "valid=0", NULL});
    test_fails(c.ctx, gm_fit(c.ctx, "vae", whole, few, &none), GM_E_DATA, "row 29: column 1 is 48");
    ck_assert_ptr_null(none);
    gm_options_free(few);
    gm_dataset_free(whole);
    case_end(&c);
}
END_TEST

/* Values that would run out of a float's range, or that nothing is learned from. */
START_TEST(options_too_far)
{
    static const char *const wrong[][2] = {
        {"deviation", "1e-7"}, {"deviation", "0"}, {"deviation", "1.1e6"},
        {"beta", "1e7"},       {"beta", "-1"},     {"free_bits", "1e7"},
    };
    double *x = case_cloud(40, 3, 4);
    case_setup c;
    gm_model *model;
    case_begin(&c, x, 40, 3, NULL, (const char *[]){"seed=1", "steps=1", NULL});
    test_ok(c.ctx, gm_options_set_text(c.ctx, c.options, wrong[_i][0], wrong[_i][1]));
    test_fails(c.ctx, gm_fit(c.ctx, "vae", c.train, c.options, &model), GM_E_RANGE, wrong[_i][0]);
    case_end(&c);
    free(x);
}
END_TEST

START_TEST(whitening_is_for_reals)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = flagged_rows(ctx);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=20", "code=2", "hidden=4", "whiten=1", NULL});
    gm_model *model;
    test_fails(ctx, gm_fit(ctx, "vae", rows, how, &model), GM_E_UNSUPPORTED, "whiten");
    gm_dataset_free(rows);
    double *x = case_cloud(200, 3, 4);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, 200, 3, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    free(x);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

/* Columns of one value only: nothing to learn, probability one. */
START_TEST(constant_columns)
{
    static const int types[] = {GM_COLUMN_BINARY, GM_COLUMN_CATEGORY, GM_COLUMN_INTEGER,
                                GM_COLUMN_ORDERED, GM_COLUMN_BINARY};
    double x[50 * 5], logp[50], y[50 * 5];
    for (int i = 0; i < 50; i++)
        for (int j = 0; j < 5; j++)
            x[i * 5 + j] = j == 2 ? 7 : 0;
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = typed(ctx, x, 50, 5, types);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=200", "code=1", "hidden=4", "kind=estimate", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, logp, NULL));
    for (int i = 0; i < 50; i++)
        ck_assert_msg(fabs(logp[i]) < 0.02, "log p %g of what is sure", logp[i]);
    test_ok(ctx, gm_model_sample_f64(ctx, model, 50, NULL, how, y));
    ck_assert_mem_eq(x, y, sizeof x);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Codes, rows and draws ------------------------------------------------------------------- */

#define PIXELS 64
/* Crosses and frames of 8 x 8 pixels, some flipped; kind and place are what a code can hold. */
static void pictures(double *x, int64_t n, uint64_t seed)
{
    uint64_t state = seed;
    for (int64_t i = 0; i < n; i++) {
        int kind = (int)(test_random(&state) % 2), a = (int)(test_random(&state) % 8),
            b = (int)(test_random(&state) % 8);
        for (int p = 0; p < PIXELS; p++) {
            int r = p / 8, c = p % 8;
            int ink = kind ? r == a || c == b : r == a || r == b;
            x[i * PIXELS + p] = ink ^ (test_uniform(&state, 0, 1) < 0.02);
        }
    }
}

/* Binary pixels come back through few numbers far better than their mean tells, and in any order of
 * asking. */
START_TEST(reconstruction)
{
    enum { N = 2000 };
    static double x[N * PIXELS], y[N * PIXELS], z[N * 12], mean[N * PIXELS], drawn[N * PIXELS];
    int types[PIXELS];
    gm_context *ctx = test_context(NULL);
    pictures(x, N, 5);
    for (int j = 0; j < PIXELS; j++)
        types[j] = GM_COLUMN_BINARY;
    gm_dataset *rows = typed(ctx, x, N, PIXELS, types);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=1200", "code=12", "hidden=64", "batch=128", NULL});
    gm_options *quiet = case_options(ctx, (const char *[]){"seed=1", "noise=0", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    ck_assert(model->structure->reals == PIXELS && model->structure->indices == 0);
    pictures(x, N, 6);
    gm_array ax = case_array(GM_F64, x, N, PIXELS), ay = case_array(GM_F64, y, N, PIXELS);
    gm_array az = case_array(GM_F64, z, N, 12), am = case_array(GM_F64, mean, N, PIXELS);
    test_ok(ctx, gm_model_reconstruct(ctx, model, &ax, NULL, NULL, &ay));
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, NULL, &az));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &am));
    ck_assert_mem_eq(mean, y, sizeof y);
    double wrong = 0, ink = 0, speckled = 0;
    for (int i = 0; i < N * PIXELS; i++) {
        wrong += x[i] != y[i];
        ink += x[i];
    }
    ck_assert_msg(wrong < 0.35 * ink, "%g of %g pixels wrong", wrong, ink);
    /* means are pixels too, and draws have noise that means lack */
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, quiet, mean));
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, how, drawn));
    for (int i = 0; i < N * PIXELS; i++) {
        must((mean[i] == 0 || mean[i] == 1) && (drawn[i] == 0 || drawn[i] == 1));
        speckled += mean[i] != drawn[i];
    }
    ck_assert_msg(speckled > 0.01 * N * PIXELS && speckled < 0.2 * N * PIXELS,
                  "%g of the pixels are drawn apart from their mean", speckled / (N * PIXELS));
    gm_options_free(how);
    gm_options_free(quiet);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Every type of column comes back; depths and spreads of every kind fit. */
START_TEST(mixed_columns)
{
    static const char *const settings[][8] = {
        {"seed=1", "steps=1000", "code=3", "hidden=20", NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20,10", "spread=network", "activation=silu",
         NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20", "decoder=9,8,7", "spread=fixed",
         "deviation=0.3", NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20", "transform=quantile", "spread=shared",
         "precision=f64", NULL},
        {"seed=1", "steps=1000", "code=3", "hidden=20", "transform=none", "activation=tanh", NULL},
    };
    enum { N = 600 };
    static const int types[] = {GM_COLUMN_CATEGORY, GM_COLUMN_REAL, GM_COLUMN_INTEGER,
                                GM_COLUMN_ORDERED, GM_COLUMN_BINARY};
    static double x[N * 5], y[N * 5], logp[N];
    uint64_t state = 11;
    for (int i = 0; i < N; i++) {
        double a = case_normal(&state);
        x[i * 5] = a < -0.5 ? 0 : a < 0.5 ? 2 : 1;
        x[i * 5 + 1] = 3 + 0.1 * a + 0.02 * case_normal(&state);
        x[i * 5 + 2] = floor(30 * a);
        x[i * 5 + 3] = fmin(4, fmax(0, floor(2 + a + 0.5)));
        x[i * 5 + 4] = a > 0;
    }
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = typed(ctx, x, N, 5, types), *drawn;
    gm_options *how = case_options(ctx, settings[_i]);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &model));
    gm_array ax = case_array(GM_F64, x, N, 5), ay = case_array(GM_F64, y, N, 5);
    test_ok(ctx, gm_model_reconstruct(ctx, model, &ax, NULL, NULL, &ay));
    double kind = 0, flag = 0, number = 0;
    for (int i = 0; i < N; i++) {
        kind += x[i * 5] == y[i * 5];
        flag += x[i * 5 + 4] == y[i * 5 + 4];
        number += fabs(x[i * 5 + 2] - y[i * 5 + 2]) / N;
        must(y[i * 5 + 2] == floor(y[i * 5 + 2]) && y[i * 5 + 3] >= 0 && y[i * 5 + 3] <= 4);
    }
    ck_assert_msg(kind > 0.6 * N && flag > 0.8 * N && number < 18,
                  "%g kinds, %g flags come back, numbers are %g off", kind, flag, number);
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, logp, NULL));
    for (int i = 0; i < N; i++)
        ck_assert_msg(isfinite(logp[i]), "row %d: %g", i, logp[i]);
    test_ok(ctx, gm_model_sample_rows(ctx, model, 300, NULL, how, &drawn));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, drawn, NULL, how, logp, NULL));
    for (int i = 0; i < 300; i++)
        ck_assert_msg(isfinite(logp[i]), "draw %d: %g", i, logp[i]);
    gm_dataset_free(drawn);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("vae_discrete");
    TCase *t = tcase_create("vae_discrete");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, probabilities_of_all_cells, 0, test_quick() ? 1 : 2);
    tcase_add_test(t, exact_family_of_discrete_columns);
    tcase_add_test(t, outside_the_support);
    tcase_add_test(t, levels_of_pixels);
    tcase_add_loop_test(t, options_too_far, 0, 6);
    tcase_add_test(t, whitening_is_for_reals);
    tcase_add_test(t, constant_columns);
    tcase_add_test(t, reconstruction);
    tcase_add_loop_test(t, mixed_columns, 0, 5);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
