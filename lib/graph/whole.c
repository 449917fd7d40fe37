/* Steps that are one whole operation: products, sums over rows, moves that cross rows. */
#include "graph/plan.h"
#include "kernels/product_cblas.h"

#include <string.h>

/* The part-th of `parts` shares of n things, in multiples of `grain`. */
static void share(int64_t n, int64_t grain, int part, int parts, int64_t *from, int64_t *to)
{
    int64_t blocks = (n + grain - 1) / grain;
    *from = blocks * part / parts * grain;
    *to = blocks * (part + 1) / parts * grain;
    *to = *to < n ? *to : n;
}

static const gm__value *operand(const gm__step *s, const gm__exec *e, int32_t k)
{
    return &e->plan->values[s->x[k]];
}

static void copy_bytes(void *to, const void *from, int64_t n, int size)
{
    if (n > 0)
        memcpy(to, from, (size_t)n * (size_t)size);
}

void gm__whole_copy(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *v = operand(s, e, 0);
    if (part == 0 && e->ptr[s->y] != e->ptr[s->x[0]])
        copy_bytes(e->ptr[s->y], e->ptr[s->x[0]], v->n, v->size);
    (void)parts;
}

/* ---- Products -------------------------------------------------------------------------------- */

static int64_t stack_of(const gm__value *y)
{
    int64_t n = 1;
    for (int i = 0; i < y->ndim - 2; i++)
        n *= y->dim[i];
    return n;
}

void gm__product_resolve(gm__plan *plan, gm__step *s)
{
    gm__product *p = s->product;
    const gm__value *a = &plan->values[s->x[0]], *b = &plan->values[s->x[1]];
    const gm__value *y = &plan->values[s->like];
    p->m = y->dim[y->ndim - 2];
    p->n = y->dim[y->ndim - 1];
    p->k = a->dim[a->ndim - 1 - p->ta];
    p->lda = a->ndim == 2 ? a->pitch : a->dim[a->ndim - 1];
    p->ldb = b->ndim == 2 ? b->pitch : b->dim[b->ndim - 1];
    p->ldc = p->ldgate = p->n;
    s->operations = gm__product_operations(p) * (double)stack_of(y);
}

/* 2 m n k, less what a mask leaves out. */
double gm__product_operations(const gm__product *p)
{
    double steps = 0;
    if (p->k_lo)
        for (int64_t j = 0; j < p->n; j++)
            steps += (double)p->m * (p->k_hi[j] - p->k_lo[j]);
    else if (p->n_lo)
        for (int64_t i = 0; i < p->m; i++)
            steps += (double)p->k * (p->n_hi[i] - p->n_lo[i]);
    else
        steps = (double)p->m * (double)p->n * (double)p->k;
    return 2 * steps;
}

/* A product's operations at another batch size as a multiple of those now. */
double gm__product_share_of(const gm__plan *plan, const gm__step *s, int64_t batch)
{
    const gm__value *a = &plan->values[s->x[0]], *y = &plan->values[s->like];
    int powers = 0;
    for (int i = 0; i < y->ndim; i++)
        powers += y->shape[i] < 0;
    powers += a->shape[a->ndim - 1 - s->product->ta] < 0;
    double r = 1;
    for (int i = 0; i < powers; i++)
        r *= (double)batch / (double)plan->batch;
    return r;
}

size_t gm__product_scratch(const gm__plan *plan, const gm__step *s)
{
    gm__product p = *s->product;
    const gm__products *k = plan->kernels->products;
    size_t most = k->scratch(&p), need;
    for (int i = 0; i < 40; i++) { /* smaller batches may be cut otherwise */
        int64_t rows = (int64_t)1 << i;
        gm__product q = p;
        if (rows >= plan->capacity)
            break;
        const gm__value *a = &plan->values[s->x[0]], *y = &plan->values[s->like];
        q.m = gm__dim_at(y->shape[y->ndim - 2], rows);
        q.n = gm__dim_at(y->shape[y->ndim - 1], rows);
        q.k = gm__dim_at(a->shape[a->ndim - 1 - p.ta], rows);
        need = k->scratch(&q);
        most = need > most ? need : most;
    }
    return most;
}

void gm__whole_matmul(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *a = operand(s, e, 0), *b = operand(s, e, 1), *y = &e->plan->values[s->like];
    void *scratch = e->plan->scratch + e->plan->scratch_part * (size_t)part;
    gm__product p = *s->product;
    int64_t stack = stack_of(y), from = 0, to = stack;
    if (!p.m || !p.n)
        return;
    p.zeroed = e->run->grads_zeroed &&
               e->plan->values[gm__root(e->plan, s->y)].place == GM__IN_GRADS &&
               (p.n_lo || p.n_hi) && s->pre < 0 && s->slope < 0;
    if (stack > 1) {
        share(stack, 1, part, parts, &from, &to);
        part = 0;
        parts = 1;
    }
    for (int64_t i = from; i < to; i++) {
        p.a = (const char *)e->ptr[s->x[0]] + i * (a->n / stack) * a->size;
        p.b = (const char *)e->ptr[s->x[1]] + i * (b->n / stack) * b->size;
        p.c = (char *)e->ptr[s->y] + i * p.m * p.n * y->size;
        p.bias = s->bias >= 0 ? e->ptr[s->bias] : NULL;
        p.pre = s->pre >= 0 ? e->ptr[s->pre] : NULL;
        p.slope_to = s->slope >= 0 ? e->ptr[s->slope] : NULL;
        p.gate = s->gate >= 0 ? e->ptr[s->gate] : NULL;
        if (!e->plan->cblas || !gm__product_cblas(e->kernels, &p, part, parts))
            e->kernels->products->run(&p, part, parts, scratch);
    }
}

/* ---- Sums over rows -------------------------------------------------------------------------- */

void gm__whole_sum_all(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *x = operand(s, e, 0);
    (void)parts;
    if (part)
        return;
    double sum = e->kernels->reductions->sum[x->real](e->ptr[s->x[0]], x->n);
    if (x->real == GM__F64)
        *(double *)e->ptr[s->y] = sum;
    else
        *(float *)e->ptr[s->y] = (float)sum;
}

void gm__whole_sum(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *x = operand(s, e, 0);
    int64_t from, to;
    share(x->w, 64, part, parts, &from, &to);
    if (from < to)
        e->kernels->reductions->col_sum[x->real](e->ptr[s->y], e->ptr[s->x[0]], x->rows, x->w, from,
                                                 to);
}

void gm__whole_scatter(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *x = operand(s, e, 0), *i = operand(s, e, 1), *y = &e->plan->values[s->y];
    (void)parts;
    if (part || !y->n)
        return;
    memset(e->ptr[s->y], 0, (size_t)y->n * (size_t)y->size);
    e->kernels->moves->scatter_add[x->real](e->ptr[s->y], e->ptr[s->x[0]], e->ptr[s->x[1]], i->n,
                                            y->rows, y->w, 0, y->w);
}

/* ---- Moves across rows ----------------------------------------------------------------------- */

static void strides_of(const gm__value *x, int64_t strides[8])
{
    int64_t step = 1;
    for (int i = x->ndim - 1; i >= 0; i--) {
        strides[i] = step;
        step *= x->dim[i];
    }
}

void gm__whole_permute(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *x = operand(s, e, 0), *y = &e->plan->values[s->y];
    int64_t from[8], strides[8];
    (void)parts;
    if (part || !y->n)
        return;
    if (x->ndim == 2) {
        e->kernels->moves->transpose(e->ptr[s->y], e->ptr[s->x[0]], x->rows, x->w, (size_t)x->size);
        return;
    }
    strides_of(x, from);
    for (int i = 0; i < y->ndim; i++)
        strides[i] = from[s->attr->whole[i]];
    e->kernels->moves->copy(e->ptr[s->y], e->ptr[s->x[0]], y->ndim, y->dim, strides,
                            (size_t)x->size);
}

void gm__whole_slice(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *x = operand(s, e, 0), *y = &e->plan->values[s->y];
    int64_t start = gm__dim_at(s->attr->whole[1], e->plan->batch);
    (void)parts;
    if (!part)
        copy_bytes(e->ptr[s->y], (const char *)e->ptr[s->x[0]] + start * x->w * x->size, y->n,
                   y->size);
}

void gm__whole_pad(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *x = operand(s, e, 0), *y = &e->plan->values[s->y];
    int64_t before = gm__dim_at(s->attr->whole[1], e->plan->batch) * y->w;
    char *to = e->ptr[s->y];
    (void)parts;
    if (part || !y->n)
        return;
    memset(to, 0, (size_t)y->n * (size_t)y->size);
    copy_bytes(to + before * y->size, e->ptr[s->x[0]], x->n, x->size);
}

void gm__whole_concat(const gm__step *s, const gm__exec *e, int part, int parts)
{
    char *to = e->ptr[s->y];
    (void)parts;
    for (int32_t k = 0; !part && k < s->nx; k++) {
        const gm__value *x = operand(s, e, k);
        copy_bytes(to, e->ptr[s->x[k]], x->n, x->size);
        to += x->n * x->size;
    }
}
