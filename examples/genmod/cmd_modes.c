/* genmod modes MODEL DATA */
#include <stdlib.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "FILE", "where to: .csv .tsv .npy [-]"},
    {"each", 0, NULL, "the mode of each row, in their order; else each mode once"},
    {"tolerance", 0, "T", "climb until a step is under T bandwidths [1e-6]"},
    {"steps", 0, "N", "or until N steps were made [1000]"},
    TOOL_READ_OPTIONS,
    {"threads", 0, "N", "threads to work with; changes no result [1]"},
    TOOL_HELP_OPTION,
    {0},
};

static double number(const cli_args *args, const char *name)
{
    const char *text = cli_value(args, name);
    return text ? strtod(text, NULL) : 0;
}

/* The first row of each mode, in the order found. */
static int pick(tool *t, const gm_dataset *places, const int64_t *mode, int64_t modes,
                gm_dataset **picked)
{
    int64_t n = gm_dataset_row_count(places), i, count = 0;
    int64_t *row = malloc((size_t)(modes > 0 ? modes : 1) * sizeof *row);
    int result = row ? TOOL_OK : TOOL_FAILED;

    for (i = 0; i < n && count < modes && row; i++)
        if (mode[i] == count)
            row[count++] = i;
    if (row && gm_dataset_take(t->ctx, places, row, count, picked))
        result = tool_failed(t);
    free(row);
    return result;
}

static int climb(tool *t, const gm_model *model, const gm_dataset *rows)
{
    int64_t n = gm_dataset_row_count(rows), modes = 0;
    int64_t *mode = malloc((size_t)(n > 0 ? n : 1) * sizeof *mode);
    gm_dataset *places = NULL, *picked = NULL;
    int each = cli_value(t->args, "each") != NULL;
    int result = mode ? TOOL_OK : TOOL_FAILED;

    if (!result)
        result = tool_asked(t, gm_kde_modes_rows(t->ctx, model, rows, number(t->args, "tolerance"),
                                                 (int64_t)number(t->args, "steps"), &places, mode,
                                                 &modes));
    if (!result && !each)
        result = pick(t, places, mode, modes, &picked);
    if (!result)
        result = tool_save_rows(t, model, each ? places : picked, cli_value(t->args, "output"));
    gm_dataset_free(picked);
    gm_dataset_free(places);
    free(mode);
    return result;
}

static int run(const cli_args *args)
{
    return tool_ask_model(args, NULL, climb);
}

const cli_command command_modes = {
    "modes", "MODEL DATA", "where a kernel density's rows climb to", 2, 2, options, run,
};
