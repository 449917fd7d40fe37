/* Units of a network column by column, for every instruction set. */
#include "kernels/kernels.h"

#define GM_ISA_BODY "kernels/units_body.h"
#include "kernels/each_isa.h"
