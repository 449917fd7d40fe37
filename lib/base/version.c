/* Version and build information. */
#include "base/context.h"
#include <string.h>

/* Raise it when any bit of any result changes. */
#define ARITHMETIC_REVISION 1

const char *gm_version(void)
{
    return GM_VERSION;
}

int32_t gm_version_number(void)
{
    return GM_VERSION_MAJOR * 1000000 + GM_VERSION_MINOR * 1000 + GM_VERSION_PATCH;
}

int32_t gm_arithmetic_revision(void)
{
    return ARITHMETIC_REVISION;
}

static const char *compiler(void)
{
#if defined(__clang__)
    return __VERSION__; /* names itself */
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}

static const char *kernels(void)
{
    if (gm__kernels_find("avx512"))
        return "base avx2 avx512";
    if (gm__kernels_find("avx2"))
        return "base avx2";
    if (gm__kernels_find("neon"))
        return "base neon";
    return "base";
}

static const char *threads(void)
{
#ifdef GM_WITHOUT_THREADS
    return "none";
#elif defined(_WIN32)
    return "windows";
#else
    return "posix";
#endif
}

static const char *blas(void)
{
#ifdef GM_HAVE_CBLAS
    return "own cblas";
#else
    return "own";
#endif
}

static const char *zlib(void)
{
#ifdef GM_HAVE_ZLIB
    return "yes";
#else
    return "no";
#endif
}

#if defined(__linux__)
#define SYSTEM "linux"
#elif defined(__APPLE__)
#define SYSTEM "macos"
#elif defined(_WIN32)
#define SYSTEM "windows"
#else
#define SYSTEM "posix"
#endif

#if defined(__x86_64__)
#define PROCESSOR "x86_64"
#elif defined(__aarch64__)
#define PROCESSOR "aarch64"
#elif defined(__i386__)
#define PROCESSOR "i386"
#elif defined(__s390x__)
#define PROCESSOR "s390x"
#elif defined(__powerpc64__)
#define PROCESSOR "ppc64"
#elif defined(__riscv)
#define PROCESSOR "riscv"
#else
#define PROCESSOR "other"
#endif

static const char *system_name(void)
{
    return SYSTEM " " PROCESSOR;
}

static const struct {
    const char *name;
    const char *(*text)(void);
} facts[] = {
    {"compiler", compiler}, {"kernels", kernels}, {"threads", threads},
    {"blas", blas},         {"zlib", zlib},       {"system", system_name},
};
enum { FACTS = sizeof facts / sizeof facts[0] };

const char *gm_build_info(const char *name)
{
    for (int i = 0; name && i < FACTS; i++)
        if (strcmp(facts[i].name, name) == 0)
            return facts[i].text();
    return NULL;
}

const char *gm_build_info_name(int32_t i)
{
    return i >= 0 && i < FACTS ? facts[i].name : NULL;
}
