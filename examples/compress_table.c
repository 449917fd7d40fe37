/* Compresses a table by a model of it, and says what that took: the archive, with and without the
 * model's own file, against the table's text.
 *
 *     compress_table [table.csv] */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(gm_context *ctx)
{
    char text[512];

    gm_context_error(ctx, text, sizeof text, NULL);
    fprintf(stderr, "%s\n", text);
    return 1;
}

/* Counts bytes, and keeps none. */
static int32_t count_bytes(void *user, const void *bytes, int64_t size)
{
    (void)bytes;
    *(int64_t *)user += size;
    return 0;
}

/* A table of a small wave: whole numbers, two decimals, and names. */
static gm_status make_rows(gm_context *ctx, gm_dataset **rows)
{
    enum { N = 4000 };
    static const char *const names[] = {"down", "up"};
    const char *const *const categories[] = {NULL, NULL, names};
    gm_column columns[3] = {
        {.struct_size = sizeof(gm_column), .type = GM_COLUMN_INTEGER, .name = "step"},
        {.struct_size = sizeof(gm_column), .type = GM_COLUMN_REAL, .name = "height"},
        {.struct_size = sizeof(gm_column),
         .type = GM_COLUMN_BINARY,
         .name = "way",
         .categories = 2}};
    static double cells[N * 3];
    uint32_t noise = 1;
    int i;

    for (i = 0; i < N; i++) {
        int step = i % 40, cents = step * (40 - step) / 2;
        noise = noise * 1664525u + 1013904223u;
        cells[3 * i] = step;
        cells[3 * i + 1] = (cents + (int)(noise >> 28)) / 100.0;
        cells[3 * i + 2] = step < 20;
    }
    return gm_dataset_from_columns(ctx, columns, categories, 3, cells, N, 0, NULL, rows);
}

static gm_status fit(gm_context *ctx, const gm_dataset *rows, gm_model **model)
{
    gm_options *how = NULL;
    gm_status status = gm_options_create(ctx, &how);

    if (!status)
        status = gm_options_set_int(ctx, how, "seed", 1);
    if (!status)
        status = gm_options_set_int(ctx, how, "steps", 400);
    if (!status)
        status = gm_options_set_text(ctx, how, "hidden", "64");
    if (!status)
        status = gm_fit(ctx, "autoregressive", rows, how, model);
    gm_options_free(how);
    return status;
}

/* There and back, with figures. */
static gm_status show(gm_context *ctx, const gm_dataset *rows, const gm_model *model)
{
    gm_compression told = {.struct_size = sizeof told};
    int64_t length = 0, text = 0, file = 0;
    gm_writer writer = {.struct_size = sizeof writer, .user = &text, .write = count_bytes};
    gm_dataset *back = NULL;
    void *archive = NULL;
    gm_status status = gm_compress_memory(ctx, model, rows, NULL, NULL, 0, &length, &told);

    if (!status)
        archive = malloc((size_t)length);
    if (!status)
        status = gm_compress_memory(ctx, model, rows, NULL, archive, archive ? length : 0, &length,
                                    &told);
    if (!status)
        status = gm_decompress_memory(ctx, model, archive, length, NULL, &back);
    if (!status)
        status = gm_dataset_write(ctx, back, &writer, "csv");
    writer.user = &file;
    if (!status)
        status = gm_model_write(ctx, model, &writer);
    if (!status)
        printf(
            "%lld rows: %lld bytes of text, %lld of archive (the model's -log2 p: %.0f), %lld with "
            "the model\n",
            (long long)told.rows, (long long)text, (long long)told.bytes, told.model_bits / 8,
            (long long)(told.bytes + file));
    gm_dataset_free(back);
    free(archive);
    return status;
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_model *model = NULL;
    gm_status status;
    int result = 0;

    if (gm_context_create(NULL, &ctx))
        return 1;
    status = argc > 1 ? gm_dataset_from_csv(ctx, argv[1], NULL, &rows) : make_rows(ctx, &rows);
    if (!status)
        status = fit(ctx, rows, &model);
    if (!status)
        status = show(ctx, rows, model);
    if (status)
        result = failed(ctx);
    gm_model_free(model);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return result;
}
