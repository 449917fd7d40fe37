/* Products whose left operand is full of zeros (what relu leaves, binary data, rows that a gate
 * emptied): the steps of a chain where A is zero are left out, for one instruction set and type.
 *
 * fma(0, b, c) is c wherever b is finite and c is not -0, so the bits are those of the tiles: b is
 * looked at, and rows with a -0 among their results are computed again by tiles.
 *
 * The non-zeros of op(A) are listed once; a panel of B of up to 8 vectors and one block of k is
 * packed into the first cache, where every row of A meets it with its sums in registers. Cost: a
 * load and a multiply-add for each non-zero and vector, so that half zeros cost about two thirds of
 * a dense product. Of structure (k_lo ... n_hi) what each group of columns needs is computed and
 * nothing else of k, as tiles do, and of each row the vectors that are wanted. */

#include "kernels/product_list_body.h"

/* Sizes that can gain. */
static int T(sparse_fits)(const gm__product *p, gm__share s)
{
    return s.i1 - s.i0 >= 32 && s.j1 - s.j0 > 3 * VL && p->k >= 2 * VL && p->k <= GM_KC;
}

/* Whether A looks, at 32 places, as if it had so few non-zeros that listing them pays. The figures
 * are measured: a non-zero's share of a dense product, sums kept in memory, lists, packing. */
static int T(looks_sparse)(const T(job) * job, gm__share s)
{
    const gm__product *p = job->p;
    int64_t count = 0, m = s.i1 - s.i0;
    for (int64_t t = 0; t < 32; t++) {
        int64_t i = s.i0 + (p->ta ? (m - VL) * (t * 13 % 32) / 31 : (m - 1) * t / 31);
        int64_t k = p->ta ? (p->k - 1) * t / 31 : (p->k - VL) * (t * 13 % 32) / 31;
        V x = V_LOAD(job->a + (p->ta ? k * p->lda + i : i * p->lda + k));
        count +=
            __builtin_popcount(_mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_NEQ_UQ));
    }
    double filled = (double)count / (32 * VL);
    return 1.14 * filled + 0.1 + 13.0 / (double)(s.j1 - s.j0) + 5.0 / (double)m < 0.96;
}

/* ---- One block of k -------------------------------------------------------------------------- */

/* c (nv vectors) through the steps of one row and block. Returns the least of `low` and the bits of
 * the sums as integers, of which -0 is the least of all. */
VINLINE __m512i T(sparse_row)(const int nv, R *to, const R *c, const R *b, const uint16_t *at,
                              const R *x, int64_t n, int first, __m512i low)
{
    V c0, c1, c2, c3, c4, c5, c6, c7;
#define GM_SPARSE_EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define GM_SPARSE_BEGIN(v)                                                                         \
    if (nv > v)                                                                                    \
        c##v = first ? (V){0} : V_LOAD(c + v * VL);
#define GM_SPARSE_STEP(v)                                                                          \
    if (nv > v)                                                                                    \
        c##v = V_FMA(y, V_LOAD(row + v * VL), c##v);
#define GM_SPARSE_TURN(lane, bit)                                                                  \
    {                                                                                              \
        const R *row = b + (places >> bit & 0xffff) * VL;                                          \
        V y = (V)_mm512_permute_ps(four, lane);                                                    \
        GM_SPARSE_EACH(GM_SPARSE_STEP)                                                             \
    }
#define GM_SPARSE_SAVE(v)                                                                          \
    if (nv > v)                                                                                    \
        V_STORE(to + v * VL, c##v), low = _mm512_min_epi32(low, (__m512i)c##v);
    GM_SPARSE_EACH(GM_SPARSE_BEGIN)
    for (; n >= 4; n -= 4, x += 4, at += 4) {
        const __m512 four = _mm512_broadcast_f32x4(_mm_loadu_ps(x));
        uint64_t places;
        memcpy(&places, at, sizeof places);
        GM_SPARSE_TURN(0x00, 0)
        GM_SPARSE_TURN(0x55, 16)
        GM_SPARSE_TURN(0xaa, 32)
        GM_SPARSE_TURN(0xff, 48)
    }
    for (; n > 0; n--, x++, at++) {
        const R *row = b + (uint64_t)at[0] * VL;
        V y = V_SET(x[0]);
        GM_SPARSE_EACH(GM_SPARSE_STEP)
    }
    GM_SPARSE_EACH(GM_SPARSE_SAVE)
    return low;
#undef GM_SPARSE_EACH
#undef GM_SPARSE_BEGIN
#undef GM_SPARSE_STEP
#undef GM_SPARSE_TURN
#undef GM_SPARSE_SAVE
}

/* Steps [k0, k0 + k) of columns [j, j + w) of op(B) are wanted next, as far as they are there. */
static void T(want_next)(const T(job) * job, T(sparse) * z, int64_t k0, int64_t k, int64_t j,
                         int64_t w)
{
    const gm__product *p = job->p;
    k = p->k - k0 < k ? p->k - k0 : k;
    w = z->j1 - j < w ? z->j1 - j : w;
    if (p->tb)
        z->ahead = (T(ahead)){job->b + j * p->ldb + k0, w, k, p->ldb, 0};
    else
        z->ahead = (T(ahead)){job->b + k0 * p->ldb + j, k, w, p->ldb, 0};
    if (k <= 0 || w <= 0 || !z->far)
        z->ahead.rows = 0;
    z->ahead.each = (z->ahead.rows + z->rows - 1) / z->rows;
}

VINLINE void T(fetch_some)(T(ahead) * f)
{
    for (int64_t n = f->each; n > 0 && f->rows > 0; n--, f->rows--, f->b += f->ld) {
        for (int64_t q = 0; q < f->cols; q += VL)
            __builtin_prefetch(f->b + q, 0, 2);
        __builtin_prefetch(f->b + f->cols - 1, 0, 2);
    }
}

/* Steps [k0, k1), which vectors [v0, v1) of a panel need, and the rows that meet them. */
typedef struct T(block) {
    int64_t k0, k1, v0, v1;
    int64_t i0, i1;
    int first;     /* the sums begin here */
    int direct;    /* and go to C as they are */
    R *to;         /* where they go, if this is their last block: column and row 0; or NULL */
    const R *gate; /* what meets them there; or NULL */
    ptrdiff_t ldc, ldgate;
} T(block);

/* All its rows; whether a sum is -0. */
#define GM_SPARSE_ROWS_OF(vectors)                                                                 \
    static int T(sparse_rows##vectors)(T(sparse) * z, const T(block) * s)                          \
    {                                                                                              \
        const T(sparse_room) *room = z->room;                                                      \
        /* places are counted from step 0 on, which may lie before the panel */                    \
        const R *b = (const R *)((uintptr_t)(room->b + s->v0 * VL) -                               \
                                 (uintptr_t)(s->k0 * z->nv * VL) * sizeof(R));                     \
        R *c = z->room->c + s->v0 * VL;                                                            \
        __m512i low = _mm512_setzero_si512();                                                      \
        for (int64_t i = s->i0; i < s->i1; i++) {                                                  \
            uint32_t from = T(place)(z, i, s->k0), to = T(place)(z, i, s->k1);                     \
            for (int v = 0; s->to && z->far && v < vectors; v++)                                   \
                __builtin_prefetch(s->to + (i + GM_SPARSE_AHEAD) * s->ldc + v * VL, 1, 2);         \
            for (int v = 0; s->gate && v < vectors; v++)                                           \
                __builtin_prefetch(s->gate + i * s->ldgate + v * VL, 0, 2);                        \
            T(fetch_some)(&z->ahead);                                                              \
            R *sum = c + i * z->nv * VL;                                                           \
            low = T(sparse_row)(vectors, s->direct ? s->to + i * s->ldc : sum, sum, b,             \
                                room->at + from, room->value + from, to - from, s->first, low);    \
        }                                                                                          \
        return _mm512_cmpeq_epi32_mask(low, _mm512_set1_epi32(INT32_MIN)) != 0;                    \
    }
GM_SPARSE_ROWS_OF(1)
GM_SPARSE_ROWS_OF(2)
GM_SPARSE_ROWS_OF(3)
GM_SPARSE_ROWS_OF(4)
GM_SPARSE_ROWS_OF(5)
GM_SPARSE_ROWS_OF(6)
GM_SPARSE_ROWS_OF(7)
GM_SPARSE_ROWS_OF(8)
#undef GM_SPARSE_ROWS_OF
static int (*const T(sparse_rows)[])(T(sparse) * z, const T(block) * s) = {
    T(sparse_rows1), T(sparse_rows2), T(sparse_rows3), T(sparse_rows4),
    T(sparse_rows5), T(sparse_rows6), T(sparse_rows7), T(sparse_rows8)};

/* Of the packed panel. */
static int T(all_finite)(const R *x, int64_t k, int64_t ld, int64_t w)
{
    V zero = {0}, sum = zero, other = zero;
    for (; k > 0; k--, x += ld)
        for (int64_t q = 0; q < w; q += 2 * VL) {
            sum = V_FMA(V_LOAD(x + q), zero, sum);
            if (q + VL < w)
                other = V_FMA(V_LOAD(x + q + VL), zero, other);
        }
    return !_mm512_cmp_ps_mask((__m512)sum, (__m512)other, _CMP_UNORD_Q);
}

/* A panel at column j, w columns wide, and the rows that want some of it. */
typedef struct T(sparse_panel) {
    int64_t j, w, runs;
    int negative; /* a sum was -0 */
    int direct;   /* sums go to C from registers */
} T(sparse_panel);

/* One block of steps; 0 if B is not finite there. */
static int T(sparse_block)(const T(job) * job, T(sparse) * z, T(sparse_panel) * b, T(block) s)
{
    const int64_t ld = z->nv * VL, at = s.v0 * VL, v0 = s.v0, v1 = s.v1;
    int64_t w = (v1 * VL < b->w ? v1 * VL : b->w) - at, k = s.k1 - s.k0;
    const R *gate = s.gate;
    R *to = s.to;
    T(pack_b)(z->room->b + at, ld, job, s.k0, k, b->j + at, w);
    if (!T(all_finite)(z->room->b + at, k, ld, w))
        return 0;
    for (int64_t r = 0; r < b->runs; r++) {
        const T(run_of_rows) *run = &z->room->run[r];
        s.i0 = run->i0;
        s.i1 = run->i1;
        s.v0 = run->v0 > v0 ? run->v0 : v0;
        s.v1 = run->v1 < v1 ? run->v1 : v1;
        s.to = to ? to + s.v0 * VL : NULL;
        s.gate = gate ? gate + s.v0 * VL : NULL;
        if (s.v0 < s.v1)
            b->negative |= T(sparse_rows)[s.v1 - s.v0 - 1](z, &s);
    }
    return 1;
}

/* ---- A panel --------------------------------------------------------------------------------- */

/* Runs of rows that want the same vectors of the panel. */
static int64_t T(find_runs)(const gm__product *p, const T(sparse) * z, int64_t j, int64_t w)
{
    int64_t n = 0;
    T(run_of_rows) *run = z->room->run;
    if (!p->n_lo && !p->n_hi) {
        run[0] = (T(run_of_rows)){0, z->rows, 0, (w + VL - 1) / VL};
        return 1;
    }
    for (int64_t i = 0; i < z->rows; i++) {
        int64_t lo = p->n_lo ? p->n_lo[z->i0 + i] - j : 0;
        int64_t hi = p->n_hi ? p->n_hi[z->i0 + i] - j : w;
        lo = lo > 0 ? lo : 0;
        hi = hi < w ? hi : w;
        if (lo >= hi)
            continue;
        int64_t v0 = lo / VL, v1 = (hi + VL - 1) / VL;
        if (n && run[n - 1].i1 == i && run[n - 1].v0 == v0 && run[n - 1].v1 == v1)
            run[n - 1].i1++;
        else
            run[n++] = (T(run_of_rows)){i, i + 1, v0, v1};
    }
    return n;
}

/* Cuts k where the needs of a group of the panel begin or end: stretches of it, and the vectors
 * that need them. -1 if they are not neighbours. */
#define GM_SPARSE_STRETCHES 7
static int T(cut_panel)(const gm__product *p, int64_t j, int64_t w, T(block) * to)
{
    int64_t edge[8], groups = (w + 2 * VL - 1) / (2 * VL), edges = 0, n = 0;
    gm__range need[4];
    for (int64_t g = 0; g < groups; g++) {
        need[g] = gm__product_steps(p, j + g * 2 * VL);
        for (int end = 0; end < 2; end++) {
            int64_t e = edges++, x = end ? need[g].hi : need[g].lo;
            for (; e > 0 && edge[e - 1] > x; e--)
                edge[e] = edge[e - 1];
            edge[e] = x;
        }
    }
    for (int64_t e = 0; e + 1 < edges; e++) {
        int64_t first = groups, last = -1, count = 0;
        for (int64_t g = 0; g < groups; g++)
            if (need[g].lo <= edge[e] && need[g].hi >= edge[e + 1]) {
                first = first < groups ? first : g;
                last = g;
                count++;
            }
        if (edge[e] == edge[e + 1] || !count)
            continue;
        if (count != last - first + 1)
            return -1;
        int64_t end = (w + VL - 1) / VL;
        to[n++] = (T(block)){.k0 = edge[e], .k1 = edge[e + 1], .v0 = 2 * first};
        to[n - 1].v1 = 2 * last + 2 < end ? 2 * last + 2 : end;
    }
    return (int)n;
}

/* A -0 among the sums of a row. */
static int T(has_negative_zero)(const R *sum, int64_t vectors)
{
    __mmask16 some = 0;
    for (int64_t v = 0; v < vectors; v++)
        some |=
            _mm512_cmpeq_epi32_mask((__m512i)V_LOAD(sum + v * VL), _mm512_set1_epi32(INT32_MIN));
    return some != 0;
}

/* By tiles, without what finish_rows does: that follows for all. */
static void T(sparse_again)(const T(job) * job, gm__share s, void *scratch)
{
    T(job) tiles = *job;
    tiles.late = 0;
    T(run_tiles)(&tiles, s, scratch);
}

/* The sums of a run of rows through the epilogue, but for rows that may not be those of tiles. */
static void T(sparse_finish)(const T(job) * job, const T(sparse) * z, const T(sparse_panel) * b,
                             const T(run_of_rows) * run, void *scratch)
{
    const int64_t at = run->v0 * VL, j = b->j + at, ld = b->direct ? job->p->ldc : z->nv * VL;
    const R *sum = b->direct ? job->c + z->i0 * ld + j : z->room->c + at;
    int64_t w = (run->v1 * VL < b->w ? run->v1 * VL : b->w) - at;
    for (int64_t i = b->negative ? run->i0 : run->i1, from = run->i0; i <= run->i1; i++) {
        int again = i < run->i1 && T(has_negative_zero)(sum + i * ld, run->v1 - run->v0);
        if (!again && i < run->i1)
            continue;
        if (!b->direct)
            T(finish_tile)(job, z->i0 + from, j, i - from, w, sum + from * ld, ld, 1, 1);
        if (job->p->zeroed)
            T(zero_unwanted)(job, z->i0 + from, j, i - from, w);
        from = i + 1;
        if (again) {
            gm__share row = {z->i0 + i, z->i0 + i + 1, j, j + w};
            T(sparse_again)(job, row, scratch);
        }
    }
}

/* The last block of a panel: where its sums go, and the next panel. */
static void T(last_block)(const T(job) * job, T(sparse) * z, const T(sparse_panel) * b,
                          T(block) * s)
{
    const gm__product *p = job->p;
    int64_t j = b->j + b->w;
    s->ldc = p->ldc;
    s->ldgate = p->ldgate;
    s->direct = b->direct;
    s->to = job->c + z->i0 * s->ldc + b->j;
    s->gate = job->gate && z->far ? job->gate + z->i0 * s->ldgate + b->j : NULL;
    T(want_next)(job, z, j < z->j1 ? gm__product_steps(p, j).lo : 0, z->steps, j, z->nv * VL);
}

/* All blocks of a panel; 0 if it must be left to tiles. */
static int T(sparse_sums)(const T(job) * job, T(sparse) * z, T(sparse_panel) * b)
{
    T(block) stretch[GM_SPARSE_STRETCHES];
    int n = T(cut_panel)(job->p, b->j, b->w, stretch);
    int first = n > 0 && stretch[0].v0 == 0 && stretch[0].v1 * VL >= b->w;
    if (n < 0)
        return 0;
    b->direct = !job->does && n == 1 && b->w % VL == 0;
    if (!first)
        memset(z->room->c, 0, (size_t)(z->rows * z->nv * VL) * sizeof(R));
    for (int s = 0; s < n; s++) {
        int64_t k = stretch[s].k1 - stretch[s].k0, blocks = (k + z->steps - 1) / z->steps;
        for (int64_t t = 0; t < blocks; t++) {
            T(block) block = stretch[s];
            block.k1 = block.k0 + k * (t + 1) / blocks;
            block.k0 += k * t / blocks;
            block.first = first;
            if (s < n - 1 || t < blocks - 1)
                T(want_next)(job, z, block.k1, z->steps, b->j, b->w);
            else
                T(last_block)(job, z, b, &block);
            if (!T(sparse_block)(job, z, b, block))
                return 0;
            first = 0;
        }
    }
    return 1;
}

static void T(run_sparse_panel)(const T(job) * job, T(sparse) * z, int64_t j, int64_t w,
                                void *scratch)
{
    T(sparse_panel) b = {.j = j, .w = w, .runs = T(find_runs)(job->p, z, j, w)};
    if (!T(sparse_sums)(job, z, &b)) {
        gm__share all = {z->i0, z->i0 + z->rows, j, j + w};
        T(sparse_again)(job, all, scratch);
        return;
    }
    for (int64_t r = 0; r < b.runs; r++)
        T(sparse_finish)(job, z, &b, &z->room->run[r], scratch);
}

/* ---- The product ----------------------------------------------------------------------------- */

/* A buffer behind those of the tiles. */
static size_t T(sparse_scratch)(const gm__product *p)
{
    gm__share all = {0, p->m, 0, p->n};
    return T(sparse_fits)(p, all) ? sizeof(T(sparse_room)) : 0;
}

/* The rectangle s, whose columns are cut into panels as equal as can be, of whole groups where
 * these have needs of their own; 0 if tiles are better. */
static int T(run_sparse)(const T(job) * job, gm__share s, void *scratch, void *room)
{
    const gm__product *p = job->p;
    if (!T(sparse_fits)(p, s) || !T(looks_sparse)(job, s))
        return 0;
    const int64_t unit = p->k_lo || p->k_hi ? 2 : 1, m = s.i1 - s.i0;
    int64_t units = (s.j1 - s.j0 + unit * VL - 1) / (unit * VL), panels = (units * unit + 7) / 8;
    T(sparse) z = {.room = room, .j1 = s.j1, .nv = (units + panels - 1) / panels * unit};
    z.steps = GM_SPARSE_PANEL / (int64_t)(z.nv * VL * (int64_t)sizeof(R));
    z.far = (m + p->k) * p->n * (int64_t)sizeof(R) > GM_SPARSE_NEAR;
    int64_t most = GM_SPARSE_AREA / p->k < GM_SPARSE_ROWS ? GM_SPARSE_AREA / p->k : GM_SPARSE_ROWS;
    int64_t blocks = (m + most - 1) / most;
    for (int64_t t = 0; t < blocks; t++) {
        gm__share part = {s.i0 + m * t / blocks, s.i0 + m * (t + 1) / blocks, s.j0, s.j1};
        z.i0 = part.i0;
        z.rows = part.i1 - part.i0;
        T(want_next)(job, &z, gm__product_steps(p, s.j0).lo, z.steps, s.j0, z.nv * VL);
        z.ahead.each = z.ahead.rows;
        T(fetch_some)(&z.ahead);
        if (!T(list_rows)(job, &z)) {
            T(run_tiles)(job, part, scratch);
            continue;
        }
        for (int64_t q = 0; q < panels; q++) {
            int64_t j = s.j0 + units * q / panels * unit * VL,
                    end = s.j0 + units * (q + 1) / panels * unit * VL;
            T(run_sparse_panel)(job, &z, j, (end < s.j1 ? end : s.j1) - j, scratch);
        }
        T(finish_rows)(job, part);
    }
    return 1;
}

#undef GM_SPARSE_AREA
#undef GM_SPARSE_LIST
#undef GM_SPARSE_ROWS
#undef GM_SPARSE_PANEL
#undef GM_SPARSE_AHEAD
#undef GM_SPARSE_NEAR
#undef GM_SPARSE_CUTS
#undef GM_SPARSE_STRETCHES
