/* Options tables: one row serves setters, checks, the tool, the bindings, the model file and the manual. */
#ifndef GM__OPTIONS_H
#define GM__OPTIONS_H
#include "genmod/extend.h"
#include "base/context.h"
#include "base/text.h"

/* Values in force for a table or several: what a bag says, else the defaults. */
typedef struct gm__values gm__values;

/* Checks a bag (may be NULL) against up to `count` tables (the names of all of them are allowed; `stage` says
 * which stages act here: a name of another stage is GM_E_STAGE) and makes the values. owner is for texts: "flow". */
gm_status gm__values_create(gm_context *ctx, const char *owner, const gm_option_row *const *tables, int count,
                            int32_t stage, const gm_options *bag, gm__values **values);
void gm__values_free(gm__values *values);
gm__values *gm__values_retain(gm__values *values);
/* Reading; the name must be in the tables (else 0, ""): a slip of the programmer that tests find. */
int64_t gm__value_int(const gm__values *v, const char *name);   /* INT, BOOL, SEED, CHOICE (index of the choice) */
double gm__value_real(const gm__values *v, const char *name);   /* REAL, INT */
const char *gm__value_text(const gm__values *v, const char *name); /* every type in text form */
int64_t gm__value_ints(const gm__values *v, const char *name, const int64_t **values); /* count */
int gm__value_given(const gm__values *v, const char *name);     /* the bag said it (not the default) */
/* Row and text value by position, for files and introspection; NULL past the end. */
const gm_option_row *gm__value_at(const gm__values *v, int i, const char **text);
/* The bag's own entries. */
const char *gm__options_at(const gm_options *bag, int i, const char **text); /* name; NULL past the end */
const gm_option_row *gm__option_find(const gm_option_row *table, const char *name);
void gm__option_info_fill(const gm_option_row *row, gm_option_info *info); /* honours struct_size */
/* A copy of a bag's entries into another (later wins). */
gm_status gm__options_merge(gm_context *ctx, gm_options *to, const gm_options *from);
extern const gm_option_row gm__context_options[];
#endif
