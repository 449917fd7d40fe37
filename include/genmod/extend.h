/* genmod/extend.h: graph building and the family table. EXPERIMENTAL.
 *
 * What is declared here may change in any release before it is declared stable; it is exported
 * under a version node of its own (GENMOD_EXPERIMENTAL). It becomes stable, and moves to
 * GENMOD_<version>, when two releases in a row have not changed it and at least three families
 * outside the library use it.
 *
 * Building a graph is sticky: after the first failure every further call on that builder returns
 * NULL and does nothing, and any call that is given a NULL node returns NULL; the reason is
 * reported once, where the graph is used. So mathematics reads as mathematics, without a check on
 * each line.
 *
 * Nodes belong to their builder and die with it. A builder serves one thread. */
#ifndef GENMOD_EXTEND_H
#define GENMOD_EXTEND_H

#include "genmod/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A graph under construction. The library makes it and hands it to the functions of a family. */
typedef struct gm_builder gm_builder;
/* A value in a graph: a leaf, or an operation on other nodes. It never changes. */
typedef struct gm_node gm_node;

/* ---- Shapes and types: what a node of a graph is --------------------------------------------- */

/* A shape has 0 to 8 dimensions. GM_BATCH stands for the number of rows of the batch, known when a
 * plan runs; -k stands for k batches (as two views of each row, one after the other, have). */
#define GM_BATCH (-1)

/* Element types of nodes. WIDE accumulates log densities and losses. An operation on REAL and WIDE
 * nodes gives WIDE; INDEX nodes have no arithmetic until gm_narrow or gm_wide. */
enum {
    GM_REAL_NODE = 1, /* float or double, as the option `precision` says */
    GM_WIDE_NODE = 2, /* double, always */
    GM_INDEX_NODE = 3 /* int32: numbers of rows, columns, categories */
};

/* How many dimensions; 0 for NULL. */
GM_API int32_t gm_node_ndim(const gm_node *x);
/* The size of a dimension; axis < 0 counts from the end; 0 for NULL and where there is none. */
GM_API int64_t gm_node_dim(const gm_node *x, int32_t axis);
/* GM_REAL_NODE, GM_WIDE_NODE or GM_INDEX_NODE; 0 for NULL. */
GM_API int32_t gm_node_type(const gm_node *x);

/* Reports a failure of the caller's own (a family that finds its options inconsistent): makes the
 * builder sticky. The text is copied. */
GM_API void gm_builder_fail(gm_builder *b, gm_status code, const char *text);
/* 1 after a failure, of whatever kind; 1 for NULL. */
GM_API int32_t gm_builder_failed(const gm_builder *b);

/* ---- Leaves: what enters a graph ------------------------------------------------------------- */

/* A value given at each run, by name: the same name gives the same node. */
GM_API gm_node *gm_input(gm_builder *b, const char *name, int32_t type, int32_t ndim,
                         const int64_t *shape);

/* How a parameter starts. */
enum {
    GM_INIT_ZEROS = 1,
    GM_INIT_ONES = 2,
    GM_INIT_NORMAL = 3,  /* N(0, scale^2) */
    GM_INIT_UNIFORM = 4, /* U(-scale, scale) */
    /* U(-s, s), s = scale * sqrt(3 / fan_in), fan_in the first dimension: He et al. 2015 */
    GM_INIT_KAIMING = 5,
    /* U(-s, s), s = scale * sqrt(6 / (fan_in + fan_out)): Glorot and Bengio 2010 */
    GM_INIT_XAVIER = 6,
    /* scale times a matrix with orthonormal rows or columns: Saxe et al. 2014 */
    GM_INIT_ORTHOGONAL = 7,
    GM_INIT_EYE = 8 /* the identity */
};
/* A parameter, REAL: trained, kept in the model file under its name ("encoder.0.weight"). The same
 * name gives the same parameter; its shape must then agree. Its shape has no GM_BATCH. init is
 * GM_INIT_, scale what the start is multiplied by. */
GM_API gm_node *gm_param(gm_builder *b, const char *name, int32_t ndim, const int64_t *shape,
                         int32_t init, double scale);
/* A parameter that is not trained by gradient but written by gm_assign (running statistics). */
GM_API gm_node *gm_state(gm_builder *b, const char *name, int32_t ndim, const int64_t *shape,
                         int32_t init);
/* After each run of the graph that this is part of, the parameter or state gets the value, which is
 * REAL and of its shape. */
GM_API void gm_assign(gm_builder *b, gm_node *param, gm_node *value);
/* A number, REAL, without dimensions. */
GM_API gm_node *gm_const(gm_builder *b, double value);
/* Numbers known when the graph is built, row-major, copied: REAL, and INDEX. The shape has no
 * GM_BATCH. */
GM_API gm_node *gm_const_array(gm_builder *b, int32_t ndim, const int64_t *shape,
                               const double *values);
GM_API gm_node *gm_const_index(gm_builder *b, int32_t ndim, const int64_t *shape,
                               const int32_t *values);
/* Draws from N(0, 1) and from U(0, 1), never 0 or 1, REAL, new at each step: a function of seed,
 * node, step and element. No gradient. The second forms take the shape of x. */
GM_API gm_node *gm_normal(gm_builder *b, int32_t ndim, const int64_t *shape);
GM_API gm_node *gm_uniform(gm_builder *b, int32_t ndim, const int64_t *shape);
GM_API gm_node *gm_normal_like(gm_builder *b, gm_node *x);
GM_API gm_node *gm_uniform_like(gm_builder *b, gm_node *x);

/* ---- Element-wise: arithmetic and functions, element by element ------------------------------ */

/* x + y, x - y, x y, x / y. Here and below two operands broadcast against each other as in NumPy:
 * shapes are aligned at the last axis, and a size of 1 is repeated. */
GM_API gm_node *gm_add(gm_builder *b, gm_node *x, gm_node *y);
GM_API gm_node *gm_sub(gm_builder *b, gm_node *x, gm_node *y);
GM_API gm_node *gm_mul(gm_builder *b, gm_node *x, gm_node *y);
GM_API gm_node *gm_div(gm_builder *b, gm_node *x, gm_node *y);
/* The lesser and the greater. Where both are equal the gradient goes to x. */
GM_API gm_node *gm_min(gm_builder *b, gm_node *x, gm_node *y);
GM_API gm_node *gm_max(gm_builder *b, gm_node *x, gm_node *y);
/* 1 where x > y, x >= y, x == y, else 0. No gradient. */
GM_API gm_node *gm_greater(gm_builder *b, gm_node *x, gm_node *y);
GM_API gm_node *gm_greater_equal(gm_builder *b, gm_node *x, gm_node *y);
GM_API gm_node *gm_equal(gm_builder *b, gm_node *x, gm_node *y);
/* x where y > 0, else 0. The gradient goes to x alone. */
GM_API gm_node *gm_gate(gm_builder *b, gm_node *x, gm_node *y);
/* x where mask is not 0, else y. */
GM_API gm_node *gm_where(gm_builder *b, gm_node *mask, gm_node *x, gm_node *y);
/* log(exp(x) + exp(y)), without overflow. */
GM_API gm_node *gm_logaddexp(gm_builder *b, gm_node *x, gm_node *y);
/* factor x. */
GM_API gm_node *gm_scale(gm_builder *b, gm_node *x, double factor);
/* x + term. */
GM_API gm_node *gm_shift(gm_builder *b, gm_node *x, double term);
/* 1 - x. */
GM_API gm_node *gm_one_minus(gm_builder *b, gm_node *x);
/* -x, |x|, x^2, 1 / x and the square root of x. The gradient of |x| at 0 is 0. */
GM_API gm_node *gm_neg(gm_builder *b, gm_node *x);
GM_API gm_node *gm_abs(gm_builder *b, gm_node *x);
GM_API gm_node *gm_square(gm_builder *b, gm_node *x);
GM_API gm_node *gm_recip(gm_builder *b, gm_node *x);
GM_API gm_node *gm_sqrt(gm_builder *b, gm_node *x);
/* -1, 0 or 1; 1 where x > 0, else 0; the whole number below; the nearest one, halves to even. No
 * gradient. */
GM_API gm_node *gm_sign(gm_builder *b, gm_node *x);
GM_API gm_node *gm_step(gm_builder *b, gm_node *x);
GM_API gm_node *gm_floor(gm_builder *b, gm_node *x);
GM_API gm_node *gm_round(gm_builder *b, gm_node *x);
/* exp(x), exp(x) - 1, log(x), log(1 + x): natural, the last exact for small x. */
GM_API gm_node *gm_exp(gm_builder *b, gm_node *x);
GM_API gm_node *gm_expm1(gm_builder *b, gm_node *x);
GM_API gm_node *gm_log(gm_builder *b, gm_node *x);
GM_API gm_node *gm_log1p(gm_builder *b, gm_node *x);
/* Trigonometric and hyperbolic functions, of radians and into radians. */
GM_API gm_node *gm_sin(gm_builder *b, gm_node *x);
GM_API gm_node *gm_cos(gm_builder *b, gm_node *x);
GM_API gm_node *gm_atan(gm_builder *b, gm_node *x);
GM_API gm_node *gm_tanh(gm_builder *b, gm_node *x);
/* 1 / (1 + exp(-x)), and its logarithm, without overflow. */
GM_API gm_node *gm_sigmoid(gm_builder *b, gm_node *x);
GM_API gm_node *gm_log_sigmoid(gm_builder *b, gm_node *x);
/* log(1 + exp(x)), without overflow. */
GM_API gm_node *gm_softplus(gm_builder *b, gm_node *x);
/* max(x, 0). */
GM_API gm_node *gm_relu(gm_builder *b, gm_node *x);
/* x where x > 0, else slope x. */
GM_API gm_node *gm_leaky_relu(gm_builder *b, gm_node *x, double slope);
/* x sigmoid(x). */
GM_API gm_node *gm_silu(gm_builder *b, gm_node *x);
/* x Phi(x), Phi the standard normal distribution function; exact, not by tanh. */
GM_API gm_node *gm_gelu(gm_builder *b, gm_node *x);
/* The error function, and 1 minus it. */
GM_API gm_node *gm_erf(gm_builder *b, gm_node *x);
GM_API gm_node *gm_erfc(gm_builder *b, gm_node *x);
/* log |Gamma(x)|; its derivative, digamma; the derivative of digamma of an order of 0 to 100. */
GM_API gm_node *gm_lgamma(gm_builder *b, gm_node *x);
GM_API gm_node *gm_digamma(gm_builder *b, gm_node *x);
GM_API gm_node *gm_polygamma(gm_builder *b, gm_node *x, int32_t order);
/* The distribution function of the standard normal, and its inverse for x in (0, 1). */
GM_API gm_node *gm_normal_cdf(gm_builder *b, gm_node *x);
GM_API gm_node *gm_normal_quantile(gm_builder *b, gm_node *x);
/* REAL or INDEX to WIDE; WIDE or INDEX to REAL. */
GM_API gm_node *gm_wide(gm_builder *b, gm_node *x);
GM_API gm_node *gm_narrow(gm_builder *b, gm_node *x);
/* x, a constant to gradients. */
GM_API gm_node *gm_stop_gradient(gm_builder *b, gm_node *x);

/* ---- Products: matrix products and triangular systems ---------------------------------------- */

/* Matrices (m, k) (k, n), each transposed if its flag is set; stacks of matrices (..., m, k) (...,
 * k, n) with the same leading dimensions; or (..., k) (k, n). Both REAL or both WIDE. */
GM_API gm_node *gm_matmul(gm_builder *b, gm_node *x, gm_node *y, int32_t transpose_x,
                          int32_t transpose_y);
/* x A^-1 for x (batch, n) and A (n, n) triangular, upper or lower; the other triangle is not read.
 * Solved in double. A zero on the diagonal gives infinities, no failure. */
GM_API gm_node *gm_solve_triangular(gm_builder *b, gm_node *x, gm_node *a, int32_t upper);
/* x (batch, k) times weight (k, n) of which column j is zero outside rows [lo[j], hi[j]): what is
 * known to be zero is neither multiplied nor trained. lo and hi, n of each, are copied. */
GM_API gm_node *gm_matmul_masked(gm_builder *b, gm_node *x, gm_node *weight, const int32_t *lo,
                                 const int32_t *hi);

/* ---- Reductions: sums, means and the like along an axis -------------------------------------- */

/* The sum and the mean along an axis; axis < 0 counts from the end. keep: the axis stays, with a
 * size of 1; else it goes. */
GM_API gm_node *gm_sum(gm_builder *b, gm_node *x, int32_t axis, int32_t keep);
GM_API gm_node *gm_mean(gm_builder *b, gm_node *x, int32_t axis, int32_t keep);
/* The sum and the mean of all elements: no dimensions. */
GM_API gm_node *gm_sum_all(gm_builder *b, gm_node *x);
GM_API gm_node *gm_mean_all(gm_builder *b, gm_node *x);
/* The sum along the last axis, REAL added up as WIDE: log densities. */
GM_API gm_node *gm_sum_last_wide(gm_builder *b, gm_node *x);
/* The greatest along the last axis; its gradient goes to the first of equals. */
GM_API gm_node *gm_max_last(gm_builder *b, gm_node *x);
/* Where it stands, INDEX; the first of equals. No gradient. */
GM_API gm_node *gm_argmax_last(gm_builder *b, gm_node *x);
/* exp(x) over its sum along the last axis, and the logarithm of that: shapes as x, no overflow. */
GM_API gm_node *gm_softmax(gm_builder *b, gm_node *x);
GM_API gm_node *gm_log_softmax(gm_builder *b, gm_node *x);
/* The logarithm of the sum of exp(x) along the last axis, which goes. */
GM_API gm_node *gm_logsumexp(gm_builder *b, gm_node *x);
/* Running sums along the last axis: from the end if reverse, without the element itself if
 * exclusive. */
GM_API gm_node *gm_cumsum(gm_builder *b, gm_node *x, int32_t reverse, int32_t exclusive);

/* ---- Moves: elements change places, nothing is computed -------------------------------------- */

/* The same elements, row-major, in another shape. */
GM_API gm_node *gm_reshape(gm_builder *b, gm_node *x, int32_t ndim, const int64_t *shape);
/* Repeated to a shape, as NumPy aligns them. Arithmetic does it by itself. */
GM_API gm_node *gm_broadcast(gm_builder *b, gm_node *x, int32_t ndim, const int64_t *shape);
/* Axis i of the result is axis axes[i] of x; axes has an entry for each of its dimensions. */
GM_API gm_node *gm_permute(gm_builder *b, gm_node *x, const int32_t *axes);
/* Elements [start, start + count) of an axis. Of the batch's axis start and count are in batches
 * and negative, as its size is. */
GM_API gm_node *gm_slice(gm_builder *b, gm_node *x, int32_t axis, int64_t start, int64_t count);
/* Zeros before and after along an axis. */
GM_API gm_node *gm_pad(gm_builder *b, gm_node *x, int32_t axis, int64_t before, int64_t after);
/* Nodes of one type joined along an axis; their other sizes are the same. */
GM_API gm_node *gm_concat(gm_builder *b, int32_t count, gm_node *const *x, int32_t axis);
/* Columns of the last axis by number, known when the graph is built: y[..., j] = x[..., index[j]].
 * index, count of them, is copied. */
GM_API gm_node *gm_take(gm_builder *b, gm_node *x, int64_t count, const int32_t *index);
/* Rows of a table (n, d) by an INDEX node of any shape: y[i..., :] = table[index[i...], :]. */
GM_API gm_node *gm_gather(gm_builder *b, gm_node *table, gm_node *index);
/* The form of its gradient: rows (..., d) added up into a table (n, d), each where its INDEX (...)
 * says. */
GM_API gm_node *gm_scatter_add(gm_builder *b, gm_node *rows, gm_node *index, int64_t n);
/* y[i...] = x[i..., index[i...]] over the last axis. */
GM_API gm_node *gm_pick(gm_builder *b, gm_node *x, gm_node *index);
/* From INDEX (...) REAL (..., n): 1 at the index, 0 elsewhere. */
GM_API gm_node *gm_one_hot(gm_builder *b, gm_node *index, int64_t n);
/* REAL to INDEX, rounded down. No gradient. */
GM_API gm_node *gm_index(gm_builder *b, gm_node *x);

/* ---- Splines: a monotone map with its slope -------------------------------------------------- */

/* What a spline looks like. */
typedef struct gm_spline {
    uint32_t struct_size;
    int32_t bins; /* 2 to 256 */
    /* It acts in [-bound, bound]; outside it is the identity. min_bin is the least width and height
     * of a bin, as a share of the whole, min_slope the least derivative at a knot. */
    double bound, min_bin, min_slope;
    int32_t inverse; /* 1: x is mapped back */
} gm_spline;
/* A monotone rational-quadratic spline, element by element (Durkan et al. 2019): x (..., t), raw
 * parameters p (..., t * (3 * bins - 1)), of each element the widths, the heights and the inner
 * derivatives. Returns y (..., t), and log |dy/dx| in *log_slope (..., t), also of the inverse. */
GM_API gm_node *gm_rq_spline(gm_builder *b, const gm_spline *s, gm_node *x, gm_node *p,
                             gm_node **log_slope);

/* ---- Gradients: derivatives, as more graph --------------------------------------------------- */

/* d of / d wrt[i] into gradient[i] for each of n nodes, as more graph: gradients of gradients are
 * the same call again. `of` is summed if it is not a scalar. A node that `of` does not depend on
 * gets zeros. After a failure all are NULL. */
GM_API void gm_gradient(gm_builder *b, gm_node *of, int32_t n, gm_node *const *wrt,
                        gm_node **gradient);

/* ---- Layers: functions that add nodes and parameters ----------------------------------------- */

/* The activations of layers. */
enum {
    GM_ACT_NONE = 0,
    GM_ACT_RELU = 1,
    GM_ACT_TANH = 2,
    GM_ACT_SILU = 3,
    GM_ACT_GELU = 4,
    GM_ACT_LEAKY_RELU = 5, /* slope 0.01 */
    GM_ACT_SIGMOID = 6,
    GM_ACT_SOFTPLUS = 7
};
/* x through the activation of that number (GM_ACT_NONE: x itself). */
GM_API gm_node *gm_activation(gm_builder *b, int32_t act, gm_node *x);
/* The activation that a text names: "none", "relu", "tanh", "silu", "gelu", "leaky_relu", "sigmoid"
 * or "softplus"; -1 for no such name. */
GM_API int32_t gm_activation_find(const char *name);
/* x (..., in) W (in, out) + bias. Here and below the parameters are named under `name`
 * ("name.weight", "name.bias"). Both start uniform in +-1 / sqrt(in). */
GM_API gm_node *gm_nn_linear(gm_builder *b, const char *name, gm_node *x, int64_t out);
/* As linear, its weights and bias starting at zero: what ends a residual or a coupling network. */
GM_API gm_node *gm_nn_linear_zero(gm_builder *b, const char *name, gm_node *x, int64_t out);
/* As linear, W zero but in rows [lo[j], hi[j]) of column j: see gm_matmul_masked. */
GM_API gm_node *gm_nn_masked_linear(gm_builder *b, const char *name, gm_node *x, int64_t out,
                                    const int32_t *lo, const int32_t *hi);
/* A network whose outputs of variable v see only the columns of variables below v (Germain et al.
 * 2015): hidden units are sorted by how many variables they see, so that the matrices are
 * staircases, of which the zero steps are not multiplied. A condition of the model (gm_condition)
 * is seen by all. */
typedef struct gm_masked_net {
    uint32_t struct_size;
    int32_t act;       /* GM_ACT_ */
    int32_t layers;    /* hidden ones, 1 to 15 */
    int32_t residual;  /* 1: those after the first are blocks x + W2 act(W1 act(x)), all as wide */
    int32_t zero;      /* 1: the outputs start at zero */
    int32_t variables; /* in all */
    const int64_t *widths; /* (layers) */
    const int32_t *in;     /* (columns of x) the variable of each, rising */
    const int32_t *out;    /* (outputs) */
    int64_t outputs;
    double dropout; /* after each hidden layer, in training */
} gm_masked_net;
/* x (batch, columns) to (batch, outputs). */
GM_API gm_node *gm_nn_masked(gm_builder *b, const char *name, gm_node *x, const gm_masked_net *net);
/* Linear layers of `count` widths, each with the activation. */
GM_API gm_node *gm_nn_mlp(gm_builder *b, const char *name, gm_node *x, int32_t count,
                          const int64_t *widths, int32_t act);
/* x + W2 act(W1 act(x)), as wide as x: He et al. 2016, pre-activation; W2 starts at zero. */
GM_API gm_node *gm_nn_residual(gm_builder *b, const char *name, gm_node *x, int32_t act);
/* Over the last axis, with a gain and a bias: Ba et al. 2016. */
GM_API gm_node *gm_nn_layer_norm(gm_builder *b, const char *name, gm_node *x);
/* Of x (batch, width), with a gain and a bias: Ioffe and Szegedy 2015. momentum is the share
 * of a step in the running mean and variance, which are used outside of training. */
GM_API gm_node *gm_nn_batch_norm(gm_builder *b, const char *name, gm_node *x, double momentum);
/* Zero with probability `rate`, else x / (1 - rate); acts in training only. */
GM_API gm_node *gm_nn_dropout(gm_builder *b, gm_node *x, double rate);
/* Rows of a learned table (count, width) by an INDEX node (...): (..., width). */
GM_API gm_node *gm_nn_embedding(gm_builder *b, const char *name, gm_node *index, int64_t count,
                                int64_t width);
/* Numbers x (batch, 1) as sines and cosines (batch, width) of geometrically spaced wavelengths from
 * 2 pi to 2 pi period: Vaswani et al. 2017, section 3.5. */
GM_API gm_node *gm_nn_sinusoidal(gm_builder *b, gm_node *x, int64_t width, double period);

/* ---- Building: what a family's functions may ask --------------------------------------------- */

/* Options of the model being built, by the names in its family's table: GM_INT, GM_BOOL and GM_SEED
 * by int, GM_REAL by real, of GM_CHOICE the position in the row's range "a|b|c". A name that is
 * not in the table fails. */
GM_API int64_t gm_opt_int(gm_builder *b, const char *name);
GM_API double gm_opt_real(gm_builder *b, const char *name);
GM_API int32_t gm_opt_choice(gm_builder *b, const char *name);
/* Returns how many there are, and sets *values to them; they belong to the builder. */
GM_API int32_t gm_opt_ints(gm_builder *b, const char *name, const int64_t **values);
/* 1 in a loss that is being trained. */
GM_API int32_t gm_builder_training(const gm_builder *b);
/* 1 in the one pass that a data-dependent start makes. */
GM_API int32_t gm_builder_starting(const gm_builder *b);
/* Which player is trained, from 0, for families with phases. */
GM_API int32_t gm_builder_phase(const gm_builder *b);
/* Columns of x as the family sees them. */
GM_API int64_t gm_builder_width(const gm_builder *b);
/* What a conditional model is given, (batch, c): reals and whole numbers standardised, circular
 * columns as sine and cosine, two categories as 0 and 1, more of them one-hot. NULL where there is
 * nothing given. */
GM_API gm_node *gm_condition(gm_builder *b);
/* Random whole numbers in [0, below) for structure fixed at build time (permutations): a function
 * of the model's seed, a number and i. */
GM_API int64_t gm_builder_random(gm_builder *b, int32_t number, int64_t i, int64_t below);

/* ---- Terms: what losses and densities are made of -------------------------------------------- */

/* log N(x; 0, I) summed over the last axis, WIDE. */
GM_API gm_node *gm_log_standard_normal(gm_builder *b, gm_node *x);
/* KL(N(mean, exp(log_variance)) || N(0, 1)) of each element, not summed: Kingma and Welling 2014,
 * appendix B. */
GM_API gm_node *gm_kl_standard_normal(gm_builder *b, gm_node *mean, gm_node *log_variance);
/* A scalar that rises from 1/steps at the first step of a fit to 1 at step number `steps`, and is 1
 * from then on and outside of training: the weight of a term that is warmed up. */
GM_API gm_node *gm_ramp(gm_builder *b, int64_t steps);

/* ---- Columns and observation models ---------------------------------------------------------- */

/* What a column of x is, for families of GM_FAMILY_DISCRETE (elsewhere all are real). */
enum {
    GM_X_REAL = 1,
    GM_X_BINARY = 2, /* 0 or 1: binary columns, and categories of two */
    GM_X_LEVELS = 3, /* low, low + step ... high: whole numbers after an affine map */
    /* The first of `width` columns, one of which is 1 and the others 0; of direct families one
     * column, the number of the category, 0 to high. */
    GM_X_CATEGORY = 4,
    GM_X_CIRCULAR = 5 /* an angle in [0, 2 pi), of families of GM_FAMILY_CIRCULAR */
};
typedef struct gm_x_column {
    uint32_t struct_size;
    int32_t kind;
    int64_t width; /* columns of x that it takes */
    double low, high, step;
} gm_x_column;
/* What begins at column j of x (of gm_builder_width columns); 0 if nothing does. */
GM_API int32_t gm_builder_x_column(const gm_builder *b, int64_t j, gm_x_column *column);

/* p(x | raw), column by column as the schema asks: normal for reals, Bernoulli for binary columns,
 * categorical for categories, discretised logistic for whole numbers (Salimans et al. 2017, eq. 2;
 * the first and the last level take the tails; a column of one level is sure). raw (batch,
 * gm_likelihood_width) is what a network gives. Values and gradients are finite at every finite raw
 * and x. The spread of normals and logistics is a standard deviation, which comes from */
enum {
    GM_SPREAD_COLUMN = 1,  /* one parameter a column */
    GM_SPREAD_SHARED = 2,  /* one parameter in all */
    GM_SPREAD_NETWORK = 3, /* part of raw */
    GM_SPREAD_FIXED = 4    /* `deviation`, in units of x; of levels the floor below at least */
};
typedef struct gm_likelihood {
    uint32_t struct_size;
    int32_t spread;   /* GM_SPREAD_ */
    double deviation; /* fixed, or where learning starts; above 0 */
    const char *name; /* of its parameters: <name>.log_deviation */
    /* Reals become mixtures of so many normals, whole numbers of so many logistics, whose weights,
     * means and deviations are parts of raw (spread must be GM_SPREAD_NETWORK); 0 and 1: as above.
     */
    int32_t components;
    int32_t table; /* whole numbers of at most so many levels have a probability each; 0: none */
} gm_likelihood;
/* A deviation that is learned is floor + start * exp(r), r a parameter from 0 on or a part of raw:
 * of reals start is `deviation` and the floor a thousandth of it; of levels the floor is 0.04
 * steps, or 1e-4 of `deviation` if that is more, and start at least as much. So no density runs
 * away. */
GM_API int64_t gm_likelihood_width(gm_builder *b, const gm_likelihood *l);
/* log p(x | raw), summed over columns: (batch), WIDE. Of reals a density, of the rest a
 * probability. */
GM_API gm_node *gm_likelihood_log_prob(gm_builder *b, const gm_likelihood *l, gm_node *raw,
                                       gm_node *x);
/* (batch, width): means of normals and logistics, probabilities of binary columns and categories.
 */
GM_API gm_node *gm_likelihood_mean(gm_builder *b, const gm_likelihood *l, gm_node *raw);
/* (batch, width): a row drawn, new at each step. */
GM_API gm_node *gm_likelihood_draw(gm_builder *b, const gm_likelihood *l, gm_node *raw);

/* ---- Diffusion ------------------------------------------------------------------------------- */

/* A row on its way to noise: x = signal * row + sigma * noise, with signal = cos(angle) and sigma =
 * sin(angle): angle 0 is data, pi/2 pure noise. level (batch, 1) counts noise levels: 0 is data,
 * 1 to `levels` those of the schedule, and what lies between two of them is interpolated in the
 * angle. signal and sigma are (batch, 1), x is (batch, width). */
typedef struct gm_noised {
    uint32_t struct_size;
    gm_node *x, *level, *signal, *sigma;
} gm_noised;

/* What a family that generates by taking noise away says: then the library samples (ancestral,
 * DDIM, Heun), encodes and decodes, and gives log densities by the probability-flow ODE
 * dx/d(angle) = velocity (Song et al. 2021, eq. 13, in the angle of Salimans and Ho 2022): log_prob
 * is the density of that ODE's draws, and its kind GM_ESTIMATE. Such a family has a loss, of any
 * unit, and neither flags nor log_prob, encode, decode, draw, base and code. velocity is asked at
 * every level from 0 on, whole or not. */
typedef struct gm_diffusion {
    uint32_t struct_size;
    int64_t (*levels)(gm_builder *b);
    /* The squared signal of levels 1 to `levels`, in (0, 1) and falling: Ho et al. 2020's
     * alpha-bar. */
    void (*schedule)(gm_builder *b, int64_t levels, double *squared_signal);
    /* (batch, width): signal * noise - sigma * row, as predicted. */
    gm_node *(*velocity)(gm_builder *b, const gm_noised *at);
} gm_diffusion;
/* For a loss: x with noise added, at levels 1 to `levels` drawn uniformly, row by row. *noise is
 * what was added. The family's schedule tells how much. at->struct_size must be set. */
GM_API void gm_noised_draw(gm_builder *b, gm_node *x, gm_noised *at, gm_node **noise);

/* ---- Laws: one column given others ----------------------------------------------------------- */

/* The distribution of one column of x for each of some rows, given what is known of the others. */
typedef struct gm_law {
    uint32_t struct_size;
    int32_t discrete; /* mass at values of the column; else a density */
    int64_t rows;
    void *state; /* what `at` reads */
    /* Of row i at a value v, in units of x (of a category its number): log density, or log mass;
     * and of a draw X the probabilities of X <= v and of X > v, each to full relative precision, so
     * that neither tail is lost. v may be any number but NaN. Pointers may be NULL. Thread-safe. */
    void (*at)(const struct gm_law *law, int64_t i, double v, double *logp, double *below,
               double *above);
    void (*free)(struct gm_law *law); /* frees the state; or NULL */
} gm_law;

/* How a family that builds graphs gives the law of each column: `raw` with `likelihood`, or `at`.
 * Columns are numbered as gm_builder_x_column has them: one that is several wide counts by the
 * first of its columns of x. */
typedef struct gm_conditionals {
    uint32_t struct_size;
    /* Fills order (one number for each column, that of its first column of x): each column's law is
     * known given those before it. Returns 1 if it is known given any others, then the order is
     * the one to prefer; -1 where a model of these options has no laws. */
    int32_t (*order)(gm_builder *b, int32_t *order);
    /* Parameters of every column's law given those that are known, as gm_likelihood_log_prob takes
     * them. known (batch, width) is 1 or 0; x (batch, width) is 0 where it is unknown. In a fixed
     * order the parameters of a column depend on those before it alone: x of later columns may be
     * anything, and known is 1. */
    gm_node *(*raw)(gm_builder *b, gm_node *x, gm_node *known);
    void (*likelihood)(gm_builder *b, gm_likelihood *l); /* what raw means; struct_size is set */
    /* In a fixed order, of real columns, in place of raw and likelihood: each column's law at its
     * own value given those before it. Each (batch, width); *logp the log density, *below and
     * *above as in gm_law. (An autoregressive flow: log |dz/dx| + log p(z), P(z), 1 - P(z).) */
    void (*at)(gm_builder *b, gm_node *x, gm_node **logp, gm_node **below, gm_node **above);
} gm_conditionals;

/* ---- Options: tables of rows ------------------------------------------------------------------
 */

/* A row of an options table; a row of zeros ends it. type is GM_INT to GM_SEED, stage a sum of
 * GM_STAGE_ values, initial the default as text, since the minor version that brought it, help a
 * line. All of it must outlive the context. range: INT and REAL "lo..hi", "lo..", "..hi",
 * an excluded end marked by a parenthesis "(0..1)"; CHOICE "a|b|c"; INTS the range of each; "" is
 * any. */
typedef struct gm_option_row {
    const char *name;
    int32_t stage, type;
    const char *initial, *range;
    int32_t since;
    const char *help;
} gm_option_row;

/* ---- Direct families: those that no graph fits ----------------------------------------------- */

/* A direct family learns from all rows at once, keeps named arrays of double, and answers the calls
 * by itself; everything runs in double. It sees the same x as other families do: the data after the
 * schema's transforms, one column each. Whole numbers come with noise added (its log p is then a
 * bound) unless it has GM_FAMILY_DISCRETE; categories come by number, with log p of them a
 * probability. It has options and flags, and none of the functions that build graphs.
 *
 * What a direct family may ask of the model that it serves: options by the names in its tables
 * (GM_CHOICE by int: the position in the row's range), and what x is. A name that is in no table
 * gives 0 or "". */
typedef struct gm_frame gm_frame;
GM_API int64_t gm_frame_int(const gm_frame *frame, const char *name);
GM_API double gm_frame_real(const gm_frame *frame, const char *name);
GM_API const char *gm_frame_text(const gm_frame *frame, const char *name);
/* Returns how many there are, and sets *values to them; they belong to the frame. */
GM_API int32_t gm_frame_ints(const gm_frame *frame, const char *name, const int64_t **values);
/* 1 if the user set it; in a fit that goes on from a model, for this fit. */
GM_API int32_t gm_frame_given(const gm_frame *frame, const char *name);
/* The seed of the fit, or of the call. */
GM_API uint64_t gm_frame_seed(const gm_frame *frame);
/* Columns of x. */
GM_API int64_t gm_frame_width(const gm_frame *frame);
/* What column j of x is, with column->struct_size set before; width is 1. low and high of real
 * columns are the range of the training data, infinite where columns were mixed by whitening. 0 if
 * there is none. */
GM_API int32_t gm_frame_x_column(const gm_frame *frame, int64_t j, gm_x_column *column);

/* Named arrays of double: what a direct family has learned, and what its file holds. */
typedef struct gm_tensors gm_tensors;
/* A new array of zeros, to be filled through *data, which belongs to t. name (not "transform") is
 * copied; the shape has up to 8 sizes. GM_E_ARG for a name that is there already, GM_E_RANGE,
 * GM_E_MEMORY. */
GM_API gm_status gm_tensors_add(gm_context *ctx, gm_tensors *t, const char *name, int32_t ndim,
                                const int64_t *shape, double **data);
/* The array of a name, all of it finite; NULL if there is none. *ndim and *shape (either may be
 * NULL) get what it is like. */
GM_API const double *gm_tensors_get(const gm_tensors *t, const char *name, int32_t *ndim,
                                    const int64_t **shape);

/* Rows to learn from: x (count, width), weight (count) of mean 1 or NULL where all weigh alike. */
typedef struct gm_direct_rows {
    uint32_t struct_size;
    int64_t count, width;
    const double *x;
    const double *weight;
} gm_direct_rows;

/* One piece of a call: rows [first, first + count). What is not asked for is NULL. */
typedef struct gm_direct_call {
    uint32_t struct_size;
    const gm_frame *call; /* the options of the call */
    int64_t first, count;
    uint64_t seed, step;   /* what is drawn for row i is a function of these and first + i */
    const double *x;       /* (count, width); of decode (count, code) */
    double *logp;          /* (count): -infinity where x has no density */
    double *lower, *upper; /* (count): between which log p surely lies, by the precision asked */
    double *gradient;      /* (count, width), of logp in the real columns of x */
    double *out;           /* (count, width) of sample and decode, (count, code) of encode */
    double temperature;    /* of sample: scales what is drawn, 1 as learned */
} gm_direct_call;

/* What a direct family does. fit, open and close it must have, and log_prob or sample. Long work
 * heeds the context's cancel token by gm_context_cancelled. Nothing may be kept of a call's
 * arguments but that the tensors given to open live as long as the state. */
typedef struct gm_direct {
    uint32_t struct_size;
    const gm_option_row *log_prob_options,
        *sample_options; /* of its own, of these calls; or NULL */
    /* Learns into `out`, which is empty. valid is NULL where no rows were kept; start is what a
     * model to go on from has learned, or NULL. */
    gm_status (*fit)(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *train,
                     const gm_direct_rows *valid, const gm_tensors *start, gm_tensors *out);
    /* Makes what answers, immutable and asked from many threads. The tensors may come from a
     * hostile file: GM_E_FORMAT for anything that fit does not make. */
    gm_status (*open)(gm_context *ctx, const gm_frame *frame, const gm_tensors *tensors,
                      void **state);
    void (*close)(void *state);
    gm_status (*log_prob)(gm_context *ctx, const void *state, const gm_direct_call *call);
    gm_status (*sample)(gm_context *ctx, const void *state, const gm_direct_call *call);
    int64_t (*code)(const void *state); /* columns of z; NULL: as x */
    gm_status (*encode)(gm_context *ctx, const void *state, const gm_direct_call *call);
    gm_status (*decode)(gm_context *ctx, const void *state, const gm_direct_call *call);
    /* The law of a column of each of n rows x (n, width) given the known ones (known (width), 0 or
     * 1), the rest integrated out. */
    gm_status (*law)(gm_context *ctx, const void *state, int64_t n, const double *x,
                     const unsigned char *known, int64_t column, gm_law *law);
    /* Rows x (count, width) of the call into out, what is not known (known (width), 0 or 1) drawn
     * given the rest: row i a function of its known cells, (seed, step) and row[i] >= 0. Where a
     * known value is impossible it counts as not known. NULL: column by column, by law. */
    gm_status (*complete)(gm_context *ctx, const void *state, const gm_direct_call *call,
                          const int64_t *row, const unsigned char *known);
} gm_direct;

/* For the functions of a direct family: sets the context's error text and returns code; and
 * GM_E_CANCELLED, with its text, once the cancel token was tripped. */
GM_API gm_status gm_context_fail(gm_context *ctx, gm_status code, const char *text);
GM_API gm_status gm_context_cancelled(gm_context *ctx);

/* ---- Sequences: rows drawn column by column -------------------------------------------------- */

/* Of families that sample a row piece by piece: the library runs `next` for steps 0, 1 ... on a row
 * that starts as zeros. Random nodes draw the same in every step. Such a family has no base. */
typedef struct gm_sequence {
    uint32_t struct_size;
    int64_t (*steps)(gm_builder *b); /* how many */
    /* (batch, width): x (batch, width) with what this step adds. step and temperature are scalars.
     */
    gm_node *(*next)(gm_builder *b, gm_node *x, gm_node *step, gm_node *temperature);
    /* 1: where the family's conditionals have one order, step k adds column k in it, drawn from
     * their likelihood after one random node of another kind. Then the library may compute what is
     * new in a step alone. */
    int32_t conditional;
} gm_sequence;

/* ---- Families: make a family of your own known ----------------------------------------------- */

/* Kinds of answer of log_prob. */
enum {
    GM_NO_LOG_PROB = 0, /* the family has none */
    GM_EXACT = 1,
    GM_LOWER_BOUND = 2, /* in expectation */
    GM_ESTIMATE = 3
};

/* Flags of a family, added up. */
enum {
    /* x holds discrete columns as they are (gm_builder_x_column): 0 and 1, whole numbers moved and
     * scaled, categories one-hot. Else they come as real ones: noise is added to whole numbers, and
     * categories go through an argmax surjection. */
    GM_FAMILY_DISCRETE = 1,
    /* loss is a bound on -log p in nats, so that fits report it in the user's units. */
    GM_FAMILY_NATS = 2,
    /* Circular columns are taken, as angles (GM_X_CIRCULAR); else they are refused by name. */
    GM_FAMILY_CIRCULAR = 4,
    /* Its graphs read gm_condition: it can be fitted with columns of the role CONDITION. */
    GM_FAMILY_CONDITIONS = 8,
    /* Of direct families: log_prob draws where there are categories, and gives a bound on log p in
     * expectation, the log of a weight whose expectation is p. */
    GM_FAMILY_DRAWS = 16
};

/* A family: functions that add to a graph. x is (batch, width): the data after the schema's
 * transforms, discrete columns as the flags say; log densities are in that space: the library
 * adds what the transforms did.
 *
 * Each function adds its part to a builder and returns the node that is wanted. Fitting needs loss
 * or log_prob, sampling base and decode, log densities log_prob, codes encode and decode; diffusion
 * stands for all of them but loss, direct for all. What a family does not have is NULL, and the
 * calls that need it answer GM_E_UNSUPPORTED. Functions may be called from several threads at once,
 * each with a builder of its own. */
typedef struct gm_family {
    uint32_t struct_size;
    int32_t version; /* of the family's parameters, kept in its files */
    const char *name;
    const char *summary;          /* one line */
    const gm_option_row *options; /* ended by a row of zeros; NULL: none */
    int32_t log_prob_kind;        /* GM_EXACT, GM_LOWER_BOUND, GM_ESTIMATE */
    int32_t phases;               /* players trained in turn; 0 and 1 are one */
    const char *const *players;   /* for each phase, what the names of its parameters begin with */
    int64_t (*code)(gm_builder *b); /* columns of z; NULL: as x */
    gm_node *(*loss)(gm_builder *b,
                     gm_node *x); /* (batch): minimised in the mean; NULL: -log_prob */
    gm_node *(*log_prob)(gm_builder *b, gm_node *x); /* (batch), WIDE */
    gm_node *(*encode)(gm_builder *b, gm_node *x);   /* (batch, code) */
    gm_node *(*decode)(gm_builder *b, gm_node *z);   /* (batch, width) */
    gm_node *(*base)(gm_builder *b); /* (batch, code): a draw of z; sample decodes it */
    int32_t flags;                   /* GM_FAMILY_ */
    /* (batch, width): a row drawn given its code, what sample gives; NULL: as decode. */
    gm_node *(*draw)(gm_builder *b, gm_node *z);
    const gm_diffusion *diffusion;       /* of families that take noise away */
    const gm_conditionals *conditionals; /* of families that know columns given others; or NULL */
    const gm_sequence *sequence;         /* of families that sample column by column; or NULL */
    const gm_direct *direct;             /* of families that no graph fits */
} gm_family;

/* Makes a family known in a context under its name. The table must outlive the context and every
 * model of the family. GM_E_ARG if it is incomplete or the name is taken, GM_E_STATE if the context
 * holds as many families as it can (64). */
GM_API gm_status gm_family_register(gm_context *ctx, const gm_family *family);

#ifdef __cplusplus
}
#endif
#endif
