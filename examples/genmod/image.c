#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "png.h"
#include "tool.h"

/* The most pixels of a sheet, either way. */
enum { SIDE_LIMIT = 20000 };

static int64_t whole_root(int64_t n)
{
    int64_t root = 1;

    while (root * root < n)
        root++;
    return root;
}

static unsigned char shade(const image_sheet *sheet, double x)
{
    double span = sheet->high - sheet->low, part = span > 0 ? (x - sheet->low) / span : 0.5;

    if (!(part > 0))
        part = 0;
    if (part > 1)
        part = 1;
    return (unsigned char)(255 * (sheet->ink ? 1 - part : part) + 0.5);
}

/* One picture of the data, each pixel a square of scale, with its first corner at `to`. */
static void paint(const image_sheet *sheet, const double *x, unsigned char *to, int64_t stride)
{
    int64_t i, j, k, s = sheet->scale;

    for (i = 0; i < sheet->height; i++) {
        unsigned char *line = to + i * s * stride;
        for (j = 0; j < sheet->width; j++)
            memset(line + j * s, shade(sheet, x[i * sheet->width + j]), (size_t)s);
        for (k = 1; k < s; k++)
            memcpy(line + k * stride, line, (size_t)(sheet->width * s));
    }
}

int image_save_sheet(const image_sheet *given, int64_t n, const double *x, const char *path)
{
    image_sheet sheet = *given;
    int64_t longer = sheet.height > sheet.width ? sheet.height : sheet.width;
    int64_t gap, down, width, height, i;
    unsigned char *pixels;
    int status;

    if (!sheet.across)
        sheet.across = whole_root(n);
    if (!sheet.scale)
        sheet.scale = longer < 40 ? 40 / longer : 1;
    gap = sheet.scale > 4 ? sheet.scale : 4;
    down = (n + sheet.across - 1) / sheet.across;
    if (n < 1 || sheet.across > SIDE_LIMIT || down > SIDE_LIMIT || longer > SIDE_LIMIT)
        return tool_error("%s: %lld pictures do not fit on a sheet", path, (long long)n);
    width = gap + sheet.across * (sheet.width * sheet.scale + gap);
    height = gap + down * (sheet.height * sheet.scale + gap);
    if (width > SIDE_LIMIT || height > SIDE_LIMIT)
        return tool_error("%s: %lld pictures do not fit on a sheet of %d pixels a side", path,
                          (long long)n, SIDE_LIMIT);
    pixels = malloc((size_t)(width * height));
    if (!pixels)
        return tool_error("out of memory");
    memset(pixels, sheet.ink ? 255 : 64, (size_t)(width * height));
    for (i = 0; i < n; i++) {
        int64_t top = gap + i / sheet.across * (sheet.height * sheet.scale + gap);
        int64_t left = gap + i % sheet.across * (sheet.width * sheet.scale + gap);
        paint(&sheet, x + i * sheet.height * sheet.width, pixels + top * width + left, width);
    }
    status = png_save(width, height, pixels, path);
    free(pixels);
    return status;
}
