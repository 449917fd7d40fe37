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

/* n values, a full vector or the end of a share. */
VINLINE V RNAME(take)(const R *x, int64_t n)
{
    if (n == VN)
        return v_load(x);
    R padded[VN] = {0};
    for (int64_t i = 0; i < n; i++)
        padded[i] = x[i];
    return v_load(padded);
}

VINLINE void RNAME(put)(R *x, V v, int64_t n)
{
    if (n == VN) {
        v_store(x, v);
        return;
    }
    R padded[VN];
    v_store(padded, v);
    for (int64_t i = 0; i < n; i++)
        x[i] = padded[i];
}

/* Elements i to i + n, n at most VN. `m` and `v` say which moments the rule has. */
VINLINE void RNAME(piece)(const gm__update *u, const RNAME(gm__rule) *r, int64_t i, int64_t n,
                          int rule, int m, int v)
{
    RNAME(gm__state) s;
    s.p = RNAME(take)((R *)u->param + i, n);
    s.g = RNAME(take)((const R *)u->grad + i, n);
    s.m = m ? RNAME(take)((R *)u->m + i, n) : v_set(0);
    s.v = v ? RNAME(take)((R *)u->v + i, n) : v_set(0);
    RNAME(step)(r, &s, rule, m);
    RNAME(put)((R *)u->param + i, s.p, n);
    if (m)
        RNAME(put)((R *)u->m + i, s.m, n);
    if (v)
        RNAME(put)((R *)u->v + i, s.v, n);
    if (u->average) {
        R *a = (R *)u->average + i;
        RNAME(put)(a, r->average * RNAME(take)(a, n) + r->average_rest * s.p, n);
    }
}

VINLINE void RNAME(pass)(const gm__update *u, const RNAME(gm__rule) *r, int64_t i0, int64_t i1,
                         int rule, int m, int v)
{
    const int64_t ahead = 512 / (int64_t)sizeof(R); /* measured: 0 to 4096 bytes */
    int64_t i = i0;
    for (; i + VN <= i1; i += VN) {
        __builtin_prefetch((R *)u->param + i + ahead, 1);
        if (m)
            __builtin_prefetch((R *)u->m + i + ahead, 1);
        if (v)
            __builtin_prefetch((R *)u->v + i + ahead, 1);
        RNAME(piece)(u, r, i, VN, rule, m, v);
    }
    if (i < i1)
        RNAME(piece)(u, r, i, i1 - i, rule, m, v);
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
