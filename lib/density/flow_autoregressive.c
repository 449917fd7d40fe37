/* Autoregressive layers: column j is mapped by what a masked network makes of the columns before it
 * (Papamakarios et al. 2017; Durkan et al. 2019, section 3.3; with splines of the circle Rezende et
 * al. 2020). One pass gives z of x; solving for x finds column after column (gm__masked_solve), at
 * the cost of about one pass.
 *
 * structure=inverse is the same layer turned round (Kingma et al. 2016): drawing takes the parallel
 * pass, log densities the other. */
#include "density/flow_part.h"

#include <string.h>

/* A layer's network over columns of which circle says the angles. */
typedef struct net {
    gm_masked_net masked;
    gm__flow_name name;
    const unsigned char *circle;
    int64_t seen;  /* columns of its input */
    int32_t *turn; /* (outputs) from its outputs, column by column, to what the map takes; NULL */
} net;

/* The network's input: a column, or cosine and sine of an angle, in the order of the columns. */
static gm_node *seen(const gm__flow_graph *f, const net *n, gm_node *x)
{
    gm_builder *b = f->b;
    int64_t d = f->d, reals, angles;
    if (!n->circle)
        return x;
    int32_t *index = gm__builder_scratch(b, n->seen, sizeof *index);
    reals = gm__flow_columns(n->circle, d, 0, NULL);
    angles = d - reals;
    for (int64_t j = 0, at = 0, r = 0, a = 0; index && j < d; j++)
        if (n->circle[j]) {
            index[at++] = (int32_t)(reals + a);
            index[at++] = (int32_t)(reals + angles + a++);
        } else {
            index[at++] = (int32_t)r++;
        }
    return index ? gm_take(b, gm__flow_seen(b, n->circle, x), n->seen, index) : NULL;
}

/* The order of the map's parameters: all the reals' (of an affine map shifts, then scales), then
 * the angles' phases, then their splines. */
static int32_t *turn_of(const gm__flow_graph *f, net *n, const int64_t *start)
{
    int64_t d = f->d, at = 0, bins = gm_opt_int(f->b, "bins");
    int affine = f->coupling == REALNVP;
    if (!n->circle && (!affine || d == 1))
        return NULL;
    int32_t *turn = gm__builder_scratch(f->b, n->masked.outputs, sizeof *turn);
    for (int half = 0; turn && half < 1 + affine; half++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = start[j]; k < start[j + 1] && !(n->circle && n->circle[j]); k++)
                if (!affine || k - start[j] == half)
                    turn[at++] = (int32_t)k;
    for (int part = 0; turn && n->circle && part < 2; part++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = start[j] + part; n->circle[j] && k < start[j] + (part ? 3 * bins : 1);
                 k++)
                turn[at++] = (int32_t)k;
    return turn;
}

static int describe(const gm__flow_graph *f, int64_t layer, net *n)
{
    gm_builder *b = f->b;
    int64_t d = f->d, *start = gm__builder_scratch(b, d + 1, sizeof *start);
    *n = (net){.masked = {.struct_size = sizeof n->masked, .variables = (int32_t)d},
               .name = gm__flow_layer_name(layer, "net")};
    if (f->circle && gm__flow_columns(f->circle + (layer + 1) * d, d, 1, NULL))
        n->circle = f->circle + (layer + 1) * d;
    n->seen = d + (n->circle ? gm__flow_columns(n->circle, d, 1, NULL) : 0);
    n->masked.outputs = gm__flow_raw(b, n->circle, d);
    int32_t *in = gm__builder_scratch(b, n->seen, sizeof *in),
            *out = gm__builder_scratch(b, n->masked.outputs, sizeof *out);
    if (!start || !in || !out)
        return 0;
    for (int64_t j = 0, i = 0; j < d; j++) {
        unsigned char angle = n->circle ? n->circle[j] : 0;
        start[j + 1] = start[j] + gm__flow_raw(b, &angle, 1);
        in[i++] = (int32_t)j;
        if (angle)
            in[i++] = (int32_t)j;
        for (int64_t k = start[j]; k < start[j + 1]; k++)
            out[k] = (int32_t)j;
    }
    n->masked.in = in;
    n->masked.out = out;
    n->masked.layers = gm_opt_ints(b, "hidden", &n->masked.widths);
    n->masked.act = gm__opt_activation(b);
    n->masked.residual = gm_opt_int(b, "residual") != 0;
    n->masked.zero = gm_opt_int(b, "identity") != 0;
    n->masked.dropout = gm_opt_real(b, "dropout");
    n->turn = turn_of(f, n, start);
    return !gm_builder_failed(b);
}

/* z of x. */
static gm_node *pass(const gm__flow_graph *f, const net *n, gm_node *x, gm_node **log_det)
{
    gm_node *raw = gm_nn_masked(f->b, n->name.text, seen(f, n, x), &n->masked);
    if (n->turn)
        raw = gm_take(f->b, raw, n->masked.outputs, n->turn);
    return gm__flow_map(f->b, n->circle, x, raw, FORWARD, log_det);
}

gm_node *gm__flow_pass(const gm__flow_graph *f, int64_t layer, gm_node *x, gm_node **log_slope)
{
    net n;
    *log_slope = NULL;
    if (!describe(f, layer, &n))
        return NULL;
    gm_node *raw = gm_nn_masked(f->b, n.name.text, x, &n.masked);
    if (n.turn)
        raw = gm_take(f->b, raw, n.masked.outputs, n.turn);
    return gm__flow_map_reals(f->b, x, raw, FORWARD, log_slope);
}

/* x of z. */
static gm_node *solve(const gm__flow_graph *f, const net *n, gm_node *z)
{
    static const int32_t maps[] = {GM__COLUMN_AFFINE, GM__COLUMN_SPLINE, GM__COLUMN_SHIFT};
    gm_spline s = gm__flow_spline(f->b, INVERSE);
    gm__columns c = {.count = (int32_t)f->d,
                     .map = maps[f->coupling],
                     .bins = s.bins,
                     .most = gm_opt_real(f->b, "max_log_scale"),
                     .bound = s.bound,
                     .min_bin = s.min_bin,
                     .min_slope = s.min_slope,
                     .circle = n->circle};
    return gm__masked_solve(f->b, n->name.text, &n->masked, &c, n->seen, z);
}

gm_node *gm__flow_autoregress(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                              gm_node **log_det)
{
    net n;
    gm_node *y, *there = NULL;
    if (!describe(f, layer, &n))
        return NULL;
    if (way == (f->structure == BACKWARDS ? INVERSE : FORWARD))
        return pass(f, &n, x, log_det);
    y = solve(f, &n, x);
    /* decode has no use for log |det|; log densities of structure=inverse take it from a pass */
    if (way == FORWARD) {
        pass(f, &n, y, &there);
        if (there)
            *log_det = gm__flow_add(f->b, *log_det, gm_neg(f->b, there));
    }
    return y;
}
