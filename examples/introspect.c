/* What the library says of itself, so that a binding or a form on a screen need not be told: build,
 * families and what they answer, options with type, range and default, optimizers, status codes.
 * Run it as: introspect [OWNER], an owner of options such as flow, fit, adam, sample, csv, context
 */
#include <genmod/genmod.h>
#include <stdio.h>

static const char *const type_name[] = {"",       "whole",  "real", "bool",
                                        "choice", "wholes", "text", "seed"};

static void show_build(void)
{
    const char *name;
    int32_t i;

    printf("libgenmod %s, arithmetic revision %d\n", gm_version(), (int)gm_arithmetic_revision());
    for (i = 0; (name = gm_build_info_name(i)); i++)
        printf("    %-10s %s\n", name, gm_build_info(name));
}

static void show_families(gm_context *ctx)
{
    static const char *const call[] = {"sample", "log_prob", "gradient",
                                       "encode", "decode",   "reconstruct"};
    static const char *const kind[] = {"none", "exact", "lower bound", "estimate"};
    gm_family_info f = {.struct_size = sizeof f};
    int32_t i, c;

    printf("families\n");
    for (i = 0; !gm_family_at(ctx, i, &f); i++) {
        printf("    %-10s %s\n    %-10s answers", f.name, f.summary, "");
        for (c = 0; c < 6; c++)
            if (f.capabilities & 1 << c)
                printf(" %s", call[c]);
        printf("; log density: %s\n", kind[f.log_prob_kind]);
    }
}

static gm_status show_options(gm_context *ctx, const char *owner)
{
    gm_option_info o = {.struct_size = sizeof o};
    gm_status status;
    int32_t i;

    printf("options of %s\n", owner);
    for (i = 0; !(status = gm_option_at(ctx, owner, i, &o)); i++)
        printf("    %-14s %-7s %-12s %-12s %s\n", o.name, type_name[o.type],
               *o.default_value ? o.default_value : "-", *o.range ? o.range : "-", o.help);
    return status == GM_E_RANGE && i ? GM_OK : status;
}

static void show_codes(void)
{
    gm_status code;
    int32_t i;

    printf("status codes\n");
    for (i = 0; (code = gm_status_at(i)) != 1; i++)
        printf("    %5d %-16s %s\n", (int)code, gm_status_name(code), gm_status_text(code));
    printf("optimizers\n   ");
    for (i = 0; gm_optimizer_name_at(i); i++)
        printf(" %s", gm_optimizer_name_at(i));
    printf("\n");
}

int main(int argc, char **argv)
{
    gm_context *ctx = NULL;
    char why[512];

    if (argc > 2) {
        fputs("Usage: introspect [OWNER]\n", stderr);
        return 2;
    }
    if (gm_context_create(NULL, &ctx))
        return 2;
    show_build();
    show_families(ctx);
    show_codes();
    int failed = show_options(ctx, argc > 1 ? argv[1] : "flow");
    if (failed && gm_context_error(ctx, why, sizeof why, NULL))
        fprintf(stderr, "%s\n", why);
    gm_context_free(ctx);
    return failed != GM_OK;
}
