/* From one digit to another. Mixing pixels shows both digits at once; a straight line between their
 * codes, decoded, keeps nearer to shapes that digits have. For each pair the upper line mixes
 * pixels, the lower one codes. Run it as: interpolation out.svg [digits.csv] */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"

enum { MOST = 2000, PIXELS = 64, INK = 16, CODE = 8, PAIRS = 4, ACROSS = 11, WAY = PAIRS * ACROSS };

static double digit[MOST * PIXELS], ends[2 * PAIRS * PIXELS], code[2 * PAIRS * CODE];
static double between[WAY * CODE], by_code[WAY * PIXELS], by_pixel[WAY * PIXELS];

/* (1 - part) a + part b of each pair, at ACROSS places. */
static void mix(const double *pair, int64_t width, double *way)
{
    int64_t i, j;

    for (i = 0; i < WAY; i++)
        for (j = 0; j < width; j++) {
            const double *a = pair + i / ACROSS * 2 * width;
            double part = (double)(i % ACROSS) / (ACROSS - 1);
            way[i * width + j] = (1 - part) * a[j] + part * a[width + j];
        }
}

/* How far the middles of the ways are from the nearest real digit, on average. */
static double distance(const double *way, int64_t n)
{
    double mean = 0;
    int64_t w, i, j;

    for (w = 0; w < PAIRS; w++) {
        double least = INFINITY;
        for (i = 0; i < n; i++) {
            double sum = 0;
            for (j = 0; j < PIXELS; j++)
                sum += pow(way[(w * ACROSS + ACROSS / 2) * PIXELS + j] - digit[i * PIXELS + j], 2);
            least = sum < least ? sum : least;
        }
        mean += sqrt(least) / PAIRS;
    }
    return mean;
}

static gm_status walk(gm_context *ctx, const gm_model *vae)
{
    static const int first[2 * PAIRS] = {0, 1, 13, 4, 15, 6, 7, 8}; /* rows of the file */
    gm_array x, z;
    gm_status status;
    int64_t i;

    for (i = 0; i < 2 * PAIRS * PIXELS; i++)
        ends[i] = digit[first[i / PIXELS] * PIXELS + i % PIXELS];
    gm_array_init(&x, GM_F64, ends, 2 * PAIRS, PIXELS);
    gm_array_init(&z, GM_F64, code, 2 * PAIRS, CODE);
    status = gm_model_encode(ctx, vae, &x, NULL, NULL, &z);
    mix(ends, PIXELS, by_pixel);
    mix(code, CODE, between);
    gm_array_init(&z, GM_F64, between, WAY, CODE);
    gm_array_init(&x, GM_F64, by_code, WAY, PIXELS);
    return status ? status : gm_model_decode(ctx, vae, &z, NULL, NULL, &x);
}

static int draw(const char *path)
{
    plot p;
    int i;

    if (plot_begin(&p, path, 650, 464))
        return 1;
    for (i = 0; i < WAY; i++) {
        double left = 72 + 52 * (i % ACROSS), top = 14 + 112 * (i / ACROSS);
        if (i % ACROSS == 0) {
            plot_text(&p, 60, top + 26, "end", "#222", "pixels");
            plot_text(&p, 60, top + 78, "end", "#222", "codes");
        }
        plot_picture(&p, left, top, 5.5, 8, 8, by_pixel + i * PIXELS, INK);
        plot_picture(&p, left, top + 50, 5.5, 8, 8, by_code + i * PIXELS, INK);
    }
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    const char *path = argc > 2 ? argv[2] : "examples/data/digits.csv";
    gm_context *ctx = NULL;
    gm_dataset *all = NULL, *rows = NULL;
    gm_options *how = NULL;
    gm_model *vae = NULL;
    int64_t pixel[PIXELS], i;
    char why[512];

    if (argc < 2) {
        fputs("Usage: interpolation out.svg [digits.csv]\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    for (i = 0; i < PIXELS; i++)
        pixel[i] = i;
    int failed = gm_dataset_from_csv(ctx, path, NULL, &all) ||
                 gm_dataset_select(ctx, all, pixel, PIXELS, &rows) ||
                 gm_dataset_read_f64(ctx, rows, 0, gm_dataset_row_count(rows), digit, 0) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "code", CODE) ||
                 gm_options_set_text(ctx, how, "hidden", "128") ||
                 gm_options_set_int(ctx, how, "steps", 2000) ||
                 gm_fit(ctx, "vae", rows, how, &vae) || walk(ctx, vae);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        printf(
            "half way, the nearest real digit is at a distance of %.1f by pixels, %.1f by codes\n",
            distance(by_pixel, gm_dataset_row_count(rows)),
            distance(by_code, gm_dataset_row_count(rows)));
        failed = draw(argv[1]);
    }
    gm_model_free(vae);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(all);
    gm_context_free(ctx);
    return failed;
}
