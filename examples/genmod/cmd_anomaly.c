/* genmod anomaly MODEL DATA */
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "where to, columns score and p_value: .csv .tsv .npy [-]"},
    {"calibration", 0, "FILE", "rows that the model was not fitted to, for p-values [the model's]"},
    {"blame", 0, "K", "tell odd rows, each with the K columns that are most to blame"},
    {"level", 0, "A", "rows of a p-value of at most A are odd [0.01]"},
    TOOL_READ_OPTIONS,
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

typedef struct job {
    tool t;
    gm_model *model;
    gm_dataset *rows, *calibration;
    gm_options *how;
    int64_t n;
    double *score, *p_value;
} job;

static int save(const job *j, const char *path)
{
    static const char *const names[] = {"score", "p_value", NULL};
    double *both = tool_doubles(j->n, 2);
    int64_t i;
    int result;

    if (!both)
        return TOOL_FAILED;
    for (i = 0; i < j->n; i++) {
        both[2 * i] = j->score[i];
        both[2 * i + 1] = j->p_value[i];
    }
    result = tool_save_matrix(names, j->n, 2, both, path);
    free(both);
    return result;
}

/* The columns of one row, the worst first. */
static void print_row(job *j, int64_t row, double *blame, int64_t count)
{
    int64_t d = gm_model_column_count(j->model), k, i;

    printf("row %lld: score %.6g, p-value %.4g:", (long long)row + 1, j->score[row],
           j->p_value[row]);
    for (k = 0; k < count && k < d; k++) {
        gm_column column = {.struct_size = sizeof column};
        int64_t worst = 0;

        for (i = 1; i < d; i++)
            if (blame[i] > blame[worst])
                worst = i;
        gm_model_column(j->t.ctx, j->model, worst, &column);
        if (*column.name)
            printf("%s %s (%.3g)", k ? "," : "", column.name, blame[worst]);
        else
            printf("%s column %lld (%.3g)", k ? "," : "", (long long)worst + 1, blame[worst]);
        blame[worst] = -1;
    }
    putchar('\n');
}

static int tell_blame(job *j, int64_t columns, double level)
{
    int64_t d = gm_model_column_count(j->model), count = 0, i;
    int64_t *odd = malloc((size_t)j->n * sizeof *odd);
    double *blame = NULL;
    gm_dataset *rows = NULL;
    int result = odd ? TOOL_OK : tool_error("out of memory");

    for (i = 0; i < j->n && !result; i++)
        if (j->p_value[i] <= level)
            odd[count++] = i;
    if (!result && count == 0)
        printf("no row has a p-value of at most %g\n", level);
    if (!result && count) {
        blame = tool_doubles(count, d);
        result = blame ? TOOL_OK : TOOL_FAILED;
    }
    if (!result && count)
        result = tool_asked(&j->t, gm_dataset_take(j->t.ctx, j->rows, odd, count, &rows));
    if (!result && count)
        result = tool_asked(&j->t, gm_model_blame(j->t.ctx, j->model, rows, j->how, blame));
    for (i = 0; i < count && !result; i++)
        print_row(j, odd[i], blame + i * d, columns);
    gm_dataset_free(rows);
    free(blame);
    free(odd);
    return result;
}

static int read_level(const cli_args *args, double *level)
{
    const char *text = cli_value(args, "level");
    char *end = NULL;

    if (!text)
        return TOOL_OK;
    *level = strtod(text, &end);
    if (end == text || *end || !(*level > 0 && *level <= 1))
        return cli_wrong(args->command, "--level is '%s', a number over 0 and up to 1 was expected",
                         text);
    return cli_value(args, "blame")
               ? TOOL_OK
               : cli_wrong(args->command, "--level says which rows --blame K tells of: give both");
}

static int read_blame(const cli_args *args, int64_t *columns)
{
    const char *text = cli_value(args, "blame");
    char *end = NULL;

    if (!text)
        return TOOL_OK;
    *columns = strtol(text, &end, 10);
    return end != text && !*end && *columns >= 1
               ? TOOL_OK
               : cli_wrong(args->command, "--blame is '%s', a number from 1 was expected", text);
}

static int tell(job *j)
{
    const char *output = cli_value(j->t.args, "output"), *blame = cli_value(j->t.args, "blame");
    double level = 0.01;
    int64_t columns = 0;
    int result = read_level(j->t.args, &level);

    if (!result)
        result = read_blame(j->t.args, &columns);
    if (!result)
        result = tool_options(&j->t, "anomaly", NULL, &j->how);
    j->n = gm_dataset_row_count(j->rows);
    j->score = result ? NULL : tool_doubles(j->n, 2);
    if (!j->score)
        return result ? result : TOOL_FAILED;
    j->p_value = j->score + j->n;
    result = tool_asked(&j->t, gm_model_anomaly(j->t.ctx, j->model, j->rows, j->calibration, j->how,
                                                j->score, j->p_value));
    if (!result && (output || !blame))
        result = save(j, output);
    if (!result && blame)
        result = tell_blame(j, columns, level);
    return result;
}

static int run(const cli_args *args)
{
    const char *calibration = cli_value(args, "calibration");
    job j = {0};
    int result = tool_open(&j.t, args);

    if (!result)
        result = tool_check_operands(args, "DATA");
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&j.t, args->operand[0], &j.model);
    if (!result)
        result = tool_read_rows(&j.t, args->operand[1], &j.rows);
    if (!result && calibration)
        result = tool_read_rows(&j.t, calibration, &j.calibration);
    if (!result)
        result = tell(&j);
    free(j.score);
    gm_options_free(j.how);
    gm_dataset_free(j.calibration);
    gm_dataset_free(j.rows);
    gm_model_free(j.model);
    return tool_close(&j.t, result);
}

const cli_command command_anomaly = {
    "anomaly", "MODEL DATA", "which rows do not belong, how sure, and by which columns", 2, 2,
    options,   run,
};
