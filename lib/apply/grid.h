/* Doubles as whole numbers: the places of a grid on which a column's values lie, each of them to
 * the bit. */
#ifndef GM__GRID_H
#define GM__GRID_H
#include "base/context.h"

enum {
    GM__GRID_DECIMAL = 0, /* place m is m / 10^digits, rounded: what people write down */
    GM__GRID_PART = 1,    /* m / part, rounded: 1/255 */
    GM__GRID_TABLE = 2,   /* the m-th of a list of values */
    GM__GRID_FLOAT = 3,   /* every float, in order */
    GM__GRID_DOUBLE = 4   /* every double, in order */
};
#define GM__GRID_DIGITS 22
typedef struct gm__grid {
    int32_t kind;
    int32_t digits; /* of DECIMAL */
    int32_t narrow; /* DECIMAL and PART: rounded to a float as well */
    double part;
    double *table; /* (count), rising by their bits' order: -0 before 0 */
    int64_t count;
} gm__grid;

/* Whole numbers in the order of the doubles, -0 before 0, and back: -1 is -0, 0 is 0. */
int64_t gm__double_place(double value);
double gm__double_at(int64_t place);

/* The value at a place. Places of FLOAT and DOUBLE that are no finite number give an infinity or
 * NaN; places of TABLE beyond its ends its ends. */
double gm__grid_value(const gm__grid *g, int64_t place);
/* The place of a value, to the bit; 0 where it has none. */
int gm__grid_find(const gm__grid *g, double value, int64_t *place);
/* The place nearest to a finite value, between the outermost ones. */
int64_t gm__grid_nearest(const gm__grid *g, double value);
/* The first and the last place there are. */
void gm__grid_ends(const gm__grid *g, int64_t *first, int64_t *last);

/* A list of rising values as a table, which is copied; and whether all but one in 256 of n finite
 * values are in it. GM_E_MEMORY. */
gm_status gm__grid_list(gm_context *ctx, const double *list, int64_t count, gm__grid *g);
int gm__grid_fits(const gm__grid *g, const double *values, int64_t n);
/* The coarsest grid of all but one in 256 of n finite values, which it sorts. The table is
 * allocated for gm__grid_clear. GM_E_MEMORY. */
gm_status gm__grid_choose(gm_context *ctx, double *values, int64_t n, gm__grid *g);
void gm__grid_clear(gm_context *ctx, gm__grid *g);

#endif
