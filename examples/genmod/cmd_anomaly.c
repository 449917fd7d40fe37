/* genmod anomaly MODEL DATA
 *
 * Without calibration rows there are scores, and blame of the rows of the highest, but no p-values.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "where to, columns score and, if any, p_value: .csv .tsv .npy [-]"},
    {"calibration", 0, "FILE", "rows that the model was not fitted to, for p-values [the model's]"},
    {"blame", 0, "K", "tell odd rows, each with the K columns that are most to blame"},
    {"level", 0, "A", "odd: a p-value of at most A; without any, the share A of rows [0.01]"},
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
    double *score, *p_value; /* (n); p_value NULL: there are none */
} job;

static int save(const job *j, const char *path)
{
    static const char *const names[] = {"score", "p_value", NULL}, *const alone[] = {"score", NULL};
    double *both = j->p_value ? tool_doubles(j->n, 2) : j->score;
    int64_t i;
    int result;

    if (!both)
        return TOOL_FAILED;
    if (!j->p_value)
        return tool_save_matrix(alone, j->n, 1, both, path);
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

    printf("row %lld: score %.6g", (long long)row + 1, j->score[row]);
    if (j->p_value)
        printf(", p-value %.4g", j->p_value[row]);
    putchar(':');
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

static int compare_scores(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* The rows of low p-values, in their order; without p-values those of the highest scores, at least
 * one. */
static int find_odd(const job *j, double level, int64_t *odd, int64_t *count)
{
    double most = ceil(level * (double)j->n), *sorted;
    int64_t i;

    *count = 0;
    for (i = 0; j->p_value && i < j->n; i++)
        if (j->p_value[i] <= level)
            odd[(*count)++] = i;
    if (j->p_value)
        return TOOL_OK;
    sorted = tool_doubles(j->n, 1);
    if (!sorted)
        return TOOL_FAILED;
    memcpy(sorted, j->score, (size_t)j->n * sizeof *sorted);
    qsort(sorted, (size_t)j->n, sizeof *sorted, compare_scores);
    for (i = 0; i < j->n; i++)
        if (j->score[i] >= sorted[(int64_t)most - 1])
            odd[(*count)++] = i;
    free(sorted);
    return TOOL_OK;
}

static int tell_blame(job *j, int64_t columns, double level)
{
    int64_t d = gm_model_column_count(j->model), count = 0, i;
    int64_t *odd = malloc((size_t)j->n * sizeof *odd);
    double *blame = NULL;
    gm_dataset *rows = NULL;
    int result = odd ? TOOL_OK : tool_error("out of memory");

    if (!result)
        result = find_odd(j, level, odd, &count);
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

/* Where nothing says how odd other rows are, scores alone. */
static int ask(job *j)
{
    gm_status status =
        gm_model_anomaly(j->t.ctx, j->model, j->rows, j->calibration, j->how, j->score, j->p_value);

    if (status != GM_E_STATE || j->calibration)
        return tool_asked(&j->t, status);
    status = gm_model_anomaly(j->t.ctx, j->model, j->rows, NULL, j->how, j->score, NULL);
    if (status)
        return tool_asked(&j->t, status);
    j->p_value = NULL;
    fprintf(stderr,
            "genmod: scores without p-values: the model keeps no scores of rows that it was "
            "not fitted to; give such rows by --calibration FILE, or fit it with --for "
            "anomaly\n");
    return TOOL_OK;
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
    result = ask(j);
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
