/* Autoregressive models: the columns one after another, each given those before it.
 *
 *     log p(x) = sum over places i of log p(x_o(i) | x_o(0) ... x_o(i - 1)),  o an order
 *
 * What each column may be given is exact mathematics of its kind (genmod/extend.h, gm_likelihood):
 * Bernoulli, categorical, tables of levels, mixtures of normals and of discretised logistics.
 *
 * A masked network gives all of them in one pass (MADE: Germain et al. 2015; with residual blocks:
 * Nash and Durkan 2019). `orders` of these, each a network of its own in an order of its own, are
 * fitted side by side; the model is the mean of their probabilities.
 *
 * With any_order one network knows any columns given any others: it reads a row whose unknown
 * values are zero, and which are known. Its loss draws an order o and a number k of columns that
 * are known, and asks for the others (Uria et al. 2014, eq. 9; Hoogeboom et al. 2022, eq. 5):
 *
 *     E_o,k [ d / (d - k) sum over i >= k of -log p(x_o(i) | x_o(0) ... x_o(k - 1)) ]
 *
 * Its log p is the mean of probabilities over `orders` orders, a pass for each column of each.
 *
 * Shapes: x (batch, width), raw (batch, gm_likelihood_width). A column here is what
 * gm_builder_x_column has: a category is one, though several columns of x wide. */
#include "density/autoregressive.h"
#include "nn/nn.h"

static const gm_option_row options[] = {
    {"hidden", GM_STAGE_BUILD, GM_INTS, "256,256", "1..65536", 1,
     "widths of the network's hidden layers; none: each column is linear in those before it"},
    {"activation", GM_STAGE_BUILD, GM_CHOICE, "relu", GM__ACTIVATIONS, 1, "of the hidden layers"},
    {"residual", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "hidden layers after the first, where as wide as the one before, become residual blocks"},
    {"direct", GM_STAGE_BUILD, GM_BOOL, "true", "", 1,
     "columns are also linear in those before them, past the hidden layers (not with any_order)"},
    {"dropout", GM_STAGE_BUILD, GM_REAL, "0", "0..1)", 1, "rate of dropout in the hidden layers"},
    {"input_dropout", GM_STAGE_BUILD, GM_REAL, "0", "0..1)", 1,
     "rate at which training hides the value of a column from all others (not with any_order)"},
    {"components", GM_STAGE_BUILD, GM_INT, "8", "1..1024", 1,
     "normals that make up a real column, logistics a whole number"},
    {"table", GM_STAGE_BUILD, GM_INT, "32", "0..65536", 1,
     "whole numbers of at most so many levels have a probability each"},
    {"order", GM_STAGE_BUILD, GM_CHOICE, "natural", "natural|random", 1,
     "of the columns: as the model sees them (categories last), or drawn by the seed"},
    {"orders", GM_STAGE_BUILD, GM_INT, "1", "1..64", 1,
     "networks, each in an order of its own, whose probabilities are averaged; with any_order "
     "orders of the one network (all but the first are drawn)"},
    {"any_order", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "one network for any columns given any others; a density takes a pass a column"},
    {0},
};

/* ---- Columns and orders ---------------------------------------------------------------------- */

/* The columns of x, and which of them each of the `width` belongs to. */
typedef struct columns {
    int64_t width;
    int32_t count;
    int32_t *first; /* (count + 1) */
    int32_t *of;    /* (width) */
} columns;

static int find_columns(gm_builder *b, columns *c)
{
    gm_x_column found = {.struct_size = sizeof found};
    *c = (columns){.width = gm_builder_width(b)};
    c->first = gm__builder_scratch(b, 2 * c->width + 1, sizeof *c->first);
    if (!c->first)
        return 0;
    c->of = c->first + c->width + 1;
    for (int64_t j = 0; j < c->width; j += found.width) {
        gm_builder_x_column(b, j, &found);
        for (int64_t i = 0; i < found.width; i++)
            c->of[j + i] = c->count;
        c->first[c->count++] = (int32_t)j;
    }
    c->first[c->count] = (int32_t)c->width;
    return 1;
}

/* Order number k: at[i] is the column at place i; place[j] the place of column j. */
typedef struct order {
    int32_t *at, *place;
} order;

/* Drawn by the seed (Fisher and Yates). */
static int make_order(gm_builder *b, const columns *c, int32_t k, order *o)
{
    o->at = gm__builder_scratch(b, 2 * (int64_t)c->count, sizeof *o->at);
    if (!o->at)
        return 0;
    o->place = o->at + c->count;
    for (int32_t i = 0; i < c->count; i++)
        o->at[i] = i;
    int natural = gm_opt_choice(b, "order") == 0 && k == 0;
    for (int32_t i = c->count - 1; i > 0 && !natural; i--) {
        int64_t j = gm_builder_random(b, k, i, i + 1);
        int32_t t = o->at[i];
        o->at[i] = o->at[j];
        o->at[j] = t;
    }
    for (int32_t i = 0; i < c->count; i++)
        o->place[o->at[i]] = i;
    return 1;
}

/* Places of the columns of x, one row an order: (orders, width). */
static gm_node *places(gm_builder *b, const columns *c)
{
    int64_t n = gm_opt_int(b, "orders"), shape[2] = {n, c->width};
    double *place = gm__builder_scratch(b, n * c->width, sizeof *place);
    order o;
    for (int32_t k = 0; place && k < n; k++) {
        if (!make_order(b, c, k, &o))
            return NULL;
        for (int64_t j = 0; j < c->width; j++)
            place[k * c->width + j] = o.place[c->of[j]];
    }
    return place ? gm_const_array(b, 2, shape, place) : NULL;
}

/* ---- What raw is ----------------------------------------------------------------------------- */

static void likelihood(gm_builder *b, gm_likelihood *l)
{
    l->spread = GM_SPREAD_NETWORK;
    l->deviation = 1;
    l->name = "observation";
    l->components = (int32_t)gm_opt_int(b, "components");
    l->table = (int32_t)gm_opt_int(b, "table");
}

static gm_likelihood observation(gm_builder *b)
{
    gm_likelihood l = {.struct_size = sizeof l};
    likelihood(b, &l);
    return l;
}

/* ---- Masked networks ------------------------------------------------------------------------- */

/* x by places: columns of earlier places first. NULL where it is so already. */
static int32_t *by_places(gm_builder *b, const columns *c, const order *o, int32_t *ends)
{
    int32_t *take = gm__builder_scratch(b, c->width, sizeof *take), n = 0, sorted = 1;
    for (int32_t i = 0; take && i < c->count; i++) {
        for (int32_t j = c->first[o->at[i]]; j < c->first[o->at[i] + 1]; j++) {
            sorted &= j == n;
            take[n++] = j;
        }
        ends[i] = n;
    }
    return sorted ? NULL : take;
}

/* The places of raw, rising, into place, and into back where each parameter then stands. Returns 1
 * where they rise as they are. */
static int sort_outputs(gm_builder *b, const columns *c, const order *o, int64_t n, int32_t *place,
                        int32_t *back)
{
    gm_likelihood l = observation(b);
    int32_t *owner = gm__builder_scratch(b, n, sizeof *owner),
            *start = gm__builder_scratch(b, c->count + 1, sizeof *start), sorted = 1;
    if (!owner || !start)
        return 0;
    gm__likelihood_owners(b, &l, owner);
    for (int64_t j = 0; j < n; j++)
        start[o->place[c->of[owner[j]]] + 1]++;
    for (int32_t i = 0; i < c->count; i++)
        start[i + 1] += start[i];
    for (int64_t j = 0; j < n; j++) {
        int32_t at = o->place[c->of[owner[j]]];
        back[j] = start[at]++;
        place[back[j]] = at;
        sorted &= back[j] == j;
    }
    return sorted;
}

/* Parameters of all columns, each given those before it in order k. */
static gm_node *masked_raw(gm_builder *b, const columns *c, int32_t k, gm_node *x)
{
    order o;
    gm_likelihood l = observation(b);
    gm_node *given = gm_condition(b);
    int64_t n = gm_likelihood_width(b, &l);
    int32_t *ends = gm__builder_scratch(b, c->count, sizeof *ends),
            *place = gm__builder_scratch(b, 2 * n, sizeof *place);
    char name[16];
    if (!ends || !place || !make_order(b, c, k, &o))
        return NULL;
    gm__format(name, sizeof name, "net.%d", (int)k);
    gm__made m = {.name = name,
                  .given = gm_node_dim(given, -1),
                  .places = c->count,
                  .ends = ends,
                  .act = gm__opt_activation(b),
                  .residual = gm_opt_int(b, "residual") != 0,
                  .dropout = gm_opt_real(b, "dropout"),
                  .direct = gm_opt_int(b, "direct") != 0,
                  .outputs = n,
                  .place = place};
    m.count = gm_opt_ints(b, "hidden", &m.hidden);
    int32_t *take = by_places(b, c, &o, ends);
    int sorted = sort_outputs(b, c, &o, n, place, place + n);
    if (take)
        x = gm_take(b, x, c->width, take);
    if (given)
        x = gm_concat(b, 2, (gm_node *[]){given, x}, -1);
    gm_node *raw = gm__nn_made(b, &m, x);
    return sorted ? raw : gm_take(b, raw, n, place + n);
}

/* Dropout of whole columns: what is kept of x grows, so that sums stay as they are. */
static gm_node *hidden_columns(gm_builder *b, const columns *c, gm_node *x, double rate)
{
    int64_t shape[2] = {GM_BATCH, c->count};
    gm_node *keep = gm_greater_equal(b, gm_uniform(b, 2, shape), gm_const(b, rate));
    return gm_mul(b, x, gm_scale(b, gm_take(b, keep, c->width, c->of), 1 / (1 - rate)));
}

/* ---- The network for any columns given any others -------------------------------------------- */

/* known (batch or 1, width), x zero where it is not known. */
static gm_node *free_raw(gm_builder *b, const columns *c, gm_node *x, gm_node *known)
{
    const int64_t *hidden;
    int64_t flags[2] = {GM_BATCH, c->count};
    gm_likelihood l = observation(b);
    int32_t count = gm_opt_ints(b, "hidden", &hidden), act = gm__opt_activation(b);
    double dropout = gm_opt_real(b, "dropout");
    gm_node *of_columns = gm_broadcast(b, gm_take(b, known, c->count, c->first), 2, flags);
    gm_node *in[3] = {x, of_columns, gm_condition(b)};
    gm_node *h = gm_concat(b, in[2] ? 3 : 2, in, -1);
    for (int32_t i = 0; i < count; i++) {
        char name[32];
        gm__format(name, sizeof name, "net.%d", (int)i);
        if (i && gm_opt_int(b, "residual") && hidden[i] == hidden[i - 1])
            h = gm_nn_residual(b, name, h, act);
        else
            h = gm_activation(b, act, gm_nn_linear(b, name, h, hidden[i]));
        h = gm_nn_dropout(b, h, dropout);
    }
    return gm_nn_linear(b, "net.out", h, gm_likelihood_width(b, &l));
}

/* u_i < t of uniforms u_1 ... u_d and t: of columns in an order drawn the first k, where k is one
 * of 0 to d, each as probable. So with k = d, where there is nothing to ask, among them the weight
 * is (d + 1) / (d - k). */
static gm_node *free_term(gm_builder *b, const columns *c, gm_node *x, gm_node *t)
{
    int64_t shape[2] = {GM_BATCH, c->count}, batch = GM_BATCH;
    gm_likelihood l = observation(b);
    gm_node *asked = gm_greater_equal(b, gm_uniform(b, 2, shape), t);
    gm_node *left = gm_max(b, gm_sum(b, asked, -1, 1), gm_const(b, 1));
    gm_node *weight = gm_scale(b, gm_recip(b, left), (double)c->count + 1);
    gm_node *of_x = gm_take(b, asked, c->width, c->of), *known = gm_one_minus(b, of_x);
    gm_node *raw = free_raw(b, c, gm_mul(b, x, known), known);
    gm_node *log_p = gm__likelihood_log_prob_of(b, &l, raw, x, of_x);
    return gm_neg(b, gm_mul(b, log_p, gm_reshape(b, weight, 1, &batch)));
}

#define STRATA 8 /* of t where weights are judged: fewer rows would do by chance what they do */

static gm_node *free_loss(gm_builder *b, const columns *c, gm_node *x)
{
    int64_t one[2] = {GM_BATCH, 1};
    gm_node *sum = NULL;
    if (gm_builder_training(b))
        return free_term(b, c, x, gm_uniform(b, 2, one));
    for (int i = 0; i < STRATA; i++) {
        gm_node *t = gm_scale(b, gm_shift(b, gm_uniform(b, 2, one), i), 1.0 / STRATA);
        gm_node *term = free_term(b, c, x, t);
        sum = sum ? gm_add(b, sum, term) : term;
    }
    return gm_scale(b, sum, 1.0 / STRATA);
}

#define MOST_LAYERS 32768 /* in all passes of a density */

/* Parameters of all columns, each given those before it in order k: a pass for each. */
static gm_node *passes(gm_builder *b, const columns *c, int32_t k, gm_node *x)
{
    order o;
    gm_likelihood l = observation(b);
    int64_t n = gm_likelihood_width(b, &l);
    int32_t *owner = gm__builder_scratch(b, n, sizeof *owner);
    double *known = gm__builder_scratch(b, c->width + n, sizeof *known), *asked = known + c->width;
    gm_node *all = NULL;
    if (!owner || !known || !make_order(b, c, k, &o))
        return NULL;
    gm__likelihood_owners(b, &l, owner);
    for (int32_t i = 0; i < c->count; i++) {
        for (int64_t j = 0; j < n; j++)
            asked[j] = c->of[owner[j]] == o.at[i];
        gm_node *before = gm_const_array(b, 1, &c->width, known);
        gm_node *raw = free_raw(b, c, gm_mul(b, x, before), before);
        raw = gm_mul(b, raw, gm_const_array(b, 1, &n, asked));
        all = all ? gm_add(b, all, raw) : raw;
        for (int32_t j = c->first[o.at[i]]; j < c->first[o.at[i] + 1]; j++)
            known[j] = 1;
    }
    return all;
}

/* ---- The family ------------------------------------------------------------------------------ */

static int any_order(gm_builder *b)
{
    return gm_opt_int(b, "any_order") != 0;
}

static gm_node *log_prob_in(gm_builder *b, const columns *c, int32_t k, gm_node *x)
{
    gm_likelihood l = observation(b);
    gm_node *raw = any_order(b) ? passes(b, c, k, x) : masked_raw(b, c, k, x);
    return gm_likelihood_log_prob(b, &l, raw, x);
}

static gm_node *log_prob(gm_builder *b, gm_node *x)
{
    columns c;
    gm_node *sum = NULL;
    int64_t n = gm_opt_int(b, "orders");
    if (!find_columns(b, &c))
        return NULL;
    int32_t layers = gm_opt_ints(b, "hidden", &(const int64_t *){NULL}) + 1;
    if (any_order(b) && n * c.count > MOST_LAYERS / layers) {
        gm_builder_fail(b, GM_E_RANGE,
                        "autoregressive: with any_order a density takes a pass through the network "
                        "for each column of each order, 32768 layers at most: lower orders, or "
                        "leave columns out");
        return NULL;
    }
    for (int32_t k = 0; k < n; k++) {
        gm_node *log_p = log_prob_in(b, &c, k, x);
        sum = sum ? gm_logaddexp(b, sum, log_p) : log_p;
    }
    return n == 1 ? sum : gm_sub(b, sum, gm_log(b, gm_wide(b, gm_const(b, (double)n))));
}

/* Networks of several orders learn side by side, each by itself. */
static gm_node *masked_loss(gm_builder *b, const columns *c, gm_node *x)
{
    gm_node *sum = NULL;
    double hide = gm_opt_real(b, "input_dropout");
    int64_t n = gm_opt_int(b, "orders");
    for (int32_t k = 0; k < n; k++) {
        gm_likelihood l = observation(b);
        gm_node *seen = hide > 0 ? hidden_columns(b, c, x, hide) : x;
        gm_node *log_p = gm_likelihood_log_prob(b, &l, masked_raw(b, c, k, seen), x);
        sum = sum ? gm_add(b, sum, log_p) : log_p;
    }
    return gm_scale(b, sum, -1 / (double)n);
}

static gm_node *loss(gm_builder *b, gm_node *x)
{
    columns c;
    if (!find_columns(b, &c))
        return NULL;
    if (any_order(b))
        return free_loss(b, &c, x);
    return gm_builder_training(b) ? masked_loss(b, &c, x) : gm_neg(b, log_prob(b, x));
}

/* ---- Rows column by column ------------------------------------------------------------------- */

static int64_t steps(gm_builder *b)
{
    columns c;
    return find_columns(b, &c) ? c.count : 0;
}

/* Parameters of row i in the order that number[i] says. */
static gm_node *raw_in(gm_builder *b, const columns *c, gm_node *x, gm_node *number)
{
    gm_node *raw = masked_raw(b, c, 0, x);
    for (int32_t k = 1; k < gm_opt_int(b, "orders"); k++)
        raw = gm_where(b, gm_equal(b, number, gm_const(b, k)), masked_raw(b, c, k, x), raw);
    return raw;
}

/* A row has an order by chance, so that rows come from the mean of the probabilities. What is drawn
 * for a column is of its own element's noise in each step. */
static gm_node *next(gm_builder *b, gm_node *x, gm_node *step, gm_node *temperature)
{
    columns c;
    int64_t n = gm_opt_int(b, "orders"), one[2] = {GM_BATCH, 1}, batch = GM_BATCH;
    if (!find_columns(b, &c))
        return NULL;
    gm_node *number = gm_scale(b, gm_uniform(b, 1, &batch), (double)n);
    gm_node *index = gm_index(b, number), *place = gm_gather(b, places(b, &c), index);
    number = gm_reshape(b, gm_narrow(b, index), 2, one);
    gm_node *known = gm_greater(b, step, place);
    gm_node *raw =
        any_order(b) ? free_raw(b, &c, gm_mul(b, x, known), known) : raw_in(b, &c, x, number);
    gm_likelihood l = observation(b);
    return gm_where(b, gm_equal(b, place, step), gm__likelihood_draw(b, &l, raw, temperature), x);
}

static const gm_sequence sequence = {
    .struct_size = sizeof(gm_sequence), .steps = steps, .next = next, .conditional = 1};

/* ---- One column given others ----------------------------------------------------------------- */

/* The network that is asked for: the first where it does not matter. */
static int32_t member(gm_builder *b)
{
    int32_t k = gm__builder_purpose(b)->member;
    return k > 0 ? k - 1 : 0;
}

static int32_t column_order(gm_builder *b, int32_t *numbers)
{
    columns c;
    order o;
    gm__purpose *purpose = gm__builder_purpose(b);
    if (!find_columns(b, &c) || !make_order(b, &c, member(b), &o))
        return 0;
    for (int32_t i = 0; i < c.count; i++)
        numbers[i] = c.first[o.at[i]];
    if (any_order(b))
        return 1;
    purpose->members = (int32_t)gm_opt_int(b, "orders");
    /* of several orders a column has no one law */
    return purpose->members > 1 && !purpose->member ? -1 : 0;
}

static gm_node *column_raw(gm_builder *b, gm_node *x, gm_node *known)
{
    columns c;
    if (!find_columns(b, &c))
        return NULL;
    return any_order(b) ? free_raw(b, &c, x, known) : masked_raw(b, &c, member(b), x);
}

static const gm_conditionals conditionals = {.struct_size = sizeof(gm_conditionals),
                                             .order = column_order,
                                             .raw = column_raw,
                                             .likelihood = likelihood};

const gm_family gm__autoregressive = {
    .struct_size = sizeof(gm_family),
    .version = 1,
    .name = "autoregressive",
    .summary = "columns one after another (MADE): exact log p of real, whole, binary and category "
               "columns, any of them given others",
    .options = options,
    .log_prob_kind = GM_EXACT,
    .flags = GM_FAMILY_DISCRETE | GM_FAMILY_NATS | GM_FAMILY_CONDITIONS,
    .loss = loss,
    .log_prob = log_prob,
    .conditionals = &conditionals,
    .sequence = &sequence,
};
