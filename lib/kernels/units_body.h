/* Units of one instruction set: units_real.h for float and double, and the table. */

/* Vectors of lanes that go through the steps together, with up to 6 units each in registers. */
#if GM_ISA == GM_ISA_AVX512 || GM_ISA == GM_ISA_NEON
#define TOGETHER 4
#else
#define TOGETHER 2
#endif

#define RNAME(name) ISA(name##_f32)
#define R float
#define V vf
#define VN VF
#define v_load vf_load
#define v_store vf_store
#define v_set vf_set
#define v_fma vf_fma
#include "kernels/units_real.h"
#undef RNAME
#undef R
#undef V
#undef VN
#undef v_load
#undef v_store
#undef v_set
#undef v_fma

#if GM_ISA != GM_ISA_AVX512
#define RNAME(name) ISA(name##_f64)
#define R double
#define V vd
#define VN VD
#define v_load vd_load
#define v_store vd_store
#define v_set vd_set
#define v_fma vd_fma
#include "kernels/units_real.h"
#undef RNAME
#undef R
#undef V
#undef VN
#undef v_load
#undef v_store
#undef v_set
#undef v_fma
#endif

extern const gm__units ISA(gm__units);
const gm__units ISA(gm__units) = {{ISA(units_f32), ISA_SMALL(units_f64)}};

#undef TOGETHER
