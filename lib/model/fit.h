/* From a family's name and data to a trainer. */
#ifndef GM__FIT_H
#define GM__FIT_H
#include "model/model.h"
gm_status gm__objective_create(gm_context *ctx, gm__structure *structure, const gm_dataset *train,
                               const gm_dataset *valid, gm__objective *out);
/* The training record as a JSON object. */
void gm__fit_record(const gm_trainer *t, int64_t train_rows, int64_t valid_rows, gm__buffer *out);
#endif
