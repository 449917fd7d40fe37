/* genmod families [FAMILY] */
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "tool.h"

static const cli_option options[] = {TOOL_HELP_OPTION, {0}};

static const char *type_name(int32_t type)
{
    static const char *const names[] = {"",       "whole",  "real", "bool",
                                        "choice", "wholes", "text", "seed"};

    return type >= GM_INT && type <= GM_SEED ? names[type] : "?";
}

static int print_row(const gm_option_info *row)
{
    printf("  %-18s %-7s %-12s %-24s %s\n", row->name, type_name(row->type),
           *row->default_value ? row->default_value : "-", *row->range ? row->range : "-",
           row->help);
    return 1;
}

/* Prints the table of an owner under a title; how many rows it had, -1 if there is no such owner.
 */
static int print_table(tool *t, const char *owner, const char *title)
{
    gm_option_info row = {.struct_size = sizeof row};
    gm_status status;
    int i;

    for (i = 0; (status = gm_option_at(t->ctx, owner, i, &row)) == GM_OK; i++) {
        if (i == 0)
            printf("\n%s\n  %-18s %-7s %-12s %-24s %s\n", title, "name", "type", "default", "range",
                   "help");
        print_row(&row);
    }
    return status == GM_E_UNKNOWN ? -1 : i;
}

static int list_families(tool *t)
{
    gm_family_info info = {.struct_size = sizeof info};
    int32_t i;
    const char *name;

    puts("Families ('genmod families NAME' shows the options of one):");
    for (i = 0; gm_family_at(t->ctx, i, &info) == GM_OK; i++) {
        printf("  %-12s %s\n  %-12s answers: ", info.name, info.summary, "");
        print_capabilities(info.capabilities, ", ");
        printf("; log density: %s\n", log_prob_kind_name(info.log_prob_kind));
    }
    fputs("Optimizers:", stdout);
    for (i = 0; (name = gm_optimizer_name_at(i)) != NULL; i++)
        printf(" %s", name);
    puts("\nOther tables of options: fit auto anomaly compare calibrate nuts csv context");
    return TOOL_OK;
}

static void print_calls(tool *t, const char *family, int32_t capabilities)
{
    char title[128], owner[160];
    int i;

    for (i = 0; i < CAPABILITIES; i++) {
        if (!(capabilities & capability_names[i].bit))
            continue;
        snprintf(title, sizeof title,
                 "Options of the call %s (--set name=value of the commands that call it):",
                 capability_names[i].call);
        snprintf(owner, sizeof owner, "%.128s.%s", family, capability_names[i].call);
        print_table(t, owner, title);
    }
}

static int show_family(tool *t, const gm_family_info *info)
{
    char title[128], fit[160];

    printf("%s, version %d: %s\nanswers: ", info->name, (int)info->version, info->summary);
    print_capabilities(info->capabilities, ", ");
    printf("\nlog density: %s\n", log_prob_kind_name(info->log_prob_kind));
    snprintf(title, sizeof title, "Options of the family %s (fit --set name=value):", info->name);
    print_table(t, info->name, title);
    snprintf(fit, sizeof fit, "%.128s.fit", info->name); /* a family without steps takes few */
    print_table(t, fit,
                info->direct ? "Options of its fit, in one piece (fit --set name=value):"
                             : "Options of its fit, in steps (fit --set name=value):");
    print_calls(t, info->name, info->capabilities);
    return TOOL_OK;
}

/* Not only families have tables: optimizers, calls, files and the context do too. */
static int show(tool *t, const char *name)
{
    gm_family_info info = {.struct_size = sizeof info};
    gm_status status = gm_family_find(t->ctx, name, &info);
    char title[128];

    if (status == GM_OK)
        return show_family(t, &info);
    snprintf(title, sizeof title, "Options of %.64s:", name);
    if (print_table(t, name, title) >= 0)
        return TOOL_OK;
    gm_family_find(t->ctx, name, &info);
    return tool_refused(t, status);
}

static int run(const cli_args *args)
{
    tool t;
    int result = tool_open(&t, args);

    if (!result)
        result = args->operand_count ? show(&t, args->operand[0]) : list_families(&t);
    return tool_close(&t, result);
}

const cli_command command_families = {
    "families", "[FAMILY]", "what can be fitted, and the options of it", 0, 1, options, run,
};
