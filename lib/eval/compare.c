/* gm_compare: the difference of two models' log densities, row by row. Both see the same rows, so
 * that what makes a row hard for both falls out, and the standard error is that of the difference.
 */
#include "eval/measure.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

const gm_option_row gm__compare_options[] = {
    {"seed", GM_STAGE_CALL, GM_SEED, "", "", 1, "of everything that is drawn"},
    {"draws", GM_STAGE_CALL, GM_INT, "16", "1..1000000", 1,
     "points of a bin, and draws of a bound or an estimate, that a row's log density is averaged "
     "over"},
    {"kind", GM_STAGE_CALL, GM_CHOICE, "bound", "bound|estimate", 1,
     "how models whose log_prob is a lower bound compete: by the bound, or by the estimate, which "
     "lies above it"},
    {0}};

static gm_status check_columns(gm_context *ctx, const gm_model *a, const gm_model *b)
{
    int64_t d = gm_model_column_count(a);
    if (d != gm_model_column_count(b))
        return gm__fail(ctx, GM_E_SHAPE,
                        "compare: one model has %lld columns, the other %lld; log densities of "
                        "different columns do not compare",
                        (long long)d, (long long)gm_model_column_count(b));
    for (int64_t j = 0; j < d; j++) {
        gm_column c = {.struct_size = sizeof c}, other = {.struct_size = sizeof other};
        int found = 0;
        GM_TRY(gm_model_column(ctx, a, j, &c));
        for (int64_t k = 0; k < d && !found; k++) {
            GM_TRY(gm_model_column(ctx, b, *c.name ? k : j, &other));
            found = strcmp(c.name, other.name) == 0;
        }
        int real = c.type == GM_COLUMN_REAL || c.type == GM_COLUMN_CIRCULAR,
            real_too = other.type == GM_COLUMN_REAL || other.type == GM_COLUMN_CIRCULAR;
        if (!found || real != real_too)
            return gm__fail(ctx, GM_E_SHAPE,
                            "compare: column '%.60s' of the one model %s the other's", c.name,
                            found ? "is measured, or counts, unlike" : "is none of");
    }
    return GM_OK;
}

static int64_t count_bins(const gm__measure *m)
{
    int64_t count = 0;
    for (int64_t j = 0; j < gm_model_column_count(m->models[0]); j++)
        count += gm__measure_width(m, m->models[0], j) > 0;
    return count;
}

/* Mean and its standard error; rows at minus infinity make the mean so, and are counted. */
static void mean_and_error(const double *x, int64_t n, double *mean, double *error, int64_t *lost)
{
    double sum = 0, squares = 0;
    *lost = 0;
    for (int64_t i = 0; i < n; i++) {
        *lost += x[i] == -INFINITY;
        sum += x[i];
    }
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : NAN;
}

/* The difference goes over that of b. */
static void tell(const double *a, double *b, int64_t n, gm_comparison *r)
{
    int64_t none, won = 0, ties = 0;
    mean_and_error(a, n, &r->mean_a, &r->error_a, &r->lost_a);
    mean_and_error(b, n, &r->mean_b, &r->error_b, &r->lost_b);
    for (int64_t i = 0; i < n; i++) {
        won += a[i] > b[i];
        ties += a[i] == b[i];
        b[i] = a[i] == b[i] ? 0 : a[i] - b[i];
    }
    mean_and_error(b, n, &r->difference, &r->error, &none);
    r->won = ((double)won + 0.5 * (double)ties) / (double)n;
    r->rows = n;
}

static gm_status compare(const gm__measure *m, gm_comparison *r, double *cells, double *logp_a,
                         double *logp_b)
{
    int64_t n = gm_dataset_row_count(m->rows);
    size_t size = (size_t)n * sizeof *cells;
    GM_TRY(gm__measure_rows(m, m->models[0], cells, &r->kind_a));
    GM_TRY(gm__measure_rows(m, m->models[1], cells + n, &r->kind_b));
    if (logp_a)
        memcpy(logp_a, cells, size);
    if (logp_b)
        memcpy(logp_b, cells + n, size);
    r->binned = count_bins(m);
    tell(cells, cells + n, n, r);
    return GM_OK;
}

static gm_status read_options(gm__measure *m, const gm_options *opts)
{
    const gm_option_row *table = gm__compare_options;
    gm__values *v;
    gm__entry entry;
    GM_TRY(gm__enter(m->ctx, &entry));
    gm_status code = gm__values_create(m->ctx, "compare", &table, 1, GM_STAGE_CALL, opts, &v);
    if (!code) {
        m->seeded = gm__value_given(v, "seed");
        m->seed = (uint64_t)gm__value_int(v, "seed");
        m->draws = gm__value_int(v, "draws");
        m->bound = gm__value_int(v, "kind") == 0;
        gm__values_free(v);
    }
    return gm__leave(m->ctx, &entry, code);
}

gm_status gm_compare(gm_context *ctx, const gm_model *a, const gm_model *b, const gm_dataset *rows,
                     const gm_options *opts, gm_comparison *result, double *logp_a, double *logp_b)
{
    gm__measure m = {.ctx = ctx, .rows = rows, .models = {a, b}};
    gm_comparison made = {.struct_size = sizeof made};
    int64_t count;
    if (!ctx)
        return GM_E_ARG;
    if (!a || !b || !rows || !result || result->struct_size < sizeof *result)
        return gm__fail(ctx, GM_E_ARG,
                        "compare: a model, the rows or the result is NULL, or its struct_size is "
                        "not set");
    GM_TRY(read_options(&m, opts));
    GM_TRY(check_columns(ctx, a, b));
    if (gm__mul64(gm_dataset_row_count(rows), 2, &count))
        return gm__no_memory(ctx);
    double *cells = gm__alloc_array(&ctx->allocator, count, sizeof *cells);
    if (!cells)
        return gm__no_memory(ctx);
    gm_status code = compare(&m, &made, cells, logp_a, logp_b);
    gm__free(&ctx->allocator, cells, (size_t)count * sizeof *cells);
    if (!code)
        *result = made;
    return code;
}
