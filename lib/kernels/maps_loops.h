/* Part of maps_body.h: the loops around an operation on vectors, for one type.
 *
 * In force besides the names of maps_plain.h: T, the type; LANES; MAP(name), the name of a map's
 * function. The last vector of an array is filled up with zeros and computed like the others, so
 * an element's bits never depend on where it stands. */

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

#define MAP1(name, op)                                                                  \
    static void MAP(name)(void *out, const void *in, int64_t n)                         \
    {                                                                                   \
        T *y = out;                                                                     \
        const T *x = in;                                                                \
        for (int64_t i = 0; i < n; i += LANES)                                          \
            FN(set_at)(y + i, op(FN(get)(x + i, n - i)), n - i);                        \
    }

#define MAP2(name)                                                                      \
    static void MAP(name)(void *out, const void *left, const void *right, int64_t n)    \
    {                                                                                   \
        T *y = out;                                                                     \
        const T *a = left, *b = right;                                                  \
        for (int64_t i = 0; i < n; i += LANES) {                                        \
            V va = FN(get)(a + i, n - i), vb = FN(get)(b + i, n - i);                   \
            FN(set_at)(y + i, FN(name)(va, vb), n - i);                                 \
        }                                                                               \
    }                                                                                   \
    static void MAP(name##_right)(void *out, const void *left, const void *right, int64_t n) \
    {                                                                                   \
        T *y = out;                                                                     \
        const T *a = left;                                                              \
        V vb = OP(set)(n > 0 ? *(const T *)right : 0);                                  \
        for (int64_t i = 0; i < n; i += LANES)                                          \
            FN(set_at)(y + i, FN(name)(FN(get)(a + i, n - i), vb), n - i);              \
    }                                                                                   \
    static void MAP(name##_left)(void *out, const void *left, const void *right, int64_t n) \
    {                                                                                   \
        T *y = out;                                                                     \
        const T *b = right;                                                             \
        V va = OP(set)(n > 0 ? *(const T *)left : 0);                                   \
        for (int64_t i = 0; i < n; i += LANES)                                          \
            FN(set_at)(y + i, FN(name)(va, FN(get)(b + i, n - i)), n - i);              \
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
MAP1(sin, OP(sin))
MAP1(cos, OP(cos))
MAP1(tanh, OP(tanh))
MAP1(sigmoid, OP(sigmoid))
MAP1(softplus, OP(softplus))
MAP1(log_sigmoid, OP(log_sigmoid))
MAP1(silu, OP(silu))
MAP1(gelu, OP(gelu))
MAP1(erf, OP(erf))
MAP1(erfc, OP(erfc))
MAP1(lgamma, OP(lgamma))
MAP1(digamma, OP(digamma))
MAP1(trigamma, OP(trigamma))
MAP1(atan, OP(atan))
MAP1(normal_cdf, OP(normal_cdf))
MAP1(normal_quantile, OP(normal_quantile))

MAP2(add)
MAP2(sub)
MAP2(mul)
MAP2(div)
MAP2(least)
MAP2(most)
MAP2(gt)
MAP2(ge)
MAP2(eq)
MAP2(gate)
MAP2(logaddexp)

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

static void MAP(polygamma)(void *out, const void *in, int order, int64_t n)
{
    T *y = out;
    const T *x = in;
    if (order == 1) {
        MAP(trigamma)(y, x, n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = (T)gm__polygamma(order, (double)x[i]);
}

#undef MAP1
#undef MAP2
