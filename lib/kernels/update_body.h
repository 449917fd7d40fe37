/* Optimizer updates of one instruction set: update_real.h for float and double, and the table. */

#define RNAME(name) ISA(name##_f32)
#define R float
#define V vf
#define VM vi
#define VN VF
#define v_load vf_load
#define v_store vf_store
#define v_set vf_set
#define v_sqrt vf_sqrt
#define v_pick vf_pick
#define v_abs vf_abs
#include "kernels/update_real.h"
#undef RNAME
#undef R
#undef V
#undef VM
#undef VN
#undef v_load
#undef v_store
#undef v_set
#undef v_sqrt
#undef v_pick
#undef v_abs

#if GM_ISA != GM_ISA_AVX512
#define RNAME(name) ISA(name##_f64)
#define R double
#define V vd
#define VM vl
#define VN VD
#define v_load vd_load
#define v_store vd_store
#define v_set vd_set
#define v_sqrt vd_sqrt
#define v_pick vd_pick
#define v_abs vd_abs
#include "kernels/update_real.h"
#undef RNAME
#undef R
#undef V
#undef VM
#undef VN
#undef v_load
#undef v_store
#undef v_set
#undef v_sqrt
#undef v_pick
#undef v_abs
#endif

static void ISA(adam)(const gm__update *u, int64_t i0, int64_t i1)
{
    if (u->real == GM__F32)
        ISA(update_f32)(u, i0, i1, ISA(adam_f32));
    else
        ISA_SMALL(update_f64)(u, i0, i1, ISA_SMALL(adam_f64));
}

static void ISA(sgd)(const gm__update *u, int64_t i0, int64_t i1)
{
    if (u->real == GM__F32)
        ISA(update_f32)(u, i0, i1, ISA(sgd_f32));
    else
        ISA_SMALL(update_f64)(u, i0, i1, ISA_SMALL(sgd_f64));
}

static void ISA(rmsprop)(const gm__update *u, int64_t i0, int64_t i1)
{
    if (u->real == GM__F32)
        ISA(update_f32)(u, i0, i1, ISA(rmsprop_f32));
    else
        ISA_SMALL(update_f64)(u, i0, i1, ISA_SMALL(rmsprop_f64));
}

extern const gm__updates ISA(gm__updates);
const gm__updates ISA(gm__updates) = {ISA(adam), ISA(sgd), ISA(rmsprop)};
