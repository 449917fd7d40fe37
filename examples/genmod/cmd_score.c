/* genmod score MODEL DATA */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "where to, one column log_prob: .csv .tsv .npy [-]"},
    {"errors", 0, NULL, "a second column: the standard error of each"},
    {"bounds", 0, NULL, "two more columns: between which log p surely lies"},
    {"above", 0, "LEVEL", "a kde: one column, 1 where log p is above that, -1 below, 0 equal"},
    {"mean", 0, NULL, "print the mean, its standard error and the number of rows"},
    TOOL_READ_OPTIONS,
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

static void print_mean(const double *logp, int64_t n)
{
    double mean = 0, squares = 0;
    int64_t i;

    for (i = 0; i < n; i++)
        mean += logp[i];
    mean /= (double)n;
    for (i = 0; i < n; i++)
        squares += (logp[i] - mean) * (logp[i] - mean);
    printf("%.10g %.10g %lld\n", mean, n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : NAN,
           (long long)n);
}

/* Columns (n) side by side. */
static int save(const char *const *names, const double *const *columns, int64_t d, int64_t n,
                const char *path)
{
    double *all = tool_doubles(n, d);
    int64_t i, j;
    int result;

    if (!all)
        return TOOL_FAILED;
    for (i = 0; i < n; i++)
        for (j = 0; j < d; j++)
            all[i * d + j] = columns[j][i];
    result = tool_save_matrix(names, n, d, all, path);
    free(all);
    return result;
}

/* Whether each row is denser than a level. */
static int decide(tool *t, const gm_model *model, const gm_dataset *rows, const char *text)
{
    static const char *const name[] = {"above", NULL};
    int64_t n = gm_dataset_row_count(rows), i;
    char *end = NULL;
    double level = strtod(text, &end), *out;
    signed char *above;
    int result = TOOL_FAILED;

    if (end == text || *end)
        return cli_wrong(t->args->command, "--above '%s' is no number", text);
    above = malloc(n ? (size_t)n : 1);
    out = tool_doubles(n, 1);
    if (above && out)
        result = tool_asked(t, gm_kde_above_rows(t->ctx, model, rows, level, above));
    for (i = 0; i < n && !result; i++)
        out[i] = above[i];
    if (!result)
        result = tool_save_matrix(name, n, 1, out, cli_value(t->args, "output"));
    free(above);
    free(out);
    return result;
}

static int score(tool *t, const gm_model *model, const gm_dataset *rows)
{
    static const char *const names[] = {"log_prob", "error", NULL};
    static const char *const bound_names[] = {"log_prob", "lower", "upper", NULL};
    const char *output = cli_value(t->args, "output"), *level = cli_value(t->args, "above");
    int errors = cli_value(t->args, "errors") != NULL,
        bounds = cli_value(t->args, "bounds") != NULL;
    int64_t n = gm_dataset_row_count(rows);
    gm_options *how = NULL;
    double *logp = tool_doubles(n, 3);
    const double *columns[3];
    int result = logp ? tool_options(t, "log_prob", model, &how) : TOOL_FAILED;

    if (!result && level) {
        gm_options_free(how);
        free(logp);
        return decide(t, model, rows, level);
    }
    columns[0] = logp;
    columns[1] = logp ? logp + n : NULL;
    columns[2] = logp ? logp + 2 * n : NULL;
    if (!result)
        result =
            tool_asked(t, bounds ? gm_model_log_prob_bounds_rows(t->ctx, model, rows, NULL, how,
                                                                 logp, logp + n, logp + 2 * n)
                                 : gm_model_log_prob_rows(t->ctx, model, rows, NULL, how, logp,
                                                          errors ? logp + n : NULL));
    if (!result && (output || !cli_value(t->args, "mean")))
        result = save(bounds ? bound_names : names, columns,
                      bounds   ? 3
                      : errors ? 2
                               : 1,
                      n, output);
    if (!result && cli_value(t->args, "mean"))
        print_mean(logp, n);
    gm_options_free(how);
    free(logp);
    return result;
}

/* What is told of each row is one of these. */
static int check_options(const cli_args *args)
{
    static const char *const names[] = {"errors", "bounds", "above"};
    const char *given = NULL;
    int i;

    for (i = 0; i < 3; i++)
        if (cli_value(args, names[i])) {
            if (given)
                return cli_wrong(args->command, "--%s and --%s: one of them at a time", given,
                                 names[i]);
            given = names[i];
        }
    if (cli_value(args, "above") && cli_value(args, "mean"))
        return cli_wrong(args->command, "--above and --mean: one of them at a time");
    return TOOL_OK;
}

static int run(const cli_args *args)
{
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    tool t;
    int result = tool_open(&t, args);

    if (!result)
        result = check_options(args);
    if (!result)
        result = tool_check_operands(args, "DATA");
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result)
        result = tool_read_rows(&t, args->operand[1], &rows);
    if (!result)
        result = score(&t, model, rows);
    gm_dataset_free(rows);
    gm_model_free(model);
    return tool_close(&t, result);
}

const cli_command command_score = {
    "score", "MODEL DATA", "log density of each row, in nats", 2, 2, options, run,
};
