/* The element-wise maps of a flow: monotone functions of one column whose raw parameters come from
 * a network.
 *
 *     nice       t' = t - mu (Dinh et al. 2015)
 *     realnvp    t' = (t - mu) exp(-s), s = L tanh(. / L) (Dinh et al. 2017, eq. 4 and 5)
 *     nsf        t' = a rational-quadratic spline (Durkan et al. 2019)
 *     angles     t' = a spline of the circle, which starts at a phase of its own (Rezende et al.
 *                2020, section 2.1.3): its slope is 1 where it closes */
#include "density/flow_part.h"

static const double pi = 3.14159265358979323846;

static int64_t raw_per_real(gm_builder *b)
{
    switch (gm_opt_choice(b, "coupling")) {
    case NSF:
        return 3 * gm_opt_int(b, "bins") - 1;
    case NICE:
        return 1;
    default:
        return 2;
    }
}

int64_t gm__flow_raw(gm_builder *b, const unsigned char *circle, int64_t count)
{
    int64_t angles = circle ? gm__flow_columns(circle, count, 1, NULL) : 0;
    return (count - angles) * raw_per_real(b) + angles * 3 * gm_opt_int(b, "bins");
}

/* Floors keep slopes within a hundredfold a layer, so that a row far from the data still comes
 * back. */
gm_spline gm__flow_spline(gm_builder *b, gm__way way)
{
    int64_t bins = gm_opt_int(b, "bins");
    return (gm_spline){.struct_size = sizeof(gm_spline),
                       .bins = (int32_t)bins,
                       .bound = gm_opt_real(b, "bound"),
                       .min_bin = bins <= 50 ? 1e-2 : 0.5 / (double)bins,
                       .min_slope = 1e-2,
                       .inverse = way == INVERSE};
}

static gm_node *map_spline(gm_builder *b, gm_node *t, gm_node *raw, gm__way way,
                           gm_node **log_slope)
{
    gm_spline s = gm__flow_spline(b, way);
    return gm_rq_spline(b, &s, t, raw, log_slope);
}

static gm_node *map_affine(gm_builder *b, gm_node *t, gm_node *raw, gm__way way,
                           gm_node **log_slope)
{
    int64_t w = gm_node_dim(t, -1);
    double most = gm_opt_real(b, "max_log_scale");
    gm_node *mu = gm_slice(b, raw, -1, 0, w), *s = gm_slice(b, raw, -1, w, w);
    s = gm_scale(b, gm_tanh(b, most == 1 ? s : gm_scale(b, s, 1 / most)), most);
    if (way == INVERSE) {
        *log_slope = s;
        return gm_add(b, gm_mul(b, t, gm_exp(b, s)), mu);
    }
    *log_slope = gm_neg(b, s);
    return gm_mul(b, gm_sub(b, t, mu), gm_exp(b, *log_slope));
}

gm_node *gm__flow_map_reals(gm_builder *b, gm_node *t, gm_node *raw, gm__way way,
                            gm_node **log_slope)
{
    *log_slope = NULL;
    switch (gm_opt_choice(b, "coupling")) {
    case NSF:
        return map_spline(b, t, raw, way, log_slope);
    case NICE:
        return way == INVERSE ? gm_add(b, t, raw) : gm_sub(b, t, raw);
    default:
        return map_affine(b, t, raw, way, log_slope);
    }
}

static gm_node *map_reals(gm_builder *b, gm_node *t, gm_node *raw, gm__way way, gm_node **log_det)
{
    gm_node *log_slope, *y = gm__flow_map_reals(b, t, raw, way, &log_slope);
    if (log_slope)
        *log_det = gm__flow_add(b, *log_det, gm_sum_last_wide(b, log_slope));
    return y;
}

/* raw: of each angle its phase, then of each its spline. */
static gm_node *map_angles(gm_builder *b, gm_node *t, gm_node *raw, gm__way way, gm_node **log_det)
{
    int64_t w = gm_node_dim(t, -1), each = 3 * gm_opt_int(b, "bins") - 1;
    gm_node *phase = gm_slice(b, raw, -1, 0, w), *log_slope;
    gm_spline s = gm__flow_spline(b, way);
    s.bound = pi;
    t = gm__flow_wrap(b, way == FORWARD ? gm_sub(b, t, phase) : t);
    t = gm_rq_spline(b, &s, t, gm_slice(b, raw, -1, w, w * each), &log_slope);
    *log_det = gm__flow_add(b, *log_det, gm_sum_last_wide(b, log_slope));
    return way == FORWARD ? t : gm__flow_wrap(b, gm_add(b, t, phase));
}

/* Columns of two kinds: reals and angles go their ways, and come back to their places. */
static gm_node *map_both(gm_builder *b, const unsigned char *circle, gm_node *t, gm_node *raw,
                         gm__way way, gm_node **log_det)
{
    int64_t w = gm_node_dim(t, -1), reals = gm__flow_columns(circle, w, 0, NULL), each;
    int32_t *index = gm__builder_scratch(b, w, sizeof *index),
            *back = gm__builder_scratch(b, w, sizeof *back);
    if (!index || !back)
        return NULL;
    each = reals * raw_per_real(b);
    gm__flow_columns(circle, w, 0, index);
    gm__flow_columns(circle, w, 1, index + reals);
    gm_node *both[2] = {
        map_reals(b, gm_take(b, t, reals, index), gm_slice(b, raw, -1, 0, each), way, log_det),
        map_angles(b, gm_take(b, t, w - reals, index + reals),
                   gm_slice(b, raw, -1, each, gm_node_dim(raw, -1) - each), way, log_det)};
    for (int64_t j = 0; j < w; j++)
        back[index[j]] = (int32_t)j;
    return gm_take(b, gm_concat(b, 2, both, -1), w, back);
}

gm_node *gm__flow_map(gm_builder *b, const unsigned char *circle, gm_node *t, gm_node *raw,
                      gm__way way, gm_node **log_det)
{
    int64_t w = gm_node_dim(t, -1), angles = circle ? gm__flow_columns(circle, w, 1, NULL) : 0;
    if (angles == 0)
        return map_reals(b, t, raw, way, log_det);
    return angles == w ? map_angles(b, t, raw, way, log_det)
                       : map_both(b, circle, t, raw, way, log_det);
}

gm_node *gm__flow_map_alone(gm_builder *b, const char *name, const unsigned char *circle,
                            gm_node *t, gm__way way, gm_node **log_det)
{
    int64_t shape[2] = {GM_BATCH, gm__flow_raw(b, circle, gm_node_dim(t, -1))};
    gm_node *raw = gm_param(b, name, 1, shape + 1, GM_INIT_ZEROS, 0);
    return gm__flow_map(b, circle, t, gm_broadcast(b, raw, 2, shape), way, log_det);
}
