/* genmod fit auto DATA -o MODEL: the best of several families, by rows held out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

typedef struct job {
    tool t;
    gm_dataset *rows, *valid;
    gm_options *options;
    gm_model *model;
    gm_auto_report *report;
    progress *progress;
} job;

/* What the ladder chooses by itself. */
static int refuse_others(const cli_args *args)
{
    static const char *const names[] = {"optimizer", "opt-set",    "epochs", "steps",
                                        "batch",     "checkpoint", "resume", "init"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (cli_value(args, names[i]))
            return cli_wrong(args->command,
                             "fit auto takes no --%s: it chooses by itself, among new models",
                             names[i]);
    return TOOL_OK;
}

static int set_options(job *j)
{
    const char *seconds = cli_value(j->t.args, "seconds"), *valid = cli_value(j->t.args, "valid");
    const char *file = tool_valid_file(j->t.args);
    gm_status status = GM_OK;
    int result = tool_options(&j->t, "auto", NULL, &j->options);

    if (!result && seconds)
        status = gm_options_set_text(j->t.ctx, j->options, "seconds", seconds);
    if (!result && !status && valid && !file)
        status = gm_options_set_text(j->t.ctx, j->options, "held_out", valid);
    return status ? tool_refused(&j->t, status) : result;
}

static void print_row(const gm_auto_row *row)
{
    static const char *const kinds[] = {"", "exact", "bound", "estimate"};

    if (row->status) {
        printf("%-20s %9s %9s %8.1f  %s\n", row->rung, "-", "-", row->seconds, row->why);
        return;
    }
    printf("%-20s %9.4f %9.4f %8.1f  %s%s", row->rung, row->mean, row->error, row->seconds,
           kinds[row->kind & 3], row->chosen ? ", the best" : "");
    if (row->lost)
        printf(", %lld rows impossible", (long long)row->lost);
    printf("; %s %s", row->family, row->options);
    if (row->steps)
        printf(" (%lld steps)", (long long)row->steps);
    putchar('\n');
}

/* Which fit of the best the file holds. */
static void print_refit(const gm_auto_row *best)
{
    if (best->refit_rows)
        printf("the best was fitted again, to all %lld rows, in %.1f s; its figure is of the fit "
               "before, to %lld\n",
               (long long)best->refit_rows, best->refit_seconds, (long long)best->rows);
    else
        printf("the best learned from %lld rows; it was not fitted again to all: %s\n",
               (long long)best->rows, best->refit_why);
}

static void print_report(job *j)
{
    gm_auto_row row = {.struct_size = sizeof row}, best = row;
    int64_t i;

    printf("%-20s %9s %9s %8s\n", "", "held-out", "error", "seconds");
    for (i = 0; gm_auto_report_row(j->t.ctx, j->report, i, &row) == GM_OK; i++) {
        print_row(&row);
        best = row.chosen ? row : best;
    }
    print_refit(&best);
}

static int32_t tried(void *user, const gm_auto_row *row)
{
    job *j = user;

    if (!progress_shown(j->progress))
        return 0;
    progress_wipe();
    if (row->status)
        fprintf(stderr, "%-20s %s\n", row->rung, row->why);
    else
        fprintf(stderr, "%-20s held-out %.4f +- %.4f, %.1f s\n", row->rung, row->mean, row->error,
                row->seconds);
    return 0;
}

static int32_t report(void *user, const gm_progress *now)
{
    return progress_report(((job *)user)->progress, now);
}

static int learn(job *j)
{
    gm_auto_config config = {.struct_size = sizeof config};
    gm_status status;

    config.rows = j->rows;
    config.valid = j->valid;
    config.options = j->options;
    config.tried = tried;
    config.progress = report;
    config.user = j;
    status = gm_fit_auto(j->t.ctx, &config, &j->report, &j->model);
    progress_wipe();
    if (status)
        return tool_refused_rows(&j->t, status);
    print_report(j);
    return tool_save_model(&j->t, j->model, cli_value(j->t.args, "output"));
}

int tool_fit_auto(const cli_args *args)
{
    job j;
    tool_file files[] = {{"-o", NULL}, {"--log", NULL}, {"DATA", NULL}, {"--valid", NULL}};
    int result, logged;

    memset(&j, 0, sizeof j);
    files[0].path = cli_value(args, "output");
    files[1].path = cli_value(args, "log");
    files[2].path = args->operand[1];
    files[3].path = tool_valid_file(args);
    result = refuse_others(args);
    if (!result)
        result = tool_check_files(args, files, 2, 4);
    if (!result)
        result = tool_check_output(files[0].path);
    if (result)
        return result;
    result = tool_open(&j.t, args);
    if (!result)
        result = set_options(&j);
    if (!result)
        result = tool_read_rows(&j.t, args->operand[1], &j.rows);
    if (!result && files[3].path)
        result = tool_read_rows(&j.t, files[3].path, &j.valid);
    if (!result)
        result = progress_open(&j.progress, files[1].path, 0, !cli_value(args, "quiet"));
    if (!result)
        result = learn(&j);
    logged = progress_close(j.progress, NULL);
    gm_auto_report_free(j.report);
    gm_model_free(j.model);
    gm_options_free(j.options);
    gm_dataset_free(j.valid);
    gm_dataset_free(j.rows);
    return tool_close(&j.t, result ? result : logged);
}
