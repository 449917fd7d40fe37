/* A fit that goes on from a model. */
#ifndef GM__INIT_H
#define GM__INIT_H
#include "model/fit.h"

/* Completes the caller's options (in bag) by the model's: those of the family and of the
 * transforms, and the precision, where they are not said. */
gm_status gm__init_options(gm_context *ctx, const gm_model *init, gm_options *bag);
/* GM_E_STAGE where values say anything else than the model has of what cannot change. */
gm_status gm__init_agree(gm_context *ctx, const gm_model *init, const gm__values *values);
/* The training rows as a view: of named data all columns, else those that a fit takes. */
gm_status gm__init_columns(gm_context *ctx, const gm_model *init, const gm_dataset *data,
                           gm_dataset **columns);
/* GM_E_DATA for a row that lies outside the model's support: nothing could be learned of it. */
gm_status gm__init_rows(gm_context *ctx, const gm_model *init, const gm_dataset *rows);
/* The structure of the model with the options of the new fit, but the model's seed, which its
 * permutations hang on. bag: all options of the fit. */
gm_status gm__init_structure(gm_context *ctx, const gm_model *init, gm_options *bag,
                             gm__structure **structure);
/* The model's weights where a trainer starts. */
gm_status gm__init_weights(gm_context *ctx, const gm_model *init, gm_trainer *t);
/* What the model is, into a hash. */
void gm__init_hash(gm__sha256 *s, const gm_model *init);
#endif
