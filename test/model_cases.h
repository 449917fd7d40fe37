/* What the tests of model files share: small models of every kind of column, and their files. */
#ifndef TEST_MODEL_CASES_H
#define TEST_MODEL_CASES_H

#include "family_cases.h"

#define ROWS 300
#define D 3

/* ---- Models to save -------------------------------------------------------------------------- */

/* real, integer, binary and category columns. */
static inline gm_dataset *mixed_rows(gm_context *ctx)
{
    static const char *const kinds[] = {"ash", "beech \\\"x\\\"", "ced\303\244r"};
    char csv[ROWS * 40 + 40];
    uint64_t state = 3;
    size_t at = (size_t)sprintf(csv, "size,count,flag,kind\n");
    for (int i = 0; i < ROWS; i++)
        at +=
            (size_t)sprintf(csv + at, "%.6f,%d,%s,%s\n", test_uniform(&state, -1, 1),
                            (int)(test_random(&state) % 9), test_random(&state) % 3 ? "no" : "yes",
                            kinds[test_random(&state) % 3]);
    test_source source = {.data = csv, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "trees.csv", NULL, &rows));
    return rows;
}

static inline gm_dataset *real_rows(gm_context *ctx)
{
    double *x = case_cloud(ROWS, D, 5);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, D, 0, &rows));
    free(x);
    return rows;
}

/* Whole numbers centred and scaled: models of bins keep a list of them. */
static inline gm_dataset *listed_rows(gm_context *ctx)
{
    double x[2 * ROWS];
    uint64_t state = 6;
    gm_dataset *rows;
    for (int i = 0; i < 2 * ROWS; i++)
        x[i] = ((double)(test_random(&state) % 13) - 6.137) / (3.0391 + i % 2);
    test_ok(ctx, gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows));
    return rows;
}

static const struct {
    int mixed; /* 2: given size and kind; 3: values of no grid that come again */
    const char *settings[12];
    const char *family;
} models[] = {
    {0, {"seed=1", "steps=9", "hidden=6", "layers=2", "start=1", NULL}, "flow"},
    {0,
     {"seed=1", "steps=9", "hidden=6", "layers=2", "precision=f64", "whiten=1", "coupling=realnvp",
      "base=student", NULL},
     "flow"},
    {0,
     {"seed=18446744073709551615", "steps=9", "hidden=", "layers=2", "transform=quantile", NULL},
     "flow"},
    {0,
     {"seed=1", "steps=9", "hidden=5,5", "residual=1", "layers=1", "transform=logit", NULL},
     "flow"},
    {1, {"seed=1", "steps=9", "hidden=6", "layers=2", "mixing=swap", NULL}, "flow"},
    {1,
     {"seed=7", "steps=9", "hidden=6", "layers=2", "precision=f64", "transform=quantile",
      "mixing=permutation", "checkpoint_seconds=0.1", NULL},
     "flow"},
    {1, {"seed=1", "steps=9", "hidden=6", "code=3", "free_bits=0.1", NULL}, "vae"},
    {1,
     {"seed=2", "steps=9", "hidden=5,4", "decoder=3", "code=2", "precision=f64", "spread=network",
      "transform=none", "levels=12", NULL},
     "vae"},
    {0,
     {"seed=3", "steps=9", "hidden=", "code=3", "spread=shared", "whiten=1", "transform=quantile",
      NULL},
     "vae"},
    {1, {"seed=1", "steps=9", "hidden=6", "levels=20", "embedding=6", NULL}, "diffusion"},
    {0,
     {"seed=2", "steps=9", "hidden=", "target=eps", "noise_schedule=linear", "precision=f64",
      "transform=quantile", NULL},
     "diffusion"},
    {1,
     {"seed=3", "steps=9", "hidden=5,4", "target=x0", "levels=1", "activation=gelu", NULL},
     "diffusion"},
    {2, {"seed=1", "steps=9", "hidden=6", "layers=2", NULL}, "flow"},
    {2, {"seed=1", "steps=9", "hidden=6", "code=3", "precision=f64", NULL}, "vae"},
    {2, {"seed=1", "steps=9", "hidden=6", "levels=20", "embedding=6", NULL}, "diffusion"},
    {1, {"seed=1", "steps=9", "hidden=6", "table=5", "orders=2", NULL}, "autoregressive"},
    {0,
     {"seed=2", "steps=9", "hidden=5,5", "residual=1", "order=random", "precision=f64",
      "components=3", NULL},
     "autoregressive"},
    {2, {"seed=3", "steps=9", "hidden=6", "any_order=1", "dropout=0.2", NULL}, "autoregressive"},
    {0, {"seed=1", "matrix=1", "bandwidth=silverman", "transform=standard", NULL}, "kde"},
    {1, {"seed=1", "kernel=tricube", "adaptive=1", "boundary=reflect", "walls=-1..", NULL}, "kde"},
    {0, {"seed=1", "components=3", "covariance=tied", "whiten=1", NULL}, "mixture"},
    {1, {"seed=1", "components=2", "transform=logit", NULL}, "mixture"},
    {1, {"seed=1", "components=2", "covariance=spherical", NULL}, "mixture"},
    {0, {"seed=1", "marginals=mixture", NULL}, "copula"},
    {1, {"seed=1", "transform=logit", NULL}, "copula"},
    {1, {"seed=1", "marginals=normal", "whiten=1", NULL}, "copula"},
    {3, {"seed=1", "components=2", "repeated=bins", NULL}, "mixture"},
    {3, {"seed=4", "steps=9", "hidden=6", "components=2", "repeated=bins", NULL}, "autoregressive"},
};
#define A_DIFFUSION 9
#define A_CONDITIONAL 12
#define A_SEQUENCE 15
#define A_VAE 6 /* the first that is one */
#define MODELS ((int)(sizeof models / sizeof models[0]))

static inline gm_model *model_of(gm_context *ctx, int which)
{
    gm_dataset *rows = models[which].mixed == 3 ? listed_rows(ctx)
                       : models[which].mixed    ? mixed_rows(ctx)
                                                : real_rows(ctx),
               *view;
    for (int column = 0; models[which].mixed == 2 && column < 4; column += 3) {
        test_ok(ctx, gm_dataset_with_role(ctx, rows, column, GM_ROLE_CONDITION, &view));
        gm_dataset_free(rows);
        rows = view;
    }
    gm_options *how = case_options(ctx, models[which].settings);
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, models[which].family, rows, how, &model));
    ck_assert_int_eq(gm_model_column_values(model, 0, NULL) != NULL, models[which].mixed == 3);
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

static inline test_sink bytes_of(gm_context *ctx, const gm_model *model)
{
    test_sink sink = {0};
    gm_writer writer = test_sink_writer(&sink);
    test_ok(ctx, gm_model_write(ctx, model, &writer));
    return sink;
}

/* One row of conditions for all rows, where the model has any: *cells has room for 8. */
static inline const gm_array *given_to(const gm_model *model, double *cells, gm_array *cond)
{
    int64_t c = gm_model_condition_count(model);
    for (int64_t i = 0; i < 8; i++)
        cells[i] = 1;
    *cond = case_array(GM_F64, cells, 1, c);
    return c > 0 && c <= 8 ? cond : NULL;
}

/* gm_model_describe's text; freed by the caller. */
static inline char *description(gm_context *ctx, const gm_model *model)
{
    int64_t length;
    test_ok(ctx, gm_model_describe(ctx, model, NULL, 0, &length));
    char *text = malloc((size_t)length + 1);
    test_ok(ctx, gm_model_describe(ctx, model, text, length + 1, NULL));
    return text;
}

#endif
