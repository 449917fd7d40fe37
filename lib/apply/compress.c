/* The calls that compress. */
#include "apply/pack.h"
#include "apply/text_form.h"
#include "base/float_mode.h"
#include "base/io.h"

#include <string.h>

static void tell(const gm_compression *from, gm_compression *told)
{
    uint32_t size = told ? told->struct_size : 0;
    if (!told)
        return;
    memcpy(told, from, size < sizeof *from ? size : sizeof *from);
    told->struct_size = size;
}

static gm_status check_told(gm_context *ctx, const gm_compression *told)
{
    return !told || told->struct_size >= sizeof(uint32_t)
               ? GM_OK
               : gm__fail(ctx, GM_E_ARG, "compress: told->struct_size must be set");
}

static gm_status compress_rows(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                               const gm_options *opts, const gm_writer *writer,
                               gm_compression *told)
{
    gm__packing p;
    GM_TRY(gm__writer_check(ctx, writer));
    GM_TRY(check_told(ctx, told));
    GM_TRY(gm__pack(ctx, model, rows, opts, NULL, &p));
    gm__archive a = {.what = GM__ARCHIVE_ROWS,
                     .rows = p.told.rows,
                     .symbols = p.symbols,
                     .symbols_size = p.symbols_size};
    gm_status code = gm__archive_write(ctx, model, &a, writer, &p.told.bytes);
    if (!code)
        tell(&p.told, told);
    gm__packing_clear(&p);
    return code;
}

gm_status gm_compress(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                      const gm_options *opts, const gm_writer *writer, gm_compression *told)
{
    if (!ctx)
        return GM_E_ARG;
    uint64_t mode = gm__float_mode_default();
    gm_status code = compress_rows(ctx, model, rows, opts, writer, told);
    gm__float_mode_restore(mode);
    return code;
}

/* ---- Into memory ----------------------------------------------------------------------------- */

typedef struct memory {
    unsigned char *to;
    int64_t size, length;
} memory;

static int32_t write_memory(void *user, const void *bytes, int64_t size)
{
    memory *m = user;
    int64_t room = m->size - m->length;
    if (room > 0)
        memcpy(m->to + m->length, bytes, (size_t)(size < room ? size : room));
    m->length += size;
    return 0;
}

gm_status gm_compress_memory(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                             const gm_options *opts, void *buffer, int64_t size, int64_t *length,
                             gm_compression *told)
{
    memory m = {buffer, size, 0};
    gm_writer writer = {.struct_size = sizeof writer, .user = &m, .write = write_memory};
    if (!length || size < 0 || (!buffer && size > 0))
        return gm__fail(ctx, GM_E_ARG, "compress: buffer, size and length do not fit together");
    GM_TRY(gm_compress(ctx, model, rows, opts, &writer, told));
    *length = m.length;
    return GM_OK;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* What is no table, or none that comes back byte for byte, goes as it is. */
static gm_status write_plain(gm_context *ctx, const gm_model *model, const void *text, int64_t size,
                             const gm_writer *writer, gm_compression *told)
{
    gm__buffer out = {.allocator = ctx->allocator};
    gm_status code = gm__text_plain(ctx, text, size, &out);
    gm__archive a = {.what = GM__ARCHIVE_PLAIN};
    a.text = (const unsigned char *)out.data;
    a.text_size = told->text_bytes = (int64_t)out.size;
    if (!code)
        code = gm__archive_write(ctx, model, &a, writer, &told->bytes);
    gm__buffer_clear(&out);
    return code;
}

static gm_status write_table(gm_context *ctx, const gm_model *model, const gm__packing *p,
                             const gm__buffer *form, const gm_writer *writer, gm_compression *told)
{
    gm__archive a = {.what = GM__ARCHIVE_TEXT,
                     .rows = p->told.rows,
                     .symbols = p->symbols,
                     .symbols_size = p->symbols_size};
    *told = p->told;
    a.text = (const unsigned char *)form->data;
    a.text_size = told->text_bytes = (int64_t)form->size;
    return gm__archive_write(ctx, model, &a, writer, &told->bytes);
}

/* The table of a text as symbols, and its form; *fits 0 where it has none. */
static gm_status pack_table(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                            const gm_options *opts, const gm__piece *text, gm__packing *p,
                            gm__buffer *form, int *fits)
{
    int64_t d = gm_model_column_count(model);
    int64_t *chosen = gm__alloc_array(&ctx->allocator, d, sizeof *chosen);
    gm_dataset *again = NULL;
    gm_status code = chosen ? gm__pack(ctx, model, rows, opts, chosen, p) : gm__no_memory(ctx);
    if (!code) {
        gm__archive a = {.what = GM__ARCHIVE_ROWS,
                         .rows = p->told.rows,
                         .symbols = p->symbols,
                         .symbols_size = p->symbols_size};
        code = gm__unpack(ctx, model, &a, "compress", opts, &again);
        if (!code)
            code =
                gm__text_form(ctx, text, gm_dataset_column_count(rows), again, chosen, form, fits);
        if (code)
            gm__packing_clear(p);
    }
    gm_dataset_free(again);
    gm__free(&ctx->allocator, chosen, (size_t)d * sizeof *chosen);
    return code;
}

static gm_status compress_text(gm_context *ctx, const gm_model *model, const gm__piece *text,
                               const gm_options *csv, const gm_options *opts,
                               const gm_writer *writer, gm_compression *told)
{
    gm_dataset *rows = NULL;
    gm__packing p;
    gm__buffer form = {.allocator = ctx->allocator};
    int fits = 0;
    *told = (gm_compression){.text = 1};
    gm_status code = gm__text_rows(ctx, text, csv, &rows);
    if (code == GM_E_DATA || code == GM_E_FORMAT)
        return write_plain(ctx, model, text->text, text->length, writer, told);
    GM_TRY(code);
    code = pack_table(ctx, model, rows, opts, text, &p, &form, &fits);
    gm_dataset_free(rows);
    if (!code) {
        code = fits ? write_table(ctx, model, &p, &form, writer, told)
                    : write_plain(ctx, model, text->text, text->length, writer, told);
        gm__packing_clear(&p);
    }
    gm__buffer_clear(&form);
    told->text = 1;
    return code;
}

gm_status gm_compress_text(gm_context *ctx, const gm_model *model, const void *text, int64_t size,
                           const gm_options *csv, const gm_options *opts, const gm_writer *writer,
                           gm_compression *told)
{
    gm_compression full;
    gm__piece all = {text, size};
    if (!ctx || !model || !text || size < 0)
        return gm__fail(ctx, GM_E_ARG, "compress: a model and a text were expected");
    GM_TRY(gm__writer_check(ctx, writer));
    GM_TRY(check_told(ctx, told));
    uint64_t mode = gm__float_mode_default();
    gm_status code = compress_text(ctx, model, &all, csv, opts, writer, &full);
    gm__float_mode_restore(mode);
    if (!code)
        tell(&full, told);
    return code;
}
