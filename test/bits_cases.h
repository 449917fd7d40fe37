/* What tests of same bits share: rows without rounding, hashes, and ways to compute. */
#ifndef TEST_BITS_CASES_H
#define TEST_BITS_CASES_H

#include "flow_cases.h"
#include "base/io.h"
#include "model/direct.h"

#define ROWS 1000
#define D 5

/* The same cells everywhere: whole numbers over 4096, so that nothing is rounded. */
static inline void exact_rows(double *x)
{
    uint64_t state = 97;
    for (int i = 0; i < ROWS; i++) {
        int64_t e[D], before = 0;
        for (int j = 0; j < D; j++) {
            e[j] = -8190;
            for (int k = 0; k < 4; k++)
                e[j] += (int64_t)(test_random(&state) >> 52);
        }
        for (int j = 0; j < D; j++) {
            before = j == 0 ? e[0] : e[0] * e[0] / 8192 + e[j] / 2 + before * j / 8;
            x[i * D + j] = (double)before / 4096;
        }
    }
}

/* ---- Hashes ---------------------------------------------------------------------------------- */

/* The bits of n values, least byte first whatever the machine. */
static inline void add_bits(gm__sha256 *s, const void *values, int64_t n, size_t size)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        uint32_t half;
        unsigned char bytes[8];
        memcpy(&half, (const char *)values + (size_t)i * size, sizeof half);
        bits = half;
        if (size == 8)
            memcpy(&bits, (const char *)values + (size_t)i * size, sizeof bits);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (unsigned char)(bits >> (8 * k));
        gm__sha256_add(s, bytes, size);
    }
}

/* What was learned: parameters, or of a direct family its arrays. */
static inline void add_weights(gm__sha256 *s, const gm_model *model)
{
    const gm__layout *layout = &model->structure->layout;
    size_t size = model->structure->real == GM__F64 ? 8 : 4;
    for (int i = 0; i < layout->count; i++) {
        const gm__slot *slot = &layout->slots[i];
        gm__sha256_add(s, slot->name, strlen(slot->name));
        add_bits(s, (const char *)model->params + (size_t)slot->offset * size, slot->count, size);
    }
    for (int64_t i = 0; model->tensors && i < model->tensors->count; i++) {
        const gm__named *t = &model->tensors->list[i];
        gm__sha256_add(s, t->name, strlen(t->name));
        add_bits(s, t->data, t->count, 8);
    }
}

/* ---- Machines -------------------------------------------------------------------------------- */

/* How a fit is computed: none of it may show. */
typedef struct machine {
    const char *kernels;
    int threads, fusion;
} machine;

static inline gm_context *machine_context(const machine *m)
{
    gm_context *ctx = test_context(NULL);
    test_ok(ctx, gm_context_set_text(ctx, "kernels", m->kernels));
    test_ok(ctx, gm_context_set_int(ctx, "threads", m->threads));
    test_ok(ctx, gm_context_set_int(ctx, "fusion", m->fusion));
    return ctx;
}

#endif
