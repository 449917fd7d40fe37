/* A copula's law of one column given others: its score is normal given theirs. Known categories
 * stand at the middle of their intervals. */
#include "density/copula.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define HALF_LOG_TWO_PI 0.91893853320467274178

typedef struct gm__score_law {
    gm__arena arena;
    const gm__copula *c;
    int64_t column;
    double deviation, log_deviation;
    double *mean; /* (rows) */
} gm__score_law;

static double map(const gm__kernels *k, gm__map1 which, double x)
{
    double y;
    k->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

static void at_real(const gm_law *law, int64_t i, double v, double *logp, double *below,
                    double *above)
{
    const gm__score_law *g = law->state;
    const gm__kernels *k = g->c->kernels;
    double log_slope;
    if (v - v != 0) { /* an infinity */
        if (logp)
            *logp = -INFINITY;
        if (below)
            *below = v > 0;
        if (above)
            *above = v < 0;
        return;
    }
    gm__curve at = gm__marginal_score(k, &g->c->marginal[g->column], v, &log_slope);
    double z = (at.value - g->mean[i]) / g->deviation;
    if (logp)
        *logp = log_slope - 0.5 * z * z - HALF_LOG_TWO_PI - g->log_deviation;
    if (below)
        *below = map(k, GM__NORMAL_CDF, z);
    if (above)
        *above = map(k, GM__NORMAL_CDF, -z);
}

static void at_category(const gm_law *law, int64_t i, double v, double *logp, double *below,
                        double *above)
{
    const gm__score_law *g = law->state;
    const gm__kernels *k = g->c->kernels;
    int64_t j = g->column - g->c->reals, categories = g->c->categories[j];
    const double *cut = g->c->cut[j];
    double floor_v = floor(v);
    int64_t category = floor_v < 0                    ? -1
                       : floor_v < (double)categories ? (int64_t)floor_v
                                                      : categories;
    int inside = floor_v == v && category >= 0 && category < categories;
    int64_t end = category < categories ? category + 1 : categories;
    double to = (cut[end] - g->mean[i]) / g->deviation;
    if (logp) {
        double from = inside ? (cut[category] - g->mean[i]) / g->deviation : 0;
        double mass = inside ? gm__normal_mass(k, from, to) : 0;
        *logp = mass > 0 ? map(k, GM__LOG, mass) : -INFINITY;
    }
    if (below)
        *below = end == categories ? 1 : end == 0 ? 0 : map(k, GM__NORMAL_CDF, to);
    if (above)
        *above = end == categories ? 0 : end == 0 ? 1 : map(k, GM__NORMAL_CDF, -to);
}

static void free_law(gm_law *law)
{
    gm__score_law *g = law->state;
    if (g) {
        gm__arena arena = g->arena; /* which holds g too */
        gm__arena_clear(&arena);
    }
    law->state = NULL;
}

/* The correlation of two scores. */
static double correlation(const gm__copula *c, int64_t a, int64_t b)
{
    int64_t least = a < b ? a : b;
    double sum = 0;
    for (int64_t j = 0; j <= least; j++)
        sum += c->factor[a * c->width + j] * c->factor[b * c->width + j];
    return sum;
}

/* Of the known columns (place) and the column: the factor of their correlations; then each row's
 * mean = l_a . L_AA^-1 z_A. */
static gm_status fill(gm_context *ctx, const gm__copula *c, int64_t n, const double *x,
                      const unsigned char *known, gm__score_law *g)
{
    int64_t d = c->width, a = 0;
    int64_t *place = gm__arena_array(&g->arena, d + 1, sizeof *place);
    double *l = gm__arena_array(&g->arena, (d + 1) * (d + 1), sizeof *l);
    double *row = gm__arena_array(&g->arena, 3 * d, sizeof *row);
    g->mean = gm__arena_array(&g->arena, n + 1, sizeof *g->mean);
    if (!place || !l || !row || !g->mean)
        return gm__no_memory(ctx);
    double *z = row + d, *e = z + d;
    for (int64_t j = 0; j < d; j++)
        if (known[j] && j != g->column)
            place[a++] = j;
    place[a] = g->column;
    for (int64_t i = 0; i <= a; i++)
        for (int64_t j = 0; j <= a; j++)
            l[i * (a + 1) + j] = correlation(c, place[i], place[j]);
    if (gm__cholesky(l, a + 1))
        return gm__fail(ctx, GM_E_NONFINITE, "copula: its correlations cannot be factored");
    g->deviation = l[a * (a + 1) + a];
    g->log_deviation = map(c->kernels, GM__LOG, g->deviation);
    for (int64_t i = 0; i < n; i++) {
        if (i % 256 == 0)
            GM_TRY(gm__check_cancel(ctx));
        for (int64_t j = 0; j < d; j++) /* what is not known may be anything */
            row[j] = known[j] && j != g->column ? x[i * d + j] : 0;
        gm__copula_scores(c, row, z);
        for (int64_t j = 0; j < a; j++) {
            double v = z[place[j]];
            for (int64_t b = 0; b < j; b++)
                v -= l[j * (a + 1) + b] * e[b];
            e[j] = v / l[j * (a + 1) + j];
            g->mean[i] += l[a * (a + 1) + j] * e[j];
        }
    }
    return GM_OK;
}

gm_status gm__copula_law(gm_context *ctx, const void *state, int64_t n, const double *x,
                         const unsigned char *known, int64_t column, gm_law *law)
{
    const gm__copula *c = state;
    gm__arena arena = {.allocator = ctx->allocator};
    gm__score_law *g = gm__arena_alloc(&arena, sizeof *g);
    if (!g)
        return gm__no_memory(ctx);
    *g = (gm__score_law){.arena = arena, .c = c, .column = column};
    *law = (gm_law){.struct_size = sizeof *law,
                    .rows = n,
                    .state = g,
                    .free = free_law,
                    .discrete = column >= c->reals,
                    .at = column >= c->reals ? at_category : at_real};
    gm_status code = fill(ctx, c, n, x, known, g);
    if (code)
        free_law(law);
    return code;
}
