/* What the parts of the benchmark share. */
#ifndef BENCH_H
#define BENCH_H
#include <stdint.h>

typedef struct bench_arguments {
    int threads, reps;
    int64_t seed;
    double secs;      /* a block */
    const char *only; /* names with commas between; NULL all */
    const char *data; /* folder of NAME.npy; NULL: made here */
    int paced;        /* a block waits for a line on standard input */
} bench_arguments;

int bench_wanted(const bench_arguments *a, const char *name);
double bench_clock(void);
double bench_normal(uint64_t *state);
/* Floating-point operations a second of a loop of independent fused multiply-adds in registers, on
 * so many threads at once; measured when first asked. */
double bench_peak(int threads);

#define BENCH_BLOCKS 64
typedef struct bench_blocks {
    int wanted, paced, count;
    double seconds[BENCH_BLOCKS];
} bench_blocks;
bench_blocks bench_begin(const bench_arguments *a);
int bench_more(const bench_blocks *b);
void bench_add(bench_blocks *b, double seconds);
double bench_median(const bench_blocks *b);

void bench_workloads(const bench_arguments *a);
void bench_list_workloads(void);
void bench_kde(const bench_arguments *a);
void bench_products(const bench_arguments *a);
#endif
