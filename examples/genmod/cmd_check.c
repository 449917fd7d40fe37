/* genmod check MODEL [DATA] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "u of each cell of DATA given the columns before it: .csv .tsv .npy"},
    {"given", 0, "FILE", "conditions under which a conditional model is checked, one row"},
    {"by-column", 0, NULL, "a line for each column"},
    TOOL_READ_OPTIONS,
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

/* ---- The model by itself --------------------------------------------------------------------- */

static const char *verdict(int fine, int sure)
{
    return !sure ? "too few draws to tell" : fine ? "agrees" : "DISAGREES";
}

static void print_self(const gm_self_checked *c)
{
    static const char *const kinds[] = {"none", "exact", "lower bound", "estimate"};

    printf("the model by itself, %lld rows drawn\n", (long long)c->draws);
    if (c->integral == c->integral) {
        double off = c->integral - 1, error = c->integral_error;
        int below = c->kind == 2 && off < 0; /* a bound may lie below */
        printf("  integral of the density   %10.5g +- %-8.3g (%s)  %s\n", c->integral, error,
               kinds[c->kind & 3],
               verdict(below || fabs(off) < 4 * error + 1e-3, c->effective > 50));
    }
    if (c->drawn == c->drawn)
        printf("  mean log p of its draws   %10.5g +- %-8.3g\n", c->drawn, c->drawn_error);
    if (c->weighed == c->weighed) {
        double off = fabs(c->drawn - c->weighed);
        double error = hypot(c->drawn_error, c->weighed_error);
        printf("  the same by log_prob      %10.5g +- %-8.3g %s  %s\n", c->weighed,
               c->weighed_error, c->kind == 2 ? "(lower bound)" : "",
               verdict(off < 4 * error + 1e-3 || c->kind == 2, c->effective > 50));
    }
    if (c->return_mean == c->return_mean)
        printf("  decode(encode(x)) - x     %10.3g mean, %.3g at most, in deviations\n",
               c->return_mean, c->return_most);
}

static int check_self(tool *t, const gm_model *model, const gm_options *how)
{
    gm_self_checked c = {.struct_size = sizeof c};
    tool_given given;
    int result = tool_read_given(t, model, 1, &given);

    if (!result)
        result = tool_asked(t, gm_self_check(t->ctx, model, given.cond, how, &c));
    if (!result)
        print_self(&c);
    free(given.cells);
    return result;
}

/* ---- The model against rows ------------------------------------------------------------------ */

static const char *name_of(tool *t, const gm_model *model, int64_t j, char *room, size_t size)
{
    gm_column c = {.struct_size = sizeof c};

    if (gm_model_column(t->ctx, model, j, &c) || !c.name[0])
        snprintf(room, size, "column %lld", (long long)j + 1);
    else
        snprintf(room, size, "%.40s", c.name);
    return room;
}

static void print_regions(const gm_calibration *c)
{
    int k;

    if (!c->draws)
        return;
    puts("  region of the most probable    holds     should be within (99 of 100)");
    for (k = 0; k < GM_CALIBRATION_LEVELS; k++)
        printf("  %24.0f %%  %8.1f %%   %6.1f to %5.1f %%  %s\n", 100 * c->level[k],
               100 * c->coverage[k], 100 * c->low[k], 100 * c->high[k],
               c->coverage[k] < c->low[k]    ? "too sure"
               : c->coverage[k] > c->high[k] ? "not sure enough"
                                             : "");
}

/* Tenths of a column's u. */
static void print_column(const char *name, const double *pit, int64_t n, int64_t d, int64_t j,
                         double distance)
{
    int64_t i, count[10] = {0};
    int k;

    for (i = 0; i < n; i++) {
        k = (int)(pit[i * d + j] * 10);
        count[k < 9 ? k : 9]++;
    }
    printf("  %-20s %8.4f  ", name, distance);
    for (k = 0; k < 10; k++)
        printf(" %5.1f", n ? 100 * (double)count[k] / (double)n : 0);
    putchar('\n');
}

static void print_rows(tool *t, const gm_model *model, const gm_calibration *c,
                       const double *distance, const double *pit)
{
    int64_t j, d = gm_model_column_count(model);
    char room[64];

    printf("the model against %lld rows\n", (long long)c->rows);
    if (c->mean_log_prob == c->mean_log_prob)
        printf("  mean log p                %10.5g, of its own draws %.5g\n", c->mean_log_prob,
               c->mean_drawn);
    if (c->columns)
        printf("  worst of %lld columns: %s, %.4f from what it should be; by chance in %.2g of "
               "cases%s\n",
               (long long)c->columns, name_of(t, model, c->worst_column, room, sizeof room),
               c->worst_distance, c->worst_chance, c->worst_chance < 0.01 ? "  MISFIT" : "");
    else if (c->why_no_columns)
        puts("  columns: the model knows none given others");
    if (c->columns && cli_value(t->args, "by-column")) {
        puts("  column               distance   rows in each tenth of their probability, %");
        for (j = 0; j < d; j++)
            print_column(name_of(t, model, j, room, sizeof room), pit, c->rows, d, j, distance[j]);
    }
    print_regions(c);
}

static int save(tool *t, const gm_model *model, const double *pit, int64_t n)
{
    static const char *const name[] = {"u", NULL};

    return tool_save_matrix(name, n, gm_model_column_count(model), pit,
                            cli_value(t->args, "output"));
}

static int check_rows(tool *t, const gm_model *model, const gm_dataset *rows, const gm_options *how)
{
    gm_calibration c = {.struct_size = sizeof c};
    int64_t n = gm_dataset_row_count(rows), d = gm_model_column_count(model);
    double *pit = tool_doubles(n + 1, d), *distance = pit ? pit + n * d : NULL;
    int result = pit ? tool_asked(t, gm_calibrate(t->ctx, model, rows, how, &c, distance, pit))
                     : TOOL_FAILED;

    if (!result)
        print_rows(t, model, &c, distance, pit);
    if (!result && cli_value(t->args, "output"))
        result = c.columns ? save(t, model, pit, n)
                           : tool_error("check: -o: the model knows no column given others");
    free(pit);
    return result;
}

static int run(const cli_args *args)
{
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    gm_options *how = NULL;
    tool t;
    int result = tool_open(&t, args), data = args->operand_count > 1;

    if (!result && data)
        result = tool_check_operands(args, "DATA");
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result && data)
        result = tool_read_rows(&t, args->operand[1], &rows);
    if (!result)
        result = tool_options(&t, "calibrate", NULL, &how);
    if (!result && (!data || gm_model_condition_count(model) == 0 || cli_value(args, "given")))
        result = check_self(&t, model, how);
    if (!result && data)
        result = check_rows(&t, model, rows, how);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_model_free(model);
    return tool_close(&t, result);
}

const cli_command command_check = {
    "check", "MODEL [DATA]", "whether a model agrees with itself, and with rows", 1, 2, options,
    run,
};
