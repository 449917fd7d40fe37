/* Row forms of moves and of operations with an index. */
#include "graph/plan.h"

#include <string.h>

void gm__strip_copy(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    memcpy(y[0], x[0], (size_t)(s->rows * c->yv[0]->w) * (size_t)c->yv[0]->size);
}

/* ---- Spreading ------------------------------------------------------------------------------- */

/* Each of n values `times` times. */
static void repeat(void *y, const void *x, int64_t n, int64_t times, int size)
{
    for (int64_t i = 0; i < n; i++) {
        if (size == 8) {
            uint64_t v, *to = (uint64_t *)y + i * times;
            memcpy(&v, (const char *)x + 8 * i, 8);
            for (int64_t j = 0; j < times; j++)
                to[j] = v;
        } else {
            uint32_t v, *to = (uint32_t *)y + i * times;
            memcpy(&v, (const char *)x + 4 * i, 4);
            for (int64_t j = 0; j < times; j++)
                to[j] = v;
        }
    }
}

/* The shape of y in elements of x: strides, zero where x is spread. `by_rows`: axis 0 of both is
 * the strip's rows. */
static void spread(const gm__cell *c, const gm__strip *s, void *y, const void *x, int by_rows)
{
    const gm__value *v = c->xv[0], *to = c->yv[0];
    int64_t shape[8] = {0}, strides[8] = {0}, step = 1;
    int nd = to->ndim;
    for (int i = 1; i <= nd; i++) {
        int64_t d = i <= v->ndim ? v->dim[v->ndim - i] : 1;
        shape[nd - i] = to->dim[nd - i];
        strides[nd - i] = d == 1 ? 0 : step;
        step *= d;
    }
    shape[0] = s->rows;
    if (by_rows)
        strides[0] = v->w;
    s->kernels->moves->copy(y, x, nd, shape, strides, (size_t)to->size);
}

void gm__strip_expand(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__value *v = c->xv[0], *to = c->yv[0];
    int by_rows = v->ndim == to->ndim && (to->ndim == 0 || v->shape[0] == to->shape[0]);
    if (c->lone)
        repeat(y[0], x[0], 1, s->rows * to->w, to->size);
    else if (by_rows && v->w == 1)
        repeat(y[0], x[0], s->rows, to->w, to->size);
    else if (by_rows && v->dim[v->ndim - 1] == 1 && to->w == v->w * to->dim[to->ndim - 1])
        repeat(y[0], x[0], s->rows * v->w, to->dim[to->ndim - 1], to->size);
    else if (to->ndim == 0)
        memcpy(y[0], x[0], (size_t)to->size);
    else
        spread(c, s, y[0], x[0], by_rows);
}

/* ---- Permute, slice, pad, concat ------------------------------------------------------------- */

void gm__strip_permute(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__value *v = c->xv[0], *to = c->yv[0];
    int64_t from[8], shape[8], strides[8], step = 1;
    for (int i = v->ndim - 1; i >= 0; i--) {
        from[i] = step;
        step *= v->dim[i];
    }
    for (int i = 0; i < to->ndim; i++) {
        shape[i] = to->dim[i];
        strides[i] = from[c->attr->whole[i]];
    }
    shape[0] = s->rows;
    s->kernels->moves->copy(y[0], x[0], to->ndim, shape, strides, (size_t)to->size);
}

/* n blocks of `bytes` bytes, at steps of ys and xs bytes. */
static void copy_blocks(char *y, const char *x, int64_t n, size_t bytes, int64_t ys, int64_t xs)
{
    if (!bytes)
        return;
    for (int64_t i = 0; i < n; i++)
        memcpy(y + i * ys, x + i * xs, bytes);
}

/* Bytes of one step along the axis, and how many times the axis occurs in the strip. */
static int64_t inner_bytes(const gm__value *v, int axis)
{
    int64_t n = v->size;
    for (int i = axis + 1; i < v->ndim; i++)
        n *= v->dim[i];
    return n;
}

static int64_t outer_count(const gm__value *v, const gm__strip *s, int axis)
{
    int64_t n = s->rows;
    for (int i = 1; i < axis; i++)
        n *= v->dim[i];
    return n;
}

void gm__strip_slice(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int axis = (int)c->attr->whole[0];
    int64_t inner = inner_bytes(c->xv[0], axis), start = gm__dim_at(c->attr->whole[1], s->batch);
    int64_t ys = c->yv[0]->dim[axis] * inner, xs = c->xv[0]->dim[axis] * inner;
    copy_blocks(y[0], (const char *)x[0] + start * inner, outer_count(c->xv[0], s, axis),
                (size_t)ys, ys, xs);
}

void gm__strip_pad(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int axis = (int)c->attr->whole[0];
    int64_t inner = inner_bytes(c->xv[0], axis), start = gm__dim_at(c->attr->whole[1], s->batch);
    int64_t ys = c->yv[0]->dim[axis] * inner, xs = c->xv[0]->dim[axis] * inner;
    memset(y[0], 0, (size_t)(s->rows * c->yv[0]->w) * (size_t)c->yv[0]->size);
    copy_blocks((char *)y[0] + start * inner, x[0], outer_count(c->xv[0], s, axis), (size_t)xs, ys,
                xs);
}

void gm__strip_concat(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int axis = (int)c->attr->whole[0];
    int64_t inner = inner_bytes(c->yv[0], axis), ys = c->yv[0]->dim[axis] * inner, at = 0;
    for (int32_t k = 0; k < c->nx; k++) {
        int64_t xs = c->xv[k]->dim[axis] * inner;
        copy_blocks((char *)y[0] + at, x[k], outer_count(c->yv[0], s, axis), (size_t)xs, ys, xs);
        at += xs;
    }
}

/* ---- Columns by number ----------------------------------------------------------------------- */

static void take_row(void *y, const void *x, const int32_t *index, int64_t n, int size)
{
    uint64_t *y8 = y;
    uint32_t *y4 = y;
    const uint64_t *x8 = x;
    const uint32_t *x4 = x;
    if (size == 8)
        for (int64_t j = 0; j < n; j++)
            y8[j] = x8[index[j]];
    else
        for (int64_t j = 0; j < n; j++)
            y4[j] = x4[index[j]];
}

void gm__strip_take(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__value *v = c->xv[0], *to = c->yv[0];
    int64_t n = to->dim[to->ndim - 1], width = v->dim[v->ndim - 1],
            rows = n ? s->rows * to->w / n : 0;
    for (int64_t i = 0; i < rows; i++)
        take_row((char *)y[0] + i * n * to->size, (const char *)x[0] + i * width * to->size,
                 c->attr->data, n, to->size);
}

static void put_row(void *y, const void *x, const int32_t *index, int64_t n, gm__real real)
{
    double *y8 = y;
    float *y4 = y;
    const double *x8 = x;
    const float *x4 = x;
    if (real == GM__F64)
        for (int64_t j = 0; j < n; j++)
            y8[index[j]] += x8[j];
    else
        for (int64_t j = 0; j < n; j++)
            y4[index[j]] += x4[j];
}

void gm__strip_put(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__value *v = c->xv[0], *to = c->yv[0];
    int64_t n = v->dim[v->ndim - 1], width = to->dim[to->ndim - 1],
            rows = width ? s->rows * to->w / width : 0;
    memset(y[0], 0, (size_t)(s->rows * to->w) * (size_t)to->size);
    for (int64_t i = 0; i < rows; i++)
        put_row((char *)y[0] + i * width * to->size, (const char *)x[0] + i * n * to->size,
                c->attr->data, n, c->real);
}

/* ---- By an index node ------------------------------------------------------------------------ */

void gm__strip_gather(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__value *table = c->xv[0];
    s->kernels->moves->gather(y[0], x[0], x[1], s->rows * c->xv[1]->w, table->rows, table->w,
                              (size_t)table->size);
}

/* An index out of range picks zero. */
void gm__strip_pick(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__value *v = c->xv[0];
    int64_t width = v->dim[v->ndim - 1], rows = s->rows * c->yv[0]->w;
    const int32_t *index = x[1];
    char *to = y[0];
    memset(to, 0, (size_t)rows * (size_t)v->size);
    for (int64_t i = 0; i < rows; i++)
        if (index[i] >= 0 && index[i] < width)
            memcpy(to + i * v->size, (const char *)x[0] + (i * width + index[i]) * v->size,
                   (size_t)v->size);
}

void gm__strip_one_hot(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__value *to = c->yv[0];
    int64_t width = to->dim[to->ndim - 1], rows = s->rows * c->xv[0]->w;
    const int32_t *index = x[0];
    double *d = y[0];
    float *f = y[0];
    memset(y[0], 0, (size_t)(s->rows * to->w) * (size_t)to->size);
    for (int64_t i = 0; i < rows; i++)
        if (index[i] >= 0 && index[i] < width) {
            if (to->real == GM__F64)
                d[i * width + index[i]] = 1;
            else
                f[i * width + index[i]] = 1;
        }
}
