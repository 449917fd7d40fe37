/* The files of MNIST (LeCun, Cortes and Burges): two zero bytes, type, number of dimensions, sizes,
 * values; most significant byte first. */
#include "data/table.h"

#include <string.h>

static const struct {
    unsigned char code;
    char kind;
    int width;
} types[] = {{0x08, 'u', 1}, {0x09, 'i', 1}, {0x0b, 'i', 2},
             {0x0c, 'i', 4}, {0x0d, 'f', 4}, {0x0e, 'f', 8}};

gm_status gm__idx_load(gm_context *ctx, const char *bytes, int64_t size, const char *name,
                       gm_dataset **data)
{
    const unsigned char *b = (const unsigned char *)bytes;
    gm__raw raw = {.name = name, .big = 1};
    if (size < 4 || b[0] || b[1])
        return gm__fail(ctx, GM_E_FORMAT, "%s: is no IDX file", name);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == b[2]) {
            raw.kind = types[i].kind;
            raw.width = types[i].width;
        }
    if (!raw.kind)
        return gm__fail(ctx, GM_E_FORMAT, "%s: IDX type %d is unknown", name, b[2]);
    if (b[3] > 8)
        return gm__fail(ctx, GM_E_FORMAT, "%s: %d dimensions, at most 8", name, b[3]);
    raw.ndim = b[3];
    if (size - 4 < 4 * raw.ndim)
        return gm__fail(ctx, GM_E_FORMAT, "%s: the file ends within its header", name);
    for (int32_t i = 0; i < raw.ndim; i++) {
        const unsigned char *p = b + 4 + 4 * i;
        raw.shape[i] = (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | p[3];
    }
    raw.bytes = b + 4 + 4 * raw.ndim;
    raw.size = size - 4 - 4 * raw.ndim;
    return gm__raw_load(ctx, &raw, data);
}

gm_status gm__idx_save(gm_context *ctx, const gm_dataset *data, const gm_writer *writer)
{
    const gm__schema *s = data->schema;
    unsigned char header[4 + 4 * 9] = {0};
    char kind;
    int width, ndim = 0;
    int64_t sizes[9];
    gm__raw_choose(data, &kind, &width);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].kind == kind && types[i].width == width)
            header[2] = types[i].code;
    sizes[ndim++] = data->rows;
    for (int32_t i = 0; i < s->row_ndim; i++)
        sizes[ndim++] = s->row_shape[i];
    if (!s->row_ndim && s->count > 1)
        sizes[ndim++] = s->count;
    header[3] = (unsigned char)ndim;
    for (int i = 0; i < ndim; i++) {
        if (sizes[i] > UINT32_MAX || ndim > 8)
            return gm__fail(ctx, GM_E_RANGE, "these sizes do not fit into an IDX file");
        for (int k = 0; k < 4; k++)
            header[4 + 4 * i + k] = (unsigned char)(sizes[i] >> (24 - 8 * k));
    }
    GM_TRY(gm__write(ctx, writer, header, 4 + 4 * ndim));
    return gm__raw_save(ctx, data, kind, width, 1, writer);
}
