/* What reading and replacing files share. */
#ifndef GM__FILE_H
#define GM__FILE_H

#include "base/io.h"

/* GM_E_IO with "cannot <what> '<path>': <reason>"; code is an errno value. */
gm_status gm__fail_file(gm_context *ctx, const char *what, const char *path, int code);
/* The failure of a write: with path and reason where the writer is a replacement's. */
gm_status gm__replacement_failed(gm_context *ctx, const gm_writer *writer);

#endif
