/* The kernels: the only place with SIMD. Everything above asks for work here, and only here.
 *
 * A gm__kernels is one constant table of functions for one instruction set; gm__kernels_find gives
 * it. Every function computes the same bits in every table. None allocates, fails, or keeps state;
 * each may run on any thread. Pointers need only the natural alignment of their type (64 bytes is
 * faster). `real` says float (GM__F32) or double (GM__F64) wherever a pointer is void.
 *
 * Work is shared between threads by (part, parts): a call does the part-th of `parts` shares of the
 * whole, shares are disjoint in what they write, and together they are the whole. Who computes a
 * share never changes a bit. */
#ifndef GM__KERNELS_H
#define GM__KERNELS_H

#include <stdint.h>
#include <stddef.h>

typedef enum gm__real { GM__F32 = 0, GM__F64 = 1 } gm__real;

/* Element maps of one argument. ulp bounds: 2, but silu, gelu, softplus and log_sigmoid 4 plus the
 * least subnormal; the first row exact. Left of zero, where lgamma and digamma have zeros that no
 * expansion covers: 2 ulp or 1.3e-16 (float64, lgamma, of values under 1/2; measured 0.7e-16) and
 * 2e-16 (digamma, of values under 1), whichever is more; float32 is the rounded float64. Polygamma
 * of order 2 and up: about 1e-14 relative right of zero. A NaN gives a NaN but for relu and step.
 */
typedef enum gm__map1 {
    GM__NEG,
    GM__ABS,
    GM__SIGN,
    GM__SQUARE,
    GM__SQRT,
    GM__RECIP,
    GM__FLOOR,
    GM__ROUND,
    GM__RELU /* x > 0 ? x : 0 */,
    GM__STEP /* x > 0 ? 1 : 0 */,
    GM__EXP,
    GM__EXPM1,
    GM__LOG,
    GM__LOG1P,
    GM__SIN,
    GM__COS,
    GM__TANH,
    GM__SIGMOID,
    GM__SOFTPLUS,
    GM__LOG_SIGMOID,
    GM__SILU,
    GM__SILU_SLOPE /* its derivative s (1 + x (1 - s)), s = sigmoid(x), in these operations */,
    GM__GELU /* x Phi(x), exact form */,
    GM__ERF,
    GM__ERFC,
    GM__LGAMMA,
    GM__DIGAMMA,
    GM__TRIGAMMA,
    GM__ATAN,
    GM__NORMAL_CDF,
    GM__NORMAL_QUANTILE,
    GM__MAP1_COUNT
} gm__map1;

/* Element maps of two arguments. Comparisons give 1 or 0. GATE(a, b) = b > 0 ? a : 0. MIN and MAX
 * give NaN if either is. LOGADDEXP is within 2 ulp of the larger of |max(a, b)| and 1. */
typedef enum gm__map2 {
    GM__ADD,
    GM__SUB,
    GM__MUL,
    GM__DIV,
    GM__MIN,
    GM__MAX,
    GM__GT,
    GM__GE,
    GM__EQ,
    GM__GATE,
    GM__LOGADDEXP,
    GM__MAP2_COUNT
} gm__map2;

typedef void gm__map1_fn(void *y, const void *x, int64_t n);
typedef void gm__both_fn(void *y, void *slope, const void *x, int64_t n);
typedef void gm__map2_fn(void *y, const void *a, const void *b, int64_t n);

/* y may be x, a, b or c itself (same start), never a partial overlap. */
typedef struct gm__maps {
    gm__map1_fn *map1[2][GM__MAP1_COUNT];       /* [real][map] */
    gm__map2_fn *map2[2][GM__MAP2_COUNT];       /* both operands n long */
    gm__map2_fn *map2_right[2][GM__MAP2_COUNT]; /* b is one value, for all */
    gm__map2_fn *map2_left[2][GM__MAP2_COUNT];  /* a is one value, for all */
    void (*pick[2])(void *y, const void *m, const void *a, const void *b,
                    int64_t n); /* m != 0 ? a : b */
    void (*axpb[2])(void *y, const void *x, double scale, double shift, int64_t n);
    /* y = x * scale + shift, two roundings, scale and shift rounded to the type first */
    void (*leaky[2])(void *y, const void *x, double slope, int64_t n);
    void (*polygamma[2])(void *y, const void *x, int order, int64_t n); /* order >= 1 */
    /* y = f(x) and slope = f'(x), bit for bit the maps SILU and SILU_SLOPE, SOFTPLUS and SIGMOID.
     */
    gm__both_fn *silu_both[2], *softplus_both[2];
    void (*widen)(double *y, const float *x, int64_t n);
    void (*narrow)(float *y, const double *x, int64_t n);
} gm__maps;

/* C (m, n) = op(A) (m, k) * op(B) (k, n), then the epilogue.
 *
 * An element of the product: k is cut at multiples of GM__K_CUT; each piece is one chain of fused
 * multiply-adds from zero in the order of k; pieces are added in order. The epilogue follows in the
 * order: + old C (accumulate), + bias, save to pre, activation, gate or factor. The cut was
 * measured once (256 to 1024, the longest is fastest by up to a tenth) and is frozen: it is part of
 * the bits. */
#define GM__K_CUT 1024
typedef struct gm__product {
    gm__real real;
    int64_t m, n, k;
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc; /* row strides in elements of the matrices as stored */
    int ta, tb;            /* non-zero: A is stored (k, m); B is stored (n, k) */
    int accumulate;        /* C = old C + product */
    const void *bias;      /* n values or NULL */
    void *pre;        /* (m, n), row stride ldc: gets the value before the activation; or NULL */
    int act;          /* a gm__map1, GM__ACT_LEAKY, or GM__ACT_NONE */
    double slope;     /* of GM__ACT_LEAKY */
    void *slope_to;   /* (m, n), row stride ldc: gets the derivative of SILU or SOFTPLUS; or NULL */
    const void *gate; /* (m, n), row stride ldgate: c = gate > 0 ? c : 0; or NULL */
    int64_t ldgate;
    int factor; /* non-zero, without act: c = gate * c instead */
    /* Structure known when the graph was built; NULL where there is none. For column j of C only
     * k in [k_lo[j], k_hi[j]) can be non-zero in op(B): the rest may be skipped (it is zero). For
     * row i of C only columns [n_lo[i], n_hi[i]) are wanted: the rest of C is set to zero, or is
     * zero before if `zeroed` says so (then without pre and slope_to). */
    const int32_t *k_lo, *k_hi, *n_lo, *n_hi;
    int zeroed;
} gm__product;
#define GM__ACT_NONE (-1)
#define GM__ACT_LEAKY (-2)

typedef struct gm__products {
    /* Bytes of scratch that one part of this product may need (64-byte aligned by the caller). */
    size_t (*scratch)(const gm__product *p);
    void (*run)(const gm__product *p, int part, int parts, void *scratch);
} gm__products;

/* Every reduction has a fixed order that depends on its own length alone: 16 virtual lanes (element
 * i in lane i mod 16), lanes folded 8+8, 4+4, 2+2, 1+1; in double inside, whatever the input. */
typedef struct gm__reductions {
    void (*row_sum[2])(void *y, const void *x, int64_t rows, int64_t cols); /* y (rows) */
    void (*row_sum_wide)(double *y, const float *x, int64_t rows, int64_t cols);
    void (*row_max[2])(void *y, const void *x, int64_t rows, int64_t cols);
    /* y (cols) = sum over rows: rows cut at multiples of GM__ROW_CUT, each piece a chain in order
     * in the type, pieces added in order. Columns [c0, c1) only. */
    void (*col_sum[2])(void *y, const void *x, int64_t rows, int64_t cols, int64_t c0, int64_t c1);
    double (*sum[2])(const void *x, int64_t n);
    double (*sum_squares[2])(const void *x, int64_t n);
    void (*softmax[2])(void *y, const void *x, int64_t rows, int64_t cols);
    void (*log_softmax[2])(void *y, const void *x, int64_t rows, int64_t cols);
    void (*logsumexp[2])(void *y, const void *x, int64_t rows, int64_t cols);
    void (*cumsum[2])(void *y, const void *x, int64_t rows, int64_t cols, int reverse,
                      int exclusive);
} gm__reductions;
#define GM__ROW_CUT 64

/* Monotone rational-quadratic spline with linear tails (Durkan et al. 2019, eq. 4 to 8).
 * p holds 3K-1 raw parameters for each of the n elements, in the order K widths, K heights, K-1
 * inner derivatives: widths = softmax with a floor of min_bin, scaled to [-bound, bound]; heights
 * alike; derivatives = min_slope + softplus(raw + c), c such that raw 0 gives slope 1; slope 1 at
 * both ends and outside. log_slope is log dy/dx of the direction computed. Finite in value and
 * gradient at every finite input. In 4 n (3K-1) bytes read, about 60 n K operations. */
typedef struct gm__spline {
    gm__real real;
    int bins;     /* K, 2 to 256 */
    double bound; /* B > 0 */
    double min_bin, min_slope;
    int inverse;
} gm__spline;

typedef struct gm__splines {
    void (*run)(const gm__spline *s, void *y, void *log_slope, const void *x, const void *p,
                int64_t n);
    /* Given the adjoints of y and log_slope, those of x and p (either may be NULL). */
    void (*grad)(const gm__spline *s, void *dx, void *dp, const void *x, const void *p,
                 const void *dy, const void *dlog_slope, int64_t n);
} gm__splines;

/* Philox 4x32-10 (Salmon et al. 2011). Key: the seed's two halves, low first. Counter words, low
 * first: block within the row, row low, (row high 16 bits) | purpose << 16, step (low 32 bits; its
 * next 16 bits are added to the purpose half by no one: steps stay under 2^32). Element (row, col)
 * depends on these numbers alone. Uniform: float in (0, 1) = (word >> 9 + 0.5) * 2^-23, double
 * (52 high bits + 0.5) * 2^-52 from two words, low first; normal by Box and Muller on uniforms of
 * 32 bits (float; four columns a block) or 64 bits (double; two columns a block) with our log, sin,
 * cos. */
typedef struct gm__draw {
    gm__real real;
    uint64_t seed;
    uint32_t purpose; /* under 65536 */
    uint64_t step;
    int64_t row0; /* number of the first row */
} gm__draw;
typedef struct gm__draws {
    void (*uniform)(const gm__draw *d, void *y, int64_t rows, int64_t cols);
    void (*normal)(const gm__draw *d, void *y, int64_t rows, int64_t cols);
    void (*words)(const gm__draw *d, uint32_t *y, int64_t rows, int64_t cols);
    /* Columns from 16 `first` bytes on: of rows that begin before y. */
    void (*part)(const gm__draw *d, int normal, void *y, int64_t rows, int64_t first, int64_t cols);
} gm__draws;

/* One pass over all parameters. Moments under 1e-25 (second ones under 1e-30) in magnitude become
 * zero, so that dead units do not decay into subnormals. grad_scale multiplies each gradient first
 * (clipping). [i0, i1) is the share. Formulas: Kingma and Ba 2015, algorithm 1, with Loshchilov
 * and Hutter 2019 decoupled decay: p -= lr * decay * p first. */
typedef struct gm__update {
    gm__real real;
    void *param;
    const void *grad;
    void *m, *v; /* moments: (momentum) and (squares), where the rule has them */
    double grad_scale, lr, decay, beta1, beta2, eps;
    double correction1, correction2; /* 1 - beta^t */
    int nesterov;
    void *average;        /* exponential average of the weights, or NULL */
    double average_decay; /* average = d * average + (1 - d) * param */
} gm__update;
typedef struct gm__updates {
    void (*adam)(const gm__update *u, int64_t i0, int64_t i1);
    void (*sgd)(const gm__update *u, int64_t i0, int64_t i1);     /* m is the velocity or NULL */
    void (*rmsprop)(const gm__update *u, int64_t i0, int64_t i1); /* v; m the velocity or NULL */
} gm__updates;

/* Moves without arithmetic, and the sums that go with them. */
typedef struct gm__moves {
    /* y (shape) from x with any strides in elements (0 repeats); ndim up to 8. size: bytes an
     * element. */
    void (*copy)(void *y, const void *x, int ndim, const int64_t *shape, const int64_t *strides,
                 size_t size);
    void (*transpose)(void *y, const void *x, int64_t rows, int64_t cols, size_t size);
    /* y (n, cols) = rows of x (count, cols) named by index; an index out of range gives zeros. */
    void (*gather)(void *y, const void *x, const int32_t *index, int64_t n, int64_t count,
                   int64_t cols, size_t size);
    /* y (count, cols) += rows of x (n, cols), in the order of n. Columns [c0, c1) only. */
    void (*scatter_add[2])(void *y, const void *x, const int32_t *index, int64_t n, int64_t count,
                           int64_t cols, int64_t c0, int64_t c1);
} gm__moves;

/* Sums of kernels over points, for densities: a block holds its columns one after the other, its
 * points padded with weight 0 to a multiple of 16. Point i is in lane i mod 16 of 16 running sums,
 * folded 8+8, 4+4, 2+2, 1+1. */
typedef struct gm__kernel_block {
    const double *x;      /* column j at x + j * stride */
    const double *w;      /* (n) */
    const double *factor; /* (n), each bandwidth times it; or NULL */
    int64_t stride, n, d;
} gm__kernel_block;

/* Kernels of u = (q - x) / h, without their constants. */
enum {
    GM__KERNEL_GAUSSIAN,
    GM__KERNEL_EPANECHNIKOV,
    GM__KERNEL_TOPHAT,
    GM__KERNEL_EXPONENTIAL,
    GM__KERNEL_LINEAR,
    GM__KERNEL_COSINE,
    GM__KERNEL_BIWEIGHT,
    GM__KERNEL_TRIWEIGHT,
    GM__KERNEL_TRICUBE,
    GM__KERNEL_COUNT
};
enum {
    GM__TERM_GAUSS,       /* a += u^2 / 2, p = h */
    GM__TERM_RADIUS,      /* a += u^2 */
    GM__TERM_EXPONENTIAL, /* a += |u| */
    GM__TERM_COMPACT,     /* m *= kernel(u) */
    GM__TERM_REFLECTED,   /* m *= the sum over the images of x */
    GM__TERM_CIRCULAR,    /* a += p (q x - q2 x2)^2, sines and cosines of half angles */
    GM__TERM_BETA,        /* a += q x + q2 x2 + x3 */
    GM__TERM_EQUAL,       /* m *= q == x ? p : p2 */
    GM__TERM_STEPS        /* the same, and a += |q - x| q2 */
};
typedef struct gm__image {
    double sign, shift; /* of an image: sign x + shift */
} gm__image;
typedef struct gm__kernel_term {
    int op, kernel, images;
    int64_t column; /* the first of the block's columns that it reads */
    double q, q2, p, p2;
    const gm__image *image;
} gm__kernel_term;

/* A window of the grid: 24 steps of half a bandwidth. */
#define GM__WINDOW 24
#define GM__WINDOW_LANES 8
#define GM__WINDOW_STEP 0.5

typedef struct gm__sixteen {
    double near[16], far[16];
    float low[16], high[16];
} gm__sixteen;

typedef struct gm__densities {
    /* Sum of w e^(shift - r^2 / 2), r^2 the sum over columns of ((q - x) inverse)^2 over factor^2;
     * what lies under e^-708 counts as that. */
    double (*gauss)(const gm__kernel_block *b, const double *q, const double *inverse,
                    double shift);
    /* The same in float, of scaled values, under e^-87: relative error of each term under
     * 2^-24 (8 + (d / 2 + 4) r^2 / 2) and what the rounding of q and x did. */
    double (*gauss_f32)(const float *q, const float *x, const float *w, int64_t stride, int64_t n,
                        int64_t d);
    /* 16 boxes, (d, 2, 16) low and high sides: half the squared distances of q, scaled, to their
     * near and far sides, and bounds of e^- of these (low 0, high at least e^-87). */
    void (*boxes)(const double *box, const double *q, const double *inverse, int64_t d,
                  gm__sixteen *to);
    /* One column's part into the exponents a (to be subtracted) and the factors m, (n). */
    void (*term)(const gm__kernel_block *b, const gm__kernel_term *s, double *a, double *m);
    /* a holds r^2: the radial kernel into a and m. */
    void (*radial)(int kernel, double *a, double *m, int64_t n);
    /* Sum of w m e^(shift - a), cut at e^-708 and e^700. */
    double (*total)(const double *a, const double *m, const double *w, double shift, int64_t n);
    /* y (GM__WINDOW) = e^-(r + (11 - k) / 2)^2, r from 0 to 1/2; grid += a b^T; sum of a b^T over
     * the grid. */
    void (*window)(double *y, double r);
    void (*spread)(double *grid, int64_t stride, const double *a, int rows, const double *b);
    double (*gather)(const double *grid, int64_t stride, const double *a, int rows,
                     const double *b);
} gm__densities;

/* Hidden units of a network where rows of the batch lie side by side: y (count, lanes) = w^T h for
 * h (k, lanes) and w (k, count), rows of w ldw apart. The chains are those of gm__product. lanes is
 * a multiple of 16. */
typedef struct gm__units {
    void (*run[2])(void *y, const void *h, const void *w, int64_t lanes, int64_t ldw, int64_t k,
                   int64_t count);
} gm__units;

typedef struct gm__kernels {
    const char *name; /* "base", "avx2", "avx512", "neon" */
    const gm__maps *maps;
    const gm__products *products;
    const gm__reductions *reductions;
    const gm__splines *splines;
    const gm__draws *draws;
    const gm__updates *updates;
    const gm__moves *moves;
    const gm__densities *densities;
    const gm__units *units;
} gm__kernels;

/* The table named ("auto": the best that this processor can run); NULL if unknown or not runnable
 * here. */
const gm__kernels *gm__kernels_find(const char *name);
/* The i-th table that this processor can run, best last; NULL past the end. */
const gm__kernels *gm__kernels_at(int i);

#endif
