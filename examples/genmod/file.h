/* A file that appears whole or not at all. */
#ifndef TOOL_FILE_H
#define TOOL_FILE_H

#include <stdio.h>

typedef struct out_file {
    FILE *file;
    char *path;      /* what it is to be called */
    char *temporary; /* what it is called until then; NULL: written in place (a device, a pipe) */
} out_file;

/* Both tell what went wrong and return a status of the tool. close keeps the file only if status is
 * 0 and everything was written; it returns the status given, or that of its own failure. */
int file_open(out_file *out, const char *path);
int file_close(out_file *out, int status);

#endif
