/* What every call on a model does first: capability, options, seed, precision. */
#include "model/model.h"

#include <string.h>

gm_status gm__call_check(gm_context *ctx, const gm_model *model, const char *call, int32_t capability)
{
    char names[512];
    if (!model)
        return gm__fail(ctx, GM_E_ARG, "%s: model is NULL", call);
    if (gm__family_capabilities(model->structure->family) & capability)
        return GM_OK;
    return gm__fail(ctx, GM_E_UNSUPPORTED, "%s: the family %s does not answer it; these do: %s", call, model->structure->family->name,
                    gm__families_that(ctx, capability, names, sizeof names));
}

/* A name of building or fitting: fine if it says what the model has. */
static gm_status agree(gm_context *ctx, const gm_model *model, const char *call, const gm_option_row *row, const gm_options *opts,
                       const char *name, const char *text)
{
    const gm_option_row one[2] = {*row, {0}}, *table = one;
    gm_options *single;
    gm__values *values;
    GM_TRY(gm__options_new(ctx, &single));
    gm_status code = gm__options_put(ctx, single, name, text);
    if (!code)
        code = gm__values_create(ctx, call, &table, 1, row->stage, single, &values);
    gm__options_drop(single);
    if (code)
        return code;
    (void)opts;
    const char *has = gm__value_text(model->structure->values, name);
    if (strcmp(gm__value_text(values, name), has) != 0)
        code = gm__fail(ctx, GM_E_STAGE, "%s: option '%s' is %.*s, but this model was made with %.*s; it can only be chosen when a model is fitted",
                        call, name, 60, text, 60, has);
    gm__values_free(values);
    return code;
}

/* Moves the bag's entries that act in this call to `acting`, checks those that belong to the fit. */
static gm_status sort_entries(gm_context *ctx, const gm_model *model, const char *call, const gm_options *opts, gm_options *acting)
{
    const gm_option_row *tables[8], *calls = gm__call_options(call);
    int count = gm__structure_tables(model->structure->family, tables);
    const char *name, *text;
    for (int i = 0; opts && (name = gm__options_at(opts, i, &text)); i++) {
        const gm_option_row *row = NULL;
        if (!gm__option_find(calls, name)) {
            static const char others[][12] = {"log_prob", "sample", "encode"};
            for (int t = 0; t < count && !row; t++)
                row = gm__option_find(tables[t], name);
            for (int t = 0; !row && t < 3; t++)
                if (gm__option_find(gm__call_options(others[t]), name))
                    break;
                else if (t == 2)
                    GM_TRY(gm__options_put(ctx, acting, name, text)); /* unknown: the check below says so */
            if (row)
                GM_TRY(agree(ctx, model, call, row, opts, name, text));
            continue;
        }
        GM_TRY(gm__options_put(ctx, acting, name, text));
    }
    return GM_OK;
}

gm_status gm__call_values(gm_context *ctx, const gm_model *model, const char *call, const gm_options *opts, gm__values **values)
{
    const gm_option_row *table = gm__call_options(call);
    gm_options *acting;
    GM_TRY(gm__options_new(ctx, &acting));
    gm_status code = sort_entries(ctx, model, call, opts, acting);
    if (!code)
        code = gm__values_create(ctx, call, &table, 1, GM_STAGE_CALL, acting, values);
    gm__options_drop(acting);
    return code;
}

gm_status gm__call_seed(gm_context *ctx, const gm__values *values, const char *call, uint64_t *seed)
{
    if (!gm__value_given(values, "seed"))
        return gm__fail(ctx, GM_E_SEED, "%s draws random numbers: set the option 'seed' to any whole number", call);
    *seed = (uint64_t)gm__value_int(values, "seed");
    return GM_OK;
}

gm__real gm__call_real(const gm_model *model, const gm__values *values)
{
    int64_t asked = gm__value_int(values, "precision");
    return asked == 0 ? model->structure->real : asked == 1 ? GM__F32 : GM__F64;
}
