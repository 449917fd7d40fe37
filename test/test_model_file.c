/* Model files: round trips, places that cannot be read or written, and memory that runs out
 * anywhere. */
#include "model_cases.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- Round trip ------------------------------------------------------------------------------ */

/* Draws, codes and scores: n values of a model. */
#define ANSWERS (20 * (4 + 8 + 1))
static void answers(gm_context *ctx, const gm_model *model, double *out)
{
    gm_options *how = case_options(ctx, (const char *[]){"seed=6", "draws=2", NULL});
    int64_t d = gm_model_column_count(model), k = gm_model_code_count(model);
    memset(out, 0, ANSWERS * sizeof *out);
    gm_array x = case_array(GM_F64, out, 20, d), z = case_array(GM_F64, out + 20 * d, 20, k), one;
    double cells[8];
    const gm_array *cond = given_to(model, cells, &one);
    test_ok(ctx, gm_model_sample(ctx, model, 20, cond, how, &x, NULL));
    if (gm_model_capabilities(model) & GM_CAN_ENCODE)
        test_ok(ctx, gm_model_encode(ctx, model, &x, cond, how, &z));
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, cond, how, out + 20 * (d + k), NULL));
    gm_options_free(how);
}

START_TEST(round_trip)
{
    double before[ANSWERS], after[ANSWERS];
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, _i), *loaded;
    test_sink first = bytes_of(ctx, model), second;
    test_ok(ctx, gm_model_load_memory(ctx, first.data, first.size, &loaded));
    answers(ctx, model, before);
    answers(ctx, loaded, after);
    ck_assert_msg(memcmp(before, after, sizeof before) == 0, "other answers after loading");
    char *a = description(ctx, model), *b = description(ctx, loaded);
    ck_assert_str_eq(a, b);
    second = bytes_of(ctx, loaded);
    ck_assert_int_eq(first.size, second.size);
    ck_assert_msg(memcmp(first.data, second.data, (size_t)first.size) == 0, "other bytes");
    free(a);
    free(b);
    test_sink_clear(&first);
    test_sink_clear(&second);
    gm_model_free(model);
    gm_model_free(loaded);
    gm_context_free(ctx);
}
END_TEST

/* A family of the caller's is found by its name, and named where it is not there. */
START_TEST(family_of_the_callers)
{
    gm_context *ctx = case_family_context(NULL), *other = test_context(NULL);
    gm_dataset *rows = real_rows(ctx);
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "steps=5", NULL});
    gm_model *model, *loaded;
    double x[2 * D] = {0}, a[2], b[2];
    test_ok(ctx, gm_fit(ctx, "normed", rows, how, &model));
    test_sink sink = bytes_of(ctx, model);
    test_fails(other, gm_model_load_memory(other, sink.data, sink.size, &loaded), GM_E_UNKNOWN,
               "normed");
    ck_assert_ptr_null(loaded);
    gm_family older = normed;
    older.version = 2;
    test_ok(other, gm_family_register(other, &older));
    test_fails(other, gm_model_load_memory(other, sink.data, sink.size, &loaded), GM_E_VERSION,
               "version 3");
    test_ok(ctx, gm_model_load_memory(ctx, sink.data, sink.size, &loaded));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, 2, 0, how, a));
    test_ok(ctx, gm_model_log_prob_f64(ctx, loaded, x, 2, 0, how, b));
    ck_assert_mem_eq(a, b, sizeof a);
    gm_model_free(model);
    gm_model_free(loaded);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
    gm_context_free(other);
    test_sink_clear(&sink);
}
END_TEST

/* ---- Places ---------------------------------------------------------------------------------- */

START_TEST(failing_readers_and_writers)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, 0), *loaded;
    test_sink whole = bytes_of(ctx, model);
    int64_t writes = whole.calls;
    for (int64_t at = 1; at <= writes; at++) {
        test_sink sink = {.fail_at = at};
        gm_writer writer = test_sink_writer(&sink);
        test_fails(ctx, gm_model_write(ctx, model, &writer), GM_E_IO, NULL);
        test_sink_clear(&sink);
    }
    for (int tell = 0; tell < 2; tell++) {
        int64_t at = 1;
        for (gm_status got = GM_E_IO; got; at++) {
            test_source source = {.data = whole.data,
                                  .size = whole.size,
                                  .chunk = 999,
                                  .fail_at = at,
                                  .tell_size = tell};
            gm_reader reader = test_source_reader(&source);
            got = gm_model_read(ctx, &reader, "a model", &loaded);
            ck_assert_msg(got == GM_OK || (got == GM_E_IO && strstr(test_error(ctx), "a model")),
                          "%d: %s", got, test_error(ctx));
            ck_assert_int_eq(got != GM_OK, loaded == NULL);
        }
        ck_assert_int_gt(at, whole.size / 999);
        gm_model_free(loaded);
    }
    test_fails(ctx, gm_model_write(ctx, model, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_write(ctx, NULL, NULL), GM_E_ARG, "model");
    test_fails(ctx, gm_model_read(ctx, NULL, NULL, &loaded), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_load_memory(ctx, NULL, 5, &loaded), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_load_memory(ctx, whole.data, -5, &loaded), GM_E_ARG, NULL);
    test_fails(ctx, gm_model_load_memory(ctx, whole.data, whole.size, NULL), GM_E_ARG, "model");
    test_sink_clear(&whole);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(places)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, 0), *loaded;
    char dir[400], path[500];
    snprintf(dir, sizeof dir, "%s/models.%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
             (int)getpid());
    snprintf(path, sizeof path, "%s/a.model", dir);
    ck_assert_int_eq(mkdir(dir, 0777), 0);
    test_fails(ctx, gm_model_save(ctx, model, "/dev/full"), GM_E_IO, "/dev/full");
    test_fails(ctx, gm_model_save(ctx, model, "/nowhere/a.model"), GM_E_IO, "/nowhere/a.model");
    test_fails(ctx, gm_model_save(ctx, model, "/proc/a.model"), GM_E_IO, "/proc/a.model");
    test_fails(ctx, gm_model_save(ctx, model, dir), GM_E_IO, dir);
    test_fails(ctx, gm_model_save(ctx, model, NULL), GM_E_ARG, "path");
    test_fails(ctx, gm_model_save(ctx, NULL, path), GM_E_ARG, "model");
    test_fails(ctx, gm_model_load(ctx, path, &loaded), GM_E_IO, path);
    test_fails(ctx, gm_model_load(ctx, dir, &loaded), GM_E_IO, dir);
    test_fails(ctx, gm_model_load(ctx, NULL, &loaded), GM_E_ARG, "path");
    test_fails(ctx, gm_model_load(ctx, path, NULL), GM_E_ARG, "model");
    test_ok(ctx, gm_model_save(ctx, model, path));
    if (geteuid() != 0) { /* the old file stays where a new one cannot be made */
        ck_assert_int_eq(chmod(dir, 0555), 0);
        test_fails(ctx, gm_model_save(ctx, model, path), GM_E_IO, path);
        ck_assert_int_eq(chmod(dir, 0777), 0);
    }
    test_ok(ctx, gm_model_save(ctx, model, path));
    test_ok(ctx, gm_model_load(ctx, path, &loaded));
    gm_model_free(loaded);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_msg(remove(dir) == 0, "something was left in %s", dir);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

/* One of each: fit, save, load, ask; for data of real or of all kinds of columns. */
static gm_status ask(gm_context *ctx, const gm_model *model)
{
    gm_options *how = NULL;
    gm_dataset *drawn = NULL;
    double logp[20], z[20 * 8], grad[20 * 8], x[20 * 8];
    gm_array ax = case_array(GM_F64, x, 20, gm_model_column_count(model)), ag = ax;
    gm_array az = case_array(GM_F64, z, 20, gm_model_code_count(model));
    ag.data = grad;
    gm_status code = gm_options_create(ctx, &how);
    if (!code)
        code = gm_options_set_int(ctx, how, "seed", 4);
    if (!code && strcmp(gm_model_family(model), "diffusion") == 0) {
        code = gm_options_set_int(ctx, how, "ode_steps", 2);
        if (!code)
            code = gm_options_set_int(ctx, how, "sampler_steps", 2);
    }
    if (!code)
        code = gm_model_sample(ctx, model, 20, NULL, how, &ax, logp);
    if (!code && (gm_model_capabilities(model) & GM_CAN_GRADIENT))
        code = gm_model_log_prob_gradient(ctx, model, &ax, NULL, how, NULL, &ag);
    if (!code && (gm_model_capabilities(model) & GM_CAN_ENCODE))
        code = gm_model_encode(ctx, model, &ax, NULL, how, &az);
    if (!code && (gm_model_capabilities(model) & GM_CAN_RECONSTRUCT))
        code = gm_model_reconstruct(ctx, model, &ax, NULL, how, &ag);
    if (!code)
        code = gm_model_sample_rows(ctx, model, 20, NULL, how, &drawn);
    if (!code)
        code = gm_model_log_prob_rows(ctx, model, drawn, NULL, how, logp, NULL);
    gm_dataset_free(drawn);
    gm_options_free(how);
    return code;
}

/* A sink that takes its memory once, so that it cannot fail. */
static unsigned char kept[1 << 17];
static int64_t kept_size;
static int32_t keep(void *user, const void *bytes, int64_t size)
{
    (void)user;
    if (kept_size + size > (int64_t)sizeof kept)
        return -1;
    memcpy(kept + kept_size, bytes, (size_t)size);
    kept_size += size;
    return 0;
}

typedef struct life {
    const char *family, *option, *value; /* and one of its own */
    const gm_dataset *rows;
} life;

static gm_status whole_life(const gm_allocator *allocator, void *arg)
{
    const life *l = arg;
    const char *settings[][2] = {{"seed", "1"},   {"steps", "2"},  {l->option, l->value},
                                 {"hidden", "3"}, {"batch", "20"}, {"average", "0.5"}};
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_writer writer = {.struct_size = sizeof writer, .write = keep};
    gm_context *ctx = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL, *loaded = NULL;
    kept_size = 0;
    gm_status code = gm_context_create(&config, &ctx);
    if (!code)
        code = gm_options_create(ctx, &how);
    for (int i = 0; i < 6 && !code; i++)
        code = gm_options_set_text(ctx, how, settings[i][0], settings[i][1]);
    if (!code)
        code = gm_fit(ctx, l->family, l->rows, how, &model);
    if (!code)
        code = gm_model_write(ctx, model, &writer);
    if (!code)
        code = gm_model_load_memory(ctx, kept, kept_size, &loaded);
    if (!code)
        code = ask(ctx, loaded);
    gm_context_free(ctx);
    gm_options_free(how);
    gm_model_free(model);
    gm_model_free(loaded);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = _i % 2 ? mixed_rows(ctx) : real_rows(ctx);
    static const char *const families[][3] = {{"flow", "layers", "1"},
                                              {"vae", "code", "1"},
                                              {"diffusion", "levels", "1"},
                                              {"autoregressive", "orders", "1"},
                                              {"flow", "structure", "autoregressive"},
                                              {"flow", "structure", "inverse"},
                                              {"flow", "structure", "continuous"}};
    const char *const *f = families[_i / 2];
    life l = {f[0], f[1], f[2], rows};
    int64_t runs = test_every_failure(whole_life, &l, test_quick() ? 60 : 500);
    ck_assert_int_gt(runs, 100);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model_file");
    TCase *t = tcase_create("model_file");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, round_trip, 0, MODELS);
    tcase_add_test(t, family_of_the_callers);
    tcase_add_test(t, failing_readers_and_writers);
    tcase_add_test(t, places);
    tcase_add_loop_test(t, every_allocation, 0, 14);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
