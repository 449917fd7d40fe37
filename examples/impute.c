/* Missing cells. A mixture learns heights and weights; then it tells the weight of a person whose
 * height alone is known: the most likely one, a spread, draws, and how probable a range is. */
#include <genmod/genmod.h>
#include <math.h>
#include <stdio.h>

enum { ROWS = 4000 };

static double person[2 * ROWS];

/* Heights are normal, 170 cm and 8; weights 0.9 kg a centimetre, and 6 beside. */
static void make_rows(void)
{
    uint64_t state = 1;
    int64_t i, k;

    for (i = 0; i < ROWS; i++) {
        double z[2] = {-6, -6};
        for (k = 0; k < 24; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            z[k % 2] += (double)(state >> 40) / 16777216;
        }
        person[2 * i] = 170 + 8 * z[0];
        person[2 * i + 1] = 70 + 0.9 * 8 * z[0] + 6 * z[1];
    }
}

static gm_status ask(gm_context *ctx, const gm_model *model, const gm_options *how)
{
    const unsigned char known[2] = {1, 0};
    double gap[2] = {185, NAN}, row[2] = {185, NAN}, drawn[2] = {185, NAN};
    double tenth[2] = {0.1, 0.9}, weight[2], low[2] = {180, 90}, high[2] = {INFINITY, INFINITY};
    double p, error, both[4] = {185, NAN, 185, NAN};
    gm_array x, y, two, from, to;
    gm_options *mean = NULL;

    gm_array_init(&x, GM_F64, gap, 1, 2);
    gm_array_init(&y, GM_F64, row, 1, 2);
    gm_array_init(&two, GM_F64, both, 2, 2);
    gm_array_init(&from, GM_F64, low, 1, 2);
    gm_array_init(&to, GM_F64, high, 1, 2);
    gm_status status = gm_options_create(ctx, &mean);
    if (!status)
        status = gm_options_set_text(ctx, mean, "how", "mean");
    if (!status)
        status = gm_model_impute(ctx, model, &x, NULL, mean, &y);
    gm_options_free(mean);
    if (status)
        return status;
    printf("of 185 cm: %.1f kg on average", row[1]);
    gm_array_init(&y, GM_F64, drawn, 1, 2);
    status = gm_model_impute(ctx, model, &x, NULL, how, &y);
    if (!status)
        status = gm_model_quantile(ctx, model, 1, 2, &two, known, NULL, NULL, tenth, weight);
    if (!status)
        status = gm_model_range_prob(ctx, model, &from, &to, NULL, how, &p, &error);
    if (!status)
        printf(", one draw %.1f, eight in ten from %.1f to %.1f\n"
               "over 180 cm and 90 kg: %.4f +- %.4f of all\n",
               drawn[1], weight[0], weight[1], p, error);
    return status;
}

int main(void)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *model = NULL;
    char why[512];

    if (gm_context_create(NULL, &ctx))
        return 2;
    make_rows();
    int failed = gm_dataset_from_f64(ctx, person, ROWS, 2, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_fit(ctx, "mixture", rows, how, &model) || ask(ctx, model, how);
    if (failed) {
        gm_context_error(ctx, why, sizeof why, NULL);
        fprintf(stderr, "%s\n", why);
    }
    gm_model_free(model);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed != 0;
}
