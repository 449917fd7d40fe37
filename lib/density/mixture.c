/* The family `mixture`: Gaussian mixtures (McLachlan and Peel 2000), with tables of probabilities
 * for categories (latent classes), by EM. Code: the responsibilities of the components. */
#include "density/mixture.h"

#include <math.h>
#include <string.h>

static const gm_option_row options[] = {
    {"components", GM_STAGE_FIT, GM_INT, "auto", "1..4096|auto", 1,
     "how many normal components; auto tries 1, 2 ... and keeps the best by the criterion (of over "
     "20000 rows each is found on some of them first)"},
    {"max_components", GM_STAGE_FIT, GM_INT, "64", "1..4096", 1,
     "components=auto: the most that are tried"},
    {"criterion", GM_STAGE_FIT, GM_CHOICE, "bic", "bic|valid", 1,
     "components=auto: best by the Bayesian information criterion, or by the log density of the "
     "validation rows, or where there are none of a tenth of the rows"},
    {"covariance", GM_STAGE_FIT, GM_CHOICE, "full", "full|tied|diagonal|spherical", 1,
     "of the components: any, one for all, without correlation, or one variance in all columns"},
    {"restarts", GM_STAGE_FIT, GM_INT, "3", "1..1000", 1,
     "starts by k-means++, of which the best after a few iterations goes on"},
    {"iterations", GM_STAGE_FIT, GM_INT, "300", "1..1000000", 1, "most iterations of EM"},
    {"tolerance", GM_STAGE_FIT, GM_REAL, "1e-5", "0..", 1,
     "EM ends when the mean log density gains less, in nats"},
    {"floor", GM_STAGE_FIT, GM_REAL, "0.001", "(0..1", 1,
     "least deviation of a component in any direction, as a share of the data's own"},
    {"prior", GM_STAGE_FIT, GM_REAL, "1", "(0..", 1,
     "rows' worth of the overall frequencies that each component's categories start from"},
    {0}};

/* ---- Shape ----------------------------------------------------------------------------------- */

#define MOST_TABLES 65536

/* Reals first, as x has them. categories has room for all columns. */
static gm_status read_shape(gm_context *ctx, const gm_frame *frame, gm__mixture_shape *s,
                            int64_t *categories)
{
    *s = (gm__mixture_shape){.covariance = (int32_t)gm_frame_int(frame, "covariance"),
                             .categories = categories};
    for (int64_t j = 0; j < gm_frame_width(frame); j++) {
        gm_x_column c = {.struct_size = sizeof c};
        gm_frame_x_column(frame, j, &c);
        if (c.kind != GM_X_CATEGORY) {
            s->reals++;
            continue;
        }
        categories[s->tables++] = (int64_t)c.high + 1;
        s->total += (int64_t)c.high + 1;
    }
    return s->tables <= MOST_TABLES
               ? GM_OK
               : gm__fail(ctx, GM_E_UNSUPPORTED, "mixture: %lld columns of categories, at most %d",
                          (long long)s->tables, MOST_TABLES);
}

static gm_status with_shape(gm_context *ctx, const gm_frame *frame, gm__arena *arena,
                            gm__mixture_shape *s)
{
    int64_t *categories = gm__arena_array(arena, gm_frame_width(frame) + 1, sizeof *categories);
    return categories ? read_shape(ctx, frame, s, categories) : gm__no_memory(ctx);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static const char *const factor_names[] = {"factor", "factor", "deviation", "deviation"};

/* The shape of the factors; returns how many sizes. */
static int32_t factor_shape(const gm__mixture_shape *s, int64_t k, int64_t shape[3])
{
    int tied = s->covariance == GM__TIED;
    shape[0] = tied ? s->reals : k;
    shape[1] = shape[2] = s->reals;
    return s->covariance == GM__FULL ? 3 : s->covariance == GM__SPHERICAL ? 1 : 2;
}

static gm_status put(gm_context *ctx, gm_tensors *out, const char *name, int32_t ndim,
                     const int64_t *shape, const double *from)
{
    double *to;
    int64_t count = 1;
    GM_TRY(gm_tensors_add(ctx, out, name, ndim, shape, &to));
    for (int32_t i = 0; i < ndim; i++)
        count *= shape[i];
    if (count)
        memcpy(to, from, (size_t)count * sizeof *to);
    return GM_OK;
}

static gm_status put_mixture(gm_context *ctx, gm_tensors *out, const gm__mixture *m)
{
    const gm__mixture_shape *s = &m->shape;
    int64_t k = m->components, means[2] = {k, s->reals}, tables[2] = {k, s->total}, factors[3];
    int32_t ndim = factor_shape(s, k, factors);
    GM_TRY(put(ctx, out, "weight", 1, &k, m->weight));
    GM_TRY(put(ctx, out, "mean", 2, means, m->mean));
    GM_TRY(put(ctx, out, factor_names[s->covariance], ndim, factors, m->factor));
    return s->total ? put(ctx, out, "table", 2, tables, m->table) : GM_OK;
}

/* The numbers of an array of exactly this shape. */
static gm_status get(gm_context *ctx, const gm_tensors *t, const char *name, int32_t ndim,
                     const int64_t *shape, double *to)
{
    int32_t has;
    const int64_t *sizes;
    const double *from = gm_tensors_get(t, name, &has, &sizes);
    int64_t count = 1;
    int fits = from && has == ndim;
    for (int32_t i = 0; fits && i < ndim; i++) {
        fits = sizes[i] == shape[i];
        count *= shape[i];
    }
    if (!fits)
        return gm__fail(ctx, GM_E_FORMAT,
                        "mixture: '%s' is missing, or not of the shape of its columns and options",
                        name);
    if (count)
        memcpy(to, from, (size_t)count * sizeof *to);
    return GM_OK;
}

/* Probabilities: none negative, of a sum of 1. */
static int is_distribution(const double *p, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(p[i] >= 0))
            return 0;
        sum += p[i];
    }
    return sum > 1 - 1e-6 && sum < 1 + 1e-6;
}

static int is_sound(const gm__mixture *m)
{
    const gm__mixture_shape *s = &m->shape;
    int64_t r = s->reals, whole = s->covariance <= GM__TIED;
    if (!is_distribution(m->weight, m->components))
        return 0;
    for (int64_t i = 0; i < gm__mixture_factor_count(s, m->components); i++) {
        int64_t row = i / (r ? r : 1) % (r ? r : 1), column = i % (r ? r : 1);
        if ((!whole || row == column) && !(m->factor[i] > 0))
            return 0;
        if (whole && row < column && m->factor[i] != 0)
            return 0;
    }
    const double *table = m->table;
    for (int64_t k = 0; k < m->components; k++)
        for (int64_t j = 0; j < s->tables; table += s->categories[j], j++)
            if (!is_distribution(table, s->categories[j]))
                return 0;
    return 1;
}

static gm_status read_mixture(gm_context *ctx, const gm_tensors *t, gm__mixture *m)
{
    const gm__mixture_shape *s = &m->shape;
    int64_t k = m->components, means[2] = {k, s->reals}, tables[2] = {k, s->total}, factors[3];
    int32_t ndim = factor_shape(s, k, factors);
    GM_TRY(get(ctx, t, "weight", 1, &k, m->weight));
    GM_TRY(get(ctx, t, "mean", 2, means, m->mean));
    GM_TRY(get(ctx, t, factor_names[s->covariance], ndim, factors, m->factor));
    if (s->total)
        GM_TRY(get(ctx, t, "table", 2, tables, m->table));
    if (!is_sound(m) || gm__mixture_prepare(m))
        return gm__fail(ctx, GM_E_FORMAT,
                        "mixture: its weights, tables or covariances are none that a fit makes");
    return GM_OK;
}

/* How many components the tensors hold; at most as many as they can justify. */
static gm_status count_components(gm_context *ctx, const gm_tensors *t, const gm__mixture_shape *s,
                                  int64_t *components)
{
    int32_t ndim, ndim_mean;
    const int64_t *shape, *mean;
    const double *weight = gm_tensors_get(t, "weight", &ndim, &shape);
    const double *means = gm_tensors_get(t, "mean", &ndim_mean, &mean);
    int32_t ndim_table;
    const int64_t *table;
    const double *tables = gm_tensors_get(t, "table", &ndim_table, &table);
    if (!weight || ndim != 1 || shape[0] < 1 || shape[0] > 4096 || !means || ndim_mean != 2 ||
        mean[0] != shape[0] || mean[1] != s->reals ||
        (s->total && (!tables || ndim_table != 2 || table[0] != shape[0] || table[1] != s->total)))
        return gm__fail(ctx, GM_E_FORMAT,
                        "mixture: its weights, means and tables do not fit together");
    *components = shape[0];
    return GM_OK;
}

static gm_status open_mixture(gm_context *ctx, const gm_frame *frame, const gm_tensors *t,
                              gm__mixture **out)
{
    gm__arena arena = {.allocator = ctx->allocator};
    gm__mixture_shape shape;
    gm__mixture *m = NULL;
    int64_t components = 0;
    gm_status code = with_shape(ctx, frame, &arena, &shape);
    if (!code)
        code = count_components(ctx, t, &shape, &components);
    if (!code && shape.covariance == GM__FULL) { /* before room is made for the factors */
        int32_t ndim;
        const int64_t *sizes;
        if (!gm_tensors_get(t, "factor", &ndim, &sizes) || ndim != 3 || sizes[0] != components ||
            sizes[1] != shape.reals || sizes[2] != shape.reals)
            code = gm__fail(ctx, GM_E_FORMAT, "mixture: 'factor' is of another shape");
    }
    if (!code)
        code = gm__mixture_create(ctx, &shape, components, &m);
    if (!code)
        code = read_mixture(ctx, t, m);
    gm__arena_clear(&arena);
    if (code)
        gm__mixture_free(m);
    else
        *out = m;
    return code;
}

static gm_status open(gm_context *ctx, const gm_frame *frame, const gm_tensors *t, void **state)
{
    gm__mixture *m;
    GM_TRY(open_mixture(ctx, frame, t, &m));
    *state = m;
    return GM_OK;
}

static void close(void *state)
{
    gm__mixture_free(state);
}

/* ---- Fit ------------------------------------------------------------------------------------- */

static gm__mixture_plan read_plan(const gm_frame *frame)
{
    int64_t components = gm_frame_int(frame, "components");
    return (gm__mixture_plan){.components = components > 0 ? components : 0,
                              .most = gm_frame_int(frame, "max_components"),
                              .by_valid = gm_frame_int(frame, "criterion") == 1 && components <= 0,
                              .restarts = gm_frame_int(frame, "restarts"),
                              .iterations = gm_frame_int(frame, "iterations"),
                              .tolerance = gm_frame_real(frame, "tolerance"),
                              .floor = gm_frame_real(frame, "floor"),
                              .prior = gm_frame_real(frame, "prior"),
                              .seed = gm_frame_seed(frame)};
}

/* Whole numbers are spread evenly over their steps, which by itself is a variance of step^2 / 12.
 * Among few rows chance has less, down to none: half of it is the least of a component. */
static gm_status read_least(gm_context *ctx, const gm_frame *frame, int64_t reals, gm__arena *arena,
                            gm__mixture_plan *plan)
{
    double *least = gm__arena_array(arena, reals + 1, sizeof *least);
    if (!least)
        return gm__no_memory(ctx);
    for (int64_t j = 0, at = 0; j < gm_frame_width(frame); j++) {
        gm_x_column c = {.struct_size = sizeof c};
        gm_frame_x_column(frame, j, &c);
        if (c.kind == GM_X_CATEGORY)
            continue;
        least[at++] = c.kind == GM_X_REAL ? c.step * c.step / 24 : 0;
    }
    plan->least = least;
    return GM_OK;
}

static gm_status fit(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *train,
                     const gm_direct_rows *valid, const gm_tensors *start, gm_tensors *out)
{
    gm__mixture_plan plan = read_plan(frame);
    gm__mixture_shape shape;
    gm__mixture *from = NULL, *m = NULL;
    gm__arena arena = {.allocator = ctx->allocator};
    gm_status code = with_shape(ctx, frame, &arena, &shape);
    if (!code)
        code = read_least(ctx, frame, shape.reals, &arena, &plan);
    if (!code && start)
        code = open_mixture(ctx, frame, start, &from);
    if (from && plan.components && gm_frame_given(frame, "components") &&
        plan.components != from->components)
        code = gm__fail(ctx, GM_E_STAGE,
                        "mixture: option 'components' is %lld, but the model to go on from has "
                        "%lld, which cannot change: leave the option out, or fit anew",
                        (long long)plan.components, (long long)from->components);
    if (!code)
        code = gm__mixture_learn(ctx, &plan, &shape, train, valid, from, &m);
    if (!code)
        code = put_mixture(ctx, out, m);
    gm__mixture_free(m);
    gm__mixture_free(from);
    gm__arena_clear(&arena);
    return code;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* Work on the rows of a call, shared between threads by blocks. */
typedef struct gm__asked {
    const gm__mixture *m;
    const gm_direct_call *call;
    double *scratch;
    size_t size; /* of a part, in doubles */
    int64_t block, parts, first, end;
    int codes; /* shares are the answer */
} gm__asked;

static void answer_block(const gm__asked *a, int64_t i, int64_t n, double *terms)
{
    const gm__mixture *m = a->m;
    const gm_direct_call *c = a->call;
    const gm__reductions *reduce = m->kernels->reductions;
    int64_t k = m->components, d = m->shape.reals + m->shape.tables;
    double *share = a->codes ? c->out + i * k : terms, *scratch = terms + a->block * k;
    gm__mixture_terms(m, c->x + i * d, d, n, terms, scratch);
    if (c->logp) {
        reduce->logsumexp[GM__F64](c->logp + i, terms, n, k);
        if (c->lower)
            memcpy(c->lower + i, c->logp + i, (size_t)n * sizeof *c->lower);
        if (c->upper)
            memcpy(c->upper + i, c->logp + i, (size_t)n * sizeof *c->upper);
    }
    if (!a->codes && !c->gradient)
        return;
    reduce->softmax[GM__F64](share, terms, n, k);
    if (!c->gradient)
        return;
    gm__mixture_gradient(m, share, n, c->gradient + i * d, d, scratch);
    for (int64_t row = i; row < i + n; row++)
        memset(c->gradient + row * d + m->shape.reals, 0,
               (size_t)m->shape.tables * sizeof *c->gradient);
}

static void answer_part(void *arg, int32_t part)
{
    const gm__asked *a = arg;
    double *terms = a->scratch + (size_t)part * a->size;
    for (int64_t i = a->first + part * a->block; i < a->end; i += a->parts * a->block)
        answer_block(a, i, a->end - i < a->block ? a->end - i : a->block, terms);
}

static gm_status answer(gm_context *ctx, const gm__mixture *m, const gm_direct_call *c, int codes)
{
    int64_t block = gm__mixture_block(m), blocks = (c->count + block - 1) / block;
    gm__asked a = {.m = m, .call = c, .block = block, .codes = codes};
    a.parts = ctx->team.parts < blocks ? ctx->team.parts : blocks;
    a.parts = a.parts > 0 ? a.parts : 1;
    a.size = ((size_t)(block * m->components) + gm__mixture_scratch(m) + 15) / 8 * 8;
    a.scratch = gm__alloc_array(&ctx->allocator, a.parts, a.size * sizeof(double));
    gm_status code = a.scratch ? GM_OK : gm__no_memory(ctx);
    int64_t slab = a.parts * block * 16;
    for (a.first = 0; a.first < c->count && !code; a.first += slab) {
        a.end = c->count - a.first < slab ? c->count : a.first + slab;
        code = gm__check_cancel(ctx);
        if (!code)
            gm__team_run(&ctx->team, (int32_t)a.parts, answer_part, &a);
    }
    gm__free(&ctx->allocator, a.scratch, a.scratch ? (size_t)a.parts * a.size * sizeof(double) : 0);
    return code;
}

static gm_status log_prob(gm_context *ctx, const void *state, const gm_direct_call *c)
{
    return answer(ctx, state, c, 0);
}

static gm_status encode(gm_context *ctx, const void *state, const gm_direct_call *c)
{
    return answer(ctx, state, c, 1);
}

static int64_t code_count(const void *state)
{
    return ((const gm__mixture *)state)->components;
}

static gm_status sample(gm_context *ctx, const void *state, const gm_direct_call *c)
{
    const gm__mixture *m = state;
    return gm__mixture_draw(ctx, m, c->seed, c->step, c->first, c->count, c->temperature, c->out,
                            m->shape.reals + m->shape.tables);
}

static gm_status law(gm_context *ctx, const void *state, int64_t n, const double *x,
                     const unsigned char *known, int64_t column, gm_law *law)
{
    return gm__mixture_law(ctx, state, n, x, known, column, law);
}

static const gm_direct direct = {.struct_size = sizeof direct,
                                 .fit = fit,
                                 .open = open,
                                 .close = close,
                                 .log_prob = log_prob,
                                 .sample = sample,
                                 .code = code_count,
                                 .encode = encode,
                                 .law = law};

const gm_family gm__mixture_family = {.struct_size = sizeof gm__mixture_family,
                                      .version = 1,
                                      .name = "mixture",
                                      .summary = "mixture of normal distributions, by EM",
                                      .options = options,
                                      .log_prob_kind = GM_EXACT,
                                      .direct = &direct};
