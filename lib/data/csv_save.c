#include "data/table.h"

#include <string.h>

enum { FLUSH_AT = 1 << 16 };

/* Quoted where reading it back would else give something else. */
static void add_text(gm__buffer *out, const char *text, char delimiter)
{
    size_t n = strlen(text);
    int plain = n > 0 && !memchr(text, delimiter, n) && !strpbrk(text, "\"\r\n") &&
                !strchr(" \t", text[0]) && !strchr(" \t", text[n - 1]);
    if (plain) {
        gm__buffer_add(out, text, n);
        return;
    }
    gm__buffer_add(out, "\"", 1);
    for (const char *p = text; *p;) {
        size_t run = strcspn(p, "\"");
        gm__buffer_add(out, p, run);
        p += run;
        if (*p == '"') {
            gm__buffer_add(out, "\"\"", 2);
            p++;
        }
    }
    gm__buffer_add(out, "\"", 1);
}

static void add_cell(gm__buffer *out, const gm__column *c, double x, int f32, char delimiter)
{
    char text[32];
    int64_t whole = x > -0x1p53 && x < 0x1p53 ? (int64_t)x : 0;
    if (x != x)
        return;
    if (c->categories && whole >= 0 && whole < c->categories)
        add_text(out, c->category[whole], delimiter);
    else if (c->type == GM_COLUMN_INTEGER && x == (double)whole)
        gm__buffer_add(out, text, (size_t)gm__write_int(text, whole));
    else
        gm__buffer_add(out, text, (size_t)gm__write_real(text, x, f32));
}

/* Names in the first row, so that reading the file back finds a header: x1, x2 ... where there are
 * none. */
static void add_header(gm__buffer *out, const gm__schema *s, char delimiter)
{
    for (int64_t j = 0; j < s->count; j++) {
        const char *name = s->columns[j].name;
        if (j)
            gm__buffer_add(out, &delimiter, 1);
        if (name && *name)
            add_text(out, name, delimiter);
        else
            gm__buffer_format(out, "x%lld", (long long)j + 1);
    }
    gm__buffer_add(out, "\n", 1);
}

static gm_status flush(gm_context *ctx, gm__buffer *out, const gm_writer *writer, size_t least)
{
    if (out->failed)
        return gm__no_memory(ctx);
    if (out->size < least || out->size == 0)
        return GM_OK;
    GM_TRY(gm__write(ctx, writer, out->data, (int64_t)out->size));
    out->size = 0;
    return GM_OK;
}

static gm_status write_rows(gm_context *ctx, const gm_dataset *data, double *x, int64_t step,
                            gm__buffer *out, const gm_writer *writer, char delimiter)
{
    const gm__schema *s = data->schema;
    add_header(out, s, delimiter);
    for (int64_t first = 0; first < data->rows; first += step) {
        int64_t count = data->rows - first < step ? data->rows - first : step;
        gm__dataset_rows(data, NULL, first, count, x);
        for (int64_t i = 0; i < count; i++) {
            for (int64_t j = 0; j < s->count; j++) {
                double value = x[i * s->count + j];
                if (j)
                    gm__buffer_add(out, &delimiter, 1);
                if (value != value && s->count == 1)
                    gm__buffer_text(out, "NA"); /* an empty line would be no row */
                add_cell(out, &s->columns[j], value, data->fields[j].dtype == GM_F32, delimiter);
            }
            gm__buffer_add(out, "\n", 1);
            GM_TRY(flush(ctx, out, writer, FLUSH_AT));
        }
    }
    return flush(ctx, out, writer, 0);
}

gm_status gm__csv_save(gm_context *ctx, const gm_dataset *data, const gm_writer *writer,
                       char delimiter)
{
    int64_t d = data->schema->count, step = 4096 / d + 1;
    gm__buffer out = {.allocator = ctx->allocator};
    double *x = gm__alloc_array(&ctx->allocator, step * d, sizeof *x);
    gm_status code =
        x ? write_rows(ctx, data, x, step, &out, writer, delimiter) : gm__no_memory(ctx);
    gm__free(&ctx->allocator, x, (size_t)(step * d) * sizeof *x);
    gm__buffer_clear(&out);
    return code;
}
