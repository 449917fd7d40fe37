/* Counter-based random numbers in scalar form; the kernels hold the vector form of the same
 * numbers. */
#ifndef GM__RANDOM_H
#define GM__RANDOM_H

#include <stdint.h>

/* Philox 4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". */
void gm__philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* What a draw is for: it keeps streams of one seed apart. The numbers are part of the bits; under
 * 65536. */
enum {
    GM__FOR_SHUFFLE = 1,
    GM__FOR_SPLIT = 2,
    GM__FOR_INIT = 3,
    GM__FOR_BATCH = 4,
    GM__FOR_DEQUANTISE = 5,
    GM__FOR_SAMPLE = 6,
    GM__FOR_SURJECTION = 7,
    GM__FOR_LAYER = 8,
    GM__FOR_PATH = 9,       /* the noise of a diffusion's samplers */
    GM__FOR_PROBE = 10,     /* what estimates a trace */
    GM__FOR_BITS = 11,      /* of grey values, in each step of a fit */
    GM__FOR_MOMENTUM = 20,  /* a sampler's momenta */
    GM__FOR_PATH_TURN = 21, /* its directions and choices, and where its chains start */
    GM__FOR_JITTER = 22,    /* points of the bins of repeated values */
    GM__FOR_GAP = 30,       /* cells drawn given others */
    GM__FOR_CHECK = 31,     /* what judges a model */
    GM__FOR_GRAPH = 64      /* node n of a graph draws with purpose GM__FOR_GRAPH + n */
};

/* 64 random bits, element i of (seed, purpose, step): words 0 (low) and 1 of block 0 of row i, as
 * laid out at gm__draw in kernels/kernels.h. */
uint64_t gm__random64(uint64_t seed, uint32_t purpose, uint64_t step, int64_t i);
/* A whole number in [0, n), without bias, element i; n at least 1. */
int64_t gm__random_below(uint64_t seed, uint32_t purpose, uint64_t step, int64_t i, int64_t n);
/* The image of i under a permutation of [0, n) that seed, purpose and step name: a shuffle of any
 * size without memory. 0 <= i < n < 2^62. About 0.1 microseconds. */
int64_t gm__permute(uint64_t seed, uint32_t purpose, uint64_t step, int64_t i, int64_t n);

#endif
