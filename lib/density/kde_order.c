/* Order among rows by a key: selection, and sorting. */
#include "density/kde_part.h"

#include <string.h>

typedef gm__kde_pair pair;
enum { SAMPLE = 25, ROUNDS = 60, DIGIT = 11, DIGITS = 6, VALUES = 1 << DIGIT };

static void sift(pair *p, int64_t at, int64_t n)
{
    pair moved = p[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && p[child].key < p[child + 1].key)
            child++;
        if (!(moved.key < p[child].key))
            break;
        p[at] = p[child];
    }
    p[at] = moved;
}

static void heap_sort(pair *p, int64_t n)
{
    for (int64_t i = n / 2 - 1; i >= 0; i--)
        sift(p, i, n);
    for (int64_t end = n - 1; end > 0; end--) {
        pair top = p[0];
        p[0] = p[end];
        p[end] = top;
        sift(p, 0, end);
    }
}

/* How many of n have keys under the pivot (or equal to it); they come first. No branches. */
static int64_t partition(pair *p, int64_t n, double pivot, int equal)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        pair v = p[i];
        p[i] = p[m];
        p[m] = v;
        m += (v.key < pivot) | (equal & (v.key == pivot));
    }
    return m;
}

/* A key whose rank among n is about kth: by rank in a sample. */
static double guess(const pair *p, int64_t n, int64_t kth)
{
    double key[SAMPLE];
    int64_t count = n < SAMPLE ? n : SAMPLE;
    for (int64_t i = 0; i < count; i++) {
        double v = p[(int64_t)((double)i / (double)count * (double)n)].key;
        int64_t j = i;
        for (; j > 0 && key[j - 1] > v; j--)
            key[j] = key[j - 1];
        key[j] = v;
    }
    int64_t rank = (int64_t)((double)kth / (double)n * (double)count);
    return key[rank < count ? rank : count - 1];
}

/* The kth least in its place, what is less before it. Hoare's selection; heap sort once it takes
 * suspiciously long. */
void gm__kde_split(pair *p, int64_t n, int64_t kth)
{
    for (int round = 0; n > 1; round++) {
        if (round == ROUNDS) {
            heap_sort(p, n);
            return;
        }
        double pivot = guess(p, n, kth);
        int64_t m = partition(p, n, pivot, 0);
        if (kth < m) {
            n = m;
            continue;
        }
        if (m == 0) {
            m = partition(p, n, pivot, 1);
            if (kth < m)
                return;
        }
        p += m;
        n -= m;
        kth -= m;
    }
}

/* Bits that order as the numbers do. */
static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* By digits from the lowest: equal keys keep their order. */
void gm__kde_sort(pair *p, pair *spare, int64_t n)
{
    uint32_t start[VALUES];
    pair *from = p, *to = spare;
    if (n > UINT32_MAX) {
        heap_sort(p, n);
        return;
    }
    for (int digit = 0; digit < DIGITS; digit++) {
        int shift = digit * DIGIT;
        uint32_t sum = 0;
        memset(start, 0, sizeof start);
        for (int64_t i = 0; i < n; i++)
            start[bits_of(from[i].key) >> shift & (VALUES - 1)]++;
        for (int i = 0; i < VALUES; i++) {
            uint32_t count = start[i];
            start[i] = sum;
            sum += count;
        }
        for (int64_t i = 0; i < n; i++)
            to[start[bits_of(from[i].key) >> shift & (VALUES - 1)]++] = from[i];
        pair *swap = from;
        from = to;
        to = swap;
    }
}
