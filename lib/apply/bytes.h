/* Bytes of any kind in fewer bytes: adaptive binary coding under the two bytes before. For what is
 * little, or of no known form. */
#ifndef GM__BYTES_H
#define GM__BYTES_H
#include "base/text.h"
#include "base/context.h"

/* Appends the coded form of size bytes to out (which may fail: out->failed). GM_E_MEMORY. */
gm_status gm__bytes_pack(gm_context *ctx, const void *bytes, int64_t size, gm__buffer *out);
/* Appends what `size` coded bytes at `coded` stand for, `length` bytes, which the caller has
 * reason to believe. GM_E_FORMAT where the coded bytes end too early. */
gm_status gm__bytes_unpack(gm_context *ctx, const void *coded, int64_t size, int64_t length,
                           gm__buffer *out);

#endif
