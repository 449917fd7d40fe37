/* list-options: everything that the library says of its families, optimizers and options, a line
 * each, its fields apart by tabs:
 *
 *     family     name, version, capabilities (a sum of GM_CAN_), log_prob_kind, summary
 *     optimizer  name
 *     option     owner, name, type, stage (a sum), default, range, since, help
 *     fit        of a family that learns in one piece: its name, the options of "fit" it takes
 *
 * The manual is made from it, so that its options cannot go stale. */
#include <genmod/genmod.h>

#include <stdio.h>
#include <string.h>

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

/* Options that a call has of one family alone. */
static gm_status list_own(gm_context *ctx, const char *family, const char *call)
{
    gm_option_info row = {.struct_size = sizeof row}, other = {.struct_size = sizeof other};
    gm_status status;
    char owner[128];
    int32_t i, j;

    snprintf(owner, sizeof owner, "%s.%s", family, call);
    for (i = 0; (status = gm_option_at(ctx, owner, i, &row)) == GM_OK; i++) {
        for (j = 0; gm_option_at(ctx, call, j, &other) == GM_OK; j++)
            if (strcmp(row.name, other.name) == 0)
                break;
        if (gm_option_at(ctx, call, j, &other) != GM_OK)
            printf("option\t%s\t%s\t%d\t%d\t%s\t%s\t%d\t%s\n", owner, row.name, (int)row.type,
                   (int)row.stage, row.default_value, row.range, (int)row.since, row.help);
    }
    return status == GM_E_RANGE ? GM_OK : status;
}

static gm_status list_family(gm_context *ctx, const gm_family_info *info)
{
    gm_option_info row = {.struct_size = sizeof row};
    gm_status status;
    char owner[128];
    int32_t i;

    printf("family\t%s\t%d\t%d\t%d\t%s\n", info->name, (int)info->version, (int)info->capabilities,
           (int)info->log_prob_kind, info->summary);
    status = list(ctx, info->name);
    if (!status)
        status = list_own(ctx, info->name, "log_prob");
    if (!status)
        status = list_own(ctx, info->name, "sample");
    if (status || !info->direct)
        return status;
    printf("fit\t%s", info->name);
    snprintf(owner, sizeof owner, "%s.fit", info->name);
    for (i = 0; gm_option_at(ctx, owner, i, &row) == GM_OK; i++)
        printf("\t%s", row.name);
    printf("\n");
    return GM_OK;
}

static gm_status list_all(gm_context *ctx)
{
    static const char *const owners[] = {"fit",    "csv",         "context",    "sample",
                                         "encode", "log_prob",    "decode",     "reconstruct",
                                         "impute", "conditional", "range_prob", "compare",
                                         "nuts",   "anomaly",     "auto",       "calibrate"};
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
    for (i = 0; !status && gm_family_at(ctx, i, &info) == GM_OK; i++)
        status = list_family(ctx, &info);
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
