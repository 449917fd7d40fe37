/* genmod fit FAMILY DATA -o MODEL --for anomaly */
#include <stdio.h>
#include <string.h>

#include "tool.h"

typedef struct job {
    tool t;
    gm_dataset *rows;
    gm_options *options;
    gm_model *model;
} job;

static int refuse_others(const cli_args *args)
{
    static const char *const names[] = {"optimizer", "opt-set", "checkpoint",
                                        "resume",    "init",    "log"};
    size_t i;

    if (strcmp(cli_value(args, "for"), "anomaly") != 0)
        return cli_wrong(args->command, "--for is '%.40s', must be anomaly",
                         cli_value(args, "for"));
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (cli_value(args, names[i]))
            return cli_wrong(args->command, "--for anomaly takes no --%s", names[i]);
    if (tool_valid_file(args))
        return cli_wrong(args->command,
                         "--for anomaly takes a share of DATA as --valid, not a file ('%.200s')",
                         tool_valid_file(args));
    return TOOL_OK;
}

static int set_options(job *j)
{
    static const char *const names[] = {"epochs", "steps", "seconds", "batch", "valid"};
    int result = tool_options(&j->t, "anomaly", NULL, &j->options), ladder;
    size_t i;

    ladder = !strcmp(j->t.args->operand[0], "auto");
    for (i = 0; i < sizeof names / sizeof *names && !result; i++) {
        const char *value = cli_value(j->t.args, names[i]);
        const char *name = ladder && i == 4 ? "held_out" : names[i];
        gm_status status = value ? gm_options_set_text(j->t.ctx, j->options, name, value) : GM_OK;

        result = status ? tool_refused(&j->t, status) : TOOL_OK;
    }
    return result;
}

static int learn(job *j)
{
    gm_status status =
        gm_fit_anomaly(j->t.ctx, j->t.args->operand[0], j->rows, j->options, &j->model);

    if (status)
        return tool_refused_rows(&j->t, status);
    if (!strcmp(j->t.args->operand[0], "auto") && !cli_value(j->t.args, "quiet"))
        printf("chosen by rows held out: %s\n", gm_model_family(j->model));
    return tool_save_model(&j->t, j->model, cli_value(j->t.args, "output"));
}

int tool_fit_anomaly(const cli_args *args)
{
    job j;
    tool_file files[] = {{"-o", NULL}, {"DATA", NULL}};
    int result;

    memset(&j, 0, sizeof j);
    files[0].path = cli_value(args, "output");
    files[1].path = args->operand[1];
    result = refuse_others(args);
    if (!result)
        result = tool_check_files(args, files, 1, 2);
    if (!result)
        result = tool_check_output(files[0].path);
    if (result)
        return result;
    result = tool_open(&j.t, args);
    if (!result)
        result = set_options(&j);
    if (!result)
        result = tool_read_rows(&j.t, args->operand[1], &j.rows);
    if (!result)
        result = learn(&j);
    gm_model_free(j.model);
    gm_options_free(j.options);
    gm_dataset_free(j.rows);
    return tool_close(&j.t, result);
}
