/* The life of a model and what it says of itself. */
#include "model/direct.h"

#include <stdatomic.h>
#include <string.h>

static size_t params_bytes(const gm__structure *s)
{
    return (size_t)s->layout.size * (s->real == GM__F64 ? 8 : 4);
}

gm_status gm__model_create(gm_context *ctx, gm__structure *s, const void *params,
                           const char *record, gm_model **out)
{
    gm_model *m = gm__alloc(&ctx->allocator, sizeof *m);
    if (!m)
        return gm__no_memory(ctx);
    *m = (gm_model){.allocator = ctx->allocator, .owners = 1, .structure = gm__structure_retain(s)};
    m->params = params_bytes(s) ? gm__alloc(&m->allocator, params_bytes(s)) : NULL;
    m->record = gm__copy_text(&m->allocator, record);
    if ((params_bytes(s) && !m->params) || !m->record) {
        gm_model_free(m);
        return gm__no_memory(ctx);
    }
    if (m->params)
        memcpy(m->params, params, params_bytes(s));
    *out = m;
    return GM_OK;
}

gm_model *gm_model_retain(gm_model *model)
{
    if (model)
        atomic_fetch_add((_Atomic int32_t *)&model->owners, 1);
    return model;
}

void gm_model_free(gm_model *model)
{
    if (!model || atomic_fetch_sub((_Atomic int32_t *)&model->owners, 1) != 1)
        return;
    gm_allocator a = model->allocator;
    gm__direct_clear(model);
    gm__free(&a, model->params, model->params ? params_bytes(model->structure) : 0);
    gm__free_text(&a, model->record);
    gm__structure_release(model->structure);
    gm__free(&a, model, sizeof *model);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

const char *gm_model_family(const gm_model *model)
{
    return model ? model->structure->family->name : NULL;
}

int32_t gm_model_capabilities(const gm_model *model)
{
    if (!model)
        return 0;
    int32_t can = gm__family_capabilities(model->structure->family);
    return model->structure->lawful ? can : can & ~GM_CAN_CONDITIONAL;
}

int32_t gm_model_log_prob_kind(const gm_model *model)
{
    return model ? model->structure->kind : GM_NO_LOG_PROB;
}

int64_t gm_model_column_count(const gm_model *model)
{
    return model ? model->structure->columns : 0;
}

int64_t gm_model_condition_count(const gm_model *model)
{
    return model ? model->structure->conditions : 0;
}

int64_t gm__code(const gm_model *m)
{
    const gm_direct *direct = m->structure->family->direct;
    return direct && direct->code ? direct->code(m->state) : m->structure->code;
}

int64_t gm_model_code_count(const gm_model *model)
{
    return model ? gm__code(model) : 0;
}

int64_t gm_model_parameter_count(const gm_model *model)
{
    int64_t count = 0;
    for (int i = 0; model && i < model->structure->layout.count; i++)
        count += model->structure->layout.slots[i].count;
    for (int64_t i = 0; model && model->tensors && i < model->tensors->count; i++)
        count += model->tensors->list[i].count;
    return count;
}

/* ---- Columns and options --------------------------------------------------------------------- */

static gm_status column(gm_context *ctx, const gm_model *model, int64_t i, gm_column *out)
{
    if (!model || !out || out->struct_size < sizeof out->struct_size)
        return gm__fail(ctx, GM_E_ARG,
                        "gm_model_column: model or column is NULL, or struct_size is not set");
    const gm__schema *s = model->structure->schema;
    if (i < 0 || i >= s->count)
        return gm__fail(ctx, GM_E_RANGE, "gm_model_column: column %lld of %lld", (long long)i,
                        (long long)s->count);
    const gm__column *c = &s->columns[i];
    gm_column full = {.struct_size = out->struct_size,
                      .type = c->type,
                      .role = c->role,
                      .missing = c->missing,
                      .name = c->name ? c->name : "",
                      .categories = c->categories,
                      .low = c->low,
                      .high = c->high,
                      .resolution = c->resolution,
                      .period = c->period,
                      .missing_count = c->missing_count};
    memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
    return GM_OK;
}

gm_status gm_model_column(gm_context *ctx, const gm_model *model, int64_t i, gm_column *out)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, column(ctx, model, i, out));
}

const char *gm_model_category(const gm_model *model, int64_t i, int64_t category)
{
    const gm__schema *s = model ? model->structure->schema : NULL;
    if (!s || i < 0 || i >= s->count || category < 0 || category >= s->columns[i].categories)
        return NULL;
    return s->columns[i].category[category];
}

const double *gm_model_column_values(const gm_model *model, int64_t column, int64_t *count)
{
    const double *list = NULL;
    int64_t n = 0;
    if (column >= 0 && column < gm_model_column_count(model))
        n = gm__transform_listed(model->structure->transform, column, &list);
    if (count)
        *count = n;
    return list;
}

gm_status gm_model_row_shape(gm_context *ctx, const gm_model *model, int32_t *ndim,
                             int64_t shape[8])
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!model || !ndim || !shape)
        return gm__leave(
            ctx, &entry,
            gm__fail(ctx, GM_E_ARG, "gm_model_row_shape: model, ndim or shape is NULL"));
    const gm__schema *s = model->structure->schema;
    *ndim = s->row_ndim ? s->row_ndim : 1;
    shape[0] = model->structure->columns;
    for (int32_t i = 0; i < s->row_ndim; i++)
        shape[i] = s->row_shape[i];
    return gm__leave(ctx, &entry, GM_OK);
}

/* Where a fit saved checkpoints is nobody else's business. */
int gm__option_is_private(const char *name)
{
    return strcmp(name, "checkpoint") == 0 || strcmp(name, "checkpoint_seconds") == 0;
}

/* The i-th option that is the model's. */
static const gm_option_row *option_at(const gm_model *model, int i, const char **text)
{
    const gm_option_row *row;
    for (int k = 0; (row = gm__value_at(model->structure->values, k, text)); k++)
        if (!gm__option_is_private(row->name) && i-- == 0)
            return row;
    return NULL;
}

gm_status gm_model_option_at(gm_context *ctx, const gm_model *model, int32_t i, const char **name,
                             const char **value)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    const gm_option_row *row = NULL;
    const char *text = NULL;
    if (!model || !name || !value)
        return gm__leave(
            ctx, &entry,
            gm__fail(ctx, GM_E_ARG, "gm_model_option_at: model, name or value is NULL"));
    if (i >= 0)
        row = option_at(model, i, &text);
    if (!row)
        return gm__leave(
            ctx, &entry,
            gm__fail(ctx, GM_E_RANGE, "gm_model_option_at: there is no option number %d", (int)i));
    *name = row->name;
    *value = text;
    return gm__leave(ctx, &entry, GM_OK);
}

/* ---- As JSON --------------------------------------------------------------------------------- */

void gm__model_options_json(const gm_model *model, gm__buffer *out)
{
    const char *text;
    const gm_option_row *row;
    gm__buffer_text(out, "{");
    for (int i = 0; (row = option_at(model, i, &text)); i++) {
        if (i)
            gm__buffer_text(out, ",");
        gm__json_quote(out, row->name);
        gm__buffer_text(out, ":");
        gm__json_quote(out, text);
    }
    gm__buffer_text(out, "}");
}

static void describe(const gm_model *m, gm__buffer *out)
{
    static const char kinds[][12] = {"none", "exact", "lower_bound", "estimate"};
    static const char names[][12] = {"sample", "log_prob",    "gradient",   "encode",
                                     "decode", "reconstruct", "conditional"};
    const gm__structure *s = m->structure;
    gm__buffer_text(out, "{\"family\":");
    gm__json_quote(out, s->family->name);
    gm__buffer_format(
        out,
        ",\"version\":%d,\"arithmetic\":%d,\"columns\":%lld,\"conditions\":%lld,\"code\":%lld,"
        "\"parameters\":%lld,\"log_prob\":\"%s\"",
        (int)s->family->version, (int)gm_arithmetic_revision(), (long long)s->columns,
        (long long)s->conditions, (long long)gm__code(m), (long long)gm_model_parameter_count(m),
        kinds[s->kind]);
    gm__buffer_text(out, ",\"capabilities\":[");
    int32_t can = gm_model_capabilities(m);
    for (int i = 0, any = 0; i < 7; i++)
        if (can >> i & 1)
            gm__buffer_format(out, any++ ? ",\"%s\"" : "\"%s\"", names[i]);
    gm__buffer_text(out, "],\"options\":");
    gm__model_options_json(m, out);
    gm__buffer_text(out, ",\"schema\":");
    gm__schema_write(s->schema, out);
    gm__buffer_text(out, ",\"record\":");
    gm__buffer_text(out, m->record);
    gm__buffer_text(out, "}");
}

gm_status gm_model_describe(gm_context *ctx, const gm_model *model, char *buffer, int64_t size,
                            int64_t *length)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!model || (!buffer && size > 0) || size < 0)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "gm_model_describe: model or buffer is NULL"));
    gm__buffer out = {.allocator = ctx->allocator};
    describe(model, &out);
    gm_status code = out.failed ? gm__no_memory(ctx) : GM_OK;
    if (!code && size > 0) {
        size_t n = out.size < (size_t)size - 1 ? out.size : (size_t)size - 1;
        memcpy(buffer, out.data, n);
        buffer[n] = 0;
    }
    if (!code && length)
        *length = (int64_t)out.size;
    gm__buffer_clear(&out);
    return gm__leave(ctx, &entry, code);
}

gm_status gm__model_note(gm_context *ctx, gm_model *model, const char *member)
{
    size_t length = strlen(model->record);
    gm__buffer b = {.allocator = ctx->allocator};
    gm__buffer_add(&b, model->record, length - 1); /* without its last brace */
    gm__buffer_text(&b, length > 2 ? "," : "");
    gm__buffer_text(&b, member);
    gm__buffer_text(&b, "}");
    char *record = b.failed ? NULL : gm__copy_text(&model->allocator, b.data);
    gm__buffer_clear(&b);
    if (!record)
        return gm__no_memory(ctx);
    gm__free_text(&model->allocator, model->record);
    model->record = record;
    return GM_OK;
}
