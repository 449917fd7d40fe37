/* gm_fit_anomaly: a fit, what it holds least probable left out, and a fit of the rest. */
#include "apply/anomaly.h"
#include "apply/options.h"
#include "genmod/auto.h"
#include "base/size.h"
#include "base/sort.h"

#include <math.h>
#include <string.h>

#define MOST_CALIBRATION 10000

typedef struct job {
    gm_context *ctx;
    const char *family;
    gm__values *values;
    gm_options *own, *fit, *ask; /* of this call, of the fits, of the scores */
    gm_dataset *learn, *calibration;
    double *score, *sorted; /* (learn), twice */
    int64_t rows, trimmed;
} job;

/* ---- Options --------------------------------------------------------------------------------- */

static int is_auto(const job *j)
{
    return strcmp(j->family, "auto") == 0;
}

/* The names of our table go to `own`, the others to `fit`; the seed to both, and `draws` to the
 * fit alone: it is a call's. */
static gm_status sort_options(job *j, const gm_options *opts)
{
    const char *name, *text;
    GM_TRY(gm__options_new(j->ctx, &j->own));
    GM_TRY(gm__options_new(j->ctx, &j->fit));
    for (int i = 0; (name = gm__options_at(opts, i, &text)); i++) {
        const gm_option_row *row = gm__option_find(gm__anomaly_options, name);
        int ours = row && (row->stage & GM_STAGE_FIT), seed = strcmp(name, "seed") == 0;
        if (ours)
            GM_TRY(gm__options_put(j->ctx, j->own, name, text));
        if (!ours || seed)
            GM_TRY(gm__options_put(j->ctx, j->fit, name, text));
    }
    return GM_OK;
}

static gm_status read_options(job *j, const gm_options *opts)
{
    const gm_option_row *table = gm__anomaly_options;
    GM_TRY(sort_options(j, opts));
    GM_TRY(gm__values_create(j->ctx, "anomaly", &table, 1, GM_STAGE_FIT, j->own, &j->values));
    if (!gm__value_given(j->values, "seed"))
        return gm__fail(j->ctx, GM_E_SEED,
                        "anomaly: the fit draws random numbers: set the option 'seed' to any "
                        "whole number");
    /* rows that were held out hold anomalies too: with them detection came out no better */
    if (is_auto(j) && !gm__options_find(j->fit, "refit"))
        GM_TRY(gm__options_put(j->ctx, j->fit, "refit", "false"));
    GM_TRY(gm__options_new(j->ctx, &j->ask));
    return gm__options_put(j->ctx, j->ask, "seed", gm__value_text(j->values, "seed"));
}

/* A time budget is shared by two fits of one family. */
static gm_status share_seconds(job *j)
{
    const char *text = gm__options_find(j->fit, "seconds");
    double seconds;
    if (!text || is_auto(j))
        return GM_OK;
    int64_t length = (int64_t)strlen(text);
    if (gm__read_real(text, length, &seconds) != length)
        return GM_OK; /* the fit says what is wrong with it */
    return gm_options_set_real(j->ctx, j->fit, "seconds", seconds * 0.5);
}

/* ---- The two fits ---------------------------------------------------------------------------- */

/* What tells the rows to leave out before the ladder: one normal distribution a column. A model
 * that could learn where the anomalies lie would not find them improbable. */
static gm_status plain_fit(job *j, gm_model **model)
{
    static const char *const settings[][2] = {
        {"components", "1"}, {"covariance", "diagonal"}, {"repeated", "bins"}};
    gm_options *how;
    GM_TRY(gm_options_create(j->ctx, &how));
    gm_status code = gm_options_set_text(j->ctx, how, "seed", gm__value_text(j->values, "seed"));
    for (int i = 0; i < 3 && !code; i++)
        code = gm_options_set_text(j->ctx, how, settings[i][0], settings[i][1]);
    if (!code)
        code = gm_fit(j->ctx, "mixture", j->learn, how, model);
    gm_options_free(how);
    return code;
}

/* The rows that are not among the least probable, in their order. */
static gm_status keep_probable(job *j, const gm_model *model, gm_dataset **kept)
{
    gm__anomaly_call call;
    int64_t count = 0, *row = gm__alloc_array(&j->ctx->allocator, j->rows, sizeof *row);
    if (!row)
        return gm__no_memory(j->ctx);
    gm_status code = gm__anomaly_begin(j->ctx, model, j->ask, &call);
    if (!code) {
        code = gm__anomaly_scores(&call, j->learn, j->score);
        gm__anomaly_end(&call);
    }
    if (!code) {
        memcpy(j->sorted, j->score, (size_t)j->rows * sizeof *j->sorted);
        gm__sort_reals(j->sorted, j->rows);
        double limit = j->sorted[j->rows - 1 - j->trimmed];
        for (int64_t i = 0; i < j->rows; i++)
            if (j->score[i] <= limit)
                row[count++] = i;
        j->trimmed = j->rows - count;
        code = gm_dataset_take(j->ctx, j->learn, row, count, kept);
    }
    gm__free(&j->ctx->allocator, row, (size_t)j->rows * sizeof *row);
    return code;
}

static gm_status fit_rows(job *j, const gm_dataset *rows, gm_model **model)
{
    gm_auto_config config = {.struct_size = sizeof config, .rows = rows, .options = j->fit};
    return is_auto(j) ? gm_fit_auto(j->ctx, &config, NULL, model)
                      : gm_fit(j->ctx, j->family, rows, j->fit, model);
}

static gm_status fits(job *j, gm_model **model)
{
    gm_model *first;
    gm_dataset *kept = NULL;
    if (j->trimmed == 0)
        return fit_rows(j, j->learn, model);
    GM_TRY(share_seconds(j));
    GM_TRY(is_auto(j) ? plain_fit(j, &first) : fit_rows(j, j->learn, &first));
    gm_status code = keep_probable(j, first, &kept);
    gm_model_free(first);
    if (!code)
        code = fit_rows(j, kept, model);
    gm_dataset_free(kept);
    return code;
}

/* ---- Calibration ----------------------------------------------------------------------------- */

static gm_status calibrate(job *j, gm_model *model)
{
    gm__anomaly_call call;
    int64_t n = gm_dataset_row_count(j->calibration);
    double *score = gm__alloc_array(&j->ctx->allocator, n, sizeof *score);
    if (!score)
        return gm__no_memory(j->ctx);
    gm_status code = gm__anomaly_begin(j->ctx, model, j->ask, &call);
    if (!code) {
        code = gm__anomaly_scores(&call, j->calibration, score);
        gm__anomaly_end(&call);
    }
    if (!code) {
        gm__sort_reals(score, n);
        code = gm__anomaly_keep(j->ctx, model, score, n, j->trimmed);
    }
    gm__free(&j->ctx->allocator, score, (size_t)n * sizeof *score);
    return code;
}

static gm_status split(job *j, const gm_dataset *rows)
{
    double share = gm__value_real(j->values, "calibration"), n = (double)gm_dataset_row_count(rows);
    share = share * n > MOST_CALIBRATION ? MOST_CALIBRATION / n : share;
    if (n > 0 && share * n < 0.5)
        return gm__fail(j->ctx, GM_E_DATA,
                        "anomaly: %lld rows are too few: a part of them, the option 'calibration', "
                        "is laid aside, and is empty",
                        (long long)n);
    GM_TRY(gm_dataset_split(j->ctx, rows, share, (uint64_t)gm__value_int(j->values, "seed"),
                            &j->learn, &j->calibration));
    j->rows = gm_dataset_row_count(j->learn);
    j->trimmed = (int64_t)(gm__value_real(j->values, "trim") * (double)j->rows);
    if (j->rows - j->trimmed < 2)
        return gm__fail(j->ctx, GM_E_DATA, "anomaly: %lld rows are too few", (long long)n);
    j->score = gm__alloc_array(&j->ctx->allocator, 2 * j->rows, sizeof *j->score);
    if (!j->score)
        return gm__no_memory(j->ctx);
    j->sorted = j->score + j->rows;
    return GM_OK;
}

static void clear(job *j)
{
    gm__free(&j->ctx->allocator, j->score, j->score ? (size_t)(2 * j->rows) * sizeof *j->score : 0);
    gm_dataset_free(j->learn);
    gm_dataset_free(j->calibration);
    gm_options_free(j->own);
    gm_options_free(j->fit);
    gm_options_free(j->ask);
    gm__values_free(j->values);
}

gm_status gm_fit_anomaly(gm_context *ctx, const char *family, const gm_dataset *rows,
                         const gm_options *opts, gm_model **model)
{
    job j = {.ctx = ctx, .family = family};
    gm__entry entry;
    if (model)
        *model = NULL;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = family && rows && model
                         ? GM_OK
                         : gm__fail(ctx, GM_E_ARG,
                                    "anomaly: the family, the rows or the place for the model is "
                                    "NULL");
    if (!code)
        code = read_options(&j, opts);
    code = gm__leave(ctx, &entry, code);
    if (!code)
        code = split(&j, rows);
    if (!code)
        code = fits(&j, model);
    if (!code)
        code = calibrate(&j, *model);
    if (code && model) {
        gm_model_free(*model);
        *model = NULL;
    }
    clear(&j);
    return code;
}
