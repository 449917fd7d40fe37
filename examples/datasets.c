/* Where rows come from: memory, a callback, and files of the three kinds. A table of flowers made
 * here goes through each, and the library says what it found in every column. Run it as: datasets
 * DIRECTORY, where it leaves flowers.csv, flowers.npy and flowers.idx */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 200 };

static const char *const type_name[] = {"",         "real",    "integer", "binary",
                                        "category", "ordered", "circular"};

/* Rows as a host's own store would give them; columns: height, petals, scented, kind, hour. */
static int32_t read_rows(void *user, int64_t first, int64_t count, double *out)
{
    int64_t i;

    for (i = first; i < first + count; i++, out += 5) {
        uint64_t state = *(const uint64_t *)user + (uint64_t)i * 1000003;
        double kind = floor(3 * uniform(&state));
        out[0] = round_off(20 + 10 * kind + 2 * normal(&state));
        out[1] = 4 + kind + floor(2 * uniform(&state));
        out[2] = uniform(&state) < 0.3;
        out[3] = kind;
        out[4] = round_off(24 * uniform(&state));
    }
    return 0;
}

static void show(gm_context *ctx, const char *way, const gm_dataset *rows)
{
    gm_column c = {.struct_size = sizeof c};
    int64_t i;

    printf("%s: %lld rows\n", way, (long long)gm_dataset_row_count(rows));
    for (i = 0; !gm_dataset_column(ctx, rows, i, &c); i++) {
        printf("    %-8s %-8s", *c.name ? c.name : "-", type_name[c.type]);
        if (c.categories)
            printf(" %lld: %s, %s ...\n", (long long)c.categories, gm_dataset_category(rows, i, 0),
                   gm_dataset_category(rows, i, 1));
        else
            printf(" %g to %g, step %g, period %g\n", c.low, c.high, c.resolution, c.period);
    }
}

/* A file of text as someone may send it: names, kinds as words. */
static int write_csv(const char *path, const double *x)
{
    static const char *const kind[] = {"daisy", "lily", "rose"};
    FILE *file = fopen(path, "w");
    int i;

    if (!file)
        return 1;
    fputs("height,petals,scented,kind,hour\n", file);
    for (i = 0; i < ROWS; i++, x += 5)
        fprintf(file, "%g,%g,%s,%s,%g\n", x[0], x[1], x[2] > 0 ? "yes" : "no", kind[(int)x[3]],
                x[4]);
    return fclose(file);
}

/* The number of a column is from 0; its view shares the cells. */
static gm_status retype(gm_context *ctx, gm_dataset **rows, int64_t column, int32_t type,
                        double period)
{
    gm_dataset *view;
    gm_status status = gm_dataset_with_type(ctx, *rows, column, type, period, &view);

    if (!status) {
        gm_dataset_free(*rows);
        *rows = view;
    }
    return status;
}

int main(int argc, char **argv)
{
    static double x[ROWS * 5];
    uint64_t seed = 1;
    gm_source source = {
        .struct_size = sizeof source, .user = &seed, .rows = ROWS, .columns = 5, .read = read_rows};
    gm_context *ctx = NULL;
    gm_dataset *rows[5] = {0};
    gm_options *how = NULL;
    char csv[512], npy[512], idx[512], why[512];
    int i;

    if (argc != 2) {
        fputs("Usage: datasets DIRECTORY\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    snprintf(csv, sizeof csv, "%s/flowers.csv", argv[1]);
    snprintf(npy, sizeof npy, "%s/flowers.npy", argv[1]);
    snprintf(idx, sizeof idx, "%s/flowers.idx", argv[1]);
    read_rows(&seed, 0, ROWS, x);
    int failed = gm_dataset_from_f64(ctx, x, ROWS, 5, 0, &rows[0]) ||
                 gm_dataset_from_source(ctx, &source, &rows[1]) ||
                 retype(ctx, &rows[1], 3, GM_COLUMN_CATEGORY, 0) ||
                 retype(ctx, &rows[1], 4, GM_COLUMN_CIRCULAR, 24) || write_csv(csv, x) ||
                 gm_options_create(ctx, &how) ||
                 gm_options_set_text(ctx, how, "types", "hour:circular(24)") ||
                 gm_dataset_from_csv(ctx, csv, how, &rows[2]) ||
                 gm_dataset_save(ctx, rows[0], npy) || gm_dataset_save(ctx, rows[0], idx) ||
                 gm_dataset_from_npy(ctx, npy, &rows[3]) || gm_dataset_from_idx(ctx, idx, &rows[4]);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    for (i = 0; !failed && i < 5; i++) {
        static const char *const way[] = {"memory", "callback, two columns said", "CSV", "NPY",
                                          "IDX"};
        show(ctx, way[i], rows[i]);
    }
    for (i = 0; i < 5; i++)
        gm_dataset_free(rows[i]);
    gm_options_free(how);
    gm_context_free(ctx);
    return failed;
}
