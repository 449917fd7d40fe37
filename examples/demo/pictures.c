/* Pictures of digits: real ones, and those that the models make. */
#include <stdlib.h>
#include <string.h>

#include "demo.h"

enum { ACROSS = 10, GRID = 60, EXTREMES = 20, PATHS = 5, MOMENTS = 10 };

int demo_save(const demo *d, const char *name, int64_t n, int64_t across, const double *x)
{
    image_sheet sheet = {
        .height = SIDE, .width = SIDE, .high = INK, .across = across, .scale = 5, .ink = 1};
    char path[4096];
    int status = demo_path(d, name, path);

    return status ? status : image_save_sheet(&sheet, n, x, path);
}

int demo_sample(demo *d, int by, int64_t n, const char *option, const char *value, double *x)
{
    gm_options *how = NULL;
    int status = tool_options(&d->t, "sample", NULL, &how);

    if (!status && option && gm_options_set_text(d->t.ctx, how, option, value))
        status = tool_failed(&d->t);
    if (!status && gm_model_sample_f64(d->t.ctx, d->by[by].model, n, NULL, how, x))
        status = tool_failed(&d->t);
    gm_options_free(how);
    return status;
}

/* ---- Real digits ----------------------------------------------------------------------------- */

static void take(const demo *d, int64_t n, const int64_t *rows, double *x)
{
    int64_t i;

    for (i = 0; i < n; i++)
        memcpy(x + i * PIXELS, d->x + rows[i] * PIXELS, PIXELS * sizeof *x);
}

static int save_real(const demo *d, const char *name, int64_t n, const int64_t *rows)
{
    double *x = tool_doubles(n, PIXELS);
    int status = TOOL_FAILED;

    if (x) {
        take(d, n, rows, x);
        status = demo_save(d, name, n, ACROSS, x);
    }
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

/* ---- Grids ----------------------------------------------------------------------------------- */

static int draw_grid(demo *d, int by, const char *name)
{
    double *x = tool_doubles(GRID, PIXELS);
    int status = x ? demo_sample(d, by, GRID, NULL, NULL, x) : TOOL_FAILED;

    if (!status)
        status = demo_save(d, name, GRID, ACROSS, x);
    free(x);
    return status;
}

int demo_draw_grids(demo *d)
{
    int64_t rows[GRID], i;
    int status;

    for (i = 0; i < GRID; i++) /* spread over the file */
        rows[i] = (i * 29 + 7) % d->n;
    status = save_real(d, "real.png", GRID, rows);
    if (!status)
        status = draw_grid(d, FLOW, "flow.png");
    if (!status)
        status = draw_grid(d, VAE, "vae.png");
    return status ? status : draw_grid(d, DIFFUSION, "diffusion.png");
}

/* ---- From noise to digit --------------------------------------------------------------------- */

/* The same seed takes the same path: each column of the picture stops it at another moment. */
int demo_draw_path(demo *d)
{
    static const char *const stops[MOMENTS] = {"1",   "0.6",  "0.45", "0.35", "0.27",
                                               "0.2", "0.14", "0.09", "0.04", "0"};
    double *sheet = tool_doubles(PATHS * MOMENTS, PIXELS), x[PATHS * PIXELS];
    int status = sheet ? TOOL_OK : TOOL_FAILED;
    int moment, path;

    for (moment = 0; moment < MOMENTS && !status; moment++) {
        status = demo_sample(d, DIFFUSION, PATHS, "stop", stops[moment], x);
        for (path = 0; path < PATHS && !status; path++)
            memcpy(sheet + (path * MOMENTS + moment) * PIXELS, x + path * PIXELS,
                   PIXELS * sizeof *x);
    }
    if (!status)
        status = demo_save(d, "path.png", PATHS * MOMENTS, MOMENTS, sheet);
    free(sheet);
    return status;
}

/* ---- What a short code keeps ----------------------------------------------------------------- */

int demo_one_of_each(const demo *d, double *x)
{
    int64_t rows[CLASSES], i, j;

    for (i = 0, j = 400; i < CLASSES && j < d->n; j++)
        if ((int64_t)d->label[j] == i)
            rows[i++] = j;
    if (i < CLASSES)
        return tool_error("the digits do not hold all ten classes");
    take(d, CLASSES, rows, x);
    return TOOL_OK;
}

/* A line of digits of all classes, and a line of what comes back. */
int demo_draw_restored(demo *d)
{
    double x[2 * CLASSES * PIXELS];
    int64_t k = gm_model_code_count(d->by[VAE].model);
    double *z = tool_doubles(CLASSES, k);
    int status = z ? demo_one_of_each(d, x) : TOOL_FAILED;

    if (!status)
        status = demo_encode(d, VAE, CLASSES, x, z);
    if (!status)
        status = demo_decode(d, VAE, CLASSES, z, x + CLASSES * PIXELS);
    free(z);
    return status ? status : demo_save(d, "restored.png", 2 * CLASSES, CLASSES, x);
}
