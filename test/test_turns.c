/* Where paths of NUTS end: every path is replayed from the places alone that its density was asked
 * at, by Verlet's rule, over all its points, and must have as many leaps. */
#include "support.h"
#include "genmod/genmod.h"

#include <math.h>
#include <stdio.h>

/* Three normal columns, correlated: the inverse of their covariance. */
static gm_status gaussian(const double *x, double *logp, double *grad)
{
    static const double inverse[9] = {0.5, -0.6, -0.5, -0.6, 2.2, 1.7, -0.5, 1.7, 5.4};
    *logp = 0;
    for (int i = 0; i < 3; i++) {
        grad[i] = 0;
        for (int j = 0; j < 3; j++)
            grad[i] -= inverse[3 * i + j] * x[j];
        *logp += 0.5 * grad[i] * x[i];
    }
    return GM_OK;
}

enum { MIDDLE = 256, MOST_DEPTH = 8 };

/* Places in the order in which they were asked for; then in the order of time, about the start. */
typedef struct walk {
    double asked[MIDDLE][3], q[2 * MIDDLE][3];
    int64_t calls;
    int low, high; /* of q */
    double h;
    int decided[2]; /* by the sum of the first piece and a point of the second; the other way */
} walk;

static gm_status recorded(void *user, const double *x, double *logp, double *grad)
{
    walk *w = user;
    must(w->calls < MIDDLE);
    memcpy(w->asked[w->calls++], x, sizeof w->asked[0]);
    return gaussian(x, logp, grad);
}

/* Verlet's rule: what follows on two places, equally far apart in time either way. */
static void after(const walk *w, const double *before, const double *q, double *next)
{
    double logp, g[3];
    gaussian(q, &logp, g);
    for (int j = 0; j < 3; j++)
        next[j] = 2 * q[j] - before[j] + w->h * w->h * g[j];
}

/* Adds the momentum at a place, from its neighbours. */
static void add_momentum(const walk *w, int at, double *sum)
{
    double end[3];
    const double *before = w->q[at - 1], *next = w->q[at + 1];
    if (at == w->low || at == w->high)
        after(w, at == w->low ? next : before, w->q[at], end);
    before = at == w->low ? end : before;
    next = at == w->high ? end : next;
    for (int j = 0; j < 3; j++)
        sum[j] += (next[j] - before[j]) / (2 * w->h);
}

static int against(const walk *w, const double *sum, int at)
{
    double p[3] = {0};
    add_momentum(w, at, p);
    return p[0] * sum[0] + p[1] * sum[1] + p[2] * sum[2] <= 0;
}

/* Betancourt 2017, A.4.2, of all places from i to j; and of either half with the nearest place of
 * the other, as Stan has it. */
static int turns(walk *w, int i, int j)
{
    double all[3] = {0}, left[3] = {0}, right[3] = {0};
    int middle = (i + j) / 2;
    for (int k = i; k <= j; k++) {
        add_momentum(w, k, all);
        if (k <= middle + 1)
            add_momentum(w, k, left);
        if (k >= middle)
            add_momentum(w, k, right);
    }
    int whole = against(w, all, i) || against(w, all, j);
    int first = against(w, left, i) || against(w, left, middle + 1);
    int last = against(w, right, middle) || against(w, right, j);
    w->decided[0] += !whole && first && !last;
    w->decided[1] += !whole && !first && last;
    return whole || first || last;
}

/* Whether the next place follows on the highest; else it must on the lowest. */
static int goes_up(const walk *w, const double *next)
{
    double up[3], down[3];
    after(w, w->q[w->high - 1], w->q[w->high], up);
    after(w, w->q[w->low + 1], w->q[w->low], down);
    int is_up = fabs(next[0] - up[0]) < 1e-9 && fabs(next[1] - up[1]) < 1e-9;
    must(is_up || (fabs(next[0] - down[0]) < 1e-9 && fabs(next[1] - down[1]) < 1e-9));
    return is_up;
}

/* How many leaps the path must have, replayed in full from the places; the way of time does not
 * matter. */
static int64_t leaps_of(walk *w)
{
    int64_t leaps = 0;
    w->low = w->high = MIDDLE;
    memcpy(w->q[MIDDLE], w->asked[0], sizeof w->q[0]);
    for (int depth = 0; depth < MOST_DEPTH; depth++) {
        int up = depth == 0;
        for (int k = 1; k <= 1 << depth; k++) {
            if (++leaps == w->calls)
                return leaps; /* it should have gone on */
            if (k == 1 && depth > 0)
                up = goes_up(w, w->asked[leaps]);
            memcpy(w->q[up ? ++w->high : --w->low], w->asked[leaps], sizeof w->q[0]);
            for (int size = 2; k % size == 0; size *= 2)
                if (turns(w, up ? w->high - size + 1 : w->low, up ? w->high : w->low + size - 1))
                    return leaps;
        }
        if (turns(w, w->low, w->high))
            return leaps;
    }
    return leaps;
}

START_TEST(leaps)
{
    static walk w;
    double draw[3];
    gm_context *ctx = test_context(NULL);
    gm_target target = {
        .struct_size = sizeof target, .user = &w, .dim = 3, .log_density = recorded};
    gm_nuts_result result = {.struct_size = sizeof result, .draws = draw};
    gm_options *how;
    test_ok(ctx, gm_options_create(ctx, &how));
    w.h = 0.35;
    test_ok(ctx, gm_options_set_int(ctx, how, "warmup", 0));
    test_ok(ctx, gm_options_set_real(ctx, how, "step_size", w.h));
    test_ok(ctx, gm_options_set_int(ctx, how, "max_depth", MOST_DEPTH));
    test_ok(ctx, gm_options_set_text(ctx, how, "metric", "unit"));
    for (int seed = 0; seed < 300; seed++) {
        w.calls = 0;
        test_ok(ctx, gm_options_set_int(ctx, how, "seed", seed));
        test_ok(ctx, gm_nuts(ctx, &target, NULL, how, 1, 1, &result));
        int64_t wanted = leaps_of(&w);
        must_msg(wanted == w.calls - 1 && result.gradients == w.calls, "seed %d: %d leaps, not %d",
                 seed, (int)w.calls - 1, (int)wanted);
    }
    must_msg(w.decided[0] > 5 && w.decided[1] > 5, "%d and %d: no case in point", w.decided[0],
             w.decided[1]);
    gm_options_free(how);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("turns");
    TCase *t = tcase_create("turns");
    tcase_add_test(t, leaps);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
