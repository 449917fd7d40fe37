/* Part of maps_body.h: the loops around an operation on vectors, for one type.
 *
 * In force besides the names of maps_plain.h: T, the type; LANES; MAP(name), the name of a map's
 * function; CHEAP_ONLY where another instruction set's costly ones serve. The last vector of an
 * array is filled up with zeros and computed like the others, so an element's bits never depend on
 * where it stands. */

VINLINE V FN(get)(const T *p, int64_t k)
{
    return k >= LANES ? OP(load)(p) : OP(part)(p, k);
}
VINLINE void FN(set_at)(T *p, V v, int64_t k)
{
    if (k >= LANES)
        OP(store)(p, v);
    else
        OP(put)(p, v, k);
}

#define MAP1(name, op)                                                                             \
    static void MAP(name)(void *out, const void *in, int64_t n)                                    \
    {                                                                                              \
        T *y = out;                                                                                \
        const T *x = in;                                                                           \
        for (int64_t i = 0; i < n; i += LANES)                                                     \
            FN(set_at)(y + i, op(FN(get)(x + i, n - i)), n - i);                                   \
    }

#define BOTH(name)                                                                                 \
    static void MAP(name)(void *out, void *slope_out, const void *in, int64_t n)                   \
    {                                                                                              \
        T *y = out, *d = slope_out;                                                                \
        const T *x = in;                                                                           \
        for (int64_t i = 0; i < n; i += LANES) {                                                   \
            V slope, v = OP(name)(FN(get)(x + i, n - i), &slope);                                  \
            FN(set_at)(y + i, v, n - i);                                                           \
            FN(set_at)(d + i, slope, n - i);                                                       \
        }                                                                                          \
    }

#define MAP2(name)                                                                                 \
    static void MAP(name)(void *out, const void *left, const void *right, int64_t n)               \
    {                                                                                              \
        T *y = out;                                                                                \
        const T *a = left, *b = right;                                                             \
        for (int64_t i = 0; i < n; i += LANES) {                                                   \
            V va = FN(get)(a + i, n - i), vb = FN(get)(b + i, n - i);                              \
            FN(set_at)(y + i, FN(name)(va, vb), n - i);                                            \
        }                                                                                          \
    }                                                                                              \
    static void MAP(name##_right)(void *out, const void *left, const void *right, int64_t n)       \
    {                                                                                              \
        T *y = out;                                                                                \
        const T *a = left;                                                                         \
        V vb = OP(set)(n > 0 ? *(const T *)right : 0);                                             \
        for (int64_t i = 0; i < n; i += LANES)                                                     \
            FN(set_at)(y + i, FN(name)(FN(get)(a + i, n - i), vb), n - i);                         \
    }

/* The single value on the left: a loop of its own, or, if a and b may be exchanged, the other one.
 */
#define LEFT(name)                                                                                 \
    static void MAP(name##_left)(void *out, const void *left, const void *right, int64_t n)        \
    {                                                                                              \
        T *y = out;                                                                                \
        const T *b = right;                                                                        \
        V va = OP(set)(n > 0 ? *(const T *)left : 0);                                              \
        for (int64_t i = 0; i < n; i += LANES)                                                     \
            FN(set_at)(y + i, FN(name)(va, FN(get)(b + i, n - i)), n - i);                         \
    }
#define SWAP(name)                                                                                 \
    static void MAP(name##_left)(void *out, const void *left, const void *right, int64_t n)        \
    {                                                                                              \
        MAP(name##_right)(out, right, left, n);                                                    \
    }

MAP1(neg, OP(neg))
MAP1(abs, OP(abs))
MAP1(sign, FN(signum))
MAP1(square, FN(square))
MAP1(sqrt, OP(sqrt))
MAP1(recip, FN(recip))
MAP1(floor, FN(floor))
MAP1(round, FN(round))
MAP1(relu, FN(relu))
MAP1(step, FN(step))
MAP1(exp, OP(exp))
MAP1(expm1, OP(expm1))
MAP1(log, OP(log))
MAP1(log1p, OP(log1p))
MAP1(tanh, OP(tanh))
MAP1(sigmoid, OP(sigmoid))
MAP1(softplus, OP(softplus))
MAP1(log_sigmoid, OP(log_sigmoid))
MAP1(silu, OP(silu))
MAP1(silu_slope, OP(silu_slope))
BOTH(silu_both)
BOTH(softplus_both)

#ifndef CHEAP_ONLY
MAP1(sin, OP(sin))
MAP1(cos, OP(cos))
MAP1(gelu, OP(gelu))
MAP1(erf, OP(erf))
MAP1(erfc, OP(erfc))
MAP1(atan, OP(atan))
MAP1(normal_cdf, OP(normal_cdf))
MAP2(logaddexp)
SWAP(logaddexp)
#endif

MAP2(add)
SWAP(add)
MAP2(sub)
LEFT(sub)
MAP2(mul)
SWAP(mul)
MAP2(div)
LEFT(div)
MAP2(least)
LEFT(least)
MAP2(most)
LEFT(most)
MAP2(gt)
LEFT(gt)
MAP2(ge)
LEFT(ge)
MAP2(eq)
SWAP(eq)
MAP2(gate)
LEFT(gate)

static void MAP(pick)(void *out, const void *mask, const void *left, const void *right, int64_t n)
{
    T *y = out;
    const T *m = mask, *a = left, *b = right;
    for (int64_t i = 0; i < n; i += LANES) {
        V va = FN(get)(a + i, n - i), vb = FN(get)(b + i, n - i);
        FN(set_at)(y + i, OP(pick)(FN(get)(m + i, n - i) != 0, va, vb), n - i);
    }
}

static void MAP(axpb)(void *out, const void *in, double scale, double shift, int64_t n)
{
    T *y = out;
    const T *x = in;
    V s = OP(set)((T)scale), t = OP(set)((T)shift);
    for (int64_t i = 0; i < n; i += LANES)
        FN(set_at)(y + i, FN(get)(x + i, n - i) * s + t, n - i);
}

static void MAP(leaky)(void *out, const void *in, double slope, int64_t n)
{
    T *y = out;
    const T *x = in;
    V s = OP(set)((T)slope);
    for (int64_t i = 0; i < n; i += LANES) {
        V v = FN(get)(x + i, n - i);
        FN(set_at)(y + i, OP(pick)(v > 0, v, v * s), n - i);
    }
}

#undef MAP1
#undef BOTH
#undef MAP2
#undef LEFT
#undef SWAP
