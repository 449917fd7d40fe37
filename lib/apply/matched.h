/* The rows of a dataset as a model's columns. */
#ifndef GM__MATCHED_H
#define GM__MATCHED_H
#include "apply/coder.h"

/* Zero is none. */
typedef struct gm__matched {
    gm_dataset *view;   /* the model's columns in its order, of its kinds */
    int64_t **category; /* (d): what category k of the view is for the model; NULL for numbers */
} gm__matched;

/* Finds each column of k by name, or by place; tells k of categories that the model has not. Where
 * taken is NULL, features that the model has not are refused; else (d) it becomes the columns that
 * were found. */
gm_status gm__matched_open(gm__coder *k, const gm_dataset *rows, int64_t *taken, gm__matched *m);
void gm__matched_clear(gm__matched *m);
/* Rows [first, first + count) into out (count, d); missing cells are NaN. */
gm_status gm__matched_read(gm__coder *k, const gm__matched *m, int64_t first, int64_t count,
                           double *out);
/* One column of all rows (from k->arena's memory: none), missing cells left out; *n how many. */
gm_status gm__matched_column(gm__coder *k, const gm__matched *m, int64_t column, double *out,
                             int64_t *n);

#endif
