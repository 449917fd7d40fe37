/* Matrix products by the CBLAS that the library was configured with: the choice of a user who gives
 * up the promise of same bits (context setting matmul=cblas). The epilogue is ours, in the order
 * that kernels.h states; structure is not used, since zeros multiply to zero. */
#include "kernels/product_cblas.h"

#ifdef GM_HAVE_CBLAS
#include <cblas.h>
#include <limits.h>
#include <string.h>

/* Rows [i0, i1) of the result belong to this part: whole runs, so that parts do not overlap. */
static void rows_of_part(const gm__product *p, int part, int parts, int64_t *i0, int64_t *i1)
{
    int64_t each = (p->m + parts - 1) / parts;
    *i0 = each * part < p->m ? each * part : p->m;
    *i1 = *i0 + each < p->m ? *i0 + each : p->m;
}

/* C = op(A) op(B) (+ C) for rows [i0, i1). */
static void multiply(const gm__product *p, int64_t i0, int64_t i1)
{
    size_t size = p->real == GM__F64 ? 8 : 4;
    int m = (int)(i1 - i0), n = (int)p->n, k = (int)p->k;
    const void *a = (const char *)p->a + (size_t)(p->ta ? i0 : i0 * p->lda) * size;
    void *c = (char *)p->c + (size_t)(i0 * p->ldc) * size;
    int lda = (int)p->lda, ldb = (int)p->ldb, ldc = (int)p->ldc;
    enum CBLAS_TRANSPOSE ta = p->ta ? CblasTrans : CblasNoTrans,
                         tb = p->tb ? CblasTrans : CblasNoTrans;
    if (p->real == GM__F64)
        cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, p->b, ldb, p->accumulate ? 1 : 0, c,
                    ldc);
    else
        cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, p->b, ldb, p->accumulate ? 1 : 0, c,
                    ldc);
}

/* Zeros outside the columns of row i that are wanted. */
static void keep_wanted(const gm__product *p, int64_t i, void *row, size_t size)
{
    int64_t lo = p->n_lo[i], hi = p->n_hi[i] > lo ? p->n_hi[i] : lo;
    memset(row, 0, (size_t)lo * size);
    memset((char *)row + (size_t)hi * size, 0, (size_t)(p->n - hi) * size);
}

static void finish_row(const gm__kernels *k, const gm__product *p, int64_t i)
{
    size_t size = p->real == GM__F64 ? 8 : 4;
    const gm__maps *maps = k->maps;
    char *c = (char *)p->c + (size_t)(i * p->ldc) * size;
    char *pre = p->pre ? (char *)p->pre + (size_t)(i * p->ldc) * size : NULL;
    char *slope_to = p->slope_to ? (char *)p->slope_to + (size_t)(i * p->ldc) * size : NULL;
    if (p->bias)
        maps->map2[p->real][GM__ADD](c, c, p->bias, p->n);
    if (p->pre)
        memcpy(pre, c, (size_t)p->n * size);
    if (p->slope_to)
        (p->act == GM__SILU ? maps->silu_both : maps->softplus_both)[p->real](c, slope_to, c, p->n);
    else if (p->act == GM__ACT_LEAKY)
        maps->leaky[p->real](c, c, p->slope, p->n);
    else if (p->act != GM__ACT_NONE)
        maps->map1[p->real][p->act](c, c, p->n);
    if (p->gate)
        maps->map2[p->real][p->factor ? GM__MUL : GM__GATE](
            c, c, (const char *)p->gate + (size_t)(i * p->ldgate) * size, p->n);
    if (p->n_lo) {
        keep_wanted(p, i, c, size);
        if (pre)
            keep_wanted(p, i, pre, size);
        if (slope_to)
            keep_wanted(p, i, slope_to, size);
    }
}

int gm__product_cblas(const gm__kernels *k, const gm__product *p, int part, int parts)
{
    int64_t i0, i1;
    if (p->m > INT_MAX || p->n > INT_MAX || p->k > INT_MAX || p->k < 1 || p->lda > INT_MAX ||
        p->ldb > INT_MAX || p->ldc > INT_MAX)
        return 0;
    rows_of_part(p, part, parts, &i0, &i1);
    if (i0 < i1)
        multiply(p, i0, i1);
    for (int64_t i = i0; i < i1; i++)
        finish_row(k, p, i);
    return 1;
}

#else

int gm__product_cblas(const gm__kernels *k, const gm__product *p, int part, int parts)
{
    (void)k;
    (void)p;
    (void)part;
    (void)parts;
    return 0;
}

#endif
