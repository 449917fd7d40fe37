/* Options tables: one row serves setters, checks, the tool, the bindings, the model file and the
 * manual. */
#ifndef GM__OPTIONS_H
#define GM__OPTIONS_H

#include "genmod/extend.h"
#include "base/context.h"
#include "base/text.h"

/* Ranges of a gm_option_row (genmod/extend.h):
 *
 *   INT, REAL  "lo..hi", "lo..", "..hi"; ( or ) excludes an end: "(0..1)". Words may follow, as in
 *              "1..64|auto": the first word reads as -1, the next as -2.
 *   CHOICE     "a|b|c"
 *   INTS       the range of each value; a list holds up to 64 values and may be empty
 *   others     "": BOOL is true, false, yes, no, on, off, 1 or 0; SEED is 0 to 2^64 - 1
 *
 * "" is any value. Where the default is "" there is none: the option reads as 0 or "". */

/* Values in force for one table or several: what a bag says, else the defaults. Immutable and
 * counted. */
typedef struct gm__values gm__values;

/* Checks a bag (may be NULL) against `count` tables and makes the values. The names of all tables
 * are allowed; where two hold one name, the first row that acts in `stage` counts. A name in the
 * bag whose row does not act in `stage` (a sum of GM_STAGE_) is GM_E_STAGE. owner is for texts:
 * "flow: option 'bins' is 1, must be 2 to 256". NULL in *values after a failure. */
gm_status gm__values_create(gm_context *ctx, const char *owner, const gm_option_row *const *tables,
                            int count, int32_t stage, const gm_options *bag, gm__values **values);
void gm__values_free(gm__values *values);
gm__values *gm__values_retain(gm__values *values);

/* Reading. The name must be in the tables; else 0 or "": a slip of the programmer's that tests
 * find. */

/* INT, BOOL, SEED (its bits), CHOICE (its index). */
int64_t gm__value_int(const gm__values *v, const char *name);
/* REAL, and what gm__value_int reads. */
double gm__value_real(const gm__values *v, const char *name);
/* Any type; numbers in one canonical form. */
const char *gm__value_text(const gm__values *v, const char *name);
/* INTS: how many, and where they are. */
int64_t gm__value_ints(const gm__values *v, const char *name, const int64_t **values);
/* Non-zero if the bag said it. */
int gm__value_given(const gm__values *v, const char *name);
/* Non-zero if the tables hold the name. */
int gm__value_known(const gm__values *v, const char *name);
/* Row, and value as text (may be NULL), by position; NULL past the end. */
const gm_option_row *gm__value_at(const gm__values *v, int i, const char **text);

/* A new bag, and an entry set from text, within a call that has entered the context already;
 * gm_options_free frees. */
gm_status gm__options_new(gm_context *ctx, gm_options **bag);
gm_status gm__options_put(gm_context *ctx, gm_options *bag, const char *name, const char *text);
/* The bag's own entries, in the order in which they were first set: the name; NULL past the end. */
const char *gm__options_at(const gm_options *bag, int i, const char **text);
/* The value of a name as text; NULL where it was not set. */
const char *gm__options_find(const gm_options *bag, const char *name);
/* Copies a bag's entries into another; what `from` says wins. from may be NULL. */
gm_status gm__options_merge(gm_context *ctx, gm_options *to, const gm_options *from);

/* Checks one value against one row, as gm__values_create does, with the same texts. */
gm_status gm__option_check(gm_context *ctx, const char *owner, const gm_option_row *row,
                           const char *text);
const gm_option_row *gm__option_find(const gm_option_row *table, const char *name);
/* Fills the members that info->struct_size has room for. */
void gm__option_info_fill(const gm_option_row *row, gm_option_info *info);

extern const gm_option_row gm__context_options[];

#endif
