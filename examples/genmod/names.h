/* Names of what models can do. */
#ifndef TOOL_NAMES_H
#define TOOL_NAMES_H

#include <stdint.h>

typedef struct capability_name {
    int32_t bit;
    const char *call; /* as tables of options call it */
} capability_name;

enum { CAPABILITIES = 7 };
extern const capability_name capability_names[CAPABILITIES];

void print_capabilities(int32_t capabilities, const char *between);
const char *log_prob_kind_name(int32_t kind);
const char *column_type_name(int32_t type);

#endif
