/* What compressing and decompressing share: the columns, the order of cells, and the laws.
 *
 * Cells go block of rows by block, in a block column by column in the order of the model, in a
 * column row by row. Of each cell first whether it is missing, where the column has missing ones;
 * then its symbols (apply/cells.h); a cell outside of what the law codes is the symbol to the left
 * or right of all cells, then the 64 bits of its double.
 *
 * The law of a column rests on the columns before it. Where one of those is missing, or is a value
 * that the model holds impossible, the median of its own law stands for it. */
#ifndef GM__CODER_H
#define GM__CODER_H
#include "apply/cells.h"
#include "genmod/compress.h"

typedef struct gm__coder {
    gm_context *ctx;
    const gm_model *model;
    gm_conditional *law;
    gm__arena arena; /* columns and what follows but the tables of grids */
    int64_t d, rows;
    gm__packed *columns; /* (d) */
    int64_t *order;      /* (d) */
    unsigned char *known;
    int64_t block;        /* rows of one */
    double *x;            /* (block, d): what laws are given */
    double *point, *logp; /* (block) */
    double *below, *above;
    unsigned char *odd; /* (block): the cell is no value that a law can be given */
} gm__coder;

/* A zero coder of a model: columns as the model has them, a law to ask. GM_E_UNSUPPORTED where it
 * has no laws or takes conditions; GM_E_STATE with a foreign matrix product. To be cleared also
 * after a failure. */
gm_status gm__coder_open(gm_context *ctx, const gm_model *model, const gm_options *opts,
                         gm__coder *k);
void gm__coder_clear(gm__coder *k);
/* Memory for blocks of at most `rows` rows in all. */
gm_status gm__coder_reserve(gm__coder *k, int64_t rows);

/* The law of the i-th column of the order, in `count` rows of x. */
gm_status gm__coder_ask(gm__coder *k, int64_t i, int64_t count);
/* Its tails at point[first, first + count), into below and above. */
gm_status gm__coder_tails(gm__coder *k, int64_t first, int64_t count);
/* The column is coded: fills x where cells are odd or impossible, and counts it as known. */
gm_status gm__coder_settle(gm__coder *k, int64_t i, int64_t count);

/* What a law is given for a value: far outside of what the model has seen the nearest value that is
 * not, so that nothing overflows on the way. */
double gm__coder_given(const gm__packed *p, double value);

/* How likely a cell of the column is missing, as a symbol: [0, that) of the total. */
uint32_t gm__coder_missing(const gm__coder *k, const gm__packed *p);

/* The first bytes of an archive.
 *
 *     0   "GMZ" and the version: 1, or 2 of what is 3
 *     4   the first 8 bytes of the SHA-256 of all other bytes
 *     12  arithmetic revision, a number
 *         the first 8 bytes of the model's fingerprint
 *         what: 0 rows, 1 text of rows, 2 text as such, 3 text of rows with lines between that
 *         are none; a number
 *         rows, a number (not of 2)
 *         length of the text's part, and that; not of 0
 *         the coded symbols, to the end
 *
 * A number is written 7 bits a byte, lowest first; the high bit says that more follow. */
enum {
    GM__ARCHIVE_ROWS,
    GM__ARCHIVE_TEXT,
    GM__ARCHIVE_PLAIN,
    GM__ARCHIVE_LINES, /* apply/literal.h; then the form of the rows */
    GM__ARCHIVE_KINDS
};
typedef struct gm__archive {
    int what;
    int64_t rows;
    const unsigned char *text, *symbols; /* in the archive's bytes */
    int64_t text_size, symbols_size;
} gm__archive;
#define GM__ARCHIVE_HEAD 64 /* most bytes of the head */
/* Writes head, text and symbols; *bytes (may be NULL) how many. */
gm_status gm__archive_write(gm_context *ctx, const gm_model *model, const gm__archive *a,
                            const gm_writer *writer, int64_t *bytes);
/* Believes nothing. name is for texts. */
gm_status gm__archive_read(gm_context *ctx, const gm_model *model, const char *name,
                           const void *bytes, int64_t size, gm__archive *a);

/* Past a number, into *value; NULL where there is none, or one of 2^63 or more, or at is NULL. */
const unsigned char *gm__archive_number(const unsigned char *at, const unsigned char *end,
                                        int64_t *value);
/* What an archive says that it holds, from its first bytes; -1 where they are of none. */
int gm__archive_kind(const void *bytes, int64_t size);

/* The columns as symbols, and back. */
void gm__columns_add(const gm__coder *k, gm__symbols *s);
gm_status gm__columns_take(gm__coder *k, gm__rans_decoder *d, const char *name);

#endif
