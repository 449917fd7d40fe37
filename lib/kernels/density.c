/* Sums of kernels over blocks of points, for every instruction set. */
#include "kernels/kernels.h"

#define GM_ISA_BODY "kernels/density_body.h"
#include "kernels/each_isa.h"
