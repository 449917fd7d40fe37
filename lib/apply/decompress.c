/* The calls that decompress. */
#include "apply/literal.h"
#include "apply/text_form.h"
#include "base/float_mode.h"
#include "base/io.h"

/* What a call was given, and where its answer goes: rows or a text. */
typedef struct call {
    gm_context *ctx;
    const gm_model *model;
    const char *name;
    const gm_options *opts;
    gm_dataset **rows;
    const gm_writer *writer;
} call;

static gm_status unpack_rows(const call *c, const gm__archive *a)
{
    if (a->what == GM__ARCHIVE_PLAIN)
        return gm__fail(c->ctx, GM_E_STATE, "%s: holds a text that is no table: there are no rows",
                        c->name);
    return gm__unpack(c->ctx, c->model, a, c->name, c->opts, c->rows);
}

static gm_status text_with_lines(const call *c, const gm__archive *a, const gm_dataset *rows,
                                 gm__buffer *text)
{
    gm__buffer table = {.allocator = c->ctx->allocator};
    int64_t lines;
    GM_TRY(gm__literal_size(c->ctx, c->name, a->text, a->text_size, &lines));
    gm_status code =
        gm__text_again(c->ctx, c->name, a->text + lines, a->text_size - lines, rows, &table);
    if (!code)
        code = gm__literal_join(c->ctx, c->name, a->text, lines, &table, text);
    gm__buffer_clear(&table);
    return code;
}

static gm_status unpack_text(const call *c, const gm__archive *a)
{
    gm__buffer text = {.allocator = c->ctx->allocator};
    gm_dataset *rows = NULL;
    gm_status code = GM_OK;
    if (a->what == GM__ARCHIVE_ROWS)
        return gm__fail(c->ctx, GM_E_STATE, "%s: holds rows and no text", c->name);
    if (a->what != GM__ARCHIVE_PLAIN)
        code = gm__unpack(c->ctx, c->model, a, c->name, c->opts, &rows);
    if (!code && a->what == GM__ARCHIVE_LINES)
        code = text_with_lines(c, a, rows, &text);
    else if (!code && rows)
        code = gm__text_again(c->ctx, c->name, a->text, a->text_size, rows, &text);
    else if (!code)
        code = gm__text_of_plain(c->ctx, c->name, a->text, a->text_size, &text);
    if (!code)
        code = gm__write(c->ctx, c->writer, text.data, (int64_t)text.size);
    gm_dataset_free(rows);
    gm__buffer_clear(&text);
    return code;
}

static gm_status answer(const call *c, const void *bytes, int64_t size)
{
    gm__archive a;
    uint64_t mode = gm__float_mode_default();
    gm_status code = gm__archive_read(c->ctx, c->model, c->name, bytes, size, &a);
    if (!code)
        code = c->rows ? unpack_rows(c, &a) : unpack_text(c, &a);
    gm__float_mode_restore(mode);
    return code;
}

static gm_status read_and_answer(const call *c, const gm_reader *reader)
{
    char *bytes;
    int64_t size;
    GM_TRY(gm__reader_check(c->ctx, reader));
    GM_TRY(gm__read_all(c->ctx, reader, c->name, INT64_MAX, &bytes, &size));
    gm_status code = answer(c, bytes, size);
    gm__free(&c->ctx->allocator, bytes, (size_t)size + 1);
    return code;
}

static gm_status no_model(gm_context *ctx)
{
    return gm__fail(ctx, GM_E_ARG,
                    "decompress: a model, an archive and a place for what it holds "
                    "were expected");
}

gm_status gm_decompress(gm_context *ctx, const gm_model *model, const gm_reader *reader,
                        const char *name, const gm_options *opts, gm_dataset **rows)
{
    call c = {ctx, model, name ? name : "archive", opts, rows, NULL};
    if (!ctx || !model || !rows)
        return no_model(ctx);
    *rows = NULL;
    return read_and_answer(&c, reader);
}

gm_status gm_decompress_memory(gm_context *ctx, const gm_model *model, const void *bytes,
                               int64_t size, const gm_options *opts, gm_dataset **rows)
{
    call c = {ctx, model, "archive", opts, rows, NULL};
    if (!ctx || !model || !rows || !bytes || size < 0)
        return no_model(ctx);
    *rows = NULL;
    return answer(&c, bytes, size);
}

gm_status gm_decompress_text(gm_context *ctx, const gm_model *model, const gm_reader *reader,
                             const char *name, const gm_options *opts, const gm_writer *writer)
{
    call c = {ctx, model, name ? name : "archive", opts, NULL, writer};
    if (!ctx || !model)
        return no_model(ctx);
    GM_TRY(gm__writer_check(ctx, writer));
    return read_and_answer(&c, reader);
}

int32_t gm_archive_has_text(const void *bytes, int64_t size)
{
    int what = bytes ? gm__archive_kind(bytes, size) : -1;
    return what > GM__ARCHIVE_ROWS;
}
