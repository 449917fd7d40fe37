/* Kernel density estimates as a family: options, columns, fit, and the calls.
 *
 * Every column keeps its own measure: reals and circles have a density, whole numbers and
 * categories a probability. Tensors: "rows" (n, d), "bandwidth" (d), and where there are such
 * "weights" (n), "factors" (n) of an adaptive estimate and "matrix" (d, d). */
#include "density/kde_family.h"
#include "density/kde_choose.h"
#include "density/kde_part.h"
#include "base/size.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

static const gm_option_row options[] = {
    {"kernel", GM_STAGE_BUILD, GM_CHOICE, "gaussian",
     "gaussian|epanechnikov|tophat|exponential|linear|cosine|biweight|triweight|tricube", 1,
     "of real columns; circular ones have a von Mises kernel, whole numbers one of steps, "
     "categories one of equality"},
    {"radial", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "one kernel of the distance; else a product over columns"},
    {"bandwidth", GM_STAGE_FIT, GM_TEXT, "scott", "", 1,
     "scott, silverman, isj (one column), lscv or likelihood (cross-validation; of kernels but the "
     "Gaussian by their canonical factors), or a number for all real columns, or one for each with "
     "commas between; going on from a model keeps its bandwidths unless this is set"},
    {"matrix", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "a whole covariance matrix for a bandwidth, by scott, silverman, lscv or likelihood"},
    {"adaptive", GM_STAGE_BUILD, GM_BOOL, "false", "", 1,
     "bandwidths of rows by the density about them (Abramson 1982)"},
    {"boundary", GM_STAGE_BUILD, GM_CHOICE, "none", "none|reflect|beta", 1,
     "at walls: kernels are reflected, or beta kernels that end there"},
    {"walls", GM_STAGE_BUILD, GM_TEXT, "data", "", 1,
     "of real columns, as 0..1 or 0.. (.. is none), one for all or one for each with commas "
     "between; data: the range of the rows"},
    {"cv_rows", GM_STAGE_FIT, GM_INT, "2000", "3..100000", 1,
     "rows that a cross-validation looks at (of mixed columns 1000 at most), drawn by the seed"},
    {"transform", GM_STAGE_FIT, GM_CHOICE, "none", "standard|quantile|logit|none", 1,
     "how real columns are mapped first: bandwidths and walls are in units of what comes out"},
    {0},
};

static const gm_option_row log_prob_options[] = {
    {"rtol", GM_STAGE_CALL, GM_REAL, "1e-6", "0..0.5", 1,
     "relative error of the density that is allowed; 0: rounding alone"},
    {"atol", GM_STAGE_CALL, GM_REAL, "0", "0..", 1,
     "absolute error of the density, of the columns as they are fitted, that is allowed besides"},
    {0},
};

/* ---- Columns --------------------------------------------------------------------------------- */

static const double turn = 0x1.921fb54442d18p2;

/* The next entry of a list with commas between; its length. */
static int64_t entry_of(const char **at, const char **entry)
{
    const char *from = *at;
    while (*from == ' ')
        from++;
    int64_t n = (int64_t)strcspn(from, ",");
    *at = from + n + (from[n] == ',');
    *entry = from;
    while (n > 0 && from[n - 1] == ' ')
        n--;
    return n;
}

/* "lo..hi", either end missing. Returns 0 where it is none. */
static int parse_walls(const char *text, int64_t n, double *low, double *high)
{
    int64_t used = gm__read_real(text, n, low);
    /* "0..1": the number must not take the first point */
    if (used > 0 && text[used - 1] == '.' && used < n && text[used] == '.')
        used--;
    if (used == 0)
        *low = -INFINITY;
    if (n - used < 2 || text[used] != '.' || text[used + 1] != '.')
        return 0;
    used += 2;
    *high = INFINITY;
    if (used < n) {
        int64_t more = gm__read_real(text + used, n - used, high);
        used += more > 0 ? more : -n;
    }
    return used == n && *low < *high;
}

static gm_status set_walls(gm_context *ctx, const gm_frame *frame, int64_t width,
                           gm__kde_column *columns)
{
    const char *text = gm_frame_text(frame, "walls"), *at = text, *entry;
    int64_t boundary = gm_frame_int(frame, "boundary"), n = 0;
    int data = strcmp(text, "data") == 0;
    double low = 0, high = 0;
    for (int64_t j = 0; j < width && boundary; j++) {
        gm__kde_column *c = &columns[j];
        if (c->kind != GM__KDE_REAL)
            continue;
        if (data) {
            low = c->low;
            high = c->high;
        } else if (*at || n == 0) {
            int64_t length = entry_of(&at, &entry);
            if (!parse_walls(entry, length, &low, &high))
                return gm__fail(ctx, GM_E_RANGE,
                                "kde: option 'walls' has '%.*s', '0..1', '0..', '..1' or '..' was "
                                "expected, or 'data' in all",
                                (int)(length < 60 ? length : 60), entry);
            n++;
        } else if (n > 1) {
            return gm__fail(ctx, GM_E_RANGE,
                            "kde: option 'walls' has %lld entries, one for all or one for each "
                            "real column was expected",
                            (long long)n);
        }
        if (!(low > -INFINITY) && !(high < INFINITY))
            continue;
        if (boundary == 2 && !(low > -INFINITY && high < INFINITY))
            return gm__fail(ctx, GM_E_RANGE,
                            "kde: boundary=beta wants both walls of a column; reflect takes one");
        c->kind = boundary == 2 ? GM__KDE_BETA : GM__KDE_REFLECT;
        c->low = low;
        c->high = high;
    }
    if (boundary && !data && *at)
        return gm__fail(ctx, GM_E_RANGE, "kde: option 'walls' has more entries than real columns");
    return GM_OK;
}

/* Kinds, kernels and walls of the columns of x; a level is 0, 1 and so on. */
static gm_status set_columns(gm_context *ctx, const gm_frame *frame, int64_t width, gm_x_column *x,
                             gm__kde_column *columns)
{
    int32_t kernel = (int32_t)gm_frame_int(frame, "kernel");
    for (int64_t j = 0; j < width; j++) {
        gm__kde_column *c = &columns[j];
        x[j].struct_size = sizeof x[j];
        gm_frame_x_column(frame, j, &x[j]);
        *c = (gm__kde_column){GM__KDE_CATEGORY, kernel, 0, 0, x[j].high};
        if (x[j].kind == GM_X_REAL) {
            *c = (gm__kde_column){GM__KDE_REAL, kernel, 0, x[j].low, x[j].high};
        } else if (x[j].kind == GM_X_CIRCULAR) {
            *c = (gm__kde_column){GM__KDE_CIRCULAR, kernel, 0, 0, turn};
        } else if (x[j].kind == GM_X_BINARY) {
            c->high = 1;
        } else if (x[j].kind == GM_X_LEVELS) {
            double step = x[j].step > 0 ? x[j].step : 1;
            c->high = floor((x[j].high - x[j].low) / step + 0.5);
            c->kind = c->high > 0 ? GM__KDE_ORDERED : GM__KDE_CATEGORY;
        }
    }
    return set_walls(ctx, frame, width, columns);
}

static double level_step(const gm_x_column *x)
{
    return x->step > 0 ? x->step : 1;
}

void gm__kde_from_x(const gm__kde_state *s, const double *x, int64_t n, double *y)
{
    if (x != y)
        memcpy(y, x, (size_t)(n * s->width) * sizeof *y);
    for (int64_t j = 0; j < s->width; j++) {
        const gm_x_column *c = &s->columns[j];
        for (int64_t i = j; c->kind == GM_X_LEVELS && i < n * s->width; i += s->width)
            y[i] = floor((y[i] - c->low) / level_step(c) + 0.5);
    }
}

void gm__kde_to_x(const gm__kde_state *s, double *y, int64_t n)
{
    for (int64_t j = 0; j < s->width; j++) {
        const gm_x_column *c = &s->columns[j];
        for (int64_t i = j; c->kind == GM_X_LEVELS && i < n * s->width; i += s->width)
            y[i] = c->low + y[i] * level_step(c);
    }
}

/* ---- State ----------------------------------------------------------------------------------- */

static void close_state(void *state)
{
    gm__kde_state *s = state;
    if (!s)
        return;
    gm_allocator a = s->allocator;
    gm__kde_free(s->kde);
    gm__free(&a, s->columns, (size_t)s->width * sizeof *s->columns);
    gm__free(&a, s, sizeof *s);
}

static gm_status state_create(gm_context *ctx, int64_t width, gm__kde_state **state)
{
    gm__kde_state *s = gm__alloc(&ctx->allocator, sizeof *s);
    if (!s)
        return gm__no_memory(ctx);
    *s = (gm__kde_state){.allocator = ctx->allocator, .width = width};
    s->columns = gm__alloc_array(&ctx->allocator, width, sizeof *s->columns);
    if (!s->columns) {
        gm__free(&ctx->allocator, s, sizeof *s);
        return gm__no_memory(ctx);
    }
    *state = s;
    return GM_OK;
}

/* A tensor of (rows) or (rows, columns); NULL where there is none of that shape. */
static const double *tensor(const gm_tensors *t, const char *name, int64_t rows, int64_t columns)
{
    const int64_t *shape;
    int32_t ndim;
    const double *data = gm_tensors_get(t, name, &ndim, &shape);
    if (!data || ndim != (columns ? 2 : 1) || shape[0] != rows || (columns && shape[1] != columns))
        return NULL;
    return data;
}

static int64_t rows_of(const gm_tensors *t)
{
    const int64_t *shape;
    int32_t ndim;
    return gm_tensors_get(t, "rows", &ndim, &shape) && ndim == 2 ? shape[0] : 0;
}

static gm_status make_state(gm_context *ctx, const gm_frame *frame, const gm_tensors *t,
                            gm__kde_state *s, gm__kde_column *columns)
{
    int64_t n = rows_of(t), d = s->width;
    const double *x = tensor(t, "rows", n, d), *h = tensor(t, "bandwidth", d, 0);
    int adaptive = (int)gm_frame_int(frame, "adaptive"), whole = (int)gm_frame_int(frame, "matrix");
    gm__kde_config c = {.n = n,
                        .d = d,
                        .stride = d,
                        .x = x,
                        .weights = tensor(t, "weights", n, 0),
                        .factors = adaptive ? tensor(t, "factors", n, 0) : NULL,
                        .matrix = whole ? tensor(t, "matrix", d, d) : NULL,
                        .columns = columns,
                        .radial = (int32_t)gm_frame_int(frame, "radial")};
    if (n < 1 || !x || !h || (adaptive && !c.factors) || (whole && !c.matrix))
        return gm__fail(ctx, GM_E_FORMAT,
                        "kde: rows (n, %lld), bandwidth (%lld), and what the options ask for "
                        "besides were expected in the file",
                        (long long)d, (long long)d);
    GM_TRY(set_columns(ctx, frame, d, s->columns, columns));
    for (int64_t j = 0; j < d; j++)
        columns[j].bandwidth = h[j];
    return gm__kde_create(ctx, &c, &s->kde);
}

static gm_status open_state(gm_context *ctx, const gm_frame *frame, const gm_tensors *t,
                            void **state)
{
    int64_t d = gm_frame_width(frame);
    gm__kde_state *s;
    GM_TRY(state_create(ctx, d, &s));
    gm__kde_column *columns = gm__alloc_array(&ctx->allocator, d, sizeof *columns);
    gm_status code = columns ? make_state(ctx, frame, t, s, columns) : gm__no_memory(ctx);
    gm__free(&ctx->allocator, columns, (size_t)d * sizeof *columns);
    if (code)
        close_state(s);
    else
        *state = s;
    if (code == GM_E_DATA || code == GM_E_RANGE || code == GM_E_ARG) { /* the file's, here */
        char text[512];
        gm__format(text, sizeof text, "%s", ctx->error);
        code = gm__fail(ctx, GM_E_FORMAT, "%s", text);
    }
    return code;
}

/* ---- Fit ------------------------------------------------------------------------------------- */

enum { MOST_NUMBERS = 256 };

static gm_status read_choice(gm_context *ctx, const gm_frame *frame, double *numbers,
                             gm__kde_choice *o)
{
    static const char names[][12] = {"scott", "silverman", "isj", "lscv", "likelihood"};
    const char *text = gm_frame_text(frame, "bandwidth"), *entry;
    *o = (gm__kde_choice){.rule = GM__KDE_BY_NUMBERS,
                          .radial = (int32_t)gm_frame_int(frame, "radial"),
                          .numbers = numbers,
                          .most = gm_frame_int(frame, "cv_rows"),
                          .seed = gm_frame_seed(frame)};
    for (int i = 0; i < 5; i++)
        if (strcmp(text, names[i]) == 0) {
            o->rule = i;
            return GM_OK;
        }
    for (const char *at = text; *at || o->count == 0;) {
        int64_t n = entry_of(&at, &entry);
        double h = 0;
        if (n == 0 || gm__read_real(entry, n, &h) != n || !(h > 0 && h < INFINITY) ||
            o->count == MOST_NUMBERS)
            return gm__fail(ctx, GM_E_RANGE,
                            "kde: option 'bandwidth' is '%.60s', must be scott, silverman, isj, "
                            "lscv, likelihood, or numbers above 0 with commas between (at most %d)",
                            text, (int)MOST_NUMBERS);
        numbers[o->count++] = h;
    }
    return GM_OK;
}

/* The rows of a model to go on from, then those of the fit; weights where either has some. */
static gm_status add_rows(gm_context *ctx, const gm__kde_state *s, const gm_direct_rows *train,
                          const gm_tensors *start, gm_tensors *out)
{
    int64_t old = start ? rows_of(start) : 0, d = s->width, n;
    const double *x = start ? tensor(start, "rows", old, d) : NULL;
    const double *w = start ? tensor(start, "weights", old, 0) : NULL;
    double *rows, *weights;
    if (gm__add64(old, train->count, &n))
        return gm__no_memory(ctx);
    GM_TRY(gm_tensors_add(ctx, out, "rows", 2, (int64_t[]){n, d}, &rows));
    if (x)
        memcpy(rows, x, (size_t)(old * d) * sizeof *rows);
    gm__kde_from_x(s, train->x, train->count, rows + old * d);
    if (!w && !train->weight)
        return GM_OK;
    GM_TRY(gm_tensors_add(ctx, out, "weights", 1, &n, &weights));
    for (int64_t i = 0; i < n; i++)
        weights[i] = i < old ? (w ? w[i] : 1) : train->weight ? train->weight[i - old] : 1;
    return GM_OK;
}

static gm_status set_bandwidths(gm_context *ctx, const gm_frame *frame, const gm__kde_rows_of *rows,
                                const gm_tensors *start, gm__kde_column *columns, gm_tensors *out)
{
    int64_t d = rows->d;
    double numbers[MOST_NUMBERS], *h, *matrix = NULL;
    const double *old = start ? tensor(start, "bandwidth", d, 0) : NULL;
    const double *whole = start ? tensor(start, "matrix", d, d) : NULL;
    gm__kde_choice o;
    GM_TRY(gm_tensors_add(ctx, out, "bandwidth", 1, &d, &h));
    if (gm_frame_int(frame, "matrix"))
        GM_TRY(gm_tensors_add(ctx, out, "matrix", 2, (int64_t[]){d, d}, &matrix));
    if (old && (whole || !matrix) && !gm_frame_given(frame, "bandwidth")) {
        for (int64_t j = 0; j < d; j++)
            columns[j].bandwidth = old[j];
        if (matrix)
            memcpy(matrix, whole, (size_t)(d * d) * sizeof *matrix);
    } else {
        GM_TRY(read_choice(ctx, frame, numbers, &o));
        GM_TRY(gm__kde_choose(ctx, &o, rows, columns, matrix));
    }
    for (int64_t j = 0; j < d; j++)
        h[j] = columns[j].bandwidth;
    return GM_OK;
}

static gm_status check_rows(gm_context *ctx, const gm__kde_rows_of *rows,
                            const gm__kde_column *columns)
{
    for (int64_t j = 0; j < rows->d; j++)
        for (int64_t i = 0; i < rows->n; i++)
            if (!gm__kde_holds(&columns[j], rows->x[i * rows->stride + j]))
                return gm__fail(ctx, GM_E_DATA,
                                "kde: %g lies outside the walls of column %lld of x, %g and %g: "
                                "widen 'walls'",
                                rows->x[i * rows->stride + j], (long long)j + 1, columns[j].low,
                                columns[j].high);
    return GM_OK;
}

static gm_status set_factors(gm_context *ctx, const gm__kde_config *config,
                             const gm__kde_rows_of *rows, gm_tensors *out)
{
    double *factors;
    gm__kde *pilot;
    GM_TRY(gm_tensors_add(ctx, out, "factors", 1, &rows->n, &factors));
    GM_TRY(gm__kde_create(ctx, config, &pilot));
    gm_status code = gm__kde_abramson(ctx, pilot, rows, factors);
    gm__kde_free(pilot);
    return code;
}

static gm_status learn(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *train,
                       const gm_tensors *start, gm__kde_state *s, gm__kde_column *columns,
                       gm_tensors *out)
{
    int64_t d = s->width;
    const char *walls = gm_frame_text(frame, "walls");
    if (!gm_frame_int(frame, "boundary") && strcmp(walls, "data") != 0)
        return gm__fail(ctx, GM_E_ARG,
                        "kde: option 'walls' is '%.60s' but boundary=none has no walls: set "
                        "boundary=reflect or boundary=beta, or leave 'walls' out",
                        walls);
    GM_TRY(set_columns(ctx, frame, d, s->columns, columns));
    GM_TRY(add_rows(ctx, s, train, start, out));
    int64_t n = rows_of(out);
    gm__kde_rows_of rows = {tensor(out, "rows", n, d), n, d, d, tensor(out, "weights", n, 0)};
    GM_TRY(check_rows(ctx, &rows, columns));
    GM_TRY(set_bandwidths(ctx, frame, &rows, start, columns, out));
    if (!gm_frame_int(frame, "adaptive"))
        return GM_OK;
    gm__kde_config c = {.n = n,
                        .d = d,
                        .stride = d,
                        .x = rows.x,
                        .weights = rows.weights,
                        .columns = columns,
                        .matrix = tensor(out, "matrix", d, d),
                        .radial = (int32_t)gm_frame_int(frame, "radial")};
    return set_factors(ctx, &c, &rows, out);
}

static gm_status fit(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *train,
                     const gm_direct_rows *valid, const gm_tensors *start, gm_tensors *out)
{
    int64_t d = gm_frame_width(frame);
    gm__kde_state *s;
    (void)valid;
    GM_TRY(state_create(ctx, d, &s));
    gm__kde_column *columns = gm__alloc_array(&ctx->allocator, d, sizeof *columns);
    gm_status code =
        columns ? learn(ctx, frame, train, start, s, columns, out) : gm__no_memory(ctx);
    gm__free(&ctx->allocator, columns, (size_t)d * sizeof *columns);
    close_state(s);
    return code;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static int counts(const gm__kde_state *s)
{
    for (int64_t j = 0; j < s->width; j++)
        if (s->columns[j].kind == GM_X_LEVELS)
            return 1;
    return 0;
}

static gm_status log_prob(gm_context *ctx, const void *state, const gm_direct_call *call)
{
    const gm__kde_state *s = state;
    gm__kde_promise promise = {gm_frame_real(call->call, "rtol"),
                               gm_frame_real(call->call, "atol")};
    int64_t d = s->width, n = call->count;
    const double *x = call->x;
    double *own = NULL;
    size_t size = (size_t)(n * d) * sizeof *own;
    if (counts(s)) {
        own = gm__alloc_array(&ctx->allocator, n * d, sizeof *own);
        if (!own)
            return gm__no_memory(ctx);
        gm__kde_from_x(s, call->x, n, own);
        x = own;
    }
    gm_status code =
        gm__kde_log_density(ctx, s->kde, x, n, d, &promise, call->logp, call->lower, call->upper);
    if (!code && call->gradient)
        code = gm__kde_gradient(ctx, s->kde, x, n, call->gradient);
    gm__free(&ctx->allocator, own, own ? size : 0);
    return code;
}

static gm_status sample(gm_context *ctx, const void *state, const gm_direct_call *call)
{
    const gm__kde_state *s = state;
    GM_TRY(gm__kde_sample(ctx, s->kde, call->temperature, call->seed, call->step, call->first,
                          call->count, call->out));
    gm__kde_to_x(s, call->out, call->count);
    return GM_OK;
}

static gm_status complete(gm_context *ctx, const void *state, const gm_direct_call *call,
                          const int64_t *row, const unsigned char *known)
{
    const gm__kde_state *s = state;
    gm__kde_from_x(s, call->x, call->count, call->out);
    GM_TRY(gm__kde_sample_given(ctx, s->kde, known, call->out, call->seed, call->step, row,
                                call->count, call->out));
    gm__kde_to_x(s, call->out, call->count);
    return GM_OK;
}

static const gm_direct direct = {
    .struct_size = sizeof direct,
    .log_prob_options = log_prob_options,
    .fit = fit,
    .open = open_state,
    .close = close_state,
    .log_prob = log_prob,
    .sample = sample,
    .law = gm__kde_law,
    .complete = complete,
};

const gm_family gm__kde_family = {
    .struct_size = sizeof gm__kde_family,
    .version = 1,
    .name = "kde",
    .summary = "kernel density estimate: products or radial kernels over columns of every kind, "
               "with bounds of each answer",
    .options = options,
    .log_prob_kind = GM_EXACT,
    .flags = GM_FAMILY_DISCRETE | GM_FAMILY_CIRCULAR,
    .direct = &direct,
};
