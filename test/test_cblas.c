/* Products by CBLAS against our own, within rounding; where none is built in, nothing is touched.
 */
#include "kernels/product_cblas.h"
#include "support.h"

#include <stdlib.h>

#define M 37
#define N 45
#define K 50

static void fill(float *x, int n, uint64_t seed)
{
    for (int i = 0; i < n; i++)
        x[i] = (float)test_uniform(&seed, -1, 1);
}

START_TEST(agrees_with_own)
{
    static float a[M * K], b[K * N], own[M * N], theirs[M * N], bias[N], gate[M * N];
    static float pre_own[M * N], pre_theirs[M * N];
    static int32_t lo[M], hi[M];
    const gm__kernels *k = gm__kernels_find("auto");
    int ta = _i & 1, tb = _i >> 1 & 1, with = _i >> 2;
    fill(a, M * K, 1), fill(b, K * N, 2), fill(own, M * N, 3), fill(bias, N, 4),
        fill(gate, M * N, 5);
    memcpy(theirs, own, sizeof own);
    for (int i = 0; i < M; i++)
        lo[i] = i % 5, hi[i] = N - i % 7;
    gm__product p = {.real = GM__F32,
                     .m = M,
                     .n = N,
                     .k = K,
                     .a = a,
                     .b = b,
                     .c = own,
                     .lda = ta ? M : K,
                     .ldb = tb ? K : N,
                     .ldc = N,
                     .ta = ta,
                     .tb = tb,
                     .act = GM__ACT_NONE};
    if (with & 1)
        p.accumulate = 1, p.gate = gate, p.ldgate = N;
    if (with & 2)
        p.bias = bias, p.pre = pre_own, p.act = GM__TANH;
    if (with & 4)
        p.n_lo = lo, p.n_hi = hi;
    void *scratch = aligned_alloc(64, (k->products->scratch(&p) + 63) / 64 * 64 + 64);
    k->products->run(&p, 0, 1, scratch);
    free(scratch);
    p.c = theirs;
    p.pre = with & 2 ? pre_theirs : NULL;
    float before = theirs[0];
    int done = 1;
    for (int part = 0; part < 2; part++)
        done &= gm__product_cblas(k, &p, part, 2);
    if (!done) {
        ck_assert(memcmp(&before, &theirs[0], sizeof before) == 0);
        return;
    }
    for (int i = 0; i < M * N; i++) {
        ck_assert_msg(test_close(theirs[i], own[i], 1e-4, 1e-4), "element %d: %g and %g", i,
                      theirs[i], own[i]);
        ck_assert(!(with & 2) || test_close(pre_theirs[i], pre_own[i], 1e-4, 1e-4));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cblas");
    TCase *t = tcase_create("cblas");
    tcase_add_loop_test(t, agrees_with_own, 0, 32);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
