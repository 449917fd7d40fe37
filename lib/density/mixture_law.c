/* A mixture's law of one column given others: again a mixture, whose weights are the components'
 * shares in what is known, and whose parts are normal laws given it, or tables. */
#include "density/mixture.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define HALF_LOG_TWO_PI 0.91893853320467274178

typedef struct gm__given {
    gm__arena arena;
    const gm__kernels *kernels;
    int64_t components, categories; /* categories 0: a real column */
    double *log_share;              /* (rows, K) */
    double *mean, *deviation;       /* (rows, K), (K): of a real column */
    double *log_deviation;
    double *table; /* (K, categories) */
} gm__given;

static double map(const gm__kernels *k, gm__map1 which, double x)
{
    double y;
    k->maps->map1[GM__F64][which](&y, &x, 1);
    return y;
}

/* ---- At a value ------------------------------------------------------------------------------ */

/* log sum exp of two. */
static double add_logs(const gm__kernels *k, double a, double b)
{
    double y;
    if (a == -INFINITY || b == -INFINITY)
        return a > b ? a : b;
    k->maps->map2[GM__F64][GM__LOGADDEXP](&y, &a, &b, 1);
    return y;
}

static void at_real(const gm_law *law, int64_t i, double v, double *logp, double *below,
                    double *above)
{
    const gm__given *g = law->state;
    double sum = -INFINITY, low = 0, high = 0;
    for (int64_t k = 0; k < g->components; k++) {
        double share = g->log_share[i * g->components + k];
        double z = (v - g->mean[i * g->components + k]) / g->deviation[k];
        double p = map(g->kernels, GM__EXP, share);
        if (logp)
            sum = add_logs(g->kernels, sum,
                           share - 0.5 * z * z - g->log_deviation[k] - HALF_LOG_TWO_PI);
        if (below)
            low += p * map(g->kernels, GM__NORMAL_CDF, z);
        if (above)
            high += p * map(g->kernels, GM__NORMAL_CDF, -z);
    }
    if (logp)
        *logp = sum;
    if (below)
        *below = low;
    if (above)
        *above = high;
}

static void at_category(const gm_law *law, int64_t i, double v, double *logp, double *below,
                        double *above)
{
    const gm__given *g = law->state;
    double mass = 0, low = 0, high = 0;
    for (int64_t k = 0; k < g->components; k++) {
        double p = map(g->kernels, GM__EXP, g->log_share[i * g->components + k]);
        const double *table = g->table + k * g->categories;
        for (int64_t c = 0; c < g->categories; c++) {
            mass += (double)c == v ? p * table[c] : 0;
            *((double)c <= v ? &low : &high) += p * table[c];
        }
    }
    if (logp)
        *logp = mass > 0 ? map(g->kernels, GM__LOG, mass) : -INFINITY;
    if (below)
        *below = low;
    if (above)
        *above = high;
}

static void free_given(gm_law *law)
{
    gm__given *g = law->state;
    if (g) {
        gm__arena arena = g->arena; /* which holds g too */
        gm__arena_clear(&arena);
    }
    law->state = NULL;
}

/* ---- Given what is known --------------------------------------------------------------------- */

/* Work on one component: the known real columns, and the factor of their covariance followed by
 * the column asked for, so that its last row holds the regression on them. */
typedef struct gm__known {
    const gm__mixture *m;
    int64_t count, column; /* known reals; the column, -1 if it is no real one */
    int64_t *place;        /* (reals + 1) */
    double *covariance;    /* (r, r) */
    double *factor;        /* (count + 1, count + 1) */
    double *z;             /* (count + 1) */
} gm__known;

/* Covariance of component k between columns a and b. */
static double covariance(const gm__mixture *m, int64_t k, int64_t a, int64_t b)
{
    int64_t r = m->shape.reals, least = a < b ? a : b;
    double sum = 0;
    if (m->shape.covariance > GM__TIED) {
        double s = m->shape.covariance == GM__DIAGONAL ? m->factor[k * r + a] : m->factor[k];
        return a == b ? s * s : 0;
    }
    const double *l = m->factor + (m->shape.covariance == GM__TIED ? 0 : k * r * r);
    for (int64_t j = 0; j <= least; j++)
        sum += l[a * r + j] * l[b * r + j];
    return sum;
}

static int make_factor(gm__known *w, int64_t k)
{
    int64_t n = w->count + (w->column >= 0);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            w->factor[i * n + j] = covariance(w->m, k, w->place[i], w->place[j]);
    return gm__cholesky(w->factor, n) != 0;
}

/* Shares of component k in rows, up to a constant a row, and its law of the real column. */
static void add_component(gm__known *w, int64_t k, int64_t n, const double *x, int64_t column,
                          const unsigned char *known, gm__given *g)
{
    const gm__mixture *m = w->m;
    int64_t r = m->shape.reals, a = w->count, size = a + (w->column >= 0), d = r + m->shape.tables;
    double log_det = 0;
    for (int64_t j = 0; j < a; j++)
        log_det += map(m->kernels, GM__LOG, w->factor[j * size + j]);
    for (int64_t i = 0; i < n; i++) {
        const double *row = x + i * d, *table = m->log_table + k * m->shape.total;
        double sum = map(m->kernels, GM__LOG, m->weight[k]) - log_det, mean = 0;
        for (int64_t j = 0; j < a; j++) {
            const double *f = w->factor + j * size;
            double z = row[w->place[j]] - m->mean[k * r + w->place[j]];
            for (int64_t c = 0; c < j; c++)
                z -= f[c] * w->z[c];
            w->z[j] = z /= f[j];
            sum -= 0.5 * z * z;
            mean += w->column >= 0 ? w->factor[a * size + j] * z : 0;
        }
        for (int64_t j = 0; j < m->shape.tables; table += m->shape.categories[j], j++)
            sum += known[r + j] && r + j != column ? table[(int64_t)row[r + j]] : 0;
        g->log_share[i * g->components + k] = sum;
        if (w->column >= 0)
            g->mean[i * g->components + k] = m->mean[k * r + w->column] + mean;
    }
    if (w->column >= 0) {
        g->deviation[k] = w->factor[a * size + a];
        g->log_deviation[k] = map(m->kernels, GM__LOG, g->deviation[k]);
    }
}

static void take_table(const gm__mixture *m, int64_t column, gm__given *g)
{
    int64_t at = 0;
    for (int64_t j = 0; j < column; j++)
        at += m->shape.categories[j];
    for (int64_t k = 0; k < m->components; k++)
        memcpy(g->table + k * g->categories, m->table + k * m->shape.total + at,
               (size_t)g->categories * sizeof *g->table);
}

static gm_status fill(gm_context *ctx, const gm__mixture *m, int64_t n, const double *x,
                      const unsigned char *known, int64_t column, gm__given *g)
{
    int64_t r = m->shape.reals, k = m->components, cells;
    gm__known w = {.m = m, .column = column < r ? column : -1};
    if (gm__mul64(n, k, &cells))
        return gm__no_memory(ctx);
    g->categories = column < r ? 0 : m->shape.categories[column - r];
    g->log_share = gm__arena_array(&g->arena, cells + 1, sizeof(double));
    g->mean = gm__arena_array(&g->arena, cells + 1, sizeof(double));
    g->deviation = gm__arena_array(&g->arena, 2 * k, sizeof(double));
    g->table = gm__arena_array(&g->arena, k * g->categories + 1, sizeof(double));
    w.place = gm__arena_array(&g->arena, r + 1, sizeof(int64_t));
    w.factor = gm__arena_array(&g->arena, (r + 1) * (r + 1), sizeof(double));
    w.z = gm__arena_array(&g->arena, r + 1, sizeof(double));
    if (!g->log_share || !g->mean || !g->deviation || !g->table || !w.place || !w.factor || !w.z)
        return gm__no_memory(ctx);
    g->log_deviation = g->deviation + k;
    for (int64_t j = 0; j < r; j++)
        if (known[j] && j != column)
            w.place[w.count++] = j;
    w.place[w.count] = column;
    for (int64_t c = 0; c < k; c++) {
        GM_TRY(gm__check_cancel(ctx));
        if (make_factor(&w, c))
            return gm__fail(ctx, GM_E_NONFINITE,
                            "mixture: the covariance of what is known cannot be factored");
        add_component(&w, c, n, x, column, known, g);
    }
    if (g->categories)
        take_table(m, column - r, g);
    m->kernels->reductions->log_softmax[GM__F64](g->log_share, g->log_share, n, k);
    return GM_OK;
}

gm_status gm__mixture_law(gm_context *ctx, const gm__mixture *m, int64_t n, const double *x,
                          const unsigned char *known, int64_t column, gm_law *law)
{
    gm__arena arena = {.allocator = ctx->allocator};
    gm__given *g = gm__arena_alloc(&arena, sizeof *g);
    if (!g)
        return gm__no_memory(ctx);
    *g = (gm__given){.arena = arena, .kernels = m->kernels, .components = m->components};
    *law = (gm_law){.struct_size = sizeof *law, .rows = n, .state = g, .free = free_given};
    gm_status code = fill(ctx, m, n, x, known, column, g);
    law->discrete = g->categories > 0;
    law->at = g->categories ? at_category : at_real;
    if (code)
        free_given(law);
    return code;
}
