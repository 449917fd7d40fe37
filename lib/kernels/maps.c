/* Element maps: one function a map, a type and an instruction set. */
#include "kernels/kernels.h"
#include "kernels/polygamma.h"

#define GM_ISA_BODY "kernels/maps_body.h"
#include "kernels/each_isa.h"
