#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_wrong(const cli_command *command, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "genmod %s: ", command->name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, " ('genmod %s --help' tells more)\n", command->name);
    return TOOL_USAGE;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static const cli_option *find_long(const cli_option *table, const char *name, size_t length)
{
    for (; table->name; table++)
        if (strlen(table->name) == length && !strncmp(table->name, name, length))
            return table;
    return NULL;
}

static const cli_option *find_letter(const cli_option *table, char letter)
{
    for (; table->name; table++)
        if (table->letter == letter)
            return table;
    return NULL;
}

/* One word that begins with a dash: finds its option, and its value where the word holds it. */
static const cli_option *read_option(const cli_command *command, const char *word,
                                     const char **value)
{
    const cli_option *option;
    size_t length;

    if (word[1] != '-') {
        option = find_letter(command->options, word[1]);
        *value = option && word[2] ? word + 2 : NULL;
        return option;
    }
    length = strcspn(word + 2, "=");
    option = find_long(command->options, word + 2, length);
    *value = word[2 + length] == '=' ? word + 3 + length : NULL;
    return option;
}

/* Adds the option at words[*at], moving *at on to its value if that is the next word. */
static int add_option(cli_args *args, int count, char **words, int *at)
{
    const char *value, *word = words[*at];
    const cli_option *option = read_option(args->command, word, &value);

    if (!option)
        return cli_wrong(args->command, "there is no option '%s'", word);
    if (!option->value && value)
        return cli_wrong(args->command, "option '--%s' takes no value", option->name);
    if (option->value && !value) {
        if (*at + 1 >= count)
            return cli_wrong(args->command, "option '%s' needs a value, %s", word, option->value);
        value = words[++*at];
    }
    args->given[args->count].option = option;
    args->given[args->count].value = value ? value : "";
    args->count++;
    return TOOL_OK;
}

static int add_operand(cli_args *args, const char *word)
{
    if (args->operand_count >= args->command->most)
        return cli_wrong(args->command, "'%s' is one operand too many; it takes %s", word,
                         args->command->most ? args->command->operands : "none");
    args->operand[args->operand_count++] = word;
    return TOOL_OK;
}

static int read_words(cli_args *args, int count, char **words)
{
    int i, status, only_operands = 0;

    for (i = 0; i < count; i++) {
        if (!only_operands && !strcmp(words[i], "--")) {
            only_operands = 1;
            continue;
        }
        if (!only_operands && words[i][0] == '-' && words[i][1])
            status = add_option(args, count, words, &i);
        else
            status = add_operand(args, words[i]);
        if (status)
            return status;
    }
    if (args->operand_count < args->command->least && !cli_value(args, "help"))
        return cli_wrong(args->command, "it takes %s", args->command->operands);
    if (args->operand_count > 1 && !strcmp(args->operand[0], "-") && !strcmp(args->operand[1], "-"))
        return cli_wrong(args->command, "standard input can be one of them only");
    return TOOL_OK;
}

int cli_parse(const cli_command *command, int count, char **words, cli_args *args)
{
    int status;

    memset(args, 0, sizeof *args);
    args->command = command;
    args->given = calloc((size_t)count + 1, sizeof *args->given);
    if (!args->given) {
        fputs("genmod: out of memory\n", stderr);
        return TOOL_FAILED;
    }
    status = read_words(args, count, words);
    if (status) {
        free(args->given);
        args->given = NULL;
    }
    return status;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

const char *cli_value(const cli_args *args, const char *name)
{
    int i;

    for (i = args->count - 1; i >= 0; i--)
        if (!strcmp(args->given[i].option->name, name))
            return args->given[i].value;
    return NULL;
}

const char *cli_next(const cli_args *args, const char *name, int *at)
{
    while (*at < args->count) {
        const cli_given *given = &args->given[(*at)++];
        if (!strcmp(given->option->name, name))
            return given->value;
    }
    return NULL;
}

/* ---- Help ------------------------------------------------------------------------------------ */

void cli_help(const cli_command *command)
{
    const cli_option *option;
    char left[64];

    printf("Usage: genmod %s%s%s [OPTION]...\n%s.\n\n", command->name,
           *command->operands ? " " : "", command->operands, command->summary);
    for (option = command->options; option->name; option++) {
        int at = option->letter ? snprintf(left, sizeof left, "-%c, ", option->letter)
                                : snprintf(left, sizeof left, "    ");
        snprintf(left + at, sizeof left - (size_t)at, "--%s%s%s", option->name,
                 option->value ? " " : "", option->value ? option->value : "");
        printf("  %-28s  %s\n", left, option->help);
    }
}
