#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"
#include "tool.h"

static void forget(out_file *out)
{
    free(out->path);
    free(out->temporary);
    memset(out, 0, sizeof *out);
}

static char *join(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 1;
    char *text = malloc(size);

    if (text)
        snprintf(text, size, "%s%s", a, b);
    return text;
}

int file_open(out_file *out, const char *path)
{
    int in_place = system_is_special(path);

    memset(out, 0, sizeof *out);
    out->path = join(path, "");
    out->temporary = in_place ? NULL : join(path, ".partial");
    if (!out->path || (!in_place && !out->temporary)) {
        forget(out);
        return tool_error("out of memory");
    }
    out->file = fopen(in_place ? out->path : out->temporary, "wb");
    if (out->file)
        return TOOL_OK;
    tool_error("%s: %s", path, strerror(errno));
    forget(out);
    return TOOL_FAILED;
}

int file_close(out_file *out, int status)
{
    int bad = ferror(out->file);

    errno = 0;
    if (fclose(out->file) != 0)
        bad = 1;
    if (!bad && !status && out->temporary && rename(out->temporary, out->path) != 0)
        bad = 1;
    if (bad && !status)
        status = tool_error("%s: %s", out->path, errno ? strerror(errno) : "could not be written");
    if (status && out->temporary)
        remove(out->temporary);
    forget(out);
    return status;
}
