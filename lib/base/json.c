#include "base/json.h"
#include "base/size.h"
#include "base/sort.h"

#include <string.h>

#define MAX_DEPTH 64

/* Everything is taken from three pieces of memory whose sizes follow from the text: a value needs a
 * comma or a bracket beside it, and a decoded text is never longer than it was written. */
typedef struct parser {
    gm_context *ctx;
    const char *name;
    const char *text;
    int64_t at, length;
    gm__json *nodes;
    int64_t used, capacity;
    char *pool; /* decoded texts, each ended by a zero */
    void **names;
} parser;

static gm_status bad(parser *p, const char *what)
{
    return gm__fail(p->ctx, GM_E_FORMAT, "%s: JSON at byte %lld: %s", p->name, (long long)p->at,
                    what);
}

static void skip_blanks(parser *p)
{
    while (p->at < p->length && memchr(" \t\r\n", p->text[p->at], 4))
        p->at++;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX; -1 where they are not. */
static int32_t read_unit(parser *p)
{
    int32_t unit = 0;
    if (p->length - p->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p->text[p->at++]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static char *put_utf8(char *out, int32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char)(0xe0 | c >> 12);
        } else {
            *out++ = (char)(0xf0 | c >> 18);
            *out++ = (char)(0x80 | (c >> 12 & 63));
        }
        *out++ = (char)(0x80 | (c >> 6 & 63));
    }
    *out++ = (char)(0x80 | (c & 63));
    return out;
}

static gm_status read_escaped_unit(parser *p, char **out)
{
    int32_t c = read_unit(p);
    if (c >= 0xd800 && c < 0xdc00 && p->length - p->at >= 6 && p->text[p->at] == '\\' &&
        p->text[p->at + 1] == 'u') {
        p->at += 2;
        int32_t low = read_unit(p);
        c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : -1;
    }
    if (c <= 0 || (c >= 0xd800 && c < 0xe000))
        return bad(p, "a \\u escape that is no character");
    *out = put_utf8(*out, c);
    return GM_OK;
}

static gm_status read_escape(parser *p, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (p->at >= p->length)
        return bad(p, "the text ends inside a string");
    char c = p->text[p->at++];
    if (c == 'u')
        return read_escaped_unit(p, out);
    const char *found = c ? strchr(from, c) : NULL;
    if (!found)
        return bad(p, "an escape that JSON does not have");
    *(*out)++ = to[found - from];
    return GM_OK;
}

/* A string, its opening quote next, into the pool. */
static gm_status read_string(parser *p, const char **text, int64_t *length)
{
    char *out = p->pool;
    int64_t start = ++p->at;
    for (;;) {
        if (p->at >= p->length)
            return bad(p, "the text ends inside a string");
        char c = p->text[p->at++];
        if (c == '"')
            break;
        if ((unsigned char)c < 0x20)
            return bad(p, "a control character inside a string");
        if (c == '\\')
            GM_TRY(read_escape(p, &out));
        else
            *out++ = c;
    }
    if (!gm__valid_utf8(p->text + start, p->at - 1 - start))
        return bad(p, "a string that is not UTF-8");
    *out = 0;
    *text = p->pool;
    *length = out - p->pool;
    p->pool = out + 1;
    return GM_OK;
}

/* ---- Scalars --------------------------------------------------------------------------------- */

static int64_t digits(parser *p)
{
    int64_t from = p->at;
    while (p->at < p->length && p->text[p->at] >= '0' && p->text[p->at] <= '9')
        p->at++;
    return p->at - from;
}

static int take(parser *p, char c)
{
    if (p->at < p->length && p->text[p->at] == c) {
        p->at++;
        return 1;
    }
    return 0;
}

static gm_status read_number(parser *p, gm__json *node)
{
    int64_t start = p->at;
    take(p, '-');
    int leading_zero = take(p, '0');
    if (!leading_zero && !digits(p))
        return bad(p, "a value was expected");
    if (take(p, '.') && !digits(p))
        return bad(p, "digits were expected after the point");
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '+'))
            take(p, '-');
        if (!digits(p))
            return bad(p, "digits were expected in the exponent");
    }
    node->type = GM__JSON_NUMBER;
    node->text = p->pool;
    node->text_length = p->at - start;
    memcpy(p->pool, p->text + start, (size_t)node->text_length);
    p->pool[node->text_length] = 0;
    p->pool += node->text_length + 1;
    if (gm__read_real(node->text, node->text_length, &node->number) != node->text_length)
        return bad(p, "a number that cannot be read");
    return GM_OK;
}

static gm_status read_word(parser *p, gm__json *node)
{
    static const struct {
        const char *word;
        gm__json_type type;
        double number;
    } words[] = {
        {"true", GM__JSON_BOOL, 1}, {"false", GM__JSON_BOOL, 0}, {"null", GM__JSON_NULL, 0}};
    for (int i = 0; i < 3; i++) {
        int64_t n = (int64_t)strlen(words[i].word);
        if (p->length - p->at >= n && !memcmp(p->text + p->at, words[i].word, (size_t)n)) {
            p->at += n;
            node->type = words[i].type;
            node->number = words[i].number;
            return GM_OK;
        }
    }
    return read_number(p, node);
}

/* ---- Structure ------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Sorted, so that a hostile object with a million names costs no more than its sort. */
static gm_status check_names(parser *p, const gm__json *object)
{
    int64_t n = 0;
    for (const gm__json *child = object->first; child; child = child->next)
        p->names[n++] = (void *)(uintptr_t)child->name;
    gm__sort_pointers(p->names, n, compare_names);
    for (int64_t i = 1; i < n; i++)
        if (!strcmp(p->names[i - 1], p->names[i]))
            return gm__fail(p->ctx, GM_E_FORMAT,
                            "%s: JSON at byte %lld: the name '%s' twice in an object", p->name,
                            (long long)p->at, (const char *)p->names[i]);
    return GM_OK;
}

/* What is open, and its last child. */
typedef struct level {
    gm__json *node, *last;
} level;

static gm_status append(parser *p, level *in, gm__json **made)
{
    if (p->used == p->capacity)
        return bad(p, "a value was not expected");
    gm__json *node = &p->nodes[p->used++];
    if (in) {
        if (in->last)
            in->last->next = node;
        else
            in->node->first = node;
        in->last = node;
        in->node->count++;
    }
    *made = node;
    return GM_OK;
}

/* One value; an array or object is only opened. */
static gm_status read_value(parser *p, gm__json *node)
{
    skip_blanks(p);
    char c = p->at < p->length ? p->text[p->at] : 0;
    if (c == '"') {
        node->type = GM__JSON_STRING;
        return read_string(p, &node->text, &node->text_length);
    }
    if (c != '[' && c != '{')
        return read_word(p, node);
    p->at++;
    node->type = c == '[' ? GM__JSON_ARRAY : GM__JSON_OBJECT;
    return GM_OK;
}

static gm_status read_name(parser *p, const char **name)
{
    int64_t length;
    skip_blanks(p);
    if (p->at >= p->length || p->text[p->at] != '"')
        return bad(p, "a name in quotes was expected");
    GM_TRY(read_string(p, name, &length));
    skip_blanks(p);
    return take(p, ':') ? GM_OK : bad(p, "':' was expected");
}

/* Closes what ends here. 1 in *more where another member follows in what stays open. */
static gm_status after_value(parser *p, level *open, int *depth, int *more)
{
    *more = 0;
    while (*depth > 0 && !*more) {
        gm__json *node = open[*depth - 1].node;
        skip_blanks(p);
        if (take(p, node->type == GM__JSON_ARRAY ? ']' : '}')) {
            if (node->type == GM__JSON_OBJECT)
                GM_TRY(check_names(p, node));
            --*depth;
        } else if (node->count == 0) {
            *more = 1;
        } else if (take(p, ',')) {
            *more = 1;
        } else {
            return bad(p, node->type == GM__JSON_ARRAY ? "',' or ']' was expected"
                                                       : "',' or '}' was expected");
        }
    }
    return GM_OK;
}

static gm_status read_document(parser *p)
{
    level open[MAX_DEPTH];
    int depth = 0, more = 1;
    while (more) {
        const char *name = NULL;
        gm__json *node = NULL;
        level *in = depth ? &open[depth - 1] : NULL;
        if (in && in->node->type == GM__JSON_OBJECT)
            GM_TRY(read_name(p, &name));
        GM_TRY(append(p, in, &node));
        node->name = name;
        GM_TRY(read_value(p, node));
        if (node->type >= GM__JSON_ARRAY) {
            if (depth == MAX_DEPTH)
                return bad(p, "more than 64 levels deep");
            open[depth++] = (level){node, NULL};
        }
        GM_TRY(after_value(p, open, &depth, &more));
    }
    skip_blanks(p);
    return p->at == p->length ? GM_OK : bad(p, "more text after the end");
}

gm_status gm__json_parse(gm_context *ctx, const char *name, const char *text, int64_t length,
                         gm__arena *arena, const gm__json **root)
{
    parser p = {.ctx = ctx, .name = name, .text = text, .length = length, .capacity = 1};
    *root = NULL;
    for (int64_t i = 0; i < length; i++)
        p.capacity += text[i] == ',' || text[i] == '[' || text[i] == '{';
    p.nodes = gm__arena_array(arena, p.capacity, sizeof *p.nodes);
    p.names = gm__arena_array(arena, p.capacity, sizeof *p.names);
    p.pool = gm__arena_array(arena, length + 1, 1);
    if (!p.nodes || !p.names || !p.pool)
        return gm__no_memory(ctx);
    GM_TRY(read_document(&p));
    *root = p.nodes;
    return GM_OK;
}

/* ---- Members --------------------------------------------------------------------------------- */

const gm__json *gm__json_get(const gm__json *object, const char *name)
{
    if (!object || object->type != GM__JSON_OBJECT)
        return NULL;
    for (const gm__json *child = object->first; child; child = child->next)
        if (!strcmp(child->name, name))
            return child;
    return NULL;
}

gm_status gm__json_int(gm_context *ctx, const gm__json *object, const char *name, int64_t low,
                       int64_t high, int64_t *value)
{
    const gm__json *member = gm__json_get(object, name);
    int64_t read;
    if (!member || member->type != GM__JSON_NUMBER ||
        gm__read_int(member->text, member->text_length, &read) != member->text_length)
        return gm__fail(ctx, GM_E_FORMAT, "'%s' must be a whole number", name);
    if (read < low || read > high)
        return gm__fail(ctx, GM_E_FORMAT, "'%s' is %lld, must be %lld to %lld", name,
                        (long long)read, (long long)low, (long long)high);
    *value = read;
    return GM_OK;
}

gm_status gm__json_real(gm_context *ctx, const gm__json *object, const char *name, double *value)
{
    const gm__json *member = gm__json_get(object, name);
    double read = member ? member->number : 0;
    int ok = member && member->type == GM__JSON_NUMBER;
    if (member && member->type == GM__JSON_STRING)
        ok = member->text_length > 0 &&
             gm__read_real(member->text, member->text_length, &read) == member->text_length;
    if (!ok)
        return gm__fail(ctx, GM_E_FORMAT, "'%s' must be a number", name);
    *value = read;
    return GM_OK;
}

gm_status gm__json_text(gm_context *ctx, const gm__json *object, const char *name,
                        const char **value)
{
    const gm__json *member = gm__json_get(object, name);
    if (!member || member->type != GM__JSON_STRING)
        return gm__fail(ctx, GM_E_FORMAT, "'%s' must be a text", name);
    *value = member->text;
    return GM_OK;
}

gm_status gm__json_list(gm_context *ctx, const gm__json *object, const char *name,
                        gm__json_type type, const gm__json **list)
{
    const gm__json *member = gm__json_get(object, name);
    if (!member || member->type != type)
        return gm__fail(ctx, GM_E_FORMAT, "'%s' must be %s", name,
                        type == GM__JSON_ARRAY ? "an array" : "an object");
    *list = member;
    return GM_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

void gm__json_quote(gm__buffer *out, const char *text)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    gm__buffer_add(out, "\"", 1);
    for (const char *run = text;;) {
        const char *end = run;
        while ((unsigned char)*end >= 0x20 && *end != '"' && *end != '\\')
            end++;
        gm__buffer_add(out, run, (size_t)(end - run));
        if (!*end)
            break;
        const char *known = strchr(from, *end);
        if (known)
            gm__buffer_format(out, "\\%c", to[known - from]);
        else
            gm__buffer_format(out, "\\u00%c%c", "01"[*end >> 4], "0123456789abcdef"[*end & 15]);
        run = end + 1;
    }
    gm__buffer_add(out, "\"", 1);
}

void gm__json_write_real(gm__buffer *out, double value)
{
    char text[32];
    int length = gm__write_real(text, value, 0);
    int finite = value - value == 0;
    if (!finite)
        gm__buffer_add(out, "\"", 1);
    gm__buffer_add(out, text, (size_t)length);
    if (!finite)
        gm__buffer_add(out, "\"", 1);
}
