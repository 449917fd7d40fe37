/* What follows the chains of a product: sums of pieces and the epilogue, for one instruction set
 * and type. */

/* One product under way. */
typedef struct T(job) {
    const gm__product *p;
    const R *a, *b, *bias, *gate;
    R *c, *pre;
    R *sum;             /* pieces added so far; its first element is (sum_i, sum_j); may be c */
    ptrdiff_t ldsum;
    int64_t sum_i, sum_j;
    int does;           /* what follows in registers */
    int late;           /* an activation but relu: done by rows, and the gate with it */
} T(job);

/* The first w < VL elements; the rest zero. */
VINLINE V T(load_part)(const R *x, int64_t w)
{
#if GM_ISA == GM_ISA_AVX512
    if (sizeof(R) == 4)
        return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << w) - 1), x);
    return (V)_mm512_maskz_loadu_pd((__mmask8)((1u << w) - 1), x);
#else
    V v = {0};
    memcpy(&v, x, (size_t)w * sizeof(R));
    return v;
#endif
}

VINLINE void T(store_part)(R *x, V v, int64_t w)
{
#if GM_ISA == GM_ISA_AVX512
    if (sizeof(R) == 4)
        _mm512_mask_storeu_ps(x, (__mmask16)((1u << w) - 1), (__m512)v);
    else
        _mm512_mask_storeu_pd(x, (__mmask8)((1u << w) - 1), (__m512d)v);
#else
    memcpy(x, &v, (size_t)w * sizeof(R));
#endif
}

VINLINE V T(load)(const R *x, int64_t w)
{
    return w >= VL ? V_LOAD(x) : T(load_part)(x, w);
}

VINLINE void T(store)(R *x, V v, int64_t w)
{
    if (w >= VL)
        V_STORE(x, v);
    else
        T(store_part)(x, v, w);
}

/* What an epilogue does; the rest of it is none or late. */
enum {
    T(with_sum) = 1,
    T(with_old) = 2,
    T(with_bias) = 4,
    T(with_pre) = 8,
    T(with_relu) = 16,
    T(with_gate) = 32,
    T(with_factor) = 64
};

/* A tile (h, w) at row i and column j through the epilogue `does`, a constant where this is
 * inlined: one load, one store and one operation for each thing it does. */
VINLINE void T(finish)(const int does, const T(job) * job, int64_t i, int64_t j, int64_t h,
                       int64_t w, const R *t, ptrdiff_t ldt)
{
    const gm__product *p = job->p;
    const V zero = {0};
    R *c = job->c + i * p->ldc + j;
    R *pre = does & T(with_pre) ? job->pre + i * p->ldc + j : NULL;
    const R *gate = does & (T(with_gate) | T(with_factor)) ? job->gate + i * p->ldgate + j : NULL;
    const R *bias = does & T(with_bias) ? job->bias + j : NULL;
    const R *sum =
        does & T(with_sum) ? job->sum + (i - job->sum_i) * job->ldsum + j - job->sum_j : NULL;
    for (; h > 0; h--) {
        for (int64_t q = 0; q < w; q += VL) {
            V x = V_LOAD(t + q);
            if (does & T(with_sum))
                x = T(load)(sum + q, w - q) + x;
            if (does & T(with_old))
                x = T(load)(c + q, w - q) + x;
            if (does & T(with_bias))
                x = x + T(load)(bias + q, w - q);
            if (does & T(with_pre))
                T(store)(pre + q, x, w - q);
            if (does & T(with_relu))
                x = V_PICK((VI)(x > zero), x, zero);
            if (does & T(with_gate))
                x = V_PICK((VI)(T(load)(gate + q, w - q) > zero), x, zero);
            if (does & T(with_factor))
                x = T(load)(gate + q, w - q) * x;
            T(store)(c + q, x, w - q);
        }
        t += ldt;
        c += p->ldc;
        if (does & T(with_pre))
            pre += p->ldc;
        if (does & (T(with_gate) | T(with_factor)))
            gate += p->ldgate;
        if (does & T(with_sum))
            sum += job->ldsum;
    }
}

/* A tile of a piece of k that is not the last: into the sum. */
static void T(add_tile)(const T(job) *job, int64_t i, int64_t j, int64_t h, int64_t w, const R *t,
                        ptrdiff_t ldt, int first)
{
    for (int64_t r = 0; r < h; r++) {
        R *sum = job->sum + (i - job->sum_i + r) * job->ldsum + j - job->sum_j;
        for (int64_t q = 0; q < w; q += VL) {
            V x = V_LOAD(t + r * ldt + q);
            T(store)(sum + q, first ? x : T(load)(sum + q, w - q) + x, w - q);
        }
    }
}

/* A tile (h, w) of one piece of k, at row i and column j: into the sum, or through the epilogue. */
static void T(finish_tile)(const T(job) * job, int64_t i, int64_t j, int64_t h, int64_t w,
                           const R *t, ptrdiff_t ldt, int first, int last)
{
    if (!last) {
        T(add_tile)(job, i, j, h, w, t, ldt, first);
        return;
    }
    int does = job->does | (first ? 0 : T(with_sum));
#if GM_ISA != GM_ISA_BASE
    switch (does) {
    case 0:
        T(finish)(0, job, i, j, h, w, t, ldt);
        break;
    case T(with_bias):
        T(finish)(T(with_bias), job, i, j, h, w, t, ldt);
        break;
    case T(with_bias) | T(with_relu):
        T(finish)(T(with_bias) | T(with_relu), job, i, j, h, w, t, ldt);
        break;
    case T(with_gate):
        T(finish)(T(with_gate), job, i, j, h, w, t, ldt);
        break;
    case T(with_factor):
        T(finish)(T(with_factor), job, i, j, h, w, t, ldt);
        break;
    case T(with_old):
        T(finish)(T(with_old), job, i, j, h, w, t, ldt);
        break;
    default:
        T(finish)(does, job, i, j, h, w, t, ldt);
    }
#else
    T(finish)(does, job, i, j, h, w, t, ldt);
#endif
}

/* The activation of n elements in a row from row i, column j on, where it is not done yet. */
static void T(activate)(const T(job) *job, int64_t i, int64_t j, int64_t n)
{
    const gm__product *p = job->p;
    R *c = job->c + i * p->ldc + j, *slope = p->slope_to;
    if (slope && p->act == GM__SILU)
        ISA(gm__maps).silu_both[RKIND](c, slope + i * p->ldc + j, c, n);
    else if (slope)
        ISA(gm__maps).softplus_both[RKIND](c, slope + i * p->ldc + j, c, n);
    else if (p->act == GM__ACT_LEAKY)
        ISA(gm__maps).leaky[RKIND](c, c, p->slope, n);
    else
        ISA(gm__maps).map1[RKIND][p->act](c, c, n);
}

static void T(zero)(R *x, int64_t n)
{
    if (n > 0)
        memset(x, 0, (size_t)n * sizeof *x);
}

/* Zeros where a tile (h, w) at row i and column j was written and is not wanted. */
static void T(zero_unwanted)(const T(job) *job, int64_t i, int64_t j, int64_t h, int64_t w)
{
    const gm__product *p = job->p;
    for (; h > 0; h--, i++) {
        int64_t lo = p->n_lo ? p->n_lo[i] - j : 0, hi = p->n_hi ? p->n_hi[i] - j : w;
        lo = lo < 0 ? 0 : lo > w ? w : lo;
        hi = hi < lo ? lo : hi > w ? w : hi;
        R *c = job->c + i * p->ldc + j;
        T(zero)(c, lo);
        T(zero)(c + hi, w - hi);
    }
}

/* What is done by whole rows of a finished rectangle: activations that are no register operation,
 * and zeros outside what is wanted. */
static void T(finish_rows)(const T(job) *job, gm__share s)
{
    const gm__product *p = job->p;
    int bounded = p->n_lo || p->n_hi;
    if (p->zeroed && !job->late)
        return;
    if (job->late && !bounded && !job->gate && p->ldc == p->n && s.j1 - s.j0 == p->n) {
        T(activate)(job, s.i0, 0, (s.i1 - s.i0) * p->n);
        return;
    }
    for (int64_t i = s.i0; (job->late || bounded) && i < s.i1; i++) {
        gm__range want = gm__product_wanted(p, i, 1);
        int64_t lo = want.lo > s.j0 ? want.lo : s.j0, hi = want.hi < s.j1 ? want.hi : s.j1;
        if (lo >= hi)
            lo = hi = s.j1;
        R *c = job->c + i * p->ldc;
        if (job->late && hi > lo) {
            T(activate)(job, i, lo, hi - lo);
            if (job->gate)
                ISA(gm__maps).map2[RKIND][GM__GATE](c + lo, c + lo, job->gate + i * p->ldgate + lo,
                                                    hi - lo);
        }
        if (p->zeroed)
            continue;
        T(zero)(c + s.j0, lo - s.j0);
        T(zero)(c + hi, s.j1 - hi);
        if (job->pre) {
            T(zero)(job->pre + i * p->ldc + s.j0, lo - s.j0);
            T(zero)(job->pre + i * p->ldc + hi, s.j1 - hi);
        }
        if (p->slope_to) {
            T(zero)((R *)p->slope_to + i * p->ldc + s.j0, lo - s.j0);
            T(zero)((R *)p->slope_to + i * p->ldc + hi, s.j1 - hi);
        }
    }
}
