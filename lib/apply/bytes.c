/* Each bit of a byte, the highest first, is coded with the mean of two probabilities, learned under
 * the bits before it in the byte and the byte before, or the two bytes before. The coder keeps an
 * interval of 32-bit numbers and cuts it in proportion (Witten, Neal and Cleary 1987); bytes leave
 * it when both ends agree on them. */
#include "apply/bytes.h"

#define ONE_ORDER 65536 /* (byte before, bits before in this byte) */
#define TWO_BITS 18     /* places for the two bytes before, hashed */
#define HALF 32768

typedef struct model {
    uint16_t one[ONE_ORDER];
    uint16_t two[1 << TWO_BITS]; /* probability of a 1 in 65536 */
    uint32_t before;             /* two bytes */
    uint32_t node;               /* a leading 1, and the bits before in this byte */
    uint16_t *first, *second;    /* in use */
} model;

static model *open_model(gm_context *ctx)
{
    model *m = gm__alloc(&ctx->allocator, sizeof *m);
    for (int64_t i = 0; m && i < ONE_ORDER; i++)
        m->one[i] = HALF;
    for (int64_t i = 0; m && i < 1 << TWO_BITS; i++)
        m->two[i] = HALF;
    if (m)
        m->node = 1;
    return m;
}

/* Of 4096, from 1 to 4095. */
static uint32_t predict(model *m)
{
    uint32_t key = (m->before << 8 | m->node) * 0x9e3779b1u;
    m->first = &m->one[(m->before & 255) << 8 | m->node];
    m->second = &m->two[key >> (32 - TWO_BITS)];
    uint32_t p = ((uint32_t)*m->first + 3 * (uint32_t)*m->second) >> 6;
    return p < 1 ? 1 : p > 4095 ? 4095 : p;
}

static void learn(model *m, int bit)
{
    int target = bit ? 65535 : 0;
    *m->first = (uint16_t)(*m->first + (target - *m->first) / 32);
    *m->second = (uint16_t)(*m->second + (target - *m->second) / 12);
    m->node = m->node << 1 | (uint32_t)bit;
    if (m->node < 256)
        return;
    m->before = (m->before << 8 | (m->node & 255)) & 0xffff;
    m->node = 1;
}

static uint32_t cut(uint32_t low, uint32_t high, uint32_t p)
{
    return low + (uint32_t)((uint64_t)(high - low) * p >> 12);
}

gm_status gm__bytes_pack(gm_context *ctx, const void *bytes, int64_t size, gm__buffer *out)
{
    const unsigned char *at = bytes;
    uint32_t low = 0, high = UINT32_MAX;
    unsigned char byte;
    model *m = open_model(ctx);
    if (!m)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < size; i++)
        for (int k = 7; k >= 0; k--) {
            int bit = at[i] >> k & 1;
            uint32_t middle = cut(low, high, predict(m));
            *(bit ? &high : &low) = bit ? middle : middle + 1;
            learn(m, bit);
            for (; (low ^ high) >> 24 == 0; low <<= 8, high = high << 8 | 255) {
                byte = (unsigned char)(high >> 24);
                gm__buffer_add(out, &byte, 1);
            }
        }
    byte = (unsigned char)((low >> 24) + 1); /* lies inside, zeros following */
    if (low)
        gm__buffer_add(out, &byte, 1);
    gm__free(&ctx->allocator, m, sizeof *m);
    return out->failed ? gm__no_memory(ctx) : GM_OK;
}

gm_status gm__bytes_unpack(gm_context *ctx, const void *coded, int64_t size, int64_t length,
                           gm__buffer *out)
{
    const unsigned char *at = coded, *end = at + size;
    uint32_t low = 0, high = UINT32_MAX, x = 0;
    int64_t beyond = 0; /* bytes read past the end: zeros */
    model *m = open_model(ctx);
    if (!m)
        return gm__no_memory(ctx);
    for (int k = 0; k < 4; k++, at += at < end)
        x = x << 8 | (at < end ? *at : 0);
    for (int64_t i = 0; i < length && beyond <= 4 && !out->failed; i++) {
        for (int k = 7; k >= 0; k--) {
            uint32_t middle = cut(low, high, predict(m));
            int bit = x <= middle;
            *(bit ? &high : &low) = bit ? middle : middle + 1;
            learn(m, bit);
            for (; (low ^ high) >> 24 == 0; low <<= 8, high = high << 8 | 255) {
                beyond += at == end;
                x = x << 8 | (at < end ? *at++ : 0);
            }
        }
        unsigned char byte = (unsigned char)m->before;
        gm__buffer_add(out, &byte, 1);
    }
    gm__free(&ctx->allocator, m, sizeof *m);
    if (out->failed)
        return gm__no_memory(ctx);
    return beyond <= 4 ? GM_OK
                       : gm__fail(ctx, GM_E_FORMAT, "an archive's text ends before its length");
}
