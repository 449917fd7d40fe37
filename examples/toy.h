/* Data for the examples, the same on every machine: whole-number arithmetic makes the random
 * numbers, and what passes through cos and sin is rounded to 1/4096. */
#ifndef EXAMPLES_TOY_H
#define EXAMPLES_TOY_H

#include <math.h>
#include <stdint.h>

#define PI 3.14159265358979323846

/* Uniform in [0, 1), by a congruential generator. */
static inline double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Nearly normal: the sum of twelve uniform numbers has the variance 1. */
static inline double normal(uint64_t *state)
{
    double sum = -6;
    int i;

    for (i = 0; i < 12; i++)
        sum += uniform(state);
    return sum;
}

static inline double round_off(double x)
{
    return floor(x * 4096 + 0.5) / 4096;
}

/* Two moons (n, 2): half circles that reach into each other, blurred by 0.1. Even rows are of the
 * upper one. */
static inline void two_moons(int64_t n, uint64_t seed, double *x)
{
    int64_t i;

    for (i = 0; i < n; i++) {
        double angle = PI * uniform(&seed), sign = i % 2 ? -1 : 1;
        x[2 * i] = round_off(sign * cos(angle) - sign * 0.5 + 0.1 * normal(&seed));
        x[2 * i + 1] = round_off(sign * sin(angle) - sign * 0.25 + 0.1 * normal(&seed));
    }
}

/* The log density that two_moons draws from: a normal blur along each half circle. */
static inline double two_moons_log_density(const double *x)
{
    double sum = 0;
    int i, sign;

    for (i = 0; i < 400; i++)
        for (sign = -1; sign <= 1; sign += 2) {
            double angle = PI * (i + 0.5) / 400, a = x[0] - sign * cos(angle) + sign * 0.5;
            double b = x[1] - sign * sin(angle) + sign * 0.25;
            sum += exp(-(a * a + b * b) / (2 * 0.01)) / (2 * PI * 0.01) / 800;
        }
    return log(sum);
}

/* A ring (n, 2) of `modes` round heaps of the deviation given, their middles at distance 1 from
 * zero. */
static inline void ring(int64_t n, int modes, double deviation, uint64_t seed, double *x)
{
    int64_t i;

    for (i = 0; i < n; i++) {
        double angle = 2 * PI * (double)(i % modes) / modes;
        x[2 * i] = round_off(cos(angle) + deviation * normal(&seed));
        x[2 * i + 1] = round_off(sin(angle) + deviation * normal(&seed));
    }
}

#endif
