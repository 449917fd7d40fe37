/* What a column's values say about it: range, missing cells, and the grid that they lie on. */
#include "data/table.h"
#include "base/sort.h"

#include <string.h>

#define SAMPLE 1024

typedef struct column_scan {
    double low, high;
    int64_t missing, present;
} column_scan;

static double largest(double a, double b)
{
    return a > b ? a : b;
}

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* x to the nearest whole number; |x| must stay under 2^51. */
static double nearest(double x)
{
    const double shift = 0x1.8p52;
    return (x + shift) - shift;
}

/* Whether x is the number nearest to m / per for a whole m, which goes to *m. */
static int on_grid(double x, double per, int exact32, double *m)
{
    double scaled = x * per;
    if (!(magnitude(scaled) < 0x1p50))
        return 0;
    *m = nearest(scaled);
    double back = *m / per;
    return exact32 ? (float)back == (float)x : back == x;
}

static double gcd(double a, double b)
{
    uint64_t x = (uint64_t)magnitude(a), y = (uint64_t)magnitude(b);
    while (y) {
        uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    return (double)x;
}

/* Multiples of a decimal fraction: what people write down. */
static double decimal_step(const double *x, int64_t n, int exact32, double limit)
{
    double per = 1, m = 0, common = 0, most = largest(magnitude(x[0]), magnitude(x[n - 1]));
    int64_t i = 0;
    for (int k = 0; k <= 9; k++, per *= 10) {
        if (most * per > limit)
            return 0;
        while (i < n && on_grid(x[i], per, exact32, &m))
            i++;
        if (i == n)
            break;
    }
    if (i < n)
        return 0;
    for (i = 0; i < n; i++) {
        on_grid(x[i], per, exact32, &m);
        common = gcd(m, common);
    }
    return common / per;
}

/* Multiples of any other step, such as 1/255: the smallest gap is tried. */
static double other_step(const double *x, int64_t n, double relative)
{
    double gap = 0, most = largest(magnitude(x[0]), magnitude(x[n - 1]));
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[i - 1] && (gap == 0 || x[i] - x[i - 1] < gap))
            gap = x[i] - x[i - 1];
    if (gap == 0 || most / gap > 65536)
        return 0;
    double step = most / nearest(most / gap);
    for (int64_t i = 0; i < n; i++)
        if (magnitude(x[i] - nearest(x[i] / step) * step) > relative * most)
            return 0;
    return step;
}

double gm__find_step(const double *sorted, int64_t n, int exact32)
{
    int64_t again = 0;
    for (int64_t i = 1; i < n; i++)
        again += sorted[i] == sorted[i - 1];
    if (again * 10 < n) /* values hardly repeat: measured, not counted */
        return 0;
    double step = decimal_step(sorted, n, exact32, exact32 ? 0x1p20 : 0x1p45);
    return step > 0 ? step : other_step(sorted, n, exact32 ? 0x1p-22 : 0x1p-48);
}

/* ---- The pass over the cells ----------------------------------------------------------------- */

static gm_status refuse(gm_context *ctx, const gm_dataset *data, const char *name, int64_t row,
                        int64_t column, double value)
{
    gm__label label;
    const char *what = value != value ? "nan" : value > 0 ? "inf" : "-inf";
    return gm__fail(ctx, GM_E_DATA, "%s%srow %lld: %s is %s, a finite number was expected",
                    name ? name : "", name ? ": " : "", (long long)row + 1,
                    gm__column_label(&label, data->schema, column), what);
}

static gm_status scan_block(gm_context *ctx, const gm_dataset *data, const char *name,
                            int missing_allowed, int64_t first, int64_t count, const double *x,
                            column_scan *scan)
{
    int64_t d = data->schema->count;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < d; j++) {
            double v = x[i * d + j];
            if (v - v != 0 && !(missing_allowed && v != v))
                return refuse(ctx, data, name, first + i, j, v);
            if (v != v) {
                scan[j].missing++;
                continue;
            }
            if (!scan[j].present++)
                scan[j].low = scan[j].high = v;
            scan[j].low = v < scan[j].low ? v : scan[j].low;
            scan[j].high = v > scan[j].high ? v : scan[j].high;
        }
    return GM_OK;
}

/* The resolution of a real column: proposed by rows spread evenly over the data; every row must
 * then agree. */
static double resolution(const gm_dataset *data, int64_t j, double *sample)
{
    int64_t n = data->rows < SAMPLE ? data->rows : SAMPLE, kept = 0;
    for (int64_t i = 0; i < n; i++) {
        gm__dataset_gather(data, &j, 1, NULL, (int64_t)((double)i / (double)n * (double)data->rows),
                           1, &sample[kept], 1);
        kept += sample[kept] == sample[kept];
    }
    if (kept == 0)
        return 0;
    gm__sort_reals(sample, kept);
    int exact32 = data->fields[j].dtype == GM_F32;
    double step = gm__find_step(sample, kept, exact32);
    double most = 0;
    for (int64_t first = 0; step > 0 && first < data->rows; first += SAMPLE) {
        int64_t count = data->rows - first < SAMPLE ? data->rows - first : SAMPLE;
        gm__dataset_gather(data, &j, 1, NULL, first, count, sample, 1);
        for (int64_t i = 0; i < count; i++) {
            most = largest(most, magnitude(sample[i]));
            double steps = sample[i] / step;
            if (magnitude(steps) >= 0x1p50 ||
                magnitude(sample[i] - nearest(steps) * step) >
                    (exact32 ? 0x1p-20 : 0x1p-46) * largest(most, step))
                return 0;
        }
    }
    return step;
}

static void finish(gm_dataset *data, int64_t j, const column_scan *scan, double *sample)
{
    gm__column *c = &data->schema->columns[j];
    c->low = scan->low;
    c->high = scan->high;
    c->missing_count = scan->missing;
    c->missing = c->missing || scan->missing > 0;
    if (c->type == GM_COLUMN_INTEGER)
        c->resolution = 1;
    else if (c->type == GM_COLUMN_REAL || c->type == GM_COLUMN_CIRCULAR)
        c->resolution = scan->present ? resolution(data, j, sample) : 0;
}

static int64_t block_rows(int64_t d)
{
    int64_t rows = 32768 / d;
    return rows < 1 ? 1 : rows > 256 ? 256 : rows;
}

gm_status gm__dataset_scan(gm_context *ctx, gm_dataset *data, const char *name, int missing_allowed)
{
    int64_t d = data->schema->count, step = block_rows(d),
            cells = step * d > SAMPLE ? step * d : SAMPLE;
    column_scan *scan = gm__alloc_array(&data->allocator, d, sizeof *scan);
    double *x = gm__alloc_array(&data->allocator, cells, sizeof *x);
    gm_status code = scan && x ? GM_OK : gm__no_memory(ctx);
    for (int64_t first = 0; first < data->rows && !code; first += step) {
        int64_t count = data->rows - first < step ? data->rows - first : step;
        gm__dataset_rows(data, NULL, first, count, x);
        code = scan_block(ctx, data, name, missing_allowed, first, count, x, scan);
        if (!code)
            code = gm__check_cancel(ctx);
    }
    for (int64_t j = 0; j < d && !code; j++)
        finish(data, j, &scan[j], x);
    gm__free(&data->allocator, scan, (size_t)d * sizeof *scan);
    gm__free(&data->allocator, x, (size_t)cells * sizeof *x);
    return code;
}
