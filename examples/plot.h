/* Drawings as SVG for the examples. A plot is a picture with panels; a panel maps the data's units
 * to pixels. Nothing but sums, products and quotients reaches a coordinate and all are rounded to a
 * tenth of a pixel, so that the same numbers give the same bytes on every machine. */
#ifndef EXAMPLES_PLOT_H
#define EXAMPLES_PLOT_H

#include <stdint.h>
#include <stdio.h>

#define BLUE "#2b6ca3"
#define ORANGE "#d9622b"
#define GREEN "#3a8a52"
#define GREY "#888"

typedef struct plot {
    FILE *file;
    double left, top, width, height;     /* of the panel, in pixels */
    double x_low, x_high, y_low, y_high; /* of what it shows, in units of the data */
} plot;

/* 0, or 1 where the file cannot be written. */
static inline int plot_begin(plot *p, const char *path, int width, int height)
{
    p->file = fopen(path, "w");
    if (!p->file) {
        perror(path);
        return 1;
    }
    fprintf(p->file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" fill=\"none\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
            width, height, width, height, width, height);
    return 0;
}

/* Ends the file; 1 where something could not be written. */
static inline int plot_end(plot *p)
{
    int bad;

    fputs("</svg>\n", p->file);
    bad = ferror(p->file) != 0;
    return fclose(p->file) || bad;
}

static inline double plot_x(const plot *p, double x)
{
    return p->left + p->width * (x - p->x_low) / (p->x_high - p->x_low);
}

static inline double plot_y(const plot *p, double y)
{
    return p->top + p->height * (p->y_high - y) / (p->y_high - p->y_low);
}

static inline int plot_holds(const plot *p, double x, double y)
{
    return x >= p->x_low && x <= p->x_high && y >= p->y_low && y <= p->y_high;
}

/* Text at a place in pixels; anchor is start, middle or end. */
static inline void plot_text(const plot *p, double x, double y, const char *anchor,
                             const char *colour, const char *text)
{
    fprintf(p->file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y,
            anchor, colour, text);
}

/* Moves on to a panel: its place in pixels, and what it shows. */
static inline void plot_panel(plot *p, double left, double top, double width, double height,
                              double x_low, double x_high, double y_low, double y_high)
{
    FILE *file = p->file;

    *p = (plot){file, left, top, width, height, x_low, x_high, y_low, y_high};
}

/* A title above the panel. */
static inline void plot_title(const plot *p, const char *text)
{
    plot_text(p, p->left + p->width / 2, p->top - 8, "middle", "#222", text);
}

/* 1, 2 or 5 times a power of ten, for some four to eight marks over the span. */
static inline double plot_step(double span)
{
    double step = 1;

    while (step * 10 > span)
        step /= 10;
    while (step * 10 < span)
        step *= 10;
    return span < 2 * step   ? step / 5
           : span < 4 * step ? step / 2
           : span < 8 * step ? step
                             : 2 * step;
}

/* A frame, marks with numbers, and names of the axes, which may be empty. */
static inline void plot_axes(const plot *p, const char *x_name, const char *y_name)
{
    double x_step = plot_step(p->x_high - p->x_low), y_step = plot_step(p->y_high - p->y_low);
    double right = p->left + p->width, bottom = p->top + p->height;
    char text[64];
    int64_t i;

    fprintf(p->file, "<path stroke=\"#999\" d=\"M%.1f %.1fH%.1fV%.1fH%.1fZ", p->left, p->top, right,
            bottom, p->left);
    for (i = -1000; i <= 1000; i++) {
        double x = (double)i * x_step, y = (double)i * y_step;
        if (x >= p->x_low && x <= p->x_high)
            fprintf(p->file, "M%.1f %.1fv4", plot_x(p, x), bottom);
        if (y >= p->y_low && y <= p->y_high)
            fprintf(p->file, "M%.1f %.1fh-4", p->left, plot_y(p, y));
    }
    fputs("\"/>\n", p->file);
    for (i = -1000; i <= 1000; i++) {
        double x = (double)i * x_step, y = (double)i * y_step;
        snprintf(text, sizeof text, "%.6g", x);
        if (x >= p->x_low && x <= p->x_high)
            plot_text(p, plot_x(p, x), bottom + 17, "middle", "#555", text);
        snprintf(text, sizeof text, "%.6g", y);
        if (y >= p->y_low && y <= p->y_high)
            plot_text(p, p->left - 7, plot_y(p, y) + 4, "end", "#555", text);
    }
    plot_text(p, p->left + p->width / 2, bottom + 34, "middle", "#222", x_name);
    fprintf(p->file,
            "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\" "
            "fill=\"#222\">%s</text>\n",
            p->left - 36, p->top + p->height / 2, y_name);
}

/* Dots at x[2i], x[2i + 1]; those outside the panel are left out. */
static inline void plot_points(const plot *p, int64_t n, const double *x, double radius,
                               const char *colour)
{
    int64_t i;

    fprintf(p->file,
            "<path stroke=\"%s\" stroke-width=\"%.1f\" stroke-linecap=\"round\" "
            "stroke-opacity=\".7\" d=\"",
            colour, 2 * radius);
    for (i = 0; i < n; i++)
        if (plot_holds(p, x[2 * i], x[2 * i + 1]))
            fprintf(p->file, "M%.1f %.1fh0", plot_x(p, x[2 * i]), plot_y(p, x[2 * i + 1]));
    fputs("\"/>\n", p->file);
}

/* A line through x[2i], x[2i + 1], broken where it leaves the panel. */
static inline void plot_line(const plot *p, int64_t n, const double *x, double width,
                             const char *colour)
{
    int64_t i;
    int begun = 0;

    fprintf(p->file, "<path stroke=\"%s\" stroke-width=\"%.1f\" stroke-linejoin=\"round\" d=\"",
            colour, width);
    for (i = 0; i < n; i++) {
        int inside = plot_holds(p, x[2 * i], x[2 * i + 1]);
        if (inside)
            fprintf(p->file, "%c%.1f %.1f", begun ? 'L' : 'M', plot_x(p, x[2 * i]),
                    plot_y(p, x[2 * i + 1]));
        begun = inside;
    }
    fputs("\"/>\n", p->file);
}

/* A filled box between two corners in units of the data. */
static inline void plot_box(const plot *p, double x0, double y0, double x1, double y1,
                            const char *colour)
{
    fprintf(p->file, "<path fill=\"%s\" d=\"M%.1f %.1fH%.1fV%.1fH%.1fZ\"/>\n", colour,
            plot_x(p, x0), plot_y(p, y0), plot_x(p, x1), plot_y(p, y1), plot_x(p, x0));
}

/* Where the level cuts the square whose lower left corner is grid point (i, j): its corners in
 * turn, each if it is above, and where the level crosses the side to the next. */
static inline void plot_cell(const plot *p, int64_t i, int64_t j, int64_t rows, int64_t columns,
                             const double *value, double level)
{
    static const int across[5] = {0, 1, 1, 0, 0}, up[5] = {0, 0, 1, 1, 0};
    double w = p->width / (double)(columns - 1), h = p->height / (double)(rows - 1);
    char letter = 'M';
    int k;

    for (k = 0; k < 4; k++) {
        double a = value[(i + up[k]) * columns + j + across[k]];
        double b = value[(i + up[k + 1]) * columns + j + across[k + 1]];
        double part = a != b ? (level - a) / (b - a) : 0;
        double x = p->left + w * (double)(j + across[k]);
        double y = p->top + p->height - h * (double)(i + up[k]);
        if (a >= level) {
            fprintf(p->file, "%c%.1f %.1f", letter, x, y);
            letter = 'L';
        }
        if ((a >= level) != (b >= level)) {
            fprintf(p->file, "%c%.1f %.1f", letter, x + w * part * (across[k + 1] - across[k]),
                    y - h * part * (up[k + 1] - up[k]));
            letter = 'L';
        }
    }
}

/* Fills where a function is at least `level`. value (rows, columns) are its values at points spread
 * evenly over the panel, edges included, the first row at the bottom. */
static inline void plot_above(const plot *p, int64_t rows, int64_t columns, const double *value,
                              double level, const char *colour)
{
    double w = p->width / (double)(columns - 1), h = p->height / (double)(rows - 1);
    int64_t i, j, run = 0; /* squares just before this one that are wholly above */

    fprintf(p->file, "<path fill=\"%s\" d=\"", colour);
    for (i = 0; i + 1 < rows; i++)
        for (j = 0; j < columns; j++) {
            const double *v = value + i * columns + j;
            if (j + 1 < columns && v[0] >= level && v[1] >= level && v[columns] >= level &&
                v[columns + 1] >= level) {
                run++;
                continue;
            }
            if (run)
                fprintf(p->file, "M%.1f %.1fH%.1fV%.1fH%.1f", p->left + w * (double)(j - run),
                        p->top + p->height - h * (double)i, p->left + w * (double)j,
                        p->top + p->height - h * (double)(i + 1), p->left + w * (double)(j - run));
            run = 0;
            if (j + 1 < columns)
                plot_cell(p, i, j, rows, columns, value, level);
        }
    fputs("\"/>\n", p->file);
}

/* A grey picture of rows by columns pixels, its upper left corner at a place in pixels: 0 is paper,
 * `ink` is black. */
static inline void plot_picture(const plot *p, double left, double top, double scale, int rows,
                                int columns, const double *pixel, double ink)
{
    int i, j, grey;

    fprintf(p->file, "<g transform=\"translate(%.1f %.1f) scale(%.1f)\" stroke-width=\"1.02\">\n",
            left, top, scale);
    for (grey = 1; grey <= 15; grey++) {
        int begun = 0;
        for (i = 0; i < rows; i++)
            for (j = 0; j < columns; j++) {
                double part = pixel[i * columns + j] / ink;
                if ((int)(15 * (part < 0 ? 0 : part > 1 ? 1 : part) + 0.5) != grey)
                    continue;
                if (!begun++)
                    fprintf(p->file, "<path stroke=\"#%x%x%x\" d=\"", 15 - grey, 15 - grey,
                            15 - grey);
                fprintf(p->file, "M%d %d.5h1", j, i);
            }
        if (begun)
            fputs("\"/>\n", p->file);
    }
    fputs("</g>\n", p->file);
}

#endif
