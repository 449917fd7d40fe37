/* How much is lost as columns are added? Four estimators learn the same 2,000 rows of 1 to 50
 * columns, of a density whose entropy is known: the first column is normal, and each further one is
 * the absolute value of the one before, less 1, blurred by half a unit. So no row holds the next,
 * and every column adds log(0.5) + log(2 pi e) / 2 nats. What the mean log p of unseen rows lacks
 * of minus the entropy is what an estimator has not learned (the divergence KL of its density from
 * the true one). Run it as: curse_of_dimensionality out.svg */
#include <genmod/genmod.h>
#include <stdio.h>

#include "plot.h"
#include "toy.h"

enum { ROWS = 2000, HELD = 1000, MOST = 50, SIZES = 6, FAMILIES = 4 };

static const int sizes[SIZES] = {1, 2, 5, 10, 20, 50};
static const char *const families[FAMILIES] = {"kde", "mixture", "flow", "autoregressive"};
static const char *const settings[FAMILIES][6][2] = {
    {{"bandwidth", "likelihood"}},
    {{"max_components", "20"}},
    {{"coupling", "nsf"}, {"structure", "autoregressive"}, {"steps", "300"}, {"hidden", "64"}},
    {{"steps", "600"},
     {"hidden", "128"},
     {"components", "3"},
     {"dropout", "0.1"},
     {"batch", "100"}},
};
static const char *const colours[FAMILIES] = {ORANGE, GREEN, BLUE, GREY};

static double x[(ROWS + HELD) * MOST], lost[FAMILIES][SIZES];

static void draw_rows(int64_t d)
{
    uint64_t state = 1;
    int64_t i, j;

    for (i = 0; i < ROWS + HELD; i++)
        for (j = 0; j < d; j++) {
            double before = j ? x[i * d + j - 1] : 0, e = normal(&state);
            x[i * d + j] = j ? (before < 0 ? -before : before) - 1 + 0.5 * e : e;
        }
}

static double entropy(int64_t d)
{
    const double of_a_normal = 1.41893853320467274178, log_half = -0.69314718055994530942;

    return (double)d * of_a_normal + (double)(d - 1) * log_half;
}

/* What family f lacks on rows of d columns. */
static gm_status try_family(gm_context *ctx, int f, int64_t d, double *lacks)
{
    static double logp[HELD];
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    gm_status code = gm_dataset_from_f64(ctx, x, ROWS, d, 0, &rows);
    int i;

    if (!code)
        code = gm_options_create(ctx, &how);
    for (i = 0; i < 6 && !code && settings[f][i][0]; i++)
        code = gm_options_set_text(ctx, how, settings[f][i][0], settings[f][i][1]);
    if (!code)
        code = gm_options_set_int(ctx, how, "seed", 1);
    if (!code)
        code = gm_fit(ctx, families[f], rows, how, &model);
    if (!code)
        code = gm_model_log_prob_f64(ctx, model, x + ROWS * d, HELD, 0, NULL, logp);
    *lacks = -entropy(d);
    for (i = 0; i < HELD && !code; i++)
        *lacks -= logp[i] / HELD;
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    return code;
}

static int draw(const char *path)
{
    plot p;
    int f, i;

    if (plot_begin(&p, path, 610, 380))
        return 1;
    plot_panel(&p, 60, 20, 420, 300, 0, 52, 0, 20);
    for (f = 0; f < FAMILIES; f++) {
        double line[2 * SIZES];
        for (i = 0; i < SIZES; i++) {
            line[2 * i] = sizes[i];
            line[2 * i + 1] = lost[f][i];
        }
        plot_line(&p, SIZES, line, 2, colours[f]);
        plot_points(&p, SIZES, line, 3, colours[f]);
        plot_text(&p, 492, 40 + 20 * f, "start", colours[f], families[f]);
    }
    plot_axes(&p, "columns", "nats a row not learned");
    return plot_end(&p);
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_status code;
    char why[512];
    int f, i;

    if (argc != 2) {
        fprintf(stderr, "Usage: curse_of_dimensionality OUT.svg\n");
        return 2;
    }
    code = gm_context_create(NULL, &ctx);
    printf("columns   entropy");
    for (f = 0; f < FAMILIES; f++)
        printf(" %15s", families[f]);
    for (i = 0; i < SIZES && !code; i++) {
        draw_rows(sizes[i]);
        printf("\n%7d %9.3f", sizes[i], entropy(sizes[i]));
        for (f = 0; f < FAMILIES && !code; f++) {
            code = try_family(ctx, f, sizes[i], &lost[f][i]);
            printf(" %15.3f", lost[f][i]);
            fflush(stdout);
        }
    }
    printf("\n");
    if (code) {
        gm_context_error(ctx, why, sizeof why, NULL);
        fprintf(stderr, "%s\n", why);
    }
    gm_context_free(ctx);
    return code || draw(argv[1]);
}
