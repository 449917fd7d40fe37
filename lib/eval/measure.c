#include "eval/measure.h"
#include "base/random.h"
#include "base/size.h"
#include "data/repeat.h"
#include "data/table.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

/* ---- Bins ------------------------------------------------------------------------------------ */

double gm__model_bins(const gm_model *model, int64_t j)
{
    return gm__transform_unit(model->structure->transform, j);
}

/* The column of that name, or in that place where there are no names; -1 for none. */
static int64_t find_column(gm_context *ctx, const gm_model *model, const char *name, int64_t j)
{
    gm_column c = {.struct_size = sizeof c};
    for (int64_t i = 0; *name && i < gm_model_column_count(model); i++)
        if (gm_model_column(ctx, model, i, &c) == GM_OK && strcmp(c.name, name) == 0)
            return i;
    return *name || j >= gm_model_column_count(model) ? -1 : j;
}

/* Of a column of the rows that are compared on; 0 also where memory is short. */
static double repeat_width(const gm__measure *m, int64_t column, double resolution)
{
    int64_t n = gm_dataset_row_count(m->rows), kept = 0;
    double *x = gm__alloc_array(&m->ctx->allocator, n, sizeof *x);
    if (!x)
        return 0;
    gm__dataset_gather(m->rows, &column, 1, NULL, 0, n, x, 1);
    for (int64_t i = 0; i < n; i++)
        if (x[i] - x[i] == 0)
            x[kept++] = x[i];
    double width = gm__repeat_unit(x, kept, resolution);
    gm__free(&m->ctx->allocator, x, (size_t)n * sizeof *x);
    return width;
}

double gm__measure_width(const gm__measure *m, const gm_model *model, int64_t j)
{
    gm_column c = {.struct_size = sizeof c}, data = {.struct_size = sizeof data};
    if (gm_model_column(m->ctx, model, j, &c) || c.type != GM_COLUMN_REAL)
        return 0;
    for (int i = 0; i < 2; i++) {
        int64_t k = m->models[i] ? find_column(m->ctx, m->models[i], c.name, j) : -1;
        double width = k >= 0 ? gm__model_bins(m->models[i], k) : 0;
        if (width > 0)
            return width;
    }
    int64_t k = *c.name ? gm_dataset_find_column(m->rows, c.name) : j;
    if (k < 0 || gm_dataset_column(m->ctx, m->rows, k, &data) || data.type != GM_COLUMN_REAL)
        return 0;
    return repeat_width(m, k, data.resolution);
}

/* ---- Scores ---------------------------------------------------------------------------------- */

typedef struct scoring {
    const gm__measure *m;
    const gm_model *model;
    int64_t n, d;
    double *width; /* (d): of columns that are averaged over their bins; else 0 */
    double shift;  /* what every row's log density gets */
    int64_t wide;  /* columns averaged */
    int bound;
    double *x, *moved, *logp, *most; /* (n, d), (n, d), (n), (n) */
} scoring;

static double log_of(const gm__measure *m, double x)
{
    return gm__map_one(m->ctx, GM__LOG, x);
}

/* What each column is to this model. */
static void plan(scoring *s)
{
    for (int64_t j = 0; j < s->d; j++) {
        double width = gm__measure_width(s->m, s->model, j), own = gm__model_bins(s->model, j);
        s->width[j] = own > 0 ? 0 : width;
        s->wide += s->width[j] > 0;
        if (width > 0 && width != own)
            s->shift += log_of(s->m, width) - (own > 0 ? log_of(s->m, own) : 0);
    }
}

static gm_status call_options(const scoring *s, int64_t draws, uint64_t step, gm_options **how)
{
    const gm__measure *m = s->m;
    char seed[24];
    GM_TRY(gm_options_create(m->ctx, how));
    gm__format(seed, sizeof seed, "%llu", (unsigned long long)(m->seed + step));
    gm_status code = m->seeded ? gm_options_set_text(m->ctx, *how, "seed", seed) : GM_OK;
    if (!code && gm_model_log_prob_kind(s->model) != GM_EXACT)
        code = gm_options_set_int(m->ctx, *how, "draws", draws);
    if (!code && gm_model_log_prob_kind(s->model) == GM_LOWER_BOUND)
        code = gm_options_set_text(m->ctx, *how, "kind", s->bound ? "bound" : "estimate");
    if (code) {
        gm_options_free(*how);
        *how = NULL;
    }
    return code;
}

static gm_status read_rows(scoring *s)
{
    gm_context *ctx = s->m->ctx;
    gm__rows rows = {0};
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = gm__rows_of_data(ctx, "compare", s->model, s->m->rows, &rows);
    if (!code)
        code = gm__rows_read(ctx, &rows, 0, s->n, s->x);
    gm__rows_clear(&rows);
    return gm__leave(ctx, &entry, code);
}

/* One point in the bin of every cell. */
static void move(scoring *s, int64_t step)
{
    gm__draw d = {GM__F64, s->m->seed, GM__FOR_JITTER, (uint64_t)step, 0};
    s->m->ctx->kernels->draws->uniform(&d, s->moved, s->n, s->d);
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->d; j++) {
            double *to = &s->moved[i * s->d + j];
            *to = s->x[i * s->d + j] + (s->width[j] > 0 ? (*to - 0.5) * s->width[j] : 0);
        }
}

/* log of a running sum of exponentials, kept as its greatest term and the rest; of bounds the sum
 * itself. */
static void add(scoring *s, double *sum)
{
    for (int64_t i = 0; i < s->n; i++) {
        double w = s->logp[i];
        if (s->bound) {
            sum[i] += w;
        } else if (w > s->most[i]) {
            double old =
                s->most[i] == -INFINITY ? 0 : gm__map_one(s->m->ctx, GM__EXP, s->most[i] - w);
            sum[i] = sum[i] * old + 1;
            s->most[i] = w;
        } else if (w != -INFINITY) {
            sum[i] += gm__map_one(s->m->ctx, GM__EXP, w - s->most[i]);
        }
    }
}

static gm_status one_pass(scoring *s, int64_t step)
{
    gm_array at;
    gm_options *how;
    GM_TRY(call_options(s, 1, (uint64_t)step, &how));
    move(s, step);
    gm_array_init(&at, GM_F64, s->moved, s->n, s->d);
    gm_status code = gm_model_log_prob(s->m->ctx, s->model, &at, NULL, how, s->logp, NULL);
    gm_options_free(how);
    return code;
}

static gm_status averaged(scoring *s, double *sum)
{
    double draws = (double)s->m->draws;
    GM_TRY(read_rows(s));
    for (int64_t i = 0; i < s->n; i++) {
        s->most[i] = -INFINITY;
        sum[i] = 0;
    }
    for (int64_t k = 0; k < s->m->draws; k++) {
        GM_TRY(one_pass(s, k));
        add(s, sum);
    }
    for (int64_t i = 0; i < s->n; i++)
        sum[i] = s->bound                  ? sum[i] / draws
                 : s->most[i] == -INFINITY ? -INFINITY
                                           : s->most[i] + log_of(s->m, sum[i] / draws);
    return GM_OK;
}

/* A model of conditions needs them beside the moved rows. */
static gm_status refuse_conditions(const scoring *s)
{
    if (gm_model_condition_count(s->model) == 0)
        return GM_OK;
    return gm__fail(s->m->ctx, GM_E_UNSUPPORTED,
                    "compare: a conditional model whose columns repeat must be fitted with "
                    "repeated=bins, so that its log_prob is a probability");
}

static gm_status draw_rows(scoring *s, double *logp)
{
    const gm_allocator *a = &s->m->ctx->allocator;
    int64_t cells, count;
    GM_TRY(refuse_conditions(s));
    if (gm__mul64(s->n, s->d, &cells) || gm__mul64(cells + s->n, 2, &count))
        return gm__no_memory(s->m->ctx);
    s->x = gm__alloc_array(a, count, sizeof *s->x);
    if (!s->x)
        return gm__no_memory(s->m->ctx);
    s->moved = s->x + cells;
    s->logp = s->moved + cells;
    s->most = s->logp + s->n;
    gm_status code = averaged(s, logp);
    gm__free(a, s->x, (size_t)count * sizeof *s->x);
    return code;
}

static gm_status plain(scoring *s, double *logp)
{
    gm_options *how;
    GM_TRY(call_options(s, s->m->draws, 0, &how));
    gm_status code = gm_model_log_prob_rows(s->m->ctx, s->model, s->m->rows, NULL, how, logp, NULL);
    gm_options_free(how);
    return code;
}

gm_status gm__measure_rows(const gm__measure *m, const gm_model *model, double *logp, int32_t *kind)
{
    scoring s = {.m = m,
                 .model = model,
                 .n = gm_dataset_row_count(m->rows),
                 .d = gm_model_column_count(model)};
    s.bound = m->bound && gm_model_log_prob_kind(model) == GM_LOWER_BOUND;
    s.width = gm__alloc_array(&m->ctx->allocator, s.d, sizeof *s.width);
    if (!s.width)
        return gm__no_memory(m->ctx);
    plan(&s);
    gm_status code = GM_OK;
    if (!m->seeded && (s.wide || gm_model_log_prob_kind(model) == GM_LOWER_BOUND))
        code = gm__fail(m->ctx, GM_E_SEED,
                        "compare draws random numbers for these models and columns: set the "
                        "option 'seed' to any whole number");
    if (!code)
        code = s.wide ? draw_rows(&s, logp) : plain(&s, logp);
    for (int64_t i = 0; !code && i < s.n; i++)
        logp[i] += s.shift;
    *kind = s.wide && !s.bound ? GM_ESTIMATE : gm_model_log_prob_kind(model);
    if (*kind == GM_LOWER_BOUND && !s.bound)
        *kind = GM_ESTIMATE;
    gm__free(&m->ctx->allocator, s.width, (size_t)s.d * sizeof *s.width);
    return code;
}
