/* genmod range MODEL --where NAME=LOW..HIGH */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const cli_option options[] = {
    {"where", 'w', "NAME=RANGE", "a column and its range: x=1..5, x=..5, x=5, kind=oak; repeated"},
    {"given", 0, "FILE", "conditions of a conditional model, one row"},
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

/* The column that the text up to '=' names, by name or number; -1 for none. */
static int64_t find(tool *t, const gm_model *model, const char *text, size_t length)
{
    gm_column c = {.struct_size = sizeof c};
    int64_t j, d = gm_model_column_count(model);
    char *end;

    for (j = 0; j < d; j++)
        if (!gm_model_column(t->ctx, model, j, &c) && strlen(c.name) == length &&
            !memcmp(c.name, text, length))
            return j;
    j = strtoll(text, &end, 10);
    return end == text + length && j >= 1 && j <= d ? j - 1 : -1;
}

static int number(const char *text, size_t length, double *x)
{
    char copy[64], *end;

    if (length == 0 || length >= sizeof copy)
        return 0;
    memcpy(copy, text, length); /* "1." of "1..2" would be read as a number */
    copy[length] = 0;
    *x = strtod(copy, &end);
    return *end == 0 && *x == *x;
}

/* A range of text: two ends, one value, or a category. */
static int read_range(const gm_model *model, int64_t j, const char *text, double *low, double *high)
{
    const char *dots = strstr(text, "..");
    const char *name;
    int64_t k;

    for (k = 0; (name = gm_model_category(model, j, k)) != NULL; k++)
        if (!strcmp(name, text)) {
            *low = *high = (double)k;
            return 1;
        }
    if (!dots)
        return number(text, strlen(text), low) && number(text, strlen(text), high);
    return (dots == text || number(text, (size_t)(dots - text), low)) &&
           (!dots[2] || number(dots + 2, strlen(dots + 2), high)) && *low <= *high;
}

static int read_ranges(tool *t, const gm_model *model, double *low, double *high)
{
    int64_t j, d = gm_model_column_count(model);
    const char *text, *equals;
    int at = 0, any = 0;

    for (j = 0; j < d; j++) {
        low[j] = -INFINITY;
        high[j] = INFINITY;
    }
    for (; (text = cli_next(t->args, "where", &at)) != NULL; any = 1) {
        equals = strchr(text, '=');
        if (!equals)
            return cli_wrong(t->args->command, "--where %s: it takes NAME=RANGE", text);
        j = find(t, model, text, (size_t)(equals - text));
        if (j < 0)
            return cli_wrong(t->args->command, "--where %s: the model has no such column", text);
        if (low[j] > -INFINITY || high[j] < INFINITY)
            return cli_wrong(t->args->command,
                             "--where %s: the column has a range already; NAME=LOW..HIGH says both "
                             "of its ends",
                             text);
        if (!read_range(model, j, equals + 1, &low[j], &high[j]))
            return cli_wrong(t->args->command,
                             gm_model_category(model, j, 0)
                                 ? "--where %s: one of the column's categories was expected, as "
                                   "the data spelled it"
                                 : "--where %s: a number, or two with .. between, the lower first, "
                                   "was expected",
                             text);
    }
    return any ? TOOL_OK
               : cli_wrong(t->args->command, "--where says which columns lie in which ranges");
}

static int range(tool *t, const gm_model *model, double *low, double *high)
{
    int64_t d = gm_model_column_count(model);
    gm_options *how = NULL;
    tool_given given = {0};
    gm_array lower, upper;
    double p, error;
    int result = read_ranges(t, model, low, high);

    gm_array_init(&lower, GM_F64, low, 1, d);
    gm_array_init(&upper, GM_F64, high, 1, d);
    if (!result)
        result = tool_options(t, "range_prob", model, &how);
    if (!result)
        result = tool_read_given(t, model, 1, &given);
    if (!result)
        result = tool_asked(
            t, gm_model_range_prob(t->ctx, model, &lower, &upper, given.cond, how, &p, &error));
    if (!result)
        printf("%.10g +- %.3g\n", p, error);
    gm_options_free(how);
    free(given.cells);
    return result;
}

static int run(const cli_args *args)
{
    gm_model *model = NULL;
    double *ends = NULL;
    tool t;
    int result = tool_open(&t, args);

    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result)
        result = (ends = tool_doubles(2, gm_model_column_count(model))) ? TOOL_OK : TOOL_FAILED;
    if (!result)
        result = range(&t, model, ends, ends + gm_model_column_count(model));
    free(ends);
    gm_model_free(model);
    return tool_close(&t, result);
}

const cli_command command_range = {
    "range", "MODEL", "how probable it is that columns lie within ranges", 1, 1, options, run,
};
