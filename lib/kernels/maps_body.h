/* The element maps for one instruction set: the loops, and the table. */
#include "kernels/math_f32.h"
#include "kernels/math_f64.h"
#include "kernels/math_dd.h"
#include "kernels/math_erf.h"
#include "kernels/math_gamma.h"
#include "kernels/math_quantile.h"

#define V vf
#define M vi
#define T float
#define LANES VF
#define WHOLE 0x1p23f
#define OP(name) vf_##name
#define FN(name) ISA(gm__map_f_##name)
#define MAP(name) ISA(map_f32_##name)
#include "kernels/maps_plain.h"
#include "kernels/maps_loops.h"
#undef V
#undef M
#undef T
#undef LANES
#undef WHOLE
#undef OP
#undef FN
#undef MAP

#define V vd
#define M vl
#define T double
#define LANES VD
#define WHOLE 0x1p52
#define OP(name) vd_##name
#define FN(name) ISA(gm__map_d_##name)
#define MAP(name) ISA(map_f64_##name)
#if GM_ISA == GM_ISA_AVX512
#define CHEAP_ONLY
#endif
#include "kernels/maps_plain.h"
#include "kernels/maps_loops.h"
#undef V
#undef M
#undef T
#undef LANES
#undef WHOLE
#undef OP
#undef FN
#undef MAP
#undef CHEAP_ONLY

#if GM_ISA != GM_ISA_AVX512
#define MAP1(name)                                                                                 \
    static void ISA(map_f64_##name)(void *out, const void *in, int64_t n)                          \
    {                                                                                              \
        double *y = out;                                                                           \
        const double *x = in;                                                                      \
        for (int64_t i = 0; i < n; i += VD)                                                        \
            ISA(gm__map_d_set_at)(y + i, vd_##name(ISA(gm__map_d_get)(x + i, n - i)), n - i);      \
    }
MAP1(lgamma)
MAP1(digamma)
MAP1(trigamma)
MAP1(normal_quantile)
#undef MAP1

static void ISA(map_f64_polygamma)(void *out, const void *in, int order, int64_t n)
{
    double *y = out;
    const double *x = in;
    if (order == 1) {
        ISA(map_f64_trigamma)(y, x, n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = gm__polygamma(order, x[i]);
}
#endif

static void ISA(map_widen)(double *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += VF) {
        int64_t k = n - i;
        vf v = k >= VF ? vf_load(x + i) : vf_part(x + i, k);
        if (k >= VF) {
            vd_store(y + i, vd_low(v));
            vd_store(y + i + VD, vd_high(v));
        } else {
            vd_put(y + i, vd_low(v), k < VD ? k : VD);
            if (k > VD)
                vd_put(y + i + VD, vd_high(v), k - VD);
        }
    }
}

static void ISA(map_narrow)(float *y, const double *x, int64_t n)
{
    int64_t i = 0;
    for (; i + VF <= n; i += VF)
        vf_store(y + i, vf_join(vd_load(x + i), vd_load(x + i + VD)));
    for (; i < n; i++)
        y[i] = (float)x[i];
}

#if GM_ISA != GM_ISA_AVX512
/* The costly functions have a body in double only. */
#define PIECE 128
#define MAP1(name)                                                                                 \
    static void ISA(map_f32_##name)(void *out, const void *in, int64_t n)                          \
    {                                                                                              \
        double piece[PIECE];                                                                       \
        for (int64_t i = 0; i < n; i += PIECE) {                                                   \
            int64_t k = n - i < PIECE ? n - i : PIECE;                                             \
            ISA(map_widen)(piece, (const float *)in + i, k);                                       \
            ISA(map_f64_##name)(piece, piece, k);                                                  \
            ISA(map_narrow)((float *)out + i, piece, k);                                           \
        }                                                                                          \
    }
MAP1(lgamma)
MAP1(digamma)
MAP1(trigamma)
MAP1(normal_quantile)
#undef MAP1

static void ISA(map_f32_polygamma)(void *out, const void *in, int order, int64_t n)
{
    float *y = out;
    const float *x = in;
    if (order == 1) {
        ISA(map_f32_trigamma)(y, x, n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)gm__polygamma(order, (double)x[i]);
}
#undef PIECE
#endif

#define BOTH(name)                                                                                 \
    {                                                                                              \
        ISA(map_f32_##name), ISA(map_f64_##name)                                                   \
    }
#define ROW1(kind, name)                                                                           \
    [GM__F32][kind] = ISA(map_f32_##name), [GM__F64][kind] = ISA(map_f64_##name)
#define ROW1_SMALL(kind, name)                                                                     \
    [GM__F32][kind] = ISA(map_f32_##name), [GM__F64][kind] = ISA_SMALL(map_f64_##name)
#define ROW1_SMALLEST(kind, name)                                                                  \
    [GM__F32][kind] = ISA_SMALL(map_f32_##name), [GM__F64][kind] = ISA_SMALL(map_f64_##name)
#define ROWS2(form)                                                                                \
    {                                                                                              \
        ROW2(GM__ADD, add, form), ROW2(GM__SUB, sub, form), ROW2(GM__MUL, mul, form),              \
            ROW2(GM__DIV, div, form), ROW2(GM__MIN, least, form), ROW2(GM__MAX, most, form),       \
            ROW2(GM__GT, gt, form), ROW2(GM__GE, ge, form), ROW2(GM__EQ, eq, form),                \
            ROW2(GM__GATE, gate, form),                                                            \
            [GM__F32][GM__LOGADDEXP] = ISA(map_f32_logaddexp##form),                               \
            [GM__F64][GM__LOGADDEXP] = ISA_SMALL(map_f64_logaddexp##form),                         \
    }
#define ROW2(kind, name, form)                                                                     \
    [GM__F32][kind] = ISA(map_f32_##name##form), [GM__F64][kind] = ISA(map_f64_##name##form)

const gm__maps ISA(gm__maps) = {
    .map1 =
        {
            ROW1(GM__NEG, neg),
            ROW1(GM__ABS, abs),
            ROW1(GM__SIGN, sign),
            ROW1(GM__SQUARE, square),
            ROW1(GM__SQRT, sqrt),
            ROW1(GM__RECIP, recip),
            ROW1(GM__FLOOR, floor),
            ROW1(GM__ROUND, round),
            ROW1(GM__RELU, relu),
            ROW1(GM__STEP, step),
            ROW1(GM__EXP, exp),
            ROW1(GM__EXPM1, expm1),
            ROW1(GM__LOG, log),
            ROW1(GM__LOG1P, log1p),
            ROW1_SMALL(GM__SIN, sin),
            ROW1_SMALL(GM__COS, cos),
            ROW1(GM__TANH, tanh),
            ROW1(GM__SIGMOID, sigmoid),
            ROW1(GM__SOFTPLUS, softplus),
            ROW1(GM__LOG_SIGMOID, log_sigmoid),
            ROW1(GM__SILU, silu),
            ROW1(GM__SILU_SLOPE, silu_slope),
            ROW1_SMALL(GM__GELU, gelu),
            ROW1_SMALL(GM__ERF, erf),
            ROW1_SMALL(GM__ERFC, erfc),
            ROW1_SMALLEST(GM__LGAMMA, lgamma),
            ROW1_SMALLEST(GM__DIGAMMA, digamma),
            ROW1_SMALLEST(GM__TRIGAMMA, trigamma),
            ROW1_SMALL(GM__ATAN, atan),
            ROW1_SMALL(GM__NORMAL_CDF, normal_cdf),
            ROW1_SMALLEST(GM__NORMAL_QUANTILE, normal_quantile),
        },
    .map2 = ROWS2(),
    .map2_right = ROWS2(_right),
    .map2_left = ROWS2(_left),
    .pick = BOTH(pick),
    .axpb = BOTH(axpb),
    .leaky = BOTH(leaky),
    .polygamma = {ISA_SMALL(map_f32_polygamma), ISA_SMALL(map_f64_polygamma)},
    .silu_both = BOTH(silu_both),
    .softplus_both = BOTH(softplus_both),
    .widen = ISA(map_widen),
    .narrow = ISA(map_narrow),
};

#undef BOTH
#undef ROW1
#undef ROW1_SMALL
#undef ROW1_SMALLEST
#undef ROW2
#undef ROWS2
