/* Columns by their roles in fits, and the conditions of a call's rows. */
#ifndef GM__CONDITION_H
#define GM__CONDITION_H
#include "model/model.h"

/* ---- Columns --------------------------------------------------------------------------------- */

/* What a fit of the family takes of its training data: a view of the features, then the
 * conditions, then the weight, of the rows whose weight is not 0. GM_E_UNSUPPORTED for conditions
 * that the family does not take, GM_E_DATA where there are no features, or conditions or weights
 * that cannot be used. */
gm_status gm__fit_columns(gm_context *ctx, const gm_family *family, const gm_dataset *data,
                          gm_dataset **columns);
/* *columns becomes a view without the rows whose weight is 0. */
gm_status gm__drop_weightless(gm_context *ctx, gm_dataset **columns);
/* The model's schema of such a view: all but the weight. */
gm_status gm__fit_schema(gm_context *ctx, const gm_dataset *columns, gm__schema **schema);
/* The data as a schema that was so made expects it where columns have no names: features, then
 * conditions, by the data's own roles. With names, and where all columns are features, the data
 * itself. */
gm_status gm__in_order(gm_context *ctx, const gm_dataset *data, gm_dataset **ordered);
/* How data (in order) answers the conditions of a schema. alone: without names it may have those
 * columns only. */
gm_status gm__match_conditions(gm_context *ctx, const gm__schema *schema, const gm_dataset *data,
                               int alone, gm__match **match);

/* ---- Conditions of a call -------------------------------------------------------------------- */

/* Where the conditions of a call's rows come from; one row of them may serve all. Conditions that
 * were last asked for stay at hand. */
struct gm__given {
    gm_allocator allocator;
    const char *call;
    const gm__structure *s; /* NULL: the model has none, and nothing is done */
    const gm_array *array;  /* (count, c) or (1, c); or */
    gm_dataset *data;       /* counted */
    gm__match *match;
    int one;                    /* a row serves all */
    int64_t room, first, count; /* of the buffers, and what they hold */
    double *cells, *wide;       /* (room, c), (room, given) */
    float *narrow;              /* (room, given) */
};
/* Of `rows` rows: cond if it is given, else the columns of data (may be NULL), found by name. Sets
 * *given, to be closed, also after a failure. GM_E_ARG where the model has conditions and none are
 * there, or the other way round; GM_E_SHAPE; GM_E_UNKNOWN for a column that data lacks. */
gm_status gm__given_open(gm_context *ctx, const char *call, const gm_model *model,
                         const gm_array *cond, const gm_dataset *data, int64_t rows,
                         gm__given *given);
void gm__given_close(gm__given *given);
/* Conditions of rows [first, first + n) for a program of that precision: (n, given), valid until
 * the next call; NULL where there are none. given may be NULL. GM_E_DATA with row and column. */
gm_status gm__given_load(gm_context *ctx, gm__given *given, gm__real real, int64_t first, int64_t n,
                         const void **out);
/* Likewise, as the input of a program (NULL: none). */
gm_status gm__given_input(gm_context *ctx, gm__given *given, const gm__program *program,
                          int64_t first, int64_t n, const void **inputs);
/* The rows of a call on an array or, where has_data, on a dataset. */
typedef struct gm__source {
    const gm_array *array;
    const gm_dataset *data;
    int has_data;
} gm__source;
/* Opens both: rows of the source, with the conditions that go with them. Both are to be closed,
 * also after a failure. Errors as of gm__rows_of_array, gm__rows_of_data and gm__given_open. */
gm_status gm__rows_open(gm_context *ctx, const char *call, const gm_model *model,
                        const gm__source *source, const gm_array *cond, gm__given *given,
                        gm__rows *rows);
void gm__rows_close(gm__rows *rows, gm__given *given);
/* All rows of data as a model's network takes its conditions: (rows, given) doubles, to be freed;
 * NULL where the model has none. */
gm_status gm__given_all(gm_context *ctx, const gm__structure *s, const gm_dataset *data,
                        double **out);
#endif
