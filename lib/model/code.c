/* encode, decode, reconstruct and sample: what goes through codes. */
#include "model/condition.h"
#include "model/direct.h"
#include "model/path.h"
#include "model/walk.h"
#include "base/size.h"

#include <string.h>

/* ---- Codes of rows --------------------------------------------------------------------------- */

typedef struct gm__code_call {
    const gm_model *model;
    const gm__structure *s;
    gm__program *program;    /* NULL where a path or a direct family needs none */
    gm__path path;           /* of a diffusion */
    const gm_direct *direct; /* of a direct family, or NULL */
    gm_frame frame;          /* and the call's options */
    int64_t code;            /* columns of z */
    gm__given *given;
    int64_t capacity;
    double *x, *reals, *wide,
        *wide_out; /* (rows, columns), (rows, reals), in and out of the graph in double */
    float *narrow, *narrow_out;
    int32_t *index, *columns;
    unsigned char *support;
    const void **inputs;
} gm__code_call;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Buffers for pieces of `capacity` rows; the graph's side is as wide as the wider of x and z. */
static gm_status make_buffers(gm_context *ctx, gm__code_call *c, int64_t rows)
{
    const gm__structure *s = c->s;
    int64_t most = s->levels   ? c->path.capacity
                   : c->direct ? gm__direct_capacity(s, rows)
                               : c->program->capacity;
    c->capacity = rows < most ? rows : most;
    size_t n = (size_t)c->capacity, graph = n * (size_t)larger(larger(s->width, c->code), s->reals);
    size_t doubles = n * (size_t)(s->columns + s->reals) + 2 * graph,
           ints = 2 * n * (size_t)s->indices;
    size_t pointers = (size_t)s->indices + 8;
    char *block = gm__context_scratch(ctx, pointers * sizeof(void *) + doubles * 8 + 2 * graph * 4 +
                                               ints * 4 + n);
    if (!block)
        return GM_E_MEMORY;
    c->inputs = (const void **)(void *)block;
    c->x = (double *)(void *)(block + pointers * sizeof(void *));
    c->reals = c->x + n * (size_t)s->columns;
    c->wide = c->reals + n * (size_t)s->reals;
    c->wide_out = c->wide + graph;
    c->narrow = (float *)(void *)(c->wide_out + graph);
    c->narrow_out = c->narrow + graph;
    c->index = (int32_t *)(void *)(c->narrow_out + graph);
    c->columns = c->index + ints / 2;
    c->support = (unsigned char *)(c->index + ints);
    return GM_OK;
}

static gm_status prepare(gm_context *ctx, const gm_model *model, gm__task task,
                         const gm__values *values, int64_t rows, gm__code_call *c)
{
    const gm__structure *s = model->structure;
    *c = (gm__code_call){.model = model, .s = s, .code = gm__code(model)};
    c->direct = s->family->direct;
    c->frame = (gm_frame){.structure = s, .values = values};
    if (c->direct)
        return make_buffers(ctx, c, rows);
    if (c->s->levels) {
        GM_TRY(gm__path_create(ctx, model, task, values, rows, &c->path));
        c->program = c->path.front;
        return make_buffers(ctx, c, rows);
    }
    GM_TRY(gm__program_get(ctx, model, task, gm__call_real(model, values), rows, &c->program));
    return make_buffers(ctx, c, rows);
}

/* Runs the program on n rows; `from` is input number `input` unless that is -1: (n, width) doubles,
 * or one if width is 0. The result, in double, is c->wide_out. */
static gm_status run_piece(gm_context *ctx, gm__code_call *c, int input, const double *from,
                           int64_t width, int64_t out_width, gm__run *run)
{
    GM_TRY(gm__given_input(ctx, c->given, c->program, run->row0, run->batch, c->inputs));
    int f32 = c->program->real == GM__F32;
    if (input >= 0) {
        c->inputs[input] = from;
        if (f32) {
            ctx->kernels->maps->narrow(c->narrow, from, width ? run->batch * width : 1);
            c->inputs[input] = c->narrow;
        }
    }
    void *out = f32 ? (void *)c->narrow_out : c->wide_out;
    run->params = c->program->params;
    run->inputs = c->inputs;
    run->outputs = &out;
    GM_TRY(gm__plan_run(ctx, c->program->plan, run));
    if (f32)
        ctx->kernels->maps->widen(c->wide_out, c->narrow_out, run->batch * out_width);
    return GM_OK;
}

/* The rows of a path, into c->wide_out. */
static void take_path(gm__code_call *c, int64_t n)
{
    memcpy(c->wide_out, c->path.x, (size_t)(n * c->s->width) * sizeof *c->wide_out);
}

/* The transform's outputs, as encode_piece left them, along the flow into c->wide_out. */
static gm_status encode_path(gm_context *ctx, gm__code_call *c, gm__run *run)
{
    const double *log_density;
    const gm__program *front = c->program;
    if (front && front->x >= 0) {
        c->inputs[front->x] = c->reals;
        if (front->real == GM__F32) {
            ctx->kernels->maps->narrow(c->narrow, c->reals, run->batch * c->s->reals);
            c->inputs[front->x] = c->narrow;
        }
    }
    run->inputs = c->inputs;
    GM_TRY(gm__path_given(ctx, &c->path, c->given, run->row0, run->batch));
    GM_TRY(gm__given_input(ctx, c->given, front, run->row0, run->batch, c->inputs));
    GM_TRY(gm__path_enter(ctx, &c->path, run, c->reals, &log_density));
    GM_TRY(gm__path_encode(ctx, &c->path, run->batch));
    take_path(c, run->batch);
    return GM_OK;
}

/* The same of a direct family. */
static gm_status encode_direct(gm_context *ctx, gm__code_call *c, const gm__run *run)
{
    gm_direct_call call = {.struct_size = sizeof call,
                           .call = &c->frame,
                           .first = run->row0,
                           .count = run->batch,
                           .x = gm__direct_x(c->s, c->reals, c->index, run->batch, c->wide),
                           .out = c->wide_out,
                           .temperature = 1};
    return c->direct->encode(ctx, c->model->state, &call);
}

/* Codes of rows [first, first + n), in double, into c->wide_out. */
static gm_status encode_piece(gm_context *ctx, gm__code_call *c, const gm__rows *rows,
                              int64_t first, int64_t n)
{
    const gm__structure *s = c->s;
    gm__noise middle = {.draw = 0};
    GM_TRY(gm__rows_read(ctx, rows, first, n, c->x));
    gm__transform_forward(s->transform, c->x, n, &middle, first, NULL, c->reals, c->index, NULL,
                          c->support);
    for (int64_t i = 0; i < n; i++)
        if (!c->support[i])
            return gm__rows_outside(ctx, rows, s->transform, first + i, c->x + i * s->columns);
    gm__run run = {.batch = n, .row0 = first};
    if (c->direct)
        return encode_direct(ctx, c, &run);
    for (int64_t i = 0; i < s->indices; i++) {
        int input = gm__plan_index_input(c->program->plan, i);
        for (int64_t row = 0; row < n; row++)
            c->columns[i * n + row] = c->index[row * s->indices + i];
        if (input >= 0)
            c->inputs[input] = c->columns + i * n;
    }
    if (s->levels)
        return encode_path(ctx, c, &run);
    return run_piece(ctx, c, c->program->x, c->reals, s->reals, c->code, &run);
}

/* The graph's x (in c->wide_out) as rows of the user's, into `out` (n, columns). */
static void finish_rows(gm__code_call *c, int64_t n, double *out)
{
    if (c->direct)
        gm__direct_back(c->s, c->wide_out, n, c->reals, c->index);
    else
        gm__front_back(c->s, c->wide_out, n, c->reals, c->index);
    gm__transform_inverse(c->s->transform, c->reals, c->index, n, out, NULL);
}

/* A direct family's rows, drawn or of codes z, into c->wide_out. */
static gm_status make_direct(gm_context *ctx, gm__code_call *c, const gm__run *run, const double *z,
                             double temperature)
{
    gm_direct_call call = {.struct_size = sizeof call,
                           .call = &c->frame,
                           .first = run->row0,
                           .count = run->batch,
                           .seed = run->seed,
                           .step = run->step,
                           .x = z,
                           .out = c->wide_out,
                           .temperature = temperature};
    return (z ? c->direct->decode : c->direct->sample)(ctx, c->model->state, &call);
}

/* Rows of codes [first, first + n) of z into `out`. */
static gm_status decode_piece(gm_context *ctx, gm__code_call *c, const double *z, int64_t first,
                              int64_t n, double *out)
{
    gm__run run = {.batch = n, .row0 = first};
    if (c->s->levels) {
        memcpy(c->path.x, z, (size_t)(n * c->code) * sizeof *z);
        GM_TRY(gm__path_given(ctx, &c->path, c->given, first, n));
        GM_TRY(gm__path_decode(ctx, &c->path, n));
        take_path(c, n);
    } else if (c->direct)
        GM_TRY(make_direct(ctx, c, &run, z, 1));
    else
        GM_TRY(run_piece(ctx, c, c->program->z, z, c->code, c->s->width, &run));
    finish_rows(c, n, out);
    return GM_OK;
}

/* Whole numbers that a family takes as real ones, within the range that was seen; those that it
 * takes as they are, and categories, stay within theirs anyway. */
static void keep_in_range(const gm__structure *s, int64_t n, double *rows)
{
    for (int64_t j = 0; j < s->columns && !s->discrete; j++) {
        const gm__column *c = &s->schema->columns[j];
        for (int64_t i = 0; c->type == GM_COLUMN_INTEGER && i < n; i++) {
            double *x = &rows[i * s->columns + j];
            *x = *x < c->low ? c->low : *x > c->high ? c->high : *x;
        }
    }
}

/* A scalar input of a sequence, in the program's precision. */
typedef struct gm__scalar {
    double wide;
    float narrow;
} gm__scalar;

static void put_scalar(gm__code_call *c, int input, double value, gm__scalar *to)
{
    *to = (gm__scalar){value, (float)value};
    if (input >= 0)
        c->inputs[input] = c->program->real == GM__F32 ? (const void *)&to->narrow : &to->wide;
}

/* The same where only what is new in a step is computed. */
static gm_status sample_walk(gm_context *ctx, gm__code_call *c, gm__walk *walk, double temperature,
                             gm__run *run)
{
    gm__scalar scale;
    put_scalar(c, -1, temperature, &scale);
    gm__walk_call call = {.params = c->program->params,
                          .seed = run->seed,
                          .row0 = run->row0,
                          .n = run->batch,
                          .width = c->s->given};
    call.temperature = c->program->real == GM__F32 ? (const void *)&scale.narrow : &scale.wide;
    GM_TRY(gm__given_input(ctx, c->given, c->program, run->row0, run->batch, c->inputs));
    if (c->program->condition >= 0)
        call.condition = c->inputs[c->program->condition];
    return gm__walk_sample(ctx, walk, &call, c->wide_out);
}

/* The steps of a sequence, into c->wide_out. The program's graph is the same in each: so is its
 * noise. */
static gm_status sample_steps(gm_context *ctx, gm__code_call *c, double temperature, gm__run *run)
{
    int64_t width = c->s->width;
    size_t bytes = (size_t)(run->batch * width) * sizeof *c->wide;
    gm__scalar scale, step;
    gm__walk *walk;
    GM_TRY(gm__program_walk(ctx, c->model, c->program, &walk));
    if (walk)
        return sample_walk(ctx, c, walk, temperature, run);
    put_scalar(c, c->program->temperature, temperature, &scale);
    memset(c->wide, 0, bytes);
    for (int64_t i = 0; i < c->s->steps; i++) {
        put_scalar(c, c->program->step, (double)i, &step);
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(run_piece(ctx, c, c->program->row, c->wide, width, width, run));
        memcpy(c->wide, c->wide_out, bytes);
    }
    return GM_OK;
}

static gm_status sample_piece(gm_context *ctx, gm__code_call *c, uint64_t seed, double temperature,
                              int64_t first, int64_t n, double *out)
{
    gm__run run = {.batch = n, .row0 = first, .seed = seed};
    if (c->s->levels) {
        GM_TRY(gm__path_given(ctx, &c->path, c->given, first, n));
        GM_TRY(gm__path_sample(ctx, &c->path, seed, first, n));
        take_path(c, n);
    } else if (c->direct)
        GM_TRY(make_direct(ctx, c, &run, NULL, temperature));
    else if (c->s->steps)
        GM_TRY(sample_steps(ctx, c, temperature, &run));
    else
        GM_TRY(run_piece(ctx, c, c->program->temperature, &temperature, 0, c->s->width, &run));
    finish_rows(c, n, out);
    keep_in_range(c->s, n, out);
    return GM_OK;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static gm_status begin(gm_context *ctx, const gm_model *model, const char *call, int32_t capability,
                       const gm_array *cond, const gm_options *opts, gm__values **values)
{
    GM_TRY(gm__call_check(ctx, model, call, capability));
    if (cond && model->structure->conditions == 0)
        return gm__fail(ctx, GM_E_ARG,
                        "%s: cond is given, but the model has no conditioning columns", call);
    return gm__call_values(ctx, model, call, opts, values);
}

static gm_status check_rows(gm_context *ctx, const char *call, const gm_array *out, int64_t n,
                            const gm_model *model)
{
    return gm__check_output(ctx, call, out, n, model->structure->schema, model->structure->columns);
}

/* ---- encode ---------------------------------------------------------------------------------- */

static gm_status encode_pieces(gm_context *ctx, gm__code_call *c, const gm__rows *rows,
                               gm__answer *answer)
{
    for (int64_t first = 0; first < rows->count; first += c->capacity) {
        int64_t n = rows->count - first < c->capacity ? rows->count - first : c->capacity;
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(encode_piece(ctx, c, rows, first, n));
        gm__answer_put(answer, first, n, c->wide_out);
    }
    return GM_OK;
}

static gm_status encode_all(gm_context *ctx, const gm_model *model, const gm__rows *rows,
                            const gm__values *values, gm_array *z)
{
    gm__code_call c;
    gm__answer answer;
    GM_TRY(gm__check_output(ctx, rows->call, z, rows->count, NULL, gm__code(model)));
    gm_status code = prepare(ctx, model, GM__ENCODE, values, rows->count, &c);
    c.given = rows->given;
    if (!code) {
        code = gm__answer_begin(ctx, rows->call, z, c.capacity, &answer);
        if (!code)
            code = encode_pieces(ctx, &c, rows, &answer);
        code = gm__answer_end(&answer, code);
    }
    gm__path_free(&c.path);
    return code;
}

static gm_status encode(gm_context *ctx, const gm_model *model, const gm__source *x,
                        const gm_array *cond, const gm_options *opts, gm_array *z)
{
    gm__values *values = NULL;
    gm__given given;
    gm__rows rows;
    GM_TRY(begin(ctx, model, "encode", GM_CAN_ENCODE, cond, opts, &values));
    gm_status code = gm__rows_open(ctx, "encode", model, x, cond, &given, &rows);
    if (!code)
        code = encode_all(ctx, model, &rows, values, z);
    gm__rows_close(&rows, &given);
    gm__values_free(values);
    return code;
}

gm_status gm_model_encode(gm_context *ctx, const gm_model *model, const gm_array *x,
                          const gm_array *cond, const gm_options *opts, gm_array *z)
{
    gm__entry entry;
    gm__source source = {.array = x};
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, encode(ctx, model, &source, cond, opts, z));
}

gm_status gm_model_encode_rows(gm_context *ctx, const gm_model *model, const gm_dataset *data,
                               const gm_array *cond, const gm_options *opts, gm_array *z)
{
    gm__entry entry;
    gm__source source = {.data = data, .has_data = 1};
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, encode(ctx, model, &source, cond, opts, z));
}

/* ---- Rows that are made: into an array, or into cells of a dataset --------------------------- */

/* What makes rows [first, first + n) into out (n, columns). */
typedef struct gm__maker {
    const char *name;
    gm__task task;
    const gm__rows *from; /* codes to decode */
    gm__code_call call;
    uint64_t seed;
    double temperature;
    int64_t count;
} gm__maker;

static gm_status make_piece(gm_context *ctx, gm__maker *m, int64_t first, int64_t n, double *out)
{
    if (m->task != GM__DECODE)
        return sample_piece(ctx, &m->call, m->seed, m->temperature, first, n, out);
    GM_TRY(gm__rows_read(ctx, m->from, first, n, m->call.wide));
    return decode_piece(ctx, &m->call, m->call.wide, first, n, out);
}

/* All rows, piece by piece, into an answer or into cells (count, columns). */
static gm_status make_pieces(gm_context *ctx, gm__maker *m, gm__answer *answer, double *cells)
{
    int64_t d = m->call.s->columns, capacity = m->call.capacity;
    for (int64_t first = 0; first < m->count; first += capacity) {
        int64_t n = m->count - first < capacity ? m->count - first : capacity;
        double *out = cells ? cells + first * d : m->call.x;
        GM_TRY(gm__check_cancel(ctx));
        GM_TRY(make_piece(ctx, m, first, n, out));
        if (answer)
            gm__answer_put(answer, first, n, out);
    }
    return GM_OK;
}

static gm_status make_rows(gm_context *ctx, gm__maker *m, gm_array *array)
{
    gm__answer answer;
    gm_status code = gm__answer_begin(ctx, m->name, array, m->call.capacity, &answer);
    if (!code)
        code = make_pieces(ctx, m, &answer, NULL);
    return gm__answer_end(&answer, code);
}

/* As make_rows, into a new dataset with the model's columns. */
static gm_status make_dataset(gm_context *ctx, gm__maker *m, gm_dataset **rows)
{
    const gm__structure *s = m->call.s;
    double *cells;
    if (m->count == 0)
        return gm__fail(ctx, GM_E_RANGE, "%s: n is 0; at least 1 row makes a dataset", m->name);
    GM_TRY(gm__answer_cells(ctx, m->name, m->count, s->columns, &cells));
    gm_status code = make_pieces(ctx, m, NULL, cells);
    if (!code)
        code = gm__dataset_make(ctx, s->rows, cells, m->count, rows);
    gm__free(&ctx->allocator, cells, (size_t)(m->count * s->columns) * sizeof *cells);
    return code;
}

/* ---- decode ---------------------------------------------------------------------------------- */

static gm_status decode(gm_context *ctx, const gm_model *model, const gm_array *z,
                        const gm_array *cond, const gm_options *opts, gm_array *x,
                        gm_dataset **data)
{
    gm__values *values = NULL;
    gm__rows codes;
    GM_TRY(begin(ctx, model, "decode", GM_CAN_DECODE, cond, opts, &values));
    gm__given given = {0};
    gm__maker m = {.name = "decode", .task = GM__DECODE, .from = &codes};
    gm_status code = gm__rows_of_array(ctx, "decode", z, NULL, gm__code(model), &codes);
    if (!code && !data)
        code = check_rows(ctx, "decode", x, codes.count, model);
    if (!code)
        code = gm__given_open(ctx, "decode", model, cond, NULL, codes.count, &given);
    if (!code)
        code = prepare(ctx, model, GM__DECODE, values, codes.count, &m.call);
    m.count = code ? 0 : codes.count;
    m.call.given = &given;
    if (!code)
        code = data ? make_dataset(ctx, &m, data) : make_rows(ctx, &m, x);
    gm__path_free(&m.call.path);
    gm__given_close(&given);
    gm__values_free(values);
    return code;
}

gm_status gm_model_decode(gm_context *ctx, const gm_model *model, const gm_array *z,
                          const gm_array *cond, const gm_options *opts, gm_array *x)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, decode(ctx, model, z, cond, opts, x, NULL));
}

gm_status gm_model_decode_rows(gm_context *ctx, const gm_model *model, const gm_array *z,
                               const gm_array *cond, const gm_options *opts, gm_dataset **rows)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!rows)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "decode: rows is NULL"));
    *rows = NULL;
    return gm__leave(ctx, &entry, decode(ctx, model, z, cond, opts, NULL, rows));
}

/* ---- reconstruct ----------------------------------------------------------------------------- */

/* Codes of all rows, then rows of all codes. */
static gm_status code_and_back(gm_context *ctx, const gm_model *model, const gm__rows *rows,
                               const gm__values *values, gm_array *y, gm_dataset **data)
{
    int64_t k = gm__code(model);
    double *z;
    if (!data)
        GM_TRY(check_rows(ctx, "reconstruct", y, rows->count, model));
    GM_TRY(gm__answer_cells(ctx, "reconstruct", rows->count, k, &z));
    gm_array codes;
    gm__rows from;
    gm_array_init(&codes, GM_F64, z, rows->count, k);
    gm__maker m = {.name = "reconstruct", .task = GM__DECODE, .from = &from, .count = rows->count};
    gm_status code = encode_all(ctx, model, rows, values, &codes);
    if (!code)
        code = gm__rows_of_array(ctx, "reconstruct", &codes, NULL, k, &from);
    if (!code)
        code = prepare(ctx, model, GM__DECODE, values, rows->count, &m.call);
    m.call.given = rows->given;
    if (!code)
        code = data ? make_dataset(ctx, &m, data) : make_rows(ctx, &m, y);
    gm__path_free(&m.call.path);
    gm__free(&ctx->allocator, z, (size_t)(rows->count * k) * sizeof *z);
    return code;
}

static gm_status reconstruct(gm_context *ctx, const gm_model *model, const gm__source *x,
                             const gm_array *cond, const gm_options *opts, gm_array *y,
                             gm_dataset **data)
{
    gm__values *values = NULL;
    gm__given given;
    gm__rows rows;
    GM_TRY(begin(ctx, model, "reconstruct", GM_CAN_RECONSTRUCT, cond, opts, &values));
    gm_status code = gm__rows_open(ctx, "reconstruct", model, x, cond, &given, &rows);
    if (!code)
        code = code_and_back(ctx, model, &rows, values, y, data);
    gm__rows_close(&rows, &given);
    gm__values_free(values);
    return code;
}

gm_status gm_model_reconstruct(gm_context *ctx, const gm_model *model, const gm_array *x,
                               const gm_array *cond, const gm_options *opts, gm_array *y)
{
    gm__entry entry;
    gm__source source = {.array = x};
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, reconstruct(ctx, model, &source, cond, opts, y, NULL));
}

gm_status gm_model_reconstruct_rows(gm_context *ctx, const gm_model *model, const gm_dataset *data,
                                    const gm_array *cond, const gm_options *opts, gm_dataset **out)
{
    gm__entry entry;
    gm__source source = {.data = data, .has_data = 1};
    GM_TRY(gm__enter(ctx, &entry));
    if (!out)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "reconstruct: out is NULL"));
    *out = NULL;
    return gm__leave(ctx, &entry, reconstruct(ctx, model, &source, cond, opts, NULL, out));
}

/* ---- sample ---------------------------------------------------------------------------------- */

gm_status gm__sample(gm_context *ctx, const gm_model *model, int64_t n, const gm_array *cond,
                     const gm_options *opts, gm_array *x, gm_dataset **data)
{
    gm__values *values = NULL;
    GM_TRY(begin(ctx, model, "sample", GM_CAN_SAMPLE, cond, opts, &values));
    int mean = model->structure->family->draw && gm__value_int(values, "noise") == 0;
    gm__maker m = {.name = "sample",
                   .task = mean ? GM__SAMPLE_MEAN : GM__SAMPLE,
                   .count = n,
                   .temperature = gm__value_real(values, "temperature")};
    gm_status code =
        n < 0 ? gm__fail(ctx, GM_E_RANGE, "sample: n is %lld, must not be negative", (long long)n)
              : gm__call_seed(ctx, values, "sample", &m.seed);
    gm__given given = {0};
    if (!code && !data)
        code = check_rows(ctx, "sample", x, n, model);
    if (!code)
        code = gm__given_open(ctx, "sample", model, cond, NULL, n, &given);
    if (!code)
        code = prepare(ctx, model, m.task, values, n, &m.call);
    m.call.given = &given;
    if (!code)
        code = data ? make_dataset(ctx, &m, data) : make_rows(ctx, &m, x);
    gm__path_free(&m.call.path);
    gm__given_close(&given);
    gm__values_free(values);
    return code;
}

/* log p of the rows drawn, under the same options. */
static gm_status score(gm_context *ctx, const gm_model *model, const gm_array *x,
                       const gm_array *cond, const gm_options *opts, double *logp)
{
    gm__values *values = NULL;
    gm__source source = {.array = x};
    gm__given given;
    gm__rows rows;
    GM_TRY(begin(ctx, model, "log_prob", GM_CAN_LOG_PROB, NULL, opts, &values));
    gm_status code = gm__rows_open(ctx, "sample", model, &source, cond, &given, &rows);
    if (!code)
        code = gm__log_prob(ctx, model, &rows, values, &(gm__scores){.logp = logp});
    gm__rows_close(&rows, &given);
    gm__values_free(values);
    return code;
}

/* Rows and their log densities: neither goes out before both are there. */
static gm_status sample_and_score(gm_context *ctx, const gm_model *model, int64_t n,
                                  const gm_array *cond, const gm_options *opts, gm_array *x,
                                  double *logp)
{
    int64_t d = gm_model_column_count(model);
    double *cells;
    gm_array own;
    GM_TRY(gm__call_check(ctx, model, "sample with log densities", GM_CAN_LOG_PROB));
    if (n < 0)
        return gm__fail(ctx, GM_E_RANGE, "sample: n is %lld, must not be negative", (long long)n);
    GM_TRY(check_rows(ctx, "sample", x, n, model));
    GM_TRY(gm__answer_cells(ctx, "sample", n, d, &cells));
    gm_array_init(&own, GM_F64, cells, n, d);
    gm_status code = gm__sample(ctx, model, n, cond, opts, &own, NULL);
    for (int64_t i = 0; !code && x->dtype == GM_F32 && i < n * d; i++)
        cells[i] = (float)cells[i]; /* scored as they are given */
    if (!code)
        code = score(ctx, model, &own, cond, opts, logp);
    if (!code)
        gm__array_put(x, 0, n, d, cells);
    gm__free(&ctx->allocator, cells, (size_t)(n * d) * sizeof *cells);
    return code;
}

gm_status gm_model_sample(gm_context *ctx, const gm_model *model, int64_t n, const gm_array *cond,
                          const gm_options *opts, gm_array *x, double *logp)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = logp ? sample_and_score(ctx, model, n, cond, opts, x, logp)
                          : gm__sample(ctx, model, n, cond, opts, x, NULL);
    return gm__leave(ctx, &entry, code);
}

gm_status gm_model_sample_f64(gm_context *ctx, const gm_model *model, int64_t n,
                              const gm_array *cond, const gm_options *opts, double *x)
{
    gm_array a;
    gm_array_init(&a, GM_F64, x, n, gm_model_column_count(model));
    return gm_model_sample(ctx, model, n, cond, opts, &a, NULL);
}

gm_status gm_model_sample_f32(gm_context *ctx, const gm_model *model, int64_t n,
                              const gm_array *cond, const gm_options *opts, float *x)
{
    gm_array a;
    gm_array_init(&a, GM_F32, x, n, gm_model_column_count(model));
    return gm_model_sample(ctx, model, n, cond, opts, &a, NULL);
}

gm_status gm_model_sample_rows(gm_context *ctx, const gm_model *model, int64_t n,
                               const gm_array *cond, const gm_options *opts, gm_dataset **rows)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!rows)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "sample: rows is NULL"));
    *rows = NULL;
    return gm__leave(ctx, &entry, gm__sample(ctx, model, n, cond, opts, NULL, rows));
}
