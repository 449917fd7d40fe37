/* genmod/base.h: status codes, context, hooks, options and introspection.
 *
 * Rules of every header of this library:
 *
 * - A function that can fail takes the context first and returns a gm_status: 0 (GM_OK) or a
 *   negative code. Its results come through its last arguments and are NULL (handles) or untouched
 *   (arrays) after a failure. A failed call leaves every argument as it was.
 * - The text of the last failure belongs to the context: gm_context_error copies it out.
 * - Handles are opaque. A gm_<noun>_free gives up one owner's share: the object goes with the last
 *   one; NULL does nothing. Objects keep the allocator they were made with and count what they rest
 *   on, so any order of free is right, and an object may outlive the context it was made with.
 * - Threads: a context serves one thread at a time; two threads in one context is an error
 *   (GM_E_BUSY), never a race. Models, options once set, pools and cancel tokens may be used by any
 *   number of threads at once, each with a context of its own. Datasets may be read by any number
 *   of threads. Where a function says nothing else, this is its rule.
 * - Text is UTF-8, ended by a zero. The library copies what it keeps.
 * - Sizes are int64_t, enumerations and status int32_t. Structures that a caller fills begin with
 *   struct_size, which must be sizeof the structure; what a caller leaves zero means "the default".
 * - Callbacks get the user's pointer first, run on the calling thread, and must not call back into
 *   the same context (GM_E_BUSY, but for gm_context_error) nor unwind through the library.
 * - The library prints nothing, ends no process, reads no environment variable and keeps nothing
 *   outside of the objects that it hands out. */
#ifndef GENMOD_BASE_H
#define GENMOD_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifndef GM_API
#if defined(_WIN32) && defined(GM_SHARED)
#ifdef GM_BUILDING
#define GM_API __declspec(dllexport)
#else
#define GM_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define GM_API __attribute__((visibility("default")))
#else
#define GM_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version: what library this is, its arithmetic and its build ----------------------------- */

/* The version of these headers. */
#define GM_VERSION_MAJOR 0
#define GM_VERSION_MINOR 1
#define GM_VERSION_PATCH 0
#define GM_VERSION "0.1.0"

/* The version of the library in use: static text ("0.1.0"), and major * 1000000 + minor * 1000 +
 * patch. */
GM_API const char *gm_version(void);
GM_API int32_t gm_version_number(void);
/* The revision of the arithmetic: it rises when any bit of any result changes. Models, checkpoints
 * and archives carry it. */
GM_API int32_t gm_arithmetic_revision(void);
/* Build information by name: "compiler", "kernels" (what this processor can run, best last),
 * "threads", "blas", "zlib", "system". Static text; NULL for an unknown name. */
GM_API const char *gm_build_info(const char *name);
/* The i-th name that gm_build_info knows; NULL past the end. */
GM_API const char *gm_build_info_name(int32_t i);

/* ---- Status codes: what functions that can fail return --------------------------------------- */

/* What a function that can fail returns. */
typedef int32_t gm_status;

/* The numbers are frozen; new ones may come. Treat one that you do not know by its hundred: -1..
 * the caller, -100.. the environment, -200.. data and files, -300.. the user. */
enum {
    GM_OK = 0,
    /* the caller */
    GM_E_ARG = -1,         /* an argument is missing or contradicts another */
    GM_E_RANGE = -2,       /* a value lies outside its range */
    GM_E_UNKNOWN = -3,     /* no family, option, column, optimizer ... of that name */
    GM_E_STAGE = -4,       /* an option set at a stage where it can no longer act */
    GM_E_SHAPE = -5,       /* sizes that do not fit together */
    GM_E_UNSUPPORTED = -6, /* this family or object does not answer this call */
    GM_E_SEED = -7,        /* the call draws random numbers and was given no seed */
    GM_E_BUSY = -8,        /* the context is in use: by another thread, or below this callback */
    GM_E_STATE = -9,       /* not possible in the object's present state */
    /* the environment */
    GM_E_MEMORY = -100, /* the allocator gave nothing */
    GM_E_IO = -101,     /* a read or write failed */
    GM_E_SYSTEM = -102, /* another operating system call failed */
    /* data and files */
    GM_E_DATA = -200,      /* a value in the data is malformed */
    GM_E_FORMAT = -201,    /* a file is malformed */
    GM_E_VERSION = -202,   /* a file needs a newer library */
    GM_E_CHECKSUM = -203,  /* a file's checksum does not match its contents */
    GM_E_NONFINITE = -204, /* a loss stayed infinite or not a number */
    /* the user */
    GM_E_CANCELLED = -300 /* the cancel token was tripped or a progress callback said stop */
};

/* What a code means, in a few words; static. Never NULL, also for a number that is no code. */
GM_API const char *gm_status_text(gm_status code);
/* A code's name ("GM_E_ARG"); NULL for a number that is no code. */
GM_API const char *gm_status_name(gm_status code);
/* The i-th code, so that a binding can list them; 1 past the end. */
GM_API gm_status gm_status_at(int32_t i);

/* ---- Hooks: the host's memory, log, files and threads, and cancelling ------------------------ */

/* An allocator. resize behaves as realloc that is told the old size: block NULL allocates; new_size
 * 0 frees and returns NULL; otherwise the contents are kept up to the smaller size. The result is
 * aligned to `alignment` (a power of two, at most 64). On failure it returns NULL and leaves the
 * block as it was; freeing and shrinking must not fail. Must be callable from any thread that uses
 * the library. */
typedef struct gm_allocator {
    uint32_t struct_size;
    void *user; /* handed to each call, here and in the hooks below */
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size, size_t alignment);
} gm_allocator;

/* A log. Levels: 1 warning, 2 information; text is one line without its end, and lives as long as
 * the call. Without a log the library is silent. */
typedef struct gm_logger {
    uint32_t struct_size;
    void *user;
    void (*write)(void *user, int32_t level, const char *text);
} gm_logger;

/* A source of bytes. read fills buffer with up to size bytes and returns how many it gave (fewer
 * than asked is fine), 0 at the end, negative on failure: the call then returns GM_E_IO. size
 * returns the total number of bytes if it is known, else -1. */
typedef struct gm_reader {
    uint32_t struct_size;
    void *user;
    int64_t (*read)(void *user, void *buffer, int64_t size);
    int64_t (*size)(void *user); /* may be NULL */
} gm_reader;

/* A sink of bytes. write takes all of them and returns 0, or returns negative on failure: the call
 * then returns GM_E_IO. */
typedef struct gm_writer {
    uint32_t struct_size;
    void *user;
    int32_t (*write)(void *user, const void *bytes, int64_t size);
} gm_writer;

/* The host's own threads. run calls work(arg, part) once for each part in [0, parts), in any order
 * and on any threads, and returns when all have returned. width is how many can run at once. */
typedef struct gm_executor {
    uint32_t struct_size;
    int32_t width; /* from 1 */
    void *user;
    void (*run)(void *user, void (*work)(void *arg, int32_t part), void *arg, int32_t parts);
} gm_executor;

/* A cancel token: once it is tripped, every long call in a context that was given it returns
 * GM_E_CANCELLED within 100 ms. It stays tripped until it is reset. Any thread may call any of its
 * functions. */
typedef struct gm_cancel gm_cancel;
/* allocator may be NULL. NULL when memory is short, or the allocator is malformed. */
GM_API gm_cancel *gm_cancel_create(const gm_allocator *allocator);
/* Trips the token and resets it; NULL does nothing. To trip is one atomic store, which a signal
 * handler may make. */
GM_API void gm_cancel_trip(gm_cancel *token);
GM_API void gm_cancel_reset(gm_cancel *token);
/* 1 if it is tripped, else 0; 0 for NULL. */
GM_API int32_t gm_cancel_tripped(const gm_cancel *token);
/* Contexts that were given the token keep it alive. */
GM_API void gm_cancel_free(gm_cancel *token);

/* Worker threads, which contexts on any number of threads may share. Workers start when first
 * needed, block signals, sleep when idle and are joined when the last owner frees the pool. A
 * context that finds the pool at work for another computes alone, and after fork the child computes
 * alone: always with the same bits. */
typedef struct gm_pool gm_pool;
/* `threads` counts the calling thread: 1 makes no worker, 0 is one a processor, at most 1,024.
 * allocator may be NULL. NULL where an argument is wrong or memory is short. */
GM_API gm_pool *gm_pool_create(const gm_allocator *allocator, int32_t threads);
/* How many threads it has, the calling one included; 1 for NULL. */
GM_API int32_t gm_pool_threads(const gm_pool *pool);
/* Contexts that were given the pool keep it alive. */
GM_API void gm_pool_free(gm_pool *pool);

/* ---- Context: what one thread works with, and its settings ----------------------------------- */

/* What one thread works with: scratch memory, plans kept for speed, the text of the last failure,
 * hooks. Make one for each thread and keep it as long as the thread works; it may move between
 * threads, but serve one at a time. */
typedef struct gm_context gm_context;

/* Every member may be zero. The structures pointed to are copied; the pool and the token are
 * counted. */
typedef struct gm_context_config {
    uint32_t struct_size;
    const gm_allocator *allocator;
    const gm_logger *logger;
    gm_pool *pool;
    const gm_executor *executor; /* in place of a pool */
    gm_cancel *cancel;
} gm_context_config;

/* Makes a context; config may be NULL. Without a pool or an executor it computes on the calling
 * thread alone. GM_E_ARG where a structure is malformed, or pool and executor are both given;
 * GM_E_MEMORY. */
GM_API gm_status gm_context_create(const gm_context_config *config, gm_context **context);
/* Frees a context that no call is using. What was made with it stays good. */
GM_API void gm_context_free(gm_context *ctx);
/* Copies the text of the last failure into buffer (size bytes, ended by a zero, cut between
 * characters if need be; NULL with size 0 copies nothing) and its code into *code (may be NULL).
 * Returns the length of the whole text in bytes. The text stays until the next call in this context
 * that fails; a call refused by GM_E_BUSY, or by GM_E_ARG for a NULL context, leaves none. May be
 * called from a callback. */
GM_API int64_t gm_context_error(const gm_context *ctx, char *buffer, int64_t size, gm_status *code);
/* Changes a setting of the context, by its name in the table gm_option_at(ctx, "context", i):
 * "threads" (1), "kernels" (auto, base, avx2, avx512, neon), "matmul" (own, cblas), "fusion"
 * (true). No setting but matmul=cblas changes a bit of any result. Plans kept for speed are
 * dropped. GM_E_UNKNOWN, GM_E_RANGE, GM_E_MEMORY; GM_E_UNSUPPORTED where this processor or this
 * build cannot: its text names what can. */
GM_API gm_status gm_context_set_int(gm_context *ctx, const char *name, int64_t value);
GM_API gm_status gm_context_set_text(gm_context *ctx, const char *name, const char *value);
/* The value in force, as text, copied into buffer (size bytes, cut if need be; NULL with size 0
 * copies nothing); its whole length in *length (may be NULL). GM_E_UNKNOWN. */
GM_API gm_status gm_context_get(gm_context *ctx, const char *name, char *buffer, int64_t size,
                                int64_t *length);
/* Gives back the scratch memory and plans that the context keeps for speed; they come again when
 * they are needed. */
GM_API gm_status gm_context_trim(gm_context *ctx);

/* ---- Options: settings by name, and the tables of what there is ------------------------------ */

/* A bag of named values. Setting copies and keeps; it fails with GM_E_ARG where bag, name or value
 * is missing, and with GM_E_MEMORY; a name set again forgets its old value. What a name may be and
 * hold is checked where the bag is used, against the tables of the family, the optimizer and the
 * call: an unknown name, a value out of range or a wrong stage is an error that lists what is
 * allowed. A bag used in fit may be used in the calls on that model: what belongs to building or
 * fitting is then compared with what the model has. */
typedef struct gm_options gm_options;
/* An empty bag. */
GM_API gm_status gm_options_create(gm_context *ctx, gm_options **options);
/* What was made with the options stays good. */
GM_API void gm_options_free(gm_options *options);
/* Sets a name to a number: of GM_INT, GM_BOOL (0 or 1) and GM_SEED, and of GM_REAL. */
GM_API gm_status gm_options_set_int(gm_context *ctx, gm_options *options, const char *name,
                                    int64_t value);
GM_API gm_status gm_options_set_real(gm_context *ctx, gm_options *options, const char *name,
                                     double value);
/* From text: the form that every type has ("8", "0.5", "nsf", "256,256", "true"). */
GM_API gm_status gm_options_set_text(gm_context *ctx, gm_options *options, const char *name,
                                     const char *value);
/* From `count` whole numbers, which are copied: of GM_INTS. */
GM_API gm_status gm_options_set_ints(gm_context *ctx, gm_options *options, const char *name,
                                     const int64_t *values, int64_t count);
/* Forgets one name (no error where it was not set); NULL forgets all. */
GM_API gm_status gm_options_unset(gm_context *ctx, gm_options *options, const char *name);
/* The value as text, copied as by gm_context_get; GM_E_UNKNOWN where it was not set. */
GM_API gm_status gm_options_get(gm_context *ctx, const gm_options *options, const char *name,
                                char *buffer, int64_t size, int64_t *length);

/* Types of an option. */
enum {
    GM_INT = 1,
    GM_REAL = 2,
    GM_BOOL = 3,   /* "true" or "false", also 1 or 0 */
    GM_CHOICE = 4, /* one of the words in its range */
    GM_INTS = 5,   /* whole numbers, as text with commas between */
    GM_TEXT = 6,
    GM_SEED = 7 /* a whole number from 0; never set by itself */
};
/* Stages at which an option acts; added up where there are several. */
enum {
    GM_STAGE_BUILD = 1, /* the structure of a model */
    GM_STAGE_FIT = 2,
    GM_STAGE_CALL = 4
};

/* One row of an options table; static text. range is "1..65536", "0..", "(0..1)" (a parenthesis
 * leaves the end out), "1..64|auto" (words besides the numbers) or "a|b|c"; "" where anything
 * goes. */
typedef struct gm_option_info {
    uint32_t struct_size;
    int32_t type;  /* GM_INT to GM_SEED */
    int32_t stage; /* GM_STAGE_ */
    int32_t since; /* the minor version that brought it */
    const char *name;
    const char *default_value; /* as text; "" where there is none */
    const char *range;
    const char *help;
} gm_option_info;

/* The i-th option of an owner into *info, with info->struct_size set before. Owners: a family
 * ("flow"), an optimizer ("adam"), "context", "fit" (what every fit takes), "csv", a call
 * ("sample", "log_prob" ...: what any family takes), and a call or the fit of one family
 * ("vae.sample", "mixture.fit").
 * GM_E_RANGE past the end, GM_E_UNKNOWN for no such owner.
 *
 *     gm_option_info row = {.struct_size = sizeof row};
 *     for (int32_t i = 0; gm_option_at(ctx, "flow", i, &row) == GM_OK; i++)
 *         printf("%s %s %s\n", row.name, row.default_value, row.help); */
GM_API gm_status gm_option_at(gm_context *ctx, const char *owner, int32_t i, gm_option_info *info);

/* ---- Arrays: views of the caller's memory, and DLPack ---------------------------------------- */

/* Types of elements. */
enum {
    GM_F32 = 1, /* float */
    GM_F64 = 2, /* double */
    GM_U8 = 3,  /* uint8_t */
    GM_I32 = 4, /* int32_t */
    GM_I64 = 5  /* int64_t */
};
/* Flags of an array. */
enum {
    GM_ARRAY_READ_ONLY = 1 /* nothing may be written into it */
};

/* A view of the caller's memory, which must live as long as it is used. Strides count elements, may
 * be zero or negative. */
typedef struct gm_array {
    uint32_t struct_size;
    int32_t dtype;  /* GM_F32 to GM_I64 */
    int32_t ndim;   /* 0 to 8 */
    uint32_t flags; /* GM_ARRAY_ */
    void *data;     /* the element at index 0 of each axis */
    int64_t shape[8];
    int64_t strides[8];
} gm_array;

/* Fills *array, its struct_size too, as a row-major matrix (n, d) of a dtype that borrows data. */
GM_API void gm_array_init(gm_array *array, int32_t dtype, void *data, int64_t n, int64_t d);
/* A DLPack DLManagedTensorVersioned (major version 1) as an array that borrows its memory: the
 * tensor must live as long as the array; gm_array_release_dlpack calls its deleter.
 * GM_E_UNSUPPORTED for another version, another device than the CPU, or a type that is none of
 * ours; GM_E_ARG, GM_E_SHAPE. *array needs no struct_size before; it is untouched after a failure.
 */
GM_API gm_status gm_array_from_dlpack(gm_context *ctx, void *managed, gm_array *array);
GM_API void gm_array_release_dlpack(void *managed);
/* An array as a new DLManagedTensorVersioned that borrows array->data and outlives the context; its
 * deleter frees the tensor and then calls release(user); release may be NULL, and is not called
 * where this fails. GM_E_ARG, GM_E_SHAPE, GM_E_MEMORY. */
GM_API gm_status gm_array_to_dlpack(gm_context *ctx, const gm_array *array,
                                    void (*release)(void *user), void *user, void **managed);

#ifdef __cplusplus
}
#endif
#endif
