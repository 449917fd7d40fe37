/* Products whose left operand is full of zeros (what relu leaves, binary data, rows that a gate
 * emptied): the steps of a chain where A is zero are left out, for one instruction set and type.
 *
 * fma(0, b, c) is c wherever b is finite and c is not -0, so the bits are those of the tiles: b is
 * looked at, and rows with a -0 among their results are computed again by tiles.
 *
 * The non-zeros of op(A) are listed once, block by block of k and row by row; a panel of B of up to
 * 8 vectors and one block is packed into the first cache, where every row of A meets it with its
 * sums in registers. Cost: a load and a multiply-add for each non-zero and vector, so that half
 * zeros cost about two thirds of a dense product. */

#define GM_SPARSE_AREA 131072 /* elements of A in a block of rows */
#define GM_SPARSE_LIST 98304  /* its non-zeros, at most */
#define GM_SPARSE_ROWS 1024   /* at most */
#define GM_SPARSE_PANEL 28672 /* bytes of a packed panel */

typedef struct T(sparse_room) {
    R b[GM_SPARSE_PANEL / sizeof(R) + 2 * VL]; /* a panel, packed */
    R c[GM_SPARSE_ROWS * 8 * VL];              /* its sums */
    R value[GM_SPARSE_LIST];                   /* non-zeros */
    uint16_t at[GM_SPARSE_LIST]; /* and the vector of the panel where their row of B is */
    uint32_t start[8192];        /* where those of each block and row begin */
} T(sparse_room);

/* A block of rows, and how the product is cut. */
typedef struct T(sparse) {
    T(sparse_room) * room;
    int64_t i0, rows; /* of op(A) */
    int64_t nv;       /* vectors of the widest panel */
    int64_t steps;    /* of k in a block: a multiple of VL */
    int64_t blocks;
} T(sparse);

/* Sizes that can gain. */
static int T(sparse_fits)(const gm__product *p, gm__share s)
{
    return s.i1 - s.i0 >= 32 && s.j1 - s.j0 > 3 * VL && p->k >= 2 * VL && p->k <= GM_KC &&
           !p->k_lo && !p->k_hi && !p->n_lo && !p->n_hi;
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

/* The non-zeros of one row and block, from x on; where the list ends. */
VINLINE uint32_t T(list_row)(const T(sparse) * z, const R *x, int64_t k, uint32_t n)
{
    __m512i at =
        _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                           _mm512_set1_epi32((int)z->nv));
    const __m512i more = _mm512_set1_epi32((int)z->nv * VL);
    for (; k > 0; k -= VL, x += VL) {
        __m512 v = (__m512)T(load)(x, k);
        __mmask16 some = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        _mm512_storeu_ps(z->room->value + n, _mm512_maskz_compress_ps(some, v));
        _mm256_storeu_si256((__m256i *)(z->room->at + n),
                            _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(some, at)));
        n += (uint32_t)__builtin_popcount(some);
        at = _mm512_add_epi32(at, more);
    }
    return n;
}

/* Four rows, i to i + 3, of a block of k steps of a transposed A, one after the other `steps`
 * apart. */
static void T(turn_rows)(const T(job) * job, R *to, int64_t steps, int64_t i, int64_t k0, int64_t k)
{
    const gm__product *p = job->p;
    const R *x = job->a + k0 * p->lda + i;
    int64_t q = 0;
    for (; q + VL <= k && i + 4 <= p->m; q += VL)
        T(turn)(to + q, steps, x + q * p->lda, p->lda);
    for (; q < k; q++)
        for (int64_t r = 0; r < 4 && i + r < p->m; r++)
            to[r * steps + q] = x[q * p->lda + r];
}

/* Lists op(A); 0 if there are too many non-zeros. */
static int T(list_rows)(const T(job) * job, const T(sparse) * z)
{
    const gm__product *p = job->p;
    _Alignas(64) R t[4 * GM_SPARSE_PANEL / 256 + 4 * VL];
    uint32_t n = 0, *start = z->room->start;
    for (int64_t k0 = 0; k0 < p->k; k0 += z->steps) {
        int64_t k = p->k - k0 < z->steps ? p->k - k0 : z->steps;
        for (int64_t i = 0; i < z->rows; i++) {
            const R *x = job->a + (z->i0 + i) * p->lda + k0;
            if (n + (uint64_t)k + VL > GM_SPARSE_LIST)
                return 0;
            if (p->ta) {
                x = t + i % 4 * z->steps;
                if (i % 4 == 0)
                    T(turn_rows)(job, t, z->steps, z->i0 + i, k0, k);
            }
            *start++ = n;
            n = T(list_row)(z, x, k, n);
        }
    }
    *start = n;
    return 1;
}

/* c (nv vectors) through the steps of one row and block. Returns the least of `low` and the bits of
 * the sums as integers, of which -0 is the least of all. */
VINLINE __m512i T(sparse_row)(const int nv, R *c, const R *b, const uint16_t *at, const R *x,
                              int64_t n, int first, __m512i low)
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
        V_STORE(c + v * VL, c##v), low = _mm512_min_epi32(low, (__m512i)c##v);
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

/* All rows through one block; whether a sum is -0. */
#define GM_SPARSE_ROWS_OF(vectors)                                                                 \
    static int T(sparse_rows##vectors)(const T(sparse) * z, int64_t block)                         \
    {                                                                                              \
        const uint32_t *start = z->room->start + block * z->rows;                                  \
        __m512i low = _mm512_setzero_si512();                                                      \
        for (int64_t i = 0; i < z->rows; i++)                                                      \
            low = T(sparse_row)(vectors, z->room->c + i * z->nv * VL, z->room->b,                  \
                                z->room->at + start[i], z->room->value + start[i],                 \
                                start[i + 1] - start[i], block == 0, low);                         \
        return _mm512_cmpeq_epi32_mask(low, _mm512_set1_epi32(INT32_MIN)) != 0;                    \
    }
GM_SPARSE_ROWS_OF(4)
GM_SPARSE_ROWS_OF(5)
GM_SPARSE_ROWS_OF(6)
GM_SPARSE_ROWS_OF(7)
GM_SPARSE_ROWS_OF(8)
#undef GM_SPARSE_ROWS_OF
static int (*const T(sparse_blocks)[])(const T(sparse) * z, int64_t block) = {
    T(sparse_rows4), T(sparse_rows5), T(sparse_rows6), T(sparse_rows7), T(sparse_rows8)};

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

/* A -0 among the sums of row i. */
static int T(has_negative_zero)(const T(sparse) * z, int64_t i, int64_t nv)
{
    __mmask16 some = 0;
    for (int64_t v = 0; v < nv; v++)
        some |= _mm512_cmpeq_epi32_mask((__m512i)V_LOAD(z->room->c + (i * z->nv + v) * VL),
                                        _mm512_set1_epi32(INT32_MIN));
    return some != 0;
}

/* By tiles, without what finish_rows does: that follows for all. */
static void T(sparse_again)(const T(job) * job, gm__share s, void *scratch)
{
    T(job) tiles = *job;
    tiles.late = 0;
    T(run_tiles)(&tiles, s, scratch);
}

/* The sums of a panel through the epilogue, but for rows that may not be the bits of tiles. */
static void T(sparse_finish)(const T(job) * job, const T(sparse) * z, int64_t j, int64_t w,
                             int negative, void *scratch)
{
    const int64_t ld = z->nv * VL;
    for (int64_t i = negative ? 0 : z->rows, from = 0; i <= z->rows; i++) {
        int again = i < z->rows && T(has_negative_zero)(z, i, (w + VL - 1) / VL);
        if (!again && i < z->rows)
            continue;
        T(finish_tile)(job, z->i0 + from, j, i - from, w, z->room->c + from * ld, ld, 1, 1);
        from = i + 1;
        if (again) {
            gm__share row = {z->i0 + i, z->i0 + i + 1, j, j + w};
            T(sparse_again)(job, row, scratch);
        }
    }
}

/* Asks the second cache for the steps [k0, k0 + k) of columns [j, j + w) of op(B). */
static void T(fetch_panel)(const gm__product *p, const R *b, int64_t k0, int64_t k, int64_t j,
                           int64_t w)
{
    int64_t rows = p->tb ? w : k, cols = p->tb ? k : w;
    b += p->tb ? j * p->ldb + k0 : k0 * p->ldb + j;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t q = 0; q < cols; q += VL)
            __builtin_prefetch(b + r * p->ldb + q, 0, 2);
}

/* Columns [j, j + w) of the block of rows. */
static void T(sparse_panel)(const T(job) * job, const T(sparse) * z, int64_t j, int64_t w,
                            void *scratch)
{
    const int64_t ld = z->nv * VL, left = job->p->k;
    int negative = 0; /* of the last block's sums */
    for (int64_t block = 0; block < z->blocks; block++) {
        int64_t k0 = block * z->steps, k = left - k0 < z->steps ? left - k0 : z->steps;
        int64_t rest = left - k0 - k, next = rest < z->steps ? rest : z->steps;
        T(pack_b)(z->room->b, ld, job, k0, k, j, w);
        T(fetch_panel)(job->p, job->b, k0 + k, next, j, w);
        if (!T(all_finite)(z->room->b, k, ld, w)) {
            gm__share all = {z->i0, z->i0 + z->rows, j, j + w};
            T(sparse_again)(job, all, scratch);
            return;
        }
        negative = T(sparse_blocks)[(w + VL - 1) / VL - 4](z, block);
    }
    T(sparse_finish)(job, z, j, w, negative, scratch);
}

/* A buffer behind those of the tiles. */
static size_t T(sparse_scratch)(const gm__product *p)
{
    gm__share all = {0, p->m, 0, p->n};
    return T(sparse_fits)(p, all) ? sizeof(T(sparse_room)) : 0;
}

/* The rectangle s, whose columns are cut into panels as equal as can be; 0 if tiles are better. */
static int T(run_sparse)(const T(job) * job, gm__share s, void *scratch, void *room)
{
    const gm__product *p = job->p;
    if (!T(sparse_fits)(p, s) || !T(looks_sparse)(job, s))
        return 0;
    int64_t vectors = (s.j1 - s.j0 + VL - 1) / VL, panels = (vectors + 7) / 8, m = s.i1 - s.i0;
    T(sparse) z = {.room = room, .nv = (vectors + panels - 1) / panels};
    z.steps = GM_SPARSE_PANEL / (int64_t)(z.nv * VL * (int64_t)sizeof(R)) / VL * VL;
    z.blocks = (p->k + z.steps - 1) / z.steps;
    int64_t most = GM_SPARSE_AREA / p->k < GM_SPARSE_ROWS ? GM_SPARSE_AREA / p->k : GM_SPARSE_ROWS;
    int64_t blocks = (m + most - 1) / most;
    for (int64_t t = 0; t < blocks; t++) {
        gm__share part = {s.i0 + m * t / blocks, s.i0 + m * (t + 1) / blocks, s.j0, s.j1};
        z.i0 = part.i0;
        z.rows = part.i1 - part.i0;
        if (!T(list_rows)(job, &z)) {
            T(run_tiles)(job, part, scratch);
            continue;
        }
        for (int64_t q = 0; q < panels; q++) {
            int64_t j = s.j0 + vectors * q / panels * VL,
                    end = s.j0 + vectors * (q + 1) / panels * VL;
            T(sparse_panel)(job, &z, j, (end < s.j1 ? end : s.j1) - j, scratch);
        }
        T(finish_rows)(job, part);
    }
    return 1;
}

#undef GM_SPARSE_MOST
#undef GM_SPARSE_AREA
#undef GM_SPARSE_LIST
#undef GM_SPARSE_ROWS
#undef GM_SPARSE_PANEL
