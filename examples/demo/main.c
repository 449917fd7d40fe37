/* Draws the pictures and writes the page of make demo: MODEL DIGITS.csv LOG.csv FOLDER.
 * It asks a model that "genmod fit" made, by the public calls. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

static const cli_option options[] = {TOOL_HELP_OPTION, {0}};

/* ---- The data and what the model says of it -------------------------------------------------- */

static int read_digits(demo *d, const char *path)
{
    gm_dataset *all = NULL;
    int64_t pixels[PIXELS], i;
    int status = tool_read_plain(&d->t, path, &all);

    for (i = 0; i < PIXELS; i++)
        pixels[i] = i;
    if (!status && gm_dataset_select(d->t.ctx, all, pixels, PIXELS, &d->digits))
        status = tool_failed(&d->t);
    gm_dataset_free(all);
    if (status)
        return status;
    d->n = gm_dataset_row_count(d->digits);
    d->x = tool_doubles(d->n, PIXELS);
    if (!d->x)
        return TOOL_FAILED;
    if (gm_dataset_read_f64(d->t.ctx, d->digits, 0, d->n, d->x, 0))
        return tool_failed(&d->t);
    return TOOL_OK;
}

static int score_digits(demo *d)
{
    gm_options *how = NULL;
    int status = tool_options(&d->t, "log_prob", NULL, &how);

    d->logp = tool_doubles(d->n, 1);
    if (!d->logp)
        status = TOOL_FAILED;
    if (!status && gm_model_log_prob_rows(d->t.ctx, d->model, d->digits, NULL, how, d->logp))
        status = tool_failed(&d->t);
    gm_options_free(how);
    return status;
}

typedef struct ranked {
    double logp;
    int64_t row;
} ranked;

static int higher_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->logp != y->logp)
        return x->logp < y->logp ? 1 : -1;
    return x->row < y->row ? -1 : 1;
}

static int rank_digits(demo *d)
{
    ranked *list = malloc((size_t)d->n * sizeof *list);
    int64_t i;

    d->rank = malloc((size_t)d->n * sizeof *d->rank);
    if (!list || !d->rank) {
        free(list);
        return tool_error("out of memory");
    }
    for (i = 0; i < d->n; i++) {
        list[i].logp = d->logp[i];
        list[i].row = i;
    }
    qsort(list, (size_t)d->n, sizeof *list, higher_first);
    for (i = 0; i < d->n; i++)
        d->rank[i] = list[i].row;
    free(list);
    return TOOL_OK;
}

/* ---- The parts in order ---------------------------------------------------------------------- */

static int write_all(demo *d, const char *log_path)
{
    log_line *lines = NULL;
    int64_t count = 0;
    int status = demo_read_log(log_path, &lines, &count);

    if (!status && count) {
        int64_t i;
        d->steps = lines[count - 1].step;
        d->seconds = lines[count - 1].seconds;
        d->best_valid = INFINITY;
        for (i = 0; i < count; i++)
            if (lines[i].valid < d->best_valid)
                d->best_valid = lines[i].valid;
    }
    if (!status)
        status = demo_draw_real(d);
    if (!status)
        status = demo_draw_generated(d);
    if (!status)
        status = demo_draw_extremes(d);
    if (!status)
        status = demo_draw_walks(d);
    if (!status)
        status = demo_write_page(d, lines, count);
    free(lines);
    return status;
}

static int run(const cli_args *args)
{
    demo d;
    int status;

    memset(&d, 0, sizeof d);
    d.folder = args->operand[3];
    status = tool_open(&d.t, args);
    if (!status)
        status = tool_read_model(&d.t, args->operand[0], &d.model);
    if (!status)
        status = read_digits(&d, args->operand[1]);
    if (!status)
        status = score_digits(&d);
    if (!status)
        status = rank_digits(&d);
    if (!status)
        status = write_all(&d, args->operand[2]);
    free(d.rank);
    free(d.logp);
    free(d.x);
    gm_dataset_free(d.digits);
    gm_model_free(d.model);
    return tool_close(&d.t, status);
}

static const cli_command page = {
    "demo-page", "MODEL DIGITS LOG FOLDER", "draws the page of make demo", 4, 4, options, run,
};

int main(int argc, char **argv)
{
    cli_args args;
    int status = cli_parse(&page, argc - 1, argv + 1, &args);

    if (status)
        return status;
    status = cli_value(&args, "help") ? (cli_help(&page), TOOL_OK) : run(&args);
    free(args.given);
    return status;
}
