/* Between the layers of a flow: linear maps of the columns, and a scale and shift of each. */
#include "density/flow_part.h"

/* A permutation of the columns, drawn by the model's seed (Fisher and Yates). index[j] is the
 * column that comes to place j. */
void gm__flow_draw_permutation(gm_builder *b, int64_t number, int64_t d, int32_t *index)
{
    for (int64_t i = 0; i < d; i++)
        index[i] = (int32_t)i;
    for (int64_t i = d - 1; i > 0; i--) {
        int64_t j = gm_builder_random(b, (int32_t)number, i, i + 1);
        int32_t t = index[i];
        index[i] = index[j];
        index[j] = t;
    }
}

static gm_node *permute(gm_builder *b, int64_t number, gm_node *x, gm__way way)
{
    int64_t d = gm_node_dim(x, -1);
    int32_t *index = gm__builder_scratch(b, d, sizeof *index),
            *back = gm__builder_scratch(b, d, sizeof *back);
    if (!index || !back)
        return NULL;
    gm__flow_draw_permutation(b, number, d, index);
    for (int64_t i = 0; i < d; i++)
        back[index[i]] = (int32_t)i;
    return gm_take(b, x, d, way == FORWARD ? index : back);
}

static gm_node *reverse(gm_builder *b, gm_node *x)
{
    int64_t d = gm_node_dim(x, -1);
    int32_t *index = gm__builder_scratch(b, d, sizeof *index);
    for (int64_t i = 0; index && i < d; i++)
        index[i] = (int32_t)(d - 1 - i);
    return index ? gm_take(b, x, d, index) : NULL;
}

/* ---- P L U ----------------------------------------------------------------------------------- */

#define MOST_MIXED 2048 /* columns of a learned mixing */

/* y = (x P) L U: L unit lower, U upper with diagonal exp(log_diagonal), both the identity at the
 * start, so that log |det| is a sum (Kingma and Dhariwal 2018, section 3.2). Triangles are products
 * with what is known to be zero left out. */
static gm_node *mix_lu(gm_builder *b, int64_t layer, gm_node *x, gm__way way, gm_node **log_det)
{
    int64_t d = gm_node_dim(x, -1), square[2] = {d, d};
    gm_node *lower =
        gm_param(b, gm__flow_layer_name(layer, "lower").text, 2, square, GM_INIT_ZEROS, 0);
    gm_node *upper =
        gm_param(b, gm__flow_layer_name(layer, "upper").text, 2, square, GM_INIT_ZEROS, 0);
    gm_node *log_diagonal =
        gm_param(b, gm__flow_layer_name(layer, "log_diagonal").text, 1, &d, GM_INIT_ZEROS, 0);
    if (d > MOST_MIXED) {
        gm_builder_fail(b, GM_E_RANGE,
                        "flow: mixing=lu learns a matrix of columns by columns, for up to 2048 "
                        "columns (a category counts one): set mixing=permutation, or leave "
                        "columns out");
        return NULL;
    }
    double *below = gm__builder_scratch(b, d * d, sizeof *below),
           *eye = gm__builder_scratch(b, d * d, sizeof *eye);
    if (!below || !eye)
        return NULL;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            below[i * d + j] = j < i;
            eye[i * d + j] = i == j;
        }
    gm_node *strictly = gm_const_array(b, 2, square, below),
            *one = gm_const_array(b, 2, square, eye);
    gm_node *above = gm_permute(b, strictly, (const int32_t[]){1, 0});
    lower = gm_add(b, gm_mul(b, lower, strictly), one);
    upper = gm_add(b, gm_mul(b, upper, above), gm_mul(b, one, gm_exp(b, log_diagonal)));
    gm_node *sum = gm_sum_last_wide(b, log_diagonal);
    *log_det = gm__flow_add(b, *log_det, way == FORWARD ? sum : gm_neg(b, sum));
    if (way == FORWARD)
        return gm_matmul(b, gm_matmul(b, permute(b, layer, x, way), lower, 0, 0), upper, 0, 0);
    x = gm_solve_triangular(b, x, upper, 1);
    x = gm_solve_triangular(b, x, lower, 0);
    return permute(b, layer, x, way);
}

/* Angles are only moved: the real columns are mixed, the angles follow them, then all places are
 * drawn anew. */
static gm_node *mix_reals(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                          gm_node **log_det)
{
    gm_builder *b = f->b;
    const unsigned char *circle = f->circle + layer * f->d;
    int64_t d = f->d, reals = gm__flow_columns(circle, d, 0, NULL);
    int32_t *index = gm__builder_scratch(b, d, sizeof *index),
            *back = gm__builder_scratch(b, d, sizeof *back);
    if (!index || !back)
        return NULL;
    gm__flow_columns(circle, d, 0, index);
    gm__flow_columns(circle, d, 1, index + reals);
    for (int64_t j = 0; j < d; j++)
        back[index[j]] = (int32_t)j;
    if (way == FORWARD)
        x = gm_take(b, x, d, index);
    else
        x = permute(b, layer + GM__FLOW_SECOND, x, way);
    if (reals > 0) {
        gm_node *both[2] = {mix_lu(b, layer, gm_slice(b, x, -1, 0, reals), way, log_det),
                            gm_slice(b, x, -1, reals, d - reals)};
        x = gm_concat(b, 2, both, -1);
    }
    return way == FORWARD ? permute(b, layer + GM__FLOW_SECOND, x, way) : gm_take(b, x, d, back);
}

gm_node *gm__flow_mix(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                      gm_node **log_det)
{
    switch (f->mixing) {
    case LU:
        return f->circle ? mix_reals(f, layer, x, way, log_det)
                         : mix_lu(f->b, layer, x, way, log_det);
    case PERMUTATION:
        return permute(f->b, layer, x, way);
    case SWAP:
        return f->structure != COUPLING && layer > 0 ? reverse(f->b, x) : x;
    default:
        return x;
    }
}

/* ---- Scale and shift of each column ---------------------------------------------------------- */

/* p where a column is real, 0 at angles, which no scale may change. */
static gm_node *of_reals(const gm__flow_graph *f, int64_t row, gm_node *p)
{
    if (!f->circle)
        return p;
    double *is = gm__builder_scratch(f->b, f->d, sizeof *is);
    for (int64_t j = 0; is && j < f->d; j++)
        is[j] = !f->circle[row * f->d + j];
    return is ? gm_mul(f->b, p, gm_const_array(f->b, 1, &f->d, is)) : NULL;
}

/* y = (x - shift) exp(-log_scale); in the starting pass the batch's own mean and deviation become
 * the parameters. */
gm_node *gm__flow_normalise(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                            gm_node **log_det)
{
    gm_builder *b = f->b;
    int64_t d = f->d;
    gm_node *shift = gm_param(b, gm__flow_layer_name(layer, "shift").text, 1, &d, GM_INIT_ZEROS, 0);
    gm_node *log_scale =
        gm_param(b, gm__flow_layer_name(layer, "log_scale").text, 1, &d, GM_INIT_ZEROS, 0);
    if (gm_builder_starting(b)) {
        gm_node *mean = gm_mean(b, x, 0, 0);
        gm_node *variance = gm_mean(b, gm_square(b, gm_sub(b, x, mean)), 0, 0);
        gm_node *log_deviation = gm_scale(b, gm_log(b, gm_shift(b, variance, 1e-6)), 0.5);
        gm_assign(b, shift, mean);
        gm_assign(b, log_scale, log_deviation);
        shift = mean;
        log_scale = log_deviation;
    }
    shift = of_reals(f, layer, shift);
    log_scale = of_reals(f, layer, log_scale);
    gm_node *sum = gm_sum_last_wide(b, log_scale);
    *log_det = gm__flow_add(b, *log_det, way == FORWARD ? gm_neg(b, sum) : sum);
    if (way == INVERSE)
        return gm_add(b, gm_mul(b, x, gm_exp(b, log_scale)), shift);
    return gm_mul(b, gm_sub(b, x, shift), gm_exp(b, gm_neg(b, log_scale)));
}

gm_node *gm__flow_log_scale(const gm__flow_graph *f, int64_t layer)
{
    gm__flow_name name = gm__flow_layer_name(layer, "log_scale");
    return gm_param(f->b, layer < f->layers ? name.text : "log_scale", 1, &f->d, GM_INIT_ZEROS, 0);
}

/* z = x exp(-log_scale): additive layers alone keep volumes (Dinh et al. 2015, section 3.3). */
gm_node *gm__flow_scale(const gm__flow_graph *f, gm_node *x, gm__way way, gm_node **log_det)
{
    gm_builder *b = f->b;
    gm_node *log_scale =
        of_reals(f, f->layers, gm_param(b, "log_scale", 1, &f->d, GM_INIT_ZEROS, 0));
    gm_node *sum = gm_sum_last_wide(b, log_scale);
    *log_det = gm__flow_add(b, *log_det, way == FORWARD ? gm_neg(b, sum) : sum);
    return gm_mul(b, x, gm_exp(b, way == FORWARD ? gm_neg(b, log_scale) : log_scale));
}
