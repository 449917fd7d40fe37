/* CSV in and out: what RFC 4180 says, what is met in the wild, and errors that can be acted on. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include "genmod/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static gm_context *ctx;
static gm_options *opts;

static void setup(void)
{
    ctx = test_context(NULL);
    test_ok(ctx, gm_options_create(ctx, &opts));
}

static void teardown(void)
{
    gm_options_free(opts);
    gm_context_free(ctx);
}

static gm_status load_bytes(const char *text, int64_t size, const char *format, gm_dataset **data)
{
    test_source source = {.data = text, .size = size, .chunk = 7};
    gm_reader reader = test_source_reader(&source);
    return gm_dataset_from_reader(ctx, &reader, format, "t.csv", opts, data);
}

static gm_status load(const char *text, gm_dataset **data)
{
    return load_bytes(text, (int64_t)strlen(text), "csv", data);
}

static gm_dataset *loaded(const char *text)
{
    gm_dataset *data;
    test_ok(ctx, load(text, &data));
    return data;
}

static void set(const char *name, const char *value)
{
    test_ok(ctx, gm_options_set_text(ctx, opts, name, value));
}

static double cell(const gm_dataset *data, int64_t row, int64_t column)
{
    double x[64];
    test_ok(ctx, gm_dataset_read_f64(ctx, data, row, 1, x, 0));
    return x[column];
}

static gm_column column(const gm_dataset *data, int64_t i)
{
    gm_column c = {.struct_size = sizeof c};
    test_ok(ctx, gm_dataset_column(ctx, data, i, &c));
    return c;
}

/* "name:type,name:type", the types by their first letters. */
static const char *types(const gm_dataset *data)
{
    static char text[256];
    int n = 0;
    text[0] = 0;
    for (int64_t i = 0; i < gm_dataset_column_count(data); i++) {
        gm_column c = column(data, i);
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%s:%c", i ? "," : "", c.name,
                      "?ribcoa"[c.type]);
    }
    return text;
}

/* ---- What it reads --------------------------------------------------------------------------- */

START_TEST(plain_table)
{
    gm_dataset *d =
        loaded("x1,x2,kind,flag,n\n1.5,2,red,0,3\n-2,0.25,blue,1,4\n1e3,4,green,1,-9\n");
    ck_assert_str_eq(types(d), "x1:r,x2:r,kind:c,flag:b,n:i");
    ck_assert_int_eq(gm_dataset_row_count(d), 3);
    ck_assert(cell(d, 2, 0) == 1000 && cell(d, 1, 1) == 0.25 && cell(d, 2, 4) == -9);
    ck_assert(cell(d, 0, 2) == 2 && cell(d, 1, 2) == 0 &&
              cell(d, 2, 2) == 1); /* by name: blue, green, red */
    ck_assert_str_eq(gm_dataset_category(d, 2, 1), "green");
    ck_assert_ptr_null(gm_dataset_category(d, 2, 3));
    ck_assert_str_eq(gm_dataset_category(d, 3, 1), "1");
    ck_assert_int_eq(gm_dataset_find_column(d, "kind"), 2);
    ck_assert_int_eq(gm_dataset_find_column(d, "5"), 4);
    ck_assert_int_eq(gm_dataset_find_column(d, "6"), -1);
    ck_assert(column(d, 0).low == -2 && column(d, 0).high == 1000);
    gm_dataset_free(d);
}
END_TEST

START_TEST(dialects)
{
    static const char *const same[] = {"a,b\n1.5,x y\n2.5,z\n",
                                       "a,b\r\n1.5,x y\r\n2.5,z\r\n",
                                       "a,b\r1.5,x y\r2.5,z",
                                       "\xef\xbb\xbf"
                                       "a,b\n1.5,x y\n2.5,z\n",
                                       "a;b\n1.5;x y\n2.5;z\n",
                                       "a\tb\n1.5\tx y\n2.5\tz\n",
                                       "\n\na,b\n\n1.5,x y\n  \n2.5,z\n\n\n",
                                       "\"a\",\"b\"\n\"1.5\",\"x y\"\n2.5,z",
                                       " a , b \n 1.5 ,  x y\n2.5,\"z\" \n",
                                       "a,b\n1.50,x y\n+2.5e0,z\n"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        gm_dataset *d = loaded(same[i]);
        ck_assert_msg(!strcmp(types(d), "a:r,b:b"), "%zu: %s", i, types(d));
        ck_assert_int_eq(gm_dataset_row_count(d), 2);
        ck_assert(cell(d, 0, 0) == 1.5 && cell(d, 1, 0) == 2.5 && cell(d, 0, 1) == 0);
        ck_assert_str_eq(gm_dataset_category(d, 1, 0), "x y");
        gm_dataset_free(d);
    }
}
END_TEST

START_TEST(quotes)
{
    gm_dataset *d = loaded("\"a \"\"b\"\"\",c\n\"x, \"\"y\"\"\nz\",1\n\"x, "
                           "\"\"y\"\"\nz\",2\n\"\"\"\",3\nplain,4\na\"b,5\n\"a\"\"b\",6\n");
    ck_assert_str_eq(column(d, 0).name, "a \"b\"");
    ck_assert_int_eq(column(d, 0).categories, 4);
    ck_assert_str_eq(gm_dataset_category(d, 0, 0), "\"");
    ck_assert_str_eq(gm_dataset_category(d, 0, 1), "a\"b");
    ck_assert_str_eq(gm_dataset_category(d, 0, 3), "x, \"y\"\nz");
    ck_assert(cell(d, 0, 0) == 3 && cell(d, 1, 0) == 3 && cell(d, 4, 0) == 1 && cell(d, 5, 0) == 1);
    gm_dataset_free(d);
    set("quote", "none");
    d = loaded("a,b\n\"x,1\ny\",2\n");
    ck_assert_str_eq(gm_dataset_category(d, 0, 0), "\"x");
    gm_dataset_free(d);
}
END_TEST

START_TEST(headers)
{
    gm_dataset *d = loaded("1,2\n3,4\n");
    ck_assert_str_eq(column(d, 0).name, "");
    ck_assert_int_eq(gm_dataset_row_count(d), 2);
    gm_dataset_free(d);
    d = loaded("name,group\nann,a\nbob,b\ncid,a\n"); /* texts that never come again */
    ck_assert_str_eq(types(d), "name:c,group:b");
    gm_dataset_free(d);
    d = loaded("a,b\nb,a\na,a\n"); /* texts that do */
    ck_assert_int_eq(gm_dataset_row_count(d), 3);
    gm_dataset_free(d);
    d = loaded("2019,2020,total\n0.5,1.5,2\n0.25,1,1.25\n"); /* years as names: a text stands over
                                                                few numbers */
    ck_assert_int_eq(gm_dataset_row_count(d), 3);
    gm_dataset_free(d);
    set("header", "yes");
    d = loaded("2019,2020,\n0.5,1.5,2\n0.25,1,1.25\n");
    ck_assert_str_eq(types(d), "2019:r,2020:r,x3:r");
    ck_assert_int_eq(gm_dataset_find_column(d, "2019"), 0);
    gm_dataset_free(d);
    set("header", "no");
    d = loaded("a,b\n1,2\n3,4\n5,6\n7,8\n9,1\n"); /* not numeric any more */
    ck_assert_int_eq(gm_dataset_row_count(d), 6);
    ck_assert_int_eq(column(d, 0).categories, 6);
    gm_dataset_free(d);
}
END_TEST

START_TEST(missing_values)
{
    static const char text[] = "a,b,c\n1.5,NA,x\n,2,?\nnan,3,\nNULL,-,y\n2.5,5,z\n";
    gm_dataset *d;
    set("missing", "-");
    d = loaded(text);
    ck_assert_str_eq(types(d), "a:r,b:i,c:c");
    ck_assert(column(d, 0).missing && column(d, 0).missing_count == 3 &&
              column(d, 1).missing_count == 2);
    ck_assert(isnan(cell(d, 1, 0)) && isnan(cell(d, 0, 1)) && isnan(cell(d, 1, 2)) &&
              cell(d, 4, 2) == 2);
    ck_assert(column(d, 1).low == 2 && column(d, 1).high == 5);
    gm_dataset_free(d);
    set("on_missing", "drop");
    d = loaded(text);
    ck_assert_int_eq(gm_dataset_row_count(d), 1);
    ck_assert(!column(d, 0).missing && cell(d, 0, 0) == 2.5 && column(d, 2).categories == 1);
    gm_dataset_free(d);
    set("on_missing", "error");
    test_fails(ctx, load(text, &d), GM_E_DATA, "t.csv:3: column 'a' is missing");
    ck_assert_ptr_null(d);
}
END_TEST

START_TEST(types_found)
{
    gm_dataset *d = loaded("bit,count,big,real,yes,three,one\n0,5,1,1,yes,a,7\n1,9,70000,2.0,no,b,"
                           "7\n1,65000,0,3,yes,c,7\n");
    ck_assert_str_eq(types(d), "bit:b,count:i,big:r,real:r,yes:b,three:c,one:i");
    gm_dataset_free(d);
}
END_TEST

START_TEST(types_said)
{
    gm_dataset *d;
    set("types", "a:category,2:real,c:ordered,d:circular(360)");
    d = loaded("a,b,c,d\n10,1,3,0\n9,0,1,90.5\n10,1,2,270\n");
    ck_assert_str_eq(types(d), "a:c,b:r,c:o,d:a");
    ck_assert_str_eq(gm_dataset_category(d, 0, 0), "9"); /* as numbers: 9 before 10 */
    ck_assert(cell(d, 0, 0) == 1 && cell(d, 0, 2) == 2 && column(d, 3).period == 360);
    gm_dataset_free(d);
    set("types", "a:colour");
    test_fails(ctx, load("a\n1\n2\n", &d), GM_E_ARG, "'a:colour', 'column:type' was expected");
    set("types", "z:real");
    test_fails(ctx, load("a\n1\n2\n", &d), GM_E_UNKNOWN,
               "names the column 'z', which t.csv does not have");
    set("types", "a:integer");
    test_fails(ctx, load("a\n1\n2.5\n", &d), GM_E_DATA,
               "t.csv:3: column 'a' is '2.5', a whole number was expected");
    set("types", "a:real");
    test_fails(ctx, load("a,b\n1,1\nred,2\n", &d), GM_E_DATA,
               "t.csv:3: column 'a' is 'red', a number was expected");
    set("types", "a:binary");
    test_fails(ctx, load("a\n1\n2\n3\n", &d), GM_E_DATA,
               "column 'a' has 3 different texts, a binary column has two");
    set("types", "a:circular");
    test_fails(ctx, load("a\n1\n2\n", &d), GM_E_ARG, "circular(period)");
}
END_TEST

START_TEST(resolutions)
{
    static char text[20000];
    int n = sprintf(text, "cents,quarters,third,free,five\n");
    uint64_t seed = 5;
    for (int i = 0; i < 200; i++)
        n += sprintf(
            text + n, "%.2f,%.2f,%.17g,%.17g,%d\n", (double)(test_random(&seed) % 57) / 100,
            (double)(test_random(&seed) % 9) / 4 - 1, (double)(int)(test_random(&seed) % 16) / 15,
            test_uniform(&seed, -1, 1), (int)(test_random(&seed) % 9) * 5);
    gm_dataset *d = loaded(text);
    ck_assert(test_close(column(d, 0).resolution, 0.01, 1e-12, 0));
    ck_assert(test_close(column(d, 1).resolution, 0.25, 1e-12, 0));
    ck_assert(test_close(column(d, 2).resolution, 1.0 / 15, 1e-9, 0));
    ck_assert(column(d, 3).resolution == 0);
    ck_assert(column(d, 4).resolution == 1);
    gm_dataset_free(d);
}
END_TEST

/* Numbers are read to the last bit, the short way and the long way. */
START_TEST(numbers)
{
    uint64_t seed = 2;
    char text[64];
    for (int i = 0; i < 2000; i++) {
        double x = test_uniform(&seed, -1, 1) * pow(10, (double)(test_random(&seed) % 40) - 20);
        gm_dataset *d;
        snprintf(text, sizeof text, "%.*g\n0.5\n", (int)(1 + test_random(&seed) % 17), x);
        d = loaded(text);
        ck_assert_msg(cell(d, 0, 0) == strtod(text, NULL), "%s", text);
        gm_dataset_free(d);
    }
}
END_TEST

/* ---- What it refuses ------------------------------------------------------------------------- */

START_TEST(errors)
{
    static const struct {
        const char *text;
        gm_status code;
        const char *part;
    } bad[] = {
        {"", GM_E_DATA, "t.csv: holds no data"},
        {" \n\n", GM_E_DATA, "t.csv: holds no data"},
        {"a,b\n", GM_E_DATA, "a header and no rows"},
        {"a,b\n1,2\n3\n", GM_E_FORMAT, "t.csv:3: 1 fields, 2 were expected as in line 1"},
        {"a,b\n1,2\n3,4,5\n", GM_E_FORMAT, "t.csv:3: 3 fields or more, 2 were expected"},
        {"a,b\n1,\"2\n3,4\n", GM_E_FORMAT, "t.csv:2: a quote is opened and never closed"},
        {"a,b\n1,\"x\ny\" z\n", GM_E_FORMAT, "t.csv:3: text follows a closing quote"},
        {"a,a\n1,2\n", GM_E_DATA, "t.csv:1: two columns are named 'a'"},
        {"a,b\n1,\xff\n", GM_E_FORMAT, "t.csv:2: holds bytes that are not UTF-8"},
        {"\xff\xfe"
         "a",
         GM_E_FORMAT, "UTF-16"},
        {"a\n1\n2\ninf\n", GM_E_DATA, "t.csv:4: column 'a' is 'inf', a finite number was expected"},
        {"a;b\n1,5;2,5\n-3,25;4\n", GM_E_DATA,
         "t.csv:2: column 'a' is '1,5', a number with a decimal comma"},
        {"a;b\n1;2,5\n2;3\n3;\n", GM_E_DATA,
         "t.csv:2: column 'b' is '2,5', a number with a decimal"},
        {"1,5;2,5\n3,25;4\n", GM_E_DATA, "column 1 is '3,25', a number with a decimal comma"},
        {"a\n1\n1e999\n", GM_E_DATA,
         "t.csv:3: column 'a' is '1e999', a finite number was expected"},
    };
    gm_dataset *d;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        test_fails(ctx, load(bad[i].text, &d), bad[i].code, bad[i].part);
        ck_assert_ptr_null(d);
    }
    test_fails(ctx, load_bytes("a\n1\n\0002\n", 8, "csv", &d), GM_E_FORMAT,
               "t.csv:3: holds a zero byte");
    test_fails(ctx, load_bytes("a", 1, "xls", &d), GM_E_UNKNOWN, "unknown format 'xls'");
    test_fails(ctx, gm_dataset_from_file(ctx, "none.csv", NULL, &d), GM_E_IO, "none.csv");
    test_fails(ctx, gm_dataset_from_file(ctx, "none.pdf", NULL, &d), GM_E_UNKNOWN,
               "none.pdf: what format is this?");
    set("delimiter", "::");
    test_fails(ctx, load("a\n1\n", &d), GM_E_ARG, "option 'delimiter' is '::'");
    set("delimiter", "\"");
    test_fails(ctx, load("a\n1\n", &d), GM_E_ARG, "must differ");
}
END_TEST

START_TEST(a_bad_cell_among_many)
{
    char text[8000];
    gm_dataset *d;
    int n = sprintf(text, "x1,x2\n");
    for (int i = 0; i < 400; i++)
        n += sprintf(text + n, i == 315 ? "%d,n/a\n" : "%d,2.5\n", i);
    test_fails(ctx, load(text, &d), GM_E_DATA,
               "t.csv:317: column 'x2' is 'n/a', a number was expected (declare missing values "
               "with --missing)");
    set("missing", "n/a");
    d = loaded(text);
    ck_assert_int_eq(column(d, 1).missing_count, 1);
    gm_dataset_free(d);
}
END_TEST

START_TEST(too_many_categories)
{
    enum { N = 70000 };
    char *text = malloc(N * 8 + 10);
    gm_dataset *d;
    int n = sprintf(text, "id\n");
    for (int i = 0; i < N; i++)
        n += sprintf(text + n, "k%d\n", i);
    test_fails(ctx, load(text, &d), GM_E_DATA,
               "t.csv:65538: column 'id' has more than 65536 different texts");
    free(text);
}
END_TEST

/* ---- There and back -------------------------------------------------------------------------- */

static void same_data(const gm_dataset *a, const gm_dataset *b)
{
    ck_assert_int_eq(gm_dataset_row_count(a), gm_dataset_row_count(b));
    ck_assert_int_eq(gm_dataset_column_count(a), gm_dataset_column_count(b));
    for (int64_t j = 0; j < gm_dataset_column_count(a); j++) {
        gm_column x = column(a, j), y = column(b, j);
        ck_assert_str_eq(x.name, y.name);
        ck_assert_int_eq(x.type, y.type);
        ck_assert_int_eq(x.categories, y.categories);
        for (int64_t k = 0; k < x.categories; k++)
            ck_assert_str_eq(gm_dataset_category(a, j, k), gm_dataset_category(b, j, k));
        for (int64_t i = 0; i < gm_dataset_row_count(a); i++)
            ck_assert(test_ulps_f64(cell(a, i, j), cell(b, i, j)) == 0);
    }
}

START_TEST(round_trip)
{
    static const char *const formats[] = {"csv", "tsv"};
    gm_dataset *d = loaded("\"a, b\",\"say \"\"hi\"\"\",n,r,m\n\"x\ny\",\" "
                           "pad\",1,0.1,\nplain,\"q\"\"q\",2,-1e-7,3.25\n"
                           "\"x,y\",\"\tt\",300,123456.789,NA\n");
    for (int f = 0; f < 2; f++) {
        test_sink sink = {0};
        gm_writer writer = test_sink_writer(&sink);
        gm_dataset *back;
        test_ok(ctx, gm_dataset_write(ctx, d, &writer, formats[f]));
        test_ok(ctx, load_bytes((char *)sink.data, sink.size, formats[f], &back));
        same_data(d, back);
        gm_dataset_free(back);
        test_sink_clear(&sink);
        sink.fail_at = sink.calls + 1;
        test_fails(ctx, gm_dataset_write(ctx, d, &writer, formats[f]), GM_E_IO, NULL);
        test_sink_clear(&sink);
    }
    gm_dataset_free(d);
}
END_TEST

START_TEST(shortest_floats)
{
    float x[3] = {0.1f, 1.0f / 3, 16777216};
    gm_dataset *d;
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    test_ok(ctx, gm_dataset_from_f32(ctx, x, 3, 1, 0, &d));
    test_ok(ctx, gm_dataset_write(ctx, d, &writer, "csv"));
    static const char want[] = "x1\n0.1\n0.33333334\n16777216\n";
    ck_assert_int_eq(sink.size, sizeof want - 1);
    ck_assert(!memcmp(sink.data, want, sizeof want - 1));
    test_sink_clear(&sink);
    gm_dataset_free(d);
}
END_TEST

START_TEST(files)
{
    char path[] = "/tmp/genmod-csv-XXXXXX";
    char file[64];
    gm_dataset *d = loaded("a,b\n1.5,x\n2.5,y\n"), *back;
    ck_assert_ptr_nonnull(mkdtemp(path));
    snprintf(file, sizeof file, "%s/t.csv", path);
    test_ok(ctx, gm_dataset_save(ctx, d, file));
    test_ok(ctx, gm_dataset_from_file(ctx, file, NULL, &back));
    same_data(d, back);
    gm_dataset_free(back);
    remove(file);
    snprintf(file, sizeof file, "%s/no/t.csv", path);
    test_fails(ctx, gm_dataset_save(ctx, d, file), GM_E_IO, "t.csv");
    test_fails(ctx, gm_dataset_save(ctx, d, "t.docx"), GM_E_UNKNOWN, "t.docx: which format?");
    rmdir(path);
    gm_dataset_free(d);
}
END_TEST

/* ---- Hostile --------------------------------------------------------------------------------- */

static const char seed_text[] = "id,name,\"q "
                                "\"\"x\"\"\",flag,value\r\n1,ann,\"a\nb\",0,1.5e3\r\n2,bob,\"c,d\","
                                "1,NA\r\n3,\"cid\",e,1,-7\r\n\r\n"
                                "4,dan,\"\"\"\",0,0.125\r\n5,eve,\xc3\xa9,0,?\r\n";

/* Changes text (room bytes) as kind says; returns its new size. */
static int64_t spoil(char *text, int64_t n, int64_t room, int kind, uint64_t *seed)
{
    static const char special[] = "\",;\t\r\n\0\xff. -e\"";
    int64_t at = (int64_t)(test_random(seed) % (uint64_t)n);
    switch (kind % 6) {
    case 0:
        return at; /* cut */
    case 1:
        text[at] ^= (char)(1 << test_random(seed) % 8);
        return n;
    case 2:
        text[at] = special[test_random(seed) % (sizeof special - 1)];
        return n;
    case 3: { /* a piece repeated */
        int64_t piece = (int64_t)(test_random(seed) % 40) % (n - at);
        if (n + piece > room)
            return n;
        memmove(text + at + piece, text + at, (size_t)(n - at));
        return n + piece;
    }
    case 4: { /* a piece taken out */
        int64_t piece = (int64_t)(test_random(seed) % 20) % (n - at);
        memmove(text + at, text + at + piece, (size_t)(n - at - piece));
        return n - piece > 0 ? n - piece : 1;
    }
    default:
        for (int64_t i = at; i < n && i < at + 8; i++)
            text[i] = (char)test_random(seed);
        return n;
    }
}

START_TEST(hostile)
{
    static const char *const formats[] = {"csv", "tsv"};
    uint64_t seed = 99;
    int taken = 0, runs = test_quick() ? 1500 : 20000;
    for (int i = 0; i < runs; i++) {
        char text[1024];
        test_memory memory = {0};
        gm_allocator a = test_memory_allocator(&memory);
        gm_context *own = test_context(&a);
        gm_dataset *d;
        int64_t n = sizeof seed_text - 1;
        memcpy(text, seed_text, sizeof seed_text);
        for (int changes = 1 + i % 3; changes > 0 && n > 0; changes--)
            n = spoil(text, n, sizeof text, (int)(test_random(&seed) % 6), &seed);
        test_source source = {.data = text, .size = n};
        gm_reader reader = test_source_reader(&source);
        gm_status got =
            gm_dataset_from_reader(own, &reader, formats[i % 8 == 7], "hostile", NULL, &d);
        ck_assert_msg(got == GM_OK || got == GM_E_FORMAT || got == GM_E_DATA, "%d: %s", got,
                      test_error(own));
        ck_assert((got == GM_OK) == (d != NULL));
        ck_assert_msg(!got || strstr(test_error(own), "hostile:"), "%s", test_error(own));
        taken += got == GM_OK;
        gm_dataset_free(d);
        gm_context_free(own);
        ck_assert_int_eq(memory.blocks, 0);
        ck_assert(memory.peak < 1 << 20);
    }
    ck_assert(taken > runs / 20 && taken < runs);
}
END_TEST

/* Absurd sizes: wide, long, deep in quotes. Memory stays in proportion to the text. */
START_TEST(absurd)
{
    enum { N = 1 << 18 };
    char *text = malloc(N + 1);
    for (int kind = 0; kind < 8; kind++) {
        test_memory memory = {0};
        gm_allocator a = test_memory_allocator(&memory);
        gm_context *own = test_context(&a);
        gm_dataset *d;
        memset(text,
               kind == 0   ? ','
               : kind == 1 ? '\n'
               : kind == 2 ? '"'
               : kind == 3 ? '1'
               : kind == 4 ? ' '
                           : 'x',
               N);
        for (int i = 0; kind == 5 && i < N; i += 2)
            text[i] = ',';
        for (int i = 0; kind == 6 && i < N; i += 2)
            text[i] = '\n';
        for (int i = 0; kind == 7 && i < N; i++)
            text[i] = "\"\",\n"[i % 4];
        test_source source = {.data = text, .size = N};
        gm_reader reader = test_source_reader(&source);
        gm_dataset_from_reader(own, &reader, "csv", "absurd", NULL, &d);
        gm_dataset_free(d);
        gm_context_free(own);
        ck_assert_msg(memory.blocks == 0 && memory.peak < (int64_t)N * 400, "kind %d: peak %lld",
                      kind, (long long)memory.peak);
    }
    free(text);
}
END_TEST

static gm_status body(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    test_source source = {.data = seed_text, .size = sizeof seed_text - 1, .chunk = 50};
    test_sink sink = {0};
    gm_reader reader = test_source_reader(&source);
    gm_writer writer = test_sink_writer(&sink);
    gm_context *own = NULL;
    gm_dataset *d = NULL;
    gm_options *o = NULL;
    gm_status code = gm_context_create(&config, &own);
    code = code ? code : gm_options_create(own, &o);
    code = code ? code : gm_options_set_text(own, o, "on_missing", arg);
    code = code ? code : gm_dataset_from_reader(own, &reader, "csv", "t", o, &d);
    code = code ? code : gm_dataset_write(own, d, &writer, "csv");
    gm_options_free(o);
    gm_dataset_free(d);
    gm_context_free(own);
    test_sink_clear(&sink);
    return code;
}

START_TEST(memory)
{
    ck_assert(test_every_failure(body, (void *)(uintptr_t) "keep", 0) > 20);
    ck_assert(test_every_failure(body, (void *)(uintptr_t) "drop", 0) > 20);
}
END_TEST

START_TEST(failing_reader)
{
    for (int64_t at = 1; at < 4; at++) {
        test_source source = {
            .data = seed_text, .size = sizeof seed_text - 1, .chunk = 50, .fail_at = at};
        gm_reader reader = test_source_reader(&source);
        gm_dataset *d;
        gm_status got = gm_dataset_from_reader(ctx, &reader, "csv", "t", NULL, &d);
        ck_assert(got == GM_E_IO && !d);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("csv");
    TCase *c = tcase_create("csv");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 120);
    tcase_add_test(c, plain_table);
    tcase_add_test(c, dialects);
    tcase_add_test(c, quotes);
    tcase_add_test(c, headers);
    tcase_add_test(c, missing_values);
    tcase_add_test(c, types_found);
    tcase_add_test(c, types_said);
    tcase_add_test(c, resolutions);
    tcase_add_test(c, numbers);
    tcase_add_test(c, errors);
    tcase_add_test(c, a_bad_cell_among_many);
    tcase_add_test(c, too_many_categories);
    tcase_add_test(c, round_trip);
    tcase_add_test(c, shortest_floats);
    tcase_add_test(c, files);
    tcase_add_test(c, hostile);
    tcase_add_test(c, absurd);
    tcase_add_test(c, memory);
    tcase_add_test(c, failing_reader);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
