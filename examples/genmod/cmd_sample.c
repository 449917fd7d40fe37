/* genmod sample MODEL -n N */
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static const cli_option options[] = {
    {"count", 'n', "N", "rows to draw"},
    {"given", 0, "FILE", "conditions: a row of them for each row to draw, or one for all"},
    {"output", 'o', "FILE", "where to: .csv .tsv .npy .idx, .png for pictures [-]"},
    {"sampler", 0, "NAME", "of a diffusion: heun, ddim or ancestral: --set sampler=NAME"},
    {"steps", 0, "N", "of a diffusion's sampler: --set sampler_steps=N"},
    {"temperature", 0, "T", "below 1 more typical rows: --set temperature=T"},
    TOOL_CALL_OPTIONS,
    TOOL_HELP_OPTION,
    {0},
};

/* Options of the call that have names of their own here. */
static int set_own(tool *t, const gm_model *model, gm_options *how)
{
    static const char *const names[][2] = {
        {"sampler", "sampler"}, {"steps", "sampler_steps"}, {"temperature", "temperature"}};

    for (int i = 0; i < 3; i++) {
        const char *value = cli_value(t->args, names[i][0]);
        int known =
            value ? tool_check_name(t, "sample", gm_model_family(model), names[i][1]) : TOOL_OK;
        gm_status status =
            value && !known ? gm_options_set_text(t->ctx, how, names[i][1], value) : GM_OK;

        if (known)
            return known;
        if (status)
            return tool_refused(t, status);
    }
    return TOOL_OK;
}

static int draw(tool *t, const gm_model *model, int64_t n)
{
    gm_options *how = NULL;
    gm_dataset *rows = NULL;
    tool_given given = {0};
    int result = tool_options(t, "sample", model, &how);

    if (!result)
        result = set_own(t, model, how);
    if (!result)
        result = tool_read_given(t, model, n, &given);
    if (!result)
        result = tool_asked(
            t, gm_model_sample_rows(t->ctx, model, n ? n : given.rows, given.cond, how, &rows));
    if (!result)
        result = tool_save_rows(t, model, rows, cli_value(t->args, "output"));
    gm_dataset_free(rows);
    free(given.cells);
    gm_options_free(how);
    return result;
}

static int run(const cli_args *args)
{
    const char *count = cli_value(args, "count");
    char *end = NULL;
    long long n = count ? strtoll(count, &end, 10) : 0;
    gm_model *model = NULL;
    tool t;
    int result;

    if (!count && !cli_value(args, "given"))
        return cli_wrong(args->command, "it needs -n N, how many rows to draw");
    if (count && (end == count || *end || n < 1))
        return cli_wrong(args->command, "-n is '%s', a whole number from 1 was expected", count);
    result = tool_open(&t, args);
    if (!result)
        result = tool_check_operands(args, NULL);
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result)
        result = draw(&t, model, n);
    gm_model_free(model);
    return tool_close(&t, result);
}

const cli_command command_sample = {
    "sample", "MODEL -n N", "draws rows that look like the data, in its units", 1, 1, options, run,
};
