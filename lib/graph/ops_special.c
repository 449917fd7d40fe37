/* The spline, its gradient as one operation, the second result of an operation with two, and
 * triangular systems. */
#include "graph/node.h"

#include <string.h>

/* real: bound, min_bin, min_slope; whole[0] bins, whole[1] inverse. Operands x (..., t), p (..., t
 * (3 bins - 1)). */
gm_node *gm_rq_spline(gm_builder *b, const gm_spline *s, gm_node *x, gm_node *p,
                      gm_node **log_slope)
{
    gm_node *in[2] = {x, p};
    *log_slope = NULL;
    if (!b || !gm__good(b, "rq_spline", 2, in))
        return NULL;
    if (!s || s->struct_size < sizeof *s || s->bins < 2 || s->bins > 256 || !(s->bound > 0) ||
        !(s->bound < 1e30) || !(s->min_bin >= 0) || !(s->min_bin * s->bins < 1) ||
        !(s->min_slope >= 0) || !(s->min_slope < 1))
        return gm__wrong(
            b, GM_E_RANGE,
            "rq_spline: needs 2 to 256 bins, a positive bound, min_bin under 1 / bins and"
            " min_slope under 1");
    gm__attr a = {.real = {s->bound, s->min_bin, s->min_slope},
                  .whole = {s->bins, s->inverse != 0}};
    int64_t rows[2] = {1, x->shape[0]}, par[2] = {1, p->ndim ? p->shape[0] : 0};
    int lone = x->ndim == 1 && p->ndim == 1;
    gm_node *y =
        lone ? gm__node2(b, GM__OP_SPLINE, gm_reshape(b, x, 2, rows), gm_reshape(b, p, 2, par), &a)
             : gm__node2(b, GM__OP_SPLINE, x, p, &a);
    *log_slope = gm__second(b, y);
    if (lone && y) {
        *log_slope = gm__reshape_like(b, *log_slope, x);
        y = gm__reshape_like(b, y, x);
    }
    return y;
}

static void shape_spline(gm_builder *b, gm_node *n)
{
    const gm_node *x = n->in[0], *p = n->in[1];
    int last = x->ndim - 1;
    int64_t need = 0;
    gm__shape_of_first(b, n);
    int fit =
        x->ndim >= 2 && p->ndim == x->ndim && x->type == GM_REAL_NODE && p->type == GM_REAL_NODE &&
        memcmp(x->shape, p->shape, sizeof *x->shape * (size_t)last) == 0 && x->shape[last] >= 0 &&
        !gm__mul64(x->shape[last], 3 * n->attr.whole[0] - 1, &need) && p->shape[last] == need;
    if (!fit)
        gm__wrong(b, GM_E_SHAPE,
                  "rq_spline: shapes %s and %s do not fit: %lld parameters for each element of x",
                  gm__show(x).text, gm__show(p).text, (long long)(3 * n->attr.whole[0] - 1));
}

/* Operands x, p, dy, dlog_slope; results dx and dp. */
static void d_spline(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    gm_node *x = y->in[0];
    gm_node *in[4] = {x, y->in[1], dy ? dy : gm__fill_like(b, 0, x),
                      dy2 ? dy2 : gm__fill_like(b, 0, x)};
    dx[0] = gm__node(b, GM__OP_SPLINE_GRAD, 4, in, &y->attr);
    dx[1] = gm__second(b, dx[0]);
}

/* The gradient operation's own gradient: through the spline written out. The operands are hidden
 * behind nodes of their own, so that only what is written here is differentiated. */
static void d_spline_grad(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    gm_node *in[4], *slope, *first[2], *all = NULL;
    for (int i = 0; i < 4; i++)
        in[i] = gm__same(b, y->in[i]);
    gm_node *out = gm__spline_plain(b, &y->attr, in[0], in[1], &slope);
    gm_node *of = gm_add(b, gm_mul(b, out, in[2]), gm_mul(b, slope, in[3]));
    gm_gradient(b, of, 2, in, first);
    if (dy)
        all = gm_sum_all(b, gm_mul(b, first[0], dy));
    if (dy2) {
        gm_node *more = gm_sum_all(b, gm_mul(b, first[1], dy2));
        all = all ? gm_add(b, all, more) : more;
    }
    gm_gradient(b, all, 4, in, dx);
}

gm_node *gm__second(gm_builder *b, gm_node *x)
{
    return x ? gm__node1(b, GM__OP_SECOND, x, NULL) : NULL;
}

/* A spline's second result has the first's shape; its gradient's second is that of the parameters.
 */
static void shape_second(gm_builder *b, gm_node *n)
{
    const gm_node *like = gm__is(n->in[0], GM__OP_SPLINE_GRAD) ? n->in[0]->in[1] : n->in[0];
    (void)b;
    n->type = like->type;
    n->ndim = like->ndim;
    memcpy(n->shape, like->shape, sizeof n->shape);
}

/* ---- Triangular systems ---------------------------------------------------------------------- */

/* Operands A, x. whole[0]: A is upper; whole[1]: solve with its transpose. */
static gm_node *solve(gm_builder *b, gm_node *a, gm_node *x, int upper, int transposed)
{
    gm__attr attr = {.whole = {upper != 0, transposed != 0}};
    return gm__node2(b, GM__OP_SOLVE, a, x, &attr);
}

gm_node *gm_solve_triangular(gm_builder *b, gm_node *x, gm_node *a, int32_t upper)
{
    return b ? solve(b, a, x, upper, 0) : NULL;
}

static void shape_solve(gm_builder *b, gm_node *n)
{
    const gm_node *a = n->in[0], *x = n->in[1];
    n->type = x->type;
    n->ndim = x->ndim;
    memcpy(n->shape, x->shape, sizeof n->shape);
    if (a->ndim != 2 || x->ndim != 2 || a->shape[0] < 0 || a->shape[0] != a->shape[1] ||
        x->shape[1] != a->shape[0])
        gm__wrong(
            b, GM_E_SHAPE,
            "solve_triangular: shapes %s and %s do not fit: rows (batch, n) and a matrix (n, n)",
            gm__show(x).text, gm__show(a).text);
    else if (a->type != x->type || x->type == GM_INDEX_NODE)
        gm__wrong(b, GM_E_ARG, "solve_triangular: the operands must both be REAL or both WIDE");
}

/* 1 where the triangle that is read lies. */
static gm_node *triangle(gm_builder *b, const gm_node *a, int upper)
{
    int64_t n = a->shape[0], count;
    double *mask = gm__mul64(n, n, &count) ? NULL : gm__builder_scratch(b, count, sizeof *mask);
    for (int64_t i = 0; mask && i < n; i++)
        for (int64_t j = 0; j < n; j++)
            mask[i * n + j] = upper ? j >= i : j <= i;
    return mask ? gm_const_array(b, 2, a->shape, mask) : gm__graph_memory(b);
}

/* y = x A^-1: dx = dy A^-T, and A takes -y^T dx where it is read (Giles 2008, section 2.2.4); with
 * the transpose, -dx^T y. */
static void d_solve(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    gm_node *a = y->in[0];
    int upper = y->attr.whole[0] != 0, transposed = y->attr.whole[1] != 0;
    (void)dy2;
    dx[1] = solve(b, a, dy, upper, !transposed);
    gm_node *da = transposed ? gm_matmul(b, dx[1], y, 1, 0) : gm_matmul(b, y, dx[1], 1, 0);
    dx[0] = gm_neg(b, gm_mul(b, da, triangle(b, a, upper)));
}

const gm__op gm__ops_special[] = {
    {"rq_spline", 2, GM__TWO, shape_spline, gm__strip_spline, NULL, NULL, d_spline},
    {"rq_spline_grad", 4, GM__TWO, gm__shape_of_first, gm__strip_spline_grad, NULL, NULL,
     d_spline_grad},
    {"second", 1, GM__VIEWS, shape_second, NULL, NULL, NULL, NULL},
    {"solve_triangular", 2, GM__TABLE, shape_solve, gm__strip_solve, NULL, NULL, d_solve},
};
