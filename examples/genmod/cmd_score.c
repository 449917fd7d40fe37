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
    {"mean", 0, NULL,
     "print the mean, by --weight if given, its standard error and the number of rows"},
    TOOL_READ_OPTIONS,
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

/* What each row counts, in place of 1: the column of that role; weight keeps 1 if there is none. */
static int read_weights(tool *t, const gm_dataset *rows, int64_t n, double *weight)
{
    int64_t d = gm_dataset_column_count(rows), i, j;
    double *row;

    for (i = 0; i < n; i++)
        weight[i] = 1;
    for (j = 0; j < d; j++) {
        gm_column column = {.struct_size = sizeof column};

        if (gm_dataset_column(t->ctx, rows, j, &column))
            return tool_failed(t);
        if (column.role == GM_ROLE_WEIGHT)
            break;
    }
    if (j == d)
        return TOOL_OK;
    row = tool_doubles(1, d);
    if (!row)
        return TOOL_FAILED;
    for (i = 0; i < n; i++) {
        if (gm_dataset_read_f64(t->ctx, rows, i, 1, row, 0)) {
            free(row);
            return tool_failed(t);
        }
        weight[i] = row[j];
        if (!(row[j] >= 0)) {
            free(row);
            return tool_error("row %lld: its weight is missing or negative", (long long)i + 1);
        }
    }
    free(row);
    return TOOL_OK;
}

/* The error is that of a mean by weights: sqrt(n / (n - 1) sum w^2 (x - mean)^2) / sum w. One row
 * has none: then a - stands for it. */
static int print_mean(tool *t, const gm_dataset *rows, const double *logp, int64_t n)
{
    double mean = 0, squares = 0, all = 0, *weight = tool_doubles(n, 1);
    int result = weight ? read_weights(t, rows, n, weight) : TOOL_FAILED;
    int64_t i;

    for (i = 0; i < n && !result; i++) {
        mean += weight[i] > 0 ? weight[i] * logp[i] : 0;
        all += weight[i];
    }
    if (!result && n > 0 && !(all > 0))
        result = tool_error("no row has a weight above 0");
    mean /= all;
    for (i = 0; i < n && !result; i++)
        squares += weight[i] > 0 ? weight[i] * weight[i] * (logp[i] - mean) * (logp[i] - mean) : 0;
    if (!result) {
        printf("%.10g ", mean);
        if (n > 1)
            printf("%.10g", sqrt(squares * (double)n / (double)(n - 1)) / all);
        else
            putchar('-');
        printf(" %lld\n", (long long)n);
    }
    free(weight);
    return result;
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
        result = print_mean(t, rows, logp, n);
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
    return tool_ask_model(args, check_options, score);
}

const cli_command command_score = {
    "score", "MODEL DATA", "log density of each row, in nats", 2, 2, options, run,
};
