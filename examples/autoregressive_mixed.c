/* One network for any columns given any others: which kind a tree is, from how tall it is and
 * whether it has needles, from either of them, and from neither. The trees are made by a rule, so
 * that Bayes gives the right answers. */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 6000, COLUMNS = 4, ASKED = 6, KINDS = 3 };

static double made[ROWS * COLUMNS];

/* The kind sets how tall trees are and whether they keep their needles; the taller, the more nests.
 */
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

/* The probabilities of kind, height and needles, those that are known. */
static double rule(int kind, const double *x, const unsigned char *known)
{
    static const double share[KINDS] = {0.5, 0.3, 0.2}, needles[KINDS] = {0.05, 0.9, 0.9};
    double p = share[kind], z = (x[1] - 8 - 6 * kind) / (1 + kind);

    if (known[1])
        p *= exp(-0.5 * z * z) / (1 + kind);
    if (known[3])
        p *= x[3] > 0 ? needles[kind] : 1 - needles[kind];
    return p;
}

static const double asked[ASKED * COLUMNS] = {
    0, 8, 0, 0, 0, 10, 0, 0, 0, 13, 0, 1, 0, 15, 0, 1, 0, 17, 0, 1, 0, 21, 0, 1,
};

/* Prints P(kind | what is known) of each row, by the model and by Bayes; returns the worst error.
 */
static double show(gm_context *ctx, gm_conditional *law, const unsigned char *known,
                   const char *text, int *failed)
{
    double logp[KINDS][ASKED], kind[ASKED], worst = 0;
    gm_array x;
    int i, k;

    gm_array_init(&x, GM_F64, (void *)asked, ASKED, COLUMNS);
    *failed |= gm_conditional_set(ctx, law, &x, NULL, known, 0) != GM_OK;
    for (k = 0; k < KINDS && !*failed; k++) {
        for (i = 0; i < ASKED; i++)
            kind[i] = k;
        *failed |= gm_conditional_log_prob(ctx, law, 0, ASKED, kind, logp[k]) != GM_OK;
    }
    for (i = 0; i < ASKED && !*failed; i++) {
        const double *row = asked + i * COLUMNS;
        double all = rule(0, row, known) + rule(1, row, known) + rule(2, row, known);
        printf("%-20s", text);
        printf(known[1] ? " %4.0f m" : "       ", row[1]);
        printf("%-12s", !known[3] ? "" : row[3] > 0 ? ", needles" : ", none");
        for (k = 0; k < KINDS; k++) {
            double p = exp(logp[k][i]), right = rule(k, row, known) / all;
            printf("   %5.3f %5.3f", p, right);
            worst = fabs(p - right) > worst ? fabs(p - right) : worst;
        }
        printf("\n");
        if (!known[1] && !known[3])
            break; /* all rows are alike */
    }
    return worst;
}

int main(void)
{
    static const unsigned char both[COLUMNS] = {0, 1, 0, 1}, height[COLUMNS] = {0, 1, 0, 0},
                               nothing[COLUMNS] = {0};
    gm_context *ctx = NULL;
    gm_dataset *numbers = NULL, *kinds = NULL, *rows = NULL;
    gm_options *how = NULL, *fast = NULL;
    gm_optimizer *adam = NULL;
    gm_model *model = NULL;
    gm_conditional *law = NULL;
    char why[512];
    double worst = 0, off;

    if (gm_context_create(NULL, &ctx))
        return 2;
    grow();
    int failed = gm_dataset_from_f64(ctx, made, ROWS, COLUMNS, 0, &numbers) ||
                 gm_dataset_with_type(ctx, numbers, 0, GM_COLUMN_CATEGORY, 0, &kinds) ||
                 gm_dataset_with_type(ctx, kinds, 3, GM_COLUMN_BINARY, 0, &rows) ||
                 gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
                 gm_options_set_int(ctx, how, "steps", 6000) ||
                 gm_options_set_text(ctx, how, "hidden", "64,64") ||
                 gm_options_set_text(ctx, how, "any_order", "true") ||
                 gm_options_create(ctx, &fast) || gm_options_set_text(ctx, fast, "lr", "0.005") ||
                 gm_optimizer_create(ctx, "adam", fast, &adam);
    if (!failed) {
        gm_fit_config config = {
            .struct_size = sizeof config, .train = rows, .options = how, .optimizer = adam};
        failed = gm_fit_with(ctx, "autoregressive", &config, &model) ||
                 gm_conditional_create(ctx, model, NULL, &law);
    }
    if (!failed) {
        printf("%-39s%14s%14s%14s\n", "P(kind | what is known), true beside it", "birch", "pine",
               "spruce");
        worst = show(ctx, law, both, "height and needles", &failed);
        off = show(ctx, law, height, "height alone", &failed);
        worst = off > worst ? off : worst;
        off = show(ctx, law, nothing, "nothing", &failed);
        worst = off > worst ? off : worst;
        printf("the worst probability is %.3f off\n", worst);
    }
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_conditional_free(law);
    gm_model_free(model);
    gm_optimizer_free(adam);
    gm_options_free(fast);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(kinds);
    gm_dataset_free(numbers);
    gm_context_free(ctx);
    return failed;
}
