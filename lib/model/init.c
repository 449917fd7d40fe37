/* Going on from a model: its columns, transforms, options of building and weights are kept. */
#include "model/init.h"
#include "model/condition.h"
#include "model/objective.h"

#include <string.h>

/* ---- Options --------------------------------------------------------------------------------- */

static int is_one_of(const gm_option_row *table, const char *name)
{
    return table && gm__option_find(table, name) != NULL;
}

/* Options that a model hands on to fits that go on from it. */
static int is_kept(const gm_model *init, const char *name)
{
    return strcmp(name, "seed") != 0 &&
           (is_one_of(init->structure->family->options, name) ||
            is_one_of(gm__transform_options, name) || strcmp(name, "precision") == 0);
}

gm_status gm__init_options(gm_context *ctx, const gm_model *init, gm_options *bag)
{
    const gm_option_row *row;
    const char *text;
    for (int i = 0; (row = gm__value_at(init->structure->values, i, &text)); i++)
        if (is_kept(init, row->name) && !gm__options_find(bag, row->name))
            GM_TRY(gm__options_put(ctx, bag, row->name, text));
    return GM_OK;
}

/* What is built, and the transforms. */
static int is_fixed(const gm_model *init, const gm_option_row *row)
{
    return is_one_of(gm__transform_options, row->name) ||
           (is_one_of(init->structure->family->options, row->name) &&
            (row->stage & GM_STAGE_BUILD));
}

gm_status gm__init_agree(gm_context *ctx, const gm_model *init, const gm__values *values)
{
    const gm_option_row *row;
    const char *has;
    for (int i = 0; (row = gm__value_at(init->structure->values, i, &has)); i++) {
        const char *asked = gm__value_text(values, row->name);
        if (is_fixed(init, row) && strcmp(asked, has) != 0)
            return gm__fail(ctx, GM_E_STAGE,
                            "fit: option '%s' is %.*s, but the model to go on from was made with "
                            "%.*s: it cannot change",
                            row->name, 60, *asked ? asked : "nothing", 60, *has ? has : "nothing");
    }
    return GM_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

gm_status gm__init_columns(gm_context *ctx, const gm_model *init, const gm_dataset *data,
                           gm_dataset **columns)
{
    if (!gm__schema_named(gm__dataset_schema(data)))
        return gm__fit_columns(ctx, init->structure->family, data, columns);
    *columns = gm__dataset_retain(data);
    return gm__drop_weightless(ctx, columns);
}

static gm_status check_piece(gm_context *ctx, const gm__structure *s, const gm__rows *rows,
                             int64_t first, int64_t n, gm__tray *t)
{
    GM_TRY(gm__rows_read(ctx, rows, first, n, t->x));
    gm__transform_forward(s->transform, t->x, n, NULL, first, NULL, t->wide, t->index, NULL,
                          t->support);
    for (int64_t i = 0; i < n; i++)
        if (!t->support[i])
            return gm__rows_outside(ctx, rows, s->transform, first + i, t->x + i * s->columns);
    return GM_OK;
}

gm_status gm__init_rows(gm_context *ctx, const gm_model *init, const gm_dataset *data)
{
    const gm__structure *s = init->structure;
    gm__rows rows = {0};
    gm__tray t = {0};
    gm_status code = gm__rows_of_data(ctx, "fit", init, data, &rows);
    if (!code)
        code = gm__tray_create(ctx, s, 256, &t);
    for (int64_t first = 0; first < rows.count && !code; first += 256) {
        int64_t n = rows.count - first < 256 ? rows.count - first : 256;
        code = gm__check_cancel(ctx);
        if (!code)
            code = check_piece(ctx, s, &rows, first, n, &t);
    }
    gm__tray_clear(&t, &ctx->allocator);
    gm__rows_clear(&rows);
    return code;
}

/* ---- Structure and weights ------------------------------------------------------------------- */

gm_status gm__init_structure(gm_context *ctx, const gm_model *init, gm_options *bag,
                             gm__structure **structure)
{
    const gm__structure *s = init->structure;
    const gm_option_row *tables[8];
    int count = gm__structure_tables(s->family, tables);
    gm__values *values;
    GM_TRY(gm__options_put(ctx, bag, "seed", gm__value_text(s->values, "seed")));
    GM_TRY(gm__values_create(ctx, s->family->name, tables, count,
                             GM_STAGE_BUILD | GM_STAGE_FIT | GM_STAGE_CALL, bag, &values));
    gm_status code = gm__structure_create(ctx, s->family, values, gm__schema_retain(s->schema),
                                          gm__transform_retain(s->transform), 0, structure);
    gm__values_free(values);
    return code;
}

static int same_layout(const gm__layout *a, const gm__layout *b)
{
    if (a->count != b->count || a->size != b->size)
        return 0;
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->slots[i].name, b->slots[i].name) != 0 ||
            a->slots[i].count != b->slots[i].count || a->slots[i].offset != b->slots[i].offset)
            return 0;
    return 1;
}

gm_status gm__init_weights(gm_context *ctx, const gm_model *init, gm_trainer *t)
{
    const gm__structure *s = init->structure;
    const gm__maps *maps = ctx->kernels->maps;
    void *to = t->buffers[GM__PARAM];
    if (!same_layout(&s->layout, t->objective.layout))
        return gm__fail(ctx, GM_E_STATE,
                        "fit: the model to go on from has other parameters than its options say");
    if (t->objective.real == s->real && s->layout.size)
        memcpy(to, init->params, gm__trainer_bytes(t));
    else if (t->objective.real == GM__F64)
        maps->widen(to, init->params, s->layout.size);
    else
        maps->narrow(to, init->params, s->layout.size);
    return GM_OK;
}

void gm__init_hash(gm__sha256 *sum, const gm_model *init)
{
    const gm__structure *s = init->structure;
    size_t bytes = (size_t)s->layout.size * (s->real == GM__F64 ? 8 : 4);
    gm__sha256_add(sum, init->record, strlen(init->record) + 1);
    if (init->params)
        gm__sha256_add(sum, init->params, bytes);
}
