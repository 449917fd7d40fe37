/* Probabilities of ranges by progressive sampling (Yang et al. 2020, section 5.1): column by column
 * a row's probability is multiplied by that of the column's range given what was drawn before, and
 * the column drawn within it. The mean over draws has the right expectation. */
#include "genmod/conditional.h"
#include "model/gaps.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

typedef struct gm__range {
    gm__laws *laws;
    int64_t draws;
    uint64_t seed;
    gm__rows lower, upper;
    gm__given given;
    gm__gaps g;                             /* the draws of one row */
    double *low, *high;                     /* (d) of the row */
    double *weight, *one, *below2, *above2; /* (draws) */
    unsigned char *asked;                   /* (d) columns to visit */
} gm__range;

/* ---- One column ------------------------------------------------------------------------------ */

/* The value just before v, where values count. */
static double before(const gm__laws *l, int64_t column, double v)
{
    const gm__column_way *w = &l->ways[column];
    if (w->kind == GM__COLUMN_MEASURES || v - v != 0)
        return v;
    double k = w->bins ? floor(v / w->unit + 0.5) : ceil(v);
    if (!w->bins || !(v > gm__transform_whole(l->s->transform, column, k) + 1e-9 * w->unit))
        k--;
    return w->kind == GM__COLUMN_INDEX ? k : gm__transform_whole(l->s->transform, column, k);
}

/* Into g->below and g->above what lies before the range and behind it, into g->value its mass. */
static gm_status measure(gm_context *ctx, gm__range *r, int64_t n, int64_t j)
{
    gm__gaps *g = &r->g;
    double low = before(r->laws, j, r->low[j]), high = r->high[j];
    for (int64_t i = 0; i < n; i++)
        r->one[i] = low;
    GM_TRY(gm__laws_at(ctx, r->laws, 0, n, r->one, NULL, g->below, g->above));
    for (int64_t i = 0; i < n; i++)
        r->one[i] = high;
    GM_TRY(gm__laws_at(ctx, r->laws, 0, n, r->one, NULL, r->below2, r->above2));
    for (int64_t i = 0; i < n; i++) {
        double mass =
            r->below2[i] < g->above[i] ? r->below2[i] - g->below[i] : g->above[i] - r->above2[i];
        if (r->low[j] == -INFINITY && high == INFINITY)
            mass = 1;
        g->value[i] = mass > 0 ? mass : 0;
        g->above[i] = r->above2[i];
    }
    return GM_OK;
}

/* Draws the column within its range. */
static gm_status draw(gm_context *ctx, gm__range *r, int64_t n, int64_t j, int64_t row)
{
    gm__gaps *g = &r->g;
    for (int64_t i = 0; i < n; i++) {
        double u = gm__gaps_uniform(ctx, g, row, i, j), mass = g->value[i];
        g->below[i] = mass > 0 ? g->below[i] + u * mass : 0.5;
        g->above[i] = mass > 0 ? g->above[i] + (1 - u) * mass : 0.5;
    }
    GM_TRY(gm__laws_quantile(ctx, r->laws, 0, n, g->below, g->above, g->value));
    for (int64_t i = 0; i < n; i++) {
        g->x[i * g->d + j] = g->value[i];
        g->known[i * g->d + j] = 1;
    }
    return GM_OK;
}

/* ---- One row --------------------------------------------------------------------------------- */

/* Which columns are visited; returns how many. */
static int64_t choose_columns(gm__range *r)
{
    const gm__laws *l = r->laws;
    int64_t count = 0, last = -1;
    for (int64_t k = 0; k < l->d; k++) {
        int64_t j = l->order[k];
        r->asked[j] = r->low[j] > -INFINITY || r->high[j] < INFINITY;
        last = r->asked[j] ? k : last;
    }
    for (int64_t k = 0; k < l->d; k++) {
        int64_t j = l->order[k];
        r->asked[j] |= l->free_order == 0 && k <= last;
        count += r->asked[j];
    }
    return count;
}

static gm_status one_row(gm_context *ctx, gm__range *r, int64_t row, const double *cond, double *p,
                         double *error)
{
    gm__gaps *g = &r->g;
    int64_t visits = choose_columns(r), asked = 0, n = visits > 1 ? r->draws : 1,
            given = r->laws->s->given;
    memset(g->known, 0, (size_t)(n * g->d));
    for (int64_t i = 0; i < n * g->d; i++)
        g->x[i] = NAN;
    for (int64_t i = 0; i < n; i++) {
        g->index[i] = i;
        r->weight[i] = 1;
        if (cond)
            memcpy((double *)(uintptr_t)g->cond + i * given, cond, (size_t)given * sizeof *cond);
    }
    for (int64_t k = 0; k < g->d; k++) {
        int64_t j = r->laws->order[k];
        if (!r->asked[j])
            continue;
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY((asked++ ? gm__gaps_next : gm__gaps_ask)(ctx, g, n, j));
        GM_TRY(measure(ctx, r, n, j));
        for (int64_t i = 0; i < n; i++)
            r->weight[i] *= g->value[i];
        if (--visits > 0)
            GM_TRY(draw(ctx, r, n, j, row));
    }
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += r->weight[i];
    *p = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (r->weight[i] - *p) * (r->weight[i] - *p);
    if (error)
        *error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : r->draws > 1 ? 0 : NAN;
    return GM_OK;
}

static gm_status check_range(gm_context *ctx, const gm__range *r, int64_t row)
{
    gm__label label;
    for (int64_t j = 0; j < r->laws->d; j++)
        if (!(r->low[j] <= r->high[j]))
            return gm__fail(ctx, GM_E_RANGE,
                            "range_prob: row %lld, %s: the range runs from %g to %g; infinite ends "
                            "are none",
                            (long long)row + 1, gm__column_label(&label, r->laws->s->rows, j),
                            r->low[j], r->high[j]);
    return GM_OK;
}

static gm_status all_rows(gm_context *ctx, gm__range *r, double *p, double *error)
{
    for (int64_t i = 0; i < r->lower.count; i++) {
        const void *cond;
        gm__rows_read_any(&r->lower, i, 1, r->low);
        gm__rows_read_any(&r->upper, i, 1, r->high);
        GM_TRY(check_range(ctx, r, i));
        GM_TRY(gm__given_load(ctx, &r->given, GM__F64, i, 1, &cond));
        GM_TRY(one_row(ctx, r, i, cond, p + i, error ? error + i : NULL));
    }
    return GM_OK;
}

/* ---- The call -------------------------------------------------------------------------------- */

static gm_status with_room(gm_context *ctx, gm__range *r, double *p, double *error)
{
    int64_t n = r->draws, d = r->laws->d, given = r->laws->s->given, cells, rows = r->lower.count;
    if (gm__mul64(n, d + d / 8 + 5 + given, &cells) || gm__add64(cells, 3 * d, &cells) ||
        cells > PTRDIFF_MAX / 8)
        return gm__fail(ctx, GM_E_RANGE, "range_prob: %lld draws are too many", (long long)n);
    double *block, *answers;
    GM_TRY(gm__alloc_large(ctx, (size_t)cells * sizeof *block, &block));
    gm__gaps *g = &r->g;
    gm_status code = gm__gaps_create(ctx, r->laws, n, g);
    if (!code)
        code = gm__answer_cells(ctx, "range_prob", rows, 2, &answers);
    if (!code) {
        g->seed = r->seed;
        g->x = block;
        r->weight = block + n * d;
        r->one = r->weight + n;
        r->below2 = r->one + n;
        r->above2 = r->below2 + n;
        g->cond = given ? r->above2 + n : NULL;
        r->low = r->above2 + n + n * given;
        r->high = r->low + d;
        r->asked = (unsigned char *)(r->high + d);
        g->known = (unsigned char *)(r->high + 2 * d);
        code = all_rows(ctx, r, answers, answers + rows);
        for (int64_t i = 0; i < rows && !code; i++) {
            p[i] = answers[i];
            if (error)
                error[i] = answers[rows + i];
        }
        gm__free(&ctx->allocator, answers, 2 * (size_t)rows * sizeof *answers);
    }
    gm__gaps_free(ctx, g);
    gm__free(&ctx->allocator, block, (size_t)cells * sizeof *block);
    return code;
}

static gm_status begin(gm_context *ctx, const gm_model *model, const gm_options *opts, gm__range *r)
{
    gm__values *values;
    GM_TRY(gm__call_values(ctx, model, "range_prob", opts, &values));
    r->draws = gm__value_int(values, "draws");
    gm_status code = gm__call_seed(ctx, values, "range_prob", &r->seed);
    if (!code)
        code = gm__laws_create(ctx, model, gm__call_real(model, values), 0, &r->laws);
    gm__values_free(values);
    return code;
}

static gm_status range_prob(gm_context *ctx, const gm_model *model, const gm_array *lower,
                            const gm_array *upper, const gm_array *cond, const gm_options *opts,
                            double *p, double *error)
{
    gm__range r = {0};
    if (!model || !p)
        return gm__fail(ctx, GM_E_ARG, "range_prob: model or p is NULL");
    const gm__structure *s = model->structure;
    gm_status code = begin(ctx, model, opts, &r);
    if (!code)
        code = gm__rows_of_array(ctx, "range_prob", lower, s->rows, s->columns, &r.lower);
    if (!code)
        code = gm__rows_of_array(ctx, "range_prob", upper, s->rows, s->columns, &r.upper);
    if (!code && r.lower.count != r.upper.count)
        code = gm__fail(ctx, GM_E_SHAPE, "range_prob: %lld lower ends and %lld upper ones",
                        (long long)r.lower.count, (long long)r.upper.count);
    if (!code)
        code = gm__given_open(ctx, "range_prob", model, cond, NULL, r.lower.count, &r.given);
    if (!code)
        code = with_room(ctx, &r, p, error);
    gm__given_close(&r.given);
    gm__laws_free(r.laws);
    return code;
}

gm_status gm_model_range_prob(gm_context *ctx, const gm_model *model, const gm_array *lower,
                              const gm_array *upper, const gm_array *cond, const gm_options *opts,
                              double *p, double *error)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, range_prob(ctx, model, lower, upper, cond, opts, p, error));
}
