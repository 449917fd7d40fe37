/* genmod compress MODEL FILE, genmod decompress MODEL ARCHIVE */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "tool.h"

static const cli_option compress_options[] = {
    {"output", 'o', "FILE", "where the archive goes [-]"},
    {"exact-text", 0, NULL, "of a CSV file (or any other) every byte, not only the values"},
    {"figures", 0, NULL, "print rows, bytes, the model's bits and what it holds impossible"},
    TOOL_READ_OPTIONS,
    {"set", 0, "NAME=VALUE", "an option of the call ('genmod families conditional')"},
    {"threads", 0, "N", "threads to work with; changes no result [1]"},
    TOOL_HELP_OPTION,
    {0},
};

static const cli_option decompress_options[] = {
    {"output", 'o', "FILE", "where to: the text, or rows as .csv .tsv .npy .idx [-]"},
    {"set", 0, "NAME=VALUE", "an option of the call, as it was when the file was compressed"},
    {"threads", 0, "N", "threads to work with; changes no result [1]"},
    TOOL_HELP_OPTION,
    {0},
};

/* ---- Files ----------------------------------------------------------------------------------- */

static int32_t write_bytes(void *user, const void *bytes, int64_t size)
{
    return fwrite(bytes, 1, (size_t)size, user) == (size_t)size ? 0 : -1;
}

static int open_input(const char *path, FILE **file)
{
    *file = strcmp(path, "-") != 0 ? fopen(path, "rb") : stdin;
    return *file ? TOOL_OK : tool_error("cannot open '%s': %s", path, strerror(errno));
}

static void close_input(FILE *file)
{
    if (file && file != stdin)
        fclose(file);
}

/* All of a file; the caller frees *bytes. */
static int read_whole(const char *path, char **bytes, int64_t *size)
{
    size_t room = 0, got = 1, used = 0;
    char *bigger;
    FILE *file;
    int status = open_input(path, &file);

    *bytes = NULL;
    while (!status && got > 0) {
        if (used == room) {
            room = 2 * room + 65536;
            bigger = realloc(*bytes, room);
            if (!bigger) {
                status = tool_error("out of memory");
                break;
            }
            *bytes = bigger;
        }
        got = fread(*bytes + used, 1, room - used, file);
        used += got;
    }
    if (!status && ferror(file))
        status = tool_error("%s: %s", path, strerror(errno));
    if (file)
        close_input(file);
    *size = (int64_t)used;
    return status;
}

/* Where an answer of bytes goes: a file that appears whole, or standard output. */
typedef struct sink {
    out_file out;
    int named;
    gm_writer writer;
} sink;

static int open_sink(sink *s, const char *path)
{
    memset(s, 0, sizeof *s);
    s->named = path && strcmp(path, "-") != 0;
    s->writer.struct_size = sizeof s->writer;
    s->writer.write = write_bytes;
    s->writer.user = stdout;
    if (!s->named)
        return TOOL_OK;
    if (file_open(&s->out, path))
        return TOOL_FAILED;
    s->writer.user = s->out.file;
    return TOOL_OK;
}

static int close_sink(sink *s, int status)
{
    return s->named ? file_close(&s->out, status) : status;
}

/* ---- compress -------------------------------------------------------------------------------- */

static void print_figures(const gm_compression *told)
{
    printf("rows %lld\nbytes %lld\nbytes_of_text %lld\nmodel_bytes %.1f\nbits_a_row %.4f\n"
           "impossible %lld\nimpossible_bytes %.1f\ncolumn_bytes %.1f\n"
           "literal_lines %lld\n",
           (long long)told->rows, (long long)told->bytes, (long long)told->text_bytes,
           told->model_bits / 8, told->rows ? 8 * (double)told->bytes / (double)told->rows : 0.0,
           (long long)told->outside, told->outside_bits / 8, told->column_bits / 8,
           (long long)told->literal);
}

static int compress_rows(tool *t, const gm_model *model, const gm_options *how,
                         const gm_writer *writer, gm_compression *told)
{
    gm_dataset *rows = NULL;
    int status = tool_read_rows(t, t->args->operand[1], &rows);

    if (!status)
        status = tool_asked(t, gm_compress(t->ctx, model, rows, how, writer, told));
    gm_dataset_free(rows);
    return status;
}

static int compress_text(tool *t, const gm_model *model, const gm_options *how,
                         const gm_writer *writer, gm_compression *told)
{
    static const char *const without[] = {"columns", "label", "condition", "weight"};
    gm_options *csv = NULL;
    char *text = NULL;
    int64_t size = 0;
    int status, i;

    for (i = 0; i < 4; i++)
        if (cli_value(t->args, without[i]))
            return cli_wrong(t->args->command,
                             "--exact-text keeps the whole file: --%s is not for it", without[i]);
    status = tool_csv_options(t, &csv);
    if (!status)
        status = read_whole(t->args->operand[1], &text, &size);
    if (!status)
        status = tool_asked(t, gm_compress_text(t->ctx, model, text, size, csv, how, writer, told));
    if (!status && told->rows == 0 && size > 0)
        fprintf(stderr,
                "genmod: %s: no line is a row of the model's columns: it is kept as it is, which "
                "takes more bytes\n",
                t->args->operand[1]);
    gm_options_free(csv);
    free(text);
    return status;
}

static int compress(tool *t, const gm_model *model)
{
    const char *output = cli_value(t->args, "output");
    gm_compression told = {.struct_size = sizeof told};
    gm_options *how = NULL;
    sink to;
    int status = tool_options(t, "conditional", model, &how);

    if (!status)
        status = open_sink(&to, output);
    if (!status) {
        status = cli_value(t->args, "exact-text") ? compress_text(t, model, how, &to.writer, &told)
                                                  : compress_rows(t, model, how, &to.writer, &told);
        status = close_sink(&to, status);
    }
    if (!status && cli_value(t->args, "figures"))
        print_figures(&told);
    gm_options_free(how);
    return status;
}

static int run_compress(const cli_args *args)
{
    const char *output = cli_value(args, "output");
    gm_model *model = NULL;
    tool t;
    int result;

    if (cli_value(args, "figures") && (!output || !strcmp(output, "-")))
        return cli_wrong(args->command, "--figures go to standard output, where the archive is: "
                                        "say -o FILE");
    result = tool_open(&t, args);
    if (!result)
        result = tool_check_operands(args, "FILE");
    if (!result)
        result = tool_check_output(output);
    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result)
        result = compress(&t, model);
    gm_model_free(model);
    return tool_close(&t, result);
}

const cli_command command_compress = {
    "compress",       "MODEL FILE", "few bytes for rows, by what a model knows of them", 2, 2,
    compress_options, run_compress,
};

/* ---- decompress ------------------------------------------------------------------------------ */

/* An archive in memory as a source. */
typedef struct source {
    const char *bytes;
    int64_t size, at;
} source;

static int64_t read_source(void *user, void *buffer, int64_t size)
{
    source *s = user;
    int64_t n = s->size - s->at < size ? s->size - s->at : size;

    memcpy(buffer, s->bytes + s->at, (size_t)n);
    s->at += n;
    return n;
}

static int decompress_rows(tool *t, const gm_model *model, const gm_options *how,
                           const gm_reader *reader)
{
    gm_dataset *rows = NULL;
    int status =
        tool_asked(t, gm_decompress(t->ctx, model, reader, t->args->operand[1], how, &rows));

    if (!status)
        status = tool_save_rows(t, model, rows, cli_value(t->args, "output"));
    gm_dataset_free(rows);
    return status;
}

static int decompress_text(tool *t, const gm_model *model, const gm_options *how,
                           const gm_reader *reader)
{
    sink to;
    int status = open_sink(&to, cli_value(t->args, "output"));

    if (status)
        return status;
    status = tool_asked(
        t, gm_decompress_text(t->ctx, model, reader, t->args->operand[1], how, &to.writer));
    return close_sink(&to, status);
}

/* An archive of a text holds its rows as well, for files that are no text. */
static int is_text(const tool *t, const source *from)
{
    const char *output = cli_value(t->args, "output");

    return gm_archive_has_text(from->bytes, from->size) &&
           !(output && (tool_has_ending(output, ".npy") || tool_has_ending(output, ".idx")));
}

static int decompress(tool *t, const gm_model *model)
{
    gm_options *how = NULL;
    char *bytes = NULL;
    source from = {NULL, 0, 0};
    gm_reader reader = {.struct_size = sizeof reader, .read = read_source};
    int status = tool_options(t, "conditional", model, &how);

    if (!status)
        status = read_whole(t->args->operand[1], &bytes, &from.size);
    from.bytes = bytes;
    reader.user = &from;
    if (!status)
        status = (is_text(t, &from) ? decompress_text : decompress_rows)(t, model, how, &reader);
    gm_options_free(how);
    free(bytes);
    return status;
}

static int run_decompress(const cli_args *args)
{
    gm_model *model = NULL;
    tool t;
    int result = tool_open(&t, args);

    if (!result)
        result = tool_check_operands(args, "ARCHIVE");
    if (!result)
        result = tool_check_output(cli_value(args, "output"));
    if (!result)
        result = tool_read_model(&t, args->operand[0], &model);
    if (!result)
        result = decompress(&t, model);
    gm_model_free(model);
    return tool_close(&t, result);
}

const cli_command command_decompress = {
    "decompress",       "MODEL ARCHIVE", "the rows or the text of an archive", 2, 2,
    decompress_options, run_decompress,
};
