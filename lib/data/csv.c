/* CSV files as a whole: options, dialect, and the order of things. */
#include "data/csv.h"

#include <string.h>

const gm_option_row gm__csv_options[] = {
    {"header", GM_STAGE_CALL, GM_CHOICE, "auto", "auto|yes|no", 1,
     "whether the first row names the columns"},
    {"delimiter", GM_STAGE_CALL, GM_TEXT, "auto", "", 1,
     "what stands between cells: auto, comma, tab, semicolon or one character"},
    {"quote", GM_STAGE_CALL, GM_TEXT, "\"", "", 1, "the quoting character; none for none"},
    {"missing", GM_STAGE_CALL, GM_TEXT, "", "", 1,
     "one more text that means a missing value, beside an empty cell, NA, NaN, null and ?"},
    {"on_missing", GM_STAGE_CALL, GM_CHOICE, "keep", "keep|drop|error", 1,
     "rows with missing values: kept, left out or refused"},
    {"types", GM_STAGE_CALL, GM_TEXT, "", "", 1,
     "types of columns where they should not be guessed: x1:real,x2:category"},
    {0}};

/* The line of a byte, for what is wrong with the text as such. */
static gm_status bad_text(gm_context *ctx, const char *name, const char *text, int64_t at,
                          const char *what)
{
    int64_t line = 1;
    for (int64_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return gm__fail(ctx, GM_E_FORMAT, "%s:%lld: %s", name, (long long)line, what);
}

/* Eight bytes at a time: what most files are. */
static int is_ascii(const char *text, int64_t size)
{
    uint64_t high = 0, word;
    int64_t i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, text + i, 8);
        high |= word & 0x8080808080808080u;
    }
    for (; i < size; i++)
        high |= (unsigned char)text[i] & 0x80u;
    return high == 0;
}

static gm_status check_text(gm_context *ctx, const char *name, const char *text, int64_t size)
{
    if (size >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        return gm__fail(ctx, GM_E_FORMAT, "%s: is UTF-16 text, UTF-8 was expected", name);
    const char *zero = memchr(text, 0, (size_t)size);
    if (zero)
        return bad_text(ctx, name, text, zero - text, "holds a zero byte: this is no text");
    if (is_ascii(text, size) || gm__valid_utf8(text, size))
        return GM_OK;
    int64_t at = 0;
    for (int step; at < size && (step = gm__utf8_length(text + at, size - at)) > 0; at += step) {
    }
    return bad_text(ctx, name, text, at,
                    "holds bytes that are not UTF-8 (is it Latin-1? convert it with iconv)");
}

static gm_status read_character(gm_context *ctx, const char *option, const char *text, char *c)
{
    static const struct {
        const char *name;
        char c;
    } known[] = {{"comma", ','}, {"tab", '\t'}, {"semicolon", ';'},
                 {"space", ' '}, {"none", 0},   {"\\t", '\t'}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(text, known[i].name)) {
            *c = known[i].c;
            return GM_OK;
        }
    if (!text[0] || text[1] || (unsigned char)text[0] >= 0x80 || text[0] == '\n' || text[0] == '\r')
        return gm__fail(ctx, GM_E_ARG,
                        "csv: option '%s' is '%.*s', must be one character or its name", option, 32,
                        text);
    *c = text[0];
    return GM_OK;
}

static gm_status set_dialect(gm__csv *csv, const gm__values *v, int tabs, const char *text,
                             int64_t size)
{
    const char *delimiter = gm__value_text(v, "delimiter");
    gm__scanner *s = &csv->start;
    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) { /* a byte order mark */
        text += 3;
        size -= 3;
    }
    *s = (gm__scanner){
        .ctx = csv->ctx, .name = csv->name, .at = text, .end = text + size, .line = 1};
    GM_TRY(read_character(csv->ctx, "quote", gm__value_text(v, "quote"), &s->quote));
    if (strcmp(delimiter, "auto") != 0)
        GM_TRY(read_character(csv->ctx, "delimiter", delimiter, &s->delimiter));
    else
        s->delimiter = tabs ? '\t' : gm__sniff_delimiter(text, size, s->quote);
    if (s->delimiter == s->quote || !s->delimiter)
        return gm__fail(csv->ctx, GM_E_ARG, "csv: options 'delimiter' and 'quote' must differ");
    csv->missing = gm__value_text(v, "missing");
    csv->header = (int)gm__value_int(v, "header");
    csv->on_missing = (int)gm__value_int(v, "on_missing");
    return GM_OK;
}

static gm_status load(gm__csv *csv, const gm__values *v, gm_dataset **data)
{
    GM_TRY(gm__csv_survey(csv, v));
    gm_dataset *made = gm__dataset_create(&csv->ctx->allocator, csv->schema, csv->rows);
    if (!made)
        return gm__no_memory(csv->ctx);
    gm__schema_retain(csv->schema);
    gm_status code = gm__csv_fill(csv, made);
    if (code) {
        gm_dataset_free(made);
        return code;
    }
    *data = made;
    return GM_OK;
}

gm_status gm__csv_load(gm_context *ctx, const char *text, int64_t size, const char *name, int tabs,
                       const gm_options *opts, gm_dataset **data)
{
    const gm_option_row *tables[] = {gm__csv_options};
    gm__csv csv = {.ctx = ctx, .arena = {.allocator = ctx->allocator}, .name = name};
    gm__values *v;
    GM_TRY(gm__values_create(ctx, "csv", tables, 1, GM_STAGE_CALL, opts, &v));
    gm_status code = check_text(ctx, name, text, size);
    if (!code)
        code = set_dialect(&csv, v, tabs, text, size);
    if (!code)
        code = load(&csv, v, data);
    gm__schema_release(csv.schema);
    gm__arena_clear(&csv.arena);
    gm__values_free(v);
    return code;
}
