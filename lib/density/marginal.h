/* One real column by itself: a strictly increasing map to normal scores, z = Phi^-1(F(x)). */
#ifndef GM__MARGINAL_H
#define GM__MARGINAL_H
#include "genmod/extend.h"
#include "data/transform_parts.h"

enum { GM__MARGINAL_EMPIRICAL, GM__MARGINAL_NORMAL, GM__MARGINAL_MIXTURE, GM__MARGINAL_KDE };

/* Its numbers p, which belong to others: of a normal one mean and deviation; of a mixture (and of
 * kernels, which are one) `count` weights, means and deviations; of an empirical one `count` knots
 * x, z and slope, beyond which its density falls exponentially. */
typedef struct gm__marginal {
    int32_t kind;
    int64_t count;
    const double *p;
    gm__way way;                            /* of an empirical one */
    const struct gm__marginal_table *table; /* of a mixture: marginal_value.c; or NULL */
} gm__marginal;

/* Learns from n values, weights NULL: alike. The numbers go into a new array of `out` under this
 * name. A column of which no more can be said is normal. */
gm_status gm__marginal_fit(gm_context *ctx, int32_t kind, uint64_t seed, const double *x,
                           const double *weights, int64_t n, gm_tensors *out, const char *name);
/* From the array of that name: GM_E_FORMAT for what no fit makes. The empirical one's place keeps
 * two numbers before its knots, so *copy (2 + 3 count) may be needed: room for gm__marginal_room.
 */
gm_status gm__marginal_open(gm_context *ctx, int32_t kind, const gm_tensors *t, const char *name,
                            gm__arena *arena, gm__marginal *m);
/* z, dz/dx, and d log(dz/dx) / dx at x; log_slope is the logarithm of the second. */
gm__curve gm__marginal_score(const gm__kernels *k, const gm__marginal *m, double x,
                             double *log_slope);
double gm__marginal_value(const gm__kernels *k, const gm__marginal *m, double z);
/* Of a mixture: its table into the arena, and the value by it. */
gm_status gm__marginal_tabulate(gm_context *ctx, gm__arena *arena, gm__marginal *m);
double gm__mixture_value(const gm__kernels *k, const gm__marginal *m, double z);
#endif
