/* gm_model_blame: what a row's log density gains where one column gets a better value. Values to
 * try are quantiles of the column's law given the others, or come from rows that the model draws.
 */
#include "apply/anomaly.h"
#include "genmod/conditional.h"
#include "base/size.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

enum { QUANTILES = 15 };

typedef struct blaming {
    const gm__anomaly_call *call;
    gm_conditional *laws; /* NULL: values from draws */
    int64_t n, d, draws;
    double *x, *moved;           /* (n, d) */
    double *logp, *other, *best; /* (n) */
    double *value;               /* (n) */
    double *drawn;               /* (draws, d) */
} blaming;

static void better(blaming *b)
{
    for (int64_t i = 0; i < b->n; i++)
        if (b->other[i] > b->best[i])
            b->best[i] = b->other[i];
}

/* log p(value | rest), at the cell itself and at quantiles. */
static gm_status by_law(blaming *b, int64_t j, unsigned char *known)
{
    gm_context *ctx = b->call->ctx;
    gm_array x;
    gm_array_init(&x, GM_F64, b->x, b->n, b->d);
    memset(known, 1, (size_t)b->d);
    known[j] = 0;
    GM_TRY(gm_conditional_set(ctx, b->laws, &x, NULL, known, j));
    for (int64_t i = 0; i < b->n; i++)
        b->value[i] = b->x[i * b->d + j];
    GM_TRY(gm_conditional_log_prob(ctx, b->laws, 0, b->n, b->value, b->logp));
    memcpy(b->best, b->logp, (size_t)b->n * sizeof *b->best);
    for (int q = 0; q < QUANTILES; q++) {
        for (int64_t i = 0; i < b->n; i++)
            b->other[i] = ((double)q + 0.5) / QUANTILES;
        GM_TRY(gm_conditional_quantile(ctx, b->laws, 0, b->n, b->other, b->value));
        GM_TRY(gm_conditional_log_prob(ctx, b->laws, 0, b->n, b->value, b->other));
        better(b);
    }
    return GM_OK;
}

static gm_status ask(blaming *b, const double *x, double *logp)
{
    gm_array at;
    gm_array_init(&at, GM_F64, (void *)(uintptr_t)x, b->n, b->d);
    return gm_model_log_prob(b->call->ctx, b->call->model, &at, NULL, b->call->ask, logp, NULL);
}

static gm_status by_draws(blaming *b, int64_t j)
{
    memcpy(b->best, b->logp, (size_t)b->n * sizeof *b->best);
    for (int64_t k = 0; k < b->draws; k++) {
        memcpy(b->moved, b->x, (size_t)(b->n * b->d) * sizeof *b->moved);
        for (int64_t i = 0; i < b->n; i++)
            b->moved[i * b->d + j] = b->drawn[k * b->d + j];
        GM_TRY(ask(b, b->moved, b->other));
        better(b);
    }
    return GM_OK;
}

static double gain(double best, double now)
{
    return best == now ? 0 : best - now;
}

static gm_status columns(blaming *b, unsigned char *known, double *blame)
{
    if (!b->laws)
        GM_TRY(ask(b, b->x, b->logp));
    for (int64_t j = 0; j < b->d; j++) {
        GM_TRY(b->laws ? by_law(b, j, known) : by_draws(b, j));
        for (int64_t i = 0; i < b->n; i++)
            blame[i * b->d + j] = gain(b->best[i], b->logp[i]);
    }
    return GM_OK;
}

/* Laws in any order, or rows to try values of. */
static gm_status find_values(blaming *b)
{
    gm_context *ctx = b->call->ctx;
    gm_array to;
    if (gm_conditional_create(ctx, b->call->model, NULL, &b->laws) == GM_OK &&
        gm_conditional_order(b->laws, NULL) == 1)
        return GM_OK;
    gm_conditional_free(b->laws);
    b->laws = NULL;
    gm_options *how;
    GM_TRY(gm_options_create(ctx, &how));
    gm_status code = gm_options_set_text(ctx, how, "seed", gm__value_text(b->call->values, "seed"));
    gm_array_init(&to, GM_F64, b->drawn, b->draws, b->d);
    if (!code)
        code = gm_model_sample(ctx, b->call->model, b->draws, NULL, how, &to, NULL);
    gm_options_free(how);
    return code;
}

static gm_status read_rows(blaming *b, const gm_dataset *data)
{
    gm_context *ctx = b->call->ctx;
    gm__rows rows = {0};
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = gm__rows_of_data(ctx, "blame", b->call->model, data, &rows);
    if (!code)
        code = gm__rows_read(ctx, &rows, 0, b->n, b->x);
    gm__rows_clear(&rows);
    return gm__leave(ctx, &entry, code);
}

static gm_status with_room(blaming *b, const gm_dataset *rows, double *blame)
{
    const gm_allocator *a = &b->call->ctx->allocator;
    int64_t cells, room, extra;
    if (gm__mul64(b->n, b->d, &cells) || gm__mul64(cells, 3, &room) ||
        gm__mul64(b->draws, b->d, &extra) || gm__add64(room, extra, &room) ||
        gm__add64(room, 4 * b->n + b->d, &room))
        return gm__no_memory(b->call->ctx);
    double *memory = gm__alloc_array(a, room, sizeof *memory);
    if (!memory)
        return gm__no_memory(b->call->ctx);
    double *out = memory;
    b->x = out + cells;
    b->moved = b->x + cells;
    b->drawn = b->moved + cells;
    b->logp = b->drawn + extra;
    b->other = b->logp + b->n;
    b->best = b->other + b->n;
    b->value = b->best + b->n;
    gm_status code = read_rows(b, rows);
    if (!code)
        code = find_values(b);
    if (!code)
        code = columns(b, (unsigned char *)(b->value + b->n), out);
    if (!code)
        memcpy(blame, out, (size_t)cells * sizeof *blame);
    gm_conditional_free(b->laws);
    gm__free(a, memory, (size_t)room * sizeof *memory);
    return code;
}

gm_status gm_model_blame(gm_context *ctx, const gm_model *model, const gm_dataset *rows,
                         const gm_options *opts, double *blame)
{
    gm__anomaly_call call;
    if (!ctx)
        return GM_E_ARG;
    if (!model || !rows || !blame)
        return gm__fail(ctx, GM_E_ARG, "blame: the model, the rows or the answer is NULL");
    if (gm_model_condition_count(model) > 0)
        return gm__fail(ctx, GM_E_UNSUPPORTED, "blame: the model is one of given conditions");
    GM_TRY(gm__anomaly_begin(ctx, model, opts, &call));
    blaming b = {.call = &call,
                 .n = gm_dataset_row_count(rows),
                 .d = gm_model_column_count(model),
                 .draws = gm__value_int(call.values, "draws")};
    gm_status code = gm__value_given(call.values, "seed")
                         ? with_room(&b, rows, blame)
                         : gm__fail(ctx, GM_E_SEED,
                                    "blame draws random numbers: set the option 'seed' to any "
                                    "whole number");
    gm__anomaly_end(&call);
    return code;
}
