/* Discrete columns on their way to a family. One that takes them as they are gets categories
 * one-hot (whole numbers and binary columns are real outputs of the transform). The others get real
 * ones: an argmax surjection with a learned inverse (Hoogeboom et al. 2021, section 3).
 *
 * A category k of K becomes v in R^K with v_k the greatest: u ~ N(mean_k, deviation_k), v_k = u_k,
 * and v_i = u_k - softplus(u_k - u_i). Two categories need one column, whose sign tells them apart:
 * v = +-softplus(u). log P(k) >= E_q[log p(v) - log q(v | k)], equation 3 there; log q is that of u
 * less the log |det dv/du|. */
#include "model/model.h"

typedef struct gm__index_name {
    char text[32];
} gm__index_name;

static gm__index_name name_of(const char *format, int64_t i)
{
    gm__index_name n;
    gm__format(n.text, sizeof n.text, "%s.%lld", format, (long long)i);
    return n;
}

int64_t gm__front_width(const gm__structure *s, int64_t i)
{
    int64_t categories = gm__transform_categories(s->transform, i);
    return s->family->direct || (categories <= 2 && !s->discrete) ? 1 : categories;
}

/* The index input, widened to width columns of u; *log_q gets log N(u), summed (batch, WIDE). */
static gm_node *draw_u(gm_builder *b, int64_t i, int64_t rows, int64_t width, gm_node *index,
                       gm__front_mode mode, gm_node **log_q)
{
    const double half_log_two_pi = 0.91893853320467274178;
    int64_t shape[2] = {rows, width};
    char name[64];
    gm__format(name, sizeof name, "column.%lld.mean", (long long)i);
    gm_node *mean = gm_gather(b, gm_param(b, name, 2, shape, GM_INIT_ZEROS, 0), index);
    gm__format(name, sizeof name, "column.%lld.log_deviation", (long long)i);
    gm_node *log_deviation = gm_gather(b, gm_param(b, name, 2, shape, GM_INIT_ZEROS, 0), index);
    if (mode == GM__FRONT_MIDDLE)
        return mean;
    gm_node *noise = gm_normal_like(b, mean);
    gm_node *log_density = gm_sub(b, gm_scale(b, gm_square(b, noise), -0.5), log_deviation);
    *log_q = gm_sum_last_wide(b, gm_shift(b, log_density, -half_log_two_pi));
    return gm_add(b, mean, gm_mul(b, gm_exp(b, log_deviation), noise));
}

/* v = +-softplus(u): dv/du = sigmoid(u). */
static gm_node *two_categories(gm_builder *b, int64_t i, gm_node *index, gm__front_mode mode,
                               gm_node **log_q)
{
    const int64_t column[2] = {GM_BATCH, 1};
    gm_node *u = draw_u(b, i, 2, 1, index, mode, log_q);
    gm_node *sign = gm_reshape(b, gm_shift(b, gm_scale(b, gm_narrow(b, index), 2), -1), 2, column);
    if (mode == GM__FRONT_DRAW)
        *log_q = gm_sub(b, *log_q, gm_sum_last_wide(b, gm_log_sigmoid(b, u)));
    return gm_mul(b, sign, gm_softplus(b, u));
}

/* v_i = u_k - softplus(u_k - u_i) for i != k: dv_i/du_i = sigmoid(u_k - u_i). */
static gm_node *many_categories(gm_builder *b, int64_t i, int64_t count, gm_node *index,
                                gm__front_mode mode, gm_node **log_q)
{
    const int64_t column[2] = {GM_BATCH, 1};
    gm_node *u = draw_u(b, i, count, count, index, mode, log_q);
    gm_node *top = gm_reshape(b, gm_pick(b, u, index), 2, column),
            *chosen = gm_one_hot(b, index, count);
    gm_node *gap = gm_sub(b, top, u);
    if (mode == GM__FRONT_DRAW) {
        gm_node *log_slope = gm_mul(b, gm_one_minus(b, chosen), gm_log_sigmoid(b, gap));
        *log_q = gm_sub(b, *log_q, gm_sum_last_wide(b, log_slope));
    }
    return gm_where(b, chosen, u, gm_sub(b, top, gm_softplus(b, gap)));
}

static gm_node *as_real(gm_builder *b, int64_t i, int64_t categories, gm_node *index,
                        gm__front_mode mode, gm_node **log_q)
{
    gm_node *term = NULL;
    gm_node *v = categories <= 2 ? two_categories(b, i, index, mode, &term)
                                 : many_categories(b, i, categories, index, mode, &term);
    if (term)
        *log_q = *log_q ? gm_add(b, *log_q, term) : term;
    return v;
}

gm_node *gm__front(gm_builder *b, const gm__structure *s, gm__front_mode mode,
                   gm_node **log_density, gm_node **reals)
{
    int64_t shape[2] = {GM_BATCH, s->reals}, batch = GM_BATCH;
    gm_node **parts = gm__builder_scratch(b, s->indices + 1, sizeof *parts), *log_q = NULL;
    int32_t count = 0;
    *reals = s->reals ? gm_input(b, "x", GM_REAL_NODE, 2, shape) : NULL;
    *log_density = NULL;
    if (!parts)
        return NULL;
    if (*reals)
        parts[count++] = *reals;
    for (int64_t i = 0; i < s->indices; i++) {
        int64_t categories = gm__transform_categories(s->transform, i);
        gm_node *index = gm_input(b, name_of("index", i).text, GM_INDEX_NODE, 1, &batch);
        parts[count++] = s->discrete ? gm_one_hot(b, index, categories)
                                     : as_real(b, i, categories, index, mode, &log_q);
    }
    if (log_q)
        *log_density = gm_neg(b, log_q);
    return count == 1 ? parts[0] : gm_concat(b, count, parts, -1);
}

static int32_t greatest(const double *v, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return (int32_t)best;
}

void gm__front_back(const gm__structure *s, const double *x, int64_t n, double *reals,
                    int32_t *index)
{
    for (int64_t row = 0; row < n; row++, x += s->width) {
        for (int64_t j = 0; j < s->reals; j++)
            reals[row * s->reals + j] = x[j];
        int64_t at = s->reals;
        for (int64_t i = 0; i < s->indices; i++) {
            int64_t categories = gm__transform_categories(s->transform, i);
            int64_t width = gm__front_width(s, i);
            index[row * s->indices + i] = categories == 1 ? 0
                                          : width == 1    ? x[at] > 0
                                                          : greatest(x + at, categories);
            at += width;
        }
    }
}

int gm__plan_index_input(const gm__plan *plan, int64_t i)
{
    return gm__plan_input(plan, name_of("index", i).text);
}
