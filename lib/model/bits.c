/* Grey values as bits: a value x of 0 to high is 1 with probability x / high, drawn anew in each
 * step, so that a fit meets more rows than there are (Salakhutdinov and Murray 2008 drew once;
 * Burda et al. 2016, section 5, at each step). The model is of bits. */
#include "model/bits.h"
#include "base/random.h"
#include "base/size.h"

#include <string.h>

#define PIECE 1024

static int is_number(const gm__column *c)
{
    return c->type == GM_COLUMN_REAL || c->type == GM_COLUMN_INTEGER;
}

/* A schema whose features are columns of bits. */
static gm_status make_schema(gm_context *ctx, const gm__schema *from, double high, gm__schema **to)
{
    gm__label label;
    gm__schema *s = gm__schema_select(&ctx->allocator, from, NULL, from->count);
    if (!s)
        return gm__no_memory(ctx);
    gm_status code = GM_OK;
    for (int64_t j = 0; j < s->count && !code; j++) {
        gm__column *c = &s->columns[j];
        if (c->role != GM_ROLE_FEATURE || c->type == GM_COLUMN_BINARY)
            continue;
        if (!is_number(c) || c->low < 0 || c->high > high) {
            code = gm__fail(ctx, GM_E_DATA,
                            "fit: binarize=%g takes numbers from 0 to %g, %s is %s of %g to %g",
                            high, high, gm__column_label(&label, s, j), gm__type_name(c->type),
                            c->low, c->high);
            break;
        }
        c->type = GM_COLUMN_BINARY;
        c->low = 0;
        c->high = 1;
        c->resolution = 1;
        code = gm__schema_set_categories(s, j, 2);
        for (int k = 0; k < 2 && !code; k++)
            code = gm__schema_set_text(s, &c->category[k], k ? "1" : "0", 1);
        if (code)
            code = gm__no_memory(ctx);
    }
    if (code)
        gm__schema_release(s);
    else
        *to = s;
    return code;
}

gm_status gm__bits_of(gm_context *ctx, const gm_dataset *rows, double high, gm_dataset **bits)
{
    const gm__schema *from = gm__dataset_schema(rows);
    int64_t n = gm_dataset_row_count(rows), d = from->count, count = 0;
    gm__schema *schema = NULL;
    GM_TRY(make_schema(ctx, from, high, &schema));
    double *cells =
        gm__mul64(n, d, &count) ? NULL : gm__alloc_array(&ctx->allocator, count, sizeof *cells);
    gm_status code = cells ? GM_OK : gm__no_memory(ctx);
    if (!code) {
        gm__dataset_rows(rows, NULL, 0, n, cells);
        for (int64_t i = 0; i < count; i++)
            if (from->columns[i % d].role == GM_ROLE_FEATURE && is_number(&from->columns[i % d]))
                cells[i] = cells[i] > 0.5 * high;
        code = gm__dataset_make(ctx, schema, cells, n, bits);
        gm__free(&ctx->allocator, cells, (size_t)count * sizeof *cells);
    }
    gm__schema_release(schema);
    return code;
}

/* ---- Feeds ----------------------------------------------------------------------------------- */

gm_status gm__bits_match(gm_context *ctx, const gm__structure *s, const gm_dataset *rows,
                         gm__match **match)
{
    const gm__schema *has = gm__dataset_schema(rows);
    *match = NULL;
    for (int64_t j = 0; j < has->count; j++)
        if (has->columns[j].role == GM_ROLE_FEATURE && !is_number(&has->columns[j]))
            return GM_OK;
    gm__schema *greys = gm__schema_select(&ctx->allocator, s->schema, NULL, s->schema->count);
    if (!greys)
        return gm__no_memory(ctx);
    for (int64_t j = 0; j < s->columns; j++)
        greys->columns[j].type = GM_COLUMN_REAL;
    gm_status code = gm__match_create(ctx, greys, 1 << GM_ROLE_FEATURE, rows, match);
    gm__schema_release(greys);
    return code;
}

gm_status gm__bits_scale(gm_context *ctx, const gm_dataset *rows, const gm__match *match,
                         double high, double *scale)
{
    int64_t d = gm__match_columns(match), n = gm_dataset_row_count(rows);
    double *x = gm__alloc_array(&ctx->allocator, PIECE * d, sizeof *x);
    gm_status code = x ? GM_OK : gm__no_memory(ctx);
    *scale = 1;
    for (int64_t first = 0; first < n && !code && *scale == 1; first += PIECE) {
        int64_t count = n - first < PIECE ? n - first : PIECE;
        gm__match_rows(match, rows, NULL, first, count, x);
        for (int64_t i = 0; i < count * d; i++)
            if (x[i] != 0 && x[i] != 1)
                *scale = high;
        code = gm__check_cancel(ctx);
    }
    gm__free(&ctx->allocator, x, (size_t)(PIECE * d) * sizeof *x);
    return code;
}

gm_status gm__bits_chances(gm_context *ctx, const gm__structure *s, const double *x, int64_t n,
                           int64_t row0, double high, double *chances)
{
    gm__label label;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < s->columns; j++) {
            double value = x[i * s->columns + j];
            if (!(value >= 0 && value <= high))
                return gm__fail(ctx, GM_E_DATA,
                                "fit: row %lld: %s is %g, a number from 0 to %g was expected "
                                "(binarize)",
                                (long long)(row0 + i + 1), gm__column_label(&label, s->schema, j),
                                value, high);
            chances[i * s->reals + gm__transform_place(s->transform, j)] = value / high;
        }
    return GM_OK;
}

void gm__bits_draw(gm_context *ctx, const gm__structure *s, const gm__noise *noise,
                   const int64_t *row, int64_t first, int64_t n, void *chances, void *room)
{
    int64_t d = s->reals;
    for (int64_t i = 0; i < n; i++) {
        gm__draw draw = {s->real, noise->seed, GM__FOR_BITS, noise->step, row ? row[i] : first + i};
        ctx->kernels->draws->uniform(&draw, room, 1, d);
        for (int64_t j = i * d, k = 0; k < d; j++, k++)
            if (s->real == GM__F64)
                ((double *)chances)[j] = ((double *)room)[k] < ((double *)chances)[j];
            else
                ((float *)chances)[j] = ((float *)room)[k] < ((float *)chances)[j];
    }
}
