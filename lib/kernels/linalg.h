/* Dense linear algebra in double for models of moderate size: fixed order, so the same bits
 * everywhere. Matrices are row-major and square unless said otherwise. Nothing allocates. */
#ifndef GM__LINALG_H
#define GM__LINALG_H
#include <stdint.h>
/* The Cholesky factor L (lower, L L^T = A) of symmetric A (n, n) in place; the upper part is set to
 * zero. n^3 / 3 operations. Returns 0, or the number (from 1) of the first pivot that is not
 * positive, which leaves A undefined. */
int64_t gm__cholesky(double *a, int64_t n);
/* x = L^-1 b and x = L^-T b, in place in b (n). */
void gm__solve_lower(const double *l, int64_t n, double *b);
void gm__solve_lower_transposed(const double *l, int64_t n, double *b);
/* y = L x; y is not x. */
void gm__multiply_lower(const double *l, int64_t n, const double *x, double *y);
/* Eigenvalues (ascending) into values (n) and, as rows, unit eigenvectors into vectors (n, n), of
 * symmetric A, which is destroyed. Cyclic Jacobi: Golub and Van Loan, Matrix Computations, 4th ed.,
 * section 8.5. About 10 sweeps of 6 n^3 operations. Each vector's largest component is positive.
 * Returns 0, or 1 where it did not converge (values that are not finite). */
int gm__eigen_symmetric(double *a, int64_t n, double *values, double *vectors);
/* Thin singular value decomposition of A (m, n), m >= n: A = U diag(s) V^T with U (m, n) in place
 * of A, s (n) descending and V^T (n, n) in vt. One-sided Jacobi (Hestenes 1958). Columns of U for s
 * = 0 are zero. Returns as gm__eigen_symmetric. */
int gm__svd(double *a, int64_t m, int64_t n, double *s, double *vt);
#endif
