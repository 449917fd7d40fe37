/* Row forms of element-wise operations. An operand is as long as the result, or one value for all
 * (c->lone). */
#include "graph/plan.h"

#include <math.h>

static int64_t count(const gm__cell *c, const gm__strip *s)
{
    return s->rows * c->yv[0]->w;
}

void gm__strip_map1(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    s->kernels->maps->map1[c->real][c->op - GM__OP_MAP1](y[0], x[0], count(c, s));
}

void gm__strip_map2(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    const gm__maps *m = s->kernels->maps;
    int map = c->op - GM__OP_MAP2;
    gm__map2_fn *fn = c->lone & 2   ? m->map2_right[c->real][map]
                      : c->lone & 1 ? m->map2_left[c->real][map]
                                    : m->map2[c->real][map];
    fn(y[0], x[0], x[1], count(c, s));
}

void gm__strip_where(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    s->kernels->maps->pick[c->real](y[0], x[0], x[1], x[2], count(c, s));
}

void gm__strip_axpb(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    s->kernels->maps->axpb[c->real](y[0], x[0], c->attr->real[0], c->attr->real[1], count(c, s));
}

void gm__strip_leaky(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    s->kernels->maps->leaky[c->real](y[0], x[0], c->attr->real[0], count(c, s));
}

void gm__strip_polygamma(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    s->kernels->maps->polygamma[c->real](y[0], x[0], (int)c->attr->whole[0], count(c, s));
}

/* Divided by a count in the type: exact up to 2^24 (2^53), correctly rounded beyond. */
void gm__strip_over_count(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t n = c->attr->whole[0];
    for (int64_t i = 0; i < c->attr->whole[1]; i++)
        n *= s->batch;
    double d = (double)n;
    float f = (float)d;
    s->kernels->maps->map2_right[c->real][GM__DIV](
        y[0], x[0], c->real == GM__F64 ? (void *)&d : (void *)&f, count(c, s));
}

static void from_index(gm__real real, void *y, const int32_t *x, int64_t n)
{
    double *d = y;
    float *f = y;
    for (int64_t i = 0; i < n; i++)
        if (real == GM__F64)
            d[i] = x[i];
        else
            f[i] = (float)x[i];
}

/* Rounded down, and kept in the type's range; what is no number gives 0. */
static int32_t to_index(double x)
{
    if (!(x >= INT32_MIN))
        return x < 0 ? INT32_MIN : 0;
    return x >= INT32_MAX ? INT32_MAX : (int32_t)floor(x);
}

void gm__strip_index(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t n = count(c, s);
    int32_t *to = y[0];
    for (int64_t i = 0; i < n; i++)
        to[i] = to_index(c->xv[0]->real == GM__F64 ? ((const double *)x[0])[i]
                                                   : (double)((const float *)x[0])[i]);
}

void gm__strip_convert(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    if (c->xv[0]->type == GM_INDEX_NODE)
        from_index(c->yv[0]->real, y[0], x[0], count(c, s));
    else if (c->op == GM__OP_WIDE)
        s->kernels->maps->widen(y[0], x[0], count(c, s));
    else
        s->kernels->maps->narrow(y[0], x[0], count(c, s));
}
