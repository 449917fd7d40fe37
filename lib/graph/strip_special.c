/* Row forms of draws, splines and triangular systems. */
#include "graph/plan.h"

#include <string.h>

/* ---- Draws ----------------------------------------------------------------------------------- */

/* Columns [from, from + cols) of wider rows: those before the first whole block by themselves. */
static void draw_part(const gm__kernels *k, const gm__draw *d, int normal, char *y, int64_t rows,
                      int64_t from, int64_t cols)
{
    enum { ROWS = 64 };
    char some[16 * ROWS];
    int64_t size = d->real == GM__F64 ? 8 : 4, each = 16 / size, block = from / each,
            skip = from % each, lead = skip + cols < each ? cols : each - skip;
    gm__draw at = *d;
    for (int64_t i = 0; i < rows; i++, at.row0++) {
        char *to = y + i * cols * size;
        if (i % ROWS == 0)
            k->draws->part(&at, normal, some, rows - i < ROWS ? rows - i : ROWS, block, each);
        memcpy(to, some + i % ROWS * 16 + skip * size, (size_t)(lead * size));
        if (cols > lead)
            k->draws->part(&at, normal, to + lead * size, 1, block + 1, cols - lead);
    }
}

/* Rows of one stream: row numbers start again at each block of batch rows. */
static void draw(const gm__cell *c, const gm__strip *s, char *y, int64_t row0, int64_t rows)
{
    int batched = c->yv[0]->ndim && c->yv[0]->shape[0] < 0;
    int64_t block = batched ? row0 / s->batch : 0;
    gm__draw d = {c->real, s->run->seed, (uint32_t)(c->attr->real[0] + (double)block), s->run->step,
                  row0 - block * s->batch + (batched ? s->run->row0 : 0)};
    int64_t w = c->yv[0]->w;
    if (s->run->before)
        draw_part(s->kernels, &d, c->op == GM__OP_NORMAL, y, rows, s->run->before * w, w);
    else if (c->op == GM__OP_NORMAL)
        s->kernels->draws->normal(&d, y, rows, w);
    else
        s->kernels->draws->uniform(&d, y, rows, w);
}

void gm__strip_draw(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t at = s->row0, end = s->row0 + s->rows;
    char *to = y[0];
    (void)x;
    while (at < end) {
        int64_t stop =
            c->yv[0]->shape[0] < 0 && c->yv[0]->ndim ? (at / s->batch + 1) * s->batch : end;
        int64_t rows = (stop < end ? stop : end) - at;
        draw(c, s, to, at, rows);
        at += rows;
        to += rows * c->yv[0]->w * c->yv[0]->size;
    }
}

/* ---- Splines --------------------------------------------------------------------------------- */

static gm__spline spline(const gm__cell *c)
{
    const gm__attr *a = c->attr;
    return (gm__spline){c->real,    (int)a->whole[0], a->real[0],
                        a->real[1], a->real[2],       a->whole[1] != 0};
}

void gm__strip_spline(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    gm__spline k = spline(c);
    s->kernels->splines->run(&k, y[0], y[1], x[0], x[1], s->rows * c->yv[0]->w);
}

void gm__strip_spline_grad(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    gm__spline k = spline(c);
    s->kernels->splines->grad(&k, y[0], y[1], x[0], x[1], x[2], x[3], s->rows * c->yv[0]->w);
}

/* ---- Triangular systems ---------------------------------------------------------------------- */

/* y_j = (x_j - sum over i of y_i a_ij) / a_jj, sums in double in the order in which the y are
 * found. a_ij is at i * si + j * sj. The first unknown is the first column where `rising`, else the
 * last. */
#define SOLVE_ROW(type)                                                                            \
    static void solve_##type(type *y, const type *x, const type *a, int64_t n, int64_t si,         \
                             int64_t sj, int rising)                                               \
    {                                                                                              \
        for (int64_t k = 0; k < n; k++) {                                                          \
            int64_t j = rising ? k : n - 1 - k;                                                    \
            double sum = x[j];                                                                     \
            for (int64_t m = 0; m < k; m++) {                                                      \
                int64_t i = rising ? m : n - 1 - m;                                                \
                sum -= (double)y[i] * (double)a[i * si + j * sj];                                  \
            }                                                                                      \
            y[j] = (type)(sum / (double)a[j * si + j * sj]);                                       \
        }                                                                                          \
    }
SOLVE_ROW(float)
SOLVE_ROW(double)

void gm__strip_solve(const gm__cell *c, const gm__strip *s, void *const *y, void *const *x)
{
    int64_t n = c->xv[0]->w, upper = c->attr->whole[0], transposed = c->attr->whole[1];
    int64_t si = transposed ? 1 : n, sj = transposed ? n : 1;
    int rising = upper != transposed;
    for (int64_t row = 0; row < s->rows; row++)
        if (c->real == GM__F64)
            solve_double((double *)y[0] + row * n, (const double *)x[1] + row * n, x[0], n, si, sj,
                         rising);
        else
            solve_float((float *)y[0] + row * n, (const float *)x[1] + row * n, x[0], n, si, sj,
                        rising);
}
