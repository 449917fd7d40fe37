/* A transform as JSON and one list of numbers: {"whiten": true, "columns": [{"by": "standard"},
 * {"by": "quantile", "knots": 128}, {"by": "none", "counted": true}, {"by": "standard", "bins":
 * true}, ...], "conditions": [{"mean": 0, "deviation": 1}, ...]}; the numbers lie column after
 * column as gm__way says, then the whitening's mean and factor, then the lists of columns that have
 * "values". */
#include "data/transform_parts.h"
#include "base/size.h"

#include <string.h>

static const char *const way_names[] = {"standard", "quantile", "logit", "none", "index"};

void gm__transform_write(const gm__transform *t, gm__buffer *json, const double **numbers,
                         int64_t *count)
{
    gm__buffer_format(json, "{\"whiten\":%s,\"columns\":[", t->whiten ? "true" : "false");
    for (int64_t j = 0; j < t->d; j++) {
        const gm__way *w = &t->ways[j];
        gm__buffer_format(json, "%s{\"by\":\"%s\"", j ? "," : "", way_names[w->by]);
        if (w->knots)
            gm__buffer_format(json, ",\"knots\":%lld", (long long)w->knots);
        if (w->counted)
            gm__buffer_text(json, ",\"counted\":true");
        if (w->unit > 0) {
            gm__buffer_text(json, ",\"bins\":true,\"unit\":");
            gm__json_write_real(json, w->unit);
        }
        if (w->listed)
            gm__buffer_format(json, ",\"values\":%lld", (long long)w->listed);
        gm__buffer_text(json, "}");
    }
    gm__buffer_text(json, "]");
    gm__conditions_write(t, json);
    gm__buffer_text(json, "}");
    *numbers = t->numbers;
    *count = t->count;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* What a column of the schema may go by. */
static int may_go_by(const gm__way *w, int by, int counted)
{
    int index = w->type == GM_COLUMN_BINARY || w->type == GM_COLUMN_CATEGORY;
    if (counted)
        return index ? by == GM__BY_NONE && w->categories <= 2
                     : gm__way_whole(w) && (by == GM__BY_NONE || by == GM__BY_STANDARD);
    if (index || by == GM__BY_INDEX)
        return index && by == GM__BY_INDEX;
    return w->type != GM_COLUMN_CIRCULAR || by == GM__BY_STANDARD;
}

/* A flag of a column: false where it is not said. */
static gm_status parse_flag(gm_context *ctx, const gm__json *json, const char *name, int *flag)
{
    const gm__json *said = gm__json_get(json, name);
    if (said && said->type != GM__JSON_BOOL)
        return gm__fail(ctx, GM_E_FORMAT, "'%s' must be true or false", name);
    *flag = said && said->number != 0;
    return GM_OK;
}

/* The width of bins: files that do not say it mean the resolution. */
static gm_status parse_unit(gm_context *ctx, const gm__json *json, const gm__column *c, gm__way *w)
{
    w->unit = c->resolution;
    if (gm__json_get(json, "unit"))
        GM_TRY(gm__json_real(ctx, json, "unit", &w->unit));
    if (c->type != GM_COLUMN_REAL || !(w->unit > 0) || !(w->unit < 0x1p1000))
        return gm__fail(ctx, GM_E_FORMAT, "a column of type %s has no bins of width %g",
                        gm__type_name(c->type), w->unit);
    return GM_OK;
}

/* How many values are listed: none where it is not said. */
static gm_status parse_listed(gm_context *ctx, const gm__json *json, gm__way *w)
{
    if (!gm__json_get(json, "values"))
        return GM_OK;
    if (w->type != GM_COLUMN_REAL)
        return gm__fail(ctx, GM_E_FORMAT, "a column of type %s has no list of values",
                        gm__type_name(w->type));
    return gm__json_int(ctx, json, "values", 1, GM__MOST_LISTED, &w->listed);
}

static gm_status parse_way(gm_context *ctx, const gm__json *json, const gm__column *c, gm__way *w)
{
    const char *name;
    int bins;
    GM_TRY(gm__json_text(ctx, json, "by", &name));
    GM_TRY(parse_flag(ctx, json, "counted", &w->counted));
    GM_TRY(parse_flag(ctx, json, "bins", &bins));
    gm__way_describe(w, c);
    if (bins)
        GM_TRY(parse_unit(ctx, json, c, w));
    GM_TRY(parse_listed(ctx, json, w));
    for (w->by = 0; w->by <= GM__BY_INDEX && strcmp(name, way_names[w->by]) != 0; w->by++) {
    }
    if (w->by > GM__BY_INDEX || !may_go_by(w, w->by, w->counted))
        return gm__fail(ctx, GM_E_FORMAT, "a %scolumn of type %s by '%.*s'",
                        w->counted ? "counted " : "", gm__type_name(c->type), 32, name);
    if (w->by == GM__BY_QUANTILE)
        GM_TRY(gm__json_int(ctx, json, "knots", 2, GM__MAX_KNOTS, &w->knots));
    w->dequantised = !w->counted && gm__way_whole(w);
    return GM_OK;
}

/* The columns' ways; *total becomes how many numbers there must be. */
static gm_status parse_ways(gm_context *ctx, gm__transform *t, const gm__json *list,
                            const gm__schema *schema, int64_t *total)
{
    const gm__json *column = list->first;
    int64_t j = 0, reals = 0;
    *total = 0;
    for (int64_t i = 0; i < schema->count; i++) {
        if (schema->columns[i].role != GM_ROLE_FEATURE)
            continue;
        gm__way *w = &t->ways[j++];
        if (parse_way(ctx, column, &schema->columns[i], w))
            return gm__prefix(ctx, "column %lld: ", (long long)i + 1);
        w->at = *total;
        *total += gm__way_size(w);
        reals += w->by != GM__BY_INDEX;
        column = column->next;
    }
    if (t->whiten) /* under 2^41: there are at most 2^20 columns */
        *total += reals + reals * reals;
    for (j = 0; j < t->d; j++)
        *total += t->ways[j].listed;
    for (j = 0; t->whiten && j < t->d; j++)
        if (t->ways[j].counted || t->ways[j].period > 0)
            return gm__fail(ctx, GM_E_FORMAT, "a %s column is whitened",
                            t->ways[j].counted ? "counted" : "circular");
    return GM_OK;
}

static gm_status take_numbers(gm_context *ctx, gm__transform *t, const double *numbers,
                              int64_t count)
{
    t->numbers = gm__alloc_array(&t->allocator, count + 1, sizeof *t->numbers);
    if (!t->numbers)
        return gm__no_memory(ctx);
    t->room = count + 1;
    t->count = count;
    if (count)
        memcpy(t->numbers, numbers, (size_t)count * sizeof *numbers);
    for (int64_t i = 0; i < count; i++)
        if (numbers[i] - numbers[i] != 0)
            return gm__fail(ctx, GM_E_FORMAT, "number %lld is not finite", (long long)i + 1);
    int64_t r = 0, end = count; /* end: of all but the lists */
    for (int64_t j = t->d - 1; j >= 0; j--) {
        end -= t->ways[j].listed;
        t->ways[j].list = t->numbers + end;
        if (!gm__way_list_sound(&t->ways[j]))
            return gm__fail(ctx, GM_E_FORMAT, "column %lld: its list of values does not rise",
                            (long long)j + 1);
    }
    for (int64_t j = 0; j < t->d; j++) {
        if (!gm__way_sound(&t->ways[j], t->numbers + t->ways[j].at))
            return gm__fail(ctx, GM_E_FORMAT, "column %lld: its numbers make no increasing map",
                            (long long)j + 1);
        r += t->ways[j].by != GM__BY_INDEX;
    }
    for (int64_t i = 0; t->whiten && i < r; i++)
        if (!(t->numbers[end - r * r + i * r + i] > 0))
            return gm__fail(ctx, GM_E_FORMAT, "the whitening's factor is singular");
    return GM_OK;
}

static gm_status parse_into(gm_context *ctx, gm__transform *t, const gm__json *list,
                            const double *numbers, int64_t count, const gm__schema *schema)
{
    int64_t total;
    GM_TRY(parse_ways(ctx, t, list, schema, &total));
    if (total != count)
        return gm__fail(ctx, GM_E_FORMAT, "%lld numbers, its columns need %lld", (long long)count,
                        (long long)total);
    GM_TRY(take_numbers(ctx, t, numbers, count));
    gm__transform_finish(t);
    return GM_OK;
}

static gm_status parse(gm_context *ctx, const gm__json *json, const double *numbers, int64_t count,
                       const gm__schema *schema, gm__transform **t)
{
    const gm__json *list, *whiten = gm__json_get(json, "whiten");
    int64_t d = 0;
    GM_TRY(gm__json_list(ctx, json, "columns", GM__JSON_ARRAY, &list));
    if (!whiten || whiten->type != GM__JSON_BOOL)
        return gm__fail(ctx, GM_E_FORMAT, "'whiten' must be true or false");
    for (int64_t i = 0; i < schema->count; i++)
        d += schema->columns[i].role == GM_ROLE_FEATURE;
    if (list->count != d || d == 0)
        return gm__fail(ctx, GM_E_FORMAT, "%lld columns, the schema has %lld features",
                        (long long)list->count, (long long)d);
    gm__transform *made = gm__transform_create(ctx, d);
    if (!made)
        return gm__no_memory(ctx);
    made->whiten = whiten->number != 0;
    gm_status code = parse_into(ctx, made, list, numbers, count, schema);
    if (!code)
        code = gm__conditions_parse(ctx, made, json, schema);
    if (code)
        gm__transform_release(made);
    else
        *t = made;
    return code;
}

gm_status gm__transform_parse(gm_context *ctx, const gm__json *json, const double *numbers,
                              int64_t count, const gm__schema *schema, gm__transform **t)
{
    *t = NULL;
    gm_status code = parse(ctx, json, numbers, count, schema, t);
    return code ? gm__prefix(ctx, "transform: ") : GM_OK;
}
