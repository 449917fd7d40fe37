/* Bandwidths of a Gaussian kernel by cross-validation. With A lower triangular, A^T A the inverse
 * of the covariance and z = A (x_i - x_j), every pair contributes a function of z alone, and the
 * gradient in A follows from sums of z z^T. Least squares: Rudemo 1982, Bowman 1984; likelihood:
 * Habbema, Hermans and van den Broek 1974; whole matrices: Duong and Hazelton 2005. */
#include "density/kde_part.h"
#include "base/random.h"
#include "base/size.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

enum { ROWS = 2000, STEPS = 200, PURPOSE_ROW = 1, PAIRS = 4096 };

typedef struct cross {
    const gm__kernels *kernels;
    const gm_cancel *cancel;
    int64_t n, d, params;
    int least_squares, whole;
    const double *x, *w;         /* (n, d), scaled by Scott's bandwidths; (n), summing to 1 */
    double *z, *far, *e, *s, *a; /* A x (n, d), |z|^2 / 2 and e^- of it (n), sums (d, d), A */
    double log_top, log_low;     /* of the diagonal of A */
} cross;

/* Parameters: logarithms of A's diagonal, then what is below it, row by row. */
static void unpack(const cross *c, const double *p, double *a)
{
    int64_t at = c->d;
    for (int64_t i = 0; i < c->d; i++)
        for (int64_t j = 0; j < c->d; j++)
            a[i * c->d + j] = i == j              ? gm__kde_map(c->kernels, GM__EXP, p[i])
                              : j < i && c->whole ? p[at++]
                                                  : 0;
}

/* Passes over pairs take minutes of many rows, one row's pairs a while: they end early, and what
 * they give is thrown away by the check that follows. */
static int stopped(const cross *c, int64_t j)
{
    return j % PAIRS == 0 && gm_cancel_tripped(c->cancel);
}

/* Adds weight times z z^T of pair (i, j). */
static void add_square(const cross *c, int64_t i, int64_t j, double weight)
{
    for (int64_t r = 0; r < c->d; r++) {
        double u = (c->z[i * c->d + r] - c->z[j * c->d + r]) * weight;
        for (int64_t s = c->whole ? 0 : r; s <= r; s++)
            c->s[r * c->d + s] += u * (c->z[i * c->d + s] - c->z[j * c->d + s]);
    }
}

static void distances(const cross *c, int64_t i)
{
    for (int64_t j = 0; j < c->n; j++) {
        double sum = 0;
        for (int64_t r = 0; r < c->d; r++) {
            double u = c->z[i * c->d + r] - c->z[j * c->d + r];
            sum += u * u;
        }
        c->far[j] = -0.5 * sum;
    }
}

/* Minus the log likelihood of row i under the others; its gradient in S. */
static double likelihood_of(const cross *c, int64_t i)
{
    double top = -INFINITY, sum = 0;
    distances(c, i);
    for (int64_t j = 0; j < c->n; j++)
        top = j != i && c->w[j] > 0 && c->far[j] > top ? c->far[j] : top;
    for (int64_t j = 0; j < c->n; j++)
        c->e[j] = c->far[j] - top;
    c->kernels->maps->map1[GM__F64][GM__EXP](c->e, c->e, c->n);
    for (int64_t j = 0; j < c->n; j++)
        sum += j != i ? c->w[j] * c->e[j] : 0;
    for (int64_t j = 0; j < c->n && !stopped(c, j); j++)
        if (j != i && c->w[j] * c->e[j] > 1e-18 * sum)
            add_square(c, i, j, c->w[i] * c->w[j] * c->e[j] / sum);
    return -c->w[i] * (top + gm__kde_map(c->kernels, GM__LOG, sum / (1 - c->w[i])));
}

/* The part of row i in the integral of f^2, less twice that in the mean of the others' density,
 * without |A| and (2 pi)^(-d/2). */
static double squares_of(const cross *c, int64_t i, double half)
{
    double sum = 0, lone = 2 / (1 - c->w[i]);
    distances(c, i);
    for (int64_t j = 0; j < c->n; j++)
        c->e[j] = 0.5 * c->far[j];
    c->kernels->maps->map1[GM__F64][GM__EXP](c->e, c->e, c->n);
    for (int64_t j = 0; j < c->n && !stopped(c, j); j++) {
        double w = c->w[i] * c->w[j], twice = half * c->e[j], once = lone * c->e[j] * c->e[j];
        sum += w * (j == i ? twice : twice - once);
        if (j != i && c->e[j] > 1e-18)
            add_square(c, i, j, w * (-0.5 * twice + once));
    }
    return sum;
}

/* The criterion at p, its gradient into g. */
static gm_status value_at(gm_context *ctx, const cross *c, const double *p, double *g,
                          double *value)
{
    int64_t d = c->d, at = d;
    double sum = 0, log_det = 0, scale = 1;
    double half = gm__kde_map(c->kernels, GM__EXP, -0.5 * (double)d * 0x1.62e42fefa39efp-1);
    unpack(c, p, c->a);
    memset(c->s, 0, (size_t)(d * d) * sizeof *c->s);
    for (int64_t i = 0; i < c->n; i++)
        gm__multiply_lower(c->a, d, c->x + i * d, c->z + i * d);
    for (int64_t i = 0; i < c->n; i++) {
        GM_TRY(gm__check_cancel(ctx));
        if (c->w[i] > 0)
            sum += c->least_squares ? squares_of(c, i, half) : likelihood_of(c, i);
    }
    for (int64_t i = 0; i < d; i++)
        log_det += p[i];
    if (c->least_squares) { /* |A| times the sum */
        scale = gm__kde_map(c->kernels, GM__EXP, log_det);
        sum *= scale;
    } else {
        sum -= log_det;
    }
    /* dz = dA (x_i - x_j), x_i - x_j = A^-1 z: the gradient in A is S A^-T. Row r of it solves
     * A g = s_r. */
    for (int64_t r = 0; r < d; r++) {
        double *row = c->s + r * d;
        for (int64_t s = r + 1; s < d && c->whole; s++)
            row[s] = c->s[s * d + r];
    }
    for (int64_t r = 0; r < d; r++) {
        double *row = c->s + r * d;
        if (c->whole)
            gm__solve_lower(c->a, d, row);
        else
            row[r] /= c->a[r * d + r];
        g[r] = scale * row[r] * c->a[r * d + r] + (c->least_squares ? sum : -1);
        for (int64_t s = 0; s < r && c->whole; s++)
            g[at++] = scale * row[s];
    }
    *value = sum;
    return gm__check_cancel(ctx);
}

/* ---- Descent ---- */

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The inverse Hessian's estimate h after a step s that changed the gradient by y: Nocedal and
 * Wright 2006, eq. 6.17. t is scratch. */
static void update_inverse(double *h, const double *s, const double *y, double *t, int64_t n)
{
    double sy = dot(s, y, n), yhy = 0;
    if (!(sy > 1e-12 * sqrt(dot(s, s, n) * dot(y, y, n))))
        return;
    for (int64_t i = 0; i < n; i++) {
        t[i] = dot(h + i * n, y, n);
        yhy += t[i] * y[i];
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            h[i * n + j] += (1 + yhy / sy) * s[i] * s[j] / sy - (s[i] * t[j] + t[i] * s[j]) / sy;
}

/* The first steps' length is one in logarithms at most; diagonals stay in their range. */
static void step_to(const cross *c, const double *p, const double *way, double length, double *to)
{
    for (int64_t i = 0; i < c->params; i++) {
        double v = p[i] + length * way[i];
        if (i < c->d)
            v = v < c->log_low ? c->log_low : v > c->log_top ? c->log_top : v;
        to[i] = v;
    }
}

/* p, the gradient g, then next, its gradient, way, change, scratch, (params) each, and h. */
static gm_status descend(gm_context *ctx, const cross *c, double *p)
{
    int64_t n = c->params;
    double *g = p + n, *next = g + n, *grown = next + n, *way = grown + n, *y = way + n;
    double *t = y + n, *h = t + n;
    for (int64_t i = 0; i < n; i++)
        h[i * n + i] = 1;
    double now;
    GM_TRY(value_at(ctx, c, p, g, &now));
    for (int step = 0; step < STEPS; step++) {
        double most = 0, length = 1, then = 0;
        for (int64_t i = 0; i < n; i++) {
            way[i] = -dot(h + i * n, g, n);
            most = fabs(way[i]) > most ? fabs(way[i]) : most;
        }
        double slope = dot(way, g, n);
        if (!(slope < 0) || !(most > 1e-9))
            break;
        length = most > 1 ? 1 / most : 1;
        int tries = 0;
        for (; tries < 40; tries++, length *= 0.5) {
            step_to(c, p, way, length, next);
            GM_TRY(value_at(ctx, c, next, grown, &then));
            if (then <= now + 1e-4 * length * slope)
                break;
        }
        if (tries == 40)
            break;
        for (int64_t i = 0; i < n; i++) {
            y[i] = grown[i] - g[i];
            way[i] = next[i] - p[i];
        }
        update_inverse(h, way, y, t, n);
        double gain = now - then, size = sqrt(dot(way, way, n));
        memcpy(p, next, (size_t)n * sizeof *p);
        memcpy(g, grown, (size_t)n * sizeof *g);
        now = then;
        if (size < 1e-7 || (gain < 1e-13 * fabs(now) && size < 1e-4))
            break;
    }
    return GM_OK;
}

/* ---- Rows ---- */

/* count rows, all or drawn, scaled by h into x, their weights into w. */
static void take_rows(const gm__kde_rows_of *r, uint64_t seed, int64_t count, const double *h,
                      double *x, double *w)
{
    double total = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = count == r->n ? i : gm__permute(seed, GM__FOR_SPLIT, PURPOSE_ROW, i, r->n);
        w[i] = r->weights ? r->weights[row] : 1;
        total += w[i];
        for (int64_t j = 0; j < r->d; j++)
            x[i * r->d + j] = (r->x[row * r->stride + j] - r->x[j]) / h[j];
    }
    for (int64_t i = 0; i < count; i++)
        w[i] /= total;
}

/* The covariance (A^T A)^-1 in the scale of h, times shrink^2; or its diagonal's roots into h. */
static void give(const cross *c, double shrink, double *h, double *matrix)
{
    int64_t d = c->d;
    for (int64_t j = 0; j < d && !matrix; j++)
        h[j] *= shrink / c->a[j * d + j];
    if (!matrix)
        return;
    /* Column j of A^-1 into row j of s: the covariance is A^-1 A^-T. */
    memset(c->s, 0, (size_t)(d * d) * sizeof *c->s);
    for (int64_t j = 0; j < d; j++) {
        c->s[j * d + j] = 1;
        gm__solve_lower(c->a, d, c->s + j * d);
    }
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t r = 0; r < d; r++)
                sum += c->s[r * d + i] * c->s[r * d + j];
            matrix[i * d + j] = matrix[j * d + i] = sum * shrink * shrink * h[i] * h[j];
        }
    for (int64_t j = 0; j < d; j++)
        h[j] = sqrt(matrix[j * d + j]);
}

gm_status gm__kde_cross_validate(gm_context *ctx, gm__kde_criterion criterion,
                                 const gm__kde_rows_of *r, int64_t most, uint64_t seed, double *h,
                                 double *matrix)
{
    GM_TRY(gm__kde_rule_of_thumb(ctx, GM__KDE_SCOTT, r, h));
    int64_t d = r->d, n = r->n < (most > 0 ? most : ROWS) ? r->n : most > 0 ? most : ROWS;
    if (n < 3 || d > 64)
        return gm__fail(ctx, GM_E_SHAPE,
                        "kde: cross-validation needs 3 rows and at most 64 columns");
    cross c = {.kernels = ctx->kernels,
               .cancel = ctx->cancel,
               .n = n,
               .d = d,
               .whole = matrix != NULL,
               .least_squares = criterion == GM__KDE_LEAST_SQUARES,
               .log_top = 6,
               .log_low = -4};
    c.params = matrix ? d * (d + 1) / 2 : d;
    int64_t size = 2 * n * d + 3 * n + 2 * d * d + c.params * (7 + c.params);
    double *room = gm__alloc_array(&ctx->allocator, size, sizeof *room);
    if (!room)
        return gm__no_memory(ctx);
    double *x = room, *w = x + n * d;
    c.x = x;
    c.w = w;
    c.z = w + n;
    c.far = c.z + n * d;
    c.e = c.far + n;
    c.s = c.e + n;
    c.a = c.s + d * d;
    double *p = c.a + d * d;
    take_rows(r, seed, n, h, x, w);
    gm_status code = descend(ctx, &c, p);
    if (!code) {
        double ratio = (double)n / (double)r->n;
        double e = gm__kde_map(ctx->kernels, GM__LOG, ratio) / ((double)d + 4);
        unpack(&c, p, c.a);
        give(&c, gm__kde_map(ctx->kernels, GM__EXP, e), h, matrix);
    }
    gm__free(&ctx->allocator, room, (size_t)size * sizeof *room);
    return code;
}
