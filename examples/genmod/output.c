/* Models and rows to files and to standard output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "image.h"
#include "system.h"
#include "tool.h"

/* A file that the library writes to. It restores errno: what went wrong is kept here. */
typedef struct sink {
    FILE *file;
    int error;
} sink;

static int32_t write_file(void *user, const void *bytes, int64_t size)
{
    sink *to = user;

    errno = 0;
    if (fwrite(bytes, 1, (size_t)size, to->file) == (size_t)size)
        return 0;
    to->error = errno;
    return -1;
}

static int is_stdout(const char *path)
{
    return !path || !strcmp(path, "-");
}

int tool_check_output(const char *path)
{
    const char *why = is_stdout(path) ? NULL : system_cannot_write(path);

    return why ? tool_error("%s: cannot be written: %s", path, why) : TOOL_OK;
}

int tool_check_files(const cli_args *args, const tool_file *files, int written, int count)
{
    int i, j;

    for (i = 0; i < written; i++)
        for (j = i + 1; j < count; j++)
            if (!is_stdout(files[i].path) && !is_stdout(files[j].path) &&
                system_same_file(files[i].path, files[j].path))
                return cli_wrong(args->command,
                                 "%s and %s are one file, '%s', which would be overwritten",
                                 files[i].what, files[j].what, files[j].path);
    return TOOL_OK;
}

int tool_check_operands(const cli_args *args, const char *read)
{
    tool_file files[3] = {{"-o", cli_value(args, "output")}, {"MODEL", args->operand[0]}};

    files[2].what = read;
    files[2].path = read ? args->operand[1] : NULL;
    return tool_check_files(args, files, 1, 3);
}

/* What is written: a model, or rows as CSV. */
typedef struct content {
    const gm_model *model;
    const gm_dataset *rows;
} content;

static int write_content(tool *t, const content *c, FILE *file, const char *name)
{
    sink to = {file, 0};
    gm_writer writer = {.struct_size = sizeof writer, .write = write_file};
    gm_status status;

    writer.user = &to;
    status = c->model ? gm_model_write(t->ctx, c->model, &writer)
                      : gm_dataset_write(t->ctx, c->rows, &writer, "csv");

    if (status == GM_E_IO)
        return tool_error("%s: %s", name, to.error ? strerror(to.error) : "could not be written");
    return status ? tool_failed(t) : TOOL_OK;
}

/* Standard output, a device or a pipe is written in place: the library replaces what it saves to.
 */
static int write_in_place(tool *t, const content *c, const char *path)
{
    out_file out;
    int status;

    if (is_stdout(path))
        return write_content(t, c, stdout, "standard output");
    status = file_open(&out, path);
    return status ? status : file_close(&out, write_content(t, c, out.file, path));
}

int tool_save_model(tool *t, const gm_model *model, const char *path)
{
    content c = {.model = model};

    if (is_stdout(path) || system_is_special(path))
        return write_in_place(t, &c, path);
    return gm_model_save(t->ctx, model, path) ? tool_failed(t) : TOOL_OK;
}

/* ---- Pictures -------------------------------------------------------------------------------- */

/* The shape of one picture: that of the training data's rows, else a square. */
static int picture_shape(tool *t, const gm_model *model, int64_t d, image_sheet *sheet)
{
    int64_t shape[8], side;
    int32_t ndim = 0;

    if (gm_model_row_shape(t->ctx, model, &ndim, shape))
        return tool_failed(t);
    if (ndim == 3 && shape[2] == 1)
        ndim = 2;
    if (ndim == 2 && shape[0] * shape[1] == d) {
        sheet->height = shape[0];
        sheet->width = shape[1];
        return TOOL_OK;
    }
    for (side = 1; side * side < d; side++)
        ;
    sheet->height = sheet->width = side;
    if (side * side != d)
        return tool_error("rows of %lld columns are no grey pictures: a square number was expected",
                          (long long)d);
    return TOOL_OK;
}

/* Black is the least value that a column of the training data held, white the greatest. */
static int picture_range(tool *t, const gm_model *model, image_sheet *sheet)
{
    gm_column column = {.struct_size = sizeof column};
    int64_t i, d = gm_model_column_count(model);

    for (i = 0; i < d; i++) {
        if (gm_model_column(t->ctx, model, i, &column))
            return tool_failed(t);
        if (i == 0 || column.low < sheet->low)
            sheet->low = column.low;
        if (i == 0 || column.high > sheet->high)
            sheet->high = column.high;
    }
    return TOOL_OK;
}

static int save_picture(tool *t, const gm_model *model, const gm_dataset *rows, const char *path)
{
    int64_t n = gm_dataset_row_count(rows), d = gm_dataset_column_count(rows);
    image_sheet sheet = {0};
    double *x;
    int status = picture_shape(t, model, d, &sheet);

    if (!status)
        status = picture_range(t, model, &sheet);
    if (status)
        return status;
    x = tool_doubles(n, d);
    if (!x)
        return TOOL_FAILED;
    if (gm_dataset_read_f64(t->ctx, rows, 0, n, x, 0))
        status = tool_failed(t);
    else
        status = image_save_sheet(&sheet, n, x, path);
    free(x);
    return status;
}

int tool_save_rows(tool *t, const gm_model *model, const gm_dataset *rows, const char *path)
{
    content c = {.rows = rows};

    if (!is_stdout(path) && tool_has_ending(path, ".png"))
        return save_picture(t, model, rows, path);
    if (is_stdout(path) || system_is_special(path))
        return write_in_place(t, &c, path);
    return gm_dataset_save(t->ctx, rows, path) ? tool_failed(t) : TOOL_OK;
}
