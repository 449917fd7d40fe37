/* Polygamma functions of any order, one value at a time: only gradients of gradients of lgamma. */
#ifndef GM__POLYGAMMA_H
#define GM__POLYGAMMA_H

/* The order-th derivative of digamma at x, order >= 1. */
double gm__polygamma(int order, double x);

#endif
