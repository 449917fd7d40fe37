/* genmod/kde.h: what a kernel density estimate can do besides: thresholds, modes, rows that come
 * and go. */
#ifndef GENMOD_KDE_H
#define GENMOD_KDE_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Models are of the family "kde" (GM_E_UNSUPPORTED for others). Rows are (n, d) in the user's
 * units, as for gm_model_log_prob; _rows forms take a dataset, whose columns are found by name.
 * Bounds of log densities are told by gm_model_log_prob_bounds, with the options "rtol" and "atol".
 *
 * What keeps that promise depends on the kernels. Gaussians in one and two real columns (with a
 * matrix too) have a grid, at any point asked and at the same cost, unless bandwidths are so narrow
 * that it would be larger than 64 times the rows. Other kernels in one real column, and their
 * products in two, add up whole nodes of the tree that are narrower than a bandwidth from their
 * moments. One circular column has a Fourier series. Where one or two real columns have reflecting
 * walls, the same are asked at the images of the place (unless bandwidths are so wide that there
 * are more than 64, or rtol and atol are 0). All the rest, radial kernels in two columns, beta
 * kernels, what counts, bandwidths of rows, more columns, and what grid or moments leave open, is
 * the tree's: nodes between bounds, and rows one by one.
 *
 * Going on from a model (gm_fit_config's init, fit --init) keeps its rows and adds new ones; its
 * bandwidths stay unless the option "bandwidth" is set for that fit, which then holds for all rows.
 * Rows drawn given some columns (gm_model_sample_given, gm_model_impute) are drawn whole, by a walk
 * of the tree: a draw looks at few rows, but with a matrix at all. */

/* Whether log p of each row is above log_level (nats, in the user's units): above[i] is 1 where it
 * is, -1 where it is not, 0 where the two are the same to rounding. Each row is looked at only
 * until the bounds of its density decide, which is far sooner than its density is known: about the
 * cost of a log_prob with a very large rtol unless the level is near. */
GM_API gm_status gm_kde_above(gm_context *ctx, const gm_model *model, const gm_array *x,
                              double log_level, int8_t *above);
GM_API gm_status gm_kde_above_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                                   double log_level, int8_t *above);

/* From each row uphill to a mode by mean shift, until a step is under `tolerance` bandwidths (0:
 * 1e-6) or `steps` were made (0: 1000): its place into places (n, d), its number, from 0 in the
 * order found, into mode[n] (may be NULL) and how many there are into *modes (may be NULL). Modes
 * within a hundredth of a bandwidth of one found before are that one. Columns that count stay as
 * they start. With a transform these are the modes of what comes out of it.
 * GM_E_UNSUPPORTED for kernels with corners (tophat, linear, exponential); GM_E_DATA for a row
 * outside the support. */
GM_API gm_status gm_kde_modes(gm_context *ctx, const gm_model *model, const gm_array *x,
                              double tolerance, int64_t steps, gm_array *places, int64_t *mode,
                              int64_t *modes);
/* As a dataset with the model's columns, which the caller frees. */
GM_API gm_status gm_kde_modes_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                                   double tolerance, int64_t steps, gm_dataset **places,
                                   int64_t *mode, int64_t *modes);

/* How many rows the estimate holds; 0 for NULL and for other models. */
GM_API int64_t gm_kde_row_count(const gm_model *model);
/* A new model that holds these rows behind those of the model: the same bandwidths, transforms and
 * walls, no new fit. The old one is as it was and shares nothing with it but what never changes.
 * Costs copying all rows and sorting them into a tree, as loading the model does; of an adaptive
 * model also the density at each row. */
GM_API gm_status gm_kde_add(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                            gm_model **grown);
/* A new model without the rows of these numbers, at the same cost; a number may come twice. Rows
 * are numbered from 0 in the order of the fit (without those kept for validation), those added
 * behind them; what is left is numbered anew. An adaptive model keeps the factors of the rows left.
 * GM_E_RANGE for a number that there is not, GM_E_STATE where no row would be left. */
GM_API gm_status gm_kde_forget(gm_context *ctx, const gm_model *model, const int64_t *rows,
                               int64_t count, gm_model **shrunk);

#ifdef __cplusplus
}
#endif
#endif
