/* The loops over blocks, pieces, panels and tiles of a product, for one instruction set and type.
 *
 * Columns are taken NC at a time, k by pieces, rows some MC at a time (a block of A stays in the
 * second cache); then a panel of two vectors of columns is packed once, and tiles go down the rows.
 */

#define GM_KC GM__K_CUT
#define GM_MC (524288 / GM_KC / (int)sizeof(R))
#define GM_NC (2048 / (int)sizeof(R))
#define GM_NR (2 * VL)
/* Rows of A that are copied lie this far apart: not a multiple of 4 KB, where they would share a
 * few lines of the first cache. */
#define GM_A_STRIDE (GM_KC + 16)

/* Rows of a block: more where k is short. */
static int64_t T(block_rows)(const gm__product *p)
{
    int64_t k = p->k < GM_KC / 4 ? GM_KC / 4 : p->k < GM_KC ? p->k : GM_KC;
    return GM_MC * GM_KC / k;
}

/* How the tiles of one block read A. */
typedef struct T(rows) {
    const R *a; /* element (i0, k0) */
    ptrdiff_t rs, ks;
    int64_t i0, i1;
    int panels; /* packed by tiles: a tile of height h at a + (i - i0) * rs has ks = h */
} T(rows);

static int T(copies_a)(const gm__product *p)
{
    if (p->ta && !GM_IN_PLACE && p->n > 256)
        return 1;
    return p->lda * (int64_t)sizeof(R) % 4096 == 0 && (p->ta || p->m > 1);
}

/* Rows [i0, i1) are cut into tiles of at most `most`, as equal as can be: the height of tile t. */
static int64_t T(height)(int64_t i0, int64_t i1, int64_t most, int64_t t)
{
    int64_t tiles = (i1 - i0 + most - 1) / most;
    return (i1 - i0) / tiles + (t < (i1 - i0) % tiles);
}

/* Rows [i0, i1), steps [k0, k0 + k) of op(A), copied to `to` where reading in place is bad. */
static T(rows)
    T(take_rows)(const T(job) * job, int64_t i0, int64_t i1, int64_t k0, int64_t k, R *to)
{
    const gm__product *p = job->p;
    T(rows) v = {job->a + i0 * p->lda + k0, p->lda, 1, i0, i1, 0};
    if (p->ta)
        v.a = job->a + k0 * p->lda + i0, v.rs = 1, v.ks = p->lda;
    if (!T(copies_a)(p))
        return v;
    v.a = to;
    if (!p->ta) {
        v.rs = GM_A_STRIDE;
        for (int64_t i = i0; i < i1; i++)
            memcpy(to + (i - i0) * v.rs, job->a + i * p->lda + k0, (size_t)k * sizeof(R));
        return v;
    }
    v.panels = 1;
    v.rs = k;
    for (int64_t i = i0, t = 0, h; i < i1; i += h, t++) {
        h = T(height)(i0, i1, GM_MR, t);
        T(pack_a)(to + (i - i0) * k, job, i, h, k0, k);
    }
    return v;
}

/* A panel of B and the steps of one piece of k that it needs. */
typedef struct T(panel) {
    const R *b; /* row `lo`, column j */
    ptrdiff_t bs;
    int64_t j, w;
    int nv;          /* vectors; 0: half of one; 3: two and at most half of one */
    int64_t lo, hi;  /* steps within the piece, counted from its start */
    int first, last; /* the piece is the first, the last that the panel needs */
} T(panel);

VINLINE void T(fetch_row)(const R *x, int64_t w, const int write)
{
    if (write)
        __builtin_prefetch(x, 1), __builtin_prefetch(x + w - 1, 1);
    else
        __builtin_prefetch(x), __builtin_prefetch(x + w - 1);
}

static void T(run_tile)(const T(job) * job, const T(rows) * rows, const T(panel) * b, int64_t i,
                        int64_t h)
{
    const gm__product *p = job->p;
    _Alignas(64) R t[GM_MR * (GM_NR + VL)];
    ptrdiff_t ldo = GM_NR + VL;
    R *out = t, *c = job->c + i * p->ldc + b->j;
    int direct = !job->does && b->first && b->last && (b->w == b->nv * VL || b->nv == 3);
    if (direct)
        out = c, ldo = p->ldc;
    for (int64_t r = 0; r < h; r++)
        T(fetch_row)(c + r * p->ldc, b->w, 1);
    for (int64_t r = 0; job->gate && r < h; r++)
        T(fetch_row)(job->gate + (i + r) * p->ldgate + b->j, b->w, 0);
    const R *a = rows->a + (i - rows->i0) * rows->rs;
    ptrdiff_t rs = rows->panels ? 1 : rows->rs, ks = rows->panels ? h : rows->ks;
#if GM_HALF
    if (b->nv == 3 && b->w <= GM_NR + VL / 4)
        T(pair_tiles)
    [h - 1](b->hi - b->lo, a + b->lo * ks, rs, ks, b->b, b->bs, out, ldo, (int)(b->w - 2 * VL),
            direct);
    else if (b->nv == 3) T(odd_tiles)[h - 1](b->hi - b->lo, a + b->lo * ks, rs, ks, b->b, b->bs,
                                             out, ldo, (int)(b->w - 2 * VL), direct);
    else
#endif
        T(tiles)[h - 1][b->nv](b->hi - b->lo, a + b->lo * ks, rs, ks, b->b, b->bs, out, ldo);
    if (!direct)
        T(finish_tile)(job, i, b->j, h, b->w, t, ldo, b->first, b->last);
    if (p->zeroed && b->last)
        T(zero_unwanted)(job, i, b->j, h, b->w);
}

/* Whether a row of the tile wants anything there. */
static int T(wanted)(const gm__product *p, int64_t i, int64_t h, int64_t j, int64_t w)
{
    for (int64_t end = i + h; i < end; i++) {
        int64_t lo = p->n_lo ? p->n_lo[i] : 0, hi = p->n_hi ? p->n_hi[i] : p->n;
        if (lo < hi && lo < j + w && hi > j)
            return 1;
    }
    return 0;
}

/* The tiles of one panel, down the rows. */
static void T(run_panel)(const T(job) * job, const T(rows) * rows, const T(panel) * b)
{
    const gm__product *p = job->p;
    int bounded = p->n_lo || p->n_hi;
    int64_t most = GM_MR;
#if GM_HALF
    if (b->nv == 3)
        most = b->w <= GM_NR + VL / 4 ? GM_PAIR : GM_ODD;
#endif
    for (int64_t i = rows->i0, t = 0, h; i < rows->i1; i += h, t++) {
        h = T(height)(rows->i0, rows->i1, most, t);
        if (bounded && !T(wanted)(p, i, h, b->j, b->w))
            continue;
        T(run_tile)(job, rows, b, i, h);
    }
}

/* Vectors of the panel that starts where `left` columns are left. */
static int T(panel_vectors)(const gm__product *p, int64_t left)
{
    if (GM_HALF && left > 2 * VL && left <= 2 * VL + VL / 2 && !p->k_lo && !p->k_hi &&
        !T(copies_a)(p))
        return 3;
    if (GM_HALF && left <= VL / 2)
        return 0;
    return left <= VL || (GM_HALF && left <= VL + VL / 2) ? 1 : 2;
}

/* The panel at column j for the piece of k from k0 to k1; 0 if it needs nothing of that piece. */
static int T(find_panel)(const T(job) * job, int64_t j, int64_t end, int64_t k0, int64_t k1,
                         T(panel) * b)
{
    gm__range need = gm__product_steps(job->p, j);
    int64_t piece = k0 / GM_KC, first = need.lo / GM_KC;
    int64_t last = need.hi > need.lo ? (need.hi - 1) / GM_KC : first;
    b->j = j;
    b->nv = T(panel_vectors)(job->p, end - j);
    b->bs = b->nv == 0 ? VL / 2 : b->nv == 3 ? 2 * VL + VL / 2 : b->nv * VL;
    b->w = end - j < b->bs ? end - j : b->bs;
    if (piece < first || piece > last)
        return 0;
    b->first = piece == first;
    b->last = piece == last;
    b->lo = need.lo > k0 ? need.lo - k0 : 0;
    b->hi = (need.hi < k1 ? need.hi : k1) - k0;
    if (b->hi < b->lo)
        b->hi = b->lo;
    return 1;
}

/* B is read in place where that keeps to a cache and its translations, or each element is read
 * once. */
static int T(reads_b_in_place)(const gm__product *p, int64_t m)
{
    int64_t row = p->ldb * (int64_t)sizeof(R);
    if (p->tb || !GM_IN_PLACE || row % 4096 == 0)
        return !p->tb && m <= GM_MR;
    return m <= GM_MR || row <= 1572864 / (p->k < GM_KC ? p->k + 1 : GM_KC);
}

/* The rectangle s, at most NC columns wide, from buffers for A and B. */
static void T(run_columns)(const T(job) * job, gm__share s, R *abuf, R *bbuf)
{
    const gm__product *p = job->p;
    int64_t most = T(block_rows)(p), m = s.i1 - s.i0, blocks = (m + most - 1) / most, k0 = 0;
    int in_place = T(reads_b_in_place)(p, m);
    do {
        int64_t k1 = p->k - k0 < GM_KC ? p->k : k0 + GM_KC;
        for (int64_t block = 0; block < blocks; block++) {
            gm__share part = {s.i0 + m * block / blocks, s.i0 + m * (block + 1) / blocks, s.j0,
                              s.j1};
            T(rows) rows = T(take_rows)(job, part.i0, part.i1, k0, k1 - k0, abuf);
            T(panel) b;
            for (int64_t j = s.j0; j < s.j1; j += b.w) {
                if (!T(find_panel)(job, j, s.j1, k0, k1, &b))
                    continue;
                R *to = blocks > 1 ? bbuf + (j - s.j0) * GM_KC : bbuf;
                b.b = to;
                if (in_place && (b.w == b.nv * VL || b.nv == 3)) {
                    b.b = job->b + (k0 + b.lo) * p->ldb + j;
                    b.bs = p->ldb;
                } else if (block == 0) {
                    T(pack_b)(to, b.bs, job, k0 + b.lo, b.hi - b.lo, j, b.w);
                }
                T(run_panel)(job, &rows, &b);
            }
            if (k1 == p->k)
                T(finish_rows)(job, part);
        }
        k0 = k1;
    } while (k0 < p->k);
}

#if GM_STRIP
/* A strip of h <= 4 rows and w columns of the rectangle s, B in place. */
static void T(run_strip)(const T(job) * job, gm__share s, int64_t j, int64_t w)
{
    const gm__product *p = job->p;
    _Alignas(64) R sum[4 * 8 * VL], piece[4 * 8 * VL];
    const ptrdiff_t ldo = 8 * VL;
    int64_t h = s.i1 - s.i0;
    gm__range need = gm__product_steps(p, j);
    ptrdiff_t rs = p->ta ? 1 : p->lda, ks = p->ta ? p->lda : 1;
    T(strip_fn) *strip = T(strips)[h - 1][(w + VL - 1) / VL - 1];
    R *out = sum;
    int64_t lo = need.lo;
    do {
        int64_t hi = (lo / GM_KC + 1) * GM_KC < need.hi ? (lo / GM_KC + 1) * GM_KC : need.hi;
        strip(hi - lo, job->a + s.i0 * rs + lo * ks, rs, ks, job->b + lo * p->ldb + j, p->ldb, w,
              out, ldo);
        for (int64_t r = 0; out == piece && r < h; r++)
            for (int64_t q = 0; q < w; q += VL)
                V_STORE(sum + r * ldo + q, V_LOAD(sum + r * ldo + q) + V_LOAD(piece + r * ldo + q));
        out = piece;
        lo = hi;
    } while (lo < need.hi);
    T(finish_tile)(job, s.i0, j, h, w, sum, ldo, 1, 1);
    if (p->zeroed)
        T(zero_unwanted)(job, s.i0, j, h, w);
}

/* A few rows: strips as equal as can be, each at least one vector wide. */
static void T(run_strips)(const T(job) * job, gm__share s)
{
    int64_t widest = T(strip_width)[s.i1 - s.i0 - 1];
    int64_t vectors = (s.j1 - s.j0 + VL - 1) / VL, strips = (vectors + widest - 1) / widest;
    for (int64_t t = 0; t < strips; t++) {
        int64_t j = s.j0 + vectors * t / strips * VL, end = s.j0 + vectors * (t + 1) / strips * VL;
        T(run_strip)(job, s, j, (end < s.j1 ? end : s.j1) - j);
    }
    T(finish_rows)(job, s);
}

static int T(in_strips)(const gm__product *p, gm__share s)
{
    return s.i1 - s.i0 <= 4 && !p->tb && s.j1 - s.j0 >= VL && !p->k_lo && !p->k_hi;
}

#else
static int T(in_strips)(const gm__product *p, gm__share s)
{
    (void)p, (void)s;
    return 0;
}

static void T(run_strips)(const T(job) * job, gm__share s)
{
    (void)job, (void)s;
}
#endif

static int64_t T(least)(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Elements of each buffer, a whole number of 64 bytes. */
static int64_t T(round)(int64_t n)
{
    return (n + 15) / 16 * 16;
}

static int64_t T(a_elements)(const gm__product *p)
{
    int64_t m = T(least)(p->m, T(block_rows)(p));
    return T(copies_a)(p) ? T(round)(m * (p->ta ? T(least)(p->k, GM_KC) : GM_A_STRIDE) + 16) : 0;
}

static int64_t T(b_elements)(const gm__product *p)
{
    int64_t n = p->m > GM_MC ? T(least)(p->n + GM_NR, GM_NC) : GM_NR + VL;
    return T(round)(n * GM_KC + VL);
}

static int T(needs_sum)(const gm__product *p)
{
    return p->accumulate && p->k > GM_KC;
}

static T(job) T(describe)(const gm__product *p)
{
    T(job) job = {.p = p, .a = p->a, .b = p->b, .bias = p->bias, .gate = p->gate, .c = p->c};
    job.pre = p->pre;
    job.sum = p->c;
    job.ldsum = p->ldc;
    job.late = p->act != GM__ACT_NONE && p->act != GM__RELU;
    job.does = (p->accumulate ? T(with_old) : 0) | (p->bias ? T(with_bias) : 0) |
               (p->pre ? T(with_pre) : 0) | (p->act == GM__RELU ? T(with_relu) : 0) |
               (p->gate && !job.late ? p->factor ? T(with_factor) : T(with_gate) : 0);
    return job;
}

/* A rectangle by tiles. */
static void T(run_tiles)(const T(job) * described, gm__share s, void *scratch)
{
    T(job) job = *described;
    const gm__product *p = job.p;
    R *abuf = scratch, *bbuf = abuf + T(a_elements)(p), *sum = bbuf + T(b_elements)(p);
    /* Where old values of C come last, pieces are summed elsewhere, block by block of rows. */
    int64_t rows = T(needs_sum)(p) ? GM_MC : s.i1 - s.i0;
    for (int64_t j = s.j0; j < s.j1; j += GM_NC)
        for (int64_t i = s.i0; i < s.i1; i += rows) {
            gm__share q = {i, T(least)(i + rows, s.i1), j, T(least)(j + GM_NC, s.j1)};
            if (T(needs_sum)(p)) {
                job.ldsum = q.j1 - q.j0;
                job.sum = sum;
                job.sum_i = i;
                job.sum_j = j;
            }
            T(run_columns)(&job, q, abuf, bbuf);
        }
}

#if GM_SPARSE
#include "kernels/product_sparse_body.h"
#else
static size_t T(sparse_scratch)(const gm__product *p)
{
    (void)p;
    return 0;
}

static int T(run_sparse)(const T(job) * job, gm__share s, void *scratch, void *room)
{
    (void)job, (void)s, (void)scratch, (void)room;
    return 0;
}
#endif

static size_t T(tile_scratch)(const gm__product *p)
{
    int64_t n = T(a_elements)(p) + T(b_elements)(p);
    if (T(needs_sum)(p))
        n += T(round)(T(least)(p->m, GM_MC) * T(least)(p->n, GM_NC));
    return (size_t)n * sizeof(R);
}

static size_t T(scratch)(const gm__product *p)
{
    return T(tile_scratch)(p) + T(sparse_scratch)(p);
}

static void T(run)(const gm__product *p, int part, int parts, void *scratch)
{
    T(job) job = T(describe)(p);
    gm__share s = gm__product_share(p, part, parts);
    if (s.i0 >= s.i1 || s.j0 >= s.j1)
        return;
    if (T(in_strips)(p, s))
        T(run_strips)(&job, s);
    else if (!T(run_sparse)(&job, s, scratch, (char *)scratch + T(tile_scratch)(p)))
        T(run_tiles)(&job, s, scratch);
}

#undef GM_KC
#undef GM_MC
#undef GM_NC
#undef GM_NR
#undef GM_A_STRIDE
