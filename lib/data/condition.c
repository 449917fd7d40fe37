/* Conditions: columns that are given beside the rows, as the numbers that a network reads. Reals,
 * whole numbers and ordered categories are standardised, circular columns become sine and cosine,
 * two categories 0 and 1, more of them one-hot. */
#include "data/transform_parts.h"
#include "data/table.h"
#include "base/size.h"

#include <math.h>

#define FAR 1e6 /* deviations; what lies beyond is read as lying there: no network overflows */

static int is_index(const gm__condition *c)
{
    return c->type == GM_COLUMN_BINARY || c->type == GM_COLUMN_CATEGORY;
}

static int64_t width_of(const gm__column *c)
{
    if (c->type == GM_COLUMN_CIRCULAR)
        return 2;
    return c->type == GM_COLUMN_CATEGORY && c->categories > 2 ? c->categories : 1;
}

gm_status gm__conditions_begin(gm_context *ctx, gm__transform *t, const gm__schema *schema)
{
    int64_t count = 0, k = 0;
    for (int64_t i = 0; i < schema->count; i++)
        count += schema->columns[i].role == GM_ROLE_CONDITION;
    if (!count)
        return GM_OK;
    t->given = gm__alloc_array(&t->allocator, count, sizeof *t->given);
    if (!t->given)
        return gm__no_memory(ctx);
    t->conditions = count;
    for (int64_t i = 0; i < schema->count; i++) {
        const gm__column *c = &schema->columns[i];
        if (c->role != GM_ROLE_CONDITION)
            continue;
        t->given[k] = (gm__condition){.type = c->type,
                                      .categories = c->categories,
                                      .period = c->type == GM_COLUMN_CIRCULAR ? c->period : 0,
                                      .at = t->given_width,
                                      .width = width_of(c),
                                      .mean = 0,
                                      .deviation = 1};
        t->given_width += t->given[k++].width;
    }
    return GM_OK;
}

/* ---- Learning -------------------------------------------------------------------------------- */

static gm_status fit_one(gm_context *ctx, const gm_dataset *data, int64_t column,
                         const double *weights, gm__condition *c, double *x)
{
    double low = INFINITY, high = -INFINITY;
    gm__label label;
    gm__dataset_gather(data, &column, 1, NULL, 0, data->rows, x, 1);
    for (int64_t i = 0; i < data->rows; i++) {
        if (x[i] - x[i] != 0)
            return gm__fail(ctx, GM_E_DATA, "row %lld: %s is %s; a condition must be known",
                            (long long)i + 1, gm__column_label(&label, data->schema, column),
                            x[i] != x[i] ? "missing" : "infinite");
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    if (is_index(c) || c->type == GM_COLUMN_CIRCULAR)
        return GM_OK;
    gm__mean_and_deviation(x, weights, data->rows, &c->mean, &c->deviation);
    if (low == high) {
        c->mean = low;
        c->deviation = 1;
    }
    c->deviation = c->deviation > 0 ? c->deviation : 1;
    return GM_OK;
}

gm_status gm__conditions_fit(gm_context *ctx, gm__transform *t, const gm_dataset *data,
                             const double *weights, double *x)
{
    int64_t k = 0;
    GM_TRY(gm__conditions_begin(ctx, t, data->schema));
    for (int64_t i = 0; i < data->schema->count; i++)
        if (data->schema->columns[i].role == GM_ROLE_CONDITION)
            GM_TRY(fit_one(ctx, data, i, weights, &t->given[k++], x));
    return GM_OK;
}

/* ---- As JSON --------------------------------------------------------------------------------- */

void gm__conditions_write(const gm__transform *t, gm__buffer *json)
{
    for (int64_t k = 0; k < t->conditions; k++) {
        gm__buffer_text(json, k ? ",{\"mean\":" : ",\"conditions\":[{\"mean\":");
        gm__json_write_real(json, t->given[k].mean);
        gm__buffer_text(json, ",\"deviation\":");
        gm__json_write_real(json, t->given[k].deviation);
        gm__buffer_text(json, k + 1 < t->conditions ? "}" : "}]");
    }
}

/* Features first, then conditions, and nothing else. */
static gm_status check_roles(gm_context *ctx, const gm__transform *t, const gm__schema *schema)
{
    for (int64_t i = 0; i < schema->count; i++)
        if (schema->columns[i].role != (i < t->d ? GM_ROLE_FEATURE : GM_ROLE_CONDITION))
            return gm__fail(ctx, GM_E_FORMAT,
                            "column %lld of the schema: a model has features, then conditions",
                            (long long)i + 1);
    return GM_OK;
}

static gm_status parse_one(gm_context *ctx, const gm__json *json, gm__condition *c)
{
    GM_TRY(gm__json_real(ctx, json, "mean", &c->mean));
    GM_TRY(gm__json_real(ctx, json, "deviation", &c->deviation));
    double step = 1 / c->deviation;
    int plain = is_index(c) || c->type == GM_COLUMN_CIRCULAR;
    if (c->mean - c->mean != 0 || !(c->deviation > 0) || c->deviation - c->deviation != 0 ||
        step - step != 0 || (plain && (c->mean != 0 || c->deviation != 1)))
        return gm__fail(ctx, GM_E_FORMAT, "its mean and deviation make no increasing map");
    return GM_OK;
}

gm_status gm__conditions_parse(gm_context *ctx, gm__transform *t, const gm__json *json,
                               const gm__schema *schema)
{
    const gm__json *list = gm__json_get(json, "conditions"), *one;
    int64_t k = 0;
    GM_TRY(check_roles(ctx, t, schema));
    GM_TRY(gm__conditions_begin(ctx, t, schema));
    if (!list && !t->conditions)
        return GM_OK;
    GM_TRY(gm__json_list(ctx, json, "conditions", GM__JSON_ARRAY, &list));
    if (list->count != t->conditions)
        return gm__fail(ctx, GM_E_FORMAT, "%lld conditions, the schema has %lld",
                        (long long)list->count, (long long)t->conditions);
    for (one = list->first; one; one = one->next, k++)
        if (parse_one(ctx, one, &t->given[k]))
            return gm__prefix(ctx, "condition %lld: ", (long long)k + 1);
    return GM_OK;
}

/* ---- Applying -------------------------------------------------------------------------------- */

static void turn(const gm__transform *t, const gm__condition *c, double x, double *out)
{
    const double two_pi = 6.28318530717958647693;
    double angle = (x - c->period * floor(x / c->period)) / c->period * two_pi;
    t->kernels->maps->map1[GM__F64][GM__SIN](out, &angle, 1);
    t->kernels->maps->map1[GM__F64][GM__COS](out + 1, &angle, 1);
}

static void spell(const gm__condition *c, double x, double *out)
{
    for (int64_t k = 0; k < c->width; k++)
        out[k] = c->width == 1 ? x : (double)k == x;
}

static int one_cell(const gm__transform *t, const gm__condition *c, double x, double *out)
{
    if (x - x != 0)
        return 0;
    if (c->categories && !(x >= 0 && x < (double)c->categories && x == floor(x)))
        return 0;
    if (c->type == GM_COLUMN_CIRCULAR) {
        turn(t, c, x, out);
    } else if (is_index(c)) {
        spell(c, x, out);
    } else {
        double y = (x - c->mean) / c->deviation;
        *out = y > FAR ? FAR : y < -FAR ? -FAR : y;
    }
    return 1;
}

int64_t gm__transform_condition(const gm__transform *t, const double *cells, int64_t n, double *out)
{
    int64_t c = t->conditions;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < c; k++)
            if (!one_cell(t, &t->given[k], cells[i * c + k],
                          out + i * t->given_width + t->given[k].at))
                return i * c + k;
    return -1;
}

int64_t gm__transform_conditions(const gm__transform *t)
{
    return t->conditions;
}

int64_t gm__transform_given(const gm__transform *t)
{
    return t->given_width;
}
