/* Large arguments of sin and cos, in integers: Payne and Hanek 1983. The same on every machine. */
#ifndef GM__REDUCE_PI_H
#define GM__REDUCE_PI_H

#include <stdint.h>

/* Above these the vector code leaves the reduction to the functions below. */
#define GM__REDUCE_F32 0x1p22f
#define GM__REDUCE_F64 0x1p30

/* For each of the n lanes with a above the limit or not finite: a = k pi/2 + r, |r| up to pi/4, and
 * q = k in its last two bits (r is NaN for a non-finite a). Other lanes are left as they are.
 * a >= 0. About 100 ns a lane. */
void gm__reduce_pi_f32(float *r, int32_t *q, const float *a, int n);
void gm__reduce_pi_f64(double *r, double *low, int64_t *q, const double *a, int n);

#endif
