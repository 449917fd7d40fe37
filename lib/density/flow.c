/* Normalizing flow: invertible layers between mixings of the columns, or one differential equation.
 *
 * Change of variables (Papamakarios et al. 2021, eq. 4):
 *
 *     log p(x) = log p_z(f(x)) + log |det df/dx|
 *
 * A layer maps columns, element by element, by a monotone function (option coupling; flow_map.c)
 * whose parameters a network reads off other columns (option structure): off the other half
 * (flow_coupling.c), off the columns before it (flow_autoregressive.c), or there is one equation in
 * place of layers (flow_ode.c).
 *
 * Shapes: x, z (batch, d); everything that adds to log |det| is (batch), in double. */
#include "density/flow_part.h"

static const gm_option_row options[] = {
    {"coupling", GM_STAGE_BUILD, GM_CHOICE, "nsf", "realnvp|nsf|nice", 1,
     "map of a column: affine, rational-quadratic spline, or additive with one scale at the end"},
    {"structure", GM_STAGE_BUILD, GM_CHOICE, "coupling",
     "coupling|autoregressive|inverse|continuous", 1,
     "a column's map depends on the other half, on x of the columns before it (MAF), on z of those "
     "(IAF); or an ODE (FFJORD)"},
    {"layers", GM_STAGE_BUILD, GM_INT, "6", "1..1000", 1,
     "number of layers; of structure=continuous, of Runge-Kutta steps"},
    {"hidden", GM_STAGE_BUILD, GM_INTS, "128,128", "1..65536", 1,
     "widths of each network's hidden layers"},
    {"activation", GM_STAGE_BUILD, GM_CHOICE, "relu", GM__ACTIVATIONS, 1,
     "of the networks; structure=continuous wants a smooth one"},
    {"residual", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "hidden layers after the first become residual blocks"},
    {"dropout", GM_STAGE_BUILD, GM_REAL, "0", "0..1)", 1, "rate of dropout in the networks"},
    {"bins", GM_STAGE_BUILD, GM_INT, "8", "2..256", 1, "bins of a spline"},
    {"bound", GM_STAGE_BUILD, GM_REAL, "5", "(0..1000", 1,
     "splines act in [-bound, bound]; outside they are the identity"},
    {"max_log_scale", GM_STAGE_BUILD, GM_REAL, "2", "(0..20", 1,
     "bound L on the log scale of an affine map"},
    {"unconditional", GM_STAGE_BUILD, GM_BOOL, "true", "", 1,
     "the conditioning half is mapped too, each column by a function of its own"},
    {"identity", GM_STAGE_BUILD, GM_BOOL, "true", "", 1,
     "layers start as the identity; else as random as their networks"},
    {"mixing", GM_STAGE_BUILD, GM_CHOICE, "lu", "lu|permutation|swap|none", 1,
     "between layers: a learned linear map P L U, a fixed permutation, the halves change roles or "
     "the order is reversed, or nothing"},
    {"start", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "a scale and shift before each layer, set from the first batch (Kingma and Dhariwal 2018)"},
    {"base", GM_STAGE_BUILD, GM_CHOICE, "normal", "normal|student|mixture", 1,
     "standard normal, Student-t with learned degrees of freedom, or a mixture of normals"},
    {"components", GM_STAGE_BUILD, GM_INT, "8", "1..1000", 1, "normals of base=mixture"},
    {"trace", GM_STAGE_BUILD, GM_CHOICE, "exact", "exact|hutchinson", 1,
     "of structure=continuous in training: exact, or by one random probe a row"},
    {0},
};

gm__flow_name gm__flow_layer_name(int64_t i, const char *part)
{
    gm__flow_name n;
    gm__format(n.text, sizeof n.text, "layer.%lld.%s", (long long)i, part);
    return n;
}

gm__flow_graph gm__flow_begin(gm_builder *b)
{
    gm__flow_graph f = {.b = b,
                        .d = gm_builder_width(b),
                        .layers = gm_opt_int(b, "layers"),
                        .structure = gm_opt_choice(b, "structure"),
                        .coupling = gm_opt_choice(b, "coupling"),
                        .mixing = gm_opt_choice(b, "mixing")};
    gm__flow_find_circles(&f);
    return f;
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static gm_node *map(const gm__flow_graph *f, int64_t i, gm_node *x, gm__way way, gm_node **log_det)
{
    return f->structure == COUPLING ? gm__flow_couple(f, i, x, way, log_det)
                                    : gm__flow_autoregress(f, i, x, way, log_det);
}

static gm_node *forward(const gm__flow_graph *f, gm_node *x, gm_node **log_det)
{
    *log_det = NULL;
    if (f->structure == CONTINUOUS)
        return gm__flow_ode(f, x, FORWARD, log_det);
    for (int64_t i = 0; i < f->layers; i++) {
        if (gm_opt_int(f->b, "start"))
            x = gm__flow_normalise(f, i, x, FORWARD, log_det);
        x = map(f, i, gm__flow_mix(f, i, x, FORWARD, log_det), FORWARD, log_det);
    }
    return f->coupling == NICE ? gm__flow_scale(f, x, FORWARD, log_det) : x;
}

static gm_node *backward(const gm__flow_graph *f, gm_node *z)
{
    gm_node *log_det = NULL;
    if (f->structure == CONTINUOUS)
        return gm__flow_ode(f, z, INVERSE, NULL);
    if (f->coupling == NICE)
        z = gm__flow_scale(f, z, INVERSE, &log_det);
    for (int64_t i = f->layers - 1; i >= 0; i--) {
        z = gm__flow_mix(f, i, map(f, i, z, INVERSE, &log_det), INVERSE, &log_det);
        if (gm_opt_int(f->b, "start"))
            z = gm__flow_normalise(f, i, z, INVERSE, &log_det);
    }
    return gm__flow_unwrap(f, z);
}

/* ---- The family ------------------------------------------------------------------------------ */

static gm_node *encode(gm_builder *b, gm_node *x)
{
    gm__flow_graph f = gm__flow_begin(b);
    gm_node *log_det;
    return forward(&f, x, &log_det);
}

static gm_node *decode(gm_builder *b, gm_node *z)
{
    gm__flow_graph f = gm__flow_begin(b);
    return backward(&f, z);
}

static gm_node *log_prob(gm_builder *b, gm_node *x)
{
    gm__flow_graph f = gm__flow_begin(b);
    gm_node *log_det, *z = forward(&f, x, &log_det), *log_base = gm__flow_log_base(&f, z);
    return log_det ? gm_add(b, log_base, log_det) : log_base;
}

static gm_node *base(gm_builder *b)
{
    gm__flow_graph f = gm__flow_begin(b);
    return gm__flow_draw_base(&f);
}

const gm_family gm__flow = {
    .struct_size = sizeof(gm_family),
    .version = 1,
    .name = "flow",
    .summary = "normalizing flow: exact density, exact sampling, invertible codes",
    .options = options,
    .log_prob_kind = GM_EXACT,
    .flags = GM_FAMILY_CONDITIONS | GM_FAMILY_CIRCULAR,
    .log_prob = log_prob,
    .encode = encode,
    .decode = decode,
    .base = base,
    .conditionals = &gm__flow_conditionals,
};
