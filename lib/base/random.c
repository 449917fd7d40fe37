/* Philox in scalar form, and draws of whole numbers. */
#include "base/random.h"
#include "base/size.h"

#include <math.h>

/* Salmon et al. 2011, section 3.3 and table 2: ten rounds, the key bumped by a Weyl sequence in
 * between. */
void gm__philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xd2511f53 * c0, b = (uint64_t)0xcd9e8d57 * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9e3779b9;
        k1 += 0xbb67ae85;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Block `block` of row i, laid out as the kernels' gm__draw says. */
static void draw(uint32_t out[4], uint64_t seed, uint32_t purpose, uint64_t step, int64_t i,
                 uint32_t block)
{
    uint64_t row = (uint64_t)i;
    uint32_t counter[4] = {block, (uint32_t)row, ((uint32_t)(row >> 32) & 0xffff) | purpose << 16,
                           (uint32_t)step};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    gm__philox(out, counter, key);
}

static uint64_t join(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

uint64_t gm__random64(uint64_t seed, uint32_t purpose, uint64_t step, int64_t i)
{
    uint32_t w[4];
    draw(w, seed, purpose, step, i, 0);
    return join(w[0], w[1]);
}

/* The high half of random * n, drawn again where the low half says that this value has one preimage
 * too many (Lemire 2019, "Fast random integer generation in an interval", algorithm 5). */
int64_t gm__random_below(uint64_t seed, uint32_t purpose, uint64_t step, int64_t i, int64_t n)
{
    uint64_t range = (uint64_t)n, least = (0 - range) % range, low, high = 0;
    for (uint32_t block = 0; block < 64;
         block++) { /* each pair is refused with probability under 1/2 */
        uint32_t w[4];
        draw(w, seed, purpose, step, i, block);
        for (int half = 0; half < 4; half += 2) {
            high = gm__mul128(join(w[half], w[half + 1]), range, &low);
            if (low >= least)
                return (int64_t)high;
        }
    }
    return (int64_t)high;
}

/* ---- A permutation ---- */

/* Least a with a * a >= n, n under 2^62. */
static uint64_t root_above(uint64_t n)
{
    uint64_t a = (uint64_t)sqrt((double)n);
    while (a * a < n)
        a++;
    while (a > 1 && (a - 1) * (a - 1) >= n)
        a--;
    return a;
}

enum { ROUNDS = 8 };

/* A Feistel network with addition modulo a and b in place of exclusive or (Black and Rogaway 2002,
 * "Ciphers with arbitrary finite domains", section 5) on pairs (left, right) in a x b, which holds
 * [0, n) and little more; what falls outside goes round again (cycle walking, section 3 there). */
int64_t gm__permute(uint64_t seed, uint32_t purpose, uint64_t step, int64_t i, int64_t n)
{
    uint64_t a = root_above((uint64_t)n), b = ((uint64_t)n + a - 1) / a;
    uint64_t x = (uint64_t)i;
    do {
        uint64_t left = x / b, right = x % b, low;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            uint32_t w[4];
            draw(w, seed, purpose, step, (int64_t)(round & 1 ? left : right), 0x80000000u + round);
            uint64_t noise = join(w[0], w[1]);
            if (round & 1)
                right = (right + gm__mul128(noise, b, &low)) % b;
            else
                left = (left + gm__mul128(noise, a, &low)) % a;
        }
        x = left * b + right;
    } while (x >= (uint64_t)n);
    return (int64_t)x;
}
