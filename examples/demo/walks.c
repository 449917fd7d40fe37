/* Through codes: from digit to code and back, and from one digit to another. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

enum { ACROSS = 10, WALKS = 4 };

int demo_encode(demo *d, int by, int64_t n, double *x, double *z)
{
    gm_options *how = NULL;
    gm_array rows, codes;
    int status = tool_options(&d->t, "encode", NULL, &how);

    gm_array_init(&rows, GM_F64, x, n, PIXELS);
    gm_array_init(&codes, GM_F64, z, n, gm_model_code_count(d->by[by].model));
    if (!status && gm_model_encode(d->t.ctx, d->by[by].model, &rows, NULL, how, &codes))
        status = tool_failed(&d->t);
    gm_options_free(how);
    return status;
}

int demo_decode(demo *d, int by, int64_t n, double *z, double *x)
{
    gm_options *how = NULL;
    gm_array rows, codes;
    int status = tool_options(&d->t, "decode", NULL, &how);

    gm_array_init(&rows, GM_F64, x, n, PIXELS);
    gm_array_init(&codes, GM_F64, z, n, gm_model_code_count(d->by[by].model));
    if (!status && gm_model_decode(d->t.ctx, d->by[by].model, &codes, NULL, how, &rows))
        status = tool_failed(&d->t);
    gm_options_free(how);
    return status;
}

/* A point of the way from a to b: along the line, at a length in proportion, so that the way does
 * not cut through the middle, where a normal distribution of many dimensions has no mass. */
static void between(double *to, const double *a, const double *b, int64_t k, double part)
{
    double length_a = 0, length_b = 0, length = 0, factor;
    int64_t i;

    for (i = 0; i < k; i++) {
        to[i] = (1 - part) * a[i] + part * b[i];
        length_a += a[i] * a[i];
        length_b += b[i] * b[i];
        length += to[i] * to[i];
    }
    factor = ((1 - part) * sqrt(length_a) + part * sqrt(length_b)) / sqrt(length > 0 ? length : 1);
    for (i = 0; i < k; i++)
        to[i] *= factor;
}

/* Codes of the ends into codes of the ways between them. */
static void fill_ways(double *way, const double *codes, int64_t k)
{
    int64_t w, i;

    for (w = 0; w < WALKS; w++)
        for (i = 0; i < ACROSS; i++)
            between(way + (w * ACROSS + i) * k, codes + 2 * w * k, codes + (2 * w + 1) * k, k,
                    (double)i / (ACROSS - 1));
}

/* The ends are two digits of one half of the ranking, so that none is odd. */
static int draw_walks(demo *d, int64_t k, double *pixels, double *codes, double *way)
{
    int64_t i;
    int status;

    for (i = 0; i < 2 * WALKS; i++)
        memcpy(pixels + i * PIXELS, d->x + d->rank[(200 + 97 * i) % d->n] * PIXELS,
               PIXELS * sizeof *pixels);
    status = demo_encode(d, FLOW, 2 * WALKS, pixels, codes);
    if (status)
        return status;
    fill_ways(way, codes, k);
    status = demo_decode(d, FLOW, WALKS * ACROSS, way, pixels);
    return status ? status : demo_save(d, "walks.png", WALKS * ACROSS, ACROSS, pixels);
}

int demo_draw_walks(demo *d)
{
    int64_t k = gm_model_code_count(d->by[FLOW].model);
    double *pixels = tool_doubles(WALKS * ACROSS, PIXELS), *codes = tool_doubles(2 * WALKS, k);
    double *way = tool_doubles(WALKS * ACROSS, k);
    int status = TOOL_FAILED;

    if (pixels && codes && way)
        status = draw_walks(d, k, pixels, codes, way);
    free(way);
    free(codes);
    free(pixels);
    return status;
}
