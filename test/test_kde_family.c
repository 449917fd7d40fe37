/* The family kde through the public calls: scikit-learn's values, mixed columns, bounds, gradients,
 * draws, files, and the same bits everywhere. */
#include "kde_values.h"
#include "model_cases.h"
#include "kernels/kernels.h"

/* ---- Rows ---- */

enum { M = 240 };

/* angle, length, share (0 to 1), count, kind: circular, real, real, integer, category. */
static gm_dataset *five_kinds(gm_context *ctx)
{
    static double x[M * 5];
    uint64_t state = 9;
    for (int i = 0; i < M; i++) {
        double *row = x + 5 * i, u = test_uniform(&state, 0, 1);
        int kind = i % 3;
        row[0] = 90 * kind + test_uniform(&state, -60, 60);
        row[1] = kind + test_uniform(&state, -1, 1) + test_uniform(&state, -1, 1);
        row[2] = u * u;
        row[3] = (double)((test_random(&state) >> 20) % (uint64_t)(3 + 2 * kind));
        row[4] = kind;
        row[0] = row[0] < 0 ? row[0] + 360 : row[0];
    }
    gm_dataset *data[4];
    test_ok(ctx, gm_dataset_from_f64(ctx, x, M, 5, 0, &data[0]));
    test_ok(ctx, gm_dataset_with_type(ctx, data[0], 0, GM_COLUMN_CIRCULAR, 360, &data[1]));
    test_ok(ctx, gm_dataset_with_type(ctx, data[1], 3, GM_COLUMN_INTEGER, 0, &data[2]));
    test_ok(ctx, gm_dataset_with_type(ctx, data[2], 4, GM_COLUMN_CATEGORY, 0, &data[3]));
    for (int i = 0; i < 3; i++)
        gm_dataset_free(data[i]);
    return data[3];
}

static gm_model *fit_kde(gm_context *ctx, const gm_dataset *rows, const char *const *settings)
{
    gm_model *model;
    gm_options *how = case_options(ctx, settings);
    test_ok(ctx, gm_fit(ctx, "kde", rows, how, &model));
    gm_options_free(how);
    return model;
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const mixed_fits[][6] = {
    {"seed=1", NULL},
    {"seed=1", "kernel=tricube", "boundary=reflect", "walls=..,0..1", NULL},
    {"seed=1", "kernel=cosine", "boundary=beta", "walls=-4..6, 0..1", "adaptive=1", NULL},
    {"seed=1", "bandwidth=likelihood", "cv_rows=60", NULL},
    {"seed=1", "kernel=epanechnikov", "bandwidth=20,0.5,0.25", NULL},
    {"seed=1", "bandwidth=silverman", "transform=standard", NULL},
};
enum { FITS = sizeof mixed_fits / sizeof *mixed_fits };

/* ---- scikit-learn ---- */

static double whole(int64_t i, int64_t j)
{
    return (double)((31 * i * i + 17 * i * j + 7 * j * j + 11 * i + 3 * j) % 101) / 20;
}

START_TEST(scikit_learn_agrees)
{
    static const int64_t sizes[] = {1, 2, 3, 5, 10};
    static const char *const kernels[] = {"gaussian",    "epanechnikov", "tophat",
                                          "exponential", "linear",       "cosine"};
    gm_context *ctx = test_context(NULL);
    gm_options *exact = case_options(ctx, TEXTS("rtol=0"));
    for (int s = 0; s < 5; s++)
        for (int kernel = 0; kernel < 6; kernel++) {
            double x[400], q[60], value[6];
            char name[40], width[40];
            int64_t d = sizes[s];
            gm_dataset *rows;
            for (int64_t i = 0; i < 46; i++)
                for (int64_t j = 0; j < d; j++)
                    *(i < 40 ? &x[i * d + j] : &q[(i - 40) * d + j]) =
                        whole(i, j) - 0.1 * (i >= 40);
            snprintf(name, sizeof name, "kernel=%s", kernels[kernel]);
            snprintf(width, sizeof width, "bandwidth=%.17g", kde_bandwidth[s]);
            test_ok(ctx, gm_dataset_from_f64(ctx, x, 40, d, 0, &rows));
            gm_model *model = fit_kde(ctx, rows, TEXTS("seed=1", "radial=1", name, width));
            test_ok(ctx, gm_model_log_prob_f64(ctx, model, q, 6, 0, exact, value));
            for (int i = 0; i < 6; i++)
                must_msg(test_close(value[i], kde_values[s][kernel][i], 1e-9, 1e-9),
                         "d %d kernel %d: %.12g not %.12g", (int)d, kernel, value[i],
                         kde_values[s][kernel][i]);
            gm_model_free(model);
            gm_dataset_free(rows);
        }
    gm_options_free(exact);
    gm_context_free(ctx);
}
END_TEST

/* ---- Mixed columns ---- */

/* The probability of every count and kind, integrated over a grid of the rest, is 1. */
START_TEST(mixed_columns_integrate)
{
    enum { A = 24, B = 60, C = 50 };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx);
    gm_model *model = fit_kde(ctx, rows, mixed_fits[_i]);
    gm_options *rough = case_options(ctx, TEXTS("rtol=1e-3"));
    double *x = malloc(B * C * 5 * sizeof *x), *logp = malloc(B * C * sizeof *logp), sum = 0;
    double low = _i == 1 || _i == 2 ? 0 : -1, high = _i == 1 || _i == 2 ? 1 : 2;
    for (int kind = 0; kind < 3; kind++)
        for (int count = 0; count < 7; count++)
            for (int a = 0; a < A; a++) {
                for (int i = 0; i < B * C; i++) {
                    double *row = x + 5 * i;
                    row[0] = 360 * (a + 0.5) / A;
                    row[1] = -5 + 12 * (i / C + 0.5) / B;
                    row[2] = low + (high - low) * (i % C + 0.5) / C;
                    row[3] = count;
                    row[4] = kind;
                    if (_i == 2)
                        row[1] = -4 + 10 * (i / C + 0.5) / B;
                }
                test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, B * C, 0, rough, logp));
                for (int i = 0; i < B * C; i++)
                    sum += exp(logp[i]) * (360.0 / A) * ((_i == 2 ? 10.0 : 12.0) / B) *
                           ((high - low) / C);
            }
    must_msg(fabs(sum - 1) < 0.01, "fit %d: %.6g", _i, sum);
    free(x);
    free(logp);
    gm_options_free(rough);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static void cells_of(const gm_dataset *rows, double *x)
{
    gm_context *ctx = test_context(NULL);
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, M, x, 0));
    gm_context_free(ctx);
}

START_TEST(bounds_and_gradients)
{
    static double x[M * 5], logp[M], low[M], high[M], exact[M], grad[M * 5];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx);
    gm_model *model = fit_kde(ctx, rows, mixed_fits[_i]);
    gm_options *rough = case_options(ctx, TEXTS("rtol=0.01")), *best;
    best = case_options(ctx, TEXTS("rtol=0"));
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_EXACT);
    cells_of(rows, x);
    gm_array in = case_array(GM_F64, x, M, 5), out = case_array(GM_F64, grad, M, 5);
    test_ok(ctx, gm_model_log_prob_bounds(ctx, model, &in, NULL, rough, logp, low, high));
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &in, NULL, best, exact, &out));
    for (int i = 0; i < M; i++) {
        must(low[i] <= exact[i] + 1e-12 && exact[i] <= high[i] + 1e-12 && high[i] - low[i] < 0.021);
        must(low[i] <= logp[i] && logp[i] <= high[i]);
        must(grad[5 * i + 3] == 0 && grad[5 * i + 4] == 0);
        for (int j = 0; j < 3 && i % 11 == 0 && x[5 * i + 2] > 0.01; j++) {
            double two[10], at[2], step = j == 0 ? 1e-3 : 1e-5;
            memcpy(two, x + 5 * i, 40);
            memcpy(two + 5, x + 5 * i, 40);
            two[j] -= step;
            two[5 + j] += step;
            test_ok(ctx, gm_model_log_prob_f64(ctx, model, two, 2, 0, best, at));
            double want = (at[1] - at[0]) / (2 * step);
            must_msg(!(fabs(want) < 1e6) || test_close(grad[5 * i + j], want, 2e-3, 1e-3),
                     "fit %d, row %d, column %d: %g not %g", _i, i, j, grad[5 * i + j], want);
        }
    }
    /* what no row can be has no density, and no slope */
    double odd[10] = {10, 0, 0.5, 99, 0, 10, 0, 0.5, 1, 7}, zero[10];
    gm_array odds = case_array(GM_F64, odd, 2, 5), zeros = case_array(GM_F64, zero, 2, 5);
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &odds, NULL, NULL, logp, &zeros));
    must(logp[0] == -INFINITY && logp[1] == -INFINITY && zero[1] == 0);
    gm_options_free(rough);
    gm_options_free(best);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* The mean of a column that counts by its law: wide kernels move it away from the range's ends. */
static double mean_by_law(gm_context *ctx, const gm_model *model, int64_t column)
{
    int64_t count = column == 4 ? 3 : 7;
    double value[7] = {0, 1, 2, 3, 4, 5, 6}, x[7 * 5] = {0}, logp[7], mean = 0;
    gm_array in = case_array(GM_F64, x, count, 5);
    gm_conditional *law;
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &law));
    test_ok(ctx, gm_conditional_set(ctx, law, &in, NULL, (const uint8_t[5]){0}, column));
    test_ok(ctx, gm_conditional_log_prob(ctx, law, 0, count, value, logp));
    for (int64_t i = 0; i < count; i++)
        mean += value[i] * exp(logp[i]);
    gm_conditional_free(law);
    return mean;
}

/* At temperature 0 rows come back; drawn at 1 they have the data's means, or the law's. */
START_TEST(draws)
{
    enum { N = 4000 };
    static double x[M * 5], y[N * 5], logp[N];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx);
    gm_model *model = fit_kde(ctx, rows, mixed_fits[_i]);
    gm_options *cold = case_options(ctx, TEXTS("seed=4", "temperature=0"));
    gm_options *warm = case_options(ctx, TEXTS("seed=4"));
    cells_of(rows, x);
    test_ok(ctx, gm_model_sample_f64(ctx, model, 50, NULL, cold, y));
    for (int i = 0; i < 50; i++) {
        int found = 0;
        for (int r = 0; r < M && !found; r++) {
            found = 1;
            for (int j = 0; j < 5; j++)
                found = found && test_close(x[5 * r + j], y[5 * i + j], 1e-9, 1e-9);
        }
        must_msg(found, "fit %d: row %d is new", _i, i);
    }
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, warm, y));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, y, N, 0, NULL, logp));
    for (int j = 1; j < 5; j++) {
        double a = 0, b = 0;
        for (int i = 0; i < M && j < 3; i++)
            a += x[5 * i + j] / M;
        a = j < 3 ? a : mean_by_law(ctx, model, j);
        for (int i = 0; i < N; i++)
            b += y[5 * i + j] / N;
        must_msg(fabs(a - b) < 0.2, "fit %d, column %d: mean %g not %g", _i, j, b, a);
    }
    for (int i = 0; i < N; i++)
        must(logp[i] > -INFINITY && y[5 * i] >= 0 && y[5 * i] < 360);
    gm_options_free(cold);
    gm_options_free(warm);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Same bits ---- */

static void ask(const char *kernels, int threads, const gm_model *model, const test_sink *file,
                const double *x, double *out)
{
    gm_context *ctx = test_context(NULL);
    gm_model *own = NULL;
    gm_options *seed = case_options(ctx, TEXTS("seed=4"));
    test_ok(ctx, gm_context_set_text(ctx, "kernels", kernels));
    test_ok(ctx, gm_context_set_int(ctx, "threads", threads));
    if (file)
        test_ok(ctx, gm_model_load_memory(ctx, file->data, file->size, &own));
    gm_array in = case_array(GM_F64, (void *)(uintptr_t)x, M, 5),
             grad = case_array(GM_F64, out + 3 * M, M, 5);
    test_ok(ctx, gm_model_log_prob_bounds(ctx, own ? own : model, &in, NULL, NULL, out, out + M,
                                          out + 2 * M));
    test_ok(ctx, gm_model_log_prob_gradient(ctx, own ? own : model, &in, NULL, NULL, NULL, &grad));
    test_ok(ctx, gm_model_sample_f64(ctx, own ? own : model, M, NULL, seed, out + 8 * M));
    gm_options_free(seed);
    gm_model_free(own);
    gm_context_free(ctx);
}

/* On every instruction set and number of threads, fitted there or loaded. */
START_TEST(same_bits)
{
    static double x[M * 5], first[M * 13], now[M * 13];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx);
    gm_model *model = fit_kde(ctx, rows, mixed_fits[_i]);
    test_sink sink = bytes_of(ctx, model);
    cells_of(rows, x);
    ask("auto", 1, model, NULL, x, first);
    for (int k = 0; gm__kernels_at(k); k++) {
        const char *name = gm__kernels_at(k)->name;
        ask(name, 1 + k, NULL, &sink, x, now);
        must_msg(memcmp(first, now, sizeof now) == 0, "fit %d: other bits by %s", _i, name);
        gm_context *there = test_context(NULL);
        test_ok(there, gm_context_set_text(there, "kernels", name));
        gm_dataset *again = five_kinds(there);
        gm_model *own = fit_kde(there, again, mixed_fits[_i]);
        ask(name, 3, own, NULL, x, now);
        must_msg(memcmp(first, now, sizeof now) == 0, "fit %d: another fit by %s", _i, name);
        gm_model_free(own);
        gm_dataset_free(again);
        gm_context_free(there);
    }
    test_sink_clear(&sink);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Thresholds, modes, rows that come and go ---- */

START_TEST(thresholds)
{
    static double x[M * 5], logp[M];
    static int8_t above[M];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx);
    gm_model *model = fit_kde(ctx, rows, mixed_fits[_i]);
    cells_of(rows, x);
    x[3] = 99; /* what no row can be */
    gm_array in = case_array(GM_F64, x, M, 5);
    test_ok(ctx, gm_model_log_prob(ctx, model, &in, NULL, NULL, logp, NULL));
    for (double level = -30; level < 0; level += 0.83) {
        test_ok(ctx, gm_kde_above(ctx, model, &in, level, above));
        for (int i = 0; i < M; i++)
            must(fabs(logp[i] - level) < 1e-5 || above[i] == (logp[i] > level ? 1 : -1));
    }
    test_ok(ctx, gm_kde_above_rows(ctx, model, rows, -1000, above));
    for (int i = 0; i < M; i++)
        must(above[i] == 1);
    test_fails(ctx, gm_kde_above(ctx, model, &in, NAN, above), GM_E_ARG, "level");
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(modes)
{
    static double x[M * 5], y[M * 5], before[M], after[M];
    static int64_t mode[M];
    int64_t count = 0;
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx), *places;
    gm_model *model = fit_kde(ctx, rows, mixed_fits[_i]);
    cells_of(rows, x);
    gm_array in = case_array(GM_F64, x, M, 5), out = case_array(GM_F64, y, M, 5);
    test_ok(ctx, gm_kde_modes(ctx, model, &in, 0, 0, &out, mode, &count));
    test_ok(ctx, gm_kde_modes_rows(ctx, model, rows, 0, 0, &places, NULL, NULL));
    must(gm_dataset_row_count(places) == M && count > 0 && count < M);
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, NULL, before, NULL));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, places, NULL, NULL, after, NULL));
    for (int i = 0; i < M; i++) {
        must(mode[i] >= 0 && mode[i] < count);
        must_msg(after[i] > before[i] - 1e-3, "row %d went down, %g to %g", i, before[i], after[i]);
        must(x[5 * i + 3] == y[5 * i + 3] && x[5 * i + 4] == y[5 * i + 4]);
    }
    x[4] = 17;
    test_fails(ctx, gm_kde_modes(ctx, model, &in, 0, 0, &out, NULL, NULL), GM_E_DATA, "row 1");
    gm_dataset_free(places);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Adding and forgetting give what the core makes of the same rows with the same bandwidths. */
START_TEST(rows_come_and_go)
{
    enum { N = 900, FIRST = 500 };
    gm_context *ctx = test_context(NULL);
    double *x = case_cloud(N, 2, 3), a[N], b[N], whole_set[N];
    gm_dataset *all, *first, *rest;
    int64_t number[N];
    for (int i = 0; i < N; i++)
        number[i] = i;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, 2, 0, &all));
    test_ok(ctx, gm_dataset_take(ctx, all, number, FIRST, &first));
    test_ok(ctx, gm_dataset_take(ctx, all, number + FIRST, N - FIRST, &rest));
    gm_model *model = fit_kde(ctx, first, TEXTS("seed=1", "bandwidth=0.3")), *grown, *shrunk;
    gm_model *direct = fit_kde(ctx, all, TEXTS("seed=1", "bandwidth=0.3"));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, N, 0, NULL, a));
    test_ok(ctx, gm_kde_add(ctx, model, rest, &grown));
    must(gm_kde_row_count(model) == FIRST && gm_kde_row_count(grown) == N);
    test_ok(ctx, gm_model_log_prob_f64(ctx, grown, x, N, 0, NULL, b));
    test_ok(ctx, gm_model_log_prob_f64(ctx, direct, x, N, 0, NULL, whole_set));
    must(memcmp(b, whole_set, sizeof b) == 0);
    test_ok(ctx, gm_kde_forget(ctx, grown, number + FIRST, N - FIRST, &shrunk));
    gm_model_free(grown);
    test_ok(ctx, gm_model_log_prob_f64(ctx, shrunk, x, N, 0, NULL, b));
    must(memcmp(a, b, sizeof a) == 0 && gm_kde_row_count(shrunk) == FIRST);
    gm_model *none;
    test_fails(ctx, gm_kde_forget(ctx, shrunk, number, FIRST, &none), GM_E_STATE, "no row");
    number[0] = FIRST;
    test_fails(ctx, gm_kde_forget(ctx, shrunk, number, 1, &none), GM_E_RANGE, "500");
    gm_model_free(shrunk);
    gm_model_free(direct);
    gm_model_free(model);
    gm_dataset_free(all);
    gm_dataset_free(first);
    gm_dataset_free(rest);
    free(x);
    /* a bandwidth by a rule stays; an adaptive one gets its factors anew */
    gm_dataset *rows = five_kinds(ctx);
    static double cells[M * 5], c[M];
    cells_of(rows, cells);
    for (int fit = 0; fit < 3; fit++) {
        model = fit_kde(ctx, rows, mixed_fits[fit]);
        test_ok(ctx, gm_kde_add(ctx, model, rows, &grown));
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, cells, M, 0, NULL, a));
        test_ok(ctx, gm_model_log_prob_f64(ctx, grown, cells, M, 0, NULL, c));
        for (int i = 0; i < M; i++) /* each row twice is the same density */
            must_msg(test_close(a[i], c[i], 1e-5, 1e-5), "fit %d: %g not %g", fit, c[i], a[i]);
        number[0] = 3;
        number[1] = 3;
        test_ok(ctx, gm_kde_forget(ctx, grown, number, 2, &shrunk));
        must(gm_kde_row_count(shrunk) == 2 * M - 1);
        gm_model_free(shrunk);
        gm_model_free(grown);
        gm_model_free(model);
    }
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Laws of one column given others ---- */

/* The sum over columns of log p(column | those before) is log p of the row, in any order. */
static void chain(gm_context *ctx, const gm_model *model, const double *x, int64_t n, int64_t d,
                  const int64_t *order)
{
    double logp[64], sum[64] = {0}, one[64];
    unsigned char known[8] = {0};
    gm_options *exact = case_options(ctx, TEXTS("rtol=0"));
    gm_array in = case_array(GM_F64, (void *)(uintptr_t)x, n, d);
    gm_conditional *c;
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    for (int64_t j = 0; j < d; j++) {
        double value[64];
        for (int64_t i = 0; i < n; i++)
            value[i] = x[i * d + order[j]];
        test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, known, order[j]));
        test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, n, value, one));
        known[order[j]] = 1;
        for (int64_t i = 0; i < n; i++)
            sum[i] += one[i];
    }
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, n, 0, exact, logp));
    for (int64_t i = 0; i < n; i++)
        must_msg(test_close(sum[i], logp[i], 1e-9, 1e-8), "row %d: %.12g not %.12g", (int)i, sum[i],
                 logp[i]);
    gm_conditional_free(c);
    gm_options_free(exact);
}

/* The distribution is the integral of the density, or the sum of the probabilities. */
static void distribution(gm_context *ctx, const gm_model *model, const double *x, int64_t d,
                         int64_t column, double low, double high, int whole_numbers)
{
    enum { CELLS = 500 };
    static double value[CELLS + 1], logp[CELLS + 1], below[CELLS + 1], above[CELLS + 1];
    unsigned char known[8];
    int64_t cells = whole_numbers ? (int64_t)(high - low) : CELLS;
    double row[8], width = (high - low) / (double)cells, sum = 0;
    gm_conditional *c;
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    for (int given = 0; given < 2; given++) {
        memset(known, given, sizeof known);
        known[column] = 0;
        memcpy(row, x, (size_t)d * sizeof *row);
        gm_array in = case_array(GM_F64, row, 1, d);
        test_ok(ctx, gm_conditional_set(ctx, c, &in, NULL, known, column));
        for (int64_t i = 0; i <= cells; i++) {
            value[i] = low + width * (double)i;
            test_ok(ctx, gm_conditional_cdf(ctx, c, 0, 1, value + i, below + i, above + i));
            double at = whole_numbers ? value[i] : value[i] + 0.5 * width;
            test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, 1, &at, logp + i));
            must_msg(fabs(below[i] + above[i] - 1) < 1e-9, "%g + %g", below[i], above[i]);
        }
        sum = whole_numbers ? 0 : below[0];
        for (int64_t i = 0; i <= cells; i++) {
            sum += whole_numbers ? exp(logp[i]) : 0;
            must_msg(test_close(below[i], sum, 4e-3, 2e-3),
                     "column %d at %g given %d: %.9g not %.9g", (int)column, value[i], given,
                     below[i], sum);
            sum += whole_numbers ? 0 : exp(logp[i]) * width;
        }
    }
    gm_conditional_free(c);
}

START_TEST(laws)
{
    static double x[M * 5];
    static const int64_t orders[3][5] = {{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx);
    gm_model *model = fit_kde(ctx, rows, mixed_fits[_i]);
    cells_of(rows, x);
    for (int i = 0; i < 3; i++)
        chain(ctx, model, x, 12, 5, orders[i]);
    distribution(ctx, model, x + 35, 5, 0, 0, 360, 0);
    distribution(ctx, model, x + 35, 5, 1, _i == 2 ? -4 : -6, _i == 2 ? 6 : 8, 0);
    distribution(ctx, model, x + 35, 5, 2, _i == 1 || _i == 2 ? 0 : -1.5,
                 _i == 1 || _i == 2 ? 1 : 3, 0);
    distribution(ctx, model, x + 35, 5, 3, 0, 6, 1);
    distribution(ctx, model, x + 35, 5, 4, 0, 2, 1);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Every kernel, between walls and without, and a whole matrix. */
START_TEST(laws_of_every_kernel)
{
    static const char *const kernels[] = {"gaussian",    "epanechnikov", "tophat",
                                          "exponential", "linear",       "cosine",
                                          "biweight",    "triweight",    "tricube"};
    gm_context *ctx = test_context(NULL);
    static double x[M * 2];
    static const int64_t orders[2][2] = {{0, 1}, {1, 0}};
    uint64_t state = 5;
    gm_dataset *rows;
    for (int i = 0; i < M; i++) {
        x[2 * i] = test_uniform(&state, 0, 1);
        x[2 * i + 1] = x[2 * i] * test_uniform(&state, 0, 1);
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, M, 2, 0, &rows));
    for (int kernel = 0; kernel < 9; kernel += test_quick() ? 4 : 1)
        for (int how = 0; how < (kernel ? 3 : 4); how++) {
            char name[40];
            const char *const how_text[][3] = {{"boundary=none", "walls=data", "matrix=0"},
                                               {"boundary=reflect", "walls=0..1", "matrix=0"},
                                               {"boundary=reflect", "walls=..1.01", "adaptive=1"},
                                               {"boundary=none", "walls=data", "matrix=1"}};
            snprintf(name, sizeof name, "kernel=%s", kernels[kernel]);
            const char *const *t = how_text[how];
            gm_model *model = fit_kde(ctx, rows, TEXTS("seed=1", name, t[0], t[1], t[2]));
            for (int i = 0; i < 2; i++)
                chain(ctx, model, x, 12, 2, orders[i]);
            distribution(ctx, model, x, 2, 1, how == 1 ? 0 : -6,
                         how == 1   ? 1
                         : how == 2 ? 1.01
                                    : 6,
                         0);
            gm_model_free(model);
        }
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Refusals ---- */

/* ---- Fine levels ---- */

/* Normal values on a grid of many levels: what lies in a level has its width times the density,
 * whose mean logarithm is that of a normal distribution but for what smoothing costs. */
START_TEST(fine_levels)
{
    enum { FINE = 1500 };
    static const char *const rules[] = {"bandwidth=scott", "bandwidth=likelihood"};
    static double x[FINE], logp[FINE];
    gm_context *ctx = test_context(NULL);
    double step = _i < 2 ? 1e-3 : 1e-4,
           expected = log(step) - 0.5 * log(2 * 3.14159265358979) - 0.5, mean = 0;
    uint64_t state = 5;
    gm_dataset *rows;
    for (int i = 0; i < FINE; i++) {
        double sum = -6;
        for (int k = 0; k < 12; k++)
            sum += test_uniform(&state, 0, 1);
        x[i] = i % 8 == 0 && i ? x[i - 1] : floor(sum / step) * step;
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, FINE, 1, 0, &rows));
    gm_model *model =
        fit_kde(ctx, rows, TEXTS("seed=1", "repeated=bins", "cv_rows=500", rules[_i % 2]));
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x, FINE, 0, NULL, logp));
    for (int i = 0; i < FINE; i++)
        mean += logp[i] / FINE;
    ck_assert_msg(fabs(mean - expected) < 0.1, "%g, not about %g", mean, expected);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *one, *two;
        gm_status code;
        const char *part;
    } cases[] = {
        {"bandwidth=wide", "kernel=linear", GM_E_RANGE, "silverman"},
        {"bandwidth=1,2", "kernel=linear", GM_E_RANGE, "2 numbers"},
        {"bandwidth=-1", "kernel=linear", GM_E_RANGE, "above 0"},
        {"bandwidth=lscv", "kernel=linear", GM_E_UNSUPPORTED, "likelihood"},
        {"bandwidth=isj", "kernel=linear", GM_E_SHAPE, "one column"},
        {"radial=1", "kernel=linear", GM_E_UNSUPPORTED, "radial"},
        {"matrix=1", "kernel=linear", GM_E_UNSUPPORTED, "matrix"},
        {"boundary=beta", "walls=0..", GM_E_RANGE, "both walls"},
        {"boundary=reflect", "walls=3", GM_E_RANGE, "walls"},
        {"boundary=none", "walls=0..1", GM_E_ARG, "set boundary=reflect"},
        {"boundary=reflect", "walls=0..1,0..1,0..1", GM_E_RANGE, "more entries"},
        {"boundary=reflect", "walls=0..0.1", GM_E_DATA, "outside the walls"},
        {"kernel=round", "radial=0", GM_E_RANGE, "tricube"},
    };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = five_kinds(ctx);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gm_model *model;
        gm_options *how;
        test_ok(ctx, gm_options_create(ctx, &how));
        gm_status code = gm_options_set_text(ctx, how, "seed", "1");
        for (int j = 0; j < 2 && !code; j++) {
            char name[16];
            const char *text = j ? cases[i].two : cases[i].one, *equals = strchr(text, '=');
            snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
            code = gm_options_set_text(ctx, how, name, equals + 1);
        }
        test_ok(ctx, code);
        test_fails(ctx, gm_fit(ctx, "kde", rows, how, &model), cases[i].code, cases[i].part);
        gm_options_free(how);
    }
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Memory ---- */

static gm_status with_failures(const gm_allocator *allocator, void *arg)
{
    gm_context *ctx;
    gm_context_config config = {.struct_size = sizeof config, .allocator = allocator};
    const char *const *const *settings = arg;
    gm_status code = gm_context_create(&config, &ctx);
    if (code)
        return code;
    static double x[M * 2], logp[20], y[40];
    uint64_t state = 2;
    for (int i = 0; i < M * 2; i++)
        x[i] = test_uniform(&state, 0, 1);
    gm_options *how = NULL;
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    gm_array in = case_array(GM_F64, x, 20, 2), out = case_array(GM_F64, y, 20, 2);
    code = gm_options_create(ctx, &how);
    for (int i = 0; (*settings)[i] && !code; i++) {
        char name[16];
        const char *text = (*settings)[i], *equals = strchr(text, '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        code = gm_options_set_text(ctx, how, name, equals + 1);
    }
    if (!code)
        code = gm_dataset_from_f64(ctx, x, M, 2, 0, &rows);
    if (!code)
        code = gm_fit(ctx, "kde", rows, how, &model);
    if (!code)
        code = gm_model_log_prob_f64(ctx, model, x, 20, 0, NULL, logp);
    if (!code)
        code = gm_model_log_prob_gradient(ctx, model, &in, NULL, NULL, NULL, &out);
    if (!code)
        code = gm_model_sample_f64(ctx, model, 20, NULL, how, y);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(memory_may_fail)
{
    static const char *const fits[][6] = {
        {"seed=1", "adaptive=1", "boundary=reflect", "walls=0..1", NULL},
        {"seed=1", "matrix=1", "bandwidth=lscv", "cv_rows=20", NULL},
        {"seed=1", "bandwidth=likelihood", "cv_rows=10", "boundary=beta", "walls=0..1", NULL},
    };
    const char *const *settings = fits[_i];
    must(test_every_failure(with_failures, &settings, 400) > 30);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kde_family");
    TCase *t = tcase_create("kde_family");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, scikit_learn_agrees);
    tcase_add_loop_test(t, mixed_columns_integrate, test_quick() ? 3 : 0, test_quick() ? 4 : FITS);
    tcase_add_loop_test(t, bounds_and_gradients, 0, test_quick() ? 3 : FITS);
    tcase_add_loop_test(t, draws, 0, test_quick() ? 2 : FITS);
    tcase_add_loop_test(t, same_bits, 0, test_quick() ? 2 : FITS);
    tcase_add_loop_test(t, thresholds, 0, test_quick() ? 2 : FITS);
    tcase_add_loop_test(t, modes, 0, test_quick() ? 1 : FITS);
    tcase_add_test(t, rows_come_and_go);
    tcase_add_loop_test(t, laws, 0, test_quick() ? 1 : FITS);
    tcase_add_test(t, laws_of_every_kernel);
    tcase_add_loop_test(t, fine_levels, 0, 4);
    tcase_add_test(t, refused);
    tcase_add_loop_test(t, memory_may_fail, 0, test_quick() ? 1 : 3);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
