/* Columns one after another. What the network says of a column is read by a graph of that column
 * alone, which columns alike share. */
#include "model/walk.h"
#include "graph/causal.h"
#include "nn/law.h"
#include "base/size.h"

#include <string.h>

#define MOST_ROWS GM__WALK_ROWS
#define MOST_BYTES (32 << 20) /* of values at once */

/* A column, by its place. */
typedef struct place {
    int64_t first, width; /* in x */
    int64_t raw, numbers; /* its parameters: numbers of them in list from raw on */
    int32_t node, before; /* of its noise */
    int32_t alike;        /* the first place whose graphs are the same */
    gm__plan *draw, *law; /* of the first of those alike */
    int raw_input, temperature_input;
} place;

struct gm__walk {
    gm_allocator allocator;
    gm__arena arena;
    gm__structure *s; /* counted */
    gm__real real;
    size_t size;   /* bytes of a value */
    gm_builder *b; /* whose nodes the network is */
    gm__causal *network;
    int64_t places, widest, longest; /* columns, most of x's and most parameters that one has */
    place *place;
    int64_t *list; /* parameters by place */
    char *raw, *x; /* (MOST_ROWS, longest), (MOST_ROWS, widest) */
    /* Of several networks, of which each row comes from one by chance. */
    int32_t member, members; /* from 1 on */
    gm__walk *others;        /* one after another; the first has these: */
    gm__plan *which;         /* the number of each row's network, from 0 on */
    double *some;            /* (MOST_ROWS, width) */
};

/* ---- Making ---------------------------------------------------------------------------------- */

static int same_column(const gm__structure *s, int64_t a, int64_t b)
{
    if (!s->x_columns)
        return 1;
    const gm_x_column *p = &s->x_columns[a], *q = &s->x_columns[b];
    return p->kind == q->kind && p->width == q->width &&
           (p->kind == GM_X_REAL || (p->low == q->low && p->high == q->high && p->step == q->step));
}

static void find_alike(gm__walk *w)
{
    for (int64_t i = 0; i < w->places; i++) {
        place *p = &w->place[i];
        p->alike = (int32_t)i;
        for (int64_t k = i - 1; k >= 0 && p->alike == i; k--) {
            const place *q = &w->place[k];
            if (q->node == p->node && q->numbers == p->numbers &&
                same_column(w->s, q->first, p->first))
                p->alike = q->alike;
        }
    }
}

/* What is asked of the builder, by column of x. */
typedef struct asked {
    int32_t *order, *of_x, *node, *before; /* (width) */
    int32_t *owner, *of_raw;               /* (parameters) */
    int64_t numbers;
} asked;

static void list_numbers(gm__walk *w, asked *a)
{
    int64_t at = 0;
    for (int64_t j = 0; j < a->numbers; j++)
        w->place[a->of_raw[j] = a->of_x[a->owner[j]]].numbers++;
    for (int64_t i = 0; i < w->places; i++) {
        place *p = &w->place[i];
        p->raw = at;
        at += p->numbers;
        w->longest = p->numbers > w->longest ? p->numbers : w->longest;
        w->widest = p->width > w->widest ? p->width : w->widest;
        p->numbers = 0;
    }
    for (int64_t j = 0; j < a->numbers; j++) {
        place *p = &w->place[a->of_raw[j]];
        w->list[p->raw + p->numbers++] = j;
    }
}

static gm_status fill_places(gm_context *ctx, gm__walk *w, asked *a)
{
    w->place = gm__arena_array(&w->arena, w->places, sizeof *w->place);
    w->list = gm__arena_array(&w->arena, a->numbers, sizeof *w->list);
    if (!w->place || !w->list)
        return gm__no_memory(ctx);
    memset(w->place, 0, (size_t)w->places * sizeof *w->place);
    for (int64_t i = 0; i < w->places; i++) {
        place *p = &w->place[i];
        gm_x_column c = {.struct_size = sizeof c};
        gm_builder_x_column(w->b, a->order[i], &c);
        *p = (place){.first = a->order[i],
                     .width = c.width,
                     .node = a->node[a->order[i]],
                     .before = a->before[a->order[i]]};
        for (int64_t j = p->first; j < p->first + p->width; j++)
            a->of_x[j] = (int32_t)i;
    }
    list_numbers(w, a);
    find_alike(w);
    w->raw = gm__arena_array(&w->arena, MOST_ROWS * w->longest, w->size);
    w->x = gm__arena_array(&w->arena, MOST_ROWS * w->widest, w->size);
    return w->raw && w->x ? GM_OK : gm__no_memory(ctx);
}

/* Fills the walk; its network stays NULL where there is none of the kind. */
static gm_status fill(gm_context *ctx, gm__walk *w)
{
    const gm_conditionals *c = w->s->family->conditionals;
    gm_builder *b = w->b;
    int64_t width = w->s->width, shape[2] = {GM_BATCH, width};
    gm_likelihood l = {.struct_size = sizeof l};
    asked a = {.order = gm__builder_scratch(b, 4 * width, sizeof *a.order)};
    int one = a.order && c->order(b, a.order) == 0;
    w->members = gm__builder_purpose(b)->members;
    if (!one || !(w->s->lawful || w->members > 1))
        return gm__builder_check(ctx, b);
    c->likelihood(b, &l);
    if (l.spread != GM_SPREAD_NETWORK && l.spread != GM_SPREAD_FIXED)
        return GM_OK;
    gm_node *x = gm_input(b, "given", GM_REAL_NODE, 2, shape);
    gm_node *raw = c->raw(b, x, gm_input(b, "known", GM_REAL_NODE, 2, shape));
    a.numbers = gm_likelihood_width(b, &l);
    a.owner = gm__builder_scratch(b, 2 * a.numbers, sizeof *a.owner);
    GM_TRY(gm__builder_check(ctx, b));
    if (gm_node_ndim(raw) != 2 || gm_node_dim(raw, 1) != a.numbers)
        return GM_OK;
    a.of_x = a.order + width;
    a.node = a.of_x + width;
    a.before = a.node + width;
    a.of_raw = a.owner + a.numbers;
    gm__likelihood_owners(b, &l, a.owner);
    gm__likelihood_noise(b, &l, a.node, a.before);
    w->places = w->s->columns;
    GM_TRY(fill_places(ctx, w, &a));
    return gm__causal_create(ctx, raw, x, a.of_x, a.of_raw, w->real, &w->network);
}

static gm_status create(gm_context *ctx, gm__structure *s, gm__real real, int32_t member,
                        gm__walk **walk)
{
    const gm_family *f = s->family;
    gm__purpose how = {.member = member};
    *walk = NULL;
    if (!f->conditionals || !f->conditionals->raw)
        return GM_OK;
    gm__walk *w = gm__alloc(&ctx->allocator, sizeof *w);
    if (!w)
        return gm__no_memory(ctx);
    *w = (gm__walk){.allocator = ctx->allocator,
                    .arena = {.allocator = ctx->allocator},
                    .s = gm__structure_retain(s),
                    .real = real,
                    .size = real == GM__F64 ? 8 : 4,
                    .member = member};
    gm_status code = gm__structure_builder(ctx, s, &how, &w->b);
    if (!code)
        code = fill(ctx, w);
    if (!code && w->network)
        *walk = w;
    else
        gm__walk_free(w);
    return code;
}

gm_status gm__walk_create(gm_context *ctx, gm__structure *s, gm__real real, gm__walk **walk)
{
    return create(ctx, s, real, 0, walk);
}

void gm__walk_free(gm__walk *w)
{
    while (w) {
        gm_allocator a = w->allocator;
        gm__walk *others = w->others;
        for (int64_t i = 0; w->place && i < w->places; i++) {
            gm__plan_free(w->place[i].draw);
            gm__plan_free(w->place[i].law);
        }
        gm__plan_free(w->which);
        gm__causal_free(w->network);
        gm__builder_free(w->b);
        gm__arena_clear(&w->arena);
        gm__structure_release(w->s);
        gm__free(&a, w, sizeof *w);
        w = others;
    }
}

/* ---- A column -------------------------------------------------------------------------------- */

/* A builder of the column alone, and what its raw parameters are. */
static gm_status one_column(gm_context *ctx, const gm__walk *w, const place *p, gm_builder **b,
                            gm_likelihood *l, gm_node **raw)
{
    const gm__structure *s = w->s;
    int64_t shape[2] = {GM_BATCH, p->numbers};
    gm__purpose how = {.values = s->values,
                       .width = p->width,
                       .columns = s->x_columns ? s->x_columns + p->first : NULL};
    GM_TRY(gm__builder_create(ctx, &w->s->layout, &how, b));
    *l = (gm_likelihood){.struct_size = sizeof *l};
    s->family->conditionals->likelihood(*b, l);
    *raw = gm_input(*b, "raw", GM_REAL_NODE, 2, shape);
    return GM_OK;
}

static gm_status compile(gm_context *ctx, const gm__walk *w, gm_builder *b, gm_node *node,
                         gm__plan **plan)
{
    gm__output out = {.node = node};
    gm_status code = gm__builder_check(ctx, b);
    if (!code)
        code = gm__plan_create(ctx, b, &out, 1, w->real, MOST_ROWS, plan);
    gm__builder_free(b);
    return code;
}

/* The graph that draws a column, by inputs "raw" (batch, numbers) and "temperature". */
static gm_status make_draw(gm_context *ctx, const gm__walk *w, place *p)
{
    gm_builder *b;
    gm_likelihood l;
    gm_node *raw;
    GM_TRY(one_column(ctx, w, p, &b, &l, &raw));
    gm_node *temperature = gm_input(b, "temperature", GM_REAL_NODE, 0, NULL);
    gm__builder_set_stream(b, 1 + p->node);
    GM_TRY(compile(ctx, w, b, gm__likelihood_draw(b, &l, raw, temperature), &p->draw));
    p->raw_input = gm__plan_input(p->draw, "raw");
    p->temperature_input = gm__plan_input(p->draw, "temperature");
    return GM_OK;
}

/* What the network says of place i in rows [first, first + count), at most MOST_ROWS, into w->raw.
 */
static void get_raw(gm__walk *w, int64_t i, int64_t first, int64_t count)
{
    const place *p = &w->place[i];
    for (int64_t k = 0; k < p->numbers; k++)
        gm__causal_get(w->network, w->list[p->raw + k], first, count, w->raw + (size_t)k * w->size,
                       p->numbers);
}

static gm_status draw_column(gm_context *ctx, gm__walk *w, const gm__walk_call *call, int64_t i,
                             double *x)
{
    place *p = &w->place[i], *alike = &w->place[p->alike];
    const void *inputs[2] = {NULL, NULL};
    void *out = w->x;
    if (!alike->draw)
        GM_TRY(make_draw(ctx, w, alike));
    gm__causal_advance(ctx, w->network, call->params, (int32_t)i);
    get_raw(w, i, 0, call->n);
    if (alike->raw_input >= 0)
        inputs[alike->raw_input] = w->raw;
    if (alike->temperature_input >= 0)
        inputs[alike->temperature_input] = call->temperature;
    gm__run run = {.batch = call->n,
                   .seed = call->seed,
                   .row0 = call->row0,
                   .before = p->before,
                   .inputs = inputs,
                   .outputs = &out};
    GM_TRY(gm__plan_run(ctx, alike->draw, &run));
    for (int64_t k = 0; k < p->width; k++) {
        const char *from = w->x + (size_t)k * w->size;
        gm__causal_put(w->network, p->first + k, 0, call->n, from, p->width);
        for (int64_t r = 0; r < call->n; r++)
            x[r * w->s->width + p->first + k] =
                w->real == GM__F64 ? ((const double *)(const void *)from)[r * p->width]
                                   : (double)((const float *)(const void *)from)[r * p->width];
    }
    return GM_OK;
}

static gm_status sample_rows(gm_context *ctx, gm__walk *w, const gm__walk_call *call, double *x)
{
    GM_TRY(gm__causal_begin(ctx, w->network, call->n, call->condition));
    for (int64_t i = 0; i < w->places; i++) {
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(draw_column(ctx, w, call, i, x));
    }
    return GM_OK;
}

/* ---- Networks of which each row comes from one ----------------------------------------------- */

/* The number of each row's network: of the first random node of a step. */
static gm_status make_which(gm_context *ctx, gm__walk *w)
{
    gm__purpose how = {.values = w->s->values};
    gm_builder *b;
    int64_t batch = GM_BATCH;
    w->some = gm__arena_array(&w->arena, MOST_ROWS * w->s->width, sizeof *w->some);
    if (!w->some)
        return gm__no_memory(ctx);
    GM_TRY(gm__builder_create(ctx, &w->s->layout, &how, &b));
    gm_node *number = gm_scale(b, gm_uniform(b, 1, &batch), (double)w->members);
    return compile(ctx, w, b, gm_wide(b, gm_narrow(b, gm_index(b, number))), &w->which);
}

gm_status gm__walk_create_all(gm_context *ctx, gm__structure *s, gm__real real, gm__walk **walk)
{
    GM_TRY(create(ctx, s, real, 1, walk));
    gm__walk *w = *walk, *last = w;
    gm_status code = w && w->members > 1 ? make_which(ctx, w) : GM_OK;
    for (int32_t k = 2; w && k <= w->members && !code; k++) {
        code = create(ctx, s, real, k, &last->others);
        if (!code && !last->others) /* another kind of network: none walks */
            break;
        last = last->others;
    }
    if (code || (w && w->members > 1 && last->member != w->members)) {
        gm__walk_free(w);
        *walk = NULL;
    }
    return code;
}

/* Every network draws all rows, so that each has its own noise; which one's counts is by chance. */
static gm_status sample_members(gm_context *ctx, gm__walk *w, const gm__walk_call *call, double *x)
{
    double number[MOST_ROWS];
    void *out = number;
    gm__run run = {.batch = call->n, .seed = call->seed, .row0 = call->row0, .outputs = &out};
    if (w->members < 2)
        return sample_rows(ctx, w, call, x);
    GM_TRY(gm__plan_run(ctx, w->which, &run));
    for (gm__walk *one = w; one; one = one->others) {
        GM_TRY(sample_rows(ctx, one, call, w->some));
        for (int64_t i = 0; i < call->n; i++)
            if ((int32_t)number[i] == one->member - 1)
                memcpy(x + i * w->s->width, w->some + i * w->s->width,
                       (size_t)w->s->width * sizeof *x);
    }
    return GM_OK;
}

gm_status gm__walk_sample(gm_context *ctx, gm__walk *w, const gm__walk_call *call, double *x)
{
    int64_t most = (int64_t)(MOST_BYTES / gm__causal_row(w->network)) / 64 * 64;
    most = most < 64 ? 64 : most > MOST_ROWS ? MOST_ROWS : most;
    for (int64_t first = 0; first < call->n; first += most) {
        gm__walk_call some = *call;
        some.n = call->n - first < most ? call->n - first : most;
        some.row0 += first;
        if (some.condition)
            some.condition =
                (const char *)call->condition + (size_t)(first * call->width) * w->size;
        GM_TRY(sample_members(ctx, w, &some, x + first * w->s->width));
    }
    return GM_OK;
}

/* ---- Laws ------------------------------------------------------------------------------------ */

size_t gm__walk_row(const gm__walk *w)
{
    return gm__causal_row(w->network);
}

/* Doubles in the walk's precision: themselves, or n of them in `to`. */
static const void *in_precision(gm_context *ctx, const gm__walk *w, const double *x, int64_t n,
                                void *to)
{
    if (w->real == GM__F64)
        return x;
    ctx->kernels->maps->narrow(to, x, n);
    return to;
}

gm_status gm__walk_begin(gm_context *ctx, gm__walk *w, int64_t n, const double *condition,
                         int64_t width)
{
    float *narrow = NULL;
    int64_t cells = n * width;
    if (!condition || w->real == GM__F64)
        return gm__causal_begin(ctx, w->network, n, condition);
    GM_TRY(gm__alloc_large(ctx, (size_t)cells * sizeof *narrow, &narrow));
    gm_status code =
        gm__causal_begin(ctx, w->network, n, in_precision(ctx, w, condition, cells, narrow));
    gm__free(&ctx->allocator, narrow, (size_t)cells * sizeof *narrow);
    return code;
}

void gm__walk_put(gm_context *ctx, gm__walk *w, int64_t column, int64_t first, int64_t count,
                  const double *x)
{
    gm__causal_put(w->network, column, first, count, in_precision(ctx, w, x, count, w->x), 1);
}

void gm__walk_advance(gm_context *ctx, gm__walk *w, const void *params, int64_t i)
{
    gm__causal_advance(ctx, w->network, params, (int32_t)i);
}

static gm_status make_law(gm_context *ctx, const gm__walk *w, place *p)
{
    gm_builder *b;
    gm_likelihood l;
    gm_node *raw;
    GM_TRY(one_column(ctx, w, p, &b, &l, &raw));
    return compile(ctx, w, b, gm_wide(b, gm__likelihood_laws(b, &l, raw)), &p->law);
}

gm_status gm__walk_law(gm_context *ctx, gm__walk *w, int64_t i, int64_t first, int64_t count,
                       double *numbers)
{
    place *alike = &w->place[w->place[i].alike];
    const void *inputs[1] = {w->raw};
    void *out = numbers;
    if (!alike->law)
        GM_TRY(make_law(ctx, w, alike));
    get_raw(w, i, first, count);
    gm__run run = {.batch = count, .inputs = inputs, .outputs = &out};
    return gm__plan_run(ctx, alike->law, &run);
}
