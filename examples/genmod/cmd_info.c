/* genmod info MODEL */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "record.h"
#include "tool.h"

static const cli_option options[] = {
    {"json", 0, NULL, "all of it as one JSON text"},
    TOOL_HELP_OPTION,
    {0},
};

/* The model's description as JSON; the caller frees. */
static char *describe(tool *t, const gm_model *model)
{
    int64_t length = 0;
    char *text = NULL;

    if (gm_model_describe(t->ctx, model, NULL, 0, &length) == GM_OK)
        text = malloc((size_t)length + 1);
    if (!text || gm_model_describe(t->ctx, model, text, length + 1, &length)) {
        tool_failed(t);
        free(text);
        return NULL;
    }
    return text;
}

static void print_sizes(tool *t, const gm_model *model)
{
    gm_family_info info = {.struct_size = sizeof info};

    printf("family        %s", gm_model_family(model));
    if (gm_family_find(t->ctx, gm_model_family(model), &info) == GM_OK)
        printf(" (%s)", info.summary);
    printf("\ncolumns       %lld", (long long)gm_model_column_count(model));
    if (gm_model_condition_count(model))
        printf(", given %lld more", (long long)gm_model_condition_count(model));
    printf("\ncode          %lld numbers a row\nparameters    %lld\nanswers       ",
           (long long)gm_model_code_count(model), (long long)gm_model_parameter_count(model));
    print_capabilities(gm_model_capabilities(model), ", ");
    printf("\nlog density   %s\n", log_prob_kind_name(gm_model_log_prob_kind(model)));
}

static void print_column(const gm_model *model, int64_t i, const gm_column *column)
{
    char number[32];

    snprintf(number, sizeof number, "%lld", (long long)i + 1);
    printf("  %-16s %-9s", *column->name ? column->name : number, column_type_name(column->type));
    if (column->categories) {
        int64_t k, shown = column->categories < 8 ? column->categories : 8;
        for (k = 0; k < shown; k++)
            printf("%s%s", k ? ", " : " ", gm_model_category(model, i, k));
        puts(shown < column->categories ? " ..." : "");
    } else
        printf(" %.6g to %.6g\n", column->low, column->high);
}

static int print_columns(tool *t, const gm_model *model)
{
    gm_column column = {.struct_size = sizeof column};
    int64_t i, count = gm_model_column_count(model) + gm_model_condition_count(model);

    puts("\nColumns:");
    for (i = 0; i < count; i++) {
        if (gm_model_column(t->ctx, model, i, &column))
            return tool_failed(t);
        if (i < 20 || i == count - 1)
            print_column(model, i, &column);
        else if (i == 20)
            printf("  ... %lld more ...\n", (long long)(count - 21));
    }
    return TOOL_OK;
}

static void print_options(tool *t, const gm_model *model)
{
    const char *name, *value;
    int32_t i;

    puts("\nOptions:");
    for (i = 0; gm_model_option_at(t->ctx, model, i, &name, &value) == GM_OK; i++)
        printf("  %-18s %s\n", name, value);
}

static int print(tool *t, const gm_model *model)
{
    char *text = describe(t, model);
    int result = text ? TOOL_OK : TOOL_FAILED;

    if (text && cli_value(t->args, "json"))
        puts(text);
    else if (text) {
        print_sizes(t, model);
        result = print_columns(t, model);
        print_options(t, model);
        record_print(text);
    }
    free(text);
    return result;
}

static int run(const cli_args *args)
{
    gm_model *model = NULL;
    tool t;
    int result = tool_open(&t, args);

    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result)
        result = print(&t, model);
    gm_model_free(model);
    return tool_close(&t, result);
}

const cli_command command_info = {
    "info", "MODEL", "family, options, sizes, capabilities and training record", 1, 1, options, run,
};
