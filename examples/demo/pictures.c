/* The pictures of the page: digits that are and digits that are not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

enum { ACROSS = 10, GRID = 60, EXTREMES = 20, WALKS = 4 };

static int save(const demo *d, const char *name, int64_t n, const double *x)
{
    image_sheet sheet = {
        .height = SIDE, .width = SIDE, .high = INK, .across = ACROSS, .scale = 5, .ink = 1};
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", d->folder, name) >= (int)sizeof path)
        return tool_error("%s: the path is too long", d->folder);
    return image_save_sheet(&sheet, n, x, path);
}

static int save_real(const demo *d, const char *name, int64_t n, const int64_t *rows)
{
    double *x = tool_doubles(n, PIXELS);
    int64_t i;
    int status;

    if (!x)
        return TOOL_FAILED;
    for (i = 0; i < n; i++)
        memcpy(x + i * PIXELS, d->x + rows[i] * PIXELS, PIXELS * sizeof *x);
    status = save(d, name, n, x);
    free(x);
    return status;
}

/* Rows spread over the file. */
int demo_draw_real(demo *d)
{
    int64_t rows[GRID], i;

    for (i = 0; i < GRID; i++)
        rows[i] = (i * 29 + 7) % d->n;
    return save_real(d, "real.png", GRID, rows);
}

int demo_draw_generated(demo *d)
{
    double *x = tool_doubles(GRID, PIXELS);
    gm_options *how = NULL;
    int status = x ? tool_options(&d->t, "sample", NULL, &how) : TOOL_FAILED;

    if (!status && gm_model_sample_f64(d->t.ctx, d->model, GRID, NULL, how, x))
        status = tool_failed(&d->t);
    gm_options_free(how);
    if (!status)
        status = save(d, "generated.png", GRID, x);
    free(x);
    return status;
}

int demo_draw_extremes(demo *d)
{
    int64_t least[EXTREMES], i;
    int status = save_real(d, "most_probable.png", EXTREMES, d->rank);

    for (i = 0; i < EXTREMES; i++)
        least[i] = d->rank[d->n - 1 - i];
    return status ? status : save_real(d, "least_probable.png", EXTREMES, least);
}

/* ---- From one digit to another --------------------------------------------------------------- */

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

static int encode(demo *d, double *ends, gm_array *z)
{
    gm_options *how = NULL;
    gm_array x;
    int status = tool_options(&d->t, "encode", NULL, &how);

    gm_array_init(&x, GM_F64, ends, 2 * WALKS, PIXELS);
    if (!status && gm_model_encode(d->t.ctx, d->model, &x, NULL, how, z))
        status = tool_failed(&d->t);
    gm_options_free(how);
    return status;
}

static int decode(demo *d, gm_array *z, double *out)
{
    gm_options *how = NULL;
    gm_array x;
    int status = tool_options(&d->t, "decode", NULL, &how);

    gm_array_init(&x, GM_F64, out, WALKS * ACROSS, PIXELS);
    if (!status && gm_model_decode(d->t.ctx, d->model, z, NULL, how, &x))
        status = tool_failed(&d->t);
    gm_options_free(how);
    return status;
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
    gm_array z;
    int status;

    for (i = 0; i < 2 * WALKS; i++)
        memcpy(pixels + i * PIXELS, d->x + d->rank[(200 + 97 * i) % d->n] * PIXELS,
               PIXELS * sizeof *pixels);
    gm_array_init(&z, GM_F64, codes, 2 * WALKS, k);
    status = encode(d, pixels, &z);
    if (status)
        return status;
    fill_ways(way, codes, k);
    gm_array_init(&z, GM_F64, way, WALKS * ACROSS, k);
    status = decode(d, &z, pixels);
    return status ? status : save(d, "walks.png", WALKS * ACROSS, pixels);
}

int demo_draw_walks(demo *d)
{
    int64_t k = gm_model_code_count(d->model);
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
