/* The floating-point mode of this thread. */
#include "base/float_mode.h"

#if defined(__x86_64__)

/* MXCSR: all exceptions masked, to nearest, no flush to zero (Intel SDM vol. 1, 10.2.3). */
enum { DEFAULT = 0x1f80 };

uint64_t gm__float_mode_default(void)
{
    unsigned before = __builtin_ia32_stmxcsr();
    if ((before & ~0x3fu) != DEFAULT) /* the low six bits only record what happened */
        __builtin_ia32_ldmxcsr(DEFAULT);
    return before;
}

void gm__float_mode_restore(uint64_t mode)
{
    __builtin_ia32_ldmxcsr((unsigned)mode);
}

#elif defined(__aarch64__)

/* FPCR 0: to nearest, no flush to zero, no traps, IEEE NaN (Arm ARM, C5.2). */
uint64_t gm__float_mode_default(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    if (before)
        __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return before;
}

void gm__float_mode_restore(uint64_t mode)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}

#elif defined(__s390x__)

/* The floating-point control register: 0 is to nearest, no traps (z/Architecture, chapter 19). */
uint64_t gm__float_mode_default(void)
{
    unsigned before;
    __asm__ volatile("efpc %0" : "=d"(before));
    __asm__ volatile("sfpc %0" : : "d"(0));
    return before;
}

void gm__float_mode_restore(uint64_t mode)
{
    __asm__ volatile("sfpc %0" : : "d"((unsigned)mode));
}

#elif defined(__riscv_flen)

/* frm 0 is to nearest (RISC-V unprivileged ISA, 11.2); there are no other modes. */
uint64_t gm__float_mode_default(void)
{
    uintptr_t before;
    __asm__ volatile("frrm %0" : "=r"(before));
    __asm__ volatile("fsrm zero");
    return before;
}

void gm__float_mode_restore(uint64_t mode)
{
    __asm__ volatile("fsrm %0" : : "r"((uintptr_t)mode));
}

#else

/* Elsewhere the host's mode is taken as the default one: fenv.h would tie the library to libm. */
uint64_t gm__float_mode_default(void)
{
    return 0;
}

void gm__float_mode_restore(uint64_t mode)
{
    (void)mode;
}

#endif
