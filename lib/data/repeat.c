#include "data/repeat.h"
#include "base/sort.h"

double gm__repeat_width(double *x, int64_t n)
{
    int64_t again = 0;
    gm__sort_reals(x, n);
    double range = n > 0 ? x[n - 1] - x[0] : 0, least = range;
    if (!(range > 0) || range - range != 0)
        return 0;
    for (int64_t i = 1; i < n; i++) {
        double gap = x[i] - x[i - 1];
        if (gap <= range * 0x1p-30)
            again++;
        else if (gap < least)
            least = gap;
    }
    double most = x[n - 1] > -x[0] ? x[n - 1] : -x[0];
    return again * 10 < n || most / least >= 0x1p50 ? 0 : least;
}

double gm__repeat_unit(double *x, int64_t n, double resolution)
{
    double width = gm__repeat_width(x, n);
    return resolution > 0 && !(width > 64 * resolution) ? resolution : width;
}
