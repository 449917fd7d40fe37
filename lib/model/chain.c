/* log p of some columns given others: the chain rule over laws of one column. */
#include "genmod/conditional.h"
#include "model/gaps.h"

#include <math.h>
#include <string.h>

/* Whether the chain reaches every unknown column with what is known by then. */
static gm_status check_known(gm_context *ctx, const gm__laws *l, const unsigned char *known)
{
    gm__label label;
    int64_t unknown = 0;
    for (int64_t k = 0; k < l->d; k++) {
        int64_t j = l->order[k];
        if (l->free_order == 0 && known[j] && unknown)
            return gm__fail(ctx, GM_E_UNSUPPORTED,
                            "log_prob_given: the family %s knows columns in one order, in which %s "
                            "lies behind unknown ones (gm_conditional_order); leave it unknown as "
                            "well, or fit a family that takes any, such as autoregressive with "
                            "any_order",
                            l->s->family->name, gm__column_label(&label, l->s->rows, j));
        unknown += !known[j];
    }
    if (l->free_order < 0 && unknown > 1)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "log_prob_given: the family %s knows one column given all others, %lld are "
                        "unknown",
                        l->s->family->name, (long long)unknown);
    return GM_OK;
}

/* A cell without support makes its row impossible: it scores minus infinity, and something of the
 * column's stands in for it. */
static void check_support(gm__gaps *g, double *logp)
{
    for (int64_t i = 0; i < g->n; i++)
        for (int64_t j = 0; j < g->d; j++) {
            double y;
            if (!gm__transform_known(g->laws->s->transform, j, g->x[i * g->d + j], &y)) {
                logp[i] = -INFINITY;
                g->x[i * g->d + j] = NAN;
            }
        }
}

static gm_status chain(gm_context *ctx, gm__gaps *g, const unsigned char *known, double *logp)
{
    memset(logp, 0, (size_t)g->n * sizeof *logp);
    for (int64_t i = 0; i < g->n; i++)
        memcpy(g->known + i * g->d, known, (size_t)g->d);
    check_support(g, logp);
    int64_t count = 0, asked = 0;
    for (int64_t i = 0; i < g->n; i++)
        if (logp[i] > -INFINITY)
            g->index[count++] = i;
    for (int64_t k = 0; k < g->d; k++) {
        int64_t j = g->laws->order[k];
        if (known[j])
            continue;
        GM_TRY((asked++ ? gm__gaps_next : gm__gaps_ask)(ctx, g, count, j));
        for (int64_t i = 0; i < count; i++)
            g->value[i] = g->x[g->index[i] * g->d + j];
        GM_TRY(gm__laws_at(ctx, g->laws, 0, count, g->value, g->below, NULL, NULL));
        for (int64_t i = 0; i < count; i++) /* once impossible, always so */
            if (logp[g->index[i]] > -INFINITY)
                logp[g->index[i]] += g->below[i];
    }
    return GM_OK;
}

static gm_status pieces(gm_context *ctx, gm__laws *laws, const gm__rows *rows, gm__given *given,
                        const unsigned char *known, double *logp)
{
    int64_t d = laws->d, n = rows->count, piece = n < 512 ? n : 512;
    size_t bytes = (size_t)piece * (size_t)d * (sizeof(double) + 1);
    double *x = gm__alloc(&ctx->allocator, bytes);
    gm_status code = x || n == 0 ? GM_OK : gm__no_memory(ctx);
    for (int64_t first = 0; first < n && !code; first += piece) {
        gm__gaps g;
        const void *cond = NULL;
        int64_t count = n - first < piece ? n - first : piece;
        code = gm__gaps_create(ctx, laws, count, &g);
        if (code)
            break;
        g.x = x;
        g.known = (unsigned char *)(x + piece * d);
        g.row0 = first;
        code = gm__rows_read(ctx, rows, first, count, x);
        if (!code)
            code = gm__given_load(ctx, given, GM__F64, first, count, &cond);
        g.cond = cond;
        if (!code)
            code = chain(ctx, &g, known, logp + first);
        gm__gaps_free(ctx, &g);
    }
    gm__free(&ctx->allocator, x, x ? bytes : 0);
    return code;
}

static gm_status log_prob_given(gm_context *ctx, const gm_model *model, const gm_array *x,
                                const unsigned char *known, const gm_array *cond,
                                const gm_options *opts, double *logp)
{
    gm__values *values;
    gm__laws *laws = NULL;
    gm__rows rows = {0};
    gm__given given = {0};
    double *own = NULL;
    if (!model || !known || !logp)
        return gm__fail(ctx, GM_E_ARG, "log_prob_given: model, known or logp is NULL");
    GM_TRY(gm__call_values(ctx, model, "conditional", opts, &values));
    gm_status code = gm__laws_create(ctx, model, gm__call_real(model, values), 1, &laws);
    gm__values_free(values);
    if (!code)
        code = check_known(ctx, laws, known);
    if (!code)
        code = gm__rows_of_array(ctx, "log_prob_given", x, model->structure->rows, laws->d, &rows);
    if (!code)
        code = gm__given_open(ctx, "log_prob_given", model, cond, NULL, rows.count, &given);
    if (!code)
        code = gm__answer_cells(ctx, "log_prob_given", rows.count, 1, &own);
    if (!code)
        code = pieces(ctx, laws, &rows, &given, known, own);
    for (int64_t i = 0; i < rows.count && !code; i++)
        logp[i] = own[i];
    gm__free(&ctx->allocator, own, own ? (size_t)rows.count * sizeof *own : 0);
    gm__given_close(&given);
    gm__laws_free(laws);
    return code;
}

gm_status gm_model_log_prob_given(gm_context *ctx, const gm_model *model, const gm_array *x,
                                  const unsigned char *known, const gm_array *cond,
                                  const gm_options *opts, double *logp)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, log_prob_given(ctx, model, x, known, cond, opts, logp));
}
