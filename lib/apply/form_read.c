/* A text from its rows and its form. Nothing of the form is believed. */
#include "apply/bytes.h"
#include "apply/form_parts.h"

#include <string.h>

typedef struct cursor {
    const char *at, *end;
    int wrong;
} cursor;

/* A list of cells or lines that are otherwise: what comes next, and how many are left. */
typedef struct list {
    cursor at;
    int64_t left, row;
    int32_t end; /* of lines */
    gm__piece text;
} list;

typedef struct reader {
    gm_context *ctx;
    const char *name;
    gm__form f;
    gm__form_rows from;
    cursor at;
    list lines;
    list *cells; /* (columns) */
    gm__piece head, tail;
    gm__arena arena;
} reader;

/* ---- Parts ----------------------------------------------------------------------------------- */

static int64_t get_number(cursor *c)
{
    uint64_t value = 0;
    for (int shift = 0; c->at < c->end && shift < 63; shift += 7) {
        unsigned char byte = (unsigned char)*c->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return (int64_t)value;
    }
    c->wrong = 1;
    return 0;
}

static gm__piece get_piece(cursor *c)
{
    size_t left = (size_t)(c->end - c->at);
    const char *zero = left ? memchr(c->at, 0, left) : NULL;
    gm__piece p = {c->at, zero ? zero - c->at : 0};
    c->wrong |= !zero;
    c->at = zero ? zero + 1 : c->end;
    return p;
}

/* The next of a list; row -1 behind the last. */
static void step(list *l, int lines)
{
    if (l->left-- <= 0) {
        l->row = -1;
        return;
    }
    l->row += get_number(&l->at);
    l->end = lines ? (int32_t)get_number(&l->at) : 0;
    l->at.wrong |= l->end < 0 || l->end > 3;
    l->text = get_piece(&l->at);
}

/* A list begins at the cursor, which goes past it. */
static void get_list(cursor *c, list *l, int lines)
{
    int64_t count = get_number(c);
    *l = (list){.at = *c, .left = count};
    for (int64_t i = 0; i < count && !c->wrong; i++) {
        get_number(c);
        if (lines)
            c->wrong |= get_number(c) > 3;
        get_piece(c);
    }
    if (!c->wrong)
        step(l, lines);
}

static void get_column(reader *u, int64_t c)
{
    gm__form *f = &u->f;
    int64_t source = get_number(&u->at), kind;
    if (source == 0 && c > 0 && f->source[c - 1]) {
        f->source[c] = f->source[c - 1] + 1;
        f->rules[c] = f->rules[c - 1];
    } else if (source > 1) {
        f->source[c] = source - 1;
        kind = get_number(&u->at);
        u->at.wrong |= kind >= GM__RULES * (GM__RULE_DIGITS + 1);
        f->rules[c] = (gm__rule){.kind = (int32_t)(kind / (GM__RULE_DIGITS + 1)),
                                 .digits = (int32_t)(kind % (GM__RULE_DIGITS + 1))};
        f->rules[c].before = get_piece(&u->at);
        f->rules[c].after = get_piece(&u->at);
        f->rules[c].missing = get_piece(&u->at);
    } else {
        u->at.wrong |= source == 0;
    }
    u->at.wrong |= f->source[c] > u->from.d;
}

static gm_status get_parts(reader *u)
{
    gm__form *f = &u->f;
    f->head = (int32_t)get_number(&u->at);
    f->delimiter = (char)get_number(&u->at);
    f->quote = (char)get_number(&u->at);
    f->columns = get_number(&u->at);
    if (u->at.wrong || f->head < 0 || f->head >= GM__HEADS || f->columns < 1 ||
        f->columns > u->at.end - u->at.at)
        u->at.wrong = 1;
    if (u->at.wrong)
        return GM_OK;
    f->source = gm__arena_array(&u->arena, f->columns, sizeof *f->source);
    f->rules = gm__arena_array(&u->arena, f->columns, sizeof *f->rules);
    u->cells = gm__arena_array(&u->arena, f->columns, sizeof *u->cells);
    if (!f->source || !f->rules || !u->cells)
        return gm__no_memory(u->ctx);
    for (int64_t c = 0; c < f->columns && !u->at.wrong; c++)
        get_column(u, c);
    if (f->head == GM__HEAD_TEXT)
        u->head = get_piece(&u->at);
    f->line_end = (int32_t)get_number(&u->at);
    u->at.wrong |= f->line_end < 0 || f->line_end > 3;
    get_list(&u->at, &u->lines, 1);
    u->tail = get_piece(&u->at);
    for (int64_t c = 0; c < f->columns && !u->at.wrong; c++) {
        u->cells[c].at = u->at;
        if (f->source[c])
            get_list(&u->at, &u->cells[c], 0);
        for (int64_t r = 0; !f->source[c] && r < f->rows && !u->at.wrong; r++)
            get_piece(&u->at);
    }
    return GM_OK;
}

/* ---- The text -------------------------------------------------------------------------------- */

static void add_piece(gm__buffer *out, gm__piece p)
{
    gm__buffer_add(out, p.text, (size_t)p.length);
}

static void write_cell(reader *u, int64_t r, int64_t c, gm__buffer *out)
{
    list *l = &u->cells[c];
    if (!u->f.source[c]) {
        add_piece(out, get_piece(&l->at));
    } else if (l->row == r) {
        add_piece(out, l->text);
        step(l, 0);
    } else {
        gm__form_cell(&u->f, &u->from, r, c, out);
    }
}

static void write_record(reader *u, int64_t record, int64_t row, gm__buffer *out)
{
    int32_t end = u->f.line_end;
    if (u->lines.row == record) {
        add_piece(out, u->lines.text);
        end = u->lines.end;
        step(&u->lines, 1);
    }
    for (int64_t c = 0; row >= 0 && c < u->f.columns; c++) {
        if (c)
            gm__buffer_add(out, &u->f.delimiter, 1);
        write_cell(u, row, c, out);
    }
    if (row < 0 && u->f.head == GM__HEAD_NAMES)
        u->at.wrong |= !gm__form_names(u->ctx, &u->f, u->from.rows, out);
    else if (row < 0)
        add_piece(out, u->head);
    gm__buffer_text(out, gm__line_ends[end]);
}

static gm_status write_text(reader *u, gm__buffer *out)
{
    int64_t first = u->f.head != GM__HEAD_NONE;
    GM_TRY(gm__form_values(u->ctx, u->from.rows, &u->from));
    for (int64_t r = 0; r < u->f.rows + first && !out->failed; r++) {
        if (r % 4096 == 0)
            GM_TRY(gm__check_cancel(u->ctx));
        write_record(u, r, r - first, out);
    }
    add_piece(out, u->tail);
    return out->failed ? gm__no_memory(u->ctx) : GM_OK;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static gm_status wrong(gm_context *ctx, const char *name)
{
    return gm__fail(ctx, GM_E_FORMAT, "%s: the archive's text is malformed", name);
}

gm_status gm__text_of_plain(gm_context *ctx, const char *name, const unsigned char *form,
                            int64_t size, gm__buffer *out)
{
    cursor c = {(const char *)form, (const char *)form + size, 0};
    int64_t length = get_number(&c), coded = c.end - c.at;
    if (c.wrong || length / 4096 > coded + 4)
        return wrong(ctx, name);
    return gm__bytes_unpack(ctx, c.at, coded, length, out);
}

static gm_status again(reader *u, gm__buffer *out)
{
    GM_TRY(get_parts(u));
    if (u->at.wrong || u->at.at != u->at.end)
        return wrong(u->ctx, u->name);
    GM_TRY(write_text(u, out));
    return u->at.wrong ? wrong(u->ctx, u->name) : GM_OK;
}

gm_status gm__text_again(gm_context *ctx, const char *name, const unsigned char *form, int64_t size,
                         const gm_dataset *rows, gm__buffer *out)
{
    gm__buffer parts = {.allocator = ctx->allocator};
    reader u = {.ctx = ctx,
                .name = name,
                .f = {.rows = gm_dataset_row_count(rows)},
                .from = {.rows = rows, .d = gm_dataset_column_count(rows)},
                .arena = {.allocator = ctx->allocator}};
    gm_status code = gm__text_of_plain(ctx, name, form, size, &parts);
    u.at = (cursor){parts.data, parts.data + parts.size, 0};
    if (!code)
        code = parts.size ? again(&u, out) : wrong(ctx, name);
    gm__form_rows_clear(ctx, &u.from);
    gm__arena_clear(&u.arena);
    gm__buffer_clear(&parts);
    return code;
}
