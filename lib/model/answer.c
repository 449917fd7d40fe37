/* Rows of answers on their way to the caller's arrays. */
#include "model/model.h"
#include "base/size.h"

gm_status gm__check_output(gm_context *ctx, const char *call, const gm_array *out, int64_t rows,
                           const gm__schema *schema, int64_t columns)
{
    gm__rows shape;
    GM_TRY(gm__rows_of_array(ctx, call, out, schema, columns, &shape));
    if (out->dtype != GM_F32 && out->dtype != GM_F64)
        return gm__fail(ctx, GM_E_ARG, "%s: the output's dtype is %d, must be GM_F32 or GM_F64",
                        call, (int)out->dtype);
    if (out->flags & GM_ARRAY_READ_ONLY)
        return gm__fail(ctx, GM_E_ARG, "%s: the output is read-only", call);
    if (shape.count != rows)
        return gm__fail(ctx, GM_E_SHAPE, "%s: the output has %lld rows, %lld are made", call,
                        (long long)shape.count, (long long)rows);
    return GM_OK;
}

gm_status gm__answer_cells(gm_context *ctx, const char *call, int64_t n, int64_t d, double **cells)
{
    int64_t count;
    *cells = NULL;
    if (gm__mul64(n, d, &count) || count > INT64_MAX / (int64_t)sizeof **cells)
        return gm__fail(ctx, GM_E_RANGE, "%s: %lld rows of %lld columns are too many", call,
                        (long long)n, (long long)d);
    gm_status code = gm__alloc_large(ctx, (size_t)count * sizeof **cells, cells);
    if (code == GM_E_MEMORY)
        return gm__fail(ctx, code, "%s: out of memory for %lld rows of %lld columns", call,
                        (long long)n, (long long)d);
    return code;
}

gm_status gm__answer_begin(gm_context *ctx, const char *call, gm_array *to, int64_t capacity,
                           gm__answer *a)
{
    int64_t n = to->shape[0], d = to->shape[1];
    *a = (gm__answer){.allocator = ctx->allocator, .to = to};
    return n <= capacity ? GM_OK : gm__answer_cells(ctx, call, n, d, &a->cells);
}

void gm__answer_put(gm__answer *a, int64_t first, int64_t n, const double *from)
{
    int64_t d = a->to->shape[1];
    if (!a->cells)
        gm__array_put(a->to, first, n, d, from);
    for (int64_t i = 0; a->cells && i < n * d; i++)
        a->cells[first * d + i] = from[i];
}

gm_status gm__answer_end(gm__answer *a, gm_status code)
{
    int64_t n = a->to->shape[0], d = a->to->shape[1];
    if (a->cells && !code)
        gm__array_put(a->to, 0, n, d, a->cells);
    gm__free(&a->allocator, a->cells, a->cells ? (size_t)(n * d) * sizeof *a->cells : 0);
    a->cells = NULL;
    return code;
}
