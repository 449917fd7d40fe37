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

/* Columns that the command line gives a role keep it, whatever --columns picks. */
static int set_roles(tool *t, const char *option, int32_t role, gm_dataset **rows)
{
    const char *list = cli_value(t->args, option);
    gm_dataset *view = NULL;
    int64_t *columns = NULL, count = 0, i;
    gm_status made;
    int status = list ? tool_find_columns(t->args, *rows, list, &columns, &count) : TOOL_OK;

    if (!status && count > 1 && role != GM_ROLE_CONDITION)
        status = cli_wrong(t->args->command, "--%s takes one column, '%s' names %lld", option, list,
                           (long long)count);
    for (i = 0; !status && i < count; i++) {
        made = gm_dataset_with_role(t->ctx, *rows, columns[i], role, &view);
        status = take_view(t, made, view, rows);
    }
    free(columns);
    return status;
}

static int role_of(tool *t, const gm_dataset *rows, int64_t i)
{
    gm_column column = {.struct_size = sizeof column};

    return gm_dataset_column(t->ctx, rows, i, &column) ? 0 : column.role;
}

static int select_list(tool *t, const column_list *list, gm_dataset **rows)
{
    gm_dataset *view = NULL;
    gm_status made = gm_dataset_select(t->ctx, *rows, list->number, list->count, &view);

    return take_view(t, made, view, rows);
}

/* --columns picks and orders. What has a role of its own comes along if the list leaves it out. */
static int select_columns(tool *t, const char *text, gm_dataset **rows)
{
    column_list list = {NULL, 0, 0};
    int64_t i, k, count = gm_dataset_column_count(*rows);
    int status = tool_find_columns(t->args, *rows, text, &list.number, &list.count);

    list.capacity = list.count;
    for (i = 0; !status && i < count; i++) {
        for (k = 0; k < list.count && list.number[k] != i; k++) {
        }
        if (k == list.count && role_of(t, *rows, i) != GM_ROLE_FEATURE)
            status = add_range(&list, i, i);
    }
    if (!status)
        status = select_list(t, &list, rows);
    free(list.number);
    return status;
}

/* A model that is asked knows no label: where columns have no names, one more would shift the rest.
 */
static int drop_labels(tool *t, gm_dataset **rows)
{
    column_list list = {NULL, 0, 0};
    int64_t i, count = gm_dataset_column_count(*rows);
    int status = TOOL_OK;

    for (i = 0; !status && i < count; i++)
        if (role_of(t, *rows, i) != GM_ROLE_LABEL)
            status = add_range(&list, i, i);
    if (!status)
        status = select_list(t, &list, rows);
    free(list.number);
    return status;
}

static int apply_columns(tool *t, gm_dataset **rows)
{
    const char *list = cli_value(t->args, "columns");
    int status = set_roles(t, "label", GM_ROLE_LABEL, rows);

    if (!status)
        status = set_roles(t, "condition", GM_ROLE_CONDITION, rows);
    if (!status)
        status = set_roles(t, "weight", GM_ROLE_WEIGHT, rows);
    if (!status && list)
        status = select_columns(t, list, rows);
    if (!status && t->args->command != &command_fit && cli_value(t->args, "label"))
        status = drop_labels(t, rows);
    return status;
}

int tool_csv_options(tool *t, gm_options **options)
{
    int status;

    if (gm_options_create(t->ctx, options))
        return tool_failed(t);
    status = set_option(t, *options, "missing", "missing");
    if (!status)
        status = set_option(t, *options, "types", "types");
    return status ? status : tool_set_each(t, "csv", *options);
}

int tool_read_rows(tool *t, const char *path, gm_dataset **rows)
{
    gm_options *options = NULL;
    int status;

    *rows = NULL;
    status = tool_csv_options(t, &options);
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

/* ---- Conditions ------------------------------------------------------------------------------ */

/* What --given FILE says, or nothing. */
static int read_given(tool *t, const gm_model *model, const char *path, tool_given *given)
{
    gm_dataset *rows = NULL;
    int64_t c = gm_model_condition_count(model);
    int status = tool_read_plain(t, path, &rows);

    if (status)
        return status;
    if (!c)
        status = cli_wrong(t->args->command, "--given: the model has no conditions");
    given->rows = gm_dataset_row_count(rows);
    given->cells = status ? NULL : tool_doubles(given->rows, c);
    if (!status && !given->cells)
        status = TOOL_FAILED;
    if (!status) {
        gm_array_init(&given->array, GM_F64, given->cells, given->rows, c);
        if (gm_model_conditions(t->ctx, model, rows, &given->array))
            status = tool_failed_at(t, path);
    }
    given->cond = status ? NULL : &given->array;
    gm_dataset_free(rows);
    return status;
}

int tool_read_given(tool *t, const gm_model *model, int64_t n, tool_given *given)
{
    const char *path = cli_value(t->args, "given");
    int status = TOOL_OK;

    memset(given, 0, sizeof *given);
    if (path)
        status = read_given(t, model, path, given);
    else if (gm_model_condition_count(model))
        status = cli_wrong(t->args->command,
                           "the model is conditional: --given FILE says on what, a row for each "
                           "row, or one for all");
    if (!status && path && n && given->rows != 1 && given->rows != n)
        status = cli_wrong(t->args->command, "--given has %lld rows, %lld or 1 were expected",
                           (long long)given->rows, (long long)n);
    return status;
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
