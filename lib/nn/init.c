/* Starting values of parameters. */
#include "nn/nn.h"
#include "base/random.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* Columns of the slot seen as a matrix (shape[0], rest). */
static int64_t slot_cols(const gm__slot *s)
{
    return s->ndim > 0 && s->shape[0] > 0 ? s->count / s->shape[0] : 1;
}

#define PIECE 131072 /* elements drawn at a time */

static void fill(double *v, int64_t n, double value)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = value;
}

/* U(-s, s) or N(0, s^2); the slot's place in the layout keeps parameters apart. */
static gm_status fill_random(gm_context *ctx, const gm__slot *s, int place, uint64_t seed,
                             int normal, double scale, double *v)
{
    const gm__draws *draws = ctx->kernels->draws;
    gm__draw draw = {
        .real = GM__F64, .seed = seed, .purpose = GM__FOR_INIT, .step = (uint64_t)place};
    int64_t cols = slot_cols(s), rows = s->count / cols;
    int64_t piece = cols < PIECE ? PIECE / cols : 1;
    for (; draw.row0 < rows; draw.row0 += piece) {
        GM_TRY(gm__check_cancel(ctx));
        int64_t n = rows - draw.row0 < piece ? rows - draw.row0 : piece;
        double *to = v + draw.row0 * cols;
        (normal ? draws->normal : draws->uniform)(&draw, to, n, cols);
        for (int64_t i = 0; i < n * cols; i++)
            to[i] = normal ? to[i] * scale : (to[i] * 2 - 1) * scale;
    }
    return GM_OK;
}

static double dot(const double *a, const double *b, int64_t n, int64_t stride)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i * stride] * b[i * stride];
    return sum;
}

/* Gram and Schmidt, twice for safety, over `count` vectors of length n; vector i starts at v + i *
 * apart. */
static gm_status orthonormalise(gm_context *ctx, double *v, int64_t count, int64_t apart, int64_t n,
                                int64_t stride)
{
    for (int64_t i = 0; i < count; i++) {
        GM_TRY(gm__check_cancel(ctx));
        double *a = v + i * apart;
        for (int pass = 0; pass < 2; pass++)
            for (int64_t j = 0; j < i; j++) {
                const double *b = v + j * apart;
                double c = dot(a, b, n, stride);
                for (int64_t p = 0; p < n; p++)
                    a[p * stride] -= c * b[p * stride];
            }
        double norm = sqrt(dot(a, a, n, stride));
        for (int64_t p = 0; p < n; p++)
            a[p * stride] /= norm > 0 ? norm : 1;
    }
    return GM_OK;
}

static gm_status fill_orthogonal(gm_context *ctx, const gm__slot *s, int place, uint64_t seed,
                                 double *v)
{
    int64_t cols = slot_cols(s), rows = s->count / cols;
    GM_TRY(fill_random(ctx, s, place, seed, 1, 1, v));
    GM_TRY(rows <= cols ? orthonormalise(ctx, v, rows, cols, cols, 1)
                        : orthonormalise(ctx, v, cols, 1, rows, cols));
    for (int64_t i = 0; i < s->count; i++)
        v[i] *= s->scale;
    return GM_OK;
}

static void fill_eye(const gm__slot *s, double *v)
{
    int64_t cols = slot_cols(s), rows = s->count / cols;
    for (int64_t i = 0; i < rows && i < cols; i++)
        v[i * cols + i] = s->scale;
}

static void apply_mask(const gm__slot *s, double *v)
{
    int64_t cols = slot_cols(s), rows = s->count / cols;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            if (i < s->lo[j] || i >= s->hi[j])
                v[i * cols + j] = 0;
}

static gm_status fill_slot(gm_context *ctx, const gm__slot *s, int place, uint64_t seed, double *v)
{
    int64_t cols = slot_cols(s), rows = s->count / cols;
    gm_status code = GM_OK;
    fill(v, s->count, 0);
    switch (s->init) {
    case GM_INIT_ONES:
        fill(v, s->count, s->scale);
        break;
    case GM_INIT_NORMAL:
        code = fill_random(ctx, s, place, seed, 1, s->scale, v);
        break;
    case GM_INIT_UNIFORM:
        code = fill_random(ctx, s, place, seed, 0, s->scale, v);
        break;
    case GM_INIT_KAIMING:
        code = fill_random(ctx, s, place, seed, 0, s->scale * sqrt(3.0 / (double)rows), v);
        break;
    case GM_INIT_XAVIER:
        code = fill_random(ctx, s, place, seed, 0, s->scale * sqrt(6.0 / (double)(rows + cols)), v);
        break;
    case GM_INIT_ORTHOGONAL:
        code = fill_orthogonal(ctx, s, place, seed, v);
        break;
    case GM_INIT_EYE:
        fill_eye(s, v);
        break;
    default:
        break;
    }
    if (s->lo)
        apply_mask(s, v);
    return code;
}

gm_status gm__params_init(gm_context *ctx, const gm__layout *layout, gm__real real, uint64_t seed,
                          void *params)
{
    int64_t largest = 1;
    if (layout->size == 0)
        return GM_OK;
    for (int i = 0; i < layout->count; i++)
        if (layout->slots[i].count > largest)
            largest = layout->slots[i].count;
    size_t bytes, size = real == GM__F64 ? 8 : 4;
    double *v;
    gm_status code = GM_OK;
    if (gm__mul_size((size_t)largest, sizeof *v, &bytes))
        return gm__no_memory(ctx);
    GM_TRY(gm__alloc_large(ctx, bytes, &v));
    for (int i = 0; i < layout->count && !code; i++) {
        const gm__slot *s = &layout->slots[i];
        char *to = (char *)params + (size_t)s->offset * size;
        if (s->count == 0)
            continue;
        if ((code = gm__check_cancel(ctx)))
            break;
        memset(to, 0, (size_t)(s->count + 15) / 16 * 16 * size);
        code = fill_slot(ctx, s, i, seed, v);
        if (real == GM__F64)
            memcpy(to, v, (size_t)s->count * sizeof *v);
        else
            ctx->kernels->maps->narrow((float *)(void *)to, v, s->count);
    }
    gm__free(&ctx->allocator, v, bytes);
    return code;
}
