#include "data/transform_parts.h"

#include <math.h>
#include <string.h>

/* ---- Life and questions ---------------------------------------------------------------------- */

gm__transform *gm__transform_create(const gm_context *ctx, int64_t d)
{
    const gm_allocator *a = &ctx->allocator;
    gm__transform *t = gm__alloc(a, sizeof *t);
    if (!t)
        return NULL;
    t->allocator = *a;
    t->owners = 1;
    t->d = d;
    t->kernels = ctx->kernels ? ctx->kernels : gm__kernels_find("auto");
    t->ways = gm__alloc_array(a, d, sizeof *t->ways);
    if (d && !t->ways) {
        gm__free(a, t, sizeof *t);
        return NULL;
    }
    return t;
}

gm__transform *gm__transform_retain(const gm__transform *t)
{
    gm__transform *shared = (gm__transform *)(uintptr_t)t;
    if (shared)
        __atomic_add_fetch(&shared->owners, 1, __ATOMIC_RELAXED);
    return shared;
}

void gm__transform_release(gm__transform *t)
{
    if (!t || __atomic_sub_fetch(&t->owners, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    gm_allocator a = t->allocator;
    gm__free(&a, t->ways, (size_t)t->d * sizeof *t->ways);
    gm__free(&a, t->numbers, (size_t)t->room * sizeof *t->numbers);
    gm__free(&a, t->given, (size_t)t->conditions * sizeof *t->given);
    gm__free(&a, t, sizeof *t);
}

int64_t gm__transform_columns(const gm__transform *t)
{
    return t->d;
}

int64_t gm__transform_reals(const gm__transform *t)
{
    return t->r;
}

int64_t gm__transform_indices(const gm__transform *t)
{
    return t->c;
}

int64_t gm__transform_categories(const gm__transform *t, int64_t index)
{
    for (int64_t j = 0; j < t->d; j++)
        if (t->ways[j].by == GM__BY_INDEX && t->ways[j].place == index)
            return t->ways[j].categories;
    return 0;
}

double gm__transform_unit(const gm__transform *t, int64_t column)
{
    return t->ways[column].unit;
}

int gm__transform_random(const gm__transform *t)
{
    return t->draws > 0;
}

static gm_x_column x_column(const gm__way *w)
{
    gm_x_column c = {.struct_size = sizeof c, .kind = GM_X_REAL, .width = 1};
    if (w->period > 0) {
        c.kind = GM_X_CIRCULAR;
        c.high = GM__TWO_PI;
    }
    if (w->dequantised && (w->by == GM__BY_STANDARD || w->by == GM__BY_NONE))
        c.step = 1 / w->p[1];
    if (!w->counted)
        return c;
    int levels = gm__way_whole(w) || w->p[2] == w->p[3];
    c.kind = levels ? GM_X_LEVELS : GM_X_BINARY;
    c.low = (w->p[2] - w->p[0]) / w->p[1];
    c.high = (w->p[3] - w->p[0]) / w->p[1];
    c.step = 1 / w->p[1];
    return c;
}

int64_t gm__transform_place(const gm__transform *t, int64_t j)
{
    return t->ways[j].by == GM__BY_INDEX ? -1 : t->ways[j].place;
}

int gm__transform_mixes(const gm__transform *t)
{
    return t->whiten;
}

int64_t gm__transform_x_columns(const gm__transform *t, gm_x_column *columns)
{
    int64_t counted = 0;
    for (int64_t j = 0; j < t->d; j++) {
        const gm__way *w = &t->ways[j];
        counted += w->counted;
        if (columns && w->by != GM__BY_INDEX)
            columns[w->place] = x_column(w);
        if (columns && w->by != GM__BY_INDEX && t->whiten && !w->counted)
            columns[w->place].step = 0;
    }
    return counted;
}

int gm__way_whole(const gm__way *w)
{
    return w->type == GM_COLUMN_INTEGER || w->type == GM_COLUMN_ORDERED || w->unit > 0;
}

void gm__way_describe(gm__way *w, const gm__column *c)
{
    w->type = c->type;
    w->categories = c->categories;
    w->period = c->type == GM_COLUMN_CIRCULAR ? c->period : 0;
    w->unit = 0;
}

int64_t gm__way_size(const gm__way *w)
{
    static const int64_t sizes[] = {
        [GM__BY_STANDARD] = 2, [GM__BY_NONE] = 2, [GM__BY_LOGIT] = 4, [GM__BY_INDEX] = 0};
    return w->by == GM__BY_QUANTILE ? 2 + 3 * w->knots : w->counted ? 4 : sizes[w->by];
}

static int rising(const double *x, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (!(x[i] > x[i - 1]))
            return 0;
    return 1;
}

/* Whole numbers from low to high, those of the categories where there are any; and steps that are
 * numbers. */
static int counts_soundly(const gm__way *w, const double *p)
{
    double low = p[2], high = p[3], step = 1 / p[1], range = (high - low) / p[1];
    if (w->categories && (low != 0 || high != (double)w->categories - 1))
        return 0;
    if (!gm__way_whole(w) && (p[0] != 0 || p[1] != 1))
        return 0;
    return low <= high && low == floor(low) && high == floor(high) && fabs(low) < 0x1p53 &&
           fabs(high) < 0x1p53 && step - step == 0 && range - range == 0;
}

int gm__way_sound(const gm__way *w, const double *p)
{
    for (int64_t i = 0; i < gm__way_size(w); i++)
        if (p[i] - p[i] != 0)
            return 0;
    if (w->by == GM__BY_INDEX)
        return 1;
    if (!(p[1] > 0) || (w->by == GM__BY_LOGIT && !(p[2] < p[3])))
        return 0;
    if (w->counted)
        return counts_soundly(w, p);
    if (w->period > 0)
        return p[0] == 0 && p[1] == w->period / GM__TWO_PI;
    if (w->by != GM__BY_QUANTILE)
        return 1;
    const double *z = p + 2 + w->knots, *slope = z + w->knots;
    for (int64_t i = 0; i < w->knots; i++)
        if (!(slope[i] > 0))
            return 0;
    return rising(p + 2, w->knots) && rising(z, w->knots) && z[0] < 0 && z[w->knots - 1] > 0;
}

double gm__neighbour(double x, int up)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x == 0)
        bits = up ? 1 : INT64_MIN + 1;
    else
        bits += (x > 0) == up ? 1 : -1;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Everything but quantiles has its scale in every row's log_det alike. */
static double constant_log_det(const gm__transform *t)
{
    gm__map1_fn *log = t->kernels->maps->map1[GM__F64][GM__LOG];
    double sum = 0, y;
    for (int64_t j = 0; j < t->d; j++)
        if (t->ways[j].by != GM__BY_INDEX && t->ways[j].by != GM__BY_QUANTILE &&
            !t->ways[j].counted) {
            log(&y, &t->ways[j].p[1], 1);
            sum -= y;
        }
    for (int64_t i = 0; t->whiten && i < t->r; i++) {
        log(&y, &t->factor[i * t->r + i], 1);
        sum -= y;
    }
    return sum;
}

void gm__transform_finish(gm__transform *t)
{
    int64_t listed = 0;
    t->r = t->c = t->draws = t->logits = 0;
    for (int64_t j = 0; j < t->d; j++) {
        gm__way *w = &t->ways[j];
        w->p = t->numbers + w->at;
        w->place = w->by == GM__BY_INDEX ? t->c++ : t->r++;
        w->draw = t->draws;
        t->draws += w->dequantised;
        t->logits += w->by == GM__BY_LOGIT;
        listed += w->listed;
    }
    const double *end = t->numbers + t->count - listed;
    t->mean = t->factor = NULL;
    if (t->whiten) {
        t->mean = end - t->r * t->r - t->r;
        t->factor = t->mean + t->r;
    }
    for (int64_t j = 0; j < t->d; j++) {
        t->ways[j].list = end;
        end += t->ways[j].listed;
    }
    t->constant = constant_log_det(t);
}
