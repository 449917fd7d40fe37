/* A fit: from several starts to the end of EM, for one number of components or for many, of which
 * one is chosen by the Bayesian information criterion (Schwarz 1978) or by rows kept out. */
#include "density/mixture.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

#define FIRST_LOOK 10 /* iterations from each start, before the best one goes on */
#define ROUGH 1e-4    /* tolerance while numbers of components are tried */
#define WORSE 3       /* numbers of components in a row that are no better end the search */
/* Over so many rows each number of components is fitted to some of them, to a sixteenth but at
 * least SOME, and then settles on all rows in a few iterations, where it is judged. */
#define LARGE 20000
#define SOME 10000
#define SETTLE 10

typedef struct gm__learn {
    gm_context *ctx;
    const gm__mixture_plan *plan;
    const gm__mixture_shape *shape;
    const gm_direct_rows *train, *valid;
    gm_direct_rows some; /* of train, for a search; its count 0: all of them */
    double *variance, *frequency;
    gm__mixture *best; /* so far */
    double score;      /* of it: the less the better */
    int64_t at_floor;
} gm__learn;

/* ---- Overall --------------------------------------------------------------------------------- */

static double weight_of(const gm_direct_rows *rows, int64_t i)
{
    return rows->weight ? rows->weight[i] : 1;
}

static void measure_variance(gm__learn *l, int64_t j)
{
    const gm_direct_rows *rows = l->train;
    double mean = 0, sum = 0, all = 0;
    for (int64_t i = 0; i < rows->count; i++) {
        mean += weight_of(rows, i) * rows->x[i * rows->width + j];
        all += weight_of(rows, i);
    }
    mean /= all;
    for (int64_t i = 0; i < rows->count; i++) {
        double away = rows->x[i * rows->width + j] - mean;
        sum += weight_of(rows, i) * (away * away);
    }
    l->variance[j] = sum / all > 1e-24 * mean * mean ? sum / all : 1;
}

/* Half a row more of each, so that none is impossible. */
static void measure_frequency(gm__learn *l, int64_t j, double *frequency)
{
    const gm_direct_rows *rows = l->train;
    int64_t categories = l->shape->categories[j];
    double all = 0.5 * (double)categories;
    for (int64_t v = 0; v < categories; v++)
        frequency[v] = 0.5;
    for (int64_t i = 0; i < rows->count; i++) {
        frequency[(int64_t)rows->x[i * rows->width + l->shape->reals + j]] += weight_of(rows, i);
        all += weight_of(rows, i);
    }
    for (int64_t v = 0; v < categories; v++)
        frequency[v] /= all;
}

/* ---- EM -------------------------------------------------------------------------------------- */

/* At most `most` iterations. The mixture is that of the last maximising; *mean_logp that before. */
static gm_status climb(gm__em *em, int64_t most, double *mean_logp)
{
    double before = -INFINITY;
    for (int64_t i = 0; i < most; i++) {
        GM_TRY(gm__em_expect(em, mean_logp));
        if (*mean_logp - before < em->plan->tolerance && i > 1)
            return GM_OK;
        before = *mean_logp;
        GM_TRY(gm__em_maximise(em));
    }
    return gm__em_expect(em, mean_logp);
}

/* From the best of several starts. */
static gm_status climb_from_starts(gm__em *em, gm__mixture *kept, double *mean_logp)
{
    double best = -INFINITY;
    int64_t starts = em->m->components > 1 ? em->plan->restarts : 1;
    for (int64_t i = 0; i < starts; i++) {
        GM_TRY(gm__em_start(em, (uint64_t)i));
        GM_TRY(gm__em_maximise(em));
        if (starts == 1)
            break;
        GM_TRY(climb(em, FIRST_LOOK, mean_logp));
        if (i == 0 || *mean_logp > best) {
            best = *mean_logp;
            gm__mixture_copy(kept, em->m);
        }
    }
    if (starts > 1) {
        gm__mixture_copy(em->m, kept);
        gm__mixture_prepare(em->m);
    }
    return climb(em, em->plan->iterations, mean_logp);
}

/* ---- How many -------------------------------------------------------------------------------- */

static double free_numbers(const gm__mixture_shape *s, int64_t components)
{
    double k = (double)components, r = (double)s->reals;
    double covariance = s->covariance == GM__FULL       ? k * r * (r + 1) / 2
                        : s->covariance == GM__TIED     ? r * (r + 1) / 2
                        : s->covariance == GM__DIAGONAL ? k * r
                                                        : (r > 0 ? k : 0);
    return k - 1 + k * r + covariance + k * (double)(s->total - s->tables);
}

static double log_of(gm_context *ctx, double x)
{
    double y, least = x > 1 ? x : 1;
    ctx->kernels->maps->map1[GM__F64][GM__LOG](&y, &least, 1);
    return y;
}

static gm_status valid_score(gm__learn *l, gm__mixture *m, double *score)
{
    gm__em *em;
    double mean = 0;
    GM_TRY(gm__em_create(l->ctx, l->plan, l->valid, l->variance, l->frequency, m, &em));
    gm_status code = gm__em_expect(em, &mean);
    *score = -mean;
    gm__em_free(em);
    return code;
}

/* Fits `components` of them; *m is the caller's. */
static gm_status fit_one(gm__learn *l, int64_t components, const gm__mixture *start,
                         gm__mixture **m, double *score)
{
    gm__em *em = NULL;
    gm__mixture *kept = NULL;
    double mean = 0;
    *m = NULL;
    gm_status code = gm__mixture_create(l->ctx, l->shape, components, m);
    if (!code)
        code = gm__mixture_create(l->ctx, l->shape, components, &kept);
    if (!code)
        code = gm__em_create(l->ctx, l->plan, l->train, l->variance, l->frequency, *m, &em);
    if (!code && start) {
        gm__mixture_copy(*m, start);
        gm__mixture_prepare(*m);
        code = climb(em, l->plan->iterations, &mean);
    } else if (!code)
        code = climb_from_starts(em, kept, &mean);
    l->at_floor = em ? em->at_floor : 0;
    *score = em ? -2 * mean * em->weights +
                      free_numbers(l->shape, components) * log_of(l->ctx, em->weights)
                : 0;
    gm__em_free(em);
    gm__mixture_free(kept);
    if (!code && l->plan->by_valid)
        code = valid_score(l, *m, score);
    if (code) {
        gm__mixture_free(*m);
        *m = NULL;
    }
    return code;
}

/* As fit_one without a start, by way of some of the rows where there are many. */
static gm_status fit_by_some(gm__learn *l, int64_t components, gm__mixture **m, double *score)
{
    gm__mixture_plan plan = *l->plan;
    const gm__mixture_plan *given = l->plan;
    const gm_direct_rows *all = l->train;
    gm__mixture *rough;
    if (l->some.count == 0)
        return fit_one(l, components, NULL, m, score);
    plan.by_valid = 0;
    l->train = &l->some;
    l->plan = &plan;
    gm_status code = fit_one(l, components, NULL, &rough, score);
    l->train = all;
    plan.by_valid = given->by_valid;
    plan.iterations = plan.iterations < SETTLE ? plan.iterations : SETTLE;
    if (!code)
        code = fit_one(l, components, rough, m, score);
    l->plan = given;
    gm__mixture_free(rough);
    return code;
}

/* 1, 2 ... 8, then by a quarter more. */
static int64_t next_number(int64_t k)
{
    return k < 8 ? k + 1 : k + k / 4;
}

static gm_status search_numbers(gm__learn *l)
{
    int64_t most = l->plan->most < l->train->count ? l->plan->most : l->train->count, lifted = 0;
    for (int64_t k = 1, worse = 0; k <= most && worse < WORSE; k = next_number(k)) {
        gm__mixture *m;
        double score;
        GM_TRY(fit_by_some(l, k, &m, &score));
        worse++;
        if (k == 1 || score < l->score) {
            gm__mixture_free(l->best);
            l->best = m;
            l->score = score;
            lifted = l->at_floor;
            worse = 0;
        } else
            gm__mixture_free(m);
    }
    l->at_floor = lifted;
    return GM_OK;
}

/* Some of many rows, in an order that the seed gives. */
static gm_status take_some(gm__learn *l, gm__arena *arena)
{
    const gm_direct_rows *rows = l->train;
    int64_t n = rows->count, d = rows->width, count = n / 16 > SOME ? n / 16 : SOME;
    double *x = gm__arena_array(arena, count * d, sizeof *x);
    double *weight = gm__arena_array(arena, count, sizeof *weight);
    if (!x || !weight)
        return gm__no_memory(l->ctx);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = gm__permute(l->plan->seed, GM__FOR_SPLIT, 1, i, n);
        memcpy(x + i * d, rows->x + from * d, (size_t)d * sizeof *x);
        weight[i] = weight_of(rows, from);
    }
    l->some = *rows;
    l->some.count = count;
    l->some.x = x;
    l->some.weight = rows->weight ? weight : NULL;
    return GM_OK;
}

static gm_status search(gm__learn *l)
{
    gm__arena arena = {.allocator = l->ctx->allocator};
    gm_status code = l->train->count > LARGE ? take_some(l, &arena) : GM_OK;
    if (!code)
        code = search_numbers(l);
    l->some.count = 0;
    gm__arena_clear(&arena);
    return code;
}

/* Where no validation rows are given a tenth is kept aside, for the choice alone. */
typedef struct gm__halves {
    gm_direct_rows train, valid;
    double *x, *weight; /* of the rows in another order */
} gm__halves;

static gm_status split(gm__learn *l, gm__arena *arena, gm__halves *h)
{
    const gm_direct_rows *rows = l->train;
    int64_t n = rows->count, d = rows->width, kept = n / 10;
    h->x = gm__arena_array(arena, n * d, sizeof(double));
    h->weight = gm__arena_array(arena, n, sizeof(double));
    if (!h->x || !h->weight)
        return gm__no_memory(l->ctx);
    for (int64_t i = 0; i < n; i++) {
        int64_t from = gm__permute(l->plan->seed, GM__FOR_SPLIT, 0, i, n);
        memcpy(h->x + i * d, rows->x + from * d, (size_t)d * sizeof *h->x);
        h->weight[i] = weight_of(rows, from);
    }
    h->train = h->valid = *rows;
    h->valid.x = h->x;
    h->valid.count = kept;
    h->valid.weight = rows->weight ? h->weight : NULL;
    h->train.x = h->x + kept * d;
    h->train.count = n - kept;
    h->train.weight = rows->weight ? h->weight + kept : NULL;
    return GM_OK;
}

static gm_status search_halves(gm__learn *l)
{
    gm__arena arena = {.allocator = l->ctx->allocator};
    gm__halves h;
    const gm_direct_rows *train = l->train;
    gm_status code = split(l, &arena, &h);
    if (!code) {
        l->train = &h.train;
        l->valid = &h.valid;
        code = search(l);
        l->train = train;
        l->valid = NULL;
    }
    gm__arena_clear(&arena);
    return code;
}

/* A rough search, then the one that was chosen to the end. */
static gm_status choose(gm__learn *l)
{
    gm__mixture_plan rough = *l->plan, fine = *l->plan;
    const gm__mixture_plan *given = l->plan;
    gm__mixture *m;
    int halves = rough.by_valid && !l->valid && l->train->count >= 20;
    rough.by_valid = rough.by_valid && (l->valid || halves);
    fine.by_valid = 0; /* the choice is made */
    rough.tolerance = rough.tolerance > ROUGH ? rough.tolerance : ROUGH;
    rough.iterations = rough.iterations < 100 ? rough.iterations : 100;
    l->plan = &rough;
    gm_status code = halves ? search_halves(l) : search(l);
    l->plan = &fine;
    if (!code)
        code = fit_one(l, l->best->components, l->best, &m, &l->score);
    l->plan = given;
    if (code)
        return code;
    gm__mixture_free(l->best);
    l->best = m;
    return GM_OK;
}

static gm_status learn(gm__learn *l, const gm__mixture *start)
{
    double *frequency = l->frequency;
    for (int64_t j = 0; j < l->shape->reals; j++)
        measure_variance(l, j);
    for (int64_t j = 0; j < l->shape->tables; frequency += l->shape->categories[j], j++)
        measure_frequency(l, j, frequency);
    if (start)
        return fit_one(l, start->components, start, &l->best, &l->score);
    if (l->plan->components > l->train->count)
        return gm__fail(l->ctx, GM_E_DATA,
                        "mixture: %lld components of %lld rows: fewer are needed",
                        (long long)l->plan->components, (long long)l->train->count);
    if (l->plan->components)
        return fit_one(l, l->plan->components, NULL, &l->best, &l->score);
    return choose(l);
}

gm_status gm__mixture_learn(gm_context *ctx, const gm__mixture_plan *plan,
                            const gm__mixture_shape *shape, const gm_direct_rows *train,
                            const gm_direct_rows *valid, const gm__mixture *start, gm__mixture **m)
{
    gm__arena arena = {.allocator = ctx->allocator};
    gm__learn l = {.ctx = ctx, .plan = plan, .shape = shape, .train = train, .valid = valid};
    l.variance = gm__arena_array(&arena, shape->reals + 1, sizeof(double));
    l.frequency = gm__arena_array(&arena, shape->total + 1, sizeof(double));
    gm_status code = l.variance && l.frequency ? learn(&l, start) : gm__no_memory(ctx);
    gm__arena_clear(&arena);
    if (code) {
        gm__mixture_free(l.best);
        return code;
    }
    if (l.at_floor)
        gm__log(ctx, 1,
                "mixture: the covariance of %lld of %lld components was lifted to the floor: "
                "columns that repeat a value, or follow from others, have no density there",
                (long long)l.at_floor, (long long)l.best->components);
    *m = l.best;
    return GM_OK;
}
