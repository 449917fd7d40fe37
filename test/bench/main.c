/* bench [--threads N] [--only NAME,...] [--secs S] [--reps N] [--data DIR] [--seed N] [--list]
 *       [--paced]
 *
 * Times the library on the reference's workloads and on matrix products, one line each. Paced, each
 * block of a workload waits for a line on standard input ("ready") and tells its seconds a step
 * ("block S"), until the input ends: so that test/bench/compare can let two programs work in turn.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_normal(uint64_t *state)
{
    double u[2];
    for (int i = 0; i < 2; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        u[i] = ((double)(*state >> 11) + 0.5) * 0x1p-53;
    }
    return sqrt(-2 * log(u[0])) * cos(6.283185307179586 * u[1]);
}

/* name, or what name begins with ("nsf"), is in the list. */
int bench_wanted(const bench_arguments *a, const char *name)
{
    if (!a->only)
        return 1;
    for (const char *p = a->only; *p; p += strcspn(p, ","), p += *p == ',') {
        size_t n = strcspn(p, ",");
        if (n && strncmp(p, name, n) == 0)
            return 1;
    }
    return 0;
}

bench_blocks bench_begin(const bench_arguments *a)
{
    return (bench_blocks){.wanted = a->reps, .paced = a->paced};
}

int bench_more(const bench_blocks *b)
{
    char line[16];
    if (!b->paced)
        return b->count < b->wanted;
    puts("ready");
    fflush(stdout);
    return b->count < BENCH_BLOCKS && fgets(line, sizeof line, stdin) != NULL;
}

void bench_add(bench_blocks *b, double seconds)
{
    b->seconds[b->count++] = seconds;
    if (b->paced)
        printf("block %.9g\n", seconds);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(const bench_blocks *b)
{
    double sorted[BENCH_BLOCKS];
    if (!b->count)
        return 0;
    memcpy(sorted, b->seconds, sizeof sorted);
    qsort(sorted, (size_t)b->count, sizeof *sorted, compare);
    return 0.5 * (sorted[(b->count - 1) / 2] + sorted[b->count / 2]);
}

static int usage(void)
{
    fputs("usage: bench [--threads N] [--only NAME,...] [--secs S] [--reps N] [--data DIR] [--seed "
          "N] [--list] [--paced]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    bench_arguments a = {.threads = 1, .reps = 5, .secs = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--list") == 0) {
            bench_list_workloads();
            puts("product\nkde");
            return 0;
        }
        if (strcmp(argv[i], "--paced") == 0) {
            a.paced = 1;
            continue;
        }
        if (!value)
            return usage();
        if (strcmp(argv[i], "--threads") == 0)
            a.threads = atoi(value);
        else if (strcmp(argv[i], "--only") == 0)
            a.only = value;
        else if (strcmp(argv[i], "--secs") == 0)
            a.secs = atof(value);
        else if (strcmp(argv[i], "--reps") == 0)
            a.reps = atoi(value);
        else if (strcmp(argv[i], "--data") == 0)
            a.data = value;
        else if (strcmp(argv[i], "--seed") == 0)
            a.seed = atoll(value);
        else
            return usage();
        i++;
    }
    if (a.threads < 1 || a.reps < 1 || a.reps > BENCH_BLOCKS || !(a.secs > 0))
        return usage();
    bench_workloads(&a);
    bench_products(&a);
    bench_kde(&a);
    return 0;
}
