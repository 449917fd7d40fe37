/* The calls that compress. */
#include "apply/literal.h"
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

/* A text on its way: its table, if it has one, and what the archive says of it. */
typedef struct text_call {
    gm_context *ctx;
    const gm_model *model;
    const gm__piece *text;
    const gm_options *csv, *opts;
    const gm_writer *writer;
    gm__packing table;
    gm__buffer form;
    gm_compression *told;
} text_call;

static gm_status write_text(text_call *c, int what)
{
    gm__archive a = {.what = what,
                     .rows = c->told->rows,
                     .text = (const unsigned char *)c->form.data,
                     .text_size = (int64_t)c->form.size,
                     .symbols = c->table.symbols,
                     .symbols_size = c->table.symbols_size};
    c->told->text = 1;
    c->told->text_bytes = a.text_size;
    return gm__archive_write(c->ctx, c->model, &a, c->writer, &c->told->bytes);
}

/* Rows of a table as symbols, and behind what is in c->form its form; *fits 0 where it has none.
 * taken: where the model's columns are among `columns` of the text, NULL: in those of rows. */
static gm_status pack_table(text_call *c, const gm_dataset *rows, const gm__piece *table,
                            int64_t columns, const int64_t *taken, int *fits)
{
    int64_t d = gm_model_column_count(c->model);
    int64_t *chosen = gm__alloc_array(&c->ctx->allocator, d, sizeof *chosen);
    gm_dataset *again = NULL;
    gm__buffer form = {.allocator = c->ctx->allocator};
    gm_status code = chosen ? gm__pack(c->ctx, c->model, rows, c->opts, chosen, &c->table)
                            : gm__no_memory(c->ctx);
    if (!code) {
        gm__archive a = {.what = GM__ARCHIVE_ROWS,
                         .rows = c->table.told.rows,
                         .symbols = c->table.symbols,
                         .symbols_size = c->table.symbols_size};
        *c->told = c->table.told;
        code = gm__unpack(c->ctx, c->model, &a, "compress", c->opts, &again);
    }
    if (!code)
        code = gm__text_form(c->ctx, table, columns, again, taken ? taken : chosen, &form, fits);
    gm__buffer_add(&c->form, form.data, form.size);
    if (!code && c->form.failed)
        code = gm__no_memory(c->ctx);
    gm__buffer_clear(&form);
    gm_dataset_free(again);
    gm__free(&c->ctx->allocator, chosen, (size_t)d * sizeof *chosen);
    return code;
}

static void forget_table(text_call *c)
{
    gm__packing_clear(&c->table);
    gm__buffer_clear(&c->form);
    *c->told = (gm_compression){.text = 1};
}

/* Whether it is the text's fault, so that there is another way for it. */
static int of_text(gm_status code)
{
    return code == GM_E_DATA || code == GM_E_FORMAT || code == GM_E_UNKNOWN || code == GM_E_SHAPE ||
           code == GM_E_NONFINITE;
}

static gm_status check_options(const text_call *c)
{
    gm_conditional *law;
    gm_status code = gm_conditional_create(c->ctx, c->model, c->opts, &law);
    gm_conditional_free(law);
    return code;
}

/* As one table. */
static gm_status try_table(text_call *c, int *fits)
{
    gm_dataset *rows = NULL;
    gm_status code = gm__text_rows(c->ctx, c->text, c->csv, &rows);
    *fits = 0;
    if (code)
        return code == GM_E_DATA || code == GM_E_FORMAT ? GM_OK : code;
    code = pack_table(c, rows, c->text, gm_dataset_column_count(rows), NULL, fits);
    gm_dataset_free(rows);
    if (*fits && !code)
        return write_text(c, GM__ARCHIVE_TEXT);
    forget_table(c);
    if (code == GM_E_UNKNOWN) /* a column, if the options are known */
        return check_options(c);
    return of_text(code) ? GM_OK : code;
}

/* As a table with lines between. */
static gm_status try_lines(text_call *c, int *fits)
{
    gm__literal l;
    gm_dataset *rows = NULL;
    gm_status code = gm__literal_cut(c->ctx, c->model, c->csv, c->text, &l);
    gm__piece table = {l.table.data, (int64_t)l.table.size};
    *fits = 0;
    if (!code && l.rows && l.count)
        code = gm__literal_rows(c->ctx, &l, &rows);
    if (!code && rows)
        code = gm__literal_put(c->ctx, &l, &c->form);
    if (!code && rows)
        code = pack_table(c, rows, &table, l.columns, l.taken, fits);
    c->told->literal = l.literal;
    gm__literal_clear(&l, c->model);
    gm_dataset_free(rows);
    if (*fits && !code)
        return write_text(c, GM__ARCHIVE_LINES);
    forget_table(c);
    return of_text(code) ? GM_OK : code;
}

/* As it is: what is no table of the model's columns. */
static gm_status write_plain(text_call *c)
{
    GM_TRY(gm__text_plain(c->ctx, c->text->text, c->text->length, &c->form));
    return write_text(c, GM__ARCHIVE_PLAIN);
}

static gm_status compress_text(text_call *c)
{
    int fits;
    GM_TRY(try_table(c, &fits));
    if (!fits)
        GM_TRY(try_lines(c, &fits));
    return fits ? GM_OK : write_plain(c);
}

gm_status gm_compress_text(gm_context *ctx, const gm_model *model, const void *text, int64_t size,
                           const gm_options *csv, const gm_options *opts, const gm_writer *writer,
                           gm_compression *told)
{
    gm_compression full = {.text = 1};
    gm__piece all = {text, size};
    text_call c = {.ctx = ctx,
                   .model = model,
                   .text = &all,
                   .csv = csv,
                   .opts = opts,
                   .writer = writer,
                   .told = &full};
    if (!ctx || !model || !text || size < 0)
        return gm__fail(ctx, GM_E_ARG, "compress: a model and a text were expected");
    GM_TRY(gm__writer_check(ctx, writer));
    GM_TRY(check_told(ctx, told));
    uint64_t mode = gm__float_mode_default();
    c.form.allocator = ctx->allocator;
    gm_status code = compress_text(&c);
    gm__packing_clear(&c.table);
    gm__buffer_clear(&c.form);
    gm__float_mode_restore(mode);
    if (!code)
        tell(&full, told);
    return code;
}
