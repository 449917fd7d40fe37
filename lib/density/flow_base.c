/* The base of a flow: the density of z, and draws from it. Angles are uniform on the circle. */
#include "density/flow_part.h"

static const double two_pi = 6.28318530717958647693, log_two_pi = 1.83787706640934548356;

enum { NORMAL, STUDENT, MIXTURE };

/* ---- Student-t ------------------------------------------------------------------------------- */

/* Degrees of freedom of each column, above 2 so that the variance is finite; 2 + e^3, about 22, at
 * the start. */
static gm_node *degrees(gm_builder *b, int64_t d)
{
    gm_node *raw = gm_param(b, "base.log_degrees", 1, &d, GM_INIT_ZEROS, 0);
    return gm_shift(b, gm_exp(b, gm_shift(b, raw, 3)), 2);
}

/* Student-t: log G((v+1)/2) - log G(v/2) - log(v pi)/2 - (v+1)/2 log(1 + z^2/v), summed over
 * columns. */
static gm_node *log_student(gm_builder *b, gm_node *z)
{
    const double log_pi = 1.14472988584940017414;
    gm_node *v = degrees(b, gm_node_dim(z, -1)), *half = gm_scale(b, gm_shift(b, v, 1), 0.5);
    gm_node *constant = gm_sub(b, gm_lgamma(b, half), gm_lgamma(b, gm_scale(b, v, 0.5)));
    constant = gm_sub(b, constant, gm_scale(b, gm_shift(b, gm_log(b, v), log_pi), 0.5));
    gm_node *squares = gm_square(b, gm_wide(b, z)); /* a float's square overflows */
    gm_node *tail = gm_mul(b, gm_wide(b, half), gm_log1p(b, gm_div(b, squares, gm_wide(b, v))));
    return gm_sum(b, gm_sub(b, gm_wide(b, constant), tail), -1, 0);
}

/* Student-t draws from two uniforms, v (u^(-2/v) - 1) being the squared radius (Bailey 1994). */
static gm_node *draw_student(gm_builder *b, int64_t d)
{
    int64_t shape[2] = {GM_BATCH, d};
    gm_node *v = degrees(b, d), *u = gm_uniform(b, 2, shape), *w = gm_uniform(b, 2, shape);
    gm_node *power = gm_expm1(b, gm_mul(b, gm_log(b, u), gm_div(b, gm_const(b, -2), v)));
    return gm_mul(b, gm_sqrt(b, gm_mul(b, v, power)), gm_cos(b, gm_scale(b, w, two_pi)));
}

/* ---- A mixture of normals -------------------------------------------------------------------- */

/* Weights (components), means and log deviations (components, d), of which the deviations are at
 * least e^-7. */
typedef struct mixture {
    gm_node *log_weight, *mean, *log_deviation;
} mixture;

static mixture mixture_of(gm_builder *b, int64_t d)
{
    int64_t shape[2] = {gm_opt_int(b, "components"), d};
    gm_node *raw = gm_param(b, "base.log_deviation", 2, shape, GM_INIT_ZEROS, 0);
    return (mixture){gm_log_softmax(b, gm_param(b, "base.weight", 1, shape, GM_INIT_ZEROS, 0)),
                     gm_param(b, "base.mean", 2, shape, GM_INIT_NORMAL, 1),
                     gm_max(b, raw, gm_const(b, -7))};
}

/* log sum over k of w_k N(z; mean_k, diag exp(2 log_deviation_k)). */
static gm_node *log_mixture(gm_builder *b, gm_node *z)
{
    int64_t d = gm_node_dim(z, -1), shape[3] = {GM_BATCH, 1, d};
    mixture m = mixture_of(b, d);
    gm_node *wide = gm_wide(b, gm_reshape(b, z, 3, shape)),
            *log_deviation = gm_wide(b, m.log_deviation);
    gm_node *e =
        gm_mul(b, gm_sub(b, wide, gm_wide(b, m.mean)), gm_exp(b, gm_neg(b, log_deviation)));
    gm_node *each = gm_scale(b, gm_sum(b, gm_square(b, e), -1, 0), -0.5); /* (batch, components) */
    gm_node *constant = gm_sub(b, gm_wide(b, m.log_weight), gm_sum(b, log_deviation, -1, 0));
    return gm_shift(b, gm_logsumexp(b, gm_add(b, each, constant)), -0.5 * log_two_pi * (double)d);
}

/* The component is the greatest of log weight - log(-log u): Gumbel 1954. */
static gm_node *draw_mixture(gm_builder *b, int64_t d)
{
    mixture m = mixture_of(b, d);
    int64_t shape[2] = {GM_BATCH, gm_node_dim(m.log_weight, -1)}, rows[2] = {GM_BATCH, d};
    gm_node *u = gm_uniform(b, 2, shape);
    gm_node *gumbel = gm_neg(b, gm_log(b, gm_neg(b, gm_log(b, u))));
    gm_node *k = gm_argmax_last(b, gm_add(b, gumbel, m.log_weight));
    gm_node *deviation = gm_exp(b, gm_gather(b, m.log_deviation, k));
    return gm_add(b, gm_gather(b, m.mean, k), gm_mul(b, deviation, gm_normal(b, 2, rows)));
}

/* ---- A column given those before it ---------------------------------------------------------- */

/* Of each component and column, wide (batch, components, d): how many deviations z lies above the
 * mean, and the log density. */
static gm_node *log_each(gm_builder *b, const mixture *m, gm_node *z, gm_node **e)
{
    int64_t shape[3] = {GM_BATCH, 1, gm_node_dim(z, -1)};
    gm_node *log_deviation = gm_wide(b, m->log_deviation);
    gm_node *away = gm_sub(b, gm_wide(b, gm_reshape(b, z, 3, shape)), gm_wide(b, m->mean));
    *e = gm_mul(b, away, gm_exp(b, gm_neg(b, log_deviation)));
    gm_node *log_normal = gm_shift(b, gm_scale(b, gm_square(b, *e), -0.5), -0.5 * log_two_pi);
    return gm_sub(b, log_normal, log_deviation);
}

/* (batch, components, d) with the components last. */
static gm_node *components_last(gm_builder *b, gm_node *x)
{
    return gm_permute(b, x, (const int32_t[]){0, 2, 1});
}

/* Components weighted by what the columns before say of them. */
static void mixture_laws(gm_builder *b, gm_node *z, gm_node **logp, gm_node **below,
                         gm_node **above)
{
    mixture m = mixture_of(b, gm_node_dim(z, -1));
    int64_t column[2] = {gm_node_dim(m.log_weight, -1), 1};
    gm_node *e, *each = log_each(b, &m, z, &e);
    gm_node *weight =
        gm_add(b, gm_cumsum(b, each, 0, 1), gm_reshape(b, gm_wide(b, m.log_weight), 2, column));
    weight = gm_log_softmax(b, components_last(b, weight)); /* (batch, d, components) */
    gm_node *share = gm_exp(b, weight);
    e = components_last(b, e);
    *logp = gm_logsumexp(b, gm_add(b, weight, components_last(b, each)));
    *below = gm_sum(b, gm_mul(b, share, gm_normal_cdf(b, e)), -1, 0);
    *above = gm_sum(b, gm_mul(b, share, gm_normal_cdf(b, gm_neg(b, e))), -1, 0);
}

int gm__flow_base_laws(const gm__flow_graph *f, gm_node *z, gm_node **logp, gm_node **below,
                       gm_node **above)
{
    gm_builder *b = f->b;
    int base = gm_opt_choice(b, "base");
    if (!z || base == STUDENT)
        return base != STUDENT;
    if (base == MIXTURE) {
        mixture_laws(b, z, logp, below, above);
        return 1;
    }
    z = gm_wide(b, z);
    *logp = gm_shift(b, gm_scale(b, gm_square(b, z), -0.5), -0.5 * log_two_pi);
    *below = gm_normal_cdf(b, z);
    *above = gm_normal_cdf(b, gm_neg(b, z));
    return 1;
}

/* ---- All columns ----------------------------------------------------------------------------- */

static gm_node *log_reals(gm_builder *b, gm_node *z)
{
    switch (gm_opt_choice(b, "base")) {
    case STUDENT:
        return log_student(b, z);
    case MIXTURE:
        return log_mixture(b, z);
    default:
        return gm_log_standard_normal(b, z);
    }
}

static gm_node *draw_reals(gm_builder *b, int64_t d)
{
    int64_t shape[2] = {GM_BATCH, d};
    switch (gm_opt_choice(b, "base")) {
    case STUDENT:
        return draw_student(b, d);
    case MIXTURE:
        return draw_mixture(b, d);
    default:
        return gm_normal(b, 2, shape);
    }
}

gm_node *gm__flow_log_base(const gm__flow_graph *f, gm_node *z)
{
    if (!f->circle)
        return log_reals(f->b, z);
    const unsigned char *circle = f->circle + f->layers * f->d;
    int64_t reals = gm__flow_columns(circle, f->d, 0, NULL);
    int32_t *index = gm__builder_scratch(f->b, f->d, sizeof *index);
    double uniform = -log_two_pi * (double)(f->d - reals);
    if (!index)
        return NULL;
    if (reals == 0) /* nothing of z but its rows */
        return gm_shift(f->b, gm_scale(f->b, gm_sum_last_wide(f->b, z), 0), uniform);
    gm__flow_columns(circle, f->d, 0, index);
    return gm_shift(f->b, log_reals(f->b, gm_take(f->b, z, reals, index)), uniform);
}

gm_node *gm__flow_draw_base(const gm__flow_graph *f)
{
    gm_builder *b = f->b;
    if (!f->circle)
        return draw_reals(b, f->d);
    const unsigned char *circle = f->circle + f->layers * f->d;
    int64_t reals = gm__flow_columns(circle, f->d, 0, NULL), shape[2] = {GM_BATCH, f->d - reals};
    int32_t *back = gm__builder_scratch(b, f->d, sizeof *back);
    for (int64_t j = 0, r = 0, a = reals; back && j < f->d; j++)
        back[j] = (int32_t)(circle[j] ? a++ : r++);
    gm_node *angles = gm_scale(b, gm_shift(b, gm_uniform(b, 2, shape), -0.5), two_pi);
    if (!back || reals == 0)
        return back ? angles : NULL;
    gm_node *both[2] = {draw_reals(b, reals), angles};
    return gm_take(b, gm_concat(b, 2, both, -1), f->d, back);
}
