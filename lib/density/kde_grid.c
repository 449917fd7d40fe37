/* A grid for Gaussian products in one and two dimensions. With u = (q - x) / h,
 *
 *     e^(-u^2 / 2) = sqrt(2 / pi) * integral over y of e^-(y - x/h)^2 e^-(q/h - y)^2,
 *
 * and the sum over the points y of a grid of step s has the relative error 2 e^(-pi^2 / (2 s^2)),
 * whatever u (Poisson's summation formula; Greengard and Lee 2004, "Accelerating the nonuniform
 * fast Fourier transform", spread points by the same Gaussian). So every row is spread over the 24
 * points around it, once, and a question gathers 24 points: all terms are positive, and the bounds
 * are relative but for what the windows cut off. */
#include "density/kde_part.h"
#include "base/size.h"

#include <math.h>

#define STEP GM__WINDOW_STEP
#define ALIAS 5.4e-9                /* 2 e^(-pi^2 / (2 s^2)), a little more */
#define CUT 2.4e-16                 /* e^-T^2, T = 6: the nearest point outside a window */
#define FACTOR 0x1.9884533d43651p-2 /* s sqrt(2 / pi) */
#define FAR (GM__WINDOW / 2 - 1)    /* points of a window before the one under its middle */
#define MOST_CELLS ((int64_t)1 << 24)

/* A value as a place on the grid: the first point of its window, and the weights there. */
static int64_t place(const gm__kde *k, const gm__kernels *kernels, int64_t j, double y, double *w)
{
    double t = (y - k->grid->origin[j]) * k->inverse[j], last = (double)k->grid->cells[j];
    if (!(t >= 0 && t < last * STEP))
        return -1;
    double first = floor(t / STEP) - FAR;
    if (first < 0 || first + GM__WINDOW > last)
        return -1;
    kernels->densities->window(w, t - (first + FAR) * STEP);
    return (int64_t)first;
}

static int spread(gm__kde *k, const gm__kernels *kernels, const double *y, double weight)
{
    double w[2][GM__WINDOW];
    gm__kde_grid *g = k->grid;
    int64_t first = place(k, kernels, 0, y[0], w[0]), row = 0;
    int rows = 1;
    w[1][0] = 1;
    if (k->d == 2) {
        row = place(k, kernels, 1, y[1], w[1]);
        rows = GM__WINDOW;
    }
    if (first < 0 || row < 0)
        return 1;
    for (int i = 0; i < rows; i++)
        w[1][i] *= weight;
    kernels->densities->spread(g->at + row * g->cells[0] + first, g->cells[0], w[1], rows, w[0]);
    return 0;
}

void gm__kde_grid_free(gm__kde *k)
{
    if (k->grid)
        gm__free(&k->allocator, k->grid->at, (size_t)k->grid->size * sizeof *k->grid->at);
    gm__free(&k->allocator, k->grid, sizeof *k->grid);
    k->grid = NULL;
}

/* Cells that cover low to high and a window's margin on each side; 0 where that is too many. */
static int64_t cells_of(double low, double high, double inverse)
{
    double t = (high - low) * inverse / STEP + 4 * GM__WINDOW;
    return t < (double)MOST_CELLS ? (int64_t)t : 0;
}

void gm__kde_grid_build(gm_context *ctx, gm__kde *k, int64_t n, const double *y)
{
    gm__kde_grid g = {.cells = {1, 1}, .size = 1};
    const double *box = k->box + 2 * k->d; /* the root's */
    if (k->plain || !k->gauss || k->adaptive || k->d > 2 || n < 256)
        return;
    for (int64_t j = 0; j < k->d; j++) {
        g.cells[j] = cells_of(box[j], box[k->d + j], k->inverse[j]);
        g.origin[j] = box[j] - 2 * GM__WINDOW * STEP / k->inverse[j];
        if (gm__mul64(g.size, g.cells[j], &g.size))
            return;
        /* Rounding of places must not show in the weights. */
        if (!(fabs(g.origin[j]) * k->inverse[j] < 1e12))
            return;
    }
    int64_t most = 64 * n < 65536 ? 65536 : 64 * n;
    if (g.size == 0 || g.size > most || g.size > MOST_CELLS)
        return;
    g.at = gm__alloc_array(&k->allocator, g.size, sizeof *g.at);
    k->grid = gm__alloc(&k->allocator, sizeof g);
    if (!g.at || !k->grid) {
        gm__free(&k->allocator, g.at, (size_t)g.size * sizeof *g.at);
        gm__free(&k->allocator, k->grid, sizeof g);
        k->grid = NULL;
        return;
    }
    *k->grid = g;
    for (int64_t i = 0; i < n; i++)
        if (spread(k, ctx->kernels, y + i * k->d, k->even ? 1 : k->weight[i] / k->scale)) {
            gm__kde_grid_free(k);
            return;
        }
}

int gm__kde_grid_ask(const gm__kde *k, const gm__kernels *kernels, const double *y, double bound[2])
{
    double w[2][GM__WINDOW], sum, scale = FACTOR, cut, relative, span = 0;
    const gm__kde_grid *g = k->grid;
    int64_t first = place(k, kernels, 0, y[0], w[0]), row = 0;
    int rows = 1;
    w[1][0] = 1;
    if (k->d == 2) {
        row = place(k, kernels, 1, y[1], w[1]);
        rows = GM__WINDOW;
        scale *= FACTOR;
    }
    if (first < 0 || row < 0)
        return 0;
    sum = kernels->densities->gather(g->at + row * g->cells[0] + first, g->cells[0], w[1], rows,
                                     w[0]) *
          scale;
    for (int64_t j = 0; j < k->d; j++)
        span += (double)g->cells[j] * STEP;
    /* Places are right to 2^-52 (span + |origin| / h); exponents change by 2 T times that. */
    for (int64_t j = 0; j < k->d; j++)
        span += fabs(g->origin[j]) * k->inverse[j];
    relative = 2 * ALIAS * (double)k->d + 0x1p-52 * (48 * span + (double)k->count + 256);
    /* Per dimension sqrt(2) e^-T^2 for either window, of every row's weight. */
    cut = 3 * CUT * (double)k->d * k->total;
    bound[0] = sum * (1 - relative);
    bound[1] = (sum + cut) * (1 + relative);
    return bound[0] > 0;
}
