/* PNG files of 8-bit grey. */
#ifndef TOOL_PNG_H
#define TOOL_PNG_H

#include <stdint.h>

/* Writes height lines of width pixels each. Returns a status of the tool. */
int png_save(int64_t width, int64_t height, const unsigned char *pixels, const char *path);

#endif
