/* Datasets from files and readers, and back into files and writers. */
#include "data/table.h"
#include "base/io.h"

#include <string.h>

enum { NO_FORMAT, CSV, TSV, NPY, IDX };
static const char *const format_names[] = {NULL, "csv", "tsv", "npy", "idx"};
#define MOST_BYTES ((int64_t)1 << 46)

/* ---- Formats --------------------------------------------------------------------------------- */

static int find_format(const char *name)
{
    for (int f = CSV; name && f <= IDX; f++)
        if (!strcmp(name, format_names[f]))
            return f;
    return NO_FORMAT;
}

static int ends_with(const char *path, size_t length, const char *ending)
{
    size_t n = strlen(ending);
    return length >= n && !memcmp(path + length - n, ending, n);
}

/* By the ending, ".gz" after it or not. */
static int format_of_path(const char *path, int packed_too)
{
    static const struct {
        const char *ending;
        int format;
    } endings[] = {{".csv", CSV}, {".txt", CSV}, {".data", CSV}, {".tsv", TSV},
                   {".tab", TSV}, {".npy", NPY}, {".idx", IDX},  {"-ubyte", IDX}};
    size_t length = strlen(path);
    if (packed_too && ends_with(path, length, ".gz"))
        length -= 3;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(path, length, endings[i].ending))
            return endings[i].format;
    return NO_FORMAT;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static gm_status parse(gm_context *ctx, int format, const char *bytes, int64_t size,
                       const char *name, const gm_options *opts, gm_dataset **data)
{
    switch (format) {
    case NPY:
        return gm__npy_load(ctx, bytes, size, name, data);
    case IDX:
        return gm__idx_load(ctx, bytes, size, name, data);
    default:
        return gm__csv_load(ctx, bytes, size, name, format == TSV, opts, data);
    }
}

static gm_status load(gm_context *ctx, const gm_reader *reader, int format, const char *name,
                      const gm_options *opts, gm_dataset **data)
{
    char *bytes = NULL;
    int64_t size = 0;
    GM_TRY(gm__read_all(ctx, reader, name, MOST_BYTES, &bytes, &size));
    gm_status code = gm__gunzip(ctx, name, &bytes, &size);
    if (!code)
        code = parse(ctx, format, bytes, size, name, opts, data);
    gm__free(&ctx->allocator, bytes, (size_t)size + 1);
    return code;
}

static gm_status load_file(gm_context *ctx, const char *path, int format, const gm_options *opts,
                           gm_dataset **data)
{
    gm_reader reader;
    if (!path)
        return gm__fail(ctx, GM_E_ARG, "no path was given");
    if (!format)
        format = format_of_path(path, 1);
    if (!format)
        return gm__fail(
            ctx, GM_E_UNKNOWN,
            "%s: what format is this? Files end in .csv, .tsv, .npy, .idx or -ubyte, or "
            "that and .gz",
            path);
    GM_TRY(gm__file_reader(ctx, path, &reader));
    gm_status code = load(ctx, &reader, format, path, opts, data);
    gm__file_reader_close(&reader);
    return code;
}

static gm_status from_file(gm_context *ctx, const char *path, int format, const gm_options *opts,
                           gm_dataset **data)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!data)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "no place for the dataset was given"));
    *data = NULL;
    return gm__leave(ctx, &entry, load_file(ctx, path, format, opts, data));
}

gm_status gm_dataset_from_file(gm_context *ctx, const char *path, const gm_options *opts,
                               gm_dataset **data)
{
    return from_file(ctx, path, NO_FORMAT, opts, data);
}

gm_status gm_dataset_from_csv(gm_context *ctx, const char *path, const gm_options *opts,
                              gm_dataset **data)
{
    return from_file(ctx, path, path && format_of_path(path, 1) == TSV ? TSV : CSV, opts, data);
}

gm_status gm_dataset_from_npy(gm_context *ctx, const char *path, gm_dataset **data)
{
    return from_file(ctx, path, NPY, NULL, data);
}

gm_status gm_dataset_from_idx(gm_context *ctx, const char *path, gm_dataset **data)
{
    return from_file(ctx, path, IDX, NULL, data);
}

static gm_status unknown_format(gm_context *ctx, const char *format)
{
    return gm__fail(ctx, GM_E_UNKNOWN, "unknown format '%.*s': csv, tsv, npy or idx", 32,
                    format ? format : "");
}

static gm_status from_reader(gm_context *ctx, const gm_reader *reader, const char *format,
                             const char *name, const gm_options *opts, gm_dataset **data)
{
    int known = find_format(format);
    if (!known)
        return unknown_format(ctx, format);
    GM_TRY(gm__reader_check(ctx, reader));
    return load(ctx, reader, known, name ? name : "input", opts, data);
}

gm_status gm_dataset_from_reader(gm_context *ctx, const gm_reader *reader, const char *format,
                                 const char *name, const gm_options *opts, gm_dataset **data)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    if (!data)
        return gm__leave(ctx, &entry,
                         gm__fail(ctx, GM_E_ARG, "no place for the dataset was given"));
    *data = NULL;
    return gm__leave(ctx, &entry, from_reader(ctx, reader, format, name, opts, data));
}

/* ---- Writing --------------------------------------------------------------------------------- */

static gm_status write_as(gm_context *ctx, const gm_dataset *data, const gm_writer *writer,
                          int format)
{
    switch (format) {
    case NPY:
        return gm__npy_save(ctx, data, writer);
    case IDX:
        return gm__idx_save(ctx, data, writer);
    default:
        return gm__csv_save(ctx, data, writer, format == TSV ? '\t' : ',');
    }
}

static gm_status save(gm_context *ctx, const gm_dataset *data, const char *path)
{
    gm__replacement *r;
    gm_writer writer;
    if (!data || !path)
        return gm__fail(ctx, GM_E_ARG, "dataset and path must be given");
    int format = format_of_path(path, 0);
    if (!format)
        return gm__fail(ctx, GM_E_UNKNOWN,
                        "%s: which format? Files end in .csv, .tsv, .npy or .idx", path);
    GM_TRY(gm__replace_begin(ctx, path, &r, &writer));
    gm_status code = write_as(ctx, data, &writer, format);
    if (code) {
        gm__replace_abandon(r);
        return code;
    }
    return gm__replace_finish(ctx, r);
}

gm_status gm_dataset_save(gm_context *ctx, const gm_dataset *data, const char *path)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, save(ctx, data, path));
}

static gm_status write_dataset(gm_context *ctx, const gm_dataset *data, const gm_writer *writer,
                               const char *format)
{
    int known = find_format(format);
    if (!data)
        return gm__fail(ctx, GM_E_ARG, "no dataset was given");
    if (!known)
        return unknown_format(ctx, format);
    GM_TRY(gm__writer_check(ctx, writer));
    return write_as(ctx, data, writer, known);
}

gm_status gm_dataset_write(gm_context *ctx, const gm_dataset *data, const gm_writer *writer,
                           const char *format)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, write_dataset(ctx, data, writer, format));
}
