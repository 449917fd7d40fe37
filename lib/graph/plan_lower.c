/* Last pass: drafts into what runs. Programs get their cells, operands and strip buffers; products
 * their templates. */
#include "graph/plan.h"

#include <string.h>

#define BUFFER_BYTES                                                                               \
    20480 /* of all strip buffers of a program: they share the first cache with what streams by */
#define STRIP_ELEMENTS 2048 /* of the widest value */

/* A program being made. */
typedef struct maker {
    gm__compiler *c;
    gm__program *p;
    int32_t draft;
    int32_t *operand_of; /* by item: its operand, -1 none yet */
    int32_t *last_cell;  /* by item that is a root: the last item of this draft to read it */
    int32_t *spare;      /* free buffers: operands */
    size_t *room;        /* by operand: bytes a row, of buffers */
    int32_t nspare, most_operands;
    int64_t widest;
    gm__value *extents; /* of expanded operands */
    int32_t nextents;
} maker;

static int copy_ints(gm__plan *p, int32_t **to, const int32_t *from, int32_t n)
{
    *to = gm__arena_array(&p->arena, n + 1, sizeof **to);
    if (*to && n)
        memcpy(*to, from, sizeof **to * (size_t)n);
    return !*to;
}

static const gm__attr *copy_attr(gm__plan *p, const gm__attr *from)
{
    gm__attr *a = gm__arena_alloc(&p->arena, sizeof *a);
    if (!a)
        return NULL;
    *a = *from;
    a->mask = NULL; /* the product copies what it needs of it */
    a->data = NULL;
    if (from->data && from->data_size) {
        void *copy = gm__arena_alloc(&p->arena, from->data_size);
        if (!copy)
            return NULL;
        a->data = memcpy(copy, from->data, from->data_size);
    }
    return a;
}

/* ---- Operands -------------------------------------------------------------------------------- */

static int32_t add_operand(maker *m, int32_t value, int32_t by_rows, size_t room)
{
    int32_t k = m->p->noperands++;
    m->p->operands[k] = (gm__operand){value, by_rows, 0};
    m->room[k] = room;
    return k;
}

static size_t row_bytes(maker *m, const gm__value *v)
{
    int64_t w = 0;
    if (gm__count_at(v->per_row, m->c->plan->capacity, &w) || w > INT64_MAX / 64)
        w = INT64_MAX / 64;
    if (w > m->widest)
        m->widest = w;
    return (size_t)w * (size_t)v->size;
}

/* A buffer of so many bytes a row: a spare one if there is one large enough. */
static int32_t buffer(maker *m, size_t room)
{
    int32_t best = -1;
    for (int32_t i = 0; i < m->nspare; i++)
        if (m->room[m->spare[i]] >= room &&
            (best < 0 || m->room[m->spare[i]] < m->room[m->spare[best]]))
            best = i;
    if (best < 0)
        return add_operand(m, -1, 1, room);
    int32_t k = m->spare[best];
    m->spare[best] = m->spare[--m->nspare];
    return k;
}

static int32_t find_operand(const maker *m, int32_t value, int32_t by_rows)
{
    for (int32_t k = 0; k < m->p->noperands; k++)
        if (m->p->operands[k].value == value && m->p->operands[k].by_rows == by_rows)
            return k;
    return -1;
}

/* The operand for reading item x as it lies. */
static int32_t operand(maker *m, int32_t x, int32_t by_rows)
{
    const gm__compiler *c = m->c;
    int32_t r = gm__root(c->plan, x);
    if (c->items[r].step == m->draft && by_rows && m->operand_of[r] >= 0)
        return m->operand_of[r];
    row_bytes(m, &c->plan->values[x]);
    int32_t k = find_operand(m, x, by_rows);
    return k >= 0 ? k : add_operand(m, x, by_rows, 0);
}

/* Where item x, made here, is written. */
static int32_t target(maker *m, int32_t x)
{
    gm__plan *p = m->c->plan;
    size_t room = row_bytes(m, &p->values[x]);
    int32_t k = p->values[x].place == GM__IN_STRIP ? buffer(m, room) : add_operand(m, x, 1, 0);
    m->operand_of[x] = k;
    return k;
}

/* A buffer for item x that stays as it is from the first strip on. */
static int32_t keep(maker *m, int32_t x)
{
    m->last_cell[x] = INT32_MAX;
    return m->operand_of[x] = add_operand(m, -1, 1, row_bytes(m, &m->c->plan->values[x]));
}

static void spare(maker *m, int32_t k)
{
    if (m->p->operands[k].value < 0)
        m->spare[m->nspare++] = k;
}

/* ---- Cells ----------------------------------------------------------------------------------- */

static gm__cell *new_cell(maker *m, int32_t op, int32_t nx, const gm__attr *attr)
{
    gm__arena *a = &m->c->plan->arena;
    gm__cell *cell = &m->p->cells[m->p->ncells++];
    *cell = (gm__cell){.fn = gm__op_at(op)->strip, .op = op, .nx = nx, .ny = 1, .attr = attr};
    cell->xv = gm__arena_array(a, nx + 1, sizeof *cell->xv);
    cell->x = gm__arena_array(a, nx + 1, sizeof *cell->x);
    return cell->xv && cell->x ? cell : NULL;
}

static int one(const gm__value *v)
{
    return v->total.factor == 1 && v->total.power == 0;
}

static int same_extent(const gm__value *x, const gm__value *y)
{
    return x->total.factor == y->total.factor && x->total.power == y->total.power;
}

/* A cell that spreads operand x to the shape of y, into a buffer. Returns the buffer, -1 when
 * memory is short. */
static int32_t expand(maker *m, int32_t x, const gm__value *y, int32_t by_rows,
                      const gm__value **extent)
{
    const gm__value *v = &m->c->plan->values[x];
    gm__cell *cell = new_cell(m, GM__OP_BROADCAST, 1, NULL);
    if (!cell)
        return -1;
    gm__value *e = &m->extents[m->nextents++];
    *e = *y;
    e->type = v->type;
    e->size = v->size;
    e->real = v->real;
    cell->real = v->real;
    cell->xv[0] = v;
    cell->x[0] = operand(m, x, by_rows);
    cell->yv[0] = *extent = e;
    cell->once = !by_rows;
    cell->lone = one(v);
    return cell->y[0] =
               cell->once ? add_operand(m, -1, 1, row_bytes(m, e)) : buffer(m, row_bytes(m, e));
}

/* Reads operand k of item i into the cell's tables; *temporary is a buffer to give back after the
 * cell, or -1. */
static int read_operand(maker *m, int32_t i, int32_t k, int32_t *x, const gm__value **xv,
                        int32_t *lone, int32_t *temporary)
{
    gm__compiler *c = m->c;
    const gm__item *it = &c->items[i];
    const gm__value *v = &c->plan->values[it->in[k]], *y = &c->plan->values[i];
    int by_rows = gm__by_rows(c, i, k), spreads = it->node->op->flags & GM__BROADCASTS;
    *temporary = -1;
    *xv = v;
    if (!spreads || it->op == GM__OP_BROADCAST || (same_extent(v, y) && (by_rows || one(y)))) {
        *x = operand(m, it->in[k], by_rows || (spreads && one(y)));
        return 0;
    }
    if (one(v) && it->op != GM__OP_WHERE) {
        *lone |= 1 << k;
        *x = operand(m, it->in[k], by_rows);
        return 0;
    }
    *x = expand(m, it->in[k], y, by_rows, xv);
    if (*x >= 0 && by_rows)
        *temporary = *x;
    return *x < 0;
}

/* Gives back the buffers of operands that item i is the last to read. */
static void release(maker *m, int32_t i)
{
    const gm__compiler *c = m->c;
    for (int k = 0; k < c->items[i].nin; k++) {
        int32_t r = gm__root(c->plan, c->items[i].in[k]);
        if (c->items[r].step == m->draft && m->last_cell[r] == i) {
            spare(m, m->operand_of[r]);
            m->last_cell[r] = -1;
        }
    }
}

static int cell_of(maker *m, int32_t i)
{
    gm__compiler *c = m->c;
    const gm__item *it = &c->items[i];
    int32_t x[64], temporary[64], lone = 0;
    const gm__value *xv[64];
    for (int32_t k = 0; k < it->nin; k++)
        if (read_operand(m, i, k, &x[k], &xv[k], &lone, &temporary[k]))
            return 1;
    gm__cell *cell = new_cell(m, it->op, it->nin, copy_attr(c->plan, &it->node->attr));
    if (!cell || !cell->attr)
        return 1;
    for (int32_t k = 0; k < it->nin; k++) {
        cell->x[k] = x[k];
        cell->xv[k] = xv[k];
    }
    cell->lone = it->op == GM__OP_BROADCAST ? one(&c->plan->values[it->in[0]]) : lone;
    cell->real = it->nin ? c->plan->values[it->in[0]].real : c->plan->values[i].real;
    cell->yv[0] = &c->plan->values[i];
    cell->once = it->op == GM__OP_BROADCAST && !gm__by_rows(c, i, 0) &&
                 c->plan->values[i].place == GM__IN_STRIP;
    cell->y[0] = cell->once ? keep(m, i) : target(m, i);
    if (it->node->op->flags & GM__TWO) {
        cell->ny = 2;
        if (it->second >= 0) {
            cell->yv[1] = &c->plan->values[it->second];
            cell->y[1] = target(m, it->second);
        } else {
            cell->yv[1] = it->op == GM__OP_SPLINE_GRAD ? cell->xv[1] : cell->yv[0];
            cell->y[1] = buffer(m, row_bytes(m, cell->yv[1]));
            spare(m, cell->y[1]);
        }
    }
    for (int32_t k = 0; k < it->nin; k++)
        if (temporary[k] >= 0)
            spare(m, temporary[k]);
    release(m, i);
    if (m->last_cell[i] < 0) /* nothing here reads it */
        spare(m, cell->y[0]);
    if (it->second >= 0 && m->last_cell[it->second] < 0)
        spare(m, m->operand_of[it->second]);
    return 0;
}

/* ---- Programs -------------------------------------------------------------------------------- */

/* Rows of a strip: buffers within their budget, nothing wider than a strip should be. */
static void size_strip(maker *m)
{
    gm__program *p = m->p;
    size_t sum = 0;
    for (int32_t k = 0; k < p->noperands; k++)
        sum += p->operands[k].value < 0 ? m->room[k] : 0;
    int64_t rows = STRIP_ELEMENTS / (m->widest > 1 ? m->widest : 1);
    if (sum && (int64_t)(BUFFER_BYTES / sum) < rows)
        rows = (int64_t)(BUFFER_BYTES / sum);
    if (rows > 16)
        rows -= rows % 16;
    p->strip = rows > 1 ? rows : 1;
    p->row_bytes = sum;
    size_t at = (2 * sizeof(void *) * (size_t)p->noperands + 63) / 64 * 64;
    for (int32_t k = 0; k < p->noperands; k++)
        if (p->operands[k].value < 0) {
            p->operands[k].at = at;
            at += (m->room[k] * (size_t)p->strip + 63) / 64 * 64;
        }
    p->scratch = at;
}

static int32_t count_operands(const gm__compiler *c, int32_t d)
{
    int32_t n = 0;
    for (int32_t i = c->drafts[d].first; i >= 0; i = c->next[i])
        n += 2 * c->items[i].nin + 2;
    return n;
}

static int program(gm__compiler *c, int32_t d, gm__step *s, maker *m)
{
    gm__plan *plan = c->plan;
    int32_t most = count_operands(c, d);
    gm__program *p = gm__arena_alloc(&plan->arena, sizeof *p);
    *m =
        (maker){.c = c, .p = p, .draft = d, .operand_of = m->operand_of, .last_cell = m->last_cell};
    m->spare = gm__arena_array(&c->arena, 2 * most + 1, sizeof *m->spare);
    m->room = gm__arena_array(&c->arena, most + 1, sizeof *m->room);
    m->extents = gm__arena_array(&plan->arena, most + 1, sizeof *m->extents);
    if (!p || !m->spare || !m->room || !m->extents)
        return 1;
    p->operands = gm__arena_array(&plan->arena, most + 1, sizeof *p->operands);
    p->cells = gm__arena_array(&plan->arena, most + 1, sizeof *p->cells);
    p->first_axis = c->drafts[d].rows;
    if (!p->operands || !p->cells)
        return 1;
    for (int32_t i = c->drafts[d].first; i >= 0; i = c->next[i])
        for (int k = 0; k < c->items[i].nin; k++)
            m->last_cell[gm__root(plan, c->items[i].in[k])] = i;
    for (int32_t i = c->drafts[d].first; i >= 0; i = c->next[i])
        if (cell_of(m, i))
            return 1;
    for (int32_t i = c->drafts[d].first; i >= 0; i = c->next[i])
        for (int k = 0; k < c->items[i].nin; k++)
            m->last_cell[gm__root(plan, c->items[i].in[k])] = -1;
    size_strip(m);
    s->program = p;
    s->run = gm__whole_program;
    p->extents = m->extents;
    p->nextents = m->nextents;
    return 0;
}

/* ---- Products -------------------------------------------------------------------------------- */

/* Intervals for the kernels from a mask: of the stored weight for each column of op(B), or of the
 * result's rows. */
static int product_mask(gm__plan *plan, gm__product *p, const gm__attr *a)
{
    const gm__mask *m = a->mask;
    int32_t *lo, *hi;
    if (!m)
        return 0;
    int by = a->whole[2] == 1, columns = by && !a->whole[1]; /* else intervals of the mask's rows */
    int32_t n = (int32_t)(columns ? m->n : m->k);
    if (copy_ints(plan, &lo, columns ? m->col_lo : m->row_lo, n) ||
        copy_ints(plan, &hi, columns ? m->col_hi : m->row_hi, n))
        return 1;
    p->k_lo = by ? lo : NULL;
    p->k_hi = by ? hi : NULL;
    p->n_lo = by ? NULL : lo;
    p->n_hi = by ? NULL : hi;
    return 0;
}

static int product(gm__compiler *c, int32_t head, gm__step *s)
{
    gm__plan *plan = c->plan;
    const gm__epilogue *e = c->items[head].epilogue;
    const gm_node *n = c->items[head].node;
    gm__product *p = gm__arena_alloc(&plan->arena, sizeof *p);
    if (!p)
        return 1;
    p->real = plan->values[head].real;
    p->ta = n->attr.whole[0] != 0;
    p->tb = n->attr.whole[1] != 0;
    p->accumulate = e->old >= 0;
    p->act = GM__ACT_NONE;
    if (e->act >= 0 && c->items[e->act].op == GM__OP_LEAKY) {
        p->act = GM__ACT_LEAKY;
        p->slope = c->items[e->act].node->attr.real[0];
    } else if (e->act >= 0) {
        p->act = c->items[e->act].op - GM__OP_MAP1;
    }
    s->product = p;
    s->y = e->result;
    s->bias = e->bias;
    s->pre = e->pre;
    s->slope = e->slope;
    s->gate = e->gate;
    p->factor = e->factor;
    s->like = head;
    return product_mask(plan, p, &n->attr);
}

static int whole(gm__compiler *c, int32_t d, gm__step *s)
{
    gm__draft *g = &c->drafts[d];
    s->bias = s->pre = s->slope = s->gate = -1;
    if (g->from >= 0) {
        s->op = -1;
        s->run = gm__whole_copy;
        s->nx = 1;
        s->y = g->to;
        return copy_ints(c->plan, &s->x, &g->from, 1);
    }
    const gm__item *it = &c->items[g->first];
    s->op = it->op;
    s->run = gm__op_at(it->op)->whole;
    s->nx = it->nin;
    s->y = g->first;
    s->attr = copy_attr(c->plan, &it->node->attr);
    if (!s->attr || copy_ints(c->plan, &s->x, it->in, it->nin))
        return 1;
    return it->op == GM__OP_MATMUL ? product(c, g->first, s) : 0;
}

int gm__lower(gm__compiler *c)
{
    gm__plan *plan = c->plan;
    maker m = {.operand_of = gm__arena_array(&c->arena, c->nitems + 1, sizeof *m.operand_of),
               .last_cell = gm__arena_array(&c->arena, c->nitems + 1, sizeof *m.last_cell)};
    plan->steps = gm__arena_array(&plan->arena, c->ndrafts + 1, sizeof *plan->steps);
    if (!m.operand_of || !m.last_cell || !plan->steps)
        return 1;
    for (int32_t i = 0; i < c->nitems; i++)
        m.operand_of[i] = m.last_cell[i] = -1;
    plan->nsteps = c->ndrafts;
    for (int32_t d = 0; d < c->ndrafts; d++) {
        gm__step *s = &plan->steps[d];
        if (gm__stopped(c) ||
            (c->drafts[d].kind == GM__ROWS ? program(c, d, s, &m) : whole(c, d, s)))
            return 1;
    }
    return 0;
}
