/* Calls of kernel density estimates alone: thresholds, modes, rows that come and go. */
#include "genmod/kde.h"
#include "density/kde_family.h"
#include "base/size.h"
#include "model/direct.h"

#include <math.h>
#include <string.h>

static gm_status check_model(gm_context *ctx, const gm_model *model, const char *call)
{
    if (!model)
        return gm__fail(ctx, GM_E_ARG, "%s: model is NULL", call);
    if (model->structure->family != &gm__kde_family)
        return gm__fail(ctx, GM_E_UNSUPPORTED, "%s: the family %s does not answer it; kde does",
                        call, model->structure->family->name);
    return GM_OK;
}

/* ---- Rows as the estimate sees them ---------------------------------------------------------- */

typedef struct kde_rows {
    const gm_model *model;
    const gm__structure *s;
    const gm__kde_state *state;
    gm__rows rows;
    int64_t n;
    double *y;             /* (n, width) */
    double *log_det;       /* (n) */
    double *x;             /* (n, columns) the user's cells */
    double *reals;         /* (n, reals) */
    unsigned char *inside; /* (n) */
    int32_t *index;        /* (n, indices) */
    int64_t doubles;       /* at y */
} kde_rows;

static void rows_clear(gm_context *ctx, kde_rows *r)
{
    gm__rows_clear(&r->rows);
    gm__free(&ctx->allocator, r->y, (size_t)r->doubles * sizeof *r->y);
    gm__free(&ctx->allocator, r->index, (size_t)(r->n * r->s->indices) * sizeof *r->index);
    gm__free(&ctx->allocator, r->inside, (size_t)r->n);
}

static gm_status read_rows(gm_context *ctx, kde_rows *r)
{
    const gm__structure *s = r->s;
    GM_TRY(gm__rows_read(ctx, &r->rows, 0, r->n, r->x));
    gm__transform_forward(s->transform, r->x, r->n, NULL, 0, NULL, r->reals, r->index, r->log_det,
                          r->inside);
    const double *x = gm__direct_x(s, r->reals, r->index, r->n, r->y);
    gm__kde_from_x(r->state, x, r->n, r->y);
    return GM_OK;
}

/* Of an array, or of a dataset. Cleared by the caller, also after a failure. */
static gm_status rows_open(gm_context *ctx, const char *call, const gm_model *model,
                           const gm_array *x, const gm_dataset *data, kde_rows *r)
{
    const gm__structure *s = model->structure;
    *r = (kde_rows){.model = model, .s = s, .state = model->state};
    GM_TRY(x ? gm__rows_of_array(ctx, call, x, s->schema, s->columns, &r->rows)
             : gm__rows_of_data(ctx, call, model, data, &r->rows));
    int64_t n = r->rows.count, each = s->width + s->columns + s->reals + 1;
    if (gm__mul64(n, each, &r->doubles)) {
        r->doubles = 0;
        return gm__no_memory(ctx);
    }
    r->n = n;
    r->y = gm__alloc_array(&ctx->allocator, r->doubles, sizeof *r->y);
    r->index = gm__alloc_array(&ctx->allocator, n * s->indices, sizeof *r->index);
    r->inside = gm__alloc_array(&ctx->allocator, n, 1);
    if (n > 0 && (!r->y || !r->inside || (s->indices > 0 && !r->index)))
        return gm__no_memory(ctx);
    if (n == 0)
        return GM_OK;
    r->x = r->y + n * s->width;
    r->reals = r->x + n * s->columns;
    r->log_det = r->reals + n * s->reals;
    return read_rows(ctx, r);
}

/* ---- Thresholds ------------------------------------------------------------------------------ */

static gm_status above(gm_context *ctx, const gm_model *model, const gm_array *x,
                       const gm_dataset *data, double log_level, int8_t *out)
{
    kde_rows r;
    GM_TRY(check_model(ctx, model, "kde_above"));
    if ((!x && !data) || !out || log_level != log_level)
        return gm__fail(ctx, GM_E_ARG,
                        "kde_above: rows or above is NULL, or the level is no number");
    gm_status code = rows_open(ctx, "kde_above", model, x, data, &r);
    for (int64_t i = 0; i < r.n && !code; i++) /* log p of x is that of the user's row less this */
        r.log_det[i] = log_level - r.log_det[i];
    if (!code && r.n > 0)
        code = gm__kde_above(ctx, r.state->kde, r.y, r.n, r.s->width, r.log_det, out);
    for (int64_t i = 0; i < r.n && !code; i++)
        if (!r.inside[i])
            out[i] = log_level == -INFINITY ? 0 : -1;
    rows_clear(ctx, &r);
    return code;
}

gm_status gm_kde_above(gm_context *ctx, const gm_model *model, const gm_array *x, double log_level,
                       int8_t *out)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, above(ctx, model, x, NULL, log_level, out));
}

gm_status gm_kde_above_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                            double log_level, int8_t *out)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, above(ctx, model, NULL, rows, log_level, out));
}

/* ---- Modes ----------------------------------------------------------------------------------- */

/* Where each row climbs to, as the user's cells, into r->x. */
static gm_status climb(gm_context *ctx, kde_rows *r, double tolerance, int64_t steps, int64_t *mode,
                       int64_t *modes)
{
    for (int64_t i = 0; i < r->n; i++)
        if (!r->inside[i])
            return gm__rows_outside(ctx, &r->rows, r->s->transform, i, r->x + i * r->s->columns);
    GM_TRY(gm__kde_modes(ctx, r->state->kde, r->y, r->n, tolerance > 0 ? tolerance : 1e-6,
                         steps > 0 ? steps : 1000, r->y, mode, modes));
    gm__kde_to_x(r->state, r->y, r->n);
    gm__direct_back(r->s, r->y, r->n, r->reals, r->index);
    gm__transform_inverse(r->s->transform, r->reals, r->index, r->n, r->x, NULL);
    return GM_OK;
}

static gm_status modes_of(gm_context *ctx, const gm_model *model, const gm_array *x,
                          const gm_dataset *data, double tolerance, int64_t steps, kde_rows *r,
                          int64_t *mode, int64_t *modes)
{
    *r = (kde_rows){.s = model->structure};
    if ((!x && !data) || !(tolerance >= 0) || steps < 0)
        return gm__fail(ctx, GM_E_ARG,
                        "kde_modes: rows is NULL, or tolerance or steps is negative");
    GM_TRY(rows_open(ctx, "kde_modes", model, x, data, r));
    if (modes)
        *modes = 0;
    return r->n > 0 ? climb(ctx, r, tolerance, steps, mode, modes) : GM_OK;
}

static gm_status modes_into(gm_context *ctx, const gm_model *model, const gm_array *x,
                            double tolerance, int64_t steps, gm_array *places, int64_t *mode,
                            int64_t *modes)
{
    kde_rows r;
    GM_TRY(check_model(ctx, model, "kde_modes"));
    const gm__structure *s = model->structure;
    GM_TRY(gm__check_output(ctx, "kde_modes", places, x ? x->shape[0] : 0, s->schema, s->columns));
    gm_status code = modes_of(ctx, model, x, NULL, tolerance, steps, &r, mode, modes);
    if (!code && r.n > 0)
        gm__array_put(places, 0, r.n, s->columns, r.x);
    rows_clear(ctx, &r);
    return code;
}

gm_status gm_kde_modes(gm_context *ctx, const gm_model *model, const gm_array *x, double tolerance,
                       int64_t steps, gm_array *places, int64_t *mode, int64_t *modes)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, modes_into(ctx, model, x, tolerance, steps, places, mode, modes));
}

static gm_status modes_as_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                               double tolerance, int64_t steps, gm_dataset **places, int64_t *mode,
                               int64_t *modes)
{
    kde_rows r;
    GM_TRY(check_model(ctx, model, "kde_modes"));
    gm_status code = modes_of(ctx, model, NULL, rows, tolerance, steps, &r, mode, modes);
    if (!code)
        code = gm__dataset_make(ctx, r.s->schema, r.x, r.n, places);
    rows_clear(ctx, &r);
    return code;
}

gm_status gm_kde_modes_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                            double tolerance, int64_t steps, gm_dataset **places, int64_t *mode,
                            int64_t *modes)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!places)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "kde_modes: places is NULL"));
    *places = NULL;
    return gm__leave(ctx, &entry,
                     modes_as_rows(ctx, model, rows, tolerance, steps, places, mode, modes));
}

/* ---- Rows that come and go ------------------------------------------------------------------- */

int64_t gm_kde_row_count(const gm_model *model)
{
    if (!model || model->structure->family != &gm__kde_family)
        return 0;
    return gm__kde_rows(((const gm__kde_state *)model->state)->kde);
}

gm_status gm_kde_add(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                     gm_model **grown)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (grown)
        *grown = NULL;
    gm_status code = check_model(ctx, model, "kde_add");
    if (!code && (!rows || !grown))
        code = gm__fail(ctx, GM_E_ARG, "kde_add: rows or grown is NULL");
    if (!code)
        code = gm__direct_fit(ctx, model->structure, rows, NULL, model, NULL, grown);
    return gm__leave(ctx, &entry, code);
}

/* Marks (n) the rows that go; how many stay. */
static gm_status mark_rows(gm_context *ctx, int64_t n, const int64_t *rows, int64_t count,
                           unsigned char *gone, int64_t *left)
{
    *left = n;
    for (int64_t i = 0; i < count; i++) {
        if (rows[i] < 0 || rows[i] >= n)
            return gm__fail(ctx, GM_E_RANGE, "kde_forget: there is no row %lld, there are %lld",
                            (long long)rows[i], (long long)n);
        *left -= !gone[rows[i]];
        gone[rows[i]] = 1;
    }
    if (*left == 0)
        return gm__fail(ctx, GM_E_STATE, "kde_forget: no row would be left");
    return GM_OK;
}

/* A tensor whose first size is that of the rows loses some of them; others are copied. */
static gm_status copy_tensor(gm_context *ctx, const gm__named *from, int64_t n, int64_t left,
                             const unsigned char *gone, gm_tensors *to)
{
    int per_row = strcmp(from->name, "rows") == 0 || strcmp(from->name, "weights") == 0 ||
                  strcmp(from->name, "factors") == 0;
    int64_t shape[8], each = per_row ? from->count / n : from->count;
    double *data;
    memcpy(shape, from->shape, sizeof shape);
    shape[0] = per_row ? left : shape[0];
    GM_TRY(gm_tensors_add(ctx, to, from->name, from->ndim, shape, &data));
    for (int64_t i = 0; i < (per_row ? n : 1); i++)
        if (!per_row || !gone[i]) {
            memcpy(data, from->data + i * each, (size_t)each * sizeof *data);
            data += each;
        }
    return GM_OK;
}

static gm_status forget(gm_context *ctx, const gm_model *model, const int64_t *rows, int64_t count,
                        gm_model **shrunk)
{
    int64_t n = gm_kde_row_count(model), left = n;
    gm_tensors *t = NULL;
    unsigned char *gone = gm__alloc_array(&ctx->allocator, n, 1);
    gm_status code = gone ? mark_rows(ctx, n, rows, count, gone, &left) : gm__no_memory(ctx);
    if (!code)
        code = gm__tensors_create(ctx, &t);
    for (int64_t i = 0; !code && i < model->tensors->count; i++)
        code = copy_tensor(ctx, &model->tensors->list[i], n, left, gone, t);
    gm__free(&ctx->allocator, gone, (size_t)n);
    if (code) {
        gm__tensors_free(t);
        return code;
    }
    return gm__direct_model(ctx, model->structure, t, model->record, shrunk);
}

gm_status gm_kde_forget(gm_context *ctx, const gm_model *model, const int64_t *rows, int64_t count,
                        gm_model **shrunk)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (shrunk)
        *shrunk = NULL;
    gm_status code = check_model(ctx, model, "kde_forget");
    if (!code && ((!rows && count > 0) || count < 0 || !shrunk))
        code = gm__fail(ctx, GM_E_ARG, "kde_forget: rows or shrunk is NULL, or count is negative");
    if (!code)
        code = forget(ctx, model, rows, count, shrunk);
    return gm__leave(ctx, &entry, code);
}
