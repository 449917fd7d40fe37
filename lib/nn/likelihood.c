/* Observation models: p(x | raw) of columns that measure and of columns that count; those with
 * several components, and tables, are likelihood_many.c's.
 *
 * What raw holds is in likelihood.h. A deviation is
 *
 *     floor + start exp(r),    r a parameter or a part of raw, kept within +-30,
 *
 * so that no density runs away where a network hits a value exactly: of a real column the floor is
 * a thousandth of `deviation`, of levels 0.04 of a step (or 1e-4 of `deviation`, if that is more),
 * at which all but e^-22 of the probability is on one level. A fixed deviation of
 * levels has that floor too. A standardised distance is kept within
 * +-1e18, whose square is a float. */
#include "nn/likelihood.h"

#include <string.h>

/* ---- What there is --------------------------------------------------------------------------- */

int64_t gm__level_count(const gm_x_column *c)
{
    return c->step > 0 ? (int64_t)((c->high - c->low) / c->step + 1.5) : 1;
}

static int kind_of(const gm_likelihood *l, const gm_x_column *c)
{
    switch (c->kind) {
    case GM_X_LEVELS:
        return gm__level_count(c) <= l->table ? TABLES : l->components > 1 ? LOGISTICS : LEVELS;
    case GM_X_BINARY:
        return BINARIES;
    case GM_X_CATEGORY:
        return CATEGORIES;
    default:
        return l->components > 1 ? MIXTURES : REALS;
    }
}

static int check(gm_builder *b, const gm_likelihood *l)
{
    if (!l || l->struct_size < sizeof *l || !l->name)
        gm_builder_fail(b, GM_E_ARG,
                        "likelihood: it is NULL, has no name, or its struct_size is not "
                        "sizeof(gm_likelihood)");
    else if (l->spread < GM_SPREAD_COLUMN || l->spread > GM_SPREAD_FIXED)
        gm_builder_fail(b, GM_E_ARG, "likelihood: no such spread; see the GM_SPREAD_ list");
    else if (!(l->deviation > 0) || l->deviation - l->deviation != 0)
        gm_builder_fail(b, GM_E_RANGE, "likelihood: the deviation must be above 0");
    else if (l->components < 0 || l->components > GM__MOST_COMPONENTS || l->table < 0 ||
             l->table > GM__MOST_TABLE)
        gm_builder_fail(b, GM_E_RANGE,
                        "likelihood: components must be 0 to 1024, table 0 to 65536");
    else if (l->components > 1 && l->spread != GM_SPREAD_NETWORK)
        gm_builder_fail(b, GM_E_ARG,
                        "likelihood: several components have deviations of their own: spread must "
                        "be GM_SPREAD_NETWORK");
    return !gm_builder_failed(b);
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* Columns of x by kind; a category takes as many as it is wide. */
static void place_columns(gm_builder *b, gm__observed *o, int kind, int64_t *to)
{
    gm_x_column c = {.struct_size = sizeof c};
    o->start[kind] = *to;
    for (int64_t j = 0; j < o->width; j += c.width) {
        if (!gm_builder_x_column(b, j, &c))
            c = (gm_x_column){.struct_size = sizeof c, .kind = GM_X_REAL, .width = 1};
        for (int64_t i = 0; kind_of(o->l, &c) == kind && i < c.width; i++) {
            o->column[*to] = c;
            o->at[(*to)++] = (int32_t)(j + i);
        }
    }
    o->count[kind] = *to - o->start[kind];
}

static void describe_levels(gm__observed *o)
{
    for (int64_t i = 0; i < o->width; i++) {
        const gm_x_column *c = &o->column[i];
        o->low[i] = c->low;
        o->high[i] = c->high;
        o->step[i] = c->step;
        o->floor[i] = greater(0.04 * c->step, 1e-4 * o->l->deviation);
        o->begin[i] = greater(o->l->deviation, o->floor[i]);
    }
}

/* Where the parameters of each kind lie. */
static void place_raw(gm__observed *o)
{
    for (int kind = 0; kind < TABLES; kind++) {
        o->first[kind] = o->raw;
        o->raw += o->count[kind];
    }
    o->spread = o->raw;
    if (o->l->spread == GM_SPREAD_NETWORK)
        o->raw += o->count[REALS] + o->count[LEVELS];
    o->first[TABLES] = o->raw;
    for (int64_t i = 0; i < o->count[TABLES]; i++)
        o->raw += gm__level_count(&o->column[o->start[TABLES] + i]);
    for (int kind = MIXTURES; kind < KINDS; kind++) {
        o->first[kind] = o->raw;
        o->raw += 3 * o->components * o->count[kind];
    }
}

int gm__observe(gm_builder *b, const gm_likelihood *l, gm__observed *o)
{
    int64_t n = gm_builder_width(b), to = 0;
    *o = (gm__observed){.l = l, .width = n};
    if (!check(b, l))
        return 0;
    o->components = l->components;
    o->at = gm__builder_scratch(b, n, sizeof *o->at);
    o->column = gm__builder_scratch(b, n, sizeof *o->column);
    o->low = gm__builder_scratch(b, 5 * n, sizeof *o->low);
    if (!o->at || !o->column || !o->low)
        return 0;
    o->high = o->low + n;
    o->step = o->high + n;
    o->floor = o->step + n;
    o->begin = o->floor + n;
    for (int kind = 0; kind < KINDS; kind++)
        place_columns(b, o, kind, &to);
    describe_levels(o);
    place_raw(o);
    return 1;
}

int64_t gm_likelihood_width(gm_builder *b, const gm_likelihood *l)
{
    gm__observed o;
    return b && gm__observe(b, l, &o) ? o.raw : 0;
}

void gm__likelihood_owners(gm_builder *b, const gm_likelihood *l, int32_t *column)
{
    gm__observed o;
    if (!gm__observe(b, l, &o))
        return;
    for (int kind = 0; kind < TABLES; kind++)
        memcpy(column + o.first[kind], o.at + o.start[kind],
               (size_t)o.count[kind] * sizeof *column);
    if (l->spread == GM_SPREAD_NETWORK)
        memcpy(column + o.spread, o.at,
               (size_t)(o.count[REALS] + o.count[LEVELS]) * sizeof *column);
    int32_t *to = column + o.first[TABLES];
    for (int64_t i = o.start[TABLES]; i < o.start[TABLES] + o.count[TABLES]; i++)
        for (int64_t k = 0; k < gm__level_count(&o.column[i]); k++)
            *to++ = o.at[i];
    for (int kind = MIXTURES; kind < KINDS; kind++)
        for (int part = 0; part < 3; part++)
            for (int64_t i = 0; i < o.count[kind]; i++)
                for (int64_t k = 0; k < o.components; k++)
                    *to++ = o.at[o.start[kind] + i];
}

/* As observe, for a raw node of the right width. */
static int observe_raw(gm_builder *b, const gm_likelihood *l, gm_node *raw, gm__observed *o)
{
    if (!b || !raw || !gm__observe(b, l, o))
        return 0;
    if (gm_node_ndim(raw) == 2 && gm_node_dim(raw, -1) == o->raw)
        return 1;
    gm_builder_fail(b, GM_E_SHAPE, "likelihood: raw must be (batch, gm_likelihood_width)");
    return 0;
}

/* ---- Parts of x and of raw ------------------------------------------------------------------- */

static gm_node *part(gm_builder *b, gm_node *x, int64_t start, int64_t count)
{
    return start == 0 && count == gm_node_dim(x, -1) ? x : gm_slice(b, x, -1, start, count);
}

static gm_node *raw_of(gm_builder *b, const gm__observed *o, gm_node *raw, int kind)
{
    return part(b, raw, o->first[kind], o->count[kind]);
}

gm_node *gm__x_of(gm_builder *b, const gm__observed *o, gm_node *x, int kind)
{
    const int32_t *at = o->at + o->start[kind];
    int64_t n = o->count[kind];
    return at[n - 1] - at[0] == n - 1 ? part(b, x, at[0], n) : gm_take(b, x, n, at);
}

/* Parts of each kind (NULL: none) in the order of x. */
static gm_node *in_order(gm_builder *b, const gm__observed *o, gm_node *const parts[KINDS])
{
    gm_node *some[KINDS];
    int32_t count = 0, sorted = 1;
    int32_t *from = gm__builder_scratch(b, o->width, sizeof *from);
    for (int kind = 0; kind < KINDS; kind++)
        if (o->count[kind])
            some[count++] = parts[kind];
    for (int64_t i = 0; from && i < o->width; i++) {
        sorted &= o->at[i] == (int32_t)i;
        from[o->at[i]] = (int32_t)i;
    }
    gm_node *all = count == 1 ? some[0] : gm_concat(b, count, some, -1);
    return sorted ? all : gm_take(b, all, o->width, from);
}

static gm_node *row(gm_builder *b, int64_t n, const double *values)
{
    return gm_const_array(b, 1, &n, values);
}

gm_node *gm__within(gm_builder *b, gm_node *x, double most)
{
    return gm_min(b, gm_max(b, x, gm_const(b, -most)), gm_const(b, most));
}

/* ---- Spread ---------------------------------------------------------------------------------- */

gm_node *gm__deviation(gm_builder *b, const gm__observed *o, gm_node *raw, int kind)
{
    const int64_t one = 1, n = o->count[REALS] + o->count[LEVELS];
    const int64_t at = kind == REALS ? 0 : o->count[REALS], count = o->count[kind];
    const gm_likelihood *l = o->l;
    char name[192];
    gm_node *r;
    if (l->spread == GM_SPREAD_FIXED) /* of levels begin is no less than the floor */
        return kind == LEVELS ? row(b, count, o->begin + o->start[LEVELS])
                              : row(b, 1, &l->deviation);
    gm__format(name, sizeof name, "%s.log_deviation", l->name);
    if (l->spread == GM_SPREAD_NETWORK)
        r = gm_slice(b, raw, -1, o->spread + at, count);
    else if (l->spread == GM_SPREAD_SHARED)
        r = gm_param(b, name, 1, &one, GM_INIT_ZEROS, 0);
    else
        r = part(b, gm_param(b, name, 1, &n, GM_INIT_ZEROS, 0), at, count);
    gm_node *grown = gm_exp(b, gm__within(b, r, GM__MOST_LOG));
    if (kind == LEVELS)
        return gm_add(b, gm_mul(b, grown, row(b, count, o->begin + o->start[LEVELS])),
                      row(b, count, o->floor + o->start[LEVELS]));
    return gm_shift(b, gm_scale(b, grown, l->deviation), 1e-3 * l->deviation);
}

/* ---- Log probabilities of each kind, summed: (batch), WIDE ----------------------------------- */

gm_node *gm__sum_asked(gm_builder *b, const gm__observed *o, int kind, gm_node *log_p)
{
    if (o->asked)
        log_p = gm_mul(b, log_p, gm__x_of(b, o, o->asked, kind));
    return gm_sum_last_wide(b, log_p);
}

/* -z^2 / 2 - log deviation - log(2 pi) / 2. */
static gm_node *log_normal(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *x)
{
    gm_node *spread = gm__deviation(b, o, raw, REALS), *log_spread = gm_log(b, spread);
    gm_node *away = gm_sub(b, gm__x_of(b, o, x, REALS), raw_of(b, o, raw, REALS));
    gm_node *z = gm__within(b, gm_mul(b, away, gm_recip(b, spread)), GM__FARTHEST);
    gm_node *half = gm_scale(b, gm_square(b, z), -0.5), *sum;
    if (o->asked) {
        gm_node *log_p = gm_shift(b, gm_sub(b, half, log_spread), -GM__HALF_LOG_TWO_PI);
        return gm__sum_asked(b, o, REALS, log_p);
    }
    if (gm_node_ndim(spread) == 2) {
        sum = gm_sum_last_wide(b, gm_sub(b, half, log_spread));
    } else {
        double each = (double)o->count[REALS] / (double)gm_node_dim(spread, 0);
        sum = gm_sub(b, gm_sum_last_wide(b, half),
                     gm_scale(b, gm_sum_last_wide(b, log_spread), each));
    }
    return gm_shift(b, sum, -GM__HALF_LOG_TWO_PI * (double)o->count[REALS]);
}

/* The logistic's mass on [x - step/2, x + step/2], Salimans et al. 2017, eq. 2; the first level
 * takes all below, the last one all above. With p = (x - mean) / s and t = step / s the mass is
 *
 *     sigmoid(p + t/2) - sigmoid(p - t/2) = sigmoid(t/2 + p) sigmoid(t/2 - p) (1 - e^-t),
 *
 * a product of what is never lost: the last level is the second factor alone, the first level the
 * first. */
gm_node *gm__log_level(gm_builder *b, gm_node *x, gm_node *mean, gm_node *deviation, gm_node *low,
                       gm_node *high, gm_node *step)
{
    gm_node *per_scale = gm_recip(b, gm_scale(b, deviation, GM__LOGISTIC));
    gm_node *away = gm_sub(b, x, mean);
    gm_node *p = gm__within(b, gm_mul(b, away, per_scale), GM__FARTHEST);
    gm_node *t = gm_mul(b, per_scale, step), *half = gm_scale(b, t, 0.5);
    gm_node *not_first = gm_greater(b, x, low);
    gm_node *not_last = gm_greater(b, high, x);
    gm_node *between = gm_log(b, gm_neg(b, gm_expm1(b, gm_neg(b, t))));
    gm_node *below = gm_gate(b, gm_log_sigmoid(b, gm_add(b, half, p)), not_last);
    gm_node *above = gm_gate(b, gm_log_sigmoid(b, gm_sub(b, half, p)), not_first);
    gm_node *both = gm_gate(b, between, gm_mul(b, not_first, not_last));
    return gm_add(b, gm_add(b, below, above), both);
}

void gm__level_ends(gm_builder *b, const gm__observed *o, int kind, double **low, double **high)
{
    int64_t n = o->count[kind], at = o->start[kind];
    *low = gm__builder_scratch(b, 2 * n, sizeof **low);
    *high = *low ? *low + n : NULL;
    for (int64_t i = 0; *low && i < n; i++) {
        (*low)[i] = o->low[at + i] + 0.5 * o->step[at + i];
        (*high)[i] = o->high[at + i] - 0.5 * o->step[at + i];
    }
}

static gm_node *log_logistic(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *all)
{
    int64_t n = o->count[LEVELS];
    double *low, *high;
    gm__level_ends(b, o, LEVELS, &low, &high);
    if (!low)
        return NULL;
    gm_node *x = gm__x_of(b, o, all, LEVELS), *spread = gm__deviation(b, o, raw, LEVELS);
    return gm__sum_asked(b, o, LEVELS,
                         gm__log_level(b, x, raw_of(b, o, raw, LEVELS), spread, row(b, n, low),
                                       row(b, n, high), row(b, n, o->step + o->start[LEVELS])));
}

/* x l - log(1 + e^l). */
static gm_node *log_bernoulli(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *x)
{
    gm_node *logit = raw_of(b, o, raw, BINARIES);
    return gm__sum_asked(
        b, o, BINARIES,
        gm_sub(b, gm_mul(b, gm__x_of(b, o, x, BINARIES), logit), gm_softplus(b, logit)));
}

/* temperature: of draws. */
typedef gm_node *category_map(gm_builder *b, gm_node *logits, gm_node *temperature);

/* A map over the logits of one category after another, in the order of raw. */
static gm_node *each_category(gm_builder *b, const gm__observed *o, gm_node *raw,
                              gm_node *temperature, category_map *map)
{
    int64_t n = o->count[CATEGORIES], start = o->start[CATEGORIES];
    int64_t in_raw = o->first[CATEGORIES] - start;
    gm_node **parts = gm__builder_scratch(b, n, sizeof *parts);
    int32_t count = 0;
    if (!parts)
        return NULL;
    for (int64_t i = start; i < start + n; i += o->column[i].width)
        parts[count++] = map(b, gm_slice(b, raw, -1, in_raw + i, o->column[i].width), temperature);
    return count == 1 ? parts[0] : gm_concat(b, count, parts, -1);
}

static gm_node *log_softmax_of(gm_builder *b, gm_node *logits, gm_node *temperature)
{
    (void)temperature;
    return gm_log_softmax(b, logits);
}

static gm_node *softmax_of(gm_builder *b, gm_node *logits, gm_node *temperature)
{
    (void)temperature;
    return gm_softmax(b, logits);
}

static gm_node *log_categorical(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *x)
{
    gm_node *log_p = each_category(b, o, raw, NULL, log_softmax_of);
    return gm__sum_asked(b, o, CATEGORIES, gm_gate(b, log_p, gm__x_of(b, o, x, CATEGORIES)));
}

gm_node *gm__likelihood_log_prob_of(gm_builder *b, const gm_likelihood *l, gm_node *raw, gm_node *x,
                                    gm_node *asked)
{
    typedef gm_node *log_prob(gm_builder * b, const gm__observed *o, gm_node *raw, gm_node *x);
    static log_prob *const of[TABLES] = {log_normal, log_logistic, log_bernoulli, log_categorical};
    gm__observed o;
    gm_node *sum = NULL;
    if (!x || !observe_raw(b, l, raw, &o))
        return NULL;
    o.asked = asked;
    for (int kind = 0; kind < KINDS; kind++)
        if (o.count[kind]) {
            gm_node *term =
                kind < TABLES ? of[kind](b, &o, raw, x) : gm__many_log_prob(b, &o, kind, raw, x);
            sum = sum ? gm_add(b, sum, term) : term;
        }
    return sum;
}

gm_node *gm_likelihood_log_prob(gm_builder *b, const gm_likelihood *l, gm_node *raw, gm_node *x)
{
    return gm__likelihood_log_prob_of(b, l, raw, x, NULL);
}

/* ---- Means ----------------------------------------------------------------------------------- */

static gm_node *mean_of(gm_builder *b, const gm__observed *o, int kind, gm_node *raw)
{
    switch (kind) {
    case REALS:
    case LEVELS:
        return raw_of(b, o, raw, kind);
    case BINARIES:
        return gm_sigmoid(b, raw_of(b, o, raw, BINARIES));
    case CATEGORIES:
        return each_category(b, o, raw, NULL, softmax_of);
    default:
        return gm__many_mean(b, o, kind, raw);
    }
}

gm_node *gm_likelihood_mean(gm_builder *b, const gm_likelihood *l, gm_node *raw)
{
    gm__observed o;
    gm_node *parts[KINDS] = {NULL};
    if (!observe_raw(b, l, raw, &o))
        return NULL;
    for (int kind = 0; kind < KINDS; kind++)
        if (o.count[kind])
            parts[kind] = mean_of(b, &o, kind, raw);
    return in_order(b, &o, parts);
}

/* ---- Draws ----------------------------------------------------------------------------------- */

static gm_node *tempered(gm_builder *b, gm_node *noise, gm_node *temperature)
{
    return temperature ? gm_mul(b, noise, temperature) : noise;
}

gm_node *gm__logistic_like(gm_builder *b, gm_node *x, gm_node *temperature)
{
    gm_node *u = gm_uniform_like(b, x);
    return tempered(b, gm_sub(b, gm_log(b, u), gm_log1p(b, gm_neg(b, u))), temperature);
}

/* Gumbel 1954. */
gm_node *gm__gumbel_like(gm_builder *b, gm_node *x, gm_node *temperature)
{
    gm_node *noise = gm_neg(b, gm_log(b, gm_neg(b, gm_log(b, gm_uniform_like(b, x)))));
    return tempered(b, noise, temperature);
}

static gm_node *draw_normal(gm_builder *b, const gm__observed *o, gm_node *raw,
                            gm_node *temperature)
{
    gm_node *mean = raw_of(b, o, raw, REALS), *spread = gm__deviation(b, o, raw, REALS);
    return gm_add(b, mean, gm_mul(b, spread, tempered(b, gm_normal_like(b, mean), temperature)));
}

gm_node *gm__to_level(gm_builder *b, gm_node *v, gm_node *low, gm_node *high, gm_node *step)
{
    v = gm_max(b, gm_min(b, v, high), low);
    return gm_add(b, low, gm_mul(b, step, gm_round(b, gm_div(b, gm_sub(b, v, low), step))));
}

/* mean + s log(u / (1 - u)), brought to the nearest level. */
static gm_node *draw_level(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *temperature)
{
    int64_t n = o->count[LEVELS], at = o->start[LEVELS];
    gm_node *mean = raw_of(b, o, raw, LEVELS);
    gm_node *noise = gm__logistic_like(b, mean, temperature);
    gm_node *scale = gm_scale(b, gm__deviation(b, o, raw, LEVELS), GM__LOGISTIC);
    gm_node *v = gm_add(b, mean, gm_mul(b, scale, noise));
    return gm__to_level(b, v, row(b, n, o->low + at), row(b, n, o->high + at),
                        row(b, n, o->step + at));
}

static gm_node *draw_binary(gm_builder *b, const gm__observed *o, gm_node *raw,
                            gm_node *temperature)
{
    gm_node *logit = raw_of(b, o, raw, BINARIES);
    if (temperature)
        return gm_step(b, gm_add(b, logit, gm__logistic_like(b, logit, temperature)));
    gm_node *p = gm_sigmoid(b, logit);
    return gm_greater(b, p, gm_uniform_like(b, p));
}

/* The greatest of logits with Gumbel's noise. */
static gm_node *draw_category(gm_builder *b, gm_node *logits, gm_node *temperature)
{
    gm_node *noise = gm__gumbel_like(b, logits, temperature);
    return gm_one_hot(b, gm_argmax_last(b, gm_add(b, logits, noise)), gm_node_dim(logits, -1));
}

gm_node *gm__likelihood_draw(gm_builder *b, const gm_likelihood *l, gm_node *raw,
                             gm_node *temperature)
{
    typedef gm_node *draw(gm_builder * b, const gm__observed *o, gm_node *raw,
                          gm_node *temperature);
    static draw *const of[CATEGORIES] = {draw_normal, draw_level, draw_binary};
    gm__observed o;
    gm_node *parts[KINDS] = {NULL};
    if (!observe_raw(b, l, raw, &o))
        return NULL;
    for (int kind = 0; kind < KINDS; kind++)
        if (o.count[kind])
            parts[kind] = kind < CATEGORIES ? of[kind](b, &o, raw, temperature)
                          : kind == CATEGORIES
                              ? each_category(b, &o, raw, temperature, draw_category)
                              : gm__many_draw(b, &o, kind, raw, temperature);
    return in_order(b, &o, parts);
}

gm_node *gm_likelihood_draw(gm_builder *b, const gm_likelihood *l, gm_node *raw)
{
    return gm__likelihood_draw(b, l, raw, NULL);
}

/* A node a kind, but for one a category and one a run of tables alike, and two of components. */
void gm__likelihood_noise(gm_builder *b, const gm_likelihood *l, int32_t *node, int32_t *before)
{
    gm__observed o;
    int32_t nodes = 0;
    if (!gm__observe(b, l, &o))
        return;
    for (int kind = 0; kind < KINDS; kind++) {
        int32_t many = 0;
        for (int64_t i = 0; i < o.count[kind];) {
            const gm_x_column *c = &o.column[o.start[kind] + i];
            int alone = kind == CATEGORIES ||
                        (kind == TABLES && gm__level_count(c) != gm__level_count(c - (i > 0)));
            if (alone && i > 0) {
                nodes++;
                many = 0;
            }
            node[o.at[o.start[kind] + i]] = nodes;
            before[o.at[o.start[kind] + i]] = many++;
            i += kind == CATEGORIES ? c->width : 1;
        }
        nodes += o.count[kind] ? kind >= MIXTURES ? 2 : 1 : 0;
    }
}
