/* Models: what one says of itself, rows of every form, threads and lives. */
#include "ask_cases.h"
#include "base/json.h"

#include <pthread.h>

/* ---- What a model says ----------------------------------------------------------------------- */

START_TEST(says_what_it_is)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx), *mixed = mixed_model(ctx);
    int64_t shape[8], parameters = 0;
    int32_t ndim;
    ck_assert_str_eq(gm_model_family(model), "flow");
    ck_assert_int_eq(gm_model_capabilities(model), 63);
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_EXACT);
    ck_assert_int_eq(gm_model_log_prob_kind(mixed), GM_LOWER_BOUND);
    ck_assert_int_eq(gm_model_column_count(model), D);
    ck_assert_int_eq(gm_model_condition_count(model), 0);
    ck_assert_int_eq(gm_model_code_count(model), D);
    ck_assert_int_eq(gm_model_code_count(mixed), 1 + 1 + 1 + 3);
    for (int i = 0; i < model->structure->layout.count; i++)
        parameters += model->structure->layout.slots[i].count;
    ck_assert_int_eq(gm_model_parameter_count(model), parameters);
    test_ok(ctx, gm_model_row_shape(ctx, model, &ndim, shape));
    ck_assert(ndim == 1 && shape[0] == D);
    ck_assert_ptr_null(gm_model_family(NULL));
    ck_assert_ptr_null(gm_model_retain(NULL));
    ck_assert(gm_model_capabilities(NULL) == 0 && gm_model_log_prob_kind(NULL) == 0 &&
              gm_model_column_count(NULL) == 0 && gm_model_condition_count(NULL) == 0 &&
              gm_model_code_count(NULL) == 0 && gm_model_parameter_count(NULL) == 0);
    gm_model_free(model);
    gm_model_free(mixed);
    gm_model_free(NULL);
    gm_context_free(ctx);
}
END_TEST

START_TEST(columns_and_categories)
{
    static const struct {
        const char *name;
        int32_t type;
        int64_t categories;
    } expected[] = {{"size", GM_COLUMN_REAL, 0},
                    {"count", GM_COLUMN_INTEGER, 0},
                    {"flag", GM_COLUMN_BINARY, 2},
                    {"kind", GM_COLUMN_CATEGORY, 3}};
    gm_context *ctx = test_context(NULL);
    gm_model *model = mixed_model(ctx);
    gm_column c = {.struct_size = sizeof c};
    for (int i = 0; i < 4; i++) {
        test_ok(ctx, gm_model_column(ctx, model, i, &c));
        ck_assert_str_eq(c.name, expected[i].name);
        ck_assert(c.type == expected[i].type && c.role == GM_ROLE_FEATURE);
        ck_assert_int_eq(c.categories, expected[i].categories);
    }
    test_fails(ctx, gm_model_column(ctx, model, 4, &c), GM_E_RANGE, "column 4 of 4");
    test_fails(ctx, gm_model_column(ctx, model, -1, &c), GM_E_RANGE, NULL);
    test_fails(ctx, gm_model_column(ctx, NULL, 0, &c), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_column(ctx, model, 0, NULL), GM_E_ARG, NULL);
    c.struct_size = 0;
    test_fails(ctx, gm_model_column(ctx, model, 0, &c), GM_E_ARG, "struct_size");
    ck_assert_str_eq(gm_model_category(model, 3, 2), "cedar");
    ck_assert_ptr_null(gm_model_category(model, 3, 3));
    ck_assert_ptr_null(gm_model_category(model, 3, -1));
    ck_assert_ptr_null(gm_model_category(model, 0, 0));
    ck_assert_ptr_null(gm_model_category(model, 4, 0));
    ck_assert_ptr_null(gm_model_category(NULL, 0, 0));
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(describes_itself)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = _i ? mixed_model(ctx) : plain_model(ctx);
    int64_t length, again;
    char cut[10];
    test_ok(ctx, gm_model_describe(ctx, model, NULL, 0, &length));
    char *text = malloc((size_t)length + 1);
    test_ok(ctx, gm_model_describe(ctx, model, text, length + 1, &again));
    ck_assert(again == length && (int64_t)strlen(text) == length);
    test_ok(ctx, gm_model_describe(ctx, model, cut, sizeof cut, NULL));
    ck_assert(strlen(cut) == 9 && memcmp(cut, text, 9) == 0);
    gm__arena arena = {.allocator = ctx->allocator};
    const gm__json *json;
    test_ok(ctx, gm__json_parse(ctx, "description", text, length, &arena, &json));
    const char *family;
    int64_t columns, steps;
    test_ok(ctx, gm__json_text(ctx, json, "family", &family));
    test_ok(ctx, gm__json_int(ctx, json, "columns", 0, 99, &columns));
    test_ok(ctx, gm__json_int(ctx, gm__json_get(json, "record"), "steps", 0, 99, &steps));
    ck_assert_str_eq(family, "flow");
    ck_assert(columns == 4 && steps == 20);
    const gm__json *options = gm__json_get(json, "options");
    const char *name, *value, *told;
    int count = 0;
    for (; gm_model_option_at(ctx, model, count, &name, &value) == GM_OK; count++) {
        test_ok(ctx, gm__json_text(ctx, options, name, &told));
        ck_assert_str_eq(told, value);
        ck_assert(strncmp(name, "checkpoint", 10) != 0); /* a path of this machine */
        if (strcmp(name, "hidden") == 0)
            ck_assert_str_eq(value, "9");
    }
    ck_assert_int_eq(count, options->count);
    test_fails(ctx, gm_model_option_at(ctx, model, count, &name, &value), GM_E_RANGE, NULL);
    test_fails(ctx, gm_model_option_at(ctx, model, -1, &name, &value), GM_E_RANGE, NULL);
    test_fails(ctx, gm_model_option_at(ctx, NULL, 0, &name, &value), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_describe(ctx, NULL, NULL, 0, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_describe(ctx, model, NULL, 5, NULL), GM_E_ARG, NULL);
    gm__arena_clear(&arena);
    free(text);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(families_known)
{
    gm_context *ctx = test_context(NULL);
    gm_family_info info = {.struct_size = sizeof info};
    test_ok(ctx, gm_family_at(ctx, 0, &info));
    ck_assert_str_eq(info.name, "flow");
    ck_assert((info.capabilities & 63) == 63 && info.log_prob_kind == GM_EXACT && info.summary[0]);
    test_fails(ctx, gm_family_at(ctx, -1, &info), GM_E_RANGE, NULL);
    test_fails(ctx, gm_family_at(ctx, 100, &info), GM_E_RANGE, NULL);
    test_fails(ctx, gm_family_at(ctx, 0, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_family_find(ctx, "glow", &info), GM_E_UNKNOWN, "flow");
    test_fails(ctx, gm_family_find(ctx, NULL, &info), GM_E_ARG, NULL);
    test_ok(ctx, gm_family_register(ctx, &normed));
    test_ok(ctx, gm_family_find(ctx, "normed", &info));
    ck_assert_int_eq(info.capabilities, GM_CAN_LOG_PROB | GM_CAN_GRADIENT | GM_CAN_ENCODE);
    ck_assert_int_eq(info.version, 3);
    gm_context_free(ctx);
}
END_TEST

/* ---- Rows of every form ---------------------------------------------------------------------- */

START_TEST(rows_of_every_type_and_stride)
{
    enum { N = 30 };
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx);
    double f64[N * D], padded[N * 9], expected[N], logp[N];
    float f32[N * D];
    unsigned char u8[N * D];
    int32_t i32[D * N];
    int64_t i64[N * D];
    uint64_t state = 4;
    for (int i = 0; i < N * D; i++) {
        u8[i] = (unsigned char)(test_random(&state) % 4);
        f64[i] = f32[i] = u8[i];
        i64[i] = u8[i];
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) {
            i32[j * N + i] = u8[i * D + j];                      /* transposed */
            padded[(N - 1 - i) * 9 + 8 - 2 * j] = u8[i * D + j]; /* back to front */
        }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, f64, N, 0, NULL, expected));
    test_fails(ctx, gm_model_log_prob_f64(ctx, model, f64, -3, 0, NULL, expected), GM_E_SHAPE,
               "the number of rows n is -3, it is negative");
    gm_array forms[] = {case_array(GM_F64, f64, N, D), case_array(GM_F32, f32, N, D),
                        case_array(GM_U8, u8, N, D),   case_array(GM_I64, i64, N, D),
                        case_array(GM_I32, i32, N, D), case_array(GM_F64, padded, N, D)};
    forms[4].strides[0] = 1;
    forms[4].strides[1] = N;
    forms[5].data = padded + (N - 1) * 9 + 8;
    forms[5].strides[0] = -9;
    forms[5].strides[1] = -2;
    for (int k = 0; k < 6; k++) {
        memset(logp, 0, sizeof logp);
        test_ok(ctx, gm_model_log_prob(ctx, model, &forms[k], NULL, NULL, logp, NULL));
        ck_assert_msg(memcmp(logp, expected, sizeof logp) == 0, "form %d: other scores", k);
    }
    test_ok(ctx, gm_model_log_prob_f32(ctx, model, f32, N, 0, NULL, logp));
    ck_assert_mem_eq(logp, expected, sizeof logp);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            padded[i * 9 + j] = f64[i * D + j];
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, padded, N, 9, NULL, logp));
    ck_assert_mem_eq(logp, expected, sizeof logp);
    forms[0].strides[0] = 0; /* one row for all */
    test_ok(ctx, gm_model_log_prob(ctx, model, &forms[0], NULL, NULL, logp, NULL));
    for (int i = 0; i < N; i++)
        ck_assert(logp[i] == expected[0]);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Codes and draws into arrays of either type, with strides, leave what lies between. */
START_TEST(outputs_of_every_form)
{
    enum { N = 20 };
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx);
    gm_options *seed = case_options(ctx, (const char *[]){"seed=2", NULL});
    double packed[N * D], spaced[N * 2 * D];
    float narrow[N * D];
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, seed, packed));
    test_ok(ctx, gm_model_sample_f32(ctx, model, N, NULL, seed, narrow));
    for (int i = 0; i < N * 2 * D; i++)
        spaced[i] = -77;
    gm_array out = case_array(GM_F64, spaced, N, D);
    out.strides[0] = 2 * D;
    out.strides[1] = 2;
    test_ok(ctx, gm_model_sample(ctx, model, N, NULL, seed, &out, NULL));
    for (int i = 0; i < N * D; i++) {
        ck_assert(narrow[i] == (float)packed[i]);
        ck_assert(spaced[2 * i] == packed[i] && spaced[2 * i + 1] == -77);
    }
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(rows_by_name)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = mixed_model(ctx);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", NULL});
    /* categories in another order, columns too, and one that the model does not know */
    gm_dataset *other =
                   csv_rows(ctx, "more,kind,flag,size,count\n1,cedar,yes,0.5,3\n2,ash,no,-0.5,4\n"),
               *lacking = csv_rows(ctx, "size,kind,flag\n0.5,ash,no\n0.25,cedar,yes\n"),
               *unseen = csv_rows(ctx, "size,count,flag,kind\n0.5,3,yes,cedar\n-0.5,4,no,spruce\n");
    double direct[8] = {0.5, 3, 1, 2, -0.5, 4, 0, 0}, a[2], b[2];
    gm_column c = {.struct_size = sizeof c};
    test_ok(ctx, gm_model_column(ctx, model, 2, &c));
    direct[2] = strcmp(gm_model_category(model, 2, 1), "yes") == 0;
    direct[6] = !direct[2];
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, other, NULL, how, a, NULL));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, direct, 2, 0, how, b));
    ck_assert_mem_eq(a, b, sizeof a);
    test_fails(ctx, gm_model_log_prob_rows(ctx, model, lacking, NULL, how, a, NULL), GM_E_UNKNOWN,
               "count");
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, unseen, NULL, how, a, NULL));
    ck_assert(a[0] == b[0] && a[1] == -INFINITY);
    test_fails(ctx, gm_model_log_prob_rows(ctx, model, NULL, NULL, how, a, NULL), GM_E_ARG, NULL);
    gm_dataset_free(other);
    gm_dataset_free(lacking);
    gm_dataset_free(unseen);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* What reconstructs rows gives rows of the model's columns. */
START_TEST(rows_come_back)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = mixed_model(ctx);
    gm_dataset *rows = mixed_rows(ctx), *back, *decoded;
    double x[20 * 4], y[20 * 4], z[ROWS * 6];
    gm_array az = case_array(GM_F64, z, ROWS, 6);
    test_ok(ctx, gm_model_reconstruct_rows(ctx, model, rows, NULL, NULL, &back));
    test_ok(ctx, gm_model_encode_rows(ctx, model, rows, NULL, NULL, &az));
    test_ok(ctx, gm_model_decode_rows(ctx, model, &az, NULL, NULL, &decoded));
    ck_assert_int_eq(gm_dataset_row_count(back), ROWS);
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, 20, x, 0));
    for (int k = 0; k < 2; k++) {
        test_ok(ctx, gm_dataset_read_f64(ctx, k ? decoded : back, 0, 20, y, 0));
        for (int i = 0; i < 80; i++)
            ck_assert_msg(fabs(x[i] - y[i]) < 1e-6, "row %d: %g, not %g", i / 4, y[i], x[i]);
    }
    gm_dataset_free(rows);
    gm_dataset_free(back);
    gm_dataset_free(decoded);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* The temperature scales the base: 0 draws its middle alone. */
START_TEST(temperature)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx);
    gm_options *cold = case_options(ctx, (const char *[]){"seed=2", "temperature=0", NULL});
    double x[5 * D], z[5 * D];
    gm_array ax = case_array(GM_F64, x, 5, D), az = case_array(GM_F64, z, 5, D);
    test_ok(ctx, gm_model_sample(ctx, model, 5, NULL, cold, &ax, NULL));
    test_ok(ctx, gm_model_encode(ctx, model, &ax, NULL, NULL, &az));
    for (int i = 0; i < 5 * D; i++)
        ck_assert_msg(fabs(z[i]) < 1e-4 && x[i] == x[i % D], "%g", z[i]);
    gm_options_free(cold);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Answers that come in several pieces are those of the rows one by one. */
START_TEST(many_pieces)
{
    enum { N = 1100 };
    gm_context *ctx = test_context(NULL);
    gm_model *model = _i ? mixed_model(ctx) : plain_model(ctx);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", "draws=3", NULL});
    static double x[N * D], grad[N * D], part[D * 300], logp[N], error[N], l[300], e[300];
    static float narrow[N * D];
    gm_array ax = case_array(GM_F64, x, N, D), ag = case_array(GM_F64, grad, N, D),
             an = case_array(GM_F32, narrow, N, D);
    test_ok(ctx, gm_model_sample(ctx, model, N, NULL, how, &an, logp));
    test_ok(ctx, gm_model_log_prob_f32(ctx, model, narrow, N, 0, how, error));
    ck_assert_mem_eq(logp, error, sizeof logp); /* scored as they are given */
    for (int i = 0; i < N * D; i++)
        x[i] = narrow[i];
    test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, how, logp, error));
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &ax, NULL, how, NULL, &ag));
    gm_array few = case_array(GM_F64, x, 300, D), out = case_array(GM_F64, part, 300, D);
    test_ok(ctx, gm_model_log_prob(ctx, model, &few, NULL, how, l, e));
    ck_assert_mem_eq(l, logp, sizeof l);
    ck_assert_mem_eq(e, error, sizeof e);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &few, NULL, how, NULL, &out));
    ck_assert_mem_eq(part, grad, sizeof part);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(error[i] > 0, _i);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A model of either precision asked in the other: near, and the same for any batch. */
START_TEST(other_precision)
{
    gm_context *ctx = test_context(NULL);
    double *x = case_cloud(60, D, 5), own[60], other[60];
    const char *settings[] = {
        "seed=3", "steps=20", "hidden=9", "layers=2", _i ? "precision=f64" : "precision=f32", NULL};
    gm_model *model = case_fit(ctx, x, 60, D, settings);
    gm_options *how =
        case_options(ctx, (const char *[]){_i ? "precision=f32" : "precision=f64", NULL});
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 60, 0, NULL, own));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 60, 0, how, other));
    int same = 0;
    for (int i = 0; i < 60; i++) {
        ck_assert_msg(test_close(own[i], other[i], 1e-4, 1e-4), "%g, %g", own[i], other[i]);
        same += own[i] == other[i];
    }
    ck_assert_int_lt(same, 60);
    gm_options_free(how);
    gm_model_free(model);
    gm_context_free(ctx);
    free(x);
}
END_TEST

/* Images keep their shape, in the model and after loading. */
START_TEST(shape_of_rows)
{
    unsigned char idx[16 + 40 * 6] = {0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 3};
    uint64_t state = 5;
    for (size_t i = 16; i < sizeof idx; i++)
        idx[i] = (unsigned char)(test_random(&state) % 17);
    gm_context *ctx = test_context(NULL);
    test_source source = {.data = idx, .size = sizeof idx};
    gm_reader reader = test_source_reader(&source);
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=3", "steps=2", "hidden=3", "layers=1", NULL});
    gm_dataset *rows;
    gm_model *model, *loaded;
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    int64_t shape[8];
    int32_t ndim;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "idx", "images", NULL, &rows));
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    test_ok(ctx, gm_model_load_memory(ctx, sink.data, sink.size, &loaded));
    for (int i = 0; i < 2; i++) {
        test_ok(ctx, gm_model_row_shape(ctx, i ? loaded : model, &ndim, shape));
        ck_assert(ndim == 2 && shape[0] == 2 && shape[1] == 3);
    }
    test_fails(ctx, gm_model_row_shape(ctx, model, NULL, shape), GM_E_ARG, "ndim");
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_model_free(model);
    gm_model_free(loaded);
    test_sink_clear(&sink);
    gm_context_free(ctx);
}
END_TEST

/* ---- Threads and lives ----------------------------------------------------------------------- */

typedef struct asker {
    const gm_model *model;
    double x[50 * D], logp[50];
    gm_status code;
} asker;

static void *ask_again(void *arg)
{
    asker *a = arg;
    gm_context *ctx = test_context(NULL);
    gm_options *seed;
    a->code = gm_options_create(ctx, &seed);
    if (!a->code)
        a->code = gm_options_set_int(ctx, seed, "seed", 5);
    for (int i = 0; i < 20 && !a->code; i++) {
        a->code = gm_model_sample_f64(ctx, a->model, 50, NULL, seed, a->x);
        if (!a->code)
            a->code = gm_model_log_prob_f64(ctx, a->model, a->x, 50, 0, seed, a->logp);
    }
    gm_options_free(seed);
    gm_context_free(ctx);
    return NULL;
}

START_TEST(one_model_for_two_threads)
{
    static asker askers[3];
    gm_context *ctx = test_context(NULL);
    gm_model *model = _i ? mixed_model(ctx) : plain_model(ctx);
    pthread_t threads[2];
    for (int i = 0; i < 3; i++)
        askers[i].model = model;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_again, &askers[i]), 0);
    ask_again(&askers[2]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(askers[i].code, GM_OK);
        ck_assert_mem_eq(askers[i].x, askers[2].x, sizeof askers[2].x);
        ck_assert_mem_eq(askers[i].logp, askers[2].logp, sizeof askers[2].logp);
    }
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

typedef struct meddler {
    gm_context *ctx;
    gm_model *model;
    gm_status got[3];
} meddler;

static int32_t meddle(void *user, const gm_progress *p)
{
    meddler *m = user;
    double x[D] = {0}, logp;
    gm_options *bag;
    (void)p;
    m->got[0] = gm_model_log_prob_f64(m->ctx, m->model, x, 1, 0, NULL, &logp);
    m->got[1] = gm_options_create(m->ctx, &bag);
    m->got[2] = gm_context_set_int(m->ctx, "threads", 2);
    return 0;
}

START_TEST(busy_below_a_callback)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx), *other;
    meddler m = {.ctx = ctx, .model = model};
    double *data = case_cloud(50, D, 5);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", "steps=3", NULL});
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, data, 50, D, 0, &rows));
    gm_fit_config config = {.struct_size = sizeof config,
                            .train = rows,
                            .options = how,
                            .progress = meddle,
                            .progress_user = &m};
    test_ok(ctx, gm_fit_with(ctx, "flow", &config, &other));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(m.got[i], GM_E_BUSY);
    config.struct_size = 8;
    gm_model *none;
    test_fails(ctx, gm_fit_with(ctx, "flow", &config, &none), GM_E_ARG, "struct_size");
    test_fails(ctx, gm_fit_with(ctx, "flow", NULL, &none), GM_E_ARG, "config");
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_model_free(model);
    gm_model_free(other);
    gm_context_free(ctx);
    free(data);
}
END_TEST

/* Everything is freed before what stands on it. */
START_TEST(any_order_of_free)
{
    test_memory memory = {0};
    gm_allocator a = test_memory_allocator(&memory);
    gm_context *maker = test_context(&a), *user = test_context(NULL);
    double *data = case_cloud(200, D, 5), x[D] = {0}, logp[2];
    gm_options *how =
        case_options(maker, (const char *[]){"seed=2", "steps=30", "hidden=5", "layers=1", NULL});
    gm_dataset *rows, *valid;
    gm_optimizer *adam;
    gm_trainer *t;
    gm_model *model, *same_model, *whole;
    test_ok(maker, gm_dataset_from_f64(maker, data, 200, D, 0, &rows));
    test_ok(maker, gm_dataset_from_f64(maker, data, 50, D, 0, &valid));
    test_ok(maker, gm_optimizer_create(maker, "adam", NULL, &adam));
    gm_fit_config config = {.struct_size = sizeof config,
                            .train = rows,
                            .valid = valid,
                            .options = how,
                            .optimizer = adam};
    test_ok(user, gm_fit_with(user, "flow", &config, &whole));
    test_ok(maker, gm_trainer_create(maker, "flow", &config, &t));
    test_ok(maker, gm_trainer_step(maker, t, 3));
    gm_dataset_free(rows);
    gm_dataset_free(valid);
    gm_options_free(how);
    gm_optimizer_free(adam);
    gm_context_free(maker);
    test_ok(user, gm_trainer_step(user, t, 0));
    test_ok(user, gm_trainer_model(user, t, &model));
    gm_trainer_free(t);
    same_model = gm_model_retain(model);
    ck_assert_ptr_eq(model, same_model);
    gm_model_free(model);
    test_ok(user, gm_model_log_prob_f64(user, same_model, x, 1, 0, NULL, logp));
    test_ok(user, gm_model_log_prob_f64(user, whole, x, 1, 0, NULL, logp + 1));
    ck_assert(logp[0] == logp[1]);
    gm_model_free(same_model); /* the context still keeps its plans */
    gm_model_free(whole);
    gm_context_free(user);
    free(data);
    ck_assert_int_eq(memory.blocks, 0);
    ck_assert_int_eq(memory.wrong_sizes, 0);
}
END_TEST

/* More models than a context keeps plans for, asked in turn. */
START_TEST(many_models_in_turn)
{
    enum { COUNT = 24 };
    gm_context *ctx = test_context(NULL);
    gm_model *all[COUNT];
    double x[D] = {0.5, 0, 1, 0}, first[COUNT], logp;
    for (int i = 0; i < COUNT; i++) {
        char seed[16];
        double *data = case_cloud(30, D, 5);
        snprintf(seed, sizeof seed, "seed=%d", i);
        const char *settings[] = {seed, "steps=4", "hidden=3", "layers=1", NULL};
        all[i] = case_fit(ctx, data, 30, D, settings);
        free(data);
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            test_ok(ctx, gm_model_log_prob_f64(ctx, all[i], x, 1, 0, NULL, &logp));
            if (round == 0)
                first[i] = logp;
            ck_assert(logp == first[i]);
        }
        test_ok(ctx, gm_context_trim(ctx));
    }
    for (int i = 0; i < COUNT; i++)
        gm_model_free(all[i]);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, says_what_it_is);
    tcase_add_test(t, columns_and_categories);
    tcase_add_loop_test(t, describes_itself, 0, 2);
    tcase_add_test(t, families_known);
    tcase_add_test(t, rows_of_every_type_and_stride);
    tcase_add_test(t, outputs_of_every_form);
    tcase_add_test(t, rows_by_name);
    tcase_add_test(t, rows_come_back);
    tcase_add_loop_test(t, many_pieces, 0, 2);
    tcase_add_loop_test(t, other_precision, 0, 2);
    tcase_add_test(t, shape_of_rows);
    tcase_add_test(t, temperature);
    tcase_add_loop_test(t, one_model_for_two_threads, 0, 2);
    tcase_add_test(t, busy_below_a_callback);
    tcase_add_test(t, any_order_of_free);
    tcase_add_test(t, many_models_in_turn);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
