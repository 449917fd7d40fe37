/* Observation models of many modes: tables, a probability for each level of a whole number, and
 * mixtures of normals and of discretised logistics:
 *
 *     log p(x) = log sum_k exp(log w_k + log p_k(x)),    w = softmax of logits
 *
 * (Bishop 1994; Salimans et al. 2017, section 2.1). Parameters of n columns of K components are
 * (batch, n, K). Where all logits and means are zero the components would stay one: their means
 * start apart, within 1.5 deviations. */
#include "nn/likelihood.h"

/* ---- Mixtures -------------------------------------------------------------------------------- */

/* Logits of the weights, means and deviations: (batch, count, components). */
typedef struct mixture {
    gm_node *logits, *mean, *deviation;
} mixture;

/* Part number p, of three, of a kind's parameters. */
static gm_node *part(gm_builder *b, const gm__observed *o, int kind, gm_node *raw, int p)
{
    int64_t size = o->count[kind] * o->components;
    int64_t shape[3] = {GM_BATCH, o->count[kind], o->components};
    return gm_reshape(b, gm_slice(b, raw, -1, o->first[kind] + p * size, size), 3, shape);
}

/* A value for each column: (count, 1). */
static gm_node *of_columns(gm_builder *b, const gm__observed *o, int kind, const double *value)
{
    int64_t shape[2] = {o->count[kind], 1};
    return gm_const_array(b, 2, shape, value);
}

static gm_node *starts(gm_builder *b, const gm__observed *o)
{
    int64_t k = o->components;
    double *start = gm__builder_scratch(b, k, sizeof *start);
    for (int64_t i = 0; start && i < k; i++)
        start[i] = o->l->deviation * (3 * ((double)i + 0.5) / (double)k - 1.5);
    return start ? gm_const_array(b, 1, &k, start) : NULL;
}

static mixture mixture_of(gm_builder *b, const gm__observed *o, int kind, gm_node *raw)
{
    mixture m = {.logits = part(b, o, kind, raw, 0)};
    gm_node *r = gm__within(b, part(b, o, kind, raw, 2), GM__MOST_LOG), *grown = gm_exp(b, r);
    m.mean = gm_add(b, part(b, o, kind, raw, 1), starts(b, o));
    if (kind == MIXTURES) {
        double begin = o->l->deviation;
        m.deviation = gm_shift(b, gm_scale(b, grown, begin), 1e-3 * begin);
    } else {
        int64_t at = o->start[kind];
        gm_node *begin = of_columns(b, o, kind, o->begin + at);
        m.deviation = gm_add(b, gm_mul(b, grown, begin), of_columns(b, o, kind, o->floor + at));
    }
    return m;
}

void gm__mixture(gm_builder *b, const gm__observed *o, int kind, gm_node *raw, gm_node *parts[3])
{
    mixture m = mixture_of(b, o, kind, raw);
    parts[0] = m.logits;
    parts[1] = m.mean;
    parts[2] = m.deviation;
}

/* x's columns of a kind: (batch, count, 1). */
static gm_node *beside(gm_builder *b, const gm__observed *o, int kind, gm_node *x)
{
    int64_t shape[3] = {GM_BATCH, o->count[kind], 1};
    return gm_reshape(b, gm__x_of(b, o, x, kind), 3, shape);
}

static gm_node *log_normals(gm_builder *b, const mixture *m, gm_node *x)
{
    gm_node *away = gm_mul(b, gm_sub(b, x, m->mean), gm_recip(b, m->deviation));
    gm_node *half = gm_scale(b, gm_square(b, gm__within(b, away, GM__FARTHEST)), -0.5);
    return gm_shift(b, gm_sub(b, half, gm_log(b, m->deviation)), -GM__HALF_LOG_TWO_PI);
}

static gm_node *log_logistics(gm_builder *b, const gm__observed *o, const mixture *m, gm_node *x)
{
    double *low, *high;
    gm__level_ends(b, o, LOGISTICS, &low, &high);
    if (!low)
        return NULL;
    return gm__log_level(b, x, m->mean, m->deviation, of_columns(b, o, LOGISTICS, low),
                         of_columns(b, o, LOGISTICS, high),
                         of_columns(b, o, LOGISTICS, o->step + o->start[LOGISTICS]));
}

static gm_node *log_mixture(gm_builder *b, const gm__observed *o, int kind, gm_node *raw,
                            gm_node *all)
{
    mixture m = mixture_of(b, o, kind, raw);
    gm_node *x = beside(b, o, kind, all);
    gm_node *each = kind == MIXTURES ? log_normals(b, &m, x) : log_logistics(b, o, &m, x);
    gm_node *joint = gm_add(b, gm_log_softmax(b, m.logits), each);
    return gm__sum_asked(b, o, kind, gm_logsumexp(b, joint));
}

static gm_node *draw_mixture(gm_builder *b, const gm__observed *o, int kind, gm_node *raw,
                             gm_node *temperature)
{
    mixture m = mixture_of(b, o, kind, raw);
    gm_node *noisy = gm_add(b, m.logits, gm__gumbel_like(b, m.logits, temperature));
    gm_node *index = gm_argmax_last(b, noisy);
    gm_node *mean = gm_pick(b, m.mean, index), *spread = gm_pick(b, m.deviation, index);
    if (kind == MIXTURES) {
        gm_node *noise = gm_normal_like(b, mean);
        if (temperature)
            noise = gm_mul(b, noise, temperature);
        return gm_add(b, mean, gm_mul(b, spread, noise));
    }
    int64_t n = o->count[kind], at = o->start[kind];
    gm_node *noise = gm__logistic_like(b, mean, temperature);
    gm_node *v = gm_add(b, mean, gm_mul(b, gm_scale(b, spread, GM__LOGISTIC), noise));
    return gm__to_level(b, v, gm_const_array(b, 1, &n, o->low + at),
                        gm_const_array(b, 1, &n, o->high + at),
                        gm_const_array(b, 1, &n, o->step + at));
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Columns one after another with as many levels each: `count` of them from `from` among those of
 * the kind, their logits from `at` on in raw. */
typedef struct run {
    int64_t from, count, levels, at;
} run;

/* The run after r; 0 past the last. */
static int next_run(const gm__observed *o, run *r)
{
    const gm_x_column *column = o->column + o->start[TABLES];
    int64_t n = o->count[TABLES];
    r->at = r->count ? r->at + r->count * r->levels : o->first[TABLES];
    r->from += r->count;
    if (r->from >= n)
        return 0;
    r->levels = gm__level_count(&column[r->from]);
    for (r->count = 1; r->from + r->count < n; r->count++)
        if (gm__level_count(&column[r->from + r->count]) != r->levels)
            break;
    return 1;
}

/* (batch, count, levels) */
static gm_node *logits_of(gm_builder *b, const run *r, gm_node *raw)
{
    int64_t shape[3] = {GM_BATCH, r->count, r->levels};
    return gm_reshape(b, gm_slice(b, raw, -1, r->at, r->count * r->levels), 3, shape);
}

static const double *of_run(const gm__observed *o, const run *r, const double *value)
{
    return value + o->start[TABLES] + r->from;
}

/* The number of the level that x (batch, count) is at, or nearest to. */
static gm_node *level_of(gm_builder *b, const gm__observed *o, const run *r, gm_node *x)
{
    gm_node *low = gm_const_array(b, 1, &r->count, of_run(o, r, o->low));
    gm_node *step = gm_const_array(b, 1, &r->count, of_run(o, r, o->step));
    gm_node *level = gm_round(b, gm_div(b, gm_sub(b, x, low), step));
    level = gm_min(b, gm_max(b, level, gm_const(b, 0)), gm_const(b, (double)(r->levels - 1)));
    return gm_index(b, level);
}

static gm_node *level_value(gm_builder *b, const gm__observed *o, const run *r, gm_node *level)
{
    gm_node *low = gm_const_array(b, 1, &r->count, of_run(o, r, o->low));
    gm_node *step = gm_const_array(b, 1, &r->count, of_run(o, r, o->step));
    return gm_add(b, low, gm_mul(b, step, level));
}

static gm_node *log_table(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *all)
{
    gm_node *x = gm__x_of(b, o, all, TABLES), *sum = NULL;
    for (run r = {0}; next_run(o, &r);) {
        gm_node *level = level_of(b, o, &r, gm_slice(b, x, -1, r.from, r.count));
        gm_node *log_p = gm_pick(b, gm_log_softmax(b, logits_of(b, &r, raw)), level);
        if (o->asked)
            log_p = gm_mul(b, log_p,
                           gm_slice(b, gm__x_of(b, o, o->asked, TABLES), -1, r.from, r.count));
        gm_node *term = gm_sum_last_wide(b, log_p);
        sum = sum ? gm_add(b, sum, term) : term;
    }
    return sum;
}

static gm_node *mean_level(gm_builder *b, const run *r, gm_node *logits)
{
    double *number = gm__builder_scratch(b, r->levels, sizeof *number);
    for (int64_t i = 0; number && i < r->levels; i++)
        number[i] = (double)i;
    if (!number)
        return NULL;
    gm_node *numbers = gm_const_array(b, 1, &r->levels, number);
    return gm_sum(b, gm_mul(b, gm_softmax(b, logits), numbers), -1, 0);
}

/* (batch, count of the kind): means, or draws. */
static gm_node *tables(gm_builder *b, const gm__observed *o, gm_node *raw, int draw,
                       gm_node *temperature)
{
    gm_node **parts = gm__builder_scratch(b, o->count[TABLES], sizeof *parts);
    int32_t count = 0;
    if (!parts)
        return NULL;
    for (run r = {0}; next_run(o, &r);) {
        gm_node *logits = logits_of(b, &r, raw), *level;
        if (draw) {
            gm_node *noise = gm__gumbel_like(b, logits, temperature);
            level = gm_narrow(b, gm_argmax_last(b, gm_add(b, logits, noise)));
        } else
            level = mean_level(b, &r, logits);
        parts[count++] = level_value(b, o, &r, level);
    }
    return count == 1 ? parts[0] : gm_concat(b, count, parts, -1);
}

/* ---- By kind --------------------------------------------------------------------------------- */

gm_node *gm__many_log_prob(gm_builder *b, const gm__observed *o, int kind, gm_node *raw, gm_node *x)
{
    return kind == TABLES ? log_table(b, o, raw, x) : log_mixture(b, o, kind, raw, x);
}

gm_node *gm__many_mean(gm_builder *b, const gm__observed *o, int kind, gm_node *raw)
{
    if (kind == TABLES)
        return tables(b, o, raw, 0, NULL);
    mixture m = mixture_of(b, o, kind, raw);
    return gm_sum(b, gm_mul(b, gm_softmax(b, m.logits), m.mean), -1, 0);
}

gm_node *gm__many_draw(gm_builder *b, const gm__observed *o, int kind, gm_node *raw,
                       gm_node *temperature)
{
    return kind == TABLES ? tables(b, o, raw, 1, temperature)
                          : draw_mixture(b, o, kind, raw, temperature);
}
