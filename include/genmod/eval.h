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

#ifdef __cplusplus
}
#endif
#endif
