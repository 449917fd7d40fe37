/* The command line: what a subcommand takes, and what it was given. */
#ifndef TOOL_CLI_H
#define TOOL_CLI_H

/* Exit statuses; every function of the tool that can fail returns one of them after it told why. */
enum { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_USAGE = 2 };

/* An option, as --name VALUE, --name=VALUE or -l VALUE. A row of zeros ends a table. */
typedef struct cli_option {
    const char *name;
    char letter;       /* 0: no short form */
    const char *value; /* what --help calls the value; NULL: takes none */
    const char *help;
} cli_option;

typedef struct cli_args cli_args;

typedef struct cli_command {
    const char *name;
    const char *operands; /* as --help shows them: "FAMILY DATA" */
    const char *summary;
    int least, most; /* operands taken */
    const cli_option *options;
    int (*run)(const cli_args *args);
} cli_command;

typedef struct cli_given {
    const cli_option *option;
    const char *value; /* "" for an option that takes none */
} cli_given;

struct cli_args {
    const cli_command *command;
    int operand_count;
    const char *operand[4];
    int count;
    cli_given *given; /* in the order of the command line */
};

/* Reads the words behind the subcommand's name. After TOOL_OK the caller frees args->given; --help
 * is just an option that was given. */
int cli_parse(const cli_command *command, int count, char **words, cli_args *args);

/* The value of an option, the last one if it was given more than once; NULL if it was not. */
const char *cli_value(const cli_args *args, const char *name);
/* The next value of an option that may be repeated; *at starts at 0. NULL when there are no more.
 */
const char *cli_next(const cli_args *args, const char *name, int *at);

/* Prints the help of a subcommand on standard output. */
void cli_help(const cli_command *command);

/* Tells on standard error that the command line is wrong, and how; returns TOOL_USAGE. */
int cli_wrong(const cli_command *command, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

#endif
