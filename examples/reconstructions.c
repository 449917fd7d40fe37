/* What a code keeps: digits that a variational autoencoder has not seen go through codes of 2, 8
 * and 32 numbers and back, by gm_model_reconstruct. Run it as: reconstructions out.svg [digits.csv]
 */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"

enum { MOST = 2000, PIXELS = 64, INK = 16, SHOWN = 12, SIZES = 3 };

static const int64_t size[SIZES] = {2, 8, 32};
static double seen[MOST * PIXELS], held[MOST * PIXELS], again[SIZES][MOST * PIXELS];

/* The root of the mean square error of a pixel, for n digits; y moves on by `stride` a digit. */
static double error(int64_t n, const double *x, const double *y, int64_t stride)
{
    double sum = 0;
    int64_t i;

    for (i = 0; i < n * PIXELS; i++)
        sum += pow(x[i] - y[i / PIXELS * stride + i % PIXELS], 2);
    return sqrt(sum / (double)(n * PIXELS));
}

static int fit_and_reconstruct(gm_context *ctx, const gm_dataset *rows, const gm_dataset *test,
                               int64_t code, double *out)
{
    gm_options *how = NULL;
    gm_model *vae = NULL;
    gm_dataset *back = NULL;
    int failed = gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "code", code) ||
                 gm_options_set_text(ctx, how, "hidden", "128") ||
                 gm_options_set_int(ctx, how, "steps", 1500) ||
                 gm_fit(ctx, "vae", rows, how, &vae) ||
                 gm_model_reconstruct_rows(ctx, vae, test, NULL, NULL, &back) ||
                 gm_dataset_read_f64(ctx, back, 0, gm_dataset_row_count(back), out, 0);
    gm_dataset_free(back);
    gm_model_free(vae);
    gm_options_free(how);
    return failed;
}

static int draw(const char *path)
{
    char text[32];
    plot p;
    int k, i;

    if (plot_begin(&p, path, 720, 230))
        return 1;
    for (k = -1; k < SIZES; k++) {
        snprintf(text, sizeof text, "%d numbers", k < 0 ? PIXELS : (int)size[k]);
        plot_text(&p, 96, 40 + 54 * (k + 1), "end", "#222", k < 0 ? "digit unseen" : text);
        for (i = 0; i < SHOWN; i++)
            plot_picture(&p, 112 + 50 * i, 14 + 54 * (k + 1), 5.5, 8, 8,
                         (k < 0 ? held : again[k]) + i * PIXELS, INK);
    }
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    const char *path = argc > 2 ? argv[2] : "examples/data/digits.csv";
    gm_context *ctx = NULL;
    gm_dataset *all = NULL, *pictures = NULL, *rows = NULL, *test = NULL;
    double mean[PIXELS] = {0};
    int64_t pixel[PIXELS], n = 0, m = 0, i;
    char why[512];
    int k;

    if (argc < 2) {
        fputs("Usage: reconstructions out.svg [digits.csv]\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    for (i = 0; i < PIXELS; i++)
        pixel[i] = i;
    int failed = gm_dataset_from_csv(ctx, path, NULL, &all) ||
                 gm_dataset_select(ctx, all, pixel, PIXELS, &pictures) ||
                 gm_dataset_split(ctx, pictures, 0.2, 1, &rows, &test);
    if (!failed) {
        n = gm_dataset_row_count(rows);
        m = gm_dataset_row_count(test);
        failed = gm_dataset_read_f64(ctx, rows, 0, n, seen, 0) ||
                 gm_dataset_read_f64(ctx, test, 0, m, held, 0);
    }
    for (i = 0; i < n * PIXELS; i++)
        mean[i % PIXELS] += seen[i] / (double)n;
    if (!failed)
        printf("the mean picture is off by %.3f a pixel, of %d\n", error(m, held, mean, 0), INK);
    for (k = 0; !failed && k < SIZES; k++) {
        failed = fit_and_reconstruct(ctx, rows, test, size[k], again[k]);
        printf("a code of %2lld numbers by   %.3f\n", (long long)size[k],
               error(m, held, again[k], PIXELS));
    }
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    failed = failed || draw(argv[1]);
    gm_dataset_free(test);
    gm_dataset_free(rows);
    gm_dataset_free(pictures);
    gm_dataset_free(all);
    gm_context_free(ctx);
    return failed;
}
