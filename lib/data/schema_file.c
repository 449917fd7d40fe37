/* A schema as JSON: {"columns": [{"name": "x1", "type": "real", ...}, ...], "row_shape": [28, 28]}.
 * Members that say nothing are left out. */
#include "data/schema.h"
#include "base/size.h"
#include "base/sort.h"

#include <string.h>

static const char *const role_names[] = {NULL,        "feature", "label",
                                         "condition", "ignored", "weight"};

/* ---- Writing --------------------------------------------------------------------------------- */

static void write_real(gm__buffer *out, const char *name, double value)
{
    if (value == 0)
        return;
    gm__buffer_format(out, ",\"%s\":", name);
    gm__json_write_real(out, value);
}

static void write_column(const gm__column *c, gm__buffer *out)
{
    gm__buffer_format(out, "{\"type\":\"%s\"", gm__type_name(c->type));
    if (c->name && *c->name) {
        gm__buffer_text(out, ",\"name\":");
        gm__json_quote(out, c->name);
    }
    if (c->role != GM_ROLE_FEATURE)
        gm__buffer_format(out, ",\"role\":\"%s\"", role_names[c->role]);
    if (c->missing)
        gm__buffer_format(out, ",\"missing\":%lld", (long long)c->missing_count);
    write_real(out, "low", c->low);
    write_real(out, "high", c->high);
    write_real(out, "resolution", c->resolution);
    write_real(out, "period", c->period);
    for (int64_t k = 0; k < c->categories; k++) {
        gm__buffer_text(out, k ? "," : ",\"categories\":[");
        gm__json_quote(out, c->category[k]);
    }
    gm__buffer_text(out, c->categories ? "]}" : "}");
}

void gm__schema_write(const gm__schema *s, gm__buffer *out)
{
    gm__buffer_text(out, "{\"columns\":[");
    for (int64_t i = 0; i < s->count; i++) {
        if (i)
            gm__buffer_text(out, ",");
        write_column(&s->columns[i], out);
    }
    gm__buffer_text(out, "]");
    for (int32_t i = 0; i < s->row_ndim; i++)
        gm__buffer_format(out, "%s%lld", i ? "," : ",\"row_shape\":[", (long long)s->row_shape[i]);
    gm__buffer_text(out, s->row_ndim ? "]}" : "}");
}

/* ---- Reading --------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Categories must differ: their names are how data is matched. */
static gm_status check_different(gm_context *ctx, const gm_allocator *a, const gm__column *c)
{
    char **sorted = gm__alloc_array(a, c->categories, sizeof *sorted);
    gm_status code = GM_OK;
    if (!sorted)
        return gm__no_memory(ctx);
    memcpy(sorted, c->category, (size_t)c->categories * sizeof *sorted);
    gm__sort_pointers((void **)sorted, c->categories, compare_texts);
    for (int64_t k = 1; k < c->categories && !code; k++)
        if (!strcmp(sorted[k - 1], sorted[k]))
            code = gm__fail(ctx, GM_E_FORMAT, "the category '%.*s' twice", 64, sorted[k]);
    gm__free(a, sorted, (size_t)c->categories * sizeof *sorted);
    return code;
}

static gm_status parse_categories(gm_context *ctx, gm__schema *s, int64_t i, const gm__json *json)
{
    gm__column *c = &s->columns[i];
    const gm__json *list = gm__json_get(json, "categories");
    int64_t k = 0;
    if (!list && !gm__type_is_category(c->type))
        return GM_OK;
    GM_TRY(gm__json_list(ctx, json, "categories", GM__JSON_ARRAY, &list));
    if (!gm__type_is_category(c->type) || list->count < 1 || list->count > GM__MAX_CATEGORIES ||
        (c->type == GM_COLUMN_BINARY && list->count > 2))
        return gm__fail(ctx, GM_E_FORMAT, "%lld categories in a column of type %s",
                        (long long)list->count, gm__type_name(c->type));
    if (gm__schema_set_categories(s, i, list->count))
        return gm__no_memory(ctx);
    for (const gm__json *name = list->first; name; name = name->next, k++) {
        if (name->type != GM__JSON_STRING)
            return gm__fail(ctx, GM_E_FORMAT, "a category must be a text");
        if (gm__schema_set_text(s, &c->category[k], name->text, name->text_length))
            return gm__no_memory(ctx);
    }
    return check_different(ctx, &s->allocator, c);
}

static gm_status parse_role(gm_context *ctx, gm__column *c, const gm__json *json)
{
    const char *role;
    if (!gm__json_get(json, "role"))
        return GM_OK;
    GM_TRY(gm__json_text(ctx, json, "role", &role));
    for (int32_t r = GM_ROLE_FEATURE; r <= GM_ROLE_IGNORED; r++)
        if (!strcmp(role, role_names[r])) {
            c->role = r;
            return GM_OK;
        }
    return gm__fail(ctx, GM_E_FORMAT, "unknown role '%.*s'", 32, role);
}

static gm_status parse_finite(gm_context *ctx, const gm__json *json, const char *name,
                              double *value)
{
    if (!gm__json_get(json, name))
        return GM_OK;
    GM_TRY(gm__json_real(ctx, json, name, value));
    if (*value - *value != 0)
        return gm__fail(ctx, GM_E_FORMAT, "'%s' must be finite", name);
    return GM_OK;
}

static gm_status parse_numbers(gm_context *ctx, gm__column *c, const gm__json *json)
{
    GM_TRY(parse_finite(ctx, json, "low", &c->low));
    GM_TRY(parse_finite(ctx, json, "high", &c->high));
    GM_TRY(parse_finite(ctx, json, "resolution", &c->resolution));
    GM_TRY(parse_finite(ctx, json, "period", &c->period));
    if (gm__json_get(json, "missing")) {
        GM_TRY(gm__json_int(ctx, json, "missing", 0, INT64_MAX, &c->missing_count));
        c->missing = 1;
    }
    if (c->low > c->high || c->resolution < 0 || (c->type == GM_COLUMN_CIRCULAR) != (c->period > 0))
        return gm__fail(ctx, GM_E_FORMAT, "low, high, resolution or period contradict each other");
    return GM_OK;
}

static gm_status parse_column(gm_context *ctx, gm__schema *s, int64_t i, const gm__json *json)
{
    gm__column *c = &s->columns[i];
    const char *text;
    GM_TRY(gm__json_text(ctx, json, "type", &text));
    c->type = gm__type_find(text, (int64_t)strlen(text));
    if (!c->type)
        return gm__fail(ctx, GM_E_FORMAT, "unknown type '%.*s'", 32, text);
    if (gm__json_get(json, "name")) {
        GM_TRY(gm__json_text(ctx, json, "name", &text));
        if (gm__schema_set_text(s, &c->name, text, (int64_t)strlen(text)))
            return gm__no_memory(ctx);
    }
    GM_TRY(parse_role(ctx, c, json));
    GM_TRY(parse_numbers(ctx, c, json));
    return parse_categories(ctx, s, i, json);
}

static gm_status parse_shape(gm_context *ctx, gm__schema *s, const gm__json *json)
{
    const gm__json *list = gm__json_get(json, "row_shape");
    int64_t cells = 1;
    if (!list)
        return GM_OK;
    GM_TRY(gm__json_list(ctx, json, "row_shape", GM__JSON_ARRAY, &list));
    if (list->count < 1 || list->count > 8)
        return gm__fail(ctx, GM_E_FORMAT, "'row_shape' must have 1 to 8 sizes");
    for (const gm__json *size = list->first; size; size = size->next) {
        int64_t value;
        if (size->type != GM__JSON_NUMBER ||
            gm__read_int(size->text, size->text_length, &value) != size->text_length || value < 1 ||
            gm__mul64(cells, value, &cells))
            return gm__fail(ctx, GM_E_FORMAT, "'row_shape' must hold positive whole numbers");
        s->row_shape[s->row_ndim++] = value;
    }
    if (cells != s->count)
        return gm__fail(ctx, GM_E_FORMAT, "'row_shape' has %lld cells, there are %lld columns",
                        (long long)cells, (long long)s->count);
    return GM_OK;
}

static gm_status parse_columns(gm_context *ctx, gm__schema *s, const gm__json *list)
{
    int64_t i = 0;
    for (const gm__json *column = list->first; column; column = column->next, i++)
        if (parse_column(ctx, s, i, column))
            return gm__prefix(ctx, "column %lld: ", (long long)i + 1);
    return GM_OK;
}

gm_status gm__schema_parse(gm_context *ctx, const gm__json *json, gm__schema **s)
{
    const gm__json *list;
    *s = NULL;
    if (gm__json_list(ctx, json, "columns", GM__JSON_ARRAY, &list))
        return gm__prefix(ctx, "schema: ");
    if (list->count < 1 || list->count > GM__MAX_COLUMNS)
        return gm__fail(ctx, GM_E_FORMAT, "schema: %lld columns", (long long)list->count);
    gm__schema *made = gm__schema_create(&ctx->allocator, list->count);
    if (!made)
        return gm__no_memory(ctx);
    if (parse_columns(ctx, made, list) || parse_shape(ctx, made, json)) {
        gm__schema_release(made);
        return gm__prefix(ctx, "schema: ");
    }
    *s = made;
    return GM_OK;
}
