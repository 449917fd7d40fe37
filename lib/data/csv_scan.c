#include "data/csv.h"

#include <string.h>

/* ---- Records and cells ----------------------------------------------------------------------- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Past one end of line: LF, CR LF or CR. */
static void end_line(gm__scanner *s)
{
    char c = *s->at++;
    if (c == '\r' && s->at < s->end && *s->at == '\n')
        s->at++;
    s->line++;
}

int gm__scan_record(gm__scanner *s)
{
    for (;;) {
        const char *p = s->at;
        while (p < s->end && is_blank(*p) && *p != s->delimiter)
            p++;
        if (p < s->end && *p != '\n' && *p != '\r')
            break;
        s->at = p;
        if (p == s->end)
            return 0;
        end_line(s);
    }
    s->record_line = s->line;
    return 1;
}

/* Behind a cell: the delimiter, or the end of the record. */
static void end_cell(gm__scanner *s, int *last)
{
    *last = 1;
    if (s->at == s->end)
        return;
    if (*s->at == s->delimiter) {
        s->at++;
        *last = 0;
    } else {
        end_line(s);
    }
}

static void count_lines(gm__scanner *s, const char *from, const char *to)
{
    for (const char *p = from; p < to; p++)
        s->line += *p == '\n' || (*p == '\r' && !(p + 1 < to && p[1] == '\n'));
}

/* Quotes within are doubled; everything else, ends of line too, is part of the cell. */
static gm_status scan_quoted(gm__scanner *s, gm__cell *cell, int *last)
{
    int64_t opened = s->line;
    const char *start = ++s->at, *p = start;
    cell->escaped = 0;
    for (;;) {
        const char *found = memchr(p, s->quote, (size_t)(s->end - p));
        if (!found)
            return gm__fail(s->ctx, GM_E_FORMAT, "%s:%lld: a quote is opened and never closed",
                            s->name, (long long)opened);
        p = found + 1;
        if (p == s->end || *p != s->quote)
            break;
        cell->escaped = 1;
        p++;
    }
    count_lines(s, start, p);
    cell->text = start;
    cell->length = p - 1 - start;
    while (p < s->end && is_blank(*p) && *p != s->delimiter)
        p++;
    s->at = p;
    if (p < s->end && *p != s->delimiter && *p != '\n' && *p != '\r')
        return gm__fail(s->ctx, GM_E_FORMAT,
                        "%s:%lld: text follows a closing quote, a delimiter was expected", s->name,
                        (long long)s->line);
    end_cell(s, last);
    return GM_OK;
}

gm_status gm__scan_cell(gm__scanner *s, gm__cell *cell, int *last)
{
    const char *p = s->at, *end = s->end;
    char delimiter = s->delimiter;
    while (p < end && is_blank(*p) && *p != delimiter)
        p++;
    s->at = p;
    if (p < end && *p == s->quote && s->quote)
        return scan_quoted(s, cell, last);
    while (p < end && *p != delimiter && *p != '\n' && *p != '\r')
        p++;
    cell->text = s->at;
    cell->escaped = 0;
    const char *stop = p;
    while (stop > s->at && is_blank(stop[-1]))
        stop--;
    cell->length = stop - s->at;
    s->at = p;
    end_cell(s, last);
    return GM_OK;
}

int64_t gm__unescape(const gm__cell *cell, char quote, char *out)
{
    int64_t n = 0;
    for (int64_t i = 0; i < cell->length; i++) {
        out[n++] = cell->text[i];
        if (cell->escaped && cell->text[i] == quote)
            i++;
    }
    return n;
}

/* ---- Delimiters ------------------------------------------------------------------------------ */

enum { CANDIDATES = 3, RECORDS = 16, LOOK_AT = 1 << 18 };

/* How often each candidate stands in the record at *at, outside quotes; *at goes behind it. 0 where
 * it has no end in sight. */
static int count_delimiters(const char **at, const char *end, char quote,
                            int64_t counts[CANDIDATES])
{
    static const char candidates[] = "\t;,";
    int quoted = 0;
    const char *p = *at;
    memset(counts, 0, CANDIDATES * sizeof *counts);
    for (; p < end && (quoted || (*p != '\n' && *p != '\r')); p++) {
        if (quote && *p == quote)
            quoted = !quoted;
        const char *found = quoted || !*p ? NULL : strchr(candidates, *p);
        if (found)
            counts[found - candidates]++;
    }
    int ended = p < end;
    while (p < end && (*p == '\n' || *p == '\r'))
        p++;
    *at = p;
    return ended;
}

char gm__sniff_delimiter(const char *text, int64_t length, char quote)
{
    const char *at = text, *end = text + (length < LOOK_AT ? length : LOOK_AT);
    int64_t first[CANDIDATES], counts[CANDIDATES], steady[CANDIDATES] = {1, 1, 1};
    count_delimiters(&at, end, quote, first);
    for (int i = 0; i < RECORDS && at < end && count_delimiters(&at, end, quote, counts); i++)
        for (int c = 0; c < CANDIDATES; c++)
            steady[c] = steady[c] && counts[c] == first[c];
    int best = 2;
    for (int c = CANDIDATES - 1; c >= 0; c--) /* the first that every record agrees on */
        if (first[c] > 0 && steady[c])
            best = c;
    for (int c = 0; c < CANDIDATES; c++) /* else what the first record has most of */
        if (!(first[best] > 0 && steady[best]) && first[c] > first[best])
            best = c;
    return "\t;,"[best];
}

/* ---- What a cell holds ----------------------------------------------------------------------- */

static int is_token(const gm__cell *cell, const char *token)
{
    int64_t i = 0;
    for (; i < cell->length && token[i]; i++) {
        char c = cell->text[i];
        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (c != token[i])
            return 0;
    }
    return i == cell->length && !token[i];
}

static int is_missing(const gm__cell *cell, const char *extra)
{
    if (cell->length == 0)
        return 1;
    char c = cell->text[0];
    if (c == '?' && cell->length == 1)
        return 1;
    if ((c == 'n' || c == 'N') &&
        (is_token(cell, "na") || is_token(cell, "nan") || is_token(cell, "null")))
        return 1;
    return c == extra[0] && c && (int64_t)strlen(extra) == cell->length &&
           !memcmp(extra, cell->text, (size_t)cell->length);
}

/* Up to 15 digits and a power of ten within 10^22 are exact doubles, and so is one rounding of
 * their product (Clinger 1990); everything else takes the long way. */
static int short_number(const char *p, const char *end, gm__number *number)
{
    static const double powers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    int negative = p < end && *p == '-';
    int64_t value = 0;
    p += negative;
    if (end - p > 16)
        return 0;
    const char *start = p, *point = NULL;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit < 10)
            value = value * 10 + (int64_t)digit;
        else if (*p == '.' && !point)
            point = p;
        else
            return 0;
    }
    int64_t places = point ? end - point - 1 : 0, digits = end - start - (point != NULL);
    if (digits == 0 || digits > 15)
        return 0;
    number->whole = !point;
    double x = places ? (double)value / powers[places] : (double)value;
    number->value = negative ? -x : x;
    return 1;
}

static int long_number(const gm__cell *cell, gm__number *number)
{
    const char *p = cell->text;
    if (!((*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == '.' || *p == 'i' ||
          *p == 'I'))
        return 0;
    if (gm__read_real(p, cell->length, &number->value) != cell->length ||
        number->value != number->value)
        return 0;
    number->whole = !memchr(p, '.', (size_t)cell->length) &&
                    !memchr(p, 'e', (size_t)cell->length) && !memchr(p, 'E', (size_t)cell->length);
    return 1;
}

int gm__cell_kind(const gm__cell *cell, const char *extra, gm__number *number)
{
    if (is_missing(cell, extra))
        return GM__CELL_MISSING;
    if (cell->escaped)
        return GM__CELL_TEXT;
    if (short_number(cell->text, cell->text + cell->length, number) || long_number(cell, number))
        return GM__CELL_NUMBER;
    return GM__CELL_TEXT;
}
