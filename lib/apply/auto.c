/* gm_fit_auto: every rung of the ladder is fitted to the same rows and scored on the same others.
 */
#include "apply/auto.h"
#include "apply/options.h"
#include "base/io.h"
#include "base/json.h"
#include "base/size.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const gm_option_row gm__auto_options[] = {
    {"seed", GM_STAGE_FIT, GM_SEED, "", "", 1, "of everything that is drawn"},
    {"seconds", GM_STAGE_FIT, GM_REAL, "60", "(0..1e9", 1, "what all the fits may take together"},
    {"held_out", GM_STAGE_FIT, GM_REAL, "0.15", "(0..0.5", 1,
     "fraction of the rows that no fit sees, on which models are compared"},
    {"refit", GM_STAGE_FIT, GM_BOOL, "true", "", 1,
     "whether the best is fitted again to all rows, those held out too, if the seconds left allow"},
    {"draws", GM_STAGE_FIT, GM_INT, "16", "1..100000", 1,
     "draws that a held-out bound or estimate is averaged over"},
    {"rungs", GM_STAGE_FIT, GM_TEXT, "", "", 1,
     "what to try, with commas between: gaussian, copula, mixture, kde, flow, "
     "flow-autoregressive, autoregressive; all if empty"},
    {"repeated", GM_STAGE_FIT, GM_CHOICE, "bins", "bins|real", 1,
     "columns whose values repeat: as bins, on which models compare, or as real numbers"},
    {0}};

#define LEAST_SECONDS 0.5 /* of a fit by steps, whatever is left */

typedef gm__auto_job job;

/* ---- Rungs ----------------------------------------------------------------------------------- */

/* Whether a word stands in a list with commas between. */
static int lists(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at; at += strcspn(at, ",")) {
        at += *at == ',';
        at += strspn(at, " ");
        if (strncmp(at, word, length) == 0 && strchr(", ", at[length]))
            return 1;
    }
    return 0;
}

static gm_status check_list(job *j, const char *list)
{
    gm__auto_plan plan;
    for (const char *at = list; *at; at += strcspn(at, ",")) {
        int known = 0;
        at += *at == ',';
        at += strspn(at, " ");
        int length = (int)strcspn(at, ", ");
        for (int i = 0; gm__auto_rung(i, &j->data, &plan); i++)
            known |= (int)strlen(plan.rung) == length && !strncmp(at, plan.rung, (size_t)length);
        if (!known)
            return gm__fail(j->ctx, GM_E_RANGE,
                            "auto: option 'rungs' names '%.*s'; there are gaussian, copula, "
                            "mixture, kde, flow, flow-autoregressive, autoregressive",
                            length < 40 ? length : 40, at);
    }
    return GM_OK;
}

/* A rung that is wanted, makes sense for the data, and whose family is known here. */
static int wanted(job *j, int i, gm__auto_plan *plan, int *end)
{
    const char *list = gm__value_text(j->values, "rungs");
    gm_family_info info = {.struct_size = sizeof info};
    *end = !gm__auto_rung(i, &j->data, plan);
    return !*end && plan->family && (!*list || lists(list, plan->rung)) &&
           gm_family_find(j->ctx, plan->family, &info) == GM_OK;
}

double gm__auto_left(const job *j)
{
    return j->data.seconds - (gm__clock() - j->began);
}

/* What is put by for fitting the best again, at most a third of what is left. For a fit by steps
 * that took all its time nothing: as much again would be missed more by the fits to come. */
static double put_by(const job *j)
{
    double most = gm__auto_left(j) / 3, takes = 0;
    for (int64_t i = 0; i < j->report->count; i++) {
        const gm__auto_try *t = &j->report->tries[i];
        if (t->row.chosen && (t->row.steps == 0 || t->row.steps < t->row.horizon))
            takes = gm__auto_refit_seconds(j, t);
    }
    return takes < most ? takes : most > 0 ? most : 0;
}

/* Seconds for a fit by steps: its share of what is left, by the weights of the rungs to come. */
static double budget(job *j, int i, double weight)
{
    gm__auto_plan plan;
    double all = 0, left = gm__auto_left(j) - put_by(j);
    int end = 0;
    for (; !end; i++)
        if (wanted(j, i, &plan, &end))
            all += plan.weight;
    left = left > 0 ? left * weight / all : 0;
    return left > LEAST_SECONDS ? left : LEAST_SECONDS;
}

/* ---- One fit --------------------------------------------------------------------------------- */

gm_status gm__auto_words(gm_context *ctx, gm_options *bag, const char *words, const char *without)
{
    char word[GM__AUTO_TEXT];
    for (const char *at = words; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        memcpy(word, at, length);
        word[length] = 0;
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = 0;
        if (!without || strcmp(word, without) != 0)
            GM_TRY(gm_options_set_text(ctx, bag, word, value));
    }
    return GM_OK;
}

static gm_status make_options(job *j, int i, gm__auto_plan *plan, gm_options **bag)
{
    size_t at = strlen(plan->options);
    gm__format(plan->options + at, (int64_t)(sizeof plan->options - at), "%srepeated=%s seed=%s",
               at ? " " : "", gm__value_text(j->values, "repeated"),
               gm__value_text(j->values, "seed"));
    if (plan->weight > 0) {
        char text[32];
        at = strlen(plan->options);
        gm__write_real(text, floor(budget(j, i, plan->weight) * 1000 + 0.5) / 1000, 0);
        gm__format(plan->options + at, (int64_t)(sizeof plan->options - at), " seconds=%s", text);
    }
    GM_TRY(gm_options_create(j->ctx, bag));
    return gm__auto_words(j->ctx, *bag, plan->options, NULL);
}

static int64_t number_in(const gm__json *record, const char *name)
{
    const gm__json *value = gm__json_get(record, name);
    return value && value->type == GM__JSON_NUMBER ? (int64_t)value->number : 0;
}

/* What the fit's record says of its steps; nothing where memory is short. */
static void read_record(job *j, gm__auto_try *t)
{
    gm__arena arena = {.allocator = j->ctx->allocator};
    const gm__json *root;
    int64_t length;
    if (gm_model_describe(j->ctx, t->model, NULL, 0, &length))
        return;
    char *text = gm__arena_alloc(&arena, (size_t)length + 1);
    if (text && gm_model_describe(j->ctx, t->model, text, length + 1, &length) == GM_OK &&
        gm__json_parse(j->ctx, "model", text, length, &arena, &root) == GM_OK) {
        const gm__json *record = gm__json_get(root, "record");
        t->row.steps = number_in(record, "steps");
        t->row.horizon = number_in(record, "horizon");
        t->row.hold = number_in(record, "hold");
        if (t->row.horizon == 0) /* it stopped while its rate was still held */
            t->row.horizon = t->row.hold = 2 * t->row.steps;
    }
    gm__arena_clear(&arena);
}

gm_status gm__auto_score(const job *j, const gm_model *model, double *logp)
{
    gm_options *how;
    GM_TRY(gm_options_create(j->ctx, &how));
    gm_status code = gm_options_set_text(j->ctx, how, "seed", gm__value_text(j->values, "seed"));
    if (!code && gm_model_log_prob_kind(model) != GM_EXACT)
        code = gm_options_set_text(j->ctx, how, "draws", gm__value_text(j->values, "draws"));
    if (!code)
        code = gm_model_log_prob_rows(j->ctx, model, j->held, NULL, how, logp, NULL);
    gm_options_free(how);
    return code;
}

static gm_status score(job *j, gm__auto_try *t)
{
    t->logp = gm__alloc_array(&j->ctx->allocator, j->held_rows, sizeof *t->logp);
    if (!t->logp)
        return gm__no_memory(j->ctx);
    t->row.kind = gm_model_log_prob_kind(t->model);
    return gm__auto_score(j, t->model, t->logp);
}

/* At most so many of the rows, by the seed; NULL where all are taken. */
static gm_status take_some(job *j, int64_t most, gm_dataset **some)
{
    gm_dataset *rest;
    if (most == 0 || j->data.rows <= most)
        return GM_OK;
    GM_TRY(gm_dataset_split(j->ctx, j->train, (double)most / (double)j->data.rows,
                            (uint64_t)gm__value_int(j->values, "seed"), &rest, some));
    gm_dataset_free(rest);
    return GM_OK;
}

static gm_status fit_and_score(job *j, int i, gm__auto_plan *plan, gm__auto_try *t)
{
    gm_options *how = NULL;
    gm_dataset *some = NULL;
    gm_fit_config config = {.struct_size = sizeof config,
                            .train = j->train,
                            .progress = j->config.progress,
                            .progress_user = j->config.user};
    gm_status code = make_options(j, i, plan, &how);
    gm__format(t->options, sizeof t->options, "%s", plan->options);
    config.options = how;
    if (!code)
        code = take_some(j, plan->most_rows, &some);
    config.train = some ? some : j->train;
    t->row.rows = gm_dataset_row_count(config.train);
    double began = gm__clock();
    if (!code)
        code = gm_fit_with(j->ctx, plan->family, &config, &t->model);
    t->fit_seconds = gm__clock() - began;
    gm_options_free(how);
    gm_dataset_free(some);
    if (!code)
        code = score(j, t);
    if (!code)
        read_record(j, t);
    return code;
}

/* ---- Standings ------------------------------------------------------------------------------- */

/* 1 where some model holds the row possible. */
static int possible(const job *j, int64_t row)
{
    for (int64_t i = 0; i < j->report->count; i++) {
        const double *logp = j->report->tries[i].logp;
        if (logp && logp[row] != -INFINITY)
            return 1;
    }
    return 0;
}

static void judge(const job *j, gm__auto_try *t)
{
    double sum = 0, squares = 0;
    int64_t n = 0;
    t->row.lost = 0;
    for (int64_t i = 0; i < j->held_rows; i++) {
        t->row.lost += t->logp[i] == -INFINITY;
        if (possible(j, i)) {
            sum += t->logp[i];
            n++;
        }
    }
    t->row.mean = n ? sum / (double)n : -INFINITY;
    for (int64_t i = 0; i < j->held_rows; i++)
        if (possible(j, i))
            squares += (t->logp[i] - t->row.mean) * (t->logp[i] - t->row.mean);
    t->row.error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : NAN;
}

/* All again: what rows count rests on all models. */
static gm__auto_try *judge_all(job *j)
{
    gm__auto_try *best = NULL;
    for (int64_t i = 0; i < j->report->count; i++) {
        gm__auto_try *t = &j->report->tries[i];
        t->row.chosen = 0;
        if (!t->logp)
            continue;
        judge(j, t);
        if (!best || t->row.mean > best->row.mean)
            best = t;
    }
    if (best)
        best->row.chosen = 1;
    return best;
}

/* ---- The ladder ------------------------------------------------------------------------------ */

static gm_status climb_one(job *j, int i, gm__auto_plan *plan)
{
    gm__auto_try *t = &j->report->tries[j->report->count++];
    double began = gm__clock();
    *t = (gm__auto_try){.row = {.struct_size = sizeof t->row, .mean = NAN, .error = NAN}};
    gm__format(t->rung, sizeof t->rung, "%s", plan->rung);
    gm__format(t->family, sizeof t->family, "%s", plan->family);
    t->row.rung = t->rung;
    t->row.family = t->family;
    t->row.options = t->options;
    t->row.why = t->why;
    t->row.refit_why = t->refit_why;
    t->row.status = plan->skip ? gm__fail(j->ctx, GM_E_UNSUPPORTED, "auto: skipped: %s", plan->skip)
                               : fit_and_score(j, i, plan, t);
    t->row.seconds = gm__clock() - began;
    if (t->row.status == GM_E_CANCELLED || t->row.status == GM_E_MEMORY)
        return t->row.status;
    if (t->row.status) {
        gm_context_error(j->ctx, t->why, sizeof t->why, NULL);
        gm__free(&j->ctx->allocator, t->logp, t->logp ? (size_t)j->held_rows * sizeof *t->logp : 0);
        t->logp = NULL;
    }
    judge_all(j);
    if (j->config.tried && j->config.tried(j->config.user, &t->row))
        return gm__fail(j->ctx, GM_E_CANCELLED, "auto: stopped after the rung %s", t->rung);
    return GM_OK;
}

static gm_status climb(job *j, gm_model **model)
{
    gm__auto_plan plan;
    int end = 0;
    for (int i = 0; !end; i++)
        if (wanted(j, i, &plan, &end))
            GM_TRY(climb_one(j, i, &plan));
    gm__auto_try *best = judge_all(j);
    if (best) {
        GM_TRY(gm__auto_refit(j, best));
        *model = best->model;
        best->model = NULL;
        return GM_OK;
    }
    if (j->report->count == 0)
        return gm__fail(j->ctx, GM_E_UNSUPPORTED, "auto: no rung is left to try");
    const gm__auto_try *last = &j->report->tries[j->report->count - 1];
    return gm__fail(j->ctx, last->row.status,
                    "auto: no family can learn these rows; the last of them, %s, says: %s",
                    last->rung, last->why);
}

static void drop_models(job *j)
{
    for (int64_t i = 0; j->report && i < j->report->count; i++) {
        gm__auto_try *t = &j->report->tries[i];
        gm_model_free(t->model);
        gm__free(&j->ctx->allocator, t->logp, t->logp ? (size_t)j->held_rows * sizeof *t->logp : 0);
        t->model = NULL;
        t->logp = NULL;
    }
}

static gm_status describe_data(job *j)
{
    j->data.rows = gm_dataset_row_count(j->train);
    j->data.held = j->held_rows;
    j->data.seconds = gm__value_real(j->values, "seconds");
    for (int64_t i = 0; i < gm_dataset_column_count(j->train); i++) {
        gm_column c = {.struct_size = sizeof c};
        GM_TRY(gm_dataset_column(j->ctx, j->train, i, &c));
        if (c.role != GM_ROLE_FEATURE)
            continue;
        j->data.columns++;
        j->data.measured += c.type == GM_COLUMN_REAL || c.type == GM_COLUMN_CIRCULAR;
        j->data.whole += c.type == GM_COLUMN_INTEGER || c.type == GM_COLUMN_ORDERED;
    }
    if (j->data.columns == 0)
        return gm__fail(j->ctx, GM_E_DATA, "auto: no column has the role of a feature");
    return check_list(j, gm__value_text(j->values, "rungs"));
}

/* Rows that the caller holds out: every feature must be there, or no model could be asked. */
static gm_status take_valid(job *j)
{
    const gm_dataset *valid = j->config.valid;
    if (gm__value_given(j->values, "held_out"))
        return gm__fail(
            j->ctx, GM_E_ARG,
            "auto: validation rows are given, and held_out as well, which would hold out "
            "others: give one of them");
    for (int64_t i = 0; i < gm_dataset_column_count(j->config.rows); i++) {
        gm_column c = {.struct_size = sizeof c};
        GM_TRY(gm_dataset_column(j->ctx, j->config.rows, i, &c));
        if (c.role == GM_ROLE_FEATURE && *c.name && gm_dataset_find_column(valid, c.name) < 0)
            return gm__fail(j->ctx, GM_E_UNKNOWN, "validation rows have no column '%.64s'", c.name);
    }
    j->train = j->config.rows;
    j->held = valid;
    return GM_OK;
}

static gm_status hold_out(job *j)
{
    int64_t rows = gm_dataset_row_count(j->config.rows);
    double held = floor(gm__value_real(j->values, "held_out") * (double)rows + 0.5);
    if (rows > 0 && !(held >= 1 && held < (double)rows))
        return gm__fail(j->ctx, GM_E_DATA,
                        "auto: %lld rows are too few: a part of them, the option 'held_out', is "
                        "held out to choose by, and is empty",
                        (long long)rows);
    GM_TRY(gm_dataset_split(j->ctx, j->config.rows, gm__value_real(j->values, "held_out"),
                            (uint64_t)gm__value_int(j->values, "seed"), &j->parts[0],
                            &j->parts[1]));
    j->train = j->parts[0];
    j->held = j->parts[1];
    return GM_OK;
}

static gm_status prepare(job *j)
{
    if (!gm__value_given(j->values, "seed"))
        return gm__fail(j->ctx, GM_E_SEED,
                        "auto draws random numbers: set the option 'seed' to any whole number");
    GM_TRY(j->config.valid ? take_valid(j) : hold_out(j));
    j->held_rows = gm_dataset_row_count(j->held);
    GM_TRY(describe_data(j));
    j->report = gm__alloc(&j->ctx->allocator, sizeof *j->report);
    if (!j->report)
        return gm__no_memory(j->ctx);
    j->report->allocator = j->ctx->allocator;
    return GM_OK;
}

static gm_status read_options(job *j)
{
    const gm_option_row *table = gm__auto_options;
    gm__entry entry;
    GM_TRY(gm__enter(j->ctx, &entry));
    return gm__leave(
        j->ctx, &entry,
        gm__values_create(j->ctx, "auto", &table, 1, GM_STAGE_FIT, j->config.options, &j->values));
}

gm_status gm_fit_auto(gm_context *ctx, const gm_auto_config *config, gm_auto_report **report,
                      gm_model **model)
{
    job j = {.ctx = ctx, .began = gm__clock()};
    if (report)
        *report = NULL;
    if (model)
        *model = NULL;
    if (!ctx)
        return GM_E_ARG;
    if (!model || !config || config->struct_size < offsetof(gm_auto_config, valid) || !config->rows)
        return gm__fail(ctx, GM_E_ARG,
                        "auto: config, its rows or the place for the model is NULL, or its "
                        "struct_size is not set");
    memcpy(&j.config, config,
           config->struct_size < sizeof j.config ? config->struct_size : sizeof j.config);
    GM_TRY(read_options(&j));
    gm_status code = prepare(&j);
    if (!code)
        code = climb(&j, model);
    drop_models(&j);
    if (report && !code)
        *report = j.report;
    else
        gm_auto_report_free(j.report);
    gm_dataset_free(j.parts[0]);
    gm_dataset_free(j.parts[1]);
    gm__values_free(j.values);
    return code;
}
