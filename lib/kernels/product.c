/* The matrix product: how it is divided, and its body for each instruction set. */
#include "kernels/product.h"

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

gm__range gm__product_steps(const gm__product *p, int64_t j)
{
    gm__range r = {0, p->k};
    if (!p->k_lo && !p->k_hi)
        return r;
    int64_t begin = j - j % GM__PRODUCT_GROUP, end = min64(begin + GM__PRODUCT_GROUP, p->n);
    r.lo = p->k, r.hi = 0;
    for (j = begin; j < end; j++) {
        int64_t lo = p->k_lo ? max64(p->k_lo[j], 0) : 0;
        int64_t hi = p->k_hi ? min64(p->k_hi[j], p->k) : p->k;
        if (lo < hi) {
            r.lo = min64(r.lo, lo);
            r.hi = max64(r.hi, hi);
        }
    }
    if (r.lo > r.hi)
        r.lo = r.hi = 0;
    return r;
}

gm__range gm__product_wanted(const gm__product *p, int64_t i, int64_t h)
{
    gm__range r = {0, p->n};
    if (!p->n_lo && !p->n_hi)
        return r;
    r.lo = p->n, r.hi = 0;
    for (int64_t end = i + h; i < end; i++) {
        int64_t lo = p->n_lo ? max64(p->n_lo[i], 0) : 0;
        int64_t hi = p->n_hi ? min64(p->n_hi[i], p->n) : p->n;
        if (lo < hi) {
            r.lo = min64(r.lo, lo);
            r.hi = max64(r.hi, hi);
        }
    }
    if (r.lo > r.hi)
        r.lo = r.hi = 0;
    return r;
}

/* Rows are dealt in units of this many, columns in groups. */
#define ROW_UNIT 4

/* Work of row unit or column group u: what structure leaves of it. */
static int64_t unit_work(const gm__product *p, int by_rows, int64_t u)
{
    gm__range r = by_rows
                      ? gm__product_wanted(p, u * ROW_UNIT, min64(ROW_UNIT, p->m - u * ROW_UNIT))
                      : gm__product_steps(p, u * GM__PRODUCT_GROUP);
    return r.hi - r.lo + 1;
}

/* The first unit of share s of `shares`: equal counts, or equal work where there is structure. */
static int64_t cut(const gm__product *p, int by_rows, int64_t units, int s, int shares)
{
    int structured = by_rows ? p->n_lo || p->n_hi : p->k_lo || p->k_hi;
    if (s == 0 || s == shares || !structured)
        return units / shares * s + min64(units % shares, s);
    int64_t total = 0, sum = 0, u = 0;
    for (int64_t v = 0; v < units; v++)
        total += unit_work(p, by_rows, v);
    for (; u < units && sum < total / shares * s; u++)
        sum += unit_work(p, by_rows, u);
    return u;
}

/* Of all grids rows x cols = parts, the one whose largest rectangle costs least: its products, and
 * what it costs to pack its part of B (some 6 rows' worth) and to read its part of A (2 columns).
 */
static int grid_rows(const gm__product *p, int parts, int64_t row_units, int64_t groups)
{
    int best = 1;
    double least = 0;
    for (int rows = 1; rows <= parts; rows++) {
        if (parts % rows)
            continue;
        int cols = parts / rows;
        double m = (double)min64((row_units + rows - 1) / rows * ROW_UNIT, p->m);
        double n = (double)min64((groups + cols - 1) / cols * GM__PRODUCT_GROUP, p->n);
        double cost = m * n + 6 * n + 2 * m;
        if (rows == 1 || cost < least) {
            best = rows;
            least = cost;
        }
    }
    return best;
}

gm__share gm__product_share(const gm__product *p, int part, int parts)
{
    gm__share s = {0, p->m, 0, p->n};
    if (parts == 1)
        return s;
    int64_t row_units = (p->m + ROW_UNIT - 1) / ROW_UNIT;
    int64_t groups = (p->n + GM__PRODUCT_GROUP - 1) / GM__PRODUCT_GROUP;
    int rows = grid_rows(p, parts, row_units, groups), cols = parts / rows;
    int row = part / cols, col = part % cols;
    s.i0 = min64(cut(p, 1, row_units, row, rows) * ROW_UNIT, p->m);
    s.i1 = min64(cut(p, 1, row_units, row + 1, rows) * ROW_UNIT, p->m);
    s.j0 = min64(cut(p, 0, groups, col, cols) * GM__PRODUCT_GROUP, p->n);
    s.j1 = min64(cut(p, 0, groups, col + 1, cols) * GM__PRODUCT_GROUP, p->n);
    return s;
}

#define GM_ISA_BODY "kernels/product_body.h"
#include "kernels/each_isa.h"
