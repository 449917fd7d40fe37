/* Datasets in memory: making, asking, views, schemas, and how data answers a model's schema. */
#include "support.h"
#include "data/data.h"
#include "genmod/dataset.h"

#include <math.h>
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

static gm_column column(const gm_dataset *data, int64_t i)
{
    gm_column c = {.struct_size = sizeof c};
    test_ok(ctx, gm_dataset_column(ctx, data, i, &c));
    return c;
}

static gm_dataset *from(const double *x, int64_t n, int64_t d)
{
    gm_dataset *data;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &data));
    return data;
}

static gm_dataset *csv(const char *text)
{
    test_source source = {.data = text, .size = (int64_t)strlen(text)};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *data;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "t", NULL, &data));
    return data;
}

static gm_dataset *typed(gm_dataset *data, int64_t i, int32_t type)
{
    gm_dataset *view;
    test_ok(ctx, gm_dataset_with_type(ctx, data, i, type, 360, &view));
    gm_dataset_free(data);
    return view;
}

/* ---- Making ---------------------------------------------------------------------------------- */

START_TEST(arrays)
{
    float x[12];
    double y[6];
    gm_dataset *data;
    for (int i = 0; i < 12; i++)
        x[i] = (float)i / 4;
    test_ok(ctx, gm_dataset_from_f32(ctx, x, 3, 2, 4, &data));
    x[0] = 99; /* a copy */
    test_ok(ctx, gm_dataset_read_f64(ctx, data, 0, 3, y, 0));
    ck_assert(y[0] == 0 && y[1] == 0.25 && y[2] == 1 && y[3] == 1.25 && y[4] == 2 && y[5] == 2.25);
    ck_assert_int_eq(gm_dataset_row_count(data), 3);
    ck_assert_int_eq(gm_dataset_column_count(data), 2);
    ck_assert(column(data, 1).type == GM_COLUMN_REAL && column(data, 1).low == 0.25 &&
              column(data, 1).high == 2.25);
    ck_assert_str_eq(column(data, 0).name, "");
    ck_assert_int_eq(gm_dataset_row_count(NULL), 0);
    test_fails(ctx, gm_dataset_read_f64(ctx, data, 2, 2, y, 0), GM_E_RANGE,
               "2 rows from row 2, there are 3");
    test_fails(ctx, gm_dataset_read_f64(ctx, data, INT64_MAX, INT64_MAX, y, 0), GM_E_RANGE,
               "9223372036854775807 rows from row 9223372036854775807, there are 3");
    test_fails(ctx, gm_dataset_read_f64(ctx, data, 0, 1, y, 1), GM_E_SHAPE, "row stride 1");
    gm_column c = {.struct_size = sizeof c};
    test_fails(ctx, gm_dataset_column(ctx, data, 2, &c), GM_E_RANGE,
               "column number 2, there are 2");
    gm_dataset_free(data);
    x[7] = NAN;
    test_fails(ctx, gm_dataset_from_f32(ctx, x, 4, 3, 0, &data), GM_E_DATA,
               "row 3: column 2 is nan, a finite number");
    ck_assert_ptr_null(data);
    x[7] = -INFINITY;
    test_fails(ctx, gm_dataset_from_f32(ctx, x, 4, 3, 0, &data), GM_E_DATA,
               "row 3: column 2 is -inf");
    test_fails(ctx, gm_dataset_from_f32(ctx, x, 0, 3, 0, &data), GM_E_SHAPE, NULL);
    test_fails(ctx, gm_dataset_from_f32(ctx, NULL, 4, 3, 0, &data), GM_E_ARG, "NULL");
    test_fails(ctx, gm_dataset_from_f32(ctx, x, INT64_MAX, 1 << 20, 0, &data), GM_E_MEMORY, NULL);
}
END_TEST

/* Images of 2 by 3 in an odd layout: the shape of a row is kept. */
START_TEST(strides)
{
    uint8_t pixels[48];
    gm_array a;
    gm_dataset *data;
    double row[6];
    int64_t shape[8];
    int32_t ndim;
    for (int i = 0; i < 48; i++)
        pixels[i] = (uint8_t)i;
    gm_array_init(&a, GM_U8, pixels + 47, 4, 2);
    a.ndim = 3;
    a.shape[2] = 3;
    a.strides[0] = -12;
    a.strides[1] = -1;
    a.strides[2] = -4;
    for (int borrowed = 0; borrowed < 2; borrowed++) {
        test_ok(ctx, borrowed ? gm_dataset_borrow_array(ctx, &a, NULL, NULL, &data)
                              : gm_dataset_from_array(ctx, &a, &data));
        test_ok(ctx, gm_dataset_read_f64(ctx, data, 1, 1, row, 0));
        for (int j = 0; j < 6; j++)
            ck_assert(row[j] == 47 - 12 - j / 3 - 4 * (j % 3));
        test_ok(ctx, gm_dataset_row_shape(ctx, data, &ndim, shape));
        ck_assert(ndim == 2 && shape[0] == 2 && shape[1] == 3);
        ck_assert_int_eq(column(data, 0).type, GM_COLUMN_INTEGER);
        gm_dataset_free(data);
    }
}
END_TEST

static void count_release(void *user)
{
    ++*(int *)user;
}

START_TEST(borrowing)
{
    double x[6] = {1, 2, 3, 4, 5, 6}, y[2];
    int released = 0;
    gm_array a;
    gm_dataset *data, *view, *part;
    const int64_t which[] = {2, 0};
    gm_array_init(&a, GM_F64, x, 3, 2);
    test_ok(ctx, gm_dataset_borrow_array(ctx, &a, count_release, &released, &data));
    x[4] = 50; /* in place */
    test_ok(ctx, gm_dataset_take(ctx, data, which, 2, &view));
    gm_dataset_free(data);
    test_ok(ctx, gm_dataset_select(ctx, view, which + 1, 1, &part));
    gm_dataset_free(view);
    ck_assert_int_eq(released, 0);
    test_ok(ctx, gm_dataset_read_f64(ctx, part, 0, 2, y, 0));
    ck_assert(y[0] == 50 && y[1] == 1);
    gm_dataset_free(part);
    ck_assert_int_eq(released, 1);
    x[3] = NAN;
    test_fails(ctx, gm_dataset_borrow_array(ctx, &a, count_release, &released, &data), GM_E_DATA,
               "row 2: column 2 is nan");
    ck_assert_int_eq(released, 2); /* also when it fails */
    test_fails(ctx, gm_dataset_borrow_array(ctx, NULL, count_release, &released, &data), GM_E_ARG,
               NULL);
    ck_assert_int_eq(released, 3);
}
END_TEST

static int32_t fill_rows(void *user, int64_t first, int64_t count, double *out)
{
    int64_t *fail_at = user;
    for (int64_t i = 0; i < count * 3; i++)
        out[i] = (double)(first * 3 + i);
    return *fail_at >= first && *fail_at < first + count ? -1 : 0;
}

START_TEST(sources)
{
    int64_t fail_at = -1;
    gm_source source = {sizeof source, &fail_at, 50000, 3, fill_rows};
    gm_dataset *data;
    double row[3];
    test_ok(ctx, gm_dataset_from_source(ctx, &source, &data));
    test_ok(ctx, gm_dataset_read_f64(ctx, data, 49999, 1, row, 0));
    ck_assert(row[0] == 149997 && row[2] == 149999);
    gm_dataset_free(data);
    fail_at = 30000;
    test_fails(ctx, gm_dataset_from_source(ctx, &source, &data), GM_E_IO, "source: reading rows");
    source.columns = 0;
    test_fails(ctx, gm_dataset_from_source(ctx, &source, &data), GM_E_SHAPE, NULL);
}
END_TEST

/* ---- Views ----------------------------------------------------------------------------------- */

START_TEST(views)
{
    double x[20], y[4];
    const int64_t rows[] = {4, 1, 1, 0}, again[] = {3, 0}, columns[] = {3, 1}, bad[] = {5};
    gm_dataset *a, *b, *c;
    for (int i = 0; i < 20; i++)
        x[i] = i;
    a = from(x, 5, 4);
    test_ok(ctx, gm_dataset_take(ctx, a, rows, 4, &b));
    gm_dataset_free(a);
    test_ok(ctx, gm_dataset_take(ctx, b, again, 2, &c));
    gm_dataset_free(b);
    test_ok(ctx, gm_dataset_select(ctx, c, columns, 2, &b));
    gm_dataset_free(c);
    test_ok(ctx, gm_dataset_read_f64(ctx, b, 0, 2, y, 0));
    ck_assert(y[0] == 3 && y[1] == 1 && y[2] == 19 && y[3] == 17);
    test_fails(ctx, gm_dataset_take(ctx, b, bad, 1, &a), GM_E_RANGE, "row number 5, there are 2");
    test_fails(ctx, gm_dataset_select(ctx, b, bad, 1, &a), GM_E_RANGE,
               "column number 5, there are 2");
    const int64_t twice[] = {1, 0, 1};
    test_fails(ctx, gm_dataset_select(ctx, b, twice, 3, &a), GM_E_ARG,
               "column 2 is selected twice");
    test_fails(ctx, gm_dataset_split(ctx, b, 0.5, 1, &a, &a), GM_E_ARG, "one place");
    test_fails(ctx, gm_dataset_with_role(ctx, b, 0, 9, &a), GM_E_ARG, "9 is no role");
    test_ok(ctx, gm_dataset_with_role(ctx, b, 1, GM_ROLE_LABEL, &a));
    ck_assert(column(a, 1).role == GM_ROLE_LABEL && column(b, 1).role == GM_ROLE_FEATURE);
    gm_dataset_free(a);
    gm_dataset_free(b);
}
END_TEST

START_TEST(splits)
{
    enum { N = 1000 };
    static double x[N], y[N], z[N];
    gm_dataset *all, *a, *b, *c, *d;
    for (int i = 0; i < N; i++)
        x[i] = i;
    all = from(x, N, 1);
    test_ok(ctx, gm_dataset_split(ctx, all, 0.2, 7, &a, &b));
    test_ok(ctx, gm_dataset_split(ctx, all, 0.2, 8, &c, &d));
    ck_assert(gm_dataset_row_count(a) == 800 && gm_dataset_row_count(b) == 200);
    test_ok(ctx, gm_dataset_read_f64(ctx, a, 0, 800, y, 0));
    test_ok(ctx, gm_dataset_read_f64(ctx, b, 0, 200, y + 800, 0));
    test_ok(ctx, gm_dataset_read_f64(ctx, d, 0, 200, z, 0));
    ck_assert(memcmp(y + 800, z, 200 * sizeof *z) != 0);
    char seen[N] = {0};
    for (int i = 0; i < N; i++) {
        ck_assert(!seen[(int)y[i]]++);
        ck_assert(i == 0 || i == 800 || y[i] > y[i - 1]);
    }
    double mean = 0;
    for (int i = 0; i < 200; i++)
        mean += y[800 + i] / 200;
    ck_assert(fabs(mean - 499.5) < 80);
    gm_dataset_free(a);
    gm_dataset_free(b);
    gm_dataset_free(c);
    gm_dataset_free(d);
    test_fails(ctx, gm_dataset_split(ctx, all, 0.0001, 7, &a, &b), GM_E_RANGE,
               "leaves one part empty");
    test_fails(ctx, gm_dataset_split(ctx, all, NAN, 7, &a, &b), GM_E_RANGE,
               "must lie between 0 and 1");
    ck_assert(!a && !b);
    gm_dataset_free(all);
}
END_TEST

START_TEST(types)
{
    const double x[] = {3, 0.5, 1, 3, 2.5, 7, -1, 0.5, 2};
    const int64_t rows[] = {0, 1, 1};
    double y[3];
    gm_dataset *a = from(x, 9, 1), *b, *c;
    test_ok(ctx, gm_dataset_with_type(ctx, a, 0, GM_COLUMN_CATEGORY, 0, &b));
    ck_assert_int_eq(column(b, 0).categories, 7);
    ck_assert_str_eq(gm_dataset_category(b, 0, 0), "-1");
    ck_assert_str_eq(gm_dataset_category(b, 0, 4), "2.5");
    test_ok(ctx, gm_dataset_read_f64(ctx, b, 0, 3, y, 0));
    ck_assert(y[0] == 5 && y[1] == 1 && y[2] == 2);
    ck_assert(column(b, 0).low == 0 && column(b, 0).high == 6);
    test_ok(ctx, gm_dataset_with_type(ctx, b, 0, GM_COLUMN_REAL, 0, &c)); /* and back */
    test_ok(ctx, gm_dataset_read_f64(ctx, c, 0, 3, y, 0));
    ck_assert(y[0] == 3 && y[1] == 0.5 && y[2] == 1 && column(c, 0).categories == 0);
    gm_dataset_free(c);
    gm_dataset_free(b);
    test_fails(ctx, gm_dataset_with_type(ctx, a, 0, GM_COLUMN_INTEGER, 0, &b), GM_E_DATA,
               "row 2: column 1 is 0.5, a whole number was expected");
    test_fails(ctx, gm_dataset_with_type(ctx, a, 0, GM_COLUMN_BINARY, 0, &b), GM_E_DATA,
               "more than the two values");
    test_fails(ctx, gm_dataset_with_type(ctx, a, 0, GM_COLUMN_CIRCULAR, 0, &b), GM_E_RANGE,
               "a period of 0");
    test_fails(ctx, gm_dataset_with_type(ctx, a, 0, 77, 0, &b), GM_E_ARG, "77 is no type");
    ck_assert_ptr_null(b);
    test_ok(ctx, gm_dataset_take(ctx, a, rows, 3, &c)); /* of a view: its own values alone */
    c = typed(c, 0, GM_COLUMN_BINARY);
    ck_assert_int_eq(column(c, 0).categories, 2);
    test_ok(ctx, gm_dataset_read_f64(ctx, c, 0, 3, y, 0));
    ck_assert(y[0] == 1 && y[1] == 0 && y[2] == 0);
    gm_dataset_free(c);
    gm_dataset_free(a);
    a = csv("k,v\nred,1\nblue,2\ngreen,3\n");
    test_fails(ctx, gm_dataset_with_type(ctx, a, 0, GM_COLUMN_REAL, 0, &b), GM_E_DATA,
               "column 'k' has the category 'blue', a number was expected");
    a = typed(a, 0, GM_COLUMN_ORDERED);
    ck_assert_str_eq(gm_dataset_category(a, 0, 2), "red");
    gm_dataset_free(a);
}
END_TEST

/* ---- Schema ---------------------------------------------------------------------------------- */

static gm_status reparse(gm_context *own, const gm__schema *s, gm__schema **made)
{
    gm__buffer text = {.allocator = own->allocator};
    gm__arena arena = {.allocator = own->allocator};
    const gm__json *root;
    *made = NULL;
    gm__schema_write(s, &text);
    gm_status code = text.failed
                         ? gm__no_memory(own)
                         : gm__json_parse(own, "s", text.data, (int64_t)text.size, &arena, &root);
    if (!code)
        code = gm__schema_parse(own, root, made);
    gm__arena_clear(&arena);
    gm__buffer_clear(&text);
    return code;
}

START_TEST(schema_files)
{
    gm_dataset *data =
        csv("x,\"a \"\"b\"\"\",n,f,c\n1.5,\"u\nv\",1,0,7\n2.25,w,2,1,\n2.25,z,3,1,9\n");
    gm_dataset *view;
    test_ok(ctx, gm_dataset_with_role(ctx, data, 3, GM_ROLE_LABEL, &view));
    gm_dataset_free(data);
    data = typed(view, 0, GM_COLUMN_CIRCULAR);
    const gm__schema *s = gm__dataset_schema(data);
    gm__schema *t;
    test_ok(ctx, reparse(ctx, s, &t));
    ck_assert_int_eq(t->count, s->count);
    for (int64_t i = 0; i < s->count; i++) {
        const gm__column *a = &s->columns[i], *b = &t->columns[i];
        ck_assert_str_eq(a->name, b->name);
        ck_assert(a->type == b->type && a->role == b->role && a->missing == b->missing &&
                  a->categories == b->categories);
        ck_assert(a->low == b->low && a->high == b->high && a->resolution == b->resolution &&
                  a->period == b->period);
        ck_assert(a->missing_count == b->missing_count);
        for (int64_t k = 0; k < a->categories; k++)
            ck_assert_str_eq(a->category[k], b->category[k]);
    }
    gm__schema_release(t);
    gm_dataset_free(data);
}
END_TEST

START_TEST(schema_refuses)
{
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"{}", "'columns' must be an array"},
        {"{\"columns\":[]}", "0 columns"},
        {"{\"columns\":[1]}", "column 1: 'type' must be a text"},
        {"{\"columns\":[{\"type\":\"colour\"}]}", "unknown type 'colour'"},
        {"{\"columns\":[{\"type\":\"real\",\"role\":\"x\"}]}", "unknown role"},
        {"{\"columns\":[{\"type\":\"real\",\"low\":2,\"high\":1}]}", "contradict"},
        {"{\"columns\":[{\"type\":\"real\",\"low\":\"inf\"}]}", "'low' must be finite"},
        {"{\"columns\":[{\"type\":\"circular\"}]}", "contradict"},
        {"{\"columns\":[{\"type\":\"real\",\"categories\":[\"a\"]}]}", "1 categories"},
        {"{\"columns\":[{\"type\":\"category\"}]}", "'categories' must be an array"},
        {"{\"columns\":[{\"type\":\"category\",\"categories\":[]}]}", "0 categories"},
        {"{\"columns\":[{\"type\":\"category\",\"categories\":[\"a\",\"a\"]}]}",
         "the category 'a' twice"},
        {"{\"columns\":[{\"type\":\"category\",\"categories\":[1]}]}", "must be a text"},
        {"{\"columns\":[{\"type\":\"binary\",\"categories\":[\"a\",\"b\",\"c\"]}]}",
         "3 categories in a column of type binary"},
        {"{\"columns\":[{\"type\":\"real\"}],\"row_shape\":[2]}",
         "'row_shape' has 2 cells, there are 1 columns"},
        {"{\"columns\":[{\"type\":\"real\"}],\"row_shape\":[0]}", "positive"},
        {"{\"columns\":[{\"type\":\"real\"}],\"row_shape\":[4294967296,4294967296,4294967296]}",
         "positive"},
        {"{\"columns\":[{\"type\":\"real\"}],\"row_shape\":[1,1,1,1,1,1,1,1,1]}", "1 to 8 sizes"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gm__arena arena = {.allocator = ctx->allocator};
        const gm__json *root;
        gm__schema *s;
        test_ok(ctx,
                gm__json_parse(ctx, "s", bad[i].text, (int64_t)strlen(bad[i].text), &arena, &root));
        test_fails(ctx, gm__schema_parse(ctx, root, &s), GM_E_FORMAT, bad[i].part);
        ck_assert_ptr_null(s);
        gm__arena_clear(&arena);
    }
}
END_TEST

/* ---- Matching -------------------------------------------------------------------------------- */

#define FEATURES (1 << GM_ROLE_FEATURE)

START_TEST(match_by_name)
{
    gm_dataset *model = csv("x,kind,n\n0.5,red,1\n1.5,blue,2\n2.5,green,3\n");
    gm_dataset *data = csv("extra,n,kind,x\n9,1,green,0.25\n9,3,pink,4\n9,2,red,5\n");
    gm__match *m;
    double y[9];
    const int64_t rows[] = {2, 0};
    test_ok(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m));
    ck_assert_int_eq(gm__match_columns(m), 3);
    gm__match_rows(m, data, NULL, 0, 3, y);
    ck_assert(y[0] == 0.25 && y[1] == 1 && y[2] == 1); /* green is 1 for the model */
    ck_assert(y[3] == 4 && y[4] == GM__UNSEEN && y[5] == 3);
    gm__match_rows(m, data, rows, 0, 2, y);
    ck_assert(y[0] == 5 && y[1] == 2 && y[3] == 0.25);
    gm__match_free(m);
    gm_dataset_free(data);
    data = csv("x,n\n1,2\n2.5,3\n");
    test_fails(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m),
               GM_E_UNKNOWN, "no column 'kind', which the model was trained on; it has: x, n");
    ck_assert_ptr_null(m);
    gm_dataset_free(data);
    data = csv("x,kind,n\n1,2,3\n2,3,4\n");
    test_fails(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m), GM_E_DATA,
               "column 'kind' holds numbers, categories such as 'blue' were expected");
    gm_dataset_free(data);
    data = csv("x,kind,n\na,red,3\nb,red,4\nc,red,5\n");
    test_fails(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m), GM_E_DATA,
               "row 1, column 'x' is 'a', a number was expected");
    gm_dataset_free(data);
    data = csv("x,kind,n\n1,red,3\n2,red,4\nq,red,5\nb,red,5\n");
    test_fails(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m), GM_E_DATA,
               "row 3, column 'x' is 'q', a number was expected");
    gm_dataset_free(data);
    data = csv("x,kind,n\n1.5,red,3\n,red,4\n2.5,red,5\n");
    test_fails(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m), GM_E_DATA,
               "row 2, column 'x' is missing (1 are in all), the model takes no missing values");
    gm_dataset_free(data);
    gm_dataset_free(model);
}
END_TEST

/* A few rows of 0 and 1 are read as binary; a model of numbers takes them as numbers. */
START_TEST(match_types)
{
    gm_dataset *model = typed(csv("a,b\n3,7\n4,0\n5,1\n"), 1, GM_COLUMN_CATEGORY),
               *data = csv("a,b\n0,1\n1,7\n1,5\n");
    gm__match *m;
    double y[6];
    test_ok(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m));
    gm__match_rows(m, data, NULL, 0, 3, y);
    ck_assert(y[0] == 0 && y[1] == 1 && y[2] == 1 && y[3] == 2 && y[4] == 1 && y[5] == GM__UNSEEN);
    gm__match_free(m);
    gm_dataset_free(data);
    gm_dataset_free(model);
}
END_TEST

START_TEST(match_by_position)
{
    gm_dataset *named = csv("x,label,y\n0.5,1,1.5\n1.5,2,2.5\n"), *model, *data;
    const double x[] = {1, 2, 3, 4, 5, 6};
    gm__match *m;
    double y[6];
    test_ok(ctx, gm_dataset_with_role(ctx, named, 1, GM_ROLE_LABEL, &model));
    data = from(x, 3, 2);
    test_ok(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m));
    gm__match_rows(m, data, NULL, 0, 3, y);
    ck_assert(y[0] == 1 && y[1] == 2 && y[5] == 6);
    gm__match_free(m);
    gm_dataset_free(data);
    data = from(x, 2, 3);
    test_ok(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m));
    gm__match_rows(m, data, NULL, 0, 2, y);
    ck_assert(y[0] == 1 && y[1] == 3 && y[2] == 4 && y[3] == 6);
    gm__match_free(m);
    gm_dataset_free(data);
    data = from(x, 1, 6);
    test_fails(ctx, gm__match_create(ctx, gm__dataset_schema(model), FEATURES, data, &m),
               GM_E_SHAPE, "the data has 6 columns, the model expects 2");
    gm_dataset_free(data);
    gm_dataset_free(model);
    gm_dataset_free(named);
}
END_TEST

START_TEST(made_by_a_model)
{
    gm_dataset *a = csv("k,v\nred,1.5\nblue,2\n"), *b;
    const double cells[] = {1, 0.25, 0, 7};
    test_ok(ctx, gm__dataset_make(ctx, gm__dataset_schema(a), cells, 2, &b));
    gm_dataset_free(a);
    double y[4];
    test_ok(ctx, gm_dataset_read_f64(ctx, b, 0, 2, y, 0));
    ck_assert(!memcmp(y, cells, sizeof y));
    ck_assert_str_eq(gm_dataset_category(b, 0, 1), "red");
    gm_dataset_free(b);
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

static gm_status body(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    const int64_t rows[] = {0, 2, 5, 7, 8, 9, 1, 3};
    gm_context *own = NULL;
    gm_dataset *d[6] = {NULL};
    gm__schema *s = NULL;
    gm__match *m = NULL;
    double x[20];
    (void)arg;
    for (int i = 0; i < 20; i++)
        x[i] = i % 5;
    gm_status code = gm_context_create(&config, &own);
    code = code ? code : gm_dataset_from_f64(own, x, 10, 2, 0, &d[0]);
    code = code ? code : gm_dataset_with_type(own, d[0], 0, GM_COLUMN_CATEGORY, 0, &d[1]);
    code = code ? code : gm_dataset_take(own, d[1], rows, 8, &d[2]);
    code = code ? code : gm_dataset_split(own, d[2], 0.5, 3, &d[3], &d[4]);
    code = code ? code : gm_dataset_with_type(own, d[3], 0, GM_COLUMN_INTEGER, 0, &d[5]);
    code = code ? code : gm__match_create(own, gm__dataset_schema(d[1]), FEATURES, d[0], &m);
    code = code ? code : reparse(own, gm__dataset_schema(d[1]), &s);
    gm__match_free(m);
    gm__schema_release(s);
    for (int i = 0; i < 6; i++)
        gm_dataset_free(d[i]);
    gm_context_free(own);
    return code;
}

START_TEST(memory)
{
    ck_assert(test_every_failure(body, NULL, 0) > 40);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("data");
    TCase *c = tcase_create("data");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, arrays);
    tcase_add_test(c, strides);
    tcase_add_test(c, borrowing);
    tcase_add_test(c, sources);
    tcase_add_test(c, views);
    tcase_add_test(c, splits);
    tcase_add_test(c, types);
    tcase_add_test(c, schema_files);
    tcase_add_test(c, schema_refuses);
    tcase_add_test(c, match_by_name);
    tcase_add_test(c, match_types);
    tcase_add_test(c, match_by_position);
    tcase_add_test(c, made_by_a_model);
    tcase_add_test(c, memory);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
