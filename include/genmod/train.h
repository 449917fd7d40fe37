/* genmod/train.h: optimizers and the trainer, for a host that owns the loop. */
#ifndef GENMOD_TRAIN_H
#define GENMOD_TRAIN_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Optimizers: rules of descent ------------------------------------------------------------ */

/* A rule with its settings and, when stepped directly, its state. Names: "sgd", "rmsprop", "adam",
 * "adamw"; options: the table of that name (gm_option_at(ctx, "adam", i)). One thread at a time. */
typedef struct gm_optimizer gm_optimizer;
GM_API gm_status gm_optimizer_create(gm_context *ctx, const char *name, const gm_options *opts,
                                     gm_optimizer **optimizer);
GM_API void gm_optimizer_free(gm_optimizer *optimizer);
GM_API const char *gm_optimizer_name(const gm_optimizer *optimizer);
/* The i-th optimizer's name; NULL past the end. */
GM_API const char *gm_optimizer_name_at(int32_t i);
/* One update of n parameters by their gradients, for a caller's own model; the state is kept in the
 * optimizer and n and the dtype (GM_F32 or GM_F64) must stay the same. rate multiplies the learning
 * rate (a schedule; 1 otherwise). */
GM_API gm_status gm_optimizer_step(gm_context *ctx, gm_optimizer *optimizer, int32_t dtype,
                                   int64_t n, void *param, const void *grad, double rate);

/* ---- Trainer: a fit, step by step, with checkpoints ------------------------------------------ */

/* How a fit stands. Losses are means a row; for densities in nats in the user's units, so that
 * minus the loss is the mean log density. NaN where there is none yet. */
typedef struct gm_progress {
    uint32_t struct_size;
    int32_t done; /* 1: nothing is left to do */
    int64_t step,
        steps; /* steps made, and in all (0: not yet known, while a time budget is measured) */
    double epoch;
    double loss;  /* training, averaged over the last steps */
    double valid; /* validation, at the last evaluation */
    double best;  /* least validation loss */
    int64_t best_step;
    double seconds;      /* spent in this fit, earlier parts of a resumed one included */
    double seconds_left; /* estimate; NaN if unknown */
    double items_per_second;
    double rate;        /* learning rate of the last step */
    int64_t recoveries; /* returns to a snapshot after a non-finite loss */
    int32_t evaluated;  /* 1: valid is new in this report */
} gm_progress;

/* Called now and then (about every 100 ms and after each evaluation); non-zero stops the fit with
 * GM_E_CANCELLED. */
typedef int32_t (*gm_progress_fn)(void *user, const gm_progress *progress);

/* What to fit, and how. The handles are counted or copied. */
typedef struct gm_fit_config {
    uint32_t struct_size;
    const gm_dataset *train;
    const gm_dataset *valid;   /* NULL: the option "valid" splits a fraction off train */
    const gm_options *options; /* of the family and of "fit"; may not be NULL: a seed is required */
    const gm_optimizer *optimizer; /* its rule and settings; NULL: adam */
    gm_progress_fn progress;
    void *progress_user;
} gm_fit_config;

/* A fit in progress. A step that fails or is cancelled leaves the trainer usable, at its last whole
 * step. */
typedef struct gm_trainer gm_trainer;
GM_API gm_status gm_trainer_create(gm_context *ctx, const char *family, const gm_fit_config *config,
                                   gm_trainer **trainer);
GM_API void gm_trainer_free(gm_trainer *trainer);
/* Up to n more steps (0: to the end), with the evaluations and checkpoints that fall due. */
GM_API gm_status gm_trainer_step(gm_context *ctx, gm_trainer *trainer, int64_t n);
GM_API gm_status gm_trainer_progress(gm_context *ctx, const gm_trainer *trainer,
                                     gm_progress *progress);
/* Mean loss of rows under the weights as they stand (averaged, if averaging is on), with its
 * standard error (may be NULL). */
GM_API gm_status gm_trainer_evaluate(gm_context *ctx, gm_trainer *trainer, const gm_dataset *rows,
                                     double *mean, double *error);
/* The model as it stands: the best evaluated weights if there is validation, else the last. */
GM_API gm_status gm_trainer_model(gm_context *ctx, gm_trainer *trainer, gm_model **model);
/* All that is needed to go on, replaced atomically; and going on, with the same family, data,
 * options and optimizer, to the bits of the unbroken run. GM_E_STATE if the checkpoint is of
 * another fit: the text says what differs. */
GM_API gm_status gm_trainer_checkpoint(gm_context *ctx, const gm_trainer *trainer,
                                       const char *path);
GM_API gm_status gm_trainer_checkpoint_write(gm_context *ctx, const gm_trainer *trainer,
                                             const gm_writer *writer);
GM_API gm_status gm_trainer_resume(gm_context *ctx, const char *family, const gm_fit_config *config,
                                   const char *path, gm_trainer **trainer);
GM_API gm_status gm_trainer_resume_read(gm_context *ctx, const char *family,
                                        const gm_fit_config *config, const gm_reader *reader,
                                        const char *name, gm_trainer **trainer);

/* Create, step to the end, model: with a validation set, an optimizer and a progress callback of
 * the caller's. */
GM_API gm_status gm_fit_with(gm_context *ctx, const char *family, const gm_fit_config *config,
                             gm_model **model);

#ifdef __cplusplus
}
#endif
#endif
