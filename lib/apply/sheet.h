/* A table's text, cut into what its cells are and what stands between them; and how numbers are
 * written in it.
 *
 * A text is records and a tail. A record is a gap (blank lines, a byte order mark), cells with
 * delimiters between, and an end of line. Cells keep their blanks and quotes. */
#ifndef GM__SHEET_H
#define GM__SHEET_H
#include "base/context.h"
#include "base/text.h"

typedef struct gm__piece {
    const char *text;
    int64_t length;
} gm__piece;
typedef struct gm__sheet {
    gm__arena arena;
    char delimiter, quote; /* quote 0: none */
    int64_t records, columns;
    gm__piece *cells; /* (records, columns) */
    gm__piece *gaps;  /* (records) */
    int32_t *ends;    /* (records): which of gm__line_end */
    gm__piece tail;
} gm__sheet;
extern const char gm__line_ends[4][3]; /* "\n", "\r\n", "\r", "" */
/* Cuts text at a delimiter; *fits 0 where its records have not all the same number of cells, or
 * more than `columns`. The sheet borrows the text. GM_E_MEMORY. */
gm_status gm__sheet_cut(gm_context *ctx, const char *text, int64_t size, int64_t columns,
                        char delimiter, char quote, gm__sheet *s, int *fits);
void gm__sheet_clear(gm__sheet *s);

enum {
    GM__RULE_SHORT,    /* the shortest digits that read back, as gm__write_real has them */
    GM__RULE_REPR,     /* the same as Python has them: 1.0, 1e-05 */
    GM__RULE_FIXED,    /* %.*f */
    GM__RULE_EXPONENT, /* %.*e */
    GM__RULE_GENERAL,  /* %.*g */
    GM__RULE_NAME,     /* of a category */
    GM__RULE_QUOTED,   /* the same in quotes */
    GM__RULE_NEEDED,   /* in quotes where there is need */
    GM__RULES
};
#define GM__RULE_DIGITS 18
/* How a column's cells are written: before, the value, after; or what stands for a missing one. */
typedef struct gm__rule {
    int32_t kind, digits;
    gm__piece before, after, missing;
} gm__rule;
/* Appends a cell; name is that of the category, NULL for a number. marks: delimiter and quote. */
void gm__rule_write(const gm__rule *rule, double value, const char *name, const char marks[2],
                    gm__buffer *out);

#endif
