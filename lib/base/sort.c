#include "base/sort.h"

static void sift_real(double *x, int64_t at, int64_t n)
{
    double moved = x[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && x[child] < x[child + 1])
            child++;
        if (!(moved < x[child]))
            break;
        x[at] = x[child];
    }
    x[at] = moved;
}

void gm__sort_reals(double *x, int64_t n)
{
    for (int64_t i = n / 2 - 1; i >= 0; i--)
        sift_real(x, i, n);
    for (int64_t end = n - 1; end > 0; end--) {
        double top = x[0];
        x[0] = x[end];
        x[end] = top;
        sift_real(x, 0, end);
    }
}

static void sift_pointer(void **x, int64_t at, int64_t n,
                         int (*compare)(const void *, const void *))
{
    void *moved = x[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && compare(x[child], x[child + 1]) < 0)
            child++;
        if (compare(moved, x[child]) >= 0)
            break;
        x[at] = x[child];
    }
    x[at] = moved;
}

void gm__sort_pointers(void **x, int64_t n, int (*compare)(const void *a, const void *b))
{
    for (int64_t i = n / 2 - 1; i >= 0; i--)
        sift_pointer(x, i, n, compare);
    for (int64_t end = n - 1; end > 0; end--) {
        void *top = x[0];
        x[0] = x[end];
        x[end] = top;
        sift_pointer(x, 0, end, compare);
    }
}

int64_t gm__find_real(const double *x, int64_t n, double value)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (x[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && x[low] == value ? low : -1;
}
