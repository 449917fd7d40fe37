/* Mean and deviation of a column, and the weights of its rows. */
#include "data/table.h"
#include "data/transform_parts.h"

#include <math.h>
#include <string.h>

/* Neumaier 1974: a sum with its rounding errors kept aside. */
typedef struct exact_sum {
    double sum, rest;
} exact_sum;

static void add(exact_sum *s, double x)
{
    double sum = s->sum + x;
    s->rest += fabs(s->sum) >= fabs(x) ? (s->sum - sum) + x : (x - sum) + s->sum;
    s->sum = sum;
}

/* The power of two that brings |x| <= most to 1 at most, from the exponent's bits: exact, whatever
 * the unit. */
static double power_below(double most)
{
    uint64_t bits, exponent;
    double scale;
    memcpy(&bits, &most, sizeof bits);
    exponent = bits >> 52 & 2047;
    exponent = exponent > 2044 ? 1 : exponent < 1 ? 2045 : 2045 - exponent;
    exponent <<= 52;
    memcpy(&scale, &exponent, sizeof scale);
    return scale;
}

/* Two passes in the order of the rows, at a scale of a power of two: no overflow, and a column in
 * other units (by a power of two) gives the same bits. Weights of 1 change no bit. */
void gm__mean_and_deviation(const double *x, const double *weights, int64_t n, double *mean,
                            double *deviation)
{
    double most = 0, squares = 0;
    exact_sum sum = {0, 0}, rest = {0, 0};
    for (int64_t i = 0; i < n; i++)
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    double scale = power_below(most);
    for (int64_t i = 0; i < n; i++)
        add(&sum, x[i] * scale * (weights ? weights[i] : 1));
    double middle = (sum.sum + sum.rest) / (double)n;
    for (int64_t i = 0; i < n; i++) {
        double away = x[i] * scale - middle, weight = weights ? weights[i] : 1;
        add(&rest, away * weight);
        squares += away * away * weight;
    }
    double shift = (rest.sum + rest.rest) / (double)n,
           variance = squares / (double)n - shift * shift;
    *mean = (middle + shift) / scale;
    *deviation = sqrt(variance > 0 ? variance : 0) / scale;
}

/* ---- Weights of rows ------------------------------------------------------------------------- */

/* The number that a cell stands for: of 0 and 1 read as two categories, those. */
static int weight_of(const gm__column *c, double cell, double *weight)
{
    *weight = cell;
    if (c->categories && cell == cell) {
        const char *name = c->category[(int64_t)cell];
        if (gm__read_real(name, (int64_t)strlen(name), weight) != (int64_t)strlen(name))
            return 0;
    }
    return *weight >= 0 && *weight - *weight == 0;
}

static gm_status read_weights(gm_context *ctx, const gm_dataset *data, int64_t column, double *w)
{
    const gm__column *c = &data->schema->columns[column];
    exact_sum sum = {0, 0};
    double most = 0, least = INFINITY;
    gm__label label;
    gm__column_label(&label, data->schema, column);
    gm__dataset_gather(data, &column, 1, NULL, 0, data->rows, w, 1);
    for (int64_t i = 0; i < data->rows; i++) {
        if (!weight_of(c, w[i], &w[i]))
            return gm__fail(ctx, GM_E_DATA,
                            "row %lld: %s is the row's weight, a number from 0 on was expected",
                            (long long)i + 1, label.text);
        most = w[i] > most ? w[i] : most;
        least = w[i] < least ? w[i] : least;
    }
    if (!(most > 0))
        return gm__fail(ctx, GM_E_DATA, "%s: the weights of all rows are 0", label.text);
    double scale = power_below(most);
    for (int64_t i = 0; i < data->rows; i++)
        add(&sum, w[i] * scale);
    double mean = (sum.sum + sum.rest) / (double)data->rows;
    for (int64_t i = 0; i < data->rows; i++)
        w[i] = least == most ? 1 : w[i] * scale / mean;
    return GM_OK;
}

gm_status gm__row_weights(gm_context *ctx, const gm_dataset *data, double **weights)
{
    int64_t column = -1;
    gm__label label;
    *weights = NULL;
    for (int64_t i = 0; i < data->schema->count; i++) {
        if (data->schema->columns[i].role != GM_ROLE_WEIGHT)
            continue;
        if (column >= 0)
            return gm__fail(ctx, GM_E_DATA, "%s is a second column of weights; a row has one",
                            gm__column_label(&label, data->schema, i));
        column = i;
    }
    if (column < 0)
        return GM_OK;
    double *w = gm__alloc_array(&ctx->allocator, data->rows, sizeof *w);
    if (!w)
        return gm__no_memory(ctx);
    gm_status code = read_weights(ctx, data, column, w);
    if (code)
        gm__free(&ctx->allocator, w, (size_t)data->rows * sizeof *w);
    else
        *weights = w;
    return code;
}
