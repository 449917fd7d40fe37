/* What the subcommands share. */
#ifndef TOOL_H
#define TOOL_H

#include <genmod/genmod.h>

#include "cli.h"

/* ---- A run (tool.c) -------------------------------------------------------------------------- */

typedef struct tool {
    const cli_args *args;
    gm_context *ctx;
    gm_cancel *cancel; /* tripped by an interrupt */
} tool;

/* Makes the context, with --threads, warnings on standard error and interrupts tripping the token.
 */
int tool_open(tool *t, const cli_args *args);
/* Frees it and makes sure that what went to standard output arrived: a status in, a status out. */
int tool_close(tool *t, int status);

/* Tells the context's last error; TOOL_FAILED. */
int tool_failed(tool *t);
/* Likewise, with the path in front where the text does not name it; NULL for none. */
int tool_failed_at(tool *t, const char *path);
/* Likewise; TOOL_USAGE if the fault is a name or a value of the command line. */
int tool_refused(tool *t, gm_status status);
/* The same of a fit's rows: those of DATA, the second operand, or of the file given as --valid. */
int tool_refused_rows(tool *t, gm_status status);
/* What became of a call on a model: TOOL_OK, or its error told, as one of usage if an option's
 * value is refused. */
int tool_asked(tool *t, gm_status status);
/* Tells what went wrong; TOOL_FAILED. */
int tool_error(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;

/* A bag with every --set name=value, and the seed: --seed, else --set seed=, else 0 if the table of
 * that owner ("fit", or a call) has one. model
 * is the one that is asked; NULL for a fit. */
int tool_options(tool *t, const char *owner, const gm_model *model, gm_options **options);
/* Refuses options of the optimizer in --set. */
int tool_check_fit_names(tool *t, const char *family, const char *optimizer);
/* Puts each name=value of an option that may be repeated into the bag. */
int tool_set_each(tool *t, const char *option, gm_options *options);
/* The run of a command of MODEL and DATA with --output: opens both, does the work, and closes.
 * check (may be NULL) is of the arguments, before anything is read. */
typedef int tool_work(tool *t, const gm_model *model, const gm_dataset *rows);
int tool_ask_model(const cli_args *args, int (*check)(const cli_args *args), tool_work *work);

/* ---- Files in (input.c) ---------------------------------------------------------------------- */

/* Rows of a file, or of standard input as CSV, under --missing, --types, --columns, --label,
 * --condition and --weight. */
int tool_read_rows(tool *t, const char *path, gm_dataset **rows);
/* The options of reading CSV that --missing, --types and --csv say; to be freed also after a
 * failure.
 */
int tool_csv_options(tool *t, gm_options **options);
/* Rows as they are in the file, all numbers. */
int tool_read_plain(tool *t, const char *path, gm_dataset **rows);
int tool_read_model(tool *t, const char *path, gm_model **model);
/* What a conditional model is given, from the file of --given: cond, to be freed as cells, of that
 * many rows; NULL for a model without conditions. */
typedef struct tool_given {
    const gm_array *cond;
    gm_array array;
    double *cells;
    int64_t rows;
} tool_given;
/* For n rows (0: as many as the file has): the file must have as many rows, or one. */
int tool_read_given(tool *t, const gm_model *model, int64_t n, tool_given *given);
/* The columns that a list such as "a,b,3-7" names; the caller frees *columns. */
int tool_find_columns(const cli_args *args, const gm_dataset *rows, const char *list,
                      int64_t **columns, int64_t *count);

/* ---- Files out (output.c, table.c) ----------------------------------------------------------- */

int tool_save_model(tool *t, const gm_model *model, const char *path);
/* By the file's ending; NULL or "-": CSV on standard output. A picture's range is the model's. */
int tool_save_rows(tool *t, const gm_model *model, const gm_dataset *rows, const char *path);
/* A matrix (n, d) of numbers that need not be finite. names ends with NULL: one for each column, or
 * one for all, to be numbered. */
int tool_save_matrix(const char *const *names, int64_t n, int64_t d, const double *x,
                     const char *path);
/* Refuses a path that cannot be written, before long work; fine for NULL and "-". */
int tool_check_output(const char *path);
/* A file of the command line, and what it is there: "-o", "DATA". */
typedef struct tool_file {
    const char *what, *path;
} tool_file;
/* Refuses if one of the first `written` files is also another of them all, which would destroy it.
 * NULL and "-" are no files. */
int tool_check_files(const cli_args *args, const tool_file *files, int written, int count);
/* The same for a command that writes --output and reads its operands: "MODEL", then read or NULL.
 */
int tool_check_operands(const cli_args *args, const char *read);
int tool_has_ending(const char *path, const char *ending);
/* That a call of a family takes an option of that name. */
int tool_check_name(tool *t, const char *call, const char *family, const char *name);
/* malloc of n * d doubles; tells and returns NULL when that is too much. */
double *tool_doubles(int64_t n, int64_t d);

/* ---- Progress (progress.c) ------------------------------------------------------------------- */

typedef struct progress progress;
/* A bar where standard error is a terminal and show is not 0, and a log if path is not NULL. */
int progress_open(progress **p, const char *path, int append, int show);
int32_t progress_report(void *user, const gm_progress *now);
/* Wipes the bar off the terminal, so that a line can be written; it comes back by itself. */
void progress_wipe(void);
/* Writes a last line in place of the bar (NULL: none), ends the log and frees. */
int progress_close(progress *p, const char *last);
void progress_time(char *text, int size, double seconds);
int progress_shown(const progress *p);

/* What --valid of a fit names: a number is a share of the rows; anything else is a file: its path.
 * NULL where it is none (cmd_fit.c). */
const char *tool_valid_file(const cli_args *args);
/* genmod fit auto (fit_auto.c), whose command line has -o. */
int tool_fit_auto(const cli_args *args);
/* genmod fit --for anomaly (fit_anomaly.c). */
int tool_fit_anomaly(const cli_args *args);

/* ---- Subcommands ----------------------------------------------------------------------------- */

extern const cli_command command_families, command_fit, command_sample, command_score,
    command_encode, command_decode, command_reconstruct, command_info, command_compress,
    command_decompress, command_compare, command_anomaly, command_modes, command_impute,
    command_check, command_range;

#define TOOL_HELP_OPTION                                                                           \
    {                                                                                              \
        "help", 'h', NULL, "this text"                                                             \
    }
#define TOOL_READ_OPTIONS                                                                          \
    {"columns", 0, "LIST", "columns to use: names, numbers or ranges (a,b,3-7)"},                  \
        {"label", 0, "COLUMN", "a column that is a label, not a feature"},                         \
        {"condition", 0, "LIST", "columns that are given: the others are modelled given these"},   \
        {"weight", 0, "COLUMN", "a column that says how much a row counts"},                       \
        {"missing", 0, "TOKEN", "text that stands for a missing value in CSV"},                    \
        {"types", 0, "LIST", "types of CSV columns: x1:real,x2:category"},                         \
    {                                                                                              \
        "csv", 0, "NAME=VALUE", "an option of reading CSV ('genmod families csv')"                 \
    }
#define TOOL_CALL_OPTIONS                                                                          \
    {"set", 0, "NAME=VALUE", "an option of the call ('genmod families FAMILY')"},                  \
        {"seed", 0, "N", "of everything that is drawn [0]"},                                       \
    {                                                                                              \
        "threads", 0, "N", "threads to work with; changes no result [1]"                           \
    }

#endif
