/* Rows of flags, and of whole numbers, flags and categories bound together. */
#ifndef TEST_ROWS_CASES_H
#define TEST_ROWS_CASES_H

#include "family_cases.h"

/* n rows of a text header and a function that prints row i. */
static inline gm_dataset *csv_rows(gm_context *ctx, const char *header, int n,
                                   int (*print)(char *to, uint64_t *state), uint64_t seed)
{
    char *text = malloc((size_t)n * 64 + 256);
    size_t at = (size_t)sprintf(text, "%s\n", header);
    for (int i = 0; i < n; i++)
        at += (size_t)print(text + at, &seed);
    test_source source = {.data = text, .size = (int64_t)at};
    gm_reader reader = test_source_reader(&source);
    gm_dataset *rows;
    test_ok(ctx, gm_dataset_from_reader(ctx, &reader, "csv", "rows.csv", NULL, &rows));
    free(text);
    return rows;
}

#define BITS 8
static inline int print_bits(char *to, uint64_t *state)
{
    int length = 0, last = 0;
    for (int j = 0; j < BITS; j++) {
        last = test_uniform(state, 0, 1) < (last ? 0.8 : 0.25);
        length += sprintf(to + length, "%d%c", last, j == BITS - 1 ? '\n' : ',');
    }
    return length;
}
static inline gm_dataset *bit_rows(gm_context *ctx, int n)
{
    return csv_rows(ctx, "a,b,c,d,e,f,g,h", n, print_bits, 11);
}

/* A whole number of 40 levels, one of 5, a flag, a kind of three, all bound together. */
static inline int print_counts(char *to, uint64_t *state)
{
    int kind = (int)(test_random(state) % 3), flag = test_uniform(state, 0, 1) < 0.3 + 0.2 * kind;
    int few = (int)(test_random(state) % 3) + kind,
        many = (int)(test_random(state) % 20) + 10 * flag + 5 * (kind == 2);
    return sprintf(to, "%d,%d,%s,%c\n", many, few, flag ? "yes" : "no", 'p' + kind);
}
static inline gm_dataset *count_rows(gm_context *ctx)
{
    return csv_rows(ctx, "many,few,flag,kind", 500, print_counts, 5);
}

#endif
