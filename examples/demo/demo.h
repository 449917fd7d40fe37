/* The page that make demo leaves: what its parts share. */
#ifndef DEMO_H
#define DEMO_H

#include <stdio.h>

#include "../genmod/image.h"
#include "../genmod/tool.h"

enum { PIXELS = 64, SIDE = 8, INK = 16, CLASSES = 10 };

/* The models of the page, each in FOLDER/NAME.model; of those that are trained in steps the log of
 * the fit is in FOLDER/NAME.csv. */
enum { FLOW, VAE, MAP, DIFFUSION, AUTOREGRESSIVE, TRAINED, KDE = TRAINED, COPULA, MODELS };

/* One line of the log of a fit. */
typedef struct log_line {
    double step, seconds, loss, valid; /* NaN where the log says nothing */
} log_line;

typedef struct fitted {
    const char *name;
    gm_model *model;
    log_line *lines;
    int64_t count;
    double best; /* least validation loss */
} fitted;

typedef struct demo {
    tool t;
    const char *folder;
    fitted by[MODELS];
    gm_dataset *digits;
    int64_t n;
    double *x;     /* (n, PIXELS), the real digits */
    double *label; /* (n), what they are; no model was told */
    double *logp;  /* (n), nats, by the flow */
    int64_t *rank; /* (n), rows from the most to the least probable */
} demo;

/* FOLDER/name into path; a status of the tool. */
int demo_path(const demo *d, const char *name, char path[4096]);
/* n pictures, `across` of them in a row, as FOLDER/name. */
int demo_save(const demo *d, const char *name, int64_t n, int64_t across, const double *x);
/* n digits drawn by a model into x (n, PIXELS), as its table of options has it, but for one option
 * (NULL: none). */
int demo_sample(demo *d, int by, int64_t n, const char *option, const char *value, double *x);
/* The first digit of each class from some row on, into x (CLASSES, PIXELS). */
int demo_one_of_each(const demo *d, double *x);
/* Codes z (n, k) of digits x (n, PIXELS), and back. */
int demo_encode(demo *d, int by, int64_t n, double *x, double *z);
int demo_decode(demo *d, int by, int64_t n, double *z, double *x);

/* Pictures into the folder. Each returns a status of the tool. */
int demo_draw_grids(demo *d);    /* pictures.c: real digits, and those of each model */
int demo_draw_extremes(demo *d); /* pictures.c: most and least probable */
int demo_draw_walks(demo *d);    /* walks.c: from digit to digit through the flow's codes */
int demo_draw_plane(demo *d);    /* map.c: what the codes of the map stand for */
int demo_draw_restored(demo *d); /* pictures.c: digits, and what the VAE keeps of them */
int demo_draw_halves(demo *d);   /* halves.c: lower halves of digits, drawn given the upper ones */
int demo_draw_path(demo *d);     /* pictures.c: from noise to digit */
/* The codes of all digits as a drawing in SVG, coloured by what they are. */
int demo_write_map(demo *d, FILE *file);

/* The log of a fit (curve.c); the caller frees lines. */
int demo_read_log(const char *path, fitted *f);
/* Its losses as a drawing in SVG. */
void demo_write_curve(FILE *file, const fitted *f);

/* index.html (page.c). */
int demo_write_page(demo *d);

#endif
