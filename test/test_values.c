/* Models that keep the values of columns on no decimal grid: rows have those to the bit, archives
 * need not tell them, and hostile lists are refused. */
#include "model_cases.h"
#include "genmod/compress.h"
#include "genmod/conditional.h"

#include <math.h>

enum { N = 1200, COLUMNS = 4 };

/* Whole numbers centred and scaled, few and many; decimals; a wide grid where little comes again.
 */
static gm_dataset *scaled_rows(gm_context *ctx, double *x)
{
    uint64_t state = 9;
    gm_dataset *rows;
    for (int i = 0; i < N; i++) {
        double k = 0;
        for (int j = 0; j < 4; j++)
            k += (double)(test_random(&state) % 8);
        x[i * COLUMNS] = (k - 13.137) / 5.0391;
        x[i * COLUMNS + 1] = (floor(k * k + 30 * test_uniform(&state, 0, 1)) - 201.7) / 147.31;
        x[i * COLUMNS + 2] = k / 10;
        x[i * COLUMNS + 3] = (floor(1e5 * test_uniform(&state, 0, 1)) - 50123.77) / 28999.3;
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, N, COLUMNS, 0, &rows));
    return rows;
}

static gm_model *fit_to(gm_context *ctx, const gm_dataset *rows, const char *family,
                        const char *repeated)
{
    int direct = strcmp(family, "mixture") == 0;
    gm_options *how =
        case_options(ctx, (const char *[]){"seed=1", repeated, direct ? "components=2" : "steps=20",
                                           direct ? NULL : "hidden=8", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_options_free(how);
    return model;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The different values of a column, rising. */
static int distinct_of(const double *x, int column, double *list)
{
    int kept = 0;
    for (int i = 0; i < N; i++)
        list[i] = x[i * COLUMNS + column];
    qsort(list, N, sizeof *list, compare);
    for (int i = 0; i < N; i++)
        if (!kept || list[i] != list[kept - 1])
            list[kept++] = list[i];
    return kept;
}

/* All of rows (n, COLUMNS) lie in the lists of the columns that are bins. */
static void all_listed(const gm_model *model, const double *rows, int n)
{
    for (int j = 0; j < 2; j++) {
        int64_t count;
        const double *list = gm_model_column_values(model, j, &count);
        for (int i = 0; i < n; i++)
            must_msg(bsearch(&rows[i * COLUMNS + j], list, (size_t)count, sizeof *list, compare),
                     "row %d, column %d: %.17g", i, j, rows[i * COLUMNS + j]);
    }
}

START_TEST(kept)
{
    gm_context *ctx = test_context(NULL);
    double x[N * COLUMNS], own[N];
    gm_dataset *rows = scaled_rows(ctx, x);
    gm_model *model = fit_to(ctx, rows, "mixture", "repeated=bins"), *loaded;
    gm_model *plain = fit_to(ctx, rows, "mixture", "repeated=real");
    test_sink file = bytes_of(ctx, model);
    test_ok(ctx, gm_model_load_memory(ctx, file.data, file.size, &loaded));
    for (int j = -1; j <= COLUMNS; j++) {
        int64_t count = -1, again = -1, none = -1;
        const double *list = gm_model_column_values(model, j, &count),
                     *same = gm_model_column_values(loaded, j, &again);
        int inside = j >= 0 && j < COLUMNS && j != 2;
        ck_assert_int_eq(count, inside ? distinct_of(x, j, own) : 0);
        ck_assert_int_eq(again, count);
        ck_assert(inside ? !memcmp(list, own, (size_t)count * sizeof *own) : !list);
        ck_assert(inside ? !memcmp(same, own, (size_t)count * sizeof *own) : !same);
        ck_assert(!gm_model_column_values(plain, j, &none) && none == 0);
    }
    ck_assert(gm_model_column_values(model, 0, NULL) && !gm_model_column_values(NULL, 0, NULL));
    test_sink_clear(&file);
    gm_model_free(model);
    gm_model_free(loaded);
    gm_model_free(plain);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static const char *const families[] = {"mixture", "autoregressive", "flow"};

/* Sampled, completed and reconstructed rows have the values; a flow's reconstruct to the bit. */
START_TEST(given_back)
{
    enum { ASKED = 200 };
    gm_context *ctx = test_context(NULL);
    double x[N * COLUMNS], y[ASKED * COLUMNS];
    gm_dataset *rows = scaled_rows(ctx, x);
    gm_model *model = fit_to(ctx, rows, families[_i], "repeated=bins");
    gm_options *how = case_options(ctx, (const char *[]){"seed=4", "draws=20", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, ASKED, NULL, how, y));
    all_listed(model, y, ASKED);
    gm_array from, to;
    gm_array_init(&from, GM_F64, x, ASKED, COLUMNS);
    gm_array_init(&to, GM_F64, y, ASKED, COLUMNS);
    if (gm_model_capabilities(model) & GM_CAN_RECONSTRUCT) {
        test_ok(ctx, gm_model_reconstruct(ctx, model, &from, NULL, how, &to));
        for (int i = 0; i < ASKED * COLUMNS; i++)
            if (i % COLUMNS != 3)
                must_msg(_i != 2 || x[i] == y[i], "%.17g came back as %.17g", x[i], y[i]);
        all_listed(model, y, ASKED);
    }
    for (int way = 0; way < 4 && gm_model_capabilities(model) & GM_CAN_CONDITIONAL; way++) {
        static const char *const ways[] = {"how=draw", "how=mean", "how=median", "how=mode"};
        gm_options *fill =
            case_options(ctx, (const char *[]){"seed=4", "draws=20", ways[way], NULL});
        for (int i = 0; i < ASKED * COLUMNS; i++)
            y[i] = i % 3 == 0 ? NAN : x[i];
        test_ok(ctx, gm_model_impute(ctx, model, &to, NULL, fill, &to));
        for (int i = 0; i < ASKED * COLUMNS; i++)
            must(i % 3 == 0 || y[i] == x[i]);
        all_listed(model, y, ASKED);
        gm_options_free(fill);
    }
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* The law of a column of bins: mass at its values, which is the step of the distribution function
 * there, and what log_prob says. */
START_TEST(law_at_values)
{
    gm_context *ctx = test_context(NULL);
    double x[N * COLUMNS], one[2] = {0}, logp, below[3];
    gm_dataset *rows = scaled_rows(ctx, x), *first;
    test_ok(ctx, gm_dataset_select(ctx, rows, (const int64_t[]){0}, 1, &first));
    gm_model *model = fit_to(ctx, first, "autoregressive", "repeated=bins");
    gm_conditional *law;
    gm_array a;
    int64_t count;
    unsigned char known = 0;
    const double *list = gm_model_column_values(model, 0, &count);
    ck_assert_int_ge(count, 20);
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &law));
    gm_array_init(&a, GM_F64, one, 1, 1);
    test_ok(ctx, gm_conditional_set(ctx, law, &a, NULL, &known, 0));
    for (int64_t i = 0; i < count; i++) {
        const double at[] = {list[i] - 1e-3, list[i], list[i] + 1e-3};
        for (int k = 0; k < 3; k++)
            test_ok(ctx, gm_conditional_cdf(ctx, law, 0, 1, &at[k], &below[k], NULL));
        test_ok(ctx, gm_conditional_log_prob(ctx, law, 0, 1, &list[i], &logp));
        ck_assert(below[1] == below[2]);
        ck_assert_msg(test_close(below[1] - below[0], exp(logp), 1e-6, 1e-9), "%g and %g",
                      below[1] - below[0], exp(logp));
        double same;
        test_ok(ctx, gm_model_log_prob_f64(ctx, model, &list[i], 1, 0, NULL, &same));
        ck_assert_msg(test_close(same, logp, 1e-6, 1e-9), "%g and %g", same, logp);
    }
    gm_conditional_free(law);
    gm_model_free(model);
    gm_dataset_free(first);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Archives -------------------------------------------------------------------------------- */

static gm_compression round_trip(gm_context *ctx, const gm_model *model, const double *x, int n)
{
    test_sink file = {0};
    gm_compression told = {.struct_size = sizeof told};
    gm_writer writer = test_sink_writer(&file);
    gm_dataset *rows, *back;
    double *y = malloc((size_t)n * COLUMNS * sizeof *y);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, COLUMNS, 0, &rows));
    test_ok(ctx, gm_compress(ctx, model, rows, NULL, &writer, &told));
    test_ok(ctx, gm_decompress_memory(ctx, model, file.data, file.size, NULL, &back));
    test_ok(ctx, gm_dataset_read_f64(ctx, back, 0, n, y, 0));
    ck_assert(memcmp(x, y, (size_t)n * COLUMNS * sizeof *y) == 0);
    free(y);
    gm_dataset_free(rows);
    gm_dataset_free(back);
    test_sink_clear(&file);
    return told;
}

START_TEST(archives)
{
    gm_context *ctx = test_context(NULL);
    double x[N * COLUMNS];
    gm_dataset *rows = scaled_rows(ctx, x);
    gm_model *model = fit_to(ctx, rows, families[_i], "repeated=bins");
    gm_compression told = round_trip(ctx, model, x, N);
    ck_assert_int_eq(told.outside, 0);
    ck_assert_msg((double)told.bytes <= 1.005 * told.model_bits / 8 + 64, "%d bytes, %g of p",
                  (int)told.bytes, told.model_bits / 8);
    ck_assert_double_le(told.column_bits, 100);
    /* what is not in the lists costs something, but comes back: few cells, then most */
    x[0] = x[0] + 1e-9;
    x[COLUMNS + 1] = -0.0;
    x[2 * COLUMNS] = 1e300;
    told = round_trip(ctx, model, x, N);
    ck_assert_int_eq(told.outside, 3);
    ck_assert_double_le(told.column_bits, 100);
    for (int i = 0; i < N; i++)
        x[i * COLUMNS + 1] *= i % 2 ? 1.75 : 0.5;
    told = round_trip(ctx, model, x, N);
    ck_assert_double_gt(told.column_bits, 1000);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Hostile lists --------------------------------------------------------------------------- */

/* What is read of the file with 8 bytes at a place from its end changed, its checksum mended. */
static gm_status with_number(const test_sink *file, int64_t from_end, double value)
{
    gm_context *ctx = test_context(NULL);
    unsigned char *copy = malloc((size_t)file->size);
    gm_model *model = NULL;
    memcpy(copy, file->data, (size_t)file->size);
    memcpy(copy + file->size - 8 * from_end, &value, sizeof value);
    case_mend_checksum(copy, file->size);
    gm_status code = gm_model_load_memory(ctx, copy, file->size, &model);
    gm_model_free(model);
    free(copy);
    gm_context_free(ctx);
    return code;
}

/* The file with a text of its header replaced by one as long. */
static gm_status with_text(const test_sink *file, const char *from, const char *to)
{
    gm_context *ctx = test_context(NULL);
    unsigned char *copy = malloc((size_t)file->size);
    gm_model *model = NULL;
    int64_t at = 0, length = (int64_t)strlen(from);
    memcpy(copy, file->data, (size_t)file->size);
    while (at + length < file->size && memcmp(copy + at, from, (size_t)length) != 0)
        at++;
    ck_assert_msg(at + length < file->size && strlen(to) == strlen(from), "no %s", from);
    memcpy(copy + at, to, (size_t)length);
    case_mend_checksum(copy, file->size);
    gm_status code = gm_model_load_memory(ctx, copy, file->size, &model);
    gm_model_free(model);
    free(copy);
    gm_context_free(ctx);
    return code;
}

START_TEST(hostile)
{
    gm_context *ctx = test_context(NULL);
    double x[N * COLUMNS];
    char said[64], more[64], less[64];
    gm_dataset *rows = scaled_rows(ctx, x);
    gm_model *model = fit_to(ctx, rows, "mixture", "repeated=bins");
    test_sink file = bytes_of(ctx, model);
    int64_t count;
    const double *list = gm_model_column_values(model, 3, &count);
    ck_assert_int_eq(with_number(&file, 1, list[count - 1]), GM_OK); /* the last number of all */
    ck_assert_int_eq(with_number(&file, 1, list[count - 1] + 1), GM_OK);
    ck_assert_int_eq(with_number(&file, 1, list[count - 2]), GM_E_FORMAT);
    ck_assert_int_eq(with_number(&file, 1, NAN), GM_E_FORMAT);
    ck_assert_int_eq(with_number(&file, 1, INFINITY), GM_E_FORMAT);
    ck_assert_int_eq(with_number(&file, count, list[1]), GM_E_FORMAT);
    ck_assert_int_eq(with_number(&file, count, -INFINITY), GM_E_FORMAT);
    snprintf(said, sizeof said, "\\\"values\\\":%d", (int)count);
    snprintf(more, sizeof more, "\\\"values\\\":%d", (int)count + 1);
    snprintf(less, sizeof less, "\\\"values\\\":%0*d", (int)strlen(said) - 11, 0);
    ck_assert_int_eq(with_text(&file, said, said), GM_OK);
    ck_assert_int_eq(with_text(&file, said, more), GM_E_FORMAT);
    ck_assert_int_eq(with_text(&file, said, less), GM_E_FORMAT);
    test_sink_clear(&file);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Failing memory -------------------------------------------------------------------------- */

static gm_status fit_and_pack(const gm_allocator *a, void *arg)
{
    const double *x = arg;
    gm_context *ctx;
    gm_context_config config = {.struct_size = sizeof config, .allocator = a};
    gm_status code = gm_context_create(&config, &ctx);
    gm_dataset *rows = NULL, *back = NULL;
    gm_model *model = NULL;
    gm_options *how = NULL;
    char bytes[4096];
    int64_t length = 0;
    if (code)
        return code;
    code = gm_options_create(ctx, &how);
    if (!code)
        code = gm_options_set_text(ctx, how, "seed", "1");
    if (!code)
        code = gm_options_set_text(ctx, how, "components", "1");
    if (!code)
        code = gm_options_set_text(ctx, how, "repeated", "bins");
    if (!code)
        code = gm_dataset_from_f64(ctx, x, 200, COLUMNS, 0, &rows);
    if (!code)
        code = gm_fit(ctx, "mixture", rows, how, &model);
    ck_assert(code || gm_model_column_values(model, 0, NULL));
    if (!code)
        code = gm_compress_memory(ctx, model, rows, NULL, bytes, sizeof bytes, &length, NULL);
    ck_assert_int_le(length, sizeof bytes);
    if (!code)
        code = gm_decompress_memory(ctx, model, bytes, length, NULL, &back);
    gm_dataset_free(back);
    gm_dataset_free(rows);
    gm_model_free(model);
    gm_options_free(how);
    gm_context_free(ctx);
    return code;
}

START_TEST(failing_memory)
{
    gm_context *ctx = test_context(NULL);
    double x[N * COLUMNS];
    gm_dataset_free(scaled_rows(ctx, x));
    ck_assert_int_gt(test_every_failure(fit_and_pack, x, test_quick() ? 60 : 400), 50);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("values");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, kept);
    tcase_add_loop_test(t, given_back, 0, 3);
    tcase_add_test(t, law_at_values);
    tcase_add_loop_test(t, archives, 0, 2);
    tcase_add_test(t, hostile);
    tcase_add_test(t, failing_memory);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
