/* A network's outputs place by place. Every node of a graph of rows is a sheet: its columns have
 * levels, the place at which all that they rest on is known. At a place the columns of that level
 * are computed, sheet after sheet, for strips of rows that lie side by side in lanes; a product's
 * columns are chains over rows of the weight as those of the whole product (kernels.h). */
#include "graph/causal.h"
#include "base/pool.h"
#include "graph/node.h"

#include <string.h>

#define LANES 64
/* Below so many operations a place stays on the calling thread. */
#define SHARED 400000.0

typedef struct sheet {
    const gm_node *node;
    int32_t *level; /* (width); NULL: no sheet */
    int64_t width, at;
    int32_t in[2]; /* sheets; -1 none */
    int32_t uses;
} sheet;

/* Columns [from, from + count) of a sheet, all of one level; of products k rows of the weight. */
typedef struct piece {
    int32_t sheet, level;
    int64_t from, count, k;
} piece;

struct gm__causal {
    gm__arena arena;
    gm__real real;
    size_t size; /* bytes of a value */
    sheet *sheets;
    int32_t nsheets, x, condition, out, npieces, places;
    piece *pieces;    /* by level, then sheet */
    int32_t *start;   /* (places + 1) */
    int32_t **concat; /* by sheet: its operands */
    int64_t width;    /* of all sheets */
    char *rows;
    size_t bytes;
    int64_t n;
};

typedef struct maker {
    gm__causal *c;
    int32_t *sheet_of; /* by id of node; -1 none */
    int32_t *pending;
    int memory; /* short */
} maker;

/* ---- Levels ---------------------------------------------------------------------------------- */

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int is_row(const gm_node *p, int64_t width)
{
    return p->number == GM__OP_PARAM && p->ndim == 1 && p->shape[0] == width;
}

/* Levels of a product with a weight whose columns begin at its first row; 0 if it is none. */
static int product_levels(const sheet *in, sheet *s)
{
    const gm_node *n = s->node, *w = n->in[1];
    const gm__mask *m = n->attr.mask;
    if (w->number != GM__OP_PARAM || n->attr.whole[0] || n->attr.whole[1] ||
        (m && (!m->cols_exact || n->attr.whole[2] != 1)))
        return 0;
    int32_t most = -1, done = 0; /* levels of rows [0, done) */
    for (int64_t j = 0; j < s->width; j++) {
        int32_t hi = m ? m->col_hi[j] : (int32_t)in->width;
        if (m && hi > m->col_lo[j] && m->col_lo[j] > 0)
            return 0;
        if (hi < done) {
            most = -1;
            done = 0;
        }
        for (; done < hi; done++)
            most = later(most, in->level[done]);
        s->level[j] = later(most, 0);
    }
    return 1;
}

static int move_levels(const maker *m, int32_t number, sheet *s)
{
    const gm_node *n = s->node;
    const sheet *a = &m->c->sheets[s->in[0]];
    const int32_t *index = n->attr.data;
    int64_t at = 0;
    if (n->number == GM__OP_TAKE) {
        for (int64_t j = 0; j < s->width; j++)
            s->level[j] = a->level[index[j]];
        return 1;
    }
    if (n->attr.whole[0] != 1)
        return 0;
    if (n->number == GM__OP_SLICE) {
        memcpy(s->level, a->level + n->attr.whole[1], (size_t)s->width * sizeof *s->level);
        return 1;
    }
    for (int32_t k = 0; k < n->nin; k++) {
        const sheet *from = &m->c->sheets[m->c->concat[number][k]];
        memcpy(s->level + at, from->level, (size_t)from->width * sizeof *s->level);
        at += from->width;
    }
    return 1;
}

static int levels(const maker *m, int32_t number, sheet *s)
{
    const gm_node *n = s->node;
    const sheet *a = &m->c->sheets[s->in[0]], *b = s->in[1] < 0 ? NULL : &m->c->sheets[s->in[1]];
    int op = n->number;
    if (op == GM__OP_MATMUL)
        return product_levels(a, s);
    if (op == GM__OP_TAKE || op == GM__OP_SLICE || op == GM__OP_CONCAT)
        return move_levels(m, number, s);
    int map1 = op >= GM__OP_MAP1 && op < GM__OP_MAP2, map2 = op >= GM__OP_MAP2 && op < GM__OP_WHERE;
    if (!(map1 || op == GM__OP_LEAKY || (map2 && (b || is_row(n->in[1], s->width)))) ||
        a->width != s->width || (b && b->width != s->width))
        return 0;
    for (int64_t j = 0; j < s->width; j++)
        s->level[j] = b ? later(a->level[j], b->level[j]) : a->level[j];
    return 1;
}

/* ---- Sheets ---------------------------------------------------------------------------------- */

static int is_sheet(const gm_node *n)
{
    return n->ndim == 2 && n->shape[0] == GM_BATCH && n->shape[1] > 0 && n->type == GM_REAL_NODE;
}

static int is_condition(const gm_node *n)
{
    return n->number == GM__OP_INPUT && strcmp(n->attr.data, "condition") == 0;
}

/* The operands of a node as sheets; 0 where one is none. */
static int operands(maker *m, int32_t number, sheet *s)
{
    const gm_node *n = s->node;
    gm__causal *c = m->c;
    s->in[0] = s->in[1] = -1;
    if (n->nin < 1 || (n->nin > 2 && n->number != GM__OP_CONCAT))
        return 0;
    if (n->number == GM__OP_CONCAT &&
        !(c->concat[number] = gm__arena_array(&c->arena, n->nin, sizeof **c->concat))) {
        m->memory = 1;
        return 0;
    }
    for (int32_t k = 0; k < n->nin; k++) {
        int32_t from = m->sheet_of[n->in[k]->id];
        if (from < 0 && (k == 0 || n->number == GM__OP_CONCAT || n->in[k]->number != GM__OP_PARAM))
            return 0;
        if (k < 2)
            s->in[k] = from;
        if (n->number == GM__OP_CONCAT)
            c->concat[number][k] = from;
        if (from >= 0)
            c->sheets[from].uses++;
    }
    return 1;
}

/* Maps write over what nothing else reads, where that is computed at the same places: a place may
 * be computed again. */
static void place(gm__causal *c, sheet *s)
{
    int op = s->node->number;
    sheet *a = s->in[0] < 0 ? NULL : &c->sheets[s->in[0]];
    if (a && a->uses == 1 && a->node->nin && op >= GM__OP_MAP1 && op < GM__OP_WHERE &&
        !memcmp(a->level, s->level, (size_t)s->width * sizeof *s->level)) {
        s->at = a->at;
        return;
    }
    s->at = c->width;
    c->width += s->width;
}

static int add_sheet(maker *m, const gm_node *n, const int32_t *of_x, const gm_node *x)
{
    gm__causal *c = m->c;
    int32_t number = c->nsheets;
    sheet *s = &c->sheets[number];
    *s = (sheet){.node = n, .in = {-1, -1}};
    if (!is_sheet(n) || (n->nin && !operands(m, number, s)))
        return 0;
    s->width = n->shape[1];
    s->level = gm__arena_array(&c->arena, s->width, sizeof *s->level);
    if (!s->level) {
        m->memory = 1;
        return 0;
    }
    if (n == x) {
        c->x = number;
        for (int64_t j = 0; j < s->width; j++)
            s->level[j] = of_x[j] + 1;
    } else if (is_condition(n)) {
        c->condition = number;
        memset(s->level, 0, (size_t)s->width * sizeof *s->level);
    } else if (!n->nin || !levels(m, number, s)) {
        return 0;
    }
    m->sheet_of[n->id] = number;
    c->nsheets++;
    return 1;
}

/* The nodes that out rests on, operands first, but for parameters. */
static int add_sheets(maker *m, const gm_node *out, const gm_node *x, const int32_t *of_x)
{
    gm_builder *b = out->builder;
    unsigned char *live = gm__arena_array(&m->c->arena, out->id + 1, 1);
    int32_t count = 0;
    if (!live) {
        m->memory = 1;
        return 0;
    }
    memset(live, 0, (size_t)out->id + 1);
    live[out->id] = 1;
    for (int32_t i = out->id; i >= 0; i--) {
        count += live[i];
        for (int32_t k = 0; live[i] && k < b->nodes[i]->nin; k++)
            live[b->nodes[i]->in[k]->id] = 1;
    }
    m->c->sheets = gm__arena_array(&m->c->arena, count, sizeof *m->c->sheets);
    m->c->concat = gm__arena_array(&m->c->arena, count, sizeof *m->c->concat);
    if (!m->c->sheets || !m->c->concat) {
        m->memory = 1;
        return 0;
    }
    for (int32_t i = 0; i <= out->id; i++)
        if (live[i] && b->nodes[i]->number != GM__OP_PARAM && !add_sheet(m, b->nodes[i], of_x, x))
            return 0;
    m->c->out = m->sheet_of[out->id];
    for (int32_t i = 0; i < m->c->nsheets; i++)
        place(m->c, &m->c->sheets[i]);
    return m->c->x >= 0;
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

/* Pieces of a sheet; counts them where there is no room. */
static int32_t cut(const gm__causal *c, int32_t number, piece *to)
{
    const sheet *s = &c->sheets[number];
    const gm__mask *m = s->node->attr.mask;
    int32_t count = 0;
    for (int64_t j = 0, end; j < s->width; j = end, count++) {
        int64_t k = 0;
        for (end = j; end < s->width && s->level[end] == s->level[j]; end++)
            if (s->node->number == GM__OP_MATMUL) {
                int64_t hi = m ? m->col_hi[end] : c->sheets[s->in[0]].width;
                k = hi > k ? hi : k;
            }
        if (to)
            to[count] = (piece){number, s->level[j], j, end - j, k};
    }
    return count;
}

static int make_pieces(maker *m)
{
    gm__causal *c = m->c;
    int64_t count = 0, at = 0;
    for (int32_t i = 0; i < c->nsheets; i++)
        if (c->sheets[i].node->nin)
            count += cut(c, i, NULL);
    piece *all = gm__arena_array(&c->arena, count + 1, sizeof *all);
    c->pieces = gm__arena_array(&c->arena, count + 1, sizeof *c->pieces);
    c->start = gm__arena_array(&c->arena, c->places + 2, sizeof *c->start);
    if (!all || !c->pieces || !c->start || count > INT32_MAX) {
        m->memory = 1;
        return 0;
    }
    memset(c->start, 0, (size_t)(c->places + 2) * sizeof *c->start);
    for (int32_t i = 0; i < c->nsheets; i++)
        if (c->sheets[i].node->nin)
            at += cut(c, i, all + at);
    for (int64_t i = 0; i < count; i++)
        c->start[all[i].level + 1]++;
    for (int32_t p = 0; p <= c->places; p++)
        c->start[p + 1] += c->start[p];
    for (int64_t i = 0; i < count; i++)
        c->pieces[c->start[all[i].level]++] = all[i];
    for (int32_t p = c->places; p >= 0; p--)
        c->start[p + 1] = c->start[p];
    c->start[0] = 0;
    c->npieces = (int32_t)count;
    return 1;
}

/* ---- Making ---------------------------------------------------------------------------------- */

static int make(maker *m, const gm_node *out, const gm_node *x, const int32_t *of_x,
                const int32_t *of_out)
{
    gm__causal *c = m->c;
    m->sheet_of = gm__arena_array(&c->arena, out->id + 1, sizeof *m->sheet_of);
    if (!m->sheet_of) {
        m->memory = 1;
        return 0;
    }
    for (int32_t i = 0; i <= out->id; i++)
        m->sheet_of[i] = -1;
    for (int64_t j = 0; j < x->shape[1]; j++)
        c->places = later(c->places, of_x[j] + 1);
    if (!add_sheets(m, out, x, of_x))
        return 0;
    for (int64_t j = 0; j < c->sheets[c->out].width; j++)
        if (c->sheets[c->out].level[j] > of_out[j])
            return 0;
    return c->sheets[c->out].node->nin && make_pieces(m);
}

gm_status gm__causal_create(gm_context *ctx, const gm_node *out, const gm_node *x,
                            const int32_t *of_x, const int32_t *of_out, gm__real real,
                            gm__causal **to)
{
    *to = NULL;
    gm__causal *c = gm__alloc(&ctx->allocator, sizeof *c);
    if (!c)
        return gm__no_memory(ctx);
    *c = (gm__causal){.arena = {.allocator = ctx->allocator},
                      .real = real,
                      .size = real == GM__F64 ? 8 : 4,
                      .x = -1,
                      .condition = -1};
    maker m = {.c = c};
    if (make(&m, out, x, of_x, of_out)) {
        *to = c;
        return GM_OK;
    }
    gm__causal_free(c);
    return m.memory ? gm__no_memory(ctx) : GM_OK;
}

void gm__causal_free(gm__causal *c)
{
    if (!c)
        return;
    gm_allocator a = c->arena.allocator;
    gm__free(&a, c->rows, c->rows ? c->bytes : 0);
    gm__arena_clear(&c->arena);
    gm__free(&a, c, sizeof *c);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

size_t gm__causal_row(const gm__causal *c)
{
    return (size_t)c->width * c->size;
}

/* Row i of column j of a sheet: strips are LANES rows of all columns. */
static char *cell(const gm__causal *c, int32_t number, int64_t j, int64_t i)
{
    int64_t column = c->sheets[number].at + j;
    return c->rows + (size_t)((i / LANES * c->width + column) * LANES + i % LANES) * c->size;
}

static void put(const gm__causal *c, int32_t number, int64_t j, int64_t first, int64_t count,
                const char *from, int64_t step)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(cell(c, number, j, first + i), from + (size_t)(i * step) * c->size, c->size);
}

gm_status gm__causal_begin(gm_context *ctx, gm__causal *c, int64_t n, const void *condition)
{
    size_t strips = (size_t)((n + LANES - 1) / LANES), strip = gm__causal_row(c) * LANES, bytes;
    if (gm__mul_size(strips, strip, &bytes))
        return gm__no_memory(ctx);
    if (bytes > c->bytes) {
        gm__free(&c->arena.allocator, c->rows, c->rows ? c->bytes : 0);
        c->bytes = 0;
        c->rows = gm__alloc(&c->arena.allocator, bytes);
        if (!c->rows)
            return gm__no_memory(ctx);
        c->bytes = bytes;
    }
    memset(c->rows, 0, bytes);
    c->n = n;
    for (int64_t j = 0; c->condition >= 0 && j < c->sheets[c->condition].width; j++)
        put(c, c->condition, j, 0, n, (const char *)condition + (size_t)j * c->size,
            c->sheets[c->condition].width);
    return GM_OK;
}

void gm__causal_put(gm__causal *c, int64_t j, int64_t first, int64_t count, const void *from,
                    int64_t step)
{
    put(c, c->x, j, first, count, from, step);
}

void gm__causal_get(const gm__causal *c, int64_t j, int64_t first, int64_t count, void *to,
                    int64_t step)
{
    for (int64_t i = 0; i < count; i++)
        memcpy((char *)to + (size_t)(i * step) * c->size, cell(c, c->out, j, first + i), c->size);
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static const char *param_at(const gm__causal *c, const void *params, const gm_node *n, int64_t at)
{
    return (const char *)params + ((size_t)n->attr.real[0] + (size_t)at) * c->size;
}

static void move_columns(const gm__causal *c, const piece *p, int64_t row0)
{
    const sheet *s = &c->sheets[p->sheet];
    const gm_node *n = s->node;
    const int32_t *index = n->attr.data;
    int32_t from = s->in[0], operand = 0;
    int64_t start = n->number == GM__OP_SLICE ? -n->attr.whole[1] : 0;
    for (int64_t j = p->from; j < p->from + p->count; j++) {
        int64_t of = n->number == GM__OP_TAKE ? index[j] : j - start;
        while (n->number == GM__OP_CONCAT && of >= c->sheets[from].width) {
            start += c->sheets[from].width;
            of -= c->sheets[from].width;
            from = c->concat[p->sheet][++operand];
        }
        memcpy(cell(c, p->sheet, j, row0), cell(c, from, of, row0), LANES * c->size);
    }
}

static void map_columns(const gm__causal *c, const gm__kernels *k, const void *params,
                        const piece *p, int64_t row0)
{
    const sheet *s = &c->sheets[p->sheet];
    int op = s->node->number, map2 = op - GM__OP_MAP2;
    char *y = cell(c, p->sheet, p->from, row0);
    const char *x = cell(c, s->in[0], p->from, row0);
    if (op == GM__OP_LEAKY)
        k->maps->leaky[c->real](y, x, s->node->attr.real[0], p->count * LANES);
    else if (map2 < 0)
        k->maps->map1[c->real][op - GM__OP_MAP1](y, x, p->count * LANES);
    else if (s->in[1] >= 0)
        k->maps->map2[c->real][map2](y, x, cell(c, s->in[1], p->from, row0), p->count * LANES);
    else
        for (int64_t j = 0; j < p->count; j++)
            k->maps->map2_right[c->real][map2](
                y + (size_t)(j * LANES) * c->size, x + (size_t)(j * LANES) * c->size,
                param_at(c, params, s->node->in[1], p->from + j), LANES);
}

static void run_piece(const gm__causal *c, const gm__kernels *k, const void *params, const piece *p,
                      int64_t row0)
{
    const sheet *s = &c->sheets[p->sheet];
    int op = s->node->number;
    if (op == GM__OP_MATMUL)
        k->units->run[c->real](cell(c, p->sheet, p->from, row0), cell(c, s->in[0], 0, row0),
                               param_at(c, params, s->node->in[1], p->from), LANES, s->width, p->k,
                               p->count);
    else if (op == GM__OP_TAKE || op == GM__OP_SLICE || op == GM__OP_CONCAT)
        move_columns(c, p, row0);
    else
        map_columns(c, k, params, p, row0);
}

typedef struct job {
    const gm__causal *c;
    const gm__kernels *kernels;
    const void *params;
    int32_t place, parts;
} job;

/* A share of the strips. */
static void work(void *arg, int32_t part)
{
    const job *j = arg;
    const gm__causal *c = j->c;
    int64_t strips = (c->n + LANES - 1) / LANES;
    for (int64_t s = strips * part / j->parts; s < strips * (part + 1) / j->parts; s++)
        for (int32_t i = c->start[j->place]; i < c->start[j->place + 1]; i++)
            run_piece(c, j->kernels, j->params, &c->pieces[i], s * LANES);
}

void gm__causal_advance(gm_context *ctx, gm__causal *c, const void *params, int32_t place)
{
    job j = {c, ctx->kernels, params, place, ctx->team.parts > 1 ? ctx->team.parts : 1};
    double operations = 0;
    for (int32_t i = c->start[place]; i < c->start[place + 1]; i++) {
        const piece *p = &c->pieces[i];
        operations += (double)c->n * (double)p->count * (double)(p->k + 1);
    }
    if (operations < SHARED)
        j.parts = 1;
    if (j.parts == 1)
        work(&j, 0);
    else
        gm__team_run(&ctx->team, j.parts, work, &j);
}
