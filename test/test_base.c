/* Status codes, contexts and their errors, memory, arrays and DLPack. */
#include "support.h"
#include "base/array.h"
#include "base/context.h"
#include "base/size.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* ---- Introspection ---- */

START_TEST(codes_are_told)
{
    int n = 0;
    for (gm_status code; (code = gm_status_at(n)) <= 0; n++) {
        ck_assert_int_eq(strncmp(gm_status_name(code), code ? "GM_E_" : "GM_OK", 5), 0);
        ck_assert_str_ne(gm_status_text(code), "");
        for (int i = 0; i < n; i++)
            ck_assert_int_ne(gm_status_at(i), code);
    }
    ck_assert_int_eq(n, 19);
    ck_assert_int_eq(gm_status_at(-1), 1);
    ck_assert_ptr_null(gm_status_name(-77));
    ck_assert_str_eq(gm_status_text(-77), "not a status code");
    ck_assert_str_eq(gm_status_name(GM_E_CANCELLED), "GM_E_CANCELLED");
}
END_TEST

START_TEST(versions_are_told)
{
    ck_assert_str_eq(gm_version(), GM_VERSION);
    ck_assert_int_eq(gm_version_number(),
                     GM_VERSION_MAJOR * 1000000 + GM_VERSION_MINOR * 1000 + GM_VERSION_PATCH);
    ck_assert_int_ge(gm_arithmetic_revision(), 1);
    int n = 0;
    for (const char *name; (name = gm_build_info_name(n)); n++)
        ck_assert_ptr_nonnull(gm_build_info(name));
    ck_assert_int_eq(n, 6);
    ck_assert_int_eq(strncmp(gm_build_info("kernels"), "base", 4), 0);
    ck_assert_ptr_null(gm_build_info("weather"));
    ck_assert_ptr_null(gm_build_info(NULL));
    ck_assert_ptr_null(gm_build_info_name(-1));
}
END_TEST

/* ---- Contexts ---- */

START_TEST(contexts_check_their_arguments)
{
    gm_context *ctx = (gm_context *)&ctx;
    struct {
        gm_context_config config;
        char more[8];
    } newer;
    ck_assert_int_eq(gm_context_create(NULL, NULL), GM_E_ARG);
    gm_context_config config = {.struct_size = 3};
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_E_ARG);
    ck_assert_ptr_null(ctx);
    memset(&newer, 0, sizeof newer);
    newer.config.struct_size = sizeof newer; /* a newer header, whose new members are not used */
    ck_assert_int_eq(gm_context_create(&newer.config, &ctx), GM_OK);
    gm_context_free(ctx);
    newer.more[7] = 1; /* used */
    ck_assert_int_eq(gm_context_create(&newer.config, &ctx), GM_E_ARG);
    gm_allocator none = {.struct_size = sizeof none};
    config = (gm_context_config){.struct_size = sizeof config, .allocator = &none};
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_E_ARG);
    gm_logger mute = {.struct_size = sizeof mute};
    config = (gm_context_config){.struct_size = sizeof config, .logger = &mute};
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_E_ARG);
    gm_context_free(NULL);
}
END_TEST

static gm_status fail_with(gm_context *ctx, gm_status code, const char *text)
{
    return gm__fail(ctx, code, "%s", text);
}

START_TEST(errors_are_copied_out)
{
    gm_context *ctx = test_context(NULL);
    char text[64];
    gm_status code = 5;
    ck_assert_int_eq(gm_context_error(ctx, text, sizeof text, &code), 0);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(code, GM_OK);
    ck_assert_int_eq(fail_with(ctx, GM_E_DATA, "row 7"), GM_E_DATA);
    ck_assert_int_eq(gm__prefix(ctx, "%s: ", "file.csv"), GM_E_DATA);
    ck_assert_int_eq(gm_context_error(ctx, text, sizeof text, &code), 15);
    ck_assert_str_eq(text, "file.csv: row 7");
    ck_assert_int_eq(code, GM_E_DATA);
    ck_assert_int_eq(gm_context_error(ctx, text, 5, NULL), 15);
    ck_assert_str_eq(text, "file");
    ck_assert_int_eq(gm_context_error(ctx, NULL, 0, NULL), 15);
    ck_assert_int_eq(gm_context_error(ctx, NULL, 99, NULL), 15);
    fail_with(ctx, GM_E_DATA, "bell \a escape \033[1m bad \xff good \xc3\xa4");
    ck_assert_str_eq(test_error(ctx), "bell ? escape ?[1m bad ? good \xc3\xa4");
    gm__fail(ctx, GM_E_DATA, "(%s)", ctx->error);
    ck_assert_str_eq(test_error(ctx), "(bell ? escape ?[1m bad ? good \xc3\xa4)");
    char *much = malloc(5000);
    memset(much, 'y', 4999);
    much[4999] = 0;
    fail_with(ctx, GM_E_DATA, much);
    ck_assert_int_eq(strlen(ctx->error), sizeof ctx->error - 1);
    free(much);
    ck_assert_int_eq(gm__no_memory(NULL), GM_E_MEMORY);
    ck_assert_int_eq(gm_context_error(NULL, text, sizeof text, &code), 0);
    ck_assert_int_eq(code, GM_E_ARG);
    gm_context_free(ctx);
}
END_TEST

START_TEST(logs_go_to_the_hook)
{
    test_log log = {0};
    gm_logger logger = test_log_hook(&log);
    gm_context_config config = {.struct_size = sizeof config, .logger = &logger};
    gm_context *ctx;
    ck_assert_int_eq(gm_context_create(&config, &ctx), GM_OK);
    gm__log(ctx, 1, "loss %g at step %d", 0.5, 3);
    ck_assert_str_eq(log.last, "loss 0.5 at step 3");
    gm__log(ctx, 2, "fine");
    ck_assert(log.warnings == 1 && log.informations == 1 && log.others == 0);
    gm__log(NULL, 1, "nobody");
    gm_context_free(ctx);
    ctx = test_context(NULL);
    gm__log(ctx, 1, "nobody");
    gm_context_free(ctx);
}
END_TEST

START_TEST(a_busy_context_is_an_error)
{
    gm_context *ctx = test_context(NULL);
    gm__entry entry, other;
    char text[8];
    errno = 1234;
    test_ok(ctx, gm__enter(ctx, &entry));
    errno = 1;
    ck_assert_int_eq(gm__enter(ctx, &other), GM_E_BUSY);
    ck_assert_int_eq(gm_context_trim(ctx), GM_E_BUSY);
    ck_assert_int_eq(gm_context_set_int(ctx, "threads", 1), GM_E_BUSY);
    ck_assert_int_eq(gm_context_get(ctx, "threads", text, sizeof text, NULL), GM_E_BUSY);
    ck_assert_int_eq(gm__leave(ctx, &entry, GM_E_DATA), GM_E_DATA);
    ck_assert_int_eq(errno, 1234);
    test_ok(ctx, gm_context_trim(ctx));
    ck_assert_int_eq(gm__enter(NULL, &entry), GM_E_ARG);
    gm_context_free(ctx);
}
END_TEST

/* Two threads in one context: one of them is refused, and nothing is a race. */
static void *intrude(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        gm_status code = gm_context_trim(arg);
        if (code != GM_OK && code != GM_E_BUSY)
            return arg;
    }
    return NULL;
}

START_TEST(intruders_are_refused)
{
    gm_context *ctx = test_context(NULL);
    pthread_t threads[2];
    void *bad;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, intrude, ctx), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &bad);
        ck_assert_ptr_null(bad);
    }
    gm_context_free(ctx);
}
END_TEST

START_TEST(the_float_mode_is_set_and_restored)
{
#if defined(__x86_64__)
    gm_context *ctx = test_context(NULL);
    gm__entry entry;
    unsigned before = _mm_getcsr(), odd = before | 0xe040;
    _mm_setcsr(odd); /* towards zero, flush to zero, subnormals are zero */
    odd = _mm_getcsr(); /* valgrind keeps the rounding only */
    test_ok(ctx, gm__enter(ctx, &entry));
    volatile double tiny = 0x1p-1060, one = 1;
    ck_assert(tiny * one == 0x1p-1060);
    ck_assert(one + 0x1.8p-53 == 1 + 0x1p-52);
    gm__leave(ctx, &entry, GM_OK);
    ck_assert_uint_eq(_mm_getcsr() & 0xffc0, odd & 0xffc0);
    _mm_setcsr(before);
    gm_context_free(ctx);
#endif
}
END_TEST

static int freed;
static void free_thing(gm_context *ctx, void *thing)
{
    (void)ctx;
    *(int *)thing += 1;
}

START_TEST(what_hangs_on_a_context_goes_with_it)
{
    test_memory m = {0};
    gm_allocator a = test_memory_allocator(&m);
    gm_context *ctx = test_context(&a);
    void *first = gm__context_scratch(ctx, 1000);
    ck_assert_ptr_nonnull(first);
    ck_assert_uint_eq((uintptr_t)first % 64, 0);
    ck_assert_ptr_eq(gm__context_scratch(ctx, 500), first);
    memset(gm__context_scratch(ctx, 100000), 1, 100000);
    ck_assert_ptr_null(gm__context_scratch(ctx, PTRDIFF_MAX));
    ck_assert_int_eq(ctx->code, GM_E_MEMORY);
    ctx->plans = &freed;
    ctx->plans_free = free_thing;
    ctx->registry = &freed;
    ctx->registry_free = free_thing;
    test_ok(ctx, gm_context_trim(ctx));
    ck_assert_int_eq(freed, 1);
    ck_assert_int_eq(m.blocks, 1);
    gm_context_free(ctx);
    ck_assert_int_eq(freed, 2);
    ck_assert_int_eq(m.blocks, 0);
    ck_assert_int_eq(m.wrong_sizes, 0);
}
END_TEST

/* ---- Memory ---- */

START_TEST(memory_is_zeroed_and_aligned)
{
    gm_allocator a;
    ck_assert_int_eq(gm__allocator_init(&a, NULL), GM_OK);
    for (size_t size = 1; size < 5000; size = size * 3 + 1) {
        unsigned char *p = gm__alloc(&a, size);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
        size_t set = 0;
        for (size_t i = 0; i < size; i++)
            set += p[i] != 0;
        ck_assert_uint_eq(set, 0);
        memset(p, 7, size);
        p = gm__resize(&a, p, size, 2 * size);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
        ck_assert_uint_eq(p[size - 1], 7);
        p = gm__resize(&a, p, 2 * size, 1);
        ck_assert_uint_eq(p[0], 7);
        gm__free(&a, p, 1);
    }
    ck_assert_ptr_null(gm__alloc(&a, 0));
    ck_assert_ptr_null(gm__alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(gm__alloc_array(&a, INT64_MAX, 8));
    ck_assert_ptr_null(gm__alloc_array(&a, -1, 8));
    ck_assert_ptr_null(gm__resize(&a, NULL, 0, 0));
    ck_assert_ptr_null(gm__copy_text(&a, NULL));
    gm__free(&a, NULL, 0);
    gm__free_text(&a, NULL);
    char *text = gm__copy_text(&a, "text");
    ck_assert_str_eq(text, "text");
    gm__free_text(&a, text);
}
END_TEST

static gm_status fill_arena(const gm_allocator *a, void *arg)
{
    gm__arena arena = {.allocator = *a};
    gm_status code = GM_OK;
    (void)arg;
    for (size_t i = 1; i < 200 && !code; i++) {
        unsigned char *p = gm__arena_alloc(&arena, i * 50);
        code = p ? GM_OK : GM_E_MEMORY;
        size_t set = 0;
        for (size_t k = 0; p && k < i * 50; k++)
            set += p[k]++;
        ck_assert_uint_eq(set, 0);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
    }
    ck_assert_ptr_null(gm__arena_alloc(&arena, 0));
    ck_assert_ptr_null(gm__arena_array(&arena, INT64_MAX, 2));
    gm__arena_clear(&arena);
    return code;
}

START_TEST(arenas_grow_or_fail)
{
    ck_assert_int_gt(test_every_failure(fill_arena, NULL, 0), 8);
}
END_TEST

START_TEST(sizes_do_not_wrap)
{
    size_t s = 5;
    int64_t v = 5;
    uint64_t low;
    ck_assert(gm__mul_size(SIZE_MAX / 2, 3, &s) && s == 5);
    ck_assert(gm__mul_size((size_t)1 << (sizeof s * 8 - 2), 2, &s) && s == 5);
    ck_assert(!gm__mul_size(6, 7, &s) && s == 42);
    ck_assert(gm__mul64((int64_t)1 << 62, 2, &v) && gm__mul64(-1, 1, &v) && v == 5);
    ck_assert(!gm__mul64(6, 7, &v) && v == 42);
    ck_assert(gm__add64(INT64_MAX, 1, &v) && v == 42);
    ck_assert(!gm__add64(-3, 1, &v) && v == -2);
    ck_assert(gm__mul128(UINT64_MAX, UINT64_MAX, &low) == UINT64_MAX - 1 && low == 1);
    ck_assert(gm__mul128((uint64_t)1 << 40, (uint64_t)3 << 40, &low) == (uint64_t)3 << 16 &&
              low == 0);
}
END_TEST

/* ---- Arrays ---- */

/* DLPack's published layout, as a program would declare it. */
typedef struct dl_managed {
    uint32_t major, minor;
    void *manager;
    void (*deleter)(struct dl_managed *);
    uint64_t flags;
    struct {
        void *data;
        struct {
            int32_t type, id;
        } device;
        int32_t ndim;
        struct {
            uint8_t code, bits;
            uint16_t lanes;
        } dtype;
        int64_t *shape, *strides;
        uint64_t byte_offset;
    } tensor;
} dl_managed;

static int deletions, releases;
static void count_deletion(dl_managed *m)
{
    (void)m;
    deletions++;
}
static void count_release(void *user)
{
    (void)user;
    releases++;
}

START_TEST(dlpack_comes_in)
{
    gm_context *ctx = test_context(NULL);
    double values[24] = {0};
    int64_t shape[3] = {2, 3, 4};
    gm_array a;
    dl_managed m = {.major = 1, .minor = 3, .deleter = count_deletion};
    m.tensor.data = values;
    m.tensor.device.type = 1;
    m.tensor.ndim = 3;
    m.tensor.dtype.code = 2;
    m.tensor.dtype.bits = 64;
    m.tensor.dtype.lanes = 1;
    m.tensor.shape = shape;
    m.tensor.byte_offset = 8;
    test_ok(ctx, gm_array_from_dlpack(ctx, &m, &a));
    ck_assert(a.struct_size == sizeof a && a.dtype == GM_F64 && a.ndim == 3 && a.flags == 0);
    ck_assert_ptr_eq(a.data, values + 1);
    ck_assert(a.shape[0] == 2 && a.shape[2] == 4);
    ck_assert(a.strides[0] == 12 && a.strides[1] == 4 && a.strides[2] == 1);
    int64_t strides[3] = {1, 2, -6};
    m.tensor.strides = strides;
    m.flags = 1;
    test_ok(ctx, gm_array_from_dlpack(ctx, &m, &a));
    ck_assert(a.strides[2] == -6 && a.flags == GM_ARRAY_READ_ONLY);
    gm_array before = a;
    m.major = 2;
    test_fails(ctx, gm_array_from_dlpack(ctx, &m, &a), GM_E_UNSUPPORTED, "version 2");
    m.major = 1;
    m.tensor.device.type = 2;
    test_fails(ctx, gm_array_from_dlpack(ctx, &m, &a), GM_E_UNSUPPORTED, "device 2");
    m.tensor.device.type = 1;
    m.tensor.dtype.bits = 16;
    test_fails(ctx, gm_array_from_dlpack(ctx, &m, &a), GM_E_UNSUPPORTED, "16 bits");
    m.tensor.dtype.bits = 64;
    m.tensor.ndim = 9;
    test_fails(ctx, gm_array_from_dlpack(ctx, &m, &a), GM_E_SHAPE, "9 dimensions");
    m.tensor.ndim = 3;
    shape[1] = -1;
    test_fails(ctx, gm_array_from_dlpack(ctx, &m, &a), GM_E_SHAPE, "-1");
    shape[1] = 3;
    m.tensor.data = NULL;
    test_fails(ctx, gm_array_from_dlpack(ctx, &m, &a), GM_E_ARG, "no data");
    test_fails(ctx, gm_array_from_dlpack(ctx, NULL, &a), GM_E_ARG, NULL);
    ck_assert_mem_eq(&a, &before, sizeof a);
    gm_array_release_dlpack(&m);
    ck_assert_int_eq(deletions, 1);
    gm_array_release_dlpack(NULL);
    gm_context_free(ctx);
}
END_TEST

START_TEST(dlpack_goes_out)
{
    test_memory memory = {0};
    gm_allocator allocator = test_memory_allocator(&memory);
    gm_context *ctx = test_context(&allocator);
    static const struct {
        int32_t dtype;
        int code, bits;
    } types[] = {{GM_F32, 2, 32}, {GM_F64, 2, 64}, {GM_U8, 1, 8}, {GM_I32, 0, 32}, {GM_I64, 0, 64}};
    double values[6] = {0};
    void *managed;
    gm_array a;
    for (int i = 0; i < 5; i++) {
        gm_array_init(&a, types[i].dtype, values, 3, 2);
        a.flags = i == 1 ? GM_ARRAY_READ_ONLY : 0;
        test_ok(ctx, gm_array_to_dlpack(ctx, &a, count_release, NULL, &managed));
        dl_managed *m = managed;
        ck_assert(m->major == 1 && m->flags == (i == 1) && m->tensor.device.type == 1);
        ck_assert(m->tensor.dtype.code == types[i].code && m->tensor.dtype.bits == types[i].bits);
        ck_assert(m->tensor.dtype.lanes == 1 && m->tensor.data == values && m->tensor.ndim == 2);
        ck_assert(m->tensor.shape[0] == 3 && m->tensor.strides[0] == 2 &&
                  m->tensor.strides[1] == 1);
        gm_array back;
        test_ok(ctx, gm_array_from_dlpack(ctx, managed, &back));
        ck_assert_mem_eq(&a, &back, sizeof a);
        gm_array_release_dlpack(managed);
        ck_assert_int_eq(releases, i + 1);
    }
    test_ok(ctx, gm_array_to_dlpack(ctx, &a, NULL, NULL, &managed));
    gm_context_free(ctx); /* the tensor outlives it */
    gm_array_release_dlpack(managed);
    ck_assert_int_eq(memory.blocks, 0);
    ck_assert_int_eq(memory.wrong_sizes, 0);
}
END_TEST

START_TEST(arrays_are_checked)
{
    gm_context *ctx = test_context(NULL);
    double value;
    void *managed = &value;
    int64_t count;
    gm_array a;
    gm_array_init(&a, GM_F64, &value, 1, 1);
    test_ok(ctx, gm__array_check(ctx, &a, "x", &count));
    ck_assert_int_eq(count, 1);
    test_fails(ctx, gm__array_check(ctx, NULL, "x", NULL), GM_E_ARG, "array 'x' is missing");
    a.dtype = 9;
    test_fails(ctx, gm_array_to_dlpack(ctx, &a, NULL, NULL, &managed), GM_E_ARG, "dtype 9");
    ck_assert_ptr_null(managed);
    gm_array_init(&a, GM_F64, &value, INT64_MAX, 3);
    test_fails(ctx, gm__array_check(ctx, &a, "x", NULL), GM_E_SHAPE, "array 'x'");
    gm_array_init(&a, GM_F64, NULL, 0, 3);
    test_ok(ctx, gm__array_check(ctx, &a, "x", &count));
    a.struct_size = 8;
    test_fails(ctx, gm__array_check(ctx, &a, "x", NULL), GM_E_ARG, "struct_size 8");
    gm_array_init(NULL, GM_F64, NULL, 0, 3);
    gm_context_free(ctx);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base");
    TCase *c = tcase_create("base");
    tcase_add_test(c, codes_are_told);
    tcase_add_test(c, versions_are_told);
    tcase_add_test(c, contexts_check_their_arguments);
    tcase_add_test(c, errors_are_copied_out);
    tcase_add_test(c, logs_go_to_the_hook);
    tcase_add_test(c, a_busy_context_is_an_error);
    tcase_add_test(c, intruders_are_refused);
    tcase_add_test(c, the_float_mode_is_set_and_restored);
    tcase_add_test(c, what_hangs_on_a_context_goes_with_it);
    tcase_add_test(c, memory_is_zeroed_and_aligned);
    tcase_add_test(c, arenas_grow_or_fail);
    tcase_add_test(c, sizes_do_not_wrap);
    tcase_add_test(c, dlpack_comes_in);
    tcase_add_test(c, dlpack_goes_out);
    tcase_add_test(c, arrays_are_checked);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return gm__test_main(suite);
}
