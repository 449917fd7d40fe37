/* The rational-quadratic spline of the kernels, written out in simple operations: Durkan et al.
 * 2019, eq. 4 to 8. Only second and higher derivatives use it; a test holds it against the kernel.
 */
#include "graph/node.h"

#include <string.h>

/* Within one bin: its lower corner, sizes and the slopes at its ends, each (..., t). */
typedef struct bin {
    gm_node *x0, *y0, *width, *height, *d0, *d1;
} bin;

/* x (..., t) with a last axis of one. */
static gm_node *column(gm_builder *b, gm_node *x)
{
    int64_t shape[8];
    if (!x || x->ndim == 8)
        return x ? gm__wrong(b, GM_E_SHAPE, "rq_spline: too many dimensions") : NULL;
    memcpy(shape, x->shape, sizeof shape);
    shape[x->ndim] = 1;
    return gm_reshape(b, x, x->ndim + 1, shape);
}

/* p (..., t * each) as (..., t, each). */
static gm_node *per_element(gm_builder *b, gm_node *p, const gm_node *x, int64_t each)
{
    int64_t shape[8];
    if (!p || x->ndim == 8)
        return p ? gm__wrong(b, GM_E_SHAPE, "rq_spline: too many dimensions") : NULL;
    memcpy(shape, x->shape, sizeof shape);
    shape[x->ndim] = each;
    return gm_reshape(b, p, x->ndim + 1, shape);
}

/* Sizes of the bins over [-bound, bound]: 2 bound (min + (1 - min K) softmax). */
static gm_node *sizes(gm_builder *b, const gm__attr *s, gm_node *raw)
{
    double bound = s->real[0], least = s->real[1], k = (double)s->whole[0];
    gm_node *part = gm_shift(b, gm_scale(b, gm_softmax(b, raw), 1 - least * k), least);
    return gm_scale(b, part, 2 * bound);
}

/* Lower ends of the bins from their sizes. */
static gm_node *lower_ends(gm_builder *b, const gm__attr *s, gm_node *size)
{
    return gm_shift(b, gm_cumsum(b, size, 0, 1), -s->real[0]);
}

/* Slopes at the K + 1 knots: least + softplus(raw + c), c such that raw 0 gives 1; 1 at both ends.
 */
static gm_node *slopes(gm_builder *b, const gm__attr *s, gm_node *raw)
{
    double least = s->real[2];
    gm_node *c = gm_log(b, gm_expm1(b, gm__const_like(b, 1 - least, raw)));
    gm_node *inner = gm_shift(b, gm_softplus(b, gm_add(b, raw, c)), least);
    int last = raw ? raw->ndim - 1 : 0;
    return gm_shift(b, gm_pad(b, gm_shift(b, inner, -1), last, 1, 1), 1);
}

/* One for the bin that holds v, zero for the others: (..., t, K). */
static gm_node *chosen(gm_builder *b, gm_node *v, gm_node *ends)
{
    int last = ends ? ends->ndim - 1 : 0;
    int64_t k = gm_node_dim(ends, -1);
    gm_node *from = gm_pad(
        b, gm_shift(b, gm_greater_equal(b, column(b, v), gm_slice(b, ends, last, 1, k - 1)), -1),
        last, 1, 0);
    gm_node *above =
        gm_shift(b, from, 1); /* v at or above the bin's lower end; true of the first */
    return gm_sub(b, above, gm_pad(b, gm_slice(b, above, last, 1, k - 1), last, 0, 1));
}

static gm_node *of_bin(gm_builder *b, gm_node *values, gm_node *mask)
{
    return gm_sum(b, gm_mul(b, values, mask), -1, 0);
}

/* Eq. 4 with xi = (x - x0) / width: y and log dy/dx. */
static gm_node *forward(gm_builder *b, const bin *k, gm_node *xi, gm_node **log_slope)
{
    gm_node *s = gm_div(b, k->height, k->width), *rest = gm_one_minus(b, xi),
            *q = gm_mul(b, xi, rest);
    gm_node *den =
        gm_add(b, s, gm_mul(b, gm_sub(b, gm_add(b, k->d0, k->d1), gm_scale(b, s, 2)), q));
    gm_node *num = gm_add(b, gm_mul(b, s, gm_square(b, xi)), gm_mul(b, k->d0, q));
    gm_node *top =
        gm_add(b, gm_add(b, gm_mul(b, k->d1, gm_square(b, xi)), gm_mul(b, gm_scale(b, s, 2), q)),
               gm_mul(b, k->d0, gm_square(b, rest)));
    gm_node *log_s = gm_scale(b, gm_sub(b, gm_log(b, s), gm_log(b, den)), 2);
    *log_slope = gm_add(b, log_s, gm_log(b, top));
    return gm_add(b, k->y0, gm_div(b, gm_mul(b, k->height, num), den));
}

/* Eq. 6 to 8: xi as the root of the quadratic for y. */
static gm_node *root(gm_builder *b, const bin *k, gm_node *y)
{
    gm_node *s = gm_div(b, k->height, k->width), *v = gm_sub(b, y, k->y0);
    gm_node *bend = gm_sub(b, gm_add(b, k->d0, k->d1), gm_scale(b, s, 2)), *vb = gm_mul(b, v, bend);
    gm_node *qa = gm_add(b, gm_mul(b, k->height, gm_sub(b, s, k->d0)), vb);
    gm_node *qb = gm_sub(b, gm_mul(b, k->height, k->d0), vb);
    gm_node *qc = gm_neg(b, gm_mul(b, s, v));
    gm_node *disc = gm_sub(b, gm_square(b, qb), gm_scale(b, gm_mul(b, qa, qc), 4));
    return gm_div(b, gm_scale(b, qc, -2), gm_add(b, qb, gm_sqrt(b, disc)));
}

gm_node *gm__spline_plain(gm_builder *b, const gm__attr *s, gm_node *x, gm_node *p,
                          gm_node **log_slope)
{
    int64_t k = s->whole[0];
    int inverse = s->whole[1] != 0;
    *log_slope = NULL;
    if (!x || !p)
        return NULL;
    gm_node *raw = per_element(b, p, x, 3 * k - 1);
    gm_node *w = sizes(b, s, gm_slice(b, raw, -1, 0, k)),
            *h = sizes(b, s, gm_slice(b, raw, -1, k, k));
    gm_node *d = slopes(b, s, gm_slice(b, raw, -1, 2 * k, k - 1));
    gm_node *left = lower_ends(b, s, w), *low = lower_ends(b, s, h);
    gm_node *bound = gm__const_like(b, s->real[0], x);
    gm_node *inside = gm_greater(b, bound, gm_abs(b, x));
    gm_node *at =
        gm_where(b, inside, x, gm__const_like(b, 0, x)); /* outside: any place inside will do */
    gm_node *mask = chosen(b, at, inverse ? low : left);
    bin in = {of_bin(b, left, mask),
              of_bin(b, low, mask),
              of_bin(b, w, mask),
              of_bin(b, h, mask),
              of_bin(b, gm_slice(b, d, -1, 0, k), mask),
              of_bin(b, gm_slice(b, d, -1, 1, k), mask)};
    gm_node *slope;
    gm_node *xi = inverse ? root(b, &in, at) : gm_div(b, gm_sub(b, at, in.x0), in.width);
    gm_node *y = forward(b, &in, xi, &slope);
    if (inverse) {
        y = gm_add(b, in.x0, gm_mul(b, xi, in.width));
        slope = gm_neg(b, slope);
    }
    *log_slope = gm_where(b, inside, slope, gm__const_like(b, 0, x));
    return gm_where(b, inside, y, x);
}
