/* Matrix products, and masked ones: what is known to be zero is neither multiplied nor trained. */
#include "graph/node.h"

#include <string.h>

/* whole[0], whole[1]: transposed operands. A mask makes it one of two forms (whole[2]): */
enum {
    PLAIN = 0,
    BY_MASKED = 1, /* operand 1, as stored, has the mask's shape and is zero outside it */
    TO_MASKED = 2  /* the result has the mask's shape and is set to zero outside it */
};

static gm_node *product(gm_builder *b, gm_node *x, gm_node *y, int tx, int ty, int form,
                        const gm__mask *mask)
{
    gm__attr a = {.whole = {tx != 0, ty != 0, mask ? form : PLAIN}, .mask = mask};
    return gm__node2(b, GM__OP_MATMUL, x, y, &a);
}

gm_node *gm_matmul(gm_builder *b, gm_node *x, gm_node *y, int32_t tx, int32_t ty)
{
    gm_node *in[2] = {x, y};
    if (!b || !gm__good(b, "matmul", 2, in))
        return NULL;
    if (x->ndim <= 2 || y->ndim != 2 || tx)
        return product(b, x, y, tx, ty, PLAIN, NULL);
    gm__count rows; /* rows of rows times one matrix */
    int64_t shape[8] = {0};
    if (gm__count_dims(x->shape, 0, x->ndim - 1, &rows) || rows.power > 1)
        return gm__wrong(b, GM_E_SHAPE, "matmul: shape %s has too many rows", gm__show(x).text);
    int64_t flat[2] = {rows.power ? -rows.factor : rows.factor, x->shape[x->ndim - 1]};
    gm_node *z = product(b, gm_reshape(b, x, 2, flat), y, 0, ty, PLAIN, NULL);
    memcpy(shape, x->shape, sizeof shape);
    shape[x->ndim - 1] = gm_node_dim(z, 1);
    return z ? gm_reshape(b, z, x->ndim, shape) : NULL;
}

static void shape_matmul(gm_builder *b, gm_node *n)
{
    const gm_node *x = n->in[0], *y = n->in[1];
    int nd = x->ndim, tx = n->attr.whole[0] != 0, ty = n->attr.whole[1] != 0;
    n->type = x->type;
    if (x->type != y->type || x->type == GM_INDEX_NODE) {
        gm__wrong(b, GM_E_ARG, "matmul: the operands must both be REAL or both WIDE");
        return;
    }
    if (nd < 2 || y->ndim != nd ||
        memcmp(x->shape, y->shape, sizeof *x->shape * (size_t)(nd - 2)) != 0) {
        gm__wrong(b, GM_E_SHAPE,
                  "matmul: shapes %s and %s do not fit: two matrices, or stacks of them alike",
                  gm__show(x).text, gm__show(y).text);
        return;
    }
    int64_t k1 = x->shape[nd - 1 - tx], k2 = y->shape[nd - 2 + ty];
    if (k1 != k2) {
        gm__wrong(b, GM_E_SHAPE, "matmul: shapes %s and %s do not fit: %lld and %lld must be equal",
                  gm__show(x).text, gm__show(y).text, (long long)k1, (long long)k2);
        return;
    }
    n->ndim = nd;
    memcpy(n->shape, x->shape, sizeof n->shape);
    n->shape[nd - 2] = x->shape[nd - 2 + tx];
    n->shape[nd - 1] = y->shape[nd - 1 - ty];
}

/* ---- Masks ----------------------------------------------------------------------------------- */

/* Bounds of the transposed intervals: for i the least and greatest j with lo[j] <= i < hi[j].
 * Returns 1 if each j between them holds i, so that the bounds are exact. */
static int transpose_intervals(int64_t n, const int32_t *lo, const int32_t *hi, int64_t k,
                               int32_t *tlo, int32_t *thi)
{
    int exact = 1;
    for (int64_t i = 0; i < k; i++) {
        int64_t first = -1, last = -1, count = 0;
        for (int64_t j = 0; j < n; j++)
            if (lo[j] <= i && i < hi[j]) {
                first = first < 0 ? j : first;
                last = j;
                count++;
            }
        tlo[i] = (int32_t)(first < 0 ? 0 : first);
        thi[i] = (int32_t)(last + 1);
        exact &= count == thi[i] - tlo[i];
    }
    return exact;
}

const gm__mask *gm__mask_make(gm_builder *b, int64_t k, int64_t n, const int32_t *lo,
                              const int32_t *hi)
{
    int32_t *all = NULL;
    gm__mask *m = gm__arena_alloc(&b->arena, sizeof *m);
    if (k <= INT32_MAX / 2 && n <= INT32_MAX / 2)
        all = gm__arena_array(&b->arena, 2 * (k + n) + 1, sizeof *all);
    if (!m || !all)
        return (const gm__mask *)gm__graph_memory(b);
    *m = (gm__mask){k, n, all, all + n, all + 2 * n, all + 2 * n + k, 1, 0};
    for (int64_t j = 0; j < n; j++) {
        m->col_lo[j] = lo[j];
        m->col_hi[j] = hi[j] > lo[j] ? hi[j] : lo[j];
        if (lo[j] < 0 || m->col_hi[j] > k)
            return (const gm__mask *)gm__wrong(
                b, GM_E_RANGE,
                "matmul_masked: rows [%d, %d) of column %lld lie outside"
                " 0 to %lld",
                lo[j], hi[j], (long long)j, (long long)k);
    }
    m->rows_exact = transpose_intervals(n, m->col_lo, m->col_hi, k, m->row_lo, m->row_hi);
    return m;
}

static const gm__mask *mask_transposed(gm_builder *b, const gm__mask *m)
{
    gm__mask *t = gm__arena_alloc(&b->arena, sizeof *t);
    if (!t)
        return (const gm__mask *)gm__graph_memory(b);
    *t = (gm__mask){m->n,      m->k,      m->row_lo,     m->row_hi,
                    m->col_lo, m->col_hi, m->rows_exact, m->cols_exact};
    return t;
}

/* One inside, zero outside, as a constant of the mask's shape. */
static gm_node *mask_array(gm_builder *b, const gm__mask *m)
{
    int64_t shape[2] = {m->k, m->n};
    double *v = gm__arena_array(&b->arena, m->k * m->n + 1, sizeof *v);
    if (!v)
        return gm__graph_memory(b);
    for (int64_t i = 0; i < m->k; i++)
        for (int64_t j = 0; j < m->n; j++)
            v[i * m->n + j] =
                j >= m->row_lo[i] && j < m->row_hi[i] && i >= m->col_lo[j] && i < m->col_hi[j];
    return gm_const_array(b, 2, shape, v);
}

gm_node *gm_matmul_masked(gm_builder *b, gm_node *x, gm_node *w, const int32_t *lo,
                          const int32_t *hi)
{
    gm_node *in[2] = {x, w};
    if (!b || !gm__good(b, "matmul_masked", 2, in))
        return NULL;
    if (x->ndim != 2 || w->ndim != 2 || w->shape[0] < 0 || w->shape[1] < 0 || !lo || !hi)
        return gm__wrong(
            b, GM_E_SHAPE,
            "matmul_masked: shapes %s and %s do not fit: x must be (batch, k), the weight"
            " (k, n)",
            gm__show(x).text, gm__show(w).text);
    const gm__mask *m = gm__mask_make(b, w->shape[0], w->shape[1], lo, hi);
    if (!m)
        return NULL;
    if (!gm__is(w, GM__OP_PARAM))
        return product(b, x, gm_mul(b, w, mask_array(b, m)), 0, 0, BY_MASKED, m);
    gm__slot *s = (gm__slot *)gm__layout_find(b->layout, w->attr.data);
    if (s && !s->lo) {
        int32_t *both = gm__arena_array(&b->layout->arena, 2 * m->n + 1, sizeof *both);
        if (!both)
            return gm__graph_memory(b);
        memcpy(both, m->col_lo, sizeof *both * (size_t)m->n);
        memcpy(both + m->n, m->col_hi, sizeof *both * (size_t)m->n);
        s->lo = both;
        s->hi = both + m->n;
    }
    return product(b, x, w, 0, 0, BY_MASKED, m);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

/* x^T y, set to zero outside the mask, x (r, k), y (r, n). */
static gm_node *to_masked(gm_builder *b, gm_node *x, gm_node *y, const gm__mask *m)
{
    static const int32_t swap[2] = {1, 0};
    if (m->rows_exact)
        return product(b, x, y, 1, 0, TO_MASKED, m);
    const gm__mask *t = mask_transposed(b, m);
    return t ? gm_permute(b, product(b, y, x, 1, 0, TO_MASKED, t), swap) : NULL;
}

/* z = op(x) op(y); op(x) = x^T if tx. dx = dz op(y)^T, transposed again if tx; dy alike. */
static void d_plain(gm_builder *b, gm_node *z, gm_node *dz, gm_node **dx)
{
    gm_node *x = z->in[0], *y = z->in[1];
    int tx = z->attr.whole[0] != 0, ty = z->attr.whole[1] != 0;
    dx[0] = tx ? product(b, y, dz, ty, 1, PLAIN, NULL) : product(b, dz, y, 0, !ty, PLAIN, NULL);
    dx[1] = ty ? product(b, dz, x, 1, tx, PLAIN, NULL) : product(b, x, dz, !tx, 0, PLAIN, NULL);
}

static void d_matmul(gm_builder *b, gm_node *z, gm_node *dz, gm_node *dz2, gm_node **dx)
{
    gm_node *x = z->in[0], *y = z->in[1];
    const gm__mask *m = z->attr.mask;
    (void)dz2;
    if (z->attr.whole[2] == PLAIN) {
        d_plain(b, z, dz, dx);
    } else if (z->attr.whole[2] == BY_MASKED) { /* z = x y or x y^T */
        int ty = z->attr.whole[1] != 0;
        dx[0] = product(b, dz, y, 0, !ty, BY_MASKED, m);
        dx[1] = ty ? to_masked(b, dz, x, m) : to_masked(b, x, dz, m);
    } else { /* z = x^T y inside the mask */
        gm_node *inside = gm_mul(b, dz, mask_array(b, m));
        dx[0] = product(b, y, inside, 0, 1, BY_MASKED, m);
        dx[1] = product(b, x, inside, 0, 0, BY_MASKED, m);
    }
}

const gm__op gm__ops_product[] = {
    {"matmul", 2, 0, shape_matmul, NULL, NULL, gm__whole_matmul, d_matmul},
};
