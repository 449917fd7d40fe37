/* The table of each instruction set, and which of them this processor can run. */
#include "kernels/kernels.h"

#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define SET(isa)                                                                                   \
    extern const gm__maps gm__maps_##isa;                                                          \
    extern const gm__products gm__products_##isa;                                                  \
    extern const gm__reductions gm__reductions_##isa;                                              \
    extern const gm__splines gm__splines_##isa;                                                    \
    extern const gm__draws gm__draws_##isa;                                                        \
    extern const gm__updates gm__updates_##isa;                                                    \
    extern const gm__moves gm__moves_##isa;                                                        \
    extern const gm__units gm__units_##isa;                                                        \
    extern const gm__densities gm__densities_##isa;                                                \
    static const gm__kernels kernels_##isa = {                                                     \
        #isa,                                                                                      \
        &gm__maps_##isa,                                                                           \
        &gm__products_##isa,                                                                       \
        &gm__reductions_##isa,                                                                     \
        &gm__splines_##isa,                                                                        \
        &gm__draws_##isa,                                                                          \
        &gm__updates_##isa,                                                                        \
        &gm__moves_##isa,                                                                          \
        &gm__densities_##isa,                                                                      \
        &gm__units_##isa,                                                                          \
    }

SET(base);
#if defined(__x86_64__)
SET(avx2);
SET(avx512);

/* Which register files the operating system saves: XCR0. */
static unsigned xcr0(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* 0: baseline, 1: AVX2 with FMA, 2: AVX-512 F, DQ, BW, VL. */
static int x86_level(void)
{
    unsigned a, b, c, d, b7;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX) || !(c & bit_FMA))
        return 0;
    unsigned saved = xcr0();
    if ((saved & 0x6) != 0x6 || !__get_cpuid_count(7, 0, &a, &b7, &c, &d) || !(b7 & bit_AVX2) ||
        !(b7 & bit_BMI2))
        return 0;
    unsigned wide = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    return (b7 & wide) == wide && (saved & 0xe6) == 0xe6 ? 2 : 1;
}
#elif defined(__aarch64__)
SET(neon);
#endif

const gm__kernels *gm__kernels_at(int i)
{
    if (i == 0)
        return &kernels_base;
#if defined(__x86_64__)
    if (i == 1 && x86_level() >= 1)
        return &kernels_avx2;
    if (i == 2 && x86_level() >= 2)
        return &kernels_avx512;
#elif defined(__aarch64__)
    if (i == 1)
        return &kernels_neon;
#endif
    return NULL;
}

const gm__kernels *gm__kernels_find(const char *name)
{
    const gm__kernels *best = NULL;
    for (int i = 0; gm__kernels_at(i); i++) {
        best = gm__kernels_at(i);
        if (strcmp(best->name, name) == 0)
            return best;
    }
    return strcmp(name, "auto") == 0 ? best : NULL;
}
