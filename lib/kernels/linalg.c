#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

#define SWEEPS 60

/* ---- Cholesky -------------------------------------------------------------------------------- */

static double dot(const double *x, const double *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Row by row (Cholesky-Banachiewicz): row i needs the rows above it only. */
int64_t gm__cholesky(double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (int64_t j = 0; j < i; j++)
            row[j] = (row[j] - dot(row, a + j * n, j)) / a[j * n + j];
        double pivot = row[i] - dot(row, row, i);
        if (!(pivot > 0) || pivot - pivot != 0)
            return i + 1;
        row[i] = sqrt(pivot);
        memset(row + i + 1, 0, (size_t)(n - i - 1) * sizeof *row);
    }
    return 0;
}

void gm__solve_lower(const double *l, int64_t n, double *b)
{
    for (int64_t i = 0; i < n; i++)
        b[i] = (b[i] - dot(l + i * n, b, i)) / l[i * n + i];
}

void gm__solve_lower_transposed(const double *l, int64_t n, double *b)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        double x = b[i] /= l[i * n + i];
        for (int64_t j = 0; j < i; j++)
            b[j] -= l[i * n + j] * x;
    }
}

void gm__multiply_lower(const double *l, int64_t n, const double *x, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = dot(l + i * n, x, i + 1);
}

/* ---- Rotations ------------------------------------------------------------------------------- */

/* The rotation that makes the off-diagonal element of ((app, apq), (apq, aqq)) zero: tan, then
 * cosine and sine. */
static void rotation(double app, double apq, double aqq, double *c, double *s)
{
    double theta = (aqq - app) / (2 * apq);
    double t = 1 / (fabs(theta) + sqrt(1 + theta * theta));
    if (theta < 0)
        t = -t;
    *c = 1 / sqrt(1 + t * t);
    *s = t * *c;
}

/* (x, y) becomes (c x - s y, s x + c y), element by element. */
static void rotate(double *x, double *y, int64_t n, int64_t stride, double c, double s)
{
    for (int64_t i = 0; i < n * stride; i += stride) {
        double u = x[i], v = y[i];
        x[i] = c * u - s * v;
        y[i] = s * u + c * v;
    }
}

static void identity(double *v, int64_t n)
{
    memset(v, 0, (size_t)n * (size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i * n + i] = 1;
}

static void swap_rows(double *x, double *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double t = x[i];
        x[i] = y[i];
        y[i] = t;
    }
}

static void make_largest_positive(double *v, int64_t n)
{
    int64_t at = 0;
    for (int64_t i = 1; i < n; i++)
        if (fabs(v[i]) > fabs(v[at]))
            at = i;
    if (n && v[at] < 0)
        for (int64_t i = 0; i < n; i++)
            v[i] = -v[i];
}

/* ---- Symmetric eigenvalues ------------------------------------------------------------------- */

static int eigen_sweep(double *a, int64_t n, double *vectors)
{
    int turned = 0;
    for (int64_t p = 0; p < n - 1; p++)
        for (int64_t q = p + 1; q < n; q++) {
            double c, s, apq = a[p * n + q];
            /* negligible against both diagonal elements */
            if (fabs(apq) <= 0x1p-53 * sqrt(fabs(a[p * n + p])) * sqrt(fabs(a[q * n + q])) ||
                fabs(apq) < 0x1p-1000)
                continue;
            turned = 1;
            rotation(a[p * n + p], apq, a[q * n + q], &c, &s);
            rotate(a + p, a + q, n, n, c, s);         /* columns */
            rotate(a + p * n, a + q * n, n, 1, c, s); /* rows */
            a[p * n + q] = a[q * n + p] = 0;
            rotate(vectors + p * n, vectors + q * n, n, 1, c, s);
        }
    return turned;
}

int gm__eigen_symmetric(double *a, int64_t n, double *values, double *vectors)
{
    int sweep = 0;
    identity(vectors, n);
    for (int64_t i = 0; i < n * n; i++)
        if (a[i] - a[i] != 0)
            return 1;
    while (eigen_sweep(a, n, vectors) && ++sweep < SWEEPS) {
    }
    for (int64_t i = 0; i < n; i++)
        values[i] = a[i * n + i];
    for (int64_t i = 0; i < n; i++) { /* ascending, by selection */
        int64_t least = i;
        for (int64_t j = i + 1; j < n; j++)
            if (values[j] < values[least])
                least = j;
        double t = values[i];
        values[i] = values[least];
        values[least] = t;
        if (least != i)
            swap_rows(vectors + i * n, vectors + least * n, n);
        make_largest_positive(vectors + i * n, n);
    }
    return sweep == SWEEPS;
}

/* ---- Singular values ------------------------------------------------------------------------- */

static double dot_columns(const double *a, int64_t m, int64_t n, int64_t p, int64_t q)
{
    double sum = 0;
    for (int64_t i = 0; i < m; i++)
        sum += a[i * n + p] * a[i * n + q];
    return sum;
}

static int svd_sweep(double *a, int64_t m, int64_t n, double *vt)
{
    int turned = 0;
    for (int64_t p = 0; p < n - 1; p++)
        for (int64_t q = p + 1; q < n; q++) {
            double c, s, apq = dot_columns(a, m, n, p, q);
            double app = dot_columns(a, m, n, p, p), aqq = dot_columns(a, m, n, q, q);
            if (fabs(apq) <= 0x1p-51 * sqrt(app) * sqrt(aqq) || apq == 0)
                continue;
            turned = 1;
            rotation(app, apq, aqq, &c, &s);
            rotate(a + p, a + q, m, n, c, s);
            rotate(vt + p * n, vt + q * n, n, 1, c, s);
        }
    return turned;
}

static void swap_columns(double *a, int64_t m, int64_t n, int64_t p, int64_t q)
{
    for (int64_t i = 0; i < m; i++) {
        double t = a[i * n + p];
        a[i * n + p] = a[i * n + q];
        a[i * n + q] = t;
    }
}

int gm__svd(double *a, int64_t m, int64_t n, double *s, double *vt)
{
    int sweep = 0;
    identity(vt, n);
    for (int64_t i = 0; i < m * n; i++)
        if (a[i] - a[i] != 0)
            return 1;
    while (svd_sweep(a, m, n, vt) && ++sweep < SWEEPS) {
    }
    for (int64_t j = 0; j < n; j++)
        s[j] = sqrt(dot_columns(a, m, n, j, j));
    for (int64_t j = 0; j < n; j++) {
        int64_t most = j;
        for (int64_t k = j + 1; k < n; k++)
            if (s[k] > s[most])
                most = k;
        double t = s[j];
        s[j] = s[most];
        s[most] = t;
        if (most != j) {
            swap_columns(a, m, n, j, most);
            swap_rows(vt + j * n, vt + most * n, n);
        }
        for (int64_t i = 0; i < m; i++)
            a[i * n + j] = s[j] > 0 ? a[i * n + j] / s[j] : 0;
    }
    return sweep == SWEEPS;
}
