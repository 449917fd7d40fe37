/* The page that make demo leaves: what its parts share. */
#ifndef DEMO_H
#define DEMO_H

#include <stdio.h>

#include "../genmod/image.h"
#include "../genmod/tool.h"

enum { PIXELS = 64, SIDE = 8, INK = 16 };

typedef struct demo {
    tool t;
    const char *folder;
    gm_model *model;
    gm_dataset *digits;
    int64_t n;
    double *x;                         /* (n, PIXELS), the real digits */
    double *logp;                      /* (n), nats */
    int64_t *rank;                     /* (n), rows from the most to the least probable */
    double seconds, best_valid, steps; /* of the fit, from its log */
} demo;

/* One line of the log of a fit. */
typedef struct log_line {
    double step, seconds, loss, valid; /* NaN where the log says nothing */
} log_line;

/* Pictures into the folder (pictures.c). Each returns a status of the tool. */
int demo_draw_real(demo *d);
int demo_draw_generated(demo *d);
int demo_draw_extremes(demo *d);
int demo_draw_walks(demo *d);

/* The log of a fit (curve.c); the caller frees *lines. */
int demo_read_log(const char *path, log_line **lines, int64_t *count);
/* The losses as a drawing in SVG. */
void demo_write_curve(FILE *file, const log_line *lines, int64_t count);

/* index.html (page.c). */
int demo_write_page(const demo *d, const log_line *lines, int64_t count);

#endif
