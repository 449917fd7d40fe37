/* Observation models: p(x | raw) of columns that measure and of columns that count.
 *
 * raw holds, in this order: means of real columns, means of levels, logits of binary columns,
 * logits of categories, and with spread=network what the deviations of reals and of levels are read
 * off. A deviation is
 *
 *     floor + start exp(r),    r a parameter or a part of raw, kept within +-30,
 *
 * so that no density runs away where a network hits a value exactly: of a real column the floor is
 * a thousandth of `deviation`, of levels 0.04 of a step (or 1e-4 of `deviation`, if that is more),
 * at which all but e^-22 of the probability is on one level. A fixed deviation of
 * levels has that floor too. A standardised distance is kept within
 * +-1e18, whose square is a float. */
#include "nn/nn.h"

#include <string.h>

#define HALF_LOG_TWO_PI 0.91893853320467274178
#define LOGISTIC 0.55132889542179204 /* sqrt(3) / pi: scale of a logistic of deviation 1 */
#define MOST_LOG 30
#define FARTHEST 1e18

/* Kinds in the order of raw. */
enum { REALS, LEVELS, BINARIES, CATEGORIES, KINDS };

/* Where the columns of each kind lie in x and in raw. */
typedef struct gm__observed {
    const gm_likelihood *l;
    int64_t width, raw;        /* columns of x and of raw */
    int64_t count[KINDS];      /* columns of x that a kind takes */
    int64_t start[KINDS];      /* where they begin among all, kind by kind */
    int32_t *at;               /* (width) column of x, kind by kind */
    gm_x_column *column;       /* (width) as at */
    double *low, *high, *step; /* (count[LEVELS]) */
    double *floor, *first;     /* (count[LEVELS]) of their deviations */
} gm__observed;

/* ---- What there is --------------------------------------------------------------------------- */

static int kind_of(int32_t kind)
{
    return kind == GM_X_LEVELS     ? LEVELS
           : kind == GM_X_BINARY   ? BINARIES
           : kind == GM_X_CATEGORY ? CATEGORIES
                                   : REALS;
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
        for (int64_t i = 0; kind_of(c.kind) == kind && i < c.width; i++) {
            o->column[*to] = c;
            o->at[(*to)++] = (int32_t)(j + i);
        }
    }
    o->count[kind] = *to - o->start[kind];
}

static void describe_levels(gm__observed *o)
{
    for (int64_t i = 0; i < o->count[LEVELS]; i++) {
        const gm_x_column *c = &o->column[o->start[LEVELS] + i];
        o->low[i] = c->low;
        o->high[i] = c->high;
        o->step[i] = c->step;
        o->floor[i] = greater(0.04 * c->step, 1e-4 * o->l->deviation);
        o->first[i] = greater(o->l->deviation, o->floor[i]);
    }
}

static int observe(gm_builder *b, const gm_likelihood *l, gm__observed *o)
{
    int64_t n = gm_builder_width(b), to = 0;
    *o = (gm__observed){.l = l, .width = n};
    if (!check(b, l))
        return 0;
    o->at = gm__builder_scratch(b, n, sizeof *o->at);
    o->column = gm__builder_scratch(b, n, sizeof *o->column);
    o->low = gm__builder_scratch(b, 5 * n, sizeof *o->low);
    if (!o->at || !o->column || !o->low)
        return 0;
    o->high = o->low + n;
    o->step = o->high + n;
    o->floor = o->step + n;
    o->first = o->floor + n;
    for (int kind = 0; kind < KINDS; kind++)
        place_columns(b, o, kind, &to);
    describe_levels(o);
    o->raw = n + (l->spread == GM_SPREAD_NETWORK ? o->count[REALS] + o->count[LEVELS] : 0);
    return 1;
}

int64_t gm_likelihood_width(gm_builder *b, const gm_likelihood *l)
{
    gm__observed o;
    return b && observe(b, l, &o) ? o.raw : 0;
}

/* As observe, for a raw node of the right width. */
static int observe_raw(gm_builder *b, const gm_likelihood *l, gm_node *raw, gm__observed *o)
{
    if (!b || !raw || !observe(b, l, o))
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
    return part(b, raw, o->start[kind], o->count[kind]);
}

static gm_node *x_of(gm_builder *b, const gm__observed *o, gm_node *x, int kind)
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

static gm_node *within(gm_builder *b, gm_node *x, double most)
{
    return gm_min(b, gm_max(b, x, gm_const(b, -most)), gm_const(b, most));
}

/* ---- Spread ---------------------------------------------------------------------------------- */

/* Deviations of a kind: (1) or (count) or (batch, count). */
static gm_node *deviation(gm_builder *b, const gm__observed *o, gm_node *raw, int kind)
{
    const int64_t one = 1, n = o->count[REALS] + o->count[LEVELS];
    const int64_t at = kind == REALS ? 0 : o->count[REALS], count = o->count[kind];
    const gm_likelihood *l = o->l;
    char name[192];
    gm_node *r;
    if (l->spread == GM_SPREAD_FIXED) /* of levels first is no less than the floor */
        return kind == LEVELS ? row(b, count, o->first) : row(b, 1, &l->deviation);
    gm__format(name, sizeof name, "%s.log_deviation", l->name);
    if (l->spread == GM_SPREAD_NETWORK)
        r = gm_slice(b, raw, -1, o->width + at, count);
    else if (l->spread == GM_SPREAD_SHARED)
        r = gm_param(b, name, 1, &one, GM_INIT_ZEROS, 0);
    else
        r = part(b, gm_param(b, name, 1, &n, GM_INIT_ZEROS, 0), at, count);
    gm_node *grown = gm_exp(b, within(b, r, MOST_LOG));
    if (kind == LEVELS)
        return gm_add(b, gm_mul(b, grown, row(b, count, o->first)), row(b, count, o->floor));
    return gm_shift(b, gm_scale(b, grown, l->deviation), 1e-3 * l->deviation);
}

/* ---- Log probabilities of each kind, summed: (batch), WIDE ----------------------------------- */

/* -z^2 / 2 - log deviation - log(2 pi) / 2. */
static gm_node *log_normal(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *x)
{
    gm_node *spread = deviation(b, o, raw, REALS), *log_spread = gm_log(b, spread);
    gm_node *away = gm_sub(b, x_of(b, o, x, REALS), raw_of(b, o, raw, REALS));
    gm_node *z = within(b, gm_mul(b, away, gm_recip(b, spread)), FARTHEST);
    gm_node *half = gm_scale(b, gm_square(b, z), -0.5), *sum;
    if (gm_node_ndim(spread) == 2) {
        sum = gm_sum_last_wide(b, gm_sub(b, half, log_spread));
    } else {
        double each = (double)o->count[REALS] / (double)gm_node_dim(spread, 0);
        sum = gm_sub(b, gm_sum_last_wide(b, half),
                     gm_scale(b, gm_sum_last_wide(b, log_spread), each));
    }
    return gm_shift(b, sum, -HALF_LOG_TWO_PI * (double)o->count[REALS]);
}

/* The logistic's mass on [x - step/2, x + step/2], Salimans et al. 2017, eq. 2; the first level
 * takes all below, the last one all above. With p = (x - mean) / s and t = step / s the mass is
 *
 *     sigmoid(p + t/2) - sigmoid(p - t/2) = sigmoid(t/2 + p) sigmoid(t/2 - p) (1 - e^-t),
 *
 * a product of what is never lost: the last level is the second factor alone, the first level the
 * first. */
static gm_node *log_logistic(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *all)
{
    int64_t n = o->count[LEVELS];
    double *ends = gm__builder_scratch(b, 2 * n, sizeof *ends);
    for (int64_t i = 0; ends && i < n; i++) {
        ends[i] = o->low[i] + 0.5 * o->step[i];
        ends[n + i] = o->high[i] - 0.5 * o->step[i];
    }
    if (!ends)
        return NULL;
    gm_node *x = x_of(b, o, all, LEVELS);
    gm_node *per_scale = gm_recip(b, gm_scale(b, deviation(b, o, raw, LEVELS), LOGISTIC));
    gm_node *away = gm_sub(b, x, raw_of(b, o, raw, LEVELS));
    gm_node *p = within(b, gm_mul(b, away, per_scale), FARTHEST);
    gm_node *t = gm_mul(b, per_scale, row(b, n, o->step)), *half = gm_scale(b, t, 0.5);
    gm_node *not_first = gm_greater(b, x, row(b, n, ends));
    gm_node *not_last = gm_greater(b, row(b, n, ends + n), x);
    gm_node *between = gm_log(b, gm_neg(b, gm_expm1(b, gm_neg(b, t))));
    gm_node *below = gm_gate(b, gm_log_sigmoid(b, gm_add(b, half, p)), not_last);
    gm_node *above = gm_gate(b, gm_log_sigmoid(b, gm_sub(b, half, p)), not_first);
    gm_node *both = gm_gate(b, between, gm_mul(b, not_first, not_last));
    return gm_sum_last_wide(b, gm_add(b, gm_add(b, below, above), both));
}

/* x l - log(1 + e^l). */
static gm_node *log_bernoulli(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *x)
{
    gm_node *logit = raw_of(b, o, raw, BINARIES);
    return gm_sum_last_wide(
        b, gm_sub(b, gm_mul(b, x_of(b, o, x, BINARIES), logit), gm_softplus(b, logit)));
}

typedef gm_node *category_map(gm_builder *b, gm_node *logits);

/* A map over the logits of one category after another, in the order of raw. */
static gm_node *each_category(gm_builder *b, const gm__observed *o, gm_node *raw, category_map *map)
{
    int64_t n = o->count[CATEGORIES], start = o->start[CATEGORIES];
    gm_node **parts = gm__builder_scratch(b, n, sizeof *parts);
    int32_t count = 0;
    if (!parts)
        return NULL;
    for (int64_t i = start; i < start + n; i += o->column[i].width)
        parts[count++] = map(b, gm_slice(b, raw, -1, i, o->column[i].width));
    return count == 1 ? parts[0] : gm_concat(b, count, parts, -1);
}

static gm_node *log_categorical(gm_builder *b, const gm__observed *o, gm_node *raw, gm_node *x)
{
    gm_node *log_p = each_category(b, o, raw, gm_log_softmax);
    return gm_sum_last_wide(b, gm_gate(b, log_p, x_of(b, o, x, CATEGORIES)));
}

gm_node *gm_likelihood_log_prob(gm_builder *b, const gm_likelihood *l, gm_node *raw, gm_node *x)
{
    typedef gm_node *log_prob(gm_builder * b, const gm__observed *o, gm_node *raw, gm_node *x);
    static log_prob *const of[KINDS] = {log_normal, log_logistic, log_bernoulli, log_categorical};
    gm__observed o;
    gm_node *sum = NULL;
    if (!x || !observe_raw(b, l, raw, &o))
        return NULL;
    for (int kind = 0; kind < KINDS; kind++)
        if (o.count[kind]) {
            gm_node *term = of[kind](b, &o, raw, x);
            sum = sum ? gm_add(b, sum, term) : term;
        }
    return sum;
}

/* ---- Means ----------------------------------------------------------------------------------- */

gm_node *gm_likelihood_mean(gm_builder *b, const gm_likelihood *l, gm_node *raw)
{
    gm__observed o;
    gm_node *parts[KINDS] = {NULL};
    if (!observe_raw(b, l, raw, &o))
        return NULL;
    if (o.count[REALS])
        parts[REALS] = raw_of(b, &o, raw, REALS);
    if (o.count[LEVELS])
        parts[LEVELS] = raw_of(b, &o, raw, LEVELS);
    if (o.count[BINARIES])
        parts[BINARIES] = gm_sigmoid(b, raw_of(b, &o, raw, BINARIES));
    if (o.count[CATEGORIES])
        parts[CATEGORIES] = each_category(b, &o, raw, gm_softmax);
    return in_order(b, &o, parts);
}

/* ---- Draws ----------------------------------------------------------------------------------- */

static gm_node *draw_normal(gm_builder *b, const gm__observed *o, gm_node *raw)
{
    gm_node *mean = raw_of(b, o, raw, REALS);
    return gm_add(b, mean, gm_mul(b, deviation(b, o, raw, REALS), gm_normal_like(b, mean)));
}

/* mean + s log(u / (1 - u)), brought to the nearest level. */
static gm_node *draw_level(gm_builder *b, const gm__observed *o, gm_node *raw)
{
    int64_t n = o->count[LEVELS];
    gm_node *mean = raw_of(b, o, raw, LEVELS), *u = gm_uniform_like(b, mean);
    gm_node *noise = gm_sub(b, gm_log(b, u), gm_log1p(b, gm_neg(b, u)));
    gm_node *scale = gm_scale(b, deviation(b, o, raw, LEVELS), LOGISTIC);
    gm_node *v = gm_add(b, mean, gm_mul(b, scale, noise));
    gm_node *low = row(b, n, o->low), *step = row(b, n, o->step);
    v = gm_max(b, gm_min(b, v, row(b, n, o->high)), low);
    return gm_add(b, low, gm_mul(b, step, gm_round(b, gm_div(b, gm_sub(b, v, low), step))));
}

static gm_node *draw_binary(gm_builder *b, const gm__observed *o, gm_node *raw)
{
    gm_node *p = gm_sigmoid(b, raw_of(b, o, raw, BINARIES));
    return gm_greater(b, p, gm_uniform_like(b, p));
}

/* The greatest of logits with Gumbel's noise, -log(-log u): Gumbel 1954. */
static gm_node *draw_category(gm_builder *b, gm_node *logits)
{
    gm_node *noise = gm_neg(b, gm_log(b, gm_neg(b, gm_log(b, gm_uniform_like(b, logits)))));
    return gm_one_hot(b, gm_argmax_last(b, gm_add(b, logits, noise)), gm_node_dim(logits, -1));
}

gm_node *gm_likelihood_draw(gm_builder *b, const gm_likelihood *l, gm_node *raw)
{
    gm__observed o;
    gm_node *parts[KINDS] = {NULL};
    if (!observe_raw(b, l, raw, &o))
        return NULL;
    if (o.count[REALS])
        parts[REALS] = draw_normal(b, &o, raw);
    if (o.count[LEVELS])
        parts[LEVELS] = draw_level(b, &o, raw);
    if (o.count[BINARIES])
        parts[BINARIES] = draw_binary(b, &o, raw);
    if (o.count[CATEGORIES])
        parts[CATEGORIES] = each_category(b, &o, raw, draw_category);
    return in_order(b, &o, parts);
}
