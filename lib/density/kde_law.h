/* The law of one column under a kernel density estimate: what its files share. */
#ifndef GM__KDE_LAW_H
#define GM__KDE_LAW_H

#include "density/kde_family.h"
#include "density/kde_part.h"

typedef struct gm__kde_laws {
    gm_allocator allocator;
    const gm__kernels *kernels;
    gm__kde_column column;
    double low, step;    /* of levels in x */
    double log_norm;     /* of a kernel with scale 1 */
    int64_t rows, lists; /* rows one after another with the same known values share a list */
    int64_t *start;      /* (rows + 1), of which lists + 1 are in use */
    int64_t *list_of;    /* (rows) */
    gm__kde_part *part;  /* lists, one behind the other */
    int64_t room;
    int64_t waves;        /* of circular columns */
    double *ratio, *wave; /* (waves) I_p / I_0 over p; (lists, waves, 2) sums of cosine and sine */
    double *constant;     /* (room) of beta columns: log weight - log B of a part; or NULL */
} gm__kde_laws;

/* The density, in units of e^-least where a function returns that, P(X <= v) and P(X > v). */
typedef struct gm__kde_sums {
    double density, below, above;
} gm__kde_sums;

/* The share of a kernel beyond u >= 0: the integral from u on over that of all. */
double gm__kde_tail(const gm__kernels *kernels, int32_t kernel, double u);

/* ---- Between walls (kde_law_walls.c): v is within them --------------------------------------- */

void gm__kde_reflected_law(const gm__kde_laws *l, const gm__kde_part *p, int64_t n, double v,
                           gm__kde_sums *s);
/* constant (n): those of the parts. Returns `least`. */
double gm__kde_beta_law(const gm__kde_laws *l, const gm__kde_part *p, const double *constant,
                        int64_t n, double v, gm__kde_sums *s);
/* Fills l->constant. */
gm_status gm__kde_beta_constants(gm_context *ctx, gm__kde_laws *l);

#endif
