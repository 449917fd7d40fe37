/* The matrix product for one instruction set and one type. */
#include "kernels/product_tile_body.h"
#include "kernels/product_finish_body.h"
#include "kernels/product_pack_body.h"
#include "kernels/product_drive_body.h"

#undef R
#undef RKIND
#undef T
#undef V
#undef VI
#undef VL
#undef V_LOAD
#undef V_STORE
#undef V_SET
#undef V_FMA
#undef V_PICK
#undef H
#undef H_LOAD
#undef H_SET
#undef H_FMA
#undef H_WIDE
#undef H_LOW
#undef H_LOAD_PART
#undef H_STORE
#undef GM_ODD
