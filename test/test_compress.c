/* Compression: what went in comes back to the bit, in about as many bytes as the model's own
 * -log2 p says, on every kernel; damage and other models are refused. */
#include "model_cases.h"
#include "apply/rans.h"
#include "base/io.h"

#include <math.h>

/* ---- Cases ----------------------------------------------------------------------------------- */

static gm_model *fitted(gm_context *ctx, const gm_dataset *rows, const char *settings)
{
    gm_model *model;
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=1", "steps=30", "hidden=8", "valid=0", settings, NULL});
    test_ok(ctx, gm_fit(ctx, "autoregressive", rows, how, &model));
    gm_options_free(how);
    return model;
}

static gm_compression packed(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                             test_sink *to)
{
    gm_compression told = {.struct_size = sizeof told};
    gm_writer writer = test_sink_writer(to);
    test_ok(ctx, gm_compress(ctx, model, rows, NULL, &writer, &told));
    ck_assert_int_eq(told.bytes, to->size);
    ck_assert_int_eq(told.rows, gm_dataset_row_count(rows));
    return told;
}

static double *cells_of(gm_context *ctx, const gm_dataset *rows)
{
    size_t n = (size_t)gm_dataset_row_count(rows), d = (size_t)gm_dataset_column_count(rows);
    double *x = malloc(n * d * sizeof *x);
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, (int64_t)n, x, 0));
    return x;
}

/* The same cells to the bit, categories by name. */
static void same_rows(gm_context *ctx, const gm_dataset *a, const gm_dataset *b)
{
    int64_t n = gm_dataset_row_count(a), d = gm_dataset_column_count(a);
    ck_assert_int_eq(gm_dataset_row_count(b), n);
    ck_assert_int_eq(gm_dataset_column_count(b), d);
    double *x = cells_of(ctx, a), *y = cells_of(ctx, b);
    for (int64_t i = 0; i < n * d; i++) {
        const char *left = isnan(x[i]) ? NULL : gm_dataset_category(a, i % d, (int64_t)x[i]);
        const char *right = isnan(y[i]) ? NULL : gm_dataset_category(b, i % d, (int64_t)y[i]);
        int same = left && right
                       ? strcmp(left, right) == 0
                       : memcmp(&x[i], &y[i], sizeof *x) == 0 || (isnan(x[i]) && isnan(y[i]));
        must_msg(same, "row %d, column %d: %.17g and %.17g", (int)(i / d), (int)(i % d), x[i],
                 y[i]);
    }
    free(x);
    free(y);
}

/* There and back; what it took. */
static gm_compression round_trip(gm_context *ctx, const gm_model *model, const gm_dataset *rows)
{
    test_sink file = {0};
    gm_dataset *back;
    gm_compression told = packed(ctx, model, rows, &file);
    test_ok(ctx, gm_decompress_memory(ctx, model, file.data, file.size, NULL, &back));
    same_rows(ctx, rows, back);
    gm_dataset_free(back);
    test_sink_clear(&file);
    return told;
}

static gm_dataset *from_text(gm_context *ctx, const char *csv)
{
    test_source source = {.data = csv, .size = (int64_t)strlen(csv)};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "rows", NULL, &rows));
    return rows;
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

START_TEST(mixed_columns)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    gm_compression told = round_trip(ctx, model, rows);
    ck_assert_int_eq(told.outside, 0);
    ck_assert_double_le((double)told.bytes, 1.005 * told.model_bits / 8 + 64);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Whole and named columns: the model's bits are what gm_model_log_prob says of the rows. */
START_TEST(bits_are_log_prob)
{
    enum { N = 1500 };
    gm_context *ctx = test_context(NULL);
    char *csv = malloc(N * 40), *at = csv + sprintf(csv, "a,b,c\n");
    uint64_t state = 8;
    double bits = 0, *logp = malloc(N * sizeof *logp);
    for (int i = 0; i < N; i++) {
        int a = (int)(test_random(&state) % 40), b = a / 8 + (int)(test_random(&state) % 2);
        at += sprintf(at, "%d,%d,%s\n", a, b, (a + b) % 3 ? "yes" : "no");
    }
    gm_dataset *rows = from_text(ctx, csv);
    gm_model *model = fitted(ctx, rows, NULL);
    gm_compression told = round_trip(ctx, model, rows);
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, NULL, logp, NULL));
    for (int i = 0; i < N; i++)
        bits -= logp[i] / log(2);
    ck_assert_msg(test_close(told.model_bits, bits, 1e-4, 0), "%g bits, log p says %g",
                  told.model_bits, bits);
    ck_assert_double_le((double)told.bytes, 1.005 * bits / 8 + 64);
    free(logp);
    free(csv);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Real columns of six decimals: the density times the step. */
START_TEST(bits_are_density)
{
    gm_context *ctx = test_context(NULL);
    enum { N = 700 };
    double x[N * 2], logp[N], bits = 0;
    uint64_t state = 4;
    for (int i = 0; i < N; i++) {
        x[2 * i] = nearbyint(1e6 * test_uniform(&state, -2, 2)) / 1e6;
        x[2 * i + 1] = nearbyint(1e6 * (x[2 * i] * x[2 * i] + test_uniform(&state, 0, 1))) / 1e6;
    }
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 2, 0, &rows));
    gm_model *model = fitted(ctx, rows, NULL);
    gm_compression told = round_trip(ctx, model, rows);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, logp));
    for (int i = 0; i < N; i++)
        bits -= (logp[i] + 2 * log(1e-6)) / log(2);
    ck_assert_msg(test_close(told.model_bits, bits, 1e-4, 0), "%g bits, log p says %g",
                  told.model_bits, bits);
    ck_assert_double_le((double)told.bytes, 1.005 * bits / 8 + 64);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Odd cells ------------------------------------------------------------------------------- */

/* Whatever a double can be, also far from what the model has seen. */
START_TEST(odd_doubles)
{
    static const double odd[] = {-0.0, 5e-324,   -1e300, 1e300, 1.0 / 3, 0x1.fffffffffffffp+1023,
                                 7,    1e15 + 1, -1e-310};
    enum { ODD = sizeof odd / sizeof *odd, N = 400 };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = real_rows(ctx), *strange;
    gm_model *model = fitted(ctx, rows, NULL);
    double x[N * D];
    uint64_t state = 6;
    for (int i = 0; i < N * D; i++) {
        double u = test_uniform(&state, -3, 3);
        x[i] = _i == 0   ? nearbyint(100 * u) / 100
               : _i == 1 ? u
               : _i == 2 ? (double)(float)u
               : _i == 3 ? sqrt((double)(test_random(&state) % 9))
                         : nearbyint(127 * u) / 255;
    }
    memcpy(x, odd, sizeof odd);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, D, 0, &strange));
    gm_compression told = round_trip(ctx, model, strange);
    ck_assert_int_le(told.outside, _i == 1 || _i == 2 ? N * D : 3 * ODD);
    gm_dataset_free(strange);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(missing_and_unknown_cells)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    gm_dataset *other =
        from_text(ctx, "size,count,flag,kind\n"
                       "0.5,3,yes,elm\n,4,no,ash\n0.25,,maybe,fir \"\"x\n-0.5,77,,elm\n"
                       "9000,-3,no,ash\n,,,\n0.125,4,yes,ash\n");
    gm_compression told = round_trip(ctx, model, other);
    ck_assert_int_ge(told.outside, 7);
    gm_dataset_free(other);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* More rows than a block has, in the order of the columns of another file. */
START_TEST(blocks_and_order)
{
    gm_context *ctx = test_context(NULL);
    int64_t n = 4096 * 2 + 5;
    double *x = case_cloud((int)n, D, 5);
    gm_dataset *rows;
    for (int64_t i = 0; i < n * D; i++)
        x[i] = nearbyint(50 * x[i]) / 50 + 0.0; /* no -0, which takes bits */
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, D, 0, &rows));
    gm_model *model = fitted(ctx, rows, "order=random");
    gm_compression told = round_trip(ctx, model, rows);
    ck_assert_double_le((double)told.bytes, 1.005 * told.model_bits / 8 + 64);
    free(x);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- The same archive everywhere ------------------------------------------------------------- */

START_TEST(same_archive)
{
    static const char *const kernels[] = {"base", "avx2", "avx512", "neon"};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx), *back;
    gm_model *model = fitted(ctx, rows, NULL);
    test_sink file = {0};
    packed(ctx, model, rows, &file);
    for (int i = 0; i < 4; i++) {
        gm_context *other = test_context(NULL);
        test_sink again = {0};
        if (!gm_context_set_text(other, "kernels", kernels[i])) {
            test_ok(other, gm_context_set_int(other, "threads", 1 + i));
            packed(other, model, rows, &again);
            ck_assert_int_eq(again.size, file.size);
            ck_assert_int_eq(memcmp(again.data, file.data, (size_t)file.size), 0);
            test_ok(other, gm_decompress_memory(other, model, file.data, file.size, NULL, &back));
            same_rows(ctx, rows, back);
            gm_dataset_free(back);
        }
        test_sink_clear(&again);
        gm_context_free(other);
    }
    test_sink_clear(&file);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Gives back what it took beside the rows. */
static gm_compression text_trip(gm_context *ctx, const gm_model *model, const char *text,
                                int64_t size)
{
    test_sink file = {0}, back = {0};
    gm_compression told = {.struct_size = sizeof told};
    gm_writer writer = test_sink_writer(&file), out = test_sink_writer(&back);
    test_ok(ctx, gm_compress_text(ctx, model, text, size, NULL, NULL, &writer, &told));
    test_source source = {.data = file.data, .size = file.size};
    gm_reader reader = test_source_reader(&source);
    ck_assert_int_eq(gm_archive_has_text(file.data, file.size), 1);
    test_ok(ctx, gm_decompress_text(ctx, model, &reader, NULL, NULL, &out));
    ck_assert_int_eq(back.size, size);
    ck_assert(size == 0 || memcmp(back.data, text, (size_t)size) == 0);
    ck_assert_int_eq(told.bytes, file.size);
    test_sink_clear(&file);
    test_sink_clear(&back);
    return told;
}

/* A table of N rows by one rule for its numbers. */
static void write_table(char *text, int rule, const char *end)
{
    static const char *const forms[] = {"%.3f", "%.17e", "%g", "  %.2f", "\"%.1f\"", "%.0f"};
    char *at = text + sprintf(text, "size,count,flag,kind%s", end);
    uint64_t state = 9;
    for (int i = 0; i < 200; i++) {
        at += sprintf(at, forms[rule], test_uniform(&state, -1, 1));
        at += sprintf(at, ",%d,%s,%s%s", (int)(test_random(&state) % 9),
                      test_random(&state) % 3 ? "no" : "yes", rule % 2 ? "\"ash\"" : "ash", end);
    }
}

START_TEST(texts_by_rule)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    char *text = malloc(100000);
    for (int rule = 0; rule < 6; rule++) {
        write_table(text, rule, rule % 2 ? "\r\n" : "\n");
        gm_compression told = text_trip(ctx, model, text, (int64_t)strlen(text));
        ck_assert_int_eq(told.rows, 200);
        ck_assert_msg(told.text_bytes < (rule == 5 ? 200 : 64) || rule == 3,
                      "rule %d: %d bytes of text", rule, (int)told.text_bytes);
    }
    free(text);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

START_TEST(odd_texts)
{
    static const char *const texts[] = {
        "",
        "\n",
        "size,count,flag,kind\n",
        "size,count,flag,kind\n0.5,3,yes,ash",
        "\xef\xbb\xbfsize,count,flag,kind\r0.5,3,yes,ash\r\r\r0.25,4,no,ash\r",
        "size,count,flag,kind\n0.50,+3,yes, ash \n\n \t\n5e-1,3.0,no,\"a\"\"sh\"\n,,,\n",
        "kind;flag;note;count;size\nash;yes;\"a;b\";3;0.5\nash;no;c;4;0.25\n\n",
        "hello, \"world\n1,2,3\n",
        "size,count,flag,kind\n0.5,3,yes\n",
        "size,count,flag,kind\n1e999,3,yes,ash\n",
        "size,count,flag,kind\n-0,3,yes,ash\n-0.0,3,no,ash\n00.1,3,yes,ash\n",
        "note,size,count,flag,kind\n1,2,3,no,ash\n2,2,3,no,ash\nx,2,3,no,ash\ny,2,x,no,ash\n",
        "\xef\xbb\xbftitle\nsize,count,flag,kind\n0.5,3,yes,ash",
        "size,count,flag,kind\n,,,\n?,?,?,?\n",
        "1,2,no,ash\n3,4,yes,elm\n\"5,6,no,ash\n",
        "size,count,flag\n1,2,no\n",
    };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    char bytes[3000];
    uint64_t state = 2;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_trip(ctx, model, texts[i], (int64_t)strlen(texts[i]));
    for (int i = 0; i < 3000; i++)
        bytes[i] = (char)test_random(&state);
    text_trip(ctx, model, bytes, 3000);
    memset(bytes, 'a', sizeof bytes);
    ck_assert_int_lt(text_trip(ctx, model, bytes, 3000).bytes, 100);
    /* a table with characters changed here and there */
    for (int turn = 0; turn < (test_quick() ? 30 : 200); turn++) {
        char text[20000];
        write_table(text, turn % 6, turn % 2 ? "\n" : "\r\n");
        int64_t size = (int64_t)strlen(text);
        for (int k = 0; k < 1 + turn % 5; k++)
            text[200 + test_random(&state) % (uint64_t)(size - 200)] =
                "0,\"\n\r .-ex\t"[test_random(&state) % 11];
        text_trip(ctx, model, text, size);
    }
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A table of 200 rows with something in the way: rows that the model still takes, lines that go as
 * they are, and bytes beside what those lines hold. */
START_TEST(texts_with_lines)
{
    static const struct {
        const char *line; /* before row 100; NULL: the cell of row 100 */
        const char *cell;
        int rows, literal, bytes;
    } cases[] = {
        {"", NULL, 200, 0, 64},
        {"size,count,flag,kind\n", NULL, 200, 1, 100},
        {"# a remark, \"with\" a quote\n# and more\n", NULL, 200, 2, 110},
        {NULL, "0.5,3.5,no,ash", 200, 0, 80}, /* no whole number, but a number */
        {NULL, "0x10,3,no,ash", 199, 1, 100},
        {NULL, "\"0.5,3,no,ash", 199, 1, 100},
        {NULL, "0.5,3,no,ash,", 199, 1, 100},
        {NULL, "0.5,inf,no,ash", 199, 1, 100},
        {NULL, "0.5,3,no,a\xff", 199, 1, 100},
        {NULL, "", 199, 0, 80},
        {NULL, "?,,NA,", 200, 0, 100},
    };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    char *text = malloc(100000), *odd = malloc(100000);
    write_table(text, 0, "\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = text;
        for (int line = 0; line < 100; line++)
            at = strchr(at, '\n') + 1;
        const char *rest = cases[i].line ? at : strchr(at, '\n');
        sprintf(odd, "%.*s%s%s", (int)(at - text), text,
                cases[i].line ? cases[i].line : cases[i].cell, rest);
        gm_compression told = text_trip(ctx, model, odd, (int64_t)strlen(odd));
        must_msg(told.rows == cases[i].rows && told.literal == cases[i].literal &&
                     told.text_bytes < cases[i].bytes,
                 "case %d: %d rows, %d lines, %d bytes of text", (int)i, (int)told.rows,
                 (int)told.literal, (int)told.text_bytes);
    }
    sprintf(odd, "title\n\n%s\nsum;3\n", text); /* before the header, and behind the rows */
    gm_compression told = text_trip(ctx, model, odd, (int64_t)strlen(odd));
    must(told.rows == 200 && told.literal == 2);
    odd[400] = 0; /* a zero byte; and columns of other names, taken by their places */
    told = text_trip(ctx, model, odd, (int64_t)strlen(text) + 14);
    must(told.rows == 199 && told.literal == 3);
    sprintf(odd, "a,b,c,d%s", strchr(text, '\n'));
    told = text_trip(ctx, model, odd, (int64_t)strlen(odd));
    must(told.rows == 200 && told.literal == 1);
    sprintf(odd, "a,b,c%s", strchr(text, '\n')); /* rows of more cells than the first */
    told = text_trip(ctx, model, odd, (int64_t)strlen(odd));
    must(told.rows == 200 && told.literal == 1);
    free(odd);
    free(text);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* A value that is no whole number in a column of such, without its text. */
START_TEST(parts_among_whole_numbers)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    gm_dataset *none = from_text(ctx, "size,count,flag,kind\n0.5,3,no,\n0.5,4,,\n");
    round_trip(ctx, model, none); /* nor one that has no cell */
    gm_dataset_free(none);
    gm_dataset *parts =
        from_text(ctx, "size,count,flag,kind\n0.5,3.5,no,ash\n0.5,-1e300,yes,elm\n");
    gm_compression told = round_trip(ctx, model, parts);
    ck_assert_int_ge(told.outside, 2);
    gm_dataset_free(parts);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- What is refused ------------------------------------------------------------------------- */

START_TEST(refused)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx), *reals = real_rows(ctx), *back = NULL;
    gm_model *model = fitted(ctx, rows, NULL), *other = fitted(ctx, rows, "activation=tanh"), *vae;
    test_sink file = {0};
    gm_writer writer = test_sink_writer(&file), none = {0};
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", "steps=2", "hidden=4", NULL});
    test_ok(ctx, gm_fit(ctx, "vae", rows, how, &vae));
    test_fails(ctx, gm_compress(ctx, vae, rows, NULL, &writer, NULL), GM_E_UNSUPPORTED,
               "autoregressive");
    test_fails(ctx, gm_compress(ctx, model, reals, NULL, &writer, NULL), GM_E_SHAPE, "3 columns");
    test_fails(ctx, gm_compress(ctx, model, NULL, NULL, &writer, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_compress(ctx, model, rows, NULL, &none, NULL), GM_E_ARG, NULL);
    gm_dataset *wide = from_text(ctx, "size,count,flag,kind,note\n1,2,no,ash,3\n");
    test_fails(ctx, gm_compress(ctx, model, wide, NULL, &writer, NULL), GM_E_SHAPE, "'note'");
    gm_dataset *narrow = from_text(ctx, "size,count,flag\n1,2,no\n");
    test_fails(ctx, gm_compress(ctx, model, narrow, NULL, &writer, NULL), GM_E_UNKNOWN, "'kind'");
    packed(ctx, model, rows, &file);
    test_fails(ctx, gm_decompress_memory(ctx, other, file.data, file.size, NULL, &back), GM_E_STATE,
               "another model");
    ck_assert_ptr_null(back);
    test_source source = {.data = file.data, .size = file.size};
    gm_reader reader = test_source_reader(&source);
    test_fails(ctx, gm_decompress_text(ctx, model, &reader, "x.gmz", NULL, &writer), GM_E_STATE,
               "x.gmz: holds rows");
    test_sink_clear(&file);
    gm_options_free(how);
    gm_dataset_free(wide);
    gm_dataset_free(narrow);
    gm_dataset_free(rows);
    gm_dataset_free(reals);
    gm_model_free(vae);
    gm_model_free(model);
    gm_model_free(other);
    gm_context_free(ctx);
}
END_TEST

/* The first 8 bytes of the SHA-256 of all but themselves. */
static void mend(unsigned char *bytes, int64_t size)
{
    unsigned char digest[32];
    gm__sha256 s;
    gm__sha256_begin(&s);
    gm__sha256_add(&s, bytes, 4);
    gm__sha256_add(&s, bytes + 12, (size_t)(size - 12));
    gm__sha256_end(&s, digest);
    memcpy(bytes + 4, digest, 8);
}

/* A status with a text or rows; never a crash, a hang, a leak. */
static gm_status try_archive(const gm_model *model, const void *bytes, int64_t size, int text)
{
    test_memory memory = {0};
    gm_allocator a = test_memory_allocator(&memory);
    gm_context *ctx = test_context(&a);
    gm_dataset *rows = NULL;
    test_sink out = {0};
    test_source source = {.data = bytes, .size = size};
    gm_reader reader = test_source_reader(&source);
    gm_writer writer = test_sink_writer(&out);
    gm_status got = text ? gm_decompress_text(ctx, model, &reader, NULL, NULL, &writer)
                         : gm_decompress(ctx, model, &reader, NULL, NULL, &rows);
    ck_assert_msg(!got || test_error(ctx)[0], "status %d without a text", got);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    test_sink_clear(&out);
    ck_assert_int_eq(memory.blocks, 0);
    ck_assert_int_eq(memory.wrong_sizes, 0);
    return got;
}

#define TABLE                                                                                      \
    "size,count,flag,kind\n0.5,3,yes,elm\n,4,no,ash\n0.250,,maybe,fir\n"                           \
    "-0.5,77,,elm\n9000,-3,no,ash\n,,,\n0.125,4,yes,ash\n"

/* 0 rows, 1 their text, 2 a text with lines that are none. */
static void pack_either(gm_context *ctx, const gm_model *model, int text, test_sink *file)
{
    const char *csv = text == 2 ? "title\n" TABLE "x,y\n0.25,3,no,elm\n\nsum\nof\n" : TABLE;
    gm_writer writer = test_sink_writer(file);
    gm_dataset *rows = from_text(ctx, TABLE);
    if (text)
        test_ok(ctx,
                gm_compress_text(ctx, model, csv, (int64_t)strlen(csv), NULL, NULL, &writer, NULL));
    else
        test_ok(ctx, gm_compress(ctx, model, rows, NULL, &writer, NULL));
    gm_dataset_free(rows);
}

START_TEST(damaged)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    test_sink file = {0};
    uint64_t state = 3;
    pack_either(ctx, model, _i, &file);
    ck_assert_int_eq(file.data[3], _i == 2 ? 2 : 1); /* the version */
    ck_assert_int_eq(try_archive(model, file.data, file.size, _i), GM_OK);
    for (int64_t i = 0; i < file.size; i++) { /* every byte */
        unsigned char was = file.data[i];
        file.data[i] ^= (unsigned char)(1 + test_random(&state) % 255);
        gm_status got = try_archive(model, file.data, file.size, _i);
        ck_assert_msg(got == GM_E_CHECKSUM || got == GM_E_FORMAT || got == GM_E_VERSION,
                      "byte %d: %d", (int)i, got);
        file.data[i] = was;
    }
    for (int64_t size = 0; size < file.size; size++)
        ck_assert_int_ne(try_archive(model, file.data, size, _i), GM_OK);
    /* as a forger would: with the checksum mended */
    for (int turn = 0; turn < (test_quick() ? 300 : 3000); turn++) {
        int64_t at = 12 + (int64_t)(test_random(&state) % (uint64_t)(file.size - 12));
        int64_t size = turn % 4 ? file.size : at + 1;
        unsigned char was = file.data[at];
        file.data[at] = (unsigned char)test_random(&state);
        mend(file.data, size);
        try_archive(model, file.data, size, _i);
        file.data[at] = was;
    }
    test_sink_clear(&file);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

/* ---- Failing memory -------------------------------------------------------------------------- */

static gm_status there_and_back(const gm_allocator *a, void *arg)
{
    const gm_model *model = arg;
    gm_context *ctx;
    gm_context_config config = {.struct_size = sizeof config, .allocator = a};
    gm_status code = gm_context_create(&config, &ctx);
    static const char csv[] =
        "size,count,flag,kind\n0.5,3,yes,elm\n,4,no,ash\nx\n0.250,,maybe,fir\n";
    test_sink file = {0}, back = {0};
    gm_writer writer = test_sink_writer(&file), out = test_sink_writer(&back);
    if (code)
        return code;
    code = gm_compress_text(ctx, model, csv, (int64_t)strlen(csv), NULL, NULL, &writer, NULL);
    test_source source = {.data = file.data, .size = file.size};
    gm_reader reader = test_source_reader(&source);
    if (!code)
        code = gm_decompress_text(ctx, model, &reader, NULL, NULL, &out);
    ck_assert(code || back.size == (int64_t)strlen(csv));
    test_sink_clear(&file);
    test_sink_clear(&back);
    gm_context_free(ctx);
    return code;
}

START_TEST(failing_memory)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, NULL);
    ck_assert_int_gt(test_every_failure(there_and_back, model, test_quick() ? 60 : 400), 50);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("compress");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, mixed_columns);
    tcase_add_test(t, bits_are_log_prob);
    tcase_add_test(t, bits_are_density);
    tcase_add_loop_test(t, odd_doubles, 0, 5);
    tcase_add_test(t, missing_and_unknown_cells);
    tcase_add_test(t, blocks_and_order);
    tcase_add_test(t, same_archive);
    tcase_add_test(t, texts_by_rule);
    tcase_add_test(t, odd_texts);
    tcase_add_test(t, texts_with_lines);
    tcase_add_test(t, parts_among_whole_numbers);
    tcase_add_test(t, refused);
    tcase_add_loop_test(t, damaged, 0, 3);
    tcase_add_test(t, failing_memory);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
