/* A kernel density estimate knows how well it knows: each log density comes between bounds that
 * surely hold, as near as it was asked for, and a threshold is decided as soon as they allow. Modes
 * are where rows climb to. And rows come and go without a new fit. Run it as: kde_bounds */
#include <genmod/genmod.h>
#include <stdio.h>

#include "toy.h"

enum { ROWS = 4000, SHOWN = 5, CLIMBERS = 200 };

static double train[2 * ROWS], places[2 * CLIMBERS];
static double logp[ROWS], lower[ROWS], upper[ROWS];
static int8_t above[ROWS];

/* Three heaps of unequal height. */
static void three_heaps(void)
{
    static const double middle[3][2] = {{-2, 0}, {2, 0}, {0, 3}};
    uint64_t seed = 3;
    int i, heap;

    for (i = 0; i < ROWS; i++) {
        heap = i % 6 < 3 ? 0 : i % 6 < 5 ? 1 : 2;
        train[2 * i] = middle[heap][0] + 0.5 * normal(&seed);
        train[2 * i + 1] = middle[heap][1] + 0.5 * normal(&seed);
    }
}

static gm_status show_bounds(gm_context *ctx, const gm_model *kde, const char *rtol)
{
    gm_options *how;
    gm_array x;
    gm_status status = gm_options_create(ctx, &how);
    int i, held = 1;

    gm_array_init(&x, GM_F64, train, ROWS, 2);
    if (!status)
        status = gm_options_set_text(ctx, how, "rtol", rtol);
    if (!status)
        status = gm_model_log_prob_bounds(ctx, kde, &x, NULL, how, logp, lower, upper);
    for (i = 0; i < SHOWN && !status; i++)
        printf("rtol %-6s row %d: %.7f, surely from %.7f to %.7f\n", rtol, i, logp[i], lower[i],
               upper[i]);
    for (i = 0; i < ROWS && !status; i++)
        held = held && lower[i] <= logp[i] && logp[i] <= upper[i];
    if (!status)
        printf("rtol %s: bounds %s\n", rtol, held ? "hold" : "fail");
    gm_options_free(how);
    return status;
}

static gm_status show_threshold(gm_context *ctx, const gm_model *kde, double level)
{
    gm_array x;
    gm_status status;
    int i, dense = 0;

    gm_array_init(&x, GM_F64, train, ROWS, 2);
    status = gm_kde_above(ctx, kde, &x, level, above);
    for (i = 0; i < ROWS; i++)
        dense += above[i] > 0;
    if (!status)
        printf("share above log p = %g: %.3f\n", level, (double)dense / ROWS);
    return status;
}

static gm_status show_modes(gm_context *ctx, const gm_model *kde)
{
    int64_t mode[CLIMBERS], modes = 0, k;
    gm_array x, y;
    gm_status status;
    int i, count;

    gm_array_init(&x, GM_F64, train, CLIMBERS, 2);
    gm_array_init(&y, GM_F64, places, CLIMBERS, 2);
    status = gm_kde_modes(ctx, kde, &x, 0, 0, &y, mode, &modes);
    if (!status)
        printf("modes: %d\n", (int)modes);
    for (k = 0; k < modes && !status; k++) {
        int first = -1;
        for (i = count = 0; i < CLIMBERS; i++)
            if (mode[i] == k) {
                first = first < 0 ? i : first;
                count++;
            }
        if (count > CLIMBERS / 20)
            printf("mode of %d rows: %.2f %.2f\n", count, places[2 * first], places[2 * first + 1]);
    }
    return status;
}

/* The first heap goes: what is left weighs more. */
static gm_status show_forgetting(gm_context *ctx, const gm_model *kde)
{
    static int64_t gone[ROWS];
    gm_model *left = NULL;
    gm_status status;
    double at[2] = {2, 0}, before, after;
    int64_t count = 0, i;

    for (i = 0; i < ROWS; i++)
        if (i % 6 < 3)
            gone[count++] = i;
    status = gm_kde_forget(ctx, kde, gone, count, &left);
    if (!status)
        status = gm_model_log_prob_f64(ctx, kde, at, 1, 0, NULL, &before);
    if (!status)
        status = gm_model_log_prob_f64(ctx, left, at, 1, 0, NULL, &after);
    if (!status)
        printf("density at the second heap without the first: %.3f times\n", exp(after - before));
    gm_model_free(left);
    return status;
}

int main(void)
{
    gm_context *ctx = NULL;
    gm_dataset *rows = NULL;
    gm_options *how = NULL;
    gm_model *kde = NULL;
    char why[512];
    int failed;

    three_heaps();
    if (gm_context_create(NULL, &ctx))
        return 1;
    failed = gm_dataset_from_f64(ctx, train, ROWS, 2, 0, &rows) || gm_options_create(ctx, &how) ||
             gm_options_set_int(ctx, how, "seed", 1) ||
             gm_options_set_text(ctx, how, "kernel", "biweight") ||
             gm_options_set_text(ctx, how, "bandwidth", "0.8") ||
             gm_fit(ctx, "kde", rows, how, &kde) || show_bounds(ctx, kde, "0.1") ||
             show_bounds(ctx, kde, "1e-6") || show_threshold(ctx, kde, -4) ||
             show_modes(ctx, kde) || show_forgetting(ctx, kde);
    if (failed) {
        gm_context_error(ctx, why, sizeof why, NULL);
        fprintf(stderr, "%s\n", why);
    }
    gm_model_free(kde);
    gm_options_free(how);
    gm_dataset_free(rows);
    gm_context_free(ctx);
    return failed;
}
