/* Options: ranges, texts of errors, stages, values; settings of a context. */
#include "support.h"
#include "base/options.h"

#include <math.h>

enum { BUILD = GM_STAGE_BUILD, FIT = GM_STAGE_FIT, CALL = GM_STAGE_CALL };

static const gm_option_row table[] = {
    {"bins", BUILD, GM_INT, "8", "2..256", 1, "bins of the spline"},
    {"hidden", BUILD, GM_INTS, "128,128", "1..65536", 1, "widths"},
    {"coupling", BUILD, GM_CHOICE, "nsf", "realnvp|nsf", 1, "coupling"},
    {"layers", BUILD, GM_INT, "auto", "1..64|auto|none", 1, "layers"},
    {"rate", FIT, GM_REAL, "0.001", "(0..1]", 1, "rate"},
    {"decay", FIT, GM_REAL, "0", "0..", 1, "decay"},
    {"share", FIT, GM_REAL, "0.5", "(0..1)", 1, "share"},
    {"lot", FIT, GM_BOOL, "false", "", 1, "lot"},
    {"note", FIT, GM_TEXT, "", "", 1, "note"},
    {"seed", FIT | CALL, GM_SEED, "", "", 1, "seed"},
    {0},
};
static const gm_option_row call_table[] = {
    {"steps", CALL, GM_INT, "10", "1..", 1, "steps"},
    {"rate", CALL, GM_REAL, "7", "..9", 1, "another rate"},
    {0},
};
static const gm_option_row *const tables[] = {table, call_table};
enum { ALL = BUILD | FIT };

static gm_context *ctx;
static gm_options *bag;

static void setup(void)
{
    ctx = test_context(NULL);
    test_ok(ctx, gm_options_create(ctx, &bag));
}

static void teardown(void)
{
    gm_options_free(bag);
    gm_context_free(ctx);
}

static gm_status make(int32_t stage, gm__values **v)
{
    return gm__values_create(ctx, "flow", tables, 2, stage, bag, v);
}

/* ---- Values ---- */

START_TEST(defaults_hold)
{
    gm__values *v;
    const int64_t *widths;
    test_ok(ctx, gm__values_create(ctx, "flow", tables, 2, ALL, NULL, &v));
    ck_assert_int_eq(gm__value_int(v, "bins"), 8);
    ck_assert_int_eq(gm__value_ints(v, "hidden", &widths), 2);
    ck_assert_int_eq(widths[1], 128);
    ck_assert_int_eq(gm__value_int(v, "coupling"), 1);
    ck_assert_str_eq(gm__value_text(v, "coupling"), "nsf");
    ck_assert_int_eq(gm__value_int(v, "layers"), -1);
    ck_assert(gm__value_real(v, "rate") == 0.001);
    ck_assert(gm__value_real(v, "bins") == 8);
    ck_assert_str_eq(gm__value_text(v, "seed"), "");
    ck_assert_str_eq(gm__value_text(v, "nothing"), "");
    ck_assert_int_eq(gm__value_int(v, "nothing"), 0);
    ck_assert(!gm__value_given(v, "bins"));
    int count = 0;
    while (gm__value_at(v, count, NULL))
        count++;
    ck_assert_int_eq(count, 11); /* "rate" once */
    ck_assert_ptr_eq(gm__values_retain(v), v);
    gm__values_free(v);
    gm__values_free(v);
    test_ok(ctx, make(CALL, &v));
    ck_assert(gm__value_real(v, "rate") == 7); /* the row that acts in the stage */
    gm__values_free(v);
}
END_TEST

START_TEST(the_bag_wins)
{
    gm__values *v;
    const int64_t *widths;
    const int64_t given[] = {64, 32, 16};
    test_ok(ctx, gm_options_set_int(ctx, bag, "bins", 16));
    test_ok(ctx, gm_options_set_real(ctx, bag, "rate", 0.25));
    test_ok(ctx, gm_options_set_ints(ctx, bag, "hidden", given, 3));
    test_ok(ctx, gm_options_set_text(ctx, bag, "lot", "Yes"));
    test_ok(ctx, gm_options_set_text(ctx, bag, "layers", "none"));
    test_ok(ctx, gm_options_set_text(ctx, bag, "seed", "18446744073709551615"));
    test_ok(ctx, gm_options_set_text(ctx, bag, "note", "a, b"));
    test_ok(ctx, gm_options_set_text(ctx, bag, "decay", "1e-4"));
    test_ok(ctx, make(ALL, &v));
    ck_assert_int_eq(gm__value_int(v, "bins"), 16);
    ck_assert(gm__value_real(v, "rate") == 0.25);
    ck_assert_int_eq(gm__value_ints(v, "hidden", &widths), 3);
    ck_assert_mem_eq(widths, given, sizeof given);
    ck_assert_str_eq(gm__value_text(v, "hidden"), "64,32,16");
    ck_assert_int_eq(gm__value_int(v, "lot"), 1);
    ck_assert_str_eq(gm__value_text(v, "lot"), "true");
    ck_assert_int_eq(gm__value_int(v, "layers"), -2);
    ck_assert((uint64_t)gm__value_int(v, "seed") == UINT64_MAX);
    ck_assert_str_eq(gm__value_text(v, "seed"), "18446744073709551615");
    ck_assert_str_eq(gm__value_text(v, "note"), "a, b");
    ck_assert_str_eq(gm__value_text(v, "decay"), "0.0001");
    ck_assert(gm__value_given(v, "bins"));
    gm__values_free(v);
    test_ok(ctx, gm_options_set_text(ctx, bag, "hidden", ""));
    test_ok(ctx, make(ALL, &v));
    ck_assert_int_eq(gm__value_ints(v, "hidden", &widths), 0);
    gm__values_free(v);
}
END_TEST

static void refused(const char *name, const char *text, const char *why)
{
    gm__values *v = (gm__values *)bag;
    test_ok(ctx, gm_options_unset(ctx, bag, NULL));
    test_ok(ctx, gm_options_set_text(ctx, bag, name, text));
    test_fails(ctx, make(ALL, &v), GM_E_RANGE, why);
    ck_assert_ptr_null(v);
}

static void allowed(const char *name, const char *text)
{
    gm__values *v;
    test_ok(ctx, gm_options_unset(ctx, bag, NULL));
    test_ok(ctx, gm_options_set_text(ctx, bag, name, text));
    test_ok(ctx, make(ALL, &v));
    gm__values_free(v);
}

START_TEST(ranges_are_kept)
{
    refused("bins", "1", "flow: option 'bins' is 1, must be 2 to 256");
    refused("bins", "257", "must be 2 to 256");
    refused("bins", "eight", "flow: option 'bins' is 'eight', must be a whole number, 2 to 256");
    refused("bins", "8.5", "a whole number");
    refused("bins", "", "is ''");
    refused("bins", "99999999999999999999", "a whole number");
    refused("layers", "65", "must be 1 to 64, or auto or none");
    refused("layers", "aut", "must be a whole number, 1 to 64, or auto or none");
    refused("coupling", "nvp", "flow: option 'coupling' is 'nvp', must be one of realnvp, nsf");
    refused("coupling", "", "must be one of");
    refused("rate", "0", "is 0, must be more than 0 and at most 1");
    refused("rate", "1.01", "at most 1");
    refused("rate", "nan", "at most 1");
    refused("rate", "1x", "must be a number, more than 0");
    refused("decay", "-1", "must be at least 0");
    refused("decay", "inf", "must be at least 0");
    refused("share", "1", "must be more than 0 and less than 1");
    refused("lot", "maybe", "must be true or false");
    refused("seed", "-1", "0 to 18446744073709551615");
    refused("hidden", "1,,2", "whole numbers with commas between them, each 1 to 65536");
    refused("hidden", "1,2,", "each 1 to 65536; it ends with a comma");
    refused("hidden", "1, 2", "each 1 to 65536; it has a blank in it");
    refused("hidden", "0", "each 1 to 65536");
    allowed("bins", "2");
    allowed("bins", "256");
    allowed("bins", "+3");
    allowed("rate", "1");
    allowed("share", "0.999");
    allowed("lot", "OFF");
    allowed("seed", "0");
    char many[200] = "1";
    for (int i = 1; i < 64; i++)
        strcat(many, ",1");
    allowed("hidden", many);
    strcat(many, ",1");
    refused("hidden", many, "at most 64");
}
END_TEST

START_TEST(unknown_names_are_told)
{
    gm__values *v;
    test_ok(ctx, gm_options_set_int(ctx, bag, "hiden", 3));
    test_fails(ctx, make(ALL, &v), GM_E_UNKNOWN,
               "flow: no option 'hiden'; did you mean 'hidden'? There are: bins, ");
    ck_assert_ptr_nonnull(strstr(test_error(ctx), "note, seed"));
    ck_assert_ptr_null(strstr(test_error(ctx), "steps")); /* belongs to another stage */
    test_ok(ctx, gm_options_unset(ctx, bag, "hiden"));
    test_ok(ctx, gm_options_unset(ctx, bag, "hiden"));
    test_ok(ctx, gm_options_set_int(ctx, bag, "zebra", 3));
    test_fails(ctx, make(ALL, &v), GM_E_UNKNOWN,
               "flow: no option 'zebra'; there are: bins, hidden");
}
END_TEST

START_TEST(stages_are_kept)
{
    gm__values *v;
    test_ok(ctx, gm_options_set_int(ctx, bag, "bins", 16));
    test_fails(ctx, make(CALL, &v), GM_E_STAGE, "flow: option 'bins' acts when a model is built");
    test_ok(ctx, make(CALL | BUILD, &v));
    gm__values_free(v);
    test_ok(ctx, gm_options_unset(ctx, bag, NULL));
    test_ok(ctx, gm_options_set_int(ctx, bag, "seed", 16)); /* acts in both */
    test_ok(ctx, make(CALL, &v));
    gm__values_free(v);
    test_ok(ctx, make(FIT, &v));
    gm__values_free(v);
}
END_TEST

/* ---- Bags ---- */

START_TEST(bags_hold_text)
{
    char text[8];
    int64_t length = -1;
    const char *value;
    test_fails(ctx, gm_options_get(ctx, bag, "a", text, sizeof text, NULL), GM_E_UNKNOWN,
               "'a' was not set");
    test_ok(ctx, gm_options_set_text(ctx, bag, "a", "long enough"));
    test_ok(ctx, gm_options_get(ctx, bag, "a", text, sizeof text, &length));
    ck_assert_str_eq(text, "long en");
    ck_assert_int_eq(length, 11);
    test_ok(ctx, gm_options_get(ctx, bag, "a", NULL, 0, &length));
    test_ok(ctx, gm_options_set_real(ctx, bag, "a", 0.1));
    ck_assert_str_eq(gm__options_find(bag, "a"), "0.1");
    for (int i = 0; i < 50; i++) {
        char name[16] = {'n', (char)('0' + i / 10), (char)('0' + i % 10), 0};
        test_ok(ctx, gm_options_set_int(ctx, bag, name, i));
    }
    ck_assert_str_eq(gm__options_at(bag, 50, &value), "n49");
    ck_assert_str_eq(value, "49");
    ck_assert_ptr_null(gm__options_at(bag, 51, NULL));
    gm_options *other;
    test_ok(ctx, gm_options_create(ctx, &other));
    test_ok(ctx, gm_options_set_int(ctx, other, "n49", 1));
    test_ok(ctx, gm__options_merge(ctx, other, bag));
    test_ok(ctx, gm__options_merge(ctx, other, NULL));
    ck_assert_str_eq(gm__options_find(other, "n49"), "49");
    gm_options_free(other);
    gm_options_free(NULL);
}
END_TEST

START_TEST(bad_arguments_are_told)
{
    int64_t one = 1;
    test_fails(ctx, gm_options_set_text(ctx, NULL, "a", "b"), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_set_text(ctx, bag, NULL, "b"), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_set_text(ctx, bag, "", "b"), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_set_text(ctx, bag, "a", NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_set_ints(ctx, bag, "a", NULL, 1), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_set_ints(ctx, bag, "a", &one, -1), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_unset(ctx, NULL, "a"), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_get(ctx, bag, NULL, NULL, 0, NULL), GM_E_ARG, NULL);
    test_fails(ctx, gm_options_get(ctx, bag, "a", NULL, 5, NULL), GM_E_ARG, NULL);
    ck_assert_int_eq(gm_options_set_int(NULL, bag, "a", 1), GM_E_ARG);
    test_fails(ctx, gm_options_create(ctx, NULL), GM_E_ARG, NULL);
}
END_TEST

static gm_status fill_and_check(const gm_allocator *a, void *arg)
{
    gm_context_config config = {.struct_size = sizeof config, .allocator = a};
    gm_context *c = NULL;
    gm_options *o = NULL;
    gm__values *v = NULL;
    const int64_t widths[] = {1, 2, 3};
    (void)arg;
    gm_status code = gm_context_create(&config, &c);
    if (!code && !(code = gm_options_create(c, &o)) &&
        !(code = gm_options_set_int(c, o, "bins", 3)) &&
        !(code = gm_options_set_int(c, o, "bins", 4)) &&
        !(code = gm_options_set_ints(c, o, "hidden", widths, 3)) &&
        !(code = gm_options_set_real(c, o, "rate", 0.5)))
        code = gm__values_create(c, "flow", tables, 2, ALL, o, &v);
    gm__values_free(v);
    gm_context_free(c);
    gm_options_free(o); /* any order of free is right */
    return code;
}

START_TEST(survives_refused_memory)
{
    ck_assert_int_gt(test_every_failure(fill_and_check, NULL, 0), 40);
}
END_TEST

START_TEST(rows_are_told)
{
    gm_option_info info = {.struct_size = sizeof info};
    gm__option_info_fill(&table[0], &info);
    ck_assert_str_eq(info.name, "bins");
    ck_assert_str_eq(info.default_value, "8");
    ck_assert_str_eq(info.range, "2..256");
    ck_assert_int_eq(info.type, GM_INT);
    ck_assert_int_eq(info.stage, BUILD);
    ck_assert_int_eq(info.struct_size, sizeof info);
    gm_option_info small = {.struct_size = offsetof(gm_option_info, name)};
    gm__option_info_fill(&table[0], &small); /* an older caller's structure ends earlier */
    ck_assert_int_eq(small.since, 1);
    ck_assert_ptr_null(small.name);
    ck_assert_ptr_eq(gm__option_find(table, "rate"), &table[4]);
    ck_assert_ptr_null(gm__option_find(table, "rat"));
    test_ok(ctx, gm__option_check(ctx, "flow", &table[0], "5"));
    test_fails(ctx, gm__option_check(ctx, "flow", &table[0], "x"), GM_E_RANGE, "'bins' is 'x'");
}
END_TEST

/* ---- Settings of a context ---- */

static void setting_is(const char *name, const char *expected)
{
    char text[32];
    test_ok(ctx, gm_context_get(ctx, name, text, sizeof text, NULL));
    ck_assert_str_eq(text, expected);
}

static int plans_freed;
static void free_plans(gm_context *c, void *plans)
{
    (void)c;
    ++*(int *)plans;
}

START_TEST(contexts_have_settings)
{
    setting_is("threads", "1");
    setting_is("kernels", "auto");
    setting_is("matmul", "own");
    setting_is("fusion", "true");
    test_ok(ctx, gm_context_set_int(ctx, "threads", 3));
    setting_is("threads", "3");
    ck_assert_int_eq(gm_pool_threads(ctx->team.pool), 3);
    test_ok(ctx, gm_context_set_int(ctx, "threads", 0));
    setting_is("threads", "0");
    test_ok(ctx, gm_context_set_int(ctx, "threads", 1));
    ck_assert_ptr_null(ctx->team.pool);
    ctx->plans = &plans_freed;
    ctx->plans_free = free_plans;
    plans_freed = 0;
    test_ok(ctx, gm_context_set_int(ctx, "fusion", 0));
    ck_assert_int_eq(plans_freed, 1);
    ck_assert_int_eq(ctx->fusion, 0);
    setting_is("fusion", "false");
    test_ok(ctx, gm_context_set_text(ctx, "kernels", "base"));
    setting_is("kernels", "base");
    test_fails(ctx, gm_context_set_int(ctx, "threads", 5000), GM_E_RANGE,
               "context: option 'threads' is 5000, must be 0 to 1024");
    test_fails(ctx, gm_context_set_text(ctx, "kernels", "mmx"), GM_E_RANGE, "one of auto, base");
    test_fails(ctx, gm_context_set_text(ctx, "kernels", gm__kernels_find("neon") ? "avx2" : "neon"),
               GM_E_UNSUPPORTED, "runs auto, base");
    setting_is("kernels", "base");
    test_fails(ctx, gm_context_set_text(ctx, "speed", "9"), GM_E_UNKNOWN,
               "context: no option 'speed'; there are: threads, kernels, matmul, fusion");
    test_fails(ctx, gm_context_set_text(ctx, NULL, "9"), GM_E_ARG, NULL);
    test_fails(ctx, gm_context_set_text(ctx, "threads", NULL), GM_E_ARG, NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("options");
    TCase *c = tcase_create("options");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, defaults_hold);
    tcase_add_test(c, the_bag_wins);
    tcase_add_test(c, ranges_are_kept);
    tcase_add_test(c, unknown_names_are_told);
    tcase_add_test(c, stages_are_kept);
    tcase_add_test(c, bags_hold_text);
    tcase_add_test(c, bad_arguments_are_told);
    tcase_add_test(c, survives_refused_memory);
    tcase_add_test(c, rows_are_told);
    tcase_add_test(c, contexts_have_settings);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
