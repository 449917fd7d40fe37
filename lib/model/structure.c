/* A model without its weights: family, options, columns, transforms, layout; and the graphs of its
 * tasks. */
#include "model/direct.h"
#include "model/laws.h"

#include <math.h>
#include <stdatomic.h>

int gm__structure_tables(const gm_family *family, const gm_option_row *tables[8])
{
    int n = 0;
    if (family->options)
        tables[n++] = family->options;
    tables[n++] = family->direct ? gm__direct_fit_options : gm__fit_options;
    tables[n++] = gm__transform_options;
    return n;
}

gm__structure *gm__structure_retain(const gm__structure *s)
{
    gm__structure *owned = (gm__structure *)(uintptr_t)s;
    atomic_fetch_add((_Atomic int32_t *)&owned->owners, 1);
    return owned;
}

void gm__structure_release(gm__structure *s)
{
    if (!s || atomic_fetch_sub((_Atomic int32_t *)&s->owners, 1) != 1)
        return;
    gm_allocator a = s->allocator;
    gm__values_free(s->values);
    gm__schema_release(s->schema);
    gm__schema_release(s->rows);
    gm__transform_release(s->transform);
    gm__layout_clear(&s->layout);
    gm__free(&a, s->x_columns, s->x_columns ? (size_t)s->width * sizeof *s->x_columns : 0);
    gm__levels_clear(s);
    gm__free(&a, s, sizeof *s);
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

gm_status gm__structure_builder(gm_context *ctx, gm__structure *s, const gm__purpose *how,
                                gm_builder **b)
{
    gm__purpose purpose = *how;
    purpose.values = s->values;
    purpose.width = s->width;
    purpose.columns = s->x_columns;
    purpose.levels = s->levels;
    purpose.angle = s->angle;
    purpose.mixing = s->mixing;
    purpose.seed = (uint64_t)gm__value_int(s->values, "seed");
    GM_TRY(gm__builder_create(ctx, &s->layout, &purpose, b));
    if (s->conditions > 0) {
        int64_t shape[2] = {GM_BATCH, s->given};
        gm__builder_set_condition(*b, gm_input(*b, "condition", GM_REAL_NODE, 2, shape));
    }
    return GM_OK;
}

static gm_node *wide(gm_builder *b, gm_node *x)
{
    return gm_node_type(x) == GM_WIDE_NODE ? x : gm_wide(b, x);
}

gm_node *gm__loss_build(gm_builder *b, const gm__structure *s)
{
    gm_node *log_density, *reals, *x = gm__front(b, s, GM__FRONT_DRAW, &log_density, &reals);
    /* a diffusion's loss is in units of its own, which do not weigh against nats: its front stays
     * as it starts */
    if (s->family->diffusion)
        return wide(b, s->family->loss(b, log_density ? gm_stop_gradient(b, x) : x));
    gm_node *loss = s->family->loss ? wide(b, s->family->loss(b, x))
                                    : gm_neg(b, wide(b, s->family->log_prob(b, x)));
    return log_density ? gm_sub(b, loss, log_density) : loss;
}

static gm_node *build_log_prob(gm_builder *b, const gm__structure *s, gm_node **reals)
{
    gm_node *log_density, *x = gm__front(b, s, GM__FRONT_DRAW, &log_density, reals);
    gm_node *logp = wide(b, s->family->log_prob(b, x));
    return log_density ? gm_add(b, logp, log_density) : logp;
}

/* One step of a sequence: inputs "row" (batch, width), "sequence.step" and "temperature". */
static void build_step(gm_builder *b, const gm__structure *s, gm_node *out[1])
{
    int64_t shape[2] = {GM_BATCH, s->width};
    gm_node *row = gm_input(b, "row", GM_REAL_NODE, 2, shape);
    gm_node *step = gm_input(b, "sequence.step", GM_REAL_NODE, 0, NULL);
    gm_node *temperature = gm_input(b, "temperature", GM_REAL_NODE, 0, NULL);
    out[0] = s->family->sequence->next(b, row, step, temperature);
}

int gm__task_build(gm_builder *b, const gm__structure *s, gm__task task, gm_node *out[2])
{
    int64_t shape[2] = {GM_BATCH, s->code};
    gm_node *reals, *log_density;
    if (task == GM__LAWS) {
        out[0] = gm__laws_build(b, s);
        return 1;
    }
    if (task >= GM__VELOCITY)
        return gm__noised_build(b, s, task, out);
    switch (task) {
    case GM__LOG_PROB:
        out[0] = build_log_prob(b, s, &reals);
        return 1;
    case GM__GRADIENT:
        out[0] = build_log_prob(b, s, &reals);
        if (!reals)
            return 1;
        gm_gradient(b, out[0], 1, &reals, &out[1]);
        return 2;
    case GM__ENCODE:
        out[0] = s->family->encode(b, gm__front(b, s, GM__FRONT_MIDDLE, &log_density, &reals));
        return 1;
    case GM__DECODE:
        out[0] = s->family->decode(b, gm_input(b, "z", GM_REAL_NODE, 2, shape));
        return 1;
    default:
        if (s->family->sequence) {
            build_step(b, s, out);
            return 1;
        }
        out[0] = gm_mul(b, s->family->base(b), gm_input(b, "temperature", GM_REAL_NODE, 0, NULL));
        out[0] = s->family->draw && task == GM__SAMPLE ? s->family->draw(b, out[0])
                                                       : s->family->decode(b, out[0]);
        return 1;
    }
}

/* ---- Making ---------------------------------------------------------------------------------- */

static int answers(const gm__structure *s, gm__task task)
{
    const gm_family *f = s->family;
    if (f->diffusion)
        return task == GM__VELOCITY || task == GM__DIVERGENCE ||
               (task > GM__DIVERGENCE && s->indices > 0);
    if (task >= GM__VELOCITY)
        return 0;
    static const int32_t needs[] = {GM_CAN_LOG_PROB, GM_CAN_GRADIENT, GM_CAN_ENCODE,
                                    GM_CAN_DECODE,   GM_CAN_SAMPLE,   GM_CAN_SAMPLE};
    return (gm__family_capabilities(f) & needs[task]) != 0;
}

static gm_status check_output(gm_context *ctx, const gm__structure *s, const char *function,
                              const gm_node *out, int64_t columns)
{
    int right = gm_node_dim(out, 0) == GM_BATCH && gm_node_ndim(out) == (columns ? 2 : 1) &&
                (!columns || gm_node_dim(out, 1) == columns);
    if (right)
        return GM_OK;
    char wanted[48] = "(batch)";
    if (columns)
        gm__format(wanted, sizeof wanted, "(batch, %lld)", (long long)columns);
    return gm__fail(ctx, GM_E_SHAPE,
                    "%s: %s gives a node of %d dimensions, the last of them %lld; %s was expected",
                    s->family->name, function, (int)gm_node_ndim(out),
                    (long long)gm_node_dim(out, -1), wanted);
}

/* Builds a graph once, so that the layout learns its parameters and mistakes of a family are found
 * early. */
static gm_status try_task(gm_context *ctx, gm__structure *s, int task, int phase)
{
    static const char functions[][12] = {"log_prob", "log_prob", "encode",   "decode",
                                         "decode",   "decode",   "velocity", "velocity",
                                         "front",    "front",    "loss",     "laws"};
    gm_builder *b;
    gm__purpose how = {.training = task == GM__LOSS, .phase = phase};
    gm_node *out[2] = {NULL, NULL};
    GM_TRY(gm__check_cancel(ctx));
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    if (task == GM__LOSS)
        out[0] = gm__loss_build(b, s);
    else
        gm__task_build(b, s, (gm__task)task, out);
    gm_status code = gm__builder_check(ctx, b);
    int64_t columns = task == GM__ENCODE                      ? s->code
                      : task >= GM__DECODE && task < GM__LOSS ? s->width
                      : task == GM__LAWS                      ? gm_node_dim(out[0], -1)
                                                              : 0;
    if (!code)
        code =
            check_output(ctx, s, task == GM__SAMPLE && s->family->draw ? "draw" : functions[task],
                         out[0], columns);
    gm__builder_free(b);
    return code;
}

static gm_status find_code(gm_context *ctx, gm__structure *s)
{
    if (!s->family->code)
        return GM_OK;
    gm_builder *b;
    gm__purpose how = {0};
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    s->code = s->family->code(b);
    gm_status code = gm__builder_check(ctx, b);
    gm__builder_free(b);
    if (!code && s->code < 1)
        code = gm__fail(ctx, GM_E_RANGE, "%s: the code has %lld columns, must have at least 1",
                        s->family->name, (long long)s->code);
    return code;
}

/* Column `place` of the transform's real outputs: which of the schema's columns it is. */
static int64_t real_column(const gm__structure *s, int64_t place)
{
    for (int64_t j = 0; j < gm__transform_columns(s->transform); j++)
        if (gm__transform_place(s->transform, j) == place)
            return j;
    return -1;
}

/* The range of a real column in x's units. */
static void find_range(const gm__structure *s, int64_t place, gm_x_column *x)
{
    int64_t j = real_column(s, place);
    const gm__column *c = &s->schema->columns[j];
    int whole = c->type == GM_COLUMN_INTEGER || c->type == GM_COLUMN_ORDERED;
    double last = c->type == GM_COLUMN_ORDERED ? (double)c->categories - 1 : c->high;
    x->low = -INFINITY;
    x->high = INFINITY;
    if (gm__transform_mixes(s->transform))
        return;
    gm__transform_value(s->transform, j, c->type == GM_COLUMN_ORDERED ? 0 : c->low, &x->low);
    gm__transform_value(s->transform, j, last + whole, &x->high);
}

/* The transform's real outputs, then what stands for categories: one-hot, real ones, or in direct
 * families their numbers. */
static void fill_x_columns(gm__structure *s)
{
    int64_t at = s->reals;
    gm__transform_x_columns(s->transform, s->x_columns);
    for (int64_t j = 0; s->family->direct && j < s->reals; j++)
        if (s->x_columns[j].kind == GM_X_REAL)
            find_range(s, j, &s->x_columns[j]);
    for (int64_t i = 0; i < s->indices; i++) {
        int64_t width = gm__front_width(s, i), one = s->discrete || s->family->direct;
        gm_x_column c = {.struct_size = sizeof c,
                         .kind = one ? GM_X_CATEGORY : GM_X_REAL,
                         .width = one ? width : 1};
        if (s->family->direct) {
            c.high = (double)gm__transform_categories(s->transform, i) - 1;
            c.step = 1;
        }
        for (int64_t end = at + width; at < end; at += c.width)
            s->x_columns[at] = c;
    }
}

static gm_status find_x_columns(gm_context *ctx, gm__structure *s)
{
    int32_t flags = s->family->flags;
    int64_t counted = gm__transform_x_columns(s->transform, NULL);
    s->discrete = (flags & GM_FAMILY_DISCRETE) != 0;
    if (s->discrete ? gm__transform_random(s->transform) : counted > 0)
        return gm__fail(ctx, GM_E_FORMAT,
                        "%s: the transform is of a family that takes discrete columns %s",
                        s->family->name, s->discrete ? "as real ones" : "as they are");
    for (int64_t j = 0; j < s->schema->count && !(flags & GM_FAMILY_CIRCULAR); j++)
        if (s->schema->columns[j].type == GM_COLUMN_CIRCULAR &&
            s->schema->columns[j].role == GM_ROLE_FEATURE)
            return gm__fail(ctx, GM_E_FORMAT, "%s: takes no circular columns", s->family->name);
    s->width = s->reals;
    for (int64_t i = 0; i < s->indices; i++)
        s->width += gm__front_width(s, i);
    if (s->width < 1)
        return gm__fail(ctx, GM_E_SHAPE, "%s: there are no feature columns to learn",
                        s->family->name);
    if (!s->discrete && !s->family->direct && !(flags & GM_FAMILY_CIRCULAR))
        return GM_OK;
    s->x_columns = gm__alloc_array(&s->allocator, s->width, sizeof *s->x_columns);
    if (!s->x_columns)
        return gm__no_memory(ctx);
    fill_x_columns(s);
    return GM_OK;
}

static gm_status find_steps(gm_context *ctx, gm__structure *s)
{
    gm_builder *b;
    gm__purpose how = {0};
    if (!s->family->sequence)
        return GM_OK;
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    s->steps = s->family->sequence->steps(b);
    gm_status code = gm__builder_check(ctx, b);
    gm__builder_free(b);
    if (!code && s->steps < 1)
        code = gm__fail(ctx, GM_E_RANGE, "%s: the sequence has %lld steps, must have at least 1",
                        s->family->name, (long long)s->steps);
    return code;
}

/* Whether a model of these options has laws. */
static gm_status find_laws(gm_context *ctx, gm__structure *s)
{
    gm_builder *b;
    gm__purpose how = {0};
    GM_TRY(gm__structure_builder(ctx, s, &how, &b));
    int32_t *order = gm__builder_scratch(b, s->width, sizeof *order);
    s->lawful = order && s->family->conditionals->order(b, order) >= 0;
    gm_status code = gm__builder_check(ctx, b);
    gm__builder_free(b);
    return code;
}

/* Graphs that learn the layout. */
static gm_status try_tasks(gm_context *ctx, gm__structure *s)
{
    GM_TRY(gm__levels_create(ctx, s));
    GM_TRY(find_code(ctx, s));
    GM_TRY(find_steps(ctx, s));
    for (int phase = 0; phase == 0 || phase < s->family->phases; phase++)
        GM_TRY(try_task(ctx, s, GM__LOSS, phase));
    for (int task = GM__LOG_PROB; task < GM__LOSS; task++)
        if (task != GM__GRADIENT && task != GM__SAMPLE_MEAN && answers(s, (gm__task)task))
            GM_TRY(try_task(ctx, s, task, 0));
    if (s->family->conditionals)
        GM_TRY(find_laws(ctx, s));
    if (s->lawful)
        GM_TRY(try_task(ctx, s, GM__LAWS, 0));
    return GM_OK;
}

static gm_status fill(gm_context *ctx, gm__structure *s, int64_t limit)
{
    const gm_direct *direct = s->family->direct;
    s->real = direct || gm__value_int(s->values, "precision") == 1 ? GM__F64 : GM__F32;
    s->reals = gm__transform_reals(s->transform);
    s->indices = gm__transform_indices(s->transform);
    gm__layout_init(&s->layout, &s->allocator);
    s->layout.limit = limit;
    GM_TRY(find_x_columns(ctx, s));
    s->columns = gm__transform_columns(s->transform);
    s->conditions = gm__transform_conditions(s->transform);
    s->given = gm__transform_given(s->transform);
    s->rows = s->conditions ? gm__schema_select(&s->allocator, s->schema, NULL, s->columns)
                            : gm__schema_retain(s->schema);
    if (!s->rows)
        return gm__no_memory(ctx);
    if (s->conditions && !(s->family->flags & GM_FAMILY_CONDITIONS))
        return gm__fail(ctx, GM_E_FORMAT, "%s: the family takes no conditions", s->family->name);
    s->code = s->width;
    s->kind = gm__family_kind(s->family);
    if (s->kind == GM_EXACT && !s->discrete &&
        ((s->indices > 0 && (!direct || (s->family->flags & GM_FAMILY_DRAWS))) ||
         gm__transform_random(s->transform)))
        s->kind = GM_LOWER_BOUND;
    s->lawful = direct && direct->law;
    if (!direct)
        GM_TRY(try_tasks(ctx, s));
    s->layout.closed = 1;
    return GM_OK;
}

gm_status gm__structure_create(gm_context *ctx, const gm_family *family, gm__values *values,
                               gm__schema *schema, gm__transform *transform, int64_t limit,
                               gm__structure **out)
{
    gm__structure *s = gm__alloc(&ctx->allocator, sizeof *s);
    if (!s) {
        gm__schema_release(schema);
        gm__transform_release(transform);
        return gm__no_memory(ctx);
    }
    *s = (gm__structure){.allocator = ctx->allocator,
                         .owners = 1,
                         .family = family,
                         .values = gm__values_retain(values),
                         .schema = schema,
                         .transform = transform};
    gm_status code = fill(ctx, s, limit);
    if (code) {
        gm__structure_release(s);
        return code;
    }
    *out = s;
    return GM_OK;
}
