/* Masked networks: outputs of a variable see only the variables before it.
 *
 * Germain et al. 2015 (MADE). Every value of the network has a level: an input of variable v has
 * level v + 1, a hidden unit the number of variables that it may see, an output of variable v has
 * v; a value sees those of the layer below whose level is not above its own. Hidden units are
 * sorted by level, so that every matrix is a staircase and the steps above it are never
 * multiplied. */
#include "nn/masked.h"

#include <math.h>
#include <string.h>

/* The values of a layer: their levels, rising but perhaps among outputs. */
typedef struct values {
    int64_t count;
    const int32_t *level;
} values;

static gm__masked_name part_of(const char *name, const char *part, int32_t i, int32_t half)
{
    gm__masked_name n;
    if (half >= 0)
        gm__format(n.text, sizeof n.text, "%s.%d.%d.%s", name, i, half, part);
    else if (i >= 0)
        gm__format(n.text, sizeof n.text, "%s.%d.%s", name, i, part);
    else
        gm__format(n.text, sizeof n.text, "%s.out.%s", name, part);
    return n;
}

/* ---- Levels ---------------------------------------------------------------------------------- */

/* Inputs of variable v have level v + 1, outputs v. */
static values shifted(gm_builder *b, int64_t count, const int32_t *variable, int32_t by)
{
    int32_t *level = gm__builder_scratch(b, count, sizeof *level);
    for (int64_t i = 0; level && i < count; i++)
        level[i] = variable[i] + by;
    return (values){count, level};
}

/* Hidden levels are spread evenly over 1 to variables - 1: level 0 sees no variable, and is of use
 * only where a condition is seen. */
static values hidden(gm_builder *b, const gm_masked_net *net, int64_t width)
{
    int32_t *level = gm__builder_scratch(b, width, sizeof *level);
    int32_t first = gm_condition(b) ? 0 : 1, span = net->variables - first;
    for (int64_t k = 0; level && k < width; k++)
        level[k] = (int32_t)(first + (span > 0 ? k * span / width : 0));
    return (values){width, level};
}

/* How many of `below`, whose levels rise, a value of this level sees. */
static int32_t seen(const values *below, int32_t level)
{
    int64_t low = 0, high = below->count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (below->level[middle] <= level)
            low = middle + 1;
        else
            high = middle;
    }
    return (int32_t)low;
}

/* ---- Linear layers --------------------------------------------------------------------------- */

#define LINEAR_SCALE 0.57735026918962576 /* U(+-1 / sqrt(in)), as gm_nn_linear starts */

static gm_node *weight_of(gm_builder *b, const char *name, int64_t in, int64_t out, double gain)
{
    int64_t shape[2] = {in, out};
    return gm_param(b, name, 2, shape, gain > 0 ? GM_INIT_KAIMING : GM_INIT_ZEROS,
                    LINEAR_SCALE * gain);
}

static gm_node *bias_of(gm_builder *b, const char *name, int64_t in, int64_t out, double gain)
{
    return gm_param(b, name, 1, &out, gain > 0 ? GM_INIT_UNIFORM : GM_INIT_ZEROS,
                    gain / sqrt((double)in));
}

/* The linear layers of a net in order: what each reads, and where it starts at zero. */
typedef struct linear {
    int32_t i, half; /* of its name; i -1: the output */
    values in, out;
    double gain; /* on the starting weights; 0: they start at zero */
} linear;

typedef struct plan {
    linear layer[2 * GM__MASKED_LAYERS];
    int32_t count;
} plan;

/* Values see a part of the layer below, so that weights that start as if they saw all of it would
 * be too small. */
static double gain_of(const values *in, const values *out)
{
    double sum = 0, some = 0;
    for (int64_t j = 0; in->level && out->level && j < out->count; j++) {
        int32_t n = seen(in, out->level[j]);
        sum += n;
        some += n > 0;
    }
    return sum > 0 ? sqrt((double)in->count * some / sum) : 1;
}

static void add_linear(plan *p, int32_t i, int32_t half, values in, values out, int zero)
{
    p->layer[p->count++] = (linear){i, half, in, out, zero ? 0 : gain_of(&in, &out)};
}

static int lay_out(gm_builder *b, const gm_masked_net *net, int64_t width, plan *p)
{
    values in = shifted(b, width, net->in, 1), out = shifted(b, net->outputs, net->out, 0);
    p->count = 0;
    for (int32_t i = 0; i < net->layers; i++) {
        values h = i && net->residual ? in : hidden(b, net, net->widths[i]);
        if (i && net->residual) {
            add_linear(p, i, 0, in, h, 0);
            add_linear(p, i, 1, h, h, 1);
        } else {
            add_linear(p, i, -1, in, h, 0);
        }
        in = h;
    }
    add_linear(p, -1, -1, in, out, net->zero);
    return !gm_builder_failed(b);
}

static gm_node *masked(gm_builder *b, const char *name, const linear *l, gm_node *x)
{
    int32_t *lo = gm__builder_scratch(b, l->out.count, sizeof *lo),
            *hi = gm__builder_scratch(b, l->out.count, sizeof *hi);
    if (!lo || !hi)
        return NULL;
    for (int64_t j = 0; j < l->out.count; j++)
        hi[j] =
            j && l->out.level[j] == l->out.level[j - 1] ? hi[j - 1] : seen(&l->in, l->out.level[j]);
    gm_node *w = weight_of(b, part_of(name, "weight", l->i, l->half).text, l->in.count,
                           l->out.count, l->gain);
    gm_node *bias =
        bias_of(b, part_of(name, "bias", l->i, l->half).text, l->in.count, l->out.count, l->gain);
    return gm_add(b, gm_matmul_masked(b, x, w, lo, hi), bias);
}

/* What the model's condition adds to the first hidden layer; NULL without one. */
static gm_node *given(gm_builder *b, const char *name, int64_t out)
{
    gm_node *c = gm_condition(b);
    gm__masked_name n;
    gm__format(n.text, sizeof n.text, "%s.given.weight", name);
    return c ? gm_matmul(b, c, weight_of(b, n.text, gm_node_dim(c, -1), out, 1), 0, 0) : NULL;
}

/* ---- The network ----------------------------------------------------------------------------- */

static int rises(int64_t count, const int32_t *variable, int32_t variables, int strictly_sorted)
{
    for (int64_t i = 0; i < count; i++)
        if (variable[i] < 0 || variable[i] >= variables ||
            (strictly_sorted && i && variable[i] < variable[i - 1]))
            return 0;
    return 1;
}

static int check(gm_builder *b, gm_node *x, const gm_masked_net *net)
{
    if (gm_builder_failed(b))
        return 0;
    if (!x || !net || net->struct_size < sizeof *net || gm_node_ndim(x) != 2 || net->layers < 1 ||
        net->layers > GM__MASKED_LAYERS || net->outputs < 1 || net->variables < 1 ||
        !rises(gm_node_dim(x, -1), net->in, net->variables, 1) ||
        !rises(net->outputs, net->out, net->variables, 0)) {
        gm_builder_fail(b, GM_E_ARG,
                        "masked network: x must be (batch, columns), there must be 1 to 15 hidden "
                        "layers, and the variables of x's columns must rise");
        return 0;
    }
    return 1;
}

gm_node *gm_nn_masked(gm_builder *b, const char *name, gm_node *x, const gm_masked_net *net)
{
    plan p;
    if (!check(b, x, net) || !lay_out(b, net, gm_node_dim(x, -1), &p))
        return NULL;
    gm_node *h = masked(b, name, &p.layer[0], x), *more = given(b, name, p.layer[0].out.count);
    h = gm_activation(b, net->act, more ? gm_add(b, h, more) : h);
    h = gm_nn_dropout(b, h, net->dropout);
    for (int32_t i = 1; i < p.count - 1; i++) {
        if (net->residual) {
            gm_node *inner = masked(b, name, &p.layer[i++], gm_activation(b, net->act, h));
            h = gm_add(b, h, masked(b, name, &p.layer[i], gm_activation(b, net->act, inner)));
        } else {
            h = gm_activation(b, net->act, masked(b, name, &p.layer[i], h));
        }
        h = gm_nn_dropout(b, h, net->dropout);
    }
    return masked(b, name, &p.layer[p.count - 1], h);
}

/* ---- Solved for x ---------------------------------------------------------------------------- */

/* The number of an activation among the kernels' maps. */
static int32_t map_of(int32_t act)
{
    static const int32_t maps[] = {GM__ACT_NONE, GM__RELU,      GM__TANH,    GM__SILU,
                                   GM__GELU,     GM__ACT_LEAKY, GM__SIGMOID, GM__SOFTPLUS};
    return act >= 0 && act < (int32_t)(sizeof maps / sizeof *maps) ? maps[act] : GM__ACT_NONE;
}

/* For each hidden layer and v how many units see fewer than v variables. */
static int32_t *starts_of(gm_builder *b, const gm_masked_net *net, const plan *p)
{
    int64_t each = net->variables + 1;
    int32_t *starts = gm__builder_scratch(b, net->layers * each, sizeof *starts);
    for (int32_t i = 0; starts && i < net->layers; i++) {
        const values *h = &p->layer[net->residual ? 0 : i].out;
        for (int32_t v = 0; v <= net->variables; v++)
            starts[i * each + v] = seen(h, v - 1);
    }
    return starts;
}

gm_node *gm__masked_solve(gm_builder *b, const char *name, const gm_masked_net *net,
                          const gm__columns *columns, int64_t width, gm_node *z)
{
    plan p;
    gm_node *params[2 * (2 * GM__MASKED_LAYERS)];
    if (gm_builder_failed(b) || !lay_out(b, net, width, &p))
        return NULL;
    for (int32_t i = 0; i < p.count; i++) {
        const linear *l = &p.layer[i];
        params[2 * i] = weight_of(b, part_of(name, "weight", l->i, l->half).text, l->in.count,
                                  l->out.count, l->gain);
        params[2 * i + 1] = bias_of(b, part_of(name, "bias", l->i, l->half).text, l->in.count,
                                    l->out.count, l->gain);
    }
    gm__columns c = *columns;
    c.act = map_of(net->act);
    c.residual = net->residual;
    c.layers = net->layers;
    c.starts = starts_of(b, net, &p);
    return c.starts ? gm__columns_solve(b, &c, z, 2 * p.count, params,
                                        given(b, name, p.layer[0].out.count))
                    : NULL;
}
