/* Philox 4x32-10, Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2,
 * 3", section 3.3 and table 2, over many blocks at once, and what is made of its words.
 *
 * A batch is VF blocks. Inside, a word lives in the low half of a 64-bit lane, so that the 32 x
 * 32 product is one instruction and both its halves stay in place; two registers (even and odd
 * blocks) hold a word of the batch. 12 operations a round a batch of either register.
 *
 * Block `slot(i)` of the batch is lane i: chosen so that a 4 x 4 transpose inside 16-byte lanes
 * puts the words into the order of memory. */
#include "kernels/math_f32.h"
#include "kernels/math_f64.h"
#include "kernels/move_tile.h"

/* Both 64-bit halves of a word of the batch; the high 32 bits of each lane may hold rubbish. */
#define gm__word ISA(gm__word)
typedef struct gm__word {
    vl even, odd;
} gm__word;

/* Words 0 to 3 of VF blocks, 32-bit lanes; vu: the same without sign, where sums may wrap. */
#define vu ISA(gm__vu)
typedef uint32_t vu __attribute__((vector_size(VBYTES)));
#define gm__batch ISA(gm__batch)
typedef struct gm__batch {
    vi word[4];
} gm__batch;

/* Low halves of the lanes times m, 64 bits each. */
VINLINE vl ISA(mul32)(vl a, uint32_t m)
{
#if GM_ISA == GM_ISA_AVX512
    return (vl)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(m));
#elif GM_ISA == GM_ISA_AVX2
    return (vl)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(m));
#elif GM_ISA == GM_ISA_NEON
    return (vl)vmull_u32(vmovn_u64((uint64x2_t)a), vdup_n_u32(m));
#elif defined(__x86_64__)
    return (vl)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(m));
#else
    for (int i = 0; i < VD; i++)
        a[i] = (int64_t)((uint64_t)(uint32_t)a[i] * m);
    return a;
#endif
}

VINLINE vl ISA(high32)(vl a)
{
#if GM_ISA == GM_ISA_AVX512
    return (vl)_mm512_srli_epi64((__m512i)a, 32);
#elif GM_ISA == GM_ISA_AVX2
    return (vl)_mm256_srli_epi64((__m256i)a, 32);
#elif GM_ISA == GM_ISA_NEON
    return (vl)vshrq_n_u64((uint64x2_t)a, 32);
#else
    for (int i = 0; i < VD; i++)
        a[i] = (int64_t)((uint64_t)a[i] >> 32);
    return a;
#endif
}

/* One round: (x0, x1, x2, x3) -> (hi(M1 x2) ^ x1 ^ k0, lo(M1 x2), hi(M0 x0) ^ x3 ^ k1, lo(M0
 * x0)). */
VINLINE void ISA(philox_round)(vl *x, vl k0, vl k1)
{
    vl p0 = ISA(mul32)(x[0], 0xD2511F53u), p1 = ISA(mul32)(x[2], 0xCD9E8D57u);
    x[0] = ISA(high32)(p1) ^ x[1] ^ k0;
    x[2] = ISA(high32)(p0) ^ x[3] ^ k1;
    x[1] = p1;
    x[3] = p0;
}

VINLINE vl ISA(splat64)(uint64_t x)
{
    return (int64_t)x - (vl){0};
}

/* Ten rounds on the counters in b, in place. */
VINLINE void ISA(philox)(gm__batch *b, uint64_t seed)
{
    vl even[4], odd[4];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    GM_UNROLL
    for (int w = 0; w < 4; w++) {
        even[w] = (vl)b->word[w];
        odd[w] = ISA(high32)((vl)b->word[w]);
    }
    GM_UNROLL
    for (int r = 0; r < 10; r++) {
        vl key0 = ISA(splat64)(k0), key1 = ISA(splat64)(k1);
        ISA(philox_round)(even, key0, key1);
        ISA(philox_round)(odd, key0, key1);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    vl low = ISA(splat64)(0xffffffffu);
    GM_UNROLL
    for (int w = 0; w < 4; w++)
        b->word[w] = (vi)((even[w] & low) | (odd[w] << 32));
}

/* Which block of the batch lane i holds. */
VINLINE int ISA(slot)(int i)
{
    return i % 4 * (VF / 4) + i / 4;
}

/* Where a batch starts: `block` of `row`, whose `blocks` count from `first` on. */
#define gm__place ISA(gm__place)
typedef struct gm__place {
    int64_t row, block, blocks, first;
} gm__place;

/* The words of the batch that starts at `at`; runs over the ends of rows, and past the last one. */
static gm__batch ISA(batch_at)(const gm__draw *d, gm__place at)
{
    uint32_t counter[3][VF];
    for (int k = 0; k < VF; k++) {
        int lane = k % (VF / 4) * 4 + k / (VF / 4);
        uint64_t row = (uint64_t)(d->row0 + at.row);
        counter[0][lane] = (uint32_t)(at.first + at.block);
        counter[1][lane] = (uint32_t)row;
        counter[2][lane] = (uint32_t)(row >> 32 & 0xffff) | d->purpose << 16;
        if (++at.block == at.blocks) {
            at.block = 0;
            at.row++;
        }
    }
    gm__batch b;
    GM_UNROLL
    for (int w = 0; w < 3; w++)
        memcpy(&b.word[w], counter[w], sizeof b.word[w]);
    b.word[3] = (int32_t)(uint32_t)d->step - (vi){0};
    ISA(philox)(&b, d->seed);
    return b;
}

/* The same within one row, where the counters are an arithmetic progression. */
VINLINE gm__batch ISA(batch_in_row)(const gm__draw *d, gm__place at)
{
    uint64_t row = (uint64_t)(d->row0 + at.row);
    uint32_t high = (uint32_t)(row >> 32 & 0xffff) | d->purpose << 16;
    gm__batch b;
    GM_UNROLL
    for (int i = 0; i < VF; i++)
        b.word[0][i] = ISA(slot)(i);
    b.word[0] = (vi)((vu)b.word[0] + (uint32_t)(at.first + at.block));
    b.word[1] = (int32_t)(uint32_t)row - (vi){0};
    b.word[2] = (int32_t)high - (vi){0};
    b.word[3] = (int32_t)(uint32_t)d->step - (vi){0};
    ISA(philox)(&b, d->seed);
    return b;
}

/* What becomes of a batch: 4 registers of float or words, in lanes of columns. */
typedef void ISA(gm__finish)(gm__batch *b);

static void ISA(finish_words)(gm__batch *b)
{
    (void)b;
}

static void ISA(finish_uniform_f32)(gm__batch *b)
{
    GM_UNROLL
    for (int w = 0; w < 4; w++) {
        vi top = (vi)((b->word[w] >> 9) & 0x7fffff);
        vf u = (__builtin_convertvector(top, vf) + 0.5f) * 0x1p-23f;
        b->word[w] = (vi)u;
    }
}

/* (w + 0.5) 2^-32, one rounding: the halves are exact. In (0, 1]. */
VINLINE vf ISA(unit_f32)(vi w)
{
    vf high = __builtin_convertvector((w >> 16) & 0xffff, vf);
    vf low = __builtin_convertvector(w & 0xffff, vf);
    return (high * 65536.0f + (low + 0.5f)) * 0x1p-32f;
}

/* sin and cos of 2 pi w / 2^32: the quadrant from the top bits, Taylor's series on the rest, which
 * lies within pi/4 (next term under 2e-9). */
VINLINE void ISA(turn_f32)(vu w, vf *s, vf *c)
{
    vu quadrant = (w + (1u << 29)) & 0xc0000000u;
    vf x = __builtin_convertvector((vi)(w - quadrant), vf) * (0x1p-30f * 1.57079632679489662f);
    vf z = x * x;
    vf sine = x + x * z * (-1.0f / 6 + z * (1.0f / 120 + z * (-1.0f / 5040 + z * (1.0f / 362880))));
    vf cosine =
        1.0f + z * (-0.5f + z * (1.0f / 24 +
                                 z * (-1.0f / 720 + z * (1.0f / 40320 + z * (-1.0f / 3628800)))));
    vi swap = (vi)((quadrant & (1u << 30)) != 0);
    vu sign_s = quadrant & (1u << 31), sign_c = (quadrant + (1u << 30)) & (1u << 31);
    *s = (vf)((vu)vf_pick(swap, cosine, sine) ^ sign_s);
    *c = (vf)((vu)vf_pick(swap, sine, cosine) ^ sign_c);
}

/* Box and Muller 1958: radius from one word, angle from the next. */
static void ISA(finish_normal_f32)(gm__batch *b)
{
    GM_UNROLL
    for (int w = 0; w < 4; w += 2) {
        vf s, c, radius = vf_sqrt(-2.0f * vf_log(ISA(unit_f32)(b->word[w])));
        ISA(turn_f32)((vu)b->word[w + 1], &s, &c);
        b->word[w] = (vi)(radius * c);
        b->word[w + 1] = (vi)(radius * s);
    }
}

#include "kernels/draw_double.h"

/* Lanes to the order of memory: 16 VF bytes, block after block. */
VINLINE void ISA(batch_turn)(gm__batch *b)
{
    vf t[4];
    GM_UNROLL
    for (int w = 0; w < 4; w++)
        t[w] = (vf)b->word[w];
    ISA(tile_turn_f)(t);
    GM_UNROLL
    for (int w = 0; w < 4; w++)
        b->word[w] = (vi)t[w];
}

/* The whole: `width` bytes are one element, 16 / width of them a block. */
VINLINE void ISA(fill)(const gm__draw *d, char *y, int64_t rows, int64_t first, int64_t cols,
                       int width, ISA(gm__finish) *finish)
{
    int64_t each = 16 / width, row_bytes = cols * width;
    gm__place at = {0, 0, (cols + each - 1) / each, first};
    if (at.blocks == 0)
        return;
    while (at.row < rows) {
        int within = at.block + VF <= at.blocks;
        gm__batch b = within ? ISA(batch_in_row)(d, at) : ISA(batch_at)(d, at);
        finish(&b);
        ISA(batch_turn)(&b);
        int64_t left = row_bytes - at.block * 16;
        char *to = y + at.row * row_bytes + at.block * 16;
        if (within && left >= (int64_t)sizeof b) {
            memcpy(to, &b, sizeof b);
            at.block += VF;
            if (at.block == at.blocks) {
                at.block = 0;
                at.row++;
            }
            continue;
        }
        for (int k = 0; k < VF && at.row < rows; k++) {
            left = row_bytes - at.block * 16;
            memcpy(y + at.row * row_bytes + at.block * 16, (const char *)&b + 16 * k,
                   left < 16 ? (size_t)left : 16);
            if (++at.block == at.blocks) {
                at.block = 0;
                at.row++;
            }
        }
    }
}

static void ISA(words)(const gm__draw *d, uint32_t *y, int64_t rows, int64_t cols)
{
    ISA(fill)(d, (char *)y, rows, 0, cols, 4, ISA(finish_words));
}

static void ISA(part)(const gm__draw *d, int normal, void *y, int64_t rows, int64_t first,
                      int64_t cols)
{
    if (d->real == GM__F32 && normal)
        ISA(fill)(d, y, rows, first, cols, 4, ISA(finish_normal_f32));
    else if (d->real == GM__F32)
        ISA(fill)(d, y, rows, first, cols, 4, ISA(finish_uniform_f32));
    else if (normal)
        ISA(fill)(d, y, rows, first, cols, 8, ISA(finish_normal_f64));
    else
        ISA(fill)(d, y, rows, first, cols, 8, ISA(finish_uniform_f64));
}

static void ISA(uniform)(const gm__draw *d, void *y, int64_t rows, int64_t cols)
{
    ISA(part)(d, 0, y, rows, 0, cols);
}

static void ISA(normal)(const gm__draw *d, void *y, int64_t rows, int64_t cols)
{
    ISA(part)(d, 1, y, rows, 0, cols);
}

extern const gm__draws ISA(gm__draws);
const gm__draws ISA(gm__draws) = {ISA(uniform), ISA(normal), ISA(words), ISA(part)};

#undef gm__word
#undef gm__batch
#undef vu
#undef gm__place
#undef TILE_F
#undef TILE_D
