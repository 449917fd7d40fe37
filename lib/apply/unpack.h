/* Rows out of an archive that is in memory and was read by gm__archive_read. */
#ifndef GM__UNPACK_H
#define GM__UNPACK_H
#include "apply/coder.h"

gm_status gm__unpack(gm_context *ctx, const gm_model *model, const gm__archive *a, const char *name,
                     const gm_options *opts, gm_dataset **rows);

#endif
