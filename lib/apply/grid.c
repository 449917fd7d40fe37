#include "apply/grid.h"
#include "apply/list.h"
#include "base/sort.h"

#include <math.h>
#include <string.h>

/* ---- Doubles in order ------------------------------------------------------------------------ */

int64_t gm__double_place(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? -(int64_t)(bits & INT64_MAX) - 1 : (int64_t)bits;
}

double gm__double_at(int64_t place)
{
    uint64_t bits = place < 0 ? (uint64_t)(-(place + 1)) | (uint64_t)1 << 63 : (uint64_t)place;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int64_t float_place(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? -(int64_t)(bits & INT32_MAX) - 1 : (int64_t)bits;
}

static float float_at(int64_t place)
{
    uint32_t bits = place < 0 ? (uint32_t)(-(place + 1)) | (uint32_t)1 << 31 : (uint32_t)place;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- Places and values ----------------------------------------------------------------------- */

#define MOST_PLACE 0x1p52

static double power_of_ten(int digits)
{
    double p = 1; /* exact up to 10^22 */
    for (int i = 0; i < digits; i++)
        p *= 10;
    return p;
}

static double parts(const gm__grid *g)
{
    return g->kind == GM__GRID_PART ? g->part : power_of_ten(g->digits);
}

double gm__grid_value(const gm__grid *g, int64_t place)
{
    if (g->kind == GM__GRID_TABLE)
        return g->table[place < 0 ? 0 : place < g->count ? place : g->count - 1];
    if (g->kind == GM__GRID_DOUBLE)
        return gm__double_at(place);
    if (g->kind == GM__GRID_FLOAT)
        return (double)float_at(place);
    double value = (double)place / parts(g);
    return g->narrow ? (double)(float)value : value;
}

void gm__grid_ends(const gm__grid *g, int64_t *first, int64_t *last)
{
    *last = g->kind == GM__GRID_TABLE    ? g->count - 1
            : g->kind == GM__GRID_DOUBLE ? gm__double_place(0x1.fffffffffffffp+1023)
            : g->kind == GM__GRID_FLOAT  ? float_place(0x1.fffffep+127f)
                                         : (int64_t)MOST_PLACE;
    *first = g->kind == GM__GRID_TABLE                                 ? 0
             : g->kind == GM__GRID_DOUBLE || g->kind == GM__GRID_FLOAT ? -*last - 1
                                                                       : -*last;
}

/* The last entry of the table that is not above the value, in the order of places. */
static int64_t table_below(const gm__grid *g, double value)
{
    int64_t low = 0, high = g->count, key = gm__double_place(value);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (gm__double_place(g->table[middle]) <= key)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t gm__grid_nearest(const gm__grid *g, double value)
{
    if (g->kind == GM__GRID_DOUBLE)
        return gm__double_place(value);
    if (g->kind == GM__GRID_FLOAT) {
        float narrow = fabs(value) > 0x1.fffffep+127 ? copysignf(0x1.fffffep+127f, (float)value)
                                                     : (float)value;
        return float_place(narrow);
    }
    if (g->kind == GM__GRID_TABLE) {
        int64_t k = table_below(g, value);
        return k + 1 < g->count && g->table[k + 1] - value < value - g->table[k] ? k + 1 : k;
    }
    double scaled = value * parts(g);
    if (!(fabs(scaled) < MOST_PLACE))
        return scaled > 0 ? (int64_t)MOST_PLACE : -(int64_t)MOST_PLACE;
    return (int64_t)floor(scaled + 0.5);
}

int gm__grid_find(const gm__grid *g, double value, int64_t *place)
{
    if (value - value != 0)
        return 0;
    *place = gm__grid_nearest(g, value);
    return gm__double_place(gm__grid_value(g, *place)) == gm__double_place(value);
}

/* ---- The grid of a column -------------------------------------------------------------------- */

/* Whether all but one in 256 of n values lie on the grid. */
int gm__grid_fits(const gm__grid *g, const double *values, int64_t n)
{
    int64_t misses = 0, place;
    for (int64_t i = 0; i < n && misses <= n / 256; i++)
        misses += !gm__grid_find(g, values[i], &place);
    return misses <= n / 256;
}

gm_status gm__grid_list(gm_context *ctx, const double *list, int64_t count, gm__grid *g)
{
    *g = (gm__grid){.kind = GM__GRID_TABLE};
    g->table = gm__alloc_array(&ctx->allocator, count, sizeof *g->table);
    if (!g->table)
        return gm__no_memory(ctx);
    memcpy(g->table, list, (size_t)count * sizeof *list);
    g->count = count;
    return GM_OK;
}

static int64_t count_distinct(const double *sorted, int64_t n)
{
    int64_t count = n > 0;
    for (int64_t i = 1; i < n; i++)
        count += gm__double_place(sorted[i]) != gm__double_place(sorted[i - 1]);
    return count;
}

/* Doubles that sort as their places do: gm__sort_reals takes -0 and 0 for the same. */
static void order_zeros(double *sorted, int64_t n)
{
    int64_t first = 0, end, negative = 0;
    while (first < n && sorted[first] < 0)
        first++;
    for (end = first; end < n && sorted[end] == 0; end++)
        negative += signbit(sorted[end]) != 0;
    for (int64_t i = first; i < end; i++)
        sorted[i] = i - first < negative ? -0.0 : 0.0;
}

/* Parts of a whole, such as 1/255: the number of least steps in the greatest value. */
static int find_part(const double *sorted, int64_t n, gm__grid *g)
{
    double gap = 0, most = fmax(fabs(sorted[0]), fabs(sorted[n - 1]));
    for (int64_t i = 1; i < n; i++)
        if (sorted[i] > sorted[i - 1] && (gap == 0 || sorted[i] - sorted[i - 1] < gap))
            gap = sorted[i] - sorted[i - 1];
    if (gap == 0 || most / gap > 65536)
        return 0;
    *g = (gm__grid){.kind = GM__GRID_PART, .part = floor(1 / gap + 0.5)};
    for (; g->narrow < 2; g->narrow++)
        if (g->part >= 1 && g->part < 0x1p53 && gm__grid_fits(g, sorted, n))
            return 1;
    return 0;
}

/* Whether a list costs less than values save by it, which on the finer grid take `bits` bits more
 * than it takes to tell entries apart. */
static int table_pays(const gm__grid *g, int64_t n, int bits)
{
    double cost;
    int64_t saved = bits;
    for (int64_t c = g->count; c > 1; c /= 2)
        saved--;
    gm__list_step(g->table, g->count, &cost);
    return saved > 0 && cost * 1.1 < (double)(n * saved);
}

static gm_status make_table(gm_context *ctx, const double *sorted, int64_t n, int64_t distinct,
                            gm__grid *g)
{
    *g = (gm__grid){.kind = GM__GRID_TABLE};
    g->table = gm__alloc_array(&ctx->allocator, distinct, sizeof *g->table);
    if (!g->table)
        return gm__no_memory(ctx);
    for (int64_t i = 0; i < n; i++)
        if (!g->count || gm__double_place(sorted[i]) != gm__double_place(g->table[g->count - 1]))
            g->table[g->count++] = sorted[i];
    return GM_OK;
}

/* Decimals of up to 15 significant digits; floats too, whose decimals are rounded once more. */
static int find_decimal(const double *sorted, int64_t n, gm__grid *g)
{
    double most = fmax(fabs(sorted[0]), fabs(sorted[n - 1]));
    for (int digits = 0; digits <= GM__GRID_DIGITS; digits++)
        for (int narrow = 0; narrow < 2; narrow++) {
            *g = (gm__grid){.kind = GM__GRID_DECIMAL, .digits = digits, .narrow = narrow};
            double scaled = most * power_of_ten(digits);
            if (scaled < (narrow ? 0x1p22 : 0x1p50) && gm__grid_fits(g, sorted, n))
                return 1;
        }
    return 0;
}

gm_status gm__grid_choose(gm_context *ctx, double *values, int64_t n, gm__grid *g)
{
    *g = (gm__grid){.kind = GM__GRID_DECIMAL};
    if (n == 0)
        return GM_OK;
    gm__sort_reals(values, n);
    order_zeros(values, n);
    if (find_decimal(values, n, g) && g->digits < 10)
        return GM_OK;
    if (find_part(values, n, g))
        return GM_OK;
    gm__grid fine = {.kind = GM__GRID_FLOAT}, table;
    if (!find_decimal(values, n, g)) {
        *g = fine;
        if (!gm__grid_fits(g, values, n))
            g->kind = GM__GRID_DOUBLE;
    }
    GM_TRY(make_table(ctx, values, n, count_distinct(values, n), &table));
    if (table_pays(&table, n, g->kind == GM__GRID_FLOAT ? 24 : 50)) {
        *g = table;
        return GM_OK;
    }
    gm__grid_clear(ctx, &table);
    return GM_OK;
}

void gm__grid_clear(gm_context *ctx, gm__grid *g)
{
    gm__free(&ctx->allocator, g->table, (size_t)g->count * sizeof *g->table);
    *g = (gm__grid){.kind = GM__GRID_DECIMAL};
}
