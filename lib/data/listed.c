/* The values that real columns on no decimal grid have, kept beside their maps. */
#include "data/table.h"
#include "data/transform_parts.h"
#include "base/sort.h"

#include <math.h>
#include <string.h>

#define MOST_IN_ALL ((int64_t)1 << 22)

/* ---- Bins ------------------------------------------------------------------------------------ */

static double bin_of(const gm__way *w, double x)
{
    return floor(x / w->unit + 0.5);
}

/* How many values of the list lie in bins before number k. */
static int64_t before(const gm__way *w, double k)
{
    int64_t low = -1, high = w->listed;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (bin_of(w, w->list[middle]) < k)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The middle of bin number k: a decimal one as its text is read, where the unit is a tenth, a
 * hundredth ... */
static double middle_of(const gm__way *w, double k)
{
    double per = floor(1 / w->unit + 0.5);
    return per >= 1 && fabs(per * w->unit - 1) < 1e-12 ? k / per : k * w->unit;
}

double gm__way_bin(const gm__way *w, double k)
{
    int64_t i = before(w, k);
    return i < w->listed && bin_of(w, w->list[i]) == k ? w->list[i] : middle_of(w, k);
}

double gm__way_shown(const gm__way *w, double k)
{
    int64_t i = before(w, k);
    if (w->listed == 0)
        return middle_of(w, k);
    if (i == w->listed)
        return w->list[i - 1];
    if (i == 0 || bin_of(w, w->list[i]) == k)
        return w->list[i];
    double middle = middle_of(w, k);
    return w->list[i] - middle < middle - w->list[i - 1] ? w->list[i] : w->list[i - 1];
}

int gm__way_list_sound(const gm__way *w)
{
    for (int64_t i = 1; i < w->listed; i++)
        if (!(w->list[i] > w->list[i - 1]))
            return 0;
    return 1;
}

int64_t gm__transform_listed(const gm__transform *t, int64_t j, const double **list)
{
    *list = t->ways[j].listed ? t->ways[j].list : NULL;
    return t->ways[j].listed;
}

double gm__transform_shown(const gm__transform *t, int64_t j, double v)
{
    const gm__way *w = &t->ways[j];
    return w->unit > 0 && w->listed && v - v == 0 ? gm__way_shown(w, bin_of(w, v)) : v;
}

/* ---- Learning -------------------------------------------------------------------------------- */

/* Floats come again because there are few of them. */
static int all_floats(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (fabs(x[i]) > 0x1.fffffep+127 || (double)(float)x[i] != x[i])
            return 0;
    return 1;
}

/* Whether n sorted values lie on a grid of steps, up to rounding: values by chance do not. */
static int on_steps(const double *x, int64_t n)
{
    double range = x[n - 1] - x[0], least = range, steps = 0, at = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[i - 1] && x[i] - x[i - 1] < least)
            least = x[i] - x[i - 1];
    if (n < 16 || !(range > 0) || !(range <= 0x1p30 * least))
        return 0;
    for (int64_t i = 1; i < n; i++)
        steps += floor((x[i] - x[i - 1]) / least + 0.5);
    for (int64_t i = 1; i < n; i++) {
        at += floor((x[i] - x[i - 1]) / least + 0.5);
        if (fabs(x[i] - x[0] - at / steps * range) > 0x1p-40 * range)
            return 0;
    }
    return 1;
}

/* Whether sorted values are worth a list: those of bins that are no resolution's; others that no
 * decimals give, but where one in 512 comes again, as n draws from less than 256 n places do, or
 * that lie on moved steps. */
static int wanted(const gm__way *w, double resolution, const double *x, int64_t n)
{
    int64_t again = 0;
    if (w->unit > 0)
        return w->unit != resolution;
    for (int64_t i = 1; i < n; i++)
        again += x[i] == x[i - 1];
    return x[n - 1] > x[0] && (again * 512 >= n || on_steps(x, n)) &&
           !(x[n - 1] - x[0] <= 0x1p30 * resolution) && !all_floats(x, n);
}

/* Sorted values to the different ones, in place; of one bin only that which comes most. */
static int64_t distinct(const gm__way *w, double *x, int64_t n)
{
    int64_t kept = 0, most = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        double value = x[i];
        for (end = i + 1; end < n && x[end] == value; end++) {
        }
        int same = kept && w->unit > 0 && bin_of(w, x[kept - 1]) == bin_of(w, value);
        if (same && end - i <= most)
            continue;
        most = end - i;
        kept += !same;
        x[kept - 1] = value;
    }
    return kept;
}

/* Behind the numbers that there are. */
static gm_status append(gm_context *ctx, gm__transform *t, gm__way *w, const double *list,
                        int64_t count)
{
    int64_t room = t->count + count + 1;
    if (room > t->room) {
        double *more = gm__resize(&t->allocator, t->numbers, (size_t)t->room * sizeof *more,
                                  (size_t)room * sizeof *more);
        if (!more)
            return gm__no_memory(ctx);
        t->numbers = more;
        t->room = room;
        gm__transform_finish(t);
    }
    memcpy(t->numbers + t->count, list, (size_t)count * sizeof *list);
    t->count += count;
    w->listed = count;
    gm__transform_finish(t);
    return GM_OK;
}

static gm_status list_column(gm_context *ctx, gm__transform *t, const gm_dataset *data, int64_t i,
                             gm__way *w, double *x, int64_t *left)
{
    const gm__column *c = &data->schema->columns[i];
    if (w->type != GM_COLUMN_REAL || (w->unit > 0 && w->unit == c->resolution))
        return GM_OK;
    GM_TRY(gm__check_cancel(ctx));
    gm__dataset_gather(data, &i, 1, NULL, 0, data->rows, x, 1);
    for (int64_t k = 0; k < data->rows; k++) {
        x[k] += 0.0; /* of -0 0 */
        if (x[k] - x[k] != 0)
            return GM_OK;
    }
    gm__sort_reals(x, data->rows);
    if (!wanted(w, c->resolution, x, data->rows))
        return GM_OK;
    int64_t count = distinct(w, x, data->rows);
    if (count > GM__MOST_LISTED || count > *left)
        return GM_OK;
    *left -= count;
    return append(ctx, t, w, x, count);
}

gm_status gm__transform_list(gm_context *ctx, gm__transform *t, const gm_dataset *data)
{
    int64_t left = MOST_IN_ALL, j = 0;
    double *x = gm__alloc_array(&ctx->allocator, data->rows, sizeof *x);
    gm_status code = x || data->rows == 0 ? GM_OK : gm__no_memory(ctx);
    for (int64_t i = 0; i < data->schema->count && data->rows && !code; i++)
        if (data->schema->columns[i].role == GM_ROLE_FEATURE)
            code = list_column(ctx, t, data, i, &t->ways[j++], x, &left);
    gm__free(&ctx->allocator, x, (size_t)data->rows * sizeof *x);
    return code;
}
