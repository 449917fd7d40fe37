/* The JSON reader: what it must take, what it must refuse, and texts that nobody would write. */
#include "support.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>

static gm_context *ctx;
static gm__arena arena;

static void setup(void)
{
    ctx = test_context(NULL);
    arena = (gm__arena){.allocator = ctx->allocator};
}

static void teardown(void)
{
    gm__arena_clear(&arena);
    gm_context_free(ctx);
}

static const gm__json *parsed(const char *text)
{
    const gm__json *root;
    test_ok(ctx, gm__json_parse(ctx, "test.json", text, (int64_t)strlen(text), &arena, &root));
    return root;
}

START_TEST(reads_values)
{
    const gm__json *r = parsed(" {\"a\" : [1, -2.5e3 ,\"x\\n\\u00e9\\ud83d\\ude00\", true,false, "
                               "null, {}, []], \"b\":{\"c\":0}}\n");
    ck_assert_int_eq(r->type, GM__JSON_OBJECT);
    ck_assert_int_eq(r->count, 2);
    const gm__json *a = gm__json_get(r, "a"), *v = a->first;
    ck_assert_int_eq(a->count, 8);
    ck_assert(v->type == GM__JSON_NUMBER && v->number == 1 && !strcmp(v->text, "1"));
    v = v->next;
    ck_assert(v->number == -2500 && !strcmp(v->text, "-2.5e3"));
    v = v->next;
    ck_assert_str_eq(v->text, "x\n\xc3\xa9\xf0\x9f\x98\x80");
    ck_assert_int_eq(v->text_length, 8);
    v = v->next;
    ck_assert(v->type == GM__JSON_BOOL && v->number == 1);
    v = v->next;
    ck_assert(v->type == GM__JSON_BOOL && v->number == 0);
    v = v->next;
    ck_assert_int_eq(v->type, GM__JSON_NULL);
    v = v->next;
    ck_assert(v->type == GM__JSON_OBJECT && v->count == 0 && !v->first);
    v = v->next;
    ck_assert(v->type == GM__JSON_ARRAY && v->count == 0 && !v->next);
    int64_t c = 9;
    test_ok(ctx, gm__json_int(ctx, gm__json_get(r, "b"), "c", 0, 5, &c));
    ck_assert_int_eq(c, 0);
    ck_assert_ptr_null(gm__json_get(r, "none"));
    ck_assert_ptr_null(gm__json_get(a, "a"));
}
END_TEST

START_TEST(refuses)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "[",
                                      "]",
                                      "{",
                                      "}",
                                      "[1",
                                      "[1,",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{\"a\" 1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\":1,\"a\":2}",
                                      "[1}",
                                      "{\"a\":1]",
                                      "1 2",
                                      "01",
                                      "-",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "1e+",
                                      "0x10",
                                      "nan",
                                      "NaN",
                                      "Infinity",
                                      "tru",
                                      "nul",
                                      "True",
                                      "\"",
                                      "\"\\",
                                      "\"\\q\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\u0000\"",
                                      "\"\t\"",
                                      "\"\n\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "[1]x",
                                      "'a'",
                                      "{1:2}",
                                      "[\"a\":1]",
                                      "/**/1",
                                      "\xef\xbb\xbf"
                                      "1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const gm__json *root = &(gm__json){0};
        gm_status got =
            gm__json_parse(ctx, "test.json", bad[i], (int64_t)strlen(bad[i]), &arena, &root);
        ck_assert_msg(got == GM_E_FORMAT && !root, "taken: %s", bad[i]);
        ck_assert_msg(strstr(test_error(ctx), "test.json: JSON at byte "), "%s", test_error(ctx));
    }
}
END_TEST

START_TEST(depth)
{
    char text[400] = "";
    const gm__json *root;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    test_ok(ctx, gm__json_parse(ctx, "deep", text, 128, &arena, &root));
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    test_fails(ctx, gm__json_parse(ctx, "deep", text, 130, &arena, &root), GM_E_FORMAT, "deep");
}
END_TEST

START_TEST(members)
{
    const gm__json *r = parsed("{\"n\":7,\"x\":1.5,\"t\":\"hi\",\"inf\":\"-inf\",\"big\":"
                               "99999999999999999999,\"l\":[1]}"),
                   *list;
    int64_t n;
    double x;
    const char *t;
    test_fails(ctx, gm__json_int(ctx, r, "n", 8, 9, &n), GM_E_FORMAT, "'n' is 7, must be 8 to 9");
    test_fails(ctx, gm__json_int(ctx, r, "x", 0, 9, &n), GM_E_FORMAT, "'x' must be a whole number");
    test_fails(ctx, gm__json_int(ctx, r, "big", 0, INT64_MAX, &n), GM_E_FORMAT, "'big'");
    test_fails(ctx, gm__json_int(ctx, r, "none", 0, 9, &n), GM_E_FORMAT, "'none'");
    test_ok(ctx, gm__json_real(ctx, r, "x", &x));
    ck_assert(x == 1.5);
    test_ok(ctx, gm__json_real(ctx, r, "inf", &x));
    ck_assert(x == -INFINITY);
    test_fails(ctx, gm__json_real(ctx, r, "t", &x), GM_E_FORMAT, "'t' must be a number");
    test_ok(ctx, gm__json_text(ctx, r, "t", &t));
    ck_assert_str_eq(t, "hi");
    test_fails(ctx, gm__json_text(ctx, r, "n", &t), GM_E_FORMAT, "'n' must be a text");
    test_ok(ctx, gm__json_list(ctx, r, "l", GM__JSON_ARRAY, &list));
    test_fails(ctx, gm__json_list(ctx, r, "l", GM__JSON_OBJECT, &list), GM_E_FORMAT,
               "'l' must be an object");
}
END_TEST

START_TEST(writes_what_it_reads)
{
    static const double values[] = {0,      -0.0,     1,         0.1, 1e300,
                                    5e-324, INFINITY, -INFINITY, NAN, 123456789.123};
    char all[260];
    gm__buffer b = {.allocator = ctx->allocator};
    for (int c = 1; c < 256; c++)
        all[c - 1] = (char)(c < 128 ? c : 'a');
    all[255] = 0;
    gm__buffer_text(&b, "{\"t\":");
    gm__json_quote(&b, all);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        gm__buffer_format(&b, ",\"x%zu\":", i);
        gm__json_write_real(&b, values[i]);
    }
    gm__buffer_text(&b, "}");
    const gm__json *r = parsed(b.data);
    const char *t;
    test_ok(ctx, gm__json_text(ctx, r, "t", &t));
    ck_assert_str_eq(t, all);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char name[8] = {'x', (char)('0' + i), 0};
        double x;
        test_ok(ctx, gm__json_real(ctx, r, name, &x));
        ck_assert(test_ulps_f64(x, values[i]) == 0);
    }
    gm__buffer_clear(&b);
}
END_TEST

/* Any change to a good text gives a status, and memory stays in proportion. */
START_TEST(hostile)
{
    static const char good[] = "{\"family\":\"flow\",\"options\":{\"bins\":8,\"x\":-1.5e-3},"
                               "\"list\":[1,2,[3,{\"a\":null}],true,\"\\u00e9\\n\"]}";
    uint64_t seed = 1;
    for (int i = 0; i < (test_quick() ? 2000 : 30000); i++) {
        char text[sizeof good];
        test_memory memory = {0};
        gm_allocator a = test_memory_allocator(&memory);
        gm__arena own = {.allocator = a};
        const gm__json *root;
        int64_t n = sizeof good - 1;
        memcpy(text, good, sizeof good);
        for (int flips = (int)(test_random(&seed) % 4); flips >= 0; flips--)
            text[test_random(&seed) % (uint64_t)n] =
                i % 2 ? (char)test_random(&seed) : "[]{},:\"\\0e"[test_random(&seed) % 10];
        if (i % 3 == 0)
            n = (int64_t)(test_random(&seed) % (uint64_t)n);
        gm_status got = gm__json_parse(ctx, "hostile", text, n, &own, &root);
        ck_assert(got == GM_OK || got == GM_E_FORMAT);
        ck_assert(memory.peak < 65536);
        gm__arena_clear(&own);
        ck_assert_int_eq(memory.blocks, 0);
    }
}
END_TEST

/* A hundred thousand names: sorted, not compared with each other. */
START_TEST(many_names)
{
    gm__buffer b = {.allocator = ctx->allocator};
    const gm__json *root;
    gm__buffer_text(&b, "{\"first\":0");
    for (int i = 0; i < 100000; i++)
        gm__buffer_format(&b, ",\"n%d\":%d", i * 7919 % 100003, i);
    gm__buffer_text(&b, "}");
    test_ok(ctx, gm__json_parse(ctx, "many", b.data, (int64_t)b.size, &arena, &root));
    ck_assert_int_eq(root->count, 100001);
    gm__buffer_clear(&b);
}
END_TEST

static gm_status body(const gm_allocator *allocator, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    gm_context *own = NULL;
    const gm__json *root;
    const char *text = arg;
    gm__arena blocks = {0};
    gm_status code = gm_context_create(&config, &own);
    if (!code) {
        blocks.allocator = own->allocator;
        code = gm__json_parse(own, "test", text, (int64_t)strlen(text), &blocks, &root);
        gm__arena_clear(&blocks);
    }
    gm_context_free(own);
    return code;
}

START_TEST(memory)
{
    ck_assert(test_every_failure(body, (void *)(uintptr_t) "{\"a\":[1,2,3],\"b\":\"c\"}", 0) >= 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("json");
    TCase *c = tcase_create("json");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, reads_values);
    tcase_add_test(c, refuses);
    tcase_add_test(c, depth);
    tcase_add_test(c, members);
    tcase_add_test(c, writes_what_it_reads);
    tcase_add_test(c, hostile);
    tcase_add_test(c, many_names);
    tcase_add_test(c, memory);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
