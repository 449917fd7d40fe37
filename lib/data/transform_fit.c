#include "data/table.h"
#include "data/repeat.h"
#include "data/transform_parts.h"
#include "base/size.h"
#include "base/sort.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

const gm_option_row gm__transform_options[] = {
    {"transform", GM_STAGE_FIT, GM_CHOICE, "standard", "standard|quantile|logit|none", 1,
     "how real columns are mapped before the model sees them; logit is for bounded columns"},
    {"whiten", GM_STAGE_FIT, GM_BOOL, "false", "", 1,
     "remove the correlation between real columns before the model sees them"},
    {"repeated", GM_STAGE_FIT, GM_CHOICE, "real", "real|bins", 1,
     "real columns whose values repeat: as real numbers, or as bins as wide as their resolution "
     "(or as far apart as they are), whose probability is what log_prob then gives; values on no "
     "decimal grid are kept in the model"},
    {"binarize", GM_STAGE_FIT, GM_REAL, "0", "0..", 1,
     "columns from 0 to this (255: grey values) become bits, 1 with the probability value / "
     "binarize, drawn anew at each step; rows of 0 and 1 stand for themselves; 0 is off"},
    {0}};

#define WIDEN 0.01        /* of a logit's range, on each side */
#define MOST_LEVELS 65536 /* that the option `levels` takes */
#define RIDGE 1e-6        /* of each variance, so that the covariance is regular */
#define MAX_WHITE 16384   /* real columns that whitening takes: its matrix has their square */

typedef struct weighted {
    double value, weight;
} weighted;

typedef struct fit {
    gm_context *ctx;
    gm__transform *t;
    const gm_dataset *data, *all;
    int by, bins;
    const gm__counting *counting; /* NULL: nothing counts */
    int64_t *columns;             /* (d) numbers of the data's columns */
    double *x;                    /* (rows, of all) one column */
    double *weights;              /* (rows) of the mean 1; NULL: all 1 */
    weighted *cells, **order;     /* (rows) of a column, for quantiles of weighted rows */
    int64_t rows;
} fit;

/* ---- One column ------------------------------------------------------------------------------ */

static gm_status read_column(fit *f, int64_t j, double *low, double *high)
{
    const gm__way *w = &f->t->ways[j];
    gm__label label;
    gm__dataset_gather(f->data, &f->columns[j], 1, NULL, 0, f->rows, f->x, 1);
    for (int64_t i = 0; i < f->rows; i++) {
        double v = f->x[i];
        if (v - v != 0)
            return gm__fail(
                f->ctx, GM_E_DATA, "row %lld: %s is %s; rows to learn from must be complete",
                (long long)i + 1, gm__column_label(&label, f->data->schema, f->columns[j]),
                v != v ? "missing" : "infinite");
        if (w->period > 0)
            v = f->x[i] = v - w->period * floor(v / w->period);
        if (w->unit > 0)
            v = f->x[i] = floor(v / w->unit + 0.5);
        *low = i == 0 || v < *low ? v : *low;
        *high = i == 0 || v > *high ? v : *high;
    }
    return GM_OK;
}

/* Spreads whole numbers over [x, x + 1): by the golden ratio, for statistics that should see what
 * dequantising does. */
static void spread(const gm__way *w, double *x, int64_t n)
{
    for (int64_t i = 0; w->dequantised && i < n; i++) {
        double u = ((double)i + 0.5) * 0.6180339887498949;
        x[i] += u - floor(u);
    }
}

static void fit_standard(fit *f, const gm__way *w, double low, double high, double *p)
{
    double deviation;
    gm__mean_and_deviation(f->x, f->weights, f->rows, &p[0], &deviation);
    if (w->dequantised) { /* plus the mean and variance of u */
        p[0] += 0.5;
        deviation = sqrt(deviation * deviation + 1.0 / 12);
    }
    if (low == high && !w->dequantised) {
        p[0] = low;
        deviation = 0;
    }
    p[1] = deviation > 0 ? deviation : 1;
}

/* The logit's ends: outside the data even where the data's range has few floats. 0 where slopes
 * between them leave the range of numbers. */
static int logit_ends(double low, double high, double *ends)
{
    double range = high - low, first = low - WIDEN * range, last = high + WIDEN * range;
    ends[0] = first < low ? first : gm__neighbour(low, 0);
    ends[1] = last > high ? last : gm__neighbour(high, 1);
    double wide = ends[1] - ends[0], left = 1 / (low - ends[0]), right = 1 / (ends[1] - high);
    return wide - wide == 0 && left - left == 0 && right - right == 0;
}

static int fit_logit(fit *f, const gm__way *w, double low, double high, double *p)
{
    gm__map1_fn *log = f->t->kernels->maps->map1[GM__F64][GM__LOG];
    high += w->dequantised;
    if (!logit_ends(low, high, p + 2))
        return 0;
    spread(w, f->x, f->rows);
    for (int64_t i = 0; i < f->rows; i++)
        f->x[i] = (f->x[i] - p[2]) / (p[3] - f->x[i]);
    log(f->x, f->x, f->rows);
    gm__mean_and_deviation(f->x, f->weights, f->rows, &p[0], &p[1]);
    p[1] = p[1] > 0 ? p[1] : 1;
    return 1;
}

static int compare_cells(const void *a, const void *b)
{
    const weighted *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Rows that count unequally as as many that count alike: evenly spaced ranks of the weights. */
static void even_out(fit *f)
{
    int64_t at = 0;
    for (int64_t i = 0; i < f->rows; i++) {
        f->cells[i] = (weighted){f->x[i], f->weights[i]};
        f->order[i] = &f->cells[i];
    }
    gm__sort_pointers((void **)f->order, f->rows, compare_cells);
    double reached = f->order[0]->weight;
    for (int64_t i = 0; i < f->rows; i++) {
        while (reached < (double)i + 0.5 && at < f->rows - 1)
            reached += f->order[++at]->weight;
        f->x[i] = f->order[at]->value;
    }
}

static int fit_quantile(fit *f, gm__way *w, double *p)
{
    double mean, deviation, x[GM__MAX_KNOTS], z[GM__MAX_KNOTS], slope[GM__MAX_KNOTS];
    if (f->weights)
        even_out(f);
    gm__sort_reals(f->x, f->rows);
    spread(w, f->x, f->rows);
    gm__sort_reals(f->x, f->rows);
    gm__mean_and_deviation(f->x, NULL, f->rows, &mean, &deviation);
    w->knots = gm__quantile_knots(f->t->kernels, f->x, f->rows, deviation, x, z, slope);
    p[0] = 0;
    p[1] = 1;
    memcpy(p + 2, x, (size_t)w->knots * sizeof *p);
    memcpy(p + 2 + w->knots, z, (size_t)w->knots * sizeof *p);
    memcpy(p + 2 + 2 * w->knots, slope, (size_t)w->knots * sizeof *p);
    return w->knots > 0;
}

/* A value that the option `levels` has no place for; of numbers below 0 none has. */
static gm_status refuse_level(fit *f, int64_t j, int64_t i, double low, double high)
{
    int64_t levels = f->counting->levels;
    char more[96] = "";
    gm__label label;
    if (low >= 0 && high < MOST_LEVELS)
        gm__format(more, sizeof more, "levels to %lld at least, or to ", (long long)high + 1);
    return gm__fail(f->ctx, GM_E_DATA,
                    "row %lld: %s is %g, with the option levels=%lld it must be 0 to %lld; its "
                    "values run from %g to %g: set %s0",
                    (long long)i + 1, gm__column_label(&label, f->data->schema, f->columns[j]),
                    f->x[i], (long long)levels, (long long)levels - 1, low, high,
                    *more ? more : "levels to ");
}

/* A column that counts, from low to high. */
static gm_status fit_counted(fit *f, int64_t j, double low, double high, double *p)
{
    gm__way *w = &f->t->ways[j];
    const gm__column *c = &f->data->schema->columns[f->columns[j]];
    int64_t levels = f->counting->levels;
    p[0] = 0;
    p[1] = 1;
    p[2] = 0;
    p[3] = (double)(w->categories - 1);
    if (w->unit > 0) { /* values to come may lie anywhere near; nothing is lost by room */
        double range = high - low + 1;
        p[2] = low - range;
        p[3] = high + range;
    } else if (w->type == GM_COLUMN_INTEGER) {
        p[2] = levels ? 0 : c->low < low ? c->low : low;
        p[3] = levels ? (double)(levels - 1) : c->high > high ? c->high : high;
    }
    int alike = w->type == GM_COLUMN_INTEGER && levels > 1; /* on one scale: -1 to 1 */
    for (int64_t i = 0; i < f->rows && (low < p[2] || high > p[3]); i++)
        if (f->x[i] < p[2] || f->x[i] > p[3])
            return refuse_level(f, j, i, low, high);
    if (w->by != GM__BY_NONE && alike)
        p[0] = p[1] = p[3] / 2;
    else if (w->by != GM__BY_NONE)
        fit_standard(f, w, low, high, p);
    return GM_OK;
}

/* The numbers of column j, and what kind of map it gets in the end: a constant column is only
 * moved, and what a map cannot do is left to the standard one. */
static void fit_column(fit *f, int64_t j, double low, double high, double *p)
{
    gm__way *w = &f->t->ways[j];
    double plain[2] = {0, w->period > 0 ? w->period / GM__TWO_PI : 1};
    int done = 0;
    if (w->by != GM__BY_NONE && !(w->period > 0))
        fit_standard(f, w, low, high, plain);
    if (low < high || w->dequantised)
        done = w->by == GM__BY_QUANTILE ? fit_quantile(f, w, p)
               : w->by == GM__BY_LOGIT  ? fit_logit(f, w, low, high, p)
                                        : 0;
    if (done && gm__way_sound(w, p))
        return;
    if (w->by != GM__BY_NONE)
        w->by = GM__BY_STANDARD;
    w->knots = 0;
    memcpy(p, plain, sizeof plain);
}

/* ---- Whitening ------------------------------------------------------------------------------- */

/* Calls add up rows of real outputs: mean first, then the lower half of the covariance. */
static gm_status add_rows(fit *f, double *real, double *x, double *mean, double *covariance)
{
    enum { BLOCK = 64 };
    gm__transform *t = f->t;
    const gm__noise noise = {1, 0, 0};
    for (int64_t first = 0; first < f->rows; first += BLOCK) {
        int64_t n = f->rows - first < BLOCK ? f->rows - first : BLOCK, r = t->r;
        GM_TRY(gm__check_cancel(f->ctx));
        gm__dataset_gather(f->data, f->columns, t->d, NULL, first, n, x, t->d);
        gm__transform_forward(t, x, n, &noise, first, NULL, real, NULL, NULL, NULL);
        for (int64_t k = 0; k < n; k++) {
            double *y = real + k * r, weight = f->weights ? f->weights[first + k] : 1;
            for (int64_t i = 0; i < r; i++) {
                if (!covariance) {
                    mean[i] += y[i] * weight;
                    continue;
                }
                y[i] -= mean[i];
                for (int64_t j = 0; j <= i; j++)
                    covariance[i * r + j] += y[i] * y[j] * weight;
            }
        }
    }
    return GM_OK;
}

static gm_status whiten_with(fit *f, double *mean, double *factor, double *real, double *x)
{
    int64_t r = f->t->r;
    GM_TRY(add_rows(f, real, x, mean, NULL));
    for (int64_t i = 0; i < r; i++)
        mean[i] /= (double)f->rows;
    GM_TRY(add_rows(f, real, x, mean, factor));
    for (int64_t i = 0; i < r; i++) {
        for (int64_t j = 0; j <= i; j++)
            factor[i * r + j] /= (double)f->rows;
        factor[i * r + i] = factor[i * r + i] > 0 ? factor[i * r + i] * (1 + RIDGE) : 1;
    }
    if (gm__cholesky(factor, r))
        return gm__fail(f->ctx, GM_E_DATA,
                        "whiten: the covariance of the columns cannot be factored");
    return GM_OK;
}

static gm_status whiten(fit *f)
{
    gm__transform *t = f->t;
    int64_t r = t->r, rows = 64;
    const gm_allocator *a = &f->ctx->allocator;
    double *real = gm__alloc_array(a, rows * r, sizeof *real),
           *x = gm__alloc_array(a, rows * t->d, sizeof *x);
    double *mean = t->numbers + t->count,
           *factor = mean + r; /* room was made; count still says without */
    gm_status code = real && x ? whiten_with(f, mean, factor, real, x) : gm__no_memory(f->ctx);
    gm__free(a, real, (size_t)(rows * r) * sizeof *real);
    gm__free(a, x, (size_t)(rows * t->d) * sizeof *x);
    if (code)
        return code;
    t->count += r + r * r;
    t->whiten = 1;
    gm__transform_finish(t);
    return GM_OK;
}

/* ---- All columns ----------------------------------------------------------------------------- */

/* Bins of a column whose values repeat: as wide as their resolution, but for a grid that was moved
 * and scaled, which has none, or one of rounding alone. */
static double find_unit(fit *f, int64_t i, double resolution)
{
    int64_t rows = f->all->rows;
    gm__dataset_gather(f->all, &i, 1, NULL, 0, rows, f->x, 1);
    for (int64_t k = 0; k < rows; k++)
        if (f->x[k] - f->x[k] != 0)
            return 0;
    return gm__repeat_unit(f->x, rows, resolution);
}

static void describe(fit *f)
{
    int64_t j = 0;
    for (int64_t i = 0; i < f->data->schema->count; i++) {
        const gm__column *c = &f->data->schema->columns[i];
        if (c->role != GM_ROLE_FEATURE)
            continue;
        gm__way *w = &f->t->ways[j];
        gm__way_describe(w, c);
        if (f->bins && c->type == GM_COLUMN_REAL)
            w->unit = find_unit(f, i, c->resolution);
        int whole = gm__way_whole(w);
        int index = c->type == GM_COLUMN_BINARY || c->type == GM_COLUMN_CATEGORY;
        w->counted = f->counting && (whole || (index && c->categories <= 2));
        w->dequantised = whole && !w->counted;
        w->by = index && !w->counted            ? GM__BY_INDEX
                : index                         ? GM__BY_NONE
                : c->type == GM_COLUMN_CIRCULAR ? GM__BY_STANDARD
                                                : f->by;
        if (w->counted && w->by != GM__BY_NONE)
            w->by = GM__BY_STANDARD;
        f->columns[j++] = i;
    }
}

/* Room for the numbers before anything is known: quantiles at their most knots, and the whitening.
 */
static gm_status make_room(fit *f, int whitening)
{
    gm__transform *t = f->t;
    int64_t room = 1, reals = 0;
    for (int64_t j = 0; j < t->d; j++) {
        gm__way *w = &t->ways[j];
        w->knots =
            w->by == GM__BY_QUANTILE ? (f->rows < GM__MAX_KNOTS ? f->rows : GM__MAX_KNOTS) : 0;
        room += gm__way_size(w);
        reals += w->by != GM__BY_INDEX;
    }
    if (whitening && reals > MAX_WHITE)
        return gm__fail(f->ctx, GM_E_RANGE, "whiten: %lld real columns, at most %d",
                        (long long)reals, MAX_WHITE);
    t->room = room + (whitening ? reals + reals * reals : 0);
    t->numbers = gm__alloc_array(&t->allocator, t->room, sizeof *t->numbers);
    if (!t->numbers) {
        t->room = 0;
        return gm__no_memory(f->ctx);
    }
    return GM_OK;
}

/* Whole numbers would not stay whole. */
static gm_status refuse_whitening(fit *f)
{
    gm__label label;
    for (int64_t j = 0; j < f->t->d; j++)
        if (f->t->ways[j].counted || f->t->ways[j].period > 0)
            return gm__fail(f->ctx, GM_E_UNSUPPORTED,
                            "whiten: %s is of type %s; this family takes such columns as they are, "
                            "and whitening mixes columns: leave whiten off",
                            gm__column_label(&label, f->data->schema, f->columns[j]),
                            gm__type_name(f->t->ways[j].type));
    return GM_OK;
}

static gm_status learn(fit *f, int whitening)
{
    gm__transform *t = f->t;
    describe(f);
    if (whitening)
        GM_TRY(refuse_whitening(f));
    GM_TRY(make_room(f, whitening));
    for (int64_t j = 0; j < t->d; j++) {
        gm__way *w = &t->ways[j];
        double low = 0, high = 0;
        GM_TRY(gm__check_cancel(f->ctx));
        GM_TRY(read_column(f, j, &low, &high));
        if (w->type == GM_COLUMN_ORDERED) {
            low = 0;
            high = (double)w->categories - 1;
        }
        w->at = t->count;
        w->knots = 0;
        if (w->counted)
            GM_TRY(fit_counted(f, j, low, high, t->numbers + t->count));
        else if (w->by != GM__BY_INDEX)
            fit_column(f, j, low, high, t->numbers + t->count);
        t->count += gm__way_size(w);
    }
    gm__transform_finish(t);
    GM_TRY(gm__conditions_fit(f->ctx, t, f->data, f->weights, f->x));
    return whitening && t->r > 0 ? whiten(f) : GM_OK;
}

static gm_status make_cells(fit *f)
{
    f->cells = gm__alloc_array(&f->ctx->allocator, f->rows, sizeof *f->cells);
    f->order = gm__alloc_array(&f->ctx->allocator, f->rows, sizeof *f->order);
    return f->cells && f->order ? GM_OK : gm__no_memory(f->ctx);
}

gm_status gm__transform_fit(gm_context *ctx, const gm_dataset *data, const gm_dataset *all,
                            const gm__values *options, const gm__counting *counting,
                            gm__transform **t)
{
    fit f = {.ctx = ctx,
             .data = data,
             .all = all ? all : data,
             .rows = data->rows,
             .counting = counting,
             .by = (int)gm__value_int(options, "transform"),
             .bins = (int)gm__value_int(options, "repeated")};
    int64_t d = 0, most = f.all->rows > f.rows ? f.all->rows : f.rows;
    *t = NULL;
    for (int64_t i = 0; i < data->schema->count; i++)
        d += data->schema->columns[i].role == GM_ROLE_FEATURE;
    if (d == 0 || f.rows == 0)
        return gm__fail(ctx, GM_E_DATA,
                        d ? "there are no rows to learn from"
                          : "no column has the role of a feature");
    f.t = gm__transform_create(ctx, d);
    f.columns = gm__alloc_array(&ctx->allocator, d, sizeof *f.columns);
    f.x = gm__alloc_array(&ctx->allocator, most, sizeof *f.x);
    gm_status code =
        f.t && f.columns && f.x ? gm__row_weights(ctx, data, &f.weights) : gm__no_memory(ctx);
    if (!code && f.weights)
        code = make_cells(&f);
    if (!code)
        code = learn(&f, (int)gm__value_int(options, "whiten"));
    gm__free(&ctx->allocator, f.weights, f.weights ? (size_t)f.rows * sizeof *f.weights : 0);
    gm__free(&ctx->allocator, f.cells, f.cells ? (size_t)f.rows * sizeof *f.cells : 0);
    gm__free(&ctx->allocator, f.order, f.order ? (size_t)f.rows * sizeof *f.order : 0);
    gm__free(&ctx->allocator, f.columns, (size_t)d * sizeof *f.columns);
    gm__free(&ctx->allocator, f.x, (size_t)most * sizeof *f.x);
    if (code)
        gm__transform_release(f.t);
    else
        *t = f.t;
    return code;
}
