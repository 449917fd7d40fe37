/* The safetensors container: named tensors and text, written whole and read without belief.
 *
 * A file is the length of the header (8 bytes, little-endian), a JSON header padded with spaces so
 * that the data starts at a multiple of 64, and the tensors' bytes, little-endian, without holes.
 * Among the metadata, "sha256" is the digest of the whole file with its own 64 digits taken as
 * zeros. */
#ifndef GM__TENSORS_H
#define GM__TENSORS_H
#include "base/array.h"
#include "base/io.h"
#include "base/json.h"

typedef struct gm__tensor {
    const char *name;
    int32_t dtype; /* GM_F32, GM_F64, GM_U8, GM_I32, GM_I64 */
    int32_t ndim;
    int64_t shape[8];
    const void *data; /* in the host's byte order; only byte-aligned after reading: copy it out */
    int64_t count;    /* elements */
} gm__tensor;

/* A pair of metadata texts. */
typedef struct gm__text_pair {
    const char *name, *text;
} gm__text_pair;

gm_status gm__tensors_write(gm_context *ctx, const gm_writer *writer, const gm__text_pair *meta,
                            int meta_count, const gm__tensor *tensors, int64_t count);

/* A file in memory. Zero is empty. */
typedef struct gm__tensor_file {
    gm__arena arena;
    char *bytes;
    int64_t size;
    gm__tensor *tensors;
    int64_t count;
    const gm__json *meta;
} gm__tensor_file;
/* GM_E_FORMAT, GM_E_CHECKSUM, GM_E_IO, GM_E_MEMORY; nothing to clear after a failure. */
gm_status gm__tensors_read(gm_context *ctx, const gm_reader *reader, const char *name,
                           gm__tensor_file *file);
void gm__tensors_clear(gm__tensor_file *file);
const gm__tensor *gm__tensors_find(const gm__tensor_file *file, const char *name);
/* A metadata text; NULL if absent. */
const char *gm__tensors_meta(const gm__tensor_file *file, const char *name);

#endif
