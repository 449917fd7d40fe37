#include "kernels/polygamma.h"
double gm__polygamma(int order, double x)
{
    (void)order;
    return x * __builtin_nan("");
}
