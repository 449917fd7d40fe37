/* list-options: everything that the library says of its families, optimizers and options, a line
 * each, its fields apart by tabs:
 *
 *     family     name, version, capabilities (a sum of GM_CAN_), log_prob_kind, summary
 *     optimizer  name
 *     option     owner, name, type, stage (a sum), default, range, since, help
 *
 * The manual is made from it, so that its options cannot go stale. */
#include <genmod/genmod.h>

#include <stdio.h>

static gm_status list(gm_context *ctx, const char *owner)
{
    gm_option_info row = {.struct_size = sizeof row};
    gm_status status;
    int32_t i;

    for (i = 0; (status = gm_option_at(ctx, owner, i, &row)) == GM_OK; i++)
        printf("option\t%s\t%s\t%d\t%d\t%s\t%s\t%d\t%s\n", owner, row.name, (int)row.type,
               (int)row.stage, row.default_value, row.range, (int)row.since, row.help);
    return status == GM_E_RANGE ? GM_OK : status;
}

static gm_status list_all(gm_context *ctx)
{
    static const char *const owners[] = {"fit",    "csv",      "context", "sample",
                                         "encode", "log_prob", "decode",  "reconstruct",
                                         "nuts",   "compare",  "anomaly", "auto"};
    gm_family_info info = {.struct_size = sizeof info};
    gm_status status = GM_OK;
    const char *name;
    int32_t i;

    for (i = 0; !status && i < (int32_t)(sizeof owners / sizeof *owners); i++)
        status = list(ctx, owners[i]);
    for (i = 0; !status && (name = gm_optimizer_name_at(i)) != NULL; i++) {
        printf("optimizer\t%s\n", name);
        status = list(ctx, name);
    }
    for (i = 0; !status && gm_family_at(ctx, i, &info) == GM_OK; i++) {
        printf("family\t%s\t%d\t%d\t%d\t%s\n", info.name, (int)info.version, (int)info.capabilities,
               (int)info.log_prob_kind, info.summary);
        status = list(ctx, info.name);
    }
    return status;
}

int main(void)
{
    gm_context *ctx = NULL;
    gm_status status = gm_context_create(NULL, &ctx);

    if (!status)
        status = list_all(ctx);
    if (status)
        fprintf(stderr, "list-options: %s\n", gm_status_text(status));
    gm_context_free(ctx);
    return status != GM_OK;
}
