#include "apply/sheet.h"

#include <string.h>

const char gm__line_ends[4][3] = {"\n", "\r\n", "\r", ""};

typedef struct cutter {
    gm__sheet *s;
    const char *at, *end;
    int64_t room; /* records there is memory for */
    int64_t most; /* columns */
    int wrong;
} cutter;

static int is_blank(const cutter *c, const char *p)
{
    return (*p == ' ' || *p == '\t') && *p != c->s->delimiter;
}

static int ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* Past a byte order mark and lines without cells. */
static gm__piece cut_gap(cutter *c, int first)
{
    gm__piece gap = {c->at, 0};
    if (first && c->end - c->at >= 3 && !memcmp(c->at, "\xef\xbb\xbf", 3))
        c->at += 3;
    for (const char *p = c->at;; c->at = p) {
        while (p < c->end && is_blank(c, p))
            p++;
        if (p == c->end)
            c->at = p;
        if (p == c->end || !ends_line(*p))
            break;
        p++;
    }
    gap.length = c->at - gap.text;
    return gap;
}

/* One cell, with its blanks and quotes; stops at the delimiter or the end of line. */
static gm__piece cut_cell(cutter *c)
{
    const char *p = c->at;
    gm__piece cell = {c->at, 0};
    while (p < c->end && is_blank(c, p))
        p++;
    if (c->s->quote && p < c->end && *p == c->s->quote) {
        for (p++; p < c->end && (*p != c->s->quote || (p + 1 < c->end && p[1] == *p)); p++)
            p += *p == c->s->quote;
        c->wrong |= p >= c->end;
        p += p < c->end;
    }
    while (p < c->end && *p != c->s->delimiter && !ends_line(*p))
        p++;
    c->at = p;
    cell.length = p - cell.text;
    return cell;
}

static int32_t cut_end(cutter *c)
{
    if (c->at == c->end)
        return 3;
    if (*c->at++ == '\n')
        return 0;
    if (c->at == c->end || *c->at != '\n')
        return 2;
    c->at++;
    return 1;
}

/* A record's cells into cells (NULL: only counted); how many. */
static int64_t cut_record(cutter *c, gm__piece *cells)
{
    int64_t n = 0;
    for (;;) {
        gm__piece cell = cut_cell(c);
        if (n == c->most || c->wrong) {
            c->wrong = 1;
            return n;
        }
        if (cells)
            cells[n] = cell;
        n++;
        if (c->at == c->end || ends_line(*c->at))
            return n;
        c->at++;
    }
}

/* Counts the records, which must have as many cells each. */
static int64_t count_records(cutter c)
{
    int64_t n = 0;
    for (;; n++) {
        cut_gap(&c, n == 0);
        if (c.at == c.end)
            return n;
        int64_t cells = cut_record(&c, NULL);
        if (c.wrong || cells != c.most)
            return 0;
        cut_end(&c);
    }
}

gm_status gm__sheet_cut(gm_context *ctx, const char *text, int64_t size, int64_t columns,
                        char delimiter, char quote, gm__sheet *s, int *fits)
{
    *s = (gm__sheet){.arena = {.allocator = ctx->allocator},
                     .delimiter = delimiter,
                     .quote = quote,
                     .columns = columns};
    cutter c = {.s = s, .at = text, .end = text + size, .most = columns};
    s->records = count_records(c);
    *fits = s->records > 0;
    if (!*fits)
        return GM_OK;
    s->cells = gm__arena_array(&s->arena, s->records, (size_t)columns * sizeof *s->cells);
    s->gaps = gm__arena_array(&s->arena, s->records, sizeof *s->gaps);
    s->ends = gm__arena_array(&s->arena, s->records, sizeof *s->ends);
    if (!s->cells || !s->gaps || !s->ends) {
        gm__sheet_clear(s);
        return gm__no_memory(ctx);
    }
    for (int64_t r = 0; r < s->records; r++) {
        s->gaps[r] = cut_gap(&c, r == 0);
        cut_record(&c, s->cells + r * columns);
        s->ends[r] = cut_end(&c);
    }
    s->tail = cut_gap(&c, 0);
    return GM_OK;
}

void gm__sheet_clear(gm__sheet *s)
{
    gm__arena_clear(&s->arena);
    *s = (gm__sheet){.arena = {.allocator = s->arena.allocator}};
}
