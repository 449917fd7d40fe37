/* The law of one column given others, for rows of doubles in the user's units: what genmod/
 * conditional.h gives out, and what imputing, ranges and their like draw on. */
#ifndef GM__LAWS_H
#define GM__LAWS_H
#include "model/condition.h"
#include "nn/law.h"

typedef enum gm__laws_engine {
    GM__LAWS_BY_RAW, /* a graph gives the parameters of every law */
    GM__LAWS_BY_AT,  /* a graph gives every law at one value */
    GM__LAWS_BY_LAW, /* a direct family's own */
    GM__LAWS_BY_GRID /* log_prob along the column, given all others */
} gm__laws_engine;

typedef struct gm__laws {
    gm_allocator allocator;
    gm_model *model; /* counted */
    const gm__structure *s;
    gm__real real;
    gm__laws_engine engine;
    int free_order;           /* any columns may be known; 0: those before; -1: all others */
    int64_t d, width, params; /* the user's columns; columns of x; numbers a row has of a graph */
    int64_t *order, *rank;    /* (d) */
    int64_t *at;              /* (d) first column of x */
    gm__column_way *ways;     /* (d) */
    gm__law_place *places;    /* (width) of GM__LAWS_BY_RAW */
    int64_t column, n, room;  /* what was set last; rows there is room for; column -1: nothing */
    int64_t asked;            /* rows that were set */
    int fresh;                /* parameters are those of x */
    double *x, *next;         /* (room, width) x of the rows, 0 where unknown */
    double *mask;             /* (room, width) 1 where known */
    double *cond;             /* (room, given) conditions of the rows, if the model has some */
    double *numbers;          /* (room, params); walking, (room, stride) */
    gm__law_place law;        /* of GM__LAWS_BY_RAW: of the column, among a row's numbers */
    int64_t stride;           /* numbers from one row to the next */
    /* In a fixed order, what was set last, so that cells are mapped again only where they changed.
     */
    double *user;          /* (room, d) */
    unsigned char *inside; /* (room, d) the cell has support */
    double *mapped;        /* which of x and next holds it; NULL: nothing does */
    int64_t stale;         /* the least rank of a column that is not what the numbers rest on */
    /* In a fixed order, where the network can go along (laws_walk.c): no x, next, mask, inside. */
    struct gm__walk *walk;
    int walking;              /* the room is for that */
    int64_t reached;          /* places that are computed, after it none; -1: nothing begun */
    unsigned char *seen;      /* (room, width) bytes, for direct families */
    gm_law *laws;             /* (room) of GM__LAWS_BY_LAW and _GRID: one for rows alike */
    int64_t *law_of, *row_of; /* (room) a row's law, and its number there */
    int64_t law_count;
} gm__laws;

/* GM_E_UNSUPPORTED where the model has no laws. grid: where its family has none but an exact
 * log_prob, laws of one column given all others come from that. */
gm_status gm__laws_create(gm_context *ctx, const gm_model *model, gm__real real, int grid,
                          gm__laws **g);
void gm__laws_free(gm__laws *g);
/* The laws of `column` in n rows x (n, d) given their cells where known (n, d) is not 0. row0: the
 * number of the first row, for texts; cond (n, given): their conditions, NULL where the model has
 * none; GM_E_DATA for a known cell without support. */
gm_status gm__laws_set(gm_context *ctx, gm__laws *g, int64_t n, const double *x,
                       const unsigned char *known, const double *cond, int64_t column,
                       int64_t row0);
/* Goes on with the rows that were set: the column asked for is known now, at value (asked), and
 * `column` is asked for. Nothing is set after an error. */
gm_status gm__laws_next(gm_context *ctx, gm__laws *g, const double *value, int64_t column);
/* Whether `column` may be asked given those. */
int gm__laws_may(const gm__laws *g, const unsigned char *known, int64_t column);
/* Of rows [first, first + count) at value (count), each output NULL or (count): as the public
 * calls. */
gm_status gm__laws_at(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                      const double *value, double *logp, double *below, double *above);
/* The value up to which below[i] of the mass lies and above[i] beyond, the lesser of which counts:
 * both (count), together 1. */
gm_status gm__laws_quantile(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                            const double *below, const double *above, double *value);

/* A value that stands for each row's law: GM__BY_MEAN, of whole numbers rounded, of circular
 * columns the direction's, of categories the mode; GM__BY_MEDIAN; GM__BY_MODE, the most probable
 * value, of real columns where the density is greatest. */
typedef enum gm__law_point { GM__BY_DRAW, GM__BY_MEAN, GM__BY_MEDIAN, GM__BY_MODE } gm__law_point;
gm_status gm__laws_point(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                         gm__law_point point, double *value);
/* The direction of a sum of unit vectors (c, s), in [0, period). */
double gm__laws_direction(gm_context *ctx, double s, double c, double period);

/* ---- Below -----------------------------------------------------------------------------------
 */

/* As gm__laws_at, in units of x; of categories by number. */
gm_status gm__laws_points(gm_context *ctx, gm__laws *g, int64_t first, int64_t count,
                          const double *y, double *logp, double *below, double *above);
/* The least and the greatest whole number or category of the column. */
void gm__laws_range(const gm__laws *g, int64_t column, double *low, double *high);
/* Fills g->laws from log_prob: laws_grid.c. */
gm_status gm__laws_grid(gm_context *ctx, gm__laws *g, const double *user, int64_t column);
/* Values of log_prob's options, in the precision of g. */
gm_status gm__laws_log_prob_values(gm_context *ctx, const gm__laws *g, gm__values **values);

/* Columns of x that a column of the user's takes. */
int64_t gm__laws_columns(const gm__laws *g, int64_t j);
/* GM_E_DATA for a known cell without support. */
gm_status gm__laws_refuse(gm_context *ctx, const gm__laws *g, int64_t row, int64_t j, double v);

/* Value by value (laws_walk.c): makes g->walk where the model can; whether n rows are to go that
 * way; the most numbers of a law; gm__laws_set and gm__laws_next. */
gm_status gm__laws_walk_create(gm_context *ctx, gm__laws *g);
int gm__laws_walks(const gm__laws *g, int64_t n);
int64_t gm__laws_longest(const gm__laws *g);
gm_status gm__laws_walk_set(gm_context *ctx, gm__laws *g, int64_t n, const double *x,
                            const unsigned char *known, const double *cond, int64_t column,
                            int64_t row0);
gm_status gm__laws_walk_next(gm_context *ctx, gm__laws *g, const double *value, int64_t column);

/* The graph of a family's laws, `parameters` or values: (batch, params) or (batch, 3 width), WIDE.
 * Inputs "given" and "known". */
gm_node *gm__laws_build(gm_builder *b, const gm__structure *s);

#endif
