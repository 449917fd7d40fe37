/* Row forms of reductions: each row's result depends on its own elements alone. */
#include "graph/plan.h"

/* Rows along the last axis within the strip, and their length. */
static int64_t rows_of(const gm__cell *c, const gm__strip *s, int64_t *length)
{
    const gm__value *x = c->xv[0];
    *length = x->dim[x->ndim - 1];
    return *length ? s->rows * (x->w / *length) : 0;
}

/* Sum along an axis other than the first; along one that is not the last, column sums block by
 * block. */
void gm__strip_sum(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__reductions *r = s->kernels->reductions;
    const gm__value *v = c->xv[0];
    int axis = (int)c->attr->whole[0];
    int64_t length = v->dim[axis], inner = 1;
    if (axis == v->ndim - 1 && length > 0) {
        r->row_sum[c->real](y[0], x[0], s->rows * (v->w / length), length);
        return;
    }
    for (int i = axis + 1; i < v->ndim; i++)
        inner *= v->dim[i];
    int64_t blocks = s->rows * c->yv[0]->w / inner;
    for (int64_t i = 0; i < blocks; i++)
        r->col_sum[c->real]((char *)y[0] + i * inner * v->size,
                            (const char *)x[0] + i * length * inner * v->size, length, inner, 0,
                            inner);
}

void gm__strip_sum_wide(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t length, rows = rows_of(c, s, &length);
    double *sums = y[0];
    if (!length)
        for (int64_t i = 0; i < s->rows * c->yv[0]->w; i++)
            sums[i] = 0;
    else if (c->real == GM__F64)
        s->kernels->reductions->row_sum[GM__F64](y[0], x[0], rows, length);
    else
        s->kernels->reductions->row_sum_wide(y[0], x[0], rows, length);
}

void gm__strip_max(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t length, rows = rows_of(c, s, &length);
    s->kernels->reductions->row_max[c->real](y[0], x[0], rows, length);
}

/* The first of the greatest. */
static int32_t argmax_f32(const float *x, int64_t n)
{
    int64_t best = 0;
    for (int64_t j = 1; j < n; j++)
        if (x[j] > x[best])
            best = j;
    return (int32_t)best;
}

static int32_t argmax_f64(const double *x, int64_t n)
{
    int64_t best = 0;
    for (int64_t j = 1; j < n; j++)
        if (x[j] > x[best])
            best = j;
    return (int32_t)best;
}

void gm__strip_argmax(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t length, rows = rows_of(c, s, &length);
    int32_t *at = y[0];
    for (int64_t i = 0; i < rows; i++)
        at[i] = c->real == GM__F64 ? argmax_f64((const double *)x[0] + i * length, length)
                                   : argmax_f32((const float *)x[0] + i * length, length);
}

void gm__strip_softmax(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__reductions *r = s->kernels->reductions;
    int64_t length, rows = rows_of(c, s, &length);
    if (c->op == GM__OP_SOFTMAX)
        r->softmax[c->real](y[0], x[0], rows, length);
    else if (c->op == GM__OP_LOG_SOFTMAX)
        r->log_softmax[c->real](y[0], x[0], rows, length);
    else
        r->logsumexp[c->real](y[0], x[0], rows, length);
}

void gm__strip_cumsum(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t length, rows = rows_of(c, s, &length);
    s->kernels->reductions->cumsum[c->real](y[0], x[0], rows, length, c->attr->whole[0] != 0,
                                            c->attr->whole[1] != 0);
}
