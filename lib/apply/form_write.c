/* The form of a text: what is written otherwise than its rows say. */
#include "apply/bytes.h"
#include "apply/form_parts.h"
#include "base/io.h"

#include <math.h>
#include <string.h>

/* ---- Shared with the reader ------------------------------------------------------------------ */

void gm__form_number(gm__buffer *out, uint64_t value)
{
    do {
        char byte = (char)(value >= 128 ? (value & 127) | 128 : value);
        gm__buffer_add(out, &byte, 1);
        value >>= 7;
    } while (value);
}

void gm__form_cell(const gm__form *f, const gm__form_rows *from, int64_t r, int64_t c,
                   gm__buffer *out)
{
    int64_t j = f->source[c] - 1;
    double value = from->values[r * from->d + j];
    const char *name =
        value >= 0 && value < 0x1p31 ? gm_dataset_category(from->rows, j, (int64_t)value) : NULL;
    const char marks[2] = {f->delimiter, f->quote};
    gm__rule_write(&f->rules[c], value, name, marks, out);
}

int gm__form_names(gm_context *ctx, const gm__form *f, const gm_dataset *rows, gm__buffer *out)
{
    for (int64_t c = 0; c < f->columns; c++) {
        gm_column is = {.struct_size = sizeof is};
        if (!f->source[c] || gm_dataset_column(ctx, rows, f->source[c] - 1, &is) || !*is.name)
            return 0;
        if (c)
            gm__buffer_add(out, &f->delimiter, 1);
        gm__buffer_text(out, is.name);
    }
    return 1;
}

gm_status gm__form_values(gm_context *ctx, const gm_dataset *rows, gm__form_rows *from)
{
    int64_t n = gm_dataset_row_count(rows), d = gm_dataset_column_count(rows);
    double *values = gm__alloc_array(&ctx->allocator, n, (size_t)d * sizeof *values);
    *from = (gm__form_rows){.rows = rows, .values = values, .d = d};
    return values ? gm_dataset_read_f64(ctx, rows, 0, n, values, 0) : gm__no_memory(ctx);
}

void gm__form_rows_clear(gm_context *ctx, gm__form_rows *from)
{
    size_t cells = (size_t)gm_dataset_row_count(from->rows) * (size_t)from->d;
    gm__free(&ctx->allocator, (void *)(uintptr_t)from->values, cells * sizeof *from->values);
    from->values = NULL;
}

/* ---- Rules ----------------------------------------------------------------------------------- */

typedef struct writer {
    gm_context *ctx;
    gm__form f;
    gm__sheet sheet;
    gm__form_rows from;
    gm__buffer scratch, out;
    int64_t first; /* record of row 0 */
} writer;

static gm__piece cell_of(const writer *w, int64_t r, int64_t c)
{
    return w->sheet.cells[(w->first + r) * w->f.columns + c];
}

static int same(const gm__buffer *b, gm__piece cell)
{
    return (int64_t)b->size == cell.length && !memcmp(b->data, cell.text, b->size);
}

/* Whether the rule writes the cell as it is. */
static int writes(writer *w, int64_t r, int64_t c)
{
    w->scratch.size = 0;
    gm__buffer_add(&w->scratch, "", 0);
    gm__form_cell(&w->f, &w->from, r, c, &w->scratch);
    return !w->scratch.failed && same(&w->scratch, cell_of(w, r, c));
}

static int64_t hits_of(writer *w, int64_t c, int64_t step)
{
    int64_t hits = 0;
    for (int64_t r = 0; r < w->f.rows; r += step)
        hits += writes(w, r, c);
    return hits;
}

/* What stands around the first value, and the text of the first missing cell. */
static void find_frame(writer *w, int64_t c, gm__rule *rule)
{
    int64_t j = w->f.source[c] - 1, r = 0, missing = -1, present = -1;
    for (; r < w->f.rows && (missing < 0 || present < 0); r++) {
        int64_t *first = isnan(w->from.values[r * w->from.d + j]) ? &missing : &present;
        *first = *first < 0 ? r : *first;
    }
    *rule = (gm__rule){.kind = GM__RULE_SHORT};
    if (missing >= 0)
        rule->missing = cell_of(w, missing, c);
    if (present < 0)
        return;
    gm__piece cell = cell_of(w, present, c);
    int64_t low = 0, high = cell.length;
    int quoted = gm_dataset_category(w->from.rows, j, 0) == NULL;
    while (low < high &&
           (strchr(" \t", cell.text[low]) || (quoted && cell.text[low] == w->f.quote)))
        low++;
    while (high > low &&
           (strchr(" \t", cell.text[high - 1]) || (quoted && cell.text[high - 1] == w->f.quote)))
        high--;
    rule->before = (gm__piece){cell.text, low};
    rule->after = (gm__piece){cell.text + high, cell.length - high};
}

/* The rule that writes most of some 256 cells. */
static void choose_rule(writer *w, int64_t c)
{
    gm__rule *rule = &w->f.rules[c], best;
    int64_t step = w->f.rows / 256 + 1, most = -1;
    find_frame(w, c, rule);
    best = *rule;
    int names = gm_dataset_category(w->from.rows, w->f.source[c] - 1, 0) != NULL;
    for (int kind = names ? GM__RULE_NAME : 0; kind < (names ? GM__RULES : GM__RULE_NAME); kind++)
        for (int digits = 0; digits <= GM__RULE_DIGITS; digits++) {
            int counted = kind >= GM__RULE_FIXED && kind <= GM__RULE_GENERAL;
            if (digits && !counted)
                break;
            rule->kind = kind;
            rule->digits = digits;
            int64_t hits = hits_of(w, c, step);
            if (hits > most)
                best = *rule;
            most = hits > most ? hits : most;
        }
    *rule = best;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

static void put_piece(writer *w, gm__piece p)
{
    gm__buffer_add(&w->out, p.text, (size_t)p.length);
    gm__buffer_add(&w->out, "", 1);
}

static int same_piece(gm__piece a, gm__piece b)
{
    return a.length == b.length && (a.length == 0 || !memcmp(a.text, b.text, (size_t)a.length));
}

static int same_rule(const gm__rule *a, const gm__rule *b)
{
    return a->kind == b->kind && a->digits == b->digits && same_piece(a->before, b->before) &&
           same_piece(a->after, b->after) && same_piece(a->missing, b->missing);
}

/* A column like the one before, of the next source, is a 0; else its source plus 1 and its rule. */
static void put_column(writer *w, int64_t c)
{
    const gm__form *f = &w->f;
    const gm__rule *rule = &f->rules[c];
    if (c > 0 && f->source[c - 1] && f->source[c] == f->source[c - 1] + 1 &&
        same_rule(rule, &f->rules[c - 1])) {
        gm__form_number(&w->out, 0);
        return;
    }
    gm__form_number(&w->out, (uint64_t)f->source[c] + 1);
    if (!f->source[c])
        return;
    gm__form_number(&w->out, (uint64_t)(rule->kind * (GM__RULE_DIGITS + 1) + rule->digits));
    put_piece(w, rule->before);
    put_piece(w, rule->after);
    put_piece(w, rule->missing);
}

static void put_head(writer *w)
{
    gm__form *f = &w->f;
    gm__piece *cells = w->sheet.cells;
    const char *begin = cells[0].text, *end = cells[f->columns - 1].text;
    gm__piece line = {begin, end + cells[f->columns - 1].length - begin};
    f->head = w->first ? GM__HEAD_TEXT : GM__HEAD_NONE;
    w->scratch.size = 0;
    if (w->first && gm__form_names(w->ctx, f, w->from.rows, &w->scratch) && same(&w->scratch, line))
        f->head = GM__HEAD_NAMES;
    gm__form_number(&w->out, (uint64_t)f->head);
    gm__form_number(&w->out, (unsigned char)f->delimiter);
    gm__form_number(&w->out, (unsigned char)f->quote);
    gm__form_number(&w->out, (uint64_t)f->columns);
    for (int64_t c = 0; c < f->columns; c++)
        put_column(w, c);
    if (f->head == GM__HEAD_TEXT)
        put_piece(w, line);
}

/* Records with a gap, or another end than that of the first: each as the distance from the last. */
static void put_lines(writer *w)
{
    const gm__sheet *s = &w->sheet;
    int64_t last = 0, odd = 0;
    w->f.line_end = s->ends[0];
    gm__form_number(&w->out, (uint64_t)s->ends[0]);
    for (int64_t r = 0; r < s->records; r++)
        odd += s->gaps[r].length || s->ends[r] != s->ends[0];
    gm__form_number(&w->out, (uint64_t)odd);
    for (int64_t r = 0; r < s->records; r++) {
        if (!s->gaps[r].length && s->ends[r] == s->ends[0])
            continue;
        gm__form_number(&w->out, (uint64_t)(r - last));
        gm__form_number(&w->out, (uint64_t)s->ends[r]);
        put_piece(w, s->gaps[r]);
        last = r;
    }
    put_piece(w, s->tail);
}

static void put_own(writer *w, int64_t c)
{
    for (int64_t r = 0; r < w->f.rows; r++)
        put_piece(w, cell_of(w, r, c));
}

static void put_exceptions(writer *w, int64_t c)
{
    int64_t odd = w->f.rows - hits_of(w, c, 1), last = 0;
    gm__form_number(&w->out, (uint64_t)odd);
    for (int64_t r = 0; r < w->f.rows && odd; r++) {
        if (writes(w, r, c))
            continue;
        gm__form_number(&w->out, (uint64_t)(r - last));
        put_piece(w, cell_of(w, r, c));
        last = r;
    }
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* A cut of the text into as many records as there are rows, or one more. */
static gm_status cut(writer *w, const gm__piece *text, int *fits)
{
    static const char delimiters[] = ",\t; |:", quotes[] = {'"', 0, '\''};
    *fits = 0;
    for (size_t d = 0; delimiters[d]; d++)
        for (size_t q = 0; q < sizeof quotes; q++) {
            w->f.delimiter = delimiters[d];
            w->f.quote = quotes[q];
            GM_TRY(gm__sheet_cut(w->ctx, text->text, text->length, w->f.columns, delimiters[d],
                                 quotes[q], &w->sheet, fits));
            w->first = w->sheet.records - w->f.rows;
            if (*fits && (w->first == 0 || w->first == 1))
                return GM_OK;
            *fits = 0;
            gm__sheet_clear(&w->sheet);
        }
    return GM_OK;
}

static gm_status write_parts(writer *w)
{
    for (int64_t c = 0; c < w->f.columns; c++)
        if (w->f.source[c])
            choose_rule(w, c);
    put_head(w);
    put_lines(w);
    for (int64_t c = 0; c < w->f.columns; c++) {
        GM_TRY(gm__check_cancel(w->ctx));
        if (w->f.source[c])
            put_exceptions(w, c);
        else
            put_own(w, c);
    }
    return w->out.failed || w->scratch.failed ? gm__no_memory(w->ctx) : GM_OK;
}

/* The one proof that counts. */
static gm_status prove(writer *w, const gm__piece *text, const gm__buffer *out, int *fits)
{
    gm__buffer again = {.allocator = w->ctx->allocator};
    gm_status code = gm__text_again(w->ctx, "compress", (const unsigned char *)out->data,
                                    (int64_t)out->size, w->from.rows, &again);
    *fits = !code && same(&again, *text);
    gm__buffer_clear(&again);
    return code == GM_E_FORMAT ? GM_OK : code;
}

static gm_status form(writer *w, const gm__piece *text, gm__buffer *out, int *fits)
{
    GM_TRY(cut(w, text, fits));
    if (!*fits || memchr(text->text, 0, (size_t)text->length)) {
        *fits = 0;
        return GM_OK;
    }
    GM_TRY(gm__form_values(w->ctx, w->from.rows, &w->from));
    GM_TRY(write_parts(w));
    gm__form_number(out, w->out.size);
    GM_TRY(gm__bytes_pack(w->ctx, w->out.data, (int64_t)w->out.size, out));
    return prove(w, text, out, fits);
}

gm_status gm__text_form(gm_context *ctx, const gm__piece *text, int64_t columns,
                        const gm_dataset *rows, const int64_t *taken, gm__buffer *out, int *fits)
{
    gm__arena arena = {.allocator = ctx->allocator};
    writer w = {.ctx = ctx,
                .f = {.columns = columns, .rows = gm_dataset_row_count(rows)},
                .from = {.rows = rows, .d = gm_dataset_column_count(rows)},
                .scratch = {.allocator = ctx->allocator},
                .out = {.allocator = ctx->allocator}};
    w.sheet.arena.allocator = ctx->allocator;
    w.f.source = gm__arena_array(&arena, columns, sizeof *w.f.source);
    w.f.rules = gm__arena_array(&arena, columns, sizeof *w.f.rules);
    gm_status code = w.f.source && w.f.rules ? GM_OK : gm__no_memory(ctx);
    for (int64_t j = 0; j < w.from.d && !code; j++)
        w.f.source[taken[j]] = j + 1;
    if (!code)
        code = form(&w, text, out, fits);
    gm__form_rows_clear(ctx, &w.from);
    gm__sheet_clear(&w.sheet);
    gm__buffer_clear(&w.scratch);
    gm__buffer_clear(&w.out);
    gm__arena_clear(&arena);
    return code;
}

gm_status gm__text_plain(gm_context *ctx, const void *text, int64_t size, gm__buffer *out)
{
    gm__form_number(out, (uint64_t)size);
    return gm__bytes_pack(ctx, text, size, out);
}

gm_status gm__text_rows(gm_context *ctx, const gm__piece *text, const gm_options *csv,
                        gm_dataset **rows)
{
    gm__memory_source source = {(const unsigned char *)text->text, text->length, 0};
    gm_reader reader;
    GM_TRY(gm__memory_reader(&reader, &source));
    return gm_dataset_from_reader(ctx, &reader, "csv", "text", csv, rows);
}
