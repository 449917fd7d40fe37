/* The safetensors container. */
#include "base/tensors.h"
#include "base/size.h"

#include <string.h>

#define HEADER_LIMIT 100000000   /* the format's own cap */
#define PIECE ((int64_t)1 << 20) /* bytes, after which a cancel token is heeded */
#define FILE_LIMIT ((int64_t)1 << 46)
static const char digest_key[] = "\"sha256\":\"";
static const char zero_digits[65] =
    "0000000000000000000000000000000000000000000000000000000000000000";

static const struct {
    int32_t dtype;
    char name[4];
    size_t size;
} dtypes[] = {
    {GM_F32, "F32", 4}, {GM_F64, "F64", 8}, {GM_U8, "U8", 1},
    {GM_I32, "I32", 4}, {GM_I64, "I64", 8},
};
#define DTYPE_COUNT ((int)(sizeof dtypes / sizeof dtypes[0]))

static int dtype_row(int32_t dtype)
{
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (dtypes[i].dtype == dtype)
            return i;
    return -1;
}

static int big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

/* Reverses the bytes of each element. */
static void swap_elements(unsigned char *bytes, int64_t count, size_t size)
{
    for (int64_t i = 0; i < count; i++, bytes += size)
        for (size_t j = 0; j < size / 2; j++) {
            unsigned char t = bytes[j];
            bytes[j] = bytes[size - 1 - j];
            bytes[size - 1 - j] = t;
        }
}

static void put_u64(unsigned char out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get_u64(const unsigned char *in)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)in[i] << (8 * i);
    return v;
}

/* ---- Writing ------------------------------------------------------------------------------------
 */

static void write_header(gm__buffer *h, const gm__text_pair *meta, int meta_count,
                         const gm__tensor *tensors, int64_t count)
{
    gm__buffer_format(h, "{\"__metadata__\":{%s%s\"", digest_key, zero_digits);
    for (int i = 0; i < meta_count; i++) {
        gm__buffer_text(h, ",");
        gm__json_quote(h, meta[i].name);
        gm__buffer_text(h, ":");
        gm__json_quote(h, meta[i].text);
    }
    gm__buffer_text(h, "}");
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        const gm__tensor *t = &tensors[i];
        int row = dtype_row(t->dtype);
        int64_t end = at + t->count * (int64_t)dtypes[row].size;
        gm__buffer_text(h, ",");
        gm__json_quote(h, t->name);
        gm__buffer_format(h, ":{\"dtype\":\"%s\",\"shape\":[", dtypes[row].name);
        for (int j = 0; j < t->ndim; j++)
            gm__buffer_format(h, j ? ",%lld" : "%lld", (long long)t->shape[j]);
        gm__buffer_format(h, "],\"data_offsets\":[%lld,%lld]}", (long long)at, (long long)end);
        at = end;
    }
    gm__buffer_text(h, "}");
    while (!h->failed && (h->size + 8) % 64)
        gm__buffer_text(h, " ");
}

/* Gives every byte of the tensors to the digest (s) or to the writer, in the file's byte order. */
static gm_status each_byte(gm_context *ctx, const gm_writer *writer, gm__sha256 *s,
                           const gm__tensor *tensors, int64_t count)
{
    unsigned char piece[4096];
    for (int64_t i = 0; i < count; i++) {
        size_t size = gm__dtype_size(tensors[i].dtype);
        const unsigned char *from = tensors[i].data;
        int64_t left = tensors[i].count * (int64_t)size;
        while (left > 0) {
            int64_t n = left < PIECE ? left : PIECE;
            GM_TRY(gm__check_cancel(ctx));
            const unsigned char *bytes = from;
            if (big_endian()) {
                n = left < (int64_t)sizeof piece ? left : (int64_t)sizeof piece;
                memcpy(piece, from, (size_t)n);
                swap_elements(piece, n / (int64_t)size, size);
                bytes = piece;
            }
            if (s)
                gm__sha256_add(s, bytes, (size_t)n);
            else
                GM_TRY(gm__write(ctx, writer, bytes, n));
            from += n;
            left -= n;
        }
    }
    return GM_OK;
}

gm_status gm__tensors_write(gm_context *ctx, const gm_writer *writer, const gm__text_pair *meta,
                            int meta_count, const gm__tensor *tensors, int64_t count)
{
    gm__buffer h = {.allocator = ctx->allocator};
    write_header(&h, meta, meta_count, tensors, count);
    gm_status code = h.failed ? gm__no_memory(ctx) : GM_OK;
    if (!code) {
        unsigned char length[8], digest[32];
        char digits[65];
        gm__sha256 s;
        put_u64(length, h.size);
        gm__sha256_begin(&s);
        gm__sha256_add(&s, length, sizeof length);
        gm__sha256_add(&s, h.data, h.size);
        code = each_byte(ctx, NULL, &s, tensors, count);
        gm__sha256_end(&s, digest);
        gm__sha256_text(digest, digits);
        memcpy(strstr(h.data, digest_key) + sizeof digest_key - 1, digits, 64);
        if (!code)
            code = gm__write(ctx, writer, length, sizeof length);
        if (!code)
            code = gm__write(ctx, writer, h.data, (int64_t)h.size);
        if (!code)
            code = each_byte(ctx, writer, NULL, tensors, count);
    }
    gm__buffer_clear(&h);
    return code;
}

/* ---- Reading ------------------------------------------------------------------------------------
 */

static gm_status bad_tensor(gm_context *ctx, const char *name, const char *tensor, const char *what)
{
    return gm__fail(ctx, GM_E_FORMAT, "%s: tensor '%.*s': %s", name, 100, tensor, what);
}

/* One entry of the header; data_size is what lies behind the header. */
static gm_status read_tensor(gm_context *ctx, const char *name, const gm__json *entry,
                             int64_t data_size, gm__tensor *t, int64_t *begin, int64_t *end)
{
    const char *dtype;
    t->name = entry->name;
    if (gm__json_text(ctx, entry, "dtype", &dtype))
        return bad_tensor(ctx, name, t->name, "has no dtype");
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (strcmp(dtype, dtypes[i].name) == 0)
            t->dtype = dtypes[i].dtype;
    if (!t->dtype)
        return gm__fail(ctx, GM_E_FORMAT,
                        "%s: tensor '%.*s' has dtype '%.*s'; F32, F64, U8, I32 and I64 are read",
                        name, 100, t->name, 20, dtype);
    const gm__json *shape = gm__json_get(entry, "shape"),
                   *offsets = gm__json_get(entry, "data_offsets");
    if (!shape || shape->type != GM__JSON_ARRAY || shape->count > 8)
        return bad_tensor(ctx, name, t->name, "its shape must be a list of at most 8 sizes");
    t->count = 1;
    for (const gm__json *d = shape->first; d; d = d->next) {
        if (d->type != GM__JSON_NUMBER || !(d->number >= 0 && d->number <= 9e15) ||
            d->number != (double)(int64_t)d->number ||
            gm__mul64(t->count, (int64_t)d->number, &t->count))
            return bad_tensor(ctx, name, t->name,
                              "a size of its shape is no whole number in range");
        t->shape[t->ndim++] = (int64_t)d->number;
    }
    if (!offsets || offsets->type != GM__JSON_ARRAY || offsets->count != 2 ||
        offsets->first->type != GM__JSON_NUMBER || offsets->first->next->type != GM__JSON_NUMBER)
        return bad_tensor(ctx, name, t->name, "data_offsets must be two numbers");
    double b = offsets->first->number, e = offsets->first->next->number;
    if (!(b >= 0 && e >= b && e <= (double)data_size) || b != (double)(int64_t)b ||
        e != (double)(int64_t)e)
        return bad_tensor(ctx, name, t->name, "data_offsets lie outside the file");
    *begin = (int64_t)b;
    *end = (int64_t)e;
    int64_t bytes;
    if (gm__mul64(t->count, (int64_t)gm__dtype_size(t->dtype), &bytes) || bytes != *end - *begin)
        return bad_tensor(ctx, name, t->name, "its shape and its data_offsets disagree");
    return GM_OK;
}

static gm_status check_digest(gm_context *ctx, const char *name, gm__tensor_file *f, int64_t header)
{
    char *header_text = f->bytes + 8, *found = NULL;
    size_t key = sizeof digest_key - 1;
    for (int64_t i = 0; i + (int64_t)key + 64 <= header && i < 64 && !found; i++)
        if (memcmp(header_text + i, digest_key, key) == 0)
            found = header_text + i + key;
    if (!found)
        return gm__fail(
            ctx, GM_E_FORMAT,
            "%s: its metadata must begin with \"sha256\": was it written by another program?",
            name);
    char stated[65], digits[65];
    unsigned char digest[32];
    memcpy(stated, found, 64);
    stated[64] = 0;
    memset(found, '0', 64);
    gm__sha256 s;
    gm__sha256_begin(&s);
    for (int64_t at = 0; at < f->size; at += PIECE) {
        GM_TRY(gm__check_cancel(ctx));
        gm__sha256_add(&s, f->bytes + at, (size_t)(f->size - at < PIECE ? f->size - at : PIECE));
    }
    gm__sha256_end(&s, digest);
    gm__sha256_text(digest, digits);
    memcpy(found, stated, 64);
    if (memcmp(stated, digits, 64) != 0)
        return gm__fail(ctx, GM_E_CHECKSUM, "%s: the checksum does not match: the file is damaged",
                        name);
    return GM_OK;
}

/* The header's tensors in order, which must fill the data without holes. */
static gm_status read_tensors(gm_context *ctx, const char *name, gm__tensor_file *f,
                              const gm__json *root, int64_t header)
{
    int64_t data_size = f->size - 8 - header, at = 0;
    f->tensors = gm__arena_array(&f->arena, root->count, sizeof *f->tensors);
    if (root->count > 0 && !f->tensors)
        return gm__no_memory(ctx);
    for (const gm__json *j = root->first; j; j = j->next) {
        if (strcmp(j->name, "__metadata__") == 0) {
            f->meta = j;
            continue;
        }
        GM_TRY(gm__check_cancel(ctx));
        gm__tensor *t = &f->tensors[f->count];
        int64_t begin = 0, end = 0;
        GM_TRY(read_tensor(ctx, name, j, data_size, t, &begin, &end));
        if (begin != at)
            return bad_tensor(ctx, name, t->name, "does not start where the one before ends");
        at = end;
        t->data = f->bytes + 8 + header + begin;
        if (big_endian())
            swap_elements((unsigned char *)f->bytes + 8 + header + begin, t->count,
                          gm__dtype_size(t->dtype));
        f->count++;
    }
    if (at != data_size)
        return gm__fail(ctx, GM_E_FORMAT, "%s: %lld bytes follow the last tensor", name,
                        (long long)(data_size - at));
    if (!f->meta || f->meta->type != GM__JSON_OBJECT)
        return gm__fail(ctx, GM_E_FORMAT,
                        "%s: has no __metadata__: it is not a file of this library", name);
    return GM_OK;
}

static gm_status read_file(gm_context *ctx, const gm_reader *reader, const char *name,
                           gm__tensor_file *f)
{
    GM_TRY(gm__read_all(ctx, reader, name, FILE_LIMIT, &f->bytes, &f->size));
    if (f->size < 10)
        return gm__fail(ctx, GM_E_FORMAT, "%s: %lld bytes are too few for a model file", name,
                        (long long)f->size);
    uint64_t length = get_u64((const unsigned char *)f->bytes);
    if (length > HEADER_LIMIT || (int64_t)length > f->size - 8 || f->bytes[8] != '{')
        return gm__fail(ctx, GM_E_FORMAT,
                        "%s: is no model or checkpoint (a safetensors file), or is cut short",
                        name);
    int64_t header = (int64_t)length;
    GM_TRY(check_digest(ctx, name, f, header));
    const gm__json *root;
    GM_TRY(gm__json_parse(ctx, name, f->bytes + 8, header, &f->arena, &root));
    if (root->type != GM__JSON_OBJECT)
        return gm__fail(ctx, GM_E_FORMAT, "%s: the header is no JSON object", name);
    return read_tensors(ctx, name, f, root, header);
}

gm_status gm__tensors_read(gm_context *ctx, const gm_reader *reader, const char *name,
                           gm__tensor_file *file)
{
    *file = (gm__tensor_file){.arena.allocator = ctx->allocator};
    gm_status code = read_file(ctx, reader, name, file);
    if (code)
        gm__tensors_clear(file);
    return code;
}

void gm__tensors_clear(gm__tensor_file *file)
{
    gm_allocator a = file->arena.allocator;
    if (file->bytes)
        gm__free(&a, file->bytes, (size_t)file->size + 1);
    gm__arena_clear(&file->arena);
    *file = (gm__tensor_file){.arena.allocator = a};
}

const gm__tensor *gm__tensors_find(const gm__tensor_file *file, const char *name)
{
    for (int64_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const char *gm__tensors_meta(const gm__tensor_file *file, const char *name)
{
    const gm__json *j = gm__json_get(file->meta, name);
    return j && j->type == GM__JSON_STRING ? j->text : NULL;
}
