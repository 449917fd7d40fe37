/* genmod impute MODEL DATA */
#include <stdio.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "where to, the model's columns: .csv .tsv .npy [-]"},
    {"how", 0, "HOW", "draw, mean, median or mode of each missing cell given the rest [draw]"},
    TOOL_READ_OPTIONS,
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

static int impute(tool *t, const gm_model *model, const gm_dataset *rows)
{
    const char *point = cli_value(t->args, "how");
    gm_options *how = NULL;
    gm_dataset *whole = NULL;
    int result = tool_options(t, "impute", model, &how);

    if (!result && point && gm_options_set_text(t->ctx, how, "how", point))
        result = tool_failed(t);
    if (!result)
        result = tool_asked(t, gm_model_impute_rows(t->ctx, model, rows, NULL, how, &whole));
    if (!result)
        result = tool_save_rows(t, model, whole, cli_value(t->args, "output"));
    gm_dataset_free(whole);
    gm_options_free(how);
    return result;
}

static int run(const cli_args *args)
{
    return tool_ask_model(args, NULL, impute);
}

const cli_command command_impute = {
    "impute", "MODEL DATA", "fill missing cells in, given the rest of their rows", 2, 2,
    options,  run,
};
