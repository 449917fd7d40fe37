/* Reads just enough JSON, of the library's own making, to show one flat object of it. */
#include "record.h"

#include <stdio.h>
#include <string.h>

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

/* Past one value, whatever it holds. */
static const char *skip_value(const char *at)
{
    int depth = 0;

    do {
        at = skip_space(at);
        if (*at == '"')
            at = skip_string(at);
        else if (*at == '{' || *at == '[')
            depth++, at++;
        else if (*at == '}' || *at == ']')
            depth--, at++;
        else if (*at == ',' || *at == ':')
            at++;
        else
            at += strcspn(at, ",:]} \t\r\n");
    } while (depth > 0 && *at);
    return at;
}

/* The member of that name of the object at `at`; NULL if it has none. */
static const char *find_member(const char *at, const char *name)
{
    size_t length = strlen(name);

    at = skip_space(at);
    if (*at != '{')
        return NULL;
    for (at = skip_space(at + 1); *at == '"';) {
        const char *key = at + 1;
        at = skip_space(skip_string(at));
        if (*at == ':')
            at = skip_space(at + 1);
        if (!strncmp(key, name, length) && key[length] == '"')
            return at;
        at = skip_space(skip_value(at));
        if (*at == ',')
            at = skip_space(at + 1);
    }
    return NULL;
}

static void print_member(const char *key, const char *value)
{
    const char *key_end = skip_string(key) - 1, *end = skip_value(value);
    int quoted = *value == '"';

    printf("  %-18.*s %.*s\n", (int)(key_end - key - 1), key + 1, (int)(end - value) - 2 * quoted,
           value + quoted);
}

void record_print(const char *json)
{
    const char *at = find_member(json, "record"), *value;

    if (!at || *at != '{')
        return;
    puts("\nTraining:");
    for (at = skip_space(at + 1); *at == '"';) {
        value = skip_space(skip_string(at));
        if (*value == ':')
            value = skip_space(value + 1);
        if (*value != '{') /* what is kept for a use has a command of its own */
            print_member(at, value);
        at = skip_space(skip_value(value));
        if (*at == ',')
            at = skip_space(at + 1);
    }
}
