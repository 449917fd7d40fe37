/* What goes wrong, and what the library says: each mistake has a code for the program and a text
 * for its user, which tells what, where, what was expected and what to do. Nothing is printed or
 * ended by the library; warnings go to a log, if there is one. Run it as: errors DIRECTORY */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 200 };

static void show(gm_context *ctx, const char *mistake, gm_status status)
{
    char why[1024];

    gm_context_error(ctx, why, sizeof why, NULL);
    printf("%s\n    %s: %s\n", mistake, gm_status_name(status), status ? why : "no failure");
}

static void write_log(void *user, int32_t level, const char *text)
{
    printf("%s\n    %s: %s\n", (const char *)user, level == 1 ? "warning" : "information", text);
}

/* A fit with one option set from text. */
static gm_status fit_with(gm_context *ctx, const gm_dataset *rows, const char *name,
                          const char *value, gm_model **model)
{
    gm_options *how = NULL;
    gm_status status = gm_options_create(ctx, &how);

    if (!status)
        status = gm_options_set_int(ctx, how, "steps", 20);
    if (!status)
        status = gm_options_set_text(ctx, how, name, value);
    if (!status)
        status = gm_fit(ctx, "flow", rows, how, model);
    gm_options_free(how);
    return status;
}

static int write_file(const char *path)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return 1;
    fputs("place,height\nnorth,1.5\nsouth,2.5\neast,tall\nwest,0.5\n", file);
    return fclose(file);
}

int main(int argc, char **argv)
{
    char flat[] = "a column of one value, with a log";
    gm_logger log = {.struct_size = sizeof log, .user = flat, .write = write_log};
    gm_context_config hooks = {.struct_size = sizeof hooks, .logger = &log};
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *odd = NULL;
    gm_options *types = NULL;
    gm_model *model = NULL, *none = NULL;
    double x[2 * ROWS], logp, bad[2] = {0, NAN};
    char path[512];
    int i;

    if (argc != 2) {
        fputs("Usage: errors DIRECTORY\n", stderr);
        return 2;
    }
    if (gm_context_create(&hooks, &ctx) || gm_options_create(ctx, &types))
        return 2;
    snprintf(path, sizeof path, "%s/towns.csv", argv[1]);
    two_moons(ROWS, 1, x);
    if (write_file(path) || gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows) ||
        gm_options_set_text(ctx, types, "types", "height:real"))
        return 2;
    show(ctx, "a file that is not there", gm_dataset_from_csv(ctx, "no.csv", NULL, &odd));
    show(ctx, "a word among numbers", gm_dataset_from_csv(ctx, path, types, &odd));
    show(ctx, "a family that is not there", gm_fit(ctx, "flaw", rows, types, &model));
    show(ctx, "no seed", fit_with(ctx, rows, "layers", "4", &model));
    show(ctx, "an option mistyped", fit_with(ctx, rows, "layer", "4", &model));
    show(ctx, "a value out of range", fit_with(ctx, rows, "bins", "1", &model));
    show(ctx, "a row that is not there", gm_dataset_take(ctx, rows, (int64_t[]){ROWS}, 1, &odd));
    show(ctx, "a fit, as it should be", fit_with(ctx, rows, "seed", "1", &model));
    show(ctx, "a row without a number", gm_model_log_prob_f64(ctx, model, bad, 1, 0, NULL, &logp));
    show(ctx, "a sample without a seed", gm_model_sample_f64(ctx, model, 1, NULL, NULL, x));
    show(ctx, "a model that is none", gm_model_load(ctx, path, &none));
    for (i = 0; i < ROWS; i++)
        x[2 * i] = 3;
    gm_dataset_free(rows);
    gm_model_free(model);
    model = NULL;
    int failed = gm_dataset_from_f64(ctx, x, ROWS, 2, 0, &rows) != GM_OK ||
                 fit_with(ctx, rows, "seed", "1", &model) != GM_OK;
    gm_model_free(model);
    gm_options_free(types);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
