/* Gradients and modes of Gaussian estimates: both come from the mean of the rows under the kernel
 * at a place. */
#include "density/kde_part.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

typedef struct shift {
    gm__kde_query query;
    double *y, *mean; /* coordinates: the place, and the rows' mean under the kernel there */
    double sum, mass; /* of weights times kernel over factor^2, and of weights times kernel */
    char *room;
    size_t size;
} shift;

static gm_status shift_init(gm_context *ctx, shift *s, const gm__kde *k)
{
    size_t size, d;
    if (!k->gauss)
        return gm__fail(ctx, GM_E_UNSUPPORTED, "kde: gradients and modes are for Gaussian kernels");
    GM_TRY(gm__kde_query_size(ctx, k, &size));
    if (gm__mul_size((size_t)k->d, 2 * sizeof(double), &d) || d > PTRDIFF_MAX - size - 64)
        return gm__no_memory(ctx);
    d = (d + 63) & ~(size_t)63;
    s->size = size + d;
    s->room = gm__alloc(&ctx->allocator, s->size);
    if (!s->room)
        return gm__no_memory(ctx);
    s->y = (double *)(void *)s->room;
    s->mean = s->y + k->d;
    gm__kde_query_init(&s->query, k, ctx->kernels, s->room + d);
    return GM_OK;
}

/* Half squared distances over a block into the query's a. */
static int64_t exponents(shift *s, int64_t block)
{
    gm__kde_query *q = &s->query;
    const gm__kde *k = q->k;
    const double *x = gm__kde_block(k, block), *w = x + k->wide * k->stride;
    int64_t n = (k->fill[block] + 15) & ~(int64_t)15;
    gm__kernel_block b = {x, w, k->adaptive ? w + k->stride : NULL, k->stride, n, k->d};
    for (int64_t i = 0; i < n; i++)
        q->a[i] = 0;
    for (int64_t j = 0; j < k->d; j++)
        q->kernels->densities->term(&b, &q->term[j], q->a, q->m);
    return n;
}

static double least_in(const gm__kde *k, shift *s, int64_t block)
{
    double best = INFINITY;
    int64_t n = exponents(s, block);
    const double *w = gm__kde_block(k, block) + k->wide * k->stride;
    for (int64_t i = 0; i < n; i++)
        best = w[i] > 0 && s->query.a[i] < best ? s->query.a[i] : best;
    return best;
}

static void add_block(const gm__kde *k, shift *s, int64_t block, double least)
{
    int64_t n = exponents(s, block);
    const double *x = gm__kde_block(k, block), *w = x + k->wide * k->stride;
    double *e = s->query.a;
    for (int64_t i = 0; i < n; i++)
        e[i] = least - e[i];
    s->query.kernels->maps->map1[GM__F64][GM__EXP](e, e, n);
    for (int64_t i = 0; i < n; i++) {
        double v = w[i] > 0 ? w[i] * e[i] : 0, f = k->adaptive ? w[k->stride + i] : 1;
        s->mass += v;
        s->sum += v / (f * f);
        for (int64_t j = 0; j < k->d; j++)
            s->mean[j] += v / (f * f) * (x[j * k->stride + i] - s->y[j]);
    }
}

/* The mean, less the place, at s->y. Blocks whose nearest side lies 40 exponents beyond the nearest
 * row are left out: they are under 1e-17 of the sum for each row. */
static void mean_at(shift *s)
{
    const gm__kde *k = s->query.k;
    double least = INFINITY, a[2], m[2];
    gm__kde_query_set(&s->query, s->y);
    s->query.shift = 0;
    for (int64_t b = 0; b < k->blocks; b++) {
        if (!(k->mass[gm__kde_node(k, b)] > 0))
            continue;
        gm__kde_node_bounds(&s->query, gm__kde_node(k, b), a, m);
        if (a[0] < least) {
            double found = least_in(k, s, b);
            least = found < least ? found : least;
        }
    }
    s->sum = s->mass = 0;
    memset(s->mean, 0, (size_t)k->d * sizeof *s->mean);
    for (int64_t b = 0; b < k->blocks; b++) {
        if (!(k->mass[gm__kde_node(k, b)] > 0))
            continue;
        gm__kde_node_bounds(&s->query, gm__kde_node(k, b), a, m);
        if (a[0] < least + 40)
            add_block(k, s, b, least);
    }
}

static gm_status place_of(gm_context *ctx, const gm__kde *k, const double *q, double *y)
{
    return gm__kde_coordinates(ctx, k, q, 1, k->d, y);
}

gm_status gm__kde_gradient(gm_context *ctx, const gm__kde *k, const double *q, int64_t m,
                           double *out)
{
    shift s;
    GM_TRY(shift_init(ctx, &s, k));
    gm_status code = GM_OK;
    for (int64_t i = 0; i < m && !code; i++) {
        double *to = out + i * k->d;
        code = place_of(ctx, k, q + i * k->d, s.y);
        if (!code)
            code = gm__check_cancel(ctx);
        if (code)
            break;
        mean_at(&s);
        for (int64_t j = 0; j < k->d; j++)
            to[j] = s.mean[j] / s.mass * k->inverse[j] * k->inverse[j];
        if (k->root) /* coordinates are L^-1 x */
            gm__solve_lower_transposed(k->root, k->d, to);
    }
    gm__free(&ctx->allocator, s.room, s.size);
    return code;
}

/* ---- Modes ---- */

static void climb(shift *s, double tol, int64_t most)
{
    const gm__kde *k = s->query.k;
    for (int64_t step = 0; step < most; step++) {
        double far = 0;
        mean_at(s);
        for (int64_t j = 0; j < k->d; j++) {
            double move = s->mean[j] / s->sum, u = move * k->inverse[j];
            s->y[j] += move;
            far += u * u;
        }
        if (far < tol * tol)
            break;
    }
}

static void back(const gm__kde *k, const double *y, double *out)
{
    if (!k->root) {
        memcpy(out, y, (size_t)k->d * sizeof *out);
        return;
    }
    gm__multiply_lower(k->root, k->d, y, out);
    for (int64_t j = 0; j < k->d; j++)
        out[j] += k->center[j];
}

/* The number of the mode at y among those found (count, d), a new one if need be. */
static int64_t number_of(const gm__kde *k, const double *y, double *found, int64_t *count)
{
    for (int64_t i = 0; i < *count; i++) {
        double far = 0;
        for (int64_t j = 0; j < k->d; j++) {
            double u = (y[j] - found[i * k->d + j]) * k->inverse[j];
            far += u * u;
        }
        if (far < 1e-4)
            return i;
    }
    memcpy(found + *count * k->d, y, (size_t)k->d * sizeof *y);
    return (*count)++;
}

gm_status gm__kde_modes(gm_context *ctx, const gm__kde *k, const double *q, int64_t m, double tol,
                        int64_t most, double *out, int64_t *mode, int64_t *modes)
{
    shift s;
    int64_t size, count = 0;
    if (m < 1 || !(tol > 0) || gm__mul64(m, k->d, &size))
        return gm__fail(ctx, GM_E_ARG, "kde: modes need places to start from and a tolerance");
    GM_TRY(shift_init(ctx, &s, k));
    double *found = gm__alloc_array(&ctx->allocator, size, sizeof *found);
    gm_status code = found ? GM_OK : gm__no_memory(ctx);
    for (int64_t i = 0; i < m && !code; i++) {
        code = place_of(ctx, k, q + i * k->d, s.y);
        if (!code)
            code = gm__check_cancel(ctx);
        if (code)
            break;
        climb(&s, tol, most);
        int64_t number = number_of(k, s.y, found, &count);
        back(k, found + number * k->d, out + i * k->d);
        if (mode)
            mode[i] = number;
    }
    if (modes && !code)
        *modes = count;
    gm__free(&ctx->allocator, found, (size_t)size * sizeof *found);
    gm__free(&ctx->allocator, s.room, s.size);
    return code;
}
