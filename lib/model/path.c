/* The walks of a diffusion between data and noise: what they share, sampling, and codes.
 *
 * Along the probability flow (Song et al. 2021, eq. 13) dx/da = v(x, a), a the angle of Salimans
 * and Ho 2022: v = signal e - sigma x0, where x0 and e are the row and the noise that the network
 * sees in x = signal x0 + sigma e. */
#include "model/path.h"
#include "model/condition.h"
#include "base/random.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* ---- Places ---------------------------------------------------------------------------------- */

static gm__place place(gm_context *ctx, double level, double angle)
{
    return (gm__place){.level = level,
                       .angle = angle,
                       .signal = gm__map_one(ctx, GM__COS, angle),
                       .sigma = gm__map_one(ctx, GM__SIN, angle)};
}

gm__place gm__place_at_level(gm_context *ctx, const gm__structure *s, double level)
{
    double low = floor(level);
    int64_t k = (int64_t)low;
    if (k >= s->levels)
        return place(ctx, (double)s->levels, s->angle[s->levels]);
    return place(ctx, level, s->angle[k] + (level - low) * (s->angle[k + 1] - s->angle[k]));
}

gm__place gm__place_at_angle(gm_context *ctx, const gm__structure *s, double angle)
{
    int64_t low = 0, high = s->levels;
    if (angle >= s->angle[high])
        return place(ctx, (double)high, s->angle[high]);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        *(s->angle[middle] <= angle ? &low : &high) = middle;
    }
    double part = (angle - s->angle[low]) / (s->angle[high] - s->angle[low]);
    return place(ctx, (double)low + part, angle);
}

gm__place gm__path_place(gm_context *ctx, const gm__path *p, int64_t k, int64_t steps)
{
    double levels = (double)p->s->levels;
    return gm__place_at_level(ctx, p->s, levels * (double)(steps - k) / (double)steps);
}

/* ---- Making ---------------------------------------------------------------------------------- */

static void read_options(gm__path *p, gm__task task, const gm__values *values)
{
    enum { AUTO, EXACT, HUTCHINSON };
    if (task == GM__SAMPLE) {
        double part = 1 - gm__value_real(values, "stop");
        p->sampler = gm__value_int(values, "sampler");
        p->steps = gm__value_int(values, "sampler_steps");
        p->stop_at = (int64_t)floor(part * (double)p->steps + 1e-6);
        p->temperature = gm__value_real(values, "temperature");
        return;
    }
    p->steps = gm__value_int(values, "ode_steps");
    if (task == GM__LOG_PROB) {
        int64_t trace = gm__value_int(values, "trace");
        if (trace == HUTCHINSON || (trace == AUTO && p->s->width > 16))
            p->probes = gm__value_int(values, "probes");
        p->integrals = p->probes ? p->probes : 1;
        p->several = p->s->indices > 0 || gm__transform_random(p->s->transform);
    }
}

static gm_status get_programs(gm_context *ctx, const gm_model *model, gm__task task,
                              const gm__values *values, int64_t rows, gm__path *p)
{
    gm__real real = gm__call_real(model, values);
    int enters = task == GM__LOG_PROB || task == GM__ENCODE;
    GM_TRY(gm__program_get(ctx, model, task == GM__LOG_PROB ? GM__DIVERGENCE : GM__VELOCITY, real,
                           rows, &p->program));
    p->capacity = rows < p->program->capacity ? rows : p->program->capacity;
    if (enters && p->s->indices > 0)
        return gm__program_get(ctx, model, task == GM__LOG_PROB ? GM__ROW_DRAW : GM__ROW_MIDDLE,
                               real, rows, &p->front);
    return GM_OK;
}

/* Six sheets of rows, as many of their narrow forms as the network reads and gives, and what
 * densities need. */
static gm_status make_buffers(gm_context *ctx, gm__path *p)
{
    size_t n = (size_t)p->capacity, sheet, columns, parts;
    if (gm__mul_size(n * 8, (size_t)p->s->width, &sheet) || gm__mul_size(sheet, 10, &parts) ||
        gm__mul_size(n * 8, (size_t)(2 * p->integrals + 3), &columns))
        return gm__no_memory(ctx);
    p->bytes = parts + columns;
    if (p->bytes < parts || !(p->block = gm__alloc(&p->allocator, p->bytes ? p->bytes : 1)))
        return gm__no_memory(ctx);
    size_t cells = sheet / 8;
    p->x = p->block;
    p->start = p->x + cells;
    p->from = p->start + cells;
    p->v = p->from + cells;
    p->sum = p->v + cells;
    p->probe = p->sum + cells;
    p->narrow_x = p->probe + cells;
    p->narrow_v = (double *)p->narrow_x + cells;
    p->words = (uint32_t *)(void *)((double *)p->narrow_v + cells);
    p->one = p->probe + 5 * cells;
    p->coarse = p->one + n;
    p->front_log = p->coarse + n;
    p->turned = p->front_log + n;
    p->integral = p->turned + n * (size_t)p->integrals;
    return GM_OK;
}

gm_status gm__path_create(gm_context *ctx, const gm_model *model, gm__task task,
                          const gm__values *values, int64_t rows, gm__path *p)
{
    *p = (gm__path){.s = model->structure, .allocator = ctx->allocator};
    read_options(p, task, values);
    GM_TRY(get_programs(ctx, model, task, values, rows, p));
    return make_buffers(ctx, p);
}

void gm__path_free(gm__path *p)
{
    gm__free(&p->allocator, p->block, p->block ? (p->bytes ? p->bytes : 1) : 0);
    p->block = NULL;
}

/* ---- The network ----------------------------------------------------------------------------- */

/* Sets the inputs of a place; scalars are kept in `kept` in the program's precision. */
typedef struct gm__scalars {
    float narrow[3];
    double wide[3];
} gm__scalars;

static void set_input(const gm__program *program, const char *name, const void *value,
                      const void **inputs)
{
    int i = gm__plan_input(program->plan, name);
    if (i >= 0)
        inputs[i] = value;
}

static void set_place(const gm__program *program, const gm__place *at, gm__scalars *kept,
                      const void **inputs)
{
    static const char names[3][8] = {"level", "signal", "sigma"};
    const double values[3] = {at->level, at->signal, at->sigma};
    for (int i = 0; i < 3; i++) {
        kept->wide[i] = values[i];
        kept->narrow[i] = (float)values[i];
        set_input(program, names[i],
                  program->real == GM__F64 ? (void *)&kept->wide[i] : &kept->narrow[i], inputs);
    }
}

gm_status gm__path_given(gm_context *ctx, gm__path *p, gm__given *given, int64_t first, int64_t n)
{
    return gm__given_load(ctx, given, p->program->real, first, n, &p->given);
}

gm_status gm__path_velocity(gm_context *ctx, gm__path *p, const gm__place *at, const void *probe,
                            int64_t n, double *divergence)
{
    const gm__maps *maps = ctx->kernels->maps;
    const void *inputs[8] = {NULL};
    int f32 = p->program->real == GM__F32;
    void *outputs[2] = {f32 ? p->narrow_v : p->v, divergence};
    gm__scalars kept;
    int64_t cells = n * p->s->width;
    if (f32)
        maps->narrow(p->narrow_x, p->x, cells);
    set_place(p->program, at, &kept, inputs);
    set_input(p->program, "noised", f32 ? p->narrow_x : p->x, inputs);
    set_input(p->program, "probe", probe, inputs);
    set_input(p->program, "condition", p->given, inputs);
    gm__run run = {.batch = n, .params = p->program->params, .inputs = inputs, .outputs = outputs};
    GM_TRY(gm__plan_run(ctx, p->program->plan, &run));
    if (f32)
        maps->widen(p->v, p->narrow_v, cells);
    return GM_OK;
}

/* ---- Sampling -------------------------------------------------------------------------------- */

/* Noise number `step` of rows row0 on. */
static void draw(gm_context *ctx, gm__path *p, uint64_t seed, uint64_t step, int64_t row0,
                 int64_t n, double *to)
{
    gm__draw d = {
        .real = GM__F64, .seed = seed, .purpose = GM__FOR_PATH, .step = step, .row0 = row0};
    ctx->kernels->draws->normal(&d, to, n, p->s->width);
}

/* y = a x + b y */
static void mix(double *y, double a, const double *x, double b, int64_t cells)
{
    for (int64_t i = 0; i < cells; i++)
        y[i] = a * x[i] + b * y[i];
}

/* cos and sin of the angle between two places. */
static void turn(gm_context *ctx, const gm__place *t, const gm__place *s, double *c, double *d)
{
    gm__place between = place(ctx, 0, t->angle - s->angle);
    *c = between.signal;
    *d = between.sigma;
}

/* x_s = cos(t - s) x - sin(t - s) v: the row and the noise seen at t stay as they are, mixed anew
 * (Song et al. 2021, "Denoising diffusion implicit models", eq. 12 without noise; in this form
 * Salimans and Ho 2022, appendix D). */
static gm_status ddim(gm_context *ctx, gm__path *p, const gm__place *t, const gm__place *s,
                      int64_t n)
{
    double c, d;
    turn(ctx, t, s, &c, &d);
    GM_TRY(gm__path_velocity(ctx, p, t, NULL, n, NULL));
    mix(p->x, -d, p->v, c, n * p->s->width);
    return GM_OK;
}

/* A DDIM step, then again with the mean of the two velocities, that at s turned into the frame of
 * t; x itself is not averaged. Heun's method for the turning frame, as that of Karras et al. 2022,
 * algorithm 1, is for theirs. The last step stays of first order, as there: the network knows
 * nothing at level 0. */
static gm_status heun(gm_context *ctx, gm__path *p, const gm__place *t, const gm__place *s,
                      int64_t n)
{
    double c, d;
    int64_t cells = n * p->s->width;
    if (s->level <= 0)
        return ddim(ctx, p, t, s, n);
    memcpy(p->from, p->x, (size_t)cells * sizeof *p->x);
    GM_TRY(ddim(ctx, p, t, s, n));
    memcpy(p->sum, p->v, (size_t)cells * sizeof *p->v);
    turn(ctx, t, s, &c, &d);
    double *x = p->x, *v = p->v;
    GM_TRY(gm__path_velocity(ctx, p, s, NULL, n, NULL));
    /* at angle t the pair (x, v) seen at s stands as (c x + d v, c v - d x) */
    for (int64_t i = 0; i < cells; i++) {
        double v_mean = 0.5 * (p->sum[i] + (c * v[i] - d * x[i]));
        x[i] = c * p->from[i] - d * v_mean;
    }
    return GM_OK;
}

/* q(x_s | x_t, x0) with the row that is seen (Ho et al. 2020, eq. 7; between any two levels Kingma
 * et al. 2021, appendix A.2): with signal_ts = signal_t / signal_s and variance_ts = sigma_t^2 -
 * signal_ts^2 sigma_s^2,
 *
 *     mean = (signal_ts sigma_s^2 x + signal_s variance_ts x0) / sigma_t^2
 *     variance = variance_ts sigma_s^2 / sigma_t^2 */
static gm_status ancestral(gm_context *ctx, gm__path *p, const gm__place *t, const gm__place *s,
                           int64_t n, uint64_t seed, int64_t step, int64_t row0)
{
    int64_t cells = n * p->s->width;
    double whole = t->sigma * t->sigma, part = s->sigma * s->sigma;
    /* sin(t - s) sin(t + s) / cos(s)^2, where the difference would cancel */
    double variance = place(ctx, 0, t->angle - s->angle).sigma *
                      place(ctx, 0, t->angle + s->angle).sigma / (s->signal * s->signal);
    double of_x = t->signal / s->signal * part / whole, of_row = s->signal * variance / whole;
    double spread = sqrt(variance * part / whole) * p->temperature;
    GM_TRY(gm__path_velocity(ctx, p, t, NULL, n, NULL));
    /* x0 = signal x - sigma v */
    mix(p->x, -of_row * t->sigma, p->v, of_x + of_row * t->signal, cells);
    if (spread > 0) {
        draw(ctx, p, seed, (uint64_t)step, row0, n, p->from);
        mix(p->x, spread, p->from, 1, cells);
    }
    return GM_OK;
}

enum { HEUN, DDIM, ANCESTRAL };

gm_status gm__path_sample(gm_context *ctx, gm__path *p, uint64_t seed, int64_t row0, int64_t n)
{
    gm__place at = gm__path_place(ctx, p, 0, p->steps);
    draw(ctx, p, seed, 0, row0, n, p->x);
    mix(p->x, 0, p->x, p->temperature, n * p->s->width);
    for (int64_t k = 1; k <= p->stop_at; k++) {
        gm__place next = gm__path_place(ctx, p, k, p->steps);
        GM_TRY(gm__check_cancel(ctx));
        if (p->sampler == ANCESTRAL)
            GM_TRY(ancestral(ctx, p, &at, &next, n, seed, k, row0));
        else
            GM_TRY((p->sampler == HEUN ? heun : ddim)(ctx, p, &at, &next, n));
        at = next;
    }
    return GM_OK;
}
