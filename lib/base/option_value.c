/* Reading and writing one option's value. */
#include "base/option_value.h"

#include <math.h>
#include <string.h>

/* ---- Ranges ---- */

typedef struct range {
    const char *low, *high; /* the ends as text, with their lengths; length 0: none */
    int64_t low_length, high_length;
    int low_open, high_open;
    const char *words; /* "a|b", or "" */
} range;

static range parse_range(const char *text)
{
    range r = {0};
    const char *bar = strchr(text, '|'), *dots = strstr(text, "..");
    const char *end = bar ? bar : text + strlen(text);
    r.words = bar ? bar + 1 : "";
    if (!dots || dots > end) { /* words only, or nothing */
        r.words = text;
        return r;
    }
    r.low_open = *text == '(';
    r.low = text + r.low_open;
    r.low_length = dots - r.low;
    r.high_open = end[-1] == ')';
    r.high = dots + 2;
    r.high_length = end - r.high_open - r.high;
    return r;
}

/* The word's place in "a|b|c", or -1. */
static int find_word(const char *words, const char *text)
{
    size_t length = strlen(text);
    for (int i = 0; *words; i++) {
        size_t n = strcspn(words, "|");
        if (n == length && memcmp(words, text, n) == 0)
            return i;
        words += n + (words[n] == '|');
    }
    return -1;
}

static int whole_in_range(const range *r, int64_t v)
{
    int64_t end;
    if (r->low_length && gm__read_int(r->low, r->low_length, &end) &&
        (r->low_open ? v <= end : v < end))
        return 0;
    if (r->high_length && gm__read_int(r->high, r->high_length, &end) &&
        (r->high_open ? v >= end : v > end))
        return 0;
    return 1;
}

static int real_in_range(const range *r, double v)
{
    double end;
    if (isnan(v))
        return 0;
    if (r->low_length && gm__read_real(r->low, r->low_length, &end) &&
        (r->low_open ? v <= end : v < end))
        return 0;
    if (r->high_length && gm__read_real(r->high, r->high_length, &end) &&
        (r->high_open ? v >= end : v > end))
        return 0;
    return !isinf(v); /* no option means anything by it */
}

/* ---- What a row allows, in words ---- */

static void describe_ends(gm__buffer *b, const range *r)
{
    if (r->low_length && r->high_length && !r->low_open && !r->high_open) {
        gm__buffer_format(b, "%.*s to %.*s", (int)r->low_length, r->low, (int)r->high_length,
                          r->high);
        return;
    }
    if (r->low_length)
        gm__buffer_format(b, "%s %.*s", r->low_open ? "more than" : "at least", (int)r->low_length,
                          r->low);
    if (r->low_length && r->high_length)
        gm__buffer_text(b, " and ");
    if (r->high_length)
        gm__buffer_format(b, "%s %.*s", r->high_open ? "less than" : "at most", (int)r->high_length,
                          r->high);
}

static void describe_words(gm__buffer *b, const char *words, const char *between)
{
    for (int i = 0; *words; i++) {
        size_t n = strcspn(words, "|");
        gm__buffer_format(b, "%s%.*s", i ? between : "", (int)n, words);
        words += n + (words[n] == '|');
    }
}

static void describe_number(gm__buffer *b, const range *r, const char *kind)
{
    int ends = r->low_length || r->high_length;
    gm__buffer_text(b, kind);
    if (*kind && ends)
        gm__buffer_text(b, ", ");
    describe_ends(b, r);
    if (*r->words) {
        gm__buffer_text(b, *kind || ends ? ", or " : "");
        describe_words(b, r->words, " or ");
    }
}

/* number: the value is one, only not in the range. */
static void describe(gm__buffer *b, const gm_option_row *row, int number)
{
    range r = parse_range(row->range);
    switch (row->type) {
    case GM_INT:
        describe_number(b, &r, number ? "" : "a whole number");
        break;
    case GM_REAL:
        describe_number(b, &r, number ? "" : "a number");
        break;
    case GM_BOOL:
        gm__buffer_text(b, "true or false");
        break;
    case GM_CHOICE:
        gm__buffer_text(b, "one of ");
        describe_words(b, row->range, ", ");
        break;
    case GM_INTS:
        gm__buffer_format(b, "at most %d whole numbers with commas between them", GM__MOST_INTS);
        if (*row->range) {
            gm__buffer_text(b, ", each ");
            describe_ends(b, &r);
        }
        break;
    default:
        gm__buffer_text(b, "a whole number, 0 to 18446744073709551615");
    }
}

/* What one overlooks in a list of whole numbers. */
static const char *slip(const char *text)
{
    size_t length = strlen(text);
    if (strpbrk(text, " \t"))
        return "; it has a blank in it";
    return length && text[length - 1] == ',' ? "; it ends with a comma" : "";
}

static gm_status refuse(gm_context *ctx, const char *owner, const gm_option_row *row,
                        const char *text, int number)
{
    gm__buffer allowed = {.allocator = ctx->allocator};
    describe(&allowed, row, number);
    gm_status code = gm__fail(ctx, GM_E_RANGE, "%s: option '%s' is %s%.100s%s, must be %s%s", owner,
                              row->name, number ? "" : "'", text, number ? "" : "'",
                              allowed.failed ? row->range : allowed.data,
                              row->type == GM_INTS ? slip(text) : "");
    gm__buffer_clear(&allowed);
    return code;
}

/* ---- Reading ---- */

/* How far the reading came. */
enum { FINE, NOT_ALLOWED, NO_NUMBER };

static int read_whole(const range *r, const char *text, int64_t length, int64_t *v)
{
    if (length == 0 || gm__read_int(text, length, v) != length)
        return NO_NUMBER;
    return whole_in_range(r, *v) ? FINE : NOT_ALLOWED;
}

static int read_real(const range *r, const char *text, double *v)
{
    int64_t length = (int64_t)strlen(text);
    if (length == 0 || gm__read_real(text, length, v) != length)
        return NO_NUMBER;
    return real_in_range(r, *v) ? FINE : NOT_ALLOWED;
}

static int read_ints(const range *r, const char *text, gm__option_value *value)
{
    value->count = 0;
    while (*text) {
        int64_t n = (int64_t)strcspn(text, ",");
        if (value->count == GM__MOST_INTS)
            return NO_NUMBER;
        if (read_whole(r, text, n, &value->ints[value->count++]) != FINE)
            return NO_NUMBER;
        text += n;
        if (*text == ',' && !*++text)
            return NO_NUMBER;
    }
    return FINE;
}

static int read_bool(const char *text, int64_t *v)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (int i = 0; i < 8; i++)
        if (gm__same_name(text, words[i])) {
            *v = i & 1;
            return FINE;
        }
    return NO_NUMBER;
}

static int read_seed(const char *text, int64_t *v)
{
    uint64_t seed;
    int64_t length = (int64_t)strlen(text);
    if (length == 0 || gm__read_uint(text, length, &seed) != length)
        return NO_NUMBER;
    memcpy(v, &seed, sizeof seed);
    return FINE;
}

static int read_choice(const char *choices, const char *text, int64_t *v)
{
    *v = find_word(choices, text);
    return *v >= 0 ? FINE : NO_NUMBER;
}

static int read_value(const gm_option_row *row, const char *text, gm__option_value *value)
{
    range r = parse_range(row->range);
    int word = row->type == GM_INT || row->type == GM_REAL ? find_word(r.words, text) : -1;
    if (word >= 0) {
        value->whole = -1 - word;
        value->real = (double)value->whole;
        return FINE;
    }
    int got = FINE;
    switch (row->type) {
    case GM_INT:
        got = read_whole(&r, text, (int64_t)strlen(text), &value->whole);
        break;
    case GM_REAL:
        return read_real(&r, text, &value->real);
    case GM_BOOL:
        got = read_bool(text, &value->whole);
        break;
    case GM_CHOICE:
        got = read_choice(row->range, text, &value->whole);
        break;
    case GM_INTS:
        return read_ints(&r, text, value);
    case GM_SEED:
        got = read_seed(text, &value->whole);
        break;
    default:
        break;
    }
    value->real = (double)value->whole;
    return got;
}

gm_status gm__option_read(gm_context *ctx, const char *owner, const gm_option_row *row,
                          const char *text, gm__option_value *value)
{
    memset(value, 0, sizeof *value);
    int got = read_value(row, text, value);
    return got == FINE ? GM_OK : refuse(ctx, owner, row, text, got == NOT_ALLOWED);
}

/* ---- Writing ---- */

void gm__option_write(gm__buffer *b, const gm_option_row *row, const gm__option_value *value,
                      const char *text)
{
    int word = row->type == GM_INT || row->type == GM_REAL
                   ? find_word(parse_range(row->range).words, text) >= 0
                   : row->type == GM_CHOICE || row->type == GM_TEXT;
    if (word)
        gm__buffer_text(b, text);
    else if (row->type == GM_REAL)
        gm__buffer_format(b, "%g", value->real);
    else if (row->type == GM_BOOL)
        gm__buffer_text(b, value->whole ? "true" : "false");
    else if (row->type == GM_SEED)
        gm__buffer_format(b, "%llu", (unsigned long long)value->whole);
    else if (row->type == GM_INT)
        gm__buffer_format(b, "%lld", (long long)value->whole);
    else
        for (int64_t i = 0; i < value->count; i++)
            gm__buffer_format(b, "%s%lld", i ? "," : "", (long long)value->ints[i]);
    gm__buffer_add(b, "", 0); /* a zero, also where nothing was added */
}
