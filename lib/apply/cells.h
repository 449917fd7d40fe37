/* One column's cells as symbols: places of the column's grid, by what a model says of them.
 *
 * A span of places is cut into at most GM__CELLS cells of equal width; the cell that the place is
 * in is one symbol, and the next span, until a cell is one place. The probability of a cell is the
 * law's mass between its edges, as its share of the span's: cumulative shares are rounded down to
 * integers, plus 4 a cell, so that every cell has some and rounding in the law cannot turn two of
 * them around. A span of less mass than 2^-20 is shared out evenly: there the law's rounding would
 * begin to show, and a law is flat. */
#ifndef GM__CELLS_H
#define GM__CELLS_H
#include "apply/grid.h"
#include "apply/rans.h"
#include "genmod/conditional.h"

#define GM__CELLS 1024

/* A column as an archive has it. */
typedef struct gm__packed {
    gm_column is;       /* as the model has it */
    const double *list; /* (listed) values that the model knows, rising; NULL: none */
    int64_t listed;
    int own;              /* the grid is that list */
    gm__grid grid;        /* whole numbers where the column counts */
    int64_t low, high;    /* the places that the law codes, both included */
    int64_t turn, from;   /* circular, and a turn is a place: places are taken from `from` on, and
                             coded modulo turn; else 0 */
    int64_t missing;      /* cells */
    int64_t minus, zeros; /* cells that are -0, where the grid knows 0 alone; and of any sign */
    char **extra; /* (extras) categories that the model has not; their numbers follow its own */
    int64_t extras;
} gm__packed;

/* What tells -0 from 0 once the place is known, as a symbol: -0 is [0, that); 0 where none is. */
uint32_t gm__packed_minus(const gm__packed *p, double value);
/* low and high from grid and model; whether a column counts. */
void gm__packed_range(gm__packed *p);
int gm__packed_counts(const gm__packed *p);
/* The place of a cell, 0 where the law codes none; and back. */
int gm__packed_place(const gm__packed *p, double value, int64_t *place);
double gm__packed_value(const gm__packed *p, int64_t place);

/* The probabilities below an edge and above it. */
typedef struct gm__tails {
    double below, above;
} gm__tails;

/* Places [first, end) in cells of `width`, with the tails at its edges. */
typedef struct gm__span {
    int64_t first, end, width;
    int32_t cells;
    int32_t top;  /* what is outside has a symbol on either side */
    int32_t even; /* shared out evenly */
    gm__tails low, high;
} gm__span;
/* The whole column: tails are to be filled in. And one cell of a span. */
gm__span gm__span_top(const gm__packed *p);
gm__span gm__span_in(const gm__span *s, int64_t cell, gm__tails low, gm__tails high);
/* Where a column's law is asked for the edge under a place. */
double gm__edge(const gm__packed *p, int64_t place);
/* The first place of a cell; of the last plus one the span's end. */
int64_t gm__cell_first(const gm__span *s, int64_t cell);
/* Where the symbol of a cell begins, given the tails at its lower edge; cell `cells` is where the
 * last one ends. */
uint32_t gm__cell_start(const gm__span *s, int64_t cell, gm__tails t);
double gm__mass(gm__tails low, gm__tails high);

#endif
