/* Draws the pictures and writes the page of make demo, from the models and logs in FOLDER and the
 * file of digits. It asks models that "genmod fit" made, by the public calls. */
#include <stdlib.h>
#include <string.h>

#include "demo.h"

static const cli_option options[] = {TOOL_HELP_OPTION, {0}};

/* ---- What there is --------------------------------------------------------------------------- */

int demo_path(const demo *d, const char *name, char path[4096])
{
    if (snprintf(path, 4096, "%s/%s", d->folder, name) >= 4096)
        return tool_error("%s: the path is too long", d->folder);
    return TOOL_OK;
}

/* Of a model that has no log: the loss of the rows held back, from its record. */
static int read_record(demo *d, fitted *f)
{
    static char text[65536];
    const char *at;

    if (gm_model_describe(d->t.ctx, f->model, text, sizeof text, NULL))
        return tool_failed(&d->t);
    at = strstr(text, "\"record\"");
    at = at ? strstr(at, "\"valid\":") : NULL;
    f->best = at ? strtod(at + strlen("\"valid\":"), NULL) : 0;
    return at ? TOOL_OK : tool_error("%s.model: it was fitted without rows held back", f->name);
}

static int read_fitted(demo *d, fitted *f)
{
    char name[64], path[4096];
    int status;

    snprintf(name, sizeof name, "%s.model", f->name);
    status = demo_path(d, name, path);
    if (!status)
        status = tool_read_model(&d->t, path, &f->model);
    if (!status && f >= d->by + TRAINED)
        return read_record(d, f);
    snprintf(name, sizeof name, "%s.csv", f->name);
    if (!status)
        status = demo_path(d, name, path);
    return status ? status : demo_read_log(path, f);
}

/* Rows of the file: pixels, and in the last column the label. */
static int read_digits(demo *d, const char *path)
{
    gm_dataset *all = NULL;
    int64_t pixels[PIXELS], i, columns;
    double *cells = NULL;
    int status = tool_read_plain(&d->t, path, &all);

    for (i = 0; i < PIXELS; i++)
        pixels[i] = i;
    if (status)
        return status;
    d->n = gm_dataset_row_count(all);
    columns = gm_dataset_column_count(all);
    d->x = tool_doubles(d->n, PIXELS);
    d->label = tool_doubles(d->n, 1);
    cells = tool_doubles(d->n, columns);
    if (!d->x || !d->label || !cells)
        status = TOOL_FAILED;
    else if (gm_dataset_read_f64(d->t.ctx, all, 0, d->n, cells, 0) ||
             gm_dataset_select(d->t.ctx, all, pixels, PIXELS, &d->digits))
        status = tool_failed(&d->t);
    for (i = 0; !status && i < d->n; i++) {
        memcpy(d->x + i * PIXELS, cells + i * columns, PIXELS * sizeof *cells);
        d->label[i] = cells[i * columns + columns - 1];
    }
    free(cells);
    gm_dataset_free(all);
    return status;
}

/* ---- What the flow says of the digits
 * -------------------------------------------------------- */

static int score_digits(demo *d)
{
    gm_options *how = NULL;
    int status = tool_options(&d->t, "log_prob", NULL, &how);

    d->logp = tool_doubles(d->n, 1);
    if (!d->logp)
        status = TOOL_FAILED;
    if (!status &&
        gm_model_log_prob_rows(d->t.ctx, d->by[FLOW].model, d->digits, NULL, how, d->logp, NULL))
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

typedef int part(demo *d);

static int read_all(demo *d)
{
    static const char *const names[MODELS] = {"flow",           "vae", "map",   "diffusion",
                                              "autoregressive", "kde", "copula"};
    int status = TOOL_OK;
    int i;

    for (i = 0; i < MODELS && !status; i++) {
        d->by[i].name = names[i];
        status = read_fitted(d, &d->by[i]);
    }
    return status;
}

static int draw_all(demo *d)
{
    static part *const parts[] = {
        score_digits,     rank_digits,     demo_draw_grids,    demo_draw_path,  demo_draw_extremes,
        demo_draw_halves, demo_draw_walks, demo_draw_restored, demo_draw_plane, demo_write_page};
    int status = TOOL_OK;
    size_t i;

    for (i = 0; i < sizeof parts / sizeof parts[0] && !status; i++)
        status = parts[i](d);
    return status;
}

static int run(const cli_args *args)
{
    demo d;
    int status, i;

    memset(&d, 0, sizeof d);
    d.folder = args->operand[1];
    status = tool_open(&d.t, args);
    if (!status)
        status = read_digits(&d, args->operand[0]);
    if (!status)
        status = read_all(&d);
    if (!status)
        status = draw_all(&d);
    for (i = 0; i < MODELS; i++) {
        gm_model_free(d.by[i].model);
        free(d.by[i].lines);
    }
    free(d.rank);
    free(d.logp);
    free(d.label);
    free(d.x);
    gm_dataset_free(d.digits);
    return tool_close(&d.t, status);
}

static const cli_command page = {
    "demo-page", "DIGITS FOLDER", "draws the page of make demo", 2, 2, options, run,
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
