/* Reductions for every instruction set. */
#include "kernels/kernels.h"

#define GM_ISA_BODY "kernels/reduce_body.h"
#include "kernels/each_isa.h"
