#include "data/transform_parts.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

/* ---- Sums of logarithms ---------------------------------------------------------------------- */

enum { CHUNK = 64 };

/* Adds up log(x) of what is pushed, in order, many at a time. */
typedef struct logs {
    gm__map1_fn *log;
    int64_t count;
    double sum;
    double waiting[CHUNK];
} logs;

static void flush(logs *l)
{
    l->log(l->waiting, l->waiting, l->count);
    for (int64_t i = 0; i < l->count; i++)
        l->sum += l->waiting[i];
    l->count = 0;
}

static void push(logs *l, double x)
{
    l->waiting[l->count++] = x;
    if (l->count == CHUNK)
        flush(l);
}

static double finish(logs *l)
{
    flush(l);
    double sum = l->sum;
    l->sum = 0;
    return sum;
}

/* A map over those of a row's real outputs that go by logit. */
static void map_logits(const gm__transform *t, gm__map1_fn *map, double *row)
{
    double values[CHUNK];
    int64_t places[CHUNK], n = 0;
    for (int64_t j = 0; t->logits && j < t->d; j++) {
        if (t->ways[j].by == GM__BY_LOGIT) {
            places[n] = t->ways[j].place;
            values[n] = row[places[n]];
            n++;
        }
        if (n == CHUNK || (n && j == t->d - 1)) {
            map(values, values, n);
            for (int64_t i = 0; i < n; i++)
                row[places[i]] = values[i];
            n = 0;
        }
    }
}

/* ---- Forward --------------------------------------------------------------------------------- */

/* A cell as its map takes it: wrapped, and 1 in *inside if the map is defined there. */
static double cell(const gm__way *w, double x, int *inside)
{
    *inside = x - x == 0;
    if (w->unit > 0)
        x = floor(x / w->unit + 0.5); /* the bin that it lies in */
    if (w->dequantised || w->by == GM__BY_INDEX)
        *inside = *inside && x == floor(x) && fabs(x) < 0x1p53;
    if (w->counted)
        *inside = *inside && x == floor(x) && x >= w->p[2] && x <= w->p[3];
    else if (w->categories)
        *inside = *inside && x >= 0 && x < (double)w->categories;
    if (w->period > 0 && *inside)
        x -= w->period * floor(x / w->period);
    return *inside ? x : 0;
}

/* What goes into a logit's logarithm, with the slope of the whole but for the scale. */
static int logit(const gm__way *w, double x, double *odds, double *slope)
{
    double below = x - w->p[2], above = w->p[3] - x;
    if (!(below > 0) || !(above > 0))
        return 0;
    *odds = below / above;
    *slope = (w->p[3] - w->p[2]) / below / above;
    return *odds - *odds == 0 && *odds > 0 && *slope - *slope == 0 && *slope > 0;
}

/* One real output, before a logit's logarithm; 0 where x has none. */
static int forward_cell(const gm__way *w, double x, double *y, logs *l)
{
    double slope = 1;
    if (w->by == GM__BY_LOGIT) {
        if (!logit(w, x, y, &slope))
            return 0;
    } else if (w->by == GM__BY_QUANTILE) {
        gm__curve c = gm__quantile_forward(w, x);
        *y = c.value;
        slope = c.slope;
    } else {
        *y = (x - w->p[0]) / w->p[1];
    }
    if (*y - *y != 0 || !(slope > 0))
        return 0;
    if (slope != 1)
        push(l, slope);
    return 1;
}

/* Columns from the last to the first: u of a dequantised column waits at or before the place of its
 * output. */
static int forward_row(const gm__transform *t, const double *x, int drawn, double *real,
                       int32_t *index, logs *l)
{
    int all = 1;
    for (int64_t j = t->d - 1; j >= 0; j--) {
        const gm__way *w = &t->ways[j];
        int inside;
        double v = cell(w, x[j], &inside);
        if (w->by == GM__BY_INDEX) {
            if (index)
                index[w->place] = (int32_t)v;
        } else if (real) {
            if (w->dequantised)
                v += drawn ? real[w->draw] : 0.5;
            if (!inside || !forward_cell(w, v, &real[w->place], l)) {
                inside = 0;
                real[w->place] = w->by == GM__BY_LOGIT;
            }
        }
        all &= inside;
    }
    return all;
}

static void finish_row(const gm__transform *t, double *real)
{
    map_logits(t, t->kernels->maps->map1[GM__F64][GM__LOG], real);
    for (int64_t j = 0; t->logits && j < t->d; j++) {
        const gm__way *w = &t->ways[j];
        if (w->by == GM__BY_LOGIT)
            real[w->place] = (real[w->place] - w->p[0]) / w->p[1];
    }
    if (t->whiten) {
        for (int64_t i = 0; i < t->r; i++)
            real[i] -= t->mean[i];
        gm__solve_lower(t->factor, t->r, real);
    }
}

void gm__transform_forward(const gm__transform *t, const double *x, int64_t n,
                           const gm__noise *noise, int64_t row0, const int64_t *row, double *real,
                           int32_t *index, double *log_det, unsigned char *support)
{
    logs l = {.log = t->kernels->maps->map1[GM__F64][GM__LOG]};
    int drawn = noise && noise->draw && t->draws > 0;
    for (int64_t i = 0; i < n; i++) {
        double *y = real ? real + i * t->r : NULL;
        if (drawn && y) {
            gm__draw d = {GM__F64, noise->seed, GM__FOR_DEQUANTISE, noise->step,
                          row ? row[i] : row0 + i};
            t->kernels->draws->uniform(&d, y, 1, t->draws);
        }
        int inside = forward_row(t, x + i * t->d, drawn, y, index ? index + i * t->c : NULL, &l);
        if (y)
            finish_row(t, y);
        double sum = finish(&l);
        if (log_det)
            log_det[i] = sum + t->constant;
        if (support)
            support[i] = (unsigned char)inside;
    }
}

int64_t gm__transform_outside(const gm__transform *t, const double *x)
{
    logs l = {.log = t->kernels->maps->map1[GM__F64][GM__LOG]};
    for (int64_t j = 0; j < t->d; j++) {
        const gm__way *w = &t->ways[j];
        int inside;
        double y, v = cell(w, x[j], &inside);
        if (!inside ||
            (w->by != GM__BY_INDEX && !forward_cell(w, w->dequantised ? v + 0.5 : v, &y, &l)))
            return j;
        l.count = 0;
    }
    return -1;
}

int gm__transform_value(const gm__transform *t, int64_t j, double v, double *y)
{
    logs l = {.log = t->kernels->maps->map1[GM__F64][GM__LOG]};
    const gm__way *w = &t->ways[j];
    double real;
    if (v - v != 0 || w->by == GM__BY_INDEX || !forward_cell(w, v, &real, &l))
        return 0;
    if (w->by == GM__BY_LOGIT) {
        l.log(&real, &real, 1);
        real = (real - w->p[0]) / w->p[1];
    }
    *y = real;
    return 1;
}

/* ---- Inverse --------------------------------------------------------------------------------- */

/* low + share of the range, never on an end. */
static double between(double low, double high, double share)
{
    double x = low + share * (high - low);
    x = x > low ? x : gm__neighbour(low, 1);
    return x < high ? x : gm__neighbour(high, 0);
}

/* The user's value of a real output; for a logit, y is the share already. */
static double inverse_cell(const gm__way *w, double y, logs *l)
{
    double odds, slope = 1, x;
    if (w->by == GM__BY_LOGIT) {
        x = between(w->p[2], w->p[3], y);
        logit(w, x, &odds, &slope);
    } else if (w->by == GM__BY_QUANTILE) {
        gm__curve c = gm__quantile_inverse(w, y);
        x = c.value;
        slope = c.slope;
    } else {
        x = w->p[0] + w->p[1] * y;
    }
    if (l && slope != 1)
        push(l, slope);
    return x;
}

/* The nearest value of a column that counts. */
static double to_level(const gm__way *w, double x)
{
    double low = w->p[2], high = w->p[3];
    x = floor(x + 0.5);
    return x >= low ? x <= high ? x : high : low;
}

static double to_whole(const gm__way *w, double x)
{
    if (w->counted)
        return to_level(w, x);
    double last = w->type == GM_COLUMN_ORDERED ? (double)w->categories - 1 : 0x1p53 - 1;
    double first = w->type == GM_COLUMN_ORDERED ? 0 : -last;
    x = floor(x);
    return x < first ? first : x > last ? last : x;
}

static double to_column(const gm__way *w, double x)
{
    if (w->counted || w->dequantised)
        return w->unit > 0 ? gm__way_shown(w, to_whole(w, x)) : to_whole(w, x);
    if (w->period > 0)
        return x - w->period * floor(x / w->period);
    return x;
}

/* Into y (r), which has room: out of the whitening, and logits to their shares. */
static void unwhiten(const gm__transform *t, const double *real, double *y)
{
    if (t->whiten) {
        gm__multiply_lower(t->factor, t->r, real, y);
        for (int64_t i = 0; i < t->r; i++)
            y[i] += t->mean[i];
    } else if (t->r) {
        memcpy(y, real, (size_t)t->r * sizeof *y);
    }
    for (int64_t j = 0; t->logits && j < t->d; j++) {
        const gm__way *w = &t->ways[j];
        if (w->by == GM__BY_LOGIT)
            y[w->place] = y[w->place] * w->p[1] + w->p[0];
    }
    map_logits(t, t->kernels->maps->map1[GM__F64][GM__SIGMOID], y);
}

void gm__transform_inverse(const gm__transform *t, const double *real, const int32_t *index,
                           int64_t n, double *x, double *log_det)
{
    logs l = {.log = t->kernels->maps->map1[GM__F64][GM__LOG]};
    for (int64_t i = 0; i < n; i++) {
        double *row =
            x + i * t->d; /* its first r places hold the outputs until their columns are filled */
        unwhiten(t, real + i * t->r, row);
        for (int64_t j = t->d - 1; j >= 0; j--) {
            const gm__way *w = &t->ways[j];
            row[j] = w->by == GM__BY_INDEX
                         ? (double)index[i * t->c + w->place]
                         : to_column(w, inverse_cell(w, row[w->place], log_det ? &l : NULL));
        }
        if (log_det)
            log_det[i] = -(finish(&l) + t->constant);
    }
}

/* ---- Gradient -------------------------------------------------------------------------------- */

/* dy/dx, and d log|dy/dx| / dx. 0 where the column has no gradient. */
static int cell_slope(const gm__way *w, double x, double *slope, double *bend)
{
    int inside;
    double v = cell(w, x, &inside), odds;
    if (!inside || w->by == GM__BY_INDEX || w->dequantised || w->counted)
        return 0;
    *bend = 0;
    if (w->by == GM__BY_QUANTILE) {
        gm__curve c = gm__quantile_forward(w, v);
        *slope = c.slope;
        *bend = c.bend;
        return 1;
    }
    *slope = 1 / w->p[1];
    if (w->by != GM__BY_LOGIT)
        return 1;
    if (!logit(w, v, &odds, slope))
        return 0;
    *slope /= w->p[1];
    *bend = 1 / (w->p[3] - v) - 1 / (v - w->p[2]);
    return 1;
}

void gm__transform_gradient(const gm__transform *t, const double *x, const double *dreal, int64_t n,
                            double *dx)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = dx + i * t->d;
        memcpy(row, dreal + i * t->r, (size_t)t->r * sizeof *row);
        if (t->whiten)
            gm__solve_lower_transposed(t->factor, t->r, row);
        for (int64_t j = t->d - 1; j >= 0; j--) {
            double slope, bend;
            const gm__way *w = &t->ways[j];
            row[j] =
                cell_slope(w, x[i * t->d + j], &slope, &bend) ? row[w->place] * slope + bend : 0;
        }
    }
}

/* ---- One column ------------------------------------------------------------------------------ */

void gm__transform_column(const gm__transform *t, int64_t j, gm__column_way *c)
{
    const gm__way *w = &t->ways[j];
    *c = (gm__column_way){.place = w->place,
                          .categories = w->categories,
                          .period = w->period,
                          .bins = w->unit > 0,
                          .unit = w->unit > 0 ? w->unit : 1};
    c->kind = w->by == GM__BY_INDEX ? GM__COLUMN_INDEX
              : w->counted          ? GM__COLUMN_COUNTS
              : w->dequantised      ? GM__COLUMN_CELLS
                                    : GM__COLUMN_MEASURES;
    c->ordered = w->type == GM_COLUMN_ORDERED;
    c->low = w->counted ? w->p[2] : 0;
    c->high = w->counted ? w->p[3] : (double)w->categories - 1;
}

static double one_log(const gm__transform *t, double x)
{
    double y;
    t->kernels->maps->map1[GM__F64][GM__LOG](&y, &x, 1);
    return y;
}

/* The map of a column at v, without wrapping and without a half for dequantised ones. */
static int map_point(const gm__transform *t, const gm__way *w, double v, double *y,
                     double *log_slope)
{
    logs l = {.log = t->kernels->maps->map1[GM__F64][GM__LOG]};
    if (!forward_cell(w, v, y, &l))
        return 0;
    if (w->by == GM__BY_LOGIT)
        *y = (one_log(t, *y) - w->p[0]) / w->p[1];
    if (log_slope)
        *log_slope = finish(&l) - (w->by == GM__BY_QUANTILE ? 0 : one_log(t, w->p[1]));
    return 1;
}

int gm__transform_point(const gm__transform *t, int64_t j, double v, double *y, double *log_slope)
{
    const gm__way *w = &t->ways[j];
    if (w->by == GM__BY_LOGIT && !(v > w->p[2] && v < w->p[3])) {
        *y = v <= w->p[2] ? -INFINITY : INFINITY;
        return 0;
    }
    if (map_point(t, w, v, y, log_slope))
        return 1;
    *y = v < 0 ? -INFINITY : INFINITY;
    return 0;
}

double gm__transform_whole(const gm__transform *t, int64_t j, double number)
{
    const gm__way *w = &t->ways[j];
    return w->unit > 0 ? gm__way_bin(w, number) : number;
}

int gm__transform_known(const gm__transform *t, int64_t j, double v, double *y)
{
    const gm__way *w = &t->ways[j];
    int inside;
    v = cell(w, v, &inside);
    *y = v;
    if (!inside || w->by == GM__BY_INDEX)
        return inside;
    return map_point(t, w, w->dequantised ? v + 0.5 : v, y, NULL);
}

double gm__transform_back(const gm__transform *t, int64_t j, double y)
{
    const gm__way *w = &t->ways[j];
    if (w->by == GM__BY_LOGIT) {
        y = y * w->p[1] + w->p[0];
        t->kernels->maps->map1[GM__F64][GM__SIGMOID](&y, &y, 1);
    }
    return inverse_cell(w, y, NULL);
}
