/* The public handle on the laws of one column given others. */
#include "genmod/conditional.h"
#include "model/laws.h"

#include <math.h>
#include <string.h>

struct gm_conditional {
    gm_allocator allocator;
    gm__laws *laws;
    unsigned char *known; /* (d) what was set is known */
    int set;
};

/* ---- Life ------------------------------------------------------------------------------------ */

static gm_status create(gm_context *ctx, const gm_model *model, const gm_options *opts,
                        gm_conditional **out)
{
    gm__values *values;
    if (!out || !model)
        return gm__fail(ctx, GM_E_ARG, "conditional: the model or the place for it is NULL");
    *out = NULL;
    gm_conditional *c = gm__alloc(&ctx->allocator, sizeof *c);
    if (!c)
        return gm__no_memory(ctx);
    *c = (gm_conditional){.allocator = ctx->allocator};
    gm_status code = gm__call_values(ctx, model, "conditional", opts, &values);
    if (!code) {
        code = gm__laws_create(ctx, model, gm__call_real(model, values), 1, &c->laws);
        gm__values_free(values);
    }
    if (!code && !(c->known = gm__alloc_array(&ctx->allocator, c->laws->d, 1)))
        code = gm__no_memory(ctx);
    if (code)
        gm_conditional_free(c);
    else
        *out = c;
    return code;
}

gm_status gm_conditional_create(gm_context *ctx, const gm_model *model, const gm_options *opts,
                                gm_conditional **conditional)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, create(ctx, model, opts, conditional));
}

void gm_conditional_free(gm_conditional *c)
{
    if (!c)
        return;
    gm_allocator a = c->allocator;
    gm__free(&a, c->known, c->known ? (size_t)c->laws->d : 0);
    gm__laws_free(c->laws);
    gm__free(&a, c, sizeof *c);
}

int32_t gm_conditional_order(const gm_conditional *c, int64_t *order)
{
    if (!c)
        return 0;
    if (order)
        memcpy(order, c->laws->order, (size_t)c->laws->d * sizeof *order);
    return c->laws->free_order;
}

/* ---- Setting --------------------------------------------------------------------------------- */

static gm_status check_known(gm_context *ctx, const gm__laws *g, const unsigned char *known,
                             int64_t column)
{
    gm__label label;
    if (column < 0 || column >= g->d)
        return gm__fail(ctx, GM_E_RANGE, "conditional: column %lld of %lld", (long long)column,
                        (long long)g->d);
    if (known[column])
        return gm__fail(ctx, GM_E_ARG, "conditional: %s is asked for, and said to be known",
                        gm__column_label(&label, g->s->schema, column));
    if (gm__laws_may(g, known, column))
        return GM_OK;
    return gm__fail(ctx, GM_E_UNSUPPORTED,
                    "conditional: the family %s knows %s given %s, and nothing else",
                    g->s->family->name, gm__column_label(&label, g->s->schema, column),
                    g->free_order < 0 ? "all other columns"
                                      : "those before it in its order (gm_conditional_order)");
}

/* All rows as doubles, and the columns that are known of each. Cells that are not needed may be
 * anything. */
static gm_status set_rows(gm_context *ctx, gm_conditional *c, const gm_array *x,
                          const gm_array *cond, const unsigned char *known, int64_t column)
{
    gm__laws *g = c->laws;
    gm__rows rows;
    double *cells;
    GM_TRY(gm__rows_of_array(ctx, "conditional", x, g->s->rows, g->d, &rows));
    int64_t n = rows.count;
    GM_TRY(gm__answer_cells(ctx, "conditional", n, g->d, &cells));
    unsigned char *seen = gm__alloc_array(&ctx->allocator, n * g->d, 1);
    gm__given given = {0};
    const void *conditions = NULL;
    gm_status code = seen || n == 0 ? GM_OK : gm__no_memory(ctx);
    if (!code)
        code = gm__given_open(ctx, "conditional", g->model, cond, NULL, n, &given);
    if (!code)
        code = gm__given_load(ctx, &given, GM__F64, 0, n, &conditions);
    if (!code) {
        gm__rows_read_any(&rows, 0, n, cells);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < g->d; j++)
                seen[i * g->d + j] = known[j] != 0;
        code = gm__laws_set(ctx, g, n, cells, seen, conditions, column, 0);
    }
    gm__given_close(&given);
    gm__free(&ctx->allocator, seen, seen ? (size_t)(n * g->d) : 0);
    gm__free(&ctx->allocator, cells, (size_t)(n * g->d) * sizeof *cells);
    return code;
}

static gm_status set(gm_context *ctx, gm_conditional *c, const gm_array *x, const gm_array *cond,
                     const unsigned char *known, int64_t column)
{
    if (!c || !known)
        return gm__fail(ctx, GM_E_ARG, "conditional: the handle or known is NULL");
    c->set = 0;
    GM_TRY(check_known(ctx, c->laws, known, column));
    GM_TRY(set_rows(ctx, c, x, cond, known, column));
    for (int64_t j = 0; j < c->laws->d; j++)
        c->known[j] = known[j] != 0;
    c->set = 1;
    return GM_OK;
}

gm_status gm_conditional_set(gm_context *ctx, gm_conditional *c, const gm_array *x,
                             const gm_array *cond, const unsigned char *known, int64_t column)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, set(ctx, c, x, cond, known, column));
}

static gm_status next(gm_context *ctx, gm_conditional *c, const double *value, int64_t column)
{
    if (!c)
        return gm__fail(ctx, GM_E_ARG, "conditional: the handle is NULL");
    if (!c->set)
        return gm__fail(ctx, GM_E_STATE,
                        "conditional: nothing is set yet; gm_conditional_set says which column");
    gm__laws *g = c->laws;
    c->set = 0;
    if (!value && g->asked > 0)
        return gm__fail(ctx, GM_E_ARG, "conditional: value is NULL");
    c->known[g->column] = 1;
    GM_TRY(check_known(ctx, g, c->known, column));
    GM_TRY(gm__laws_next(ctx, g, value, column));
    c->set = 1;
    return GM_OK;
}

gm_status gm_conditional_next(gm_context *ctx, gm_conditional *conditional, const double *value,
                              int64_t column)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, next(ctx, conditional, value, column));
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static gm_status check_ask(gm_context *ctx, const gm_conditional *c, int64_t first, int64_t count,
                           const double *value)
{
    if (!c || (!value && count > 0))
        return gm__fail(ctx, GM_E_ARG, "conditional: the handle or an array is NULL");
    if (!c->set)
        return gm__fail(ctx, GM_E_STATE,
                        "conditional: nothing is set yet; gm_conditional_set says which column");
    int64_t n = c->laws->asked;
    if (first < 0 || count < 0 || first > n || count > n - first)
        return gm__fail(ctx, GM_E_RANGE, "conditional: %lld rows from row %lld on, of %lld",
                        (long long)count, (long long)first, (long long)n);
    for (int64_t i = 0; i < count; i++)
        if (value[i] != value[i])
            return gm__fail(ctx, GM_E_DATA, "conditional: value %lld is not a number",
                            (long long)i + 1);
    return GM_OK;
}

static gm_status ask(gm_context *ctx, gm_conditional *c, int64_t first, int64_t count,
                     const double *value, double *logp, double *below, double *above)
{
    GM_TRY(check_ask(ctx, c, first, count, value));
    return gm__laws_at(ctx, c->laws, first, count, value, logp, below, above);
}

gm_status gm_conditional_log_prob(gm_context *ctx, gm_conditional *c, int64_t first, int64_t count,
                                  const double *value, double *logp)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = logp || count == 0 ? ask(ctx, c, first, count, value, logp, NULL, NULL)
                                        : gm__fail(ctx, GM_E_ARG, "conditional: logp is NULL");
    return gm__leave(ctx, &entry, code);
}

gm_status gm_conditional_cdf(gm_context *ctx, gm_conditional *c, int64_t first, int64_t count,
                             const double *value, double *below, double *above)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, ask(ctx, c, first, count, value, NULL, below, above));
}

static gm_status quantile(gm_context *ctx, gm_conditional *c, int64_t first, int64_t count,
                          const double *u, double *value)
{
    enum { PIECE = 128 };
    double above[PIECE];
    GM_TRY(check_ask(ctx, c, first, count, u));
    if (!value && count > 0)
        return gm__fail(ctx, GM_E_ARG, "conditional: value is NULL");
    for (int64_t i = 0; i < count; i++)
        if (!(u[i] > 0 && u[i] < 1))
            return gm__fail(ctx, GM_E_RANGE, "conditional: u %lld is %g, must be between 0 and 1",
                            (long long)i + 1, u[i]);
    for (int64_t i = 0; i < count; i += PIECE) {
        int64_t n = count - i < PIECE ? count - i : PIECE;
        for (int64_t k = 0; k < n; k++)
            above[k] = 1 - u[i + k];
        GM_TRY(gm__laws_quantile(ctx, c->laws, first + i, n, u + i, above, value + i));
    }
    return GM_OK;
}

gm_status gm_conditional_quantile(gm_context *ctx, gm_conditional *c, int64_t first, int64_t count,
                                  const double *u, double *value)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    return gm__leave(ctx, &entry, quantile(ctx, c, first, count, u, value));
}

/* ---- One column in one call ------------------------------------------------------------------ */

/* The law of `column` for n rows: of x given what is known, or the marginal where x is NULL. */
static gm_status one_column(gm_context *ctx, const gm_model *model, int64_t column, int64_t n,
                            const gm_array *x, const unsigned char *known, const gm_array *cond,
                            const gm_options *opts, gm_conditional **c)
{
    int64_t d = gm_model_column_count(model);
    double zero = 0;
    gm_array rows;
    GM_TRY(create(ctx, model, opts, c));
    if (x && x->ndim == 2 && x->shape[0] != n)
        return gm__fail(ctx, GM_E_SHAPE, "conditional: %lld rows and %lld values",
                        (long long)x->shape[0], (long long)n);
    if (n < 0)
        return gm__fail(ctx, GM_E_RANGE, "conditional: n is %lld", (long long)n);
    unsigned char *none = gm__alloc_array(&ctx->allocator, d, 1);
    if (!none)
        return gm__no_memory(ctx);
    gm_array_init(&rows, GM_F64, &zero, n, d);
    rows.strides[0] = rows.strides[1] = 0;
    gm_status code = set(ctx, *c, x ? x : &rows, cond, x && known ? known : none, column);
    gm__free(&ctx->allocator, none, (size_t)d);
    return code;
}

gm_status gm_model_cdf(gm_context *ctx, const gm_model *model, int64_t column, int64_t n,
                       const gm_array *x, const unsigned char *known, const gm_array *cond,
                       const gm_options *opts, const double *value, double *below, double *above)
{
    gm__entry entry;
    gm_conditional *c = NULL;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = one_column(ctx, model, column, n, x, known, cond, opts, &c);
    if (!code)
        code = ask(ctx, c, 0, n, value, NULL, below, above);
    gm_conditional_free(c);
    return gm__leave(ctx, &entry, code);
}

gm_status gm_model_quantile(gm_context *ctx, const gm_model *model, int64_t column, int64_t n,
                            const gm_array *x, const unsigned char *known, const gm_array *cond,
                            const gm_options *opts, const double *u, double *value)
{
    gm__entry entry;
    gm_conditional *c = NULL;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = one_column(ctx, model, column, n, x, known, cond, opts, &c);
    if (!code)
        code = quantile(ctx, c, 0, n, u, value);
    gm_conditional_free(c);
    return gm__leave(ctx, &entry, code);
}
