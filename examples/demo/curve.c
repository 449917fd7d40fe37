/* The log of a fit, and its losses as a drawing. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

/* ---- The log --------------------------------------------------------------------------------- */

/* The number in the field that begins at *at, which moves on to the next; NaN for an empty one. */
static double next_field(const char **at)
{
    char *end;
    double x = strtod(*at, &end);

    if (end == *at)
        x = NAN;
    *at += strcspn(*at, ",");
    if (**at == ',')
        ++*at;
    return x;
}

/* step,epoch,seconds,loss,valid,... as "genmod fit --log" writes it. */
static log_line read_line(const char *text)
{
    log_line line;

    line.step = next_field(&text);
    next_field(&text);
    line.seconds = next_field(&text);
    line.loss = next_field(&text);
    line.valid = next_field(&text);
    return line;
}

int demo_read_log(const char *path, fitted *f)
{
    FILE *file = fopen(path, "r");
    char text[512];
    int64_t capacity = 0;

    f->best = INFINITY;
    if (!file)
        return tool_error("%s: %s", path, strerror(errno));
    while (fgets(text, sizeof text, file)) {
        log_line line = read_line(text);
        if (line.step != line.step)
            continue;
        if (f->count == capacity) {
            log_line *more = realloc(f->lines, (size_t)(2 * capacity + 64) * sizeof *more);
            if (!more) {
                fclose(file);
                return tool_error("out of memory");
            }
            f->lines = more;
            capacity = 2 * capacity + 64;
        }
        f->lines[f->count++] = line;
        if (line.valid < f->best)
            f->best = line.valid;
    }
    fclose(file);
    return TOOL_OK;
}

/* ---- The drawing ----------------------------------------------------------------------------- */

enum { WIDTH = 680, HEIGHT = 300, LEFT = 56, RIGHT = 28, TOP = 12, BOTTOM = 44 };

typedef struct frame {
    double x_high, y_low, y_high;
} frame;

static double place_x(const frame *f, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * x / f->x_high;
}

static double place_y(const frame *f, double y)
{
    double part = (y - f->y_low) / (f->y_high - f->y_low);

    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (part > 1 ? 1 : part);
}

/* 1, 2 or 5 times a power of ten, for about so many steps over the span. */
static double tick_step(double span, int about)
{
    double raw = span / about, power = pow(10, floor(log10(raw))), part = raw / power;

    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

/* The first tenth of the fit falls from far above; the rest is what one wants to see. */
static frame find_frame(const log_line *lines, int64_t count)
{
    frame f = {1, INFINITY, -INFINITY};
    int64_t i;
    int which;

    if (count)
        f.x_high = lines[count - 1].step > 1 ? lines[count - 1].step : 1;
    for (i = 0; i < count; i++)
        for (which = 0; which < 2; which++) {
            double y = which ? lines[i].valid : lines[i].loss;
            if (y < f.y_low)
                f.y_low = y;
            if (y > f.y_high && lines[i].step > 0.05 * f.x_high)
                f.y_high = y;
        }
    if (!(f.y_high > f.y_low)) {
        f.y_low = isfinite(f.y_low) ? f.y_low : 0;
        f.y_high = f.y_low + 1;
    }
    f.y_low -= 0.05 * (f.y_high - f.y_low);
    return f;
}

static void write_axes(FILE *file, const frame *f)
{
    double step = tick_step(f->y_high - f->y_low, 5), y, x;

    for (y = ceil(f->y_low / step) * step; y <= f->y_high; y += step)
        fprintf(file,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%g</text>\n",
                LEFT, place_y(f, y), WIDTH - RIGHT, LEFT - 6, place_y(f, y) + 4,
                fabs(y) < 1e-9 * step ? 0 : y);
    step = tick_step(f->x_high, 6);
    for (x = 0; x <= f->x_high; x += step)
        fprintf(file, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", place_x(f, x),
                HEIGHT - BOTTOM + 16, x);
    fprintf(file, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, HEIGHT - BOTTOM,
            WIDTH - RIGHT);
    fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">step</text>\n",
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
}

static void write_line(FILE *file, const frame *f, const log_line *lines, int64_t count, int valid)
{
    int64_t i;
    int begun = 0;

    fprintf(file, "<path class=\"%s\" d=\"", valid ? "valid" : "loss");
    for (i = 0; i < count; i++) {
        double y = valid ? lines[i].valid : lines[i].loss;
        if (!isfinite(y) || (y > f->y_high && !begun))
            continue;
        fprintf(file, "%c%.1f %.1f", begun++ ? 'L' : 'M', place_x(f, lines[i].step), place_y(f, y));
    }
    fputs("\"/>\n", file);
}

void demo_write_curve(FILE *file, const fitted *fit)
{
    const log_line *lines = fit->lines;
    int64_t count = fit->count;
    frame f = find_frame(lines, count);

    fprintf(file, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"training curve\">\n", WIDTH,
            HEIGHT);
    write_axes(file, &f);
    write_line(file, &f, lines, count, 0);
    write_line(file, &f, lines, count, 1);
    fprintf(
        file,
        "<path class=\"loss\" d=\"M%d 24h24\"/><text x=\"%d\" y=\"28\">training</text>\n"
        "<path class=\"valid\" d=\"M%d 44h24\"/><text x=\"%d\" y=\"48\">digits held back</text>\n"
        "</svg>\n",
        WIDTH - 180, WIDTH - 150, WIDTH - 180, WIDTH - 150);
}
