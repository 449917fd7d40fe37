/* A table that looks like another: incomes, ages and regions, each column of a shape of its own and
 * all of them tied together. A copula learns both apart; its draws are written as a file. Run it
 * as: copula_table drawn.csv */
#include <genmod/genmod.h>
#include <stdio.h>
#include <stdlib.h>

#include "toy.h"

enum { ROWS = 3000, COLUMNS = 3, REGIONS = 3 };

static const char *const names[COLUMNS] = {"income", "age", "region"};
static double real[ROWS * COLUMNS], drawn[ROWS * COLUMNS];

static void make_table(void)
{
    uint64_t state = 3;
    int i;

    for (i = 0; i < ROWS; i++) {
        double skill = normal(&state), years = 0.6 * skill + 0.8 * normal(&state);
        double place = 0.5 * skill + 0.87 * normal(&state), *row = real + i * COLUMNS;
        row[0] = round_off(20 * exp(0.6 * skill)); /* a long tail */
        row[1] = round_off(25 + 40 / (1 + exp(-years)));
        row[2] = place < -0.4 ? 0 : place < 0.8 ? 1 : 2;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The share of a column that lies below a value. */
static double place_of(const double *sorted, double value)
{
    int low = 0, high = ROWS;

    while (low < high) {
        int between = (low + high) / 2;
        if (sorted[between] < value)
            low = between + 1;
        else
            high = between;
    }
    return (double)low / ROWS;
}

/* Spearman's: the correlation of the ranks of two columns. */
static double rank_correlation(const double *table, int a, int b)
{
    static double sorted[2][ROWS];
    double sum[2] = {0}, square[2] = {0}, cross = 0;
    int i, k;

    for (i = 0; i < ROWS; i++) {
        sorted[0][i] = table[i * COLUMNS + a];
        sorted[1][i] = table[i * COLUMNS + b];
    }
    qsort(sorted[0], ROWS, sizeof(double), by_value);
    qsort(sorted[1], ROWS, sizeof(double), by_value);
    for (i = 0; i < ROWS; i++) {
        double rank[2];
        rank[0] = place_of(sorted[0], table[i * COLUMNS + a]);
        rank[1] = place_of(sorted[1], table[i * COLUMNS + b]);
        for (k = 0; k < 2; k++) {
            sum[k] += rank[k] / ROWS;
            square[k] += rank[k] * rank[k] / ROWS;
        }
        cross += rank[0] * rank[1] / ROWS;
    }
    return (cross - sum[0] * sum[1]) /
           sqrt((square[0] - sum[0] * sum[0]) * (square[1] - sum[1] * sum[1]));
}

/* The value that a share of a column lies below. */
static double quantile(const double *table, int column, double below)
{
    static double sorted[ROWS];
    int i;

    for (i = 0; i < ROWS; i++)
        sorted[i] = table[i * COLUMNS + column];
    qsort(sorted, ROWS, sizeof(double), by_value);
    return sorted[(int)(below * (ROWS - 1))];
}

static double share_of(const double *table, int region)
{
    int i, count = 0;

    for (i = 0; i < ROWS; i++)
        count += table[i * COLUMNS + 2] == region;
    return (double)count / ROWS;
}

static void report(void)
{
    static const double at[] = {0.05, 0.5, 0.95};
    int j, k;

    printf("%-24s %8s %8s\n", "", "real", "drawn");
    for (j = 0; j < 2; j++)
        for (k = 0; k < 3; k++)
            printf("%-8s quantile %.2f   %8.1f %8.1f\n", names[j], at[k], quantile(real, j, at[k]),
                   quantile(drawn, j, at[k]));
    for (k = 0; k < REGIONS; k++)
        printf("region %d, share          %8.3f %8.3f\n", k, share_of(real, k), share_of(drawn, k));
    for (j = 0; j < COLUMNS; j++)
        printf("%-7s %-7s ranks   %8.2f %8.2f\n", names[j], names[(j + 1) % COLUMNS],
               rank_correlation(real, j, (j + 1) % COLUMNS),
               rank_correlation(drawn, j, (j + 1) % COLUMNS));
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    gm_dataset *table = NULL, *typed = NULL, *rows = NULL;
    gm_options *how = NULL;
    gm_model *copula = NULL;
    char why[512];
    int failed;

    if (argc != 2) {
        fputs("Usage: copula_table drawn.csv\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    make_table();
    failed = gm_dataset_from_f64(ctx, real, ROWS, COLUMNS, 0, &table) ||
             gm_dataset_with_type(ctx, table, 2, GM_COLUMN_CATEGORY, 0, &typed) ||
             gm_options_create(ctx, &how) || gm_options_set_int(ctx, how, "seed", 1) ||
             gm_fit(ctx, "copula", typed, how, &copula) ||
             gm_model_sample_f64(ctx, copula, ROWS, NULL, how, drawn) ||
             gm_model_sample_rows(ctx, copula, ROWS, NULL, how, &rows) ||
             gm_dataset_save(ctx, rows, argv[1]);
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    if (!failed)
        report();
    gm_model_free(copula);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_dataset_free(typed);
    gm_dataset_free(table);
    gm_context_free(ctx);
    return failed;
}
