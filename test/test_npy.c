/* Array files: NPY and IDX of every type and order, gzipped ones, and files that nobody would
 * write. */
#include "support.h"
#include "genmod/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static gm_context *ctx;

static void setup(void)
{
    ctx = test_context(NULL);
}

static void teardown(void)
{
    gm_context_free(ctx);
}

static gm_status load(gm_context *own, const void *bytes, int64_t size, const char *format,
                      gm_dataset **data)
{
    test_source source = {.data = bytes, .size = size};
    gm_reader reader = test_source_reader(&source);
    return gm_dataset_from_reader(own, &reader, format, "t", NULL, data);
}

/* ---- Files made by hand ---------------------------------------------------------------------- */

typedef struct file {
    unsigned char bytes[4096];
    int64_t size;
} file;

static void put(file *f, uint64_t v, int width, int big)
{
    for (int i = 0; i < width; i++)
        f->bytes[f->size++] = (unsigned char)(v >> 8 * (big ? width - 1 - i : i));
}

static void npy_header(file *f, int version, const char *text)
{
    size_t n = strlen(text);
    memcpy(f->bytes, "\x93NUMPY", 6);
    f->size = 6;
    put(f, (uint64_t)version, 2, 0);
    put(f, n, version == 1 ? 2 : 4, 0);
    memcpy(f->bytes + f->size, text, n);
    f->size += (int64_t)n;
}

static uint64_t bits_of(double x, char kind, int width)
{
    uint64_t v = 0;
    if (kind != 'f')
        return (uint64_t)(int64_t)x;
    if (width == 4) {
        float y = (float)x;
        uint32_t w;
        memcpy(&w, &y, 4);
        return w;
    }
    if (width == 2) /* -4 to 4 in quarters, whole powers */
        return x == 0 ? 0
                      : ((x < 0 ? 0x8000u : 0) | (uint64_t)(15 + ilogb(x)) << 10 |
                         (uint64_t)(fabs(x) / pow(2, ilogb(x)) * 1024 - 1024));
    memcpy(&v, &x, 8);
    return v;
}

static const struct {
    char kind;
    int width;
    int32_t type;
} kinds[] = {{'f', 2, GM_COLUMN_REAL},    {'f', 4, GM_COLUMN_REAL},    {'f', 8, GM_COLUMN_REAL},
             {'i', 1, GM_COLUMN_INTEGER}, {'i', 2, GM_COLUMN_INTEGER}, {'i', 4, GM_COLUMN_INTEGER},
             {'i', 8, GM_COLUMN_INTEGER}, {'u', 1, GM_COLUMN_INTEGER}, {'u', 2, GM_COLUMN_INTEGER},
             {'u', 4, GM_COLUMN_INTEGER}, {'u', 8, GM_COLUMN_INTEGER}, {'b', 1, GM_COLUMN_BINARY}};

/* Element (i, j, k) of 3 by 2 by 2. */
static double value(char kind, int i, int j, int k)
{
    int v = i * 4 + j * 2 + k;
    return kind == 'b' ? v % 2 : kind == 'u' ? v : kind == 'i' ? v - 6 : (v - 6) * 0.25;
}

static void check_cube(const file *f, const char *format, char kind, int32_t type)
{
    gm_dataset *d;
    int64_t shape[8];
    int32_t ndim;
    double row[4];
    gm_column c = {.struct_size = sizeof c};
    test_ok(ctx, load(ctx, f->bytes, f->size, format, &d));
    ck_assert_int_eq(gm_dataset_row_count(d), 3);
    test_ok(ctx, gm_dataset_row_shape(ctx, d, &ndim, shape));
    ck_assert(ndim == 2 && shape[0] == 2 && shape[1] == 2);
    test_ok(ctx, gm_dataset_column(ctx, d, 3, &c));
    ck_assert_int_eq(c.type, type);
    for (int i = 0; i < 3; i++) {
        test_ok(ctx, gm_dataset_read_f64(ctx, d, i, 1, row, 0));
        for (int j = 0; j < 4; j++)
            ck_assert_msg(row[j] == value(kind, i, j / 2, j % 2), "%c: %g, not %g", kind, row[j],
                          value(kind, i, j / 2, j % 2));
    }
    gm_dataset_free(d);
}

START_TEST(npy_types)
{
    for (size_t t = 0; t < sizeof kinds / sizeof *kinds; t++)
        for (int big = 0; big < 2; big++)
            for (int fortran = 0; fortran < 2; fortran++) {
                char kind = kinds[t].kind, text[200];
                int width = kinds[t].width;
                file f = {.size = 0};
                snprintf(text, sizeof text,
                         "{'descr': '%c%c%d', 'fortran_order': %s, 'shape': (3, 2, 2), }   \n",
                         width == 1 ? '|'
                         : big      ? '>'
                                    : '<',
                         kind, width, fortran ? "True" : "False");
                npy_header(&f, 1 + (int)(t % 3), text);
                for (int a = 0; a < 12; a++) {
                    int i = fortran ? a % 3 : a / 4, j = fortran ? a / 3 % 2 : a / 2 % 2,
                        k = fortran ? a / 6 : a % 2;
                    put(&f, bits_of(value(kind, i, j, k), kind, width), width, big);
                }
                check_cube(&f, "npy", kind, kinds[t].type);
            }
}
END_TEST

START_TEST(idx_types)
{
    static const struct {
        unsigned char code;
        char kind;
        int width;
    } idx[] = {{0x08, 'u', 1}, {0x09, 'i', 1}, {0x0b, 'i', 2},
               {0x0c, 'i', 4}, {0x0d, 'f', 4}, {0x0e, 'f', 8}};
    for (size_t t = 0; t < sizeof idx / sizeof *idx; t++) {
        file f = {.size = 0};
        put(&f, (uint64_t)idx[t].code << 8 | 3, 4, 1);
        put(&f, 3, 4, 1);
        put(&f, 2, 4, 1);
        put(&f, 2, 4, 1);
        for (int a = 0; a < 12; a++)
            put(&f, bits_of(value(idx[t].kind, a / 4, a / 2 % 2, a % 2), idx[t].kind, idx[t].width),
                idx[t].width, 1);
        check_cube(&f, "idx", idx[t].kind, idx[t].kind == 'f' ? GM_COLUMN_REAL : GM_COLUMN_INTEGER);
    }
}
END_TEST

START_TEST(vectors)
{
    file f = {.size = 0};
    gm_dataset *d;
    double x[4];
    npy_header(&f, 1, "{\"shape\":(4,),\"descr\":'<i2','fortran_order':False}\n");
    for (int i = 0; i < 4; i++)
        put(&f, (uint64_t)(i * 1000 - 2000), 2, 0);
    test_ok(ctx, load(ctx, f.bytes, f.size, "npy", &d));
    ck_assert(gm_dataset_row_count(d) == 4 && gm_dataset_column_count(d) == 1);
    test_ok(ctx, gm_dataset_read_f64(ctx, d, 0, 4, x, 0));
    ck_assert(x[0] == -2000 && x[3] == 1000);
    gm_dataset_free(d);
}
END_TEST

START_TEST(refuses)
{
    static const struct {
        const char *header, *part;
        gm_status code;
    } bad[] = {
        {"", "'{' was expected", GM_E_FORMAT},
        {"{}", "is absent", GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False}", "is absent", GM_E_FORMAT},
        {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", "structured",
         GM_E_FORMAT},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "elements of type '<c8'",
         GM_E_FORMAT},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "elements of type '|O'",
         GM_E_FORMAT},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}", "elements of type",
         GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}", "True or False", GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': 1}", "tuple", GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", "whole numbers", GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3)}", "size 0 of dimension 1",
         GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': ()}", "a single value", GM_E_SHAPE},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "more than 8",
         GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, "
         "9223372036854775807)}",
         "announces", GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000)}", "announces",
         GM_E_FORMAT},
        {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "twice",
         GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x", "follows", GM_E_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "announces 2 rows",
         GM_E_FORMAT},
    };
    gm_dataset *d;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        file f = {.size = 0};
        npy_header(&f, 1, bad[i].header);
        put(&f, 0, 8, 0);
        test_fails(ctx, load(ctx, f.bytes, f.size, "npy", &d), bad[i].code, bad[i].part);
        ck_assert_ptr_null(d);
    }
    test_fails(ctx, load(ctx, "hello, world", 12, "npy", &d), GM_E_FORMAT, "t: is no NPY file");
    test_fails(ctx, load(ctx, "hello, world", 12, "idx", &d), GM_E_FORMAT, "t: is no IDX file");
    test_fails(ctx, load(ctx, "\0\0\x08\x03\0\0", 6, "idx", &d), GM_E_FORMAT,
               "ends within its header");
    test_fails(ctx, load(ctx, "\0\0\x0a\x01\0\0\0\1\0", 9, "idx", &d), GM_E_FORMAT,
               "IDX type 10 is unknown");
    test_fails(ctx, load(ctx, "\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff", 12, "idx", &d),
               GM_E_FORMAT, "announces");
    file f = {.size = 0};
    npy_header(&f, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}");
    put(&f, 0, 8, 0);
    put(&f, 0x7ff8000000000000u, 8, 0);
    test_fails(ctx, load(ctx, f.bytes, f.size, "npy", &d), GM_E_DATA, "t: row 1: column 2 is nan");
}
END_TEST

/* ---- There and back -------------------------------------------------------------------------- */

static gm_dataset *table(int dtype, int n, int d)
{
    static double x[600];
    static float y[600];
    static uint8_t z[600];
    static int32_t w[600];
    uint64_t seed = 4;
    gm_array a;
    gm_dataset *data;
    for (int i = 0; i < n * d; i++) {
        x[i] = test_uniform(&seed, -1e3, 1e3);
        y[i] = (float)x[i];
        z[i] = (uint8_t)test_random(&seed);
        w[i] = (int32_t)test_random(&seed);
    }
    gm_array_init(&a, dtype,
                  dtype == GM_F64   ? (void *)x
                  : dtype == GM_F32 ? (void *)y
                  : dtype == GM_U8  ? (void *)z
                                    : (void *)w,
                  n, d);
    test_ok(ctx, gm_dataset_from_array(ctx, &a, &data));
    return data;
}

START_TEST(round_trip)
{
    static const int dtypes[] = {GM_F32, GM_F64, GM_U8, GM_I32};
    static const char *const formats[] = {"npy", "idx"};
    for (int t = 0; t < 8; t++) {
        const char *format = formats[t % 2];
        gm_dataset *a = table(dtypes[t / 2], 50, 12), *b;
        test_sink sink = {0};
        gm_writer writer = test_sink_writer(&sink);
        double x[12], y[12];
        test_ok(ctx, gm_dataset_write(ctx, a, &writer, format));
        ck_assert(sink.size < 50 * 12 *
                                      (dtypes[t / 2] == GM_F64  ? 8
                                       : dtypes[t / 2] == GM_U8 ? 1
                                                                : 4) +
                                  130);
        test_ok(ctx, load(ctx, sink.data, sink.size, format, &b));
        for (int i = 0; i < 50; i++) {
            test_ok(ctx, gm_dataset_read_f64(ctx, a, i, 1, x, 0));
            test_ok(ctx, gm_dataset_read_f64(ctx, b, i, 1, y, 0));
            ck_assert(!memcmp(x, y, sizeof x));
        }
        test_sink_clear(&sink);
        gm_dataset_free(a);
        gm_dataset_free(b);
    }
}
END_TEST

/* "a,b\n1,2\n3,4\n" as gzip packs it. */
static const unsigned char packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xd4, 0x49, 0xe2, 0x32, 0xd4,
    0x31, 0xe2, 0x32, 0xd6, 0x31, 0xe1, 0x02, 0x00, 0xe5, 0xe9, 0xd6, 0xce, 0x0c, 0x00, 0x00, 0x00};

static gm_status gzip_body(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *own = NULL;
    gm_dataset *d = NULL;
    (void)arg;
    gm_status code = gm_context_create(&config, &own);
    code = code ? code : load(own, packed, sizeof packed, "csv", &d);
    gm_dataset_free(d);
    gm_context_free(own);
    return code;
}

START_TEST(gzipped)
{
    gm_dataset *d;
    double x[4];
    unsigned char twice[2 * sizeof packed];
    gm_status got = load(ctx, packed, sizeof packed, "csv", &d);
    if (got == GM_E_UNSUPPORTED) {
        test_fails(ctx, got, GM_E_UNSUPPORTED,
                   "t: is gzipped, and this library was built without zlib");
        return;
    }
    test_ok(ctx, got);
    test_ok(ctx, gm_dataset_read_f64(ctx, d, 0, 2, x, 0));
    ck_assert(x[0] == 1 && x[1] == 2 && x[2] == 3 && x[3] == 4);
    ck_assert_int_eq(gm_dataset_find_column(d, "b"), 1);
    gm_dataset_free(d);
    memcpy(twice, packed, sizeof packed);
    memcpy(twice + sizeof packed, packed, sizeof packed); /* two members are one text */
    test_fails(ctx, load(ctx, twice, sizeof twice, "npy", &d), GM_E_FORMAT, "no NPY file");
    for (int64_t n = 2; n < (int64_t)sizeof packed; n++)
        test_fails(ctx, load(ctx, packed, n, "csv", &d), GM_E_FORMAT,
                   "t: the gzipped data is cut off");
    twice[20] ^= 1;
    test_fails(ctx, load(ctx, twice, sizeof twice, "csv", &d), GM_E_FORMAT,
               "t: the gzipped data is damaged");
    ck_assert(test_every_failure(gzip_body, NULL, 0) > 5);
}
END_TEST

/* ---- Hostile --------------------------------------------------------------------------------- */

static int64_t make_seed(int i, unsigned char *bytes)
{
    file f = {.size = 0};
    if (i % 2 == 0) {
        npy_header(&f, 1 + i / 2 % 3,
                   i % 4
                       ? "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }          \n"
                       : "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3, 4), }        \n");
        for (int k = 0; k < 12; k++)
            put(&f, bits_of(k, 'f', 4), 4, 0);
    } else {
        put(&f, i % 3 ? 0x803 : 0xd02, 4, 1);
        put(&f, 4, 4, 1);
        put(&f, 3, 4, 1);
        for (int k = 0; k < 13; k++)
            put(&f, (uint64_t)k, 4, 1);
    }
    memcpy(bytes, f.bytes, (size_t)f.size);
    return f.size;
}

START_TEST(hostile)
{
    uint64_t seed = 5;
    int taken = 0, runs = test_quick() ? 2000 : 20000;
    for (int i = 0; i < runs; i++) {
        unsigned char bytes[4096];
        test_memory memory = {0};
        gm_allocator a = test_memory_allocator(&memory);
        gm_context *own = test_context(&a);
        gm_dataset *d;
        int64_t n = make_seed(i, bytes);
        for (int changes = (int)(test_random(&seed) % 4); changes > 0; changes--) {
            int64_t at = (int64_t)(test_random(&seed) % (uint64_t)(i % 3 ? n : 90)) % n;
            bytes[at] = test_random(&seed) % 2
                            ? (unsigned char)(bytes[at] ^ 1 << test_random(&seed) % 8)
                            : "0129'(),fiu<>|"[test_random(&seed) % 14];
        }
        if (i % 5 == 0)
            n = (int64_t)(test_random(&seed) % (uint64_t)n);
        gm_status got = load(own, bytes, n, i % 2 ? "idx" : "npy", &d);
        ck_assert_msg(got == GM_OK || got == GM_E_FORMAT || got == GM_E_DATA || got == GM_E_SHAPE ||
                          got == GM_E_UNSUPPORTED,
                      "%d: %s", got, test_error(own));
        ck_assert((got == GM_OK) == (d != NULL));
        taken += got == GM_OK;
        gm_dataset_free(d);
        gm_context_free(own);
        ck_assert_int_eq(memory.blocks, 0);
        ck_assert(memory.peak < 1 << 20);
    }
    ck_assert(taken > runs / 10 && taken < runs);
}
END_TEST

static gm_status body(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    unsigned char bytes[4096];
    gm_context *own = NULL;
    gm_dataset *d = NULL;
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    int i = *(int *)arg;
    int64_t n = make_seed(i, bytes);
    gm_status code = gm_context_create(&config, &own);
    code = code ? code : load(own, bytes, n, i % 2 ? "idx" : "npy", &d);
    code = code ? code : gm_dataset_write(own, d, &writer, i % 2 ? "npy" : "idx");
    gm_dataset_free(d);
    gm_context_free(own);
    test_sink_clear(&sink);
    return code;
}

START_TEST(memory)
{
    for (int i = 2; i < 4; i++)
        ck_assert(test_every_failure(body, &i, 0) > 5);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("npy");
    TCase *c = tcase_create("npy");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, npy_types);
    tcase_add_test(c, idx_types);
    tcase_add_test(c, vectors);
    tcase_add_test(c, refuses);
    tcase_add_test(c, round_trip);
    tcase_add_test(c, gzipped);
    tcase_add_test(c, hostile);
    tcase_add_test(c, memory);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
