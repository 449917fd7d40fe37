/* log p of rows, its gradient, and its bounds. */
#include "model/condition.h"
#include "model/direct.h"
#include "model/path.h"

#include <math.h>
#include <string.h>

/* Buffers of one piece of rows; one block of memory. */
typedef struct gm__piece {
    double *x, *reals, *log_det, *out, *error, *lower, *upper, *dreals, *dx;
    double *wide, *dwide; /* (n, width): of direct families with categories */
    float *narrow, *dnarrow;
    int32_t *index, *columns; /* as the transform gives them (n, c), and column by column */
    unsigned char *support;
    const void **inputs;
} gm__piece;

/* The next n doubles of a block. */
static double *cut(double **at, size_t n)
{
    double *piece = *at;
    *at += n;
    return piece;
}

static gm_status make_piece(gm_context *ctx, const gm__structure *s, int64_t n, int grad,
                            gm__piece *p)
{
    size_t rows = (size_t)n, d = (size_t)s->columns, r = (size_t)s->reals, c = (size_t)s->indices;
    size_t wide = s->family->direct && c ? (size_t)s->width : 0, g = grad ? rows : 0;
    size_t doubles = rows * (d + r + 5 + wide) + g * (r + d + wide), floats = rows * r + g * r;
    char *block = gm__context_scratch(ctx, doubles * 8 + floats * 4 + rows * c * 8 + rows +
                                               (s->indices + 8) * sizeof(void *) + 64);
    if (!block)
        return GM_E_MEMORY;
    double *at = (double *)(void *)(block + (c + 8) * sizeof(void *));
    p->inputs = (const void **)(void *)block;
    p->x = cut(&at, rows * d);
    p->reals = cut(&at, rows * r);
    p->log_det = cut(&at, rows);
    p->out = cut(&at, rows);
    p->error = cut(&at, rows);
    p->lower = cut(&at, rows);
    p->upper = cut(&at, rows);
    p->wide = cut(&at, rows * wide);
    p->dreals = cut(&at, g * r);
    p->dx = cut(&at, g * d);
    p->dwide = wide ? cut(&at, g * wide) : p->dreals;
    p->narrow = (float *)(void *)at;
    p->dnarrow = p->narrow + rows * r;
    p->index = (int32_t *)(void *)(p->dnarrow + g * r);
    p->columns = p->index + rows * c;
    p->support = (unsigned char *)(p->columns + rows * c);
    return GM_OK;
}

/* The program's inputs from a piece's transform outputs. */
static void set_inputs(gm_context *ctx, const gm__structure *s, const gm__program *program,
                       int64_t n, gm__piece *p)
{
    if (!program)
        return;
    if (program->x >= 0) {
        p->inputs[program->x] = p->reals;
        if (program->real == GM__F32) {
            ctx->kernels->maps->narrow(p->narrow, p->reals, n * s->reals);
            p->inputs[program->x] = p->narrow;
        }
    }
    for (int64_t i = 0; i < s->indices; i++) {
        int input = gm__plan_index_input(program->plan, i);
        for (int64_t row = 0; row < n; row++)
            p->columns[i * n + row] = p->index[row * s->indices + i];
        if (input >= 0)
            p->inputs[input] = p->columns + i * n;
    }
}

#define SCORED 0x80000000u /* the first step of scoring's draws */

typedef struct gm__density_call {
    const gm_model *model;
    const gm__structure *s;
    gm__program *program;    /* NULL where a path or a direct family needs none */
    gm__path *path;          /* of a diffusion, or NULL */
    const gm_direct *direct; /* of a direct family, or NULL */
    gm_frame frame;          /* and the call's options */
    int random;              /* rows become real ones by noise */
    gm__given *given;
    gm__piece piece;
    uint64_t seed;
    int64_t draws;
    int bound;  /* the mean of log weights; else the log of their mean */
    int error;  /* wanted */
    int bounds; /* wanted, and the family's own */
    gm_array *grad;
} gm__density_call;

static gm_status run_program(gm_context *ctx, gm__density_call *c, gm__run *run)
{
    GM_TRY(gm__given_input(ctx, c->given, c->program, run->row0, run->batch, c->piece.inputs));
    void *dreals = c->program->real == GM__F64 ? (void *)c->piece.dreals : c->piece.dnarrow;
    void *outputs[2] = {c->piece.out, dreals};
    run->params = c->program->params;
    run->outputs = outputs;
    GM_TRY(gm__plan_run(ctx, c->program->plan, run));
    if (c->grad && c->s->reals > 0 && c->program->real == GM__F32)
        ctx->kernels->maps->widen(c->piece.dreals, c->piece.dnarrow, run->batch * c->s->reals);
    return GM_OK;
}

static gm_status along_path(gm_context *ctx, gm__density_call *c, gm__run *run)
{
    const double *log_density;
    gm__piece *p = &c->piece;
    GM_TRY(gm__path_given(ctx, c->path, c->given, run->row0, run->batch));
    GM_TRY(gm__given_input(ctx, c->given, c->path->front, run->row0, run->batch, p->inputs));
    GM_TRY(gm__path_enter(ctx, c->path, run, p->reals, &log_density));
    GM_TRY(gm__path_log_prob(ctx, c->path, run, p->out, c->error ? p->error : NULL));
    for (int64_t i = 0; log_density && i < run->batch; i++)
        p->out[i] += log_density[i];
    return GM_OK;
}

static gm_status ask_direct(gm_context *ctx, gm__density_call *c, gm__run *run)
{
    gm__piece *p = &c->piece;
    const gm__structure *s = c->s;
    gm_direct_call call = {.struct_size = sizeof call,
                           .call = &c->frame,
                           .first = run->row0,
                           .count = run->batch,
                           .seed = run->seed,
                           .step = run->step,
                           .x = gm__direct_x(s, p->reals, p->index, run->batch, p->wide),
                           .logp = p->out,
                           .lower = c->bounds ? p->lower : NULL,
                           .upper = c->bounds ? p->upper : NULL,
                           .gradient = c->grad ? p->dwide : NULL,
                           .temperature = 1};
    GM_TRY(c->direct->log_prob(ctx, c->model->state, &call));
    for (int64_t i = 0; c->grad && p->dwide != p->dreals && i < run->batch; i++)
        memcpy(p->dreals + i * s->reals, p->dwide + i * s->width,
               (size_t)s->reals * sizeof *p->dreals);
    return GM_OK;
}

/* One draw of n rows: log p, in the user's units, into piece.out, and its gradient in the
 * transform's outputs into piece.dreals. */
static gm_status one_draw(gm_context *ctx, gm__density_call *c, int64_t first, int64_t n,
                          int64_t draw)
{
    gm__piece *p = &c->piece;
    /* apart from the steps of a fit and from step 0, with which sample draws, under the same seed
     */
    uint64_t step = SCORED + (uint64_t)draw;
    gm__noise noise = {.draw = 1, .seed = c->seed, .step = step};
    if (draw == 0 || gm__transform_random(c->s->transform)) {
        gm__transform_forward(c->s->transform, p->x, n, &noise, first, NULL, p->reals, p->index,
                              p->log_det, p->support);
        set_inputs(ctx, c->s, c->program, n, p);
    }
    gm__run run = {.batch = n, .seed = c->seed, .step = step, .row0 = first, .inputs = p->inputs};
    GM_TRY((c->path ? along_path : c->direct ? ask_direct : run_program)(ctx, c, &run));
    for (int64_t i = 0; i < n; i++) {
        int inside = p->support[i] && p->out[i] == p->out[i];
        p->out[i] = inside ? p->out[i] + p->log_det[i] : -INFINITY;
        if (c->bounds) {
            p->lower[i] = inside ? p->lower[i] + p->log_det[i] : -INFINITY;
            p->upper[i] = inside ? p->upper[i] + p->log_det[i] : -INFINITY;
        }
    }
    for (int64_t i = 0; c->grad && i < n; i++)
        if (p->out[i] == -INFINITY)
            memset(p->dreals + i * c->s->reals, 0, (size_t)c->s->reals * sizeof *p->dreals);
    return GM_OK;
}

/* Where the answers of rows from `first` on go. */
static gm__scores from_row(const gm__scores *o, int64_t first)
{
    return (gm__scores){.logp = o->logp + first,
                        .error = o->error ? o->error + first : NULL,
                        .lower = o->lower ? o->lower + first : NULL,
                        .upper = o->upper ? o->upper + first : NULL};
}

/* Exact: one pass. */
static gm_status exact_piece(gm_context *ctx, gm__density_call *c, int64_t first, int64_t n,
                             const gm__scores *o)
{
    const gm__piece *p = &c->piece;
    GM_TRY(one_draw(ctx, c, first, n, 0));
    memcpy(o->logp, p->out, (size_t)n * sizeof *p->out);
    for (int64_t i = 0; o->error && i < n; i++)
        o->error[i] = c->path && o->logp[i] != -INFINITY ? p->error[i] : 0;
    if (o->lower)
        memcpy(o->lower, c->bounds ? p->lower : p->out, (size_t)n * sizeof *p->out);
    if (o->upper)
        memcpy(o->upper, c->bounds ? p->upper : p->out, (size_t)n * sizeof *p->out);
    return GM_OK;
}

/* From draws of w = log p - log q: the bound is their mean (Kingma and Welling 2014, eq. 3), the
 * estimate the log of the mean of exp(w), which is closer the more draws there are (Burda et al.
 * 2016, eq. 8). */
static gm_status drawn_piece(gm_context *ctx, gm__density_call *c, int64_t first, int64_t n,
                             const gm__scores *o)
{
    gm__piece *p = &c->piece;
    gm__weights w;
    GM_TRY(gm__weights_begin(ctx, c->bound, n, c->grad ? c->s->reals : 0, &w));
    gm_status code = GM_OK;
    for (int64_t draw = 0; draw < c->draws && !code; draw++) {
        code = one_draw(ctx, c, first, n, draw);
        if (!code)
            gm__weights_add(ctx, &w, p->out, c->path && o->error ? p->error : NULL, p->dreals);
    }
    if (!code)
        gm__weights_end(ctx, &w, o->logp, o->error, p->dreals);
    gm__weights_clear(&w);
    return code;
}

/* Zero where log p is minus infinity, and where a step so far out of the data has none. */
static void put_gradient(gm__density_call *c, gm__answer *grad, int64_t first, int64_t n,
                         const double *logp)
{
    gm__piece *p = &c->piece;
    int64_t d = c->s->columns;
    gm__transform_gradient(c->s->transform, p->x, p->dreals, n, p->dx);
    for (int64_t i = 0; i < n; i++) {
        int known = logp[i] != -INFINITY;
        for (int64_t j = 0; j < d; j++)
            known &= p->dx[i * d + j] == p->dx[i * d + j];
        if (!known)
            memset(p->dx + i * d, 0, (size_t)d * sizeof *p->dx);
    }
    gm__answer_put(grad, first, n, p->dx);
}

static gm_status run_pieces(gm_context *ctx, gm__density_call *c, const gm__rows *rows,
                            int64_t capacity, const gm__scores *o, gm__answer *grad)
{
    int one_pass = c->s->kind == GM_EXACT || (c->path && !c->random);
    for (int64_t first = 0; first < rows->count; first += capacity) {
        int64_t n = rows->count - first < capacity ? rows->count - first : capacity;
        gm__scores part = from_row(o, first);
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(gm__rows_read(ctx, rows, first, n, c->piece.x));
        GM_TRY((one_pass ? exact_piece : drawn_piece)(ctx, c, first, n, &part));
        if (grad)
            put_gradient(c, grad, first, n, part.logp);
    }
    return GM_OK;
}

/* The outputs as a list, so that all are treated alike. */
enum { OUTPUTS = 4 };

static void list_outputs(gm__scores *o, double **list[OUTPUTS])
{
    list[0] = &o->logp;
    list[1] = &o->error;
    list[2] = &o->lower;
    list[3] = &o->upper;
}

/* As run_pieces; several pieces wait until all are there, so that a failure leaves the outputs. */
static gm_status run_rows(gm_context *ctx, gm__density_call *c, const gm__rows *rows,
                          int64_t capacity, const gm__scores *o)
{
    gm__answer grad;
    gm__scores to = *o, held = {0};
    int64_t n = rows->count, kept = n > capacity ? n * OUTPUTS : 0;
    double *own, **asked[OUTPUTS], **waiting[OUTPUTS];
    list_outputs(&to, asked);
    list_outputs(&held, waiting);
    GM_TRY(gm__answer_cells(ctx, rows->call, kept, 1, &own));
    for (int k = 0; k < OUTPUTS; k++)
        *waiting[k] = own && *asked[k] ? own + k * n : *asked[k];
    gm_status code = c->grad ? gm__answer_begin(ctx, rows->call, c->grad, capacity, &grad) : GM_OK;
    if (!code)
        code = run_pieces(ctx, c, rows, capacity, &held, c->grad ? &grad : NULL);
    if (c->grad)
        code = gm__answer_end(&grad, code);
    for (int k = 0; k < OUTPUTS && own && !code; k++)
        if (*asked[k])
            memcpy(*asked[k], *waiting[k], (size_t)n * sizeof *own);
    gm__free(&ctx->allocator, own, (size_t)kept * sizeof *own);
    return code;
}

/* The seed and draws that a model of this kind needs. */
static gm_status read_draws(gm_context *ctx, const gm__values *values, gm__density_call *c)
{
    const gm__structure *s = c->s;
    c->random = s->indices > 0 || gm__transform_random(s->transform);
    c->draws = 1;
    if (s->kind == GM_EXACT)
        return GM_OK;
    if (!c->path || c->random || c->path->probes)
        GM_TRY(gm__call_seed(ctx, values, c->grad ? "log_prob_gradient" : "log_prob", &c->seed));
    c->draws = gm__value_int(values, "draws");
    c->bound = s->kind == GM_LOWER_BOUND && gm__value_int(values, "kind") == 0;
    if (s->kind == GM_ESTIMATE && gm__value_given(values, "kind") &&
        gm__value_int(values, "kind") == 0)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "log_prob: kind=bound: the family %s gives estimates, no bound; leave kind "
                        "out, or set kind=estimate",
                        s->family->name);
    return GM_OK;
}

/* What answers, and how many rows at a time. */
static gm_status choose_engine(gm_context *ctx, gm__density_call *c, const gm__values *values,
                               int64_t rows, int64_t *capacity)
{
    c->direct = c->s->family->direct;
    c->frame = (gm_frame){.structure = c->s, .values = values};
    if (c->direct) {
        *capacity = gm__direct_capacity(c->s, rows);
        return GM_OK;
    }
    if (c->path)
        c->program = c->path->front;
    else
        GM_TRY(gm__program_get(ctx, c->model, c->grad ? GM__GRADIENT : GM__LOG_PROB,
                               gm__call_real(c->model, values), rows, &c->program));
    *capacity = c->path ? c->path->capacity : c->program->capacity;
    *capacity = *capacity < rows ? *capacity : rows;
    return GM_OK;
}

static gm_status score(gm_context *ctx, gm__density_call *c, const gm__rows *rows,
                       const gm__values *values, const gm__scores *o)
{
    int64_t capacity;
    GM_TRY(read_draws(ctx, values, c));
    GM_TRY(choose_engine(ctx, c, values, rows->count, &capacity));
    c->bounds = c->direct && (o->lower || o->upper);
    GM_TRY(make_piece(ctx, c->s, capacity, c->grad != NULL, &c->piece));
    return run_rows(ctx, c, rows, capacity, o);
}

gm_status gm__log_prob(gm_context *ctx, const gm_model *model, const gm__rows *rows,
                       const gm__values *values, const gm__scores *o)
{
    gm__density_call c = {.model = model,
                          .s = model->structure,
                          .grad = o->grad,
                          .error = o->error != NULL,
                          .given = rows->given};
    gm__path path;
    if (c.s->conditions && !c.given)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "%s: the model is conditional, and this call takes no conditions",
                        rows->call);
    if ((o->lower || o->upper) && c.s->kind != GM_EXACT)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "log_prob_bounds: the family %s draws to answer for these columns; bounds "
                        "that surely hold are of exact models: use log_prob and its error",
                        c.s->family->name);
    if (!c.s->levels)
        return score(ctx, &c, rows, values, o);
    gm_status code = gm__path_create(ctx, model, GM__LOG_PROB, values, rows->count, &path);
    c.path = &path;
    if (!code)
        code = score(ctx, &c, rows, values, o);
    gm__path_free(&path);
    return code;
}

/* ---- Public calls ---------------------------------------------------------------------------- */

static gm_status begin(gm_context *ctx, const gm_model *model, const gm_array *cond,
                       const gm_options *opts, const double *logp, gm__values **values)
{
    GM_TRY(gm__call_check(ctx, model, "log_prob", GM_CAN_LOG_PROB));
    if (!logp)
        return gm__fail(ctx, GM_E_ARG, "log_prob: logp is NULL");
    if (cond && model->structure->conditions == 0)
        return gm__fail(ctx, GM_E_ARG,
                        "log_prob: cond is given, but the model has no conditioning columns");
    return gm__call_values(ctx, model, "log_prob", opts, values);
}

static gm_status log_prob(gm_context *ctx, const gm_model *model, const gm__source *x,
                          const gm_array *cond, const gm_options *opts, const gm__scores *o)
{
    gm__values *values;
    gm__given given;
    gm__rows rows;
    GM_TRY(begin(ctx, model, cond, opts, o->logp, &values));
    gm_status code = gm__rows_open(ctx, "log_prob", model, x, cond, &given, &rows);
    if (!code)
        code = gm__log_prob(ctx, model, &rows, values, o);
    gm__rows_close(&rows, &given);
    gm__values_free(values);
    return code;
}

static gm_status bounds(gm_context *ctx, const gm_model *model, const gm__source *x,
                        const gm_array *cond, const gm_options *opts, const gm__scores *o)
{
    if (!o->lower || !o->upper)
        return gm__fail(ctx, GM_E_ARG, "log_prob_bounds: lower or upper is NULL");
    return log_prob(ctx, model, x, cond, opts, o);
}

gm_status gm_model_log_prob(gm_context *ctx, const gm_model *model, const gm_array *x,
                            const gm_array *cond, const gm_options *opts, double *logp,
                            double *error)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm__source source = {.array = x};
    gm__scores o = {.logp = logp, .error = error};
    return gm__leave(ctx, &entry, log_prob(ctx, model, &source, cond, opts, &o));
}

gm_status gm_model_log_prob_bounds(gm_context *ctx, const gm_model *model, const gm_array *x,
                                   const gm_array *cond, const gm_options *opts, double *logp,
                                   double *lower, double *upper)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm__source source = {.array = x};
    gm__scores o = {.logp = logp, .lower = lower, .upper = upper};
    return gm__leave(ctx, &entry, bounds(ctx, model, &source, cond, opts, &o));
}

/* A packed or strided matrix of the caller's as an array. */
static gm_array matrix(int32_t dtype, const void *x, int64_t n, int64_t d, int64_t row_stride)
{
    gm_array a;
    gm_array_init(&a, dtype, (void *)(uintptr_t)x, n, d);
    if (row_stride)
        a.strides[0] = row_stride;
    return a;
}

gm_status gm_model_log_prob_f64(gm_context *ctx, const gm_model *model, const double *x, int64_t n,
                                int64_t row_stride, const gm_options *opts, double *logp)
{
    gm_array a = matrix(GM_F64, x, n, gm_model_column_count(model), row_stride);
    return gm_model_log_prob(ctx, model, &a, NULL, opts, logp, NULL);
}

gm_status gm_model_log_prob_f32(gm_context *ctx, const gm_model *model, const float *x, int64_t n,
                                int64_t row_stride, const gm_options *opts, double *logp)
{
    gm_array a = matrix(GM_F32, x, n, gm_model_column_count(model), row_stride);
    return gm_model_log_prob(ctx, model, &a, NULL, opts, logp, NULL);
}

gm_status gm_model_log_prob_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                                 const gm_array *cond, const gm_options *opts, double *logp,
                                 double *error)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm__source source = {.data = rows, .has_data = 1};
    gm__scores o = {.logp = logp, .error = error};
    return gm__leave(ctx, &entry, log_prob(ctx, model, &source, cond, opts, &o));
}

gm_status gm_model_log_prob_bounds_rows(gm_context *ctx, const gm_model *model,
                                        const gm_dataset *rows, const gm_array *cond,
                                        const gm_options *opts, double *logp, double *lower,
                                        double *upper)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm__source source = {.data = rows, .has_data = 1};
    gm__scores o = {.logp = logp, .lower = lower, .upper = upper};
    return gm__leave(ctx, &entry, bounds(ctx, model, &source, cond, opts, &o));
}

static gm_status gradient(gm_context *ctx, const gm_model *model, const gm_array *x,
                          const gm_array *cond, const gm_options *opts, double *logp,
                          gm_array *grad)
{
    gm__values *values;
    gm__rows rows;
    double nothing = 0;
    GM_TRY(gm__call_check(ctx, model, "log_prob_gradient", GM_CAN_GRADIENT));
    const gm__structure *s = model->structure;
    GM_TRY(gm__rows_of_array(ctx, "log_prob_gradient", x, s->schema, s->columns, &rows));
    GM_TRY(gm__check_output(ctx, "log_prob_gradient", grad, rows.count, s->schema, s->columns));
    GM_TRY(begin(ctx, model, cond, opts, logp ? logp : &nothing, &values));
    double *own = NULL;
    gm__given given = {0};
    gm_status code =
        gm__given_open(ctx, "log_prob_gradient", model, cond, NULL, rows.count, &given);
    rows.given = &given;
    if (!code && !logp)
        code = gm__answer_cells(ctx, "log_prob_gradient", rows.count, 1, &own);
    if (!code)
        code = gm__log_prob(ctx, model, &rows, values,
                            &(gm__scores){.logp = logp ? logp : own, .grad = grad});
    gm__given_close(&given);
    gm__free(&ctx->allocator, own, own ? (size_t)rows.count * sizeof *own : 0);
    gm__values_free(values);
    return code;
}

gm_status gm_model_log_prob_gradient(gm_context *ctx, const gm_model *model, const gm_array *x,
                                     const gm_array *cond, const gm_options *opts, double *logp,
                                     gm_array *grad)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, gradient(ctx, model, x, cond, opts, logp, grad));
}
