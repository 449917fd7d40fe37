/* How a form is laid out, for its writer and its reader.
 *
 * A form is a number, its length, and gm__bytes_pack of: what the header is, delimiter and quote,
 * number of columns; of each column where its cells come from and how they are written; of each
 * record what stands before it and how it ends; the tail; the cells of columns that come from
 * nowhere; the cells that are written otherwise. Numbers are 7 bits a byte, lowest first; texts end
 * with a zero. */
#ifndef GM__FORM_PARTS_H
#define GM__FORM_PARTS_H
#include "apply/text_form.h"

enum { GM__HEAD_NONE, GM__HEAD_NAMES, GM__HEAD_TEXT, GM__HEADS };
typedef struct gm__form {
    int32_t head;
    char delimiter, quote;
    int64_t columns, rows;
    int64_t *source;  /* (columns): of the rows, plus 1; 0 none */
    gm__rule *rules;  /* (columns) */
    int32_t line_end; /* of most records */
} gm__form;

void gm__form_number(gm__buffer *out, uint64_t value);

/* Appends the cell of row r in column c: from values (rows, d). */
typedef struct gm__form_rows {
    const gm_dataset *rows;
    const double *values;
    int64_t d;
} gm__form_rows;
void gm__form_cell(const gm__form *f, const gm__form_rows *from, int64_t r, int64_t c,
                   gm__buffer *out);
/* The header that names the columns; 0 where one has none. */
int gm__form_names(gm_context *ctx, const gm__form *f, const gm_dataset *rows, gm__buffer *out);
/* All values of rows, to be freed by gm__free (rows times d). */
gm_status gm__form_values(gm_context *ctx, const gm_dataset *rows, gm__form_rows *from);
void gm__form_rows_clear(gm_context *ctx, gm__form_rows *from);

#endif
