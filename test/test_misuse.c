/* Mistakes of the caller and of a family: every one has its status and a text that names it. */
#include "ask_cases.h"

#include <unistd.h>

/* ---- Mistakes -------------------------------------------------------------------------------- */

START_TEST(wrong_rows)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx);
    double x[600 * D] = {0}, logp[600], z[600 * D];
    gm_array good = case_array(GM_F64, x, 3, D), out = case_array(GM_F64, z, 3, D), a;
#define REFUSED(change, code, part)                                                                \
    do {                                                                                           \
        a = good;                                                                                  \
        change;                                                                                    \
        test_fails(ctx, gm_model_log_prob(ctx, model, &a, NULL, NULL, logp, NULL), code, part);    \
        test_fails(ctx, gm_model_encode(ctx, model, &a, NULL, NULL, &out), code, part);            \
        test_fails(ctx, gm_model_decode(ctx, model, &a, NULL, NULL, &out), code, part);            \
        test_fails(ctx, gm_model_reconstruct(ctx, model, &a, NULL, NULL, &out), code, part);       \
        test_fails(ctx, gm_model_log_prob_gradient(ctx, model, &a, NULL, NULL, logp, &out), code,  \
                   part);                                                                          \
    } while (0)
    REFUSED(a.struct_size = 0, GM_E_ARG, "struct_size");
    REFUSED(a.dtype = 0, GM_E_ARG, "dtype 0");
    REFUSED(a.dtype = 6, GM_E_ARG, "dtype 6");
    REFUSED(a.ndim = 1, GM_E_SHAPE, "1 dimensions");
    REFUSED(a.ndim = 3, GM_E_SHAPE, "3 dimensions");
    REFUSED(a.shape[0] = -1, GM_E_SHAPE, NULL);
    REFUSED(a.shape[1] = D + 1, GM_E_SHAPE, "have 5 columns, the model");
    REFUSED(a.data = NULL, GM_E_ARG, "data is NULL");
    REFUSED(x[7] = NAN, GM_E_DATA, "row 2, column 4");
    REFUSED(x[7] = -INFINITY, GM_E_DATA, " is -inf; a finite number was expected");
#undef REFUSED
    test_fails(ctx, gm_model_log_prob(ctx, model, &good, NULL, NULL, logp, NULL), GM_E_DATA,
               "log_prob: row 2, column 4 is -inf");
    test_fails(ctx, gm_model_encode(ctx, model, &good, NULL, NULL, &out), GM_E_DATA,
               "encode: row 2, column 4 is -inf");
    test_fails(ctx, gm_model_reconstruct(ctx, model, &good, NULL, NULL, &out), GM_E_DATA,
               "reconstruct: row 2, column 4 is -inf");
    test_fails(ctx, gm_model_decode(ctx, model, &good, NULL, NULL, &out), GM_E_DATA,
               "decode: row 2, column 4 of the code is -inf");
    a = good;
    a.shape[1] = D + 1;
    test_fails(ctx, gm_model_log_prob(ctx, model, &a, NULL, NULL, logp, NULL), GM_E_SHAPE,
               "log_prob: rows have 5 columns, the model has 4");
    test_fails(ctx, gm_model_decode(ctx, model, &a, NULL, NULL, &out), GM_E_SHAPE,
               "decode: codes have 5 columns, the model's codes have 4");
    x[7] = 0;
    test_fails(ctx, gm_model_log_prob(ctx, model, NULL, NULL, NULL, logp, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_log_prob(ctx, model, &good, NULL, NULL, NULL, NULL), GM_E_ARG, "logp");
    test_fails(ctx, gm_model_log_prob(ctx, NULL, &good, NULL, NULL, logp, NULL), GM_E_ARG, "model");
    test_fails(ctx, gm_model_log_prob(ctx, model, &good, &good, NULL, logp, NULL), GM_E_ARG,
               "cond");
    test_fails(ctx, gm_model_encode(ctx, model, &good, &good, NULL, &out), GM_E_ARG, "cond");
    ck_assert_int_eq(gm_model_log_prob(NULL, model, &good, NULL, NULL, logp, NULL), GM_E_ARG);
    /* a bad row far behind leaves every answer as it was */
    x[599 * D] = NAN;
    for (int i = 0; i < 600; i++)
        logp[i] = z[i * D] = 5;
    good.shape[0] = out.shape[0] = 600;
    test_fails(ctx, gm_model_log_prob(ctx, model, &good, NULL, NULL, logp, NULL), GM_E_DATA,
               "row 600");
    test_fails(ctx, gm_model_encode(ctx, model, &good, NULL, NULL, &out), GM_E_DATA, "row 600");
    test_fails(ctx, gm_model_decode(ctx, model, &good, NULL, NULL, &out), GM_E_DATA, "row 600");
    test_fails(ctx, gm_model_reconstruct(ctx, model, &good, NULL, NULL, &out), GM_E_DATA,
               "row 600");
    for (int i = 0; i < 600; i++)
        must_msg(logp[i] == 5 && z[i * D] == 5, "answer %d was written by a call that failed", i);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(wrong_outputs)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx);
    gm_options *seed = case_options(ctx, (const char *[]){"seed=2", NULL});
    double x[3 * D] = {0}, z[3 * D], logp[3];
    gm_array in = case_array(GM_F64, x, 3, D), good = case_array(GM_F64, z, 3, D), a;
    gm_dataset *rows = NULL;
#define REFUSED(change, code, part)                                                                \
    do {                                                                                           \
        a = good;                                                                                  \
        change;                                                                                    \
        test_fails(ctx, gm_model_encode(ctx, model, &in, NULL, NULL, &a), code, part);             \
        test_fails(ctx, gm_model_decode(ctx, model, &in, NULL, NULL, &a), code, part);             \
        test_fails(ctx, gm_model_reconstruct(ctx, model, &in, NULL, NULL, &a), code, part);        \
        test_fails(ctx, gm_model_sample(ctx, model, 3, NULL, seed, &a, NULL), code, part);         \
        test_fails(ctx, gm_model_log_prob_gradient(ctx, model, &in, NULL, NULL, logp, &a), code,   \
                   part);                                                                          \
    } while (0)
    REFUSED(a.dtype = GM_U8, GM_E_ARG, "GM_F32 or GM_F64");
    REFUSED(a.flags = GM_ARRAY_READ_ONLY, GM_E_ARG, "read-only");
    REFUSED(a.shape[0] = 4, GM_E_SHAPE, "4 rows");
    REFUSED(a.shape[1] = 3, GM_E_SHAPE, "3 columns");
    REFUSED(a.data = NULL, GM_E_ARG, "data is NULL");
    REFUSED(a.struct_size = 8, GM_E_ARG, "struct_size");
#undef REFUSED
    test_fails(ctx, gm_model_sample(ctx, model, -1, NULL, seed, &good, NULL), GM_E_RANGE,
               "negative");
    test_fails(ctx, gm_model_sample(ctx, model, 3, NULL, seed, NULL, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_sample(ctx, model, 3, &in, seed, &good, NULL), GM_E_ARG, "cond");
    test_fails(ctx, gm_model_sample_rows(ctx, model, 3, NULL, seed, NULL), GM_E_ARG, "rows");
    test_fails(ctx, gm_model_sample_rows(ctx, model, INT64_MAX, NULL, seed, &rows), GM_E_RANGE,
               "too many");
    test_fails(ctx, gm_model_sample_rows(ctx, model, INT64_MAX / 8 / D, NULL, seed, &rows),
               GM_E_MEMORY, "sample: out of memory for 288230376151711743 rows of 4 columns");
    ck_assert_ptr_null(rows);
    test_fails(ctx, gm_model_sample_rows(ctx, model, 0, NULL, seed, &rows), GM_E_RANGE,
               "sample: n is 0; at least 1 row");
    test_ok(ctx, gm_model_sample_f64(ctx, model, 0, NULL, seed, NULL));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 0, 0, NULL, logp));
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A call that is cancelled leaves its outputs as they were, and the context usable. */
START_TEST(cancelled_calls)
{
    gm_cancel *token = gm_cancel_create(NULL);
    gm_context_config config = {.struct_size = sizeof config, .cancel = token};
    gm_context *ctx, *other = test_context(NULL);
    gm_model *model = plain_model(other);
    gm_options *seed = case_options(other, (const char *[]){"seed=2", NULL});
    static double x[600 * D], z[600 * D], logp[600];
    gm_dataset *rows;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    gm_cancel_trip(token);
    for (int64_t n = 1; n <= 600; n += 599) {
        gm_array ax = case_array(GM_F64, x, n, D), az = case_array(GM_F64, z, n, D);
        for (int64_t i = 0; i < n; i++)
            logp[i] = z[i * D] = 5;
        gm_status got[] = {
            gm_model_log_prob(ctx, model, &ax, NULL, NULL, logp, NULL),
            gm_model_log_prob_gradient(ctx, model, &ax, NULL, NULL, logp, &az),
            gm_model_encode(ctx, model, &ax, NULL, NULL, &az),
            gm_model_decode(ctx, model, &ax, NULL, NULL, &az),
            gm_model_reconstruct(ctx, model, &ax, NULL, NULL, &az),
            gm_model_sample(ctx, model, n, NULL, seed, &az, logp),
            gm_model_sample_rows(ctx, model, n, NULL, seed, &rows),
        };
        for (size_t i = 0; i < sizeof got / sizeof *got; i++)
            ck_assert_msg(got[i] == GM_E_CANCELLED, "call %d gave %d", (int)i, got[i]);
        for (int64_t i = 0; i < n; i++)
            must_msg(logp[i] == 5 && z[i * D] == 5, "answer %d was written", (int)i);
        ck_assert_ptr_null(rows);
    }
    gm_cancel_reset(token);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 600, 0, NULL, logp));
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
    gm_context_free(other);
    gm_cancel_free(token);
}
END_TEST

/* So does one that makes, writes or reads a model. */
START_TEST(cancelled_makers)
{
    gm_cancel *token = gm_cancel_create(NULL);
    gm_context_config config = {.struct_size = sizeof config, .cancel = token};
    gm_context *ctx, *other = test_context(NULL);
    gm_model *model = plain_model(other), *made = model, *fitted = model, *read = model;
    gm_options *how = case_options(other, (const char *[]){"seed=2", "hidden=8", NULL});
    double *x = case_cloud(ROWS, D, 5);
    gm_dataset *rows;
    gm_trainer *trainer;
    test_sink whole = {0}, cut = {0};
    gm_writer to_whole = test_sink_writer(&whole), to_cut = test_sink_writer(&cut);
    char path[256];
    snprintf(path, sizeof path, "%s/cancelled.%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
             (int)getpid());
    test_ok(other, gm_dataset_from_f64(other, x, ROWS, D, 0, &rows));
    test_ok(other, gm_model_write(other, model, &to_whole));
    test_ok(other, gm_model_save(other, model, path));
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    gm_fit_config fit = {.struct_size = sizeof fit, .train = rows, .options = how};
    gm_cancel_trip(token);
    gm_status got[] = {
        gm_trainer_create(ctx, "flow", &fit, &trainer),
        gm_fit(ctx, "flow", rows, how, &fitted),
        gm_model_load(ctx, path, &made),
        gm_model_load_memory(ctx, whole.data, whole.size, &read),
        gm_model_write(ctx, model, &to_cut),
        remove(path) ? GM_OK : gm_model_save(ctx, model, path),
    };
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        ck_assert_msg(got[i] == GM_E_CANCELLED, "call %d gave %d", (int)i, got[i]);
    ck_assert(!trainer && !fitted && !made && !read && remove(path) != 0);
    gm_cancel_reset(token);
    test_ok(ctx, gm_model_load_memory(ctx, whole.data, whole.size, &read));
    gm_model_free(read);
    test_sink_clear(&whole);
    test_sink_clear(&cut);
    free(x);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
    gm_context_free(other);
    gm_cancel_free(token);
}
END_TEST

/* Trips a token when a large block is asked for, and looks whether all of it was cleared. */
typedef struct tripping {
    gm_cancel *token;
    int64_t large, cleared;
} tripping;
enum { LARGE = 100 * 1000 * 1000 };

static void *trip_resize(void *user, void *block, size_t old_size, size_t new_size,
                         size_t alignment)
{
    tripping *t = user;
    (void)alignment;
    if (old_size >= LARGE && new_size == 0)
        t->cleared += ((unsigned char *)block)[old_size - 1] != 0x5a;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    void *made = aligned_alloc(64, (new_size + 63) / 64 * 64);
    if (!made)
        return NULL;
    if (block)
        memcpy(made, block, old_size < new_size ? old_size : new_size);
    free(block);
    if (new_size >= LARGE) {
        ((unsigned char *)made)[new_size - 1] = 0x5a;
        t->large++;
        gm_cancel_trip(t->token);
    }
    return made;
}

/* A cancelled call does not go on clearing memory for very many answers. */
START_TEST(cancelled_while_memory_is_cleared)
{
    enum { N = 30 * 1000 * 1000 };
    tripping t = {.token = gm_cancel_create(NULL)};
    gm_allocator allocator = {.struct_size = sizeof allocator, .user = &t, .resize = trip_resize};
    gm_context_config config = {
        .struct_size = sizeof config, .cancel = t.token, .allocator = &allocator};
    gm_context *ctx, *other = test_context(NULL);
    gm_model *model = plain_model(other);
    gm_options *seed = case_options(other, (const char *[]){"seed=2", NULL});
    double row[D] = {0}, *logp = malloc(N * sizeof *logp);
    /* one row again and again, and answers over one another: nothing reaches them */
    gm_array in = case_array(GM_F64, row, N, D), out = case_array(GM_F64, row, N, D);
    gm_dataset *made;
    in.strides[0] = out.strides[0] = 0;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    for (int call = 0; call < 8; call++) {
        t.large = t.cleared = 0;
        gm_cancel_reset(t.token);
        gm_status got = call == 0   ? gm_model_encode(ctx, model, &in, NULL, NULL, &out)
                        : call == 1 ? gm_model_decode(ctx, model, &in, NULL, NULL, &out)
                        : call == 2 ? gm_model_reconstruct(ctx, model, &in, NULL, NULL, &out)
                        : call == 3 ? gm_model_sample(ctx, model, N, NULL, seed, &out, NULL)
                        : call == 4 ? gm_model_sample(ctx, model, N, NULL, seed, &out, logp)
                        : call == 5 ? gm_model_log_prob(ctx, model, &in, NULL, NULL, logp, NULL)
                        : call == 6
                            ? gm_model_log_prob_gradient(ctx, model, &in, NULL, NULL, NULL, &out)
                            : gm_model_sample_rows(ctx, model, N, NULL, seed, &made);
        ck_assert_msg(got == GM_E_CANCELLED && t.large == 1 && t.cleared == 0,
                      "call %d: status %d, %d large blocks, %d of them cleared", call, got,
                      (int)t.large, (int)t.cleared);
    }
    free(logp);
    gm_options_free(seed);
    gm_model_free(model);
    gm_context_free(ctx);
    gm_context_free(other);
    gm_cancel_free(t.token);
}
END_TEST

/* Where checkpoints go is not saved, so a bag that says so is no other model's. */
START_TEST(one_bag_for_fit_and_calls)
{
    gm_context *ctx = test_context(NULL);
    char path[256], setting[300];
    snprintf(path, sizeof path, "%s/bag.%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
             (int)getpid());
    snprintf(setting, sizeof setting, "checkpoint=%s", path);
    gm_options *bag = case_options(ctx, (const char *[]){"seed=2", "steps=3", "hidden=5", setting,
                                                         "checkpoint_seconds=7", NULL});
    double *x = case_cloud(ROWS, D, 5), logp[1], z[D];
    gm_dataset *rows;
    gm_model *model, *loaded;
    test_sink file = {0};
    gm_writer writer = test_sink_writer(&file);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, D, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "flow", rows, bag, &model));
    remove(path);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    test_ok(ctx, gm_model_load_memory(ctx, file.data, file.size, &loaded));
    test_ok(ctx, gm_model_log_prob_f64(ctx, loaded, x, 1, 0, bag, logp));
    test_ok(ctx, gm_model_sample_f64(ctx, loaded, 1, NULL, bag, z));
    gm_options_free(bag);
    bag = case_options(ctx, (const char *[]){"checkpoint_seconds=-1", NULL});
    test_fails(ctx, gm_model_log_prob_f64(ctx, loaded, x, 1, 0, bag, logp), GM_E_RANGE,
               "checkpoint_seconds");
    gm_options_free(bag);
    test_sink_clear(&file);
    free(x);
    gm_dataset_free(rows);
    gm_model_free(loaded);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* log_prob of a diffusion is cheap unless more is asked for: each draw goes all the way to noise.
 */
START_TEST(cheap_unless_asked)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_options *how = case_options(ctx, (const char *[]){"seed=3", "steps=3", "hidden=5", NULL});
    const char *settings[] = {"seed=2",   "trace=hutchinson", "draws=2",
                              "probes=2", "ode_steps=50",     NULL};
    gm_options *all = case_options(ctx, settings);
    settings[2] = NULL;
    gm_options *none = case_options(ctx, settings);
    double x[2 * D] = {0.5, 3, 1, 2, -0.25, 7, 0, 1}, logp[2], same[2];
    gm_model *model;
    gm_option_info info = {.struct_size = sizeof info};
    int draws = 0;
    test_ok(ctx, gm_fit(ctx, "diffusion", rows, how, &model));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 2, 0, none, logp));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 2, 0, all, same));
    ck_assert_mem_eq(logp, same, sizeof logp);
    /* a table of the options tells each once */
    for (int own = 0; own < 2; own++)
        for (int i = 0;
             gm_option_at(ctx, own ? "diffusion.log_prob" : "log_prob", i, &info) == GM_OK; i++)
            if (strcmp(info.name, "draws") == 0) {
                ck_assert_str_eq(info.default_value, own ? "2" : "8");
                draws++;
            }
    ck_assert_int_eq(draws, 2);
    gm_options_free(how);
    gm_options_free(all);
    gm_options_free(none);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(options_of_calls)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = plain_model(ctx), *mixed = mixed_model(ctx);
    double x[D] = {0}, z[D], logp[1];
    gm_array ax = case_array(GM_F64, x, 1, D), az = case_array(GM_F64, z, 1, D);
    static const struct {
        const char *setting;
        gm_status log_prob, sample, encode;
        const char *part;
    } cases[] = {
        {"layers=2", GM_OK, GM_OK, GM_OK, NULL},
        {"hidden=9", GM_OK, GM_OK, GM_OK, NULL},
        {"layers=3", GM_E_STAGE, GM_E_STAGE, GM_E_STAGE, "made with 2"},
        {"layers=0", GM_E_RANGE, GM_E_RANGE, GM_E_RANGE, "must be 1 to 1000"},
        {"batch=7", GM_E_STAGE, GM_E_STAGE, GM_E_STAGE, "batch"},
        {"layer=2", GM_E_UNKNOWN, GM_E_UNKNOWN, GM_E_UNKNOWN, "layer"},
        {"draws=5", GM_OK, GM_OK, GM_OK, NULL},
        {"draws=0", GM_E_RANGE, GM_OK, GM_OK, "draws"},
        {"kind=estimate", GM_OK, GM_OK, GM_OK, NULL},
        {"kind=exact", GM_E_RANGE, GM_OK, GM_OK, "kind"},
        {"noise=0", GM_E_UNKNOWN, GM_E_UNKNOWN, GM_E_UNKNOWN, "noise"},
        {"temperature=0.5", GM_OK, GM_OK, GM_OK, NULL},
        {"temperature=-1", GM_OK, GM_E_RANGE, GM_OK, "temperature"},
        {"precision=f64", GM_OK, GM_OK, GM_OK, NULL},
        {"precision=f16", GM_E_RANGE, GM_E_RANGE, GM_E_RANGE, "precision"},
        {"seed=-4", GM_E_RANGE, GM_E_RANGE, GM_OK, "seed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gm_options *bag = case_options(ctx, (const char *[]){"seed=8", cases[i].setting, NULL});
        gm_status got[3] = {gm_model_log_prob(ctx, model, &ax, NULL, bag, logp, NULL)};
        ck_assert(!got[0] || strstr(test_error(ctx), cases[i].part));
        got[1] = gm_model_sample(ctx, model, 1, NULL, bag, &az, NULL);
        ck_assert(!got[1] || strstr(test_error(ctx), cases[i].part));
        got[2] = gm_model_encode(ctx, model, &ax, NULL, bag, &az);
        ck_assert(!got[2] || strstr(test_error(ctx), cases[i].part));
        ck_assert_msg(got[0] == cases[i].log_prob && got[1] == cases[i].sample &&
                          got[2] == cases[i].encode,
                      "%s: %d %d %d", cases[i].setting, got[0], got[1], got[2]);
        gm_options_free(bag);
    }
    test_fails(ctx, gm_model_sample(ctx, model, 1, NULL, NULL, &az, NULL), GM_E_SEED, "'seed'");
    test_fails(ctx, gm_model_log_prob_f64(ctx, mixed, x, 1, 0, NULL, logp), GM_E_SEED, "'seed'");
    gm_model_free(model);
    gm_model_free(mixed);
    gm_context_free(ctx);
}
END_TEST

START_TEST(columns_that_do_not_fit)
{
    gm_context *ctx = test_context(NULL);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", "steps=1", NULL});
    gm_dataset *holes = csv_rows(ctx, "a,b\n1.5,2\n,3\n4.25,5\n"),
               *whole = csv_rows(ctx, "a,b\n1.5,2\n2.25,3\n4,5\n"), *view;
    gm_model *model;
    double logp[3];
    test_fails(ctx, gm_fit(ctx, "flow", holes, how, &model), GM_E_DATA, "column 'a' has 1 missing");
    test_ok(ctx, gm_dataset_with_type(ctx, whole, 1, GM_COLUMN_CIRCULAR, 360, &view));
    test_fails(ctx, gm_fit(ctx, "vae", view, how, &model), GM_E_UNSUPPORTED, "declare it real");
    gm_dataset_free(view);
    gm_dataset *none;
    test_ok(ctx, gm_dataset_with_role(ctx, whole, 1, GM_ROLE_LABEL, &view));
    test_ok(ctx, gm_dataset_with_role(ctx, view, 0, GM_ROLE_IGNORED, &none));
    test_fails(ctx, gm_fit(ctx, "flow", none, how, &model), GM_E_DATA, "no feature columns");
    gm_dataset_free(none);
    test_ok(ctx, gm_fit(ctx, "flow", view, how, &model)); /* a label is no feature */
    ck_assert_int_eq(gm_model_column_count(model), 1);
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, whole, NULL, NULL, logp, NULL));
    test_fails(ctx, gm_model_log_prob_rows(ctx, model, holes, NULL, NULL, logp, NULL), GM_E_DATA,
               "column 'a'");
    gm_dataset_free(view);
    gm_model_free(model);
    test_fails(ctx, gm_fit(ctx, "flow", NULL, how, &model), GM_E_ARG, "data");
    test_fails(ctx, gm_fit(ctx, "flow", whole, NULL, &model), GM_E_SEED, "seed");
    test_fails(ctx, gm_fit(ctx, "flow", whole, how, NULL), GM_E_ARG, "model");
    test_fails(ctx, gm_fit(ctx, "glow", whole, how, &model), GM_E_UNKNOWN, "flow");
    test_fails(ctx, gm_fit(ctx, NULL, whole, how, &model), GM_E_ARG, "family");
    ck_assert_ptr_null(model);
    gm_dataset_free(holes);
    gm_dataset_free(whole);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

START_TEST(calls_that_a_family_lacks)
{
    gm_context *ctx = case_family_context(NULL);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", "steps=1", NULL});
    double *data = case_cloud(50, D, 5), x[D] = {0}, logp;
    gm_array ax = case_array(GM_F64, x, 1, D), out = ax;
    gm_dataset *rows, *drawn;
    gm_model *bells, *slopes;
    test_ok(ctx, gm_dataset_from_f64(ctx, data, 50, D, 0, &rows));
    test_ok(ctx, gm_fit(ctx, "bell", rows, how, &bells));
    test_ok(ctx, gm_fit(ctx, "slope", rows, how, &slopes));
    test_fails(ctx, gm_model_sample(ctx, bells, 1, NULL, how, &out, NULL), GM_E_UNSUPPORTED,
               "flow");
    test_fails(ctx, gm_model_sample_rows(ctx, bells, 1, NULL, how, &drawn), GM_E_UNSUPPORTED,
               "bell");
    test_fails(ctx, gm_model_encode(ctx, bells, &ax, NULL, how, &out), GM_E_UNSUPPORTED, "normed");
    test_fails(ctx, gm_model_decode(ctx, bells, &ax, NULL, how, &out), GM_E_UNSUPPORTED, "flow");
    test_fails(ctx, gm_model_reconstruct(ctx, bells, &ax, NULL, how, &out), GM_E_UNSUPPORTED,
               "flow");
    test_fails(ctx, gm_model_log_prob_f64(ctx, slopes, x, 1, 0, how, &logp), GM_E_UNSUPPORTED,
               "bell");
    test_fails(ctx, gm_model_log_prob_gradient(ctx, slopes, &ax, NULL, how, &logp, &out),
               GM_E_UNSUPPORTED, "bell");
    test_fails(ctx, gm_model_log_prob_rows(ctx, slopes, rows, NULL, how, &logp, NULL),
               GM_E_UNSUPPORTED, "slope");
    test_ok(ctx, gm_model_log_prob_gradient(ctx, bells, &ax, NULL, NULL, NULL, &out));
    gm_model_free(bells);
    gm_model_free(slopes);
    gm_dataset_free(rows);
    gm_options_free(how);
    free(data);
    gm_context_free(ctx);
}
END_TEST

/* ---- Mistakes of a family -------------------------------------------------------------------- */

static gm_node *flat(gm_builder *b, gm_node *x)
{
    return gm_sum_all(b, x);
}
static gm_node *nothing(gm_builder *b, gm_node *x)
{
    (void)b, (void)x;
    return NULL;
}
static gm_node *gives_up(gm_builder *b, gm_node *x)
{
    gm_builder_fail(b, GM_E_RANGE, "odd widths are not for this family");
    return x;
}
static gm_node *two_shapes(gm_builder *b, gm_node *x)
{
    gm_node *y = gm_nn_linear(b, "a", x, 3);
    return gm_sum(b, gm_nn_linear(b, "a", y, 4), -1, 0);
}
static gm_node *asks_wrongly(gm_builder *b, gm_node *x)
{
    return gm_sum(b, gm_scale(b, x, (double)gm_opt_int(b, "depth")), -1, 0);
}
static gm_node *narrow_code(gm_builder *b, gm_node *x)
{
    return gm_slice(b, x, -1, 0, 1);
}
static int64_t no_code(gm_builder *b)
{
    (void)b;
    return 0;
}
static gm_node *a_base(gm_builder *b)
{
    return gm_normal(b, 2, (const int64_t[]){GM_BATCH, gm_builder_width(b)});
}
static gm_node *same(gm_builder *b, gm_node *x)
{
    (void)b;
    return x;
}

static const struct {
    gm_family family;
    gm_status code;
    const char *part;
} mistakes[] = {
    {{.loss = flat}, GM_E_SHAPE, "(batch) was expected"},
    {{.loss = same}, GM_E_SHAPE, "loss gives a node of 2 dimensions"},
    {{.loss = nothing}, GM_E_ARG, NULL},
    {{.loss = gives_up}, GM_E_RANGE, "odd widths"},
    {{.loss = two_shapes}, GM_E_SHAPE, "a.weight"},
    {{.loss = asks_wrongly}, GM_E_UNKNOWN, "depth"},
    {{.log_prob = flat, .log_prob_kind = GM_EXACT}, GM_E_SHAPE, "odd"},
    {{.log_prob = bell_log_prob, .log_prob_kind = GM_EXACT, .encode = narrow_code},
     GM_E_SHAPE,
     "encode"},
    {{.log_prob = bell_log_prob, .log_prob_kind = GM_EXACT, .encode = same, .code = no_code},
     GM_E_RANGE,
     "at least 1"},
    {{.log_prob = bell_log_prob, .log_prob_kind = GM_EXACT, .decode = narrow_code, .base = a_base},
     GM_E_SHAPE,
     "decode"},
    {{.loss = slope_loss, .phases = 9}, GM_E_RANGE, "9 phases"},
};

START_TEST(families_with_mistakes)
{
    gm_context *ctx = test_context(NULL);
    gm_options *how = case_options(ctx, (const char *[]){"seed=2", "steps=1", NULL});
    double *data = case_cloud(50, D, 5);
    gm_dataset *rows;
    gm_model *model;
    gm_family f = mistakes[_i].family;
    f.struct_size = sizeof f;
    f.name = "odd";
    f.summary = "has a mistake";
    f.version = 1;
    test_ok(ctx, gm_family_register(ctx, &f));
    test_ok(ctx, gm_dataset_from_f64(ctx, data, 50, D, 0, &rows));
    test_fails(ctx, gm_fit(ctx, "odd", rows, how, &model), mistakes[_i].code, mistakes[_i].part);
    ck_assert_ptr_null(model);
    gm_dataset_free(rows);
    gm_options_free(how);
    free(data);
    gm_context_free(ctx);
}
END_TEST

START_TEST(families_not_registered)
{
    gm_context *ctx = test_context(NULL);
    gm_family f = bell;
    test_fails(ctx, gm_family_register(ctx, NULL), GM_E_ARG, NULL);
#define REFUSED(change, part)                                                                      \
    f = bell;                                                                                      \
    change;                                                                                        \
    test_fails(ctx, gm_family_register(ctx, &f), GM_E_ARG, part)
    REFUSED(f.struct_size = 4, "struct_size");
    REFUSED(f.name = NULL, "name");
    REFUSED(f.name = "", "name");
    REFUSED(f.summary = NULL, "summary");
    REFUSED(f.version = 0, "version");
    REFUSED(f.log_prob = NULL, "loss or log_prob");
    REFUSED(f.log_prob_kind = 0, "log_prob_kind");
    REFUSED(f.log_prob_kind = 4, "log_prob_kind");
    REFUSED(f.base = a_base, "decode");
    REFUSED(f.name = "flow", "already");
#undef REFUSED
    static gm_family many[65];
    static char names[65][8];
    for (int i = 0; i < 65; i++) {
        many[i] = bell;
        snprintf(names[i], sizeof names[i], "f%d", i);
        many[i].name = names[i];
        if (i < 64)
            test_ok(ctx, gm_family_register(ctx, &many[i]));
    }
    test_fails(ctx, gm_family_register(ctx, &many[64]), GM_E_STATE, "64");
    test_fails(ctx, gm_family_register(ctx, &many[3]), GM_E_ARG, "already");
    gm_family_info info = {.struct_size = sizeof info};
    test_fails(ctx, gm_family_find(ctx, "zzz", &info), GM_E_UNKNOWN, "f0, f1");
    gm_option_info option = {.struct_size = sizeof option};
    many[0].options = NULL;
    test_fails(ctx, gm_option_at(ctx, "f0", 0, &option), GM_E_RANGE, "no option number 0");
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("misuse");
    TCase *t = tcase_create("misuse");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, wrong_rows);
    tcase_add_test(t, wrong_outputs);
    tcase_add_test(t, cancelled_calls);
    tcase_add_test(t, cancelled_makers);
    tcase_add_test(t, cancelled_while_memory_is_cleared);
    tcase_add_test(t, one_bag_for_fit_and_calls);
    tcase_add_test(t, cheap_unless_asked);
    tcase_add_test(t, options_of_calls);
    tcase_add_test(t, columns_that_do_not_fit);
    tcase_add_test(t, calls_that_a_family_lacks);
    tcase_add_loop_test(t, families_with_mistakes, 0, (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(t, families_not_registered);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
