/* Expectation-maximisation (Dempster, Laird and Rubin 1977), in log space.
 *
 * Rows are taken in slabs, a slab between two looks at the cancel token, and are shared between
 * threads by blocks (expecting) and by components (maximising): who computes which never changes a
 * bit. Covariances are the most likely ones among those that are nowhere below the floor: in units
 * of floor times the columns' own deviations their eigenvalues are at least 1, which raising the
 * lower ones to 1 gives exactly; so the likelihood never falls. */
#include "density/mixture.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

/* ---- Life ------------------------------------------------------------------------------------ */

static double *room(gm__em *em, int64_t count)
{
    return gm__arena_array(&em->arena, count + 1, sizeof(double));
}

static int64_t scratch_size(const gm__em *em);

static gm_status fill(gm__em *em)
{
    int64_t n = em->rows->count, k = em->m->components, size = scratch_size(em), most,
            r = em->m->shape.reals;
    if (gm__mul64(n, k, &most))
        return gm__no_memory(em->ctx);
    em->share = room(em, most);
    em->logp = room(em, n);
    em->count = room(em, k);
    em->sums = room(em, k * r);
    em->moments = room(em, k * (em->m->shape.covariance <= GM__TIED ? r * r : r));
    em->scratch = gm__arena_array(&em->arena, em->parts, sizeof *em->scratch);
    if (!em->share || !em->logp || !em->count || !em->sums || !em->moments || !em->scratch)
        return gm__no_memory(em->ctx);
    for (int32_t i = 0; i < em->parts; i++)
        if (!(em->scratch[i] = room(em, size)))
            return gm__no_memory(em->ctx);
    for (int64_t i = 0; i < n; i++)
        em->weights += em->rows->weight ? em->rows->weight[i] : 1;
    return GM_OK;
}

gm_status gm__em_create(gm_context *ctx, const gm__mixture_plan *plan, const gm_direct_rows *rows,
                        const double *variance, const double *frequency, gm__mixture *m,
                        gm__em **out)
{
    gm__arena arena = {.allocator = ctx->allocator};
    gm__em *em = gm__arena_alloc(&arena, sizeof *em);
    if (!em)
        return gm__no_memory(ctx);
    *em = (gm__em){.ctx = ctx,
                   .arena = arena,
                   .rows = rows,
                   .plan = plan,
                   .variance = variance,
                   .frequency = frequency,
                   .m = m,
                   .parts = ctx->team.parts > 0 ? ctx->team.parts : 1};
    gm_status code = fill(em);
    if (code) {
        gm__em_free(em);
        return code;
    }
    *out = em;
    return GM_OK;
}

void gm__em_free(gm__em *em)
{
    if (!em)
        return;
    gm__arena arena = em->arena; /* which holds em too */
    gm__arena_clear(&arena);
}

gm_status gm__em_slabs(gm__em *em, double row_cost, void (*work)(void *em, int32_t part))
{
    double rows = 3e7 / (row_cost + 1); /* some 20 ms */
    int64_t block = gm__mixture_block(em->m);
    em->slab = rows > 1e9 ? 1000000000 : (int64_t)rows;
    em->slab = (em->slab / (256 * block) + 1) * 256 * block;
    for (em->first = 0; em->first < em->rows->count; em->first += em->slab) {
        GM_TRY(gm__check_cancel(em->ctx));
        gm__team_run(&em->ctx->team, em->parts, work, em);
    }
    return GM_OK;
}

static int64_t slab_end(const gm__em *em)
{
    int64_t end = em->first + em->slab;
    return end < em->rows->count ? end : em->rows->count;
}

/* ---- Expecting ------------------------------------------------------------------------------- */

/* log p of rows = log(weight_c p(x | c)) - log share_c, at the component of the greatest share: one
 * pass of exponentials less. */
static void take_logp(const gm__mixture *m, const double *terms, const double *share, int64_t n,
                      double *logp)
{
    int64_t k = m->components;
    for (int64_t i = 0; i < n; i++)
        logp[i] = share[i * k];
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 1; c < k; c++)
            logp[i] = share[i * k + c] > logp[i] ? share[i * k + c] : logp[i];
    m->kernels->maps->map1[GM__F64][GM__LOG](logp, logp, n);
    for (int64_t i = 0; i < n; i++) {
        double most = terms[i * k];
        for (int64_t c = 1; c < k; c++)
            most = terms[i * k + c] > most ? terms[i * k + c] : most;
        logp[i] = most - logp[i];
    }
}

static void expect_part(void *arg, int32_t part)
{
    gm__em *em = arg;
    const gm__mixture *m = em->m;
    int64_t block = gm__mixture_block(m), k = m->components, d = em->rows->width;
    double *terms = em->scratch[part], *scratch = terms + block * k;
    for (int64_t i = em->first + part * block; i < slab_end(em); i += em->parts * block) {
        int64_t n = slab_end(em) - i < block ? slab_end(em) - i : block;
        gm__mixture_terms(m, em->rows->x + i * d, d, n, terms, scratch);
        m->kernels->reductions->softmax[GM__F64](em->share + i * k, terms, n, k);
        take_logp(m, terms, em->share + i * k, n, em->logp + i);
        for (int64_t c = 0; em->rows->weight && c < n * k; c++)
            em->share[i * k + c] *= em->rows->weight[i + c / k];
    }
}

gm_status gm__em_expect(gm__em *em, double *mean_logp)
{
    const gm__mixture_shape *s = &em->m->shape;
    double r = (double)s->reals, k = (double)em->m->components, sum = 0;
    GM_TRY(gm__em_slabs(em, k * (r * (s->covariance == GM__FULL ? r : 2) + 20), expect_part));
    for (int64_t i = 0; i < em->rows->count; i++)
        sum += em->rows->weight ? em->rows->weight[i] * em->logp[i] : em->logp[i];
    *mean_logp = sum / em->weights;
    return GM_OK;
}

/* ---- Maximising ------------------------------------------------------------------------------ */

#define CHUNK 1024 /* rows of a product: their numbers add up in one chain */
#define NONE 1e-14 /* a share so small that its row does not widen a component */

/* sums (K, r) += share^T x. */
static gm__product sum_product(const gm__em *em, int64_t first, int64_t n)
{
    int64_t k = em->m->components, d = em->rows->width, r = em->m->shape.reals;
    return (gm__product){.real = GM__F64,
                         .m = k,
                         .n = r,
                         .k = n,
                         .a = em->share + first * k,
                         .b = em->rows->x + first * d,
                         .c = em->sums,
                         .lda = k,
                         .ldb = d,
                         .ldc = r,
                         .ta = 1,
                         .accumulate = 1,
                         .act = GM__ACT_NONE};
}

static void *aligned(double *at)
{
    return (void *)(((uintptr_t)at + 63) / 64 * 64);
}

static void mean_part(void *arg, int32_t part)
{
    gm__em *em = arg;
    int64_t k = em->m->components, from = k * part / em->parts, to = k * (part + 1) / em->parts;
    for (int64_t i = em->first; i < slab_end(em); i += CHUNK) {
        int64_t n = slab_end(em) - i < CHUNK ? slab_end(em) - i : CHUNK;
        gm__product p = sum_product(em, i, n);
        if (p.n)
            em->m->kernels->products->run(&p, part, em->parts, aligned(em->scratch[part]));
        for (int64_t row = i; row < i + n; row++)
            for (int64_t c = from; c < to; c++)
                em->count[c] += em->share[row * k + c];
    }
}

/* s (r, r) += y^T y. */
static gm__product scatter_product(const gm__em *em, const double *y, int64_t n, double *s)
{
    int64_t r = em->m->shape.reals;
    return (gm__product){.real = GM__F64,
                         .m = r,
                         .n = r,
                         .k = n,
                         .a = y,
                         .b = y,
                         .c = s,
                         .lda = r,
                         .ldb = r,
                         .ldc = r,
                         .ta = 1,
                         .accumulate = 1,
                         .act = GM__ACT_NONE};
}

/* Rows that belong to component c, less its mean and times the root of their share, gather in y;
 * whenever there are 256 they are added to s (r, r), and at the end what is left. */
static void add_scatter(const gm__em *em, int64_t c, double *s, double *y)
{
    int64_t r = em->m->shape.reals, k = em->m->components, d = em->rows->width, n = 0;
    const double *mean = em->m->mean + c * r;
    for (int64_t i = em->first; i < slab_end(em); i++) {
        double share = em->share[i * k + c], root;
        const double *x = em->rows->x + i * d;
        if (share > NONE) {
            root = sqrt(share);
            for (int64_t j = 0; j < r; j++)
                y[n * r + j] = root * (x[j] - mean[j]);
            n++;
        }
        if (n == 256 || (n && i == slab_end(em) - 1)) {
            gm__product p = scatter_product(em, y, n, s);
            em->m->kernels->products->run(&p, 0, 1, aligned(y + 256 * r));
            n = 0;
        }
    }
}

/* What a part needs: to expect, or to maximise a covariance. */
static int64_t scratch_size(const gm__em *em)
{
    const gm__mixture *m = em->m;
    int64_t r = m->shape.reals;
    int64_t expect = (int64_t)gm__mixture_scratch(m) + gm__mixture_block(m) * m->components;
    gm__product scatter = scatter_product(em, NULL, 256, NULL), sum = sum_product(em, 0, CHUNK);
    size_t a = r ? m->kernels->products->scratch(&scatter) : 0,
           b = r ? m->kernels->products->scratch(&sum) : 0;
    int64_t maximise = 256 * r + 3 * r * r + 4 * r + (int64_t)((a > b ? a : b) / sizeof(double));
    return (expect > maximise ? expect : maximise) + 64;
}

static void scatter_part(void *arg, int32_t part)
{
    gm__em *em = arg;
    int64_t r = em->m->shape.reals, k = em->m->components, d = em->rows->width;
    for (int64_t c = part; c < k; c += em->parts) {
        if (em->m->shape.covariance <= GM__TIED) {
            add_scatter(em, c, em->moments + c * r * r, em->scratch[part]);
            continue;
        }
        double *sum = em->moments + c * r;
        const double *mean = em->m->mean + c * r;
        for (int64_t i = em->first; i < slab_end(em); i++) {
            double w = em->share[i * k + c];
            const double *x = em->rows->x + i * d;
            for (int64_t j = 0; j < r; j++)
                sum[j] += w * ((x[j] - mean[j]) * (x[j] - mean[j]));
        }
    }
}

static void table_part(void *arg, int32_t part)
{
    gm__em *em = arg;
    const gm__mixture_shape *s = &em->m->shape;
    int64_t k = em->m->components, d = em->rows->width;
    for (int64_t c = part; c < k; c += em->parts)
        for (int64_t i = em->first; i < slab_end(em); i++) {
            double w = em->share[i * k + c], *table = em->m->table + c * s->total;
            const double *x = em->rows->x + i * d + s->reals;
            for (int64_t j = 0; j < s->tables; table += s->categories[j], j++)
                table[(int64_t)x[j]] += w;
        }
}

/* ---- The floor ------------------------------------------------------------------------------- */

/* sum over v of max(value_v, 1) vector_v vector_v^T, each element times its two units. */
static void rebuild(const double *values, const double *vectors, const double *unit, int64_t r,
                    double *s)
{
    memset(s, 0, (size_t)(r * r) * sizeof *s);
    for (int64_t v = 0; v < r; v++)
        for (int64_t i = 0; i < r; i++)
            for (int64_t j = 0; j < r; j++)
                s[i * r + j] += (values[v] > 1 ? values[v] : 1) * vectors[v * r + i] *
                                vectors[v * r + j] * (unit[i] * unit[j]);
}

/* The least variance of column j. */
static double floor_of(const gm__em *em, int64_t j)
{
    double least = em->plan->floor * em->plan->floor * em->variance[j];
    return em->plan->least && em->plan->least[j] > least ? em->plan->least[j] : least;
}

/* The factor of the covariance of `count` rows with second moments S (r, r), lifted to the floor
 * where it lies below it: then 1 is returned. */
static int factor_above_floor(const gm__em *em, const double *s, double count, double *factor)
{
    int64_t r = em->m->shape.reals;
    size_t bytes = (size_t)(r * r) * sizeof *s;
    double *a = em->scratch[0], *vectors = a + r * r, *scaled = vectors + r * r,
           *unit = scaled + r * r, *values = unit + r;
    for (int64_t i = 0; i < r; i++) {
        unit[i] = em->plan->floor * sqrt(em->variance[i]);
        if (em->plan->least && em->plan->least[i] > unit[i] * unit[i])
            unit[i] = sqrt(em->plan->least[i]);
    }
    for (int64_t i = 0; i < r * r; i++) {
        factor[i] = s[i] / count;
        scaled[i] = factor[i] / unit[i / r] / unit[i % r];
        a[i] = scaled[i] - (i / r == i % r);
    }
    if (!gm__cholesky(a, r) && !gm__cholesky(factor, r))
        return 0;
    gm__eigen_symmetric(scaled, r, values, vectors); /* converges for finite numbers */
    rebuild(values, vectors, unit, r, factor);
    memcpy(a, factor, bytes);
    for (double more = 1e-14; gm__cholesky(factor, r) && more < 1; more *= 100) {
        memcpy(factor, a, bytes);
        for (int64_t i = 0; i < r; i++)
            factor[i * r + i] *= 1 + more;
    }
    return 1;
}

static void take_deviations(gm__em *em, int64_t c)
{
    int64_t r = em->m->shape.reals, low = 0;
    double *sum = em->moments + c * r, all = 0, least = 0, whole = 0;
    for (int64_t j = 0; j < r; j++) {
        double floor2 = em->plan->floor * em->plan->floor * em->variance[j];
        all += sum[j] / em->count[c] / (double)r;
        least = floor2 > least ? floor2 : least;
        whole += em->plan->least ? em->plan->least[j] / (double)r : 0;
        floor2 = floor_of(em, j);
        sum[j] /= em->count[c];
        if (em->m->shape.covariance == GM__DIAGONAL) {
            low |= sum[j] < floor2;
            em->m->factor[c * r + j] = sqrt(sum[j] > floor2 ? sum[j] : floor2);
        }
    }
    if (em->m->shape.covariance == GM__SPHERICAL) {
        least = whole > least ? whole : least;
        low = all < least;
        em->m->factor[c] = sqrt(all > least ? all : r ? least : 1);
    }
    em->at_floor += low;
}

static void take_tied(gm__em *em)
{
    int64_t r = em->m->shape.reals;
    double *s = em->moments;
    for (int64_t c = 1; c < em->m->components; c++)
        for (int64_t i = 0; i < r * r; i++)
            s[i] += s[c * r * r + i];
    em->at_floor = factor_above_floor(em, s, em->weights, em->m->factor);
}

/* Second moments, which lie where the inverses will, become factors. A component that no row
 * belongs to keeps its own. */
static void take_covariances(gm__em *em)
{
    int64_t r = em->m->shape.reals;
    em->at_floor = 0;
    if (em->m->shape.covariance == GM__TIED) {
        take_tied(em);
        return;
    }
    for (int64_t c = 0; c < em->m->components; c++) {
        if (!(em->count[c] > 0))
            continue;
        if (em->m->shape.covariance != GM__FULL) {
            take_deviations(em, c);
            continue;
        }
        em->at_floor += factor_above_floor(em, em->moments + c * r * r, em->count[c],
                                           em->m->factor + c * r * r);
    }
}

/* Tables with `prior` rows' worth of the overall frequencies, of all components. */
static void take_tables(gm__em *em)
{
    const gm__mixture_shape *s = &em->m->shape;
    for (int64_t c = 0; c < em->m->components; c++)
        for (int64_t v = 0; v < s->total; v++) {
            double *p = &em->m->table[c * s->total + v], prior = em->plan->prior;
            *p = (*p + prior * em->frequency[v]) / (em->count[c] + prior);
        }
}

gm_status gm__em_maximise(gm__em *em)
{
    const gm__mixture_shape *s = &em->m->shape;
    int64_t r = s->reals, k = em->m->components, whole = s->covariance <= GM__TIED;
    double d = (double)r, cost = (double)k * d;
    memset(em->count, 0, (size_t)k * sizeof(double));
    memset(em->sums, 0, (size_t)(k * r) * sizeof(double));
    memset(em->moments, 0, (size_t)(k * r * (whole ? r : 1)) * sizeof(double));
    memset(em->m->table, 0, (size_t)(k * s->total) * sizeof(double));
    GM_TRY(gm__em_slabs(em, cost + (double)k, mean_part));
    for (int64_t i = 0; i < k * r; i++)
        if (em->count[i / r] > 0)
            em->m->mean[i] = em->sums[i] / em->count[i / r];
    if (r)
        GM_TRY(gm__em_slabs(em, cost * (whole ? d : 2), scatter_part));
    if (s->tables)
        GM_TRY(gm__em_slabs(em, (double)(k * s->tables) * 4, table_part));
    take_covariances(em);
    take_tables(em);
    for (int64_t c = 0; c < k; c++)
        em->m->weight[c] = em->count[c] / em->weights;
    if (gm__mixture_prepare(em->m))
        return gm__fail(em->ctx, GM_E_NONFINITE,
                        "mixture: a covariance is singular: raise the option floor");
    return GM_OK;
}
