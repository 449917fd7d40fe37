/* genmod/eval.h: how good a model is, by rows that it has not seen. */
#ifndef GENMOD_EVAL_H
#define GENMOD_EVAL_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Comparing: which of two models tells rows better ---------------------------------------- */

/* What gm_compare finds. Log densities are in nats a row, on one measure for both models. */
typedef struct gm_comparison {
    uint32_t struct_size;
    int32_t kind_a, kind_b; /* 1 exact, 2 lower bound, 3 estimate */
    int64_t rows;
    int64_t binned;         /* columns scored as probabilities of bins */
    int64_t lost_a, lost_b; /* rows that a model holds impossible: minus infinity */
    double mean_a, error_a; /* mean log density, and its standard error over rows */
    double mean_b, error_b;
    double difference, error; /* mean of (a - b), row by row, and its standard error */
    double won;               /* share of rows that a tells better; a tie counts half */
} gm_comparison;
/* Scores rows by both models: models of the same columns, whose names are matched.
 *
 * Values that repeat are mass, not density, and a model that puts a needle on each of them would
 * win without end. So a real column that has a resolution (gm_column), and one that a model was
 * fitted to with repeated=bins, counts as the bins of that width around the values: of a model that
 * took it as bins log p is that already; of one that took it as real numbers the density is
 * averaged over the bin, by the option "draws" of points in it, which gives an estimate of the log
 * probability that lies below it in expectation. Models of kind lower bound compete by their bound,
 * or as the option "kind" says. Options: genmod-compare(7); a seed is required where one of the
 * models draws, or columns are binned that one took as real.
 *
 * logp_a[n] and logp_b[n] (may be NULL): log density of each row. Where one model holds a row
 * impossible, the difference is infinite and its error NaN; rows that both do count as ties.
 * result->struct_size must be set. GM_E_SHAPE for models of different columns; codes as
 * gm_model_log_prob_rows. */
GM_API gm_status gm_compare(gm_context *ctx, const gm_model *a, const gm_model *b,
                            const gm_dataset *rows, const gm_options *opts, gm_comparison *result,
                            double *logp_a, double *logp_b);

/* ---- Calibration: are a model's probabilities those of new rows? ------------------------------
 */

/* How many levels regions of highest density are judged at. */
#define GM_CALIBRATION_LEVELS 5

/* What gm_calibrate finds. */
typedef struct gm_calibration {
    uint32_t struct_size;
    int32_t why_no_columns; /* 1: the model knows no column given others */
    int64_t rows, columns;  /* rows judged; columns of which u was found */
    /* The column (-1: none) whose u lies farthest from uniform: Kolmogorov's distance, and how
     * often the worst of so many columns would lie so far by chance. */
    int64_t worst_column;
    double worst_distance, worst_chance;
    /* Highest-density regions: the share of the rows that lies in the region that should hold
     * `level` of them, and between what it lies in 99 of 100 cases where the model is right. Of
     * rows as probable as a region's edge as many lie in it, by chance, as fill it up. */
    int64_t draws; /* rows drawn to find the regions' edges; 0: none were, and the next are 0 */
    double level[GM_CALIBRATION_LEVELS], coverage[GM_CALIBRATION_LEVELS];
    double low[GM_CALIBRATION_LEVELS], high[GM_CALIBRATION_LEVELS];
    double mean_log_prob, mean_drawn; /* mean log p of the rows, and of rows drawn; NaN: none */
} gm_calibration;
/* Judges a model by rows that it was not fitted to. distance[d] (may be NULL): Kolmogorov's
 * distance of each column; pit (n, d) (may be NULL): u = P(X <= x) of each cell given the row's
 * columns before it in the model's order (of models that only know one column given all others:
 * given those), uniform in (0, 1) where the model is right; a value with mass gets a random place
 * in it. Both are left alone where columns is 0. Options: genmod-calibrate(7); a seed is required.
 * Codes as gm_model_log_prob_rows. */
GM_API gm_status gm_calibrate(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                              const gm_options *opts, gm_calibration *result, double *distance,
                              double *pit);

/* ---- Self-check: does a model agree with itself? ----------------------------------------------
 */

/* What gm_self_check finds; NaN for what the model does not answer. */
typedef struct gm_self_checked {
    uint32_t struct_size;
    int32_t kind; /* of log_prob: 1 exact, 2 lower bound, 3 estimate */
    int64_t draws;
    /* exp(log_prob) integrated (counted columns: added up) by importance sampling: 1 but for the
     * error. effective: how many draws the weights are worth; below a hundred or so the error is
     * not to be trusted. */
    double integral, integral_error, effective;
    /* Mean log p of rows that sample draws, and the same mean under log_prob itself, by the weights
     * above: equal but for both errors where sample draws from what log_prob says. */
    double drawn, drawn_error, weighed, weighed_error;
    /* |decode(encode(x)) - x| of rows drawn, in deviations of the columns: mean and greatest. */
    double return_mean, return_most;
} gm_self_checked;
/* Checks that a model's density, draws and codes belong together. cond: conditions (1, c) under
 * which it is checked; NULL where it has none. Models of at most 64 columns are integrated.
 * Options: those of gm_calibrate. */
GM_API gm_status gm_self_check(gm_context *ctx, const gm_model *model, const gm_array *cond,
                               const gm_options *opts, gm_self_checked *result);

#ifdef __cplusplus
}
#endif
#endif
