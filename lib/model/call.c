/* What every call on a model does first: capability, options, seed, precision. */
#include "model/model.h"

#include <string.h>

gm_status gm__call_check(gm_context *ctx, const gm_model *model, const char *call,
                         int32_t capability)
{
    char names[512];
    if (!model)
        return gm__fail(ctx, GM_E_ARG, "%s: model is NULL", call);
    if (gm__family_capabilities(model->structure->family) & capability)
        return GM_OK;
    return gm__fail(ctx, GM_E_UNSUPPORTED, "%s: the family %s does not answer it; these do: %s",
                    call, model->structure->family->name,
                    gm__families_that(ctx, capability, names, sizeof names));
}

/* A name of building or fitting: fine if it says what the model has. */
static gm_status agree(gm_context *ctx, const gm_model *model, const char *call,
                       const gm_option_row *row, const char *name, const char *text)
{
    const gm_option_row one[2] = {*row, {0}}, *table = one;
    gm_options *single;
    gm__values *values;
    GM_TRY(gm__options_new(ctx, &single));
    gm_status code = gm__options_put(ctx, single, name, text);
    if (!code)
        code = gm__values_create(ctx, call, &table, 1, row->stage, single, &values);
    gm_options_free(single);
    if (code)
        return code;
    const char *has = gm__value_text(model->structure->values, name);
    if (!gm__option_is_private(name) && strcmp(gm__value_text(values, name), has) != 0)
        code = gm__fail(ctx, GM_E_STAGE,
                        "%s: option '%s' is %.*s, but this model was made with %.*s; it can only "
                        "be chosen when a model is fitted",
                        call, name, 60, text, 60, *has ? has : "nothing");
    gm__values_free(values);
    return code;
}

/* one for each table */
static const char call_names[][12] = {"log_prob", "sample", "encode", "impute"};

static const gm_option_row *find_in(const gm_option_row *const *tables, int count, const char *name)
{
    const gm_option_row *row = NULL;
    for (int t = 0; t < count && !row; t++)
        row = gm__option_find(tables[t], name);
    return row;
}

/* The row of a name that another call's table or the model's own tables have; NULL if nothing has
 * it. *fitted: it is the model's, and no call's. */
static const gm_option_row *find_elsewhere(const gm_model *model, const char *name, int *fitted)
{
    const gm_option_row *tables[8], *row = NULL;
    for (int i = 0; i < 4 && !row; i++)
        row =
            find_in(tables, gm__call_tables(call_names[i], model->structure->family, tables), name);
    int count = gm__structure_tables(model->structure->family, tables);
    *fitted = row == NULL;
    return row ? row : find_in(tables, count, name);
}

/* Copies the bag's entries that act in this call, or that nothing knows (an error to come), to
 * `acting`; checks those of the fit. */
static gm_status sort_entries(gm_context *ctx, const gm_model *model, const char *call,
                              const gm_options *opts, gm_options *acting)
{
    const gm_option_row *calls[3];
    int tables = gm__call_tables(call, model->structure->family, calls);
    const char *name, *text;
    for (int i = 0; opts && (name = gm__options_at(opts, i, &text)); i++) {
        int fitted = 0;
        const gm_option_row *row =
            find_in(calls, tables, name) ? NULL : find_elsewhere(model, name, &fitted);
        if (!row)
            GM_TRY(gm__options_put(ctx, acting, name, text));
        else if (fitted)
            GM_TRY(agree(ctx, model, call, row, name, text));
    }
    return GM_OK;
}

gm_status gm__call_values(gm_context *ctx, const gm_model *model, const char *call,
                          const gm_options *opts, gm__values **values)
{
    const gm_option_row *tables[3];
    int count = gm__call_tables(call, model->structure->family, tables);
    gm_options *acting;
    GM_TRY(gm__options_new(ctx, &acting));
    gm_status code = sort_entries(ctx, model, call, opts, acting);
    if (!code)
        code = gm__values_create(ctx, call, tables, count, GM_STAGE_CALL, acting, values);
    gm_options_free(acting);
    return code;
}

gm_status gm__call_seed(gm_context *ctx, const gm__values *values, const char *call, uint64_t *seed)
{
    if (!gm__value_given(values, "seed"))
        return gm__fail(ctx, GM_E_SEED,
                        "%s draws random numbers: set the option 'seed' to any whole number", call);
    *seed = (uint64_t)gm__value_int(values, "seed");
    return GM_OK;
}

gm__real gm__call_real(const gm_model *model, const gm__values *values)
{
    int64_t asked = gm__value_int(values, "precision");
    return asked == 0 ? model->structure->real : asked == 1 ? GM__F32 : GM__F64;
}
