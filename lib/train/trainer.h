/* The loop of a fit, for any objective: batches, updates, schedules, evaluation, recovery, budgets.
 */
#ifndef GM__TRAINER_H
#define GM__TRAINER_H
#include "genmod/train.h"
#include "base/tensors.h"
#include "graph/graph.h"
#include "train/optimizer.h"
#include "train/schedule.h"

/* A batch: rows of the training data by number. */
typedef struct gm__batch {
    const int64_t *row;
    int64_t count;
    uint64_t seed, step;
} gm__batch;

/* What a fit is: each has a fingerprint. */
enum { GM__OF_FAMILY, GM__OF_OPTIONS, GM__OF_OPTIMIZER, GM__OF_DATA, GM__PARTS };

/* What is trained. The layers above fill this in; every function gets `user` first. */
typedef struct gm__objective {
    void *user;
    const gm__layout *layout;
    gm__real real;
    int64_t rows;               /* of training data */
    int valid;                  /* there is validation data */
    int weighted;               /* rows do not count alike */
    int continued;              /* it goes on from a model */
    int phases;                 /* at least 1 */
    const char *const *players; /* names of phase p's parameters begin with players[p]; NULL: all */
    char fingerprint[65];       /* of the parts: a checkpoint is of one fit */
    char parts[GM__PARTS][65];  /* of each, so that a text can say what differs */
    /* The mean loss of a batch and its gradient; assignments of the graph are made in params.
     * grads are zeros at first, then what the last step left. */
    gm_status (*step)(void *user, gm_context *ctx, int phase, const gm__batch *batch, void *params,
                      void *grads, double *loss);
    /* The pass that sets parameters from data; NULL if there is none. */
    gm_status (*start)(void *user, gm_context *ctx, const gm__batch *batch, void *params);
    /* Mean loss of rows (NULL: the validation data) and its standard error. */
    gm_status (*evaluate)(void *user, gm_context *ctx, const gm_dataset *rows, const void *params,
                          double *mean, double *error);
    gm_status (*model)(void *user, gm_context *ctx, const void *params,
                       const struct gm_trainer *trainer, gm_model **model);
    void (*free)(void *user);
} gm__objective;

/* Rows of the table "fit" that every fit takes (data's transforms have their own), ended by a row
 * of zeros. */
extern const gm_option_row gm__fit_options[];

/* Numbers that change from step to step; written to checkpoints as they are. */
typedef struct gm__counters {
    int64_t step, updates, horizon, hold, best_step, recoveries, stale, snapshot_step,
        snapshot_updates;
    double loss, valid, best, seconds, rate_scale, evaluate_seconds, evaluate_total;
    int64_t done, started, due, foreign; /* foreign: a step was made with a foreign BLAS */
} gm__counters;

/* Flat buffers, all of layout.size elements. */
enum {
    GM__PARAM,
    GM__GRAD,
    GM__M,
    GM__V,
    GM__AVERAGE,
    GM__BEST,
    GM__SNAP_PARAM,
    GM__SNAP_M,
    GM__SNAP_V,
    GM__BUFFERS
};

struct gm_trainer {
    gm_allocator allocator;
    gm__objective objective;
    gm__values *values;
    gm_optimizer *optimizer;
    gm_progress_fn progress;
    void *progress_user;
    gm__schedule schedule;
    gm__counters at;
    void *buffers[GM__BUFFERS]; /* NULL where this fit does not need one */
    int64_t *order;             /* the epoch's rows in their order */
    int64_t order_epoch;
    int64_t batch, per_epoch, every;
    double last_rate, last_report, rate_items;
    int32_t evaluated;
};

/* Takes the objective over, also on failure. values and optimizer are retained. */
gm_status gm__trainer_create(gm_context *ctx, const gm__objective *objective, gm__values *values,
                             const gm_optimizer *optimizer, gm_progress_fn progress,
                             void *progress_user, gm_trainer **trainer);
/* Puts a checkpoint's state into a trainer just made. */
gm_status gm__trainer_restore(gm_context *ctx, gm_trainer *t, const gm_reader *reader,
                              const char *name);
/* The weights that a model is made of: best, else averaged, else last. */
const void *gm__trainer_weights(const gm_trainer *t);
size_t gm__trainer_bytes(const gm_trainer *t); /* of one buffer */
/* Within a call that has entered the context already. */
gm_status gm__trainer_run(gm_context *ctx, gm_trainer *t, int64_t steps);
gm_status gm__trainer_save(gm_context *ctx, const gm_trainer *t, const gm_writer *writer);
gm_status gm__trainer_save_file(gm_context *ctx, const gm_trainer *t, const char *path);
void gm__trainer_progress(const gm_trainer *t, gm_progress *p);

#endif
