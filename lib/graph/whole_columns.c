/* Running the operation "columns": strips of rows side by side in the lanes, column after column.
 *
 * Everything that a strip finds lies as (values, lanes): the columns, what the network sees of
 * them, the units of each layer. Cost: the multiply-adds of one pass through the network, of which
 * a broadcast of a weight feeds all lanes. */
#include "graph/columns.h"
#include "graph/plan.h"

#include <string.h>

#define LANES 64
static const double pi = 3.14159265358979323846;

/* What one strip works with: pointers are to `lanes` values a row. */
typedef struct work {
    gm__solved s;
    const gm__step *step;
    const gm__exec *e;
    const gm__kernels *k;
    gm__real real;
    size_t size;    /* bytes of a value */
    int64_t lanes;  /* of this strip: a multiple of 16 */
    char *x, *seen; /* columns found, and as the network sees them */
    char *given;    /* NULL: none */
    char *unit[32]; /* by linear layer: as the next reads them */
    char *carried;  /* units of one column that residual blocks add to */
    char *raw, *p, *t;
    int64_t nseen;
} work;

/* ---- Sizes ----------------------------------------------------------------------------------- */

static int64_t widest(const gm__solved *s, int64_t *raw)
{
    int64_t most = 0;
    *raw = 0;
    for (int64_t j = 0; j < s->count; j++) {
        int64_t n = gm__solved_raw(s, j);
        *raw = n > *raw ? n : *raw;
    }
    for (int64_t l = 0; l + 1 < s->linears; l++)
        for (int64_t j = 0; j < s->count; j++) {
            int64_t n = gm__solved_units(s, l, j + 1) - gm__solved_units(s, l, j);
            most = n > most ? n : most;
        }
    return most;
}

static int64_t all_seen(const gm__solved *s)
{
    int64_t n = 0;
    for (int64_t j = 0; j < s->count; j++)
        n += gm__solved_seen(s, j);
    return n;
}

/* Cuts the scratch up; returns its bytes. */
static size_t cut(work *w, char *at)
{
    const gm__solved *s = &w->s;
    int64_t raw, most = widest(s, &raw);
    size_t row = LANES * w->size, used = 0;
    w->x = at;
    used += (size_t)s->count * row;
    w->seen = at + used;
    used += (size_t)all_seen(s) * row;
    for (int64_t l = 0; l + 1 < s->linears; l++) {
        w->unit[l] = at + used;
        used += (size_t)gm__solved_units(s, l, s->count) * row;
    }
    w->given = s->given ? at + used : NULL;
    used += s->given ? (size_t)gm__solved_units(s, 0, s->count) * row : 0;
    w->carried = at + used;
    used += (size_t)most * row;
    w->raw = at + used;
    used += (size_t)raw * row;
    w->p = at + used;
    used += (size_t)raw * row;
    w->t = at + used;
    return used + 2 * row;
}

static size_t size_of(gm__real real)
{
    return real == GM__F64 ? 8 : 4;
}

size_t gm__columns_scratch(const gm__plan *plan, const gm__step *s)
{
    char none[1] = {0}; /* only the distance from it counts */
    work w = {.s = gm__solved_of(s->attr), .size = size_of(plan->values[s->y].real)};
    return cut(&w, none);
}

double gm__columns_operations(const gm__plan *plan, const gm__step *s)
{
    gm__solved v = gm__solved_of(s->attr);
    double sum = 0, below = 0;
    for (int64_t j = 0; j < v.count; j++) {
        for (int64_t l = 0; l + 1 < v.linears; l++) {
            double in = l ? (double)gm__solved_units(&v, l - 1, j + 1) : below;
            sum += in * (double)(gm__solved_units(&v, l, j + 1) - gm__solved_units(&v, l, j));
        }
        sum += (double)gm__solved_raw(&v, j) * (double)gm__solved_units(&v, v.linears - 2, j + 1);
        below += (double)gm__solved_seen(&v, j);
    }
    return 2 * sum * (double)plan->values[s->y].rows;
}

/* ---- Rows to lanes and back ------------------------------------------------------------------ */

/* (rows, columns) to (columns, lanes), zero in the lanes without a row. */
static void to_lanes(const work *w, char *to, const char *from, int64_t rows, int64_t columns)
{
    for (int64_t j = 0; j < columns; j++) {
        char *y = to + (size_t)(j * w->lanes) * w->size;
        const char *x = from + (size_t)j * w->size;
        memset(y, 0, (size_t)w->lanes * w->size);
        for (int64_t i = 0; i < rows; i++)
            memcpy(y + (size_t)i * w->size, x + (size_t)(i * columns) * w->size, w->size);
    }
}

static void to_rows(const work *w, char *to, const char *from, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            memcpy(to + (size_t)(i * columns + j) * w->size,
                   from + (size_t)(j * w->lanes + i) * w->size, w->size);
}

/* ---- Arithmetic on lanes --------------------------------------------------------------------- */

static void *lane(const work *w, char *from, int64_t row)
{
    return from + (size_t)(row * w->lanes) * w->size;
}

static void map1(const work *w, int map, void *y, const void *x, int64_t rows)
{
    w->k->maps->map1[w->real][map](y, x, rows * w->lanes);
}

static void map2(const work *w, int map, void *y, const void *a, const void *b, int64_t rows)
{
    w->k->maps->map2[w->real][map](y, a, b, rows * w->lanes);
}

static void axpb(const work *w, void *y, const void *x, double scale, double shift)
{
    w->k->maps->axpb[w->real](y, x, scale, shift, w->lanes);
}

/* x - 2 pi floor(x / (2 pi) + 1/2); t is scratch. */
static void wrap(const work *w, void *x, void *t)
{
    axpb(w, t, x, 1 / (2 * pi), 0);
    axpb(w, t, t, 1, 0.5);
    map1(w, GM__FLOOR, t, t, 1);
    axpb(w, t, t, 2 * pi, 0);
    map2(w, GM__SUB, x, x, t, 1);
}

/* y (rows, lanes) = products with columns [from, from + rows) of linear layer l, and their bias. */
static void linear(const work *w, int64_t l, char *y, const char *h, int64_t k, int64_t from,
                   int64_t rows)
{
    const gm__value *weight = &w->e->plan->values[w->step->x[1 + 2 * l]];
    const char *a = w->e->ptr[w->step->x[1 + 2 * l]], *bias = w->e->ptr[w->step->x[2 + 2 * l]];
    w->k->units->run[w->real](y, h, a + (size_t)from * w->size, w->lanes, weight->w, k, rows);
    for (int64_t i = 0; i < rows; i++)
        w->k->maps->map2_right[w->real][GM__ADD](lane(w, y, i), lane(w, y, i),
                                                 bias + (size_t)(from + i) * w->size, w->lanes);
}

static void act(const work *w, void *y, const void *x, int64_t rows)
{
    if (w->s.act == GM__ACT_NONE)
        memmove(y, x, (size_t)(rows * w->lanes) * w->size);
    else if (w->s.act == GM__ACT_LEAKY)
        w->k->maps->leaky[w->real](y, x, 0.01, rows * w->lanes);
    else
        map1(w, w->s.act, y, x, rows);
}

/* ---- A column -------------------------------------------------------------------------------- */

/* The units that see exactly the columns below j. */
static void hidden(work *w, int64_t j)
{
    const gm__solved *s = &w->s;
    for (int64_t l = 0; l + 1 < s->linears; l++) {
        int64_t from = gm__solved_units(s, l, j), n = gm__solved_units(s, l, j + 1) - from;
        int64_t k = l ? gm__solved_units(s, l - 1, j + 1) : w->nseen;
        char *y = lane(w, w->unit[l], from);
        if (n == 0)
            continue;
        linear(w, l, y, l ? w->unit[l - 1] : w->seen, k, from, n);
        if (l == 0 && w->given)
            map2(w, GM__ADD, y, y, lane(w, w->given, from), n);
        if (!s->residual || l % 2 == 1) {
            act(w, y, y, n);
            continue;
        }
        if (l == 0)
            act(w, y, y, n);
        else
            map2(w, GM__ADD, y, w->carried, y, n);
        memcpy(w->carried, y, (size_t)(n * w->lanes) * w->size);
        if (l + 2 < s->linears)
            act(w, y, y, n);
    }
}

/* x = the spline's inverse of x; parameters from row `from` of raw on. */
static void spline(work *w, void *x, int64_t from, double bound)
{
    int64_t each = 3 * w->s.bins - 1;
    gm__spline s = {w->real, (int)w->s.bins, bound, w->s.min_bin, w->s.min_slope, 1};
    to_rows(w, w->p, lane(w, w->raw, from), w->lanes, each);
    w->k->splines->run(&s, x, w->t, x, w->p, w->lanes);
}

/* x = z exp(L tanh(s / L)) + mu. */
static void affine(work *w, void *x)
{
    char *s = lane(w, w->raw, 1);
    if (w->s.most != 1)
        axpb(w, s, s, 1 / w->s.most, 0);
    map1(w, GM__TANH, s, s, 1);
    axpb(w, s, s, w->s.most, 0);
    map1(w, GM__EXP, s, s, 1);
    map2(w, GM__MUL, x, x, s, 1);
    map2(w, GM__ADD, x, x, w->raw, 1);
}

/* Column j of x, which holds z's, becomes x's. */
static void column(work *w, int64_t j)
{
    void *x = lane(w, w->x, j);
    if (w->s.circle[j]) {
        wrap(w, x, w->t);
        spline(w, x, 1, pi);
        map2(w, GM__ADD, x, x, w->raw, 1);
        wrap(w, x, w->t);
        map1(w, GM__COS, lane(w, w->seen, w->nseen++), x, 1);
        map1(w, GM__SIN, lane(w, w->seen, w->nseen++), x, 1);
        return;
    }
    if (w->s.map == GM__COLUMN_SPLINE)
        spline(w, x, 0, w->s.bound);
    else if (w->s.map == GM__COLUMN_AFFINE)
        affine(w, x);
    else
        map2(w, GM__ADD, x, x, w->raw, 1);
    memcpy(lane(w, w->seen, w->nseen++), x, (size_t)w->lanes * w->size);
}

static void strip(work *w, int64_t row0, int64_t rows)
{
    const gm__step *s = w->step;
    const gm__solved *v = &w->s;
    int64_t last = v->linears - 1, out = 0, units = gm__solved_units(v, 0, v->count);
    w->lanes = (rows + 15) / 16 * 16;
    w->nseen = 0;
    to_lanes(w, w->x, (char *)w->e->ptr[s->x[0]] + (size_t)(row0 * v->count) * w->size, rows,
             v->count);
    if (w->given)
        to_lanes(w, w->given,
                 (char *)w->e->ptr[s->x[1 + 2 * v->linears]] + (size_t)(row0 * units) * w->size,
                 rows, units);
    for (int64_t j = 0; j < v->count; j++) {
        int64_t n = gm__solved_raw(v, j);
        hidden(w, j);
        linear(w, last, w->raw, w->unit[last - 1], gm__solved_units(v, last - 1, j + 1), out, n);
        column(w, j);
        out += n;
    }
    to_rows(w, (char *)w->e->ptr[s->y] + (size_t)(row0 * v->count) * w->size, w->x, rows, v->count);
}

void gm__whole_columns(const gm__step *s, const gm__exec *e, int part, int parts)
{
    const gm__value *y = &e->plan->values[s->y];
    int64_t strips = (y->rows + LANES - 1) / LANES;
    work w = {.s = gm__solved_of(s->attr), .step = s, .e = e, .k = e->kernels, .real = y->real};
    w.size = size_of(y->real);
    cut(&w, e->plan->scratch + e->plan->scratch_part * (size_t)part);
    for (int64_t t = strips * part / parts; t < strips * (part + 1) / parts; t++) {
        int64_t left = y->rows - t * LANES;
        strip(&w, t * LANES, left < LANES ? left : LANES);
    }
}
