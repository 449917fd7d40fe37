/* Models of direct families: learning, and rows in the form that such a family sees. */
#include "model/direct.h"
#include "model/condition.h"
#include "model/objective.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

const gm_option_row gm__direct_fit_options[] = {
    {"seed", GM_STAGE_FIT | GM_STAGE_CALL, GM_SEED, "", "", 1,
     "random numbers are a function of it; required by whatever draws"},
    {"valid", GM_STAGE_FIT, GM_REAL, "0", "0..0.9", 1,
     "fraction of the rows kept out of the fit, to tell the held-out log density by, where no "
     "validation rows are given; 0 is none"},
    {0},
};

/* ---- Rows ------------------------------------------------------------------------------------ */

const double *gm__direct_x(const gm__structure *s, const double *reals, const int32_t *index,
                           int64_t n, double *wide)
{
    if (s->indices == 0)
        return reals;
    for (int64_t i = 0; i < n; i++) {
        double *row = wide + i * s->width;
        memcpy(row, reals + i * s->reals, (size_t)s->reals * sizeof *row);
        for (int64_t j = 0; j < s->indices; j++)
            row[s->reals + j] = index[i * s->indices + j];
    }
    return wide;
}

void gm__direct_back(const gm__structure *s, const double *x, int64_t n, double *reals,
                     int32_t *index)
{
    for (int64_t i = 0; i < n; i++, x += s->width) {
        memcpy(reals + i * s->reals, x, (size_t)s->reals * sizeof *x);
        for (int64_t j = 0; j < s->indices; j++) {
            double high = s->x_columns[s->reals + j].high, v = floor(x[s->reals + j] + 0.5);
            index[i * s->indices + j] = (int32_t)(v > 0 ? v < high ? v : high : 0);
        }
    }
}

int64_t gm__direct_capacity(const gm__structure *s, int64_t rows)
{
    int64_t most = ((int64_t)1 << 22) / (s->width + s->columns + 1);
    most = most < 64 ? 64 : most > 4096 ? 4096 : most;
    return rows < most ? rows : most;
}

/* Rows as the family sees them, row after row into x; those outside the support are left out. */
static gm_status gather(gm_context *ctx, const gm__structure *s, const gm_dataset *data,
                        const gm__match *match, uint64_t step, gm_direct_rows *to_rows)
{
    double *x = (double *)(uintptr_t)to_rows->x, *w = (double *)(uintptr_t)to_rows->weight;
    int64_t *count = &to_rows->count;
    int64_t rows = gm_dataset_row_count(data), piece = gm__direct_capacity(s, rows);
    gm__noise noise = {1, (uint64_t)gm__value_int(s->values, "seed"), step};
    gm__tray t;
    GM_TRY(gm__tray_create(ctx, s, piece, &t));
    gm_status code = GM_OK;
    for (int64_t first = 0; first < rows && !(code = gm__check_cancel(ctx)); first += piece) {
        int64_t n = rows - first < piece ? rows - first : piece;
        gm__match_rows(match, data, NULL, first, n, t.x);
        gm__transform_forward(s->transform, t.x, n, &noise, first, NULL, t.wide, t.index, NULL,
                              t.support);
        for (int64_t i = 0; i < n; i++) {
            double *to = x + *count * s->width;
            const double *from =
                gm__direct_x(s, t.wide + i * s->reals, t.index + i * s->indices, 1, to);
            if (!t.support[i])
                continue;
            if (from != to)
                memcpy(to, from, (size_t)s->width * sizeof *to);
            if (w)
                w[*count] = w[first + i];
            ++*count;
        }
    }
    gm__tray_clear(&t, &ctx->allocator);
    return code;
}

static gm_status rows_create(gm_context *ctx, const gm__structure *s, const gm_dataset *data,
                             uint64_t step, gm_direct_rows *rows, size_t *bytes)
{
    gm__match *match;
    gm_dataset *ordered;
    double *weight = NULL;
    void *x = NULL;
    *rows = (gm_direct_rows){.struct_size = sizeof *rows, .width = s->width};
    /* one row more than there are, for those that are left out */
    if (gm__mul_size((size_t)gm_dataset_row_count(data) + 1, (size_t)s->width * sizeof(double),
                     bytes))
        return gm__no_memory(ctx);
    GM_TRY(gm__in_order(ctx, data, &ordered));
    gm_status code = gm__match_create(ctx, s->schema, 1 << GM_ROLE_FEATURE, ordered, &match);
    if (!code)
        code = gm__row_weights(ctx, data, &weight);
    if (!code)
        code = gm__alloc_large(ctx, *bytes, &x);
    rows->x = x;
    rows->weight = weight;
    if (!code)
        code = gather(ctx, s, ordered, match, step, rows);
    gm__match_free(match);
    gm_dataset_free(ordered);
    return code;
}

static void rows_free(gm_context *ctx, gm_direct_rows *rows, const gm_dataset *data, size_t bytes)
{
    gm__free(&ctx->allocator, (void *)(uintptr_t)rows->weight,
             rows->weight ? (size_t)gm_dataset_row_count(data) * sizeof *rows->weight : 0);
    gm__free(&ctx->allocator, (void *)(uintptr_t)rows->x, rows->x ? bytes : 0);
}

/* ---- Models ---------------------------------------------------------------------------------- */

gm_status gm__direct_model(gm_context *ctx, gm__structure *s, gm_tensors *t, const char *record,
                           gm_model **model)
{
    gm_frame frame = {.structure = s, .values = s->values};
    gm_model *m = NULL;
    gm_status code = gm__model_create(ctx, s, NULL, record, &m);
    if (code) {
        gm__tensors_free(t);
        return code;
    }
    m->tensors = t;
    code = s->family->direct->open(ctx, &frame, t, &m->state);
    if (!code && gm__code(m) < 1)
        code = gm__fail(ctx, GM_E_FORMAT, "%s: a code of %lld columns", s->family->name,
                        (long long)gm__code(m));
    if (code) {
        gm_model_free(m);
        return code;
    }
    *model = m;
    return GM_OK;
}

void gm__direct_clear(gm_model *m)
{
    if (m->state)
        m->structure->family->direct->close(m->state);
    gm__tensors_free(m->tensors);
    m->state = NULL;
    m->tensors = NULL;
}

/* ---- Fit ------------------------------------------------------------------------------------- */

static gm_status learn(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *train,
                       const gm_direct_rows *valid, const gm_tensors *start, gm_tensors *out)
{
    const gm__structure *s = frame->structure;
    if (train->count < 1)
        return gm__fail(ctx, GM_E_DATA, "fit: there are no rows to learn from");
    GM_TRY(s->family->direct->fit(ctx, frame, train, valid && valid->count ? valid : NULL, start,
                                  out));
    const char *unsound = gm__tensors_unsound(out);
    if (unsound)
        return gm__fail(ctx, GM_E_NONFINITE, "%s: '%s' holds a number that is not finite",
                        s->family->name, unsound);
    return GM_OK;
}

/* What the fit says of itself; the held-out log density comes later. */
typedef struct gm__told {
    int64_t rows, valid_rows;
    double seconds, valid;
} gm__told;

static gm_status write_record(gm_context *ctx, const gm__structure *s, const gm__told *told,
                              gm__buffer *out)
{
    gm__buffer_text(out, "{\"family\":");
    gm__json_quote(out, s->family->name);
    gm__buffer_format(out, ",\"rows\":%lld,\"valid_rows\":%lld", (long long)told->rows,
                      (long long)told->valid_rows);
    gm__buffer_text(out, ",\"seconds\":");
    gm__json_write_real(out, told->seconds);
    if (told->valid_rows > 0) { /* minus it, as other fits tell their loss */
        gm__buffer_text(out, ",\"valid\":");
        gm__json_write_real(out, -told->valid);
    }
    gm__buffer_format(out, ",\"library\":\"%s\"}", gm_version());
    return out->failed ? gm__no_memory(ctx) : GM_OK;
}

static gm_status set_record(gm_context *ctx, gm_model *m, const gm__told *told)
{
    gm__buffer text = {.allocator = ctx->allocator};
    char *record = NULL;
    gm_status code = write_record(ctx, m->structure, told, &text);
    if (!code && !(record = gm__copy_text(&m->allocator, text.data)))
        code = gm__no_memory(ctx);
    gm__buffer_clear(&text);
    if (code)
        return code;
    gm__free_text(&m->allocator, m->record);
    m->record = record;
    return GM_OK;
}

/* The mean log density of the validation rows, by their weights, in the user's units. */
static gm_status held_out(gm_context *ctx, const gm_model *m, const gm_dataset *valid, double *mean)
{
    char seed[24];
    gm_options *opts;
    gm__values *values = NULL;
    gm__rows rows = {0};
    double *logp = NULL, *weight = NULL;
    int64_t n = gm_dataset_row_count(valid);
    GM_TRY(gm__options_new(ctx, &opts));
    gm__format(seed, sizeof seed, "%s", gm__value_text(m->structure->values, "seed"));
    gm_status code = gm__options_put(ctx, opts, "seed", seed);
    if (!code)
        code = gm__call_values(ctx, m, "log_prob", opts, &values);
    if (!code)
        code = gm__rows_of_data(ctx, "fit", m, valid, &rows);
    if (!code)
        code = gm__answer_cells(ctx, "fit", n, 1, &logp);
    if (!code)
        code = gm__log_prob(ctx, m, &rows, values, &(gm__scores){.logp = logp});
    if (!code)
        code = gm__row_weights(ctx, valid, &weight);
    *mean = 0;
    for (int64_t i = 0; i < n && !code; i++)
        *mean += !weight         ? logp[i] / (double)n
                 : weight[i] > 0 ? logp[i] * weight[i] / (double)n
                                 : 0;
    gm__free(&ctx->allocator, weight, weight ? (size_t)n * sizeof *weight : 0);
    gm__free(&ctx->allocator, logp, logp ? (size_t)n * sizeof *logp : 0);
    gm__rows_clear(&rows);
    gm__values_free(values);
    gm_options_free(opts);
    return code;
}

static gm_status fit_rows(gm_context *ctx, gm__structure *s, const gm_direct_rows *train,
                          const gm_direct_rows *valid, const gm_model *start,
                          const gm_options *said, gm_model **model)
{
    gm_frame frame = {s, s->values, start != NULL, said};
    gm_tensors *t;
    GM_TRY(gm__tensors_create(ctx, &t));
    gm_status code = learn(ctx, &frame, train, valid, start ? start->tensors : NULL, t);
    if (code) {
        gm__tensors_free(t);
        return code;
    }
    return gm__direct_model(ctx, s, t, "{}", model);
}

/* Steps of the noise that makes whole numbers real. */
enum { TRAIN_NOISE, VALID_NOISE };

gm_status gm__direct_fit(gm_context *ctx, gm__structure *s, const gm_dataset *train,
                         const gm_dataset *valid, const gm_model *start, const gm_options *said,
                         gm_model **model)
{
    gm_direct_rows rows, kept = {.struct_size = sizeof kept};
    size_t bytes = 0, kept_bytes = 0;
    gm_model *made = NULL;
    double begin = gm__clock();
    gm_status code = rows_create(ctx, s, train, TRAIN_NOISE, &rows, &bytes);
    if (!code && valid)
        code = rows_create(ctx, s, valid, VALID_NOISE, &kept, &kept_bytes);
    if (!code)
        code = fit_rows(ctx, s, &rows, valid ? &kept : NULL, start, said, &made);
    rows_free(ctx, &rows, train, bytes);
    rows_free(ctx, &kept, valid, kept_bytes);
    gm__told told = {.rows = gm_dataset_row_count(train)};
    if (!code && valid && gm__family_kind(s->family) != GM_NO_LOG_PROB) {
        told.valid_rows = gm_dataset_row_count(valid);
        code = held_out(ctx, made, valid, &told.valid);
    }
    told.seconds = gm__clock() - begin;
    if (!code)
        code = set_record(ctx, made, &told);
    if (code)
        gm_model_free(made);
    else
        *model = made;
    return code;
}
