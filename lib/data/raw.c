/* Elements of array files, of any byte order, from and to datasets. */
#include "data/table.h"
#include "base/size.h"

#include <string.h>

/* ---- Elements -------------------------------------------------------------------------------- */

static uint64_t read_bytes(const unsigned char *p, int width, int big)
{
    uint64_t v = 0;
    for (int i = 0; i < width; i++)
        v = v << 8 | p[big ? i : width - 1 - i];
    return v;
}

/* IEEE 754 binary16: five bits of exponent, ten of fraction. */
static float half_to_float(uint64_t bits)
{
    uint32_t sign = (uint32_t)(bits >> 15) << 31, exponent = bits >> 10 & 31,
             fraction = bits & 1023, out;
    float value;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    out = sign | (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &out, sizeof value);
    return value;
}

/* count elements, from side by side into `to`, which is of dtype and has them `stride` apart. */
static void convert(const gm__raw *raw, const unsigned char *from, int64_t count, int32_t dtype,
                    char *to, int64_t stride)
{
    size_t size = gm__dtype_size(dtype), step = (size_t)stride * size;
    for (int64_t i = 0; i < count; i++, from += raw->width, to += step) {
        uint64_t bits = read_bytes(from, raw->width, raw->big);
        if (raw->kind == 'f' && raw->width == 2) {
            float half = half_to_float(bits);
            memcpy(to, &half, sizeof half);
            continue;
        }
        if (raw->kind == 'i' && raw->width < 8 && bits >> (8 * raw->width - 1))
            bits |= ~(uint64_t)0 << 8 * raw->width;
        if (size == 8) {
            memcpy(to, &bits, 8);
        } else if (size == 4) {
            uint32_t word = (uint32_t)bits;
            memcpy(to, &word, 4);
        } else {
            *to = (char)bits;
        }
    }
}

static int32_t native_dtype(const gm__raw *raw)
{
    if (raw->kind == 'f')
        return raw->width == 8 ? GM_F64 : GM_F32;
    if (raw->width == 1)
        return raw->kind == 'i' ? GM_I32 : GM_U8;
    return raw->width == 8 || (raw->kind == 'u' && raw->width == 4) ? GM_I64 : GM_I32;
}

/* ---- Loading --------------------------------------------------------------------------------- */

static gm_status sizes(gm_context *ctx, const gm__raw *raw, int64_t *columns)
{
    int64_t cells, bytes;
    *columns = 1;
    if (raw->ndim < 1)
        return gm__fail(ctx, GM_E_SHAPE, "%s: holds a single value, rows were expected", raw->name);
    for (int32_t i = 0; i < raw->ndim; i++)
        if (raw->shape[i] < 1 || (i > 0 && gm__mul64(*columns, raw->shape[i], columns)))
            return gm__fail(ctx, GM_E_FORMAT, "%s: size %lld of dimension %d", raw->name,
                            (long long)raw->shape[i], (int)i + 1);
    if (gm__mul64(*columns, raw->shape[0], &cells) || gm__mul64(cells, raw->width, &bytes) ||
        bytes > raw->size)
        return gm__fail(
            ctx, GM_E_FORMAT,
            "%s: %lld bytes of values, its header announces %lld rows of %lld columns of "
            "%d bytes",
            raw->name, (long long)raw->size, (long long)raw->shape[0], (long long)*columns,
            raw->width);
    if (*columns > GM__MAX_COLUMNS)
        return gm__fail(ctx, GM_E_FORMAT, "%s: %lld columns, at most %d", raw->name,
                        (long long)*columns, GM__MAX_COLUMNS);
    return GM_OK;
}

static gm_status describe(const gm__raw *raw, gm__schema *s)
{
    static const char *const names[] = {"0", "1"};
    for (int64_t j = 0; j < s->count && raw->kind != 'f'; j++) {
        s->columns[j].type = raw->kind == 'b' ? GM_COLUMN_BINARY : GM_COLUMN_INTEGER;
        if (raw->kind != 'b')
            continue;
        GM_TRY(gm__schema_set_categories(s, j, 2));
        for (int k = 0; k < 2; k++)
            GM_TRY(gm__schema_set_text(s, &s->columns[j].category[k], names[k], 1));
    }
    if (raw->ndim > 2) {
        s->row_ndim = raw->ndim - 1;
        memcpy(s->row_shape, raw->shape + 1, (size_t)s->row_ndim * sizeof *s->row_shape);
    }
    return GM_OK;
}

/* Where column j begins when the first axis runs fastest, in elements. */
static int64_t fortran_offset(const gm__raw *raw, int64_t j)
{
    int64_t offset = 0, inner = 1;
    for (int32_t i = 1; i < raw->ndim; i++)
        inner *= raw->shape[i];
    for (int32_t i = raw->ndim - 1; i > 0; i--) {
        inner /= raw->shape[i]; /* product of the axes between the first and this one */
        offset += j % raw->shape[i] * inner * raw->shape[0];
        j /= raw->shape[i];
    }
    return offset;
}

static gm_status check_values(gm_context *ctx, const gm__raw *raw)
{
    int64_t cells = 1;
    for (int32_t i = 0; i < raw->ndim; i++)
        cells *= raw->shape[i];
    for (int64_t i = 0; raw->kind == 'b' && i < cells; i++)
        if (raw->bytes[i] > 1)
            return gm__fail(ctx, GM_E_DATA, "%s: element %lld is %d, a truth value was expected",
                            raw->name, (long long)i + 1, raw->bytes[i]);
    for (int64_t i = 0; raw->kind == 'u' && raw->width == 8 && i < cells; i++)
        if (read_bytes(raw->bytes + 8 * i, 8, raw->big) > INT64_MAX)
            return gm__fail(ctx, GM_E_DATA, "%s: element %lld is above 2^63 - 1", raw->name,
                            (long long)i + 1);
    return GM_OK;
}

static gm_status fill(gm_context *ctx, const gm__raw *raw, gm_dataset *data)
{
    int32_t dtype = native_dtype(raw);
    int64_t d = data->schema->count, n = data->rows;
    char *cells = gm__dataset_alloc(data, dtype);
    if (!cells)
        return gm__no_memory(ctx);
    if (!raw->fortran)
        convert(raw, raw->bytes, n * d, dtype, cells, 1);
    for (int64_t j = 0; raw->fortran && j < d; j++)
        convert(raw, raw->bytes + fortran_offset(raw, j) * raw->width, n, dtype,
                cells + (size_t)j * gm__dtype_size(dtype), d);
    return gm__dataset_scan(ctx, data, raw->name, 0);
}

gm_status gm__raw_load(gm_context *ctx, const gm__raw *raw, gm_dataset **data)
{
    int64_t columns;
    GM_TRY(sizes(ctx, raw, &columns));
    GM_TRY(check_values(ctx, raw));
    gm__schema *s = gm__schema_create(&ctx->allocator, columns);
    gm_dataset *made =
        s && !describe(raw, s) ? gm__dataset_create(&ctx->allocator, s, raw->shape[0]) : NULL;
    if (!made) {
        gm__schema_release(s);
        return gm__no_memory(ctx);
    }
    gm_status code = fill(ctx, raw, made);
    if (code)
        gm_dataset_free(made);
    else
        *data = made;
    return code;
}

/* ---- Saving ---------------------------------------------------------------------------------- */

void gm__raw_choose(const gm_dataset *data, char *kind, int *width)
{
    int bytes = 1, floats = 1, whole = 1;
    for (int64_t j = 0; j < data->schema->count; j++) {
        const gm__column *c = &data->schema->columns[j];
        int categories = gm__type_is_category(c->type),
            counted = categories || c->type == GM_COLUMN_INTEGER;
        double low = categories ? 0 : c->low, high = categories ? (double)c->categories : c->high;
        floats &= data->fields[j].dtype == GM_F32;
        bytes &= data->fields[j].dtype == GM_U8;
        whole &= counted && !c->missing && low >= -0x1p31 && high < 0x1p31 &&
                 data->fields[j].dtype != GM_F64;
    }
    *kind = bytes ? 'u' : whole ? 'i' : 'f';
    *width = bytes ? 1 : floats || whole ? 4 : 8;
}

static void write_bytes(unsigned char *p, uint64_t v, int width, int big)
{
    for (int i = 0; i < width; i++, v >>= 8)
        p[big ? width - 1 - i : i] = (unsigned char)v;
}

static uint64_t element_bits(double x, char kind, int width)
{
    uint64_t bits;
    uint32_t word;
    if (kind != 'f')
        return (uint64_t)(int64_t)x;
    if (width == 8) {
        memcpy(&bits, &x, sizeof bits);
        return bits;
    }
    float narrow = (float)x;
    memcpy(&word, &narrow, sizeof word);
    return word;
}

gm_status gm__raw_save(gm_context *ctx, const gm_dataset *data, char kind, int width, int big,
                       const gm_writer *writer)
{
    int64_t d = data->schema->count, step = 8192 / d + 1;
    double *x = gm__alloc_array(&ctx->allocator, step * d, sizeof *x);
    unsigned char *bytes = gm__alloc_array(&ctx->allocator, step * d, (size_t)width);
    gm_status code = x && bytes ? GM_OK : gm__no_memory(ctx);
    for (int64_t first = 0; first < data->rows && !code; first += step) {
        int64_t count = data->rows - first < step ? data->rows - first : step;
        gm__dataset_rows(data, NULL, first, count, x);
        for (int64_t i = 0; i < count * d; i++)
            write_bytes(bytes + i * width, element_bits(x[i], kind, width), width, big);
        code = gm__write(ctx, writer, bytes, count * d * width);
    }
    gm__free(&ctx->allocator, x, (size_t)(step * d) * sizeof *x);
    gm__free(&ctx->allocator, bytes, (size_t)(step * d) * (size_t)width);
    return code;
}
