/* What a person has only one file for: the chosen model again, from all rows of it. The figures
 * that chose it stay those of rows that it had not seen. */
#include "apply/auto.h"
#include "base/io.h"
#include "model/model.h"

#include <math.h>

#define ROOM 1.2 /* a fit to more rows takes longer, and one by steps may end later */

/* ---- Whether --------------------------------------------------------------------------------- */

/* Rows in all as a multiple of those that it learned from. */
static double growth(const gm__auto_job *j)
{
    return (double)(j->data.rows + j->held_rows) / (double)j->data.rows;
}

double gm__auto_refit_seconds(const gm__auto_job *j, const gm__auto_try *t)
{
    double score = t->row.seconds - t->fit_seconds;
    if (j->config.valid || !gm__value_int(j->values, "refit") || t->row.rows < j->data.rows)
        return 0;
    return ROOM * growth(j) * t->fit_seconds + (score > 0 ? score : 0);
}

static int afford(const gm__auto_job *j, gm__auto_try *t)
{
    double takes = gm__auto_refit_seconds(j, t), left = gm__auto_left(j);
    const char *why = j->config.valid                      ? "other rows were held out"
                      : !gm__value_int(j->values, "refit") ? "refit=false"
                      : t->row.rows < j->data.rows         ? "it takes some of the rows"
                                                           : NULL;
    left = left > 0 ? left : 0;
    if (why)
        gm__format(t->refit_why, sizeof t->refit_why, "%s", why);
    else if (takes > left)
        gm__format(t->refit_why, sizeof t->refit_why, "it may take %.1f s, %.1f s are left", takes,
                   left);
    return !why && takes <= left;
}

/* ---- The fit --------------------------------------------------------------------------------- */

typedef struct watch {
    const gm__auto_job *job;
    int late; /* the time was over */
} watch;

static int32_t report(void *user, const gm_progress *now)
{
    watch *w = user;
    w->late = gm__auto_left(w->job) <= 0;
    return w->late ||
           (w->job->config.progress && w->job->config.progress(w->job->config.user, now));
}

/* As it was, but by as many steps where it went by seconds. */
static gm_status options_again(const gm__auto_job *j, const gm__auto_try *t, gm_options **how)
{
    GM_TRY(gm_options_create(j->ctx, how));
    GM_TRY(gm__auto_words(j->ctx, *how, t->options, "seconds"));
    if (t->row.steps == 0)
        return GM_OK;
    GM_TRY(gm_options_set_int(j->ctx, *how, "steps", t->row.horizon));
    return gm_options_set_int(j->ctx, *how, "hold", t->row.hold);
}

/* How much better it holds the rows that were held out, which it has seen by now, in nats a row;
 * less than 0 says that something went wrong. */
static gm_status gain(const gm__auto_job *j, const gm__auto_try *t, const gm_model *model,
                      double *more)
{
    double *logp = gm__alloc_array(&j->ctx->allocator, j->held_rows, sizeof *logp);
    gm_status code = logp ? gm__auto_score(j, model, logp) : gm__no_memory(j->ctx);
    *more = 0;
    for (int64_t i = 0; !code && i < j->held_rows; i++)
        if (logp[i] != t->logp[i]) /* both may be minus infinity */
            *more += (logp[i] - t->logp[i]) / (double)j->held_rows;
    gm__free(&j->ctx->allocator, logp, logp ? (size_t)j->held_rows * sizeof *logp : 0);
    return code;
}

/* Whether the same columns are bins of the same width: then log densities compare. */
static int same_bins(const gm_model *a, const gm_model *b)
{
    for (int64_t i = 0; i < gm_model_column_count(a); i++)
        if (gm__transform_unit(a->structure->transform, i) !=
            gm__transform_unit(b->structure->transform, i))
            return 0;
    return 1;
}

static gm_status settle(gm__auto_job *j, gm__auto_try *t, gm_model *again)
{
    double more;
    gm_status code = gain(j, t, again, &more);
    int same = same_bins(t->model, again);
    if (!code && same && more >= 0) {
        gm_model_free(t->model);
        t->model = again;
        t->row.refit_rows = j->data.rows + j->held_rows;
        return GM_OK;
    }
    if (!code && !same)
        gm__format(t->refit_why, sizeof t->refit_why,
                   "all rows make other bins of a column, and its figure would not be of them");
    else if (!code)
        gm__format(t->refit_why, sizeof t->refit_why,
                   "that came out worse, by %.4f, on rows that it had seen", -more);
    gm_model_free(again);
    return code;
}

static gm_status fit_again(gm__auto_job *j, gm__auto_try *t)
{
    gm_options *how = NULL;
    gm_model *again = NULL;
    watch w = {.job = j};
    gm_fit_config config = {.struct_size = sizeof config,
                            .train = j->config.rows,
                            .progress = report,
                            .progress_user = &w};
    gm_status code = options_again(j, t, &how);
    config.options = how;
    if (!code)
        code = gm_fit_with(j->ctx, t->family, &config, &again);
    gm_options_free(how);
    if (!code)
        return settle(j, t, again);
    if (code == GM_E_MEMORY || (code == GM_E_CANCELLED && !w.late))
        return code;
    gm__format(t->refit_why, sizeof t->refit_why, "%s",
               w.late ? "that took longer than was left" : "that failed");
    return GM_OK;
}

gm_status gm__auto_refit(gm__auto_job *j, gm__auto_try *best)
{
    double began = gm__clock();
    gm_status code = afford(j, best) ? fit_again(j, best) : GM_OK;
    best->row.refit_seconds = gm__clock() - began;
    return code;
}
