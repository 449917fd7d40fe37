/* genmod: learns generative models from files, and asks them. The example program of libgenmod: it
 * uses the public calls only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const cli_command *const commands[] = {
    &command_families, &command_fit,     &command_sample,      &command_score,
    &command_encode,   &command_decode,  &command_reconstruct, &command_info,
    &command_compare,  &command_anomaly, &command_compress,    &command_decompress,
    &command_modes,    &command_impute,  &command_check,       &command_range,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *file)
{
    int i;

    fputs("Usage: genmod COMMAND ...\n"
          "Learns generative models from rows of data, and asks them.\n\n",
          file);
    for (i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n  genmod COMMAND --help   what a command takes\n"
          "  genmod --version        versions of the tool, the library and its arithmetic\n\n"
          "Files are read and written by their ending: .csv .tsv .npy .idx (or -ubyte), and .png "
          "for\n"
          "pictures out. '-' is standard input or output, as CSV.\n",
          file);
}

static void print_version(void)
{
    const char *name;
    int32_t i;

    printf("genmod %s (library %s, arithmetic %d)\n", GM_VERSION, gm_version(),
           (int)gm_arithmetic_revision());
    for (i = 0; (name = gm_build_info_name(i)) != NULL; i++)
        printf("%s: %s\n", name, gm_build_info(name));
}

static int run(const cli_command *command, int count, char **words)
{
    cli_args args;
    int status = cli_parse(command, count, words, &args);

    if (status)
        return status;
    if (cli_value(&args, "help"))
        cli_help(command);
    else
        status = command->run(&args);
    free(args.given);
    return status;
}

static int flush_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (status == TOOL_OK)
        tool_error("standard output could not be written");
    return status ? status : TOOL_FAILED;
}

int main(int argc, char **argv)
{
    int i;

    if (argc < 2) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return flush_output(TOOL_OK);
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        print_version();
        return flush_output(TOOL_OK);
    }
    for (i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i]->name))
            return flush_output(run(commands[i], argc - 2, argv + 2));
    fprintf(stderr, "genmod: there is no command '%s' ('genmod --help' lists them)\n", argv[1]);
    return TOOL_USAGE;
}
