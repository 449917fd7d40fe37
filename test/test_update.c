/* Optimizer updates against their formulas in long double, flushing of dead moments, and one set
 * of bits for every instruction set and every cut into shares. */
#include "support.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

enum { N = 203, STEPS = 12 };
typedef enum rule { ADAM, SGD, SGD_MOMENTUM, SGD_NESTEROV, RMSPROP, RMSPROP_MOMENTUM, RULES } rule;

/* Everything that an update reads and writes, in both types. */
typedef struct weights {
    double p[N], g[N], m[N], v[N], a[N];
    float fp[N], fg[N], fm[N], fv[N], fa[N];
} weights;

static gm__update update_of(weights *w, gm__real real, rule r, int t)
{
    gm__update u = {.real = real, .grad_scale = 0.5, .lr = 0.01, .decay = 0.1, .beta1 = 0.9,
                    .beta2 = 0.99, .eps = 1e-6, .average_decay = 0.95};
    int f = real == GM__F32, velocity = r != SGD && r != RMSPROP;
    u.correction1 = 1 - pow(u.beta1, t);
    u.correction2 = 1 - pow(u.beta2, t);
    u.nesterov = r == SGD_NESTEROV;
    u.param = f ? (void *)w->fp : w->p;
    u.grad = f ? (void *)w->fg : w->g;
    u.m = !velocity ? NULL : f ? (void *)w->fm : w->m;
    u.v = f ? (void *)w->fv : w->v;
    u.average = f ? (void *)w->fa : w->a;
    return u;
}

static void apply(const gm__updates *k, const gm__update *u, rule r, int64_t i0, int64_t i1)
{
    if (r == ADAM)
        k->adam(u, i0, i1);
    else if (r < RMSPROP)
        k->sgd(u, i0, i1);
    else
        k->rmsprop(u, i0, i1);
}

static void fresh(weights *w)
{
    uint64_t seed = 5;
    memset(w, 0, sizeof *w);
    for (int i = 0; i < N; i++)
        w->p[i] = w->a[i] = w->fp[i] = w->fa[i] = (float)test_uniform(&seed, -1, 1);
}

static void new_gradients(weights *w, uint64_t *seed)
{
    for (int i = 0; i < N; i++)
        w->g[i] = w->fg[i] = (float)test_uniform(seed, -2, 2);
}

/* One element of one step, as the papers have it. */
static void step_by_hand(const gm__update *u, rule r, double *state, double grad)
{
    long double p = state[0], m = state[1], v = state[2], g = (long double)grad * u->grad_scale;
    p -= u->lr * u->decay * p;
    if (r == ADAM) {
        m = u->beta1 * m + (1 - u->beta1) * g;
        v = u->beta2 * v + (1 - u->beta2) * g * g;
        p -= u->lr * (m / u->correction1) / (sqrtl(v / u->correction2) + u->eps);
    } else if (r == SGD) {
        p -= u->lr * g;
    } else if (r < RMSPROP) {
        m = u->beta1 * m + g;
        p -= u->lr * (r == SGD_NESTEROV ? g + u->beta1 * m : m);
    } else {
        v = u->beta2 * v + (1 - u->beta2) * g * g;
        long double step = g / (sqrtl(v) + u->eps);
        m = r == RMSPROP ? 0 : u->beta1 * m + step;
        p -= u->lr * (r == RMSPROP ? step : m);
    }
    state[0] = (double)p;
    state[1] = (double)m;
    state[2] = (double)v;
    state[3] = (double)(u->average_decay * state[3] + (1 - (long double)u->average_decay) * p);
}

START_TEST(follow_their_papers)
{
    weights *w = malloc(sizeof *w);
    for (int c = 0; c < 2 * RULES; c++) {
        gm__real real = (gm__real)(c & 1);
        rule r = (rule)(c / 2);
        double hand[N][4] = {{0}}, tol = real == GM__F32 ? 2e-6 : 1e-14;
        uint64_t seed = 9;
        fresh(w);
        for (int i = 0; i < N; i++)
            hand[i][0] = hand[i][3] = w->p[i];
        for (int t = 1; t <= STEPS; t++) {
            gm__update u = update_of(w, real, r, t);
            new_gradients(w, &seed);
            apply(gm__kernels_find("auto")->updates, &u, r, 0, N);
            for (int i = 0; i < N; i++)
                step_by_hand(&u, r, hand[i], w->g[i]);
        }
        for (int i = 0; i < N; i++) {
            double p = real == GM__F32 ? (double)w->fp[i] : w->p[i];
            double a = real == GM__F32 ? (double)w->fa[i] : w->a[i];
            must_msg(test_close(p, hand[i][0], tol, tol), "rule %d: %.17g not %.17g", (int)r, p,
                     hand[i][0]);
            must_msg(test_close(a, hand[i][3], tol, tol), "average of rule %d", (int)r);
        }
    }
    free(w);
}
END_TEST

START_TEST(one_set_of_bits)
{
    weights *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    for (int c = 0; c < 2 * RULES; c++) {
        gm__real real = (gm__real)(c & 1);
        rule r = (rule)(c / 2);
        for (int k = 0; gm__kernels_at(k); k++) {
            uint64_t seed_a = 9, seed_b = 9;
            fresh(a);
            fresh(b);
            for (int t = 1; t <= STEPS; t++) {
                gm__update ua = update_of(a, real, r, t), ub = update_of(b, real, r, t);
                new_gradients(a, &seed_a);
                new_gradients(b, &seed_b);
                apply(gm__kernels_at(0)->updates, &ua, r, 0, N);
                for (int i = 0, m = t; i < N; i += m, m = m * 3 % 37 + 1) {
                    int end = i + m > N ? N : i + m;
                    apply(gm__kernels_at(k)->updates, &ub, r, i, end);
                }
            }
            must_msg(memcmp(a, b, sizeof *a) == 0, "rule %d, real %d, %s", (int)r, (int)real,
                          gm__kernels_at(k)->name);
        }
    }
    free(a);
    free(b);
}
END_TEST

/* A unit that died: its moments end at zero, never between it and the least normal number. */
START_TEST(dead_moments_become_zero)
{
    weights *w = malloc(sizeof *w);
    fresh(w);
    for (int i = 0; i < N; i++) {
        w->fg[i] = i % 3 ? 0 : 1e-30f;
        w->fm[i] = i % 2 ? 1e-3f : -1e-3f;
        w->fv[i] = 1e-6f;
    }
    for (int t = 1; t <= 12000; t++) {
        gm__update u = update_of(w, GM__F32, ADAM, t);
        gm__kernels_find("auto")->updates->adam(&u, 0, N);
        for (int i = 0; i < N; i++) {
            must(w->fm[i] == 0 || fabsf(w->fm[i]) >= 1e-25f);
            must(w->fv[i] == 0 || w->fv[i] >= 1e-30f);
        }
    }
    for (int i = 0; i < N; i++)
        must(w->fm[i] == 0 && w->fv[i] == 0);
    free(w);
}
END_TEST

START_TEST(nothing_outside_the_share)
{
    weights *w = malloc(sizeof *w), *before = malloc(sizeof *w);
    uint64_t seed = 1;
    for (int r = 0; r < RULES; r++) {
        fresh(w);
        new_gradients(w, &seed);
        *before = *w;
        gm__update u = update_of(w, GM__F32, (rule)r, 1);
        apply(gm__kernels_find("auto")->updates, &u, (rule)r, 5, 5);
        must(memcmp(w, before, sizeof *w) == 0);
        apply(gm__kernels_find("auto")->updates, &u, (rule)r, 33, 52);
        for (int i = 0; i < N; i++)
            must((w->fp[i] != before->fp[i]) == (i >= 33 && i < 52));
    }
    free(w);
    free(before);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("update");
    TCase *c = tcase_create("update");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, follow_their_papers);
    tcase_add_test(c, one_set_of_bits);
    tcase_add_test(c, dead_moments_become_zero);
    tcase_add_test(c, nothing_outside_the_share);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
