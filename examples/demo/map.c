/* The VAE with a code of two numbers: a map of the digits. */
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define SPAN 3.5 /* of the plane that is shown, from the middle */

enum { EDGE = 640, MARGIN = 10, PLANE = 15 };

/* Ten colours that are told apart, also where one sees no red or no green (after Tol 2021, muted
 * and bright). */
static const char *const colours[CLASSES] = {"#332288", "#e6a100", "#117733", "#cc6677", "#44aaee",
                                             "#7a4b1e", "#aa4499", "#555555", "#88b000", "#c1272d"};

static double place(double z)
{
    return MARGIN + (EDGE - 2 * MARGIN) * (z + SPAN) / (2 * SPAN);
}

static int label_of(const demo *d, int64_t i)
{
    int label = (int)d->label[i];

    return label < 0 ? 0 : label >= CLASSES ? CLASSES - 1 : label;
}

/* Where the name of a class is written: at the digit with the most of its class close by. */
static int64_t middle_of(const demo *d, const double *z, int class)
{
    const double radius = 0.4;
    int64_t i, j, count, most = -1, best = 0;

    for (i = 0; i < d->n; i++) {
        if (label_of(d, i) != class)
            continue;
        for (j = 0, count = 0; j < d->n; j++) {
            double x = z[2 * i] - z[2 * j], y = z[2 * i + 1] - z[2 * j + 1];
            count += label_of(d, j) == class && x * x + y * y < radius * radius;
        }
        if (count > most) {
            most = count;
            best = i;
        }
    }
    return best;
}

static void write_points(FILE *file, const demo *d, const double *z)
{
    int64_t i;
    int c;

    for (i = 0; i < d->n; i++)
        fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", place(z[2 * i]),
                place(-z[2 * i + 1]), colours[label_of(d, i)]);
    for (c = 0; c < CLASSES; c++) {
        i = middle_of(d, z, c);
        fprintf(file,
                "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" "
                "fill=\"%s\">%d</text>\n",
                place(z[2 * i]), place(-z[2 * i + 1]) + 10, colours[c], c);
    }
}

int demo_write_map(demo *d, FILE *file)
{
    double *z = tool_doubles(d->n, 2);
    int status = z ? demo_encode(d, MAP, d->n, d->x, z) : TOOL_FAILED;

    if (!status) {
        fprintf(file,
                "<svg class=\"map\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"codes of all "
                "digits\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fbfbfa\"/>\n",
                EDGE, EDGE, EDGE, EDGE);
        write_points(file, d, z);
        fputs("</svg>\n", file);
    }
    free(z);
    return status;
}

/* Digits decoded from a grid over the part of the plane that the map shows. */
int demo_draw_plane(demo *d)
{
    double *z = tool_doubles(PLANE * PLANE, 2), *x = tool_doubles(PLANE * PLANE, PIXELS);
    int status = z && x ? TOOL_OK : TOOL_FAILED;
    int i, j;

    for (i = 0; i < PLANE && !status; i++)
        for (j = 0; j < PLANE; j++) {
            z[2 * (i * PLANE + j)] = SPAN * (2 * (j + 0.5) / PLANE - 1);
            z[2 * (i * PLANE + j) + 1] = -SPAN * (2 * (i + 0.5) / PLANE - 1);
        }
    if (!status)
        status = demo_decode(d, MAP, PLANE * PLANE, z, x);
    if (!status)
        status = demo_save(d, "plane.png", PLANE * PLANE, PLANE, x);
    free(x);
    free(z);
    return status;
}
