/* What a table's rows do not say of its text: a form, by which the rows become the text again. */
#ifndef GM__TEXT_FORM_H
#define GM__TEXT_FORM_H
#include "apply/sheet.h"
#include "apply/unpack.h"

/* The rows that a text holds. */
gm_status gm__text_rows(gm_context *ctx, const gm__piece *text, const gm_options *csv,
                        gm_dataset **rows);
/* The form of a text of `columns` columns into out. rows holds what will be known of it: column i
 * of rows is column taken[i] of the text. *fits 0 where no form brings back every byte. */
gm_status gm__text_form(gm_context *ctx, const gm__piece *text, int64_t columns,
                        const gm_dataset *rows, const int64_t *taken, gm__buffer *out, int *fits);
/* The text again. GM_E_FORMAT, with name, where the form is none of these rows. */
gm_status gm__text_again(gm_context *ctx, const char *name, const unsigned char *form, int64_t size,
                         const gm_dataset *rows, gm__buffer *out);
/* A text by itself, and back. */
gm_status gm__text_plain(gm_context *ctx, const void *text, int64_t size, gm__buffer *out);
gm_status gm__text_of_plain(gm_context *ctx, const char *name, const unsigned char *form,
                            int64_t size, gm__buffer *out);

#endif
