/* Scores of anomalies and their conformal p-values. */
#include "apply/anomaly.h"
#include "apply/options.h"
#include "base/json.h"
#include "base/sort.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

const gm_option_row gm__anomaly_options[] = {
    {"seed", GM_STAGE_FIT | GM_STAGE_CALL, GM_SEED, "", "", 1, "of everything that is drawn"},
    {"draws", GM_STAGE_CALL, GM_INT, "32", "1..100000", 1,
     "draws that a score that is no exact density is averaged over; rows drawn to find blame"},
    {"calibration", GM_STAGE_FIT, GM_REAL, "0.2", "(0..0.9)", 1,
     "fraction of the rows laid aside for p-values, at most 10,000 rows"},
    {"trim", GM_STAGE_FIT, GM_REAL, "0.1", "0..0.5", 1,
     "fraction of the rows, the least probable, that the second fit leaves out"},
    {0}};

/* ---- A call ---------------------------------------------------------------------------------- */

static gm_status read_options(gm_context *ctx, const gm_options *opts, gm__values **values)
{
    const gm_option_row *table = gm__anomaly_options;
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry,
                     gm__values_create(ctx, "anomaly", &table, 1, GM_STAGE_CALL, opts, values));
}

static gm_status call_options(gm__anomaly_call *c)
{
    int32_t kind = gm_model_log_prob_kind(c->model);
    GM_TRY(gm_options_create(c->ctx, &c->ask));
    if (gm__value_given(c->values, "seed"))
        GM_TRY(gm_options_set_text(c->ctx, c->ask, "seed", gm__value_text(c->values, "seed")));
    if (kind == GM_LOWER_BOUND)
        GM_TRY(gm_options_set_text(c->ctx, c->ask, "kind", "estimate"));
    if (kind == GM_LOWER_BOUND || kind == GM_ESTIMATE)
        GM_TRY(gm_options_set_text(c->ctx, c->ask, "draws", gm__value_text(c->values, "draws")));
    return GM_OK;
}

gm_status gm__anomaly_begin(gm_context *ctx, const gm_model *model, const gm_options *opts,
                            gm__anomaly_call *call)
{
    *call = (gm__anomaly_call){.ctx = ctx, .model = model};
    GM_TRY(read_options(ctx, opts, &call->values));
    gm_status code = call_options(call);
    if (code)
        gm__anomaly_end(call);
    return code;
}

void gm__anomaly_end(gm__anomaly_call *call)
{
    gm_options_free(call->ask);
    gm__values_free(call->values);
    call->ask = NULL;
    call->values = NULL;
}

gm_status gm__anomaly_scores(const gm__anomaly_call *c, const gm_dataset *rows, double *score)
{
    GM_TRY(gm_model_log_prob_rows(c->ctx, c->model, rows, NULL, c->ask, score, NULL));
    for (int64_t i = 0; i < gm_dataset_row_count(rows); i++)
        score[i] = -score[i];
    return GM_OK;
}

/* ---- Scores kept in a model ------------------------------------------------------------------ */

gm_status gm__anomaly_keep(gm_context *ctx, gm_model *model, const double *sorted, int64_t count,
                           int64_t trimmed)
{
    gm__buffer b = {.allocator = ctx->allocator};
    gm__buffer_format(&b, "\"anomaly\":{\"trimmed\":%lld,\"scores\":[", (long long)trimmed);
    for (int64_t i = 0; i < count; i++) {
        gm__buffer_text(&b, i ? "," : "");
        gm__json_write_real(&b, sorted[i]);
    }
    gm__buffer_text(&b, "]}");
    gm_status code = b.failed ? gm__no_memory(ctx) : gm__model_note(ctx, model, b.data);
    gm__buffer_clear(&b);
    return code;
}

static gm_status take_scores(gm_context *ctx, const gm__json *list, double **scores, int64_t *count)
{
    double *x = gm__alloc_array(&ctx->allocator, list->count + 1, sizeof *x);
    int64_t n = 0;
    if (!x)
        return gm__no_memory(ctx);
    for (const gm__json *at = list->first; at; at = at->next) {
        double v = at->type == GM__JSON_NUMBER                                   ? at->number
                   : at->type == GM__JSON_STRING && strcmp(at->text, "inf") == 0 ? INFINITY
                                                                                 : NAN;
        if (v == v)
            x[n++] = v;
    }
    gm__sort_reals(x, n);
    *scores = gm__resize(&ctx->allocator, x, (size_t)(list->count + 1) * sizeof *x,
                         (size_t)(n + 1) * sizeof *x);
    *scores = *scores ? *scores : x;
    *count = n;
    return GM_OK;
}

static gm_status parse_kept(gm_context *ctx, const char *record, double **scores, int64_t *count)
{
    gm__arena arena = {.allocator = ctx->allocator};
    const gm__json *root, *list;
    gm_status code = gm__json_parse(ctx, "record", record, (int64_t)strlen(record), &arena, &root);
    if (!code) {
        list = gm__json_get(gm__json_get(root, "anomaly"), "scores");
        if (list && list->type == GM__JSON_ARRAY && list->count > 0)
            code = take_scores(ctx, list, scores, count);
        else
            code = gm__fail(ctx, GM_E_STATE,
                            "anomaly: the model keeps no scores of calibration rows; fit it for "
                            "anomalies (gm_fit_anomaly, genmod fit --for anomaly), or give "
                            "calibration rows that it was not fitted to");
    }
    gm__arena_clear(&arena);
    return code;
}

gm_status gm__anomaly_kept(gm_context *ctx, const gm_model *model, double **scores, int64_t *count)
{
    gm__entry entry;
    *scores = NULL;
    *count = 0;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, parse_kept(ctx, model->record, scores, count));
}

/* ---- p-values -------------------------------------------------------------------------------- */

static gm_status calibrate(const gm__anomaly_call *c, const gm_dataset *rows, double **scores,
                           int64_t *count)
{
    if (!rows)
        return gm__anomaly_kept(c->ctx, c->model, scores, count);
    *count = gm_dataset_row_count(rows);
    *scores = gm__alloc_array(&c->ctx->allocator, *count + 1, sizeof **scores);
    if (!*scores)
        return gm__no_memory(c->ctx);
    GM_TRY(gm__anomaly_scores(c, rows, *scores));
    gm__sort_reals(*scores, *count);
    return GM_OK;
}

/* How many of the sorted values are at least x. */
static int64_t at_least(const double *sorted, int64_t n, double x)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return n - low;
}

static gm_status tell(const gm__anomaly_call *c, const gm_dataset *rows,
                      const gm_dataset *calibration, double *cells, double *p_value)
{
    double *scores = NULL;
    int64_t count = 0, n = gm_dataset_row_count(rows);
    gm_status code = p_value ? calibrate(c, calibration, &scores, &count) : GM_OK;
    if (!code)
        code = gm__anomaly_scores(c, rows, cells);
    for (int64_t i = 0; p_value && !code && i < n; i++)
        p_value[i] = (double)(1 + at_least(scores, count, cells[i])) / (double)(1 + count);
    gm__free(&c->ctx->allocator, scores, scores ? (size_t)(count + 1) * sizeof *scores : 0);
    return code;
}

gm_status gm_model_anomaly(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                           const gm_dataset *calibration, const gm_options *opts, double *score,
                           double *p_value)
{
    gm__anomaly_call c;
    if (!ctx)
        return GM_E_ARG;
    if (!model || !rows || !score)
        return gm__fail(ctx, GM_E_ARG, "anomaly: the model, the rows or the scores are NULL");
    int64_t n = gm_dataset_row_count(rows);
    double *cells = gm__alloc_array(&ctx->allocator, n, sizeof *cells);
    if (!cells)
        return gm__no_memory(ctx);
    gm_status code = gm__anomaly_begin(ctx, model, opts, &c);
    if (!code) {
        code = tell(&c, rows, calibration, cells, p_value);
        gm__anomaly_end(&c);
    }
    if (!code)
        memcpy(score, cells, (size_t)n * sizeof *score);
    gm__free(&ctx->allocator, cells, (size_t)n * sizeof *cells);
    return code;
}
