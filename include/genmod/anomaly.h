/* genmod/anomaly.h: rows that do not belong: how odd, how sure, and because of which columns. */
#ifndef GENMOD_ANOMALY_H
#define GENMOD_ANOMALY_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fits a family, or "auto" (gm_fit_auto), for finding anomalies among rows that may hold some
 * already. A part of the rows, the option "calibration", is laid aside; a first model of the others
 * tells which "trim" of them are least probable, and the model is fitted again without those (for
 * "auto" the first is one normal distribution a column, which no anomaly can win over). The
 * scores of the rows laid aside, which neither fit saw, are kept in the model and its file: by them
 * gm_model_anomaly tells p-values. opts: those of genmod-anomaly(7), and those of the fit or of
 * "auto", of which "seconds" is what both fits of a family, or the ladder, may take, and "refit" is
 * false unless it is given. Codes as
 * gm_fit and gm_fit_auto; GM_E_DATA where too few rows are left. */
GM_API gm_status gm_fit_anomaly(gm_context *ctx, const char *family, const gm_dataset *rows,
                                const gm_options *opts, gm_model **model);

/* Scores rows: score[n] is -log p in nats, of bounds and estimates over "draws" draws (then the
 * option "seed" is required). p_value[n] (may be NULL): the share of calibration rows that are at
 * least as odd, (1 + how many) / (1 + their number), so that a row like those has a p-value of at
 * most a with a probability of at most a, whatever the model (Vovk et al. 2005; Bates et al. 2023).
 * Calibration rows are those of `calibration`, which the model must not have been fitted to, or
 * with NULL those kept in the model by gm_fit_anomaly; GM_E_STATE where it has none: then p_value
 * NULL gives the scores, which any model that answers log_prob has. A row held
 * impossible has an infinite score. Codes as gm_model_log_prob_rows. */
GM_API gm_status gm_model_anomaly(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                                  const gm_dataset *calibration, const gm_options *opts,
                                  double *score, double *p_value);
/* Which columns are to blame, into blame (n, d) row-major, d being gm_model_column_count: by how
 * many nats log p of the row would rise if that column alone had the best of the values that it
 * could have given the rest. Those are quantiles of its law given the other columns, where the
 * model knows it (gm_conditional_order), else values of the column in "draws" rows that the model
 * draws. Never negative, and of no unit: columns compare. Costs d times as many log densities as
 * there are values to try. The option "seed" is required. GM_E_UNSUPPORTED for models of
 * conditions, and where the model neither has laws nor draws. */
GM_API gm_status gm_model_blame(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                                const gm_options *opts, double *blame);

#ifdef __cplusplus
}
#endif
#endif
