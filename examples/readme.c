#include <genmod/genmod.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *first = NULL, *drawn = NULL;
    gm_options *how = NULL;
    gm_model *flow = NULL;
    double logp;

    if (argc != 3) {
        fputs("Usage: readme rows.csv drawn.csv\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    int failed = gm_dataset_from_csv(ctx, argv[1], NULL, &rows) || gm_options_create(ctx, &how) ||
                 gm_options_set_int(ctx, how, "seed", 7) ||
                 gm_options_set_int(ctx, how, "epochs", 20) ||
                 gm_fit(ctx, "flow", rows, how, &flow) ||
                 gm_dataset_take(ctx, rows, (const int64_t[]){0}, 1, &first) ||
                 gm_model_log_prob_rows(ctx, flow, first, NULL, how, &logp, NULL) ||
                 gm_model_sample_rows(ctx, flow, 10, NULL, how, &drawn) ||
                 gm_dataset_save(ctx, drawn, argv[2]);
    char why[512];
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    else
        printf("first row: %.3f nats; ten more like these are in %s\n", logp, argv[2]);
    gm_dataset_free(drawn);
    gm_dataset_free(first);
    gm_model_free(flow);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
