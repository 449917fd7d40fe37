/* A table as tables are: measures, counts, yes or no, names. A flow learns it whole and draws rows
 * of the same kinds, with what holds between the columns. Run it as: mixed_columns drawn.csv */
#include <genmod/genmod.h>
#include <stdio.h>
#include <string.h>

#include "toy.h"

enum { ROWS = 3000, DRAWN = 5000, COLUMNS = 4 };

static double made[ROWS * COLUMNS], drawn[DRAWN * COLUMNS];

/* Trees: the kind sets how tall they are and whether they keep their needles; the taller, the more
 * nests. */
static void grow(void)
{
    uint64_t state = 1;
    double *x;

    for (x = made; x < made + ROWS * COLUMNS; x += COLUMNS) {
        double u = uniform(&state);
        x[0] = u < 0.5 ? 0 : u < 0.8 ? 1 : 2;
        x[1] = round_off(8 + 6 * x[0] + (1 + x[0]) * normal(&state));
        x[2] = floor(x[1] / 5 * uniform(&state));
        x[3] = uniform(&state) < (x[0] > 0 ? 0.9 : 0.05);
    }
}

static char text[ROWS * 48];

/* The table as CSV, which has names for the kinds. */
static void write_text(void)
{
    static const char *const kind[] = {"birch", "pine", "spruce"};
    char *end = text + sprintf(text, "kind,metres,nests,needles\n");
    const double *x;

    for (x = made; x < made + ROWS * COLUMNS; x += COLUMNS)
        end += sprintf(end, "%s,%.17g,%.0f,%s\n", kind[(int)x[0]], x[1], x[2],
                       x[3] > 0 ? "yes" : "no");
}

static int64_t read_text(void *user, void *to, int64_t size)
{
    const char **at = user;
    int64_t left = (int64_t)strlen(*at), count = size < left ? size : left;

    memcpy(to, *at, (size_t)count);
    *at += count;
    return count;
}

static void show(const gm_dataset *rows)
{
    int k, c;
    int64_t i;

    printf("%-8s%22s%18s%18s%18s\n", "kind", "share", "metres", "nests", "needles");
    for (k = 0; k < 3; k++) {
        double sum[2][COLUMNS] = {{0}}, share[2];
        for (c = 0; c < 2; c++) {
            const double *x = c ? drawn : made;
            int64_t n = c ? DRAWN : ROWS, j;
            for (i = 0; i < n; i++)
                for (j = 0; x[i * COLUMNS] == k && j < COLUMNS; j++)
                    sum[c][j] += j ? x[i * COLUMNS + j] : 1;
            share[c] = sum[c][0] / (double)n;
        }
        printf("%-8s%14.3f %7.3f", gm_dataset_category(rows, 0, k), share[0], share[1]);
        for (c = 1; c < COLUMNS; c++)
            printf("   %7.2f %7.2f", sum[0][c] / sum[0][0], sum[1][c] / sum[1][0]);
        printf("\n");
    }
    printf("left: the mean of the trees that were given; right: of those drawn\n");
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *more = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    const char *at = text;
    gm_reader reader = {.struct_size = sizeof reader, .user = &at, .read = read_text};
    char why[512];

    if (argc != 2) {
        fputs("Usage: mixed_columns drawn.csv\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    grow();
    write_text();
    int failed =
        gm_dataset_from_reader(ctx, &reader, "csv", "trees", NULL, &rows) ||
        gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
        gm_options_set_int(ctx, how, "steps", 800) ||
        gm_options_set_text(ctx, how, "hidden", "64,64") || gm_fit(ctx, "flow", rows, how, &flow) ||
        gm_model_sample_rows(ctx, flow, DRAWN, NULL, how, &more) ||
        gm_dataset_read_f64(ctx, more, 0, DRAWN, drawn, 0) || gm_dataset_save(ctx, more, argv[1]);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed)
        show(more);
    gm_dataset_free(more);
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
