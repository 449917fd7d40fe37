/* Datasets as the layers above use them. */
#ifndef GM__DATA_H
#define GM__DATA_H
#include "data/schema.h"
const gm__schema *gm__dataset_schema(const gm_dataset *data);
gm_dataset *gm__dataset_retain(const gm_dataset *data);
/* Rows by number (index NULL: first, first + 1 ...) as doubles (count, columns). No failure: the data was checked when made. */
void gm__dataset_rows(const gm_dataset *data, const int64_t *index, int64_t first, int64_t count, double *out);
/* A new dataset that owns a copy of cells (rows, columns of the schema): what sample and decode return. */
gm_status gm__dataset_make(gm_context *ctx, const gm__schema *schema, const double *cells, int64_t rows, gm_dataset **data);

/* How a dataset's columns answer a model's schema: by name where both have names, else by position among as many columns.
 * Category numbers are translated by the categories' names; a category the model never saw becomes GM__UNSEEN. */
#define GM__UNSEEN (-1.0)
typedef struct gm__match gm__match;
/* wanted: the schema of the model's columns of the roles in `roles` (bit 1 << role). Errors name the column that is missing or of another type. */
gm_status gm__match_create(gm_context *ctx, const gm__schema *wanted, int roles, const gm_dataset *data, gm__match **m);
void gm__match_free(gm__match *m);
/* As gm__dataset_rows, (count, wanted columns) in the order of the wanted schema. */
void gm__match_rows(const gm__match *m, const gm_dataset *data, const int64_t *index, int64_t first, int64_t count, double *out);
#endif
