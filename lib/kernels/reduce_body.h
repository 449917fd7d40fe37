/* Reductions of one instruction set. The virtual vector: 16 doubles in LANES_D registers; float
 * comes in 16 at a time and is widened. reduce_real.h is the body for float and for double. */
#include "kernels/math_f32.h"
#include "kernels/math_f64.h"

#define LANES 16
#define LANES_D (LANES / VD)
#define LANES_F (LANES / VF)

/* 16 running sums. */
#define gm__lanes ISA(gm__lanes)
typedef struct gm__lanes {
    vd at[LANES_D];
} gm__lanes;

/* Half a register of float, as many values as a register of double. */
#define vh ISA(gm__vh)
typedef float vh __attribute__((vector_size(VBYTES / 2)));

VINLINE gm__lanes ISA(lanes_zero)(void)
{
    gm__lanes a;
    GM_UNROLL
    for (int i = 0; i < LANES_D; i++)
        a.at[i] = vd_set(0);
    return a;
}

VINLINE gm__lanes ISA(lanes_load_f32)(const float *x)
{
    gm__lanes a;
    GM_UNROLL
    for (int i = 0; i < LANES_D; i++) {
        vh v;
        memcpy(&v, x + i * VD, sizeof v);
        a.at[i] = __builtin_convertvector(v, vd);
    }
    return a;
}

VINLINE void ISA(lanes_store_f32)(float *y, gm__lanes a)
{
    GM_UNROLL
    for (int i = 0; i < LANES_D; i++) {
        vh v = __builtin_convertvector(a.at[i], vh);
        memcpy(y + i * VD, &v, sizeof v);
    }
}

VINLINE gm__lanes ISA(lanes_load_f64)(const double *x)
{
    gm__lanes a;
    GM_UNROLL
    for (int i = 0; i < LANES_D; i++)
        a.at[i] = vd_load(x + i * VD);
    return a;
}

VINLINE void ISA(lanes_store_f64)(double *y, gm__lanes a)
{
    GM_UNROLL
    for (int i = 0; i < LANES_D; i++)
        vd_store(y + i * VD, a.at[i]);
}

VINLINE gm__lanes ISA(lanes_add)(gm__lanes a, gm__lanes b)
{
    GM_UNROLL
    for (int i = 0; i < LANES_D; i++)
        a.at[i] += b.at[i];
    return a;
}

VINLINE gm__lanes ISA(lanes_add_squares)(gm__lanes a, gm__lanes b)
{
    GM_UNROLL
    for (int i = 0; i < LANES_D; i++)
        a.at[i] += b.at[i] * b.at[i];
    return a;
}

/* 8 + 8, 4 + 4, 2 + 2, 1 + 1: lane i takes lane i + half. */
VINLINE double ISA(lanes_fold)(gm__lanes a)
{
    double t[VD];
#if VD == 2
    GM_UNROLL
    for (int i = 0; i < 4; i++)
        a.at[i] += a.at[i + 4];
#endif
#if VD <= 4
    a.at[0] += a.at[2];
    a.at[1] += a.at[3];
#endif
    vd_store(t, a.at[0] + a.at[1]);
#if VD == 8
    GM_UNROLL
    for (int i = 0; i < 4; i++)
        t[i] += t[i + 4];
#endif
#if VD >= 4
    t[0] += t[2];
    t[1] += t[3];
#endif
    return t[0] + t[1];
}

/* One logarithm, by the vector function: the same bits as everywhere. */
VSHARED double ISA(log_one)(double x)
{
    return vd_log(vd_set(x))[0];
}

#define RNAME(name) ISA(name##_f32)
#define R float
#define R_MAX 0x1.fffffep127
#define V vf
#define VM vi
#define VN VF
#define v_load vf_load
#define v_store vf_store
#define v_set vf_set
#define v_pick vf_pick
#define v_exp vf_exp
#include "kernels/reduce_real.h"
#undef RNAME
#undef R
#undef R_MAX
#undef V
#undef VM
#undef VN
#undef v_load
#undef v_store
#undef v_set
#undef v_pick
#undef v_exp

#define RNAME(name) ISA(name##_f64)
#define R double
#define R_MAX 0x1.fffffffffffffp1023
#define V vd
#define VM vl
#define VN VD
#define v_load vd_load
#define v_store vd_store
#define v_set vd_set
#define v_pick vd_pick
#define v_exp vd_exp
#include "kernels/reduce_real.h"
#undef RNAME
#undef R
#undef R_MAX
#undef V
#undef VM
#undef VN
#undef v_load
#undef v_store
#undef v_set
#undef v_pick
#undef v_exp

static void ISA(row_sum_wide)(double *y, const float *x, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++)
        y[i] = ISA(total_f32)(x + i * cols, cols);
}

#define BOTH(name) {ISA(name##_f32), ISA(name##_f64)}
extern const gm__reductions ISA(gm__reductions);
const gm__reductions ISA(gm__reductions) = {
    .row_sum = BOTH(row_sum),
    .row_sum_wide = ISA(row_sum_wide),
    .row_max = BOTH(row_max),
    .col_sum = BOTH(col_sum),
    .sum = BOTH(sum),
    .sum_squares = BOTH(sum_squares),
    .softmax = BOTH(softmax),
    .log_softmax = BOTH(log_softmax),
    .logsumexp = BOTH(logsumexp),
    .cumsum = BOTH(cumsum),
};
#undef BOTH

#undef LANES
#undef LANES_D
#undef LANES_F
#undef gm__lanes
#undef vh
