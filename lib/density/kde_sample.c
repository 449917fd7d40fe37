/* Drawing rows. */
#include "density/kde_draw.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

/* ---- Choosing a row ---- */

int64_t gm__kde_choose_row(const double *sums, int64_t n, double u)
{
    double level = u * sums[n - 1];
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sums[middle] > level)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A Gaussian with the whole matrix about x: x + L z. */
static void draw_whole(gm__kde_stream *s, const gm__kde *k, const double *x, double factor,
                       double *room, double *out)
{
    for (int64_t j = 0; j < k->d; j++) {
        s->at = (j + 1) * GM__KDE_ELEMENTS;
        room[j] = factor * gm__kde_normal(s);
    }
    gm__multiply_lower(k->root, k->d, room, out);
    for (int64_t j = 0; j < k->d; j++)
        out[j] += x[j];
}

static void draw_row(gm__kde_stream *s, const gm__kde *k, int64_t row, double temperature,
                     double *room, double *out)
{
    const double *x = k->x + row * k->d;
    double factor = gm__kde_factor(k, row) * temperature;
    if (k->root) {
        draw_whole(s, k, x, factor, room, out);
        return;
    }
    if (k->radial) {
        gm__kde_draw_radial(s, k, factor, room);
        for (int64_t j = 0; j < k->d; j++)
            out[j] = x[j] + room[j];
        return;
    }
    for (int64_t j = 0; j < k->d; j++)
        out[j] = gm__kde_draw(s, &k->columns[j], j, x[j], gm__kde_factor(k, row), temperature);
}

gm_status gm__kde_sample(gm_context *ctx, const gm__kde *k, double temperature, uint64_t seed,
                         uint64_t step, int64_t row0, int64_t m, double *out)
{
    int64_t size;
    GM_TRY(gm__kde_check_rows(ctx, row0, m, k->d));
    if (gm__add64(k->count, k->d, &size))
        return gm__no_memory(ctx);
    double *sums = gm__alloc_array(&ctx->allocator, size, sizeof *sums), sum = 0;
    if (!sums)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < k->count; i++) {
        sum += k->weight[i] / k->scale;
        sums[i] = sum;
    }
    gm_status code = GM_OK;
    for (int64_t i = 0; i < m && !code; i++) {
        gm__kde_stream s = gm__kde_stream_of(ctx->kernels, seed, step, row0 + i, k->d);
        int64_t row = gm__kde_choose_row(sums, k->count, gm__kde_uniform(&s));
        draw_row(&s, k, row, temperature, sums + k->count, out + i * k->d);
        if (i % 1024 == 0)
            code = gm__check_cancel(ctx);
    }
    gm__free(&ctx->allocator, sums, (size_t)size * sizeof *sums);
    return code;
}
