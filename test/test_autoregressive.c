/* Autoregressive models against sums over everything that can be, integrals, known tables and
 * counts of draws. */
#include "rows_cases.h"
#include "density/autoregressive.h"
#include "nn/nn.h"

static gm_model *fit_of(gm_context *ctx, const gm_dataset *rows, const char *const *settings)
{
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "autoregressive", rows, how, &model));
    gm_options_free(how);
    return model;
}

/* ---- Sums over all rows that can be ---------------------------------------------------------- */

static const char *const bit_settings[][14] = {
    {"seed=1", "steps=30", "hidden=20", NULL},
    {"seed=2", "steps=30", "hidden=", "precision=f64", NULL},
    {"seed=3", "steps=30", "hidden=12,12,12", "residual=1", "dropout=0.2", "order=random", NULL},
    {"seed=4", "steps=30", "hidden=9,14", "direct=0", "orders=3", "activation=silu", NULL},
    {"seed=5", "steps=30", "hidden=3", "input_dropout=0.3", "order=random", "precision=f64", NULL},
    {"seed=6", "steps=30", "hidden=20,20", "any_order=1", NULL},
    {"seed=7", "steps=30", "hidden=16,16,16", "any_order=1", "residual=1", "orders=4",
     "dropout=0.1", NULL},
};
#define BIT_SETTINGS ((int)(sizeof bit_settings / sizeof bit_settings[0]))

/* log p of all 2^BITS rows. */
static void bit_log_probs(gm_context *ctx, const gm_model *model, double *logp)
{
    double x[1 << BITS][BITS];
    for (int i = 0; i < 1 << BITS; i++)
        for (int j = 0; j < BITS; j++)
            x[i][j] = i >> j & 1;
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x[0], 1 << BITS, 0, NULL, logp));
}

static double sum_exp(const double *logp, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp(logp[i]);
    return sum;
}

START_TEST(bits_sum_to_one)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = bit_rows(ctx, 300);
    gm_model *model = fit_of(ctx, rows, bit_settings[_i]);
    double logp[1 << BITS], sum;
    bit_log_probs(ctx, model, logp);
    sum = sum_exp(logp, 1 << BITS);
    ck_assert_msg(fabs(sum - 1) < 3e-6, "the sum is %.9g", sum);
    ck_assert_int_eq(gm_model_log_prob_kind(model), GM_EXACT);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

START_TEST(counts_and_categories_sum_to_one)
{
    static const char *const settings[][12] = {
        {"seed=1", "steps=60", "hidden=20", "table=8", "components=3", NULL},
        {"seed=2", "steps=60", "hidden=20", "table=100", "order=random", "precision=f64", NULL},
        {"seed=3", "steps=60", "hidden=12,12", "table=0", "components=1", "residual=1", NULL},
        {"seed=4", "steps=60", "hidden=20", "table=8", "components=2", "any_order=1", NULL},
        {"seed=5", "steps=60", "hidden=20", "table=0", "components=4", "orders=3", NULL},
    };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = count_rows(ctx);
    gm_model *model = fit_of(ctx, rows, settings[_i]);
    static double x[60 * 9 * 2 * 3][4], logp[60 * 9 * 2 * 3];
    int64_t n = 0;
    gm_column column = {.struct_size = sizeof column};
    double low[4], high[4];
    for (int j = 0; j < 4; j++) {
        test_ok(ctx, gm_model_column(ctx, model, j, &column));
        low[j] = j < 2 ? column.low : 0;
        high[j] = j < 2 ? column.high : (double)column.categories - 1;
    }
    for (double a = low[0]; a <= high[0]; a++)
        for (double b = low[1]; b <= high[1]; b++)
            for (double c = 0; c <= high[2]; c++)
                for (double k = 0; k <= high[3]; k++, n++)
                    memcpy(x[n], (double[4]){a, b, c, k}, sizeof x[n]);
    ck_assert_int_eq(high[3], 2);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, x[0], n, 0, NULL, logp));
    double sum = sum_exp(logp, n);
    ck_assert_msg(fabs(sum - 1) < 1e-5, "the sum over %lld rows is %.9g", (long long)n, sum);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static int print_real_and_flag(char *to, uint64_t *state)
{
    int flag = test_uniform(state, 0, 1) < 0.4;
    double x = case_normal(state) * 0.4 + (flag ? 2 : -1);
    double y = x * x + 0.5 * case_normal(state);
    return sprintf(to, "%.4f,%.4f,%d\n", x, y, flag);
}

/* Two real columns and a bit: the integral over a wide grid. */
START_TEST(reals_integrate_to_one)
{
    static const char *const settings[][12] = {
        {"seed=1", "steps=200", "hidden=20", "components=4", NULL},
        {"seed=2", "steps=200", "hidden=20", "components=1", "order=random", NULL},
        {"seed=3", "steps=200", "hidden=20", "components=3", "any_order=1", "orders=2", NULL},
    };
    enum { SIDE = 240 };
    static double x[SIDE][3], logp[SIDE];
    const double from_x = -8, from_y = -20, h = 0.07, k = 0.2;
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = csv_rows(ctx, "x,y,flag", 400, print_real_and_flag, 9);
    gm_model *model = fit_of(ctx, rows, settings[_i]);
    double sum = 0;
    for (int flag = 0; flag < 2; flag++)
        for (int i = 0; i < SIDE; i++) {
            for (int j = 0; j < SIDE; j++)
                memcpy(x[j], (double[3]){from_x + h * i, from_y + k * j, flag}, sizeof x[j]);
            test_ok(ctx, gm_model_log_prob_f64(ctx, model, x[0], SIDE, 0, NULL, logp));
            sum += h * k * sum_exp(logp, SIDE);
        }
    ck_assert_msg(fabs(sum - 1) < 2e-3, "the integral is %.6g", sum);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- What depends on what -------------------------------------------------------------------- */

/* raw of n rows x (n, width) with known (n, width), through the family's own hook, in double. */
static int64_t raw_of(gm_context *ctx, const gm_model *model, int64_t n, const double *x,
                      const double *known, double *raw, int32_t *owner)
{
    const gm__structure *s = model->structure;
    int64_t shape[2] = {GM_BATCH, s->width};
    const void *inputs[4] = {0};
    gm__purpose how = {0};
    gm_builder *b;
    gm__plan *plan;
    gm_likelihood l = {.struct_size = sizeof l};
    test_ok(ctx, gm__structure_builder(ctx, model->structure, &how, &b));
    gm_node *node = s->family->conditionals->raw(b, gm_input(b, "x", GM_REAL_NODE, 2, shape),
                                                 gm_input(b, "known", GM_REAL_NODE, 2, shape));
    gm__output output = {.node = gm_wide(b, node)};
    s->family->conditionals->likelihood(b, &l);
    gm__likelihood_owners(b, &l, owner);
    int64_t width = gm_node_dim(node, -1);
    test_ok(ctx, gm__builder_check(ctx, b));
    test_ok(ctx, gm__plan_create(ctx, b, &output, 1, s->real, n, &plan));
    ck_assert_int_eq(s->real, GM__F64);
    if (gm__plan_input(plan, "x") >= 0)
        inputs[gm__plan_input(plan, "x")] = x;
    if (gm__plan_input(plan, "known") >= 0)
        inputs[gm__plan_input(plan, "known")] = known;
    void *out = raw;
    gm__run run = {.batch = n, .params = model->params, .inputs = inputs, .outputs = &out};
    test_ok(ctx, gm__plan_run(ctx, plan, &run));
    gm__plan_free(plan);
    gm__builder_free(b);
    return width;
}

/* Places of the columns of x in the model's order; a category's columns have one place. */
static void places_of(gm_context *ctx, const gm_model *model, int *place)
{
    const gm__structure *s = model->structure;
    gm__purpose how = {0};
    gm_builder *b;
    int32_t order[32];
    int64_t at = 0;
    test_ok(ctx, gm__structure_builder(ctx, model->structure, &how, &b));
    s->family->conditionals->order(b, order);
    for (int64_t i = 0; at < s->width; i++)
        for (int64_t j = 0; j < s->x_columns[order[i]].width; j++, at++)
            place[order[i] + j] = (int)i;
    gm__builder_free(b);
}

/* Parameters of a column are the same bits whatever later columns hold, and depend on those
 * before. */
START_TEST(later_columns_do_not_matter)
{
    static const char *const settings[][12] = {
        {"seed=1", "steps=40", "hidden=25", "table=8", "precision=f64", NULL},
        {"seed=2", "steps=40", "hidden=15,15,15", "table=8", "precision=f64", "residual=1",
         "order=random", NULL},
        {"seed=3", "steps=40", "hidden=40,9", "table=0", "precision=f64", "direct=0",
         "order=random", NULL},
    };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = count_rows(ctx);
    gm_model *model = fit_of(ctx, rows, settings[_i]);
    int64_t width = model->structure->width;
    double x[2][16], known[2][16] = {{0}};
    static double raw[2 * 4096];
    int32_t owner[4096];
    int place[16], columns = 0, seen = 0;
    uint64_t state = 8;
    places_of(ctx, model, place);
    for (int64_t j = 0; j < width; j++)
        columns = place[j] >= columns ? place[j] + 1 : columns;
    ck_assert_int_eq(columns, 4);
    for (int changed = 0; changed < columns; changed++) {
        for (int64_t j = 0; j < width; j++) {
            x[0][j] = test_uniform(&state, -1, 1);
            x[1][j] = place[j] < changed ? x[0][j] : test_uniform(&state, -9, 9);
        }
        memmove(x[0] + width, x[1], (size_t)width * sizeof x[0][0]); /* rows side by side */
        int64_t n = raw_of(ctx, model, 2, x[0], known[0], raw, owner);
        for (int64_t j = 0; j < n; j++) {
            if (place[owner[j]] <= changed)
                must_msg(raw[j] == raw[n + j], "parameter %d of place %d depends on place %d",
                         (int)j, place[owner[j]], changed);
            seen += place[owner[j]] > changed && raw[j] != raw[n + j];
        }
    }
    ck_assert_msg(seen > 10, "only %d parameters depend on a column before", seen);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Any columns given any others ------------------------------------------------------------ */

#define SMALL 4
static double small_table(int i)
{
    int a = i & 1, b = i >> 1 & 1, c = i >> 2 & 1, d = i >> 3 & 1;
    double p = a ? 0.3 : 0.7;
    p *= b == a ? 0.8 : 0.2;
    p *= c == (a ^ b) ? 0.9 : 0.1;
    return p * (d == c ? 0.75 : 0.25);
}
static int print_small(char *to, uint64_t *state)
{
    double u = test_uniform(state, 0, 1);
    int i = 0;
    while (i < 15 && u >= small_table(i))
        u -= small_table(i++);
    return sprintf(to, "%d,%d,%d,%d\n", i & 1, i >> 1 & 1, i >> 2 & 1, i >> 3 & 1);
}

/* KL of Bernoulli laws. */
static double divergence(double right, double p)
{
    return right * log(right / p) + (1 - right) * log((1 - right) / (1 - p));
}

/* What a model says of bit j given the bits of `set`, against the table that its rows came from:
 * the mean divergence over values of these. */
static double off_by(gm_context *ctx, const gm_model *model, int set, int j)
{
    double sum = 0, x[SMALL], known[SMALL], raw[16];
    int32_t owner[16];
    for (int value = 0; value < 16; value++) {
        double mass[2] = {0};
        if (value & ~set)
            continue;
        for (int k = 0; k < SMALL; k++) {
            known[k] = set >> k & 1;
            x[k] = value >> k & 1;
        }
        ck_assert_int_eq(raw_of(ctx, model, 1, x, known, raw, owner), SMALL);
        for (int i = 0; i < 16; i++)
            if ((i & set) == value)
                mass[i >> j & 1] += small_table(i);
        double total = mass[0] + mass[1];
        sum += total * divergence(mass[1] / total, 1 / (1 + exp(-raw[j])));
    }
    return sum;
}

START_TEST(any_bits_given_any_others)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = csv_rows(ctx, "a,b,c,d", 20000, print_small, 21);
    gm_model *model = fit_of(ctx, rows,
                             (const char *const[]){"seed=3", "steps=3000", "hidden=48,48",
                                                   "any_order=1", "precision=f64", NULL});
    for (int set = 0; set < 15; set++)
        for (int j = 0; j < SMALL; j++) {
            double off = set >> j & 1 ? 0 : off_by(ctx, model, set, j);
            ck_assert_msg(off < 0.01, "bit %d given set %d is %g nats off", j, set, off);
        }
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* The laws of the columns, each given those before it in the model's order, multiply to p; of
 * several networks there is no such order. */
START_TEST(laws_multiply)
{
    enum { N = 40 };
    static const char *const settings[][12] = {
        {"seed=1", "steps=60", "hidden=20", "table=8", "components=3", NULL},
        {"seed=2", "steps=60", "hidden=20", "table=0", "order=random", "components=1", NULL},
        {"seed=3", "steps=60", "hidden=20", "table=8", "any_order=1", "order=random", NULL},
        {"seed=4", "steps=60", "hidden=20", "orders=2", NULL},
    };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = count_rows(ctx);
    gm_model *model = fit_of(ctx, rows, settings[_i]);
    double x[N][4], value[N], one[N], sum[N] = {0}, logp[N];
    unsigned char known[4] = {0};
    int64_t order[4];
    gm_conditional *c = NULL;
    gm_array ax = case_array(GM_F64, x, N, 4);
    test_ok(ctx, gm_dataset_read_f64(ctx, rows, 0, N, x[0], 0));
    test_ok(ctx, gm_conditional_create(ctx, model, NULL, &c));
    ck_assert_int_eq(gm_conditional_order(c, order), _i == 3 ? -1 : _i == 2);
    if (_i != 3) {
        for (int k = 0; k < 4; k++) {
            for (int i = 0; i < N; i++)
                value[i] = x[i][order[k]];
            test_ok(ctx, gm_conditional_set(ctx, c, &ax, NULL, known, order[k]));
            test_ok(ctx, gm_conditional_log_prob(ctx, c, 0, N, value, one));
            for (int i = 0; i < N; i++)
                sum[i] += one[i];
            known[order[k]] = 1;
        }
        test_ok(ctx, gm_model_log_prob(ctx, model, &ax, NULL, NULL, logp, NULL));
        for (int i = 0; i < N; i++)
            must_msg(test_close(sum[i], logp[i], 1e-5, 1e-5), "row %d: %.9g, not %.9g", i, sum[i],
                     logp[i]);
    }
    gm_conditional_free(c);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Ensembles ------------------------------------------------------------------------------- */

static void copy_params(const gm_model *from, const char *part, gm_model *to, int zero)
{
    const gm__layout *a = &from->structure->layout, *b = &to->structure->layout;
    for (int i = 0; i < b->count; i++) {
        const gm__slot *slot = &b->slots[i], *source = gm__layout_find(a, slot->name);
        if (strncmp(slot->name, part, strlen(part)) != 0)
            continue;
        double *x = (double *)to->params + slot->offset;
        if (zero)
            memset(x, 0, (size_t)slot->count * sizeof *x);
        else
            memcpy(x, (double *)from->params + source->offset, (size_t)slot->count * sizeof *x);
    }
}

/* With the second network silenced, p is the mean of the first one's and of 2^-BITS. */
START_TEST(ensemble_is_the_mean)
{
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = bit_rows(ctx, 200);
    gm_model *both = fit_of(ctx, rows,
                            (const char *const[]){"seed=1", "steps=40", "hidden=12", "orders=2",
                                                  "precision=f64", NULL});
    gm_model *one = fit_of(
        ctx, rows, (const char *const[]){"seed=1", "steps=1", "hidden=12", "precision=f64", NULL});
    double mean[1 << BITS], first[1 << BITS];
    copy_params(both, "net.0", one, 0);
    copy_params(both, "net.1", both, 1);
    bit_log_probs(ctx, both, mean);
    bit_log_probs(ctx, one, first);
    for (int i = 0; i < 1 << BITS; i++)
        must(test_close(exp(mean[i]), 0.5 * (exp(first[i]) + pow(2, -BITS)), 1e-12, 0));
    gm_model_free(both);
    gm_model_free(one);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- Draws ----------------------------------------------------------------------------------- */

/* Counts of rows drawn against their probabilities. */
START_TEST(draws_follow_probabilities)
{
    enum { N = 40000 };
    static double x[N][BITS];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = bit_rows(ctx, 300);
    gm_model *model = fit_of(ctx, rows, bit_settings[_i]);
    gm_options *how = case_options(ctx, (const char *const[]){"seed=5", NULL});
    double logp[1 << BITS], count[1 << BITS] = {0}, chi = 0, cells = 0;
    int64_t n = test_quick() ? N / 4 : N;
    bit_log_probs(ctx, model, logp);
    test_ok(ctx, gm_model_sample_f64(ctx, model, n, NULL, how, x[0]));
    for (int64_t i = 0; i < n; i++) {
        int number = 0;
        for (int j = 0; j < BITS; j++)
            number |= (int)x[i][j] << j;
        count[number]++;
    }
    for (int i = 0; i < 1 << BITS; i++) {
        double expected = (double)n * exp(logp[i]);
        if (expected > 5) {
            chi += (count[i] - expected) * (count[i] - expected) / expected;
            cells++;
        }
    }
    ck_assert_msg(fabs(chi - cells) < 5 * sqrt(2 * cells), "chi square %g in %g cells", chi, cells);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Draws of every kind of column score as their own law says: the mean of log p over rows drawn is
 * that of an integral over x, the negative entropy, known by rows drawn again. Means of columns
 * come back too. */
START_TEST(draws_of_mixed_columns)
{
    enum { N = 20000 };
    static double x[N][4];
    static const char *const settings[][12] = {
        {"seed=1", "steps=400", "hidden=30", "table=8", "components=3", NULL},
        {"seed=2", "steps=400", "hidden=30", "table=0", "order=random", NULL},
        {"seed=3", "steps=400", "hidden=30", "table=100", "any_order=1", NULL},
    };
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = count_rows(ctx);
    gm_model *model = fit_of(ctx, rows, settings[_i]);
    gm_options *how = case_options(ctx, (const char *const[]){"seed=5", NULL});
    static double logp[60 * 9 * 2 * 3], cell[60 * 9 * 2 * 3][4];
    double mean[4] = {0}, right[4] = {0}, square[4] = {0};
    int64_t n = 0;
    for (int a = 0; a <= 34; a++)
        for (int b = 0; b <= 4; b++)
            for (int c = 0; c < 2; c++)
                for (int k = 0; k < 3; k++, n++)
                    memcpy(cell[n], (double[4]){a, b, c, k}, sizeof cell[n]);
    test_ok(ctx, gm_model_log_prob_f64(ctx, model, cell[0], n, 0, NULL, logp));
    test_ok(ctx, gm_model_sample_f64(ctx, model, N, NULL, how, x[0]));
    for (int j = 0; j < 4; j++) {
        for (int64_t i = 0; i < n; i++) {
            right[j] += exp(logp[i]) * cell[i][j];
            square[j] += exp(logp[i]) * cell[i][j] * cell[i][j];
        }
        for (int64_t i = 0; i < N; i++)
            mean[j] += x[i][j] / N;
        double error = sqrt((square[j] - right[j] * right[j]) / N);
        ck_assert_msg(fabs(mean[j] - right[j]) < 5 * error, "column %d: mean %g, not %g +- %g", j,
                      mean[j], right[j], error);
    }
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* Modes that a single normal would miss, drawn at their places, and the gradient of log p. */
START_TEST(modes_of_a_mixture)
{
    enum { N = 4000 };
    static double x[N], drawn[N], logp[N];
    double two[3] = {-2.9, 0, 3.1}, at[3], up[3], down[3], grad[3];
    uint64_t state = 4;
    for (int i = 0; i < N; i++)
        x[i] = (i % 3 ? 3 : -3) + 0.3 * case_normal(&state);
    case_setup c;
    case_begin(&c, x, N, 1, "adam lr=0.01",
               (const char *const[]){"seed=4", "hidden=", "components=3", "steps=600",
                                     "precision=f64", NULL});
    gm_model *model = case_fit_now(&c, "autoregressive");
    double entropy = 0.5 * log(2 * 3.14159265358979 * 2.718281828459 * 0.09) + 0.6365, sum = 0;
    test_ok(c.ctx, gm_model_log_prob_f64(c.ctx, model, x, N, 0, NULL, logp));
    for (int i = 0; i < N; i++)
        sum += logp[i] / N;
    ck_assert_msg(fabs(sum + entropy) < 0.03, "mean log p %g, not %g", sum, -entropy);
    test_ok(c.ctx, gm_model_sample_f64(c.ctx, model, N, NULL, c.options, drawn));
    int left = 0, middle = 0;
    for (int i = 0; i < N; i++) {
        left += drawn[i] < -1.5;
        middle += fabs(drawn[i]) < 1.2;
    }
    ck_assert_msg(abs(left - N / 3) < 200 && middle < 40, "%d left, %d between", left, middle);
    gm_array ax = case_array(GM_F64, two, 3, 1), ag = case_array(GM_F64, grad, 3, 1);
    test_ok(c.ctx, gm_model_log_prob_gradient(c.ctx, model, &ax, NULL, NULL, at, &ag));
    for (int i = 0; i < 3; i++) {
        double h = 1e-5, plus = two[i] + h, minus = two[i] - h;
        test_ok(c.ctx, gm_model_log_prob_f64(c.ctx, model, &plus, 1, 0, NULL, &up[i]));
        test_ok(c.ctx, gm_model_log_prob_f64(c.ctx, model, &minus, 1, 0, NULL, &down[i]));
        ck_assert_msg(test_close(grad[i], (up[i] - down[i]) / (2 * h), 1e-5, 1e-6),
                      "gradient %g, not %g", grad[i], (up[i] - down[i]) / (2 * h));
    }
    gm_model_free(model);
    case_end(&c);
}
END_TEST

/* Colder draws: at temperature 0 each column is the likeliest given those before. */
START_TEST(temperature_of_draws)
{
    double x[20][BITS];
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = bit_rows(ctx, 300);
    gm_model *model = fit_of(ctx, rows, bit_settings[0]);
    gm_options *how = case_options(ctx, (const char *const[]){"seed=5", "temperature=0", NULL});
    test_ok(ctx, gm_model_sample_f64(ctx, model, 20, NULL, how, x[0]));
    for (int i = 1; i < 20; i++)
        ck_assert_mem_eq(x[i], x[0], sizeof x[0]);
    gm_options_free(how);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

/* ---- What is refused ------------------------------------------------------------------------- */

START_TEST(refused)
{
    static const struct {
        const char *settings[4];
        gm_status code;
        const char *part;
    } cases[] = {{{"seed=1", "orders=0", NULL}, GM_E_RANGE, "orders"},
                 {{"seed=1", "components=0", NULL}, GM_E_RANGE, "components"},
                 {{"seed=1", "order=sideways", NULL}, GM_E_RANGE, "natural"},
                 {{"hidden=4", NULL}, GM_E_SEED, "seed"}};
    gm_context *ctx = test_context(NULL);
    gm_dataset *rows = bit_rows(ctx, 50);
    gm_model *model = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_options *how = NULL;
        gm_status code = gm_options_create(ctx, &how);
        for (int k = 0; !code && cases[i].settings[k]; k++) {
            char name[64];
            const char *equals = strchr(cases[i].settings[k], '=');
            snprintf(name, sizeof name, "%.*s", (int)(equals - cases[i].settings[k]),
                     cases[i].settings[k]);
            code = gm_options_set_text(ctx, how, name, equals + 1);
        }
        ck_assert_int_eq(code, GM_OK);
        gm_status status = gm_fit(ctx, "autoregressive", rows, how, &model);
        ck_assert_msg(status == cases[i].code && strstr(test_error(ctx), cases[i].part),
                      "case %d gave %d: %s", (int)i, status, test_error(ctx));
        ck_assert_ptr_null(model);
        gm_options_free(how);
    }
    model = fit_of(ctx, rows, bit_settings[0]);
    double x[BITS] = {0}, z[BITS];
    gm_array ax = case_array(GM_F64, x, 1, BITS), az = case_array(GM_F64, z, 1, BITS);
    test_fails(ctx, gm_model_encode(ctx, model, &ax, NULL, NULL, &az), GM_E_UNSUPPORTED, "flow");
    test_fails(ctx, gm_model_sample_f64(ctx, model, 1, NULL, NULL, x), GM_E_SEED, "seed");
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("autoregressive");
    TCase *t = tcase_create("autoregressive");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, bits_sum_to_one, 0, BIT_SETTINGS);
    tcase_add_loop_test(t, counts_and_categories_sum_to_one, 0, 5);
    tcase_add_loop_test(t, reals_integrate_to_one, 0, 3);
    tcase_add_loop_test(t, later_columns_do_not_matter, 0, 3);
    tcase_add_test(t, any_bits_given_any_others);
    tcase_add_loop_test(t, laws_multiply, 0, 4);
    tcase_add_test(t, ensemble_is_the_mean);
    tcase_add_loop_test(t, draws_follow_probabilities, 0, BIT_SETTINGS);
    tcase_add_loop_test(t, draws_of_mixed_columns, 0, 3);
    tcase_add_test(t, modes_of_a_mixture);
    tcase_add_test(t, temperature_of_draws);
    tcase_add_test(t, refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
