/* Moves for every instruction set. The loops over shapes are shared; the bodies hold what is worth
 * a register: transposes and the sums of a scatter. */
#include "kernels/kernels.h"
#include "kernels/move_copy.h"

#define GM_ISA_BODY "kernels/move_body.h"
#include "kernels/each_isa.h"
