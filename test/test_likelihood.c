/* Observation models against direct formulas, sums over all values, differences and counts of
 * draws. */
#include "graph_tools.h"
#include "nn/nn.h"

#define PI 3.14159265358979323846

/* ---- Columns --------------------------------------------------------------------------------- */

#define SIZE sizeof(gm_x_column)
/* Every kind, and none of them in one piece. */
static const gm_x_column mixed[] = {
    {SIZE, GM_X_REAL, 1, 0, 0, 0},
    {SIZE, GM_X_LEVELS, 1, -1, 1, 0.5},
    {SIZE, GM_X_BINARY, 1, 0, 1, 1},
    {SIZE, GM_X_REAL, 1, 0, 0, 0},
    {SIZE, GM_X_LEVELS, 1, 0.25, 0.25, 1}, /* one level */
    {SIZE, GM_X_CATEGORY, 3, 0, 0, 0},
    {0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0},
    {SIZE, GM_X_BINARY, 1, 0, 1, 1},
    {SIZE, GM_X_LEVELS, 1, -1.5, 4.875, 0.025},
    {SIZE, GM_X_CATEGORY, 2, 0, 0, 0},
    {0, 0, 0, 0, 0, 0},
};
#define MIXED 12
/* Where raw holds a column's logit or mean: reals, levels, binary columns, categories. */
static const int place[MIXED] = {0, 2, 5, 1, 3, 7, 8, 9, 6, 4, 10, 11};
/* and, behind the 12, its spread */
static const int spread_place[MIXED] = {0, 2, -1, 1, 3, -1, -1, -1, -1, 4, -1, -1};

static const gm_x_column one_real[] = {{SIZE, GM_X_REAL, 1, 0, 0, 0}};
static const gm_x_column one_binary[] = {{SIZE, GM_X_BINARY, 1, 0, 1, 1}};
static const gm_x_column pixels[] = {{SIZE, GM_X_LEVELS, 1, -1.5, 4.875, 0.025}};
static const gm_x_column coarse[] = {{SIZE, GM_X_LEVELS, 1, -300, 300, 100}};
static const gm_x_column fine[] = {{SIZE, GM_X_LEVELS, 1, 0, 0.001, 1e-6}};
static const gm_x_column kinds[] = {
    {SIZE, GM_X_CATEGORY, 5, 0, 0, 0}, {0}, {0}, {0}, {0},
};

static gm_likelihood model(int32_t spread, double deviation)
{
    return (gm_likelihood){.struct_size = sizeof(gm_likelihood),
                           .spread = spread,
                           .deviation = deviation,
                           .name = "p"};
}

static void see(rig *r, const gm_x_column *columns, int64_t width)
{
    gm__builder_purpose(r->b)->columns = columns;
    gm__builder_purpose(r->b)->width = width;
}

static gm_node *rows_input(rig *r, const char *name, int64_t width)
{
    return shaped_input(r->b, name, 2, GM_BATCH, width, 0);
}

/* Runs nodes on raw (batch, .) and x (batch, .); results as doubles. */
typedef struct asked {
    gm__real real;
    int64_t batch, row0;
    uint64_t step;
    const double *raw, *x, *params;
} asked;
static void answer(rig *r, gm_node *const *nodes, int count, const asked *a, double *const *out)
{
    void *results[8], *params = NULL;
    int64_t raw = 0, x = 0, size = r->layout.size;
    for (int32_t i = 0; i < r->b->count; i++) {
        const gm_node *n = r->b->nodes[i];
        if (n->attr.data && strcmp(n->attr.data, "raw") == 0)
            raw = gm_node_dim(n, -1);
        if (n->attr.data && strcmp(n->attr.data, "x") == 0)
            x = gm_node_dim(n, -1);
    }
    gm__plan *plan = make_plan(r->ctx, r->b, nodes, count, a->real, a->batch);
    feed f[2] = {{.name = "raw", .values = a->raw, .count = a->batch * raw},
                 {.name = "x", .values = a->x, .count = a->x ? a->batch * x : 0}};
    double *wide = calloc((size_t)size + 1, sizeof *wide);
    float *narrow = calloc((size_t)size + 1, sizeof *narrow);
    for (int64_t i = 0; a->params && i < size; i++)
        narrow[i] = (float)(wide[i] = a->params[i]);
    params = a->real == GM__F64 ? (void *)wide : narrow;
    for (int i = 0; i < count; i++)
        results[i] = calloc((size_t)count_of(nodes[i], a->batch) + 1, sizeof(double));
    setting s = {.batch = a->batch,
                 .real = a->real,
                 .seed = 3,
                 .step = a->step,
                 .row0 = a->row0,
                 .params = params};
    run_fed(r->ctx, plan, &s, f, a->x ? 2 : 1, results);
    for (int i = 0; i < count; i++) {
        int single = a->real == GM__F32 && nodes[i]->type == GM_REAL_NODE;
        for (int64_t k = 0; k < count_of(nodes[i], a->batch); k++)
            out[i][k] = single ? ((float *)results[i])[k] : ((double *)results[i])[k];
        free(results[i]);
    }
    free(wide);
    free(narrow);
    gm__plan_free(plan);
}

/* log p of n rows of one column set under one raw row each. */
static void log_probs(const gm_x_column *columns, int64_t width, const gm_likelihood *l,
                      const asked *a, double *out)
{
    rig r;
    rig_begin(&r);
    see(&r, columns, width);
    int64_t raw_width = gm_likelihood_width(r.b, l);
    gm_node *raw = rows_input(&r, "raw", raw_width), *x = rows_input(&r, "x", width);
    gm_node *logp = gm_likelihood_log_prob(r.b, l, raw, x);
    test_ok(r.ctx, gm__builder_check(r.ctx, r.b));
    ck_assert_int_eq(logp->type, GM_WIDE_NODE);
    answer(&r, &logp, 1, a, &out);
    rig_end(&r);
}

/* ---- Direct formulas ------------------------------------------------------------------------- */

static double sigmoid(double x)
{
    return x > 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double log_normal(double x, double mean, double deviation)
{
    double z = (x - mean) / deviation;
    return -0.5 * z * z - log(deviation) - 0.5 * log(2 * PI);
}

/* By its definition: a difference of two sigmoids, each tail to its end; on the side where they are
 * small. */
static double level_mass(const gm_x_column *c, double x, double mean, double scale)
{
    double up = x + c->step / 4 > c->high ? INFINITY : (x + c->step / 2 - mean) / scale;
    double down = x - c->step / 4 < c->low ? -INFINITY : (x - c->step / 2 - mean) / scale;
    return x > mean ? sigmoid(-down) - sigmoid(-up) : sigmoid(up) - sigmoid(down);
}

static double log_softmax(const double *logits, int64_t n, int64_t which)
{
    double most = logits[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        most = fmax(most, logits[i]);
    for (int64_t i = 0; i < n; i++)
        sum += exp(logits[i] - most);
    return logits[which] - most - log(sum);
}

/* What the library says a deviation is. */
static double deviation_of(const gm_x_column *c, double start, double r)
{
    if (c->kind == GM_X_REAL)
        return start * (1e-3 + exp(r));
    double floor = fmax(0.04 * c->step, 1e-4 * start);
    return floor + fmax(start, floor) * exp(r);
}

static double log_row(const double *raw, const double *x, const double *deviation)
{
    double sum = 0;
    for (int j = 0; j < MIXED; j++) {
        const gm_x_column *c = &mixed[j];
        double at = raw[place[j]];
        if (c->kind == GM_X_REAL)
            sum += log_normal(x[j], at, deviation[j]);
        if (c->kind == GM_X_LEVELS)
            sum += log(level_mass(c, x[j], at, deviation[j] * sqrt(3) / PI));
        if (c->kind == GM_X_BINARY)
            sum += log(sigmoid(x[j] > 0 ? at : -at));
        for (int k = 0; c->kind == GM_X_CATEGORY && k < c->width; k++)
            if (x[j + k] == 1)
                sum += log_softmax(raw + place[j], c->width, k);
    }
    return sum;
}

static void draw_case(uint64_t *state, int64_t batch, double *raw, int64_t width, double *x)
{
    fill_uniform(state, raw, batch * width, -1.5, 1.5);
    for (int64_t i = 0; i < batch; i++)
        for (int j = 0; j < MIXED; j++) {
            const gm_x_column *c = &mixed[j];
            double *cell = x + i * MIXED + j;
            double u = test_uniform(state, 0, 1);
            if (c->kind == GM_X_REAL)
                *cell = 4 * u - 2;
            if (c->kind == GM_X_LEVELS)
                *cell =
                    c->low + c->step * floor(u * ((c->high - c->low) / c->step + 1 - 1e-9) + 1e-9);
            if (c->kind == GM_X_BINARY)
                *cell = u > 0.4;
            for (int k = 0; c->kind == GM_X_CATEGORY && k < c->width; k++)
                cell[k] = k == (int)(u * (double)c->width);
        }
}

#define BATCH 40
static const int32_t spreads[] = {GM_SPREAD_COLUMN, GM_SPREAD_SHARED, GM_SPREAD_NETWORK,
                                  GM_SPREAD_FIXED};

START_TEST(log_prob_of_every_kind)
{
    static double raw[BATCH * 17], x[BATCH * MIXED], got[BATCH];
    uint64_t state = 8;
    int32_t spread = spreads[_i % 4];
    double start = _i < 4 ? 1 : 0.3, params[16] = {0.3, -0.4, 0.1, 0.2, -0.6};
    gm_likelihood l = model(spread, start);
    int64_t width = spread == GM_SPREAD_NETWORK ? 17 : 12;
    draw_case(&state, BATCH, raw, width, x);
    for (int real = GM__F32; real <= GM__F64; real++) {
        asked a = {.real = (gm__real)real, .batch = BATCH, .raw = raw, .x = x, .params = params};
        log_probs(mixed, MIXED, &l, &a, got);
        for (int i = 0; i < BATCH; i++) {
            double deviation[MIXED];
            for (int j = 0; j < MIXED; j++) {
                int at = spread_place[j];
                double r = at < 0                        ? 0
                           : spread == GM_SPREAD_NETWORK ? raw[i * 17 + 12 + at]
                           : spread == GM_SPREAD_SHARED  ? params[0]
                                                         : params[at];
                deviation[j] =
                    spread == GM_SPREAD_FIXED ? start : deviation_of(&mixed[j], start, r);
            }
            double want = log_row(raw + i * width, x + i * MIXED, deviation);
            must_msg(test_close(got[i], want, real == GM__F64 ? 1e-12 : 1e-5, 0),
                     "row %d: %.15g, not %.15g", i, got[i], want);
        }
    }
}
END_TEST

/* ---- Sums ------------------------------------------------------------------------------------ */

static const struct {
    const gm_x_column *column;
    int64_t values;
    double raw[2];
} sums[] = {
    {pixels, 256, {0.3, -1}},   {pixels, 256, {0.3, -1e4}},  {pixels, 256, {0.31, 5}},
    {pixels, 256, {1e4, 0}},    {pixels, 256, {-1e4, -1e4}}, {pixels, 256, {-1e4, 1e4}},
    {pixels, 256, {4.8, -4}},   {coarse, 7, {20, 0}},        {coarse, 7, {-149, -1e4}},
    {coarse, 7, {1e30, 3}},     {fine, 1001, {0.0003, -8}},  {fine, 1001, {0.0003, -1e4}},
    {fine, 1001, {0.0003, 4}},  {one_binary, 2, {0.7, 0}},   {one_binary, 2, {-1e4, 0}},
    {one_binary, 2, {3e38, 0}}, {one_binary, 2, {-40, 0}},
};
#define SUMS ((int)(sizeof sums / sizeof sums[0]))

START_TEST(levels_sum_to_one)
{
    static double raw[2 * 1001], x[1001], logp[1001];
    gm_likelihood l = model(GM_SPREAD_NETWORK, 1);
    const gm_x_column *c = sums[_i].column;
    int64_t n = sums[_i].values, width = c->kind == GM_X_LEVELS ? 2 : 1;
    for (int64_t i = 0; i < n; i++) {
        x[i] = c->low + c->step * (double)i;
        for (int64_t k = 0; k < width; k++)
            raw[i * width + k] = sums[_i].raw[k];
    }
    for (int real = GM__F32; real <= GM__F64; real++) {
        asked a = {.real = (gm__real)real, .batch = n, .raw = raw, .x = x};
        double sum = 0;
        log_probs(c, 1, &l, &a, logp);
        for (int64_t i = 0; i < n; i++) {
            ck_assert_msg(isfinite(logp[i]) && logp[i] <= 0, "level %d: log p %g", (int)i, logp[i]);
            sum += exp(logp[i]);
        }
        /* in single precision fine levels lie between few floats of x */
        double off = real == GM__F64 ? 1e-9 : c == fine ? 0.02 : 1e-4;
        ck_assert_msg(fabs(sum - 1) < off, "%s precision: a sum of %.12g",
                      real == GM__F64 ? "double" : "single", sum);
    }
}
END_TEST

START_TEST(categories_sum_to_one)
{
    static const double logits[][5] = {
        {0.3, -1, 2, 0, 1}, {1e4, -1e4, 0, 1, 2}, {-1e4, -1e4, -1e4, -1e4, -1e4}, {3e38, 0, -3e38}};
    double raw[25], x[25] = {0}, logp[5];
    gm_likelihood l = model(GM_SPREAD_FIXED, 1);
    for (int i = 0; i < 5; i++) {
        memcpy(raw + 5 * i, logits[_i], sizeof logits[0]);
        x[6 * i] = 1;
    }
    for (int real = GM__F32; real <= GM__F64; real++) {
        asked a = {.real = (gm__real)real, .batch = 5, .raw = raw, .x = x};
        double sum = 0;
        log_probs(kinds, 5, &l, &a, logp);
        for (int i = 0; i < 5; i++) {
            ck_assert_msg(logp[i] <= 0, "category %d: log p %g", i, logp[i]);
            sum += exp(logp[i]);
        }
        ck_assert_msg(fabs(sum - 1) < (real == GM__F64 ? 1e-14 : 1e-6), "a sum of %.12g", sum);
    }
}
END_TEST

/* ---- Gradients ------------------------------------------------------------------------------- */

/* log p of one row, summed, and its gradients in raw, x and the parameter. */
static int gradient_nodes(rig *r, const gm_likelihood *l, gm_node *out[4])
{
    see(r, mixed, MIXED);
    gm_node *wrt[3] = {rows_input(r, "raw", gm_likelihood_width(r->b, l)),
                       rows_input(r, "x", MIXED), NULL};
    out[0] = gm_likelihood_log_prob(r->b, l, wrt[0], wrt[1]);
    int count = gm__layout_find(&r->layout, "p.log_deviation") ? 3 : 2;
    if (count == 3)
        wrt[2] = gm__builder_param(r->b, 0, NULL);
    gm_gradient(r->b, out[0], count, wrt, out + 1);
    test_ok(r->ctx, gm__builder_check(r->ctx, r->b));
    return count + 1;
}

START_TEST(gradient_by_differences)
{
    const double h = 1e-6;
    double raw[17], x[MIXED], params[16] = {0.3, -0.4, 0.1, 0.2, -0.6}, value, unused[3][17];
    double draw[17], dx[MIXED], dparam[16] = {0};
    uint64_t state = 21;
    gm_likelihood l = model(spreads[_i], 0.8);
    rig r;
    rig_begin(&r);
    gm_node *nodes[4];
    int count = gradient_nodes(&r, &l, nodes);
    int64_t width = gm_likelihood_width(r.b, &l);
    draw_case(&state, 1, raw, width, x);
    asked a = {.real = GM__F64, .batch = 1, .raw = raw, .x = x, .params = params};
    answer(&r, nodes, count, &a, (double *[]){&value, draw, dx, dparam});
    struct {
        double *at, *gradient;
        int64_t n;
    } parts[3] = {{raw, draw, width}, {params, dparam, count == 4 ? r.layout.slots[0].count : 0}};
    for (int p = 0; p < 2; p++)
        for (int64_t i = 0; i < parts[p].n; i++) {
            double before = parts[p].at[i], up, down;
            parts[p].at[i] = before + h;
            answer(&r, nodes, count, &a, (double *[]){&up, unused[0], unused[1], unused[2]});
            parts[p].at[i] = before - h;
            answer(&r, nodes, count, &a, (double *[]){&down, unused[0], unused[1], unused[2]});
            parts[p].at[i] = before;
            double want = (up - down) / (2 * h);
            must_msg(test_close(parts[p].gradient[i], want, 1e-6, 1e-7), "%d of %d: %g, not %g",
                     (int)i, p, parts[p].gradient[i], want);
        }
    /* reals move against their means */
    must(test_close(dx[0], -draw[0], 1e-12, 0) && test_close(dx[3], -draw[1], 1e-12, 0));
    rig_end(&r);
}
END_TEST

/* Far means, deviations at either end, far rows: finite in single precision. */
START_TEST(extremes_stay_finite)
{
    static const double far[] = {-1e30, -1e4, -90, 0, 90, 1e4, 1e30};
    enum { N = 7 * 7 * 3 };
    static double raw[N * 17], x[N * MIXED], logp[N], draw[N * 17], dx[N * MIXED];
    double dparam[16], params[16] = {1e4, -1e4, 1e4, -1e4, 1e30};
    uint64_t state = 5;
    gm_likelihood l = model(spreads[_i], 1);
    rig r;
    rig_begin(&r);
    gm_node *nodes[4];
    int count = gradient_nodes(&r, &l, nodes);
    int64_t width = gm_likelihood_width(r.b, &l);
    draw_case(&state, N, raw, width, x);
    for (int i = 0; i < N; i++) {
        for (int64_t k = 0; k < width; k++)
            raw[i * width + k] = far[k < 12 ? i % 7 : i / 7 % 7];
        raw[i * width + 8] = far[i / 49 * 3];
        x[i * MIXED] = far[i / 49 * 3];
    }
    asked a = {.real = GM__F32, .batch = N, .raw = raw, .x = x, .params = params};
    answer(&r, nodes, count, &a, (double *[]){logp, draw, dx, dparam});
    for (int i = 0; i < N; i++)
        must_msg(isfinite(logp[i]), "row %d: log p %g", i, logp[i]);
    for (int64_t i = 0; i < N * width; i++)
        must_msg(isfinite(draw[i]), "row %d, raw %d: gradient %g", (int)(i / width),
                 (int)(i % width), draw[i]);
    for (int i = 0; i < N * MIXED; i++)
        must_msg(isfinite(dx[i]), "row %d, x %d: gradient %g", i / MIXED, i % MIXED, dx[i]);
    for (int i = 0; count == 4 && i < r.layout.slots[0].count; i++)
        must_msg(isfinite(dparam[i]), "parameter %d: gradient %g", i, dparam[i]);
    rig_end(&r);
}
END_TEST

/* However far the parameter goes, the density of a real column stays under that of the floor. */
START_TEST(floor_of_the_deviation)
{
    double x = 0.7, raw = 0.7, logp;
    for (int i = 0; i < 3; i++) {
        double params[16] = {i == 0 ? -1e4 : i == 1 ? -20 : -5}, start = 0.5;
        gm_likelihood l = model(i == 1 ? GM_SPREAD_SHARED : GM_SPREAD_COLUMN, start);
        asked a = {.real = GM__F64, .batch = 1, .raw = &raw, .x = &x, .params = params};
        log_probs(one_real, 1, &l, &a, &logp);
        double want = log_normal(0, 0, deviation_of(one_real, start, params[0]));
        ck_assert_msg(fabs(logp - want) < 1e-9, "%g, not %g", logp, want);
    }
}
END_TEST

/* A deviation that is given is not held below the floor either. */
START_TEST(floor_of_a_fixed_deviation)
{
    double x = 100, raw = 20, logp;
    for (int i = 0; i < 3; i++) {
        double given = i == 0 ? 1e-6 : i == 1 ? 3.9 : 4.1;
        gm_likelihood l = model(GM_SPREAD_FIXED, given);
        asked a = {.real = GM__F64, .batch = 1, .raw = &raw, .x = &x};
        log_probs(coarse, 1, &l, &a, &logp);
        double want = log(level_mass(coarse, x, raw, fmax(given, 0.04 * 100) * sqrt(3) / PI));
        ck_assert_msg(fabs(logp - want) < 1e-9, "%g, not %g", logp, want);
    }
}
END_TEST

/* ---- Means and draws ------------------------------------------------------------------------- */

START_TEST(means)
{
    static double raw[BATCH * 17], x[BATCH * MIXED], got[BATCH * MIXED];
    uint64_t state = 4;
    gm_likelihood l = model(GM_SPREAD_NETWORK, 1);
    rig r;
    rig_begin(&r);
    see(&r, mixed, MIXED);
    gm_node *mean = gm_likelihood_mean(r.b, &l, rows_input(&r, "raw", 17));
    draw_case(&state, BATCH, raw, 17, x);
    asked a = {.real = GM__F64, .batch = BATCH, .raw = raw};
    answer(&r, &mean, 1, &a, (double *[]){got});
    for (int i = 0; i < BATCH; i++)
        for (int j = 0; j < MIXED; j++) {
            const gm_x_column *c = &mixed[j];
            for (int k = 0; k < c->width; k++) {
                double at = raw[i * 17 + place[j] + k];
                double want = c->kind == GM_X_BINARY ? sigmoid(at)
                              : c->kind == GM_X_CATEGORY
                                  ? exp(log_softmax(raw + i * 17 + place[j], c->width, k))
                                  : at;
                must_msg(test_close(got[i * MIXED + j + k], want, 1e-13, 0),
                         "column %d: %g, not %g", j + k, got[i * MIXED + j + k], want);
            }
        }
    rig_end(&r);
}
END_TEST

/* The chi-square of counts of n draws against probabilities; cells of few are put together. */
static double chi_square(const double *p, const int64_t *count, int64_t cells, int64_t n,
                         double *freedom)
{
    double sum = 0, few = 0, few_expected = 0;
    *freedom = -1;
    for (int64_t k = 0; k < cells; k++) {
        double expected = p[k] * (double)n;
        few += expected < 8 ? (double)count[k] : 0;
        few_expected += expected < 8 ? expected : 0;
        if (expected >= 8) {
            sum += ((double)count[k] - expected) * ((double)count[k] - expected) / expected;
            ++*freedom;
        }
    }
    if (few_expected >= 1) {
        sum += (few - few_expected) * (few - few_expected) / few_expected;
        ++*freedom;
    }
    return sum;
}

#define DRAWS 40000

/* Draws of all columns from one raw row. */
static void draws_of(gm__real real, const double *raw, double *out)
{
    rig r;
    gm_likelihood l = model(GM_SPREAD_NETWORK, 1);
    double *all = malloc(DRAWS * 17 * sizeof *all);
    rig_begin(&r);
    see(&r, mixed, MIXED);
    gm_node *drawn = gm_likelihood_draw(r.b, &l, rows_input(&r, "raw", 17));
    test_ok(r.ctx, gm__builder_check(r.ctx, r.b));
    for (int i = 0; i < DRAWS; i++)
        memcpy(all + i * 17, raw, 17 * sizeof *raw);
    asked a = {.real = real, .batch = DRAWS, .raw = all};
    answer(&r, &drawn, 1, &a, &out);
    rig_end(&r);
    free(all);
}

/* Counts of a column's values against what log_prob gives each of them. */
static void check_counts(gm__real real, const double *raw, const double *drawn, int j)
{
    static int64_t count[256];
    static double p[256];
    const gm_x_column *c = &mixed[j];
    int64_t cells =
        c->kind == GM_X_CATEGORY ? c->width : (int64_t)floor((c->high - c->low) / c->step + 1.5);
    gm_x_column alone[3] = {*c};
    gm_likelihood l = model(GM_SPREAD_NETWORK, 1);
    memset(count, 0, sizeof count);
    for (int i = 0; i < DRAWS; i++) {
        const double *cell = drawn + i * MIXED + j;
        double level = c->kind == GM_X_CATEGORY ? 0 : (cell[0] - c->low) / c->step;
        for (int k = 1; c->kind == GM_X_CATEGORY && k < c->width; k++)
            level = cell[k] == 1 ? k : level;
        must_msg(fabs(level - floor(level + 0.5)) < 1e-3 && level > -0.5 && level < (double)cells,
                 "column %d is drawn as %g", j, cell[0]);
        count[(int)(level + 0.5)]++;
    }
    for (int64_t k = 0; k < cells; k++) {
        double x[3] = {0}, own[3] = {raw[place[j]], 0, 0};
        int64_t width = c->width;
        x[c->kind == GM_X_CATEGORY ? k : 0] =
            c->kind == GM_X_CATEGORY ? 1 : c->low + c->step * (double)k;
        if (c->kind == GM_X_LEVELS)
            own[1] = raw[12 + spread_place[j]];
        if (c->kind == GM_X_CATEGORY)
            memcpy(own, raw + place[j], (size_t)width * sizeof *own);
        asked a = {.real = GM__F64, .batch = 1, .raw = own, .x = x};
        log_probs(alone, width, &l, &a, &p[k]);
        p[k] = exp(p[k]);
    }
    double freedom, chi = chi_square(p, count, cells, DRAWS, &freedom);
    ck_assert_msg(chi < freedom + 5 * sqrt(2 * freedom + 1), "%s, column %d: chi-square %g of %g",
                  real == GM__F64 ? "double" : "single", j, chi, freedom);
}

START_TEST(draws_follow_the_probabilities)
{
    static double drawn[DRAWS * MIXED];
    gm__real real = _i ? GM__F64 : GM__F32;
    double raw[17] = {0.5, -3, 0.2, 0.1, 1, 0.4, -1, 0.3, -0.5, 1, 0, -1.2, 0.2, -0.5, -1, 0, -0.4};
    draws_of(real, raw, drawn);
    for (int j = 0; j < MIXED; j++) {
        if (mixed[j].kind == GM_X_LEVELS || mixed[j].kind == GM_X_BINARY ||
            mixed[j].kind == GM_X_CATEGORY)
            check_counts(real, raw, drawn, j);
        if (mixed[j].kind != GM_X_REAL)
            continue;
        double sum = 0, squares = 0,
               deviation = deviation_of(one_real, 1, raw[12 + spread_place[j]]);
        for (int i = 0; i < DRAWS; i++) {
            double z = (drawn[i * MIXED + j] - raw[place[j]]) / deviation;
            sum += z;
            squares += z * z;
        }
        ck_assert_msg(fabs(sum) < 4.5 * sqrt(DRAWS) &&
                          fabs(squares - DRAWS) < 4.5 * sqrt(2. * DRAWS),
                      "column %d: sums %g and %g", j, sum, squares);
    }
}
END_TEST

/* A row is drawn and scored alike in any batch. */
START_TEST(rows_in_any_batch)
{
    static double raw[BATCH * 17], x[BATCH * MIXED], drawn[BATCH * MIXED], logp[BATCH];
    double row[MIXED], one;
    uint64_t state = 12;
    gm__real real = _i ? GM__F64 : GM__F32;
    gm_likelihood l = model(GM_SPREAD_NETWORK, 1);
    rig r;
    rig_begin(&r);
    see(&r, mixed, MIXED);
    gm_node *in = rows_input(&r, "raw", 17);
    gm_node *nodes[2] = {gm_likelihood_draw(r.b, &l, in),
                         gm_likelihood_log_prob(r.b, &l, in, rows_input(&r, "x", MIXED))};
    draw_case(&state, BATCH, raw, 17, x);
    asked a = {.real = real, .batch = BATCH, .raw = raw, .x = x, .row0 = 100};
    answer(&r, nodes, 2, &a, (double *[]){drawn, logp});
    for (int i = 0; i < BATCH; i += 7) {
        asked alone = {
            .real = real, .batch = 1, .raw = raw + i * 17, .x = x + i * MIXED, .row0 = 100 + i};
        answer(&r, nodes, 2, &alone, (double *[]){row, &one});
        ck_assert_mem_eq(row, drawn + i * MIXED, sizeof row);
        ck_assert_mem_eq(&one, &logp[i], sizeof one);
    }
    rig_end(&r);
}
END_TEST

/* ---- Mistakes -------------------------------------------------------------------------------- */

START_TEST(mistakes)
{
    gm_likelihood good = model(GM_SPREAD_COLUMN, 1);
    for (int i = 0; i < 8; i++) {
        gm_likelihood l = good;
        gm_status want = GM_E_ARG;
        rig r;
        rig_begin(&r);
        see(&r, mixed, MIXED);
        if (i == 0)
            l.struct_size = 4;
        if (i == 1)
            l.spread = 5;
        if (i == 2)
            l.name = NULL;
        if (i >= 3 && i <= 5) {
            l.deviation = i == 3 ? 0 : i == 4 ? NAN : INFINITY;
            want = GM_E_RANGE;
        }
        if (i == 6)
            want = GM_E_SHAPE;
        gm_node *raw = rows_input(&r, "raw", i == 6 ? 11 : 12), *x = rows_input(&r, "x", MIXED);
        if (i < 7) {
            ck_assert_ptr_null(gm_likelihood_log_prob(r.b, &l, raw, x));
            ck_assert_ptr_null(gm_likelihood_draw(r.b, &l, raw));
            ck_assert_ptr_null(gm_likelihood_mean(r.b, &l, raw));
            test_fails(r.ctx, gm__builder_check(r.ctx, r.b), want, "likelihood");
        } else {
            ck_assert_int_eq(gm_likelihood_width(r.b, NULL), 0);
            ck_assert_int_eq(gm_likelihood_width(NULL, &l), 0);
            ck_assert_ptr_null(gm_likelihood_log_prob(NULL, &l, raw, x));
        }
        rig_end(&r);
    }
}
END_TEST

/* What a family may ask of its columns. */
START_TEST(columns_of_x)
{
    gm_x_column c = {.struct_size = sizeof c};
    rig r;
    rig_begin(&r);
    see(&r, mixed, MIXED);
    ck_assert_int_eq(gm_builder_x_column(r.b, 1, &c), GM_X_LEVELS);
    ck_assert(c.low == -1 && c.high == 1 && c.step == 0.5 && c.width == 1);
    ck_assert_int_eq(gm_builder_x_column(r.b, 5, &c), GM_X_CATEGORY);
    ck_assert_int_eq(c.width, 3);
    ck_assert_int_eq(gm_builder_x_column(r.b, 6, &c), 0);
    ck_assert_int_eq(gm_builder_x_column(r.b, -1, &c), 0);
    ck_assert_int_eq(gm_builder_x_column(r.b, MIXED, &c), 0);
    ck_assert_int_eq(gm_builder_x_column(r.b, 0, NULL), 0);
    ck_assert_int_eq(gm_builder_x_column(NULL, 0, &c), 0);
    see(&r, NULL, 4);
    ck_assert_int_eq(gm_builder_x_column(r.b, 3, &c), GM_X_REAL);
    ck_assert_int_eq(c.width, 1);
    rig_end(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("likelihood");
    TCase *t = tcase_create("likelihood");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, log_prob_of_every_kind, 0, 8);
    tcase_add_loop_test(t, levels_sum_to_one, 0, SUMS);
    tcase_add_loop_test(t, categories_sum_to_one, 0, 4);
    tcase_add_loop_test(t, gradient_by_differences, 0, 4);
    tcase_add_loop_test(t, extremes_stay_finite, 0, 4);
    tcase_add_test(t, floor_of_the_deviation);
    tcase_add_test(t, floor_of_a_fixed_deviation);
    tcase_add_test(t, means);
    tcase_add_loop_test(t, draws_follow_the_probabilities, 0, 2);
    tcase_add_loop_test(t, rows_in_any_batch, 0, 2);
    tcase_add_test(t, mistakes);
    tcase_add_test(t, columns_of_x);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
