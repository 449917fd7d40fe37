/* genmod score MODEL DATA */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "where to, one column log_prob: .csv .tsv .npy [-]"},
    {"errors", 0, NULL, "a second column: the standard error of each"},
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

static int save(const double *logp, const double *error, int64_t n, const char *path)
{
    static const char *const names[] = {"log_prob", "error", NULL};
    double *both = tool_doubles(n, 2);
    int64_t i;
    int result;

    if (!both)
        return TOOL_FAILED;
    for (i = 0; i < n; i++) {
        both[2 * i] = logp[i];
        both[2 * i + 1] = error[i];
    }
    result = tool_save_matrix(names, n, 2, both, path);
    free(both);
    return result;
}

static int score(tool *t, const gm_model *model, const gm_dataset *rows)
{
    static const char *const name[] = {"log_prob", NULL};
    const char *output = cli_value(t->args, "output");
    int errors = cli_value(t->args, "errors") != NULL;
    int64_t n = gm_dataset_row_count(rows);
    gm_options *how = NULL;
    double *logp = tool_doubles(n, 2), *error = logp ? logp + n : NULL;
    int result = logp ? tool_options(t, "log_prob", model, &how) : TOOL_FAILED;

    if (!result)
        result = tool_asked(
            t, gm_model_log_prob_rows(t->ctx, model, rows, NULL, how, logp, errors ? error : NULL));
    if (!result && (output || !cli_value(t->args, "mean")))
        result = errors ? save(logp, error, n, output) : tool_save_matrix(name, n, 1, logp, output);
    if (!result && cli_value(t->args, "mean"))
        print_mean(logp, n);
    gm_options_free(how);
    free(logp);
    return result;
}

static int run(const cli_args *args)
{
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    tool t;
    int result = tool_open(&t, args);

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
