/* The family `copula`: a Gaussian copula over any marginals. Code: the normal scores. */
#include "density/copula.h"
#include "base/random.h"
#include "kernels/linalg.h"

#include <math.h>
#include <string.h>

static const gm_option_row options[] = {
    {"marginals", GM_STAGE_FIT, GM_CHOICE, "empirical", "empirical|normal|mixture|kde", 1,
     "each real column by itself: quantiles with exponential tails, a normal distribution, a "
     "mixture of up to 8 chosen by BIC, or Gaussian kernels"},
    {"shrinkage", GM_STAGE_FIT, GM_REAL, "auto", "0..1|auto", 1,
     "how far correlations are drawn to 0, as a share; auto by what chance adds to them"},
    {0}};

/* ---- Opening --------------------------------------------------------------------------------- */

typedef struct gm__label_of {
    char text[40];
} gm__label_of;

static gm__label_of name_of(const char *what, int64_t j)
{
    gm__label_of n;
    gm__format(n.text, sizeof n.text, "%s.%lld", what, (long long)j);
    return n;
}

static double quantile(const gm__kernels *k, double below, double above)
{
    double z, p = below < above ? below : above;
    k->maps->map1[GM__F64][GM__NORMAL_QUANTILE](&z, &p, 1);
    return below < above ? z : -z;
}

/* Cuts and middles of category table j from its frequencies. */
static gm_status open_table(gm_context *ctx, const gm_tensors *t, gm__copula *c, int64_t j)
{
    int32_t ndim;
    const int64_t *shape;
    int64_t n = c->categories[j];
    const double *p = gm_tensors_get(t, name_of("frequency", j).text, &ndim, &shape);
    double below = 0, whole = 0;
    int sound = p && ndim == 1 && shape[0] == n;
    for (int64_t k = 0; sound && k < n; k++) {
        sound = p[k] > 0;
        whole += p[k];
    }
    if (!sound || !(fabs(whole - 1) < 1e-6))
        return gm__fail(ctx, GM_E_FORMAT, "copula: '%s' is missing, or holds no frequencies",
                        name_of("frequency", j).text);
    c->cut[j] = gm__arena_array(&c->arena, n + 1, sizeof(double));
    c->middle[j] = gm__arena_array(&c->arena, n, sizeof(double));
    if (!c->cut[j] || !c->middle[j])
        return gm__no_memory(ctx);
    c->cut[j][0] = -INFINITY;
    for (int64_t k = 0; k < n; k++) {
        double half = below + 0.5 * p[k];
        below += p[k];
        c->middle[j][k] = quantile(c->kernels, half / whole, (whole - half) / whole);
        double above = whole - below;
        c->cut[j][k + 1] = k == n - 1 || !(above > 0)
                               ? INFINITY
                               : quantile(c->kernels, below / whole, above / whole);
    }
    return GM_OK;
}

/* Columns of x: real ones first. */
static gm_status read_columns(gm_context *ctx, const gm_frame *frame, gm__copula *c)
{
    c->width = gm_frame_width(frame);
    c->marginal = gm__arena_array(&c->arena, c->width, sizeof *c->marginal);
    c->categories = gm__arena_array(&c->arena, c->width, sizeof *c->categories);
    c->cut = gm__arena_array(&c->arena, c->width, sizeof *c->cut);
    c->middle = gm__arena_array(&c->arena, c->width, sizeof *c->middle);
    if (!c->marginal || !c->categories || !c->cut || !c->middle)
        return gm__no_memory(ctx);
    for (int64_t j = 0; j < c->width; j++) {
        gm_x_column x = {.struct_size = sizeof x};
        gm_frame_x_column(frame, j, &x);
        if (x.kind == GM_X_CATEGORY)
            c->categories[c->tables++] = (int64_t)x.high + 1;
        else
            c->reals++;
    }
    return GM_OK;
}

static gm_status open_marginals(gm_context *ctx, const gm_frame *frame, const gm_tensors *t,
                                gm__copula *c)
{
    int32_t kind = (int32_t)gm_frame_int(frame, "marginals");
    GM_TRY(read_columns(ctx, frame, c));
    for (int64_t j = 0; j < c->reals; j++)
        GM_TRY(gm__marginal_open(ctx, kind, t, name_of("marginal", j).text, &c->arena,
                                 &c->marginal[j]));
    for (int64_t j = 0; j < c->tables; j++)
        GM_TRY(open_table(ctx, t, c, j));
    return GM_OK;
}

static gm_status open_correlation(gm_context *ctx, const gm_tensors *t, gm__copula *c)
{
    int32_t ndim;
    const int64_t *shape;
    int64_t d = c->width;
    const double *r = gm_tensors_get(t, "correlation", &ndim, &shape);
    int sound = r && ndim == 2 && shape[0] == d && shape[1] == d;
    if (sound) {
        c->factor = gm__arena_array(&c->arena, d * d, sizeof *c->factor);
        if (!c->factor)
            return gm__no_memory(ctx);
        memcpy(c->factor, r, (size_t)(d * d) * sizeof *r);
    }
    for (int64_t a = 0; sound && a < d; a++) {
        sound = fabs(r[a * d + a] - 1) < 1e-9;
        for (int64_t b = 0; sound && b < a; b++)
            sound = fabs(r[a * d + b]) < 1 && r[a * d + b] == r[b * d + a];
    }
    if (!sound || gm__cholesky(c->factor, d))
        return gm__fail(ctx, GM_E_FORMAT,
                        "copula: 'correlation' is missing, or no matrix of correlations");
    for (int64_t j = 0; j < c->reals; j++) {
        double y;
        c->kernels->maps->map1[GM__F64][GM__LOG](&y, &c->factor[j * d + j], 1);
        c->log_det += y;
    }
    return GM_OK;
}

static gm_status create(gm_context *ctx, gm__copula **c)
{
    gm__arena arena = {.allocator = ctx->allocator};
    *c = gm__arena_alloc(&arena, sizeof **c);
    if (!*c)
        return gm__no_memory(ctx);
    **c = (gm__copula){.arena = arena, .kernels = ctx->kernels};
    return GM_OK;
}

static void close(void *state)
{
    gm__copula *c = state;
    gm__arena arena = c->arena; /* which holds c too */
    gm__arena_clear(&arena);
}

static gm_status open(gm_context *ctx, const gm_frame *frame, const gm_tensors *t, void **state)
{
    gm__copula *c;
    GM_TRY(create(ctx, &c));
    gm_status code = open_marginals(ctx, frame, t, c);
    if (!code)
        code = open_correlation(ctx, t, c);
    if (code)
        close(c);
    else
        *state = c;
    return code;
}

/* ---- Fit ------------------------------------------------------------------------------------- */

/* Frequencies of category column `at` of x, half a row more of each. */
static gm_status fit_table(gm_context *ctx, const gm_direct_rows *rows, int64_t at, int64_t n,
                           const char *name, gm_tensors *out)
{
    double *p, whole = 0.5 * (double)n;
    GM_TRY(gm_tensors_add(ctx, out, name, 1, &n, &p));
    for (int64_t k = 0; k < n; k++)
        p[k] = 0.5;
    for (int64_t i = 0; i < rows->count; i++) {
        double w = rows->weight ? rows->weight[i] : 1;
        p[(int64_t)rows->x[i * rows->width + at]] += w;
        whole += w;
    }
    for (int64_t k = 0; k < n; k++)
        p[k] /= whole;
    return GM_OK;
}

/* column: scratch (rows). */
static gm_status fit_columns(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *rows,
                             double *column, gm_tensors *out)
{
    int32_t kind = (int32_t)gm_frame_int(frame, "marginals");
    int64_t reals = 0, tables = 0;
    for (int64_t j = 0; j < rows->width; j++) {
        gm_x_column x = {.struct_size = sizeof x};
        GM_TRY(gm__check_cancel(ctx));
        gm_frame_x_column(frame, j, &x);
        if (x.kind == GM_X_CATEGORY) {
            GM_TRY(fit_table(ctx, rows, j, (int64_t)x.high + 1, name_of("frequency", tables++).text,
                             out));
            continue;
        }
        for (int64_t i = 0; i < rows->count; i++)
            column[i] = rows->x[i * rows->width + j];
        GM_TRY(gm__marginal_fit(ctx, kind, gm_frame_seed(frame), column, rows->weight, rows->count,
                                out, name_of("marginal", reals++).text));
    }
    return GM_OK;
}

static gm_status fit_correlation(gm_context *ctx, const gm_frame *frame, const gm__copula *c,
                                 const gm_direct_rows *rows, double *z, gm_tensors *out)
{
    const int64_t shape[2] = {c->width, c->width};
    double *r;
    gm__scored scored = {.n = rows->count,
                         .reals = c->reals,
                         .tables = c->tables,
                         .width = c->width,
                         .stride = rows->width,
                         .z = z,
                         .x = rows->x,
                         .weight = rows->weight,
                         .cut = c->cut,
                         .shrinkage = gm_frame_real(frame, "shrinkage"),
                         .seed = gm_frame_seed(frame)};
    for (int64_t i = 0; i < rows->count; i++) {
        if (i % 256 == 0)
            GM_TRY(gm__check_cancel(ctx));
        gm__copula_scores(c, rows->x + i * rows->width, z + i * c->width);
    }
    GM_TRY(gm_tensors_add(ctx, out, "correlation", 2, shape, &r));
    return gm__copula_correlation(ctx, &scored, r);
}

static gm_status fit(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *train,
                     const gm_direct_rows *valid, const gm_tensors *start, gm_tensors *out)
{
    gm__copula *c = NULL;
    gm__arena arena = {.allocator = ctx->allocator};
    if (start)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "copula: there is nothing to go on from: a fit counts all of its rows and "
                        "keeps none; fit it anew to old and new rows together");
    double *z = gm__arena_array(&arena, train->count * train->width, sizeof *z);
    (void)valid;
    gm_status code = z ? fit_columns(ctx, frame, train, z, out) : gm__no_memory(ctx);
    if (!code)
        code = create(ctx, &c);
    if (!code)
        code = open_marginals(ctx, frame, out, c);
    if (!code)
        code = fit_correlation(ctx, frame, c, train, z, out);
    if (c)
        close(c);
    gm__arena_clear(&arena);
    return code;
}

/* ---- Draws and codes ------------------------------------------------------------------------- */

typedef struct gm__made {
    const gm__copula *c;
    const gm_direct_call *call;
    void (*row)(const gm__copula *c, const gm_direct_call *call, int64_t i, double *scratch);
    double *scratch; /* (parts, 2 width) */
    int64_t parts, first, end;
} gm__made;

static void draw_row(const gm__copula *c, const gm_direct_call *call, int64_t i, double *scratch)
{
    double *e = scratch, *z = scratch + c->width;
    gm__draw draw = {GM__F64, call->seed, GM__FOR_SAMPLE, call->step, call->first + i};
    c->kernels->draws->normal(&draw, e, 1, c->width);
    gm__multiply_lower(c->factor, c->width, e, z);
    for (int64_t j = 0; j < c->width; j++)
        z[j] *= call->temperature;
    gm__copula_values(c, z, call->out + i * c->width);
}

static void encode_row(const gm__copula *c, const gm_direct_call *call, int64_t i, double *scratch)
{
    (void)scratch;
    gm__copula_scores(c, call->x + i * c->width, call->out + i * c->width);
}

static void decode_row(const gm__copula *c, const gm_direct_call *call, int64_t i, double *scratch)
{
    (void)scratch;
    gm__copula_values(c, call->x + i * c->width, call->out + i * c->width);
}

static void make_part(void *arg, int32_t part)
{
    const gm__made *m = arg;
    for (int64_t i = m->first + part; i < m->end; i += m->parts)
        m->row(m->c, m->call, i, m->scratch + part * 2 * m->c->width);
}

static gm_status make(gm_context *ctx, gm__made m)
{
    m.parts = ctx->team.parts > 0 ? ctx->team.parts : 1;
    int64_t size = m.parts * 2 * m.c->width, slab = m.parts * 64;
    m.scratch = gm__alloc_array(&ctx->allocator, size, sizeof *m.scratch);
    gm_status code = m.scratch ? GM_OK : gm__no_memory(ctx);
    for (m.first = 0; m.first < m.call->count && !code; m.first += slab) {
        m.end = m.call->count - m.first < slab ? m.call->count : m.first + slab;
        code = gm__check_cancel(ctx);
        if (!code)
            gm__team_run(&ctx->team, (int32_t)m.parts, make_part, &m);
    }
    gm__free(&ctx->allocator, m.scratch, m.scratch ? (size_t)size * sizeof *m.scratch : 0);
    return code;
}

static gm_status sample(gm_context *ctx, const void *state, const gm_direct_call *call)
{
    return make(ctx, (gm__made){.c = state, .call = call, .row = draw_row});
}

static gm_status encode(gm_context *ctx, const void *state, const gm_direct_call *call)
{
    return make(ctx, (gm__made){.c = state, .call = call, .row = encode_row});
}

static gm_status decode(gm_context *ctx, const void *state, const gm_direct_call *call)
{
    return make(ctx, (gm__made){.c = state, .call = call, .row = decode_row});
}

static const gm_direct direct = {.struct_size = sizeof direct,
                                 .fit = fit,
                                 .open = open,
                                 .close = close,
                                 .log_prob = gm__copula_log_prob,
                                 .sample = sample,
                                 .encode = encode,
                                 .decode = decode,
                                 .law = gm__copula_law};

const gm_family gm__copula_family = {.struct_size = sizeof gm__copula_family,
                                     .version = 1,
                                     .name = "copula",
                                     .summary = "Gaussian copula over any marginals",
                                     .options = options,
                                     .log_prob_kind = GM_EXACT,
                                     .flags = GM_FAMILY_DRAWS,
                                     .direct = &direct};
