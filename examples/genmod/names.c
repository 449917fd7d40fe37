#include "names.h"

#include <stdio.h>

#include "tool.h"

const capability_name capability_names[CAPABILITIES] = {
    {GM_CAN_SAMPLE, "sample"},           {GM_CAN_LOG_PROB, "log_prob"},
    {GM_CAN_GRADIENT, "gradient"},       {GM_CAN_ENCODE, "encode"},
    {GM_CAN_DECODE, "decode"},           {GM_CAN_RECONSTRUCT, "reconstruct"},
    {GM_CAN_CONDITIONAL, "conditional"},
};

void print_capabilities(int32_t capabilities, const char *between)
{
    int i, printed = 0;

    for (i = 0; i < CAPABILITIES; i++)
        if (capabilities & capability_names[i].bit)
            printf("%s%s", printed++ ? between : "", capability_names[i].call);
    if (!printed)
        fputs("nothing", stdout);
}

const char *log_prob_kind_name(int32_t kind)
{
    static const char *const names[] = {"none", "exact", "lower bound", "estimate"};

    return kind >= 0 && kind <= 3 ? names[kind] : "?";
}

const char *column_type_name(int32_t type)
{
    static const char *const names[] = {"?",        "real",    "integer", "binary",
                                        "category", "ordered", "circular"};

    return type >= 1 && type <= 6 ? names[type] : names[0];
}
