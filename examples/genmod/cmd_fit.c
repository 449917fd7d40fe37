/* genmod fit FAMILY DATA -o MODEL */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const cli_option options[] = {
    {"output", 'o', "MODEL", "the model file to write"},
    {"valid", 0, "FILE|FRACTION", "rows to validate on, or the share of DATA to set aside"},
    {"init", 0, "MODEL", "a model to go on from: its columns, options and weights"},
    {"set", 0, "NAME=VALUE", "an option of the family or of fit ('genmod families FAMILY')"},
    {"optimizer", 0, "NAME", "the rule of descent [adam]"},
    {"opt-set", 0, "NAME=VALUE", "an option of the optimizer ('genmod families adam')"},
    {"epochs", 0, "N", "passes over the data: --set epochs=N"},
    {"steps", 0, "N", "steps in all: --set steps=N"},
    {"seconds", 0, "S", "time budget: --set seconds=S"},
    {"batch", 0, "N", "rows a step: --set batch=N"},
    {"seed", 0, "N", "of everything that is drawn: --set seed=N [0]"},
    {"threads", 0, "N", "threads to work with; changes no result [1]"},
    TOOL_READ_OPTIONS,
    {"checkpoint", 0, "FILE", "save the fit as it stands now and then: --set checkpoint=FILE"},
    {"resume", 0, "FILE", "go on from a checkpoint of the same fit"},
    {"for", 0, "anomaly", "leave out the least probable tenth, keep scores of rows laid aside"},
    {"quiet", 0, NULL, "no bar, no warnings"},
    {"log", 0, "FILE.csv", "write loss, validation and speed there as the fit goes"},
    TOOL_HELP_OPTION,
    {0},
};

/* What a fit needs, to be freed together. */
typedef struct job {
    tool t;
    gm_dataset *train, *valid;
    gm_options *options;
    gm_optimizer *optimizer;
    gm_trainer *trainer;
    gm_model *init, *model;
    progress *progress;
    gm_fit_config config;
    char checkpoint[4096]; /* what find_checkpoint found */
} job;

static int set_sugar(job *j)
{
    static const char *const names[] = {"epochs", "steps", "seconds", "batch", "checkpoint"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = cli_value(j->t.args, names[i]);
        gm_status status =
            value ? gm_options_set_text(j->t.ctx, j->options, names[i], value) : GM_OK;
        if (status)
            return tool_refused(&j->t, status);
    }
    return TOOL_OK;
}

const char *tool_valid_file(const cli_args *args)
{
    const char *value = cli_value(args, "valid");
    char *end = NULL;

    if (!value)
        return NULL;
    strtod(value, &end);
    return end == value || *end ? value : NULL;
}

static int read_valid(job *j)
{
    const char *value = cli_value(j->t.args, "valid"), *file = tool_valid_file(j->t.args);
    gm_status status;

    if (!value)
        return TOOL_OK;
    if (file)
        return tool_read_rows(&j->t, file, &j->valid);
    status = gm_options_set_text(j->t.ctx, j->options, "valid", value);
    return status ? tool_refused(&j->t, status) : TOOL_OK;
}

static int make_optimizer(job *j)
{
    const char *name = cli_value(j->t.args, "optimizer");
    gm_options *settings = NULL;
    gm_status status;
    int result;

    if (!name && !cli_value(j->t.args, "opt-set"))
        return TOOL_OK;
    if (gm_options_create(j->t.ctx, &settings))
        return tool_failed(&j->t);
    result = tool_set_each(&j->t, "opt-set", settings);
    if (!result) {
        status = gm_optimizer_create(j->t.ctx, name ? name : "adam", settings, &j->optimizer);
        result = status ? tool_refused(&j->t, status) : TOOL_OK;
    }
    gm_options_free(settings);
    return result;
}

/* Where the fit is saved as it goes, by --checkpoint or --set checkpoint=; NULL for nowhere. */
static const char *find_checkpoint(job *j)
{
    int64_t length = 0;

    if (gm_options_get(j->t.ctx, j->options, "checkpoint", j->checkpoint, sizeof j->checkpoint,
                       &length) != GM_OK)
        return NULL;
    return length ? j->checkpoint : NULL;
}

/* A fit goes on in the checkpoint that it resumes; nothing else is both read and written. */
static int check_files(job *j)
{
    const cli_args *args = j->t.args;
    const char *output = cli_value(args, "output"), *log = cli_value(args, "log");
    const char *checkpoint = find_checkpoint(j);
    tool_file files[] = {{"-o", NULL},   {"--log", NULL},   {"--checkpoint", NULL},
                         {"DATA", NULL}, {"--valid", NULL}, {"--init", NULL}};
    tool_file resumed[] = {{"-o", NULL}, {"--log", NULL}, {"--resume", NULL}};
    int result;

    files[0].path = resumed[0].path = output;
    files[1].path = resumed[1].path = log;
    files[2].path = checkpoint;
    files[3].path = args->operand[1];
    files[4].path = tool_valid_file(args);
    resumed[2].path = cli_value(args, "resume");
    files[5].path = cli_value(args, "init");
    result = tool_check_files(args, files, 3, 6);
    if (!result)
        result = tool_check_files(args, resumed, 2, 3);
    if (!result)
        result = tool_check_output(output);
    return result || !checkpoint ? result : tool_check_output(checkpoint);
}

/* Everything that can be wrong is found before the first step. */
static int prepare(job *j)
{
    const cli_args *args = j->t.args;
    const char *optimizer = cli_value(args, "optimizer");
    gm_family_info info = {.struct_size = sizeof info};
    gm_status status = gm_family_find(j->t.ctx, args->operand[0], &info);
    int result =
        status ? tool_refused(&j->t, status) : tool_options(&j->t, "fit", NULL, &j->options);

    if (!result)
        result = tool_check_fit_names(&j->t, args->operand[0], optimizer ? optimizer : "adam");
    if (!result)
        result = set_sugar(j);
    if (!result)
        result = make_optimizer(j);
    if (!result)
        result = check_files(j);
    if (!result)
        result = tool_read_rows(&j->t, args->operand[1], &j->train);
    if (!result)
        result = read_valid(j);
    if (!result && cli_value(args, "init"))
        result = tool_read_model(&j->t, cli_value(args, "init"), &j->init);
    if (!result)
        result = progress_open(&j->progress, cli_value(args, "log"),
                               cli_value(args, "resume") != NULL, !cli_value(args, "quiet"));
    return result;
}

/* A family without a trainer is fitted here already. */
static int start(job *j)
{
    const char *family = j->t.args->operand[0], *resume = cli_value(j->t.args, "resume");
    gm_family_info info = {.struct_size = sizeof info};
    gm_status status;

    j->config.struct_size = sizeof j->config;
    j->config.train = j->train;
    j->config.valid = j->valid;
    j->config.init = j->init;
    j->config.options = j->options;
    j->config.optimizer = j->optimizer;
    j->config.progress = progress_report;
    j->config.progress_user = j->progress;
    gm_family_find(j->t.ctx, family, &info);
    if (info.direct && !resume)
        status = gm_fit_with(j->t.ctx, family, &j->config, &j->model);
    else if (resume)
        status = gm_trainer_resume(j->t.ctx, family, &j->config, resume, &j->trainer);
    else
        status = gm_trainer_create(j->t.ctx, family, &j->config, &j->trainer);
    return status ? tool_refused_rows(&j->t, status) : TOOL_OK;
}

/* An interrupted fit keeps what it has in its checkpoint, if it has one. */
static int interrupted(job *j)
{
    gm_progress now = {.struct_size = sizeof now};
    const char *path = find_checkpoint(j);

    gm_cancel_reset(j->t.cancel);
    gm_trainer_progress(j->t.ctx, j->trainer, &now);
    if (!path)
        return tool_error("interrupted at step %lld; nothing was saved (--checkpoint FILE would)",
                          (long long)now.step);
    if (gm_trainer_checkpoint(j->t.ctx, j->trainer, path))
        return tool_failed(&j->t);
    return tool_error("interrupted at step %lld; '--resume %s' goes on from there",
                      (long long)now.step, path);
}

static int run_steps(job *j)
{
    gm_status status = j->model ? GM_OK : gm_trainer_step(j->t.ctx, j->trainer, 0);

    if (status == GM_E_CANCELLED)
        return interrupted(j);
    if (status || (!j->model && gm_trainer_model(j->t.ctx, j->trainer, &j->model)))
        return tool_failed(&j->t);
    return tool_save_model(&j->t, j->model, cli_value(j->t.args, "output"));
}

static int finish(job *j, int result)
{
    gm_progress now = {.struct_size = sizeof now};
    char last[512], time[32];
    int logged;

    if (!result && !j->trainer && progress_shown(j->progress)) {
        snprintf(last, sizeof last, "%s: %lld numbers", gm_model_family(j->model),
                 (long long)gm_model_parameter_count(j->model));
        logged = progress_close(j->progress, last);
    } else if (!result && progress_shown(j->progress) &&
               !gm_trainer_progress(j->t.ctx, j->trainer, &now)) {
        int at;
        progress_time(time, sizeof time, now.seconds);
        at = snprintf(last, sizeof last, "%s: %lld parameters, %lld steps in %s, loss %.5g",
                      gm_model_family(j->model), (long long)gm_model_parameter_count(j->model),
                      (long long)now.step, time, now.loss);
        if (now.best == now.best)
            snprintf(last + at, sizeof last - (size_t)at, ", validation %.5g at step %lld",
                     now.best, (long long)now.best_step);
        logged = progress_close(j->progress, last);
    } else
        logged = progress_close(j->progress, NULL);
    gm_model_free(j->model);
    gm_model_free(j->init);
    gm_trainer_free(j->trainer);
    gm_optimizer_free(j->optimizer);
    gm_options_free(j->options);
    gm_dataset_free(j->valid);
    gm_dataset_free(j->train);
    return result ? result : logged;
}

static int run(const cli_args *args)
{
    job j;
    int result;

    memset(&j, 0, sizeof j);
    if (!cli_value(args, "output"))
        return cli_wrong(args->command, "it needs -o MODEL, where the model goes");
    if (cli_value(args, "for"))
        return tool_fit_anomaly(args);
    if (!strcmp(args->operand[0], "auto"))
        return tool_fit_auto(args);
    result = tool_open(&j.t, args);
    if (!result)
        result = prepare(&j);
    if (!result)
        result = start(&j);
    if (!result)
        result = run_steps(&j);
    return tool_close(&j.t, finish(&j, result));
}

const cli_command command_fit = {
    "fit", "FAMILY DATA -o MODEL", "learns a model from rows of data", 2, 2, options, run,
};
