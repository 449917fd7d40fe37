/* The model file: safetensors with the family, options, schema, transform and record as metadata
 * (doc/FORMAT.md). */
#include "model/direct.h"

#include <math.h>
#include <string.h>

#define FORMAT "genmod-model"
#define FORMAT_VERSION 1
#define LEAST_READER 1 /* the oldest format version whose readers can read what is written here */
#define TRANSFORM "transform"

/* ---- Writing --------------------------------------------------------------------------------- */

/* The texts of the metadata; cleared together. */
typedef struct gm__texts {
    gm__buffer options, schema, transform;
} gm__texts;

static void clear_texts(gm__texts *t)
{
    gm__buffer_clear(&t->options);
    gm__buffer_clear(&t->schema);
    gm__buffer_clear(&t->transform);
}

/* The parameters of graphs, and what a direct family has learned, as tensors. */
static void list_params(const gm_model *m, gm__tensor *tensors)
{
    const gm__structure *s = m->structure;
    size_t size = s->real == GM__F64 ? 8 : 4;
    for (int i = 0; i < s->layout.count; i++) {
        const gm__slot *slot = &s->layout.slots[i];
        tensors[i] = (gm__tensor){.name = slot->name,
                                  .dtype = s->real == GM__F64 ? GM_F64 : GM_F32,
                                  .ndim = slot->ndim,
                                  .data = (const char *)m->params + (size_t)slot->offset * size,
                                  .count = slot->count};
        memcpy(tensors[i].shape, slot->shape, sizeof tensors[i].shape);
    }
}

static void list_learned(const gm_model *m, gm__tensor *tensors)
{
    for (int64_t i = 0; m->tensors && i < m->tensors->count; i++) {
        const gm__named *n = &m->tensors->list[i];
        tensors[i] = (gm__tensor){
            .name = n->name, .dtype = GM_F64, .ndim = n->ndim, .data = n->data, .count = n->count};
        memcpy(tensors[i].shape, n->shape, sizeof tensors[i].shape);
    }
}

static gm_status write_tensors(gm_context *ctx, const gm_model *m, const gm_writer *writer,
                               gm__texts *t, const double *numbers, int64_t count)
{
    const gm__structure *s = m->structure;
    char format[24], least[24], version[24], revision[24];
    gm__write_int(format, FORMAT_VERSION);
    gm__write_int(least, LEAST_READER);
    gm__write_int(version, s->family->version);
    gm__write_int(revision, gm_arithmetic_revision());
    gm__text_pair meta[] = {
        {"format", FORMAT},           {"format_version", format},  {"least_reader", least},
        {"family", s->family->name},  {"family_version", version}, {"arithmetic", revision},
        {"options", t->options.data}, {"schema", t->schema.data},  {"transform", t->transform.data},
        {"record", m->record}};
    int64_t own = s->layout.count + (m->tensors ? m->tensors->count : 0);
    gm__tensor *tensors = gm__alloc_array(&ctx->allocator, own + 1, sizeof *tensors);
    if (!tensors)
        return gm__no_memory(ctx);
    list_params(m, tensors);
    list_learned(m, tensors + s->layout.count);
    tensors[own] = (gm__tensor){.name = TRANSFORM,
                                .dtype = GM_F64,
                                .ndim = 1,
                                .shape = {count},
                                .data = numbers,
                                .count = count};
    gm_status code =
        gm__tensors_write(ctx, writer, meta, (int)(sizeof meta / sizeof meta[0]), tensors, own + 1);
    gm__free(&ctx->allocator, tensors, (size_t)(own + 1) * sizeof *tensors);
    return code;
}

static gm_status write_model(gm_context *ctx, const gm_model *m, const gm_writer *writer)
{
    gm__texts t = {.options.allocator = ctx->allocator,
                   .schema.allocator = ctx->allocator,
                   .transform.allocator = ctx->allocator};
    const double *numbers;
    int64_t count;
    gm__model_options_json(m, &t.options);
    gm__schema_write(m->structure->schema, &t.schema);
    gm__transform_write(m->structure->transform, &t.transform, &numbers, &count);
    gm__buffer_add(&t.options, "", 1);
    gm__buffer_add(&t.schema, "", 1);
    gm__buffer_add(&t.transform, "", 1);
    gm_status code = t.options.failed || t.schema.failed || t.transform.failed
                         ? gm__no_memory(ctx)
                         : write_tensors(ctx, m, writer, &t, numbers, count);
    clear_texts(&t);
    return code;
}

static gm_status save(gm_context *ctx, const gm_model *m, const char *path)
{
    gm__replacement *r;
    gm_writer writer;
    if (!m || !path)
        return gm__fail(ctx, GM_E_ARG, "gm_model_save: model or path is NULL");
    GM_TRY(gm__replace_begin(ctx, path, &r, &writer));
    gm_status code = write_model(ctx, m, &writer);
    if (code) {
        gm__replace_abandon(r);
        return code;
    }
    return gm__replace_finish(ctx, r);
}

gm_status gm_model_save(gm_context *ctx, const gm_model *model, const char *path)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, save(ctx, model, path));
}

gm_status gm_model_write(gm_context *ctx, const gm_model *model, const gm_writer *writer)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = model ? gm__writer_check(ctx, writer)
                           : gm__fail(ctx, GM_E_ARG, "gm_model_write: model is NULL");
    if (!code)
        code = write_model(ctx, model, writer);
    return gm__leave(ctx, &entry, code);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static gm_status meta_int(gm_context *ctx, const gm__tensor_file *f, const char *file,
                          const char *name, int64_t *value)
{
    const char *text = gm__tensors_meta(f, name);
    if (text && gm__read_int(text, (int64_t)strlen(text), value) == (int64_t)strlen(text) &&
        *value > 0)
        return GM_OK;
    return gm__fail(ctx, GM_E_FORMAT, "%s: the metadata '%s' must be a whole number", file, name);
}

static gm_status meta_json(gm_context *ctx, gm__tensor_file *f, const char *file, const char *name,
                           const gm__json **json)
{
    const char *text = gm__tensors_meta(f, name);
    if (!text)
        return gm__fail(ctx, GM_E_FORMAT, "%s: the metadata has no '%s'", file, name);
    gm_status code = gm__json_parse(ctx, file, text, (int64_t)strlen(text), &f->arena, json);
    return code ? gm__prefix(ctx, "%s: metadata '%s': ", file, name) : GM_OK;
}

static gm_status check_format(gm_context *ctx, const gm__tensor_file *f, const char *file,
                              const gm_family **family)
{
    const char *format = gm__tensors_meta(f, "format"), *name = gm__tensors_meta(f, "family");
    int64_t least, version, written;
    if (!format || strcmp(format, FORMAT) != 0 || !name)
        return gm__fail(ctx, GM_E_FORMAT,
                        "%s: is no model file (its format is '%.*s', expected " FORMAT ")", file,
                        40, format ? format : "none");
    GM_TRY(meta_int(ctx, f, file, "format_version", &written));
    GM_TRY(meta_int(ctx, f, file, "least_reader", &least));
    GM_TRY(meta_int(ctx, f, file, "family_version", &version));
    if (least > FORMAT_VERSION)
        return gm__fail(ctx, GM_E_VERSION,
                        "%s: has format version %lld and needs a reader of version %lld; this "
                        "library (%s) reads up to %d",
                        file, (long long)written, (long long)least, gm_version(), FORMAT_VERSION);
    if (gm__family_find(ctx, name, family))
        return gm__prefix(ctx, "%s: ", file);
    if (version > (*family)->version)
        return gm__fail(
            ctx, GM_E_VERSION,
            "%s: is of version %lld of the family %s; this library knows versions up to %d", file,
            (long long)version, (*family)->name, (int)(*family)->version);
    return GM_OK;
}

/* The texts of a JSON object as a bag. An empty text is no value, but where the default is one. */
static gm_status read_bag(gm_context *ctx, const gm__json *json, const char *file,
                          const gm_option_row *const *tables, int count, gm_options *bag)
{
    if (json->type != GM__JSON_OBJECT)
        return gm__fail(ctx, GM_E_FORMAT, "%s: the options are no JSON object", file);
    for (const gm__json *j = json->first; j; j = j->next) {
        const gm_option_row *row = NULL;
        for (int t = 0; t < count && !row; t++)
            row = gm__option_find(tables[t], j->name);
        if (!row || j->type != GM__JSON_STRING)
            return gm__fail(ctx, GM_E_FORMAT, "%s: option '%.*s' is %s", file, 60, j->name,
                            row ? "no text" : "not known: the file is of another program");
        if (j->text[0] || (row->initial && row->initial[0]))
            GM_TRY(gm__options_put(ctx, bag, j->name, j->text));
    }
    return GM_OK;
}

/* The error in force as GM_E_FORMAT, with what this means in a file. */
static gm_status as_format(gm_context *ctx, const char *file)
{
    char text[512];
    gm__format(text, sizeof text, "%s", ctx->error);
    return gm__fail(ctx, GM_E_FORMAT, "%s: was written by another program or is damaged: %s", file,
                    text);
}

static gm_status read_options(gm_context *ctx, gm__tensor_file *f, const char *file,
                              const gm_family *family, gm__values **values)
{
    const gm_option_row *tables[8];
    const gm__json *json;
    gm_options *bag;
    GM_TRY(meta_json(ctx, f, file, "options", &json));
    GM_TRY(gm__options_new(ctx, &bag));
    int count = gm__structure_tables(family, tables);
    gm_status code = read_bag(ctx, json, file, tables, count, bag);
    if (!code) {
        code = gm__values_create(ctx, family->name, tables, count,
                                 GM_STAGE_BUILD | GM_STAGE_FIT | GM_STAGE_CALL, bag, values);
        if (code && code != GM_E_MEMORY)
            code = as_format(ctx, file);
    }
    gm_options_free(bag);
    return code;
}

/* Elements of all tensors: what parameters the file can justify. */
static int64_t elements(const gm__tensor_file *f)
{
    int64_t sum = 1024; /* padding between parameters */
    for (int64_t i = 0; i < f->count; i++)
        sum += f->tensors[i].count + 16;
    return sum;
}

static gm_status read_structure(gm_context *ctx, gm__tensor_file *f, const char *file,
                                const gm_family *family, gm__structure **s)
{
    const gm__json *schema_json, *transform_json;
    GM_TRY(meta_json(ctx, f, file, "schema", &schema_json));
    GM_TRY(meta_json(ctx, f, file, "transform", &transform_json));
    const gm__tensor *numbers = gm__tensors_find(f, TRANSFORM);
    if (!numbers || numbers->dtype != GM_F64 || numbers->ndim != 1)
        return gm__fail(ctx, GM_E_FORMAT,
                        "%s: the tensor '" TRANSFORM "' is missing or no list of F64", file);
    double *aligned = gm__arena_array(&f->arena, numbers->count + 1, sizeof *aligned);
    if (!aligned)
        return gm__no_memory(ctx);
    memcpy(aligned, numbers->data, (size_t)numbers->count * sizeof *aligned);
    gm__values *values;
    gm__schema *schema;
    gm__transform *transform;
    GM_TRY(read_options(ctx, f, file, family, &values));
    gm_status code = gm__schema_parse(ctx, schema_json, &schema);
    if (!code) {
        code =
            gm__transform_parse(ctx, transform_json, aligned, numbers->count, schema, &transform);
        if (code)
            gm__schema_release(schema);
        else
            code = gm__structure_create(ctx, family, values, schema, transform, elements(f), s);
    }
    gm__values_free(values);
    return code && code != GM_E_MEMORY ? gm__prefix(ctx, "%s: ", file) : code;
}

static int all_finite(const void *params, int64_t n, int f64)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(f64 ? ((const double *)params)[i] : (double)((const float *)params)[i]))
            return 0;
    return 1;
}

/* Copies each parameter's tensor into the flat buffer; every parameter must be there, and nothing
 * else. */
static gm_status read_params(gm_context *ctx, const gm__tensor_file *f, const char *file,
                             const gm__structure *s, void *params)
{
    if (f->count != s->layout.count + 1)
        return gm__fail(ctx, GM_E_FORMAT, "%s: has %lld tensors, %d were expected", file,
                        (long long)f->count, s->layout.count + 1);
    size_t size = s->real == GM__F64 ? 8 : 4;
    for (int i = 0; i < s->layout.count; i++) {
        const gm__slot *slot = &s->layout.slots[i];
        const gm__tensor *t = &f->tensors[i]; /* in this order they were written */
        if (strcmp(t->name, slot->name) != 0)
            t = gm__tensors_find(f, slot->name);
        GM_TRY(gm__check_cancel(ctx));
        if (!t || t->dtype != (s->real == GM__F64 ? GM_F64 : GM_F32) || t->ndim != slot->ndim ||
            memcmp(t->shape, slot->shape, (size_t)slot->ndim * sizeof *t->shape) != 0)
            return gm__fail(ctx, GM_E_FORMAT,
                            "%s: the parameter '%s' is missing, or of another type or shape than "
                            "its options say",
                            file, slot->name);
        void *to = (char *)params + (size_t)slot->offset * size;
        memcpy(to, t->data, (size_t)slot->count * size);
        if (!all_finite(to, slot->count, s->real == GM__F64))
            return gm__fail(ctx, GM_E_FORMAT,
                            "%s: the parameter '%s' holds a number that is not finite", file,
                            slot->name);
    }
    return GM_OK;
}

/* The model of a graph's parameters. */
static gm_status read_graph_model(gm_context *ctx, const gm__tensor_file *f, const char *file,
                                  gm__structure *s, gm_model **model)
{
    size_t bytes = (size_t)s->layout.size * (s->real == GM__F64 ? 8 : 4);
    void *params;
    gm_status code = gm__alloc_large(ctx, bytes, &params);
    if (!code)
        code = read_params(ctx, f, file, s, params);
    if (!code)
        code = gm__model_create(ctx, s, params, gm__tensors_meta(f, "record"), model);
    gm__free(&ctx->allocator, params, params ? bytes : 0);
    return code;
}

/* The model of what a direct family has learned. */
static gm_status read_direct_model(gm_context *ctx, const gm__tensor_file *f, const char *file,
                                   gm__structure *s, gm_model **model)
{
    gm_tensors *t;
    GM_TRY(gm__direct_read(ctx, f, file, TRANSFORM, &t));
    gm_status code = gm__direct_model(ctx, s, t, gm__tensors_meta(f, "record"), model);
    return code == GM_E_FORMAT ? gm__prefix(ctx, "%s: ", file) : code;
}

static gm_status read_model(gm_context *ctx, gm__tensor_file *f, const char *file, gm_model **model)
{
    gm__structure *s;
    const gm_family *family;
    const gm__json *record;
    GM_TRY(check_format(ctx, f, file, &family));
    GM_TRY(meta_json(ctx, f, file, "record", &record));
    GM_TRY(read_structure(ctx, f, file, family, &s));
    gm_status code =
        (family->direct ? read_direct_model : read_graph_model)(ctx, f, file, s, model);
    gm__structure_release(s);
    return code;
}

static gm_status read_reader(gm_context *ctx, const gm_reader *reader, const char *name,
                             gm_model **model)
{
    gm__tensor_file f;
    GM_TRY(gm__tensors_read(ctx, reader, name, &f));
    gm_status code = read_model(ctx, &f, name, model);
    gm__tensors_clear(&f);
    return code;
}

static gm_status load(gm_context *ctx, const char *path, gm_model **model)
{
    gm_reader reader;
    if (!path)
        return gm__fail(ctx, GM_E_ARG, "gm_model_load: path is NULL");
    GM_TRY(gm__file_reader(ctx, path, &reader));
    gm_status code = read_reader(ctx, &reader, path, model);
    gm__file_reader_close(&reader);
    return code;
}

gm_status gm_model_load(gm_context *ctx, const char *path, gm_model **model)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!model)
        return gm__leave(ctx, &entry, gm__fail(ctx, GM_E_ARG, "gm_model_load: model is NULL"));
    *model = NULL;
    return gm__leave(ctx, &entry, load(ctx, path, model));
}

gm_status gm_model_read(gm_context *ctx, const gm_reader *reader, const char *name,
                        gm_model **model)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = model ? gm__reader_check(ctx, reader)
                           : gm__fail(ctx, GM_E_ARG, "gm_model_read: model is NULL");
    if (model)
        *model = NULL;
    if (!code)
        code = read_reader(ctx, reader, name ? name : "model", model);
    return gm__leave(ctx, &entry, code);
}

gm_status gm_model_load_memory(gm_context *ctx, const void *bytes, int64_t size, gm_model **model)
{
    gm__entry entry;
    gm__memory_source source = {.data = bytes, .size = size};
    gm_reader reader;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code =
        !model || (!bytes && size > 0) || size < 0
            ? gm__fail(ctx, GM_E_ARG,
                       "gm_model_load_memory: bytes or model is NULL, or size is negative")
            : GM_OK;
    if (model)
        *model = NULL;
    if (!code)
        code = gm__memory_reader(&reader, &source);
    if (!code)
        code = read_reader(ctx, &reader, "model in memory", model);
    return gm__leave(ctx, &entry, code);
}
