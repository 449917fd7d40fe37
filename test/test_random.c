/* Philox against its published answers; whole numbers and permutations against counting. */
#include "support.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>

/* Known answers published with Random123 (Salmon et al. 2011). */
START_TEST(philox_known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        gm__philox(out, cases[i].counter, cases[i].key);
        ck_assert_mem_eq(out, cases[i].out, sizeof out);
    }
}
END_TEST

START_TEST(draws_depend_on_every_number)
{
    uint64_t a = gm__random64(1, 2, 3, 4);
    ck_assert(a == gm__random64(1, 2, 3, 4));
    ck_assert(a != gm__random64(2, 2, 3, 4));
    ck_assert(a != gm__random64(1 + ((uint64_t)1 << 40), 2, 3, 4));
    ck_assert(a != gm__random64(1, 3, 3, 4));
    ck_assert(a != gm__random64(1, 2, 4, 4));
    ck_assert(a != gm__random64(1, 2, 3, 5));
    ck_assert(a != gm__random64(1, 2, 3, 4 + ((int64_t)1 << 40)));
}
END_TEST

/* The sum of (seen - expected)^2 / expected lies within 6 standard deviations of its mean. */
static void looks_uniform(const int64_t *seen, int64_t n, int64_t draws, const char *what)
{
    double expected = (double)draws / (double)n, sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += ((double)seen[i] - expected) * ((double)seen[i] - expected) / expected;
    ck_assert_msg(fabs(sum - (double)(n - 1)) < 6 * sqrt(2.0 * (double)(n - 1)) + 3,
                  "%s: chi-square %g of %lld", what, sum, (long long)n);
}

START_TEST(whole_numbers_are_uniform)
{
    static const int64_t sizes[] = {1, 2, 3, 7, 10, 97};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int64_t n = sizes[s], seen[97] = {0};
        for (int64_t i = 0; i < 20000; i++) {
            int64_t v = gm__random_below(5, GM__FOR_SAMPLE, 0, i, n);
            test_check(v >= 0 && v < n, "%lld of %lld", (long long)v, (long long)n);
            seen[v]++;
        }
        looks_uniform(seen, n, 20000, "below");
    }
    int64_t above = 0,
            huge = INT64_MAX / 3 * 2; /* a third of the draws is refused and drawn again */
    for (int64_t i = 0; i < 2000; i++) {
        int64_t v = gm__random_below(6, GM__FOR_SAMPLE, 0, i, huge);
        ck_assert(v >= 0 && v < huge);
        above += v >= huge / 2;
    }
    ck_assert_int_lt(llabs(above - 1000), 150);
}
END_TEST

START_TEST(permutations_are_bijections)
{
    static unsigned char hit[2000];
    int most = test_quick() ? 300 : 2000;
    for (int64_t n = 1; n <= most; n++) {
        memset(hit, 0, sizeof hit);
        for (int64_t i = 0; i < n; i++) {
            int64_t v = gm__permute(9, GM__FOR_SHUFFLE, (uint64_t)n, i, n);
            test_check(v >= 0 && v < n && !hit[v], "n %lld: %lld is outside or comes twice",
                       (long long)n, (long long)v);
            hit[v] = 1;
        }
    }
    for (int64_t i = 0; i < 100; i++) {
        int64_t n = ((int64_t)1 << 61) + 12345, v = gm__permute(1, 2, 3, n - 1 - i, n);
        ck_assert(v >= 0 && v < n);
    }
}
END_TEST

/* Every element goes everywhere equally often, and so do pairs of neighbours. */
START_TEST(permutations_are_uniform)
{
    static const int64_t sizes[] = {2, 3, 5, 10, 16};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int64_t n = sizes[s], draws = test_quick() ? 4000 : 20000;
        int64_t first[16] = {0}, last[16] = {0}, gap[16] = {0};
        for (int64_t k = 0; k < draws; k++) {
            int64_t a = gm__permute(3, GM__FOR_SHUFFLE, (uint64_t)k, 0, n);
            int64_t b = gm__permute(3, GM__FOR_SHUFFLE, (uint64_t)k, 1, n);
            first[a]++;
            last[gm__permute(3, GM__FOR_SHUFFLE, (uint64_t)k, n - 1, n)]++;
            gap[(b - a + n) % n - 1]++;
        }
        looks_uniform(first, n, draws, "first");
        looks_uniform(last, n, draws, "last");
        looks_uniform(gap, n - 1, draws, "gap");
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("random");
    TCase *c = tcase_create("random");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, philox_known_answers);
    tcase_add_test(c, draws_depend_on_every_number);
    tcase_add_test(c, whole_numbers_are_uniform);
    tcase_add_test(c, permutations_are_bijections);
    tcase_add_test(c, permutations_are_uniform);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
