/* Rational-quadratic splines for every instruction set. */
#include "kernels/kernels.h"

#define GM_ISA_BODY "kernels/spline_body.h"
#include "kernels/each_isa.h"
