/* gm_self_check: a model's density, draws and codes against each other.
 *
 * The integral is an importance sample: points from a mixture of kernels around rows that the model
 * drew, Student's t of 4 degrees of freedom for what measures, geometric steps for whole numbers,
 * so that no tail of the model is lighter on points than it should be. */
#include "eval/check.h"
#include "base/size.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

enum { CENTRES = 256, MOST_COLUMNS = 64 };
enum { MEASURES, WHOLE, NAMED, TURNS };

/* How a column's kernel is made. */
typedef struct gm__kernel {
    int kind;
    double width; /* of the kernel, in units of the column; of bins in bins */
    double unit;  /* of bins: 1 elsewhere */
    double categories, period;
    double deviation; /* of rows drawn */
} gm__kernel;

typedef struct gm__probe {
    gm_context *ctx;
    const gm_model *model;
    const gm_array *cond;
    uint64_t seed;
    int64_t n, d, centres;
    gm__kernel *kernel;            /* (d) */
    double *drawn, *points;        /* (n, d) */
    double *drawn_logp, *logp;     /* (n) */
    double *weight, *factor, *one; /* (n): log p - log q; and work */
} gm__probe;

/* ---- Kernels --------------------------------------------------------------------------------- */

static void describe(gm__probe *p, int64_t j, double shrink)
{
    gm_column c = {.struct_size = sizeof c};
    gm__kernel *k = &p->kernel[j];
    double error;
    gm_model_column(p->ctx, p->model, j, &c);
    for (int64_t i = 0; i < p->n; i++)
        p->one[i] = p->drawn[i * p->d + j];
    double mean;
    gm__check_mean(p->one, p->n, &mean, &error);
    k->deviation = error * sqrt((double)p->n);
    double bins = gm__model_bins(p->model, j);
    k->unit = bins > 0 ? bins : 1;
    k->categories = (double)c.categories;
    k->period = c.period;
    k->kind = bins > 0 || c.type == GM_COLUMN_INTEGER ? WHOLE
              : c.type == GM_COLUMN_CIRCULAR          ? TURNS
              : c.type == GM_COLUMN_REAL              ? MEASURES
                                                      : NAMED;
    k->width = shrink * k->deviation / k->unit;
    if (k->kind == WHOLE)
        k->width = k->width > 0.7 ? k->width : 0.7;
    if (k->kind == TURNS)
        k->width = k->width * 4 < k->period ? k->width * 4 : k->period;
    if (!(k->width > 0))
        k->width = 1;
}

/* t of 4 degrees of freedom from two uniforms (Bailey 1994). */
static double student(gm_context *ctx, double u, double w)
{
    return sqrt(4 * (1 / sqrt(u) - 1)) * gm__map_one(ctx, GM__COS, 6.28318530717958647693 * w);
}

/* A step of two-sided geometric law (1 - a) / (1 + a) a^|k|. */
static double geometric(gm_context *ctx, double a, double u)
{
    double zero = (1 - a) / (1 + a), tail = (u < 0.5 ? u : 1 - u) * 2;
    if (fabs(u - 0.5) < zero / 2)
        return 0;
    /* P(|k| >= m) = 2 a^m / (1 + a) */
    double m = floor(gm__map_one(ctx, GM__LOG, tail * (1 + a) / 2) / gm__map_one(ctx, GM__LOG, a));
    return (u < 0.5 ? -1 : 1) * (m < 1 ? 1 : m);
}

static double jitter(gm__probe *p, const gm__kernel *k, double centre, int64_t row, int64_t j)
{
    double u = gm__check_uniform(p->seed, row, j, 1), w = gm__check_uniform(p->seed, row, j, 2);
    if (k->kind == MEASURES)
        return centre + k->width * student(p->ctx, u, w);
    if (k->kind == WHOLE)
        return (floor(centre / k->unit + 0.5) + geometric(p->ctx, k->width / (k->width + 1), u)) *
               k->unit;
    if (k->kind == NAMED)
        return w < 0.2 ? floor(u * k->categories) : centre;
    double v = w < 0.3 ? u * k->period : centre + (u - 0.5) * k->width;
    return v - k->period * floor(v / k->period);
}

static double power(double a, double n)
{
    double y = 1;
    for (uint64_t k = n < 1e6 ? (uint64_t)n : 1000000; k; k >>= 1, a *= a)
        if (k & 1)
            y *= a;
    return y;
}

/* The kernel's density (mass) at v around a centre; of what measures what goes into the power -5/2
 * is multiplied to *tail. */
static double kernel_at(const gm__kernel *k, double centre, double v, double *tail)
{
    if (k->kind == MEASURES) {
        double t = (v - centre) / k->width;
        *tail *= 1 + t * t / 4;
        return 0.375 / k->width;
    }
    if (k->kind == WHOLE) {
        double a = k->width / (k->width + 1), away = fabs(v - centre) / k->unit;
        return (1 - a) / (1 + a) * power(a, floor(away + 0.5));
    }
    if (k->kind == NAMED)
        return 0.2 / k->categories + (v == centre ? 0.8 : 0);
    double away = fabs(v - centre);
    away = away > k->period / 2 ? k->period - away : away;
    return 0.3 / k->period + (away <= k->width / 2 ? 0.7 / k->width : 0);
}

static double proposal(const gm__probe *p, const double *v)
{
    double sum = 0;
    for (int64_t c = 0; c < p->centres; c++) {
        double tail = 1, product = 1;
        for (int64_t j = 0; j < p->d; j++)
            product *= kernel_at(&p->kernel[j], p->drawn[c * p->d + j], v[j], &tail);
        sum += product / (tail * tail * sqrt(tail));
    }
    return sum / (double)p->centres;
}

/* ---- The integral ---------------------------------------------------------------------------- */

static gm_status place_points(gm__probe *p)
{
    double shrink = 1.2; /* centres as far apart as in d dimensions: Scott 1992 */
    if (p->centres > 1)
        shrink *=
            gm__map_one(p->ctx, GM__EXP,
                        -gm__map_one(p->ctx, GM__LOG, (double)p->centres) / (double)(p->d + 4));
    for (int64_t j = 0; j < p->d; j++)
        describe(p, j, shrink);
    for (int64_t i = 0; i < p->n; i++) {
        int64_t c = (int64_t)(gm__check_uniform(p->seed, i, p->d, 3) * (double)p->centres);
        for (int64_t j = 0; j < p->d; j++)
            p->points[i * p->d + j] = jitter(p, &p->kernel[j], p->drawn[c * p->d + j], i, j);
    }
    for (int64_t i = 0; i < p->n; i++) {
        if (i % 16 == 0)
            GM_TRY(gm__check_cancel(p->ctx));
        p->factor[i] = gm__map_one(p->ctx, GM__LOG, proposal(p, p->points + i * p->d));
    }
    return GM_OK;
}

/* Weights p / q, and what they say. */
static void weigh(gm__probe *p, gm_self_checked *r)
{
    double sum = 0, squares = 0, mean = 0, spread = 0;
    for (int64_t i = 0; i < p->n; i++) {
        double w =
            p->logp[i] == -INFINITY ? 0 : gm__map_one(p->ctx, GM__EXP, p->logp[i] - p->factor[i]);
        p->weight[i] = w;
        sum += w;
        squares += w * w;
        mean += w > 0 ? w * p->logp[i] : 0;
    }
    gm__check_mean(p->weight, p->n, &r->integral, &r->integral_error);
    r->effective = squares > 0 ? sum * sum / squares : 0;
    if (!(sum > 0))
        return;
    mean /= sum;
    for (int64_t i = 0; i < p->n; i++) {
        double away = p->weight[i] > 0 ? p->weight[i] * (p->logp[i] - mean) : 0;
        spread += away * away;
    }
    r->weighed = mean;
    r->weighed_error = sqrt(spread) / sum;
}

static gm_status integrate(gm__probe *p, const gm_options *bag, gm_self_checked *r)
{
    gm_array points;
    double error;
    gm__check_mean(p->drawn_logp, p->n, &r->drawn, &error);
    r->drawn_error = error;
    if (p->d > MOST_COLUMNS)
        return GM_OK;
    GM_TRY(place_points(p));
    gm_array_init(&points, GM_F64, p->points, p->n, p->d);
    GM_TRY(gm_model_log_prob(p->ctx, p->model, &points, p->cond, bag, p->logp, NULL));
    weigh(p, r);
    return GM_OK;
}

/* ---- Codes ----------------------------------------------------------------------------------- */

static gm_status come_back(gm__probe *p, gm_self_checked *r)
{
    gm_array from, to;
    double sum = 0, most = 0;
    gm_array_init(&from, GM_F64, p->drawn, p->n, p->d);
    gm_array_init(&to, GM_F64, p->points, p->n, p->d);
    GM_TRY(gm_model_reconstruct(p->ctx, p->model, &from, p->cond, NULL, &to));
    for (int64_t j = 0; j < p->d; j++)
        describe(p, j, 1);
    for (int64_t i = 0; i < p->n * p->d; i++) {
        const gm__kernel *k = &p->kernel[i % p->d];
        double away = fabs(p->points[i] - p->drawn[i]);
        if (k->kind == TURNS && away > k->period / 2)
            away = k->period - away;
        away = k->kind == NAMED ? away > 0 : k->deviation > 0 ? away / k->deviation : 0;
        sum += away;
        most = away > most ? away : most;
    }
    r->return_mean = sum / (double)(p->n * p->d);
    r->return_most = most;
    return GM_OK;
}

/* ---- The call -------------------------------------------------------------------------------- */

static gm_status ask(gm__probe *p, gm_self_checked *r)
{
    int32_t can = gm_model_capabilities(p->model);
    gm_options *bag;
    gm_array drawn;
    if (!(can & GM_CAN_SAMPLE))
        return gm__fail(p->ctx, GM_E_UNSUPPORTED, "self-check: the family %s draws no rows",
                        gm_model_family(p->model));
    GM_TRY(gm__check_bag(p->ctx, p->seed, &bag));
    gm_array_init(&drawn, GM_F64, p->drawn, p->n, p->d);
    int scored = (can & GM_CAN_LOG_PROB) != 0;
    gm_status code = gm_model_sample(p->ctx, p->model, p->n, p->cond, bag, &drawn,
                                     scored ? p->drawn_logp : NULL);
    if (!code && scored)
        code = integrate(p, bag, r);
    if (!code && (can & GM_CAN_RECONSTRUCT))
        code = come_back(p, r);
    gm_options_free(bag);
    return code;
}

static gm_status with_room(gm__probe *p, gm_self_checked *r)
{
    const gm_allocator *a = &p->ctx->allocator;
    int64_t cells;
    if (gm__mul64(p->n, 2 * p->d + 5, &cells))
        return gm__no_memory(p->ctx);
    p->kernel = gm__alloc_array(a, p->d, sizeof *p->kernel);
    double *block = gm__alloc_array(a, cells, sizeof *block);
    gm_status code = p->kernel && block ? GM_OK : gm__no_memory(p->ctx);
    if (!code) {
        p->drawn = block;
        p->points = block + p->n * p->d;
        p->drawn_logp = p->points + p->n * p->d;
        p->logp = p->drawn_logp + p->n;
        p->weight = p->logp + p->n;
        p->factor = p->weight + p->n;
        p->one = p->factor + p->n;
        code = ask(p, r);
    }
    gm__free(a, block, block ? (size_t)cells * sizeof *block : 0);
    gm__free(a, p->kernel, p->kernel ? (size_t)p->d * sizeof *p->kernel : 0);
    return code;
}

gm_status gm_self_check(gm_context *ctx, const gm_model *model, const gm_array *cond,
                        const gm_options *opts, gm_self_checked *result)
{
    gm__probe p = {.ctx = ctx, .model = model, .cond = cond};
    if (!ctx || !model || !result || result->struct_size < sizeof *result)
        return gm__fail(ctx, GM_E_ARG,
                        "self-check: model or result is NULL, or its struct_size is not "
                        "sizeof(gm_self_checked)");
    GM_TRY(gm__check_begin(ctx, "calibrate", opts, &p.seed, &p.n));
    p.d = gm_model_column_count(model);
    p.centres = p.n < CENTRES ? p.n : CENTRES;
    gm_self_checked r = {.struct_size = result->struct_size,
                         .kind = gm_model_log_prob_kind(model),
                         .draws = p.n,
                         .integral = NAN,
                         .integral_error = NAN,
                         .effective = NAN,
                         .drawn = NAN,
                         .drawn_error = NAN,
                         .weighed = NAN,
                         .weighed_error = NAN,
                         .return_mean = NAN,
                         .return_most = NAN};
    GM_TRY(with_room(&p, &r));
    *result = r;
    return GM_OK;
}
