/* What each column is; shared, counted, immutable once made. */
#ifndef GM__SCHEMA_H
#define GM__SCHEMA_H
#include "genmod/dataset.h"
#include "base/context.h"
#include "base/json.h"

#define GM__MAX_CATEGORIES 65536
#define GM__MAX_COLUMNS 1048576

typedef struct gm__column {
    char *name; /* NULL where the data has no names */
    int32_t type, role, missing;
    int64_t categories;
    char **
        category; /* their names, all different; never NULL when categories > 0, even for numbers */
    double low, high, resolution, period;
    int64_t missing_count;
} gm__column;
typedef struct gm__schema {
    gm_allocator allocator;
    int32_t owners; /* atomic */
    int64_t count;
    gm__column *columns;
    int32_t row_ndim; /* shape of a row, for images; 0 where it is a list of columns */
    int64_t row_shape[8];
} gm__schema;
gm__schema *gm__schema_retain(const gm__schema *s);
void gm__schema_release(gm__schema *s);

/* For makers of schemas, while nobody else has seen it. NULL or GM_E_MEMORY when memory is short;
 * no error is set in a context. create: columns are REAL features without names. select: copies of
 * columns by number (NULL: all). */
gm__schema *gm__schema_create(const gm_allocator *a, int64_t count);
gm__schema *gm__schema_select(const gm_allocator *a, const gm__schema *from, const int64_t *columns,
                              int64_t count);
/* Gives column `column` room for `count` categories (their names are NULL until set), in place of
 * those it had. */
gm_status gm__schema_set_categories(gm__schema *s, int64_t column, int64_t count);
gm_status gm__schema_set_text(gm__schema *s, char **place, const char *text, int64_t length);

int gm__type_is_category(
    int32_t type); /* BINARY, CATEGORY, ORDERED: cells are numbers of categories */
const char *gm__type_name(int32_t type); /* "real", "integer" ...; NULL for no type */
int32_t gm__type_find(const char *name, int64_t length); /* 0 for no such name */
/* "column 'x3'" or "column 3" (counted from 1), for error texts. */
typedef struct gm__label {
    char text[96];
} gm__label;
const char *gm__column_label(gm__label *label, const gm__schema *s, int64_t column);
/* The column of that name, or -1. */
int64_t gm__schema_find(const gm__schema *s, const char *name, int64_t length);
/* 1 if columns have names. */
int gm__schema_named(const gm__schema *s);

/* As JSON text into the buffer and back (the model file's metadata). parse believes nothing. */
void gm__schema_write(const gm__schema *s, gm__buffer *out);
gm_status gm__schema_parse(gm_context *ctx, const gm__json *json, gm__schema **s);
#endif
