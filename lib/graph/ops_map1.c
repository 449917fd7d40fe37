/* Element-wise operations of one operand that are a map of the kernels: rows and gradients. */
#include "graph/node.h"

#define ONE_OVER_SQRT_2PI 0.39894228040143267794
#define TWO_OVER_SQRT_PI 1.12837916709551257390

static void shape_map(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    if (n->type == GM_INDEX_NODE)
        gm__wrong(b, GM_E_ARG,
                  "%s: an INDEX node has no arithmetic; convert it by gm_narrow or gm_wide",
                  n->op->name);
}

/* A map of one value broadcast is the map's value broadcast. */
gm_node *gm__map1_node(gm_builder *b, int map, gm_node *x)
{
    if (gm__is(x, GM__OP_BROADCAST) && gm__one(x->in[0]))
        return gm__broadcast_like(b, gm__node1(b, GM__OP_MAP1 + map, x->in[0], NULL), x);
    return gm__node1(b, GM__OP_MAP1 + map, x, NULL);
}

#define MAP(name, map)                                                                             \
    gm_node *gm_##name(gm_builder *b, gm_node *x)                                                  \
    {                                                                                              \
        return b ? gm__map1_node(b, map, x) : NULL;                                                \
    }
MAP(neg, GM__NEG)
MAP(abs, GM__ABS)
MAP(sign, GM__SIGN)
MAP(square, GM__SQUARE)
MAP(sqrt, GM__SQRT)
MAP(recip, GM__RECIP)
MAP(floor, GM__FLOOR)
MAP(round, GM__ROUND)
MAP(relu, GM__RELU)
MAP(step, GM__STEP)
MAP(exp, GM__EXP)
MAP(expm1, GM__EXPM1)
MAP(log, GM__LOG)
MAP(log1p, GM__LOG1P)
MAP(sin, GM__SIN)
MAP(cos, GM__COS)
MAP(tanh, GM__TANH)
MAP(sigmoid, GM__SIGMOID)
MAP(softplus, GM__SOFTPLUS)
MAP(log_sigmoid, GM__LOG_SIGMOID)
MAP(silu, GM__SILU)
MAP(gelu, GM__GELU)
MAP(erf, GM__ERF)
MAP(erfc, GM__ERFC)
MAP(lgamma, GM__LGAMMA)
MAP(digamma, GM__DIGAMMA)
MAP(atan, GM__ATAN)
MAP(normal_cdf, GM__NORMAL_CDF)
MAP(normal_quantile, GM__NORMAL_QUANTILE)

/* ---- Gradients: dx from x, y = f(x) and dy --------------------------------------------------- */

#define GRADIENT(name, formula)                                                                    \
    static void d_##name(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)       \
    {                                                                                              \
        gm_node *x = y->in[0];                                                                     \
        (void)x;                                                                                   \
        (void)dy2;                                                                                 \
        dx[0] = (formula);                                                                         \
    }

/* phi(x), the standard normal density */
static gm_node *normal_density(gm_builder *b, gm_node *x)
{
    return gm_scale(b, gm_exp(b, gm_scale(b, gm_square(b, x), -0.5)), ONE_OVER_SQRT_2PI);
}

static gm_node *gauss(gm_builder *b, gm_node *x, double factor)
{
    return gm_scale(b, gm_exp(b, gm_neg(b, gm_square(b, x))), factor);
}

/* d silu_slope(x) = s (1 - s) (2 + x (1 - 2 s)), s = sigmoid(x) */
static gm_node *silu_curve(gm_builder *b, gm_node *x)
{
    gm_node *s = gm_sigmoid(b, x), *rest = gm_one_minus(b, s);
    gm_node *bend = gm_shift(b, gm_mul(b, x, gm_sub(b, rest, s)), 2);
    return gm_mul(b, gm_mul(b, s, rest), bend);
}

static gm_node *gelu_slope(gm_builder *b, gm_node *x)
{
    return gm_add(b, gm_normal_cdf(b, x), gm_mul(b, x, normal_density(b, x)));
}

GRADIENT(neg, gm_neg(b, dy))
GRADIENT(abs, gm_mul(b, dy, gm_sign(b, x)))
GRADIENT(square, gm_mul(b, dy, gm_scale(b, x, 2)))
GRADIENT(sqrt, gm_div(b, gm_scale(b, dy, 0.5), y))
GRADIENT(recip, gm_neg(b, gm_mul(b, dy, gm_square(b, y))))
GRADIENT(relu, gm_gate(b, dy, y))
GRADIENT(exp, gm_mul(b, dy, y))
GRADIENT(expm1, gm_mul(b, dy, gm_exp(b, x)))
GRADIENT(log, gm_div(b, dy, x))
GRADIENT(log1p, gm_div(b, dy, gm_shift(b, x, 1)))
GRADIENT(sin, gm_mul(b, dy, gm_cos(b, x)))
GRADIENT(cos, gm_neg(b, gm_mul(b, dy, gm_sin(b, x))))
GRADIENT(tanh, gm_mul(b, dy, gm_one_minus(b, gm_square(b, y))))
GRADIENT(sigmoid, gm_mul(b, dy, gm_mul(b, y, gm_one_minus(b, y))))
GRADIENT(softplus, gm_mul(b, dy, gm_sigmoid(b, x)))
GRADIENT(log_sigmoid, gm_mul(b, dy, gm_sigmoid(b, gm_neg(b, x))))
GRADIENT(silu, gm_mul(b, dy, gm__map1_node(b, GM__SILU_SLOPE, x)))
GRADIENT(silu_slope, gm_mul(b, dy, silu_curve(b, x)))
GRADIENT(gelu, gm_mul(b, dy, gelu_slope(b, x)))
GRADIENT(erf, gm_mul(b, dy, gauss(b, x, TWO_OVER_SQRT_PI)))
GRADIENT(erfc, gm_mul(b, dy, gauss(b, x, -TWO_OVER_SQRT_PI)))
GRADIENT(lgamma, gm_mul(b, dy, gm_digamma(b, x)))
GRADIENT(digamma, gm_mul(b, dy, gm_polygamma(b, x, 1)))
GRADIENT(trigamma, gm_mul(b, dy, gm_polygamma(b, x, 2)))
GRADIENT(atan, gm_div(b, dy, gm_shift(b, gm_square(b, x), 1)))
GRADIENT(normal_cdf, gm_mul(b, dy, normal_density(b, x)))
GRADIENT(normal_quantile, gm_div(b, dy, normal_density(b, y)))

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, 1, 0, shape_map, gm__strip_map1, NULL, NULL, d_##name                               \
    }
#define FLAT(name)                                                                                 \
    {                                                                                              \
#name, 1, GM__NO_GRADIENT, shape_map, gm__strip_map1, NULL, NULL, NULL                     \
    }
const gm__op gm__ops_map1[] = {
    [GM__NEG] = ROW(neg),
    [GM__ABS] = ROW(abs),
    [GM__SIGN] = FLAT(sign),
    [GM__SQUARE] = ROW(square),
    [GM__SQRT] = ROW(sqrt),
    [GM__RECIP] = ROW(recip),
    [GM__FLOOR] = FLAT(floor),
    [GM__ROUND] = FLAT(round),
    [GM__RELU] = ROW(relu),
    [GM__STEP] = FLAT(step),
    [GM__EXP] = ROW(exp),
    [GM__EXPM1] = ROW(expm1),
    [GM__LOG] = ROW(log),
    [GM__LOG1P] = ROW(log1p),
    [GM__SIN] = ROW(sin),
    [GM__COS] = ROW(cos),
    [GM__TANH] = ROW(tanh),
    [GM__SIGMOID] = ROW(sigmoid),
    [GM__SOFTPLUS] = ROW(softplus),
    [GM__LOG_SIGMOID] = ROW(log_sigmoid),
    [GM__SILU] = ROW(silu),
    [GM__SILU_SLOPE] = ROW(silu_slope),
    [GM__GELU] = ROW(gelu),
    [GM__ERF] = ROW(erf),
    [GM__ERFC] = ROW(erfc),
    [GM__LGAMMA] = ROW(lgamma),
    [GM__DIGAMMA] = ROW(digamma),
    [GM__TRIGAMMA] = ROW(trigamma),
    [GM__ATAN] = ROW(atan),
    [GM__NORMAL_CDF] = ROW(normal_cdf),
    [GM__NORMAL_QUANTILE] = ROW(normal_quantile),
};
