/* A map of handwritten digits: a variational autoencoder squeezes 64 pixels into a code of two
 * numbers. Left, where digits lie by their codes (the model never saw what they are); right, what
 * each place of the map is decoded to. Run it as: digit_map out.svg [digits.csv] */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot.h"

enum { MOST = 2000, PIXELS = 64, INK = 16, ACROSS = 13, GRID = ACROSS * ACROSS };
#define REACH 2.6 /* of the map, from its middle */

static double digit[MOST * (PIXELS + 1)], code[2 * MOST], place[2 * GRID], decoded[GRID * PIXELS];

static const char *const colour[10] = {"#1f6fb4", "#e07b1a", "#2f9e44", "#d1353b", "#8657b5",
                                       "#8a5a44", "#d667b0", "#6b6b6b", "#9a9a1c", "#12a5b8"};

static int label(int64_t i)
{
    return (int)digit[i * (PIXELS + 1) + PIXELS];
}

/* How often the digit with the nearest code is the same: 0.1 by chance. */
static double neighbours_agree(int64_t n)
{
    int64_t i, j, right = 0;

    for (i = 0; i < n; i++) {
        int64_t nearest = -1;
        double least = 0;
        for (j = 0; j < n; j++) {
            double x = code[2 * j] - code[2 * i], y = code[2 * j + 1] - code[2 * i + 1];
            if (j != i && (nearest < 0 || x * x + y * y < least)) {
                nearest = j;
                least = x * x + y * y;
            }
        }
        right += label(nearest) == label(i);
    }
    return (double)right / (double)n;
}

static int draw(const char *path, int64_t n)
{
    plot p;
    int64_t i;
    int k;

    if (plot_begin(&p, path, 900, 470))
        return 1;
    plot_panel(&p, 60, 34, 390, 390, -REACH, REACH, -REACH, REACH);
    plot_title(&p, "digits at their codes");
    for (k = 0; k < 10; k++) {
        fprintf(p.file, "<g fill=\"%s\" font-size=\"9\" text-anchor=\"middle\">\n", colour[k]);
        for (i = 0; i < n; i++)
            if (label(i) == k && plot_holds(&p, code[2 * i], code[2 * i + 1]))
                fprintf(p.file, "<text x=\"%.1f\" y=\"%.1f\">%d</text>\n", plot_x(&p, code[2 * i]),
                        plot_y(&p, code[2 * i + 1]) + 3, k);
        fputs("</g>\n", p.file);
    }
    plot_axes(&p, "z1", "z2");
    plot_panel(&p, 490, 34, 390, 390, 0, ACROSS, 0, ACROSS);
    plot_title(&p, "what the places decode to");
    for (i = 0; i < GRID; i++)
        plot_picture(&p, 490 + 30 * (double)(i % ACROSS), 34 + 30 * (double)(i / ACROSS), 3.5, 8, 8,
                     decoded + i * PIXELS, INK);
    return plot_end(&p);
}

/* Codes of all rows, and pictures of a grid, from the upper left. */
static gm_status ask(gm_context *ctx, const gm_model *vae, const gm_dataset *rows)
{
    int64_t n = gm_dataset_row_count(rows), i;
    gm_array z, grid, x;
    gm_status status;

    for (i = 0; i < GRID; i++) {
        place[2 * i] = REACH * (2 * (double)(i % ACROSS) + 1 - ACROSS) / ACROSS;
        place[2 * i + 1] = -REACH * (2 * (double)(i / ACROSS) + 1 - ACROSS) / ACROSS;
    }
    gm_array_init(&z, GM_F64, code, n, 2);
    gm_array_init(&grid, GM_F64, place, GRID, 2);
    gm_array_init(&x, GM_F64, decoded, GRID, PIXELS);
    status = gm_dataset_read_f64(ctx, rows, 0, n, digit, 0);
    if (!status)
        status = gm_model_encode_rows(ctx, vae, rows, NULL, NULL, &z);
    return status ? status : gm_model_decode(ctx, vae, &grid, NULL, NULL, &x);
}

int main(int argc, char **argv)
{
    const char *path = argc > 2 ? argv[2] : "examples/data/digits.csv";
    gm_context *ctx = NULL;
    gm_dataset *all = NULL, *rows = NULL;
    gm_options *how = NULL;
    gm_model *vae = NULL;
    char why[512];

    if (argc < 2) {
        fputs("Usage: digit_map out.svg [digits.csv]\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    int failed = gm_dataset_from_csv(ctx, path, NULL, &all) ||
                 gm_dataset_with_role(ctx, all, PIXELS, GM_ROLE_LABEL, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "code", 2) ||
                 gm_options_set_text(ctx, how, "hidden", "128,64") ||
                 gm_options_set_int(ctx, how, "steps", 3000) ||
                 gm_fit(ctx, "vae", rows, how, &vae) || ask(ctx, vae, rows);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed) {
        printf("the nearest digit on the map is the same one for %.3f of them\n",
               neighbours_agree(gm_dataset_row_count(rows)));
        failed = draw(argv[1], 900);
    }
    gm_model_free(vae);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(all);
    gm_context_free(ctx);
    return failed;
}
