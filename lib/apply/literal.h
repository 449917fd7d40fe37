/* Lines of a text that no table holds: between others that one does.
 *
 * A text is cut into lines that hold a row of a model's columns, the table, and runs of others,
 * which go as they are: remarks, headers that come again, cells that are no number. */
#ifndef GM__LITERAL_H
#define GM__LITERAL_H
#include "apply/text_form.h"

typedef struct gm__literal {
    gm_allocator allocator;
    gm__buffer table; /* the text without the runs */
    gm__buffer cells; /* the model's columns of it, in its order, as CSV without a header */
    gm__buffer runs;  /* of each how much of the table stands between it and the last, and its size;
                         numbers of 7 bits a byte */
    gm__buffer lines; /* the runs themselves */
    int64_t rows, columns;  /* of the table */
    int64_t count, literal; /* runs; lines in them */
    int64_t *taken;         /* (columns of the model): where each is in the text */
    gm__buffer types;       /* of cells, as the reader of CSV takes them */
    char delimiter, quote;
} gm__literal;

/* rows becomes 0 where no cut has any. To be cleared also after a failure. */
gm_status gm__literal_cut(gm_context *ctx, const gm_model *model, const gm_options *csv,
                          const gm__piece *text, gm__literal *l);
void gm__literal_clear(gm__literal *l, const gm_model *model);
/* The table's rows: the model's columns without names. */
gm_status gm__literal_rows(gm_context *ctx, const gm__literal *l, gm_dataset **rows);
/* Appends the runs, as a number, their size, and that; *size what of the form at `at` they take,
 * and the text again from its table. GM_E_FORMAT, with name, where they are none of it. */
gm_status gm__literal_put(gm_context *ctx, const gm__literal *l, gm__buffer *out);
gm_status gm__literal_size(gm_context *ctx, const char *name, const unsigned char *at, int64_t left,
                           int64_t *size);
gm_status gm__literal_join(gm_context *ctx, const char *name, const unsigned char *at, int64_t size,
                           const gm__buffer *table, gm__buffer *out);

#endif
