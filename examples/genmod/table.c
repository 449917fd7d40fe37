/* Matrices of numbers, finite or not, as CSV, TSV and NPY. A file is made under another name and
 * renamed when it is whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "system.h"
#include "tool.h"

/* The shortest text that reads back as the same number. */
static void write_number(FILE *file, double x)
{
    char text[40];
    int digits;

    for (digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (x != x || strtod(text, NULL) == x)
            break;
    }
    fputs(text, file);
}

static void write_names(FILE *file, const char *const *names, int64_t d, char delimiter)
{
    int64_t j;

    for (j = 0; j < d; j++) {
        fputs(names[1] ? names[j] : names[0], file);
        if (d > 1 && !names[1])
            fprintf(file, "%lld", (long long)j + 1);
        fputc(j + 1 < d ? delimiter : '\n', file);
    }
}

static void write_text(FILE *file, const char *const *names, int64_t n, int64_t d, const double *x,
                       char delimiter)
{
    int64_t i, j;

    write_names(file, names, d, delimiter);
    for (i = 0; i < n; i++)
        for (j = 0; j < d; j++) {
            write_number(file, x[i * d + j]);
            fputc(j + 1 < d ? delimiter : '\n', file);
        }
}

/* NPY version 1.0: the header is padded so that the numbers start at a multiple of 64. */
static void write_npy(FILE *file, int64_t n, int64_t d, const double *x)
{
    static const union {
        unsigned short number;
        char bytes[2];
    } order = {1};
    char header[128];
    int length = snprintf(header, sizeof header,
                          "{'descr': '%cf8', 'fortran_order': False, 'shape': (%lld, %lld), }",
                          order.bytes[0] ? '<' : '>', (long long)n, (long long)d);

    memset(header + length, ' ', sizeof header - (size_t)length);
    header[117] = '\n';
    fwrite("\223NUMPY\1\0\166\0", 1, 10, file);
    fwrite(header, 1, 118, file);
    fwrite(x, sizeof *x, (size_t)(n * d), file);
}

int tool_has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);

    return length > tail && !strcmp(path + length - tail, ending);
}

int tool_save_matrix(const char *const *names, int64_t n, int64_t d, const double *x,
                     const char *path)
{
    out_file out;
    int status;

    if (!path || !strcmp(path, "-")) {
        write_text(stdout, names, n, d, x, ',');
        return TOOL_OK;
    }
    if (!tool_has_ending(path, ".npy") && !tool_has_ending(path, ".csv") &&
        !tool_has_ending(path, ".tsv") && !system_is_special(path))
        return tool_error("%s: numbers are written as .csv, .tsv or .npy", path);
    status = file_open(&out, path);
    if (status)
        return status;
    if (tool_has_ending(path, ".npy"))
        write_npy(out.file, n, d, x);
    else
        write_text(out.file, names, n, d, x, tool_has_ending(path, ".tsv") ? '\t' : ',');
    return file_close(&out, TOOL_OK);
}
