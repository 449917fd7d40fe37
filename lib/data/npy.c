/* NumPy's array files: NEP 1, versions 1 to 3. The header is the text of a Python dictionary with
 * three names. */
#include "data/table.h"

#include <string.h>

typedef struct parser {
    gm_context *ctx;
    const char *name;
    const char *at, *end;
    gm__raw *raw;
    int seen; /* 1 descr, 2 fortran_order, 4 shape */
} parser;

static gm_status bad(parser *p, const char *what)
{
    return gm__fail(p->ctx, GM_E_FORMAT, "%s: NPY header: %s", p->name, what);
}

static char next(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
    return p->at < p->end ? *p->at : 0;
}

static int take(parser *p, char c)
{
    if (next(p) != c)
        return 0;
    p->at++;
    return 1;
}

static int take_word(parser *p, const char *word)
{
    int64_t n = (int64_t)strlen(word);
    next(p);
    if (p->end - p->at < n || memcmp(p->at, word, (size_t)n) != 0)
        return 0;
    p->at += n;
    return 1;
}

/* A text in quotes of either kind; NULL where there is none. */
static const char *take_text(parser *p, int64_t *length)
{
    char quote = next(p);
    if (quote != '\'' && quote != '"')
        return NULL;
    const char *start = p->at + 1, *stop = memchr(start, quote, (size_t)(p->end - start));
    if (!stop)
        return NULL;
    p->at = stop + 1;
    *length = stop - start;
    return start;
}

static gm_status read_descr(parser *p)
{
    gm__raw *raw = p->raw;
    int64_t n = 0, width;
    const char *text = next(p) == '[' ? NULL : take_text(p, &n);
    if (!text)
        return bad(p, "'descr' is no plain type (structured arrays cannot be read)");
    int known = n >= 3 && n <= 4 && memchr("<>|=", text[0], 4) && memchr("fiub", text[1], 4) &&
                gm__read_int(text + 2, n - 2, &width) == n - 2;
    if (known) {
        raw->kind = text[1];
        raw->width = (int)width;
        raw->big = text[0] == '>';
        known = raw->kind == 'f'   ? width == 2 || width == 4 || width == 8
                : raw->kind == 'b' ? width == 1
                                   : width == 1 || width == 2 || width == 4 || width == 8;
    }
    if (!known)
        return gm__fail(
            p->ctx, GM_E_FORMAT,
            "%s: elements of type '%.*s' cannot be read, only f2 f4 f8 i1 i2 i4 i8 u1 u2 "
            "u4 u8 b1",
            p->name, (int)(n < 32 ? n : 32), text);
    p->seen |= 1;
    return GM_OK;
}

static gm_status read_order(parser *p)
{
    p->raw->fortran = take_word(p, "True");
    if (!p->raw->fortran && !take_word(p, "False"))
        return bad(p, "'fortran_order' must be True or False");
    p->seen |= 2;
    return GM_OK;
}

static gm_status read_shape(parser *p)
{
    gm__raw *raw = p->raw;
    if (!take(p, '('))
        return bad(p, "'shape' must be a tuple");
    while (!take(p, ')')) {
        int64_t size, used = 0;
        if (next(p))
            used = gm__read_int(p->at, p->end - p->at, &size);
        if (used <= 0 || size < 0)
            return bad(p, "'shape' must hold whole numbers");
        if (raw->ndim == 8)
            return bad(p, "more than 8 dimensions");
        raw->shape[raw->ndim++] = size;
        p->at += used;
        if (!take(p, ',') && next(p) != ')')
            return bad(p, "'shape' must be a tuple");
    }
    p->seen |= 4;
    return GM_OK;
}

static gm_status read_entry(parser *p)
{
    int64_t n = 0;
    const char *key = take_text(p, &n);
    if (!key || !take(p, ':'))
        return bad(p, "a name in quotes and ':' were expected");
    if (n == 5 && !memcmp(key, "descr", 5) && !(p->seen & 1))
        return read_descr(p);
    if (n == 13 && !memcmp(key, "fortran_order", 13) && !(p->seen & 2))
        return read_order(p);
    if (n == 5 && !memcmp(key, "shape", 5) && !(p->seen & 4))
        return read_shape(p);
    return bad(p, "a name that is unknown or comes twice");
}

static gm_status read_header(parser *p)
{
    if (!take(p, '{'))
        return bad(p, "'{' was expected");
    while (!take(p, '}')) {
        GM_TRY(read_entry(p));
        if (!take(p, ',') && next(p) != '}')
            return bad(p, "',' or '}' was expected");
    }
    if (p->seen != 7)
        return bad(p, "descr, fortran_order or shape is absent");
    return next(p) ? bad(p, "text follows the '}'") : GM_OK;
}

gm_status gm__npy_load(gm_context *ctx, const char *bytes, int64_t size, const char *name,
                       gm_dataset **data)
{
    const unsigned char *b = (const unsigned char *)bytes;
    gm__raw raw = {.name = name};
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return gm__fail(ctx, GM_E_FORMAT, "%s: is no NPY file", name);
    if (b[6] < 1 || b[6] > 3)
        return gm__fail(ctx, GM_E_FORMAT, "%s: NPY version %d, 1 to 3 can be read", name, b[6]);
    int64_t start = b[6] == 1 ? 10 : 12, length = -1;
    if (size >= start)
        length = b[8] | b[9] << 8 | (start == 12 ? (int64_t)b[10] << 16 | (int64_t)b[11] << 24 : 0);
    if (length < 0 || length > size - start)
        return gm__fail(ctx, GM_E_FORMAT, "%s: the file ends within its header", name);
    parser p = {ctx, name, bytes + start, bytes + start + length, &raw, 0};
    GM_TRY(read_header(&p));
    raw.bytes = b + start + length;
    raw.size = size - start - length;
    return gm__raw_load(ctx, &raw, data);
}

/* ---- Writing --------------------------------------------------------------------------------- */

gm_status gm__npy_save(gm_context *ctx, const gm_dataset *data, const gm_writer *writer)
{
    const gm__schema *s = data->schema;
    char kind, header[512];
    int width;
    gm__raw_choose(data, &kind, &width);
    int64_t n = gm__format(header, 400,
                           "..........{'descr': '%s%c%d', 'fortran_order': False, 'shape': (%lld",
                           width > 1 ? "<" : "|", kind, width, (long long)data->rows);
    for (int32_t i = 0; i < s->row_ndim; i++)
        n += gm__format(header + n, 400 - n, ", %lld", (long long)s->row_shape[i]);
    if (!s->row_ndim)
        n += gm__format(header + n, 400 - n, ", %lld", (long long)s->count);
    n += gm__format(header + n, 400 - n, "), }");
    while (n % 64 != 63) /* the values begin at a multiple of 64 */
        header[n++] = ' ';
    header[n++] = '\n';
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)((n - 10) & 255);
    header[9] = (char)((n - 10) >> 8);
    GM_TRY(gm__write(ctx, writer, header, n));
    return gm__raw_save(ctx, data, kind, width, 0, writer);
}
