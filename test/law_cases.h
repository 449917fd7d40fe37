/* Small families whose conditionals are known in closed form or by counting. */
#ifndef TEST_LAW_CASES_H
#define TEST_LAW_CASES_H

#include "family_cases.h"
#include "genmod/genmod.h"

#include <math.h>

/* ---- Two normal columns of correlation 0.8, in any order ------------------------------------- */

#define RHO 0.8
#define REST 0.6 /* sqrt(1 - RHO^2) */

static inline int32_t pair_order(gm_builder *b, int32_t *order)
{
    (void)b;
    order[0] = 0;
    order[1] = 1;
    return 1;
}

static inline void pair_likelihood(gm_builder *b, gm_likelihood *l)
{
    (void)b;
    l->spread = GM_SPREAD_NETWORK;
    l->deviation = 1;
    l->name = "pair";
}

/* Mean RHO times the other column where that is known, and deviation REST, else 1. */
static inline gm_node *pair_raw(gm_builder *b, gm_node *x, gm_node *known)
{
    static const int32_t other[2] = {1, 0};
    gm_node *seen = gm_take(b, known, 2, other);
    gm_node *mean = gm_mul(b, gm_scale(b, gm_take(b, x, 2, other), RHO), seen);
    double low = log(REST - 1e-3), high = log(1 - 1e-3);
    gm_node *spread = gm_shift(b, gm_scale(b, seen, low - high), high);
    gm_node *parts[2] = {mean, spread};
    return gm_concat(b, 2, parts, -1);
}

/* The flow that makes one column of the other and noise; a parameter that does nothing. */
static inline gm_node *pair_log_prob(gm_builder *b, gm_node *x)
{
    gm_node *idle = case_row(b, "idle", x, GM_INIT_ZEROS);
    gm_node *first = gm_slice(b, x, -1, 0, 1), *second = gm_slice(b, x, -1, 1, 1);
    gm_node *z = gm_scale(b, gm_sub(b, second, gm_scale(b, first, RHO)), 1 / REST);
    gm_node *parts[2] = {first, z};
    gm_node *all = gm_add(b, gm_concat(b, 2, parts, -1), gm_scale(b, idle, 0));
    return gm_shift(b, gm_log_standard_normal(b, all), -log(REST));
}

static const gm_conditionals pair_conditionals = {.struct_size = sizeof pair_conditionals,
                                                  .order = pair_order,
                                                  .raw = pair_raw,
                                                  .likelihood = pair_likelihood};
static const gm_family pair = {.struct_size = sizeof pair,
                               .version = 1,
                               .name = "pair",
                               .summary = "two normal columns, each given the other or not",
                               .log_prob_kind = GM_EXACT,
                               .log_prob = pair_log_prob,
                               .conditionals = &pair_conditionals};

/* The same without conditionals of its own. */
static const gm_family mute = {.struct_size = sizeof mute,
                               .version = 1,
                               .name = "mute",
                               .summary = "two normal columns",
                               .log_prob_kind = GM_EXACT,
                               .log_prob = pair_log_prob};

/* ---- Normal columns one after another, from the last to the first, as a flow ------------------
 */

/* z_j = (x_j - (x_(j+1) + ... ) / 2) / (1 + j / 4). */
static inline gm_node *steps_z(gm_builder *b, gm_node *x, gm_node **log_slope)
{
    int64_t d = gm_node_dim(x, -1), square[2] = {d, d};
    double scale[16], half[16 * 16];
    for (int64_t j = 0; j < d; j++)
        scale[j] = 1 + (double)j / 4;
    for (int64_t i = 0; i < d * d; i++)
        half[i] = i / d > i % d ? 0.5 : 0;
    gm_node *s = gm_const_array(b, 1, &d, scale), *idle = case_row(b, "idle", x, GM_INIT_ZEROS);
    gm_node *later = gm_matmul(b, x, gm_const_array(b, 2, square, half), 0, 0);
    *log_slope = gm_neg(b, gm_log(b, s));
    return gm_div(b, gm_add(b, gm_sub(b, x, later), gm_scale(b, idle, 0)), s);
}

static inline gm_node *steps_log_prob(gm_builder *b, gm_node *x)
{
    gm_node *log_slope, *z = steps_z(b, x, &log_slope);
    return gm_add(b, gm_log_standard_normal(b, z), gm_sum_last_wide(b, log_slope));
}

static inline int32_t steps_order(gm_builder *b, int32_t *order)
{
    int64_t d = gm_builder_width(b);
    for (int64_t j = 0; j < d; j++)
        order[j] = (int32_t)(d - 1 - j);
    return 0;
}

static inline void steps_at(gm_builder *b, gm_node *x, gm_node **logp, gm_node **below,
                            gm_node **above)
{
    const double half_log_two_pi = 0.91893853320467274178;
    gm_node *log_slope, *z = gm_wide(b, steps_z(b, x, &log_slope));
    *logp = gm_shift(b, gm_add(b, gm_scale(b, gm_square(b, z), -0.5), gm_wide(b, log_slope)),
                     -half_log_two_pi);
    *below = gm_normal_cdf(b, z);
    *above = gm_normal_cdf(b, gm_neg(b, z));
}

static const gm_conditionals steps_conditionals = {
    .struct_size = sizeof steps_conditionals, .order = steps_order, .at = steps_at};
static const gm_family steps = {.struct_size = sizeof steps,
                                .version = 1,
                                .name = "steps",
                                .summary = "normal columns, from the last to the first",
                                .log_prob_kind = GM_EXACT,
                                .log_prob = steps_log_prob,
                                .conditionals = &steps_conditionals};

/* ---- Columns of every type, one after another ------------------------------------------------ */

static inline int32_t ladder_columns(gm_builder *b, int32_t *order, int32_t *of)
{
    int64_t width = gm_builder_width(b);
    int32_t count = 0;
    gm_x_column c = {.struct_size = sizeof c, .width = 1};
    for (int64_t j = 0; j < width; j += c.width) {
        gm_builder_x_column(b, j, &c);
        for (int64_t i = 0; of && i < c.width; i++)
            of[j + i] = count;
        if (order)
            order[count] = (int32_t)j;
        count++;
    }
    return count;
}

static inline int32_t ladder_order(gm_builder *b, int32_t *order)
{
    ladder_columns(b, order, NULL);
    return 0;
}

static inline void ladder_likelihood(gm_builder *b, gm_likelihood *l)
{
    (void)b;
    l->spread = GM_SPREAD_COLUMN;
    l->deviation = 0.7;
    l->name = "ladder";
}

/* A linear map of the columns before; raw is in the order of x where reals come first, then whole
 * numbers, binary columns and categories. */
static inline gm_node *ladder_raw(gm_builder *b, gm_node *x, gm_node *known)
{
    int64_t w = gm_builder_width(b), square[2] = {w, w};
    double weight[32 * 32];
    int32_t of[32];
    (void)known;
    ladder_columns(b, NULL, of);
    for (int64_t i = 0; i < w; i++)
        for (int64_t j = 0; j < w; j++)
            weight[i * w + j] = of[i] < of[j] ? sin((double)(3 * i + 7 * j + 1)) : 0;
    gm_node *idle = case_row(b, "idle", x, GM_INIT_ZEROS), *bias;
    double start[32];
    for (int64_t j = 0; j < w; j++)
        start[j] = 0.5 * cos((double)j);
    bias = gm_add(b, gm_const_array(b, 1, &w, start), gm_scale(b, idle, 0));
    return gm_add(b, gm_matmul(b, x, gm_const_array(b, 2, square, weight), 0, 0), bias);
}

static inline gm_node *ladder_log_prob(gm_builder *b, gm_node *x)
{
    gm_likelihood l = {.struct_size = sizeof l};
    ladder_likelihood(b, &l);
    return gm_likelihood_log_prob(b, &l, ladder_raw(b, x, x), x);
}

static const gm_conditionals ladder_conditionals = {.struct_size = sizeof ladder_conditionals,
                                                    .order = ladder_order,
                                                    .raw = ladder_raw,
                                                    .likelihood = ladder_likelihood};
static const gm_family ladder = {.struct_size = sizeof ladder,
                                 .version = 1,
                                 .name = "ladder",
                                 .summary = "columns of every type, one after another",
                                 .log_prob_kind = GM_EXACT,
                                 .flags = GM_FAMILY_DISCRETE,
                                 .log_prob = ladder_log_prob,
                                 .conditionals = &ladder_conditionals};

/* ---- Models ---------------------------------------------------------------------------------- */

static const gm_family *const law_families[] = {&pair, &mute, &steps, &ladder};

static inline gm_context *law_context(const gm_allocator *allocator)
{
    gm_context *ctx = test_context(allocator);
    for (int i = 0; i < (int)(sizeof law_families / sizeof law_families[0]); i++)
        test_ok(ctx, gm_family_register(ctx, law_families[i]));
    return ctx;
}

/* d normal columns around 3 with deviation 2. */
static inline gm_dataset *law_reals(gm_context *ctx, int64_t n, int64_t d)
{
    double *x = malloc((size_t)(n * d) * sizeof *x);
    uint64_t state = 4;
    gm_dataset *rows;
    for (int64_t i = 0; i < n * d; i++)
        x[i] = 3 + 2 * case_normal(&state);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, d, 0, &rows));
    free(x);
    return rows;
}

/* real, integer (2 to 6), binary, category of three. */
static inline gm_dataset *law_mixed(gm_context *ctx, int64_t n)
{
    static const int types[] = {GM_COLUMN_REAL, GM_COLUMN_INTEGER, GM_COLUMN_BINARY,
                                GM_COLUMN_CATEGORY};
    double *x = malloc((size_t)(n * 4) * sizeof *x);
    uint64_t state = 6;
    gm_dataset *rows, *next;
    for (int64_t i = 0; i < n; i++) {
        x[i * 4] = case_normal(&state);
        x[i * 4 + 1] = i < 2 ? 2 + 4 * (double)i : 2 + (double)(test_random(&state) % 5);
        x[i * 4 + 2] = (double)(test_random(&state) % 2);
        x[i * 4 + 3] = (double)(test_random(&state) % 3);
    }
    test_ok(ctx, gm_dataset_from_f64(ctx, x, n, 4, 0, &rows));
    for (int64_t j = 0; j < 4; j++) {
        test_ok(ctx, gm_dataset_with_type(ctx, rows, j, types[j], 0, &next));
        gm_dataset_free(rows);
        rows = next;
    }
    free(x);
    return rows;
}

static inline gm_model *law_fit(gm_context *ctx, const char *family, gm_dataset *rows,
                                const char *transform)
{
    char text[64];
    snprintf(text, sizeof text, "transform=%s", transform);
    const char *settings[] = {"seed=1", "steps=1", "valid=0", "precision=f64", text, NULL};
    gm_options *how = case_options(ctx, settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, family, rows, how, &model));
    gm_options_free(how);
    return model;
}

#endif
