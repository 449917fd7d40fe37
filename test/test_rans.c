/* Asymmetric numeral systems: what is coded comes back, in hardly more bits than its entropy. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "apply/grid.h"
#include "apply/rans.h"

static gm_context *context_of(void)
{
    gm_context *ctx;
    ck_assert_int_eq(gm_context_create(NULL, &ctx), GM_OK);
    return ctx;
}

/* What an encoder made of symbols, to be freed. */
static unsigned char *coded(gm_context *ctx, gm__symbols *symbols, int64_t *size)
{
    gm__rans_encoder e = {.allocator = ctx->allocator, .state = GM__RANS_LOW};
    gm__rans_encode(&e, symbols);
    ck_assert_int_eq(e.failed, 0);
    ck_assert_int_eq(symbols->count, 0);
    *size = gm__rans_size(&e);
    unsigned char *bytes = malloc((size_t)*size);
    gm__rans_write(&e, bytes);
    gm__rans_clear(&e);
    gm__symbols_clear(symbols);
    return bytes;
}

/* A random table of n frequencies that sum to the total; sharp: one of them takes nearly all. */
static void random_table(uint64_t *state, int n, int sharp, uint32_t *start)
{
    double weight[64], sum = 0, before = 0;
    for (int i = 0; i < n; i++)
        sum += weight[i] = sharp ? i == 0 ? 1e7 : 1 : pow(test_uniform(state, 0, 1), 4);
    for (int i = 0; i <= n; i++) {
        start[i] = i == n ? GM__RANS_TOTAL
                          : (uint32_t)(before / sum * (GM__RANS_TOTAL - 64.0)) + (uint32_t)i;
        before += i < n ? weight[i] : 0;
    }
}

static int draw(uint64_t *state, const uint32_t *start)
{
    uint32_t slot = (uint32_t)(test_random(state) % GM__RANS_TOTAL);
    int i = 0;
    while (start[i + 1] <= slot)
        i++;
    return i;
}

START_TEST(random_tables)
{
    gm_context *ctx = context_of();
    uint64_t state = 3 + (uint64_t)_i;
    int n = 2 + (int)(test_random(&state) % 60), count = test_quick() ? 3000 : 200000;
    uint32_t start[65];
    int *drawn = malloc((size_t)count * sizeof *drawn);
    gm__symbols s = {.allocator = ctx->allocator};
    gm__rans_decoder d;
    double bits = 0;
    int64_t size;
    random_table(&state, n, _i % 2, start);
    for (int i = 0; i < count; i++) {
        int k = drawn[i] = draw(&state, start);
        gm__symbols_add(&s, start[k], start[k + 1] - start[k]);
        bits -= log2((start[k + 1] - start[k]) / (double)GM__RANS_TOTAL);
    }
    unsigned char *bytes = coded(ctx, &s, &size);
    ck_assert_msg((double)size <= bits / 8 * 1.0001 + 12, "%d bytes for %g", (int)size, bits / 8);
    ck_assert_msg((double)size >= bits / 8, "%d bytes for %g", (int)size, bits / 8);
    gm__rans_begin(&d, bytes, size);
    for (int i = 0; i < count; i++) {
        int k = 0;
        while (start[k + 1] <= gm__rans_peek(&d))
            k++;
        must_msg(k == drawn[i], "symbol %d is %d, not %d", i, k, drawn[i]);
        gm__rans_take(&d, start[k], start[k + 1] - start[k]);
    }
    ck_assert_int_eq(gm__rans_ended(&d), 1);
    free(bytes);
    free(drawn);
    gm_context_free(ctx);
}
END_TEST

START_TEST(numbers)
{
    static const uint64_t some[] = {
        0, 1, 2, 3, 255, 256, 65535, 65536, UINT32_MAX, (uint64_t)1 << 52, INT64_MAX - 1};
    enum { SOME = sizeof some / sizeof *some };
    gm_context *ctx = context_of();
    gm__symbols s = {.allocator = ctx->allocator};
    gm__adaptive learned = {.total = 0}, again = {.total = 0};
    gm__rans_decoder d;
    int64_t size;
    gm__symbols_add(&s, 0, GM__RANS_TOTAL); /* certain */
    for (int i = 0; i < SOME; i++) {
        gm__symbols_number(&s, some[i]);
        gm__adaptive_add(&learned, &s, GM__ADAPTIVE, (int)(some[i] % GM__ADAPTIVE));
        gm__symbols_raw(&s, some[i] * 0x9e3779b97f4a7c15u, 64);
        gm__symbols_raw(&s, some[i], 1 + i);
    }
    unsigned char *bytes = coded(ctx, &s, &size);
    gm__rans_begin(&d, bytes, size);
    gm__rans_take(&d, 0, GM__RANS_TOTAL);
    for (int i = 0; i < SOME; i++) {
        ck_assert_uint_eq(gm__rans_number(&d), some[i]);
        ck_assert_int_eq(gm__adaptive_take(&again, &d, GM__ADAPTIVE), some[i] % GM__ADAPTIVE);
        ck_assert_uint_eq(gm__rans_raw(&d, 64), some[i] * 0x9e3779b97f4a7c15u);
        ck_assert_uint_eq(gm__rans_raw(&d, 1 + i), some[i] & (((uint64_t)2 << i) - 1));
    }
    ck_assert_int_eq(gm__rans_ended(&d), 1);
    free(bytes);
    gm_context_free(ctx);
}
END_TEST

/* A few values again and again cost what they hold, without their being told first. */
START_TEST(learned_frequencies)
{
    gm_context *ctx = context_of();
    gm__symbols s = {.allocator = ctx->allocator};
    gm__adaptive learned = {.total = 0};
    int64_t size;
    for (int i = 0; i < 4000; i++)
        gm__adaptive_add(&learned, &s, GM__ADAPTIVE, i * 7 % 4 == 0 ? 60 : 3);
    free(coded(ctx, &s, &size));
    ck_assert_int_le(size, 4000 * 0.8113 / 8 * 1.04 + 20); /* entropy of 1/4 */
    gm_context_free(ctx);
}
END_TEST

/* What is no archive ends by itself, and is said to be wrong. */
START_TEST(wrong_bytes)
{
    uint64_t state = 5;
    unsigned char bytes[64];
    gm__rans_decoder d;
    for (int turn = 0; turn < 2000; turn++) {
        int size = turn % 64;
        for (int i = 0; i < size; i++)
            bytes[i] = (unsigned char)test_random(&state);
        gm__rans_begin(&d, bytes, size);
        for (int i = 0; i < 60; i++)
            gm__rans_number(&d);
        for (int i = 0; i < 40; i++)
            gm__rans_raw(&d, 64);
        ck_assert_int_eq(d.wrong, 1);
        ck_assert_int_eq(gm__rans_ended(&d), 0);
        ck_assert_uint_ge(d.state, GM__RANS_LOW);
    }
}
END_TEST

/* ---- Grids ----------------------------------------------------------------------------------- */

static const double odd_doubles[] = {0,
                                     -0.0,
                                     1,
                                     -1,
                                     0.1,
                                     1e-300,
                                     5e-324,
                                     -5e-324,
                                     1e300,
                                     -1e300,
                                     1.0 / 3,
                                     1e15 + 1,
                                     0x1p-1074,
                                     0x1.fffffffffffffp+1023,
                                     -0x1.fffffffffffffp+1023,
                                     3.5,
                                     255.0 / 7};
enum { ODD = sizeof odd_doubles / sizeof *odd_doubles };

START_TEST(places_of_doubles)
{
    for (int i = 0; i < ODD; i++) {
        int64_t place = gm__double_place(odd_doubles[i]);
        double back = gm__double_at(place);
        ck_assert_int_eq(memcmp(&back, &odd_doubles[i], sizeof back), 0);
        for (int k = 0; k < ODD; k++)
            if (odd_doubles[i] < odd_doubles[k])
                ck_assert_int_lt(place, gm__double_place(odd_doubles[k]));
    }
    ck_assert_int_eq(gm__double_place(-0.0), -1);
    ck_assert_int_eq(gm__double_place(5e-324), 1);
}
END_TEST

static gm__grid chosen(gm_context *ctx, const double *values, int64_t n)
{
    gm__grid g;
    double *copy = malloc((size_t)n * sizeof *copy);
    memcpy(copy, values, (size_t)n * sizeof *copy);
    ck_assert_int_eq(gm__grid_choose(ctx, copy, n, &g), GM_OK);
    free(copy);
    return g;
}

/* n values made by a rule land on the grid that the rule names, to the bit, and places rise. */
START_TEST(grids_found)
{
    static const struct {
        int kind, digits, narrow;
    } wanted[] = {{GM__GRID_DECIMAL, 0, 0}, {GM__GRID_DECIMAL, 2, 0}, {GM__GRID_DECIMAL, 4, 0},
                  {GM__GRID_DECIMAL, 3, 1}, {GM__GRID_PART, 0, 0},    {GM__GRID_TABLE, 0, 0},
                  {GM__GRID_FLOAT, 0, 0},   {GM__GRID_DOUBLE, 0, 0}};
    enum { N = 1000 };
    gm_context *ctx = context_of();
    uint64_t state = 1;
    double x[N];
    for (int i = 0; i < N; i++) {
        int64_t m = (int64_t)(test_random(&state) % 2001) - 1000;
        double part = (double)(m & 255), u = test_uniform(&state, -3, 3);
        x[i] = _i == 0   ? (double)m
               : _i == 1 ? (double)m / 100
               : _i == 2 ? (double)(m * 7919) / 10000
               : _i == 3 ? (double)(float)((double)m / 1000)
               : _i == 4 ? part / 255
               : _i == 5 ? sqrt(2 + (double)(m & 15))
               : _i == 6 ? (double)(float)u
                         : u * 1e-3;
    }
    gm__grid g = chosen(ctx, x, N);
    ck_assert_int_eq(g.kind, wanted[_i].kind);
    ck_assert_int_eq(g.digits, wanted[_i].digits);
    ck_assert_int_eq(g.narrow, wanted[_i].narrow);
    for (int i = 0; i < N; i++) {
        int64_t place;
        ck_assert_int_eq(gm__grid_find(&g, x[i], &place), 1);
        ck_assert_double_eq(gm__grid_value(&g, place), x[i]);
        ck_assert_double_ge(gm__grid_value(&g, place + 1), x[i]);
        ck_assert_int_eq(gm__grid_nearest(&g, x[i]), place);
    }
    gm__grid_clear(ctx, &g);
    gm_context_free(ctx);
}
END_TEST

START_TEST(every_double_has_a_place)
{
    gm_context *ctx = context_of();
    gm__grid g = chosen(ctx, odd_doubles, ODD);
    ck_assert_int_eq(g.kind, GM__GRID_DOUBLE);
    for (int i = 0; i < ODD; i++) {
        int64_t place, first, last;
        gm__grid_ends(&g, &first, &last);
        ck_assert_int_eq(gm__grid_find(&g, odd_doubles[i], &place), 1);
        ck_assert(place >= first && place <= last);
        double back = gm__grid_value(&g, place);
        ck_assert_int_eq(memcmp(&back, &odd_doubles[i], sizeof back), 0);
    }
    gm__grid_clear(ctx, &g);
    g = (gm__grid){.kind = GM__GRID_DECIMAL};
    int64_t place;
    ck_assert_int_eq(gm__grid_find(&g, -0.0, &place), 0);
    ck_assert_int_eq(gm__grid_find(&g, 0.5, &place), 0);
    ck_assert_int_eq(gm__grid_find(&g, 1e300, &place), 0);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rans");
    TCase *t = tcase_create("symbols");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, random_tables, 0, 8);
    tcase_add_test(t, numbers);
    tcase_add_test(t, learned_frequencies);
    tcase_add_test(t, wrong_bytes);
    suite_add_tcase(s, t);
    t = tcase_create("grids");
    tcase_add_test(t, places_of_doubles);
    tcase_add_loop_test(t, grids_found, 0, 8);
    tcase_add_test(t, every_double_has_a_place);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
