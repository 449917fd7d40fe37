/* genmod/conditional.h: one column given others. */
#ifndef GENMOD_CONDITIONAL_H
#define GENMOD_CONDITIONAL_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The law of one column ------------------------------------------------------------------- */

/* Asks a model for the law of one of its columns, row by row, given values of other columns: its
 * density or mass, its distribution function and its quantiles. Models that can have
 * GM_CAN_CONDITIONAL among their capabilities.
 *
 * Columns are numbered as in rows (n, d), and values are in the user's units: real ones have a
 * density, all others mass at their values (categories by number, in that order). Circular columns
 * run from 0 to their period.
 *
 * Whole numbers that a family takes as real ones have mass too: what lies between the number and
 * the next. As known columns they stand at the middle of that. So the laws of a row's columns, each
 * given those before it, are always those of one distribution over rows; it is the model's own
 * where no column is taken for what it is not.
 *
 * One thread at a time uses a handle; several handles may share a model. */
typedef struct gm_conditional gm_conditional;

/* opts (may be NULL): options of the call "conditional", genmod-calls(7). Retains the model.
 * GM_E_UNSUPPORTED where the family has no laws (the text names those that do), where the model's
 * transform mixes columns (whiten), or where the family takes categories as real columns. */
GM_API gm_status gm_conditional_create(gm_context *ctx, const gm_model *model,
                                       const gm_options *opts, gm_conditional **conditional);
GM_API void gm_conditional_free(gm_conditional *conditional);
/* Fills order[d] (may be NULL): the law of column order[i] is known given columns order[0] to
 * order[i - 1]. Returns 1 if it is known given any others as well; 0 if not, and for NULL; -1 if
 * each column is known only given all the others, in which case order is that of x. */
GM_API int32_t gm_conditional_order(const gm_conditional *conditional, int64_t *order);
/* Says which law the calls below answer for: that of `column`, in each row of x (n, d), given the
 * row's values of the columns j where known[j] is not 0. Other values are not looked at, but that
 * in a fixed order finite values of later columns can make the next columns cheaper. Rows with one
 * column after another in such an order cost about one pass of an autoregressive network in all.
 * cond as in gm_model_log_prob. What is needed of x is copied. GM_E_DATA where a known value is not
 * finite or has no support; GM_E_UNSUPPORTED where the order is fixed and the known columns are not
 * all those before `column`; GM_E_ARG where `column` itself is known. */
GM_API gm_status gm_conditional_set(gm_context *ctx, gm_conditional *conditional, const gm_array *x,
                                    const gm_array *cond, const uint8_t *known, int64_t column);
/* Goes on with the rows that were set: the column asked for becomes known, at value[i] in row i,
 * and the calls below answer for `column`. As gm_conditional_set with these cells added, without
 * looking at all others again. Errors as there, and GM_E_STATE before it; nothing is set after one.
 */
GM_API gm_status gm_conditional_next(gm_context *ctx, gm_conditional *conditional,
                                     const double *value, int64_t column);
/* Of rows [first, first + count): the log density or log mass at value[count], into logp[count];
 * minus infinity where a value has no support. GM_E_STATE before gm_conditional_set, GM_E_RANGE for
 * rows that were not set, GM_E_DATA for a value that is not a number. */
GM_API gm_status gm_conditional_log_prob(gm_context *ctx, gm_conditional *conditional,
                                         int64_t first, int64_t count, const double *value,
                                         double *logp);
/* The probabilities that the column is at most value[i], into below, and that it is greater, into
 * above, (count) each, either NULL: each to full relative precision, far in a tail too. value may
 * be infinite, and anything between whole numbers. */
GM_API gm_status gm_conditional_cdf(gm_context *ctx, gm_conditional *conditional, int64_t first,
                                    int64_t count, const double *value, double *below,
                                    double *above);
/* The least value of which the probability of being at most that is u[i] or more, 0 < u < 1
 * (GM_E_RANGE else), into value[count]. Whole numbers lie within the range that was seen. */
GM_API gm_status gm_conditional_quantile(gm_context *ctx, gm_conditional *conditional,
                                         int64_t first, int64_t count, const double *u,
                                         double *value);

/* ---- Missing cells ----------------------------------------------------------------------------
 */

/* Rows x (n, d) with their missing cells, NaN, filled in, into y (n, d), which may be x; known
 * cells stay as they are. The option "how" says by what: "draw" completes each row by a draw given
 * its known cells (needs "seed"); "mean", "median" and "mode" give each missing cell that of its
 * law given the known ones (of whole numbers the mean is rounded; of categories, which have none,
 * the mode stands for it; circular means are directions).
 *
 * Where a family knows columns in one order only (gm_conditional_order), a row with known cells
 * behind missing ones is completed by "draws" draws, weighed by how well they explain those cells:
 * what comes out tends to the model's answer as draws grow, needs the seed, and "mode" is the most
 * probable of the rows drawn. Where a model only knows one column given all others, several missing
 * cells of a row are drawn in turn, each given the rest, "sweeps" times from a row of the model's
 * on (Gibbs sampling): what comes out tends to the model's answer as sweeps grow, the slower the
 * more the cells are bound to each other. That needs the seed, and mean, median and "mode" are
 * those of "draws" further sweeps. GM_E_DATA for a known cell without support. Row i's answer
 * depends on that row, the seed and i alone. */
GM_API gm_status gm_model_impute(gm_context *ctx, const gm_model *model, const gm_array *x,
                                 const gm_array *cond, const gm_options *opts, gm_array *y);
/* Of data with missing cells, as a dataset with the model's columns. */
GM_API gm_status gm_model_impute_rows(gm_context *ctx, const gm_model *model,
                                      const gm_dataset *rows, const gm_array *cond,
                                      const gm_options *opts, gm_dataset **out);

/* n rows drawn with some columns given, into x (n, d): given (1, d) or (n, d) holds what is given,
 * and NaN where a column is to be drawn. As gm_model_impute by draws: the options are that call's,
 * and "seed" is required. */
GM_API gm_status gm_model_sample_given(gm_context *ctx, const gm_model *model, int64_t n,
                                       const gm_array *given, const gm_array *cond,
                                       const gm_options *opts, gm_array *x);

/* ---- Densities and probabilities of some columns ----------------------------------------------
 */

/* log p(unknown columns | known ones) of rows x (n, d), into logp[n]: known[j] is not 0 for columns
 * that are given. By the chain rule over the laws above. Minus infinity where a value has no
 * support. GM_E_UNSUPPORTED where the family's order is fixed and a known column lies behind an
 * unknown one. Options: those of "conditional". */
GM_API gm_status gm_model_log_prob_given(gm_context *ctx, const gm_model *model, const gm_array *x,
                                         const uint8_t *known, const gm_array *cond,
                                         const gm_options *opts, double *logp);
/* The probability that every column lies between its ends, lower and upper (n, d), both included;
 * -inf and inf are no ends, and such columns are integrated out. By progressive sampling: p[n] is
 * right in expectation, error[n] (may be NULL) its standard error over the "draws" (0 where a
 * single column is asked for, which takes none). Needs the option "seed". GM_E_RANGE where an end
 * is not a number, or lower lies above upper. */
GM_API gm_status gm_model_range_prob(gm_context *ctx, const gm_model *model, const gm_array *lower,
                                     const gm_array *upper, const gm_array *cond,
                                     const gm_options *opts, double *p, double *error);
/* gm_conditional_cdf and gm_conditional_quantile in one call, for n values of a column: given the
 * known columns of x (n, d), or of the column alone where x is NULL (known is not read then). */
GM_API gm_status gm_model_cdf(gm_context *ctx, const gm_model *model, int64_t column, int64_t n,
                              const gm_array *x, const uint8_t *known, const gm_array *cond,
                              const gm_options *opts, const double *value, double *below,
                              double *above);
GM_API gm_status gm_model_quantile(gm_context *ctx, const gm_model *model, int64_t column,
                                   int64_t n, const gm_array *x, const uint8_t *known,
                                   const gm_array *cond, const gm_options *opts, const double *u,
                                   double *value);

#ifdef __cplusplus
}
#endif
#endif
