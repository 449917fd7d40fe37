/* A family of your own: a mixture of normal distributions with diagonal covariances, as a graph.
 *
 * log p(x) = logsumexp_k (log w_k + log N(x; mean_k, scale_k^2)); its gradient, training, files and
 * scaling of the columns come from the library. Run it as: own_family rows.csv drawn.csv */
#include <genmod/extend.h>
#include <genmod/genmod.h>
#include <stdio.h>

static const gm_option_row options[] = {
    {"components", GM_STAGE_BUILD, GM_INT, "8", "1..10000", 1, "normals in the mixture"},
    {0},
};

/* The parameters: means and log scales (k, d), log weights before they are normalised (k). */
typedef struct mixture {
    int64_t k, d;
    gm_node *mean, *log_scale, *weight;
} mixture;

static mixture parameters(gm_builder *b)
{
    mixture m = {.k = gm_opt_int(b, "components"), .d = gm_builder_width(b)};
    int64_t shape[2] = {m.k, m.d};
    m.mean = gm_param(b, "mean", 2, shape, GM_INIT_NORMAL, 1);
    m.log_scale = gm_param(b, "log_scale", 2, shape, GM_INIT_ZEROS, 0);
    m.weight = gm_param(b, "weight", 1, shape, GM_INIT_ZEROS, 0);
    return m;
}

/* x (batch, d) to (batch). Densities are added up in double: gm_wide. */
static gm_node *log_prob(gm_builder *b, gm_node *x)
{
    mixture m = parameters(b);
    int64_t shape[3] = {GM_BATCH, 1, m.d};
    gm_node *away = gm_sub(b, gm_reshape(b, x, 3, shape), m.mean); /* (batch, k, d) */
    gm_node *z = gm_mul(b, away, gm_exp(b, gm_neg(b, m.log_scale)));
    gm_node *log_n = gm_sub(b, gm_log_standard_normal(b, z), gm_sum_last_wide(b, m.log_scale));
    return gm_logsumexp(b, gm_add(b, log_n, gm_wide(b, gm_log_softmax(b, m.weight))));
}

/* What is drawn: a uniform number that chooses the component, and d normal ones. */
static int64_t code(gm_builder *b)
{
    return 1 + gm_builder_width(b);
}

static gm_node *base(gm_builder *b)
{
    int64_t one[2] = {GM_BATCH, 1}, rest[2] = {GM_BATCH, gm_builder_width(b)};
    gm_node *parts[2] = {gm_uniform(b, 2, one), gm_normal(b, 2, rest)};
    return gm_concat(b, 2, parts, -1);
}

/* Component j is the one with cum_(j-1) <= u < cum_j. */
static gm_node *decode(gm_builder *b, gm_node *z)
{
    mixture m = parameters(b);
    gm_node *u = gm_slice(b, z, -1, 0, 1), *normal = gm_slice(b, z, -1, 1, m.d);
    gm_node *share = gm_softmax(b, m.weight), *below = gm_cumsum(b, share, 0, 1);
    gm_node *chosen = gm_sub(b, gm_greater_equal(b, u, below),
                             gm_greater_equal(b, u, gm_add(b, below, share))); /* (batch, k) */
    gm_node *scale = gm_matmul(b, chosen, gm_exp(b, m.log_scale), 0, 0);
    return gm_add(b, gm_matmul(b, chosen, m.mean, 0, 0), gm_mul(b, scale, normal));
}

static const gm_family family = {
    .struct_size = sizeof family, .version = 1, .name = "bells", .options = options,
    .summary = "mixture of normal distributions", .log_prob_kind = GM_EXACT,
    .log_prob = log_prob, .code = code, .base = base, .decode = decode,
};

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *drawn = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    char why[512];
    if (argc != 3) {
        fputs("Usage: own_family rows.csv drawn.csv\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    int failed = gm_family_register(ctx, &family) ||
                 gm_dataset_from_csv(ctx, argv[1], NULL, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "components", 5) ||
                 gm_options_set_int(ctx, how, "steps", 4000) ||
                 gm_fit(ctx, "bells", rows, how, &model) ||
                 gm_model_sample_rows(ctx, model, 1000, NULL, how, &drawn) ||
                 gm_dataset_save(ctx, drawn, argv[2]);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    else
        printf("%lld rows drawn from five normals\n", (long long)gm_dataset_row_count(drawn));
    gm_dataset_free(drawn);
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
