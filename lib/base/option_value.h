/* One option's value: from text, against the range of its row. */
#ifndef GM__OPTION_VALUE_H
#define GM__OPTION_VALUE_H

#include "base/options.h"

enum { GM__MOST_INTS = 64 };

typedef struct gm__option_value {
    int64_t whole; /* INT, BOOL, SEED (bits), CHOICE (index), and words of INT and REAL */
    double real;   /* REAL, and `whole` as a real */
    int64_t count; /* INTS */
    int64_t ints[GM__MOST_INTS];
} gm__option_value;

/* Reads text as row says; GM_E_RANGE, with its text, if it is not what the row allows. */
gm_status gm__option_read(gm_context *ctx, const char *owner, const gm_option_row *row,
                          const char *text, gm__option_value *value);
/* The value in canonical form, added to b. text is what it was read from. */
void gm__option_write(gm__buffer *b, const gm_option_row *row, const gm__option_value *value,
                      const char *text);

#endif
