/* Rows that do not belong, how sure, and because of which column. The rows to learn from hold some
 * of them already: gm_fit_anomaly leaves out the least probable, gm_model_anomaly gives p-values
 * that hold for any model, gm_model_blame names the column. Run it as: odd_rows */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 2000, ASKED = 1000, ODD = 4, COLUMNS = 3, EVERY = 50 };

static double learned[ROWS * COLUMNS], asked[(ASKED + ODD) * COLUMNS];
static double score[ASKED + ODD], p_value[ASKED + ODD], blame[(ASKED + ODD) * COLUMNS];

/* The second column follows the first, the third is by itself. In an odd row one column, which
 * goes round, has a value that is usual elsewhere, or none that ever is. */
static void make_row(uint64_t *state, int odd, int column, double *x)
{
    x[0] = 2 * normal(state);
    x[1] = x[0] + 0.3 * normal(state);
    x[2] = normal(state);
    if (odd)
        x[column] += column == 2 ? 8 : x[column] > 0 ? -4 : 4;
}

static void make_rows(void)
{
    uint64_t state = 5;
    int i;

    for (i = 0; i < ROWS; i++)
        make_row(&state, i % EVERY == 0, i / EVERY % COLUMNS, learned + i * COLUMNS);
    for (i = 0; i < ASKED + ODD; i++)
        make_row(&state, i >= ASKED, (i - ASKED) % COLUMNS, asked + i * COLUMNS);
}

static gm_status ask(gm_context *ctx, const gm_dataset *rows, const gm_dataset *fresh)
{
    gm_options *how = NULL;
    gm_model *model = NULL;
    gm_status status = gm_options_create(ctx, &how);
    int i, alarms = 0;

    if (!status)
        status = gm_options_set_int(ctx, how, "seed", 1);
    if (!status)
        status = gm_fit_anomaly(ctx, "mixture", rows, how, &model);
    if (!status)
        status = gm_model_anomaly(ctx, model, fresh, NULL, how, score, p_value);
    if (!status)
        status = gm_model_blame(ctx, model, fresh, how, blame);
    for (i = 0; i < ASKED && !status; i++)
        alarms += p_value[i] <= 0.05;
    if (!status)
        printf("of usual rows %.3f have a p-value of at most 0.05\n", (double)alarms / ASKED);
    for (i = ASKED; i < ASKED + ODD && !status; i++)
        printf("odd row (%5.2f %5.2f %5.2f): p-value %.4f; blame %4.1f %4.1f %4.1f nats\n",
               asked[i * COLUMNS], asked[i * COLUMNS + 1], asked[i * COLUMNS + 2], p_value[i],
               blame[i * COLUMNS], blame[i * COLUMNS + 1], blame[i * COLUMNS + 2]);
    gm_model_free(model);
    gm_options_free(how);
    return status;
}

int main(void)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL, *fresh = NULL;
    char why[512];
    int failed;

    make_rows();
    if (gm_context_create(NULL, &ctx))
        return 1;
    failed = gm_dataset_from_f64(ctx, learned, ROWS, COLUMNS, 0, &rows) ||
             gm_dataset_from_f64(ctx, asked, ASKED + ODD, COLUMNS, 0, &fresh) ||
             ask(ctx, rows, fresh);
    if (failed) {
        gm_context_error(ctx, why, sizeof why, NULL);
        fprintf(stderr, "%s\n", why);
    }
    gm_dataset_free(rows);
    gm_dataset_free(fresh);
    gm_context_free(ctx);
    return failed;
}
