/* What the files of anomalies share. */
#ifndef GM__ANOMALY_H
#define GM__ANOMALY_H
#include "genmod/anomaly.h"
#include "base/options.h"

/* The options of a call, and the log_prob options that follow from them. */
typedef struct gm__anomaly_call {
    gm_context *ctx;
    const gm_model *model;
    gm__values *values;
    gm_options *ask; /* of log_prob */
} gm__anomaly_call;
gm_status gm__anomaly_begin(gm_context *ctx, const gm_model *model, const gm_options *opts,
                            gm__anomaly_call *call);
void gm__anomaly_end(gm__anomaly_call *call);
/* -log p of every row, into score. */
gm_status gm__anomaly_scores(const gm__anomaly_call *call, const gm_dataset *rows, double *score);

/* Scores of calibration rows kept in a model, sorted: *scores (count), to be freed as an array. */
gm_status gm__anomaly_kept(gm_context *ctx, const gm_model *model, double **scores, int64_t *count);
/* Keeps them; the model must not be shared yet. */
gm_status gm__anomaly_keep(gm_context *ctx, gm_model *model, const double *sorted, int64_t count,
                           int64_t trimmed);

#endif
