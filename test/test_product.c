/* Matrix products against the definition in kernels.h, element by element and bit by bit, on every
 * instruction set, and against sums in long double. */
#include "support.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

/* Operands of one case, in double; tables compute it in `real`. */
typedef struct operands {
    gm__product p;
    double *a, *b, *c, *bias, *gate;
    int32_t *k_lo, *k_hi, *n_lo, *n_hi;
    int64_t na, nb, nc, ngate;
} operands;

static uint64_t seed;

static int64_t draw(int64_t low, int64_t high)
{
    return low + (int64_t)(test_random(&seed) % (uint64_t)(high - low + 1));
}

static double *random_values(int64_t n, gm__real real)
{
    double *x = malloc((size_t)(n + 1) * sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        x[i] = test_uniform(&seed, -1, 1);
        if (real == GM__F32)
            x[i] = (float)x[i];
    }
    return x;
}

static int32_t *constant(int64_t n, int64_t value)
{
    int32_t *x = malloc((size_t)(n + 1) * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (int32_t)value;
    return x;
}

static double b_at(const operands *o, int64_t q, int64_t j)
{
    return o->p.tb ? o->b[j * o->p.ldb + q] : o->b[q * o->p.ldb + j];
}

static double a_at(const operands *o, int64_t i, int64_t q)
{
    return o->p.ta ? o->a[q * o->p.lda + i] : o->a[i * o->p.lda + q];
}

/* Bands of non-zeros in op(B), and of what is wanted of C. */
static void add_structure(operands *o, int steps, int wanted)
{
    gm__product *p = &o->p;
    if (steps) {
        p->k_lo = o->k_lo = constant(p->n, 0);
        p->k_hi = o->k_hi = constant(p->n, p->k);
        for (int64_t j = 0; j < p->n; j++) {
            o->k_lo[j] = (int32_t)(p->k * (j / 2) / (p->n + 1));
            o->k_hi[j] = (int32_t)draw(0, p->k);
            for (int64_t q = 0; q < p->k; q++)
                if (q < o->k_lo[j] || q >= o->k_hi[j])
                    o->b[p->tb ? j * p->ldb + q : q * p->ldb + j] = 0;
        }
    }
    if (wanted) {
        p->n_lo = o->n_lo = constant(p->m, 0);
        p->n_hi = o->n_hi = constant(p->m, p->n);
        for (int64_t i = 0; i < p->m; i++) {
            o->n_lo[i] = (int32_t)(p->n * (i / 2) / (p->m + 1));
            o->n_hi[i] = (int32_t)draw(0, p->n);
        }
    }
}

enum {
    BIAS = 1,
    GATE = 2,
    PRE = 4,
    ACCUMULATE = 8,
    STEPS = 16,
    WANTED = 32,
    SLOPE = 64,   /* its derivative with the activation */
    FACTOR = 128, /* the gate is one */
    ZEROED = 256  /* what is not wanted is zero before */
};

static operands make(gm__real real, int64_t m, int64_t n, int64_t k, int ta, int tb, int pad,
                     int with, int act)
{
    operands o = {0};
    gm__product *p = &o.p;
    p->real = real, p->m = m, p->n = n, p->k = k, p->ta = ta, p->tb = tb;
    p->lda = (ta ? m : k) + pad, p->ldb = (tb ? k : n) + 2 * pad, p->ldc = n + pad,
    p->ldgate = n + 3 * pad;
    p->accumulate = !!(with & ACCUMULATE);
    p->factor = !!(with & FACTOR);
    p->act = act;
    p->slope = 0.125;
    o.na = (ta ? k : m) * p->lda, o.nb = (tb ? n : k) * p->ldb, o.nc = m * p->ldc,
    o.ngate = m * p->ldgate;
    o.a = random_values(o.na, real);
    o.b = random_values(o.nb, real);
    o.c = random_values(o.nc, real);
    o.bias = with & BIAS ? random_values(n, real) : NULL;
    o.gate = with & GATE ? random_values(o.ngate, real) : NULL;
    add_structure(&o, with & STEPS, with & WANTED);
    p->zeroed = !!(with & ZEROED);
    for (int64_t i = 0; p->zeroed && i < m; i++)
        for (int64_t j = 0; j < n; j++)
            if (j < o.n_lo[i] || j >= o.n_hi[i])
                o.c[i * p->ldc + j] = 0;
    return o;
}

static void clear(operands *o)
{
    free(o->a), free(o->b), free(o->c), free(o->bias), free(o->gate);
    free(o->k_lo), free(o->k_hi), free(o->n_lo), free(o->n_hi);
}

/* The element by the definition: pieces of k, each a chain of fused multiply-adds. */
static double chain(const operands *o, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t k0 = 0; k0 < o->p.k; k0 += GM__K_CUT) {
        double piece = 0;
        for (int64_t q = k0; q < k0 + GM__K_CUT && q < o->p.k; q++)
            piece = o->p.real == GM__F32
                        ? fmaf((float)a_at(o, i, q), (float)b_at(o, q, j), (float)piece)
                        : fma(a_at(o, i, q), b_at(o, q, j), piece);
        sum = o->p.real == GM__F32 ? (float)((float)sum + (float)piece) : sum + piece;
        if (k0 == 0)
            sum = piece;
    }
    return sum;
}

static double add(const operands *o, double x, double y)
{
    return o->p.real == GM__F32 ? (float)((float)x + (float)y) : x + y;
}

static double times(const operands *o, double x, double y)
{
    return o->p.real == GM__F32 ? (float)((float)x * (float)y) : x * y;
}

static double activate(const operands *o, const gm__maps *maps, double x)
{
    float narrow = (float)x;
    void *at = o->p.real == GM__F32 ? (void *)&narrow : (void *)&x;
    if (o->p.act == GM__ACT_LEAKY)
        maps->leaky[o->p.real](at, at, o->p.slope, 1);
    else if (o->p.act != GM__ACT_NONE)
        maps->map1[o->p.real][o->p.act](at, at, 1);
    return o->p.real == GM__F32 ? narrow : x;
}

/* Expected C and pre, in double. */
static void expect(const operands *o, const gm__maps *maps, double *c, double *pre)
{
    const gm__product *p = &o->p;
    memcpy(c, o->c, (size_t)o->nc * sizeof *c);
    memcpy(pre, o->c, (size_t)o->nc * sizeof *c);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            double x = chain(o, i, j), *at = c + i * p->ldc + j;
            if (p->accumulate)
                x = add(o, x, *at);
            if (o->bias)
                x = add(o, x, o->bias[j]);
            int dead = o->n_lo && (j < o->n_lo[i] || j >= o->n_hi[i]);
            pre[i * p->ldc + j] = dead ? 0 : x;
            x = activate(o, maps, x);
            if (p->factor)
                x = times(o, o->gate[i * p->ldgate + j], x);
            else if (o->gate && !(o->gate[i * p->ldgate + j] > 0))
                x = 0;
            *at = dead ? 0 : x;
        }
}

/* x in the type computed with, or back. */
static void *narrowed(const double *x, int64_t n, gm__real real)
{
    if (!x)
        return NULL;
    size_t size = real == GM__F32 ? 4 : 8;
    char *y = malloc((size_t)n * size + 64);
    for (int64_t i = 0; i < n; i++)
        if (real == GM__F32)
            ((float *)(void *)y)[i] = (float)x[i];
        else
            ((double *)(void *)y)[i] = x[i];
    return y;
}

static int64_t differing(const void *x, const double *want, int64_t n, gm__real real)
{
    void *w = narrowed(want, n, real);
    size_t size = real == GM__F32 ? 4 : 8;
    int64_t first = -1;
    for (int64_t i = n - 1; i >= 0; i--)
        if (memcmp((const char *)x + (size_t)i * size, (const char *)w + (size_t)i * size, size) !=
            0)
            first = i;
    free(w);
    return first;
}

/* Runs every part and checks that each keeps within its scratch memory. */
static void run_parts(const gm__products *products, const gm__product *p, int parts)
{
    size_t need = products->scratch(p);
    unsigned char *memory = malloc(need + 128), *scratch = memory + (64 - (uintptr_t)memory % 64);
    for (int part = 0; part < parts; part++) {
        memset(scratch, 0xff, need);
        memset(scratch + need, 0xa5, 64);
        products->run(p, part, parts, scratch);
        for (int i = 0; i < 64; i++)
            ck_assert_msg(scratch[need + (size_t)i] == 0xa5, "wrote beyond scratch");
    }
    free(memory);
}

static void check_table(const operands *o, const gm__kernels *table, const double *want,
                        const double *want_pre, int with, int parts)
{
    gm__product p = o->p;
    void *a = narrowed(o->a, o->na, p.real), *b = narrowed(o->b, o->nb, p.real);
    void *c = narrowed(o->c, o->nc, p.real), *pre = narrowed(o->c, o->nc, p.real);
    void *bias = narrowed(o->bias, p.n, p.real), *gate = narrowed(o->gate, o->ngate, p.real);
    p.a = a, p.b = b, p.c = c, p.bias = bias, p.gate = gate;
    p.pre = with & PRE ? pre : NULL;
    void *slope = narrowed(o->c, o->nc, p.real);
    p.slope_to = with & SLOPE ? slope : NULL;
    run_parts(table->products, &p, parts);
    int64_t bad = differing(c, want, o->nc, p.real);
    ck_assert_msg(bad < 0, "%s f%d %dx%dx%d ta %d tb %d with %d act %d parts %d: C(%d, %d)",
                  table->name, p.real == GM__F32 ? 32 : 64, (int)p.m, (int)p.n, (int)p.k, p.ta,
                  p.tb, with, p.act, parts, (int)(bad / p.ldc), (int)(bad % p.ldc));
    if (with & PRE)
        ck_assert_msg(differing(pre, want_pre, o->nc, p.real) < 0,
                      "%s: pre of %dx%dx%d with %d act %d parts %d", table->name, (int)p.m,
                      (int)p.n, (int)p.k, with, p.act, parts);
    if (with & SLOPE) { /* of what pre holds */
        int map = p.act == GM__SILU ? GM__SILU_SLOPE : GM__SIGMOID;
        size_t row = (size_t)p.ldc * (p.real == GM__F32 ? 4 : 8);
        for (int64_t i = 0; i < p.m; i++)
            table->maps->map1[p.real][map]((char *)pre + (size_t)i * row,
                                           (char *)pre + (size_t)i * row, p.n);
        ck_assert_msg(memcmp(pre, slope, (size_t)p.m * row) == 0, "%s: slope of %dx%dx%d act %d",
                      table->name, (int)p.m, (int)p.n, (int)p.k, p.act);
    }
    free(a), free(b), free(c), free(pre), free(slope), free(bias), free(gate);
}

static void check_case(operands o, int with)
{
    double *want = malloc((size_t)(o.nc + 1) * sizeof *want),
           *pre = malloc((size_t)(o.nc + 1) * sizeof *pre);
    const gm__kernels *table;
    for (int i = 0; (table = gm__kernels_at(i)); i++) {
        expect(&o, table->maps, want, pre);
        for (int parts = 1; parts <= 3; parts++)
            check_table(&o, table, want, pre, with, parts);
        check_table(&o, table, want, pre, with, 12);
    }
    free(want), free(pre);
    clear(&o);
}

/* Sizes around tiles, strips, groups and pieces. */
START_TEST(sizes)
{
    static const int64_t side[] = {0,  1,  2,  3,  4,  5,  7,  8,  11, 12, 13, 15,
                                   16, 17, 25, 31, 32, 33, 40, 63, 65, 97, 130};
    static const int64_t deep[] = {0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   5,
                                   8,
                                   15,
                                   17,
                                   33,
                                   64,
                                   100,
                                   300,
                                   GM__K_CUT - 1,
                                   GM__K_CUT,
                                   GM__K_CUT + 1,
                                   2 * GM__K_CUT + 3};
    int cases = test_quick() ? 150 : 900;
    seed = 1;
    for (int i = 0; i < cases; i++) {
        int64_t m = side[draw(0, 22)], n = side[draw(0, 22)],
                k = deep[draw(0, 16) < 12 ? draw(0, 11) : draw(12, 16)];
        int with = (int)draw(0, 3) ? 0 : (int)draw(0, 63);
        int act = draw(0, 1) ? GM__ACT_NONE : GM__RELU;
        gm__real real = draw(0, 2) ? GM__F32 : GM__F64;
        int ta = (int)draw(0, 1), tb = (int)draw(0, 1), pad = (int)draw(0, 1) * (int)draw(0, 5);
        check_case(make(real, m, n, k, ta, tb, pad, with, act), with);
    }
}
END_TEST

/* Every combination of what may follow a product, on one piece of k and on three. */
START_TEST(epilogues)
{
    static const int acts[] = {GM__ACT_NONE, GM__RELU, GM__TANH, GM__SILU, GM__ACT_LEAKY};
    seed = 2;
    for (int with = 0; with < 64; with++)
        for (int act = 0; act < 5; act++) {
            if (test_quick() && (with * 5 + act) % 4 != 0)
                continue;
            gm__real real = (with + act) % 2 ? GM__F32 : GM__F64;
            int pad = with % 3;
            check_case(make(real, 21, 45, act == 1 ? 2 * GM__K_CUT + 9 : 19, act & 1, with & 1, pad,
                            with, acts[act]),
                       with);
            check_case(make(real, 3, 77, act == 2 ? GM__K_CUT + 9 : 9, 0, 0, pad, with, acts[act]),
                       with);
        }
}
END_TEST

/* More rows than a block, more columns than are packed at once, and rows 4 KB apart. */
START_TEST(large)
{
    seed = 3;
    check_case(make(GM__F32, 530, 33, 70, 0, 0, 0, 0, GM__ACT_NONE), 0);
    check_case(make(GM__F32, 300, 20, 1050, 1, 1, 0, BIAS | ACCUMULATE, GM__RELU),
               BIAS | ACCUMULATE);
    check_case(make(GM__F64, 270, 530, 20, 0, 1, 0, GATE, GM__ACT_NONE), GATE);
    check_case(make(GM__F32, 20, 1100, 40, 1, 0, 0, WANTED, GM__ACT_NONE), WANTED);
    check_case(make(GM__F32, 29, 40, 2048, 0, 0, 0, STEPS, GM__ACT_NONE), STEPS);
    check_case(make(GM__F64, 150, 64, 512, 0, 0, 0, ACCUMULATE, GM__ACT_NONE), ACCUMULATE);
}
END_TEST

/* A left operand full of zeros, of both signs, whose steps may be left out. */
static operands sparse(int64_t m, int64_t n, int64_t k, int ta, int tb, int pad, int with, int act,
                       double filled)
{
    operands o = make(GM__F32, m, n, k, ta, tb, pad, with, act);
    for (int64_t i = 0; i < o.na; i++)
        if (test_uniform(&seed, 0, 1) >= filled)
            o.a[i] = i % 3 ? 0 : -0.0;
    return o;
}

/* Bounds that rise like stairs of some units each, as masks have them. */
static void make_stairs(operands *o, int64_t units, int upwards)
{
    gm__product *p = &o->p;
    for (int64_t j = 0; o->k_lo && j < p->n; j++) {
        int32_t end = (int32_t)(p->k * (j / units * units) / p->n);
        o->k_lo[j] = upwards ? end : 0;
        o->k_hi[j] = upwards ? (int32_t)p->k : end;
    }
    for (int64_t j = 0; o->k_lo && j < p->n; j++)
        for (int64_t q = 0; q < p->k; q++) {
            double *b = &o->b[p->tb ? j * p->ldb + q : q * p->ldb + j];
            *b = q < o->k_lo[j] || q >= o->k_hi[j] ? 0 : test_uniform(&seed, -1, 1);
            if (o->p.real == GM__F32)
                *b = (float)*b;
        }
    for (int64_t i = 0; o->n_lo && i < p->m; i++) {
        int32_t end = (int32_t)(p->n * (i / units * units) / p->m);
        o->n_lo[i] = upwards ? end : 0;
        o->n_hi[i] = upwards ? (int32_t)p->n : end;
    }
}

/* Structure, and zeros. */
START_TEST(zeros_in_stairs)
{
    seed = 8;
    for (int t = 0; t < 4; t++) {
        int with = t & 1 ? BIAS : GATE;
        operands o = sparse(60, 210, 150, t >> 1, t & 1, t & 1, with | STEPS, GM__RELU, 0.4);
        make_stairs(&o, 7, t & 1);
        check_case(o, with | STEPS);
        o = sparse(70, 300, 100, t >> 1, t & 1, 0, with | WANTED, GM__ACT_NONE, 0.4);
        make_stairs(&o, 5, t & 1);
        check_case(o, with | WANTED);
        with |= t & 1 ? STEPS : STEPS | WANTED; /* with bounds that do not rise */
        check_case(sparse(50, 130, 90, t >> 1, t & 1, 0, with, GM__TANH, 0.3), with);
    }
    /* groups of one panel that need different steps, and one between them that needs none of
     * either's */
    operands o = sparse(40, 96, 80, 0, 0, 0, STEPS, GM__ACT_NONE, 0.2);
    for (int64_t j = 0; j < 96; j++) {
        o.k_lo[j] = j / 32 == 1 ? 50 : 0;
        o.k_hi[j] = j / 32 == 1 ? 80 : 40;
        for (int64_t q = 0; q < 80; q++)
            o.b[q * o.p.ldb + j] = q < o.k_lo[j] || q >= o.k_hi[j] ? 0 : 0.25;
    }
    check_case(o, STEPS);
}
END_TEST

/* Gradients of masked weights: memory that is zero already is not written, and what tiles leave
 * over the edge is zero again. */
START_TEST(zeroed)
{
    seed = 9;
    for (int t = 0; t < 4; t++) {
        int with = WANTED | ZEROED | (t & 1 ? ACCUMULATE : 0);
        check_case(make(t & 1 ? GM__F64 : GM__F32, 61, 75, 40, 1, 0, t, with, GM__ACT_NONE), with);
        check_case(make(GM__F32, 3, 75, 40, t & 1, 0, t, with, GM__ACT_NONE), with);
        operands o = sparse(64, 150, 100, 1, 0, t, WANTED | ZEROED, GM__ACT_NONE, 0.4);
        check_case(o, WANTED | ZEROED);
    }
    check_case(make(GM__F32, 20, 40, GM__K_CUT + 9, 0, 0, 0, WANTED | ZEROED, GM__RELU),
               WANTED | ZEROED);
}
END_TEST

START_TEST(zeros)
{
    seed = 5;
    for (int ta = 0; ta < 2; ta++)
        for (int tb = 0; tb < 2; tb++) {
            check_case(sparse(53, 150, 61, ta, tb, ta, BIAS | PRE, GM__RELU, 0.3), BIAS | PRE);
            check_case(sparse(40, 64, 200, ta, tb, tb, ACCUMULATE | GATE, GM__SILU, 0.2),
                       ACCUMULATE | GATE);
        }
    check_case(sparse(131, 97, 1024, 0, 0, 0, BIAS, GM__SOFTPLUS, 0.4), BIAS);
    check_case(sparse(300, 70, 470, 1, 0, 0, GATE, GM__ACT_NONE, 0.45), GATE);
    if (test_quick())
        return;
    check_case(sparse(1100, 64, 33, 1, 1, 0, 0, GM__ACT_NONE, 0.01), 0);
    /* zeros where a guess looks, but not elsewhere */
    operands o = make(GM__F32, 700, 80, 180, 0, 0, 0, BIAS, GM__TANH);
    for (int64_t i = 0; i < o.na; i += 1 + (i % 180 < 170))
        o.a[i] = i % 180 < 40 || i % 180 > 140 ? 0 : o.a[i];
    check_case(o, BIAS);
}
END_TEST

/* Zeros are not left out where the other factor is no number, nor where a sum has lost its sign to
 * underflow. */
START_TEST(zeros_of_account)
{
    seed = 6;
    operands o = sparse(48, 200, 80, 0, 0, 0, BIAS | ACCUMULATE, GM__SILU, 0.3);
    o.b[5 * o.p.ldb + 3] = NAN;
    o.b[70 * o.p.ldb + 190] = INFINITY;
    check_case(o, BIAS | ACCUMULATE);
    o = sparse(48, 200, 80, 1, 1, 0, 0, GM__ACT_NONE, 0.1);
    for (int64_t i = 0; i < o.na; i++)
        o.a[i] = (float)(o.a[i] * 1e-25);
    for (int64_t i = 0; i < o.nb; i++)
        o.b[i] = (float)(o.b[i] * 1e-25);
    check_case(o, 0);
}
END_TEST

/* Derivatives kept for the gradient, and products with them. */
START_TEST(slopes)
{
    static const int acts[] = {GM__SILU, GM__SOFTPLUS};
    seed = 7;
    for (int real = 0; real < 2; real++)
        for (int act = 0; act < 2; act++) {
            int with = BIAS | PRE | SLOPE;
            check_case(make((gm__real)real, 37, 70, 30, 0, act, 0, with, acts[act]), with);
            check_case(make((gm__real)real, 13, 9, 1100, 0, act, 3, with, acts[act]), with);
            with = GATE | FACTOR;
            check_case(make((gm__real)real, 37, 70, 30, act, 1, act, with, GM__ACT_NONE), with);
            with |= ACCUMULATE;
            check_case(make((gm__real)real, 3, 70, 30, 0, 0, 1, with, GM__ACT_NONE), with);
        }
    check_case(sparse(60, 90, 100, 0, 0, 0, BIAS | PRE | SLOPE, GM__SILU, 0.3), BIAS | PRE | SLOPE);
    check_case(sparse(60, 90, 100, 0, 1, 1, GATE | FACTOR, GM__ACT_NONE, 0.3), GATE | FACTOR);
}
END_TEST

/* The definition itself against sums in long double: |error| <= k u sum |a b|. */
START_TEST(accuracy)
{
    seed = 4;
    operands o = make(GM__F32, 9, 9, 2300, 0, 1, 0, 0, GM__ACT_NONE);
    for (int64_t i = 0; i < 9; i++)
        for (int64_t j = 0; j < 9; j++) {
            long double sum = 0, size = 0;
            for (int64_t q = 0; q < o.p.k; q++) {
                sum += (long double)a_at(&o, i, q) * b_at(&o, q, j);
                size += fabsl((long double)a_at(&o, i, q) * b_at(&o, q, j));
            }
            ck_assert(fabsl(chain(&o, i, j) - sum) <= (GM__K_CUT + 3) * 0x1p-24L * size);
        }
    clear(&o);
}
END_TEST

/* Values that are not numbers reach the elements they belong to and no others; relu as the map. */
START_TEST(specials)
{
    const gm__kernels *table;
    for (int t = 0; (table = gm__kernels_at(t)); t++) {
        float a[40], b[40], c[40 * 40], x[40];
        _Alignas(64) static unsigned char scratch[1 << 20];
        for (int i = 0; i < 40; i++) {
            a[i] = i % 5 == 0 ? NAN : i % 5 == 1 ? INFINITY : i % 5 == 2 ? -0.0f : (float)(i - 20);
            b[i] = 1;
        }
        gm__product p = {GM__F32, 40, 40, 1, a, b, c, 1, 40, 40, .act = GM__RELU};
        ck_assert_uint_le(table->products->scratch(&p), sizeof scratch);
        table->products->run(&p, 0, 1, scratch);
        for (int i = 0; i < 40; i++) {
            for (int j = 0; j < 40; j++)
                x[j] = fmaf(a[i], b[j], 0);
            table->maps->map1[GM__F32][GM__RELU](x, x, 40);
            ck_assert_msg(memcmp(x, c + i * 40, sizeof x) == 0, "%s: relu of %g", table->name,
                          (double)a[i]);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("product");
    TCase *t = tcase_create("product");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, sizes);
    tcase_add_test(t, epilogues);
    tcase_add_test(t, large);
    tcase_add_test(t, zeros);
    tcase_add_test(t, zeros_of_account);
    tcase_add_test(t, zeros_in_stairs);
    tcase_add_test(t, zeroed);
    tcase_add_test(t, slopes);
    tcase_add_test(t, accuracy);
    tcase_add_test(t, specials);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
