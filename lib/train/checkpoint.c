/* The whole state of a fit in a file, and back. */
#include "train/trainer.h"

#include <string.h>

#define FORMAT "genmod-checkpoint"
#define FORMAT_VERSION 1

static const char *const buffer_names[GM__BUFFERS] = {
    "param", NULL, "m", "v", "average", "best", "snapshot.param", "snapshot.m", "snapshot.v"};

static const char part_names[GM__PARTS][12] = {"family", "options", "optimizer", "data"};

/* The counters as rows, so that writing and reading cannot differ. */
static const struct {
    const char *name;
    size_t offset;
} whole[] =
    {
#define ROW(member)                                                                                \
    {                                                                                              \
#member, offsetof(gm__counters, member)                                                    \
    }
        ROW(step),    ROW(updates),       ROW(horizon),
        ROW(hold),    ROW(best_step),     ROW(recoveries),
        ROW(stale),   ROW(snapshot_step), ROW(snapshot_updates),
        ROW(done),    ROW(started),       ROW(due),
        ROW(foreign),
},
  real[] = {
      ROW(loss),           ROW(valid),      ROW(best),
      ROW(seconds),        ROW(rate_scale), ROW(evaluate_seconds),
      ROW(evaluate_total),
#undef ROW
};
#define COUNT(rows) ((int)(sizeof(rows) / sizeof(rows)[0]))

static void write_counters(const gm_trainer *t, gm__buffer *out)
{
    const char *at = (const char *)&t->at;
    for (int i = 0; i < COUNT(whole); i++)
        gm__buffer_format(out, "%s\"%s\":%lld", i ? "," : "{", whole[i].name,
                          (long long)*(const int64_t *)(const void *)(at + whole[i].offset));
    for (int i = 0; i < COUNT(real); i++) {
        gm__buffer_format(out, ",\"%s\":", real[i].name);
        gm__json_write_real(out, *(const double *)(const void *)(at + real[i].offset));
    }
    gm__buffer_text(out, "}");
}

static gm_status read_counters(gm_context *ctx, const gm__json *json, gm__counters *at)
{
    for (int i = 0; i < COUNT(whole); i++)
        GM_TRY(gm__json_int(ctx, json, whole[i].name, 0, INT64_MAX,
                            (int64_t *)(void *)((char *)at + whole[i].offset)));
    for (int i = 0; i < COUNT(real); i++)
        GM_TRY(gm__json_real(ctx, json, real[i].name,
                             (double *)(void *)((char *)at + real[i].offset)));
    return GM_OK;
}

gm_status gm__trainer_save(gm_context *ctx, const gm_trainer *t, const gm_writer *writer)
{
    gm__tensor tensors[GM__BUFFERS];
    int count = 0;
    for (int i = 0; i < GM__BUFFERS; i++)
        if (buffer_names[i] && t->buffers[i])
            tensors[count++] = (gm__tensor){.name = buffer_names[i],
                                            .dtype = t->objective.real == GM__F64 ? GM_F64 : GM_F32,
                                            .ndim = 1,
                                            .shape = {t->objective.layout->size},
                                            .data = t->buffers[i],
                                            .count = t->objective.layout->size};
    char version[24], revision[24];
    gm__write_int(version, FORMAT_VERSION);
    gm__write_int(revision, gm_arithmetic_revision());
    gm__buffer counters = {.allocator = ctx->allocator};
    write_counters(t, &counters);
    gm__buffer_add(&counters, "", 1);
    gm_status code = counters.failed ? gm__no_memory(ctx) : GM_OK;
    if (!code) {
        gm__text_pair meta[] = {
            {"format", FORMAT},
            {"format_version", version},
            {"arithmetic", revision},
            {part_names[GM__OF_FAMILY], t->objective.parts[GM__OF_FAMILY]},
            {part_names[GM__OF_OPTIONS], t->objective.parts[GM__OF_OPTIONS]},
            {part_names[GM__OF_OPTIMIZER], t->objective.parts[GM__OF_OPTIMIZER]},
            {part_names[GM__OF_DATA], t->objective.parts[GM__OF_DATA]},
            {"counters", counters.data}};
        code = gm__tensors_write(ctx, writer, meta, COUNT(meta), tensors, count);
    }
    gm__buffer_clear(&counters);
    return code;
}

gm_status gm__trainer_save_file(gm_context *ctx, const gm_trainer *t, const char *path)
{
    gm__replacement *r;
    gm_writer writer;
    GM_TRY(gm__replace_begin(ctx, path, &r, &writer));
    gm_status code = gm__trainer_save(ctx, t, &writer);
    if (code) {
        gm__replace_abandon(r);
        return code;
    }
    return gm__replace_finish(ctx, r);
}

/* Nothing but where the checkpoint is written may differ; the text says what does. */
static gm_status check_parts(gm_context *ctx, const gm_trainer *t, const gm__tensor_file *f,
                             const char *name)
{
    char differ[64] = "";
    int64_t at = 0;
    for (int i = 0; i < GM__PARTS; i++) {
        const char *has = gm__tensors_meta(f, part_names[i]);
        if (!has || strcmp(has, t->objective.parts[i]) != 0)
            at += gm__format(differ + at, (int64_t)sizeof differ - at, at ? ", %s" : "%s",
                             part_names[i]);
    }
    if (!at)
        return GM_OK;
    return gm__fail(ctx, GM_E_STATE,
                    "%s: is a checkpoint of another fit; it differs in: %s; a fit goes on with the "
                    "same family, options, optimizer and data only",
                    name, differ);
}

static gm_status check_meta(gm_context *ctx, const gm_trainer *t, const gm__tensor_file *f,
                            const char *name)
{
    const char *format = gm__tensors_meta(f, "format"),
               *version = gm__tensors_meta(f, "format_version");
    const char *revision = gm__tensors_meta(f, "arithmetic");
    int64_t v = 0, r = 0;
    if (!format || strcmp(format, FORMAT) != 0)
        return gm__fail(ctx, GM_E_FORMAT, "%s: is no checkpoint of a fit", name);
    if (!version || !gm__read_int(version, (int64_t)strlen(version), &v) || v != FORMAT_VERSION)
        return gm__fail(ctx, GM_E_VERSION,
                        "%s: is a checkpoint of format %.*s, this library reads format %d", name,
                        20, version ? version : "?", FORMAT_VERSION);
    if (!revision || !gm__read_int(revision, (int64_t)strlen(revision), &r) ||
        r != gm_arithmetic_revision())
        return gm__fail(ctx, GM_E_STATE,
                        "%s: was made with arithmetic revision %.*s, this library has %d: the bits "
                        "would differ",
                        name, 20, revision ? revision : "?", (int)gm_arithmetic_revision());
    return check_parts(ctx, t, f, name);
}

static gm_status read_buffers(gm_context *ctx, gm_trainer *t, const gm__tensor_file *f,
                              const char *name)
{
    int32_t dtype = t->objective.real == GM__F64 ? GM_F64 : GM_F32;
    for (int i = 0; i < GM__BUFFERS; i++) {
        if (!buffer_names[i] || !t->buffers[i])
            continue;
        const gm__tensor *tensor = gm__tensors_find(f, buffer_names[i]);
        if (!tensor || tensor->dtype != dtype || tensor->count != t->objective.layout->size)
            return gm__fail(ctx, GM_E_FORMAT, "%s: the buffer '%s' is missing or of another size",
                            name, buffer_names[i]);
    }
    for (int i = 0; i < GM__BUFFERS; i++)
        if (buffer_names[i] && t->buffers[i]) {
            GM_TRY(gm__check_cancel(ctx));
            memcpy(t->buffers[i], gm__tensors_find(f, buffer_names[i])->data, gm__trainer_bytes(t));
        }
    return GM_OK;
}

static gm_status restore(gm_context *ctx, gm_trainer *t, gm__tensor_file *f, const char *name)
{
    GM_TRY(check_meta(ctx, t, f, name));
    const char *text = gm__tensors_meta(f, "counters");
    const gm__json *json;
    gm__counters at = {0};
    if (!text)
        return gm__fail(ctx, GM_E_FORMAT, "%s: has no counters", name);
    GM_TRY(gm__json_parse(ctx, name, text, (int64_t)strlen(text), &f->arena, &json));
    GM_TRY(read_counters(ctx, json, &at));
    GM_TRY(read_buffers(ctx, t, f, name));
    t->at = at;
    return GM_OK;
}

gm_status gm__trainer_restore(gm_context *ctx, gm_trainer *t, const gm_reader *reader,
                              const char *name)
{
    gm__tensor_file f;
    GM_TRY(gm__tensors_read(ctx, reader, name, &f));
    gm_status code = restore(ctx, t, &f, name);
    gm__tensors_clear(&f);
    return code;
}

gm_status gm_trainer_checkpoint(gm_context *ctx, const gm_trainer *trainer, const char *path)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!trainer || !path)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "gm_trainer_checkpoint: trainer or path is NULL"));
    return gm__leave(ctx, &entry, gm__trainer_save_file(ctx, trainer, path));
}

gm_status gm_trainer_checkpoint_write(gm_context *ctx, const gm_trainer *trainer,
                                      const gm_writer *writer)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = trainer
                         ? gm__writer_check(ctx, writer)
                         : gm__fail(ctx, GM_E_ARG, "gm_trainer_checkpoint_write: trainer is NULL");
    if (!code)
        code = gm__trainer_save(ctx, trainer, writer);
    return gm__leave(ctx, &entry, code);
}
