/* Long passes of kernel density estimates end soon after another thread trips the token. */
#include "support.h"
#include "kde_cases.h"

#include <pthread.h>
#include <time.h>

enum { ROWS = 20000, COLUMNS = 20 };

typedef struct trip {
    gm_cancel *token;
    double at; /* seconds */
} trip;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *later(void *user)
{
    trip *t = user;
    nanosleep(&(struct timespec){0, 100000000}, NULL);
    t->at = seconds();
    gm_cancel_trip(t->token);
    return NULL;
}

static gm_status modes_of(gm_context *ctx, const gm__kde_rows_of *r, int64_t tries)
{
    static gm__kde_column columns[COLUMNS];
    static double out[ROWS * COLUMNS];
    gm__kde *k;
    for (int64_t j = 0; j < r->d; j++)
        columns[j] = kde_real(GM__KERNEL_GAUSSIAN, 0.5);
    gm__kde_config c = {.n = r->n, .d = r->d, .stride = r->d, .x = r->x, .columns = columns};
    test_ok(ctx, gm__kde_create(ctx, &c, &k));
    gm_status code = gm__kde_modes(ctx, k, r->x, r->n, 1e-12, tries, out, NULL, NULL);
    gm__kde_free(k);
    return code;
}

/* One pass over all pairs takes many seconds; a machine that is busy still ends it within two. */
START_TEST(ends_soon)
{
    static double x[ROWS * COLUMNS], matrix[COLUMNS * COLUMNS];
    double h[COLUMNS];
    uint64_t seed = 7;
    trip t = {.token = gm_cancel_create(NULL)};
    gm_context_config config = {.struct_size = sizeof config, .cancel = t.token};
    gm_context *ctx;
    test_ok(NULL, gm_context_create(&config, &ctx));
    for (int64_t i = 0; i < ROWS * COLUMNS; i++)
        x[i] = test_uniform(&seed, 0, 1);
    gm__kde_rows_of r = {x, ROWS, COLUMNS, COLUMNS, NULL};
    pthread_t thread;
    gm_status code;
    must(pthread_create(&thread, NULL, later, &t) == 0);
    if (_i < 2)
        code = gm__kde_cross_validate(ctx, _i ? GM__KDE_LEAST_SQUARES : GM__KDE_LIKELIHOOD, &r,
                                      ROWS, 3, h, _i ? matrix : NULL);
    else
        code = modes_of(ctx, &r, INT64_MAX);
    double end = seconds();
    pthread_join(thread, NULL);
    test_fails(ctx, code, GM_E_CANCELLED, "cancelled");
    must_msg(end - t.at < 2, "%g s", end - t.at);
    gm_context_free(ctx);
    gm_cancel_free(t.token);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kde_cancel");
    TCase *t = tcase_create("kde_cancel");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, ends_soon, 0, 3);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
