/* gm_calibrate: whether a model's probabilities are those of rows that it has not seen.
 *
 * Columns: u = P(X <= x) given the columns before it in the model's order is uniform where the
 * model is right (Rosenblatt 1952); a value with mass gets a random place in it (Brockwell 2007).
 * Rows: the highest-density region of level q holds a share q of them (Hyndman 1996); its edge is a
 * quantile of log p over rows that the model draws. */
#include "eval/check.h"
#include "genmod/conditional.h"
#include "base/random.h"
#include "base/size.h"
#include "base/sort.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

const gm_option_row gm__check_options[] = {
    {"seed", GM_STAGE_CALL, GM_SEED, "", "", 1, "of everything that is drawn; required"},
    {"draws", GM_STAGE_CALL, GM_INT, "2000", "10..1000000", 1,
     "rows that the model draws (conditional models: one for each row)"},
    {0}};

/* ---- What both share ------------------------------------------------------------------------- */

gm_status gm__check_begin(gm_context *ctx, const char *call, const gm_options *opts, uint64_t *seed,
                          int64_t *draws)
{
    const gm_option_row *table = gm__check_options;
    gm__values *values;
    GM_TRY(gm__values_create(ctx, call, &table, 1, GM_STAGE_CALL, opts, &values));
    gm_status code = gm__call_seed(ctx, values, call, seed);
    *draws = gm__value_int(values, "draws");
    gm__values_free(values);
    return code;
}

gm_status gm__check_bag(gm_context *ctx, uint64_t seed, gm_options **bag)
{
    char text[24];
    gm__format(text, sizeof text, "%llu", (unsigned long long)seed);
    GM_TRY(gm_options_create(ctx, bag));
    gm_status code = gm_options_set_text(ctx, *bag, "seed", text);
    if (code) {
        gm_options_free(*bag);
        *bag = NULL;
    }
    return code;
}

double gm__check_uniform(uint64_t seed, int64_t row, int64_t column, int64_t which)
{
    uint64_t apart = seed ^ ((uint64_t)(column + 1) * 0x9e3779b97f4a7c15u);
    uint64_t bits = gm__random64(apart, GM__FOR_CHECK, (uint64_t)which, row);
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

void gm__check_mean(const double *x, int64_t n, double *mean, double *error)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : NAN;
}

/* ---- Columns --------------------------------------------------------------------------------- */

typedef struct gm__trial {
    gm_context *ctx;
    const gm_model *model;
    const gm_dataset *rows;
    uint64_t seed;
    int64_t n, d, c, draws;
    double *x;                    /* (n, d) */
    double *cond;                 /* (n, c) or NULL */
    double *value, *below, *logp; /* (n) */
    double *u;                    /* (n) */
    gm_array cells, given;
} gm__trial;

/* The greatest distance of the empirical distribution of u, sorted, from the uniform one. */
static double distance_of(const double *u, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        double over = (double)(i + 1) / (double)n - u[i], under = u[i] - (double)i / (double)n;
        most = over > most ? over : most;
        most = under > most ? under : most;
    }
    return most;
}

/* How often a distance this great or greater comes by chance: Kolmogorov's series with Stephens'
 * correction for n (1970). */
static double chance(gm_context *ctx, double distance, int64_t n)
{
    double root = sqrt((double)n), t = (root + 0.12 + 0.11 / root) * distance, sum = 0;
    if (t < 0.3)
        return 1;
    for (int k = 1; k <= 100; k++) {
        double term = gm__map_one(ctx, GM__EXP, -2.0 * k * k * t * t);
        sum += k % 2 ? term : -term;
    }
    return 2 * sum < 1 ? 2 * sum : 1;
}

static int has_mass(const gm__trial *t, int64_t j)
{
    gm_column c = {.struct_size = sizeof c};
    if (gm_model_column(t->ctx, t->model, j, &c))
        return 0;
    return gm__model_bins(t->model, j) > 0 ||
           (c.type != GM_COLUMN_REAL && c.type != GM_COLUMN_CIRCULAR);
}

static gm_status column_u(gm__trial *t, gm_conditional *laws, const unsigned char *known, int64_t j)
{
    for (int64_t i = 0; i < t->n; i++)
        t->value[i] = t->x[i * t->d + j];
    GM_TRY(gm_conditional_set(t->ctx, laws, &t->cells, t->cond ? &t->given : NULL, known, j));
    GM_TRY(gm_conditional_cdf(t->ctx, laws, 0, t->n, t->value, t->below, NULL));
    if (!has_mass(t, j))
        return GM_OK;
    GM_TRY(gm_conditional_log_prob(t->ctx, laws, 0, t->n, t->value, t->logp));
    for (int64_t i = 0; i < t->n; i++)
        t->below[i] -=
            gm__check_uniform(t->seed, i, j, 0) * gm__map_one(t->ctx, GM__EXP, t->logp[i]);
    return GM_OK;
}

static void note_column(gm__trial *t, gm_calibration *r, int64_t j, double *distance, double *pit)
{
    for (int64_t i = 0; i < t->n; i++) {
        double u = t->below[i];
        t->u[i] = u = u > 0 ? u < 1 ? u : 1 : 0;
        if (pit)
            pit[i * t->d + j] = u;
    }
    gm__sort_reals(t->u, t->n);
    double most = distance_of(t->u, t->n);
    if (distance)
        distance[j] = most;
    if (r->worst_column < 0 || most > r->worst_distance) {
        r->worst_column = j;
        r->worst_distance = most;
    }
    r->columns++;
}

static gm_status walk(gm__trial *t, gm_conditional *laws, gm_calibration *r, int64_t *order,
                      unsigned char *known, double *distance, double *pit)
{
    int others = gm_conditional_order(laws, order) < 0;
    memset(known, others, (size_t)t->d);
    for (int64_t k = 0; k < t->d; k++) {
        known[order[k]] = 0;
        GM_TRY(column_u(t, laws, known, order[k]));
        note_column(t, r, order[k], distance, pit);
        known[order[k]] = 1;
    }
    double p = chance(t->ctx, r->worst_distance, t->n) * (double)t->d; /* Bonferroni */
    r->worst_chance = p < 1 ? p : 1;
    return GM_OK;
}

static gm_status all_columns(gm__trial *t, gm_calibration *r, double *distance, double *pit)
{
    gm_conditional *laws;
    const gm_allocator *a = &t->ctx->allocator;
    gm_status code = gm_conditional_create(t->ctx, t->model, NULL, &laws);
    if (code == GM_E_UNSUPPORTED) {
        r->why_no_columns = 1;
        return GM_OK;
    }
    if (code)
        return code;
    int64_t *order = gm__alloc_array(a, t->d, sizeof *order);
    unsigned char *known = gm__alloc_array(a, t->d, 1);
    code = order && known ? walk(t, laws, r, order, known, distance, pit) : gm__no_memory(t->ctx);
    gm__free(a, known, known ? (size_t)t->d : 0);
    gm__free(a, order, order ? (size_t)t->d * sizeof *order : 0);
    gm_conditional_free(laws);
    return code;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static gm_status drawn_log_prob(gm__trial *t, const gm_options *bag, double *logp)
{
    double *x = gm__alloc_array(&t->ctx->allocator, t->draws * t->d, sizeof *x);
    gm_array rows;
    if (!x)
        return gm__no_memory(t->ctx);
    gm_array_init(&rows, GM_F64, x, t->draws, t->d);
    gm_status code =
        gm_model_sample(t->ctx, t->model, t->draws, t->cond ? &t->given : NULL, bag, &rows, logp);
    gm__free(&t->ctx->allocator, x, (size_t)(t->draws * t->d) * sizeof *x);
    return code;
}

/* How many rows lie in the region that holds a share q of those drawn, which are sorted. Rows that
 * stand at its edge, as many do where columns have mass, lie in it by chance: with the share of the
 * drawn ones there that fills it up. */
static int64_t count_inside(const gm__trial *t, const double *drawn, double q)
{
    double m = (double)t->draws, edge = drawn[(int64_t)((1 - q) * (m - 1) + 0.5)];
    double near = edge - edge == 0 ? 1e-6 * (1 + fabs(edge)) : 0, over = 0, at = 0;
    int64_t inside = 0;
    for (int64_t i = 0; i < t->draws; i++) {
        over += drawn[i] > edge + near;
        at += drawn[i] >= edge - near && drawn[i] <= edge + near;
    }
    for (int64_t i = 0; i < t->n; i++)
        inside += t->logp[i] > edge + near ||
                  (t->logp[i] >= edge - near &&
                   gm__check_uniform(t->seed, i, t->d, 1) * at < q * m - over);
    return inside;
}

static void coverage(gm__trial *t, const double *drawn, gm_calibration *r)
{
    static const double levels[GM_CALIBRATION_LEVELS] = {0.5, 0.8, 0.9, 0.95, 0.99};
    double n = (double)t->n, m = (double)t->draws;
    for (int k = 0; k < GM_CALIBRATION_LEVELS; k++) {
        double q = levels[k];
        double wide = 2.5758293035489004 * sqrt(q * (1 - q) * (1 / n + 1 / m));
        r->level[k] = q;
        r->coverage[k] = (double)count_inside(t, drawn, q) / n;
        r->low[k] = q - wide > 0 ? q - wide : 0;
        r->high[k] = q + wide < 1 ? q + wide : 1;
    }
}

static gm_status all_rows(gm__trial *t, gm_calibration *r)
{
    int32_t can = gm_model_capabilities(t->model);
    gm_options *bag;
    double *drawn, error;
    if (!(can & GM_CAN_LOG_PROB))
        return GM_OK;
    GM_TRY(gm__check_bag(t->ctx, t->seed, &bag));
    gm_status code = gm_model_log_prob(t->ctx, t->model, &t->cells, t->cond ? &t->given : NULL, bag,
                                       t->logp, NULL);
    drawn = code ? NULL : gm__alloc_array(&t->ctx->allocator, t->draws, sizeof *drawn);
    if (!code && !drawn)
        code = gm__no_memory(t->ctx);
    if (!code)
        gm__check_mean(t->logp, t->n, &r->mean_log_prob, &error);
    if (!code && (can & GM_CAN_SAMPLE)) {
        code = drawn_log_prob(t, bag, drawn);
        if (!code) {
            gm__check_mean(drawn, t->draws, &r->mean_drawn, &error);
            gm__sort_reals(drawn, t->draws);
            coverage(t, drawn, r);
            r->draws = t->draws;
        }
    }
    gm__free(&t->ctx->allocator, drawn, drawn ? (size_t)t->draws * sizeof *drawn : 0);
    gm_options_free(bag);
    return code;
}

/* ---- The call -------------------------------------------------------------------------------- */

static gm_status read_rows(gm__trial *t)
{
    gm__rows rows = {0};
    gm_status code = gm__rows_of_data(t->ctx, "calibrate", t->model, t->rows, &rows);
    if (!code)
        code = gm__rows_read(t->ctx, &rows, 0, t->n, t->x);
    gm__rows_clear(&rows);
    gm_array_init(&t->cells, GM_F64, t->x, t->n, t->d);
    gm_array_init(&t->given, GM_F64, t->cond, t->n, t->c);
    if (!code && t->cond)
        code = gm_model_conditions(t->ctx, t->model, t->rows, &t->given);
    return code;
}

static gm_status run(gm__trial *t, gm_calibration *r, double *distance, double *pit)
{
    int64_t cells, count;
    const gm_allocator *a = &t->ctx->allocator;
    if (gm__mul64(t->n, t->d + t->c + 4, &cells) || gm__mul64(cells, 8, &count))
        return gm__no_memory(t->ctx);
    double *block = gm__alloc_array(a, cells, sizeof *block);
    if (!block)
        return gm__no_memory(t->ctx);
    t->x = block;
    t->value = t->x + t->n * t->d;
    t->below = t->value + t->n;
    t->logp = t->below + t->n;
    t->u = t->logp + t->n;
    t->cond = t->c ? t->u + t->n : NULL;
    gm_status code = read_rows(t);
    if (!code)
        code = all_columns(t, r, distance, pit);
    if (!code)
        code = all_rows(t, r);
    gm__free(a, block, (size_t)cells * sizeof *block);
    return code;
}

gm_status gm_calibrate(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                       const gm_options *opts, gm_calibration *result, double *distance,
                       double *pit)
{
    gm__trial t = {.ctx = ctx, .model = model, .rows = rows};
    if (!ctx || !model || !rows || !result || result->struct_size < sizeof *result)
        return gm__fail(ctx, GM_E_ARG,
                        "calibrate: model, rows or result is NULL, or its struct_size is not "
                        "sizeof(gm_calibration)");
    GM_TRY(gm__check_begin(ctx, "calibrate", opts, &t.seed, &t.draws));
    t.n = gm_dataset_row_count(rows);
    t.d = gm_model_column_count(model);
    t.c = gm_model_condition_count(model);
    t.draws = t.c ? t.n : t.draws;
    gm_calibration r = {.struct_size = result->struct_size,
                        .rows = t.n,
                        .worst_column = -1,
                        .mean_log_prob = NAN,
                        .mean_drawn = NAN};
    GM_TRY(run(&t, &r, distance, pit));
    *result = r;
    return GM_OK;
}
