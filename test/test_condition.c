/* Conditional models: p(x | c) against closed forms, calls that agree with each other, columns of
 * every type as conditions, and what is refused. */
#include "family_cases.h"

#define ROWS 2000

/* ---- Data of known conditional density ------------------------------------------------------- */

/* given a ~ N(0,1), k of three categories and an angle t in degrees:
 *     y1 = 0.8 a + shift[k] + 0.3 e1,    y2 = 2 cos t + 0.5 y1 + 0.4 e2 */
static const char *const kinds[] = {"ash", "beech", "cedar"};
static const double shift[] = {-1, 0, 2};
#define DEGREE 0.017453292519943295

static double closed_form(const double *y, const double *c)
{
    const double half_log_two_pi = 0.91893853320467274178;
    double e1 = (y[0] - 0.8 * c[0] - shift[(int)c[1]]) / 0.3,
           e2 = (y[1] - 2 * cos(c[2] * DEGREE) - 0.5 * y[0]) / 0.4;
    return -0.5 * (e1 * e1 + e2 * e2) - 2 * half_log_two_pi - log(0.3 * 0.4);
}

/* x (n, 2) and c (n, 3) */
static void draw_known(int64_t n, uint64_t seed, double *x, double *c)
{
    for (int64_t i = 0; i < n; i++, x += 2, c += 3) {
        c[0] = case_normal(&seed);
        c[1] = (double)(test_random(&seed) % 3);
        c[2] = floor(test_uniform(&seed, -360, 360));
        x[0] = 0.8 * c[0] + shift[(int)c[1]] + 0.3 * case_normal(&seed);
        x[1] = 2 * cos(c[2] * DEGREE) + 0.5 * x[0] + 0.4 * case_normal(&seed);
    }
}

/* The conditions stand before, between and behind the features. */
static gm_dataset *known_rows(gm_context *ctx, int64_t n, const double *x, const double *c)
{
    char *csv = malloc((size_t)n * 80 + 80);
    size_t at = (size_t)sprintf(csv, "kind,y1,a,y2,turn\n");
    for (int64_t i = 0; i < n; i++)
        at += (size_t)sprintf(csv + at, "%s,%.9f,%.9f,%.9f,%.0f\n", kinds[(int)c[3 * i + 1]],
                              x[2 * i], c[3 * i], x[2 * i + 1], c[3 * i + 2]);
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_options *how = case_options(ctx, (const char *[]){"types=turn:circular(360)", NULL});
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "known.csv", how, &rows));
    gm_options_free(how);
    free(csv);
    return rows;
}

static gm_dataset *with_role(gm_context *ctx, gm_dataset *rows, const char *name, int32_t role)
{
    gm_dataset *view;
    int64_t column = gm_dataset_find_column(rows, name);
    test_ok(ctx, gm_dataset_with_role(ctx, rows, column, role, &view));
    gm_dataset_free(rows);
    return view;
}

static gm_dataset *conditional_rows(gm_context *ctx, int64_t n, const double *x, const double *c)
{
    gm_dataset *rows = known_rows(ctx, n, x, c);
    rows = with_role(ctx, rows, "kind", GM_ROLE_CONDITION);
    rows = with_role(ctx, rows, "a", GM_ROLE_CONDITION);
    return with_role(ctx, rows, "turn", GM_ROLE_CONDITION);
}

/* cond as the model takes it: kind, a, turn. */
static void reorder(int64_t n, const double *c, double *cond)
{
    for (int64_t i = 0; i < n; i++) {
        cond[3 * i] = c[3 * i + 1];
        cond[3 * i + 1] = c[3 * i];
        cond[3 * i + 2] = c[3 * i + 2];
    }
}

#define MOST 12000
static double known_x[MOST * 2], known_c[MOST * 3], known_cond[MOST * 3];

static gm_model *model_of(gm_context *ctx, int64_t n, const char *family,
                          const char *const *settings)
{
    draw_known(n, 5, known_x, known_c);
    reorder(n, known_c, known_cond);
    gm_dataset *rows = conditional_rows(ctx, n, known_x, known_c);
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

static gm_model *known_model(gm_context *ctx, const char *family, const char *const *settings)
{
    return model_of(ctx, ROWS, family, settings);
}

static const char *const small[] = {"seed=1", "steps=20", "hidden=16", "layers=3", NULL};
static const char *const small_maf[] = {
    "seed=1", "steps=20", "hidden=16", "structure=autoregressive", "layers=2", "residual=1", NULL};
static const char *const small_iaf[] = {"seed=1",   "steps=20", "hidden=16", "structure=inverse",
                                        "layers=2", NULL};
static const char *const small_vae[] = {"seed=1", "steps=20", "hidden=16", "code=3", NULL};
static const char *const small_diffusion[] = {"seed=1",    "steps=20",    "hidden=16",
                                              "levels=20", "embedding=4", NULL};
static const char *const small_sequence[] = {"seed=1", "steps=20", "hidden=16,16", "residual=1",
                                             NULL};
static const char *const small_any[] = {"seed=1", "steps=20", "hidden=16", "any_order=1", NULL};
static const struct {
    const char *family;
    const char *const *settings;
} smalls[] = {{"flow", small},
              {"vae", small_vae},
              {"diffusion", small_diffusion},
              {"autoregressive", small_sequence},
              {"autoregressive", small_any},
              {"flow", small_maf},
              {"flow", small_iaf}};
#define SMALLS 7

/* ---- The density itself ---------------------------------------------------------------------- */

static const char *const structures[][2] = {{"structure=coupling", "layers=3"},
                                            {"structure=autoregressive", "layers=3"},
                                            {"structure=inverse", "coupling=realnvp"},
                                            {"structure=continuous", "activation=silu"}};

/* Held-out log p(y | c) within 0.1 nats of the truth's, and moments of draws given one c. */
START_TEST(closed_form_of_a_flow)
{
    enum { TEST = 1000, DRAWS = 4000 };
    static double x[TEST * 2], c[TEST * 3], cond[TEST * 3], logp[TEST], drawn[DRAWS * 2];
    const char *settings[] = {"seed=3",          "steps=2000", "hidden=32,32", structures[_i][0],
                              structures[_i][1], "bins=6",     "layers=3",     NULL};
    gm_context *ctx = test_context(NULL);
    gm_options *seed = case_options(ctx, (const char *[]){"seed=2", NULL});
    double gap = 0, sums[5] = {0};
    gm_model *model = model_of(ctx, MOST, "flow", settings);
    draw_known(TEST, 77, x, c);
    reorder(TEST, c, cond);
    gm_array ax = case_array(GM_F64, x, TEST, 2), ac = case_array(GM_F64, cond, TEST, 3);
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, &ac, NULL, logp, NULL));
    for (int i = 0; i < TEST; i++)
        gap += (closed_form(x + 2 * i, c + 3 * i) - logp[i]) / TEST;
    ck_assert_msg(gap > -0.02 && gap < 0.1, "%g nats below the truth", gap);
    double one[3] = {2, 1, 60}; /* cedar, a = 1, cos = 1/2: means 2.8 and 2.4 */
    gm_array a1 = case_array(GM_F64, one, 1, 3), out = case_array(GM_F64, drawn, DRAWS, 2);
    test_ok(ctx, gm_model_sample(ctx, model, DRAWS, &a1, seed, &out, NULL));
    for (int i = 0; i < DRAWS; i++) {
        double u = drawn[2 * i] - 2.8, v = drawn[2 * i + 1] - 2.4;
        sums[0] += u / DRAWS;
        sums[1] += v / DRAWS;
        sums[2] += u * u / DRAWS;
        sums[3] += v * v / DRAWS;
        sums[4] += u * v / DRAWS;
    }
    ck_assert_msg(fabs(sums[0]) < 0.08 && fabs(sums[1]) < 0.12, "means off by %g, %g", sums[0],
                  sums[1]);
    ck_assert_msg(fabs(sums[2] - 0.09) < 0.03 && fabs(sums[3] - 0.1825) < 0.06 &&
                      fabs(sums[4] - 0.045) < 0.025,
                  "second moments %g, %g, %g", sums[2], sums[3], sums[4]);
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* One feature column given one condition: log p integrates to 1 over it whatever is given. */
START_TEST(one_column)
{
    enum { N = 500, GRID = 4001 };
    static double cells[N * 2], x[GRID], logp[GRID];
    gm_context *ctx = test_context(NULL);
    uint64_t state = 4;
    for (int i = 0; i < N; i++) {
        cells[2 * i] = case_normal(&state);
        cells[2 * i + 1] = sin(2 * cells[2 * i]) + 0.2 * case_normal(&state);
    }
    gm_dataset *rows, *view;
    test_ok(ctx, gm_dataset_from_f64(ctx, cells, N, 2, 0, &rows));
    test_ok(ctx, gm_dataset_with_role(ctx, rows, 0, GM_ROLE_CONDITION, &view));
    static const char *const mixings[] = {"mixing=lu", "mixing=permutation", "mixing=swap"};
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", "steps=300", "hidden=16", "layers=2",
                                           mixings[_i % 3], structures[_i / 3][0], NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "flow", view, how, &model));
    for (int i = 0; i < GRID; i++)
        x[i] = -8 + 16.0 * i / (GRID - 1);
    double mean[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        double given = k ? 0.7 : -0.7, sum = 0;
        gm_array ax = case_array(GM_F64, x, GRID, 1), ac = case_array(GM_F64, &given, 1, 1);
        test_ok(ctx, gm_model_log_prob(ctx, model, &ax, &ac, NULL, logp, NULL));
        for (int i = 0; i < GRID; i++) {
            sum += exp(logp[i]) * 16 / (GRID - 1);
            mean[k] += x[i] * exp(logp[i]) * 16 / (GRID - 1);
        }
        ck_assert_msg(fabs(sum - 1) < 2e-3, "integrates to %g", sum);
    }
    ck_assert_msg(mean[0] < -0.6 && mean[1] > 0.6, "means %g, %g", mean[0], mean[1]);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(view);
    gm_context_free(ctx);
}
END_TEST

/* ---- Calls agree ----------------------------------------------------------------------------- */

#define ASKED 70
#define SAME(a, b) ck_assert_msg(memcmp(a, b, sizeof(a)) == 0, #a " and " #b " differ")

/* Arrays, other types, one row for all, datasets in any order, and rows one by one. */
START_TEST(forms_agree)
{
    double want[ASKED], got[ASKED], one[ASKED], part[ASKED];
    float narrow[ASKED * 3];
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, smalls[_i].family, smalls[_i].settings);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", "draws=2", NULL});
    gm_dataset *rows = known_rows(ctx, ASKED, known_x, known_c);
    gm_array x = case_array(GM_F64, known_x, ASKED, 2),
             c = case_array(GM_F64, known_cond, ASKED, 3), wide = c;
    ck_assert_int_eq(gm_model_condition_count(model), 3);
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &c, how, want, NULL));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, got, NULL));
    for (int i = 0; i < ASKED; i++) /* the file holds nine digits */
        must_msg(test_close(got[i], want[i], 1e-6, 1e-5), "row %d: %g, not %g", i, got[i], want[i]);
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, &c, how, part, NULL));
    for (int i = 0; i < ASKED; i++)
        must(test_close(part[i], want[i], 1e-6, 1e-5));
    for (int i = 0; i < ASKED * 3; i++)
        narrow[i] = (float)known_cond[i];
    wide = case_array(GM_F32, narrow, ASKED, 3);
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &wide, how, got, NULL));
    for (int i = 0; i < ASKED; i++)
        must(test_close(got[i], want[i], 1e-5, 1e-4));
    double repeated[ASKED * 3];
    for (int i = 0; i < ASKED * 3; i++)
        repeated[i] = known_cond[3 + i % 3];
    gm_array many = case_array(GM_F64, repeated, ASKED, 3),
             first = case_array(GM_F64, known_cond + 3, 1, 3);
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &many, how, got, NULL));
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &first, how, one, NULL));
    SAME(got, one);
    for (int i = 0; i < ASKED && (_i == 0 || _i > 2);
         i++) { /* an exact model: not by the row's number */
        gm_array xi = case_array(GM_F64, known_x + 2 * i, 1, 2),
                 ci = case_array(GM_F64, known_cond + 3 * i, 1, 3);
        test_ok(ctx, gm_model_log_prob(ctx, model, &xi, &ci, how, part + i, NULL));
    }
    if (_i == 0 || _i > 2)
        SAME(part, want);
    gm_array stray = case_array(GM_F64, part, ASKED, 1);
    test_fails(ctx, gm_model_conditions(ctx, model, rows, &stray), GM_E_SHAPE, "3");
    gm_array read = case_array(GM_F64, repeated, ASKED, 3);
    test_ok(ctx, gm_model_conditions(ctx, model, rows, &read));
    for (int i = 0; i < ASKED * 3; i++)
        must(test_close(repeated[i], known_cond[i], 0, 1e-8));
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Draws depend on their row, what is given, and the seed; codes come back; saved models answer
 * alike, with several threads too. */
START_TEST(draws_and_codes)
{
    double all[ASKED * 2], again[ASKED * 2], some[20 * 2], back[ASKED * 2], z[ASKED * 3],
        logp[ASKED], asked[ASKED];
    gm_context *ctx = test_context(NULL), *other = test_context(NULL);
    test_ok(other, gm_context_set_int(other, "threads", 3));
    gm_model *model = known_model(ctx, smalls[_i].family, smalls[_i].settings), *loaded;
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=2", "draws=2", _i == 2 ? "ode_steps=60" : NULL, NULL});
    gm_array c = case_array(GM_F64, known_cond, ASKED, 3), x = case_array(GM_F64, all, ASKED, 2);
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    test_ok(ctx, gm_model_load_memory(ctx, sink.data, sink.size, &loaded));
    test_ok(ctx, gm_model_sample(ctx, model, ASKED, &c, how, &x, logp));
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &c, how, asked, NULL));
    SAME(logp, asked);
    test_ok(other, gm_model_sample_f64(other, loaded, ASKED, &c, how, again));
    SAME(all, again);
    gm_array few = case_array(GM_F64, known_cond, 20, 3);
    test_ok(ctx, gm_model_sample_f64(ctx, model, 20, &few, how, some));
    ck_assert_msg(memcmp(some, all, sizeof some) == 0, "20 rows are not the first of %d", ASKED);
    gm_dataset *made;
    test_ok(ctx, gm_model_sample_rows(ctx, model, ASKED, &c, how, &made));
    ck_assert_int_eq(gm_dataset_column_count(made), 2);
    test_ok(ctx, gm_dataset_read_f64(ctx, made, 0, ASKED, again, 0));
    SAME(all, again);
    gm_dataset_free(made);
    if (_i < 3) { /* others have no codes */
        int64_t k = gm_model_code_count(model);
        gm_array az = case_array(GM_F64, z, ASKED, k), ab = case_array(GM_F64, back, ASKED, 2);
        test_ok(ctx, gm_model_encode(ctx, model, &x, &c, how, &az));
        test_ok(ctx, gm_model_decode(ctx, loaded, &az, &c, how, &ab));
        for (int i = 0; _i != 1 && i < 2 * ASKED; i++)
            must_msg(test_close(back[i], all[i], 1e-4, 1e-3), "cell %d: %g, not %g", i, back[i],
                     all[i]);
        ab = case_array(GM_F64, again, ASKED, 2);
        test_ok(ctx, gm_model_reconstruct(ctx, model, &x, &c, how, &ab));
        SAME(back, again);
        test_fails(ctx, gm_model_decode(ctx, model, &az, NULL, how, &ab), GM_E_ARG, "conditional");
    }
    test_sink_clear(&sink);
    gm_options_free(how);
    gm_model_free(loaded);
    gm_model_free(model);
    gm_context_free(ctx);
    gm_context_free(other);
}
END_TEST

START_TEST(gradient_in_x)
{
    const double h = 1e-5;
    double grad[ASKED * 2], moved[2][ASKED * 2], logp[2][ASKED];
    const char *settings[] = {"seed=1", "steps=20", "hidden=16", "layers=3", "precision=f64", NULL};
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, "flow", settings);
    gm_array x = case_array(GM_F64, known_x, ASKED, 2),
             c = case_array(GM_F64, known_cond, ASKED, 3), g = case_array(GM_F64, grad, ASKED, 2);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &x, &c, NULL, NULL, &g));
    for (int j = 0; j < 2; j++) {
        for (int side = 0; side < 2; side++) {
            memcpy(moved[side], known_x, sizeof moved[side]);
            for (int i = 0; i < ASKED; i++)
                moved[side][2 * i + j] += side ? h : -h;
            gm_array at = case_array(GM_F64, moved[side], ASKED, 2);
            test_ok(ctx, gm_model_log_prob(ctx, model, &at, &c, NULL, logp[side], NULL));
        }
        for (int i = 0; i < ASKED; i++)
            must_msg(test_close(grad[2 * i + j], (logp[1][i] - logp[0][i]) / (2 * h), 1e-4, 1e-4),
                     "row %d column %d: %g", i, j, grad[2 * i + j]);
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A full turn more changes no bit; a condition far out still gives numbers. */
START_TEST(turns_and_far_places)
{
    double here[ASKED], there[ASKED], moved[ASKED * 3], drawn[ASKED * 2];
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, "flow", small);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", NULL});
    gm_array x = case_array(GM_F64, known_x, ASKED, 2),
             c = case_array(GM_F64, known_cond, ASKED, 3), m = case_array(GM_F64, moved, ASKED, 3);
    memcpy(moved, known_cond, sizeof moved);
    for (int i = 0; i < ASKED; i++)
        moved[3 * i + 2] += i % 2 ? 360 : -720;
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &c, NULL, here, NULL));
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &m, NULL, there, NULL));
    SAME(here, there);
    for (int i = 0; i < ASKED; i++)
        moved[3 * i + 1] = i % 2 ? 1e300 : -1e9;
    test_ok(ctx, gm_model_sample_f64(ctx, model, ASKED, &m, how, drawn));
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, &m, NULL, there, NULL));
    for (int i = 0; i < ASKED; i++)
        must(isfinite(drawn[2 * i]) && isfinite(drawn[2 * i + 1]) && !isnan(there[i]));
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- What a model says of itself ------------------------------------------------------------- */

START_TEST(introspection)
{
    static const char *const names[] = {"y1", "y2", "kind", "a", "turn"};
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, "flow", small);
    char text[8192];
    ck_assert_int_eq(gm_model_column_count(model), 2);
    for (int i = 0; i < 5; i++) {
        gm_column column = {.struct_size = sizeof column};
        test_ok(ctx, gm_model_column(ctx, model, i, &column));
        ck_assert_str_eq(column.name, names[i]);
        ck_assert_int_eq(column.role, i < 2 ? GM_ROLE_FEATURE : GM_ROLE_CONDITION);
    }
    ck_assert_str_eq(gm_model_category(model, 2, 1), "beech");
    test_ok(ctx, gm_model_describe(ctx, model, text, sizeof text, NULL));
    ck_assert_ptr_nonnull(strstr(text, "\"conditions\":3"));
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Data without names ---------------------------------------------------------------------- */

/* Conditions first: the roles of the data say which is which; without roles the model's order. */
START_TEST(without_names)
{
    enum { N = 200 };
    static double cells[N * 3], turned[N * 3], a[N], b[N];
    gm_context *ctx = test_context(NULL);
    uint64_t state = 9;
    for (int i = 0; i < N; i++) {
        double g = case_normal(&state);
        cells[3 * i] = g;
        cells[3 * i + 1] = g + 0.1 * case_normal(&state);
        cells[3 * i + 2] = 1 + (double)(i % 2);
        turned[3 * i] = cells[3 * i + 1];
        turned[3 * i + 1] = g;
        turned[3 * i + 2] = 3;
    }
    gm_dataset *rows, *view, *weighted, *plain, *two;
    test_ok(ctx, gm_dataset_from_f64(ctx, cells, N, 3, 0, &rows));
    test_ok(ctx, gm_dataset_with_role(ctx, rows, 0, GM_ROLE_CONDITION, &view));
    test_ok(ctx, gm_dataset_with_role(ctx, view, 2, GM_ROLE_WEIGHT, &weighted));
    gm_options *how = case_options(ctx, small);
    gm_fit_config config = {
        .struct_size = sizeof config, .train = weighted, .valid = weighted, .options = how};
    gm_model *model;
    test_ok(ctx, gm_fit_with(ctx, "flow", &config, &model));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, weighted, NULL, NULL, a, NULL));
    test_ok(ctx, gm_dataset_from_f64(ctx, turned, N, 2, 3, &plain));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, plain, NULL, NULL, b, NULL));
    SAME(a, b);
    test_ok(ctx, gm_dataset_from_f64(ctx, turned, N, 1, 3, &two));
    test_fails(ctx, gm_model_log_prob_rows(ctx, model, two, NULL, NULL, b, NULL), GM_E_SHAPE,
               "2, its features");
    gm_array c = case_array(GM_F64, turned + 1, N, 1);
    c.strides[0] = 3;
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, two, &c, NULL, b, NULL));
    SAME(a, b);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(view);
    gm_dataset_free(weighted);
    gm_dataset_free(plain);
    gm_dataset_free(two);
    gm_context_free(ctx);
}
END_TEST

/* ---- Refusals -------------------------------------------------------------------------------- */

START_TEST(refused_calls)
{
    double cond[3 * 3] = {0, 1, 2, 1, 0, 0, 2, 0, 0}, x[6] = {0}, logp[3], bad;
    gm_context *ctx = test_context(NULL);
    gm_model *model = known_model(ctx, "flow", small), *plain;
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", NULL});
    gm_array ax = case_array(GM_F64, x, 3, 2), ac = case_array(GM_F64, cond, 3, 3);
    test_fails(ctx, gm_model_log_prob_f64(ctx, model, x, 3, 0, NULL, logp), GM_E_ARG,
               "conditional: give its 3 conditioning columns");
    test_fails(ctx, gm_model_sample_f64(ctx, model, 3, NULL, how, x), GM_E_ARG, "(rows, 3)");
    gm_array two = case_array(GM_F64, cond, 2, 3), narrow = case_array(GM_F64, cond, 3, 2),
             unset = ac, empty = ac;
    test_fails(ctx, gm_model_log_prob(ctx, model, &ax, &two, NULL, logp, NULL), GM_E_SHAPE,
               "(3, 3) or (1, 3)");
    test_fails(ctx, gm_model_log_prob(ctx, model, &ax, &narrow, NULL, logp, NULL), GM_E_SHAPE,
               "(3, 2)");
    unset.struct_size = 0;
    empty.data = NULL;
    test_fails(ctx, gm_model_log_prob(ctx, model, &ax, &unset, NULL, logp, NULL), GM_E_ARG,
               "struct_size");
    test_fails(ctx, gm_model_log_prob(ctx, model, &ax, &empty, NULL, logp, NULL), GM_E_ARG, "NULL");
    cond[4] = NAN;
    test_fails(ctx, gm_model_log_prob(ctx, model, &ax, &ac, NULL, logp, NULL), GM_E_DATA,
               "row 2, the condition column 'a' is nan");
    cond[4] = 0;
    for (int k = 0; k < 3; k++) {
        static const double never[] = {3, -1, 0.5};
        cond[6] = never[k];
        test_fails(ctx, gm_model_sample_f64(ctx, model, 3, &ac, how, x), GM_E_DATA,
                   "row 3, the condition column 'kind' is a category never seen");
    }
    const char csv[] = "y1,y2,a,kind,turn\n1,2,3,ash,0\n1,2,3,oak,0\n";
    test_source source = {.data = csv, .size = sizeof csv - 1};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows, *less;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "new.csv", NULL, &rows));
    test_fails(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, NULL, logp, NULL), GM_E_DATA,
               "row 2, the condition column 'kind'");
    test_ok(ctx, gm_dataset_select(ctx, rows, (int64_t[]){0, 1, 3, 4}, 4, &less));
    test_fails(ctx, gm_model_log_prob_rows(ctx, model, less, NULL, NULL, logp, NULL), GM_E_UNKNOWN,
               "'a'");
    plain = case_fit(ctx, known_x, 50, 2, small);
    test_fails(ctx, gm_model_log_prob(ctx, plain, &ax, &ac, NULL, logp, NULL), GM_E_ARG,
               "no conditioning columns");
    gm_array out = case_array(GM_F64, &bad, 1, 1);
    test_fails(ctx, gm_model_conditions(ctx, plain, rows, &out), GM_E_ARG, "no conditions");
    gm_dataset_free(rows);
    gm_dataset_free(less);
    gm_options_free(how);
    gm_model_free(plain);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(refused_fits)
{
    gm_context *ctx = case_family_context(NULL);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", "steps=1", NULL});
    gm_model *model;
    draw_known(60, 5, known_x, known_c);
    gm_dataset *rows = conditional_rows(ctx, 60, known_x, known_c);
    test_fails(ctx, gm_fit(ctx, "bell", rows, how, &model), GM_E_UNSUPPORTED,
               "column 'kind' has the role condition, which it does not take; these families do: "
               "flow");
    const char csv[] = "y,c\n1.5,2\n2,\n2.5,1\n";
    test_source source = {.data = csv, .size = sizeof csv - 1};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *holes;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "holes.csv", NULL, &holes));
    holes = with_role(ctx, holes, "c", GM_ROLE_CONDITION);
    test_fails(ctx, gm_fit(ctx, "flow", holes, how, &model), GM_E_DATA,
               "'c' is a condition and has 1 missing");
    gm_dataset_free(holes);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

/* ---- Memory that runs out -------------------------------------------------------------------- */

static gm_status whole_life(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *ctx;
    gm_options *how = NULL;
    gm_model *model = NULL;
    gm_trainer *t = NULL;
    double x[6], logp[3], cond[9] = {0, 0, 0, 1, 1, 1, 2, 2, 2};
    gm_array ac = case_array(GM_F64, cond, 3, 3), ax = case_array(GM_F64, x, 3, 2);
    GM_TRY(gm_context_create(&config, &ctx));
    gm_status code = gm_options_create(ctx, &how);
    for (int i = 0; !code && i < 4; i++) {
        static const char *const pairs[][2] = {
            {"seed", "1"}, {"steps", "2"}, {"hidden", "3"}, {"layers", "1"}};
        code = gm_options_set_text(ctx, how, pairs[i][0], pairs[i][1]);
    }
    gm_fit_config fit = {.struct_size = sizeof fit, .train = arg, .options = how};
    if (!code)
        code = gm_trainer_create(ctx, "flow", &fit, &t);
    if (!code)
        code = gm_trainer_step(ctx, t, 0);
    if (!code)
        code = gm_trainer_model(ctx, t, &model);
    if (!code)
        code = gm_model_sample(ctx, model, 3, &ac, how, &ax, logp);
    if (!code)
        code = gm_model_log_prob_rows(ctx, model, arg, NULL, how, known_x, NULL);
    gm_trainer_free(t);
    gm_context_free(ctx);
    gm_options_free(how);
    gm_model_free(model);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    draw_known(40, 5, known_x, known_c);
    gm_dataset *rows = conditional_rows(ctx, 40, known_x, known_c);
    ck_assert_int_gt(test_every_failure(whole_life, rows, test_quick() ? 60 : 400), 60);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("condition");
    TCase *t = tcase_create("condition");
    tcase_set_timeout(t, 120);
    if (!test_quick())
        tcase_add_loop_test(t, closed_form_of_a_flow, 0, test_quick() ? 1 : 4);
    tcase_add_loop_test(t, one_column, 0, test_quick() ? 1 : 9);
    tcase_add_loop_test(t, forms_agree, 0, SMALLS);
    tcase_add_loop_test(t, draws_and_codes, 0, SMALLS);
    tcase_add_test(t, gradient_in_x);
    tcase_add_test(t, turns_and_far_places);
    tcase_add_test(t, introspection);
    tcase_add_test(t, without_names);
    tcase_add_test(t, refused_calls);
    tcase_add_test(t, refused_fits);
    tcase_add_test(t, every_allocation);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
