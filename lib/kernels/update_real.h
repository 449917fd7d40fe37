/* The updates in one type: R, with vectors V of VN lanes. One vector at a time goes through a
 * `state`: what the rules share. The end of a share, shorter than a vector, goes through a padded
 * copy, so every element meets the same operations wherever the shares are cut.
 *
 * Cost of Adam: 4 reads and 3 writes an element, some 14 operations: bound by memory. */

/* The rule's numbers, rounded once to the type. */
typedef struct RNAME(gm__rule) {
    V grad_scale, keep, lr, beta1, rest1, beta2, rest2, root2, eps, average, average_rest;
    int decayed, nesterov;
} RNAME(gm__rule);

/* One vector of everything; g is scaled, p decayed. */
typedef struct RNAME(gm__state) {
    V p, g, m, v;
} RNAME(gm__state);

/* Square root of a double in the vector unit: no library call. */
static double RNAME(root)(double x)
{
    return vd_sqrt(vd_set(x))[0];
}

static RNAME(gm__rule) RNAME(rule_of)(const gm__update *u)
{
    RNAME(gm__rule) r;
    r.grad_scale = v_set((R)u->grad_scale);
    r.keep = v_set((R)(u->lr * u->decay));
    r.lr = v_set((R)u->lr);
    r.beta1 = v_set((R)u->beta1);
    r.rest1 = v_set((R)(1 - u->beta1));
    r.beta2 = v_set((R)u->beta2);
    r.rest2 = v_set((R)(1 - u->beta2));
    r.root2 = v_set((R)1);
    r.eps = v_set((R)u->eps);
    r.average = v_set((R)u->average_decay);
    r.average_rest = v_set((R)(1 - u->average_decay));
    r.decayed = u->decay != 0;
    r.nesterov = u->nesterov;
    return r;
}

/* Moments decay by a constant factor: stop before they are subnormal (and slow). */
VINLINE V RNAME(flush)(V x, R least)
{
    return v_pick(v_abs(x) < v_set(least), v_set(0), x);
}

/* Adam with the corrections in the scalars: lr / correction1, 1 / sqrt(correction2). */
VINLINE void RNAME(adam_step)(const RNAME(gm__rule) *r, RNAME(gm__state) *s)
{
    s->m = RNAME(flush)(r->beta1 * s->m + r->rest1 * s->g, (R)1e-25);
    s->v = RNAME(flush)(r->beta2 * s->v + r->rest2 * (s->g * s->g), (R)1e-30);
    s->p -= r->lr * s->m / (v_sqrt(s->v) * r->root2 + r->eps);
}

/* Sutskever et al. 2013, in the form without (1 - beta): m = beta m + g. */
VINLINE void RNAME(sgd_step)(const RNAME(gm__rule) *r, RNAME(gm__state) *s, int velocity)
{
    V step = s->g;
    if (velocity) {
        s->m = RNAME(flush)(r->beta1 * s->m + s->g, (R)1e-25);
        step = r->nesterov ? s->g + r->beta1 * s->m : s->m;
    }
    s->p -= r->lr * step;
}

/* Tieleman and Hinton 2012: g over the root of its running square; m is a velocity on that. */
VINLINE void RNAME(rmsprop_step)(const RNAME(gm__rule) *r, RNAME(gm__state) *s, int velocity)
{
    s->v = RNAME(flush)(r->beta2 * s->v + r->rest2 * (s->g * s->g), (R)1e-30);
    V step = s->g / (v_sqrt(s->v) + r->eps);
    if (velocity) {
        s->m = RNAME(flush)(r->beta1 * s->m + step, (R)1e-25);
        step = s->m;
    }
    s->p -= r->lr * step;
}

#ifndef GM_RULES
#define GM_RULES
enum { RULE_ADAM, RULE_SGD, RULE_RMSPROP };
#endif

VINLINE void RNAME(step)(const RNAME(gm__rule) *r, RNAME(gm__state) *s, int rule, int velocity)
{
    s->g *= r->grad_scale;
    if (r->decayed)
        s->p -= r->keep * s->p;
    if (rule == RULE_ADAM)
        RNAME(adam_step)(r, s);
    else if (rule == RULE_SGD)
        RNAME(sgd_step)(r, s, velocity);
    else
        RNAME(rmsprop_step)(r, s, velocity);
}

/* A vector from element i on. `m` and `v` say which moments the rule has. */
VINLINE void RNAME(piece)(const gm__update *u, const RNAME(gm__rule) *r, int64_t i, int rule, int m,
                          int v)
{
    RNAME(gm__state) s;
    s.p = v_load((R *)u->param + i);
    s.g = v_load((const R *)u->grad + i);
    s.m = m ? v_load((R *)u->m + i) : v_set(0);
    s.v = v ? v_load((R *)u->v + i) : v_set(0);
    RNAME(step)(r, &s, rule, m);
    v_store((R *)u->param + i, s.p);
    if (m)
        v_store((R *)u->m + i, s.m);
    if (v)
        v_store((R *)u->v + i, s.v);
    if (u->average) {
        R *a = (R *)u->average + i;
        v_store(a, r->average * v_load(a) + r->average_rest * s.p);
    }
}

/* Whole vectors. */
VINLINE void RNAME(pass)(const gm__update *u, const RNAME(gm__rule) *r, int64_t i0, int64_t i1,
                         int rule, int m, int v)
{
    /* Into the second cache and far ahead: the first holds too few requests at a time for memory
     * that is slow to answer. Measured: 2 to 32 KB, both caches. */
    const int64_t ahead = 8192 / (int64_t)sizeof(R);
    for (int64_t i = i0; i < i1; i += VN) {
        __builtin_prefetch((const R *)u->param + i + ahead, 0, 2);
        __builtin_prefetch((const R *)u->grad + i + ahead, 0, 2);
        if (m)
            __builtin_prefetch((const R *)u->m + i + ahead, 0, 2);
        if (v)
            __builtin_prefetch((const R *)u->v + i + ahead, 0, 2);
        RNAME(piece)(u, r, i, rule, m, v);
    }
}

static void RNAME(adam)(const gm__update *u, int64_t i0, int64_t i1)
{
    RNAME(gm__rule) r = RNAME(rule_of)(u);
    r.lr = v_set((R)(u->lr / u->correction1));
    r.root2 = v_set((R)(1 / RNAME(root)(u->correction2)));
    RNAME(pass)(u, &r, i0, i1, RULE_ADAM, 1, 1);
}

static void RNAME(sgd)(const gm__update *u, int64_t i0, int64_t i1)
{
    RNAME(gm__rule) r = RNAME(rule_of)(u);
    if (u->m)
        RNAME(pass)(u, &r, i0, i1, RULE_SGD, 1, 0);
    else
        RNAME(pass)(u, &r, i0, i1, RULE_SGD, 0, 0);
}

static void RNAME(rmsprop)(const gm__update *u, int64_t i0, int64_t i1)
{
    RNAME(gm__rule) r = RNAME(rule_of)(u);
    if (u->m)
        RNAME(pass)(u, &r, i0, i1, RULE_RMSPROP, 1, 1);
    else
        RNAME(pass)(u, &r, i0, i1, RULE_RMSPROP, 0, 1);
}

/* The n < VN elements from i on through a padded copy; arrays that a rule lacks are NULL. */
static void RNAME(end)(const gm__update *u, int64_t i, int64_t n,
                       void (*rule)(const gm__update *, int64_t, int64_t))
{
    R padded[5][VN] = {{0}};
    void *from[5] = {u->param, NULL, u->m, u->v, u->average};
    gm__update copy = *u;
    memcpy(padded[1], (const R *)u->grad + i, (size_t)n * sizeof(R));
    for (int k = 0; k < 5; k++)
        if (from[k])
            memcpy(padded[k], (R *)from[k] + i, (size_t)n * sizeof(R));
    copy.param = padded[0];
    copy.grad = padded[1];
    copy.m = u->m ? padded[2] : NULL;
    copy.v = u->v ? padded[3] : NULL;
    copy.average = u->average ? padded[4] : NULL;
    rule(&copy, 0, VN);
    for (int k = 0; k < 5; k++)
        if (from[k])
            memcpy((R *)from[k] + i, padded[k], (size_t)n * sizeof(R));
}

/* Elements i0 to i1 by one of the rules above. */
static void RNAME(update)(const gm__update *u, int64_t i0, int64_t i1,
                          void (*rule)(const gm__update *, int64_t, int64_t))
{
    int64_t whole = i0 + (i1 - i0) / VN * VN;
    if (whole > i0)
        rule(u, i0, whole);
    if (i1 > whole)
        RNAME(end)(u, whole, i1 - whole, rule);
}
