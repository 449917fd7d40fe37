/* A loss of your own: an autoencoder whose errors are measured by sqrt(1 + e^2) - 1: e^2 / 2 for
 * small errors and |e| for large ones, so that single wild values do not bend the code (Charbonnier
 * et al. 1994). It is a graph, one value a row; the library finds the gradient and fits.
 * Run it as: own_loss rows.csv. It prints how far rows are from their reconstructions. */
#include <genmod/extend.h>
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const gm_option_row options[] = {
    {"code", GM_STAGE_BUILD, GM_INT, "2", "1..65536", 1, "numbers that a row is squeezed into"},
    {"hidden", GM_STAGE_BUILD, GM_INTS, "32", "1..65536", 1, "widths of the hidden layers"},
    {0},
};

/* A network with the option's hidden layers and `out` columns. */
static gm_node *network(gm_builder *b, const char *body, const char *head, gm_node *x, int64_t out)
{
    const int64_t *widths;
    int32_t count = gm_opt_ints(b, "hidden", &widths);

    return gm_nn_linear(b, head, gm_nn_mlp(b, body, x, count, widths, GM_ACT_SILU), out);
}

static gm_node *encode(gm_builder *b, gm_node *x)
{
    return network(b, "encoder", "code", x, gm_opt_int(b, "code"));
}

static gm_node *decode(gm_builder *b, gm_node *z)
{
    return network(b, "decoder", "row", z, gm_builder_width(b));
}

static gm_node *loss(gm_builder *b, gm_node *x)
{
    gm_node *error = gm_sub(b, decode(b, encode(b, x)), x);                    /* (batch, d) */
    gm_node *size = gm_shift(b, gm_sqrt(b, gm_shift(b, gm_square(b, error), 1)), -1);

    return gm_sum_last_wide(b, size);                                          /* (batch) */
}

static int64_t code(gm_builder *b)
{
    return gm_opt_int(b, "code");
}

static const gm_family family = {
    .struct_size = sizeof family, .version = 1, .name = "robust-autoencoder", .options = options,
    .summary = "autoencoder that bears wild values", .loss = loss, .code = code, .encode = encode,
    .decode = decode,
};

/* The mean distance of a row from its reconstruction; negative on failure. */
static double distance(gm_context *ctx, const gm_dataset *rows, const gm_dataset *again)
{
    int64_t n = gm_dataset_row_count(rows), d = gm_dataset_column_count(rows), i, j;
    double *x = malloc((size_t)(2 * n * d + 1) * sizeof *x), sum = 0;

    if (!x || gm_dataset_read_f64(ctx, rows, 0, n, x, 0) ||
        gm_dataset_read_f64(ctx, again, 0, n, x + n * d, 0))
        sum = -1;
    for (i = 0; sum >= 0 && i < n; i++) {
        double squares = 0;
        for (j = 0; j < d; j++)
            squares += pow(x[i * d + j] - x[(n + i) * d + j], 2);
        sum += sqrt(squares) / (double)n;
    }
    free(x);
    return sum;
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *again = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    char why[512];

    if (argc != 2) {
        fputs("Usage: own_loss rows.csv\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    int failed = gm_family_register(ctx, &family) ||
                 gm_dataset_from_csv(ctx, argv[1], NULL, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_fit(ctx, family.name, rows, how, &model) ||
                 gm_model_reconstruct_rows(ctx, model, rows, NULL, how, &again);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    else
        printf("a row is %.4g from its reconstruction, on average\n", distance(ctx, rows, again));
    gm_dataset_free(again);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
