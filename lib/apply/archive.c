/* The bytes of an archive: head, checksum, and the columns. */
#include "apply/coder.h"
#include "base/io.h"

#include <string.h>

enum { SUM_AT = 4, SUM = 8, HEAD = 12, PRINT = 8 };
enum {
    VERSION = 1,
    VERSION_LINES = 2
}; /* the second holds a table and lines, the first all else */
static const char magic[3] = {'G', 'M', 'Z'};

/* ---- The model's fingerprint ----------------------------------------------------------------- */

/* Takes a model's file as it is written, and hashes its tensors: the text in front tells of the
 * fit. */
typedef struct tensor_hash {
    gm__sha256 sum;
    uint64_t at, length; /* bytes so far; of the header */
} tensor_hash;

static int32_t hash_tensors(void *user, const void *bytes, int64_t size)
{
    tensor_hash *h = user;
    const unsigned char *p = bytes;
    for (int64_t i = 0; i < size; i++) {
        if (h->at < 8)
            h->length |= (uint64_t)p[i] << 8 * h->at;
        else if (h->at >= 8 + h->length) {
            gm__sha256_add(&h->sum, p + i, (size_t)(size - i));
            break;
        }
        h->at++;
    }
    return 0;
}

static void hash_number(gm__sha256 *sum, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    gm__sha256_add(sum, bytes, 8);
}

static void hash_text(gm__sha256 *sum, const char *text)
{
    gm__sha256_add(sum, text, strlen(text) + 1);
}

static gm_status hash_columns(gm_context *ctx, const gm_model *model, gm__sha256 *sum)
{
    gm_column c = {.struct_size = sizeof c};
    for (int64_t j = 0; j < gm_model_column_count(model); j++) {
        GM_TRY(gm_model_column(ctx, model, j, &c));
        hash_text(sum, c.name);
        hash_number(sum, (uint64_t)c.type);
        hash_number(sum, (uint64_t)gm__double_place(c.low));
        hash_number(sum, (uint64_t)gm__double_place(c.high));
        for (int64_t k = 0; k < c.categories; k++)
            hash_text(sum, gm_model_category(model, j, k));
    }
    return GM_OK;
}

static gm_status fingerprint(gm_context *ctx, const gm_model *model, unsigned char print[PRINT])
{
    tensor_hash h = {.at = 0};
    unsigned char digest[32];
    gm_writer writer = {.struct_size = sizeof writer, .user = &h, .write = hash_tensors};
    gm__sha256_begin(&h.sum);
    hash_text(&h.sum, gm_model_family(model));
    GM_TRY(hash_columns(ctx, model, &h.sum));
    GM_TRY(gm_model_write(ctx, model, &writer));
    gm__sha256_end(&h.sum, digest);
    memcpy(print, digest, PRINT);
    return GM_OK;
}

/* ---- Head ------------------------------------------------------------------------------------ */

static unsigned char *put_number(unsigned char *at, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        *at++ = (unsigned char)(value | 128);
    *at++ = (unsigned char)value;
    return at;
}

const unsigned char *gm__archive_number(const unsigned char *at, const unsigned char *end,
                                        int64_t *value)
{
    uint64_t v = 0;
    for (int shift = 0; at && at < end && shift < 63; shift += 7) {
        v |= (uint64_t)(*at & 127) << shift;
        if (*at++ < 128) {
            *value = (int64_t)v;
            return at;
        }
    }
    return NULL;
}

static void checksum(const void *head, int64_t head_size, const gm__archive *a,
                     unsigned char sum[SUM])
{
    unsigned char digest[32];
    gm__sha256 s;
    gm__sha256_begin(&s);
    gm__sha256_add(&s, head, SUM_AT);
    gm__sha256_add(&s, (const unsigned char *)head + HEAD, (size_t)(head_size - HEAD));
    if (a) {
        gm__sha256_add(&s, a->text, (size_t)a->text_size);
        gm__sha256_add(&s, a->symbols, (size_t)a->symbols_size);
    }
    gm__sha256_end(&s, digest);
    memcpy(sum, digest, SUM);
}

gm_status gm__archive_write(gm_context *ctx, const gm_model *model, const gm__archive *a,
                            const gm_writer *writer, int64_t *bytes)
{
    unsigned char head[GM__ARCHIVE_HEAD], *at = head + HEAD;
    memcpy(head, magic, sizeof magic);
    head[3] = a->what == GM__ARCHIVE_LINES ? VERSION_LINES : VERSION;
    at = put_number(at, (uint64_t)gm_arithmetic_revision());
    GM_TRY(fingerprint(ctx, model, at));
    at = put_number(at + PRINT, (uint64_t)a->what);
    if (a->what != GM__ARCHIVE_PLAIN)
        at = put_number(at, (uint64_t)a->rows);
    if (a->what != GM__ARCHIVE_ROWS)
        at = put_number(at, (uint64_t)a->text_size);
    checksum(head, at - head, a, head + SUM_AT);
    GM_TRY(gm__write(ctx, writer, head, at - head));
    GM_TRY(gm__write(ctx, writer, a->text, a->text_size));
    GM_TRY(gm__write(ctx, writer, a->symbols, a->symbols_size));
    if (bytes)
        *bytes = at - head + a->text_size + a->symbols_size;
    return GM_OK;
}

static gm_status check_sum(gm_context *ctx, const char *name, const unsigned char *bytes,
                           int64_t size)
{
    unsigned char sum[SUM];
    if (size == 0)
        return gm__fail(ctx, GM_E_FORMAT, "%s: is empty, an archive was expected", name);
    if (size < HEAD || memcmp(bytes, magic, sizeof magic) != 0)
        return gm__fail(ctx, GM_E_FORMAT,
                        "%s: is no archive: those that gm_compress (genmod compress) writes begin "
                        "with GMZ",
                        name);
    if (bytes[3] > VERSION_LINES)
        return gm__fail(ctx, GM_E_VERSION,
                        "%s: is an archive of version %d, this library reads up to %d", name,
                        bytes[3], VERSION_LINES);
    checksum(bytes, size, NULL, sum);
    return memcmp(sum, bytes + SUM_AT, SUM) == 0
               ? GM_OK
               : gm__fail(
                     ctx, GM_E_CHECKSUM,
                     "%s: its checksum does not match its contents: the archive is damaged, or "
                     "cut short",
                     name);
}

static gm_status check_model(gm_context *ctx, const gm_model *model, const char *name,
                             const unsigned char *found)
{
    unsigned char print[PRINT];
    GM_TRY(fingerprint(ctx, model, print));
    return memcmp(print, found, PRINT) == 0
               ? GM_OK
               : gm__fail(ctx, GM_E_STATE,
                          "%s: was made with another model; this one, a %s of %lld columns, cannot "
                          "read it: give the file that it was compressed with (a fit made anew is "
                          "another model)",
                          name, gm_model_family(model), (long long)gm_model_column_count(model));
}

static gm_status malformed(gm_context *ctx, const char *name)
{
    return gm__fail(ctx, GM_E_FORMAT, "%s: the archive's head is malformed", name);
}

/* What follows the model's fingerprint. */
static gm_status read_parts(gm_context *ctx, const char *name, int version, const unsigned char *at,
                            const unsigned char *end, gm__archive *a)
{
    int64_t what = 0;
    at = gm__archive_number(at, end, &what);
    if (!at || what >= GM__ARCHIVE_KINDS ||
        (what == GM__ARCHIVE_LINES) != (version == VERSION_LINES))
        return malformed(ctx, name);
    *a = (gm__archive){.what = (int)what};
    if (a->what != GM__ARCHIVE_PLAIN)
        at = gm__archive_number(at, end, &a->rows);
    if (a->what != GM__ARCHIVE_ROWS)
        at = gm__archive_number(at, end, &a->text_size);
    if (!at || a->text_size > end - at || (a->what != GM__ARCHIVE_PLAIN && a->rows < 1))
        return malformed(ctx, name);
    a->text = at;
    a->symbols = at + a->text_size;
    a->symbols_size = end - a->symbols;
    return GM_OK;
}

gm_status gm__archive_read(gm_context *ctx, const gm_model *model, const char *name,
                           const void *bytes, int64_t size, gm__archive *a)
{
    const unsigned char *at = bytes, *end = at + size;
    int64_t revision;
    GM_TRY(check_sum(ctx, name, at, size));
    at = gm__archive_number(at + HEAD, end, &revision);
    if (!at || end - at < PRINT)
        return malformed(ctx, name);
    if (revision != gm_arithmetic_revision())
        return gm__fail(ctx, GM_E_VERSION,
                        "%s: was made with revision %lld of the arithmetic, this library has %d, "
                        "whose bits differ",
                        name, (long long)revision, (int)gm_arithmetic_revision());
    GM_TRY(check_model(ctx, model, name, at));
    return read_parts(ctx, name, ((const unsigned char *)bytes)[3], at + PRINT, end, a);
}

int gm__archive_kind(const void *bytes, int64_t size)
{
    const unsigned char *at = bytes, *end = at + size;
    int64_t revision, what;
    if (size < HEAD || memcmp(at, magic, sizeof magic) != 0 || at[3] > VERSION_LINES)
        return -1;
    at = gm__archive_number(at + HEAD, end, &revision);
    at = at && end - at > PRINT ? gm__archive_number(at + PRINT, end, &what) : NULL;
    return at && what < GM__ARCHIVE_KINDS ? (int)what : -1;
}
