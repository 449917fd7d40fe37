/* Datasets as the layers above use them. */
#ifndef GM__DATA_H
#define GM__DATA_H
#include "data/schema.h"
#include "base/options.h"

const gm__schema *gm__dataset_schema(const gm_dataset *data);
gm_dataset *gm__dataset_retain(const gm_dataset *data);
/* Rows by number (index NULL: first, first + 1 ...) as doubles (count, columns). No failure: the
 * data was checked when made. */
void gm__dataset_rows(const gm_dataset *data, const int64_t *index, int64_t first, int64_t count,
                      double *out);
/* A new dataset that owns a copy of cells (rows, columns of the schema): what sample and decode
 * return. */
gm_status gm__dataset_make(gm_context *ctx, const gm__schema *schema, const double *cells,
                           int64_t rows, gm_dataset **data);

/* gm_dataset_select, gm_dataset_take and gm_dataset_split within a call that has entered the
 * context already. */
gm_status gm__dataset_select(gm_context *ctx, const gm_dataset *data, const int64_t *columns,
                             int64_t count, gm_dataset **view);
gm_status gm__dataset_take(gm_context *ctx, const gm_dataset *data, const int64_t *rows,
                           int64_t count, gm_dataset **view);
gm_status gm__dataset_split(gm_context *ctx, const gm_dataset *data, double fraction, uint64_t seed,
                            gm_dataset **first, gm_dataset **second);

/* The weights of the rows, scaled to the mean 1, from the column of the role WEIGHT; *weights is
 * NULL where there is none. Free (rows) doubles of the context's allocator. GM_E_DATA for a weight
 * that is negative, missing or infinite, all of them 0, or two such columns. */
gm_status gm__row_weights(gm_context *ctx, const gm_dataset *data, double **weights);

/* How a dataset's columns answer a model's schema: by name where both have names, else by position
 * among as many columns. Category numbers are translated by the categories' names; a category the
 * model never saw becomes GM__UNSEEN. */
#define GM__UNSEEN (-1.0)
#define GM__MATCH_MISSING (1 << 30) /* among the roles: cells may be missing, and are NaN then */
typedef struct gm__match gm__match;
/* wanted: the schema of the model; its columns of the roles in `roles` (bits 1 << role) are looked
 * for. Without names the data must have either as many columns as those, in their order, or as many
 * as the whole schema. Errors name the column that is missing, of another type, or has missing
 * values where the model takes none. */
gm_status gm__match_create(gm_context *ctx, const gm__schema *wanted, int roles,
                           const gm_dataset *data, gm__match **m);
void gm__match_free(gm__match *m);
int64_t gm__match_columns(const gm__match *m); /* how many are wanted */
/* As gm__dataset_rows, (count, wanted columns) in the order of the wanted schema. data is the
 * dataset the match was made for, or a view of its rows. */
void gm__match_rows(const gm__match *m, const gm_dataset *data, const int64_t *index, int64_t first,
                    int64_t count, double *out);

/* The options of CSV files: header, delimiter, quote, missing, on_missing, types; ended by a row of
 * zeros. */
extern const gm_option_row gm__csv_options[];
#endif
