/* The non-zeros of a block of rows of op(A), for products that leave the others out (see
 * product_sparse_body.h). They are listed row by row; where each vector of steps begins in a row's
 * list and which of its steps are there is kept, so that a list can be entered at any step. */

#define GM_SPARSE_AREA 131072 /* elements of A in a block of rows */
#define GM_SPARSE_LIST 98304  /* its non-zeros, at most */
#define GM_SPARSE_ROWS 1024   /* at most */
#define GM_SPARSE_PANEL 28672 /* bytes of a packed panel */
#define GM_SPARSE_AHEAD 8     /* rows that C is asked for before it is written */
#define GM_SPARSE_NEAR 131072 /* bytes of B and C that stay in a cache from step to step */
#define GM_SPARSE_CUTS (GM_SPARSE_AREA / VL + 2 * GM_SPARSE_ROWS)

/* Rows [i0, i1) of the block want vectors [v0, v1) of the panel. */
typedef struct T(run_of_rows) {
    int64_t i0, i1, v0, v1;
} T(run_of_rows);

typedef struct T(sparse_room) {
    R b[GM_SPARSE_PANEL / sizeof(R) + 2 * VL]; /* a panel, packed */
    R c[GM_SPARSE_ROWS * 8 * VL];              /* its sums; before, rows of a transposed A */
    R value[GM_SPARSE_LIST];                   /* non-zeros */
    uint16_t at[GM_SPARSE_LIST];               /* and their steps, in vectors of a panel */
    uint32_t begin[GM_SPARSE_CUTS];            /* (vectors of k + 1, rows): where each is listed */
    uint16_t some[GM_SPARSE_CUTS];             /* which of its steps */
    T(run_of_rows) run[GM_SPARSE_ROWS];
} T(sparse_room);

/* What of B the second cache is asked for ahead: lines of so many rows, a few at a time. */
typedef struct T(ahead) {
    const R *b;
    int64_t rows, cols, ld, each;
} T(ahead);

/* A block of rows, and how the product is cut. */
typedef struct T(sparse) {
    T(sparse_room) * room;
    int64_t i0, rows; /* of op(A) */
    int64_t j1;       /* columns end */
    int64_t nv;       /* vectors of the widest panel */
    int64_t steps;    /* of k in a block, at most */
    int far;          /* too much memory to lie in a near cache: it is asked for ahead */
    T(ahead) ahead;
} T(sparse);

/* The non-zeros of row i, which is x; where the list ends. */
VSHARED uint32_t T(list_row)(const T(sparse) * z, int64_t i, const R *x, int64_t k, uint32_t n)
{
    T(sparse_room) *room = z->room;
    const int64_t rows = z->rows;
    __m512i at =
        _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                           _mm512_set1_epi32((int)z->nv));
    const __m512i more = _mm512_set1_epi32((int)z->nv * VL);
    for (; k > 0; k -= VL, x += VL, i += rows) {
        __m512 v = k < VL ? (__m512)T(load)(x, k) : (__m512)V_LOAD(x);
        __mmask16 some = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        room->begin[i] = n;
        room->some[i] = some;
        _mm512_storeu_ps(room->value + n, _mm512_maskz_compress_ps(some, v));
        _mm256_storeu_si256((__m256i *)(room->at + n),
                            _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(some, at)));
        n += (uint32_t)__builtin_popcount(some);
        at = _mm512_add_epi32(at, more);
    }
    room->begin[i] = n;
    room->some[i] = 0;
    return n;
}

/* VL rows from row i on of a transposed A, one after the other, ld apart. */
static void T(turn_rows)(const T(job) * job, R *to, ptrdiff_t ld, int64_t i, int far)
{
    const gm__product *p = job->p;
    const R *x = job->a + i;
    int64_t q = 0, rows = p->m - i < VL ? p->m - i : VL;
    for (; rows == VL && q + VL <= p->k; q += VL) {
        for (int64_t r = 0; far && r < VL; r++)
            __builtin_prefetch(x + (q + r) * p->lda + VL, 0, 3);
        T(turn_square)(to + q, ld, x + q * p->lda, p->lda);
    }
    for (; q < p->k; q++)
        for (int64_t r = 0; r < rows; r++)
            to[r * ld + q] = x[q * p->lda + r];
}

/* Lists op(A); 0 if there are too many non-zeros. */
static int T(list_rows)(const T(job) * job, const T(sparse) * z)
{
    const gm__product *p = job->p;
    const ptrdiff_t ld = p->ta ? (p->k + VL - 1) / VL * VL : p->lda;
    R *turned = z->room->c;
    uint32_t n = 0;
    for (int64_t i = 0; i < z->rows; i++) {
        if (n + (uint64_t)p->k + VL > GM_SPARSE_LIST)
            return 0;
        if (p->ta && i % VL == 0)
            T(turn_rows)(job, turned, ld, z->i0 + i, z->far);
        n = T(list_row)(z, i, p->ta ? turned + i % VL * ld : job->a + (z->i0 + i) * ld, p->k, n);
    }
    return 1;
}

/* Where step k of row i is listed, or would be. */
VINLINE uint32_t T(place)(const T(sparse) * z, int64_t i, int64_t k)
{
    int64_t at = k / VL * z->rows + i;
    uint32_t before = z->room->some[at] & ((1u << k % VL) - 1);
    return z->room->begin[at] + (uint32_t)__builtin_popcount(before);
}
