/* Small families for the tests of fits: each shows one thing the loop must do. */
#ifndef TEST_FAMILY_CASES_H
#define TEST_FAMILY_CASES_H

#include "genmod/extend.h"
#include "flow_cases.h"
#include "base/io.h"
#include "model/model.h"

/* A parameter of one row, as wide as the data, spread over the batch. */
static inline gm_node *case_row(gm_builder *b, const char *name, gm_node *x, int32_t init)
{
    int64_t shape[2] = {GM_BATCH, gm_node_dim(x, -1)};
    return gm_broadcast(b, gm_param(b, name, 1, shape + 1, init, 1), 2, shape);
}

/* Independent normal columns: mean and log deviation are learned. */
static inline gm_node *bell_log_prob(gm_builder *b, gm_node *x)
{
    gm_node *mean = case_row(b, "mean", x, GM_INIT_ZEROS),
            *log_scale = case_row(b, "log_scale", x, GM_INIT_ZEROS);
    gm_node *z = gm_mul(b, gm_sub(b, x, mean), gm_exp(b, gm_neg(b, log_scale)));
    return gm_sub(b, gm_log_standard_normal(b, z), gm_sum_last_wide(b, log_scale));
}
static const gm_family bell = {.struct_size = sizeof bell,
                               .version = 1,
                               .name = "bell",
                               .summary = "independent normal columns",
                               .log_prob_kind = GM_EXACT,
                               .log_prob = bell_log_prob};

/* A loss of slope 1000 in every weight, whatever the data. */
static inline gm_node *slope_loss(gm_builder *b, gm_node *x)
{
    gm_node *w = case_row(b, "w", x, GM_INIT_ZEROS);
    return gm_sum(b, gm_add(b, gm_scale(b, w, 1000), gm_scale(b, x, 0)), -1, 0);
}
static const gm_family slope = {.struct_size = sizeof slope,
                                .version = 1,
                                .name = "slope",
                                .summary = "a loss that falls for ever",
                                .loss = slope_loss};

/* Two players: the first one's slope is 1000, the second one's 3; each phase sees its own only. */
static const char *const two_players[] = {"first.", "second."};
static inline gm_node *players_loss(gm_builder *b, gm_node *x)
{
    int second = gm_builder_phase(b) == 1;
    gm_node *w = case_row(b, second ? "second.w" : "first.w", x, GM_INIT_ZEROS);
    return gm_sum(b, gm_add(b, gm_scale(b, w, second ? 3 : 1000), gm_scale(b, x, 0)), -1, 0);
}
static const gm_family players = {.struct_size = sizeof players,
                                  .version = 1,
                                  .name = "players",
                                  .summary = "two players",
                                  .phases = 2,
                                  .players = two_players,
                                  .loss = players_loss};

/* Slope 1, and no number below -99.5: log of what is left, times nothing. */
static inline gm_node *trap_loss(gm_builder *b, gm_node *x)
{
    gm_node *w = case_row(b, "w", x, GM_INIT_ZEROS);
    gm_node *left = gm_scale(b, gm_log(b, gm_shift(b, w, 99.5)), 0);
    return gm_sum(b, gm_add(b, gm_add(b, w, left), gm_scale(b, x, 0)), -1, 0);
}
static const gm_family trap = {.struct_size = sizeof trap,
                               .version = 1,
                               .name = "trap",
                               .summary = "not a number below -99.5",
                               .loss = trap_loss};

/* log (5 + w): every way down ends where it is no number. */
static inline gm_node *cliff_loss(gm_builder *b, gm_node *x)
{
    gm_node *w = case_row(b, "w", x, GM_INIT_ZEROS);
    return gm_sum(b, gm_add(b, gm_log(b, gm_shift(b, w, 5)), gm_scale(b, x, 0)), -1, 0);
}
static const gm_family cliff = {.struct_size = sizeof cliff,
                                .version = 1,
                                .name = "cliff",
                                .summary = "the lowest loss is not a number",
                                .loss = cliff_loss};

/* Batch norm and dropout before a linear map to a normal density. */
static inline gm_node *normed_code(gm_builder *b, gm_node *x)
{
    gm_node *h = gm_nn_batch_norm(b, "norm", x, 0.1);
    h = gm_nn_dropout(b, gm_nn_linear(b, "map", h, 7), 0.3);
    return gm_nn_linear(b, "back", gm_tanh(b, h), gm_node_dim(x, -1));
}
static inline gm_node *normed_log_prob(gm_builder *b, gm_node *x)
{
    return gm_log_standard_normal(b, gm_sub(b, x, normed_code(b, x)));
}
static const gm_family normed = {.struct_size = sizeof normed,
                                 .version = 3,
                                 .name = "normed",
                                 .summary = "batch norm and dropout",
                                 .log_prob_kind = GM_ESTIMATE,
                                 .log_prob = normed_log_prob,
                                 .encode = normed_code};

static const gm_family *const case_families[] = {&bell, &slope, &players, &trap, &cliff, &normed};
#define CASE_FAMILIES ((int)(sizeof case_families / sizeof case_families[0]))

static inline gm_context *case_family_context(const gm_allocator *allocator)
{
    gm_context *ctx = test_context(allocator);
    for (int i = 0; i < CASE_FAMILIES; i++)
        test_ok(ctx, gm_family_register(ctx, case_families[i]));
    return ctx;
}

/* The values of a model's parameter, of either precision, as doubles. */
static inline void case_param(const gm_model *model, const char *name, int64_t n, double *out)
{
    const gm__slot *slot = gm__layout_find(&model->structure->layout, name);
    ck_assert_msg(slot && slot->count == n, "no parameter %s of that size", name);
    for (int64_t i = 0; i < n; i++)
        out[i] = model->structure->real == GM__F64 ? ((double *)model->params)[slot->offset + i]
                                                   : ((float *)model->params)[slot->offset + i];
}

/* What a fit is made of, kept together. */
typedef struct case_setup {
    gm_context *ctx;
    gm_options *options;
    gm_optimizer *optimizer;
    gm_dataset *train, *valid;
    gm_fit_config config;
} case_setup;

/* rows (n, d); optimizer as "sgd lr=1 momentum=0.5", NULL for the default. */
static inline void case_begin(case_setup *c, const double *rows, int64_t n, int64_t d,
                              const char *optimizer, const char *const *settings)
{
    memset(c, 0, sizeof *c);
    c->ctx = case_family_context(NULL);
    c->options = case_options(c->ctx, settings);
    test_ok(c->ctx, gm_dataset_from_f64(c->ctx, rows, n, d, 0, &c->train));
    if (optimizer) {
        char words[4][32] = {{0}};
        const char *pairs[4] = {0};
        int count =
            sscanf(optimizer, "%31s %31s %31s %31s", words[0], words[1], words[2], words[3]);
        for (int i = 1; i < count; i++)
            pairs[i - 1] = words[i];
        gm_options *bag = case_options(c->ctx, pairs);
        test_ok(c->ctx, gm_optimizer_create(c->ctx, words[0], bag, &c->optimizer));
        gm_options_free(bag);
    }
    c->config = (gm_fit_config){.struct_size = sizeof c->config,
                                .train = c->train,
                                .options = c->options,
                                .optimizer = c->optimizer};
}

static inline void case_end(case_setup *c)
{
    gm_options_free(c->options);
    gm_optimizer_free(c->optimizer);
    gm_dataset_free(c->train);
    gm_dataset_free(c->valid);
    gm_context_free(c->ctx);
}

static inline gm_progress case_progress(gm_context *ctx, const gm_trainer *t)
{
    gm_progress p = {.struct_size = sizeof p};
    test_ok(ctx, gm_trainer_progress(ctx, t, &p));
    return p;
}

/* A whole number of a model's training record. */
static inline int64_t case_record(gm_context *ctx, const gm_model *model, const char *name)
{
    char text[8192], key[64];
    test_ok(ctx, gm_model_describe(ctx, model, text, sizeof text, NULL));
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *record = strstr(text, "\"record\":"), *at = record ? strstr(record, key) : NULL;
    ck_assert_msg(at != NULL, "no %s in %s", name, text);
    return strtoll(at + strlen(key), NULL, 10);
}

static inline gm_model *case_fit_now(case_setup *c, const char *family)
{
    gm_model *model;
    test_ok(c->ctx, gm_fit_with(c->ctx, family, &c->config, &model));
    return model;
}

/* Makes the file's checksum true again: the digest of the file with its own digits as zeros. */
static inline void case_mend_checksum(unsigned char *bytes, int64_t size)
{
    static const char key[] = "\"sha256\":\"";
    for (int64_t i = 8; i + 80 < size && i < 80; i++)
        if (memcmp(bytes + i, key, sizeof key - 1) == 0) {
            unsigned char digest[32];
            char digits[65];
            gm__sha256 s;
            memset(bytes + i + 10, '0', 64);
            gm__sha256_begin(&s);
            gm__sha256_add(&s, bytes, (size_t)size);
            gm__sha256_end(&s, digest);
            gm__sha256_text(digest, digits);
            memcpy(bytes + i + 10, digits, 64);
            return;
        }
}

#endif
