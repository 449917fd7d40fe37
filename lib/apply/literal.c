/* A text cut into its table and what stands between. */
#include "apply/literal.h"
#include "apply/bytes.h"
#include "apply/coder.h"
#include "apply/form_parts.h"
#include "base/io.h"
#include "base/size.h"

#include <string.h>

enum { MOST_CELLS = 131072, MOST_TOKEN = 256 }; /* of a line; bytes of the option "missing" */

typedef struct cutter {
    gm_context *ctx;
    const gm_model *model;
    const char *begin, *at, *end;
    char delimiter, quote;
    char missing[MOST_TOKEN];
    int64_t d, room; /* columns of the model; cells of a line there is memory for */
    gm__piece *cells;
    int64_t columns, rows; /* of the table */
    int64_t *taken;        /* (d) */
    unsigned char *texts;  /* (d): a category there is no number */
    gm__literal *to;
    int counts;         /* lines are counted, and go nowhere */
    int64_t run, since; /* bytes of the run so far; of the table since the one before */
} cutter;

/* ---- Cells ----------------------------------------------------------------------------------- */

static int ends_line(char c)
{
    return c == '\n' || c == '\r';
}

static const char *past_end(const cutter *c, const char *p)
{
    while (p < c->end && !ends_line(*p))
        p++;
    if (p < c->end && *p == '\r' && p + 1 < c->end && p[1] == '\n')
        p++;
    return p < c->end ? p + 1 : p;
}

static const char *past_blanks(const cutter *c, const char *p)
{
    while (p < c->end && (*p == ' ' || *p == '\t') && *p != c->delimiter)
        p++;
    return p;
}

/* Past a cell in quotes; NULL where there is no such. */
static const char *past_quotes(const cutter *c, const char *p)
{
    for (p++;; p += 2) {
        p = memchr(p, c->quote, (size_t)(c->end - p));
        if (!p)
            return NULL;
        if (p + 1 == c->end || p[1] != c->quote)
            return p + 1;
    }
}

/* The cells of the record at c->at, without outer blanks, but with quotes; how many, 0 where it is
 * none. *next: behind it, or behind its first line. */
static int64_t cut_record(cutter *c, const char **next)
{
    const char *p = c->at;
    int64_t n = 0;
    for (int last = 0; !last; n++) {
        p = past_blanks(c, p);
        gm__piece cell = {p, 0};
        int quoted = c->quote && p < c->end && *p == c->quote;
        if (quoted)
            p = past_quotes(c, p);
        const char *stop = p;
        p = quoted && p ? past_blanks(c, p) : p;
        for (; !quoted && p < c->end && *p != c->delimiter && !ends_line(*p); p++)
            stop = *p == ' ' || *p == '\t' ? stop : p + 1;
        if (!p || n == c->room || (p < c->end && *p != c->delimiter && !ends_line(*p))) {
            *next = past_end(c, c->at);
            return 0;
        }
        cell.length = stop - cell.text;
        c->cells[n] = cell;
        last = p == c->end || *p != c->delimiter;
        p += !last;
    }
    *next = past_end(c, p);
    return n;
}

/* Without the quotes. */
static gm__piece inside(const cutter *c, gm__piece cell)
{
    if (c->quote && cell.length >= 2 && *cell.text == c->quote)
        cell = (gm__piece){cell.text + 1, cell.length - 2};
    return cell;
}

static int is(gm__piece cell, const char *text)
{
    return (int64_t)strlen(text) == cell.length && !memcmp(cell.text, text, (size_t)cell.length);
}

/* As the reader of CSV has it. */
static int is_missing(const cutter *c, gm__piece cell)
{
    char low[5] = "";
    for (int64_t i = 0; i < cell.length && i < 4; i++)
        low[i] =
            cell.text[i] >= 'A' && cell.text[i] <= 'Z' ? (char)(cell.text[i] + 32) : cell.text[i];
    if (cell.length == 0 || (*c->missing && is(cell, c->missing)))
        return 1;
    return cell.length < 5 &&
           (!strcmp(low, "?") || !strcmp(low, "na") || !strcmp(low, "nan") || !strcmp(low, "null"));
}

static int is_number(gm__piece cell)
{
    double value;
    return gm__read_real(cell.text, cell.length, &value) == cell.length && value - value == 0;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static int is_category(const cutter *c, int64_t j)
{
    return gm_model_category(c->model, j, 0) != NULL;
}

/* Whether the n cells are a row of the model's columns. */
static int is_row(cutter *c, int64_t n)
{
    if (n != c->columns)
        return 0;
    for (int64_t j = 0; j < c->d; j++) {
        gm__piece cell = inside(c, c->cells[c->taken[j]]);
        if (is_missing(c, cell))
            continue;
        if (is_category(c, j) ? !gm__valid_utf8(cell.text, cell.length) : !is_number(cell))
            return 0;
    }
    return 1;
}

/* Whether the n cells name all columns of the model; then c->taken is where each is. */
static int is_header(cutter *c, int64_t n)
{
    gm_column column = {.struct_size = sizeof column};
    for (int64_t j = 0; j < c->d; j++) {
        int64_t at = 0;
        if (gm_model_column(c->ctx, c->model, j, &column) || !*column.name)
            return 0;
        while (at < n && !is(inside(c, c->cells[at]), column.name))
            at++;
        if (at == n)
            return 0;
        c->taken[j] = at;
    }
    c->columns = n;
    return 1;
}

/* The row for the reader of CSV: no cell is empty, as a line of one would be no row. */
static void add_cells(cutter *c)
{
    gm__buffer *to = &c->to->cells;
    for (int64_t j = 0; j < c->d; j++) {
        gm__piece cell = c->cells[c->taken[j]], bare = inside(c, cell);
        int missing = is_missing(c, bare);
        if (j)
            gm__buffer_add(to, &c->delimiter, 1);
        gm__buffer_add(to, missing ? "NA" : cell.text, missing ? 2 : (size_t)cell.length);
        c->texts[j] |= !missing && is_category(c, j) && !is_number(bare);
    }
    gm__buffer_text(to, "\n");
}

static void end_run(cutter *c)
{
    if (c->run == 0)
        return;
    gm__form_number(&c->to->runs, (uint64_t)c->since);
    gm__form_number(&c->to->runs, (uint64_t)c->run);
    c->to->count++;
    c->run = c->since = 0;
}

/* A line to the table or to the run. */
static void put_line(cutter *c, const char *line, const char *next, int table)
{
    int64_t size = next - line;
    if (c->counts)
        return;
    if (table)
        end_run(c);
    c->to->literal += !table;
    gm__buffer_add(table ? &c->to->table : &c->to->lines, line, (size_t)size);
    *(table ? &c->since : &c->run) += size;
}

/* All lines: what is before a header with the model's names, where one is wanted, is no table. */
static gm_status cut_lines(cutter *c, int named)
{
    const char *line = c->begin, *next;
    int headed = !named;
    c->columns = c->d;
    for (int64_t j = 0; j < c->d; j++)
        c->taken[j] = j;
    c->rows = c->run = c->since = 0;
    for (int64_t seen = 0; line < c->end; line = next) {
        if (seen++ % 4096 == 0)
            GM_TRY(gm__check_cancel(c->ctx));
        int mark = line == c->begin && c->end - line >= 3 && !memcmp(line, "\xef\xbb\xbf", 3);
        c->at = line + 3 * mark;
        const char *blank = past_blanks(c, c->at);
        if (blank == c->end || ends_line(*blank)) {
            next = past_end(c, blank);
            put_line(c, line, next, 1);
            continue;
        }
        int64_t n = cut_record(c, &next);
        int whole = n > 0 && !memchr(line, 0, (size_t)(next - line));
        int header = whole && !headed && is_header(c, n), row = whole && headed && is_row(c, n);
        headed |= header;
        c->rows += row;
        put_line(c, line, next, header || row);
        if (row && !c->counts)
            add_cells(c);
    }
    end_run(c);
    return GM_OK;
}

/* ---- The best cut ---------------------------------------------------------------------------- */

static gm_status best_cut(cutter *c)
{
    static const char delimiters[] = ",\t; |:", quotes[] = {'"', 0, '\''};
    int64_t most = 0, size = c->end - c->begin;
    c->counts = 1;
    char delimiter = 0, quote = 0;
    int by_name = 0;
    for (size_t d = 0; delimiters[d]; d++) {
        if (c->d > 1 && !memchr(c->begin, delimiters[d], (size_t)size))
            continue;
        for (size_t q = 0; q < sizeof quotes; q++)
            for (int named = 1; named >= 0; named--) {
                c->delimiter = delimiters[d];
                c->quote = quotes[q];
                GM_TRY(cut_lines(c, named));
                if (c->rows > most) {
                    delimiter = c->delimiter;
                    quote = c->quote;
                    by_name = named;
                }
                most = c->rows > most ? c->rows : most;
            }
    }
    c->delimiter = delimiter;
    c->quote = quote;
    c->counts = 0;
    return most ? cut_lines(c, by_name) : GM_OK;
}

/* Types of the columns of cells. Categories that look like numbers are read as such, and become
 * names as they do in any file. */
static void add_types(cutter *c)
{
    for (int64_t j = 0; j < c->d; j++)
        if (!is_category(c, j) || c->texts[j])
            gm__buffer_format(&c->to->types, "%s%lld:%s", c->to->types.size ? "," : "",
                              (long long)j + 1, is_category(c, j) ? "category" : "real");
}

static gm_status cut(cutter *c, const gm_options *csv)
{
    gm__literal *l = c->to;
    int64_t length = 0;
    if (csv && gm_options_get(c->ctx, csv, "missing", c->missing, MOST_TOKEN, &length) == GM_OK &&
        length >= MOST_TOKEN)
        c->missing[0] = 0;
    GM_TRY(best_cut(c));
    add_types(c);
    l->rows = c->counts ? 0 : c->rows;
    l->columns = c->columns;
    l->delimiter = c->delimiter;
    l->quote = c->quote;
    return l->table.failed || l->cells.failed || l->runs.failed || l->lines.failed ||
                   l->types.failed
               ? gm__no_memory(c->ctx)
               : GM_OK;
}

gm_status gm__literal_cut(gm_context *ctx, const gm_model *model, const gm_options *csv,
                          const gm__piece *text, gm__literal *l)
{
    gm__arena arena = {.allocator = ctx->allocator};
    cutter c = {.ctx = ctx,
                .model = model,
                .begin = text->text,
                .end = text->text + text->length,
                .d = gm_model_column_count(model),
                .room = text->length < MOST_CELLS ? text->length + 1 : MOST_CELLS,
                .to = l};
    const gm__buffer none = {.allocator = ctx->allocator};
    *l = (gm__literal){.allocator = ctx->allocator,
                       .table = none,
                       .cells = none,
                       .runs = none,
                       .lines = none,
                       .types = none};
    l->taken = gm__alloc_array(&ctx->allocator, c.d, sizeof *l->taken);
    c.taken = l->taken;
    c.cells = gm__arena_array(&arena, c.room, sizeof *c.cells);
    c.texts = gm__arena_array(&arena, c.d, 1);
    gm_status code = c.taken && c.cells && c.texts ? cut(&c, csv) : gm__no_memory(ctx);
    gm__arena_clear(&arena);
    return code;
}

void gm__literal_clear(gm__literal *l, const gm_model *model)
{
    size_t d = (size_t)gm_model_column_count(model);
    gm__free(&l->allocator, l->taken, l->taken ? d * sizeof *l->taken : 0);
    l->taken = NULL;
    gm__buffer_clear(&l->table);
    gm__buffer_clear(&l->cells);
    gm__buffer_clear(&l->runs);
    gm__buffer_clear(&l->lines);
    gm__buffer_clear(&l->types);
}

gm_status gm__literal_rows(gm_context *ctx, const gm__literal *l, gm_dataset **rows)
{
    const char delimiter[2] = {l->delimiter, 0}, quote[2] = {l->quote, 0};
    const char *const settings[][2] = {{"header", "no"},
                                       {"delimiter", l->delimiter == '\t' ? "tab" : delimiter},
                                       {"quote", l->quote ? quote : "none"},
                                       {"types", l->types.data ? l->types.data : ""}};
    gm__piece cells = {l->cells.data, (int64_t)l->cells.size};
    gm_options *csv;
    GM_TRY(gm_options_create(ctx, &csv));
    gm_status code = GM_OK;
    for (int i = 0; i < 4 && !code; i++)
        code = gm_options_set_text(ctx, csv, settings[i][0], settings[i][1]);
    if (!code)
        code = gm__text_rows(ctx, &cells, csv, rows);
    gm_options_free(csv);
    return code;
}

/* ---- As bytes, and back ---------------------------------------------------------------------- */

gm_status gm__literal_put(gm_context *ctx, const gm__literal *l, gm__buffer *out)
{
    gm__buffer all = {.allocator = ctx->allocator}, packed = {.allocator = ctx->allocator};
    gm__form_number(&all, (uint64_t)l->count);
    gm__buffer_add(&all, l->runs.data, l->runs.size);
    gm__buffer_add(&all, l->lines.data, l->lines.size);
    gm_status code =
        all.failed ? gm__no_memory(ctx) : gm__text_plain(ctx, all.data, (int64_t)all.size, &packed);
    gm__form_number(out, packed.size);
    gm__buffer_add(out, packed.data, packed.size);
    gm__buffer_clear(&all);
    gm__buffer_clear(&packed);
    return code ? code : out->failed ? gm__no_memory(ctx) : GM_OK;
}

static gm_status wrong(gm_context *ctx, const char *name)
{
    return gm__fail(ctx, GM_E_FORMAT, "%s: the archive's lines beside its table are malformed",
                    name);
}

gm_status gm__literal_size(gm_context *ctx, const char *name, const unsigned char *at, int64_t left,
                           int64_t *size)
{
    const unsigned char *end = at + left, *from = at;
    int64_t packed;
    at = gm__archive_number(at, end, &packed);
    if (!at || packed > end - at)
        return wrong(ctx, name);
    *size = at - from + packed;
    return GM_OK;
}

/* The runs and the table's pieces in turn; 0 where they are not all of both. */
static int join(const unsigned char *at, const unsigned char *end, const gm__buffer *table,
                gm__buffer *out)
{
    const unsigned char *numbers;
    int64_t count, since, run, from = 0, lines = 0, size = (int64_t)table->size;
    numbers = at = gm__archive_number(at, end, &count);
    for (int64_t i = 0; i < count && at; i++) { /* past the numbers */
        at = gm__archive_number(at, end, &since);
        at = gm__archive_number(at, end, &run);
    }
    for (int64_t i = 0; i < count && at; i++) {
        numbers = gm__archive_number(numbers, end, &since);
        numbers = gm__archive_number(numbers, end, &run);
        if (since > size - from || run > end - at - lines)
            return 0;
        if (since)
            gm__buffer_add(out, table->data + from, (size_t)since);
        gm__buffer_add(out, at + lines, (size_t)run);
        from += since;
        lines += run;
    }
    if (!at || lines != end - at)
        return 0;
    if (size > from)
        gm__buffer_add(out, table->data + from, (size_t)(size - from));
    return 1;
}

gm_status gm__literal_join(gm_context *ctx, const char *name, const unsigned char *at, int64_t size,
                           const gm__buffer *table, gm__buffer *out)
{
    gm__buffer all = {.allocator = ctx->allocator};
    const unsigned char *end = at + size;
    int64_t packed;
    at = gm__archive_number(at, end, &packed);
    gm_status code = at ? gm__text_of_plain(ctx, name, at, end - at, &all) : wrong(ctx, name);
    if (!code && !join((const unsigned char *)all.data, (const unsigned char *)all.data + all.size,
                       table, out))
        code = wrong(ctx, name);
    gm__buffer_clear(&all);
    return code ? code : out->failed ? gm__no_memory(ctx) : GM_OK;
}
