/* genmod compare A B DATA */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "the log densities of each row by A and by B: .csv .tsv .npy"},
    TOOL_READ_OPTIONS,
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

static void print_model(const char *path, int32_t kind, double mean, double error, int64_t lost)
{
    static const char *const kinds[] = {"none", "exact", "lower bound", "estimate"};

    printf("%-24s %12.6g +- %-10.4g %s", path, mean, error, kinds[kind & 3]);
    if (lost)
        printf(", %lld rows impossible", (long long)lost);
    putchar('\n');
}

static void print_comparison(const cli_args *args, const gm_comparison *c)
{
    const char *better = "neither is better for sure";

    printf("mean log density of %lld rows, in nats\n", (long long)c->rows);
    print_model(args->operand[0], c->kind_a, c->mean_a, c->error_a, c->lost_a);
    print_model(args->operand[1], c->kind_b, c->mean_b, c->error_b, c->lost_b);
    if (c->difference > 2 * c->error || c->difference == INFINITY)
        better = "the first is better";
    else if (c->difference < -2 * c->error || c->difference == -INFINITY)
        better = "the second is better";
    printf("difference by row        %12.6g +- %-10.4g %s\n", c->difference, c->error, better);
    printf("the first tells %.1f %% of the rows better\n", 100 * c->won);
    if (c->binned)
        printf("%lld columns repeat their values and count as bins\n", (long long)c->binned);
}

static int save(const double *a, const double *b, int64_t n, const char *path)
{
    static const char *const names[] = {"log_prob_a", "log_prob_b", NULL};
    double *both = tool_doubles(n, 2);
    int64_t i;
    int result;

    if (!both)
        return TOOL_FAILED;
    for (i = 0; i < n; i++) {
        both[2 * i] = a[i];
        both[2 * i + 1] = b[i];
    }
    result = tool_save_matrix(names, n, 2, both, path);
    free(both);
    return result;
}

static int compare(tool *t, const gm_model *a, const gm_model *b, const gm_dataset *rows)
{
    const char *output = cli_value(t->args, "output");
    int64_t n = gm_dataset_row_count(rows);
    gm_comparison c = {.struct_size = sizeof c};
    gm_options *how = NULL;
    double *logp = tool_doubles(n, 2);
    int result = logp ? tool_options(t, "compare", NULL, &how) : TOOL_FAILED;

    if (!result) {
        gm_status status = gm_compare(t->ctx, a, b, rows, how, &c, logp, logp + n);
        result = status ? tool_refused(t, status) : TOOL_OK;
    }
    if (!result)
        print_comparison(t->args, &c);
    if (!result && output)
        result = save(logp, logp + n, n, output);
    gm_options_free(how);
    free(logp);
    return result;
}

static int check_files(const cli_args *args)
{
    tool_file files[] = {{"-o", NULL}, {"A", NULL}, {"B", NULL}, {"DATA", NULL}};
    int i;

    files[0].path = cli_value(args, "output");
    for (i = 0; i < 3; i++)
        files[i + 1].path = args->operand[i];
    return tool_check_files(args, files, 1, 4);
}

static int run(const cli_args *args)
{
    gm_dataset *rows = NULL;
    gm_model *a = NULL, *b = NULL;
    tool t;
    int result = tool_open(&t, args);

    if (!result)
        result = check_files(args);
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&t, args->operand[0], &a);
    if (!result)
        result = tool_read_model(&t, args->operand[1], &b);
    if (!result)
        result = tool_read_rows(&t, args->operand[2], &rows);
    if (!result)
        result = compare(&t, a, b, rows);
    gm_dataset_free(rows);
    gm_model_free(a);
    gm_model_free(b);
    return tool_close(&t, result);
}

const cli_command command_compare = {
    "compare", "A B DATA", "which of two models tells rows better", 3, 3, options, run,
};
