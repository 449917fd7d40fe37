/* Columns one after another in the fixed order of a family's conditionals, where each value of the
 * network is computed once (graph/causal.h): drawn, or their laws. */
#ifndef GM__WALK_H
#define GM__WALK_H
#include "model/model.h"

typedef struct gm__walk gm__walk;

/* *walk is NULL where the family or the network is another. */
gm_status gm__walk_create(gm_context *ctx, gm__structure *s, gm__real real, gm__walk **walk);
/* To draw rows, of families of several networks too, each in an order of its own. */
gm_status gm__walk_create_all(gm_context *ctx, gm__structure *s, gm__real real, gm__walk **walk);
void gm__walk_free(gm__walk *walk);
/* The one of a program, for calls with its parameters. */
gm_status gm__program_walk(gm_context *ctx, const gm_model *model, gm__program *p, gm__walk **walk);

/* What the rows of a call are; pointers are in the walk's precision. */
typedef struct gm__walk_call {
    const void *params, *temperature, *condition; /* (n, width); NULL where there is none */
    uint64_t seed;
    int64_t row0, n, width;
} gm__walk_call;
/* Rows drawn, (n, columns of x): the bits of the sequence's steps. */
gm_status gm__walk_sample(gm_context *ctx, gm__walk *w, const gm__walk_call *call, double *x);

/* ---- Laws ------------------------------------------------------------------------------------ */

enum { GM__WALK_ROWS = 512 }; /* at most in one call */

/* Bytes that a row takes until another begin. */
size_t gm__walk_row(const gm__walk *w);
/* n rows with conditions (n, width), or NULL. */
gm_status gm__walk_begin(gm_context *ctx, gm__walk *w, int64_t n, const double *condition,
                         int64_t width);
/* Column `column` of x in rows [first, first + count), of at most GM__WALK_ROWS. */
void gm__walk_put(gm_context *ctx, gm__walk *w, int64_t column, int64_t first, int64_t count,
                  const double *x);
/* After the columns of all places before it. */
void gm__walk_advance(gm_context *ctx, gm__walk *w, const void *params, int64_t place);
/* The parameters of the law of the column at `place` in such rows, (count, those of the column):
 * the bits of the model's graph of laws. */
gm_status gm__walk_law(gm_context *ctx, gm__walk *w, int64_t place, int64_t first, int64_t count,
                       double *numbers);

#endif
