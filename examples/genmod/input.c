/* Rows and models from files and from standard input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static int64_t read_stdin(void *user, void *buffer, int64_t size)
{
    size_t got = fread(buffer, 1, (size_t)size, stdin);

    (void)user;
    return got == 0 && ferror(stdin) ? -1 : (int64_t)got;
}

static const gm_reader stdin_reader = {.struct_size = sizeof(gm_reader), .read = read_stdin};

/* ---- Lists of columns ------------------------------------------------------------------------ */

typedef struct column_list {
    int64_t *number;
    int64_t count, capacity;
} column_list;

static int add_range(column_list *list, int64_t first, int64_t last)
{
    int64_t *bigger, i, step = first <= last ? 1 : -1, count = (last - first) * step + 1;

    if (list->count + count > list->capacity) {
        list->capacity = 2 * (list->count + count);
        bigger = realloc(list->number, (size_t)list->capacity * sizeof *bigger);
        if (!bigger)
            return tool_error("out of memory");
        list->number = bigger;
    }
    for (i = 0; i < count; i++)
        list->number[list->count++] = first + i * step;
    return TOOL_OK;
}

/* One element of a list: a name, a number, or two of them with a dash between. A name may hold
 * dashes itself: the whole is tried first, then a cut at each dash. */
static int add_columns(column_list *list, const cli_args *args, const gm_dataset *rows, char *text)
{
    int64_t first = gm_dataset_find_column(rows, text), last;
    char *dash;

    if (first >= 0)
        return add_range(list, first, first);
    for (dash = strchr(text, '-'); dash; dash = strchr(dash + 1, '-')) {
        *dash = 0;
        first = gm_dataset_find_column(rows, text);
        last = gm_dataset_find_column(rows, dash + 1);
        *dash = '-';
        if (first >= 0 && last >= 0)
            return add_range(list, first, last);
    }
    return cli_wrong(args->command, "there is no column '%s' among the %lld of the data", text,
                     (long long)gm_dataset_column_count(rows));
}

static int compare_numbers(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* No column may be named twice. */
static int check_once(const column_list *list, const cli_args *args, const char *text)
{
    size_t bytes = (size_t)list->count * sizeof *list->number;
    int64_t *sorted = malloc(bytes + 1), i;
    int status = sorted ? TOOL_OK : tool_error("out of memory");

    if (sorted) {
        memcpy(sorted, list->number, bytes);
        qsort(sorted, (size_t)list->count, sizeof *sorted, compare_numbers);
    }
    for (i = 1; !status && i < list->count; i++)
        if (sorted[i] == sorted[i - 1])
            status = cli_wrong(args->command, "'%s' names column %lld twice", text,
                               (long long)sorted[i] + 1);
    free(sorted);
    return status;
}

int tool_find_columns(const cli_args *args, const gm_dataset *rows, const char *text,
                      int64_t **columns, int64_t *count)
{
    column_list list = {NULL, 0, 0};
    size_t size = strlen(text) + 1;
    char *copy = malloc(size), *word, *comma;
    int status = copy ? TOOL_OK : tool_error("out of memory");

    if (copy)
        memcpy(copy, text, size);
    for (word = copy; !status && word; word = comma) {
        comma = strchr(word, ',');
        if (comma)
            *comma++ = 0;
        status = add_columns(&list, args, rows, word);
    }
    if (!status)
        status = check_once(&list, args, text);
    free(copy);
    if (status) {
        free(list.number);
        list.number = NULL;
        list.count = 0;
    }
    *columns = list.number;
    *count = list.count;
    return status;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static int set_option(tool *t, gm_options *options, const char *name, const char *flag)
{
    const char *value = cli_value(t->args, flag);
    gm_status status = value ? gm_options_set_text(t->ctx, options, name, value) : GM_OK;

    return status ? tool_refused(t, status) : TOOL_OK;
}

static int read_file(tool *t, const char *path, const gm_options *options, gm_dataset **rows)
{
    gm_status status;

    if (strcmp(path, "-") != 0)
        status = gm_dataset_from_file(t->ctx, path, options, rows);
    else
        status =
            gm_dataset_from_reader(t->ctx, &stdin_reader, "csv", "standard input", options, rows);
    if (status && (cli_value(t->args, "csv") || cli_value(t->args, "types")))
        return tool_refused(t, status);
    return status ? tool_failed(t) : TOOL_OK;
}

/* Replaces *rows by the view of it that a call made. */
static int take_view(tool *t, gm_status status, gm_dataset *view, gm_dataset **rows)
{
    if (status)
        return tool_failed(t);
    gm_dataset_free(*rows);
    *rows = view;
    return TOOL_OK;
}

/* --columns picks and orders. The label, a column of *rows or -1, comes along if the list leaves it
 * out; it is then a column of the view. */
static int select_columns(tool *t, const char *text, gm_dataset **rows, int64_t *label)
{
    gm_dataset *view = NULL;
    column_list list = {NULL, 0, 0};
    int64_t i = 0;
    gm_status made;
    int status = tool_find_columns(t->args, *rows, text, &list.number, &list.count);

    list.capacity = list.count;
    while (i < list.count && list.number[i] != *label)
        i++;
    if (!status && *label >= 0 && i == list.count)
        status = add_range(&list, *label, *label);
    if (*label >= 0)
        *label = i;
    if (!status) {
        made = gm_dataset_select(t->ctx, *rows, list.number, list.count, &view);
        status = take_view(t, made, view, rows);
    }
    free(list.number);
    return status;
}

/* A model that is asked knows no label: where columns have no names, one more would shift the rest.
 */
static int drop_column(tool *t, gm_dataset **rows, int64_t column)
{
    int64_t count = gm_dataset_column_count(*rows);
    column_list list = {NULL, 0, 0};
    gm_dataset *view = NULL;
    gm_status made;
    int status = add_range(&list, 0, count - 1);

    if (!status) {
        memmove(list.number + column, list.number + column + 1,
                (size_t)(count - 1 - column) * sizeof *list.number);
        made = gm_dataset_select(t->ctx, *rows, list.number, count - 1, &view);
        status = take_view(t, made, view, rows);
    }
    free(list.number);
    return status;
}

static int apply_columns(tool *t, gm_dataset **rows)
{
    const char *list = cli_value(t->args, "columns"), *name = cli_value(t->args, "label");
    gm_dataset *view = NULL;
    int64_t label = name ? gm_dataset_find_column(*rows, name) : -1;
    gm_status made;
    int status = TOOL_OK;

    if (name && label < 0)
        return cli_wrong(t->args->command, "there is no column '%s' in the data", name);
    if (list)
        status = select_columns(t, list, rows, &label);
    if (status || label < 0)
        return status;
    if (t->args->command != &command_fit)
        return drop_column(t, rows, label);
    made = gm_dataset_with_role(t->ctx, *rows, label, GM_ROLE_LABEL, &view);
    return take_view(t, made, view, rows);
}

int tool_read_rows(tool *t, const char *path, gm_dataset **rows)
{
    gm_options *options = NULL;
    int status;

    *rows = NULL;
    if (gm_options_create(t->ctx, &options))
        return tool_failed(t);
    status = set_option(t, options, "missing", "missing");
    if (!status)
        status = set_option(t, options, "types", "types");
    if (!status)
        status = tool_set_each(t, "csv", options);
    if (!status)
        status = read_file(t, path, options, rows);
    gm_options_free(options);
    if (!status)
        status = apply_columns(t, rows);
    if (status) {
        gm_dataset_free(*rows);
        *rows = NULL;
    }
    return status;
}

int tool_read_plain(tool *t, const char *path, gm_dataset **rows)
{
    *rows = NULL;
    return read_file(t, path, NULL, rows);
}

/* ---- Models ---------------------------------------------------------------------------------- */

int tool_read_model(tool *t, const char *path, gm_model **model)
{
    gm_status status;

    *model = NULL;
    if (strcmp(path, "-") != 0)
        status = gm_model_load(t->ctx, path, model);
    else
        status = gm_model_read(t->ctx, &stdin_reader, "standard input", model);
    return status ? tool_failed(t) : TOOL_OK;
}
