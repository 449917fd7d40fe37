/* What the tests of calls share: a model of real columns and one of four kinds. */
#ifndef TEST_ASK_CASES_H
#define TEST_ASK_CASES_H

#include "family_cases.h"

#define ROWS 400
#define D 4

static inline gm_model *plain_model(gm_context *ctx)
{
    double *x = case_cloud(ROWS, D, 5);
    const char *settings[] = {"seed=3", "steps=20", "hidden=9", "layers=2", NULL};
    gm_model *model = case_fit(ctx, x, ROWS, D, settings);
    free(x);
    return model;
}

static inline gm_dataset *csv_rows(gm_context *ctx, const char *text)
{
    test_source source = {.data = text, .size = (int64_t)strlen(text)};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "rows.csv", NULL, &rows));
    return rows;
}

/* Rows of four kinds of columns: size, count, flag, kind. */
static inline gm_dataset *mixed_rows(gm_context *ctx)
{
    static const char *const kinds[] = {"ash", "beech", "cedar"};
    char *csv = malloc(ROWS * 40 + 40);
    uint64_t state = 3;
    size_t at = (size_t)sprintf(csv, "size,count,flag,kind\n");
    for (int i = 0; i < ROWS; i++)
        at +=
            (size_t)sprintf(csv + at, "%.6f,%d,%s,%s\n", test_uniform(&state, -1, 1),
                            (int)(test_random(&state) % 9), test_random(&state) % 3 ? "no" : "yes",
                            kinds[test_random(&state) % 3]);
    gm_dataset *rows = csv_rows(ctx, csv);
    free(csv);
    return rows;
}

static inline gm_model *mixed_model(gm_context *ctx)
{
    gm_dataset *rows = mixed_rows(ctx);
    gm_options *how = case_options(
        ctx, (const char *[]){"seed=3", "steps=20", "hidden=9", "layers=2", "draws=3", NULL});
    gm_model *model;
    test_ok(ctx, gm_fit(ctx, "flow", rows, how, &model));
    gm_options_free(how);
    gm_dataset_free(rows);
    return model;
}

#endif
