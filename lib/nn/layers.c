/* Layers: functions that add nodes and name their parameters. */
#include "nn/nn.h"

#include <math.h>
#include <string.h>

typedef struct gm__name {
    char text[192];
} gm__name;

static gm__name join(const char *name, const char *part)
{
    gm__name n;
    gm__format(n.text, sizeof n.text, "%s.%s", name, part);
    return n;
}

static gm__name join_int(const char *name, int i)
{
    gm__name n;
    gm__format(n.text, sizeof n.text, "%s.%d", name, i);
    return n;
}

gm_node *gm_activation(gm_builder *b, int32_t act, gm_node *x)
{
    switch (act) {
    case GM_ACT_NONE:
        return x;
    case GM_ACT_RELU:
        return gm_relu(b, x);
    case GM_ACT_TANH:
        return gm_tanh(b, x);
    case GM_ACT_SILU:
        return gm_silu(b, x);
    case GM_ACT_GELU:
        return gm_gelu(b, x);
    case GM_ACT_LEAKY_RELU:
        return gm_leaky_relu(b, x, 0.01);
    case GM_ACT_SIGMOID:
        return gm_sigmoid(b, x);
    case GM_ACT_SOFTPLUS:
        return gm_softplus(b, x);
    default:
        gm_builder_fail(b, GM_E_ARG, "activation: no such number; see the GM_ACT_ list");
        return NULL;
    }
}

int32_t gm_activation_find(const char *name)
{
    static const char names[][12] = {"none", "relu",       "tanh",    "silu",
                                     "gelu", "leaky_relu", "sigmoid", "softplus"};
    for (int32_t i = 0; name && i < (int32_t)(sizeof names / sizeof names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

int32_t gm__opt_activation(gm_builder *b)
{
    static const int32_t acts[] = {GM_ACT_RELU, GM_ACT_TANH, GM_ACT_SILU, GM_ACT_GELU,
                                   GM_ACT_LEAKY_RELU};
    return acts[gm_opt_choice(b, "activation")];
}

/* x W + bias, with W (in, out) from the initialiser given and, if lo is, zero outside its
 * staircase. The bias starts as PyTorch's does, uniform in +-1/sqrt(in), or at zero with a zero
 * weight. */
static gm_node *affine(gm_builder *b, const char *name, gm_node *x, int64_t out, int32_t init,
                       double scale, const int32_t *lo, const int32_t *hi)
{
    int64_t in = gm_node_dim(x, -1), shape[2] = {in, out};
    if (!x || in < 1 || out < 1) {
        gm_builder_fail(b, GM_E_SHAPE, "linear: input and output need at least one column");
        return NULL;
    }
    int zero = init == GM_INIT_ZEROS;
    gm_node *w = gm_param(b, join(name, "weight").text, 2, shape, init, scale);
    gm_node *bias =
        gm_param(b, join(name, "bias").text, 1, shape + 1, zero ? GM_INIT_ZEROS : GM_INIT_UNIFORM,
                 zero ? 0 : 1 / sqrt((double)in));
    gm_node *y = lo ? gm_matmul_masked(b, x, w, lo, hi) : gm_matmul(b, x, w, 0, 0);
    return gm_add(b, y, bias);
}

/* Kaiming's bound at scale 1/sqrt(3): U(+-1/sqrt(in)), PyTorch's default for linear layers. */
#define LINEAR_SCALE 0.57735026918962576

gm_node *gm_nn_linear(gm_builder *b, const char *name, gm_node *x, int64_t out)
{
    return affine(b, name, x, out, GM_INIT_KAIMING, LINEAR_SCALE, NULL, NULL);
}

gm_node *gm_nn_linear_zero(gm_builder *b, const char *name, gm_node *x, int64_t out)
{
    return affine(b, name, x, out, GM_INIT_ZEROS, 0, NULL, NULL);
}

gm_node *gm_nn_masked_linear(gm_builder *b, const char *name, gm_node *x, int64_t out,
                             const int32_t *lo, const int32_t *hi)
{
    return affine(b, name, x, out, GM_INIT_KAIMING, LINEAR_SCALE, lo, hi);
}

gm_node *gm__nn_masked_linear_zero(gm_builder *b, const char *name, gm_node *x, int64_t out,
                                   const int32_t *lo, const int32_t *hi)
{
    return affine(b, name, x, out, GM_INIT_ZEROS, 0, lo, hi);
}

gm_node *gm_nn_mlp(gm_builder *b, const char *name, gm_node *x, int32_t count,
                   const int64_t *widths, int32_t act)
{
    for (int32_t i = 0; i < count; i++)
        x = gm_activation(b, act, gm_nn_linear(b, join_int(name, i).text, x, widths[i]));
    return x;
}

gm_node *gm_nn_residual(gm_builder *b, const char *name, gm_node *x, int32_t act)
{
    int64_t width = gm_node_dim(x, -1);
    gm_node *h = gm_nn_linear(b, join(name, "0").text, gm_activation(b, act, x), width);
    h = gm_nn_linear_zero(b, join(name, "1").text, gm_activation(b, act, h), width);
    return gm_add(b, x, h);
}

gm_node *gm_nn_layer_norm(gm_builder *b, const char *name, gm_node *x)
{
    int64_t width = gm_node_dim(x, -1);
    gm_node *centred = gm_sub(b, x, gm_mean(b, x, -1, 1));
    gm_node *variance = gm_mean(b, gm_square(b, centred), -1, 1);
    gm_node *y = gm_div(b, centred, gm_sqrt(b, gm_shift(b, variance, 1e-5)));
    gm_node *gain = gm_param(b, join(name, "gain").text, 1, &width, GM_INIT_ONES, 1);
    gm_node *bias = gm_param(b, join(name, "bias").text, 1, &width, GM_INIT_ZEROS, 0);
    return gm_add(b, gm_mul(b, y, gain), bias);
}

/* In training the batch's own mean and variance, and running averages of them; elsewhere the
 * running averages. */
gm_node *gm_nn_batch_norm(gm_builder *b, const char *name, gm_node *x, double momentum)
{
    int64_t width = gm_node_dim(x, -1);
    gm_node *mean = gm_state(b, join(name, "mean").text, 1, &width, GM_INIT_ZEROS);
    gm_node *variance = gm_state(b, join(name, "variance").text, 1, &width, GM_INIT_ONES);
    if (gm_builder_training(b)) {
        gm_node *m = gm_mean(b, x, 0, 0), *v = gm_mean(b, gm_square(b, gm_sub(b, x, m)), 0, 0);
        gm_assign(b, mean, gm_add(b, gm_scale(b, mean, 1 - momentum), gm_scale(b, m, momentum)));
        gm_assign(b, variance,
                  gm_add(b, gm_scale(b, variance, 1 - momentum), gm_scale(b, v, momentum)));
        mean = m;
        variance = v;
    }
    gm_node *y = gm_div(b, gm_sub(b, x, mean), gm_sqrt(b, gm_shift(b, variance, 1e-5)));
    gm_node *gain = gm_param(b, join(name, "gain").text, 1, &width, GM_INIT_ONES, 1);
    gm_node *bias = gm_param(b, join(name, "bias").text, 1, &width, GM_INIT_ZEROS, 0);
    return gm_add(b, gm_mul(b, y, gain), bias);
}

gm_node *gm_nn_dropout(gm_builder *b, gm_node *x, double rate)
{
    if (rate <= 0 || !gm_builder_training(b))
        return x;
    if (!(rate < 1)) {
        gm_builder_fail(b, GM_E_RANGE, "dropout: the rate must be at least 0 and below 1");
        return NULL;
    }
    gm_node *keep = gm_greater_equal(b, gm_uniform_like(b, x), gm_const(b, rate));
    return gm_mul(b, x, gm_scale(b, keep, 1 / (1 - rate)));
}

gm_node *gm_nn_embedding(gm_builder *b, const char *name, gm_node *index, int64_t count,
                         int64_t width)
{
    int64_t shape[2] = {count, width};
    return gm_gather(b, gm_param(b, join(name, "table").text, 2, shape, GM_INIT_NORMAL, 1), index);
}

/* -z^2 / 2 - log(2 pi) / 2, summed. */
gm_node *gm_log_standard_normal(gm_builder *b, gm_node *x)
{
    double constant = -0.91893853320467274178 * (double)gm_node_dim(x, -1);
    gm_node *squares =
        gm_sum(b, gm_square(b, gm_wide(b, x)), -1, 0); /* a float's square overflows */
    return gm_shift(b, gm_scale(b, squares, -0.5), constant);
}

/* (mean^2 + variance - 1 - log variance) / 2, in the precision of training, whose loss it is part
 * of: means beyond 1e19, of which a float has no square, make it infinite, and the step is not
 * taken. Log densities of rows far out come of gm_log_standard_normal, which is wide. */
gm_node *gm_kl_standard_normal(gm_builder *b, gm_node *mean, gm_node *log_variance)
{
    gm_node *spread = gm_sub(b, gm_expm1(b, log_variance), log_variance);
    return gm_scale(b, gm_add(b, gm_square(b, mean), spread), 0.5);
}

gm_node *gm_ramp(gm_builder *b, int64_t steps)
{
    if (steps <= 1 || !gm_builder_training(b))
        return gm_const(b, 1);
    gm_node *step = gm_input(b, "step", GM_REAL_NODE, 0, NULL);
    return gm_min(b, gm_div(b, step, gm_const(b, (double)steps)), gm_const(b, 1));
}
