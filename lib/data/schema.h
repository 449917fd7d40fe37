/* What each column is; shared, counted, immutable once made. */
#ifndef GM__SCHEMA_H
#define GM__SCHEMA_H
#include "genmod/dataset.h"
#include "base/context.h"
#include "base/json.h"
typedef struct gm__column {
    char *name;
    int32_t type, role, missing;
    int64_t categories;
    char **category;        /* names; NULL for numbers that name themselves? never NULL when categories > 0 */
    double low, high, resolution, period;
    int64_t missing_count;
} gm__column;
typedef struct gm__schema {
    gm_allocator allocator;
    int32_t owners;         /* atomic */
    int64_t count;
    gm__column *columns;
    int32_t row_ndim;       /* shape of a row, for images; 0 where it is a list of columns */
    int64_t row_shape[8];
} gm__schema;
gm__schema *gm__schema_retain(const gm__schema *s);
void gm__schema_release(gm__schema *s);
/* As JSON text into the buffer and back (the model file's metadata). parse believes nothing. */
void gm__schema_write(const gm__schema *s, gm__buffer *out);
gm_status gm__schema_parse(gm_context *ctx, const gm__json *json, gm__schema **s);
#endif
