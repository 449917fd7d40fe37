/* Columns by their roles: what a fit takes of its data, and in which order. */
#include "model/condition.h"

#include <string.h>

#define MOST_CATEGORIES 1024 /* each becomes a column that the network sees */

/* ---- What a fit takes ------------------------------------------------------------------------ */

static gm_status refuse_condition(gm_context *ctx, const gm_family *f, const gm__schema *s,
                                  int64_t i)
{
    char names[512];
    gm__label label;
    return gm__fail(ctx, GM_E_UNSUPPORTED,
                    "%s: %s has the role condition, which it does not take; these families do: %s. "
                    "A joint model of all columns may tell some given others (gm_conditional)",
                    f->name, gm__column_label(&label, s, i),
                    gm__families_with(ctx, GM_FAMILY_CONDITIONS, names, sizeof names));
}

static gm_status check_condition(gm_context *ctx, const gm_family *f, const gm__schema *s,
                                 int64_t i)
{
    const gm__column *c = &s->columns[i];
    gm__label label;
    if (!(f->flags & GM_FAMILY_CONDITIONS))
        return refuse_condition(ctx, f, s, i);
    if (c->missing_count > 0)
        return gm__fail(ctx, GM_E_DATA,
                        "%s: %s is a condition and has %lld missing values; it needs whole rows "
                        "(read the file with on_missing=drop)",
                        f->name, gm__column_label(&label, s, i), (long long)c->missing_count);
    if (c->type == GM_COLUMN_CATEGORY && c->categories > MOST_CATEGORIES)
        return gm__fail(ctx, GM_E_DATA,
                        "%s: %s has %lld categories, a condition may have at most %d: leave it out",
                        f->name, gm__column_label(&label, s, i), (long long)c->categories,
                        MOST_CATEGORIES);
    return GM_OK;
}

/* Numbers of the columns of a role, behind those that are there. */
static int64_t collect(const gm__schema *s, int32_t role, int64_t count, int64_t *columns)
{
    for (int64_t i = 0; i < s->count; i++)
        if (s->columns[i].role == role)
            columns[count++] = i;
    return count;
}

/* The view without the rows that weigh nothing; *columns may become another. */
gm_status gm__drop_weightless(gm_context *ctx, gm_dataset **columns)
{
    double *weights;
    int64_t rows = gm_dataset_row_count(*columns), kept = 0;
    gm_dataset *view = NULL;
    GM_TRY(gm__row_weights(ctx, *columns, &weights));
    if (!weights)
        return GM_OK;
    int64_t *row = gm__alloc_array(&ctx->allocator, rows, sizeof *row);
    gm_status code = row ? GM_OK : gm__no_memory(ctx);
    for (int64_t i = 0; i < rows && !code; i++)
        if (weights[i] > 0)
            row[kept++] = i;
    if (!code && kept < rows)
        code = gm__dataset_take(ctx, *columns, row, kept, &view);
    if (view) {
        gm_dataset_free(*columns);
        *columns = view;
    }
    gm__free(&ctx->allocator, row, row ? (size_t)rows * sizeof *row : 0);
    gm__free(&ctx->allocator, weights, (size_t)rows * sizeof *weights);
    return code;
}

gm_status gm__fit_columns(gm_context *ctx, const gm_family *family, const gm_dataset *data,
                          gm_dataset **view)
{
    const gm__schema *s = gm__dataset_schema(data);
    for (int64_t i = 0; i < s->count; i++)
        if (s->columns[i].role == GM_ROLE_CONDITION)
            GM_TRY(check_condition(ctx, family, s, i));
    int64_t *columns = gm__alloc_array(&ctx->allocator, s->count + 1, sizeof *columns);
    if (!columns)
        return gm__no_memory(ctx);
    int64_t count = collect(s, GM_ROLE_FEATURE, 0, columns);
    gm_status code =
        count ? GM_OK : gm__fail(ctx, GM_E_DATA, "fit: the data has no feature columns");
    count = collect(s, GM_ROLE_CONDITION, count, columns);
    count = collect(s, GM_ROLE_WEIGHT, count, columns);
    if (!code)
        code = gm__dataset_select(ctx, data, columns, count, view);
    gm__free(&ctx->allocator, columns, (size_t)(s->count + 1) * sizeof *columns);
    return code ? code : gm__drop_weightless(ctx, view);
}

gm_status gm__fit_schema(gm_context *ctx, const gm_dataset *columns, gm__schema **schema)
{
    const gm__schema *s = gm__dataset_schema(columns);
    int64_t count = 0, features = 0;
    for (int64_t i = 0; i < s->count; i++) {
        features += s->columns[i].role == GM_ROLE_FEATURE;
        count += s->columns[i].role != GM_ROLE_WEIGHT;
    }
    if (features == s->count) {
        *schema = gm__schema_retain(s);
        return GM_OK;
    }
    *schema = gm__schema_select(&ctx->allocator, s, NULL, count);
    if (!*schema)
        return gm__no_memory(ctx);
    (*schema)->row_ndim = 0; /* a picture's shape is of its features alone */
    return GM_OK;
}

/* ---- Data without names ---------------------------------------------------------------------- */

gm_status gm__in_order(gm_context *ctx, const gm_dataset *data, gm_dataset **ordered)
{
    const gm__schema *s = gm__dataset_schema(data);
    int64_t roles = 0, count;
    for (int64_t i = 0; i < s->count; i++)
        roles += s->columns[i].role == GM_ROLE_CONDITION || s->columns[i].role == GM_ROLE_WEIGHT;
    if (!roles || gm__schema_named(s)) {
        *ordered = gm__dataset_retain(data);
        return GM_OK;
    }
    int64_t *columns = gm__alloc_array(&ctx->allocator, s->count + 1, sizeof *columns);
    if (!columns)
        return gm__no_memory(ctx);
    count = collect(s, GM_ROLE_FEATURE, 0, columns);
    count = collect(s, GM_ROLE_CONDITION, count, columns);
    gm_status code = gm__dataset_select(ctx, data, columns, count, ordered);
    gm__free(&ctx->allocator, columns, (size_t)(s->count + 1) * sizeof *columns);
    return code;
}

gm_status gm__match_conditions(gm_context *ctx, const gm__schema *schema, const gm_dataset *data,
                               int alone, gm__match **match)
{
    const gm__schema *has = gm__dataset_schema(data);
    int64_t wanted = 0;
    *match = NULL;
    for (int64_t i = 0; i < schema->count; i++)
        wanted += schema->columns[i].role == GM_ROLE_CONDITION;
    if (!(gm__schema_named(schema) && gm__schema_named(has)) && has->count != schema->count &&
        !(alone && has->count == wanted))
        return gm__fail(ctx, GM_E_SHAPE,
                        "the data has %lld columns; without names the model expects %lld, its "
                        "features and then its conditions",
                        (long long)has->count, (long long)schema->count);
    return gm__match_create(ctx, schema, 1 << GM_ROLE_CONDITION, data, match);
}
