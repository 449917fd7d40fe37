/* Making the estimate. */
#include "density/kde_part.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

void gm__kde_free(gm__kde *k)
{
    if (!k)
        return;
    gm_allocator a = k->allocator;
    size_t d = (size_t)k->d, room = (size_t)k->count;
    gm__kde_free(k->flat);
    gm__kde_clear_tree(k);
    gm__free(&a, k->columns, d * sizeof *k->columns);
    gm__free(&a, k->inverse, d * sizeof *k->inverse);
    gm__free(&a, k->root, d * d * sizeof *k->root);
    gm__free(&a, k->center, d * sizeof *k->center);
    gm__free(&a, k->x, room * d * sizeof *k->x);
    gm__free(&a, k->weight, room * sizeof *k->weight);
    gm__free(&a, k->factor, room * sizeof *k->factor);
    gm__free(&a, k->place, room * sizeof *k->place);
    gm__free(&a, k->powers, (GM__KDE_POWERS + 17) * sizeof *k->powers);
    gm__free(&a, k, sizeof *k);
}

int64_t gm__kde_rows(const gm__kde *k)
{
    return k->count;
}

int64_t gm__kde_columns(const gm__kde *k)
{
    return k->d;
}

/* ---- Making ---- */

static gm_status check_config(gm_context *ctx, const gm__kde_config *c)
{
    if (!c->x || !c->columns || c->n < 1 || c->d < 1 || c->stride < c->d)
        return gm__fail(ctx, GM_E_ARG,
                        "kde: rows, columns and a row stride of at least the number "
                        "of columns are needed");
    if (c->radial && c->matrix)
        return gm__fail(ctx, GM_E_ARG, "kde: a radial kernel or a matrix, not both");
    for (int64_t i = 0; i < c->n; i++) {
        if (c->weights && !(c->weights[i] >= 0 && c->weights[i] < INFINITY))
            return gm__fail(ctx, GM_E_DATA,
                            "kde: row %lld: weight %g must be finite and not "
                            "negative",
                            (long long)i, c->weights[i]);
        if (c->factors && !(c->factors[i] >= 1e-6 && c->factors[i] <= 1e6))
            return gm__fail(ctx, GM_E_DATA, "kde: row %lld: factor %g must be 1e-6 to 1e6",
                            (long long)i, c->factors[i]);
    }
    return GM_OK;
}

/* The matrix becomes its Cholesky factor L, and coordinates are L^-1 (x - center): a Gaussian with
 * bandwidth 1 in every column. Its constant has log det L besides. */
static gm_status set_matrix(gm_context *ctx, gm__kde *k, const gm__kde_config *c)
{
    int64_t d = k->d, size;
    if (gm__mul64(d, d, &size))
        return gm__no_memory(ctx);
    k->root = gm__alloc_array(&k->allocator, size, sizeof *k->root);
    k->center = gm__alloc_array(&k->allocator, d, sizeof *k->center);
    if (!k->root || !k->center)
        return gm__no_memory(ctx);
    memcpy(k->root, c->matrix, (size_t)size * sizeof *k->root);
    memcpy(k->center, c->x, (size_t)d * sizeof *k->center);
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            if (!(fabs(k->root[i * d + j]) < INFINITY) || k->root[i * d + j] != k->root[j * d + i])
                return gm__fail(ctx, GM_E_ARG, "kde: the matrix is not symmetric and finite");
    if (gm__cholesky(k->root, d))
        return gm__fail(ctx, GM_E_RANGE, "kde: the matrix is not positive definite");
    for (int64_t j = 0; j < d; j++) {
        k->columns[j].bandwidth = 1;
        k->log_norm += gm__kde_map(ctx->kernels, GM__LOG, k->root[j * d + j]);
    }
    return GM_OK;
}

static void set_powers(gm__kde *k, const gm__kernels *kernels)
{
    for (int i = 0; i < GM__KDE_POWERS + 17; i++)
        k->powers[i] = i < GM__KDE_POWERS ? -i : -(i - GM__KDE_POWERS) / 16.0;
    kernels->maps->map1[GM__F64][GM__EXP](k->powers, k->powers, GM__KDE_POWERS + 17);
}

static gm_status set_rows(gm_context *ctx, gm__kde *k, const gm__kde_config *c)
{
    double most = 0;
    for (int64_t i = 0; i < c->n; i++) {
        double w = c->weights ? c->weights[i] : 1;
        most = w > most ? w : most;
    }
    if (!(most > 0))
        return gm__fail(ctx, GM_E_DATA, "kde: all weights are 0");
    const gm_allocator *a = &k->allocator;
    int64_t cells;
    if (gm__mul64(c->n, k->d, &cells))
        return gm__no_memory(ctx);
    k->count = c->n;
    k->x = gm__alloc_array(a, cells, sizeof *k->x);
    k->weight = gm__alloc_array(a, c->n, sizeof *k->weight);
    k->place = gm__alloc_array(a, c->n, sizeof *k->place);
    if (k->adaptive)
        k->factor = gm__alloc_array(a, c->n, sizeof *k->factor);
    if (!k->x || !k->weight || !k->place || (k->adaptive && !k->factor))
        return gm__no_memory(ctx);
    k->scale = most;
    for (int64_t i = 0; i < c->n; i++) {
        memcpy(k->x + i * k->d, c->x + i * c->stride, (size_t)k->d * sizeof *k->x);
        k->weight[i] = c->weights ? c->weights[i] : 1;
        k->total += k->weight[i] / most;
        if (k->adaptive)
            k->factor[i] = c->factors[i];
    }
    return GM_OK;
}

static gm_status set_up(gm_context *ctx, gm__kde *k, const gm__kde_config *c)
{
    const gm_allocator *a = &k->allocator;
    k->d = c->d;
    k->radial = c->radial;
    k->plain = c->plain;
    k->adaptive = c->factors != NULL;
    k->even = c->weights == NULL;
    k->columns = gm__alloc_array(a, k->d, sizeof *k->columns);
    k->inverse = gm__alloc_array(a, k->d, sizeof *k->inverse);
    k->powers = gm__alloc_array(a, GM__KDE_POWERS + 17, sizeof *k->powers);
    if (!k->columns || !k->inverse || !k->powers)
        return gm__no_memory(ctx);
    memcpy(k->columns, c->columns, (size_t)k->d * sizeof *k->columns);
    set_powers(k, ctx->kernels);
    if (c->matrix)
        GM_TRY(set_matrix(ctx, k, c));
    GM_TRY(set_rows(ctx, k, c));
    GM_TRY(gm__kde_prepare(ctx, k));
    GM_TRY(gm__kde_build(ctx, k));
    return gm__kde_fold_create(ctx, k);
}

gm_status gm__kde_create(gm_context *ctx, const gm__kde_config *config, gm__kde **kde)
{
    *kde = NULL;
    GM_TRY(check_config(ctx, config));
    gm__kde *k = gm__alloc(&ctx->allocator, sizeof *k);
    if (!k)
        return gm__no_memory(ctx);
    k->allocator = ctx->allocator;
    gm_status code = set_up(ctx, k, config);
    if (code)
        gm__kde_free(k);
    else
        *kde = k;
    return code;
}
