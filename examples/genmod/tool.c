/* A run of the tool: context, errors, options. */
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

/* ---- Errors ---------------------------------------------------------------------------------- */

/* One line on standard error, whatever the text holds. */
static void tell(const char *before, const char *text)
{
    progress_wipe();
    fprintf(stderr, "genmod: %s", before);
    for (; *text; text++)
        fputc(*text == '\n' ? ' ' : *text, stderr);
    fputc('\n', stderr);
}

int tool_error(const char *format, ...)
{
    char text[2560];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    tell("", text);
    return TOOL_FAILED;
}

/* What the library advises, in the words of the command line. */
static void respell(char *text, size_t size)
{
    static const char *const spellings[][2] = {
        {"on_missing=drop", "--csv on_missing=drop"},
        {"leave it out", "leave it out with --columns"},
        {"the option 'held_out'", "--valid (the option 'held_out')"},
        {"auto: option 'held_out'", "auto: --valid (the option 'held_out')"},
        {"leave the column out", "leave the column out with --columns"},
    };
    size_t i;

    for (i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        const char *from = spellings[i][0], *to = spellings[i][1];
        size_t more = strlen(to) - strlen(from);
        char *at = strstr(text, from);
        if (!at || strstr(text, to) || strlen(text) + more >= size)
            continue;
        memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
        memcpy(at, to, strlen(to));
    }
}

/* The context's error, with room for the tool's words. */
static void find_error(tool *t, char *text, size_t size)
{
    gm_status code = GM_OK;

    if (gm_context_error(t->ctx, text, (int64_t)size, &code) <= 0)
        strcpy(text, "failed, without a reason");
    if (code == GM_E_CANCELLED)
        snprintf(text, size, "%s: interrupted", t->args->command->name);
    respell(text, size);
}

int tool_failed(tool *t)
{
    char text[2048];

    find_error(t, text, sizeof text);
    tell("", text);
    return TOOL_FAILED;
}

int tool_failed_at(tool *t, const char *path)
{
    gm_status code = GM_OK;
    char text[2048];

    if (path && !strcmp(path, "-"))
        path = "standard input";
    find_error(t, text, sizeof text);
    if (gm_context_error(t->ctx, NULL, 0, &code) > 0 && code == GM_E_CANCELLED)
        path = NULL;
    return path && !strstr(text, path) ? tool_error("%s: %s", path, text) : tool_failed(t);
}

int tool_refused(tool *t, gm_status status)
{
    int usage = status == GM_E_ARG || status == GM_E_RANGE || status == GM_E_UNKNOWN ||
                status == GM_E_STAGE;

    tool_failed(t);
    return usage ? TOOL_USAGE : TOOL_FAILED;
}

int tool_refused_rows(tool *t, gm_status status)
{
    const char *valid = tool_valid_file(t->args);
    char text[512] = "";

    gm_context_error(t->ctx, text, sizeof text, NULL);
    if (valid && !strncmp(text, "validation rows", 15))
        return tool_failed_at(t, valid);
    if (status == GM_E_DATA)
        return tool_failed_at(t, t->args->operand[1]);
    return tool_refused(t, status);
}

int tool_asked(tool *t, gm_status status)
{
    int usage = status == GM_E_RANGE || status == GM_E_STAGE;

    if (!status)
        return TOOL_OK;
    if (status == GM_E_DATA || status == GM_E_SHAPE || status == GM_E_UNKNOWN)
        tool_failed_at(t, t->args->operand[1]);
    else
        tool_failed(t);
    return usage ? TOOL_USAGE : TOOL_FAILED;
}

static void on_log(void *user, int32_t level, const char *text)
{
    const cli_args *args = user;

    char said[2048];

    if (level != 1 || cli_value(args, "quiet"))
        return;
    snprintf(said, sizeof said, "%s", text);
    respell(said, sizeof said);
    tell("warning: ", said);
}

/* ---- Context --------------------------------------------------------------------------------- */

static int set_threads(tool *t)
{
    const char *threads = cli_value(t->args, "threads");
    gm_status status;

    if (!threads)
        return TOOL_OK;
    status = gm_context_set_text(t->ctx, "threads", threads);
    return status ? tool_refused(t, status) : TOOL_OK;
}

int tool_open(tool *t, const cli_args *args)
{
    gm_context_config config = {.struct_size = sizeof config};
    gm_logger logger = {.struct_size = sizeof logger, .write = on_log};
    gm_status status;

    t->args = args;
    t->ctx = NULL;
    t->cancel = gm_cancel_create(NULL);
    if (!t->cancel)
        return tool_error("out of memory");
    logger.user = (void *)args;
    config.logger = &logger;
    config.cancel = t->cancel;
    status = gm_context_create(&config, &t->ctx);
    if (status)
        return tool_error("%s", gm_status_text(status));
    system_trip_on_interrupt(t->cancel);
    return set_threads(t);
}

int tool_close(tool *t, int status)
{
    system_trip_on_interrupt(NULL);
    gm_context_free(t->ctx);
    gm_cancel_free(t->cancel);
    return status;
}

int tool_ask_model(const cli_args *args, int (*check)(const cli_args *args), tool_work *work)
{
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    tool t;
    int result = tool_open(&t, args);

    if (!result && check)
        result = check(args);
    if (!result)
        result = tool_check_operands(args, "DATA");
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result)
        result = tool_read_rows(&t, args->operand[1], &rows);
    if (!result)
        result = work(&t, model, rows);
    gm_dataset_free(rows);
    gm_model_free(model);
    return tool_close(&t, result);
}

/* ---- Options --------------------------------------------------------------------------------- */

static int set_pair(tool *t, const char *option, const char *pair, gm_options *options)
{
    const char *equals = strchr(pair, '=');
    char name[128];
    size_t length = equals ? (size_t)(equals - pair) : 0;
    gm_status status;

    if (!length || length >= sizeof name)
        return cli_wrong(t->args->command, "option '--%s' is '%s', name=value was expected", option,
                         pair);
    memcpy(name, pair, length);
    name[length] = 0;
    status = gm_options_set_text(t->ctx, options, name, equals + 1);
    return status ? tool_refused(t, status) : TOOL_OK;
}

int tool_set_each(tool *t, const char *option, gm_options *options)
{
    const char *pair;
    int at = 0, status = TOOL_OK;

    while (!status && (pair = cli_next(t->args, option, &at)) != NULL)
        status = set_pair(t, option, pair, options);
    return status;
}

/* Whether a table of options has a row of that name. */
static int has_option(tool *t, const char *owner, const char *name)
{
    gm_option_info row = {.struct_size = sizeof row};
    int32_t i;

    for (i = 0; gm_option_at(t->ctx, owner, i, &row) == GM_OK; i++)
        if (!strcmp(row.name, name))
            return 1;
    return 0;
}

int tool_check_fit_names(tool *t, const char *family, const char *optimizer)
{
    static const char *const owners[] = {"fit", "log_prob", "sample"};
    const char *pair;
    char name[128];
    int at = 0;

    while ((pair = cli_next(t->args, "set", &at)) != NULL) {
        size_t i = 0;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(pair, "="), pair);
        while (i < 3 && !has_option(t, owners[i], name))
            i++;
        if (i == 3 && !has_option(t, family, name) && has_option(t, optimizer, name))
            return cli_wrong(t->args->command,
                             "there is no option '%s' of %s; it belongs to the optimizer: "
                             "--opt-set %s",
                             name, family, pair);
    }
    return TOOL_OK;
}

static int set_seed(tool *t, const char *owner, gm_options *options)
{
    const char *seed = cli_value(t->args, "seed");
    gm_status status = GM_OK;
    char was[32];

    if (seed)
        status = gm_options_set_text(t->ctx, options, "seed", seed);
    else if (has_option(t, owner, "seed") &&
             gm_options_get(t->ctx, options, "seed", was, sizeof was, NULL) != GM_OK)
        status = gm_options_set_int(t->ctx, options, "seed", 0);
    return status ? tool_refused(t, status) : TOOL_OK;
}

int tool_check_name(tool *t, const char *call, const char *family, const char *name)
{
    char owner[256];

    snprintf(owner, sizeof owner, "%.128s.%.64s", family, call);
    return has_option(t, owner, name)
               ? TOOL_OK
               : cli_wrong(t->args->command, "there is no option '%s' of %s", name, owner);
}

/* That a call knows every name, so that what it answers is a fault of the data or the value. A bag
 * of a fit may serve the calls too: the names of fits and of the family count. */
static int check_names(tool *t, const char *call, const char *family)
{
    const char *pair;
    char name[128];
    int at = 0;

    while ((pair = cli_next(t->args, "set", &at)) != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(pair, "="), pair);
        if (!has_option(t, "fit", name) && !has_option(t, family, name) &&
            tool_check_name(t, call, family, name))
            return TOOL_USAGE;
    }
    return TOOL_OK;
}

int tool_options(tool *t, const char *owner, const gm_model *model, gm_options **options)
{
    int status;

    if (gm_options_create(t->ctx, options))
        return tool_failed(t);
    status = tool_set_each(t, "set", *options);
    if (!status && model)
        status = check_names(t, owner, gm_model_family(model));
    return status ? status : set_seed(t, owner, *options);
}

double *tool_doubles(int64_t n, int64_t d)
{
    double *x = NULL;

    if (n >= 0 && d >= 0 && (d == 0 || n <= (int64_t)(PTRDIFF_MAX / sizeof *x) / d))
        x = malloc(((size_t)n * (size_t)d + 1) * sizeof *x);
    if (!x)
        tool_error("out of memory for %lld rows of %lld numbers", (long long)n, (long long)d);
    return x;
}
