/* Direct families: one written here, with columns that are independent (normal, by counts, or
 * uniform on a circle), so that every answer has a closed form. */
#include "model_cases.h"

/* ---- The family ------------------------------------------------------------------------------ */

#define LOG_TWO_PI 1.8378770664093455

typedef struct columns_state {
    int64_t width;
    gm_x_column kind[8];
    const double *mean, *deviation, *table; /* table (width, 9): probabilities of categories */
    double widen;
} columns_state;

static const gm_option_row columns_options[] = {
    {"widen", GM_STAGE_FIT, GM_REAL, "1", "(0..", 1, "multiplies every deviation"},
    {"odd", GM_STAGE_FIT, GM_CHOICE, "none", "none|nan|fail|loop", 1, "what goes wrong in a fit"},
    {0}};
static const gm_option_row columns_log_prob[] = {
    {"slack", GM_STAGE_CALL, GM_REAL, "0", "0..", 1, "half the distance of the bounds"}, {0}};

static gm_cancel *tripped_by_fit;

static gm_status columns_fit(gm_context *ctx, const gm_frame *frame, const gm_direct_rows *rows,
                             const gm_direct_rows *valid, const gm_tensors *start, gm_tensors *out)
{
    int64_t d = rows->width, tables[2] = {d, 9};
    double *mean, *deviation, *table, n = (double)rows->count;
    ck_assert(start == NULL && d == gm_frame_width(frame));
    ck_assert(!valid || valid->count > 0);
    switch (gm_frame_int(frame, "odd")) {
    case 2:
        return gm_context_fail(ctx, GM_E_DATA, "columns: asked to fail");
    case 3:
        gm_cancel_trip(tripped_by_fit);
        for (;;) {
            gm_status code = gm_context_cancelled(ctx);
            if (code)
                return code;
        }
    }
    if (gm_tensors_add(ctx, out, "mean", 1, &d, &mean) ||
        gm_tensors_add(ctx, out, "deviation", 1, &d, &deviation) ||
        gm_tensors_add(ctx, out, "table", 2, tables, &table))
        return GM_E_MEMORY;
    for (int64_t j = 0; j < d; j++) {
        for (int64_t i = 0; i < rows->count; i++) {
            double v = rows->x[i * d + j];
            mean[j] += v / n;
            if (v >= 0 && v < 9)
                table[j * 9 + (int)v] += 1 / n;
        }
        for (int64_t i = 0; i < rows->count; i++)
            deviation[j] += pow(rows->x[i * d + j] - mean[j], 2) / n;
        deviation[j] = sqrt(deviation[j]) * gm_frame_real(frame, "widen");
    }
    if (gm_frame_int(frame, "odd") == 1)
        mean[0] = NAN;
    return GM_OK;
}

static gm_status columns_open(gm_context *ctx, const gm_frame *frame, const gm_tensors *t,
                              void **state)
{
    int32_t ndim[3];
    const int64_t *shape[3];
    columns_state s = {.width = gm_frame_width(frame), .widen = gm_frame_real(frame, "widen")};
    s.mean = gm_tensors_get(t, "mean", &ndim[0], &shape[0]);
    s.deviation = gm_tensors_get(t, "deviation", &ndim[1], &shape[1]);
    s.table = gm_tensors_get(t, "table", &ndim[2], &shape[2]);
    if (!s.mean || !s.deviation || !s.table || ndim[0] != 1 || ndim[1] != 1 || ndim[2] != 2 ||
        shape[0][0] != s.width || shape[1][0] != s.width || shape[2][0] != s.width ||
        shape[2][1] != 9 || s.width > 8)
        return gm_context_fail(ctx, GM_E_FORMAT, "columns: the arrays are not those of a fit");
    for (int64_t j = 0; j < s.width; j++) {
        if (!(s.deviation[j] > 0))
            return gm_context_fail(ctx, GM_E_FORMAT, "columns: a deviation is not above 0");
        s.kind[j].struct_size = sizeof s.kind[j];
        ck_assert(gm_frame_x_column(frame, j, &s.kind[j]) && s.kind[j].width == 1);
    }
    *state = malloc(sizeof s);
    memcpy(*state, &s, sizeof s);
    return GM_OK;
}

static void columns_close(void *state)
{
    free(state);
}

static gm_status columns_score(gm_context *ctx, const void *state, const gm_direct_call *c)
{
    const columns_state *s = state;
    (void)ctx;
    for (int64_t i = 0; i < c->count; i++) {
        double sum = 0;
        for (int64_t j = 0; j < s->width; j++) {
            double v = c->x[i * s->width + j], z = (v - s->mean[j]) / s->deviation[j], back = 0;
            if (s->kind[j].kind == GM_X_CATEGORY)
                sum += log(s->table[j * 9 + (int)v]);
            else if (s->kind[j].kind == GM_X_CIRCULAR)
                sum -= LOG_TWO_PI;
            else {
                sum -= z * z / 2 + log(s->deviation[j]) + LOG_TWO_PI / 2;
                back = -z / s->deviation[j];
            }
            if (c->gradient)
                c->gradient[i * s->width + j] = back;
        }
        c->logp[i] = sum;
        if (c->lower)
            c->lower[i] = sum - gm_frame_real(c->call, "slack");
        if (c->upper)
            c->upper[i] = sum + gm_frame_real(c->call, "slack");
    }
    return GM_OK;
}

/* Every row the means, moved by its number: what the library does around it shows. */
static gm_status columns_sample(gm_context *ctx, const void *state, const gm_direct_call *c)
{
    const columns_state *s = state;
    (void)ctx;
    for (int64_t i = 0; i < c->count; i++)
        for (int64_t j = 0; j < s->width; j++)
            c->out[i * s->width + j] =
                s->kind[j].kind == GM_X_CATEGORY
                    ? (double)((c->first + i) % 7)
                    : s->mean[j] + c->temperature * (double)(c->first + i + (int64_t)c->seed) / 100;
    return GM_OK;
}

static int64_t columns_code(const void *state)
{
    return ((const columns_state *)state)->width + 1;
}

/* z = x and a column of ones; back again without it. */
static gm_status columns_encode(gm_context *ctx, const void *state, const gm_direct_call *c)
{
    int64_t d = ((const columns_state *)state)->width;
    (void)ctx;
    for (int64_t i = 0; i < c->count; i++) {
        memcpy(c->out + i * (d + 1), c->x + i * d, (size_t)d * sizeof(double));
        c->out[i * (d + 1) + d] = 1;
    }
    return GM_OK;
}

static gm_status columns_decode(gm_context *ctx, const void *state, const gm_direct_call *c)
{
    int64_t d = ((const columns_state *)state)->width;
    (void)ctx;
    for (int64_t i = 0; i < c->count; i++)
        memcpy(c->out + i * d, c->x + i * (d + 1), (size_t)d * sizeof(double));
    return GM_OK;
}

static const gm_direct columns_direct = {.struct_size = sizeof columns_direct,
                                         .log_prob_options = columns_log_prob,
                                         .fit = columns_fit,
                                         .open = columns_open,
                                         .close = columns_close,
                                         .log_prob = columns_score,
                                         .sample = columns_sample,
                                         .code = columns_code,
                                         .encode = columns_encode,
                                         .decode = columns_decode};
static const gm_family columns_family = {.struct_size = sizeof columns_family,
                                         .version = 1,
                                         .name = "columns",
                                         .summary = "independent columns",
                                         .options = columns_options,
                                         .log_prob_kind = GM_EXACT,
                                         .flags = GM_FAMILY_CIRCULAR,
                                         .direct = &columns_direct};

static gm_context *columns_context(const gm_allocator *a)
{
    gm_context *ctx = test_context(a);
    test_ok(ctx, gm_family_register(ctx, &columns_family));
    return ctx;
}

/* ---- Data: a real column, a category of three, an angle in degrees, one of two --------------- */

#define N 200

static gm_dataset *table(gm_context *ctx)
{
    char csv[N * 40 + 40];
    uint64_t state = 11;
    size_t at = (size_t)sprintf(csv, "size,kind,angle,flag\n");
    for (int i = 0; i < N; i++)
        at += (size_t)sprintf(csv + at, "%.6f,%s,%.6f,%s\n", test_uniform(&state, 3, 9),
                              (const char *[]){"a", "b", "c"}[test_random(&state) % 3],
                              test_uniform(&state, 0, 360), test_random(&state) % 4 ? "y" : "n");
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows, *round;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "t.csv", NULL, &rows));
    test_ok(ctx, gm_dataset_with_type(ctx, rows, 2, GM_COLUMN_CIRCULAR, 360, &round));
    gm_dataset_free(rows);
    return round;
}

static gm_model *fitted(gm_context *ctx, const gm_dataset *rows, const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "columns", rows, how, &model));
    gm_options_free(how);
    return model;
}

/* log p of a cell of the table by what the columns are, from the data itself. */
static double expected(const double *x, const double *row)
{
    double mean = 0, square = 0, counts[2][3] = {{0}};
    for (int i = 0; i < N; i++) {
        mean += x[i * 4] / N;
        counts[0][(int)x[i * 4 + 1]] += 1.0 / N;
        counts[1][(int)x[i * 4 + 3]] += 1.0 / N;
    }
    for (int i = 0; i < N; i++)
        square += pow(x[i * 4] - mean, 2) / N;
    return -pow(row[0] - mean, 2) / square / 2 - log(square) / 2 - LOG_TWO_PI / 2 +
           log(counts[0][(int)row[1]]) + log(counts[1][(int)row[3]]) - log(360);
}

START_TEST(answers)
{
    gm_context *ctx = columns_context(NULL);
    gm_dataset *rows = table(ctx);
    const char *ways[] = {"transform=standard", "transform=none", "transform=standard"};
    gm_model *model = fitted(ctx, rows, (const char *[]){"seed=1", ways[_i], NULL});
    double *x = malloc(N * 4 * sizeof *x), logp[N], lower[N], upper[N], grad[N * 4], error[N];
    gm__dataset_rows(rows, NULL, 0, N, x);
    gm_array in = case_array(GM_F64, x, N, 4), g = case_array(GM_F64, grad, N, 4);
    gm_options *how = case_options(ctx, (const char *[]){"slack=0.25", NULL});
    ck_assert_int_eq(gm_model_capabilities(model), 63);
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_EXACT);
    ck_assert_int_eq(gm_model_code_count(model), 5);
    ck_assert_int_eq(gm_model_parameter_count(model), 4 + 4 + 36);
    test_ok(ctx, gm_model_log_prob(ctx, model, &in, NULL, NULL, logp, error));
    for (int i = 0; i < N; i++) {
        double e = expected(x, x + 4 * i);
        must(fabs(logp[i] - e) < 1e-9 && error[i] == 0);
    }
    test_ok(ctx, gm_model_log_prob_bounds(ctx, model, &in, NULL, how, upper, lower, logp));
    for (int i = 0; i < N; i++)
        must(test_close(lower[i], upper[i] - 0.25, 0, 1e-12) &&
             test_close(logp[i], upper[i] + 0.25, 0, 1e-12));
    test_ok(ctx, gm_model_log_prob_gradient(ctx, model, &in, NULL, NULL, logp, &g));
    for (int i = 0; i < N; i += 17) {
        double up[4], down[4], a, b, h = 1e-5;
        memcpy(up, x + 4 * i, sizeof up);
        memcpy(down, up, sizeof up);
        up[0] += h;
        down[0] -= h;
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, up, 1, 0, NULL, &a));
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, down, 1, 0, NULL, &b));
        must(fabs(grad[4 * i] - (a - b) / (2 * h)) < 1e-6);
        must(grad[4 * i + 1] == 0 && grad[4 * i + 2] == 0 && grad[4 * i + 3] == 0);
    }
    /* outside: a category that there is not, an angle once round */
    double odd[3][4] = {{5, 3, 10, 0}, {5, 0, 370, 0}, {5, 0, 10, 0}};
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, odd[0], 3, 0, NULL, logp));
    ck_assert(logp[0] == -INFINITY && test_close(logp[1], logp[2], 1e-12, 0));
    gm_options_free(how);
    free(x);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(codes_and_draws)
{
    gm_context *ctx = columns_context(NULL);
    gm_dataset *rows = table(ctx), *out;
    gm_model *model = fitted(ctx, rows, (const char *[]){"seed=1", NULL});
    double *x = malloc(N * 4 * sizeof *x), *z = malloc(N * 5 * sizeof *z),
           *y = malloc(N * 4 * sizeof *y);
    gm__dataset_rows(rows, NULL, 0, N, x);
    gm_array in = case_array(GM_F64, x, N, 4), codes = case_array(GM_F64, z, N, 5),
             back = case_array(GM_F64, y, N, 4);
    test_ok(ctx, gm_model_encode(ctx, model, &in, NULL, NULL, &codes));
    for (int i = 0; i < N; i++) /* reals first: the size and the angle, then kind and flag */
        must(test_close(z[5 * i + 1], x[4 * i + 2] * 0.017453292519943295, 1e-14, 0) &&
             z[5 * i + 2] == x[4 * i + 1] && z[5 * i + 3] == x[4 * i + 3] && z[5 * i + 4] == 1);
    test_ok(ctx, gm_model_decode(ctx, model, &codes, NULL, NULL, &back));
    for (int i = 0; i < 4 * N; i++)
        must(test_close(x[i], y[i], 1e-13, 1e-13));
    test_ok(ctx, gm_model_reconstruct(ctx, model, &in, NULL, NULL, &back));
    for (int i = 0; i < 4 * N; i++)
        must(test_close(x[i], y[i], 1e-13, 1e-13));
    gm_options *how = case_options(ctx, (const char *[]){"seed=5", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, how, y));
    for (int i = 0; i < N; i++)
        must(y[4 * i + 1] == (i % 7 > 2 ? 2 : i % 7) && y[4 * i + 3] == (i % 7 > 1 ? 1 : i % 7));
    test_ok(ctx, gm_model_sample_rows(ctx, model, 10, NULL, how, &out));
    ck_assert_int_eq(gm_dataset_row_count(out), 10);
    test_fails(ctx, gm_model_sample_f64(ctx, model, 1, NULL, NULL, y), GM_E_SEED, NULL);
    gm_dataset_free(out);
    gm_options_free(how);
    free(x);
    free(y);
    free(z);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Whole numbers get noise: a bound, by draws, that needs a seed. */
START_TEST(whole_numbers)
{
    gm_context *ctx = columns_context(NULL);
    gm_dataset *rows = mixed_rows(ctx);
    gm_model *model = fitted(ctx, rows, (const char *[]){"seed=1", "valid=0.2", NULL});
    double x[4] = {0.1, 3, 1, 2}, logp, lower, upper;
    gm_array in = case_array(GM_F64, x, 1, 4);
    gm_options *how = case_options(ctx, (const char *[]){"seed=5", "draws=64", NULL});
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_LOWER_BOUND);
    test_fails(ctx, gm_model_log_prob(ctx, model, &in, NULL, NULL, &logp, NULL), GM_E_SEED, NULL);
    test_ok(ctx, gm_model_log_prob(ctx, model, &in, NULL, how, &logp, &upper));
    ck_assert(logp < 0 && logp > -20 && upper > 0);
    test_fails(ctx, gm_model_log_prob_bounds(ctx, model, &in, NULL, how, &logp, &lower, &upper),
               GM_E_UNSUPPORTED, "columns");
    x[1] = 3.5;
    test_ok(ctx, gm_model_log_prob(ctx, model, &in, NULL, how, &logp, NULL));
    ck_assert(logp == -INFINITY);
    char *text = description(ctx, model);
    ck_assert(strstr(text, "\"valid_rows\":60") && strstr(text, "\"valid\":"));
    ck_assert(!strstr(text, "\"steps\"") && strstr(text, "\"widen\":\"1\""));
    free(text);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- What cannot be -------------------------------------------------------------------------- */

static void fit_fails(gm_context *ctx, const gm_dataset *rows, const char *const *settings,
                      gm_status code, const char *part)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_fails(ctx, gm_fit(ctx, "columns", rows, how, &model), code, part);
    ck_assert_ptr_null(model);
    gm_options_free(how);
}

START_TEST(refusals)
{
    gm_context *ctx = columns_context(NULL);
    gm_dataset *rows = table(ctx);
    gm_options *how = case_options(ctx, (const char *[]){"seed=1", NULL});
    gm_fit_config config = {.struct_size = sizeof config, .train = rows, .options = how};
    gm_trainer *trainer;
    gm_optimizer *adam;
    gm_model *model;
    test_fails(ctx, gm_trainer_create(ctx, "columns", &config, &trainer), GM_E_UNSUPPORTED,
               "gm_fit");
    test_ok(ctx, gm_optimizer_create(ctx, "adam", NULL, &adam));
    config.optimizer = adam;
    test_fails(ctx, gm_fit_with(ctx, "columns", &config, &model), GM_E_UNSUPPORTED, "optimizer");
    fit_fails(ctx, rows, (const char *[]){"seed=1", "steps=4", NULL}, GM_E_UNKNOWN, "steps");
    fit_fails(ctx, rows, (const char *[]){"widen=2", NULL}, GM_E_SEED, NULL);
    fit_fails(ctx, rows, (const char *[]){"seed=1", "odd=nan", NULL}, GM_E_NONFINITE, "mean");
    fit_fails(ctx, rows, (const char *[]){"seed=1", "odd=fail", NULL}, GM_E_DATA, "asked to");
    fit_fails(ctx, rows, (const char *[]){"seed=1", "whiten=true", NULL}, GM_E_UNSUPPORTED,
              "circular");
    test_fails(ctx, gm_fit(ctx, "vae", rows, how, &model), GM_E_UNSUPPORTED, "circular");
    gm_direct part = columns_direct;
    gm_family odd = columns_family;
    odd.name = "odd";
    odd.direct = &part;
    part.open = NULL;
    test_fails(ctx, gm_family_register(ctx, &odd), GM_E_ARG, "open");
    part.open = columns_open;
    odd.log_prob = bell_log_prob;
    test_fails(ctx, gm_family_register(ctx, &odd), GM_E_ARG, "graphs");
    odd.log_prob = NULL;
    odd.log_prob_kind = 0;
    test_fails(ctx, gm_family_register(ctx, &odd), GM_E_ARG, "log_prob_kind");
    gm_optimizer_free(adam);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(cancelled)
{
    gm_context_config config = {.struct_size = sizeof config, .cancel = gm_cancel_create(NULL)};
    gm_context *ctx;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    test_ok(ctx, gm_family_register(ctx, &columns_family));
    gm_dataset *rows = table(ctx);
    tripped_by_fit = config.cancel;
    fit_fails(ctx, rows, (const char *[]){"seed=1", "odd=loop", NULL}, GM_E_CANCELLED, NULL);
    gm_cancel_reset(config.cancel);
    gm_model_free(fitted(ctx, rows, (const char *[]){"seed=1", NULL}));
    gm_cancel_free(config.cancel);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Files ----------------------------------------------------------------------------------- */

START_TEST(files)
{
    gm_context *ctx = columns_context(NULL);
    gm_dataset *rows = table(ctx);
    gm_model *model = fitted(ctx, rows, (const char *[]){"seed=1", "widen=1.5", NULL}), *again;
    test_sink file = bytes_of(ctx, model);
    double a[N], b[N];
    test_ok(ctx, gm_model_load_memory(ctx, file.data, file.size, &again));
    test_ok(ctx, gm_model_log_prob_rows(ctx, model, rows, NULL, NULL, a, NULL));
    test_ok(ctx, gm_model_log_prob_rows(ctx, again, rows, NULL, NULL, b, NULL));
    ck_assert(!memcmp(a, b, sizeof a));
    char *one = description(ctx, model), *two = description(ctx, again);
    ck_assert_str_eq(one, two);
    free(one);
    free(two);
    gm_model_free(again);
    /* other names, a type, a number that is none, and one that the family refuses */
    static const struct {
        const char *from, *to, *part;
    } edits[] = {{"\"mean\"", "\"meen\"", "not those"},
                 {"\"F64\",\"shape\":[4]", "\"I64\",\"shape\":[4]", "F64"},
                 {"circular", "wholely_", NULL}};
    for (int i = 0; i < 3; i++) {
        unsigned char *copy = malloc((size_t)file.size);
        memcpy(copy, file.data, (size_t)file.size);
        size_t n = strlen(edits[i].from), at = 8;
        while (memcmp(copy + at, edits[i].from, n) != 0)
            ck_assert(++at + n < (size_t)file.size);
        memcpy(copy + at, edits[i].to, n);
        case_mend_checksum(copy, file.size);
        test_fails(ctx, gm_model_load_memory(ctx, copy, file.size, &again), GM_E_FORMAT,
                   edits[i].part);
        free(copy);
    }
    static const double bad[] = {NAN, INFINITY, -1};
    const double *deviation = gm_tensors_get(model->tensors, "deviation", NULL, NULL);
    size_t at = (size_t)file.size - 8;
    while (memcmp(file.data + at, deviation, 8) != 0)
        at--;
    for (int i = 0; i < 3; i++) {
        memcpy(file.data + at, &bad[i], 8);
        case_mend_checksum(file.data, file.size);
        test_fails(ctx, gm_model_load_memory(ctx, file.data, file.size, &again), GM_E_FORMAT,
                   "deviation");
        ck_assert_ptr_null(again);
    }
    test_sink_clear(&file);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static gm_status whole_life(const gm_allocator *a, void *arg)
{
    const test_sink *csv = arg;
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL, *again = NULL;
    test_sink file = {0};
    gm_writer writer = test_sink_writer(&file);
    double logp[N], x[40], z[50], row[4] = {5, 1, 9, 0};
    gm_array in = case_array(GM_F64, row, 1, 4), out = case_array(GM_F64, z, 1, 5);
    test_source source = {.data = csv->data, .size = csv->size};
    gm_reader reader = test_source_reader(&source);
    gm_context_config config = {.struct_size = sizeof config, .allocator = a};
    gm_status code = gm_context_create(&config, &ctx);
    code = code ? code : gm_family_register(ctx, &columns_family);
    code = code ? code : gm_dataset_from_reader(ctx, &reader, "csv", "t", NULL, &rows);
    code = code ? code : gm_options_create(ctx, &how);
    code = code ? code : gm_options_set_text(ctx, how, "seed", "3");
    code = code ? code : gm_options_set_text(ctx, how, "valid", "0.3");
    code = code ? code : gm_fit(ctx, "columns", rows, how, &model);
    code = code ? code : gm_model_write(ctx, model, &writer);
    code = code ? code : gm_model_load_memory(ctx, file.data, file.size, &again);
    code = code ? code : gm_model_log_prob_rows(ctx, again, rows, NULL, NULL, logp, NULL);
    code = code ? code : gm_model_sample_f64(ctx, again, 10, NULL, how, x);
    code = code ? code : gm_model_encode(ctx, again, &in, NULL, NULL, &out);
    ck_assert(!code || (!model) == (gm_model_family(model) == NULL));
    gm_model_free(model);
    gm_model_free(again);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    test_sink_clear(&file);
    return code;
}

START_TEST(every_allocation)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = table(ctx);
    test_sink csv = {0};
    gm_writer writer = test_sink_writer(&csv);
    test_ok(ctx, gm_dataset_write(ctx, rows, &writer, "csv"));
    int64_t runs = test_every_failure(whole_life, &csv, test_quick() ? 80 : 0);
    ck_assert_int_gt(runs, 40);
    test_sink_clear(&csv);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("direct");
    TCase *t = tcase_create("direct");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, answers, 0, 3);
    tcase_add_test(t, codes_and_draws);
    tcase_add_test(t, whole_numbers);
    tcase_add_test(t, refusals);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, files);
    tcase_add_test(t, every_allocation);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
