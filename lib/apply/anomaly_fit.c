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
    int64_t most;    /* rows that the family can learn from in time; 0: all */
    char again[400]; /* family=..., for the second fit of "auto": what the first chose */
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
    GM_TRY(gm__options_new(j->ctx, &j->ask));
    return gm__options_put(j->ctx, j->ask, "seed", gm__value_text(j->values, "seed"));
}

/* A time budget is shared: the ladder takes 7 tenths of it, one family half. */
static gm_status share_seconds(job *j, double share)
{
    const char *text = gm__options_find(j->fit, "seconds");
    double seconds;
    if (!text)
        return GM_OK;
    int64_t length = (int64_t)strlen(text);
    if (gm__read_real(text, length, &seconds) != length)
        return GM_OK; /* the fit says what is wrong with it */
    return gm_options_set_real(j->ctx, j->fit, "seconds", seconds * share);
}

/* ---- The two fits ---------------------------------------------------------------------------- */

static gm_status set_words(job *j, const char *words)
{
    char word[400];
    gm_options_unset(j->ctx, j->fit, NULL);
    for (const char *at = words; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        memcpy(word, at, length);
        word[length] = 0;
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = 0;
        GM_TRY(gm_options_set_text(j->ctx, j->fit, word, value));
    }
    return GM_OK;
}

/* By the ladder; its choice is kept for the second fit, by as many steps. */
static gm_status climb(job *j, gm_model **model)
{
    gm_auto_config config = {.struct_size = sizeof config, .rows = j->learn, .options = j->fit};
    gm_auto_report *report;
    gm_auto_row row = {.struct_size = sizeof row};
    GM_TRY(gm_fit_auto(j->ctx, &config, &report, model));
    for (int64_t i = 0; i < gm_auto_report_count(report) && !row.chosen; i++)
        gm_auto_report_row(j->ctx, report, i, &row);
    gm__format(j->again, sizeof j->again, "%s", row.options);
    j->most = row.rows < (int64_t)(0.8 * (double)j->rows) ? row.rows : 0;
    gm_status code = set_words(j, j->again);
    if (!code && row.horizon > 0) {
        gm_options_unset(j->ctx, j->fit, "seconds");
        code = gm_options_set_int(j->ctx, j->fit, "steps", row.horizon);
        if (!code)
            code = gm_options_set_int(j->ctx, j->fit, "hold", row.hold);
    }
    gm_auto_report_free(report);
    return code;
}

static gm_status first_fit(job *j, gm_model **model)
{
    GM_TRY(share_seconds(j, is_auto(j) ? 0.7 : 0.5));
    return is_auto(j) ? climb(j, model) : gm_fit(j->ctx, j->family, j->learn, j->fit, model);
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
        for (int64_t i = 0; j->most && j->most < count && i < j->most; i++)
            row[i] = row[(int64_t)((double)i / (double)j->most * (double)count)];
        count = j->most && j->most < count ? j->most : count;
        code = gm_dataset_take(j->ctx, j->learn, row, count, kept);
    }
    gm__free(&j->ctx->allocator, row, (size_t)j->rows * sizeof *row);
    return code;
}

static gm_status second_fit(job *j, const gm_model *first, gm_model **model)
{
    gm_dataset *kept;
    char family[64];
    gm__format(family, sizeof family, "%s", is_auto(j) ? gm_model_family(first) : j->family);
    GM_TRY(keep_probable(j, first, &kept));
    gm_status code = gm_fit(j->ctx, family, kept, j->fit, model);
    gm_dataset_free(kept);
    return code;
}

static gm_status fits(job *j, gm_model **model)
{
    gm_model *first;
    GM_TRY(first_fit(j, &first));
    if (j->trimmed == 0) {
        *model = first;
        return GM_OK;
    }
    gm_status code = second_fit(j, first, model);
    gm_model_free(first);
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
