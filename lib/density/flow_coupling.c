/* Coupling layers: one part c of the columns conditions the rest t (Dinh et al. 2015, section 3.2),
 * so that the Jacobian is triangular and both directions cost one pass. */
#include "density/flow_part.h"

/* The coupling network: c (batch, .) and the model's conditions to raw parameters; with identity=1
 * they are zero at the start. */
static gm_node *network(gm_builder *b, int64_t layer, gm_node *c, int64_t out)
{
    const int64_t *widths;
    int32_t count = gm_opt_ints(b, "hidden", &widths);
    int32_t act = gm__opt_activation(b);
    double dropout = gm_opt_real(b, "dropout");
    gm_node *h = c, *given[2] = {c, gm_condition(b)};
    if (given[1])
        h = c ? gm_concat(b, 2, given, -1) : given[1];
    for (int32_t i = 0; i < count; i++) {
        char part[32];
        gm__format(part, sizeof part, "net.%d", i);
        gm__flow_name name = gm__flow_layer_name(layer, part);
        if (gm_opt_int(b, "residual") && i > 0)
            h = gm_nn_residual(b, name.text, h, act);
        else
            h = gm_nn_mlp(b, name.text, h, 1, widths + i, act);
        h = gm_nn_dropout(b, h, dropout);
    }
    gm__flow_name name = gm__flow_layer_name(layer, "net.out");
    return gm_opt_int(b, "identity") ? gm_nn_linear_zero(b, name.text, h, out)
                                     : gm_nn_linear(b, name.text, h, out);
}

/* The first d/2 columns condition the rest, or with mixing=swap the halves take turns. */
gm_node *gm__flow_couple(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                         gm_node **log_det)
{
    gm_builder *b = f->b;
    int64_t d = f->d, half = d / 2;
    int second = f->mixing == SWAP && layer % 2 == 1; /* the second part conditions */
    int64_t c_start = second ? half : 0, c_width = second ? d - half : half;
    int64_t t_start = second ? 0 : half, t_width = d - c_width;
    const unsigned char *circle = f->circle ? f->circle + (layer + 1) * d : NULL,
                        *c_circle = circle ? circle + c_start : NULL,
                        *t_circle = circle ? circle + t_start : NULL;
    gm__flow_name name = gm__flow_layer_name(layer, "alone");
    if (t_width == 0 || (c_width == 0 && !gm_condition(b)))
        return gm__flow_map_alone(b, name.text, circle, x, way, log_det);
    gm_node *c = c_width ? gm_slice(b, x, -1, c_start, c_width) : NULL,
            *t = gm_slice(b, x, -1, t_start, t_width);
    gm_node *after = c;
    if (c && gm_opt_int(b, "unconditional")) {
        after = gm__flow_map_alone(b, name.text, c_circle, c, way, log_det);
        if (way == INVERSE)
            c = after;
    }
    if (c)
        c = gm__flow_seen(b, c_circle, c);
    gm_node *raw = network(b, layer, c, gm__flow_raw(b, t_circle, t_width));
    t = gm__flow_map(b, t_circle, t, raw, way, log_det);
    if (!c_width)
        return t;
    gm_node *parts[2] = {second ? t : after, second ? after : t};
    return gm_concat(b, 2, parts, -1);
}
