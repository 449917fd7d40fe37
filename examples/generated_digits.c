/* Digits that nobody has written, by two families, beside real ones; and how far each lies from the
 * nearest digit of the training rows: too far is no digit, too near would be learned by heart.
 * Run it as: generated_digits out.svg [digits.csv] */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"

enum { MOST = 2000, PIXELS = 64, INK = 16, DRAWN = 300, KINDS = 4, ACROSS = 13, LINES = 2 };

static const char *const name[KINDS] = {"held back", "diffusion", "vae", "pixels alone"};
static double train[MOST * PIXELS], picture[KINDS][MOST * PIXELS];
static int64_t rows_count;

static int fit_and_draw(gm_context *ctx, const char *family, const char *hidden, int64_t steps,
                        const gm_dataset *rows, double *out)
{
    gm_options *how = NULL;
    gm_model *model = NULL;
    int failed = gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", steps) ||
                 gm_options_set_int(ctx, how, "batch", 128) ||
                 gm_options_set_text(ctx, how, "hidden", hidden) ||
                 gm_fit(ctx, family, rows, how, &model) ||
                 gm_model_sample_f64(ctx, model, DRAWN, NULL, how, out);
    gm_model_free(model);
    gm_options_free(how);
    return failed;
}

/* Each pixel of another digit: what is left when nothing holds the pixels together. */
static void shuffle_pixels(double *out)
{
    int64_t i, j;

    for (i = 0; i < DRAWN; i++)
        for (j = 0; j < PIXELS; j++)
            out[i * PIXELS + j] = train[(i * 7 + j * 101) % rows_count * PIXELS + j];
}

/* The mean distance from the nearest training digit. */
static double distance(const double *x)
{
    double mean = 0;
    int64_t i, j, k;

    for (i = 0; i < DRAWN; i++) {
        double least = INFINITY;
        for (j = 0; j < rows_count; j++) {
            double sum = 0;
            for (k = 0; k < PIXELS; k++)
                sum += (x[i * PIXELS + k] - train[j * PIXELS + k]) *
                       (x[i * PIXELS + k] - train[j * PIXELS + k]);
            least = sum < least ? sum : least;
        }
        mean += sqrt(least) / DRAWN;
    }
    return mean;
}

static int draw(const char *path)
{
    plot p;
    int k, i;

    if (plot_begin(&p, path, 730, 428))
        return 1;
    for (k = 0; k < KINDS; k++) {
        plot_text(&p, 88, 62 + 104 * k, "end", "#222", name[k]);
        for (i = 0; i < ACROSS * LINES; i++)
            plot_picture(&p, 104 + 48 * (i % ACROSS), 14 + 48 * (i / ACROSS) + 104 * k, 5, 8, 8,
                         picture[k] + i * PIXELS, INK);
    }
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    const char *path = argc > 2 ? argv[2] : "examples/data/digits.csv";
    gm_context *ctx = NULL;
    gm_dataset *all = NULL, *pictures = NULL, *rows = NULL, *held = NULL;
    int64_t pixel[PIXELS], i;
    char why[512];
    int k;

    if (argc < 2) {
        fputs("Usage: generated_digits out.svg [digits.csv]\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    for (i = 0; i < PIXELS; i++)
        pixel[i] = i;
    int failed = gm_dataset_from_csv(ctx, path, NULL, &all) ||
                 gm_dataset_select(ctx, all, pixel, PIXELS, &pictures) ||
                 gm_dataset_split(ctx, pictures, 0.2, 1, &rows, &held);
    rows_count = gm_dataset_row_count(rows);
    failed = failed || gm_dataset_read_f64(ctx, rows, 0, rows_count, train, 0) ||
             gm_dataset_read_f64(ctx, held, 0, DRAWN, picture[0], 0) ||
             fit_and_draw(ctx, "diffusion", "256,256", 2500, rows, picture[1]) ||
             fit_and_draw(ctx, "vae", "256", 1500, rows, picture[2]);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        shuffle_pixels(picture[3]);
        for (k = 0; k < KINDS; k++)
            printf("%-14s %5.1f from the nearest digit of the training rows\n", name[k],
                   distance(picture[k]));
        failed = draw(argv[1]);
    }
    gm_dataset_free(held);
    gm_dataset_free(rows);
    gm_dataset_free(pictures);
    gm_dataset_free(all);
    gm_context_free(ctx);
    return failed;
}
