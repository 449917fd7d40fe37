/* genmod/auto.h: the best density for rows of which nothing is known, within a time budget. */
#ifndef GENMOD_AUTO_H
#define GENMOD_AUTO_H

#include "genmod/base.h"
#include "genmod/dataset.h"
#include "genmod/model.h"
#include "genmod/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One model that was tried. Texts belong to the report, or to the call that hands the row out. */
typedef struct gm_auto_row {
    uint32_t struct_size;
    gm_status status; /* 0; else why there is no model */
    int32_t kind;     /* of its log_prob: 1 exact, 2 lower bound, 3 estimate */
    int32_t chosen;   /* 1: the best */
    const char *rung; /* "gaussian", "copula", "mixture", "kde", "flow" ... */
    const char *family;
    const char
        *options;       /* that it was fitted with, apart by blanks, as gm_options_set_text takes */
    const char *why;    /* the failure's text; "" */
    double mean, error; /* held-out log density in nats a row, and its standard error */
    int64_t rows;       /* that it learned from: of families that all rows would take too long, some
                           drawn by the seed: gm_dataset_split */
    int64_t lost;       /* held-out rows that it holds impossible */
    double seconds;     /* that its fit and score took */
    /* Of families that are trained in steps: the fit again, to the bit, is a trainer with the
     * options above and steps=horizon and hold=hold in place of seconds, stepped `steps` times; 0
     * else. */
    int64_t steps, horizon, hold;
    /* Of the best: how many rows it was fitted again to, all of them, those held out too. That fit
     * is the model given out; the figures above are of the one before, which had not seen the rows
     * that they are of. It has the options above, in steps with steps=horizon and hold=hold in
     * place of seconds. 0: the model given out is the one before, and refit_why says why. */
    int64_t refit_rows;
    double refit_seconds;
    const char *refit_why;
} gm_auto_row;

/* What was tried, in order. Immutable; any thread may read it. */
typedef struct gm_auto_report gm_auto_report;
GM_API int64_t gm_auto_report_count(const gm_auto_report *report);
/* The i-th row into *row, with row->struct_size set before. GM_E_RANGE past the end. */
GM_API gm_status gm_auto_report_row(gm_context *ctx, const gm_auto_report *report, int64_t i,
                                    gm_auto_row *row);
GM_API void gm_auto_report_free(gm_auto_report *report);

/* What to learn, and how. */
typedef struct gm_auto_config {
    uint32_t struct_size;
    const gm_dataset *rows;
    const gm_options *options; /* genmod-auto(7); a seed is required */
    /* Called after each model that was tried; non-zero stops with GM_E_CANCELLED. May be NULL. */
    int32_t (*tried)(void *user, const gm_auto_row *row);
    gm_progress_fn progress; /* of the fits, as they go; may be NULL */
    void *user;              /* handed to both */
    /* Rows to choose by, in place of the part of rows that the option "held_out" says, found by
     * name; no fit sees them, and none is repeated with them. NULL: that part. */
    const gm_dataset *valid;
} gm_auto_config;

/* Climbs a ladder of models, from one normal distribution to autoregressive networks, and gives the
 * one that is best by the held-out log density of rows that none of them saw.
 *
 * All are learned with repeated=bins: a column whose values repeat counts as bins of its
 * resolution, so that held-out figures stay bounded and compare; models of kind lower bound compete
 * by their bound. Rows that no model holds possible are left out; a model that holds a row
 * impossible which another does not is out of the race. Families that cannot learn the rows are
 * recorded and passed by.
 *
 * The best is then fitted once more, to all rows, if the time allows: rows are held out to choose
 * by, and are as good as others to learn from. A fit in steps that took its share of the time to
 * the end leaves none for that; those that stop early, which is where rows are few, do.
 *
 * The option "seconds" is what all of it may take; fits by steps share what the others leave, and
 * the report tells their steps, by which each can be repeated to the bit. Which model is the best
 * can rest on how many steps the seconds were worth.
 *
 * *report (may be NULL) is the caller's to free, as is *model. Codes as gm_fit; where no family can
 * learn the rows, that of the last. */
GM_API gm_status gm_fit_auto(gm_context *ctx, const gm_auto_config *config, gm_auto_report **report,
                             gm_model **model);

#ifdef __cplusplus
}
#endif
#endif
