/* VF_POLY(n, x, list) and VD_POLY(n, x, list): the polynomial in x with the n coefficients of the
 * list, lowest first, by Horner's rule in fused multiply-adds. n is a literal, x a name. */
#ifndef GM__POLY_H
#define GM__POLY_H

/* The lowest coefficient, and the others. */
#define GM_POLY_FIRST(...) GM_POLY_FIRST_(__VA_ARGS__)
#define GM_POLY_FIRST_(a, ...) a
#define GM_POLY_REST(...) GM_POLY_REST_(__VA_ARGS__)
#define GM_POLY_REST_(a, ...) __VA_ARGS__

#define VF_POLY(n, x, ...) VF_POLY_(n, x, __VA_ARGS__)
#define VF_POLY_(n, x, ...) VF_P##n(x, __VA_ARGS__)
#define VD_POLY(n, x, ...) VD_POLY_(n, x, __VA_ARGS__)
#define VD_POLY_(n, x, ...) VD_P##n(x, __VA_ARGS__)

#define VF_P1(x, a) vf_set(a)
#define VF_P2(x, a, ...) vf_fma(VF_P1(x, __VA_ARGS__), x, vf_set(a))
#define VF_P3(x, a, ...) vf_fma(VF_P2(x, __VA_ARGS__), x, vf_set(a))
#define VF_P4(x, a, ...) vf_fma(VF_P3(x, __VA_ARGS__), x, vf_set(a))
#define VF_P5(x, a, ...) vf_fma(VF_P4(x, __VA_ARGS__), x, vf_set(a))
#define VF_P6(x, a, ...) vf_fma(VF_P5(x, __VA_ARGS__), x, vf_set(a))
#define VF_P7(x, a, ...) vf_fma(VF_P6(x, __VA_ARGS__), x, vf_set(a))
#define VF_P8(x, a, ...) vf_fma(VF_P7(x, __VA_ARGS__), x, vf_set(a))
#define VF_P9(x, a, ...) vf_fma(VF_P8(x, __VA_ARGS__), x, vf_set(a))
#define VF_P10(x, a, ...) vf_fma(VF_P9(x, __VA_ARGS__), x, vf_set(a))
#define VF_P11(x, a, ...) vf_fma(VF_P10(x, __VA_ARGS__), x, vf_set(a))
#define VF_P12(x, a, ...) vf_fma(VF_P11(x, __VA_ARGS__), x, vf_set(a))

#define VD_P1(x, a) vd_set(a)
#define VD_P2(x, a, ...) vd_fma(VD_P1(x, __VA_ARGS__), x, vd_set(a))
#define VD_P3(x, a, ...) vd_fma(VD_P2(x, __VA_ARGS__), x, vd_set(a))
#define VD_P4(x, a, ...) vd_fma(VD_P3(x, __VA_ARGS__), x, vd_set(a))
#define VD_P5(x, a, ...) vd_fma(VD_P4(x, __VA_ARGS__), x, vd_set(a))
#define VD_P6(x, a, ...) vd_fma(VD_P5(x, __VA_ARGS__), x, vd_set(a))
#define VD_P7(x, a, ...) vd_fma(VD_P6(x, __VA_ARGS__), x, vd_set(a))
#define VD_P8(x, a, ...) vd_fma(VD_P7(x, __VA_ARGS__), x, vd_set(a))
#define VD_P9(x, a, ...) vd_fma(VD_P8(x, __VA_ARGS__), x, vd_set(a))
#define VD_P10(x, a, ...) vd_fma(VD_P9(x, __VA_ARGS__), x, vd_set(a))
#define VD_P11(x, a, ...) vd_fma(VD_P10(x, __VA_ARGS__), x, vd_set(a))
#define VD_P12(x, a, ...) vd_fma(VD_P11(x, __VA_ARGS__), x, vd_set(a))
#define VD_P13(x, a, ...) vd_fma(VD_P12(x, __VA_ARGS__), x, vd_set(a))
#define VD_P14(x, a, ...) vd_fma(VD_P13(x, __VA_ARGS__), x, vd_set(a))
#define VD_P15(x, a, ...) vd_fma(VD_P14(x, __VA_ARGS__), x, vd_set(a))
#define VD_P16(x, a, ...) vd_fma(VD_P15(x, __VA_ARGS__), x, vd_set(a))
#define VD_P17(x, a, ...) vd_fma(VD_P16(x, __VA_ARGS__), x, vd_set(a))
#define VD_P18(x, a, ...) vd_fma(VD_P17(x, __VA_ARGS__), x, vd_set(a))
#define VD_P19(x, a, ...) vd_fma(VD_P18(x, __VA_ARGS__), x, vd_set(a))
#define VD_P20(x, a, ...) vd_fma(VD_P19(x, __VA_ARGS__), x, vd_set(a))
#define VD_P21(x, a, ...) vd_fma(VD_P20(x, __VA_ARGS__), x, vd_set(a))
#define VD_P22(x, a, ...) vd_fma(VD_P21(x, __VA_ARGS__), x, vd_set(a))
#define VD_P23(x, a, ...) vd_fma(VD_P22(x, __VA_ARGS__), x, vd_set(a))
#define VD_P24(x, a, ...) vd_fma(VD_P23(x, __VA_ARGS__), x, vd_set(a))
#define VD_P25(x, a, ...) vd_fma(VD_P24(x, __VA_ARGS__), x, vd_set(a))
#define VD_P26(x, a, ...) vd_fma(VD_P25(x, __VA_ARGS__), x, vd_set(a))
#define VD_P27(x, a, ...) vd_fma(VD_P26(x, __VA_ARGS__), x, vd_set(a))
#define VD_P28(x, a, ...) vd_fma(VD_P27(x, __VA_ARGS__), x, vd_set(a))
#define VD_P29(x, a, ...) vd_fma(VD_P28(x, __VA_ARGS__), x, vd_set(a))
#define VD_P30(x, a, ...) vd_fma(VD_P29(x, __VA_ARGS__), x, vd_set(a))

#endif
