/* Compiles one kernel source once for each instruction set that the target architecture has.
 *
 *     #define GM_ISA_BODY "kernels/maps_body.h"
 *     #include "kernels/each_isa.h"
 *
 * The body is included with GM_ISA set to one of the GM_ISA_ numbers below and with simd.h's
 * vector types in force. It names its external symbols with ISA(name), which appends _base, _avx2,
 * _avx512 or _neon. ISA_SMALL(name) is for costly code that no fit waits for, mostly in float64: on
 * AVX-512 it is AVX2's, whose bits are the same, which keeps the library small. Target pragmas, not
 * flags, choose the instructions, so that one translation unit can hold every variant. No include
 * guard: a source may use it more than once. */

#define GM_ISA_BASE 0
#define GM_ISA_AVX2 1
#define GM_ISA_AVX512 2
#define GM_ISA_NEON 3

#ifndef GM_ISA_PASTE
#define GM_ISA_PASTE2(a, b) a##b
#define GM_ISA_PASTE(a, b) GM_ISA_PASTE2(a, b)
#if defined(__FAST_MATH__)
#error "libgenmod promises the same bits everywhere: compile it without -ffast-math"
#endif
#include <stdint.h>
#include <stddef.h>
#include <string.h>
/* In front of a short loop over the registers of a virtual vector: no index must survive. */
#if defined(__clang__)
#define GM_UNROLL _Pragma("unroll")
#else
#define GM_UNROLL _Pragma("GCC unroll 16")
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#endif

/* Baseline: 16-byte vectors in the compiler's generic vector extension, multiply-add by fma(). */
#define GM_ISA GM_ISA_BASE
#define ISA(name) GM_ISA_PASTE(name, _base)
#define ISA_SMALL(name) ISA(name)
#include "kernels/simd.h"
#include GM_ISA_BODY
#include "kernels/simd_end.h"
#undef ISA
#undef ISA_SMALL
#undef GM_ISA

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2")
#endif
#define GM_ISA GM_ISA_AVX2
#define ISA(name) GM_ISA_PASTE(name, _avx2)
#define ISA_SMALL(name) ISA(name)
#include "kernels/simd.h"
#include GM_ISA_BODY
#include "kernels/simd_end.h"
#undef ISA
#undef ISA_SMALL
#undef GM_ISA
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target( \
    "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi,bmi2")
#endif
#define GM_ISA GM_ISA_AVX512
#define ISA(name) GM_ISA_PASTE(name, _avx512)
#define ISA_SMALL(name) GM_ISA_PASTE(name, _avx2)
#include "kernels/simd.h"
#include GM_ISA_BODY
#include "kernels/simd_end.h"
#undef ISA
#undef ISA_SMALL
#undef GM_ISA
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

#if defined(__aarch64__)
#define GM_ISA GM_ISA_NEON
#define ISA(name) GM_ISA_PASTE(name, _neon)
#define ISA_SMALL(name) ISA(name)
#include "kernels/simd.h"
#include GM_ISA_BODY
#include "kernels/simd_end.h"
#undef ISA
#undef ISA_SMALL
#undef GM_ISA
#endif

#undef GM_ISA_BODY
