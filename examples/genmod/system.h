/* What the tool asks the operating system for. */
#ifndef TOOL_SYSTEM_H
#define TOOL_SYSTEM_H

#include <genmod/base.h>
#include <stdio.h>

/* Columns of the terminal that the stream is; 0 if it is none. */
int system_terminal_width(FILE *stream);
/* The first interrupt (control-C, or a request to end) trips the token; a second one ends the
 * program. */
void system_trip_on_interrupt(gm_cancel *token);
/* 0 if a file of that name can be made or replaced; else why not. */
const char *system_cannot_write(const char *path);
/* 1 if the path is something that must be written in place, not replaced: a device or a pipe. */
int system_is_special(const char *path);
/* 1 if both paths lead to one regular file, or would once it is there. */
int system_same_file(const char *a, const char *b);
double system_seconds(void);

#endif
