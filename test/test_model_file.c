/* Model files: round trips, damage of every kind, places that cannot be read or written, and memory
 * that runs out anywhere. */
#include "family_cases.h"
#include "base/io.h"

#include <sys/stat.h>
#include <unistd.h>

#define ROWS 300
#define D 3

/* ---- Models to save
 * --------------------------------------------------------------------------------- */

/* real, integer, binary and category columns. */
static gm_dataset *mixed_rows(gm_context *ctx)
{
    static const char *const kinds[] = {"ash", "beech \\\"x\\\"", "ced\303\244r"};
    char csv[ROWS * 40 + 40];
    uint64_t state = 3;
    size_t at = (size_t)sprintf(csv, "size,count,flag,kind\n");
    for (int i = 0; i < ROWS; i++)
        at +=
            (size_t)sprintf(csv + at, "%.6f,%d,%s,%s\n", test_uniform(&state, -1, 1),
                            (int)(test_random(&state) % 9), test_random(&state) % 3 ? "no" : "yes",
                            kinds[test_random(&state) % 3]);
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "trees.csv", NULL, &rows));
    return rows;
}

static gm_dataset *real_rows(gm_context *ctx)
{
    double *x = case_cloud(ROWS, D, 5);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, D, 0, &rows));
    free(x);
    return rows;
}

static const struct {
    int mixed;
    const char *settings[10];
} models[] = {
    {0, {"seed=1", "steps=9", "hidden=6", "layers=2", "start=1", NULL}},
    {0,
     {"seed=1", "steps=9", "hidden=6", "layers=2", "precision=f64", "whiten=1", "coupling=realnvp",
      "base=student", NULL}},
    {0,
     {"seed=18446744073709551615", "steps=9", "hidden=", "layers=2", "transform=quantile", NULL}},
    {0, {"seed=1", "steps=9", "hidden=5,5", "residual=1", "layers=1", "transform=logit", NULL}},
    {1, {"seed=1", "steps=9", "hidden=6", "layers=2", "mixing=swap", NULL}},
    {1,
     {"seed=7", "steps=9", "hidden=6", "layers=2", "precision=f64", "transform=quantile",
      "mixing=permutation", "checkpoint_seconds=0.1", NULL}},
};
#define MODELS ((int)(sizeof models / sizeof models[0]))

static gm_model *model_of(gm_context *ctx, int which)
{
    gm_dataset *rows = models[which].mixed ? mixed_rows(ctx) : real_rows(ctx);
    gm_options *how = case_options(ctx, models[which].settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

static test_sink bytes_of(gm_context *ctx, const gm_model *model)
{
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    return sink;
}

/* ---- Round trip
 * -------------------------------------------------------------------------------------- */

/* Draws, codes and scores: n values of a model. */
#define ANSWERS (20 * (4 + 8 + 1))
static void answers(gm_context *ctx, const gm_model *model, double *out)
{
    gm_options *how = case_options(ctx, (const char *[]){"seed=6", "draws=2", NULL});
    int64_t d = gm_model_column_count(model), k = gm_model_code_count(model);
    memset(out, 0, ANSWERS * sizeof *out);
    gm_array x = case_array(GM_F64, out, 20, d), z = case_array(GM_F64, out + 20 * d, 20, k);
    test_ok(ctx, gm_model_sample(ctx, model, 20, NULL, how, &x, NULL));
    test_ok(ctx, gm_model_encode(ctx, model, &x, NULL, how, &z));
    test_ok(ctx, gm_model_log_prob(ctx, model, &x, NULL, how, out + 20 * (d + k), NULL));
    gm_options_free(how);
}

static char *description(gm_context *ctx, const gm_model *model)
{
    int64_t length;
    test_ok(ctx, gm_model_describe(ctx, model, NULL, 0, &length));
    char *text = malloc((size_t)length + 1);
    test_ok(ctx, gm_model_describe(ctx, model, text, length + 1, NULL));
    return text;
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

/* ---- Damage
 * ------------------------------------------------------------------------------------------ */

/* Makes the file's checksum true again: the digest of the file with its own digits as zeros. */
static void mend_checksum(unsigned char *bytes, int64_t size)
{
    static const char key[] = "\"sha256\":\"";
    for (int64_t i = 8; i + 80 < size && i < 80; i++)
        if (memcmp(bytes + i, key, sizeof key - 1) == 0) {
            unsigned char digest[32];
            char digits[65];
            gm__sha256 s;
            memset(bytes + i + 10, '0', 64);
            gm__sha256_begin(&s);
            gm__sha256_add(&s, bytes, (size_t)size);
            gm__sha256_end(&s, digest);
            gm__sha256_text(digest, digits);
            memcpy(bytes + i + 10, digits, 64);
            return;
        }
}

/* Loads what may be anything: a status with a text, or a model that answers; and no more memory
 * than the file can justify. */
static gm_status try_bytes(const void *bytes, int64_t size)
{
    test_memory memory = {0};
    gm_allocator a = test_memory_allocator(&memory);
    gm_context *ctx = test_context(&a);
    gm_model *model = NULL;
    int64_t empty = memory.bytes;
    gm_status got = gm_model_load_memory(ctx, bytes, size, &model);
    ck_assert_msg(memory.peak - empty < 100 * size + 400000, "%d bytes of memory for a file of %d",
                  (int)(memory.peak - empty), (int)size);
    if (got) {
        ck_assert_ptr_null(model);
        ck_assert_msg(got <= GM_E_DATA && got >= GM_E_NONFINITE ? test_error(ctx)[0] != 0
                                                                : got == GM_E_UNKNOWN,
                      "status %d: %s", got, test_error(ctx));
    } else {
        double row[8] = {0.5, 1, 0, 0}, logp;
        gm_options *how = case_options(ctx, (const char *[]){"seed=6", NULL});
        ck_assert_int_le(gm_model_column_count(model), 8);
        gm_model_log_prob_f64(ctx, model, row, 1, 0, how, &logp);
        gm_model_sample_f64(ctx, model, 1, NULL, how, row);
        free(description(ctx, model));
        gm_options_free(how);
    }
    gm_model_free(model);
    gm_context_free(ctx);
    ck_assert_int_eq(memory.blocks, 0);
    ck_assert_int_eq(memory.wrong_sizes, 0);
    return got;
}

START_TEST(truncated)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, 4);
    test_sink file = bytes_of(ctx, model);
    int64_t step = test_quick() ? 211 : 37;
    ck_assert_int_eq(try_bytes(file.data, file.size), GM_OK);
    for (int64_t size = 0; size < file.size; size += size < 100 || size > file.size - 10 ? 1 : step)
        ck_assert_int_ne(try_bytes(file.data, size), GM_OK);
    /* the same, as if the rest had never been */
    for (int64_t size = 100; size < file.size; size += 3 * step) {
        unsigned char *copy = malloc((size_t)size);
        memcpy(copy, file.data, (size_t)size);
        mend_checksum(copy, size);
        ck_assert_int_ne(try_bytes(copy, size), GM_OK);
        free(copy);
    }
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(flipped_bits)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, _i);
    test_sink file = bytes_of(ctx, model);
    uint64_t state = 7;
    for (int i = 0; i < (test_quick() ? 60 : 400); i++) {
        int64_t at = (int64_t)(test_random(&state) % (uint64_t)file.size);
        unsigned char bit = (unsigned char)(1 << test_random(&state) % 8);
        file.data[at] ^= bit;
        gm_status got = try_bytes(file.data, file.size);
        ck_assert_msg(got == GM_E_CHECKSUM || got == GM_E_FORMAT, "byte %d: %d", (int)at, got);
        file.data[at] ^= bit;
    }
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A file in the making: header text and data. */
typedef struct draft {
    char *header;
    size_t length;
    const unsigned char *data;
    size_t data_size;
} draft;

static gm_status try_draft(const draft *d)
{
    size_t size = 8 + d->length + d->data_size;
    unsigned char *bytes = malloc(size + 1);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)d->length >> 8 * i);
    memcpy(bytes + 8, d->header, d->length);
    memcpy(bytes + 8 + d->length, d->data, d->data_size);
    mend_checksum(bytes, (int64_t)size);
    gm_status got = try_bytes(bytes, (int64_t)size);
    free(bytes);
    return got;
}

/* Puts `with` in the place of header[at, at + old). */
static void replace(draft *d, size_t at, size_t old, const char *with)
{
    size_t n = strlen(with);
    char *header = malloc(d->length + n + 1);
    memcpy(header, d->header, at);
    memcpy(header + at, with, n);
    memcpy(header + at + n, d->header + at + old, d->length - at - old);
    free(d->header);
    d->header = header;
    d->length += n - old;
    header[d->length] = 0;
}

static int of_number(char c)
{
    return c && strchr("0123456789.+-eE", c) != NULL;
}

/* Somewhere in the header behind the checksum; mostly in the metadata. */
static size_t place(const draft *d, uint64_t *state)
{
    const char *end = strstr(d->header + 90, "\"},\"");
    size_t most = end && test_random(state) % 4 ? (size_t)(end - d->header) : d->length - 2;
    return 90 + (size_t)(test_random(state) % (most - 90));
}

/* A token of the header: a number or a bracket or the like. */
static size_t token(const draft *d, uint64_t *state, size_t *length)
{
    size_t at = place(d, state);
    while (at + 1 < d->length && !(of_number(d->header[at]) && !of_number(d->header[at - 1])) &&
           !strchr("\"[]{}:,", d->header[at]))
        at++;
    *length = 1;
    while (of_number(d->header[at]) && at + *length < d->length - 1 &&
           of_number(d->header[at + *length]))
        ++*length;
    return at;
}

static void mutate(draft *d, uint64_t *state)
{
    static const char *const numbers[] = {"-1",
                                          "0",
                                          "1e308",
                                          "9223372036854775807",
                                          "4294967296",
                                          "2",
                                          "1000",
                                          "65536",
                                          "1e-320",
                                          "1000000",
                                          "0.5",
                                          "-9e99",
                                          "1e16",
                                          "7",
                                          "",
                                          "null",
                                          "[]",
                                          "{}",
                                          "\\\"\\\"",
                                          "true",
                                          "99999999999999999999999999"};
    size_t length, at = token(d, state, &length);
    int is_number = of_number(d->header[at]);
    switch (test_random(state) % (is_number ? 5 : 3)) {
    case 0: { /* any byte */
        at = place(d, state);
        d->header[at] = (char)(test_random(state) % 4 ? 32 + test_random(state) % 90
                                                      : 1 + test_random(state) % 255);
        break;
    }
    case 1: /* a piece is lost */
        replace(d, at, length, "");
        break;
    case 2: { /* a piece is doubled */
        char piece[40] = {0};
        size_t n = 1 + (size_t)(test_random(state) % 30);
        n = n < d->length - at ? n : d->length - at;
        memcpy(piece, d->header + at, n);
        replace(d, at, 0, piece);
        break;
    }
    default:
        replace(d, at, length, numbers[test_random(state) % (sizeof numbers / sizeof *numbers)]);
    }
}

/* Damage that the checksum does not show: what lies behind must find it, or live with it. */
START_TEST(mutated_header)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, _i);
    test_sink file = bytes_of(ctx, model);
    uint64_t state = 100 + (uint64_t)_i;
    size_t length = 0;
    int fine = 0;
    for (int i = 0; i < 8; i++)
        length |= (size_t)file.data[i] << 8 * i;
    for (int i = 0; i < (test_quick() ? 150 : 2000); i++) {
        draft d = {malloc(length + 1), length, file.data + 8 + length,
                   (size_t)file.size - 8 - length};
        memcpy(d.header, file.data + 8, length);
        d.header[length] = 0;
        for (int k = 0; k < 1 + i % 3; k++)
            mutate(&d, &state);
        fine += try_draft(&d) == GM_OK;
        free(d.header);
    }
    ck_assert_msg(fine > 0, "no mutation was harmless: are the checksums right?");
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Weights and transforms of any bits. */
START_TEST(mutated_data)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, _i);
    test_sink file = bytes_of(ctx, model);
    uint64_t state = 200 + (uint64_t)_i;
    int64_t length = file.data[8 - 8] | file.data[1] << 8 | file.data[2] << 16;
    for (int i = 0; i < (test_quick() ? 40 : 300); i++) {
        unsigned char *copy = malloc((size_t)file.size);
        memcpy(copy, file.data, (size_t)file.size);
        for (int k = 0; k < 1 + i % 20; k++) {
            int64_t at =
                8 + length + (int64_t)(test_random(&state) % (uint64_t)(file.size - 8 - length));
            copy[at] = i % 2 ? (unsigned char)test_random(&state) : 0xff;
        }
        mend_checksum(copy, file.size);
        try_bytes(copy, file.size);
        free(copy);
    }
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Replaces the first `from` in the header by `to`; the file must then be refused, or not. */
static void edit(const test_sink *file, const char *from, const char *to, gm_status expected)
{
    size_t length = 0;
    for (int i = 0; i < 8; i++)
        length |= (size_t)file->data[i] << 8 * i;
    draft d = {malloc(length + 1), length, file->data + 8 + length,
               (size_t)file->size - 8 - length};
    memcpy(d.header, file->data + 8, length);
    d.header[length] = 0;
    char *at = strstr(d.header, from);
    must_msg(at != NULL, "no %s in the header", from);
    replace(&d, (size_t)(at - d.header), strlen(from), to);
    gm_status got = try_draft(&d);
    must_msg(got == expected, "'%.60s' for '%s': status %d", to, from, got);
    free(d.header);
}

START_TEST(edited)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, 0);
    test_sink file = bytes_of(ctx, model);
    edit(&file, "genmod-model", "genmod-modem", GM_E_FORMAT);
    edit(&file, "\"least_reader\":\"1\"", "\"least_reader\":\"2\"", GM_E_VERSION);
    edit(&file, "\"least_reader\":\"1\"", "\"least_reader\":\"1x\"", GM_E_FORMAT);
    edit(&file, "\"least_reader\":\"1\"", "\"least_reader\":1", GM_E_FORMAT);
    edit(&file, "\"format_version\":\"1\"", "\"format_version\":\"9\"", GM_OK);
    edit(&file, "\"family_version\":\"1\"", "\"family_version\":\"2\"", GM_E_VERSION);
    edit(&file, "\"family\":\"flow\"", "\"family\":\"glow\"", GM_E_UNKNOWN);
    edit(&file, "\\\"layers\\\":\\\"2\\\"", "\\\"layers\\\":\\\"1000\\\"", GM_E_FORMAT);
    edit(&file, "\\\"layers\\\":\\\"2\\\"", "\\\"layers\\\":\\\"1\\\"", GM_E_FORMAT);
    edit(&file, "\\\"layers\\\":\\\"2\\\"", "\\\"layers\\\":2", GM_E_FORMAT);
    edit(&file, "\\\"layers\\\":\\\"2\\\"", "\\\"layer\\\":\\\"2\\\"", GM_E_FORMAT);
    edit(&file, "\\\"hidden\\\":\\\"6\\\"", "\\\"hidden\\\":\\\"65536,65536,65536\\\"",
         GM_E_FORMAT);
    edit(&file, "\\\"hidden\\\":\\\"6\\\"", "\\\"hidden\\\":\\\"0\\\"", GM_E_FORMAT);
    edit(&file, "\\\"coupling\\\":\\\"nsf\\\"", "\\\"coupling\\\":\\\"realnvp\\\"", GM_E_FORMAT);
    edit(&file, "\\\"precision\\\":\\\"f32\\\"", "\\\"precision\\\":\\\"f64\\\"", GM_E_FORMAT);
    edit(&file, "\\\"batch\\\":\\\"256\\\"", "\\\"batch\\\":\\\"255\\\"", GM_OK);
    edit(&file, "\"shape\":[3,3]", "\"shape\":[9]", GM_E_FORMAT);
    edit(&file, "\"shape\":[3,3]", "\"shape\":[1,1,1,1,1,1,1,3,3]", GM_E_FORMAT);
    edit(&file, "\"shape\":[3,3]", "\"shape\":[3.5,3]", GM_E_FORMAT);
    edit(&file, "\"shape\":[3,3]", "\"shape\":[9007199254740993,9007199254740993,0]", GM_E_FORMAT);
    edit(&file, "\"F32\"", "\"F64\"", GM_E_FORMAT);
    edit(&file, "\"F32\"", "\"BF16\"", GM_E_FORMAT);
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Files that no program wrote. */
START_TEST(absurd)
{
    static const char *const headers[] = {
        "{}",
        "{\"__metadata__\":{}}",
        "{\"__metadata__\":[]}",
        "{\"__metadata__\":{\"format\":\"genmod-model\"}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
        "{\"a\":null}",
        "{{{{",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        draft d = {(char *)(uintptr_t)headers[i], strlen(headers[i]), (const void *)"", 0};
        ck_assert_int_ne(try_draft(&d), GM_OK);
        char text[400];
        snprintf(text, sizeof text, "{\"__metadata__\":{\"sha256\":\"%064d\"},%s", 0,
                 headers[i] + 1);
        d.header = text;
        d.length = strlen(text);
        ck_assert_int_ne(try_draft(&d), GM_OK);
    }
    unsigned char huge[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, '{'};
    for (int i = 0; i < 64; i++) { /* header lengths of every size */
        for (int k = 0; k < 8; k++)
            huge[k] = (unsigned char)(((uint64_t)1 << i) >> 8 * k);
        ck_assert_int_ne(try_bytes(huge, sizeof huge), GM_OK);
    }
    /* brackets without end */
    size_t deep = 1000000, head;
    char *text = malloc(deep + 200);
    snprintf(text, 200, "{\"__metadata__\":{\"sha256\":\"%064d\",\"a\":", 0);
    head = strlen(text);
    for (int i = 0; i < 2; i++) {
        memset(text + head, i ? '[' : '{', deep);
        draft d = {text, head + deep, (const void *)"", 0};
        ck_assert_int_ne(try_draft(&d), GM_OK);
    }
    free(text);
}
END_TEST

/* Many of a thing: time and memory stay in proportion. */
START_TEST(multitudes)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, 0);
    test_sink file = bytes_of(ctx, model);
    int many = test_quick() ? 2000 : 20000;
    char *text = malloc((size_t)many * 100 + 100);
    size_t at = 0;
    for (int i = 0; i < many; i++)
        at += (size_t)sprintf(text + at, "\\\"o%d\\\":\\\"1\\\",", i);
    sprintf(text + at, "\\\"layers\\\":\\\"2\\\"");
    edit(&file, "\\\"layers\\\":\\\"2\\\"", text, GM_E_FORMAT);
    at = 0;
    for (int i = 0; i < many; i++)
        at += (size_t)sprintf(text + at, "\"layers\":\"2\",");
    sprintf(text + at, "\"format\":");
    edit(&file, "\"format\":", text, GM_E_FORMAT); /* a name twice */
    at = (size_t)sprintf(text, "}");
    for (int i = 0; i < many; i++)
        at += (size_t)sprintf(
            text + at, ",\"t%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", i);
    sprintf(text + at, ",\"layer.0");
    edit(&file, "},\"layer.0", text, GM_E_FORMAT);
    free(text);
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Places
 * ------------------------------------------------------------------------------------------- */

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

/* ---- Memory
 * ----------------------------------------------------------------------------------------------
 */

/* One of each: fit, save, load, ask; for data of real or of all kinds of columns. */
static gm_status ask(gm_context *ctx, const gm_model *model, const gm_dataset *rows)
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
    if (!code)
        code = gm_model_sample(ctx, model, 20, NULL, how, &ax, logp);
    if (!code)
        code = gm_model_log_prob_gradient(ctx, model, &ax, NULL, how, NULL, &ag);
    if (!code)
        code = gm_model_encode(ctx, model, &ax, NULL, NULL, &az);
    if (!code)
        code = gm_model_reconstruct(ctx, model, &ax, NULL, NULL, &ag);
    if (!code)
        code = gm_model_sample_rows(ctx, model, 20, NULL, how, &drawn);
    if (!code)
        code = gm_model_log_prob_rows(ctx, model, drawn, NULL, how, logp);
    (void)rows;
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

static gm_status whole_life(const gm_allocator *allocator, void *arg)
{
    const gm_dataset *rows = arg;
    static const char *const settings[][2] = {{"seed", "1"},   {"steps", "2"},  {"layers", "1"},
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
        code = gm_fit(ctx, "flow", rows, how, &model);
    if (!code)
        code = gm_model_write(ctx, model, &writer);
    if (!code)
        code = gm_model_load_memory(ctx, kept, kept_size, &loaded);
    if (!code)
        code = ask(ctx, loaded, rows);
    gm_context_free(ctx);
    gm_options_free(how);
    gm_model_free(model);
    gm_model_free(loaded);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = _i ? mixed_rows(ctx) : real_rows(ctx);
    int64_t runs = test_every_failure(whole_life, rows, test_quick() ? 60 : 500);
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
    tcase_add_test(t, truncated);
    tcase_add_loop_test(t, flipped_bits, 0, test_quick() ? 1 : MODELS);
    tcase_add_loop_test(t, mutated_header, 0, MODELS);
    tcase_add_loop_test(t, mutated_data, 0, MODELS);
    tcase_add_test(t, edited);
    tcase_add_test(t, absurd);
    tcase_add_test(t, multitudes);
    tcase_add_test(t, failing_readers_and_writers);
    tcase_add_test(t, places);
    tcase_add_loop_test(t, every_allocation, 0, 2);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
