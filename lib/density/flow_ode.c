/* A continuous flow: dx/dt = v(x, t) from x at t = 0 to z at t = 1, v a network (Chen et al. 2018;
 * Grathwohl et al. 2019), solved by a fixed number of Runge-Kutta steps of order four.
 *
 *     log p(x) = log p_z(z) + integral of the trace of dv/dx along the path
 *
 * The trace comes of directions carried forward through the network beside x: all d of them, which
 * is exact, or in training one random one e, whose e . J e has the trace for its mean (Hutchinson
 * 1990). A row keeps its e all along its path. */
#include "density/flow_part.h"

/* What is known of the network at one place. */
typedef struct field {
    const gm__flow_graph *f;
    gm_node *probe; /* (batch, d) of random signs; NULL: the exact trace, or none */
} field;

/* act(h), and in *slope its derivative, element by element. */
static gm_node *act(gm_builder *b, gm_node *h, gm_node **slope)
{
    gm_node *y = gm_activation(b, gm__opt_activation(b), h);
    gm_gradient(b, gm_sum_all(b, y), 1, &h, slope);
    return y;
}

static gm_node *weight(gm_builder *b, const char *part, int64_t in, int64_t out, double scale)
{
    int64_t shape[2] = {in, out};
    return gm_param(b, part, 2, shape, scale > 0 ? GM_INIT_KAIMING : GM_INIT_ZEROS, scale);
}

static gm_node *bias(gm_builder *b, const char *part, int64_t out)
{
    return gm_param(b, part, 1, &out, GM_INIT_ZEROS, 0);
}

/* Directions (batch, k, in) times w; all unit vectors where there are none yet. */
static gm_node *turn(gm_builder *b, gm_node *directions, gm_node *w)
{
    int64_t shape[3] = {1, gm_node_dim(w, 0), gm_node_dim(w, 1)};
    return directions ? gm_matmul(b, directions, w, 0, 0) : gm_reshape(b, w, 3, shape);
}

/* directions * slope, slope (batch, h) the same for all directions of a row. */
static gm_node *bend(gm_builder *b, gm_node *directions, gm_node *slope)
{
    int64_t shape[3] = {GM_BATCH, 1, gm_node_dim(slope, -1)};
    return gm_mul(b, directions, gm_reshape(b, slope, 3, shape));
}

/* The trace of directions through the last matrix w (h, d): directions (batch, d, h) of all unit
 * vectors, or (batch, 1, h) of the probe's. */
static gm_node *trace_of(const field *v, gm_node *directions, gm_node *w)
{
    gm_builder *b = v->f->b;
    int64_t flat[2] = {GM_BATCH, gm_node_dim(w, 1)};
    if (v->probe) {
        gm_node *moved = gm_reshape(b, gm_matmul(b, directions, w, 0, 0), 2, flat);
        return gm_sum_last_wide(b, gm_mul(b, moved, v->probe));
    }
    gm_node *columns = gm_permute(b, w, (const int32_t[]){1, 0});
    return gm_sum_last_wide(b, gm_sum(b, gm_mul(b, directions, columns), -1, 0));
}

/* v(x, t), and where trace is given, the trace of dv/dx. */
static gm_node *velocity(const field *v, gm_node *x, double t, gm_node **trace)
{
    gm_builder *b = v->f->b;
    const int64_t *widths;
    int32_t count = gm_opt_ints(b, "hidden", &widths);
    int64_t in = v->f->d, one[3] = {GM_BATCH, 1, v->f->d};
    gm_node *h = x, *c = gm_condition(b), *slope, *w;
    gm_node *directions = v->probe ? gm_reshape(b, v->probe, 3, one) : NULL;
    for (int32_t i = 0; i < count; i++) {
        gm__flow_name name = gm__flow_layer_name(i, "weight");
        w = weight(b, name.text, in, widths[i], 0.57735026918962576);
        h = gm_add(b, gm_matmul(b, h, w, 0, 0),
                   bias(b, gm__flow_layer_name(i, "bias").text, widths[i]));
        h = gm_add(b, h, gm_scale(b, bias(b, gm__flow_layer_name(i, "time").text, widths[i]), t));
        if (c && i == 0)
            h = gm_add(b, h,
                       gm_matmul(b, c,
                                 weight(b, "layer.0.given", gm_node_dim(c, -1), widths[0],
                                        0.57735026918962576),
                                 0, 0));
        h = act(b, h, &slope);
        if (trace)
            directions = bend(b, turn(b, directions, w), slope);
        in = widths[i];
    }
    w = weight(b, "out.weight", in, v->f->d, gm_opt_int(b, "identity") ? 0 : 0.57735026918962576);
    if (trace)
        *trace = trace_of(v, directions, w);
    return gm_add(b, gm_matmul(b, h, w, 0, 0), bias(b, "out.bias", v->f->d));
}

static gm_node *weighted(gm_builder *b, gm_node *const *k, double step)
{
    gm_node *middle = gm_scale(b, gm_add(b, k[1], k[2]), 2);
    return gm_scale(b, gm_add(b, gm_add(b, k[0], middle), k[3]), step / 6);
}

/* One step of the classical method from time t over `step`. */
static gm_node *advance(const field *v, gm_node *x, double t, double step, gm_node **log_det)
{
    static const double at[4] = {0, 0.5, 0.5, 1};
    gm_builder *b = v->f->b;
    gm_node *k[4], *trace[4];
    for (int i = 0; i < 4; i++) {
        gm_node *y = i ? gm_add(b, x, gm_scale(b, k[i - 1], at[i] * step)) : x;
        k[i] = velocity(v, y, t + at[i] * step, log_det ? &trace[i] : NULL);
    }
    if (log_det)
        *log_det = gm__flow_add(b, *log_det, weighted(b, trace, step));
    return gm_add(b, x, weighted(b, k, step));
}

/* log_det NULL: not asked for. */
gm_node *gm__flow_ode(const gm__flow_graph *f, gm_node *x, gm__way way, gm_node **log_det)
{
    gm_builder *b = f->b;
    field v = {.f = f};
    double step = 1 / (double)f->layers;
    if (f->circle) {
        gm_builder_fail(b, GM_E_UNSUPPORTED,
                        "flow: structure=continuous takes no circular columns: set "
                        "structure=coupling or autoregressive, or declare them real");
        return NULL;
    }
    if (log_det && gm_builder_training(b) && gm_opt_choice(b, "trace") == 1)
        v.probe =
            gm_shift(b, gm_scale(b, gm_step(b, gm_shift(b, gm_uniform_like(b, x), -0.5)), 2), -1);
    for (int64_t i = 0; i < f->layers; i++)
        x = way == FORWARD ? advance(&v, x, (double)i * step, step, log_det)
                           : advance(&v, x, (double)(f->layers - i) * step, -step, log_det);
    return x;
}
