/* Log densities of several models on one measure: columns whose values repeat as bins. */
#ifndef GM__MEASURE_H
#define GM__MEASURE_H
#include "genmod/eval.h"
#include "base/options.h"

/* Of gm_compare. */
extern const gm_option_row gm__compare_options[];

typedef struct gm__measure {
    gm_context *ctx;
    const gm_dataset *rows;
    const gm_model *models[2]; /* what took part in choosing the bins */
    uint64_t seed;
    int seeded;
    int64_t draws;
    int bound; /* of models whose kind is a lower bound */
} gm__measure;

/* The width of the bins of the model's column j (of the features); 0 where it measures. */
double gm__measure_width(const gm__measure *m, const gm_model *model, int64_t j);
/* The width of the bins that the model itself took column j for; 0 for none. */
double gm__model_bins(const gm_model *model, int64_t j);
/* Log density of every row by a model, into logp (rows); *kind becomes what kind of answer it is.
 */
gm_status gm__measure_rows(const gm__measure *m, const gm_model *model, double *logp,
                           int32_t *kind);

#endif
