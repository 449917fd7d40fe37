/* Same bits: one fit has one hash of weights, scores and samples, whoever computes it; an answer
 * for a row does not depend on the rows around it. */
#include "bits_cases.h"

/* ---- Hashes ---------------------------------------------------------------------------------- */

/* Weights, the scores of all rows and 100 draws. */
static void hash_model(gm_context *ctx, const gm_model *model, const double *x, char text[65])
{
    static double logp[ROWS], drawn[100 * D];
    unsigned char digest[32];
    gm__sha256 s;
    gm_options *seed = case_options(ctx, (const char *[]){"seed=9", NULL});
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, ROWS, 0, NULL, logp));
    test_ok(ctx, gm_model_sample_f64(ctx, model, 100, NULL, seed, drawn));
    gm_options_free(seed);
    gm__sha256_begin(&s);
    add_weights(&s, model);
    add_bits(&s, logp, ROWS, 8);
    add_bits(&s, drawn, 100 * D, 8);
    gm__sha256_end(&s, digest);
    gm__sha256_text(digest, text);
}

/* ---- One hash -------------------------------------------------------------------------------- */

/* Frozen: they change with the revision of the arithmetic only, and then for all machines at once.
 */
static const struct {
    const char *const settings[16];
    const char *few, *many; /* after FEW and MANY steps */
} fits[] = {
    {{"seed=11", "batch=97", "hidden=131,131", "layers=2", "dropout=0.1", "clip=1", "average=0.99",
      "whiten=1", "evaluate=60", "coupling=nsf", "mixing=lu", "warmup=5", NULL},
     "c047892597fcc9cf05c6c95d58131fc594bd14a36612b16ffbb40853e798c913",
     "151b421f3a53e3569783bda1afc34e9b5713602cbd8ed8b6438ce7eab3f79df7"},
    {{"seed=12", "batch=97", "hidden=131,131", "layers=2", "dropout=0.1", "clip=1", "average=0.99",
      "whiten=1", "evaluate=60", "coupling=realnvp", "mixing=permutation", "start=1",
      "base=student", "residual=1", "activation=silu", NULL},
     "e8122776a08c75c43fb4d5991d940f2d5a1ab3015334ef60556aac9b6896875d",
     "e9b4d8ff7b628032aad1fd2b42939362b0ae3da0894cec6ac3040439e2e99801"},
    {{"seed=13", "batch=97", "structure=autoregressive", "coupling=nsf", "hidden=67,35", "layers=2",
      "dropout=0.1", "base=mixture", "mixing=lu", NULL},
     "c5b21f340bd62c3a184186f7f230906bcffb6991016b3e2d9e23c447e713e214",
     "8c082de3604db9486d5944799630e2f578fba60fd5116136eb668f51d51ac5af"},
    {{"seed=14", "batch=97", "structure=inverse", "coupling=realnvp", "hidden=37,37", "layers=2",
      "residual=1", "activation=gelu", "mixing=swap", "start=1", NULL},
     "be8f07496222ca8146722254342df50260a7b3de45fe1e0a40503d6678195211",
     "c2bf83296206fca1222b2d06954f04e952af786714e78f712aecd5a3a050b9ac"},
    {{"seed=15", "batch=97", "structure=continuous", "hidden=21,33", "layers=2", "activation=tanh",
      "trace=hutchinson", "base=student", NULL},
     "cf1218c8afd5f4b230605623cf308c00a750b298f38c3d2e25c39133d7d65744",
     "6b998fd449a4a38bbf179a39034276e1310612903d9655ee2c7ef078fd54d37e"},
};
#define FITS ((int)(sizeof fits / sizeof fits[0]))
#define FEW 20
#define MANY 200

static void check_hash(int fit, int steps, const machine *m)
{
    static double x[ROWS * D];
    char text[65], last[32];
    const char *settings[20], *expected = steps == FEW ? fits[fit].few : fits[fit].many;
    int n = 0;
    exact_rows(x);
    for (; fits[fit].settings[n]; n++)
        settings[n] = fits[fit].settings[n];
    snprintf(last, sizeof last, "steps=%d", steps);
    settings[n++] = last;
    settings[n] = NULL;
    gm_context *ctx = machine_context(m);
    gm_model *model = case_fit(ctx, x, ROWS, D, settings);
    hash_model(ctx, model, x, text);
    ck_assert_msg(strcmp(text, expected) == 0,
                  "fit %d, %d steps, kernels %s, %d threads, %s: the hash is %s, not %s", fit,
                  steps, m->kernels, m->threads, m->fusion ? "fused" : "plain", text, expected);
    gm_model_free(model);
    gm_context_free(ctx);
}

/* Every instruction set, but for the slow plain one. */
START_TEST(one_hash_for_fast_kernels)
{
    int steps = test_quick() ? FEW : MANY;
    for (int k = 1; gm__kernels_at(k); k++)
        for (int threads = 1; threads <= 3; threads++)
            for (int fusion = threads == 1 || !test_quick() ? 0 : 1; fusion < 2; fusion++)
                check_hash(_i, steps, &(machine){gm__kernels_at(k)->name, threads, fusion});
}
END_TEST

START_TEST(one_hash_for_plain_kernels)
{
    check_hash(_i, FEW, &(machine){"base", 1, 1});
    if (!test_quick()) {
        check_hash(_i, FEW, &(machine){"base", 3, 0});
        check_hash(_i, FEW, &(machine){"auto", 2, 1});
    }
}
END_TEST

START_TEST(one_hash_after_many_plain_steps)
{
    check_hash(_i, MANY, &(machine){"base", 2, 1});
}
END_TEST

/* ---- Rows and their neighbours --------------------------------------------------------------- */

static gm_model *small_fit(gm_context *ctx, const double *x, const char *precision, int fit)
{
    const char *nsf[] = {"seed=3", "steps=30", "hidden=33", "layers=3", precision, NULL};
    const char *realnvp[] = {"seed=3",  "steps=30",         "hidden=40,17",       "layers=3",
                             precision, "coupling=realnvp", "transform=quantile", "base=student",
                             NULL};
    return case_fit(ctx, x, ROWS, D, fit ? realnvp : nsf);
}

static const char *const precisions[] = {"precision=f32", "precision=f64"};

/* Bit for bit: |count| answers of `width` doubles. */
static void same(const double *a, const double *b, int64_t count, const char *what)
{
    for (int64_t i = 0; i < count; i++)
        must_msg(memcmp(&a[i], &b[i], sizeof *a) == 0, "%s: value %d is %.17g, alone %.17g", what,
                 (int)i, b[i], a[i]);
}

START_TEST(score_in_any_batch)
{
    static double x[ROWS * D], alone[ROWS], logp[ROWS];
    static const int64_t sizes[] = {7, 64, 1000, 513, 32};
    gm_context *ctx = test_context(NULL);
    exact_rows(x);
    gm_model *model = small_fit(ctx, x, precisions[_i % 2], _i / 2);
    for (int64_t i = 0; i < ROWS; i++)
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, x + i * D, 1, 0, NULL, alone + i));
    for (int k = 0; k < 5; k++) {
        for (int64_t i = 0; i < ROWS; i += sizes[k])
            test_ok(ctx, gm_model_log_prob_f64(ctx, model, x + i * D,
                                               ROWS - i < sizes[k] ? ROWS - i : sizes[k], 0, NULL,
                                               logp + i));
        same(alone, logp, ROWS, "scores");
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(codes_in_any_batch)
{
    static double x[ROWS * D], alone[ROWS * D], many[ROWS * D], back[ROWS * D];
    gm_context *ctx = test_context(NULL);
    exact_rows(x);
    gm_model *model = small_fit(ctx, x, precisions[_i % 2], _i / 2);
    gm_array ax = case_array(GM_F64, x, ROWS, D), az = case_array(GM_F64, many, ROWS, D);
    gm_array ab = case_array(GM_F64, back, ROWS, D);
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, NULL, &az));
    test_ok(ctx, gm_model_decode(ctx, model, &az, NULL, NULL, &ab));
    for (int64_t i = 0; i < ROWS; i += 9) {
        gm_array row = case_array(GM_F64, x + i * D, 1, D), z = case_array(GM_F64, alone, 1, D);
        test_ok(ctx, gm_model_encode(ctx, model, &row, NULL, NULL, &z));
        same(alone, many + i * D, D, "codes");
        row = case_array(GM_F64, alone + D, 1, D);
        test_ok(ctx, gm_model_decode(ctx, model, &z, NULL, NULL, &row));
        same(alone + D, back + i * D, D, "rows decoded");
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(sample_of_any_number)
{
    static double x[ROWS * D], all[ROWS * D], some[ROWS * D];
    static const int64_t sizes[] = {1, 2, 7, 64, 600};
    gm_context *ctx = test_context(NULL);
    exact_rows(x);
    gm_model *model = small_fit(ctx, x, precisions[_i % 2], _i / 2);
    gm_options *seed = case_options(ctx, (const char *[]){"seed=5", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, ROWS, NULL, seed, all));
    for (int k = 0; k < 5; k++) {
        test_ok(ctx, gm_model_sample_f64(ctx, model, sizes[k], NULL, seed, some));
        same(some, all, sizes[k] * D, "samples");
    }
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A saved and loaded model, asked by every instruction set and by threads, is the same model. */
START_TEST(same_after_load)
{
    static double x[ROWS * D];
    char before[65], after[65];
    gm_context *ctx = test_context(NULL);
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    exact_rows(x);
    gm_model *model = small_fit(ctx, x, precisions[_i % 2], _i / 2), *loaded;
    hash_model(ctx, model, x, before);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    gm_model_free(model);
    gm_context_free(ctx);
    for (int k = 0; gm__kernels_at(k); k++) {
        gm_context *other = machine_context(&(machine){gm__kernels_at(k)->name, 1 + k, k & 1});
        test_ok(other, gm_model_load_memory(other, sink.data, sink.size, &loaded));
        hash_model(other, loaded, x, after);
        ck_assert_msg(strcmp(before, after) == 0, "kernels %s: another hash after loading",
                      gm__kernels_at(k)->name);
        gm_model_free(loaded);
        gm_context_free(other);
    }
    test_sink_clear(&sink);
}
END_TEST

/* Where a score draws, row i of n rows is the same for any n. */
START_TEST(bound_of_any_number)
{
    static double x[ROWS * D], all[ROWS], some[ROWS];
    gm_context *ctx = test_context(NULL);
    gm_dataset *numbers, *rows;
    gm_model *model;
    exact_rows(x);
    for (int i = 0; i < ROWS; i++)
        x[i * D + 2] = floor(x[i * D + 2]), x[i * D + 4] = (double)(i * i % 3);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=3", "steps=20", "hidden=17", "layers=2", "draws=3", NULL});
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, D, 0, &numbers));
    test_ok(ctx, gm_dataset_with_type(ctx, numbers, 2, GM_COLUMN_INTEGER, 0, &rows));
    gm_dataset_free(numbers);
    test_ok(ctx, gm_dataset_with_type(ctx, rows, 4, GM_COLUMN_CATEGORY, 0, &numbers));
    gm_dataset_free(rows);
    test_ok(ctx, gm_fit(ctx, "flow", numbers, how, &model));
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_LOWER_BOUND);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, ROWS, 0, how, all));
    for (int64_t n = 1; n < ROWS; n = n * 3 + 4) {
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, n, 0, how, some));
        same(some, all, n, "bounds");
    }
    gm_dataset_free(numbers);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- The same of a model of discrete columns --------------------------------------------------
 */

static const struct {
    const char *family;
    const char *const settings[16];
    const char *few, *many;
} wholes[] = {
    {"vae",
     {"seed=11", "batch=97", "hidden=70,33", "code=5", "free_bits=0.05", "kl_warmup=9",
      "spread=network", "draws=3", NULL},
     "fbde6ec3e39f02b9a6e6966accf11b8bdc24dc827391f98d490235250d98bc1b",
     "a296131590812c8f78f8d5bb2c798eb1a1f1f4d43859f67af105b63896b7af21"},
    {"vae",
     {"seed=12", "batch=97", "hidden=", "code=3", "precision=f64", "spread=shared", "levels=64",
      "transform=none", "kind=estimate", "draws=3", NULL},
     "9cdffb7ab1caaffde39a53b9d903de88b958c7203642501a84fc973f9c8834fd",
     "23d67cc8579f932eacad4ecb8a1ae8aef0063e6d2d24b87a732db015a4cee18c"},
    {"diffusion",
     {"seed=13", "batch=97", "hidden=23,17", "ode_steps=1", "draws=1", "sampler=heun",
      "sampler_steps=7", NULL},
     "f463ee92ec3cf50296763ba568cd014e9e34283bef2d63bc37592be22a08af20",
     "7479b464eeed3f97c51a4176b02f9b5c58767c1d361f5c748d3955873614bb6b"},
    {"diffusion",
     {"seed=14", "batch=97", "hidden=21,17", "precision=f64", "noise_schedule=linear", "target=eps",
      "levels=77", "transform=none", "ode_steps=2", "draws=1", "trace=hutchinson", "probes=2",
      "sampler=ddim", "sampler_steps=9", NULL},
     "ebe081cc74fb07bd03b6f659c04730a85190f0c6dfe554cf97c2bfde31f2a35b",
     "9f026e4744726408ca23c29c605a613752b869a944410972e0f33320ad56f004"},
    {"diffusion",
     {"seed=15", "batch=97", "hidden=33", "trace=hutchinson", "probes=3", "target=x0",
      "activation=gelu", "embedding=14", "noise_schedule=linear", "ode_steps=2", "draws=1",
      "sampler=ancestral", "sampler_steps=11", "temperature=0.9", NULL},
     "87346bdf326e85bd279319800ffe83513d4a14acdfdad02291cff77796cc3e9c",
     "69dcd5616d5c434c894dadb1f0eeaccbe3752e0347386c3e375e6a00ead59ef3"},
    {"autoregressive",
     {"seed=16", "batch=97", "hidden=70,33,33", "residual=1", "orders=2", "order=random",
      "components=3", "table=5", "input_dropout=0.1", NULL},
     "b29edf18413badb17a072387671152d7352cb2c556cd78b1eeb4b85e33b61958",
     "e7dd3208dca216c368c640e3e238eab51b4fe36e1f8224375793c6524f5029e5"},
    {"autoregressive",
     {"seed=17", "batch=97", "hidden=40", "precision=f64", "activation=gelu", "dropout=0.2",
      "components=5", "table=100", NULL},
     "066a6d3793829405401403127dc506af24d9e8bc10f73e57c97f389549ddea69",
     "d5919e17e7514f11b4e51527b76fe0ca9d29e6c0a7c8e8a3bd5e6359718311ed"},
    {"autoregressive",
     {"seed=18", "batch=97", "hidden=21,17", "any_order=1", "orders=3", "components=2", "table=5",
      "temperature=0.9", NULL},
     "76433027435b7455aceba80372bd45a4a821992f9752ee56b60ad4760b90dbdd",
     "28cc8a8c20570306bf39bf22ac5194aa3476171629ce7e30bc0b512373e4ac41"},
    {"flow",
     {"seed=16", "batch=97", "hidden=33,17", "layers=2", "draws=2", NULL},
     "42c8ec7f51040a4812cbb08aa456b5ce1582841d2d4c5ba985226efba3c82df2",
     "584d7c69ceab0a210b27416abafca3e29ff3139d7140e2b8499a1bac480ae97b"}, /* WITH_ROLES */
};
#define WITH_ROLES 8
#define WHOLES ((int)(sizeof wholes / sizeof wholes[0]))

/* Columns of every type, made from exact_rows; roles: c is given, w weighs. */
static gm_dataset *discrete_rows(gm_context *ctx, const char *roles)
{
    static const int32_t types[D] = {GM_COLUMN_BINARY, GM_COLUMN_REAL, GM_COLUMN_INTEGER,
                                     GM_COLUMN_CATEGORY, GM_COLUMN_ORDERED};
    static double x[ROWS * D];
    gm_dataset *rows, *next;
    exact_rows(x);
    for (int i = 0; i < ROWS; i++) {
        double *row = x + i * D, a = row[0];
        row[0] = a > 0.25;
        row[2] = fmin(63, fmax(0, floor(8 * row[2]) + 30));
        row[3] = (a > -0.5) + (a > 0.5) + (row[1] > 1);
        row[4] = (a > -1) + (row[1] > 0) + (row[1] > 0.5);
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, D, 0, &rows));
    for (int64_t j = 0; j < D; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, types[j], 0, &next));
        gm_dataset_free(rows);
        rows = next;
        if (!roles || roles[j] == 'x')
            continue;
        test_ok(ctx,
                gm_dataset_with_role(ctx, rows, j,
                                     roles[j] == 'c' ? GM_ROLE_CONDITION : GM_ROLE_WEIGHT, &next));
        gm_dataset_free(rows);
        rows = next;
    }
    return rows;
}

/* Weights, scores, codes, rows drawn and rows read back. */
static void hash_whole(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                       const gm_options *how, char text[65])
{
    static double logp[ROWS], z[ROWS * 8], drawn[100 * D], back[ROWS * D], given[ROWS * D];
    int codes = (gm_model_capabilities(model) & GM_CAN_ENCODE) != 0;
    int64_t k = codes ? gm_model_code_count(model) : 1, d = gm_model_column_count(model),
            c = gm_model_condition_count(model);
    gm_array az = case_array(GM_F64, z, ROWS, k), ab = case_array(GM_F64, back, ROWS, d);
    gm_array ac = case_array(GM_F64, given, ROWS, c), first = case_array(GM_F64, given, 100, c);
    unsigned char digest[32];
    gm__sha256 s;
    if (c)
        test_ok(ctx, gm_model_conditions(ctx, model, rows, &ac));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, how, logp, NULL));
    if (codes) {
        test_ok(ctx, gm_model_encode_rows(ctx, model, rows, NULL, how, &az));
        test_ok(ctx, gm_model_decode(ctx, model, &az, c ? &ac : NULL, how, &ab));
    }
    test_ok(ctx, gm_model_sample_f64(ctx, model, 100, c ? &first : NULL, how, drawn));
    gm__sha256_begin(&s);
    add_weights(&s, model);
    add_bits(&s, logp, ROWS, 8);
    if (codes) {
        add_bits(&s, z, ROWS * k, 8);
        add_bits(&s, back, ROWS * d, 8);
    }
    add_bits(&s, drawn, 100 * d, 8);
    gm__sha256_end(&s, digest);
    gm__sha256_text(digest, text);
}

static void check_whole(int fit, int steps, const machine *m)
{
    char text[65], last[32];
    const char *settings[20], *expected = steps == FEW ? wholes[fit].few : wholes[fit].many;
    int n = 0;
    for (; wholes[fit].settings[n]; n++)
        settings[n] = wholes[fit].settings[n];
    snprintf(last, sizeof last, "steps=%d", steps);
    settings[n++] = last;
    settings[n] = NULL;
    gm_context *ctx = machine_context(m);
    gm_dataset *rows = discrete_rows(ctx, fit == WITH_ROLES ? "cxxcw" : NULL);
    gm_options *how = case_options(ctx, settings);
    test_sink file = {0};
    gm_writer writer = test_sink_writer(&file);
    gm_model *model, *loaded;
    test_ok(ctx, gm_fit(ctx, wholes[fit].family, rows, how, &model));
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    gm_model_free(model);
    test_ok(ctx, gm_model_load_memory(ctx, file.data, file.size, &loaded));
    hash_whole(ctx, loaded, rows, how, text);
    ck_assert_msg(strcmp(text, expected) == 0,
                  "fit %d, %d steps, kernels %s, %d threads, %s: the hash is %s, not %s", fit,
                  steps, m->kernels, m->threads, m->fusion ? "fused" : "plain", text, expected);
    test_sink_clear(&file);
    gm_model_free(loaded);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}

START_TEST(one_hash_of_discrete_columns)
{
    int steps = test_quick() ? FEW : MANY;
    for (int k = 0; gm__kernels_at(k); k++)
        for (int threads = 1; threads <= 3; threads++)
            for (int fusion = threads == 2 ? 0 : 1; fusion < 2; fusion++)
                check_whole(_i, k ? steps : FEW,
                            &(machine){gm__kernels_at(k)->name, threads, fusion});
}
END_TEST

/* Row i of n is scored, coded and drawn alike for any n. */
START_TEST(discrete_rows_of_any_number)
{
    static double x[ROWS * D], logp[ROWS], z[ROWS * 8], drawn[ROWS * D], one[8];
    static const int64_t sizes[] = {1, 5, 33, 600};
    static const char *const vae[] = {"seed=3", "steps=30", "hidden=40,17", "code=4", "draws=2"};
    static const char *const diffusion[] = {"seed=3", "steps=30", "hidden=40,17", "ode_steps=1",
                                            "draws=2"};
    static const char *const more[][2] = {{"kind=bound", NULL},
                                          {"sampler=heun", "trace=exact"},
                                          {"sampler=ancestral", "trace=hutchinson"},
                                          {"orders=2", NULL},
                                          {"any_order=1", NULL}};
    static const char *const sequence[] = {"seed=3", "steps=30", "hidden=40,17", "table=5",
                                           "draws=2"};
    const char *const *first = _i < 2 ? vae : _i < 6 ? diffusion : sequence;
    const char *family = _i < 2 ? "vae" : _i < 6 ? "diffusion" : "autoregressive";
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = discrete_rows(ctx, NULL);
    gm_options *how = case_options(ctx, (const char *[]){first[0], first[1], first[2], first[3],
                                                         first[4], precisions[_i % 2],
                                                         more[_i / 2][0], more[_i / 2][1], NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_array all = case_array(GM_F64, x, ROWS, D),
             az = case_array(GM_F64, z, ROWS, gm_model_code_count(model));
    int codes = (gm_model_capabilities(model) & GM_CAN_ENCODE) != 0;
    gm__dataset_rows(rows, NULL, 0, ROWS, x);
    test_ok(ctx, gm_model_log_prob(ctx, model, &all, NULL, how, logp, NULL));
    if (codes)
        test_ok(ctx, gm_model_encode(ctx, model, &all, NULL, how, &az));
    test_ok(ctx, gm_model_sample_f64(ctx, model, ROWS, NULL, how, drawn));
    for (int k = 0; k < 4; k++) {
        static double some[ROWS * D];
        int64_t n = sizes[k];
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, n, 0, how, some));
        same(some, logp, n, "bounds");
        test_ok(ctx, gm_model_sample_f64(ctx, model, n, NULL, how, some));
        same(some, drawn, n * D, "draws");
    }
    int64_t k = gm_model_code_count(model);
    for (int64_t i = 0; codes && i < ROWS; i += 37) {
        gm_array row = case_array(GM_F64, x + i * D, 1, D), code = case_array(GM_F64, one, 1, k);
        test_ok(ctx, gm_model_encode(ctx, model, &row, NULL, how, &code));
        same(one, z + i * k, k, "codes");
    }
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bits");
    TCase *t = tcase_create("bits");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, one_hash_for_fast_kernels, 0, FITS);
    tcase_add_loop_test(t, one_hash_for_plain_kernels, 0, FITS);
    if (!test_quick())
        tcase_add_loop_test(t, one_hash_after_many_plain_steps, 0, 1);
    tcase_add_loop_test(t, score_in_any_batch, 0, 4);
    tcase_add_loop_test(t, codes_in_any_batch, 0, 4);
    tcase_add_loop_test(t, sample_of_any_number, 0, 4);
    tcase_add_loop_test(t, same_after_load, 0, 4);
    tcase_add_test(t, bound_of_any_number);
    tcase_add_loop_test(t, one_hash_of_discrete_columns, 0, WHOLES);
    tcase_add_loop_test(t, discrete_rows_of_any_number, 0, 10);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
