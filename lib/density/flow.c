/* Normalizing flow: layers of couplings between mixings of the columns.
 *
 * Change of variables (Papamakarios et al. 2021, eq. 4):
 *
 *     log p(x) = log p_z(f(x)) + log |det df/dx|
 *
 * A coupling leaves one part c of the columns as it is and maps the rest t, element by element, by
 * a monotone function whose parameters a network reads off c (Dinh et al. 2017, eq. 4 and 5), so
 * that the Jacobian is triangular:
 *
 *     realnvp    t' = (t - mu(c)) exp(-s(c)), s = L tanh(. / L)
 *     nsf        t' = a rational-quadratic spline (Durkan et al. 2019)
 *
 * Shapes: x, z (batch, d); everything that adds to log |det| is (batch), in double. */
#include "density/flow.h"
#include "nn/nn.h"

#include <math.h>
#include <string.h>

static const gm_option_row options[] = {
    {"coupling", GM_STAGE_BUILD, GM_CHOICE, "nsf", "realnvp|nsf", 1,
     "affine couplings or rational-quadratic splines"},
    {"layers", GM_STAGE_BUILD, GM_INT, "6", "1..1000", 1, "number of coupling layers"},
    {"hidden", GM_STAGE_BUILD, GM_INTS, "128,128", "1..65536", 1,
     "widths of each coupling network's hidden layers"},
    {"activation", GM_STAGE_BUILD, GM_CHOICE, "relu", GM__ACTIVATIONS, 1,
     "of the coupling networks"},
    {"residual", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "hidden layers after the first become residual blocks"},
    {"dropout", GM_STAGE_BUILD, GM_REAL, "0", "0..1)", 1,
     "rate of dropout in the coupling networks"},
    {"bins", GM_STAGE_BUILD, GM_INT, "8", "2..256", 1, "bins of a spline"},
    {"bound", GM_STAGE_BUILD, GM_REAL, "5", "(0..1000", 1,
     "splines act in [-bound, bound]; outside they are the identity"},
    {"max_log_scale", GM_STAGE_BUILD, GM_REAL, "2", "(0..20", 1,
     "bound L on the log scale of an affine coupling"},
    {"unconditional", GM_STAGE_BUILD, GM_BOOL, "true", "", 1,
     "the conditioning columns are mapped too, each by a function of its own"},
    {"identity", GM_STAGE_BUILD, GM_BOOL, "true", "", 1,
     "couplings start as the identity; else as random as their networks"},
    {"mixing", GM_STAGE_BUILD, GM_CHOICE, "lu", "lu|permutation|swap", 1,
     "between layers: a learned linear map P L U, a fixed permutation, or the halves change roles"},
    {"start", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "a scale and shift before each layer, set from the first batch (Kingma and Dhariwal 2018)"},
    {"base", GM_STAGE_BUILD, GM_CHOICE, "normal", "normal|student", 1,
     "standard normal, or Student-t with learned degrees of freedom"},
    {0},
};

enum { REALNVP, NSF };
enum { LU, PERMUTATION, SWAP };

typedef enum { FORWARD, INVERSE } direction;

/* A parameter's or layer's name under layer i. */
typedef struct gm__flow_name {
    char text[64];
} gm__flow_name;

static gm__flow_name layer_name(int64_t i, const char *part)
{
    gm__flow_name n;
    gm__format(n.text, sizeof n.text, "layer.%lld.%s", (long long)i, part);
    return n;
}

static gm_node *add_wide(gm_builder *b, gm_node *sum, gm_node *term)
{
    return sum ? gm_add(b, sum, term) : term;
}

/* ---- The element-wise map
 * ------------------------------------------------------------------------ */

static int64_t raw_per_column(gm_builder *b)
{
    return gm_opt_choice(b, "coupling") == NSF ? 3 * gm_opt_int(b, "bins") - 1 : 2;
}

/* Maps t (batch, w) by raw parameters (batch or 1, w * raw_per_column), adding log |dt'/dt| to
 * *log_det. */
static gm_node *map_columns(gm_builder *b, gm_node *t, gm_node *raw, direction way,
                            gm_node **log_det)
{
    int64_t w = gm_node_dim(t, -1);
    if (gm_opt_choice(b, "coupling") == NSF) {
        /* Floors keep slopes within a hundredfold a layer, so that a row far from the data still
         * comes back. */
        int64_t bins = gm_opt_int(b, "bins");
        gm_spline s = {.struct_size = sizeof s,
                       .bins = (int32_t)bins,
                       .bound = gm_opt_real(b, "bound"),
                       .min_bin = bins <= 50 ? 1e-2 : 0.5 / (double)bins,
                       .min_slope = 1e-2,
                       .inverse = way == INVERSE};
        gm_node *log_slope, *y = gm_rq_spline(b, &s, t, raw, &log_slope);
        *log_det = add_wide(b, *log_det, gm_sum_last_wide(b, log_slope));
        return y;
    }
    double most = gm_opt_real(b, "max_log_scale");
    gm_node *mu = gm_slice(b, raw, -1, 0, w), *s = gm_slice(b, raw, -1, w, w);
    s = gm_scale(b, gm_tanh(b, most == 1 ? s : gm_scale(b, s, 1 / most)), most);
    if (way == INVERSE) {
        *log_det = add_wide(b, *log_det, gm_sum_last_wide(b, s));
        return gm_add(b, gm_mul(b, t, gm_exp(b, s)), mu);
    }
    gm_node *minus = gm_neg(b, s);
    *log_det = add_wide(b, *log_det, gm_sum_last_wide(b, minus));
    return gm_mul(b, gm_sub(b, t, mu), gm_exp(b, minus));
}

/* The map of columns that nothing conditions: its parameters are learned directly. */
static gm_node *map_alone(gm_builder *b, const char *name, gm_node *t, direction way,
                          gm_node **log_det)
{
    int64_t shape[2] = {GM_BATCH, gm_node_dim(t, -1) * raw_per_column(b)};
    gm_node *raw = gm_param(b, name, 1, shape + 1, GM_INIT_ZEROS, 0);
    return map_columns(b, t, gm_broadcast(b, raw, 2, shape), way, log_det);
}

/* ---- Coupling -------------------------------------------------------------------------------- */

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
        gm__flow_name name = layer_name(layer, part);
        if (gm_opt_int(b, "residual") && i > 0)
            h = gm_nn_residual(b, name.text, h, act);
        else
            h = gm_nn_mlp(b, name.text, h, 1, widths + i, act);
        h = gm_nn_dropout(b, h, dropout);
    }
    gm__flow_name name = layer_name(layer, "net.out");
    return gm_opt_int(b, "identity") ? gm_nn_linear_zero(b, name.text, h, out)
                                     : gm_nn_linear(b, name.text, h, out);
}

/* One coupling of x (batch, d). The first d/2 columns condition the rest, or with mixing=swap the
 * halves take turns. */
static gm_node *couple(gm_builder *b, int64_t layer, gm_node *x, direction way, gm_node **log_det)
{
    int64_t d = gm_node_dim(x, -1), half = d / 2;
    int second =
        gm_opt_choice(b, "mixing") == SWAP && layer % 2 == 1; /* the second part conditions */
    int64_t c_start = second ? half : 0, c_width = second ? d - half : half;
    int64_t t_start = second ? 0 : half, t_width = d - c_width;
    const char *alone = "alone";
    gm__flow_name name = layer_name(layer, alone);
    if (t_width == 0 || (c_width == 0 && !gm_condition(b)))
        return map_alone(b, name.text, x, way, log_det);
    gm_node *c = c_width ? gm_slice(b, x, -1, c_start, c_width) : NULL,
            *t = gm_slice(b, x, -1, t_start, t_width);
    gm_node *after = c;
    if (c && gm_opt_int(b, "unconditional")) {
        after = map_alone(b, name.text, c, way, log_det);
        if (way == INVERSE)
            c = after;
    }
    t = map_columns(b, t, network(b, layer, c, t_width * raw_per_column(b)), way, log_det);
    if (!c_width)
        return t;
    gm_node *parts[2] = {second ? t : after, second ? after : t};
    return gm_concat(b, 2, parts, -1);
}

/* ---- Mixing ---------------------------------------------------------------------------------- */

/* A permutation of the columns, drawn by the model's seed (Fisher and Yates). index[j] is the
 * column that comes to place j. */
static void draw_permutation(gm_builder *b, int64_t layer, int64_t d, int32_t *index)
{
    for (int64_t i = 0; i < d; i++)
        index[i] = (int32_t)i;
    for (int64_t i = d - 1; i > 0; i--) {
        int64_t j = gm_builder_random(b, (int32_t)layer, i, i + 1);
        int32_t t = index[i];
        index[i] = index[j];
        index[j] = t;
    }
}

static gm_node *permute(gm_builder *b, int64_t layer, gm_node *x, direction way)
{
    int64_t d = gm_node_dim(x, -1);
    int32_t *index = gm__builder_scratch(b, d, sizeof *index),
            *back = gm__builder_scratch(b, d, sizeof *back);
    if (!index || !back)
        return NULL;
    draw_permutation(b, layer, d, index);
    for (int64_t i = 0; i < d; i++)
        back[index[i]] = (int32_t)i;
    return gm_take(b, x, d, way == FORWARD ? index : back);
}

#define MOST_MIXED 2048 /* columns of a learned mixing */

/* y = (x P) L U: L unit lower, U upper with diagonal exp(log_diagonal), both the identity at the
 * start, so that log |det| is a sum (Kingma and Dhariwal 2018, section 3.2). Triangles are products
 * with what is known to be zero left out. */
static gm_node *mix_lu(gm_builder *b, int64_t layer, gm_node *x, direction way, gm_node **log_det)
{
    int64_t d = gm_node_dim(x, -1), square[2] = {d, d};
    gm_node *lower = gm_param(b, layer_name(layer, "lower").text, 2, square, GM_INIT_ZEROS, 0);
    gm_node *upper = gm_param(b, layer_name(layer, "upper").text, 2, square, GM_INIT_ZEROS, 0);
    gm_node *log_diagonal =
        gm_param(b, layer_name(layer, "log_diagonal").text, 1, &d, GM_INIT_ZEROS, 0);
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
    *log_det = add_wide(b, *log_det, way == FORWARD ? sum : gm_neg(b, sum));
    if (way == FORWARD)
        return gm_matmul(b, gm_matmul(b, permute(b, layer, x, way), lower, 0, 0), upper, 0, 0);
    x = gm_solve_triangular(b, x, upper, 1);
    x = gm_solve_triangular(b, x, lower, 0);
    return permute(b, layer, x, way);
}

static gm_node *mix(gm_builder *b, int64_t layer, gm_node *x, direction way, gm_node **log_det)
{
    switch (gm_opt_choice(b, "mixing")) {
    case LU:
        return mix_lu(b, layer, x, way, log_det);
    case PERMUTATION:
        return permute(b, layer, x, way);
    default:
        return x;
    }
}

/* ---- Scale and shift with a data-dependent start
 * ----------------------------------------------------- */

/* y = (x - shift) exp(-log_scale); in the starting pass the batch's own mean and deviation become
 * the parameters. */
static gm_node *normalise(gm_builder *b, int64_t layer, gm_node *x, direction way,
                          gm_node **log_det)
{
    int64_t d = gm_node_dim(x, -1);
    gm_node *shift = gm_param(b, layer_name(layer, "shift").text, 1, &d, GM_INIT_ZEROS, 0);
    gm_node *log_scale = gm_param(b, layer_name(layer, "log_scale").text, 1, &d, GM_INIT_ZEROS, 0);
    if (gm_builder_starting(b)) {
        gm_node *mean = gm_mean(b, x, 0, 0);
        gm_node *variance = gm_mean(b, gm_square(b, gm_sub(b, x, mean)), 0, 0);
        gm_node *log_deviation = gm_scale(b, gm_log(b, gm_shift(b, variance, 1e-6)), 0.5);
        gm_assign(b, shift, mean);
        gm_assign(b, log_scale, log_deviation);
        shift = mean;
        log_scale = log_deviation;
    }
    gm_node *sum = gm_sum_last_wide(b, log_scale);
    *log_det = add_wide(b, *log_det, way == FORWARD ? gm_neg(b, sum) : sum);
    if (way == INVERSE)
        return gm_add(b, gm_mul(b, x, gm_exp(b, log_scale)), shift);
    return gm_mul(b, gm_sub(b, x, shift), gm_exp(b, gm_neg(b, log_scale)));
}

/* ---- The flow -------------------------------------------------------------------------------- */

static gm_node *layer_forward(gm_builder *b, int64_t i, gm_node *x, gm_node **log_det)
{
    if (gm_opt_int(b, "start"))
        x = normalise(b, i, x, FORWARD, log_det);
    return couple(b, i, mix(b, i, x, FORWARD, log_det), FORWARD, log_det);
}

static gm_node *layer_inverse(gm_builder *b, int64_t i, gm_node *z, gm_node **log_det)
{
    z = mix(b, i, couple(b, i, z, INVERSE, log_det), INVERSE, log_det);
    return gm_opt_int(b, "start") ? normalise(b, i, z, INVERSE, log_det) : z;
}

static gm_node *forward(gm_builder *b, gm_node *x, gm_node **log_det)
{
    *log_det = NULL;
    for (int64_t i = 0; i < gm_opt_int(b, "layers"); i++)
        x = layer_forward(b, i, x, log_det);
    return x;
}

static gm_node *encode(gm_builder *b, gm_node *x)
{
    gm_node *log_det;
    return forward(b, x, &log_det);
}

static gm_node *decode(gm_builder *b, gm_node *z)
{
    gm_node *log_det = NULL;
    for (int64_t i = gm_opt_int(b, "layers") - 1; i >= 0; i--)
        z = layer_inverse(b, i, z, &log_det);
    return z;
}

/* ---- The base -------------------------------------------------------------------------------- */

enum { NORMAL, STUDENT };

/* Degrees of freedom of each column, above 2 so that the variance is finite; 2 + e^3, about 22, at
 * the start. */
static gm_node *degrees(gm_builder *b)
{
    int64_t d = gm_builder_width(b);
    gm_node *raw = gm_param(b, "base.log_degrees", 1, &d, GM_INIT_ZEROS, 0);
    return gm_shift(b, gm_exp(b, gm_shift(b, raw, 3)), 2);
}

/* Student-t: log G((v+1)/2) - log G(v/2) - log(v pi)/2 - (v+1)/2 log(1 + z^2/v), summed over
 * columns. */
static gm_node *log_student(gm_builder *b, gm_node *z)
{
    const double log_pi = 1.14472988584940017414;
    gm_node *v = degrees(b), *half = gm_scale(b, gm_shift(b, v, 1), 0.5);
    gm_node *constant = gm_sub(b, gm_lgamma(b, half), gm_lgamma(b, gm_scale(b, v, 0.5)));
    constant = gm_sub(b, constant, gm_scale(b, gm_shift(b, gm_log(b, v), log_pi), 0.5));
    gm_node *squares = gm_square(b, gm_wide(b, z)); /* a float's square overflows */
    gm_node *tail = gm_mul(b, gm_wide(b, half), gm_log1p(b, gm_div(b, squares, gm_wide(b, v))));
    return gm_sum(b, gm_sub(b, gm_wide(b, constant), tail), -1, 0);
}

/* Student-t draws from two uniforms, v (u^(-2/v) - 1) being the squared radius (Bailey 1994). */
static gm_node *draw_student(gm_builder *b)
{
    const double two_pi = 6.28318530717958647693;
    int64_t shape[2] = {GM_BATCH, gm_builder_width(b)};
    gm_node *v = degrees(b), *u = gm_uniform(b, 2, shape), *w = gm_uniform(b, 2, shape);
    gm_node *power = gm_expm1(b, gm_mul(b, gm_log(b, u), gm_div(b, gm_const(b, -2), v)));
    return gm_mul(b, gm_sqrt(b, gm_mul(b, v, power)), gm_cos(b, gm_scale(b, w, two_pi)));
}

static gm_node *log_prob(gm_builder *b, gm_node *x)
{
    gm_node *log_det, *z = forward(b, x, &log_det);
    gm_node *log_base =
        gm_opt_choice(b, "base") == STUDENT ? log_student(b, z) : gm_log_standard_normal(b, z);
    return gm_add(b, log_base, log_det);
}

static gm_node *base(gm_builder *b)
{
    int64_t shape[2] = {GM_BATCH, gm_builder_width(b)};
    return gm_opt_choice(b, "base") == STUDENT ? draw_student(b) : gm_normal(b, 2, shape);
}

const gm_family gm__flow = {
    .struct_size = sizeof(gm_family),
    .version = 1,
    .name = "flow",
    .summary = "normalizing flow: exact density, exact sampling, invertible codes",
    .options = options,
    .log_prob_kind = GM_EXACT,
    .flags = GM_FAMILY_CONDITIONS,
    .log_prob = log_prob,
    .encode = encode,
    .decode = decode,
    .base = base,
};
