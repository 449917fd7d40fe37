/* Damaged and absurd model files: a status with a text, or a model that answers; never a crash, a
 * hang, or memory that the file cannot justify. */
#include "model_cases.h"

#include <math.h>

/* ---- Damage ---------------------------------------------------------------------------------- */

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
        double row[8] = {0.5, 1, 0, 0}, cells[8], logp;
        gm_array one, x = case_array(GM_F64, row, 1, gm_model_column_count(model));
        const gm_array *cond = given_to(model, cells, &one);
        int steps = strcmp(gm_model_family(model), "diffusion") == 0;
        gm_options *how = case_options(
            ctx, (const char *[]){"seed=6", steps ? "ode_steps=2" : NULL, "sampler_steps=2", NULL});
        ck_assert_int_le(gm_model_column_count(model), 8);
        gm_model_log_prob(ctx, model, &x, cond, how, &logp, NULL);
        gm_model_sample_f64(ctx, model, 1, cond, how, row);
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
        case_mend_checksum(copy, size);
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
    case_mend_checksum(bytes, (int64_t)size);
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
    const char *others = test_random(state) % 2 ? "\"[]{}:," : "}";
    while (at + 1 < d->length && !(of_number(d->header[at]) && !of_number(d->header[at - 1])) &&
           !strchr(others, d->header[at]))
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
    switch (test_random(state) % (is_number ? 7 : 3)) {
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
    case 3: /* another digit */
    case 4:
        d->header[at + test_random(state) % length] = (char)('0' + test_random(state) % 10);
        break;
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
        case_mend_checksum(copy, file.size);
        try_bytes(copy, file.size);
        free(copy);
    }
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Weights that are not finite would make every answer NaN. */
START_TEST(weights_not_finite)
{
    static const unsigned char bad[][8] = {{0, 0, 0xc0, 0x7f}, {0, 0, 0x80, 0xff}};
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, _i);
    gm_model *loaded;
    const gm__layout *layout = &model->structure->layout;
    int f64 = model->structure->real == GM__F64;
    size_t size = f64 ? 8 : 4;
    for (int slot = 0; slot < layout->count; slot++)
        for (int k = 0; k < 2; k++) {
            char *at = (char *)model->params + (size_t)layout->slots[slot].offset * size +
                       (size_t)(layout->slots[slot].count - 1) * size;
            char old[8];
            double wide = k ? -INFINITY : NAN;
            memcpy(old, at, size);
            memcpy(at, f64 ? (const void *)&wide : bad[k], size);
            test_sink file = bytes_of(ctx, model);
            test_fails(ctx, gm_model_load_memory(ctx, file.data, file.size, &loaded), GM_E_FORMAT,
                       layout->slots[slot].name);
            test_sink_clear(&file);
            memcpy(at, old, size);
        }
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

START_TEST(edited_diffusion)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, A_DIFFUSION);
    test_sink file = bytes_of(ctx, model);
    edit(&file, "\"family\":\"diffusion\"", "\"family\":\"flow\"", GM_E_FORMAT);
    edit(&file, "\\\"levels\\\":\\\"20\\\"", "\\\"levels\\\":\\\"10000\\\"", GM_OK);
    edit(&file, "\\\"levels\\\":\\\"20\\\"", "\\\"levels\\\":\\\"10001\\\"", GM_E_FORMAT);
    edit(&file, "\\\"levels\\\":\\\"20\\\"", "\\\"levels\\\":\\\"0\\\"", GM_E_FORMAT);
    edit(&file, "\\\"noise_schedule\\\":\\\"cosine\\\"", "\\\"noise_schedule\\\":\\\"linear\\\"",
         GM_OK);
    edit(&file, "\\\"noise_schedule\\\":\\\"cosine\\\"", "\\\"noise_schedule\\\":\\\"loud\\\"",
         GM_E_FORMAT);
    edit(&file, "\\\"target\\\":\\\"v\\\"", "\\\"target\\\":\\\"w\\\"", GM_E_FORMAT);
    edit(&file, "\\\"embedding\\\":\\\"6\\\"", "\\\"embedding\\\":\\\"4096\\\"", GM_E_FORMAT);
    edit(&file, "\\\"embedding\\\":\\\"6\\\"", "\\\"embedding\\\":\\\"7\\\"", GM_E_FORMAT);
    edit(&file, "\\\"hidden\\\":\\\"6\\\"", "\\\"hidden\\\":\\\"\\\"", GM_E_FORMAT);
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(edited_sequence)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, A_SEQUENCE);
    test_sink file = bytes_of(ctx, model);
    edit(&file, "\"family\":\"autoregressive\"", "\"family\":\"vae\"", GM_E_FORMAT);
    edit(&file, "\\\"orders\\\":\\\"2\\\"", "\\\"orders\\\":\\\"64\\\"", GM_E_FORMAT);
    edit(&file, "\\\"orders\\\":\\\"2\\\"", "\\\"orders\\\":\\\"1\\\"", GM_E_FORMAT);
    edit(&file, "\\\"orders\\\":\\\"2\\\"", "\\\"orders\\\":\\\"0\\\"", GM_E_FORMAT);
    edit(&file, "\\\"table\\\":\\\"5\\\"", "\\\"table\\\":\\\"65536\\\"", GM_E_FORMAT);
    edit(&file, "\\\"table\\\":\\\"5\\\"", "\\\"table\\\":\\\"-1\\\"", GM_E_FORMAT);
    edit(&file, "\\\"components\\\":\\\"8\\\"", "\\\"components\\\":\\\"1024\\\"", GM_E_FORMAT);
    edit(&file, "\\\"any_order\\\":\\\"false\\\"", "\\\"any_order\\\":\\\"true\\\"", GM_E_FORMAT);
    edit(&file, "\\\"hidden\\\":\\\"6\\\"", "\\\"hidden\\\":\\\"\\\"", GM_E_FORMAT);
    edit(&file, "\\\"direct\\\":\\\"true\\\"", "\\\"direct\\\":\\\"false\\\"", GM_E_FORMAT);
    edit(&file, "\\\"order\\\":\\\"natural\\\"", "\\\"order\\\":\\\"random\\\"", GM_OK);
    edit(&file, "\\\"order\\\":\\\"natural\\\"", "\\\"order\\\":\\\"none\\\"", GM_E_FORMAT);
    edit(&file, "\\\"binarize\\\":\\\"0\\\"", "\\\"binarize\\\":\\\"255\\\"", GM_OK);
    edit(&file, "\\\"binarize\\\":\\\"0\\\"", "\\\"binarize\\\":\\\"-1\\\"", GM_E_FORMAT);
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Discrete columns taken as they are: marks, ranges and sizes that do not fit. */
START_TEST(edited_vae)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, A_VAE);
    test_sink file = bytes_of(ctx, model);
    const char *counted = ",\\\"counted\\\":true";
    edit(&file, "\"family\":\"vae\"", "\"family\":\"flow\"", GM_E_FORMAT);
    edit(&file, counted, "", GM_E_FORMAT);
    edit(&file, counted, ",\\\"counted\\\":false", GM_E_FORMAT);
    edit(&file, counted, ",\\\"counted\\\":1", GM_E_FORMAT);
    edit(&file, "{\\\"by\\\":\\\"standard\\\"}",
         "{\\\"by\\\":\\\"standard\\\",\\\"counted\\\":true}", GM_E_FORMAT);
    edit(&file, "{\\\"by\\\":\\\"index\\\"}", "{\\\"by\\\":\\\"index\\\",\\\"counted\\\":true}",
         GM_E_FORMAT);
    edit(&file, "\\\"whiten\\\":false", "\\\"whiten\\\":true", GM_E_FORMAT);
    edit(&file, "\\\"code\\\":\\\"3\\\"", "\\\"code\\\":\\\"65536\\\"", GM_E_FORMAT);
    edit(&file, "\\\"code\\\":\\\"3\\\"", "\\\"code\\\":\\\"2\\\"", GM_E_FORMAT);
    edit(&file, "\\\"spread\\\":\\\"column\\\"", "\\\"spread\\\":\\\"network\\\"", GM_E_FORMAT);
    edit(&file, "\\\"spread\\\":\\\"column\\\"", "\\\"spread\\\":\\\"wide\\\"", GM_E_FORMAT);
    edit(&file, "\\\"deviation\\\":\\\"1\\\"", "\\\"deviation\\\":\\\"0\\\"", GM_E_FORMAT);
    edit(&file, "\\\"deviation\\\":\\\"1\\\"", "\\\"deviation\\\":\\\"2\\\"", GM_OK);
    test_sink_clear(&file);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* Files that no program wrote. */
/* Conditions of a model that has them, and of one that has none. */
START_TEST(edited_conditions)
{
    gm_context *ctx = test_context(NULL);
    gm_model *model = model_of(ctx, A_CONDITIONAL), *plain = model_of(ctx, 4);
    test_sink file = bytes_of(ctx, model), other = bytes_of(ctx, plain);
    static const char *const refused[][2] = {
        {"\\\"role\\\":\\\"condition\\\"", "\\\"role\\\":\\\"weight\\\""},
        {"\\\"role\\\":\\\"condition\\\"", "\\\"role\\\":\\\"feature\\\""},
        {"\\\"conditions\\\":[", "\\\"conditions\\\":[{\\\"mean\\\":0,\\\"deviation\\\":1},"},
        {"\\\"conditions\\\":[", "\\\"positions\\\":["},
        {"\\\"conditions\\\":[{\\\"mean\\\":",
         "\\\"conditions\\\":[{\\\"mean\\\":1e999,\\\"m\\\":"},
        {"\\\"deviation\\\":", "\\\"deviation\\\":0,\\\"d\\\":"},
        {"\\\"deviation\\\":", "\\\"deviation\\\":-1,\\\"d\\\":"},
        {"\\\"deviation\\\":", "\\\"deviation\\\":1e-320,\\\"d\\\":"},
        {"{\\\"mean\\\":0,\\\"deviation\\\":1}]", "{\\\"mean\\\":2,\\\"deviation\\\":1}]"}};
    for (int i = 0; i < (int)(sizeof refused / sizeof *refused); i++)
        edit(&file, refused[i][0], refused[i][1], GM_E_FORMAT);
    edit(&other, "\\\"type\\\":\\\"category\\\"",
         "\\\"role\\\":\\\"condition\\\",\\\"type\\\":\\\"category\\\"", GM_E_FORMAT);
    test_sink_clear(&file);
    test_sink_clear(&other);
    gm_model_free(model);
    gm_model_free(plain);
    gm_context_free(ctx);
}
END_TEST

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

static Suite *suite(void)
{
    Suite *s = suite_create("damage");
    TCase *t = tcase_create("damage");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, truncated);
    tcase_add_loop_test(t, flipped_bits, 0, test_quick() ? 1 : MODELS);
    tcase_add_loop_test(t, mutated_header, 0, MODELS);
    tcase_add_loop_test(t, mutated_data, 0, MODELS);
    tcase_add_loop_test(t, weights_not_finite, 0, MODELS);
    tcase_add_test(t, edited);
    tcase_add_test(t, edited_sequence);
    tcase_add_test(t, edited_vae);
    tcase_add_test(t, edited_diffusion);
    tcase_add_test(t, edited_conditions);
    tcase_add_test(t, absurd);
    tcase_add_test(t, multitudes);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
