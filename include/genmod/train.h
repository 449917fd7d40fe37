/* genmod/train.h: optimizers and the trainer, for a host that owns the loop. */
#ifndef GENMOD_TRAIN_H
#define GENMOD_TRAIN_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Optimizers: the rules of descent, also for parameters of your own ----------------------- */

/* A rule with its settings and, when stepped directly, its state. One thread at a time. */
typedef struct gm_optimizer gm_optimizer;
/* Makes an optimizer: "sgd", "rmsprop", "adam" or "adamw"; opts (may be NULL) are those of the
 * table of that name, genmod-optimizers(7). GM_E_UNKNOWN and GM_E_RANGE for a name or an option. */
GM_API gm_status gm_optimizer_create(gm_context *ctx, const char *name, const gm_options *opts,
                                     gm_optimizer **optimizer);
/* Fits that were given the optimizer have what they need of it. */
GM_API void gm_optimizer_free(gm_optimizer *optimizer);
/* The name of its rule; static. NULL for NULL. */
GM_API const char *gm_optimizer_name(const gm_optimizer *optimizer);
/* The i-th rule's name; static. NULL past the end. */
GM_API const char *gm_optimizer_name_at(int32_t i);
/* One update of n parameters by their gradients, for a caller's own model; the state is kept in the
 * optimizer and n and the dtype (GM_F32 or GM_F64) must stay the same (else GM_E_STATE). rate
 * multiplies the learning rate (a schedule; 1 otherwise). */
GM_API gm_status gm_optimizer_step(gm_context *ctx, gm_optimizer *optimizer, int32_t dtype,
                                   int64_t n, void *param, const void *grad, double rate);

/* ---- Trainer: a fit, step by step, with checkpoints ------------------------------------------ */

/* How a fit stands. Losses are means a row; for densities in nats in the user's units, so that
 * minus the loss is the mean log density. NaN where there is none yet. */
typedef struct gm_progress {
    uint32_t struct_size;
    int32_t done; /* 1: nothing is left to do */
    int64_t step,
        steps;    /* steps made, and in all (0: not yet known, while a time budget is measured) */
    double epoch; /* passes over the training rows made */
    double loss;  /* training, averaged over the last steps */
    double valid; /* validation, at the last evaluation */
    double best;  /* least validation loss */
    int64_t best_step;       /* and where it was */
    double seconds;          /* spent in this fit, earlier parts of a resumed one included */
    double seconds_left;     /* estimate; NaN if unknown */
    double items_per_second; /* rows of training a second */
    double rate;             /* learning rate of the last step */
    int64_t recoveries;      /* returns to a snapshot after a non-finite loss */
    int32_t evaluated;       /* 1: valid is new in this report */
} gm_progress;

/* Called now and then (about every 100 ms and after each evaluation); non-zero stops the fit with
 * GM_E_CANCELLED. */
typedef int32_t (*gm_progress_fn)(void *user, const gm_progress *progress);

/* What to fit, and how. The handles are counted or copied. */
typedef struct gm_fit_config {
    uint32_t struct_size;
    /* Its FEATURE columns are learned, given its CONDITION columns. With a WEIGHT column the loss
     * is the mean weighted by it, scaled to the mean 1 over the rows of training; so are validation
     * losses, if those rows have one, and means, deviations, quantiles and covariances of the
     * transforms. Rows of weight 0 are left out. What a batch as a whole gives (a data-dependent
     * start, free_bits, batch_norm) is not weighted. */
    const gm_dataset *train;
    const gm_dataset *valid;   /* NULL: the option "valid" splits a fraction off train */
    const gm_options *options; /* of the family and of "fit"; may not be NULL: a seed is required */
    const gm_optimizer *optimizer; /* its rule and settings; NULL: adam */
    gm_progress_fn progress;       /* may be NULL */
    void *progress_user;           /* handed to it */
    /* A model of the family to go on from, on rows new or old; NULL: a new one. Its columns (the
     * rows' are matched by name), transforms and options of building stay, its parameters are the
     * start. Options of the family that are not said are the model's, those of "fit" but
     * "precision" their defaults; the seed is of this fit's draws. GM_E_ARG for another family,
     * GM_E_STAGE for options that cannot change, GM_E_DATA for a row outside the model's support.
     * A resumed fit needs the same model. */
    const gm_model *init;
} gm_fit_config;

/* A fit in progress. One thread at a time. A step that fails or is cancelled leaves the trainer
 * usable, at its last whole step. */
typedef struct gm_trainer gm_trainer;
/* Prepares a fit, without a step. GM_E_UNKNOWN and GM_E_RANGE for a family or an option, GM_E_SEED
 * without a seed, GM_E_DATA and GM_E_UNSUPPORTED for rows that the family cannot learn;
 * GM_E_UNSUPPORTED for families that learn in one piece (a mixture), which gm_fit_with fits. */
GM_API gm_status gm_trainer_create(gm_context *ctx, const char *family, const gm_fit_config *config,
                                   gm_trainer **trainer);
/* Models that it gave stay good. */
GM_API void gm_trainer_free(gm_trainer *trainer);
/* Up to n more steps (0: to the end), with the evaluations and checkpoints that fall due.
 * GM_E_CANCELLED, GM_E_NONFINITE where the loss stays so, GM_E_IO for a checkpoint. */
GM_API gm_status gm_trainer_step(gm_context *ctx, gm_trainer *trainer, int64_t n);
/* How the fit stands, into *progress, with progress->struct_size set before. */
GM_API gm_status gm_trainer_progress(gm_context *ctx, const gm_trainer *trainer,
                                     gm_progress *progress);
/* The mean loss of rows under the weights as they stand (averaged, if averaging is on) into *mean,
 * its standard error into *error (may be NULL). GM_E_DATA, GM_E_SHAPE and GM_E_UNKNOWN for rows
 * that are not like those it is fitted to. */
GM_API gm_status gm_trainer_evaluate(gm_context *ctx, gm_trainer *trainer, const gm_dataset *rows,
                                     double *mean, double *error);
/* The model as it stands: the best evaluated weights if there is validation, else the last. The
 * caller frees it; the fit can go on. */
GM_API gm_status gm_trainer_model(gm_context *ctx, gm_trainer *trainer, gm_model **model);
/* Saves all that is needed to go on: a file, replaced atomically, or through a writer. GM_E_IO. */
GM_API gm_status gm_trainer_checkpoint(gm_context *ctx, const gm_trainer *trainer,
                                       const char *path);
GM_API gm_status gm_trainer_checkpoint_write(gm_context *ctx, const gm_trainer *trainer,
                                             const gm_writer *writer);
/* A trainer that goes on from a checkpoint, with the same family, data, options and optimizer, to
 * the bits of the unbroken run. GM_E_STATE if the checkpoint is of another fit (the text says what
 * differs) or another arithmetic revision; codes as gm_trainer_create; GM_E_IO, GM_E_FORMAT,
 * GM_E_VERSION, GM_E_CHECKSUM. */
GM_API gm_status gm_trainer_resume(gm_context *ctx, const char *family, const gm_fit_config *config,
                                   const char *path, gm_trainer **trainer);
GM_API gm_status gm_trainer_resume_read(gm_context *ctx, const char *family,
                                        const gm_fit_config *config, const gm_reader *reader,
                                        const char *name, gm_trainer **trainer);

/* Create, step to the end, model: gm_fit with a validation set, an optimizer and a progress
 * callback of the caller's. Codes as gm_fit. */
GM_API gm_status gm_fit_with(gm_context *ctx, const char *family, const gm_fit_config *config,
                             gm_model **model);

#ifdef __cplusplus
}
#endif
#endif
