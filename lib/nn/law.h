/* Laws of single columns from what gm_likelihood makes of a network's output, number by number. */
#ifndef GM__LAW_H
#define GM__LAW_H
#include "nn/nn.h"

/* Where the parameters of one column's law lie among those of a row, and what they mean:
 *
 *   real      logits of the components (none where there is one), means, deviations
 *   levels    logits of the components (none where there is one), means, logistic scales; as a
 *             table a logit for each
 *   binary    the logit
 *   category  a logit for each */
typedef struct gm__law_place {
    int32_t kind; /* GM_X_ */
    int64_t at;
    int64_t components;     /* of a category and of a table: how many there are */
    int table;              /* levels with a probability each */
    double low, high, step; /* of levels */
} gm__law_place;

/* Fills places (gm_builder_width) where columns begin; returns how many parameters a row has. */
int64_t gm__likelihood_places(gm_builder *b, const gm_likelihood *l, gm__law_place *places);
/* (batch, that many): the parameters, from raw. */
gm_node *gm__likelihood_laws(gm_builder *b, const gm_likelihood *l, gm_node *raw);

/* Log density or mass at v, P(X <= v), P(X > v), as gm_law's `at`; pointers may be NULL. Discrete
 * columns have mass at their values, and none between. */
void gm__law_at(const gm__kernels *k, const gm__law_place *p, const double *row, double v,
                double *logp, double *below, double *above);
/* The same of n binary columns, their logits `step` apart, each at its v. */
void gm__law_bits(const gm__kernels *k, const double *logit, int64_t step, int64_t n,
                  const double *v, double *logp, double *below, double *above);

#endif
