#include "apply/cells.h"

#include <math.h>

#define LEAST_SHARE 4
#define LEAST_MASS 0x1p-20

/* ---- Columns --------------------------------------------------------------------------------- */

int gm__packed_counts(const gm__packed *p)
{
    return p->is.type != GM_COLUMN_REAL && p->is.type != GM_COLUMN_CIRCULAR;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* Around the range that the model has seen, once its width: what lies outside is told bit by bit.
 */
static void real_range(gm__packed *p)
{
    int64_t first, last;
    gm__grid_ends(&p->grid, &first, &last);
    p->low = first;
    p->high = last;
    if (p->grid.kind != GM__GRID_DECIMAL && p->grid.kind != GM__GRID_PART)
        return;
    int64_t low = gm__grid_nearest(&p->grid, p->is.low),
            high = gm__grid_nearest(&p->grid, p->is.high);
    p->low = clamp(low - (high - low) - 1, first, last);
    p->high = clamp(high + (high - low) + 1, first, last);
}

void gm__packed_range(gm__packed *p)
{
    int64_t turn;
    if (gm__packed_counts(p)) {
        int64_t first, last;
        gm__grid_ends(&p->grid, &first, &last);
        p->low = p->is.categories ? 0 : gm__grid_nearest(&p->grid, p->is.low);
        p->high = p->is.categories ? p->is.categories - 1 : gm__grid_nearest(&p->grid, p->is.high);
        p->low = clamp(p->low, first, last);
        p->high = clamp(p->high, p->low, last);
        return;
    }
    real_range(p);
    p->turn = 0;
    if (p->is.type == GM_COLUMN_CIRCULAR && p->grid.kind <= GM__GRID_PART &&
        gm__grid_find(&p->grid, p->is.period, &turn) && turn > 0) {
        p->turn = turn;
        p->low = 0;
        p->high = turn - 1;
    }
}

static int64_t modulo(int64_t a, int64_t n)
{
    int64_t rest = a % n;
    return rest < 0 ? rest + n : rest;
}

int gm__packed_place(const gm__packed *p, double value, int64_t *place)
{
    if (!gm__grid_find(&p->grid, p->minus && value == 0 ? 0 : value, place))
        return 0;
    if (p->turn) {
        if (*place < p->from || *place - p->from >= p->turn)
            return 0;
        *place = modulo(*place, p->turn);
    }
    return *place >= p->low && *place <= p->high;
}

uint32_t gm__packed_minus(const gm__packed *p, double value)
{
    if (!p->minus || value != 0)
        return 0;
    double part = (double)p->minus / (double)p->zeros;
    return (uint32_t)(part * (double)(GM__RANS_TOTAL - 2)) + 1;
}

double gm__packed_value(const gm__packed *p, int64_t place)
{
    if (p->turn)
        place = p->from + modulo(place - p->from, p->turn);
    return gm__grid_value(&p->grid, place);
}

/* ---- Spans ----------------------------------------------------------------------------------- */

static void cut(gm__span *s)
{
    uint64_t places = (uint64_t)s->end - (uint64_t)s->first;
    uint64_t width = places / GM__CELLS + (places % GM__CELLS != 0);
    s->width = (int64_t)width;
    s->cells = (int32_t)(places / width + (places % width != 0));
}

gm__span gm__span_top(const gm__packed *p)
{
    gm__span s = {.first = p->low, .end = p->high + 1, .top = 1};
    cut(&s);
    return s;
}

int64_t gm__cell_first(const gm__span *s, int64_t cell)
{
    return cell >= s->cells ? s->end
                            : (int64_t)((uint64_t)s->first + (uint64_t)cell * (uint64_t)s->width);
}

gm__span gm__span_in(const gm__span *s, int64_t cell, gm__tails low, gm__tails high)
{
    gm__span in = {.first = gm__cell_first(s, cell),
                   .end = gm__cell_first(s, cell + 1),
                   .even = s->even || !(gm__mass(low, high) >= LEAST_MASS),
                   .low = low,
                   .high = high};
    cut(&in);
    return in;
}

double gm__edge(const gm__packed *p, int64_t place)
{
    const gm__grid *g = &p->grid;
    if (gm__packed_counts(p))
        return gm__grid_value(g, place - 1);
    if (p->turn)
        return ((double)place - 0.5) / (double)p->turn * p->is.period;
    if (g->kind == GM__GRID_TABLE && place <= 0)
        return -INFINITY;
    if (g->kind == GM__GRID_TABLE && place >= g->count)
        return INFINITY;
    return gm__grid_value(g, place - 1) / 2 + gm__grid_value(g, place) / 2;
}

double gm__mass(gm__tails low, gm__tails high)
{
    return low.below < 0.5 ? high.below - low.below : low.above - high.above;
}

static uint32_t share(double part, int64_t symbols, int64_t before)
{
    double free = (double)(GM__RANS_TOTAL - LEAST_SHARE * symbols);
    part = part > 0 ? part < 1 ? part : 1 : 0; /* not a number: 0 */
    return (uint32_t)(part * free) + (uint32_t)(LEAST_SHARE * before);
}

uint32_t gm__cell_start(const gm__span *s, int64_t cell, gm__tails t)
{
    if (s->top)
        return share(t.below, s->cells + 2, cell + 1);
    if (cell == 0 || cell == s->cells)
        return cell ? GM__RANS_TOTAL : 0;
    if (s->even)
        return (uint32_t)((uint64_t)cell * GM__RANS_TOTAL / (uint64_t)s->cells);
    return share(gm__mass(s->low, t) / gm__mass(s->low, s->high), s->cells, cell);
}
