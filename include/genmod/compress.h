/* genmod/compress.h: rows into few bytes by what a model knows of them, and back to the bit. */
#ifndef GENMOD_COMPRESS_H
#define GENMOD_COMPRESS_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Compression: lossless coding of rows under a model -------------------------------------- */

/* Rows are coded column by column with the probabilities that a model gives each value given the
 * columns before (genmod-conditional(3)), by asymmetric numeral systems: an archive takes little
 * more than the model's -log2 p of the rows, and only the same model reads it. Every value comes
 * back to the bit, also one that the model holds impossible, and missing cells.
 *
 * Columns that count are coded as they are. A real column is coded in the bins of the data's own
 * resolution: the coarsest grid that its values lie on (decimals, parts such as 1/255, a list of
 * values where few come again, else every double), told in the archive; or the values that the
 * model has in a list (gm_model_column_values), of which an archive tells nothing.
 *
 * Archives can be read on every processor and for any number of threads, by a library of the same
 * arithmetic revision. doc/FORMAT.md says what is in one. */

/* What became of rows, filled with struct_size set before. */
typedef struct gm_compression {
    uint32_t struct_size;
    int32_t text; /* 1: the archive holds the text as well */
    int64_t rows;
    int64_t bytes;       /* of the archive, all in all */
    int64_t text_bytes;  /* of them for what the rows do not say of the text */
    double model_bits;   /* sum of -log2 p of the model over all values that have p > 0 */
    int64_t outside;     /* values of p = 0 and missing cells */
    double outside_bits; /* what they took, and signs of zeros */
    double column_bits;  /* what grids, lists of values and new categories took */
    int64_t literal;     /* lines of a text that are no rows, and went as they are between rows */
} gm_compression;

/* Compresses the feature columns of rows, found by name (by place where there are no names), to a
 * writer. opts (may be NULL): options of the call "conditional". told may be NULL. GM_E_UNSUPPORTED
 * where the family has no laws, or the model has conditions; GM_E_UNKNOWN where a column of the
 * model is missing, GM_E_SHAPE where rows have a feature that the model has not; GM_E_DATA for a
 * column of another kind; GM_E_STATE where the context's matmul is not own; GM_E_IO. */
GM_API gm_status gm_compress(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                             const gm_options *opts, const gm_writer *writer, gm_compression *told);
/* The same into memory: up to size bytes are copied into buffer (NULL with size 0 copies nothing),
 * and *length becomes how many there are. */
GM_API gm_status gm_compress_memory(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                                    const gm_options *opts, void *buffer, int64_t size,
                                    int64_t *length, gm_compression *told);
/* The rows of an archive, in the model's columns and order, as a dataset that the caller frees.
 * Categories that the model does not know come behind its own. name (may be NULL) stands for the
 * archive in error texts. It believes nothing: GM_E_FORMAT, GM_E_VERSION (also for another revision
 * of the arithmetic), GM_E_CHECKSUM; GM_E_STATE where it was made with another model, or holds text
 * alone; GM_E_IO. */
GM_API gm_status gm_decompress(gm_context *ctx, const gm_model *model, const gm_reader *reader,
                               const char *name, const gm_options *opts, gm_dataset **rows);
GM_API gm_status gm_decompress_memory(gm_context *ctx, const gm_model *model, const void *bytes,
                                      int64_t size, const gm_options *opts, gm_dataset **rows);

/* A table's text, byte for byte: a CSV file of size bytes. Its rows go by the model, and what they
 * do not say (digits, quotes, blanks, ends of line, columns that the model has not) beside them:
 * few bytes where a file is written by one rule. Lines that are no row of the model's columns (a
 * remark, a header that comes again, a text where a number should be) are kept as they are between
 * the others; and so is all of a text in which no line is one: every text comes back. csv (may be
 * NULL) are options of the table "csv". GM_E_UNSUPPORTED, GM_E_STATE and GM_E_IO as gm_compress,
 * the codes of options; none is of what the text holds. */
GM_API gm_status gm_compress_text(gm_context *ctx, const gm_model *model, const void *text,
                                  int64_t size, const gm_options *csv, const gm_options *opts,
                                  const gm_writer *writer, gm_compression *told);
/* The text of such an archive, to a writer. Codes as gm_decompress; GM_E_STATE where it holds rows
 * alone. */
GM_API gm_status gm_decompress_text(gm_context *ctx, const gm_model *model, const gm_reader *reader,
                                    const char *name, const gm_options *opts,
                                    const gm_writer *writer);
/* 1 if the first bytes of a file (64 are enough) are of an archive that holds a text, else 0. */
GM_API int32_t gm_archive_has_text(const void *bytes, int64_t size);

#ifdef __cplusplus
}
#endif
#endif
